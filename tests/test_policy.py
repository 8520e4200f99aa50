"""Loading a plan: every fault with file, line, path and the nearest right answer; patches that leave the plan alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import worked
from pydantic import ValidationError

from lyeval.indicators import FACTS, STATISTICS
from lyeval.policy import (
    Condition,
    Policy,
    PolicyError,
    choose,
    find_policy,
    in_language,
    load_policy,
    method_words,
    patch,
    policy_ids,
)
from lyeval.policy.assumptions import load_methods
from lyeval.policy.model import SCHEMA, schema_text
from lyeval.run import load_run

FIXTURE = Path(__file__).parent / "fixtures" / "huzhou-like.yaml"
TEXT = FIXTURE.read_text(encoding="utf-8")


def line_of(text: str, part: str, nth: int = 1) -> int:
    """Return the line that the nth occurrence of ``part`` stands on."""
    at = -1
    for _ in range(nth):
        at = text.index(part, at + 1)
    return text.count("\n", 0, at) + 1


def fault(folder: Path, text: str | bytes, name: str = "plan.yaml") -> str:
    """Write a plan, load it, and return what is told."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PolicyError) as error:
        load_policy(path)
    return str(error.value)


WRONG = [
    # (right, wrong, path, words that must be told)
    ("statistic: land_share_below", "statistic: land_share_belo", "targets[0].statistic", ["'land_share_belo'", "'land_share_below'"]),
    ("title_en:", "titel_en:", "titel_en", ["did you mean 'title_en'"]),
    ("    op: le", "    op: less", "targets[0].op", ["'less'", "did you mean 'le'"]),
    ("    op: le", "    op: lt", "targets[0].op", ["'lt'", "'le'"]),
    ("    class: above", "    class: upper", "targets[0].class", ["'upper'", "above"]),
    ("    exited: land_stays", "    exited: land_stay", "targets[0].exited", ["did you mean 'land_stays'"]),
    ("        fact: tax_per_mu", "        fact: tax_per_m", "identification.criteria[0].when.fact", ["did you mean 'tax_per_mu'"]),
    ("        than: class_line", "        then: class_line", "identification.criteria[0].when.then", ["did you mean 'than'"]),
    ("        value: 0.5", "        value: half", "targets[0].years.2023.value", ["'half'"]),
    ("        value: 0.5", "        value: .nan", "targets[0].years.2023.value", ["finite"]),
    ("        threshold: 6.0", "        threshold: .inf", "targets[0].years.2023.threshold", ["finite"]),
    ("  source: items", "  source: item", "tax.source", ["did you mean 'items'"]),
    ("  rule: as_reported", "  rule: reported", "land.rule", ["did you mean 'as_reported'"]),
    ("    method: upgrade", "    method: lift", "methods[0].method", ["'lift'", "upgrade"]),
    ("weight: 0.2}", "weight: 0.3}", "scores[0]", ["1.1", "应为 1 或 100"]),
    ("        D: 0.05", "        D: 0.15", "scores[0].grades", ["1.1"]),
    ("id: huzhou-like", "id: ../huzhou", "id", ["'../huzhou'"]),
    ("  level: county", "  level: !town county", "place.level", ["tags", "!town"]),
    ("    - item: 车船税", "    - &car\n      item: 车船税", "tax.coefficients[4]", ["anchors"]),
    ("  name: 某县", "  name: &n 某县", "place.name", ["anchors"]),
    ("  at: evaluation", "  at: year", "classes.at", ["'year'", "evaluation"]),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "where", "words"), WRONG, ids=[w[1].strip() for w in WRONG])
