"""What is missing and what it blocks: facts by department, and how far each would narrow a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, Frame, Outcome
from lyeval.assessment.frame import land_of, tax_of
from lyeval.assessment.gaps import exempting
from lyeval.assessment.needs import office_of
from lyeval.assessment.targets import Members, tax_interval
from lyeval.indicators import STATISTICS, Bounded, Tri, count, mean, share


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
    rows = []
    for outcome in assessment.outcomes:
        if outcome.members is not None:
            rows += [_row(assessment, outcome, lack) for lack in _lacks(assessment, outcome) if lack.mask.any()]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(["decides", "narrower", "n", "target", "fact"], ascending=[False, False, False, True, True],
                             kind="stable", ignore_index=True)  # fmt: skip


COLUMNS = [
    "target", "label", "label_en", "fact", "department", "department_en", "n", "land_mu", "width", "narrower", "decides", "credit_codes",
]  # fmt: skip


def _lacks(assessment: Assessment, outcome: Outcome) -> list[_Lack]:
    frame, m = assessment.frame, outcome.members
    assert m is not None
    waits = m.member.possible & (~m.member.true | m.hit.unknown | np.isnan(m.tax) | np.isnan(m.land))
    masks = {
        "tax_wan": np.isnan(m.tax), "land_mu": np.isnan(m.land), "above_scale": frame.above.unknown,
        "finished": frame.exits.gone.unknown, "identified": frame.identified.unknown & ~m.member.true,
    }  # fmt: skip
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
        "target": target.id, "label": target.label, "label_en": target.label_en, "fact": lack.fact, "department": office[0],
        "department_en": office[1], "n": int(lack.mask.sum()), "land_mu": land,
        "width": now, "narrower": narrower, "decides": outcome.status == "undetermined" and left == 0.0 and not told,
        "credit_codes": codes,
    }  # fmt: skip


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
    frame, rows = assessment.frame, []
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
                "fact": fact, "year": year, "n": int(mask.sum()), "land_mu": float(np.nansum(frame.last_land[mask])),
                "department": office_of(fact)[0], "department_en": office_of(fact)[1],
                "credit_codes": [str(c) for c in frame.book.codes[mask]],
            }
            for fact, year, mask in rows
        ],
        columns=["fact", "year", "n", "land_mu", "department", "department_en", "credit_codes"],
    )  # fmt: skip
    return table.sort_values(["n", "year", "fact"], ascending=[False, False, True], kind="stable", ignore_index=True)


def undetermined(assessment: Assessment) -> pd.DataFrame:
    """Count the enterprises whose listing cannot be told, by the facts they lack: facts, n, land_mu."""
    table = assessment.enterprises
    open_ = assessment.standing.listed.unknown & ~assessment.standing.gone.true
    rows = table[open_]
    out = rows.assign(facts=["、".join(m) for m in rows["missing"]]).groupby("facts", sort=True)
    told = out.agg(n=("credit_code", "size"), land_mu=("land_mu", "sum")).reset_index()
    return told.sort_values(["n", "facts"], ascending=[False, True], kind="stable", ignore_index=True)
