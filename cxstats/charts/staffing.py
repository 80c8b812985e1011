"""How many agents: the service level over their number, and their number over the day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def staffing_curve(  # noqa: PLR0913  (keywords of a chart)
    agents: Iterable[int],
    service_level: Iterable[float],
    occupancy: Iterable[float],
    *,
    source: str,
    target: str = "20",
    goal: float = 0.8,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what each number of agents achieves, and how busy it keeps them.

    Parameters
    ----------
    agents : whole numbers
        In order.
    service_level, occupancy : shares, 0 to 1
        Of calls answered in time, and of the time that agents are busy.
    source : str
        Where the numbers come from.
    target : str
        Seconds to answer, as text.
    goal : float
        Service level that is asked for.
    title : str, optional
        The finding. Without it: the first number of agents that reaches the goal.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, nothing is there to draw, or a share is not a number.
    """
    names, levels = style.check_values(agents, service_level, "service levels")
    _, busy = style.check_values(names, occupancy, "occupancies")
    places = [int(name) for name in names]
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 8.6, 4.2)
        curves = {"level": (levels, style.GOOD, "o-"), "occupancy": (busy, style.NEUTRAL, "s--")}
        handles = []
        for key, (values, colour, form) in curves.items():
            text = label(f"chart.staffing.{key}", lang, target=target)
            handles += ax.plot(places, [100 * v for v in values], form, color=colour, label=text,
                               markersize=5)  # fmt: skip
        ax.axhline(100 * goal, color=style.INK, linewidth=0.8, linestyle=":")
        ax.set_ylim(0, 104)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel(label("chart.staffing.agents", lang))
        ax.set_ylabel(label("chart.staffing.share", lang))
        style.legend_above(ax, handles, 2 if standalone else 1)
        enough = [n for n, value in zip(places, levels, strict=True) if value >= goal]
        key = "title" if enough else "title.none"
        key = "title.all" if len(enough) == len(places) else key
        finding = label(
            f"chart.staffing.{key}", lang, n=format_number(enough[0] if enough else places[-1]),
            goal=format_percent(100 * goal, 0, lang), target=target,
        )  # fmt: skip
        note = label("chart.staffing.note", lang, goal=format_percent(100 * goal, 0, lang))
        style.finish(ax, standalone, title or finding, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, 2)


def agents_by_slot(
    slots: Iterable[str],
    agents: Iterable[float],
    load: Iterable[float],
    *,
    source: str,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the agents of each interval of a day over the load that they carry.

    Parameters
    ----------
    slots : names
        Of the intervals, in order.
    agents, load : numbers
        Agents, and erlangs: the agents who would be busy if calls came one after the other.
    source : str
        Where the numbers come from.
    title : str, optional
        The finding. Without it: the interval that needs most agents.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, nothing is there to draw, or a value is not a number.
    """
    names, numbers = style.check_values(slots, agents, "agents")
    _, erlangs = style.check_values(names, load, "loads")
    if not any(numbers):
        raise CxError("agents: every interval has 0; allowed: at least one above 0")
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.4, 4.2)
        places = np.arange(len(names))
        ax.step([*places, len(names)], [*numbers, numbers[-1]], where="post", color=style.GOOD,
                linewidth=2)  # fmt: skip
        ax.bar(places + 0.5, erlangs, 1.0, color=style.PALE)
        every = max(1, round(len(names) / 10))
        ax.set_xticks(places[::every] + 0.5, names[::every], size=8.5)
        ax.set_xlim(0, len(names))
        ax.set_ylim(0, 1.08 * max(*numbers, *erlangs))
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel(label("chart.staffing.slot", lang))
        ax.set_ylabel(label("chart.staffing.agents", lang))
        line = Line2D(
            [], [], color=style.GOOD, linewidth=2, label=label("chart.staffing.agents", lang)
        )
        bars = style.patches({label("chart.staffing.load", lang): style.PALE})
        style.legend_above(ax, [line, *bars], 2 if standalone else 1)
        top = int(np.argmax(numbers))
        finding = label("chart.staffing.title.day", lang, slot=names[top],
                        n=format_number(numbers[top]))  # fmt: skip
        style.finish(ax, standalone, title or finding, source, lang, "", synthetic)
        return ax if standalone else style.lift_title(ax, 2)
