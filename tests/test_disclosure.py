"""The public edition: certified enterprises by name and clause, and no figure of any enterprise anywhere in its folder."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import lyeval as ly
from lyeval import report
from lyeval.policy import PolicyError
from lyeval.run import (
    RunError,
    difference,
    load_run,
    open_run,
    produce,
    produce_all,
    production,
    rerun,
    unchanged,
    verify,
)
from lyeval.run.folders import sha256
from lyeval.run.records import admit, parameters_of, private_of, published, told_changes
from lyeval.tables.releasing import Release

RUN = """\
kind: review
policy: linshu-2021
ledger: data
year: 2023
draws: 100
disclosure: public
objections: 县整治办
"""
PERSON, PHONE, METER = "欧阳测试法人", "13912345678", "3700998877665"
FIGURES = ("tax_wan", "land_use_tax_wan", "revenue_wan", "output_wan", "profit_wan", "power_wankwh")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as CSV files, its enterprises with a person, a phone and a meter number."""
    home = tmp_path_factory.mktemp("public")
    made = ly.read_ledger("sample:linshu")
    place = ["source_file", "source_sheet", "source_row"]
    (home / "data").mkdir()
    for sheet in ("enterprises", "annual", "disposals", "process"):
        frame = getattr(made, sheet).drop(columns=place)
        if sheet == "enterprises":
            frame = frame.assign(survey_legal_person=PERSON, survey_phone=PHONE, survey_power_account=METER)
        frame.to_csv(home / "data" / f"{sheet}.csv", index=False, encoding="utf-8-sig")
    (home / "公示.yaml").write_text(RUN, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def folder(ledger: Path) -> Path:
    """The folder of the public run."""
    return produce(load_run(ledger / "公示.yaml"), ledger / "out")


def texts(folder: Path) -> dict[str, str]:
    """Return the text of every file of a folder: pages, packed pages, tables, metadata, PDF where it can be read."""
    out = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.suffix in (".docx", ".xlsx"):
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as packed:
                parts = [packed.read(part).decode("utf-8", "replace") for part in packed.namelist()]
            out[name] = re.sub(r' [\w:]+="-?\d+"', "", "\n".join(parts))  # sizes and versions
        elif path.suffix == ".pdf" and shutil.which("pdftotext"):
            out[name] = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout
        elif path.suffix != ".pdf":
            out[name] = path.read_text(encoding="utf-8", errors="replace")
    return out


def written(value: float) -> set[str]:
    """Return the ways in which a figure may be written; those too short to tell it from another are left out."""
    ways = {f"{value:.1f}", f"{value:.2f}", f"{value:.4f}", repr(float(value)), f"{value:.6g}", f"{value:.0f}"}
    ways |= {f"{value * 10000:.0f}", f"{value * 10000:.2f}"}
    return {
        way for way in ways if len(re.sub(r"\D", "", way).strip("0")) >= 4 and ("." in way or abs(float(way)) > 2100)
    }


def private(ledger: Path) -> tuple[set[str], set[str]]:
    """Return every enterprise's figures as they may be written, and the words that name persons, codes and uncertified firms."""
    made = ly.read_ledger(str(ledger / "data"))
    tables = report.office_tables(ly.assess(made, ly.load_policy("linshu-2021"), 2023))
    figures = {way for name in FIGURES for value in made.annual[name].dropna() for way in written(value)}
    firms = tables["enterprises"]
    figures |= {way for name in ("tax_per_mu", "tax_needed_wan") for v in firms[name].dropna() for way in written(v)}
    listed = firms["listed"] & firms["stage"].isin(["已认定", "重点"])
    return figures, {PERSON, PHONE, METER, *firms["credit_code"], *firms.loc[~listed, "name"]}


def test_nothing_of_an_enterprise_in_any_file(ledger: Path, folder: Path) -> None:
    figures, words = private(ledger)
    assert len(figures) > 10000
    own = set()
    tables = report.load(folder / "tables")
    for row in tables["townships"].dropna().to_dict("records"):
        own |= {way for key in ("tax_wan", "tax_per_mu", "land_mu") for way in written(row[key])}
    for name, text in texts(folder).items():
        plain = re.sub(r"\b[0-9a-f]{64}\b", "", text)
        tokens = set(re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])", plain))
        shown = {token.replace(",", "") for token in tokens}
        assert not (shown & figures) - own, (name, sorted((shown & figures) - own)[:5])
        assert not [word for word in words if word in text], name


