"""Documents side by side (文件对照): every clause of any number of plans under its theme, what is left out and why, one timeline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.indicators import STATISTICS
from lyeval.policy import Policy, find_policy
from lyeval.policy.difference import say_aspect
from lyeval.policy.register import Clause, Event, Register, covers, load_register
from lyeval.resources import read_rows
from lyeval.told import unit_text

ROWS = read_rows(__file__, "documents.csv")


def _rows(name: str) -> dict[str, dict[str, str]]:
    """Return the rows of one list of ``documents.csv`` beside this module, by key, in its order."""
    return {row["key"]: row for row in ROWS if row["list"] == name}


THEMES = {key: (row["zh"], row["en"]) for key, row in _rows("theme").items()}
ASPECTS_OF = {key: [part for part in row["of"].split("; ") if part] for key, row in _rows("theme").items()}
SPOKEN = {
    key for key, row in _rows("theme").items() if row["whole"]
}  # the plan's own words say all that their clauses do
OF_ELEMENT, OF_RECORD = ({key: row["of"] for key, row in _rows(name).items()} for name in ("element", "record"))
LEFT_OUT = {key: (row["zh"], row["en"]) for key, row in _rows("left_out").items()}
UNNUMBERED = {key: row["en"] for key, row in _rows("unnumbered").items()}
ANNEX = "附件"  # what its annexes say of units and papers is named by clause, and told clause by clause in `clauses`
REGULAR = ("two_weeks", "month", "unstated")


def register_of(name: str | Path) -> Register | None:
    """Return the clause register beside a plan's file, given by id or path; None where there is none."""
    path = find_policy(name)
    register = path.with_name(f"{path.stem}.clauses.yaml")
    return load_register(register) if register.is_file() else None


def plan_cites(plan: Policy) -> dict[str, list[str]]:
    """Return the clauses cited by each rule element of a plan, by path."""
    return dict(_collected(plan.model_dump(), ""))


