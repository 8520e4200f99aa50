"""What of a text a page can hold: marks that no page needs, characters that a face has, the room that a line takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

GETA = "〓"  # printers' sign for a character that is not in the case
SPACES = "\t\r\v\f\x85\u2028\u2029"


def clean(text: object) -> str:
    """Return a text without control characters, invisible marks and halves of characters; line ends stay.

    Marks that turn the direction of what follows would let one name rearrange a whole line, so they are left out.
    """
    said = str(text)
    if said.isprintable():
        return said
    return "".join(c for c in said.translate(ONE_SPACE) if c == "\n" or not _unseen(c))


def _unseen(sign: str) -> bool:
    """Tell whether a character is a control or format mark, half of one, or none at all."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs") or ord(sign) & 0xFFFE == 0xFFFE


def one_line(text: object) -> str:
    """Return a cleaned text on one line, single spaces at line ends."""
    return " ".join(part for part in (line.strip(" ") for line in clean(text).split("\n")) if part)


def drawn(text: str, covered: frozenset[int]) -> str:
    """Return a cleaned text in which 〓 stands for each character that no face has; marks without a face are left out."""
    if text.isascii():
        return text
    return "".join(
        c if ord(c) in covered or c == "\n" else "" if unicodedata.category(c) in ("Mn", "Me") else GETA for c in text
    )


def lacking(texts: Iterable[str], covered: frozenset[int]) -> list[str]:
    """Return the characters of cleaned texts that `drawn` replaces, sorted."""
    signs = {c for text in texts if not text.isascii() for c in text}
    return sorted(
        c for c in signs if ord(c) not in covered and c != "\n" and unicodedata.category(c) not in ("Mn", "Me")
    )


def ems(text: str) -> float:
    """Return the width of a line in ems: wide characters 1, capitals about 0.7, others about a half."""
    if text.isascii():
        return 0.56 * len(text) + 0.15 * sum(map(text.count, BROAD))
    return sum(1.0 if unicodedata.east_asian_width(c) in "WFA" else 0.71 if c in BROAD else 0.56 for c in text)


@lru_cache(maxsize=16)
def coverage(path: Path) -> frozenset[int]:
    """Return the code points that a font file (OTF, TTF, the first of a TTC) has a glyph for.

    Raises
    ------
    ValueError
        Not a font, or one without a Unicode table.
    """
    from matplotlib.ft2font import FT2Font

    try:
        found = FT2Font(str(path)).get_charmap()
    except (RuntimeError, OSError, ValueError) as error:
        raise ValueError(f"{path.name}: 不是可用的字体文件 / not a font file that can be used") from error
    if not found:
        raise ValueError(f"{path.name}: 字体没有 Unicode 字符表 / the font has no Unicode table")
    return frozenset(found)


BROAD = "ABCDEFGHKMNOPQRUVWXYZmw@%&"
ONE_SPACE = str.maketrans(dict.fromkeys(SPACES, " "))
