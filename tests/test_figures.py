"""Figures and the shipped fonts."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from python_calamine import CalamineWorkbook

import lyeval as ly
from lyeval import figures
from lyeval.figures.chances import chance
from lyeval.figures.style import drawable, fit, goal_of, number, span
from lyeval.policy import documents

ROOT = Path(__file__).parents[1]
FONTS = ROOT / "lyeval/fonts"


def enterprises(n: int, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    tax = np.exp(rng.normal(0.5, 1.3, n))
    tax[: n // 10] = 0.0
    tax[n // 10 : n // 10 + 1] = np.nan
    frame = pd.DataFrame(
        {
            "credit_code": [f"{k:018d}" for k in range(n)],
            "class": [("above", "below")[k % 3 > 0] for k in range(n)],
            "township": [f"第{k * k % 23}镇街人民政府驻地工业园区管理委员会" for k in range(n)],
            "tax_per_mu": tax,
            "land_mu": rng.gamma(2, 15, n),
            "in_scope": True,
            "gone": False,
        }
    )
    frame["identified"] = [None if value != value else bool(value < 1) for value in tax]
    return frame


def targets() -> pd.DataFrame:
    columns = ["id", "label", "label_en", "value", "goal", "op", "low", "high", "status", "n", "unit", "reason"]
    rows = [
        (
            "a",
            "规上工业企业亩均税收全部达到1万元/亩",
            "Above-scale below 1",
            4.0,
            0.0,
            "le",
            4,
            6,
            "missed",
            120,
            "家",
            None,
        ),
        ("b", "规下低效用地占比", "Low land share", 0.1996, 0.2, "le", 0.1996, 0.1996, "met", 200, "%", None),
        (
            "c",
            "全县亩均税收" * 9,
            "Mean tax per mu" * 6,
            None,
            3.0,
            "ge",
            2.6,
            3.4,
            "undetermined",
            320,
            "万元/亩",
            None,
        ),
        ("d", "关停", "Closures", 31.0, 30.0, "ge", 31.0, 31.0, "met", 31, "家", None),
        ("e", "拆除", "Demolition", 12345.0, None, "ge", 12345.0, 12345.0, "undetermined", 3, "㎡", None),
        ("f", "区块", "Blocks", None, 0.9, "ge", None, None, "undetermined", 0, "%", "empty_class"),
        ("g", "达标率", "Share reached", 2 / 3, 0.9, "ge", 2 / 3, 2 / 3, "missed", 3, "%", None),
    ]
    return pd.DataFrame(rows, columns=columns)


def chances() -> pd.DataFrame:
    columns = ["id", "label", "probability", "mc_error", "p05", "p50", "p95", "unit", "goal", "op", "certain"]
    rows = [
        ("a", "规上清零", 0.31, 0.01, 0.0, 4.0, 8.0, "家", 0.0, "le", False),
        ("b", "低效用地占比", 0.999, 0.001, 0.12, 0.14, 0.166, "%", 0.2, "le", False),
        ("c", "亩均税收", 1.0, 0.0, 3.1, 3.1, 3.1, "万元/亩", 3.0, "ge", True),
        ("d", "无", None, None, None, None, None, "家", None, None, None),
    ]
    return pd.DataFrame(rows, columns=columns)


def over_readings() -> pd.DataFrame:
    rows = [
        ("a", 0, 384, 3.0, 9.0, []),
        ("b", 288, 384, 0.155, 0.243, ["x"]),
        ("c", 384, 384, 3.1, 3.1, []),
        ("z", 0, 0, None, None, []),
    ]
    return pd.DataFrame(rows, columns=["id", "met", "n", "lowest", "highest", "turned_by"])


def draw(name: str, lang: str, n: int = 400) -> Axes:
    lines = {"above": 2.0, "below": 1.0}
    return {
        "attainment": lambda: figures.attainment(targets(), lang=lang),
        "odds": lambda: figures.odds(chances(), lang=lang),
        "readings": lambda: figures.readings(over_readings(), targets=targets(), lang=lang),
        "tax_per_mu": lambda: figures.tax_per_mu(enterprises(n), lines, lang=lang),
        "townships": lambda: figures.townships(enterprises(n), lang=lang),
    }[name]()


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


NAMES = ("attainment", "odds", "readings", "tax_per_mu", "townships")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_no_words_overlap_or_leave_the_figure(name: str, lang: str) -> None:
    for n in (10, 400):
        ax = draw(name, lang, n)
        figure = ax.get_figure(root=True)
        FigureCanvasAgg(figure).draw()  # type: ignore[arg-type]
        low, high = ax.get_xlim()
        across = [tick for tick in ax.get_xticklabels() if low <= tick.get_position()[0] <= high]
        ticks = [*ax.get_yticklabels(), *across, ax.xaxis.label] if ax.axison else []
        labels = [text for text in (*ax.texts, *ticks) if text.get_text() and text.get_visible()]
        boxes = [(label.get_text(), label.get_window_extent()) for label in labels]
        whole = figure.bbox  # type: ignore[union-attr]
        for text, box in boxes:
            assert box.x0 >= -1, text
            assert box.x1 <= whole.width + 1, text
        for (one, a), (two, b) in combinations(boxes, 2):
            apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 - 3 <= b.y0 or b.y1 - 3 <= a.y0
            assert apart, (name, lang, n, one, two)
        figures.save(ax)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_the_same_twice_and_the_figure_is_closed(name: str) -> None:
    import matplotlib.pyplot as plt

    plt.close("all")
    first, second = (figures.save(draw(name, "zh")) for _ in range(2))
    assert first == second
    assert plt.get_fignums() == []
    svg, png = first
    assert png.startswith(b"\x89PNG")
    assert "<text" not in svg
    assert "<!--" not in svg
    assert len(svg) < 150_000
    assert not re.search(r"https?://", re.sub(r'xmlns(:\w+)?="[^"]*"|<!DOCTYPE[^>]*>', "", svg))


def results() -> dict[str, Axes | Figure]:
    """Every figure, drawn from results as an assessment, a forecast, … hold them."""
    firms = enterprises(60).assign(line=1.0)
    now = SimpleNamespace(targets=targets(), enterprises=firms)
    months = pd.DataFrame({"month": [0, 0, 6], "odds": [0.1, 0.8, 0.5], "came": [0.2, 0.7, 0.5], "n": [20, 30, 40]})
    swing = {"id": "a", "swing": 0.2, "label": "补税", "label_en": "top-up", "low": 0.0, "high": 1.0}
    moved = pd.DataFrame([swing | {"p_low": 0.3, "p_high": 0.5, "central": 0.4}])
    rules = [(x, y, h) for x in (1.0, 2.0) for y in (5.0, 10.0) for h in (1, 2)]
    swept = pd.DataFrame(rules, columns=["threshold", "floor", "horizon"]).assign(unit="count", side="a")
    swept = swept.assign(listed_share=0.2, land_share=0.1, near=swept["floor"], pass_share=0.3)
    sides = SimpleNamespace(plans=swept, points=swept.head(1).assign(label="舟山"))
    return {
        "attainment": figures.attainment(now),
        "odds": figures.odds(SimpleNamespace(targets=chances())),
        "readings": figures.readings(SimpleNamespace(targets=over_readings()), targets=now),
        "tax_per_mu": figures.tax_per_mu(now),
        "townships": figures.townships(now),
        "reliability": figures.reliability(SimpleNamespace(reliability=months)),
        "tornado": figures.tornado(SimpleNamespace(factors=moved)),
        "curve": figures.curve(pd.DataFrame({"cost_wan": [0.0, 70.0], "probability": [0.15, 0.2]})),
        "plans": figures.plans(sides),
        "timeline": figures.timeline(documents.timeline([ly.load_policy("linshu-2021")], [None])),
    }


def test_every_figure_takes_results_shows_itself_once_and_in_print_size() -> None:
    import matplotlib.pyplot as plt

    plt.close("all")
    drawn = results()
    assert {*drawn, "effect", "house", "picture", "save"} == set(figures.__all__)
    for name, one in drawn.items():
        figure = one if isinstance(one, Figure) else one.get_figure(root=True)
        assert one._repr_png_()[:4] == b"\x89PNG", name
        sizes = [t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
        assert min(sizes) >= 8.5, name
        assert figure.get_figwidth() < 6.3
    assert plt.get_fignums() == []


def test_results_and_their_frames_draw_the_same() -> None:
    given, frame = SimpleNamespace(enterprises=enterprises(60).assign(line=1.0)), enterprises(60)
    lines = {"above": 1.0, "below": 1.0}
    assert figures.save(figures.tax_per_mu(given)) == figures.save(figures.tax_per_mu(frame, lines))
    given = SimpleNamespace(targets=targets())
    assert figures.save(figures.attainment(given)) == figures.save(figures.attainment(targets()))


def test_the_two_ends_of_a_bar_differ_without_colour() -> None:
    ends = [patch.get_hatch() for patch in results()["tornado"].patches]
    assert ends == ["....", None]


def test_figures_do_not_depend_on_the_users_settings() -> None:
    import matplotlib as mpl

    before = figures.save(draw("tax_per_mu", "zh"))
    with mpl.rc_context({"font.family": "serif", "font.size": 20, "axes.grid": True, "svg.fonttype": "none"}):
        assert figures.save(draw("tax_per_mu", "zh")) == before


def test_attainment_says_value_goal_and_status() -> None:
    said = texts(draw("attainment", "zh"))
    assert "4 家\u3000× 未达标" in said
    assert "目标 = 0 家" in said
    assert "19.96%\u3000✓ 达标" in said
    assert "2.60–3.40 万元/亩\u3000? 暂不能判定" in said
    assert "目标未下达" in said
    assert "不涉及" in said
    assert "2/3\u3000× 未达标" in said
    english = texts(draw("attainment", "en"))
    assert "19.96%\u3000✓ met" in english
    assert "4 firms\u3000× missed" in english
    assert "2.60–3.40 RMB 10,000/mu\u3000? undetermined" in english
    assert "Closures" in english


def test_a_class_without_enterprises_has_no_line() -> None:
    firms = enterprises(40)
    below = firms.loc[firms["class"] == "below"]
    assert texts(figures.tax_per_mu(below, {"above": float("nan"), "below": 1.0}))
    assert texts(figures.tax_per_mu(below.iloc[:1], {"above": float("nan"), "below": float("nan")}))


def test_missing_cells_are_told_and_not_drawn() -> None:
    bare = pd.DataFrame(
        {"id": ["x"], "value": [np.nan], "goal": [np.nan], "status": [np.nan], "unit": [np.nan], "op": [None]}
    )
    assert texts(figures.attainment(bare)) == ["x", "—\u3000? 暂不能判定", "目标未下达", "0", "100%"]
    assert texts(figures.attainment(bare.iloc[:0])) == []


@pytest.mark.parametrize(
    ("probability", "certain", "zh"),
    [
        (0.31, False, "约30%"),
        (0.999, False, ">95%"),
        (0.0, False, "<5%"),
        (1.0, True, "已定：达标"),
        (0.0, True, "已定：不能达标"),
        (None, False, "—"),
    ],
)
def test_chances_are_round_and_never_certain_by_rounding(probability: float | None, certain: bool, zh: str) -> None:
    assert chance({"probability": probability, "certain": certain}) == zh


def test_readings_say_how_many() -> None:
    said = texts(draw("readings", "zh"))
    assert "384 种读法中 288 种达标" in said
    without = figures.readings(over_readings().assign(n=10368), targets=targets().assign(goal=[0, None, 3, 0, 0, 0, 0]))
    assert texts(without)[0] == "规上工业企业亩均税收全部达到1万元/亩"
    assert texts(without)[1] == "10,368 种读法中 0 种达标"
    assert "目标未下达" in texts(without)
    figures.save(without)
    assert "各读法取值 15.5%–24.3%\u3000目标 ≤ 20%" in said


def test_tax_per_mu_counts_every_enterprise_once() -> None:
    frame = enterprises(400)
    frame.loc[5, "in_scope"] = False
    ax = figures.tax_per_mu(frame, {"above": 2.0, "below": 1.0})
    heights = sum(abs(patch.get_height()) for patch in ax.patches)  # type: ignore[attr-defined]
    counted = frame[frame["in_scope"] & frame["tax_per_mu"].notna()]
    assert heights == len(counted)
    above = counted[counted["class"] == "above"]
    assert f"规上 {len(above)} 家，低于线 {(above['tax_per_mu'] < 2).sum()} 家" in texts(ax)
    assert "另有 1 家缺数据未绘" in ax.get_xlabel()
    figures.save(ax)


def test_a_value_on_the_line_is_not_below_it() -> None:
    frame = enterprises(3).assign(tax_per_mu=[1.0 - 1e-12, 1.0, 0.99], **{"class": "below"})
    ax = figures.tax_per_mu(frame, {"below": 1.0})
    assert "规下 3 家，低于线 1 家" in texts(ax)
    assert "规上 0 家" in texts(ax)
    figures.save(ax)


def test_townships_are_sorted_and_the_rest_stand_together() -> None:
    frame = enterprises(400)
    ax = figures.townships(frame, most=6)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert len(names) == 6
    assert names[-1].startswith("其余 ")
    land = sum(patch.get_width() for patch in ax.patches)  # type: ignore[attr-defined]
    assert land == pytest.approx(frame["land_mu"].sum())
    figures.save(ax)


@pytest.mark.parametrize("n", [9, 10])
def test_few_enterprises_get_no_percentage(n: int) -> None:
    frame = enterprises(n).assign(township="甲镇", identified=[True] * 2 + [False] * (n - 2), land_mu=10.0)
    ax = figures.townships(frame)
    assert texts(ax) == ["2/9 家" if n == 9 else "2/10 家 · 20.0%"]
    figures.save(ax)


@pytest.mark.parametrize(("n", "told"), [(9, "2/9"), (10, "20")])
def test_a_share_of_exactly_ten_is_a_percentage(n: int, told: str) -> None:
    row = {
        "id": "a",
        "label": "达到标准线",
        "value": 2 / n,
        "goal": 0.8,
        "op": "ge",
        "status": "missed",
        "unit": "share",
        "n": n,
    }
    ax = figures.attainment(pd.DataFrame([row]))
    assert [text for text in texts(ax) if told in text]
    figures.save(ax)


@pytest.mark.parametrize("name", ["tax_per_mu", "townships"])
def test_no_enterprises_draw_an_empty_figure(name: str) -> None:
    svg, _ = figures.save(draw(name, "zh", 0))
    assert svg.startswith("<?xml")


def test_row_order_changes_nothing() -> None:
    frame = enterprises(400)
    turned = frame.iloc[::-1].reset_index(drop=True)
    assert figures.save(figures.townships(frame))[0] == figures.save(figures.townships(turned))[0]
    lines = {"above": 1.0, "below": 1.0}
    assert figures.save(figures.tax_per_mu(frame, lines)) == figures.save(figures.tax_per_mu(turned, lines))


def test_words_of_numbers() -> None:
    assert number(0.2, "%") == "20.0%"
    assert number(-1.5, "万元/亩") == "−1.50 万元/亩"
    assert number(4.0, "家") == "4 家"
    assert number(1913.33, "m²") == "1,913 m²"
    assert [goal_of(goal, "") for goal in (0.2, 1.0, 0.125, 0.07)] == ["20%", "100%", "12.5%", "7%"]
    assert span(0.0, 8.0, "家") == "0–8 家"
    assert span(0.1, 0.2, "%") == "10.0%–20.0%"
    assert span(None, None, "家") == "—"
    assert fit("很长的名字很长的名字", 5) == "很长的名…"
    assert drawable("a\nb\u202e𓀀$x$") == "a b〓$x$"


def test_the_library_loads_no_matplotlib_by_itself() -> None:
    code = (
        "import sys, lyeval, lyeval.figures, lyeval.render; print('matplotlib' in sys.modules, 'jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]


def faces() -> list[Path]:
    return sorted(FONTS.glob("*.otf"))


def test_four_faces_are_shipped_with_licence_and_hashes() -> None:
    said = (FONTS / "README.md").read_text(encoding="utf-8")
    assert [face.name for face in faces()] == [
        f"Lyeval{kind}-{style}.otf" for kind in ("Sans", "Serif") for style in ("Bold", "Regular")
    ]
    assert sum(face.stat().st_size for face in faces()) < 14e6
    assert all(hashlib.sha256(face.read_bytes()).hexdigest() in said for face in faces())
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "OFL.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("face", faces(), ids=lambda face: face.stem)
def test_fonts_draw_every_character_of_gb2312_policies_and_samples(face: Path) -> None:
    covered = set(FT2Font(str(face)).get_charmap())
    gb2312 = "".join(bytes((r, c)).decode("gb2312", "ignore") for r in range(0xA1, 0xFF) for c in range(0xA1, 0xFF))
    wanted = set(gb2312) | set("□√✓●○→≥≤×²³㎡‰−–—…·①Ⅳ℃№〓䜣鿏")
    for file in sorted(ROOT.glob("parameters/**/*.yaml")):
        wanted |= set(file.read_text(encoding="utf-8"))
    for file in sorted(ROOT.glob("data/sample/*.xlsx")):
        sheet = CalamineWorkbook.from_path(file).get_sheet_by_index(0)
        wanted |= {char for row in sheet.to_python() for cell in row for char in str(cell)}
    assert sorted(char for char in wanted if ord(char) not in covered and not char.isspace()) == []


@pytest.mark.parametrize(("lang", "unit", "land"), [("zh", "万元/亩", "亩"), ("en", "RMB 10,000/mu", "mu")])
def test_every_axis_tells_its_unit(lang: str, unit: str, land: str) -> None:
    assert unit in draw("tax_per_mu", lang).get_xlabel()
    assert draw("tax_per_mu", lang).get_ylabel()
    assert land in draw("townships", lang).get_xlabel()
    for name in ("attainment", "odds"):
        told = " ".join(texts(draw(name, lang)))
        assert unit in told
        assert "%" in told


def test_states_differ_without_colour() -> None:
    from matplotlib.colors import to_rgb

    from lyeval.figures.style import LOOK, words

    def grey(colour: str) -> float:
        return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))

    marks = [(look.get("hatch", ""), grey(look["facecolor"])) for look in LOOK.values()]
    for a, b in combinations(marks, 2):
        assert a[0] != b[0] or abs(a[1] - b[1]) > 0.3
    signs = [word.split(" ")[0] for word in words("status", "zh").values() if " " in word]
    assert len(set(signs)) == len(signs) == 3


def test_colours_are_told_apart_by_the_colour_blind() -> None:
    from matplotlib.colors import to_rgb

    from lyeval.figures.style import BAD, GOOD

    deuteranopia = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    protanopia = np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]])
    for seen in (deuteranopia, protanopia):  # Machado, Oliveira and Fernandes 2009, severity 1
        good, bad = (seen @ np.array(to_rgb(colour)) for colour in (GOOD, BAD))
        assert np.abs(good - bad).max() > 0.3
