"""Who stands in a sample: places from ``places.yaml``, invented names and credit codes, industries, class and land."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lyeval.ledger.vocabulary import ALPHABET, with_check_digit
from lyeval.policy import Policy
from lyeval.textfiles import read_yaml

STEMS, BRANCHES, NUMERALS = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥", "一二三四五六七八九十"


class Level(NamedTuple):
    """Cross-section of one class: ln of tax per mu (万元/亩) and ln of land (亩); ``land_max`` in 亩."""

    tax_mean: float
    tax_sd: float
    land_mean: float
    land_sd: float
    land_max: float


class Industry(NamedTuple):
    """An industry: class of GB/T 4754-2017, word in a company name, relative frequency, mark (see ``places.yaml``)."""

    code: str
    word: str
    weight: float
    mark: str = ""


@dataclass(frozen=True, eq=False)
class Place:
    """One county: what its sample is drawn from, and its entry of ``programmes.yaml``.

    Attributes
    ----------
    townships : list of (name, relative frequency); drive : how a drive of one year ends here, empty if there is none.
    """

    id: str
    policy: str
    county: str
    short: str
    code: str
    enterprises: int
    above_share: float
    above: Level
    below: Level
    townships: list[tuple[str, float]]
    industries: list[Industry]
    tiny_share: float = 0.0
    drive: Mapping[str, Any] = field(default_factory=dict)
    programme: Mapping[str, Any] = field(default_factory=dict)

    def stream(self, seed: int, *key: int) -> np.random.Generator:
        """Return the generator of one purpose: the same for the same seed and key, whatever else was drawn."""
        return np.random.default_rng([seed, int(self.code), *key])


@cache
def data(name: str) -> dict[str, Any]:
    """Return a file of parameters that stands beside this module."""
    return read_yaml(Path(__file__).with_name(f"{name}.yaml"))[0]


def places(policy: Policy, county: str | None = None) -> tuple[Place, ...]:
    """Return the counties of a policy, or the one named (中文名 or id); a plan of no known place gets an invented one.

    Raises
    ------
    ValueError
        The policy has no such county.
    """
    rows = data("places")["places"]
    found = tuple(_place(row) for row in rows if row["policy"] == policy.id) or (_anywhere(policy, rows[-1]),)
    if county is None:
        return found
    one = tuple(place for place in found if county in (place.county, place.short, place.id))
    if not one:
        known = "、".join(place.county for place in found)
        raise ValueError(f"no sample for county {county!r}, there are {known} / 没有“{county}”的样例，现有 {known}")
    return one


def _place(row: Mapping[str, Any]) -> Place:
    industries = [*data("places")["industries"][row["industries"]], *row.get("more_industries", ())]
    made = {k: v for k, v in row.items() if k != "more_industries"}
    made |= {"industries": [Industry(*each) for each in industries]}
    made |= {side: Level(*row[side]) for side in ("above", "below")}
    return Place(**made, programme=data("programmes")["any"] | data("programmes").get(row["policy"], {}))


def _anywhere(policy: Policy, row: Mapping[str, Any]) -> Place:
    """Return an invented county under the plan's own name and code; a code that is no number becomes 999999."""
    code = policy.place.code if policy.place.code.isdecimal() and len(policy.place.code) == 6 else row["code"]
    name = policy.place.name
    return replace(_place(row), id=policy.id, policy=policy.id, county=name, short=name, code=code)


def credit_codes(place: Place, n: int, rng: np.random.Generator) -> list[str]:
    """Return ``n`` distinct codes of 18 places whose check character is wrong on purpose, so that none is real."""
    codes = []
    for number in rng.choice(31**5, size=n, replace=False).tolist():
        tail = ""
        for _ in range(5):
            number, digit = divmod(number, 31)
            tail += ALPHABET[digit]
        right = with_check_digit(f"91{place.code}MA9{tail}0")
        codes.append(right[:17] + ALPHABET[(ALPHABET.index(right[17]) + 1 + number % 29) % 31])
    return sorted(codes)


def names(place: Place, words: list[str], above: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Return one invented name per enterprise: county, calendar signs, trade; no two alike."""
    seen: dict[str, int] = {}
    made = []
    for position, (word, large) in enumerate(zip(words, above, strict=True)):
        mixed = (position * 487 + 13) % 1200
        sign = STEMS[mixed % 10] + BRANCHES[mixed // 10 % 12] + NUMERALS[mixed // 120]
        count = seen.get(sign, 0)
        seen[sign] = count + 1
        more = "".join(NUMERALS[int(digit)] for digit in str(count)) if count else ""
        kind = "有限公司" if large or rng.random() < 0.8 else "厂"
        made.append(f"{place.short}{sign}{more}{word}{kind}")
    return made


def roster(place: Place, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the fixed facts of ``n`` enterprises, sorted by credit code.

    Returns
    -------
    DataFrame, n rows
        credit_code, name, county, township, industry_code, mark (see `Industry`), above (bool), tiny (bool: 规下 under
        10 亩), land_mu (亩).
    """
    towns, town_weights = zip(*place.townships, strict=True)
    weights = np.array([industry.weight for industry in place.industries])
    picked = rng.choice(len(weights), size=n, p=weights / weights.sum())
    industries = [place.industries[i] for i in picked]
    order = rng.permutation(n)
    above = order < round(place.above_share * n)
    tiny = order >= n - round(place.tiny_share * n)
    town = np.array(towns)[rng.choice(len(towns), size=n, p=np.array(town_weights) / sum(town_weights))]
    made = {"credit_code": credit_codes(place, n, rng)}
    made |= {"name": names(place, [each.word for each in industries], above, rng), "county": place.county}
    made |= {"township": town, "industry_code": [each.code for each in industries]}
    made |= {"mark": [each.mark for each in industries], "above": above, "tiny": tiny}
    return pd.DataFrame(made | {"land_mu": _land(place, above, tiny, rng)})


def _land(place: Place, above: np.ndarray, tiny: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw land in 亩: log-normal, or from 10 亩 up with a gamma tail where the place has tiny firms apart."""
    n = len(above)
    mean = np.where(above, place.above.land_mean, place.below.land_mean)
    sd = np.where(above, place.above.land_sd, place.below.land_sd)
    if place.tiny_share:
        excess = mean - np.log(10.0)
        log_land = np.log(10.2) + rng.gamma((excess / sd) ** 2) * sd**2 / excess
        log_land = np.where(tiny, np.log(rng.uniform(2.0, 9.6, n)), log_land)
    else:
        log_land = np.maximum(mean + sd * rng.standard_normal(n), np.log(0.4))
    top = np.where(above, place.above.land_max, place.below.land_max)
    land = np.exp(log_land)
    return np.round(np.where(land > top, top * rng.uniform(0.6, 1.0, n), land), 2)
