"""The examples in the docstrings of what is public run."""

from __future__ import annotations

import doctest

import pytest

import lyeval as ly

SHOWN = ("as_if", "compare", "decompose", "panel", "study", "sweep", "two_places")


@pytest.mark.parametrize("name", SHOWN)
def test_the_example_of_a_public_name_runs(name: str) -> None:
    found = doctest.DocTestFinder(recurse=False).find(getattr(ly, name), name, globs={})
    assert sum(len(test.examples) for test in found) >= 2
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
