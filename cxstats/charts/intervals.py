"""Estimates with their intervals, one row each."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import TYPE_CHECKING

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def intervals(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[str],
    estimates: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    *,
    source: str,
    level: float = 0.95,
    reference: float = 0.0,
    axis: str = "",
    decimals: int = 2,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates as dots on their intervals, against a line of reference.

    Parameters
    ----------
    names : strings
        One per row, drawn from the top.
    estimates, low, high : numbers, one per row
        The numbers; an interval may be NaN.
    source : str
        Where the numbers come from.
    level : float
        Level of the intervals.
    reference : float
        Where the line stands; a dot whose interval includes it is hollow.
    axis : str
        What is measured, with its unit.
    decimals : int
        Digits of the numbers beside the rows.
    title : str, optional
        The finding. Without it: the largest, and how many intervals leave the reference out.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, nothing is there to draw, or an estimate is not a number.
    """
    rows, values = style.check_values(names, estimates, "estimates", signed=True)
    below, above = [float(one) for one in low], [float(one) for one in high]
    if not len(rows) == len(below) == len(above):
        raise CxError(f"{len(rows)} estimates, {len(below)} lower and {len(above)} upper limits")
    limits = list(zip(below, above, strict=True))
    clear = [not isnan(a) and not a <= reference <= b for a, b in limits]
    lang = drawable(lang)
    with style.theme(lang):
        own, ax = ax is None, style.new_axes(ax, 9.0, 1.9 + 0.36 * len(rows))
        heights = [len(rows) - 1 - i for i in range(len(rows))]
        ax.axvline(reference, color=style.INK, linewidth=0.8)
        for y, value, (a, b), is_clear in zip(heights, values, limits, clear, strict=True):
            colour = style.GOOD if is_clear else style.NEUTRAL
            ax.plot([a, b], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
            ax.scatter([value], [y], 44, facecolor=colour if is_clear else "white",
                       edgecolor=colour, zorder=3)  # fmt: skip
        none = label("chart.intervals.none", lang)
        words = [
            f"{format_number(value, decimals)}  " + (none if isnan(a) else interval(a, b, decimals))
            for value, (a, b) in zip(values, limits, strict=True)
        ]
        style.beside(ax, heights, words)
        ax.set_yticks(heights, [style.fold(name, 40) for name in rows])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.05)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel(axis)
        note = label(
            "chart.intervals.note",
            lang,
            level=format_percent(100 * level, None, lang),
            reference=format_number(reference),
        )
        heading = title or _title(rows, values, words, clear, reference, decimals, lang)
        return style.finish(ax, own, heading, source, lang, note, synthetic)


def _title(
    names: list[str],
    values: list[float],
    words: list[str],
    clear: list[bool],
    reference: float,
    decimals: int,
    lang: str,
) -> str:
    if len(names) == 1:
        value, rest = words[0].split("  ", 1)
        return label("chart.intervals.title.one", lang, name=names[0], value=value, interval=rest)
    n, line = len(names), format_number(reference)
    if not any(clear):
        return label("chart.intervals.title.none", lang, n=n, reference=line)
    kept = [i for i in range(n) if clear[i]]
    top = max(kept, key=lambda i: abs(values[i] - reference))
    return label(
        "chart.intervals.title",
        lang,
        name=names[top],
        value=format_number(values[top], decimals),
        k=sum(clear),
        n=n,
        reference=line,
    )
