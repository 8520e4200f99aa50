"""The examples in the docstrings of what is public run, and every public function of `lyeval.effect` and `lyeval.figures` has one."""

from __future__ import annotations

import doctest
import inspect
from importlib import import_module

import pytest

import lyeval as ly
from lyeval import effect, figures

PUBLIC = [
    *((module, name) for module in (effect, figures) for name in module.__all__),
    *((ly, name) for name in ("as_if", "compare", "decompose", "panel", "study", "sweep", "two_places")),
]
FUNCTIONS = [(module, name) for module, name in PUBLIC if inspect.isfunction(inspect.unwrap(getattr(module, name)))]


@pytest.mark.parametrize(("module", "name"), FUNCTIONS, ids=lambda one: getattr(one, "__name__", one))
def test_example(module, name: str) -> None:
    import matplotlib.pyplot as plt

    function = inspect.unwrap(getattr(module, name))
    found = doctest.DocTestFinder(recurse=False).find(
        function, name, module=import_module(function.__module__), globs={}
    )
    examples = [one for one in found if one.examples]
    assert examples, "no example"
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for one in examples:
        assert runner.run(one).failed == 0
    plt.close("all")


def test_there_are_examples_to_run() -> None:
    assert len(FUNCTIONS) >= 35
