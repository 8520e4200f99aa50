"""Many run files: some processes, one line a county, skipping what stands; the page over all counties (批量、汇总页)."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lyeval.render import Cell, Column, Document, Table, to_html
from lyeval.run.folders import HeldError, RunError, claim, error_words, held, mend_all, unwritable
from lyeval.run.kernel import Killed, spread, whole_step
from lyeval.run.outputs import PATIENCE, alike, free, named, placed, seal
from lyeval.run.production import made_from, produce
from lyeval.run.records import fingerprint, read_record, whole
from lyeval.run.run_file import RunFile, load_run
from lyeval.scratch import sweep
from lyeval.told import Pair, message


@dataclass(frozen=True)
class Result:
    """How one run of a batch ended.

    Attributes
    ----------
    id, folder
        The run and its folder.
    skipped
        It stood finished, and nothing it depends on has changed.
    error
        Why it failed, in Chinese and English; None if it did not.
    begun
        Whether its run file could be read.
    """

    id: str
    folder: Path
    skipped: bool = False
    error: Pair | None = None
    begun: bool = True

    def error_text(self, lang: str = "zh") -> str:
        """Return why it failed, in one language."""
        return "" if self.error is None else self.error[lang == "en"]


Told = Callable[[Result], None]


@dataclass
class _Task:
    """A run on its way: how often its process was killed, whether to wait for another process that has it in hand."""

    run: RunFile
    kills: int = 0
    waits: bool = False


def produce_all(
    runs: Iterable[RunFile | str | Path],
    root: Path,
    *,
    workers: int = 2,
    told: Told | None = None,
    limit: float | None = None,
    lang: str | None = None,
) -> list[Result]:
    """Run many run files in processes of their own, and write ``index.html`` over all that stands complete in ``root``, if any.

    Parameters
    ----------
    runs
        Run files, loaded or by name; one that cannot be loaded fails alone.
    workers
        Number of processes.
    told
        Called with each result as it comes.
    limit
        Seconds that a cell may take; None: each run file's ``cell_limit``.
    lang
        Language of the reports, over that of the run files that are named.

    Returns
    -------
    list of Result
        In the order of ``runs``. A run that fails, or whose process is killed, does not stop the others. What another batch
        has in hand is waited for, and taken as it stands if it is what would have been made.

    Raises
    ------
    RunError
        Two run files of one name; the folder cannot be written, or an ``index.html`` in it is somebody else's.
    KeyboardInterrupt
        It was interrupted: the processes are ended, what they had half made is removed, the index lists what stands.
    """
    loaded, root = [_loaded(run, root, lang) for run in runs], root.resolve()
    _distinct([run for run in loaded if isinstance(run, RunFile)])
    named(root)
    free(root / PAGE)
    mend_all(root)
    say: Told = told or (lambda _: None)
    results: list[Result | None] = [run if isinstance(run, Result) else _standing(run, root) for run in loaded]
    for result in filter(None, results):
        say(result)
    places = {run.id: place for place, run in enumerate(loaded) if isinstance(run, RunFile)}
    waiting = [run for run, result in zip(loaded, results, strict=True) if isinstance(run, RunFile) and result is None]
    with suppress(OSError):
        write_index(root)
    try:
        with closing(_made(waiting, root, workers, limit)) as made:
            for result in made:
                results[places[result.id]] = result
                say(result)
                with suppress(OSError):
                    write_index(root)
    finally:
        if left := [run for run in waiting if results[places[run.id]] is None]:
            with whole_step():
                _tidied(root, left)
    try:
        write_index(root)
    except OSError as error:
        raise unwritable(root / PAGE, error) from None
    return [result for result in results if result is not None]


def _loaded(run: RunFile | str | Path, root: Path, lang: str | None) -> RunFile | Result:
    """Load a run file that is named; what is wrong with it is its result."""
    if isinstance(run, RunFile):
        return run
    try:
        return load_run(run, lang=lang)
    except Exception as error:
        name = Path(run).name
        return Result(name, root / Path(name).stem, error=_words(error), begun=False)


def _distinct(runs: Sequence[RunFile]) -> None:
    ids = [alike(run.id) for run in runs]
    twice = sorted({run.id for run in runs if ids.count(alike(run.id)) > 1})
    if twice:
        raise RunError.of("run.same_name", names="、".join(twice))


def _standing(run: RunFile, root: Path) -> Result | None:
    """Return the result of a run that stands finished, or that cannot be begun; None if it is to be run."""
    try:
        claim(root / run.id)
        return Result(run.id, root / run.id, skipped=True) if whole(root / run.id, made_from(run)) else None
    except Exception as error:
        return Result(run.id, root / run.id, error=_words(error))


def _made(runs: Sequence[RunFile], root: Path, workers: int, limit: float | None) -> Generator[Result]:
    """Run what is waiting, and yield each result: what another process has in hand last, what was killed once more."""
    tasks = deque(_Task(run) for run in runs)
    with closing(spread(tasks, partial(_one, root=root, limit=limit), max(1, min(workers, len(runs))))) as done:
        for task, made in done:
            result = _outcome(task, made, root)
            if result is None:
                tasks.append(task)
            else:
                yield result


def _outcome(task: _Task, made: Result | Killed | None, root: Path) -> Result | None:
    """Return how a run ended; None if it is to be tried again: another process has it in hand, or its own was killed."""
    if isinstance(made, Result):
        return made
    if made is None:
        task.waits = True
        return None
    task.kills += 1
    if task.kills <= MOST_TRIES:
        return None
    return Result(task.run.id, root / task.run.id, error=message("run.process_killed"))


def _one(task: _Task, root: Path, limit: float | None) -> Result | None:
    """Run one run file in a process of its own; None if another process has it in hand and others can be done first."""
    run, begun = task.run, []
    final = root / run.id
    try:
        while True:
            try:
                produce(run, root, told=lambda *step: begun.append(step), jobs=1, limit=limit, anew=False)
                return Result(run.id, final, skipped=not begun)
            except HeldError:
                if not task.waits:
                    return None
                time.sleep(PAUSE)
    except Exception as error:
        return Result(run.id, final, error=_words(error))


def _tidied(root: Path, left: Sequence[RunFile]) -> None:
    """Remove what runs that were not ended have left, and list what stands."""
    for run in left:
        with suppress(RunError, OSError), held(root / run.id):
            pass
    sweep()
    with suppress(OSError):
        write_index(root)


def _words(error: BaseException) -> Pair:
    """Say an error in one line, in Chinese and English."""
    told = error_words(error) if isinstance(error, ValueError) else (f"{type(error).__name__}: {error}",) * 2
    zh, en = (text.strip().replace("\n", "；") for text in told)
    return zh, en


# -- the page over all runs --------------------------------------------------------------------------------------------


def write_index(root: Path, folders: Iterable[Path] | None = None, *, lang: str = "zh") -> Path | None:
    """Write ``index.html`` in ``root`` over finished runs, whole or not at all; one process at a time.

    Parameters
    ----------
    folders
        The runs' folders, in the order of the page; None: all that stand complete in ``root``.

    Returns
    -------
    Path
        The page; None where there is nothing to list.

    Raises
    ------
    RunError
        A page of that name is not as lyeval wrote it.
    """
    path = root / PAGE
    if not root.is_dir():
        return None
    with held(path, patience=PATIENCE):
        listed = complete(root) if folders is None else list(folders)
        if not listed:
            return None
        rows, notes = zip(*(_told(folder, _stamp(folder), lang) for folder in listed), strict=True)
        columns = tuple(Column(key, _say(f"index.{key}", lang), "", kind) for key, kind in COLUMNS.items())
        table = Table("runs", _say("index.runs", lang), columns, rows, note=_say("index.note", lang), sortable=True)
        first = next((note for note in notes if note), "")
        made = Document(_say("index.title", lang), "", (), (table,), lang, first, "")  # type: ignore[arg-type]
        html = _linked(to_html(made), {folder.name for folder in listed})
    with placed(path) as fresh:
        fresh.write_text(seal(html), encoding="utf-8", newline="\n")
    return path


def complete(root: Path) -> list[Path]:
    """Return the folders in ``root`` that a run of lyeval left complete, by name: record sound, every output there."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        told = read_record(folder)
        if told is None or folder.is_symlink() or told.get("run") != folder.name:
            continue
        outputs = told.get("outputs")
        if not isinstance(outputs, dict) or told.get("fingerprint") != fingerprint(told):
            continue
        if all((folder / name).is_file() for name in outputs):
            found.append(folder)
    return found


