"""What follows from the verdict: consequences by clause, the lists an office owes, next year's list, land-use tax, the base year."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, Frame
from lyeval.assessment.conditions import decide
from lyeval.assessment.dossier import consequence_masks, effects_on
from lyeval.assessment.needs import needs
from lyeval.assessment.standing import Standing
from lyeval.assessment.totals import decide_target
from lyeval.ledger.coverage import coverage_by_department
from lyeval.policy import Condition, Policy, Reading, Target, patch, unread
from lyeval.tables import duties, rankings, rosters
from lyeval.tables.casework import WHO, clause


def consequences(assessment: Assessment) -> pd.DataFrame:
    """Return whom each consequence of the plan meets next, one row per consequence and enterprise.

    Returns
    -------
    DataFrame
        consequence, label, label_en, trigger, year (in which it applies), clause, credit_code, name, township, class, stage, grounds (facts that
        make it so), effects, effects_en (what is withheld or done), land_mu, tax_per_mu, tax_needed_wan.
    """
    frame, table = assessment.frame, assessment.enterprises
    masks, rows = consequence_masks(assessment.standing), list[Any]()
    for c in frame.policy.consequences:
        for i in np.flatnonzero(masks[c.id]):
            mine = effects_on(c, frame, int(i))
            own = table.iloc[i]
            rows.append(
                {
                    "consequence": c.id,
                    "label": c.label,
                    "label_en": c.label_en,
                    "trigger": c.trigger,
                    "year": assessment.year + c.year_offset,
                    "clause": "；".join(c.cite),
                    **{k: own[k] for k in ("credit_code", "name", "township", "county", "class", "stage")},
                    "grounds": _grounds(c.when, frame, int(i)),
                    "effects": [zh for zh, _ in mine],
                    "effects_en": [en for _, en in mine],
                    **{k: own[k] for k in ("land_mu", "tax_per_mu", "tax_needed_wan")},
                }
            )
    return pd.DataFrame(rows, columns=CONSEQUENCE_COLUMNS)


CONSEQUENCE_COLUMNS = [
    "consequence",
    "label",
    "label_en",
    "trigger",
    "year",
    "clause",
    "credit_code",
    "name",
    "township",
    "county",
    "class",
    "stage",
    "grounds",
    "effects",
    "effects_en",
    "land_mu",
    "tax_per_mu",
    "tax_needed_wan",
]


def _grounds(condition: Condition | None, frame: Frame, i: int) -> list[str]:
    """Name the facts by which a condition is true of enterprise ``i`` (ids of facts)."""
    if condition is None:
        return []
    inner = condition.any or condition.all
    if inner is not None:
        return [g for c in inner if decide(c, frame.reported).true[i] for g in _grounds(c, frame, i)]
    return [str(condition.fact)] if condition.fact else []


def rules(assessment: Assessment) -> pd.DataFrame:
    """Return the plan's consequences with each effect and its clause, whether or not they meet anybody."""
    rows = [
        {
            "consequence": c.id,
            "label": c.label,
            "label_en": c.label_en,
            "trigger": c.trigger,
            "class": c.class_,
            "clause": "；".join(c.cite),
            "year": assessment.year + c.year_offset,
            "effect": e.label,
            "effect_en": e.label_en,
            "kind": e.kind,
            "rate_yuan_m2": e.rate_yuan_m2,
            "effect_clause": "；".join(e.cite or c.cite),
        }
        for c in assessment.policy.consequences
        for e in c.effects
    ]
    columns = ["consequence", "label", "label_en", "trigger", "class", "clause", "year", "effect", "effect_en", "kind"]
    return pd.DataFrame(rows, columns=[*columns, "rate_yuan_m2", "effect_clause"], dtype=object)


def opening_list(assessment: Assessment) -> pd.DataFrame:
    """Draw up next year's list on the facts of the year assessed.

    Returns
    -------
    DataFrame
        credit_code, name, township, county, class, identified (True, or None: cannot be told yet), before (on this year's list), by_line (new because
        the line rises), criteria, land_mu, tax_per_mu, line (next year's), tax_needed_wan (to it), stage. Those gone by the year's end are left out.
    """
    frame, year = assessment.frame, assessment.year
    nxt, standing = Frame(frame.policy, frame.book, year + 1, year), assessment.standing
    line = nxt.before.line
    keep = nxt.identified.possible & ~standing.gone.true
    tax, land = nxt.before.tax, nxt.before.land
    columns = {
        "credit_code": frame.book.codes,
        **{c: assessment.enterprises[c].to_numpy(dtype=object) for c in ("name", "township", "county")},
        "class": nxt.above.words("above", "below"),
        "identified": nxt.identified.objects(),
        "before": standing.listed.true,
        "by_line": ~standing.listed.true & _only_tax(nxt) & standing.below.false,
        "criteria": [[k for k, c in nxt.criteria.items() if c.true[i]] for i in range(len(frame.book))],
        "land_mu": land,
        "tax_per_mu": nxt.before.tax_per_mu,
        "line": line,
        "tax_needed_wan": np.maximum(0.0, line * land - tax),
        "stage": Standing(nxt, assessment.day).stage,
    }
    return pd.DataFrame(columns)[keep].reset_index(drop=True)


