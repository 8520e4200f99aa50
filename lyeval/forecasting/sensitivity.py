"""Which assumption moves a target's odds (敏感性): one at a time over its range, and Sobol indices by group of assumptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtri

from lyeval.assessment import TargetView, meets
from lyeval.forecasting.nowcast import Forecast
from lyeval.simulation.assumed import Assumed
from lyeval.simulation.casework import Pace
from lyeval.simulation.draws import Sampling
from lyeval.simulation.dynamics import reassumed
from lyeval.simulation.engine import Setting, year_as_known, years_to_come
from lyeval.simulation.odds import members, near_line, probability, table, values


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How far a forecast's odds hang on what is assumed.

    Attributes
    ----------
    policy, as_of, year
        Of the forecast.
    draws, samples, seed
        Draws of each evaluation (the same in all), points of the Sobol design, and the seed of both.
    factors
        One row a target and assumption that moves it, the largest swing first: id, year, group (methods, tax, response, readings), factor
        (its path, or the switch), label, label_en, low, high (what it is set to), p_low, p_high (the odds then), p50_low, p50_high (the
        statistic's median then), central (the odds as assumed) and swing, the distance of p_low from p_high.
    groups
        One row a target and group: id, year, group, first (share of the odds' variance that the group brings alone) and total (with what
        it does together with others); None where nothing moves the odds.
    """

    policy: str
    as_of: str
    year: int
    draws: int
    samples: int
    seed: int
    factors: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return one row a target, group, factor and quantity: id, year, group, factor, quantity, value."""
        keys = ["id", "year", "group"]
        one = self.factors.melt(id_vars=[*keys, "factor"], value_vars=["p_low", "p_high", "swing"], var_name="quantity")
        many = self.groups.melt(id_vars=keys, value_vars=["first", "total"], var_name="quantity").assign(factor="")
        return pd.concat([one, many[one.columns]], ignore_index=True)

    def __repr__(self) -> str:
        lines = [f"<Sensitivity {self.policy} {self.year} as of {self.as_of}, {self.draws} draws, seed {self.seed}>"]
        for row in self.factors.groupby("id", sort=False).head(3).to_dict("records"):
            moved = f"{row['label_en']} moves P from {row['p_low']:.3f} to {row['p_high']:.3f}"
            lines.append(f"  {row['id']}: {moved}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.factors[["id", "label", "low", "high", "p_low", "p_high", "central"]]
        return shown.to_html(index=False, na_rep="") + self.groups.to_html(index=False, na_rep="")


@dataclass(frozen=True, eq=False)
class Point:
    """One choice of everything that is assumed."""

    assumed: Assumed
    pace: dict[str, Pace]
    share: float | None = (
        None  # share of the enterprises just below a line that top up to it; None: as past Decembers say
    )
    reading: int = 0  # number of the reading: 0 the one chosen

    def setting(self, given: Setting) -> Setting:
        """Return the setting under these assumptions, without fitting anew."""
        tax, history, annual, nowcast = self.assumed.tax, given.panel, given.annual, given.nowcast
        if tax != given.assumed.tax:
            annual = reassumed(given.annual, history, tax)
            nowcast = annual if given.nowcast is given.annual else reassumed(given.nowcast, history, tax)
        return replace(given, assumed=self.assumed, pace=self.pace, annual=annual, nowcast=nowcast)


@dataclass(frozen=True, eq=False)
class Factor:
    """One assumption that can be moved over its range."""

    group: str  # methods, tax, response or readings
    id: str  # its path in the file of assumptions
    label: str
    label_en: str
    low: float  # the file's own range, else the 10 % and 90 % points of what is assumed and the county's cases together
    high: float
    set: Callable[[Point, float], Point]


def factors(given: Setting) -> list[Factor]:
    """Return the assumptions that can move this setting: methods in use, the priors that it rests on, topping up."""
    taken = given.assumed
    out = [factor for name in sorted(set(given.plan.method.astype(str))) for factor in _of_method(given, name)]
    unused = {"common_shock.late"} if not given.nowcast.month else set()
    unused |= {"own_spread"} if given.annual.rows else {"common_shock.df"} if given.nowcast.month else set()
    unused |= set(MULTIPLES) if not len(given.plan.at) else set()
    for path, (zh, en, group) in NAMED.items():
        if path in taken.ranges and path not in unused:
            low, high, now = taken.ranges[path]
            put = partial(_multiple, path=path, now=now) if path in MULTIPLES else partial(_prior, name=PRIORS[path])
            out.append(Factor(group, path, zh, en, low, high, put))
    ends = min(taken.responses), max(taken.responses)
    zh, en = "临近标准企业补足比例", "share topping up near a line"
    out.append(Factor("response", "response.scenarios", zh, en, *ends, lambda point, x: replace(point, share=x)))
    return [factor for factor in out if factor.high > factor.low]


def _of_method(given: Setting, name: str) -> list[Factor]:
    """Return a method's pace, its effect on tax and the land that it takes."""
    practice, (zh, en) = given.assumed.practices[name], given.assumed.labels[name]
    mean, sd = practice.effect
    told: list[tuple[str, str, str, np.ndarray, Any]] = [
        ("success", "一年内办结", "done within a year", betaincinv(*given.pace[name].yearly, TENTHS), _pace)
    ]
    if sd > 0 and not (practice.gone or practice.closed):
        told.append(("log_tax", "税收变动（对数）", "change of log tax", mean + sd * ndtri(TENTHS), _effect))
    if practice.leaves is not None:
        ends = betaincinv(*practice.leaves, TENTHS)
        told.append(("land_share", "腾出用地占比", "share of land that leaves", ends, _leaves))
    return [
        Factor(
            group="methods",
            id=f"methods.{name}.{id}",
            label=f"{zh}：{zh_of}",
            label_en=f"{en}: {en_of}",
            low=float(ends[0]),
            high=float(ends[1]),
            set=partial(put, name=name),
        )
        for id, zh_of, en_of, ends, put in told
    ]


