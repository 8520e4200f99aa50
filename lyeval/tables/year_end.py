"""What a year-end review says beyond the verdict: who decides a target and why, what to do, what was done by whom (年终评估各表)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame
from lyeval.assessment.standing import standing_of
from lyeval.assessment.totals import decide_target
from lyeval.policy import patch
from lyeval.policy.register import covers

if TYPE_CHECKING:
    from lyeval.assessment import Assessment
    from lyeval.policy.register import Register

Tables = Mapping[str, Any]
MOST_ACTIONS = 5
EXAMPLES = 3
STATUS = {"met": ("达标", "met"), "missed": ("未达标", "missed"), "undetermined": ("暂不能判定", "undetermined")}
CAUSES: dict[str, tuple[str, str]] = {
    "written_off": ("销号后反弹", "fell again after being written off"),
    "relapsed": ("达到后反弹", "fell again after reaching the line"),
    "fell": ("本年新跌落", "fell below this year"),
    "overdue": ("处置逾期", "disposal past its term"),
    "open": ("处置中", "disposal in progress"),
    "failed": ("处置未完成", "disposal not completed"),
    "no_effect": ("办结后仍低于标准", "still below after disposal"),
    "not_started": ("一直未启动", "no disposal begun"),
    "unlisted": ("未列入名单", "not on the list"),
    "unknown": ("数据待补", "figures missing"),
}


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
        history (id, year, value, n, line), deciding (the firms that a missed or open target turns on, with cause), causes (their numbers),
        enough (how many of them suffice), actions, next_steps, examples, calendar, duties.
    """
    deciding = _deciding(tables)
    made: dict[str, pd.DataFrame] = {
        "history": history(assessment),
        "years": years(assessment),
        "deciding": deciding,
        "causes": _causes(deciding),
        "causes_all": _causes_all(tables),
        "turns": _turns(tables),
        "next_targets": _next_targets(assessment, tables),
        "examples": _examples(tables, deciding),
        "duties": _duties(register),
        "calendar": _calendar(assessment, register),
    }
    made["enough"] = _enough(tables, deciding)
    made["actions"] = _actions(assessment, tables | made, register)
    made["next_steps"] = _next_steps(assessment, tables | made, register)
    return made


def history(assessment: Assessment) -> pd.DataFrame:
    """Return each target's statistic in every year of the ledger up to the one assessed, on that year's line.

    Returns
    -------
    DataFrame
        id, year, value (None where it cannot be told), n, line (万元/亩).
    """
    rows = []
    for outcome in assessment.outcomes:
        target, year = outcome.target, assessment.year
        entry = target.years[year].model_dump(exclude_none=True)
        for past in (y for y in assessment.frame.book.years if y <= year):
            rules = patch(assessment.frame.policy, {f"targets.{target.id}.years.{past}": entry})
            frame = Frame(rules, assessment.frame.book, past, past)
            told = outcome if past == year else decide_target(rules.target(target.id), frame, assessment.inputs)
            bounded = told.bounded
            value = bounded.value if bounded.n or target.statistic.startswith("count") else None
            rows.append((target.id, past, value, bounded.n, entry.get("threshold")))
    return pd.DataFrame(rows, columns=["id", "year", "value", "n", "line"])


def years(assessment: Assessment) -> pd.DataFrame:
    """Return tax and land of who is in scope and here, by year and by the plan's rule of land.

    Returns
    -------
    DataFrame
        year, n (firms), both (of them with tax and land), tax_wan, land_mu, tax_per_mu (Σ tax ÷ Σ land of those with both).
    """
    rows = []
    for year in (y for y in assessment.frame.book.years if y <= assessment.year):
        frame = Frame(assessment.frame.policy, assessment.frame.book, year, year)
        standing = standing_of(frame)
        here = standing.here_in_scope & ~standing.excluded
        tax, land = frame.reported.tax[here], frame.reported.land[here]
        both = ~np.isnan(tax) & ~np.isnan(land)
        total, area = float(tax[both].sum()), float(land[both].sum())
        rows.append((year, int(here.sum()), int(both.sum()), total, area, total / area if area else None))
    return pd.DataFrame(rows, columns=["year", "n", "both", "tax_wan", "land_mu", "tax_per_mu"])


