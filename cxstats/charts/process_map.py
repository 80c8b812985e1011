"""The process map: activities from top to bottom, and what follows what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.process_layout import END, START, Layout, lay_out
from cxstats.charts.wording import join_sentences
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.core.messages import excerpt, listing
from cxstats.operations.event_log import EventLog

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from networkx import DiGraph

    from cxstats.operations.process import Process

Edges = dict[tuple[str, str], dict[str, float]]

# Pale to dark in one hue family, so that long waits stand out in grey print, too.
WAIT = LinearSegmentedColormap.from_list("", ["#AFC3D2", "#E0A458", style.BAD, "#7A1F00"])
BOX, CIRCLE = (1.95, 0.52), 0.3  # inches
THICK = (0.9, 6.0)  # points
HEAD = 0.14  # inches that an arrow's head is long
NAMED = 8  # activities left out that the note names
UNITS = (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400))


def process_map(  # noqa: PLR0913  (keywords of a chart)
    log: EventLog | Process,
    *,
    min_share: float = 0.02,
    max_activities: int = 15,
    keep: str | Collection[str] = (),
    names: Mapping[str, str] | None = None,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the directly-follows graph of an event log.

    Boxes are activities with the number of their events and their median handling time; arrows are
    as thick as the number of times one activity follows another, and as dark as the median wait
    between them, which is also written. A dashed arrow goes back to an earlier activity.

    Parameters
    ----------
    log : EventLog or Process
        What `cxstats.event_log` or `cxstats.operations` returned.
    min_share : float
        Arrows taken fewer times than this share of the number of cases are left out, except the
        most frequent one into and out of each activity; from 0 to below 1.
    max_activities : int
        The most frequent activities that are drawn; at least 2.
    keep : str or collection of str
        Activities that are drawn however rare they are, such as errors, each with its most frequent
        arrow in and out. The note names what is left out.
    names : mapping of str to str, optional
        Words for activities, such as their translations.
    source : str, optional
        Where the log comes from; without it, "event log" with the number of cases.
    title : str, optional
        The finding. Without it: before which activity most waiting adds up over all cases.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it. Texts shrink with the axes, so give it room.

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        If there are fewer than two activities, or an option is out of range.
    """
    if not isinstance(log, EventLog):
        log = log.log
    if not 0 <= min_share < 1:
        raise CxError(f"min_share={min_share!r}; allowed: from 0 to below 1")
    if isinstance(max_activities, bool) or max_activities < 2:
        raise CxError(f"max_activities={max_activities!r}; allowed: 2 or more")
    if len(log.activities) < 2:
        raise CxError("one activity has nothing that follows it; at least 2 are needed for a map")
    graph, lang = log.graph("second"), drawable(lang)
    if not isinstance(keep, (str, Collection)):
        raise CxError(f"keep={excerpt(keep)}; allowed: an activity, or a list of activities")
    rare = [keep] if isinstance(keep, str) else list(keep)
    there = list(graph.nodes)  # a list also tells what cannot be looked up by its hash
    unknown = [name for name in rare if name not in there]
    if unknown:
        raise CxError(f"keep: {excerpt(unknown[0])} is not in the log; there: {listing(there, 30)}")
    nodes, edges, dropped = _filtered(graph, min_share, max_activities, rare)
    layout = lay_out({**dict.fromkeys(nodes, BOX), START: (CIRCLE, CIRCLE), END: (CIRCLE, CIRCLE)},
                     {pair: data["count"] for pair, data in edges.items()})  # fmt: skip
    captions = {name: (names or {}).get(name, str(name)) for name in nodes}
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, max(6.4, layout.width + 1.3), layout.height + 1.9)
        scale = 1.0 if standalone else _scale(ax, layout)
        colour = _arrows(ax, layout, edges, scale, lang)
        for name in nodes:
            _box(ax, layout.places[name], captions[name], graph.nodes[name], scale, lang)
        _circles(ax, layout, scale, lang)
        ax.set(xlim=(-0.1, layout.width + 0.1), ylim=(-layout.height - 0.05, 0.05))
        ax.set(xticks=[], yticks=[], aspect="equal")
        ax.spines[:].set_visible(False)
        _colour_bar(ax, colour, layout.height, lang)
        heading = title or _title(log, captions, lang)
        where = source or label("process.source", lang, cases=format_number(log.n_cases))
        absent = [(names or {}).get(name, str(name)) for name in graph.nodes if name not in nodes]
        note = _note(graph, dropped, absent, log.has_ends, lang)
        return style.finish(ax, standalone, heading, where, lang, note, log.synthetic)


