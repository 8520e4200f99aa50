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


def produce(
    policy_id: str,
    path: Path | str,
    *,
    years: tuple[int, int],
    seed: int,
    enterprises: int | None = None,
    county: str | None = None,
) -> Path:
    """Make a ledger, write it to ``path`` (workbook or CSV folder) with its full sidecar; returns the sidecar.

    Parameters and errors are those of `making.make`.
    """
    made = make(policy_id, enterprises=enterprises, years=years, seed=seed, county=county)
    chosen = places(policy_id, county)
    size = sum(place.enterprises for place in chosen) if enterprises is None else enterprises
    account = truth.about(policy_id, county=county, size=size, years=years, seed=seed)
    if len(chosen) == 1:
        account["truth"] |= truth.built(tell(chosen[0], size, seed, years))
    return write(made, path, about=account)


def ship(folder: Path | str) -> list[Path]:
    """Make every shipped ledger anew in ``folder``; returns the sidecars."""
    made = [
        produce(item.policy, Path(folder) / f"{item.name}.xlsx", years=item.years, seed=item.seed, county=item.county)
        for item in SHIPPED
    ]
    return [*made, messy(folder)]


SHIPPED = (
    Shipped("zhoushan-dinghai", "zhoushan-2020", "定海区", (2017, 2020), 2020),
    Shipped("zhoushan-putuo", "zhoushan-2020", "普陀区", (2017, 2020), 2020),
    Shipped("zhoushan-daishan", "zhoushan-2020", "岱山县", (2017, 2020), 2020),
    Shipped("zhoushan-shengsi", "zhoushan-2020", "嵊泗县", (2017, 2020), 2020),
    Shipped("linshu", "linshu-2021", "临沭县", (2019, 2025), 20),
)
