"""What a year-end review says beyond the verdict: who decides a target and why, what to do, what was done by whom (年终评估各表)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame, under
from lyeval.assessment.standing import Standing, standing_of
from lyeval.assessment.totals import decide_target
from lyeval.indicators import STATISTICS
from lyeval.indicators import year_end as end_of
from lyeval.indicators.facts import in_park
from lyeval.policy import patch
from lyeval.policy.register import covers
from lyeval.tables.casework import case_rows, day_of, days_of, latest, plan_method
from lyeval.tables.duties import calendar, departments
from lyeval.tables.registry import framed

if TYPE_CHECKING:
    from lyeval.assessment import Assessment
    from lyeval.policy import Target
    from lyeval.policy.register import Register

Tables = Mapping[str, Any]
MOST_ACTIONS = 5
EXAMPLES = 3
FIRMS = "企业"
OWNERS = 3  # units that answer, named
STATUS = {"met": ("达标", "met"), "missed": ("未达标", "missed"), "undetermined": ("暂不能判定", "undetermined")}
CAUSES: dict[str, tuple[str, str]] = {
    "written_off": ("销号后反弹", "relapsed after write-off"),
    "relapsed": ("达到后反弹", "relapsed after reaching the line"),
    "fell": ("本年新跌落", "fell below the line this year"),
    "line_rose": ("标准提高后未达到", "below since the line rose"),
    "overdue": ("处置逾期", "disposal overdue"),
    "open": ("处置中", "disposal in progress"),
    "failed": ("处置未完成", "disposal not completed"),
    "no_effect": ("办结后仍低于标准", "still below after disposal"),
    "not_started": ("一直未启动", "no disposal started"),
    "no_record": ("未见处置记录", "no disposal on record"),
    "unlisted": ("未列入名单", "not on the list"),
    "unknown": ("数据待补", "data missing"),
}
RELAPSES = ("written_off", "relapsed")
NOTHING: dict[str, float | None] = dict.fromkeys(("value", "part", "whole"))


def year_end(assessment: Assessment, tables: dict[str, Any], register: Register | None) -> dict[str, pd.DataFrame]:
    """Return the tables of a year-end review that rest on those of the assessment.

    Parameters
    ----------
    tables
        At least targets, enterprises, members, disposals, list_relapsed, ranking_townships and the other lists.
    register
        The plan's clause register, None where it has none: then no owner and no calendar is named.

    Returns
    -------
    dict of DataFrame
        history (id, year, value, n, line, part, whole), years, deciding (the firms that a missed or open target turns on, with cause), causes
        (their numbers by target; under the target "" those of everybody below the line who is listed, decides, or fell again), turns,
        next_targets, enough (how many of the deciding suffice), actions, next_steps, examples, calendar, duties, work, parks, quotas,
        overdue_issues.
    """
    firms = caused(assessment, tables)
    deciding = _deciding(tables, firms)
    made: dict[str, pd.DataFrame] = {
        "history": history(assessment),
        "years": years(assessment),
        "deciding": deciding,
        "causes": _causes(tables, firms, deciding),
        "turns": _turns(assessment, tables),
        "next_targets": _next_targets(assessment),
        "examples": _examples(firms),
        "duties": departments(assessment, register),
        "calendar": calendar(assessment, register),
        "enough": _enough(tables, deciding),
        "work": work(assessment),
        "parks": parks(assessment),
        "quotas": quotas(assessment, tables),
        "overdue_issues": _overdue_issues(tables),
    }
    made["actions"] = _actions(assessment, tables | made, register)
    made["next_steps"] = _next_steps(assessment, tables | made, register)
    return made


def _judged(assessment: Assessment, target: Target, entry: Mapping[str, Any], year: int) -> dict[str, Any]:
    """Judge a year by one target's line and goal: value (None where nobody is counted), goal, n, line, part, whole."""
    rules = patch(assessment.frame.policy, {f"targets.{target.id}.years.{year}": dict(entry)})
    told = decide_target(rules.target(target.id), Frame(rules, assessment.frame.book, year, year), assessment.inputs)
    bounded = told.bounded
    row = {"id": target.id, "value": bounded.value, "goal": told.goal, "n": bounded.n, "line": entry.get("threshold")}
    return row | {"part": bounded.part, "whole": bounded.whole}


