"""Plans with one thing changed at random: refused in words, or assessed, read back and reported without a traceback."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lyeval import report, resources
from lyeval.assessment import assess
from lyeval.cli import worked
from lyeval.ledger import Ledger
from lyeval.policy import PolicyError, load_policy, load_yaml
from lyeval.policy.explaining import explain
from lyeval.told import Told

FOLDER = resources.path("parameters/policies")
PLANS = {p.stem: p for p in sorted(FOLDER.rglob("*.yaml")) if "." not in p.stem}
HERE = Path(__file__).parent / "policies"
N = int(os.environ.get("LYEVAL_FUZZ", "40"))
INSTEAD = [
    *(True, False, 0, 1, 2.5, -1, 20, 2042, 1999, None, "", [], {}, "规上", "10亩", "A类", "\ue000"),
    *("grade", "tax_per_mu", "above_scale", "land_mu", "location", "lt", "ge", "in", "any", "all", "class", "county"),
    *("mean", "running", "industry", "identified", "land_stays", "count_below", "count_closed", "mean_tax_per_mu"),
]


def places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in plain data."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield (*at, key)
        yield from places(value, (*at, key))


def found(data: Any, at: tuple[Any, ...]) -> Any:
    """Return what stands at a path."""
    for key in at:
        data = data[key]
    return data


def mutated(stem: str, chance: random.Random) -> Any:
    """Return a plan's data with one thing left out, exchanged for another of its own, multiplied, or put in place of."""
    data = copy.deepcopy(load_yaml(PLANS[stem])[0])
    there = list(places(data))
    at = chance.choice(there)
    node, key, way = found(data, at[:-1]), at[-1], chance.random()
    if way < 0.2:
        del node[key]
    elif way < 0.35:
        node[key] = copy.deepcopy(found(data, chance.choice(there)))
    elif way < 0.5 and isinstance(node[key], int | float):
        node[key] = node[key] * chance.choice([0, -1, 10, 100, 1e9])
    else:
        node[key] = chance.choice(INSTEAD)
    return data


@cache
def ledger_of(stem: str) -> Ledger:
    """Return the ledger of a plan's fullest worked case."""
    beside = PLANS[stem].with_name(f"{stem}.cases.yaml")
    cases = worked.read_cases(beside if beside.is_file() else HERE / f"{stem}.yaml")
    decided = [case for case in cases if "error" not in case]
    return worked.ledger_of(max(decided, key=lambda case: len(case["firms"]) + 2 * len(case.get("disposals", []))))


@pytest.mark.parametrize("part", range(4))
def test_a_plan_that_is_accepted_never_ends_in_a_traceback(part, tmp_path) -> None:
    accepted = 0
    for seed in range(part, N, 4):
        chance = random.Random(seed)
        stem = chance.choice(sorted(PLANS))
        path = tmp_path / "plan.yaml"
        path.write_text(json.dumps(mutated(stem, chance), ensure_ascii=False, default=str), encoding="utf-8")
        try:
            plan = load_policy(path)
        except PolicyError:
            continue
        accepted += 1
        for lang in ("zh", "en"):
            explain(plan, lang)
        for year in plan.years.governed[-2:]:
            try:
                now = assess(ledger_of(stem), plan, year)
            except Told:
                continue
            assert len(now.dossier(now.enterprises["credit_code"].iloc[0]).methods) == len(plan.methods)
            if chance.random() < 0.3:
                report.build_report(report.assessment_tables(now))
    assert accepted
