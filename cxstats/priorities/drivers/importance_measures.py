"""How much of R2 each driver carries: subsets, Shapley values, relative weights, regression.

Every function takes correlation matrices ``(..., p + 1, p + 1)``, the p drivers first and the
outcome last, for one sample or for a batch of bootstrap replicates. A driver that others determine
exactly adds nothing to them, so that R2 and its shares exist for singular matrices, too. A driver
may be a group of columns next to each other (the dummies of a region), which enter together:
``sizes`` says how many columns each has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# What is left of a driver's variance (of 1) given others, below which it is their combination.
SINGULAR = 1e-10


def subset_r2(corr: Array, sizes: Sequence[int] | None = None) -> Array:
    """Return R2 of the regressions on all 2^p subsets of the drivers.

    Drivers are taken one at a time. For every subset of those before, the covariances of the
    variables still to come are kept given the subset (Schur complements); the next driver k is
    either dropped or swept out,

        ``A_uv - A_uk A_kv / A_kk``,

    which doubles the subsets. What remains of the outcome's variance at the end is 1 - R2. No
    subset costs more than a few operations, against about p^3 for a regression of its own.

    Parameters
    ----------
    corr : array (..., p + 1, p + 1)
        Correlations, the outcome last.
    sizes : sequence of int, optional
        Columns of each driver; one without it.

    Returns
    -------
    array (..., 2^p)
        Bit k of the index says whether driver k is in the subset.

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> subset_r2(corr).round(4).tolist()
    [0.0, 0.36, 0.16, 0.3733]
    """
    left = corr[..., None, :, :]
    for size in sizes_of(corr, sizes):
        left = sweep(left, size)
    r2: Array = 1 - left[..., 0, 0]
    return r2


def sizes_of(corr: Array, sizes: Sequence[int] | None) -> Sequence[int]:
    """Return the columns of each driver, one for each without `sizes`."""
    return [1] * (corr.shape[-1] - 1) if sizes is None else sizes


def sweep(left: Array, size: int = 1) -> Array:
    """Drop the first columns, then sweep them out: (..., m, q, q) to (..., 2 m, q - g, q - g)."""
    m, q = left.shape[-3], left.shape[-1]
    swept = np.empty((*left.shape[:-3], 2 * m, q - size, q - size))
    swept[..., :m, :, :] = left[..., size:, size:]
    for _ in range(size - 1):
        left = _swept(left, np.empty_like(left[..., 1:, 1:]))
    _swept(left, swept[..., m:, :, :])
    return swept


def _swept(left: Array, out: Array) -> Array:
    """Sweep the first column out of (..., q, q)."""
    line = left[..., 0, 1:]
    scaled = line * inverse_of(left[..., 0, 0])[..., None]
    return np.asarray(
        np.subtract(left[..., 1:, 1:], line[..., :, None] * scaled[..., None, :], out=out)
    )


def inverse_of(variance: Array) -> Array:
    """Return 1 / variance, and 0 where nothing is left of a variable."""
    with np.errstate(divide="ignore"):
        return np.where(variance > SINGULAR, 1 / variance, 0.0)


def shapley(corr: Array, sizes: Sequence[int] | None = None) -> Array:
    """Return the Shapley values of R2 (LMG): a driver's rise of R2, averaged over all orders.

    ``phi_j = sum over S without j of |S|! (p - |S| - 1)! / p! (R2(S + j) - R2(S))``

    They are not negative and sum to R2. Exact; time and memory grow as 2^p.

    Parameters
    ----------
    corr : array (..., p + 1, p + 1)
        Correlations, the outcome last.
    sizes : sequence of int, optional
        Columns of each driver; one without it. A group of columns enters as one.

    Returns
    -------
    array (..., p)

    References
    ----------
    Lindeman, Merenda & Gold (1980). Introduction to bivariate and multivariate analysis.
    Groemping (2006). Relative importance for linear regression in R: the package relaimpo. Journal
    of Statistical Software 17(1).

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> shapley(corr).round(4).tolist()
    [0.2867, 0.0867]
    """
    return shapley_of(subset_r2(corr, sizes), len(sizes_of(corr, sizes)))


def shapley_of(worths: Array, p: int) -> Array:
    """Return the Shapley values (..., p) of what each of the 2^p subsets is worth (..., 2^p).

    The worth of no driver is 0. `worths` is overwritten.
    """
    joined, without = subset_weights(p)
    lowered = worths @ without
    worths *= joined
    halves = (worths.reshape(*worths.shape[:-1], -1, 2, 2**k)[..., 1, :] for k in range(p))
    return np.stack([half.sum(axis=(-2, -1)) - lowered for half in halves], axis=-1)


@cache
def subset_weights(p: int) -> tuple[Array, Array]:
    """Return the weights of R2(S) in all Shapley values, (2^p,) each.

    ``phi_j = sum over S with j of joined_S R2(S) - sum over all S of without_S R2(S)``: the
    second sum is the same for every driver, so none needs a list of subsets of its own.
    """
    size = np.zeros(1, int)
    for _ in range(p):
        size = np.concatenate([size, size + 1])
    weight = np.array([1 / (p * comb(p - 1, s)) for s in range(p)] + [0.0])
    return weight[size - 1] + weight[size], weight[size]


def johnson(corr: Array) -> Array:
    """Return Johnson's relative weights, shares of R2 by way of orthogonal stand-ins.

    With the drivers' correlations ``R`` and theirs with the outcome ``r``: ``L = R^(1/2)`` holds
    the correlations with the closest orthogonal variables, ``b = L^-1 r`` the outcome's
    coefficients on these, and

        ``w_j = sum over k of L_jk^2 b_k^2``,

    which sum to R2. Close to the Shapley values, for one eigendecomposition.

    Parameters
    ----------
    corr : array (..., p + 1, p + 1)
        Correlations, the outcome last.

    Returns
    -------
    array (..., p)

    References
    ----------
    Johnson (2000). A heuristic method for estimating the relative weight of predictor variables in
    multiple regression. Multivariate Behavioral Research 35(1), 1-19.

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> johnson(corr).round(4).tolist()
    [0.2867, 0.0867]
    """
    root, b = orthogonal(corr)
    return np.asarray(np.einsum("...jk,...k->...j", root**2, b**2), float)


def orthogonal(corr: Array) -> tuple[Array, Array]:
    """Return ``R^(1/2)`` (..., p, p) and the coefficients on the orthogonal stand-ins (..., p)."""
    values, vectors = np.linalg.eigh(corr[..., :-1, :-1])
    root = np.sqrt(np.maximum(values, 0))
    inverse = np.sqrt(inverse_of(values))
    r = np.einsum("...jk,...j->...k", vectors, corr[..., :-1, -1])
    b = np.einsum("...jk,...k->...j", vectors, inverse * r)
    return (vectors * root[..., None, :]) @ np.swapaxes(vectors, -1, -2), b


def betas(corr: Array) -> Array:
    """Return standardised regression coefficients, ``R^-1 r``; NaN where R is singular.

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> betas(corr).round(4).tolist()
    [0.5333, 0.1333]
    """
    between, r = corr[..., :-1, :-1], corr[..., :-1, -1]
    regular = np.linalg.eigvalsh(between)[..., 0] > SINGULAR
    safe = np.where(regular[..., None, None], between, np.eye(between.shape[-1]))
    solution = np.linalg.solve(safe, r[..., None])[..., 0]
    return np.asarray(np.where(regular[..., None], solution, np.nan), float)


def tolerances(corr: Array) -> Array:
    """Return ``1 - R2`` of each driver regressed on the others (p,); VIF is its inverse.

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> tolerances(corr).tolist()
    [0.75, 0.75]
    """
    p = corr.shape[-1] - 1
    unexplained = np.ones(p)
    for j in range(p):
        order = [*(k for k in range(p) if k != j), j]
        left = corr[np.ix_(order, order)]
        for _ in range(p - 1):
            left = left[1:, 1:] - np.outer(left[1:, 0], left[0, 1:]) * inverse_of(left[0, 0])
        unexplained[j] = max(left[0, 0], 0.0)
    return np.where(unexplained > SINGULAR, unexplained, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Standardised regression of the outcome on all drivers.

    Attributes
    ----------
    beta, se, t, p_value : arrays (p,)
        Coefficients and their ordinary least-squares tests; NaN where drivers determine another.
    tolerance, vif : arrays (p,)
        ``1 - R2`` of a driver on the others, and its inverse.
    r_squared, adjusted : float
        R2, and R2 with the degrees of freedom taken off.
    condition : float
        Condition number of the drivers' correlations, the largest eigenvalue by the smallest.
    """

    beta: Array
    se: Array
    t: Array
    p_value: Array
    tolerance: Array
    vif: Array
    r_squared: float
    adjusted: float
    condition: float


