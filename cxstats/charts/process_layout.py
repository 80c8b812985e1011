"""Places for a process map: layers from top to bottom, the same ones every time.

Arrows that go back are turned; layers and their order are those of `layered_layout`; then thick
and long arrows are kept straight. Lengths are inches; x grows to the right, y upwards from 0 at
the top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cxstats.charts.layered_layout import (
    SWEEPS,
    Link,
    Node,
    Pair,
    Passage,
    chains_of,
    links_of,
    longest_paths,
    rows_of,
    uncrossed,
)

Array = NDArray[np.float64]

START, END = "\0start", "\0end"
PASS = (0.95, 0.1)  # the place an arrow needs in a layer that it passes: the width of its words
ACROSS, DOWN = 0.28, 0.62  # room between boxes of a layer, and between layers
LABEL = (0.92, 0.17)  # width and height of an arrow's words
LOOP, ASIDE = 0.5, 0.85  # how far a loop on one activity reaches out, and its words


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is drawn.

    Attributes
    ----------
    places : dict of str to (float, float)
        Centres of the boxes.
    routes : dict of (str, str) to array (points, 2)
        The points that an arrow goes through, from its first activity to its second.
    labels : dict of (str, str) to (float, float)
        Centres of the arrows' words.
    back : frozenset of (str, str)
        Arrows to an earlier activity.
    width, height : float
    """

    places: dict[str, tuple[float, float]]
    routes: dict[Pair, Array]
    labels: dict[Pair, tuple[float, float]]
    back: frozenset[Pair]
    width: float
    height: float


def lay_out(sizes: Mapping[str, tuple[float, float]], edges: Mapping[Pair, float]) -> Layout:
    """Place boxes of the given sizes, and the arrows between them by their counts.

    Parameters
    ----------
    sizes : mapping of str to (width, height)
        Boxes, with `START` and `END`; their order decides what stands above where the counts
        leave it open.
    edges : mapping of (str, str) to float
        Counts; a pair of one name is a loop.

    Examples
    --------
    >>> box = (2.0, 0.5)
    >>> layout = lay_out({"a": box, "b": box, START: box, END: box},
    ...                 {(START, "a"): 5, ("a", "b"): 5, ("b", "a"): 1, ("b", END): 5})
    >>> sorted(layout.back), layout.places["a"][1] > layout.places["b"][1]
    ([('b', 'a')], True)
    """
    order = _in_order(list(sizes), edges)
    rank = {name: i for i, name in enumerate(order)}
    plain = [pair for pair in edges if pair[0] != pair[1]]
    loops = {pair[0] for pair in edges if pair[0] == pair[1]}
    back = frozenset(pair for pair in plain if rank[pair[0]] > rank[pair[1]])
    down = {pair: (pair[::-1] if pair in back else pair) for pair in sorted(plain)}
    # The start stands above everything, the end below.
    around = [pair for name in order for pair in ((START, name), (name, END))]
    layer = longest_paths(order, [*down.values(), *around])
    chains = chains_of(layer, down)
    links = links_of(chains.values())
    rows = uncrossed(rows_of(order, layer, chains), links)
    weight = {link: edges[pair] for pair, chain in chains.items() for link in pairwise(chain)}
    size: dict[Node, tuple[float, float]] = {
        node: sizes[node] if isinstance(node, str) else PASS for row in rows for node in row
    }
    spots, width, height = _spots(rows, links, weight, size, loops)
    routes = _routes(chains, spots, size)
    labels = _labels(chains, routes, spots)
    for pair, points in routes.items():
        routes[pair] = points[::-1] if pair in back else points
    for name in loops:
        routes[name, name], labels[name, name] = _loop(spots[name], size[name])
    places = {name: spots[name] for name in sizes}
    return Layout(places, routes, labels, back, width, height)


