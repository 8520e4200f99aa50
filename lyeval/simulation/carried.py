"""A plan in other years: carried over to one that it sets no target for, and as it stood in past target years."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lyeval.ledger import Ledger
from lyeval.policy import Policy, patch

if TYPE_CHECKING:
    from lyeval.assessment import TargetView


def as_if(policy: Policy, year: int) -> tuple[Policy, bool]:
    """Give each target of a plan a value in ``year``: its own, else that of the nearest dated year (the earlier of two alike).

    Returns
    -------
    policy, carried
        The plan, and whether any value had to be carried over.
    """
    changes = {}
    for target in policy.targets:
        if year not in target.years:
            nearest = min(sorted(target.years), key=lambda dated: abs(dated - year))
            changes[f"targets.{target.id}.years.{year}"] = target.years[nearest].model_dump()
    return (patch(policy, changes), True) if changes and not _governs(policy, year) else (policy, False)


def _governs(policy: Policy, year: int) -> bool:
    return any(year in target.years for target in policy.targets)


def past_targets(
    ledger: Ledger, policy: Policy, facts_year: int, *, quotas: Mapping[str, float] | None, level: str
) -> list[TargetView]:
    """Lay out the plan's targets of each year up to ``facts_year`` on that year's own facts."""
    from lyeval.assessment import views

    years = sorted({year for target in policy.targets for year in target.years if year <= facts_year})
    return [view for year in years for view in views(ledger, policy, year, year, quotas=quotas, level=level)]
