"""Doubtful clauses as switches: each option changes something, none collide, every combination validates, and all are counted."""

from __future__ import annotations

import itertools
import random
import time

import numpy as np
import pytest
import worked
from build import ledger as make_ledger
from build import years
from county import county

from lyeval.assessment import Assessment, assess, readings
from lyeval.policy import Policy, choose, policy_ids

CASES = {n: c for n, c in worked.cases().items() if "error" not in c and "open" not in c}
OPTIONS = [
    (id, r.id, o.id) for id in policy_ids() for r in worked.policy(id).readings for o in r.options if o.id != r.default
]
# The base year of 34.7 % is a figure of the report (baseline), not of a verdict.
OF_THE_REPORT = {("linshu-2021", "baseline", "y2021")}


def verdict(now: Assessment) -> str:
    """Return all that the tables of an assessment say, as text."""
    told = now.to_dict() | {"reading": None}
    return repr((told, now.targets["turns_on"].tolist(), now.flows.to_dict(), now.doors.to_dict()))


def dossiers(now: Assessment) -> str:
    """Return every dossier, as text."""
    return repr([now.dossier(code).to_dict() for code in now.enterprises["credit_code"]])


def differ(a: Assessment, b: Assessment) -> bool:
    """Tell whether two assessments say different things anywhere (dossiers are asked only where the tables agree)."""
    return verdict(a) != verdict(b) or dossiers(a) != dossiers(b)


@pytest.mark.parametrize(("policy", "switch", "option"), [o for o in OPTIONS if o not in OF_THE_REPORT])
def test_no_option_is_inert(policy, switch, option):
    """A case that expects something under this option comes out differently than by default."""
    key = f"{switch}={option}"
    mine = [c for c in CASES.values() if c["policy"] == policy and key in c.get("read", {})]
    assert mine, f"no worked case reads {key}"
    assert any(differ(worked.judge(c), worked.judge(c, {switch: option})) for c in mine)


def test_the_base_year_is_read_by_the_report():
    """34.7 % is held against 2020 by default and against 2021 under the other reading; a county that has it reproduces it."""
    from lyeval.report import assessment_tables

    low, high = {2020: 5, 2021: 5, 2022: 5, 2023: 5}, {2020: 500, 2021: 500, 2022: 500, 2023: 500}
    rows = years("A", low, 34.7, False) + years("B", high, 65.3, False) + years("C", low | {2020: 50}, 20.0, False)
    ledger, found = make_ledger(annual=rows), {}
    for option in ("y2020", "y2021"):
        now = assess(ledger, worked.policy("linshu-2021"), 2023, readings={"baseline": option})
        base = assessment_tables(now)["baseline"]
        found[option] = next(r for r in base.to_dict("records") if r["default"])
    assert (found["y2020"]["year"], found["y2021"]["year"]) == (2020, 2021)
    assert found["y2020"]["value"] == pytest.approx(34.7 / 120)
    assert found["y2021"]["value"] == pytest.approx(54.7 / 120)
    assert [found[o]["reproduces"] for o in ("y2020", "y2021")] == [False, False]
    now = assess(make_ledger(annual=rows[:8]), worked.policy("linshu-2021"), 2023)
    assert next(r for r in assessment_tables(now)["baseline"].to_dict("records") if r["default"])["reproduces"] is True


@pytest.mark.parametrize("id", policy_ids())
def test_no_two_switches_write_the_same_path(id):
    for a, b in itertools.combinations(worked.policy(id).readings, 2):
        for x, y in itertools.product(_paths(a), _paths(b)):
            clash = x == y or x.startswith(f"{y}.") or y.startswith(f"{x}.")
            assert not clash, f"{a.id} and {b.id} both write {x}"


def _paths(reading) -> set[str]:
    return {path for option in reading.options for path in option.set}


@pytest.mark.parametrize("id", policy_ids())
def test_default_options_change_nothing(id):
    policy = worked.policy(id)
    assert all(not o.set for r in policy.readings for o in r.options if o.id == r.default)
    same, in_force = choose(policy, {r.id: r.default for r in policy.readings})
    assert same == policy
    assert in_force == {r.id: r.default for r in policy.readings}


@pytest.mark.parametrize("id", policy_ids())
def test_every_combination_validates(id):
    """All pairs of options, and a sample of full combinations."""
    policy = worked.policy(id)
    switches = [r for r in policy.readings if len(r.options) > 1]
    for a, b in itertools.combinations(switches, 2):
        for x, y in itertools.product(a.options, b.options):
            assert isinstance(choose(policy, {a.id: x.id, b.id: y.id})[0], Policy)
    draw = random.Random(0)
    for _ in range(100):
        wanted = {r.id: draw.choice(r.options).id for r in switches}
        assert choose(policy, wanted)[1] == wanted | {r.id: r.default for r in policy.readings if r not in switches}


