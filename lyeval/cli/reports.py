"""``lyeval run``, ``batch``, ``template``, ``explore`` and ``init``: reports from run files, and where to begin."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from lyeval.cli.terminal import FAULTS, MISUSE, STOPPED, Lang, console, lang, near, refuse, say
from lyeval.run import (
    kept_aside,
    lab_command,
    lay_out,
    load_run,
    open_lab,
    prepare,
    produce,
    produce_all,
    replaced,
    write_new,
)
from lyeval.run.batches import PAGE, Result
from lyeval.run.private import private_of
from lyeval.run.records import read_record

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="报告存放的文件夹 / folder of the reports")]
Timeout = Annotated[
    int | None,
    typer.Option("--timeout", min=1, metavar="S", help="笔记本一个单元至多运行几秒 / seconds that a cell may take"),
]


# -- one run -----------------------------------------------------------------------------------------------------------


def run(
    file: Annotated[str, typer.Argument(metavar="RUN.yaml", help="运行文件，或其标识 / run file or its id")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="key=value", help="改运行文件里的值 / change a value")
    ] = None,
    out: Out = Path("reports"),
    timeout: Timeout = None,
    spoken: Lang = None,
) -> None:
    """执行一个运行文件：笔记本、报告、附表、运行记录。 / One county's year: notebooks, report, record."""
    loaded = load_run(file, set_ or [], lang=spoken)
    earlier, before = replaced(loaded, out), kept_aside(out / loaded.id)
    with console(stderr=True).status(say("run.checking")) as status:

        def told(number: int, total: int, name: str) -> None:
            status.update(f"{loaded.id}  {number}/{total}  {name}")

        made = produce(loaded, out, told=told, limit=timeout)
    _written(made)
    for path in kept_aside(made):
        if path.name not in {one.name for one in before}:
            typer.echo(say("run.kept_aside", path=near(path)))
    _unfilled(made)
    if earlier:
        typer.echo(say("run.replaced", earlier=earlier))


def _written(folder: Path) -> None:
    """Print what a run wrote."""
    record = read_record(folder) or {}
    typer.echo(say("run.written", folder=near(folder)))
    for name in record["outputs"]:
        if "/" not in name:
            typer.echo(f"  {name}")
    typer.echo(f"  record.json  {say('run.fingerprint')} {record['fingerprint'][:16]}")
    if record["parameters"].get("disclosure") == "public":
        typer.echo(say("run.private", kept=near(private_of(folder))))


def _unfilled(folder: Path) -> None:
    """Tell which places for the office's own words nobody has filled."""
    path = folder / "tables" / "slots.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    if names:
        typer.echo(say("run.unfilled", names=("、".join(names), ", ".join(names))))


# -- many --------------------------------------------------------------------------------------------------------------


def batch(
    files: Annotated[list[str], typer.Argument(metavar="RUN.yaml …", help="运行文件，可多个 / run files")],
    out: Out = Path("reports"),
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, metavar="N", help="同时运行的进程数 / processes")
    ] = 2,
    timeout: Timeout = None,
    spoken: Lang = None,
) -> None:
    """执行多个运行文件；未变的跳过，中断后接着做。 / Many run files; goes on where it stopped."""
    named = [file for file in files if not file.endswith(".columns.yaml")]
    ended: list[Result] = []
    try:
        with _progress(len(named)) as advance:

            def told(result: Result) -> None:
                ended.append(result)
                advance(result)

            results = produce_all(named, out, workers=workers, told=told, limit=timeout, lang=spoken)
    except KeyboardInterrupt:
        done = sum(result.error is None for result in ended)
        refuse("batch.stopped", done=done, n=len(named), code=STOPPED)
    _ended(results, out)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Result], None]]:
    """Show a bar over a batch, and one line above it for each run that ends."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True)) as bar:
        task = bar.add_task(say("batch.runs"), total=total)

        def ended(result: Result) -> None:
            style, mark = ("red", "failed") if result.error else ("green", "done")
            if result.skipped:
                style, mark = "dim", "unchanged"
            head = f"{say(f'batch.{mark}')}  "
            bar.console.print(Text.assemble((head, style), result.id, "  ", result.error_text(lang())))
            bar.advance(task)

        yield ended


def _ended(results: Sequence[Result], out: Path) -> None:
    """Print how a batch ended."""
    failed = [r for r in results if r.error]
    begun = any(r.begun for r in results)
    if begun or not results:
        page = near(out.resolve() / PAGE)
        done = say("batch.ended", done=len(results) - len(failed), n=len(results))
        typer.echo(done + (say("batch.page", page=page) if page.is_file() else ""))
    if failed:
        typer.echo(say("batch.failures"), err=True)
        for result in failed:
            typer.echo(f"  {result.id}  {result.error_text(lang())}", err=True)
        raise typer.Exit(FAULTS if begun else MISUSE)


# -- where to begin ----------------------------------------------------------------------------------------------------


def explore(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="运行文件、其标识或报告文件夹 / run")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="笔记本副本所在文件夹 / folder of the copy")] = Path(
        "explore"
    ),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="不打开浏览器 / do not open a browser")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只备好副本并打印命令 / only prepare and print")] = False,
    spoken: Lang = None,
) -> None:
    """用 JupyterLab 打开方案台，带上该次运行的台账、方案和读法。 / The planner's desk in JupyterLab, on a run's ledger and plan."""
    notebook = prepare(run, out, spoken)
    typer.echo(say("explore.notebook", notebook=near(notebook)))
    if dry_run:
        typer.echo(shlex.join(lab_command(notebook, browser=not no_browser)))
        return
    raise typer.Exit(open_lab(notebook, browser=not no_browser, lang=lang()))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="新工作区 / new workspace")],
    spoken: Lang = None,
) -> None:
    """建一个工作区：台账文件夹、运行文件样例、说明。 / Lay out a new workspace."""
    for path in lay_out(folder):
        typer.echo(f"  {path}")
    typer.echo(say("init.next", folder=folder))


def template(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="模板，如 zh/year_end；不给则列出 / which; none lists them")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="写到文件 / write it to a file")] = None,
    spoken: Lang = None,
) -> None:
    """打印或写出一个随附的模板，供单位改成自己的（运行文件的 template）。 / A shipped template, to make one's own of it."""
    from lyeval.report.filling import names, shipped
    from lyeval.report.template import TemplateError

    if name is None:
        typer.echo("\n".join(names()))
        return
    try:
        text = shipped(name.removesuffix(".md"))
    except TemplateError as error:
        refuse("as_told", told=(error.zh, error.en))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_new(out, text)
    except FileExistsError:
        refuse("template.there", out=out)
    typer.echo(say("template.written", out=out))
