"""Names that would like to be markup, formulas, paths or commands: text in all four formats, and nowhere else."""

from __future__ import annotations

import csv
import html
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import runner
from county import county
from docx import Document as Word
from python_calamine import CalamineWorkbook

import lyeval as ly
from lyeval import report
from lyeval.textfiles import CONTROL, visible

NAMES = [
    "<script>alert(1)</script>甲厂",
    '#import "/etc/passwd": * 乙厂',
    "{{ 7*7 }}{% raw %}丙厂",
    "\"双引'单引`反引厂",
    "第一行\n第二行厂",
    "../../../tmp/丁厂",
    "\u202e反向\u202c戊厂",
    "𠮷野家😀厂",
    "长" * 300,
    '=HYPERLINK("http://a.example","x")厂',
    "$x$ \\sum *b* _i_ @c <l>厂",
    "&amp;&lt;己厂]]>",
]
MORE = [
    "\x1b]0;标题\x07\x1b[2J\x1b[31m红厂", "=cmd|' /C calc'!A0", "[red]辛厂[/red]", "#set page(fill: red)壬厂", "@SUM(1+1)癸厂", "-2+3子厂",
    "\ue000丑\ue001厂", "@\u200b寅厂", "$\\sum$卯厂", '[&a *a] "\\辰厂', "%(x)s{0}巳厂", "\x9b31m午厂",
]  # fmt: skip
FORMATS = ("html", "pdf", "docx", "xlsx")


def as_read(name: str) -> str:
    """Return a name as a ledger gives it: without control characters and marks of direction."""
    return " ".join(visible(name).replace("\u200b", "").split())


def seen(text: str) -> str:
    """Return a text as a page may lay it out: no white space, no marks of direction."""
    return re.sub(r"[\s\u200b\u202a-\u202e\u2060\u00ad]", "", text)


def books(folder: Path, names: list[str]) -> Path:
    """Write the ledger of a small county under hostile names and townships."""
    source = county(12)
    folder.mkdir()
    for sheet in ("enterprises", "annual", "disposals"):
        frame = getattr(source, sheet).drop(columns=["source_file", "source_sheet", "source_row"])
        frame["credit_code"] = "91371329MA0000" + frame["credit_code"].str.removeprefix("E") + "X"
        if sheet == "enterprises":
            frame = frame.assign(name=names, township=[names[i % 3] for i in range(12)], county="测试县")
        frame.to_csv(folder / f"{sheet}.csv", index=False, encoding="utf-8-sig")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A small county under hostile names, from CSV files to all four formats; its folder and tables."""
    home = tmp_path_factory.mktemp("hostile")
    books(home / "data", NAMES)
    ledger, policy = ly.read_ledger(str(home / "data")), ly.load_policy("linshu-2021")
    tables = report.ledger_tables(ledger, policy) | report.assessment_tables(ly.assess(ledger, policy, 2023))
    report.save(home / "out" / "tables", tables)
    whole = report.load(home / "out" / "tables") | {"run": {"edition": "research"}}
    report.write(whole, home / "out", formats=FORMATS)
    return home, tables


class Page(HTMLParser):
    """What a browser makes of a page: its elements and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.silent = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.silent = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.silent = ""

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.text.append(data)


def test_html(made: tuple[Path, dict[str, Any]]) -> None:
    page = Page()
    page.feed((made[0] / "out/report.html").read_text(encoding="utf-8"))
    listed = made[1]["enterprises"]
    text = seen("".join(page.text))
    shown = [name for name in listed.loc[listed["listed"], "name"] if seen(name) in text]
    assert len(shown) >= 3
    assert sum(tag == "script" for tag, _ in page.tags) <= 1
    assert {tag for tag, _ in page.tags} & {"l", "iframe", "object", "embed", "base", "form"} == set()
    assert not [
        value for _, attrs in page.tags for name, value in attrs.items() if name.startswith("on") or value == "alert(1)"
    ]
    assert not [a for tag, a in page.tags if tag == "a" and not str(a.get("href")).startswith("#")]
    assert "\u202e" not in "".join(page.text)


def test_docx(made: tuple[Path, dict[str, Any]]) -> None:
    path = made[0] / "out/report.docx"
    word = Word(str(path))
    text = seen(
        "".join([p.text for p in word.paragraphs] + [c.text for t in word.tables for r in t.rows for c in r.cells])
    )
    listed = made[1]["enterprises"]
    assert sum(seen(name) in text for name in listed.loc[listed["listed"], "name"]) >= 3
    with zipfile.ZipFile(path) as packed:
        links = [n for n in packed.namelist() if n.endswith(".rels")]
        assert not [n for n in links if b'TargetMode="External"' in packed.read(n)]
        assert all(".." not in n and not n.startswith("/") for n in packed.namelist())


