"""The page over all counties: each finished run's verdicts in one row, with its report (汇总页)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lyeval.run.folders import held
from lyeval.run.placing import PATIENCE, placed, seal
from lyeval.run.record import fingerprint, read_record

PAGE = "index.html"
OPEN, CLOSE = "\ue000", "\ue001"


def write_index(root: Path, folders: Iterable[Path] | None = None, *, lang: str = "zh") -> Path | None:
    """Write ``index.html`` in ``root`` over finished runs, whole or not at all; one process at a time.

    Parameters
    ----------
    folders
        The runs' folders, in the order of the page; None: all that stand complete in ``root``.

    Returns
    -------
    Path
        The page; None where there is nothing to list.

    Raises
    ------
    RunError
        A page of that name is not as lyeval wrote it.
    """
    from lyeval.render import Document, Table, to_html

    path = root / PAGE
    if not root.is_dir():
        return None
    with held(path, patience=PATIENCE):
        listed = complete(root) if folders is None else list(folders)
        if not listed:
            return None
        rows, notes = zip(*(_told(folder, _stamp(folder), lang) for folder in listed), strict=True)
        words = WORDS[lang]
        table = Table("runs", words["caption"], _columns(lang), rows, note=words["note"], sortable=True)
        made = Document(words["title"], "", (), (table,), lang, next((note for note in notes if note), ""), "")  # type: ignore[arg-type]
        html = _linked(to_html(made), {folder.name for folder in listed})
    with placed(path) as fresh:
        fresh.write_text(seal(html), encoding="utf-8", newline="\n")
    return path


def complete(root: Path) -> list[Path]:
    """Return the folders in ``root`` that a run of lyeval left complete, by name: record sound, every output there."""
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        told = read_record(folder)
        if told is None or folder.is_symlink() or told.get("run") != folder.name:
            continue
        outputs = told.get("outputs")
        if not isinstance(outputs, dict) or told.get("fingerprint") != fingerprint(told):
            continue
        if all((folder / name).is_file() for name in outputs):
            found.append(folder)
    return found


def _stamp(folder: Path) -> str:
    """Return what changes with a run's content."""
    return str((read_record(folder) or {}).get("fingerprint"))


@lru_cache(maxsize=5000)
def _told(folder: Path, stamp: str, lang: str) -> tuple[tuple[Any, ...], str]:
    """Return a run's row, and whether its ledger is a made one; of a kind without verdicts what its record says."""
    from lyeval.report import load

    try:
        tables = load(folder / "tables")
        return _row(folder, tables, lang), tables["meta"].get("synthetic")
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        said = (read_record(folder) or {}).get("parameters") or {}
        title, policy, year = (str(said.get(key) or "") for key in ("title", "policy", "year"))
        return (f"{OPEN}{folder.name}{CLOSE}", title, year, policy, *[None] * (len(COLUMNS) - 5), ""), ""


def _row(folder: Path, tables: Any, lang: str) -> tuple[Any, ...]:
    from lyeval.render import Cell

    if "side_rules" in tables:
        return _compared(folder, tables, lang)
    meta, targets = tables["meta"], tables["targets"]
    zh = lang == "zh"
    status = targets["status"].value_counts() if len(targets) else {}
    counties = "、".join(meta["counties"]) if 0 < len(meta["counties"]) < 4 else meta["place" if zh else "place_en"]
    firms = tables.get("enterprises")
    public = "certified" in tables
    return (
        f"{OPEN}{folder.name}{CLOSE}", counties, str(meta["year"]), meta["document"], None if public else len(firms),
        len(tables["certified"]) if public else int(firms["identified"].eq(True).sum()),
        *(Cell(int(status.get(key, 0)), tone=tone if status.get(key, 0) else "plain") for key, tone in TONES),
        "；".join(_target(row, zh) for row in targets.to_dict("records")),
    )  # fmt: skip


def _compared(folder: Path, tables: Any, lang: str) -> tuple[Any, ...]:
    """Return the row of a comparison: either side's enterprises, list and verdicts together, under its own rules."""
    from lyeval.render import Cell

    meta, about, rules = tables["meta"], tables["side_about"], tables["side_rules"]
    own = rules[rules["side"] == rules["rules"]]
    years = "、".join(str(year) for year in about["year"])
    counts = ((key, tone, int(own[key].sum())) for key, tone in TONES)
    return (
        f"{OPEN}{folder.name}{CLOSE}", meta["place" if lang == "zh" else "place_en"], years, meta["document"],
        int(about["enterprises"].sum()), int(about["listed"].sum()),
        *(Cell(n, tone=tone if n else "plain") for _, tone, n in counts), WORDS[lang]["compared"],
    )  # fmt: skip


def _target(row: Any, zh: bool) -> str:
    label = row["label" if zh else "label_en"]
    word = {"met": ("达标", "met"), "missed": ("未达标", "missed"), "undetermined": ("暂不能判定", "undetermined")}
    return f"{label}：{word[row['status']][0]}" if zh else f"{label}: {word[row['status']][1]}"


def _columns(lang: str) -> Any:
    from lyeval.render import Column

    place = lang == "en"
    return tuple(Column(key, (zh, en)[place], "", kind) for key, zh, en, kind in COLUMNS)  # type: ignore[arg-type]


def _linked(html: str, names: set[str]) -> str:
    """Turn the marked names into links to their reports."""

    def link(found: re.Match[str]) -> str:
        name = next((n for n in names if escape(n) == found.group(1)), None)
        if name is None:  # the marks stand in a county's or a plan's own text
            return found.group(1)
        return f'<a href="{quote(name)}/report.html">{found.group(1)}</a>'

    return re.sub(f"{OPEN}(.*?){CLOSE}", link, html)


TONES: tuple[tuple[str, Any], ...] = (("met", "good"), ("missed", "bad"), ("undetermined", "open"))
COLUMNS = (
    ("run", "报告", "report", "text"), ("place", "地方", "place", "text"), ("year", "年度", "year", "text"),
    ("document", "依据文件", "plan", "text"), ("firms", "台账企业", "enterprises", "count"),
    ("identified", "符合认定条件", "identified", "count"), ("met", "达标目标", "met", "count"),
    ("missed", "未达标目标", "missed", "count"), ("open", "暂不能判定", "undetermined", "count"),
    ("targets", "各目标", "targets", "text"),
)  # fmt: skip
WORDS = {
    "zh": {
        "title": "各县区年度评估汇总",
        "caption": "各次评估",
        "note": "点报告名打开该县区的年终评估报告。",
        "compared": "两地比较",
    },
    "en": {
        "title": "Year-end evaluations",
        "caption": "Runs",
        "note": "The name opens the county's report.",
        "compared": "two places compared",
    },
}
