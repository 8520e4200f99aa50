"""A ledger on one page of the terminal, two ledgers side by side, the verdict on a year (台账概览、前后比较、评估)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from lyeval.assessment import Assessment, assess
from lyeval.assessment.gaps import name_of
from lyeval.assessment.needs import needs, office_of
from lyeval.cli.terminal import NOTHING, console, grid, joined, lang, say, spoken, tell_done, text, word, wrapped
from lyeval.indicators import STATISTICS
from lyeval.ledger import Ledger
from lyeval.ledger.columns import of_sheet
from lyeval.ledger.coverage import coverage_by_department, rows_by_year
from lyeval.ledger.diff import Changes
from lyeval.policy import Policy
from lyeval.policy.documents import articles
from lyeval.render import Column, digits_beside, format_value
from lyeval.render.numbers import plain
from lyeval.tables.registry import values
from lyeval.tables.tally import bridge, counts, words

YEARS, MOST = 4, 8
WHOLE = ("家", "个", "m²")
SYNTHETIC = "A made ledger: every firm and figure is invented."


# -- one ledger --------------------------------------------------------------------------------------------------------


def picture(ledger: Ledger, plan: Policy | None) -> None:
    """Print rows by sheet and year, what each department's columns lack, and which verdict that blocks."""
    out = console()
    years = ledger.years[-YEARS:]
    out.print()
    out.print(_rows(rows_by_year(ledger), years))
    covered = coverage_by_department(ledger, needed(plan))
    there = covered["there"].to_numpy(dtype=bool)
    table, whole = _coverage(covered[there], years)
    if table.row_count:
        out.print(table)
    tell_done("page.whole", n=whole)
    _absent(covered[~there])
    if plan is not None:
        _gaps(ledger, plan)


def needed(plan: Policy | None) -> dict[tuple[str, str], list[str]]:
    """Return the verdicts that read each column, by name: those of the plan, targets first."""
    out: dict[tuple[str, str], list[str]] = {}
    for row in needs(plan).to_dict("records") if plan is not None else ():
        out.setdefault((row["sheet"], row["column"]), []).append(str(row[spoken("label", "label_en")]))
    return out


def _rows(counted: pd.DataFrame, years: tuple[int, ...]) -> Table:
    """Lay out the number of rows of each sheet: in all, and of the last years."""
    table = grid("sheet", "rows>")
    for year in years:
        table.add_column(spoken(f"{year}年", str(year)), justify="right", no_wrap=True)
    for sheet, part in counted.groupby("sheet", sort=False):
        by_year = {r["year"]: r["rows"] for r in part.to_dict("records")}
        cells = ["" if None in by_year else f"{by_year.get(year, 0):,}" for year in years]
        table.add_row(spoken(part["label"].iloc[0], str(sheet)), f"{sum(by_year.values()):,}", *cells)
    return table


def _coverage(covered: pd.DataFrame, years: tuple[int, ...]) -> tuple[Table, int]:
    """Lay out the columns that lack something, by department; count the others."""
    table = grid()
    for head, width in (("department", 12), ("not_filled", 16)):
        table.add_column(say(f"head.{head}"), max_width=width, overflow="fold")
    for year in years:
        table.add_column(str(year), justify="right", no_wrap=True)
    table.add_column(say("head.needed_for"), ratio=1, overflow="fold")
    whole, before = 0, ""
    for _, part in covered.groupby(["department", "sheet", "column"], sort=False):
        rows = part.to_dict("records")
        shares = {r["year"]: r["share"] for r in rows}
        if not any(s is not None and s < 1 for y, s in shares.items() if y is None or y in years):
            whole += 1
            continue
        office, label = _named(rows[0])
        cells = [_percent(shares.get(year)) for year in years]
        if None in shares:
            cells = [*["" for _ in years[:-1]], _percent(shares[None])][: len(years)]
        table.add_row("" if office == before else office, label, *cells, _first_two(rows[0]["verdicts"]))
        before = office
    return table, whole


def _absent(missing: pd.DataFrame) -> None:
    """Print the columns that the plan needs and the ledger has not, one paragraph a department."""
    out = console()
    if len(missing):
        tell_done("page.absent")
    for _, part in missing.groupby("department", sort=False):
        rows = part.to_dict("records")
        verdicts = _first_two(list(dict.fromkeys(v for r in rows for v in r["verdicts"])))
        names = joined(_named(r)[1] for r in rows)
        told = say("page.needed", office=_named(rows[0])[0], names=names, verdicts=verdicts)
        for line in wrapped(told, out.width - 2):
            out.print(f"  {line}", soft_wrap=True)