def _causes_all(tables: Tables) -> pd.DataFrame:
    """Count everybody below the line, on the list or deciding a target, by cause: the most first."""
    firms, deciding = tables["enterprises"], _deciding(tables)
    mine = firms[firms["below_line"].eq(True) & (firms["listed"].astype(bool) | firms["credit_code"].isin(deciding["credit_code"]))
                 & ~firms["gone"].eq(True)]  # fmt: skip
    cases, relapsed = _latest(tables["disposals"]), tables["list_relapsed"].set_index("credit_code")
    rows: dict[str, dict[str, Any]] = {}
    for firm in mine.sort_values(["tax_needed_wan", "credit_code"], ascending=[False, True], kind="stable").to_dict(
        "records"
    ):
        code = firm["credit_code"]
        cause = _cause(pd.Series(firm), cases.loc[code] if code in cases.index else None,
                       relapsed.loc[code] if code in relapsed.index else None)  # fmt: skip
        row = rows.setdefault(cause, {"cause": cause, "cause_zh": CAUSES[cause][0], "cause_en": CAUSES[cause][1], "n": 0,
                                      "land_mu": 0.0, "tax_needed_wan": 0.0, "names": []})  # fmt: skip
        row["n"] += 1
        row["land_mu"] += firm["land_mu"] if pd.notna(firm["land_mu"]) else 0.0
        row["tax_needed_wan"] += firm["tax_needed_wan"] if pd.notna(firm["tax_needed_wan"]) else 0.0
        row["names"].append(firm["name"])
    columns = ["cause", "cause_zh", "cause_en", "n", "land_mu", "tax_needed_wan", "names"]
    made = pd.DataFrame(list(rows.values()), columns=columns)
    return made.sort_values(["n", "cause"], ascending=[False, True], kind="stable", ignore_index=True)


def _turns(tables: Tables) -> pd.DataFrame:
    """List what could turn a target's verdict: missing figures, then readings, each with what it would be."""
    rows = []
    targets = tables["targets"].set_index("id", drop=False)
    for row in tables["narrowing"].to_dict("records"):
        if row["decides"]:
            target = targets.loc[row["target"]]
            rows.append({"target": row["target"], "kind": "fact", "what": row["fact"], "n": row["n"], "label": target["label"],
                         "department": row["department"], "low": target["low"], "high": target["high"]})  # fmt: skip
    switches = tables.get("readings_switches")
    for row in switches.to_dict("records") if switches is not None else ():
        if row["target"] in targets.index and row["status"] != targets.loc[row["target"], "status"]:
            target = targets.loc[row["target"]]
            rows.append({"target": row["target"], "kind": "reading", "what": row["label"], "what_en": row["label_en"],
                         "question": row["question"], "question_en": row["question_en"], "label": target["label"],
                         "label_en": target["label_en"], "value": row["value"], "status": row["status"],
                         "status_zh": STATUS[row["status"]][0], "status_en": STATUS[row["status"]][1]})  # fmt: skip
    columns = ["target", "kind", "what", "what_en", "question", "question_en", "label", "label_en", "n", "department", "low",
               "high", "value", "status", "status_zh", "status_en"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _next_targets(assessment: Assessment, tables: Tables) -> pd.DataFrame:
    """Return the targets of the plan's next year, with where this year's data stand against their lines."""
    ahead = [y for y in assessment.policy.years.targets if y > assessment.year]
    rows = []
    for target in assessment.frame.policy.targets if ahead else ():
        year = min(ahead)
        if year not in target.years:
            continue
        entry = target.years[year].model_dump(exclude_none=True)
        rules = patch(assessment.frame.policy, {f"targets.{target.id}.years.{assessment.year}": entry})
        frame = Frame(rules, assessment.frame.book, assessment.year, assessment.year)
        told = decide_target(rules.target(target.id), frame, assessment.inputs)
        rows.append((target.id, target.label, target.label_en, year, told.bounded.value, told.goal, entry.get("threshold"),
                     told.bounded.n))  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "label", "label_en", "year", "value", "goal", "line", "n"])


