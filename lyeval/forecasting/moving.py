"""Which assumption moves a target's odds (敏感性): one at a time, and Sobol indices by group of assumptions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import TargetView, meets
from lyeval.forecasting.knobs import Knob, Point, knobs
from lyeval.forecasting.nowcast import Basis, Forecast
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, year_as_known, years_to_come
from lyeval.simulation.outlook import members, probability, table, values
from lyeval.simulation.swings import near_line, topped


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
        One row a target and assumption that moves it, the largest swing first: id, year, group (methods, tax, response, readings),
        factor (its path, or the switch), label, label_en, low, high (what it is set to), p_low, p_high (the odds then), p50_low,
        p50_high (the statistic's median then), central (the odds as assumed) and swing, the distance of p_low from p_high.
    groups
        One row a target and group: id, year, group, first (share of the odds' variance that the group brings alone) and total (with
        what it does together with others); None where nothing moves the odds.
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
            told = f"{row['label_en']} moves P from {row['p_low']:.3f} to {row['p_high']:.3f}"
            lines.append(f"  {row['id']}: {told}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = self.factors[["id", "label", "low", "high", "p_low", "p_high", "central"]]
        return shown.to_html(index=False, na_rep="") + self.groups.to_html(index=False, na_rep="")


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
    Assumptions go uniformly over their ranges (`Knob`), readings over the options that change anything, one switch at a time. First-order
    indices by Saltelli et al. (2010), total ones by Jansen (1999), of whole groups, as `scipy.stats.sobol_indices` has them.
    """
    if told.basis is None:
        raise ValueError("the forecast does not carry its basis / 该预测没有附带测算依据")
    study = Study.of(told, told.basis, draws)
    turned = knobs(study.given)
    central = study.odds(study.base)
    rows = [row for knob in turned for row in _one(study, knob, central)] + _readings(study, central)
    rows = [row for row in rows if row["swing"] > 0 or row["p50_low"] != row["p50_high"]]
    order = {id: i for i, id in enumerate(study.ids)}
    rows.sort(key=lambda row: (order[row["id"]], -row["swing"], -abs(row["p50_high"] - row["p50_low"]), row["factor"]))
    return Sensitivity(
        told.policy, told.as_of, told.year, draws, samples, told.seed,
        factors=table(rows, FACTORS), groups=table(_groups(study, turned, samples, told.seed), GROUPS),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Study:
    """What odds are evaluated on.

    Attributes
    ----------
    given, year
        The setting with few draws, and the target year.
    base
        The assumptions as they stand.
    ids
        The targets that have odds and are not settled on the books.
    laid
        By reading (the chosen one first): each target's layout and the calendar year it is judged on.
    options
        Switch and option of each reading after the first.
    labels
        Of switches.
    """

    given: Setting
    year: int
    base: Point
    ids: list[str]
    laid: list[dict[str, tuple[TargetView, int]]]
    options: list[tuple[str, str]]
    labels: dict[str, tuple[str, str]]

    @classmethod
    def of(cls, told: Forecast, basis: Basis, draws: int) -> Study:
        """Lay the targets out under the readings that change anything."""
        given = replace(basis.given, sampling=Sampling(draws, told.seed))
        open_ = [r["id"] for r in told.targets.to_dict("records") if r["probability"] is not None and not r["certain"]]
        options = list(dict.fromkeys(zip(told.by_reading["switch"], told.by_reading["option"], strict=True)))
        sets = [basis.readings, *({**basis.readings, switch: option} for switch, option in options)]
        laid = [{view.id: (view, year.year) for view, year in basis.pairs(chosen)} for chosen in sets]
        labels = {r.id: (r.question, r.question_en) for r in basis.policy.readings}
        return cls(given, basis.year, Point(given.assumed, given.pace), open_, laid, options, labels)

    def odds(self, point: Point) -> np.ndarray:
        """Return each target's odds and the median of its statistic under some assumptions, shape (2, targets)."""
        setting = point.setting(self.given)
        years = {year.year: year for year in (year_as_known(setting), *years_to_come(setting, self.year))}
        out = np.empty((2, len(self.ids)))
        for i, id in enumerate(self.ids):
            view, year = self.laid[point.reading].get(id, self.laid[0][id])
            drawn, tax = members(view, years[year]), None
            if point.share and view.line is not None:
                moving = near_line(drawn, seed=setting.sampling.seed, band=setting.assumed.band)
                tax = topped(drawn, moving, point.share)
            found = values(drawn, tax)
            known = found[~np.isnan(found)]
            met, drew = int(meets(view, known).sum()), year > setting.date.facts_year
            odds = probability(met, len(known)) if drew else met / max(len(known), 1)  # what is known is not drawn
            out[:, i] = odds, np.median(known) if len(known) else 0.0
        return out


def _one(study: Study, knob: Knob, central: np.ndarray) -> list[dict[str, Any]]:
    """Turn one knob to both ends."""
    ends = [study.odds(knob.turn(study.base, value)) for value in (knob.low, knob.high)]
    head = {"group": knob.group, "factor": knob.id, "label": knob.label, "label_en": knob.label_en}
    return _rows(study, {**head, "low": f"{knob.low:.3g}", "high": f"{knob.high:.3g}"}, ends, central)


def _readings(study: Study, central: np.ndarray) -> list[dict[str, Any]]:
    """Take each switch's options in turn: the one with the lowest and the one with the highest odds stand for it."""
    found: dict[str, list[tuple[str, np.ndarray]]] = {}
    for i, (switch, option) in enumerate(study.options, start=1):
        found.setdefault(switch, []).append((option, study.odds(replace(study.base, reading=i))))
    rows = []
    for switch, tried in found.items():
        told = [("", central), *tried]
        head = {
            "group": "readings",
            "factor": switch,
            "label": study.labels[switch][0],
            "label_en": study.labels[switch][1],
        }
        for i in range(len(study.ids)):
            low, high = min(told, key=lambda t: t[1][0, i]), max(told, key=lambda t: t[1][0, i])
            rows.append(_rows(study, {**head, "low": low[0], "high": high[0]}, [low[1], high[1]], central)[i])
    return rows


def _rows(study: Study, head: dict[str, Any], ends: list[np.ndarray], central: np.ndarray) -> list[dict[str, Any]]:
    low, high = ends
    return [
        {
            "id": id, "year": study.year, **head, "p_low": float(low[0, i]), "p_high": float(high[0, i]), "p50_low": float(low[1, i]),
            "p50_high": float(high[1, i]), "central": float(central[0, i]), "swing": float(abs(high[0, i] - low[0, i])),
        }
        for i, id in enumerate(study.ids)
    ]  # fmt: skip


def _groups(study: Study, turned: list[Knob], samples: int, seed: int) -> list[dict[str, Any]]:
    """Estimate the groups' Sobol indices of each target's odds."""
    from scipy.stats import qmc, sobol_indices

    which = np.array([knob.group for knob in turned] + ["readings"] * bool(study.options))
    names = [name for name in ("methods", "tax", "response", "readings") if name in which]
    if not study.ids or len(names) < 2:
        return []
    # a wrapper takes `seed`; under its newer name, `rng`, the same number draws other points
    points = qmc.Sobol(2 * len(which), seed=seed).random(samples)  # pyright: ignore[reportCallIssue]
    first, second = points[:, : len(which)], points[:, len(which) :]
    mixed = [np.where(which == name, second, first) for name in names]
    odds = np.array([[study.odds(_point(study, turned, u))[0] for u in part] for part in (first, second, *mixed)])
    odds = np.moveaxis(odds, 2, 0)  # targets, designs, samples
    rows = []
    for id, own in zip(study.ids, odds, strict=True):
        moves = own[:2].std() > 1e-12
        f = {"f_A": own[None, 0], "f_B": own[None, 1], "f_AB": own[2:, None]}
        found: Any = sobol_indices(func=f, n=samples) if moves else None
        shares = [np.clip(np.ravel(x), 0, 1) for x in (found.first_order, found.total_order)] if moves else None
        rows += [
            {"id": id, "year": study.year, "group": name} | {"first": None, "total": None}
            if shares is None
            else {
                "id": id,
                "year": study.year,
                "group": name,
                "first": float(shares[0][j]),
                "total": float(shares[1][j]),
            }
            for j, name in enumerate(names)
        ]
    return rows


def _point(study: Study, turned: list[Knob], u: np.ndarray) -> Point:
    """Turn all knobs: each to its place u in its range, the last number choosing the reading."""
    point = reduce(
        lambda p, k: k[0].turn(p, k[0].low + (k[0].high - k[0].low) * k[1]), zip(turned, u, strict=False), study.base
    )
    reading = min(int(u[-1] * len(study.laid)), len(study.laid) - 1) if study.options else 0
    return replace(point, reading=reading)


FACTORS = (
    "id", "year", "group", "factor", "label", "label_en", "low", "high", "p_low", "p_high", "p50_low", "p50_high", "central", "swing",
)  # fmt: skip
GROUPS = ("id", "year", "group", "first", "total")
