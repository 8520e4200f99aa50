"""Many run files: some processes, one line a county, skipping what stands, going on where it stopped (批量)."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from lyeval.run.errors import RunError, error_words
from lyeval.run.folders import claim, mend_all
from lyeval.run.index import write_index
from lyeval.run.placing import alike, free, named
from lyeval.run.record import whole
from lyeval.run.review import made_from, produce
from lyeval.run.spec import RunFile

MOST_TRIES = 2


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
    """

    id: str
    folder: Path
    skipped: bool = False
    error: tuple[str, str] | None = None

    def error_text(self, lang: str = "zh") -> str:
        """Return why it failed, in one language."""
        return "" if self.error is None else self.error[lang == "en"]


Told = Callable[[Result], None]


def produce_all(runs: Iterable[RunFile], root: Path, *, workers: int = 2, told: Told | None = None) -> list[Result]:
    """Run many run files in processes of their own, and write ``index.html`` over all that are done, if any.

    Parameters
    ----------
    workers
        Number of processes.
    told
        Called with each result as it comes.

    Returns
    -------
    list of Result
        In the order of ``runs``. A run that fails, or whose process is killed, does not stop the others.

    Raises
    ------
    RunError
        Two run files of one name, or an ``index.html`` in ``root`` that is somebody else's.
    """
    runs, root = list(runs), root.resolve()
    _distinct(runs)
    named(root)
    free(root / "index.html")
    mend_all(root)
    say = told or _silent
    results = {run.id: found for run in runs if (found := _standing(run, root)) is not None}
    for result in results.values():
        say(result)
    waiting = [run for run in runs if run.id not in results]
    tries = dict.fromkeys((run.id for run in waiting), 0)
    while waiting:
        for result in _round(waiting, root, workers, tries, say):
            results[result.id] = result
        waiting = [run for run in waiting if run.id not in results]
    ordered = [results[run.id] for run in runs]
    done = [result.folder for result in ordered if result.error is None]
    if done:
        write_index(root, done)
    return ordered


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
    except RunError as error:
        return Result(run.id, root / run.id, error=(error.zh, error.en))


def _round(runs: Sequence[RunFile], root: Path, workers: int, tries: dict[str, int], say: Told) -> list[Result]:
    """Run what is waiting until all is done or a process is killed; those cut off by a kill are left to the next round."""
    context = multiprocessing.get_context("spawn")
    results = []
    cut = any(tries.values())
    with ProcessPoolExecutor(max_workers=1 if cut else min(workers, len(runs)), mp_context=context) as pool:
        futures: dict[Future[Result], RunFile] = {}
        for run in runs:
            try:
                futures[pool.submit(_one, run, root)] = run
            except BrokenProcessPool:
                break
        for future in as_completed(futures):
            run = futures[future]
            result = _outcome(future, run, root, tries)
            if result is not None:
                results.append(result)
                say(result)
    return results


def _outcome(future: Future[Result], run: RunFile, root: Path, tries: dict[str, int]) -> Result | None:
    """Return how a run ended, None if its process was killed and it may be tried again."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenProcessPool):
        tries[run.id] += 1
        if tries[run.id] < MOST_TRIES + 1:
            return None
        text = (
            "工作进程被终止（多为内存不足），请减少 --workers 后再运行",
            "its process was killed (often for lack of memory): use fewer --workers",
        )
        return Result(run.id, root / run.id, error=text)
    return Result(run.id, root / run.id, error=_words(error))


def _one(run: RunFile, root: Path) -> Result:
    """Run one run file in a process of its own."""
    return Result(run.id, produce(run, root, jobs=1))


def _words(error: BaseException) -> tuple[str, str]:
    """Say an error in one line, in Chinese and English."""
    told = error_words(error) if isinstance(error, ValueError) else (f"{type(error).__name__}: {error}",) * 2
    zh, en = (text.strip().replace("\n", "；") for text in told)
    return zh, en


def _silent(result: Result) -> None:
    """Tell nobody."""
