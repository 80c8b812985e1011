"""Bands that hold for several estimates at once.

References
----------
Hothorn, Bretz & Westfall (2008). Simultaneous inference in general parametric models. Biometrical
Journal 50(3), 346-363.
Montiel Olea & Plagborg-Møller (2019). Simultaneous confidence bands: Theory, implementation, and an
application to SVARs. Journal of Applied Econometrics 34(1), 1-17.
Sidak (1967). Rectangular confidence regions for the means of multivariate normal distributions.
JASA 62, 626-633.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.moments import Seed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

# Draws of the largest t: a level of 95 % then has a Monte-Carlo error of 0.15 points.
DRAWS = 20_000
CHUNK = 1_000_000  # numbers drawn at once


def simultaneous_level(
    covariances: ArrayLike, df: ArrayLike, level: float, seed: Seed = 1
) -> float:
    """Return the level of single intervals at which all of k hold with `level` at once.

    ``1 - q``, with q the ``1 - level`` quantile of the smallest p value of
    ``T_j = Z_j / sqrt(chi2_j / df_j)``: Z normal with the correlations R of the estimates, and
    each with a standard error of its own, whose chi2 go together as variances of normal answers do
    (correlations R^2, by a normal copula). In large samples that is the sup-t band; for independent
    estimates Sidak's, ``level^(1/k)``; for a single one `level`; and it is never above that of
    Bonferroni, ``1 - (1 - level) / k``.

    Parameters
    ----------
    covariances : array (k, k)
        Of the estimates. Those that do not vary, or have NaN, are left out.
    df : array (k,)
        Degrees of freedom of their standard errors; those below 1 are left out.
    level : float
    seed : int

    Notes
    -----
    The multivariate t distribution has one standard error for all, as if variances were pooled; at
    n = 20 its band of 12 means held in 91 % of our samples where 95 % were asked for.

    Examples
    --------
    >>> one = simultaneous_level([[2.0]], [20], 0.95)
    >>> alike = simultaneous_level(np.ones((5, 5)), [20] * 5, 0.95)
    >>> apart = simultaneous_level(np.eye(5), [20] * 5, 0.95)
    >>> one, round(alike, 2), round(apart, 2)
    (0.95, 0.95, 0.99)
    """
    from scipy.special import chdtri, ndtr, stdtr

    covariances, df = np.asarray(covariances, float), np.asarray(df, float)
    variances = np.diag(covariances)
    with np.errstate(invalid="ignore"):
        varies = (variances > 0) & (df >= 1)
    k = int(varies.sum())
    if k < 2:
        return level
    sd = np.sqrt(variances[varies])
    corr = covariances[np.ix_(varies, varies)] / sd / sd[:, None]
    df = df[varies]
    generator = np.random.default_rng(seed)
    root, root_of_squares = _root(corr), _root(corr**2)
    step = max(1, CHUNK // k)
    smallest = np.empty(DRAWS)
    for start in range(0, DRAWS, step):
        b = min(step, DRAWS - start)
        z = generator.standard_normal((b, k)) @ root.T
        w = generator.standard_normal((b, k)) @ root_of_squares.T
        t = np.abs(z) / np.sqrt(chdtri(df, ndtr(w)) / df)
        if np.ptp(df) == 0:  # the largest t has the smallest p
            t, at = t.max(axis=1, keepdims=True), df[:1]
        else:
            at = df
        smallest[start : start + b] = 2 * stdtr(at, -t).min(axis=1)
    single = float(np.quantile(smallest, 1 - level))
    # Chance of the draws cannot take it beyond what holds for any correlations.
    return float(1 - min(max(single, (1 - level) / k), 1 - level))


def sidak_level(k: int, level: float) -> float:
    """Return ``level^(1/k)``: at it, k intervals of normal estimates hold at once, or more often.

    For estimates whose correlations are not known: independent ones hold just at `level`.

    Examples
    --------
    >>> round(sidak_level(5, 0.95), 4)
    0.9898
    """
    return float(level ** (1 / max(k, 1)))


def _root(corr: Array) -> Array:
    """Return a square root of correlations, which may be singular."""
    values, vectors = np.linalg.eigh(corr)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
