"""Tests of means against 0, and p values adjusted for many tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.intervals import noncentral_interval, t_interval
from cxstats.stats.means import MeanOptions, Means
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PAIRS_AT_ONCE = 16  # differences of two columns that stand in memory together


@dataclass(frozen=True, slots=True, eq=False)
class MeanTests:
    """Means of k columns over the cases that have them, each with interval and tests.

    Attributes (each an array (k,))
    -------------------------------
    n, mean, sd, se : cases, mean, standard deviation, standard error
    ci_low, ci_high : interval of the mean; that of the t test, unless another was asked for
    t, df, p_value : one-sample t test against 0 (of a gap: the paired t test)
    p_wilcoxon : Wilcoxon signed-rank test, normal approximation without continuity correction;
        NaN under a sampling design
    effect_size, effect_ci_low, effect_ci_high : d_z = mean / sd, noncentral t interval; under a
        sampling design a t interval by the delta method
    skewness : skewness of the mean
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
    skewness: Array


def mean_tests(values: Array, options: MeanOptions) -> MeanTests:
    """Test the means of columns against 0.

    A case enters the columns that it has (NaN elsewhere). A column with fewer than two cases,
    or without variation, gets its mean and no inference (NaN).

    Parameters
    ----------
    values : array (n, k)
        Cases by columns.
    options : MeanOptions
        Level, kind of interval, design.

    References
    ----------
    Cumming (2012). Understanding the new statistics, ch. 11 (noncentral t interval of d).
    """
    means = Means.of(values, options)
    if options.rows is None:
        return mean_tests_from(means, options, np.array([wilcoxon(column) for column in values.T]))
    limits = _effect_limits(values, means, options.rows, options.level)
    return mean_tests_from(means, options, np.full(len(means.n), np.nan), limits)


def mean_tests_from(
    means: Means,
    options: MeanOptions,
    p_wilcoxon: Array,
    effect_limits: tuple[Array, Array] | None = None,
) -> MeanTests:
    """Test means against 0.

    Parameters
    ----------
    means : Means
    options : MeanOptions
        Level and kind of interval.
    p_wilcoxon : array (k,)
        P values of the signed-rank test.
    effect_limits : arrays (k,), optional
        Interval of d_z; without it that of the noncentral t.
    """
    low, high = means.limits(options)
    t, p = means.t_test()
    if effect_limits is None:
        limits = noncentral_interval(t, means.df, options.level)
        effect_limits = limits[0] / np.sqrt(means.n), limits[1] / np.sqrt(means.n)
    return MeanTests(
        n=means.n,
        mean=means.mean,
        sd=means.sd,
        se=means.se,
        ci_low=low,
        ci_high=high,
        t=t,
        df=means.df,
        p_value=p,
        p_wilcoxon=np.where(np.isfinite(t), p_wilcoxon, np.nan),
        effect_size=means.mean / means.sd,
        effect_ci_low=effect_limits[0],
        effect_ci_high=effect_limits[1],
        skewness=means.skewness,
    )


def difference_tests(
    values: Array, others: Array, options: MeanOptions
) -> tuple[MeanTests, tuple[Means, Means]]:
    """Test the differences of column means of two independent samples by Welch's t.

    Parameters
    ----------
    values, others : array (n, k)
        Cases by columns; the cases of one sample are NaN in the other.
    options : MeanOptions
        Level, kind of interval, design (of which the samples are domains).

    Returns
    -------
    tests : MeanTests
        Without effect sizes and Wilcoxon's test, which are of pairs (NaN).
    means : tuple of Means
        Of either sample.

    References
    ----------
    Welch (1947). The generalization of Student's problem. Biometrika 34, 28-35.
    """
    samples = [values, others]
    if options.rows is None:
        samples = [sample[~np.isnan(sample).all(axis=1)] for sample in samples]
    seeds = np.ravel(options.seed).tolist()
    means = (
        Means.of(samples[0], replace(options, seed=[*seeds, 0])),
        Means.of(samples[1], replace(options, seed=[*seeds, 1])),
    )
    return difference_tests_from(means, options), means


def difference_tests_from(means: tuple[Means, Means], options: MeanOptions) -> MeanTests:
    """Test the differences of the means of two independent samples, as `difference_tests`."""
    difference = means[0] - means[1]
    low, high = difference.limits(options)
    t, p = difference.t_test()
    none = np.full(len(t), np.nan)
    return MeanTests(
        n=difference.n, mean=difference.mean, sd=none, se=difference.se, ci_low=low, ci_high=high,
        t=t, df=difference.df, p_value=p, p_wilcoxon=none, effect_size=none, effect_ci_low=none,
        effect_ci_high=none, skewness=difference.skewness,
    )  # fmt: skip


