"""``lyeval check``, ``clean``, ``assess``, ``sample``, ``panel``: a ledger's faults, a clean one back, the verdict on a year, a made one."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from lyeval import assessment, run
from lyeval import policy as plans
from lyeval import sample as samples
from lyeval.cli.ledger_page import comparison, needed, picture, verdict
from lyeval.cli.terminal import FAULTS, Lang, busy, chosen, console, faults, grid, lang, refuse, say, spoken, tell_done
from lyeval.ledger import RULES, Fault, Ledger, LedgerError, audit, beside, draft_columns, grouped
from lyeval.ledger.clean import title, write_clean
from lyeval.ledger.coverage import DEPARTMENTS, lacking
from lyeval.ledger.diff import Changes, changes, same_place
from lyeval.policy import Policy, in_language
from lyeval.render import Column, Table, to_xlsx
from lyeval.run.run_file import SAMPLE

Ledgers = Annotated[
    list[str], typer.Argument(metavar="LEDGER…", help="台账：文件、文件夹或 sample:样例名；可多个 / ledgers")
]
PolicyName = Annotated[str, typer.Option("--policy", metavar="ID", help="政策方案标识或文件 / plan")]
FormsYear = Annotated[
    int | None,
    typer.Option("--year", metavar="Y", help="调查表未写年份时，“上一年”是哪一年 / year of forms that name none"),
]
Plan = Annotated[str | None, typer.Option("--policy", metavar="ID", help="按该方案认叫法、看缺数影响 / plan")]
Pairs = list[str] | None


# -- check and clean ---------------------------------------------------------------------------------------------------


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
    plan = run.open_policy(policy) if policy else None
    all_there(ledger)
    _workbook_name(out, ledger)
    if suggest and len(ledger) > 1:
        refuse("suggest.one")
    told, found = _read(ledger, plan, year)
    told += _audited(found[-1:], plan)
    for one in found:
        typer.echo(_one_line(one))
    faults(told)
    typer.echo(_counts(told))
    tables = [_overview(told, found), _fault_table(told)]
    if len(found) == 1:
        tables += _department_tables(found[0], plan)
    if len(found) == 2:
        made = changes(*found)
        comparison(made)
        tables += _change_tables(made)
    elif found:
        picture(found[0], plan)
    if out:
        with run.placed(out) as place:
            to_xlsx(tables, place, title=say("check.faults"), created=date(2000, 1, 1), notes=[])
        tell_done("written", out=out)
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
    all_there(ledger)
    _workbook_name(out, ledger)
    plan, tables = run.open_policy(policy) if policy else None, []
    read = run.open_ledger(ledger, plan, year=year, tables=tables)
    with run.placed(out) as place:
        made = write_clean(read, place, tables)
    typer.echo(_one_line(read))
    typer.echo(_counts(read.faults))
    if made.empty:
        tell_done("clean.none")
    else:
        table = grid("change", "cells>")
        for rule, count in made.groupby("rule", sort=False)["count"].sum().items():
            table.add_row(title(str(rule), lang()), f"{int(count):,}")
        console().print(table)
    tell_done("clean.done", out=out, n=0 if made.empty else int(made["count"].sum()))


def _read(names: list[str], plan: Policy | None, year: int | None) -> tuple[tuple[Fault, ...], list[Ledger]]:
    """Read what is named: one ledger of all of it, a city's, or two of one place (two are returned); faults where none can be."""
    try:
        one = run.open_ledger(names, plan, year=year)
        return one.faults, [one]
    except LedgerError as error:
        if len(names) != 2 or all(fault.rule != "code_in_two_files" for fault in error.faults):
            return error.faults, []
        both = error.faults
    told: list[Fault] = []
    found: list[Ledger] = []
    for name in names:
        try:
            found.append(run.open_ledger(name, plan, year=year))
            told += found[-1].faults
        except LedgerError as error:
            told += error.faults
    if len(found) < 2:
        return tuple(told), []
    return (tuple(told), found) if same_place(*found) else (both, [])


