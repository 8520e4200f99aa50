"""``lyeval template``: a shipped template, to read or to begin one's own from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lyeval.cli.telling import Lang, refuse, say


def template(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="模板，如 zh/year_end；不给则列出 / which; none lists them")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="写到文件 / write it to a file")] = None,
    spoken: Lang = None,
) -> None:
    """打印或写出一个随附的模板，供单位改成自己的（运行文件的 template）。 / A shipped template, to make one's own of it."""
    from lyeval.report.filling import names, shipped
    from lyeval.report.template import TemplateError
    from lyeval.run import write_new

    if name is None:
        typer.echo("\n".join(names()))
        return
    try:
        text = shipped(name.removesuffix(".md"))
    except TemplateError as error:
        refuse(error.zh, error.en)
        return
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_new(out, text)
    except FileExistsError:
        refuse(f"--out {out}：已存在，请另写一个", f"--out {out}: there already; name another")
    typer.echo(say(f"模板已写入 {out}", f"the template is in {out}"))