def _spots(
    rows: list[list[Node]],
    links: list[Link],
    weight: Mapping[Link, float],
    size: Mapping[Node, tuple[float, float]],
    loops: set[str],
) -> tuple[dict[Node, tuple[float, float]], float, float]:
    """Return the centre of every node and passage, and the width and height of all."""
    room = {node: (w + 2 * ASIDE * (node in loops), h) for node, (w, h) in size.items()}
    x = _across(rows, links, weight, room)
    y: dict[Node, float] = {}
    top = 0.0
    for row in rows:
        tall = max(size[node][1] for node in row)
        y |= dict.fromkeys(row, -(top + tall / 2))
        top += tall + DOWN
    left = min(x[node] - size[node][0] / 2 for node in x)
    right = max(x[node] + size[node][0] / 2 + ASIDE * (node in loops) for node in x)
    return {node: (x[node] - left, y[node]) for node in x}, right - left, top - DOWN


def _in_order(names: list[str], edges: Mapping[Pair, float]) -> list[str]:
    """Order names so that little goes back, from the order given."""
    flow = {pair: count for pair, count in edges.items() if pair[0] != pair[1]}
    return [START, *_improved([n for n in names if n not in (START, END)], flow), END]


def _improved(order: list[str], flow: Mapping[Pair, float]) -> list[str]:
    """Move single names while the sum of what goes back falls.

    Examples
    --------
    >>> _improved(["b", "a"], {("a", "b"): 3, ("b", "a"): 1}), _improved(["b", "a"], {})
    (['a', 'b'], ['b', 'a'])
    """

    def backward(order: list[str]) -> float:
        rank = {name: i for i, name in enumerate(order)}
        return sum(c for (a, b), c in flow.items() if a in rank and b in rank and rank[a] > rank[b])

    best = backward(order)
    for _ in range(3):
        for name in list(order):
            others = [other for other in order if other != name]
            orders = [[*others[:i], name, *others[i:]] for i in range(len(order))]
            sums = [backward(candidate) for candidate in orders]
            if min(sums) < best:
                best, order = min(sums), orders[int(np.argmin(sums))]
    return order


def _across(
    rows: list[list[Node]],
    links: list[Link],
    weight: Mapping[Link, float],
    size: Mapping[Node, tuple[float, float]],
) -> dict[Node, float]:
    """Return x: near the neighbours, the strongest counting most, and never overlapping."""
    near: dict[Node, list[tuple[Node, float]]] = {}
    for a, b in links:
        # Thick and long arrows are kept straight.
        w = weight[a, b] ** 1.5 * (8 if isinstance(a, Passage) and isinstance(b, Passage) else 1)
        near.setdefault(a, []).append((b, w))
        near.setdefault(b, []).append((a, w))
    x: dict[Node, float] = {}
    for row in rows:
        widths = np.array([size[node][0] + ACROSS for node in row])
        x |= dict(zip(row, np.cumsum(widths) - widths / 2 - widths.sum() / 2, strict=True))
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            ties = [near.get(node, [(node, 1.0)]) for node in row]
            strength = [sum(w for _, w in tie) for tie in ties]
            wish = [sum(x[k] * w for k, w in tie) / sum(w for _, w in tie) for tie in ties]
            apart = [(size[a][0] + size[b][0]) / 2 + ACROSS for a, b in pairwise(row)]
            x |= dict(zip(row, _apart(wish, strength, apart), strict=True))
    return x


