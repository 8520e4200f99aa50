"""Three-valued columns: true, false or unknown for each enterprise (Kleene's logic)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Bools = np.ndarray


@dataclass(frozen=True, eq=False)
class Tri:
    """A column of three truth values, held as two masks.

    Attributes
    ----------
    true, false
        Boolean arrays of shape (n,), never both set; where neither is, the value is unknown.
    """

    true: Bools
    false: Bools

    @classmethod
    def of(cls, values: Bools, known: Bools | None = None) -> Tri:
        """Make a column from booleans of shape (n,) and, where given, a mask of those that are known."""
        values = np.asarray(values, dtype=bool)
        return cls(values, ~values) if known is None else cls(values & known, ~values & known)

    @classmethod
    def all(cls, n: int, value: bool | None) -> Tri:
        """Make a column of ``n`` equal values; None is unknown."""
        return cls(np.full(n, value is True), np.full(n, value is False))

    @property
    def unknown(self) -> Bools:
        """The mask of the unknown, shape (n,)."""
        return ~(self.true | self.false)

    @property
    def possible(self) -> Bools:
        """The mask of those that are or may be true, shape (n,)."""
        return ~self.false

    def __and__(self, other: Tri) -> Tri:
        return Tri(self.true & other.true, self.false | other.false)

    def __or__(self, other: Tri) -> Tri:
        return Tri(self.true | other.true, self.false & other.false)

    def __invert__(self) -> Tri:
        return Tri(self.false, self.true)

    def __len__(self) -> int:
        return len(self.true)

    def where(self, mask: Bools, other: Tri) -> Tri:
        """Take ``self`` where ``mask`` is set, ``other`` elsewhere."""
        return Tri(np.where(mask, self.true, other.true), np.where(mask, self.false, other.false))

    def objects(self) -> np.ndarray:
        """Return an object array of True, False and None."""
        out = np.full(len(self), None, dtype=object)
        out[self.true] = True
        out[self.false] = False
        return out

    def words(self, yes: str, no: str) -> np.ndarray:
        """Return an object array of a word for true, another for false, and None."""
        out = np.full(len(self), None, dtype=object)
        out[self.true] = yes
        out[self.false] = no
        return out


RELATIVE = 1e-9


def on_line(values: np.ndarray, line: float | np.ndarray) -> Bools:
    """Tell which values stand on the line, within 1e-9 of it (relative)."""
    return np.abs(values - line) <= RELATIVE * np.maximum(np.abs(line), 1e-300)


def compare(values: np.ndarray, op: str, line: float | np.ndarray) -> Tri:
    """Hold a column of numbers, shape (n,), against a line; NaN on either side is unknown.

    Parameters
    ----------
    op
        lt, le, gt, ge, eq or ne. A value within 1e-9 (relative) of the line is on it.
    """
    with np.errstate(invalid="ignore"):
        near, lower = on_line(values, line), values < line
    result = {
        "lt": lower & ~near,
        "le": lower | near,
        "gt": ~lower & ~near,
        "ge": ~lower | near,
        "eq": near,
        "ne": ~near,
    }[op]
    return Tri.of(result, ~(np.isnan(values) | np.isnan(line)))
