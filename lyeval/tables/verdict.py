"""Tables of the verdict: what is judged, the targets with their parts, criteria, exclusions, readings; where the listed are."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, Frame, Readings
from lyeval.assessment.flows import door_of
from lyeval.indicators import STATISTICS
from lyeval.resources import read_rows
from lyeval.tables.proceedings import progress


def meta(assessment: Assessment) -> dict[str, Any]:
    """Return what the title block and the running text need, as plain values."""
    policy, year = assessment.policy, assessment.year
    defaults = {r.id: r.default for r in policy.readings}
    governed = policy.years.governed
    return {
        "policy": policy.id,
        "policy_title": policy.title,
        "policy_title_en": policy.title_en,
        "place": policy.place.name,
        "place_en": policy.place.name_en,
        "place_level": policy.place.level,
        "counties": _counties(assessment),
        "document": policy.document.number,
        "issuer": policy.document.issuer,
        "issued": policy.document.issued.isoformat(),
        "year": year,
        "level": assessment.level,
        "governed": governed,
        "target_years": list(policy.years.targets),
        "next_governed": year + 1 in policy.years.identification,
        "next_targets": next((y for y in policy.years.targets if y > year), None),
        "above": policy.classes.above,
        "below": policy.classes.below,
        "above_en": policy.classes.above_en,
        "below_en": policy.classes.below_en,
        "class_year": assessment.frame.class_year,
        "other_readings": {k: v for k, v in assessment.readings.items() if v != defaults[k]},
        "quotas": dict(sorted(assessment.inputs.quotas.items())),
        "facts": dict(sorted(assessment.inputs.facts.items())),
        "synthetic": assessment.ledger.synthetic,
        "final": finality(assessment),
        "cutoff": f"{year}-12-31",
        "enterprises": len(assessment.frame.book),
        "lines": {c: float(_line(assessment, c)) for c in ("above", "below")},
        "land_use_tax_input": assessment.ledger.has("annual", "land_use_tax_extra_wan"),
        "sources": [s.name for s in assessment.ledger.sources],
    }


def _line(assessment: Assessment, name: str) -> float:
    from lyeval.assessment.targets import class_line

    return class_line(assessment.policy, assessment.year, name)


def _counties(assessment: Assessment) -> list[str]:
    names = assessment.frame.book.text("county")
    return sorted({str(name) for name in names if name})


def finality(assessment: Assessment) -> str | None:
    """Return 定稿, 快报, 部分快报, or None where the ledger does not say (column ``annual.final``)."""
    annual = assessment.ledger.annual
    if "final" not in annual:
        return None
    said = annual.loc[annual["year"] == assessment.year, "final"].dropna().astype(str)
    words = sorted({"快报" if "快" in w or w in ("否", "False", "0") else "定稿" for w in said})
    return None if not words else words[0] if len(words) == 1 else "部分快报"


def targets(assessment: Assessment) -> pd.DataFrame:
    """Return the assessment's targets with what a sentence needs besides: kind, weight, side, line, part and whole."""
    extra: list[Any] = []
    for outcome in assessment.outcomes:
        target, stat = outcome.target, STATISTICS[outcome.target.statistic]
        base = target.baseline
        extra.append(
            {
                "kind": stat.kind,
                "side": stat.side,
                "weight": stat.weight,
                "statistic": stat.label,
                "statistic_en": stat.label_en,
                "threshold": target.years[assessment.year].threshold if assessment.year in target.years else None,
                "part": outcome.bounded.part,
                "whole": outcome.bounded.whole,
                "quota": target.quota,
                "baseline": None if base is None else base.value,
                "baseline_year": None if base is None else base.year,
                "path": {str(y): [d.threshold, d.value] for y, d in sorted(target.years.items())},
            }
        )
    columns = ["kind", "side", "weight", "statistic", "statistic_en", "threshold", "part", "whole", "quota", "baseline"]
    more = pd.DataFrame(extra, columns=[*columns, "baseline_year", "path"], dtype=object)
    return pd.concat([assessment.targets.astype(object), more], axis=1)


