"""The ``lyeval`` command: what each command asks for and prints; the work is done by the library (命令行).

A command's module loads when the command is called, so that ``lyeval --help`` answers at once.
"""

from __future__ import annotations

import sys
from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup

from lyeval import __version__
from lyeval.cli.terminal import STOPPED, legible, safe_streams, say, tell
from lyeval.resources import read_rows
from lyeval.run.kernel import caught, settled
from lyeval.scratch import sweep

PLAIN: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}


@dataclass(frozen=True)
class Command:
    """A command: where its function is, one line about it, and what its exit codes 0, 1 and 2 mean."""

    place: str
    short: str
    done: str = "完成 done"
    failed: str = "未完成 failed"
    misuse: str = "用法不对 misuse"

    def loaded(self, name: str) -> Any:
        """Load the command."""
        module, _, function = self.place.partition(":")
        codes = f"退出码 / exit codes: 0 {self.done}; 1 {self.failed}; 2 {self.misuse}; {ENDED}"
        single = typer.Typer(**PLAIN)
        made = legible(getattr(import_module(f"lyeval.cli.{module}"), function))
        single.command(name, short_help=self.short, epilog=codes)(made)
        return typer.main.get_command(single)


class _Loading(UserDict[str, Any]):
    """Commands by name, each loaded when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        return found.loaded(name) if isinstance(found, Command) else found


class Commands(TyperGroup):
    """A group of commands that is listed without loading any of them."""

    rows: ClassVar[Mapping[str, Command]] = {}

    def __init__(self, *, commands: Any = None, **given: Any) -> None:
        super().__init__(commands={}, **given)
        self.commands = _Loading({**self.rows, **(commands or {})})

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one line a command, and where exit codes are told."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _short(one)) for name, one in self.commands.data.items()])  # type: ignore[attr-defined]


def _short(one: Any) -> str:
    return one.short if isinstance(one, Command) else one.get_short_help_str()


ENDS = ("done", "failed", "misuse")
ENDED = "130 Ctrl-C, 143 TERM, 129 HUP 中止 stopped"
ROWS = read_rows(__file__, "commands.csv")
COMMANDS, PLANS = (
    {r["name"]: Command(r["place"], r["short"], **{k: r[k] for k in ENDS if r[k]}) for r in ROWS if r["group"] == group}
    for group in ("", "policy")
)
FIRST = {
    r["name"]: r["first"][2:] for r in sorted(ROWS, key=lambda r: r["first"]) if r["first"]
}  # the rows number them


class _All(Commands):
    rows = COMMANDS


class _Plans(Commands):
    rows = PLANS


app = typer.Typer(
    name="lyeval",
    cls=_All,
    help="低效工业用地整治提升年度评估：台账进，评估报告出。 / Evaluate a county's low-efficiency industrial land.",
    **PLAIN,
)
policy = typer.Typer(
    cls=_Plans, rich_markup_mode=None, help="政策方案：列出、查看、检查、回读、试算、新建、对照。 / Plans."
)
app.add_typer(policy, name="policy", short_help="政策方案 / the plans")


@app.callback(invoke_without_command=True)
def _begin(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="版本 / version"),
) -> None:
    if version:
        typer.echo(f"lyeval {__version__}")
        raise typer.Exit
    sweep()
    if context.invoked_subcommand is None:
        typer.echo(say("cli.first"))
        for name, line in FIRST.items():
            typer.echo(f"\n  {COMMANDS[name].short}\n    {line}")
        typer.echo("\n" + say("cli.all"))


@policy.callback(invoke_without_command=True)
def _list_plans(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 faults or failure, 2 misuse; stopped 130 by INT, 143 by TERM, 129 by HUP."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    with settled(), safe_streams(), caught() as signalled:
        try:
            code = app(args=arguments, standalone_mode=False)
            if code == STOPPED:
                raise KeyboardInterrupt
        except BaseException as error:
            code = tell(error)
    if signalled.number:
        sys.exit(signalled.code)
    sys.exit(code if isinstance(code, int) else 0)
