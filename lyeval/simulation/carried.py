"""A plan carried over to a year that it sets no target for."""

from __future__ import annotations

from lyeval.policy import Policy, patch


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
