"""Paths of contacts as a Markov chain: the chance of conversion, and what a removal costs.

States are the start, k channels, conversion and loss; the next state depends on the present one
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxstats.customers.maximum_likelihood import Array


@dataclass(frozen=True, slots=True)
class Effects:
    """What the chain says, for each of B sets of transitions.

    Attributes
    ----------
    conversion : array (B,)
        Probability that a path converts.
    removal : array (B, k)
        Share of conversions that is lost without a channel: ``1 - P_without / P``.
    """

    conversion: Array
    removal: Array


def removal_effects(transitions: Array) -> Effects:
    """Return the chance of conversion and the removal effect of each channel, exactly.

    With the fundamental matrix ``N = (I - Q)^-1`` of the channels, the start's probabilities s and
    h, the chance of conversion from each channel, ``P = s h``. Without channel c whoever would
    reach it is lost: the chance to reach it is ``(s N)_c / N_cc``, so ``P - P_without`` is that
    times ``h_c``. One matrix inverse gives what one linear solve per channel would.

    Parameters
    ----------
    transitions : array (B, k + 1, k + 2)
        Counts from the start (first row) and from each channel, to each channel, conversion, loss.

    References
    ----------
    Anderl, Becker, von Wangenheim & Schumann (2016). Mapping the customer journey: lessons learned
    from graph-based online attribution modeling. International Journal of Research in Marketing
    33(3), 457-474.

    Examples
    --------
    Two channels, each alone in a path; half of the paths of the first convert, none of the second:

    >>> effects = removal_effects(np.array([[[4.0, 4, 0, 0], [0, 0, 2, 2], [0, 0, 0, 4]]]))
    >>> effects.conversion.tolist(), effects.removal.tolist()
    ([0.25], [[1.0, 0.0]])
    """
    totals = transitions.sum(axis=2, keepdims=True)
    shares = np.divide(transitions, totals, out=np.zeros_like(transitions), where=totals > 0)
    k = shares.shape[1] - 1
    start, among, convert = shares[:, 0, :k], shares[:, 1:, :k], shares[:, 1:, k]
    fundamental = np.linalg.inv(np.eye(k) - among)
    chance = np.einsum("bij,bj->bi", fundamental, convert)
    conversion = np.einsum("bi,bi->b", start, chance)
    visits = np.einsum("bi,bij->bj", start, fundamental)
    reach = visits / np.einsum("bii->bi", fundamental)
    with np.errstate(divide="ignore", invalid="ignore"):
        removal = reach * chance / conversion[:, None]
    return Effects(conversion, removal)


def transition_counts(
    rows: list[NDArray[np.intp]], converted: NDArray[np.bool_], k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return every step of every path: the path (m,) and the step's place (m,) in the matrix.

    Parameters
    ----------
    rows : list of arrays
        Channels (0 to k - 1) of each path, in order.
    converted : array of bool
        Whether the path ends in conversion.
    k : int
        Channels.

    Returns
    -------
    paths, cells : arrays (m,)
        A cell is ``from * (k + 2) + to``; from 0 is the start, to k conversion, to k + 1 loss.
    """
    paths, cells = [], []
    for i, (row, wins) in enumerate(zip(rows, converted, strict=True)):
        origin = np.concatenate([[0], row + 1])
        target = np.concatenate([row, [k if wins else k + 1]])
        cells.append(origin * (k + 2) + target)
        paths.append(np.full(len(origin), i))
    return np.concatenate(paths), np.concatenate(cells)


def touch_credits(rows: list[NDArray[np.intp]], k: int) -> dict[str, Array]:
    """Return the share of a conversion that each channel gets, by rule: arrays (paths, k).

    All to the first contact, all to the last, or the same to each contact.

    Examples
    --------
    >>> touch_credits([np.array([0, 1, 1])], 2)["linear"].round(3).tolist()
    [[0.333, 0.667]]
    """
    n = len(rows)
    first, last, linear = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k))
    for i, row in enumerate(rows):
        first[i, row[0]] = last[i, row[-1]] = 1
        linear[i] = np.bincount(row, minlength=k) / len(row)
    return {"first": first, "last": last, "linear": linear}
