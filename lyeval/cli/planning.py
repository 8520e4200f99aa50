"""``lyeval portfolio``, ``dossier`` and ``readings``: which plan, one enterprise, every reading, at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from lyeval import assessment, run
from lyeval.cli.ledgers import Ledgers, PolicyName, all_there
from lyeval.cli.terminal import (
    NOTHING,
    Lang,
    busy,
    console,
    grid,
    joined,
    lang,
    refuse,
    say,
    spoken,
    tell_done,
    text,
    value_text,
    word,
)

if TYPE_CHECKING:
    from lyeval.portfolios import Portfolio

Year = Annotated[int, typer.Option("--year", metavar="Y", help="评估年度 / evaluation year")]
MOST = 30


# -- which plan --------------------------------------------------------------------------------------------------------


def portfolio(
    file: Annotated[str, typer.Argument(metavar="RUN", help="运行文件，或其标识 / run file or its id")],
    target: Annotated[
        str | None, typer.Option("--target", metavar="ID", help="哪个目标；不给则逐个 / which target; all by default")
    ] = None,
    year: Annotated[int | None, typer.Option("--year", metavar="Y", help="目标年度 / year of the target")] = None,
    probability: Annotated[
        float, typer.Option("--probability", metavar="P", help="要求的把握，0至1 / probability asked")
    ] = 0.9,
    funds: Annotated[
        float | None, typer.Option("--funds", metavar="N", help="政府资金，万元 / money, RMB 10,000")
    ] = None,
    at_most: Annotated[int | None, typer.Option("--at-most", metavar="N", help="至多新增几户 / firms at most")] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", metavar="M", help="只用这些方式，可多次 / these methods only")
    ] = None,
    find_out: Annotated[bool, typer.Option("--find-out", help="另列先核实什么 / and what to find out first")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="key=value", help="改运行文件里的值 / change a value")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.csv", help="把方案写成 CSV / the plan as CSV")
    ] = None,
    spoken: Lang = None,
) -> None:
    """哪些企业、用哪种方式、花多少钱、有几成把握：合法组合的上限和最省的一组。 / The strongest and the cheapest lawful plan."""
    from lyeval.portfolios import portfolio as sought

    loaded = run.load_run(file, set_ or [])
    spec = loaded.spec
    if out is not None:
        run.free(out)
    with busy("reading"):
        now = run.check_run(loaded)
    ahead = [one for one in now.policy.targets if any(of > spec.year for of in one.years)]
    ids = [target] if target is not None else [one.id for one in ahead if year is None or year in one.years]
    asked: dict[str, Any] = {
        "year": year,
        "probability": probability,
        "funds": funds,
        "at_most": at_most,
        "methods": method,
    }
    how = {"assumptions": loaded.located("assumptions", spec.assumptions), "draws": spec.draws, "seed": spec.seed}
    if not ids:
        refuse("portfolio.none", year=spec.year)
    made = []
    for id in ids:
        with busy("portfolio.seeking"):
            made.append(sought(now, id, **asked, **how))
        _told(made[-1], find_out)
    if out is not None:
        with run.placed(out) as place:
            made[-1].plan.to_csv(place, index=False, encoding="utf-8-sig")
        tell_done("portfolio.written", out=out, target=made[-1].target)


def _told(made: Portfolio, find_out: bool) -> None:
    """Print a portfolio: what was found, whom it names, what it frees, the curve."""
    out = console()
    for note in made.notes:
        out.print(text(note.text(lang())))
    added = made.plan[made.plan["new"]].sort_values("cost_wan", ascending=False)
    label = spoken("why", "why_en")
    _table(
        added,
        {"enterprise": "name", "method": _label(), "cost>": "cost_wan", "why": label},
    )
    _table(
        made.townships,
        {"township": "township", "firms>": "enterprises", "released>": "released_mu"},
    )
    _table(made.curve, {"cost>": "cost_wan", "probability>": "probability", "firms>": "enterprises"})
    if find_out:
        heads = {
            "item": _label(),
            "low>": "p_low",
            "high>": "p_high",
            "changes": "changes",
        }
        _table(made.find_out, heads)


# -- one enterprise ----------------------------------------------------------------------------------------------------


def dossier(
    ledger: Annotated[
        list[str],
        typer.Argument(metavar="LEDGER… CODE|NAME", help="台账，最后写企业代码或名称 / ledgers, then the firm"),
    ],
    policy: PolicyName,
    year: Year,
    spoken: Lang = None,
) -> None:
    """一企一档：历年数据、认定情形、合法方式及前提、程序、后果、差距。 / One enterprise's dossier."""
    if len(ledger) < 2:
        refuse("dossier.who")
    *books, who = ledger
    now = _assessed(books, policy, year)
    made = now.dossier(assessment.find_firm(now.ledger, who, by_name=True))
    label, out = _label(), console()
    head = f"{made.enterprise.get('name', '')}  {made.verdict['credit_code']}  {made.stage}".rstrip()
    out.print(text(head, "bold"))
    short, over = (value_text(None if x is None else round(x, 2)) for x in (made.tax_short_wan, made.land_over_mu))
    out.print(text(say("dossier.distance", short=short, over=over)))
    heads = {"year": "year", "land>": "land_mu", "tax>": "tax_wan", "per_mu>": "tax_per_mu"}
    _table(made.years.assign(year=made.years["year"].astype(str)), heads)
    _table(made.criteria, {"criterion": label, "clause": "clause", "holds": "holds"})
    heads = {"method": label, "clause": "clause", "lawful": "lawful"}
    _table(made.methods, heads | ({"blocked": "blocked_by"} if lang() == "zh" else {}))
    _table(made.steps, {"step": label, "date": "date", "due": "due"})
    _table(made.consequences, {"consequence": label, "clause": "clause"})


