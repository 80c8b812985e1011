"""Intervals of importances: expanded percentiles, normal theory, and the rule for noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def reach(level: float, n: int, p: int) -> float:
    """Return how many standard errors an interval reaches to either side.

    ``t_(1 + level)/2, df * sqrt(n / df)`` with ``df = n - p - 1``: resamples vary too little by
    about ``sqrt(df / n)``, and their spread is itself an estimate (Hesterberg 2015).

    Examples
    --------
    >>> round(reach(0.95, 200, 5), 3)
    2.003
    """
    from scipy import stats

    df = n - p - 1
    return float(stats.t.ppf((1 + level) / 2, df) * np.sqrt(n / df))


def expanded_percentile(replicates: Array, level: float, n: int, p: int) -> tuple[Array, Array]:
    """Return bootstrap percentile intervals (k,), (k,), expanded for n cases and p drivers.

    The quantiles taken are ``Phi(-reach)`` and ``Phi(reach)``; replicates with NaN are left out.

    References
    ----------
    Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician
    69(4), 371-386.
    """
    from scipy.special import ndtr

    kept = replicates[~np.isnan(replicates).any(axis=1)]
    low, high = percentile_limits(kept, 1 - 2 * ndtr(-reach(level, n, p)))
    return low, high


def normal_se(forms: Array, corr: Array, n: int) -> Array:
    """Return standard errors (k,) under normality, from influence forms alone.

    ``se^2 = 2 tr(D R D R) / n``: the variance of ``z' D z`` over n normal cases.
    """
    spread = forms @ corr
    variance = 2 * np.einsum("juv,jvu->j", spread, spread) / n
    found: Array = np.sqrt(np.maximum(variance, 0))
    return found


def logit_interval(estimate: Array, se: Array, reach: float) -> tuple[Array, Array]:
    """Return intervals of parts of 1, symmetric on the logit scale so that none leaves 0 to 1.

    Examples
    --------
    >>> low, high = logit_interval(np.array([0.2]), np.array([0.05]), 1.96)
    >>> low.round(3).item(), high.round(3).item()
    (0.119, 0.316)
    """
    from scipy.special import expit, logit

    inside = (estimate > 0) & (estimate < 1) & (se > 0)
    safe = np.where(inside, estimate, 0.5)
    centre, half = logit(safe), reach * np.where(inside, se, 0) / (safe * (1 - safe))
    low, high = expit(centre - half), expit(centre + half)
    return np.where(inside, low, estimate), np.where(inside, high, estimate)


def beta_p_values(beta: Array, se: Array, n: int, p: int) -> Array:
    """Return the p values (p,) of coefficients from the standard errors of their intervals.

    ``t = beta / (se sqrt(n / df))`` on ``df = n - p - 1`` degrees of freedom: the test whose 5 %
    limit is where an interval that reaches `reach` standard errors ends.

    Examples
    --------
    >>> limit = np.array([reach(0.95, 200, 5)])
    >>> beta_p_values(limit, np.ones(1), 200, 5).round(3).item()
    0.05
    """
    from scipy import stats

    df = n - p - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(beta) / (se * np.sqrt(n / df))
    found: Array = 2 * stats.t.sf(t, df)
    return found


def noise_p_values(estimate: Array, draws: Array) -> Array:
    """Return how often pure noise is at least as important (p,), counting the estimate itself."""
    above = len(draws) - np.searchsorted(np.sort(draws), estimate)
    p: Array = (1 + above) / (1 + len(draws))
    return p
