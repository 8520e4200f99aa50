"""Which plan: every plan a lookup that `simulate` repeats, the cheapest and the strongest as brute force has them, lawful methods alone."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import Lyeval, runner
from samples import linshu

import lyeval as ly
from lyeval.assessment import Assessment, TargetView, meets
from lyeval.policy import PolicyError, patch
from lyeval.portfolios import Portfolio
from lyeval.portfolios.choices import Tensor
from lyeval.portfolios.robust import peeled
from lyeval.portfolios.solving import Limits, Problem, bound, cheapest, every, few, strongest
from lyeval.simulation.engine import Learned, Year
from lyeval.simulation.odds import corrected, probability
from lyeval.told import Told

SHARE, DRAWS, SEED = "below_scale_low_land_share", 300, 3


@pytest.fixture(scope="module")
def now() -> Assessment:
    return ly.assess(linshu(), "linshu-2021", 2023)


@pytest.fixture(scope="module")
def sought(now: Assessment) -> Portfolio:
    return ly.portfolio(now, SHARE, year=2024, probability=0.9, draws=DRAWS, seed=SEED)


@pytest.fixture(scope="module")
def cheap(now: Assessment) -> Portfolio:
    return ly.portfolio(now, SHARE, year=2024, probability=0.12, draws=DRAWS, seed=SEED)


def simulated(now: Assessment, plan: pd.DataFrame, seed: int = SEED, draws: int = DRAWS) -> float:
    rows = ly.simulate(now, plan, draws=draws, seed=seed).targets.set_index("id")
    return float(rows.loc[SHARE, "probability"])  # pyright: ignore[reportArgumentType]


# -- a tensor of one's own ---------------------------------------------------------------------------------------------


def made_up(rng: np.random.Generator, firms: int, methods: int = 3, draws: int = 60) -> tuple[Tensor, np.ndarray]:
    """Make a county's tensor, and its numerators and denominators by draw, firm and choice (as arranged first)."""
    kind, land = rng.choice(["share", "count"]), rng.lognormal(2, 0.6, firms)
    weight = land if kind == "share" else np.ones(firms)
    low = rng.random((draws, firms, methods + 1)) < rng.uniform(0.2, 0.9, (1, firms, methods + 1))
    stays = np.ones((draws, firms, methods + 1))
    if kind == "share":
        stays[..., -1] = rng.random((draws, firms)) > 0.3
    table = np.stack([low * stays * weight[:, None], stays * weight[:, None]])
    codes = np.array([f"F{i}" for i in range(firms)], dtype=object)
    yes, no = np.ones(firms, dtype=bool), np.zeros(firms, dtype=bool)
    goal = float(
        np.quantile(table[0, ..., 0].sum(axis=1) / (table[1, ..., 0].sum(axis=1) if kind == "share" else 1), 0.2)
    )
    words = ("t", "", "", 2024, "", "", kind, "below", "land", 1.0, "le", goal, False, "drop")
    view = TargetView(*words, codes, yes, land, land, no, 0.0, 0)
    taught = {"t": Learned(shift=rng.normal(0, 0.3), scale=rng.uniform(1, 1.3))} if rng.random() < 0.5 else {}
    flat = np.zeros((draws, firms))
    year = Year(2024, codes, flat, flat, flat[0], flat > 0, flat > 0, flat > 0, flat, flat > 0, -np.inf * (flat[0] + 1),
                np.inf * (flat[0] + 1), no, final=False, learned=taught)  # fmt: skip
    pairs = list(product(range(firms), range(1, methods + 1)))
    options = pd.DataFrame({"at": [i for i, _ in pairs], "cost_wan": rng.lognormal(3, 1, len(pairs)).round(2)})
    options["payer"] = rng.choice(["government", "enterprise"], len(pairs))
    options["started"] = np.datetime64("2024-01-01")
    own = [np.stack([table[side][:, i, m] for i, m in pairs], axis=1) for side in (0, 1)]
    whole, own_whole = (table[1, ..., 0], own[1]) if kind == "share" else (None, None)
    return Tensor(view, year, options, table[0, ..., 0], whole, own[0], own_whole, options["at"].to_numpy()), table