def test_xlsx(made: tuple[Path, dict[str, Any]]) -> None:
    path = made[0] / "out/annex.xlsx"
    book = CalamineWorkbook.from_path(str(path))
    cells = {seen(str(c)) for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for c in row}
    assert {seen(name) for name in made[1]["enterprises"]["name"]} <= cells
    with zipfile.ZipFile(path) as packed:
        sheets = {n: packed.read(n).decode() for n in sorted(packed.namelist()) if n.startswith("xl/worksheets/sheet")}
        outside = [packed.read(n) for n in packed.namelist() if n.endswith(".rels")]
    assert not [n for n, s in sheets.items() if "<f>" in s or "r:id" in s or "externalLink" in s]
    assert not [s for s in outside if b"TargetMode" in s or b"/hyperlink" in s]
    links = {n: re.findall(r"<hyperlink [^>]*>", s) for n, s in sheets.items() if "<hyperlink" in s}
    assert list(links) == [
        "xl/worksheets/sheet1.xml"
    ]  # the index alone has links, one to each other sheet of this workbook
    targets = [
        html.unescape(m) for link in links["xl/worksheets/sheet1.xml"] for m in re.findall(r'location="([^"]*)"', link)
    ]
    assert len(targets) == len(links["xl/worksheets/sheet1.xml"])
    assert sorted(targets) == sorted(f"'{name.replace(chr(39), chr(39) * 2)}'!A1" for name in book.sheet_names[1:])


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here (Debian: poppler-utils)")
def test_pdf(made: tuple[Path, dict[str, Any]]) -> None:
    path = made[0] / "out/report.pdf"
    text = seen(
        subprocess.run(["pdftotext", "-raw", str(path), "-"], capture_output=True, text=True, check=True).stdout
    )
    assert "root:x:" not in text
    assert "49丙厂" not in text
    for name in ("<script>alert(1)</script>甲厂", '#import"/etc/passwd":*乙厂', "{{7*7}}{%raw%}丙厂"):
        assert name in text


def test_nothing_is_written_elsewhere(made: tuple[Path, dict[str, Any]]) -> None:
    home = made[0]
    assert {p.name for p in home.iterdir()} == {"data", "out"}
    assert {p.name for p in (home / "out").iterdir()} == {
        "report.html",
        "report.pdf",
        "report.docx",
        "annex.xlsx",
        "figures",
        "tables",
    }
    assert not [p for p in home.rglob("*") if "厂" in p.name]


def test_tables_give_names_back_and_open_as_text(made: tuple[Path, dict[str, Any]]) -> None:
    home, tables = made
    names = report.load(home / "out" / "tables")["enterprises"]["name"].tolist()
    assert names == tables["enterprises"]["name"].tolist()
    with (home / "out/tables/enterprises.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+")) and "厂" in cell]


def test_characters_that_no_font_has_are_named_in_the_faults(made: tuple[Path, dict[str, Any]]) -> None:
    faults = made[1]["faults"]
    mine = faults[faults["rule"] == "no_glyph"]
    assert mine[["file", "row", "heading"]].to_numpy().tolist() == [["enterprises.csv", 9, "企业名称"]]
    assert "U+20BB7" in mine["text"].iloc[0]
    assert "U+1F600" in mine["text_en"].iloc[0]
    groups = made[1]["fault_groups"]
    assert groups.loc[groups["rule"] == "no_glyph", "count"].tolist() == [1]


def test_more_names_in_every_file_and_at_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = books(tmp_path / "data", MORE)
    ledger, policy = ly.read_ledger(str(folder)), ly.load_policy("linshu-2021")
    assert ledger.enterprises["name"].tolist() == [as_read(name) for name in MORE]
    tables = report.ledger_tables(ledger, policy) | report.assessment_tables(ly.assess(ledger, policy, 2023))
    report.save(tmp_path / "tables", tables)
    whole = report.load(tmp_path / "tables") | {"run": {"edition": "research"}}
    report.write(whole, tmp_path, formats=("html", "docx", "xlsx"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "[red]辛厂[/red]" in page
    assert "31m红厂" in page
    for path in [tmp_path / "report.html", *(tmp_path / "tables").glob("*.csv")]:
        assert not CONTROL.search(path.read_text(encoding="utf-8-sig")), path.name
    for name in ("report.docx", "annex.xlsx"):
        with zipfile.ZipFile(tmp_path / name) as packed:
            parts = [packed.read(n).decode() for n in packed.namelist() if n.endswith(".xml")]
        assert not any(CONTROL.search(part) or "_x001B_" in part or "<f>" in part for part in parts)
        assert any("=cmd|" in part for part in parts)
    lyeval = runner(capsys, monkeypatch)
    for words in (
        ("check", folder),
        ("assess", folder, "--policy", "linshu-2021", "--year", "2023"),
        ("check", f"{folder}\x1b[2J"),
    ):
        told = lyeval(*words)
        assert not CONTROL.search(told.out + told.err)
        assert "程序出错" not in told.err
