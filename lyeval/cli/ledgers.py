"""``lyeval assess``: the verdict on a year at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lyeval.cli.telling import Lang, busy, chosen, refuse, say

Ledgers = Annotated[
    list[str], typer.Argument(metavar="LEDGER…", help="台账：文件、文件夹或 sample:样例名；可多个 / ledgers")
]
PolicyName = Annotated[str, typer.Option("--policy", metavar="ID", help="政策方案标识或文件 / plan")]


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
    all_there(ledger)
    plan = open_policy(policy)
    with busy("读取台账 …", "reading …"):
        read = open_ledger(ledger if len(ledger) > 1 else ledger[0], plan, year=year)
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
    counts = made.targets["status"].value_counts() if len(made.targets) else {}
    met, missed, open_ = (int(counts.get(kind, 0)) for kind in ("met", "missed", "undetermined"))
    typer.echo(
        say(
            f"{year} 年：{met} 项完成，{missed} 项未完成，{open_} 项暂不能判定；没有写文件",
            f"{year}: {met} met, {missed} missed, {open_} undetermined; no file was written",
        )
    )


def all_there(ledgers: list[str]) -> None:
    """Refuse names of files that there are not."""
    from lyeval.run.inputs import SAMPLE, samples

    for name in ledgers:
        path = Path(name)
        if name.startswith(SAMPLE):
            samples(name)
        elif not path.exists():
            refuse(f"找不到台账 {name}，请核对路径", f"no such ledger: {name}; check the path")
        if path.exists() and not path.is_file() and not path.is_dir():
            refuse(f"{name} 不是文件，也不是文件夹", f"{name} is neither a file nor a folder")


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
