"""The ``lyeval`` command: what each command asks for and prints; the work is done by the library (命令行).

Heavy libraries load inside the commands, so that ``lyeval --help`` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from lyeval.cli import checking, finished, ledgers, panels, policies, runs, samples, templates, tracing
from lyeval.cli.telling import STOPPED, legible, safe_streams, tell
from lyeval.run.ending import caught
from lyeval.run.starting import settled

app = typer.Typer(
    name="lyeval",
    help="低效工业用地整治提升年度评估：台账进，评估报告出。 / Evaluate a county's low-efficiency industrial land.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
policy = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="政策方案：列出、查看、检查、对照。 / Plans.")


def _add(group: typer.Typer, name: str, function: Callable[..., None], short: str) -> None:
    group.command(name, short_help=short)(legible(function))


_add(app, "check", checking.check, "逐条检查台账 / every fault of a ledger")
_add(app, "clean", checking.clean, "写回规范台账 / the canonical workbook")
_add(app, "assess", ledgers.assess, "在终端评估一个年度 / the verdict at the terminal")
_add(app, "panel", panels.panel, "企业年度面板，供统计软件用 / enterprises and years")
_add(app, "run", runs.run, "执行一个运行文件，出报告 / notebooks, report, record")
_add(app, "batch", runs.batch, "执行多个运行文件 / many run files")
_add(app, "verify", finished.verify, "一次运行有没有变 / a finished run: unchanged?")
_add(app, "rerun", finished.rerun, "按记录重跑并比较 / run it again and compare")
_add(app, "trace", tracing.trace, "一个数的来历 / one figure's origin")
_add(app, "diff", finished.diff, "两次运行有何不同、因何不同 / two runs side by side")
app.add_typer(policy, name="policy", short_help="政策方案 / the plans")
_add(app, "sample", samples.sample, "生成样例台账 / a synthetic ledger")
_add(app, "template", templates.template, "打印或写出随附的模板 / a shipped template")
_add(app, "explore", runs.explore, "打开试算笔记本 / the explore notebook")
_add(app, "init", runs.init, "建一个工作区 / a new workspace")
_add(policy, "list", policies.listed, "列出自带的方案 / list them")
_add(policy, "show", policies.show, "用文字列出一个方案 / one in words")
_add(policy, "check", policies.check, "检查方案文件 / check a plan's file")
_add(policy, "diff", policies.diff, "并排对照两个方案 / two side by side")


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="版本 / version"),
) -> None:
    if version:
        import lyeval

        typer.echo(f"lyeval {lyeval.__version__}")
        raise typer.Exit
    from lyeval.scratch import sweep

    sweep()


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
