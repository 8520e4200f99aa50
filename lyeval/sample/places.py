"""Places a sample can be made of: real counties and townships, fitting industries, invented levels.

Township and county names are those of the map; every level, share and count below is chosen, none is measured.
Industry codes are four-digit classes of GB/T 4754-2017.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True)
class Industry:
    """An industry of a place.

    Attributes
    ----------
    code : str
        Class of GB/T 4754-2017.
    word : str
        What stands in an invented company name.
    weight : float
        Relative frequency.
    mark : str
        ``public`` (公益类), ``exempt`` (行业例外), ``half`` (half of its firms are 行业例外) or nothing.
    """

    code: str
    word: str
    weight: float
    mark: str = ""


@dataclass(frozen=True)
class Level:
    """Cross-section of one class: ln of tax per mu (万元/亩) and ln of land (亩), means and standard deviations."""

    tax_mean: float
    tax_sd: float
    land_mean: float
    land_sd: float
    land_max: float


@dataclass(frozen=True)
class Drive:
    """How Zhoushan's 2020 drive ends in one county.

    Attributes
    ----------
    closures : float
        Closed in 2020, as a share of the county's enterprises.
    above_failed : float
        Listed 规上 that stay below the line, as a share of the listed 规上.
    below_rate : float
        Share of listed 规下, not gone, that reach the line.
    demolished_m2 : float
        Floor area demolished in 2020, m² at the county's usual size.
    tax_missing : int
        Listed 规下 whose 2020 tax is blank, at the county's usual size.
    blocks : tuple of (str, bool)
        Township and whether the block was completed.
    """

    closures: float
    above_failed: float
    below_rate: float
    demolished_m2: float
    tax_missing: int
    blocks: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Place:
    """One county: what its sample is drawn from."""

    id: str
    policy: str
    county: str
    short: str
    code: str
    enterprises: int
    above_share: float
    above: Level
    below: Level
    townships: tuple[tuple[str, float], ...]
    industries: tuple[Industry, ...]
    tiny_share: float = 0.0
    drive: Drive | None = field(default=None)


def places(policy_id: str, county: str | None = None) -> tuple[Place, ...]:
    """Return the counties of a policy, or the one named (中文名 or id).

    Raises
    ------
    ValueError
        No sample is known for the policy, or it has no such county.
    """
    found = tuple(place for place in PLACES if place.policy == policy_id)
    if not found:
        raise ValueError(_unknown("policy", policy_id, sorted({place.policy for place in PLACES})))
    if county is None:
        return found
    one = tuple(place for place in found if county in (place.county, place.short, place.id))
    if not one:
        raise ValueError(_unknown("county", county, [place.county for place in found]))
    return one


def _unknown(what: str, value: str, known: list[str]) -> str:
    near = get_close_matches(value, known, 1)
    hint = f"; did you mean {near[0]!r}? / 是否想写 {near[0]}？" if near else ""
    there = "、".join(known)
    return f"no sample for {what} {value!r}, there are {there} / 没有“{value}”的样例，现有 {there}{hint}"


MARINE = (
    Industry("4342", "船舶修理", 0.16),
    Industry("3731", "船舶制造", 0.07),
    Industry("3734", "船用配件", 0.13),
    Industry("1361", "水产冷冻", 0.17),
    Industry("1362", "水产食品", 0.08),
    Industry("3484", "机械配件", 0.13),
    Industry("3391", "铸造", 0.05),
    Industry("1782", "绳网", 0.04),
    Industry("2929", "塑料制品", 0.06),
    Industry("3021", "水泥制品", 0.05),
    Industry("1819", "服装", 0.03),
    Industry("4610", "供水", 0.012, "public"),
    Industry("4620", "污水处理", 0.012, "public"),
)
SCREWS = Industry("3523", "塑机螺杆", 0.22)
INLAND = (
    Industry("2624", "复合肥", 0.14),
    Industry("2625", "生物肥料", 0.05),
    Industry("2049", "柳编工艺", 0.14, "half"),
    Industry("3322", "五金工具", 0.14),
    Industry("3329", "金属工具", 0.06),
    Industry("3021", "水泥制品", 0.08),
    Industry("3032", "石材", 0.06),
    Industry("2021", "板材", 0.07),
    Industry("3311", "钢结构", 0.06),
    Industry("3484", "机械配件", 0.08),
    Industry("1371", "果蔬食品", 0.05),
    Industry("2923", "塑编", 0.05),
    Industry("4430", "热力", 0.006, "exempt"),
    Industry("4620", "污水处理", 0.006, "exempt"),
)
Z_ABOVE = Level(1.35, 1.35, 3.3, 1.0, 900.0)
Z_BELOW = Level(0.35, 2.05, 1.45, 1.35, 220.0)
PLACES = (
    Place(
        id="zhoushan-dinghai",
        policy="zhoushan-2020",
        county="定海区",
        short="定海",
        code="330902",
        enterprises=400,
        above_share=0.28,
        above=Z_ABOVE,
        below=Z_BELOW,
        townships=(
            ("金塘镇", 0.24),
            ("白泉镇", 0.15),
            ("干览镇", 0.14),
            ("盐仓街道", 0.10),
            ("双桥街道", 0.09),
            ("小沙街道", 0.07),
            ("岑港街道", 0.07),
            ("马岙街道", 0.06),
            ("城东街道", 0.04),
            ("环南街道", 0.03),
            ("昌国街道", 0.01),
        ),
        industries=(*MARINE, SCREWS),
        drive=Drive(0.050, 0.06, 0.765, 13200.0, 0, (("金塘镇", True), ("干览镇", True), ("白泉镇", False))),
    ),
    Place(
        id="zhoushan-putuo",
        policy="zhoushan-2020",
        county="普陀区",
        short="普陀",
        code="330903",
        enterprises=300,
        above_share=0.27,
        above=Z_ABOVE,
        below=Z_BELOW,
        townships=(
            ("展茅街道", 0.30),
            ("沈家门街道", 0.18),
            ("六横镇", 0.18),
            ("勾山街道", 0.12),
            ("东港街道", 0.08),
            ("虾峙镇", 0.07),
            ("朱家尖街道", 0.04),
            ("桃花镇", 0.03),
        ),
        industries=MARINE,
        drive=Drive(0.052, 0.0, 0.835, 9400.0, 0, (("展茅街道", True), ("沈家门街道", True))),
    ),
    Place(
        id="zhoushan-daishan",
        policy="zhoushan-2020",
        county="岱山县",
        short="岱山",
        code="330921",
        enterprises=150,
        above_share=0.26,
        above=Z_ABOVE,
        below=Z_BELOW,
        townships=(
            ("高亭镇", 0.36),
            ("岱西镇", 0.17),
            ("衢山镇", 0.15),
            ("岱东镇", 0.12),
            ("长涂镇", 0.09),
            ("东沙镇", 0.08),
            ("秀山乡", 0.03),
        ),
        industries=MARINE,
        drive=Drive(0.066, 0.08, 0.80, 5900.0, 3, (("岱西镇", True), ("东沙镇", True))),
    ),
    Place(
        id="zhoushan-shengsi",
        policy="zhoushan-2020",
        county="嵊泗县",
        short="嵊泗",
        code="330922",
        enterprises=60,
        above_share=0.2,
        above=Z_ABOVE,
        below=Z_BELOW,
        townships=(("菜园镇", 0.45), ("嵊山镇", 0.2), ("洋山镇", 0.2), ("枸杞乡", 0.1), ("黄龙乡", 0.05)),
        industries=MARINE,
        drive=Drive(0.083, 0.0, 0.735, 1900.0, 0, (("菜园镇", True),)),
    ),
    Place(
        id="linshu",
        policy="linshu-2021",
        county="临沭县",
        short="临沭",
        code="371329",
        enterprises=400,
        above_share=0.29,
        above=Level(1.5, 1.35, 3.9, 0.95, 600.0),
        below=Level(0.5, 2.3, 3.3, 0.85, 130.0),
        townships=(
            ("临沭街道", 0.20),
            ("郑山街道", 0.13),
            ("蛟龙镇", 0.12),
            ("大兴镇", 0.10),
            ("石门镇", 0.10),
            ("青云镇", 0.10),
            ("曹庄镇", 0.10),
            ("店头镇", 0.08),
            ("玉山镇", 0.07),
        ),
        industries=INLAND,
        tiny_share=0.12,
    ),
)
