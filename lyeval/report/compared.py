"""Two places on one ruler (两地比较报告): the template ``comparison`` filled from a run's tables, and the annex."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

from lyeval.policy.documents import article
from lyeval.render import Cell, Column, Document, Figure, Table
from lyeval.render.blocks import Block, Kind, Lang, Tone
from lyeval.report.cells import Selector
from lyeval.report.context import Context
from lyeval.report.filling import template_of
from lyeval.report.spread import industries
from lyeval.report.tracing import TRACED, row_id
from lyeval.report.words import class_text, day, known, named, number, percent
from lyeval.tables.comparative import described
from lyeval.textfiles import read_yaml

MAIN = (
    "rd_reach",
    "rd_level",
    "did_reach",
    "did_level",
    "poisson_tax",
    "event_reach",
    "gap_reach",
    "gap_level",
    "timing",
)
PICTURED = ("gap_reach", "rd_reach")
FIGURES = {
    "count": ("count", None),
    "year": ("text", None),
    "percent": ("percent", 1),
    "percent0": ("percent", 0),
    "number0": ("number", 0),
    "number1": ("number", 1),
    "number3": ("number", 3),
    "area": ("number", 0),
    "line": ("number", None),
    "line2": ("number", 2),
    "money": ("number", 1),
    "points": ("number", 1),
    "signed": ("number", 1),
}
ENGLISH = {"line": 1e4, "line2": 1e4, "money": 1e-2}  # RMB per mu, RMB million
UNITS = {"万元/亩": "RMB/mu", "万元": "RMB million", "亩": "mu", "家": ""}


def build_comparison(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the comparison of two places (两地比较报告) from a run's tables alone.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    c = Context(tables, lang)
    blocks = comparison_blocks(c)
    run, a, b = c.value("run"), _place(c, "a"), _place(c, "b")
    title = str(run.get("title") or _say(c, "title", a=a, b=b))
    years = [f"{_place(c, str(r['side']))} {r['year']}" for r in c.rows("side_about")]
    note = str(c.meta["synthetic"] or "")
    watermark = _say(c, "synthetic") if note and lang == "en" else note
    subtitle = _said("subtitle", lang).format(*years)
    return Document(title, subtitle, _front(c, title), tuple(blocks), lang, watermark, _say(c, "footer"))


def comparison_blocks(c: Context) -> list[Block]:
    """Fill the template of the comparison."""
    select = Selector(c.tables, TRACED, _schema(c), c.lang)
    things = {
        "table": lambda name, *args: TABLES[name](c, *map(_plain, args)),
        "figure": lambda name, *args: _figure(c, name, *map(_plain, args)),
    }
    words = {"a": _place(c, "a"), "b": _place(c, "b"), "refused": named(c.value("side_refused"), c.lang, "reason")}
    return template_of("comparison", c.lang).blocks(select, lang=c.lang, things=things, words=words)


def _plain(value: Any) -> Any:
    return getattr(value, "raw", value)


def _front(c: Context, title: str) -> tuple[tuple[str, str], ...]:
    """Return the lines of the first page: plans, data, date, version, how to cite."""
    run = c.value("run")
    about = c.rows("side_about")
    plans = ("；" if c.lang == "zh" else "; ").join(
        f"{named(r, c.lang, 'title')}" + (f"（{r['document']}）" if c.lang == "zh" else "") for r in about
    )
    date = day(run["report_date"], c.lang) if run.get("report_date") else ""
    versions = {str(r["component"]): str(r["version"]) for r in c.rows("versions")}
    version = f"lyeval {versions['lyeval']}" if "lyeval" in versions else "lyeval"
    cited = _say(c, "cited", title=title, version=version, date=date or run.get("source_date") or "")
    upto = ("；" if c.lang == "zh" else "; ").join(f"{_place(c, str(r['side']))} {r['cut']}" for r in about)
    values = {"plans": plans, "data": upto, "date": date, "version": version, "cite": cited}
    return tuple((_say(c, name), value) for name, value in values.items() if value)


def _place(c: Context, side: str) -> str:
    row = next(r for r in c.rows("side_about") if r["side"] == side)
    return named(row, c.lang, "place")


def _schema(c: Context) -> Callable[..., Any]:
    """Return how each cell is printed in a sentence: by its format, with its unit."""

    def schema(table: str, column: str, _: Mapping[str, Any]) -> tuple[Column, Callable[[Any], str] | None]:
        told = described(table).get(column)
        kind = told.format if told is not None else ENDS.get(column, "")
        if kind in FIGURES or kind in ("clause", "date", "class"):
            return Column(column, ""), lambda raw: spoken(c, kind, raw)
        return Column(column, "", kind="count" if column in ("count", "n") else "text"), None

    return schema


def spoken(c: Context, kind: str, raw: Any) -> str:
    """Write a cell within a sentence."""
    if not known(raw):
        return "—"
    english = c.lang == "en"
    if kind in ("class", "date", "clause"):
        return str(_worded(c, kind, raw))
    if kind == "area":
        return f"{number(raw, 0)} mu ({number(raw / 15, 0)} ha)" if english else f"{number(raw, 0)}亩"
    if kind == "money":
        return f"RMB {number(raw / 100, 1)} million" if english else f"{number(raw, 1)}万元"
    if kind in ("line", "line2"):
        return f"RMB {raw * 1e4:,.0f} per mu" if english else f"{raw:g}万元/亩"
    if kind == "points":
        return _signed(100 * raw)
    if kind == "signed":
        return _signed(raw)
    if kind == "year":
        return str(int(raw))
    if kind.startswith("percent"):
        return percent(raw, FIGURES[kind][1] or 0)
    return number(raw, FIGURES[kind][1] or 0)


def _signed(value: float) -> str:
    """Write a difference with its sign."""
    text = number(abs(value), 1)
    return text if text == number(0, 1) else f"{'+' if value > 0 else '−'}{text}"


def laid(
    c: Context, table: str, columns: Iterable[str], rows: Iterable[Mapping[str, Any]], title: str, **more: Any
) -> Table:
    """Lay out rows of a described table; each figure keeps the id of its cell.

    Parameters
    ----------
    more
        id (else the table's name), and note, cite, sortable of `Table`.
    """
    known_columns, rows = described(table), list(rows)
    shapes = [_column(c.lang, known_columns[name]) for name in columns]
    body = tuple(tuple(_cell(c, known_columns[x.key], row) for x in shapes) for row in rows)
    fields = tuple(
        x.key if known_columns[x.key].format in FIGURES and not known_columns[x.key].key else "" for x in shapes
    )
    traced = table in TRACED and all(set(TRACED[table]) <= set(row) for row in rows)
    refs = tuple(row_id(table, row) for row in rows) if traced else ()
    return Table(more.pop("id", table), title, tuple(shapes), body, refs=refs, fields=fields if traced else (), **more)


def _column(lang: Lang, told: Any) -> Column:
    kind, digits = FIGURES.get(told.format, ("text", None))
    unit = told.unit if lang == "zh" else UNITS.get(told.unit, told.unit)
    shown = "text" if told.format in ("line", "signed", "points", "year") else kind
    return Column(told.name, told.zh if lang == "zh" else told.en, unit, cast("Kind", shown), digits)


def _cell(c: Context, told: Any, row: Mapping[str, Any]) -> Any:
    value, kind = row.get(told.name), told.format
    if isinstance(value, Cell):
        return value
    if kind not in FIGURES:
        return _worded(c, kind, named(row, c.lang, told.name) if kind == "text" else value) or None
    if not known(value):
        return None
    if kind in ("points", "signed"):
        return _signed(value * (100 if kind == "points" else 1))
    if kind == "year":
        return str(int(value))
    if kind == "line":
        return f"{value * 1e4:,.0f}" if c.lang == "en" else f"{value:g}"
    return value * ENGLISH[kind] if c.lang == "en" and kind in ENGLISH else value


def _worded(c: Context, kind: str, value: Any) -> Any:
    """Put a value that is no figure into words."""
    if kind == "class":
        return class_text(value, c.meta, c.lang)
    if kind == "date":
        return day(value, c.lang) if known(value) else ""
    if kind == "flag":
        return _texts()["tri"][c.lang][2 if not known(value) else 0 if str(value) == "True" else 1]
    if kind == "clause" and c.lang == "en":
        return cites_en(str(value or ""))
    return value


def cites_en(text: str) -> str:
    """Write a list of clauses in English; names of places before them are left out."""
    parts = [part for part in text.split("；") if part]
    return "; ".join(dict.fromkeys(article(part.removeprefix("舟山市").removeprefix("临沭县")) for part in parts))


def _of(c: Context, table: str, **asked: Any) -> list[dict[str, Any]]:
    """Return a table's rows that hold these values, with places and words in the reader's language."""
    out = []
    for row in c.rows(table):
        if all(row.get(k) == v for k, v in asked.items()):
            fixed = _texts()["words"]
            words = {k: fixed[k].get(str(row[k]), (row[k], row[k]))[c.lang == "en"] for k in fixed if k in row}
            sides = {f"{k}_of": _place(c, str(row[k])) for k in ("side", "rules") if row.get(k) in ("a", "b")}
            out.append({**row, "words": {**words, **sides}})
    return out


def _table(
    c: Context, table: str, columns: tuple[str, ...], title: str, rows: list[dict[str, Any]] | None = None, **more: Any
) -> Table:
    """Lay out a table of either side: what a reader sees of a side is its place."""
    rows = _of(c, table) if rows is None else rows
    made = laid(c, table, columns, rows, title, **more)
    names = [column.key for column in made.columns]
    body = []
    for row, cells in zip(rows, made.rows, strict=True):
        said = {**row["words"], "side": row["words"].get("side_of"), "rules": row["words"].get("rules_of")}
        body.append(
            tuple(
                said[k] if said.get(k) is not None and made.columns[i].kind == "text" else cells[i]
                for i, k in enumerate(names)
            )
        )
    heads = tuple(_titled(c, column) for column in made.columns)
    return Table(
        made.id,
        made.title,
        heads,
        tuple(body),
        made.source,
        made.note,
        made.cite,
        made.sortable,
        made.refs,
        made.fields,
    )


def _titled(c: Context, column: Column) -> Column:
    """Name the places in headings that say first and second."""
    title = column.title
    for key, zh, en in (("a", "甲地", "First"), ("b", "乙地", "Second")):
        short = _place(c, key).split(" (")[0]
        title = (
            title.replace(zh, short) if c.lang == "zh" else title.replace(en, short) if title.startswith(en) else title
        )
    return Column(column.key, title, column.unit, column.kind, column.digits)


@cache
def _texts() -> dict[str, Any]:
    """Return captions, notes and fixed words, as ``comparison.yaml`` beside this module has them."""
    return read_yaml(Path(__file__).with_name("comparison.yaml"))[0]


def _said(name: str, lang: Lang) -> str:
    return _texts()["said"][name][lang == "en"]


def _say(c: Context, name: str, **values: Any) -> str:
    return _said(name, c.lang).format(**values)


def documents(c: Context) -> Table:
    """Lay out the documents side by side: a row a theme, a column a plan."""
    rows = c.rows("side_documents")
    plans = list(dict.fromkeys(str(r["policy"]) for r in rows))
    places = {str(r["policy"]): named(r, c.lang, "place") for r in c.rows("side_about")}
    themes = {str(r["theme"]): named(r, c.lang) for r in rows}
    told = {(str(r["theme"]), str(r["policy"])): r for r in rows}

    def cell(theme: str, plan: str) -> str:
        row = told[theme, plan]
        text = named(row, c.lang, "text")
        cites = str(row["clauses" if c.lang == "zh" else "articles"])
        return text if "[" in text else f"{text} [{cites}]" if cites else text

    heads = [Column("theme", _say(c, "theme")), *(Column(p, places.get(p, p)) for p in plans)]
    body = tuple((label, *(cell(theme, p) for p in plans)) for theme, label in themes.items())
    return Table("documents", _say(c, "documents"), tuple(heads), body, note=_say(c, "documents_note"))


def _effects(c: Context, side: str, *, whole: bool = False) -> Table:
    rows = [r for r in _of(c, "effects", side=side) if r["verdict"] != "refused" and (whole or r["id"] in MAIN)]
    for row in rows:
        row["verdict"] = _toned(c, "verdicts", str(row["verdict"]))
    columns = (
        "estimand",
        "estimate",
        "low",
        "high",
        "p_holm",
        "n_listed",
        "n_unlisted",
        "minimum_detectable",
        "verdict",
    )
    shown = columns if whole else ("estimand", "estimate", "low", "high", "p_holm", "verdict")
    return _table(
        c,
        "effects",
        shown,
        _say(c, "effects", place=_place(c, side)),
        rows,
        id=f"effects{side}",
        note=_say(c, "effects_note"),
    )


def _toned(c: Context, kind: str, name: str) -> Cell:
    """Return a fixed word with its tone."""
    zh, en, tone = _texts()[kind][name]
    return Cell(en if c.lang == "en" else zh, tone=tone)


def _refused(c: Context, side: str) -> Table:
    rows = [r for r in _of(c, "effects", side=side) if r["verdict"] == "refused"]
    return _table(
        c, "effects", ("estimand", "reason"), _say(c, "refused", place=_place(c, side)), rows, id=f"refused{side}"
    )


def _checks(c: Context, side: str) -> Table:
    rows = _of(c, "effect_checks", side=side)
    for row in rows:
        row["passed"] = _toned(c, "passed", "none" if not known(row["passed"]) else str(row["passed"]))
    return _table(
        c,
        "effect_checks",
        ("side", "id", "check", "passed", "note"),
        _say(c, "checks", place=_place(c, side)),
        rows,
        id=f"checks{side}",
    )


def _burden(c: Context, *, whole: bool = False) -> Table:
    """Lay out whom each common line falls on: by size in the body, by industry and township too in the annex."""
    rows = [r for r in _of(c, "plan_burden") if whole or (r["by"] == "size" and r["listed"])]
    names = industries()
    for row in rows:
        if row["by"] == "industry" and row["group"] in names:
            row["group"] = names[row["group"]][c.lang == "en"]
    columns = ("side", "line", "by", "group", "scope", "listed", "listed_share", "listed_land_mu", "tax_needed_wan")
    shown = columns if whole else tuple(k for k in columns if k != "by")
    return _table(c, "plan_burden", shown, _say(c, "burden"), rows, id="burden")


def _cases(c: Context) -> Table:
    """Lay out the decomposition by year, on the tax criterion alone, and under the readings that move it."""
    own = next(
        r
        for r in _of(c, "side_cases")
        if r["case"] == "year" and r["year_b"] == max(x["year_b"] for x in c.rows("side_cases"))
    )
    moved = [r for r in _of(c, "side_cases") if r["case"] != "reading" or abs(r["rules"] - own["rules"]) > MOVED]
    shown = ("label", "n_a", "n_b", "value_a", "value_b", "rules", "enterprises", "remainder")
    return _table(
        c,
        "side_cases",
        shown,
        _say(c, "cases"),
        moved,
        id="cases",
        note=_say(c, "cases_note", n=len(c.rows("side_cases"))),
    )


def _parts(c: Context) -> Table:
    rows = [r for r in _of(c, "side_parts") if not r["constructed"]]
    return _table(
        c,
        "side_parts",
        ("label", "value", "low", "high"),
        _say(c, "parts"),
        rows,
        id="parts",
        note=_say(c, "parts_note"),
    )


def _claims(c: Context) -> list[Table]:
    rows = sorted(c.rows("side_claims"), key=lambda r: r["may"] != "yes")
    words = {"yes": ("可以说", "may be said", "good"), "no": ("不可以说", "may not be said", "bad")}
    heads = tuple(Column(k, _say(c, k)) for k in ("claim", "why", "may"))
    body = tuple(
        (
            named(r, c.lang, "claim"),
            named(r, c.lang, "why"),
            Cell(words[r["may"]][c.lang == "en"], tone=cast("Tone", words[r["may"]][2])),
        )
        for r in rows
    )
    return [Table("claims", _say(c, "claims"), heads, body)]


def _moves(c: Context, side: str) -> Table:
    """Lay out moves between states: rows before, columns after; states that nobody is in are left out."""
    rows = [r for r in c.rows("side_transitions") if r["side"] == side]
    counts = {(r["group"], r["before"], r["after"]): r for r in rows}
    english, groups = c.lang == "en", _texts()["words"]["group"]
    states = _texts()["words"]["before"]
    used = [s for s in states if any(r["n"] for (_, x, y), r in counts.items() if s in (x, y))]
    columns = [
        Column("group", _say(c, "list")),
        Column("before", _say(c, "before")),
        *(Column(s, states[s][english], kind="count") for s in used),
    ]
    body = [
        (groups[g][english], states[s][english], *(int(counts[g, s, t]["n"]) for t in used))
        for g in groups
        for s in used
        if any(counts[g, s, t]["n"] for t in used)
    ]
    about = next(r for r in c.rows("side_about") if r["side"] == side)
    title = _say(
        c, "moves", place=_place(c, side), list=about["list_year"], base=about["base_year"], year=about["year"]
    )
    return Table(f"moves{side}", title, tuple(columns), tuple(body))


def _figure(c: Context, name: str, side: str = "") -> list[Figure]:
    from lyeval import figures

    if name == "timeline":
        drawn = figures.timeline(c.frame("side_timeline"), lang=c.lang)
        return [figures.picture(drawn, "timeline", _say(c, "timeline"), _say(c, "timeline_alt"))]
    out, part = [], c.frame("effect_figures")
    for row in (r for r in c.rows("effects") if r["side"] == side and r["id"] in PICTURED[:1]):
        drawn = part[(part["side"] == side) & (part["id"] == row["id"])]
        if len(drawn):
            title = f"{_place(c, side)}{'：' if c.lang == 'zh' else ': '}{named(row, c.lang, 'estimand')}"
            made = figures.effect(drawn, lang=c.lang)
            out.append(figures.picture(made, f"effect{side}_{row['id']}", title, named(row, c.lang, "sentence")))
    return out


def comparison_annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the comparison's annex, each with its place as a column."""
    c = Context(tables, lang)
    sheets = [*_claims(c), documents(c), _clauses(c)]
    sheets += [
        _table(c, table, tuple(columns.split()), _say(c, title), sortable=True) for table, columns, title in SHEETS
    ]
    sheets += [_parts(c), _burden(c, whole=True), _moves(c, "a"), _moves(c, "b")]
    if len(c.frame("effects")):
        for side in ("a", "b"):
            sheets += [_effects(c, side, whole=True), _refused(c, side), _checks(c, side)]
        sheets.append(_table(c, "tax_rules", ("from", "until", "rule", "direction", "source"), _say(c, "tax_rules")))
    return sheets


def _clauses(c: Context) -> Table:
    """Lay out every clause of both documents under its theme, or with the reason why it is left out."""
    themes = {str(r["theme"]): named(r, c.lang) for r in c.rows("side_documents")}
    places = {str(r["policy"]): named(r, c.lang, "place") for r in c.rows("side_about")}
    rows = [
        {**r, "words": {"policy": places.get(str(r["policy"])), "theme_label": themes.get(str(r["theme"]), "—")}}
        for r in c.rows("side_clauses")
    ]
    return _table(
        c,
        "side_clauses",
        ("policy", "clause", "theme_label", "text", "left_out"),
        _say(c, "clauses"),
        rows,
        id="clauses",
    )


def comparison_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the annex's notes sheet."""
    names = ("documents_note", "effects_note", "parts_note", "rules_note", "rates_note")
    return [*((_say(c, "basis_of"), _say(c, name)) for name in names), (_say(c, "basis_of"), _say(c, "footer"))]


def _plainly(table: str, columns: str, c: Context, *_: Any, note: str = "") -> Table:
    """Lay a described table out whole, under the caption of its name."""
    name = table.removeprefix("side_")
    return _table(c, table, tuple(columns.split()), _say(c, name), note=_say(c, note) if note else "")


def _elements(c: Context, side: str) -> Table:
    rows = _of(c, "side_elements", side=side)
    place = f"{_place(c, side)}{'：' if c.lang == 'zh' else ': '}"
    columns = ("label", "listed", "undecided", "share_low", "share_high", "mean", "share_mean", "clause")
    title = place + _say(c, "elements")
    return _table(c, "side_elements", columns, title, rows, id=f"elements{side}", note=_say(c, "elements_note"))


MOVED = 5e-4
ENDS = {
    **dict.fromkeys(("value_a", "value_b", "uncovered_a", "uncovered_b"), "percent"),
    **dict.fromkeys(("gap", "estimate", "low", "high"), "points"),
    **dict.fromkeys(("n_a", "n_b"), "count"),
}
RULES = "side rules listed listed_undecided listed_low listed_high listed_land_low listed_land_high tax_listed tax_undecided tax_low tax_high"
RATES = "side followed list_year year line months listed left counted reached dropped failed passed"
DEMAND = "side rules label year line goal_text n below below_share short unit median_growth not_above_zero tax_needed_wan lifted"
SANCTIONS = "side rules label exposed undecided land_mu wan wan_high without_figure clause"
ATTAINED = "counted reached attainment attainment_low attainment_high met missed undetermined"
TABLES: dict[str, Callable[..., Table]] = {
    "documents": documents,
    "rules": partial(_plainly, "side_rules", RULES, note="rules_note"),
    "crossed": partial(_plainly, "side_crossed", "side by both a_only b_only neither undecided"),
    "elements": _elements,
    "demand": partial(_plainly, "side_demand", DEMAND, note="demand_note"),
    "sanctions": partial(_plainly, "side_sanctions", SANCTIONS, note="sanctions_note"),
    "burden": _burden,
    "rates": partial(_plainly, "side_rates", RATES, note="rates_note"),
    "parts": _parts,
    "cases": _cases,
    "moves": _moves,
    "effects": _effects,
    "odds": partial(_plainly, "side_odds", "side rules label year probability"),
    "claims": lambda c: _claims(c)[0],
}
SHEETS = (
    ("side_rates", f"{RATES} low high no_figures undecided stock_share stock_land_share", "rates"),
    ("side_rules", f"{RULES} scope scope_open {ATTAINED}", "rules"),
    ("side_crossed", "side by both a_only b_only neither undecided", "crossed"),
    ("side_wanting", "side rules label n clause", "wanting"),
    (
        "side_elements",
        "side label listed undecided share share_low share_high first last mean share_mean clause",
        "elements",
    ),
    ("side_demand", f"{DEMAND} unknown below_land_share class clause", "demand"),
    ("side_sanctions", SANCTIONS, "sanctions"),
    ("side_odds", "side rules label year probability mc_error", "odds"),
    ("side_basis", "side year when class line n below share land_share", "basis"),
    ("side_cases", "label switch option year_b n_a n_b value_a value_b rules readings enterprises remainder", "cases"),
    ("side_doors", "side label n", "doors"),
    ("plans", "side threshold floor horizon listed listed_share land_share near pass_share", "every_plan"),
    (
        "side_firms",
        "side credit_code name township industry land_mu tax_per_mu_before listed_a listed_b tax_a tax_b",
        "firms",
    ),
)
