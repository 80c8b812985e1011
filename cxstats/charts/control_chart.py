"""A metric over waves, with control limits: what is a signal and what is only sampling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
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
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, level_text, list_names, three_digits
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

MOST = 120  # waves
WRONG = {
    "estimates": "{value:g}; allowed: a number, or a wave that is suppressed",
    "intervals": "{value:g} in [{low:g}, {high:g}]; allowed: lower limit, estimate, upper limit in "
    "this order",
    "control limits": "{lower:g}, {centre:g}, {upper:g}; allowed: lower, centre, upper in this "
    "order",
}
CHANGE = style.SEQUENCE[3]
HEAVY = 12  # how often a control limit counts, so that a note rather stands further away


@dataclass(frozen=True, slots=True)
class WaveAxis:
    """Where waves stand: `x` (t,), the edges between them (t + 1,), and their names."""

    kind: str
    x: Floats
    edges: Floats
    names: list[str]


@dataclass(frozen=True, slots=True)
class WaveSeries:
    """Numbers by wave (t,); `limits` are lower, centre and upper (3, t)."""

    estimate: Floats
    low: Floats
    high: Floats
    limits: Floats
    signal: Flags
    outside: Flags
    hidden: Flags


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
    places: Iterable[float] | None = None,
    axis: str = "",
    time: str = "",
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
        Answers of each wave, for the note; may be NaN where it is suppressed.
    signals : booleans, optional
        Which waves signal; without it, those outside their limits.
    changes : integers
        Places (from 0) of waves that are the first of a new level.
    suppressed : booleans, optional
        Which waves are not shown, for example because of few answers; they leave a gap, a cross at
        the foot of the chart marks it, and the note counts them.
    annotations : mapping of int to str, optional
        What happened at a wave, by its place; put where it covers nothing.
    places : numbers, optional
        Where waves that are strings stand, at their true distances; side by side without it.
    axis : str
        What is measured, with its unit.
    time : str
        What the waves are ("month").
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
    timeline = _wave_axis(list(waves), places)
    series = _wave_series(
        timeline, estimates, (ci_low, ci_high), (lower, centre, upper), signals, suppressed
    )
    starts = sorted({_wave_index(timeline, at, "changes", 1) for at in changes})
    notes = {
        _wave_index(timeline, at, "annotations", 0): str(note)
        for at, note in (annotations or {}).items()
    }
    sizes = None if n is None else _sizes(timeline, series, n)
    if level is not None:
        check_level(level)
    if isinstance(sigma, bool) or not isinstance(sigma, Real) or not sigma > 0:
        raise CxError(f"sigma={sigma!r}; allowed: a number above 0, such as 3")
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, min(13.0, max(9.0, 0.22 * len(timeline.x) + 5)), 5.2)
        inches = style.inches_wide(ax) * (1.15 if standalone else 1.0)
        _band(ax, timeline.edges, series)
        _estimates(ax, timeline.x, series)
        for i in starts:
            ax.axvline(
                timeline.edges[i], color=CHANGE, linewidth=1.6, linestyle=(0, (5, 2)), zorder=2
            )
        _limits(ax, timeline, series, bool(notes))
        _ticks(ax, timeline, inches)
        ax.set_xlabel(time)
        ax.set_ylabel(style.fold(axis, 40))
        ax.grid(axis="y", color=style.SETTINGS["grid.color"])
        _annotate(ax, timeline, series, notes, starts, lang)
        keys = _keys(series, bool(starts), sigma, lang)
        columns = style.legend_columns([str(key.get_label()) for key in keys], inches)
        style.legend_above(ax, keys, columns)
        heading = title or _title(timeline, series, starts, sizes, lang)
        note = _note(series, sizes, level, lang)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, ceil(len(keys) / columns))


# Reading -------------------------------------------------------------------------------------


def _wave_axis(waves: list[Any], places: Iterable[float] | None = None) -> WaveAxis:
    """Return where waves stand: dates and numbers at true distances, strings at their places."""
    if not 2 <= len(waves) <= MOST:
        raise CxError(f"{len(waves)} waves; allowed: 2 to {MOST}")
    waves = [wave.to_timestamp() if hasattr(wave, "to_timestamp") else wave for wave in waves]
    if all(isinstance(wave, date | np.datetime64) for wave in waves):  # a Timestamp is a date
        waves = _without_zone(waves)
        kind, x = "date", np.asarray(mdates.date2num(waves), float)
        names = [_date_text(wave) for wave in waves]
    elif all(isinstance(wave, Real) and not isinstance(wave, bool) for wave in waves):
        kind, x = "number", np.array(waves, float)
        names = [_ungrouped(float(wave)) for wave in waves]
    else:
        kind, x, names = "string", np.arange(float(len(waves))), [str(wave) for wave in waves]
        if places is not None:
            x = np.array(list(places), float)
            if x.shape != (len(waves),):
                raise CxError(f"{len(waves)} waves, but {x.size} places; one for each")
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise CxError(f"waves: {twice[0]!r} is there twice; allowed: each once")
    for i, (a, b) in enumerate(pairwise(x)):
        if not b > a:
            raise CxError(
                f"waves: {names[i + 1]!r} does not come after {names[i]!r}; allowed: in order, "
                "each once"
            )
    between = (x[1:] + x[:-1]) / 2
    edges = np.array([x[0] - (between[0] - x[0]), *between, x[-1] + (x[-1] - between[-1])])
    return WaveAxis(kind, x, edges, names)


def _without_zone(waves: list[Any]) -> list[Any]:
    """Return times as the clocks of their zone show them; matplotlib would draw them in UTC.

    Where clocks are put back between two waves, all are on the clock of the first.
    """
    if not any(getattr(wave, "tzinfo", None) for wave in waves):
        return waves
    clocks = [wave.replace(tzinfo=None) for wave in waves]
    back = any(a >= b for a, b in pairwise(clocks)) and all(a < b for a, b in pairwise(waves))
    return [clocks[0] + (wave - waves[0]) for wave in waves] if back else clocks


def _date_text(moment: Any) -> str:
    return str(np.datetime64(moment, "s")).removesuffix("T00:00:00").replace("T", " ")


def _ungrouped(value: float) -> str:
    """Write a number of a wave, which may be a year, without grouping its digits."""
    return format_number(value).replace(",", "")


def _column(timeline: WaveAxis, values: Iterable[Any], what: str) -> Floats:
    """Return one number per wave; NaN is allowed."""
    try:
        column = np.array([float(value) for value in values])
    except (TypeError, ValueError) as error:
        raise CxError(f"{what}: {error}; allowed: numbers, or NaN") from error
    if len(column) != len(timeline.x):
        raise CxError(f"{len(timeline.x)} waves, but {len(column)} values of {what}; one for each")
    return column


def _wave_series(
    timeline: WaveAxis,
    estimates: Iterable[float],
    ends: Sequence[Iterable[float]],
    limits: Sequence[Iterable[float]],
    signals: Iterable[bool] | None,
    suppressed: Iterable[bool] | None,
) -> WaveSeries:
    """Return the numbers of the waves, with what is suppressed taken out."""
    estimate = _column(timeline, estimates, "estimates")
    low, high = (
        _column(timeline, values, what)
        for values, what in zip(ends, ("ci_low", "ci_high"), strict=True)
    )
    lower, centre, upper = (
        _column(timeline, values, what)
        for values, what in zip(limits, ("lower", "centre", "upper"), strict=True)
    )
    hidden = (
        np.isnan(estimate) if suppressed is None else _flags(timeline, suppressed, "suppressed")
    )
    wrong = {
        "estimates": ~hidden & ~np.isfinite(estimate),
        "intervals": ~hidden & ((low > estimate) | (high < estimate)),
        "control limits": (lower > centre) | (centre > upper),
    }
    for what, flags in wrong.items():
        if flags.any():
            i = int(flags.argmax())
            numbers = {"value": estimate[i], "low": low[i], "high": high[i]}
            numbers |= {"lower": lower[i], "centre": centre[i], "upper": upper[i]}
            raise CxError(f"{what}: wave {timeline.names[i]!r} has {WRONG[what].format(**numbers)}")
    estimate = np.where(hidden, np.nan, estimate)
    outside = (estimate < lower) | (estimate > upper)
    signal = outside if signals is None else _flags(timeline, signals, "signals") & ~hidden
    return WaveSeries(
        estimate=estimate,
        low=np.where(hidden, np.nan, low),
        high=np.where(hidden, np.nan, high),
        limits=np.array([lower, centre, upper]),
        signal=signal,
        outside=outside & signal,
        hidden=hidden,
    )


def _flags(timeline: WaveAxis, values: Iterable[bool], what: str) -> Flags:
    return _column(timeline, values, what) > 0


def _wave_index(timeline: WaveAxis, at: Any, what: str, first: int) -> int:
    """Return the place of a wave, or raise."""
    is_integer = isinstance(at, int | np.integer) and not isinstance(at, bool)
    if not is_integer or not first <= at < len(timeline.x):
        raise CxError(
            f"{what}: {at!r}; allowed: whole numbers from {first} to {len(timeline.x) - 1}"
        )
    return int(at)


# Drawing -------------------------------------------------------------------------------------


def _band(ax: Axes, edges: Floats, series: WaveSeries) -> None:
    lower, centre, upper = series.limits
    steps = np.repeat(edges, 2)[1:-1]
    ax.fill_between(steps, np.repeat(lower, 2), np.repeat(upper, 2), color=style.PALE, alpha=0.32,
                    linewidth=0, zorder=0.6)  # fmt: skip
    for values in (lower, upper):
        ax.stairs(values, edges, baseline=None, color=style.NEUTRAL, linewidth=1, zorder=1)
    ax.stairs(centre, edges, baseline=None, color=style.NEUTRAL, linewidth=1.2,
              linestyle=(0, (4, 3)), zorder=1)  # fmt: skip


def _estimates(ax: Axes, x: Floats, series: WaveSeries) -> None:
    """Draw intervals, the line between the points, the points, and what is not shown."""
    for place, a, b, signal in zip(x, series.low, series.high, series.signal, strict=True):
        colour = style.BAD if signal else style.GOOD
        ax.plot([place, place], [a, b], color=colour, linewidth=1.5, alpha=0.75, zorder=3)
    ax.plot(x, series.estimate, color=style.GOOD, linewidth=1.4, zorder=3.2)
    run = series.signal & ~series.outside
    for kind, marker, size, face, edge in (
        (~series.signal & ~series.hidden, "o", 26, style.GOOD, style.GOOD),
        (run, "D", 44, "white", style.BAD),
        (series.outside, "D", 44, style.BAD, style.BAD),
    ):
        if kind.any():
            ax.scatter(x[kind], series.estimate[kind], size, marker=marker, facecolor=face,
                       edgecolor=edge, linewidth=1.5, zorder=4)  # fmt: skip
    foot = x[series.hidden]
    ax.plot(foot, np.full(len(foot), 0.025), "x", color=style.NEUTRAL, markersize=6,
            transform=ax.get_xaxis_transform(), zorder=4)  # fmt: skip


def _limits(ax: Axes, timeline: WaveAxis, series: WaveSeries, noted: bool) -> None:
    """Show everything, with room above and below for notes."""
    numbers = np.concatenate([series.estimate, series.low, series.high, series.limits.ravel()])
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    room = (0.3 if noted else 0.07) * ((high - low) or abs(high) or 1.0)
    ax.set_ylim(low - room - (0.06 * (high - low) if series.hidden.any() else 0), high + room)
    margin = 0.01 * (timeline.edges[-1] - timeline.edges[0])
    ax.set_xlim(timeline.edges[0] - margin, timeline.edges[-1] + margin)
    ax.yaxis.set_major_formatter(lambda value, _: format_number(round(value, 6)))


def _ticks(ax: Axes, timeline: WaveAxis, inches: float) -> None:
    """Name the waves: each, or every second, third, ... where there is no room for all."""
    span = timeline.edges[-1] - timeline.edges[0]
    nearest = float(np.diff(timeline.x).min()) / span * inches
    names = timeline.names
    longest = max(map(style.display_width, names))
    if timeline.kind == "string" and longest > 16:
        names = [style.fold(name, ceil(longest / 2) + 2) for name in names]
    wide = max(style.display_width(line) for name in names for line in name.split("\n"))
    need = (0.6 * wide + 1) * 9 / 72
    if timeline.kind == "string" or nearest >= need:
        every = 1 if nearest >= need else ceil(need / nearest)
        ax.set_xticks(timeline.x[::every].tolist(), names[::every], size=9)
    elif timeline.kind == "number":
        integer = bool((timeline.x == np.round(timeline.x)).all())
        ax.xaxis.set_major_locator(MaxNLocator(max(3, int(inches / need)), integer=integer))
        ax.xaxis.set_major_formatter(lambda value, _: _ungrouped(round(value, 6)))
    else:
        _date_ticks(ax, max(3, min(12, int(inches / 0.8))))
    ax.tick_params(axis="x", labelsize=9)


def _date_ticks(ax: Axes, most: int) -> None:
    """Write dates as numbers alone, which are read in both languages."""
    locator = mdates.AutoDateLocator(maxticks=most)
    formats = ["%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M", "%S.%f"]
    zero_formats = ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"]
    formatter = mdates.ConciseDateFormatter(
        locator, formats=formats, zero_formats=zero_formats, show_offset=False
    )
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(formatter)


def _annotate(
    ax: Axes,
    timeline: WaveAxis,
    series: WaveSeries,
    notes: Mapping[int, str],
    starts: Sequence[int],
    lang: str,
) -> None:
    if not notes:
        return
    middle = float(np.nanmean(np.concatenate([series.limits[1], series.estimate])))
    points = np.column_stack([timeline.x, np.where(series.hidden, middle, series.estimate)])
    foot, top = ax.get_ylim()
    at = timeline.edges[list(starts)]
    # What no note may cover, as lines (x0, y0, x1, y1): estimates, their intervals, changes.
    lines = [
        np.column_stack([points[:-1], points[1:]]),
        np.column_stack([timeline.x, series.low, timeline.x, series.high]),
        np.column_stack([at, np.full(len(at), foot), at, np.full(len(at), top)]),
        np.column_stack([points, points]),
    ]
    limits = np.vstack([np.column_stack([timeline.edges[:-1], limit, timeline.edges[1:], limit])
                        for limit in series.limits])  # fmt: skip
    avoid: Any = [_Piece(ax, piece) for line in np.vstack(lines) for piece in _pieces(line)]
    places = list(notes)
    keep_apart(ax, points[places], list(notes.values()), np.full(len(places), 4.0), avoid,
               (float(timeline.edges[0]), middle), lang, np.tile(limits, (HEAVY, 1)))  # fmt: skip


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


def _keys(series: WaveSeries, changed: bool, sigma: float, lang: str) -> list[Any]:
    """Return the legend: the estimates, the limits, and what else is there."""
    props: dict[str, Any] = {"color": style.NEUTRAL, "linewidth": 1.2}
    keys: list[Any] = [
        Line2D([], [], color=style.GOOD, marker="o", ms=5, label=label("chart.control.key", lang)),
        Patch(facecolor="#EEEFF1", edgecolor=style.NEUTRAL,
              label=label("chart.control.limits", lang, sigma=format_number(sigma))),
    ]  # fmt: skip
    centre = series.limits[1][~np.isnan(series.limits[1])]
    if len(centre) and np.ptp(centre) <= 1e-9 * max(1.0, abs(centre[0])):
        entry = label("chart.control.centre", lang, value=three_digits(float(centre[0])))
        keys.append(Line2D([], [], linestyle=(0, (4, 3)), label=entry, **props))
    marks: dict[str, Any] = {"linestyle": "", "marker": "D", "ms": 6, "markeredgecolor": style.BAD}
    for there, key, face in (
        (series.outside.any(), "outside", style.BAD),
        ((series.signal & ~series.outside).any(), "run", "white"),
    ):
        if there:
            entry = label(f"chart.control.{key}", lang)
            keys.append(Line2D([], [], markerfacecolor=face, label=entry, **marks))
    if changed:
        entry = label("chart.control.change", lang)
        keys.append(Line2D([], [], color=CHANGE, lw=1.6, linestyle=(0, (3, 1.5)), label=entry))
    return keys


# Wording -------------------------------------------------------------------------------------


def _wave_name(timeline: WaveAxis, i: int, lang: str) -> str:
    name = timeline.names[i]
    return label("chart.control.wave", lang, wave=name) if timeline.kind == "number" else name


def _title(
    timeline: WaveAxis,
    series: WaveSeries,
    starts: Sequence[int],
    sizes: Sequence[float] | None,
    lang: str,
) -> str:
    n, k = int((~series.hidden).sum()), int(series.signal.sum())
    if not starts and not k:
        return label("chart.control.title.quiet", lang, n=n)
    named = starts or [int(i) for i in np.flatnonzero(series.signal)]
    names = list_names([_wave_name(timeline, i, lang) for i in named], lang)
    if not starts:
        key = ".signals.one" if k == 1 else ".signals"
        return style.capital(label(f"chart.control.title{key}", lang, names=names, k=k, n=n))
    if len(starts) > 1:
        m = len(starts)
        return label("chart.control.title.changes", lang, names=names, m=m, k=k, n=n)
    key = _direction(series, starts[0], sizes)
    return label(f"chart.control.title.{key}", lang, wave=names, k=k, n=n)


def _sizes(timeline: WaveAxis, series: WaveSeries, n: Iterable[float]) -> list[float]:
    """Return the answers of each wave; those of a suppressed one may be missing, and count none."""
    sizes = list(n)
    if len(sizes) == len(series.hidden):
        sizes = [0.0 if hidden and size != size else size  # noqa: PLR0124  (NaN differs from itself)
                 for size, hidden in zip(sizes, series.hidden, strict=True)]  # fmt: skip
    return style.check_values(timeline.names, sizes, "n")[1]


def _direction(series: WaveSeries, start: int, sizes: Sequence[float] | None) -> str:
    """Return whether the weighted mean rises or falls at `start`, or only moves."""
    weights = np.ones(len(series.hidden)) if sizes is None else np.array(sizes)
    weights = np.where(series.hidden, 0, np.maximum(weights, 1e-9))
    estimate, sides = np.nan_to_num(series.estimate), (slice(None, start), slice(start, None))
    if any(not weights[side].sum() for side in sides):
        return "moves"
    before, after = (np.average(estimate[side], weights=weights[side]) for side in sides)
    return "rises" if after > before else "falls"


def _note(series: WaveSeries, sizes: Sequence[float] | None, level: float | None, lang: str) -> str:
    if level is None:
        notes = [label("chart.control.note", lang)]
    else:
        notes = [label("chart.control.note.level", lang, level=level_text(level, lang))]
    if sizes is not None:
        seen = [size for size, hidden in zip(sizes, series.hidden, strict=True) if not hidden]
        if seen and isfinite(min(seen)):
            low, high = format_number(min(seen)), format_number(max(seen))
            key = ".same" if low == high else ""
            notes.append(label(f"chart.control.note.n{key}", lang, low=low, high=high))
    n_hidden = int(series.hidden.sum())
    if n_hidden:
        key = ".one" if n_hidden == 1 else ""
        notes.append(label(f"chart.control.note.hidden{key}", lang, k=n_hidden))
    return join_sentences(notes, lang)
