"""A county's policy as data: load it strictly, patch it, read its doubtful clauses either way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyeval import resources
from lyeval.indicators.facts import GRADE
from lyeval.policy.bounds import ID
from lyeval.policy.derived import Condition, Derived, facts_of
from lyeval.policy.loading import PolicyError, in_language, load_yaml, nearest, unknown, validate
from lyeval.policy.model import Consequence, Dated, Method, Option, Policy, Reading, Target
from lyeval.policy.patches import choose, patch, unread
from lyeval.textfiles import display, read_text

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "Condition",
    "Consequence",
    "Dated",
    "Derived",
    "Method",
    "Option",
    "Policy",
    "PolicyError",
    "Reading",
    "Target",
    "choose",
    "display",
    "facts_of",
    "find_policy",
    "in_language",
    "load_policy",
    "load_yaml",
    "method_words",
    "nearest",
    "patch",
    "policy_ids",
    "starter",
    "unknown",
    "unread",
    "validate",
]


def policy_ids() -> list[str]:
    """Return the ids of the shipped plans, sorted."""
    return sorted(p.stem for p in resources.path("parameters/policies").glob("*.yaml") if "." not in p.stem)


def find_policy(name: str | PathLike[str]) -> Path:
    """Return the file of a policy given by id or path.

    Raises
    ------
    PolicyError
        Neither a file nor the id of a shipped plan.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    shipped = resources.path("parameters/policies") / f"{name}.yaml"
    example = resources.path("parameters/policies/examples") / f"{name}.yaml"
    if re.fullmatch(ID, str(name)) and example.is_file():
        return example
    if str(name) not in policy_ids():
        raise PolicyError(f"policy / 政策: {unknown(str(name), 'policy', policy_ids())}")
    return shipped


def load_policy(name: str | PathLike[str] | Policy) -> Policy:
    """Load a plan (政策文件) by id or path.

    Parameters
    ----------
    name
        ``linshu-2021``, ``zhoushan-2020``, or the path of a YAML file in the same form; a plan that is loaded is returned as it is.

    Raises
    ------
    PolicyError
        Every fault of the file, with file, line, path, value and the nearest right answer.

    Examples
    --------
    >>> policy = ly.load_policy("zhoushan-2020")
    >>> policy.place.name, policy.years.targets, [target.id for target in policy.targets][:2]
    ('舟山市', (2020,), ['above_scale_reach', 'below_scale_reach'])
    """
    if isinstance(name, Policy):
        return name
    path = find_policy(name)
    data, lines = load_yaml(path)
    if not isinstance(data, dict):
        raise PolicyError(f"{display(path)}:1: not a policy file / 不是政策文件")
    policy = validate(Policy, data, lines, path)
    policy._data = policy.model_dump(by_alias=True)
    faults = [*_year_faults(policy, lines), *_grade_faults(policy, lines), *_patch_faults(policy, lines)]
    problems = [f"{display(path)}:{line}: {text}" for line, text in faults]
    if problems:
        raise PolicyError("\n".join(problems))
    return policy


def _year_faults(policy: Policy, lines: dict[str, int]) -> list[tuple[int, str]]:
    """Find targets and lines dated in a year that the plan sets none for: they would never be judged."""
    years, drawn = policy.years, policy.identification.lines
    dated = [
        (f"targets[{i}].years.{year}", year, "target year", years.targets)
        for i, target in enumerate(policy.targets)
        for year in target.years
    ]
    dated += [
        (f"identification.lines.{name}.{year}", year, "list year", years.identification)
        for name in ("above", "below")
        for year in getattr(drawn, name)
    ]
    return [
        (lines.get(where, 0), f"{where}: {unknown(str(year), kind, map(str, there))}")
        for where, year, kind, there in dated
        if year not in there
    ]


def _grade_faults(policy: Policy, lines: dict[str, int]) -> list[tuple[int, str]]:
    """Find conditions on a grade by a word that neither a ledger nor the plan's own scores give."""
    own = [grade for score in policy.scores for grade in (*score.grades.cuts, *score.grades.aside)]
    return [
        (lines.get(where, 0), f"{where}: {unknown(word, 'grade', own or 'ABCD')}")
        for where, word in _graded(policy._data, "")
        if word not in own and not GRADE.fullmatch(word)
    ]


def _graded(node: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield every word that a condition holds a grade against, with its place."""
    if isinstance(node, dict):
        if node.get("fact") in ("grade", "partner_grade") and node.get("value") is not None:
            value = node["value"]
            yield from ((f"{where}.value", word) for word in (value if isinstance(value, list | tuple) else [value]))
        for key, inner in node.items():
            yield from _graded(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(node, list | tuple):
        for i, inner in enumerate(node):
            yield from _graded(inner, f"{where}[{i}]")


def _patch_faults(policy: Policy, lines: dict[str, int]) -> list[tuple[int, str]]:
    """Try each option of each reading on its own: a patch that does not fit is a fault of the file."""
    faults: list[tuple[int, str]] = []
    for i, reading in enumerate(policy.readings):
        for j, option in enumerate(reading.options):
            where = f"readings[{i}].options[{j}].set"
            try:
                patch(policy, option.set)
            except PolicyError as error:
                faults.append((lines.get(where, lines.get(f"readings[{i}]", 0)), f"{where}: {error}"))
    return faults


def starter(id: str, source: str | PathLike[str] | None = None) -> str:
    """Return the text of a new plan's file: the commented starter, or a plan there is, under a new id.

    Raises
    ------
    PolicyError
        No id of a plan, or no such plan.
    """
    if not re.fullmatch(ID, id):
        raise PolicyError(f"{id!r}: an id is of a–z, 0–9 and - / 标识只用小写字母、数字和 -，如 linhai-2025")
    path = Path(__file__).with_name("starter.yaml") if source is None else find_policy(source)
    return re.sub(r"(?m)^id: .*$", f"id: {id}", read_text(path), count=1)


def method_words(policies: list[Policy]) -> dict[str, str]:
    """Return which canonical method each word of the ledgers stands for, by the plans' own labels."""
    words: dict[str, str] = {}
    for policy in policies:
        for method in policy.methods:
            words.update(dict.fromkeys((method.id, method.label, *method.words), method.method))
    return words
