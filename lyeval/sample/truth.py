"""What is known to be true of a sample: parameters it was drawn with, and what was built on purpose."""

from __future__ import annotations

from typing import Any

from lyeval.sample import cases, linshu, zhoushan
from lyeval.sample.panel import TRUTH
from lyeval.sample.places import Place, places
from lyeval.sample.story import Story


def about(policy_id: str, *, county: str | None, size: int, years: tuple[int, int], seed: int) -> dict[str, Any]:
    """Return the sidecar's account of one made ledger: command, seed, truth."""
    chosen = places(policy_id, county)
    where = f" --county {county}" if county else ""
    span = f"{years[0]}-{years[1]}"
    return {
        "command": f"lyeval sample --policy {policy_id}{where} --enterprises {size} --years {span} --seed {seed}",
        "policy": policy_id,
        "counties": [place.county for place in chosen],
        "enterprises": size,
        "years": span,
        "seed": seed,
        "truth": parameters(chosen[0]),
    }


def parameters(place: Place) -> dict[str, Any]:
    """Return the parameters behind a place's sample; levels are of ln(万元/亩)."""
    made = {
        **TRUTH,
        "level": {
            "above": [place.above.tax_mean, place.above.tax_sd],
            "below": [place.below.tax_mean, place.below.tax_sd],
        },
        "treated_innovation_factor": 0.45,
    }
    return made | (_linshu() if place.policy == "linshu-2021" else _zhoushan(place))


def built(story: Story) -> dict[str, Any]:
    """Return what was adjusted so that the base year shows the document's figure."""
    if story.place.policy != "linshu-2021":
        return {}
    share = f"{linshu.BASE_SHARE:.1%}"
    note = (
        f"基准年{linshu.BASE_YEAR}年规下低效用地占比由程序调整规下企业水平和低效用地面积凑成{share}，"
        "不能用来验证任何读法。"
    )
    made = {"built_base_share": linshu.BASE_SHARE, "built_base_year": linshu.BASE_YEAR}
    return made | story.notes | {"built_note_zh": note}


def _linshu() -> dict[str, Any]:
    return {
        "policy_response": {
            "first_year": linshu.FIRST_ACTION,
            "share_path": linshu.SHARE_PATH,
            "above_left_path": linshu.COUNT_PATH,
            "log_uplift_above_line_mean": cases.UPLIFT,
            "near_line": {"from": linshu.NEAR, "share_topping_up": linshu.NEAR_SHARE},
        }
    }


def _zhoushan(place: Place) -> dict[str, Any]:
    drive = place.drive
    return {
        "policy_response": {
            "year": zhoushan.DRIVE_YEAR,
            "line": zhoushan.LINE,
            "below_rate": drive.below_rate if drive else None,
            "above_failed": drive.above_failed if drive else None,
            "closures_share": drive.closures if drive else None,
            "log_uplift_above_line_mean": zhoushan.TOP_UP,
        }
    }
