"""Group-sequential plans: published boundaries, exact probabilities, monitoring."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxstats.core.errors import CxError, DataError
from cxstats.experiments import ab_test_from_counts, sequential_plan
from cxstats.experiments.boundaries import (
    boundaries,
    crossing,
    drift_for,
    obrien_fleming,
    pocock,
    stagewise_p,
)
from cxstats.metrics.planning import sample_size
from tests.references import close, reference

# The reference's grid of .002 with the trapezoidal rule is good to some 1e-6.
GRID = 5e-6
FIVE, UNEVEN = np.arange(1, 6) / 5, np.array([0.3, 0.45, 0.9, 1])
# Lan and DeMets' functions, five looks, two-sided .05, as their program prints them (Reboussin,
# DeMets, Kim & Lan 2000); its grid leaves the fourth decimal one off in places.
PUBLISHED = {
    "obrien_fleming": [4.877, 3.357, 2.680, 2.290, 2.031],
    "pocock": [2.438, 2.427, 2.410, 2.397, 2.386],
}
# Jennison & Turnbull (2000), tables 2.1, 2.2, 2.3 and 2.4: two-sided .05, power .8 and .9.
CONSTANTS = {
    2: (2.178, 1.977, 1.110, 1.008, 1.100, 1.007),
    3: (2.289, 2.004, 1.166, 1.017, 1.151, 1.016),
    5: (2.413, 2.040, 1.229, 1.028, 1.207, 1.026),
    10: (2.555, 2.087, 1.301, 1.040, 1.271, 1.037),
}


@pytest.mark.parametrize("spending", list(PUBLISHED))
def test_published_boundaries(spending):
    found = sequential_plan(5, spending=spending).table["boundary"]
    np.testing.assert_allclose(found, PUBLISHED[spending], atol=5.1e-4)


@pytest.mark.parametrize(
    ("case", "function", "t", "alpha"),
    [
        ("obrien_fleming_five", obrien_fleming, FIVE, 0.05),
        ("pocock_five", pocock, FIVE, 0.05),
        ("obrien_fleming_uneven", obrien_fleming, UNEVEN, 0.01),
        ("pocock_uneven", pocock, UNEVEN, 0.1),
    ],
)
def test_boundaries_against_r(case, function, t, alpha):
    table = reference("experiments")
    expected = table[table["case"] == case]["value"].astype(float)
    np.testing.assert_allclose(boundaries(function(t, alpha), t), expected, atol=GRID)


def test_error_may_be_spent_at_other_times_than_information_came():
    table = reference("experiments")
    expected = table[table["case"] == "overrun"]["value"].astype(float)
    spent = obrien_fleming([0.25, 0.5, 1], 0.05)
    for information in ([2, 3, 7], [200, 300, 700]):
        np.testing.assert_allclose(boundaries(spent, information), expected, atol=GRID)


@pytest.mark.parametrize(("looks", "row"), CONSTANTS.items())
def test_jennison_and_turnbulls_tables(looks, row):
    """Constant and O'Brien-Fleming boundaries: error .05, and the published inflation factors."""
    t = np.arange(1, looks + 1) / looks
    alone = {power: drift_for(power, [stats.norm.ppf(0.975)], [1.0]) for power in (0.8, 0.9)}
    bounds = np.full(looks, row[0]), row[1] / np.sqrt(t)
    for bound, factors in zip(bounds, ((row[2], row[4]), (row[3], row[5])), strict=True):
        assert np.sum(crossing(bound, t)) == pytest.approx(0.05, abs=1.5e-4)
        for power, factor in zip((0.8, 0.9), factors, strict=True):
            inflation = (drift_for(power, bound, t) / alone[power]) ** 2
            assert inflation == pytest.approx(factor, abs=1.1e-3)


@pytest.mark.parametrize(("looks", "error"), [(1, 0.05), (2, 0.083), (5, 0.142), (10, 0.193)])
def test_naive_peeking_finds_what_armitage_found(looks, error):
    """Armitage, McPherson & Rowe (1969), table 2: repeated tests at 1.96."""
    found = np.sum(crossing([1.959964] * looks, np.arange(1, looks + 1)))
    assert found == pytest.approx(error, abs=5.1e-4)


