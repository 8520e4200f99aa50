"""A command of the command line run in this process, for the tests of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from lyeval.cli import main


class Told(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Lyeval = Callable[..., Told]


def runner(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    """Return what runs a command at 80 columns and finds no traceback."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: object) -> Told:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        told = capsys.readouterr()
        assert "Traceback" not in told.err + told.out
        return Told(int(ended.value.code or 0), told.out, told.err)

    return run
