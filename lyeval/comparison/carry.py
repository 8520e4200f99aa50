"""Carry a plan over to a year that its document does not govern: the nearest dated values, marked ``as_if``."""

from __future__ import annotations

from lyeval.assessment import Assessment, assess
from lyeval.ledger import Ledger
from lyeval.policy import Policy, patch


def governs(policy: Policy, year: int) -> bool:
    """Tell whether the plan has targets in ``year``."""
    return year in policy.years.targets


def carry(policy: Policy, year: int) -> Policy:
    """Return the plan with each target dated ``year``: the value of the nearest year that it names (the earlier one on a tie).

    Parameters
    ----------
    year
        Any year. Identification then stands on the facts of ``year`` − 1, targets on those of ``year``.
    """
    if governs(policy, year):
        return policy
    changes: dict[str, object] = {
        "years.targets": [year],
        "years.identification": _with(policy.years.identification, year),
    }
    for target in policy.targets:
        nearest = min(target.years, key=lambda y: (abs(y - year), y))
        changes[f"targets.{target.id}.years"] = {year: target.years[nearest].model_dump()}
    return patch(policy, changes)


def _with(years: tuple[int, ...], year: int) -> list[int]:
    return sorted({*years, year})


def assess_as_if(
    ledger: Ledger, policy: Policy, year: int, *, level: str = "county", readings: dict[str, str] | None = None
) -> Assessment:
    """Assess a ledger under a plan in any year; readings that the plan does not have are left out."""
    own = {r.id for r in policy.readings}
    chosen = {k: v for k, v in (readings or {}).items() if k in own}
    return assess(ledger, carry(policy, year), year, level=level, readings=chosen)