def _deciding(tables: Tables) -> pd.DataFrame:
    """List whom each target that is not met turns on, in the target's order, with the cause."""
    firms = tables["enterprises"].set_index("credit_code", drop=False)
    cases = _latest(tables["disposals"])
    relapsed = tables["list_relapsed"].set_index("credit_code")
    rows = []
    for target in _open_targets(tables):
        for rank, code in enumerate((c for c in target["turns_on"] or [] if c in firms.index), start=1):
            firm, case = firms.loc[code], cases.loc[code] if code in cases.index else None
            cause = _cause(firm, case, relapsed.loc[code] if code in relapsed.index else None)
            rows.append({
                "target": target["id"], "rank": rank, **{k: firm[k] for k in FIRM},
                "cause": cause, "cause_zh": CAUSES[cause][0], "cause_en": CAUSES[cause][1],
                "written_off": relapsed.loc[code, "written_off"] if code in relapsed.index else pd.NaT,
                "label": None if case is None else case["label"], "label_en": None if case is None else case["label_en"],
                "due": pd.NaT if case is None else case["due"], "clause": target["clause"],
            })  # fmt: skip
    return pd.DataFrame(rows, columns=["target", "rank", *FIRM, *DECIDING])


FIRM = ["credit_code", "name", "township", "county", "class", "listed", "land_mu", "tax_wan", "tax_per_mu", "tax_per_mu_before", "line",
        "tax_needed_wan"]  # fmt: skip
DECIDING = ["cause", "cause_zh", "cause_en", "written_off", "label", "label_en", "due", "clause"]


def _open_targets(tables: Tables) -> list[dict[str, Any]]:
    rows = tables["targets"].to_dict("records")
    return [r for r in rows if r["status"] != "met" and r["reason"] not in ("empty_class", "no_quota")]


def _latest(cases: pd.DataFrame) -> pd.DataFrame:
    """Return each firm's case that is open, else the one begun last; those not begun count only alone."""
    if cases.empty:
        return cases.set_index("credit_code")
    order = cases["state"].map({"open": 2, "not_started": 0}).fillna(1)
    ranked = cases.assign(order=order).sort_values(["order", "started"], kind="stable", na_position="first")
    return ranked.drop_duplicates("credit_code", keep="last").set_index("credit_code")


def _cause(firm: pd.Series, case: pd.Series | None, relapse: pd.Series | None) -> str:
    """Say why a firm stands below its line: the id of a cause."""
    if firm["below_line"] is not True:
        return "unknown"
    if relapse is not None:
        return "relapsed" if pd.isna(relapse["written_off"]) else "written_off"
    if not firm["listed"]:
        before = firm["tax_per_mu_before"]
        return "fell" if pd.notna(before) and before >= firm["line"] else "unlisted"
    if case is None or case["state"] == "not_started":
        return "not_started"
    if case["state"] == "open":
        return "overdue" if bool(case["overdue"]) else "open"
    return "failed" if case["outcome"] == "未完成" else "no_effect"


def _causes(deciding: pd.DataFrame) -> pd.DataFrame:
    """Count the deciding firms by target and cause, the commonest first."""
    if deciding.empty:
        return pd.DataFrame(columns=["target", "cause", "cause_zh", "cause_en", "n", "land_mu", "tax_needed_wan"])
    keys = ["target", "cause", "cause_zh", "cause_en"]
    made = deciding.groupby(keys, sort=False).agg(
        n=("credit_code", "size"), land_mu=("land_mu", "sum"), tax_needed_wan=("tax_needed_wan", "sum")
    )
    places = {target: k for k, target in enumerate(dict.fromkeys(deciding["target"]))}
    made = made.reset_index()
    order = np.lexsort((made["cause"], -made["n"], made["target"].map(places)))
    return made.iloc[order].reset_index(drop=True)


