"""Section 四、处置进展: the list's stock over the year, doors, disposals per method, tax beside the usual rise."""

from __future__ import annotations

from typing import Any

from lyeval.render import Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context, Spec, columns
from lyeval.report.words import count, known, listed, named, number, percent, say, sentence, unit_name, word

KNOWN = ("class", "opening", "new", "left_scope", "reached", "closing")


def progress(c: Context) -> list[Block]:
    """Write the section."""
    blocks: list[Block] = [Paragraph(flow_sentence(c)), flow_table(c)]
    blocks += [Paragraph(door_sentence(c)), door_table(c)]
    if len(c.frame("disposals")):
        blocks += [Paragraph(disposal_sentence(c)), disposal_table(c)]
        outcomes = outcome_table(c)
        blocks += [outcomes] if outcomes else []
    else:
        blocks.append(Paragraph(say("progress.no_disposals", c.lang)))
    return blocks + change_blocks(c)


def _flow(c: Context) -> tuple[dict[str, Any], dict[str, int]]:
    total = next(r for r in c.rows("flows") if r["class"] == "all")
    return total, {k: int(v) for k, v in total.items() if k not in KNOWN and v}


def flow_sentence(c: Context) -> str:
    """Say how the list moved over the year: opening + new − ways out − reached − left = closing."""
    total, exits = _flow(c)
    lang = c.lang
    parts = [say("progress.exit", lang, word=word(k, lang), n=v) for k, v in exits.items()]
    gone = say("progress.exits", lang, n=sum(exits.values()), parts=listed(parts, lang)) if exits else ""
    left = say("progress.left", lang, n=total["left_scope"]) if total["left_scope"] else ""
    moved = listed([gone, say("progress.reached", lang, n=total["reached"]), left], lang)
    return say("progress.flow", lang, opening=total["opening"], new=total["new"], moved=moved, closing=total["closing"])


def flow_table(c: Context) -> Table:
    """Lay out the stock by class; ways out that nobody took are left out."""
    rows = [r for r in c.rows("flows") if r["class"] in ("above", "below", "all") or r["opening"] or r["new"]]
    _, exits = _flow(c)
    spec: list[Spec] = [FLOW["class"], FLOW["opening"], FLOW["new"]]
    spec += [(k, f"减：{k}", f"− {word(k, 'en')}", "家", "count") for k in exits]
    spec += [FLOW["left_scope"]] if any(r["left_scope"] for r in rows) else []
    spec += [FLOW["reached"], FLOW["closing"]]
    body = [(c.class_(r["class"]), *(r[key] for key, *_ in spec[1:])) for r in rows]
    return Table("flows", say("progress.flow_table", c.lang, year=c.year), columns(tuple(spec), c.lang), tuple(body),
                 source=c.source("towns", "tax"), note=say("progress.flow_note", c.lang))  # fmt: skip


def door_sentence(c: Context) -> str:
    """Say by which door those below the line in the year before left it."""
    rows = {r["door"]: r for r in c.rows("doors")}
    total = sum(int(r["n"]) for r in rows.values())
    through = [say("progress.door", c.lang, door=named(r, c.lang), n=r["n"]) for k, r in rows.items()
               if r["n"] and k not in ("still_below", "unknown")]  # fmt: skip
    still = int(rows["still_below"]["n"]) if "still_below" in rows else 0
    text = say("progress.doors", c.lang, before=c.year - 1, n=total, parts=listed(through, c.lang) or say("progress.nobody", c.lang),
               still=still)  # fmt: skip
    unknown = int(rows["unknown"]["n"]) if "unknown" in rows else 0
    return sentence([text, say("progress.doors_unknown", c.lang, n=unknown) if unknown else ""], c.lang)


