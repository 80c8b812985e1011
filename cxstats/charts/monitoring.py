"""Experiments over time: z between boundaries, a difference in its band, power by day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WIDTH, HEIGHT = 8.0, 4.6
MOST_POINTS = 2000  # of a band; more are no finer on paper
MOST_NUMBERS = 12  # looks whose numbers are written


def stopping_boundaries(
    information: Iterable[float],
    boundary: Iterable[float],
    statistic: Iterable[float],
    *,
    source: str,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw z at each look between the boundaries at which an experiment stops.

    Parameters
    ----------
    information : numbers (k,)
        Share of the planned answers at each look, held or to come.
    boundary : numbers (k,)
        Boundaries of ``|z|``; infinite where there is no test.
    statistic : numbers, at most k
        z of the looks held so far, in order.
    source : str
        Where the numbers come from.
    title : str, optional
        The finding. Without it: whether a boundary was crossed.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths do not match, or nothing is there to draw.
    """
    t, bounds, z = map(_numbers, (information, boundary, statistic))
    if not len(t) or len(t) != len(bounds) or len(z) > len(t):
        raise CxError(f"{len(t)} looks, {len(bounds)} boundaries and {len(z)} z; one for each look")
    if not np.isfinite(t).all() or not np.isfinite(z).all() or np.isnan(bounds).any():
        raise CxError("information and z must be numbers, boundaries numbers or infinite")
    crossed, tested = np.abs(z) >= bounds[: len(z)], np.isfinite(bounds)
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, WIDTH, HEIGHT)
        top = 1.18 * max([*bounds[tested][:8], *np.abs(z), 2.5])
        ax.axhline(0, color=style.INK, linewidth=0.8)
        _stopping_regions(ax, 100 * t[tested], bounds[tested], top)
        _statistics(ax, 100 * t[: len(z)], z, crossed)
        if len(t) <= MOST_NUMBERS:
            _boundary_numbers(ax, 100 * t[tested], bounds[tested], z)
        ax.set_ylim(-top, top)
        ax.set_xlim(0, 105)
        ax.set_xlabel(label("chart.monitoring.x", lang))
        ax.set_ylabel(label("chart.monitoring.y", lang))
        notes = [label("chart.monitoring.note", lang)]
        if len(z):
            notes.append(label("chart.monitoring.note.dots", lang))
        heading, note = title or _finding(bounds, z, crossed, lang), join_sentences(notes, lang)
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


def _numbers(values: Iterable[float]) -> Array:
    return np.array([float(value) for value in values])


def _stopping_regions(ax: Axes, x: Array, bounds: Array, top: float) -> None:
    for edge, end in ((bounds, top), (-bounds, -top)):
        ax.fill_between(x, edge, end, color=style.BAD, alpha=0.08, lw=0)
        ax.plot(x, edge, color=style.BAD, linewidth=1.4, marker="_", markersize=12)


def _statistics(ax: Axes, x: Array, z: Array, crossed: NDArray[np.bool_]) -> None:
    """Draw z of the looks so far, filled beyond the boundary."""
    if not len(z):
        return
    ax.plot(x, z, color=style.GOOD, linewidth=1.4)
    faces = [style.GOOD if beyond else "white" for beyond in crossed]
    ax.scatter(x, z, 44, color=faces, edgecolor=style.GOOD, zorder=3)
    if len(z) <= MOST_NUMBERS:
        for at, value in zip(x, z, strict=True):
            _number_at(ax, at, value, -14 if value < 0 else 8)


def _boundary_numbers(ax: Axes, x: Array, bounds: Array, z: Array) -> None:
    """Write the boundaries where z is not, so that numbers do not meet."""
    sides = (1, -1) if not len(z) else (-1,) if z[np.argmax(np.abs(z))] > 0 else (1,)
    for side in sides:
        for at, bound in zip(x, bounds, strict=True):
            _number_at(ax, at, side * bound, 6 if side > 0 else -13, color=style.BAD)


def _number_at(ax: Axes, x: float, y: float, offset: float, **props: Any) -> None:
    ax.annotate(format_number(y, 2), (x, y), (0, offset), textcoords="offset points", ha="center",
                size=9, **props)  # fmt: skip


def _finding(bounds: Array, z: Array, crossed: NDArray[np.bool_], lang: str) -> str:
    if not len(z):
        looks, last = len(bounds), format_number(bounds[-1], 2)
        return label("chart.monitoring.title.plan", lang, looks=looks, last=last)
    if not crossed.any():
        return label("chart.monitoring.title.none", lang, held=len(z))
    first = int(np.argmax(crossed))
    value, boundary = format_number(z[first], 2), format_number(bounds[first], 2)
    return label("chart.monitoring.title.stop", lang, look=first + 1, z=value, boundary=boundary)


