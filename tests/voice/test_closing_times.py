"""Times, promises, the funnel, open items and reopening: identities, truth, refusals, coverage."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.satisfaction import feedback_loop
from cxstats.voice import closing_times

HOUR = pd.Timedelta(hours=1)


def register_of(hours, until=1_000.0, **columns):
    """Return a register of items of 2024-01-01 closed after some hours; NaN: open."""
    start = pd.Timestamp("2024-01-01")
    closed = [start + h * HOUR if np.isfinite(h) else pd.NaT for h in hours]
    frame = pd.DataFrame({"date": start, "closed": pd.to_datetime(closed), **columns})
    return cx.feedback_register(frame, until=start + until * HOUR)


@pytest.fixture(scope="module")
def simulated():
    return cx.feedback_register(cx.simulate_feedback_register(26, seed=8))


@pytest.fixture(scope="module")
def strangers():
    """Return a register in which nobody writes twice."""
    frame = cx.simulate_feedback_register(26, seed=8)
    return cx.feedback_register(frame.drop(columns="customer"))


def lifelines_columns(register, event="closed"):
    data = register.data
    time = (data[event].fillna(register.until) - data["date"]).dt.total_seconds() / 3600
    return time, data[event].notna()


@pytest.mark.filterwarnings("ignore::Warning")  # of pandas, from lifelines
@pytest.mark.parametrize("event", ["answered", "closed"])
def test_medians_and_tests_are_those_of_lifelines(strangers, event):
    lifelines = pytest.importorskip("lifelines")
    statistics = pytest.importorskip("lifelines.statistics")
    times = strangers.times(event, by="channel")
    time, ended = lifelines_columns(strangers, event)
    channel = strangers.data["channel"]
    table = times.table[times.table["statistic"] == "median"].set_index("channel")
    for name in table.index:
        fit = lifelines.KaplanMeierFitter().fit(time[channel == name], ended[channel == name])
        assert table.loc[name, "estimate"] == pytest.approx(fit.median_survival_time_, rel=1e-12)
    test = statistics.multivariate_logrank_test(time, channel, ended)
    assert times.tests["statistic"][0] == pytest.approx(test.test_statistic, rel=1e-9)
    assert times.tests["df"][0] == 2


def test_without_open_items_it_is_the_plain_mean_and_median():
    hours = [1.0, 2, 3, 4, 10]
    table = register_of(hours, channel="app").times("closed").table.set_index("statistic")
    assert table.loc["mean", "estimate"] == pytest.approx(np.mean(hours))
    assert table.loc["median", "estimate"] == 3
    assert (table["ended_only"][["mean", "median"]] == [np.mean(hours), 3]).all()
    days = register_of(hours, channel="app").times("closed", unit="day").table
    np.testing.assert_allclose(days["estimate"] * 24, table["estimate"])


def test_known_medians_are_covered_and_the_naive_mean_is_too_short():
    """Forty registers; the median of class "billing" by app is 200 hours."""
    covered, naive = 0, []
    for seed in range(40):
        frame = cx.simulate_feedback_register(8, 60, seed=seed, n_customers=300)
        rows = (frame["class"] == "billing") & (frame["channel"] == "app")
        register = cx.feedback_register(frame[rows], until=frame.attrs["population"]["until"])
        row = register.times("closed").table.iloc[0]
        covered += row["ci_low"] <= 200 <= row["ci_high"]
        naive.append(row["ended_only"])
    assert covered >= 34  # of 40 at 95 %, 3 standard errors below
    assert np.mean(naive) < 190


def test_customers_who_write_often_widen_the_interval():
    hours = np.repeat(np.arange(1.0, 31), 4)
    alone = register_of(hours).times("closed").table.iloc[0]
    same = register_of(hours, customer=np.repeat(np.arange(30), 4)).times("closed").table.iloc[0]
    assert same["estimate"] == alone["estimate"]
    assert same["ci_high"] - same["ci_low"] > 1.6 * (alone["ci_high"] - alone["ci_low"])


def test_very_many_items_have_the_errors_of_all_times(monkeypatch):
    """Errors taken at some times against those at all; estimates are the same to the digit."""
    frame = cx.simulate_feedback_register(20, 50, seed=9, n_customers=150)
    register = cx.feedback_register(frame)
    exact = register.times("closed", unit="day").table
    monkeypatch.setattr(closing_times, "LARGE", 100)
    quick = register.times("closed", unit="day").table
    np.testing.assert_array_equal(quick["estimate"], exact["estimate"])
    for column in ("ci_low", "ci_high"):
        np.testing.assert_allclose(quick[column], exact[column], rtol=0.03)
    assert quick["se"][2] == pytest.approx(exact["se"][2], rel=0.1)


def test_owners_with_harder_items_are_compared_within_classes():
    """B has more of the slow class, and is as fast as A within each."""
    rng = np.random.default_rng(1)
    n = 800
    owner = rng.choice(["A", "B"], n)
    slow = rng.random(n) < np.where(owner == "A", 0.2, 0.8)
    hours = rng.exponential(np.where(slow, 40, 10))
    register = register_of(hours, owner=owner, category=np.where(slow, "slow", "fast"))
    assert register.times("closed", by="owner").tests["p_value"][0] < 1e-6
    adjusted = register.times("closed", by="owner", adjust="category")
    assert adjusted.tests["p_value"][0] > 0.05


def test_a_promise_is_kept_broken_or_not_yet_due():
    """Two kept, one late, one overdue; one that came in 5 hours ago cannot tell."""
    start = pd.Timestamp("2024-01-01")
    frame = pd.DataFrame(
        {
            "class": "a",
            "date": [start] * 4 + [start + 95 * HOUR],
            "closed": [start + 10 * HOUR, start + 48 * HOUR, start + 49 * HOUR, None, None],
        }
    )
    register = cx.feedback_register(frame, until=start + 100 * HOUR)
    row = register.promises({"a": "2 days"}).table.iloc[0]
    assert row[["n_kept", "n_late", "n_overdue", "n_young"]].tolist() == [2, 1, 1, 1]
    # At 10 hours 4 of 5 are at risk (the young one left at 5), at 48 hours 3.
    assert row["estimate"] == pytest.approx(1 - (1 - 1 / 4) * (1 - 1 / 3))
    assert 0 < row["ci_low"] < row["estimate"] < row["ci_high"] < 1
    assert register.open_items(promise={"a": 48}).table["n_overdue"].sum() == 1


def test_all_or_none_in_time_has_wilsons_interval():
    row = register_of([1.0] * 20, category="a").promises({"a": 2}).table.iloc[0]
    low, high = cx.metrics.proportion_interval(1.0, 20)
    assert (row["estimate"], row["ci_low"], row["ci_high"]) == (1, low, high)
    none = register_of([3.0] * 20, category="a").promises({"a": 2}).table.iloc[0]
    assert (none["estimate"], none["ci_low"]) == (0, 0)
    assert none["ci_high"] == pytest.approx(1 - low)


def test_the_strength_of_a_loop_without_open_items_is_that_of_formula_a07():
    hours = [24.0, 48, 72, 96, 120]
    register = register_of(hours, adopted=[1, 0, 1, 0, 0], answered="2024-01-01 01:00")
    strength = register.funnel("10 days", target="3 days").strength
    expected = feedback_loop(2, 5, closing_times=[1, 2, 3, 4, 5], target=3).table["estimate"]
    np.testing.assert_allclose(strength["estimate"], expected)


def test_a_stage_counts_what_passed_all_before_it():
    register = register_of(
        [10.0, 20, 30, np.nan], answered=["2024-01-01 02:00", None, "2024-01-03", None],
        adopted=[1, 1, 0, 0],
    )  # fmt: skip
    table = register.funnel("30 days").table
    assert table["n"].tolist() == [4, 2, 2, 1]
    np.testing.assert_allclose(table["estimate"], [1, 0.5, 0.5, 0.25])
    np.testing.assert_allclose(table["passed_on"][1:], [0.5, 1, 0.5])


def test_young_items_do_not_lower_the_funnel():
    """The same stream, cut off after 8 weeks or looked at when all is closed."""
    frame = cx.simulate_feedback_register(60, 100, seed=6, outbreak=False, improvement=False)
    early = frame[frame["date"] < "2024-02-26"]
    now = cx.feedback_register(early, until="2024-02-26").funnel("30 days").table
    later = cx.feedback_register(early, until="2025-01-01").funnel("30 days").table
    for stage in (1, 2, 3):
        row = now.iloc[stage]
        assert row["ci_low"] < later["estimate"][stage] < row["ci_high"]
    assert now["share"][2] < now["ci_low"][2]  # the plain share so far


def test_open_items_add_up(simulated):
    result = simulated.open_items(by="owner", ages=[2, 10])
    assert result.table["n"].sum() == result.n_open == simulated.n_open
    np.testing.assert_allclose(result.table.groupby("owner")["share"].sum(), 1)
    age = (simulated.until - simulated.data["date"])[simulated.data["closed"].isna()]
    assert result.oldest == pytest.approx(age.max() / pd.Timedelta(days=1))
    middle = result.table[result.table["days_open"] == "2–10"]["n"].sum()
    assert middle == ((age >= pd.Timedelta(days=2)) & (age < pd.Timedelta(days=10))).sum()


def test_reopening_is_of_closed_items_and_by_customers(simulated):
    data = simulated.data
    rate = simulated.reopening()
    assert rate.table["n"][0] == data["closed"].notna().sum()
    assert rate.table["estimate"][0] == pytest.approx(
        (data["reopened"] > 0).sum() / rate.table["n"][0]
    )
    assert "n_clusters" in rate.table
    assert rate.synthetic


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.times("opened"), "event='opened'; allowed: 'answered', 'closed'"),
        (lambda r: r.times("answered"), "no column of when items were answered"),
        (lambda r: r.times(by="owner"), "by='owner'; allowed: 'category'"),
        (lambda r: r.times(adjust="category"), "adjust='category' with by=None"),
        (lambda r: r.times(unit="week"), "unit='week'"),
        (lambda r: r.times(horizon="soon"), "horizon='soon'; allowed: a number of hours above 0"),
        (lambda r: r.times(level=2), "level"),
        (lambda r: r.promises({"b": 3}), "promise for 'b'; category has a"),
        (lambda r: r.promises({"a": -3}), "promise of 'a'=-3; allowed"),
        (lambda r: r.promises({}), "promise={}; allowed: a mapping"),
        (lambda r: r.promises([3]), "allowed: a mapping"),
        (lambda r: r.funnel(0), "within=0; allowed"),
        (lambda r: r.open_items(ages=[3, 1]), "allowed: rising numbers of days"),
        (lambda r: r.open_items(promise=[1]), "allowed: a mapping"),
        (lambda r: r.open_items(promise={"b": 1}), "promise for 'b'; category has a"),
        (lambda r: r.open_items(ages="x"), "allowed: rising numbers of days"),
        (lambda r: r.reopening(), "no column of reopenings"),
        (lambda r: r.alerts(), "the register has .* whole weeks; allowed: 9 or more"),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(cx.CxError, match=message):
        call(register_of([1.0, 2.0], category="a"))


def test_one_row_and_nothing_closed_are_no_failures():
    one = register_of([5.0], category="a")
    assert one.times("closed").table["estimate"][0] == 5
    none = register_of([np.nan, np.nan], category="a")
    assert none.times("closed").table["estimate"][:2].isna().all()
    assert none.times("closed").table["estimate"][2] == 1_000  # up to the end, nobody closed
    with pytest.raises(cx.CxError, match="no group has a median yet"):
        none.times("closed").plot()
    assert none.promises({"a": 10}).table["estimate"][0] == 0
    assert none.funnel("3 days").table["estimate"].tolist() == [1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("n_customers", [50, 200])
def test_intervals_cover_where_customers_write_often(n_customers):
    rng = np.random.default_rng(n_customers)
    covered, n_registers = np.zeros(2), 300
    customer = np.repeat(np.arange(n_customers), 3)
    for _ in range(n_registers):
        own = rng.normal(0, 0.7, n_customers)[customer]
        age = rng.uniform(0, 800, len(customer))
        hours = 100 * np.exp(own + rng.normal(0, 0.7, len(customer)))
        start = pd.Timestamp("2024-01-01")
        frame = pd.DataFrame({"date": start - pd.to_timedelta(age, unit="h"), "customer": customer})
        frame["closed"] = (frame["date"] + pd.to_timedelta(hours, unit="h")).where(hours < age)
        register = cx.feedback_register(frame.assign(category="a"), until=start)
        median = register.times("closed").table.iloc[0]
        kept = register.promises({"a": 100}).table.iloc[0]
        covered += [
            median["ci_low"] <= 100 <= median["ci_high"], kept["ci_low"] <= 0.5 <= kept["ci_high"]
        ]  # fmt: skip
    assert (covered / n_registers > 0.95 - 3 * np.sqrt(0.95 * 0.05 / n_registers)).all()
