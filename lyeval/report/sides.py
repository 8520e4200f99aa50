"""Two places on one ruler (两地比较报告): a document and its annex, from tables alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.render import Bullets, Cell, Column, Document, Figure, Heading, Note, Paragraph, Table
from lyeval.render.blocks import Block, Lang
from lyeval.report.causes import causes, checks_table, effects_table, refused_table, rules_table
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import chance, class_text, day, known, named, number, percent, say

if TYPE_CHECKING:
    from lyeval.comparison import Sides

Tables = dict[str, Any]


def side_tables(sides: Sides, plans: pd.DataFrame, points: pd.DataFrame, burdens: pd.DataFrame) -> Tables:
    """Return a comparison as tables (notebook 06).

    Parameters
    ----------
    plans, points, burdens
        With a column ``side``: many plans over either population; the two documents (label, threshold, floor, horizon); whom either
        place's own line falls on.

    Returns
    -------
    dict
        ``meta`` and every table of `Sides` under ``side_<name>``; ``plans``, ``plan_points``, ``plan_burden``.
    """
    tables = {f"side_{name}": getattr(sides, name) for name in NAMES}
    split = sides.decomposition
    ends = {"value_a": split.value_a, "value_b": split.value_b, "n_a": split.n_a, "n_b": split.n_b}
    return {
        "meta": _meta(sides),
        **tables,
        "side_parts": split.parts,
        "side_ends": ends | {"uncovered_a": split.uncovered[0], "uncovered_b": split.uncovered[1]},
        "side_refused": {"reason": sides.refused.details["reason"].zh, "reason_en": sides.refused.details["reason"].en},
        "plans": plans,
        "plan_points": points,
        "plan_burden": burdens,
    }


def _meta(sides: Sides) -> dict[str, Any]:
    """Return what every report says of what it judges."""
    rows = sides.about.to_dict("records")
    notes = [str(r["synthetic"]) for r in rows if r["synthetic"]]
    return {
        "kind": "comparison", "year": max(int(r["year"]) for r in rows), "place": "、".join(r["place"] for r in rows),
        "place_en": ", ".join(r["place_en"] for r in rows), "document": "；".join(r["document"] for r in rows),
        "counties": [r["place"] for r in rows], "level": "county", "place_level": "county", "final": None,
        "cutoff": f"{max(int(r['year']) for r in rows)}-12-31", "synthetic": notes[0] if notes else "",
        "above": "规上", "above_en": "above-scale", "below": "规下", "below_en": "below-scale",
    }  # fmt: skip


def build_comparison(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the comparison of two places (两地比较报告) from a run's tables alone."""
    c = Context(tables, lang)
    a, b = (_about(c, side) for side in ("a", "b"))
    blocks: list[Block] = []
    for heading, section in SECTIONS:
        made = section(c)
        if made:
            words = heading[lang == "en"].format(a=named(a, lang, "place"), b=named(b, lang, "place"))
            blocks += [Heading(1, words), *made]
    given = c.value("run").get("title")
    title = str(given) if given else say("sides.title", lang, a=named(a, lang, "place"), b=named(b, lang, "place"))
    subtitle = say(
        "sides.subtitle", lang, a=named(a, lang, "place"), b=named(b, lang, "place"), ta=a["year"], tb=b["year"]
    )
    note = (
        str(c.meta["synthetic"] or "")
        if lang == "zh"
        else (say("document.synthetic", lang) if c.meta["synthetic"] else "")
    )
    lines = [(LINES["documents"][lang == "en"], f"{a['document']}；{b['document']}")]
    date = c.value("run").get("report_date")
    if date:
        lines.append((LINES["date"][lang == "en"], day(date, lang)))
    return Document(title, subtitle, tuple(lines), tuple(blocks), lang, note, say("document.footer", lang))


def _about(c: Context, side: str) -> dict[str, Any]:
    return next(r for r in c.rows("side_about") if r["side"] == side)


def _place(c: Context, side: str) -> str:
    return named(_about(c, side), c.lang, "place")


def _placed(c: Context, name: str) -> list[dict[str, Any]]:
    """Return a table's rows, each with its place in the reader's language and its year as text."""
    places = {str(r["side"]): named(r, c.lang, "place") for r in c.rows("side_about")}
    rows = [{**r, "place": places[str(r["side"])]} for r in c.rows(name)]
    return [{**r, "year": str(r["year"])} if "year" in r else r for r in rows]


def opening(c: Context) -> list[Block]:
    """Say who is compared, and what may and may not be said of it."""
    a, b = _about(c, "a"), _about(c, "b")
    values: dict[str, Any] = {}
    for side, row in (("a", a), ("b", b)):
        values |= {side: _place(c, side), f"base_{side}": row["base_year"], f"n_{side}": row["first_list"],
                   f"line_{side}": f"{row['line']:g}"}  # fmt: skip
    return [Paragraph(say("sides.opening", c.lang, **values)), claims_table(c)]


def claims_table(c: Context) -> Table:
    """Lay out what may be said and what may not."""
    rows = []
    for row in sorted(c.rows("side_claims"), key=lambda r: r["may"] != "yes"):
        words = {"yes": ("可以", "may"), "no": ("不可以", "may not")}[str(row["may"])]
        rows.append({**row, "may": Cell(words[c.lang == "en"], tone="good" if row["may"] == "yes" else "bad")})
    return tabulate(c, "claims", rows, say("sides.claims_table", c.lang), id="claims")


def ruler(c: Context) -> list[Block]:
    """Put both places on one basis and one horizon."""
    same = {str(r["side"]): r for r in c.rows("side_horizons") if r["horizon"] == "next"}
    values: dict[str, Any] = {}
    for side, row in same.items():
        values |= {
            side: _place(c, side),
            f"n_{side}": row["counted"],
            f"r_{side}": row["reached"],
            f"s_{side}": percent(row["dropped"]),
        }
    told = say("sides.horizon", c.lang, **values)
    gap, refused = c.rows("side_difference")[0], c.value("side_refused")
    ends = {k: points(gap[at]) for k, at in (("value", "estimate"), ("low", "low"), ("high", "high"))}
    reason = refused["reason_en" if c.lang == "en" else "reason"]
    spread = say("sides.difference", c.lang, a=_place(c, "a"), b=_place(c, "b"), reason=reason, **ends)
    return [basis_table(c), Paragraph(told), horizon_table(c), Note(spread, "open")]


def basis_table(c: Context, *, whole: bool = False) -> Table:
    """Lay out the shares below 1, 2 and 3 万元/亩 of either place: of both classes together, or of each too."""
    rows = [r for r in _placed(c, "side_basis") if whole or r["class"] == "all"]
    note, title = say("sides.basis_note", c.lang), say("sides.basis_table", c.lang)
    return tabulate(c, "side_basis", rows, title, note=note, sortable=True)


def horizon_table(c: Context) -> Table:
    """Lay out the first lists at the same and at their own horizon; where the two fall on one year, once."""
    rows = {(r["side"], r["year"]): r for r in _placed(c, "side_horizons")}
    return tabulate(
        c,
        "horizons",
        list(rows.values()),
        say("sides.horizon_table", c.lang),
        note=say("sides.horizon_note", c.lang),
    )


def demand(c: Context) -> list[Block]:
    """Say how demanding either target was at home."""
    return [demand_table(c)]


def demand_table(c: Context) -> Table:
    """Lay out where the lines stand in the places' own distributions."""
    return tabulate(
        c, "demand", _placed(c, "side_demand"), say("sides.demand_table", c.lang), note=say("sides.demand_note", c.lang)
    )


def swapped(c: Context) -> list[Block]:
    """Put either place's firms under the other's rules."""
    return [rules_of_table(c), odds_table(c)]


def _under(c: Context, name: str) -> list[dict[str, Any]]:
    carried = {True: ("是", "yes"), False: ("否", "no")}
    return [
        {**r, "rules_of": _place(c, str(r["rules"])), "carried": carried[bool(r["as_if"])][c.lang == "en"]}
        for r in _placed(c, name)
    ]


def rules_of_table(c: Context) -> Table:
    """Lay out whom either set of rules lists, and what it finds."""
    return tabulate(
        c, "side_rules", _under(c, "side_rules"), say("sides.rules_table", c.lang), note=say("sides.rules_note", c.lang)
    )


def odds_table(c: Context) -> Table:
    """Lay out the odds of targets under either set of rules."""
    rows = [
        {**r, "chance": chance(float(r["probability"]), None, c.lang)}
        for r in _under(c, "side_odds")
        if known(r["probability"])
    ]
    return tabulate(c, "side_odds", rows, say("sides.odds_table", c.lang))


def split(c: Context) -> list[Block]:
    """Split the gap between the two places."""
    ends, parts = c.value("side_ends"), {r["part"]: r["value"] for r in c.rows("side_parts")}
    values = {name: points(value) for name, value in parts.items()}
    told = say("sides.split", c.lang, a=_place(c, "a"), b=_place(c, "b"), va=percent(ends["value_a"]), vb=percent(ends["value_b"]),
               gap=points(ends["value_b"] - ends["value_a"]), **values)  # fmt: skip
    return [Paragraph(told), split_table(c)]


def points(value: float) -> str:
    """Write a difference of shares in percentage points with its sign."""
    text = number(abs(100 * value), 1)
    return text if text == number(0, 1) else f"{'+' if value > 0 else '−'}{text}"


def split_table(c: Context) -> Table:
    """Lay out the parts of the gap."""
    rows = [
        {**r, "points": 100 * r["value"], **{k: 100 * r[k] if known(r[k]) else None for k in ("low", "high")}}
        for r in c.rows("side_parts")
    ]
    return tabulate(
        c, "parts", rows, say("sides.split_table", c.lang), id="parts", note=say("sides.split_note", c.lang)
    )


def moves(c: Context) -> list[Block]:
    """Follow listed and unlisted firms from state to state, and the doors they left by."""
    return [moves_table(c, "a"), moves_table(c, "b"), doors_table(c)]


def moves_table(c: Context, side: str) -> Table:
    """Lay out moves between states: rows before, columns after."""
    rows = [r for r in c.rows("side_transitions") if r["side"] == side]
    counts = {(r["group"], r["before"], r["after"]): int(r["n"]) for r in rows}
    english = c.lang == "en"
    used = [s for s in STATES if any(n for (_, x, y), n in counts.items() if s in (x, y))]
    columns = [Column("group", ("名单", "List")[english]), Column("before", ("原状态", "Before")[english])]
    columns += [Column(s, STATES[s][english], kind="count") for s in used]
    body = [
        (GROUPS[g][english], STATES[s][english], *(counts[g, s, t] for t in used))
        for g in GROUPS
        for s in used
        if any(counts[g, s, t] for t in used)
    ]
    title = say("sides.moves_table", c.lang, place=_place(c, side), year=_about(c, side)["year"])
    return Table(f"moves{side}", title, tuple(columns), tuple(body))


def doors_table(c: Context) -> Table:
    """Lay out by which door firms left the line, both places side by side."""
    by: dict[str, dict[str, Any]] = {}
    for row in c.rows("side_doors"):
        by.setdefault(str(row["door"]), dict(row))[str(row["side"])] = row["n"]
    made = tabulate(
        c, "side_doors", by.values(), say("sides.doors_table", c.lang), note=say("sides.doors_note", c.lang)
    )
    titled = [Column(x.key, _place(c, x.key), x.unit, x.kind) if x.key in ("a", "b") else x for x in made.columns]
    return Table(made.id, made.title, tuple(titled), made.rows, made.source, made.note)


def design(c: Context) -> list[Block]:
    """Show the two documents among many plans, and whom either line falls on."""
    blocks: list[Block] = []
    for side in ("a", "b"):
        blocks += [map_figure(c, side)]
    return [*blocks, burden_table(c, "a", few=True), burden_table(c, "b", few=True)]


def map_figure(c: Context, side: str) -> Figure:
    """Draw the map of plans of one place."""
    from lyeval import figures

    plans, marks = c.frame("plans"), c.frame("plan_points")
    drawn = figures.plans(plans[plans["side"] == side], marks[marks["side"] == side], lang=c.lang)
    title = say("sides.map_figure", c.lang, place=_place(c, side), year=_about(c, side)["base_year"])
    return figures.picture(drawn, f"plans{side}", title, say("sides.map_note", c.lang))


def plans_table(c: Context) -> Table:
    """Lay out many plans counted by firms."""
    rows = [r for r in _placed(c, "plans") if r["unit"] == "count"]
    return tabulate(c, "plans", rows, say("sides.map_table", c.lang), sortable=True)


