"""The lists an office owes (附表清单): each a sheet of the annex, all of them by clause in the body; rankings and pace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lyeval.ledger.columns import SHEETS as LEDGER_SHEETS
from lyeval.render import Cell, Paragraph, Table, digits_beside
from lyeval.render.blocks import Block, Lang
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import FEW, joined, known, number, percent, say, texts

Row = dict[str, Any]


def sheet(c: Context, name: str) -> Table | None:
    """Lay out one list as a table; None where nobody is on it."""
    rows = [_row(c, r) for r in c.rows(name)]
    if not rows:
        return None
    key = f"rolls.note_{name.removeprefix('list_')}"
    month = round(12 * next((r["schedule"] for r in c.rows(name) if "schedule" in r), 1))
    note = say(key, c.lang, month=month) if key in texts() else ""
    if "tax_needed_wan" in rows[0]:
        note = (note + ("" if c.lang == "zh" else " ") + say("listing.distance_note", c.lang)).strip()
    return tabulate(c, name, rows, say(f"rolls.{name}", c.lang, year=c.year), source=c.source("tax", "land", "towns"), note=note,
                    cite=c.document, sortable=len(rows) > 12)  # fmt: skip


def ranking(c: Context, name: str) -> Table | None:
    """Lay out units by rank; a rate only of ten listed firms or more, a/b of fewer."""
    rows = c.rows(name)
    if len(rows) < 3:
        return None
    body = []
    for r in rows:
        settled = int(r["reached"]) + int(r["left"])
        rate = percent(r["rate"]) if r["listed"] >= FEW else f"{settled}/{int(r['listed'])}"
        few = known(r["rank"]) or r["whole"]
        body.append(
            {**r, "place": _unit(r, c.lang), "rate_text": rate if few else f"{rate}（{say('rolls.few', c.lang)}）"}
        )
    return tabulate(c, "ranking", body, say(f"rolls.{name}", c.lang, year=c.year), id=name, source=c.source("tax", "towns"),
                    note=say("rolls.note_ranking", c.lang), cite=_cited(c, rows))  # fmt: skip


def contributions(c: Context) -> Table | None:
    """Lay out where the targets that are not met fall short."""
    rows = [{**r, "place": r["unit"] or say("rolls.blank", c.lang)} for r in c.rows("contributions")]
    if len({r["place"] for r in rows}) < 2:
        return None
    return tabulate(c, "contributions", rows, say("rolls.contributions", c.lang, year=c.year), source=c.source("tax", "land"),
                    note=say("rolls.note_contributions", c.lang), cite=c.document)  # fmt: skip


def pace(c: Context) -> Table | None:
    """Lay out tax to date against last month, last year and schedule, on the same firms."""
    rows = c.rows("pace")
    if not rows:
        return None
    firms = {"zh": "家", "en": "firms"}[c.lang]
    money = {"zh": "万元", "en": "×10,000 yuan"}[c.lang]
    body = []
    for r in (r for r in rows if r["n"]):
        firm = r["against"].startswith("on_course")
        shown = {k: Cell(r[k], digits=0) if firm else r[k] for k in ("before", "now")}
        if firm and known(r["now"]) and known(r["before"]):
            more = int(r["now"] - r["before"])  # firms: a share of a handful misleads
            shown["change"] = f"{more:+d}".replace("-", "−") if more else "0"
        body.append({**r, **shown, "what": AGAINST[r["against"]][c.lang == "en"], "unit": firms if firm else money})
    month = int(rows[0]["month"])
    return tabulate(c, "pace", body, say("rolls.pace", c.lang, year=c.year, month=month), source=c.source("tax"),
                    note=say("rolls.note_pace", c.lang, month=month), cite=_cited(c, rows))  # fmt: skip


def departments(c: Context, *, every: bool = True) -> Table | None:
    """Lay out how far each department's columns are filled, of the year and the year before; ``every`` False: what lacks for the list and targets."""
    body, key = [], "verdicts_en" if c.lang == "en" else "verdicts"
    judged = {r["label"] for name in ("targets", "criteria", "exclusions") for r in c.rows(name)}
    for r in c.rows("departments"):
        if known(r["year"]) and int(r["year"]) not in (c.year - 1, c.year):
            continue
        whole = bool(r["there"]) and (not known(r["share"]) or r["share"] >= 1)
        if not every and (whole or not judged & set(r["verdicts"])):
            continue
        share = percent(int(r["share"] * 1000) / 1000) if known(r["share"]) else None
        label = str(LEDGER_SHEETS[r["sheet"]][0]) if c.lang == "zh" else str(r["sheet"])
        body.append({**r, "sheet": label, "year": str(int(r["year"])) if known(r["year"]) else None, "verdicts": r[key],
                     "share_text": share if r["there"] else say("rolls.absent", c.lang)})  # fmt: skip
    if not body:
        return None
    return tabulate(c, "departments", body, say("rolls.departments", c.lang, year=c.year), id="departments" if every else "lacking",
                    source=c.source(), note=say("rolls.note_departments", c.lang), cite=c.document)  # fmt: skip