def paired_differences(
    values: Array, names: Sequence[object], options: MeanOptions
) -> pd.DataFrame:
    """Test the differences of all pairs of columns over the cases that have both: paired t.

    Parameters
    ----------
    values : array (n, k)
        Cases by columns, NaN where missing.
    names : sequence of k names
    options : MeanOptions
        Level and design; the interval is that of the test.

    Returns
    -------
    pandas.DataFrame
        One row a pair: ``score, other, estimate`` (mean of the first less the second), ``ci_low,
        ci_high, effect_size`` (in standard deviations of the difference), ``p_value, p_adjusted``
        (Holm, over all pairs) and ``n``. A pair whose difference is the same for all has NaN.

    Examples
    --------
    >>> x = np.array([[5.0, 3.0], [6.0, 5.0], [7.0, 4.0]])
    >>> table = paired_differences(x, ["a", "b"], MeanOptions())
    >>> table[["estimate", "p_value"]].round(3).values.tolist()
    [[2.0, 0.074]]
    """
    import pandas as pd

    pairs = list(combinations(range(values.shape[1]), 2))
    tables = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        first, second = np.array(pairs[start : start + PAIRS_AT_ONCE]).T
        means = Means.of(values[:, first] - values[:, second], options)
        low, high = means.limits(replace(options, interval="t"), difference=True)
        columns = {
            "score": [names[i] for i in first],
            "other": [names[i] for i in second],
            "estimate": means.mean,
            "ci_low": low,
            "ci_high": high,
            "effect_size": means.mean / means.sd,
            "p_value": means.t_test()[1],
            "n": means.n.astype(int),
        }
        tables.append(pd.DataFrame(columns))
    heads = ["score", "other", "estimate", "ci_low", "ci_high", "effect_size", "p_value", "n"]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=heads)
    table.insert(7, "p_adjusted", adjust(table["p_value"].to_numpy(float)))
    return table


def _effect_limits(
    values: Array, means: Means, rows: SampledRows, level: float
) -> tuple[Array, Array]:
    """Return the interval of ``d = m / s`` under a design.

    By the delta method: ``u_d = u_m / s - m u_v / (2 s^3)``, with the influences of the mean and of
    the variance, and Student's t.
    """
    has, m, s = ~np.isnan(values), means.mean, means.sd
    centred = np.where(has, values - m, 0)
    squares = np.where(has, centred**2 * means.n / (means.n - 1) - s**2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        per_row = rows.weights[:, None] / (rows.weights @ has)
        influence = per_row * np.where(has, centred / s - m * squares / (2 * s**3), 0)
    se = np.sqrt(rows.variances(rows.cluster_sums(influence)))
    return t_interval(m / s, se, means.df, level)


def wilcoxon(differences: Array) -> float:
    """Return the p value of the signed-rank test; NaN without a difference other than 0."""
    values, counts = np.unique(differences[~np.isnan(differences)], return_counts=True)
    return signed_rank(values, counts.astype(float))


def signed_rank(values: Array, counts: Array) -> float:
    """Return the p value of Wilcoxon's signed-rank test from how often each difference occurs.

    With average ranks of the absolute differences other than 0, ``T`` the sum of those of positive
    ones and ties ``t``,

        ``z = (T - n (n + 1) / 4) / sqrt((n (n + 1)(2n + 1) - sum(t^3 - t) / 2) / 24)``,

    normal, without continuity correction. Means of items are rounded at nine decimals before
    ranking, since equal means can differ in their last bit and would be ranked apart.

    Parameters
    ----------
    values : array (v,)
        Different values; equal ones may come again.
    counts : array (v,)
        Cases with each.

    Returns
    -------
    float
        NaN without a difference other than 0.

    References
    ----------
    Wilcoxon (1945). Individual comparisons by ranking methods. Biometrics Bulletin 1(6), 80-83.
    Pratt & Gibbons (1981). Concepts of nonparametric theory, ch. 3 (ties). Springer.

    Examples
    --------
    >>> round(signed_rank(np.array([-1.0, 2.0, 3.0]), np.array([1.0, 2.0, 1.0])), 4)
    0.1408
    """
    from scipy.special import ndtr

    rounded = np.round(values, 9)
    nonzero = rounded != 0
    if not nonzero.any():
        return float("nan")
    counts = counts[nonzero]
    sizes, which = np.unique(np.abs(rounded[nonzero]), return_inverse=True)
    ties = np.bincount(which, counts, len(sizes))
    positive = np.bincount(which, counts * (rounded[nonzero] > 0), len(sizes))
    ranks = np.cumsum(ties) - (ties - 1) / 2
    n = ties.sum()
    variance = (n * (n + 1) * (2 * n + 1) - (ties**3 - ties).sum() / 2) / 24
    z = (positive @ ranks - n * (n + 1) / 4) / np.sqrt(variance)
    return float(2 * ndtr(-abs(z)))


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