def _pace(point: Point, value: float, *, name: str) -> Point:
    """Set the chance of a case being done within twelve months, as if it were known."""
    pace = point.pace[name]
    faster = -np.log1p(-value) / pace.hazard[12]
    known = Pace(tuple(faster * x for x in pace.hazard), KNOWN, (KNOWN, 1e-6), pace.speed)
    return replace(point, pace={**point.pace, name: known})


def _effect(point: Point, value: float, *, name: str) -> Point:
    return _practised(point, name, effect=(value, 0.0), own=0.0)


def _leaves(point: Point, value: float, *, name: str) -> Point:
    return _practised(point, name, leaves=(value * KNOWN, (1 - value) * KNOWN))


def _practised(point: Point, name: str, **changes: Any) -> Point:
    practice = replace(point.assumed.practices[name], **changes)
    return replace(point, assumed=replace(point.assumed, practices={**point.assumed.practices, name: practice}))


def _prior(point: Point, value: float, *, name: str) -> Point:
    return replace(point, assumed=replace(point.assumed, tax=replace(point.assumed.tax, **{name: value})))


def _multiple(point: Point, value: float, *, path: str, now: float) -> Point:
    """Set the pace of all methods, or of those that need money, as a multiple of what is arranged."""
    mine = {n for n, p in point.assumed.practices.items() if p.gone or path == "effort"}
    times = value / now if now else 1.0
    pace = {n: replace(p, speed=p.speed * times) if n in mine else p for n, p in point.pace.items()}
    return replace(point, pace=pace)


