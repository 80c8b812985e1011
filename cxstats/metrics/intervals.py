"""Intervals of NPS, of proportions and of means, as functions of arrays.

Every n may be an effective sample size and needs not be whole.

References
----------
Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70(4),
365-372.
Tango (1998). Equivalence test and confidence interval for the difference in proportions for the
paired-sample design. Statistics in Medicine 17, 891-908.
Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
Clopper & Pearson (1934). The use of confidence or fiducial limits. Biometrika 26, 404-413.
Newcombe (1998). Interval estimation for the difference between independent proportions.
Statistics in Medicine 17, 873-890.
Zou & Donner (2008). Construction of confidence limits about effect measures. Statistics in
Medicine 27, 1693-1702.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.stats.inference import check_level

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

NPS_INTERVALS = ("adjusted_wald", "wald", "score")
PROPORTION_INTERVALS = ("wilson", "clopper_pearson", "wald")
MEAN_INTERVALS = ("t", "bca")
# Rocks (2016): added to promoters and to detractors; twice as much goes to the passives.
ADDED = 0.75
HALVINGS = 60
SLACK = 1e-9  # shares from sums of weights may leave 0 to 1 by rounding


def check_interval(interval: str, allowed: tuple[str, ...]) -> None:
    """Refuse an interval that there is not; the message lists the choices."""
    if interval not in allowed:
        raise CxError(f"interval={interval!r}; allowed: {', '.join(map(repr, allowed))}")


def normal_quantile(level: float) -> float:
    """Return z of a two-sided interval, 1.96 for 95 %."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def nps_variance(promoters: ArrayLike, detractors: ArrayLike) -> Array:
    """Return the variance of the -1, 0, +1 score, ``p + d - (p - d)^2``, from shares.

    Shares from 0 to 1 that add up to 1 at most; others are refused (`CxError`).

    Examples
    --------
    >>> nps_variance(1 / 2, 1 / 6).round(4).tolist()
    0.5556
    """
    p, d = _check_shares(promoters=promoters, detractors=detractors)
    return np.asarray(p + d - (p - d) ** 2)


def _check_shares(n: Any = None, **shares: Any) -> list[Array]:
    """Return shares, and n if it is given, as arrays of one shape; NaN where nothing is known.

    Raises
    ------
    CxError
        If a share is outside 0 to 1, shares add up to more than 1, or n is below 0.
    """
    given = shares if n is None else {**shares, "n": n}
    try:
        read = np.broadcast_arrays(*(np.asarray(one, float) for one in given.values()))
    except (TypeError, ValueError) as error:
        raise CxError(f"{' and '.join(given)}: {error}; allowed: numbers") from error
    for name, one in zip(given, read, strict=True):
        high = np.inf if name == "n" else 1 + SLACK
        wrong = one[(one < -SLACK) | (one > high)]
        if wrong.size:
            allowed = "0 upwards" if name == "n" else "shares from 0 to 1"
            raise CxError(f"{name} has {wrong.flat[0]:g}; allowed: {allowed}")
    total = np.asarray(sum(read[: len(shares)]))
    if (total > 1 + SLACK).any():
        over = total[total > 1 + SLACK].flat[0]
        raise CxError(f"{' and '.join(shares)} add up to {over:g}; allowed: at most 1")
    return [
        np.clip(one, 0, None if name == "n" else 1) for name, one in zip(given, read, strict=True)
    ]


def adjusted_shares(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, added: float = ADDED
) -> tuple[Array, Array, Array]:
    """Return shares of promoters and detractors and n after `added` to each, four times to n."""
    p, d, n = (np.asarray(one, float) for one in (promoters, detractors, n))
    total = n + 4 * added
    return (p * n + added) / total, (d * n + added) / total, total


def nps_interval(
    promoters: ArrayLike,
    detractors: ArrayLike,
    n: ArrayLike,
    method: str = "adjusted_wald",
    level: float = 0.95,
) -> tuple[Array, Array]:
    """Return the interval of ``p - d``, within -1 to 1.

    Parameters
    ----------
    promoters, detractors : arrays (g,)
        Shares, 0 to 1.
    n : array (g,)
        Answers; NaN comes back where there are none.
    method : {"adjusted_wald", "wald", "score"}
        ``"adjusted_wald"`` adds 3/4 to promoters, 3/4 to detractors and 3 to n (Rocks 2016) and
        takes ``p' - d' -+ z sqrt((p' + d' - (p' - d')^2) / n')``, widened to hold the estimate
        ``p - d`` where that is outside (a few answers, all alike); ``"wald"`` adds nothing and
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

    Examples
    --------
    >>> low, high = nps_interval(162 / 324, 54 / 324, 324)
    >>> round(100 * float(low), 1), round(100 * float(high), 1)
    (24.9, 41.1)
    """
    check_interval(method, NPS_INTERVALS)
    check_level(level)
    p, d, n = _check_shares(promoters=promoters, detractors=detractors, n=n)
    estimate = p - d
    if method == "score":
        return _score_interval(p, d, n, normal_quantile(level))
    if method == "adjusted_wald":
        empty = np.where(n > 0, 0.0, np.nan)
        p, d, n = adjusted_shares(p, d, n)
        p = p + empty
    with np.errstate(invalid="ignore", divide="ignore"):
        half = normal_quantile(level) * np.sqrt(np.maximum(nps_variance(p, d), 0) / n)
    low, high = np.clip(p - d - half, -1, 1), np.clip(p - d + half, -1, 1)
    return np.minimum(low, estimate), np.maximum(high, estimate)


