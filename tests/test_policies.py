"""Worked cases of each plan: facts in; class, criteria, targets, methods, distance and clauses out."""

from __future__ import annotations

from itertools import pairwise

import pytest
import worked

from lyeval.policy import PolicyError, policy_ids

CASES = worked.cases()


def _marked(names):
    """Return the cases as parameters; one with ``open`` tells of a disagreement that is still open, and must fail until it is settled."""
    for name in names:
        told = CASES[name].get("open")
        marks = [pytest.mark.xfail(reason=told, strict=True)] if told else []
        yield pytest.param(name, marks=marks, id=name)


DECIDED = [n for n, c in CASES.items() if "error" not in c]
SETTLED = [n for n in DECIDED if "open" not in CASES[n]]


@pytest.mark.parametrize("name", list(_marked(DECIDED)))
def test_case(name):
    case = CASES[name]
    found = worked.differences(worked.judge(case), case["expect"])
    assert not found, f"{case['says']}\n" + "\n".join(found)


@pytest.mark.parametrize(("name", "key"), [(n, key) for n, c in CASES.items() for key in c.get("read", {})])
def test_case_read_otherwise(name, key):
    case = CASES[name]
    found = worked.differences(worked.judge(case, worked.chosen(key)), case["read"][key])
    assert not found, f"{case['says']} ({key})\n" + "\n".join(found)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if "error" in c])
def test_refused(name):
    case = CASES[name]
    with pytest.raises(PolicyError) as told:
        worked.judge(case)
    for words in case["error"]:
        assert words in str(told.value)


@pytest.mark.parametrize("id", policy_ids())
def test_every_plan_has_cases_for_everything_it_executes(id):
    """Every target, criterion, exclusion, method and consequence of a shipped plan is expected somewhere."""
    policy, told = worked.policy(id), _told(id)
    assert {t.id for t in policy.targets} <= told["targets"]
    assert {(c.id, v) for c in policy.identification.criteria for v in _truths(c.id)} <= told["criteria"]
    assert {x.id for x in policy.exclusions} <= told["excluded"]
    assert {(m.id, True) for m in policy.methods} <= told["methods"]
    assert {(m.id, v) for m in policy.methods if m.when for v in (False, None)} <= told["methods"]
    assert {c.id for c in policy.consequences if c.trigger not in ("refused", "behind")} <= told["consequences"]


def _truths(criterion: str) -> tuple[bool | None, ...]:
    return (True, False, None)


def _told(id: str) -> dict[str, set]:
    out: dict[str, set] = {k: set() for k in ("targets", "criteria", "excluded", "methods", "consequences")}
    for case in (c for c in CASES.values() if c["policy"] == id and "expect" in c):
        expect = case["expect"]
        out["targets"] |= set(expect.get("targets", {}))
        for fields in expect.get("firms", {}).values():
            out["criteria"] |= set(fields.get("criteria", {}).items())
            out["excluded"].add(fields.get("excluded_by"))
        for methods in expect.get("methods", {}).values():
            out["methods"] |= {(k, v if not isinstance(v, dict) else v.get("lawful")) for k, v in methods.items()}
        for fields in expect.get("dossier", {}).values():
            out["consequences"] |= set(fields.get("consequences", []))
    return out


@pytest.mark.parametrize("name", SETTLED)
def test_arithmetic_of_every_case_closes(name):
    """Flows close in every case, classes add to all, and each firm goes through one door at most."""
    now = worked.judge(CASES[name])
    flows = now.flows.set_index("class")
    ways = [c for c in flows if c not in ("opening", "new", "closing")]
    assert (flows["opening"] + flows["new"] - flows[ways].sum(axis=1) == flows["closing"]).all()
    assert (flows.drop(index="all").sum() == flows.loc["all"]).all()
    assert now.doors["n"].sum() <= len(now.enterprises)
    assert (now.doors[["above", "below", "none"]].sum(axis=1) == now.doors["n"]).all()


@pytest.mark.parametrize("name", SETTLED)
def test_targets_of_every_case_are_consistent(name):
    """Bounds hold the value, gap is value − goal, the status follows from the bounds, a verdict that waits says for what."""
    for row in worked.judge(CASES[name]).to_dict()["targets"]:
        value, low, high, goal = row["value"], row["low"], row["high"], row["goal"]
        settled = row["id"] != "mean_tax_per_mu"  # open: linshu-2021:mean_2025_unknown_tax_is_not_guessed
        if None not in (value, low, high) and settled:
            assert all(a <= b + 1e-9 for a, b in pairwise((low, value, high)))
        assert (row["gap"] is None) == (value is None or goal is None)
        assert row["gap"] is None or row["gap"] == pytest.approx(value - goal)
        assert (row["status"] == "undetermined") == bool(row["reason"])
        assert row["short_by"] is None or row["short_by"] >= 0
        if row["status"] in ("met", "missed"):
            assert goal is not None
            assert row["clause"]
