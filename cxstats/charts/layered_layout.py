"""Layers of a directed graph, and an order in each of them that crosses few arrows.

The part of Sugiyama's method that path diagrams (layers from left to right) and process maps (from
top to bottom) share: layers are longest paths, long arrows hold a place in every layer that they
pass, and the order in a layer follows the neighbours' mean place. The same graph gives the same
layers. How far apart things then stand is each chart's own matter.

References
----------
Sugiyama, Tagawa & Toda (1981). Methods for visual understanding of hierarchical system
structures. IEEE Transactions on Systems, Man and Cybernetics 11(2), 109-125.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

Pair = tuple[str, str]
SWEEPS = 24


class Passage(NamedTuple):
    """The place of a long arrow in a layer that it passes."""

    edge: Pair
    layer: int


Node = str | Passage
Link = tuple[Node, Node]


def depth_first_order(nodes: Sequence[str], edges: Iterable[Pair]) -> list[str]:
    """Order nodes so that only edges that close a cycle point backwards.

    Examples
    --------
    >>> depth_first_order("cba", [("a", "b"), ("b", "c"), ("c", "a")])
    ['c', 'a', 'b']
    >>> depth_first_order("cba", [("a", "b"), ("b", "c")])
    ['a', 'b', 'c']
    """
    ends: dict[str, list[str]] = {node: [] for node in nodes}
    for start, end in edges:
        ends[start].append(end)
    visited: set[str] = set()
    finished: list[str] = []

    def visit(node: str) -> None:
        visited.add(node)
        for end in ends[node]:
            if end not in visited:
                visit(end)
        finished.append(node)

    aimed = {end for targets in ends.values() for end in targets}
    for node in [*(node for node in nodes if node not in aimed), *nodes]:
        if node not in visited:
            visit(node)
    return finished[::-1]


def longest_paths(order: Sequence[str], edges: Iterable[Pair]) -> dict[str, int]:
    """Return the layer of each node: the length of the longest path to it along the order.

    An edge against the order is left out.

    Examples
    --------
    >>> longest_paths("abc", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")])
    {'a': 0, 'b': 1, 'c': 2}
    """
    rank = {node: i for i, node in enumerate(order)}
    starts: dict[str, list[str]] = {node: [] for node in order}
    for start, end in edges:
        if rank[start] < rank[end]:
            starts[end].append(start)
    layer: dict[str, int] = {}
    for node in order:
        layer[node] = 1 + max((layer[start] for start in starts[node]), default=-1)
    return layer


def chains_of(layer: Mapping[str, int], edges: Mapping[Pair, Pair]) -> dict[Pair, list[Node]]:
    """Return the nodes and passages that each edge goes through.

    Parameters
    ----------
    layer : mapping of str to int
        The layer of each node.
    edges : mapping of (str, str) to (str, str)
        Edges by their names, each from a lower layer to a higher one.

    Examples
    --------
    >>> chains_of({"a": 0, "b": 2}, {("a", "b"): ("a", "b")})
    {('a', 'b'): ['a', Passage(edge=('a', 'b'), layer=1), 'b']}
    """
    return {
        name: [start, *(Passage(name, i) for i in range(layer[start] + 1, layer[end])), end]
        for name, (start, end) in edges.items()
    }


def rows_of(
    order: Iterable[str], layer: Mapping[str, int], chains: Mapping[Pair, Sequence[Node]]
) -> list[list[Node]]:
    """Return what stands in each layer: its nodes in order, then what passes it.

    Examples
    --------
    >>> layer = {"a": 0, "b": 1, "c": 2}
    >>> chains = chains_of(layer, {("a", "c"): ("a", "c")})
    >>> [len(row) for row in rows_of("abc", layer, chains)]
    [1, 2, 1]
    """
    rows: list[list[Node]] = [[] for _ in range(max(layer.values()) + 1)]
    for node in order:
        rows[layer[node]].append(node)
    for chain in chains.values():
        for passage in chain[1:-1]:
            assert isinstance(passage, Passage)  # all but the ends of a chain
            rows[passage.layer].append(passage)
    return rows


def links_of(chains: Iterable[Sequence[Node]]) -> list[Link]:
    """Return the steps of the chains, each from one layer to the next."""
    return [link for chain in chains for link in pairwise(chain)]


def uncrossed(rows: Sequence[Sequence[Node]], links: Sequence[Link]) -> list[list[Node]]:
    """Order the layers by the mean place of neighbours; return the order with fewest crossings.

    Examples
    --------
    >>> uncrossed([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")])
    [['a', 'b'], ['d', 'c']]
    """
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    for start, end in links:
        above.setdefault(end, []).append(start)
        below.setdefault(start, []).append(end)
    ordered = [list(row) for row in rows]
    best, fewest = [list(row) for row in rows], count_crossings(rows, links)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = above if downwards else below
        for row in ordered if downwards else reversed(ordered):
            place = {node: k - (len(r) - 1) / 2 for r in ordered for k, node in enumerate(r)}
            mean = {
                node: float(np.mean([place[k] for k in neighbours.get(node, [node])]))
                for node in row
            }
            row.sort(key=mean.__getitem__)
        crossings = count_crossings(ordered, links)
        if crossings < fewest:
            best, fewest = [list(row) for row in ordered], crossings
    return best


def count_crossings(rows: Sequence[Sequence[Node]], links: Iterable[Link]) -> int:
    """Return how many pairs of links cross.

    Examples
    --------
    >>> count_crossings([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")])
    1
    """
    place = {node: k for row in rows for k, node in enumerate(row)}
    layer = {node: i for i, row in enumerate(rows) for node in row}
    ends: list[list[tuple[int, int]]] = [[] for _ in rows]
    for start, end in links:
        ends[layer[start]].append((place[start], place[end]))
    crossings = 0
    for pairs in ends:
        left, right = np.array(pairs, int).reshape(-1, 2).T
        turned = np.subtract.outer(left, left) * np.subtract.outer(right, right) < 0
        crossings += int(turned.sum()) // 2
    return crossings
