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
    hide: Annotated[
        bool,
        typer.Option("--deidentify", help="去标识：编号、三位数字、情况合并到每户至少与另外四户相同 / names nobody"),
    ] = False,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="去标识的密钥文件，至少128位，自行保管 / kept by you")
    ] = None,
    salt: Annotated[str | None, typer.Option("--salt", hidden=True)] = None,
    spoken: Lang = None,
) -> None:
    """企业年度面板：CSV、Parquet、Stata 和列说明。 / One row per enterprise and year, with a codebook."""
    from lyeval.panels import CannotHide, deidentified, is_shared, read_key, write_panel
    from lyeval.panels import panel as laid_out
    from lyeval.run import apart, free, named, open_ledger, open_policy, placed

    all_there(ledger)
    _agree(hide, key, salt)
    named(out)
    free(out)
    apart(out, map(Path, ledger))
    plan = open_policy(policy)
    try:
        secret = read_key(key, out) if key else b""
        with busy("读取台账 …", "reading …"):
            frame = laid_out(open_ledger(ledger if len(ledger) > 1 else ledger[0], plan), plan)
        made = deidentified(frame, secret) if hide else frame
    except CannotHide as error:
        refuse(error.text("zh"), error.text("en"))
        return
    if key and is_shared(key):
        told = say(
            "这台电脑上人人可读，请改为只有自己可读", "everyone on this computer can read it: make it yours alone"
        )
        typer.echo(say(f"提醒：密钥 {key} {told}", f"note: key {key}: {told}"), err=True)
    with placed(out) as place:
        written = write_panel(made, place)
    rows = len(frame if isinstance(made, type(frame)) else made.frame)
    typer.echo(say(f"面板 {rows} 行，已写入 {out}", f"{rows} rows written to {out}"))
    if not isinstance(made, type(frame)):
        typer.echo(
            say(
                f"k = {made.k}：{made.firms} 户，每户至少与另外 {made.k - 1} 户各年记录相同；{made.left_out} 户未列入",
                f"k = {made.k}: {made.firms} firms, each like at least {made.k - 1} others in all years; {made.left_out} left out",
            )
        )
    for path in written:
        typer.echo(f"  {path.name}")


def _agree(hide: bool, key: Path | None, salt: str | None) -> None:
    """Refuse options that do not go together."""
    if salt is not None:
        refuse(
            "--salt 已停用：请改用 --key 文件（至少128位的密钥）",
            "--salt is no longer used: give --key FILE (at least 128 bits)",
        )
    if hide and key is None:
        refuse("--deidentify 须给出 --key 文件", "--deidentify needs --key FILE")
    if key is not None and not hide:
        refuse(
            "--key 只用于去标识：请加上 --deidentify，否则写出的面板含名称和代码",
            "--key is for --deidentify: add it, else the panel would be written with names and codes",
        )
