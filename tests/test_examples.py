"""The examples in the docstrings of everything under ``ly.`` are run as they stand."""

from __future__ import annotations

import doctest

import pytest

import lyeval as ly

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.fixture(scope="module")
def given() -> dict[str, object]:
    """Return the names that examples begin with, as README does: ``ledger``, ``policy``, ``now``."""
    ledger, policy = ly.read_ledger("sample:zhoushan-shengsi"), ly.load_policy("zhoushan-2020")
    return {"ly": ly, "ledger": ledger, "policy": policy, "now": ly.assess(ledger, policy, year=2020)}


@pytest.mark.parametrize("name", sorted(ly.PUBLIC))
def test_examples_run(name: str, given: dict[str, object]) -> None:
    thing = getattr(ly, name)
    tests = [t for t in doctest.DocTestFinder(recurse=False).find(thing, name, globs=dict(given)) if t.examples]
    assert tests, f"ly.{name} has no example"
    for test in tests:
        told: list[str] = []
        result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append)
        assert not result.failed, "".join(told)