def history(assessment: Assessment) -> pd.DataFrame:
    """Return each target's statistic in every year of the ledger up to the one assessed, on that year's line.

    Returns
    -------
    DataFrame
        id, year, value (None where it cannot be told), n, line (万元/亩), part and whole (what the value is made of: firms, 亩, m² or 万元).
    """
    rows: list[Any] = []
    for outcome in assessment.outcomes:
        entry = outcome.target.years[assessment.year].model_dump(exclude_none=True)
        for past in (y for y in assessment.frame.book.years if y <= assessment.year):
            row = _judged(assessment, outcome.target, entry, past) | {"year": past}
            told = row["n"] or outcome.target.statistic.startswith("count")
            rows.append(row if told else row | {"value": None})
    return framed("history", rows)


def years(assessment: Assessment) -> pd.DataFrame:
    """Return tax and land of who is in scope and here, by year and by the plan's rule of land.

    Returns
    -------
    DataFrame
        year, n (firms), both (of them with tax and land), tax_wan, land_mu, tax_per_mu (Σ tax ÷ Σ land of those with both), label.
    """
    rows: list[Any] = []
    for year in (y for y in assessment.frame.book.years if y <= assessment.year):
        frame = Frame(assessment.frame.policy, assessment.frame.book, year, year)
        standing = standing_of(frame)
        here = standing.here_in_scope & ~standing.excluded
        tax, land = frame.reported.tax[here], frame.reported.land[here]
        both = ~np.isnan(tax) & ~np.isnan(land)
        total, area = float(tax[both].sum()), float(land[both].sum())
        mean = total / area if area else None
        rows.append((year, int(here.sum()), int(both.sum()), total, area, mean, str(year)))
    return framed("years", rows)


def caused(assessment: Assessment, tables: Tables) -> pd.DataFrame:
    """Say of every enterprise why it stands below its line, with its disposal: open, else the one begun last.

    Returns
    -------
    DataFrame
        The columns of ``enterprises`` with cause (a key of `CAUSES`; unknown where it does not certainly stand below), cause_zh, cause_en,
        relapsed, written_off (day), label, label_en, started, due (of the disposal). Indexed by credit code.
    """
    firms = tables["enterprises"].set_index("credit_code", drop=False).rename_axis(None)
    case = _latest(tables["disposals"]).reindex(firms.index)
    again = tables["list_relapsed"].set_index("credit_code").reindex(firms.index)
    stood, still = (mask[assessment.frame.book.positions(firms["credit_code"])] for mask in _year_before(assessment))
    relapsed, listed = firms.index.isin(tables["list_relapsed"]["credit_code"]), firms["listed"].astype(bool).to_numpy()
    state, overdue = case["state"], case["overdue"].eq(True).to_numpy()
    rules = {
        "unknown": ~firms["below_line"].eq(True).to_numpy(),
        "written_off": relapsed & again["written_off"].notna().to_numpy(),
        "relapsed": relapsed,
        "line_rose": ~listed & stood & still,
        "fell": ~listed & stood,
        "unlisted": ~listed,
        "no_record": np.full(len(firms), not assessment.ledger.has("disposals")),
        "not_started": (state.isna() | state.eq("not_started")).to_numpy(),
        "overdue": state.eq("open").to_numpy() & overdue,
        "open": state.eq("open").to_numpy(),
        "failed": case["outcome"].eq("未完成").to_numpy(),
    }
    cause = np.select(list(rules.values()), list(rules), default="no_effect").astype(object)
    words = {f"cause_{lang}": [CAUSES[c][k] for c in cause] for k, lang in enumerate(("zh", "en"))}
    told = {name: case[name] for name in ("label", "label_en", "started", "due")}
    return firms.assign(cause=cause, **words, relapsed=relapsed, written_off=again["written_off"], **told)


def _year_before(assessment: Assessment) -> tuple[np.ndarray, np.ndarray]:
    """Tell who stood at its line the year before, and who of these stands at that line still: masks of shape (n,)."""
    frame, year = assessment.frame, assessment.year - 1
    if year not in frame.book.years:
        return np.zeros(len(frame.book), dtype=bool), np.zeros(len(frame.book), dtype=bool)
    then = assessment.standing.earlier.get(year) or Standing(Frame(frame.policy, frame.book, year, year), end_of(year))
    return then.below.false, then.below.false & under(frame.now.tax_per_mu, *then.frame.lines).false


