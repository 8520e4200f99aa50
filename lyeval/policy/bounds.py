"""What a plan's years, days and ids may be (取值范围)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from lyeval.textfiles import name_fault


def _named(id: str) -> str:
    """Refuse an id that Windows keeps to itself."""
    fault = name_fault(id)
    if fault is not None:
        raise ValueError(f"{fault[0]} / {fault[1]}")
    return id


def once(ids: Sequence[str], name: str) -> None:
    """Refuse an id that stands twice, or twice but for its case.

    Raises
    ------
    ValueError
        With the id and the list that it stands in.
    """
    for id in sorted({i for i in ids if ids.count(i) > 1}):
        raise ValueError(f"{name}: id {id!r} stands twice / 标识重复")
    folded = [i.casefold() for i in ids]
    alike = [i for i in ids if folded.count(i.casefold()) > 1]
    if alike:
        told = "、".join(alike)
        raise ValueError(f"{name}: ids that differ only by case: {told} / 标识只有大小写不同：{told}")


Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$"), AfterValidator(_named)]
Year = Annotated[int, Field(ge=1990, le=2100)]
Days = Annotated[int, Field(ge=-3660, le=3660)]
DAY_OF_YEAR = r"^(facts|any|(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$"
