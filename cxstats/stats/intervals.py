"""Intervals of proportions, means, differences and noncentralities, as functions of arrays.

Every n may be an effective sample size and needs not be whole.

References
----------
Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
Clopper & Pearson (1934). The use of confidence or fiducial limits. Biometrika 26, 404-413.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

MEAN_INTERVALS = ("t", "bca")
SLACK = 1e-9  # shares from sums of weights may leave 0 to 1 by rounding


def check_level(level: float) -> None:
    """Raise if a confidence level is outside of 0.5 to 1."""
    if not isinstance(level, Real) or not 0.5 <= level < 1:
        raise CxError(f"level is {level!r}; allowed: 0.5 to below 1, such as 0.95")


def check_interval(interval: str, allowed: Iterable[str]) -> None:
    """Raise if an interval is unknown; the message lists the choices."""
    if interval not in allowed:
        raise CxError(f"interval={interval!r}; allowed: {', '.join(map(repr, allowed))}")


def normal_quantile(level: float) -> float:
    """Return z of a two-sided interval, 1.96 for 95 %."""
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))


def check_shares(n: Any = None, **shares: Any) -> list[Array]:
    """Return shares, and n if it is passed, as arrays of one shape; NaN stays NaN.

    Raises
    ------
    CxError
        If a share is outside 0 to 1, shares add up to more than 1, or n is below 0.
    """
    inputs = shares if n is None else {**shares, "n": n}
    try:
        arrays = np.broadcast_arrays(*(np.asarray(values, float) for values in inputs.values()))
    except (TypeError, ValueError) as error:
        raise CxError(f"{' and '.join(inputs)}: {error}; allowed: numbers") from error
    for name, values in zip(inputs, arrays, strict=True):
        high = np.inf if name == "n" else 1 + SLACK
        outside = values[(values < -SLACK) | (values > high)]
        if outside.size:
            allowed = "0 upwards" if name == "n" else "shares from 0 to 1"
            raise CxError(f"{name} has {outside.flat[0]:g}; allowed: {allowed}")
    total = np.asarray(sum(arrays[: len(shares)]))
    if (total > 1 + SLACK).any():
        excess = total[total > 1 + SLACK].flat[0]
        raise CxError(f"{' and '.join(shares)} add up to {excess:g}; allowed: at most 1")
    return [
        np.clip(values, 0, None if name == "n" else 1)
        for name, values in zip(inputs, arrays, strict=True)
    ]


def wilson_half_width(variance: Any, n: Any, z: float) -> Any:
    """Return the half-width of Wilson's interval, ``z sqrt(n v + z^2 / 4) / (n + z^2)``.

    ``v = p (1 - p)`` is the variance of one trial. The limits lie around
    ``(n p + z^2 / 2) / (n + z^2)``.

    Examples
    --------
    >>> round(float(wilson_half_width(0.25, 100, 1.96)), 4)
    0.0962
    """
    return z * np.sqrt(n * variance + z**2 / 4) / (n + z**2)


def wilson_interval(share: ArrayLike, n: ArrayLike, level: float) -> tuple[Array, Array]:
    """Return Wilson's score interval without a check of its input.

    ``(p + z^2/2n -+ z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)``, exactly 0 or 1 where the share
    is; NaN where n is not above 0 or the share is NaN.

    Parameters
    ----------
    share, n : arrays (g,)
        Events over trials, and trials or their effective number.
    level : float
        Above 0 and below 1.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22,
    209-212.

    Examples
    --------
    >>> [round(float(limit), 4) for limit in wilson_interval(0.2, 50, 0.95)]
    [0.1124, 0.3304]
    """
    p, trials = np.asarray(share, float), np.asarray(n, float)
    trials = np.where(trials > 0, trials, np.nan)
    z = normal_quantile(level)
    half = wilson_half_width(p * (1 - p), trials, z)
    centre = (trials * p + z**2 / 2) / (trials + z**2)
    low = np.where((p <= 0) & (trials > 0), 0.0, np.maximum(centre - half, 0))
    high = np.where((p >= 1) & (trials > 0), 1.0, np.minimum(centre + half, 1))
    return low, high


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
    check_interval(method, PROPORTION_INTERVALS)
    check_level(level)
    p, n = check_shares(share=share, n=n)
    low, high = PROPORTION_INTERVALS[method](p, n, level)
    defined = (n > 0) & ~np.isnan(p)
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def _clopper_pearson(p: Array, n: Array, level: float) -> tuple[Array, Array]:
    from scipy.special import betaincinv

    x, tail = p * n, (1 - level) / 2
    low = np.where(p <= 0, 0.0, betaincinv(np.maximum(x, 1e-300), n - x + 1, tail))
    high = np.where(p >= 1, 1.0, betaincinv(x + 1, np.maximum(n - x, 1e-300), 1 - tail))
    return low, high


def _wald(p: Array, n: Array, level: float) -> tuple[Array, Array]:
    with np.errstate(invalid="ignore", divide="ignore"):
        half = normal_quantile(level) * np.sqrt(p * (1 - p) / n)
    return np.clip(p - half, 0, 1), np.clip(p + half, 0, 1)


PROPORTION_INTERVALS = {
    "wilson": wilson_interval,
    "clopper_pearson": _clopper_pearson,
    "wald": _wald,
}


def t_interval(mean: Array, se: Array, df: Array, level: float) -> tuple[Array, Array]:
    """Return ``mean -+ t se``; NaN where nothing varies or df is below 1."""
    from scipy.special import stdtrit

    with np.errstate(invalid="ignore"):
        defined = (df >= 1) & (se > 0)
        quantile = stdtrit(np.where(defined, df, 1.0), (1 + level) / 2)
        half = np.where(defined, quantile * se, np.nan)
    return mean - half, mean + half


def hall_interval(
    mean: Array, se: Array, df: Array, skewness: Array, level: float
) -> tuple[Array, Array]:
    """Return Hall's interval of a mean, Student's t corrected for skewness.

    With ``T`` the t statistic and ``a`` the skewness of the mean,
    ``g = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6`` is nearly free of skewness; the limits are the
    means that put g at the quantiles of t: ``mean - se (3 / a) ((1 + a (q - a / 6))^(1/3) - 1)``.
    Without skewness it is the t interval.

    Parameters
    ----------
    mean, se, df : arrays (k,)
        Means, their standard errors and degrees of freedom.
    skewness : array (k,)
        Of the means: ``sum u^3 / (sum u^2)^1.5`` of the influences u, which is the skewness of the
        answers over root n.
    level : float

    References
    ----------
    Hall (1992). On the removal of skewness by transformation. JRSS B 54, 221-228.

    Examples
    --------
    >>> limits = hall_interval(*(np.array([x]) for x in (4.0, 0.3, 9.0, -0.4)), 0.95)
    >>> [round(float(limit[0]), 3) for limit in limits]
    [2.67, 4.526]
    """
    from scipy.special import stdtrit

    with np.errstate(invalid="ignore", divide="ignore"):
        defined = (df >= 1) & (se > 0)
        quantile = stdtrit(np.where(defined, df, 1.0), (1 + level) / 2)
        a = np.where(np.abs(skewness) > SLACK, skewness, SLACK)
        low, high = (
            mean - se * 3 / a * (np.cbrt(1 + a * (q - a / 6)) - 1) for q in (quantile, -quantile)
        )
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def fieller_interval(
    numerator: Array, denominator: Array, covariances: Array, df: Array, level: float
) -> tuple[Array, Array]:
    """Return Fieller's interval of a ratio of two means with Student's t.

    The ratios r that ``(a - r b)^2 <= q^2 (v_aa - 2 r v_ab + r^2 v_bb)`` does not refuse; NaN where
    b itself is not above 0 by the same test, so that the interval would have no end.

    Parameters
    ----------
    numerator, denominator : arrays (k,)
        Means a and b.
    covariances : array (3, k)
        ``v_aa, v_ab, v_bb``, of the means.
    df : array (k,)
    level : float

    References
    ----------
    Fieller (1954). Some problems in interval estimation. JRSS B 16, 175-185.

    Examples
    --------
    >>> a, b, df = np.array([1.0]), np.array([2.0]), np.array([30.0])
    >>> limits = fieller_interval(a, b, np.array([[0.01], [0.0], [0.01]]), df, 0.95)
    >>> [round(float(limit[0]), 3) for limit in limits]
    [0.39, 0.62]
    """
    from scipy.special import stdtrit

    aa, ab, bb = covariances
    with np.errstate(invalid="ignore", divide="ignore"):
        q2 = stdtrit(np.where(df >= 1, df, 1.0), (1 + level) / 2) ** 2
        square = denominator**2 - q2 * bb
        centre = numerator * denominator - q2 * ab
        root = np.sqrt(np.maximum(centre**2 - square * (numerator**2 - q2 * aa), 0))
        defined = (df >= 1) & (square > 0) & (denominator > 0)
        low, high = (centre - root) / square, (centre + root) / square
    return np.where(defined, low, np.nan), np.where(defined, high, np.nan)


def difference_interval(
    first: tuple[Any, Any, Any], second: tuple[Any, Any, Any], correlation: Any = 0.0
) -> tuple[Array, Array]:
    """Return the interval of a difference from the (estimate, low, high) of both.

    ``d - sqrt((e1 - l1)^2 + (u2 - e2)^2)`` to ``d + sqrt((u1 - e1)^2 + (e2 - l2)^2)``: with
    Wilson's limits Newcombe's interval (his method 10), with others Zou and Donner's. Estimates
    with a correlation r take ``2 r`` times the product of both distances from the square, as
    Newcombe's interval of paired proportions does.

    References
    ----------
    Newcombe (1998). Interval estimation for the difference between independent proportions.
    Statistics in Medicine 17, 873-890. Zou & Donner (2008). Construction of confidence limits
    about effect measures. Statistics in Medicine 27, 1693-1702.

    Examples
    --------
    >>> first, second = (
    ...     (k / n, *wilson_interval(k / n, n, 0.95)) for k, n in ((56, 70), (48, 80))
    ... )
    >>> [round(float(limit), 4) for limit in difference_interval(first, second)]
    [0.0524, 0.3339]
    """
    (e1, l1, u1), (e2, l2, u2) = (
        tuple(np.asarray(values, float) for values in limits) for limits in (first, second)
    )
    difference, r = e1 - e2, np.asarray(correlation, float)

    def reach(a: Array, b: Array) -> Array:
        return np.asarray(np.sqrt(np.maximum(a**2 + b**2 - 2 * r * a * b, 0)))

    return difference - reach(e1 - l1, u2 - e2), difference + reach(u1 - e1, e2 - l2)


def weighted_counts_interval(
    counts: ArrayLike, n: ArrayLike, weights: ArrayLike, level: float
) -> tuple[Array, Array]:
    """Return Fay and Feuer's gamma interval of ``sum w_i p_i``, binomial shares p of rare events.

    With ``y = sum w_i x_i / n_i``, its variance ``v = sum (w_i / n_i)^2 x_i (1 - x_i / n_i)`` and
    the largest step ``m = max w_i / n_i`` the limits are the quantiles ``alpha/2`` of a gamma
    variable with mean y and variance v, and ``1 - alpha/2`` of one with mean ``y + m`` and variance
    ``v + m^2``. Counts of zero add to the upper limit by m alone, however many they are. Fay and
    Feuer's v, of Poisson counts, lacks the last factor; it stands in where that leaves 0.

    Parameters
    ----------
    counts : array (..., k)
        Events x, such as failures.
    n : array (k,)
        Trials, above 0.
    weights : array (k,)
        Such as the cost of an event; 0 or more, at least one above 0.
    level : float

    Returns
    -------
    low, high : arrays (...)
        From 0 to the sum of the weights.

    References
    ----------
    Fay & Feuer (1997). Confidence intervals for directly standardized rates: a method based on the
    gamma distribution. Statistics in Medicine 16, 791-801.

    Examples
    --------
    >>> low, high = weighted_counts_interval([20, 4], [200, 200], [50, 400], 0.95)
    >>> round(float(low), 2), round(float(high), 2)
    (6.25, 25.17)
    """
    x, trials, weight = (np.asarray(values, float) for values in (counts, n, weights))
    most, frequent = weight.sum(), x @ (weight / trials) > weight.sum() / 2
    low, high = _gamma_limits(x, trials, weight, level)
    low_of_others, high_of_others = _gamma_limits(trials - x, trials, weight, level)
    low = np.where(frequent, most - high_of_others, low)
    return low, np.minimum(np.where(frequent, most - low_of_others, high), most)


def _gamma_limits(x: Array, trials: Array, weight: Array, level: float) -> tuple[Array, Array]:
    from scipy.special import gammaincinv

    step, tail = weight / trials, (1 - level) / 2
    y, m = x @ step, step.max()
    v = (x * (1 - x / trials)) @ step**2
    v = np.where(v > 0, v, x @ step**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(y > 0, v / y * gammaincinv(y**2 / v, tail), 0.0)
    upper, spread = y + m, v + m**2
    high = spread / upper * gammaincinv(upper**2 / spread, 1 - tail)
    return low, np.minimum(high, weight.sum())


def noncentral_interval(t: Array, df: Array, level: float) -> tuple[Array, Array]:
    """Return the interval of the noncentrality of t: the values that t does not reject."""
    from scipy.special import nctdtr, nctdtrinc

    def solve(tail: float, t: Array, df: Array) -> Array:
        # scipy's inverse stops at seven digits; secant steps bring it to twelve.
        before: Array = nctdtrinc(df, tail, t)
        now = before + 1e-5
        for _ in range(4):
            miss, rise = nctdtr(df, now, t) - tail, nctdtr(df, now, t) - nctdtr(df, before, t)
            moves = rise != 0
            step = np.divide(miss * (now - before), rise, out=np.zeros_like(now), where=moves)
            before, now = now, now - step
        return now

    t, df = np.broadcast_arrays(np.asarray(t, float), np.asarray(df, float))
    low, high = np.full(t.shape, np.nan), np.full(t.shape, np.nan)
    defined = np.isfinite(t) & (df > 0)
    low[defined] = solve((1 + level) / 2, t[defined], df[defined])
    high[defined] = solve((1 - level) / 2, t[defined], df[defined])
    return low, high
