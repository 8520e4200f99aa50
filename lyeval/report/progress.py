"""Section 四、处置进展: the list's stock over the year, doors, disposals per method, tax beside the usual rise."""

from __future__ import annotations

from typing import Any

from lyeval.render import Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.rolls import standing_blocks
from lyeval.report.tabulate import Heading, tabulate
from lyeval.report.words import FEW, count, joined, known, listed, named, number, percent, say, sentence, word

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
    return [*blocks, *change_blocks(c), *standing_blocks(c)]


def _flow(c: Context) -> tuple[dict[str, Any], dict[str, int]]:
    total = next(r for r in c.rows("flows") if r["class"] == "all")
    return total, {k: int(v) for k, v in total.items() if k not in KNOWN and v}


def flow_sentence(c: Context) -> str:
    """Say how the list moved over the year: opening + new − ways out − reached − left = closing."""
    total, exits = _flow(c)
    lang = c.lang
    parts = [say("progress.exit", lang, word=word(k, lang), n=v) for k, v in exits.items()]
    gone = say("progress.exits", lang, n=sum(exits.values()), parts=joined(parts, lang)) if exits else ""
    left = say("progress.left", lang, n=total["left_scope"]) if total["left_scope"] else ""
    moved = listed([gone, say("progress.reached", lang, n=total["reached"]), left], lang)
    return say("progress.flow", lang, opening=total["opening"], new=total["new"], moved=moved, closing=total["closing"])


def flow_table(c: Context) -> Table:
    """Lay out the stock by class; ways out that nobody took are left out."""
    rows = [r for r in c.rows("flows") if r["class"] in ("above", "below", "all") or r["opening"] or r["new"]]
    _, exits = _flow(c)
    heads = [FLOW["class"], FLOW["opening"], FLOW["new"]]
    heads += [Heading(k, f"减：{k}", f"− {word(k, 'en')}", "家", "count") for k in exits]
    heads += [FLOW["left_scope"]] if any(r["left_scope"] for r in rows) else []
    heads += [FLOW["reached"], FLOW["closing"]]
    return tabulate(c, "flows", rows, say("progress.flow_table", c.lang, year=c.year), columns=heads,
                    source=c.source("towns", "tax"), note=say("progress.flow_note", c.lang))  # fmt: skip


def door_sentence(c: Context) -> str:
    """Say by which door those below the line in the year before left it."""
    rows = {r["door"]: r for r in c.rows("doors")}
    total = sum(int(r["n"]) for r in rows.values())
    out = [r for k, r in rows.items() if r["n"] and k not in ("still_below", "unknown")]
    through = [say("progress.door", c.lang, door=named(r, c.lang), n=r["n"]) for r in out]
    parts = (
        say("progress.through", c.lang, n=sum(int(r["n"]) for r in out), parts=joined(through, c.lang)) if out else ""
    )
    still, unknown = (int(rows[k]["n"]) if k in rows else 0 for k in ("still_below", "unknown"))
    text = say(
        "progress.doors", c.lang, before=c.year - 1, n=total, parts=parts or say("progress.nobody", c.lang), still=still
    )
    return sentence([text, say("progress.doors_unknown", c.lang, n=unknown) if unknown else ""], c.lang)


def door_table(c: Context) -> Table:
    """Lay out the doors by class; those that nobody took are left out."""
    above, below = c.class_("above"), c.class_("below")
    heads = [Heading("label", "去向", "Door", "", "label"), Heading("above", above, above, "家", "count"),
             Heading("below", below, below, "家", "count"), Heading("n", "合计", "All", "家", "count")]  # fmt: skip
    rows = [r for r in c.rows("doors") if r["n"] or r["door"] == "still_below"]
    return tabulate(c, "doors", rows, say("progress.door_table", c.lang, before=c.year - 1, year=c.year), columns=heads,
                    source=c.source("tax", "land", "statistics"), note=say("progress.door_note", c.lang))  # fmt: skip


