"""What may be shown in public (媒体公示): from a run's tables to redacted ones, of which alone the public edition is made and written.

Sums of enterprises are of those whose tax and land are both known, and stand only where `lyeval.tables.releasing` lets them beside
everything else that is shown; all are rounded before they are written anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.result import Assessment, assess_frame
from lyeval.render import Document, Job, Table, write_formats
from lyeval.render.blocks import Lang
from lyeval.report.cells import Context
from lyeval.report.filling import fill, titled
from lyeval.report.sheets import lay_out, note_of
from lyeval.report.words import coded, day, goal_text, known, phrase, status_text, value_text
from lyeval.report.writing import look_of
from lyeval.report.year_end import notice, title
from lyeval.tables.registry import layout
from lyeval.tables.releasing import FEWEST, Release, releasable
from lyeval.tables.results import office_tables
from lyeval.tables.store import save

Tables = Mapping[str, Any]


def public(
    tables: Tables, *, objections: str = "", period: str = "", sums: Sequence[Release] | None = None
) -> dict[str, Any]:
    """Return the tables that a public edition is made of; nothing else of a run may stand in it.

    Parameters
    ----------
    objections, period
        Where to object and in which days, as the run file says; "" for what the plan and the ledger say.
    sums
        As `released` gives it for these tables, where it is known already.

    Returns
    -------
    dict
        ``meta`` (place, year, plan; nothing of enterprises), ``run``, ``versions``, ``targets`` (in words; a value that would tell of an
        enterprise is None), ``certified`` (name, county, township, clause, certified, published), ``townships`` (n enterprises with both
        figures, certified, land_mu and tax_wan in whole numbers, tax_per_mu of these; None where held back; last the total).
    """
    shown = {release.name for release in (released(tables) if sums is None else sums)}
    meta = {key: tables["meta"][key] for key in layout()["public_meta"] if key in tables["meta"]}
    out: dict[str, Any] = {"meta": meta | {"disclosure": "public", "objections": objections, "period": period}}
    out |= {name: tables[name] for name in ("run", "versions") if name in tables}
    return out | {
        "targets": _targets(tables, shown),
        "certified": certified(tables),
        "townships": _townships(tables, shown),
    }


def released(tables: Tables, beside: Sequence[Release] = ()) -> list[Release]:
    """Choose which sums are shown: the total, then the targets, then townships from the largest, each if it reveals nothing beside those before.

    ``beside`` is what other editions show, as `earlier_land` gives it. What it returns holds every enterprise's figures: it is for the office alone.
    """
    parts = _parts(tables)
    total, *places = sorted(parts, key=lambda name: (bool(name), -len(parts[name]), name))
    order = [[_release(_place_name(total), parts[total])], *_by_target(tables)]
    return releasable([*order, *([_release(_place_name(name), parts[name])] for name in places)], beside)


def earlier_land(now: Assessment) -> list[Release]:
    """Return the sums of land that this ledger gives to publish for the plan's years before.

    Land hardly changes, so that editions of two years would tell by subtraction who came and who went. They are worked out anew, whether they
    were published or not: what is shown of a year does not depend on what else stands in a folder.
    """
    kept: list[Release] = []
    for year in (y for y in now.policy.years.governed if y < now.year and y in now.ledger.years):
        then = assess_frame(now.ledger, now.policy, year, year, now.readings, now.inputs)
        kept += land_only(str(year), released(office_tables(then), kept))
    return kept


def land_only(edition: str, sums: Sequence[Release]) -> list[Release]:
    """Return the sums of land alone of an edition; its tax is another year's and tells nothing of this one's."""
    return [Release(f"{edition}/{r.name}", {"land": r.amounts["land"]}) for r in sums if "land" in r.amounts]


def certified(tables: Tables) -> pd.DataFrame:
    """List the certified enterprises (已认定、重点) by township and name: who, where, on which clause, when."""
    firms = tables["enterprises"]
    mine = firms[firms["listed"] & firms["stage"].isin(STAGES)]
    clauses = dict(zip(tables["criteria"]["id"], tables["criteria"]["clause"], strict=True))
    dates = tables["notices"].set_index("credit_code")
    rows = [
        (
            r["name"],
            r["county"],
            r["township"],
            "；".join(dict.fromkeys(clauses[k] for k in r["criteria"] or [])),
            _day(dates, r["credit_code"], "certified"),
            _day(dates, r["credit_code"], "published"),
        )
        for r in mine.to_dict("records")
    ]
    made = pd.DataFrame(rows, columns=["name", "county", "township", "clause", "certified", "published"], dtype=object)
    return made.sort_values(["township", "name"], kind="stable", key=lambda v: v.astype(str)).reset_index(drop=True)


def _day(dates: pd.DataFrame, code: Any, column: str) -> str | None:
    day = dates[column].get(code) if column in dates else None
    return None if day is None or pd.isna(day) else str(day)[:10]


def _parts(tables: Tables) -> dict[str, pd.DataFrame]:
    """Return the enterprises in scope with tax and land, by township; "" for all, those of no township among them."""
    firms = tables["enterprises"]
    both = np.isfinite(firms[["tax_wan", "land_mu"]].to_numpy(dtype=float)).all(axis=1)
    firms = firms[firms["in_scope"].eq(True) & both]
    place = firms["township"].astype("object").where(firms["township"].notna(), "").astype(str)
    names = sorted({str(t) for t in tables["enterprises"]["township"].dropna()} - {""})
    return {"": firms} | {name: firms[(place == name).to_numpy()] for name in names}


def _release(name: str, part: pd.DataFrame, **columns: str) -> Release:
    """Return a set of enterprises by quantity, its figures from the columns named."""
    columns = columns or {"tax": "tax_wan", "land": "land_mu"}
    sums = part.groupby(part["credit_code"].astype(str))[list(columns.values())].sum().astype(float).round(6)
    codes = [str(code) for code in sums.index]
    return Release(name, {q: dict(zip(codes, sums[c].tolist(), strict=True)) for q, c in columns.items()})


def _place_name(township: str) -> str:
    return f"townships/{township}"


def _by_target(tables: Tables) -> list[list[Release]]:
    """Return the sets that each target's value tells of; what a target only counts is no sum."""
    members, out = tables["members"], []
    for row in Context(tables, "zh").rows("targets"):
        mine = members[(members["target"] == row["id"]) & members["counted"].eq(True)]
        name = f"targets/{row['id']}"
        if row["kind"] == "mean":
            out.append([_release(name, mine, tax="part", land="whole")])
        elif row["kind"] == "demolished":
            out.append([_release(name, mine, floor="part")] if len(mine) else [])
        elif _by_land(row):
            under = mine[mine["part"].to_numpy(dtype=float) > 0]
            rest = mine[mine["part"].to_numpy(dtype=float) <= 0]
            out.append([_release(name, part, land="whole") for part in (under, rest) if len(part)])
    return out


