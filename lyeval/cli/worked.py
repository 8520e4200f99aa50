"""Worked cases of a plan (算例): facts in, verdict out; made into ledgers, assessed, and held against what the case expects.

A case names the year, what the county adds (level, quotas, facts) and its firms. A field of a firm that is a column of the annual
sheet is given by year (``tax: {2022: 10, 2023: 12}``) or once for all its years; ``above``, ``land`` and ``tax`` stand for above_scale,
land_mu and tax_wan; any other field is a column of the enterprises sheet. ``B{01-62}`` names 62 like firms. ``blank`` lists columns of the
enterprises sheet that are there but empty. ``expect`` holds what must come out; ``read`` the same under other readings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.assessment import Assessment, assess
from lyeval.ledger import Ledger
from lyeval.ledger.columns import dtype_of, of_sheet
from lyeval.policy import Policy, PolicyError, load_yaml
from lyeval.told import Told

ALIASES = {"above": "above_scale", "land": "land_mu", "tax": "tax_wan", "approved": "approved_mu"}
ANNUAL = set(of_sheet("annual")) - {"credit_code", "year"}
ROWS = ("disposals", "process", "papers", "monthly", "tax_items", "issues", "blocks")
KEYS = {"enterprises": ["credit_code"], "annual": ["credit_code", "year"]}
Case = dict[str, Any]
Triple = tuple[str, Any, Any]


def read_cases(path: Path) -> list[Case]:
    """Read a file of worked cases, with the file's defaults filled in.

    Raises
    ------
    PolicyError
        The file cannot be read, or is none of cases.
    """
    data, _ = load_yaml(path)
    if not isinstance(data, dict) or not isinstance(data.get("cases"), list) or not data["cases"]:
        raise PolicyError(f"{path.name}:1: no worked cases / 没有算例：须有 cases 列表")
    return [{"policy": data.get("policy", ""), "blank": data.get("blank", []), **case} for case in data["cases"]]


def tried(case: Case, policy: Policy) -> list[tuple[str, list[str]]]:
    """Assess a case, and again under each of its readings.

    Returns
    -------
    list of (readings, differences)
        "" for the case itself; where each is not what the case expects.
    """
    ledger = ledger_of(case)
    if "error" in case:
        return [("", _refused(case, policy, ledger))]
    told = [("", differences(judge(case, policy, ledger=ledger), case["expect"]))]
    return told + [
        (key, differences(judge(case, policy, chosen(key), ledger=ledger), wanted))
        for key, wanted in case.get("read", {}).items()
    ]


def _refused(case: Case, policy: Policy, ledger: Ledger) -> list[str]:
    try:
        judge(case, policy, ledger=ledger)
    except Told as error:
        return [f"error: expected {words!r}" for words in case["error"] if words not in str(error)]
    return ["error: expected a refusal"]


def frame(sheet: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay out rows as a sheet's frame, sorted by its keys, with canonical types."""
    made = pd.DataFrame(list(rows))
    for column in made:
        kind = dtype_of(sheet, str(column))
        if kind.startswith("datetime"):
            made[column] = pd.to_datetime(made[column])
        else:
            made[column] = made[column].astype(kind)  # pyright: ignore[reportCallIssue, reportArgumentType] - its own names
    made = made.sort_values(
        KEYS.get(sheet, ["credit_code"] if "credit_code" in made else [str(c) for c in made][:1]), kind="stable"
    )
    made["source_file"], made["source_sheet"], made["source_row"] = "cases", sheet, range(2, len(made) + 2)
    return made.reset_index(drop=True)


def ledger(**sheets: Iterable[Mapping[str, Any]]) -> Ledger:
    """Make a ledger of rows by sheet; enterprises named only in ``annual`` are added."""
    rows = {name: list(values) for name, values in sheets.items()}
    known = {r["credit_code"] for r in rows.setdefault("enterprises", [])}
    codes = [r["credit_code"] for r in rows.get("annual", []) if r["credit_code"] not in known]
    rows["enterprises"] += [{"credit_code": c, "name": c} for c in dict.fromkeys(codes)]
    frames: dict[str, Any] = {name: frame(name, values) for name, values in rows.items()}
    return Ledger(**frames, sheets=tuple(frames))


def ledger_of(case: Case) -> Ledger:
    """Make the ledger of a case."""
    enterprises, annual = [], []
    for code, fields in _firms(case["firms"]):
        fields = {ALIASES.get(k, k): v for k, v in fields.items()}
        enterprises.append({"credit_code": code, "name": code, **{k: v for k, v in fields.items() if k not in ANNUAL}})
        annual += list(_years(code, {k: v for k, v in fields.items() if k in ANNUAL}))
    for column in case.get("blank", []):
        for row in enterprises:
            row.setdefault(column, None)
    sheets = {name: _rows(case[name]) for name in ROWS if name in case}
    return ledger(enterprises=enterprises, annual=annual, **sheets)


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {("credit_code" if k == "firm" else k): v for k, v in {**row, **({"firm": code} if code else {})}.items()}
        for row in rows
        for code in (_expand(row["firm"]) if "firm" in row else [None])
    ]


