"""The parts of a path diagram and the columns they form, from left to right.

Lengths are inches, x grows to the right and y upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[str, str]

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


class Layout(NamedTuple):
    """Where everything stands: constructs and items as boxes, and the side of the items."""

    nodes: dict[str, Box]
    items: dict[str, Box]
    sides: dict[str, str]
    level: dict[str, int]


# Layers ---------------------------------------------------------------------------------------


def layers(nodes: Iterable[str], edges: Sequence[Pair]) -> dict[str, int]:
    """Return the column of each node: its longest way from a node that nothing points at.

    An edge that closes a cycle is left out.

    Examples
    --------
    >>> layers("abc", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    nodes, aimed = list(nodes), {end for _, end in edges}
    done: list[str] = []
    path: set[str] = set()
    kept: dict[str, list[str]] = {node: [] for node in nodes}

    def visit(node: str) -> None:
        path.add(node)
        for end in [end for start, end in edges if start == node and end not in path]:
            kept[node].append(end)
            if end not in done:
                visit(end)
        path.discard(node)
        done.append(node)

    for node in [*(n for n in nodes if n not in aimed), *nodes]:
        if node not in done:
            visit(node)
    level = dict.fromkeys(nodes, 0)
    for node in reversed(done):
        for end in kept[node]:
            level[end] = max(level[end], level[node] + 1)
    return level


def pulled(level: Mapping[str, int], graph: Graph) -> dict[str, int]:
    """Return columns in which a variable that only predicts stands close to what it predicts."""
    found = dict(level)
    tied = {*graph.items, *(name for arc in graph.arcs for name in arc)}
    for name, column in level.items():
        ends = [level[end] for start, end in graph.edges if start == name]
        if column == 0 and ends and name not in tied:
            found[name] = max(0, min(ends) - 1)
    return found


def columns(level: Mapping[str, int], edges: Sequence[Pair]) -> list[list[str]]:
    """Return the columns, ordered from the top for few crossings (barycentre sweeps).

    An edge that passes a column holds a place in it: a name that begins with a line break.

    Examples
    --------
    >>> columns({"a": 0, "b": 0, "c": 1, "d": 1}, [("a", "d"), ("b", "c")])
    [['a', 'b'], ['d', 'c']]
    """
    found: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for node, column in level.items():
        found[column].append(node)
    joined: dict[str, list[tuple[int, str]]] = {}
    for i, edge in enumerate(edges):
        start, end = sorted(edge, key=level.__getitem__)
        chain = [(level[start], start)]
        for column in range(level[start] + 1, level[end]):
            chain.append((column, f"\n{i} {column}"))
            found[column].append(chain[-1][1])
        chain.append((level[end], end))
        for one, other in pairwise(chain):
            joined.setdefault(one[1], []).append(other)
            joined.setdefault(other[1], []).append(one)
    for sweep in range(8):
        step = 1 if sweep % 2 == 0 else -1
        for column in list(range(len(found)))[::step]:
            _sort_column(found, column, column - step, joined)
    return found


def _sort_column(
    found: list[list[str]], column: int, beside: int, joined: dict[str, list[tuple[int, str]]]
) -> None:
    places = {node: i for i, node in enumerate(found[beside])} if 0 <= beside < len(found) else {}
    own = {node: float(i) for i, node in enumerate(found[column])}

    def centre(node: str) -> float:
        met = [places[end] for at, end in joined.get(node, []) if at == beside]
        return sum(met) / len(met) if met else own[node]

    if places:
        found[column].sort(key=centre)
