"""Section 七、数据质量与缺口: which missing fact would narrow most, by department; what was told while reading."""

from __future__ import annotations

from typing import Any

from lyeval.render import Bullets, Cell, Note, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.rolls import departments
from lyeval.report.tabulate import tabulate
from lyeval.report.words import amount, count, fact_name, joined, known, named, number, say, sentence

SHOWN = 12  # groups of faults in the body


def quality(c: Context) -> list[Block]:
    """Write the section."""
    blocks: list[Block] = [Paragraph(coverage_sentence(c))]
    first = narrowing_sentence(c)
    if first:
        blocks.append(Note(first, "open"))
        blocks += [narrowing_table(c)] if len(c.frame("narrowing")) else []
    else:
        blocks.append(Paragraph(say("quality.nothing_missing", c.lang)))
    waiting = gap_sentences(c)
    if waiting:
        blocks.append(Bullets(tuple(waiting)))
    if len(c.frame("missing")):
        blocks.append(missing_table(c))
    if len(c.frame("undetermined")):
        blocks.append(undetermined_table(c))
    lacking = departments(c, every=False)
    blocks += [lacking] if lacking is not None else []
    blocks.append(Paragraph(fault_sentence(c)))
    if len(c.frame("fault_groups")):
        blocks.append(fault_table(c))
    return blocks


def coverage_sentence(c: Context) -> str:
    """Say what the ledger holds of the year and of the year before."""
    rows = [r for r in c.rows("coverage") if r["sheet"] == "annual" and r["year"] in (c.year - 1, c.year)]
    parts = [
        say("quality.coverage", c.lang, year=r["year"], rows=count(r["rows"]), tax=count(r["tax_wan"] or 0), land=count(r["land_mu"] or 0),
            above=count(r["above_scale"] or 0))
        for r in rows
    ]  # fmt: skip
    sheets = [str(r["label"]) for r in c.rows("coverage") if r["sheet"] not in ("enterprises", "annual")]
    more = (
        say("quality.sheets", c.lang, names=joined(list(dict.fromkeys(sheets)), c.lang))
        if sheets and c.lang == "zh"
        else ""
    )
    return sentence([*parts, more], c.lang)


def narrowing_sentence(c: Context) -> str:
    """Say which absent exemption could turn a target, else which missing fact would narrow one most; empty where none would."""
    rows = [r for r in c.rows("narrowing") if r["decides"] or (known(r["narrower"]) and r["narrower"] > 0)]
    exempt = [r for r in c.rows("could_turn") if r["kind"] == "absent_column"]
    if exempt:
        names = joined(list(dict.fromkeys(named(r, c.lang) for r in exempt)), c.lang)
        n = max(int(r["n"]) for r in exempt)
        return say("quality.exempt", c.lang, facts=names, n=n)
    if not rows:
        return ""
    row, lang = rows[0], c.lang
    text = say("quality.narrow", lang, n=row["n"], fact=fact_name(row["fact"], lang), office=_office(row, lang), label=named(row, lang),
               by=_points(row["narrower"], row, c))  # fmt: skip
    return text + (say("quality.settles", lang) if row["decides"] else say("quality.end", lang))


def _points(value: Any, row: dict[str, Any], c: Context) -> str:
    """Write a width of a target's value in its own unit."""
    target = next((r for r in c.rows("targets") if r["id"] == row["target"]), None)
    if not known(value) or target is None:
        return "—"
    if target["kind"] == "share":
        return number(value * 100, 2) + {"zh": "个百分点", "en": " points"}[c.lang]
    return amount(number(value, 2 if target["kind"] == "mean" else 0), target["unit"], c.lang)


def _office(row: dict[str, Any], lang: str) -> str:
    return str(row["department_en" if lang == "en" else "department"])


def narrowing_table(c: Context) -> Table:
    """Lay out missing facts by how far each would narrow a target."""
    yes = Cell({"zh": "可判定", "en": "settles it"}[c.lang], tone="good")
    rows = [
        {**r, "fact": fact_name(r["fact"], c.lang), "by": _points(r["narrower"], r, c), "settles": yes if r["decides"] else "—"}
        for r in c.rows("narrowing")
    ]  # fmt: skip
    return tabulate(c, "narrowing", rows, say("quality.narrow_table", c.lang), source=c.source(),
                    note=say("quality.narrow_note", c.lang))  # fmt: skip


def gap_sentences(c: Context) -> list[str]:
    """Say which departments owe what: facts that a verdict waits for, and facts taken otherwise for want of them."""
    told = {r["fact"] for r in c.rows("narrowing")}
    targets = {r["id"]: r for r in c.rows("targets")}
    out = []
    for r in (r for r in c.rows("gaps") if r["fact"] not in told):
        touched = [targets[t] for t in str(r["targets"]).split("、") if t in targets]
        open_ = [t for t in touched if t["status"] == "undetermined"]
        names = joined([f"“{named(t, c.lang)}”" for t in open_ or touched], c.lang)
        key = "quality.gap" if open_ else "quality.gap_taken"
        out.append(
            say(key, c.lang, office=department(r, c.lang), fact=fact_name(r["fact"], c.lang), n=r["n"], targets=names)
        )
    return out


def department(row: dict[str, Any], lang: str) -> str:
    """Return the department that owes a fact."""
    from lyeval.assessment.needs import office_of

    return office_of(str(row["fact"]))[lang == "en"]


def missing_table(c: Context) -> Table:
    """Lay out the facts that enterprises in scope lack, by department."""
    rows = [{**r, "fact": fact_name(f"{r['fact']}@{r['year']}", c.lang)} for r in c.rows("missing")]
    return tabulate(c, "missing", rows, say("quality.missing_table", c.lang), source=c.source(),
                    note=say("quality.missing_note", c.lang))  # fmt: skip


def undetermined_table(c: Context) -> Table:
    """Lay out whom the list cannot be decided for, by the facts they lack."""
    rows = []
    for r in c.rows("undetermined"):
        facts = [fact_name(f, c.lang) for f in str(r["facts"]).split("、") if f]
        rows.append({**r, "facts": joined(facts, c.lang) or None})
    return tabulate(c, "undetermined", rows, say("quality.undetermined_table", c.lang), source=c.source())


def fault_sentence(c: Context) -> str:
    """Say how many things were told while reading the ledger."""
    rows = c.rows("fault_groups")
    counts = {s: sum(int(r["count"]) for r in rows if r["severity"] == s) for s in ("warning", "gap")}
    if not any(counts.values()):
        return say("quality.no_faults", c.lang)
    return say("quality.faults", c.lang, warnings=counts["warning"], gaps=counts["gap"], kinds=len(rows))


def fault_table(c: Context) -> Table:
    """Lay out what was told, one line per rule, the most frequent first."""
    rows = sorted(c.rows("fault_groups"), key=lambda r: (r["severity"] != "warning", -int(r["count"]), str(r["rule"])))
    body = [{**r, "severity": SEVERITY[str(r["severity"])][c.lang == "en"]} for r in rows[:SHOWN]]
    note = say("quality.fault_note", c.lang, n=len(rows)) if len(rows) > SHOWN else say("quality.fault_all", c.lang)
    return tabulate(c, "faults", body, say("quality.fault_table", c.lang), source=c.source(), note=note)


SEVERITY = {"error": ("错误", "error"), "warning": ("提示", "warning"), "gap": ("缺口", "gap")}
