"""``lyeval run``, ``batch``, ``template``, ``explore``, ``init``; ``verify``, ``rerun``, ``trace``, ``diff``: reports to make, reports that stand."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from lyeval import run as runs
from lyeval.cli.terminal import (
    FAULTS,
    MISUSE,
    NOTHING,
    STOPPED,
    Lang,
    console,
    grid,
    joined,
    lang,
    near,
    refuse,
    say,
    spoken,
    tell_done,
    text,
    value_text,
)
from lyeval.cli.terminal import word as status_word
from lyeval.policy.documents import articles
from lyeval.run.batches import PAGE, Result
from lyeval.run.finished_runs import ODDS, VERDICT, Check, Difference, Finished
from lyeval.run.records import private_of, read_record

if TYPE_CHECKING:
    from lyeval.report.tracing import Printed, Trace


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
    loaded = runs.load_run(file, set_ or [], lang=spoken)
    earlier, before = runs.replaced(loaded, out), runs.kept_aside(out / loaded.id)
    with console(stderr=True).status(say("run.checking")) as status:

        def told(number: int, total: int, name: str) -> None:
            status.update(f"{loaded.id}  {number}/{total}  {name}")

        made = runs.produce(loaded, out, told=told, limit=timeout)
    _written(made)
    for path in runs.kept_aside(made):
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

            results = runs.produce_all(named, out, workers=workers, told=told, limit=timeout, lang=spoken)
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
    notebook = runs.prepare(run, out, spoken)
    typer.echo(say("explore.notebook", notebook=near(notebook)))
    if dry_run:
        typer.echo(shlex.join(runs.lab_command(notebook, browser=not no_browser)))
        return
    raise typer.Exit(runs.open_lab(notebook, browser=not no_browser, lang=lang()))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="新工作区 / new workspace")],
    spoken: Lang = None,
) -> None:
    """建一个工作区：台账文件夹、运行文件样例、说明。 / Lay out a new workspace."""
    for path in runs.lay_out(folder):
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
        runs.write_new(out, text)
    except FileExistsError:
        refuse("template.there", out=out)
    typer.echo(say("template.written", out=out))


Run = Annotated[
    str, typer.Argument(metavar="RUN", help="报告文件夹，或 reports/ 下的标识 / a report's folder or its id")
]
Also = Annotated[
    list[Path] | None,
    typer.Option("--inputs", metavar="DIR", help="到这里找台账等输入文件，可多次 / where its inputs are"),
]
MOST, MOST_ROWS = 40, 60


# -- unchanged? --------------------------------------------------------------------------------------------------------


def verify(run: Run, inputs: Also = None, spoken: Lang = None) -> None:
    """重新核对输出、输入、参数、代码的校验值。 / Rehash a finished run."""
    found = runs.open_run(run)
    _told(found, runs.verify(found, inputs or ()), "verify.head")


def rerun(run: Run, inputs: Also = None, spoken: Lang = None) -> None:
    """按运行记录在临时文件夹里重跑一遍，逐个输出比较。 / Run it again, compare output by output."""
    found = runs.open_run(run)
    with console(stderr=True).status(say("rerun.under_way")) as status:

        def told(number: int, total: int, name: str) -> None:
            status.update(f"{found.id}  {number}/{total}  {name}")

        checks = runs.rerun(found, inputs or (), told=told)
    _told(found, checks, "rerun.head")


def _mark(run: Finished) -> str:
    return f"{say('run.fingerprint')} {run.record['fingerprint'][:12]}"


def _told(run: Finished, checks: Iterable[Check], head: str) -> None:
    """Print what changed, part by part, with a count of what did not; exit 1 if anything did."""
    checks = tuple(checks)
    table = grid("part", "unchanged>", "moved")
    for part in dict.fromkeys(check.part for check in checks):
        mine = [check for check in checks if check.part == part]
        moved = [check for check in mine if check.state != "unchanged"]
        lines = [say("verify.line", name=check.name, state=say(f"state.{check.state}")) for check in moved]
        table.add_row(say(f"of.{part}"), str(len(mine) - len(moved)), text("\n".join(lines) or "—"))
    console().print(f"{run.id}  {say(head)}  {_mark(run)}")
    console().print(table)
    if runs.unchanged(checks):
        tell_done("verify.unchanged")
        return
    if any(check.part == "input" and check.state == "missing" for check in checks):
        tell_done("verify.missing")
    if any(check.part == "private" for check in checks):
        tell_done("verify.private")
    tell_done("verify.changed")
    raise typer.Exit(FAULTS)


# -- two runs ----------------------------------------------------------------------------------------------------------


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="先前的运行 / the earlier run")],
    after: Annotated[str, typer.Argument(metavar="B", help="后来的运行 / the later run")],
    spoken: Lang = None,
) -> None:
    """对照两次运行：目标、企业有什么变动，出自数据、规则、代码、假设还是种子。 / What moved, and by what."""
    pair = [runs.open_run(name) for name in (before, after)]
    made = runs.difference(*pair)
    console().print(f"{pair[0].id}  {_mark(pair[0])}  →  {pair[1].id}  {_mark(pair[1])}")
    _causes(made)
    _targets(made)
    _odds(made)
    _firms(made)
    _plans(made)


def _causes(made: Difference) -> None:
    """Print which inputs differ."""
    if made.inputs.empty:
        tell_done("diff.same")
        return
    table = grid("by", "item", "before", "after")
    for row in made.inputs.to_dict("records"):
        told = (text(row[key] or "—") for key in ("item", "before", "after"))
        table.add_row(say(f"cause.{row['cause']}"), *told)
    console().print(table)


def _by(made: Difference, kinds: tuple[str, ...]) -> str:
    """Say what could have moved a figure; where several could, that the two runs alone do not tell them apart."""
    causes = made.causes(kinds)
    named = joined(say(f"cause.{cause}") for cause in causes)
    return say(("diff.by_nothing", "diff.by_one", "diff.by_many")[min(len(causes), 2)], named=named)


def _targets(made: Difference) -> None:
    """Print the targets that moved, by what, and whom they turn on otherwise."""
    moved = made.targets[made.targets["moved"]]
    if moved.empty:
        tell_done("diff.no_target", n=len(made.targets))
        return
    table = grid("target", "value>", "goal>", "verdict")
    for row in moved.to_dict("records"):
        pairs = [_pair(row[f"{key}_before"], row[f"{key}_after"]) for key in ("value", "goal")]
        ends = [row[f"status_{side}"] for side in ("before", "after")]
        words = [str(status_word(end)) if isinstance(end, str) else "—" for end in ends]
        table.add_row(text(row[spoken("label", "label_en")]), *pairs, " → ".join(dict.fromkeys(words)))
    console().print(table)
    console().print(_by(made, VERDICT))
    for target, part in made.turned.groupby("target", sort=False):
        old, new = (_some(part[part["turns"] == side]["name"].astype(str).tolist()) for side in ("before", "after"))
        console().print(text(say("diff.turns", target=target, old=old, new=new)))


def _plans(made: Difference) -> None:
    """Print whose method the runs' plans do not share."""
    if made.plans.empty:
        return
    tell_done("diff.plans", n=made.plans["credit_code"].nunique())
    table = grid("plan", "enterprise", "before", "after")
    ends = spoken(["before", "after"], ["before_en", "after_en"])
    for row in made.plans.head(MOST).to_dict("records"):
        table.add_row(*(text(row[key] or NOTHING) for key in ("plan", "name", *ends)))
    console().print(table)
    if len(made.plans) > MOST:
        tell_done("planning.more", n=len(made.plans) - MOST)


