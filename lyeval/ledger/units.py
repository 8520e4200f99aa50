"""Units as offices write them, and their exact ratios to one base per dimension: the rows of ``units.csv``.

1 亩 = 2000/3 m². Conversions happen in the ledger alone: elsewhere every column is in its canonical unit.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from fractions import Fraction
from functools import cache
from pathlib import Path


def _load() -> dict[str, tuple[str, Fraction]]:
    """Read ``units.csv``, which stands beside this module: spelling → dimension and size in its base unit."""
    with Path(__file__).with_name("units.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {_spelt(word): (dimension, Fraction(size)) for dimension, size, words in rows for word in words.split()}


@cache
def find_unit(text: str) -> tuple[str, Fraction] | None:
    """Return the dimension and the size in the dimension's base unit, or None when ``text`` is no unit.

    Parameters
    ----------
    text : str
        E.g. ``万元``, ``㎡``, ``万元/亩``, ``单位：元``; either width. Money may stand over area or energy.
    """
    word = _spelt(text)
    if word in SIZES:
        return SIZES[word]
    money, _, per = word.partition("/")
    above, below = SIZES.get(money), SIZES.get(per)
    if above is None or below is None or above[0] != "money" or below[0] not in ("area", "energy"):
        return None
    return f"money per {below[0]}", above[1] / below[1]


def factor(unit: str, canonical: str) -> Fraction | None:
    """Return what a value in ``unit`` is multiplied by to be in ``canonical``; None when they do not agree.

    Money alone under a measure per 亩 means money per 亩.
    """
    given, wanted = find_unit(unit), find_unit(canonical)
    if given is not None and given[0] == "money" and canonical.endswith("/亩"):
        given = find_unit(f"{unit}/亩")
    if given is None or wanted is None or given[0] != wanted[0]:
        return None
    return given[1] / wanted[1]


def looks_like_unit(text: str) -> bool:
    """Whether the words of a bracket are meant as a unit, known or not: 美元, 平方丈, kgce, 元/吨."""
    word = _spelt(text)
    return bool(word) and (find_unit(text) is not None or UNITLIKE.fullmatch(word) is not None)


def _spelt(text: str) -> str:
    """Return a unit's word in half width and lower case, without what does not tell units apart."""
    word = unicodedata.normalize("NFKC", text).strip()
    word = re.sub(r"^(计量|金额|面积)?单位[:：]?", "", word).strip(" .,;:，。；：")
    word = re.sub(r"\s+", "", word).lower().replace("每", "/").replace("⋅", "·").replace("•", "·").replace("・", "·")
    word = re.sub(r"^(人民币|rmb|cny|¥|￥)(?=.)|人民币$", "", word)
    return re.sub(r"/(年|a|yr)$", "", word)


UNITLIKE = re.compile(
    r"[a-z%‰$€£]{1,6}[23²³]?([/·.*-][a-z]{1,4}[23²³]?)?|[百千万亿十仟佰]*(美|欧|港|日|英|澳|加|新台|台|韩)?[百千万亿十仟佰]*(元|币|镑|美金)"
    r"|[百千万亿十仟佰]*(平方?|立方?|公|英|市|标)?(米|尺|丈|里|亩|顷|坪|吨|斤|克|两|升|桶|担|箱|瓦|瓦时|焦|卡|伏|安|千卡|大卡)[23²³]?"
    r"|[百千万亿十仟佰]*(吨标油|吨油当量|平方[一-鿿]{1,2}|立方[一-鿿]{1,2})|[一-鿿a-z]{1,4}/[一-鿿a-z]{1,3}[23²³]?"
)
SIZES = _load()
