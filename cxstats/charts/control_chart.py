"""A metric over waves, with control limits: what is a signal and what is only sampling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from cxstats.charts import style
from cxstats.charts.callouts import keep_apart
from cxstats.charts.driver_bars import check_level, sentences
from cxstats.charts.fonts import drawable
from cxstats.charts.quadrants import listed
from cxstats.charts.wave_series import Clock, Series, read_clock, read_place, read_series
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CHANGE = style.SEQUENCE[3]
HEAVY = 12  # how often a control limit counts, so that a note rather stands further away


def control_chart(  # noqa: PLR0913  (keywords of a chart)
    waves: Iterable[Any],
    estimates: Iterable[float],
    ci_low: Iterable[float],
    ci_high: Iterable[float],
    centre: Iterable[float],
    lower: Iterable[float],
    upper: Iterable[float],
    *,
    source: str,
    n: Iterable[float] | None = None,
    signals: Iterable[bool] | None = None,
    changes: Iterable[int] = (),
    suppressed: Iterable[bool] | None = None,
    annotations: Mapping[int, str] | None = None,
    axis: str = "",
    sigma: float = 3.0,
    level: float | None = None,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with intervals, the control limits of each wave, signals and changes.

    Limits are steps, ``centre -+ sigma s / sqrt(n)``: a wave of few answers has wide ones. A
    diamond is a signal: filled outside the limits, hollow inside (a long run on one side).

    Parameters
    ----------
    waves : dates, numbers or strings
        In order, each once. Dates and numbers stand at their true distances.
    estimates, ci_low, ci_high : numbers, one per wave
        NaN where a wave is suppressed; both limits of an interval may be NaN.
    centre, lower, upper : numbers, one per wave
        Centre and control limits; NaN where there are none.
    source : str
        Where the numbers come from.
    n : numbers, optional
        Answers of each wave, for the note.
    signals : booleans, optional
        Which waves signal; without it, those outside their limits.
    changes : integers
        Places (from 0) of waves that are the first of a new level.
    suppressed : booleans, optional
        Which waves are not shown, for example because of few answers; they leave a gap, a cross at
        the foot of the chart marks it, and the note counts them.
    annotations : mapping of int to str, optional
        What happened at a wave, by its place; put where it covers nothing.
    axis : str
        What is measured, with its unit.
    sigma : float
        Width of the limits in standard errors.
    level : float, optional
        Level of the intervals, for the note.
    title : str, optional
        The finding. Without it: changes of level and signals, or that there are none.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If lengths differ, there are fewer than two waves, they are not in order, a wave has no
        estimate and is not suppressed, limits are none, or a place is not that of a wave.
    """
    when = read_clock(list(waves))
    chart = read_series(
        when, estimates, (ci_low, ci_high), (lower, centre, upper), signals, suppressed
    )
    starts = sorted({read_place(when, at, "changes", 1) for at in changes})
    notes = {read_place(when, at, "annotations", 0): str(words) for at, words in
             (annotations or {}).items()}  # fmt: skip
    sizes = None if n is None else style.check_values(when.names, n, "n")[1]
    if level is not None:
        check_level(level)
    if isinstance(sigma, bool) or not isinstance(sigma, Real) or not sigma > 0:
        raise CxError(f"sigma={sigma!r}; allowed: a number above 0, such as 3")
    lang = drawable(lang)
    with style.theme(lang):
        own, ax = ax is None, style.new_axes(ax, min(13.0, max(9.0, 0.22 * len(when.x) + 5)), 5.2)
        inches = style.inches_wide(ax) * (1.15 if own else 1.0)
        _band(ax, when.edges, chart)
        _estimates(ax, when.x, chart)
        for i in starts:
            ax.axvline(when.edges[i], color=CHANGE, linewidth=1.6, linestyle=(0, (5, 2)), zorder=2)
        _limits(ax, when, chart, bool(notes))
        _ticks(ax, when, inches)
        ax.set_ylabel(style.fold(axis, 40))
        ax.grid(axis="y", color=style.SETTINGS["grid.color"])
        _annotate(ax, when, chart, notes, starts, lang)
        keys = _keys(chart, bool(starts), sigma, lang)
        columns = style.legend_columns([str(key.get_label()) for key in keys], inches)
        style.legend_above(ax, keys, columns)
        heading = title or _title(when, chart, starts, sizes, lang)
        note = _note(chart, sizes, level, lang)
        style.finish(ax, own, heading, source, lang, note, synthetic)
        return ax if own else style.lift_title(ax, ceil(len(keys) / columns))


def _band(ax: Axes, edges: Floats, chart: Series) -> None:
    lower, centre, upper = chart.limits
    steps = np.repeat(edges, 2)[1:-1]
    ax.fill_between(steps, np.repeat(lower, 2), np.repeat(upper, 2), color=style.PALE, alpha=0.32,
                    linewidth=0, zorder=0.6)  # fmt: skip
    for values in (lower, upper):
        ax.stairs(values, edges, baseline=None, color=style.NEUTRAL, linewidth=1, zorder=1)
    ax.stairs(centre, edges, baseline=None, color=style.NEUTRAL, linewidth=1.2,
              linestyle=(0, (4, 3)), zorder=1)  # fmt: skip


