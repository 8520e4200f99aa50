"""附: how the doubtful clauses are read, what is assumed, and what it takes to compute the report again."""

from __future__ import annotations

from typing import Any

from lyeval.render import Cell, Paragraph, Table
from lyeval.render.blocks import Block, Heading
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import known, say


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
        rerun_table(c),
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
        {**r, "path": _path(str(r["path"]), c), "mark": MARKS[str(r["mark"])][c.lang == "en"]}
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
    names = [FIGURES[p][c.lang == "en"] if p in FIGURES else p.replace("_", " ") for p in parts if p != "methods"]
    return " · ".join(names)


def rerun_table(c: Context) -> Table:
    """Lay out what a rerun needs: sources with their hash, seed, draws, versions, plan and assumptions."""
    lang = c.lang
    rows: list[tuple[str, Any]] = [(say("appendix.plan", lang), f"{c.meta['policy']}（{c.meta['document']}）")]
    for r in c.rows("sources"):
        rows.append((say("appendix.source", lang, name=r["name"]), f"sha256 {r['sha256']}"))
    for name in ("forecast", "simulation"):
        meta = c.value(f"{name}_meta")
        if meta:
            rows.append((say(f"appendix.{name}", lang), say("appendix.draws", lang, draws=int(meta["draws"]), seed=int(meta["seed"]),
                                                     assumptions=meta["assumptions"], as_of=meta["as_of"])))  # fmt: skip
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
FIGURES = {
    "upgrade": ("帮扶提升", "upgrade"), "rectify": ("限期整改", "rectify"), "merge": ("并购重组", "merge"), "partition": ("分割转让", "partition"),
    "land_bank": ("收购储备", "land bank"), "judicial": ("司法解决", "judicial"), "shut_down": ("关停", "shut down"),
    "contract": ("按合同", "as contracted"), "success": ("一年期内办成的概率", "chance of success"), "monthly_hazard": ("每月办成的可能", "monthly hazard"),
    "duration": ("所需时间", "duration"), "log_tax": ("税收变动", "change of log tax"), "land_share": ("退出的用地份额", "share of land that leaves"),
    "cost": ("费用", "cost"), "common_shock": ("全县共同波动", "common shock"), "sd": ("标准差", "standard deviation"),
    "df": ("自由度", "degrees of freedom"), "own_spread": ("单个企业波动", "own spread"), "response": ("临近标准企业入库变动", "response near the line"),
    "band": ("范围", "band"), "scenarios": ("情景", "scenarios"), "near_line": ("临近标准", "near the line"),
    "plan_deadline": ("提交方案时限", "deadline of the plan"), "clearly_higher": ("“明显高于”", "clearly higher"),
}  # fmt: skip
