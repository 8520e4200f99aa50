"""Make a sample for a plan: its counties told through, their sheets, and the account of what is known to be true of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lyeval.policy import Policy, load_policy, policy_ids
from lyeval.sample.output import sidecar, write, write_forms, write_messy
from lyeval.sample.programme import Drive, Programme, below_line, low_share, pool
from lyeval.sample.story import CALM, TRUTH, Place, Story, begin, places
from lyeval.sample.yearbook import Frames, profile, sheets

Span = tuple[int, int]


def make(
    policy: str | Path | Policy, *, enterprises: int | None = None, years: Span, seed: int, county: str | None = None
) -> Frames:
    """Make a synthetic ledger (样例台账) for a policy.

    Parameters
    ----------
    policy : str, path or Policy
        Any plan; that of a place of ``places.yaml`` is set there, another in an invented county under the plan's name.
    enterprises : int, optional
        Number of enterprises in all; default: the usual size of the county or counties.
    years : (int, int)
        First and last year, both inclusive.
    seed : int
        Non-negative; the same seed, size and county give the same figures in every year that two calls share.
    county : str, optional
        One county of the policy's place (中文名 or id); default: all of them.

    Returns
    -------
    dict of DataFrame
        Sheet name → canonical columns: ``enterprises``, ``annual``, ``monthly``, ``disposals``, ``process``, ``issues``, and
        ``papers`` or ``blocks``, ``tax_items`` where the plan counts them; with every column that the plan's rules read.

    Raises
    ------
    PolicyError, ValueError
        Unknown policy or county, years reversed, no enterprise.
    """
    return _made(_plan(policy), enterprises, years, seed, county)[0]


def produce(
    policy: str | Path | Policy,
    path: Path | str,
    *,
    years: Span,
    seed: int,
    enterprises: int | None = None,
    county: str | None = None,
    forms: bool = False,
) -> Path:
    """Make a ledger, write it to ``path`` (workbook or CSV folder) with its full sidecar; returns the sidecar.

    With ``forms``, the last year is written as survey forms to the folder ``path`` instead, one an enterprise and a blank one.
    Parameters and errors are those of `make`.
    """
    plan = _plan(policy)
    made, told = _made(plan, enterprises, years, seed, county)
    size = sum(len(story.firms) for story in told)
    name = plan.id if plan.id in policy_ids() else f"{plan.id}.yaml"
    where, span = f" --county {county}" if county else "", f"{years[0]}-{years[1]}"
    account: dict[str, Any] = {
        "command": f"lyeval sample --policy {name}{where} --enterprises {size} --years {span} --seed {seed}",
        "policy": plan.id,
        "counties": [story.place.county for story in told],
        "enterprises": size,
        "years": span,
        "seed": seed,
        "truth": _parameters(told[0]),
    }
    if forms:
        write_forms(made, path, years[1])
        return sidecar(Path(path), account | {"forms_year": years[1]})
    if len(told) == 1:
        account["truth"] |= _built(told[0])
    return write(made, path, about=account)


produce_forms = partial(produce, forms=True)


def ship(folder: Path | str) -> list[Path]:
    """Make every shipped ledger anew in ``folder``; returns the sidecars."""
    made = [
        produce(item.policy, Path(folder) / f"{item.name}.xlsx", years=item.years, seed=item.seed, county=item.county)
        for item in SHIPPED
    ]
    return [*made, messy(folder)]


def messy(folder: Path | str, *, enterprises: int = 40, seed: int = 2020) -> Path:
    """Write ``messy.xlsx``, a ledger with planted faults, and its sidecar, which lists every one; returns the sidecar."""
    frames = make("zhoushan-2020", enterprises=enterprises, years=(2019, 2020), seed=seed, county="嵊泗县")
    return write_messy(folder, frames, f"enterprises={enterprises}, seed={seed}", seed)


def _plan(policy: str | Path | Policy) -> Policy:
    return policy if isinstance(policy, Policy) else load_policy(policy)


def _made(
    plan: Policy, enterprises: int | None, years: Span, seed: int, county: str | None
) -> tuple[Frames, list[Story]]:
    """Return the sheets of all counties, and each county's story."""
    if years[0] > years[1]:
        raise ValueError(f"years {years[0]}-{years[1]}: the first is after the last / 起止年份颠倒")
    chosen = places(plan, county)
    usual = sum(place.enterprises for place in chosen)
    total = usual if enterprises is None else enterprises
    sizes = [round(total * place.enterprises / usual) for place in chosen]
    sizes[0] += total - sum(sizes)
    if min(sizes) < 1:
        raise ValueError(f"enterprises {total}: at least one for each of {len(chosen)} counties / 企业数过少")
    told = [tell(place, plan, n, seed, years) for place, n in zip(chosen, sizes, strict=True)]
    parts = [sheets(story, years[0]) for story in told]
    return {sheet: pd.concat([part[sheet] for part in parts], ignore_index=True) for sheet in parts[0]}, told


