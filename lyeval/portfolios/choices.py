"""What may be done with whom (合法的处置方式), and one tensor of common draws of it all, so that any plan is a lookup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, TargetView, meets
from lyeval.assessment.conditions import decide
from lyeval.indicators import Facts, Tri
from lyeval.ledger import Ledger
from lyeval.policy import Condition, Method, facts_of
from lyeval.simulation import casework, odds
from lyeval.simulation.casework import chosen, given_plan, joined
from lyeval.simulation.engine import Setting, Year, years_to_come
from lyeval.simulation.money import assumed_cost
from lyeval.told import Pair, Told

EVERY = slice(None)
Choice = np.ndarray
"""For each option whether it is taken, boolean, shape (options,); no more than one an enterprise."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """Draws of a target's numerator and denominator, by enterprise as arranged, and by option in place of that.

    Attributes
    ----------
    view, year
        The target, and the year's draws as arranged.
    options
        As of `options_of`, of the target's possible members alone.
    part, whole
        As arranged, shape (draws, members); ``whole`` None of a count.
    own_part, own_whole
        Of each option's enterprise if it is taken, shape (draws, options).
    column
        Position of each option's enterprise among the members, shape (options,).
    leaving
        Share of its land that each option's enterprise is expected to give up by the year's end if it is taken, shape (options,).
    """

    view: TargetView
    year: Year
    options: pd.DataFrame
    part: np.ndarray
    whole: np.ndarray | None
    own_part: np.ndarray
    own_whole: np.ndarray | None
    column: np.ndarray
    leaving: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def found(self, taken: Choice) -> np.ndarray:
        """Return the target's statistic in each draw under a plan, shape (draws,), to the digit as `simulate` has it."""
        part = _looked_up(self.part, self.own_part, self.column, taken)
        if self.whole is None or self.own_whole is None:
            return self._told(part.sum(axis=1).astype(float))
        whole = _looked_up(self.whole, self.own_whole, self.column, taken).sum(axis=1)
        return self._told(ratio(part.sum(axis=1), whole))

    def _told(self, found: np.ndarray) -> np.ndarray:
        if self.view.kind == "closed":
            return self.view.base + found
        taught = self.year.learned.get(self.view.id)
        return found if taught is None else odds.corrected(self.view, found, taught)

    def probability(self, taken: Choice) -> float:
        """Return the odds that a plan meets the target, on the draws at hand."""
        return self.odds(self.found(taken))

    def odds(self, found: np.ndarray) -> float:
        """Return the odds of a statistic's draws, shape (draws,); 0 where there is nothing to count."""
        if self.certain in ("met", "missed"):
            return float(self.certain == "met")
        known = found[~np.isnan(found)]
        return odds.probability(int(meets(self.view, known).sum()), len(known)) if len(known) else 0.0

    @cached_property
    def certain(self) -> str | None:
        """What the books already decide (`odds.settled`)."""
        return odds.settled(self.view, self.year)

    def quick(self, part: np.ndarray, whole: np.ndarray | float) -> float:
        """Return the odds of summed parts, shape (draws,); to nine digits, so that what is left of no land is none."""
        part, whole = np.round(part, 9), np.round(whole, 9)
        return self.odds(self._told(part if self.whole is None else ratio(part, whole)))


