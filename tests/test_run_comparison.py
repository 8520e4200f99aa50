"""The run kind comparison: its file, its check, its record, its row on the index page, its report in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import lyeval as ly
from lyeval import figures, report
from lyeval.policy import PolicyError
from lyeval.render import Bullets, Cell, Document, Figure, Heading, Note, Paragraph, Table
from lyeval.report.cells import Context
from lyeval.report.filling import fill
from lyeval.report.sheets import sheet
from lyeval.report.tracing import printed, trace
from lyeval.report.year_end import MAIN, drawing
from lyeval.run import RunError, check_run, load_run, open_run, produce
from lyeval.run.batches import write_index
from lyeval.run.production import notebooks
from lyeval.run.run_file import ComparisonSpec, names_of
from lyeval.studies import study

SMALL = """kind: comparison
sides:
  - policy: zhoushan-2020
    ledger: sample:zhoushan-shengsi
    year: 2020
  - policy: linshu-2021
    ledger: sample:zhoushan-daishan
    year: 2020
draws: 100
seed: 5
formats: [html, xlsx]
"""


def written(folder: Path, text: str = SMALL) -> Path:
    path = folder / "two.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_comparison_names_two_sides(tmp_path: Path) -> None:
    run = load_run(written(tmp_path), ["draws=200"])
    assert isinstance(run.spec, ComparisonSpec)
    plans = [name for use, name in names_of(run.spec) if use == "policy"]
    assert (run.spec.draws, run.spec.year, plans) == (200, 2020, ["zhoushan-2020", "linshu-2021"])
    assert run.spec.ledgers == ("sample:zhoushan-shengsi", "sample:zhoushan-daishan")
    shipped = load_run("compare-zhoushan-linshu")
    assert [side.policy for side in shipped.spec.sides] == ["zhoushan-2020", "linshu-2021"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("draws: 100", "draws: 100\nyear: 2020"), "name it under sides"),
        (("    year: 2020\ndraws", "    yaer: 2020\ndraws"), "yaer"),
        (("kind: comparison", "kind: comparisom"), "comparisom"),
        (("    ledger: sample:zhoushan-daishan", "    ledger: 5"), r"sides\[1\].*ledger"),
        (("    ledger: sample:zhoushan-daishan", "    ledger: []"), "未写明台账"),
        (("  - policy: linshu-2021\n    ledger: sample:zhoushan-daishan\n    year: 2020\n", ""), "sides"),
    ],
)
def test_faults_of_the_file_are_told(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        load_run(written(tmp_path, SMALL.replace(*change)))


@pytest.mark.parametrize("sides", ["5", "zz", "{a: 1}", "[1, 2]"])
def test_sides_that_are_no_list_are_told(tmp_path: Path, sides: str) -> None:
    with pytest.raises(PolicyError, match=r"two\.yaml:\d+: sides"):
        load_run(written(tmp_path, f"kind: comparison\nsides: {sides}\n"))


def test_what_is_not_there_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises((PolicyError, RunError), match="linshu"):
        check_run(load_run(written(tmp_path, SMALL.replace("linshu-2021", "linshu-2011"))))
    late = SMALL.replace("    year: 2020\ndraws", "    year: 2024\ndraws")
    with pytest.raises(RunError, match="2024"):
        check_run(load_run(written(tmp_path, late)))


def test_run_record_index_and_both_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = produce(load_run(written(tmp_path)), tmp_path / "reports")
    record = json.loads((made / "record.json").read_text(encoding="utf-8"))
    assert record["parameters"]["kind"] == "comparison"
    assert [side["policy"] for side in record["parameters"]["sides"]] == ["zhoushan-2020", "linshu-2021"]
    assert {"report.html", "annex.xlsx", "tables/effects.csv", "tables/side_rules.csv"} <= set(record["outputs"])
    used = {item["name"] for item in record["inputs"] if item["use"] == "policy"}
    assert used == {f"{p}{tail}" for p in ("zhoushan-2020", "linshu-2021") for tail in (".yaml", ".clauses.yaml")}
    page = write_index(tmp_path / "reports", [made]).read_text(encoding="utf-8")
    assert "两地比较" in page
    text = (made / "report.html").read_text(encoding="utf-8")
    assert "不可以说的：" in text
    assert "一地对一地的显著性" in text
    found = open_run(made)
    assert (found.record["parameters"]["kind"], found.id) == ("comparison", made.name)
    tables = report.load(made / "tables")
    for lang in ("zh", "en"):
        path = report.write(tables, tmp_path / lang, lang=lang, formats=["pdf"])[0]
        assert len(re.findall(rb"/Type\s*/Page\b", path.read_bytes())) <= PAGES
    _both_languages(tables, monkeypatch)


def _both_languages(tables: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "picture", lambda _, id, title, alt: Figure(id, title, "<svg/>", b"", alt))
    for name in ("effect", "timeline"):
        monkeypatch.setattr(figures, name, lambda *_, **__: None)
    zh, en = (report.build_comparison(tables, lang=lang) for lang in ("zh", "en"))
    assert [type(b).__name__ for b in zh.blocks] == [type(b).__name__ for b in en.blocks]
    heads = [b.text for b in zh.blocks if isinstance(b, Heading) and b.level == 1]
    assert [h.partition("、")[2] for h in heads] == PARTS
    _undecided_beside_every_count(tables, zh)
    _traced(tables, zh)
    _english(tables, en)


PAGES = 14
PARTS = [
    "主要发现", "两份文件逐项对照", "换用对方的规则", "所有比例放在一张表里", "差距从何而来", "变化是不是方案带来的", "参考文献和复现",
]  # fmt: skip


def _undecided_beside_every_count(tables: dict, document: Document) -> None:
    """Wherever enterprises listed under a rule are counted, those undecided and the share's bounds stand beside them."""
    for name in ("side_rules", "side_elements"):
        columns = set(tables[name].columns)
        assert columns >= {"listed", "undecided" if name == "side_elements" else "listed_undecided"}
        assert columns >= (
            {"share_low", "share_high"}
            if name == "side_elements"
            else {"listed_low", "listed_high", "tax_low", "tax_high"}
        )
    shown = {
        t.id: {c.key for c in t.columns}
        for t in [*document.blocks, *report.comparison_annex(tables)]
        if isinstance(t, Table)
    }
    counted = [keys for id, keys in shown.items() if "listed" in keys and id in ("side_rules", "side_elements")]
    assert len(counted) >= 2
    assert all(keys & {"undecided", "listed_undecided"} and keys & {"share_low", "listed_low"} for keys in counted)
    other = tables["side_rules"].set_index(["side", "rules"]).loc[("a", "b")]
    said = next(str(item) for b in document.blocks if isinstance(b, Bullets) for item in b.items if "换用" in item)
    for figure in (f"{other['listed']}家", f"{other['listed_undecided']}家未定", f"{other['listed_high']:.1%}"):
        assert figure in said


