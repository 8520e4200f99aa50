"""A canonical ledger through random combinations of what offices do: it comes back equal, or what is unknown is told at its place."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ledgers import code, csv_file, rewritten, xlsx
from test_ledger_kinds import OTHERS, rules

from lyeval.ledger import read_ledger

TOWNS = ["东街街道", "西乡", "南镇"]
NAMES = ["credit_code", "name", "township", "year", "above_scale", "tax_wan", "land_mu"]
MONEY = [("万元", 1), ("元", 10**4), ("仟元", 10), ("RMB元", 10**4), ("万", 1), ("百万元", 0.01), ("人民币万元", 1)]
AREA = [("亩", 1), ("米2", 2000 / 3), ("公顷", 1 / 15), ("平方公尺", 2000 / 3), ("m²", 2000 / 3), ("万㎡", 1 / 15)]
UNSEEN = ["{}", "{}", "\u200b{}", "{}\u2060", "'{}", '="{}"', "\u00a0{}", "{}\u00ad"]


def canonical(rng: random.Random) -> pd.DataFrame:
    """Return a small ledger of two years."""
    rows: list[tuple[Any, ...]] = []
    for n in range(1, rng.randint(3, 7)):
        town, land = rng.choice(TOWNS), rng.randint(5, 90)
        for year in (2022, 2023):
            above, paid = rng.random() < 0.4, rng.randint(-20, 900) / 4
            rows.append((code(n), f"第{n}机械厂", town, year, above, paid, float(land)))
    return pd.DataFrame(rows, columns=NAMES)


@dataclass
class Draft:
    """A table under way: headings, rows, what each row and column is about, and what may be told of it.

    ``unknown`` are the cells (code, year, column) that cannot be known any more, each told at a row of the table.
    """

    rng: random.Random
    frame: pd.DataFrame
    heads: list[str] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    about: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    title: str = ""
    told: set[str] = field(default_factory=set)
    unknown: dict[tuple[str, int, str], str] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    changes: list[Callable[[str], str]] = field(default_factory=list)
    sheets: dict[str, Any] = field(default_factory=dict)

    @property
    def top(self) -> int:
        """How many rows stand above the first firm's."""
        return 2 if self.title else 1

    def year(self, position: int, place: int) -> int:
        """Return the year that a cell is about."""
        own = self.about[place][1]
        return int(self.rows[position][4]) if own is None else own

    def lose(self, position: int, place: int, rule: str) -> None:
        """Note that a figure cannot be known any more."""
        self.unknown[self.frame_code(position), self.year(position, place), self.about[place][0]] = rule
        self.told.add(rule)

    def frame_code(self, position: int) -> str:
        """Return whose row it is."""
        known = zip(self.frame["credit_code"], self.frame["name"], strict=True)
        return next(code for code, name in known if name in self.rows[position][1])

    def figure(self) -> int:
        """Return the place of a column of figures."""
        return self.rng.choice(list(self.about))


def lay_out(draft: Draft) -> None:
    """Write the firms' rows: a row a year, a column a year, or the years told by the title."""
    rng, frame = draft.rng, draft.frame
    (money, size), (area, ratio), unseen = rng.choice(MONEY), rng.choice(AREA), rng.choice(UNSEEN)
    shape = rng.choice(["long", "wide", "title"])
    flag = {True: rng.choice(["是", "规上", "√", "在库"]), False: rng.choice(["否", "规下", "×", "不在库"])}
    now = frame[(frame["year"] == 2023).to_numpy()]
    past = frame[(frame["year"] == 2022).to_numpy()].set_index("credit_code")["tax_wan"]
    for row in (frame if shape == "long" else now).itertuples(index=False):
        firm = [unseen.format(row.credit_code), unseen.format(row.name), row.township, flag[row.above_scale]]
        figures = [row.tax_wan * size, row.land_mu * ratio]
        before = [row.year] if shape == "long" else [past[row.credit_code] * size]
        draft.rows.append([*firm, *before, *figures])
    last, this = rng.choice([("上年", ""), ("2022年", ""), ("去年", "本年")])
    heads = {
        "long": ["年份", f"实缴税金（{money}）", f"用地面积（{area}）"],
        "wide": [f"2022年税收（{money}）", f"2023年税收（{money}）", f"2023年用地面积（{area}）"],
        "title": [f"{last}实缴税金（{money}）", f"{this}实缴税金（{money}）", f"用地面积（{area}）"],
    }
    draft.heads = [rng.choice(["统一社会信用代码", "纳税人识别号"]), "企业名称", "镇街", "规上", *heads[shape]]
    draft.title = "某县2023年企业台账" if shape == "title" else ""
    draft.about = {5: ("tax_wan", None), 6: ("land_mu", None)}
    if shape != "long":
        draft.about = {4: ("tax_wan", 2022), 5: ("tax_wan", 2023), 6: ("land_mu", 2023)}
        draft.told |= {"period_spread"}


