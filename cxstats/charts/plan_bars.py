"""Tasks of a plan over time, with their slack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.row_names import row_size
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plan_bars(  # noqa: PLR0913  (keywords of a chart)
    tasks: Iterable[str],
    start: Iterable[float],
    finish: Iterable[float],
    slack: Iterable[float],
    *,
    source: str,
    critical: Iterable[float] | None = None,
    simulated: bool = False,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each task as a bar from its start to its finish, and its slack behind it.

    Parameters
    ----------
    tasks : names
        Drawn from the top.
    start, finish, slack : numbers from 0
        Of each task, in units of time.
    source : str
        Where the numbers come from.
    critical : shares, optional
        How often each task is critical; without it, tasks without slack always are.
    simulated : bool
        Whether these shares are of a simulation; they are written beside the bars then.
    title : str, optional
        The finding. Without it: when the plan ends.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, nothing is there to draw, or a task ends before it begins.
    """
    names, begins = style.check_values(tasks, start, "starts")
    _, ends = style.check_values(names, finish, "finishes")
    _, slacks = style.check_values(names, slack, "slacks")
    shares = [float(value == 0) for value in slacks] if critical is None else list(critical)
    for name, a, b in zip(names, begins, ends, strict=True):
        if b < a:
            raise CxError(f"{name!r} ends at {b:g}, before its start at {a:g}; allowed: not before")
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.2, 1.9 + 0.42 * len(names))
        heights = [float(len(names) - 1 - i) for i in range(len(names))]
        for y, a, b, free, value in zip(heights, begins, ends, slacks, shares, strict=True):
            colour = style.BAD if free == 0 else style.GOOD
            ax.barh(y, b - a, 0.6, a, color=colour, alpha=1.0 if simulated is False else 0.9)
            if free > 0:
                ax.plot([b, b + free], [y, y], color=style.NEUTRAL, linewidth=2.5, linestyle=":")
            if simulated:
                style.beside(ax, [y], [format_percent(100 * value, 0, lang)])
        folded = [style.fold(name, 30) for name in names]
        ax.set_yticks(heights, folded, size=row_size(ax, folded, standalone))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_xlim(0, 1.02 * max(b + s for b, s in zip(ends, slacks, strict=True)) or 1)
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set_xlabel(label("chart.plan.axis", lang))
        entries = {
            label("chart.plan.critical", lang): style.BAD,
            label("chart.plan.free", lang): style.GOOD,
        }
        style.legend_above(ax, style.patches(entries), 2 if standalone else 1)
        heading = title or label("chart.plan.title", lang, end=format_number(max(ends)))
        note = label("chart.plan.note.simulated" if simulated else "chart.plan.note", lang)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, 2)
