"""``lyeval check`` and ``lyeval clean``: a ledger's faults and its picture, two ledgers compared, a clean one back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyeval.cli.ledgers import Ledgers, all_there
from lyeval.cli.telling import FAULTS, Lang, console, lang, refuse, say

if TYPE_CHECKING:
    from lyeval.ledger import Fault, Ledger
    from lyeval.ledger.diff import Changes
    from lyeval.policy import Policy
    from lyeval.render import Table

FormsYear = Annotated[
    int | None,
    typer.Option("--year", metavar="Y", help="调查表未写年份时，“上一年”是哪一年 / year of forms that name none"),
]
Plan = Annotated[str | None, typer.Option("--policy", metavar="ID", help="按该方案认叫法、看缺数影响 / plan")]


def check(
    ledger: Ledgers,
    policy: Plan = None,
    out: Annotated[Path | None, typer.Option("--out", help="逐条写入工作簿 / every fault to a workbook")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="警告也算不通过 / warnings count too")] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="写一份表头对照草稿 / draft a mapping of headings")
    ] = False,
    year: FormsYear = None,
    spoken: Lang = None,
) -> None:
    """逐条检查台账，并附一页概览；给出同一地方的前后两份台账时，比较两次。 / Tell every fault; compare two of one place."""
    from lyeval.cli.showing import counts, faults
    from lyeval.ledger.diff import changes
    from lyeval.run import open_policy

    plan = open_policy(policy) if policy else None
    all_there(ledger)
    _workbook_name(out, ledger)
    if suggest and len(ledger) > 1:
        refuse("--suggest：一次只对一份台账", "--suggest: one ledger at a time")
    told, found = _read(ledger, plan, year)
    told += _audited(found[-1:], plan)
    for one in found:
        typer.echo(_one_line(one))
    faults(told)
    typer.echo(counts(told))
    tables = [_overview(told, found), _fault_table(told)]
    if len(found) == 1:
        tables += _department_tables(found[0], plan)
    if len(found) == 2:
        made = changes(*found)
        _show_changes(made)
        tables += _change_tables(made)
    elif found:
        from lyeval.cli.picturing import picture

        picture(found[0], plan)
    if out:
        _write(tables, out, say("台账问题", "Faults"))
    if suggest:
        _suggest(ledger[0], told)
    severities = {fault.severity for fault in told}
    if "error" in severities or (strict and severities):
        raise typer.Exit(FAULTS)


def clean(
    ledger: Ledgers,
    out: Annotated[Path, typer.Option("--out", help="写到哪个工作簿 / the workbook to write")],
    policy: Plan = None,
    year: FormsYear = None,
    spoken: Lang = None,
) -> None:
    """写回规范台账：标准表头和单位，一表列明全部更改。 / The canonical workbook, with every change listed."""
    from lyeval.cli.showing import counts
    from lyeval.ledger.clean import write_clean
    from lyeval.run import open_ledger, open_policy, placed

    all_there(ledger)
    _workbook_name(out, ledger)
    plan, tables = open_policy(policy) if policy else None, []
    read = open_ledger(ledger if len(ledger) > 1 else ledger[0], plan, year=year, tables=tables)
    with placed(out) as place:
        made = write_clean(read, place, tables)
    typer.echo(_one_line(read))
    typer.echo(counts(read.faults))
    _by_rule(made)
    n = int(made["count"].sum()) if len(made) else 0
    console().print(
        say(
            f"已写入 {out}：{n} 处更改列在“更改清单”，原台账没有改动",
            f"written to {out}: {n} changes are listed in it; the ledger itself was not touched",
        )
    )


def _read(names: list[str], plan: Policy | None, year: int | None) -> tuple[tuple[Fault, ...], list[Ledger]]:
    """Read what is named: one ledger of all of it, a city's, or two of one place (two are returned); faults where none can be."""
    from lyeval.ledger import LedgerError
    from lyeval.ledger.diff import same_place
    from lyeval.run import open_ledger

    try:
        one = open_ledger(names if len(names) > 1 else names[0], plan, year=year)
        return one.faults, [one]
    except LedgerError as error:
        if len(names) != 2 or all(fault.rule != "code_in_two_files" for fault in error.faults):
            return error.faults, []
        faults = error.faults
    told: list[Fault] = []
    found: list[Ledger] = []
    for name in names:
        try:
            found.append(open_ledger(name, plan, year=year))
            told += found[-1].faults
        except LedgerError as error:
            told += error.faults
    if len(found) < 2:
        return tuple(told), []
    return (tuple(told), found) if same_place(*found) else (faults, [])