def tell(place: Place, plan: Policy, n: int, seed: int, years: Span) -> Story:
    """Return the story of one county through ``years[1]``; it starts a year before the plan's base year, or earlier."""
    story = begin(place, plan, n, seed)
    profile(story)
    baseline = _baseline(story)
    if baseline:
        _build(story, *baseline)
    programme = Drive(story) if place.drive else Programme(story)
    for year in range(min(years[0], place.programme.get("start", story.base_year - 1)), years[1] + 1):
        before = story.state.status.copy()
        programme.open_year(year)
        paid = story.state.evolve(year, story.stream(4, year)), np.zeros(n)
        programme.act(year, paid)
        story.close_year(year, paid, before)
        if baseline:
            _note(story, year, paid[0])
    programme.finish(years[1])
    _blanks(story, story.stream(6))
    return story


def _baseline(story: Story) -> tuple[float, int] | None:
    """Return the share of low-efficiency land that the document gives, and its year, where the sample is built to it."""
    wanted = [target for target in story.plan.targets if target.id == story.place.programme.get("built_on")]
    return (wanted[0].baseline.value, wanted[0].baseline.year) if wanted and wanted[0].baseline else None


def _build(story: Story, share: float, year: int) -> None:
    """Bring ``year`` to the share: the level of the 规下 by bisection, then the land of the low ones above 12 亩, exactly.

    Land stays where its factor would have to be far from 1 (too few enterprises).
    """
    shift, (low, high) = 0.0, (-2.5, 2.5)
    for _ in range(16 if len(story.firms) >= 20 else 0):
        shift = (low + high) / 2
        low, high = (shift, high) if low_share(*_trial(story, year, shift)) > share else (low, shift)
    shift = (low + high) / 2 if len(story.firms) >= 20 else 0.0
    story.state.mean += np.where(story.firms["above"], 0.0, shift)
    trial, _, tax = _trial(story, year, 0.0)
    land, members = trial.state.land, pool(trial, year)
    is_low = members & (tax / land < story.own_line(year, np.array(False)))
    moved = is_low & (land >= 12)
    rest = share / (1 - share) * land[members & ~is_low].sum() - land[is_low & ~moved].sum()
    factor = float(rest / land[moved].sum()) if moved.any() else 1.0
    factor = factor if 0.84 < factor < 1.2 else 1.0
    story.state.land = np.round(np.where(moved, land * factor, land), 2)
    story.notes |= {"level_shift_below": round(shift, 6), "land_factor": round(factor, 6)}


def _trial(story: Story, year: int, shift: float) -> tuple[Story, int, np.ndarray]:
    """Return a copy of the county taken to ``year`` with 规下 levels moved by ``shift``, the year, and its tax, 万元."""
    mean, tax = story.state.mean + np.where(story.firms["above"], 0.0, shift), np.zeros(0)
    trial = replace(story, state=replace(story.state, mean=mean))
    for each in (year - 1, year):
        tax = trial.state.evolve(each, story.stream(4, each))
    return trial, year, tax


