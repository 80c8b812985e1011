"""Every chart in both languages: the finding, the source, the marks, and no empty boxes.

Warnings are errors in this suite, and matplotlib warns of every character without a glyph.
"""

from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import cxstats as cx
from cxstats.charts import fonts, style
from cxstats.charts.trajectory import middle

NAMES = {"en": ["silos", "delay", "match"], "zh": ["渠道割裂", "响应延迟", "匹配度低"]}
CHANGES = pd.DataFrame(
    {
        "indicator": ["用户", "投诉率", "成本"],
        "before": [380, 0.8, 125],
        "after": [1250, 0.9, 68],
        "change": ["+229 %", "+0.1", "−45.6 %"],
        "better": ["up", "down", ""],
    }
)
PERIODS = ["2019Q1", "2019Q3", "2020Q1", "2020Q4"]


def draw(name, lang, **more):
    names = NAMES[lang]
    more = {"source": "S1", "lang": lang, **more}
    match name:
        case "pareto":
            return cx.charts.pareto(names, [50, 30, 20], **more)
        case "shares":
            return cx.charts.shares(names, [50, 30, 20], **more)
        case "weights":
            return cx.charts.weights(names, [50, 30, 20], has_data=[True, False, False], **more)
        case "before_after":
            return cx.charts.before_after(CHANGES, **more)
        case "trajectory":
            axes = more.pop("ax", None)
            more["axes"] = [axes] if axes is not None else None
            return cx.charts.trajectory(PERIODS, {names[0]: [8.3, 12.7, 18.2, 23.5]}, **more)[0]
        case "reported_effects":
            return cx.charts.reported_effects(names, [40, -18, -71], **more)
    raise AssertionError(name)


ALL = ["pareto", "shares", "weights", "before_after", "trajectory", "reported_effects"]


def texts(ax):
    ax.figure.canvas.draw()  # lays out, and warns of missing glyphs
    return [text.get_text() for text in ax.figure.findobj(plt.Text)]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ALL)
def test_title_and_source(name, lang):
    ax = draw(name, lang)
    shown = texts(ax)
    assert ax.figure.get_suptitle()
    source = {"en": "Source: S1", "zh": "来源：S1"}[lang]
    assert any(source in text for text in shown)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ALL)
def test_on_axes_of_the_caller(name, lang):
    _, ax = plt.subplots(layout="constrained")
    assert draw(name, lang, ax=ax) is ax
    shown = texts(ax)
    assert ax.get_title(loc="left")
    assert not ax.figure.get_suptitle()
    assert any("S1" in text for text in shown)


@pytest.mark.parametrize("name", ALL[:-1])
def test_synthetic_data_are_marked(name):
    assert "SYNTHETIC DATA" in texts(draw(name, "en", synthetic=True))
    assert "合成数据" in texts(draw(name, "zh", synthetic=True))
    assert "SYNTHETIC DATA" not in texts(draw(name, "en"))


def test_effects_are_marked_as_reported():
    shown = texts(draw("reported_effects", "en", contradicted=[False, False, True]))
    assert "AS REPORTED" in shown
    assert "contradicted" in shown
    assert any("not to be compared" in text for text in shown)


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ([28, 25, 22, 15, 10], "A and b together make up 53 % of churn"),
        ([10, 15, 22, 25, 28], "E and d together make up 53 % of churn"),
        ([60, 10, 10, 10, 10], "A alone makes up 60 % of churn"),
        ([1, 1, 1, 1, 1], "A, b and c together make up 60 % of churn"),
    ],
)
def test_pareto_states_what_makes_up_half(values, title):
    ax = cx.charts.pareto(list("abcde"), values, whole="churn", source="S")
    assert ax.figure.get_suptitle() == title
    line = ax.get_lines()[0].get_ydata()
    assert line[-1] == pytest.approx(100)
    assert all(b >= a for a, b in pairwise(line))