def _odds(made: Difference) -> None:
    """Print the odds that moved."""
    moved = made.odds[made.odds["moved"]]
    if moved.empty:
        return
    table = grid("odds", "of_year", "probability")
    for row in moved.to_dict("records"):
        label = text(row[spoken("label", "label_en")])
        table.add_row(label, str(int(row["year"])), _pair(row["probability_before"], row["probability_after"]))
    console().print(table)
    console().print(_by(made, ODDS))


def _firms(made: Difference) -> None:
    """Print the enterprises that moved, a line a field, no more than a screen."""
    rows = made.enterprises
    if rows.empty:
        tell_done("diff.no_firm")
        return
    table = grid("enterprise", "field", "before", "after")
    for row in rows.head(MOST).to_dict("records"):
        ends = (text(value_text(row[side])) for side in ("before", "after"))
        table.add_row(text(row["name"]), say(f"field.{row['field']}"), *ends)
    console().print(table)
    more = say("diff.first", most=MOST) if len(rows) > MOST else ""
    tell_done("diff.firms", firms=rows["credit_code"].nunique(), n=len(rows), more=more)


def _some(names: list[str]) -> str:
    """Name a few enterprises, and how many there are."""
    if len(names) <= 3:
        return joined(names) or say("none")
    return say("diff.some", listed=joined(names[:3]), n=len(names))