def test_crossing_against_the_multivariate_normal():
    t, bounds, drift = np.array([0.3, 0.7, 1.0]), np.array([2.5, 2.2, 2.0]), 1.7
    corr = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    normal = stats.multivariate_normal(
        drift * np.sqrt(t), corr, seed=1, maxpts=2_000_000, abseps=1e-8, releps=1e-8
    )
    inside = normal.cdf(bounds, lower_limit=-bounds)
    assert 1 - np.sum(crossing(bounds, t, drift)) == pytest.approx(inside, abs=1e-6)


def test_drift_turned_around_swaps_the_sides():
    one, two = crossing([2.5, 2.0], [0.5, 1], 1.3), crossing([2.5, 2.0], [0.5, 1], -1.3)
    close(one[0], two[1], 1e-13)
    close(one[1], two[0], 1e-13)


@pytest.mark.parametrize("spending", list(PUBLISHED))
def test_many_looks_and_uneven_ones_spend_the_error(spending):
    for looks in (1, 60, [0.02, 0.021, 0.5, 0.999, 1.0]):
        plan = sequential_plan(looks, spending=spending)
        table = plan.table
        spent = np.cumsum(np.sum(crossing(table["boundary"], table["information"]), axis=0))
        np.testing.assert_allclose(spent, table["spent"], atol=1e-9)
        assert table["stopped"].iloc[-1] >= 0.8 - 1e-8


def test_one_look_is_the_fixed_test():
    plan = sequential_plan(1)
    close(plan.table["boundary"], stats.norm.ppf(0.975), 1e-9)
    close([plan.inflation, plan.expected], 1, 1e-8)


def test_error_and_power_in_simulation():
    draw = np.random.default_rng(1)
    plan = sequential_plan([0.2, 0.5, 0.8, 1.0], spending="pocock")
    t, bounds = plan.table["information"].to_numpy(), plan.table["boundary"].to_numpy()
    paths = np.cumsum(draw.normal(size=(400_000, 4)) * np.sqrt(np.diff(t, prepend=0)), axis=1)
    error = (np.abs(paths / np.sqrt(t)) >= bounds).any(axis=1).mean()
    assert error == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400_000))
    drift = drift_for(0.8, bounds, t)
    crossed = np.abs((paths + drift * t) / np.sqrt(t)) >= bounds
    assert crossed.any(axis=1).mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 400_000))
    last = np.where(crossed.any(axis=1), np.argmax(crossed, axis=1), 3)
    assert t[last].mean() == pytest.approx(plan.expected, abs=0.003)


def test_stagewise_p_is_uniform_without_a_difference():
    draw = np.random.default_rng(2)
    t, bounds = np.array([0.5, 1.0]), np.array([2.5, 2.0])
    z = np.cumsum(draw.normal(size=(3000, 2)) * np.sqrt(0.5), axis=1) / np.sqrt(t)
    last = np.where(np.abs(z[:, 0]) >= bounds[0], 0, 1)
    p = [stagewise_p(row[k], bounds[: k + 1], t[: k + 1]) for row, k in zip(z, last, strict=True)]
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_plan_with_sample_size():
    base = sample_size("conversion", first=0.10, second=0.12)
    plan = sequential_plan(4, plan=base)
    assert plan.n == (int(np.ceil(base.n[0] * plan.inflation)),) * 2
    assert plan.table["n_first"].tolist()[-1] == plan.n[0]
    for lang in ("en", "zh"):
        assert "4" in plan.summary(lang)
        plan.plot(lang=lang)
    tests = sequential_plan(2, plan=sample_size("mean", difference=1, sd=3, tests=5))
    assert tests.table["spent"].iloc[-1] == pytest.approx(0.01)
    assert "<table" in plan._repr_html_()