def _only_tax(frame: Frame) -> np.ndarray:
    """Tell who is listed by its tax line alone, shape (n,)."""
    out = frame.criteria_low_tax
    for name, column in frame.criteria.items():
        rule = next(c for c in frame.policy.identification.criteria if c.id == name)
        if rule.when.fact != "tax_per_mu":
            out = out & ~column.true
    return out


def land_use_tax(assessment: Assessment) -> pd.DataFrame:
    """Decide each target with the land-use tax charged as a penalty counted as tax paid, and left out.

    Returns
    -------
    DataFrame
        id, counted (with, without), value, low, high, status; empty for a plan that charges none.
    """
    policy = assessment.policy
    if not any(e.kind == "land_use_tax" for c in policy.consequences for e in c.effects):
        return pd.DataFrame({"id": [], "counted": [], "value": [], "low": [], "high": [], "status": []}, dtype=object)
    rows: list[Any] = []
    for word, option in (("with", "counted"), ("without", "left_out")):
        rules = patch(policy, {"tax.extra_land_use_tax": option})
        frame = Frame(rules, assessment.frame.book, assessment.year, assessment.year)
        for outcome in assessment.outcomes:
            told = decide_target(rules.target(outcome.target.id), frame, assessment.inputs)
            b = told.bounded
            rows.append((outcome.target.id, word, b.value, b.low, b.high, told.status))
    return pd.DataFrame(rows, columns=["id", "counted", "value", "low", "high", "status"], dtype=object)


def baseline(assessment: Assessment) -> pd.DataFrame:
    """Score every reading of a target's statistic by whether it gives the value that the document states for its base year.

    Returns
    -------
    DataFrame
        id, label, label_en, stated, year, reading (switch=option …), words, words_en, default
        (the readings in force), value, n, reproduces (to the stated decimals).
        Empty where the plan states none, or the ledger has no figures of the base year.
    """
    rows: list[dict[str, Any]] = []
    for target in assessment.policy.targets:
        if target.baseline is not None:
            rows += _base_rows(assessment, target)
    columns = ["id", "label", "label_en", "stated", "year", "reading", "words", "words_en", "default", "value", "n"]
    return pd.DataFrame(rows, columns=[*columns, "reproduces"], dtype=object)


def _base_rows(assessment: Assessment, target: Target) -> list[dict[str, Any]]:
    policy, book = unread(assessment.policy), assessment.frame.book
    bearing = [r for r in policy.readings if _of_statistic(r, target)]
    stated, rows = target.baseline.value if target.baseline else 0.0, list[Any]()
    for chosen in itertools.product(*(_default_first(r) for r in bearing)):
        rules = policy
        for option in chosen:
            rules = patch(rules, option.set)
        own = rules.target(target.id)
        year = own.baseline.year if own.baseline else 0
        if year not in book.years:
            continue
        told = _in_base_year(rules, own, year, assessment)
        words = [[getattr(o, w) for o in chosen] for w in ("why", "why_en")]
        rows.append(
            {
                "id": target.id,
                "label": target.label,
                "label_en": target.label_en,
                "stated": stated,
                "year": year,
                "reading": {r.id: o.id for r, o in zip(bearing, chosen, strict=True)},
                "words": words[0],
                "words_en": words[1],
                "default": all(o.id == assessment.readings[r.id] for r, o in zip(bearing, chosen, strict=True)),
                "value": told.value,
                "n": told.n,
                "reproduces": told.value is not None and abs(told.value - stated) <= 0.0005 + 1e-12,
            }
        )
    return rows


def _default_first(reading: Reading) -> list[Any]:
    return sorted(reading.options, key=lambda o: o.id != reading.default)


def _of_statistic(reading: Reading, target: Target) -> bool:
    """Tell whether a switch says what the statistic is of, or of which year the stated value is."""
    head = f"targets.{target.id}."
    paths = [p.removeprefix(head) for o in reading.options for p in o.set if p.startswith(head)]
    return any(not p.startswith("years.") for p in paths)


def _in_base_year(rules: Policy, target: Target, year: int, assessment: Assessment) -> Any:
    """Compute a target's statistic for its base year, on the first line that the document gives."""
    if year not in target.years:
        first = target.years[min(target.years)]
        rules = patch(
            rules, {f"targets.{target.id}.years.{year}": {"threshold": first.threshold, "value": first.value}}
        )
    frame = Frame(rules, assessment.frame.book, year, year)
    return decide_target(rules.target(target.id), frame, assessment.inputs).bounded


