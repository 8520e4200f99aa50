"""A ledger on one page of the terminal, and two ledgers side by side (台账概览、前后比较)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lyeval.cli.showing import NOTHING, grid, unit_of
from lyeval.cli.telling import console, lang, say

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from lyeval.ledger import Ledger
    from lyeval.ledger.diff import Changes
    from lyeval.policy import Policy

YEARS, MOST = 4, 8


def picture(ledger: Ledger, plan: Policy | None) -> None:
    """Print rows by sheet and year, what each department's columns lack, and which verdict that blocks."""
    from lyeval.ledger.coverage import coverage_by_department, rows_by_year

    out = console()
    years = ledger.years[-YEARS:]
    out.print()
    out.print(_rows(rows_by_year(ledger), years))
    covered = coverage_by_department(ledger, needed(plan))
    table, whole = _coverage(covered[covered["there"].to_numpy(dtype=bool)], years)
    if table.row_count:
        out.print(table)
    out.print(say(f"其余 {whole} 列齐全（空白即“否”“无”“未到”的列计入其中）。", f"{whole} other columns are complete."))
    _absent(covered[~covered["there"].to_numpy(dtype=bool)])
    if plan is not None:
        _gaps(ledger, plan)


def needed(plan: Policy | None) -> dict[tuple[str, str], list[str]]:
    """Return the verdicts that read each column, by name: those of the plan, targets first."""
    if plan is None:
        return {}
    from lyeval.assessment.needs import needs

    out: dict[tuple[str, str], list[str]] = {}
    for row in needs(plan).to_dict("records"):
        out.setdefault((row["sheet"], row["column"]), []).append(str(row["label" if lang() == "zh" else "label_en"]))
    return out


def _rows(counted: pd.DataFrame, years: tuple[int, ...]) -> Any:
    """Lay out the number of rows of each sheet: in all, and of the last years."""
    table = grid()
    table.add_column(say("表", "sheet"), no_wrap=True)
    table.add_column(say("行数", "rows"), justify="right", no_wrap=True)
    for year in years:
        table.add_column(say(f"{year}年", str(year)), justify="right", no_wrap=True)
    for sheet, part in counted.groupby("sheet", sort=False):
        by_year = {r["year"]: r["rows"] for r in part.to_dict("records")}
        label = part["label"].iloc[0] if lang() == "zh" else str(sheet)
        cells = ["" if None in by_year else f"{by_year.get(year, 0):,}" for year in years]
        table.add_row(label, f"{sum(by_year.values()):,}", *cells)
    return table


def _coverage(covered: pd.DataFrame, years: tuple[int, ...]) -> tuple[Table, int]:
    """Lay out the columns that lack something, by department; count the others."""
    table = grid()
    table.add_column(say("部门", "department"), max_width=12, overflow="fold")
    table.add_column(say("填报不全的列", "not all filled"), max_width=16, overflow="fold")
    for year in years:
        table.add_column(str(year), justify="right", no_wrap=True)
    table.add_column(say("影响", "needed for"), ratio=1, overflow="fold")
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
        table.add_row("" if office == before else office, label, *cells, _verdicts(rows[0]["verdicts"]))
        before = office
    return table, whole


def _absent(missing: pd.DataFrame) -> None:
    """Print the columns that the plan needs and the ledger has not, one paragraph a department."""
    from lyeval.cli.showing import wrapped

    out = console()
    if len(missing):
        out.print(say("台账没有、方案要用的列：", "columns that the plan needs and the ledger has not:"))
    for _, part in missing.groupby("department", sort=False):
        rows = part.to_dict("records")
        office, _ = _named(rows[0])
        names = say("、", ", ").join(_named(r)[1] for r in rows)
        verdicts = _verdicts(list(dict.fromkeys(v for r in rows for v in r["verdicts"])))
        text = say(f"{office}：{names}（影响：{verdicts}）", f"{office}: {names} (needed for {verdicts})")
        for line in wrapped(text, out.width - 2):
            out.print(f"  {line}", soft_wrap=True)


