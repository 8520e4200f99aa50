"""Make a sample for a plan, and write it: its counties told through, workbook or folder or survey forms, the account of what is true of it,
the ledger with planted faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.policy import Policy, load_policy, policy_ids
from lyeval.sample.programme import Drive, Programme, below_line, low_share, pool
from lyeval.sample.story import CALM, TRUTH, Place, Story, begin, data, places
from lyeval.sample.yearbook import Frames, profile, sheets
from lyeval.textfiles import yaml_text
from lyeval.workbooks import Book, csv_bytes, write_frame

CREATED = datetime(2026, 1, 1)
NOTES: dict[str, str] = data("sheets")["notes"]
FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
Grid = list[list[Any]]


def headings(sheet: str, frame: pd.DataFrame) -> list[str]:
    """Return the Chinese headings of a sheet's columns, with the unit in brackets where there is one."""
    known = of_sheet("enterprises") | of_sheet(sheet)
    return [f"{known[name].zh}（{known[name].unit}）" if known[name].unit else known[name].zh for name in frame.columns]


def write(
    frames: Mapping[str, pd.DataFrame],
    path: Path | str,
    *,
    kind: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write the sheets of `make` and their sidecar ``<name>.yaml``; returns the sidecar.

    Parameters
    ----------
    path : path
        ``….xlsx`` for a workbook, else a folder.
    kind : {"xlsx", "csv", "parquet"}, optional
        Default: ``xlsx`` by the ending, else ``csv``. CSV is UTF-8 with BOM and Chinese headings, Parquet has canonical names.
    about : mapping, optional
        What the sidecar says besides licence, notes and hash: command, seed, truth.
    """
    path = Path(path)
    kind = kind or ("xlsx" if path.suffix == ".xlsx" else "csv")
    if kind not in WRITERS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(WRITERS)} (格式只能是其中之一)")
    _beside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    WRITERS[kind](frames, path)
    return sidecar(path, about or {})


def sidecar(path: Path, about: Mapping[str, Any]) -> Path:
    """Write ``<name>.yaml`` beside a made file or folder: notes, licence, hash, and ``about``."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    content = {
        "file": path.name,
        "producer": "lyeval.sample",
        **about,
        "licence": "CC0-1.0",
        "sha256": hashes[path.name] if path.is_file() else hashes,
        "synthetic": True,
        **{f"synthetic_note_{lang}": note for lang, note in NOTES.items()},
    }
    _beside(path).write_text(yaml_text(content), encoding="utf-8", newline="\n")
    return _beside(path)


def _beside(path: Path) -> Path:
    """Return where the sidecar of a file or folder stands; what is there and no sidecar of ours, such as a plan, is kept."""
    target = path.with_name(f"{path.stem if path.suffix == '.xlsx' else path.name}.yaml")
    if target.exists() and b"producer: lyeval.sample" not in target.read_bytes():
        raise ValueError(f"{target.name}: a file that is no sample's stands there / 已有别的文件，不覆盖，请另取文件名")
    return target


