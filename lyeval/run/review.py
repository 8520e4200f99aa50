"""One county's year: check, execute the notebooks, record, put in place (年度评估)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.run.checking import check_run
from lyeval.run.ending import whole_step
from lyeval.run.errors import RunError
from lyeval.run.executing import NotebookError, end_kernels, execute, kernels
from lyeval.run.folders import fail, held, part_of, remove, replace, unwritable
from lyeval.run.inputs import FOLDER, inputs_of, stage
from lyeval.run.private import admit
from lyeval.run.record import basis, published, record, told_changes, whole
from lyeval.run.spec import RunFile, RunSpec
from lyeval.run.starting import load_matplotlib
from lyeval.run.steps import LOCK, about
from lyeval.scratch import scratch

Told = Callable[[int, int, str], None]


def notebooks(kind: str = "review", edition: str = "office") -> list[Path]:
    """Return the notebooks of a kind of run, in order: the last writes the report from the tables of the others.

    The research edition of a review asks what the policy did, too.
    """
    names = NOTEBOOKS[kind]
    if kind == "review" and edition == "research":
        names = (*names[:-1], "05_effect", names[-1])
    return [resources.path("notebooks") / f"{name}.ipynb" for name in names]


def made_from(run: RunFile) -> dict[str, Any]:
    """Return all that a run's result depends on, as it stands now.

    Raises
    ------
    RunError
        A file is not there.
    """
    return basis(run.spec, inputs_of(run), notebooks(run.spec.kind, run.spec.edition))


def produce(
    run: RunFile, root: Path, *, told: Told | None = None, jobs: int = 2, limit: float | None = None, anew: bool = True
) -> Path:
    """Run a run file: notebooks, report, record.

    Parameters
    ----------
    root
        Folder of the reports; the run's own folder is ``root/<run-id>``.
    told
        Called before each notebook with its number, how many there are, and its name.
    jobs
        How many notebooks are executed at a time.
    limit
        Seconds that a cell may take; None: the run file's ``cell_limit``.
    anew
        Make it even if it stands unchanged.

    Returns
    -------
    Path
        The run's folder. An earlier one is replaced only now.

    Raises
    ------
    PolicyError, LedgerError, RunError
        Something in the run file, the plan or the ledger is wrong: nothing was run.
    HeldError
        Another process is at work on it.
    NotebookError
        A notebook failed; what it made stands in ``<run-id>.failed``, the earlier report is untouched.
    KeyboardInterrupt
        It was interrupted; its kernels are ended, what it had made is removed, the earlier report is untouched.
    """
    final = root.resolve() / run.id
    if anew:
        check_run(run)
    with held(final):
        if not anew:
            if whole(final, made_from(run)):
                return final
            check_run(run)
        part = part_of(final)
        try:
            part.mkdir()
            _make(run, part, told or _silent, jobs, limit or run.spec.cell_limit)
        except NotebookError as error:
            if run.spec.disclosure == "public":
                remove(part)
                raise
            raise _failed(error, fail(final)) from None
        except OSError as error:
            fail(final)
            raise unwritable(part, error) from None
        except BaseException:
            remove(part)
            raise
        with whole_step():
            replace(final)
    return final


def _make(run: RunFile, part: Path, told: Told, jobs: int, limit: float) -> None:
    """Execute the notebooks and record; of a public run, away from its folder, which gets the announcement alone."""
    ordered, public = notebooks(run.spec.kind, run.spec.edition), run.spec.disclosure == "public"
    with scratch() as away, kernels(away):
        place = away / "private" if public else part
        place.mkdir(exist_ok=True)
        staged = stage(run, place)
        source = basis(run.spec, staged.inputs, ordered)
        parameters = {**given(run.spec), **staged.parameters, "out": "tables", "folder": ".", "basis": source["basis"]}
        _execute_all(ordered[:-1] if public else ordered, place, parameters, told, jobs, limit)
        if public:
            _announce(run, place / "tables", part, source)
            return
    remove(part / FOLDER)
    (part / "tables" / LOCK).unlink(missing_ok=True)
    record(part, run.id, source, run.changes)


def _announce(run: RunFile, private: Path, part: Path, source: Mapping[str, Any]) -> None:
    """Write the public edition from private tables, record it, and keep what the office needs of it beside its folder.

    Raises
    ------
    RunError
        Beside an edition published before it would reveal an enterprise's figure.
    """
    from lyeval import report

    load_matplotlib()
    spec, shown = run.spec, published(source)
    day = str(spec.report_date or "")
    made = about(title=spec.title or "", report_date=day, basis=shown["basis"], seed=spec.seed, draws=spec.draws)
    tables = report.load(private) | made
    releases = report.released(tables)
    tables = report.public(tables, objections=spec.objections, period=spec.period, sums=releases)
    report.announce(tables, part, lang=spec.lang, formats=spec.formats)
    told = record(part, run.id, shown, told_changes(run.changes))
    admit(part.with_name(run.id), source, run.changes, tables, releases, told["fingerprint"])


def _execute_all(
    ordered: Sequence[Path], part: Path, parameters: Mapping[str, Any], told: Told, jobs: int, limit: float
) -> None:
    """Execute the notebooks, the report's after all others; of several that fail, the first is told.

    They are executed in threads, so that a signal reaches this one at once and their kernels can be ended from here.
    """

    def one(number: int, notebook: Path) -> None:
        told(number, len(ordered), notebook.stem)
        execute(notebook, part / "notebooks" / notebook.name, parameters, folder=part, limit=limit)

    *steps, last = enumerate(ordered, start=1)
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures: list[Future[None]] = []
    try:
        futures += [pool.submit(one, *step) for step in steps]
        for future in futures:
            future.result()
        futures.append(pool.submit(one, *last))
        futures[-1].result()
    except Exception:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in futures):
            end_kernels()
            time.sleep(0.05)


def given(spec: RunSpec) -> dict[str, Any]:
    """Return a run's choices as the notebooks' parameters name them, keys in an order of their own."""
    plain = {k: dict(sorted(v.items())) if isinstance(v, dict) else v for k, v in spec.model_dump(mode="json").items()}
    texts = {name: plain[name] or "" for name in ("as_of", "report_date", "title", "plan", "previous", "template")}
    fonts = {role: name for role, name in plain["fonts"].items() if name}
    return {name: value for name, value in plain.items() if name != "kind"} | texts | {"fonts": fonts}


def _failed(error: NotebookError, left: Path) -> RunError:
    place = f"{left.name}/notebooks/{error.notebook}"
    full = bool(re.search(r"\[Errno (27|28|122)\]", error.cause))
    zh, en = (
        "磁盘已满：请腾出空间，或用 --out 另指定文件夹\n",
        "the disk is full: make room, or name another folder with --out\n",
    )
    return RunError(
        f"{zh if full else ''}{error.zh}\n执行到出错处的笔记本在 {place}；原有报告未改动",
        f"{en if full else ''}{error.en}\nthe notebook, executed up to there, is {place}; the earlier report is untouched",
    )


def _silent(number: int, total: int, name: str) -> None:
    """Tell nobody."""


NOTEBOOKS = {
    "bulletin": ("01_ledger", "04_forecast", "09_bulletin"),
    "comparison": ("05_effect", "06_comparison", "07_comparison_report"),
    "review": ("01_ledger", "02_assessment", "03_simulation", "04_forecast", "08_year_end_report"),
}