def test_a_fault_is_told_with_file_line_path_and_the_nearest_right_answer(tmp_path, right, wrong, where, words):
    assert right in TEXT
    told = fault(tmp_path, TEXT.replace(right, wrong, 1))
    line = next(t for t in told.splitlines() if f": {where}: " in t)
    assert "plan.yaml:" in line
    number = int(line.split("plan.yaml:")[1].split(":")[0])
    lines = range(line_of(TEXT, right) - 2, line_of(TEXT, right) + 3)
    assert number in lines or where.startswith("scores")
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"fact": "above_scale", "op": "eq", "value": "规上"}, "是非项"),
        ({"fact": "above_scale", "op": "eq", "value": 1}, "是非项"),
        ({"fact": "above_scale", "op": "lt", "value": True}, "eq、ne"),
        ({"fact": "land_mu", "op": "ge", "value": "10亩"}, "是数"),
        ({"fact": "land_mu", "op": "ge", "value": True}, "是数"),
        ({"fact": "land_mu", "op": "in", "value": 10}, "lt、le"),
        ({"fact": "land_mu", "op": "ge", "than": "above_scale"}, "两者须都是数"),
        ({"fact": "grade", "op": "eq", "value": 1.0}, "是文字"),
        ({"fact": "grade", "op": "ge", "value": "A"}, "eq、ne、in"),
        ({"any": []}, "at least 1"),
        ({"all": []}, "at least 1"),
    ],
    ids=str,
)
def test_a_condition_that_no_fact_can_meet_is_refused(condition, words):
    with pytest.raises(ValidationError, match=words):
        Condition.model_validate(condition)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("        value: 0.5", "        value: 50", ["targets[0]", "0.2", "占比"]),
        ("      2023:\n", "      2042:\n", ["targets[0].years.2042", "目标年度", "2023"]),
    ],
)
def test_a_share_over_one_and_a_year_without_targets_are_refused(tmp_path, right, wrong, words):
    assert right in TEXT
    told = fault(tmp_path, TEXT.replace(right, wrong, 1))
    assert all(word in told for word in words)


def test_the_schema_of_the_policy_files_is_the_models_and_lists_every_fact_statistic_and_method():
    told = schema_text()
    assert (Path(__file__).parent.parent / SCHEMA).read_text(encoding="utf-8") == told
    listed = {
        name: [w["const"] for w in told_["oneOf"] if "const" in w]
        for name, told_ in json.loads(told)["$defs"].items()
        if "oneOf" in told_
    }
    assert listed == {
        "FactName": [*FACTS],
        "StatisticName": [*STATISTICS],
        "MethodName": [m.id for m in load_methods()],
    }


def test_every_fault_is_told_at_once(tmp_path):
    text = (
        TEXT.replace("title_en:", "titel_en:")
        .replace("  source: items", "  source: item")
        .replace("    op: le", "    op: less", 1)
    )
    told = fault(tmp_path, text)
    assert all(word in told for word in ("titel_en", "tax.source", "targets[0].op", "title_en: missing"))


def test_a_repeated_key_is_refused(tmp_path):
    assert f"plan.yaml:{len(TEXT.splitlines()) + 1}: " in (told := fault(tmp_path, TEXT + "id: other\n"))
    assert 'duplicate key "id"' in told


def test_a_repeated_id_is_refused(tmp_path):
    assert "'above_low_land' stands twice" in fault(tmp_path, TEXT.replace("id: below_low_land", "id: above_low_land"))


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "words\n", "3\n"])
def test_what_is_not_a_policy_is_refused(tmp_path, text):
    assert "not a policy file" in fault(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TEXT.encode("gb18030"), "not UTF-8"),
        (TEXT.encode() + b"#" + b"x" * 5_000_000, "larger than"),
        ("a: [1, 2\n", "plan.yaml:2: "),
        ("a: b: c\n", "plan.yaml:1: "),
        ("a: \x07\n", "control character U+0007"),
        ("a: &x {b: 1}\nc: *x\n", "anchors"),
        ("a: *x\n", "anchors and aliases"),
        ("a: !!python/object:os.system x\n", "tags"),
        ("[" * 400 + "]" * 400, "not"),
    ],
    ids=["gb18030", "giant", "open list", "two colons", "control", "anchor", "alias", "python tag", "deep"],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, text, words):
    told = fault(tmp_path, text)
    assert words in told
    assert "plan.yaml" in told


