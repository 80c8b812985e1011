"""Bootstrap intervals: replicates of means, percentile limits, BCa limits."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np

from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.moments import LARGE, Seed, check_resamples, resampling_counts
from cxstats.core.progress import quiet_linear_algebra

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Method = Literal["linear", "nearest", "inverted_cdf"]
HUGE = 1e300  # stands for an infinite replicate


def normal_note(n: int) -> Text:
    """Say that the moments of resamples were drawn instead of cases (`replicate_moments`)."""
    return both("bootstrap.normal", n=format_number(n), large=format_number(LARGE))


def bootstrap_means(
    values: Array, level: float, n_resamples: int, seed: int
) -> tuple[Array, Array]:
    """Return BCa intervals of the column means (k,), (k,); NaN where nothing varies."""
    has = ~np.isnan(values)
    replicates = replicate_means(values, n_resamples, seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = has.sum(axis=0)
        mean = np.where(has, values, 0).sum(axis=0) / n
        influence = np.where(has, (values - mean) / n, 0)
    return bca(replicates, mean, influence, level)


def replicate_means(values: Array, n_resamples: int, seed: Seed) -> Array:
    """Return bootstrap replicates of the column means (B, k), from one product with counts.

    A replicate that draws no case of a column is NaN there.
    """
    has = ~np.isnan(values)
    filled = np.where(has, values, 0)
    complete = bool(has.all())
    terms = filled if complete else np.concatenate([filled, has.astype(float)], axis=1)
    k = values.shape[1]
    check_resamples(n_resamples, seed)
    replicates = np.empty((n_resamples, k))
    with quiet_linear_algebra(), np.errstate(invalid="ignore", divide="ignore"):
        for start, counts in resampling_counts(len(values), n_resamples, seed):
            sums = counts @ terms
            chunk = sums / len(values) if complete else sums[:, :k] / sums[:, k:]
            replicates[start : start + len(counts)] = chunk
    return replicates


def column_quantiles(replicates: Array, shares: ArrayLike) -> Array:
    """Return quantiles of every column of replicates, all from one sort.

    ``x_(j) + (h - j) (x_(j + 1) - x_(j))`` with ``h = share (B - 1)`` and j its integer, as
    `numpy.quantile` does by default.

    Parameters
    ----------
    replicates : array (B, k)
        Missing ones (NaN) are left out of their column.
    shares : array (m,), or (m, k) where columns have shares of their own
        From 0 to 1.

    Returns
    -------
    array (m, k)
        NaN for a column without a replicate, or where a share is NaN.

    Examples
    --------
    >>> column_quantiles(np.array([[3.0], [1.0], [2.0], [np.nan]]), [0.5, 0.75]).tolist()
    [[2.0], [2.5]]
    """
    ordered = np.sort(np.ascontiguousarray(np.transpose(replicates)))  # NaN comes last
    shares = np.asarray(shares, float)
    shares = np.broadcast_to(shares[:, None] if shares.ndim == 1 else shares,
                             (len(shares), replicates.shape[1]))  # fmt: skip
    if not ordered.size:
        return np.full(shares.shape, np.nan)
    last = np.sum(~np.isnan(ordered), axis=1) - 1
    usable = (last >= 0) & ~np.isnan(shares)
    place = np.where(usable, shares * last, 0)
    below = np.floor(place).astype(int)
    share = place - below
    column = np.arange(replicates.shape[1])
    above = np.minimum(below + 1, np.maximum(last, 0))
    low, high = ordered[column, below], ordered[column, above]
    with np.errstate(invalid="ignore"):
        step = high - low
        quantiles = np.where(share < 0.5, low + step * share, high - step * (1 - share))
    return np.where(usable, quantiles, np.nan)


def percentile_limits(
    replicates: ArrayLike, level: float, axis: int = 0, method: Method = "linear"
) -> Array:
    """Return percentile limits of replicates: the quantiles ``(1 - level)/2, (1 + level)/2``.

    Parameters
    ----------
    replicates : array (B, ...)
        Missing ones (NaN) are left out of their column. An infinite one counts as very large, so
        that a quantile between two of them is a number.
    level : float
        Confidence level.
    axis : int
        Along which the replicates lie.
    method : {"linear", "nearest", "inverted_cdf"}
        How a quantile lies between two replicates, as in `numpy.quantile`; the latter two keep
        ranks whole.

    Returns
    -------
    array (2, ...)
        Low and high limits; NaN for a column without a replicate.

    References
    ----------
    Efron & Tibshirani (1993). An introduction to the bootstrap, ch. 13.

    Examples
    --------
    >>> percentile_limits(np.arange(101.0), 0.9).round(9).tolist()
    [5.0, 95.0]
    """
    values = np.asarray(replicates)
    if np.isinf(values).any():
        values = np.clip(values, -HUGE, HUGE)
    tails = [(1 - level) / 2, (1 + level) / 2]
    columns = np.moveaxis(values, axis, 0)
    if method == "linear":
        flat = columns.reshape(len(columns), prod(columns.shape[1:]))
        return column_quantiles(flat, tails).reshape(2, *columns.shape[1:])
    present = ~np.isnan(columns).all(axis=0)
    limits = np.full((2, *present.shape), np.nan)
    if columns[:, present].size:
        limits[:, present] = np.nanquantile(columns[:, present], tails, axis=0, method=method)
    return limits


def reach(level: float, n: float, df: float) -> float:
    """Return how many standard errors of a bootstrap an interval reaches to either side.

    ``t_(1 + level)/2, df * sqrt(n / df)``: resamples of n cases vary too little by about
    ``sqrt(df / n)``, and their spread is itself an estimate.

    References
    ----------
    Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician
    69(4), 371-386.

    Examples
    --------
    >>> round(reach(0.95, 200, 194), 3)
    2.003
    """
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2) * np.sqrt(n / df))


def expanded_percentile(
    replicates: ArrayLike, level: float, n: float, df: float
) -> tuple[Array, Array]:
    """Return percentile limits (k,), (k,) at the quantiles ``Phi(-reach)`` and ``Phi(reach)``.

    Parameters
    ----------
    replicates : array (B, k)
        Missing ones are left out, see `percentile_limits`.
    level : float
        Confidence level.
    n : float
        Cases of a resample.
    df : float
        Degrees of freedom of a standard error.

    References
    ----------
    Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician
    69(4), 371-386.

    Examples
    --------
    >>> low, high = expanded_percentile(np.arange(1001.0)[:, None], 0.95, 20, 19)
    >>> low.round().item(), high.round().item()
    (16.0, 984.0)
    """
    from scipy.special import ndtr

    low, high = percentile_limits(replicates, 1 - 2 * float(ndtr(-reach(level, n, df))))
    return low, high


def bca(
    replicates: Array, estimate: Array, influence: Array | Iterable[Array], level: float
) -> tuple[Array, Array]:
    """Return bias-corrected and accelerated bootstrap intervals.

    ``alpha' = Phi(z0 + (z0 + z) / (1 - a (z0 + z)))`` with ``z0`` from the share of replicates
    below the estimate (ties count half) and ``a = sum l^3 / (6 (sum l^2)^1.5)`` from the
    influence ``l`` of each case.

    Parameters
    ----------
    replicates : array (B, k)
        Bootstrap replicates; rows with NaN in a column are left out of that column.
    estimate : array (k,)
        The estimates.
    influence : array (n, k), or blocks of its rows
        Empirical influence of each case on each estimate.
    level : float
        Confidence level.

    Returns
    -------
    low, high : arrays (k,)
        NaN where the replicates do not vary.

    References
    ----------
    Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
    """
    k = len(estimate)
    squares, cubes = np.zeros(k), np.zeros(k)
    for block in [influence] if isinstance(influence, np.ndarray) else influence:
        square = block * block
        squares += square.sum(axis=0)
        cubes += (square * block).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return accelerated_limits(replicates, estimate, cubes / (6 * squares**1.5), level)


def accelerated_limits(
    replicates: Array, estimate: Array, acceleration: Array, level: float
) -> tuple[Array, Array]:
    """Return the limits of `bca` from accelerations a (k,), a sixth of the skewness of a mean."""
    from scipy.special import ndtr, ndtri

    k, a = len(estimate), acceleration
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (~np.isnan(replicates)).sum(axis=0)
        ties = (replicates == estimate).sum(axis=0) / 2
        below = ((replicates < estimate).sum(axis=0) + ties) / drawn
        z0 = ndtri(below)
        limits = []
        for tail in ((1 - level) / 2, (1 + level) / 2):
            shifted = z0 + ndtri(tail)
            limits.append(ndtr(z0 + shifted / (1 - a * shifted)))
    tails = np.where(np.isfinite(limits).all(axis=0), limits, np.nan)
    ends = column_quantiles(replicates, np.vstack([tails, np.zeros(k), np.ones(k)]))
    low, high = np.where(ends[3] > ends[2], ends[:2], np.nan)
    return low, high
