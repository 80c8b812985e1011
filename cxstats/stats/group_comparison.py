"""Groups and waves compared: means, all pairs, and one test of all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text
from cxstats.core.messages import no_column
from cxstats.core.order_of_waves import in_order
from cxstats.stats.disclosure import check_min_cell, suppressed_groups, suppression_notes
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.means import MeanOptions, Means, interval_notes
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Scores compared between groups; all None without groups.

    Attributes
    ----------
    means : pandas.DataFrame
        By score and group: ``estimate, ci_low, ci_high, se, n``; with `min_cell` also
        ``suppressed``, NaN (``n`` as well) where it is true.
    pairs : pandas.DataFrame
        By score, group and other group: ``estimate`` (first less second), ``ci_low, ci_high, t, df,
        p_value, p_adjusted, p_fdr``; Welch's t and, unless asked otherwise, its interval. Under a
        design the error knows that groups may share clusters.
    omnibus : pandas.DataFrame
        By score: Welch's analysis of variance, under a design Wald's test with Korn and Graubard's
        adjustment, ``f, df_1, df_2, p_value, p_adjusted``.
    notes : tuple of Text
        Which groups have intervals known not to cover.
    """

    means: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    omnibus: pd.DataFrame | None = None
    notes: tuple[Text, ...] = ()


