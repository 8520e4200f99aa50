"""What was read, what is amiss in it (faults, characters no font has), and what is missing and would narrow a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, Frame, Outcome
from lyeval.assessment.frame import land_of, tax_of
from lyeval.assessment.gaps import exempting
from lyeval.assessment.needs import office_of
from lyeval.assessment.targets import Members, tax_interval
from lyeval.indicators import STATISTICS, Bounded, Tri, count, mean, share
from lyeval.ledger import Ledger
from lyeval.policy import Policy
from lyeval.render.faces import loaded
from lyeval.render.glyphs import lacking, one_line

Tables = dict[str, Any]


@dataclass(frozen=True)
class _Lack:
    fact: str
    mask: np.ndarray


def narrowing(assessment: Assessment) -> pd.DataFrame:
    """Tell how much of each target's span each missing fact accounts for.

    Returns
    -------
    DataFrame
        target, label, label_en, fact, department, department_en, n (enterprises that lack it), land_mu (of them, as far as known), width (of the
        bounds as they are), narrower (by how much they would close if these enterprises' facts were known), decides (it would settle an
        undetermined target), credit_codes. Most first.
    """
    rows: list[Any] = []
    for outcome in assessment.outcomes:
        if outcome.members is not None:
            rows += [_row(assessment, outcome, lack) for lack in _lacks(assessment, outcome) if lack.mask.any()]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(
        ["decides", "narrower", "n", "target", "fact"],
        ascending=[False, False, False, True, True],
        kind="stable",
        ignore_index=True,
    )


COLUMNS = [
    "target",
    "label",
    "label_en",
    "fact",
    "department",
    "department_en",
    "n",
    "land_mu",
    "width",
    "narrower",
    "decides",
    "credit_codes",
]


def _lacks(assessment: Assessment, outcome: Outcome) -> list[_Lack]:
    frame, m = assessment.frame, outcome.members
    assert m is not None
    waits = m.member.possible & (~m.member.true | m.hit.unknown | np.isnan(m.tax) | np.isnan(m.land))
    masks = {
        "tax_wan": np.isnan(m.tax),
        "land_mu": np.isnan(m.land),
        "above_scale": frame.above.unknown,
        "finished": frame.exits.gone.unknown,
        "identified": frame.identified.unknown & ~m.member.true,
    }
    return [_Lack(name, mask & waits) for name, mask in masks.items()]


def _row(assessment: Assessment, outcome: Outcome, lack: _Lack) -> dict[str, object]:
    target, now = outcome.target, _width(_without(assessment.frame, outcome, np.zeros_like(lack.mask)))
    told = any(exempting(name) for name in outcome.missing)
    rest = _without(assessment.frame, outcome, lack.mask)
    left = _width(rest)
    narrower = None if now is None or left is None else max(0.0, now - left)
    office = office_of(lack.fact)
    codes = [str(c) for c in assessment.frame.book.codes[lack.mask]]
    land = float(np.nansum(outcome.members.land[lack.mask])) if outcome.members else 0.0
    return {
        "target": target.id,
        "label": target.label,
        "label_en": target.label_en,
        "fact": lack.fact,
        "department": office[0],
        "department_en": office[1],
        "n": int(lack.mask.sum()),
        "land_mu": land,
        "width": now,
        "narrower": narrower,
        "decides": outcome.status == "undetermined" and left == 0.0 and not told,
        "credit_codes": codes,
    }


def _width(b: Bounded) -> float | None:
    return None if b.low is None or b.high is None else float(b.high - b.low)


def _without(frame: Frame, outcome: Outcome, mask: np.ndarray) -> Bounded:
    """Bound the statistic with some enterprises set aside: what would be left open if their facts were known."""
    m, stat = outcome.members, STATISTICS[outcome.target.statistic]
    assert isinstance(m, Members)
    member = m.member & Tri.of(~mask)
    if stat.kind == "mean":
        return mean(member, tax_interval(m.tax), (m.land, m.lowest, m.highest))
    return count(member, m.hit) if stat.kind == "count" else share(member, m.hit, m.weight, m.lowest, m.highest)


def missing_facts(assessment: Assessment) -> pd.DataFrame:
    """List every fact that an enterprise in scope lacks: fact, year, n, land_mu, department, the enterprises, most first."""
    frame, rows = assessment.frame, list[Any]()
    here = assessment.standing.in_scope.possible & ~assessment.standing.gone.true
    for year in (assessment.year - 1, assessment.year):
        for fact, blank in (
            ("tax_wan", np.isnan(tax_of(frame.policy, frame.book, year))),
            ("land_mu", np.isnan(land_of(frame.policy, frame.book, year))),
            ("above_scale", frame.book.annual_flag("above_scale", year).unknown),
        ):
            mask = blank & here & (frame.book.rows(year) >= 0)
            if mask.any():
                rows.append((fact, year, mask))
    table = pd.DataFrame(
        [
            {
                "fact": fact,
                "year": year,
                "n": int(mask.sum()),
                "land_mu": float(np.nansum(frame.last_land[mask])),
                "department": office_of(fact)[0],
                "department_en": office_of(fact)[1],
                "credit_codes": [str(c) for c in frame.book.codes[mask]],
            }
            for fact, year, mask in rows
        ],
        columns=["fact", "year", "n", "land_mu", "department", "department_en", "credit_codes"],
    )
    return table.sort_values(["n", "year", "fact"], ascending=[False, False, True], kind="stable", ignore_index=True)


def undetermined(assessment: Assessment) -> pd.DataFrame:
    """Count the enterprises whose listing cannot be told, by the facts they lack: facts, n, land_mu."""
    table = assessment.enterprises
    open_ = assessment.standing.listed.unknown & ~assessment.standing.gone.true
    rows = table[open_]
    out = rows.assign(facts=["、".join(m) for m in rows["missing"]]).groupby("facts", sort=True)
    told = out.agg(n=("credit_code", "size"), land_mu=("land_mu", "sum")).reset_index()
    return told.sort_values(["n", "facts"], ascending=[False, True], kind="stable", ignore_index=True)


def ledger_tables(ledger: Ledger, policy: Policy | None = None) -> Tables:
    """Return what was read (notebook 01): sources, coverage, totals, faults, fault_groups.

    What an auditor would ask (`lyeval.ledger.checks`) is told with the faults; 达标 is held against the lines of ``policy``.

    Returns
    -------
    dict
        ``sources`` (name, sha256, kind), ``coverage`` (sheet, year, rows, enterprises, and how many have tax, land, class), ``totals``
        (per year: enterprises, tax_wan, land_mu, tax_per_mu over those with both), ``faults`` (one row a fault, with its text),
        ``fault_groups`` (one row a rule).
    """
    from lyeval.assessment import class_lines, statement_term
    from lyeval.ledger import audit, grouped

    asked = audit(ledger, class_lines(policy, ledger.years), statement_term(policy)) if policy else audit(ledger)
    told, unfit = (*ledger.faults, *asked), _undrawable(ledger)
    faults = [
        {
            **{k: getattr(f, k) for k in FAULT_COLUMNS if not k.startswith(("title", "text"))},
            **_worded(f.rule, f.message("zh"), f.message("en")),
        }
        for f in told
    ]
    groups = [
        {"severity": g.severity, "rule": g.rule, "count": g.count, **_worded(g.rule, g.text("zh"), g.text("en"))}
        for g in grouped(told)
    ]
    if unfit:
        groups.append({**{k: unfit[0][k] for k in GROUP_COLUMNS}, "count": len(unfit)})
    sources = [vars(s) for s in ledger.sources] or None
    return {
        "sources": pd.DataFrame(sources, columns=["name", "sha256", "kind"], dtype=object),
        "coverage": _coverage(ledger),
        "totals": _totals(ledger),
        "faults": pd.DataFrame([*faults, *unfit], columns=FAULT_COLUMNS, dtype=object),
        "fault_groups": pd.DataFrame(groups, columns=GROUP_COLUMNS),
    }


def _worded(rule: str, zh: str, en: str) -> dict[str, str]:
    """Return a rule's title and what is told by it in both languages."""
    from lyeval.ledger import RULES

    return {"title": RULES[rule].title("zh"), "title_en": RULES[rule].title("en"), "text": zh, "text_en": en}


