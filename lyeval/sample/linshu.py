"""Linshu's programme in a sample county: the lists of 2021 on, the seven methods, the path of low-efficiency land."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lyeval.sample import cases, standing
from lyeval.sample.identity import roster
from lyeval.sample.panel import begin, evolve, stream
from lyeval.sample.places import Place
from lyeval.sample.story import Story

BASE_YEAR, BASE_SHARE = 2020, 0.347
FIRST_ACTION = 2022
LINES = {2023: 1.0, 2024: 2.0, 2025: 3.0}
LOW_LINE = 1.0
SHARE_PATH = {2022: 0.275, 2023: 0.209, 2024: 0.147, 2025: 0.112}
COUNT_PATH = {2022: 9, 2023: 5, 2024: 17, 2025: 24}
NEAR, NEAR_SHARE = 0.7, 0.3
TOO_FAR, ON_LINE = 0.006, 0.1


def line(year: int) -> float:
    """Return the line of 规上 in ``year``, 万元/亩."""
    return LINES.get(year, 1.0 if year < 2023 else 3.0)


def tell(place: Place, n: int, seed: int, years: tuple[int, int]) -> Story:
    """Return the story through ``years[1]``, its base year brought to 34.7 % low-efficiency land."""
    story = _opening(place, n, seed)
    shift = _shift(story, seed) if n >= 20 else 0.0
    story.state.mean += np.where(story.firms["above"], 0.0, shift)
    factor = _scale(story, seed)
    changed = factor[factor != 1.0]
    story.notes |= {
        "level_shift_below": round(shift, 6),
        "land_factor": round(float(changed[0]), 6) if len(changed) else 1.0,
    }
    story.state.land = np.round(story.state.land * factor, 2)
    _through(story, seed, years)
    _blanks(story, stream(seed, place, 6))
    return story


def pool(story: Story, year: int, land: np.ndarray | None = None) -> np.ndarray:
    """Return who counts as 规下 of 10 亩 and more in the share of ``year``, (n,): not exempt, not lawfully building."""
    state, facts = story.state, story.facts
    area = state.land if land is None else land
    free = ~facts["exempt_industry"].to_numpy(bool) & ~building(story, year)
    return (state.first <= year) & (state.status < 2) & ~state.above & (area >= 10) & free


def building(story: Story, year: int) -> np.ndarray:
    """Return who is within the agreed building time or the first year after completion at the end of ``year``, (n,)."""
    end, facts = np.datetime64(f"{year}-12-31"), story.facts
    agreed, done = facts["contract_completion"].to_numpy(), facts["completed"].to_numpy()
    unfinished = np.isnat(done) | (done > end)
    return (unfinished & (agreed >= end)) | (~unfinished & (done > end - np.timedelta64(365, "D")))


def low_share(story: Story, year: int, tax: np.ndarray) -> float:
    """Return the share of 规下 land (≥ 10 亩) with less than 1 万元/亩; closed plants stay at zero tax."""
    land, members = story.state.land, pool(story, year)
    low = members & (tax / land < LOW_LINE)
    return float(land[low].sum() / land[members].sum()) if members.any() else 0.0


def below_line(story: Story, year: int, tax: np.ndarray) -> np.ndarray:
    """Return the 规上 that work, are not exempt or building, and stay below the line of ``year``, (n,)."""
    state = story.state
    free = ~story.facts["exempt_industry"].to_numpy(bool) & ~building(story, year)
    return (state.first <= year) & (state.status == 0) & state.above & free & (tax / state.land < line(year))


def _opening(place: Place, n: int, seed: int) -> Story:
    """Return the county before its first year."""
    firms = roster(place, n, stream(seed, place, 1))
    state = begin(place, firms, stream(seed, place, 2))
    return Story(place, firms, standing.linshu(place, firms, state, stream(seed, place, 3)), state)


def _base(story: Story, seed: int, shift: float) -> tuple[Story, np.ndarray]:
    """Return a copy of the county taken to the base year with 规下 levels moved by ``shift``, and that year's tax."""
    mean = story.state.mean + np.where(story.firms["above"], 0.0, shift)
    trial, tax = replace(story, state=replace(story.state, mean=mean)), np.zeros(0)
    for year in range(BASE_YEAR - 1, BASE_YEAR + 1):
        tax = evolve(trial.state, year, stream(seed, story.place, 4, year))
    return trial, tax


def _shift(story: Story, seed: int) -> float:
    """Return the shift of 规下 levels that brings the base year's share nearest to 34.7 % (bisection)."""
    low, high = -2.5, 2.5
    for _ in range(16):
        middle = (low + high) / 2
        trial, tax = _base(story, seed, middle)
        low, high = (middle, high) if low_share(trial, BASE_YEAR, tax) > BASE_SHARE else (low, middle)
    return (low + high) / 2