def value_without(tables: Tables, target: Mapping[str, Any], codes: Iterable[str]) -> float | None:
    """Return a target's value if some of the firms it counts stood on the right side of the line, all else equal."""
    rows, part, whole = tables["members"], target["part"], target["whole"]
    mine = rows[(rows["target"] == target["id"]) & rows["credit_code"].isin(list(codes))]
    if pd.isna(target["value"]) or target["kind"] not in ("share", "count"):
        return None
    moved = float(mine["part"].sum()) if target["op"] == "le" else float((mine["whole"] - mine["part"]).sum())
    if target["kind"] == "count":
        return target["value"] - moved if target["op"] == "le" else None
    return float((part - moved) / whole) if target["op"] == "le" else float((part + moved) / whole)


def _meets(target: Mapping[str, Any], value: float | None) -> bool:
    if value is None or pd.isna(target["goal"]):
        return False
    room = 1e-9 * max(abs(target["goal"]), 1e-9)
    return value <= target["goal"] + room if target["op"] == "le" else value >= target["goal"] - room


def _enough(tables: Tables, deciding: pd.DataFrame) -> pd.DataFrame:
    """Tell for each missed target how many of its deciding firms, largest first, would meet it by reaching the line."""
    rows = []
    for target in _open_targets(tables):
        codes = list(deciding.loc[deciding["target"] == target["id"], "credit_code"])
        for n in range(1, len(codes) + 1):
            value = value_without(tables, target, codes[:n])
            if _meets(target, value):
                first = deciding[deciding["target"] == target["id"]].head(n)
                rows.append((target["id"], n, len(codes), float(first["land_mu"].sum()),
                             float(first["tax_needed_wan"].sum()), value))  # fmt: skip
                break
    return pd.DataFrame(rows, columns=["target", "n", "of", "land_mu", "tax_needed_wan", "value"])


def _actions(assessment: Assessment, tables: Tables, register: Register | None) -> pd.DataFrame:
    """Return three to five things to do, weightiest first: kind, firms, townships, owner, clause, due, effect on the target."""
    made = [*_relapse_actions(tables), *_decisive_actions(tables), *_overdue_action(tables), *_idle_action(tables),
            *_fact_actions(tables), *_summons(tables), *_lagging(tables), *_press_action(tables), *_grade_action(tables),
            *_list_action(tables)]  # fmt: skip
    rows = []
    for action in made[:MOST_ACTIONS]:
        owners, owners_en = _owners(register, action["clause"].split("；")[-1])
        value, target = None, action.get("about")
        if target is not None:
            value = value_without(tables, target, action["codes"])
        rows.append({
            "rank": len(rows) + 1, "kind": action["kind"], "target": None if target is None else target["id"],
            "n": action["n"], "names": action["names"], "townships": action["townships"],
            "land_mu": action.get("land_mu"), "tax_needed_wan": action.get("tax_needed_wan"), "owner": owners,
            "owner_en": owners_en, "clause": action["clause"].split("；")[-1], "due": _due(assessment, action["due"]),
            "value_after": value, "meets_after": target is not None and _meets(target, value),
            **{key: action.get(key) for key in ("department", "fact", "worst_town", "worst_n")},
        })  # fmt: skip
    return pd.DataFrame(rows, columns=ACTIONS)


ACTIONS = ["rank", "kind", "target", "n", "names", "townships", "land_mu", "tax_needed_wan", "owner", "owner_en", "clause", "due",
           "value_after", "meets_after", "department", "fact", "worst_town", "worst_n"]  # fmt: skip


def _action(kind: str, rows: pd.DataFrame, clause: str, due: str, about: Any = None) -> dict[str, Any]:
    towns = [t for t in dict.fromkeys(rows["township"]) if isinstance(t, str) and t]
    numbers = rows["township"].value_counts(sort=False)
    worst = sorted((-int(n), str(town)) for town, n in numbers.items())
    return {
        "kind": kind, "n": len(rows), "codes": list(rows["credit_code"]), "names": list(rows["name"]), "townships": towns,
        "land_mu": float(rows["land_mu"].sum()) if "land_mu" in rows else None,
        "tax_needed_wan": float(rows["tax_needed_wan"].sum()) if "tax_needed_wan" in rows else None,
        "clause": clause, "due": due, "about": about, "worst_town": worst[0][1] if worst else None,
        "worst_n": -worst[0][0] if worst else None,
    }  # fmt: skip


