"""``lyeval panel``: enterprises and years in one table, for statistical software."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lyeval.cli.ledgers import Ledgers, PolicyName, all_there
from lyeval.cli.terminal import Lang, busy, refuse, say


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
        with busy("reading"):
            frame = laid_out(open_ledger(ledger, plan), plan)
        made = deidentified(frame, secret) if hide else frame
    except CannotHide as error:
        refuse("as_told", told=(error.zh, error.en))
    if key and is_shared(key):
        typer.echo(say("panel.key_shared", key=key), err=True)
    with placed(out) as place:
        written = write_panel(made, place)
    rows = len(frame if isinstance(made, type(frame)) else made.frame)
    typer.echo(say("panel.written", rows=rows, out=out))
    if not isinstance(made, type(frame)):
        typer.echo(say("panel.hidden", k=made.k, firms=made.firms, others=made.k - 1, left_out=made.left_out))
    for path in written:
        typer.echo(f"  {path.name}")


def _agree(hide: bool, key: Path | None, salt: str | None) -> None:
    """Refuse options that do not go together."""
    if salt is not None:
        refuse("panel.salt")
    if hide and key is None:
        refuse("panel.no_key")
    if key is not None and not hide:
        refuse("panel.idle_key")
