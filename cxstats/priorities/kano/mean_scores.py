"""Continuous Kano analysis: mean scores instead of counted categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.priorities.kano.evaluation import CATEGORIES
from cxstats.stats.bootstrap import bca
from cxstats.stats.large_samples import resampled_means

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]

# From like to dislike. The scale is longer where an answer says more: reverse and contradictory
# answers count less than must-be and one-dimensional ones.
FUNCTIONAL = np.array([4.0, 2.0, 0.0, -1.0, -2.0])
DYSFUNCTIONAL = np.array([-2.0, -1.0, 0.0, 2.0, 4.0])
MIDDLE = 2.0


def quadrant(functional: Array, dysfunctional: Array) -> Whole:
    """Return categories by quadrant, as places in `CATEGORIES`.

    In the square from 0 to 4, cut at 2: attractive (functional high), must-be (dysfunctional
    high), one-dimensional (both), indifferent (neither); reverse where both are below 0. A mean on
    the cut belongs to the side above it.

    Examples
    --------
    >>> [CATEGORIES[quadrant(f, d)] for f, d in [(3, 1), (1, 3), (3, 3), (1, 1), (-1, -1)]]
    ['A', 'M', 'O', 'I', 'R']
    """
    high, bad = np.greater_equal(functional, MIDDLE), np.greater_equal(dysfunctional, MIDDLE)
    letters = np.where(high & bad, 1, np.where(bad, 0, np.where(high, 2, 3)))
    places = np.where(np.less(functional, 0) & np.less(dysfunctional, 0), 4, letters)
    return np.where(np.isnan(functional) | np.isnan(dysfunctional), -1, places)


def continuous_table(
    names: list[str],
    functional: Whole,
    dysfunctional: Whole,
    level: float,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return mean scores of every feature with BCa intervals, and its quadrant.

    Answers score 4, 2, 0, -1, -2 (functional, from like to dislike) and -2, -1, 0, 2, 4
    (dysfunctional); a respondent counts for a feature with both answers. All pairs count,
    questionable ones too: they pull a feature out of its quadrant, which is meant.

    Parameters
    ----------
    names : list of str
        The k features.
    functional, dysfunctional : arrays (n, k)
        Answers 0 (like) to 4 (dislike), -1 where missing.
    level, n_resamples, seed
        Of the bootstrap of respondents.

    References
    ----------
    DuMouchel (1993). Thoughts on graphical and continuous analysis, in Berger et al. (1993),
    Center for Quality Management Journal 2(4), 20-23.
    """
    import pandas as pd

    asked = (functional >= 0) & (dysfunctional >= 0)
    scores = np.concatenate(
        [
            np.where(asked, points[np.maximum(answer, 0)], np.nan)
            for points, answer in ((FUNCTIONAL, functional), (DYSFUNCTIONAL, dysfunctional))
        ],
        axis=1,
    )
    k = len(names)
    mean, se, low, high, draws = mean_intervals(scores, level, n_resamples, seed)
    decided = quadrant(mean[:k], mean[k:])
    columns: dict[str, Any] = {}
    for part, name in ((slice(0, k), "functional"), (slice(k, None), "dysfunctional")):
        columns |= {name: mean[part], f"{name}_ci_low": low[part], f"{name}_ci_high": high[part]}
        columns[f"{name}_se"] = se[part]
    columns["category"] = [CATEGORIES[place] if place >= 0 else None for place in decided]
    same = quadrant(draws[:, :k], draws[:, k:]) == decided
    # The resamples of one respondent are all that respondent.
    columns["certainty"] = np.where(asked.sum(0) > 1, same.mean(0), np.nan)
    # The square ends at 0; what lies below it in one direction is sorted by the cut alone.
    columns["outside"] = (mean[:k] < 0) | (mean[k:] < 0)
    columns["n"] = asked.sum(0)
    return pd.DataFrame(columns, index=pd.Index(names, name="feature"))


def mean_intervals(
    values: Array, level: float, n_resamples: int, seed: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Return mean, standard error, BCa limits (k,) and replicates (B, k) of columns (n, k)."""
    has = ~np.isnan(values)
    n = has.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(has, values, 0).sum(0) / n
        centred = np.where(has, values - mean, 0)
        se = np.sqrt((centred**2).sum(0) / (n - 1) / n)
    draws = resampled_means(values, n_resamples, seed)
    low, high = bca(draws, mean, centred, level)
    return mean, se, low, high, draws
