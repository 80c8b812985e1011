"""Names of points that stand clear of each other, of the points, and of texts on the chart.

Placed whenever the chart is drawn, so that they hold for every size and every layout. Nothing is
drawn by lot: the same chart gives the same places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection
from matplotlib.patheffects import withStroke
from matplotlib.transforms import IdentityTransform

from cxstats.charts import style
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.text import Annotation
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Sizes of type and widths (in Latin characters) that are tried, until every name has a place.
STEPS = ((9.0, 24), (8.5, 20), (8.0, 18), (7.0, 18), (6.5, 16))
BLOCK = 1000.0  # the cost of covering something; all others are matters of taste
DISTANCES = np.array([1, 6, 12, 20, 30, 42, 56, 72, 90, 112, 140, 175, 215, 260.0])
ANGLES = np.radians(np.arange(0, 360, 15))
ROUNDS = 16


def keep_apart(
    ax: Axes,
    points: Floats,
    names: Sequence[str],
    radii: Floats,
    avoid: Sequence[Annotation],
    cuts: tuple[float, float],
    lang: str,
    bars: Floats | None = None,
) -> list[Annotation]:
    """Name points; the names find their places when the chart is drawn.

    Parameters
    ----------
    points : array (n, 2)
        In data.
    names : sequence of n strings
        Folded here.
    radii : array (n,)
        Of the markers, in points.
    avoid : sequence of Annotation
        Texts that are not to be covered.
    cuts : (x, y)
        Lines across the axes, which are covered only where it must be.
    bars : array (m, 4), optional
        As (x0, y0, x1, y1) in data: lines that are covered only where it must be.
    """
    halo = [withStroke(linewidth=2.2, foreground="white")]
    props: dict[str, Any] = {"textcoords": "offset points", "ha": "left", "va": "bottom"}
    texts = [
        ax.annotate("", (x, y), (0, 0), zorder=5, linespacing=1.1, path_effects=halo, **props)
        for x, y in points
    ]
    # What has no room is counted under the axes, at the right.
    left_out = ax.annotate("", (1, 0), (0, -24), "axes fraction", "offset points", ha="right",
                           va="top", size=8, color=style.BAD)  # fmt: skip
    for text in (*texts, left_out):
        text.set_in_layout(False)
    lines = np.empty((0, 4)) if bars is None else bars[~np.isnan(bars).any(1)]
    placer = _Placer(points, names, radii, (*texts, left_out), avoid, cuts, lines, lang)
    ax.add_artist(placer)
    return texts


class _Placer(Artist):
    """Moves the names just before they are drawn, since it lies below everything."""

    def __init__(
        self,
        points: Floats,
        names: Sequence[str],
        radii: Floats,
        texts: Sequence[Annotation],
        avoid: Sequence[Annotation],
        cuts: tuple[float, float],
        bars: Floats,
        lang: str,
    ) -> None:
        super().__init__()
        self.set_zorder(-10)
        self.set_in_layout(False)
        self.points, self.names, self.radii = points, list(names), radii
        self.texts, self.left_out = texts[:-1], texts[-1]
        self.avoid, self.lang = avoid, lang
        self.cuts, self.bars = cuts, bars
        self.leaders: LineCollection | None = None
        self.drawn_for: object = None

    def draw(self, renderer: RendererBase) -> None:
        """Find places for the names in the axes as they are now."""
        ax = self.axes
        assert ax is not None  # added by `keep_apart`
        unit = float(renderer.points_to_pixels(1.0))  # type: ignore[arg-type]  # as it takes
        spots = np.asarray(ax.transData.transform(self.points))
        frame = np.array(ax.bbox.extents)
        key = (unit, frame.tobytes(), spots.tobytes(), type(renderer))
        if key == self.drawn_for:
            return
        self.drawn_for = key
        dots = _boxes(spots, (self.radii + 1.5) * unit)
        texts = np.array([text.get_window_extent(renderer).extents for text in self.avoid])
        fences = self._fences(frame)
        frame = frame + 3 * unit * np.array([1, 1, -1, -1])
        for size, columns in STEPS:
            extents = self._set(renderer, size, columns)
            boxes = place(spots, extents, dots, texts, fences, frame, unit)
            if not np.isnan(boxes).any():
                break
        self._move(boxes, spots, dots, unit)

    def _fences(self, frame: Floats) -> Floats:
        """Return the boxes of lines: those across the axes, then the bars."""
        ax = self.axes
        assert ax is not None
        x, y = ax.transData.transform(self.cuts)
        ends = ax.transData.transform(self.bars.reshape(-1, 2)).reshape(-1, 4)
        across = [[x, frame[1], x, frame[3]], [frame[0], y, frame[2], y]]
        fences: Floats = np.vstack([across, ends]) + np.array([-1, -1, 1, 1])
        return fences

    def _set(self, renderer: RendererBase, size: float, columns: int) -> Floats:
        """Write the names at `size`, folded at `columns`; return widths and heights."""
        extents = []
        for text, name in zip(self.texts, self.names, strict=True):
            text.set_text(style.fold(name, columns))
            text.set_fontsize(size)
            box = text.get_window_extent(renderer)
            extents.append((box.width, box.height))
        return np.array(extents)

    def _move(self, boxes: Floats, spots: Floats, dots: Floats, unit: float) -> None:
        ends = []
        for text, box, spot, dot in zip(self.texts, boxes, spots, dots, strict=True):
            if np.isnan(box).any():
                text.set_text("")
                continue
            text.set_position(((box[:2] - spot) / unit).tolist())
            text.set_multialignment("right" if box[2] < spot[0] else "left")
            near = np.clip(spot, box[:2], box[2:])
            away = np.linalg.norm(near - spot) - (dot[2] - dot[0]) / 2
            if away > 4 * unit:
                ends.append([spot, near])
        missing = int(np.isnan(boxes[:, 0]).sum())
        note = label("chart.quadrant.unnamed", self.lang, k=missing) if missing else ""
        self.left_out.set_text(note)
        self._lead(ends)

    def _lead(self, ends: list[list[Floats]]) -> None:
        ax = self.axes
        assert ax is not None
        if self.leaders is None:
            props: dict[str, Any] = {"colors": style.NEUTRAL, "linewidths": 0.6, "zorder": 3}
            self.leaders = LineCollection([], transform=IdentityTransform(), **props)
            self.leaders.set_in_layout(False)
            ax.add_collection(self.leaders, autolim=False)
        self.leaders.set_segments(ends)


def _boxes(centres: Floats, half: Floats) -> Floats:
    return np.column_stack([centres - half[:, None], centres + half[:, None]])


def place(
    spots: Floats,
    extents: Floats,
    dots: Floats,
    texts: Floats,
    fences: Floats,
    frame: Floats,
    unit: float,
) -> Floats:
    """Return the box (x0, y0, x1, y1) of every name, NaN where there is no room.

    Each name has the same candidates: 24 directions by 14 distances from its point. The names
    choose in turn, those with most neighbours first, the one that covers nothing and is nearest;
    then again, given the choices of all others, until none changes its mind.

    Parameters
    ----------
    spots, extents : arrays (n, 2)
        Points, and widths and heights of names, in pixels.
    dots, texts, fences : arrays (any, 4)
        Boxes of the markers (n of them) and of texts, never to be covered; of lines, better not.
    frame : array (4,)
        Where names may stand.
    unit : float
        Pixels per point of type.
    """
    boxes, cost = _candidates(spots, extents, dots, unit)
    leads = np.clip(spots[:, None], boxes[..., :2], boxes[..., 2:])
    wide = boxes + unit * np.array([-2.0, -1, 2, 1])
    outside = (boxes[..., :2] < frame[:2]).any(-1) | (boxes[..., 2:] > frame[2:]).any(-1)
    cost = cost + np.where(outside, np.inf, 0)
    cost += BLOCK * (_overlap(boxes, dots).sum(-1) + _overlap(wide, texts).sum(-1))
    cost += 5 * _overlap(boxes, fences).sum(-1)
    cost += 8 * _hits(spots[:, None], leads, dots).sum(-1)
    cost += 8 * _hits(spots[:, None], leads, texts).sum(-1)
    n = len(spots)
    near = np.linalg.norm((spots[:, None] - spots) / unit, axis=-1)
    order = np.argsort(-np.exp(-((near / 60) ** 2)).sum(1), kind="stable")
    chosen = np.full(n, -1)
    for _ in range(ROUNDS):
        before = chosen.copy()
        for i in order:
            others = np.flatnonzero((chosen >= 0) & (np.arange(n) != i))
            theirs = wide[others, chosen[others]]
            a, b = spots[others], leads[others, chosen[others]]
            total = cost[i] + BLOCK * _overlap(boxes[i], theirs).sum(-1)
            total += 12 * _hits(spots[i], leads[i], theirs).sum(-1)
            total += 12 * _hits(a, b, boxes[i]).sum(0)
            total += 12 * _cross(spots[i], leads[i], a, b)
            chosen[i] = int(total.argmin())
        if (chosen == before).all():
            break
    return _without_conflicts(boxes, wide, cost, chosen)


def _candidates(spots: Floats, extents: Floats, dots: Floats, unit: float) -> tuple[Floats, Floats]:
    """Return boxes (n, c, 4) around each point, and what their distance costs (c,)."""
    turn = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
    square = np.clip(turn * np.sqrt(2), -1, 1)  # a name slides along the sides of its point
    reach = (dots[:, 2] - dots[:, 0])[:, None] / 2 + DISTANCES * unit  # (n, distances)
    half = extents[:, None, None] / 2
    offsets = square * (half + reach[:, :, None, None])
    centres = (spots[:, None, None] + offsets).reshape(len(spots), -1, 2)
    half = extents[:, None] / 2
    taste = 1.5 * (1 - turn[:, 0]) + 0.5 * (1 - turn[:, 1])  # right of the point, then above it
    cost = (0.35 * DISTANCES[:, None] + taste).ravel()
    return np.concatenate([centres - half, centres + half], axis=-1), cost


def _overlap(boxes: Floats, others: Floats) -> NDArray[np.bool_]:
    """Return whether boxes (..., 4) overlap others (m, 4), as (..., m)."""
    boxes = boxes[..., None, :]
    low, high = boxes[..., :2] < others[:, 2:], boxes[..., 2:] > others[:, :2]
    overlap: NDArray[np.bool_] = np.all(low & high, axis=-1)
    return overlap


def _hits(start: Floats, end: Floats, boxes: Floats) -> NDArray[np.bool_]:
    """Return whether the lines from start to end (..., 2) meet boxes (m, 4), as (..., m)."""
    start, way = start[..., None, :], (end - start)[..., None, :]
    way = np.where(abs(way) < 1e-9, 1e-9, way)
    to_low, to_high = (boxes[:, :2] - start) / way, (boxes[:, 2:] - start) / way
    enter = np.minimum(to_low, to_high).max(-1)
    leave = np.maximum(to_low, to_high).min(-1)
    met: NDArray[np.bool_] = np.asarray((enter <= leave) & (leave > 0) & (enter < 1))
    return met


def _cross(start: Floats, ends: Floats, others: Floats, their_ends: Floats) -> Floats:
    """Return how many of the other lines each line from `start` to `ends` (c, 2) crosses."""

    def side(a: Floats, b: Floats, p: Floats) -> Floats:
        way, to = b - a, p - a
        turn: Floats = way[..., 0] * to[..., 1] - way[..., 1] * to[..., 0]
        return turn

    ends = ends[:, None]
    apart = side(start, ends, others) * side(start, ends, their_ends) < 0
    across = side(others, their_ends, start) * side(others, their_ends, ends) < 0
    count: Floats = (apart & across).sum(-1).astype(float)
    return count


def _without_conflicts(
    boxes: Floats, wide: Floats, cost: Floats, chosen: NDArray[np.int_]
) -> Floats:
    """Return the chosen boxes; of names that still collide, the later one loses its place."""
    n = len(chosen)
    places = boxes[np.arange(n), chosen].copy()
    places[cost[np.arange(n), chosen] >= BLOCK] = np.nan
    for i in range(n):
        earlier = np.flatnonzero(~np.isnan(places[:i, 0]))
        if _overlap(places[i], wide[earlier, chosen[earlier]]).any():
            places[i] = np.nan
    return places
