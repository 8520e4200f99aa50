"""The words offices write for yes and no, 规上 and 规下, disposal methods, outcomes and tax flows (词表)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from lyeval import resources
from lyeval.resources import read_rows
from lyeval.textfiles import read_yaml


def key(text: str) -> str:
    """Return ``text`` stripped to letters, digits and Chinese characters, in lower case and half width."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())


def plain(text: str) -> str:
    """Return ``text`` in half width and lower case, without spaces and unseen signs."""
    return "".join(unicodedata.normalize("NFKC", bare(text)).lower().split())


def bare(text: str) -> str:
    """Return a cell's text without what keeps a spreadsheet from changing it (="…", a leading apostrophe) and without unseen signs."""
    text = UNSEEN.sub("", text)
    guarded = GUARDED.fullmatch(text)
    return guarded[1] or guarded[2] or "" if guarded else text


def is_missing(text: str) -> bool:
    """Whether ``text`` says that there is no datum (缺失), which is never zero."""
    return plain(text) in MISSING


def find_word(text: str, words: Mapping[str, str]) -> str | None:
    """Return what ``text`` stands for in ``words`` (normalised word → canonical), exactly or without its bracket."""
    bare = re.sub(r"[(（\[【].*?[)）\]】]", "", text)
    for form in dict.fromkeys((key(text), key(bare))):
        for short in (form, form.removeprefix("已"), form.removeprefix("拟"), form.removesuffix("类")):
            if short in words:
                return words[short]
    return None


def find_method(text: str, own: Mapping[str, str]) -> str | None:
    """Return the canonical disposal method (处置方式) of ``text``; ``own`` labels of a policy come first.

    A composite such as 淘汰（关停） is taken when all the known words in it name one method.
    """
    exact = find_word(text, {key(label): method for label, method in own.items()}) or find_word(text, METHODS)
    if exact:
        return exact
    form = key(text)
    named = {method for word, method in METHODS.items() if len(word) > 1 and word in form}
    return named.pop() if len(named) == 1 else None


def terms(name: str) -> list[tuple[str, str, str]]:
    """Return the rows of one list of ``terms.csv``: the term, and its words in Chinese and in English."""
    return [(row["term"], row["zh"], row["en"]) for row in TERMS if row["list"] == name]


def _words(name: str) -> frozenset[str]:
    """Return the words of a list of one row."""
    return frozenset(terms(name)[0][1].split())


def _meanings(name: str) -> dict[str, str]:
    """Return normalised word → what it stands for."""
    return {key(word): term for term, words, _ in terms(name) for word in [term, *words.split()]}


UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]"
)
GUARDED = re.compile(r'\s*=\s*"([^"]*)"\s*|\s*[\'’‘＇`]([^\'’‘＇]+)[\'’‘＇]?\s*', re.S)
TERMS = read_rows(__file__, "terms.csv")
PATTERNS = {row["name"]: re.compile(row["pattern"]) for row in read_rows(__file__, "patterns.csv")}
MISSING = _words("missing") | {""}
YES, NO = _words("yes"), _words("no")
ABOVE, BELOW = YES | _words("above"), NO | _words("below")
FIRM_SIZES, DONE, WRITTEN_OFF = _words("size"), _words("done"), _words("written_off")
STATES = _words("state")  # how a firm is registered or runs, which is no outcome of a disposal
OUTCOMES, FLOWS = _meanings("outcome"), _meanings("flow")
METHOD_ROWS: list[dict[str, Any]] = read_yaml(resources.path("parameters/assumptions/methods.yaml"))[0]["methods"]
METHODS = {key(word): row["id"] for row in METHOD_ROWS for word in [row["id"], *row["words"]]}
METHOD_LABELS = {row["id"]: row["words"][0] for row in METHOD_ROWS}
DONE_AS = {row["id"]: row["finished"] for row in METHOD_ROWS}
CODE_SIZE = 18
DIGITS = str.maketrans("〇零○一二三四五六七八九", "000123456789")


def tidy(value: object) -> str:
    """Return a code in half width and capitals, without spaces, quotes, hyphens, unseen signs, or the ="…" that guards it."""
    return UNTIDY.sub("", unicodedata.normalize("NFKC", str(value))).upper()


def well_formed(code: str) -> bool:
    """Whether ``code`` has 18 characters of the code's alphabet."""
    return bool(CODE_FORM.fullmatch(code))


def check_digits(codes: Sequence[str]) -> np.ndarray:
    """Return for each well-formed code whether its last character is the check digit.

    The check digit is 31 − (Σ value of character i × 3^(i−1) mod 31) mod 31, over the first 17 characters.

    Returns
    -------
    ndarray of bool, shape (len(codes),)
    """
    if not len(codes):
        return np.zeros(0, dtype=bool)
    letters = np.frombuffer("".join(codes).encode("ascii"), dtype=np.uint8).reshape(-1, CODE_SIZE)
    values = LOOKUP[letters]
    expected = (31 - (values[:, :17] @ WEIGHTS) % 31) % 31
    return expected == values[:, 17]


def with_check_digit(first17: str) -> str:
    """Return the 18-character code that begins with ``first17``."""
    total = sum(ALPHABET.index(letter) * int(weight) for letter, weight in zip(first17, WEIGHTS, strict=True))
    return first17 + ALPHABET[(31 - total % 31) % 31]


UNTIDY = re.compile(
    "[\\s'’‘`´\"“”=_\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2010-\u2015\u202a-\u202f\u2060-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb-]+"
)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CODE_FORM = re.compile(f"[{ALPHABET}]{{18}}")
WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)
LOOKUP = np.full(256, -1, dtype=np.int64)
LOOKUP[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)


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
    times = TIMES.match(word)
    if times and times["unit"] in SIZES:
        dimension, size = SIZES[times["unit"]]
        tens: int = (
            int(times["tens"] or 0) + len(times["zeros"] or "") + sum(TENS[word] for word in times["words"] or "")
        )
        return dimension, size * 10**tens
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
    word = unicodedata.normalize("NFKC", text).strip().translate(PLAINER)
    word = re.sub(r"^(计量|金额|面积)?单位[:：]?", "", word).strip(" .,;:，。；：*")
    word = re.sub(r"\s+", "", word).lower().replace("每", "/").replace("⋅", "·").replace("•", "·").replace("・", "·")
    word = re.sub(r"^([(]?人民币[):/]*|rmb|cny|¥|￥)(?=.)|(?<=.)(人民币|rmb|cny)$", "", word)
    return re.sub(r"/(年|a|yr)$", "", word)


UNITLIKE = PATTERNS["unitlike"]
PLAINER = str.maketrans("萬億圓畝仟佰拾", "万亿元亩千百十")
TENS = {"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}
TIMES = re.compile(r"(?:10\^?(?P<tens>[2-9])|1(?P<zeros>0+)|(?P<words>[十百千万亿]+))(?P<unit>\D.*)")
SIZES = {
    _spelt(word): (row["dimension"], Fraction(row["size"]))
    for row in read_rows(__file__, "units.csv")
    for word in row["words"].split()
}