def _filtered(
    graph: DiGraph[str], min_share: float, most: int, keep: Collection[str]
) -> tuple[list[str], Edges, tuple[int, int]]:
    """Return what is drawn, and how many arrows and transitions are not."""
    rank = sorted(graph.nodes, key=lambda name: (-graph.nodes[name]["count"], str(name)))
    frequent = {*rank[:most], *keep}
    nodes = sorted(frequent, key=lambda name: (graph.nodes[name]["position"], str(name)))
    every: Edges = {(a, b): data for a, b, data in graph.edges(data=True)}
    inside = {pair: data for pair, data in every.items() if frequent.issuperset(pair)}
    least = min_share * graph.graph["cases"]
    strongest: set[tuple[str, str]] = set()
    for name in nodes:
        for side in (0, 1):
            joined = [p for p in inside if p[side] == name and p[0] != p[1]]
            if joined:
                strongest.add(max(joined, key=lambda p: (inside[p]["count"], p)))
    edges = {p: d for p, d in inside.items() if d["count"] >= least or p in strongest}
    left_out = [d["count"] for p, d in every.items() if p not in edges]
    for name in nodes:
        data = graph.nodes[name]
        ends = {(START, name): data["starts"], (name, END): data["ends"]}
        opening = graph.graph["opening"].get(name, np.nan)
        for pair, count in ends.items():
            if count >= max(least, 1):
                wait = opening if pair[0] == START else np.nan
                edges[pair] = {"count": count, "wait_median": wait}
    return nodes, edges, (len(left_out), int(sum(left_out)))


