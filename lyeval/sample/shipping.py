"""The samples that come with the project: ``data/sample`` and how each was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyeval.sample import truth
from lyeval.sample.making import Frames, make, tell
from lyeval.sample.messy import messy
from lyeval.sample.places import places
from lyeval.sample.writing import write


@dataclass(frozen=True)
class Shipped:
    """One shipped ledger: file name without ending, and what `make` is called with."""

    name: str
    policy: str
    county: str
    years: tuple[int, int]
    seed: int


def frames(item: Shipped) -> Frames:
    """Make the sheets of a shipped ledger."""
    return make(item.policy, years=item.years, seed=item.seed, county=item.county)


def ship(folder: Path | str) -> list[Path]:
    """Make every shipped ledger anew in ``folder``; returns the sidecars."""
    out = []
    for item in SHIPPED:
        place = places(item.policy, item.county)[0]
        size = place.enterprises
        story = truth.about(item.policy, county=item.county, size=size, years=item.years, seed=item.seed)
        story["truth"] |= truth.built(tell(place, size, item.seed, item.years))
        out.append(write(frames(item), Path(folder) / f"{item.name}.xlsx", about=story))
    return [*out, messy(folder)]


SHIPPED = (
    Shipped("zhoushan-dinghai", "zhoushan-2020", "定海区", (2017, 2020), 2020),
    Shipped("zhoushan-putuo", "zhoushan-2020", "普陀区", (2017, 2020), 2020),
    Shipped("zhoushan-daishan", "zhoushan-2020", "岱山县", (2017, 2020), 2020),
    Shipped("zhoushan-shengsi", "zhoushan-2020", "嵊泗县", (2017, 2020), 2020),
    Shipped("linshu", "linshu-2021", "临沭县", (2019, 2025), 20),
)
