"""Unified social credit codes (统一社会信用代码, GB 32100-2015): form and check digit, vectorised."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

SIZE = 18


def tidy(value: object) -> str:
    """Return a code in half width and capitals, without spaces, quotes, hyphens, unseen signs, or the ="…" that guards it."""
    return UNTIDY.sub("", unicodedata.normalize("NFKC", str(value))).upper()


def well_formed(code: str) -> bool:
    """Whether ``code`` has 18 characters of the code's alphabet."""
    return bool(FORM.fullmatch(code))


def check_digits(codes: Sequence[str]) -> np.ndarray:
    """Return for each well-formed code whether its last character is the check digit.

    The check digit is 31 − (Σ value of character i × 3^(i−1) mod 31) mod 31, over the first 17 characters.

    Returns
    -------
    ndarray of bool, shape (len(codes),)
    """
    if not len(codes):
        return np.zeros(0, dtype=bool)
    letters = np.frombuffer("".join(codes).encode("ascii"), dtype=np.uint8).reshape(-1, SIZE)
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
FORM = re.compile(f"[{ALPHABET}]{{18}}")
WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)
LOOKUP = np.full(256, -1, dtype=np.int64)
LOOKUP[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)