def _score_interval(p: Array, d: Array, n: Array, z: float) -> tuple[Array, Array]:
    """Halve towards the two values at which the score statistic is z and -z."""

    def statistic(delta: Array) -> Array:
        # The likelihood's largest share of detractors when NPS is delta solves a x^2 + b x + c.
        b = -p - d + (2 - p + d) * delta
        c = -d * delta * (1 - delta)
        share = (np.sqrt(np.maximum(b**2 - 8 * c, 0)) - b) / 4
        spread = np.sqrt(np.maximum(2 * share + delta * (1 - delta), 0) / n)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = (p - d - delta) / spread
        return np.where(p - d == delta, 0.0, found)

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


def proportion_interval(
    share: ArrayLike, n: ArrayLike, method: str = "wilson", level: float = 0.95
) -> tuple[Array, Array]:
    """Return the interval of a proportion.

    Parameters
    ----------
    share : array (g,)
        Events over trials, 0 to 1.
    n : array (g,)
        Trials; NaN comes back where there are none.
    method : {"wilson", "clopper_pearson", "wald"}
        Wilson's score interval covers as stated on average; Clopper and Pearson's never covers
        less, and is wider; ``"wald"`` has no width at 0 and 1.
    level : float

    Returns
    -------
    low, high : arrays (g,)

    Raises
    ------
    CxError
        If a share is outside 0 to 1, or n is below 0.

    Examples
    --------
    >>> [round(float(end), 4) for end in proportion_interval(0.0, 20)]
    [0.0, 0.1611]
    """
    from scipy.special import betaincinv

    check_interval(method, PROPORTION_INTERVALS)
    check_level(level)
    p, n = _check_shares(share=share, n=n)
    z = normal_quantile(level)
    with np.errstate(invalid="ignore", divide="ignore"):
        if method == "clopper_pearson":
            x, tail = p * n, (1 - level) / 2
            low = np.where(p <= 0, 0.0, betaincinv(np.maximum(x, 1e-300), n - x + 1, tail))
            high = np.where(p >= 1, 1.0, betaincinv(x + 1, np.maximum(n - x, 1e-300), 1 - tail))
        elif method == "wilson":
            middle, total = p + z**2 / (2 * n), 1 + z**2 / n
            half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
            low = np.where(p <= 0, 0.0, (middle - half) / total)
            high = np.where(p >= 1, 1.0, (middle + half) / total)
        else:
            half = z * np.sqrt(p * (1 - p) / n)
            low, high = np.clip(p - half, 0, 1), np.clip(p + half, 0, 1)
    known = (n > 0) & ~np.isnan(p)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def t_interval(mean: Array, se: Array, df: Array, level: float) -> tuple[Array, Array]:
    """Return ``mean -+ t se``; NaN where nothing varies or df is below 1."""
    from scipy.special import stdtrit

    with np.errstate(invalid="ignore"):
        known = (df >= 1) & (se > 0)
        half = np.where(known, stdtrit(np.where(known, df, 1.0), (1 + level) / 2) * se, np.nan)
    return mean - half, mean + half


def difference_interval(
    first: tuple[Any, Any, Any], second: tuple[Any, Any, Any]
) -> tuple[Array, Array]:
    """Return the interval of a difference from the (estimate, low, high) of both.

    ``d - sqrt((e1 - l1)^2 + (u2 - e2)^2)`` to ``d + sqrt((u1 - e1)^2 + (e2 - l2)^2)``: with
    Wilson's limits Newcombe's interval (his method 10), with others Zou and Donner's.
    """
    (e1, l1, u1), (e2, l2, u2) = (
        tuple(np.asarray(x, float) for x in one) for one in (first, second)
    )
    difference = e1 - e2
    low = difference - np.sqrt((e1 - l1) ** 2 + (u2 - e2) ** 2)
    return low, difference + np.sqrt((u1 - e1) ** 2 + (e2 - l2) ** 2)
