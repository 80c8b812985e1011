"""A forecast over time: what came, what was forecast, and how far the interval reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def forecast(  # noqa: PLR0913  (keywords of a chart)
    times: Sequence[Any],
    actual: Iterable[float],
    predicted: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    *,
    source: str,
    axis: str = "",
    level: float = 0.95,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw forecasts with their prediction intervals, and beside them what came.

    Parameters
    ----------
    times : dates or numbers (n,)
        In order; equally spaced on the axis where they are dates, so that closed days leave no gap.
    actual : numbers (n,)
        What came; NaN where it is missing or still to come.
    predicted, low, high : numbers (n,)
        Forecasts and the ends of their prediction intervals.
    source : str
        Where the numbers come from.
    axis : str
        What is forecast, with its unit.
    level : float
        Level of the intervals.
    title : str, optional
        The finding. Without it: how many values lie within the interval.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, nothing is there to draw, or a forecast is not a number.
    """
    values = _check(times, actual, predicted, low, high)
    came, middle, lower, upper = values
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 4.4)
        places = np.arange(len(times), dtype=float)
        band = ax.fill_between(places, lower, upper, color=style.GOOD, alpha=0.16, linewidth=0,
                               label=label("chart.forecast.band", lang,
                                           level=level_text(level, lang)))  # fmt: skip
        (line,) = ax.plot(places, middle, color=style.GOOD, linewidth=1.8,
                          label=label("chart.forecast.predicted", lang))  # fmt: skip
        inside = (lower <= came) & (came <= upper)
        colours = [style.INK if within else style.BAD for within in inside]
        ax.scatter(places, came, 20, color=colours, zorder=3)
        dots = ax.scatter([], [], 20, color=style.INK, label=label("chart.forecast.actual", lang))
        ahead = int(np.isnan(came[::-1]).cumprod().sum())
        if 0 < ahead < len(times):
            ax.axvline(len(times) - ahead - 0.5, color=style.NEUTRAL, linewidth=0.8, linestyle=":")
            if ahead == 1:  # a band of a single period has no width
                ax.errorbar(places[-1:], middle[-1:], [middle[-1:] - lower[-1:],
                            upper[-1:] - middle[-1:]], fmt="o", color=style.GOOD, markersize=5,
                            capsize=3)  # fmt: skip
        _name_times(ax, times)
        ax.margins(x=0.02)
        ax.set_xlabel(label("chart.forecast.time", lang))
        ax.set_ylabel(axis)
        ax.yaxis.set_major_formatter(lambda value, _: format_number(round(value, 6)))
        keys: list[Any] = [dots, line, band]
        if (~inside & ~np.isnan(came)).any():
            keys.insert(1, ax.scatter([], [], 20, color=style.BAD,
                                      label=label("chart.forecast.outside", lang)))  # fmt: skip
        style.legend_above(ax, keys, len(keys) if standalone else 1)
        heading = title or _title(came, inside, times, lang)
        note = label("chart.forecast.note", lang, level=level_text(level, lang))
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, len(keys))


def _check(times: Sequence[Any], *columns: Iterable[float]) -> list[Array]:
    names = ("actual", "predicted", "low", "high")
    values = [np.asarray(list(column), float) for column in columns]
    lengths = [len(column) for column in values]
    if not len(times) or {*lengths} != {len(times)}:
        stated = ", ".join(f"{n} {name}" for name, n in zip(names, lengths, strict=True))
        raise CxError(f"{len(times)} times, {stated}; one for each, at least one")
    for name, column in zip(names[1:], values[1:], strict=True):
        if not np.isfinite(column).all():
            place = int(np.flatnonzero(~np.isfinite(column))[0])
            raise CxError(f"{name}: {times[place]!s} has {column[place]}; allowed: numbers")
    return values


def _name_times(ax: Axes, times: Sequence[Any]) -> None:
    """Write about eight of the times below the axis."""
    every = max(1, round(len(times) / 8))
    places = range(0, len(times), every)
    names = [str(times[i].date()) if hasattr(times[i], "date") else str(times[i]) for i in places]
    long = max(map(len, names)) > 5
    ax.set_xticks(
        places, names, size=8.5, rotation=30 if long else 0, ha="right" if long else "center"
    )


def _title(came: Array, inside: Any, times: Sequence[Any], lang: str) -> str:
    n = int((~np.isnan(came)).sum())
    if n:
        return label("chart.forecast.title", lang, k=int(inside.sum()), n=n)
    first, last = (str(times[i]).removesuffix(" 00:00:00") for i in (0, -1))
    return label("chart.forecast.title.ahead", lang, k=len(times), first=first, last=last)
