"""The disclosure rule, attacked: from the files of one public edition, or of two, no enterprise's tax or land is known within 15 %."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytauargus
import pytest
from attack import bounded, told_by
from build import ledger as make_ledger

import lyeval as ly
from lyeval import report
from lyeval.run import RunError
from lyeval.run.records import admit, private_of, read_private
from lyeval.tables.releasing import Release, releasable, reveals

PLANS = (("linshu-2021", 2023), ("zhoushan-2020", 2020), ("linshu-2021", 2025))
COUNTIES = 50
Rows = list[dict[str, Any]]


def county(seed: int) -> Rows:
    """Draw a county of few enterprises, some large, some blank, some without tax."""
    draw, rows = random.Random(seed), []
    for i in range(draw.randint(9, 16)):
        tax, land = round(draw.lognormvariate(3.0, 1.2), 2), round(draw.lognormvariate(3.0, 0.7), 2)
        tax = 0.0 if draw.random() < 0.1 else -tax if draw.random() < 0.03 else tax
        blank = draw.random()
        rows.append({
            "code": f"E{i:02d}", "township": draw.choice("甲乙丙"), "above": draw.random() < 0.4,
            "tax": None if blank < 0.06 else tax, "land": None if blank > 0.94 else land,
        })  # fmt: skip
    return rows


def tables_of(rows: Rows, plan: tuple[str, int] = PLANS[0]) -> dict[str, Any]:
    """Evaluate a county in earnest: the same figures in the plan's year and in the one before."""
    made = ledger_of({plan[1] - 1: rows, plan[1]: rows})
    return report.office_tables(ly.assess(made, policy_of(plan[0]), plan[1]))


def ledger_of(years: dict[int, Rows]) -> ly.Ledger:
    """Make the ledger of a county of which each year is given."""
    firms = {r["code"]: r["township"] for rows in years.values() for r in rows}
    annual = [
        {"credit_code": r["code"], "year": y, "tax_wan": r["tax"], "land_mu": r["land"], "above_scale": r["above"]}
        for y, rows in years.items()
        for r in rows
    ]
    named = [{"credit_code": code, "name": "企业" + code, "township": town} for code, town in firms.items()]
    return make_ledger(enterprises=named, annual=annual)


@cache
def policy_of(id: str) -> ly.Policy:
    return ly.load_policy(id)


def publish(tables: dict[str, Any], folder: Path, root: Path | None = None, *formats: str) -> Path:
    """Write a public edition; into ``root`` only if it may stand beside those there."""
    sums = tables["released"] if "released" in tables else report.released(tables)
    shown = {**report.public(tables, sums=sums), "run": {}}
    report.announce(shown, folder, formats=formats or ("html", "xlsx"))
    if root is not None:
        admit(root / folder.name, {"parameters": {}, "inputs": []}, (), shown, sums, "")
    return folder


@pytest.fixture(scope="module")
def counties() -> list[tuple[Rows, dict[str, Any]]]:
    drawn = [county(seed) for seed in range(COUNTIES)]
    made = [tables_of(rows, PLANS[seed % 3]) for seed, rows in enumerate(drawn)]
    return [(rows, tables | {"released": report.released(tables)}) for rows, tables in zip(drawn, made, strict=True)]


def test_one_edition_bounds_nobody(counties: list[tuple[Rows, dict[str, Any]]], tmp_path: Path) -> None:
    shown = 0
    for seed, (_, tables) in enumerate(counties):
        folder = publish(tables, tmp_path / str(seed))
        told = told_by(folder, tables)
        shown += len(told) > 0
        assert bounded(told) == [], seed
    assert shown > COUNTIES / 2


def another(rows: Rows, draw: random.Random) -> Rows:
    """Change a county as later editions differ: one more, one fewer, a blank filled, a correction, another cut-off, nothing."""
    rows, at = [dict(r) for r in rows], draw.randrange(len(rows))
    how = draw.randrange(6)
    if how == 0:
        rows.append({"code": "E99", "township": "甲", "above": False, "tax": 77.0, "land": 33.0})
    elif how == 1:
        del rows[at]
    elif how == 2:
        rows = [r | {k: 41.5 for k in ("tax", "land") if r[k] is None} for r in rows]
    elif how == 3:
        rows[at]["tax"] = (rows[at]["tax"] or 0.0) + 50.0
    elif how == 4:
        rows = [r | {"tax": r["tax"] and round(r["tax"] * draw.uniform(0.5, 2), 2)} for r in rows]
    return rows


def test_two_editions_bound_nobody_or_the_second_is_refused(
    counties: list[tuple[Rows, dict[str, Any]]], tmp_path: Path
) -> None:
    refused = []
    for seed, (rows, first) in enumerate(counties):
        root, draw = tmp_path / str(seed), random.Random(seed)
        root.mkdir()
        told = told_by(publish(first, root / "first", root, "html"), first)
        second = tables_of(another(rows, draw), PLANS[seed % 3])
        try:
            told += told_by(publish(second, root / "second", root, "html"), second)
        except RunError as error:
            refused.append((error.zh, error.misuse))
            continue
        owners = [r["code"] for r in draw.sample(rows, 2)]
        assert bounded(told, owners) == [], seed
    assert all("first" in words and not misuse for words, misuse in refused)
    assert COUNTIES / 5 < len(refused) < COUNTIES * 4 / 5


