"""Charts for tracking metrics: finding, positions, marks, and labels that stand apart."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.dates import date2num

import cxstats as cx
from cxstats.charts import (
    before_after_panels,
    control_chart,
    funnel,
    nps_bars,
    nps_region,
    power_curve,
    style,
)
from cxstats.charts.nps_bars import PANEL
from cxstats.charts.nps_region import band
from cxstats.charts.nps_region import ends as region_ends
from cxstats.core.errors import CxError

NAMES = {"en": ["App", "Hotline", "Branch"], "zh": ["手机银行", "热线", "网点"]}
LONG = {
    "en": "Complaint handling speed and follow-up",
    "zh": "手机银行应用稳定性与响应速度（含登录与转账环节）",
}
SHARES = {
    "promoters": [0.5, 0.7, 0.3],
    "passives": [0.3, 0.2, 0.35],
    "detractors": [0.2, 0.1, 0.35],
}
SCORES, LOW, HIGH = [30, 60, -5], [22, 53, -14], [38, 67, 4]
STAGES = {"en": ["Visit", "Start", "Finish"], "zh": ["访问", "开始", "完成"]}
WAVES = list(range(1, 9))
ESTIMATES = [30.0, 32, 28, 31, 60, 58, 45, 62]
# Wave 7 lies inside its limits, but in a run on one side.
SIGNALS = [False] * 4 + [True] * 4


def waves(lang="en", **more):
    centre = np.full(8, 30.0)
    half = np.array([10.0, 12, 10, 8, 10, 10, 20, 10])
    given = {
        "waves": WAVES,
        "estimates": ESTIMATES,
        "ci_low": np.array(ESTIMATES) - 6,
        "ci_high": np.array(ESTIMATES) + 6,
        "centre": centre,
        "lower": centre - half,
        "upper": centre + half,
        "signals": SIGNALS,
        "changes": [4],
        "source": "S1",
        "lang": lang,
        **more,
    }
    return control_chart(**given)


def bars(lang="en", **more):
    given = {"groups": NAMES[lang], **SHARES, "scores": SCORES, "low": LOW, "high": HIGH, **more}
    return nps_bars(**{"source": "S1", "lang": lang, "n": [400, 500, 300], **given})


def panels(lang="en", **more):
    given = {
        "units": ["min", "%", ""],
        "better": ["down", "up", "up"],
        "kinds": ["amount", "rate", "index"],
        "before_ci": [[8, 12], [50, 60], [np.nan] * 2],
        "after_ci": [[4, 6], [58, 70], [np.nan] * 2],
        **more,
    }
    return before_after_panels(
        ["a", "b", "c"], [10, 55, 32], [5, 64, 68], source="S1", lang=lang, **given
    )


def draw(name, lang="en", **more):
    match name:
        case "nps":
            return bars(lang, **more)
        case "control":
            return waves(lang, **more)
        case "funnel":
            return funnel(STAGES[lang], [1000, 400, 300], **{"source": "S1", "lang": lang, **more})
        case "region":
            return nps_region([32, 68], **{"source": "S1", "lang": lang, **more})
        case "power":
            n, power = [100, 200, 400, 800], [0.3, 0.55, 0.8, 0.95]
            given = {"source": "S1", "lang": lang, "chosen": 400, "target": 0.8, **more}
            return power_curve(n, power, **given)
        case "panels":
            if more.pop("ax", None) is not None:
                raise AssertionError(name)
            return panels(lang, **more)[0]
    raise AssertionError(name)


TITLES = {
    "nps": {
        "en": "Hotline has the highest NPS (60.0), Branch the lowest (−5.0)",
        "zh": "热线的净推荐值最高（60.0），网点最低（−5.0）",
    },
    "control": {
        "en": "The level rises at wave 5; 4 of 8 waves are signals",
        "zh": "自第 5 轮起水平上升；8 轮中有 4 轮发出信号",
    },
    "funnel": {
        "en": "The weakest step is from Visit to Start: 40.0\u00a0% go on",
        "zh": "漏斗中最弱的一步是从访问到开始：转化率 40.0%",
    },
    # Printed as 32: 31.5 to 32.5, so promoters from 31.5 % (no detractors) to (1 + .325) / 2.
    "region": {
        "en": "NPS 32 and 68 leave the shares open: promoters may be "
        "31.5 to 66.3\u00a0%, then 67.5 to 84.3\u00a0%",
        "zh": "净推荐值 32 与 68 无法确定各类占比：推荐者可能先为 31.5% 至 66.3%，"
        "后为 67.5% 至 84.3%",
    },
    "power": {
        "en": "400 answers in the first group find the difference with a power of 80\u00a0%",
        "zh": "第一组有 400 份回答时，发现该差异的检验效能为 80%",
    },
    "panels": {
        "en": "All 3 indicators moved in the desired direction, 1 of them beyond their intervals",
        "zh": "3 项指标全部向理想方向变化，其中 1 项的区间不重叠",
    },
}
LANGS = pytest.mark.parametrize("lang", ["en", "zh"])
EACH = pytest.mark.parametrize("name", TITLES)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def titled(ax):
    return ax.figure.get_suptitle().replace("\n", " ").replace("\u00a0", " ")


def texts(ax):
    ax.figure.canvas.draw()  # lays out, and warns of missing glyphs
    return [text.get_text() for text in ax.figure.findobj(plt.Text)]


def said(ax, words):
    return any(words in text.replace("\n", " ") for text in texts(ax))


def undrawn(ax):
    """Return the names of ticks that are not drawn, outside the view or of axes without any."""
    found = []
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not ax.axison or not low <= tick.get_loc() <= high:
                found += [tick.label1, tick.label2]
    return found


def assert_texts_apart(ax):
    """No two words on the chart touch, and none leaves the figure."""
    ax.figure.canvas.draw()
    hidden = [text for one in ax.figure.axes for text in undrawn(one)]
    found = [text for text in ax.figure.findobj(plt.Text)
             if text.get_text() and text.get_visible() and text not in hidden]  # fmt: skip
    boxes = [(text.get_text(), text.get_window_extent()) for text in found]
    for (one, first), (two, second) in combinations(boxes, 2):
        assert not first.shrunk(0.98, 0.9).overlaps(second.shrunk(0.98, 0.9)), (one, two)
    whole = ax.figure.bbox
    for words, box in boxes:
        assert whole.x0 - 1 <= box.x0, words
        assert box.x1 <= whole.x1 + 1, words


@LANGS
@EACH
def test_title_and_source(name, lang):
    ax = draw(name, lang)
    shown = texts(ax)
    # A line of Chinese may end at a space, which is not kept.
    title, expected = ax.figure.get_suptitle(), TITLES[name][lang]
    assert title.replace("\n", " ") == expected or (
        lang == "zh" and "".join(title.split()) == "".join(expected.split())
    )
    assert any({"en": "Source: S1", "zh": "来源：S1"}[lang] in text for text in shown)
    assert draw(name, lang, title="Mine").figure.get_suptitle() == "Mine"


@LANGS
@EACH
def test_no_words_touch(name, lang):
    assert_texts_apart(draw(name, lang))
    assert_texts_apart(draw(name, lang, synthetic=True))


@LANGS
@pytest.mark.parametrize("name", [name for name in TITLES if name != "panels"])
def test_on_axes_of_the_caller(name, lang):
    figure, axes = plt.subplots(2, 2, figsize=(14, 10), layout="constrained")
    assert draw(name, lang, ax=axes[0, 1]) is axes[0, 1]
    shown = texts(axes[0, 1])
    assert axes[0, 1].get_title(loc="left")
    assert not figure.get_suptitle()
    assert any("S1" in text for text in shown)


@EACH
def test_synthetic_data_are_marked(name):
    assert "SYNTHETIC DATA" in texts(draw(name, synthetic=True))
    assert "合成数据" in texts(draw(name, "zh", synthetic=True))
    assert "SYNTHETIC DATA" not in texts(draw(name))


@EACH
def test_the_same_call_gives_the_same_picture(name):
    pictures = []
    for _ in range(2):
        figure = draw(name).figure
        figure.canvas.draw()
        pictures.append(np.asarray(figure.canvas.buffer_rgba()).copy())
    np.testing.assert_array_equal(*pictures)


# NPS bars


def score_of(ax, x):
    """Read a score off the scale that is drawn, from two of its ticks."""
    ticks = [(place, text) for place, text in zip(ax.get_xticks(), ax.get_xticklabels(),
                                                 strict=True) if place >= PANEL[0]]  # fmt: skip
    (a, first), (b, last) = ticks[0], ticks[-1]
    low, high = (float(text.get_text().replace("−", "-")) for text in (first, last))
    return low + (x - a) / (b - a) * (high - low)


def test_bars_are_the_shares_and_dots_the_scores():
    ax = bars()
    widths = np.array([bar.get_width() for bar in ax.patches]).reshape(3, 3)
    expected = 100 * np.array([SHARES[name] for name in ("detractors", "passives", "promoters")])
    np.testing.assert_allclose(widths, expected)
    starts = np.array([bar.get_x() for bar in ax.patches]).reshape(3, 3)
    np.testing.assert_allclose(starts + widths, np.cumsum(expected, 0))
    assert [text.get_text() for text in ax.get_yticklabels()] == NAMES["en"]
    dots = [one for one in ax.collections if len(one.get_offsets()) == 1
            and one.get_offsets()[0][0] >= PANEL[0]]  # fmt: skip
    places = np.array([one.get_offsets()[0] for one in dots])
    np.testing.assert_allclose([score_of(ax, x) for x in places[:, 0]], SCORES)
    assert places[:, 1].tolist() == [2, 1, 0]
    ends = [[score_of(ax, x) for x in line.get_xdata()] for line in ax.get_lines()]
    np.testing.assert_allclose(ends, list(zip(LOW, HIGH, strict=True)))
    # The interval of the last includes 0.
    assert [to_hex(one.get_facecolor()[0]) == "#ffffff" for one in dots] == [False, False, True]
    assert "30.0 [22.0, 38.0]  n = 400" in texts(ax)


def test_groups_whose_intervals_overlap_are_not_told_apart():
    ax = bars(low=[22, 37, -14], high=[38, 83, 23])
    expected = (
        "Hotline has the highest NPS (60.0, not told apart from 1 other), "
        "Branch the lowest (−5.0, not told apart from 1 other)"
    )
    assert titled(ax) == expected
    wide = {"low": [-50] * 3, "high": [90] * 3}
    assert titled(bars(**wide)) == (
        "The highest and the lowest NPS of 3 groups are not told apart: Hotline (60.0) and "
        "Branch (−5.0)"
    )
    ax = bars(low=[np.nan] * 3, high=[np.nan] * 3)
    assert "not told apart" in titled(ax)
    assert sum("no interval" in text for text in texts(ax)) == 3
    ax = nps_bars(["NPS"], [0.5], [1 / 3], [1 / 6], [33.3], [24.9], [41.1], source="S", level=0.9)
    assert titled(ax) == "NPS 33.3 [24.9, 41.1]: 50 % promoters, 33 % passives, 17 % detractors"
    assert said(ax, "90 % interval")


@LANGS
def test_25_groups_with_long_names_do_not_touch(lang):
    k = 25
    names = [f"{LONG[lang]} {i}" for i in range(k)]
    p = np.linspace(0.2, 0.8, k)
    d = (1 - p) / 2
    scores = 100 * (p - d)
    assert_texts_apart(nps_bars(names, p, 1 - p - d, d, scores, scores - 4, scores + 4,
                                source="S", lang=lang, n=[120] * k))  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"promoters": [0.5, 0.6, 0.3]}, "'Hotline': promoters 0.6.* sum to 0.9; allowed"),
        ({"promoters": [50, 70, 30]}, "'App': promoters 50, .*allowed: shares from 0 to 1"),
        ({"scores": [0.3, 60, -5]}, "scores: 'App' has 0.3, but its shares give 30.0"),
        ({"passives": [0.3, -0.2, 0.35]}, "passives: 'Hotline' has -0.2"),
        ({"low": [22, 53]}, "2 lower"),
        ({"low": [40, 53, -14]}, r"'App' has \[40, 38\]"),
        ({"n": [1, 2]}, "3 names, but 2 n"),
        ({"level": 95}, "level is 95"),
        ({"groups": []}, "0 names"),
    ],
)
def test_bad_groups_are_named(change, message):
    with pytest.raises(CxError, match=message):
        bars(**change)


def test_too_many_groups_are_refused():
    k = 41
    with pytest.raises(CxError, match="41 groups cannot be read; allowed: at most 40"):
        nps_bars(range(k), [1] * k, [0] * k, [0] * k, [100] * k, [90] * k, [100] * k, source="S")


# Control chart


def marks(ax):
    return {
        to_hex(one.get_facecolor()[0]): one.get_offsets().tolist()
        for one in ax.collections
        if len(one.get_offsets()) and len(one.get_sizes())
    }


def test_estimates_limits_and_signals_stand_where_the_data_are():
    ax = waves()
    found = marks(ax)
    assert found[style.GOOD.lower()] == [[1, 30], [2, 32], [3, 28], [4, 31]]
    assert found[style.BAD.lower()] == [[5, 60], [6, 58], [8, 62]]
    assert found["#ffffff"] == [[7, 45]]
    steps = [patch.get_data() for patch in ax.patches if hasattr(patch, "get_data")]
    lower, upper, centre = steps
    np.testing.assert_allclose(lower.values, [20, 18, 20, 22, 20, 20, 10, 20])
    np.testing.assert_allclose(upper.values, [40, 42, 40, 38, 40, 40, 50, 40])
    np.testing.assert_allclose(centre.values, 30)
    np.testing.assert_allclose(lower.edges, np.arange(0.5, 9))
    lines = [line.get_xydata().tolist() for line in ax.get_lines()]
    assert [[1, 24], [1, 36]] in lines
    changed = [line for line in ax.get_lines() if to_hex(line.get_color()).upper() == "#CC79A7"]
    assert [line.get_xdata()[0] for line in changed] == [4.5]
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "centre 30" in words
    assert "control limits (± 3 standard errors)" in words


def test_without_signals_those_outside_the_limits_are_marked():
    ax = waves(signals=None, changes=())
    assert marks(ax)[style.BAD.lower()] == [[5, 60], [6, 58], [8, 62]]
    assert titled(ax) == "3 of 8 waves signal a change: wave 5, wave 6 and wave 8"
    quiet = waves(estimates=[30] * 8, ci_low=[25] * 8, ci_high=[35] * 8, signals=None, changes=())
    assert titled(quiet) == "All 8 waves stay within the control limits"


def test_the_direction_of_a_change_is_that_of_the_weighted_means():
    falls = [60 - value for value in ESTIMATES]
    given = {"estimates": falls, "ci_low": np.array(falls) - 6, "ci_high": np.array(falls) + 6}
    assert titled(waves(**given)).startswith("The level falls at wave 5")
    assert "changes 2 times: at wave 3 and wave 5" in titled(waves(changes=[4, 2]))


def test_suppressed_waves_leave_a_gap_that_is_said():
    hidden = [False] * 8
    hidden[2] = True
    ax = waves(suppressed=hidden, n=[100, 200, 5, 300, 100, 100, 50, 400])
    line = next(one for one in ax.get_lines() if len(one.get_xdata()) == 8)
    assert np.isnan(line.get_ydata()).tolist() == hidden
    assert said(ax, "×: 1 wave is not shown")
    assert said(ax, "n = 50 to 400 a wave")
    cross = [one for one in ax.get_lines() if one.get_marker() == "x"]
    assert cross[0].get_xdata().tolist() == [3]


def test_dates_stand_at_true_distances():
    days = pd.to_datetime(["2024-01-01", "2024-01-15", "2024-03-01", "2024-03-02", "2024-06-01",
                           "2024-07-01", "2024-08-01", "2024-12-01"])  # fmt: skip
    ax = waves(waves=days)
    np.testing.assert_allclose(marks(ax)["#ffffff"], [[date2num(days[6]), 45]])
    assert titled(ax) == "The level rises at 2024-06-01; 4 of 8 waves are signals"
    assert "自 2024-06-01 起水平上升" in waves("zh", waves=days).figure.get_suptitle()


def test_60_waves_of_any_kind_have_names_that_do_not_touch():
    t = 60
    values = 30 + 5 * np.sin(np.arange(t))
    limits = (np.full(t, 30), np.full(t, 20), np.full(t, 40))
    for times in (
        [f"{LONG['zh']} {i}" for i in range(t)],
        list(range(1, t + 1)),
        list(pd.date_range("2020-01-05", periods=t, freq="7D")),
    ):
        ax = control_chart(times, values, values - 4, values + 4, *limits, source="S", lang="zh")
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.get_xticklabels() if text.get_text()]
        assert len(boxes) >= 3
        assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


@LANGS
def test_notes_touch_neither_each_other_nor_the_data(lang):
    t = 40
    rng = np.random.default_rng(1)
    values = 30 + rng.normal(0, 4, t)
    centre = np.full(t, 30.0)
    notes = {i: f"{LONG[lang]} {i}" for i in (2, 3, 17, 18, 35)}
    ax = control_chart(range(t), values, values - 6, values + 6, centre, centre - 9, centre + 9,
                       source="S", lang=lang, annotations=notes)  # fmt: skip
    ax.figure.canvas.draw()
    wanted = {"".join(text.split()) for text in notes.values()}
    drawn = [text for text in ax.texts if "".join(text.get_text().split()) in wanted]
    assert len(drawn) == 5
    boxes = [text.get_window_extent() for text in drawn]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    places = ax.transData.transform(np.column_stack([np.arange(t), values]))
    assert not any(box.contains(*place) for box in boxes for place in places)
    spans = ax.transData.transform(np.column_stack([np.arange(t), values - 6])), places
    for box in boxes:
        for (x, low), (_, high) in zip(*spans, strict=True):
            assert not (box.x0 < x < box.x1 and low < box.y1 and box.y0 < high)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"waves": [1, 2, 3, 5, 4, 6, 7, 8]}, "waves: '4' does not come after '5'"),
        ({"waves": list("abcdefga")}, "'a' is there twice"),
        ({"waves": [1]}, "1 waves; allowed: 2 to"),
        ({"estimates": [30] * 7}, "8 waves, but 7 values of estimates"),
        ({"estimates": [np.nan, *ESTIMATES[1:]], "suppressed": [False] * 8}, "wave '1' has nan"),
        ({"ci_low": [31.0, *ESTIMATES[1:]]}, r"wave '1' has 30 in \[31, 36\]"),
        ({"lower": [35.0] * 8}, "control limits: wave '1' has 35, 30, 40"),
        ({"changes": [8]}, "changes: 8; allowed: whole numbers from 1 to 7"),
        ({"changes": [0]}, "changes: 0; allowed"),
        ({"annotations": {"a": "x"}}, "annotations: 'a'; allowed: whole numbers from 0 to 7"),
        ({"sigma": 0}, "sigma=0"),
        ({"signals": [True]}, "1 values of signals"),
        ({"n": [-1] * 8}, "n: '1' has -1"),
        ({"centre": ["a"] * 8}, "centre: could not convert"),
    ],
)
def test_bad_waves_are_named(change, message):
    with pytest.raises(CxError, match=message):
        waves(**change)


# Funnel


def test_bars_are_the_counts_and_steps_have_wilson_intervals():
    ax = draw("funnel")
    heights = [patch.get_width() for patch in ax.patches if hasattr(patch, "get_width")]
    assert heights == [1000, 400, 300]
    shown = texts(ax)
    assert {"1,000 (100 %)", "400 (40.0 %)", "300 (30.0 %)"} <= set(shown)
    # statsmodels 0.14, proportion_confint(400, 1000, method="wilson") and (300, 400).
    assert {"↓ 40.0 % [37.0, 43.1]", "↓ 75.0 % [70.5, 79.0]"} <= set(shown)
    weak = next(text for text in ax.texts if text.get_text().startswith("↓ 40"))
    assert to_hex(weak.get_color()).upper() == style.BAD


def test_wilson_intervals_are_those_of_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    for after, before in ((400, 1000), (300, 400)):
        low, high = (100 * end for end in proportion_confint(after, before, method="wilson"))
        share = f"{100 * after / before:.1f} %"
        assert f"↓ {share} [{low:.1f}, {high:.1f}]" in texts(draw("funnel"))


def test_steps_whose_intervals_overlap_are_not_told_apart():
    ax = funnel(["a", "b", "c"], [100, 50, 26], source="S")
    expected = "from a to b (50.0 % go on), but it is not told apart from 1 other step"
    assert expected in titled(ax)
    ax = funnel(["a", "b"], [40, 12], source="S")
    assert titled(ax) == "From a to b, 30.0 % go on [18.1, 45.4]"
    ax = funnel(["a", "b", "c"], [10, 0, 0], source="S")
    assert "↓ –" in texts(ax)
    assert "from a to b: 0.0 % go on" in titled(ax)


@pytest.mark.parametrize(
    ("stages", "counts", "message"),
    [
        ("ab", [5, 6], "'b' has 6, more than 5 of 'a' before it"),
        ("ab", [5.5, 2], "'a' has 5.5; allowed: whole numbers"),
        ("ab", [0, 0], "nobody is in the first stage, 'a'"),
        ("a", [5], "1 stage"),
        ("ab", [5], "2 names, but 1 counts"),
        ("ab", [5, -1], "'b' has -1"),
    ],
)
def test_bad_counts_are_named(stages, counts, message):
    with pytest.raises(CxError, match=message):
        funnel(list(stages), counts, source="S")


# Panels before and after


def test_panels_show_values_changes_and_what_is_sure():
    axes = panels()
    assert len(axes) == 3
    dots = [[one for one in ax.collections if len(one.get_offsets())] for ax in axes]
    places = [[one.get_offsets()[0].tolist() for one in row] for row in dots]
    assert places == [[[0, 10], [1, 5]], [[0, 55], [1, 64]], [[0, 32], [1, 68]]]
    hollow = [to_hex(row[0].get_facecolor()[0]) == "#ffffff" for row in dots]
    assert hollow == [False, True, True]  # apart, overlapping, without interval
    shown = texts(axes[0])
    assert {"a (min)", "b (%)", "c", "−50.0 %", "+9 points (+16.4 %)"} <= set(shown)
    assert "+36 points (+112.5 %)" in shown
    assert sum(text == "AS REPORTED" for text in shown) == 1
    lines = [line.get_xydata().tolist() for line in axes[0].get_lines()]
    assert [[0, 8], [0, 12]] in lines
    for ax, (low, high) in zip(axes, ((0, 12), (0, 70), (0, 68)), strict=True):
        bottom, top = ax.get_ylim()
        assert bottom <= low
        assert top >= high


def test_colours_are_the_direction():
    axes = panels(better=["up", "", "up"])
    colours = [to_hex(ax.collections[0].get_edgecolor()[0]).upper() for ax in axes]
    assert colours == [style.BAD, style.NEUTRAL, style.GOOD]
    assert titled(axes[0]).startswith("1 of 2 indicators moved in the desired direction")
    assert said(axes[0], "Orange: undesired direction")


def test_panels_fill_a_subfigure_of_the_caller():
    figure = plt.figure(figsize=(14, 10), layout="constrained")
    places = figure.subfigures(2, 2)
    axes = panels("zh", fig=places[0, 1])
    figure.canvas.draw()
    assert places[0, 1].get_suptitle()
    assert not figure.get_suptitle()
    assert all(ax.get_figure(root=False) is places[0, 1] for ax in axes)
    assert all(ax.get_position().width > 0.1 for ax in axes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": ["min"]}, "3 measures, but 1 units"),
        ({"better": "more"}, "better: 'a' has 'more'; allowed: 'up', 'down', ''"),
        ({"kinds": ["x", "rate", "rate"]}, "kinds: 'a' has 'x'; allowed: 'rate'"),
        ({"before_ci": [[1, 2]]}, r"before_ci has shape \(1, 2\)"),
        ({"after_ci": [[4, 3], [1, 2], [1, 2]]}, r"after_ci: 'a' has \[4, 3\]"),
    ],
)
def test_bad_measures_are_named(change, message):
    with pytest.raises(CxError, match=message):
        panels(**change)


# Region of shares


def test_ends_of_a_score_have_the_smallest_and_the_largest_variance():
    for score in (-1, -0.32, 0, 0.5, 1):
        shares = region_ends(score)
        np.testing.assert_allclose(shares.sum(1), 1)
        np.testing.assert_allclose(shares[:, 2] - shares[:, 0], score, atol=1e-12)
        variance = shares[:, 2] + shares[:, 0] - score**2
        np.testing.assert_allclose(variance, [abs(score) - score**2, 1 - score**2], atol=1e-12)


def test_a_band_holds_just_the_shares_with_its_score():
    rng = np.random.default_rng(2)
    from matplotlib.path import Path

    shares = rng.dirichlet([1, 1, 1], 20_000)
    score = shares[:, 2] - shares[:, 0]
    for low, high in ((-0.1, 0.3), (0.2, 0.6), (-0.8, -0.5)):
        shape = Path(band(low, high)[:, [0, 2]], closed=False)
        inside = shape.contains_points(shares[:, [0, 2]])
        np.testing.assert_array_equal(inside, (score > low) & (score < high))


def test_scores_are_vertical_lines_with_marked_ends():
    ax = draw("region")
    dots = [one for one in ax.collections if len(one.get_offsets())]
    places = np.array([one.get_offsets()[0] for one in dots])
    height = 3**0.5 / 2
    expected = [[0.66, 0.68 * height], [0.66, 0], [0.84, 0.32 * height], [0.84, 0]]
    np.testing.assert_allclose(places, expected, atol=1e-12)
    filled = [to_hex(one.get_facecolor()[0]) != "#ffffff" for one in dots]
    assert filled == [False, True, False, True]
    assert to_hex(dots[1].get_facecolor()[0]) != to_hex(dots[3].get_facecolor()[0])
    words = [text.get_text().replace("\u00a0", " ") for text in ax.get_legend().get_texts()]
    # The table of cx.nps_region(32): detractors 0 to (1 - .315) / 2.
    assert "promoters 31.5 to 66.3 %" in words[0]
    assert "detractors 0 to 34.3 %" in words[0]
    ax = nps_region([0], source="S", rounding=0)
    assert titled(ax) == "An NPS of 0 leaves the shares open: promoters may be 0 to 50 %"
    assert said(ax, "0.00 to 1.00 at 0")


@pytest.mark.parametrize(
    ("scores", "rounding", "message"),
    [
        ([132], 0.5, "scores: 132; allowed: an NPS from -100 to 100"),
        (["a"], 0.5, "scores: 'a'"),
        ([], 0.5, "allowed: a list of 1 to 4 scores"),
        (32, 0.5, "scores=32; allowed: a list"),
        ([32], 11, "rounding=11; allowed: 0 to 10"),
    ],
)
def test_bad_scores_are_named(scores, rounding, message):
    with pytest.raises(CxError, match=message):
        nps_region(scores, source="S", rounding=rounding)


# Power


def test_the_curve_and_the_chosen_size():
    ax = draw("power")
    line = ax.get_lines()[0].get_xydata().tolist()
    np.testing.assert_allclose(line, [[100, 30], [200, 55], [400, 80], [800, 95]])
    dot = ax.collections[0]
    assert dot.get_offsets()[0].tolist() == [400, 80]
    assert to_hex(dot.get_facecolor()[0]).upper() == style.GOOD
    assert {"target 80\u00a0%", "n = 400: 80\u00a0%"} <= set(texts(ax))


def test_a_size_that_falls_short_is_hollow_and_the_title_says_what_it_takes():
    ax = draw("power", chosen=200, reached=0.55)
    assert to_hex(ax.collections[0].get_facecolor()[0]) == "#ffffff"
    assert titled(ax) == "With 200 answers in the first group the power is 55 %; 80 % takes 400"
    # From .55 at 200 to .80 at 400: .7 lies at 320.
    assert titled(draw("power", chosen=None, target=0.7)).startswith("A power of 70 % takes 320 a")
    assert titled(draw("power", chosen=None, target=0.99)).startswith("Not even 800 answers")
    assert "from 30 % to 95 %" in titled(draw("power", chosen=None, target=None))
    ax = draw("power", chosen=100, target=None, subject="NPS, 95 % level")
    assert titled(ax).endswith("with a power of 30 %")
    assert said(ax, "NPS, 95 % level. Power: the chance")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen": 900}, "chosen=900; allowed: a size on the curve, 100 to 800"),
        ({"target": 80}, "target=80; allowed: a power from 0 to 1"),
        ({"reached": -0.1}, "reached=-0.1"),
    ],
)
def test_bad_plans_are_named(change, message):
    with pytest.raises(CxError, match=message):
        draw("power", **change)


@pytest.mark.parametrize(
    ("n", "power", "message"),
    [
        ([2, 1], [0.1, 0.2], "n=2, 1; allowed: at least two sizes above 0 that rise"),
        ([1, 2], [0.1, 20], "n = 2 has 20; allowed: from 0 to 1"),
        ([1, 2], [0.1], "2 names, but 1 power"),
    ],
)
def test_bad_curves_are_named(n, power, message):
    with pytest.raises(CxError, match=message):
        power_curve(n, power, source="S")


# From results


@LANGS
def test_results_draw_themselves(lang):
    counts = {"promoters": [150, 152, 149, 210, 212], "passives": [90, 94, 90, 75, 66],
              "detractors": [60, 54, 63, 15, 18]}  # fmt: skip
    score = cx.nps_from_counts(**counts, by={"wave": [1, 2, 3, 4, 5]})
    ax = score.plot(lang=lang)
    assert "65.5" in ax.figure.get_suptitle()  # 100 (212 - 18) / 296 is the highest
    assert_texts_apart(ax)
    wave = cx.track(score, baseline=[1, 2, 3], annotations={4: LONG[lang]}).plot(lang=lang)
    assert {"en": "rises at wave 4", "zh": "自第 4 轮起水平上升"}[lang] in titled(wave)
    region = cx.nps_region(32, 68).plot(lang=lang)
    assert "67.5" in titled(region)
    plan = cx.sample_size("nps", first=(0.50, 0.20), second=(0.60, 0.15)).plot(lang=lang)
    assert "404" in titled(plan)
    for ax in (wave, region, plan):
        assert_texts_apart(ax)


# What the charts share


def test_lines_of_chinese_neither_end_on_opening_nor_begin_with_closing_brackets():
    text = "差距最大的是响应速度（感知减去期望）与“专业”水平《年度报告》，均低于（最低）要求。"
    for columns in range(8, 60):
        lines = style.fold(text, columns).split("\n")
        assert "".join(lines) == text
        assert not any(line[-1] in "（《“" for line in lines)
        assert not any(line[0] in "）》”，。" for line in lines)


@pytest.mark.parametrize("dpi", [72, 75, 100])
def test_bold_titles_stay_on_the_figure(dpi):
    figure_size = plt.rcParams["figure.dpi"]
    plt.rcParams["figure.dpi"] = dpi
    try:
        for words in ("WWW MMMM wwwm mmw mmmm WWW " * 6, "Most commonly mentioned moments " * 7):
            ax = draw("power", title=words.strip())
            ax.figure.canvas.draw()
            box = ax.figure._suptitle.get_window_extent()
            assert box.x1 <= ax.figure.bbox.x1
    finally:
        plt.rcParams["figure.dpi"] = figure_size


@LANGS
def test_titles_of_a_callers_axes_fit_the_layout(lang):
    figure, axes = plt.subplots(2, 2, figsize=(8.5, 9), layout="constrained")
    groups = [f"{LONG[lang]} {i}" for i in range(3)]
    for ax in axes.ravel():
        bars(lang, groups=groups, ax=ax)
    figure.canvas.draw()
    half = figure.bbox.width / 2
    for column, pair in enumerate(axes.T):
        for ax in pair:
            heading = next(text for text in ax.get_children() if isinstance(text, plt.Text)
                           and text.get_text() == ax.get_title(loc="left"))  # fmt: skip
            box = heading.get_window_extent()
            assert box.x1 <= half * (column + 1) + 2
            assert box.y1 <= figure.bbox.y1
    axes[0, 0].set_title("The caller's own", loc="left")
    figure.canvas.draw()
    assert axes[0, 0].get_title(loc="left") == "The caller's own"
