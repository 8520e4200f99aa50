"""Before anything is done: does the run file name what there is, and can it be evaluated? (运行前检查)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyeval.run.errors import RunError
from lyeval.run.inputs import SAMPLE, columns_of, inputs_of, open_ledger, open_plan, open_policy
from lyeval.run.spec import RunFile

if TYPE_CHECKING:
    from lyeval.assessment import Assessment
    from lyeval.ledger import Ledger
    from lyeval.policy import Policy


@dataclass(frozen=True)
class Outlook:
    """Which target year the odds are for, and the month of knowledge; both None where no target year is left."""

    year: int | None
    as_of: str | None


def outlook(ledger: Ledger, policy: Policy, year: int, as_of: str | None = None) -> Outlook:
    """Choose the target year that a forecast made with ``year`` is for.

    A year whose figures are final has a verdict and no odds: the next target year gets them, on what was known at the end of
    ``year``. A month within a target year asks for that year's odds.

    Parameters
    ----------
    as_of
        Month of knowledge, "YYYY-MM"; default: December of ``year`` if its annual figures are in, else as `forecast` takes it.
    """
    final = bool((ledger.annual["year"] == year).any())
    end = f"{year}-12"
    if (as_of is None and not final) or (as_of is not None and as_of < end):
        return Outlook(year if year in policy.years.targets else None, as_of)
    later = [y for y in policy.years.targets if y > year]
    return Outlook(min(later), as_of or end) if later else Outlook(None, None)


def check_run(run: RunFile) -> Assessment:
    """Check a run before it is run, and return its assessment.

    Raises
    ------
    PolicyError
        Plan, patch, readings, quotas, facts, year, assumptions, scenarios.
    LedgerError
        The ledger's errors.
    RunError
        A file that is not there; a year that the ledger has no figures of.
    """
    from lyeval.assessment import assess
    from lyeval.policy.adjusting import adjust
    from lyeval.policy.assumptions import load_assumptions

    spec = run.spec
    inputs_of(run)
    policy = open_policy(_place(run, spec.policy), spec.patch)
    taken = load_assumptions(_place(run, spec.assumptions))
    for changes in spec.scenarios.values():
        adjust(taken, changes)
    open_plan(run.find(spec.plan) if spec.plan else None)
    names = [n if n.startswith(SAMPLE) else run.find(n) for n in spec.ledgers]
    ledger = open_ledger(names, policy, columns=columns_of(run))
    if spec.year not in ledger.years:
        years = "、".join(map(str, ledger.years))
        raise RunError(
            f"台账没有 {spec.year} 年的年度数据，现有 {years}；请补充台账或改 year",
            f"the ledger has no annual figures of {spec.year}; it has {years}: add them or change year",
            misuse=True,
        )
    checked = assess(
        ledger, policy, spec.year, level=spec.level, quotas=spec.quotas, facts=spec.facts, readings=spec.readings
    )
    _check_date(ledger, policy, run)
    return checked


def _place(run: RunFile, name: str) -> str | Path:
    return run.find(name) if Path(name).suffix in (".yaml", ".yml") else name


def _check_date(ledger: Ledger, policy: Policy, run: RunFile) -> None:
    """Refuse a month of knowledge that nothing can be projected from."""
    from lyeval.simulation.known import date_of

    ahead = outlook(ledger, policy, run.spec.year, run.spec.as_of)
    if ahead.year is None:
        return
    try:
        date_of(ahead.as_of, ahead.year, ledger)
    except ValueError as error:
        zh, _, en = str(error).partition(" / ")
        raise RunError(f"as_of：{zh}", f"as_of: {en or zh}", misuse=True) from None