def work(assessment: Assessment) -> pd.DataFrame:
    """Count what disposals came to by the day: n of ``of``.

    Returns
    -------
    DataFrame
        id, n, of: written_off (cases that ended 达标 and are written off, of all that ended so), fell_again (enterprises written off that are
        below their line, of all written off), agreements (enterprises with an agreement signed, of those whose open case asks for one; n None
        where the ledger has no column of it).
    """
    standing, rows, last = assessment.standing, case_rows(assessment), latest(assessment)
    passed, off = rows["outcome"].eq("达标"), ~np.isnat(standing.written_off)
    methods = [
        plan_method(assessment, m) if o is True else None
        for m, o in zip(last["method"], last["open"].eq(True), strict=True)
    ]
    asked = np.array([m is not None and bool(m.agreement) for m in methods], dtype=bool) & standing.listed_here
    process = assessment.ledger.process
    signed = process["credit_code"][days_of(process, "agreement") <= day_of(assessment)] if len(process) else ()
    has = np.isin(assessment.frame.book.codes, list(signed))
    told = [
        ("written_off", int((passed & rows["written_off"].notna()).sum()), int(passed.sum())),
        ("fell_again", int((off & standing.relapsed).sum()), int(off.sum())),
        ("agreements", int((asked & has).sum()) if "agreement" in process else None, int(asked.sum())),
    ]
    return framed("work", told)


def parks(assessment: Assessment) -> pd.DataFrame:
    """Set the listed inside the industrial parks against those outside: id (inside, outside), listed, reached, left, below, open."""
    standing, found = assessment.standing, in_park(assessment.frame.reported)
    sides = {"inside": found.true, "outside": found.false} if found.true.any() else {}
    masks = {"listed": standing.listed.true, **standing.state}
    return framed(
        "parks", [{"id": id} | {k: int((m & side).sum()) for k, m in masks.items()} for id, side in sides.items()]
    )


def quotas(assessment: Assessment, tables: Tables) -> pd.DataFrame:
    """Hold each county's part in the targets against its goal: the target's own for a rate, its part of a city total by the listed.

    Returns
    -------
    DataFrame
        county, target, part, whole, n (as ``county_targets``), value, goal, status (met, missed; None where the reading in force does not share
        the city's total out by the listed). Empty where the ledger is of one county.
    """
    listed = pd.Series(assessment.frame.book.text("county"))[assessment.standing.listed.true].value_counts()
    targets = {t["id"]: t for t in tables["targets"].to_dict("records")}
    split = {o.target.id: o.target.split for o in assessment.outcomes}
    rows: list[Any] = []
    for row in tables["county_targets"].to_dict("records") if assessment.level == "city" and len(listed) > 1 else ():
        target, whole = targets[row["target"]], row["whole"]
        value, goal = row["part"], None if pd.isna(target["goal"]) else float(target["goal"])
        if target["kind"] == "share":
            value = row["part"] / whole if whole else None
        elif goal is not None and target["quota"] != "none":
            part = goal * listed.get(row["county"], 0) / listed.sum()
            goal = float(np.ceil(part - 1e-9)) if target["kind"] == "closed" else float(part)
        shared = target["kind"] == "share" or split[target["id"]] == "by_listed"
        told = (
            None
            if goal is None or value is None or not shared
            else "met"
            if _meets(target | {"goal": goal}, value)
            else "missed"
        )
        rows.append(row | {"value": value, "goal": goal, "status": told})
    return framed("quotas", rows)


def _overdue_issues(tables: Tables) -> pd.DataFrame:
    """Count the problems not put right in time by the department that found them: the most first."""
    late = tables["list_issues"]
    late = late[late["state"] == "not_rectified"]
    rows = [
        (unit, len(p), int(p["days_late"].max()), list(p["name"])) for unit, p in late.groupby("department", sort=True)
    ]
    return framed("overdue_issues", sorted(rows, key=lambda row: -row[1]))


