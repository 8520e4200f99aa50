"""A plan read back, and the words of the language: complete, and no two rules alike."""

from __future__ import annotations

import typing

import pytest
import worked
from pydantic import BaseModel

from lyeval import resources
from lyeval.cli.worked import read_cases, tried
from lyeval.indicators import grade_letter
from lyeval.policy import PolicyError, load_policy, patch, policy_ids
from lyeval.policy.explaining import HEADS, explain, words
from lyeval.policy.model import Policy
from lyeval.policy.scores import Score

EXAMPLES = sorted(p.stem for p in resources.path("parameters/policies/examples").glob("*.yaml") if "." not in p.stem)
UNSAID = {
    "lyeval",
    "title",
    "title_en",
    "place",
    "document",
    "readings",
    "facts",
    "inputs",
    "tax",
    "land",
    "classes",
    "scope",
}


def records(annotation: object) -> list[type[BaseModel]]:
    """Return the record types that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [r for inner in typing.get_args(annotation) for r in records(inner)]


def literals(annotation: object) -> list[object]:
    """Return the words that an annotation allows."""
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [w for inner in typing.get_args(annotation) for w in literals(inner)]


def language() -> list[type[BaseModel]]:
    """Return every record of a plan that is executed."""
    found: dict[str, type[BaseModel]] = {}
    todo: list[type[BaseModel]] = [Policy]
    while todo:
        one = todo.pop()
        if one.__name__ not in found and one.__name__ not in ("Reading", "Place", "Document", "Condition"):
            found[one.__name__] = one
            todo += [r for field in one.model_fields.values() for r in records(field.annotation)]
    return list(found.values())


@pytest.mark.parametrize("record", language(), ids=lambda r: r.__name__)
def test_every_key_and_word_of_the_language_has_a_name(record):
    keys = {f.alias or n for n, f in record.model_fields.items()} - HEADS - UNSAID
    parts = words("part") if record is Policy else {}
    assert not keys - set(words("key")) - set(parts)
    for name, field in record.model_fields.items():
        for word in literals(field.annotation) if name not in UNSAID | {"statistic", "method", "class_"} else ():
            assert {str(word), f"{field.alias or name}.{word}"} & set(words("value")), (name, word)


@pytest.mark.parametrize("id", [*policy_ids(), *EXAMPLES])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_two_rules_of_a_plan_never_read_alike(id, lang):
    plan = load_policy(id)
    told = explain(plan, lang)
    listed = told[told["rule"] != ""]
    assert not listed.duplicated(["part", "rule", "text"]).any()
    assert len(listed) == sum(
        len(part)
        for part in (
            *(plan.exclusions, plan.facts, plan.identification.criteria, plan.targets, plan.methods),
            *(plan.consequences, plan.steps, plan.scores, plan.minimums),
        )
    )


@pytest.mark.parametrize(
    ("id", "change"),
    [
        ("linshu-2021", {"targets.above_scale_clear.edge": "below"}),
        ("linshu-2021", {"targets.below_scale_low_land_share.years.2024.threshold": 2.0}),
        ("linshu-2021", {"land.rule": "as_reported"}),
        ("linshu-2021", {"steps.statement.day_kind": "working"}),
        ("zhoushan-2020", {"classes.at": "evaluation"}),
        ("huaian-2024", {"scores.composite.items": [{"fact": "tax_wan", "weight": 1.0, "base": 1.0}]}),
        ("jiaxing-2021", {"facts.tax_per_mu_3y.least": 2}),
        ("jiaxing-2021", {"facts.tax_per_mu_3y.years": 2}),
        ("dongyang", {"facts.industry_mean.within": "township"}),
        ("haining-2025", {"facts.years_d.lag": 1}),
    ],
)
def test_a_rule_that_is_changed_reads_otherwise(id, change):
    plan = load_policy(id)
    assert not explain(patch(plan, change)).equals(explain(plan))


@pytest.mark.parametrize("id", EXAMPLES)
def test_the_examples_agree_with_what_was_worked_out_by_hand(id):
    plan = load_policy(id)
    cases = read_cases(resources.path("parameters/policies/examples") / f"{id}.cases.yaml")
    assert len(cases) >= 6
    for case in cases:
        assert not [(key, found) for key, found in tried(case, plan) if found], case["id"]


WRONG = [
    ({"of": "tax_per_mu", "years": 3}, "take"),
    ({"of": "tax_per_mu", "years": 3, "take": "all"}, "mean"),
    ({"of": "tax_per_mu", "take": "mean"}, "不填"),
    ({"of": "above_scale", "take": "mean", "years": 2}, "all"),
    ({"of": "tax_per_mu", "ratio": ["tax_wan", "land_mu"]}, "of、ratio"),
    ({"ratio": ["tax_wan", "above_scale"]}, "两个数"),
    ({"of": "land_mu", "within": "county", "take": "ratio"}, "不是两个事实之比"),
    ({"of": "tax_per_mu", "within": "county", "take": "quantile"}, "quantile"),
    ({"of": "tax_per_mu", "years": 3, "take": "mean", "least": 4}, "least"),
    ({"of": "tax_per_m", "lag": 1}, "tax_per_mu"),
    ({"of": "own", "lag": 1}, "由自身得出"),
]


@pytest.mark.parametrize(("rule", "words_"), WRONG, ids=[str(w[0]) for w in WRONG])
def test_a_fact_of_the_plans_own_that_cannot_be_is_refused(rule, words_):
    told = {"label": "某事实", "label_en": "some fact", **rule}
    with pytest.raises(PolicyError) as error:
        patch(load_policy("dongyang"), {"facts.own": told})
    assert words_ in str(error.value)


FORMULA = {"id": "s", "label": "分", "label_en": "score", "items": [{"fact": "tax_per_mu", "weight": 1.0, "base": 2.0}]}
GRADES = {"by": "share", "cuts": {"A": 0.5, "B": 0.5}}
CLOSED = [
    ({"items": [{"fact": "tax_per_mu", "weight": 0.9, "base": 2.0}]}, "0.9"),
    ({"grades": {**GRADES, "cuts": {"A": 0.5, "B": 0.4}}}, "0.9"),
    ({"grades": {**GRADES, "overrides": [{"when": {"fact": "idle", "op": "eq", "value": True}, "at_best": "E"}]}}, "E"),
    ({"grades": {"by": "score", "cuts": {"A": 60.0, "B": 80.0}}}, "由高到低"),
    ({"items": [{"fact": "above_scale", "weight": 1.0, "base": 2.0}]}, "不是数"),
    ({"items": [{"fact": "tax_per_mu", "weight": 1.0}]}, "base"),
    ({"form": "minmax"}, "form: ratio"),
    ({"points": [{"label": "a", "label_en": "a", "add": 1.0, "when": {"fact": "grade", "op": "eq", "value": "A"}}]}, "等级"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words_"), CLOSED, ids=[c[1] for c in CLOSED])
def test_a_score_that_does_not_close_is_refused(change, words_):
    assert Score.model_validate({**FORMULA, "grades": GRADES})
    with pytest.raises(ValueError, match=words_):
        Score.model_validate({**FORMULA, "grades": GRADES, **change})


def test_grades_keep_equal_scores_together_and_close():
    """Five firms at 1, 2, 2, 2, 3 by half and half: largest remainder gives 3 and 2; the three that are equal go with the better."""
    plan = patch(load_policy("dongyang"), {"scores": [{**FORMULA, "grades": GRADES}]})
    firms = {f"F{i}": {"above": True, "land": 1, "tax": {2021: t}} for i, t in enumerate((1, 2, 2, 2, 3))}
    case = {"name": "ties", "policy": "dongyang", "year": 2021, "firms": firms}
    from lyeval.cli import worked as library

    made = library.judge(case, plan).grades.set_index("credit_code")
    assert made["grade"].to_dict() == {"F4": "A", "F1": "A", "F2": "A", "F3": "A", "F0": "B"}
    assert made.loc["F4", "score"] == pytest.approx(1.5)
    assert worked.same(made.loc["F0", "score"], 0.5)


def test_a_plan_in_the_keys_of_the_first_release_is_read_as_it_was():
    """Texts among ``facts`` are the county's inputs; ``grades`` by measures is a score of ratios."""
    rule = {
        "items": [
            {"measure": "tax_per_mu", "base": 12, "weight": 0.5},
            {"measure": "output_per_employee", "base": 100, "weight": 0.5},
        ],
        "shares": {"A": 0.2, "B": 0.8},
        "cite": ["六"],
    }
    raw = load_policy("dongyang").model_dump(by_alias=True, exclude={"scores", "inputs"})
    plan = Policy.model_validate({**raw, "facts": {**raw["facts"], "plan_days": "天数"}, "grades": rule})
    assert plan.inputs == {"plan_days": "天数"}
    assert [item.fact for item in plan.scores[0].items] == ["tax_per_mu", "output_per_employee"]
    assert plan.fact("output_per_employee").columns == ("output_wan", "employees")
    assert plan.scores[0].grades.cuts == {"A": 0.2, "B": 0.8}


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("      2024: 2.0\n", "      2042: 2.0\n", "2042"),
        ("value: [C, D]}", "value: [丙, 丁]}", "丙"),
    ],
)
def test_a_year_that_draws_no_list_and_a_grade_that_never_occurs_are_refused(tmp_path, right, wrong, told):
    text = resources.path("parameters/policies/linshu-2021.yaml").read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("word", "letter"), [("A类", "A"), ("b", "B"), ("D级", "D"), ("A+", "A+"), ("优先发展类", "优先发展类")]
)
def test_grades_are_known_by_their_letter(word, letter):
    assert grade_letter(word) == letter
