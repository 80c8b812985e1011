import numpy as np
import pytest
from scipy import stats

from cxstats.stats.bootstrap import bca, bootstrap_means, column_quantiles, percentile_limits

ROUNDING = 1e-12


def test_bca_as_scipy():
    generator = np.random.default_rng(2)
    values = np.column_stack([generator.exponential(size=120), generator.normal(size=120)])
    low, high = bootstrap_means(values, 0.95, 40_000, seed=1)
    for i in range(2):
        peer = stats.bootstrap(
            (values[:, i],), np.mean, n_resamples=40_000, method="BCa", vectorized=True, rng=1
        )
        # Two independent sets of 40,000 resamples: Monte-Carlo error of a 2.5 % quantile.
        error = 4 * peer.standard_error * np.sqrt(0.025 * 0.975 / 40_000) / 0.058
        assert low[i] == pytest.approx(peer.confidence_interval.low, abs=error)
        assert high[i] == pytest.approx(peer.confidence_interval.high, abs=error)


def test_bca_is_percentile_for_a_symmetric_sample():
    half = np.abs(np.random.default_rng(0).normal(size=100))
    values = np.concatenate([half, -half])[:, None]
    replicates = np.random.default_rng(1).normal(size=(20_001, 1))
    replicates -= np.median(replicates)
    low, high = bca(replicates, np.zeros(1), values / 200, 0.9)
    assert low[0] == pytest.approx(np.quantile(replicates, 0.05), abs=1e-3)
    assert high[0] == pytest.approx(np.quantile(replicates, 0.95), abs=1e-3)


def test_bca_counts_the_replicates_that_exist():
    values = np.full((60, 1), np.nan)
    values[:3, 0] = [1.0, 2.0, 4.0]
    replicates = np.full((4, 1), np.nan)
    replicates[:3, 0] = [1.0, 2.0, 3.0]
    replicates = np.tile(replicates, (500, 1))
    low, high = bca(replicates, np.array([2.0]), np.nan_to_num(values - 2.0), 0.5)
    assert low[0] < 2.0 < high[0]


@pytest.mark.parametrize("method", ["linear", "nearest", "inverted_cdf"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_percentile_limits_as_numpy(method, axis):
    replicates = np.random.default_rng(0).normal(size=(40, 30))
    limits = percentile_limits(replicates, 0.9, axis, method)
    expected = np.quantile(replicates, [0.05, 0.95], axis=axis, method=method)
    np.testing.assert_allclose(limits, expected, rtol=ROUNDING)


def test_percentile_limits_leave_out_missing_replicates():
    replicates = np.array([[1.0, np.nan, 3.0], [2.0, np.nan, np.nan], [3.0, np.nan, 5.0]])
    low, high = percentile_limits(replicates, 0.5)
    np.testing.assert_allclose(low, [1.5, np.nan, 3.5])
    np.testing.assert_allclose(high, [2.5, np.nan, 4.5])
    np.testing.assert_allclose(percentile_limits(replicates[:, 2], 0.5), [3.5, 4.5])
    np.testing.assert_allclose(percentile_limits(replicates.T, 0.5, axis=1), [low, high])


@pytest.mark.parametrize("shape", [(0,), (0, 3), (0, 2, 2)])
def test_percentile_limits_without_replicates(shape):
    limits = percentile_limits(np.empty(shape), 0.95)
    assert limits.shape == (2, *shape[1:])
    assert np.isnan(limits).all()


def test_percentile_limits_of_infinite_replicates_are_numbers():
    low, high = percentile_limits([1.0, 2.0, np.inf, np.inf], 0.5)
    assert low == 1.75
    assert 1e299 < high < np.inf


def test_percentile_limits_of_a_batch_of_matrices():
    replicates = np.random.default_rng(1).normal(size=(50, 2, 3))
    replicates[::7, 0, 1] = np.nan
    limits = percentile_limits(replicates, 0.8)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_allclose(limits[:, i, j], percentile_limits(replicates[:, i, j], 0.8))


def test_column_quantiles_as_numpy_with_gaps_and_shares_of_each_column():
    generator = np.random.default_rng(3)
    replicates = generator.normal(size=(41, 6))
    replicates[::5, 1] = replicates[:40, 2] = replicates[:, 3] = np.nan
    shares = generator.uniform(size=(3, 6))
    shares[0, 0], shares[1, 0], shares[2, 5] = 0, 1, np.nan
    quantiles = column_quantiles(replicates, shares)
    for i, j in np.ndindex(3, 6):
        column = replicates[~np.isnan(replicates[:, j]), j]
        undefined = not len(column) or np.isnan(shares[i, j])
        expected = np.nan if undefined else np.quantile(column, shares[i, j])
        np.testing.assert_allclose(quantiles[i, j], expected, rtol=ROUNDING)


def test_bca_without_replicates_or_variation():
    replicates = np.column_stack([np.full(30, 2.0), np.full(30, np.nan), np.arange(30.0)])
    influence = np.random.default_rng(0).normal(size=(50, 3))
    low, high = bca(replicates, np.array([2.0, 1.0, 14.5]), influence, 0.9)
    assert np.isnan(low[:2]).all()
    assert np.isnan(high[:2]).all()
    assert low[2] < 14.5 < high[2]
