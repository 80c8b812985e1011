"""Where the parts of a path diagram stand: heights in the columns, and the sides of the items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxstats.charts.layered_layout import Node
from cxstats.charts.path_diagrams.layout import (
    OUT,
    Arrangement,
    Array,
    Box,
    Graph,
    Layout,
    arrangements,
    columns,
)

GAP = 0.07  # between the boxes of two items
AIR = 0.16  # between the parts of two constructs
SPREAD = np.array([-1, -1, 1, 1])  # of left, bottom, right and top
WAY = 1.25  # between two columns, for an arrow and its number
ROW_WAY = 0.8  # the same between two rows
COLUMN_WAY = 0.62  # and between two constructs of one column
PAGE = (8.6, 12.0)  # width and height within which everything should stand
DISORDER = 1e5  # the cost of leaving the order of a column that is fixed

TURNED = {"left": "top", "right": "bottom", "top": "left", "bottom": "right", "none": "none"}

Places = tuple[Array, NDArray[np.int_]]  # height of each construct, and number of its side


def place(graph: Graph, typical: Graph | None = None) -> Layout:
    """Place constructs in columns and their items on the outer sides.

    Heights and sides are improved one construct at a time while that lowers a cost that counts
    overlaps, arrows through others' parts, crossings, arrows in one line, length and height.
    The columns are pulled apart until nothing overlaps. What is wider than a page is arranged
    in a narrower way, if that costs less.

    Parameters
    ----------
    graph : Graph
        What is to be placed.
    typical : Graph, optional
        The same with boxes of a typical size. It decides on the arrangement, on the order in the
        columns and on the sides of the items, which then do not depend on how large the boxes of
        `graph` are.
    """
    level, _ = columns(graph)
    decisive = typical or graph
    best = _best(decisive)
    if decisive == graph:
        return _layout(level, *best)
    board, y, side, arrangement = best
    height = dict(zip(board.names, y.tolist(), strict=True))
    fixed = _Fixed(
        {name: board.options[i][side[i]] for i, name in enumerate(board.names)},
        [
            sorted((n for n in column if isinstance(n, str)), key=lambda name: -height[name])
            for column in arrangement.order
        ],
    )

    def starts(board: _Board) -> list[Places]:
        return [(y.copy(), np.zeros(len(y), int)), *_shifted(board, *_stacked(board, fixed.order))]

    _, board, y, side = _search(graph, arrangement, starts, fixed)
    return _layout(level, board, y, side, arrangement)


class _Fixed(NamedTuple):
    """The sides of the items of each construct, and the constructs of each column from the top."""

    sides: dict[str, str]
    order: list[list[str]]


def _best(graph: Graph) -> tuple[_Board, Array, NDArray[np.int_], Arrangement]:
    """Return the usual arrangement if it fits the page, otherwise the one that costs least."""
    best: tuple[float, _Board, Array, NDArray[np.int_], Arrangement] | None = None
    for arrangement in arrangements(graph):
        starts = partial(_starts, order=arrangement.order)
        cost, board, y, side = _search(graph, arrangement, starts)
        if best is None or cost < best[0]:
            best = cost, board, y, side, arrangement
        if not board.excess(board.rects(y[None], side[None]))[0]:
            break
    assert best is not None  # there is at least one arrangement
    return best[1:]


def _search(
    graph: Graph,
    arrangement: Arrangement,
    starts: Callable[[_Board], list[Places]],
    fixed: _Fixed | None = None,
) -> tuple[float, _Board, Array, NDArray[np.int_]]:
    """Return the best heights and sides, of the tightest columns in which nothing overlaps."""
    best: tuple[float, _Board, Array, NDArray[np.int_]] | None = None
    for stretch in (1.0, 1.25, 1.6, 2.0):
        board = _Board(graph, arrangement, stretch, fixed)
        for start in starts(board):
            cost, y, side = board.improve(*start)
            if best is None or cost < best[0]:
                best = cost, board, y, side
        if best is not None and not best[1].overlaps(*best[2:]):
            break
    assert best is not None  # there is at least one start
    return best


def turned(graph: Graph) -> Graph:
    """Return a graph with width and height exchanged."""
    return replace(
        graph,
        sizes={name: (h, w) for name, (w, h) in graph.sizes.items()},
        row=graph.stack[::-1],
        stack=graph.row[::-1],
    )


class _Board:
    """The constructs in their columns, to be moved up and down.

    Attributes
    ----------
    x : (n,) array
        Centres of the constructs.
    options : list of list of str
        Sides where each construct's items may stand.
    blocks : (n, 3, 4) array
        What the items take up on each of these sides, relative to the construct's centre.
    """

    def __init__(
        self,
        graph: Graph,
        arrangement: Arrangement,
        stretch: float,
        fixed: _Fixed | None = None,
    ) -> None:
        level = arrangement.column
        graph = turned(graph) if arrangement.turned else graph
        self.names, self.graph, self.level = list(graph.sizes), graph, level
        self.last = max(level.values())
        self.way = ROW_WAY if arrangement.turned else WAY
        self.page = np.array(PAGE[::-1] if arrangement.turned else PAGE)
        self.x = self._column_centres(stretch)[[level[name] for name in self.names]]
        self.half = np.array([graph.sizes[name] for name in self.names]) / 2
        self.reach = arc_reach(graph, level)
        self.upright = {n for edge in graph.edges if level[edge[0]] == level[edge[1]] for n in edge}
        self.options = [[fixed.sides[n]] if fixed else self._sides(n) for n in self.names]
        self.outer = np.array([sides[0] in ("left", "right") for sides in self.options])
        self.low = np.array([name in graph.low for name in self.names])
        self.air = 2.2 * AIR if graph.arcs else AIR
        # Room for a number between constructs of one column that an arrow joins.
        apart = np.array([COLUMN_WAY if name in self.upright else 0.0 for name in self.names])
        self.pad = np.maximum(self.air, np.concatenate([apart, np.zeros(len(apart))])) / 2
        self.blocks = np.zeros((len(self.names), 3, 4))
        for i, name in enumerate(self.names):
            for k, side in enumerate(self.options[i]):
                self.blocks[i, k] = block_bounds(graph, name, side, self.reach)
        index = {name: i for i, name in enumerate(self.names)}
        self.edges = np.array([[index[a], index[b]] for a, b in graph.edges], int).reshape(-1, 2)
        n = np.arange(len(self.names))
        owner = np.tile(n, 2)
        self.foreign = np.triu(owner[:, None] != owner, 1)
        joined = (self.edges[:, :, None] == n).any(axis=1)  # (edges, constructs)
        self.passed = ~np.hstack([joined, np.zeros_like(joined)])
        neighbours = [pair for column in fixed.order for pair in pairwise(column)] if fixed else []
        self.above = np.array([[index[a], index[b]] for a, b in neighbours], int).reshape(-1, 2)
        self.pairs = _pairs(self.edges)
        # Two arrows there and back are bent, and need more room beside others.
        back = any((end, start) in graph.edges for start, end in graph.edges)
        self.narrow = np.cos(np.radians(33 if back else 17))

    def _column_centres(self, stretch: float) -> Array:
        """Return the centre of each column."""
        widths = np.zeros(self.last + 1)
        for name, (width, _) in self.graph.sizes.items():
            widths[self.level[name]] = max(widths[self.level[name]], width)
        facing = {self.level[name] for _, name in self.graph.behind}
        room = [(0.5 + self.graph.stack[0]) * (i in facing) for i in range(1, self.last + 1)]
        steps = (widths[1:] + widths[:-1]) / 2 + room + self.way * stretch
        return np.cumsum([0.0, *steps])

    def _sides(self, name: str) -> list[str]:
        if not self.graph.items.get(name):
            return ["none"]
        if name in self.graph.low and self.last:
            return ["bottom"]
        if name in {end for _, end in self.graph.behind}:
            return ["left"]
        if self.level[name] == 0:
            return ["left", "top", "bottom"] if self.last else ["left"]
        free = ["top", "bottom"]
        if self.level[name] < self.last:
            return free
        return ["right"] if self.upright else ["right", *free]

    def rects(self, y: Array, side: NDArray[np.int_]) -> Array:
        """Return the bounds of constructs and of their items, (m, 2n, 4)."""
        centre = np.stack([np.broadcast_to(self.x, y.shape), y] * 2, axis=2)
        shape = np.hstack([-self.half, self.half])
        blocks = self.blocks[np.arange(y.shape[1]), side]
        return np.concatenate([centre + shape, centre + blocks], axis=1)

    def overlap(self, rects: Array) -> Array:
        """Return how much the parts of different constructs overlap, (m,)."""
        left, low, right, top = np.moveaxis(rects, 2, 0) + self.pad * SPREAD[:, None, None]
        wide = np.minimum(right[:, :, None], right[:, None])
        wide -= np.maximum(left[:, :, None], left[:, None])
        tall = np.minimum(top[:, :, None], top[:, None]) - np.maximum(low[:, :, None], low[:, None])
        both = (wide > 1e-9) & (tall > 1e-9) & self.foreign
        total: Array = (both * (0.3 + wide * tall)).sum(axis=(1, 2))
        return total

    def overlaps(self, y: Array, side: NDArray[np.int_]) -> bool:
        """Return whether anything overlaps in one set of places."""
        return bool(self.overlap(self.rects(y[None], side[None]))[0])

    def excess(self, rects: Array) -> Array:
        """Return by how many inches m places are wider or higher than a page, (m,)."""
        size = rects[..., 2:].max(axis=1) - rects[..., :2].min(axis=1)
        too_large: Array = np.maximum(size - self.page, 0).sum(axis=1)
        return too_large

    def cost(self, y: Array, side: NDArray[np.int_]) -> Array:
        """Return how bad m places are, (m,); heights and sides are (m, n). Overlaps weigh most."""
        rects = self.rects(y, side)
        cost: Array = 900 * self.overlap(rects) + 6 * (self.outer & (side > 0)).sum(axis=1)
        cost += 4 * (rects[..., 3].max(axis=1) - rects[..., 1].min(axis=1))
        cost += 60 * self.excess(rects)
        cost += DISORDER * (y[:, self.above[:, 0]] <= y[:, self.above[:, 1]]).sum(axis=1)
        cost += 0.3 * np.abs(y).sum(axis=1)
        if self.low.any():
            cost += 4 * np.ptp(y[:, self.low], axis=1)
        if not len(self.edges):
            return cost
        ends = np.stack([np.broadcast_to(self.x, y.shape), y], axis=2)[:, self.edges]
        hits = _hits(ends, rects + 0.1 * SPREAD) * self.passed
        cost += 50 * (hits > 0).sum(axis=(1, 2)) + 40 * hits.sum(axis=(1, 2))
        cost += 2 * np.abs(ends[:, :, 0, 1] - ends[:, :, 1, 1]).sum(axis=1)
        return cost + _tangle(ends, self.pairs, self.narrow)

    def improve(self, y: Array, side: NDArray[np.int_]) -> tuple[float, Array, NDArray[np.int_]]:
        """Return cost and places that no move of one construct, or exchange of two, improves."""
        cost, high = self.cost(y[None], side[None])[0], max(np.abs(y).max() + 0.6, 1.8)
        grid = np.linspace(-high, high, 25)
        for _ in range(8 if self.last else 0):
            before = cost
            for ys, sides in self._moves(y, side, grid):
                costs = self.cost(ys, sides)
                best = int(costs.argmin())
                if costs[best] < cost - 1e-9:
                    y[:], side[:], cost = ys[best], sides[best], costs[best]
            if cost > before - 1e-6:
                break
        return float(cost), y, side

    def _moves(
        self, y: Array, side: NDArray[np.int_], grid: Array
    ) -> Iterator[tuple[Array, NDArray[np.int_]]]:
        """Yield sets of places: one construct moved, then all exchanges in a column.

        `y` and `side` are read anew for each set, so that the caller can change them meanwhile.
        """
        for i, options in enumerate(self.options):
            heights = np.append(grid, y[i])
            ys = np.tile(y, (len(heights) * len(options), 1))
            sides = np.tile(side, (len(ys), 1))
            ys[:, i] = np.repeat(heights, len(options))
            sides[:, i] = np.tile(np.arange(len(options)), len(heights))
            yield ys, sides
        pairs = [p for p in combinations(range(len(y)), 2) if self.x[p[0]] == self.x[p[1]]]
        if pairs:
            ys, sides = np.tile(y, (len(pairs), 1)), np.tile(side, (len(pairs), 1))
            for row, (i, j) in enumerate(pairs):
                ys[row, [i, j]] = y[[j, i]]
            yield ys, sides


def _starts(board: _Board, order: Sequence[Sequence[Node]]) -> list[Places]:
    """Return places to begin from: columns centred, upper items above; and variations of that.

    The variations are zigzags and columns in another order, the same ones every time.
    """
    starts = _shifted(board, *_stacked(board, order))
    if not board.last:
        return starts
    rng = np.random.default_rng(0)
    for _ in range(4):
        mixed = [[column[i] for i in rng.permutation(len(column))] for column in order]
        y, side = _stacked(board, mixed)
        starts.append((y + rng.normal(0, 0.7, len(y)), side))
    return starts


def _shifted(board: _Board, y: Array, side: NDArray[np.int_]) -> list[Places]:
    """Return places as they are and, of several columns, as zigzags."""
    if not board.last:
        return [(y, side)]
    level = np.array([board.level[name] for name in board.names])
    zigzag = np.where(level % 2 == 0, 1.0, -1.0)
    return [(y + shift, side.copy()) for shift in (0 * y, zigzag, -zigzag)]


def _stacked(board: _Board, order: Sequence[Sequence[Node]]) -> Places:
    """Return columns stacked from the top, the items of the upper half above."""
    index = {name: i for i, name in enumerate(board.names)}
    y, side = np.zeros(len(index)), np.zeros(len(index), int)
    for column in order:
        top = 0.0
        for k, name in enumerate(column):
            up, down = 0.25, 0.25
            if name in index:
                i = index[name]
                if board.options[i][0] == "top":
                    side[i] = 0 if k < len(column) / 2 else 1
                block = board.blocks[i, side[i]]
                up = max(board.half[i, 1], block[3])
                down = max(board.half[i, 1], -block[1])
                y[i] = top - up
            top -= up + down + 1.05 * board.air
        members = [index[name] for name in column if name in index]
        y[members] -= top / 2
    return y, side


def _hits(ends: Array, rects: Array) -> Array:
    """Return the share of straight lines (m, e, 2, 2) inside rectangles (m, r, 4), (m, e, r)."""
    enter, leave = np.zeros(1), np.ones(1)
    for axis in (0, 1):
        start = ends[:, :, 0, axis, None]
        way = ends[:, :, 1, axis, None] - start
        way = np.where(np.abs(way) < 1e-9, 1e-9, way)
        first = (rects[:, None, :, axis] - start) / way
        second = (rects[:, None, :, axis + 2] - start) / way
        enter = np.maximum(enter, np.minimum(first, second))
        leave = np.minimum(leave, np.maximum(first, second))
    return np.maximum(leave - enter, 0)


def _pairs(edges: NDArray[np.int_]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return pairs of edges without a common end, (k, 2); and with one, (l, 4).

    The latter have the number of each edge followed by which of its ends is the common one.
    """
    apart, joined = [], []
    for i, j in combinations(range(len(edges)), 2):
        ends = [(a, b) for a in (0, 1) for b in (0, 1) if edges[i, a] == edges[j, b]]
        joined += [(i, a, j, b) for a, b in ends]
        apart += [] if ends else [(i, j)]
    return np.array(apart, int).reshape(-1, 2), np.array(joined, int).reshape(-1, 4)


