"""Only what lyeval marked is renamed, replaced or removed: random trees of a user's files beside every command that writes, some killed.

What a user added to a report of lyeval's goes with it: after a kill it may be in a hidden folder until the next command, which is run here.
The notebooks are not executed here, nor ledgers made or read: stubs write small files and the commands put them in place. Runs with
real notebooks are those of test_run.py.
"""

from __future__ import annotations

import importlib
import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from build import ledger, years
from trees import forget, in_a_child, plant, standing, theirs

from lyeval.policy import load_policy
from lyeval.run import NotebookError, RunError, batches, finished_runs, load_run, produce, produce_all, production
from lyeval.run.finished_runs import Finished
from lyeval.run.folders import MARK, OWN, begin, claim, clear, fail, held, mend, replace, written
from lyeval.run.outputs import apart, empty, free, named, placed, seal, write_new
from lyeval.textfiles import reserved
from reports import report, told

SMALL = "kind: review\npolicy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\ndraws: 100\n"
SEEDS = 16  # of each command: some 200 cases
LITTER = re.compile(r"\.(.+)\.lyeval-([0-9a-f]{12}|lock)")
Command = Callable[[Path], object]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two run files; what the commands import is loaded here once, for their child processes."""
    for module in (
        "ledger.clean",
        "cli.ledgers",
        "panels",
        "comparison",
        "render",
        "render.xlsx",
        "sample",
        "report",
    ):
        importlib.import_module(f"lyeval.{module}")
    home = tmp_path_factory.mktemp("runs")
    for name in ("a", "b"):
        (home / f"{name}.yaml").write_text(SMALL, encoding="utf-8")
    return [home / "a.yaml", home / "b.yaml"]


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without notebooks, batches without processes, a small ledger for every command that reads one."""
    small = ledger(annual=years("91330922MA0000000A", {2019: 3.0, 2020: 4.0}, 10.0, True))
    plan = load_policy("zhoushan-2020")
    frame = pd.DataFrame({"credit_code": ["91330922MA0000000A"], "name": ["甲"], "year": [2020]})

    def made(run: object, part: Path, *_: object) -> None:
        report(part, "new", run=str(getattr(run, "id", "")))

    def one_by_one(runs: list[object], root: Path, *_: object) -> object:
        return (made for run in runs if (made := batches._one(batches._Task(run), root, None)) is not None)  # type: ignore[arg-type]

    monkeypatch.setattr(production, "_make", made)
    monkeypatch.setattr(production, "check_run", lambda run: None)
    monkeypatch.setattr(batches, "made_from", lambda run: {"basis": ""})
    monkeypatch.setattr(batches, "_made", one_by_one)
    monkeypatch.setattr(batches, "_row", lambda folder, *_: (f"\ue000{folder.name}\ue001", *[""] * 9))
    monkeypatch.setattr("lyeval.report.load", lambda folder: {"meta": {}})
    monkeypatch.setattr(finished_runs, "regained", lambda run, also: load_run(run.record["path"]))
    monkeypatch.setattr(finished_runs, "_sources", lambda run, also: [])
    monkeypatch.setattr(finished_runs, "_record", lambda run: [])
    monkeypatch.setattr("lyeval.run.inputs.open_ledger", lambda *_, **__: small)
    monkeypatch.setattr("lyeval.panels.panel", lambda *_: frame)
    monkeypatch.setattr("lyeval.panels.write_panel", lambda _, folder: _folder(folder, "panel.csv"))
    monkeypatch.setattr("lyeval.policy.load_policy", lambda _, plan=plan: plan)
    monkeypatch.setattr("lyeval.run.open_policy", lambda _, plan=plan: plan, raising=False)
    monkeypatch.setattr("lyeval.sample.produce", lambda _, path, **__: _note(path, path.write_bytes(b"PK")))
    monkeypatch.setattr("lyeval.sample.produce_forms", lambda _, path, **__: _note(path, _folder(path, "空白表.xlsx")))


def _folder(folder: Path, name: str) -> list[Path]:
    folder.mkdir()
    (folder / name).write_text("made", encoding="utf-8")
    return [folder / name]


def _note(path: Path, made: object) -> Path:
    """Write the note of a made ledger beside it."""
    note = path.with_name(f"{path.stem}.yaml")
    note.write_text(f"file: {path.name}\nproducer: lyeval.sample\n", encoding="utf-8")
    return note


def failing(run: object, part: Path, *_: object) -> None:
    report(part, "half", finished=False)
    raise NotebookError("08_year_end_report.ipynb", 3, "ValueError: x")


def full_disk(run: object, part: Path, *_: object) -> None:
    report(part, "half", finished=False)
    raise OSError(28, "No space left on device", str(part / "x"))