def test_the_search_would_find_a_leak(ledger: Path, folder: Path, tmp_path: Path) -> None:
    leaky = tmp_path / "leaky"
    shutil.copytree(folder, leaky)
    value = ly.read_ledger(str(ledger / "data")).annual["tax_wan"].max()
    (leaky / "leak.csv").write_text(f"税收,{value:,.2f}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"leak\.csv"):
        test_nothing_of_an_enterprise_in_any_file(ledger, leaky)


def test_what_is_shown(folder: Path) -> None:
    tables = report.load(folder / "tables")
    assert set(tables) == {"meta", "run", "versions", "targets", "certified", "townships"}
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(tables["certified"]) > 50
    for row in tables["certified"].head(5).to_dict("records"):
        assert row["name"] in page
        assert row["clause"]
        assert row["certified"]
    assert "县整治办" in page
    assert "公示" in page
    names = {p.relative_to(folder).parts[0] for p in folder.rglob("*")}
    pages = {"report.html", "report.pdf", "report.docx", "annex.xlsx"}
    assert names == pages | {"tables", "record.json", "ro-crate-metadata.json"}


def test_batch_lists_a_public_run(ledger: Path, folder: Path) -> None:
    results = produce_all([load_run(ledger / "公示.yaml")], folder.parent)
    assert results[0].skipped
    assert "公示" in (folder.parent / "index.html").read_text(encoding="utf-8")


def test_no_input_is_named_or_hashed(ledger: Path, folder: Path) -> None:
    files = sorted(p for p in (ledger / "data").iterdir())
    hashes = [sha256(path) for path in files]
    assert len(hashes) == 4
    for name, text in texts(folder).items():
        told = [
            word
            for word in (*hashes, *(p.name for p in files), "data")
            if f'"{word}"' in text or (word in hashes and word in text)
        ]
        assert not told, name
    assert (folder.parent / "公示.private.json").is_file()


def test_verified_by_the_offices_part(ledger: Path, folder: Path, tmp_path: Path) -> None:
    checks = verify(open_run(folder))
    assert unchanged(checks)
    assert {check.name for check in checks if check.part == "input"} >= {"ledger annual.csv", "ledger enterprises.csv"}
    text = (ledger / "data" / "annual.csv").read_bytes()
    try:
        (ledger / "data" / "annual.csv").write_bytes(text + b"\n")
        moved = [check.name for check in verify(open_run(folder)) if check.state != "unchanged"]
    finally:
        (ledger / "data" / "annual.csv").write_bytes(text)
    assert moved == ["ledger annual.csv"]
    alone = tmp_path / "公示"
    shutil.copytree(folder, alone)
    missing = [check for check in verify(open_run(alone)) if check.state != "unchanged"]
    assert [(check.part, check.name, check.state) for check in missing] == [("private", "公示.private.json", "missing")]
    with pytest.raises(RunError, match="内部留存"):
        rerun(open_run(alone))
    with pytest.raises(RunError, match="公示版"):
        difference(open_run(folder), open_run(alone))


def test_what_is_told_of_a_public_run_names_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(RUN.replace("linshu-2021", "own.yaml"), encoding="utf-8")
    run = load_run(path, ["plan=whom.csv", "seed=3", "fonts.folder=faces"])
    told = published({"parameters": parameters_of(run.spec), "inputs": [{"name": "own.yaml"}], "basis": "1"})
    assert not re.search(r"own|data|whom|faces", str(told))
    assert told["parameters"]["seed"] == 3
    assert told_changes(run.changes) == ["seed=3"]


def figures(*rows: tuple[str, float | None, float | None]) -> pd.DataFrame:
    """Make enterprises in scope from township, tax and land."""
    frame = pd.DataFrame(rows, columns=["township", "tax_wan", "land_mu"]).astype({"tax_wan": float, "land_mu": float})
    made = {
        "credit_code": [f"E{i}" for i in range(len(frame))],
        "name": "甲",
        "county": "县",
        "in_scope": True,
        "listed": False,
    }
    return frame.assign(**made, stage="", criteria=None)


def three(name: str, scale: float = 1.0) -> list[Any]:
    return [(name, scale * tax, 10.0) for tax in (5.0, 6.0, 7.0)]


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        ([*three("甲"), *three("乙"), *three("丙")], []),
        ([*three("甲"), *three("乙", 2), ("丙", 9.0, 10.0), ("丙", 8.0, 10.0)], ["丙", "甲"]),
        ([*three("甲"), *three("乙", 2), *three("丙", 3), ("丙", 900.0, 10.0)], ["丙", ""]),
        ([*three("甲"), ("乙", 3.0, 10.0), ("丙", 4.0, 10.0), ("丙", 4.0, 10.0)], ["乙", "丙"]),
        ([("甲", 1.0, 10.0), ("乙", 1.0, 10.0)], ["", "甲", "乙"]),
        ([*three("甲"), *three("乙"), ("乙", 900.0, None), ("丙", None, 10.0)], ["丙"]),
    ],
)
def test_a_held_back_township_takes_its_complement_along(rows: list[Any], held: list[str]) -> None:
    empty = {"targets": pd.DataFrame(), "members": pd.DataFrame(columns=["target", "counted"]), "meta": {}}
    notices = pd.DataFrame(columns=["credit_code", "certified", "published"])
    criteria = pd.DataFrame(columns=["id", "clause"])
    tables = {**empty, "notices": notices, "criteria": criteria, "enterprises": figures(*rows)}
    made = report.public(tables)["townships"].set_index("township")
    assert sorted(made.index[made["n"].isna()]) == sorted(held)
    counted = [r for r in rows if None not in r]
    for name, row in made.dropna().iterrows():
        mine = [r for r in counted if name in ("", r[0])]
        assert (row["n"], row["tax_wan"]) == (len(mine), round(sum(r[1] for r in mine)))
        assert row["tax_per_mu"] == round(row["tax_wan"] / row["land_mu"], 2)


