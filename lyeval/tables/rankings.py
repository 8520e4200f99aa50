"""Units ranked (排名), what each adds to what is short, the year's pace on the same firms (进度), and what moved a month (月度通报)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.standing import under
from lyeval.indicators import STATISTICS
from lyeval.tables.casework import clause, numbers_of
from lyeval.tables.registry import framed, layout

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment

FEWEST = 5  # a unit with fewer listed firms is neither ranked nor compared
SUMMONS = 0.5  # a unit is to be summoned when its rate is below this part of the whole's
NAMED = 3  # units named at either end
SOURCES = {
    "data": ("往月数据", "past data"),
    "rule": ("规则口径", "rule"),
    "code": ("计算程序", "code"),
    "seed": ("随机种子", "seed"),
}
Tables = Mapping[str, Any]


def month_reached(assessment: Assessment) -> int:
    """Return the last month of the year that ``monthly`` has a figure of; 12 where it has none of the year."""
    return Months(assessment).last(assessment.year) or 12


def ranking(assessment: Assessment, by: str = "township", month: int | None = None) -> pd.DataFrame:
    """Rank townships (镇街) or counties (县区) by the share of their listed firms that is settled.

    Settled: at the line or above (reached), or gone (left). Units with fewer than ``FEWEST`` listed firms are not ranked; equal rates
    stand together and the next rank is passed over; units are ranked too by their part of all that is not settled.

    Parameters
    ----------
    by : {"township", "county"}
    month : int, optional
        The month whose schedule holds, by default the one that the ledger's months reach (`month_reached`): behind is a rate below
        month/12; summoned, ranked and a rate below half of the whole's.

    Returns
    -------
    DataFrame
        unit ("" where blank), whole (the row of all units), listed, reached, left, below, open (neither known), rate, rank, land_mu and
        tax_needed_wan (of those below), part (of all firms below or open), part_rank, schedule, behind, summoned, clause. Ranked units
        first, best first; the whole last.
    """
    standing, table = assessment.standing, assessment.enterprises
    unit = assessment.frame.book.text(by)
    rows = pd.DataFrame({"unit": unit, "listed": standing.listed.true, **standing.state})
    for name in ("land_mu", "tax_needed_wan"):
        rows[name] = np.where(rows["below"], table[name].fillna(0.0), 0.0)
    units = rows[rows["listed"]].groupby("unit", sort=True).sum(numeric_only=False).reset_index()
    whole = units.drop(columns="unit").sum().to_frame().T.assign(unit="")
    made = pd.concat([units.assign(whole=False), whole.assign(whole=True)], ignore_index=True)
    made["rate"] = (made["reached"] + made["left"]) / made["listed"].where(made["listed"] > 0)
    return _ranked(assessment, made, month_reached(assessment) if month is None else month)


def _ranked(assessment: Assessment, made: pd.DataFrame, month: int) -> pd.DataFrame:
    """Add ranks, parts, schedule and who is behind to the units and their whole (the last row)."""
    made = made.astype({name: "int64" for name in ("listed", "reached", "left", "below", "open")})
    made["rate"] = made["rate"].astype("float64")
    units = ~made["whole"].astype(bool)
    fit = units & (made["listed"] >= FEWEST)
    unsettled = made["below"] + made["open"]
    total, mean = int(unsettled.iloc[-1]), float(made["rate"].iloc[-1])
    made["rank"] = made["rate"].round(12).where(fit).rank(ascending=False, method="min")
    made["part"] = unsettled / total if total else np.nan
    made["part_rank"] = unsettled.where(units & (unsettled > 0)).rank(ascending=False, method="min")
    made["schedule"] = month / 12
    made["behind"] = units & (made["rate"] < month / 12 - 1e-12)
    made["summoned"] = fit & made["behind"] & (made["rate"] < SUMMONS * mean - 1e-12)
    made["clause"] = clause(assessment.policy, "ranked")
    order = np.lexsort((made["unit"], made["rank"].fillna(np.inf), made["whole"].astype(bool)))
    return made.iloc[order][layout()["ranking"]].reset_index(drop=True)


def contributions(assessment: Assessment, by: str = "township") -> pd.DataFrame:
    """Tell how much of what each target not met is short of stands in each unit (对差额的贡献).

    Returns
    -------
    DataFrame
        target, label, label_en, clause, unit, n (enterprises on the wrong side of the line, or open, as the target counts them), land_mu
        (of them), tax_needed_wan (of them), part (of the number, or of the land where the target is one of land), rank (ties together).
    """
    table, unit, out = assessment.enterprises, assessment.frame.book.text(by), list[Any]()
    for outcome in assessment.outcomes:
        at, stat = outcome.turns_on, STATISTICS[outcome.target.statistic]
        if outcome.members is None or not len(at) or outcome.status == "met":
            continue
        weight = outcome.members.land[at] if stat.weight == "land" else np.ones(len(at))
        rows = pd.DataFrame(
            {
                "unit": unit[at],
                "n": 1,
                "land_mu": outcome.members.land[at],
                "tax_needed_wan": table["tax_needed_wan"].to_numpy()[at],
                "part": np.nan_to_num(weight) / max(float(np.nansum(weight)), 1e-12),
            }
        )
        summed = rows.groupby("unit", sort=True).sum().reset_index()
        summed["rank"] = summed["part"].round(12).rank(ascending=False, method="min")
        target = outcome.target
        head = {"target": target.id, "label": target.label, "label_en": target.label_en}
        out.append(summed.assign(**head, clause="；".join(target.cite)).sort_values(["rank", "unit"], kind="stable"))
    return pd.concat(out, ignore_index=True)[layout()["contributions"]] if out else framed("contributions", [])


def pace(assessment: Assessment, month: int | None = None, within: np.ndarray | None = None) -> pd.DataFrame:
    """Set the tax of the listed against last month, the same month last year and schedule, on the same firms (进度对照).

    Parameters
    ----------
    month : int, optional
        The last month that counts; the last one of the year in ``monthly`` by default.
    within : array of bool, optional
        Who is told of, shape (n,); the listed who are still here by default.

    Returns
    -------
    DataFrame
        class (above, below, all), against, year, month, n (firms with both figures), before, now, change (share; None where before is
        not positive), clause. ``against``: last_month, last_year (tax of the month), last_year_to_date (tax since January), schedule (before:
        month/12 of the tax that the line asks, now: tax to date), usual (before: the usual part by that month, of earlier years, in place of
        month/12), on_course_last_month and on_course_last_year (firms whose tax to date is at the usual part of their line). 万元, or firms.
    """
    months = Months(assessment)
    last = months.last(assessment.year) if month is None else month
    if last is None or not len(months.paid):
        return framed("pace", [])
    frame, out = assessment.frame, list[Any]()
    everyone = np.ones(len(frame.book), dtype=bool)
    for name, side in (("above", frame.above.true), ("below", frame.above.false), ("all", everyone)):
        mask = (assessment.standing.listed_here if within is None else within) & side
        for against, (before, now) in months.pairs(assessment.year, last).items():
            both = mask & ~np.isnan(before) & ~np.isnan(now)
            a, b = float(before[both].sum()), float(now[both].sum())
            change = b / a - 1 if a > 0 else None
            out.append((name, against, assessment.year, last, int(both.sum()), a, b, change))
    return pd.DataFrame(out, columns=layout()["pace"][:-1]).assign(clause=clause(assessment.policy, "paced"))


class Months:
    """Monthly tax as an array of shape (n, 12) per year, NaN where a month is not there."""

    def __init__(self, assessment: Assessment) -> None:
        book = assessment.frame.book
        sheet = assessment.ledger.monthly
        self.line = assessment.standing.line * assessment.frame.reported.land
        self.n = len(book)
        self.paid: dict[int, np.ndarray] = {}
        at = book.positions(sheet["credit_code"])
        tax = numbers_of(sheet, "tax_wan")
        years, months = sheet["year"].to_numpy(), sheet["month"].to_numpy()
        for year in np.unique(years):
            mine = (years == year) & (at >= 0)
            self.paid[int(year)] = np.full((self.n, 12), np.nan)
            self.paid[int(year)][at[mine], months[mine] - 1] = tax[mine]

    def last(self, year: int) -> int | None:
        """Return the last month of ``year`` with any figure."""
        known = np.flatnonzero(~np.isnan(self.of(year)).all(axis=0))
        return int(known[-1]) + 1 if len(known) else None

    def of(self, year: int) -> np.ndarray:
        """Return a year's months, shape (n, 12)."""
        return self.paid.get(year, np.full((self.n, 12), np.nan))

    def alone(self, year: int, month: int) -> np.ndarray:
        """Return the tax of a month; month 0 is December of the year before."""
        return self.of(year)[:, month - 1] if month else self.of(year - 1)[:, 11]

    def to_date(self, year: int, month: int) -> np.ndarray:
        """Return the tax since January, NaN where any month is missing."""
        return self.of(year)[:, :month].sum(axis=1)

    def usual(self, year: int, month: int) -> float:
        """Return the usual part of a year's tax that has come in by a month: of earlier years together, else month/12."""
        before = [y for y in self.paid if y < year and not np.isnan(self.of(y)).all()]
        part, whole = (
            sum(float(np.nansum(self.to_date(y, m)[~np.isnan(self.to_date(y, 12))])) for y in before)
            for m in (month, 12)
        )
        return part / whole if whole > 0 and part > 0 else month / 12

    def pairs(self, year: int, month: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return what is compared: name → (before, now), each of shape (n,)."""
        share = self.usual(year, month)
        date = self.to_date(year, month)
        return {
            "last_month": (self.alone(year, month - 1), self.alone(year, month)),
            "last_year": (self.alone(year - 1, month), self.alone(year, month)),
            "last_year_to_date": (self.to_date(year - 1, month), date),
            "schedule": (self.line * month / 12, date),
            "usual": (self.line * share, date),
            "on_course_last_month": (self.on_course(year, month - 1, year), self.on_course(year, month, year)),
            "on_course_last_year": (self.on_course(year - 1, month, year), self.on_course(year, month, year)),
        }

    def on_course(self, year: int, month: int, of: int) -> np.ndarray:
        """Tell (1, 0, NaN) whose tax to date is at the usual part of its line; month 0 is the whole year before."""
        year, month = (year, month) if month else (year - 1, 12)
        date = self.to_date(year, month)
        reached = ~under(date, self.line * self.usual(of, month))
        return np.where(reached.unknown, np.nan, reached.true.astype(float))


def progress(units: pd.DataFrame) -> dict[str, Any]:
    """Sum up how units stand.

    Returns
    -------
    dict
        n (units with `FEWEST` listed firms or more and a share), behind (of them below schedule), ahead (the others), first and last
        (their names), carried (those at schedule), most_behind (whether most lag), whole_ahead (whether the whole is at schedule), state:
        good only where the whole is at schedule and most units are too, open where the whole alone is, else bad.
    """
    parts = units[~units["whole"].astype(bool)]
    whole: dict[Any, Any] = units.iloc[-1].to_dict()
    share = pd.to_numeric(parts["share"], errors="coerce")
    fit = parts[(parts["listed"] >= FEWEST) & share.notna()].assign(value=share)
    late = fit["value"] < fit["schedule"] - 1e-12
    names = [str(u) for u in fit["unit"]]
    many = NAMED if len(fit) > 2 * NAMED else 1
    ahead = bool(pd.notna(whole["share"]) and whole["share"] >= whole["schedule"] - 1e-12)
    most = bool(late.sum() * 2 > len(fit))
    return {
        "n": len(fit),
        "behind": int(late.sum()),
        "ahead": int((~late).sum()),
        "fewest": FEWEST,
        "first": names[::-1][:many],
        "last": names[:many],
        "carried": [n for n, slow in zip(names, late, strict=True) if not slow][::-1],
        "most_behind": most,
        "whole_ahead": ahead,
        "state": ("open" if most else "good") if ahead else "bad",
    }


def drivers(firms: pd.DataFrame, now: np.ndarray, before: np.ndarray, here: np.ndarray) -> pd.DataFrame:
    """List whose tax of the month moved most against the same month last year, over those with both: most first, all of them."""
    both = here & ~np.isnan(now) & ~np.isnan(before)
    made = firms.loc[both, ["credit_code", "name", "township"]].assign(now=now[both], before=before[both])
    made["shift_wan"] = made["now"] - made["before"]
    made = made[made["shift_wan"].abs() > 1e-9]
    order = np.lexsort((made["credit_code"], -made["shift_wan"].abs()))
    return made.iloc[order][layout()["drivers"]].reset_index(drop=True)


def owners(who: np.ndarray, mask: np.ndarray) -> list[str]:
    """Return who answers for the firms of a mask, the unit with most of them first."""
    counted = Counter(str(name) for name in who[mask] if name)
    return [name for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def stands(tables: Tables) -> dict[str, bool | None]:
    """Tell of each source whether it changed since the bulletin before; None where that one does not say, {} without one."""
    old, new = tables.get("before_stamp"), tables.get("stamp")
    if not old or not new:
        return {}
    was: Mapping[str, Any] = tables.get("before_run") or {}
    now: Mapping[str, Any] = tables.get("run") or {}
    facts = any(old.get(k) != new.get(k) for k in ("annual", "annual_rows"))
    return {
        "data": facts or bool(revised(tables)),
        "rule": old.get("rule") != new.get("rule") or old.get("readings") != new.get("readings"),
        "code": None if not was.get("code") or not now.get("code") else was["code"] != now["code"],
        "seed": any(was.get(k) != now.get(k) for k in ("seed", "draws")),
    }


def revised(tables: Tables) -> dict[str, float]:
    """Return by how much the tax of months that the bulletin before told has been revised since, 万元 by month."""
    stamps: list[Mapping[str, Any]] = [tables.get(name) or {} for name in ("before_stamp", "stamp")]
    old, new = (dict[str, float](stamp.get("months") or {}) for stamp in stamps)
    shifts = {month: float(new[month]) - float(was) for month, was in sorted(old.items()) if month in new}
    return {month: shift for month, shift in shifts.items() if abs(shift) > 1e-6}


def sources(tables: Tables) -> pd.DataFrame:
    """Lay the four sources of change out: cause, cause_zh, cause_en, state (changed, same, unsaid); no row without a bulletin before."""
    states = {True: "changed", False: "same", None: "unsaid"}
    return framed("sources", [(name, *SOURCES[name], states[changed]) for name, changed in stands(tables).items()])