def confidence_band(  # noqa: PLR0913  (keywords of a chart)
    n: Iterable[float],
    estimate: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    *,
    source: str,
    axis: str,
    level: float = 0.95,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a difference and its confidence sequence by the answers so far.

    Parameters
    ----------
    n : numbers (k,)
        Answers at each look.
    estimate, low, high : numbers (k,)
        The difference and its interval.
    axis : str
        What is measured, with its unit.
    level : float
        Of all intervals together.
    source, title, synthetic, lang, ax
        As in `stopping_boundaries`.

    Raises
    ------
    CxError
        If the lengths differ, or nothing is there to draw.
    """
    columns = [_numbers(values) for values in (n, estimate, low, high)]
    lengths = [len(column) for column in columns]
    if not lengths[0] or len(set(lengths)) > 1:
        raise CxError(f"lengths {lengths}; one interval for each look")
    if not np.isfinite(columns).all():
        raise CxError("a look has no estimate or no interval")
    answers, middle, lower, upper = columns
    decided = np.flatnonzero((lower > 0) | (upper < 0))
    first = None if not len(decided) else float(answers[decided[0]])
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, WIDTH, HEIGHT)
        _band(ax, *columns)
        if first is not None:
            ax.axvline(first, color=style.BAD, linewidth=1.2, linestyle="--")
        ax.set_xlabel(label("chart.band.x", lang))
        ax.set_ylabel(axis)
        value = format_number(middle[-1], 2, sign=True)
        values = {"value": value, "interval": interval(lower[-1], upper[-1])}
        notes = [label("chart.band.note", lang, level=level_text(level, lang))]
        if first is None:
            finding = label("chart.band.title.open", lang, **values)
        else:
            finding = label("chart.band.title.clear", lang, n=format_number(first), **values)
            notes.append(label("chart.band.note.clear", lang))
        note = join_sentences(notes, lang)
        return style.finish(ax, standalone, title or finding, source, lang, note, synthetic)


def _band(ax: Axes, *columns: Array) -> None:
    """Draw the difference and its intervals, of many looks evenly spaced ones."""
    every = np.unique(np.linspace(0, len(columns[0]) - 1, MOST_POINTS).astype(int))
    answers, middle, lower, upper = (column[every] for column in columns)
    ax.fill_between(answers, lower, upper, color=style.GOOD, alpha=0.18, lw=0)
    ax.plot(answers, middle, color=style.GOOD, linewidth=1.6)
    ax.axhline(0, color=style.INK, linewidth=0.8)
    # The first intervals are wide; the axis shows what remains after a tenth of the looks.
    tail = len(answers) // 10
    edge = 1.1 * max(np.abs(lower[tail:]).max(), np.abs(upper[tail:]).max())
    ax.set_ylim(-edge, edge)
    ax.margins(x=0.01)


def power_by_day(  # noqa: PLR0913  (keywords of a chart)
    day: Iterable[float],
    power: Iterable[float],
    *,
    source: str,
    chosen: int,
    target: float | None = None,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the power of an experiment by the day on which it ends.

    Parameters
    ----------
    day, power : numbers (k,)
        Days from the start, and power from 0 to 1.
    chosen : int
        The day planned.
    target : float, optional
        The power asked for.
    source, title, synthetic, lang, ax
        As in `stopping_boundaries`.

    Raises
    ------
    CxError
        If the lengths differ, or nothing is there to draw.
    """
    x, y = _numbers(day), _numbers(power)
    if not len(x) or len(x) != len(y) or not np.isfinite([x, y]).all():
        raise CxError(f"{len(x)} days and {len(y)} powers; one for each day, numbers")
    reached = float(np.interp(chosen, x, y))
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, WIDTH, HEIGHT)
        ax.plot(x, 100 * y, color=style.GOOD, linewidth=1.8)
        if target is not None:
            ax.axhline(100 * target, color=style.NEUTRAL, linewidth=0.8, linestyle="--")
        ax.scatter([chosen], [100 * reached], 50, color=style.BAD, zorder=3)
        ax.axvline(chosen, color=style.BAD, linewidth=0.8)
        ax.set_ylim(0, 103)
        ax.set_xlim(0, x.max())
        step = 7 * max(1, int(np.ceil(x.max() / 7 / 10)))
        ax.set_xticks(np.arange(0, x.max() + 1, step))
        ax.set_xlabel(label("chart.power_by_day.x", lang))
        ax.set_ylabel(label("chart.power_by_day.y", lang))
        percent = format_percent(100 * reached, 0, lang)
        days = format_number(chosen)
        heading = title or label("chart.power_by_day.title", lang, days=days, power=percent)
        return style.finish(ax, standalone, heading, source, lang, "", synthetic)
