"""Every figure of a run traces to how it is made, its clause and the ledger's rows; the counted add up to the value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

import lyeval as ly
from lyeval import report, resources
from lyeval.cli import main
from lyeval.render import Document, to_html
from lyeval.report import tracing
from lyeval.run import difference, open_run

CASES = {
    "linshu": ("linshu-2021", 2023, {}),
    "zhoushan-dinghai": ("zhoushan-2020", 2020, {"closures": 22, "demolition": 13500, "blocks": 3}),
}


@pytest.fixture(scope="module", params=list(CASES))
def sample(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """A sample's tables, with its name."""
    name = request.param
    plan, year, quotas = CASES[name]
    policy, ledger = ly.load_policy(plan), ly.read_ledger(f"sample:{name}")
    made = report.assessment_tables(
        ly.assess(ledger, policy, year, quotas=quotas), ly.readings(ledger, policy, year, quotas=quotas)
    )
    return name, made | report.ledger_tables(ledger, policy)


@pytest.fixture(scope="module")
def document(sample: tuple[str, dict[str, Any]]) -> Document:
    """The sample's report."""
    return report.build_report(sample[1])


@pytest.fixture(scope="module")
def page(document: Document) -> str:
    """The sample's page."""
    return to_html(document)


def test_every_id_traces(sample: tuple[str, dict[str, Any]]) -> None:
    _, tables = sample
    ids = tracing.ids(tables)
    assert len(ids) == len(set(ids)) > 1000
    figures: dict[tuple[str, str], list[str]] = {}
    for id in ids:
        figures.setdefault((id.partition("/")[0], id.rpartition("/")[2]), []).append(id)
    ends = dict.fromkeys(id for alike in figures.values() for id in (alike[0], alike[len(alike) // 2], alike[-1]))
    for place, id in enumerate(ends):
        made = tracing.trace(tables, id, lang=("zh", "en")[place % 2])  # type: ignore[arg-type]
        assert made.formula
        assert made.label
        assert not re.search(r"[{}]", made.formula)
    for id in (id for id in ids if id.startswith(("targets/", "criteria/"))):
        assert tracing.trace(tables, id).clause, id


def test_the_counted_add_up_to_the_value(sample: tuple[str, dict[str, Any]]) -> None:
    _, tables = sample
    for row in tables["targets"].to_dict("records"):
        members = tracing.trace(tables, f"targets/{row['id']}/{row['year']}/value").members
        counted = members[members["counted"].eq(True)]
        part, whole = counted["part"].sum(), counted["whole"].sum()
        value = part / whole if row["kind"] in ("share", "mean") else part
        assert value == pytest.approx(row["value"], rel=1e-12), row["id"]


def test_rows_are_those_of_the_workbook(sample: tuple[str, dict[str, Any]]) -> None:
    name, tables = sample
    first = tables["targets"].iloc[0]
    rows = tracing.trace(tables, f"targets/{first['id']}/{first['year']}/value").rows
    book = CalamineWorkbook.from_path(str(resources.sample(name)[0]))
    sheets = {sheet: book.get_sheet_by_name(sheet).to_python(skip_empty_area=False) for sheet in rows["sheet"].unique()}
    assert {"企业", "年度"} <= set(sheets)
    for row in rows.to_dict("records"):
        assert row["credit_code"] in sheets[row["sheet"]][row["row"] - 1]
    assert set(rows["file"]) == {f"{name}.xlsx"}


def test_the_page_carries_the_ids_of_the_targets(sample: tuple[str, dict[str, Any]], page: str) -> None:
    _, tables = sample
    told = set(re.findall(r'data-id="([^"]+)"', page))
    for row in tables["targets"].to_dict("records"):
        assert f"targets/{row['id']}/{row['year']}/value" in told


def test_a_printed_figure_finds_its_cell_typed_with_unit_or_sign(
    sample: tuple[str, dict[str, Any]], document: Document
) -> None:
    name, tables = sample
    row = tables["targets"].to_dict("records")[-1 if name == "linshu" else 1]
    id = f"targets/{row['id']}/{row['year']}/value"
    told = f"{row['value']:.1%}"
    assert id in [one.id for one in tracing.find(document, told)]
    listed = int(tables["bridge"]["listed"].iloc[0])
    for typed in (f"{listed}", f"{listed}家", f" {listed} 家"):
        assert "bridge/all//listed" in [one.id for one in tracing.find(document, typed)], typed
    assert tracing.find(document, "no figure") == []
    assert tracing.find(document, f"{listed}万元") == []


@pytest.mark.parametrize("id", ["targets", "targets/nobody/2023/value", "nothing/a/b", "enterprises//tax_wan", ""])
def test_unknown_ids(sample: tuple[str, dict[str, Any]], id: str) -> None:
    with pytest.raises(KeyError):
        tracing.trace(sample[1], id)


def test_command(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from lyeval.run import compute, load_run
    from lyeval.run.production import made_from
    from lyeval.run.records import record

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "a.yaml").write_text(
        "policy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\ndraws: 100\n", encoding="utf-8"
    )
    compute("reports/a/tables", policy="zhoushan-2020", ledger="sample:zhoushan-shengsi", year=2020, draws=100)
    run = load_run(tmp_path / "a.yaml")
    told = record(tmp_path / "reports/a", "a", made_from(run))
    lyeval = _runner(capsys)
    code, out, _ = lyeval("trace", "a", "targets/below_scale_reach/2020/value")
    assert code == 0
    assert "18家÷计入25家" in out
    assert re.search(r"annual\s+2020\s+zhoushan-", out)
    assert told["fingerprint"] in out
    assert (
        "18 firms on the counted side"
        in lyeval("trace", "a", "targets/below_scale_reach/2020/value", "--lang", "en")[1]
    )
    assert "targets/below_scale_reach/2020/value" in lyeval("trace", "a")[1].splitlines()
    assert "targets/below_scale_reach/2020/value" in lyeval("trace", "a", "72.0%")[1]
    code, _, err = lyeval("trace", "a", "targets/below_scale_reach/2020/valeu")
    assert (code, "below_scale_reach/2020/value" in err) == (2, True)
    code, _, err = lyeval("trace", "a", "zzz")
    assert (code, len(err.splitlines())) == (2, 1)
    assert lyeval("trace", "nobody")[0] == 2
    assert difference(open_run("a"), open_run("a")).causes() == ()
    (tmp_path / "reports/a/tables/types.json").unlink()
    code, _, err = lyeval("trace", "a")
    assert (code, "lyeval verify" in err) == (1, True)


def _runner(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def test_every_figure_of_a_sentence_has_an_id_that_the_page_carries(
    sample: tuple[str, dict[str, Any]], document: Document, page: str
) -> None:
    _, tables = sample
    spoken = [
        one
        for one in tracing.printed(document)
        if one.where not in {b.title for b in document.blocks if hasattr(b, "title")}
    ]
    assert len(spoken) > 60
    written = page.replace("&#39;", "'")
    for one in spoken:
        assert f'data-id="{one.id}">{one.text}' in written, one.id
        assert tracing.trace(tables, one.id).id == one.id


def test_a_count_over_chosen_rows_leads_to_those_rows(sample: tuple[str, dict[str, Any]]) -> None:
    _, tables = sample
    target = tables["deciding"]["target"].iloc[0]
    mine = tables["deciding"][tables["deciding"]["target"] == target]
    made = tracing.trace(tables, f"deciding[target={target}]/count")
    assert made.value == len(mine)
    assert set(made.rows["credit_code"]) == set(mine["credit_code"])
    summed = tracing.trace(tables, f"deciding[target={target}]/sum:tax_needed_wan")
    assert summed.value == pytest.approx(mine["tax_needed_wan"].sum())
    with pytest.raises(KeyError):
        tracing.trace(tables, "deciding[nothing=1]/count")
