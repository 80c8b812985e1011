"""Control limits, changes and trends: by hand, statsmodels, and series whose truth is known."""

from dataclasses import replace
from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import cxstats as cx
from cxstats.metrics.tracking.control_limits import control_limits, long_runs
from cxstats.metrics.tracking.trend import change_points, linear_trend

STEPPED = cx.nps_from_counts(
    promoters=[150, 152, 149, 210, 212],
    passives=[90, 94, 90, 75, 66],
    detractors=[60, 54, 63, 15, 18],
    by={"wave": ["a", "b", "c", "d", "e"]},
)


def responses(waves, column="wave"):
    """Return an NPS by wave of 60 answers each, from one row per answer."""
    scores = np.random.default_rng(1).integers(0, 11, 60 * len(waves))
    frame = pd.DataFrame({column: np.repeat(np.array(waves, object), 60), "nps": scores})
    return cx.nps(frame, column="nps", by=column)


def rising(waves):
    """Return an NPS by wave of -10, 0, 10, ... from counts."""
    steps = np.arange(len(waves))
    return cx.nps_from_counts(40 + 10 * steps, [100] * len(waves), 60 - 10 * steps,
                              by={"wave": waves})  # fmt: skip


def test_limits_are_those_of_a_p_chart():
    """Of one wave as baseline: centre -+ 3 sqrt(p (1 - p) / n_i)."""
    waves = cx.rate([20, 35, 60], [100, 150, 200], by={"wave": [1, 2, 3]}, name="churn_rate")
    table = cx.track(waves, baseline=[1]).table
    half = 3 * np.sqrt(0.2 * 0.8 / np.array([100, 150, 200]))
    np.testing.assert_allclose(table["limit_high"] - 0.2, half, rtol=1e-12)
    np.testing.assert_allclose(0.2 - table["limit_low"], half, rtol=1e-12)
    assert table["outside_limits"].tolist() == [False, False, True]


def test_pooled_limits_by_hand():
    n, se = np.array([100.0, 400.0]), np.array([0.04, 0.02])
    found = control_limits(np.array([0.2, 0.3]), se, n, np.ones(2, bool))
    assert found.centre == pytest.approx(0.28)
    np.testing.assert_allclose(found.sigma, np.sqrt(0.16 / n))
    assert np.isnan(found.dispersion)


def test_a_step_is_found_where_it_is():
    found = cx.track(STEPPED, baseline=["a", "b", "c"])
    assert found.changes["wave"].tolist() == ["d"]
    assert found.table["outside_limits"].tolist() == [False, False, False, True, True]
    assert found.table["change"].tolist() == [False, False, False, True, False]
    before, after = (
        group["estimate"] for _, group in STEPPED.table.groupby(STEPPED.table.index > 2)
    )
    assert before.min() < found.changes["before"][0] < before.max()
    assert after.min() < found.changes["after"][0] < after.max()
    assert "d" in found.summary()
    assert "水平改变" in found.summary("zh")


def test_waves_that_are_numbers_are_written_as_such():
    promoters, detractors = [150, 152, 149, 210, 212], [60, 54, 63, 15, 18]
    waves = cx.nps_from_counts(promoters, [90] * 5, detractors, by={"wave": list(range(5))})
    assert "level changes at 3:" in cx.track(waves).summary()


def test_false_alarms_are_as_rare_as_stated():
    """2,000 series of 12 waves without a change, of very different size."""
    generator = np.random.default_rng(5)
    se = np.array([1.0, 3.0] * 6)
    alarms = sum(
        bool(change_points(generator.standard_normal(12) * se, se, 0.05, seed=i))
        for i in range(2000)
    )
    assert stats.binomtest(alarms, 2000, 0.05).pvalue > 0.001


def test_a_change_of_four_errors_is_nearly_always_found():
    generator = np.random.default_rng(6)
    places = []
    for i in range(200):
        series = generator.standard_normal(12) + np.repeat([0, 4], 6)
        places += [change.at for change in change_points(series, np.ones(12), 0.05, seed=i)]
    assert places.count(6) > 160


def test_two_changes():
    found = change_points(np.array([0.0, 0, 0, 9, 9, 9, 3, 3, 3]), np.ones(9), 0.05, seed=1)
    assert [change.at for change in found] == [3, 6]


