"""The examples in the docstrings of what is public run: everything under ``ly.``, every function of `lyeval.effect` and `lyeval.figures`."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module
from types import ModuleType

import pytest

import lyeval as ly
from lyeval import effect, figures

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
FUNCTIONS = [
    (module, name)
    for module in (effect, figures)
    for name in module.__all__
    if inspect.isfunction(inspect.unwrap(getattr(module, name)))
]


@pytest.fixture(scope="module")
def given() -> dict[str, object]:
    """Return the names that examples begin with, as README does: ``ledger``, ``policy``, ``now``."""
    ledger, policy = ly.read_ledger("sample:zhoushan-shengsi"), ly.load_policy("zhoushan-2020")
    return {"ly": ly, "ledger": ledger, "policy": policy, "now": ly.assess(ledger, policy, year=2020)}


def run(tests: list[doctest.DocTest]) -> None:
    tests = [test for test in tests if test.examples]
    assert tests, "no example"
    for test in tests:
        told: list[str] = []
        assert not doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append).failed, "".join(told)


@pytest.mark.parametrize("name", sorted(ly.PUBLIC))
def test_public_names(name: str, given: dict[str, object]) -> None:
    run(doctest.DocTestFinder(recurse=False).find(getattr(ly, name), name, globs=dict(given)))


@pytest.mark.parametrize(("module", "name"), FUNCTIONS, ids=lambda one: getattr(one, "__name__", one))
def test_functions(module: ModuleType, name: str) -> None:
    import matplotlib.pyplot as plt

    function = inspect.unwrap(getattr(module, name))
    finder = doctest.DocTestFinder(recurse=False)
    run(finder.find(function, name, module=import_module(function.__module__), globs={}))
    plt.close("all")


def test_there_are_examples_to_run() -> None:
    assert len(FUNCTIONS) >= 28
