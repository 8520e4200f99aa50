"""``lyeval policy``: the plans there are, one in words, a plan's file checked, two side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lyeval.cli.telling import FAULTS, Lang, console, lang, refuse, say

if TYPE_CHECKING:
    from lyeval.policy import Policy

Name = Annotated[str, typer.Argument(metavar="ID", help="方案标识或文件 / plan")]


def listed(spoken: Lang = None) -> None:
    """列出自带的政策方案。 / List the shipped plans."""
    from rich.text import Text

    from lyeval.cli.showing import grid
    from lyeval.policy import load_policy, policy_ids

    table = grid()
    for heading in (("标识", "id"), ("地方", "place"), ("方案", "plan"), ("目标年度", "target years")):
        table.add_column(say(*heading), overflow="fold")
    for name in policy_ids():
        plan = load_policy(name)
        years = "、".join(map(str, plan.years.targets))
        table.add_row(Text(plan.id, style="bold"), _place(plan), Text(_title(plan)), years)
    console().print(table)


def show(policy: Name, spoken: Lang = None) -> None:
    """用文字列出一个方案的全部规则。 / One plan's rules in words."""
    from rich.text import Text

    from lyeval.cli.showing import grid
    from lyeval.policy.difference import describe_policy

    plan = _loaded(policy)
    out = console()
    out.print(Text(f"{_title(plan)}（{plan.id}）" if lang() == "zh" else f"{_title(plan)} ({plan.id})", style="bold"))
    table = grid(headed=False)
    table.add_column(no_wrap=True, style="bold", max_width=20)
    table.add_column(ratio=1, overflow="fold")
    for row in describe_policy(plan, lang=lang()).itertuples(index=False):
        table.add_row(Text(row[0]), _cell(row[1], row[2], False))
    out.print(table)
    out.print(Text(say("处置方式的前提", "preconditions of the methods"), style="bold"))
    out.print(_methods(plan))
    out.print(
        Text(say("存疑条款及其读法（* 为默认）", "doubtful clauses and their readings (* by default)"), style="bold")
    )
    out.print(_readings(plan))


def _loaded(name: str) -> Policy:
    """Return a plan; one whose file is there and has faults ends the command as ``check`` does."""
    from lyeval.policy import PolicyError, find_policy, in_language, load_policy

    try:
        return load_policy(name)
    except PolicyError as error:
        if Path(name).suffix not in (".yaml", ".yml") or not find_policy(name).is_file():
            raise
        refuse(in_language(str(error), "zh"), in_language(str(error), "en"), code=FAULTS)
        raise


def _methods(plan: Policy) -> Any:
    """Lay out the disposal methods with what each presupposes."""
    from rich.text import Text

    from lyeval.cli.showing import grid
    from lyeval.policy.difference import describe

    table = grid(headed=False)
    table.add_column(no_wrap=True, max_width=24)
    table.add_column(ratio=1, overflow="fold")
    for method in plan.methods:
        label = method.label if lang() == "zh" else method.label_en
        when = say("无", "none") if method.when is None else describe(method.when, lang())
        table.add_row(Text(label, style="bold"), _cell(when, "；".join(method.cite), False))
    return table


def _readings(plan: Policy) -> Any:
    from rich.text import Text

    from lyeval.cli.showing import grid

    table = grid(headed=False)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    zh = lang() == "zh"
    for reading in plan.readings:
        question = reading.question if zh else reading.question_en
        table.add_row(Text(reading.id, style="bold"), Text(f"{question}  {'；'.join(reading.cite)}"))
        for option in reading.options:
            mark = "*" if option.id == reading.default else " "
            label, why = (option.label, option.why) if zh else (option.label_en, option.why_en)
            told = f"{label}（{why}）" if zh else f"{label} ({why})"
            table.add_row("", Text(f"{mark} {option.id}：{told if label else why}", style="dim"))
    return table


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="方案文件 / plan's file")],
    source: Annotated[
        Path | None, typer.Option("--source", metavar="TEXT", help="文件原文（文本）/ document's text")
    ] = None,
    spoken: Lang = None,
) -> None:
    """检查方案文件；有原文时证明条款登记册恰好覆盖全文。 / Check a plan's file, and its register against the text."""
    from lyeval.policy import PolicyError, in_language, load_policy
    from lyeval.policy.documents import plan_cites
    from lyeval.policy.register import check_cites, check_partition, load_register

    path = _file(file)
    try:
        plan = load_policy(path)
        register = _register(path)
        problems = [] if register is None else check_cites(plan_cites(plan), load_register(register))
        if source is not None:
            if register is None:
                refuse(f"{path.name} 旁没有条款登记册 {path.stem}.clauses.yaml，无法核对原文",
                       f"no register {path.stem}.clauses.yaml beside {path.name}: the text cannot be checked")  # fmt: skip
            problems += check_partition(load_register(register or path), _text(source))
    except PolicyError as error:
        typer.echo(in_language(str(error), lang()))
        raise typer.Exit(FAULTS) from None
    for problem in problems[:MOST_SHOWN]:
        typer.echo(in_language(str(problem), lang()))
    if problems:
        n, more = len(problems), max(0, len(problems) - MOST_SHOWN)
        typer.echo(
            say(f"共 {n} 处问题", f"{n} problems")
            + (say(f"，另有 {more} 处未列", f", {more} not shown") if more else "")
        )
        raise typer.Exit(FAULTS)
    _passed(plan, register, source)