def test_weights_state_what_is_covered():
    ax = cx.charts.weights(list("ab"), [0.45, 0.55], source="S", has_data=[True, False])
    assert ax.figure.get_suptitle() == "Only 45 % of the weight has published data behind it"
    for has_data in (None, [True, True]):
        ax = cx.charts.weights(list("ab"), [0.45, 0.55], source="S", has_data=has_data)
        assert ax.figure.get_suptitle() == "B weighs most: 55 %"


def test_before_after_counts_directions():
    ax = cx.charts.before_after(CHANGES, source="S")
    assert ax.figure.get_suptitle() == "1 of 2 indicators moved in the desired direction"
    colours = {line.get_color() for line in ax.get_lines()}
    assert {style.GOOD, style.BAD, style.NEUTRAL} <= colours


def test_a_row_runs_over_its_scale():
    """The NPS has no origin at 0, and may be negative."""
    table = pd.DataFrame({
        "indicator": ["NPS", "steps"], "before": [-50.0, 10.0], "after": [50.0, 5.0],
        "change": ["+100", "−50 %"], "better": ["up", "down"],
        "lowest": [-100.0, float("nan")], "highest": [100.0, float("nan")],
    })  # fmt: skip
    ax = cx.charts.before_after(table, source="S")
    assert [line.get_xdata().tolist() for line in ax.lines[:2]] == [[0.25, 0.75], [1.0, 0.5]]
    assert "NPS: from −100 to 100." in ax.figure.get_supxlabel()
    with pytest.raises(cx.CxError, match=r"'NPS' has -101.0; allowed: -100 to 100"):
        cx.charts.before_after(table.assign(before=[-101.0, 1.0]), source="S")
    changes = cx.audit().changes("F072", "F073")
    assert changes["lowest"].tolist()[0] == -100
    assert changes["lowest"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("last", "finding"),
    [
        ((2, 3), "All 2 series rise from 2019 to 2020"),
        ((0.5, 0), "All 2 series fall from 2019 to 2020"),
        ((2, 0), "Of 2 series, 1 rise and 1 fall from 2019 to 2020"),
    ],
)
def test_several_series_have_one_finding(last, finding):
    series = {"a": [1, last[0]], "b": [1, last[1]]}
    panels = cx.charts.trajectory(["2019", "2020"], series, source="S", changes={"a": "+100 %"})
    assert panels[0].figure.get_suptitle() == finding


def test_time_axis_is_true():
    times = [middle(period).toordinal() for period in PERIODS]
    gaps = [b - a for a, b in pairwise(times)]
    # Two, two and three quarters apart, give or take the lengths of months.
    assert [round(gap / 91.3) for gap in gaps] == [2, 2, 3]
    assert middle("2019-03-31").hour == 11
    ax = draw("trajectory", "en")
    assert list(ax.get_lines()[0].get_xdata(orig=False)) == sorted(ax.get_xticks())


def test_audit_plot():
    ax = cx.audit().plot()
    assert ax.figure.get_suptitle().startswith("10 of 10 printed changes reproduce, 3")
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[-1] == "Bank A: digital transformation"  # the one with most figures
    assert names[0] == "18 cases with 1 or 2 figures each"
    assert len(names) == 6
    assert "of the other 98, 19 pass a check" in ax.figure.get_suptitle().replace("\n", " ")
    bars = sum(patch.get_width() for patch in ax.patches)
    assert bars == 111
    texts(cx.audit().plot(lang="zh"))


