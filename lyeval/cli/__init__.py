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


UNCHANGED = "未变 unchanged", "有变 changed"
ENDED = "130 Ctrl-C, 143 TERM, 129 HUP 中止 stopped"
COMMANDS = {
    "check": Command(
        "ledgers:check",
        "逐条检查台账 / every fault of a ledger",
        "没有错误 no error",
        "有错误 errors; --strict 有警告 warnings",
    ),
    "clean": Command("ledgers:clean", "写回规范台账 / the canonical workbook"),
    "assess": Command("ledgers:assess", "在终端评估一个年度 / the verdict at the terminal", failed="台账有错误 errors"),
    "dossier": Command(
        "planning:dossier", "一企一档 / one enterprise's dossier", failed="没有这户，或台账有错误 no such, errors"
    ),
    "readings": Command(
        "planning:readings", "各种读法下的结论 / the verdict under every reading", failed="台账有错误 errors"
    ),
    "portfolio": Command("planning:portfolio", "选方案：上限与最省的一组 / which plan: the strongest, the cheapest"),
    "panel": Command("ledgers:panel", "企业年度面板，供统计软件用 / enterprises and years"),
    "run": Command(
        "reports:run", "执行一个运行文件，出报告 / notebooks, report, record", misuse="用法或运行文件不对 misuse"
    ),
    "batch": Command(
        "reports:batch",
        "执行多个运行文件 / many run files",
        "全部完成 all done",
        "有未完成的 some failed",
        "没有一个运行文件可读 none could be read",
    ),
    "verify": Command("reports:verify", "一次运行有没有变 / a finished run: unchanged?", *UNCHANGED),
    "rerun": Command("reports:rerun", "按记录重跑并比较 / run it again and compare", *UNCHANGED),
    "trace": Command("reports:trace", "一个数的来历 / one figure's origin"),
    "diff": Command("reports:diff", "两次运行有何不同、因何不同 / two runs side by side"),
    "sample": Command("ledgers:sample", "生成样例台账 / a synthetic ledger"),
    "template": Command("reports:template", "打印或写出随附的模板 / a shipped template"),
    "explore": Command("reports:explore", "打开试算笔记本 / the explore notebook"),
    "init": Command("reports:init", "建一个工作区 / a new workspace"),
}
PLANS = {
    "list": Command("plans:listed", "列出自带的方案 / list them"),
    "show": Command("plans:show", "用文字列出一个方案 / one in words", failed="方案有错误 faults"),
    "check": Command("plans:check", "检查方案文件 / check a plan's file", "没有问题 no fault", "有问题 faults"),
    "diff": Command("plans:diff", "并排对照两个方案 / two side by side", failed="方案有错误 faults"),
}
FIRST = {
    "init": "lyeval init 工作区",
    "check": "lyeval check 台账.xlsx",
    "assess": "lyeval assess 台账.xlsx --policy linshu-2021 --year 2023",
    "run": "lyeval run 我的县-2023.yaml",
    "explore": "lyeval explore 我的县-2023",
}


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
policy = typer.Typer(cls=_Plans, rich_markup_mode=None, help="政策方案：列出、查看、检查、对照。 / Plans.")
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
