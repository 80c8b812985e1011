"""Groups and waves compared: means, all pairs, and one test of all at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.stats.bootstrap import bca, replicate_means
from cxstats.stats.hypothesis_tests import adjust

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


TINY = 1e-12  # scores that differ by less are equal


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Scores compared between groups; all None without groups.

    Attributes
    ----------
    means : pandas.DataFrame
        By score and group: ``estimate, ci_low, ci_high, se, n``.
    pairs : pandas.DataFrame
        By score, group and other group: ``estimate`` (first less second), ``ci_low, ci_high, t, df,
        p_value, p_adjusted, p_fdr``; Welch's t, BCa intervals.
    omnibus : pandas.DataFrame
        By score: Welch's analysis of variance, ``f, df_1, df_2, p_value, p_adjusted``.
    """

    means: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    omnibus: pd.DataFrame | None = None


def compare_groups(
    frame: pd.DataFrame,
    by: str | None,
    scores: Array,
    names: list[str],
    level: float,
    n_resamples: int,
    seed: int,
) -> Groups:
    """Compare the scores of groups or waves.

    Parameters
    ----------
    frame : pandas.DataFrame
        The responses.
    by : str or None
        Column of groups; without it nothing is compared.
    scores : array (n, k)
        Scores, NaN where missing; the last one is the overall score.
    names : list of str
        Names of the k scores.
    level, n_resamples, seed
        Confidence level, bootstrap resamples within each group, seed.

    Returns
    -------
    Groups
        Adjusted over all pairs of all scores but the last, and over all pairs of the last.

    Raises
    ------
    DataError
        If the column is missing, holds fewer than two groups, or a group has fewer than two
        respondents.
    """
    if by is None:
        return Groups()
    if not isinstance(by, str):
        raise CxError(f"by={by!r}; allowed: the name of one column")
    if by not in frame.columns:
        raise DataError(f"column {by!r} is not in the table, so there are no groups to compare")
    labels = frame[by]
    members = {
        group: np.flatnonzero((labels == group).to_numpy(bool, na_value=False))
        for group in sorted(labels.dropna().unique(), key=lambda g: (str(type(g)), g))
    }
    if len(members) < 2:
        raise DataError(f"column {by!r} has {len(members)} group; at least 2 are needed to compare")
    samples = {
        group: _Sample.of(scores[rows], n_resamples, [seed, i])
        for i, (group, rows) in enumerate(members.items())
    }
    for group, sample in samples.items():
        if sample.n.min() < 2:
            raise DataError(
                f"column {by!r}, group {group!r}: {int(sample.n.min())} respondents with "
                f"{names[int(sample.n.argmin())]!r}; at least 2 are needed"
            )
    return Groups(
        _means(samples, names, level),
        _pairs(samples, names, level),
        _omnibus([scores[rows] for rows in members.values()], names),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """One group: n, mean, variance, influence of cases, bootstrap replicates of the means."""

    n: Array
    mean: Array
    variance: Array
    influence: Array
    replicates: Array

    @classmethod
    def of(cls, scores: Array, n_resamples: int, seed: list[int]) -> _Sample:
        has = ~np.isnan(scores)
        n = has.sum(axis=0).astype(float)
        mean = np.where(has, scores, 0).sum(axis=0) / np.maximum(n, 1)
        centred = np.where(has, scores - mean, 0)
        # Equal scores differ in their last bits; that is no variation.
        centred = np.where(np.abs(centred).max(axis=0) > TINY, centred, 0)
        variance = (centred**2).sum(axis=0) / np.maximum(n - 1, 1)
        replicates = replicate_means(scores, n_resamples, seed)
        return cls(n, mean, variance, centred / np.maximum(n, 1), replicates)


def _means(samples: dict[object, _Sample], names: list[str], level: float) -> pd.DataFrame:
    import pandas as pd

    tables = []
    for group, sample in samples.items():
        low, high = bca(sample.replicates, sample.mean, sample.influence, level)
        varies = sample.variance > 0
        low, high = (np.where(varies, limit, np.nan) for limit in (low, high))
        columns = {"estimate": sample.mean, "ci_low": low, "ci_high": high}
        columns |= {"se": np.sqrt(sample.variance / sample.n), "n": sample.n.astype(int)}
        tables.append(pd.DataFrame({"score": names, "group": [group] * len(names), **columns}))
    return pd.concat(tables, ignore_index=True)


def _pairs(samples: dict[object, _Sample], names: list[str], level: float) -> pd.DataFrame:
    import pandas as pd
    from scipy import stats

    tables = []
    for (first, a), (second, b) in combinations(samples.items(), 2):
        share_a, share_b = a.variance / a.n, b.variance / b.n
        with np.errstate(invalid="ignore", divide="ignore"):
            t = (a.mean - b.mean) / np.sqrt(share_a + share_b)
            df = (share_a + share_b) ** 2 / (share_a**2 / (a.n - 1) + share_b**2 / (b.n - 1))
        influence = np.concatenate([a.influence, -b.influence])
        low, high = bca(a.replicates - b.replicates, a.mean - b.mean, influence, level)
        varies = share_a + share_b > 0
        t, df, low, high = (np.where(varies, x, np.nan) for x in (t, df, low, high))
        columns = {"estimate": a.mean - b.mean, "ci_low": low, "ci_high": high, "t": t, "df": df}
        columns["p_value"] = 2 * stats.t.sf(np.abs(t), df)
        head = {"score": names, "group": [first] * len(names), "other": [second] * len(names)}
        tables.append(pd.DataFrame({**head, **columns}))
    table = pd.concat(tables, ignore_index=True)
    overall = np.tile(np.arange(len(names)) == len(names) - 1, len(tables))
    for column, method in (("p_adjusted", "holm"), ("p_fdr", "fdr_bh")):
        table[column] = np.nan
        for family in (overall, ~overall):
            table.loc[family, column] = adjust(table.loc[family, "p_value"].to_numpy(), method)
    return table


def _omnibus(scores: list[Array], names: list[str]) -> pd.DataFrame:
    import pandas as pd
    from statsmodels.stats.oneway import anova_oneway

    rows = []
    for j in range(len(names)):
        columns = [group[~np.isnan(group[:, j]), j] for group in scores]
        if min(np.ptp(column) for column in columns) <= TINY:
            rows.append((np.nan,) * 4)
            continue
        test = anova_oneway(columns, use_var="unequal", welch_correction=True)
        rows.append((test.statistic, test.df_num, test.df_denom, test.pvalue))
    table = pd.DataFrame(rows, names, ["f", "df_1", "df_2", "p_value"])
    p = table["p_value"].to_numpy()
    table["p_adjusted"] = np.concatenate([adjust(p[:-1]), p[-1:]])
    return table