def test_trend_against_statsmodels():
    time, value = np.arange(6.0), np.array([1.0, 3, 2, 5, 4, 7])
    se = np.array([1.0, 0.5, 0.5, 1, 2, 1])
    theirs = sm.WLS(value, sm.add_constant(time), 1 / se**2).fit()
    ours = linear_trend(time, value, se, 0.95)
    assert ours.slope == pytest.approx(theirs.params[1], abs=1e-12)
    assert ours.scatter == pytest.approx(theirs.scale, abs=1e-12)
    assert ours.scatter > 1  # so the error is the one with the scatter, as in statsmodels
    assert ours.se == pytest.approx(theirs.bse[1], abs=1e-12)
    np.testing.assert_allclose([ours.ci_low, ours.ci_high], theirs.conf_int()[1], atol=1e-10)
    assert ours.p_value == pytest.approx(theirs.pvalues[1], abs=1e-12)
    assert ours.p_tau == stats.kendalltau(time, value).pvalue


def test_trend_interval_covers_the_slope():
    generator = np.random.default_rng(2)
    se = np.array([2.0, 1, 1, 3, 1, 2, 1, 1])
    held = 0
    for _ in range(2000):
        trend = linear_trend(
            np.arange(8.0), 0.5 * np.arange(8) + se * generator.normal(size=8), se, 0.95
        )
        held += trend.ci_low <= 0.5 <= trend.ci_high
    assert 0.95 <= held / 2000 <= 0.985  # the scatter only ever widens it


def test_runs():
    assert long_runs(np.r_[np.ones(9), -1.0], 0.0).tolist() == [False] * 7 + [True, True, False]


def test_dates_are_placed_on_the_calendar():
    days = pd.to_datetime(["2026-01-01", "2026-01-31", "2026-04-01"])
    waves = cx.rate([20, 30, 50], [100, 100, 100], by={"day": days}, name="churn_rate")
    found = cx.track(waves)
    # 0.10 per 30 days: 0.1 after the first thirty days, 0.2 after the next sixty.
    assert found.unit == "30 days"
    assert found.trend["estimate"][0] == pytest.approx(0.1, abs=0.01)


def test_shift_and_scale():
    value, se = np.array([3.0, 1, 4, 9, 9, 8]), np.ones(6)
    one = change_points(value, se, 0.05, 1)
    other = change_points(10 * value + 7, 10 * se, 0.05, 1)
    assert [c.at for c in one] == [c.at for c in other] == [3]
    assert one[0].p_value == other[0].p_value
    assert other[0].estimate == pytest.approx(10 * one[0].estimate)


def test_segments_and_small_cells():
    frame = pd.DataFrame(
        {
            "branch": np.repeat(["North", "South"], 6 * 60),
            "wave": np.tile(np.repeat([1, 2, 3, 4, 5, 6], 60), 2),
            "score": np.random.default_rng(1).integers(0, 11, 720),
        }
    )
    frame = frame.drop(frame.index[3:60])  # three answers are left of the first wave
    metric = cx.nps(frame, column="score", by=["branch", "wave"], min_cell=10)
    assert metric.table["suppressed"].groupby(metric.table["branch"]).sum().tolist() == [2, 2]
    found = cx.track(metric, "wave")
    assert found.segments == ("branch",)
    # The first wave of North, and three more, since branches and waves as a whole are published.
    assert found.table["suppressed"].sum() == 4
    assert sum("fewer than 10" in note.en for note in found.notes) == 1
    assert found.table["n"].isna().equals(found.table["suppressed"])
    for lang in ("en", "zh"):
        assert found.plot(segment="North", lang=lang).get_lines()
    plt.close("all")
    assert len(found.trend) == 2
    waves = found.table.loc[~found.table["suppressed"] & (found.table["branch"] == "South"), "wave"]
    south = frame[(frame["branch"] == "South") & frame["wave"].isin(waves)]
    one = cx.track(cx.nps(south, column="score", by="wave"))
    trend = found.trend[found.trend["branch"] == "South"].drop(columns="branch")
    pd.testing.assert_frame_equal(trend.reset_index(drop=True), one.trend)


def test_one_segment_is_drawn_and_has_to_be_named():
    by = {"branch": list("aaabbb"), "wave": [1, 2, 3] * 2}
    tracked = cx.track(cx.rate([20, 30, 25, 60, 70, 65], [100] * 6, by=by), "wave")
    _, ax = plt.subplots()
    assert tracked.plot(ax=ax, segment="b") is ax
    heights = [y for line in ax.get_lines() for y in np.ravel(line.get_ydata())]
    assert {60.0, 70.0, 65.0} <= set(heights)
    assert not {20.0, 30.0, 25.0} & set(heights)
    for segment in (None, "c"):
        with pytest.raises(cx.CxError, match=f"segment={segment!r}; allowed: a, b"):
            tracked.plot(segment=segment)
    alone = cx.track(cx.rate([20, 30, 25], [100] * 3, by={"wave": [1, 2, 3]}))
    with pytest.raises(cx.CxError, match="there is one series only"):
        alone.plot(segment="a")
    plt.close("all")


