"""Years drawn by plain loops over draws and enterprises, from the same random numbers, against the engine and the odds."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, pairwise
from math import ceil, exp, isclose, log

import numpy as np
import pytest
from outlook_county import autoregressive, panel_of, setting_of
from test_odds import view

from lyeval.simulation.casework import AGES, finishing, land_leaving, own_effects
from lyeval.simulation.draws import Sampling, cell_odds, county_draws, uniforms
from lyeval.simulation.dynamics import centres
from lyeval.simulation.engine import Setting, Year, years_to_come
from lyeval.simulation.odds import members, values

METHODS = ("upgrade", "rectify", "merge", "partition", "land_bank", "judicial", "shut_down", "contract")
DRAWS = 40


def random_county(seed: int) -> tuple[Setting, np.ndarray]:
    """Make a county with silent years, net refunds, firms gone, open cases of any method and successors; and its land."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 40))
    land, tax, _ = autoregressive(rng, n, 6)
    tax[rng.random(tax.shape) < rng.choice([0.0, 0.08])] = 0.0
    tax[rng.random(tax.shape) < rng.choice([0.0, 0.03])] = -3.0
    who = np.sort(rng.choice(n, n // 3, replace=False))
    cases = [(int(i), str(rng.choice(METHODS)), float(rng.choice([0.0, 5.0]))) for i in who]
    given = setting_of(panel_of(tax, land), Sampling(DRAWS, seed), cases=cases)
    blank = np.full(len(who), np.nan)
    released = np.where(rng.random(len(who)) < 0.3, land[who] * rng.uniform(0.2, 2.0, len(who)), blank)
    plan = replace(given.plan, successor=rng.integers(-1, n, len(who)), released=released)
    gone = rng.random(n) < 0.1
    left = replace(given.left, gone=gone, released=gone & (rng.random(n) < 0.5), kept=rng.choice([1.0, 0.7], n))
    return replace(given, plan=plan, left=left), land


def year_by_hand(given: Setting, years: int) -> list[dict[str, np.ndarray]]:
    """Draw the years one firm and one draw at a time: tax, kept and gone of each, shape (draws, n)."""
    history, plan, model, pace = given.panel, given.plan, given.annual, given.pace
    practices, names = given.assumed.practices, sorted(given.assumed.practices)
    n, base = len(history.codes), given.date.year
    own_effect = own_effects(plan, history, practices, given.sampling, base)
    hurry, done = finishing(names, pace, given.sampling, base)
    wait, toss, since = (uniforms(history.keys, given.sampling, base, word) for word in ("finish", "done", "age"))
    leaving = land_leaving(plan, history, practices, given.sampling, base)
    case = {int(i): c for c, i in enumerate(plan.at)}
    out = [{name: np.zeros((DRAWS, n)) for name in ("tax", "kept", "gone")} for _ in range(years)]
    own_land, own_tax = history.land[:, -1], history.tax[:, -1]
    luck = []
    for year in range(base + 1, base + 1 + years):
        words = [uniforms(history.keys, given.sampling, year, stream) for stream in ("tax", "zero")]
        luck.append((words, county_draws(model, year, given.sampling), cell_odds(model, year, given.sampling)))
    for d in range(DRAWS):
        ends = {}
        for i, c in case.items():
            m = names.index(plan.method[c])
            hazard, age = pace[plan.method[c]].hazard, plan.age[c]
            if np.isnan(age):  # met at any moment: as likely at an age as cases are still open at it
                survival = [exp(-x) for x in hazard]
                open_so_far = [0.0, *accumulate((a + b) / 2 for a, b in pairwise(survival))]
                age = np.interp(since[d, i] * open_so_far[-1], open_so_far, AGES)
            due = np.interp(age, AGES, hazard) - log(wait[d, i]) / hurry[d, m]
            given_up = toss[d, i] >= done[d, m]
            ends[i] = np.inf if given_up else plan.start[c] + np.interp(due, hazard, AGES) - age
        before = [[x for x in history.tax[i]] for i in range(n)]
        for t in range(years):
            end = 12 * (t + 1)
            (word, coin), (coef, shock), odds = luck[t]
            for i in range(n):
                logs = [log(x) for x in before[i][:-1] if x > 0]
                last, typical = before[i][-1], centres(own_land[i : i + 1], model.centre)[0]
                earlier = sum(logs) / len(logs) if logs else typical
                level = log(last) if last > 0 else earlier
                x = {"one": 1.0, "level": level - model.centre, "silent": not last > 0, "young": not logs}
                gap = (earlier - level) * len(logs) / (len(logs) + 1) if last > 0 and logs else 0.0
                x |= {"gap": gap, "quiet": 0, "pace": 0.0}
                x |= {name: column[i] for name, column in model.static.items()}
                low, high = model.scale_range
                size = model.scale_coef[0] + model.scale_coef[1] * level + model.scale_coef[2] * x["silent"]
                size += model.scale_coef[4] / (len(logs) + 1)
                middle = sum(coef[d, j] * x[name] for j, name in enumerate(model.names)) + shock[d, 0]
                residual = model.residuals[int(word[d, i] * len(model.residuals))]
                mean = middle + exp(min(max(size, low), high)) * residual
                limit, share = odds[d, 2 * x["silent"]], 0.0
                if len(model.refunds):
                    share = min(len(model.refunds) / model.cells[..., 1].sum(), 1.0)
                back = model.refunds[int(word[d, i] * len(model.refunds))] * own_land[i] if len(model.refunds) else 0.0
                bottom = back if coin[d, i] < limit * share else 0.0
                plain = bottom if coin[d, i] < limit else exp(mean)
                before[i].append(plain)
                taxed, kept, gone = plain, given.left.kept[i], bool(given.left.gone[i])
                if i in case:
                    c = case[i]
                    practice, force = practices[plan.method[c]], min(max((end - ends[i]) / 12, 0.0), 1.0)
                    ratio = [own_tax[k] / own_land[k] for k in (plan.successor[c], i)]
                    better = plan.successor[c] not in (-1, i) and min(ratio) > 0
                    lift = practice.catch_up * max(log(ratio[0] / ratio[1]), 0.0) if better else 0.0
                    effect = own_effect[d, c] + lift
                    taxed = bottom if coin[d, i] < limit else exp(mean + effect * force)
                    if practice.gone or practice.closed:
                        taxed *= 1 - force
                        gone |= ends[i] <= end
                    kept *= 1 - (ends[i] <= end) * leaving[d, c]
                for j, c in case.items():
                    parts = practices[plan.method[c]].leaves is not None
                    if parts and plan.successor[c] == i and j != i and ends[j] <= end:
                        grows = leaving[d, c] * own_land[j] / own_land[i]
                        kept += grows
                out[t]["tax"][d, i] = 0.0 if given.left.gone[i] else taxed
                out[t]["kept"][d, i], out[t]["gone"][d, i] = kept, gone
    return out


@pytest.mark.parametrize("seed", range(5))
def test_the_engine_draws_what_plain_loops_draw(seed: int) -> None:
    given, _ = random_county(seed)
    takes = set(given.plan.successor.tolist())
    others = np.array([i not in takes for i in range(len(given.panel.codes))])
    for made, hand in zip(years_to_come(given, 2026), year_by_hand(given, 3), strict=True):
        assert made.tax[:, others] == pytest.approx(hand["tax"][:, others], rel=1e-9)
        assert made.kept == pytest.approx(hand["kept"])
        assert np.array_equal(made.gone, hand["gone"].astype(bool))


def by_hand(target, year: Year, d: int) -> float:
    """Work a share or count out for one draw, member by member."""
    part = whole = 0.0
    for j, code in enumerate(target.codes):
        i = int(np.searchsorted(year.codes, code))
        gone = bool(year.gone[d, i] or target.gone[j])
        land = float(year.kept[d, i] * target.land[j])
        free = target.exited == "drop" or (target.exited == "land_stays" and year.released[d, i])
        if not target.member[j] or (gone and free):
            continue
        tax = 0.0 if gone and target.exited == "land_stays" else float(year.tax[d, i])
        ratio = tax / land if land else tax * np.inf if tax else np.nan
        on_line = isclose(ratio, target.line, rel_tol=1e-9)
        below = (ratio < target.line and not on_line) or (on_line and target.edge_low)
        if gone and target.exited in ("fail", "pass"):
            below = target.exited == "fail"
        weight = land if target.weight == "land" and target.kind == "share" else 1.0
        whole += weight
        part += weight * (below if target.side == "below" else not below)
    return part if target.kind == "count" else part / whole if whole else np.nan


@pytest.mark.parametrize("seed", range(24))
def test_a_targets_statistic_is_that_of_its_members_one_by_one(seed: int, monkeypatch) -> None:
    rng = np.random.default_rng(seed)
    given, land = random_county(seed)
    monkeypatch.setattr("lyeval.simulation.odds.BLOCK", int(rng.integers(1, 900)))  # any cut into blocks
    target = view(
        len(land),
        goal=0.5,
        kind=str(rng.choice(["share", "count"])),
        side=str(rng.choice(["below", "at_or_above"])),
        land=land,
        line=float(exp(rng.normal(0.3, 0.4))),
        exited=str(rng.choice(["drop", "fail", "pass", "land_stays"])),
        weight=str(rng.choice(["land", "count"])),
        member=rng.random(len(land)) < 0.8,
        tax=given.panel.tax[:, -1],
        edge_low=bool(rng.random() < 0.5),
    )
    year = years_to_come(given, 2024)[0]
    found = values(members(target, year))
    assert found == pytest.approx([by_hand(target, year, d) for d in range(DRAWS)], nan_ok=True)


def test_plans_on_the_same_figures_share_one_tensor_of_draws() -> None:
    given, _ = random_county(1)
    bare = replace(given, plan=replace(given.plan, **{k: v[:0] for k, v in vars(given.plan).items()}))
    few = replace(given, plan=replace(given.plan, **{k: v[:2] for k, v in vars(given.plan).items()}))
    without, some = (years_to_come(x, 2025) for x in (bare, few))
    touched = {*given.plan.at[:2].tolist(), *given.plan.successor[:2].tolist()}
    others = np.array([i not in touched for i in range(len(given.panel.codes))])
    assert others.sum() > ceil(len(others) / 2)
    for a, b in zip(without, some, strict=True):
        assert np.array_equal(a.tax[:, others], b.tax[:, others])
        assert np.array_equal(a.kept[:, others], b.kept[:, others])