def _note(story: Story, year: int, tax: np.ndarray) -> None:
    """Note how the year stands before any cell is left blank."""
    story.notes.setdefault("low_share_before_blanks", {})[year] = round(low_share(story, year, tax), 4)
    story.notes.setdefault("above_left_before_blanks", {})[year] = int(below_line(story, year, tax).sum())


def _blanks(story: Story, rng: np.random.Generator) -> None:
    """Leave a few cells blank before the base year (land only where an approved area stands), or as the programme says.

    What is said are numbers of small 规下 by year, never of the base year, so that gaps exist without turning every verdict.
    """
    state, n, known = story.state, len(story.firms), story.place.programme
    if "blank_tax" not in known:
        count: int = round(known["blank_share"] * n)
        for year in [snap.year for snap in story.years if snap.year < story.base_year]:
            for i in rng.choice(n, size=count, replace=False).tolist():
                (story.unknown_tax if rng.random() < 0.5 else story.unknown_land).append((i, year))
        return
    start, due = known["first_action"] - 1, min(story.plan.years.targets)
    small = np.flatnonzero(~state.above & (state.land < 16) & (state.land >= 10) & (state.first < story.base_year - 1))
    with_case = np.isin(small, [row["i"] for row in story.process])
    for year, count in known["blank_tax"].items():
        among = small[with_case if start <= year <= due else ~with_case]
        chosen = rng.choice(among, size=min(count, len(among)), replace=False).tolist()
        story.unknown_tax.extend((i, year) for i in chosen if state.status[i] == 0)


def _parameters(story: Story) -> dict[str, Any]:
    """Return the parameters behind a sample; levels are of ln(万元/亩)."""
    place, known = story.place, story.place.programme
    level = {side: list(getattr(place, side)[:2]) for side in ("above", "below")}
    made = {**TRUTH, "level": level, "treated_innovation_factor": CALM}
    if place.drive:
        response = {"year": story.base_year + 1, "line": float(story.own_line(story.base_year + 1, np.array(True)))}
        response |= {name: place.drive[name] for name in ("below_rate", "above_failed")}
        response |= {"closures_share": place.drive["closures"], "log_uplift_above_line_mean": known["top_up"]}
        return made | {"policy_response": response}
    response = {"first_year": known.get("first_action", story.base_year + 1)}
    response |= {name: known[name] for name in ("share_path", "above_left_path") if name in known}
    response |= {} if "share_path" in known else {"settled_each_year": known["settled"]}
    return made | {
        "policy_response": response | {"log_uplift_above_line_mean": known["uplift"], "near_line": known["near"]}
    }


def _built(story: Story) -> dict[str, Any]:
    """Return what was adjusted so that the base year shows the document's figure."""
    baseline = _baseline(story)
    if not baseline:
        return {}
    share, year = baseline
    note = f"基准年{year}年规下低效用地占比由程序调整规下企业水平和低效用地面积凑成{share:.1%}，不能用来验证任何读法。"
    return {"built_base_share": share, "built_base_year": year} | story.notes | {"built_note_zh": note}


class Shipped(NamedTuple):
    """One shipped ledger: file name without ending, and what `make` is called with."""

    name: str
    policy: str
    county: str
    years: Span
    seed: int


SHIPPED = (
    Shipped("zhoushan-dinghai", "zhoushan-2020", "定海区", (2017, 2020), 2020),
    Shipped("zhoushan-putuo", "zhoushan-2020", "普陀区", (2017, 2020), 2020),
    Shipped("zhoushan-daishan", "zhoushan-2020", "岱山县", (2017, 2020), 2020),
    Shipped("zhoushan-shengsi", "zhoushan-2020", "嵊泗县", (2017, 2020), 2020),
    Shipped("linshu", "linshu-2021", "临沭县", (2019, 2025), 20),
)
