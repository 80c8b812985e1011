"""How the arrows of a path diagram run, and where their numbers stand: geometry without drawing.

Lengths are inches. A curve is quadratic, an array of its three control points (3, 2); a straight
arrow is a curve as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxstats.charts.path_diagrams.layout import OUT, Array, Box, Layout

STEPS = np.linspace(0, 1, 61)
BENDS = (0.0, *(s * b for b in (0.07, 0.13, 0.2, 0.28, 0.4, 0.55, 0.75) for s in (1, -1)))
ALONG = (0.5, *(0.5 + s * d for d in (0.06, 0.12, 0.18, 0.24, 0.3, 0.36) for s in (1, -1)))
CLEAR = 0.09  # between an arrow and what it passes


def points(curve: Array, at: Array = STEPS) -> Array:
    """Return the points of a curve at the parameters `at`, (n, 2).

    Examples
    --------
    >>> points(np.array([[0.0, 0], [1, 2], [2, 0]]), np.array([0.5])).tolist()
    [[1.0, 1.0]]
    """
    t = np.asarray(at)[:, None]
    along: Array = (1 - t) ** 2 * curve[0] + 2 * t * (1 - t) * curve[1] + t**2 * curve[2]
    return along


def segment(curve: Array, start: float, end: float) -> Array:
    """Return the part of a curve between two parameters, as a curve."""
    first, last = points(curve, np.array([start, end]))
    middle = (
        (1 - start) * (1 - end) * curve[0]
        + ((1 - start) * end + start * (1 - end)) * curve[1]
        + start * end * curve[2]
    )
    return np.array([first, middle, last])


def clip(curve: Array, start: Box, end: Box, pad: float = 0.02) -> Array:
    """Return the part of a curve from the edge of one box to the edge of another."""
    at = np.linspace(0, 1, 401)
    along = points(curve, at)
    left = np.flatnonzero(~start.holds(along, pad))
    met = np.flatnonzero(~end.holds(along, pad))
    if not len(left) or not len(met) or at[left[0]] >= at[met[-1]]:
        return curve
    return segment(curve, at[left[0]], at[met[-1]])


def bent(start: Box, end: Box, bend: float) -> Array:
    """Return the curve between two centres that leaves the straight line by `bend` of its length.

    Examples
    --------
    >>> bent(Box(0, 0, 1, 1), Box(2, 0, 1, 1), 0.5).tolist()
    [[0.0, 0.0], [1.0, 2.0], [2.0, 0.0]]
    """
    a, b = np.array([start.x, start.y]), np.array([end.x, end.y])
    across = np.array([a[1] - b[1], b[0] - a[0]])
    return np.array([a, (a + b) / 2 + 2 * bend * across, b])


def passes(curve: Array, boxes: Sequence[Box], pad: float = CLEAR) -> int:
    """Return how many of the boxes a curve runs through."""
    along = points(curve)
    return sum(bool(box.holds(along, pad).any()) for box in boxes)


def route(
    start: Box,
    end: Box,
    others: Sequence[Box],
    zones: Sequence[Box],
    taken: Sequence[Array],
    least: float = 0.0,
    one_side: bool = False,
) -> Array:
    """Return the curve between two boxes that disturbs least.

    Parameters
    ----------
    start, end : Box
        Where it leaves and arrives.
    others : sequence of Box
        What it must not run through.
    zones : sequence of Box
        What it had better not run through: the arrows to items.
    taken : sequence of curves
        Curves that are there already; a new one keeps away from them where it runs alongside.
    least : float
        The least bend, as a share of the length.
    one_side : bool
        Whether it must bend to its left, so that two arrows there and back do not meet.
    """
    best: tuple[float, Array] | None = None
    there = points_of(taken)
    for bend in BENDS:
        if abs(bend) < least or (one_side and bend < 0):
            continue
        curve = clip(bent(start, end, bend), start, end)
        along = points(curve)
        length = float(np.linalg.norm(curve[2] - curve[0]))
        cost = 100 * passes(curve, others) + 12 * passes(curve, zones, 0) + 9 * abs(bend) * length
        if len(there):
            away = along[6:-6, None] - there[None]
            near = np.hypot(away[..., 0], away[..., 1]).min(axis=1) < 0.12
            cost += min(6.0, 0.8 * max(0, int(near.sum()) - 4))
        if best is None or cost < best[0]:
            best = cost, curve
    assert best is not None  # some bend is always above the least
    return best[1]


def points_of(curves: Sequence[Array]) -> Array:
    """Return the points of several curves, without their ends, (n, 2)."""
    if not curves:
        return np.zeros((0, 2))
    return np.vstack([points(curve)[3:-3] for curve in curves])


def side_arc(start: Box, end: Box, span: int, sign: int) -> Array:
    """Return the arc between two boxes of one column, further out the more it spans.

    The shorter one leaves further from the middle of the box, so that several fan out.
    """
    angle = np.radians(58 / span)
    down = 1 if end.y < start.y else -1
    ends = []
    for box, turn in ((start, -down), (end, down)):
        across = np.cos(angle) if box.round else 1
        x = box.x + sign * (box.w / 2 * across + 0.02)
        ends.append([x, box.y + turn * (box.h / 2 * np.sin(angle) + 0.02)])
    out = max(start.w, end.w) / 2 + (0.16 if span == 1 else 0.34) + 0.42 * (span - 1)
    apex = start.x + sign * out
    middle = [2 * apex - (ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2]
    return np.array([ends[0], middle, ends[1]])


def outer_arc(start: Box, end: Box, side: str) -> Array:
    """Return the arc between two items on the outer side of both."""
    dx, dy = OUT[side]
    ends = np.array(
        [[box.x + dx * box.w / 2, box.y + dy * box.h / 2] for box in (start, end)], dtype=float
    )
    far = 0.25 + 0.42 * float(np.linalg.norm(ends[1] - ends[0]))
    middle = ends.mean(axis=0)
    axis = 0 if dx else 1
    edge = ends[:, axis].max() if (dx + dy) > 0 else ends[:, axis].min()
    middle[axis] = edge + (dx + dy) * far
    return np.array([ends[0], middle, ends[1]])


def loading(node: Box, item: Box, side: str) -> tuple[Array, tuple[float, float]]:
    """Return the arrow from a construct to its item, and where its number stands."""
    dx, dy = OUT[side]
    centre = np.array([node.x, node.y])
    end = np.array([item.x - dx * item.w / 2, item.y - dy * item.h / 2])
    curve = clip(
        np.array([centre, (centre + end) / 2, end]),
        node,
        Box(float(end[0]), float(end[1]), 1e-6, 1e-6),
    )
    # All numbers of a construct stand in one line, close to the items.
    back = 0.27 if dx else 0.2
    way = end - centre
    share = 1 - back / abs(way[0] if dx else way[1])
    x, y = centre + share * way
    return curve, (float(x), float(y))


# Labels ---------------------------------------------------------------------------------------


def labels(
    curves: Sequence[Array],
    sizes: Sequence[tuple[float, float]],
    fixed: Sequence[Box],
    passing: Sequence[Array],
) -> list[Box]:
    """Return where the numbers of curves stand: on the curve, where they cover least.

    Parameters
    ----------
    curves : sequence of curves
        The arrows.
    sizes : sequence of (float, float)
        Width and height of each number.
    fixed : sequence of Box
        Constructs, items and numbers that stand already.
    passing : sequence of curves
        Further curves that a number had better not cover.
    """
    placed: dict[int, Box] = {}
    order = sorted(range(len(curves)), key=lambda i: np.linalg.norm(curves[i][2] - curves[i][0]))
    bounds = np.array([box.bounds() for box in fixed]).reshape(-1, 4)
    for sweep in range(3):
        for i in order:
            numbers = [box for j, box in placed.items() if j != i]
            around = points_of([c for j, c in enumerate([*curves, *passing]) if j != i])
            costs: list[tuple[float, int, Box]] = []
            for t in ALONG:
                x, y = points(curves[i], np.array([t]))[0]
                box = Box(float(x), float(y), *sizes[i])
                others = np.vstack([bounds, *(b.bounds()[None] for b in numbers)])
                cost = 10 * overlaps(box, others) + 8 * abs(t - 0.5)
                cost += 0.5 * box.holds(around, 0.02).sum() if len(around) else 0
                costs.append((cost, len(costs), box))
            placed[i] = min(costs)[2]
        if sweep and not any(_touch(placed, i) for i in placed):
            break
    return [placed[i] for i in range(len(curves))]


def _touch(placed: Mapping[int, Box], i: int) -> bool:
    others = [box.bounds() for j, box in placed.items() if j != i]
    return bool(others) and overlaps(placed[i], np.array(others)) > 0


def overlaps(box: Box, others: Array, pad: float = 0.025) -> float:
    """Return how many of the bounds (n, 4) a box overlaps, and by how much."""
    left, bottom, right, top = box.bounds(pad)
    wide = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    tall = np.minimum(top, others[:, 3]) - np.maximum(bottom, others[:, 1])
    both: NDArray[np.bool_] = (wide > 0) & (tall > 0)
    return float((both * (1 + 10 * wide * tall)).sum())


def zones(layout: Layout, homes: Mapping[str, Sequence[str]]) -> list[Box]:
    """Return the rooms between constructs and their items, where the arrows to items run."""
    rooms = []
    for name, items in homes.items():
        node, side = layout.nodes[name], layout.sides[name]
        if side == "none":
            continue
        dx, dy = OUT[side]
        bounds = np.array([layout.items[item].bounds() for item in items])
        low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        if dx:
            ends = sorted([node.x + dx * node.w / 2, high[0] if dx < 0 else low[0]])
            rooms.append(Box(sum(ends) / 2, node.y, ends[1] - ends[0], 0.8 * (high[1] - low[1])))
        else:
            ends = sorted([node.y + dy * node.h / 2, high[1] if dy < 0 else low[1]])
            rooms.append(Box(node.x, sum(ends) / 2, 0.8 * (high[0] - low[0]), ends[1] - ends[0]))
    return rooms