def _latest(cases: pd.DataFrame) -> pd.DataFrame:
    """Return each firm's case that is open, else the one begun last; those not begun count only alone."""
    order = cases["state"].map({"open": 2, "not_started": 0}).fillna(1).astype("float64")
    ranked = cases.assign(order=order).sort_values(["order", "started"], kind="stable", na_position="first")
    return ranked.drop_duplicates("credit_code", keep="last").set_index("credit_code")


def _deciding(tables: Tables, firms: pd.DataFrame) -> pd.DataFrame:
    """List whom each rate or number below the line that is not met turns on, in the target's order, with the cause."""
    rows: list[Any] = []
    for target in (t for t in _open_targets(tables) if t["kind"] in ("share", "count")):
        wanted: list[str] = target["turns_on"] or []
        mine = firms.loc[[code for code in wanted if code in firms.index]]
        rows += mine.assign(target=target["id"], rank=range(1, len(mine) + 1), clause=target["clause"]).to_dict(
            "records"
        )
    return framed("deciding", rows)


def _open_targets(tables: Tables) -> list[dict[str, Any]]:
    rows = tables["targets"].to_dict("records")
    return [r for r in rows if r["status"] != "met" and r["reason"] not in ("empty_class", "no_quota")]


def _causes(tables: Tables, firms: pd.DataFrame, deciding: pd.DataFrame) -> pd.DataFrame:
    """Count by cause, the commonest first, whom each target turns on; under the target "" all who are below, by the largest shortfall."""
    wanted = firms["listed"].astype(bool) | firms["relapsed"] | firms.index.isin(deciding["credit_code"])
    below = firms[wanted & firms["below_line"].eq(True) & ~firms["gone"].eq(True)].assign(target="")
    below = below.sort_values(["tax_needed_wan", "credit_code"], ascending=[False, True], kind="stable")
    rows: list[Any] = []
    for _, part in [*deciding.groupby("target", sort=False), ("", below)]:
        made: list[Any] = []
        for _, mine in part.groupby("cause", sort=False):
            row = {k: mine[k].iloc[0] for k in ("target", "cause", "cause_zh", "cause_en")}
            row |= {k: float(mine[k].fillna(0.0).sum()) for k in ("land_mu", "tax_needed_wan")}
            made.append(row | {"n": len(mine), "listed": int(mine["listed"].sum()), "names": list(mine["name"])})
        rows += sorted(made, key=lambda r: (-r["n"], r["cause"]))
    return framed("causes", rows)


def _turns(assessment: Assessment, tables: Tables) -> pd.DataFrame:
    """List what could turn a verdict: missing figures, exemptions not answered for, readings; each with what it would be and is made of."""
    rows: list[Any] = []
    targets = tables["targets"].set_index("id", drop=False)
    for row in tables["narrowing"].to_dict("records"):
        if row["decides"]:
            own = {k: targets.loc[row["target"], k] for k in ("label", "label_en", "low", "high")}
            rows.append(
                own
                | {k: row[k] for k in ("target", "n", "department", "department_en")}
                | {"kind": "fact", "what": row["fact"], "fact": row["fact"]}
            )
    for row in tables["could_turn"].to_dict("records"):
        if row["kind"] in ("absent_column", "blank_column"):
            own = {k: row[k] for k in ("target", "n", "department", "department_en", "low", "high")}
            own |= {"kind": "exempt", "what": row["label"], "what_en": row["label_en"]}
            rows.append(own | {k: targets.loc[row["target"], k] for k in ("label", "label_en")})
    switches = tables.get("readings_switches")
    for row in switches.to_dict("records") if switches is not None else ():
        if row["target"] in targets.index and row["status"] != targets.loc[row["target"], "status"]:
            own = {k: targets.loc[row["target"], k] for k in ("label", "label_en")}
            own |= {"what": row["label"], "what_en": row["label_en"], "kind": "reading"}
            own |= {k: row[k] for k in ("target", "question", "question_en", "value", "status")}
            own |= _under(assessment, row) | {"n": None}
            rows.append(own | dict(zip(("status_zh", "status_en"), STATUS[row["status"]], strict=True)))
    return framed("turns", rows)


