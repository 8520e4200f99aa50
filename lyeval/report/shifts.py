"""What moved a bulletin's figures since the one before, and why: data, rule, code or seed."""

from __future__ import annotations

from typing import Any

from lyeval.render import Cell, Table
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import joined, known, number, say

CAUSES = ("data", "rule", "code", "seed")


def stands(c: Context) -> dict[str, bool | None]:
    """Tell of each cause whether it changed since the bulletin before; None where that one does not say, {} without one."""
    old, new = c.value("before_stamp"), c.value("stamp")
    if not old or not new:
        return {}
    was, now = c.value("before_run"), c.value("run")
    return {
        "data": bool(revised(c)) or old.get("annual") != new.get("annual") or old.get("annual_rows") != new.get("annual_rows"),
        "rule": old.get("rule") != new.get("rule") or old.get("readings") != new.get("readings"),
        "code": None if not was.get("code") or not now.get("code") else was["code"] != now["code"],
        "seed": any(was.get(k) != now.get(k) for k in ("seed", "draws")),
    }  # fmt: skip


def revised(c: Context) -> dict[str, float]:
    """Return by how much the tax of months that the bulletin before told has been revised since, 万元 by month."""
    old, new = (dict(c.value(name).get("months") or {}) for name in ("before_stamp", "stamp"))
    shifts = {month: float(new[month]) - float(was) for month, was in sorted(old.items()) if month in new}
    return {month: shift for month, shift in shifts.items() if abs(shift) > 1e-6}


def cause_sentence(c: Context) -> str:
    """Say what moved the figures: the new month alone, or what else has changed since the bulletin before."""
    told = stands(c)
    if not told:
        return say("shifts.same", c.lang)
    changed = [k for k, v in told.items() if v]
    unsure = [k for k, v in told.items() if v is None]
    names = {k: say(f"shifts.{k}", c.lang) for k in CAUSES}
    text = say("shifts.month_alone", c.lang) if not changed else say(
        "shifts.one" if len(changed) == 1 else "shifts.many", c.lang, names=joined([names[k] for k in changed], c.lang))  # fmt: skip
    return text + (say("shifts.unsure", c.lang, names=joined([names[k] for k in unsure], c.lang)) if unsure else "")


def cause_table(c: Context) -> Table | None:
    """Lay out the four causes, each with what changed; None without a bulletin before."""
    told = stands(c)
    if not told:
        return None
    rows = []
    for name in CAUSES:
        state = {
            True: Cell(say("shifts.changed", c.lang), tone="open"),
            False: say("shifts.unchanged", c.lang),
            None: say("shifts.unsaid", c.lang),
        }[told[name]]
        rows.append(
            {"cause": say(f"shifts.{name}", c.lang), "state": state, "what": _what(c, name) if told[name] else None}
        )
    return tabulate(
        c, "bulletin_causes", rows, say("shifts.table", c.lang, before=c.value("before_stamp").get("as_of", "—"))
    )


def _what(c: Context, name: str) -> str:
    """Say what of a cause changed."""
    old, new, was, now = (c.value(k) for k in ("before_stamp", "stamp", "before_run", "run"))
    if name == "data":
        shifts = [say("shifts.revised", c.lang, month=m, shift=_signed(v)) for m, v in revised(c).items()]
        facts = (
            say("shifts.facts", c.lang)
            if old.get("annual") != new.get("annual") or old.get("annual_rows") != new.get("annual_rows")
            else ""
        )
        return joined([*shifts, *([facts] if facts else [])], c.lang)
    if name == "rule":
        before, after = dict(old.get("readings") or {}), dict(new.get("readings") or {})
        turned = [
            f"{k}: {before.get(k, '—')} → {after.get(k, '—')}"
            for k in sorted({*before, *after})
            if before.get(k) != after.get(k)
        ]
        return joined(turned, c.lang) or say("shifts.document", c.lang)
    if name == "seed":
        return joined(
            [
                f"{k}: {_plain(was.get(k))} → {_plain(now.get(k))}"
                for k in ("seed", "draws")
                if was.get(k) != now.get(k)
            ],
            c.lang,
        )
    return f"{str(was['code'])[:12]} → {str(now['code'])[:12]}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "−") + number(abs(value))


def _plain(value: Any) -> str:
    return str(value) if known(value) else "—"