def test_waves_that_scatter_too_much_are_remarked_on():
    promoters = [500, 300, 520, 280, 510, 310]
    waves = cx.nps_from_counts(
        promoters, [1000 - p - 200 for p in promoters], [200] * 6, by={"wave": list(range(6))}
    )
    found = cx.track(waves)
    assert any("laney" in note.en for note in found.notes)
    assert not cx.track(waves, limits="laney").table["outside_limits"].any()


def test_waves_where_all_answer_alike_count():
    """0 % in four of seven waves: the centre is the mean of all, and no wave is lost."""
    waves = cx.rate([5, 0, 4, 0, 6, 0, 5], [100] * 7, by={"wave": list(range(7))})
    found = cx.track(waves)
    assert found.table["centre"].iloc[0] == pytest.approx(20 / 700)
    assert found.trend["n"][0] == 7
    stepped = cx.rate([10, 11, 9, 10, 0, 0, 0, 0], [100] * 8, by={"wave": list(range(8))})
    assert cx.track(stepped).changes["wave"].tolist() == [4]
    nps = cx.nps_from_counts([10, 9, 11, 10, 20], [6] * 4 + [0], [4, 5, 3, 4, 0],
                             by={"wave": list(range(5))})  # fmt: skip
    assert cx.track(nps, baseline=range(4)).table["outside_limits"].tolist() == [False] * 4 + [True]


@pytest.mark.parametrize("kind", ["date", "timestamp", "period"])
def test_every_kind_of_date_is_on_the_calendar(kind):
    days = pd.to_datetime(["2024-01-31", "2024-02-29", "2024-05-31"])
    given = {
        "date": [day.date() for day in days],
        "timestamp": list(days),
        "period": list(days.to_period("D")),
    }[kind]
    waves = cx.rate([20, 30, 50], [100] * 3, by={"day": given})
    found = cx.track(waves, baseline=given[:1], annotations={given[1]: "launch"})
    assert found.unit == "30 days"
    assert found.table["baseline"].tolist() == [True, False, False]
    assert found.annotations == {days[1]: "launch"}
    reference = cx.track(
        cx.rate([20, 30, 50], [100] * 3, by={"day": list(days)}), baseline=days[:1]
    )
    pd.testing.assert_frame_equal(found.trend, reference.trend)