# -- every reading -----------------------------------------------------------------------------------------------------


def readings(ledger: Ledgers, policy: PolicyName, year: Year, spoken: Lang = None) -> None:
    """存疑条款的各种读法下，各目标的结论会不会变。 / Does the verdict stand under every reading?"""
    now = _assessed(ledger, policy, year)
    _read(now, assessment.readings(now.ledger, now.policy, year))


def _read(now: assessment.Assessment, made: assessment.Readings) -> None:
    """Print each target under all combinations, then each option alone, then what the ledger cannot test."""
    english = dict(zip(now.targets["id"], now.targets["label_en"], strict=True))
    questions = {one.id: spoken(one.question, one.question_en) for one in now.policy.readings}
    table = grid("target", "verdict", "met>", "range>", "turned")
    for row in made.targets.to_dict("records"):
        turned = joined(questions[switch] for switch in row["turned_by"]) or NOTHING
        ends = " – ".join(value_text(None if row[end] is None else round(row[end], 4)) for end in ("lowest", "highest"))
        counted = say("readings.of", met=f"{row['met']:,}", n=f"{row['n']:,}")
        table.add_row(text(spoken(row["label"], english[row["id"]])), word(row["status"]), counted, ends, text(turned))
    console().print(table)
    status = [str(word(one)) for one in made.switches["status"]]
    rows = made.switches.assign(question=made.switches["switch"].map(questions), status=status)
    heads = {"question": "question", "option": "option", "target": "target", "value>": "value"}
    _table(rows, heads | {"verdict": "status"})
    for row in made.untestable.to_dict("records"):
        why = spoken(row["reason"], row["reason_en"])
        tell_done("readings.untestable", switch=row["switch"], option=row["option"], why=why)


def _assessed(ledger: list[str], policy: str, year: int) -> assessment.Assessment:
    """Open what is named and assess a year."""
    all_there(ledger)
    plan = run.open_policy(policy)
    with busy("reading"):
        read = run.open_ledger(ledger, plan, year=year)
    made = assessment.assess(read, plan, year)
    if year not in read.years:
        refuse("assess.no_year", year=year, years="、".join(map(str, read.years)))
    return made


def _label() -> str:
    """Return the name of the column of labels in the language spoken."""
    return spoken("label", "label_en")


def _table(rows: pd.DataFrame, heads: dict[str, str]) -> None:
    """Print columns of a frame under headings (rows of ``messages.csv``), no more than a screen of it."""
    if rows.empty:
        return
    table = grid(*heads)
    for row in rows.head(MOST).to_dict("records"):
        cells = (row[column] for column in heads.values())
        table.add_row(*(text(value_text(round(cell, 4) if isinstance(cell, float) else _day(cell))) for cell in cells))
    console().print(table)
    if len(rows) > MOST:
        tell_done("planning.more", n=len(rows) - MOST)


def _day(cell: Any) -> Any:
    """Return a date without its clock, anything else as it is."""
    return cell.date() if isinstance(cell, pd.Timestamp) else cell