def _by_land(row: Mapping[str, Any]) -> bool:
    return row["kind"] == "share" and row["weight"] == "land"


def _townships(tables: Tables, shown: set[str]) -> pd.DataFrame:
    """Sum by township, the total last; who is certified is counted as the list names them."""
    listed = certified(tables)["township"].astype(str)
    parts = _parts(tables)
    rows = [
        _sums(
            name,
            parts[name] if _place_name(name) in shown else None,
            int((listed == name).sum()) if name else len(listed),
        )
        for name in [*(name for name in parts if name), ""]
    ]
    made = pd.DataFrame(rows, columns=["township", "n", "certified", "land_mu", "tax_wan", "tax_per_mu"])
    return made.astype({name: "Int64" for name in ("n", "certified", "land_mu", "tax_wan")})


def _sums(name: str, part: pd.DataFrame | None, certified: int) -> tuple[Any, ...]:
    """Return a row; the ratio is that of the rounded sums, so that it tells no more than they do."""
    if part is None:
        return (name, None, None, None, None, float("nan"))
    land, tax = (round(float(part[column].sum())) for column in ("land_mu", "tax_wan"))
    return (name, len(part), certified, land, tax, round(tax / land, 2) if land else float("nan"))


def _targets(tables: Tables, shown: set[str]) -> pd.DataFrame:
    """Put the targets in words, a value that would tell of an enterprise left out."""
    rows = []
    for row in Context(tables, "zh").rows("targets"):
        may = _target_may_show(tables, row, shown)
        told: dict[str, Any] = {k: row[k] for k in ("id", "label", "label_en", "year", "status", "clause")}
        for lang, end in LANGS:
            told[f"goal{end}"] = goal_text(row, lang)
            told[f"value{end}"] = value_text(row, lang) if may else None
            told[f"verdict{end}"] = status_text(row, lang)
        rows.append(told)
    return pd.DataFrame(rows, columns=layout()["public_targets"], dtype=object)