def owed(assessment: Assessment) -> dict[str, pd.DataFrame]:
    """Return the lists of a year by name: ``list_…``, ``ranking_townships``, ``ranking_counties``, ``contributions``, ``pace``, ``departments``."""
    townships, counties = (rankings.ranking(assessment, by) for by in ("township", "county"))
    own = consequences(assessment)
    made = {
        "reached": rosters.reached(assessment),
        "missed": rosters.missed(assessment),
        "undecided": rosters.undecided(assessment),
        "closed": rosters.closed(assessment),
        "demolished": rosters.demolished(assessment),
        "banked": rosters.banked(assessment),
        "relapsed": rosters.relapsed(assessment),
        "priority": _priority(assessment, own),
        "guided": rosters.guided(assessment),
        "grade_d": own[(own["trigger"] == "missed").to_numpy(dtype=bool)].reset_index(drop=True),
        "subsidised": rosters.subsidised(assessment),
        "shock_hit": rosters.shock_hit(assessment),
        "pressed": duties.pressed(assessment),
        "summoned": _summoned(assessment, townships, counties),
        "issues": duties.issues_overdue(assessment),
        "papers": duties.papers_owed(assessment),
        "steps": duties.steps_waiting(assessment),
    }
    return {f"list_{name}": table for name, table in made.items()} | {
        "ranking_townships": townships,
        "ranking_counties": counties,
        "contributions": rankings.contributions(assessment, _by(assessment)),
        "pace": rankings.pace(assessment),
        "departments": _departments(assessment),
    }


def _departments(assessment: Assessment) -> pd.DataFrame:
    """Tell how far each department's columns are filled, with the verdicts that read them in both languages."""
    wanted: dict[tuple[str, str], list[str]] = {}
    english: dict[str, str] = {}
    for row in needs(assessment.policy).to_dict("records"):
        wanted.setdefault((str(row["sheet"]), str(row["column"])), []).append(str(row["label"]))
        english[str(row["label"])] = str(row["label_en"])
    table = coverage_by_department(assessment.ledger, wanted)
    told: list[Any] = [[english[v] for v in names] for names in table["verdicts"]]
    return table.assign(verdicts_en=told)


def _by(assessment: Assessment) -> str:
    return "county" if assessment.level == "city" else "township"


def _priority(assessment: Assessment, own: pd.DataFrame) -> pd.DataFrame:
    """List the priority enterprises (重点低效) of the year: those that a condition makes so, and those named so already."""
    rows, out = own[(own["trigger"] == "priority").to_numpy(dtype=bool)], list[Any]()
    standing, codes = assessment.standing, assessment.frame.book.codes
    days = standing.step("key_listed")
    named = {codes[i]: pd.Timestamp(days[i]) for i in np.flatnonzero(standing.priority)}
    firms = assessment.enterprises.set_index("credit_code", drop=False)
    met = {str(code): part for code, part in rows.groupby("credit_code", sort=True)}
    here = set(codes[standing.listed_here])
    for code in sorted(set(met) | {c for c in named if c in here}):
        part, firm = met.get(code), firms.loc[code]
        own_clause = [] if part is None else part["clause"].tolist()
        out.append(
            {
                **{k: firm[k] for k in (*WHO, "tax_needed_wan")},
                "listed_on": named.get(code, pd.NaT),
                "grounds": [] if part is None else list(dict.fromkeys(g for gs in part["grounds"] for g in gs)),
                **{
                    k: [] if part is None else list(dict.fromkeys(e for es in part[k] for e in es))
                    for k in ("effects", "effects_en")
                },
                "clause": "；".join(dict.fromkeys(own_clause)) or _priority_clause(assessment),
            }
        )
    table = pd.DataFrame(
        out, columns=[*WHO, "tax_needed_wan", "listed_on", "grounds", "effects", "effects_en", "clause"]
    )
    return table.assign(listed_on=pd.to_datetime(table["listed_on"]).astype("datetime64[us]"))


def _priority_clause(assessment: Assessment) -> str:
    return next(("；".join(c.cite) for c in assessment.policy.consequences if c.trigger == "priority"), "")


def _summoned(assessment: Assessment, townships: pd.DataFrame, counties: pd.DataFrame) -> pd.DataFrame:
    """Return the units to be summoned, of the level that answers to the plan's place."""
    table = counties if assessment.level == "city" else townships
    rate = table["rate"].iloc[-1] if len(table) else None
    rows: pd.DataFrame = table[table["summoned"].to_numpy(dtype=bool)] if len(table) else table
    more: dict[str, Any] = {
        "whole_rate": rate,
        "settled": rows["reached"] + rows["left"],
        "clause": clause(assessment.policy, "summoned"),
    }
    return rows.assign(**more).reset_index(drop=True)
