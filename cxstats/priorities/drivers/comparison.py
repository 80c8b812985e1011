"""Importances compared: between groups, and of drivers with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.language import Text, both
from cxstats.priorities.drivers.inference import (
    Importances,
    complete_rows,
    expanded_percentile,
    importances,
    reach,
    spread,
)
from cxstats.priorities.drivers.sample import Sample
from cxstats.stats.disclosure import suppressed_groups, suppression_notes, without_hidden
from cxstats.stats.group_comparison import group_names
from cxstats.stats.hypothesis_tests import adjust

if TYPE_CHECKING:
    import pandas as pd

    Groups = dict[Any, tuple[Sample, Importances]]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Groups and their differences; None without groups.

    Attributes
    ----------
    groups : pandas.DataFrame
        By group and driver: ``estimate, ci_low, ci_high, se, p_value, share, share_ci_low,
        share_ci_high, r_squared, n``; with `min_cell` also ``suppressed``.
    pairs : pandas.DataFrame
        By driver and pair of groups: ``estimate`` (first less second), ``ci_low, ci_high, se,
        p_value, p_adjusted`` (Holm), ``p_fdr``, over all rows, and ``n``.
    notes : tuple of Text
    """

    groups: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    notes: tuple[Text, ...] = ()


def compare(
    sample: Sample,
    labels: pd.Series[Any] | None,
    by: str | None,
    method: str,
    level: float,
    n_resamples: int,
    seed: int,
    min_cell: int | None = None,
) -> Comparison:
    """Compare importances between groups.

    Every group is resampled for itself; under a sampling design groups are domains of one
    resampled sample, since a cluster may reach over several. The optimism of an importance, the
    mean of its replicates less the estimate, differs between groups of different sizes; it is taken
    off the difference twice for the replicates, once for the test
    ``(difference - optimism) / sd of replicates``.

    Parameters
    ----------
    sample : Sample
    labels : pandas.Series (n,) or None
        The group of each case; missing for none.
    by, method, level, n_resamples, seed, min_cell
        As `drivers`.

    Raises
    ------
    DataError
        If there are fewer than two groups, or one is too small or has a column without variation.
    """
    if labels is None:
        return Comparison()
    labelled = labels.notna().to_numpy(bool)
    names = group_names(labels)
    if len(names) < 2:
        raise DataError(f"column {by!r} has {len(names)} group; at least 2 are needed to compare")
    groups = {}
    in_groups = [(labels == name).to_numpy(bool, na_value=False) for name in names]
    hidden = suppressed_groups([int(rows.sum()) for rows in in_groups], min_cell)
    for i, (name, is_member) in enumerate(zip(names, in_groups, strict=True)):
        if hidden[i]:
            continue
        members = sample.group(is_member, f"column {by!r}, group {name!r}: ")
        groups[name] = members, importances(members, method, level, n_resamples, seed, i)
    notes = []
    if not labelled.all():
        notes.append(both("drivers.note.ungrouped", n=int((~labelled).sum()), by=by))
    for name, (_, group) in groups.items():
        if group.n_failed:
            notes.append(both("drivers.note.group_failed", group=name, k=group.n_failed))
    notes += suppression_notes(hidden, min_cell)
    table = _group_table(groups, sample.drivers, names)
    if min_cell is not None:
        rows_hidden = table["group"].isin([n for n, h in zip(names, hidden, strict=True) if h])
        table = without_hidden(table, rows_hidden.to_numpy(bool), ["group", "driver"])
    pairs = _pair_table(groups, level) if len(groups) > 1 else None
    return Comparison(table, pairs, tuple(notes))