def merge_figure(draft: Draft) -> None:
    """Merge a figure over two firms' rows: it belongs to none of them."""
    draft.rows.sort(key=lambda row: row[4] if "年份" in draft.heads else 0)
    place, start = draft.figure(), draft.rng.randrange(len(draft.rows) - 1)
    if draft.frame_code(start) == draft.frame_code(start + 1):
        return
    draft.merges.append((draft.top + start, place, draft.top + start + 1, place))
    for position in (start, start + 1):
        draft.lose(position, place, "merged_figure")


def break_cell(draft: Draft) -> None:
    """Put an error value or a formula without a result into a cell."""
    place, position = draft.figure(), draft.rng.randrange(len(draft.rows))
    rule = draft.rng.choice(["cell_error", "formula_blank"])
    name = f"{chr(65 + place)}{draft.top + position + 1}"
    inner = 't="e"><v>#SPILL!</v>' if rule == "cell_error" else "><f>1+1</f>"

    def change(xml: str) -> str:
        before, _, rest = xml.partition(f'<c r="{name}"')
        return f'{before}<c r="{name}" {inner}</c>{rest[rest.index("</c>") + 4 :]}' if rest else xml + " "

    draft.changes.append(change)
    draft.lose(position, place, rule)


def round_about(draft: Draft) -> None:
    """Write a figure as about so much."""
    place, position = draft.figure(), draft.rng.randrange(len(draft.rows))
    draft.rows[position][place] = draft.rng.choice(["约{}", "{}左右", "≈{}"]).format(draft.rows[position][place])
    draft.told.add("number_about")


def hide_row(draft: Draft) -> None:
    """Hide a firm's row: it counts, and is told."""
    number = draft.top + draft.rng.randrange(len(draft.rows)) + 1
    draft.changes.append(lambda xml: xml.replace(f'<row r="{number}"', f'<row r="{number}" hidden="1"'))
    draft.told.add("rows_hidden")


def add_column(draft: Draft, heads: list[str], value: float, *told: str) -> None:
    """Add a column under one of some headings, the same in every row, and what may be told of it."""
    draft.heads.append(draft.rng.choice(heads))
    draft.rows = [[*row, value] for row in draft.rows]
    draft.told |= set(told)


def qualify(draft: Draft) -> None:
    """Add a column of another measure."""
    heads = [
        "2024年税收（目标）",
        "税收（县级留成）",
        "人均税收",
        "2023年税收（增值税）",
        "税收（财政口径）",
        "近三年平均税收",
    ]
    add_column(draft, heads, 5.0, "heading_qualified", "heading_refused", "heading_unknown")


def add_month(draft: Draft) -> None:
    """Add the tax of some months beside that of the year."""
    heads = [
        "2023年10月税收",
        "2023年1-10月税收",
        "2023年10月累计税收",
        "2023年三季度税收",
        "2023H1税收",
        "2023年（1-9月）税收",
    ]
    add_column(draft, heads, 1.0, "months_lumped", "last_year_differs")


def add_words(draft: Draft) -> None:
    """Add a column of states or remarks."""
    head, word = draft.rng.choice(
        [("企业状态", "正常"), ("登记状态", "在业"), ("备注", "已停产"), ("备注", "无停产情况"), ("经营状况", "存续")]
    )
    draft.heads.append(head)
    draft.rows = [[*row, word] for row in draft.rows]
    draft.told |= {"remark_says"} if word == "已停产" else set()


