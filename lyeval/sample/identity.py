"""Who stands in a sample: invented names and credit codes, townships, industries, class and land."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.sample.places import Industry, Place

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def check_digit(body: str) -> str:
    """Return the check character that GB 32100-2015 gives 17 places of a unified social credit code."""
    total = sum(ALPHABET.index(mark) * weight for mark, weight in zip(body, WEIGHTS, strict=True))
    return ALPHABET[(31 - total) % 31]


def credit_codes(place: Place, n: int, rng: np.random.Generator) -> list[str]:
    """Return ``n`` distinct codes of 18 places whose check character is wrong on purpose, so that none is real."""
    numbers = rng.choice(31**5, size=n, replace=False)
    codes = []
    for number in numbers.tolist():
        tail = ""
        for _ in range(5):
            number, digit = divmod(number, 31)
            tail += ALPHABET[digit]
        body = f"91{place.code}MA9{tail}0"
        right = ALPHABET.index(check_digit(body))
        codes.append(body + ALPHABET[(right + 1 + number % 29) % 31])
    return sorted(codes)


def names(place: Place, words: list[str], above: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Return one invented name per enterprise: county, calendar signs, trade; no two alike."""
    stems, branches, numerals = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥", "一二三四五六七八九十"
    made = []
    for position, (word, large) in enumerate(zip(words, above, strict=True)):
        mixed = (position * 487 + 13) % 1200
        sign = stems[mixed % 10] + branches[mixed // 10 % 12] + numerals[mixed // 120]
        kind = "有限公司" if large or rng.random() < 0.8 else "厂"
        made.append((f"{place.short}{sign}", f"{word}{kind}"))
    return _distinct(made, numerals)


def _distinct(made: list[tuple[str, str]], numerals: str) -> list[str]:
    """Join the two parts, with a further numeral where the first part was used before."""
    seen: dict[str, int] = {}
    out = []
    for head, tail in made:
        count = seen.get(head, 0)
        seen[head] = count + 1
        more = "".join(numerals[int(digit)] for digit in str(count)) if count else ""
        out.append(head + more + tail)
    return out


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
    industries: list[Industry] = [place.industries[i] for i in picked]
    order = rng.permutation(n)
    above = order < round(place.above_share * n)
    tiny = order >= n - round(place.tiny_share * n)
    town = np.array(towns)[rng.choice(len(towns), size=n, p=np.array(town_weights) / sum(town_weights))]
    return pd.DataFrame(
        {
            "credit_code": credit_codes(place, n, rng),
            "name": names(place, [industry.word for industry in industries], above, rng),
            "county": place.county,
            "township": town,
            "industry_code": [industry.code for industry in industries],
            "mark": [industry.mark for industry in industries],
            "above": above,
            "tiny": tiny,
            "land_mu": _land(place, above, tiny, rng),
        }
    )


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
