"""One run: checked before anything is done, its notebooks executed, recorded, put in place (一次运行)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyeval import resources
from lyeval.assessment import Assessment, assess
from lyeval.ledger import Ledger, LedgerError
from lyeval.policy import Policy, choose, method_words
from lyeval.policy.assumptions import load_assumptions
from lyeval.policy.patches import adjust
from lyeval.run.execution import NotebookError, execute, kernels
from lyeval.run.folders import (
    RECORD,
    RunError,
    begin,
    claim,
    discard,
    error_words,
    fail,
    held,
    replace,
    together,
    unwritable,
)
from lyeval.run.inputs import FOLDER, FOLDERS, columns_of, inputs_of, open_ledger, open_plan, open_policy, stage
from lyeval.run.kernel import end_kernels, load_matplotlib, whole_step
from lyeval.run.outputs import PRIVATE, apart, named
from lyeval.run.records import admit, basis, hold_against_earlier, published, record, told_changes, whole
from lyeval.run.run_file import ComparisonSpec, RunFile, RunSpec
from lyeval.run.steps import LOCK, about, before
from lyeval.scratch import erase, scratch
from lyeval.told import message

if TYPE_CHECKING:
    from lyeval.tables.releasing import Release

Told = Callable[[int, int, str], None]
Made = TypeVar("Made")


# -- before anything is done -------------------------------------------------------------------------------------------


def check_run(run: RunFile) -> Assessment:
    """Check a run before it is run, and return its assessment; of a comparison the first side's.

    Raises
    ------
    PolicyError, LedgerError, RunError
        The one kind of fault that there is; of several kinds a ``RunError`` that tells them all: files that are not there, plan,
        patch, readings, quotas, facts, year, assumptions, scenarios, the ledger's errors.
    """
    if isinstance(run.spec, ComparisonSpec):
        return _check_sides(run, run.spec)
    spec, lost = run.spec, _Lost()
    lost.tried(inputs_of, run)
    lost.tried(_check_folders, run)
    lost.tried(_check_words, run)
    policy, ledger = _opened(run, lost)
    if policy is None or ledger is None or lost.errors:
        if policy is not None:
            lost.tried(choose, policy, spec.readings)
        raise together(lost.errors)
    if spec.year not in ledger.years:
        years = "、".join(map(str, ledger.years))
        raise RunError.of("check.year", place=run.at("year"), year=spec.year, years=years)
    checked = assess(
        ledger, policy, spec.year, level=spec.level, quotas=spec.quotas, facts=spec.facts, readings=spec.readings
    )
    _check_date(ledger, policy, run)
    _check_plan(run, ledger, policy)
    return checked


def _check_sides(run: RunFile, spec: ComparisonSpec) -> Assessment:
    """Check a comparison, and return the first side's assessment."""
    from lyeval.comparison import as_if

    inputs_of(run)
    made = []
    for side in spec.sides:
        plan = open_policy(run.located("policy", side.policy))
        choose(plan, side.readings)
        ledger = open_ledger([run.located("ledger", name) for name in side.ledgers], plan, columns=columns_of(run))
        if side.year not in ledger.years:
            years, place = "、".join(map(str, ledger.years)), (plan.place.name, plan.place.name_en)
            raise RunError.of("check.side_year", place=place, year=side.year, years=years)
        made.append(as_if(ledger, plan, side.year, readings=side.readings))
    return made[0]


class _Lost:
    """Errors met on the way, told together at its end."""

    def __init__(self) -> None:
        self.errors: list[ValueError] = []

    def tried(self, step: Callable[..., Made], *given: Any, **more: Any) -> Made | None:
        """Return what a step gives, None where it fails; an error that repeats one met before is not kept twice."""
        try:
            return step(*given, **more)
        except ValueError as error:
            told = error_words(error)[0]
            if not any(told in error_words(one)[0] for one in self.errors):
                self.errors.append(error)
            return None


def _opened(run: RunFile, lost: _Lost) -> tuple[Policy | None, Ledger | None]:
    """Open what is there of a run's plan, assumptions, disposal plan and ledgers."""
    spec = run.spec
    places = [run.located("policy", spec.policy), run.located("assumptions", spec.assumptions)]
    policy = lost.tried(open_policy, places[0], spec.patch) if _exists(places[0]) else None
    taken = lost.tried(load_assumptions, places[1]) if _exists(places[1]) else None
    for changes in spec.scenarios.values() if taken is not None else ():
        lost.tried(adjust, taken, changes)
    if spec.plan and run.find(spec.plan).exists():
        lost.tried(open_plan, run.find(spec.plan))
    names = [run.located("ledger", name) for name in spec.ledgers]
    if not all(_exists(name) for name in names):
        return policy, None
    return policy, lost.tried(open_ledger, names, policy, columns=columns_of(run))


def _exists(name: str | Path) -> bool:
    """Whether a file is there; what goes by an id is looked up where it is opened."""
    return isinstance(name, str) or name.exists()


def _check_folders(run: RunFile) -> None:
    """Refuse fonts that are no folder, and a bulletin before that is none's folder; what is not there is told elsewhere."""
    from lyeval.report.writing import FILES

    fonts, previous = run.spec.fonts.folder, run.spec.previous
    if fonts and run.find(fonts).is_dir() and not any(p.suffix.lower() in FILES for p in run.find(fonts).iterdir()):
        raise RunError.of("check.no_fonts", fonts=fonts)
    if previous and run.find(previous).exists():
        before(run.find(previous))


def _check_words(run: RunFile) -> None:
    """Refuse an office's template that does not compile, or words that are no sections: told with file and line."""
    from lyeval.report.filling import read_template, read_texts
    from lyeval.report.template import TemplateError

    read = {"template": read_template, "texts": read_texts}
    try:
        for use, path in run.files():
            if use in read and path.is_file():
                read[use](path)
    except TemplateError as error:
        raise RunError(error.zh, error.en) from None


