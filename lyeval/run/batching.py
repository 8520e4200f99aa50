"""Many run files: some processes, one line a county, skipping what stands, going on where it stopped (批量)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lyeval.run.ending import whole_step
from lyeval.run.errors import HeldError, RunError, error_words, unwritable
from lyeval.run.folders import claim, held, mend_all
from lyeval.run.index import PAGE, write_index
from lyeval.run.placing import alike, free, named
from lyeval.run.record import whole
from lyeval.run.review import made_from, produce
from lyeval.run.spec import RunFile, load_run
from lyeval.run.spreading import Killed, spread
from lyeval.scratch import sweep

MOST_TRIES = 2
PATIENCE = 0.2


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
    error: tuple[str, str] | None = None
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
    say = told or _silent
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
        names = "、".join(twice)
        raise RunError(
            f"运行文件重名（大小写不分）：{names}，请改名",
            f"run files of one name (upper and lower case are the same): {names}; rename them",
            misuse=True,
        )


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
    text = (
        "工作进程被终止（多为内存不足），请减少 --workers 后再运行",
        "its process was killed (often for lack of memory): use fewer --workers",
    )
    return Result(task.run.id, root / task.run.id, error=text)


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
                time.sleep(PATIENCE)
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


def _words(error: BaseException) -> tuple[str, str]:
    """Say an error in one line, in Chinese and English."""
    told = error_words(error) if isinstance(error, ValueError) else (f"{type(error).__name__}: {error}",) * 2
    zh, en = (text.strip().replace("\n", "；") for text in told)
    return zh, en


def _silent(result: Result) -> None:
    """Tell nobody."""
