"""Experiments over time: z between boundaries, a difference in its band, power by day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WIDTH, HEIGHT = 8.0, 4.6
MOST_POINTS = 2000  # of a band; more are no finer on paper


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
    t, bounds, z = (np.array([float(x) for x in one]) for one in (information, boundary, statistic))
    if not len(t) or len(t) != len(bounds) or len(z) > len(t):
        raise CxError(f"{len(t)} looks, {len(bounds)} boundaries and {len(z)} z; one for each look")
    if not np.isfinite(t).all() or not np.isfinite(z).all() or np.isnan(bounds).any():
        raise CxError("information and z must be numbers, boundaries numbers or infinite")
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, WIDTH, HEIGHT)
        shown = np.isfinite(bounds)
        top = 1.18 * max([*bounds[shown][:8], *np.abs(z), 2.5])
        ax.axhline(0, color=style.INK, linewidth=0.8)
        for sign in (1, -1):
            edge = sign * bounds[shown]
            ax.fill_between(100 * t[shown], edge, sign * top, color=style.BAD, alpha=0.08, lw=0)
            ax.plot(100 * t[shown], edge, color=style.BAD, linewidth=1.4, marker="_", markersize=12)
        crossed = np.abs(z) >= bounds[: len(z)]
        if len(z):
            _path(ax, 100 * t[: len(z)], z, crossed)
        # On the side where z is not, so that numbers do not meet.
        side = -1 if len(z) and z[np.argmax(np.abs(z))] > 0 else 1
        for x, b in zip(100 * t[shown], bounds[shown], strict=True):
            if len(t) <= 12:
                place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "size": 9}
                ax.annotate(
                    format_number(side * b, 2), (x, side * b), (0, 6 if side > 0 else -13),
                    color=style.BAD, **place,
                )  # fmt: skip
        ax.set_ylim(-top, top)
        ax.set_xlim(0, 105)
        ax.set_xlabel(label("chart.monitoring.x", lang))
        ax.set_ylabel(label("chart.monitoring.y", lang))
        note = label("chart.monitoring.note", lang)
        return style.finish(
            ax,
            standalone,
            title or _finding(bounds, z, crossed, lang),
            source,
            lang,
            note,
            synthetic,
        )


def _path(ax: Axes, x: Array, z: Array, crossed: Array) -> None:
    colours = [style.GOOD if one else "white" for one in crossed]
    ax.plot(x, z, color=style.GOOD, linewidth=1.4)
    ax.scatter(x, z, 44, color=colours, edgecolor=style.GOOD, zorder=3)
    if len(z) <= 12:
        for at, value in zip(x, z, strict=True):
            place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "size": 9}
            down = -14 if value < 0 else 8
            ax.annotate(format_number(value, 2), (at, value), (0, down), **place)


def _finding(bounds: Array, z: Array, crossed: Array, lang: str) -> str:
    if not len(z):
        words = {"looks": len(bounds), "last": format_number(bounds[-1], 2)}
        return label("chart.monitoring.title.plan", lang, **words)
    if crossed.any():
        first = int(np.argmax(crossed))
        words = {
            "look": first + 1,
            "z": format_number(z[first], 2),
            "boundary": format_number(bounds[first], 2),
        }
        return label("chart.monitoring.title.stop", lang, **words)
    return label("chart.monitoring.title.none", lang, held=len(z))


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
        Answers at each style.
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
    columns = [np.array([float(x) for x in one]) for one in (n, estimate, low, high)]
    if not len(columns[0]) or len({len(one) for one in columns}) > 1:
        raise CxError(f"lengths {[len(one) for one in columns]}; one interval for each look")
    if not np.isfinite(columns).all():
        raise CxError("a look has no estimate or no interval")
    clear = np.flatnonzero((columns[2] > 0) | (columns[3] < 0))
    every = np.unique(np.linspace(0, len(columns[0]) - 1, MOST_POINTS).astype(int))
    size, middle, lower, upper = (one[every] for one in columns)
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, WIDTH, HEIGHT)
        ax.fill_between(size, lower, upper, color=style.GOOD, alpha=0.18, lw=0)
        ax.plot(size, middle, color=style.GOOD, linewidth=1.6)
        ax.axhline(0, color=style.INK, linewidth=0.8)
        if len(clear):
            ax.axvline(columns[0][clear[0]], color=style.BAD, linewidth=1.2, linestyle="--")
        # The first intervals are wide; the axis shows what remains after a tenth of the looks.
        tail = len(size) // 10
        edge = 1.1 * max(np.abs(lower[tail:]).max(), np.abs(upper[tail:]).max())
        ax.set_ylim(-edge, edge)
        ax.margins(x=0.01)
        ax.set_xlabel(label("chart.band.x", lang))
        ax.set_ylabel(axis)
        words = {
            "value": format_number(columns[1][-1], 2, sign=True),
            "interval": interval(columns[2][-1], columns[3][-1]),
        }
        key = "clear" if len(clear) else "open"
        if len(clear):
            words["n"] = format_number(columns[0][clear[0]])
        heading = title or label(f"chart.band.title.{key}", lang, **words)
        note = label("chart.band.note", lang, level=format_percent(100 * level, None, lang))
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


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
    x, y = (np.array([float(one) for one in column]) for column in (day, power))
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
        words = {
            "days": format_number(chosen),
            "power": format_percent(100 * reached, 0, lang),
        }
        heading = title or label("chart.power_by_day.title", lang, **words)
        return style.finish(ax, standalone, heading, source, lang, "", synthetic)