def _pair(was: Any, now: Any) -> Text:
    return text(" → ".join(dict.fromkeys([value_text(was), value_text(now)])))


# -- one figure --------------------------------------------------------------------------------------------------------


def trace(
    run: Run,
    id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="数的编号，或印出的数如 20.6%；不给则列出编号 / the figure's id, or the figure as printed",
        ),
    ] = None,
    spoken: Lang = None,
) -> None:
    """一个数的来历：值、算法、条款、读法、台账的表和行、所出自的运行。 / One figure's origin."""
    found = runs.open_run(run)
    if found.public:
        refuse("trace.public", id=found.id)
    _one(found, runs.tables_of(found), id)


def _one(found: Finished, tables: Mapping[str, Any], id: str | None) -> None:
    """List every id; or show one figure, by its id or as it is printed."""
    from lyeval.report import tracing
    from lyeval.report.writing import document_of

    if id is not None:
        try:
            _tell(found, tracing.trace(tables, id, lang=spoken("zh", "en")))
            return
        except KeyError:
            pass
    document = document_of(tables, lang=found.record["parameters"]["lang"])
    if id is None:
        there = [one.id for one in tracing.printed(document)]
        typer.echo("\n".join(dict.fromkeys([*tracing.ids(tables), *there])))
        return
    told = tracing.find(document, id)
    if not told:
        close = get_close_matches(id, tracing.ids(tables), n=1, cutoff=0.5)
        refuse("trace.unknown", typed=id, close="".join(say("trace.close", id=one) for one in close))
    for one in told:
        _where(one)
    if len(told) == 1:
        _tell(found, tracing.trace(tables, told[0].id, lang=spoken("zh", "en")))


def _where(one: Printed) -> None:
    """Show where a figure is printed."""
    console().print(text(f"{one.id}  {one.text}", "bold"), text(one.where), sep="\n", soft_wrap=True)


def _tell(found: Finished, made: Trace) -> None:
    """Show a figure's origin and the run that it is of."""
    out = console()
    out.print(text(made.id, "bold"), soft_wrap=True)
    told = {
        "what": made.label,
        "value": value_text(made.value),
        "formula": made.formula,
        "clause": spoken(made.clause, articles(made.clause)) or "—",
    }
    for head, content in told.items():
        out.print(text(say("trace.line", head=say(f"trace.{head}"), content=content)))
    for question, why, clause in made.readings:
        out.print(
            text(say("trace.reading", question=question, why=why, clause=spoken(clause, articles(clause))), "dim")
        )
    _table(made.members, ("enterprise", "part", "whole", "counted"))
    _table(made.rows, ("enterprise", "table", "year", "file", "sheet", "row"))
    out.print(say("trace.run", id=found.id, fingerprint=found.record["fingerprint"]), soft_wrap=True)


def _table(rows: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Print a table, no more than a screen of it."""
    if rows.empty:
        return
    table = grid(*(f"trace.{column}" for column in columns))
    for row in rows.head(MOST_ROWS).to_dict("records"):
        row["enterprise"] = row["name"] if isinstance(row["name"], str) else row["credit_code"]
        table.add_row(*(text(value_text(row[column])) for column in columns))
    console().print(table)
    if len(rows) > MOST_ROWS:
        tell_done("trace.more", n=len(rows) - MOST_ROWS)