def _relapse_actions(tables: Tables) -> list[dict[str, Any]]:
    rows, deciding = tables["list_relapsed"], tables["deciding"]
    if rows.empty:
        return []
    clause = str(rows["clause"].iloc[0])
    out = []
    for target in _open_targets(tables):
        mine = deciding[(deciding["target"] == target["id"]) & deciding["cause"].isin(["written_off", "relapsed"])]
        if len(mine):
            out.append(_action("relapse", mine, clause, "month", target))
    return out[:1] or [_action("relapse", rows, clause, "month")]


def _decisive_actions(tables: Tables) -> list[dict[str, Any]]:
    out = []
    for target in _open_targets(tables):
        mine = tables["deciding"][tables["deciding"]["target"] == target["id"]]
        enough = tables["enough"][tables["enough"]["target"] == target["id"]]
        if not len(mine):
            continue
        first = mine.head(int(enough["n"].iloc[0]) if len(enough) else 10)
        left = first[~first["cause"].isin(["written_off", "relapsed"])] if target["kind"] == "count" else first
        if len(left):
            out.append(_action("decisive", left, str(target["clause"]), "target", target))
    return out


def _overdue_action(tables: Tables) -> list[dict[str, Any]]:
    pressed = tables["list_pressed"]
    rows = pressed[[("case_overdue" in reasons) for reasons in pressed["reasons"]]] if len(pressed) else pressed
    return [_action("overdue", rows, str(rows["clause"].iloc[0]), "month")] if len(rows) else []


def _idle_action(tables: Tables) -> list[dict[str, Any]]:
    pressed = tables["list_pressed"]
    rows = pressed[[("no_case" in reasons) for reasons in pressed["reasons"]]] if len(pressed) else pressed
    return [_action("not_started", rows, str(rows["clause"].iloc[0]), "month")] if len(rows) else []


def _fact_actions(tables: Tables) -> list[dict[str, Any]]:
    out = []
    for row in tables["narrowing"].to_dict("records"):
        firms = tables["enterprises"]
        mine = firms[firms["credit_code"].isin(row["credit_codes"])]
        target = tables["targets"].set_index("id", drop=False).loc[row["target"]]
        out.append(_action("facts", mine, str(target["clause"]), "month")
                   | {"department": row["department"], "fact": row["fact"]})  # fmt: skip
    return out[:1]


def _summons(tables: Tables) -> list[dict[str, Any]]:
    rows = tables["ranking_townships"]
    rows = rows[rows["summoned"].astype(bool) & ~rows["whole"].astype(bool)]
    if rows.empty:
        return []
    units = [str(u) for u in rows["unit"]]
    return [{"kind": "summon", "n": len(rows), "codes": [], "names": units, "townships": units, "due": "month",
             "clause": str(rows["clause"].iloc[0])}]  # fmt: skip


def _lagging(tables: Tables) -> list[dict[str, Any]]:
    """Name the unit in which most of what is not settled stands, where one has more than any other."""
    rows = tables["ranking_townships"]
    rows = rows[~rows["whole"].astype(bool) & (rows["part_rank"] == 1)]
    if len(rows) != 1 or not str(rows["unit"].iloc[0]):
        return []
    unit = rows.iloc[0]
    left = int(unit["below"] + unit["open"])
    return [{"kind": "lagging", "n": left, "codes": [], "names": [str(unit["unit"])], "townships": [str(unit["unit"])],
             "land_mu": float(unit["land_mu"]), "tax_needed_wan": float(unit["tax_needed_wan"]), "due": "month",
             "clause": str(unit["clause"])}]  # fmt: skip


def _press_action(tables: Tables) -> list[dict[str, Any]]:
    """Press whoever is behind by a rule other than the two that have actions of their own."""
    pressed = tables["list_pressed"]
    told = ("case_overdue", "no_case")
    rows = pressed[[not any(t in reasons for t in told) for reasons in pressed["reasons"]]] if len(pressed) else pressed
    return [_action("press", rows, str(rows["clause"].iloc[0]), "month")] if len(rows) else []


def _grade_action(tables: Tables) -> list[dict[str, Any]]:
    """Apply what the plan has for those that miss the line."""
    rows = tables["list_grade_d"]
    return [_action("grade_d", rows, str(rows["clause"].iloc[0]), "month")] if len(rows) else []