def test_editions_of_two_years_bound_nobody(tmp_path: Path) -> None:
    """Land that stays as it was gives by subtraction who came and who went: what would tell is left blank, and hides elsewhere nothing."""
    left, plain = 0, 0
    for seed in range(COUNTIES // 5):
        draw, rows = random.Random(seed), county(seed)
        later = [r | {"tax": r["tax"] and round(r["tax"] * draw.uniform(0.5, 2), 2)} for r in rows]
        later = [*later[draw.randrange(3) :], *five("丁")[: draw.randrange(3)]]
        made = ledger_of({2022: rows, 2023: rows, 2024: later})
        told, alone = [], []
        for year in (2023, 2024):
            now = ly.assess(made, policy_of("linshu-2021"), year)
            tables = report.office_tables(now)
            alone += told_by(publish(tables, tmp_path / f"{seed}-{year}-alone", None, "html"), tables)
            tables |= {"released": report.released(tables, report.earlier_land(now))}
            told += told_by(publish(tables, tmp_path / str(seed) / str(year), tmp_path / str(seed), "html"), tables)
        owners = [r["code"] for r in draw.sample(rows, 2)]
        assert bounded(told, owners) == [], seed
        plain += bounded(alone, owners[:1]) != []
        left += any(t.of for t in told)
    assert plain > COUNTIES / 25, "the attack finds who came and went where years are not held against each other"
    assert left > COUNTIES / 10


def five(town: str, *more: tuple[float | None, float | None]) -> Rows:
    figures = [*((30.0 + i, 20.0 + i) for i in range(5)), *more]
    return [
        {"code": f"{town}{i}", "township": town, "above": False, "tax": t, "land": a}
        for i, (t, a) in enumerate(figures)
    ]


def test_the_attack_finds_a_sum_that_was_held_back(tmp_path: Path) -> None:
    tables = tables_of([*five("甲"), *five("乙"), *five("丙", (4000.0, 30.0))])
    folder = publish(tables, tmp_path / "a")
    assert bounded(told_by(folder, tables)) == []
    table = folder / "tables" / "townships.csv"
    text = table.read_text(encoding="utf-8")
    assert "\n丙,,,,," in text
    table.write_text(text.replace("\n丙,,,,,", "\n丙,6,0,140,4160,29.71"), encoding="utf-8")
    assert {key[:2] for _, key, _, _ in bounded(told_by(folder, tables))} == {("tax", "丙5")}


def test_a_difference_with_the_ratio_gives_nobody_away(tmp_path: Path) -> None:
    """Tax over all and tax per mu over those with land once gave the tax of the one without, at full length."""
    rows = [*five("甲"), *five("乙", (259.94, None))]
    tables = tables_of(rows)
    folder = publish(tables, tmp_path / "a")
    total = report.load(folder / "tables")["townships"].set_index("township").loc[""]
    assert total["n"] == 10
    assert abs(total["tax_wan"] - total["tax_per_mu"] * total["land_mu"]) < 0.01 * total["land_mu"]
    assert total["tax_wan"] == round(sum(r["tax"] for r in rows if r["land"]))
    assert "259" not in (folder / "report.html").read_text(encoding="utf-8")
    assert bounded(told_by(folder, tables)) == []


def test_the_attack_finds_one_firm_more(tmp_path: Path) -> None:
    before, after = (tables_of([*five("甲", *more), *five("乙")]) for more in ((), ((77.0, 33.0),)))
    told = told_by(publish(before, tmp_path / "a"), before) + told_by(publish(after, tmp_path / "b"), after)
    assert {key for _, key, _, _ in bounded(told)} >= {("tax", "甲5", 77.0), ("land", "甲5", 33.0)}


def test_an_edition_beside_an_earlier_one(tmp_path: Path) -> None:
    before, after = (tables_of([*five("甲", *more), *five("乙")]) for more in ((), ((77.0, 33.0),)))
    publish(before, tmp_path / "first", tmp_path)
    kept = private_of(tmp_path / "first").read_bytes()
    with pytest.raises(RunError, match="first"):
        publish(after, tmp_path / "second", tmp_path)
    with pytest.raises(RunError, match="first"):
        publish(after, tmp_path / "first", tmp_path)
    assert private_of(tmp_path / "first").read_bytes() == kept
    publish(before, tmp_path / "third", tmp_path)
    later = tables_of([*five("甲", (77.0, 33.0)), *five("乙")], PLANS[2])
    with pytest.raises(RunError, match="first"):
        publish(later, tmp_path / "later", tmp_path)
    publish(tables_of([*five("甲"), *five("乙")], PLANS[2]), tmp_path / "later", tmp_path)
    many = tables_of([*five("甲"), *five("乙"), *five("丙")])
    publish(many, tmp_path / "many", tmp_path)
    assert len(list(tmp_path.glob("*.private.json"))) == 4


def test_an_edition_whose_private_part_is_gone_is_held_against_figure_by_figure(tmp_path: Path) -> None:
    before, after = (tables_of([*five("甲", *more), *five("乙")]) for more in ((), ((77.0, 33.0),)))
    (publish(before, tmp_path / "first", tmp_path) / "record.json").write_text("{}", encoding="utf-8")
    private_of(tmp_path / "first").unlink()
    publish(before, tmp_path / "same", tmp_path)
    private_of(tmp_path / "same").unlink()
    with pytest.raises(RunError, match="first"):
        publish(after, tmp_path / "other", tmp_path)


def test_a_file_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    private_of(tmp_path / "a").write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match=r"a\.private\.json"):
        publish(tables_of(five("甲")), tmp_path / "a", tmp_path)
    assert private_of(tmp_path / "a").read_text(encoding="utf-8") == "{}"
    assert read_private(tmp_path / "a") is None