@dataclass(frozen=True, eq=False)
class Study:
    """What odds are evaluated on."""

    given: Setting  # with few draws
    year: int  # the target year
    base: Point  # the assumptions as they stand
    ids: list[str]  # the targets that have odds and are not settled on the books
    laid: list[
        dict[str, tuple[TargetView, int]]
    ]  # by reading, the chosen one first: layout, and the year it is judged on
    options: list[tuple[str, str]]  # switch and option of each reading after the first
    labels: dict[str, tuple[str, str]]  # of switches
    open: set[tuple[str, str, str]]  # target, switch, option under which the books leave it undetermined: no odds

    @classmethod
    def of(cls, told: Forecast, draws: int) -> Study:
        """Lay the targets out under the readings that change anything.

        Raises
        ------
        ValueError
            If the forecast does not carry what it was made from.
        """
        if (basis := told.basis) is None:
            raise ValueError("the forecast does not carry its basis / 该预测没有附带测算依据")
        given = replace(basis.given, sampling=Sampling(draws, told.seed))
        open_ = [r["id"] for r in told.targets.to_dict("records") if r["probability"] is not None and not r["certain"]]
        options = list(dict.fromkeys(zip(told.by_reading["switch"], told.by_reading["option"], strict=True)))
        sets = [basis.readings, *({**basis.readings, switch: option} for switch, option in options)]
        laid = [{view.id: (view, year.year) for view, year in basis.pairs(chosen)} for chosen in sets]
        labels = {r.id: (r.question, r.question_en) for r in basis.policy.readings}
        by = told.by_reading[told.by_reading["probability"].isna()]
        undetermined = set(zip(by["id"], by["switch"], by["option"], strict=True))
        return cls(given, basis.year, Point(given.assumed, given.pace), open_, laid, options, labels, undetermined)

    def odds(self, point: Point) -> np.ndarray:
        """Return each target's odds and the median of its statistic under some assumptions, shape (2, targets)."""
        setting = point.setting(self.given)
        years = {year.year: year for year in (year_as_known(setting), *years_to_come(setting, self.year))}
        out = np.empty((2, len(self.ids)))
        for i, id in enumerate(self.ids):
            view, year = self.laid[point.reading].get(id, self.laid[0][id])
            drawn, near = members(view, years[year], topped=point.share is None), None
            if point.share and view.line is not None:
                near = near_line(drawn, seed=setting.sampling.seed, band=setting.assumed.band)
            found = values(drawn, near, point.share or 0.0)
            known = found[~np.isnan(found)]
            met, drew = int(meets(view, known).sum()), year > setting.date.facts_year
            odds = probability(met, len(known)) if drew else met / max(len(known), 1)  # what is known is not drawn
            out[:, i] = odds, np.median(known) if len(known) else 0.0
        return out


def sensitivity(told: Forecast, *, samples: int = 32, draws: int = 256) -> Sensitivity:
    """Tell how far each assumption moves the odds of a forecast, alone and by groups.

    Parameters
    ----------
    samples
        Points of the Sobol design, a power of 2; (groups + 2) × samples evaluations.
    draws
        Draws of each evaluation; the same for all, so that what moves is what is assumed.

    Raises
    ------
    ValueError
        If the forecast does not carry what it was made from.

    Notes
    -----
    Assumptions go uniformly over their ranges (`Factor`), readings over the options that change anything, one switch at a time.
    First-order indices by Saltelli et al. (2010), total ones by Jansen (1999), of whole groups, as `scipy.stats.sobol_indices` has them.
    """
    study = Study.of(told, draws)
    moved, central = factors(study.given), study.odds(study.base)
    rows = _readings(study, central)
    for factor in moved:
        ends = [study.odds(factor.set(study.base, value)) for value in (factor.low, factor.high)]
        head = {name: getattr(factor, name) for name in ("group", "label", "label_en")} | {"factor": factor.id}
        rows += _rows(study, {**head, "low": f"{factor.low:.3g}", "high": f"{factor.high:.3g}"}, ends, central)
    rows = [row for row in rows if row["swing"] > 0 or row["p50_low"] != row["p50_high"]]
    order = {id: i for i, id in enumerate(study.ids)}
    rows.sort(key=lambda row: (order[row["id"]], -row["swing"], -abs(row["p50_high"] - row["p50_low"]), row["factor"]))
    groups = table(_groups(study, moved, samples, told.seed), GROUPS)
    head = (told.policy, told.as_of, told.year, draws, samples, told.seed)
    return Sensitivity(*head, factors=table(rows, FACTORS), groups=groups)


def _readings(study: Study, central: np.ndarray) -> list[dict[str, Any]]:
    """Take each switch's options in turn: the one with the lowest and the one with the highest odds stand for it."""
    found: dict[str, list[tuple[str, np.ndarray]]] = {}
    for i, (switch, option) in enumerate(study.options, start=1):
        found.setdefault(switch, [("", central)]).append((option, study.odds(replace(study.base, reading=i))))
    rows = []
    for switch, tried in found.items():
        zh, en = study.labels[switch]
        head = {"group": "readings", "factor": switch, "label": zh, "label_en": en}
        for i, id in enumerate(study.ids):
            told = [one for one in tried if (id, switch, one[0]) not in study.open]
            low, high = (pick(told, key=lambda t: t[1][0, i]) for pick in (min, max))
            rows.append(_rows(study, {**head, "low": low[0], "high": high[0]}, [low[1], high[1]], central)[i])
    return rows