def _list_action(tables: Tables) -> list[dict[str, Any]]:
    rows = tables["opening_list"]
    if not tables["meta"]["next_governed"]:
        return []
    new = rows[rows["identified"].eq(True) & ~rows["before"].astype(bool)] if len(rows) else rows
    steps = tables["procedure"]
    clause = str(steps["clause"].iloc[0]) if len(steps) else ""
    return [_action("notify", new, clause, "month")] if len(new) else []


def _owners(register: Register | None, clauses: str) -> tuple[str, str]:
    """Return who answers for a clause: the units of its dated steps, else of its duties."""
    if register is None:
        return "", ""
    cites = [c for c in clauses.split("；") if c]
    english = {duty.unit: duty.unit_en for duty in register.duties}
    for cite in reversed(cites):
        for entries in (register.calendar, register.duties):
            for entry in entries:
                if any(covers(cite, c) or covers(c, cite) or c.startswith(cite) for c in entry.cite):
                    units = [u for u in getattr(entry, "units", (getattr(entry, "unit", ""),)) if u != FIRMS]
                    told = "、".join(units[:OWNERS]) + ("等" if len(units) > OWNERS else "")
                    more = " and others" if len(units) > OWNERS else ""
                    return told, ", ".join(english.get(u, u) for u in units[:OWNERS]) + more
    return "", ""


FIRMS = "企业"
OWNERS = 3  # units that answer, named


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


def _next_steps(assessment: Assessment, tables: Tables, register: Register | None) -> pd.DataFrame:
    """Return what follows: measure, who answers, by when, for which firms (措施—责任单位—时限—对应企业)."""
    rows: list[dict[str, Any]] = []

    def add(zh: str, en: str, firms: pd.DataFrame, clause: str, due: str = "month") -> None:
        if len(firms):
            owner, owner_en = _owners(register, clause)
            rows.append({
                "measure": zh, "measure_en": en, "owner": owner, "owner_en": owner_en, "due": _due(assessment, due),
                "n": len(firms), "names": list(firms["name"]), "clause": clause,
            })  # fmt: skip

    relapsed = tables["list_relapsed"]
    add("重新核查销号，未达到标准线的恢复处置", "review the write-off and resume disposal", relapsed, _clause(relapsed))
    met = tables["consequences"]
    for _, mine in met.groupby("consequence", sort=False) if len(met) else ():
        effects = list(dict.fromkeys(e for row in mine["effects"] for e in row))
        english = list(dict.fromkeys(e for row in mine["effects_en"] for e in row))
        add(
            f"{mine['label'].iloc[0]}：{'；'.join(effects)}",
            f"{mine['label_en'].iloc[0]}: {'; '.join(english)}",
            mine,
            _clause(mine),
        )
    pressed = tables["list_pressed"]
    add("督办逾期和未启动的处置", "press disposals overdue or not begun", pressed, _clause(pressed))
    guided = tables["list_guided"]
    add("税负辅导", "tax guidance", guided, _clause(guided), "target")
    new = tables["opening_list"]
    fresh = new[new["identified"].eq(True) & ~new["before"].astype(bool)] if len(new) else new
    fresh = fresh if tables["meta"]["next_governed"] else fresh.iloc[:0]
    steps = tables["procedure"]
    add("告知新列入企业", "notify the newly listed", fresh, str(steps["clause"].iloc[0]) if len(steps) else "")
    owed = tables["list_papers"]
    add("补齐处置材料", "papers owed for disposal", owed, _clause(owed))
    columns = ["measure", "measure_en", "owner", "owner_en", "due", "n", "names", "clause"]
    return pd.DataFrame(rows, columns=columns)


def _clause(rows: pd.DataFrame) -> str:
    return str(rows["clause"].iloc[0]) if len(rows) and "clause" in rows else ""


