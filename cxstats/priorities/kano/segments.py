"""Segments compared: whether they sort a feature into different categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COLUMNS = ("chi2", "df", "p_value", "g", "p_g", "p_permutation", "sparse", "p_adjusted", "estimate",
           "cramers_v", "ci_low", "ci_high", "n")  # fmt: skip
DRAWN = 2_000_000  # cells of permuted tables held at once


def compare(
    names: list[str], counts: Array, level: float, n_resamples: int, seed: int
) -> pd.DataFrame:
    """Compare the distributions over categories between segments, one row per feature.

    Parameters
    ----------
    names : list of str
        The k features.
    counts : array (g, k, 6)
        Counts by segment.
    level : float
        Level of the interval of V.
    n_resamples, seed
        Permuted tables with the same margins, and their seed.

    Returns
    -------
    pandas.DataFrame
        ``chi2, df, p_value`` (Pearson), ``g, p_g`` (likelihood ratio), ``p_permutation`` (Pearson's
        statistic on tables with the same margins, ``(1 + b) / (1 + B)``), ``sparse`` (more than a
        fifth of expected counts below 5), ``p_adjusted`` (Holm over features, of ``p_permutation``
        where sparse and of ``p_value`` elsewhere), ``cramers_v`` (as ``estimate``, too) with
        ``ci_low, ci_high``, ``n``. NaN where fewer than two segments or categories have answers.

    Notes
    -----
    ``V = sqrt(chi2 / (n m))``, m the smaller of segments and categories less 1. Its interval is
    that of the noncentrality, ``sqrt(lambda / (n m))``; V itself is never 0 in a sample, so the
    interval of a small V lies below it or ends at 0.

    References
    ----------
    Cochran (1954). Some methods for strengthening the common chi-square tests. Biometrics 10.
    Smithson (2003). Confidence intervals, ch. 4 (noncentral chi-square).
    """
    import pandas as pd

    rows = [_tests(counts[:, j], level, n_resamples, [seed, j]) for j in range(len(names))]
    table = pd.DataFrame(rows, index=pd.Index(names, name="feature"))
    decisive = np.where(table["sparse"], table["p_permutation"], table["p_value"])
    return table.assign(p_adjusted=adjust(decisive), estimate=table["cramers_v"])[list(COLUMNS)]


def _tests(counts: Array, level: float, n_resamples: int, seed: list[int]) -> dict[str, Any]:
    """Return the tests of one feature, from its counts by segment (g, 6)."""
    from scipy.special import chndtrinc
    from scipy.stats import chi2_contingency
    from scipy.stats.contingency import expected_freq

    used = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if min(used.shape, default=0) < 2:
        return dict.fromkeys(COLUMNS, np.nan) | {"sparse": False, "n": int(counts.sum())}
    pearson = chi2_contingency(used, correction=False)
    ratio = chi2_contingency(used, correction=False, lambda_="log-likelihood")
    x, df, n = float(pearson.statistic), int(pearson.dof), used.sum()
    scale = n * (min(used.shape) - 1)
    low, high = (
        float(chndtrinc(x, df, tail)) if chi2_below(x, df) > tail else 0.0
        for tail in ((1 + level) / 2, (1 - level) / 2)
    )
    return {
        "chi2": x,
        "df": df,
        "p_value": pearson.pvalue,
        "g": ratio.statistic,
        "p_g": ratio.pvalue,
        "p_permutation": _permuted(used, x, n_resamples, seed),
        "sparse": _sparse(expected_freq(used)),
        "cramers_v": np.sqrt(x / scale),
        "ci_low": np.sqrt(low / scale),
        "ci_high": np.sqrt(high / scale),
        "n": int(n),
    }


def chi2_below(x: float, df: int) -> float:
    """Return the chance that a central chi-square falls below x."""
    from scipy.stats import chi2

    return float(chi2.cdf(x, df))


def _permuted(counts: Array, x: float, n_resamples: int, seed: list[int]) -> float:
    from scipy.stats import random_table
    from scipy.stats.contingency import expected_freq

    expected = expected_freq(counts)
    margins = random_table(counts.sum(1).astype(int), counts.sum(0).astype(int))
    generator = np.random.default_rng(seed)
    reached, step = 0, max(1, DRAWN // counts.size)
    for start in range(0, n_resamples, step):
        tables = margins.rvs(min(step, n_resamples - start), random_state=generator)
        drawn = ((tables - expected) ** 2 / expected).sum((-1, -2))
        reached += int((drawn >= x - 1e-9).sum())
    return (1 + reached) / (1 + n_resamples)


def _sparse(expected: Array) -> bool:
    """Return whether chi-square is rough: too many expected counts are small."""
    small = (RULES["cochran1954"].band(expected) == 0).mean()
    return bool(RULES["cochran1954_share"].band(small) > 0)
