"""The assumptions: form, ranges, provenance."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lyeval import resources
from lyeval.policy.assumptions import assumption_ids, load_assumptions, load_methods
from lyeval.policy.loading import PolicyError
from lyeval.told import units

FOLDER = resources.path("parameters/assumptions")
METHODS = ["upgrade", "rectify", "merge", "partition", "land_bank", "judicial", "shut_down", "contract"]


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """Copy the shipped files with one of them changed in its first place, and return the copy of ``default.yaml``."""
    for name in ("default.yaml", "methods.yaml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path / "default.yaml"


def test_default_holds_what_the_outlook_needs() -> None:
    a = load_assumptions("default")
    assert [m.id for m in a.methods] == METHODS
    assert (a.common_shock.sd.value, a.common_shock.df.value) == (0.12, 3)
    assert a.response.band.value == 0.30
    assert a.response.scenarios.values == (0.0, 0.15, 0.35)
    assert (a.plan_deadline.value, a.clearly_higher.value) == (30, 0.20)
    assert assumption_ids() == ["default"]


def test_every_figure_has_unit_source_and_mark() -> None:
    rows = load_assumptions().rows()
    assert len({r.path for r in rows}) == len(rows) == 46
    assert {r.unit for r in rows} <= set(units())
    assert all(r.source and r.source_en and r.numbers for r in rows)
    assert {r.mark for r in rows} <= {"assumed", "estimated", "measured"}


def test_land_and_people_fit_together() -> None:
    methods = {m.id: m for m in load_methods()}
    assert [m for m in METHODS if methods[m].land != "keeps"] == ["partition", "land_bank"]
    assert [m for m in METHODS if methods[m].log_tax is None] == ["land_bank", "shut_down"]
    assert methods["partition"].land_share is not None
    assert methods["partition"].land_share.mean == pytest.approx(1 / 3)
    assert methods["upgrade"].success.mean == pytest.approx(0.6)


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(PolicyError, match="did you mean 'default'"):
        load_assumptions("defalt")
    with pytest.raises(PolicyError, match="did you mean 'judicial'"):
        load_assumptions().method("juditial")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("methods.yaml", "a: 6.0", "a: 0", r"methods.yaml:\d+: methods\[0\].success.a: 0"),
        ("methods.yaml", "b: 4.0", "b: -4.0", r"methods\[0\].success.b"),
        ("methods.yaml", "mean: 10.0", "mean: -1", r"methods\[0\].duration.mean"),
        ("methods.yaml", "mean: 0.25", "mean: .inf", r"methods\[0\].log_tax.mean"),
        ("methods.yaml", "sd: 0.35", "sd: -0.1", r"methods\[0\].log_tax.sd"),
        ("methods.yaml", "value: 20.0", "value: -1", r"methods\[0\].cost.value"),
        ("methods.yaml", "unit: 万元/亩", "unit: 元/亩", r"methods\[0\].cost.unit"),
        ("methods.yaml", "mark: assumed", "mark: assumd", "did you mean 'assumed'"),
        ("methods.yaml", "land: keeps", "land: keep", "did you mean 'keeps'"),
        ("methods.yaml", "land: keeps", "land: share_leaves", "land_share belongs to"),
        ("methods.yaml", "occupant: same", "occupant: none", "log_tax is absent only"),
        ("methods.yaml", "id: rectify", "id: upgrade", "upgrade: more than once"),
        ("methods.yaml", "    payer: enterprise\n", "", r"methods\[0\].payer: missing"),
        ("default.yaml", "value: 0.12", "value: 0", r"default.yaml:\d+: common_shock.sd.value"),
        ("default.yaml", "value: 3\n", "value: 2\n", r"common_shock.df.value"),
        ("default.yaml", "[0.0, 0.15, 0.35]", "[0.35, 0.15]", "not ascending"),
        ("default.yaml", "value: 30\n", "value: 30.5\n", r"plan_deadline.value"),
        ("default.yaml", "near_line:", "near_lines:", "did you mean 'near_line'"),
        ("default.yaml", "methods: methods", "methods: method", "did you mean 'methods'"),
        ("default.yaml", "id: default", "id: default\nid: default", "duplicate key"),
    ],
)
def test_faults_name_file_line_and_path(tmp_path: Path, file: str, old: str, new: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        load_assumptions(changed(tmp_path, file, old, new))


def test_own_file_takes_the_shipped_methods(tmp_path: Path) -> None:
    shutil.copy(FOLDER / "default.yaml", tmp_path / "mine.yaml")
    assert [m.id for m in load_assumptions(tmp_path / "mine.yaml").methods] == METHODS


def test_records_are_frozen() -> None:
    a = load_assumptions()
    with pytest.raises(ValueError, match="frozen"):
        a.plan_deadline.value = 60  # pyright: ignore[reportAttributeAccessIssue]
