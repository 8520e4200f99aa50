"""The ``lyeval`` command: what each command asks for and prints; the work is done by the library (命令行).

Heavy libraries load inside the commands, so that ``lyeval --help`` answers at once.
"""

from __future__ import annotations

import sys

import typer

from lyeval.cli import ledgers, policies, runs, samples
from lyeval.cli.telling import tell

app = typer.Typer(
    name="lyeval",
    help="低效工业用地整治提升年度评估：台账进，评估报告出。 / Evaluate a county's low-efficiency industrial land.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
policy = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="政策方案：列出、查看、检查、对照。 / Plans.")

app.command("check")(ledgers.check)
app.command("assess")(ledgers.assess)
app.command("run")(runs.run)
app.command("batch")(runs.batch)
app.add_typer(policy, name="policy")
app.command("sample")(samples.sample)
app.command("explore")(runs.explore)
app.command("init")(runs.init)
policy.command("list")(policies.listed)
policy.command("show")(policies.show)
policy.command("check")(policies.check)
policy.command("diff")(policies.diff)


@app.callback(invoke_without_command=True)
def _version(
    version: bool = typer.Option(False, "--version", help="版本 / version"),
) -> None:
    if version:
        import lyeval

        typer.echo(f"lyeval {lyeval.__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 faults or failure, 2 misuse."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        code = app(args=arguments, standalone_mode=False)
    except BaseException as error:
        code = tell(error)
    sys.exit(code if isinstance(code, int) else 0)