def regression(corr: Array, n: int) -> Regression:
    """Compute the standardised regression of one correlation matrix.

    ``se_j = sqrt((1 - R2) VIF_j / (n - p - 1))``, ``t = beta / se`` on ``n - p - 1`` degrees of
    freedom, as least squares on variables scaled to a standard deviation of 1.

    Parameters
    ----------
    corr : array (p + 1, p + 1)
        Correlations, the outcome last.
    n : int
        Cases, more than p + 1.

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> fit = regression(corr, 100)
    >>> fit.beta.round(4).tolist(), fit.se.round(4).tolist()
    ([0.5333, 0.1333], [0.0928, 0.0928])
    """
    from scipy import stats

    p = corr.shape[-1] - 1
    df = n - p - 1
    values = np.linalg.eigvalsh(corr[:-1, :-1])
    tolerance, beta = tolerances(corr), betas(corr)
    r2 = float(full_r2(corr))
    with np.errstate(divide="ignore", invalid="ignore"):
        vif = 1 / tolerance
        se = np.where(np.isnan(beta), np.nan, np.sqrt(max(1 - r2, 0.0) * vif / df))
        t = beta / se
        condition = float(values[-1] / np.maximum(values[0], 0))
    return Regression(
        beta, se, t, 2 * stats.t.sf(np.abs(t), df), tolerance, vif, r2,
        float(1 - (1 - r2) * (n - 1) / df), condition,
    )  # fmt: skip


def full_r2(corr: Array) -> Array:
    """Return R2 of the regression on all drivers (...,)."""
    _, b = orthogonal(corr)
    total: Array = (b**2).sum(axis=-1)
    return total
