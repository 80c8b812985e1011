import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cxstats as cx
from cxstats.stats.coefficients import (
    average_variance_extracted,
    cronbach_alpha,
    feldt_interval,
    htmt,
    htmt_interval,
    htmt_matrix,
    item_statistics,
    omega,
)

CLOSED = 1e-12  # the same closed form, in other words
BLOCKS = [[0, 1, 2], [3], [4, 5]]


def correlations(seed, batch=()):
    x = np.random.default_rng(seed).normal(size=(*batch, 40, 6))
    x -= x.mean(axis=-2, keepdims=True)
    cov = np.swapaxes(x, -1, -2) @ x
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    return cov / (sd[..., :, None] * sd[..., None, :])


@given(st.integers(2, 8), st.floats(0.05, 0.95))
def test_alpha_of_parallel_items_is_spearman_brown(k, r):
    cov = np.full((k, k), r) + (1 - r) * np.eye(k)
    assert cronbach_alpha(cov) == pytest.approx(k * r / (1 + (k - 1) * r))
    batch = np.stack([cov, 4 * cov])
    assert cronbach_alpha(batch) == pytest.approx([k * r / (1 + (k - 1) * r)] * 2)
    loading = np.full(k, np.sqrt(r))
    assert omega(loading, 1 - loading**2) == pytest.approx(cronbach_alpha(cov))
    assert average_variance_extracted(loading, 1 - loading**2) == pytest.approx(r)


@pytest.mark.parametrize("level", [0, 0.4, 1, 95])
def test_level_is_checked(level):
    with pytest.raises(cx.CxError, match="level is"):
        feldt_interval(0.8, 100, 5, level)


def test_item_statistics_of_two_items():
    rest, dropped = item_statistics(np.array([[1.0, 0.5], [0.5, 1.0]]))
    assert rest.tolist() == [0.5, 0.5]
    assert np.isnan(dropped).all()


def test_omega_and_ave_of_standardised_items_need_no_uniquenesses():
    loadings = np.random.default_rng(0).uniform(0.3, 0.9, (5, 4))
    for coefficient in (omega, average_variance_extracted):
        batch = coefficient(loadings)
        np.testing.assert_allclose(coefficient(loadings, 1 - loadings**2), batch, rtol=CLOSED)
        assert batch.tolist() == [coefficient(row).item() for row in loadings]


def test_htmt_from_sums_of_blocks():
    corr = correlations(1, (3,))
    member = np.zeros((6, 3))
    for j, items in enumerate(BLOCKS):
        member[items, j] = 1
    size, sums = member.sum(axis=0), member.T @ np.abs(corr) @ member
    within = np.diagonal(sums, axis1=1, axis2=2) - size
    within = np.where(size > 1, within / np.maximum(size * (size - 1), 1), 1)
    expected = sums / np.outer(size, size) / np.sqrt(within[:, :, None] * within[:, None, :])
    expected[:, range(3), range(3)] = np.nan
    np.testing.assert_allclose(htmt_matrix(corr, BLOCKS), expected, rtol=CLOSED)


@pytest.mark.parametrize("geometric", [False, True])
def test_htmt_of_a_pair_is_that_of_the_matrix(geometric):
    corr = correlations(2)
    matrix = htmt_matrix(corr, BLOCKS, geometric)
    np.testing.assert_array_equal(matrix, matrix.T)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert matrix[i, j] == htmt(corr, BLOCKS[i], BLOCKS[j], geometric)


def test_htmt2_with_a_correlation_of_0_is_0_and_touches_no_other_pair():
    corr = correlations(3)
    corr[0, 3] = corr[3, 0] = 0
    ratios = htmt_matrix(corr, BLOCKS, geometric=True)
    assert ratios[0, 1] == 0
    assert ratios[0, 2] == htmt(corr, BLOCKS[0], BLOCKS[2], True) > 0


def test_htmt2_is_htmt_where_correlations_are_alike():
    r = np.full((6, 6), 0.4)
    np.fill_diagonal(r, 1)
    np.testing.assert_allclose(htmt_matrix(r, BLOCKS), htmt_matrix(r, BLOCKS, True), rtol=CLOSED)


def test_the_interval_of_htmt_by_hand():
    """Replicates too large by .1: the lower limit is lower than any of the three it is taken of."""
    from scipy import stats

    generator = np.random.default_rng(1)
    replicates = generator.normal(0.6, 0.1, (999, 2))
    replicates[:3, 1] = np.nan, np.inf, np.nan
    n, estimate = 30, np.array([0.5, 0.5])
    low, high = htmt_interval(estimate, replicates, 0.95, n)
    reach = stats.t.ppf(0.975, n - 1) * np.sqrt(n / (n - 1))
    own = replicates[:, 0]
    percentiles = np.quantile(own, stats.norm.cdf([-reach, reach]))
    candidates = [
        percentiles[0],
        percentiles[0] - 2 * (own.mean() - 0.5),
        0.5 - reach * own.std(ddof=1),
    ]
    assert low[0] == pytest.approx(min(candidates))
    assert high[0] == pytest.approx(percentiles[1])
    assert np.isfinite([low[1], high[1]]).all()
    empty = htmt_interval(np.array([np.nan, 0.01]), replicates, 0.95, n)
    assert np.isnan(empty[0][0])
    assert empty[0][1] == 0  # never below