def _passed(plan: Policy, register: Path | None, source: Path | None) -> None:
    """Say what was proved."""
    from lyeval.policy.register import load_register

    targets, methods, doubts = len(plan.targets), len(plan.methods), len(plan.readings)
    zh = f"{plan.id}：{targets} 个目标、{methods} 种处置方式、{doubts} 处存疑条款，格式正确"
    typer.echo(say(zh, f"{plan.id}: {targets} targets, {methods} methods, {doubts} doubtful clauses: well formed"))
    if register is None:
        typer.echo(say("没有条款登记册，未核对条款", "there is no clause register: clauses are not checked"))
        return
    n = len(load_register(register).clauses)
    zh = f"登记册 {n} 条，规则引用的条款都在，除背景外的条款都有着落"
    typer.echo(say(zh, f"register of {n} clauses: every cite exists, every clause but context has its use"))
    if source is not None:
        zh = f"登记册恰好覆盖原文 {source.name} 的每一个字，没有照抄"
        typer.echo(say(zh, f"the register partitions every character of {source.name} and copies none of it"))


def _file(name: Path) -> Path:
    """Return a plan's file, given by path or id."""
    from lyeval.policy import find_policy

    path = find_policy(name)
    if not path.is_file():
        refuse(f"找不到方案文件 {name}", f"no such file: {name}")
    return path


def _register(path: Path) -> Path | None:
    register = path.with_name(f"{path.stem}.clauses.yaml")
    return register if register.is_file() else None


def _text(source: Path) -> str:
    from lyeval.textfiles import Unreadable, read_text

    if not source.exists():
        refuse(f"找不到原文 {source}", f"no such text: {source}")
    try:
        return read_text(source)
    except Unreadable as error:
        refuse(f"{source.name}：{error.zh}", f"{source.name}: {error.en}")
    return ""


def diff(
    plans: Annotated[list[str], typer.Argument(metavar="ID ID …", help="方案标识或文件，两个以上 / two plans or more")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="逐条对照写到文件：html、pdf、docx、xlsx / every clause side by side, to a file",
        ),
    ] = None,
    spoken: Lang = None,
) -> None:
    """并排对照几个方案：门槛及其变化、计量单位、适用范围、年限、惩戒、实物目标；写到文件的另有逐条和时间线。 / Plans side by side."""
    from lyeval.policy.difference import compare_policies

    if len(plans) < 2:
        refuse("请写两个以上的方案", "name two plans or more")
    loaded = [_loaded(name) for name in plans]
    if out is not None:
        _write_diff(plans, loaded, out)
        return
    from rich.text import Text

    from lyeval.cli.showing import grid

    table, n = grid(), len(loaded)
    table.add_column("", style="bold", max_width=10, overflow="fold")
    for plan in loaded:
        table.add_column(Text(plan.id), ratio=1, overflow="fold")
    for row in compare_policies(*loaded, lang=lang()).itertuples(index=False):
        same = len(set(row[1 : n + 1])) == 1
        table.add_row(Text(row[0]), *(_cell(row[k], row[n + k], same) for k in range(1, n + 1)))
        table.add_section()
    console().print(table)


def _write_diff(names: list[str], loaded: list[Policy], out: Path) -> None:
    """Write the documents side by side into a file, in the format of its ending."""
    from lyeval.policy.documents import register_of
    from lyeval.report.compared import document_of_policies
    from lyeval.report.writing import FORMATS, write_document
    from lyeval.run import placed

    if out.suffix.removeprefix(".").lower() not in FORMATS:
        told = "、".join(FORMATS)
        refuse(
            f"--out {out}：文件名须以 {told} 之一结尾", f"--out {out}: the name must end in one of {', '.join(FORMATS)}"
        )
    document = document_of_policies(
        loaded, [register_of(name) for name in names], lang="en" if lang() == "en" else "zh"
    )
    issued = max(plan.document.issued for plan in loaded)
    with placed(out) as place:
        write_document(document, place, issued)
    typer.echo(say(f"已写入 {out}", f"written to {out}"))


def _cell(text: str, clauses: str, same: bool) -> Any:
    from rich.text import Text

    cell = Text(text, style="dim" if same else "")
    if clauses:
        cell.append(f"  [{clauses}]", style="dim")
    return cell


def _title(plan: Policy) -> str:
    return plan.title if lang() == "zh" else plan.title_en


def _place(plan: Policy) -> str:
    return plan.place.name if lang() == "zh" else plan.place.name_en


MOST_SHOWN = 30