def door_table(c: Context) -> Table:
    """Lay out the doors by class."""
    body = [(named(r, c.lang), r["above"], r["below"], r["n"]) for r in c.rows("doors")]
    return Table("doors", say("progress.door_table", c.lang, before=c.year - 1, year=c.year), columns(_door_spec(c), c.lang),
                 tuple(body), source=c.source("tax", "land", "statistics"), note=say("progress.door_note", c.lang))  # fmt: skip


def _door_spec(c: Context) -> tuple[Spec, ...]:
    above, below = c.class_("above"), c.class_("below")
    return (
        ("door", "去向", "Door", "", "text"), ("above", above, above, "家", "count"), ("below", below, below, "家", "count"),
        ("n", "合计", "All", "家", "count"),
    )  # fmt: skip


def disposal_sentence(c: Context) -> str:
    """Say how many disposals were open, started and finished, by outcome, and what land they released."""
    total = next(r for r in c.rows("disposals_summary") if r["method"] == "all")
    lang = c.lang
    outcomes = [say("progress.outcome", lang, word=word(k, lang), n=n) for k, n in (total["outcomes"] or {}).items()]
    text = say("progress.disposals", lang, **{k: count(total[k]) for k in ("opening", "started", "finished", "closing")},
               outcomes=say("progress.of_which", lang, parts=listed(outcomes, lang)) if outcomes else "")  # fmt: skip
    late = say("progress.overdue", lang, n=total["overdue"]) if total["overdue"] else ""
    undated = say("progress.undated", lang, n=total["undated"]) if total["undated"] else ""
    freed = [say(f"progress.{key}", lang, amount=number(total[key], digits)) for key, digits in (("released_mu", 2), ("demolished_m2", 0))
             if total[key]]  # fmt: skip
    return sentence(
        [text, late, say("progress.freed", lang, parts=listed(freed, lang)) if freed else "", undated], lang
    )


def disposal_table(c: Context) -> Table:
    """Lay out disposals per method; the stock closes in every row."""
    rows = c.rows("disposals_summary")
    body = [
        (named(r, c.lang), r["opening"], r["started"], r["finished"], r["closing"], r["overdue"], r["released_mu"] or None,
         r["demolished_m2"] or None, r["clause"] or None)
        for r in rows
    ]  # fmt: skip
    return Table("disposals", say("progress.disposal_table", c.lang, year=c.year), columns(DISPOSALS, c.lang), tuple(body),
                 source=c.source("towns"), note=say("progress.disposal_note", c.lang), cite=str(c.meta["document"]))  # fmt: skip


def outcome_table(c: Context) -> Table | None:
    """Lay out what was finished in the year, per method by outcome; None where nothing was."""
    rows = [r for r in c.rows("disposals_summary") if r["finished"]]
    names = sorted({k for r in rows for k in r["outcomes"] or {}})
    if not names:
        return None
    spec: list[Spec] = [("method", "处置方式", "Method", "", "text")]
    spec += [(k, k, word(k, "en"), "件", "count") for k in names]
    spec.append(("all", "合计", "All", "件", "count"))
    body = [(named(r, c.lang), *((r["outcomes"] or {}).get(k, 0) for k in names), r["finished"]) for r in rows]
    return Table("outcomes", say("progress.outcome_table", c.lang, year=c.year), columns(tuple(spec), c.lang), tuple(body),
                 source=c.source("towns"), note=say("progress.outcome_note", c.lang))  # fmt: skip


def change_blocks(c: Context) -> list[Block]:
    """Show the listed firms' tax beside the usual rise of the same band; nothing at all where there is nothing to hold it against."""
    rows = [r for r in c.rows("changes") if r["n"]]
    if not any(r["group"] == "listed" for r in rows):
        return []
    return (
        [Paragraph(change_sentence(c)), change_table(c)]
        if usual_rise(c) is not None
        else [Paragraph(change_sentence(c))]
    )


