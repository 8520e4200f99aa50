"""附: how the doubtful clauses are read, what is assumed, and what it takes to compute the report again."""

from __future__ import annotations

import re
from typing import Any

from lyeval.render import Cell, Paragraph, Table
from lyeval.render.blocks import Block, Heading, Lang
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import known, say, texts


def appendix(c: Context) -> list[Block]:
    """Write the section."""
    blocks: list[Block] = [
        Heading(2, say("appendix.basis", c.lang)),
        Paragraph(say("appendix.basis_text", c.lang)),
        switch_table(c),
    ]
    if len(c.frame("assumptions")):
        blocks += [Heading(2, say("appendix.assumed", c.lang)), Paragraph(assumption_sentence(c)), assumption_table(c)]
    return [
        *blocks,
        Heading(2, say("appendix.again", c.lang)),
        Paragraph(say("appendix.again_text", c.lang)),
        rerun_table(c, seeds=c.research),
    ]


def switch_table(c: Context) -> Table:
    """Lay out every doubtful clause with the reading in force."""
    rows = []
    for r in c.rows("switches"):
        mark = say("appendix.default", c.lang) if r["default"] else Cell(say("appendix.chosen", c.lang), tone="open")
        rows.append({**r, "mark": mark, "kind": KINDS[str(r["kind"])][c.lang == "en"]})
    return tabulate(c, "basis", rows, say("appendix.switch_table", c.lang), source=c.source(), cite=c.document)


def assumption_sentence(c: Context) -> str:
    """Say how many figures are assumed, estimated and measured."""
    marks = c.frame("assumptions")["mark"].tolist()
    return say("appendix.assumed_text", c.lang, n=len(marks), **{m: marks.count(m) for m in MARKS})


def assumption_table(c: Context) -> Table:
    """Lay out every assumed figure with unit, source and mark."""
    rows = [
        {
            **r,
            "path": _path(str(r["path"]), c),
            "numbers": _numbers(str(r["numbers"]), c.lang),
            "mark": MARKS[str(r["mark"])][c.lang == "en"],
        }
        for r in c.rows("assumptions")
    ]
    return tabulate(
        c,
        "assumptions",
        rows,
        say("appendix.assumption_table", c.lang),
        source=say("appendix.assumption_source", c.lang),
    )


def _path(path: str, c: Context) -> str:
    """Name an assumption: the method in the plan's words where there is one, then the figure."""
    parts = path.split(".")
    names = [
        texts()[f"figure.{p}"][c.lang == "en"] if f"figure.{p}" in texts() else p.replace("_", " ")
        for p in parts
        if p != "methods"
    ]
    return " · ".join(names)


def _numbers(text: str, lang: Lang) -> str:
    """Write an assumption's figures: ``mean 0.15, sd 0.3`` as 均值0.15，标准差0.3."""
    if lang == "en":
        return text
    for word in ("mean", "sd", "spread"):
        text = re.sub(rf"\b{word} ", say(f"figure.{word}", lang), text)
    return text.replace(", ", "，")


def rerun_table(c: Context, *, seeds: bool = True) -> Table:
    """Lay out what a rerun needs: sources with their hash, draws and (unless left to the annex) seed, versions, plan and assumptions."""
    lang = c.lang
    rows: list[tuple[str, Any]] = [(say("appendix.plan", lang), f"{c.meta['policy']} {c.document}")]
    for r in c.rows("sources"):
        rows.append((say("appendix.source", lang, name=r["name"]), f"sha256 {r['sha256']}"))
    for name in ("forecast", "simulation"):
        meta = c.value(f"{name}_meta")
        if meta:
            key = "appendix.draws" if seeds else "appendix.drawn"
            values = {k: meta[k] for k in ("assumptions", "as_of")} | {k: int(meta[k]) for k in ("draws", "seed")}
            rows.append((say(f"appendix.{name}", lang), say(key, lang, **values)))
    run = c.value("run")
    if known(run.get("basis")) and run.get("basis"):
        rows.append((say("appendix.fingerprint", lang), str(run["basis"])))
    rows += [(str(r.get("name", r.get("component", ""))), str(r["version"])) for r in c.rows("versions")]
    body = [{"item": item, "value": value} for item, value in rows]
    return tabulate(c, "rerun", body, say("appendix.again_table", lang))


KINDS = {
    "vague": ("含义不明", "vague"), "silent": ("未作规定", "silent"), "contradiction": ("前后不一", "contradiction"),
    "open_norm": ("不确定概念", "open norm"), "missing_document": ("所引文件未收录", "document not held"), "boundary": ("边界", "boundary"),
}  # fmt: skip
MARKS = {"assumed": ("假设", "assumed"), "estimated": ("估计", "estimated"), "measured": ("实测", "measured")}
