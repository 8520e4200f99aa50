"""The command line: every command in the README, exit codes, messages that say what to do, never a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Lyeval, runner
from python_calamine import CalamineWorkbook
from rich.cells import cell_len

import lyeval as ly
from lyeval.cli import COMMANDS, FIRST, PLANS, main
from lyeval.policy import load_policy
from lyeval.policy.difference import compare_policies, describe
from lyeval.tables import tally

ROOT = Path(__file__).resolve().parent.parent
ASSESS = ("assess", "sample:linshu", "--policy", "linshu-2021", "--year", "2023")
ZHOUSHAN = ("assess", "sample:zhoushan-dinghai", "--policy", "zhoushan-2020", "--year", "2020")


@pytest.fixture
def lyeval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    """Run a command in this process, at 80 columns."""
    return runner(capsys, monkeypatch)


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_exit_codes(lyeval: Lyeval, tmp_path: Path) -> None:
    assert lyeval("check", "sample:linshu").code == 0
    assert lyeval("check", "sample:linshu", "--strict").code == 1
    assert lyeval("check", "sample:messy").code == 1
    assert lyeval("check", tmp_path / "none.xlsx").code == 2
    assert lyeval("check").code == 2
    (tmp_path / "page.xlsx").write_text("not a workbook", encoding="utf-8")
    assert lyeval("check", tmp_path / "page.xlsx").code == 1


def test_check_groups_faults_and_writes_every_row(lyeval: Lyeval, tmp_path: Path) -> None:
    out = tmp_path / "faults.xlsx"
    told = lyeval("check", "sample:messy", "--out", out)
    assert re.search(r"错误\s+不在企业名单：共\d+处", told.out)
    assert "“企业”表，第44行" in told.out
    rows = CalamineWorkbook.from_path(str(out)).get_sheet_by_name("台账问题").to_python()
    total = re.search(r"错误 (\d+)，警告 (\d+)", told.out)
    assert total
    errors = [row for row in rows if row and row[0] == "错误"]
    assert len(errors) == int(total[1])
    assert CalamineWorkbook.from_path(str(out)).sheet_names[0] == "概览"
    assert lyeval("check", "sample:messy", "--out", tmp_path / "faults.csv").code == 2


def test_text_of_a_ledger_is_never_markup(lyeval: Lyeval, tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_text(
        "统一社会信用代码,企业名称,年份,规上,实缴税金,土地总面积\n[bold]x[/bold],[red]甲[/],2020,是,1,2\n",
        encoding="utf-8",
    )
    told = lyeval("check", path)
    assert told.code == 1
    assert "[bold]x[/bold]" in told.out


def test_lines_fit_eighty_columns(lyeval: Lyeval) -> None:
    for words in (("check", "sample:messy"), ASSESS, ("policy", "list"), ("policy", "diff", "zhoushan-2020", "linshu-2021"),
                  ("policy", "show", "linshu-2021"), (*ZHOUSHAN, "--lang", "en")):  # fmt: skip
        told = lyeval(*words)
        assert max(cell_len(line) for line in told.out.splitlines()) <= 80, words


# -- assess ------------------------------------------------------------------------------------------------------------


def test_assess_json_is_the_contract(lyeval: Lyeval) -> None:
    told = lyeval(*ZHOUSHAN, "--quota", "closures=18", "--reading", "share=area", "--format", "json")
    made = json.loads(told.out)
    assert set(made) == {"policy", "year", "reading", "targets", "enterprises"}
    assert made["reading"]["share"] == "area"
    closures = next(t for t in made["targets"] if t["id"] == "closures")
    assert closures["goal"] == 18.0
    assert set(made["targets"][0]) == {
        "id", "value", "goal", "op", "gap", "needed", "short_by", "low", "high", "status", "n", "unit", "reason", "clause",
    }  # fmt: skip
    assert set(made["enterprises"][0]) == {
        "credit_code", "class", "in_scope", "excluded_by", "identified", "criteria", "tax_per_mu", "land_mu", "closed", "gone",
        "tax_needed_wan",
    }  # fmt: skip


def test_assess_table_says_verdict_and_clause(lyeval: Lyeval) -> None:
    told = lyeval(*ASSESS).out
    assert "未达标" in told
    assert "一(三)" in told
    assert "虚构" in told
    english = lyeval(*ASSESS, "--lang", "en").out
    assert "missed" in english
    assert "no firm above" in english


def test_the_terminals_counts_are_the_reports(lyeval: Lyeval) -> None:
    row = tally.bridge(tally.counts(ly.assess(ly.read_ledger("sample:linshu"), "linshu-2021", 2023))).iloc[0]
    told = " ".join(lyeval(*ASSESS).out.split())
    for key in ("ledger", "in_scope", "excluded", "listed", "reached", "left", "below", "undecided"):
        assert f"{tally.words()[key].zh} {row[key]}" in told


def test_several_ledgers_are_a_city(lyeval: Lyeval) -> None:
    names = [f"sample:zhoushan-{county}" for county in ("dinghai", "putuo", "daishan", "shengsi")]
    rest = ("--policy", "zhoushan-2020", "--year", "2020", "--level", "city", "--format", "json")
    apart, together = (json.loads(lyeval("assess", *ledgers, *rest).out) for ledgers in (names, ["sample:zhoushan"]))
    assert apart == together
    assert next(t["goal"] for t in apart["targets"] if t["id"] == "closures") == 50.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*ASSESS[:3], "linsu-2021", *ASSESS[4:]), "linshu-2021"),
        (("check", "sample:linsh"), "样例台账，现有：linshu"),
        (("check", "sample:linsh", "--lang", "en"), "'linsh'; there are: linshu"),
        ((*ASSESS[:5], "2019", "--lang", "en"), "the plan governs 2021"),
        (("sample", "--policy", "linshu-2021", "--out", "x", "--years", "2023-2020"), "起止年份颠倒"),
        (("sample", "--policy", "linshu-2021", "--out", "x", "--county", "x"), "现有 临沭县"),
        (("sample", "--policy", "linshu-2021", "--out", "x", "--enterprises", "-3"), "须不小于1"),
        ((*ASSESS[:5], "2019"), "2021、2022、2023、2024、2025"),
        ((*ASSESS[:5], "abc"), "须为整数"),
        (ASSESS[:4], "缺少 --year"),
        ((*ASSESS, "--level", "town"), "county、city"),
        ((*ASSESS, "--format", "xml"), "table、json"),
        ((*ASSESS, "--reading", "edg=low"), "edge"),
        ((*ASSESS, "--reading", "edge"), "键=值"),
        ((*ZHOUSHAN, "--quota", "closures=ten"), "不是数"),
        ((*ZHOUSHAN, "--quota", "closure=10"), "closures"),
        ((*ZHOUSHAN, "--quota", "closures=-1"), "0"),
        ((*ASSESS, "--lang", "fr"), "zh"),
        (("assess", "none.xlsx", *ASSESS[2:]), "找不到台账"),
        (("assess", "sample:linsh", *ASSESS[2:]), "linshu"),
        (("asses",), "assess"),
        (("check", "sample:linshu", "--strickt"), "--strict"),
        (("run", "nowhere"), "linshu-2023"),
        (("run", "linshu-2023", "--set", "yaer=2024"), "year"),
        (("batch", "nowhere"), "linshu-2023"),
        (("policy", "show", "linshu"), "linshu-2021"),
        (("policy", "diff", "linshu-2021", "zhou"), "zhoushan-2020"),
        (("sample", "--policy", "linshu-2021", "--out", "x.xlsx", "--years", "2023"), ""),
        (("explore", "nowhere"), "linshu-2023"),
    ],
)
def test_misuse_says_what_to_do(
    lyeval: Lyeval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = lyeval(*words)
    if told:
        assert result.code == 2, result
        assert told in result.err
        assert result.out == ""


def test_defects_are_told_short_with_a_way_to_see_more(lyeval: Lyeval, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lyeval.assessment.assess", broken)
    told = lyeval(*ASSESS)
    assert told.code == 1
    assert "LYEVAL_DEBUG=1" in told.err
    monkeypatch.setenv("LYEVAL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(list(ASSESS))


# -- policies ----------------------------------------------------------------------------------------------------------


def test_diff_sets_the_plans_side_by_side() -> None:
    rows = compare_policies(load_policy("zhoushan-2020"), load_policy("linshu-2021")).set_index("aspect")
    zhoushan, linshu = rows["zhoushan-2020"], rows["linshu-2021"]
    assert linshu["规上目标"] == "低于标准线家数 ≤ 0 家；线 2023: 1 → 2024: 2 → 2025: 3 万元/亩"
    assert linshu["规下目标"] == "低效用地占比 ≤ 2023: 20% → 2024: 15% → 2025: 10%；线 1 万元/亩"
    assert zhoushan["规下目标"] == "达标家数占比 ≥ 80%；线 2 万元/亩"
    assert zhoushan["规下目标的计量"].startswith("按企业家数")
    assert linshu["规下目标的计量"].startswith("按用地面积")
    assert (zhoushan["适用范围下限"], linshu["适用范围下限"]) == ("台账全部企业", "规上，或 土地总面积 ≥ 10 亩")
    assert (zhoushan["年限"], linshu["年限"]) == ("名单 2020；目标 2020", "名单 2021–2025；目标 2023–2025")
    assert "50 家（全市数）" in zhoushan["实物目标"]
    assert linshu["实物目标"] == "—"
    assert "D档" in zhoushan["惩戒"]
    assert "6.40" in linshu["惩戒"]
    assert rows.loc["惩戒", "clauses_zhoushan-2020"] == "四(二)四"


def test_conditions_in_words() -> None:
    linshu = load_policy("linshu-2021")
    merge = next(m for m in linshu.methods if m.id == "merge")
    assert merge.when is not None
    assert describe(merge.when).startswith("非（合作方评价等级 ∈ C、D），且 非")


def test_diff_in_english_has_no_chinese_but_titles(lyeval: Lyeval) -> None:
    made = compare_policies(load_policy("zhoushan-2020"), load_policy("linshu-2021"), lang="en")
    for row in made[made["aspect"] != "document"].itertuples(index=False):
        assert not re.search(r"[\u4e00-\u9fff，；、]", f"{row[0]}{row[1]}{row[2]}"), row
    assert lyeval("policy", "diff", "zhoushan-2020", "linshu-2021", "--lang", "en").code == 0


def test_policy_check(lyeval: Lyeval, tmp_path: Path) -> None:
    shipped = ROOT / "parameters/policies/linshu-2021.yaml"
    assert lyeval("policy", "check", shipped).code == 0
    assert lyeval("policy", "check", "zhoushan-2020").code == 0
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        shipped.read_text(encoding="utf-8").replace("statistic: count_below", "statistic: count_belov"),
        encoding="utf-8",
    )
    told = lyeval("policy", "check", bad)
    assert told.code == 1
    assert re.search(r"bad\.yaml:\d+: targets\[0\]\.statistic: .*count_below", told.out)
    other = tmp_path / "other.txt"
    other.write_text("别的文件", encoding="utf-8")
    assert lyeval("policy", "check", shipped, "--source", other).code == 1
    assert lyeval("policy", "check", shipped, "--source", tmp_path / "none.txt").code == 2


# -- sample, init, explore, help ---------------------------------------------------------------------------------------


def test_sample_is_read_back(lyeval: Lyeval, tmp_path: Path) -> None:
    words = (
        "sample",
        "--policy",
        "linshu-2021",
        "--out",
        tmp_path / "s.xlsx",
        "--enterprises",
        30,
        "--years",
        "2021-2023",
        "--seed",
        3,
    )
    assert lyeval(*words).code == 0
    assert (tmp_path / "s.yaml").is_file()
    assert lyeval("check", tmp_path / "s.xlsx").code == 0
    assert lyeval(*words[:-4], "--years", "2023-2021").code == 2
    assert lyeval(*words).code == 0, "a sample may be made anew"


def test_out_spares_what_is_there(lyeval: Lyeval, tmp_path: Path) -> None:
    ours = tmp_path / "ours.xlsx"
    ours.write_bytes(Path("data/sample/linshu.xlsx").read_bytes())
    before = ours.read_bytes()
    assert lyeval("check", ours, "--out", ours).code == 2
    assert lyeval("clean", ours, "--out", ours).code == 2
    assert lyeval("sample", "--policy", "linshu-2021", "--out", ours, "--enterprises", 1).code == 1
    assert ours.read_bytes() == before
    assert lyeval("check", "sample:messy", "--out", tmp_path / "none" / "q.xlsx").code == 2
    assert lyeval("sample", "--policy", "linshu-2021", "--out", tmp_path / "s.pdf").code == 2


def test_assess_tells_every_fault_at_once(lyeval: Lyeval) -> None:
    told = lyeval(*ASSESS, "--quota", "x=1", "--reading", "edge=purple", "--reading", "zzz=a", "--fact", "z=1")
    assert told.code == 2
    assert all(word in told.err for word in ("“x”", "“purple”", "“zzz”", "“z”"))
    english = lyeval(*ASSESS, "--quota", "x=1", "--reading", "edge=purple", "--lang", "en").err
    assert "'x' is not a quota" in english
    assert "'purple' is not an option" in english
    assert not re.search("[\u4e00-\u9fff]", english)


def test_all_that_a_run_lacks_is_told_at_once(lyeval: Lyeval, tmp_path: Path) -> None:
    run = tmp_path / "r.yaml"
    text = (
        "policy: {}\nledger: [a.xlsx, b.xlsx]\nyear: 2023\nassumptions: none\nreadings: {{edge: purple}}\nplan: p.csv\n"
    )
    run.write_text(text.format("linshu-2021"), encoding="utf-8")
    told = lyeval("run", run)
    assert told.code == 2
    assert [word in told.err for word in ("a.xlsx", "b.xlsx", "p.csv", "“none”", "“purple”")] == [True] * 5
    assert not re.search("[\u4e00-\u9fff]", lyeval("run", run, "--lang", "en").err)
    batch = lyeval("batch", run, "--out", tmp_path / "out")
    assert all(word in batch.out + batch.err for word in ("a.xlsx", "b.xlsx", "p.csv"))
    run.write_text(text.format("none.yaml"), encoding="utf-8")
    assert "none.yaml" in lyeval("run", run).err


def test_what_is_no_ledger_no_plan_or_no_folder_is_misuse(lyeval: Lyeval, tmp_path: Path) -> None:
    assert lyeval("check", os.devnull).code == 2
    bad = tmp_path / "bad.yaml"
    bad.write_text("x: 1\n", encoding="utf-8")
    for words in (("show", bad), ("check", bad), ("diff", bad, "linshu-2021")):
        assert lyeval("policy", *words).code == 1
    assert lyeval("policy", "show", tmp_path / "none.yaml").code == 2
    assert lyeval("policy", "show", "linshu-2022").code == 2
    told = lyeval("init", bad)
    assert told.code == 2
    assert "是一个文件" in told.err


def test_workspace_and_explore(lyeval: Lyeval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lyeval("init", tmp_path / "ws").code == 0
    again = lyeval("init", tmp_path / "ws")
    assert again.code == 1
    assert "没有改动" in again.err
    monkeypatch.chdir(tmp_path / "ws")
    told = lyeval("explore", "example", "--no-browser", "--dry-run")
    assert told.code == 0
    assert "jupyterlab --no-browser" in told.out
    first = (tmp_path / "ws/explore/example.ipynb").read_text(encoding="utf-8")
    assert "'readings': {}" not in first
    shown = first.replace('"execution_count": null', '"execution_count": 3')
    Path("explore/example.ipynb").write_text(shown, encoding="utf-8")
    lyeval("explore", "example", "--dry-run")
    assert [p.name for p in Path("explore").iterdir()] == ["example.ipynb"]
    Path("explore/example.ipynb").write_text(first.replace("year = 2023", "year = 2024"), encoding="utf-8")
    lyeval("explore", "example", "--dry-run")
    assert sorted(p.name for p in Path("explore").iterdir()) == ["example-2.ipynb", "example.ipynb"]


def test_explore_carries_a_runs_parameters(lyeval: Lyeval, tmp_path: Path) -> None:
    run = tmp_path / "mine.yaml"
    text = (ROOT / "parameters/runs/zhoushan-dinghai-2020.yaml").read_text(encoding="utf-8")
    run.write_text(text + "readings:\n  share: area\n", encoding="utf-8")
    assert lyeval("explore", run, "--out", tmp_path, "--dry-run").code == 0
    cells = json.loads((tmp_path / "mine.ipynb").read_text(encoding="utf-8"))["cells"]
    source = "".join(next(c for c in cells if "parameters" in c["metadata"].get("tags", []))["source"])
    assert "ledger = 'sample:zhoushan-dinghai'  # type: str" in source
    assert "quotas = {'blocks': 3.0, 'closures': 22.0, 'demolition': 13500.0}" in source
    assert "readings = {'share': 'area'}" in source
    assert 'level = "county"' in source


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`lyeval {name}" in readme, name
    for name in PLANS:
        assert f"`{name}`" in readme or f"`lyeval policy {name}`" in readme, name


@pytest.mark.parametrize("words", [*((name,) for name in COMMANDS), *(("policy", name) for name in PLANS)])
def test_help_of_every_command_tells_its_exit_codes(lyeval: Lyeval, words: tuple[str, ...]) -> None:
    told = lyeval(*words, "--help")
    assert told.code == 0
    codes = re.sub(r"\s+", " ", told.out).partition("退出码 / exit codes: ")[2]
    assert [int(code) for code in re.findall(r"(?:^|; |, )(\d+) ", codes)] == [0, 1, 2, 130, 143, 129]


def test_the_command_alone_shows_the_five_to_begin_with(lyeval: Lyeval) -> None:
    told = lyeval()
    assert (told.code, told.err) == (0, "")
    assert [line.split()[1] for line in told.out.splitlines() if line.startswith("    lyeval ")] == list(FIRST)
    assert len(FIRST) == 5
    assert "lyeval --help" in told.out
    listed = lyeval("--help").out
    assert all(re.search(rf"^  {name} ", listed, re.MULTILINE) for name in (*COMMANDS, "policy"))


def test_help_loads_nothing_heavy() -> None:
    loaded = "import sys, lyeval.cli; print(sorted({'pandas', 'numpy', 'rich', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_main_puts_the_callers_variables_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    before = dict(os.environ)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert dict(os.environ) == before
