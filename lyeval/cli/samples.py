"""``lyeval sample``: a synthetic ledger."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from lyeval.cli.telling import Lang, refuse, say


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
    from lyeval.policy import in_language, load_policy
    from lyeval.run import RunError, placed
    from lyeval.sample import produce, produce_forms

    plan = load_policy(policy)
    if out.suffix not in ("", ".xlsx"):
        refuse(f"--out {out}：写 .xlsx 文件名，或文件夹名", f"--out {out}: name an .xlsx file, or a folder")
    if forms and out.suffix:
        refuse(f"--out {out}：调查表写到文件夹，请写文件夹名", f"--out {out}: forms go to a folder; name one")
    first, last = _span(years) if years else (plan.years.identification[0] - 3, plan.years.identification[-1])
    try:
        make = produce_forms if forms else produce
        with placed(out, note=True) as place:
            told = make(plan, place, enterprises=enterprises, years=(first, last), seed=seed, county=county)
    except RunError:
        raise
    except ValueError as error:
        refuse(in_language(str(error), "zh"), in_language(str(error), "en"))
        return
    sidecar = out.with_name(told.name)
    what = say("样例调查表", "sample survey forms") if forms else say("样例台账", "sample ledger")
    typer.echo(say(f"{what} {out}，说明 {sidecar}", f"{what} {out}, described in {sidecar}"))


def _span(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4})(?:[-–—:](\d{4}))?", text.strip())
    if not found:
        refuse(f"--years {text}：应写成 2019-2023", f"--years {text}: write 2019-2023")
    first, last = (found.group(1), found.group(2) or found.group(1)) if found else ("", "")
    return int(first), int(last)