def _audited(found: list[Ledger], plan: Policy | None) -> tuple[Fault, ...]:
    """Return what an auditor would ask of a ledger; 达标 is held against the lines of the plan."""
    term = assessment.statement_term(plan) if plan else None
    asked = [audit(one, assessment.class_lines(plan, one.years), term) if plan else audit(one) for one in found]
    return tuple(fault for faults in asked for fault in faults)


def _suggest(name: str, told: tuple[Fault, ...]) -> None:
    """Write a draft that settles a ledger's headings, beside it (of a sample: here); one that is there is kept."""
    path = beside(Path(name.removeprefix(SAMPLE)))
    draft = draft_columns(told)
    if run.stands(path) and (draft or any(fault.rule.startswith("mapping") for fault in told)):
        refuse("suggest.there", path=path)
    if not draft:
        tell_done("suggest.nothing")
        return
    run.write_new(path, draft)
    tell_done("suggest.done", path=path)


def _one_line(found: Ledger) -> str:
    """Say what was read, in one line."""
    names, files = "、".join(source.name for source in found.sources[:MOST_NAMES]), len(found.sources)
    if files > MOST_NAMES:
        names += say("check.more_files", n=files)
    years = f"{found.years[0]}–{found.years[-1]}" if found.years else "—"
    return say("check.read", names=names, n=len(found.enterprises), rows=len(found.annual), years=years)


def _counts(found: tuple[Fault, ...]) -> str:
    """Say how many errors, warnings and gaps there are."""
    numbers = {key: sum(f.count for f in found if f.severity == key) for key in ("error", "warning", "gap")}
    return spoken("，", ", ").join(f"{say(key)} {n}" for key, n in numbers.items())


def _workbook_name(out: Path | None, ledgers: list[str]) -> None:
    """Refuse a name that is no workbook's, a folder that is not there, and a ledger that is being read."""
    if not out:
        return
    if out.suffix.lower() != ".xlsx":
        refuse("out.not_xlsx", out=out)
    if not out.parent.is_dir():
        refuse("out.no_folder", out=out, folder=out.parent)
    if any(Path(name).exists() and out.exists() and out.samefile(name) for name in ledgers):
        refuse("out.is_ledger", out=out)
    run.named(out)
    run.free(out)
    run.apart(out, map(Path, ledgers))


# -- the workbook of faults --------------------------------------------------------------------------------------------


def _fault_table(told: tuple[Fault, ...]) -> Table:
    """Lay out every fault, one row each."""
    rows = []
    for f in told:
        kind, rule = say(f.severity), RULES[f.rule].title(lang())
        rows.append((kind, rule, f.file, f.sheet, f.row, f.heading, f.value, f.message(lang())))
    columns = ("severity", "rule", "file", "sheet", "row", "heading", "value", "message")
    return _table("faults", say("check.faults"), columns, rows)


def _overview(told: tuple[Fault, ...], found: list[Ledger]) -> Table:
    """Lay out the first page: what was read, then every rule broken with how often, where first, and what to do."""
    rows: list[tuple[Any, ...]] = [(say("check.read_in"), _one_line(one), None, "", "") for one in found]
    for group in grouped(told):
        first = group.first[0]
        what = say(group.severity), RULES[group.rule].title(lang())
        rows.append((*what, group.count, first.place(lang()), first.message(lang())))
    return _table("overview", say("check.overview"), ("severity", "what", "count", "where", "todo"), rows)


def _department_tables(ledger: Ledger, plan: Policy | None) -> list[Table]:
    """Lay out a sheet for each department to forward: what is missing, of which firms, what it blocks."""
    columns = ("owed", "year", "credit_code", "name", "township", "blocks")
    owed = lacking(ledger, needed(plan), lang())
    return [_table(f"owed_{id}", spoken(*DEPARTMENTS[id]), columns, _rows(frame)) for id, frame in owed.items()]


def _change_tables(made: Changes) -> list[Table]:
    """Lay out a comparison: one sheet a part."""
    out = []
    for name in PARTS:
        frame = getattr(made, name)
        columns = [column for column in frame if column not in ("sheet", "column")]
        out.append(_table(name, say(f"part.{name}"), columns, _rows(frame[columns])))
    return out


