"""What a projection had to leave out or assume, in words: each a sentence in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A remark on a result.

    Attributes
    ----------
    id
        Which remark (a key of `NOTES`).
    zh, en
        The sentence.
    """

    id: str
    zh: str
    en: str

    def text(self, lang: str = "zh") -> str:
        """Return the sentence in one language."""
        return self.en if lang == "en" else self.zh

    def __str__(self) -> str:
        return self.zh


def note(id: str, **params: object) -> Note:
    """Fill the sentence ``id`` of `NOTES` with its figures."""
    zh, en = NOTES[id]
    return Note(id, zh.format(**params), en.format(**params))


def distinct(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Drop repeated notes, keeping the first of each."""
    return tuple(dict.fromkeys(notes))


NOTES: dict[str, tuple[str, str]] = {
    "dropped": (
        "测算未采用{zh}作为变量（数据不完整，或各类企业过少）",
        "{en} is left out of the projection: figures missing, or too few enterprises in a group",
    ),
    "persistence": (
        "历年税收记录只有 {rows} 条，不足以估计变动规律，按上年水平加假设的波动（对数标准差 {spread:g}）测算",
        "only {rows} past enterprise-years above zero: last year's tax with an assumed spread of {spread:g} log points",
    ),
    "one_transition": (
        "只有 {year} 年一个年份可用于估计，年度共同波动全部来自假设",
        "fitted on the single year {year}: the year-to-year common shock rests on assumption alone",
    ),
    "no_months": (
        "截止月为{month}月，但缺少可比的月度税收，仅用年度数据测算",
        "months to {month} were asked for, but there is no comparable monthly tax: annual figures alone are used",
    ),
    "months_end": (
        "月度税收只到{have}月（截止月为{asked}月），按{have}月测算",
        "monthly tax ends in month {have} (month {asked} was asked for): projected from month {have}",
    ),
    "newcomers": (
        "{n}家企业没有历年税收，按本县企业亩均税收的分布测算",
        "{n} enterprises have no past tax: they are given the county's distribution of tax per mu",
    ),
    "stale": (
        "{n}家企业缺{year}年税收，按其最近有数的年份测算",
        "{n} enterprises lack tax of {year}: their latest known year is used",
    ),
    "silent": (
        "{n}家企业最近一年没有税收，按往年同类企业恢复缴税的比例和其更早年份的水平测算",
        "{n} enterprises paid no tax in the latest year: they come back as often as such firms did, at their earlier level",
    ),
    "negative": (
        "{n}家企业最近一年为净退税，按没有税收的企业测算，并保留再次净退税的可能",
        "{n} enterprises had a net refund in the latest year: projected as those without tax, another refund being possible",
    ),
    "stopped": (
        "{n}家企业登记为停产，仍按其历年税收测算，没有假定停产会持续或结束",
        "{n} enterprises are on record as stopped: projected from their tax, neither staying stopped nor starting again is assumed",
    ),
    "no_method": (
        "{n}项进行中的处置未写明处置方式，测算未计其影响",
        "{n} disposals in progress name no method: their effect is left out",
    ),
    "several_cases": (
        "同一企业有多项进行中的处置，只计第一项，另有{n}项未计",
        "some enterprises have several disposals in progress: the first of each is used, {n} are left out",
    ),
    "no_targets": (
        "文件在测算年份没有目标",
        "the plan has no target in the years projected",
    ),
    "no_goal": (
        "目标值未知（全市任务未分解到县），不测算完成可能性",
        "the goal is not known (a city total without the county's share): no odds",
    ),
    "empty_class": (
        "没有企业属于该类，不涉及",
        "nobody belongs to the class: does not apply",
    ),
    "unknown_members": (
        "{n}家企业因缺少事实不能确定是否计入，测算未计入",
        "{n} enterprises may or may not be counted, for lack of facts: left out of the draws",
    ),
    "no_land": (
        "{n}家企业土地面积未知，测算未计入",
        "{n} enterprises have no known land: left out of the draws",
    ),
    "carried_class": (
        "规上规下、土地和适用范围沿用{year}年，当年新增企业未计入",
        "class, land and scope are carried from {year}; enterprises new in the year are not in the draws",
    ),
    "blocks_as_booked": (
        "区块按已完成数计，未对未完成区块作预测",
        "blocks are counted as completed to date; those open are not projected",
    ),
    "iterated": (
        "目标年在最近年度数据（{year}年）之后第{n}年，逐年递推，不确定性相应加大",
        "the target year is {n} years past the latest annual figures ({year}): projected year by year, and wider",
    ),
    "as_if": (
        "文件在{years}年没有目标，按最近一年的目标值假定沿用测算，不是对文件要求的判定",
        "the plan sets no target for {years}: the nearest year's values are carried over; no verdict under the plan",
    ),
    "no_year": (
        "台账没有{year}年的年度数据，该年不能检验",
        "the ledger has no annual figures of {year}: it cannot be tested",
    ),
    "no_history": (
        "{year}年之前没有上年数据，该年不能检验",
        "no figures of the year before {year}: it cannot be tested",
    ),
    "no_month": (
        "{year}年{months}月末没有可比的月度税收，不作检验",
        "no comparable monthly tax at month {months_en} of {year}: not tested",
    ),
    "few_years": (
        "可检验的年份只有{n}个，不足{need}个，不能据以判断预测是否可靠",
        "only {n} years could be tested, fewer than {need}: not enough to judge by",
    ),
}