def _traced(tables: dict, document: Document) -> None:
    """Every figure that the report prints leads to its cell; one of an enterprises' count to rows of the ledger."""
    ids = {one.id for one in printed(document)}
    assert len(ids) > 150
    for id in sorted(ids):
        trace(tables, id)
    found = trace(tables, "side_rules/a/b/listed", lang="en")
    assert found.value == tables["side_rules"].set_index(["side", "rules"]).loc[("a", "b"), "listed"]
    assert found.formula == "at least one criterion holds"
    assert found.clause == "二"
    assert found.members["counted"].sum() == found.value
    assert set(found.rows["credit_code"]) == set(found.members["credit_code"])


def _english(tables: dict, document: Document) -> None:
    """No Chinese character in the English report; in its annex only names; none of the words that the glossary bans."""
    texts = [
        *list(_words_of(document.blocks)),
        document.title,
        document.subtitle,
        *(v for pair in document.meta for v in pair),
    ]
    assert [t for t in texts if CHINESE.search(t)] == []
    names = {str(v) for c in ("name", "township") for v in tables["side_firms"][c]}
    annexed = [t for t in _words_of(report.comparison_annex(tables, lang="en")) if CHINESE.search(t)]
    assert [t for t in annexed if t not in names] == []
    assert [t for t in texts if BANNED.search(t)] == []


def _words_of(blocks: object) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Paragraph | Note | Heading):
            yield str(block.text)
        elif isinstance(block, Bullets):
            yield from map(str, block.items)
        elif isinstance(block, Table):
            yield from (
                block.title,
                block.note,
                block.cite,
                *(c.title for c in block.columns),
                *(c.unit for c in block.columns),
            )
            yield from (str(v.value if isinstance(v, Cell) else v) for row in block.rows for v in row if v is not None)
        elif isinstance(block, Figure):
            yield from (block.title, block.alt)


CHINESE = re.compile(r"[\u4e00-\u9fff]")
BANNED = re.compile(r"\bodds\b|×10,?000|×10⁴|10k yuan|\bstock\b|\bdoors?\b|wan yuan", re.IGNORECASE)


def test_the_research_edition_asks_what_the_policy_did() -> None:
    names = [path.stem for path in notebooks("review", "research")]
    assert names[-2:] == ["05_effect", "08_year_end_report"]
    assert "05_effect" not in [path.stem for path in notebooks("review")]


def test_effects_are_told_and_laid_out() -> None:
    found = study(ly.read_ledger("sample:zhoushan-shengsi"), "zhoushan-2020", draws=100)
    meta = {"year": 2020, "document": "一号", "counties": [], "place": "嵊泗县", "place_en": "Shengsi"}
    meta |= {"place_level": "county", "level": "county"}
    tables = report.effect_tables({"": found}) | {"meta": meta}
    tables["effect_figures"] = tables["effect_figures"].iloc[:0]
    for lang in ("zh", "en"):
        c = Context(tables, lang)
        things = {"table": partial(sheet, c), "figure": partial(drawing, c)}
        blocks = fill("effects", c, things, {"side": "", "side_place": "嵊泗县", "main_effects": list(MAIN)})
        kinds = [type(block).__name__ for block in blocks]
        assert kinds[:3] == ["Paragraph", "Note", "Table"]
        assert kinds[-1] == "Table"
        assert found.sha256[:12] in blocks[0].text
    made = [sheet(c, id) for id in ("effects", "refused", "checks", "tax_rules")]
    assert [table.id for table in made if table] == ["effects", "refused", "checks", "tax_rules"]
    answered = (found.table["verdict"] != "refused").sum()
    assert len(made[0].rows) == answered
    assert len(made[1].rows) == len(found.table) - answered