def ratio(part: np.ndarray, whole: np.ndarray | float) -> np.ndarray:
    """Divide sums; NaN where nobody is left to count."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(whole) > 0, part / whole, np.nan)


def _looked_up(base: np.ndarray, own: np.ndarray, column: np.ndarray, taken: Choice) -> np.ndarray:
    if not taken.any():
        return base
    out = base.copy()
    out[:, column[taken]] = own[:, taken]
    return out


def tensor(given: Setting, view: TargetView, options: pd.DataFrame, year: Year | None = None) -> Tensor:
    """Draw a target's year as arranged (unless it is given), and once for each method and start of the options.

    Every enterprise keeps its random numbers, and the ledger's cases that hand land to others are in every run.
    """
    member = np.isin(given.panel.codes[options["at"].to_numpy(dtype=int)], view.codes)
    mine = options[member].reset_index(drop=True)
    year = years_to_come(given, view.year)[-1] if year is None else year
    part, whole = odds.parts(odds.members(view, year))
    column = np.searchsorted(view.codes, given.panel.codes[mine["at"].to_numpy(dtype=int)])
    own_part = np.empty((len(part), len(mine)), dtype=part.dtype)
    own_whole = None if whole is None else np.empty((len(part), len(mine)), dtype=whole.dtype)
    freed = np.empty(len(mine))
    for at, drawn in _runs(given, view.year, mine):
        seen = odds.parts(odds.members(_some(view, column[at]), drawn))
        own_part[:, at] = seen[0]
        if own_whole is not None:
            own_whole[:, at] = seen[1]
        freed[at] = leaving(drawn, mine["at"].to_numpy(dtype=int)[at])
    return Tensor(view, year, mine, part, whole, own_part, own_whole, column, freed)


def leaving(year: Year, at: np.ndarray | slice = EVERY) -> np.ndarray:
    """Return the share of its land that each enterprise (those at some positions) is expected to give up by the year's end."""
    return 1 - (year.kept[:, at] * ~(year.gone[:, at] & year.released[:, at])).mean(axis=0)


def _runs(given: Setting, year: int, options: pd.DataFrame) -> Iterator[tuple[np.ndarray, Year]]:
    """Draw the year once for each method and start: the rows of the options that it is of, sorted by enterprise."""
    fixed = chosen(given.plan, given.plan.successor >= 0)
    for _, some in options.groupby(["method", "started"], sort=True):
        some = some.sort_values("at", kind="stable")
        plan = joined(fixed, plan_of(some, given))
        yield some.index.to_numpy(), years_to_come(replace(given, plan=plan), year)[-1]


def _some(view: TargetView, at: np.ndarray) -> TargetView:
    """Restrict a target to some of its possible members."""
    arrays = ("codes", "member", "tax", "land", "gone", "unsure")
    return replace(view, **{name: getattr(view, name)[at] for name in arrays})


def planned(given: Setting, ledger: Ledger, plan: pd.DataFrame, year: int) -> Year:
    """Draw a year under a plan as `simulate` reads it."""
    cases, _ = given_plan(plan, ledger, given.date, given.assumed.practices)
    return years_to_come(replace(given, plan=cases), year)[-1]


def met(view: TargetView, year: Year) -> float:
    """Return the odds of a target on a year's draws, 0 where there are none to give."""
    found = odds.odds(view, odds.values(odds.members(view, year)), odds.settled(view, year))["probability"]
    return 0.0 if found is None else float(found)


# -- the options -------------------------------------------------------------------------------------------------------


def candidates(now: Assessment, given: Setting) -> np.ndarray:
    """Tell who may be disposed of, shape (n,): listed, or with a ground on the year's own facts (or either unknown), here, of known land.

    Cases of the ledger that hand land to another enterprise stay as they are.
    """
    standing, land = now.standing, given.panel.land[:, -1]
    grounds = [ground.possible for ground in standing.grounds_left.values()]
    low = np.logical_or.reduce([standing.listed.possible, *grounds])
    low[given.plan.at] = True
    low[given.plan.at[given.plan.successor >= 0]] = False
    return low & ~standing.gone.possible & ~given.left.gone & (land > 0)


