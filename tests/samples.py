"""The tables of the shipped samples, made once a process."""

from __future__ import annotations

from functools import lru_cache

from test_report_tables import LINSHU, ZHOUSHAN

from lyeval import report, resources
from lyeval.assessment import assess
from lyeval.forecasting import forecast
from lyeval.ledger import Ledger, read_ledger
from lyeval.policy import method_words

COUNTIES = ("dinghai", "putuo", "daishan", "shengsi")


@lru_cache(maxsize=1)
def linshu() -> Ledger:
    """Return the sample of Linshu."""
    return read_ledger(resources.sample("linshu")[0], methods=method_words([LINSHU]))


@lru_cache(maxsize=8)
def tables(name: str, year: int) -> dict:
    """Return the tables of a sample's year; that of Linshu's 2023 knows the odds of the year to come."""
    if name == "linshu":
        made = report.assessment_tables(assess(linshu(), LINSHU, year))
        ahead = forecast(linshu(), LINSHU, 2024, as_of="2023-12", draws=100) if year == 2023 else None
        return made | report.forecast_tables(ahead)
    paths = [resources.sample(f"zhoushan-{n}")[0] for n in COUNTIES if name in ("zhoushan", f"zhoushan-{n}")]
    book = read_ledger(paths, methods=method_words([ZHOUSHAN]))
    level = "city" if name == "zhoushan" else "county"
    return report.assessment_tables(assess(book, ZHOUSHAN, 2020, level=level, quotas={"closures": 99.0}))
