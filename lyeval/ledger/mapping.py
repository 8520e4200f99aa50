"""The office's own word on its headings (表头对照): ``parameters/runs/<id>.columns.yaml``, and a draft of it.

The file is a mapping from a heading as written to the column it is: ``annual.tax_wan``, a bare ``tax_wan``, its Chinese
label, or nothing at all for a column that is not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lyeval.ledger.columns import COLUMNS, Column
from lyeval.ledger.faults import Fault, LedgerError
from lyeval.ledger.headings import key, nearest, take_apart

Own = Mapping[str, Column | None]


def load_columns(source: str | Path | Mapping[str, str | None] | None) -> Own:
    """Return heading (normalised) → column, None where the heading is not used.

    Parameters
    ----------
    source : path or Mapping
        A YAML file, or its content.

    Raises
    ------
    LedgerError
        If the file cannot be read, or names a column that does not exist.
    """
    if source is None:
        return {}
    name = "columns"
    content: object = source
    if isinstance(source, str | Path):
        name, content = Path(source).name, _read(Path(source))
    if not isinstance(content, Mapping):
        raise LedgerError([Fault("mapping_form", "error", name)])
    faults, own = [], {}
    for heading, target in content.items():
        column = _column(str(target)) if target is not None else None
        if target is not None and column is None:
            near = "、".join(nearest(take_apart(str(target))))
            faults.append(
                Fault("mapping_column", "error", name, "", None, str(heading), str(target), {"nearest": near})
            )
        own[key(str(heading))] = column
    if faults:
        raise LedgerError(faults)
    return own


def draft_columns(faults: Iterable[Fault]) -> str:
    """Return the draft of a mapping file that settles the headings that reading told of.

    Each heading is given its nearest columns in a comment; an unknown one is set aside until it is filled in.
    """
    lines = ["# 表头对照：左为台账中的表头，右为标准列名（留空即不使用） / heading as written: canonical column"]
    for fault in {fault.heading: fault for fault in faults if fault.rule in SETTLED}.values():
        lines += [f"# {fault.sheet or fault.file}：{fault.message('zh')}", f"{_quoted(fault.heading)}:"]
    return "\n".join(lines) + "\n"


def _quoted(heading: str) -> str:
    """Return a heading as a YAML key."""
    return '"' + heading.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(path: Path) -> object:
    """Load a YAML file."""
    from ruamel.yaml import YAML, YAMLError

    try:
        return YAML(typ="safe").load(path)
    except FileNotFoundError as error:
        raise LedgerError([Fault("file_missing", "error", path.name, params={"known": ""})]) from error
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        cause = " ".join(str(error).split())[:120]
        raise LedgerError([Fault("file_unreadable", "error", path.name, params={"cause": cause})]) from error


def _column(name: str) -> Column | None:
    """Return the column of ``sheet.name``, ``name`` or a Chinese label; the first sheet in order that has it."""
    sheet, _, rest = name.rpartition(".")
    fitting = (
        c for c in COLUMNS if (c.name == rest or c.zh == rest) and sheet in ("", c.sheet) and c.kind != "carried"
    )
    return next(fitting, None)


SETTLED = ("heading_unknown", "heading_ambiguous", "heading_twice", "heading_refused", "heading_near")