def _check_plan(run: RunFile, ledger: Ledger, policy: Policy) -> None:
    """Refuse a disposal plan with enterprises that the ledger does not have, one twice, or methods that nobody knows."""
    from lyeval.simulation.assumed import assumed
    from lyeval.simulation.planfile import read_plan

    spec = run.spec
    named = [name for name in (spec.plan, *spec.plans.values()) if name]
    taken, words = assumed(run.located("assumptions", spec.assumptions)), method_words([policy])
    for path in filter(None, (open_plan(run.find(name)) for name in named)):
        try:
            read_plan(path, ledger, {name: taken.labels[name] for name in taken.practices}, words)
        except LedgerError as error:
            raise RunError.of("plan.refused", name=path.name, why=(error.zh, error.en)) from None


def _check_date(ledger: Ledger, policy: Policy, run: RunFile) -> None:
    """Refuse a month of knowledge that nothing can be projected from."""
    from lyeval.forecasting.next_target import next_target
    from lyeval.simulation.known import date_of

    ahead = next_target(ledger, policy, run.spec.year, run.spec.as_of)
    if ahead.year is None:
        return
    try:
        date_of(ahead.as_of, ahead.year, ledger)
    except ValueError as error:
        zh, _, en = str(error).partition(" / ")
        raise RunError.of("check.as_of", why=(zh, en or zh)) from None


# -- the run -----------------------------------------------------------------------------------------------------------


def notebooks(kind: str = "review", edition: str = "office", *, plans: bool = False) -> list[Path]:
    """Return the notebooks of a kind of run, in order: the last writes the report from the tables of the others.

    The research edition of a review asks what the policy did, too; ``plans`` tells that disposal plans are given, to be held side by side.
    """
    names = NOTEBOOKS[kind]
    if kind == "review" and edition == "research":
        names = (*names[:-1], "05_effect", names[-1])
    if kind == "review" and plans:
        names = (*names[:-1], "07_plans", names[-1])
    return [resources.path("notebooks") / f"{name}.ipynb" for name in names]


def made_from(run: RunFile) -> dict[str, Any]:
    """Return all that a run's result depends on, as it stands now.

    Raises
    ------
    RunError
        A file is not there.
    """
    return basis(run.spec, inputs_of(run), _papers(run.spec))


def _papers(spec: RunSpec) -> list[Path]:
    """Return the notebooks that a run executes."""
    return notebooks(spec.kind, spec.edition, plans=bool(spec.plan or spec.plans))


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
    checked = check_run(run) if anew else None
    with held(final):
        claim(final)
        if checked is None and whole(final, made_from(run)):
            return final
        checked = checked or check_run(run)
        beside = _foresee(checked, final) if run.spec.disclosure == "public" else []
        try:
            part = begin(final)
        except OSError as error:
            raise unwritable(final, error) from None
        try:
            _make(run, beside, part, final, told or (lambda *_: None), jobs, limit or run.spec.cell_limit)
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
    apart(root, (path for use, path in run.files() if use in ("ledger", *FOLDERS)))


def _foresee(checked: Assessment, final: Path) -> list[Release]:
    """Refuse a public edition that may not stand beside earlier ones, as far as the assessment tells, before it is made.

    What the plan's years before would show (`report.earlier_land`) is returned, beside which it is drawn up.
    """
    from lyeval import report

    beside = report.earlier_land(checked)
    if not any(any(final.parent.glob(name)) for name in (f"*{PRIVATE}", f"*/{RECORD}")):
        return beside  # there is nothing that it could stand beside
    with scratch() as away:
        report.save(away, report.office_tables(checked))
        tables = report.load(away)
    sums = report.released(tables, beside)
    hold_against_earlier(final, report.public(tables, sums=sums), sums)
    return beside


def _make(
    run: RunFile, beside: Sequence[Release], part: Path, final: Path, told: Told, jobs: int, limit: float
) -> None:
    """Execute the notebooks and record; of a public run, away from its folder, which gets the announcement alone."""
    ordered, public = _papers(run.spec), run.spec.disclosure == "public"
    with scratch() as away, kernels(away):
        place = away / "private" if public else part
        place.mkdir(exist_ok=True)
        parameters, inputs = stage(run, place)
        source = basis(run.spec, inputs, ordered)
        parameters |= {"out": "tables", "folder": ".", "basis": source["basis"]}
        _execute_all(ordered[:-1] if public else ordered, place, parameters, told, jobs, limit)
        if public:
            _announce(run, beside, place / "tables", part, final, source)
            return
    erase(part / FOLDER)
    (part / "tables" / LOCK).unlink(missing_ok=True)
    record(part, run.id, source, run.changes)


def _announce(
    run: RunFile, beside: Sequence[Release], private: Path, part: Path, final: Path, source: Mapping[str, Any]
) -> None:
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
    releases = report.released(tables, beside)
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


def _failed(error: NotebookError, left: Path | None) -> RunError:
    """Say that a notebook failed, and where what it made is left."""
    full = message("notebook.disk_full") if re.search(r"\[Errno (27|28|122)\]", error.cause) else ""
    place = f"{left.name}/notebooks/{error.notebook}" if left else ""
    where = message("notebook.left", place=place) if left else ""
    return RunError.of("notebook.failed", full=full, error=(error.zh, error.en), where=where)


NOTEBOOKS = {
    "bulletin": ("01_ledger", "04_forecast", "09_bulletin"),
    "comparison": ("05_effect", "06_comparison"),
    "review": ("01_ledger", "02_assessment", "03_simulation", "04_forecast", "08_year_end_report"),
}