def driver_pairs(estimates: Importances, drivers: list[str], wide: float) -> pd.DataFrame | None:
    """Compare the shares of all pairs of drivers in the same resamples.

    ``z = (s_i - s_j - optimism) / sd`` of the replicates of the difference; its optimism is taken
    off as in `compare`. A driver that noise could bring forth is above no other: the p value is at
    least that of the larger of both against noise.

    Parameters
    ----------
    estimates : Importances
    drivers : list of str
    wide : float
        How many standard errors an interval reaches (`cxstats.priorities.drivers.inference.reach`).

    Returns
    -------
    pandas.DataFrame or None
        One row a pair: ``driver, other, estimate`` (share of the first less that of the second),
        ``ci_low, ci_high, se, p_value, p_adjusted`` (Holm, over all pairs). None without resamples,
        or of one driver.
    """
    import pandas as pd
    from scipy import stats

    p = len(drivers)
    if estimates.replicates is None or p < 2:
        return None
    first, second = np.array(list(combinations(range(p), 2))).T
    shares = complete_rows(estimates.replicates)[:, p : 2 * p]
    difference = estimates.share[first] - estimates.share[second]
    replicates = shares[:, first] - shares[:, second]
    optimism = replicates.mean(axis=0) - difference
    low, high = expanded_percentile(replicates - 2 * optimism, wide)
    se = spread(replicates)
    z = np.divide(difference - optimism, se, out=np.zeros(len(se)), where=se > 0)
    larger = np.where(difference > 0, first, second)
    p_values = np.maximum(2 * stats.norm.sf(np.abs(z)), estimates.p_value[larger])
    columns = {
        "driver": [drivers[i] for i in first],
        "other": [drivers[j] for j in second],
        "estimate": difference,
        "ci_low": low,
        "ci_high": high,
        "se": se,
        "p_value": p_values,
        "p_adjusted": adjust(p_values),
    }
    return pd.DataFrame(columns)


def _group_table(groups: Groups, drivers: Sequence[str], names: list[Any]) -> pd.DataFrame:
    """Return the importances by group; a group that is hidden has its names alone."""
    import pandas as pd

    tables: list[pd.DataFrame] = []
    for name in names:
        if name not in groups:
            tables.append(pd.DataFrame({"group": [name] * len(drivers), "driver": drivers}))
            continue
        sample, group = groups[name]
        p = len(sample.drivers)
        columns = {
            "estimate": group.importance, "ci_low": group.low[:p], "ci_high": group.high[:p],
            "se": group.se[:p], "p_value": group.p_value, "share": group.share,
            "share_ci_low": group.low[p : 2 * p], "share_ci_high": group.high[p : 2 * p],
            "r_squared": group.r_squared, "n": sample.n,
        }  # fmt: skip
        head = {"group": [name] * p, "driver": sample.drivers}
        tables.append(pd.DataFrame(head | columns))
    # The tables of hidden groups lack columns, which are missing then.
    tables.sort(key=lambda rows: -rows.shape[1])
    table = pd.concat(tables, ignore_index=True)
    place = table["group"].map({name: i for i, name in enumerate(names)})
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def _pair_table(groups: Groups, level: float) -> pd.DataFrame:
    import pandas as pd
    from scipy import stats

    tables = []
    for (first, (sample_a, a)), (second, (sample_b, b)) in combinations(groups.items(), 2):
        p, q = len(sample_a.drivers), max(sum(sample_a.ranks), sum(sample_b.ranks))
        smaller = min(sample_a.effective_n, sample_b.effective_n)
        wide = reach(level, smaller, q, min(sample_a.df, sample_b.df))
        assert a.replicates is not None
        assert b.replicates is not None
        difference = a.importance - b.importance
        replicates = (a.replicates - b.replicates)[:, :p]
        optimism = replicates[~np.isnan(replicates[:, 0])].mean(axis=0) - difference
        low, high = expanded_percentile(replicates - 2 * optimism, wide)
        se = spread(replicates)
        # One respondent answered for both groups: no resample tells them apart.
        z = np.divide(difference - optimism, se, out=np.zeros(p), where=se > 0)
        columns = {
            "estimate": difference, "ci_low": low, "ci_high": high, "se": se,
            "p_value": 2 * stats.norm.sf(np.abs(z)), "n": sample_a.n + sample_b.n,
        }  # fmt: skip
        head = {"driver": sample_a.drivers, "group": [first] * p, "other": [second] * p}
        tables.append(pd.DataFrame(head | columns))
    table = pd.concat(tables, ignore_index=True)
    p_values = table["p_value"].to_numpy()
    table["p_adjusted"], table["p_fdr"] = adjust(p_values), adjust(p_values, "fdr_bh")
    return table