def _examples(tables: Tables, deciding: pd.DataFrame) -> pd.DataFrame:
    """Propose typical cases: three of the list that rose most in tax, three that stand furthest below."""
    firms = tables["enterprises"]
    cases = _latest(tables["disposals"])
    listed = firms[firms["listed"].astype(bool)]
    rise = (listed["tax_per_mu"] - listed["tax_per_mu_before"]) * listed["land_mu"]
    rose = listed[listed["reached"].astype(bool) & (rise > 0)].assign(rise=rise)
    rose = rose.sort_values(["rise", "credit_code"], ascending=[False, True], kind="stable").head(EXAMPLES)
    below = listed[listed["below_line"].eq(True)].assign(rise=rise)
    below = below.sort_values(["tax_needed_wan", "credit_code"], ascending=[False, True], kind="stable").head(EXAMPLES)
    relapsed = tables["list_relapsed"].set_index("credit_code")
    rows = []
    for side, part in (("rose", rose), ("below", below)):
        for firm in part.to_dict("records"):
            code = firm["credit_code"]
            case = cases.loc[code] if code in cases.index else None
            cause = _cause(pd.Series(firm), case, relapsed.loc[code] if code in relapsed.index else None)
            rows.append({
                "side": side, "rank": len([r for r in rows if r["side"] == side]) + 1, **{k: firm[k] for k in FIRM}, "rise_wan": firm["rise"],
                "label": None if case is None else case["label"], "label_en": None if case is None else case["label_en"],
                "started": pd.NaT if case is None else case["started"],
                "cause_zh": CAUSES[cause][0], "cause_en": CAUSES[cause][1],
            })  # fmt: skip
    columns = ["side", "rank", *FIRM, "rise_wan", "label", "label_en", "started", "cause_zh", "cause_en"]
    return pd.DataFrame(rows, columns=columns)


def _duties(register: Register | None) -> pd.DataFrame:
    """Return the bodies that the plan names, with what each answers for."""
    rows = [] if register is None else [(d.unit, d.unit_en, d.zh, d.en, "；".join(d.cite)) for d in register.duties]
    return pd.DataFrame(rows, columns=["unit", "unit_en", "duty", "duty_en", "clause"])


EVIDENCE: dict[str, tuple[str, str]] = {
    "notice": ("process", "notified"), "certification": ("process", "certified"), "public_notice": ("process", "published"),
    "plan": ("process", "plan_approved"), "one_plan_each": ("process", "plan_approved"), "write_off": ("disposals", "written_off"),
    "priority_list": ("process", "key_listed"), "check_up": ("issues", "found"), "joint_inspection": ("issues", "found"),
    "acceptance": ("issues", "accepted"), "demolition": ("disposals", "demolished_on"), "closure_list": ("disposals", "started"),
}  # fmt: skip


def _calendar(assessment: Assessment, register: Register | None) -> pd.DataFrame:
    """Set the plan's dated and recurring steps against the ledger: how many firms it shows as done, and how many too late.

    Returns
    -------
    DataFrame
        id, label, label_en, start, end, every, owner, clause, n (firms with a date in the year), late (of them after ``end``), state
        (done, late, not_reported: the ledger has no column or no date for it).
    """
    rows = []
    year, ledger = assessment.year, assessment.ledger
    for event in register.calendar if register is not None else ():
        if event.end is not None and event.end.year != year:
            continue
        sheet, column = EVIDENCE.get(event.id, ("", ""))
        frame = getattr(ledger, sheet) if sheet else pd.DataFrame()
        dates = [day for day in frame.get(column, ()) if pd.notna(day)]
        mine = [day for day in dates if day.year == year]
        late = sum(day > pd.Timestamp(event.end) for day in mine) if event.end is not None else 0
        state = "not_reported" if not len(mine) else "late" if late else "done"
        rows.append({
            "id": event.id, "label": event.zh, "label_en": event.en, "start": event.start, "end": event.end,
            "every": event.every, "owner": "、".join(event.units), "clause": "；".join(event.cite), "n": len(mine),
            "late": late, "state": state,
        })  # fmt: skip
    columns = ["id", "label", "label_en", "start", "end", "every", "owner", "clause", "n", "late", "state"]
    made = pd.DataFrame(rows, columns=columns, dtype=object)
    days = {name: pd.to_datetime(made[name]).astype("datetime64[us]") for name in ("start", "end")}
    return made.assign(**days).astype({"n": "int64", "late": "int64"})
