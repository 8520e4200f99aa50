"""Which verdict needs which column of the ledger (数据用途): targets, criteria, exclusions, methods and consequences of a plan."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from lyeval.assessment.conditions import columns_of
from lyeval.indicators import STATISTICS
from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.ledger.coverage import DEPARTMENTS, department_of
from lyeval.policy import Condition, Policy, Target

Need = tuple[str, str, str, str, str, str]
CITY = ("quota", "city_listed")
OFFICE = ("市领导小组办公室", "city office")
COLUMNS = ["sheet", "column", "kind", "id", "label", "label_en", "clause"]


def needs(policy: Policy) -> pd.DataFrame:
    """List the ledger columns that a plan's verdicts read.

    Returns
    -------
    DataFrame
        sheet, column ("" for a whole sheet), kind (target, criterion, scope, exclusion, method or consequence), id, label, label_en,
        clause; in this order of kinds, a column once for each verdict.
    """
    rows = [
        (*_place(name), kind, id, zh, en, clause) for name, kind, id, zh, en, clause in _all(policy) if _place(name)[0]
    ]
    return pd.DataFrame(list(dict.fromkeys(rows)), columns=COLUMNS)


def office_of(fact: str) -> tuple[str, str]:
    """Return the department that owes a fact or column of the ledger, in Chinese and English; the lead office by default."""
    if fact in CITY:
        return OFFICE
    sheet, column = _place(fact)
    return DEPARTMENTS[department_of(sheet, column) if sheet else "lead"]


def _all(policy: Policy) -> Iterator[Need]:
    for target in policy.targets:
        head = ("target", target.id, target.label, target.label_en, "；".join(target.cite))
        yield from ((name, *head) for name in _of_target(target, policy))
    for criterion in policy.identification.criteria:
        yield from _conditional(policy, "criterion", criterion, criterion.when)
    if policy.scope.when is not None:
        head = ("scope", "scope", "适用范围", "scope", "；".join(policy.scope.cite))
        yield from ((name, *head) for name in columns_of(policy.scope.when, policy.fact))
    for exclusion in policy.exclusions:
        yield from _conditional(
            policy, "exclusion", exclusion, exclusion.when, ["protected_until"] if exclusion.protected else []
        )
    for method in policy.methods:
        yield from _conditional(policy, "method", method, method.when)
        yield from _conditional(policy, "method", method, method.focus)
    for consequence in policy.consequences:
        yield from _conditional(policy, "consequence", consequence, consequence.when)
        for effect in consequence.effects:
            yield from _conditional(policy, "consequence", consequence, effect.when)


def _conditional(
    policy: Policy, kind: str, rule: object, when: Condition | None, more: list[str] | None = None
) -> Iterator[Need]:
    """Yield the columns that a rule's condition reads."""
    names = [*(more or []), *(columns_of(when, policy.fact) if when is not None else [])]
    zh, en, cite = (getattr(rule, name) for name in ("label", "label_en", "cite"))
    for name in names:
        yield name, kind, str(getattr(rule, "id", "")), zh, en, "；".join(cite)


def _of_target(target: Target, policy: Policy) -> list[str]:
    """Return the columns that a target is counted from."""
    stat = STATISTICS[target.statistic]
    if not stat.side:
        return list(stat.columns)
    land = ["annual.land_mu"] + (["annual.approved_mu"] if policy.land.rule == "walled_else_approved" else [])
    flag = ["annual.above_scale"] if target.class_ != "any" else []
    return [*stat.columns, *land, *flag]


def _place(name: str) -> tuple[str, str]:
    """Return the sheet and the column that a name stands for; a sheet's own name is the whole sheet."""
    sheet, mark, column = name.partition(".")
    if mark:
        return sheet, column
    if name in SHEETS:
        return name, ""
    return next(((s, name) for s in ("enterprises", "annual", *SHEETS) if name in of_sheet(s)), ("", ""))