def test_only_a_review_has_a_public_edition(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(RUN.replace("disclosure: public", "disclosure: everybody"), encoding="utf-8")
    with pytest.raises(PolicyError, match="disclosure"):
        load_run(path)


def test_an_edition_that_may_not_stand_is_refused_before_its_notebooks(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, found = load_run(ledger / "公示.yaml"), []

    def asked(folder: Path, tables: dict[str, Any], sums: list[Release]) -> None:
        found.append((tables, sums))
        raise RunError("停", "halt")

    checked = production.check_run(run)
    monkeypatch.setattr(production, "check_run", lambda _: checked)
    monkeypatch.setattr(production, "_make", lambda *_: pytest.fail("notebooks were executed"))
    private_of(tmp_path / "other").write_text("{}", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(production, "hold_against_earlier", asked)
        with pytest.raises(RunError, match="停"):
            produce(run, tmp_path)
    ((tables, sums),) = found
    code = next(iter(sums[0].amounts["tax"]))
    fewer = [
        Release(r.name, {q: {k: v for k, v in a.items() if k != code} for q, a in r.amounts.items()}) for r in sums
    ]
    admit(tmp_path / "first", {"parameters": {}, "inputs": []}, (), tables, fewer, "")
    with pytest.raises(RunError, match="first"):
        produce(run, tmp_path)
    private_of(tmp_path / run.id).write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="不是 lyeval 的内部留存"):
        produce(run, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "first.private.json",
        "other.private.json",
        f"{run.id}.private.json",
    ]
