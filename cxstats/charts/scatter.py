"""Expectation against perception, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.gaps import counts_text, dot, gap_title, scale_ends, source_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from cxstats.service.servqual import Servqual


NAMED = 5  # items that the scatter names


MARKERS = "os^DvPX"


def gap_scatter(
    result: Servqual,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each item's perception against its expectation; on the line there is no gap.

    Both axes have the same part of the scale. The five worst items are named at the right.

    Parameters
    ----------
    result, source, title, lang, ax
        As in `gap_dumbbell`.

    Raises
    ------
    CxError
        If the result has no expectations (SERVPERF).
    """
    if reason := result.why_not("scatter"):
        raise CxError(reason)
    lang, table = drawable(lang), result.items
    drawn = table[table["gap"].notna()].sort_values("gap", kind="stable")
    worst = list(drawn.index[:NAMED])
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 6.4)
        low, high = _limits(result, drawn)
        ax.plot([low, high], [low, high], color=style.NEUTRAL, linewidth=1, zorder=1)
        keys = _points(ax, result, drawn, worst, lang)
        ticks = [tick for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high]
        ax.set(xlim=(low, high), ylim=(low, high), xticks=ticks, yticks=ticks)
        ax.set_aspect("equal", adjustable="box")
        ends = scale_ends(result)
        ax.set_xlabel(label("chart.gaps.axis.expectation", lang, **ends))
        ax.set_ylabel(label("chart.gaps.axis.perception", lang, **ends))
        lines = sum(str(key.get_label()).count("\n") + 1 for key in keys)
        _callouts(ax, result, drawn.loc[worst], lines, lang)
        ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0)
        n = counts_text(drawn["n"], lang)
        note = label("chart.scatter.note", lang, k=len(worst), n=n)
        heading = title or gap_title(result, table, lang)
        style.finish(
            ax, standalone, heading, source_text(result, source, lang), lang, note, result.synthetic
        )
        return ax if standalone else style.lift_title(ax, 0)


def _limits(result: Servqual, drawn: pd.DataFrame) -> tuple[float, float]:
    """Return the part of the scale that holds every point, with some room, for both axes."""
    ends, values = scale_ends(result), drawn[["expectation", "perception"]].to_numpy()
    low, high = values.min(), values.max()
    room = max(0.08 * (high - low), 0.02 * (ends["high"] - ends["low"]))
    return low - room, high + room


def _points(
    ax: Axes, result: Servqual, drawn: pd.DataFrame, worst: Sequence[str], lang: str
) -> list[Artist]:
    """Draw the items in the colour and shape of their dimension; return the legend's entries."""
    keys: list[Artist] = []
    for i, (name, items) in enumerate(result.codebook.constructs.items()):
        colour, marker = style.SEQUENCE[i % len(style.SEQUENCE)], MARKERS[(i + i // 7) % 7]
        part = drawn.loc[[item for item in items if item in drawn.index]]
        edges = [style.INK if item in worst else "white" for item in part.index]
        x, y = part["expectation"], part["perception"]
        ax.scatter(x, y, 52, color=colour, marker=marker, edgecolor=edges, linewidth=0.9, zorder=3)
        words = style.fold(result.codebook.label(name, lang), 34)
        keys.append(dot(words, colour, colour, marker))
    keys.append(Line2D([], [], color=style.NEUTRAL, lw=1, label=label("chart.scatter.line", lang)))
    return keys


def _callouts(ax: Axes, result: Servqual, worst: pd.DataFrame, taken: int, lang: str) -> None:
    """Name items in a column at the right, under the `taken` lines of the legend."""
    rows = worst.sort_values("perception", ascending=False, kind="stable")
    words = []
    for item, gap in rows["gap"].items():
        name, value = result.codebook.label(str(item), lang), format_number(gap, 2, sign=True)
        words.append(style.fold(label("chart.entry", lang, name=name, value=value), 36))
    line = 11.5 / _inner_height(ax)  # the height of a line of text, in axes fractions
    low, high = ax.get_ylim()
    wanted = [(y - low) / (high - low) + line / 2 for y in rows["perception"]]
    tall = [line * (text.count("\n") + 1.7) for text in words]
    tops = stack(wanted, tall, 1 - 1.4 * line * taken)
    props = {
        "arrowstyle": "-",
        "color": style.NEUTRAL,
        "lw": 0.6,
        "shrinkA": 0,
        "shrinkB": 4,
    }
    for (_, row), text, top in zip(rows.iterrows(), words, tops, strict=True):
        ax.annotate(text, (1.03, top), xycoords="axes fraction", va="top", size=8.5)
        end, place = (row["expectation"], row["perception"]), (1.025, top - line / 2)
        ax.annotate("", end, place, textcoords="axes fraction", arrowprops=props, zorder=2)


def stack(wanted: Sequence[float], tall: Sequence[float], top: float) -> list[float]:
    """Return upper ends of blocks near where they are wanted, below `top`, that do not overlap.

    Parameters
    ----------
    wanted, tall : sequences of the same length
        Upper ends, highest first, and heights.
    top : float
        The highest place; the lowest is 0, which gives way where there is too little room.

    Examples
    --------
    >>> stack([0.9, 0.88, 0.1], [0.25, 0.25, 0.25], 1.0)
    [0.9, 0.65, 0.25]
    """
    places: list[float] = []
    for want, height in zip(wanted, tall, strict=True):
        places.append(min(want, top))
        top = places[-1] - height
    floor = 0.0
    for i in reversed(range(len(places))):  # lift what was pushed below the floor
        places[i] = max(places[i], floor + tall[i])
        floor = places[i]
    return places


def _inner_height(ax: Axes) -> float:
    """Return about how many points high square axes will be, with labels around them."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    box = ax.get_position()
    sides = box.width * figure.get_figwidth() * 0.75, box.height * figure.get_figheight()
    return 72 * min(sides)