def _rows(frame: Any) -> list[tuple[Any, ...]]:
    return [tuple(_cell(value) for value in row) for row in frame.itertuples(index=False, name=None)]


def _cell(value: Any) -> Any:
    """Return a value of a comparison as a cell: kinds in words, yes and no, nothing for what is missing."""
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return say("yes" if value else "no")
    return say(f"kind.{value}") if isinstance(value, str) and value in KINDS else value


def _table(id: str, title: str, columns: Any, rows: list[tuple[Any, ...]]) -> Table:
    """Lay out a sheet, its headings in the language spoken."""
    heads = [Column(key, say(f"column.{key}"), "", "count" if key in COUNTED else "text") for key in columns]
    return Table(id, title, tuple(heads), tuple(rows))


MOST_NAMES = 6
PARTS = ("counts", "came", "left", "renamed", "recoded", "summary", "figures", "disposals")
KINDS = ("changed", "filled", "cleared", "new", "dropped", "moved")
COUNTED = ("row",)


# -- assess ------------------------------------------------------------------------------------------------------------


def assess(
    ledger: Ledgers,
    policy: PolicyName,
    year: Annotated[int, typer.Option("--year", metavar="Y", help="评估年度 / evaluation year")],
    level: Annotated[str, typer.Option("--level", metavar="county|city", help="县区或市 / level")] = "county",
    quota: Annotated[Pairs, typer.Option("--quota", metavar="k=n", help="全市任务分到本县的数 / quota")] = None,
    fact: Annotated[Pairs, typer.Option("--fact", metavar="k=v", help="方案要的其他数 / fact")] = None,
    reading: Annotated[Pairs, typer.Option("--reading", metavar="k=v", help="存疑条款的读法 / reading")] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json", help="输出形式 / output")] = "table",
    spoken: Lang = None,
) -> None:
    """按方案评估一个年度：各目标的完成值、差额和结论。 / The verdict on a year at the terminal."""
    chosen("--format", format, ("table", "json"))
    chosen("--level", level, ("county", "city"))
    all_there(ledger)
    plan = run.open_policy(policy)
    with busy("reading"):
        read = run.open_ledger(ledger, plan, year=year)
    told = {"quotas": _numbers("--quota", quota), "facts": _numbers("--fact", fact)}
    made = assessment.assess(read, plan, year, level=level, readings=_pairs("--reading", reading), **told)
    if year not in read.years:
        refuse("assess.no_year", year=year, years="、".join(map(str, read.years)))
    if format == "json":
        typer.echo(json.dumps(made.to_dict(), ensure_ascii=False, indent=1))
        return
    verdict(made)
    counts = made.targets["status"].value_counts() if len(made.targets) else {}
    ends = {kind: int(counts.get(kind, 0)) for kind in ("met", "missed", "undetermined")}
    typer.echo(say("assess.done", year=year, **ends))


def all_there(ledgers: list[str]) -> None:
    """Refuse names of files that there are not."""
    for name in ledgers:
        path = Path(name)
        if name.startswith(SAMPLE):
            run.samples(name)
        elif not path.exists():
            refuse("ledger.gone", name=name)
        if path.exists() and not path.is_file() and not path.is_dir():
            refuse("ledger.neither", name=name)


def _pairs(option: str, values: Pairs) -> dict[str, str]:
    """Read ``key=value`` options."""
    out = {}
    for value in values or []:
        key, mark, text = value.partition("=")
        if not mark or not key or not text:
            refuse("option.pair", option=option, value=value)
        out[key.strip()] = text.strip()
    return out


def _numbers(option: str, values: Pairs) -> dict[str, float]:
    """Read ``key=number`` options."""
    out = {}
    for key, text in _pairs(option, values).items():
        try:
            out[key] = float(text)
        except ValueError:
            refuse("option.number", option=option, key=key, text=text)
    return out


