"""The planner's desk: what it computes is what `simulate` computes; in a real browser it opens, chooses, keeps, tells faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources as files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from browser import CHROMIUM, MISSING, lab
from samples import linshu

import lyeval as ly
from lyeval import desk
from lyeval.desk import County, Question, Trial
from lyeval.desk.page import Desk, words
from lyeval.run import load_run
from lyeval.told import Told

SHARE, DRAWS = "below_scale_low_land_share", 300


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County(draws=DRAWS, seed=3, folder=tmp_path)


@pytest.fixture(scope="module")
def laid() -> Trial:
    return Trial(ly.assess(linshu(), "linshu-2021", 2023), Question(SHARE, 2024), draws=DRAWS, seed=3)


def simulated(now: Any, plan: Any, **more: Any) -> float:
    made = ly.simulate(now, plan, draws=DRAWS, seed=3, **more).targets.set_index("id")
    return float(made.loc[SHARE, "probability"])


def three(trial: Trial) -> list[tuple[str, str]]:
    """Three enterprises, each with a method that is open to it."""
    return list(dict(zip(trial.codes, trial.options["method"], strict=True)).items())[:3]


# -- what it computes --------------------------------------------------------------------------------------------------


def test_every_choice_has_the_odds_that_simulate_gives(laid: Trial) -> None:
    assert laid.probability() == simulated(laid.now, None)
    for code, method in three(laid):
        laid.choose(code, method)
    assert laid.probability() == simulated(laid.now, laid.plan())
    assert len(laid.chosen) == 3
    for code, _ in three(laid):
        laid.choose(code, "")
    assert laid.probability() == simulated(laid.now, None)
    assert not laid.taken.any()


def test_a_plan_that_is_sought_costs_no_more_than_the_money_given(laid: Trial) -> None:
    laid.solve(0.9, funds=100, at_most=4)
    assert 0 < len(laid.chosen) <= 4
    assert laid.chosen.loc[laid.chosen["payer"] == "government", "cost_wan"].sum() <= 100
    assert laid.probability() == simulated(laid.now, laid.plan())
    laid.taken[:] = False


def test_a_method_that_is_not_open_is_refused_with_its_clause(laid: Trial) -> None:
    row = laid.refused[laid.refused["credit_code"].isin(laid.codes)].iloc[0]
    with pytest.raises(Told) as told:
        laid.choose(row["credit_code"], row["method"])
    assert row["why"] in told.value.zh
    assert row["why_en"] in told.value.en


def test_land_by_township_is_what_the_portfolio_says(laid: Trial) -> None:
    made = ly.portfolio(laid.now, SHARE, probability=0.12, draws=DRAWS, seed=3)
    added = made.plan[made.plan["new"]]
    for row in added.to_dict("records"):
        laid.choose(row["credit_code"], row["method"])
    mine, theirs = laid.land().set_index("township")["released_mu"], made.townships.set_index("township")["released_mu"]
    pd.testing.assert_series_equal(mine.sort_index(), theirs.sort_index())
    laid.taken[:] = False


def test_a_plan_that_is_kept_is_replayed_to_the_digit(county: County) -> None:
    policy, ledger = county.opened()
    asked = Question(SHARE, 2024, readings={"edge": "low"}, line=1.2, goal=0.18, start="2024-04")
    trial = county.trial(policy, ledger, asked)
    for code, method in three(trial):
        trial.choose(code, method)
    plan, run = desk.save(county, trial, "方案一")
    assert (plan, run) == (county.folder / "data/方案一.csv", county.folder / "parameters/runs/方案一.yaml")
    spec = load_run(run).spec
    rules = ly.run.open_policy(spec.policy, spec.patch)
    now = ly.assess(ledger, rules, spec.year, readings=spec.readings)
    assert simulated(now, load_run(run).find(str(spec.plan))) == trial.probability()
    assert spec.draws, spec.seed == (DRAWS, 3)
    with pytest.raises(Told, match="方案一"):
        desk.save(county, trial, "方案一")
    for name in ("", "../x", "con", "a/b"):
        with pytest.raises(Told):
            desk.save(county, trial, name)
    again = county.trial(policy, ledger, Question(SHARE, 2024, {"edge": "low"}, 1.2, 0.18, "2024-04", plan))
    assert again.probability() == trial.probability()
    assert again.plan()[["credit_code", "method"]].equals(trial.plan()[["credit_code", "method"]])


def test_whatever_goes_wrong_is_one_line(county: County, tmp_path: Path) -> None:
    page = Desk(County(ledger=str(tmp_path / "none.xlsx"), folder=tmp_path))
    page.load()
    assert page.told["fault"]
    assert "\n" not in page.told["text"]
    page = Desk(county, "en")
    page.load()
    assert not page.told["fault"], page.told
    (tmp_path / "data").mkdir()
    other = ly.read_ledger("sample:zhoushan-shengsi").enterprises["credit_code"].iloc[0]
    (tmp_path / "data/other.csv").write_text(f"credit_code,method\n{other},upgrade\n", encoding="utf-8")
    for asked in (
        {"kind": "open", "name": "other.csv"},
        {"kind": "open", "name": "none.csv"},
        {"kind": "solve", "probability": "often", "funds": "", "at_most": ""},
        {"kind": "change", "name": "line", "value": "-3"},
        {"kind": "save", "name": "con"},
        {"kind": "choose", "code": "nobody", "method": "upgrade"},
        {"kind": "change", "name": "year", "value": "later"},
    ):
        before = page.card
        page.ask({**asked, "number": 7})
        assert page.told["fault"], asked
        assert "\n" not in page.told["text"]
        assert not re.search("[\u4e00-\u9fff]", page.told["text"].replace(other, "")), page.told
        assert page.card == before


def test_both_languages_have_every_word() -> None:
    zh, en = words("zh"), words("en")
    assert [key for key in en if key != "count" and not en[key]] == []
    assert not [key for key, text in en.items() if re.search("[\u4e00-\u9fff]", text)]
    used = set(re.findall(r"\b(?:w|words)\.(\w+)", Path(desk.page.__file__).with_name("desk.js").read_text("utf-8")))
    assert used <= set(zh)


def test_another_question_moves_the_odds_as_it_should(county: County) -> None:
    page = Desk(county)
    page.load()
    base = page.card["probability"]
    page.ask({"kind": "change", "name": "goal", "value": "30"})
    assert float(page.card["probability"]) > float(base)
    page.ask({"kind": "change", "name": "reading", "id": "small-threshold", "value": "stepped"})
    assert page.form["line"] == "2"
    page.ask({"kind": "change", "name": "year", "value": "2025"})
    assert page.form["year"] == "2025"
    page.ask({"kind": "change", "name": "target", "value": "above_scale_clear"})
    assert page.form["target"] == "above_scale_clear"
    page.ask({"kind": "reset"})
    assert page.told["text"] == words("zh")["reset_done"]
    assert np.isfinite(float(page.card["probability"]))


# -- in a browser ------------------------------------------------------------------------------------------------------

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
AXE = files.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") if CHROMIUM else ""
pytestmark = pytest.mark.xdist_group("desk")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run, a run on a broken ledger, and a plan of another county."""
    home = tmp_path_factory.mktemp("space")
    runs = home / "parameters/runs"
    runs.mkdir(parents=True)
    text = f"kind: review\npolicy: linshu-2021\nledger: sample:linshu\nyear: 2023\ndraws: {DRAWS}\nseed: 3\n"
    (runs / "county.yaml").write_text(text, encoding="utf-8")
    (home / "data").mkdir()
    (home / "data/broken.csv").write_text("企业名称,年份\n甲厂,2023\n", encoding="utf-8")
    (runs / "broken.yaml").write_text(text.replace("sample:linshu", "../../data/broken.csv"), encoding="utf-8")
    other = ly.read_ledger("sample:zhoushan-shengsi").enterprises["credit_code"].iloc[0]
    (home / "data/other.csv").write_text(f"credit_code,method\n{other},upgrade\n", encoding="utf-8")
    (runs / "other.yaml").write_text(text + "plan: ../../data/other.csv\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def address(space: Path) -> Iterator[str]:
    with lab(space, "county") as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    opened = shown(chromium, address)
    yield opened
    opened.context.close()


def shown(chromium: Any, address: str) -> Any:
    """Open an address and wait for the desk to be ready."""
    page = chromium.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector(".lyeval-desk output")
    answered(page)
    return page


def answered(page: Any) -> str:
    """Wait until the desk has answered all that it was asked, and return what it tells."""
    page.wait_for_function(
        "() => { const d = document.querySelector('.lyeval-desk').dataset; return d.answered >= (d.asked ?? 0); }"
    )
    return page.inner_text(".lyeval-desk .told")


def probability(page: Any) -> float:
    return float(page.get_attribute(".lyeval-desk output", "data-probability"))


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_from_the_first_look_to_a_plan_that_a_run_repeats(page: Any, space: Path, laid: Trial) -> None:
    assert "临沭县" in page.inner_text(".lyeval-desk h1")
    assert page.locator("text=文件").count()
    assert "Jupyter news" not in page.inner_text("body")
    assert not page.locator(".jp-InputArea-editor:visible").count()
    assert probability(page) == simulated(laid.now, None)
    for code, method in three(laid):
        page.select_option(f'select[name="{code}"]', method)
        laid.choose(code, method)
    answered(page)
    assert probability(page) == laid.probability()
    assert page.locator(".lyeval-desk tr.changed").count() == 3
    page.fill("input[name=probability]", "14")
    page.click("button[name=solve]")
    answered(page)
    assert probability(page) >= 0.14
    page.fill("input[name=name]", "三户")
    page.click("button[name=save]")
    told = answered(page)
    assert "三户.csv" in told
    assert "与这里相同" in told
    assert simulated(laid.now, space / "data/三户.csv") == probability(page)
    assert page.locator(".lyeval-desk .differs tbody tr").count() > 3
    page.click("button[name=reset]")
    answered(page)
    assert probability(page) == simulated(laid.now, None)
    page.select_option("select[name=b]", "三户.csv")
    answered(page)
    kept = page.locator(".lyeval-desk .figures td[data-probability]").nth(1).get_attribute("data-probability")
    assert float(kept) == simulated(laid.now, space / "data/三户.csv")
    laid.taken[:] = False


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_it_fits_a_small_screen_and_a_keyboard_and_axe(page: Any) -> None:
    wide = page.evaluate(
        """() => [...document.querySelectorAll('.lyeval-desk, .lyeval-desk *')].filter(
        e => e.getBoundingClientRect().right > window.innerWidth && !e.closest('.scroll')).length"""
    )
    assert wide == 0
    page.focus("input[name=probability]")
    for key in ("Tab", "Tab", "Tab"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.name") == "solve"
    page.keyboard.press("Enter")
    assert "把握" in answered(page)
    first = page.locator(".lyeval-desk tbody select").first
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    answered(page)
    page.evaluate(AXE)
    nodes = "v.nodes.map(n => n.html).slice(0, 3)"
    told = f"f.violations.map(v => [v.impact, v.id, {nodes}])"
    found = page.evaluate(f"axe.run('.lyeval-desk', {{resultTypes: ['violations']}}).then(f => {told})")
    assert [fault for fault in found if fault[0] in ("serious", "critical")] == []


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_two_tabs_do_not_disturb_each_other_and_a_lost_kernel_is_told(chromium: Any, address: str, laid: Trial) -> None:
    one, two = shown(chromium, address), shown(chromium, address)
    code, method = three(laid)[0]
    one.select_option(f'select[name="{code}"]', method)
    answered(one)
    assert one.locator(".lyeval-desk tr.changed").count() == 1
    assert two.locator(".lyeval-desk tr.changed").count() == 0
    two.context.close()
    one.evaluate(
        """async () => { const token = document.getElementById('jupyter-config-data').textContent.match(/"token": *"(\\w+)"/)[1];
        const kernels = await (await fetch(`/api/kernels?token=${token}`)).json();
        for (const k of kernels) await fetch(`/api/kernels/${k.id}/restart?token=${token}`, {method: 'POST'}); }"""
    )
    one.select_option(f'select[name="{code}"]', "")
    one.wait_for_selector(".lyeval-desk .told.fault")
    assert one.inner_text(".lyeval-desk .told") == words("zh")["silent"]
    one.locator(".lyeval-desk header button").click()
    one.wait_for_selector(".lyeval-desk .told:not(.fault)")
    one.wait_for_selector(".lyeval-desk output")
    answered(one)
    assert one.locator(".lyeval-desk tr.changed").count() == 0
    one.context.close()


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
@pytest.mark.parametrize(("run", "word"), [("broken", "统一社会信用代码"), ("other", "不在台账的企业中")])
def test_what_cannot_be_read_is_one_line_and_no_traceback(chromium: Any, space: Path, run: str, word: str) -> None:
    with lab(space, run) as url:
        page = chromium.new_page()
        page.set_default_timeout(120_000)
        page.goto(url)
        page.wait_for_selector(".lyeval-desk .told.fault")
        assert word in page.inner_text(".lyeval-desk .told")
        assert "Traceback" not in page.inner_text("body")
        page.context.close()


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_in_english_it_is_english(chromium: Any, space: Path) -> None:
    with lab(space, "county", "--lang", "en") as url:
        page = shown(chromium, url)
        text = (
            page.inner_text(".lyeval-desk header") + page.inner_text(".lyeval-desk .asked") + page.inner_text(".card")
        )
        text += " ".join(page.locator(".lyeval-desk thead th").all_inner_texts())
        text = text.replace(page.inner_text(".lyeval-desk .asked small"), "")  # a clause by its number
        for name in (space / "data").glob("*.csv"):
            text = text.replace(name.name, "")
        towns = set(linshu().enterprises["township"].dropna())
        for town in sorted(towns, key=len, reverse=True):
            text = text.replace(town, "")
        assert not re.findall("[\u4e00-\u9fff]+", text.replace("（", "").replace("）", ""))
        assert page.locator("text=Kernel").count()
        page.context.close()
