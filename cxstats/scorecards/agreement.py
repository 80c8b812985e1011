"""How far judges agree on an order: arrays in, numbers out.

Judgements are arrays (judges, objects) without gaps; ranks tie at their mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_ORDERS = 100_000  # sets of rankings that are enumerated
CHUNK = 1_000  # permuted sets of rankings that are held at once
LEAST_JUDGES = 3  # below, no judge can be told from the others


@dataclass(frozen=True, slots=True)
class Concordance:
    """Kendall's coefficient of concordance.

    Attributes
    ----------
    w : float
        From 0 (no agreement) to 1; NaN where every judge ties all objects.
    low, high : float
        Interval; NaN with fewer than 3 judges.
    chi2, df, p_value : float
        Friedman's test that the orders are random.
    p_permutation : float
        The same by permutation.
    exact : bool
        Whether all orders were enumerated.
    """

    w: float
    low: float
    high: float
    chi2: float
    df: int
    p_value: float
    p_permutation: float
    exact: bool


def ranks_of(values: Array) -> Array:
    """Return the rank of each object by each judge, the largest value first.

    Examples
    --------
    >>> ranks_of(np.array([[3.0, 9, 9]])).tolist()
    [[3.0, 1.5, 1.5]]
    """
    from scipy.stats import rankdata

    # Totals of weighted scores that differ in their last bits tie.
    size = np.abs(values).max()
    rounded = values if size == 0 else np.round(values / size, 12)
    return np.asarray(rankdata(-rounded, axis=1))


def kendall_w(ranks: Array) -> Array:
    """Return Kendall's W, corrected for ties.

    ``W = 12 S / (m^2 (k^3 - k) - m sum T)``, S the sum of squares of the rank sums about their mean
    and ``T = sum (t^3 - t)`` over the groups of t tied ranks of a judge.

    Parameters
    ----------
    ranks : array (..., m, k)
        Of m judges and k objects.

    References
    ----------
    Kendall & Babington Smith (1939). The problem of m rankings. Ann. Math. Statist. 10, 275-287.

    Examples
    --------
    >>> ranks = np.array([[1.0, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]])
    >>> round(float(kendall_w(ranks)), 4)
    0.1619
    """
    m, k = ranks.shape[-2:]
    centred = ranks - (k + 1) / 2
    between = (centred.sum(axis=-2) ** 2).sum(axis=-1)
    # With mid-ranks, k^3 - k - T of a judge is 12 times the sum of squares of the ranks.
    within = (centred**2).sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(between / (m * within))


def concordance(ranks: Array, level: float, n_permutations: int, seed: int) -> Concordance:
    """Return Kendall's W with interval and tests.

    The interval is of W of as many judges drawn from those whom these stand for. W of a bootstrap
    sample is too large, since a judge who is drawn twice agrees with himself; so it is the
    jackknife of ``r = (m W - 1) / (m - 1)``, the mean correlation between two judges, over judges,
    on Fisher's scale with Student's t (m - 1 degrees of freedom).

    Parameters
    ----------
    ranks : array (m, k)
    level : float
    n_permutations, seed : int
        Of the test, where the orders are too many to be enumerated.

    References
    ----------
    Efron & Tibshirani (1993). An introduction to the bootstrap, ch. 11 (jackknife).

    Examples
    --------
    >>> ranks = np.array([[1.0, 6, 3, 2, 5, 4], [1, 5, 6, 4, 2, 3], [6, 3, 2, 5, 4, 1]])
    >>> result = concordance(ranks, 0.95, 999, seed=1)
    >>> round(result.chi2, 4), result.df, round(result.p_value, 3)
    (2.4286, 5, 0.787)
    """
    from scipy.stats import chi2 as chi_squared

    m, k = ranks.shape
    w = float(kendall_w(ranks))
    statistic = m * (k - 1) * w
    low, high = _limits(ranks, level)
    p, exact = _permuted(ranks, w, n_permutations, seed)
    return Concordance(
        w, low, high, statistic, k - 1, float(chi_squared.sf(statistic, k - 1)), p, exact
    )


def _limits(ranks: Array, level: float) -> tuple[float, float]:
    from scipy.stats import t

    m = len(ranks)
    if m < 3:
        return np.nan, np.nan
    z = _z(kendall_w(ranks), m)
    without = np.array([_z(kendall_w(np.delete(ranks, i, 0)), m - 1) for i in range(m)])
    pseudo = m * z - (m - 1) * without
    se = pseudo.std(ddof=1) / np.sqrt(m)
    if not np.isfinite(se):
        return np.nan, np.nan
    half = t.ppf((1 + level) / 2, m - 1) * se
    ends = [((m - 1) * np.tanh(z + side * half) + 1) / m for side in (-1, 1)]
    low, high = np.clip(ends, 0, 1)
    return float(low), float(high)


def _z(w: Array, m: int) -> Array:
    """Return the mean correlation between two judges on Fisher's scale."""
    r = (m * w - 1) / (m - 1)
    return np.arctanh(np.clip(r, -0.999, 0.999))


