"""A finished run: verified, run again, set beside another; bad arguments are told in words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from commands import Lyeval, Told, runner

from lyeval.report import save
from lyeval.run import RunError, compute, difference, finished_runs, load_run, open_run, replaced, unchanged, verify
from lyeval.run.inputs import given
from lyeval.run.production import made_from
from lyeval.run.records import record

KEPT = ("year", "level", "quotas", "readings", "draws", "seed")
SMALL = """\
kind: review
policy: policies/own.yaml
ledger: data/台账.xlsx
year: 2020
quotas: {demolition: 2400, closures: 4, blocks: 1}
draws: 100
seed: 5
formats: [xlsx]
"""


@pytest.fixture
def lyeval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    """Run a command in this process; no line is wider than 80 columns."""
    ordinary = runner(capsys, monkeypatch)

    def run(*words: object) -> Told:
        told = ordinary(*words)
        assert max((len(line) for line in told.out.splitlines()), default=0) <= 80
        return told

    return run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose ledger and plan are its own files: a run ``a``, without notebooks, and another under another reading and seed."""
    from lyeval import resources

    place = tmp_path_factory.mktemp("home")
    for folder in ("data", "policies"):
        (place / folder).mkdir()
    shutil.copy(resources.sample("zhoushan-shengsi")[0], place / "data/台账.xlsx")
    for end in (".yaml", ".clauses.yaml"):
        text = (resources.path("parameters/policies") / f"zhoushan-2020{end}").read_text(encoding="utf-8")
        (place / f"policies/own{end}").write_text(text.replace("id: zhoushan-2020", "id: own", 1), encoding="utf-8")
    (place / "a.yaml").write_text(SMALL, encoding="utf-8")
    for into, changes in (("reports", ()), ("other", ("readings.edge=fails", "seed=6"))):
        run = load_run(place / "a.yaml", changes)
        named = {"policy": place / "policies/own.yaml", "ledger": place / "data/台账.xlsx"}
        compute(place / into / "a/tables", **{k: v for k, v in given(run.spec).items() if k in KEPT}, **named)
        (place / into / "a/annex.xlsx").write_bytes(b"annex")
        record(place / into / "a", run.id, made_from(run), run.changes)
    return place