def disposal_sentence(c: Context) -> str:
    """Say how many disposals were open, started and finished, by outcome, and what land they released."""
    total = next(r for r in c.rows("disposals_summary") if r["method"] == "all")
    lang = c.lang
    outcomes = [say("progress.outcome", lang, word=word(k, lang), n=n) for k, n in (total["outcomes"] or {}).items()]
    text = say("progress.disposals", lang, **{k: count(total[k]) for k in ("opening", "started", "finished", "closing")},
               outcomes=say("progress.of_which", lang, parts=joined(outcomes, lang)) if outcomes else "")  # fmt: skip
    late = say("progress.overdue", lang, n=total["overdue"]) if total["overdue"] else ""
    undated = say("progress.undated", lang, n=total["undated"]) if total["undated"] else ""
    freed = [say(f"progress.{key}", lang, amount=number(total[key], digits)) for key, digits in (("released_mu", 2), ("demolished_m2", 0))
             if total[key]]  # fmt: skip
    return sentence(
        [text, late, say("progress.freed", lang, parts=listed(freed, lang)) if freed else "", undated], lang
    )


def disposal_table(c: Context) -> Table:
    """Lay out disposals per method; the stock closes in every row."""
    rows = [
        {**r, **{k: r[k] or None for k in ("released_mu", "demolished_m2", "clause")}}
        for r in c.rows("disposals_summary")
    ]
    return tabulate(c, "disposals", rows, say("progress.disposal_table", c.lang, year=c.year), source=c.source("towns"),
                    note=say("progress.disposal_note", c.lang), cite=c.document)  # fmt: skip


def outcome_table(c: Context) -> Table | None:
    """Lay out what was finished in the year, per method by outcome; None where nothing was."""
    rows = [r for r in c.rows("disposals_summary") if r["finished"]]
    names = sorted({k for r in rows for k in r["outcomes"] or {}})
    if not names:
        return None
    heads = [Heading("label", "处置方式", "Method", "", "label")]
    heads += [Heading(f"_{k}", k, word(k, "en"), "件", "count") for k in names]
    heads.append(Heading("finished", "合计", "All", "件", "count"))
    body = [{**r, **{f"_{k}": (r["outcomes"] or {}).get(k, 0) for k in names}} for r in rows]
    return tabulate(c, "outcomes", body, say("progress.outcome_table", c.lang, year=c.year), columns=heads,
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
    rise = say("progress.rise", c.lang, rise=signed(own["rise"])) if known(own["rise"]) and own["n"] >= FEW else ""
    years = sorted({int(r["year"]) for r in c.rows("changes") if r["group"] == "usual" and r["n"]})
    span = str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"
    return say("progress.change", c.lang, n=own["n"], change=say(f"progress.{way}", c.lang, amount=number(abs(change), 0)), rise=rise,
               usual=say("progress.usual_up" if usual >= 0 else "progress.usual_down", c.lang, rise=percent(abs(usual), 0)), span=span)  # fmt: skip


def change_table(c: Context) -> Table:
    """Lay out the groups: listed, unlisted of the same band, and the same band in earlier years."""
    rows = []
    for r in (r for r in c.rows("changes") if r["n"]):
        means = {f"mean_{k}": r[f"tax_{k}"] / r[f"land_{k}"] if r[f"land_{k}"] else None for k in ("before", "after")}
        rise = signed(r["rise"]) if r["n"] >= FEW and known(r["rise"]) else "—"
        rows.append({**r, **means, "rise": rise, "group": say(f"progress.group_{r['group']}", c.lang),
                     "year": str(int(r["year"]))})  # fmt: skip
    return tabulate(c, "changes", rows, say("progress.change_table", c.lang), source=c.source("tax", "land"),
                    note=say("progress.change_note", c.lang))  # fmt: skip


def signed(value: float) -> str:
    """Write a change as a percentage with its sign."""
    return ("+" if value > 0 else "") + percent(value, 0)


FLOW = {
    "class": Heading("class", "类别", "Class", "", "class"),
    "opening": Heading("opening", "年初结转", "Opening", "家", "count"),
    "new": Heading("new", "加：本年新列入", "+ new", "家", "count"),
    "left_scope": Heading("left_scope", "减：退出适用范围", "− left scope", "家", "count"),
    "reached": Heading("reached", "减：达到标准", "− reached", "家", "count"),
    "closing": Heading("closing", "年末结存", "Closing", "家", "count"),
}
