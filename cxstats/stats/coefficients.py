"""Coefficients of reliability and validity, each a function of a matrix or of loadings.

Those of a covariance or correlation matrix take a batch of them ``(..., p, p)`` as well, so that
a published table can be tested without data and a bootstrap is one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.stats.inference import check_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVEL = 0.95
LARGE = 1e300


def cronbach_alpha(cov: Array) -> Array:
    """Return Cronbach's alpha, ``k / (k - 1) * (1 - trace / sum)``, of covariances (..., k, k).

    Of correlations it is the standardised alpha.

    References
    ----------
    Cronbach (1951). Coefficient alpha and the internal structure of tests. Psychometrika 16.

    Examples
    --------
    >>> import numpy as np
    >>> cronbach_alpha(np.array([[1, 0.5], [0.5, 1]])).round(4).item()
    0.6667
    """
    k = cov.shape[-1]
    if k < 2:
        return np.full(cov.shape[:-2], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.trace(cov, axis1=-2, axis2=-1) / cov.sum(axis=(-2, -1))
    alpha: Array = k / (k - 1) * (1 - share)
    return alpha


def feldt_interval(alpha: float, n: int, k: int, level: float = LEVEL) -> tuple[float, float]:
    """Return Feldt's interval of alpha.

    ``1 - (1 - alpha) F``, F the quantiles of the F distribution with ``n - 1`` and
    ``(n - 1)(k - 1)`` degrees of freedom. Exact for normal answers and parallel items. Answers that
    pile up at an end of the scale are not normal: at n = 200 it then covered 92.9 % instead of
    95 % in our simulation, and no larger n mends that; the bootstrap interval does.

    Parameters
    ----------
    alpha : float
        Cronbach's alpha.
    n, k : int
        Cases and items.
    level : float
        Confidence level.

    References
    ----------
    Feldt, Woodruff & Salih (1987). Statistical inference for coefficient alpha. Applied
    Psychological Measurement 11, 93-103.

    Examples
    --------
    >>> [round(x, 4) for x in feldt_interval(0.8431, n=30, k=6)]
    [0.7366, 0.9162]
    """
    from scipy import stats

    check_level(level)
    if k < 2 or n < 2 or not np.isfinite(alpha):
        return float("nan"), float("nan")
    df = n - 1, (n - 1) * (k - 1)
    upper, lower = stats.f.ppf([(1 - level) / 2, (1 + level) / 2], *df)
    return float(1 - (1 - alpha) * lower), float(1 - (1 - alpha) * upper)


def item_statistics(cov: Array) -> tuple[Array, Array]:
    """Return item-rest correlations (k,) and alpha if each item is dropped (k,).

    Alpha of what is left is NaN where a single item is left.
    """
    k = len(cov)
    rest, dropped = np.full(k, np.nan), np.full(k, np.nan)
    for i in range(k):
        others = np.delete(np.arange(k), i)
        left = cov[np.ix_(others, others)]
        if k > 1:
            rest[i] = cov[i, others].sum() / np.sqrt(cov[i, i] * left.sum())
            dropped[i] = cronbach_alpha(left)
    return rest, dropped


def omega(loadings: Array, uniquenesses: Array) -> float:
    """Return omega, ``(sum l)^2 / ((sum l)^2 + sum theta)``: of a factor with variance 1.

    With standardised loadings it is called composite reliability (CR).

    References
    ----------
    McDonald (1999). Test theory; Fornell & Larcker (1981). JMR 18, 39-50.

    Examples
    --------
    >>> round(omega(np.array([0.8, 0.7, 0.6]), np.array([0.36, 0.51, 0.64])), 4)
    0.7449
    """
    common = loadings.sum() ** 2
    return float(common / (common + uniquenesses.sum()))


def average_variance_extracted(loadings: Array, uniquenesses: Array) -> float:
    """Return AVE, ``sum l^2 / (sum l^2 + sum theta)``, in the metric of the items.

    References
    ----------
    Fornell & Larcker (1981). Evaluating structural equation models. JMR 18, 39-50.

    Examples
    --------
    >>> round(average_variance_extracted(np.array([0.8, 0.7]), np.array([0.36, 0.51])), 4)
    0.565
    """
    common = (loadings**2).sum()
    return float(common / (common + uniquenesses.sum()))


def htmt(
    corr: Array, first: Sequence[int], second: Sequence[int], geometric: bool = False
) -> Array:
    """Return the heterotrait-monotrait ratio of two constructs.

    Mean absolute correlation between the items of different constructs, over the geometric mean
    of the two mean correlations within a construct (1 for a single item). HTMT2
    (``geometric=True``) takes geometric means throughout, which fits items with unequal loadings.
    Bootstrap percentile intervals of either covered 92.2 to 94.8 % at n = 200 in our simulation,
    and 93.8 to 95.5 % at n = 400.

    Parameters
    ----------
    corr : array (..., p, p)
        Correlations, one matrix or a batch.
    first, second : sequences of int
        Places of the items.
    geometric : bool
        HTMT2 instead of HTMT.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015). JAMS 43, 115-135. Roemer, Schuberth & Henseler (2021).
    HTMT2. Industrial Management & Data Systems 121, 2637-2650.

    Examples
    --------
    >>> r = np.array([[1, 0.6, 0.3], [0.6, 1, 0.3], [0.3, 0.3, 1]])
    >>> htmt(r, [0, 1], [2]).round(4).item()
    0.3873
    """
    absolute = np.abs(corr)

    def mean(rows: Any, columns: Any) -> Array:
        values = absolute[..., rows, columns]
        if not geometric:
            return np.asarray(values.mean(axis=-1))
        with np.errstate(divide="ignore"):
            return np.asarray(np.exp(np.log(values).mean(axis=-1)))

    across = [(i, j) for i in first for j in second]
    between = mean(*map(list, zip(*across, strict=True)))
    within = [
        mean(*map(list, zip(*combinations(items, 2), strict=True))) if len(items) > 1 else 1.0
        for items in (first, second)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Array = between / np.sqrt(within[0] * within[1])
    return ratio


def percentile(replicates: Array, level: float) -> tuple[float, float]:
    """Return the percentile interval of the replicates that exist; an infinite one is large."""
    kept = np.clip(replicates[~np.isnan(replicates)], -LARGE, LARGE)
    if len(kept) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