def county_targets(assessment: Assessment, cases: pd.DataFrame) -> pd.DataFrame:
    """Share out each target's count by county.

    Returns
    -------
    DataFrame
        county, target, part (on the counted side: firms, 亩 or m²), whole (all counted; None where there is no whole), n (firms counted). A target
        that names no enterprises (blocks), or hangs on what is unknown, is left out.
    """
    names = assessment.frame.book.text("county")
    where = dict(zip(assessment.frame.book.codes, names, strict=True))
    rows: list[dict[str, Any]] = []
    for county in sorted({str(n) for n in names if n}):
        mine = names == county
        for outcome in assessment.outcomes:
            stat, m = STATISTICS[outcome.target.statistic], outcome.members
            row: dict[str, Any] = {"county": county, "target": outcome.target.id}
            if m is not None and stat.kind in ("share", "count"):
                weight, member = np.nan_to_num(m.weight), m.member.true & ~m.hit.unknown & mine
                part, whole = float(weight[member & m.hit.true].sum()), float(weight[member].sum())
                rows.append(
                    {**row, "part": part, "whole": whole if stat.kind == "share" else None, "n": int(member.sum())}
                )
            elif stat.kind == "closed" and not outcome.missing:
                hits = [i for i in outcome.turns_on if mine[i]]
                rows.append({**row, "part": float(len(hits)), "whole": None, "n": len(hits)})
            elif stat.kind == "demolished" and not outcome.missing:
                own = cases[cases["credit_code"].map(where) == county]["demolished_m2"]
                rows.append({**row, "part": float(own.sum()), "whole": None, "n": int((own > 0).sum())})
    return pd.DataFrame(rows, columns=["county", "target", "part", "whole", "n"], dtype=object)


def enterprises(assessment: Assessment) -> pd.DataFrame:
    """Return the assessment's enterprises, with listed before, reached, door, criteria that hold, and disposal as it stands."""
    frame, table = assessment.frame, assessment.enterprises.copy()
    standing = assessment.standing
    listed = standing.listed.true
    table["listed"] = listed
    table["listed_before"] = listed_before(frame)
    table["reached"] = standing.freed
    table["door"] = door_of(standing)
    names = list(frame.criteria)
    table["criteria"] = [
        [name for name in names if frame.criteria[name].true[i]] if listed[i] else [] for i in range(len(table))
    ]
    table["industry"] = [str(code)[:2] if isinstance(code, str) else None for code in table["industry_code"]]
    table["method"], table["method_en"], table["progress"] = progress(assessment)
    return table


def listed_before(frame: Frame) -> np.ndarray:
    """Tell who stood on the list of the identification year before, shape (n,)."""
    earlier = [y for y in frame.policy.years.identification if y < frame.year]
    if not earlier:
        return np.zeros(len(frame.book), dtype=bool)
    return Frame(frame.policy, frame.book, earlier[-1], min(earlier[-1], frame.facts_year)).identified.true


def criteria(assessment: Assessment) -> pd.DataFrame:
    """Count for whom each criterion of identification holds, does not, or cannot be told, among those it could list."""
    frame = assessment.frame
    pool = frame.pool("identification").true
    rows = [
        {
            "id": c.id,
            "label": c.label,
            "label_en": c.label_en,
            "angle": c.angle,
            "clause": "；".join(c.cite),
            "holds": int((frame.criteria[c.id].true & pool).sum()),
            "not": int((frame.criteria[c.id].false & pool).sum()),
            "unknown": int((frame.criteria[c.id].unknown & pool).sum()),
        }
        for c in frame.policy.identification.criteria
    ]
    return pd.DataFrame(rows)


def exclusions(assessment: Assessment) -> pd.DataFrame:
    """Count whom each exclusion leaves out, from the list and from the targets."""
    frame, rows = assessment.frame, list[Any]()
    for x in frame.policy.exclusions:
        masks = {p: frame.excluded(p).get(x.id) for p in ("identification", "targets")}
        counts = {p: None if m is None else int((m & frame.in_scope.possible).sum()) for p, m in masks.items()}
        rows.append({"id": x.id, "label": x.label, "label_en": x.label_en, "clause": "；".join(x.cite), **counts})
    return pd.DataFrame(rows, columns=["id", "label", "label_en", "clause", "identification", "targets"], dtype=object)


def switches(assessment: Assessment) -> pd.DataFrame:
    """Return every doubtful clause with the option in force and why: the report's 口径."""
    rows: list[Any] = []
    for r in assessment.policy.readings:
        option = next(o for o in r.options if o.id == assessment.readings[r.id])
        rows.append(
            {
                "id": r.id,
                "kind": r.kind,
                "question": r.question,
                "question_en": r.question_en,
                "option": option.id,
                "why": option.why,
                "why_en": option.why_en,
                "default": option.id == r.default,
                "others": [o.id for o in r.options if o.id != option.id],
                "clause": "；".join(r.cite),
            }
        )
    columns = ["id", "kind", "question", "question_en", "option", "why", "why_en", "default", "others", "clause"]
    return pd.DataFrame(rows, columns=columns)