def _collected(node: Any, where: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(node, dict):
        if node.get("cite"):
            yield where, list(node["cite"])
        for key, value in node.items():
            if key != "cite":
                yield from _collected(value, f"{where}.{key}" if where else str(key))
    elif isinstance(node, list | tuple):
        for i, value in enumerate(node):
            yield from _collected(value, f"{where}[{i}]")


def clauses(plan: Policy, register: Register | None) -> pd.DataFrame:
    """Put every clause of a document under one theme, or say why it is left out.

    Returns
    -------
    DataFrame
        policy, clause, article, disposition, theme ("" where left out), text, text_en, left_out, left_out_en ("" where it stands in a row),
        in the document's order; no row without a register.
    """
    columns = ["policy", "clause", "article", "disposition", "theme", "text", "text_en", "left_out", "left_out_en"]
    if register is None:
        return pd.DataFrame(columns=columns)
    rules, record = plan_cites(plan), register.cites()
    rows = []
    for clause in register.clauses:
        theme, why = _theme(clause, rules, record, register)
        told = ("", "") if theme else LEFT_OUT["context" if clause.disposition == "context" else why]
        head = (plan.id, clause.id, article(clause.id), clause.disposition)
        rows.append((*head, theme, clause.zh, clause.en, *told))
    return pd.DataFrame(rows, columns=columns)


def _theme(
    clause: Clause, rules: dict[str, list[str]], record: dict[str, list[str]], register: Register
) -> tuple[str, str]:
    """Return a clause's theme, and why it has none: what is executed stands with its rule, the rest with its record."""
    if clause.disposition == "context" or clause.theme:
        return clause.theme or "", "context"
    main = [where for where, cites in record.items() if cites[0] == clause.id]
    beside = [where for where, cites in record.items() if any(covers(cite, clause.id) for cite in cites)]
    ruled = _of_rules([where for where, cites in rules.items() if clause.id in cites]) or _of_rules(
        [where for where, cites in rules.items() if any(covers(cite, clause.id) for cite in cites)]
    )
    kept = _of_record(main, register) or _of_record(beside, register)
    found = (ruled or kept) if clause.disposition == "executable" else (kept or ruled)
    return found, next(
        (name for name in ("external", "misprints") if any(w.startswith(name) for w in beside)), "unused"
    )


def _of_rules(said: list[str]) -> str:
    """Return the theme of the first rule element that cites a clause, "" of none."""
    return next((theme for element, theme in OF_ELEMENT.items() if any(_is_of(where, element) for where in said)), "")


def _is_of(where: str, element: str) -> bool:
    return where == element or where.startswith((f"{element}.", f"{element}["))


def _of_record(kept: list[str], register: Register) -> str:
    """Return the theme of the record that cites a clause: rhythms are supervision, what is paid is money."""
    for entry, theme in OF_RECORD.items():
        for where in (w for w in kept if _is_of(w, entry)):
            if entry == "supports":
                unstated = register.supports[int(where[9:-1])].amount == "unstated"
                return "money" if unstated else "sanctions"
            if entry == "calendar":
                event = register.calendar[int(where[9:-1])]
                if event.every == "event":
                    continue
                return "supervision" if event.every in REGULAR else theme
            return _way(where, theme)
    return ""


def _way(where: str, theme: str) -> str:
    """Return ``procedure`` for a method's papers, steps and leading unit."""
    return "procedure" if re.search(r"\.(papers|steps|lead)\[", where) else theme


def side_by_side(plans: Sequence[Policy], registers: Sequence[Register | None]) -> pd.DataFrame:
    """Set any number of documents side by side, theme by theme.

    Returns
    -------
    DataFrame
        theme, label, label_en, policy, text, text_en, clauses, articles: one row a theme and plan; the text is what the plan's fields say,
        and for themes that fields do not hold, each clause in a few words. Every clause of the theme is named.
    """
    rows = []
    themed = [clauses(plan, register) for plan, register in zip(plans, registers, strict=True)]
    for theme, (zh, en) in THEMES.items():
        for plan, found in zip(plans, themed, strict=True):
            mine = found[found["theme"] == theme]
            head = {"theme": theme, "label": zh, "label_en": en, "policy": plan.id}
            rows.append({**head, **_told(plan, theme, mine)})
    return pd.DataFrame(rows)


def _told(plan: Policy, theme: str, mine: pd.DataFrame) -> dict[str, str]:
    out: dict[str, str] = {}
    cited: list[str] = []
    for lang, column, name, sign in (("zh", "text", "clause", "："), ("en", "text_en", "article", ": ")):
        spoken = [say_aspect(plan, aspect, lang) for aspect in ASPECTS_OF[theme]]
        cited = [c for _, _, cites in spoken for c in cites]
        lines = [f"{head}{sign}{text}" for head, text, _ in spoken if text]
        if theme not in SPOKEN:
            lines += [f"{r[column]} [{r[name]}]" for r in mine.to_dict("records") if not r["clause"].startswith(ANNEX)]
            annexed = [str(r[name]) for r in mine.to_dict("records") if r["clause"].startswith(ANNEX)]
            if annexed:
                head = "附件另有" if lang == "zh" else "also in the annexes"
                lines.append(f"{head} [{_once(annexed, '；' if lang == 'zh' else '; ')}]")
        out[column] = "\n".join(lines) or "—"
    own = [str(clause) for clause in mine["clause"]]
    named = list(dict.fromkeys(own or cited))
    return {**out, "clauses": "；".join(named), "articles": _once([article(clause) for clause in named], "; ")}


def _once(names: Sequence[str], sign: str) -> str:
    """Join clauses, articles and each annex named once: Art. 1(1); 1(2); Annex 3, 1.1; 1.2."""
    out, last = [], ""
    for name in names:
        found = re.match(r"(附件\d+|Annex \d+|Art\. )(?:, )?(?=.)", name)
        annex = found[0] if found else ""
        out.append(name.removeprefix(annex).lstrip(".") if annex == last else name)
        last = annex
    return sign.join(out)


NUMERALS = {sign: at for at, sign in enumerate("一二三四五六七八九十", start=1)}


def article(clause: str) -> str:
    """Write a clause's name in English: 一(三)c is Art. 1(3)c, 附件3一.2a is Annex 3, 1.2a, 引言 is Preamble; what names no clause stays."""
    found = re.fullmatch(r"(附件\d+)?(.*)", clause)
    annex, rest = (found[1] or "", found[2]) if found else ("", clause)
    name = next((n for n in UNNUMBERED if rest.startswith(n)), "")
    if not annex and not name and rest[:1] not in NUMERALS:
        return clause
    if name and not annex:
        return f"{UNNUMBERED[name]} {rest.removeprefix(name)}".strip()
    rest = "".join(str(NUMERALS[c]) if c in NUMERALS else c for c in rest).replace("图", " chart")
    rest = re.sub(r"(\))(\d)", r"\1.\2", rest)
    if not annex:
        return f"Art. {rest}"
    number = annex.removeprefix("附件")
    joint = "" if not rest or rest[0] in ".abcdefgh" else ", "
    return f"Annex {number}{joint}{rest}"


def articles(cites: str) -> str:
    """Write a list of clauses in English, names of places before them left out."""
    parts = (re.sub(r"^.*[市县区](?=\S)", "", part) for part in cites.split("；") if part)
    return _once(list(dict.fromkeys(map(article, parts))), "; ")


def timeline(plans: Sequence[Policy], registers: Sequence[Register | None]) -> pd.DataFrame:
    """Lay the documents' dates out on one axis.

    Returns
    -------
    DataFrame
        policy, place, place_en, lane (issued, work, rhythm, target), label, label_en, start, end, clauses: dated work as its months, rhythms
        from the day of issue to the last target, each year's target steps at its end.
    """
    rows: list[tuple[Any, ...]] = []
    for plan, register in zip(plans, registers, strict=True):
        issued, last = plan.document.issued, date(max(plan.years.targets), 12, 31)
        place = (plan.id, plan.place.name, plan.place.name_en)
        rows.append((*place, "issued", "印发", "issued", issued, issued, plan.document.cite))
        for event in register.calendar if register is not None else ():
            if event.start is not None or event.every in ("two_weeks", "month"):
                lane = "work" if event.start is not None else "rhythm"
                rows.append((*place, lane, *_event(event), event.start or issued, event.end or last, event.cite))
        for year in sorted(plan.years.targets):
            told = [_step(plan, year, lang) for lang in ("zh", "en")]
            cites = tuple(dict.fromkeys(c for t in plan.targets for c in t.cite))
            rows.append((*place, "target", *told, date(year, 12, 31), date(year, 12, 31), cites))
    columns = ["policy", "place", "place_en", "lane", "label", "label_en", "start", "end", "clauses"]
    made = pd.DataFrame(rows, columns=columns)
    made["clauses"] = ["；".join(cites) for cites in made["clauses"]]
    return made.assign(**{name: pd.to_datetime(made[name]) for name in ("start", "end")})


def _event(event: Event) -> tuple[str, str]:
    often = {"two_weeks": ("每两周：", "fortnightly: "), "month": ("每月：", "monthly: ")}.get(
        event.every or "", ("", "")
    )
    return often[0] + event.zh, often[1] + event.en


def _step(plan: Policy, year: int, lang: str) -> str:
    """Write a year's target steps: class, line and goal of each."""
    told = []
    for target in (t for t in plan.targets if year in t.years and t.years[year].value is not None):
        stat, dated = STATISTICS[target.statistic], target.years[year]
        if stat.kind not in ("share", "count", "mean"):
            continue
        sign = {"ge": "≥", "le": "≤"}[target.op]
        unit = unit_text(target.unit or stat.unit, lang)
        goal = f"{dated.value:.0%}" if stat.kind == "share" else f"{dated.value:g} {unit}".strip()
        line = "" if dated.threshold is None else _at(dated.threshold, lang)
        told.append(f"{plan.class_label(target.class_, lang)}{line}{sign} {goal}")
    return ("；" if lang == "zh" else "; ").join(told)


def _at(line: float, lang: str) -> str:
    """Write the line of a target's step between its class and its goal."""
    return f" 线 {line:g}, " if lang == "zh" else f", line RMB {line * 1e4:,.0f}: "
