"""What takes the place of resampling where a sample is large: the normal limit of its moments.

A resample counts each of n cases some number of times, so its moments are means of n products; in
large samples these means are normal, with the covariance that the products have in the sample
(Bickel & Freedman 1981). Drawing them takes one pass over the cases, where resampling takes one for
each resample.

References
----------
Bickel & Freedman (1981). Some asymptotic theory for the bootstrap. Annals of Statistics 9(6),
1196-1217.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.engines import BLOCK
from cxstats.core.moments import LARGE, Replicates, Seed, check_resamples, normal_moments
from cxstats.stats.bootstrap import replicate_means
from cxstats.stats.sampling_design import SampledPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Part of the largest eigenvalue below which one is rounding: products of columns that determine
# each other.
ROUNDING = 1e-12


def is_large(n: float) -> bool:
    """Return whether so many cases are enough for the normal limit.

    Examples
    --------
    >>> is_large(99_999), is_large(100_000)
    (False, True)
    """
    return n >= LARGE


def means_are_large(values: Array) -> bool:
    """Return whether every column mean (n, k) that exists rests on enough cases."""
    if not is_large(len(values)):
        return False
    n = len(values) - np.isnan(values).sum(axis=0)
    return bool(is_large(n[n > 0].min(initial=len(values))))


def resampled_means(values: Array, n_resamples: int, seed: Seed) -> Array:
    """Return replicates of column means (B, k): of resamples, or drawn from their normal limit.

    `cxstats.stats.bootstrap.replicate_means`, but where every column has enough cases
    (`means_are_large`): then ``N(mean, U'U)`` with the influence ``u = (x - mean) / n`` of a case,
    0 where it has no answer.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(100_000, 1))
    >>> bool(abs(resampled_means(x, 2_000, 1).std() * 100_000**0.5 - 1) < 0.05)
    True
    """
    if not means_are_large(values):
        return replicate_means(values, n_resamples, seed)
    check_resamples(n_resamples, seed)
    n = len(values) - np.isnan(values).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=0) / n
    k = values.shape[1]
    spread = np.zeros((k, k))
    step = max(1, BLOCK // k)
    for first in range(0, len(values), step):
        off = np.nan_to_num((values[first : first + step] - mean) / np.maximum(n, 1))
        spread += off.T @ off
    generator = np.random.default_rng(seed)
    return np.asarray(mean + generator.standard_normal((n_resamples, k)) @ _root(spread).T)


def drawn_means(mean: Array, se: Array, n_resamples: int, seed: Seed) -> Array:
    """Return replicates of means (B, k), each drawn from its own normal limit ``N(mean, se^2)``.

    Where only sums are there. Limits of single means need no more; replicates of different columns
    are independent here, which those of `resampled_means` are not.

    Examples
    --------
    >>> drawn_means(np.array([2.0]), np.array([0.5]), 1_000, seed=1).std().round(1).item()
    0.5
    """
    check_resamples(n_resamples, seed)
    generator = np.random.default_rng(seed)
    return np.asarray(mean + generator.standard_normal((n_resamples, len(mean))) * se)


def normal_moments_of_design(
    matrix: Array, n_resamples: int, seed: Seed, sampled: SampledPart | None
) -> Replicates:
    """Draw the moments of resamples from their normal limit, under a design if there is one.

    As `cxstats.core.moments.normal_moments`; with a design the covariance of the means of products
    is that of the design.

    Parameters
    ----------
    matrix : array (n, p)
        Complete cases.
    n_resamples, seed
        As of `cxstats.core.moments.bootstrap_moments`.
    sampled : SampledPart or None
        The design of the cases.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(200_000, 2))
    >>> cov = normal_moments_of_design(x, 2_000, 1, None).cov
    >>> bool(abs(cov[:, 0, 0].std() / np.sqrt(2 / 200_000) - 1) < 0.05)
    True
    """
    if sampled is None:
        return normal_moments(matrix, n_resamples, seed)
    check_resamples(n_resamples, seed)
    n, p = matrix.shape
    weights = sampled.weights
    centre = weights @ matrix / weights.sum()
    generator = np.random.default_rng(seed)
    mean = sum(w @ terms for w, terms in _blocks(matrix, centre, weights)) / weights.sum()
    spread = _spread_by_design(matrix, centre, mean, sampled)
    draws = mean + generator.standard_normal((n_resamples, len(mean))) @ _root(spread).T
    row, column = np.tril_indices(p)
    cov = np.empty((n_resamples, p, p))
    flat = (draws[:, p:] - draws[:, row] * draws[:, column]) * (n / (n - 1))
    cov[:, row, column] = cov[:, column, row] = flat
    return Replicates(draws[:, :p] + centre, cov, normal=True)


def _root(spread: Array) -> Array:
    """Return A with ``A A' = spread``; directions that are rounding are left out."""
    values, vectors = np.linalg.eigh(spread)
    return np.asarray(vectors * np.sqrt(np.where(values > ROUNDING * values[-1], values, 0)))


def _spread_by_design(matrix: Array, centre: Array, mean: Array, sampled: SampledPart) -> Array:
    """Return the same under a design, from sums over its clusters, some products at a time."""
    p = matrix.shape[1]
    row, column = np.tril_indices(p)
    off, share = matrix - centre, (sampled.weights / sampled.weights.sum())[:, None]
    sums = np.empty((sampled.rows.n_clusters, len(mean)))
    sums[:, :p] = sampled.cluster_sums((off - mean[:p]) * share)
    for i in range(p):
        at = np.flatnonzero(row == i)
        products = off[:, [i]] * off[:, column[at]]
        sums[:, p + at] = sampled.cluster_sums((products - mean[p + at]) * share)
    return sampled.rows.covariance_of_sums(sums)


def _blocks(matrix: Array, centre: Array, weights: Array) -> Iterator[tuple[Array, Array]]:
    """Yield weights and products of blocks of cases, (b,) and (b, p + p(p + 1)/2)."""
    row, column = np.tril_indices(matrix.shape[1])
    step = max(1, BLOCK // (matrix.shape[1] + len(row)))
    for first in range(0, len(matrix), step):
        at = slice(first, first + step)
        x = matrix[at] - centre
        yield weights[at], np.concatenate([x, x[:, row] * x[:, column]], axis=1)