def write_xlsx(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a workbook with Chinese sheet names and headings; the same frames give the same bytes."""
    size = sum(frame.size for frame in frames.values())
    with Book(path, {"title": path.stem, "comments": NOTES["zh"], "created": CREATED}, cells=size) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E8EEF4"})
        styles = {"head": head, "date": book.add_format({"num_format": "yyyy-mm-dd"})}
        for sheet, frame in frames.items():
            write_frame(book, SHEETS[sheet][0], headings(sheet, frame), frame, data("sheets")["widths"], styles)


def cells(column: pd.Series) -> list[Any]:
    """Return a column's values as an office writes them: 是, 否, text, number, date, None for blank."""
    values = column.astype(object).where(column.notna(), None).tolist()
    if column.dtype.kind == "M":
        return [None if value is None else value.to_pydatetime() for value in values]
    return [("是" if value else "否") if isinstance(value, bool) else value for value in values]


def write_csv(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a folder with one CSV per sheet, UTF-8 with BOM, Chinese headings."""
    path.mkdir(parents=True, exist_ok=True)
    for sheet, frame in frames.items():
        text = pd.DataFrame({name: pd.Series(cells(frame[name]), dtype=object) for name in frame.columns})
        for name in frame.columns:
            if frame[name].dtype.kind == "M":
                text[name] = frame[name].dt.strftime("%Y-%m-%d")
        text.columns = headings(sheet, frame)
        (path / f"{SHEETS[sheet][0]}.csv").write_bytes(csv_bytes(text))


def write_parquet(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a folder with one Parquet file per sheet, canonical names and types."""
    path.mkdir(parents=True, exist_ok=True)
    for sheet, frame in frames.items():
        frame.to_parquet(path / f"{sheet}.parquet", index=False)


def write_messy(folder: Path | str, frames: Mapping[str, pd.DataFrame], how: str, seed: int) -> Path:
    """Plant the faults of ``sheets.yaml`` in sheets and write ``messy.xlsx`` with its sidecar; returns the sidecar."""
    told, path = data("sheets")["messy"], Path(folder) / "messy.xlsx"
    grids = {sheet: _grid(sheet, frames[sheet], layout) for sheet, layout in told["sheets"].items()}
    planted = _plant(grids, told["faults"])
    with Book(path, {"title": "messy", "comments": NOTES["zh"], "created": CREATED}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet, grid in grids.items():
            table = book.sheet(SHEETS[sheet][0])
            for row, values in enumerate(grid):
                for column, value in enumerate(values):
                    if isinstance(value, str):
                        table.write_string(row, column, value)
                    elif value is not None:
                        table.write(row, column, value, date if isinstance(value, datetime) else None)
    about = {
        "command": f"lyeval.sample.messy(folder, {how})",
        "policy": "zhoushan-2020",
        "seed": seed,
        **{name: told[name] for name in ("purpose_zh", "purpose_en")},
        "planted": planted,
    }
    return sidecar(path, about)


def _grid(sheet: str, frame: pd.DataFrame, layout: Mapping[str, Any]) -> Grid:
    """Return a sheet as rows of cells: title, unit line, headings, data."""
    frame = frame[layout["columns"]]
    columns = [cells(frame[name]) for name in frame.columns]
    grid: Grid = [[layout["title"]], [layout["unit"]], headings(sheet, frame)]
    return grid + [list(row) for row in zip(*columns, strict=True)]


def _plant(grids: dict[str, Grid], faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the faults in; returns for each: sheet, Excel row (1-based), rule, and what was done."""
    _plain_mess(grids["annual"])
    for row, values in enumerate(grids["enterprises"][2:], start=2):
        values.append(f"{row % 5 + 1}级" if row > 2 else "税收贡献指数")
    planted: list[dict[str, Any]] = []
    for fault in faults:
        grid = grids[fault["sheet"]]
        if "add" in fault or "again" in fault:
            grid.append(list(fault["add"] if "add" in fault else grid[fault["again"]]))
        elif "cell" in fault:
            row, cell = grid[fault["row"]], fault["cell"]
            row[cell] = row[cell][: fault["cut"]] + fault["put"] if "cut" in fault else fault["put"]
        if "rule" in fault:
            where = {"sheet": SHEETS[fault["sheet"]][0], "row": fault.get("row", len(grid) - 1) + 1}
            planted.append(where | {"rule": fault["rule"], "what": fault["what"]})
    return planted


def _plain_mess(years: Grid) -> None:
    """Write figures as offices do, which is no fault: full-width digits, thousands separators, marks for yes."""
    for row, values in enumerate(years[3:], start=3):
        if row % 9 == 0 and isinstance(values[3], float):
            values[3] = f"{values[3]:.2f}".translate(FULL_WIDTH)
        if row % 7 == 0 and isinstance(values[5], float):
            values[5] = f"{values[5]:,.1f}"
        values[2] = {"是": "√", "否": "×"}[values[2]] if row % 2 else values[2]


WRITERS = {"xlsx": write_xlsx, "csv": write_csv, "parquet": write_parquet}


Values = Mapping[str, Any]
FORM: dict[str, Any] = data("sheets")["form"]
RATIOS = {"tax_per_mu_reported": ("tax_wan", "land_mu"), "tax_per_kwh_reported": ("tax_wan", "power_wankwh")}
COLUMNS = of_sheet("enterprises") | of_sheet("annual")


def write_forms(frames: Mapping[str, pd.DataFrame], folder: Path | str, year: int) -> list[Path]:
    """Write one form per enterprise that has figures of ``year``, named by its credit code, and ``空白表.xlsx``.

    Returns
    -------
    list of Path
        The filled forms, by credit code.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    annual = frames["annual"]
    rows = annual[annual["year"] == year].merge(frames["enterprises"], on="credit_code", suffixes=("", "_own"))
    write_form(folder / "空白表.xlsx", {})
    made = []
    for row in rows.sort_values("credit_code").to_dict("records"):
        made.append(folder / f"{row['credit_code']}.xlsx")
        write_form(made[-1], {str(name): value for name, value in row.items()})
    return made


def write_form(path: Path, values: Values) -> None:
    """Write one form; fields that ``values`` (canonical name → value) does not have stay blank. Same values, same bytes."""
    with Book(path, {"title": FORM["title"], "created": CREATED}) as book:
        line = {"border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"}
        label, fill = book.add_format(line | {"bg_color": "#E8EEF4"}), book.add_format(line | {"num_format": "@"})
        figure = book.add_format(line | {"num_format": "General"})
        sheet = book.sheet("调查表")
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 3, 22)
        title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
        sheet.merge_range(0, 0, 0, 3, f"{_shown(values.get('county')) or ''}{FORM['title']}", title)
        sheet.merge_range(1, 0, 1, 3, FORM["note"], book.add_format({"font_size": 9, "align": "center"}))
        for r, pair in enumerate(FORM["head"], start=2):
            for c, (name, words) in zip((0, 2), pair.items(), strict=True):
                sheet.write_string(r, c, words, label)
                _write(sheet, r, c + 1, _shown(values.get(name)), fill)
        _body(sheet, len(FORM["head"]) + 2, values, label, figure, fill)


def _body(sheet: Any, row: int, values: Values, label: Any, figure: Any, fill: Any) -> None:
    """Write the fields with units from ``row`` on, then the large ones."""
    sheet.write_row(row, 0, ("类别", "项目", "计量单位", "数量"), label)
    for group, fields in FORM["groups"].items():
        for name, words in fields.items():
            row += 1
            unit = "年月" if name == "land_acquired" else COLUMNS[name].unit
            sheet.write_row(row, 0, (group, words, unit), label)
            _write(sheet, row, 3, _figure(name, values), figure)
        if len(fields) > 1:
            sheet.merge_range(row - len(fields) + 1, 0, row, 0, group, label)
    for words in FORM["areas"]:
        row += 1
        sheet.write_string(row, 0, words, label)
        sheet.merge_range(row, 1, row, 3, "", fill)
        sheet.set_row(row, 48)


def _figure(name: str, values: Values) -> Any:
    """Return a figure of the form; ratios are worked out from the others, None where one is missing."""
    if name not in RATIOS:
        return _shown(values.get(name))
    above, below = (_shown(values.get(part)) for part in RATIOS[name])
    return None if above is None or not below else round(above / below, 4)


def _shown(value: Any) -> Any:
    """Return a value as a form shows it: 是 and 否, a month for a day, None for what is missing."""
    if pd.isna(value):
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{value.year}年{value.month}月" if isinstance(value, pd.Timestamp) else value


def _write(sheet: Any, row: int, place: int, value: Any, style: Any) -> None:
    """Write one value: text as text, figures as figures."""
    if value is None:
        sheet.write_blank(row, place, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, place, value, style)
    else:
        sheet.write_number(row, place, float(value), style)


Span = tuple[int, int]


def make(
    policy: str | Path | Policy, *, enterprises: int | None = None, years: Span, seed: int, county: str | None = None
) -> Frames:
    """Make a synthetic ledger (样例台账) for a policy.

    Parameters
    ----------
    policy : str, path or Policy
        Any plan; that of a place of ``places.yaml`` is set there, another in an invented county under the plan's name.
    enterprises : int, optional
        Number of enterprises in all; default: the usual size of the county or counties.
    years : (int, int)
        First and last year, both inclusive.
    seed : int
        Non-negative; the same seed, size and county give the same figures in every year that two calls share.
    county : str, optional
        One county of the policy's place (中文名 or id); default: all of them.

    Returns
    -------
    dict of DataFrame
        Sheet name → canonical columns: ``enterprises``, ``annual``, ``monthly``, ``disposals``, ``process``, ``issues``, and
        ``papers`` or ``blocks``, ``tax_items`` where the plan counts them; with every column that the plan's rules read.

    Raises
    ------
    PolicyError, ValueError
        Unknown policy or county, years reversed, no enterprise.
    """
    return _made(load_policy(policy), enterprises, years, seed, county)[0]


def produce(
    policy: str | Path | Policy,
    path: Path | str,
    *,
    years: Span,
    seed: int,
    enterprises: int | None = None,
    county: str | None = None,
    forms: bool = False,
) -> Path:
    """Make a ledger, write it to ``path`` (workbook or CSV folder) with its full sidecar; returns the sidecar.

    With ``forms``, the last year is written as survey forms to the folder ``path`` instead, one an enterprise and a blank one.
    Parameters and errors are those of `make`.
    """
    plan = load_policy(policy)
    made, told = _made(plan, enterprises, years, seed, county)
    size = sum(len(story.firms) for story in told)
    name = plan.id if plan.id in policy_ids() else f"{plan.id}.yaml"
    where, span = f" --county {county}" if county else "", f"{years[0]}-{years[1]}"
    account: dict[str, Any] = {
        "command": f"lyeval sample --policy {name}{where} --enterprises {size} --years {span} --seed {seed}",
        "policy": plan.id,
        "counties": [story.place.county for story in told],
        "enterprises": size,
        "years": span,
        "seed": seed,
        "truth": _parameters(told[0]),
    }
    if forms:
        write_forms(made, path, years[1])
        return sidecar(Path(path), account | {"forms_year": years[1]})
    if len(told) == 1:
        account["truth"] |= _built(told[0])
    return write(made, path, about=account)


produce_forms = partial(produce, forms=True)


def ship(folder: Path | str) -> list[Path]:
    """Make every shipped ledger anew in ``folder``; returns the sidecars."""
    made = [
        produce(item.policy, Path(folder) / f"{item.name}.xlsx", years=item.years, seed=item.seed, county=item.county)
        for item in SHIPPED
    ]
    return [*made, messy(folder)]


def messy(folder: Path | str, *, enterprises: int = 40, seed: int = 2020) -> Path:
    """Write ``messy.xlsx``, a ledger with planted faults, and its sidecar, which lists every one; returns the sidecar."""
    frames = make("zhoushan-2020", enterprises=enterprises, years=(2019, 2020), seed=seed, county="嵊泗县")
    return write_messy(folder, frames, f"enterprises={enterprises}, seed={seed}", seed)


def _made(
    plan: Policy, enterprises: int | None, years: Span, seed: int, county: str | None
) -> tuple[Frames, list[Story]]:
    """Return the sheets of all counties, and each county's story."""
    if years[0] > years[1]:
        raise ValueError(f"years {years[0]}-{years[1]}: the first is after the last / 起止年份颠倒")
    chosen = places(plan, county)
    usual = sum(place.enterprises for place in chosen)
    total = usual if enterprises is None else enterprises
    sizes = [round(total * place.enterprises / usual) for place in chosen]
    sizes[0] += total - sum(sizes)
    if min(sizes) < 1:
        raise ValueError(f"{total} firms: at least one for each of {len(chosen)} counties / 企业数过少")
    told = [tell(place, plan, n, seed, years) for place, n in zip(chosen, sizes, strict=True)]
    parts = [sheets(story, years[0]) for story in told]
    return {sheet: pd.concat([part[sheet] for part in parts], ignore_index=True) for sheet in parts[0]}, told


def tell(place: Place, plan: Policy, n: int, seed: int, years: Span) -> Story:
    """Return the story of one county through ``years[1]``; it starts a year before the plan's base year, or earlier."""
    story = begin(place, plan, n, seed)
    profile(story)
    baseline = _baseline(story)
    if baseline:
        _build(story, *baseline)
    programme = Drive(story) if place.drive else Programme(story)
    for year in range(min(years[0], place.programme.get("start", story.base_year - 1)), years[1] + 1):
        before = story.state.status.copy()
        programme.open_year(year)
        paid = story.state.evolve(year, story.stream(4, year)), np.zeros(n)
        programme.act(year, paid)
        story.close_year(year, paid, before)
        if baseline:
            _note(story, year, paid[0])
    programme.finish(years[1])
    _blanks(story, story.stream(6))
    return story


def _baseline(story: Story) -> tuple[float, int] | None:
    """Return the share of low-efficiency land that the document gives, and its year, where the sample is built to it."""
    wanted = [target for target in story.plan.targets if target.id == story.place.programme.get("built_on")]
    return (wanted[0].baseline.value, wanted[0].baseline.year) if wanted and wanted[0].baseline else None


def _build(story: Story, share: float, year: int) -> None:
    """Bring ``year`` to the share: the level of the 规下 by bisection, then the land of the low ones above 12 亩, exactly.

    Land stays where its factor would have to be far from 1 (too few enterprises).
    """
    shift, (low, high) = 0.0, (-2.5, 2.5)
    for _ in range(16 if len(story.firms) >= 20 else 0):
        shift = (low + high) / 2
        low, high = (shift, high) if low_share(*_trial(story, year, shift)) > share else (low, shift)
    shift = (low + high) / 2 if len(story.firms) >= 20 else 0.0
    story.state.mean += np.where(story.firms["above"], 0.0, shift)
    trial, _, tax = _trial(story, year, 0.0)
    land, members = trial.state.land, pool(trial, year)
    is_low = members & (tax / land < story.own_line(year, np.array(False)))
    moved = is_low & (land >= 12)
    rest = share / (1 - share) * land[members & ~is_low].sum() - land[is_low & ~moved].sum()
    factor = float(rest / land[moved].sum()) if moved.any() else 1.0
    factor = factor if 0.84 < factor < 1.2 else 1.0
    story.state.land = np.round(np.where(moved, land * factor, land), 2)
    story.notes |= {"level_shift_below": round(shift, 6), "land_factor": round(factor, 6)}


def _trial(story: Story, year: int, shift: float) -> tuple[Story, int, np.ndarray]:
    """Return a copy of the county taken to ``year`` with 规下 levels moved by ``shift``, the year, and its tax, 万元."""
    mean, tax = story.state.mean + np.where(story.firms["above"], 0.0, shift), np.zeros(0)
    trial = replace(story, state=replace(story.state, mean=mean))
    for each in (year - 1, year):
        tax = trial.state.evolve(each, story.stream(4, each))
    return trial, year, tax


def _note(story: Story, year: int, tax: np.ndarray) -> None:
    """Note how the year stands before any cell is left blank."""
    story.notes.setdefault("low_share_before_blanks", {})[year] = round(low_share(story, year, tax), 4)
    story.notes.setdefault("above_left_before_blanks", {})[year] = int(below_line(story, year, tax).sum())


def _blanks(story: Story, rng: np.random.Generator) -> None:
    """Leave a few cells blank before the base year (land only where an approved area stands), or as the programme says.

    What is said are numbers of small 规下 by year, never of the base year, so that gaps exist without turning every verdict.
    """
    state, n, known = story.state, len(story.firms), story.place.programme
    if "blank_tax" not in known:
        count: int = round(known["blank_share"] * n)
        for year in [snap.year for snap in story.years if snap.year < story.base_year]:
            for i in rng.choice(n, size=count, replace=False).tolist():
                (story.unknown_tax if rng.random() < 0.5 else story.unknown_land).append((i, year))
        return
    start, due = known["first_action"] - 1, min(story.plan.years.targets)
    small = np.flatnonzero(~state.above & (state.land < 16) & (state.land >= 10) & (state.first < story.base_year - 1))
    with_case = np.isin(small, [row["i"] for row in story.process])
    for year, count in known["blank_tax"].items():
        among = small[with_case if start <= year <= due else ~with_case]
        chosen = rng.choice(among, size=min(count, len(among)), replace=False).tolist()
        story.unknown_tax.extend((i, year) for i in chosen if state.status[i] == 0)


def _parameters(story: Story) -> dict[str, Any]:
    """Return the parameters behind a sample; levels are of ln(万元/亩)."""
    place, known = story.place, story.place.programme
    level = {side: list(getattr(place, side)[:2]) for side in ("above", "below")}
    made = {**TRUTH, "level": level, "treated_innovation_factor": CALM}
    if place.drive:
        response = {"year": story.base_year + 1, "line": float(story.own_line(story.base_year + 1, np.array(True)))}
        response |= {name: place.drive[name] for name in ("below_rate", "above_failed")}
        response |= {"closures_share": place.drive["closures"], "log_uplift_above_line_mean": known["top_up"]}
        return made | {"policy_response": response}
    response = {"first_year": known.get("first_action", story.base_year + 1)}
    response |= {name: known[name] for name in ("share_path", "above_left_path") if name in known}
    response |= {} if "share_path" in known else {"settled_each_year": known["settled"]}
    return made | {
        "policy_response": response | {"log_uplift_above_line_mean": known["uplift"], "near_line": known["near"]}
    }


def _built(story: Story) -> dict[str, Any]:
    """Return what was adjusted so that the base year shows the document's figure."""
    baseline = _baseline(story)
    if not baseline:
        return {}
    share, year = baseline
    note = f"基准年{year}年规下低效用地占比由程序调整规下企业水平和低效用地面积凑成{share:.1%}，不能用来验证任何读法。"
    return {"built_base_share": share, "built_base_year": year} | story.notes | {"built_note_zh": note}


class Shipped(NamedTuple):
    """One shipped ledger: file name without ending, and what `make` is called with."""

    name: str
    policy: str
    county: str
    years: Span
    seed: int


SHIPPED = (
    Shipped("zhoushan-dinghai", "zhoushan-2020", "定海区", (2017, 2020), 2020),
    Shipped("zhoushan-putuo", "zhoushan-2020", "普陀区", (2017, 2020), 2020),
    Shipped("zhoushan-daishan", "zhoushan-2020", "岱山县", (2017, 2020), 2020),
    Shipped("zhoushan-shengsi", "zhoushan-2020", "嵊泗县", (2017, 2020), 2020),
    Shipped("linshu", "linshu-2021", "临沭县", (2019, 2025), 20),
)
