"""Intervals of what a process shows: means and quantiles of times, rates of events in cases.

Cases are the independent units. Events of one case are not, so rates of events carry an interval
from the spread between cases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.bootstrap import bootstrap_means
from cxstats.stats.intervals import difference_interval, t_interval, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]

# Draws (cases times resamples) up to which a mean is bootstrapped. With more cases than that the
# BCa limits are those of Student's t to a fraction of a per cent of their width.
DRAWS = 100_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number with its interval; NaN where the data give none.

    `n` counts what was averaged, `clusters` the independent cases behind it.
    """

    estimate: float
    ci_low: float
    ci_high: float
    se: float
    n: int
    method: str
    clusters: int = 0


def means(values: Array, level: float, n_resamples: int, seed: int) -> list[Estimate]:
    """Return the means of columns with BCa intervals, or t intervals for very many cases.

    Parameters
    ----------
    values : array (cases, k)
        One column per quantity, NaN where a case has none.
    level, n_resamples, seed
        Of the intervals.

    References
    ----------
    Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
    """
    has = ~np.isnan(values)
    n = has.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(has, values, 0).sum(axis=0) / n
        spread = np.where(has, values - mean, 0)
        se = np.sqrt((spread**2).sum(axis=0) / (n - 1) / n)
    flat = ~(np.abs(spread).max(axis=0, initial=0) > 1e-12 * np.maximum(1, np.abs(mean))) | (n < 2)
    exact = len(values) * n_resamples <= DRAWS
    if exact and not flat.all():
        low, high = bootstrap_means(values, level, n_resamples, seed)
    else:
        low, high = t_interval(mean, se, n - 1, level)
    low, high, se = (np.where(flat, np.nan, values) for values in (low, high, se))
    method = "BCa" if exact else "t"
    return [
        Estimate(float(m), float(a), float(b), float(s), int(k), method, int(k))
        for m, a, b, s, k in zip(mean, low, high, se, n, strict=True)
    ]


def quantile(values: Array, share: float, level: float) -> Estimate:
    """Return a quantile with the exact distribution-free interval of order statistics.

    ``[x_(l), x_(u)]`` with ``P(Bin(n, q) < l) <= alpha/2`` and ``P(Bin(n, q) >= u) <= alpha/2``.
    Its coverage is at least the level whatever the distribution; a limit is NaN where the sample
    is too small to have one (the median needs 6 cases at 95 %, the 90th percentile 36).

    Parameters
    ----------
    values : array (n,)
        NaN are left out.
    share : float
        0.5 for the median.
    level : float
        Confidence level.

    References
    ----------
    Conover (1999). Practical nonparametric statistics, 3rd ed., section 3.2.

    Examples
    --------
    >>> median = quantile(np.arange(1.0, 21.0), 0.5, 0.95)
    >>> median.estimate, median.ci_low, median.ci_high
    (10.5, 6.0, 15.0)
    """
    from scipy.stats import binom

    ordered = np.sort(values[~np.isnan(values)])
    n, tail = len(ordered), (1 - level) / 2
    if n == 0:
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0, "order statistics")
    low, high = int(binom.ppf(tail, n, share)) - 1, int(binom.isf(tail, n, share))
    return Estimate(
        float(np.quantile(ordered, share)),
        float(ordered[low]) if low >= 0 else np.nan,
        float(ordered[high]) if high < n else np.nan,
        np.nan,
        n,
        "order statistics",
        n,
    )


def clustered_rate(hits: NDArray[np.bool_], cluster: Integers, level: float) -> Estimate:
    """Return a rate of events with a Wilson interval that respects their cases.

    The rate is a ratio of sums over cases, ``r = sum a_i / sum m_i``, with linearised variance
    ``G/(G-1) sum (a_i - r m_i)^2 / (sum m_i)^2``. The design effect is that variance over the one
    of independent events, ``r (1 - r)/(N - 1)``; Wilson's interval is taken at ``N / deff`` events,
    times ``(t_{N-1} / t_{G-1})^2`` since the variance is estimated from G cases. One event per case
    gives Wilson's interval itself. At a rate of 0 or 1 no design effect can be estimated: the
    interval is that of G events. Where cases do not differ at all there is none.

    Parameters
    ----------
    hits : boolean array (N,)
    cluster : integer array (N,)
        The case of each event.
    level : float

    References
    ----------
    Korn & Graubard (1998). Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data. Survey Methodology 24, 193-201.
    Dean & Pagano (2015). Evaluating confidence interval methods for binomial proportions in
    clustered surveys. Journal of Survey Statistics and Methodology 3, 484-503.

    Examples
    --------
    >>> rate = clustered_rate(np.array([True, True, False, False]), np.arange(4), 0.95)
    >>> rate.estimate, rate.clusters, round(rate.ci_low, 3)
    (0.5, 4, 0.15)
    """
    return rate_sums(hits, cluster).at(level)


