"""Optimal alignments of sequences of events with a designed path, many sequences at once.

An alignment walks through events and steps together. An event that is the next step costs nothing;
an event that is not costs 1 (an insertion); a step without its event costs 1 (it is skipped), or
nothing if it is optional. The cost of a sequence is that of its cheapest alignment, found by
dynamic programming, so that it is exact:

    D(i, j) = min( D(i - 1, j) + 1,                                insertion of event i
                   D(i - 1, j - 1)       if event i is step j,     match
                   D(i - 1, j)           if also j may repeat,     another match
                   D(i, j - 1) + c_j )                             step j is skipped

with c_j = 1, or 0 for an optional step, and D(0, 0) = 0.

References
----------
Adriansyah (2014). Aligning observed and modeled behavior. PhD thesis, Eindhoven University of
Technology.
Carmona, van Dongen, Solti & Weidlich (2018). Conformance checking. Springer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Flags = NDArray[np.bool_]

AT_ONCE = 4_000_000  # entries of D that are in memory together


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A designed path of k steps.

    Attributes
    ----------
    matches : boolean array (activities, k)
        Which activity is which step.
    optional, repeated : boolean arrays (k,)
        Which step may be left out, and which may follow itself.
    unfinished : bool
        Whether a sequence may end after any step; steps that it has not come to cost nothing then.
    """

    matches: Flags
    optional: Flags
    repeated: Flags
    unfinished: bool = False

    @property
    def skip_costs(self) -> Integers:
        """Cost of the first j steps if all are skipped (k + 1,)."""
        return np.asarray(np.r_[0, np.cumsum(~self.optional)], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Alignments:
    """The cheapest alignment of each of n sequences.

    Attributes
    ----------
    cost : integer array (n,)
    skipped : boolean array (n, k)
        Steps without an event that are not optional.
    inserted : boolean array (events,)
        Events that match no step, in the order in which they were given.
    """

    cost: Integers
    skipped: Flags
    inserted: Flags


def align(activity: Integers, length: Integers, path: Path) -> Alignments:
    """Align sequences with a path.

    Of several alignments with the lowest cost, the one that matches as late as possible is taken.

    Parameters
    ----------
    activity : integer array (events,)
        The sequences, one after the other.
    length : integer array (n,)
        How many events each has; may be 0.
    path : Path

    Examples
    --------
    >>> path = Path(np.eye(3, dtype=bool), np.zeros(3, bool), np.zeros(3, bool))
    >>> aligned = align(np.array([0, 2, 2, 0, 1, 2]), np.array([3, 3]), path)
    >>> aligned.cost.tolist(), aligned.skipped.tolist()[0], aligned.inserted.tolist()
    ([2, 0], [False, True, False], [False, True, False, False, False, False])
    """
    n, k = len(length), path.matches.shape[1]
    first = np.cumsum(length) - length
    cost, skipped = np.zeros(n, np.int64), np.zeros((n, k), bool)
    inserted = np.zeros(len(activity), bool)
    for rows in _batches(length, k + 1):
        longest = int(length[rows].max(initial=0))
        distances = _distances(activity, first[rows], length[rows], path, longest)
        final = distances[-1]
        last = np.full(len(rows), k)
        if path.unfinished:  # of ends that cost the same, the furthest
            last = k - final[:, ::-1].argmin(axis=1)
        cost[rows] = final[np.arange(len(rows)), last]
        sequences = rows, first[rows], length[rows], last
        _trace(distances, activity, sequences, path, (skipped, inserted))
    return Alignments(cost, skipped, inserted)


def _batches(length: Integers, width: int) -> Iterator[Integers]:
    """Yield sequences of about the same length, as many as fit into memory."""
    order = np.argsort(length, kind="stable")
    start = 0
    while start < len(order):
        size = len(order) - start
        # The batch is as long as its last member, so halve it until it fits.
        while size > 1 and size * (length[order[start + size - 1]] + 1) * width > AT_ONCE:
            size = (size + 1) // 2
        yield order[start : start + size]
        start += size


def _distances(
    activity: Integers, first: Integers, length: Integers, path: Path, longest: int
) -> list[NDArray[np.int32]]:
    """Return D(i, .) of each sequence for i = 0 ... longest: arrays (n, k + 1)."""
    skip = path.skip_costs.astype(np.int32)
    never = np.int32(2**30)
    now = np.tile(skip, (len(first), 1))
    distances = [now]
    for i in range(longest):
        going = np.flatnonzero(length > i)
        before = now[going]
        match = path.matches[activity[first[going] + i]]
        after = before + 1
        np.minimum(after[:, 1:], np.where(match, before[:, :-1], never), out=after[:, 1:])
        again = match & path.repeated
        np.minimum(after[:, 1:], np.where(again, before[:, 1:], never), out=after[:, 1:])
        now = now.copy()
        now[going] = np.minimum.accumulate(after - skip, axis=1) + skip
        distances.append(now)
    return distances


def _trace(
    distances: list[NDArray[np.int32]],
    activity: Integers,
    sequences: tuple[Integers, Integers, Integers, Integers],
    path: Path,
    into: tuple[Flags, Flags],
) -> None:
    """Walk back from the ends and write down what was skipped and inserted."""
    rows, first, length, last = sequences
    skipped, inserted = into
    table = np.stack(distances)
    everyone = np.arange(len(rows))
    i, j = length.copy(), last.copy()
    active = everyone[(i > 0) | (j > 0)]
    while len(active):
        a, b = i[active], j[active]
        here = table[a, active, b]
        step = np.maximum(b - 1, 0)
        match = (a > 0) & (b > 0)
        event = activity[first[active[match]] + a[match] - 1]
        match[match] = path.matches[event, step[match]]
        up, left = table[np.maximum(a - 1, 0), active], table[a, active]
        at = np.arange(len(active))
        again = match & path.repeated[step] & (here == up[at, b])
        matched = match & ~again & (here == up[at, step])
        skip = (b > 0) & ~matched & ~again & (here == left[at, step] + ~path.optional[step])
        insert = ~matched & ~again & ~skip
        skipped[rows[active[skip]], step[skip]] = ~path.optional[step[skip]]
        inserted[first[active[insert]] + a[insert] - 1] = True
        i[active] -= matched | again | insert
        j[active] -= matched | skip
        active = active[(i[active] > 0) | (j[active] > 0)]
