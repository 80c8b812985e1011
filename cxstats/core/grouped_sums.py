"""Means and cross-products of many groups at once: a block of rows is sorted once for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import Sums, centred, complete_cases, plain_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.core.engines import Block

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]

# Rows of a group in a block from which a matrix product of its own is the faster way.
MANY_ROWS = 256


@dataclass(eq=False)
class GroupedSums:
    """Running sums of every group, as `Sums` has them, with the groups as first axis.

    Attributes
    ----------
    p : int
        Variables.
    places : dict of group to int
        Where a group stands in the arrays, which grow as groups come.
    n, weight, dropped : arrays (G,)
    origin, mean : arrays (G, p)
    cross : array (G, p, p)
    ungrouped : int
        Rows without a group.
    """

    p: int
    places: dict[Any, int] = field(default_factory=dict)
    n: Array = field(default_factory=lambda: np.zeros(0))
    weight: Array = field(default_factory=lambda: np.zeros(0))
    dropped: Array = field(default_factory=lambda: np.zeros(0))
    origin: Array = field(init=False)
    mean: Array = field(init=False)
    cross: Array = field(init=False)
    ungrouped: int = 0

    def __post_init__(self) -> None:
        self.origin, self.mean = np.zeros((0, self.p)), np.zeros((0, self.p))
        self.cross = np.zeros((0, self.p, self.p))

    def add(self, block: Block, names: Sequence[str]) -> None:
        """Add a block of rows that has groups.

        Raises
        ------
        DataError
            If a value is infinite, or a weight is not a finite number from 0 upwards.
        """
        import pandas as pd

        assert block.groups is not None
        codes, groups = pd.factorize(block.groups)
        places = self._places_of([plain_group(group) for group in groups])
        ungrouped = int((codes < 0).sum())
        self.ungrouped += ungrouped
        rows = np.argsort(codes, kind="stable")[ungrouped:]  # rows without a group come first
        values, codes = block.values[:, rows], codes[rows]
        weight = None if block.weights is None else block.weights[rows]
        self.dropped[places] += block.dropped
        complete = complete_cases(values, weight, names)
        if complete is not None:
            np.add.at(self.dropped, places[codes[~complete]], 1)
            values, codes = values[:, complete], codes[complete]
            weight = None if weight is None else weight[complete]
        if len(codes):
            self._include(values, weight, places[codes])

    def sums(self) -> dict[Any, Sums]:
        """Return the sums of each group."""
        return {
            group: Sums(
                int(self.n[i]), float(self.weight[i]), self.origin[i], self.mean[i], self.cross[i],
                int(self.dropped[i]),
            )
            for group, i in self.places.items()
        }  # fmt: skip

    def _places_of(self, groups: list[Any]) -> Places:
        places = np.array([self.places.setdefault(g, len(self.places)) for g in groups], np.intp)
        missing = len(self.places) - len(self.n)
        if missing > 0:
            grown = max(missing, len(self.n))
            for name in ("n", "weight", "dropped", "origin", "mean", "cross"):
                array = getattr(self, name)
                more = np.zeros((grown, *array.shape[1:]))
                setattr(self, name, np.concatenate([array, more]))
        return places

    def _include(self, values: NDArray[Any], weight: Array | None, places: Places) -> None:
        """Add complete cases that are sorted by group."""
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        sizes = np.diff(starts, append=len(places))
        groups = places[starts]
        totals = sizes.astype(float) if weight is None else np.add.reduceat(weight, starts)
        new = self.n[groups] == 0
        firsts = np.add.reduceat(values, starts, axis=1, dtype=np.float64) / sizes
        self.origin[groups[new]] = np.round(firsts.T[new])
        mean, cross = np.empty((len(groups), self.p)), np.empty((len(groups), self.p, self.p))
        for i in np.flatnonzero(sizes >= MANY_ROWS):
            at = slice(starts[i], starts[i] + sizes[i])
            own_weight = None if weight is None else weight[at]
            origin = self.origin[groups[i]]
            mean[i], cross[i] = centred(values[:, at], own_weight, float(totals[i]), origin)
        few = np.flatnonzero(sizes < MANY_ROWS)
        if len(few):
            rows = np.repeat(sizes < MANY_ROWS, sizes)
            x = values[:, rows] - self.origin[places[rows]].T
            mean[few], cross[few] = _centred_by_group(
                x, None if weight is None else weight[rows], sizes[few]
            )
        # Chan, Golub and LeVeque: two sets of cross-products, each around its own mean.
        both = self.weight[groups] + totals
        share = totals / np.where(both > 0, both, 1)
        step = mean - self.mean[groups]
        between = (self.weight[groups] * share)[:, None, None]
        self.cross[groups] += cross + step[:, :, None] * step[:, None, :] * between
        self.mean[groups] += step * share[:, None]
        self.n[groups] += sizes
        self.weight[groups] = both


def _centred_by_group(x: Array, weight: Array | None, sizes: Places) -> tuple[Array, Array]:
    """Return the means (G, p) and cross-products (G, p, p) of groups that follow each other.

    Parameters
    ----------
    x : array (p, rows)
    weight : array (rows,) or None
    sizes : array (G,)
        Rows of each group.
    """
    starts = np.cumsum(sizes) - sizes
    ones = np.ones(x.shape[1]) if weight is None else weight
    totals = np.add.reduceat(ones, starts)
    empty = np.repeat(totals <= 0, sizes)  # of weight 0: the plain mean
    shares = np.where(empty, 1, ones)
    means = np.add.reduceat(x * shares, starts, axis=1) / np.add.reduceat(shares, starts)
    off = x - np.repeat(means, sizes, axis=1)
    cross = np.empty((len(sizes), len(x), len(x)))
    for i in range(len(x)):
        products = np.add.reduceat(off[: i + 1] * (off[i] * ones), starts, axis=1)
        cross[:, i, : i + 1] = cross[:, : i + 1, i] = products.T
    return means.T, cross
