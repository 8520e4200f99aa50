"""``lyeval trace``: one figure of a finished run, with its formula, clause, readings and the ledger's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyeval.cli.finished import Run
from lyeval.cli.telling import Lang, console, lang, refuse, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from lyeval.report.printed import Printed
    from lyeval.report.tracing import Trace
    from lyeval.run.finished import Finished

MOST = 60


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
    from lyeval.run import open_run, tables_of

    found = open_run(run)
    if found.record["parameters"].get("disclosure") == "public":
        refuse(
            f"{found.id} 是公开版，不含逐户数据；请追溯内部版",
            f"{found.id} is public and holds no enterprise's data: trace the internal run",
        )
    tables = tables_of(found)
    _one(found, tables, id)


def _one(found: Finished, tables: Mapping[str, Any], id: str | None) -> None:
    """List every id; or show one figure, by its id or as it is printed."""
    from lyeval.report import printed, tracing
    from lyeval.report.writing import document_of

    if id is not None:
        try:
            _tell(found, tracing.trace(tables, id, lang="en" if lang() == "en" else "zh"))
            return
        except KeyError:
            pass
    document = document_of(tables, lang=found.record["parameters"]["lang"])
    if id is None:
        spoken = [one.id for one in printed.printed(document)]
        typer.echo("\n".join(dict.fromkeys([*tracing.ids(tables), *spoken])))
        return
    told = printed.find(document, id)
    if not told:
        _refuse(tables, id)
    if len(told) == 1:
        _where(told[0])
        _tell(found, tracing.trace(tables, told[0].id, lang="en" if lang() == "en" else "zh"))
        return
    for one in told:
        _where(one)


def _where(one: Printed) -> None:
    """Show where a figure is printed."""
    from rich.text import Text

    console().print(Text(f"{one.id}  {one.text}", style="bold"), Text(one.where), sep="\n", soft_wrap=True)


def _tell(found: Finished, made: Trace) -> None:
    """Show a figure's origin and the run that it is of."""
    _show(made)
    console().print(say(f"运行 {found.id}  指纹 {found.record['fingerprint']}",
                        f"run {found.id}  fingerprint {found.record['fingerprint']}"), soft_wrap=True)  # fmt: skip


def _refuse(tables: Mapping[str, Any], typed: str) -> None:
    """Refuse what is neither an id nor a figure of the report, with the nearest id."""
    from difflib import get_close_matches

    from lyeval.report import tracing

    close = get_close_matches(typed, tracing.ids(tables), n=1, cutoff=0.5)
    refuse(
        f"报告中没有编号或数 {typed}"
        + "".join(f"，是否想写 {id}？" for id in close)
        + "；用 lyeval trace 运行 列出全部编号",
        f"the report has no id or figure {typed}"
        + "".join(f"; did you mean {id}?" for id in close)
        + "; lyeval trace RUN lists every id",
    )


def _show(made: Trace) -> None:
    from rich.text import Text

    from lyeval.cli.finished import value_text

    out = console()
    out.print(Text(made.id, style="bold"), soft_wrap=True)
    lines = [(say("项目", "what"), made.label), (say("值", "value"), value_text(made.value)), (say("算法", "made by"), made.formula),
             (say("条款", "clause"), made.clause or "—")]  # fmt: skip
    for head, text in lines:
        out.print(Text(f"{head}{say('：', ': ')}{text}"))
    for question, why, clause in made.readings:
        out.print(Text(f"{say('读法：', 'reading: ')}{question} → {why}  {clause}", style="dim"))
    _table(made.members, ("name", "part", "whole", "counted"))
    _table(made.rows, ("name", "table", "year", "file", "sheet", "row"))


def _table(rows: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Print a table, no more than a screen of it."""
    from rich.text import Text

    from lyeval.cli.finished import value_text
    from lyeval.cli.showing import grid

    if rows.empty:
        return
    table = grid()
    for column in columns:
        table.add_column(say(*HEADS[column]), overflow="fold")
    for row in rows.head(MOST).to_dict("records"):
        name = row["name"] if isinstance(row["name"], str) else row["credit_code"]
        table.add_row(*(Text(value_text(name if column == "name" else row[column])) for column in columns))
    console().print(table)
    if len(rows) > MOST:
        more = len(rows) - MOST
        console().print(say(f"另有 {more} 行，见 tables/ 下的 members.csv、ledger_rows.csv",
                            f"{more} more rows: tables/members.csv, tables/ledger_rows.csv"))  # fmt: skip


HEADS = {
    "name": ("企业", "enterprise"), "part": ("计入分子", "numerator"), "whole": ("计入分母", "denominator"), "counted": ("已计入", "counted"),
    "table": ("台账表", "table"), "year": ("年", "year"), "file": ("文件", "file"), "sheet": ("工作表", "sheet"), "row": ("行号", "row"),
}  # fmt: skip
