"""Means of dependent series: an outside estimate of the long-run variance, and coverage."""

import numpy as np
import pytest
from scipy.signal import lfilter

from cxstats.stats.serial_means import serial_means

CARRY = 0.5


def series(n, k, seed, carry=CARRY):
    """Return k series (n, k) in which each value keeps a share of the one before; mean 0."""
    noise = np.random.default_rng(seed).normal(size=(n + 50, k))
    return lfilter([1], [1, -carry], noise, axis=0)[50:]


def test_error_is_that_of_the_long_run():
    """A long series: sd of the mean is ``1 / (1 - carry) / sqrt(n)``."""
    n = 40_000
    se = serial_means(series(n, 8, 1)).se
    assert se.mean() == pytest.approx(1 / (1 - CARRY) / n**0.5, rel=0.05)


def test_agrees_with_newey_and_west():
    """The same quantity from statsmodels, with Bartlett's weights over many lags."""
    import statsmodels.api as sm

    x = series(20_000, 1, 2)
    ols = sm.OLS(x[:, 0], np.ones(len(x))).fit(cov_type="HAC", cov_kwds={"maxlags": 60})
    assert serial_means(x).se[0] == pytest.approx(ols.bse[0], rel=0.1)


def test_size_of_units_and_order_of_time():
    x = series(40, 3, 3)
    means, scaled = serial_means(x), serial_means(7 + 3 * x)
    np.testing.assert_allclose(scaled.mean, 7 + 3 * means.mean)
    np.testing.assert_allclose(scaled.se, 3 * means.se)
    np.testing.assert_allclose(serial_means(x[::-1]).se, means.se)  # backwards is the same
    assert means.df == round(0.4 * 40 ** (2 / 3))


def test_what_does_not_vary_has_no_interval():
    means = serial_means(np.ones((20, 1)))
    assert np.isnan(means.limits(0.95)).all()
    assert np.isnan(means.p_values()).all()


@pytest.mark.parametrize(("n", "carry"), [(40, 0.0), (40, 0.5), (100, 0.5)])
def test_coverage(n, carry):
    k = 20_000
    means = serial_means(series(n, k, 4, carry))
    low, high = means.limits(0.95)
    coverage = ((low <= 0) & (high >= 0)).mean()
    assert 0.93 < coverage < 0.955, coverage
    assert (means.p_values() < 0.05).mean() == pytest.approx(1 - coverage)