def burden_table(c: Context, side: str, *, few: bool = False) -> Table:
    """Lay out whom the place's own line falls on; ``few``: by size alone."""
    words = {
        "industry": ("行业大类", "industry"),
        "size": ("用地规模（亩）", "land (mu)"),
        "township": ("镇街", "township"),
    }
    rows = [
        {**r, "by": words[str(r["by"])][c.lang == "en"]}
        for r in c.rows("plan_burden")
        if r["side"] == side and (r["by"] == "size" or not few)
    ]
    return tabulate(c, "burden", rows, say("sides.burden_table", c.lang, place=_place(c, side)), id=f"burden{side}")


def cause(side: str) -> Callable[[Context], list[Block]]:
    """Return the section on one place's effects."""

    def section(c: Context) -> list[Block]:
        return causes(c, side, _place(c, side)) if len(c.frame("effects")) else []

    return section


def closing(c: Context) -> list[Block]:
    """Say where the methods stand and what was fixed beforehand."""
    hashes = "、".join(str(r["sha256"])[:12] for r in c.rows("effect_plan")) or "—"
    tables = [rules_table(c)] if len(c.frame("tax_rules")) else []
    made = c.value("run")
    rerun = [
        f"{label}: {made[key]}"
        for key, label in (("basis", "basis"), ("seed", "seed"), ("draws", "draws"))
        if made.get(key) != ""
    ]
    listed = Bullets(tuple(rerun)) if made and rerun else None
    return [*tables, Paragraph(say("sides.method", c.lang, hashes=hashes)), *([listed] if listed else [])]


def comparison_annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the comparison's annex."""
    c = Context(tables, lang)
    sheets = [
        claims_table(c),
        basis_table(c, whole=True),
        horizon_table(c),
        demand_table(c),
        rules_of_table(c),
        odds_table(c),
        split_table(c),
    ]
    sheets += [moves_table(c, "a"), moves_table(c, "b"), doors_table(c), plans_table(c)]
    sheets += [burden_table(c, side) for side in ("a", "b")]
    if len(c.frame("effects")):
        for side in ("a", "b"):
            place = _place(c, side)
            sheets += [effects_table(c, side, place), refused_table(c, side, place), checks_table(c, side, place)]
        sheets.append(rules_table(c))
    return sheets


def comparison_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the annex's notes sheet."""
    head = say("annex.basis", c.lang)
    keys = ("sides.basis_note", "sides.horizon_note", "sides.rules_note", "causes.caution", "document.footer")
    return [(head, say(key, c.lang)) for key in keys] + [
        (class_text(r["class"], c.meta, c.lang), f"{_place(c, str(r['side']))}: {percent(r['quantile'])}")
        for r in c.rows("side_demand")
    ]


SECTIONS: tuple[tuple[tuple[str, str], Callable[[Context], list[Block]]], ...] = (
    (("一、能说什么、不能说什么", "1. What may be said"), opening),
    (("二、同一把尺", "2. One ruler"), ruler),
    (("三、目标有多高", "3. How demanding the targets were"), demand),
    (("四、换用对方的规则", "4. Under each other's rules"), swapped),
    (("五、差距从何而来", "5. Where the gap comes from"), split),
    (("六、企业去了哪里", "6. Where firms went"), moves),
    (("七、规则设计", "7. Rule design"), design),
    (("八、{a}：影响检验", "8. {a}: effects"), cause("a")),
    (("九、{b}：影响检验", "9. {b}: effects"), cause("b")),
    (("附：税制变动、方法", "Appendix: tax rules, methods"), closing),
)
NAMES = ("about", "basis", "rules", "odds", "horizons", "transitions", "demand", "doors", "claims", "difference")
STATES = {
    "D": ("D类", "grade D"), "below": ("低于标准线", "below"), "above": ("标准线以上", "above"), "exit": ("退出", "left"),
    "unknown": ("不明", "unknown"),
}  # fmt: skip
GROUPS = {"listed": ("名单内", "listed"), "unlisted": ("名单外", "unlisted")}
LINES = {"documents": ("依据文件", "Plans"), "date": ("报告日期", "Date of report")}