def _named(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return a column's department and label in the language spoken."""
    names = ("department", "label") if lang() == "zh" else ("department_en", "label_en")
    return str(row[names[0]]), str(row[names[1]])


def _percent(share: float | None) -> str:
    """Write a share filled, rounded down so that 100 % means all."""
    return NOTHING if share is None else f"{int(share * 100 + 1e-9)}%"


def _verdicts(names: list[str]) -> str:
    """Name the first two verdicts that a column is needed for, and how many more."""
    if len(names) <= 2:
        return say("、", ", ").join(names)
    return say(f"{'、'.join(names[:2])}等{len(names)}项", f"{', '.join(names[:2])} and {len(names) - 2} more")


def _gaps(ledger: Ledger, plan: Policy) -> None:
    """Print what keeps verdicts of the latest year that the plan governs from being certain."""
    from rich.text import Text

    from lyeval.assessment import assess

    governed = {*plan.years.identification, *plan.years.targets} & set(ledger.years)
    if not governed:
        return
    year = max(governed)
    made = assess(ledger, plan, year)
    labels = {t.id: t.label if lang() == "zh" else t.label_en for t in plan.targets}
    out = console()
    out.print()
    out.print(Text(say(f"{year} 年判定所缺", f"lacking for the verdicts of {year}"), style="bold"))
    if made.gaps.empty:
        out.print(say("不缺。", "nothing."))
        return
    table = grid()
    table.add_column(say("缺什么", "what"), max_width=24, overflow="fold")
    table.add_column(say("部门", "department"), max_width=18, overflow="fold")
    table.add_column(say("户数", "firms"), justify="right", no_wrap=True)
    table.add_column(say("影响的目标", "targets touched"), ratio=1, overflow="fold")
    for row in made.gaps.to_dict("records")[:MOST]:
        names = [labels.get(t, t) for t in str(row["targets"]).split("、") if t]
        what, office = _names(row)
        table.add_row(what, office, f"{int(row['n']):,}", _verdicts(list(dict.fromkeys(names))) or NOTHING)
    out.print(table)
    turning = set(made.could_turn()["target"])
    for row in made.targets[made.targets["id"].isin(turning)].to_dict("records"):
        out.print(f"{labels[row['id']]}: {row[say('reason_zh', 'reason_en')]}")


def _names(row: Mapping[Any, Any]) -> tuple[str, str]:
    """Return what is missing and from whom, in the language spoken."""
    if lang() == "zh":
        return str(row["label"]), str(row["department"])
    from lyeval.assessment.gaps import name_of
    from lyeval.assessment.needs import office_of

    return name_of(str(row["fact"]))[1], office_of(str(row["fact"]))[1]


def comparison(made: Changes) -> None:
    """Print what a later ledger says otherwise: firms, figures by column and year, the largest changes, disposals."""
    from rich.text import Text

    out = console()
    out.print()
    out.print(Text(say("前后两次比较", "the two compared"), style="bold"))
    if not made.any:
        out.print(say("两份台账内容相同。", "the two ledgers say the same."))
        return
    n = {name: len(getattr(made, name)) for name in ("came", "left", "renamed", "recoded")}
    out.print(
        say(
            f"新增企业 {n['came']} 户，减少 {n['left']} 户，更名 {n['renamed']} 户，换代码 {n['recoded']} 户。",
            f"{n['came']} firms came, {n['left']} left, {n['renamed']} renamed, {n['recoded']} under a new code.",
        )
    )
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


def _summary(made: Changes) -> Any:
    """Lay out the changes by column and year."""
    table = grid()
    table.add_column(say("项目", "column"), ratio=1, overflow="fold")
    table.add_column(say("年份", "year"), no_wrap=True)
    for zh, en in (("改动", "changed"), ("补填", "filled"), ("删空", "cleared"), ("差额", "difference")):
        table.add_column(say(zh, en), justify="right", no_wrap=True)
    for row in made.summary.to_dict("records"):
        gap = NOTHING if row["difference"] is None else f"{_signed(row['difference'])} {unit_of(row['unit'])}".strip()
        counts = [str(row[kind] or NOTHING) for kind in ("changed", "filled", "cleared")]
        table.add_row(_label(row), str(row["year"] or NOTHING), *counts, gap)
    return table


def _label(row: Mapping[Any, Any]) -> str:
    """Return a column's name in the language spoken."""
    from lyeval.ledger.columns import of_sheet

    return of_sheet(str(row["sheet"]))[str(row["column"])].label(lang())


def _largest(made: Changes) -> Any:
    """Lay out the largest changes of figures."""
    rows = made.figures[made.figures["difference"].notna()]
    rows = rows.assign(size=[abs(float(d)) for d in rows["difference"]]).sort_values(
        "size", ascending=False, kind="stable"
    )
    table = grid()
    table.add_column(say("改动最大的企业", "largest changes"), ratio=1, overflow="fold")
    table.add_column(say("项目", "column"), no_wrap=True)
    for zh, en in (("年份", "year"), ("原为", "before"), ("改为", "after"), ("差额", "difference")):
        table.add_column(say(zh, en), justify="right", no_wrap=True)
    for row in rows.head(MOST).to_dict("records"):
        year = str(row["year"] or NOTHING) + (f"-{int(row['month']):02}" if row["month"] else "")
        values = [f"{float(row[name]):,.2f}" for name in ("before", "after")]
        table.add_row(str(row["name"] or row["credit_code"]), _label(row), year, *values, _signed(row["difference"]))
    return table


def _signed(value: Any) -> str:
    return f"{float(value):+,.2f}"


def _disposals(made: Changes) -> None:
    """Print the disposals that are new, gone or moved on."""
    words = {"new": ("新增", "new"), "dropped": ("删去", "dropped"), "moved": ("推进", "moved on")}
    kinds = made.disposals["kind"].value_counts()
    told = [f"{say(*words[k])} {int(kinds[k])}" for k in words if k in kinds]
    out = console()
    out.print(say("处置：", "disposals: ") + say("，", ", ").join(told))
    for row in made.disposals.head(MOST).to_dict("records"):
        moved = " → ".join(str(row[k] or NOTHING) for k in ("before", "after"))
        out.print(
            f"  {row['name'] or row['credit_code']} {row['method']} {moved} {row['finished'] or ''}".rstrip(),
            soft_wrap=True,
        )
