"""Every example in a docstring of lyeval runs; all that is public under ``ly.``, of `lyeval.effect` and of `lyeval.figures` has one."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import lyeval as ly
from lyeval import effect, figures

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PACKAGE = Path(ly.__file__).parent
MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.fixture(scope="module")
def given() -> dict[str, object]:
    """Return the names that examples begin with, as README does: ``ledger``, ``policy``, ``now``."""
    ledger, policy = ly.read_ledger("sample:zhoushan-shengsi"), ly.load_policy("zhoushan-2020")
    return {"ly": ly, "ledger": ledger, "policy": policy, "now": ly.assess(ledger, policy, year=2020)}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, given: dict[str, object]) -> None:
    """What users call is shown with what users have; of the rest an example may take its own module's names."""
    import matplotlib.pyplot as plt

    module = import_module(name)
    public = {"lyeval.effect", "lyeval.figures"} & {name.rpartition(".")[0]}
    public |= {name} & {inspect.unwrap(getattr(ly, one)).__module__ for one in ly.PUBLIC}
    names = given if public else given | vars(module)
    tests = [test for test in doctest.DocTestFinder().find(module, name, globs=dict(names)) if test.examples]
    assert tests
    for test in tests:
        told: list[str] = []
        assert not doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append).failed, "".join(told)
    plt.close("all")


def test_all_that_is_public_has_an_example() -> None:
    shown = {name: getattr(ly, name) for name in ly.PUBLIC}
    for module in (effect, figures):
        functions = {name: inspect.unwrap(getattr(module, name)) for name in module.__all__}
        shown |= {name: function for name, function in functions.items() if inspect.isfunction(function)}
    assert len(shown) >= len(ly.PUBLIC) + 28
    assert not [name for name, thing in shown.items() if ">>> " not in (inspect.unwrap(thing).__doc__ or "")]