def _audited(found: list[Ledger], plan: Policy | None) -> tuple[Fault, ...]:
    """Return what an auditor would ask of a ledger; 达标 is held against the lines of the plan."""
    from lyeval.assessment import class_lines, statement_term
    from lyeval.ledger import audit

    return tuple(
        f
        for one in found
        for f in (audit(one, class_lines(plan, one.years), statement_term(plan)) if plan else audit(one))
    )


def _suggest(name: str, told: tuple[Fault, ...]) -> None:
    """Write a draft that settles a ledger's headings, beside it (of a sample: here); one that is there is kept."""
    from lyeval.ledger import beside, draft_columns
    from lyeval.run import stands, write_new

    path = beside(Path(name.removeprefix("sample:")))
    draft = draft_columns(told)
    there = stands(path)
    if there and (draft or any(fault.rule.startswith("mapping") for fault in told)):
        refuse(
            f"--suggest：{path} 已存在，请填好，或改名、删去后再写",
            f"--suggest: {path} is there already: fill it in, or rename it",
        )
    if not draft:
        console().print(say("表头都已认出，不需要对照", "every heading is known: nothing to settle"))
        return
    if there:
        refuse(
            f"--suggest：{path} 已存在，请改名或删去后再写", f"--suggest: {path} is there already; rename or delete it"
        )
    write_new(path, draft)
    console().print(
        say(
            f"表头对照草稿已写入 {path}；填好后读这份台账时自动采用，放到运行文件旁并改名为 <标识>.columns.yaml 则只用于该次运行",
            f"the draft is in {path}; filled in, it is used whenever this ledger is read, or, beside a run file as "
            "<id>.columns.yaml, in that run",
        )
    )


def _one_line(found: Any) -> str:
    """Say what was read, in one line."""
    names = "、".join(source.name for source in found.sources[:MOST_NAMES])
    if len(found.sources) > MOST_NAMES:
        names += say(f"等{len(found.sources)}个文件", f" and others, {len(found.sources)} files")
    years = f"{found.years[0]}–{found.years[-1]}" if found.years else "—"
    n, rows = len(found.enterprises), len(found.annual)
    zh = f"{names}：企业 {n} 户，年度数据 {rows} 行，{years} 年"
    return say(zh, f"{names}: {n} enterprises, {rows} annual rows, {years}")


def _by_rule(made: Any) -> None:
    """Print how many cells were changed, by rule."""
    from lyeval.cli.showing import grid
    from lyeval.ledger.clean import title

    if not len(made):
        console().print(say("没有更改", "nothing changed"))
        return
    table = grid()
    table.add_column(say("更改", "change"))
    table.add_column(say("处数", "cells"), justify="right")
    for rule, count in made.groupby("rule", sort=False)["count"].sum().items():
        table.add_row(title(str(rule), lang()), f"{int(count):,}")
    console().print(table)


def _show_changes(made: Changes) -> None:
    from lyeval.cli.picturing import comparison

    comparison(made)


def _workbook_name(out: Path | None, ledgers: list[str]) -> None:
    """Refuse a name that is no workbook's, a folder that is not there, and a ledger that is being read."""
    from lyeval.run import apart, free, named

    if not out:
        return
    if out.suffix.lower() != ".xlsx":
        refuse(f"--out {out}：文件名须以 .xlsx 结尾", f"--out {out}: the name must end in .xlsx")
    if not out.parent.is_dir():
        refuse(f"--out {out}：没有文件夹 {out.parent}", f"--out {out}: there is no folder {out.parent}")
    if any(Path(name).exists() and out.exists() and out.samefile(name) for name in ledgers):
        refuse(f"--out {out}：不能写到所读的台账上", f"--out {out}: not onto the ledger that is read")
    named(out)
    free(out)
    apart(out, map(Path, ledgers))


def _write(tables: list[Table], out: Path, title: str) -> None:
    from lyeval.render import to_xlsx
    from lyeval.run import placed

    with placed(out) as place:
        to_xlsx(tables, place, title=title, created=date(2000, 1, 1), notes=[])
    console().print(say(f"已写入 {out}", f"written to {out}"))


def _fault_table(told: tuple[Fault, ...]) -> Table:
    """Lay out every fault, one row each."""
    from lyeval.cli.showing import WORDS
    from lyeval.ledger import RULES

    rows = [
        (say(*WORDS[f.severity][:2]), RULES[f.rule].title(lang()), f.file, f.sheet, f.row, f.heading, f.value, f.message(lang()))
        for f in told
    ]  # fmt: skip
    return _table("faults", say("台账问题", "Faults"), FAULT_COLUMNS, rows)


