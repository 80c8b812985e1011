"""Alerts of weekly counts and improvements: exact limits, false alarms, planted changes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom, poisson

import cxstats as cx
from cxstats.stats.intervals import wilson_interval
from cxstats.voice.alerts import WEEKS_A_YEAR, _negative_binomial, count_limit, weekly_counts


@pytest.fixture(scope="module")
def register():
    frame = cx.simulate_feedback_register(52, seed=1)
    return cx.feedback_register(frame, until=frame.attrs["population"]["until"])


def test_the_limit_of_quiet_weeks_is_jeffreys_prediction():
    """Posterior Gamma(sum + 1/2, k), so the next count is negative binomial."""
    counts = np.array([5.0, 4, 6, 5, 5, 4, 6, 5])
    p = 0.004
    k, total = len(counts), counts.sum()
    expected = nbinom.isf(p, total + 0.5, k / (k + 1))
    assert count_limit(counts, p).limit == expected


def test_the_delay_is_the_mean_of_a_geometric_one():
    limit = count_limit(np.full(400, 20.0) + np.tile([-4, 4], 200), 0.001)
    assert limit.dispersion == 1
    assert limit.delay == pytest.approx(1 / poisson.sf(limit.limit, 2 * limit.mean), rel=1e-3)


def test_weeks_are_whole_and_begin_on_monday():
    days = map(pd.Timestamp, ["2024-01-03", "2024-01-08", "2024-01-14 23:00", "2024-01-15"])
    frame = pd.DataFrame({"date": [*days, *pd.date_range("2024-01-22", periods=70)]})
    counts, _ = weekly_counts(cx.feedback_register(frame, until="2024-04-03"), None)
    assert counts.index[0] == pd.Timestamp("2024-01-08")
    assert counts.iloc[:3, 0].tolist() == [2, 1, 7]
    assert counts.index[-1] + pd.Timedelta(days=7) <= pd.Timestamp("2024-04-03")


def test_the_planted_outbreak_is_seen_and_nothing_else(register):
    alerts = register.alerts(baseline=26)
    table = alerts.table[alerts.table["outside_limits"]]
    start = pd.Timestamp("2024-01-01")
    assert set(table["category"]) == {"app fault"}
    assert sorted((table["week"] - start).dt.days // 7) == [40, 41, 42]
    assert alerts.table["n"].sum() == register.n
    assert register.alerts(None).series["n_alerts"][0] == 3


def false_alarms(mean, dispersion, n_baseline, n_baselines, seed):
    """Return false alarms a year over four series, 1 being stated, from exact probabilities."""
    rng = np.random.default_rng(seed)
    stable = poisson(mean) if dispersion == 1 else nbinom(
        *_negative_binomial(mean, dispersion * mean)
    )  # fmt: skip
    counts = stable.rvs((n_baselines, n_baseline), random_state=rng).astype(float)
    limits = [count_limit(row, 1 / (4 * WEEKS_A_YEAR)).limit for row in counts]
    return 4 * WEEKS_A_YEAR * stable.sf(limits).mean()


@pytest.mark.parametrize("mean", [2, 10, 40])
def test_false_alarms_are_no_more_than_stated_in_quiet_weeks(mean):
    assert false_alarms(mean, 1, 26, 40, seed=1) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("dispersion", "n_baseline", "most"), [(2, 26, 1.3), (3, 52, 1.3),
                                                                (2, 8, 2.7)])  # fmt: skip
def test_false_alarms_where_weeks_scatter(dispersion, n_baseline, most):
    rate = false_alarms(10, dispersion, n_baseline, 400, seed=2)
    assert 0.4 < rate < most


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "staff"}, "by='staff'; allowed: 'category', 'channel', 'owner'"),
        ({"baseline": 7}, "baseline=7; allowed: whole numbers of weeks, 8 to 51"),
        ({"baseline": 52}, "baseline=52"),
        ({"baseline": 8.5}, "baseline=8.5"),
        ({"false_alarms": 0}, "false_alarms=0; allowed: above 0 to 13 a year"),
    ],
)
def test_alerts_say_what_is_wrong(register, options, message):
    with pytest.raises(cx.CxError, match=message):
        register.alerts(**options)
    with pytest.raises(cx.CxError, match="group='x'; allowed: 'app fault'"):
        register.alerts().plot(group="x")


def test_the_planted_improvement_and_its_ratio_by_hand(register):
    day = pd.Timestamp("2024-07-29")  # week 30
    table = cx.improvement_log(
        pd.DataFrame({"date": [day], "class": ["delivery"]}), register
    ).table.iloc[0]
    data = register.data[register.data["category"] == "delivery"]
    days = (data["date"].dt.normalize() - day).dt.days
    before, after = int(days.between(-56, -1).sum()), int(days.between(1, 56).sum())
    assert (table["n_before"], table["n_after"]) == (before, after)
    assert table["estimate"] == pytest.approx(after / before)
    n = (before + after) / table["dispersion"]
    low, high = wilson_interval(after / (before + after), n, 0.95)
    np.testing.assert_allclose(table[["ci_low", "ci_high"]].astype(float),
                               [low / (1 - low), high / (1 - high)])  # fmt: skip
    assert table["ci_low"] < 0.5 < table["ci_high"] < 1
    assert table["adjusted_low"] < 0.5 < table["adjusted_high"]
    assert table["adjusted"] == pytest.approx(table["estimate"] / table["others"])


def test_a_change_is_found_by_its_item(register):
    item = register.data[register.data["category"] == "billing"].iloc[5]
    frame = pd.DataFrame(
        {"编号": [item["item"]], "改进日期": ["2024-05-06"], "改进措施": ["新账单"]}
    )
    log = cx.improvement_log(frame, register)
    assert log.table[["category", "improvement"]].iloc[0].tolist() == ["billing", "新账单"]
    adopted = bool(item["adopted"])
    assert any("not marked as adopted" in note.en for note in log.notes) is not adopted


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        ({"date": ["2024-05-06"]}, {}, "needs date= and one of item= and category="),
        ({"date": ["2024-05-06"], "id": ["F0"]}, {}, "row 0, column 'id': 'F0' is no item"),
        ({"date": ["2024-05-06"], "class": ["bill"]}, {}, "row 0, column 'class': class 'bill'"),
        ({"date": ["2024-01-06"], "class": ["staff"]}, {}, "2024-01-06; allowed: 2024-01-15 to"),
        ({"date": [None], "class": ["staff"]}, {}, "date"),
        ({"date": ["2024-05-06"], "class": ["staff"]}, {"window": 3}, "window=3; allowed: 14 days"),
        ({"date": ["2024-05-06"], "class": ["staff"]}, {"action": "what"}, "column 'what'"),
    ],
)
def test_the_log_says_what_is_wrong(register, frame, options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.improvement_log(pd.DataFrame(frame), register, **options)


@pytest.mark.slow
@pytest.mark.parametrize("clumped", [False, True])
def test_intervals_of_ratios_cover(clumped):
    """True ratio 0.5, 56 days on either side; with clumps of items of one day."""
    rng = np.random.default_rng(5)
    covered, n_logs = np.zeros(2), 300
    days = pd.date_range("2024-01-01", periods=113)
    change = pd.DataFrame({"date": [days[56]], "class": ["a"]})
    for _ in range(n_logs):
        mean = np.where(days > days[56], 0.75, 1.5)
        season = np.where(days > days[56], 1.6, 2.0)
        size = 3 if clumped else 1
        a, b = (size * rng.poisson(x / size) for x in (mean, season))
        frame = pd.DataFrame(
            {
                "date": [*np.repeat(days, a), *np.repeat(days, b)],
                "class": ["a"] * a.sum() + ["b"] * b.sum(),
            }
        )
        register = cx.feedback_register(frame, until=days[-1] + days.freq)
        row = cx.improvement_log(change, register).table.iloc[0]
        covered += [row["ci_low"] <= 0.5 <= row["ci_high"],
                    row["adjusted_low"] <= 0.5 / 0.8 <= row["adjusted_high"]]  # fmt: skip
    assert (covered / n_logs > 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_logs)).all()
