"""A reading of a doubtful clause, a reform, a what-if and a scenario are one thing: a patch (``path: value``) on the policy or the assumptions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lyeval.policy.assumptions import Assumptions
from lyeval.policy.loading import PolicyError, nearest, rule_words, unknown
from lyeval.policy.model import Policy

PART = re.compile(r"[^.\[\]]+")
MOST_KEPT = 256
_made: dict[tuple[int, str], tuple[Policy, Policy]] = {}  # a plan and what was made of it: asked for again and again


def patch(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """Return the policy with some values changed.

    Parameters
    ----------
    changes
        New values by path: ``targets.above_scale_clear.years.2024.threshold``; elements of lists are named by id.

    Raises
    ------
    PolicyError
        A path that does not exist (with the nearest that does), or a value that the form refuses.
    """
    if not changes:
        return policy
    key = (id(policy), repr(changes))
    if key in _made and _made[key][0] is policy:
        return _made[key][1]
    data = policy._data
    for path, value in changes.items():
        data = set_at(data, PART.findall(path), value, path)
    try:
        changed = Policy.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        named = "、".join(f"{path} = {value!r}" for path, value in changes.items())
        told = str(first["msg"]).removeprefix("Value error, ")
        chinese = "" if " / " in told else f" / {rule_words(first)}"
        raise PolicyError(f"patch {named} / 修改 {named}: {where}: {told}{chinese}") from None
    changed._data = data
    if len(_made) == MOST_KEPT:
        del _made[next(iter(_made))]
    _made[key] = (policy, changed)
    return changed


def adjust(assumptions: Assumptions, changes: Mapping[str, Any]) -> Assumptions:
    """Return the assumptions with some figures changed.

    Parameters
    ----------
    changes
        New values by path: ``effort: 1.5``, ``methods.land_bank.success.a: 2``; methods are named by id, and a figure that is one number
        by its own path (``effort`` for ``effort.value``).

    Raises
    ------
    PolicyError
        A path that does not exist (with the nearest that does), or a value out of its range.
    """
    if not changes:
        return assumptions
    data: Any = assumptions.model_dump()
    for path, value in changes.items():
        parts = PART.findall(path)
        data = set_at(data, [*parts, "value"] if _figure(data, parts) else parts, value, path)
    try:
        return Assumptions.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(p) for p in first["loc"])
        told = f"{first['msg']} / {rule_words(first)}"
        raise PolicyError(f"scenario / 情景 {dict(changes)!r}: {where}: {first['input']!r}: {told}") from None


def _figure(node: Any, parts: list[str]) -> bool:
    """Tell whether a path leads to a figure that is one number."""
    for part in parts:
        if isinstance(node, list | tuple):
            node = next((item for item in node if isinstance(item, dict) and item.get("id") == part), None)
        else:
            node = node.get(part) if isinstance(node, dict) else None
    return isinstance(node, dict) and "value" in node


def set_at(node: Any, parts: list[str], value: Any, path: str) -> Any:
    """Return plain data with the value at ``parts`` replaced; elements of lists are named by id."""
    if not parts:
        return value
    head, rest = parts[0], parts[1:]
    if isinstance(node, list | tuple):
        ids = [str(x.get("id", i)) if isinstance(x, dict) else str(i) for i, x in enumerate(node)]
        if head not in ids:
            raise PolicyError(f"patch {path} / 修改 {path}: {unknown(head, 'id', ids)}")
        return [set_at(x, rest, value, path) if i == head else x for x, i in zip(node, ids, strict=True)]
    if not isinstance(node, dict):
        raise PolicyError(f"patch {path} / 修改 {path}: nothing below {head!r} / 路径 {head} 之下没有内容")
    key = int(head) if re.fullmatch(r"[0-9]{1,9}", head) and any(isinstance(k, int) for k in node) else head
    if key not in node and rest:
        raise PolicyError(f"patch {path} / 修改 {path}: no {head!r}{nearest(head, map(str, node))}")
    return {**node, key: set_at(node.get(key), rest, value, path)}


def choose(policy: Policy, readings: Mapping[str, str] | None) -> tuple[Policy, dict[str, str]]:
    """Apply the chosen option of each switch.

    Returns
    -------
    policy, chosen
        The patched policy, and every switch with the option in force.

    Raises
    ------
    PolicyError
        An unknown switch or option.
    """
    readings = dict(readings or {})
    known = {r.id: r for r in policy.readings}
    changes: dict[str, Any] = {}
    faults: list[str] = []
    for switch, option in readings.items():
        options = {o.id: o for o in known[switch].options} if switch in known else {}
        if switch not in known:
            faults.append(f"reading / 读法: {unknown(switch, 'reading', known)}")
        elif option not in options:
            faults.append(f"reading {switch} / 读法 {switch}: {unknown(str(option), 'option', options)}")
        else:
            changes.update(options[option].set)
    if faults:
        raise PolicyError("\n".join(faults))
    chosen = {r.id: readings.get(r.id, r.default) for r in policy.readings}
    changed = patch(policy, changes)
    if changed is not policy:
        changed = changed.model_copy()
        changed._plan = policy
    return changed, chosen


def unread(policy: Policy) -> Policy:
    """Return the plan as it stood before readings were chosen."""
    return policy if policy._plan is None else policy._plan