def _tangle(ends: Array, pairs: tuple[NDArray[np.int_], NDArray[np.int_]], narrow: float) -> Array:
    """Return the cost of crossings, and of arrows that leave or reach a node side by side, (m,)."""
    (i, j), (k, at, other, there) = pairs[0].T, pairs[1].T
    x, y = ends[..., 0], ends[..., 1]

    def turn(line: NDArray[np.int_], point: NDArray[np.int_], end: int) -> NDArray[np.bool_]:
        """Return on which side of each line the end of another lies."""
        u, v = x[:, line, 1] - x[:, line, 0], y[:, line, 1] - y[:, line, 0]
        p, q = x[:, point, end] - x[:, line, 0], y[:, point, end] - y[:, line, 0]
        left: NDArray[np.bool_] = u * q > v * p
        return left

    crossed = (turn(i, j, 0) != turn(i, j, 1)) & (turn(j, i, 0) != turn(j, i, 1))
    u, v = x[:, k, 1 - at] - x[:, k, at], y[:, k, 1 - at] - y[:, k, at]
    p, q = x[:, other, 1 - there] - x[:, other, there], y[:, other, 1 - there] - y[:, other, there]
    close = u * p + v * q > narrow * np.hypot(u, v) * np.hypot(p, q)
    cost: Array = 25.0 * crossed.sum(axis=1) + 18.0 * close.sum(axis=1)
    return cost


def arc_reach(graph: Graph, level: Mapping[str, int]) -> float:
    """Return how much room the covariances of the first column need beside it."""
    first = sum(at == 0 for at in level.values())
    inside = any(level[a] == level[b] == 0 for a, b in graph.arcs)
    return 0.3 + 0.42 * (first - 1) if inside and max(level.values()) else 0.0


def _item_boxes(
    graph: Graph, name: str, side: str, centre: tuple[float, float], reach: float
) -> list[Box]:
    """Return the boxes of a construct's items on one side of it."""
    n, (w, h) = len(graph.items[name]), graph.sizes[name]
    dx, dy = OUT[side]
    size = graph.stack if dx else graph.row
    step = size[1 if dx else 0] + GAP
    far = 0.5 + (reach if side == "left" else 0 if dx else 0.04 * n)
    at = (np.arange(n) - (n - 1) / 2) * step
    x, y = centre
    if dx:
        return [Box(x + dx * (w / 2 + far + size[0] / 2), y - v, *size) for v in at]
    return [Box(x + v, y + dy * (h / 2 + far + size[1] / 2), *size) for v in at]


def block_bounds(graph: Graph, name: str, side: str, reach: float) -> Array:
    """Return what items and their arrows take up, relative to the construct's centre."""
    w, h = graph.sizes[name]
    if side == "none":
        return Box(0, 0, w, h).bounds()
    boxes = np.array([box.bounds() for box in _item_boxes(graph, name, side, (0, 0), reach)])
    bounds = np.array([*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)])
    dx, dy = OUT[side]
    near = [dx * (w / 2 + 0.06), dy * (h / 2 + 0.06)]
    inner = {"left": 2, "bottom": 3, "right": 0, "top": 1}[side]
    bounds[inner] = near[0 if dx else 1]
    return bounds


def _layout(
    level: dict[str, int],
    board: _Board,
    y: Array,
    side: NDArray[np.int_],
    arrangement: Arrangement,
) -> Layout:
    graph = board.graph
    nodes: dict[str, Box] = {}
    items: dict[str, Box] = {}
    sides: dict[str, str] = {}
    for i, name in enumerate(board.names):
        centre = float(board.x[i]), float(y[i])
        nodes[name] = Box(*centre, *graph.sizes[name], round=name in graph.round)
        sides[name] = board.options[i][side[i]]
        if sides[name] != "none":
            boxes = _item_boxes(graph, name, sides[name], centre, board.reach)
            items |= dict(zip(graph.items[name], boxes, strict=True))
    if arrangement.turned:
        nodes, items = ({n: b.turned() for n, b in each.items()} for each in (nodes, items))
        sides = {name: TURNED[at] for name, at in sides.items()}
    return Layout(nodes, items, sides, level, arrangement.column, arrangement.turned)
