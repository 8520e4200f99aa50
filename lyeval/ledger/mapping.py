"""The office's own word on its headings (表头对照): ``parameters/runs/<id>.columns.yaml``, and a draft of it.

The file is a mapping from a heading as written to the column it is: ``annual.tax_wan``, a bare ``tax_wan``, its Chinese
label, or nothing at all for a column that is not used; ``"?"`` marks one that is still to be settled. A run's file stands
beside its run file, a ledger's own beside the ledger: ``<name>.columns.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lyeval.ledger.columns import COLUMNS, Column
from lyeval.ledger.faults import Fault, LedgerError
from lyeval.ledger.headings import key, nearest, take_apart
from lyeval.textfiles import Unreadable, read_yaml, shown

Own = Mapping[str, Column | None]


def beside(path: Path) -> Path:
    """Return where the mapping file of a ledger stands: ``<name>.columns.yaml`` beside it."""
    path = path.resolve()
    if not path.name:
        return path / ENDING
    return path.with_name(f"{path.stem if path.suffix and not path.is_dir() else path.name}{ENDING}")


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
        word = None if target is None else str(target)
        column = _column(word) if word else None
        if word and column is None:
            rule = "mapping_open" if word == OPEN else "mapping_column"
            near = "、".join(nearest(take_apart(str(heading) if word == OPEN else word)))
            faults.append(Fault(rule, "error", name, "", None, str(heading), word, {"nearest": near}))
        own[key(str(heading))] = column
    if faults:
        raise LedgerError(faults)
    return own


def draft_columns(faults: Iterable[Fault]) -> str:
    """Return the draft of a mapping file that settles the headings that reading told of; empty when it told of none.

    A heading that stops the reading is marked ``"?"`` until it is filled in; one that is not read is left blank, which sets
    it aside; one that is read with a warning is a comment.
    """
    faults = list(faults)
    settled = [fault for fault in faults if fault.rule in SETTLED]
    said = [fault for fault in faults if fault.rule == "remark_says"]
    if not settled and not said:
        return ""
    lines = [
        "# 表头对照：左为台账中的表头，右为标准列名（留空即不使用，问号须改） / heading as written: canonical column"
    ]
    for fault in {fault.heading: fault for fault in settled}.values():
        place = f"{fault.sheet or fault.file}：" if fault.sheet or fault.file else ""
        lines += ["", f"# {place}{fault.message('zh')}"]
        lines += [f"#   {line}" for line in _candidates(fault)]
        mark = {"error": f' "{OPEN}"'}.get(fault.severity, "")
        lines.append(f"{'# ' if fault.rule == 'heading_near' else ''}{_quoted(fault.heading)}:{mark}")
    if said:
        lines += [
            "",
            "# 备注所示、台账没有填的，核实后填入该列（不核实不采用） / said in remarks alone, to be confirmed",
        ]
        lines += [f"#   {f.place('zh')} → {f.params['column']}（{f.params['word']}）" for f in said]
        lines += [] if settled else ["{}"]
    return "\n".join(lines) + "\n"


def _candidates(fault: Fault) -> list[str]:
    """Return the columns that a heading may be, as they are written in a mapping file."""
    labels = str(fault.params.get("columns") or fault.params.get("column") or fault.params.get("nearest") or "")
    found = [_column(label.strip("“”")) for label in labels.split("、")]
    return [f"{column.sheet}.{column.name} {column.zh}" for column in found if column is not None]


def _quoted(heading: str) -> str:
    """Return a heading as a YAML key."""
    return '"' + heading.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _read(path: Path) -> object:
    """Load a YAML file."""
    try:
        return read_yaml(path)[0]
    except Unreadable as error:
        raise LedgerError([unreadable(path, error)]) from None


def unreadable(path: Path, error: Unreadable) -> Fault:
    """Return the fault of a text beside a ledger that is not read, with its line and why."""
    if not path.exists():
        return Fault("file_missing", "error", path.name, params={"known": "", "known_en": ""})
    at = f"{shown(error.where)}: " if error.where else ""
    why = {"why": f"{at}{error.zh}", "why_en": f"{at}{error.en}"}
    return Fault("text_unreadable", "error", path.name, row=error.line or None, params=why)


def _column(name: str) -> Column | None:
    """Return the column of ``sheet.name``, ``name`` or a Chinese label; the first sheet in order that has it."""
    sheet, _, rest = name.rpartition(".")
    fitting = (
        c for c in COLUMNS if (c.name == rest or c.zh == rest) and sheet in ("", c.sheet) and c.kind != "carried"
    )
    return next(fitting, None)


SETTLED = (
    "heading_unknown",
    "heading_qualified",
    "heading_ambiguous",
    "heading_twice",
    "heading_refused",
    "heading_near",
)
ENDING = ".columns.yaml"
OPEN = "?"