def command(name: str, runs: list[Path]) -> Command:
    """Return a command as a function of the folder in which the user's files are."""
    from lyeval.cli import main

    def line(*words: str) -> Command:
        return lambda root: main([word.replace("@", str(root)) for word in words])

    def failed(make: Callable[..., None]) -> Command:
        def run(root: Path) -> None:
            production._make = make  # in the child process alone
            produce(load_run(runs[0]), root)

        return run

    finished = {"path": runs[0], "outputs": {"report.html": "0"}}
    plan, small = ("--policy", "zhoushan-2020"), ("--enterprises", "2", "--years", "2019-2020")
    return {
        "run": lambda root: produce(load_run(runs[0]), root),
        "failing run": failed(failing),
        "run on a full disk": failed(full_disk),
        "batch": lambda root: produce_all([load_run(run) for run in runs], root),
        "rerun": lambda root: finished_runs.rerun(Finished(root / "a", finished)),
        "init": line("init", "@"),
        "clean": line("clean", "sample:linshu", "--out", "@/out.xlsx"),
        "check": line("check", "sample:messy", "--out", "@/out.xlsx"),
        "panel": line("panel", "sample:linshu", *plan, "--out", "@/out"),
        "sample": line("sample", *plan, *small, "--out", "@/out.xlsx"),
        "sample forms": line("sample", *plan, *small, "--out", "@/out", "--forms"),
        "explore": line("explore", "--out", "@", "--dry-run"),
        "make clean": empty,
    }[name]


COMMANDS = (
    "run", "failing run", "run on a full disk", "batch", "rerun", "init", "clean", "check", "panel", "sample", "sample forms", "explore",
    "make clean",
)  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.parametrize("name", COMMANDS)
def test_not_one_byte_of_the_users_changes(name: str, runs: list[Path], stubbed: None, tmp_path: Path) -> None:
    run, killed = command(name, runs), 0
    for seed in range(SEEDS if name != "rerun" else 5):
        rng = random.Random(f"{name} {seed}")
        root, outside = tmp_path / f"{seed}", tmp_path / f"{seed}-outside"
        plant(rng, root, outside)
        before = theirs(root, outside)
        own = (root / "a").is_dir() and not before.get(root / "a")
        kill_at = rng.randrange(25) if rng.random() < 0.6 else None
        ended = in_a_child(lambda root=root: run(root), kill_at)
        killed += ended == -9
        lost = _lost(before, root, outside)
        assert [path for path in lost if not (own and ended == -9 and path.is_relative_to(root / "a"))] == []
        again = in_a_child(lambda root=root: run(root), None)
        assert _lost(before, root, outside) == []
        if own and name != "make clean":
            assert told(root / "a") in ("earlier", "new")
            assert written(root / "a") is not None
        if name not in ("init", "explore") and ended in (0, -9) and again == 0:
            _no_litter(root, before)
        forget(root)
    assert killed or name in ("rerun", "explore", "make clean")


def _lost(before: dict[Path, tuple[object, ...]], root: Path, outside: Path) -> list[Path]:
    now = standing([root, outside])
    new_outside = [path for path in now if path.is_relative_to(outside) and path not in before]
    return [path for path, what in before.items() if now.get(path) != what] + new_outside


def _no_litter(root: Path, before: dict[Path, tuple[object, ...]]) -> None:
    """No hidden name of lyeval's is left; beside a lock that is somebody's, an empty folder may be, not yet marked at a kill."""
    found = {path: LITTER.fullmatch(path.name) for path in root.iterdir() if path not in before}
    foreign = {path for path, name in found.items() if name and root / f".{name[1]}.lyeval-lock" in before}
    left = [path for path, name in found.items() if name and not (path in foreign and path.is_dir())]
    assert [path.name for path in left] == []


# -- one by one --------------------------------------------------------------------------------------------------------


def test_what_a_clerk_added_or_changed_is_kept(tmp_path: Path) -> None:
    final = report(tmp_path / "a", "earlier")
    (final / "tables/mine.csv").write_text("mine", encoding="utf-8")
    (final / "report.html").write_text("edited", encoding="utf-8")
    replace(final, report(begin(final), "new"))
    assert told(final) == "new"
    assert (final / "tables/mine.csv").read_text(encoding="utf-8") == "mine"
    assert told(tmp_path / "a.earlier") == "edited"
    assert not (tmp_path / "a.earlier/tables").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.earlier"]


