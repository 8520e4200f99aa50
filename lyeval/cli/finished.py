"""``lyeval verify``, ``rerun`` and ``diff``: a finished run unchanged? again; two of them side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyeval.cli.telling import FAULTS, Lang, console, lang, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lyeval.run import Check, Difference, Finished

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="报告文件夹，或 reports/ 下的标识 / a report's folder or its id")
]
Also = Annotated[
    list[Path] | None,
    typer.Option("--inputs", metavar="DIR", help="到这里找台账等输入文件，可多次 / where its inputs are"),
]
MOST = 40


def verify(run: Run, inputs: Also = None, spoken: Lang = None) -> None:
    """重新核对输出、输入、参数、代码的校验值；未变退出码 0，有变 1。 / Rehash a finished run."""
    from lyeval.run import open_run
    from lyeval.run import verify as verified

    found = open_run(run)
    _told(found, verified(found, inputs or ()), say("核对", "checked"))


def rerun(run: Run, inputs: Also = None, spoken: Lang = None) -> None:
    """按运行记录在临时文件夹里重跑一遍，逐个输出比较。 / Run it again, compare output by output."""
    from lyeval.run import open_run
    from lyeval.run import rerun as again

    found = open_run(run)
    with console(stderr=True).status(say("重跑 …", "running again …")) as status:

        def told(number: int, total: int, name: str) -> None:
            status.update(f"{found.id}  {number}/{total}  {name}")

        checks = again(found, inputs or (), told=told)
    _told(found, checks, say("重跑后比较", "compared after running again"))


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="先前的运行 / the earlier run")],
    after: Annotated[str, typer.Argument(metavar="B", help="后来的运行 / the later run")],
    spoken: Lang = None,
) -> None:
    """对照两次运行：目标、企业有什么变动，出自数据、规则、代码、假设还是种子。 / What moved, and by what."""
    from lyeval.run import difference, open_run

    pair = [open_run(name) for name in (before, after)]
    made = difference(*pair)
    console().print(f"{pair[0].id}  {_mark(pair[0])}  →  {pair[1].id}  {_mark(pair[1])}")
    _causes(made)
    _targets(made)
    _odds(made)
    _firms(made)


def _mark(run: Finished) -> str:
    return f"{say('指纹', 'fingerprint')} {run.record['fingerprint'][:12]}"


def _told(run: Finished, checks: Iterable[Check], head: str) -> None:
    """Print what changed, part by part, with a count of what did not; exit 1 if anything did."""
    from lyeval.cli.showing import grid
    from lyeval.run import unchanged

    checks = tuple(checks)
    table = grid()
    for heading, justify in (
        (("类别", "part"), "left"),
        (("未变", "unchanged"), "right"),
        (("变动", "changed"), "left"),
    ):
        table.add_column(say(*heading), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for part in dict.fromkeys(check.part for check in checks):
        mine = [check for check in checks if check.part == part]
        moved = [
            f"{check.name}{say('：', ': ')}{say(*STATES[check.state])}" for check in mine if check.state != "unchanged"
        ]
        table.add_row(say(*PARTS[part]), str(len(mine) - len(moved)), _plain("\n".join(moved) or "—"))
    console().print(f"{run.id}  {head}  {_mark(run)}")
    console().print(table)
    if unchanged(checks):
        console().print(say("全部未变", "nothing changed"))
        return
    if any(check.part == "input" and check.state == "missing" for check in checks):
        console().print(
            say("找不到的输入，可用 --inputs 指明所在文件夹", "name the folder of a missing input with --inputs")
        )
    if any(check.part == "private" for check in checks):
        console().print(
            say(
                "公示版不载输入，内部留存又不在旁边：输入和参数未能核对",
                "a public edition names no input and the office's part is not beside it: inputs were not checked",
            )
        )
    console().print(say("有变动", "something changed"))
    raise typer.Exit(FAULTS)


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)


def _causes(made: Difference) -> None:
    """Print which inputs differ."""
    from lyeval.cli.showing import grid

    if made.inputs.empty:
        console().print(say("两次运行的输入、参数、代码相同", "inputs, parameters and code are the same"))
        return
    table = grid()
    for heading in (("来源", "by"), ("项目", "item"), ("原为", "before"), ("改为", "after")):
        table.add_column(say(*heading), overflow="fold")
    for row in made.inputs.to_dict("records"):
        table.add_row(
            say(*CAUSES[row["cause"]]), *(_plain(str(row[key] or "—")) for key in ("item", "before", "after"))
        )
    console().print(table)


def _by(made: Difference, kinds: tuple[str, ...]) -> str:
    """Say what could have moved a figure; where several could, that the two runs alone do not tell them apart."""
    causes = made.causes(kinds)
    if not causes:
        return say(
            "输出有变而输入未变，请用 lyeval verify 核验", "moved although no input did: check with lyeval verify"
        )
    named = say("、", ", ").join(say(*CAUSES[cause]) for cause in causes)
    if len(causes) == 1:
        return say(f"变动出自{named}", f"moved by {named}")
    return say(
        f"{named}同时有变，要分开请每次只改一项", f"{named} all changed: change one at a time to tell them apart"
    )


def _targets(made: Difference) -> None:
    from lyeval.cli.showing import grid, word
    from lyeval.run.differing import VERDICT

    moved = made.targets[made.targets["moved"]]
    if moved.empty:
        console().print(say(f"目标：{len(made.targets)} 项均未变", f"targets: none of {len(made.targets)} moved"))
        return
    table = grid()
    for heading, justify in (
        (("目标", "target"), "left"), (("完成值", "value"), "right"), (("目标值", "goal"), "right"), (("结论", "verdict"), "left")
    ):  # fmt: skip
        table.add_column(say(*heading), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in moved.to_dict("records"):
        pairs = [_pair(row[f"{key}_before"], row[f"{key}_after"]) for key in ("value", "goal")]
        ends = [row[f"status_{side}"] for side in ("before", "after")]
        words = [str(word(end)) if isinstance(end, str) else "—" for end in ends]
        table.add_row(
            _plain(str(row["label" if lang() == "zh" else "label_en"])), *pairs, " → ".join(dict.fromkeys(words))
        )
    console().print(table)
    console().print(_by(made, VERDICT))
    for target, part in made.turned.groupby("target", sort=False):
        ends = [part[part["turns"] == side]["name"].astype(str).tolist() for side in ("before", "after")]
        console().print(_plain(f"{target}{say('：不再取决于', ': no longer turns on ')}{_some(ends[0])}"
                               f"{say('；新取决于', '; now turns on ')}{_some(ends[1])}"))  # fmt: skip


def _odds(made: Difference) -> None:
    from lyeval.cli.showing import grid
    from lyeval.run.differing import ODDS

    moved = made.odds[made.odds["moved"]]
    if moved.empty:
        return
    table = grid()
    for heading in (("把握", "odds"), ("年度", "year"), ("完成可能", "probability")):
        table.add_column(say(*heading), overflow="fold")
    for row in moved.to_dict("records"):
        label = str(row["label" if lang() == "zh" else "label_en"])
        table.add_row(_plain(label), str(int(row["year"])), _pair(row["probability_before"], row["probability_after"]))
    console().print(table)
    console().print(_by(made, ODDS))


def _firms(made: Difference) -> None:
    """Print the enterprises that moved, a line a field, no more than a screen."""
    from lyeval.cli.showing import grid

    rows = made.enterprises
    if rows.empty:
        console().print(say("企业：均未变", "enterprises: none moved"))
        return
    table = grid()
    for heading in (("企业", "enterprise"), ("项目", "field"), ("原为", "before"), ("改为", "after")):
        table.add_column(say(*heading), overflow="fold")
    for row in rows.head(MOST).to_dict("records"):
        field = say(FIELDS[str(row["field"])], str(row["field"]))
        table.add_row(_plain(str(row["name"])), field, *(_plain(value_text(row[side])) for side in ("before", "after")))
    console().print(table)
    n = rows["credit_code"].nunique()
    more = say(f"，以上为前 {MOST} 处", f"; the first {MOST} are shown") if len(rows) > MOST else ""
    console().print(
        say(f"{n} 户企业有变，共 {len(rows)} 处{more}", f"{n} enterprises moved in {len(rows)} places{more}")
    )


def _some(names: list[str]) -> str:
    """Name a few enterprises, and how many there are."""
    if not names:
        return say("无", "none")
    listed = say("、", ", ").join(names[:3])
    return listed if len(names) <= 3 else say(f"{listed}等{len(names)}家", f"{listed} and others, {len(names)} in all")


def _pair(was: Any, now: Any) -> Any:
    return _plain(" → ".join(dict.fromkeys([value_text(was), value_text(now)])))


def value_text(value: Any) -> str:
    """Write a value of a table plainly."""
    if value is None or value != value:
        return "—"
    if value is True or value is False or type(value).__name__ == "bool":
        return say("是", "yes") if value else say("否", "no")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.6g}"
    return str(value)


PARTS = {
    "record": ("运行记录", "record"), "output": ("输出", "outputs"), "input": ("输入", "inputs"), "private": ("内部留存", "office's part"),
    "parameter": ("参数", "parameters"),
    "notebook": ("笔记本", "notebooks"), "code": ("代码", "code"), "version": ("版本", "versions"),
}  # fmt: skip
STATES = {"changed": ("已变", "changed"), "missing": ("找不到", "missing"), "added": ("多出", "added")}
CAUSES = {
    "data": ("数据", "data"), "rule": ("规则", "rule"), "question": ("评估对象", "the year or level asked for"),
    "assumptions": ("假设", "assumptions"), "seed": ("种子", "seed"), "code": ("代码", "code"), "form": ("语言和格式", "language and form"),
}  # fmt: skip
FIELDS = {
    "ledger": "在台账中", "name": "名称", "township": "镇街", "class": "规上规下", "in_scope": "适用范围", "excluded_by": "除外情形",
    "identified": "符合认定条件", "below_line": "低于标准", "tax_wan": "税收(万元)", "land_mu": "用地(亩)", "tax_per_mu": "亩均税收",
    "stage": "认定阶段", "progress": "处置进展",
}  # fmt: skip
