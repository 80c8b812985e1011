"""Scores of customers by quantiles or fixed cuts, and how certain each score is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxstats.core.errors import CxError, DataError

Floats = NDArray[np.float64]
MOST_BINS = 100


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores from 1 (lowest value) up, one per customer.

    Attributes
    ----------
    score : integer array (n,)
    certainty : array (n,)
        Probability that another sample of customers of the same size gives the value its score.
    bins : int
        The highest score that could occur.
    """

    score: NDArray[np.int64]
    certainty: Floats
    bins: int


def quantile_scores(values: ArrayLike, bins: int = 5) -> Scores:
    """Return scores by quantiles; equal values have equal scores.

    Formula: ``score(x) = 1 + floor(bins * F(x-))``, where ``F(x-)`` is the share of customers with
    a lower value. So a value is above a cut exactly if it is above the quantile (the smallest value
    that at least the share k / bins of customers does not exceed). Where many customers have one
    value, some scores do not occur.

    Certainty: in another sample of n customers the number with a lower value is binomial with
    probability ``F(x-)``; the certainty is the probability that it gives the same score. It is the
    exact limit of the bootstrap over customers.

    Parameters
    ----------
    values : array_like (n,)
        One number per customer; more is better.
    bins : int
        2 to 100.

    Raises
    ------
    CxError
        If `bins` is no whole number in this range.

    References
    ----------
    Efron (1979). Bootstrap methods: another look at the jackknife. Annals of Statistics 7, 1-26
    (the exact distribution of a bootstrapped quantile).

    Examples
    --------
    >>> scores = quantile_scores([1, 1, 1, 2, 9], bins=5)
    >>> scores.score.tolist(), scores.certainty.round(3).tolist()
    ([1, 1, 1, 4, 5], [1.0, 1.0, 1.0, 0.346, 0.737])
    """
    from scipy.stats import binom

    if isinstance(bins, bool) or not isinstance(bins, int) or not 2 <= bins <= MOST_BINS:
        raise CxError(f"bins={bins!r} is not allowed; allowed: a whole number, 2 to {MOST_BINS}")
    _, place, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    n = int(counts.sum())
    lower = np.cumsum(counts) - counts
    score = 1 + (bins * lower) // n
    # The counts of lower values that give the same score; all n lower would be the top score.
    least = -(-n * (score - 1) // bins)
    most = np.where(score == bins, n, -(-n * score // bins) - 1)
    p = lower / n
    certainty = binom.cdf(most, n, p) - np.where(least > 0, binom.cdf(least - 1, n, p), 0.0)
    certainty = np.clip(certainty, 0.0, 1.0)
    return Scores(score[place], certainty[place], bins)


def cut_scores(values: ArrayLike, cuts: Sequence[float], name: str = "values") -> Scores:
    """Return scores by fixed cuts: 1 plus the number of cuts that a value is above.

    A value on a cut is below it. The cuts do not depend on the sample, so the certainty is 1.

    Raises
    ------
    DataError
        If the cuts are not numbers in ascending order.

    Examples
    --------
    >>> cut_scores([1, 2, 3, 10], [1, 2, 5]).score.tolist()
    [1, 2, 3, 4]
    """
    try:
        limits = np.asarray(list(cuts), float)
    except (TypeError, ValueError) as error:
        raise DataError(f"cuts of {name}: {cuts!r}; allowed: numbers in ascending order") from error
    if not len(limits) or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise DataError(f"cuts of {name}: {cuts!r}; allowed: numbers in ascending order")
    score = 1 + np.searchsorted(limits, np.asarray(values, float), side="left")
    return Scores(score.astype(np.int64), np.ones(len(score)), len(limits) + 1)
