"""What a projection had to leave out or assume, in words: each a sentence in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A remark on a result.

    Attributes
    ----------
    id
        Which remark (a key of `NOTES`).
    zh, en
        The sentence.
    """

    id: str
    zh: str
    en: str

    def text(self, lang: str = "zh") -> str:
        """Return the sentence in one language."""
        return self.en if lang == "en" else self.zh

    def __str__(self) -> str:
        return self.zh


def note(id: str, **params: object) -> Note:
    """Fill the sentence ``id`` of `NOTES` with its figures."""
    zh, en = NOTES[id]
    return Note(id, zh.format(**params), en.format(**params))


def distinct(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Drop repeated notes, keeping the first of each."""
    return tuple(dict.fromkeys(notes))


NOTES: dict[str, tuple[str, str]] = {
    "dropped": (
        "测算未采用{zh}作为变量（数据不完整，或各类企业过少）",
        "{en} is left out of the projection: figures missing, or too few enterprises in a group",
    ),
    "persistence": (
        "历年税收记录只有 {rows} 条，不足以估计变动规律，按上年水平加假设的波动（对数标准差 {spread:g}）测算",
        "only {rows} past enterprise-years above zero: last year's tax with an assumed spread of {spread:g} log points",
    ),
    "one_transition": (
        "只有 {year} 年一个年份可用于估计，年度共同波动全部来自假设",
        "fitted on the single year {year}: the year-to-year common shock rests on assumption alone",
    ),
}
