"""Tables at the terminal: faults of a ledger, a verdict, a plan; text from files is never read as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lyeval.cli.telling import console, lang, say

if TYPE_CHECKING:
    from rich.table import Table

    from lyeval.assessment import Assessment
    from lyeval.ledger import Fault
    from lyeval.run.batching import Result

SYNTHETIC = "A made ledger: every enterprise and figure is invented."
NOTHING = "—"
WHOLE = ("家", "个", "m²")
UNITS = {"家": "firms", "个": "blocks", "亩": "mu", "万元": "wan yuan", "万元/亩": "wan/mu"}
WORDS = {
    "error": ("错误", "error", "bold red"),
    "warning": ("警告", "warning", "yellow"),
    "gap": ("缺数", "gap", "cyan"),
    "met": ("达标", "met", "bold blue"),
    "missed": ("未达标", "missed", "bold red"),
    "undetermined": ("暂不能判定", "undetermined", "bold yellow"),
}


def word(key: str) -> Any:
    """Return a severity or status in words, in its colour."""
    from rich.text import Text

    zh, en, style = WORDS[key]
    return Text(say(zh, en), style=style)


def grid(*, headed: bool = True) -> Table:
    """Return an empty table in the house style: no box but a rule below the headings."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD if headed else None, show_header=headed, pad_edge=False, padding=(0, 1))


def faults(found: Iterable[Fault], *, stderr: bool = False) -> None:
    """Print faults, one line a rule with its count."""
    from rich.text import Text

    from lyeval.ledger import grouped

    out = console(stderr=stderr)
    for group in grouped(found, places=2):
        head = word(group.severity)
        first, *rest = wrapped(group.text(lang()), out.width - head.cell_len - 2)
        out.print(Text.assemble(head, "  ", first), soft_wrap=True)
        for line in rest:
            out.print(" " * (head.cell_len + 2) + line, soft_wrap=True)


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines of ``width`` columns: between Chinese signs, never inside a word, no line begins with a stop."""
    from rich.cells import cell_len

    lines = [""]
    for part in re.findall(r"[“（]*(?:[!-~]+|\s+|.)[，。；：、）”！？]*", text):
        if cell_len(lines[-1]) + cell_len(part) <= width or not lines[-1]:
            lines[-1] += part
        else:
            lines.append(part.lstrip())
    return lines


@contextmanager
def progress(total: int) -> Iterator[Callable[[Result], None]]:
    """Show a bar over a batch, and one line above it for each run that ends."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    out = console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as bar:
        task = bar.add_task(say("评估", "runs"), total=total)

        def ended(result: Result) -> None:
            style, mark = ("red", say("未完成", "failed")) if result.error else ("green", say("完成", "done"))
            if result.skipped:
                style, mark = "dim", say("未变，跳过", "unchanged")
            bar.console.print(Text.assemble((f"{mark}  ", style), result.id, "  ", result.error_text(lang())))
            bar.advance(task)

        yield ended


def counts(found: Iterable[Fault]) -> str:
    """Say how many errors, warnings and gaps there are."""
    numbers: dict[str, int] = dict.fromkeys(("error", "warning", "gap"), 0)
    for fault in found:
        numbers[fault.severity] += fault.count
    parts = [f"{say(*WORDS[key][:2])} {n}" for key, n in numbers.items()]
    return "，".join(parts) if lang() == "zh" else ", ".join(parts)


def verdict(made: Assessment) -> None:
    """Print an assessment: its targets with reasons and clauses, and how many enterprises stand where."""
    from rich.text import Text

    out = console()
    policy = made.policy
    title = policy.title if lang() == "zh" else policy.title_en
    out.print(Text(f"{title}  {made.year}", style="bold"))
    if made.ledger.synthetic:
        out.print(Text(say(made.ledger.synthetic, SYNTHETIC), style="dim"))
    out.print()
    if made.targets.empty:
        out.print(say("本年度只列名单，没有目标。", "this year has a list and no targets."))
    else:
        out.print(_targets(made))
        _reasons(made)
    _standing(made)


def _targets(made: Assessment) -> Table:
    """Lay out the targets: label with clause, value, goal, what is lacking, verdict."""
    from rich.text import Text

    table = grid()
    table.add_column(say("目标", "target"), ratio=1, overflow="fold")
    for heading in (("完成值", "value"), ("目标值", "goal"), ("尚差", "short by")):
        table.add_column(say(*heading), justify="right", no_wrap=True)
    table.add_column(say("结论", "verdict"), no_wrap=True)
    for row in made.targets.to_dict("records"):
        label = Text.assemble(str(row["label" if lang() == "zh" else "label_en"]), (f"  {row['clause']}", "dim"))
        table.add_row(label, *_pair(row, _share(made, str(row["id"]))), _short(row), word(str(row["status"])))
    return table


def _share(made: Assessment, name: str) -> bool:
    from lyeval.indicators import STATISTICS

    return STATISTICS[made.policy.target(name).statistic].kind == "share"


def _pair(row: dict[Any, Any], share: bool) -> tuple[str, str]:
    """Write value and goal, with decimals enough to show the value on its own side of the goal."""
    from lyeval.render import Column, digits_beside, format_value

    value, goal = _known(row["value"]), _known(row["goal"])
    kind: Any = "percent" if share else "count" if row["unit"] in WHOLE else "number"
    digits = digits_beside(value, goal, kind)
    unit = "" if share else f" {unit_of(row['unit'])}"
    sign = {"ge": "≥", "le": "≤"}[row["op"]]
    shown = format_value(Column("v", "", "", kind, digits), value) + (unit if value is not None else "")
    wanted = f"{sign} {format_value(Column('g', '', '', kind), goal)}{unit}" if goal is not None else NOTHING
    return shown, wanted


def _short(row: dict[Any, Any]) -> str:
    from lyeval.render import Column, format_value

    short = _known(row["short_by"])
    if short is None or short == 0:
        return NOTHING
    kind: Any = "count" if float(short).is_integer() else "number"
    return f"{format_value(Column('s', '', '', kind), short)} {unit_of(row['thing'])}"


def _known(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def unit_of(unit: str) -> str:
    """Return a unit's name in the language spoken."""
    return say(unit, UNITS.get(unit, unit))


def _reasons(made: Assessment) -> None:
    """Print why a target is undetermined, and within which bounds it lies."""
    from rich.text import Text

    zh = lang() == "zh"
    for row in made.targets.to_dict("records"):
        reason = row["reason_zh"] if zh else row["reason_en"]
        if row["status"] == "undetermined" and reason:
            label = row["label"] if zh else row["label_en"]
            console().print(Text(f"{label}{say('：暂不能判定，', ': undetermined, ')}{reason}", style="yellow"))


def _standing(made: Assessment) -> None:
    firms = made.enterprises
    listed = firms["identified"]
    numbers = [
        (say("台账企业", "enterprises"), len(firms)),
        (say("适用范围内", "in scope"), int(firms["in_scope"].eq(True).sum())),
        (say("除外", "excluded"), int(firms["excluded_by"].notna().sum())),
        (say("符合认定条件", "identified"), int(listed.eq(True).sum())),
        (say("待核", "unknown"), int((listed.isna() & firms["in_scope"].eq(True) & firms["excluded_by"].isna()).sum())),
    ]
    console().print()
    console().print("  ".join(f"{label} {n}" for label, n in numbers))
