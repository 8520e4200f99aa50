"""Who is to get which paper, and on what evidence (文书：发给谁、凭什么): each firm at most one paper of the procedure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.indicators import Facts, year_end
from lyeval.indicators.facts import asked_of
from lyeval.ledger.columns import of_sheet
from lyeval.tables.casework import latest, plan_method, responsible
from lyeval.tables.registry import framed, layout
from lyeval.told import unit_text

if TYPE_CHECKING:
    from lyeval.assessment import Assessment
    from lyeval.policy import Condition
    from lyeval.policy.register import Register

Tables = Mapping[str, Any]
FIGURES = ["land_mu", "tax_wan", "tax_per_mu", "tax_per_mu_before", "line", "tax_needed_wan"]
STEPS = ("notified", "statement", "certified", "published", "accepted")
CASE = {"disposal": "label", "disposal_en": "label_en"} | {k: k for k in ("outcome", "next_step", "difficulty")}
INTENT = "申请意向书"
CONTROLS = {
    "plot_ratio": ("容积率", "plot ratio", ""),
    "building_density": ("建筑密度", "building density", ""),
    "investment_intensity": ("投资强度", "investment intensity", "万元/亩"),
}
PER_MU = ("亩均税收", "tax per mu", "万元/亩")
WITHDRAWN = "撤销"  # how a statement ended that was upheld


def papers(assessment: Assessment, tables: Tables, register: Register | None) -> dict[str, pd.DataFrame]:
    """Return the tables of the papers, as of 31 December of the year assessed.

    Returns
    -------
    dict of DataFrame
        ``papers`` (one row a paper and firm), ``evidence`` (what shows each ground that a listed firm is listed on: agreed and actual, or since
        when), ``survey_form`` (the plan's survey form filled in, one row a field).
    """
    return {
        "papers": _papers(assessment, tables),
        "evidence": evidence(assessment),
        "survey_form": survey_form(assessment, tables, register),
        "files": _files(assessment, tables),
        "pressed_units": _units(tables["list_pressed"]),
    }


def _files(assessment: Assessment, tables: Tables) -> pd.DataFrame:
    """Return what a dossier's page says of each listed firm: who, figures, stage, its disposal; by township, most land first."""
    firms, last = tables["enterprises"], latest(assessment)
    more = {name: [_text(v) for v in last[column]] for name, column in CASE.items()}
    made = firms.assign(**more, due=last["due"].to_numpy(), responsible=responsible(assessment))
    made = made.assign(town=made["township"].fillna("~"))[made["listed"].astype(bool)]
    order = ["town", "land_mu", "credit_code"]
    made = made.sort_values(order, ascending=[True, False, True], kind="stable", ignore_index=True)
    return made[layout()["files"]]


def _units(pressed: pd.DataFrame) -> pd.DataFrame:
    """Count whom each unit is to be pressed for: unit, n, clause."""
    by = pressed.groupby("responsible", sort=True)
    return framed("pressed_units", [(unit, len(mine), mine["clause"].iloc[0]) for unit, mine in by])


def _papers(assessment: Assessment, tables: Tables) -> pd.DataFrame:
    """Say who gets which: one of `ORDER` at most, by the step that comes next; agreements and letters of intent besides."""
    last, answer = latest(assessment), responsible(assessment)
    steps, named = _steps(assessment, tables), tables["list_priority"].set_index("credit_code").to_dict("index")
    owed = dict(zip(tables["list_papers"]["credit_code"], tables["list_papers"]["owed"], strict=True))
    asked, rows = set(tables["procedure"]["step"]), list[Any]()
    for at, firm in enumerate(tables["enterprises"].to_dict("records")):
        if not firm["listed"] or firm["gone"] is True:
            continue
        code, case = firm["credit_code"], last.iloc[at]
        method = plan_method(assessment, case["method"]) if _true(case["open"]) else None
        own = named.get(code, {})
        row = firm | steps.get(code, {}) | {k: case[k] for k in ("finished", "due", "written_off")}
        row |= {"method": _text(case["label"]), "method_en": _text(case["label_en"]), "outcome": _text(case["outcome"])}
        row |= {"named": own.get("listed_on"), "candidate": code in named, "responsible": answer[at]}
        row |= {name: own.get(name) or [] for name in ("effects", "effects_en")}
        row |= {"terms": list(method.agreement) if method else [], "reached": bool(firm["reached"])}
        row["intent"] = next((p for p in owed.get(code, []) if p.endswith(INTENT)), "")
        rows += [row | {"paper": paper} for paper in _due(row, year_end(assessment.year), asked)]
    order = ["paper", "township", "credit_code"]
    return framed("papers", rows).sort_values(order, kind="stable", ignore_index=True, na_position="last")


def _true(value: Any) -> bool:
    return _there(value) and bool(value)


def _due(row: Mapping[str, Any], end: np.datetime64, asked: set[str]) -> Iterator[str]:
    """Yield the papers that a firm is to get: at most one of the procedure, for a step that the plan asks for; and its disposal's."""
    told, sure, shown, named = (_there(row.get(k)) for k in ("notified", "certified", "published", "named"))
    if named:
        yield "priority"
    elif "notified" in asked and not (told or sure):
        if not row["reached"]:
            yield "notice"
    elif "certified" in asked and not sure:
        if _over(row, end) and row.get("result") != WITHDRAWN:
            yield "certificate"
    elif "published" in asked and not shown:
        yield "publication"
    elif "accepted" in asked and _accepted(row):
        yield "writeoff"
    if row["candidate"] and not named:
        yield "candidate"
    if row["terms"]:
        yield "agreement"
    if row["intent"]:
        yield "intent"


def _over(row: Mapping[str, Any], end: np.datetime64) -> bool:
    """Tell whether a firm has stated its case, or its time to do so is over."""
    return _there(row.get("statement")) or (_there(row.get("term")) and bool(np.datetime64(row["term"], "D") < end))


def _accepted(row: Mapping[str, Any]) -> bool:
    """Tell whether a disposal is finished and accepted, no ground is left, and it is not written off yet."""
    return bool(
        row["reached"] and _there(row["finished"]) and _there(row.get("accepted")) and not _there(row["written_off"])
    )


def _steps(assessment: Assessment, tables: Tables) -> dict[str, dict[str, Any]]:
    """Return each listed firm's days of the procedure, and the last day of the time for a statement."""
    out: dict[str, dict[str, Any]] = {}
    for row in tables["file_steps"].to_dict("records"):
        mine = out.setdefault(row["credit_code"], {})
        mine[row["step"]] = row["on"]
        if row["step"] == "statement":
            mine["term"] = row["due"]
    process = assessment.ledger.process
    if "statement_result" in process:
        for code, result in zip(process["credit_code"], process["statement_result"], strict=True):
            out.setdefault(code, {})["result"] = result
    return out


def _there(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else ""


def evidence(assessment: Assessment) -> pd.DataFrame:
    """Say what shows each ground that a listed firm is listed on, on the facts it was listed by.

    Returns
    -------
    DataFrame
        credit_code, criterion, label, label_en, clause, item, item_en, kind (agreed: an agreed figure not reached; least: the industry's
        minimum; line: a line not reached; since: a day; flag: on record), agreed, actual (in ``unit``), on (the day), year (of the figures).
    """
    frame, rows = assessment.frame, list[Any]()
    facts, codes = frame.before, frame.book.codes
    for criterion in frame.policy.identification.criteria:
        holds = frame.criteria[criterion.id].true & assessment.standing.listed.true
        head = {"criterion": criterion.id, "label": criterion.label, "label_en": criterion.label_en}
        head |= {"clause": "；".join(criterion.cite), "year": facts.year}
        leaves = [(leaf, decide(leaf, facts).true) for leaf in _leaves(criterion.when)]
        for i in np.flatnonzero(holds):
            found = [one for leaf, true in leaves if true[i] for one in _shown(facts, int(i), leaf)]
            rows += [{"credit_code": codes[i], **head, **one} for one in found or [{"kind": "flag"}]]
    made = framed("evidence", rows)
    made = made.assign(**{name: made[name].fillna("") for name in ("item", "item_en", "unit", "unit_en")})
    return made.sort_values(["credit_code"], kind="stable", ignore_index=True)


def _leaves(condition: Condition) -> Iterator[Condition]:
    """Yield the tests of single facts within a condition."""
    for part in condition.all or condition.any or ():
        yield from _leaves(part)
    if condition.fact:
        yield condition


def _shown(facts: Facts, i: int, leaf: Condition) -> list[dict[str, Any]]:
    """Return what shows one fact of a firm: figures with what was agreed, or since when."""
    if leaf.fact == "below_contract_controls":
        return list(_controls(facts, i))
    if leaf.fact == "tax_per_mu":
        agreed = leaf.than == "contract_tax_per_mu"
        asked = facts.line[i] if leaf.than == "class_line" else leaf.value
        asked = facts.book.number("contract_tax_per_mu")[i] if agreed else asked
        told = {"agreed": _number(asked), "actual": _number(facts.tax_per_mu[i])}
        return [_item(*PER_MU) | told | {"kind": "agreed" if agreed else "line"}]
    dates = {name: facts.book.date(name)[i] for name in ("contract_completion", "stopped_since", "completed")}
    if leaf.fact == "late_build":
        return [_since("合同约定竣工日期", "completion agreed in the contract for", dates["contract_completion"])]
    if leaf.fact == "idle" and not np.isnat(dates["stopped_since"]) and dates["stopped_since"] <= facts.end:
        return [_since("停产起始", "stopped since", dates["stopped_since"])]
    if leaf.fact == "idle":
        return [_since("竣工后未投产，竣工日期", "not producing since completion on", dates["completed"])]
    return []


def _controls(facts: Facts, i: int) -> Iterator[dict[str, Any]]:
    for name, words in CONTROLS.items():
        agreed, actual = asked_of(facts, name)[i], facts.book.number(f"actual_{name}")[i]
        if np.isnan(actual):
            actual = facts.book.annual(f"actual_{name}", facts.year)[i]
        if actual < agreed * (1 - 1e-9):
            kind = "least" if np.isnan(facts.book.number(f"contract_{name}")[i]) else "agreed"
            yield _item(*words) | {"kind": kind, "agreed": float(agreed), "actual": float(actual)}


def _item(zh: str, en: str, unit: str) -> dict[str, Any]:
    return {"item": zh, "item_en": en, "unit": unit, "unit_en": unit_text(unit, "en")}


def _since(zh: str, en: str, day: Any) -> dict[str, Any]:
    return {"kind": "since", "item": zh, "item_en": en, "on": pd.NaT if np.isnat(day) else pd.Timestamp(day)}


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def survey_form(assessment: Assessment, tables: Tables, register: Register | None) -> pd.DataFrame:
    """Fill the plan's survey form (调查表) for each listed firm from the year's ledger; what it does not hold is None.

    Returns
    -------
    DataFrame
        credit_code, row (place on the form), label, label_en, unit, value (number, text, day or None). No row where the plan has no form.
    """
    fields = register.form if register is not None else ()
    listed = assessment.frame.book.codes[assessment.standing.listed.true]
    annual = assessment.ledger.annual
    own = {"enterprises": assessment.ledger.enterprises, "annual": annual[annual["year"] == assessment.year]}
    known = {f"{name}.{column}": _by_code(sheet, column) for name, sheet in own.items() for column in map(str, sheet)}
    last = latest(assessment).assign(credit_code=assessment.frame.book.codes)
    cases = {column: _by_code(last, column) for column in ("label", "label_en", "outcome")}
    ratios = _by_code(tables["enterprises"], "tax_per_mu")
    rows: list[Any] = []
    for code in listed:
        for place, field in enumerate(fields, start=1):
            of_case = CASES.get(field.label, "")
            value = known.get(field.column, {}).get(code, cases.get(of_case, {}).get(code))
            if field.column == "annual.tax_per_mu_reported" and not _there(value):
                value = ratios.get(code)
            english = cases["label_en"].get(code) if of_case == "label" else None
            label = CARRIED.get(field.label) or _heading(*field.column.split("."))
            value = value if _there(value) and value != "" else None
            rows.append((code, place, field.label, label, field.unit or "", value, english))
    return framed("survey_form", rows).astype({"value": object, "value_en": object})


def _by_code(sheet: pd.DataFrame, column: str) -> dict[str, Any]:
    """Return a column's values by credit code, the last row of each."""
    return dict(zip(sheet["credit_code"], sheet[column], strict=True))


def _heading(sheet: str, column: str = "") -> str:
    """Return the English heading of a ledger column, else its name."""
    found = of_sheet(sheet).get(column) if sheet in ("enterprises", "annual") else None
    return found.en if found is not None else column


CASES = {"拟定处置方案": "label", "处置结果": "outcome"}
CARRIED = {
    "法人代表": "legal representative",
    "项目名称": "project",
    "联系电话": "telephone",
    "宗地坐落": "location of the site",
    "用电户号": "power account",
    "拟定处置方案": "way of disposal",
    "处置结果": "outcome",
    "审核意见": "opinion of the county office",
    "填表人": "filled in by",
    "填表时间": "filled in on",
}