def usual_rise(c: Context) -> float | None:
    """Return by how much firms of the same band rise in a year when nobody lists them: Σ after / Σ before − 1 over the earlier years."""
    rows = [r for r in c.rows("changes") if r["group"] == "usual" and r["n"]]
    before, after = sum(r["tax_before"] for r in rows), sum(r["tax_after"] for r in rows)
    return after / before - 1 if before > 0 else None


def change_sentence(c: Context) -> str:
    """Say what the listed firms' tax did beside the usual rise; without earlier years nothing is claimed."""
    own = next(r for r in c.rows("changes") if r["group"] == "listed")
    usual = usual_rise(c)
    if usual is None or not own["n"]:
        return say("progress.no_usual", c.lang)
    change = own["tax_after"] - own["tax_before"]
    way = "more" if change >= 0 else "less"
    rise = say("progress.rise", c.lang, rise=percent(own["rise"], 0)) if known(own["rise"]) and own["n"] >= 10 else ""
    years = sorted({int(r["year"]) for r in c.rows("changes") if r["group"] == "usual" and r["n"]})
    span = str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"
    return say("progress.change", c.lang, n=own["n"], change=say(f"progress.{way}", c.lang, amount=number(abs(change), 0)), rise=rise,
               usual=say("progress.usual_up" if usual >= 0 else "progress.usual_down", c.lang, rise=percent(abs(usual), 0)), span=span)  # fmt: skip


def change_table(c: Context) -> Table:
    """Lay out the groups: listed, unlisted of the same band, and the same band in earlier years."""
    body = []
    for r in c.rows("changes"):
        if not r["n"]:
            continue
        means = [r[f"tax_{k}"] / r[f"land_{k}"] if r[f"land_{k}"] else None for k in ("before", "after")]
        rise = r["rise"] if r["n"] >= 10 else None
        body.append((say(f"progress.group_{r['group']}", c.lang), f"{int(r['year']) - 1}–{int(r['year'])}", r["n"], r["tax_before"],
                     r["tax_after"], rise, *means))  # fmt: skip
    return Table("changes", say("progress.change_table", c.lang), columns(CHANGES, c.lang), tuple(body),
                 source=c.source("tax", "land"), note=say("progress.change_note", c.lang, mu=unit_name("亩", c.lang)))  # fmt: skip


FLOW: dict[str, Spec] = {
    "class": ("class", "类别", "Class", "", "text"), "opening": ("opening", "年初结转", "Opening", "家", "count"),
    "new": ("new", "加：本年新列入", "+ new", "家", "count"), "left_scope": ("left_scope", "减：退出适用范围", "− left scope", "家", "count"),
    "reached": ("reached", "减：达到标准", "− reached", "家", "count"), "closing": ("closing", "年末结存", "Closing", "家", "count"),
}  # fmt: skip
DISPOSALS: tuple[Spec, ...] = (
    ("method", "处置方式", "Method", "", "text"), ("opening", "年初在办", "Open at start", "件", "count"),
    ("started", "加：本年启动", "+ started", "件", "count"), ("finished", "减：本年办结", "− finished", "件", "count"),
    ("closing", "年末在办", "Open at end", "件", "count"), ("overdue", "其中逾期", "of which overdue", "件", "count"),
    ("released", "腾出土地", "Land released", "亩", "number"), ("demolished", "拆除面积", "Demolished", "m²", "number:0"),
    ("clause", "条款", "Clause", "", "text"),
)  # fmt: skip
CHANGES: tuple[Spec, ...] = (
    ("group", "企业组", "Group", "", "text"), ("years", "年份", "Years", "", "text"), ("n", "家数", "Firms", "家", "count"),
    ("before", "前一年税收", "Tax before", "万元", "number:0"), ("after", "后一年税收", "Tax after", "万元", "number:0"),
    ("rise", "变动", "Change", "", "percent:0"), ("mean_before", "前一年亩均", "Per mu before", "万元/亩", "number"),
    ("mean_after", "后一年亩均", "Per mu after", "万元/亩", "number"),
)  # fmt: skip