def index(c: Context) -> Table | None:
    """Lay out every list that has anybody on it, with the clauses that it rests on."""
    rows: list[Row] = []
    for name in (*LISTS, "opening_list"):
        found = c.rows(name)
        if found:
            cited = _cited(c, c.rows("criteria") if name == "opening_list" else found)
            rows.append({"clause": cited or "—", "list": say(f"rolls.{name}", c.lang, year=c.year), "n": len(found)})
    if not rows:
        return None
    return tabulate(c, "roll_index", rows, say("rolls.index", c.lang), source=c.source(), note=say("rolls.index_note", c.lang),
                    cite=c.document)  # fmt: skip


def standing_blocks(c: Context) -> list[Block]:
    """Write how units rank and how the year's tax keeps pace (part of 四、处置进展)."""
    blocks: list[Block] = []
    for name in ("ranking_counties", "ranking_townships"):
        table = ranking(c, name)
        if table is not None:
            blocks += [Paragraph(ranking_sentence(c, name)), table]
            break
    table = pace(c)
    if table is not None:
        text = pace_sentence(c)
        blocks += [*([Paragraph(text)] if text else []), table]
    return blocks


def ranking_sentence(c: Context, name: str) -> str:
    """Say which ranked units stand first and last by rate, and where most of what is left stands."""
    rows = [r for r in c.rows(name) if not r["whole"]]
    ranked = [r for r in rows if known(r["rank"])]
    left = [r for r in rows if known(r["part_rank"]) and r["part_rank"] == 1]
    if not ranked or not left:
        return ""
    top = [_unit(r, c.lang) for r in ranked if r["rank"] == ranked[0]["rank"]][:3]
    bottom = [_unit(r, c.lang) for r in ranked if r["rank"] == ranked[-1]["rank"]][:3]
    most = joined([_unit(r, c.lang) for r in left][:3], c.lang)
    n = sum(int(r["below"]) + int(r["open"]) for r in rows)
    whole = int(left[0]["below"]) + int(left[0]["open"])
    part = percent(left[0]["part"]) if n >= FEW else f"{whole}/{n}"
    return say("rolls.ranking_text", c.lang, kind=say(f"rolls.{name.removeprefix('ranking_')}", c.lang), n=len(ranked),
               top=joined(top, c.lang), bottom=joined(bottom, c.lang), most=most, part=part)  # fmt: skip


def pace_sentence(c: Context) -> str:
    """Say the month's tax against last month and last year, and the tax to date against what the line asks."""
    rows = {r["against"]: r for r in c.rows("pace") if r["class"] == "all"}
    asked, month = rows["schedule"], int(rows["schedule"]["month"])
    whole = asked["before"] / (month / 12)
    if not asked["n"] or whole <= 0 or not rows["last_month"]["n"]:
        return ""
    on_month = rows["last_month"]
    return say(
        "rolls.pace_text", c.lang, year=c.year, month=month, now=number(on_month["now"]),
        month_change=say("rolls.on_month", c.lang, change=_change(on_month, c.lang)), year_change=_change(rows["last_year"], c.lang),
        date=number(asked["now"]), share=percent(asked["now"] / whole), schedule=percent(month / 12),
        usual=percent(rows["usual"]["before"] / whole),
    )  # fmt: skip