def _estimates(ax: Axes, x: Floats, chart: Series) -> None:
    """Draw intervals, the line between the points, the points, and what is not shown."""
    for place, a, b, signal in zip(x, chart.low, chart.high, chart.signal, strict=True):
        colour = style.BAD if signal else style.GOOD
        ax.plot([place, place], [a, b], color=colour, linewidth=1.5, alpha=0.75, zorder=3)
    ax.plot(x, chart.estimate, color=style.GOOD, linewidth=1.4, zorder=3.2)
    run = chart.signal & ~chart.outside
    for kind, marker, size, face, edge in (
        (~chart.signal & ~chart.hidden, "o", 26, style.GOOD, style.GOOD),
        (run, "D", 44, "white", style.BAD),
        (chart.outside, "D", 44, style.BAD, style.BAD),
    ):
        if kind.any():
            ax.scatter(x[kind], chart.estimate[kind], size, marker=marker, facecolor=face,
                       edgecolor=edge, linewidth=1.5, zorder=4)  # fmt: skip
    foot = x[chart.hidden]
    ax.plot(foot, np.full(len(foot), 0.025), "x", color=style.NEUTRAL, markersize=6,
            transform=ax.get_xaxis_transform(), zorder=4)  # fmt: skip


def _limits(ax: Axes, when: Clock, chart: Series, noted: bool) -> None:
    """Show everything, with room above and below for notes."""
    numbers = np.concatenate([chart.estimate, chart.low, chart.high, chart.limits.ravel()])
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    room = (0.3 if noted else 0.07) * ((high - low) or abs(high) or 1.0)
    ax.set_ylim(low - room - (0.06 * (high - low) if chart.hidden.any() else 0), high + room)
    margin = 0.01 * (when.edges[-1] - when.edges[0])
    ax.set_xlim(when.edges[0] - margin, when.edges[-1] + margin)
    ax.yaxis.set_major_formatter(lambda value, _: format_number(round(value, 6)))


def _ticks(ax: Axes, when: Clock, inches: float) -> None:
    """Name the waves: each, or every second, third, ... where there is no room for all."""
    span = when.edges[-1] - when.edges[0]
    nearest = float(np.diff(when.x).min()) / span * inches
    words = when.names
    if when.kind == "string":
        longest = max(map(style.display_width, words))
        if longest > 16:
            words = [style.fold(word, ceil(longest / 2) + 2) for word in words]
    wide = max(style.display_width(line) for word in words for line in word.split("\n"))
    need = (0.6 * wide + 1) * 9 / 72
    if when.kind == "string" or nearest >= need:
        every = 1 if nearest >= need else ceil(need / nearest)
        ax.set_xticks(when.x[::every].tolist(), words[::every], size=9)
    elif when.kind == "number":
        whole = bool((when.x == np.round(when.x)).all())
        ax.xaxis.set_major_locator(MaxNLocator(max(3, int(inches / need)), integer=whole))
        ax.xaxis.set_major_formatter(
            lambda value, _: format_number(round(value, 6)).replace(",", "")
        )
    else:
        # Numbers alone, which are read in both languages.
        locator = mdates.AutoDateLocator(maxticks=max(3, min(12, int(inches / 0.8))))
        ax.xaxis.set_major_locator(locator)
        plain = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S.%f"]
        zero = ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"]
        ax.xaxis.set_major_formatter(
            mdates.ConciseDateFormatter(
                locator, formats=plain, zero_formats=zero, show_offset=False
            )
        )
    ax.tick_params(axis="x", labelsize=9)


def _annotate(
    ax: Axes,
    when: Clock,
    chart: Series,
    notes: Mapping[int, str],
    starts: Sequence[int],
    lang: str,
) -> None:
    if not notes:
        return
    middle = float(np.nanmean(np.concatenate([chart.limits[1], chart.estimate])))
    points = np.column_stack([when.x, np.where(chart.hidden, middle, chart.estimate)])
    foot, top = ax.get_ylim()
    at = when.edges[list(starts)]
    # What no note may cover, as lines (x0, y0, x1, y1): estimates, their intervals, changes.
    lines = [
        np.column_stack([points[:-1], points[1:]]),
        np.column_stack([when.x, chart.low, when.x, chart.high]),
        np.column_stack([at, np.full(len(at), foot), at, np.full(len(at), top)]),
        np.column_stack([points, points]),
    ]
    limits = np.vstack([np.column_stack([when.edges[:-1], one, when.edges[1:], one])
                        for one in chart.limits])  # fmt: skip
    clear: Any = [_Piece(ax, piece) for line in np.vstack(lines) for piece in _pieces(line)]
    places = list(notes)
    keep_apart(ax, points[places], list(notes.values()), np.full(len(places), 4.0), clear,
               (float(when.edges[0]), middle), lang, np.tile(limits, (HEAVY, 1)))  # fmt: skip


