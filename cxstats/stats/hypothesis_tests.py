"""Tests of means against 0, and p values adjusted for many tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.bootstrap import bootstrap_means
from cxstats.stats.intervals import check_level, noncentral_interval

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
    tested = np.isfinite(t)
    d_low, d_high = noncentral_interval(t, df, level)
    return MeanTests(
        n=n,
        mean=mean,
        sd=sd,
        se=se,
        ci_low=np.where(tested, low, np.nan),
        ci_high=np.where(tested, high, np.nan),
        t=t,
        df=df,
        p_value=p,
        p_wilcoxon=np.where(tested, [wilcoxon(column) for column in values.T], np.nan),
        effect_size=mean / sd,
        effect_ci_low=d_low / np.sqrt(n),
        effect_ci_high=d_high / np.sqrt(n),
    )


def wilcoxon(differences: Array) -> float:
    """Return the p value of the signed-rank test; NaN without a difference other than 0.

    Normal approximation with tie correction, zeros left out, no continuity correction. Means of
    items are rounded at nine decimals before ranking, since equal means can differ in their last
    bit and would be ranked apart.
    """
    from scipy import stats

    rounded = np.round(differences[~np.isnan(differences)], 9)
    nonzero = rounded[rounded != 0]
    if len(nonzero) == 0:
        return float("nan")
    return float(stats.wilcoxon(nonzero, correction=False, method="asymptotic").pvalue)


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

    tested = np.flatnonzero(~np.isnan(p))
    adjusted = np.full(len(p), np.nan)
    if method == "fdr_bh":
        adjusted[tested] = false_discovery_control(p[tested]) if len(tested) else []
        return adjusted
    # Holm's three lines are ours: statsmodels collects garbage at every call, 80 ms each.
    order = tested[np.argsort(p[tested])]
    scaled = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted
