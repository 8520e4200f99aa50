"""Run files: validated first, run whole or not at all, the same bytes every time; batches that go on."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from lyeval import report, what_if
from lyeval.assessment import assess
from lyeval.forecasting.next_target import next_target
from lyeval.policy import PolicyError
from lyeval.run import RunError, check_run, compute, load_run, open_ledger, produce, produce_all
from lyeval.run.folders import begin, held, mend
from lyeval.run.production import made_from
from lyeval.run.records import whole
from lyeval.simulation.assumed import assumed
from reports import report as report_folder

ROOT = Path(__file__).resolve().parent.parent
FIELD = ROOT.parent / "shared" / "data"
SMALL = """\
kind: review
title: 嵊泗县样例评估
policy: zhoushan-2020
ledger: sample:zhoushan-shengsi
year: 2020
quotas: {closures: 4, demolition: 2400, blocks: 1}
draws: 200
seed: 5
"""


def write(folder: Path, name: str, text: str = SMALL) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def hashes(folder: Path) -> dict[str, str]:
    """Return the hash of each file of a folder by its place."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the smallest sample, in ``reports/small`` beside its run file."""
    home = tmp_path_factory.mktemp("run")
    return produce(load_run(write(home, "small")), home / "reports", jobs=1)


# -- the run file ------------------------------------------------------------------------------------------------------


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "a", SMALL.replace("year:", "yaer:"))
    with pytest.raises(PolicyError, match=r"a\.yaml:5: yaer: unknown key.*did you mean 'year'") as error:
        load_run(path)
    assert "year: missing" in str(error.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("yaer=2021", "--set yaer: unknown key.*'year'"),
        ("reading.edge=low", "--set reading.edge: unknown key.*'readings'"),
        ("draws=5", "--set draws: 5"),
        ("level=town", "--set level: 'town'"),
        ("as_of=2020-13", "--set as_of"),
        ("year", "write key=value"),
        ("ledger=[sample:linshu, sample:linshu]", "stands twice"),
    ],
)
def test_faults_of_a_change_are_told_as_its_own(tmp_path: Path, change: str, told: str) -> None:
    with pytest.raises((PolicyError, RunError), match=told):
        load_run(write(tmp_path, "a"), [change])


def test_changes_reach_every_kind_of_key(tmp_path: Path) -> None:
    changes = ["year=2021", "quotas.closures=7.5", "readings.edge=no", "patch.targets.closures.years.2020.value=60",
               "title=0123", "formats=[html]", "lang=en", "report_date=2021-03-31"]  # fmt: skip
    spec = load_run(write(tmp_path, "a"), changes).spec
    assert (spec.year, spec.quotas["closures"], spec.quotas["blocks"], spec.title) == (2021, 7.5, 1.0, "0123")
    assert spec.readings == {"edge": "no"}
    assert spec.patch == {"targets.closures.years.2020.value": 60}
    assert (spec.formats, spec.lang, str(spec.report_date)) == (("html",), "en", "2021-03-31")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("policy=zhousan-2020", "zhoushan-2020"),
        ("ledger=nowhere.xlsx", "nowhere.xlsx"),
        ("ledger=sample:zhousan", "zhousan"),
        ("year=2019", "2020"),
        ("quotas.closure=3", "closures"),
        ("readings.edge=meet", "meets"),
        ("patch.targets.nobody.op=le", "nobody"),
        ("assumptions=defalt", "default"),
        ("plan=none.csv", "none.csv"),
        ("scenarios={a: {effort: -5}}", "须不小于0"),
    ],
)
def test_what_cannot_be_run_is_refused_before(tmp_path: Path, change: str, told: str) -> None:
    with pytest.raises((PolicyError, RunError), match=told):
        check_run(load_run(write(tmp_path, "a"), [change]))


@pytest.mark.parametrize(
    ("rows", "told"),
    [("X9,banked", "codes not in the ledger: X9"), ("{0},zz", "methods must be among"), ("{0},{1}\n{0},{1}", "twice")],
)
def test_a_disposal_plan_is_checked_before(tmp_path: Path, rows: str, told: str) -> None:
    code = str(open_ledger("sample:zhoushan-shengsi").enterprises["credit_code"].iloc[0])
    method = assumed("default").practices
    text = "credit_code,method\n" + rows.format(code, next(iter(method))) + "\n"
    (tmp_path / "plan.csv").write_text(text, encoding="utf-8")
    run = load_run(
        write(tmp_path, "a", "policy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\nplan: plan.csv\n")
    )
    with pytest.raises(RunError, match=told) as refused:
        check_run(run)
    assert refused.value.misuse


def test_folders_that_are_none_are_told_before(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    month = "policy: linshu-2021\nledger: sample:linshu\nyear: 2023\nkind: bulletin\nas_of: 2023-10\n"
    for name, text, told in (
        ("a", f"{month}previous: empty\n", "not the folder of a bulletin"),
        ("b", f"{month}fonts: {{folder: a.yaml}}\n", "a.yaml is not a folder"),
        ("c", f"{month}fonts: {{folder: empty}}\n", "empty contains no font file"),
    ):
        with pytest.raises(RunError, match=told) as refused:
            check_run(load_run(write(tmp_path, name, text)))
        assert refused.value.misuse


def test_a_run_before_is_a_bulletins_alone(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="only for kind bulletin"):
        load_run(write(tmp_path, "a", "policy: linshu-2021\nledger: sample:linshu\nyear: 2023\nprevious: b\n"))


def test_a_plan_is_taken_by_its_id() -> None:
    made = assess(open_ledger("sample:zhoushan-shengsi"), "zhoushan-2020", 2020)
    assert made.policy.id == "zhoushan-2020"
    with pytest.raises(PolicyError, match="zhoushan-2020"):
        assess(made.ledger, "zhousan-2020", 2020)


def test_a_ledger_with_faults_fails_in_a_batch_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "bad.xlsx").write_bytes(b"PK nothing of a workbook")
    run = load_run(write(tmp_path, "a", "policy: linshu-2021\nledger: bad.xlsx\nyear: 2023\n"))
    (result,) = produce_all([run], tmp_path / "reports")
    assert "bad.xlsx" in result.error_text("zh")
    assert "内存" not in result.error_text("zh")
    assert not (tmp_path / "reports/index.html").exists()


def test_no_figures_of_the_year(tmp_path: Path) -> None:
    small = SMALL.replace("zhoushan-2020", "linshu-2021").replace(
        "quotas: {closures: 4, demolition: 2400, blocks: 1}\n", ""
    )
    with pytest.raises(RunError, match="2017、2018、2019、2020"):
        check_run(load_run(write(tmp_path, "a", small.replace("year: 2020", "year: 2023"))))


# -- a run -------------------------------------------------------------------------------------------------------------


def test_folder_holds_report_tables_notebooks_and_record(finished: Path) -> None:
    names = {p.name for p in finished.iterdir()}
    formats = {"report.html", "report.pdf", "report.docx", "report.txt", "annex.xlsx"}
    assert names == formats | {"figures", "tables", "notebooks", "record.json", "ro-crate-metadata.json"}
    record = json.loads((finished / "record.json").read_text(encoding="utf-8"))
    assert record["outputs"] == {k: v for k, v in hashes(finished).items() if k != "record.json"}
    assert {i["use"] for i in record["inputs"]} == {"ledger", "sidecar", "policy", "assumptions"}
    assert record["seed"] == 5
    assert len(record["fingerprint"]) == 64


def test_nothing_of_the_machine_in_what_is_written(finished: Path) -> None:
    import getpass
    import platform

    told = [str(finished.parent.parent), str(ROOT), platform.node()]
    text = "".join(
        p.read_text(encoding="utf-8") for p in finished.rglob("*") if p.suffix in (".json", ".ipynb", ".html", ".csv")
    )
    for word in [w for w in told if len(w) > 3]:
        assert word not in text
    assert f"/home/{getpass.getuser()}" not in text


def test_parameters_are_written_readably(finished: Path) -> None:
    text = (finished / "notebooks" / "08_year_end_report.ipynb").read_text(encoding="utf-8")
    cell = next(c for c in json.loads(text)["cells"] if "injected-parameters" in c["metadata"].get("tags", []))
    source = "".join(cell["source"])
    assert "title = '嵊泗县样例评估'" in source
    assert "quotas = {'blocks': 1.0, 'closures': 4.0, 'demolition': 2400.0}" in source
    assert "嵊泗县样例评估" in (finished / "report.html").read_text(encoding="utf-8")


def test_rerun_gives_the_same_bytes_under_another_seed_zone_locale_and_folder(finished: Path, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Shanghai", "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lyeval.cli", "rerun", str(finished)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "全部未变" in done.stdout
    suffixes = {path.suffix for path in finished.rglob("*")}
    assert suffixes >= {".html", ".pdf", ".docx", ".xlsx", ".csv", ".svg", ".png", ".ipynb", ".json"}
    assert not list(tmp_path.iterdir())


def test_notebooks_compute_what_the_library_does(finished: Path, tmp_path: Path) -> None:
    compute(tmp_path, policy="zhoushan-2020", ledger="sample:zhoushan-shengsi", year=2020, draws=200, seed=5,
            quotas={"closures": 4, "demolition": 2400, "blocks": 1})  # fmt: skip
    ours = {k: v for k, v in hashes(tmp_path).items() if k.endswith(".csv")}
    theirs = {k: v for k, v in hashes(finished / "tables").items() if k.endswith(".csv")}
    assert ours == {k: v for k, v in theirs.items() if k not in ("run.csv", "slots.csv", "versions.csv")}
    assert set(theirs) - set(ours) == {"run.csv", "slots.csv", "versions.csv"}


def test_failed_run_leaves_the_earlier_report(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, before = finished.parent.parent, hashes(finished)
    monkeypatch.setattr("lyeval.run.production.check_run", lambda run: None)  # a fault that only the notebook meets
    (home / "plan.csv").write_text("credit_code,method\n91330922MA00000000,upgrade\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"03_simulation\.ipynb 第 \d+ 个代码单元") as error:
        produce(load_run(home / "small.yaml", ["plan=plan.csv"]), finished.parent)
    assert "code cell" in error.value.en
    assert hashes(finished) == before
    left = finished.parent / "small.failed" / "notebooks" / "03_simulation.ipynb"
    assert "91330922MA00000000" in left.read_text(encoding="utf-8")
    assert sorted(p.name for p in finished.parent.iterdir()) == ["small", "small.failed"]


@pytest.mark.parametrize("complete", [True, False])
def test_kill_between_renames_is_mended(tmp_path: Path, complete: bool) -> None:
    final = tmp_path / "a"
    new = report_folder(begin(final), "new", finished=complete)
    report_folder(new.with_name("old"), "earlier")
    mend(final)
    assert (final / "report.html").read_text(encoding="utf-8") == ("new" if complete else "earlier")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path / "a"), pytest.raises(RunError, match="另一个进程"), held(tmp_path / "a"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_unwritable_folder(tmp_path: Path) -> None:
    run = load_run(write(tmp_path, "small"))
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="--out"):
        produce(run, tmp_path / "out")


# -- batches -----------------------------------------------------------------------------------------------------------


def test_batch_survives_a_killed_worker_and_goes_on(tmp_path: Path) -> None:
    page = SMALL + "formats: [html]\n"
    runs = [load_run(write(tmp_path, name, page)) for name in ("甲", "乙")]
    broken = load_run(write(tmp_path, "丙", SMALL.replace("shengsi", "nowhere")))
    seen: list[str] = []
    killer = threading.Thread(target=_kill_one_worker)
    killer.start()
    results = produce_all([*runs, broken], tmp_path / "out", workers=2, told=lambda r: seen.append(r.id))
    killer.join()
    assert [(r.id, r.error is None, r.skipped) for r in results] == [
        ("甲", True, False),
        ("乙", True, False),
        ("丙", False, False),
    ]
    assert sorted(seen) == sorted(["甲", "乙", "丙"])
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'href="%E7%94%B2/report.html"' in index
    assert "嵊泗县" in index
    again = produce_all(runs, tmp_path / "out")
    assert [r.skipped for r in again] == [True, True]
    (tmp_path / "out" / "甲" / "report.html").write_text("changed", encoding="utf-8")
    changed = load_run(write(tmp_path, "乙", page.replace("seed: 5", "seed: 6")))
    for run in (runs[0], changed):
        assert not whole(tmp_path / "out" / run.id, made_from(run))


def _kill_one_worker() -> None:
    """Kill the first worker of a batch a little after it began."""
    for _ in range(600):
        children = multiprocessing.active_children()
        if children and children[0].pid:
            time.sleep(2)
            os.kill(children[0].pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
            return
        time.sleep(0.05)


def test_two_run_files_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    runs = [load_run(write(folder, "a")) for folder in (tmp_path, tmp_path / "b")]
    with pytest.raises(RunError, match="重名"):
        produce_all(runs, tmp_path / "out")


# -- ledgers from the field, workspaces --------------------------------------------------------------------------------


@pytest.mark.skipif(not FIELD.is_dir(), reason="the two field ledgers are not here")
def test_field_ledgers_go_from_file_to_report_unedited(tmp_path: Path) -> None:
    texts = {
        "定海2020": f"policy: zhoushan-2020\nledger: {FIELD / 'dinghai-2020-ledger.xlsx'}\nyear: 2020\ndraws: 200\n",
        "临沭2023": f"policy: linshu-2021\nledger: {FIELD / 'linshu-2023-flat-gb18030.csv'}\nyear: 2023\ndraws: 200\n",
    }
    runs = [load_run(write(tmp_path, name, text)) for name, text in texts.items()]
    results = produce_all(runs, tmp_path / "out")
    assert [r.error for r in results] == [None, None]
    for result in results:
        page = (result.folder / "report.html").read_text(encoding="utf-8")
        made = report.load(result.folder / "tables")
        assert page.index("领导参阅") < page.index("一、基本情况") < page.index("八、下步安排")
        for target in made["targets"].to_dict("records"):
            assert target["label"] in page
            assert f'data-id="targets/{target["id"]}/{target["year"]}/' in page
        bridge = made["bridge"].set_index("by").loc["all"]
        for name in ("ledger", "in_scope", "listed", "below"):
            assert re.search(rf'data-id="bridge/all//{name}">{bridge[name]:,}<', page), name
        told = made["deciding"].groupby("target")["name"].head(5)  # ten names in all: two targets turn on firms
        assert not [name for name in told if name not in page]
        assert not (result.folder / "inputs").exists()
        assert len(report.load(result.folder / "tables")["targets"]) >= 2


def test_odds_are_for_the_next_target_year() -> None:
    from lyeval.policy import load_policy

    linshu, zhoushan = load_policy("linshu-2021"), load_policy("zhoushan-2020")
    ledger = open_ledger("sample:linshu", linshu)
    assert [next_target(ledger, linshu, y).year for y in (2021, 2023, 2024, 2025)] == [2023, 2024, 2025, None]
    assert next_target(ledger, linshu, 2023).as_of == "2023-12"
    assert next_target(ledger, linshu, 2023, "2023-10") == next_target(ledger, linshu, 2023, "2023-10")
    assert next_target(ledger, linshu, 2023, "2023-10").year == 2023
    assert next_target(open_ledger("sample:zhoushan-shengsi", zhoushan), zhoushan, 2020).year is None


def test_what_if_moves_what_was_changed() -> None:
    import lyeval as ly

    now = ly.assess(ly.read_ledger("sample:linshu"), ly.load_policy("linshu-2021"), 2023)
    firms = now.enterprises
    low = firms[(firms["class"] == "above") & (firms["tax_needed_wan"] > 0) & firms["in_scope"].eq(True)].iloc[0]
    tried = what_if(now, tax={low["credit_code"]: low["tax_wan"] + low["tax_needed_wan"]})
    assert tried.enterprises["credit_code"].tolist() == [low["credit_code"]]
    value = tried.targets.set_index("id").loc["above_scale_clear"]
    assert value["value_after"] == value["value_before"] - 1
    raised = what_if(now, patch={"targets.below_scale_low_land_share.years.2023.threshold": 2.0})
    share = raised.targets.set_index("id").loc["below_scale_low_land_share"]
    assert share["value_after"] > share["value_before"]
    with pytest.raises(KeyError):
        what_if(now, tax={"nobody": 1.0})
    pd.testing.assert_frame_equal(now.targets, what_if(now).after.targets)


def test_a_starter_shows_every_key_and_holds_with_all_of_them(tmp_path: Path) -> None:
    from lyeval.run import lay_out
    from lyeval.run.run_file import RunSpec

    starter = next(path for path in lay_out(tmp_path) if path.name == "example.yaml")
    lines = [line.removeprefix("# ") for line in starter.read_text(encoding="utf-8").splitlines()[2:]]
    keys = [line.partition(":")[0] for line in lines]
    assert sorted(keys) == sorted(RunSpec.model_fields)
    assert all(re.search(" # .*[一-鿿].*/ \\w", line) for line in lines)
    whole_file = load_run(write(tmp_path, "whole", "\n".join(lines))).spec
    assert whole_file == load_run(starter).spec
    defaults = {name: field.default for name, field in RunSpec.model_fields.items() if not field.is_required()}
    assert {n: v for n, v in defaults.items() if getattr(whole_file, n) != v} == {"seed": 0}


def test_a_place_that_the_ledger_does_not_name_is_the_run_files(tmp_path: Path) -> None:
    from ledgers import A, B, csv_file

    from lyeval.policy import load_policy
    from lyeval.run.inputs import stage

    rows = [["统一社会信用代码", "企业名称", "年份", "实缴税金"], [A, "甲厂", 2023, 3], [B, "乙厂", 2023, 4]]
    csv_file(tmp_path / "one.csv", rows)
    text = "policy: linshu-2021\nledger: one.csv\nyear: 2023\n"
    linshu = load_policy("linshu-2021")
    for place, unfit in (("county: 临沭县\n", False), ("county: {one.csv: 海曙区}\n", True)):
        staged = stage(load_run(write(tmp_path, "a", text + place)), tmp_path / "kept")[0]["ledger"]
        named = {tmp_path / "kept" / name: county for name, county in staged.items()}
        read = open_ledger({str(path): county for path, county in named.items()}, linshu)
        assert set(read.enterprises["county"]) == set(staged.values())
        rules = [fault.rule for fault in read.faults]
        assert ("county_given" in rules, "place_unfit" in rules) == (True, unfit)
    assert stage(load_run(write(tmp_path, "a", text)), tmp_path / "plain")[0]["ledger"] == "inputs/one.csv"
    with pytest.raises(PolicyError, match="county"):
        load_run(write(tmp_path, "a", text + "county: {two.csv: 海曙区}\n"))
