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
from lyeval.run.errors import RunError, unwritable
from lyeval.run.executing import NotebookError, end_kernels, execute, kernels
from lyeval.run.folders import begin, claim, discard, erase, fail, held, replace
from lyeval.run.inputs import FOLDER, inputs_of, stage
from lyeval.run.placing import apart, named
from lyeval.run.private import admit
from lyeval.run.record import basis, published, record, told_changes, whole
from lyeval.run.spec import SAMPLE, RunFile, RunSpec
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
    RunError
        Something that is not lyeval's has the folder's name, or a notebook failed; what it made stands in ``<run-id>.failed``.
        The earlier report is untouched.
    KeyboardInterrupt
        It was interrupted; its kernels are ended, what it had made is removed, the earlier report is untouched.
    """
    final = root.resolve() / run.id
    _allowed(run, root, final)
    if anew:
        check_run(run)
    with held(final):
        claim(final)
        if not anew:
            if whole(final, made_from(run)):
                return final
            check_run(run)
        part = _begun(final)
        try:
            _make(run, part, final, told or _silent, jobs, limit or run.spec.cell_limit)
        except NotebookError as error:
            if run.spec.disclosure == "public":
                raise
            raise _failed(error, fail(final, part)) from None
        except OSError as error:
            fail(final, part)
            raise unwritable(part, error) from None
        else:
            with whole_step():
                replace(final, part)
        finally:
            discard(part.parent)
    return final


def _allowed(run: RunFile, root: Path, final: Path) -> None:
    """Refuse a place that is somebody's, has a name that Windows cannot have, or lies in a folder that is read."""
    claim(final)
    named(root)
    read = [*run.spec.ledgers, run.spec.fonts.folder, run.spec.previous]
    apart(root, (run.find(name) for name in read if name and not name.startswith(SAMPLE)))


def _begun(final: Path) -> Path:
    """Return the hidden folder in which a run's new folder is made."""
    try:
        return begin(final)
    except OSError as error:
        raise unwritable(final, error) from None


def _make(run: RunFile, part: Path, final: Path, told: Told, jobs: int, limit: float) -> None:
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
            _announce(run, place / "tables", part, final, source)
            return
    erase(part / FOLDER)
    (part / "tables" / LOCK).unlink(missing_ok=True)
    record(part, run.id, source, run.changes)


def _announce(run: RunFile, private: Path, part: Path, final: Path, source: Mapping[str, Any]) -> None:
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
    admit(final, source, run.changes, tables, releases, told["fingerprint"])


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


def _failed(error: NotebookError, left: Path | None) -> RunError:
    full = bool(re.search(r"\[Errno (27|28|122)\]", error.cause))
    zh, en = (
        "磁盘已满：请腾出空间，或用 --out 另指定文件夹（临时文件夹满了，用环境变量 TMPDIR 另指定）\n",
        "the disk is full: make room, or name another folder with --out (for temporary files: in TMPDIR)\n",
    )
    place = f"{left.name}/notebooks/{error.notebook}" if left else ""
    where = (
        (f"执行到出错处的笔记本在 {place}；", f"the notebook, executed up to there, is {place}; ") if left else ("", "")
    )
    return RunError(
        f"{zh if full else ''}{error.zh}\n{where[0]}原有报告未改动",
        f"{en if full else ''}{error.en}\n{where[1]}the earlier report is untouched",
    )


def _silent(number: int, total: int, name: str) -> None:
    """Tell nobody."""


NOTEBOOKS = {
    "bulletin": ("01_ledger", "04_forecast", "09_bulletin"),
    "comparison": ("05_effect", "06_comparison"),
    "review": ("01_ledger", "02_assessment", "03_simulation", "04_forecast", "08_year_end_report"),
}
