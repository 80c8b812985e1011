"""Places for a process map: layers from top to bottom, found the same way every time.

Sugiyama's method in small: arrows that go back are turned, layers are longest paths, long arrows
get a place in every layer they pass, the order in a layer follows the neighbours' mean. Lengths
are inches; x grows to the right, y upwards from 0 at the top.

References
----------
Sugiyama, Tagawa & Toda (1981). Methods for visual understanding of hierarchical system
structures. IEEE Transactions on Systems, Man and Cybernetics 11(2), 109-125.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[str, str]

START, END = "\0start", "\0end"
PASS = (0.95, 0.1)  # the place an arrow needs in a layer that it passes: the width of its words
ACROSS, DOWN = 0.28, 0.62  # room between boxes of a layer, and between layers
LABEL = (0.92, 0.17)  # width and height of an arrow's words
SWEEPS = 24
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
    >>> found = lay_out({"a": box, "b": box, START: box, END: box},
    ...                 {(START, "a"): 5, ("a", "b"): 5, ("b", "a"): 1, ("b", END): 5})
    >>> sorted(found.back), found.places["a"][1] > found.places["b"][1]
    ([('b', 'a')], True)
    """
    order = _in_order(list(sizes), edges)
    rank = {name: i for i, name in enumerate(order)}
    plain = [pair for pair in edges if pair[0] != pair[1]]
    back = frozenset(pair for pair in plain if rank[pair[0]] > rank[pair[1]])
    down = {pair: (pair[::-1] if pair in back else pair) for pair in plain}
    layer = _layers(order, set(down.values()))
    rows, chains, size = _rows(order, layer, down, sizes)
    links = [link for chain in chains.values() for link in pairwise(chain)]
    weight = {link: edges[pair] for pair, chain in chains.items() for link in pairwise(chain)}
    rows = _uncrossed(rows, links)
    loops = [pair[0] for pair in edges if pair[0] == pair[1]]
    room = {one: (w + 2 * ASIDE * (one in loops), h) for one, (w, h) in size.items()}
    x = _across(rows, links, weight, room)
    heights = [max(size[one][1] for one in row) for row in rows]
    y: dict[Node, float] = {}
    top = 0.0
    for row, height in zip(rows, heights, strict=True):
        y |= dict.fromkeys(row, -(top + height / 2))
        top += height + DOWN
    left = min(x[one] - size[one][0] / 2 for one in x)
    right = max(x[one] + size[one][0] / 2 + ASIDE * (one in loops) for one in x)
    x = {one: value - left for one, value in x.items()}
    spots = {one: (x[one], y[one]) for one in x}
    routes = _routes(chains, spots, size)
    labels = _labels(chains, routes, spots)
    for pair, points in routes.items():
        routes[pair] = points[::-1] if pair in back else points
    for name in loops:
        routes[name, name], labels[name, name] = _loop(spots[name], size[name])
    places = {name: spots[name] for name in sizes}
    return Layout(places, routes, labels, back, right - left, top - DOWN)


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
            rest = [one for one in order if one != name]
            tries = [[*rest[:i], name, *rest[i:]] for i in range(len(order))]
            values = [backward(one) for one in tries]
            if min(values) < best:
                best, order = min(values), tries[int(np.argmin(values))]
    return order


def _layers(order: list[str], down: set[Pair]) -> dict[str, int]:
    """Return each name's layer: the longest path to it; the end stands below everything."""
    layer: dict[str, int] = {}
    for name in order:
        layer[name] = 1 + max((layer[a] for a, b in down if b == name), default=0 - (name == START))
    layer[END] = max(layer.values()) + (layer[END] <= max(v for k, v in layer.items() if k != END))
    return layer


Node = Any  # a name, or (pair, layer) for the place of an arrow in a layer it passes


