"""A document like a county's year-end evaluation, for the tests of paged formats."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import pandas as pd

from lyeval import figures
from lyeval.render import (
    Bullets,
    Cell,
    Column,
    Document,
    Figure,
    Heading,
    KeyFigures,
    Note,
    Paragraph,
    Table,
)

HOSTILE = (
    '#import "x": *; #panic()',
    "*粗* _斜_ $x^2$ `raw` @ref <lbl> // /* */",
    "<script>alert(1)</script>",
    "C:\\临沭\\n #\\u{41} \\",
    "“弯”'直'\"双\" -- --- ... ~",
    "=HYPERLINK(1)",
    "+86 -1 @a",
    "{{ 7*7 }} {% x %} ]]> &amp;",
    "../../etc/passwd",
)
TARGETS = pd.DataFrame(
    [
        ("above", "规上低效企业清零", 4.0, 0.0, "le", "missed", "家"),
        ("below", "规下低效用地占比", 0.2004, 0.20, "le", "missed", "%"),
        ("mean", "亩均税收", 12.31, 12.0, "ge", "met", "万元/亩"),
    ],
    columns=["id", "label", "value", "goal", "op", "status", "unit"],
).assign(label_en="Target", low=lambda f: f["value"], high=lambda f: f["value"])
TEXT = (
    "2023年全县纳入评价的工业企业共400家，其中规上企业126家、规下企业274家，占用工业用地21,346.5亩。按照“亩均论英雄”改革要求，"
    "全年累计处置低效企业38家，盘活低效用地1,203.4亩；规下低效用地占比由上年的27.6%降至20.04%，距目标尚差0.04个百分点。"
)
LIST = (
    Column("name", "企业名称"),
    Column("code", "统一社会信用代码"),
    Column("town", "镇街"),
    Column("class", "类别"),
    Column("land", "占地", "亩", "number", 1),
    Column("tax", "实缴税金", "万元", "number"),
    Column("permu", "亩均税收", "万元/亩", "number"),
    Column("before", "上年亩均", "万元/亩", "number"),
    Column("change", "增幅", "", "percent"),
    Column("on", "告知日期", "", "date"),
    Column("in", "列入", "", "flag"),
    Column("status", "结论"),
)


@lru_cache(maxsize=1)
def drawing() -> Figure:
    """Return a figure drawn once."""
    return figures.picture(
        figures.attainment(TARGETS),
        "attain",
        "各目标完成情况",
        "三个目标：一个达标，两个未达标",
        source="工作台账；数据截至2023年12月31日，定稿",
    )


def enterprises(n: int, id: str = "list", names: tuple[str, ...] = ()) -> Table:
    """Return a list of enterprises as wide as the annex has."""
    towns = ("临沭街道", "郑山街道", "蛟龙镇", "大兴镇", "曹庄镇")
    rows = tuple(
        (
            names[k] if k < len(names) else f"临沂{'甲乙丙丁戊己庚辛'[k % 8]}华精密铸造股份有限公司第{k}分公司",
            f"91371329MA3{k:06d}X",
            towns[k % 5],
            "规上" if k % 3 == 0 else "规下",
            12.5 + k % 37,
            3.21 * (k % 91) - 4,
            None if k % 29 == 0 else 0.35 * (k % 17),
            0.33 * (k % 13),
            (k % 21 - 10) / 100,
            date(2023, 1 + k % 12, 1 + k % 28),
            k % 2 == 0,
            Cell("达标", tone="good")
            if k % 3
            else Cell("未达标", tone="bad")
            if k % 2
            else Cell("暂不能判定", tone="open"),
        )
        for k in range(n)
    )
    return Table(
        id,
        "企业亩均税收评价名单",
        LIST,
        rows,
        source="工作台账（税务部门提供）；数据截至2023年12月31日，定稿",
        cite="临沭 二(三)",
        note="亩均税收为实缴税金除以占地。",
    )


def targets() -> Table:
    """Return a small table with statuses."""
    columns = (
        Column("label", "目标"),
        Column("value", "完成值"),
        Column("goal", "目标值"),
        Column("gap", "差额"),
        Column("status", "结论"),
        Column("clause", "依据条款"),
    )
    rows = (
        ("规上低效企业清零", "4家", "0家", "4家", Cell("未达标", tone="bad"), "二(三)1"),
        ("规下低效用地占比", "20.04%", "≤20%", "0.04个百分点", Cell("未达标", tone="bad"), "二(三)2"),
        ("亩均税收", "12.31万元/亩", "≥12万元/亩", "—", Cell("达标", tone="good"), "二(三)3"),
    )
    return Table("targets", "2023年度目标完成情况", columns, rows, source="工作台账；数据截至2023年12月31日，定稿")


def report(n: int = 60) -> Document:
    """Return a report of eight sections with every kind of block."""
    blocks = [
        KeyFigures(
            (
                ("目标完成", "1/3", "项", "bad"),
                ("规上低效", "4", "家", "bad"),
                ("规下低效用地占比", "20.04", "%", "bad"),
                ("亩均税收", "12.31", "万元/亩", "good"),
            )
        ),
        Heading(1, "一、总体情况"),
        Paragraph(TEXT),
        Paragraph(
            "尚未达标的主要原因有两个：一是4家规上企业停产尚未出清；二是部分规下企业土地收储进度滞后。建议以“一企一策”逐户销号。\n第二行另起。"
        ),
        Note("暂不能判定：缺3户2023年税收（县税务局），补齐即可判定。", "open"),
        Heading(1, "二、目标完成情况"),
        Heading(2, "（一）总体"),
        Paragraph(TEXT),
        targets(),
        drawing(),
        Heading(2, "（二）分项"),
        Heading(3, "1.规上企业"),
        Paragraph(TEXT * 2),
        Bullets((TEXT, "第二条", *HOSTILE)),
        Bullets(("先做第一件事。", "再做第二件事。"), ordered=True),
    ]
    for k, name in enumerate("三四五六七"):
        blocks += [
            Heading(1, f"{name}、第{k + 3}部分"),
            Heading(2, "（一）情况"),
            Paragraph(TEXT),
            Heading(2, "（二）措施"),
            Paragraph(TEXT * 3),
        ]
    blocks += [
        Heading(1, "附录"),
        Heading(2, "附1 企业名单"),
        enterprises(n, names=HOSTILE),
        Paragraph("以上名单按信用代码排序。"),
    ]
    return Document(
        "临沭县2023年度低效工业用地企业整治提升年终评估报告",
        "依据《临沭县低效工业用地企业整治提升实施方案》（沭政办发〔2021〕5号）",
        (
            ("评估对象", "临沭县"),
            ("评估年度", "2023年"),
            ("数据截至", "2023年12月31日"),
            ("数据状态", "定稿"),
            ("读法", "存疑条款均按默认读法，见附录"),
        ),
        tuple(blocks),
        watermark="本台账为程序生成的样例：县区、镇街为真实地名，企业、信用代码和全部数字均为虚构，不反映任何地方或企业的实际情况。",
        footer="本报告由台账数据按文件条款测算生成，供内部工作使用，不代表考核结论。指纹 sha256:0f97b293",
    )


def dossiers(n: int) -> Document:
    """Return one page for each of ``n`` enterprises."""
    facts = (Column("fact", "事项"), Column("value", "内容"), Column("clause", "依据"))
    years = (
        Column("year", "年度"),
        Column("tax", "实缴税金", "万元", "number"),
        Column("land", "占地", "亩", "number", 1),
        Column("permu", "亩均税收", "万元/亩", "number"),
    )
    blocks = []
    for k in range(n):
        blocks += [
            Heading(1, f"{k + 1}．临沂第{k}精密铸造股份有限公司", fresh=k > 0),
            Paragraph(
                "该企业2023年亩均税收0.82万元/亩，低于规下标准1万元/亩，符合认定条件；距标准尚差3.1万元（测算值，不作为征收依据）。"
            ),
            Table(f"f{k}", "基本情况", facts, tuple((f"事项{j}", f"内容{j}，第{k}户", "二(三)") for j in range(8))),
            Table(
                f"y{k}", "历年情况", years, tuple((2019 + j, 10.0 + k, 12.5, 0.8) for j in range(5)), source="工作台账"
            ),
        ]
    return Document("一企一档", blocks=tuple(blocks), watermark="合成数据")