# -- sample ------------------------------------------------------------------------------------------------------------


def sample(
    policy: Annotated[str, typer.Option("--policy", metavar="ID|FILE", help="按哪个方案 / for which plan")],
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help=".xlsx 文件，或 CSV 文件夹 / workbook or folder")],
    enterprises: Annotated[
        int | None, typer.Option("--enterprises", min=1, max=1_000_000, metavar="N", help="企业数 / number")
    ] = None,
    years: Annotated[str | None, typer.Option("--years", metavar="Y0-Y1", help="起止年份 / years")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="随机种子 / seed")] = 0,
    county: Annotated[str | None, typer.Option("--county", help="只要其中一个县区 / one county only")] = None,
    forms: Annotated[bool, typer.Option("--forms", help="写成调查表，一户一份，另附空白表 / survey forms")] = False,
    spoken: Lang = None,
) -> None:
    """生成样例台账：企业和数字均为虚构。 / Make a synthetic ledger; all enterprises are invented."""
    plan = plans.load_policy(policy)
    if out.suffix not in ("", ".xlsx"):
        refuse("sample.name", out=out)
    if forms and out.suffix:
        refuse("sample.folder", out=out)
    first, last = _span(years) if years else (plan.years.identification[0] - 3, plan.years.identification[-1])
    try:
        make = samples.produce_forms if forms else samples.produce
        with run.placed(out, note=True) as place:
            told = make(plan, place, enterprises=enterprises, years=(first, last), seed=seed, county=county)
    except run.RunError:
        raise
    except ValueError as error:
        refuse("as_told", told=(in_language(str(error), "zh"), in_language(str(error), "en")))
    typer.echo(say("sample.forms" if forms else "sample.ledger", out=out, sidecar=out.with_name(told.name)))


def _span(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4})(?:[-–—:](\d{4}))?", text.strip())
    if not found:
        refuse("sample.years", text=text)
    return int(found[1]), int(found[2] or found[1])


# -- panel -------------------------------------------------------------------------------------------------------------


def panel(
    ledger: Ledgers,
    policy: PolicyName,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="存放的文件夹 / folder")],
    hide: Annotated[
        bool,
        typer.Option("--deidentify", help="去标识：编号、三位数字、情况合并到每户至少与另外四户相同 / names nobody"),
    ] = False,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="去标识的密钥文件，至少128位，自行保管 / kept by you")
    ] = None,
    salt: Annotated[str | None, typer.Option("--salt", hidden=True)] = None,
    spoken: Lang = None,
) -> None:
    """企业年度面板：CSV、Parquet、Stata 和列说明。 / One row per enterprise and year, with a codebook."""
    from lyeval.panels import CannotHide, deidentified, is_shared, read_key, write_panel
    from lyeval.panels import panel as laid_out

    all_there(ledger)
    _agree(hide, key, salt)
    run.named(out)
    run.free(out)
    run.apart(out, map(Path, ledger))
    plan = run.open_policy(policy)
    try:
        secret = read_key(key, out) if key else b""
        with busy("reading"):
            frame = laid_out(run.open_ledger(ledger, plan), plan)
        made = deidentified(frame, secret) if hide else frame
    except CannotHide as error:
        refuse("as_told", told=(error.zh, error.en))
    if key and is_shared(key):
        typer.echo(say("panel.key_shared", key=key), err=True)
    with run.placed(out) as place:
        written = write_panel(made, place)
    rows = len(frame if isinstance(made, type(frame)) else made.frame)
    typer.echo(say("panel.written", rows=rows, out=out))
    if not isinstance(made, type(frame)):
        typer.echo(say("panel.hidden", k=made.k, firms=made.firms, others=made.k - 1, left_out=made.left_out))
    for path in written:
        typer.echo(f"  {path.name}")


def _agree(hide: bool, key: Path | None, salt: str | None) -> None:
    """Refuse options that do not go together."""
    if salt is not None:
        refuse("panel.salt")
    if hide and key is None:
        refuse("panel.no_key")
    if key is not None and not hide:
        refuse("panel.idle_key")