def options(
    now: Assessment, given: Setting, starts: Sequence[np.datetime64], methods: Iterable[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lay out the options of a portfolio.

    Parameters
    ----------
    starts
        Days on which a case may begin.
    methods
        Those that are to be used, in a ledger's or plan's words; all by default.

    Returns
    -------
    options
        One row an enterprise, method and start that the plan allows: at (position), method, started, cost_wan (万元, assumed), payer, clause,
        label, label_en, condition, condition_en (facts that are not known and must hold, "" where none).
    refused
        One row an enterprise and method that it does not: credit_code, method, clause, why, why_en.

    Raises
    ------
    Told
        A method that nobody knows.
    """
    wanted, taken = _wanted(now, given, methods), given.assumed
    may, land, facts = candidates(now, given), given.panel.land[:, -1], now.frame.reported
    own = dict(zip(given.plan.at.tolist(), given.plan.method.tolist(), strict=True))
    out, refused, seen = [], [], set()
    for rule in now.policy.methods:
        if rule.method not in wanted:
            continue
        practice, cost = taken.practices[rule.method], assumed_cost(rule.method, land, taken)
        state, ground = _allowed(rule, facts, closes=practice.gone or practice.closed)
        leaves = [] if rule.when is None else _leaves(rule.when, facts)
        head = {"method": rule.method, "clause": "；".join(rule.cite), "label": rule.label, "label_en": rule.label_en}
        for i in np.flatnonzero(may).tolist():
            if not state.possible[i]:
                why = ground or _named(facts, leaves, i, "不符", "not so", unknown=False)
                refused.append({"credit_code": given.panel.codes[i], **head, "why": why[0], "why_en": why[1]})
            elif (i, rule.method) not in seen and own.get(i) != rule.method:
                seen.add((i, rule.method))
                condition = ("", "") if state.true[i] else _named(facts, leaves, i, "须属实", "must hold", unknown=True)
                money = {"cost_wan": float(cost[i]), "payer": taken.costs[rule.method][1]}
                more = {"condition": condition[0], "condition_en": condition[1]}
                out += [{"at": i, **head, "started": day, **money, **more} for day in starts]
    return pd.DataFrame(out, columns=list(OPTIONS)), pd.DataFrame(refused, columns=list(REFUSED))


def _wanted(now: Assessment, given: Setting, methods: Iterable[str] | None) -> set[str]:
    """Return the methods asked for by id, those of the plan that can be simulated by default."""
    known = {rule.method for rule in now.policy.methods if rule.method in given.assumed.practices}
    words = {word: rule.method for rule in now.policy.methods for word in (rule.id, rule.label, *rule.words)}
    words |= {given.assumed.labels[name][0]: name for name in known} | {name: name for name in known}
    asked = known if methods is None else {str(name) for name in ([methods] if isinstance(methods, str) else methods)}
    wrong = sorted(name for name in asked if words.get(name) not in known)
    if wrong:
        listed = "、".join(given.assumed.labels[name][0] for name in sorted(known))
        en = f"the plan has no method {wrong[0]!r} that can be simulated; it has {sorted(known)}"
        raise Told(f"方案没有可测算的处置方式“{wrong[0]}”，可用 {listed}", en)
    return {words[name] for name in asked}


def _allowed(rule: Method, facts: Facts, *, closes: bool) -> tuple[Tri, Pair | None]:
    """Decide a method's precondition; one that closes or removes an enterprise needs a ground beside its score and tax."""
    n = len(facts.book)
    if not closes:
        return (Tri.all(n, True) if rule.when is None else decide(rule.when, facts)), None
    if rule.when is None or not set(facts_of(rule.when)) - SCORES:
        return Tri.all(n, False), (
            "评分或亩均税收低，本身不是关停、收储的依据",
            "a low score or tax alone is no ground",
        )
    return decide(rule.when, facts), None


def _leaves(condition: Condition, facts: Facts) -> list[tuple[list[str], Tri]]:
    """Return the single tests of a condition: the facts that each reads, and how it stands."""
    inner = condition.all or condition.any
    if inner is not None:
        return [leaf for one in inner for leaf in _leaves(one, facts)]
    return [(facts_of(condition), decide(condition, facts))]


def _named(facts: Facts, leaves: list[tuple[list[str], Tri]], i: int, zh: str, en: str, *, unknown: bool) -> Pair:
    """Name the facts whose tests are unknown, or false, of enterprise ``i``."""
    hit = [names for names, state in leaves if (state.unknown if unknown else state.false)[i]]
    names = list(dict.fromkeys(name for some in hit for name in some))
    told = "、".join(facts.label(name) for name in names), ", ".join(facts.label(name, "en") for name in names)
    return f"{told[0]}{zh}", f"{told[1]} {en}"


def plan_of(option: pd.DataFrame, given: Setting) -> casework.Plan:
    """Return options of one method and start as cases to be drawn."""
    first = option.iloc[0]
    at = option["at"].to_numpy(dtype=int)
    return casework.proposed(at, str(first["method"]), np.datetime64(first["started"], "D"), given.date)


SCORES = {"grade", "tax_per_mu", "class_line"}
OPTIONS = ("at", "method", "started", "cost_wan", "payer", "clause", "label", "label_en", "condition", "condition_en")
REFUSED = ("credit_code", "method", "clause", "label", "label_en", "why", "why_en")