def show_example(draft: Draft) -> None:
    """Add an example of how to fill in, or a row of hints."""
    row: list[Any] = [code(777), draft.rng.choice(["示例企业（请替换）", "某某公司", "XX厂"]), "某街道", "是"]
    if draft.rng.random() < 0.4:
        row = ["必填，18位", "企业全称", "下拉选择", "是/否"]
    _insert(draft, 0, [*row, *[""] * (len(draft.heads) - len(row))])
    draft.told.add("example_row")


def add_totals(draft: Draft) -> None:
    """Add subtotals by township in their order, and a total; one of them wrong at times."""
    place, rng = draft.figure(), draft.rng
    if any(isinstance(row[place], str) for row in draft.rows) or draft.merges or draft.changes:
        return
    draft.rows.sort(key=lambda row: TOWNS.index(row[2]))
    for town in dict.fromkeys(row[2] for row in draft.rows):
        mine = [i for i, row in enumerate(draft.rows) if row[2] == town]
        paid = sum(draft.rows[i][place] for i in mine if draft.rows[i][0])
        _insert(draft, mine[-1] + 1, _sums(draft, f"{town}小计", place, paid))
    wrong = rng.random() < 0.3
    total = sum(row[place] for row in draft.rows if row[0])
    draft.rows.append(_sums(draft, "合计", place, total * 1.5 + 100 if wrong else total))
    draft.told |= {"total_mismatch"} if wrong else set()


def _sums(draft: Draft, label: str, place: int, paid: float) -> list[Any]:
    """Return a row of sums."""
    row: list[Any] = [""] * len(draft.heads)
    row[1], row[place] = label, paid
    return row


def _insert(draft: Draft, at: int, row: list[Any]) -> None:
    """Insert a row that is no firm's; what is placed by rows moves with them."""
    draft.rows.insert(at, row)
    assert not draft.changes
    draft.merges = [(a + (a - draft.top >= at), b, c + (a - draft.top >= at), d) for a, b, c, d in draft.merges]


def lose_code(draft: Draft) -> None:
    """Leave out a code whose firm stands in another year by the same name."""
    if "年份" in draft.heads and len(draft.rows) > 2:
        row = draft.rng.choice(draft.rows)
        row[0] = draft.rng.choice(["", "无", "—"])
        draft.told.add("code_filled")


def add_sheets(draft: Draft) -> None:
    """Add sheets that are no tables of firms, or a summary by township that is right or wrong."""
    for name in draft.rng.sample(["字典", "下拉选项", "填报示例", "填报说明", "Sheet2"], draft.rng.randint(0, 2)):
        draft.sheets[name] = OTHERS[name]
    paid = draft.frame[(draft.frame["year"] == 2023).to_numpy()].groupby("township")["tax_wan"].sum()
    wrong = draft.rng.random() < 0.3
    lines = [[town, value + 50 * wrong] for town, value in paid.items()]
    draft.sheets["分镇街汇总"] = [["镇街", "2023年税收（万元）", "备注"], *([*line, ""] for line in lines)]
    draft.told |= {"sheet_passed", "sheet_unknown"} | ({"summary_differs"} if wrong else set())
    draft.told |= {"summary_differs"} if draft.unknown else set()


PLAIN = (qualify, add_month, add_words, round_about)
OF_ROWS = (show_example, add_totals, lose_code)
OF_BOOKS = (merge_figure, break_cell, hide_row, add_sheets)


def drawn(folder: Path, draft: Draft) -> Path | list[Path]:
    """Write a ledger with a random choice of traits."""
    rng = draft.rng
    lay_out(draft)
    book = rng.random() < 0.6
    if book and rng.random() < 0.3:
        merge_figure(draft)
    for trait in PLAIN:
        if rng.random() < 0.3:
            trait(draft)
    for trait in rng.sample(OF_ROWS, 1):
        if rng.random() < 0.6:
            trait(draft)
    for trait in OF_BOOKS[1:] if book and not {"example_row", "total_mismatch"} & draft.told else ():
        if rng.random() < 0.3 and all(row[0] and row[2] in TOWNS for row in draft.rows):
            trait(draft)
    rows = [*([[draft.title]] if draft.title else []), draft.heads, *draft.rows]
    if book:
        return _book(folder, draft, rows)
    if rng.random() < 0.3:
        cells = "".join("<tr>" + "".join(f"<td>{v}</td>" for v in row) + "</tr>" for row in rows)
        (folder / "a.xls").write_text(
            f"<html><table>{cells}</table></html>", encoding=rng.choice(["utf-8", "gb18030", "utf-16"])
        )
        return folder / "a.xls"
    path = csv_file(folder / "a.csv", rows, rng.choice(["utf-8", "gb18030", "utf-16-le", "utf-8-sig"]))
    if rng.random() < 0.3:
        path.write_bytes(
            path.read_bytes().replace(b"\r\n", b"\r") if path.read_bytes()[1:2] != b"\0" else path.read_bytes()
        )
    return path