@pytest.fixture
def space(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the workspace to spoil, as the working folder."""
    place = tmp_path / "space"
    shutil.copytree(home, place)
    monkeypatch.chdir(place)
    return place


def moved(checks: object) -> list[tuple[str, str, str]]:
    return [(c.part, c.name, c.state) for c in checks if c.state != "unchanged"]  # type: ignore[attr-defined]


def test_untouched_run_is_verified(space: Path, lyeval: Lyeval) -> None:
    checks = verify(open_run("a"))
    assert unchanged(checks)
    assert {c.part for c in checks} == {"record", "output", "input", "parameter", "notebook", "code", "version"}
    assert {c.name for c in checks if c.part == "input"} >= {
        "ledger 台账.xlsx",
        "policy own.yaml",
        "policy own.clauses.yaml",
    }
    told = lyeval("verify", "a")
    assert (told.code, "全部未变" in told.out) == (0, True)
    assert "nothing changed" in lyeval("verify", "reports/a", "--lang", "en").out


def test_every_kind_of_change_is_named(space: Path, lyeval: Lyeval) -> None:
    (space / "reports/a/annex.xlsx").write_bytes(b"changed")
    (space / "reports/a/tables/targets.csv").unlink()
    (space / "reports/a/notes.txt").write_text("mine", encoding="utf-8")
    with (space / "policies/own.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    (space / "a.yaml").write_text(SMALL.replace("seed: 5", "seed: 7"), encoding="utf-8")
    assert moved(verify(open_run("a"))) == [
        ("output", "annex.xlsx", "changed"),
        ("output", "notes.txt", "added"),
        ("output", "tables/targets.csv", "missing"),
        ("input", "policy own.yaml", "changed"),
        ("parameter", "seed", "changed"),
    ]
    told = lyeval("verify", "a")
    assert told.code == 1
    assert all(
        word in told.out for word in ("annex.xlsx：已变", "targets.csv：找不到", "notes.txt：多出", "seed：已变")
    )


def test_a_record_that_was_edited_is_told(space: Path) -> None:
    path = space / "reports/a/record.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["outputs"]["annex.xlsx"] = "0" * 64
    path.write_text(json.dumps(told), encoding="utf-8")
    assert moved(verify(open_run("a"))) == [("record", "record.json", "changed"), ("output", "annex.xlsx", "changed")]


def test_inputs_elsewhere_are_found_where_they_are_named(space: Path, lyeval: Lyeval, tmp_path: Path) -> None:
    (space / "data").rename(tmp_path / "away")
    assert moved(verify(open_run("a"))) == [("input", "ledger 台账.xlsx", "missing")]
    told = lyeval("verify", "a")
    assert (told.code, "--inputs" in told.out) == (1, True)
    assert lyeval("verify", "a", "--inputs", tmp_path / "away").code == 0
    assert lyeval("rerun", "a").code == 2


def test_rerun_names_the_outputs_that_differ(space: Path, lyeval: Lyeval, monkeypatch: pytest.MonkeyPatch) -> None:
    def another(_run: object, root: Path, **_more: object) -> Path:
        made = shutil.copytree("reports/a", root / "a")
        told = json.loads((made / "record.json").read_text(encoding="utf-8"))
        told["outputs"]["tables/targets.csv"] = "0" * 64
        (made / "record.json").write_text(json.dumps(told), encoding="utf-8")
        return made

    monkeypatch.setattr(finished_runs, "produce", another)
    with (space / "policies/own.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    told = lyeval("rerun", "a")
    assert told.code == 1
    assert "policy own.yaml：已变" in told.out
    assert "tables/targets.csv：已变" in told.out
    assert "annex.xlsx" not in told.out


def test_diff_names_what_moved_and_by_what(space: Path, lyeval: Lyeval) -> None:
    made = difference(open_run("a"), open_run("other/a"))
    assert made.causes() == ("rule", "seed")
    assert made.inputs[["cause", "item"]].to_numpy().tolist() == [["rule", "readings"], ["seed", "seed"]]
    targets = made.targets.set_index("id")
    assert targets.loc["below_scale_reach", ["value_before", "value_after", "moved"]].tolist() == [0.72, 0.68, True]
    assert not targets.loc["closures", "moved"]
    assert made.turned[["target", "turns"]].to_numpy().tolist() == [["below_scale_reach", "after"]]
    told = lyeval("diff", "a", "other/a")
    assert told.code == 0
    assert "变动出自规则" in told.out
    assert "0.72 → 0.68" in told.out
    assert "changed by rule" in lyeval("diff", "a", "other/a", "--lang", "en").out
    same = lyeval("diff", "a", "a")
    assert "相同" in same.out
    assert "均未变" in same.out


def test_diff_tells_enterprises_and_who_came(space: Path) -> None:
    from lyeval.report import load, save

    tables = load(space / "other/a/tables")
    firms = tables["enterprises"]
    firms.loc[0, "tax_wan"] = 1234.5
    save(space / "other/a/tables", {"enterprises": firms.iloc[:-1]})
    made = difference(open_run("a"), open_run("other/a")).enterprises
    assert made.loc[made["field"] == "tax_wan", "after"].tolist() == [1234.5]
    gone = made[made["field"] == "ledger"]
    assert gone[["credit_code", "before", "after"]].to_numpy().tolist() == [
        [firms["credit_code"].iloc[-1], True, False]
    ]


@pytest.mark.parametrize("command", [("verify", "{}"), ("rerun", "{}"), ("diff", "a", "{}"), ("diff", "{}", "a")])
def test_bad_arguments_are_told_in_words(space: Path, lyeval: Lyeval, command: tuple[str, ...]) -> None:
    (space / "reports/half/tables").mkdir(parents=True)
    shutil.copytree(space / "reports/a", space / "reports/hurt")
    shutil.copytree(space / "reports/a", space / "reports/odd")
    (space / "reports/hurt/record.json").write_text('{"run": "a", "outp', encoding="utf-8")
    (space / "reports/odd/record.json").write_text('{"run": "a", "outputs": []}', encoding="utf-8")
    for name, code, words in (
        ("nobody", 2, "没有运行"),
        ("half", 1, "未完成"),
        ("hurt", 1, "已损坏"),
        ("odd", 1, "已损坏"),
    ):
        told = lyeval(*(word.format(name) for word in command))
        assert told.code == code, (command, name)
        assert words in told.err
    assert lyeval(command[0]).code == 2


def test_a_comparison_has_no_difference_from_a_review(space: Path, lyeval: Lyeval) -> None:
    pair = space / "reports/pair"
    (pair / "tables").mkdir(parents=True)
    save(pair / "tables", {"side_odds": pd.DataFrame({"side": ["a"], "probability": [0.5]})})
    run = load_run("compare-zhoushan-linshu")
    record(pair, "pair", made_from(run), run.changes)
    for words in (("diff", "pair", "a"), ("diff", "a", "pair")):
        told = lyeval(*words)
        assert (told.code, told.out, "两地比较" in told.err) == (2, "", True), words
        assert "compares two places" in lyeval(*words, "--lang", "en").err
    assert lyeval("diff", "pair", "pair").code == 0


def test_parameters_that_are_no_runs(space: Path) -> None:
    path = space / "reports/a/record.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["parameters"]["year"] = "long ago"
    path.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(RunError, match="不成一次运行"):
        verify(open_run("a"))


@pytest.mark.parametrize("name", ["compare-zhoushan-linshu", "linshu-bulletin-2023-10", "zhoushan-city-2020"])
def test_every_kind_of_run_is_found_again(tmp_path: Path, name: str) -> None:
    run = load_run(name)
    (tmp_path / name).mkdir()
    record(tmp_path / name, run.id, made_from(run), run.changes)
    assert moved(verify(open_run(tmp_path / name))) == []


def test_a_report_of_other_parameters_is_told_when_it_is_replaced(space: Path) -> None:
    assert replaced(load_run(space / "a.yaml"), space / "reports") == ""
    assert replaced(load_run(space / "a.yaml", ["seed=9"]), space / "reports") == "seed 5 → 9"
    assert replaced(load_run(space / "a.yaml", ["seed=9"]), space / "nowhere") == ""