def test_a_byte_order_mark_is_read_over(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load_policy(path).id == "huzhou-like"


@pytest.mark.parametrize("word", ["no", "on", "yes", "off"])
def test_words_that_old_yaml_takes_for_booleans_stay_words(tmp_path, word):
    path = tmp_path / "plan.yaml"
    path.write_text(TEXT.replace("name_en: Somewhere", f"name_en: {word}"), encoding="utf-8")
    assert load_policy(path).place.name_en == word


def test_a_file_that_is_not_there_and_an_unknown_id(tmp_path):
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")
    with pytest.raises(PolicyError, match="did you mean 'linshu-2021'"):
        load_policy("linshu-2012")
    with pytest.raises(PolicyError, match="zhoushan-2020"):
        find_policy("?")


def test_a_reading_that_does_not_fit_is_a_fault_of_the_file(tmp_path):
    reading = """readings:
  - id: r
    kind: vague
    question: 问
    question_en: q
    default: a
    options:
      - {id: a, why: 甲, why_en: a}
      - {id: b, why: 乙, why_en: b, set: {targets.above_low_lan.edge: below}}
    cite: ["一"]
"""
    told = fault(tmp_path, TEXT + reading)
    assert "readings[0].options[1].set" in told
    assert "did you mean 'above_low_land'" in told
    assert "'c' is not an option" in fault(tmp_path, TEXT + reading.replace("default: a", "default: c"))


def test_shipped_plans_are_found_by_id_and_by_path():
    assert policy_ids() == ["linshu-2021", "zhoushan-2020"]
    for id in policy_ids():
        assert load_policy(find_policy(id)) == worked.policy(id)


def test_a_plan_cannot_be_changed():
    policy = worked.policy("linshu-2021")
    with pytest.raises(ValidationError):
        policy.id = "other"
    with pytest.raises(ValidationError):
        policy.targets[0].op = "ge"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("targets.above_scale_clear.years.2024.threshold", 2.5),
        ("targets.above_scale_clear.years.2024", {"threshold": 2.5, "value": 0}),
        ("identification.criteria.tax_below_1.label", "别的"),
        ("tax.year", "previous_year"),
        ("methods.merge.papers", ["一份"]),
    ],
)
def test_a_patch_changes_that_and_nothing_else(path, value):
    policy = worked.policy("linshu-2021")
    before = policy.model_dump_json(by_alias=True)
    changed = patch(policy, {path: value})
    assert policy.model_dump_json(by_alias=True) == before
    assert changed != policy
    undone = patch(changed, {path: _at(policy.model_dump(by_alias=True), path)})
    assert undone.model_dump_json(by_alias=True) == before


