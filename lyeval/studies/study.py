"""All questions of cause that a county's ledger and plan allow (政策影响的检验), asked in one fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect import Effect, drawn, holm, tax_rule_years
from lyeval.effect.estimate import chance
from lyeval.ledger import Ledger
from lyeval.policy import Policy
from lyeval.studies.questions import Case, Specification, lay_out, listing, run
from lyeval.textfiles import digest


@dataclass(frozen=True, eq=False)
class Study:
    """What may be said of a plan's effect in one county.

    Attributes
    ----------
    policy, first_year, base_year
        The plan; its first year; the year that the first list rests on.
    table
        One row per specification: id, design, outcome, family, estimand (and ``_en``), estimate, std_error, p_value, p_holm,
        low, high, minimum_detectable, n, n_listed, n_unlisted, bound_low, bound_high, verdict, sentence, sentence_en,
        reason, reason_en.
    checks
        One row per check: id, check, passed (True, False or None), value, note, note_en.
    drawn
        What the figures show: id and the columns of `effect.drawn`.
    rules
        The tax-rule years of the place.
    effects
        By specification.
    sha256
        Of the list of specifications, fixed before any was run.
    """

    policy: str
    first_year: int
    base_year: int
    table: pd.DataFrame
    checks: pd.DataFrame
    drawn: pd.DataFrame
    rules: pd.DataFrame
    effects: Mapping[str, Effect]
    sha256: str

    def tidy(self) -> pd.DataFrame:
        """Return the estimates."""
        return self.table

    def __repr__(self) -> str:
        counts = self.table["verdict"].value_counts().sort_index()
        told = ", ".join(f"{name} {n}" for name, n in counts.items())
        return (
            f"<Study {self.policy} from {self.first_year}: {len(self.table)} specifications {self.sha256[:12]}; {told}>"
        )

    def _repr_html_(self) -> str:
        return str(self.table[["id", "estimate", "low", "high", "p_holm", "verdict"]].to_html(index=False, na_rep="—"))


def study(
    ledger: Ledger,
    policy: str | Policy,
    *,
    readings: Mapping[str, str] | None = None,
    draws: int = 500,
    seed: int = 0,
) -> Study:
    """Ask every question of cause that a ledger and plan allow (政策影响的检验).

    The list of specifications depends on the plan alone; what the ledger cannot carry, or no ledger could, comes back as
    refused with the reason. P-values of one family are adjusted together (Holm).

    Parameters
    ----------
    readings
        Options of the plan's doubtful clauses.
    draws, seed
        Of the no-policy projection.

    Examples
    --------
    >>> import lyeval as ly
    >>> found = ly.study(ly.read_ledger("sample:zhoushan-shengsi"), "zhoushan-2020", draws=100)
    >>> found.table.loc[found.table["id"] == "rd_target", "verdict"].item()
    'refused'
    """
    case = lay_out(ledger, policy, readings=readings, draws=draws, seed=seed)
    asked = listing(case)
    effects = {one.id: run(one, case) for one in asked}
    adjusted = _adjusted(asked, effects)
    rows = [_row(one, effects[one.id], adjusted[one.id]) for one in asked]
    checks = [
        {"id": name, "check": c.name, "passed": c.passed, "value": c.value, "note": c.note_zh, "note_en": c.note_en}
        for name, found in effects.items()
        for c in found.checks
    ]
    table = pd.DataFrame(checks, columns=["id", "check", "passed", "value", "note", "note_en"])
    shown = [_within(drawn(effects[one.id]), one).assign(id=one.id) for one in asked]
    return Study(
        policy=case.policy.id,
        first_year=case.first_year,
        base_year=case.base_year,
        table=pd.DataFrame(rows),
        checks=table.astype({"passed": object}),
        drawn=pd.concat(shown, ignore_index=True),
        rules=tax_rule_years(ledger.years),
        effects=effects,
        sha256=_hash(case, asked),
    )


def _within(shown: pd.DataFrame, one: Specification) -> pd.DataFrame:
    """Keep what a figure shows of a share between 0 and 1, of a difference of shares between −1 and 1."""
    if one.outcome not in SHARES or shown.empty:
        return shown
    least = np.where(shown["kind"].isin(["path", "bins"]), 0.0, -1.0)
    return shown.assign(**{name: shown[name].clip(least, 1.0) for name in ("y", "low", "high")})


def _hash(case: Case, asked: list[Specification]) -> str:
    """Return the SHA-256 of what is asked: the specifications, and the dates and line that they rest on."""
    years = [case.base_year, case.list_year, case.first_year]
    listed = [asdict(one) for one in asked]
    told = {"specifications": listed, "policy": case.policy.id, "line": case.line, "years": years}
    return digest(told)


def _adjusted(asked: list[Specification], effects: Mapping[str, Effect]) -> dict[str, float]:
    out = {one.id: float("nan") for one in asked}
    for family in sorted({one.family for one in asked if one.family}):
        names = [one.id for one in asked if one.family == family]
        found = holm([effects[name].p_value for name in names])
        out |= {name: float(p) for name, p in zip(names, found, strict=True)}
    return out


def _row(one: Specification, found: Effect, p_holm: float) -> dict[str, Any]:
    details = found.details
    refused = found.design == "refused"
    bounds = sorted([found.estimate, details["lag_conditional"]]) if "lag_conditional" in details else [np.nan] * 2
    if "n_never" in details:
        details = details | {"n_listed": details["n_units"] - details["n_never"], "n_unlisted": details["n_never"]}
    sides = SIDES.get(one.design, ("n_listed", "n_unlisted"))
    return {
        **asdict(one),
        "estimand": found.estimand.zh,
        "estimand_en": found.estimand.en,
        **{name: getattr(found, name) for name in ("estimate", "std_error", "p_value")},
        "p_holm": p_holm,
        "low": max(found.low, -1.0) if one.outcome in SHARES else found.low,
        "high": min(found.high, 1.0) if one.outcome in SHARES else found.high,
        "minimum_detectable": found.minimum_detectable,
        "n": found.n,
        **{f"n_{side}": _count(details.get(key)) for side, key in zip(("listed", "unlisted"), sides, strict=True)},
        "bound_low": bounds[0] if one.design == "did" else np.nan,
        "bound_high": bounds[1] if one.design == "did" else np.nan,
        "verdict": "refused" if refused else verdict(found, p_holm),
        "sentence": found.sentence() + _corrected(found, p_holm)[0],
        "sentence_en": found.sentence("en") + _corrected(found, p_holm)[1],
        "reason": details["reason"].zh if refused else "",
        "reason_en": details["reason"].en if refused else "",
    }


def _corrected(found: Effect, p_holm: float) -> tuple[str, str]:
    """Say where an interval excludes zero but the p-value does not survive its family."""
    if not (p_holm >= 0.05 and found.p_value < 0.05):
        return "", ""
    return (
        f"同族设定一并校正后 {chance(p_holm)}，未达到可判定的精度。",
        f" Corrected for its family {chance(p_holm)}: short of a verdict.",
    )


def _count(value: Any) -> float:
    return float(value) if isinstance(value, int | np.integer | float) else float("nan")


def verdict(found: Effect, p_holm: float) -> str:
    """Return failed (a check failed), short (no verdict at this precision), found, or found_unchecked (a check is open).

    An effect whose p-value does not survive the correction for its family is short of a verdict.
    """
    if any(check.passed is False for check in found.checks):
        return "failed"
    if not (p_holm < 0.05 and not found.low <= 0 <= found.high):
        return "short"
    return "found" if all(check.passed for check in found.checks) else "found_unchecked"


SHARES = ("reach", "share")
SIDES = {
    "rdd": ("n_right", "n_left"),
    "density": ("n_right", "n_left"),
    "did": ("n_treated", "n_control"),
    "poisson": ("n_treated", "n_control"),
    "timing": ("n_treated", "n_control"),
}
