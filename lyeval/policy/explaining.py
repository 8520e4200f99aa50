"""A plan read back (方案回读): every rule that is executed as a sentence beside its clause, for the official who signs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pandas as pd
from pydantic import BaseModel

from lyeval.indicators import STATISTICS
from lyeval.policy.assumptions import load_methods
from lyeval.policy.derived import Condition
from lyeval.policy.difference import describe
from lyeval.policy.model import Policy
from lyeval.resources import read_rows

HEADS = {"id", "label", "label_en", "cite", "above_en", "below_en"}
SINGLE = ("years", "tax", "land", "classes", "scope")
LISTED = ("exclusions", "facts", "identification", "criteria", "targets", "methods", "consequences", "steps", "scores", "minimums")  # fmt: skip


@cache
def words(of: str) -> dict[str, tuple[str, str]]:
    """Return the words of ``language.csv`` beside this module: of keys, parts or values, in Chinese and English."""
    return {row["name"]: (row["zh"], row["en"]) for row in read_rows(__file__, "language.csv") if row["of"] == of}


def explain(policy: Policy, lang: str = "zh") -> pd.DataFrame:
    """Read a plan back, rule by rule.

    Returns
    -------
    DataFrame
        part, rule (its name), text, clauses; one row a rule, in the order of the file's form. Whatever differs between two rules is said.
    """
    rows = []
    for part, name, rule in _rules(policy, lang):
        title = words("part")[part][lang == "en"]
        rows.append((title, name, _said(rule, policy, lang), "；".join(getattr(rule, "cite", ()))))
    return pd.DataFrame(rows, columns=["part", "rule", "text", "clauses"])


def _rules(policy: Policy, lang: str) -> Iterator[tuple[str, str, BaseModel]]:
    for part in SINGLE:
        yield part, "", getattr(policy, part)
    for part in LISTED:
        if part == "facts":
            yield from ((part, _name(rule, lang), rule) for rule in policy.facts.values())
        elif part == "identification":
            if policy.identification.lines.above or policy.identification.lines.below:
                yield part, "", policy.identification.lines
        elif part == "criteria":
            yield from ((part, _name(rule, lang), rule) for rule in policy.identification.criteria)
        else:
            yield from ((part, _name(rule, lang), rule) for rule in getattr(policy, part))


def _name(rule: BaseModel, lang: str) -> str:
    return str(getattr(rule, "label" if lang == "zh" else "label_en", "") or getattr(rule, "label", ""))


def _said(rule: BaseModel, policy: Policy, lang: str) -> str:
    """Write a rule: what is not as by default, each with its word."""
    return _parts(rule, policy, lang) or {"zh": "全部按一般规定", "en": "as by default"}[lang]


def _parts(rule: BaseModel, policy: Policy, lang: str) -> str:
    told: list[str] = []
    for name, field in type(rule).model_fields.items():
        key, value = field.alias or name, getattr(rule, name)
        if key in HEADS or value in (None, (), {}) or (value == field.default and not field.is_required()):
            continue
        said = _value(value, key, policy, lang)
        named = words("key").get(f"{type(rule).__name__}.{key}") or words("key")[key]
        told.append(said if key == "when" else f"{named[lang == 'en']} {said}")
    return {"zh": "；", "en": "; "}[lang].join(told)


def _value(value: Any, key: str, policy: Policy, lang: str) -> str:
    if isinstance(value, Condition):
        return describe(value, lang, policy.fact)
    if isinstance(value, BaseModel):
        name, said = _name(value, lang), _parts(value, policy, lang)
        if not name:
            return f"〔{said}〕"
        return name + ({"zh": f"（{said}）", "en": f" ({said})"}[lang] if said else "")
    comma = {"zh": "、", "en": ", "}[lang]
    if isinstance(value, dict):
        return comma.join(f"{k}: {_value(v, key, policy, lang)}" for k, v in value.items())
    if isinstance(value, tuple):
        return comma.join(_value(v, key, policy, lang) for v in value)
    return _word(value, key, policy, lang)


def _word(value: Any, key: str, policy: Policy, lang: str) -> str:
    if isinstance(value, bool):
        return words("value")[str(value).lower()][lang == "en"]
    if isinstance(value, float):
        return f"{value:.10g}"
    if key == "statistic":
        return STATISTICS[value].label if lang == "zh" else STATISTICS[value].label_en
    if key == "class" or (key == "within" and value == "class"):
        return policy.class_label(value, lang) if key == "class" else words("value")[value][lang == "en"]
    if key in ("of", "ratio", "fact", "base") and isinstance(value, str):
        return policy.fact(value).label(lang)
    named = {"after": policy.steps, "on_failure": policy.consequences, "method": load_methods()}.get(key, ())
    for one in named:
        if one.id == value:
            return _name(one, lang)
    known = words("value").get(f"{key}.{value}") or words("value").get(str(value))
    return known[lang == "en"] if known and key not in ("words", "papers", "unit") else str(value)
