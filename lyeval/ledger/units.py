"""Units as offices write them, and their exact ratios to one base per dimension.

1 亩 = 2000/3 m². Conversions happen in the ledger alone: elsewhere every column is in its canonical unit.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import cache

MU = Fraction(2000, 3)


@cache
def find_unit(text: str) -> tuple[str, Fraction] | None:
    """Return the dimension and the size in the dimension's base unit, or None when ``text`` is no unit.

    Parameters
    ----------
    text : str
        E.g. ``万元``, ``㎡``, ``万元/亩``, ``单位：元``; either width.
    """
    word = re.sub(r"^(计量)?单位[:：]?", "", unicodedata.normalize("NFKC", text).strip()).strip(" .,;:，。；：")
    word = word.replace(" ", "").lower().replace("每", "/").replace("／", "/").replace("人民币", "")
    word = word.removesuffix("/年").removesuffix("/a")
    return SIZES.get(word)


def factor(unit: str, canonical: str) -> Fraction | None:
    """Return what a value in ``unit`` is multiplied by to be in ``canonical``; None when they do not agree."""
    given, wanted = find_unit(unit), find_unit(canonical)
    if given is None or wanted is None or given[0] != wanted[0]:
        return None
    return given[1] / wanted[1]


def _sizes() -> dict[str, tuple[str, Fraction]]:
    """Spell out the table of units, with the ratios of money to area."""
    simple = {
        word: (dimension, size)
        for dimension, group in UNITS.items()
        for words, size in group.items()
        for word in words.split()
    }
    ratios = {
        f"{money}/{area}": ("money per area", a / b)
        for money, (of_money, a) in simple.items()
        for area, (of_area, b) in simple.items()
        if of_money == "money" and of_area == "area"
    }
    energy = {f"{m}/{e}": ("money per energy", simple[m][1] / simple[e][1]) for m in ("元", "万元") for e in ENERGY}
    return simple | ratios | energy


ENERGY = ("度", "千瓦时", "kwh", "万千瓦时", "万度", "万kwh")
UNITS: dict[str, dict[str, Fraction]] = {
    "money": {
        "元 yuan cny rmb": Fraction(1),
        "百元": Fraction(100),
        "千元": Fraction(1000),
        "万元 万 10kyuan 10000yuan": Fraction(10**4),
        "十万元": Fraction(10**5),
        "百万元": Fraction(10**6),
        "千万元": Fraction(10**7),
        "亿元 亿": Fraction(10**8),
    },
    "area": {
        "亩 mu 市亩": MU,
        "m2 m^2 平方米 平米 平方 平 sqm": Fraction(1),
        "万m2 万平方米 万平米 万平方 万方": Fraction(10**4),
        "公顷 hm2 hm^2 ha": Fraction(10**4),
        "万亩": MU * 10**4,
        "平方公里 km2 平方千米": Fraction(10**6),
    },
    "energy": {
        "度 千瓦时 kwh kw.h kw·h": Fraction(1),
        "千度 mwh 兆瓦时": Fraction(10**3),
        "万度 万千瓦时 万kwh 万kw.h": Fraction(10**4),
        "亿度 亿千瓦时 亿kwh": Fraction(10**8),
    },
    "capacity": {"kva 千伏安 kw 千瓦": Fraction(1), "mva 兆伏安": Fraction(1000)},
    "mass": {"吨 t 吨/年": Fraction(1), "千克 kg 公斤": Fraction(1, 1000), "万吨 万t": Fraction(10**4)},
    "volume": {
        "立方米 m3 m^3 立方 方 标立方米 nm3 标方": Fraction(1),
        "万立方米 万m3 万立方 万标立方米 万nm3 万标方": Fraction(10**4),
        "亿立方米 亿m3": Fraction(10**8),
    },
    "people": {"人 名 个": Fraction(1), "万人": Fraction(10**4)},
    "firms": {"家 户": Fraction(1)},
    "share": {"%": Fraction(1, 100)},
}
SIZES = _sizes()