PLACE = ["file", "sheet", "row", "heading", "value"]
FAULT_COLUMNS = ["severity", "rule", "title", "title_en", *PLACE, "count", "text", "text_en"]
GROUP_COLUMNS = ["severity", "rule", "count", "title", "title_en", "text", "text_en"]


def _coverage(ledger: Ledger) -> pd.DataFrame:
    """Count rows by sheet, and by year where the sheet has years."""
    from lyeval.ledger.columns import SHEETS

    rows: list[Any] = []
    for sheet, (label, _) in SHEETS.items():
        frame: pd.DataFrame = getattr(ledger, sheet)
        parts = [(int(g["year"].iloc[0]), g) for _, g in frame.groupby("year")] if "year" in frame else [(None, frame)]
        for year, part in parts if ledger.has(sheet) else []:
            firms = part["credit_code"].nunique() if "credit_code" in part else None
            known = {
                c: int(part[c].notna().sum()) if c in part else None for c in ("tax_wan", "land_mu", "above_scale")
            }
            rows.append(
                {"sheet": sheet, "label": label, "year": year, "rows": len(part), "enterprises": firms, **known}
            )
    columns = ["sheet", "label", "year", "rows", "enterprises", "tax_wan", "land_mu", "above_scale"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _totals(ledger: Ledger) -> pd.DataFrame:
    """Sum tax and land by year over the enterprises that have both."""
    annual = ledger.annual
    if "tax_wan" not in annual or "land_mu" not in annual:
        return pd.DataFrame(columns=["year", "enterprises", "both", "tax_wan", "land_mu", "tax_per_mu"], dtype=object)
    rows: list[Any] = []
    for year, part in annual.groupby("year", sort=True):
        both = part[part["tax_wan"].notna() & (part["land_mu"] > 0)]
        tax, land = float(both["tax_wan"].sum()), float(both["land_mu"].sum())
        rows.append((int(str(year)), part["credit_code"].nunique(), len(both), tax, land, tax / land if land else None))
    return pd.DataFrame(rows, columns=["year", "enterprises", "both", "tax_wan", "land_mu", "tax_per_mu"])


UNFIT = {"severity": "warning", "rule": "no_glyph", "title": "字体没有的字", "title_en": "characters that no font has"}
UNFIT_TEXT = {
    "text": "“{value}”含字体没有的字{signs}，PDF和图中以〓代替；请核对或换用通行字。",
    "text_en": "{value} has characters that no font has: {signs}; pages print 〓 for them. Check them, or use common ones.",
}
DRAWN = {"name": "企业名称", "township": "镇街", "county": "县区"}


def _undrawable(ledger: Ledger) -> list[dict[str, Any]]:
    """Return one row of the table of faults for each name with a character that no shipped font draws, by place in the ledger."""
    frame, rows = ledger.enterprises, list[Any]()
    with loaded() as faces:
        covered = faces.covered
    for column, heading in DRAWN.items():
        values = [str(v) for v in frame[column].dropna().unique()] if column in frame else []
        odd = {v: signs for v in values if (signs := lacking([one_line(v)], covered))}
        mine = frame[frame[column].isin(odd)] if odd else frame.iloc[:0]
        rows += [_unfit(r, column, heading, odd[str(r[column])]) for r in mine.to_dict("records")]
    return sorted(rows, key=lambda row: (row["file"], row["sheet"], row["row"], row["heading"]))


def _unfit(firm: dict[Any, Any], column: str, heading: str, signs: list[str]) -> dict[str, Any]:
    zh = "、".join(f"{sign}（U+{ord(sign):X}）" for sign in signs)
    en = ", ".join(f"{sign} (U+{ord(sign):X})" for sign in signs)
    texts = {k: UNFIT_TEXT[k].format(value=firm[column], signs=s) for k, s in (("text", zh), ("text_en", en))}
    place = (firm["source_file"], firm["source_sheet"], int(firm["source_row"]), heading, str(firm[column]))
    return {**UNFIT, **dict(zip(PLACE, place, strict=True)), "count": 1, **texts}