def _rows(
    order: list[str],
    layer: Mapping[str, int],
    down: Mapping[Pair, Pair],
    sizes: Mapping[str, tuple[float, float]],
) -> tuple[list[list[Node]], dict[Pair, list[Node]], dict[Node, tuple[float, float]]]:
    """Return what stands in each layer, the way of each arrow, and all sizes."""
    size: dict[Node, tuple[float, float]] = dict(sizes)
    rows: list[list[Node]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in order:
        rows[layer[name]].append(name)
    chains = {}
    for pair, (a, b) in sorted(down.items()):
        between = [(pair, level) for level in range(layer[a] + 1, layer[b])]
        for one in between:
            rows[one[1]].append(one)
            size[one] = PASS
        chains[pair] = [a, *between, b]
    return [row for row in rows if row], chains, size


def _uncrossed(rows: list[list[Node]], links: list[tuple[Node, Node]]) -> list[list[Node]]:
    """Order the layers by the mean place of neighbours; keep the order with fewest crossings."""
    up: dict[Node, list[Node]] = {}
    low: dict[Node, list[Node]] = {}
    for a, b in links:
        up.setdefault(b, []).append(a)
        low.setdefault(a, []).append(b)

    def crossings(rows: list[list[Node]]) -> int:
        at = {one: i for row in rows for i, one in enumerate(row)}
        level = {one: j for j, row in enumerate(rows) for one in row}
        total = 0
        for j in range(len(rows) - 1):
            ends = np.array([(at[a], at[b]) for a, b in links if level[a] == j]).reshape(-1, 2)
            product = np.subtract.outer(ends[:, 0], ends[:, 0]) * np.subtract.outer(
                ends[:, 1], ends[:, 1]
            )
            total += int((product < 0).sum()) // 2
        return total

    rows = [list(row) for row in rows]
    best, fewest = [list(row) for row in rows], crossings(rows)
    for sweep in range(SWEEPS):
        near = up if sweep % 2 == 0 else low
        for j in range(len(rows)) if sweep % 2 == 0 else reversed(range(len(rows))):
            at = {one: i - (len(row) - 1) / 2 for row in rows for i, one in enumerate(row)}
            mean = {
                one: float(np.mean([at[k] for k in near[one]])) if one in near else at[one]
                for one in rows[j]
            }
            rows[j].sort(key=mean.__getitem__)
        count = crossings(rows)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
    return best


def _across(
    rows: list[list[Node]],
    links: list[tuple[Node, Node]],
    weight: Mapping[tuple[Node, Node], float],
    size: Mapping[Node, tuple[float, float]],
) -> dict[Node, float]:
    """Return x: near the neighbours, the strongest counting most, and never overlapping."""
    near: dict[Node, list[tuple[Node, float]]] = {}
    for a, b in links:
        # Thick and long arrows are kept straight.
        w = weight[a, b] ** 1.5 * (8 if isinstance(a, tuple) and isinstance(b, tuple) else 1)
        near.setdefault(a, []).append((b, w))
        near.setdefault(b, []).append((a, w))
    x: dict[Node, float] = {}
    for row in rows:
        widths = np.array([size[one][0] + ACROSS for one in row])
        x |= dict(zip(row, np.cumsum(widths) - widths / 2 - widths.sum() / 2, strict=True))
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wish = [
                sum(x[k] * w for k, w in near[one]) / sum(w for _, w in near[one])
                if one in near
                else x[one]
                for one in row
            ]
            strength = [sum(w for _, w in near.get(one, [(one, 1.0)])) for one in row]
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
    """Return the points of every arrow, downwards, with its own place on the sides of boxes."""
    port: dict[tuple[Pair, int], float] = {}
    for side, (own, other) in enumerate(((0, 1), (-1, -2))):  # leaving below, arriving above
        at: dict[Node, list[Pair]] = {}
        for pair, chain in chains.items():
            at.setdefault(chain[own], []).append(pair)
        for name, pairs in at.items():
            pairs.sort(key=lambda p: (spots[chains[p][other]][0], p))
            room = min(0.48, 0.8 * size[name][0] / max(len(pairs), 1))
            for i, pair in enumerate(pairs):
                port[pair, side] = (i - (len(pairs) - 1) / 2) * room
    routes = {}
    for pair, chain in chains.items():
        (xa, ya), (xb, yb) = spots[chain[0]], spots[chain[-1]]
        ha, hb = size[chain[0]][1] / 2, size[chain[-1]][1] / 2
        points = [(xa + port[pair, 0], ya - ha)]
        points += [spots[one] for one in chain[1:-1]]
        points += [(xb + port[pair, 1], yb + hb)]
        routes[pair] = np.array(points)
    return routes


def _labels(
    chains: Mapping[Pair, list[Node]],
    routes: Mapping[Pair, Array],
    spots: Mapping[Node, tuple[float, float]],
) -> dict[Pair, tuple[float, float]]:
    """Return places for the words: beside no box, on their own arrow, clear of each other."""
    found: dict[Pair, tuple[float, float]] = {}
    short = []
    for pair, chain in chains.items():
        if len(chain) > 2:  # its middle place was made wide enough
            found[pair] = spots[chain[len(chain) // 2]]
        else:
            short.append(pair)
    for pair in sorted(short, key=lambda p: tuple(routes[p].mean(axis=0))):
        tries = [
            _on_curve(routes[pair][0], routes[pair][-1], t)
            for t in (0.5, 0.34, 0.66, 0.42, 0.58, 0.25, 0.75)
        ]
        clashes = [
            sum(_overlap(spot, other) for other in found.values()) + 1e-3 * i
            for i, spot in enumerate(tries)
        ]
        found[pair] = tries[int(np.argmin(clashes))]
    return found


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
