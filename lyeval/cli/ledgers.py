"""``lyeval check`` and ``lyeval assess``: a ledger's faults, and the verdict at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lyeval.cli.telling import FAULTS, Lang, chosen, console, lang, refuse, say

Ledgers = Annotated[
    list[str], typer.Argument(metavar="LEDGER…", help="台账：文件、文件夹或 sample:样例名；可多个 / ledgers")
]
PolicyName = Annotated[str, typer.Option("--policy", metavar="ID", help="政策方案标识或文件 / plan")]


def check(
    ledger: Ledgers,
    policy: Annotated[str | None, typer.Option("--policy", metavar="ID", help="认该方案的处置方式叫法 / plan")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="逐条写入工作簿 / every fault to a workbook")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="警告也算不通过 / warnings count too")] = False,
    spoken: Lang = None,
) -> None:
    """逐条检查台账：哪张表、哪一行、哪一列、填了什么、违反什么规则。 / Tell every fault of a ledger."""
    from lyeval.cli.showing import counts, faults
    from lyeval.ledger import LedgerError
    from lyeval.run import open_ledger, open_policy

    plan = open_policy(policy) if policy else None
    _all_there(ledger)
    try:
        found = open_ledger(ledger if len(ledger) > 1 else ledger[0], plan)
        told, read = found.faults, _read(found)
    except LedgerError as error:
        told, read = error.faults, ""
    if read:
        typer.echo(read)
    faults(told)
    typer.echo(counts(told))
    if out:
        _write_faults(told, out)
    severities = {fault.severity for fault in told}
    if "error" in severities or (strict and severities):
        raise typer.Exit(FAULTS)


def assess(
    ledger: Ledgers,
    policy: PolicyName,
    year: Annotated[int, typer.Option("--year", metavar="Y", help="评估年度 / evaluation year")],
    level: Annotated[str, typer.Option("--level", metavar="county|city", help="县区或市 / level")] = "county",
    quota: Annotated[
        list[str] | None, typer.Option("--quota", metavar="k=n", help="全市任务分到本县的数 / quota")
    ] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", metavar="k=v", help="方案要的其他数 / fact")] = None,
    reading: Annotated[
        list[str] | None, typer.Option("--reading", metavar="k=v", help="存疑条款的读法 / reading")
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="table|json", help="输出形式 / output")] = "table",
    spoken: Lang = None,
) -> None:
    """按方案评估一个年度：各目标的完成值、差额和结论。 / The verdict on a year at the terminal."""
    from lyeval.assessment import assess as assessed
    from lyeval.run import open_ledger, open_policy

    chosen("--format", format, ("table", "json"))
    chosen("--level", level, ("county", "city"))
    _all_there(ledger)
    plan = open_policy(policy)
    read = open_ledger(ledger if len(ledger) > 1 else ledger[0], plan)
    made = assessed(
        read, plan, year, level=level, quotas=_numbers("--quota", quota), facts=_numbers("--fact", fact),
        readings=_pairs("--reading", reading),
    )  # fmt: skip
    if year not in read.years:
        years = "、".join(map(str, read.years))
        refuse(
            f"台账没有 {year} 年的年度数据，现有 {years}", f"the ledger has no annual figures of {year}; it has {years}"
        )
    if format == "json":
        _print_json(made.to_dict())
        return
    from lyeval.cli.showing import verdict

    verdict(made)


def _read(found: Any) -> str:
    """Say what was read, in one line."""
    names, years = (
        "、".join(source.name for source in found.sources),
        f"{found.years[0]}–{found.years[-1]}" if found.years else "—",
    )
    n, rows = len(found.enterprises), len(found.annual)
    return say(
        f"{names}：企业 {n} 户，年度数据 {rows} 行，{years} 年",
        f"{names}: {n} enterprises, {rows} annual rows, {years}",
    )


def _all_there(ledgers: list[str]) -> None:
    """Refuse names of files that there are not."""
    for name in ledgers:
        if not name.startswith("sample:") and not Path(name).exists():
            refuse(f"找不到台账 {name}，请核对路径", f"no such ledger: {name}; check the path")


def _pairs(option: str, values: list[str] | None) -> dict[str, str]:
    """Read ``key=value`` options."""
    out = {}
    for value in values or []:
        key, mark, text = value.partition("=")
        if not mark or not key or not text:
            refuse(f"{option} {value}：应写成 键=值", f"{option} {value}: write key=value")
        out[key.strip()] = text.strip()
    return out


def _numbers(option: str, values: list[str] | None) -> dict[str, float]:
    """Read ``key=number`` options."""
    out = {}
    for key, text in _pairs(option, values).items():
        try:
            out[key] = float(text)
        except ValueError:
            refuse(f"{option} {key}={text}：{text} 不是数", f"{option} {key}={text}: {text} is not a number")
    return out


def _print_json(content: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(content, ensure_ascii=False, indent=1))


def _write_faults(told: Any, out: Path) -> None:
    """Write every fault to a workbook, one row each."""
    from datetime import date

    from lyeval.cli.showing import WORDS
    from lyeval.ledger import RULES
    from lyeval.render import Column, Table, to_xlsx

    if out.suffix.lower() != ".xlsx":
        refuse(f"--out {out}：文件名须以 .xlsx 结尾", f"--out {out}: the name must end in .xlsx")
    columns = [
        ("severity", "类别", "severity"), ("rule", "规则", "rule"), ("file", "文件", "file"), ("sheet", "表", "sheet"), ("row", "行", "row"),
        ("heading", "列", "heading"), ("value", "所填", "value"), ("message", "说明", "what is wrong"),
    ]  # fmt: skip
    rows = tuple(
        (
            say(*WORDS[f.severity][:2]),
            RULES[f.rule].title(lang()),
            f.file,
            f.sheet,
            f.row,
            f.heading,
            f.value,
            f.message(lang()),
        )
        for f in told
    )
    heads = tuple(Column(key, say(zh, en), "", "count" if key == "row" else "text") for key, zh, en in columns)
    table = Table("faults", say("台账问题", "Faults"), heads, rows)
    to_xlsx([table], out, title=say("台账问题", "Faults"), created=date(2000, 1, 1), notes=[])
    console().print(say(f"已写入 {out}", f"written to {out}"))
