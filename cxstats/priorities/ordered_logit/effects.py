"""What a circumstance changes, in shares of low, middle and high answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from cxstats.priorities.ordered_logit.likelihood import category_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def average_shares(
    x: Array, weight: Array, slopes: Array, cuts: Array, bands: Array
) -> tuple[Array, Array]:
    """Return the mean predicted share of each band (c,), and its derivatives (c, p + k - 1).

    ``s = sum_i w_i P(Y in band | x_i) / sum w``: how a population with these rows would answer.

    Parameters
    ----------
    x : array (m, p)
        Rows, in which one circumstance is set to the same value for everybody.
    weight : array (m,)
    slopes, cuts : arrays (p,), (k - 1,)
    bands : array (c, k)
        1 where a category belongs to a band.

    Examples
    --------
    >>> share, slope = average_shares(
    ...     np.zeros((2, 1)), np.ones(2), np.ones(1), np.array([0.0]), np.eye(2)
    ... )
    >>> share.tolist(), slope.tolist()
    ([0.5, 0.5], [[0.0, 0.25], [0.0, -0.25]])
    """
    relative = weight / weight.sum()
    share = bands @ (relative @ category_shares(x, slopes, cuts))
    below = expit(cuts - (x @ slopes)[:, None])
    density = below * (1 - below)  # of each cut (m, k - 1)
    ends = np.zeros((len(x), 1))
    edges = np.concatenate([ends, density, ends], axis=1)
    by_slope = -(x.T * relative) @ np.diff(edges, axis=1)  # (p, k)
    mean = relative @ density
    k = len(cuts) + 1
    by_cut = np.zeros((k - 1, k))
    at = np.arange(k - 1)
    by_cut[at, at], by_cut[at, at + 1] = mean, -mean
    return share, np.asarray(bands @ np.concatenate([by_slope, by_cut]).T)


def ranked_probability_scores(shares: Array, y: NDArray[np.intp]) -> Array:
    """Return the ranked probability score of each row (m,): 0 is best, 1 is worst.

    ``sum_j (F_j - 1(y <= j))^2 / (k - 1)``, the squared distance of predicted and actual
    cumulative shares; a prediction one category off costs less than one two off.

    References
    ----------
    Epstein (1969). A scoring system for probability forecasts of ranked categories. Journal of
    Applied Meteorology 8, 985-987.

    Examples
    --------
    >>> ranked_probability_scores(np.array([[0.5, 0.5, 0.0]]), np.array([1])).tolist()
    [0.125]
    """
    k = shares.shape[1]
    actual = np.arange(k - 1) >= y[:, None]
    return np.asarray(((np.cumsum(shares, axis=1)[:, :-1] - actual) ** 2).sum(axis=1) / (k - 1))
