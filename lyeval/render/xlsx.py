"""Tables as an Excel workbook: one sheet per table, ready to filter, print and check."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lyeval.render.blocks import Cell, Column, Lang, Table
from lyeval.render.glyphs import clean
from lyeval.render.numbers import digits_of, format_value, plain, told

HEADER = 1  # row of the column headings, below the title; the first record stands on the next one
LONGEST = 32000  # Excel's cell holds 32,767 characters
AROUND = 8  # rows of a sheet that are no records: title, headings, the lines beneath
LONGEST_RULE = 200  # and a rule's text 255


def to_xlsx(
    sheets: Sequence[Table],
    path: str | Path,
    *,
    title: str,
    created: date,
    notes: Sequence[str | tuple[str, str]],
    lang: Lang = "zh",
    index: bool = False,
) -> None:
    """Write one sheet per table and a last sheet of notes (口径); ``index``: a first sheet that names and links them.

    Text is written as text, whatever it begins with; missing values are empty cells; shares keep their fraction under a
    percent format; status cells are coloured. The same tables give the same bytes. Rows beyond a sheet's last go on on a
    second one, named as the first with (2).

    Parameters
    ----------
    sheets : sequence of Table
    path : path
    title : str
        Title property of the workbook and first line of the notes.
    created : date or datetime
        The creation time to store, so that bytes do not depend on the clock.
    notes : sequence of str or (label, text)
        Lines of the notes sheet.
    lang : {"zh", "en"}
    """
    from lyeval.workbooks import Book, pages

    moment = created if isinstance(created, datetime) else datetime(created.year, created.month, created.day)
    properties = {"title": title, "created": moment.replace(tzinfo=None), "comments": "lyeval"}
    size = sum(len(table.rows) * len(table.columns) for table in sheets)
    with Book(path, properties, cells=size, nan_inf_to_errors=True) as book:
        formats = _Formats(book)
        first = book.sheet(told(lang)["index"]) if index else None
        placed: list[tuple[str, int]] = []
        for table in sheets:
            for part in pages(len(table.rows), len(table.columns), AROUND):
                sheet = book.sheet(table.title)
                _sheet(sheet, replace(table, rows=table.rows[part]), formats, lang)
                placed.append((sheet.get_name(), len(table.rows[part])))
        last = book.sheet(told(lang)["notes"])
        _notes(last, title, notes, formats)
        if first is not None:
            _index(first, title, [*placed, (last.get_name(), 0)], formats)


def _index(sheet: Any, title: str, placed: Sequence[tuple[str, int]], formats: _Formats) -> None:
    """Name every sheet with a link to it and its number of records."""
    sheet.write_string(0, 0, _safe(title), formats.get(bold=True, font_size=14, font_color=ACCENT))
    sheet.set_column(0, 0, 6)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, 2, 10)
    for row, (name, records) in enumerate(placed, start=1):
        quoted = name.replace("'", "''")
        sheet.write_number(row + HEADER - 1, 0, row)
        sheet.write_url(row + HEADER - 1, 1, f"internal:'{quoted}'!A1", string=name)
        if records:
            sheet.write_number(row + HEADER - 1, 2, records)
    _page(sheet, 0)


def _sheet(sheet: Any, table: Table, formats: _Formats, lang: Lang) -> None:
    """Write one table: title, headings, records, lines beneath."""
    last = max(len(table.columns) - 1, 0)
    sheet.write_string(0, 0, _safe(table.title), formats.get(bold=True, font_size=14, font_color=ACCENT))
    sheet.set_row(0, 24)
    for place, column in enumerate(table.columns):
        sheet.write_string(HEADER, place, _heading(column, lang), formats.get(**STYLES["header"]))
        sheet.set_column(place, place, _width(table, place, lang))
    sheet.set_row(HEADER, 32)
    ruled = [bool(_words(table, place, lang)) for place in range(len(table.columns))]
    for row, values in enumerate(table.rows, start=HEADER + 1):
        for place, (column, value) in enumerate(zip(table.columns, values, strict=True)):
            value = plain(value) if ruled[place] else value
            _cell(sheet, (row, place), column, value, formats, lang)
    end = HEADER + len(table.rows)
    _beneath(sheet, table, end + 2, formats, lang)
    if table.rows:
        sheet.autofilter(HEADER, 0, end, last)
        _colour(sheet, table, formats, lang)
    sheet.freeze_panes(HEADER + 1, 1)
    _page(sheet, last)


def _colour(sheet: Any, table: Table, formats: _Formats, lang: Lang) -> None:
    """Colour a column's statuses by rule, so that the colour follows the word when an office edits it."""
    for place in range(len(table.columns)):
        for text, tone in sorted(_words(table, place, lang).items()):
            rule = {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": formats.get(**STYLES[tone])}
            sheet.conditional_format(HEADER + 1, place, HEADER + len(table.rows), place, rule)


def _words(table: Table, place: int, lang: Lang) -> dict[str, str]:
    """Return a column's toned words with the tone of each; none where one word has two tones, or a word is long."""
    told: dict[str, set[str]] = {}
    for row in table.rows:
        value = row[place]
        if isinstance(value, Cell) and value.tone in STYLES and isinstance(value.value, str):
            told.setdefault(_safe(format_value(table.columns[place], value.value, lang)), set()).add(value.tone)
    fit = all(len(tones) == 1 and len(text) <= LONGEST_RULE and '"' not in text for text, tones in told.items())
    return {text: min(tones) for text, tones in told.items()} if fit else {}


def _page(sheet: Any, last: int) -> None:
    """Set up printing: A4 across, one page wide, headings on every page, page numbers."""
    sheet.set_paper(9)
    if last > 4:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, HEADER)
    sheet.set_footer("&C&P / &N")