def _scale(story: Story, seed: int) -> np.ndarray:
    """Return factors on land, (n,): one above zero for low 规下 above 12 亩 that makes the share exact, else 1.

    All stay 1 where the factor would have to be far from 1 (too few enterprises).
    """
    trial, tax = _base(story, seed, 0.0)
    land, members = trial.state.land, pool(trial, BASE_YEAR)
    low = members & (tax / land < LOW_LINE)
    moved = low & (land >= 12)
    rest = BASE_SHARE / (1 - BASE_SHARE) * land[members & ~low].sum() - land[low & ~moved].sum()
    factor = rest / land[moved].sum() if moved.any() else 1.0
    return np.where(moved & (0.84 < factor < 1.2), factor, 1.0)


def _through(story: Story, seed: int, years: tuple[int, int]) -> None:
    """Tell the years from 2019 (or earlier) on."""
    book, place = cases.Book(story), story.place
    for year in range(min(years[0], BASE_YEAR - 1), years[1] + 1):
        before = story.state.status.copy()
        book.hand_over(year)
        tax, topped = evolve(story.state, year, stream(seed, place, 4, year)), np.zeros(len(before))
        if year >= FIRST_ACTION:
            _act(story, book, year, (tax, topped), stream(seed, place, 5, year))
        story.close_year(year, (tax, topped), before)
        story.notes.setdefault("low_share_before_blanks", {})[year] = round(low_share(story, year, tax), 4)
        story.notes.setdefault("above_left_before_blanks", {})[year] = int(below_line(story, year, tax).sum())
    book.finish(years[1])


def _act(
    story: Story, book: cases.Book, year: int, paid: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    """Carry out one year of the programme; changes tax and late top-ups (``paid``, 万元) and the state in place."""
    tax, topped = paid
    book.charge(year, tax)
    if year >= min(LINES):
        _near(story, year, tax, topped, rng)
    own_line = np.where(story.state.above, line(year), LOW_LINE)
    prior = story.years[-1]
    was_low = prior.present & (prior.tax / prior.land < np.where(prior.above, line(year), LOW_LINE))
    scope = (story.state.status == 0) & (story.state.above | (story.state.land >= 10))
    exempt = story.facts["exempt_industry"].to_numpy(bool)
    book.take(np.flatnonzero(was_low & scope & ~exempt & ~building(story, year - 1)), year, prior, rng)
    book.credit(np.flatnonzero(tax / story.state.land >= own_line), year, rng)
    share = SHARE_PATH.get(year, SHARE_PATH[max(SHARE_PATH)])
    for i in book.queue(tax, rng):
        now, members, land = low_share(story, year, tax), pool(story, year), story.state.land
        helps = bool(members[i]) and tax[i] / land[i] < LOW_LINE and now > share
        if helps and now - land[i] / land[members].sum() > share - TOO_FAR:
            book.resolve(i, year, paid, LOW_LINE, rng)
    _clear_above(story, book, year, paid, rng)
    book.press(year, rng)


def _clear_above(
    story: Story, book: cases.Book, year: int, paid: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    """Work off listed 规上 until as few are left below the line as the path says."""
    left = COUNT_PATH.get(year, COUNT_PATH[max(COUNT_PATH)])
    for i in book.queue(paid[0], rng):
        low = below_line(story, year, paid[0])
        if low[i] and low.sum() > left:
            book.resolve(i, year, paid, line(year), rng)


def _near(story: Story, year: int, tax: np.ndarray, topped: np.ndarray, rng: np.random.Generator) -> None:
    """Let a part of the firms within 30 % below their line top up late in the year, whether listed or not."""
    state = story.state
    own_line = np.where(state.above, line(year), LOW_LINE)
    ratio = tax / state.land / own_line
    willing = rng.random(len(tax)) < NEAR_SHARE
    for i in np.flatnonzero((ratio >= NEAR) & (ratio < 1) & willing & (state.status == 0)).tolist():
        above = 0.0 if rng.random() < ON_LINE else 0.002 + rng.exponential(0.04)
        full = np.round(own_line[i] * (1 + above) * state.land[i] + (0.01 if above else 0.0), 2)
        topped[i] += full - tax[i]
        tax[i] = full


def _blanks(story: Story, rng: np.random.Generator) -> None:
    """Leave a few cells blank, never in the base year, so that data gaps exist without turning every verdict."""
    small = np.flatnonzero(
        ~story.state.above & (story.state.land < 16) & (story.state.land >= 10) & (story.state.first < 2019)
    )
    cases_of = np.isin(small, [row["i"] for row in story.process])
    for year, count in BLANK_TAX.items():
        among = small[cases_of] if FIRST_ACTION - 1 <= year <= min(LINES) else small[~cases_of]
        chosen = rng.choice(among, size=min(count, len(among)), replace=False).tolist()
        story.unknown_tax.extend((i, year) for i in chosen if story.state.status[i] == 0)


BLANK_TAX = {2019: 3, 2021: 3, 2022: 2, 2023: 1, 2025: 2}
