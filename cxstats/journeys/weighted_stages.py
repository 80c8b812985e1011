"""Numbers of a journey: scores of stages, the weighted sum over stages, what comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.core.moments import Seed

    Array = NDArray[np.float64]
    Codes = NDArray[np.intp]


def weighted_means(values: Array, weights: Array) -> Array:
    """Return weighted means (n,) of rows (n, k) over what is there; NaN where nothing is.

    ``sum_j w_j x_rj / sum of w_j over the x_rj that are there``.

    Examples
    --------
    >>> weighted_means(np.array([[1.0, 3.0], [np.nan, 3.0]]), np.array([0.75, 0.25])).tolist()
    [1.5, 3.0]
    """
    has = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(has, values, 0) @ weights / (has @ weights), float)


def stage_scores(scores: Array, stage: Codes, weights: Array) -> Array:
    """Return respondents' scores of s stages (n, s) from those of k touchpoints (n, k).

    Parameters
    ----------
    scores : array (n, k)
    stage : array (k,)
        Stage of each touchpoint, 0 to s - 1.
    weights : array (k,)
        Only ratios within a stage matter; a touchpoint of weight 0 has no part in its stage. Where
        all of a stage are 0, they count alike.
    """
    total = np.bincount(stage, weights)[stage]
    within = np.where(total > 0, weights, 1.0)
    columns = [
        weighted_means(scores[:, stage == place], within[stage == place])
        for place in range(int(stage.max()) + 1)
    ]
    return np.column_stack(columns)


def replicate_weighted_means(
    values: Array, rows: SampledRows, n_resamples: int, seed: Seed
) -> Array:
    """Return replicates (B, k) of means of columns with gaps, from resamples of the design."""
    has = ~np.isnan(values)
    terms = np.concatenate([np.where(has, values, 0), has.astype(float)], axis=1)
    k = values.shape[1]
    replicates = np.empty((n_resamples, k))
    for first, weights in rows.resampling_weights(n_resamples, seed):
        sums = weights @ terms
        with np.errstate(invalid="ignore", divide="ignore"):
            replicates[first : first + len(weights)] = sums[:, :k] / sums[:, k:]
    return replicates


def first_shares(replicates: Array) -> Array:
    """Return the share of replicates (B, k) in which each column is the largest (k,).

    Those that are equal share the place; a column without a value (NaN) cannot have it.

    Examples
    --------
    >>> first_shares(np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0], [np.nan, 1.0]])).tolist()
    [0.375, 0.625]
    """
    values = np.where(np.isnan(replicates), -np.inf, replicates)
    largest = values == values.max(axis=1, keepdims=True)
    largest &= np.isfinite(values)
    largest = largest[largest.any(axis=1)]
    if not len(largest):
        return np.full(values.shape[1], np.nan)
    return np.asarray((largest / largest.sum(axis=1, keepdims=True)).mean(axis=0), float)