def test_a_foreign_failed_folder_is_left_and_the_next_name_taken(tmp_path: Path) -> None:
    final = tmp_path / "a"
    (tmp_path / "a.failed").mkdir()
    (tmp_path / "a.failed/mine.txt").write_text("mine", encoding="utf-8")
    for text in ("first", "second"):
        left = fail(final, report(begin(final), text, finished=False))
        mend(final)
        assert left == tmp_path / "a.failed-2"
        assert told(left) == text
    assert (tmp_path / "a.failed/mine.txt").read_text(encoding="utf-8") == "mine"
    replace(final, report(begin(final), "new"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.failed"]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "other run", "read-only"])
def test_a_foreign_name_is_refused_before_anything(
    kind: str, runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = tmp_path / "out/a", tmp_path / "out"
    out.mkdir()
    if kind == "file":
        place.write_text("mine", encoding="utf-8")
    elif kind == "folder":
        place.mkdir()
    elif kind == "link":
        place.symlink_to(report(tmp_path / "elsewhere/a", "earlier"), target_is_directory=True)
    else:
        report(place, "earlier", run="b" if kind == "other run" else "a")
        place.chmod(0o500 if kind == "read-only" else 0o700)
    monkeypatch.setattr(production, "check_run", lambda run: pytest.fail("the ledger was read"))
    with pytest.raises(RunError, match="没有改动") as error:
        produce(load_run(runs[0]), out)
    assert not error.value.misuse
    (result,) = produce_all([load_run(runs[0])], out)
    assert "nothing was changed" in result.error_text("en")
    assert os.listdir(out) == ["a"]
    place.lstat()
    if kind == "read-only":
        place.chmod(0o700)


def test_a_record_that_names_what_is_outside_removes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "mine/empty").mkdir(parents=True)
    (tmp_path / "mine/x.txt").write_text("mine", encoding="utf-8")
    folder = report(tmp_path / "a", "earlier")
    ours = {**(written(folder) or {}), "../mine/x.txt": "0" * 64, "../mine/empty/y": "0" * 64}
    assert clear(folder, ours)
    assert (tmp_path / "mine/x.txt").is_file()
    assert (tmp_path / "mine/empty").is_dir()


def test_a_lock_that_is_somebody_elses_is_held_and_kept(tmp_path: Path) -> None:
    (tmp_path / ".a.lyeval-lock").write_bytes(b"")
    with held(tmp_path / "a"), pytest.raises(RunError, match="另一个进程"), held(tmp_path / "a"):
        pass
    assert (tmp_path / ".a.lyeval-lock").read_bytes() == b""


def test_pages_and_workbooks_are_known_until_they_are_changed(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text(seal("<p>甲</p>\n"), encoding="utf-8", newline="\n")
    free(page)
    page.write_text(page.read_text(encoding="utf-8").replace("甲", "乙"), encoding="utf-8", newline="\n")
    with pytest.raises(RunError, match="不是 lyeval 写的"):
        free(page)
    with placed(tmp_path / "q.xlsx") as place:
        _workbook(place, changed=False)
    free(tmp_path / "q.xlsx")
    _workbook(tmp_path / "q.xlsx", changed=True)
    with pytest.raises(RunError, match="已存在"):
        free(tmp_path / "q.xlsx")


def _workbook(path: Path, *, changed: bool) -> None:
    """Write a workbook as lyeval does, or as an office program does that saves it: with another day of change."""
    import zipfile
    from datetime import date

    from lyeval.render import to_xlsx

    to_xlsx([], path, title="台账问题", created=date(2000, 1, 1), notes=[])
    if changed:
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        day = b'<dcterms:modified xsi:type="dcterms:W3CDTF">20'
        parts["docProps/core.xml"] = parts["docProps/core.xml"].replace(day + b"00", day + b"26")
        with zipfile.ZipFile(path, "w") as book:
            for name, content in parts.items():
                book.writestr(name, content)


def test_a_folder_of_output_with_something_added_is_refused(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with placed(tmp_path / "p") as place:
            place.mkdir()
            (place / "panel.csv").write_text(text, encoding="utf-8")
    assert sorted(os.listdir(tmp_path / "p")) == [MARK, "panel.csv"]
    assert (tmp_path / "p/panel.csv").read_text(encoding="utf-8") == "two"
    (tmp_path / "p/mine.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="没有改动"), placed(tmp_path / "p"):
        pytest.fail("begun")
    assert sorted(os.listdir(tmp_path / "p")) == [MARK, "mine.csv", "panel.csv"]


def test_a_file_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a.yaml", "x")
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_something_that_comes_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def both() -> None:
        with placed(tmp_path / "q.xlsx") as place:
            place.write_bytes(b"ours")
            (tmp_path / "q.xlsx").write_bytes(b"mine")

    with pytest.raises(RunError, match="没有改动"):
        both()
    assert (tmp_path / "q.xlsx").read_bytes() == b"mine"
    final = tmp_path / "a"
    new = report(begin(final), "new")
    final.mkdir()
    with pytest.raises(RunError, match="没有改动"):
        replace(final, new)
    assert os.listdir(final) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_nothing_of_a_process_killed_while_it_began_is_left(tmp_path: Path) -> None:
    foreign, ended, unmarked = tmp_path / ".a.lyeval-0123456789ab", set(), set()
    foreign.mkdir()

    def begun() -> None:
        with held(tmp_path / "a"):
            begin(tmp_path / "a")

    for kill_at in range(8):
        ended.add(in_a_child(begun, kill_at))
        empty = [path for path in tmp_path.iterdir() if path.is_dir() and not any(path.iterdir())]
        with held(tmp_path / "a"):
            pass
        assert os.listdir(tmp_path) == [foreign.name], (kill_at, empty)
        unmarked.add(len(empty) - 1)
    assert (ended, unmarked) == ({0, -9}, {0, 1})


def test_a_torn_marker_is_swept_only_where_a_lock_tells_of_it(tmp_path: Path) -> None:
    told, added, foreign = (tmp_path / f".a.lyeval-{digit * 12}" for digit in "abc")
    for folder in (told, added, foreign):
        folder.mkdir()
        (folder / MARK).write_text('{"lyev', encoding="utf-8")
    (added / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / ".a.lyeval-lock").write_bytes(OWN + f"{'a' * 12}\n{'b' * 12}\n".encode())
    with held(tmp_path / "a"):
        pass
    assert sorted(os.listdir(tmp_path)) == [added.name, foreign.name]
    assert sorted(os.listdir(added)) == [MARK, "mine.txt"]


def test_make_clean_takes_only_what_lyeval_wrote(tmp_path: Path) -> None:
    report(tmp_path / "a", "earlier")
    report(tmp_path / "b", "earlier", run="b")
    (tmp_path / "b/mine.txt").write_text("mine", encoding="utf-8")
    report(tmp_path / "b.old", "a backup", run="b")
    (tmp_path / "index.html").write_text(seal("page"), encoding="utf-8")
    (tmp_path / "golden").mkdir()
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    fail(tmp_path / "a", report(begin(tmp_path / "a"), "half", finished=False))
    left = [path.relative_to(tmp_path).as_posix() for path in empty(tmp_path)]
    assert left == ["README.md", "b", "b.old", "golden"]
    assert [path.name for path in (tmp_path / "b").iterdir() if path.name != "record.json"] == ["mine.txt"]


# -- names and places --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["con", "NUL", "aux", "com1", "lpt9", "con.2023", "a.", "prn "])
def test_names_that_windows_keeps_are_refused(name: str, tmp_path: Path) -> None:
    assert reserved(name)
    with pytest.raises(RunError, match="Windows"):
        named(tmp_path / name)
    with pytest.raises(RunError, match="Windows"):
        named(tmp_path / name / "reports")
    (tmp_path / f"{name}.yaml").write_text(SMALL, encoding="utf-8")
    with pytest.raises(RunError, match="cannot name a folder"):
        load_run(tmp_path / f"{name}.yaml")


def test_ordinary_names_are_not(tmp_path: Path) -> None:
    for name in ("console", "临沭县-2023", "com", "a.b", ".hidden"):
        assert not reserved(name)
        named(tmp_path / name)


def test_names_that_differ_by_case_alone(tmp_path: Path) -> None:
    texts = [tmp_path / "x" / "A.yaml", tmp_path / "y" / "a.yaml"]
    for path in texts:
        path.parent.mkdir()
        path.write_text(SMALL, encoding="utf-8")
    with pytest.raises(RunError, match="重名（大小写不分）：A、a"):
        produce_all([load_run(path) for path in texts], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_output_inside_its_own_ledger_folder(tmp_path: Path) -> None:
    (tmp_path / "台账/深").mkdir(parents=True)
    (tmp_path / "a.yaml").write_text(SMALL.replace("sample:zhoushan-shengsi", "台账"), encoding="utf-8")
    for out in ("台账", "台账/深/reports"):
        with pytest.raises(RunError, match="所读的文件夹 台账 里"):
            produce(load_run(tmp_path / "a.yaml"), tmp_path / out)
    apart(tmp_path / "台账2", [tmp_path / "台账"])
    claim(tmp_path / "none")


def test_a_folder_for_temporary_files_that_cannot_be_written_is_told(
    runs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(production, "check_run", lambda run: None)
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", lambda *_: none())
    with pytest.raises(RunError, match="TMPDIR"):
        produce(load_run(runs[0]), tmp_path / "out")