def _named(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return a column's department and label in the language spoken."""
    names = spoken(("department", "label"), ("department_en", "label_en"))
    return str(row[names[0]]), str(row[names[1]])


def _percent(share: float | None) -> str:
    """Write a share filled, rounded down so that 100 % means all."""
    return NOTHING if share is None else f"{int(share * 100 + 1e-9)}%"


def _first_two(names: list[str]) -> str:
    """Name the first two verdicts that a column is needed for, and how many more."""
    if len(names) <= 2:
        return joined(names)
    return say("page.more", names=("、".join(names[:2]), ", ".join(names[:2])), n=len(names), more=len(names) - 2)


def _gaps(ledger: Ledger, plan: Policy) -> None:
    """Print what keeps verdicts of the latest year that the plan governs from being certain."""
    governed = {*plan.years.identification, *plan.years.targets} & set(ledger.years)
    if not governed:
        return
    made = assess(ledger, plan, max(governed))
    labels = {t.id: spoken(t.label, t.label_en) for t in plan.targets}
    out = console()
    out.print()
    out.print(text(say("page.lacking", year=made.year), "bold"))
    if made.gaps.empty:
        tell_done("page.nothing")
        return
    table = grid()
    for head, width in (("what", 24), ("department", 18)):
        table.add_column(say(f"head.{head}"), max_width=width, overflow="fold")
    table.add_column(say("head.firms"), justify="right", no_wrap=True)
    table.add_column(say("head.touched"), ratio=1, overflow="fold")
    for row in made.gaps.to_dict("records")[:MOST]:
        names = list(dict.fromkeys(labels.get(t, t) for t in str(row["targets"]).split("、") if t))
        fact = str(row["fact"])
        what = spoken((row["label"], row["department"]), (name_of(fact)[1], office_of(fact)[1]))
        table.add_row(*map(str, what), f"{int(row['n']):,}", _first_two(names) or NOTHING)
    out.print(table)
    turning = set(made.could_turn()["target"])
    for row in made.targets[made.targets["id"].isin(turning)].to_dict("records"):
        out.print(f"{labels[row['id']]}: {row[spoken('reason_zh', 'reason_en')]}")


# -- two ledgers -------------------------------------------------------------------------------------------------------


def comparison(made: Changes) -> None:
    """Print what a later ledger says otherwise: firms, figures by column and year, the largest changes, disposals."""
    out = console()
    out.print()
    out.print(text(say("two.title"), "bold"))
    if not made.any:
        tell_done("two.same")
        return
    tell_done("two.firms", **{name: len(getattr(made, name)) for name in ("came", "left", "renamed", "recoded")})
    for name, sign in (("came", "+"), ("left", "-")):
        for row in getattr(made, name).head(MOST).to_dict("records"):
            out.print(f"  {sign} {row['credit_code']} {row['name']} {row['township']}", soft_wrap=True)
    for row in made.renamed.head(MOST).to_dict("records"):
        out.print(f"  {row['credit_code']} {row['before']} → {row['after']}", soft_wrap=True)
    if len(made.summary):
        out.print(_summary(made))
        out.print(_largest(made))
    if len(made.disposals):
        _disposals(made)


def _summary(made: Changes) -> Table:
    """Lay out the changes by column and year."""
    table = grid("column", "year", "changed>", "filled>", "cleared>", "difference>", ratio=1)
    for row in made.summary.to_dict("records"):
        gap = NOTHING if row["difference"] is None else f"{_signed(row['difference'])} {unit_of(row['unit'])}".strip()
        counts = [str(row[kind] or NOTHING) for kind in ("changed", "filled", "cleared")]
        table.add_row(_label(row), str(row["year"] or NOTHING), *counts, gap)
    return table


def _label(row: Mapping[Any, Any]) -> str:
    """Return a column's name in the language spoken."""
    return of_sheet(str(row["sheet"]))[str(row["column"])].label(lang())


def _largest(made: Changes) -> Table:
    """Lay out the largest changes of figures."""
    rows = made.figures[made.figures["difference"].notna()]
    sizes = [abs(float(d)) for d in rows["difference"]]
    rows = rows.assign(size=sizes).sort_values("size", ascending=False, kind="stable")
    table = grid("largest", "column", "year>", "before>", "after>", "difference>", ratio=1)
    for row in rows.head(MOST).to_dict("records"):
        year = str(row["year"] or NOTHING) + (f"-{int(row['month']):02}" if row["month"] else "")
        values = [f"{float(row[name]):,.2f}" for name in ("before", "after")]
        table.add_row(str(row["name"] or row["credit_code"]), _label(row), year, *values, _signed(row["difference"]))
    return table


def _signed(value: Any) -> str:
    return f"{float(value):+,.2f}"


def _disposals(made: Changes) -> None:
    """Print the disposals that are new, gone or moved on."""
    kinds = made.disposals["kind"].value_counts()
    told = [f"{say(f'kind.{k}')} {int(kinds[k])}" for k in ("new", "dropped", "moved") if k in kinds]
    out = console()
    out.print(say("two.disposals") + spoken("，", ", ").join(told))
    for row in made.disposals.head(MOST).to_dict("records"):
        moved = " → ".join(str(row[k] or NOTHING) for k in ("before", "after"))
        line = f"  {row['name'] or row['credit_code']} {row['method']} {moved} {row['finished'] or ''}"
        out.print(line.rstrip(), soft_wrap=True)


# -- a year ------------------------------------------------------------------------------------------------------------


def verdict(made: Assessment) -> None:
    """Print an assessment: its targets with reasons and clauses, and how many enterprises stand where."""
    out = console()
    out.print(text(f"{spoken(made.policy.title, made.policy.title_en)}  {made.year}", "bold"))
    if made.ledger.synthetic:
        out.print(text(spoken(made.ledger.synthetic, SYNTHETIC), "dim"))
    out.print()
    if made.targets.empty:
        tell_done("verdict.none")
    else:
        out.print(_targets(made))
    for row in made.targets.to_dict("records"):
        reason = row[spoken("reason_zh", "reason_en")]
        if row["status"] == "undetermined" and reason:
            out.print(text(say("verdict.open", label=row[spoken("label", "label_en")], reason=reason), "yellow"))
    _standing(made)


def _targets(made: Assessment) -> Table:
    """Lay out the targets: label with clause, value, goal, what is lacking, verdict."""
    table = grid("target", "value>", "goal>", "short>", ratio=1)
    table.add_column(say("head.verdict"), no_wrap=True)
    for row in made.targets.to_dict("records"):
        label = Text.assemble(
            str(row[spoken("label", "label_en")]), (f"  {spoken(row['clause'], articles(row['clause']))}", "dim")
        )
        share = STATISTICS[made.policy.target(str(row["id"])).statistic].kind == "share"
        table.add_row(label, *_pair(row, share), _short(row), word(str(row["status"])))
    return table


def _pair(row: Mapping[Any, Any], share: bool) -> tuple[str, str]:
    """Write value and goal, with decimals enough to show the value on its own side of the goal."""
    value, goal = plain(row["value"]), plain(row["goal"])
    kind: Any = "percent" if share else "count" if row["unit"] in WHOLE else "number"
    digits = digits_beside(value, goal, kind)
    unit = "" if share else f" {unit_of(row['unit'])}"
    shown = format_value(Column("v", "", "", kind, digits), value) + (unit if value is not None else "")
    sign = {"ge": "≥", "le": "≤"}[row["op"]]
    wanted = f"{sign} {format_value(Column('g', '', '', kind), goal)}{unit}" if goal is not None else NOTHING
    return shown, wanted


def _short(row: Mapping[Any, Any]) -> str:
    short = plain(row["short_by"])
    if short is None or short == 0:
        return NOTHING
    kind: Any = "count" if float(short).is_integer() else "number"
    return f"{format_value(Column('s', '', '', kind), short)} {unit_of(row['thing'])}"


def unit_of(unit: str) -> str:
    """Return a unit's name in the language spoken."""
    known = values()["unit"].get(unit)
    return known.text(lang()) if known else unit


def _standing(made: Assessment) -> None:
    """Print how many enterprises stand where: the row of the bridge that the report has."""
    row = bridge(counts(made)).iloc[0]
    console().print()
    console().print("  ".join(f"{spoken(words()[key].zh, words()[key].en)} {row[key]}" for key in STANDING))


STANDING = ("ledger", "in_scope", "excluded", "listed", "reached", "left", "below", "undecided")