def _target_may_show(tables: Tables, row: Mapping[str, Any], shown: set[str]) -> bool:
    """Tell whether a target's value tells of no enterprise: its sums are released, and neither side of a count is a few."""
    members = tables["members"]
    mine = members[(members["target"] == row["id"]) & members["counted"].eq(True)]
    kind = str(row["kind"])
    if kind == "blocks":
        return True
    if kind in ("mean", "demolished") or _by_land(row):
        return mine.empty or f"targets/{row['id']}" in shown
    part = mine["part"].to_numpy(dtype=float)
    n, total = int((part > 0).sum()), len(part)
    sides = [n, total - n] if kind == "share" else [n]
    return all(side == 0 or side >= FEWEST for side in sides)


LANGS: tuple[tuple[Lang, str], ...] = (("zh", ""), ("en", "_en"))
STAGES = ("已认定", "重点")


def announcement(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the public edition from the tables that `lyeval.report.disclosure.public` gives."""
    c = Context(tables, lang)
    days = sorted({str(d) for d in c.frame("certified")["published"] if known(d)})
    told = {name: str(c.meta.get(name) or "") for name in ("period", "objections")}
    words = {**told, "issuer": c.meta["issuer"], "days": [day(d, lang) for d in dict.fromkeys([*days[:1], *days[-1:]])]}
    sheets = {table.id: table for table in public_sheets(c)}
    own, blocks = titled(fill("public", c, {"table": sheets.__getitem__}, words))
    front = {"place": c.place, "year": str(c.year), "cutoff": day(c.meta["cutoff"], lang)}
    meta = tuple((coded("public_line", name, lang), value) for name, value in front.items())
    return Document(title(c, own), "", meta, tuple(blocks), lang, notice(c), phrase("public_footer", lang))


def public_sheets(c: Context) -> list[Table]:
    """Lay out the tables of the public edition, which are the sheets of its annex too."""
    end = "" if c.lang == "zh" else "_en"
    held = coded("cell", "held", c.lang)
    targets = [
        {**r, "goal": r[f"goal{end}"], "value": r[f"value{end}"] or held, "verdict": r[f"verdict{end}"]}
        for r in c.rows("targets")
    ]
    places = [{**r, "township": r["township"] or coded("cell", "all", c.lang)} for r in c.rows("townships")]
    listed = [{**r, "number": str(i)} for i, r in enumerate(c.rows("certified"), start=1)]
    rows = {"public_list": listed, "public_targets": targets, "public_townships": places}
    return [lay_out(c, name, mine) for name, mine in rows.items()]


def announce(tables: Mapping[str, Any], folder: str | Path, *, lang: Lang = "zh", formats: Sequence[str]) -> list[Path]:
    """Write the public edition into a folder: its pages, its annex, its tables.

    Parameters
    ----------
    tables
        As `lyeval.report.disclosure.public` gives them.
    formats
        html, pdf, docx, xlsx.
    """
    folder, c = Path(folder), Context(tables, lang)
    document = announcement(tables, lang=lang)
    notes = [note_of("public_targets", lang), phrase("public_footer", lang)]
    written = save(folder / "tables", tables)
    return written + write_formats(Job(document, look_of(c), lambda: public_sheets(c), notes), folder, formats)
