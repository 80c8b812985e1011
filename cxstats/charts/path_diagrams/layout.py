"""The parts of a path diagram and the columns they form, from left to right.

Lengths are inches, x grows to the right and y upwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxstats.charts.layered_layout import (
    Node,
    Pair,
    chains_of,
    depth_first_order,
    links_of,
    longest_paths,
    rows_of,
    uncrossed,
)

Array = NDArray[np.float64]

OUT = {"left": (-1, 0), "right": (1, 0), "top": (0, 1), "bottom": (0, -1)}


class Box(NamedTuple):
    """A rectangle or an ellipse by its centre, width and height."""

    x: float
    y: float
    w: float
    h: float
    round: bool = False

    def bounds(self, pad: float = 0) -> Array:
        """Return left, bottom, right and top, widened by `pad`."""
        w, h = self.w / 2 + pad, self.h / 2 + pad
        return np.array([self.x - w, self.y - h, self.x + w, self.y + h])

    def turned(self) -> Box:
        """Return the shape with the left of the picture at its top; twice, it is as before.

        Examples
        --------
        >>> Box(1, -2, 3, 4).turned()
        Box(x=2, y=-1, w=4, h=3, round=False)
        """
        return Box(-self.y, -self.x, self.h, self.w, self.round)

    def holds(self, points: Array, pad: float = 0) -> NDArray[np.bool_]:
        """Return which of the points (n, 2) lie inside the shape, widened by `pad`.

        Examples
        --------
        >>> Box(0, 0, 2, 2, round=True).holds(np.array([[0.9, 0.0], [0.9, 0.9]])).tolist()
        [True, False]
        """
        reach = np.abs(points - (self.x, self.y)) / (self.w / 2 + pad, self.h / 2 + pad)
        inside: NDArray[np.bool_] = np.asarray(
            (reach**2).sum(axis=1) < 1 if self.round else (reach < 1).all(axis=1)
        )
        return inside


@dataclass(frozen=True, slots=True)
class Graph:
    """What is to be placed.

    Attributes
    ----------
    sizes : dict of str to (float, float)
        Width and height of every construct.
    edges, arcs : tuple of (str, str)
        Arrows between constructs, from and to, and their covariances.
    items : dict of str to tuple of str
        The items that stand beside each construct.
    row, stack : (float, float)
        Width and height of an item in a row (above, below) and in a stack (at the sides).
    round : frozenset of str
        Constructs that are ellipses; the others are rectangles.
    behind : tuple of (str, str)
        Constructs without items of their own, and those whose items they measure too: the items
        stand between them.
    low : frozenset of str
        Constructs whose items must stand below, so that they can be joined there.
    """

    sizes: dict[str, tuple[float, float]]
    edges: tuple[Pair, ...]
    items: dict[str, tuple[str, ...]] = field(default_factory=dict)
    row: tuple[float, float] = (0.4, 0.3)
    stack: tuple[float, float] = (0.4, 0.3)
    arcs: tuple[Pair, ...] = ()
    round: frozenset[str] = frozenset()
    behind: tuple[Pair, ...] = ()
    low: frozenset[str] = frozenset()


class Arrangement(NamedTuple):
    """In which columns constructs stand.

    Attributes
    ----------
    column : dict of str to int
        The column of each construct.
    order : list of list
        What stands in each column from the top.
    turned : bool
        Whether the columns lie as rows, the first one at the top.
    """

    column: dict[str, int]
    order: list[list[Node]]
    turned: bool = False


class Layout(NamedTuple):
    """Where everything stands: constructs and items as boxes, and the side of the items.

    ``level`` is the length of the longest way to a construct, ``column`` where it stands.
    """

    nodes: dict[str, Box]
    items: dict[str, Box]
    sides: dict[str, str]
    level: dict[str, int]
    column: dict[str, int]
    turned: bool = False


def columns(graph: Graph) -> tuple[dict[str, int], list[list[Node]]]:
    """Return the column of each construct, and what stands in each column from the top.

    Examples
    --------
    >>> box = (1.0, 0.5)
    >>> columns(Graph(dict.fromkeys("abcd", box), (("a", "d"), ("b", "c"))))
    ({'a': 0, 'b': 0, 'c': 1, 'd': 1}, [['a', 'b'], ['d', 'c']])
    """
    edges = [*graph.behind, *graph.edges]
    nodes = list(graph.sizes)
    layer = longest_paths(depth_first_order(nodes, edges), edges)
    level = _pulled({node: layer[node] for node in nodes}, graph)
    rightwards = {
        (start, end): (start, end) if level[start] < level[end] else (end, start)
        for start, end in edges
        if level[start] != level[end]
    }
    chains = chains_of(level, rightwards)
    return level, uncrossed(rows_of(nodes, level, chains), links_of(chains.values()))


def arrangements(graph: Graph) -> list[Arrangement]:
    """Return the arrangements to choose from: the usual columns first, then narrower ones.

    Columns that follow each other from left to right need about 2.5 inches each. Narrower are the
    same from the top to the bottom, and constructs that nothing points at on the left with all
    others on the right. Factors that nothing joins stand in two columns, not in one high one.

    Examples
    --------
    >>> chain = Graph(dict.fromkeys("abc", (1.0, 0.5)), (("a", "b"), ("b", "c")))
    >>> [(a.column, a.turned) for a in arrangements(chain)][1:]
    [({'a': 0, 'b': 1, 'c': 2}, True), ({'a': 0, 'b': 1, 'c': 1}, False)]
    """
    level, order = columns(graph)
    last = max(level.values())
    usual = Arrangement(level, order)
    if last > 1:
        two = {name: min(at, 1) for name, at in level.items()}
        right: list[Node] = [n for column in order[1:] for n in column if isinstance(n, str)]
        return [usual, Arrangement(level, order, True), Arrangement(two, [order[0], right])]
    if last == 0 and not graph.arcs and len(level) > 3:
        half = (len(level) + 1) // 2
        names = list(level)
        halves = {name: int(i >= half) for i, name in enumerate(names)}
        return [Arrangement(halves, [[*names[:half]], [*names[half:]]])]
    return [usual]


def _pulled(level: Mapping[str, int], graph: Graph) -> dict[str, int]:
    """Return columns in which a variable that only predicts stands close to what it predicts."""
    pulled = dict(level)
    tied = {*graph.items, *(name for arc in graph.arcs for name in arc)}
    for name, column in level.items():
        ends = [level[end] for start, end in graph.edges if start == name]
        if column == 0 and ends and name not in tied:
            pulled[name] = max(0, min(ends) - 1)
    return pulled