@pytest.mark.parametrize("more", [(), ("items",), ("parcels", "extra")], ids=["plain", "items", "parcels"])
def test_combinations_agree_with_assessing_each(more):
    """k of n, lowest and highest are those of assessing combinations on their own."""
    ledger, policy = county(12, *more), worked.policy("linshu-2021")
    told = readings(ledger, policy, 2023)
    ids = list(told.targets["id"])
    switches = [c for c in told.combinations if c not in {*ids, *(f"{i}_value" for i in ids)}]
    rows = told.combinations.to_dict("records")
    assert len(rows) == len({tuple(r[s] for s in switches) for r in rows})
    draw = random.Random(1)
    for row in draw.sample(rows, 60):
        now = worked.table(assess(ledger, policy, 2023, readings={s: row[s] for s in switches}).targets, "id")
        for id in ids:
            assert row[id] == now[id]["status"], (id, row)
            assert worked.same(row[f"{id}_value"], now[id]["value"]), (id, row)
    for target in told.targets.to_dict("records"):
        column, values = told.combinations[target["id"]], told.combinations[f"{target['id']}_value"]
        assert [target[s] for s in ("met", "missed", "undetermined")] == [
            (column == s).sum() for s in ("met", "missed", "undetermined")
        ]
        assert target["n"] == len(rows)
        assert target["lowest"] == pytest.approx(np.nanmin(values))
        assert target["highest"] == pytest.approx(np.nanmax(values))


def test_what_turns_a_verdict():
    """The switches named are those whose options alone change the verdict somewhere; the table tells each option alone."""
    ledger, policy = county(), worked.policy("linshu-2021")
    told = readings(ledger, policy, 2023)
    combos = told.combinations
    ids = list(told.targets["id"])
    switches = [c for c in combos if c not in {*ids, *(f"{i}_value" for i in ids)}]
    for target in told.targets.to_dict("records"):
        for s in switches:
            rest = [c for c in switches if c != s]
            turns = (combos.groupby(rest)[target["id"]].nunique() > 1).any()
            assert (s in target["turned_by"]) == turns, (target["id"], s)
    default = assess(ledger, policy, 2023)
    for row in told.switches.to_dict("records"):
        now = worked.table(assess(ledger, policy, 2023, readings={row["switch"]: row["option"]}).targets, "id")[
            row["target"]
        ]
        assert (row["status"], worked.same(row["value"], now["value"])) == (now["status"], True)
    assert list(told.targets["status"]) == list(default.targets["status"])


def test_zhoushan_combinations_agree_with_assessing_each():
    policy, case = worked.policy("zhoushan-2020"), CASES["zhoushan-2020:gone"]
    ledger = worked.ledger_of(case)
    told = readings(ledger, policy, 2020, quotas=case["quotas"])
    ids = list(told.targets["id"])
    switches = [c for c in told.combinations if c not in {*ids, *(f"{i}_value" for i in ids)}]
    rows = random.Random(2).sample(told.combinations.to_dict("records"), 15)
    for row in rows:
        now = worked.table(
            assess(ledger, policy, 2020, quotas=case["quotas"], readings={s: row[s] for s in switches}).targets, "id"
        )
        for id in ids:
            assert row[id] == now[id]["status"]
            assert worked.same(row[f"{id}_value"], now[id]["value"])


def test_readings_that_the_data_cannot_test_are_told():
    ledger = make_ledger(
        annual=[
            {"credit_code": "A", "year": y, "tax_wan": 10.0, "land_mu": 20.0, "above_scale": True} for y in (2022, 2023)
        ]
    )
    told = readings(ledger, worked.policy("linshu-2021"), 2023).untestable
    options = {(r["switch"], r["option"]) for r in told.to_dict("records")}
    assert {("basis", "with_relief"), ("basis", "with_exempt_credit"), ("basis", "without_refund_netting")} <= options
    assert {("attr", "parcel"), ("lut", "excluded")} <= options
    assert told["reason"].str.len().min() > 0
    assert told["reason_en"].str.contains("cannot be tested").all()


def test_readings_of_zhoushan_that_the_data_cannot_test_are_told():
    ledger = worked.ledger_of(CASES["zhoushan-2020:rates"])
    told = readings(ledger, worked.policy("zhoushan-2020"), 2020).untestable
    options = {(r["switch"], r["option"]) for r in told.to_dict("records")}
    assert {
        ("year", "ytd"),
        ("quota", "by_count"),
        ("attr", "parcel"),
        ("basis", "with_relief"),
        ("demolish", "scattered"),
    } <= options


def test_several_hundred_combinations_of_500_enterprises_take_less_than_two_seconds():
    ledger, policy = county(500), worked.policy("linshu-2021")
    start = time.process_time()
    told = readings(ledger, policy, 2023)
    seconds = time.process_time() - start
    assert len(told.combinations) >= 300
    assert seconds < 2


@pytest.mark.parametrize("year", [2021, 2022])
def test_a_year_without_targets_has_no_combinations(year):
    told = readings(county(), worked.policy("linshu-2021"), year)
    assert told.targets.empty