def sums(name: str, **amounts: float) -> Release:
    return Release(name, {"tax": amounts})


@pytest.mark.parametrize(
    ("sets", "found"),
    [
        ([sums("nobody")], True),
        ([sums("two", a=50.0, b=50.0)], True),
        ([sums("three", a=50.0, b=50.0, c=50.0)], False),
        ([sums("fewest that hide 80", a=80.0, b=50.0, c=12.1)], False),
        ([sums("the second knows the first", a=80.0, b=50.0, c=11.9)], True),
        ([sums("nothing", a=0.0, b=0.0, c=0.0)], True),
        ([sums("all", a=9.0, b=9.0, c=9.0, d=9.0), sums("all but one", a=9.0, b=9.0, c=9.0)], True),
        ([sums("all", a=9.0, b=9.0, c=9.0, d=9.0, e=9.0, f=9.0), sums("half", a=9.0, b=9.0, c=9.0)], False),
        ([sums("refund", a=80.0, b=50.0, c=-40.0, d=11.0)], True),
    ],
    ids=lambda value: value[-1].name if isinstance(value, list) else "",
)
def test_what_reveals(sets: list[Release], found: bool) -> None:
    assert reveals(sets) is found


def test_sums_across_each_other_reveal_by_subtraction_alone() -> None:
    """Two ways to divide the same enterprises: each set is wide, the corner of both is one enterprise."""
    codes = {f"{town}{i}": 10.0 for town in "ab" for i in range(4)}
    towns = [sums(t, **{c: v for c, v in codes.items() if c[0] == t}) for t in "ab"]
    total, large = sums("all", **codes), sums("large", a0=10.0, b0=10.0, b1=10.0, b2=10.0, b3=10.0)
    assert not reveals([total, *towns])
    assert not reveals([total, large])
    assert reveals([total, *towns, large])
    assert [r.name for r in releasable([[total], [towns[0]], [towns[1]], [large]])] == ["all", "a", "b"]


def argus(firms: pd.DataFrame, folder: Path) -> dict[str, str]:
    """Return how τ-ARGUS marks each township and the total: S shown, U unsafe by itself, M held back besides."""
    columns = {"township": firms["township"].tolist(), "tax": firms["tax"].tolist()}
    made = pytauargus.protect(
        columns, tables=["township"], response="tax", safety_rules="P(15,1)|FREQ(3,0)", workdir=str(folder)
    )
    lines = [line.split(";") for line in Path(made.files["tab1"]).read_text(encoding="utf-8").splitlines() if line]
    return {line[0].strip('"'): line[4] for line in lines}


def test_beside_tau_argus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the statistical offices' engine finds unsafe in townships and a total is held back here, and about as many in all."""
    monkeypatch.chdir(tmp_path)  # it leaves its own files in the working folder
    held, reference = 0, 0
    for seed in range(40):
        firms = pd.DataFrame([r for r in county(seed) if (r["tax"] or 0.0) >= 7 and r["land"]])
        firms["township"] = firms["township"].map(dict(zip("甲乙丙", "abc", strict=True)))  # it knows ASCII only
        marks = argus(firms, tmp_path / str(seed))
        towns = {t: sums(t, **dict(zip(p["code"], p["tax"], strict=True))) for t, p in firms.groupby("township")}
        total = sums("Total", **dict(zip(firms["code"], firms["tax"], strict=True)))
        largest = sorted(towns, key=lambda t: (-len(towns[t].amounts["tax"]), t))
        shown = {r.name for r in releasable([[total], *([towns[t]] for t in largest)])}
        assert not shown & {name for name, mark in marks.items() if mark == "U"}, seed
        if marks["Total"] == "S":
            held += len(marks) - len(shown)
            reference += sum(mark != "S" for mark in marks.values())
    assert reference > 20
    assert held <= 1.25 * reference
