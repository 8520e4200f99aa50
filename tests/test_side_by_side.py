"""Plans side by side: the odds that `simulate` gives, the section of a report, the run file's `plans:`, what `diff` names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import samples

import lyeval as ly
from lyeval import report
from lyeval.assessment import Assessment
from lyeval.portfolios import SideBySide
from lyeval.run import RunError, check_run, load_run
from lyeval.run.finished_runs import _plans
from lyeval.run.inputs import given, inputs_of
from lyeval.run.production import notebooks
from lyeval.run.records import parameters_of

SHARE, HOW = "below_scale_low_land_share", {"draws": 200, "seed": 3}


@pytest.fixture(scope="module")
def now() -> Assessment:
    return ly.assess(samples.linshu(), "linshu-2021", 2023)


@pytest.fixture(scope="module")
def made(now: Assessment) -> SideBySide:
    return ly.side_by_side(now, {"甲": now.plan.head(5), "乙": now.plan}, curve=False, **HOW)


def test_each_plan_has_the_odds_of_simulate(now: Assessment, made: SideBySide) -> None:
    rows = made.plans[made.plans["id"] == SHARE].set_index("scenario")
    for name, plan in (("", None), ("甲", now.plan.head(5)), ("乙", now.plan)):
        told = ly.simulate(now, plan, **HOW).targets.set_index("id")
        assert rows.loc[name, "probability"] == told.loc[SHARE, "probability"]
    assert rows["cases"].tolist() == [len(now.plan), 5, len(now.plan)]
    assert rows.loc["甲", "cost_wan"] < rows.loc["", "cost_wan"]
    assert rows.loc["甲", "released_mu"] < rows.loc["", "released_mu"]
    assert any(note.id == "plan_given" for note in made.notes)


def test_only_those_whose_method_differs_are_named(now: Assessment, made: SideBySide) -> None:
    assert set(made.differs["credit_code"]) == set(now.plan["credit_code"]) - set(now.plan.head(5)["credit_code"])
    assert (made.differs["甲"] == "").all()
    assert made.differs[""].equals(made.differs["乙"])


@pytest.mark.parametrize(("lang", "title"), [("zh", "方案比选"), ("en", "Plans side by side")])
def test_a_report_has_a_section_where_plans_were_held_and_none_else(made: SideBySide, lang: str, title: str) -> None:
    tables = samples.judged("linshu", 2023) | report.ledger_tables(samples.linshu(), ly.load_policy("linshu-2021"))
    assert title not in "".join(ly.run.outline(report.build_report(tables, lang=lang)))  # pyright: ignore[reportArgumentType]
    curve = pd.DataFrame([(SHARE, "占比", "share", 0.0, 0.1, 0), (SHARE, "占比", "share", 70.0, 0.2, 1)])
    curve.columns = ["id", "label", "label_en", "cost_wan", "probability", "enterprises"]
    meta = {"as_of": "2023-12", "facts_year": 2023, "assumptions": "default", "notes": [], "notes_en": [], **HOW}
    more = made.tables | {"plans_curve": curve, "simulation_meta": meta}
    document = report.build_report(tables | more, lang=lang)  # pyright: ignore[reportArgumentType]
    assert title in "".join(ly.run.outline(document))
    ids = [getattr(block, "id", "") for block in document.blocks]
    assert {"plans", "plans_differ", "curve_figure"} <= set(ids)


def test_a_run_file_names_plans_and_a_fault_in_one_is_told(tmp_path: Path, now: Assessment) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        now.plan.to_csv(tmp_path / name / "plan.csv", index=False)
    run = tmp_path / "mine.yaml"
    text = "kind: review\npolicy: linshu-2021\nledger: sample:linshu\nyear: 2023\n"
    run.write_text(text + "plans: {甲: a/plan.csv, 乙: b/plan.csv}\n", encoding="utf-8")
    loaded = load_run(run)
    assert list(given(loaded.spec)["plans"]) == ["甲", "乙"]
    assert parameters_of(loaded.spec)["plans"] == {"甲": "plan.csv", "乙": "plan.csv"}
    assert [one.use for one in inputs_of(loaded)].count("plans") == 2
    assert "07_plans" in [path.stem for path in notebooks(plans=True)]
    check_run(loaded)
    (tmp_path / "b/plan.csv").write_text("credit_code,method\n91330000000000000X,upgrade\n", encoding="utf-8")
    with pytest.raises(RunError, match="不在台账的企业中"):
        check_run(loaded)
    run.write_text(text, encoding="utf-8")
    assert "plans" not in parameters_of(load_run(run).spec)


def test_two_runs_name_whose_method_their_plans_do_not_share() -> None:
    columns = ["scenario", "credit_code", "name", "label", "label_en"]
    old = pd.DataFrame(
        [("", "a", "甲厂", "帮扶提升", "support"), ("x", "a", "甲厂", "关停", "closing")], columns=columns
    )
    new = pd.DataFrame(
        [("", "a", "甲厂", "帮扶提升", "support"), ("y", "b", "乙厂", "关停", "closing")], columns=columns
    )
    told = _plans({"plans_cases": old}, {"plans_cases": new})
    assert told[["credit_code", "before", "after"]].to_numpy().tolist() == [["a", "关停", ""], ["b", "", "关停"]]
    against = _plans({}, {"plans_cases": new})
    assert against[["credit_code", "before", "after"]].to_numpy().tolist() == [["a", "帮扶提升", ""], ["b", "", "关停"]]
    assert _plans({}, {}).empty
    assert _plans({"plans_cases": old}, {"plans_cases": old}).empty
