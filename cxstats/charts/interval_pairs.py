"""Two estimates a row, each with its interval: what differs between two ends or two groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import check_limits, excludes
from cxstats.charts.row_names import row_height
from cxstats.charts.wording import estimate_text, interval_text, join_sentences, level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

SIDES = ((style.BAD, "s"), (style.GOOD, "o"))  # colour and marker of the first and the second
APART = 0.19  # of the two from the middle of their row, in rows


def interval_pairs(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[str],
    first: ArrayLike,
    second: ArrayLike,
    *,
    labels: tuple[str, str],
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
    """Draw two estimates a row on their intervals, against a line of reference.

    Parameters
    ----------
    names : strings
        One per row, drawn from the top.
    first, second : arrays (n, 3)
        Estimate, lower and upper limit of each row; the limits may both be NaN.
    labels : (str, str)
        What the first and the second are called.
    source : str
        Where the numbers come from.
    level : float
        Level of the intervals.
    reference : float
        Where the line stands; a mark whose interval includes it is hollow.
    axis : str
        What is measured, with its unit.
    decimals : int
        Digits of the numbers beside the rows.
    title : str, optional
        The finding. Without it: how many intervals of each kind leave the reference out.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If shapes differ, nothing is there to draw, or an estimate is not a number.
    """
    rows = [str(name) for name in names]
    both = zip((first, second), labels, strict=True)
    pairs = [_rows_of(rows, values, which) for values, which in both]
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        folded = [style.fold(name, 40) for name in rows]
        ax = style.new_axes(ax, 9.0, 2.2 + max(0.46, row_height(folded)) * len(rows))
        heights = np.arange(len(rows))[::-1]
        ax.axvline(reference, color=style.INK, linewidth=0.8)
        clear = [[excludes((low, high), reference) for _, low, high in rows] for rows in pairs]
        sides = zip(SIDES, pairs, clear, (APART, -APART), strict=True)
        for (colour, marker), values, sure, up in sides:
            places = (heights + up).tolist()
            for y, (value, low, high), is_sure in zip(places, values, sure, strict=True):
                ax.plot([low, high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
                ax.scatter([value], [y], 34, marker=marker, edgecolor=colour, zorder=3,
                           facecolor=colour if is_sure else "white")  # fmt: skip
            texts = [f"{estimate_text(v, decimals)}  {interval_text((a, b), decimals, lang)}"
                     for v, a, b in values]  # fmt: skip
            style.beside(ax, places, texts, size=8.5)
        for y in heights[:-1]:
            ax.axhline(y - 0.5, color=style.PALE, linewidth=0.6)
        keys = [Line2D([], [], color=colour, marker=marker, markersize=6, linewidth=2, label=name)
                for (colour, marker), name in zip(SIDES, labels, strict=True)]  # fmt: skip
        style.legend_above(ax, keys, style.legend_columns(labels, style.inches_wide(ax)))
        ax.set_yticks(heights, folded)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.05)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel(axis)
        line = format_number(reference)
        notes = [label("chart.intervals.note", lang, level=level_text(level, lang))]
        if not all(map(all, clear)):
            notes.append(label("chart.interval_pairs.note.hollow", lang, reference=line))
        finding = label(
            "chart.interval_pairs.title", lang, first=labels[0], k_first=sum(clear[0]),
            second=labels[1], k_second=sum(clear[1]), n=len(rows), reference=line,
        )  # fmt: skip
        note = join_sentences(notes, lang)
        return style.finish(
            ax, standalone, title or style.capital(finding), source, lang, note, synthetic
        )


def _rows_of(names: list[str], values: ArrayLike, which: str) -> list[tuple[float, float, float]]:
    """Return estimate and limits of each row, checked."""
    array = np.asarray(values, float)
    if array.shape != (len(names), 3):
        raise CxError(
            f"{which!r} has shape {array.shape}; allowed: ({len(names)}, 3), an estimate and its "
            "two limits for each name"
        )
    _, estimates = style.check_values(names, array[:, 0].tolist(), which, signed=True)
    limits = check_limits(names, array[:, 1], array[:, 2], which)
    return [(value, *ends) for value, ends in zip(estimates, limits, strict=True)]
