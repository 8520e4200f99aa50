"""Before anything is done: does the run file name what there is, and can it be evaluated? (运行前检查)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyeval.policy import choose, in_language
from lyeval.run.errors import RunError, error_words, together
from lyeval.run.inputs import SAMPLE, columns_of, inputs_of, open_ledger, open_plan, open_policy
from lyeval.run.spec import RunFile

if TYPE_CHECKING:
    from lyeval.assessment import Assessment
    from lyeval.ledger import Ledger
    from lyeval.policy import Policy


Made = TypeVar("Made")


@dataclass(frozen=True)
class Outlook:
    """Which target year the odds are for, and the month of knowledge; both None where no target year is left."""

    year: int | None
    as_of: str | None


def outlook(ledger: Ledger, policy: Policy, year: int, as_of: str | None = None) -> Outlook:
    """Choose the target year that a forecast made with ``year`` is for.

    A year whose figures are final has a verdict and no odds: the next target year gets them, on what was known at the end of
    ``year``. A month within a target year asks for that year's odds.

    Parameters
    ----------
    as_of
        Month of knowledge, "YYYY-MM"; default: December of ``year`` if its annual figures are in, else as `forecast` takes it.
    """
    final = bool((ledger.annual["year"] == year).any())
    end = f"{year}-12"
    if (as_of is None and not final) or (as_of is not None and as_of < end):
        return Outlook(year if year in policy.years.targets else None, as_of)
    later = [y for y in policy.years.targets if y > year]
    return Outlook(min(later), as_of or end) if later else Outlook(None, None)


def check_run(run: RunFile) -> Assessment:
    """Check a run before it is run, and return its assessment.

    Raises
    ------
    PolicyError, LedgerError, RunError
        The one kind of fault that there is; of several kinds a ``RunError`` that tells them all: files that are not there, plan,
        patch, readings, quotas, facts, year, assumptions, scenarios, the ledger's errors.
    """
    from lyeval.assessment import assess
    from lyeval.run.kinds import ComparisonSpec, check_sides

    if isinstance(run.spec, ComparisonSpec):
        return check_sides(run, run.spec)
    spec, lost = run.spec, _Lost()
    lost.tried(inputs_of, run)
    lost.tried(_check_folders, run)
    lost.tried(_check_words, run)
    policy, ledger = _opened(run, lost)
    if policy is None or ledger is None or lost.errors:
        if policy is not None:
            lost.tried(choose, policy, spec.readings)
        raise together(lost.errors)
    _check_year(run, ledger)
    checked = assess(
        ledger, policy, spec.year, level=spec.level, quotas=spec.quotas, facts=spec.facts, readings=spec.readings
    )
    _check_date(ledger, policy, run)
    _check_plan(run, ledger)
    return checked


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
    from lyeval.policy.adjusting import adjust
    from lyeval.policy.assumptions import load_assumptions

    spec, places = run.spec, [_place(run, name) for name in (run.spec.policy, run.spec.assumptions)]
    policy = lost.tried(open_policy, places[0], spec.patch) if _exists(places[0]) else None
    taken = lost.tried(load_assumptions, places[1]) if _exists(places[1]) else None
    for changes in spec.scenarios.values() if taken is not None else ():
        lost.tried(adjust, taken, changes)
    if spec.plan and run.find(spec.plan).exists():
        lost.tried(open_plan, run.find(spec.plan))
    names = [n if n.startswith(SAMPLE) else run.find(n) for n in spec.ledgers]
    if not all(_exists(name) for name in names):
        return policy, None
    return policy, lost.tried(open_ledger, names, policy, columns=columns_of(run))


def _exists(name: str | Path) -> bool:
    """Whether a file is there; what goes by an id is looked up where it is opened."""
    return isinstance(name, str) or name.exists()


def _check_year(run: RunFile, ledger: Ledger) -> None:
    """Refuse a year that the ledger has no annual figures of."""
    if run.spec.year not in ledger.years:
        years = "、".join(map(str, ledger.years))
        place = run.at("year")
        raise RunError(
            f"{place}: 台账没有 {run.spec.year} 年的年度数据，现有 {years}；请补充台账或改 year",
            f"{place}: the ledger has no annual figures of {run.spec.year}; it has {years}: add them or change year",
            misuse=True,
        )


def _check_folders(run: RunFile) -> None:
    """Refuse fonts that are no folder, and a bulletin before that is none's folder; what is not there is told elsewhere."""
    from lyeval.report.writing import FILES
    from lyeval.run.steps import before

    fonts, previous = run.spec.fonts.folder, run.spec.previous
    if fonts and run.find(fonts).is_dir() and not any(p.suffix.lower() in FILES for p in run.find(fonts).iterdir()):
        raise RunError(
            f"fonts.folder：{fonts} 里没有字体文件（otf、ttf、ttc）",
            f"fonts.folder: {fonts} holds no font file (otf, ttf, ttc)",
            misuse=True,
        )
    if previous and run.find(previous).exists():
        before(run.find(previous))


def _check_words(run: RunFile) -> None:
    """Refuse an office's template that does not compile, or words that are no sections: told with file and line."""
    from lyeval.report.filling import read_template, read_texts
    from lyeval.report.template import TemplateError

    texts = run.spec.texts
    try:
        if run.spec.template and run.find(run.spec.template).is_file():
            read_template(run.find(run.spec.template))
        if isinstance(texts, str) and run.find(texts).is_file():
            read_texts(run.find(texts))
    except TemplateError as error:
        raise RunError(error.zh, error.en) from None


def _check_plan(run: RunFile, ledger: Ledger) -> None:
    """Refuse a disposal plan with enterprises that the ledger does not have, one twice, or methods that nobody knows."""
    from lyeval.simulation.assumed import assumed
    from lyeval.simulation.disposals import given_plan
    from lyeval.simulation.known import date_of

    if not run.spec.plan:
        return
    year = run.spec.year
    frame, practices = open_plan(run.find(run.spec.plan)), assumed(_place(run, run.spec.assumptions)).practices
    try:
        given_plan(frame, ledger, date_of(f"{year}-12", year + 1, ledger), practices)  # type: ignore[arg-type]
    except ValueError as error:
        name = Path(run.spec.plan).name
        zh, en = (in_language(str(error), lang) for lang in ("zh", "en"))
        raise RunError(f"处置计划 {name}：{zh}", f"the disposal plan {name}: {en}", misuse=True) from None


def _place(run: RunFile, name: str) -> str | Path:
    return run.find(name) if Path(name).suffix in (".yaml", ".yml") else name


def _check_date(ledger: Ledger, policy: Policy, run: RunFile) -> None:
    """Refuse a month of knowledge that nothing can be projected from."""
    from lyeval.simulation.known import date_of

    ahead = outlook(ledger, policy, run.spec.year, run.spec.as_of)
    if ahead.year is None:
        return
    try:
        date_of(ahead.as_of, ahead.year, ledger)
    except ValueError as error:
        zh, _, en = str(error).partition(" / ")
        raise RunError(f"as_of：{zh}", f"as_of: {en or zh}", misuse=True) from None