def brute(t: Tensor, table: np.ndarray, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """Return cost and odds of every plan within the limits."""
    firms, choices = table.shape[2], table.shape[3]
    plans = np.array(list(product(range(choices), repeat=firms)))
    costs = np.column_stack([np.zeros(firms), t.options["cost_wan"].to_numpy().reshape(firms, choices - 1)])
    state = np.column_stack(
        [np.zeros(firms), (t.options["payer"] == "government").to_numpy().reshape(firms, choices - 1)]
    )
    cost, part, whole, money = (
        np.zeros(s) for s in (len(plans), (len(plans), len(table[0])), (len(plans), len(table[0])), len(plans))
    )
    for i in range(firms):
        mine = plans[:, i]
        cost += costs[i, mine]
        money += costs[i, mine] * state[i, mine]
        part += table[0, :, i, :].T[mine]
        whole += table[1, :, i, :].T[mine]
    within = (money <= limits.money.get("", np.inf) + 1e-9) & ((plans > 0).sum(axis=1) <= (limits.at_most or firms))
    odds = []
    for a, b in zip(part[within], whole[within], strict=True):
        with np.errstate(invalid="ignore", divide="ignore"):
            found = a if t.whole is None else np.where(b > 0, a / b, np.nan)
        found = corrected(t.view, found, t.year.learned["t"]) if t.year.learned else found
        known = found[~np.isnan(found)]
        odds.append(probability(int(meets(t.view, known).sum()), len(known)) if len(known) else 0.0)
    return cost[within], np.array(odds)


@pytest.mark.parametrize("seed", range(20))
def test_brute_force_agrees_and_the_gap_holds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for turn in range(10):
        firms = 5 if turn == 0 else int(rng.integers(2, 5))
        t, table = made_up(rng, firms)
        limits = Limits({"": float(rng.uniform(20, 200))} if turn % 3 == 1 else {}, 2 if turn % 3 == 2 else None)
        problem = Problem(t, limits)
        cost, odds = brute(t, table, limits)
        assert few(problem)
        front = every(problem)
        assert front[-1].probability == odds.max()
        top = strongest(problem)
        assert problem.allows(top.taken)
        assert top.probability <= odds.max()
        for asked in (0.3, 0.6, 0.9):
            least, wanted = bound(problem, asked), cost[odds >= asked]
            exact = next((one for one in front if one.probability >= asked), None)
            found, _ = cheapest(problem, asked, top)
            assert (exact is None) == (len(wanted) == 0)
            if exact is not None:
                assert exact.cost == pytest.approx(wanted.min())
                assert least <= wanted.min() + 1e-6
            if found is not None:
                assert found.probability >= asked
                assert found.cost >= wanted.min() - 1e-6
                assert problem.allows(found.taken)


def test_the_search_comes_near_to_brute_force() -> None:
    """Of 50 counties the search on the mean finds the cheapest plan, or one little dearer, in most."""
    rng, dearer = np.random.default_rng(5), []
    for _ in range(50):
        t, table = made_up(rng, 4)
        problem = Problem(t, Limits())
        cost, odds = brute(t, table, Limits())
        top = strongest(problem)
        assert top.probability >= odds.max() - 0.1
        asked = (odds[0] + top.probability) / 2
        found, _ = cheapest(problem, asked, top)
        assert found is not None
        dearer.append(found.cost / max(cost[odds >= asked].min(), 1e-9))
    assert np.median(dearer) < 1.05
    assert np.quantile(dearer, 0.9) < 1.6


# -- on a ledger -------------------------------------------------------------------------------------------------------


def test_any_plan_is_a_lookup_that_simulate_repeats_to_the_digit(
    now: Assessment, sought: Portfolio, cheap: Portfolio
) -> None:
    assert simulated(now, sought.ceiling.plan) == sought.ceiling.probability
    assert simulated(now, cheap.plan) == cheap.on_draws
    held, rng = sought.basis, np.random.default_rng(1)
    t = held.problem.tensor
    for _ in range(3):
        order = rng.permutation(len(t.options))[:60]
        taken = np.zeros(len(t.options), dtype=bool)
        taken[order[np.unique(t.column[order], return_index=True)[1]]] = True
        rows = t.options[taken]
        mine = pd.DataFrame(
            {"credit_code": held.made.given.panel.codes[rows["at"]], "method": rows["method"].to_numpy()}
        )
        assert simulated(
            now, pd.concat([now.plan[~now.plan["credit_code"].isin(mine["credit_code"])], mine])
        ) == t.probability(taken)


def test_the_printed_odds_are_those_of_fresh_draws(now: Assessment, cheap: Portfolio) -> None:
    assert cheap.probability == simulated(now, cheap.plan, seed=SEED + 1_000_003)
    other = simulated(now, cheap.plan, seed=77, draws=2000)
    assert abs(cheap.probability - other) < 4 * np.sqrt(other * (1 - other) / DRAWS)


def test_no_lawful_plan_reaches_fifteen_per_cent_in_2024_and_it_says_how_far_the_best_gets(sought: Portfolio) -> None:
    assert not sought.reached
    assert 0.15 < sought.ceiling.probability < 0.5
    assert sought.ceiling.probability <= sought.ceiling.most < 0.9
    assert sought.ceiling.goal > 0.15
    told = {note.id: note for note in sought.notes}
    assert f"最多{sought.ceiling.fresh:.1%}" in told["portfolio_unreachable"].zh
    assert "no lawful plan reaches the goal with a probability of 90%" in told["portfolio_unreachable"].en
    assert not re.search("[\u4e00-\u9fff]", " ".join(note.en for note in sought.notes))
    pd.testing.assert_frame_equal(sought.plan, sought.ceiling.plan)


def test_the_cheapest_costs_less_than_the_ceiling_and_stands_on_the_curve(sought: Portfolio, cheap: Portfolio) -> None:
    assert cheap.reached
    assert cheap.on_draws >= 0.12
    assert 0 < cheap.cost_wan < cheap.ceiling.cost_wan
    assert cheap.bound_wan <= cheap.cost_wan
    assert cheap.gap == pytest.approx((cheap.cost_wan - cheap.bound_wan) / cheap.cost_wan)
    for made in (sought, cheap):
        assert made.curve["cost_wan"].is_monotonic_increasing
        assert made.curve["probability"].is_monotonic_increasing
        assert made.curve["probability"].iloc[-1] == made.ceiling.probability
        assert made.funds["cost_wan"].sum() == pytest.approx(made.cost_wan)
        assert made.townships["enterprises"].sum() == len(made.plan)
        assert (made.townships["released_mu"] <= made.townships["land_mu"] + 1e-9).all()
    price = cheap.prices[cheap.prices["constraint"] == "probability"]
    assert (price["effect"] > 0).tolist() == [True]


def test_money_and_number_are_kept_to(now: Assessment) -> None:
    made = ly.portfolio(now, SHARE, funds={2024: 100}, at_most=5, draws=DRAWS, seed=SEED)
    added = made.plan[made.plan["new"]]
    assert 0 < len(added) <= 5
    assert added.loc[added["payer"] == "government", "cost_wan"].sum() <= 100
    assert {"funds 2024", "at_most"} <= set(made.prices["constraint"])
    only = ly.portfolio(now, SHARE, methods=["帮扶提升"], draws=100, seed=SEED)
    assert set(only.plan.loc[only.plan["new"], "method"]) == {"upgrade"}


def test_only_what_the_clauses_allow_is_offered_and_each_row_says_why(now: Assessment, sought: Portfolio) -> None:
    added = sought.plan[sought.plan["new"]]
    for row in added.head(25).to_dict("records"):
        methods = now.dossier(row["credit_code"]).methods.merge(
            pd.DataFrame([{"id": rule.id, "method": rule.method} for rule in now.policy.methods]), on="id"
        )
        allowed = methods.loc[methods["method"] == row["method"], "lawful"].tolist()
        assert any(state is not False for state in allowed)
        assert row["clause"]
        assert row["clause"] in row["why"]
        assert row["why"] != row["why_en"]
    refused = sought.refused
    assert (refused["why"] != "").all()
    pairs = set(zip(refused["credit_code"], refused["method"], strict=True))
    assert not pairs & set(zip(added["credit_code"], added["method"], strict=True))


def test_what_is_not_known_is_a_condition(now: Assessment) -> None:
    firms = now.ledger.enterprises.drop(columns=["cannot_develop_soon", "cannot_meet_benefit_soon"], errors="ignore")
    blank = ly.assess(replace(now.ledger, enterprises=firms), now.policy, 2023)
    made = ly.portfolio(blank, SHARE, methods=["收购储备"], draws=100, seed=SEED)
    added = made.plan[made.plan["new"]]
    assert len(added)
    assert (added["condition"] != "").all()
    assert added["condition"].str.contains("须属实").all()
    assert any(note.id == "portfolio_conditions" for note in made.notes)
    assert set(made.find_out.loc[made.find_out["kind"] == "fact", "id"]) == set(added["condition"])


def test_nobody_is_closed_by_its_score_alone(now: Assessment) -> None:
    for when in ({"fact": "grade", "op": "in", "value": ["D"]}, {"fact": "tax_per_mu", "op": "lt", "value": 1.0}):
        changed = patch(now.policy, {"methods.reserve.when": when})
        made = ly.portfolio(ly.assess(now.ledger, changed, 2023), SHARE, methods=["land_bank"], draws=100, seed=SEED)
        assert not made.plan.loc[made.plan["new"], "method"].isin(["land_bank"]).any()
        assert made.refused["why"].str.contains("不是关停、收储的依据").all()


def test_the_plan_is_tried_under_readings_and_assumptions(cheap: Portfolio) -> None:
    rows = cheap.robust
    assert set(rows["kind"]) == {"reading", "assumption"}
    assert rows["swing"].is_monotonic_decreasing
    assert ((rows["p_low"] >= 0.12) & (rows["p_high"] >= 0.12)).tolist() == rows["holds"].tolist()


def test_a_box_is_peeled_around_what_fails() -> None:
    points = np.random.default_rng(1).random((200, 3))
    box = peeled(points, (points[:, 0] > 0.6) & (points[:, 2] < 0.5))
    assert 0.5 < box[0, 0] < 0.7
    assert 0.4 < box[1, 2] < 0.6
    assert peeled(points, np.ones(200, dtype=bool)).tolist() == [[0, 0, 0], [1, 1, 1]]


def test_the_box_of_assumptions_in_which_a_plan_fails(cheap: Portfolio) -> None:
    box = cheap.box
    assert (box["box_low"] >= box["low"]).all()
    assert (box["box_high"] <= box["high"]).all()
    assert (box["inside"] > box["overall"]).all()
    assert len(box) > 0


def test_arguments_of_another_kind_are_told_in_one_line(now: Assessment) -> None:
    wrong = [
        lambda: ly.portfolio(now.ledger, SHARE),  # pyright: ignore[reportArgumentType]
        lambda: ly.portfolio(now, 3),  # pyright: ignore[reportArgumentType]
        lambda: ly.portfolio(now, SHARE, probability=90),
        lambda: ly.portfolio(now, SHARE, probability="0.9"),  # pyright: ignore[reportArgumentType]
        lambda: ly.portfolio(now, SHARE, year="2024"),  # pyright: ignore[reportArgumentType]
        lambda: ly.portfolio(now, SHARE, year=2023),
        lambda: ly.portfolio(now, SHARE, funds=-1),
        lambda: ly.portfolio(now, SHARE, funds={"2024": 5}),  # pyright: ignore[reportArgumentType]
        lambda: ly.portfolio(now, SHARE, at_most=1.5),  # pyright: ignore[reportArgumentType]
        lambda: ly.portfolio(now, SHARE, methods=["关停"], draws=100),
        lambda: ly.portfolio(now, "below_scale_share"),
    ]
    for call in wrong:
        with pytest.raises(Told) as error:
            call()
        assert "\n" not in str(error.value)
        assert error.value.zh != error.value.en
    with pytest.raises(PolicyError, match=SHARE):
        ly.portfolio(now, "below_scale_low_land_shar")


# -- the terminal ------------------------------------------------------------------------------------------------------


@pytest.fixture
def lyeval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    return runner(capsys, monkeypatch)


def test_a_portfolio_at_the_terminal_writes_a_plan_that_gives_the_same_odds(
    lyeval: Lyeval, now: Assessment, tmp_path: Path
) -> None:
    run = (
        "portfolio",
        "linshu-2023",
        "--target",
        SHARE,
        "--probability",
        0.12,
        "--set",
        f"draws={DRAWS}",
        "--set",
        "seed=3",
    )
    told = lyeval(*run, "--out", tmp_path / "plan.csv")
    assert told.code == 0
    assert "最省的一组" in told.out
    assert "理由" in told.out
    made = ly.portfolio(now, SHARE, probability=0.12, draws=DRAWS, seed=SEED)
    plan = ly.simulate(now, tmp_path / "plan.csv", draws=DRAWS, seed=SEED)
    assert plan.targets.set_index("id").loc[SHARE, "probability"] == made.on_draws
    assert not [note for note in plan.notes if note.id in ("plan_told", "plan_unused")]
    english = lyeval(*run, "--lang", "en").out
    assert "the cheapest plan found" in english
    assert lyeval(*run, "--target", "nothing").code == 2
    assert lyeval("portfolio", "linshu-2023", "--probability", 90).code == 1


def test_one_enterprise_at_the_terminal_by_code_and_by_name(lyeval: Lyeval, now: Assessment) -> None:
    code, name = now.ledger.enterprises[["credit_code", "name"]].iloc[0]
    where = ("dossier", "sample:linshu", "--policy", "linshu-2021", "--year", 2023)
    by_code, by_name = (lyeval(*where[:2], who, *where[2:]) for who in (code, name))
    assert by_code == by_name
    assert by_code.code == 0
    assert code in by_code.out
    assert "前提是否成立" in by_code.out
    assert "written off" in lyeval(*where[:2], code, *where[2:], "--lang", "en").out
    unknown = lyeval(*where[:2], "无此企业", *where[2:])
    assert unknown.code == 1
    assert "台账中没有 无此企业" in unknown.err
    assert lyeval(*where).code == 2


def test_every_reading_at_the_terminal(lyeval: Lyeval, now: Assessment) -> None:
    where = ("readings", "sample:linshu", "--policy", "linshu-2021", "--year", 2023)
    told, rows = lyeval(*where), ly.readings(now.ledger, now.policy, 2023).targets
    assert told.code == 0
    for met, n in zip(rows["met"], rows["n"], strict=True):
        assert f"{met:,} / {n:,}" in told.out
    english = lyeval(*where, "--lang", "en").out
    assert "of 2,304" in english
    assert not re.search("[\u4e00-\u9fff]", english.replace("三", ""))
