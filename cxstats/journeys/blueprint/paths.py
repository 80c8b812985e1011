"""Paths through the flows of a blueprint: circles, the order of elements, the critical path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]
ROUNDING = 1e-12  # relative


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The longest way through a graph of durations.

    Attributes
    ----------
    path : tuple of str
        Its nodes in order.
    length : float
        The sum of their durations.
    start, slack : dict of str to float
        The earliest start of each node; by how much it may take longer before the whole does.
    """

    path: tuple[str, ...]
    length: float
    start: dict[str, float]
    slack: dict[str, float]


def find_cycle(edges: Iterable[Pair]) -> list[str]:
    """Return the nodes of one circle, the first again at the end; empty where there is none.

    Examples
    --------
    >>> find_cycle([("a", "b"), ("b", "c"), ("c", "b")]), find_cycle([("a", "b")])
    (['b', 'c', 'b'], [])
    """
    edges = list(edges)
    nodes = list(dict.fromkeys(node for pair in edges for node in pair))
    before: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        before[target].append(source)
    ordered = set(topological_order(nodes, edges))
    blocked = [node for node in nodes if node not in ordered]
    if not blocked:
        return []
    # Every blocked node has a blocked predecessor, so a way backwards comes round to itself.
    way = [blocked[0]]
    while way.count(way[-1]) == 1:
        way.append(next(node for node in before[way[-1]] if node not in ordered))
    return way[way.index(way[-1]) :][::-1]


def topological_order(nodes: Sequence[str], edges: Iterable[Pair]) -> list[str]:
    """Return nodes so that every edge goes forward, otherwise in the order given (Kahn 1962).

    Nodes on a circle and behind one are left out.

    Examples
    --------
    >>> topological_order(["c", "a", "b"], [("a", "b"), ("b", "c")])
    ['a', 'b', 'c']
    """
    from heapq import heapify, heappop, heappush

    rank = {node: i for i, node in enumerate(nodes)}
    after: dict[str, list[str]] = {node: [] for node in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for source, target in edges:
        after[source].append(target)
        waiting[target] += 1
    ready = [rank[node] for node in nodes if not waiting[node]]
    heapify(ready)
    order = []
    while ready:
        node = nodes[heappop(ready)]
        order.append(node)
        for target in after[node]:
            waiting[target] -= 1
            if not waiting[target]:
                heappush(ready, rank[target])
    return order


def critical_path(durations: Mapping[str, float], edges: Iterable[Pair]) -> CriticalPath:
    """Return the longest way, by the critical path method.

    A node starts when the last of its predecessors has ended; with the longest way ``T(j)`` from a
    node to the end, its own duration included, its slack is ``length - start(j) - T(j)``. Of ways
    of equal length the one whose nodes stand first is returned.

    Parameters
    ----------
    durations : mapping of str to float
        Of every node, none negative.
    edges : iterable of (str, str)
        Without circles.

    References
    ----------
    Kelley & Walker (1959). Critical-path planning and scheduling. Proceedings of the Eastern Joint
    Computer Conference, 160-173.

    Examples
    --------
    >>> work = {"a": 2, "b": 5, "c": 1, "d": 3}
    >>> longest = critical_path(work, [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])
    >>> longest.path, longest.length, longest.slack["c"]
    (('a', 'b', 'd'), 10, 4)
    """
    edges, nodes = list(edges), list(durations)
    order = topological_order(nodes, edges)
    after: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        after[source].append(target)
    start: dict[str, float] = dict.fromkeys(nodes, 0)
    for node in order:
        for target in after[node]:
            start[target] = max(start[target], start[node] + durations[node])
    tail: dict[str, float] = {}
    for node in reversed(order):
        tail[node] = durations[node] + max((tail[target] for target in after[node]), default=0)
    entered = {target for _, target in edges}
    rank = {node: i for i, node in enumerate(nodes)}

    def longest(candidates: Iterable[str]) -> str:
        return max(candidates, key=lambda node: (tail[node], -rank[node]))

    way = [longest(node for node in nodes if node not in entered)] if nodes else []
    while way and after[way[-1]]:
        way.append(longest(after[way[-1]]))
    length = tail[way[0]] if way else 0
    # Rounding leaves the last digits of a sum on a node that has no slack.
    slack = {node: length - start[node] - tail[node] for node in nodes}
    slack = {node: spare if spare > ROUNDING * length else 0 for node, spare in slack.items()}
    return CriticalPath(tuple(way), length, start, slack)
