"""Counts of weeks as bars, with the limit of what chance brings and the weeks beyond it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DAYS = 7


def weekly_counts(  # noqa: PLR0913  (keywords of a chart)
    weeks: Iterable[Any],
    counts: Iterable[float],
    centre: Iterable[float],
    limit: Iterable[float],
    alerts: Iterable[bool],
    *,
    n_baseline: int,
    source: str,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw counts of weeks, the mean and limit of their baseline, and the alerts.

    Parameters
    ----------
    weeks : dates
        First days, one week from each to the next.
    counts, centre, limit : numbers, one per week
        Items; the mean of the baseline; the largest count that is no alert.
    alerts : booleans
    n_baseline : int
        How many first weeks are the baseline.
    source : str
        Where the counts come from.
    title : str, optional
        The finding. Without it: how many weeks are alerts.
    synthetic : bool
        Whether the counts are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If there are no weeks, or the baseline is longer than they are.
    """
    starts = np.array([date2num(week) for week in weeks])
    values, means, limits = (np.array(list(x), float) for x in (counts, centre, limit))
    marked = np.array(list(alerts), bool)
    if not len(starts) or not len(starts) == len(values) == len(means) == len(limits) == len(
        marked
    ):
        raise CxError(f"{len(starts)} weeks and {len(values)} counts; allowed: as many, 1 or more")
    if not 0 <= n_baseline <= len(starts):
        raise CxError(f"n_baseline={n_baseline}; allowed: 0 to {len(starts)}, the number of weeks")
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.0, 3.9)
        is_baseline = np.arange(len(starts)) < n_baseline
        colours = np.where(marked, style.BAD, np.where(is_baseline, style.NEUTRAL, style.GOOD))
        ax.bar(starts, values, 0.86 * DAYS, align="edge", color=colours.tolist(), linewidth=0)
        edges = np.append(starts, starts[-1] + DAYS)
        ax.stairs(limits, edges, baseline=None, color=style.INK, linewidth=1.4)
        ax.stairs(means, edges, baseline=None, color=style.INK, linewidth=1, linestyle=":")
        ax.set_xlim(edges[0], edges[-1])
        ax.set_ylim(0, 1.08 * max(values.max(), limits.max(), 1))
        # Numbers, since matplotlib knows the names of months in one language only.
        ax.xaxis.set_major_locator(AutoDateLocator(maxticks=7))
        ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
        ax.set_ylabel(label("chart.weekly.axis", lang))
        ax.set_xlabel(label("chart.weekly.week", lang))
        style.legend_above(ax, _keys(is_baseline, marked, lang), 3 if standalone else 2)
        heading = title or label("chart.weekly.title", lang, k=int(marked.sum()), n=len(starts))
        ax = style.finish(ax, standalone, heading, source, lang, synthetic=synthetic)
        return ax if standalone else style.lift_title(ax, 3)


def _keys(is_baseline: Any, marked: Any, lang: str) -> list[Any]:
    """Return the entries of the legend, of what is there."""
    patches = [("baseline", style.NEUTRAL, is_baseline.any()),
               ("later", style.GOOD, (~is_baseline & ~marked).any()),
               ("alert", style.BAD, marked.any())]  # fmt: skip
    keys: list[Any] = [
        Patch(color=colour, label=label(f"chart.weekly.{name}", lang))
        for name, colour, there in patches
        if there
    ]
    limit, centre = (label(f"chart.weekly.{name}", lang) for name in ("limit", "centre"))
    return [
        *keys,
        Line2D([], [], color=style.INK, linewidth=1.4, label=limit),
        Line2D([], [], color=style.INK, linewidth=1, linestyle=":", label=centre),
    ]
