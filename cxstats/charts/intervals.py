"""Estimates with their intervals, one row each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import Limits, excludes
from cxstats.charts.row_names import row_height
from cxstats.charts.wording import estimate_text, interval_text, join_sentences, level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
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
    limits = _limits(len(rows), low, high)
    clear = [excludes(ends, reference) for ends in limits]
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        folded = [style.fold(name, 40) for name in rows]
        ax = style.new_axes(ax, 9.0, 1.9 + max(0.36, row_height(folded)) * len(rows))
        heights = [len(rows) - 1 - i for i in range(len(rows))]
        ax.axvline(reference, color=style.INK, linewidth=0.8)
        for y, value, (a, b), is_clear in zip(heights, values, limits, clear, strict=True):
            colour = style.GOOD if is_clear else style.NEUTRAL
            ax.plot([a, b], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
            ax.scatter([value], [y], 44, facecolor=colour if is_clear else "white",
                       edgecolor=colour, zorder=3)  # fmt: skip
        estimates_text = [estimate_text(value, decimals) for value in values]
        intervals_text = [interval_text(ends, decimals, lang) for ends in limits]
        both = zip(estimates_text, intervals_text, strict=True)
        style.beside(ax, heights, ["  ".join(pair) for pair in both])
        ax.set_yticks(heights, folded)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.05)
        if decimals == 0:
            ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlabel(axis)
        notes = [label("chart.intervals.note", lang, level=level_text(level, lang))]
        if not all(clear):
            line = format_number(reference)
            notes.append(label("chart.intervals.note.hollow", lang, reference=line))
        note = join_sentences(notes, lang)
        if len(rows) == 1:
            finding = label("chart.intervals.title.one", lang, name=rows[0],
                            value=estimates_text[0], interval=intervals_text[0])  # fmt: skip
        else:
            finding = _title(rows, values, clear, reference, decimals, lang)
        return style.finish(ax, standalone, title or finding, source, lang, note, synthetic)


def _limits(n: int, low: Iterable[float], high: Iterable[float]) -> list[Limits]:
    lower, upper = [float(end) for end in low], [float(end) for end in high]
    if not n == len(lower) == len(upper):
        raise CxError(f"{n} estimates, {len(lower)} lower and {len(upper)} upper limits")
    return list(zip(lower, upper, strict=True))


def _title(
    names: list[str],
    values: list[float],
    clear: list[bool],
    reference: float,
    decimals: int,
    lang: str,
) -> str:
    """Return which estimate is largest, among those whose interval leaves the reference out."""
    n, line = len(names), format_number(reference)
    if not any(clear):
        return label("chart.intervals.title.none", lang, n=n, reference=line)
    candidates = [i for i in range(n) if clear[i]]
    top = max(candidates, key=lambda i: abs(values[i] - reference))
    return label(
        "chart.intervals.title",
        lang,
        name=names[top],
        value=format_number(values[top], decimals),
        k=sum(clear),
        n=n,
        reference=line,
    )