def _pieces(line: Floats) -> list[Floats]:
    """Cut a slanting line into pieces, whose boxes are not much larger than they are."""
    if np.isnan(line).any():
        return []
    cuts = 8 if line[0] != line[2] and line[1] != line[3] else 1
    ends = np.linspace(line[:2], line[2:], cuts + 1)
    return [np.vstack(pair) for pair in pairwise(ends)]


class _Piece:
    """A piece of a line, which tells its place in pixels as an artist does."""

    def __init__(self, ax: Axes, ends: Floats) -> None:
        self.ax, self.ends = ax, ends

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """Return the box around it, and around a dot at its ends."""
        ends = self.ax.transData.transform(self.ends)
        reach = 1.5 if (self.ends[0] != self.ends[1]).any() else 5.0
        unit = self.ax.get_figure(root=True).dpi / 72  # type: ignore[union-attr]  # it has one
        return Bbox([ends.min(0) - reach * unit, ends.max(0) + reach * unit])


def _keys(chart: Series, changed: bool, sigma: float, lang: str) -> list[Any]:
    props: dict[str, Any] = {"color": style.NEUTRAL, "linewidth": 1.2}
    found: list[Any] = [
        Line2D([], [], color=style.GOOD, marker="o", ms=5, label=label("chart.control.key", lang)),
        Patch(facecolor="#EEEFF1", edgecolor=style.NEUTRAL,
              label=label("chart.control.limits", lang, sigma=format_number(sigma))),
    ]  # fmt: skip
    centre = chart.limits[1][~np.isnan(chart.limits[1])]
    if len(centre) and np.ptp(centre) <= 1e-9 * max(1.0, abs(centre[0])):
        value = format_number(_digits(float(centre[0])))
        words = label("chart.control.centre", lang, value=value)
        found.append(Line2D([], [], linestyle=(0, (4, 3)), label=words, **props))
    marks: dict[str, Any] = {"linestyle": "", "marker": "D", "ms": 6, "markeredgecolor": style.BAD}
    for there, key, face in (
        (chart.outside.any(), "outside", style.BAD),
        ((chart.signal & ~chart.outside).any(), "run", "white"),
    ):
        if there:
            words = label(f"chart.control.{key}", lang)
            found.append(Line2D([], [], markerfacecolor=face, label=words, **marks))
    if changed:
        words = label("chart.control.change", lang)
        found.append(Line2D([], [], color=CHANGE, lw=1.6, linestyle=(0, (3, 1.5)), label=words))
    return found


def _digits(value: float) -> float:
    """Return `value` with three significant digits, or without decimals where it is large."""
    return float(f"{value:.3g}") if abs(value) < 1000 else round(value)


def _said(when: Clock, i: int, lang: str) -> str:
    name = when.names[i]
    return label("chart.control.wave", lang, wave=name) if when.kind == "number" else name


def _title(
    when: Clock, chart: Series, starts: Sequence[int], sizes: Sequence[float] | None, lang: str
) -> str:
    n, k = int((~chart.hidden).sum()), int(chart.signal.sum())
    words = {"k": k, "n": n}
    signalling = np.flatnonzero(chart.signal)
    if not starts:
        if not k:
            return label("chart.control.title.quiet", lang, **words)
        names = listed([_said(when, int(i), lang) for i in signalling], lang)
        key = ".signals.one" if k == 1 else ".signals"
        return style.capital(label(f"chart.control.title{key}", lang, names=names, **words))
    if len(starts) > 1:
        names = listed([_said(when, i, lang) for i in starts], lang)
        return label("chart.control.title.changes", lang, names=names, m=len(starts), **words)
    weights = np.ones(len(when.x)) if sizes is None else np.array(sizes)
    weights = np.where(chart.hidden, 0, np.maximum(weights, 1e-9))
    values, at = np.nan_to_num(chart.estimate), starts[0]
    sides = (slice(None, at), slice(at, None))
    if any(not weights[side].sum() for side in sides):
        way = "moves"
    else:
        before, after = (np.average(values[side], weights=weights[side]) for side in sides)
        way = "rises" if after > before else "falls"
    wave = _said(when, at, lang)
    return label(f"chart.control.title.{way}", lang, wave=wave, **words)


def _note(chart: Series, sizes: Sequence[float] | None, level: float | None, lang: str) -> str:
    if level is None:
        parts = [label("chart.control.note", lang)]
    else:
        shown = format_percent(round(100 * level, 6), None, lang)
        parts = [label("chart.control.note.level", lang, level=shown)]
    if sizes is not None:
        seen = [size for size, hidden in zip(sizes, chart.hidden, strict=True) if not hidden]
        if seen and isfinite(min(seen)):
            low, high = format_number(min(seen)), format_number(max(seen))
            key = ".same" if low == high else ""
            parts.append(label(f"chart.control.note.n{key}", lang, low=low, high=high))
    hidden = int(chart.hidden.sum())
    if hidden:
        key = ".one" if hidden == 1 else ""
        parts.append(label(f"chart.control.note.hidden{key}", lang, k=hidden))
    return sentences(parts, lang)
