"""``lyeval policy``: the plans there are, one in words and rule by rule, a new one, its file checked and tried, two side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from lyeval.cli.terminal import FAULTS, Lang, console, grid, lang, refuse, say, spoken, text
from lyeval.cli.worked import read_cases, tried
from lyeval.policy import Policy, PolicyError, find_policy, in_language, load_policy, policy_ids, starter
from lyeval.policy.difference import compare_policies, describe, describe_policy
from lyeval.policy.documents import articles, plan_cites
from lyeval.policy.explaining import explain as read_back
from lyeval.policy.register import check_cites, check_partition, load_register
from lyeval.run import write_new
from lyeval.textfiles import Unreadable, read_text

Name = Annotated[str, typer.Argument(metavar="ID", help="方案标识或文件 / plan")]
MOST_SHOWN = 30


def listed(spoken: Lang = None) -> None:
    """列出自带的政策方案。 / List the shipped plans."""
    table = grid("id", "place", "plan", "target_years")
    for plan in map(load_policy, policy_ids()):
        years = "、".join(map(str, plan.years.targets))
        table.add_row(text(plan.id, "bold"), _place(plan), text(_title(plan)), years)
    console().print(table)


def show(policy: Name, spoken: Lang = None) -> None:
    """用文字列出一个方案的全部规则。 / One plan's rules in words."""
    plan, out = _loaded(policy), console()
    out.print(text(say("plan.title", title=_title(plan), id=plan.id), "bold"))
    table = _two_columns(style="bold", max_width=20, overflow="fold")
    for row in describe_policy(plan, lang=lang()).itertuples(index=False):
        table.add_row(text(row[0]), _cell(row[1], row[2], False))
    out.print(table)
    out.print(text(say("plan.methods"), "bold"))
    out.print(_methods(plan))
    out.print(text(say("plan.readings"), "bold"))
    out.print(_readings(plan))


def _two_columns(**styles: Any) -> Table:
    table = grid(headed=False)
    table.add_column(**styles)
    table.add_column(ratio=1, overflow="fold")
    return table


def _loaded(name: str) -> Policy:
    """Return a plan; one whose file is there and has faults ends the command as ``check`` does."""
    try:
        return load_policy(name)
    except PolicyError as error:
        if Path(name).suffix not in (".yaml", ".yml") or not find_policy(name).is_file():
            raise
        refuse("as_told", told=(in_language(str(error), "zh"), in_language(str(error), "en")), code=FAULTS)


def _methods(plan: Policy) -> Table:
    """Lay out the disposal methods with what each presupposes."""
    table = _two_columns(no_wrap=True, max_width=24)
    for method in plan.methods:
        when = say("none") if method.when is None else describe(method.when, lang(), plan.fact)
        table.add_row(text(spoken(method.label, method.label_en), "bold"), _cell(when, "；".join(method.cite), False))
    return table


def _readings(plan: Policy) -> Table:
    """Lay out the doubtful clauses, each with its options."""
    table = _two_columns(no_wrap=True)
    for reading in plan.readings:
        question = spoken(reading.question, reading.question_en)
        table.add_row(
            text(reading.id, "bold"),
            text(f"{question}  {spoken('；'.join(reading.cite), articles('；'.join(reading.cite)))}"),
        )
        for option in reading.options:
            label, why = spoken((option.label, option.why), (option.label_en, option.why_en))
            told = say("plan.option", label=label, why=why) if label else why
            mark = "*" if option.id == reading.default else " "
            table.add_row("", text(f"{mark} {option.id}{spoken('：', ': ')}{told}", "dim"))
    return table


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="方案文件 / plan's file")],
    source: Annotated[
        Path | None, typer.Option("--source", metavar="TEXT", help="文件原文（文本）/ document's text")
    ] = None,
    spoken: Lang = None,
) -> None:
    """检查方案文件；有原文时证明条款登记册恰好覆盖全文。 / Check a plan's file, and its register against the text."""
    path = find_policy(file)
    if not path.is_file():
        refuse("plan.gone", name=file)
    beside = path.with_name(f"{path.stem}.clauses.yaml")
    register = beside if beside.is_file() else None
    try:
        plan = load_policy(path)
        problems = [] if register is None else check_cites(plan_cites(plan), load_register(register))
        if source is not None:
            if register is None:
                refuse("plan.no_register", path=path.name, register=beside.name)
            problems += check_partition(load_register(register), _text(source))
    except PolicyError as error:
        typer.echo(in_language(str(error), lang()))
        raise typer.Exit(FAULTS) from None
    for problem in problems[:MOST_SHOWN]:
        typer.echo(in_language(str(problem), lang()))
    if problems:
        more = len(problems) - MOST_SHOWN
        typer.echo(say("plan.problems", n=len(problems)) + (say("plan.more", n=more) if more > 0 else ""))
        raise typer.Exit(FAULTS)
    _passed(plan, register, source)


def _passed(plan: Policy, register: Path | None, source: Path | None) -> None:
    """Say what was proved."""
    numbers = {"targets": len(plan.targets), "methods": len(plan.methods), "doubts": len(plan.readings)}
    typer.echo(say("plan.formed", id=plan.id, **numbers))
    if register is None:
        typer.echo(say("plan.unchecked"))
        return
    typer.echo(say("plan.register", n=len(load_register(register).clauses)))
    if source is not None:
        typer.echo(say("plan.partition", source=source.name))