def by_look(shares, n, seed=1):
    draw = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"arm": arm, "y": (draw.random(n) < p) * 1, "week": week})
        for week in (1, 2, 3, 4)
        for arm, p in zip(("old", "new"), shares, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


GIVEN = {"outcome": "y", "group": "arm", "control": "old", "look": "week"}


def test_monitoring_stops_at_a_clear_difference():
    plan = sequential_plan(4, plan=sample_size("conversion", first=0.10, second=0.12))
    frame = by_look((0.10, 0.16), plan.n[0] // 4 + 1)
    found = plan.monitor(frame, **GIVEN)
    assert found.decision == "stop"
    assert found.stopped_at <= 3
    assert found.p_value < 0.001
    assert any("too large on average" in note.en for note in found.notes)
    table = found.table
    np.testing.assert_allclose(table["boundary"], plan.table["boundary"], atol=0.005)
    half = table["boundary"] * table["se"]
    close(table["ci_high"] - table["estimate"], half, 1e-12)
    for lang in ("en", "zh"):
        found.summary(lang)
        found.plot(lang=lang)
    assert found.trusted
    assert "<table" in found._repr_html_()


def test_monitoring_of_tests_is_that_of_rows():
    plan = sequential_plan(4, plan=sample_size("conversion", first=0.10, second=0.12))
    frame = by_look((0.1, 0.1), 900)
    rows = plan.monitor(frame, **GIVEN)
    tests = []
    for week in (1, 2, 3, 4):
        part = frame[frame["week"] <= week].groupby("arm")["y"].agg(["sum", "size"])
        pair = {"control": part.loc["old"], "treatment": part.loc["new"]}
        tests.append(ab_test_from_counts(**{k: tuple(map(int, v)) for k, v in pair.items()}))
    counted = plan.monitor(tests)
    columns = ["information", "estimate", "statistic", "boundary"]
    close(rows.table[columns].to_numpy(), counted.table[columns].to_numpy(), 1e-12)
    assert rows.decision == "continue"
    assert np.isnan(rows.p_value)
    ended = plan.monitor(frame, **GIVEN, final=True)
    assert ended.decision in ("end", "stop")
    assert ended.table["spent"].iloc[-1] == pytest.approx(0.05)
    assert ended.p_value > 0


def test_monitoring_swapped_turns_the_sign():
    plan, frame = sequential_plan(4), by_look((0.1, 0.12), 500)
    one = plan.monitor(frame, **GIVEN)
    two = plan.monitor(frame, **GIVEN | {"control": "new"})
    close(one.table["statistic"], -two.table["statistic"], 1e-10)
    close(one.table["ci_low"], -two.table["ci_high"], 1e-10)


def test_bad_plans():
    for looks in (0, 1.5, "many", [0.5, 0.4, 1], [0.5, 0.9], [0.0, 1.0], True, [0.5, None]):
        with pytest.raises(CxError, match="looks="):
            sequential_plan(looks)
    with pytest.raises(CxError, match="spending='haybittle'; allowed: 'obrien_fleming', 'pocock'"):
        sequential_plan(3, spending="haybittle")
    with pytest.raises(CxError, match=r"power=1\.2"):
        sequential_plan(3, power=1.2)
    with pytest.raises(CxError, match="level is 2"):
        sequential_plan(3, level=2)
    with pytest.raises(CxError, match="a sample_size of two groups"):
        sequential_plan(3, plan=sample_size("csat", first=0.7, margin=0.03))
    with pytest.raises(CxError, match=r"level=0\.9, but the plan has 0\.95"):
        sequential_plan(3, level=0.9, plan=sample_size("mean", difference=1, sd=3))


def test_bad_monitoring():
    plan, frame = sequential_plan(4), by_look((0.1, 0.1), 100)
    with pytest.raises(DataError, match="column 'day' is not in the table"):
        plan.monitor(frame, **GIVEN | {"look": "day"})
    with pytest.raises(CxError, match="a table needs outcome="):
        plan.monitor(frame, outcome="y")
    with pytest.raises(DataError, match="column 'week': missing"):
        plan.monitor(frame.assign(week=frame["week"].where(frame.index != 3)), **GIVEN)
    with pytest.raises(CxError, match="5 looks; 4 are planned"):
        plan.monitor([ab_test_from_counts(control=(9, 99 + i), b=(9, 99 + i)) for i in range(5)])
    with pytest.raises(DataError, match="more answers than the one before"):
        plan.monitor([ab_test_from_counts(control=(9, 99), b=(9, 99))] * 2)
    with pytest.raises(CxError, match="look 1 is a float"):
        plan.monitor([2.1])
    with pytest.raises(CxError, match="2 variants"):
        plan.monitor([ab_test_from_counts(control=(9, 99), b=(9, 99), c=(9, 99))])
    with pytest.raises(CxError, match="no looks"):
        plan.monitor([])
    small = sequential_plan(2, plan=sample_size("conversion", first=0.1, second=0.3))
    with pytest.raises(CxError, match="look 1 has all planned answers"):
        small.monitor(frame, **GIVEN)
    with pytest.raises(DataError, match="look 1: nothing varies"):
        plan.monitor([ab_test_from_counts(metric="mean", control=(1, 0, 9), b=(1, 0, 9))])
