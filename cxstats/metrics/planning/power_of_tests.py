"""The power of the tests that compare two groups: approximate for arrays of n, exact for small n.

Variances and shares are those of the population. Exact power adds up the probabilities of all
that could be counted, for the tests of `cxstats.metrics`: the z test of NPS with 3/8 added, the
pooled z test of shares that gives way to Fisher's where few events are expected.

References
----------
Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70(4).
Fleiss, Levin & Paik (2003). Statistical methods for rates and proportions, 3rd ed., ch. 4.
Welch (1938). The significance of the difference between two means when the population variances
are unequal. Biometrika 29, 350-362.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.metrics.nps_intervals import ADDED
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Above this no sample is planned for: the difference asked for is none in practice.
LARGEST = 10**10
# Outcomes less likely than this are left out; together they do not move the fourth decimal.
UNLIKELY = 1e-9


def z_power(difference: float, null_se: Any, true_se: Any, alpha: float) -> Array:
    """Return the power of a two-sided z test.

    ``Phi((|d| - z s0) / s1) + Phi((-|d| - z s0) / s1)``, with s0 the standard error that the test
    uses and s1 the true one.

    Examples
    --------
    >>> z_power(0.15, *2 * [np.sqrt((0.61 + 0.5475) / 404)], alpha=0.05).round(3).item()
    0.8
    """
    from scipy.special import ndtr, ndtri

    z = ndtri(1 - alpha / 2)
    null_se, true_se = np.asarray(null_se, float), np.asarray(true_se, float)
    upper, lower = abs(difference) - z * null_se, -abs(difference) - z * null_se
    power: Array = ndtr(upper / true_se) + ndtr(lower / true_se)
    return power


def proportions_power(first: float, second: float, n1: Any, n2: Any, alpha: float) -> Array:
    """Return the power of the z test of two proportions with the pooled standard error.

    Examples
    --------
    >>> proportions_power(0.10, 0.12, 3841, 3841, 0.05).round(3).item()
    0.8
    """
    n1, n2 = np.asarray(n1, float), np.asarray(n2, float)
    pooled = (n1 * first + n2 * second) / (n1 + n2)
    null_se = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    true_se = np.sqrt(first * (1 - first) / n1 + second * (1 - second) / n2)
    return z_power(first - second, null_se, true_se, alpha)


def means_power(
    difference: float, sd: tuple[float, float], n1: Any, n2: Any, alpha: float
) -> Array:
    """Return the power of Welch's t test, from the noncentral t distribution.

    Degrees of freedom are Welch and Satterthwaite's of the population's variances.

    Examples
    --------
    >>> means_power(0.5, (1, 1), 64, 64, 0.05).round(4).item()
    0.8015
    """
    from scipy import stats

    n1, n2 = np.asarray(n1, float), np.asarray(n2, float)
    a, b = sd[0] ** 2 / n1, sd[1] ** 2 / n2
    df = (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))
    centre = abs(difference) / np.sqrt(a + b)
    critical = stats.t.ppf(1 - alpha / 2, df)
    # scipy's noncentral t loses itself far out in the tail; the power is 1 there.
    far = centre > critical + 12
    near = np.where(far, 0.0, centre)
    with np.errstate(all="ignore"):
        power = stats.nct.sf(critical, df, near) + stats.nct.cdf(-critical, df, near)
    return np.where(far, 1.0, np.nan_to_num(power))


def nps_exact(
    first: tuple[float, float], second: tuple[float, float], n1: int, n2: int, alpha: float
) -> float:
    """Return the power of the test of two NPS by enumerating both multinomials.

    Parameters
    ----------
    first, second : (promoters, detractors)
        Shares of the population.
    n1, n2 : int
        Answers; the work grows with the square of each.
    alpha : float
        Of the two-sided test.

    Examples
    --------
    >>> round(nps_exact((0.3, 0.1), (0.8, 0.05), 17, 17, 0.05), 2)
    0.74
    """
    from scipy.special import ndtri

    (m1, v1, w1), (m2, v2, w2) = _nps_outcomes(first, n1), _nps_outcomes(second, n2)
    rejected = np.abs(m1[:, None] - m2) > -ndtri(alpha / 2) * np.sqrt(v1[:, None] + v2)
    return float(w1 @ rejected @ w2)


def _nps_outcomes(shares: tuple[float, float], n: int) -> tuple[Array, Array, Array]:
    """Return moved score, its error variance and the probability of every count."""
    from scipy.special import gammaln, xlogy

    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(n + 1), np.arange(n + 1)))
    i, j = i[i + j <= n], j[i + j <= n]
    k, passives = n - i - j, max(0.0, 1 - sum(shares))
    log = gammaln(n + 1) - gammaln(i + 1) - gammaln(j + 1) - gammaln(k + 1)
    weight = np.exp(log + xlogy(i, shares[0]) + xlogy(j, shares[1]) + xlogy(k, passives))
    likely = weight > UNLIKELY
    added = ADDED / 2
    total = n + 4 * added
    p, d = (i[likely] + added) / total, (j[likely] + added) / total
    return p - d, (p + d - (p - d) ** 2) / total, weight[likely]


def shares_exact(first: float, second: float, n1: int, n2: int, alpha: float) -> float:
    """Return the power of the test of two shares by enumerating both binomials.

    Examples
    --------
    >>> round(shares_exact(0.02, 0.1, 138, 138, 0.05), 2)
    0.84
    """
    from scipy.special import ndtri
    from scipy.stats import binom

    counts, weights = [], []
    for share, n in ((first, n1), (second, n2)):
        spread = 7 * np.sqrt(n * share * (1 - share)) + 7
        low, high = max(0, int(n * share - spread)), min(n, int(n * share + spread))
        counts.append(np.arange(low, high + 1))
        weights.append(binom.pmf(counts[-1], n, share))
    x, y = counts[0][:, None], counts[1]
    pooled = (x + y) / (n1 + n2)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (x / n1 - y / n2) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    rejected = np.abs(z) > -ndtri(alpha / 2)
    few = RULES["cochran1954"].band(np.minimum(pooled, 1 - pooled) * min(n1, n2)) == 0
    for total in np.unique((x + y)[few]):
        at = np.argwhere(x + y == total)
        p = _fisher(int(total), n1, n2)
        rejected[at[:, 0], at[:, 1]] = p[counts[0][at[:, 0]] - max(0, total - n2)] < alpha
    return float(weights[0] @ rejected @ weights[1])


def _fisher(total: int, n1: int, n2: int) -> Array:
    """Return Fisher's two-sided p for every split of `total` events, the smallest first."""
    from scipy.stats import hypergeom

    events = np.arange(max(0, total - n2), min(n1, total) + 1)
    probability = hypergeom.pmf(events, n1 + n2, n1, total)
    # A table counts as as extreme as this one within rounding, as in R and scipy.
    extreme = probability[None, :] <= probability[:, None] * (1 + 1e-7)
    p: Array = np.where(extreme, probability, 0).sum(axis=1)
    return p


def smallest(enough: Callable[[int], bool], start: int) -> int:
    """Return the smallest whole number from `start` for which `enough` holds, and ever after.

    Raises
    ------
    CxError
        If none up to ten thousand million does.

    Examples
    --------
    >>> smallest(lambda n: n * n >= 50, start=2)
    8
    """
    low, high = start - 1, start
    while not enough(high):
        low, high = high, 2 * high
        if high > LARGEST:
            raise CxError(
                "more than ten thousand million answers would be needed: the difference or margin "
                "is too small, or the groups' distributions do not differ"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
