"""Survival curves by group: steps with bands, censored cases, and how many are still seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, level_text, three_digits
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.core.messages import cut

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.stats.survival import SurvivalCurve

MOST = 14  # curves: the colours twice, the second time with broken lines
MOST_BANDS = 4  # curves whose bands can still be told apart
MOST_MARKS = 80  # marks of censored cases, beyond which they are a second line
LONGEST_NAME = 24
ROW = 13  # points from one line of numbers to the next
BELOW_AXIS = 42  # points from the axes to the first of them, below ticks and label


def survival_curves(  # noqa: PLR0913  (keywords of a chart)
    curves: Mapping[str, SurvivalCurve],
    *,
    source: str,
    axis: str,
    without: str = "",
    level: float = 0.95,
    title: str | None = None,
    note: str = "",
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw Kaplan-Meier curves, their bands, and below the axis the numbers at risk.

    Parameters
    ----------
    curves : mapping of str to SurvivalCurve
        By the name of the group; one curve needs no name. At most 14; bands for at most 4.
    source : str
        Where the numbers come from.
    axis : str
        What the time is, with its unit.
    without : str
        Which share is drawn (%); without it, that of those without the event.
    level : float
        Of the bands, which are pointwise.
    title : str, optional
        The finding. Without it: the medians, or the ends of the curves where one is not reached.
    note : str
        What a reader must know beside what the chart says itself.
    synthetic : bool
        Whether the numbers are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If there is no curve, or more than can be told apart.
    """
    if not 1 <= len(curves) <= MOST:
        raise CxError(f"{len(curves)} curves; allowed: 1 to {MOST} that can be told apart")
    lang, banded = drawable(lang), len(curves) <= MOST_BANDS
    with style.theme(lang):
        standalone = ax is None
        rows = len(curves) + 1
        ax = style.new_axes(ax, 8.4, 4.6 + rows * ROW / 72)
        keys, marked = [], True
        for i, (name, curve) in enumerate(curves.items()):
            keys.append(_line(i, name))
            marked &= _draw(ax, curve, keys[-1], banded)
        end = max(float(curve.time[-1]) for curve in curves.values()) or 1.0
        ax.set(xlim=(0, 1.02 * end), ylim=(0, 103), xlabel=axis)
        ax.set_ylabel(without or label("chart.survival.without", lang))
        ticks = [t for t in MaxNLocator(6).tick_values(0, end) if t <= 1.02 * end]
        ax.set_xticks(ticks, [format_number(t) for t in ticks])
        ax.grid(axis="y", color=style.SETTINGS["grid.color"])
        _numbers_at_risk(ax, curves, ticks, lang)
        if len(curves) > 1:
            columns = style.legend_columns([str(k.get_label()) for k in keys], 7.0)
            style.legend_above(ax, keys, columns)
        told = label("chart.survival.band", lang, level=level_text(level, lang)) if banded else ""
        marks = label("chart.survival.marks" if marked else "chart.survival.unmarked", lang)
        below = join_sentences([told, marks, note], lang)
        heading = title or _title(curves, lang)
        depth = rows * ROW + 6
        ax = style.finish(ax, standalone, heading, source, lang, below, synthetic, depth=depth)
        if standalone or len(curves) == 1:
            return ax
        return style.lift_title(ax, -(-len(keys) // columns))


def _line(i: int, name: str) -> Line2D:
    """Return the line of a group, as the legend shows it."""
    n = len(style.SEQUENCE)
    dashes: Any = "-" if i < n else (0, (4, 1.5))
    name = cut(name, LONGEST_NAME)
    return Line2D([], [], color=style.SEQUENCE[i % n], linewidth=2.0, linestyle=dashes, label=name)


def _draw(ax: Axes, curve: SurvivalCurve, key: Line2D, banded: bool) -> bool:
    """Draw a curve, its band, its censored cases; return whether these are marked."""
    colour = key.get_color()
    x, y = np.append(0.0, curve.time), 100 * np.append(1.0, curve.estimate)
    ax.step(x, y, where="post", color=colour, linewidth=2.0, linestyle=key.get_linestyle())
    if banded:
        ax.fill_between(curve.time, 100 * curve.ci_low, 100 * curve.ci_high, step="post",
                        color=colour, alpha=0.15, linewidth=0)  # fmt: skip
    censored = curve.n_censored > 0
    few = int(censored.sum()) <= MOST_MARKS
    if few:
        ax.plot(curve.time[censored], 100 * curve.estimate[censored], "|", color=colour,
                markersize=7, markeredgewidth=1.1)  # fmt: skip
    return few


def _numbers_at_risk(
    ax: Axes, curves: Mapping[str, SurvivalCurve], ticks: list[float], lang: str
) -> None:
    """Write below the axis how many of each group are still seen at each tick."""
    options: dict[str, Any] = {"textcoords": "offset points", "va": "top", "size": 9}
    head = label("chart.survival.at_risk", lang)
    ax.annotate(head, (0, 0), (0, -BELOW_AXIS), "axes fraction", ha="left",
                color=style.NEUTRAL, **options)  # fmt: skip
    for i, (name, curve) in enumerate(curves.items()):
        height, colour = -BELOW_AXIS - ROW * (i + 1), style.SEQUENCE[i % len(style.SEQUENCE)]
        if len(curves) > 1:
            ax.annotate(cut(name, LONGEST_NAME), (0, 0), (-22, height), "axes fraction",
                        ha="right", color=colour, **options)  # fmt: skip
        for tick in ticks:
            place = np.searchsorted(curve.time, tick)  # the first time not before the tick
            n = curve.n_at_risk[place] if place < len(curve.time) else 0
            ax.annotate(format_number(n), (tick, 0), (0, height), ("data", "axes fraction"),
                        ha="center", color=style.INK, **options)  # fmt: skip


def _title(curves: Mapping[str, SurvivalCurve], lang: str) -> str:
    """Return the medians from lowest to highest, or the shares where the shortest curve ends."""
    medians = {name: curve.quantile()[0] for name, curve in curves.items()}
    if len(curves) == 1 and not np.isnan(median := next(iter(medians.values()))):
        return label("chart.survival.title.median", lang, median=three_digits(median))
    end = min(float(curve.time[-1]) for curve in curves.values())
    shares = {name: float(curve.at(end)) for name, curve in curves.items()}
    if len(curves) == 1:
        share = format_percent(100 * next(iter(shares.values())), 1, lang)
        return label("chart.survival.title.end", lang, time=three_digits(end), share=share)
    reached = not np.isnan(list(medians.values())).any()
    values = medians if reached else shares
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    texts = [
        three_digits(values[name]) if reached else format_percent(100 * values[name], 1, lang)
        for name in (low, high)
    ]
    key = "medians" if reached else "ends"
    return label(f"chart.survival.title.{key}", lang, low=texts[0], high=texts[1],
                 first=cut(low, LONGEST_NAME), last=cut(high, LONGEST_NAME),
                 time=three_digits(end))  # fmt: skip
