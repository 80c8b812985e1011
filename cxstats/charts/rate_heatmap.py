"""Rates in rows and columns as a heat map: retention by cohort, movement between segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.heatmap import SHADES
from cxstats.charts.wording import join_sentences, level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

WIDE = 9  # columns up to which cells have room for their intervals


def rate_heatmap(  # noqa: PLR0913  (keywords of a chart)
    rates: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    source: str,
    axis: str = "",
    title: str | None = None,
    level: float = 0.95,
    note: str = "",
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw rates as shaded cells, with their intervals where there is room.

    Parameters
    ----------
    rates, low, high : arrays (rows, columns)
        From 0 to 1; NaN where there is no cell. The deepest shade is the largest rate.
    rows, columns : sequences of str
        Their names.
    source : str
        Where the numbers come from.
    axis : str
        What the columns are.
    title : str, optional
        The finding. Without it: the largest rate.
    level : float
        Of the intervals.
    note : str
        What else a reader must know.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the shapes differ, or there is no cell.
    """
    grids = [np.asarray(values, float) for values in (rates, low, high)]
    shape = (len(rows), len(columns))
    if not all(grid.shape == shape for grid in grids) or 0 in shape:
        raise CxError(f"arrays of {[grid.shape for grid in grids]} for {shape} names")
    lang = drawable(lang)
    is_wide = len(columns) <= WIDE
    top = float(np.nanmax(grids[0])) if np.isfinite(grids[0]).any() else 1.0
    with style.theme(lang):
        standalone = ax is None
        width = 1.05 if is_wide else 0.5
        names = [style.fold(name, 26) for name in rows]
        left = 0.3 + 0.085 * max(map(style.display_width, "\n".join(names).split("\n")))
        heads = [style.fold(name, 12 if is_wide else 6) for name in columns]
        ax = style.new_axes(
            ax, max(6.4, left + width * len(columns)), 2.2 + (0.5 if is_wide else 0.34) * len(rows)
        )
        for (i, j), value in np.ndenumerate(grids[0]):
            if np.isfinite(value):
                ends = (float(grids[1][i, j]), float(grids[2][i, j])) if is_wide else None
                _cell(ax, i, j, value, ends, top)
        ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5), xlabel=axis)
        ax.set_xticks(range(len(columns)), heads, size=9 if is_wide else 8)
        ax.set_yticks(range(len(rows)), names, size=9)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        key = "chart.rate_heatmap.note" if is_wide else "chart.rate_heatmap.note.plain"
        cells = label(key, lang, **({"level": level_text(level, lang)} if is_wide else {}))
        note = join_sentences([cells, note], lang)
        heading = title or _title(grids[0], rows, columns, lang)
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


def _title(
    rates: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str], lang: str
) -> str:
    if not np.isfinite(rates).any():
        return label("chart.rate_heatmap.title.none", lang)
    i, j = map(int, np.unravel_index(int(np.nanargmax(rates)), rates.shape))
    value = format_percent(100 * rates[i, j], 1, lang)
    return label("chart.rate_heatmap.title", lang, value=value, row=rows[i], column=columns[j])


def _cell(
    ax: Axes, i: int, j: int, value: float, ends: tuple[float, float] | None, top: float
) -> None:
    shade = to_hex(SHADES(value / top if top else 0.0))
    ink: dict[str, Any] = {"ha": "center", "va": "center", "color": style.ink_on(shade)}
    ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=shade, edgecolor="white", lw=1.5))
    place: dict[str, Any] = {"textcoords": "offset points"}
    number = format_number(100 * value, 1 if top < 0.995 or ends else 0)
    size = 9.5 if ends else 7.5
    ax.annotate(number, (j, i), xytext=(0, 6 if ends else 0), size=size, **place, **ink)
    if ends is not None:
        limits = ", ".join(format_number(100 * end, 1) for end in ends)
        ax.annotate(f"[{limits}]", (j, i), xytext=(0, -7), size=7.5, **place, **ink)
