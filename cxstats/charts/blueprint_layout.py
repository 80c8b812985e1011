"""Places for a service blueprint: bands from top to bottom, columns from left to right.

Arrows run in gutters between columns and in channels between rows, never behind a box; each has a
track of its own there. Lengths are inches; x grows to the right, y upwards from 0 at the top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pair = tuple[str, str]
Spot = tuple[int, int]  # column and row

LABELS = 1.6  # width of the words at the left
GUTTER, CHANNEL, TRACK = 0.34, 0.26, 0.1  # room without an arrow, and for each arrow
BORDER = 0.2  # of a band, to its line
LOWEST = 1.05  # a band; its name and that of its line stand in it
HEADER = 0.55  # for the stages
PORT = 0.12  # between arrows at one side of a box
BOX, ELLIPSE, DIAMOND = "box", "ellipse", "diamond"


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow; `kind` says how it is drawn."""

    source: str
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is drawn.

    Attributes
    ----------
    boxes : dict of str to (x, y, width, height)
        Centres and sizes.
    routes : list of array (points, 2)
        The corners that each arrow goes through, in the order of the arrows.
    bands : list of (top, bottom)
    lines : list of float
        Heights of the lines below all bands but the last.
    columns : list of (left, right)
    width, height : float
    """

    boxes: dict[str, tuple[float, float, float, float]]
    routes: list[Array]
    bands: list[tuple[float, float]]
    lines: list[float]
    columns: list[tuple[float, float]]
    width: float
    height: float


@dataclass(slots=True)
class _Piece:
    """A straight piece of an arrow in a gutter (upright) or a channel, in ordinal places."""

    arrow: int
    upright: bool
    lane: int
    start: float
    end: float
    track: int = 0


@dataclass(slots=True)
class _Way:
    """How an arrow goes: sides of the boxes that it leaves and reaches, and its pieces."""

    sides: tuple[str, str]
    pieces: list[_Piece] = field(default_factory=list)
    shift: float = 0.0  # of a straight one


def columns_of(
    bands: Mapping[str, int],
    stages: Mapping[str, int | None],
    flows: Sequence[Pair],
    other: Sequence[Pair] = (),
) -> dict[str, int]:
    """Return the column of each element.

    With stages a column is a stage. Otherwise an element stands below what comes just before it in
    another band, and to the right of everything that comes before it in its band.

    Parameters
    ----------
    bands : mapping of str to int
        Elements in the order of the flows.
    stages : mapping of str to int or None
    flows : sequence of (str, str)
        Without circles.
    other : sequence of (str, str)
        What joins elements without an order.

    Examples
    --------
    >>> bands = {"ask": 0, "answer": 1, "pay": 0}
    >>> none = dict.fromkeys(bands)
    >>> columns_of(bands, none, [("ask", "answer"), ("answer", "pay")])
    {'ask': 0, 'answer': 0, 'pay': 1}
    """  # fmt: skip
    near = _neighbours([*flows, *other])
    column: dict[str, int] = {}
    if any(stage is not None for stage in stages.values()):
        column = {name: stage for name, stage in stages.items() if stage is not None}
    else:
        before = _neighbours(flows, backwards_only=True)
        last: dict[str, dict[int, int]] = {}  # of each element, the last column by band before it
        ordered = {name for pair in flows for name in pair}
        for name in (name for name in bands if name in ordered):
            reach: dict[int, int] = {}
            for earlier in before.get(name, ()):
                for band, place in last[earlier].items():
                    reach[band] = max(reach.get(band, 0), place)
            least = max((column[earlier] for earlier in before.get(name, ())), default=0)
            column[name] = max(least, reach.get(bands[name], -1) + 1)
            last[name] = {**reach, bands[name]: column[name]}
    for name in bands:
        if name not in column:
            beside = [column[other] for other in near.get(name, ()) if other in column]
            column[name] = min(beside) if beside else _free_column(name, bands, column)
    return {name: column[name] for name in bands}


def _neighbours(pairs: Iterable[Pair], backwards_only: bool = False) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for source, target in pairs:
        near.setdefault(target, []).append(source)
        if not backwards_only:
            near.setdefault(source, []).append(target)
    return near


def _free_column(name: str, bands: Mapping[str, int], column: Mapping[str, int]) -> int:
    taken = {place for other, place in column.items() if bands[other] == bands[name]}
    return next(i for i in range(len(bands) + 1) if i not in taken)


def lay_out(
    sizes: Mapping[str, tuple[float, float]],
    bands: Mapping[str, int],
    columns: Mapping[str, int],
    arrows: Sequence[Arrow],
    n_bands: int,
    shapes: Sequence[str],
    header: bool = False,
) -> Layout:
    """Place boxes in bands and columns, and the arrows between them.

    Parameters
    ----------
    sizes : mapping of str to (width, height)
        Boxes, in the order in which those of one place stand below each other.
    bands, columns : mapping of str to int
    arrows : sequence of Arrow
    n_bands : int
    shapes : sequence of str
        "box", "ellipse" or "diamond", by band.
    header : bool
        Whether names of stages stand above.

    Examples
    --------
    >>> box = (1.5, 0.5)
    >>> layout = lay_out({"a": box, "b": box}, {"a": 0, "b": 1}, {"a": 0, "b": 0},
    ...                  [Arrow("a", "b", "flow")], 2, ("box", "box"))
    >>> bool(layout.boxes["a"][1] > layout.boxes["b"][1]), len(layout.routes[0])
    (True, 2)
    """  # fmt: skip
    spots, rows_by_band = _spots(sizes, bands, columns, n_bands)
    n_columns = 1 + max(columns.values())
    ways = _ways(arrows, spots)
    _assign_tracks(ways)
    tracks = {
        upright: _lane_sizes(ways, upright, n)
        for upright, n in ((True, n_columns + 1), (False, sum(rows_by_band) + 1))
    }
    centres, edges, width = _across(sizes, columns, n_columns, tracks[True])
    rows, channels, spans, lines, height = _down(
        sizes, spots, rows_by_band, tracks[False], HEADER if header else 0.0
    )
    boxes = {
        name: (centres[column], rows[row], *sizes[name]) for name, (column, row) in spots.items()
    }
    shape = {name: shapes[bands[name]] for name in sizes}
    ports = _ports(arrows, ways, boxes)
    routes = [
        _route(arrow, way, ports[i], boxes, shape, (edges, channels))
        for i, (arrow, way) in enumerate(zip(arrows, ways, strict=True))
    ]
    columns_span = [
        (edges[i][1] - TRACK / 2, edges[i + 1][0] + TRACK / 2) for i in range(n_columns)
    ]
    return Layout(boxes, routes, spans, lines, columns_span, width, height)


def _spots(
    sizes: Mapping[str, tuple[float, float]],
    bands: Mapping[str, int],
    columns: Mapping[str, int],
    n_bands: int,
) -> tuple[dict[str, Spot], list[int]]:
    """Return column and row of each box, and how many rows each band has."""
    stacks: dict[Spot, list[str]] = {}
    for name in sizes:
        stacks.setdefault((columns[name], bands[name]), []).append(name)
    deepest = [1] * n_bands
    for (_, band), names in stacks.items():
        deepest[band] = max(deepest[band], len(names))
    first = np.cumsum([0, *deepest])
    spots = {
        name: (column, int(first[band]) + i)
        for (column, band), names in stacks.items()
        for i, name in enumerate(names)
    }
    return {name: spots[name] for name in sizes}, deepest


def _ways(arrows: Sequence[Arrow], spots: Mapping[str, Spot]) -> list[_Way]:
    taken = set(spots.values())
    ways = [_way(i, spots[a.source], spots[a.target], taken) for i, a in enumerate(arrows)]
    straight: dict[frozenset[str], list[_Way]] = {}
    for arrow, way in zip(arrows, ways, strict=True):
        if not way.pieces:
            straight.setdefault(frozenset((arrow.source, arrow.target)), []).append(way)
    for parallel in straight.values():
        for i, way in enumerate(parallel):
            way.shift = (i - (len(parallel) - 1) / 2) * PORT
    return ways


def _way(i: int, start: Spot, end: Spot, taken: set[Spot]) -> _Way:
    """Return how an arrow goes: straight where nothing is between, else through the gutters."""
    (c1, r1), (c2, r2) = start, end
    if c1 == c2:
        between = {(c1, r) for r in range(min(r1, r2) + 1, max(r1, r2))}
        if not between & taken:
            return _Way(("bottom", "top") if r2 > r1 else ("top", "bottom"))
        return _Way(("right", "right"), [_Piece(i, True, c1 + 1, 2 * r1 + 1, 2 * r2 + 1)])
    forward = c2 > c1
    sides = ("right", "left") if forward else ("left", "right")
    if r1 == r2 and not {(c, r1) for c in range(min(c1, c2) + 1, max(c1, c2))} & taken:
        return _Way(sides)
    leave, arrive = (c1 + 1, c2) if forward else (c1, c2 + 1)
    if leave == arrive:
        return _Way(sides, [_Piece(i, True, leave, 2 * r1 + 1, 2 * r2 + 1)])
    channel = r2 + 1 if r2 < r1 else r2
    return _Way(sides, [
        _Piece(i, True, leave, 2 * r1 + 1, 2 * channel),
        _Piece(i, False, channel, leave, arrive),
        _Piece(i, True, arrive, 2 * channel, 2 * r2 + 1),
    ])  # fmt: skip


def _assign_tracks(ways: Sequence[_Way]) -> None:
    """Give pieces of one lane that meet different tracks, the short ones first."""
    lanes: dict[tuple[bool, int], list[_Piece]] = {}
    for way in ways:
        for piece in way.pieces:
            lanes.setdefault((piece.upright, piece.lane), []).append(piece)
    for pieces in lanes.values():
        pieces.sort(key=lambda p: (abs(p.end - p.start), min(p.start, p.end), p.arrow))
        placed: list[_Piece] = []
        for piece in pieces:
            busy = {other.track for other in placed if _meet(piece, other)}
            piece.track = next(t for t in range(len(pieces)) if t not in busy)
            placed.append(piece)


def _meet(a: _Piece, b: _Piece) -> bool:
    return min(a.start, a.end) <= max(b.start, b.end) and min(b.start, b.end) <= max(a.start, a.end)


def _lane_sizes(ways: Sequence[_Way], upright: bool, n: int) -> list[int]:
    sizes = [0] * n
    for way in ways:
        for piece in way.pieces:
            if piece.upright == upright:
                sizes[piece.lane] = max(sizes[piece.lane], piece.track + 1)
    return sizes


def _across(
    sizes: Mapping[str, tuple[float, float]],
    columns: Mapping[str, int],
    n_columns: int,
    tracks: Sequence[int],
) -> tuple[list[float], list[tuple[float, float]], float]:
    """Return the centres of the columns, the span of the tracks of each gutter, and the width."""
    widest = [
        max((sizes[name][0] for name in sizes if columns[name] == c), default=0.0)
        for c in range(n_columns)
    ]
    x, centres, gutters = LABELS, [], []
    for c in range(n_columns + 1):
        room = TRACK * max(tracks[c] - 1, 0)
        edge = 0.12 if c == 0 and not tracks[0] else GUTTER
        gutters.append((x + edge / 2, x + edge / 2 + room))
        x += edge + room
        if c < n_columns:
            centres.append(x + widest[c] / 2)
            x += widest[c]
    return centres, gutters, x


def _down(
    sizes: Mapping[str, tuple[float, float]],
    spots: Mapping[str, Spot],
    rows_by_band: Sequence[int],
    tracks: Sequence[int],
    header: float,
) -> tuple[list[float], list[float], list[tuple[float, float]], list[float], float]:
    """Return heights: of rows, of first tracks of channels, of bands, of lines, and of all."""
    tall = [0.0] * sum(rows_by_band)
    for name, (_, row) in spots.items():
        tall[row] = max(tall[row], sizes[name][1])
    y, row = -header, 0
    rows, channels, spans = [], [], []
    for count in rows_by_band:
        top = y
        y -= BORDER
        inside = sum(tall[row : row + count]) + 2 * BORDER + CHANNEL * count
        inside += TRACK * sum(max(tracks[r] - 1, 0) for r in range(row, row + count))
        spare = max(0.0, LOWEST - inside) / 2
        for _ in range(count):
            channels.append(y - CHANNEL / 2)
            y -= CHANNEL + TRACK * max(tracks[row] - 1, 0) + spare
            rows.append(y - tall[row] / 2)
            y -= tall[row]
            row += 1
        y -= spare + BORDER
        spans.append((top, y))
    channels.append(y - CHANNEL / 2)  # below everything
    last = CHANNEL + TRACK * (tracks[-1] - 1) if tracks[-1] else 0.0
    return rows, channels, spans, [bottom for _, bottom in spans[:-1]], -(y - last)


def _ports(
    arrows: Sequence[Arrow],
    ways: Sequence[_Way],
    boxes: Mapping[str, tuple[float, float, float, float]],
) -> list[tuple[float, float]]:
    """Return how far from the middle of its side each arrow leaves and arrives."""
    at: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    straight: set[tuple[str, str]] = set()
    for i, (arrow, way) in enumerate(zip(arrows, ways, strict=True)):
        for end, (name, other) in enumerate(
            ((arrow.source, arrow.target), (arrow.target, arrow.source))
        ):
            key = (name, way.sides[end])
            if way.pieces:
                at.setdefault(key, []).append((boxes[other][1] - boxes[name][1], i, end))
            else:
                straight.add(key)
    ports = [[way.shift, way.shift] for way in ways]
    for (name, side), entries in at.items():
        entries.sort()
        reach = 0.8 * boxes[name][3] / 2
        # A straight arrow has the middle; the others stand above and below it.
        below = [e for e in entries if e[0] < 0]
        above = [e for e in entries if e[0] >= 0]
        middle = (name, side) in straight or (below and above)
        for group, sign in ((below[::-1], -1), (above, 1)):
            offset = 1.0 if middle else 0.0
            step = min(PORT, reach / max(len(group) - 1 + offset, 1))
            for k, (_, i, end) in enumerate(group):
                ports[i][end] = sign * step * (k + offset)
    return [(first, second) for first, second in ports]


def _route(
    arrow: Arrow,
    way: _Way,
    port: tuple[float, float],
    boxes: Mapping[str, tuple[float, float, float, float]],
    shape: Mapping[str, str],
    lanes: tuple[Sequence[tuple[float, float]], Sequence[float]],
) -> Array:
    start, end = (
        _on_side(boxes[name], shape[name], side, shift)
        for name, side, shift in zip((arrow.source, arrow.target), way.sides, port, strict=True)
    )
    gutters, channels = lanes
    points = [start]
    for piece in way.pieces:
        if piece.upright:
            points.append((gutters[piece.lane][0] + TRACK * piece.track, points[-1][1]))
        else:
            points.append((points[-1][0], channels[piece.lane] - TRACK * piece.track))
    if way.pieces:
        points.append((points[-1][0], end[1]))
    points.append(end)
    return np.array(points)


def _on_side(
    box: tuple[float, float, float, float], shape: str, side: str, shift: float
) -> tuple[float, float]:
    """Return the point of a shape's edge on a side, `shift` from its middle."""
    x, y, w, h = box
    upright = side in ("left", "right")
    along, across = (h / 2, w / 2) if upright else (w / 2, h / 2)
    share = min(abs(shift) / along, 1.0)
    if shape == ELLIPSE:
        across *= (1 - share**2) ** 0.5
    elif shape == DIAMOND:
        across *= 1 - share
    sign = 1 if side in ("right", "top") else -1
    return (x + sign * across, y + shift) if upright else (x + shift, y + sign * across)
