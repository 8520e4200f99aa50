"""Whatever stands in a run file is either taken or told in words before anything runs, by the library and at the command line."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from commands import Lyeval, runner

from lyeval.ledger import LedgerError
from lyeval.policy import PolicyError
from lyeval.run import check_run, load_run, open_ledger, production
from lyeval.run.folders import RunError
from lyeval.textfiles import CONTROL

SAMPLE = "sample:zhoushan-shengsi"
PLAIN = f"policy: zhoushan-2020\nledger: {SAMPLE}\nyear: 2020\nquotas: {{closures: 4, demolition: 2400, blocks: 1}}\n"
FILES = [
    f"""kind: review
policy: zhoushan-2020
ledger: [{SAMPLE}]
year: 2020
level: county
quotas: {{closures: 4}}
facts: {{}}
readings: {{edge: meets}}
patch: {{targets.closures.years.2020.value: 60}}
assumptions: default
scenarios: {{a: {{effort: 1.5}}}}
draws: 2000
seed: 3
formats: [html]
products: [text]
report_date: 2021-03-31
fonts: {{body: 仿宋}}
disclosure: internal
period: 十日""",
    f"kind: bulletin\npolicy: zhoushan-2020\nledger: {SAMPLE}\nyear: 2020\nas_of: 2020-10\nprevious: .\nplan: a.csv",
    f"kind: comparison\nsides:\n  - {{policy: zhoushan-2020, ledger: {SAMPLE}, year: 2020}}\n  - {{policy: x, ledger: b, year: 2}}",
]
JUNK = [
    "0x" + "f" * 6000, "1e999999", ".inf", ".nan", "-1", "0", "1e12", "9" * 39, "true", "null", "[]", "{}", "[[[[]]]]", '"\\0"', '"a\\u0007b"',
    "2023.5", "many", '"=1+1"', "../../x", "sample:../../x", "sample:", "C:\\x", "/dev/zero", ".", "con", "长" * 400, "2020-13", "2020-02-30",
    "99999", "&a x", "*a", "!!python/name:os.system", "<<", '"\\ue000"', "{a: 1}", "[a, a]", '{"": 1}', "{1: 2}", "{a: {b: {c: 1}}}", "1_0", '"  "',
    '""', "[1, x, null]", "{null: 1}", "{true: 1}", "2020-01-01T00:00:00Z", '"a/b"', '"[red]x"', '"%s{0}"', '"\\n"', "{targets.²: 1}", "{..: 1}",
    "{__class__: 1}", '{"": {"": 1}}', "{targets: 3}", "{lyeval: 2}", "{years: {}}", "{tax.through_month: 99}",
    "{a: {effort: 1e308}}", "{a: {methods: 1}}",
    "{a: {response.scenarios.values.0: 9}}", "{targets.closures.years.2020.value: [1]}", "[html, html]", "city",
    "1", "2020", "meets", "x", "-0.0", "1000000",
]  # fmt: skip
SIGNS = ("\0", "\x1b", "\ue000", '"', ":", "{", "\t", "#", "&")


def mutated(rng: random.Random) -> str:
    """Return a run file some of whose lines are changed, doubled, moved or broken."""
    lines = rng.choice(FILES).splitlines()
    for _ in range(rng.choice((1, 1, 2))):
        at, how = rng.randrange(len(lines)), rng.random()
        if how < 0.8:
            lines[at] = f"{lines[at].split(':', 1)[0]}: {rng.choice(JUNK)}"
        elif how < 0.85:
            lines.insert(at, rng.choice(lines))
        elif how < 0.9 and lines[at]:
            lines[at] = lines[at].replace(rng.choice(lines[at]), rng.choice(SIGNS), 1)
        elif how < 0.95:
            lines[at] = f"{rng.choice(JUNK)}: {rng.choice(JUNK)}"
        else:
            lines[at] = "\n".join(" " * i + "a:" for i in range(60))
    return "\n".join(lines) + "\n"


def outcome(path: Path) -> str:
    """Return what is told of a run file before it is run; nothing where it is taken. Any other error goes through."""
    try:
        check_run(load_run(path))
    except (RunError, PolicyError, LedgerError) as error:
        return str(error)
    return ""


def test_five_hundred_changed_run_files_are_taken_or_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book, found = open_ledger(SAMPLE), Counter()

    def opened(ledger: Any, *_: Any, **__: Any) -> Any:
        names = ledger if isinstance(ledger, list) else [ledger]
        return book if names == [SAMPLE] else open_ledger(ledger)

    monkeypatch.setattr(production, "open_ledger", opened)
    path = tmp_path / "a.yaml"
    for seed in range(500):
        path.write_text(mutated(random.Random(seed)), encoding="utf-8")
        told = outcome(path)
        assert not CONTROL.search(told), seed
        assert len(told) < 3000, seed
        assert not told or re.search("[\u4e00-\u9fff]", told), (seed, told)
        found["told" if told else "taken"] += 1
    assert found["taken"] >= 5, found
    assert found["told"] >= 200, found


@pytest.fixture
def lyeval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    return runner(capsys, monkeypatch)


CHANGED = [
    # (line put into a run file, exit code, what is told)
    ("draws: 0x" + "f" * 6000, 1, "a.yaml:5: draws: 数过长"),
    ("a0: &a0 [x, x]\na1: [*a0, *a0]", 1, "a.yaml:5: a0: 不允许使用锚点"),
    ('plan: "a\\0b"', 1, "a.yaml:5: plan: 不允许使用控制字符 U+0000"),
    ('title: "甲\\ue000乙"', 1, "a.yaml:5: title: 不允许使用私用区字符 U+E000"),
    ("draws: 1.0e999", 1, "a.yaml:5: draws: 1.0e999 不是有限的数"),
    ("draws: many", 2, "a.yaml:5: draws: 'many'"),
    ("draws: 1000000000000", 2, "须不大于1000000"),
    ("draws: true", 2, "须为数，不能是 true"),
    ("seed: -1", 2, "须不小于0"),
    ("seed: 9223372036854775808", 2, "a.yaml:5: seed"),
    ("as_of: 2020-13", 2, "a.yaml:5: as_of"),
    ("facts: {x: true}", 2, "facts.x"),
    (f"plan: {'长' * 100}.csv", 2, "名称过长"),
    ("plan: .", 2, "不是文件"),
    ("plan: pipe.csv", 2, "不是文件"),
    ("plan: loop.csv", 2, "loop.csv"),
    ("plan: empty.csv", 2, "empty.csv"),
    ("assumptions: a.csv", 2, "a.csv"),
    ("fonts: {folder: a.yaml}", 2, "a.yaml 不是文件夹"),
]


@pytest.mark.parametrize(("line", "code", "told"), CHANGED, ids=[line[:24] for line, *_ in CHANGED])
def test_the_command_line_tells_it(lyeval: Lyeval, tmp_path: Path, line: str, code: int, told: str) -> None:
    (tmp_path / "a.yaml").write_text(PLAIN + line + "\n", encoding="utf-8")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "empty.csv").touch()
    os.mkfifo(tmp_path / "pipe.csv")
    result = lyeval("run", tmp_path / "a.yaml", "--out", tmp_path / "out")
    assert told in result.err
    assert result.code in (code, 1) if "csv" in line else result.code == code
    assert "程序出错" not in result.err
    english = lyeval("run", tmp_path / "a.yaml", "--out", tmp_path / "out", "--lang", "en").err
    assert not re.search("[\u4e00-\u9fff]", english.replace("长", ""))
    assert not (tmp_path / "out").exists()


SETS = [
    "__class__=1", "readings.edge.x=1", "=1", "quotas.=1", "ledger[0]=x", "year=0", "year=99999", "year=-1", "year=2023.5", "year=true", "draws=0",
    "draws=-5", "seed=1e400", "quotas.closures=-1", "quotas.closures=.nan", "patch.=1", "patch.targets.²=1", "patch.__class__=1", "ledger=",
    "ledger=sample:../../x", "ledger=sample:/etc", "ledger=sample:a\\b", "ledger=/dev/null", "policy=/dev/zero", "policy=.", "lang=*a",
]  # fmt: skip


def test_odd_changes_are_told(lyeval: Lyeval, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PLAIN, encoding="utf-8")
    for change in SETS:
        result = lyeval("run", tmp_path / "a.yaml", "--out", tmp_path / "out", "--set", change)
        assert result.code in (1, 2), change
        assert "程序出错" not in result.err, change
        assert result.err.startswith("错误"), change
    assert not (tmp_path / "out").exists()


def test_arguments_that_no_file_or_text_can_be(lyeval: Lyeval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words, told in [
        (("check", "\udcff\udcfe.xlsx"), "残缺的字符"),
        (("policy", "show", "a\x1b[31mb"), "控制字符"),
        (("check", "长" * 100 + ".xlsx"), "名称过长"),
        (("run", "长" * 100), "名称过长"),
        (("init", "nul"), "Windows"),
        (("sample", "--policy", "linshu-2021", "--out", "con.xlsx"), "Windows"),
        (("run", "linshu-2023", "--out", "a/com1"), "Windows"),
        (("check", "sample:../../data/sample/linshu"), "没有名为"),
        (("policy", "check", "."), "方案"),
        (("policy", "check", "none.yaml"), "none.yaml"),
    ]:
        result = lyeval(*words)
        assert result.code == 2, words
        assert told in result.err, words
        assert "\x1b" not in result.err
    assert list(tmp_path.iterdir()) == []
