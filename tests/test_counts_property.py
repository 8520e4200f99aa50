"""Three hundred random counties, broken in every way that ledgers are, under every reading: bridges close, parts fit, targets and rows agree."""

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
FLOWS = ("入库", "留抵退税", "减免", "免抵")
COLUMNS = ["exempt_industry", "public_good", "protected_until", "contract_completion", "completed", "production_start", "stopped_since",
           "statutory_excuse", "contract_tax_per_mu", "listed_by_task_force", "scattered"]  # fmt: skip
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
COUNTIES, TOGETHER = (
    300,
    3,
)  # so many share a ledger, which is judged as often, each time under another combination of readings
READINGS = {plan.id: [(r.id, o.id) for r in plan.readings for o in r.options] for plan in PLANS}
EVENTS = {"closed", "closed before", "released", "land known to be gone", "fell back", "changed class", "hole", "grade T", "on the line", "undated",
          "written off", "priority", "overdue", "excluded", "tax not known", "class not known"}  # fmt: skip


def some_day(rng, year, chance=0.8):
    return (
        f"{year + rng.choice((-2, -1, -1, 0, 0, 1))}-{rng.choice(('01-01', '06-30', '12-31'))}"
        if rng.random() < chance
        else None
    )


def ledger_of(rng, year, n):
    """Return a ledger of ``n`` counties, with some of the columns."""
    columns = [c for c in COLUMNS if rng.random() < 0.85]
    sheets = {"enterprises": [], "annual": [], "disposals": [], "process": [], "tax_items": [], "monthly": []}
    for k in range(n):
        for name, rows in zip(sheets, county(rng, year, columns, k), strict=True):
            sheets[name] += rows
    sheets["annual"] = sheets["annual"] or [{"credit_code": "F00-00", "year": year, "tax_wan": 1.0, "land_mu": 1.0}]
    return ledger(**{name: rows for name, rows in sheets.items() if rows})


def county(rng, year, columns, number):
    """Return a county of about seven firms with holes, moves between classes, edges, closings, releases and cases in every state."""
    firms, rows, cases, steps, items, months = [], [], [], [], [], []
    for i in range(rng.randint(2, 12)):
        code = f"F{number:02d}-{i:02d}"
        values = {
            "exempt_industry": rng.random() < 0.1, "public_good": rng.random() < 0.1, "protected_until": some_day(rng, year, 0.1),
            "contract_completion": some_day(rng, year, 0.2), "completed": some_day(rng, year, 0.3),
            "production_start": some_day(rng, year, 0.5), "stopped_since": some_day(rng, year, 0.1),
            "statutory_excuse": rng.random() < 0.1, "contract_tax_per_mu": rng.choice((None, None, 1.5)),
            "listed_by_task_force": rng.random() < 0.1, "scattered": rng.random() < 0.1,
        }  # fmt: skip
        firms.append({"credit_code": code, "name": code, "township": rng.choice((f"甲{number}镇", f"乙{number}镇", None)), "county": f"{number}县",
                      **{c: values[c] for c in columns}})  # fmt: skip
        land = rng.choice((5.0, 9.999999999999, 10.0, 30.0))
        for y in (y for y in range(year - 3, year + 2) if rng.random() < 0.85):
            tax = rng.choice((None, -1.0, 0.0, land, 2 * land, 3 * land, rng.uniform(0, 4) * land))
            rows.append({"credit_code": code, "year": y, "above_scale": rng.choice((True, False, False, None)), "tax_wan": tax,
                         "land_mu": rng.choice((land, land, land / 2, None)), "walled": True, "grade": rng.choice((*"ABCDT", None)),
                         "land_use_tax_extra_wan": rng.choice((None, 0.5)), "parcel": rng.choice((None, f"P{number}"))})  # fmt: skip
            items.append(
                {
                    "credit_code": code,
                    "year": y,
                    "item": "增值税",
                    "flow": rng.choice(FLOWS),
                    "amount_wan": rng.choice((1.0, None)),
                }
            )
            months.append(
                {"credit_code": code, "year": y, "month": rng.choice((6, 12)), "tax_wan": rng.choice((None, 0.0, land))}
            )
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
    return firms, rows, cases, steps, items, months


def drawn(seed):
    """Return a ledger's assessments, each under other readings: those of the plan in turn, and others with them by chance."""
    rng = random.Random(seed)
    plan = PLANS[seed % len(PLANS)]
    year = rng.choice(YEARS[plan.id])
    held = ledger_of(rng, year, TOGETHER)
    facts = {name: 400.0 for name in plan.facts}
    for k in range(TOGETHER):
        chosen = dict(rng.sample(READINGS[plan.id], 4))
        turn = READINGS[plan.id][(seed // len(PLANS) * TOGETHER + k) % len(READINGS[plan.id])]
        yield assess(held, plan, year, readings=chosen | dict([turn]), facts=facts)


@pytest.mark.parametrize("seed", range(COUNTIES // TOGETHER))
def test_no_county_contradicts_itself(seed):
    for got in drawn(seed):
        consistent(got)


def consistent(got):
    """Hold an assessment's counts, bridge, targets and rows against one another."""
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


def test_every_reading_and_every_event_is_among_them():
    turns = {plan.id: set() for plan in PLANS}
    met = set()
    for seed in range(COUNTIES // TOGETHER):
        id = PLANS[seed % len(PLANS)].id
        turns[id] |= {(seed // len(PLANS) * TOGETHER + k) % len(READINGS[id]) for k in range(TOGETHER)}
    for seed in range(12):
        for got in drawn(seed):
            met |= {name for name, there in events(got).items() if np.any(there)}
    assert {id: len(found) for id, found in turns.items()} == {id: len(all_) for id, all_ in READINGS.items()}
    assert met == EVENTS


def events(got):
    """Return who met with what, by its name in `EVENTS`."""
    standing, frame = got.standing, got.frame
    before = frame.book.annual("above_scale", frame.facts_year - 1)
    now = frame.book.annual("above_scale", frame.facts_year)
    return {
        "closed": standing.gone.true, "closed before": standing.gone_before, "undated": standing.gone.unknown,
        "released": standing.exits.released > 0, "land known to be gone": standing.exits.banked.true,
        "fell back": standing.relapsed, "changed class": (before == 1) & (now == 0),
        "hole": frame.book.rows(frame.facts_year) < 0, "grade T": got.ledger.annual["grade"].eq("T").fillna(False).to_numpy(dtype=bool),
        "on the line": np.isclose(frame.now.tax_per_mu, standing.line), "written off": ~np.isnat(standing.written_off),
        "priority": standing.priority, "overdue": standing.case("overdue"), "excluded": standing.excluded,
        "tax not known": standing.in_scope.true & np.isnan(frame.now.tax), "class not known": frame.above.unknown,
    }  # fmt: skip
