"""Three hundred random counties in fifty ledgers, broken in every way that ledgers are: bridges close, parts fit, targets and rows agree."""

from __future__ import annotations

import random

import numpy as np
import pytest
from build import ledger

from lyeval.assessment import assess
from lyeval.policy import load_policy
from lyeval.tables import bridge, check, counts

YEARS = {"linshu-2021": (2021, 2022, 2023, 2024, 2025), "zhoushan-2020": (2020,)}
PLANS = [load_policy(id) for id in YEARS]
COLUMNS = ["exempt_industry", "public_good", "protected_until", "contract_completion", "completed", "production_start", "stopped_since",
           "statutory_excuse", "contract_tax_per_mu", "listed_by_task_force"]  # fmt: skip
OUTCOMES = [
    "达标",
    "关停",
    "清退",
    "注销",
    "破产",
    "搬迁",
    "整体收储",
    "部分收储",
    "收储",
    "转让",
    "重组",
    "未完成",
    "进行中",
    "未启动",
    "",
]
OPTIONS = {plan.id: [[(r.id, o.id) for o in r.options if not o.needs] for r in plan.readings] for plan in PLANS}


def some_day(rng, year, chance=0.8):
    return (
        f"{year + rng.choice((-2, -1, -1, 0, 0, 1))}-{rng.choice(('01-01', '06-30', '12-31'))}"
        if rng.random() < chance
        else None
    )


SIZES = (
    1,
    2,
    6,
    9,
    12,
)  # counties that share a ledger: with a plan, a year, readings and columns; the bridge closes in each


def ledger_of(rng, year, n):
    """Return a ledger of ``n`` counties, with some of the columns."""
    columns = [c for c in COLUMNS if rng.random() < 0.85]
    sheets = {"enterprises": [], "annual": [], "disposals": [], "process": []}
    for k in range(n):
        for name, rows in zip(sheets, county(rng, year, columns, k), strict=True):
            sheets[name] += rows
    sheets["annual"] = sheets["annual"] or [{"credit_code": "F00-00", "year": year, "tax_wan": 1.0, "land_mu": 1.0}]
    return ledger(**{name: rows for name, rows in sheets.items() if rows})


def county(rng, year, columns, number):
    """Return a county of about seven firms with holes, moves between classes, edges, closings, releases and cases in every state."""
    firms, rows, cases, steps = [], [], [], []
    for i in range(rng.randint(2, 12)):
        code = f"F{number:02d}-{i:02d}"
        values = {
            "exempt_industry": rng.random() < 0.1, "public_good": rng.random() < 0.1, "protected_until": some_day(rng, year, 0.1),
            "contract_completion": some_day(rng, year, 0.2), "completed": some_day(rng, year, 0.3),
            "production_start": some_day(rng, year, 0.5), "stopped_since": some_day(rng, year, 0.1),
            "statutory_excuse": rng.random() < 0.1, "contract_tax_per_mu": rng.choice((None, None, 1.5)),
            "listed_by_task_force": rng.random() < 0.1,
        }  # fmt: skip
        firms.append({"credit_code": code, "name": code, "township": rng.choice((f"甲{number}镇", f"乙{number}镇", None)), "county": f"{number}县",
                      **{c: values[c] for c in columns}})  # fmt: skip
        land = rng.choice((5.0, 9.999999999999, 10.0, 30.0))
        for y in (y for y in range(year - 3, year + 2) if rng.random() < 0.85):
            tax = rng.choice((None, -1.0, 0.0, land, 2 * land, 3 * land, rng.uniform(0, 4) * land))
            rows.append({"credit_code": code, "year": y, "above_scale": rng.choice((True, False, False, None)), "tax_wan": tax,
                         "land_mu": rng.choice((land, land, land / 2, None)), "walled": True})  # fmt: skip
        for _ in range(rng.choice((0, 0, 1, 2))):
            cases.append({"credit_code": code, "method": rng.choice(("upgrade", "shut_down", "land_bank")), "outcome": rng.choice(OUTCOMES),
                          "started": some_day(rng, year), "due": some_day(rng, year), "finished": some_day(rng, year),
                          "released_mu": rng.choice((None, 3.0, land)), "written_off": some_day(rng, year, 0.2)})  # fmt: skip
        if rng.random() < 0.4:
            steps.append(
                {
                    "credit_code": code,
                    **{s: some_day(rng, year, 0.5) for s in ("notified", "certified", "published", "key_listed")},
                }
            )
    return firms, rows, cases, steps


@pytest.mark.parametrize("seed", range(10 * len(SIZES)))
def test_no_county_contradicts_itself(seed):
    rng = random.Random(seed)
    plan = rng.choice(PLANS)
    year = rng.choice(YEARS[plan.id])
    chosen = dict(rng.choice(options) for options in OPTIONS[plan.id] if options and rng.random() < 0.4)
    got = assess(ledger_of(rng, year, SIZES[seed % len(SIZES)]), plan, year, readings=chosen)
    told = counts(got)
    check({"counts": told, "bridge": bridge(told), "enterprises": got.enterprises})
    standing = got.standing
    for outcome in got.outcomes:
        assert outcome.bounded.low is None or outcome.bounded.value is None or (
            outcome.bounded.low - 1e-9 <= outcome.bounded.value <= outcome.bounded.high + 1e-9
        )  # fmt: skip
        m = outcome.members
        side = {"above": got.frame.above.true, "below": got.frame.above.false}.get(outcome.target.class_)
        if (
            m is None
            or side is None
            or outcome.target.exited != "drop"
            or outcome.target.statistic.startswith("count_")
        ):
            continue
        low = m.hit.true if "below" in outcome.target.statistic else m.hit.false
        mine = m.member.true & side & ~m.hit.unknown
        np.testing.assert_array_equal(low[mine], standing.below.true[mine])
    above = next((o for o in got.outcomes if o.target.statistic == "count_below"), None)
    if above is not None and above.members is not None:
        counted = above.members.member.true & standing.below.true
        assert above.bounded.value == counted.sum()
        assert not (counted & standing.gone.true).any()
    assert not (standing.relapsed & standing.state["reached"]).any()
    assert not (standing.priority & standing.eligible).any()
    assert not (standing.gone_before & (standing.listed.true | standing.in_scope.true)).any()