def _scale(ax: Axes, layout: Layout) -> float:
    """Return by how much a caller's axes are smaller than the layout."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    place, (width, height) = ax.get_position(), figure.get_size_inches()
    room = (place.width * width - 0.7) / layout.width, place.height * height / layout.height
    return float(np.clip(min(room), 0.25, 1))


def _arrows(ax: Axes, layout: Layout, edges: Edges, scale: float, lang: str) -> Any:
    """Draw the arrows and their words; return colours by the median wait."""
    from matplotlib.cm import ScalarMappable

    waits = [data["wait_median"] for data in edges.values() if data["wait_median"] > 0]
    top = max(waits, default=0.0)
    colour = ScalarMappable(Normalize(0, top or 1), WAIT)
    most = max(data["count"] for data in edges.values())
    order = sorted(edges, key=lambda pair: edges[pair]["count"])
    for pair in order:
        data, points = edges[pair], layout.routes[pair]
        wait = data["wait_median"]
        shade = style.PALE if np.isnan(wait) else to_hex(WAIT(wait / (top or 1)))
        width = scale * (THICK[0] + (THICK[1] - THICK[0]) * (data["count"] / most) ** 0.7)
        back = pair in layout.back
        props: dict[str, Any] = {"color": shade, "linewidth": width, "zorder": 1}
        if back:
            props["linestyle"] = (0, (3, 1.2))
        tip, before = points[-1], np.asarray(_path(points).vertices)[-2]
        direction = (tip - before) / np.hypot(*(tip - before))
        base = tip - HEAD * direction  # the line ends where the head begins
        ax.add_patch(PathPatch(_path(np.vstack([points[:-1], base])), fill=False,
                               capstyle="butt", **props))  # fmt: skip
        aside = (0.045 + 0.9 * width / scale / 72) * np.array([-direction[1], direction[0]])
        ax.add_patch(Polygon([tip, base + aside, base - aside], color=shade, lw=0, zorder=2))
    for pair, (x, y) in layout.labels.items():
        data = edges[pair]
        text = format_number(data["count"])
        if data["wait_median"] == data["wait_median"]:
            text += f" · {duration_text(data['wait_median'], lang)}"
        pad = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"}
        ax.text(x, y, text, size=7.5 * scale, ha="center", va="center", zorder=4, bbox=pad)
    return colour if top else None


def _path(points: np.ndarray[Any, Any]) -> Path:
    """Return a smooth way through points: every piece leaves and arrives vertically.

    A loop on one activity (four points) is a single curve.
    """
    if len(points) == 4 and points[1][0] == points[2][0] > points[0][0]:
        return Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    vertices, codes = [points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        vertices += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [Path.CURVE4] * 3
    return Path(np.array(vertices), codes)


def _box(
    ax: Axes,
    spot: tuple[float, float],
    name: str,
    data: Mapping[str, Any],
    scale: float,
    lang: str,
) -> None:
    x, y = spot
    w, h = BOX
    props: dict[str, Any] = {
        "facecolor": "#EEF3F7",
        "edgecolor": style.GOOD,
        "linewidth": 1.0,
    }
    shape = "round,pad=0,rounding_size=0.07"
    ax.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, shape, zorder=3, **props))
    below = label("process.map.events", lang, n=format_number(data["count"]))
    if data["handling_median"] == data["handling_median"]:
        below += f" · {duration_text(data['handling_median'], lang)}"
    lines = style.fold(name, 24).split("\n")
    first_line = lines[0] if len(lines) == 1 else lines[0] + "…"
    middle: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 5}
    ax.text(x, y + 0.11, first_line, size=9 * scale, weight="bold", **middle)
    ax.text(x, y - 0.12, below, size=7.5 * scale, color=style.NEUTRAL, **middle)


def _circles(ax: Axes, layout: Layout, scale: float, lang: str) -> None:
    for name, key in ((START, "process.map.start"), (END, "process.map.end")):
        x, y = layout.places[name]
        ring: dict[str, Any] = {"color": "white", "markeredgecolor": style.INK, "zorder": 3}
        ax.plot([x], [y], "o", markersize=15 * scale, **ring)
        place: dict[str, Any] = {"xytext": (13 * scale, 0), "textcoords": "offset points"}
        ax.annotate(label(key, lang), (x, y), va="center", size=8.5 * scale, zorder=5, **place)


def _colour_bar(ax: Axes, colour: Any, height: float, lang: str) -> None:
    if colour is None:
        return
    figure = ax.get_figure()
    assert figure is not None
    bar = figure.colorbar(
        colour, ax=ax, shrink=min(0.9, 2.4 / height), aspect=15, pad=0.01, anchor=(0, 0.95)
    )
    top = colour.norm.vmax
    unit, seconds = next(
        ((name, size) for name, size in reversed(UNITS) if top >= 2 * size), UNITS[0]
    )
    step = _nice(top / seconds / 4)
    ticks = np.arange(0, top / seconds + 1e-9, step)
    bar.set_ticks((ticks * seconds).tolist(), labels=[format_number(float(t)) for t in ticks])
    wait = label("process.map.wait", lang, unit=label(f"process.unit.{unit}", lang))
    bar.set_label(wait, size=8.5)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


def _nice(step: float) -> float:
    """Return the next of 1, 2 and 5 times a power of ten.

    Examples
    --------
    >>> _nice(3.2), _nice(0.7)
    (5.0, 1.0)
    """
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(power * f for f in (1, 2, 5, 10) if power * f >= step * (1 - 1e-9)))


def duration_text(seconds: float, lang: str | None = None) -> str:
    """Write a span of time in the unit that fits.

    Examples
    --------
    >>> duration_text(40), duration_text(5400), duration_text(300_000)
    ('40 s', '90 min', '3.5 d')
    >>> duration_text(20_000, "zh")
    '5.6 小时'
    """
    unit, size = next(
        ((name, size) for name, size in reversed(UNITS) if seconds >= 1.95 * size), UNITS[0]
    )
    value = seconds / size
    digits = 0 if value >= 9.95 or unit == "second" else 1
    return label(f"process.short.{unit}", lang, value=format_number(value, digits))


def _title(log: EventLog, captions: Mapping[str, str], lang: str) -> str:
    try:
        table = log.bottlenecks("activity", unit="hour")
    except CxError:  # no time to share out
        return label("process.map.title.plain", lang, n=len(log.activities))
    rows = table[table["measure"] != "handling"]
    if not len(rows) or not rows["share"].iloc[0] > 0:
        return label("process.map.title.plain", lang, n=len(log.activities))
    top = rows.iloc[0]
    name = captions.get(top["activity"], str(top["activity"]))
    share = format_percent(100 * top["share"], 0, lang)
    return label("process.map.title", lang, activity=name, share=share)


def _note(
    graph: DiGraph[str], dropped: tuple[int, int], absent: list[str], has_ends: bool, lang: str
) -> str:
    notes = [label("process.map.note" if has_ends else "process.map.note.events", lang)]
    arrows, count = dropped
    if arrows:
        total = sum(data["count"] for *_, data in graph.edges(data=True))
        share = format_percent(100 * count / total, 1, lang)
        notes.append(label("process.map.dropped", lang, arrows=arrows, share=share))
    if absent:
        few = sorted(absent, key=str)[:NAMED]
        more = ["…"] if len(absent) > NAMED else []
        listed = label("chart.comma", lang).join([*few, *more])
        notes.append(label("process.map.dropped.activities", lang, n=len(absent), names=listed))
    return join_sentences(notes, lang)
