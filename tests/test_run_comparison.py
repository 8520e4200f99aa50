"""The run kind comparison: its file, its check, its record, its row on the index page, its report in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lyeval as ly
from lyeval import figures, report
from lyeval.comparison import study
from lyeval.policy import PolicyError
from lyeval.render import Figure
from lyeval.report.causes import causes
from lyeval.report.context import Context
from lyeval.report.sheets import sheet
from lyeval.run import RunError, check_run, load_run, produce
from lyeval.run.index import write_index
from lyeval.run.kinds import ComparisonSpec
from lyeval.run.review import notebooks

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
    assert (run.spec.draws, run.spec.year, run.spec.policies) == (200, 2020, ("zhoushan-2020", "linshu-2021"))
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
    tables = report.load(made / "tables")
    hashes = tables["effect_plan"]["sha256"].to_list()
    monkeypatch.setattr(figures, "picture", lambda _, id, title, alt: Figure(id, title, "<svg/>", b"", alt))
    monkeypatch.setattr(figures, "effect", lambda *_, **__: None)
    monkeypatch.setattr(figures, "plans", lambda *_, **__: None)
    zh, en = (report.build_comparison(tables, lang=lang) for lang in ("zh", "en"))
    assert [type(b).__name__ for b in zh.blocks] == [type(b).__name__ for b in en.blocks]
    heads = [b.text for b in zh.blocks if type(b).__name__ == "Heading"]
    names = tables["side_about"]["place"].to_list()
    assert [f"{at}、{name}：影响检验" for at, name in zip("八九", names, strict=True)] == [
        h for h in heads if h.endswith("影响检验")
    ]
    ladder = next(t for t in report.comparison_annex(tables) if t.id == "horizons")
    assert len({row[:2] for row in ladder.rows}) == len(ladder.rows)  # a horizon that is both is told once
    text = (made / "report.html").read_text(encoding="utf-8")
    assert "个百分点（" in text
    assert all(h[:12] in text for h in hashes)
    assert "不给 p 值" in text
    assert len(report.comparison_annex(tables, lang="en")) == 20


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
        blocks = causes(c, "", "嵊泗县")
        kinds = [type(block).__name__ for block in blocks]
        assert kinds[:3] == ["Paragraph", "Note", "Table"]
        assert kinds[-1] == "Table"
        assert found.sha256[:12] in blocks[0].text
    made = [sheet(c, id) for id in ("effects", "refused", "checks", "tax_rules")]
    assert [table.id for table in made if table] == ["effects", "refused", "checks", "tax_rules"]
    answered = (found.table["verdict"] != "refused").sum()
    assert len(made[0].rows) == answered
    assert len(made[1].rows) == len(found.table) - answered
