"""The tables of the shipped samples, made once for all processes of a run of the tests."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shared import once

from lyeval import report, resources
from lyeval.assessment import Assessment, assess
from lyeval.forecasting import forecast
from lyeval.ledger import Ledger, read_ledger
from lyeval.policy import load_policy, method_words

COUNTIES = ("dinghai", "putuo", "daishan", "shengsi")


@lru_cache(maxsize=1)
def linshu() -> Ledger:
    """Return the sample of Linshu."""
    return read_ledger(resources.sample("linshu")[0], methods=method_words([load_policy("linshu-2021")]))


@lru_cache(maxsize=8)
def tables(name: str, year: int) -> dict[str, Any]:
    """Return the tables of a sample's year; that of Linshu's 2023 knows the odds of the year to come."""
    if (name, year) != ("linshu", 2023):
        return judged(name, year)
    return judged(name, year) | once("linshu-2023-odds", _odds)


def _odds() -> dict[str, Any]:
    return report.forecast_tables(forecast(linshu(), load_policy("linshu-2021"), 2024, as_of="2023-12", draws=100))


@lru_cache(maxsize=8)
def judged(name: str, year: int) -> dict[str, Any]:
    """Return the tables of a sample's verdict."""
    return once(f"{name}-{year}", lambda: report.assessment_tables(assessed(name, year)))


def assessed(name: str, year: int) -> Assessment:
    """Assess a sample's year, Zhoushan's city or one of its counties."""
    if name == "linshu":
        return assess(linshu(), load_policy("linshu-2021"), year)
    policy = load_policy("zhoushan-2020")
    paths = [resources.sample(f"zhoushan-{n}")[0] for n in COUNTIES if name in ("zhoushan", f"zhoushan-{n}")]
    book = read_ledger(paths, methods=method_words([policy]))
    level = "city" if name == "zhoushan" else "county"
    return assess(book, policy, 2020, level=level, quotas={"closures": 99.0})