def _rows(study: Study, head: dict[str, Any], ends: list[np.ndarray], central: np.ndarray) -> list[dict[str, Any]]:
    """Lay each target's odds and medians at both ends out beside the central odds."""
    rows = []
    for i, id in enumerate(study.ids):
        (p_low, p50_low), (p_high, p50_high) = (end[:, i].tolist() for end in ends)
        row = {"id": id, "year": study.year, **head, "p_low": p_low, "p_high": p_high, "p50_low": p50_low}
        rows.append(row | {"p50_high": p50_high, "central": float(central[0, i]), "swing": abs(p_high - p_low)})
    return rows


def _groups(study: Study, moved: list[Factor], samples: int, seed: int) -> list[dict[str, Any]]:
    """Estimate the groups' Sobol indices of each target's odds."""
    from scipy.stats import qmc, sobol_indices  # heavy, and only here

    which = np.array([factor.group for factor in moved] + ["readings"] * bool(study.options))
    names = [name for name in ("methods", "tax", "response", "readings") if name in which]
    if not study.ids or len(names) < 2:
        return []
    # a wrapper takes `seed`; under its newer name, `rng`, the same number draws other points
    points: Any = qmc.Sobol(2 * len(which), seed=seed).random(samples)  # pyright: ignore[reportCallIssue]
    first, second = points[:, : len(which)], points[:, len(which) :]
    designs = np.array([first, second, *(np.where(which == name, second, first) for name in names)])
    odds: Any = np.empty((len(study.ids), *designs.shape[:2]))  # targets, designs, samples
    for j in range(samples):  # designs of one sample share their assumptions of tax, and so its draws
        for i in range(len(designs)):
            odds[:, i, j] = study.odds(_point(study, moved, designs[i, j]))[0]
    rows = []
    for id, own in zip(study.ids, odds, strict=True):
        first_order = total = [None] * len(names)
        if own[:2].std() > 1e-12:
            f = {"f_A": own[None, 0], "f_B": own[None, 1], "f_AB": own[2:, None]}
            found: Any = sobol_indices(func=f, n=samples)
            first_order, total = (np.clip(np.ravel(x), 0, 1).tolist() for x in (found.first_order, found.total_order))
        head = {"id": id, "year": study.year}
        rows += [
            {**head, "group": n, "first": a, "total": b} for n, a, b in zip(names, first_order, total, strict=True)
        ]
    return rows


def _point(study: Study, moved: list[Factor], u: np.ndarray) -> Point:
    """Set every assumption to its place u in its range, the last number choosing the reading."""
    point = study.base
    for factor, x in zip(moved, u, strict=False):
        point = factor.set(point, factor.low + (factor.high - factor.low) * x)
    reading = min(int(u[-1] * len(study.laid)), len(study.laid) - 1) if study.options else 0
    return replace(point, reading=reading)


TENTHS, KNOWN = np.array([0.1, 0.9]), 400.0
PRIORS = {
    "common_shock.sd": "shock_sd",
    "common_shock.df": "shock_df",
    "common_shock.late": "late_sd",
    "common_shock.mean": "shift",
    "own_spread": "spread",
}
MULTIPLES = ("effort", "funds")
NAMED = {
    "effort": ("全部处置的快慢（倍）", "pace of all disposals (times)", "methods"),
    "funds": ("收储资金（倍）", "money for land banking (times)", "methods"),
    "common_shock.sd": ("全域共同波动幅度（对数）", "size of the common shock (log)", "tax"),
    "common_shock.df": ("共同波动先验的年数", "years that the shock's prior weighs", "tax"),
    "common_shock.late": ("年末共同波动的下限（对数）", "least common shock at the year's end (log)", "tax"),
    "common_shock.mean": ("全域税收的整体变动（对数）", "shift of the county's tax (log)", "tax"),
    "own_spread": ("单个企业年际波动（对数）", "one firm's yearly spread (log)", "tax"),
}
FACTORS = (
    *("id", "year", "group", "factor", "label", "label_en", "low", "high"),
    *("p_low", "p_high", "p50_low", "p50_high", "central", "swing"),
)
GROUPS = ("id", "year", "group", "first", "total")