def _change(row: Row, lang: Lang) -> str:
    if not known(row["change"]):
        return say("rolls.not_comparable", lang)
    return say("rolls.up" if row["change"] >= 0 else "rolls.down", lang, by=percent(abs(row["change"])))


def _unit(row: Row, lang: Lang) -> str:
    return say("rolls.whole", lang) if row["whole"] else str(row["unit"]) or say("rolls.blank", lang)


def _cited(c: Context, rows: list[Row]) -> str:
    """Return the clauses that rows rest on, each once."""
    return "；".join(dict.fromkeys(part for r in rows for part in str(r.get("clause") or "").split("；") if part))


def _row(c: Context, row: Row) -> Row:
    """Put a list's row into words: reasons, states, measures; a ratio with decimals enough to stand on its side of the line."""
    gap, english = ("；", False) if c.lang == "zh" else ("; ", True)
    out = dict(row)
    for name in ("reasons", "state", "basis"):
        if name in row:
            values = row[name] if isinstance(row[name], list) else [row[name]]
            out[f"{name}_text"] = gap.join(WORDS[str(v)][english] for v in values)
    if "overdue" in row:
        told = (
            {True: "yes", False: "no"}.get(row["overdue"])
            if known(row["overdue"])
            else "no_term"
            if "step" in row
            else None
        )
        out["overdue_text"] = WORDS[told][english] if told else None
    if row.get("same_year"):
        out["basis_text"] = WORDS["same_year"][english]
    if "effects" in row:
        out["measures"] = gap.join(row["effects_en" if english else "effects"] or []) or None
    if "unit" in row:
        out["place"] = _unit(row, c.lang)
    if known(row.get("tax_per_mu")) and known(row.get("line")):
        out["tax_per_mu"] = Cell(row["tax_per_mu"], digits=digits_beside(row["tax_per_mu"], row["line"], "number"))
    return out | ({"year": str(int(row["year"]))} if known(row.get("year")) else {})


WORDS = {
    "no_case": ("尚未启动处置", "no case begun"), "case_overdue": ("处置超过完成期限", "case past its term"),
    "failed": ("处置登记为未完成", "case failed"), "issue_overdue": ("问题整改逾期", "problem past its term"),
    "step_overdue": ("程序超过规定天数", "step past its days"), "not_rectified": ("逾期未整改", "past its term"),
    "not_accepted": ("已整改未验收", "rectified, not accepted"), "passed": ("曾达标或销号", "passed or written off"),
    "yes": ("是", "yes"), "no": ("否", "no"), "no_term": ("未规定期限", "no term"),
    "above": ("上年在标准线上", "at the line last year"), "same_year": ("当年验收，全年低于标准线", "passed this year, below over the whole of it"),
}  # fmt: skip
AGAINST = {
    "last_month": ("当月，比上月", "month, on the month before"), "last_year": ("当月，比上年同月", "month, on last year's"),
    "last_year_to_date": ("累计，比上年同期", "to date, on last year's"),
    "schedule": ("累计，比时序进度应入库", "to date, on schedule"), "usual": ("累计，比常年进度应入库", "to date, on the usual part"),
    "on_course_last_month": ("按常年进度可达标户数，比上月", "firms on course, on the month before"),
    "on_course_last_year": ("按常年进度可达标户数，比上年同月", "firms on course, on last year's"),
}  # fmt: skip
LISTS = (
    "list_reached", "list_missed", "list_undecided", "list_closed", "list_demolished", "list_banked", "list_relapsed",
    "list_priority", "list_guided", "list_grade_d", "list_subsidised", "list_shock_hit", "list_pressed", "list_summoned",
    "list_issues", "list_papers", "list_steps",
)  # fmt: skip
SHEETS: tuple[tuple[str, Callable[[Context], Table | None]], ...] = (
    ("", index),
    *((name, partial(sheet, name=name)) for name in LISTS),
    ("ranking_townships", partial(ranking, name="ranking_townships")),
    ("ranking_counties", partial(ranking, name="ranking_counties")),
    ("contributions", contributions),
    ("pace", pace),
    ("departments", departments),
)