def test_months_as_numbers_are_remarked_on():
    waves = cx.rate([20, 30, 40], [100] * 3, by={"month": [202411, 202412, 202501]})
    assert any("year and month" in note.en for note in cx.track(waves).notes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cx.track(responses(["launch", "growth", "rest"])),
            "'wave' is text whose order in time is not clear; say it with order=.*: 'growth'",
        ),
        (
            lambda: cx.track(responses(["Nov", "Dec", "Jan"])),
            "follow each other over its end .* say it with order=",
        ),
        (
            lambda: cx.track(responses(["03/04/2024", "04/03/2024", "05/05/2024"])),
            "day or the month .* first, and the order differs; or say it with order=",
        ),
        (
            lambda: cx.track(responses(["Jan", "January", "Feb"])),
            "'Jan' and 'January' are the same time",
        ),
        (lambda: cx.track(STEPPED, order=["a", "b"]), "order: wave 'c' of column 'wave' is not in"),
        (lambda: cx.track(STEPPED, order="abcde"), "order='abcde'; allowed: a list of the waves"),
        (lambda: cx.track(STEPPED, order=[*"abcde", "a"]), "order: 'a' names two waves, or one"),
        (lambda: cx.track(STEPPED, baseline=1), "baseline=1; allowed: a list of waves"),
        (
            lambda: cx.track(cx.rate([0, 0, 0], [9] * 3, by={"wave": [1, 2, 3]})),
            "never vary",
        ),
        (lambda: cx.track(cx.nps_from_counts(5, 3, 2)), "has no waves"),
        (lambda: cx.track([1, 2]), "a list cannot be tracked"),
        (lambda: cx.track(STEPPED, "month"), "time='month'; allowed: 'wave'"),
        (lambda: cx.track(STEPPED, baseline=["z"]), "'z' is not a wave; there are: 'a', 'b'"),
        (lambda: cx.track(STEPPED, annotations={"y": "launch"}), "annotations: 'y'"),
        (lambda: cx.track(STEPPED, limits="wide"), "limits='wide'"),
        (lambda: cx.track(STEPPED, sigma=0), "sigma=0"),
        (lambda: cx.track(STEPPED, seed=-1), "seed is -1"),
        (
            lambda: cx.track(cx.rate([1, 2], [10, 10], by={"wave": [1, 2]}, name="churn_rate")),
            "at least 3 are needed",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(cx.CxError, match=message):
        call()


IN_ORDER = [
    (["Jan", "Feb", "Mar", "Apr", "May", "Jun"], "month"),
    (["Q3 2024", "Q4 2024", "Q1 2025", "Q2 2025"], "quarter"),
    (["Oct 2024", "Nov 2024", "Dec 2024", "Jan 2025", "Feb 2025"], "month"),
    (["H2 2023", "H1 2024", "H2 2024"], "half"),
    (["一月", "二月", "三月", "四月", "五月"], "month"),
    (["第一季度", "第二季度", "第三季度", "第四季度"], "quarter"),
    (["before", "pilot", "after"], "wave"),
    (["Mon", "Tue", "Wed", "Thu", "Fri"], "wave"),
    (["Baseline", "Wave 1", "Wave 2"], "wave"),
    (["2024年9月", "2024年10月", "2024年11月"], "month"),
    (["第9周", "第10周", "第11周"], "wave"),
    (["W51 2024", "W52 2024", "W1 2025"], "week"),
    (["Nov-24", "Dec-24", "Jan-25"], "month"),
]


@pytest.mark.parametrize(("waves", "unit"), IN_ORDER)
@pytest.mark.parametrize("lead", [1, -1])
def test_waves_named_by_text_are_in_the_order_of_time(waves, unit, lead):
    """A rise of 10 a wave, whatever the order of the counts: the values follow by hand."""
    metric = rising(waves)
    metric = replace(metric, table=metric.table.iloc[::lead].reset_index(drop=True))
    tracked = cx.track(metric)
    assert tracked.table["wave"].tolist() == waves
    assert tracked.trend["estimate"][0] == pytest.approx(10, abs=1e-9)
    assert tracked.trend["tau"][0] == pytest.approx(1)
    assert (tracked.changes["after"] > tracked.changes["before"]).all()
    assert tracked.unit == unit
    assert cx.track(responses(waves)).table["wave"].tolist() == waves
    assert responses(waves).table["wave"].tolist() == waves  # and so the pairs of a comparison


def test_the_rise_of_six_months_by_hand():
    trend = cx.track(rising(["Jan", "Feb", "Mar", "Apr", "May", "Jun"])).trend
    assert trend["p_tau"][0] == pytest.approx(2 / 720)  # one order of 6! each way


def test_a_month_that_is_missing_leaves_a_gap():
    """-10, 0, then three months later 30: still 10 a month."""
    waves = ["Oct 2024", "Nov 2024", "Feb 2025"]
    metric = cx.nps_from_counts([40, 50, 80], [100] * 3, [60, 50, 20], by={"month": waves})
    tracked = cx.track(metric)
    assert tracked.trend["estimate"][0] == pytest.approx(10, abs=1e-9)
    assert np.diff(tracked.plot().get_xticks()).tolist() == [1, 3]
    plt.close("all")


def test_days_first_are_dates():
    tracked = cx.track(rising(["01/11/2024", "01/12/2024", "01/01/2025", "01/02/2025"]))
    dates = cx.track(rising(pd.date_range("2024-11-01", periods=4, freq="MS")))
    pd.testing.assert_frame_equal(tracked.trend, dates.trend)
    assert any("the day first" in note.en for note in tracked.notes)


@pytest.mark.parametrize("waves", [["Nov", "Dec", "Jan", "Feb"], [11, 12, 1, 2]])
def test_months_listed_over_the_end_of_a_year(waves):
    tracked = cx.track(rising(waves))
    assert tracked.table["wave"].tolist() == waves
    assert tracked.trend["estimate"][0] == pytest.approx(10, abs=1e-9)
    assert any("over the end" in note.en and "跨年" in note.zh for note in tracked.notes)
    assert tracked.plot().get_xticklabels()[0].get_text() == str(waves[0])
    plt.close("all")


def test_month_numbers_of_respondents_are_remarked_on():
    assert any("run over its end" in note.en for note in cx.track(responses([11, 12, 1])).notes)
    assert not any("run over" in note.en for note in cx.track(responses([1, 2, 3])).notes)


def test_counts_of_unclear_waves_keep_their_order_and_say_so():
    tracked = cx.track(rising(["launch", "growth", "rest"]))
    assert tracked.table["wave"].tolist() == ["launch", "growth", "rest"]
    assert any("order=[...]" in note.en for note in tracked.notes)


def test_an_order_that_is_said_wins():
    waves = ["launch", "growth", "rest"]
    tracked = cx.track(responses(waves), order=[*waves, "later"], baseline=["rest"])
    assert tracked.table["wave"].tolist() == waves
    assert tracked.table["baseline"].tolist() == [False, False, True]
    assert not any("order" in note.en for note in tracked.notes)
    months = ["Nov", "Dec", "Jan"]
    tracked = cx.track(responses(months), order=["november", "dec", "jan"])
    assert tracked.table["wave"].tolist() == months
    numbers = cx.track(responses([1, 2, 3]), order=[3, 1, 2])
    assert numbers.table["wave"].tolist() == [3, 1, 2]
    assert numbers.plot().get_xticklabels()[0].get_text() == "3"
    plt.close("all")


def test_categories_of_pandas():
    frame = pd.DataFrame({"wave": ["Jan", "Feb", "Mar"] * 20, "nps": np.arange(60) % 11})
    frame["sorted"] = frame["wave"].astype("category")  # Feb, Jan, Mar: nobody said so
    frame["said"] = pd.Categorical(frame["wave"], ["Mar", "Feb", "Jan"], ordered=True)
    by_default, said = (
        cx.track(cx.nps(frame, column="nps", by=by)).table[by] for by in ("sorted", "said")
    )
    assert by_default.tolist() == ["Jan", "Feb", "Mar"]
    assert said.tolist() == ["Mar", "Feb", "Jan"]


def days(first="2024-03-01", zone="Asia/Shanghai", freq="D", n=3):
    return list(pd.date_range(first, periods=n, freq=freq, tz=zone))


@pytest.mark.parametrize(
    ("waves", "called", "place"),
    [
        (["Oct 2024", "Nov 2024", "Dec 2024"], "2024-11", 1),
        (["Oct 2024", "Nov 2024", "Dec 2024"], "2024年11月", 1),
        (["Oct 2024", "Nov 2024", "Dec 2024"], date(2024, 11, 15), 1),
        (["Q3 2024", "Q4 2024", "Q1 2025"], "2025Q1", 2),
        (["Q3 2024", "Q4 2024", "Q1 2025"], pd.Period("2024Q4"), 1),
        (["第一季度", "第二季度", "第三季度"], "Q2", 1),
        (["01/11/2024", "01/12/2024", "01/01/2025"], date(2024, 12, 1), 1),
        (["Wave 1", "Wave 2", "Wave 3"], "wave 2", 1),
        (days(freq="MS"), "2024-04-01", 1),
        (days(), date(2024, 3, 2), 1),
        (days("2024-03-01 09:30"), "2 Mar 2024", 1),
        (days(zone=None, freq="MS"), "Apr 2024", 1),
        (days(zone=None, freq="MS"), "01/04/2024", 1),
    ],
)
def test_waves_are_found_by_what_the_caller_writes(waves, called, place):
    tracked = cx.track(rising(waves), baseline=[called], annotations={called: "launch"})
    assert tracked.table["baseline"].tolist() == [i == place for i in range(3)]
    assert list(tracked.annotations) == [tracked.table["wave"][place]]


def test_a_text_that_could_be_two_waves_is_refused():
    with pytest.raises(cx.CxError, match="baseline: 'Mar 2024' could be any of several waves"):
        cx.track(rising(days()), baseline=["Mar 2024"])


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Lima", "Europe/Berlin"])
def test_dates_with_a_zone_are_drawn_on_its_clock(zone):
    """Without a warning, which here is an error."""
    metric = responses(days(zone=zone, freq="MS", n=4), "day")
    ax = cx.track(metric).plot(lang="zh")
    ax.figure.canvas.draw()
    expected = ["2024-03-01", "2024-04-01", "2024-05-01", "2024-06-01"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == expected
    assert metric.group_names() == expected
    plt.close("all")


def test_clocks_that_are_put_back_stay_in_order():
    hours = [hour.tz_convert("Europe/Berlin") for hour in days("2024-10-26 23:30", "UTC", "h", 5)]
    cx.track(responses(hours, "hour")).plot()
    plt.close("all")


def test_times_of_two_zones_are_refused():
    times = [pd.Timestamp("2024-03-01", tz=zone) for zone in ("Asia/Shanghai", "UTC", "UTC")]
    with pytest.raises(cx.CxError, match="times of different zones"):
        cx.track(rising([time + pd.Timedelta(days=i) for i, time in enumerate(times)]))