def _firms(firms: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, fields in firms.items():
        for code in _expand(str(name)):
            yield code, dict(fields)


def _expand(name: str) -> list[str]:
    found = re.fullmatch(r"(.*)\{(\d+)-(\d+)\}", name)
    if not found:
        return [name]
    head, first, last = found.groups()
    return [f"{head}{i:0{len(first)}d}" for i in range(int(first), int(last) + 1)]


def _years(code: str, fields: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the annual rows: one for every year that any field names."""
    for year in sorted({y for v in fields.values() if isinstance(v, Mapping) for y in v}):
        row = {k: (v.get(year) if isinstance(v, Mapping) else v) for k, v in fields.items()}
        yield {"credit_code": code, "year": year, **row}


def judge(
    case: Case, policy: Policy, readings: Mapping[str, str] | None = None, *, ledger: Ledger | None = None
) -> Assessment:
    """Assess a case, under other readings if given."""
    return assess(
        ledger or ledger_of(case),
        policy,
        case["year"],
        level=case.get("level", "county"),
        quotas=case.get("quotas"),
        facts=case.get("facts"),
        readings={**case.get("readings", {}), **(readings or {})},
    )


def chosen(key: str) -> dict[str, str]:
    """Read ``edge=low, share=count`` as readings."""
    return dict(part.strip().split("=") for part in key.split(","))


def same(found: Any, wanted: Any) -> bool:
    """Tell whether a value is what the case says: numbers within 1e-9, None only for None, lists in order."""
    if hasattr(found, "item") and not isinstance(found, pd.Timestamp):
        found = found.item()
    found, wanted = (None if isinstance(x, float) and math.isnan(x) else x for x in (found, wanted))
    if wanted is None or isinstance(wanted, bool) or found is None or isinstance(found, bool):
        return found is wanted
    if isinstance(wanted, int | float):
        return isinstance(found, int | float) and math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(same(f, w) for f, w in zip(found, wanted, strict=True))
    return str(found) == str(wanted)


def table(frame: pd.DataFrame, key: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a table by one of its columns."""
    return {str(row[key]): {str(k): v for k, v in row.items()} for row in frame.to_dict("records")}


def differences(now: Assessment, expect: Mapping[str, Any]) -> list[str]:
    """List where an assessment is not what a case expects."""
    out = []
    for part, wanted in expect.items():
        if part not in READERS:
            raise PolicyError(f"expect: no part {part!r} / 算例的 expect 没有 {part!r}，可用 {'、'.join(READERS)}")
        for path, found, value in READERS[part](now, wanted):
            if not same(found, value):
                out.append(f"{part}.{path}: expected {value!r}, found {found!r}")
    return out


def _fields(rows: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Any]) -> Iterator[Triple]:
    """Yield each field that is wanted of each named row, as found and as wanted."""
    for name, fields in wanted.items():
        for key, value in fields.items():
            yield f"{name}.{key}", rows[name][key], value


def _targets(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    rows = table(now.targets, "id")
    if not wanted:
        yield "ids", sorted(rows), []
    yield from _fields(rows, wanted)


def _firm_rows(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    rows = table(now.enterprises, "credit_code")
    for name, fields in wanted.items():
        for code in _expand(str(name)):
            for key, value in fields.items():
                if key == "criteria":
                    for id, holds in value.items():
                        yield f"{code}.{id}", rows[code][f"criterion_{id}"], holds
                else:
                    yield f"{code}.{key}", rows[code][key], value


def _listed(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    """``identified: {true: [...], false: [...], null: [...]}``: who is listed, who is not, of whom it is unknown."""
    frame = now.enterprises
    for word, codes in wanted.items():
        value = {"yes": True, "no": False, "unknown": None}[word]
        yield word, [r["credit_code"] for r in frame.to_dict("records") if r["identified"] is value], codes


def _methods(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    for code, methods in wanted.items():
        rows = table(now.dossier(code).methods, "id")
        for id, value in methods.items():
            fields = value if isinstance(value, Mapping) else {"lawful": value}
            for key, one in fields.items():
                yield f"{code}.{id}.{key}", rows[id][key], one


def _dossier(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    for code, fields in wanted.items():
        one = now.dossier(code)
        for key, value in fields.items():
            if key == "consequences":
                yield f"{code}.{key}", list(one.consequences["id"]), value
            elif key == "effects":
                effects = table(one.consequences, "id")
                for id, labels in value.items():
                    yield f"{code}.{id}.effects", effects[id]["effects"], labels
            elif key == "clauses":
                rows = table(one.criteria, "id") | table(one.methods, "id") | table(one.consequences, "id")
                for id, clause in value.items():
                    yield f"{code}.{id}.clause", rows[id]["clause"], clause
            elif key == "steps":
                rows = table(one.steps, "step")
                for step, parts in value.items():
                    for name, part in parts.items():
                        found = rows[step][name]
                        yield f"{code}.{step}.{name}", found if part is None else _day(found), part
            else:
                yield f"{code}.{key}", getattr(one, key), value


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, pd.Timestamp) else value


def _doors(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    rows = table(now.doors, "door")
    for door, row in rows.items():
        yield door, row["n"], wanted.get(door, 0)


def _gaps(now: Assessment, wanted: Mapping[str, Any]) -> Iterator[Triple]:
    rows = table(now.gaps, "fact")
    for fact, n in wanted.items():
        yield fact, rows.get(fact, {}).get("n"), n


READERS: dict[str, Callable[[Assessment, Mapping[str, Any]], Iterator[Triple]]] = {
    "targets": _targets,
    "firms": _firm_rows,
    "identified": _listed,
    "methods": _methods,
    "dossier": _dossier,
    "flows": lambda now, wanted: _fields(table(now.flows, "class"), wanted),
    "doors": _doors,
    "gaps": _gaps,
    "grades": lambda now, wanted: _fields(table(now.grades, "credit_code"), wanted),
}
