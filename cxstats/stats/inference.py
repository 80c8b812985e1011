"""Intervals and tests for means of respondents: many statistics, one set of resamples."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.moments import Seed, check_resamples, resampling_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeanTests:
    """Means of k columns over the cases that have them, each with interval and tests.

    Attributes (each an array (k,))
    -------------------------------
    n, mean, sd, se : cases, mean, standard deviation, standard error
    ci_low, ci_high : BCa bootstrap interval of the mean
    t, df, p_value : one-sample t test against 0 (of a gap: the paired t test)
    p_wilcoxon : Wilcoxon signed-rank test, normal approximation without continuity correction
    effect_size, effect_ci_low, effect_ci_high : d_z = mean / sd, noncentral t interval
    """

    n: Array
    mean: Array
    sd: Array
    se: Array
    ci_low: Array
    ci_high: Array
    t: Array
    df: Array
    p_value: Array
    p_wilcoxon: Array
    effect_size: Array
    effect_ci_low: Array
    effect_ci_high: Array


def mean_tests(values: Array, level: float, n_resamples: int, seed: int) -> MeanTests:
    """Test the means of columns against 0, with BCa intervals from one set of resamples.

    A case enters the columns that it has (NaN elsewhere). A column with fewer than two cases,
    or without variation, gets its mean and no inference (NaN).

    Parameters
    ----------
    values : array (n, k)
        Cases by columns.
    level : float
        Confidence level, such as 0.95.
    n_resamples : int
        Bootstrap resamples.
    seed : int
        Seed of the resamples.

    References
    ----------
    Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
    Cumming (2012). Understanding the new statistics, ch. 11 (noncentral t interval of d).
    """
    from scipy import stats

    check_level(level)
    has = ~np.isnan(values)
    n = has.sum(axis=0).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(has, values, 0).sum(axis=0) / n
        centred = np.where(has, values - mean, 0)
        sd = np.sqrt((centred**2).sum(axis=0) / (n - 1))
        sd = np.where((n > 1) & (sd > 1e-12), sd, np.nan)
        se, df = sd / np.sqrt(n), n - 1
        t = mean / se
        p = 2 * stats.t.sf(np.abs(t), df)
    low, high = bootstrap_means(values, level, n_resamples, seed)
    known = np.isfinite(t)
    d_low, d_high = noncentral_interval(t, df, level)
    return MeanTests(
        n=n,
        mean=mean,
        sd=sd,
        se=se,
        ci_low=np.where(known, low, np.nan),
        ci_high=np.where(known, high, np.nan),
        t=t,
        df=df,
        p_value=p,
        p_wilcoxon=np.where(known, [wilcoxon(column) for column in values.T], np.nan),
        effect_size=mean / sd,
        effect_ci_low=d_low / np.sqrt(n),
        effect_ci_high=d_high / np.sqrt(n),
    )


def check_level(level: float) -> None:
    """Refuse a confidence level outside of 0.5 to 1."""
    if not isinstance(level, Real) or not 0.5 <= level < 1:
        raise CxError(f"level is {level!r}; allowed: 0.5 to below 1, such as 0.95")


def bootstrap_means(
    values: Array, level: float, n_resamples: int, seed: int
) -> tuple[Array, Array]:
    """Return BCa intervals of the column means (k,), (k,); NaN where nothing varies."""
    has = ~np.isnan(values)
    replicates = replicate_means(values, n_resamples, seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = has.sum(axis=0)
        mean = np.where(has, values, 0).sum(axis=0) / n
        influence = np.where(has, (values - mean) / n, 0)
    return bca(replicates, mean, influence, level)


def replicate_means(values: Array, n_resamples: int, seed: Seed) -> Array:
    """Return bootstrap replicates of the column means (B, k), from one product with counts.

    A replicate that draws no case of a column is NaN there.
    """
    has = ~np.isnan(values)
    filled = np.where(has, values, 0)
    complete = bool(has.all())
    terms = filled if complete else np.concatenate([filled, has.astype(float)], axis=1)
    k = values.shape[1]
    check_resamples(n_resamples, seed)
    replicates = np.empty((n_resamples, k))
    for start, counts in resampling_counts(len(values), n_resamples, seed):
        sums = counts @ terms
        with np.errstate(invalid="ignore", divide="ignore"):
            part = sums / len(values) if complete else sums[:, :k] / sums[:, k:]
        replicates[start : start + len(counts)] = part
    return replicates


def bca(replicates: Array, estimate: Array, influence: Array, level: float) -> tuple[Array, Array]:
    """Return bias-corrected and accelerated bootstrap intervals.

    ``alpha' = Phi(z0 + (z0 + z) / (1 - a (z0 + z)))`` with ``z0`` from the share of replicates
    below the estimate (ties count half) and ``a = sum l^3 / (6 (sum l^2)^1.5)`` from the
    influence ``l`` of each case.

    Parameters
    ----------
    replicates : array (B, k)
        Bootstrap replicates; rows with NaN in a column are left out of that column.
    estimate : array (k,)
        The estimates.
    influence : array (n, k)
        Empirical influence of each case on each estimate.
    level : float
        Confidence level.

    Returns
    -------
    low, high : arrays (k,)
        NaN where the replicates do not vary.

    References
    ----------
    Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
    """
    from scipy.special import ndtr, ndtri

    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (~np.isnan(replicates)).sum(axis=0)
        ties = (replicates == estimate).sum(axis=0) / 2
        below = ((replicates < estimate).sum(axis=0) + ties) / drawn
        a = (influence**3).sum(axis=0) / (6 * (influence**2).sum(axis=0) ** 1.5)
        z0 = ndtri(below)
        limits = []
        for tail in ((1 - level) / 2, (1 + level) / 2):
            shifted = z0 + ndtri(tail)
            limits.append(ndtr(z0 + shifted / (1 - a * shifted)))
    low, high = np.full(len(estimate), np.nan), np.full(len(estimate), np.nan)
    for j in range(len(estimate)):
        column = replicates[:, j]
        column = column[~np.isnan(column)]
        if len(column) and np.isfinite([limits[0][j], limits[1][j]]).all() and np.ptp(column) > 0:
            low[j], high[j] = np.quantile(column, [limits[0][j], limits[1][j]])
    return low, high


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
    known = np.isfinite(t) & (df > 0)
    low[known] = solve((1 + level) / 2, t[known], df[known])
    high[known] = solve((1 - level) / 2, t[known], df[known])
    return low, high


def wilcoxon(differences: Array) -> float:
    """Return the p value of the signed-rank test; NaN without a difference other than 0.

    Normal approximation with tie correction, zeros left out, no continuity correction. Means of
    items are rounded at nine decimals before ranking, since equal means can differ in their last
    bit and would be ranked apart.
    """
    from scipy import stats

    kept = np.round(differences[~np.isnan(differences)], 9)
    kept = kept[kept != 0]
    if len(kept) == 0:
        return float("nan")
    return float(stats.wilcoxon(kept, correction=False, method="asymptotic").pvalue)


def adjust(p: Array, method: str = "holm") -> Array:
    """Return p values adjusted for multiple tests; NaN stays NaN and is not counted.

    Parameters
    ----------
    p : array (k,)
        The p values of one family of tests.
    method : {"holm", "fdr_bh"}
        Holm (1979) for the chance of any false finding, Benjamini and Hochberg (1995) for the
        share of false findings.

    Examples
    --------
    >>> adjust(np.array([0.01, np.nan, 0.04, 0.03])).round(4).tolist()
    [0.03, nan, 0.06, 0.06]
    >>> adjust(np.array([0.01, 0.04, 0.03]), "fdr_bh").round(4).tolist()
    [0.03, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control

    known = np.flatnonzero(~np.isnan(p))
    adjusted = np.full(len(p), np.nan)
    if method == "fdr_bh":
        adjusted[known] = false_discovery_control(p[known]) if len(known) else []
        return adjusted
    # Holm's three lines are ours: statsmodels collects garbage at every call, 80 ms each.
    order = known[np.argsort(p[known])]
    scaled = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted
