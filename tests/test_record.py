"""What a run leaves beside its outputs: a record whose fingerprint knows no machine, and a crate for archives."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from lyeval import resources
from lyeval.run import load_run
from lyeval.run.inputs import inputs_of, stage
from lyeval.run.production import made_from, notebooks
from lyeval.run.records import CRATE, basis, day_of, fingerprint, origin, read_record, record

SMALL = "kind: review\npolicy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\ndraws: 200\n"


def made(home: Path, text: str = SMALL, name: str = "small") -> Path:
    """Record a run's folder that holds two files, without executing anything."""
    path = home / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    folder = home / "out" / name
    (folder / "tables").mkdir(parents=True)
    (folder / "report.html").write_text("报告", encoding="utf-8")
    (folder / "tables" / "targets.csv").write_text("id\n", encoding="utf-8")
    run = load_run(path, ["patch.targets.closures.years.2020.value=60"])
    record(folder, run.id, made_from(run), run.changes)
    return folder


def test_record_says_all_that_a_run_was_made_from(tmp_path: Path) -> None:
    told = read_record(made(tmp_path))
    assert told is not None
    assert told["parameters"]["patch"] == {"targets.closures.years.2020.value": 60}
    assert {i["use"] for i in told["inputs"]} == {"ledger", "sidecar", "policy", "assumptions"}
    assert set(told["notebooks"]) == {path.name for path in notebooks()}
    assert {"lyeval", "python", "numpy", "typst", "rocrate"} <= set(told["versions"])
    assert set(told["outputs"]) == {"report.html", "tables/targets.csv", CRATE}
    assert told["origin"]["set"] == ["patch.targets.closures.years.2020.value=60"]
    assert told["fingerprint"] == fingerprint(told) == fingerprint({**told, "origin": {"commit": "another"}})
    assert fingerprint({**told, "seed": 1}) != told["fingerprint"]


def test_origin_tells_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        own = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(["git", *own, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    monkeypatch.setattr(resources, "root", lambda: tmp_path)
    assert origin() == {"commit": None, "dirty": None, "lock": None, "set": []}
    (tmp_path / "lyeval").mkdir()
    (tmp_path / "lyeval" / "a.py").write_text("1\n", encoding="utf-8")
    (tmp_path / "requirements.lock").write_text("numpy==2.2\n", encoding="utf-8")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "a")
    clean = origin()
    assert (clean["commit"], clean["dirty"]) == (git("rev-parse", "HEAD"), False)
    assert len(clean["lock"]) == 64
    (tmp_path / "README.md").write_text("words", encoding="utf-8")
    assert origin()["dirty"] is False
    (tmp_path / "lyeval" / "a.py").write_text("2\n", encoding="utf-8")
    assert origin()["dirty"] is True


def test_crate_is_a_process_run(tmp_path: Path) -> None:
    folder = made(tmp_path)
    crate = ROCrate(str(folder))
    assert crate.root_dataset["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    action = crate.root_dataset["mentions"]
    action = action[0] if isinstance(action, list) else action
    assert action.type == "CreateAction"
    assert action["instrument"].id == "#lyeval"
    told = read_record(folder)
    assert told is not None
    results = {entity.id: entity["sha256"] for entity in action["result"]}
    assert results == {k: v for k, v in told["outputs"].items() if k != CRATE}
    used = {entity["sha256"] for entity in action["object"] if entity.get("sha256")}
    assert used == {i["sha256"] for i in told["inputs"]} | set(told["notebooks"].values())
    values = {entity["name"]: entity["value"] for entity in action["object"] if entity.type == "PropertyValue"}
    assert json.loads(values["patch"]) == {"targets.closures.years.2020.value": 60}


def test_crate_and_record_are_the_same_bytes_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, zone in (("a", "UTC"), ("b", "Asia/Shanghai")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv("TZ", zone)
        made(tmp_path / name)
    both = [{p.name: p.read_bytes() for p in (tmp_path / name / "out" / "small").glob("*.json")} for name in "ab"]
    assert both[0] == both[1]
    assert len(both[0]) == 2
    assert str(tmp_path) not in "".join(raw.decode() for raw in both[0].values())


def test_date_is_the_reports_else_the_epochs_else_the_years_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SMALL, encoding="utf-8")
    plain = made_from(load_run(path))
    assert day_of(plain).isoformat() == "2020-12-31"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1640995200")
    dated = made_from(load_run(path))
    assert day_of(dated).isoformat() == "2022-01-01"
    assert (dated["source_date"], dated["basis"] == plain["basis"]) == ("2022-01-01", False)
    assert day_of(made_from(load_run(path, ["report_date=2021-03-31"]))).isoformat() == "2021-03-31"


def test_what_is_kept_is_what_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "台账.csv").write_text("统一社会信用代码,企业名称,年份,规上,实缴税金,土地总面积\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text(SMALL.replace("sample:zhoushan-shengsi", "台账.csv"), encoding="utf-8")
    (tmp_path / "a.columns.yaml").write_text("columns: {}\n", encoding="utf-8")
    run = load_run(tmp_path / "a.yaml")
    _, kept = stage(run, tmp_path / "part")
    assert basis(run.spec, kept, notebooks()) == basis(run.spec, inputs_of(run), notebooks())
    assert "a.columns.yaml" in {item.name for item in kept}


def test_files_carry_the_epochs_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from county import county
    from docx import Document as Word

    import lyeval as ly
    from lyeval import report
    from lyeval.run import about

    made = report.assessment_tables(ly.assess(county(12), ly.load_policy("linshu-2021"), 2023))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1704067200")
    report.write(made | about(title="", report_date=""), tmp_path, formats=["docx", "pdf"])
    assert str(Word(str(tmp_path / "report.docx")).core_properties.created)[:10] == "2024-01-01"
    assert (
        b"2024-01-01" in (tmp_path / "report.pdf").read_bytes()
        or b"D:20240101" in (tmp_path / "report.pdf").read_bytes()
    )
