"""The words offices write for yes and no, 规上 and 规下, disposal methods, outcomes and tax flows (词表)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from lyeval import resources
from lyeval.ledger.headings import key
from lyeval.textfiles import read_yaml


def plain(text: str) -> str:
    """Return ``text`` in half width and lower case, without spaces and unseen signs."""
    return "".join(unicodedata.normalize("NFKC", bare(text)).lower().split())


def bare(text: str) -> str:
    """Return a cell's text without what keeps a spreadsheet from changing it (="…", a leading apostrophe) and without unseen signs."""
    text = UNSEEN.sub("", text)
    guarded = GUARDED.fullmatch(text)
    return guarded[1] or guarded[2] or "" if guarded else text


def is_missing(text: str) -> bool:
    """Whether ``text`` says that there is no datum (缺失), which is never zero."""
    return plain(text) in MISSING


def find_word(text: str, words: Mapping[str, str]) -> str | None:
    """Return what ``text`` stands for in ``words`` (normalised word → canonical), exactly or without its bracket."""
    bare = re.sub(r"[(（\[【].*?[)）\]】]", "", text)
    for form in dict.fromkeys((key(text), key(bare))):
        for short in (form, form.removeprefix("已"), form.removeprefix("拟"), form.removesuffix("类")):
            if short in words:
                return words[short]
    return None


def find_method(text: str, own: Mapping[str, str]) -> str | None:
    """Return the canonical disposal method (处置方式) of ``text``; ``own`` labels of a policy come first.

    A composite such as 淘汰（关停） is taken when all the known words in it name one method.
    """
    exact = find_word(text, {key(label): method for label, method in own.items()}) or find_word(text, METHODS)
    if exact:
        return exact
    form = key(text)
    named = {method for word, method in METHODS.items() if len(word) > 1 and word in form}
    return named.pop() if len(named) == 1 else None


def words(line: str) -> frozenset[str]:
    """Return the words of a line."""
    return frozenset(line.split())


def _words(table: Mapping[str, str]) -> dict[str, str]:
    """Turn canonical → words into normalised word → canonical."""
    return {key(word): canonical for canonical, words in table.items() for word in [canonical, *words.split()]}


UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]"
)
GUARDED = re.compile(r'\s*=\s*"([^"]*)"\s*|\s*[\'’‘＇`]([^\'’‘＇]+)[\'’‘＇]?\s*', re.S)
MISSING = words(
    "- -- --- — —— – / \\ 无 暂无 暂缺 缺 待核 待核实 待查 不详 未知 未提供 未填 空 无数据 #n/a #ref! #value! #div/0! #name? #null! "
    "#num! n/a na nan null none"
) | {""}
YES = words("是 √ ✓ ✔ 有 y yes 1 1.0 ● 已 true t 对 属于")
NO = words("否 × ✗ x 无 n no 0 0.0 - -- — —— / 空 不是 没有 false f 未 不属于")
ABOVE = YES | words(
    "规上 规模以上 规模上 在库 入统 纳统 已入库 入库 入规 规上企业 规模以上企业 规上工业 规模以上工业 四上 规上工业企业 "
    "规模以上工业企业 上 above"
)
BELOW = NO | words(
    "规下 规模以下 规模下 不在库 未入统 未纳统 未入库 未入规 规下企业 规模以下企业 规下工业 规模以下工业 非规上 "
    "规下工业企业 规模以下工业企业 规下样本 下 below"
)
SIZES = words("大型 中型 小型 微型 大 中 小 微 小微 大型企业 中型企业 小型企业 微型企业 小微企业")
STATES = words(
    "正常 在业 存续 开业 在营 在产 正常生产 正常经营 停产 半停产 停业 歇业 停工 注销 吊销 关停 关闭 迁出 清算 破产 破产清算 筹建 在建 "
    "经营异常 异常 登记成立 在册 已注销 已吊销 已停产 已关停 已关闭 拟关停 间歇性停产 长期停产"
)  # how a firm is registered or runs, which is no outcome of a disposal
METHOD_ROWS: list[dict[str, Any]] = read_yaml(resources.path("parameters/assumptions/methods.yaml"))[0]["methods"]
METHODS = _words({row["id"]: " ".join(row["words"]) for row in METHOD_ROWS})
METHOD_NAMES = {row["id"]: row["words"][0] for row in METHOD_ROWS}
OUTCOMES = _words(
    {
        "达标": "提升达标 整治达标 验收合格 整治到位 达标提质 整改到位 验收通过 已达标 提升到位",
        "关停": "关停出清 停产 关闭 出清 已出清 淘汰 关停淘汰",
        "清退": "腾退 退出 有序清退 清退出清",
        "注销": "吊销",
        "整体收储": "全部收储 整体收购储备",
        "部分收储": "部分收购储备",
        "收储": "收购储备 土地收回 收回",
        "转让": "分割转让 分割转让完成 过户 资产转让",
        "重组": "重组完成 兼并 兼并重组 并购重组 备案 并购",
        "破产": "破产清算 破产受理 破产重整 股权转让",
        "搬迁": "迁出 外迁 搬迁完成",
        "进行中": "推进中 整改中 整治中 实施中 正在办理 启动 方案审定 协议已签 立案 办理中 评估中 "
        "正在推进 正在进行 提升中 在建 处置中 正在整改 正在整治 正在实施 正在谈判 正在协商 正在评估 正在拆除 洽谈中 签订协议 "
        "签订收储协议 签订补充协议 签订处置协议 签约 制定方案 方案制定中 谈判中 评估 拆除中 建设中",
        "未启动": "尚未启动 未开始",
        "未完成": "未达标 整改无效 逾期 逾期未完成 未按协议完成 列为重点低效企业 尚未完成 未整改到位 否",
    }
)
DONE = words("完成 已完成 全部完成 办结 已办结 是")
WRITTEN_OFF = words("销号 核销 已销号 已核销")
DONE_AS = {row["id"]: row["finished"] for row in METHOD_ROWS}
FLOWS = _words(
    {
        "入库": "实缴 缴纳 正税 正常入库 征收 一般申报 正常申报",
        "免抵": "免抵调库 免抵调",
        "留抵退税": "增值税留抵退税 留抵",
        "出口退税": "免抵退税 出口退",
        "其他退库": "退库 退税 误收退税 其他退税",
        "减免": "减免税 减免退税 政策减免",
        "查补": "稽查查补 评估补税 稽查 自查补税 查补入库",
        "滞纳金": "罚款 滞纳金罚款 罚没",
    }
)