BAD = [
    (lambda: cx.charts.pareto([], [], source="S"), "0 names, but 0 values"),
    (lambda: cx.charts.pareto(["a"], [1, 2], source="S"), "1 names, but 2 values"),
    (lambda: cx.charts.pareto(["a", "b"], [1, -2], source="S"), "'b' has -2"),
    (lambda: cx.charts.pareto(["a"], [float("nan")], source="S"), "'a' has nan"),
    (lambda: cx.charts.shares(["a"], ["many"], source="S"), "'a' has 'many'"),
    (lambda: cx.charts.shares(["a"], [0], source="S"), "all values are 0"),
    (lambda: cx.charts.weights(["a"], [1], has_data=[True, True], source="S"), "2 flags for 1"),
    (lambda: cx.charts.before_after(CHANGES.drop(columns="after"), source="S"), "column 'after'"),
    (
        lambda: cx.charts.before_after(CHANGES.assign(better="more"), source="S"),
        "column 'better': 'more'",
    ),
    (lambda: cx.charts.trajectory(["19Q9"], {"a": [1]}, source="S"), "period '19Q9' cannot"),
    (
        lambda: cx.charts.trajectory(["2020", "2019"], {"a": [1, 2]}, source="S"),
        "periods must be in order",
    ),
    (lambda: cx.charts.trajectory(["2020"], {}, source="S"), "at least one series"),
    (
        lambda: cx.charts.trajectory(["2020"], {"a": [1]}, source="S", stages=["x", "y"]),
        "2 stages for 1 periods",
    ),
    (lambda: cx.charts.reported_effects(["a"], [float("inf")], source="S"), "'a' has inf"),
    (lambda: cx.charts.reported_effects(["a"], ["many"], source="S"), "'a' has 'many'"),
    (lambda: cx.charts.trajectory([""], {"a": [1]}, source="S"), "period '' cannot"),
    (lambda: cx.charts.pareto(["a"], [1], source="S", lang="fr"), "lang='fr'"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises(cx.CxError, match=message):
        call()


def test_a_dollar_is_a_dollar():
    ax = cx.charts.weights([r"$\foo$ 50 $", "b"], [1, 2], source="60 $ and $x^2$")
    assert any(r"$\foo$ 50 $" in text for text in texts(ax))


def test_numbers_are_written_as_they_are():
    table = CHANGES[:1].assign(before=12345678, after=0.1 + 0.2)
    shown = texts(cx.charts.before_after(table, source="S"))
    assert {"12,345,678", "0.3"} <= set(shown)
    assert cx.charts.before_after(CHANGES[:1], source="S").figure.get_suptitle() == (
        "The indicator moved in the desired direction"
    )


def test_narrow_shares_are_named_in_a_legend():
    ax = cx.charts.shares(["most", "little", "least"], [97, 2, 1], source="S")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "most: 97 %",
        "little: 2 %",
        "least: 1 %",
    ]


def test_settings_stay_as_they_were():
    before = dict(plt.rcParams)
    draw("pareto", "zh")
    assert dict(plt.rcParams) == before


def test_chinese_font_is_found():
    # The zhplot package of the notebooks' group carries one, whatever the machine has.
    assert fonts.chinese_font()
    assert fonts.families("zh") == [fonts.chinese_font(), fonts.LATIN]
    assert fonts.families("en") == [fonts.LATIN, fonts.chinese_font()]


def test_without_a_chinese_font_labels_are_english(monkeypatch):
    monkeypatch.setattr(fonts, "chinese_font", lambda: None)
    fonts._warn_once.cache_clear()
    with pytest.warns(fonts.MissingFontWarning, match="pip install zhplot"):
        ax = cx.charts.pareto(["a", "b"], [3, 1], source="S", lang="zh")
    assert ax.figure.get_suptitle() == "A alone makes up 75 % of the total"
    cx.charts.pareto(["a", "b"], [3, 1], source="S", lang="zh")  # warns once, not twice


def test_font_is_found_in_the_package_alone(monkeypatch):
    manager = fonts.font_manager
    latin = [f for f in manager.fontManager.ttflist if f.name == fonts.LATIN]
    monkeypatch.setattr(manager.fontManager, "ttflist", latin)
    monkeypatch.setattr(manager, "findSystemFonts", list)
    assert fonts.chinese_font.__wrapped__() == "Noto Sans SC"


@pytest.mark.parametrize(
    ("text", "columns", "folded"),
    [
        ("short", 10, "short"),
        ("two words here", 10, "two words\nhere"),
        ("卓越客户体验企业营收", 10, "卓越客户体\n验企业营收"),
        ("客户体验，营收", 8, "客户体验，\n营收"),
    ],
)
def test_fold(text, columns, folded):
    assert style.fold(text, columns) == folded