def _book(folder: Path, draft: Draft, rows: list[list[Any]]) -> Path | list[Path]:
    """Write a workbook under a name of its own, or one for the firms and one of a department."""
    rng = draft.rng
    if (
        rng.random() < 0.25
        and not (draft.merges or draft.changes or draft.sheets or draft.title)
        and "年份" in draft.heads
    ):
        by = rng.choice(["纳税人识别号", "企业名称", "组织机构代码"])
        firms = draft.frame.drop_duplicates("credit_code")
        whole = [list(r) for r in firms[["credit_code", "name", "township"]].itertuples(index=False)]
        if "code_filled" not in draft.told and all(row[0] and row[2] in TOWNS for row in draft.rows):
            key = {
                "纳税人识别号": lambda r: r[0],
                "企业名称": lambda r: r[1],
                "组织机构代码": lambda r: organisation(r[0]),
            }[by]
            table = [[by, *draft.heads[3:]], *([key(row), *row[3:]] for row in draft.rows)]
            draft.told |= {"files_joined", "joined_by_name"}
            book = {
                "企业": [["统一社会信用代码", "企业名称", "镇街"], *whole],
                "处置": [["统一社会信用代码", "处置方式"], [whole[0][0], "提升"]],
            }
            return [xlsx(folder / "甲.xlsx", book), xlsx(folder / "税务.xlsx", {"Sheet1": table})]
    path = xlsx(folder / "b.xlsx", {"台账": rows, **draft.sheets}, {"台账": draft.merges})
    for change in draft.changes:
        rewritten(path, change)
    return path.rename(folder / f"a.{rng.choice(['xlsx', 'xlsx', 'xls', 'xlsm'])}")


def organisation(text: str) -> str:
    """Return the organisation code in a credit code, however that is written."""
    digits = "".join(c for c in text if c.isascii() and c.isalnum())
    return digits[8:17]


@pytest.mark.parametrize("seed", range(int(os.environ.get("LYEVAL_FUZZ", "100"))))
def test_any_mixture_gives_the_ledger_back_or_tells_it(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    draft = Draft(rng, canonical(rng))
    read = read_ledger(drawn(tmp_path, draft))
    frame = draft.frame
    annual = read.annual.drop(columns=["name", "township"], errors="ignore")
    both = frame.merge(annual, on=["credit_code", "year"], how="outer", suffixes=("", "_read"), indicator=True)
    assert not (both["_merge"] == "right_only").any()
    for row in both.itertuples(index=False):
        for name in ("tax_wan", "land_mu") if row.year == 2023 or "年份" in draft.heads else ("tax_wan",):
            told, value = draft.unknown.get((row.credit_code, row.year, name)), getattr(row, f"{name}_read")
            if told is None:
                assert value == pytest.approx(getattr(row, name), rel=1e-9)
            else:
                assert np.isnan(value)
                assert any(fault.rule == told and fault.row for fault in read.faults)
        assert row.year == 2022 or row.above_scale == row.above_scale_read
    firms = frame.drop_duplicates("credit_code").merge(read.enterprises, on="credit_code", suffixes=("", "_read"))
    assert len(firms) == len(read.enterprises) == frame["credit_code"].nunique()
    assert (firms["name"] == firms["name_read"]).all()
    assert (firms["township"] == firms["township_read"]).all()
    assert rules(read) <= draft.told
    must = {"total_mismatch", "rows_hidden", "example_row", "remark_says", *draft.unknown.values()}
    assert draft.told & must <= rules(read)