def _text(source: Path) -> str:
    if not source.exists():
        refuse("plan.no_text", source=source)
    try:
        return read_text(source)
    except Unreadable as error:
        refuse("file.name", path=source.name, why=(error.zh, error.en))


def explain(policy: Name, spoken: Lang = None) -> None:
    """把方案逐条读回来：每条规则一句话，旁注条款。 / Every rule in a sentence beside its clause."""
    plan, out = _loaded(policy), console()
    out.print(text(say("plan.title", title=_title(plan), id=plan.id), "bold"))
    table = _two_columns(no_wrap=False, style="bold", max_width=20, overflow="fold")
    for part, rule, said, clauses in read_back(plan, lang()).astype(str).to_numpy():
        table.add_row(text(f"{part}\n{rule}" if rule else part), _cell(said, clauses, False))
    out.print(table)


def try_cases(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="方案标识或文件 / plan")],
    cases: Annotated[
        Path | None, typer.Option("--cases", metavar="FILE", help="算例文件，默认 <id>.cases.yaml / worked cases")
    ] = None,
    spoken: Lang = None,
) -> None:
    """试算方案旁的算例：事实在前，应得的结论在后。 / Try the worked cases beside a plan."""
    plan, path = _loaded(str(file)), find_policy(file)
    beside = cases or path.with_name(f"{path.stem}.cases.yaml")
    if not beside.is_file():
        refuse("plan.no_cases", name=beside.name)
    told = [(case.get("id", ""), key, found) for case in read_cases(beside) for key, found in tried(case, plan)]
    wrong = [(id, key, one) for id, key, found in told for one in found]
    for id, key, one in wrong[:MOST_SHOWN]:
        typer.echo(say("plan.differs", case=id, reading=f"（{key}）" if key else "", told=one))
    if wrong:
        typer.echo(say("plan.problems", n=len(wrong)))
        raise typer.Exit(FAULTS)
    readings = sum(1 for _, key, _ in told if key)
    typer.echo(say("plan.tried", id=plan.id, n=len(told) - readings, readings=readings))


def new(
    id: Annotated[str, typer.Argument(metavar="ID", help="新方案的标识，如 linhai-2025 / its id")],
    source: Annotated[str | None, typer.Option("--from", metavar="ID", help="照哪个方案改 / to be made of")] = None,
    spoken: Lang = None,
) -> None:
    """在当前目录新建一个带注释、可以装载的方案文件。 / A commented plan that loads, in this folder."""
    text, path = starter(id, source), Path(f"{id}.yaml")
    try:
        write_new(path, text)
    except FileExistsError:
        refuse("plan.there", name=path.name)
    typer.echo(say("plan.made", path=path))


def diff(
    plans: Annotated[list[str], typer.Argument(metavar="ID ID …", help="方案标识或文件，两个以上 / two plans or more")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="逐条对照写到文件：html、pdf、docx、xlsx / side by side, to a file"),
    ] = None,
    spoken: Lang = None,
) -> None:
    """并排对照几个方案：门槛及其变化、计量单位、适用范围、年限、惩戒、实物目标；写到文件的另有逐条和时间线。 / Plans side by side."""
    if len(plans) < 2:
        refuse("plan.two")
    loaded = [_loaded(name) for name in plans]
    if out is not None:
        _write_diff(plans, loaded, out)
        return
    table, n = grid(), len(loaded)
    table.add_column("", style="bold", max_width=10 if lang() == "zh" else 20, overflow="fold")
    for plan in loaded:
        table.add_column(text(plan.id), ratio=1, overflow="fold")
    for row in compare_policies(*loaded, lang=lang()).itertuples(index=False):
        same = len(set(row[1 : n + 1])) == 1
        table.add_row(text(row[0]), *(_cell(row[k], row[n + k], same) for k in range(1, n + 1)))
        table.add_section()
    console().print(table)


def _write_diff(names: list[str], loaded: list[Policy], out: Path) -> None:
    """Write the documents side by side into a file, in the format of its ending."""
    from lyeval.policy.documents import register_of
    from lyeval.report.compared import document_of_policies
    from lyeval.report.writing import FORMATS, write_document
    from lyeval.run import placed

    if out.suffix.removeprefix(".").lower() not in FORMATS:
        refuse("plan.ending", path=out, formats=("、".join(FORMATS), ", ".join(FORMATS)))
    registers = [register_of(name) for name in names]
    document = document_of_policies(loaded, registers, lang="en" if lang() == "en" else "zh")
    with placed(out) as place:
        write_document(document, place, max(plan.document.issued for plan in loaded))
    typer.echo(say("plan.written", path=out))


def _cell(content: str, clauses: str, same: bool) -> Text:
    cell = text(content, "dim" if same else "")
    if clauses:
        cell.append(f"  [{spoken(clauses, articles(clauses))}]", style="dim")
    return cell


def _title(plan: Policy) -> str:
    return spoken(plan.title, plan.title_en)


def _place(plan: Policy) -> str:
    return spoken(plan.place.name, plan.place.name_en)
