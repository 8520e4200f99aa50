"""Assumptions changed for a scenario (情景): a patch (``path: value``), as readings and reforms are on the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lyeval.policy.assumptions import Assumptions
from lyeval.policy.loading import PolicyError, rule_words
from lyeval.policy.patches import PART, set_at


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
