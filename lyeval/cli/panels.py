"""``lyeval panel``: enterprises and years in one table, for statistical software."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lyeval.cli.ledgers import Ledgers, PolicyName, all_there
from lyeval.cli.telling import Lang, busy, refuse, say


def panel(
    ledger: Ledgers,
    policy: PolicyName,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="存放的文件夹 / folder")],
    hide: Annotated[bool, typer.Option("--deidentify", help="去标识：代码加盐、三位数字、不含名称 / no names")] = False,
    salt: Annotated[str, typer.Option("--salt", help="去标识所用的盐，至少8个字符，自行保管 / kept by you")] = "",
    spoken: Lang = None,
) -> None:
    """企业年度面板：CSV、Parquet、Stata 和列说明。 / One row per enterprise and year, with a codebook."""
    from lyeval.comparison import deidentified, write_panel
    from lyeval.comparison import panel as laid_out
    from lyeval.policy import in_language
    from lyeval.run import apart, free, named, open_ledger, open_policy, placed

    all_there(ledger)
    if hide and not salt:
        refuse("--deidentify 须给出 --salt", "--deidentify needs --salt")
    if salt and not hide:
        refuse(
            "--salt 只用于去标识：请加上 --deidentify，否则写出的面板含名称和代码",
            "--salt is for --deidentify: add it, else the panel would be written with names and codes",
        )
    named(out)
    free(out)
    apart(out, map(Path, ledger))
    plan = open_policy(policy)
    with busy("读取台账 …", "reading …"):
        frame = laid_out(open_ledger(ledger if len(ledger) > 1 else ledger[0], plan), plan)
    try:
        shown = deidentified(frame, salt) if hide else frame
    except ValueError as error:
        refuse(in_language(str(error), "zh"), in_language(str(error), "en"))
        return
    with placed(out) as place:
        written = write_panel(shown, place)
    rows = len(frame)
    typer.echo(say(f"面板 {rows} 行，已写入 {out}", f"{rows} rows written to {out}"))
    for path in written:
        typer.echo(f"  {path.name}")
