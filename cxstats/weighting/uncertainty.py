"""What becomes of scores and ranks when weights are uncertain: all draws at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Acceptability:
    """Scores and ranks over draws of weights.

    Attributes
    ----------
    ranks : array (units, units)
        Share of draws in which a unit (row) has a rank (column, from 1).
    expected : array (units,)
        Mean rank.
    rank_low, rank_high, score_low, score_high : arrays (units,)
        Central intervals.
    above : array (units, units)
        Share of draws in which the row's unit scores higher than the column's, for a row below
        the column (others are 0): reversals, where units come in the order of their ranks.
    """

    ranks: Array
    expected: Array
    rank_low: Array
    rank_high: Array
    score_low: Array
    score_high: Array
    above: Array


def draw_weights(weights: Array, concentration: float, n_draws: int, seed: int) -> Array:
    """Draw weights from a Dirichlet distribution, (n_draws, k).

    ``Dirichlet(c w)`` has the mean w and the variances ``w (1 - w) / (c + 1)``. A weight of 0
    stays 0.

    Examples
    --------
    >>> draw_weights(np.array([0.5, 0.5, 0.0]), 20, 2, seed=1).sum(axis=1).round(12).tolist()
    [1.0, 1.0]
    """
    drawn = np.zeros((n_draws, len(weights)))
    some = weights > 0
    generator = np.random.default_rng(seed)
    drawn[:, some] = generator.dirichlet(concentration * weights[some], n_draws)
    return drawn


def concentration_of(weights: Array, se: Array) -> float:
    """Return the concentration whose variances add up to those given: of intervals, say.

    ``c = sum w (1 - w) / sum se^2 - 1``. Single weights may be more or less certain than that.

    Examples
    --------
    >>> concentration_of(np.array([0.5, 0.5]), np.array([0.05, 0.05])).__round__(9)
    99.0
    """
    return float((weights * (1 - weights)).sum() / (se**2).sum() - 1)


def accept(scores: Array, drawn: Array, level: float) -> Acceptability:
    """Score and rank units under every draw; units that tie share the better rank.

    Parameters
    ----------
    scores : array (units, k)
    drawn : array (draws, k)
    level : float

    References
    ----------
    Lahdelma, Hokkanen & Salminen (1998). SMAA - stochastic multiobjective acceptability analysis.
    European Journal of Operational Research 106, 137-143.

    Examples
    --------
    >>> result = accept(np.array([[2.0, 1], [1, 1]]), np.full((4, 2), 0.5), 0.95)
    >>> result.ranks.tolist(), result.expected.tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [1.0, 2.0])
    """
    from scipy.stats import rankdata

    # Equal units must tie in every draw, also in their last bit: each is computed once.
    distinct, place = np.unique(scores, axis=0, return_inverse=True)
    totals = (distinct @ drawn.T)[place.ravel()]
    u, n = totals.shape
    above = np.zeros((u, u))
    for i in range(u):
        above[i + 1 :, i] = np.count_nonzero(totals[i + 1 :] > totals[i], axis=1) / n
    ranks = rankdata(-totals, method="min", axis=0).astype(np.int64)
    cells = np.bincount((ranks - 1 + u * np.arange(u)[:, None]).ravel(), minlength=u * u)
    rank_low, rank_high = percentile_limits(ranks, level, axis=1, method="inverted_cdf")
    score_low, score_high = percentile_limits(totals, level, axis=1)
    return Acceptability(
        cells.reshape(u, u) / n, ranks.mean(axis=1), rank_low, rank_high, score_low, score_high,
        above,
    )  # fmt: skip


def rescaled(weights: Array, k: int, value: float) -> Array:
    """Return weights with the k-th at `value` and the others in proportion.

    Examples
    --------
    >>> rescaled(np.array([0.5, 0.3, 0.2]), 0, 0.75).round(4).tolist()
    [0.75, 0.15, 0.1]
    """
    remainder = 1 - weights[k]
    # Where one weight is everything, the others have no proportion: they share alike.
    equal = np.full(len(weights), 1 / (len(weights) - 1))
    others = weights / remainder if remainder > 1e-12 else equal
    new = (1 - value) * others
    new[k] = value
    return new
