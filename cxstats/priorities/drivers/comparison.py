"""Importances compared between groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.priorities.drivers.estimate import Estimates, estimates, spread
from cxstats.priorities.drivers.intervals import expanded_percentile
from cxstats.priorities.drivers.sample import Sample
from cxstats.stats.hypothesis_tests import adjust

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Groups and their differences; None without groups.

    Attributes
    ----------
    groups : pandas.DataFrame
        By group and driver: ``estimate, ci_low, ci_high, se, p_value, share, share_ci_low,
        share_ci_high, r_squared, n``.
    pairs : pandas.DataFrame
        By driver and pair of groups: ``estimate`` (first less second), ``ci_low, ci_high, se,
        p_value, p_adjusted`` (Holm), ``p_fdr``, over all rows, and ``n``.
    notes : tuple of str
    """

    groups: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()


def compare(
    sample: Sample,
    labels: NDArray[Any] | None,
    by: str | None,
    method: str,
    level: float,
    n_resamples: int,
    seed: int,
) -> Compared:
    """Compare importances between groups.

    Every group is resampled for itself. The optimism of an importance, the mean of its replicates
    less the estimate, differs between groups of different sizes; it is taken off the difference
    twice for the replicates, once for the test ``(difference - optimism) / sd of replicates``.

    Parameters
    ----------
    sample : Sample
    labels : array (n,) or None
        The group of each case; missing for none.
    by, method, level, n_resamples, seed
        As `drivers`.

    Raises
    ------
    DataError
        If there are fewer than two groups, or one is too small or has a column without variation.
    """
    import pandas as pd

    if labels is None:
        return Compared()
    known = ~pd.isna(labels)
    names = sorted(set(labels[known]), key=lambda group: (str(type(group)), group))
    if len(names) < 2:
        raise DataError(f"column {by!r} has {len(names)} group; at least 2 are needed to compare")
    found = {}
    for i, name in enumerate(names):
        own = sample.group(labels == name, f"column {by!r}, group {name!r}: ")
        found[name] = own, estimates(own, method, level, n_resamples, seed, i)
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum())} cases have no {by!r} and are in no group")
    for name, (_, own_found) in found.items():
        if own_found.n_failed:
            notes.append(f"group {name!r}: {own_found.n_failed} resamples failed and were left out")
    return Compared(_groups(found), _pairs(found, level), tuple(notes))


def _groups(found: dict[Any, tuple[Sample, Estimates]]) -> pd.DataFrame:
    import pandas as pd

    parts = []
    for group, (sample, one) in found.items():
        p = len(sample.drivers)
        columns = {
            "estimate": one.importance, "ci_low": one.low[:p], "ci_high": one.high[:p],
            "se": one.se[:p], "p_value": one.p_value, "share": one.share,
            "share_ci_low": one.low[p : 2 * p], "share_ci_high": one.high[p : 2 * p],
            "r_squared": one.r_squared, "n": sample.n,
        }  # fmt: skip
        head = {"group": [group] * p, "driver": sample.drivers}
        parts.append(pd.DataFrame(head | columns))
    return pd.concat(parts, ignore_index=True)


def _pairs(found: dict[Any, tuple[Sample, Estimates]], level: float) -> pd.DataFrame:
    import pandas as pd
    from scipy import stats

    parts = []
    for (first, (one, a)), (second, (other, b)) in combinations(found.items(), 2):
        p, smaller = len(one.drivers), min(one.n, other.n)
        assert a.replicates is not None
        assert b.replicates is not None
        difference = a.importance - b.importance
        replicates = (a.replicates - b.replicates)[:, :p]
        optimism = replicates[~np.isnan(replicates[:, 0])].mean(axis=0) - difference
        low, high = expanded_percentile(replicates - 2 * optimism, level, smaller, p)
        se = spread(replicates)
        t = (difference - optimism) / se
        columns = {
            "estimate": difference, "ci_low": low, "ci_high": high, "se": se,
            "p_value": 2 * stats.norm.sf(np.abs(t)), "n": one.n + other.n,
        }  # fmt: skip
        head = {"driver": one.drivers, "group": [first] * p, "other": [second] * p}
        parts.append(pd.DataFrame(head | columns))
    table = pd.concat(parts, ignore_index=True)
    p_values = table["p_value"].to_numpy()
    table["p_adjusted"], table["p_fdr"] = adjust(p_values), adjust(p_values, "fdr_bh")
    return table