def _permuted(ranks: Array, w: float, n_permutations: int, seed: int) -> tuple[float, bool]:
    """Return the share of random orders that agree as much or more, and whether it is exact."""
    m, k = ranks.shape
    if np.isnan(w):
        return np.nan, False
    least = w - 1e-9
    if k <= 8 and factorial(k) ** (m - 1) <= MOST_ORDERS:
        sums = ranks[:1]
        for row in ranks[1:]:
            orders = np.array(list(permutations(row)))
            sums = (sums[:, None] + orders[None]).reshape(-1, k)
        # The sums of squares within judges stay as they are.
        between = ((sums - sums.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
        within = ((ranks - (k + 1) / 2) ** 2).sum()
        return float((between / (m * within) >= least).mean()), True
    rng = np.random.default_rng(seed)
    as_large = 0
    for start in range(0, n_permutations, CHUNK):
        b = min(CHUNK, n_permutations - start)
        shuffled = rng.permuted(np.broadcast_to(ranks, (b, m, k)), axis=2)
        as_large += int((kendall_w(shuffled) >= least).sum())
    return (1 + as_large) / (1 + n_permutations), False


def rest_correlations(ranks: Array) -> Array:
    """Return the correlation of each judge's ranks with the mean ranks of the others (m,).

    Examples
    --------
    >>> rest_correlations(np.array([[1.0, 2, 3], [1, 2, 3], [3, 2, 1]])).round(2).tolist()
    [nan, nan, -1.0]
    """
    rest = ranks.sum(axis=0) - ranks
    a, b = (x - x.mean(axis=1, keepdims=True) for x in (ranks, rest))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.asarray(r)


def outlying(values: Array, level: float) -> NDArray[np.bool_]:
    """Return which judges depart from the others more than noise explains.

    With objects and judges centred, the share of judge i in the residual sum of squares, times
    ``m / (m - 1)``, is ``Beta((k - 1) / 2, (k - 1) (m - 2) / 2)`` for normal judgements of equal
    scatter. Bonferroni's adjustment over the judges; leniency alone is no departure.

    Parameters
    ----------
    values : array (m, k)
        Scores, not ranks; three judges at least.
    level : float
        1 less the chance that any judge is named though all are alike.

    References
    ----------
    Grubbs (1950). Sample criteria for testing outlying observations. Annals of Mathematical
    Statistics 21, 27-58 (the principle, for single observations).

    Examples
    --------
    >>> values = np.array([[9.0, 6, 3, 1], [8, 6, 2, 1], [9, 5, 3, 2], [8, 6, 3, 1], [1, 3, 6, 9]])
    >>> outlying(values, 0.95).tolist()
    [False, False, False, False, True]
    """
    from scipy.stats import beta

    m, k = values.shape
    if m < LEAST_JUDGES:
        return np.zeros(m, bool)
    centred = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    squares = (centred**2).sum(axis=1)
    if squares.sum() <= 1e-12 * max(float((values**2).sum()), 1e-12):
        return np.zeros(m, bool)
    share = m / (m - 1) * squares / squares.sum()
    p = beta.sf(np.minimum(share, 1.0), (k - 1) / 2, (k - 1) * (m - 2) / 2)
    return np.asarray(m * p < 1 - level)
