import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import cxstats as cx
from cxstats.stats.intervals import (
    check_interval,
    check_level,
    difference_interval,
    noncentral_interval,
    normal_quantile,
    proportion_interval,
    t_interval,
    weighted_counts_interval,
    wilson_half_width,
    wilson_interval,
)
from tests.references import reference, value

CLOSED = 1e-12  # the same closed form, in other words
INVERTED = 1e-9  # quantiles of the beta distribution by two algorithms
METHODS = [
    ("wilson", "wilson", CLOSED),
    ("clopper_pearson", "beta", INVERTED),
    ("wald", "normal", CLOSED),
]
COUNTS = [(0, 1), (1, 1), (0, 20), (20, 20), (7, 19), (30, 200), (1, 100_000)]


@pytest.mark.parametrize("level", [0.5, 0.9, 0.999])
@pytest.mark.parametrize(("events", "trials"), COUNTS)
@pytest.mark.parametrize(("method", "peer", "tolerance"), METHODS)
def test_proportion_intervals_as_statsmodels(method, peer, tolerance, events, trials, level):
    expected = np.clip(proportion_confint(events, trials, 1 - level, peer), 0, 1)
    limits = proportion_interval(events / trials, trials, method, level)
    np.testing.assert_allclose(limits, expected, atol=tolerance)


@given(st.floats(0, 1), st.floats(0.5, 1e6), st.floats(0.01, 0.999))
def test_wilson_limits_mirror_and_hold_the_share(share, n, level):
    low, high = wilson_interval(share, n, level)
    assert 0 <= low <= share + CLOSED
    assert share - CLOSED <= high <= 1
    assert wilson_interval(1 - share, n, level) == pytest.approx((1 - high, 1 - low), abs=CLOSED)


def test_wilson_half_width_is_that_of_the_interval():
    low, high = wilson_interval(0.3, 41.7, 0.9)
    half = wilson_half_width(0.21, 41.7, normal_quantile(0.9))
    assert (high - low) / 2 == pytest.approx(half, rel=CLOSED)


def test_wilson_without_trials_or_share():
    low, high = wilson_interval([0.5, 0.5, 0.0, np.nan], [0, np.nan, 0, 10], 0.95)
    assert np.isnan([low, high]).all()


def test_wilson_reaches_0_and_1_exactly():
    assert wilson_interval(0.0, 7, 0.95)[0] == 0
    assert wilson_interval(1.0, 7, 0.95)[1] == 1


def test_t_interval_as_scipy():
    low, high = t_interval(np.array([2.0]), np.array([0.5]), np.array([9.0]), 0.9)
    np.testing.assert_allclose([low[0], high[0]], stats.t.interval(0.9, 9, 2.0, 0.5), rtol=CLOSED)
    nothing = t_interval(np.ones(2), np.array([0.0, 0.5]), np.array([9.0, 0.0]), 0.9)
    assert np.isnan(nothing).all()


def test_difference_of_shares_is_newcombes():
    """Newcombe (1998), table II, example (a): 56/70 against 48/80, method 10."""
    first, second = ((k / n, *wilson_interval(k / n, n, 0.95)) for k, n in ((56, 70), (48, 80)))
    assert difference_interval(first, second) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    low, high = difference_interval(first, second)
    assert difference_interval(second, first) == pytest.approx((-high, -low), rel=CLOSED)


def test_noncentral_interval_contains_its_t():
    low, high = noncentral_interval(np.array([0.0, 3.0, np.nan]), np.array([10.0, 50.0, 5.0]), 0.95)
    assert low[0] == pytest.approx(-high[0], rel=1e-8)
    assert low[1] < 3 < high[1]
    assert np.isnan(low[2])
    np.testing.assert_allclose(stats.nct.sf(3, 50, low[1]), 0.025, rtol=1e-6)


@pytest.mark.parametrize("level", [0, 0.49, 1, 95, "0.95", None])
def test_levels_are_checked(level):
    with pytest.raises(cx.CxError, match=r"level is .*; allowed: 0\.5 to below 1"):
        check_level(level)


def test_interval_names_are_checked():
    check_interval("t", ("t", "bca"))
    with pytest.raises(cx.CxError, match="interval='z'; allowed: 't', 'bca'"):
        check_interval("z", ("t", "bca"))
    with pytest.raises(cx.CxError, match="'wilson', 'clopper_pearson', 'wald'"):
        proportion_interval(0.5, 10, "exact")


WEIGHTED = {  # as in tests/reference/weighted_counts.R
    "rare": ([1, 0, 3, 2], [200, 200, 150, 400], [100, 50, 20, 400]),
    "none": ([0, 0], [50, 80], [10, 30]),
    "one": ([7], [120], [35]),
    "usual": ([24, 9, 3, 5, 2], [300] * 5, [12, 35, 400, 60, 80]),
}


@pytest.mark.parametrize("case", WEIGHTED)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_weighted_counts_are_those_of_fay_and_feuer(case, level):
    limits = weighted_counts_interval(*WEIGHTED[case], level)
    for name, limit in zip(("low", "high"), limits, strict=True):
        rows = reference("weighted_counts").astype({"level": str})
        expected = value(rows, case=case, level=str(level), limit=name)
        assert float(limit) == pytest.approx(expected, rel=INVERTED)


def test_weighted_counts_of_one_rare_event_are_garwoods():
    low, high = weighted_counts_interval([6], [10**9], [10**9], 0.95)
    assert float(low) == pytest.approx(stats.chi2.ppf(0.025, 12) / 2, rel=1e-6)
    assert float(high) == pytest.approx(stats.chi2.ppf(0.975, 14) / 2, rel=1e-6)


def test_weighted_counts_keep_to_what_is_possible():
    counts, n, weights = np.array([[0, 0], [20, 5], [20, 30]]), [20, 30], [3, 8]
    low, high = weighted_counts_interval(counts, n, weights, 0.95)
    assert (low >= 0).all()
    assert (high <= 11).all()
    assert low[0] == 0
    assert high[2] == 11  # nothing but events
    turned = weighted_counts_interval(np.array(n) - counts, n, weights, 0.95)
    np.testing.assert_allclose(11 - turned[1], low)  # events and the others are mirrored
    scaled = weighted_counts_interval(counts, n, [30, 80], 0.95)
    np.testing.assert_allclose(scaled[0], 10 * low)


SHARES_AND_WEIGHTS = [
    ([0.01] * 8, [100] * 8),
    ([0.005, 0.01, 0.02, 0.03, 0.05, 0.06, 0.08, 0.1], [400, 300, 200, 150, 100, 80, 50, 20]),
    ([0.1, 0.2, 0.3], [10, 50, 100]),
    ([0.02], [100]),
    ([0.002] * 20, [100] * 20),
    ([0.001, 0.2], [10_000, 10]),
    ([0.3] * 10, [1] * 10),
    ([0.01] * 5 + [0.5], [10] * 5 + [1000]),
    ([0.95], [1]),
    ([0.99] * 5, [1] * 5),
]


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 50, 200, 1000])
@pytest.mark.parametrize(("shares", "weights"), SHARES_AND_WEIGHTS)
def test_weighted_counts_cover(shares, weights, n):
    shares, weights = np.array(shares), np.array(weights, float)
    counts = np.random.default_rng(5).binomial(n, shares, (20_000, len(shares)))
    low, high = weighted_counts_interval(counts, np.full(len(shares), n), weights, 0.95)
    truth = shares @ weights
    assert ((low <= truth) & (truth <= high)).mean() > 0.945
