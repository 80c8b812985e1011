"""The smallest changes of weights at which two units tie: arrays in, arrays out.

For a pair of units, ``d`` is what the higher one has over the lower one on each criterion, and
``D = w'd >= 0`` its lead. They tie where ``D = 0``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HALVINGS = 50  # of the multiplier's interval: enough to see which weights end at 0


def single_weight(weights: Array, differences: Array) -> Array:
    """Return the value of each weight at which a pair ties, the others rescaled in proportion.

    With weight k at t the lead is ``t d_k + (1 - t) R_k``, ``R_k = (D - w_k d_k) / (1 - w_k)``
    that of the others, so ``t = R_k / (R_k - d_k)``; it counts if it is from 0 to 1.

    Parameters
    ----------
    weights : array (k,)
        Not negative, summing to 1.
    differences : array (pairs, k)

    Returns
    -------
    array (pairs, k)
        NaN where no value of this weight makes the two tie.

    References
    ----------
    Triantaphyllou & Sanchez (1997). A sensitivity analysis approach for some deterministic
    multi-criteria decision making methods. Decision Sciences 28(1), 151-194. Their change delta
    is made before the weights are scaled to sum to 1 again: ``t = (w_k - delta) / (1 - delta)``.

    Examples
    --------
    >>> single_weight(np.array([0.6, 0.4]), np.array([[1.0, -1.0]])).tolist()
    [[0.5, 0.5]]
    """
    lead = differences @ weights
    remainder = 1 - weights
    with np.errstate(invalid="ignore", divide="ignore"):
        others = (lead[:, None] - weights * differences) / remainder
        t = others / (others - differences)
        # A weight of 1 leaves no proportion in which the others could share.
        possible = (t >= -1e-12) & (t <= 1 + 1e-12) & (remainder > 1e-12)
    return np.where(possible, np.clip(t, 0, 1), np.nan)


def least_moved(weights: Array, differences: Array) -> tuple[Array, Array]:
    """Return the least weight that has to move for a pair to tie, and the weights then.

    Moving a mass m from criterion i to j lowers the lead by ``m (d_i - d_j)``: the receiver is
    the criterion with the smallest d, and those with the largest d give first. The solution of
    the linear programme ``min sum |v_k| / 2``, ``(w + v)'d = 0``, ``sum v = 0``, ``w + v >= 0``.

    Parameters
    ----------
    weights : array (k,)
    differences : array (pairs, k)
        Pairs whose lead is not negative.

    Returns
    -------
    moved : array (pairs,)
        Half the sum of absolute changes, from 0 to 1; NaN where no weights make the two tie.
    at : array (pairs, k)

    Examples
    --------
    >>> moved, at = least_moved(np.array([0.5, 0.3, 0.2]), np.array([[2.0, 1.0, -2.0]]))
    >>> moved.round(4).tolist(), at.round(4).tolist()
    ([0.225], [[0.275, 0.3, 0.425]])
    """
    pairs = np.arange(len(differences))
    lead = differences @ weights
    order = np.argsort(-differences, axis=1, kind="stable")
    receiver = order[:, -1]
    gain = np.take_along_axis(differences, order, 1) - differences[pairs, receiver][:, None]
    mass = weights[order]
    before = np.cumsum(mass * gain, axis=1) - mass * gain
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = np.where(gain > 0, (lead[:, None] - before) / gain, 0.0)
    loss = np.clip(loss, 0, mass)
    at = np.tile(weights, (len(pairs), 1))
    np.put_along_axis(at, order, mass - loss, 1)
    moved = loss.sum(axis=1)
    at[pairs, receiver] += moved
    tie = differences.min(axis=1) <= 0
    return np.where(tie, moved, np.nan), np.where(tie[:, None], at, np.nan)


def nearest(weights: Array, differences: Array) -> tuple[Array, Array]:
    """Return the shortest (Euclidean) change of weights to a tie, and the weights then.

    ``min |u - w|``, ``u'd = 0``, ``sum u = 1``, ``u >= 0``. The solution is
    ``u = max(0, w - l d - m)``. Without a weight at 0 the multipliers l and m have a closed form;
    else l is found by halving, since ``u'd`` falls with it, and then exactly, given which weights
    are above 0.

    Parameters and result as `least_moved`; the first array is the length of the change.

    Examples
    --------
    >>> length, at = nearest(np.array([0.5, 0.3, 0.2]), np.array([[2.0, 1.0, -2.0]]))
    >>> length.round(4).tolist(), at.round(4).tolist()
    ([0.3057], [[0.3269, 0.2308, 0.4423]])
    """
    tie = differences.min(axis=1) <= 0
    at = _exact(weights, differences, np.ones(differences.shape, bool))
    # Only where a weight would turn negative is there anything to search.
    bound = tie & (at.min(axis=1) < 0)
    if bound.any():
        at[bound] = _bounded(weights, differences[bound])
    length = np.sqrt(((at - weights) ** 2).sum(axis=1))
    return np.where(tie, length, np.nan), np.where(tie[:, None], at, np.nan)


def _bounded(weights: Array, differences: Array) -> Array:
    """Return the nearest weights at a tie (pairs, k) where some of them end at 0."""
    d = differences / np.abs(differences).max(axis=1, keepdims=True)
    low, high = np.zeros(len(d)), np.ones(len(d))

    def leads(multiplier: Array) -> NDArray[np.bool_]:
        lead = (_on_simplex(weights - multiplier[:, None] * d) * d).sum(axis=1)
        return np.asarray(lead > 0)

    while (short := leads(high)).any() and high.max() < 1e18:
        high = np.where(short, 2 * high, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = leads(middle)
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    rough = _on_simplex(weights - high[:, None] * d)
    at = _exact(weights, d, rough > 1e-9)
    sound = np.isfinite(at).all(axis=1, keepdims=True) & (at.min(axis=1, keepdims=True) > -1e-9)
    return np.where(sound, at, rough)


def _on_simplex(points: Array) -> Array:
    """Project points (..., k) on weights: the nearest that are not negative and sum to 1."""
    falling = -np.sort(-points, axis=-1)
    excess = (np.cumsum(falling, axis=-1) - 1) / np.arange(1, points.shape[-1] + 1)
    positive = (falling > excess).sum(axis=-1, keepdims=True)
    level = np.take_along_axis(excess, positive - 1, axis=-1)
    return np.maximum(points - level, 0)


def _exact(weights: Array, d: Array, active: NDArray[np.bool_]) -> Array:
    """Solve for the weights at the tie, those that are not active being 0."""
    count = active.sum(axis=1, keepdims=True)
    used = np.where(active, weights, 0)
    mean_d = np.where(active, d, 0).sum(axis=1, keepdims=True) / count
    centred = np.where(active, d - mean_d, 0)
    surplus = (used.sum(axis=1, keepdims=True) - 1) / count
    lead = (used * d).sum(axis=1, keepdims=True) - surplus * mean_d * count
    spread = (centred**2).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(spread > 1e-15, lead / spread, 0.0)
    return np.where(active, weights - surplus - slope * centred, 0)
