"""Power of small samples, by adding up the probabilities of everything that could be counted.

The tests are those of `cxstats.metrics`: the z test of NPS with 3/8 added, the pooled z test of
shares that gives way to Fisher's where few events are expected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.metrics.nps_intervals import ADDED
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Outcomes less likely than this are left out; together they do not move the fourth decimal.
UNLIKELY = 1e-9


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
    k, rest = n - i - j, max(0.0, 1 - sum(shares))
    log = gammaln(n + 1) - gammaln(i + 1) - gammaln(j + 1) - gammaln(k + 1)
    weight = np.exp(log + xlogy(i, shares[0]) + xlogy(j, shares[1]) + xlogy(k, rest))
    kept = weight > UNLIKELY
    added = ADDED / 2
    total = n + 4 * added
    p, d = (i[kept] + added) / total, (j[kept] + added) / total
    return p - d, (p + d - (p - d) ** 2) / total, weight[kept]


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
    likely = hypergeom.pmf(events, n1 + n2, n1, total)
    # A table counts as as extreme as this one within rounding, as in R and scipy.
    extreme = likely[None, :] <= likely[:, None] * (1 + 1e-7)
    found: Array = np.where(extreme, likely, 0).sum(axis=1)
    return found