def _cell(sheet: Any, at: tuple[int, int], column: Column, value: Any, formats: _Formats, lang: Lang) -> None:
    """Write one value by what it is."""
    bare, tone = plain(value), value.tone if isinstance(value, Cell) else "plain"
    style = {"valign": "top", "border": 1, "border_color": LINE} | STYLES.get(tone, {})
    if bare is None or bare == "":
        sheet.write_blank(*at, None, formats.get(**style))
    elif isinstance(bare, date):
        sheet.write_datetime(
            *at, datetime(bare.year, bare.month, bare.day), formats.get(num_format="yyyy-mm-dd", **style)
        )
    elif isinstance(bare, int | float) and not isinstance(bare, bool):
        sheet.write_number(*at, bare, formats.get(num_format=_pattern(column, value, bare), **style))
    else:
        text = format_value(column, bare, lang)
        wrap = {"text_wrap": True} if _columns_wide(text) > WIDEST or "\n" in text else {}
        sheet.write_string(*at, _safe(text), formats.get(**style, **wrap))


def _pattern(column: Column, value: Any, bare: float) -> str:
    """Return Excel's number format for a value."""
    if column.kind == "text":
        return "General"
    digits = digits_of(column, value)
    decimals = "." + "0" * digits if digits else ""
    return f"0{decimals}%" if column.kind == "percent" else f"#,##0{decimals}"


def _beneath(sheet: Any, table: Table, row: int, formats: _Formats, lang: Lang) -> None:
    """Write note, basis and source below the records."""
    quiet = formats.get(font_color=SOFT, font_size=9)
    for key, text in (("note", table.note), ("cite", table.cite), ("source", table.source)):
        if text:
            sheet.write_string(row, 0, _safe(told(lang)[key] + text), quiet)
            row += 1


def _notes(sheet: Any, title: str, notes: Sequence[str | tuple[str, str]], formats: _Formats) -> None:
    """Write the sheet of notes: label and text."""
    sheet.write_string(0, 0, _safe(title), formats.get(bold=True, font_size=14, font_color=ACCENT))
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 100)
    wrap, label_style = formats.get(text_wrap=True, valign="top"), formats.get(bold=True, valign="top", text_wrap=True)
    for row, note in enumerate(notes, start=HEADER + 1):
        label, text = ("", note) if isinstance(note, str) else note
        sheet.write_string(row, 0, _safe(label), label_style)
        sheet.write_string(row, 1, _safe(text), wrap)
    _page(sheet, 9)


def _heading(column: Column, lang: Lang) -> str:
    """Return a heading with its unit in brackets."""
    return _safe(column.title + (told(lang)["unit"].format(column.unit) if column.unit else ""))


def _width(table: Table, place: int, lang: Lang) -> float:
    """Return a column width that fits heading (two lines) and values, Chinese signs counted double."""
    column = table.columns[place]
    texts = [_columns_wide(format_value(column, row[place], lang)) for row in table.rows]
    head = max(_columns_wide(column.title), _columns_wide(column.unit) + 2)
    return min(max([8, head if head <= 14 else (head + 5) // 2, *texts]) + 2, WIDEST)


def _columns_wide(text: str) -> int:
    """Count the columns a text takes: wide characters two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)


def _safe(text: str) -> str:
    """Drop control and direction marks; of what is longer than a cell the beginning, and how long it was."""
    told = clean(text)
    if 2 * len(told) <= LONGEST:
        return told
    from lyeval.workbooks import units

    if units(told) <= LONGEST:
        return told
    return f"{told[: LONGEST // 2]}…（共{len(told)}字，此处只列前{LONGEST // 2}字 / {len(told)} characters, the first {LONGEST // 2}）"


class _Formats:
    """The workbook's cell formats, each made once."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.made: dict[tuple[tuple[str, Any], ...], Any] = {}

    def get(self, **style: Any) -> Any:
        """Return the format of a style, in the house font."""
        key = tuple(sorted(style.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format({"font_name": "Microsoft YaHei", "font_size": 10} | style)
        return self.made[key]


ACCENT, LINE, SOFT, WIDEST = "#17456B", "#D9DEE4", "#55606C", 48
STYLES: dict[str, dict[str, Any]] = {
    "header": {
        "bold": True,
        "text_wrap": True,
        "valign": "vcenter",
        "align": "center",
        "bg_color": "#E8EEF4",
        "border": 1,
    }
    | {"border_color": "#9AA7B4"},
    "good": {"font_color": "#0A5A9C", "bg_color": "#E4F0FA", "bold": True},
    "bad": {"font_color": "#A83208", "bg_color": "#FDECE4", "bold": True},
    "open": {"font_color": "#5D5346", "bg_color": "#F2EDE3", "bold": True},
}