def reading_tables(assessment: Assessment, readings: Readings) -> dict[str, pd.DataFrame]:
    """Return the readings' tables with labels and questions in both languages."""
    policy = assessment.policy
    english = {t.id: t.label_en for t in policy.targets}
    asked = {r.id: r for r in policy.readings}
    table = readings.targets.copy()
    table["label_en"] = [english[id] for id in table["id"]]
    table["turned_by_questions"] = [[asked[s].question for s in names] for names in table["turned_by"]]
    table["turned_by_questions_en"] = [[asked[s].question_en for s in names] for names in table["turned_by"]]
    single = readings.switches.copy()
    options = [next(o for o in asked[s].options if o.id == o_) for s, o_ in zip(single["switch"], single["option"])]  # noqa: B905
    single["why_en"] = [o.why_en for o in options]
    single["label"], single["label_en"] = [o.label or o.why for o in options], [o.label_en or o.why_en for o in options]
    single["question_en"] = [asked[s].question_en for s in single["switch"]]
    single["default"] = [asked[s].default == o for s, o in zip(single["switch"], single["option"], strict=True)]
    untested = readings.untestable.copy()
    for name in ("question", "question_en"):
        untested[name] = [getattr(asked[s], name) for s in untested["switch"]]
    untested["why"] = [_option(asked[s], o).why for s, o in zip(untested["switch"], untested["option"], strict=True)]
    untested["why_en"] = [
        _option(asked[s], o).why_en for s, o in zip(untested["switch"], untested["option"], strict=True)
    ]
    untested["clause"] = ["；".join(asked[s].cite) for s in untested["switch"]]
    return {"readings": table, "readings_switches": single, "readings_untestable": untested}


def _option(reading: Any, option: str) -> Any:
    return next(o for o in reading.options if o.id == option)


def stages(assessment: Assessment) -> pd.DataFrame:
    """Count the listed enterprises by the legal word for their stage."""
    listed = assessment.standing.listed.true
    words = assessment.enterprises["stage"].to_numpy(dtype=object)
    order = ("符合认定条件", "已告知", "已认定", "重点")
    return pd.DataFrame({"stage": list(order), "n": [int((listed & (words == w)).sum()) for w in order]})


SPREAD = [
    "n",
    "listed",
    "listed_above",
    "listed_below",
    "undetermined",
    "land_mu",
    "listed_land_mu",
    "tax_wan",
    "taxed_land_mu",
    "tax_per_mu",
]


def pick(frame: pd.DataFrame, keep: Iterable[bool]) -> pd.DataFrame:
    """Return the rows to keep, one truth value a row."""
    return frame.loc[np.fromiter(keep, dtype=bool, count=len(frame))]


def here(enterprises: pd.DataFrame) -> pd.DataFrame:
    """Return the enterprises that are in scope for certain and not known to be gone by the year's end."""
    scope, gone = enterprises["in_scope"], enterprises["gone"]
    return pick(enterprises, (str(a) == "True" and str(b) != "True" for a, b in zip(scope, gone, strict=True)))


def spread(enterprises: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sum the enterprises in scope and still here by a column (township, industry, county, class).

    Returns
    -------
    DataFrame
        The column, n, listed (and of them by class), undetermined, land_mu, listed_land_mu, tax_wan, taxed_land_mu and tax_per_mu
        (Σ tax / Σ land over those with both known, 万元/亩), most listed land first; blank names stand as "".
    """
    rows = here(enterprises)
    keys = [v if isinstance(v, str) else "" for v in rows[column]]
    out = [{column: key, **_sums(pick(rows, [k == key for k in keys]))} for key in sorted(set(keys))]
    table = pd.DataFrame(out, columns=[column, *SPREAD])
    return table.sort_values(
        ["listed_land_mu", "land_mu", column], ascending=[False, False, True], kind="stable", ignore_index=True
    )


def _sums(rows: pd.DataFrame) -> dict[str, object]:
    listed = rows[rows["listed"]]
    both = rows[rows["tax_wan"].notna() & rows["land_mu"].notna()]
    tax, land = float(both["tax_wan"].sum()), float(both["land_mu"].sum())
    return {
        "n": len(rows),
        "listed": len(listed),
        "listed_above": int((listed["class"] == "above").sum()),
        "listed_below": int((listed["class"] == "below").sum()),
        "undetermined": int(rows["identified"].isna().sum()),
        "land_mu": float(rows["land_mu"].sum()),
        "listed_land_mu": float(listed["land_mu"].sum()),
        "tax_wan": tax,
        "taxed_land_mu": land,
        "tax_per_mu": tax / land if land > 0 else None,
    }


@cache
def industries() -> dict[str, tuple[str, str]]:
    """Return the names (zh, en) of the industrial divisions of GB/T 4754 by their two digits."""
    return {row["code"]: (row["zh"], row["en"]) for row in read_rows(__file__, "industries.csv")}


def industry_name(code: str, lang: str = "zh") -> str:
    """Return a division's name; the code itself where it is not one."""
    names = industries().get(code)
    return code if names is None else names[lang == "en"]
