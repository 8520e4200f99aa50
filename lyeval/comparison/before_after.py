"""A year as it is and as it would be: another reading, a changed clause, one firm's tax or land, and what moves (试算)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from lyeval.assessment import Assessment, NoSuchFirm, assess, find_firm
from lyeval.ledger import Ledger
from lyeval.policy import PolicyError
from lyeval.policy import patch as patched
from lyeval.told import Told, of_kind, shown


@dataclass(frozen=True, eq=False)
class WhatIf:
    """A year assessed as it is and as it would be.

    Attributes
    ----------
    before, after
        The assessments.
    targets
        One row a target: id, label, value_before, value_after, goal_before, goal_after, status_before, status_after, turned.
    enterprises
        Those that anything changed for: credit_code, name, and before and after of class, identified, below_line, tax_per_mu
        (万元/亩), tax_needed_wan (万元) and counted (the targets that count it, in brackets where on the counted side).
    """

    before: Assessment = field(repr=False)
    after: Assessment = field(repr=False)
    targets: pd.DataFrame
    enterprises: pd.DataFrame

    def __repr__(self) -> str:
        turned = self.targets.loc[self.targets["turned"], "id"].tolist()
        return f"WhatIf(verdicts turned: {', '.join(turned) or 'none'}; {len(self.enterprises)} firms moved)"

    def _repr_html_(self) -> str:
        return f"{self.targets.to_html(index=False, na_rep='—')}<p>{len(self.enterprises)} 户企业有变化</p>"


def what_if(
    now: Assessment,
    *,
    readings: Mapping[str, str] | None = None,
    patch: Mapping[str, Any] | None = None,
    tax: Mapping[str, float] | None = None,
    land: Mapping[str, float] | None = None,
) -> WhatIf:
    """Assess a year again with something changed.

    Parameters
    ----------
    now
        The year as it is.
    readings
        Options of doubtful clauses, over those in force.
    patch
        New values of the plan by path.
    tax, land
        By credit code: tax of the year, 万元, and land, 亩, in place of the ledger's.

    Raises
    ------
    PolicyError
        An unknown switch, option or path.
    NoSuchFirm
        An enterprise without a row in that year.
    Told
        A tax or land that is no number, or land below zero.

    Examples
    --------
    >>> code = now.enterprises.query("below_line == True")["credit_code"].iloc[0]
    >>> changed = ly.what_if(now, tax={code: 1000.0})
    >>> bool(changed.after.enterprises.set_index("credit_code").loc[code, "below_line"])
    False
    """
    of_kind("now", now, Assessment)
    policy = patched(now.policy, patch or {})
    taken = _over(now, readings or {})
    ledger = _changed(_changed(now.ledger, now.year, "tax_wan", tax or {}), now.year, "land_mu", land or {})
    told = {"level": now.inputs.level, "quotas": now.inputs.quotas, "facts": now.inputs.facts}
    after = assess(ledger, policy, now.year, readings=taken, **told)
    return WhatIf(now, after, _targets(now, after), _enterprises(now, after))


def _over(now: Assessment, readings: Mapping[str, str]) -> dict[str, str]:
    """Return the readings that are not the default, with others chosen over them."""
    defaults = {r.id: r.default for r in now.policy.readings}
    own = {k: v for k, v in now.readings.items() if v != defaults[k]}
    back = [k for k, v in readings.items() if k in own and v == defaults[k]]
    if back:
        raise PolicyError(
            f"reading / 读法 {back[0]}: 已按 {own[back[0]]} 评估，要换回默认请重新评估 / assess again without it to go back to the default"
        )
    return own | dict(readings)


def _changed(ledger: Ledger, year: int, column: str, values: Mapping[str, float]) -> Ledger:
    """Return the ledger with some enterprises' figure of one year replaced."""
    annual = ledger.annual
    of_kind(column, values, dict)
    for told, value in values.items():
        code = find_firm(ledger, told)
        at = (annual["credit_code"] == code) & (annual["year"] == year)
        if not bool(at.to_numpy().any()):
            raise NoSuchFirm(f"台账中没有 {code} 的 {year} 年数据", f"no row of {year} for {code}")
        _check_figure(column, code, value)
        annual = annual.assign(**{column: annual[column].mask(at, float(value))})
    return replace(ledger, annual=annual)


def _check_figure(column: str, code: str, value: object) -> None:
    """Refuse a figure that is no number, and land below zero."""
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if number >= 0 or (number < 0 and column != "land_mu"):
        return
    zh, en = ("土地应为不小于0的数（亩）", "land must be a number of at least 0, in mu")
    if column != "land_mu":
        zh, en = ("税收应为数（万元）", "tax must be a number, in RMB 10,000")
    raise Told(f"{code}：{zh}，现为 {shown(value)}", f"{code}: {en}, not {shown(value)}")


def _targets(before: Assessment, after: Assessment) -> pd.DataFrame:
    """Set the targets of two assessments side by side."""
    shown = ["value", "goal", "status"]
    both = before.targets[["id", "label", *shown]].merge(
        after.targets[["id", *shown]], on="id", how="outer", suffixes=("_before", "_after"), sort=False
    )
    pairs = [column for name in shown for column in (f"{name}_before", f"{name}_after")]
    return both[["id", "label", *pairs]].assign(turned=both["status_before"] != both["status_after"])


def _enterprises(before: Assessment, after: Assessment) -> pd.DataFrame:
    """Return the enterprises that anything changed for but the line they are held to, before and after."""
    own = [name for name in COMPARED if name != "counted"]
    old, new = (
        made.enterprises[["credit_code", "name", *own]].assign(counted=_counted(made)) for made in (before, after)
    )
    both = old.merge(new.drop(columns="name"), on="credit_code", suffixes=("_before", "_after"))
    moved = pd.Series(False, index=both.index)
    for name in COMPARED:
        was, now = both[f"{name}_before"], both[f"{name}_after"]
        moved |= (was != now) & ~(was.isna() & now.isna())
    pairs = [column for name in COMPARED for column in (f"{name}_before", f"{name}_after")]
    return both.loc[moved.to_numpy(), ["credit_code", "name", *pairs]].reset_index(drop=True)


def _counted(made: Assessment) -> list[str]:
    """Say of each enterprise which targets count it, those in brackets on their counted side."""
    book = made.frame.book
    told = [[] for _ in range(len(book))]
    for outcome in made.outcomes:
        if outcome.members is not None:
            hit = outcome.members.hit.true
            for i in outcome.members.member.true.nonzero()[0]:
                told[i].append(f"({outcome.target.id})" if hit[i] else outcome.target.id)
    return [" ".join(names) for names in told]


COMPARED = ("class", "identified", "below_line", "tax_per_mu", "tax_needed_wan", "counted")