@dataclass(frozen=True, slots=True)
class RateSums:
    """What an interval of a rate needs: the rate, events, cases and variance."""

    rate: float
    n: int
    groups: int
    variance: float

    def at(self, level: float) -> Estimate:
        """Return the rate with its interval at a level; see `clustered_rate`."""
        from scipy.special import stdtrit

        rate, n, groups = self.rate, self.n, self.groups
        method = "Wilson" if groups == n else "Wilson, clustered by case"
        low = high = se = np.nan
        if rate in (0.0, 1.0):
            low, high = map(float, wilson_interval(rate, groups, level))
        elif self.variance > 1e-18:
            tails = stdtrit(np.array([n - 1, groups - 1]), (1 + level) / 2)
            deff = self.variance * (n - 1) / (rate * (1 - rate))
            fewer = (tails[0] / tails[1]) ** 2 if tails[1] > 0 else 1.0  # at a level of 0
            low, high = map(float, wilson_interval(rate, n / deff * fewer, level))
            se = self.variance**0.5
        return Estimate(rate, low, high, se, n, method, groups)


def rate_sums(hits: NDArray[np.bool_], cluster: Integers) -> RateSums:
    """Return the sums behind `clustered_rate`; the events need not be sorted by case."""
    n = len(hits)
    if n == 0:
        return RateSums(np.nan, 0, 0, np.nan)
    _, place = np.unique(cluster, return_inverse=True)
    size = np.bincount(place).astype(float)
    groups, rate = len(size), float(hits.mean())
    gap = np.bincount(place, hits) - rate * size
    variance = groups / (groups - 1) * float(gap @ gap) / n**2 if groups > 1 else np.nan
    return RateSums(rate, n, groups, variance)


def square_and_add(a: Estimate, b: Estimate) -> tuple[float, float]:
    """Return the interval of ``b - a`` from two independent intervals.

    By `cxstats.stats.intervals.difference_interval`.

    Examples
    --------
    >>> a = Estimate(48 / 80, *wilson_interval(48 / 80, 80, 0.95), 0, 80, "")
    >>> b = Estimate(56 / 70, *wilson_interval(56 / 70, 70, 0.95), 0, 70, "")
    >>> [round(limit, 4) for limit in square_and_add(a, b)]
    [0.0524, 0.3339]
    """
    low, high = difference_interval(
        (b.estimate, b.ci_low, b.ci_high), (a.estimate, a.ci_low, a.ci_high)
    )
    return float(low), float(high)


def inverted_p(interval: Callable[[float], tuple[float, float]]) -> float:
    """Return the p value that belongs to an interval: 1 less the lowest level that includes 0.

    Examples
    --------
    >>> from scipy.special import ndtri
    >>> round(inverted_p(lambda level: (2 - ndtri((1 + level) / 2), 9.0)), 4)  # z = 2, two-sided
    0.0455
    """
    inside, outside = 1.0, 0.0
    for _ in range(45):
        level = (inside + outside) / 2
        low, high = interval(level)
        if np.isnan(low) and np.isnan(high):
            return float("nan")
        covers = not (low > 0 or high < 0)  # an open end reaches everywhere
        inside, outside = (level, outside) if covers else (inside, level)
    return 1 - outside


def poisson_rate(count: int, exposure: float, level: float) -> Estimate:
    """Return ``count / exposure`` with the exact (Garwood) interval.

    References
    ----------
    Garwood (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.

    Examples
    --------
    >>> rate = poisson_rate(10, 2.0, 0.95)
    >>> rate.estimate, round(rate.ci_low, 3), round(rate.ci_high, 3)
    (5.0, 2.398, 9.195)
    """
    from scipy.special import gammaincinv

    tail = (1 - level) / 2
    low = float(gammaincinv(count, tail)) if count else 0.0
    high = float(gammaincinv(count + 1, 1 - tail))
    se = count**0.5 / exposure
    return Estimate(count / exposure, low / exposure, high / exposure, se, count, "Poisson", count)
