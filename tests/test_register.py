"""The clause registers: form, partition of the text, cites, no copied sentences."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from lyeval import resources
from lyeval.ledger.columns import of_sheet
from lyeval.policy.loading import PolicyError, load_yaml
from lyeval.policy.register import check_cites, check_partition, covers, load_register, plain, spans

SEEDS = Path(__file__).parents[1].parent / "shared" / "seeds"
TEXTS = {"zhoushan-2020": "000_6a40883c9fae8276.txt", "linshu-2021": "004_68753e7f95ddb46d.txt"}
IDS = sorted(TEXTS)

SMALL = """\
id: small
clauses:
- id: 一
  locator: 一、目标
  disposition: context
  zh: 章名
  en: heading
- id: 一(一)
  locator: （一）提升
  disposition: executable
  zh: 到线
  en: to the line
- id: 一(一)a
  locator: 并拆除
  disposition: checklist
  zh: 拆旧
  en: old plants go
duties:
- unit: 市经信局
  unit_en: bureau
  zh: 牵头
  en: leads
  cite: [一(一)a]
misprints:
- text: 三万平方
  meant: 三万平方米
  kind: lacuna
  zh: 脱字
  en: a character lost
  cite: [一(一)a]
"""
TEXT = "一、目标\n\n**（一）提升** 全部企业在年底以前达到每亩二万元的标准线以上，\n并拆除三万平方旧厂房。\n"


def register_file(name: str) -> Path:
    return resources.path(f"parameters/policies/{name}.clauses.yaml")


def written(tmp_path: Path, old: str = "", new: str = "") -> Path:
    path = tmp_path / "x.clauses.yaml"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new, 1) if old else SMALL, encoding="utf-8")
    return path


def source(name: str) -> str:
    path = SEEDS / TEXTS[name]
    if not path.is_file():
        pytest.skip("the document is not here")
    return path.read_text(encoding="utf-8")


def cites_of(node: object, where: str = "") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        if key == "cite":
            found[where] = value
        else:
            found |= cites_of(value, f"{where}.{key}")
    return found


@pytest.mark.parametrize("name", IDS)
def test_every_character_of_the_document_is_in_one_clause(name: str) -> None:
    register, text = load_register(register_file(name)), source(name)
    assert check_partition(register, text) == []
    places = spans(register, text)
    assert [p.id for p in places] == [c.id for c in register.clauses]
    assert places[0].start == 0
    assert all(a.end == b.start for a, b in itertools.pairwise(places))
    assert places[-1].end == len(plain(text))


@pytest.mark.parametrize("name", IDS)
def test_rules_and_record_use_every_clause(name: str) -> None:
    data, _ = load_yaml(resources.path(f"parameters/policies/{name}.yaml"))
    assert check_cites(cites_of(data), load_register(register_file(name))) == []


@pytest.mark.parametrize("name", IDS)
def test_record_names_columns_of_the_ledger(name: str) -> None:
    register = load_register(register_file(name))
    named = [f.column for f in register.form if f.column != "carried"]
    assert [c for c in named if c.split(".")[1] not in of_sheet(c.split(".")[0])] == []
    known = {c for sheet in ("enterprises", "annual") for c in of_sheet(sheet)}
    assert {f for e in register.external for f in e.inputs} <= known
    assert {i.fact for i in register.inspections if i.fact} <= known


def test_linshu_record_is_whole() -> None:
    register = load_register(register_file("linshu-2021"))
    assert [m.label for m in register.methods] == [
        "帮扶提升",
        "限期整改",
        "并购重组",
        "分割转让",
        "收购储备",
        "司法解决",
        "其他",
    ]
    assert [len(m.papers) for m in register.methods] == [0, 4, 5, 5, 4, 0, 0]
    assert [len(m.approvals) for m in register.methods] == [0, 2, 2, 2, 2, 0, 0]
    assert {"县发改局", "自来水公司", "供电公司", "县消防大队"} <= {d.unit for d in register.duties}
    assert {c for n in range(1, 17) for c in [f"附件1.{n}"]} <= {c for d in register.duties for c in d.cite}
    assert "消防" in [i.matter for i in register.inspections]
    rhythm = {e.id: (e.every, e.days, e.units) for e in register.calendar}
    assert rhythm["county_dispatch"] == ("month", None, ("领导小组",))
    assert rhythm["township_dispatch"] == ("two_weeks", None, ("各镇街", "开发区"))
    assert rhythm["statement"] == ("event", 15, ("企业",))
    assert {"沐政字〔2021〕21号", "临洮县人民政府办公室", "亩均税收万元以下"} <= {m.text for m in register.misprints}
    assert len(register.form) == 27


def test_zhoushan_record_is_whole() -> None:
    register = load_register(register_file("zhoushan-2020"))
    months = {(e.start.month, e.end.month) for e in register.calendar if e.start and e.end}
    assert months == {(6, 6), (7, 7), (8, 8), (9, 10), (11, 11), (12, 12)}
    august = next(e for e in register.calendar if e.id == "joint_inspection")
    assert len(august.units) == 13
    assert [m.label for m in register.methods] == ["提升", "整治", "淘汰"]
    assert {a.method for m in register.methods for a in m.actions} == {
        "upgrade", "merge", "partition", "rectify", "shut_down", "land_bank",
    }  # fmt: skip
    assert {"大道一定规模", "整治整治工作"} <= {m.text for m in register.misprints}


def test_method_is_found_by_its_canonical_name() -> None:
    register = load_register(register_file("zhoushan-2020"))
    assert [m.label for m in register.method("land_bank")] == ["淘汰"]
    assert register.clause("一(二)").disposition == "executable"
    with pytest.raises(KeyError, match="did you mean"):
        register.clause("一(二")


def test_small_register_holds(tmp_path: Path) -> None:
    register = load_register(written(tmp_path))
    assert check_partition(register, TEXT) == []
    assert check_cites({"targets[0]": ["一(一)"]}, register) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("executable", "executible", r"clauses.yaml:10: clauses\[1\].disposition: .*did you mean 'executable'"),
        ("一(一)a\n  locator", "一(一)\n  locator", r"x.clauses.yaml:13: clauses\[2\].id: .* repeats clauses\[1\]"),
        ("cite: [一(一)a]", "cite: [一(二)a]", r"duties\[0\].cite: '一\(二\)a' is not a clause of small; did you mean"),
        ("unit: 市经信局", "units: 市经信局", r"x.clauses.yaml:19: duties\[0\].units: unknown key"),
        ("locator: （一）提升", "locator: （一）提升全部企业在年底以前", r"clauses\[1\].locator"),
        ("id: small", "id: small\nid: small", "duplicate key"),
        ("kind: lacuna", "kind: lakuna", "did you mean 'lacuna'"),
    ],
)
def test_faults_of_form_name_line_and_path(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        load_register(written(tmp_path, old, new))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("locator: 一、目标", "locator: 目标", "2 characters stand before the first clause"),
        ("locator: 并拆除", "locator: 并拆掉", "一(一)a: '并拆掉' is not in the text"),
        ("locator: 并拆除", "locator: 、目标", "stands before the clause ahead of it"),
        ("locator: 并拆除", "locator: 以", "at least 2"),
        ("text: 三万平方", "text: 四万平方", "'四万平方' is not in 一(一)a"),
        ("zh: 到线", "zh: 全部企业，在年底以前达到每亩二万元的标准线以上", "is copied from the document"),
        ("zh: 牵头", "zh: 全部企业在年底以前达到每亩二万元的标准线", "duties[0].zh"),
    ],
)
def test_faults_of_partition(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = written(tmp_path, old, new)
    try:
        problems = [str(p) for p in check_partition(load_register(path), TEXT)]
    except PolicyError as error:
        problems = [str(error)]
    assert len(problems) == 1
    assert told in problems[0]


def test_a_locator_that_fits_two_places_is_told(tmp_path: Path) -> None:
    register = load_register(written(tmp_path))
    problems = check_partition(register, TEXT + "并拆除。")
    assert [p.where for p in problems] == ["clauses[2].locator"]
    assert "fits two places" in problems[0].text


def test_titles_and_numbers_are_not_copies(tmp_path: Path) -> None:
    title = "《舟山市工业低效企业整治提升专项行动方案》"
    register = load_register(written(tmp_path, "zh: 到线", f"zh: 见{title}"))
    assert check_partition(register, TEXT + title) == []


def test_cites_and_uses(tmp_path: Path) -> None:
    register = load_register(written(tmp_path, "disposition: checklist", "disposition: executable"))
    assert check_cites({"a": ["一(一)"]}, register) == []
    uncited = [p.text for p in check_cites({"a": ["一(一)a"]}, register)]
    assert len(uncited) == 1
    assert uncited[0].startswith("一(一) is executable, but no rule cites it")
    unknown = [p.text for p in check_cites({"a": ["一(一)", "一(三)"]}, register)]
    assert len(unknown) == 1
    assert "'一(三)' is not a clause" in unknown[0]


def test_a_cite_covers_its_lettered_parts_only() -> None:
    assert covers("四(四)2", "四(四)2")
    assert covers("四(四)2", "四(四)2b")
    assert not covers("四(四)2", "四(四)21")
    assert not covers("四(四)", "四(四)2")
    assert not covers("四(四)2b", "四(四)2")
