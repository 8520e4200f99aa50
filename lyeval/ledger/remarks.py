"""What remarks say that no column holds (备注所示): listed with their rows for confirmation, never used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lyeval.ledger.columns import COLUMNS, Column
from lyeval.ledger.convert import Raw, texts_of
from lyeval.ledger.faults import Faults
from lyeval.ledger.headings import key


@dataclass(frozen=True)
class Remark:
    """A remark that speaks of a column: where it stands, whose it is, its text, the word, and the column."""

    file: str
    sheet: str
    row: int
    heading: str
    code: str
    text: str
    word: str
    column: Column


def remarks_of(
    heads: Sequence[tuple[int, str]],
    raws: Sequence[Raw],
    data: Sequence[int],
    codes: pd.Series,
    place: tuple[str, str, int],
) -> Iterator[Remark]:
    """Give the remarks of a table's unread columns that speak of a column of the ledger.

    ``heads`` are places and headings of unread columns, ``data`` positions of data rows, ``place`` file, sheet and first row.
    """
    file, sheet, first = place
    for at, heading in heads:
        if not HEADS.search(key(heading)):
            continue
        texts = texts_of(raws[at])
        known: dict[str, list[tuple[str, Column]]] = {}
        for position in data:
            text = texts[position]
            if not isinstance(text, str) or not text.strip():
                continue
            for word, column in known.setdefault(text, _said(text)):
                yield Remark(file, sheet, first + position, heading, str(codes.iloc[position]), text, word, column)


def tell_remarks(remarks: Sequence[Remark], frames: Mapping[str, pd.DataFrame], faults: Faults) -> None:
    """Tell the remarks whose column is not filled for their enterprise."""
    held: dict[str, set[Any]] = {}
    for remark in remarks:
        column = remark.column
        name = f"{column.sheet}.{column.name}"
        if name not in held:
            frame = frames.get(column.sheet)
            filled = (
                frame[frame[column.name].notna().to_numpy()] if frame is not None and column.name in frame else None
            )
            held[name] = set() if filled is None else set(filled["credit_code"])
        if remark.code not in held[name]:
            where = {"row": remark.row, "heading": remark.heading, "value": remark.text}
            more = {"word": remark.word, "column": column.zh, "column_en": column.en, "code": remark.code}
            faults.add("remark_says", remark.file, remark.sheet, **where, **more)


def _said(text: str) -> list[tuple[str, Column]]:
    """Return the words of a remark that speak of a column, and which; what it denies is not said."""
    found = []
    for column in COLUMNS:
        word = next((w for w in column.remarks if re.search(f"(?<![未无非不])(?<!没有){w}(?!情况无)", text)), None)
        if word:
            found.append((word, column))
    return found


HEADS = re.compile(r"备注|说明|状态|状况|附注")
