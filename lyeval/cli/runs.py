"""``lyeval run``, ``batch``, ``explore`` and ``init``: reports from run files, and where to begin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lyeval.cli.telling import FAULTS, MISUSE, STOPPED, Lang, console, lang, refuse, say

if TYPE_CHECKING:
    from lyeval.run.batching import Result

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="报告存放的文件夹 / folder of the reports")]
Timeout = Annotated[
    int | None,
    typer.Option("--timeout", min=1, metavar="S", help="笔记本一个单元至多运行几秒 / seconds that a cell may take"),
]


def run(
    file: Annotated[str, typer.Argument(metavar="RUN.yaml", help="运行文件，或其标识 / run file or its id")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="key=value", help="改运行文件里的值 / change a value")
    ] = None,
    out: Out = Path("reports"),
    timeout: Timeout = None,
    spoken: Lang = None,
) -> None:
    """执行一个运行文件：笔记本、报告、附表、运行记录。 / One county's year: notebooks, report, record.

    退出码 / exit codes: 0 完成 done; 1 未完成 failed; 2 用法或运行文件不对 misuse; 130 Ctrl-C, 143 TERM, 129 HUP 中止 stopped。
    """
    from lyeval.run import kept_aside, load_run, produce, replaced

    loaded = load_run(file, set_ or [], lang=spoken)
    earlier, before = replaced(loaded, out), kept_aside(out / loaded.id)
    screen = console(stderr=True)
    with screen.status(say("检查运行文件和台账 …", "checking …")) as status:

        def told(number: int, total: int, name: str) -> None:
            status.update(f"{loaded.id}  {number}/{total}  {name}")

        made = produce(loaded, out, told=told, limit=timeout)
    _written(made)
    for path in kept_aside(made):
        if path.name not in {one.name for one in before}:
            typer.echo(
                say(
                    f"原有报告中被人改过的文件留在 {_near(path)}",
                    f"files of the earlier report that were changed are kept in {_near(path)}",
                )
            )
    _unfilled(made)
    if earlier:
        typer.echo(say(f"原有报告是按其他参数做的，已被替换：{earlier}；要两份都留，请用 --out 另指定文件夹",
                       f"it replaced a report made with other parameters: {earlier}; to keep both, name another folder with --out"))  # fmt: skip


def _written(folder: Path) -> None:
    """Print what a run wrote."""
    import json

    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    typer.echo(say(f"报告已写入 {_near(folder)}", f"the report is in {_near(folder)}"))
    for name in record["outputs"]:
        if "/" not in name:
            typer.echo(f"  {name}")
    typer.echo(f"  record.json  {say('指纹', 'fingerprint')} {record['fingerprint'][:16]}")
    if record["parameters"].get("disclosure") == "public":
        kept = _near(folder.with_name(f"{folder.name}.private.json"))
        typer.echo(say(f"内部留存 {kept}：含企业数据，供核验和与以后的公示版对比，请勿公开",
                       f"for the office alone: {kept} holds enterprises' figures, to verify this edition and check later ones"))  # fmt: skip


def _unfilled(folder: Path) -> None:
    """Tell which places for the office's own words nobody has filled."""
    import csv

    path = folder / "tables" / "slots.csv"
    if not path.is_file():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    if names:
        typer.echo(
            say(
                f"未填的文字：{'、'.join(names)}；写在运行文件的 texts 里",
                f"not filled in: {', '.join(names)}; write them under texts in the run file",
            )
        )


def _near(path: Path) -> Path:
    """Return a path from the working folder where it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def batch(
    files: Annotated[list[str], typer.Argument(metavar="RUN.yaml …", help="运行文件，可多个 / run files")],
    out: Out = Path("reports"),
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, metavar="N", help="同时运行的进程数 / processes")
    ] = 2,
    timeout: Timeout = None,
    spoken: Lang = None,
) -> None:
    """执行多个运行文件；未变的跳过，中断后接着做。 / Many run files; goes on where it stopped.

    退出码 / exit codes: 0 全部完成 all done; 1 有未完成的 some failed; 2 没有一个运行文件可读 none could be read;
    130 Ctrl-C, 143 TERM, 129 HUP 中止 stopped。
    """
    from lyeval.cli.showing import progress
    from lyeval.run import produce_all

    named = [file for file in files if not file.endswith(".columns.yaml")]
    ended: list[Result] = []
    try:
        with progress(len(named)) as advance:

            def told(result: Result) -> None:
                ended.append(result)
                advance(result)

            results = produce_all(named, out, workers=workers, told=told, limit=timeout, lang=spoken)
    except KeyboardInterrupt:
        done = sum(result.error is None for result in ended)
        refuse(f"已中止，完成 {done}/{len(named)}；再执行同一条命令接着做",
               f"stopped, {done} of {len(named)} done; the same command goes on", code=STOPPED)  # fmt: skip
        return
    _ended(results, out)


def _ended(results: Sequence[Result], out: Path) -> None:
    """Print how a batch ended."""
    failed = [r for r in results if r.error]
    begun = any(r.begun for r in results)
    if begun or not results:
        done, index = len(results) - len(failed), _near(out.resolve() / "index.html")
        typer.echo(say(f"完成 {done}/{len(results)}", f"{done} of {len(results)} done")
                   + (say(f"，汇总页 {index}", f"; all counties: {index}") if index.is_file() else ""))  # fmt: skip
    if failed:
        typer.echo(say("未完成：", "failed:"), err=True)
        for result in failed:
            typer.echo(f"  {result.id}  {result.error_text(lang())}", err=True)
        raise typer.Exit(FAULTS if begun else MISUSE)


def explore(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="运行文件、其标识或报告文件夹 / run")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="笔记本副本所在文件夹 / folder of the copy")] = Path(
        "explore"
    ),
    no_browser: Annotated[bool, typer.Option("--no-browser", help="不打开浏览器 / do not open a browser")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只备好副本并打印命令 / only prepare and print")] = False,
    spoken: Lang = None,
) -> None:
    """用 JupyterLab 打开试算笔记本的副本，带上该次运行的参数。 / JupyterLab on a copy of the explore notebook."""
    import shlex

    from lyeval.run import lab_command, open_lab, prepare

    notebook = prepare(run, out)
    typer.echo(say(f"试算笔记本 {_near(notebook)}", f"notebook {_near(notebook)}"))
    if dry_run:
        typer.echo(shlex.join(lab_command(notebook, browser=not no_browser)))
        return
    raise typer.Exit(open_lab(notebook, browser=not no_browser))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="新工作区 / new workspace")],
    spoken: Lang = None,
) -> None:
    """建一个工作区：台账文件夹、运行文件样例、说明。 / Lay out a new workspace."""
    from lyeval.run import lay_out

    for path in lay_out(folder):
        typer.echo(f"  {path}")
    if not folder.is_dir():
        refuse(f"无法建立 {folder}", f"cannot make {folder}")
    typer.echo(say(f"接下来：cd {folder} && lyeval run example", f"next: cd {folder} && lyeval run example"))