def _overview(told: tuple[Fault, ...], found: list[Ledger]) -> Table:
    """Lay out the first page: what was read, then every rule broken with how often, where first, and what to do."""
    from lyeval.cli.showing import WORDS
    from lyeval.ledger import RULES, grouped

    rows: list[tuple[Any, ...]] = [(say("读入", "read"), _one_line(one), None, "", "") for one in found]
    for group in grouped(told):
        first = group.first[0]
        kind, title = say(*WORDS[group.severity][:2]), RULES[group.rule].title(lang())
        rows.append((kind, title, group.count, first.place(lang()), first.message(lang())))
    return _table("overview", say("概览", "Overview"), OVERVIEW, rows)


def _department_tables(ledger: Ledger, plan: Policy | None) -> list[Table]:
    """Lay out a sheet for each department to forward: what is missing, of which firms, what it blocks."""
    from lyeval.cli.picturing import needed
    from lyeval.ledger.coverage import DEPARTMENTS, lacking

    tables = []
    for id, frame in lacking(ledger, needed(plan), lang()).items():
        rows = [
            tuple(None if v is None or v != v else v for v in row) for row in frame.itertuples(index=False, name=None)
        ]
        tables.append(_table(f"owed_{id}", say(*DEPARTMENTS[id]), OWED, rows))
    return tables


def _change_tables(made: Changes) -> list[Table]:
    """Lay out a comparison: one sheet a part."""
    out = []
    for name, (zh, en) in PARTS.items():
        frame = getattr(made, name)
        spec = [(column, *HEADS.get(column, (column, column))) for column in frame if column not in HIDDEN]
        rows = frame[[key for key, *_ in spec]].itertuples(index=False, name=None)
        out.append(_table(name, say(zh, en), spec, [tuple(_cell(value) for value in row) for row in rows]))
    return out


def _cell(value: Any) -> Any:
    """Return a value of a comparison as a cell: kinds in words, yes and no, nothing for what is missing."""
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return say("是", "yes") if value else say("否", "no")
    return say(*KINDS[value]) if isinstance(value, str) and value in KINDS else value


def _table(id: str, title: str, spec: Any, rows: list[tuple[Any, ...]]) -> Table:
    from lyeval.render import Column, Table

    heads = tuple(Column(key, say(zh, en), "", "count" if key == "row" else "text") for key, zh, en in spec)
    return Table(id, title, heads, tuple(rows))


MOST_NAMES = 6
OVERVIEW = [
    ("kind", "类别", "kind"),
    ("what", "事项", "what"),
    ("count", "处数", "count"),
    ("where", "首处", "first at"),
    ("todo", "怎么办", "what to do"),
]
OWED = [
    ("what", "缺什么", "what is missing"),
    ("year", "年份", "year"),
    ("credit_code", "统一社会信用代码", "credit code"),
    ("name", "企业名称", "name"),
    ("township", "镇街", "township"),
    ("blocks", "影响", "what it blocks"),
]
FAULT_COLUMNS = [
    ("severity", "类别", "severity"), ("rule", "规则", "rule"), ("file", "文件", "file"), ("sheet", "表", "sheet"), ("row", "行", "row"),
    ("heading", "列", "heading"), ("value", "所填", "value"), ("message", "说明", "what is wrong"),
]  # fmt: skip
PARTS = {
    "counts": ("行数对照", "Rows"), "came": ("新增企业", "Came"), "left": ("减少企业", "Left"), "renamed": ("更名", "Renamed"),
    "recoded": ("换代码", "New codes"), "summary": ("改动汇总", "Changes by column"), "figures": ("数据改动", "Figures changed"),
    "disposals": ("处置变动", "Disposals"),
}  # fmt: skip
HEADS = {
    "label": ("项目", "column"), "year": ("年份", "year"), "month": ("月份", "month"), "before": ("原为", "before"), "after": ("改为", "after"),
    "credit_code": ("统一社会信用代码", "credit code"), "name": ("企业名称", "name"), "township": ("镇街", "township"),
    "unit": ("单位", "unit"), "kind": ("变动", "kind"), "difference": ("差额", "difference"), "changed": ("改动", "changed"),
    "filled": ("补填", "filled in"), "cleared": ("删空", "cleared"), "method": ("处置方式", "method"),
    "finished": ("完成日期", "finished"), "written_off": ("销号日期", "written off"),
}  # fmt: skip
HIDDEN = ("sheet", "column")
KINDS = {
    "changed": ("改动", "changed"), "filled": ("补填", "filled in"), "cleared": ("删空", "cleared"), "new": ("新增", "new"),
    "dropped": ("删去", "dropped"), "moved": ("推进", "moved on"),
}  # fmt: skip