def _under(assessment: Assessment, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return part and whole of a target under one reading; nothing where other readings in force move it too."""
    asked = next(r for r in assessment.policy.readings if r.id == row["switch"])
    rules = patch(assessment.policy, next(o.set for o in asked.options if o.id == row["option"]))
    frame = Frame(rules, assessment.frame.book, assessment.year, assessment.frame.facts_year)
    bounded = decide_target(rules.target(row["target"]), frame, assessment.inputs).bounded
    same = bounded.value is not None and abs(bounded.value - row["value"]) < 1e-9
    return {"part": bounded.part, "whole": bounded.whole} if same else {}


def _next_targets(assessment: Assessment) -> pd.DataFrame:
    """Return the targets of the plan's next year, with where this year's data stand against their lines."""
    year = min((y for y in assessment.policy.years.targets if y > assessment.year), default=None)
    rows: list[Any] = []
    for target in assessment.frame.policy.targets if year is not None else ():
        if year in target.years:
            entry = target.years[year].model_dump(exclude_none=True)
            row = _judged(assessment, target, entry, assessment.year)
            stat = STATISTICS[target.statistic]
            row |= {"kind": stat.kind, "weight": stat.weight, "unit": target.unit or stat.unit, "op": target.op}
            rows.append(row | {"label": target.label, "label_en": target.label_en, "year": year})
    return framed("next_targets", rows)


def after(tables: Tables, target: Mapping[str, Any], codes: Iterable[str]) -> dict[str, float | None]:
    """Return a target's value, part and whole if some of the firms it counts stood on the right side of the line, all else equal.

    Returns
    -------
    dict
        value, part, whole; each None where the target is no share and no number of firms below a line, or its value is not known.
    """
    rows, low = tables["members"], target["op"] == "le"
    if pd.isna(target["value"]) or not (target["kind"] == "share" or (target["kind"] == "count" and low)):
        return NOTHING
    mine = rows[(rows["target"] == target["id"]) & rows["credit_code"].isin(list(codes))]
    moved = float(mine["part"].sum()) if low else float((mine["whole"] - mine["part"]).sum())
    if target["kind"] == "count":
        return {"value": target["value"] - moved, "part": None, "whole": None}
    part = target["part"] - moved if low else target["part"] + moved
    return {"value": float(part / target["whole"]), "part": float(part), "whole": float(target["whole"])}


def _meets(target: Mapping[str, Any], value: float | None) -> bool:
    if value is None or pd.isna(target["goal"]):
        return False
    room = 1e-9 * max(abs(target["goal"]), 1e-9)
    return value <= target["goal"] + room if target["op"] == "le" else value >= target["goal"] - room


def _enough(tables: Tables, deciding: pd.DataFrame) -> pd.DataFrame:
    """Tell for each missed target how many of its deciding firms, largest first, would meet it by reaching the line."""
    rows: list[Any] = []
    for target in _open_targets(tables):
        id: str = target["id"]
        mine = deciding[deciding["target"].eq(id)]
        for n in range(1, len(mine) + 1):
            told = after(tables, target, mine["credit_code"].head(n))
            if _meets(target, told["value"]):
                sums = {k: float(mine[k].head(n).sum()) for k in ("land_mu", "tax_needed_wan")}
                rows.append({"target": target["id"], "n": n, "of": len(mine), **sums, **told})
                break
    return framed("enough", rows)


Wanted = tuple[
    str, pd.DataFrame, str, Mapping[str, Any] | None
]  # kind, firms or units, due, the target that it is about


def _wanted(tables: Tables) -> Iterator[Wanted]:
    """Yield what could be done, weightiest first; the rows that it is done about carry their clause."""
    yield from _about_targets(tables)
    pressed = tables["list_pressed"]
    reasons = {why: [why in told for told in pressed["reasons"]] for why in ("case_overdue", "no_case")}
    yield "overdue", pressed[reasons["case_overdue"]], "month", None
    yield "not_started", pressed[reasons["no_case"]], "month", None
    for gap in tables["narrowing"].head(1).to_dict("records"):
        target = next(t for t in tables["targets"].to_dict("records") if t["id"] == gap["target"])
        firms = tables["enterprises"]
        told = {k: gap[k] for k in ("department", "fact")} | {"clause": target["clause"]}
        yield "facts", firms[firms["credit_code"].isin(gap["credit_codes"])].assign(**told), "month", None
    units = tables["ranking_counties" if tables["meta"]["level"] == "city" else "ranking_townships"]
    units = units[~units["whole"].astype(bool)].assign(name=units["unit"], township=units["unit"])
    yield "summon", units[units["summoned"].astype(bool)], "month", None
    worst = units[units["part_rank"] == 1]
    yield "lagging", worst if len(worst) == 1 and str(worst["unit"].iloc[0]) else worst.iloc[:0], "month", None
    neither = [not (a or b) for a, b in zip(*reasons.values(), strict=True)]
    yield "press", pressed[neither], "month", None
    yield "grade_d", tables["list_grade_d"], "month", None
    yield "notify", _newly_listed(tables), "month", None


def _about_targets(tables: Tables) -> Iterator[Wanted]:
    """Yield the disposals to be taken up again, then those that decide each target not met."""
    deciding, relapsed = tables["deciding"], tables["list_relapsed"]
    again = deciding[deciding["cause"].isin(RELAPSES)]
    for target in (t for t in _open_targets(tables) if t["id"] in set(again["target"])):
        yield "relapse", again[again["target"] == target["id"]].assign(clause=_clause(relapsed)), "month", target
        break
    else:
        yield "relapse", relapsed, "month", None
    for target in _open_targets(tables):
        mine = deciding[deciding["target"] == target["id"]]
        enough = tables["enough"][tables["enough"]["target"] == target["id"]]["n"]
        first = mine.head(int(enough.iloc[0]) if len(enough) else 10)
        yield (
            "decisive",
            first[~first["cause"].isin(RELAPSES)] if target["kind"] == "count" else first,
            "target",
            target,
        )


def _actions(assessment: Assessment, tables: Tables, register: Register | None) -> pd.DataFrame:
    """Return three to five things to do, weightiest first: kind, firms, townships, owner, clause, due, effect on the target."""
    rows: list[dict[str, Any]] = []
    for kind, mine, due, target in _wanted(tables):
        if not len(mine) or len(rows) == MOST_ACTIONS:
            continue
        cite = _clause(mine).split("；")[-1]
        towns = mine["township"].value_counts(sort=False)
        worst = min(((-int(n), str(town)) for town, n in towns.items()), default=(None, None))
        told = NOTHING if target is None else after(tables, target, _codes(mine))
        n = int((mine["below"] + mine["open"]).sum()) if kind == "lagging" else len(mine)
        row: dict[str, Any] = {"rank": len(rows) + 1, "kind": kind, "n": n}
        row |= {"target": None if target is None else target["id"]}
        row |= {"names": list(mine["name"]), "townships": [t for t in towns.index if isinstance(t, str) and t]}
        row |= {k: float(mine[k].sum()) if k in mine else None for k in ("land_mu", "tax_needed_wan")}
        row |= {"clause": cite, "due": _due(assessment, due), "value_after": told["value"]} | told
        row |= {k: mine[k].iloc[0] if k in mine and kind == "facts" else None for k in ("department", "fact")}
        row |= {"meets_after": target is not None and _meets(target, told["value"]), "worst_town": worst[1]}
        owner, owner_en = _owners(register, cite)
        if not owner:  # the clause names nobody: the townships answer
            names = [str(t) for t in row["townships"][:OWNERS]]
            owner, owner_en = "、".join(names), ", ".join(names)
        rows.append(row | {"worst_n": None if worst[0] is None else -worst[0], "owner": owner, "owner_en": owner_en})
    return framed("actions", rows)


def _codes(rows: pd.DataFrame) -> list[str]:
    return list(rows["credit_code"]) if "credit_code" in rows else []


def _newly_listed(tables: Tables) -> pd.DataFrame:
    """Return who comes on the next year's list anew, with the clause of notification; nobody where the plan has no next list."""
    rows, steps = tables["opening_list"], tables["procedure"]
    rows = rows[rows["identified"].eq(True) & ~rows["before"].astype(bool)] if len(rows) else rows
    rows = rows if tables["meta"]["next_governed"] else rows.iloc[:0]
    return rows.assign(clause=_clause(steps))


def _owners(register: Register | None, clauses: str) -> tuple[str, str]:
    """Return who answers for a clause: the units of its dated steps, else of its duties."""
    if register is None:
        return "", ""
    english = {duty.unit: duty.unit_en for duty in register.duties}
    for cite in reversed([c for c in clauses.split("；") if c]):
        for entry in (*register.calendar, *register.duties):
            if any(covers(cite, c) or covers(c, cite) or c.startswith(cite) for c in entry.cite):
                units = [u for u in getattr(entry, "units", (getattr(entry, "unit", ""),)) if u != FIRMS]
                zh, en = ("等", " and others") if len(units) > OWNERS else ("", "")
                return "、".join(units[:OWNERS]) + zh, ", ".join(english.get(u, u) for u in units[:OWNERS]) + en
    return "", ""


def _due(assessment: Assessment, kind: str) -> Any:
    """Return the last day for an action: the end of the next month, or of the next target year; NaT after the plan's years."""
    year = assessment.year
    governed = assessment.policy.years
    if year + 1 not in {*governed.identification, *governed.targets}:
        return pd.NaT
    if kind == "target":
        ahead = [y for y in governed.targets if y > year]
        return pd.Timestamp(min(ahead), 12, 31) if ahead else pd.NaT
    return pd.Timestamp(year + 1, 1, 31)


def _measures(tables: Tables) -> Iterator[tuple[str, str, pd.DataFrame, str]]:
    """Yield each measure in both languages, whom it is taken with, and by when it is due."""
    relapsed = tables["list_relapsed"]
    yield "重新核查销号，未达到标准线的恢复处置", "review write-offs and resume disposal", relapsed, "month"
    met = tables["consequences"]
    for _, mine in met.groupby("consequence", sort=False) if len(met) else ():
        said: list[Any] = []
        for tail, colon, gap in (("", "：", "；"), ("_en", ": ", "; ")):
            effects = dict.fromkeys(effect for row in mine[f"effects{tail}"] for effect in row)
            said.append(f"{mine[f'label{tail}'].iloc[0]}{colon}{gap.join(effects)}")
        yield said[0], said[1], mine, "month"
    yield (
        "督办逾期和未启动的处置",
        "follow up disposals that are overdue or not started",
        tables["list_pressed"],
        "month",
    )
    yield "税负辅导", "tax guidance", tables["list_guided"], "target"
    yield "告知新列入企业", "notify newly listed firms", _newly_listed(tables), "month"
    yield "补齐处置材料", "obtain the missing documents", tables["list_papers"], "month"


def _next_steps(assessment: Assessment, tables: Tables, register: Register | None) -> pd.DataFrame:
    """Return what follows: measure, who answers, by when, for which firms (措施—责任单位—时限—对应企业)."""
    rows: list[Any] = []
    for zh, en, firms, due in _measures(tables):
        if len(firms):
            owner, owner_en = _owners(register, _clause(firms))
            row = {"measure": zh, "measure_en": en, "owner": owner, "owner_en": owner_en, "clause": _clause(firms)}
            rows.append(row | {"due": _due(assessment, due), "n": len(firms), "names": list(firms["name"])})
    return framed("next_steps", rows)


def _clause(rows: pd.DataFrame) -> str:
    return str(rows["clause"].iloc[0]) if len(rows) and "clause" in rows else ""


def _examples(firms: pd.DataFrame) -> pd.DataFrame:
    """Propose typical cases: three of the list that rose most in tax, three still here that stand furthest below."""
    listed = firms[firms["listed"].astype(bool)]
    listed = listed.assign(rise_wan=(listed["tax_per_mu"] - listed["tax_per_mu_before"]) * listed["land_mu"])
    sides = {
        "rose": (listed[listed["reached"].astype(bool) & (listed["rise_wan"] > 0)], "rise_wan"),
        "below": (listed[listed["below_line"].eq(True) & ~listed["gone"].eq(True)], "tax_needed_wan"),
    }
    rows: list[Any] = []
    for side, (part, by) in sides.items():
        first = part.sort_values([by, "credit_code"], ascending=[False, True], kind="stable").head(EXAMPLES)
        rows += first.assign(side=side, rank=range(1, len(first) + 1)).to_dict("records")
    return framed("examples", rows)
