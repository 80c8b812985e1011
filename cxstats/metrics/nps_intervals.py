"""Variance and intervals of NPS, as functions of arrays.

Every n may be an effective sample size and needs not be whole.

References
----------
Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70(4),
365-372.
Bonett & Price (2012). Adjusted Wald confidence interval for a difference of binomial proportions
based on paired data. Journal of Educational and Behavioral Statistics 37(4), 479-488.
Tango (1998). Equivalence test and confidence interval for the difference in proportions for the
paired-sample design. Statistics in Medicine 17, 891-908.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.stats.intervals import check_interval, check_level, check_shares, normal_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

NPS_INTERVALS = ("auto", "adjusted_wald", "bonett_price", "wald", "score")
# Answers from which the adjusted Wald interval covers 93 % of all shares at 95 %.
ENOUGH = 100
# Rocks (2016): added to promoters and to detractors; twice as much goes to the passives.
ADDED = 0.75
HALVINGS = 60


def nps_variance(promoters: ArrayLike, detractors: ArrayLike) -> Array:
    """Return the variance of the -1, 0, +1 score, ``p + d - (p - d)^2``, from shares.

    Shares from 0 to 1 that add up to 1 at most; others are refused (`CxError`).

    Examples
    --------
    >>> nps_variance(1 / 2, 1 / 6).round(4).tolist()
    0.5556
    """
    p, d = check_shares(promoters=promoters, detractors=detractors)
    return np.asarray(p + d - (p - d) ** 2)


def adjusted_shares(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, added: float = ADDED
) -> tuple[Array, Array, Array]:
    """Return shares of promoters and detractors and n after `added` to each, four times to n."""
    p, d, n = (np.asarray(values, float) for values in (promoters, detractors, n))
    total = n + 4 * added
    return (p * n + added) / total, (d * n + added) / total, total


def nps_interval(
    promoters: ArrayLike,
    detractors: ArrayLike,
    n: ArrayLike,
    method: str = "auto",
    level: float = 0.95,
) -> tuple[Array, Array]:
    """Return the interval of ``p - d``, within -1 to 1.

    Parameters
    ----------
    promoters, detractors : arrays (g,)
        Shares, 0 to 1.
    n : array (g,)
        Answers; NaN comes back where there are none.
    method : {"auto", "adjusted_wald", "bonett_price", "wald", "score"}
        ``"auto"`` is ``"bonett_price"`` below 100 answers, ``"adjusted_wald"`` from there.
        ``"adjusted_wald"`` adds 3/4 to promoters, 3/4 to detractors and 3 to n (Rocks 2016) and
        takes ``p' - d' -+ z sqrt((p' + d' - (p' - d')^2) / n')``, widened to hold the estimate
        ``p - d`` where that is outside (a few answers, all alike); ``"bonett_price"`` adds 1 to
        promoters, 1 to detractors and 2 to n, which is their interval of paired proportions, and
        takes Student's t with n - 1 degrees of freedom for z; ``"wald"`` adds nothing and
        has no width when everyone answers alike; ``"score"`` holds the values that the score test
        does not reject, with shares estimated under each (Tango 1998).
    level : float

    Returns
    -------
    low, high : arrays (g,)

    Raises
    ------
    CxError
        If a share is outside 0 to 1, both add up to more than 1, or n is below 0.

    Notes
    -----
    Coverage at 95 %, least of 153 pairs of shares from 0 to 1 and their mean, added up exactly:

    ============= =========== =========== =========== =========== =========== ===========
    n             5           10          20          50          100         200
    ============= =========== =========== =========== =========== =========== ===========
    auto          99.0, 99.8  96.0, 99.1  94.7, 98.2  93.5, 97.0  93.7, 95.6  93.2, 95.4
    adjusted Wald 83.7, 95.2  87.9, 95.7  91.3, 96.0  92.2, 95.7  93.7, 95.6  93.2, 95.4
    score         89.6, 97.1  90.0, 96.9  92.5, 96.7  91.1, 95.5  92.1, 95.2  93.3, 95.2
    ============= =========== =========== =========== =========== =========== ===========

    What ``"auto"`` pays for that is width: 52, 24, 12 and 5 % more than adjusted Wald at n = 5, 10,
    20 and 50. A posterior of the shares with Jeffreys's prior covers as little as 77, 82, 82 and
    91 %.

    Examples
    --------
    >>> low, high = nps_interval(162 / 324, 54 / 324, 324)
    >>> round(100 * float(low), 1), round(100 * float(high), 1)
    (24.9, 41.1)
    """
    check_interval(method, NPS_INTERVALS)
    check_level(level)
    p, d, n = check_shares(promoters=promoters, detractors=detractors, n=n)
    estimate = p - d
    if method == "score":
        return _score_interval(p, d, n, normal_quantile(level))
    if method == "auto":
        few, many = (_wald(p, d, n, name, level) for name in ("bonett_price", "adjusted_wald"))
        low, high = (np.where(n < ENOUGH, a, b) for a, b in zip(few, many, strict=True))
    else:
        low, high = _wald(p, d, n, method, level)
    return np.minimum(low, estimate), np.maximum(high, estimate)


def _wald(p: Array, d: Array, n: Array, method: str, level: float) -> tuple[Array, Array]:
    """Return ``p - d -+ quantile se``, after what the method adds to the counts."""
    from scipy.special import stdtrit

    empty = np.where(n > 0, 0.0, np.nan)
    quantile: Any = normal_quantile(level)
    if method == "adjusted_wald":
        p, d, n = adjusted_shares(p, d, n)
    elif method == "bonett_price":
        quantile = stdtrit(np.maximum(n - 1, 1), (1 + level) / 2)
        p, d, n = (p * n + 1) / (n + 2), (d * n + 1) / (n + 2), n + 2
    with np.errstate(invalid="ignore", divide="ignore"):
        half = quantile * np.sqrt(np.maximum(nps_variance(p, d), 0) / n)
    centre = p - d + empty
    return np.clip(centre - half, -1, 1), np.clip(centre + half, -1, 1)


def _score_interval(p: Array, d: Array, n: Array, z: float) -> tuple[Array, Array]:
    """Return the two values at which the score statistic is z and -z, by halving."""

    def statistic(delta: Array) -> Array:
        # The likelihood's largest share of detractors when NPS is delta solves a x^2 + b x + c.
        b = -p - d + (2 - p + d) * delta
        c = -d * delta * (1 - delta)
        share = (np.sqrt(np.maximum(b**2 - 8 * c, 0)) - b) / 4
        spread = np.sqrt(np.maximum(2 * share + delta * (1 - delta), 0) / n)
        with np.errstate(invalid="ignore", divide="ignore"):
            z_score = (p - d - delta) / spread
        return np.where(p - d == delta, 0.0, z_score)

    ends = []
    for end, sign in ((-1.0, 1), (1.0, -1)):
        outside, inside = np.full_like(p, end), p - d
        for _ in range(HALVINGS):
            middle = (outside + inside) / 2
            rejected = sign * statistic(middle) > z
            outside, inside = (
                np.where(rejected, middle, outside),
                np.where(rejected, inside, middle),
            )
        ends.append(np.where(n > 0, inside, np.nan))
    return ends[0], ends[1]
