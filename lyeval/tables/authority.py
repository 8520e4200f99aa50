"""The clause that a list rests on (名单依据): an element of the plan, else an entry of its clause register."""

from __future__ import annotations

from functools import lru_cache

from lyeval.policy import Policy, PolicyError, find_policy
from lyeval.policy.register import Register, load_register

WHERE: dict[str, tuple[str, ...]] = {
    # list: where its clause stands, the first that there is
    "closed": ("statistic.closed", "effect.removal", "method.shut_down"),
    "demolished": ("statistic.demolished", "method.shut_down"),
    "banked": ("method.land_bank", "method.shut_down"),
    "relapsed": ("calendar.write_off", "step.written_off"),
    "shock_hit": ("supports.shock_relief",),
    "pressed": ("calendar.pressing", "calendar.follow_up"),
    "summoned": ("trigger.behind", "calendar.supervision", "calendar.county_dispatch"),
    "ranked": ("calendar.attainment_bulletin", "calendar.county_dispatch"),
    "paced": ("calendar.tax_bulletin", "calendar.county_dispatch"),
    "inspected": ("calendar.acceptance", "calendar.joint_inspection"),
}


def clause(policy: Policy, name: str) -> str:
    """Return the clauses of one of the lists in ``WHERE``, joined; empty where the plan says nothing."""
    for place in WHERE[name]:
        cites = _at(policy, *place.split("."))
        if cites:
            return "；".join(cites)
    return ""


def target_clause(policy: Policy, side: str | None) -> str:
    """Return the clauses of the targets that hold a class to a line, else those of identification."""
    own = [t for t in policy.targets if t.class_ in (side, "any") and any(d.threshold for d in t.years.values())]
    cites = [c for t in own for c in t.cite] or list(policy.identification.cite)
    return "；".join(dict.fromkeys(cites))


@lru_cache(maxsize=16)
def register_of(policy_id: str) -> Register | None:
    """Return a plan's clause register, or None where there is none beside it."""
    try:
        path = find_policy(policy_id).with_suffix(".clauses.yaml")
        return load_register(path) if path.is_file() else None
    except PolicyError:
        return None


def _at(policy: Policy, kind: str, id: str) -> tuple[str, ...]:
    """Return the cites of one element of the plan or entry of its register."""
    from lyeval.indicators import STATISTICS

    if kind == "statistic":
        found = [t for t in policy.targets if STATISTICS[t.statistic].kind == id]
    elif kind == "method":
        found = [m for m in policy.methods if m.method == id]
    elif kind == "step":
        found = [s for s in policy.steps if s.id == id]
    elif kind == "trigger":
        found = [c for c in policy.consequences if c.trigger == id]
    elif kind == "effect":
        return next(((e.cite or c.cite) for c in policy.consequences for e in c.effects if e.kind == id), ())
    else:
        register = register_of(policy.id)
        found = [e for e in getattr(register, kind, ()) if e.id == id]
    return found[0].cite if found else ()
