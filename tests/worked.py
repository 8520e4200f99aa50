"""The worked cases of ``tests/policies`` and of the shipped examples, with their plans and ledgers made once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lyeval import resources
from lyeval.assessment import Assessment
from lyeval.cli import worked as library
from lyeval.cli.worked import Case, chosen, differences, same, table
from lyeval.ledger import Ledger
from lyeval.policy import Policy, load_policy

__all__ = ["Case", "cases", "chosen", "differences", "judge", "ledger_of", "policy", "same", "table"]

FOLDER = Path(__file__).parent / "policies"
LEDGERS: dict[str, Ledger] = {}


def cases() -> dict[str, Case]:
    """Return every worked case by ``<policy>:<case>``."""
    out: dict[str, Case] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in library.read_cases(path):
            name = f"{path.stem}:{case['id']}"
            assert name not in out, f"{path.name}: {name} stands twice"
            out[name] = {"name": name, **case}
    return out


@cache
def policy(name: str) -> Policy:
    """Load a plan once: shipped, an example, or one of the fixtures."""
    fixture = Path(__file__).parent / "fixtures" / f"{name}.yaml"
    example = resources.path("parameters/policies/examples") / f"{name}.yaml"
    return load_policy(next((p for p in (fixture, example) if p.is_file()), name))


def ledger_of(case: Case) -> Ledger:
    """Make the ledger of a case (once)."""
    if case["name"] not in LEDGERS:
        LEDGERS[case["name"]] = library.ledger_of(case)
    return LEDGERS[case["name"]]


def judge(case: Case, readings: Mapping[str, str] | None = None, *, ledger: Ledger | None = None) -> Assessment:
    """Assess a case, under other readings if given."""
    return library.judge(case, policy(case["policy"]), readings, ledger=ledger or ledger_of(case))