def _apart(wish: list[float], strength: list[float], apart: list[float]) -> list[float]:
    """Return the places nearest to those wished for, in weighted squares, that keep apart.

    Isotonic regression of ``wish - offsets`` by pooling neighbours.

    Examples
    --------
    >>> _apart([0.0, 0.0], [1.0, 1.0], [2.0])
    [-1.0, 1.0]
    """
    offset = np.r_[0.0, np.cumsum(apart)]
    pools: list[list[float]] = []  # mean, weight, how many
    for value, w in zip(np.array(wish) - offset, strength, strict=True):
        pools.append([float(value), w, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            m2, w2, n2 = pools.pop()
            m1, w1, n1 = pools.pop()
            pools.append([(m1 * w1 + m2 * w2) / (w1 + w2), w1 + w2, n1 + n2])
    means = [mean for mean, _, count in pools for _ in range(int(count))]
    return [float(place) for place in np.array(means) + offset]


def _routes(
    chains: Mapping[Pair, list[Node]],
    spots: Mapping[Node, tuple[float, float]],
    size: Mapping[Node, tuple[float, float]],
) -> dict[Pair, Array]:
    """Return the points of every arrow, downwards, each at a place of its own on the boxes."""
    port: dict[tuple[Pair, int], float] = {}
    for side, (end, beside) in enumerate(((0, 1), (-1, -2))):  # leaving below, arriving above
        at: dict[Node, list[Pair]] = {}
        for pair, chain in chains.items():
            at.setdefault(chain[end], []).append(pair)
        for name, pairs in at.items():
            pairs.sort(key=lambda p: (spots[chains[p][beside]][0], p))
            room = min(0.48, 0.8 * size[name][0] / max(len(pairs), 1))
            for i, pair in enumerate(pairs):
                port[pair, side] = (i - (len(pairs) - 1) / 2) * room
    routes = {}
    for pair, chain in chains.items():
        (xa, ya), (xb, yb) = spots[chain[0]], spots[chain[-1]]
        ha, hb = size[chain[0]][1] / 2, size[chain[-1]][1] / 2
        points = [(xa + port[pair, 0], ya - ha)]
        points += [spots[node] for node in chain[1:-1]]
        points += [(xb + port[pair, 1], yb + hb)]
        routes[pair] = np.array(points)
    return routes


def _labels(
    chains: Mapping[Pair, list[Node]],
    routes: Mapping[Pair, Array],
    spots: Mapping[Node, tuple[float, float]],
) -> dict[Pair, tuple[float, float]]:
    """Return places for the words: beside no box, on their own arrow, clear of each other."""
    places: dict[Pair, tuple[float, float]] = {}
    short = []
    for pair, chain in chains.items():
        if len(chain) > 2:  # its middle place was made wide enough
            places[pair] = spots[chain[len(chain) // 2]]
        else:
            short.append(pair)
    for pair in sorted(short, key=lambda p: tuple(routes[p].mean(axis=0))):
        candidates = [
            _on_curve(routes[pair][0], routes[pair][-1], t)
            for t in (0.5, 0.34, 0.66, 0.42, 0.58, 0.25, 0.75)
        ]
        clashes = [
            sum(_overlap(spot, other) for other in places.values()) + 1e-3 * i
            for i, spot in enumerate(candidates)
        ]
        places[pair] = candidates[int(np.argmin(clashes))]
    return places


def _on_curve(a: Array, b: Array, t: float) -> tuple[float, float]:
    """Return the point at `t` of the curve that leaves `a` and reaches `b` vertically."""
    blend = t * t * (3 - 2 * t)
    y = a[1] + (b[1] - a[1]) * (1.5 * t * (1 - t) + t**3)
    return float(a[0] + (b[0] - a[0]) * blend), float(y)


def _overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the area that the words at two places share."""
    dx, dy = LABEL[0] - abs(a[0] - b[0]), LABEL[1] - abs(a[1] - b[1])
    return max(0.0, dx) * max(0.0, dy)


def _loop(
    spot: tuple[float, float], size: tuple[float, float]
) -> tuple[Array, tuple[float, float]]:
    """Return the curve of a loop at the right side of a box, and the place of its words."""
    x, y = spot[0] + size[0] / 2, spot[1]
    reach = LOOP
    points = np.array([(x, y + 0.16), (x + reach, y + 0.3), (x + reach, y - 0.3), (x, y - 0.16)])
    return points, (x + 0.75 * reach + 0.05, y)