def _stamp(folder: Path) -> str:
    """Return what changes with a run's content."""
    return str((read_record(folder) or {}).get("fingerprint"))


@lru_cache(maxsize=5000)
def _told(folder: Path, stamp: str, lang: str) -> tuple[tuple[Any, ...], str]:
    """Return a run's row, and whether its ledger is a made one; of a kind without verdicts what its record says."""
    from lyeval.report import load

    try:
        tables = load(folder / "tables")
        return _row(folder, tables, lang), tables["meta"].get("synthetic")
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        said = (read_record(folder) or {}).get("parameters") or {}
        title, policy, year = (str(said.get(key) or "") for key in ("title", "policy", "year"))
        return (f"{OPEN}{folder.name}{CLOSE}", title, year, policy, *[None] * (len(COLUMNS) - 5), ""), ""


def _row(folder: Path, tables: Any, lang: str) -> tuple[Any, ...]:
    """Return a run's row; of a comparison either side's enterprises, list and verdicts together, under its own rules."""
    meta, zh = tables["meta"], lang == "zh"
    place = meta["place" if zh else "place_en"]
    if "side_rules" in tables:
        about, rules = tables["side_about"], tables["side_rules"]
        own = rules[rules["side"] == rules["rules"]]
        years = "、".join(str(year) for year in about["year"])
        told = (years, meta["document"], int(about["enterprises"].sum()), int(about["listed"].sum()))
        status, targets = {key: int(own[key].sum()) for key in TONES}, _say("index.compared", lang)
    else:
        targets, firms, public = tables["targets"], tables.get("enterprises"), "certified" in tables
        place = "、".join(meta["counties"]) if 0 < len(meta["counties"]) < 4 else place
        listed = len(tables["certified"]) if public else int(firms["identified"].eq(True).sum())
        told = (str(meta["year"]), meta["document"], None if public else len(firms), listed)
        status = targets["status"].value_counts() if len(targets) else {}
        targets = "；".join(_target(row, zh) for row in targets.to_dict("records"))
    counts = {key: int(status.get(key, 0)) for key in TONES}
    cells = (Cell(n, tone=TONES[key] if n else "plain") for key, n in counts.items())
    return f"{OPEN}{folder.name}{CLOSE}", place, *told, *cells, targets


def _target(row: Any, zh: bool) -> str:
    """Return a target's label and verdict in words."""
    return f"{row['label']}：{message(row['status'])[0]}" if zh else f"{row['label_en']}: {message(row['status'])[1]}"


def _say(key: str, lang: str) -> str:
    return message(key)[lang == "en"]


def _linked(html: str, names: set[str]) -> str:
    """Turn the marked names into links to their reports."""

    def link(found: re.Match[str]) -> str:
        name = next((n for n in names if escape(n) == found.group(1)), None)
        if name is None:  # the marks stand in a county's or a plan's own text
            return found.group(1)
        return f'<a href="{quote(name)}/report.html">{found.group(1)}</a>'

    return re.sub(f"{OPEN}(.*?){CLOSE}", link, html)


MOST_TRIES, PAUSE = 2, 0.2
PAGE = "index.html"
OPEN, CLOSE = "\ue000", "\ue001"
TONES: dict[str, Any] = {"met": "good", "missed": "bad", "undetermined": "open"}
COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("run", "place", "year", "document"), "text"),
    **dict.fromkeys(("firms", "identified", "met", "missed", "open"), "count"),
    "targets": "text",
}