def _at(data, path: str):
    for part in path.split("."):
        named = isinstance(data, list | tuple)
        data = next(x for x in data if x["id"] == part) if named else data[int(part) if part.isdigit() else part]
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("target.above_scale_clear.edge", "below", "targets"),
        ("targets.above_scale_clean.edge", "below", "above_scale_clear"),
        ("targets.above_scale_clear.edges", "below", "edges"),
        ("targets.above_scale_clear.edge", "under", "edge"),
        ("targets.above_scale_clear.years.2024.threshold", "two", "threshold"),
        ("id.x", 1, "id"),
        ("targets.above_scale_clear.years.2024.threshold", float("nan"), "threshold"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused(path, value, words):
    with pytest.raises(PolicyError, match=words):
        patch(worked.policy("linshu-2021"), {path: value})


def test_patches_add_up_and_an_empty_one_is_the_same_plan():
    policy = worked.policy("linshu-2021")
    assert patch(policy, {}) is policy
    one = patch(patch(policy, {"tax.year": "previous_year"}), {"classes.at": "identification"})
    two = patch(policy, {"classes.at": "identification", "tax.year": "previous_year"})
    assert one == two
    assert (one.tax.year, one.classes.at) == ("previous_year", "identification")


def test_choosing_reads_the_rest_by_default():
    policy = worked.policy("linshu-2021")
    chosen, in_force = choose(policy, {"edge": "low"})
    assert {t.id for t in chosen.targets if t.edge == "below"} == {"above_scale_clear", "below_scale_low_land_share"}
    assert in_force == {r.id: r.default for r in policy.readings} | {"edge": "low"}


@pytest.mark.parametrize("id", policy_ids())
def test_every_element_cites_a_clause(id):
    policy = worked.policy(id)
    named = [
        *policy.targets,
        *policy.methods,
        *policy.exclusions,
        *policy.consequences,
        *policy.steps,
        *policy.readings,
    ]
    assert all(x.cite for x in [*named, *policy.identification.criteria])


@pytest.mark.parametrize("id", policy_ids())
def test_words_for_methods_point_to_methods_of_the_plan(id):
    policy: Policy = worked.policy(id)
    words = method_words([policy])
    assert {words[m.id] for m in policy.methods} == {m.method for m in policy.methods}
    assert all(words[w] == m.method for m in policy.methods for w in (m.label, *m.words))


# -- in one language ---------------------------------------------------------------------------------------------------


def test_faults_are_told_in_one_language(tmp_path):
    text = (
        TEXT.replace("title_en:", "titel_en:")
        .replace("    op: le", "    op: less", 1)
        .replace("lyeval: 1", "lyeval: x")
    )
    told = fault(tmp_path, text)
    english, chinese = in_language(told, "en"), in_language(told, "zh")
    assert not re.search("[\u4e00-\u9fff]", english)
    assert "did you mean 'title_en'?" in english
    for words in ("未知的键；是否想写 title_en？", "op 不能填“less”；是否想写 le？", "缺少此项"):
        assert words in chinese
    assert not re.search("unknown|missing|there are|is not", chinese)
    assert len(told.splitlines()) == len(english.splitlines()) == len(chinese.splitlines())
    lines = [int(line.split(":")[1]) for line in told.splitlines()]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        (
            "a: 'x' is not an id / 没有“x”这个标识; there are b / 可用：b",
            "a: 没有“x”这个标识；可用：b",
            "a: 'x' is not an id; there are b",
        ),
        (
            "p: 2024 年不在文件适用年度内 / the plan does not govern 2024",
            "p: 2024 年不在文件适用年度内",
            "p: the plan does not govern 2024",
        ),
        ("plain words; and / or more", "plain words；and / or more", "plain words; and / or more"),
    ],
)
def test_each_phrase_has_its_side(text, zh, en):
    assert (in_language(text, "zh"), in_language(text, "en")) == (zh, en)


def test_a_day_that_there_is_not_is_told_with_its_line_beside_the_others(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(
        "policy: linshu-2021\nledger: 5\nyear: 1980\nreport_date: 2024-02-30\nformats: [xls]\n", encoding="utf-8"
    )
    with pytest.raises(PolicyError) as caught:
        load_run(path, ["foo", "seed=-1", "draws=[1"])
    told = str(caught.value).splitlines()
    for line, words in (
        (2, "ledger: 5: "),
        (3, "year: 1980"),
        (4, "report_date: '2024-02-30'"),
        (5, "formats[0]: 'xls'"),
    ):
        assert any(f"r.yaml:{line}: {words}" in one for one in told)
    assert [one.split(":")[0] for one in told if one.startswith("--set")] == ["--set foo", "--set draws", "--set seed"]
    assert "或须为列表" in next(one for one in told if "ledger: 5" in one)


@pytest.mark.parametrize("id", policy_ids())
def test_every_option_of_a_doubtful_clause_has_a_name_of_its_own(id):
    for reading in load_policy(id).readings:
        for name in ("label", "label_en"):
            labels = [getattr(option, name) for option in reading.options]
            assert all(labels), reading.id
            assert len(set(labels)) == len(labels), reading.id


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("id: below_low_land", "id: Above_low_land", "标识只有大小写不同：above_low_land、Above_low_land"),
        ("id: huzhou-like", "id: con", "Windows"),
        ("id: huzhou-like", "id: huzhou-like\u0000", "控制字符 U+0000"),
        ("  name: 某县", "  name: 某\ue000县", "私用区字符 U+E000"),
    ],
)
def test_ids_and_text_that_would_not_stay_what_they_are(tmp_path, right, wrong, told):
    assert right in TEXT
    assert told in fault(tmp_path, TEXT.replace(right, wrong, 1))
