"""The words offices write for yes and no, 规上 and 规下, disposal methods, outcomes and tax flows (词表)."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np


def key(text: str) -> str:
    """Return ``text`` stripped to letters, digits and Chinese characters, in lower case and half width."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())


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
FIRM_SIZES = words("大型 中型 小型 微型 大 中 小 微 小微 大型企业 中型企业 小型企业 微型企业 小微企业")
STATES = words(
    "正常 在业 存续 开业 在营 在产 正常生产 正常经营 停产 半停产 停业 歇业 停工 注销 吊销 关停 关闭 迁出 清算 破产 破产清算 筹建 在建 "
    "经营异常 异常 登记成立 在册 已注销 已吊销 已停产 已关停 已关闭 拟关停 间歇性停产 长期停产"
)  # how a firm is registered or runs, which is no outcome of a disposal
METHODS = _words(
    {
        "upgrade": "提升 提升一批 零地技改 技改 增加设备 追加投资 出租 厂房出租 整合改造 建小微园 引进嫁接 股权优化 "
        "重组提升 联合重组 入园集聚 转让 帮扶提升 帮扶 精准帮扶 技术改造 税收辅导 税负辅导 改造提升",
        "rectify": "整治 整治一批 联合执法 整改 规范整治 限期整改 签订补充协议 规范经营 整治提升",
        "merge": "兼并重组 并购重组 兼并 重组 资产重组 合作引进 并购",
        "partition": "分割收回 土地分割 分割转让 分割 部分转让",
        "land_bank": "收储 收购储备 政府收储 收回 土地收储",
        "judicial": "司法解决 司法处置 破产重组 破产 股权转让",
        "shut_down": "淘汰 淘汰一批 关停 关停出清 关闭 拆除 清退 有序清退 淘汰关停 关停淘汰 关停退出",
        "contract": "其他 按合同 按协议 按原约定 按约定",
    }
)
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
DONE_AS = {
    "upgrade": "达标",
    "rectify": "达标",
    "contract": "达标",
    "merge": "重组",
    "judicial": "重组",
    "partition": "转让",
    "land_bank": "收储",
    "shut_down": "关停",
}
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


CODE_SIZE = 18


def tidy(value: object) -> str:
    """Return a code in half width and capitals, without spaces, quotes, hyphens, unseen signs, or the ="…" that guards it."""
    return UNTIDY.sub("", unicodedata.normalize("NFKC", str(value))).upper()


def well_formed(code: str) -> bool:
    """Whether ``code`` has 18 characters of the code's alphabet."""
    return bool(CODE_FORM.fullmatch(code))


def check_digits(codes: Sequence[str]) -> np.ndarray:
    """Return for each well-formed code whether its last character is the check digit.

    The check digit is 31 − (Σ value of character i × 3^(i−1) mod 31) mod 31, over the first 17 characters.

    Returns
    -------
    ndarray of bool, shape (len(codes),)
    """
    if not len(codes):
        return np.zeros(0, dtype=bool)
    letters = np.frombuffer("".join(codes).encode("ascii"), dtype=np.uint8).reshape(-1, CODE_SIZE)
    values = LOOKUP[letters]
    expected = (31 - (values[:, :17] @ WEIGHTS) % 31) % 31
    return expected == values[:, 17]


def with_check_digit(first17: str) -> str:
    """Return the 18-character code that begins with ``first17``."""
    total = sum(ALPHABET.index(letter) * int(weight) for letter, weight in zip(first17, WEIGHTS, strict=True))
    return first17 + ALPHABET[(31 - total % 31) % 31]


UNTIDY = re.compile(
    "[\\s'’‘`´\"“”=_\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2010-\u2015\u202a-\u202f\u2060-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb-]+"
)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CODE_FORM = re.compile(f"[{ALPHABET}]{{18}}")
WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)
LOOKUP = np.full(256, -1, dtype=np.int64)
LOOKUP[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)


def _load() -> dict[str, tuple[str, Fraction]]:
    """Read ``units.csv``, which stands beside this module: spelling → dimension and size in its base unit."""
    with Path(__file__).with_name("units.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return {_spelt(word): (dimension, Fraction(size)) for dimension, size, words in rows for word in words.split()}


@cache
def find_unit(text: str) -> tuple[str, Fraction] | None:
    """Return the dimension and the size in the dimension's base unit, or None when ``text`` is no unit.

    Parameters
    ----------
    text : str
        E.g. ``万元``, ``㎡``, ``万元/亩``, ``单位：元``; either width. Money may stand over area or energy.
    """
    word = _spelt(text)
    if word in SIZES:
        return SIZES[word]
    money, _, per = word.partition("/")
    above, below = SIZES.get(money), SIZES.get(per)
    if above is None or below is None or above[0] != "money" or below[0] not in ("area", "energy"):
        return None
    return f"money per {below[0]}", above[1] / below[1]


def factor(unit: str, canonical: str) -> Fraction | None:
    """Return what a value in ``unit`` is multiplied by to be in ``canonical``; None when they do not agree.

    Money alone under a measure per 亩 means money per 亩.
    """
    given, wanted = find_unit(unit), find_unit(canonical)
    if given is not None and given[0] == "money" and canonical.endswith("/亩"):
        given = find_unit(f"{unit}/亩")
    if given is None or wanted is None or given[0] != wanted[0]:
        return None
    return given[1] / wanted[1]


def looks_like_unit(text: str) -> bool:
    """Whether the words of a bracket are meant as a unit, known or not: 美元, 平方丈, kgce, 元/吨."""
    word = _spelt(text)
    return bool(word) and (find_unit(text) is not None or UNITLIKE.fullmatch(word) is not None)


def _spelt(text: str) -> str:
    """Return a unit's word in half width and lower case, without what does not tell units apart."""
    word = unicodedata.normalize("NFKC", text).strip()
    word = re.sub(r"^(计量|金额|面积)?单位[:：]?", "", word).strip(" .,;:，。；：")
    word = re.sub(r"\s+", "", word).lower().replace("每", "/").replace("⋅", "·").replace("•", "·").replace("・", "·")
    word = re.sub(r"^(人民币|rmb|cny|¥|￥)(?=.)|人民币$", "", word)
    return re.sub(r"/(年|a|yr)$", "", word)


UNITLIKE = re.compile(
    r"[a-z%‰$€£]{1,6}[23²³]?([/·.*-][a-z]{1,4}[23²³]?)?|[百千万亿十仟佰]*(美|欧|港|日|英|澳|加|新台|台|韩)?[百千万亿十仟佰]*(元|币|镑|美金)"
    r"|[百千万亿十仟佰]*(平方?|立方?|公|英|市|标)?(米|尺|丈|里|亩|顷|坪|吨|斤|克|两|升|桶|担|箱|瓦|瓦时|焦|卡|伏|安|千卡|大卡)[23²³]?"
    r"|[百千万亿十仟佰]*(吨标油|吨油当量|平方[一-鿿]{1,2}|立方[一-鿿]{1,2})|[一-鿿a-z]{1,4}/[一-鿿a-z]{1,3}[23²³]?"
)
SIZES = _load()