def compare_groups(
    frame: pd.DataFrame,
    by: str | None,
    scores: Array,
    names: list[str],
    options: MeanOptions,
    min_cell: int | None = None,
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
    options : MeanOptions
        Level, kind of interval, design; group i draws resamples with the seed (seed, i).
    min_cell : int, optional
        A group with fewer respondents at some score has no estimates, which the notes say, and is
        compared with none; nor has one from which its numbers could be computed
        (`cxstats.stats.disclosure`).

    Returns
    -------
    Groups
        Adjusted over all pairs of all scores but the last, and over all pairs of the last.

    Raises
    ------
    DataError
        If the column is missing, holds fewer than two groups, or a group has fewer than two
        respondents.

    References
    ----------
    Korn & Graubard (1990). Simultaneous testing of regression coefficients with complex survey
    data: use of Bonferroni t statistics. The American Statistician 44, 270-276.
    """
    if by is None:
        check_min_cell(min_cell)
        return Groups()
    members = _members(frame, by)
    sizes = np.array([(~np.isnan(scores[rows])).sum(axis=0) for rows in members.values()])
    rows_of = list(members.values())
    return compare_means(
        list(members), sizes, lambda i, chosen: _sample(scores, rows_of[i], chosen), by, names,
        options, min_cell,
    )  # fmt: skip


def compare_means(
    groups: list[Any],
    sizes: NDArray[Any],
    sample: Callable[[int, MeanOptions], Means],
    by: str,
    names: list[str],
    options: MeanOptions,
    min_cell: int | None = None,
) -> Groups:
    """Compare the means of groups, as `compare_groups`.

    Parameters
    ----------
    groups : list of G groups, in order
    sizes : array (G, k)
        Respondents of each group that have each score.
    sample : callable (number of a group, options) -> Means
        It is asked for the groups that are not hidden alone.
    by, names, options, min_cell
        As of `compare_groups`.
    """
    if len(groups) < 2:
        raise DataError(f"column {by!r} has {len(groups)} group; at least 2 are needed to compare")
    samples, suppressed = {}, []
    hidden = suppressed_groups(sizes, min_cell)
    # Without any answer a group has nothing to hide, and no estimate.
    hidden |= (min_cell is not None) & (sizes.min(axis=1) == 0)
    for i, group in enumerate(groups):
        if hidden[i]:
            suppressed.append(group)
            continue
        samples[group] = sample(i, replace(options, seed=[options.seed, i]))  # type: ignore[list-item]
        n = samples[group].n
        if n.min() < 2:
            raise DataError(
                f"column {by!r}, group {group!r}: {int(n.min())} respondents with "
                f"{names[int(n.argmin())]!r}; at least 2 are needed"
            )
    means = _means(samples, names, options)
    notes = _notes(samples, by, options)
    if min_cell is not None:
        means = _with_suppressed(means, suppressed, names, groups)
        notes = (*suppression_notes(hidden, min_cell), *notes)
    if len(samples) < 2:
        return Groups(means, notes=notes)
    if options.rows is None:
        omnibus = _omnibus(list(samples.values()), names)
    else:
        omnibus = _wald(list(samples.values()), names, options.rows)
    return Groups(means, _pairs(samples, names, options), omnibus, notes)


def hidden_groups(means: pd.DataFrame | None) -> list[Any]:
    """Return the groups that `min_cell` hides in `Groups.means`."""
    if means is None or "suppressed" not in means:
        return []
    return list(dict.fromkeys(means.loc[means["suppressed"], "group"]))


def _with_suppressed(
    means: pd.DataFrame,
    suppressed: list[Any],
    names: list[str],
    groups: list[Any],
) -> pd.DataFrame:
    """Return the means with the empty rows of hidden groups, in the order of the groups."""
    import pandas as pd

    tables = [means.assign(suppressed=False)]
    for group in suppressed:
        head = {"score": names, "group": [group] * len(names)}
        empty = dict.fromkeys(("estimate", "ci_low", "ci_high", "se", "n"), np.nan)
        tables.append(pd.DataFrame({**head, **empty, "suppressed": True}))
    table = pd.concat([table for table in tables if len(table)], ignore_index=True)
    place = table["group"].map({group: i for i, group in enumerate(groups)})
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def group_names(labels: pd.Series[Any]) -> list[Any]:
    """Return the groups that occur: by their order, where they are ordered categories.

    Examples
    --------
    >>> import pandas as pd
    >>> group_names(pd.Series(["b", "a", None, "b"]))
    ['a', 'b']
    """
    there = labels.dropna().unique()
    if getattr(labels.dtype, "ordered", False):
        return [group for group in labels.cat.categories if group in there]
    return in_order(there)


def _members(frame: pd.DataFrame, by: str) -> dict[object, NDArray[np.intp]]:
    """Return the rows of each group, the groups in order."""
    check_by(by, list(frame.columns))
    labels = frame[by]
    return {
        group: np.flatnonzero((labels == group).to_numpy(bool, na_value=False))
        for group in group_names(labels)
    }


def check_by(by: Any, columns: Sequence[Any]) -> None:
    """Raise if `by` is not the name of a column."""
    if not isinstance(by, str):
        raise CxError(f"by={by!r}; allowed: the name of one column")
    if by not in columns:
        raise DataError(no_column(by, columns))


def _sample(scores: Array, rows: NDArray[np.intp], options: MeanOptions) -> Means:
    """Return the means of a group; under a design, of a domain of all rows."""
    if options.rows is None:
        return Means.of(scores[rows], options)
    domain = np.full(scores.shape, np.nan)
    domain[rows] = scores[rows]
    return Means.of(domain, options)


def _means(samples: dict[object, Means], names: list[str], options: MeanOptions) -> pd.DataFrame:
    import pandas as pd

    if not samples:
        return pd.DataFrame(columns=["score", "group", "estimate", "ci_low", "ci_high", "se", "n"])
    tables = []
    for group, sample in samples.items():
        low, high = sample.limits(options)
        columns = {"estimate": sample.mean, "ci_low": low, "ci_high": high}
        # A group in which all are alike has a standard error of 0, and no interval.
        columns |= {"se": np.nan_to_num(sample.se), "n": sample.n.astype(int)}
        tables.append(pd.DataFrame({"score": names, "group": [group] * len(names), **columns}))
    return pd.concat(tables, ignore_index=True)


def _pairs(samples: dict[object, Means], names: list[str], options: MeanOptions) -> pd.DataFrame:
    import pandas as pd

    tables = []
    for (first, a), (second, b) in combinations(samples.items(), 2):
        difference = a - b
        low, high = difference.limits(options, difference=True)
        t, p = difference.t_test()
        df = np.where(np.isfinite(t), difference.df, np.nan)
        columns = {"estimate": difference.mean, "ci_low": low, "ci_high": high, "t": t, "df": df}
        columns["p_value"] = p
        head = {"score": names, "group": [first] * len(names), "other": [second] * len(names)}
        tables.append(pd.DataFrame({**head, **columns}))
    table = pd.concat(tables, ignore_index=True)
    overall = np.tile(np.arange(len(names)) == len(names) - 1, len(tables))
    for column, method in (("p_adjusted", "holm"), ("p_fdr", "fdr_bh")):
        table[column] = np.nan
        for family in (overall, ~overall):
            table.loc[family, column] = adjust(table.loc[family, "p_value"].to_numpy(), method)
    return table


def _omnibus(samples: list[Means], names: list[str]) -> pd.DataFrame:
    from statsmodels.stats.oneway import anova_generic

    rows: list[tuple[float, ...]] = []
    n, mean, sd = (np.array([getattr(x, name) for x in samples]) for name in ("n", "mean", "sd"))
    for j in range(len(names)):
        if not np.isfinite(sd[:, j]).all():
            rows.append((np.nan,) * 4)
            continue
        test = anova_generic(mean[:, j], sd[:, j] ** 2, n[:, j], use_var="unequal")
        rows.append((test.statistic, test.df_num, test.df_denom, test.pvalue))
    return _tested(rows, names)


def _wald(samples: list[Means], names: list[str], design: SampledRows) -> pd.DataFrame:
    """Test that all groups have one mean: ``F = W (df - q + 1) / (df q)``, q groups less one."""
    from scipy import stats

    q = len(samples) - 1
    rows: list[tuple[float, ...]] = []
    for j in range(len(names)):
        differences = np.array([group.mean[j] - samples[0].mean[j] for group in samples[1:]])
        sums = np.column_stack(
            [group.influence[:, j] - samples[0].influence[:, j] for group in samples[1:]]
        )
        cov = design.covariance_of_sums(sums)
        counted = np.any([group.counted[:, j] for group in samples], axis=0)
        df = float(design.df_of(counted[:, None])[0])
        if df < q + 1 or np.linalg.matrix_rank(cov) < q:
            rows.append((np.nan,) * 4)
            continue
        wald = float(differences @ np.linalg.solve(cov, differences))
        f, df_2 = wald * (df - q + 1) / (df * q), df - q + 1
        rows.append((f, float(q), df_2, float(stats.f.sf(f, q, df_2))))
    return _tested(rows, names)


def _tested(rows: list[tuple[float, ...]], names: list[str]) -> pd.DataFrame:
    """Return tests of all groups at once, adjusted over all scores but the last."""
    import pandas as pd

    table = pd.DataFrame(rows, names, ["f", "df_1", "df_2", "p_value"])
    p = table["p_value"].to_numpy()
    table["p_adjusted"] = np.concatenate([adjust(p[:-1]), p[-1:]])
    return table


def _notes(samples: dict[object, Means], by: str, options: MeanOptions) -> tuple[Text, ...]:
    """Name the groups whose intervals are known not to cover."""
    names = [Text(f"{by} = {group}", f"{by} = {group}") for group in samples]
    n = np.array([sample.n.min() for sample in samples.values()])
    skewness = np.array([np.abs(sample.skewness).max() for sample in samples.values()])
    return interval_notes(names, n, skewness, options.interval)
