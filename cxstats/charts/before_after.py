"""Before and after: one row per indicator, each on its own scale, the change labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = {1: style.GOOD, -1: style.BAD, 0: style.NEUTRAL, None: style.NEUTRAL}
COLUMNS = ("indicator", "before", "after", "change", "better")


def before_after(
    table: pd.DataFrame,
    *,
    source: str,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a dumbbell per indicator, from its value before to its value after.

    Indicators have different units, so each row runs from 0 to the larger of its two values;
    lengths compare within a row only, which the chart says.

    Parameters
    ----------
    table : pandas.DataFrame
        ``indicator`` (with its unit), ``before``, ``after`` (not negative), ``change`` (the
        label at the right, see `cxstats.core.formats.format_change`), ``better`` ("up", "down" or
        "" where no direction is desired). `cxstats.cases.Audit.changes` gives such a table.
    source : str
        Where the data come from.
    title : str, optional
        The finding. Without it: how many indicators moved in the desired direction.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If a column is missing, the table is empty, or a value is negative or not a number.
    """
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise CxError(f"column {missing[0]!r} is missing; columns needed: {', '.join(COLUMNS)}")
    names, before = style.check_values(table["indicator"], table["before"], "values before")
    after = style.check_values(names, table["after"], "values after")[1]
    directions = [_direction(*row) for row in zip(before, after, table["better"], strict=True)]
    lang = drawable(lang)
    with style.theme(lang):
        own, ax = ax is None, style.new_axes(ax, 8.6, 1.7 + 0.5 * len(names))
        for row, change in enumerate(table["change"]):
            colour = COLOURS[directions[row]]
            _dumbbell(ax, len(names) - 1 - row, before[row], after[row], str(change), colour)
        ax.set_yticks(range(len(names))[::-1], [style.fold(name, 34) for name in names])
        ax.set_xlim(-0.14, 1.62)
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        _legend(ax, directions, lang)
        note = label("chart.own_scale", lang)
        heading = title or _title(directions, lang)
        return style.finish(ax, own, heading, source, lang, note, synthetic)


def _direction(before: float, after: float, better: str) -> int | None:
    """1 where the value moved as desired, -1 against that, 0 not at all; None without a desire."""
    if better not in ("up", "down", ""):
        raise CxError(f"column 'better': {better!r} is not known; allowed: 'up', 'down', ''")
    moved = (after > before) - (after < before)
    return {"up": moved, "down": -moved, "": None}[better]


def _dumbbell(ax: Axes, y: int, before: float, after: float, change: str, colour: str) -> None:
    scale = max(before, after) or 1.0
    start, end = before / scale, after / scale
    ax.plot([start, end], [y, y], color=colour, linewidth=2.5, alpha=0.45, zorder=1)
    ax.scatter([start], [y], 46, facecolor="white", edgecolor=colour, linewidth=1.6, zorder=2)
    ax.scatter([end], [y], 52, color=colour, zorder=3)
    left_first = start <= end
    for x, value, left in ((start, before, left_first), (end, after, not left_first)):
        ax.annotate(
            format_number(value),
            (x, y),
            (-8 if left else 8, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            size=9,
        )
    ax.text(1.22, y, change, va="center", color=colour, weight="bold")


def _legend(ax: Axes, directions: list[int | None], lang: str) -> None:
    ax.scatter(
        [], [], 46, facecolor="white", edgecolor=style.INK, label=label("chart.before", lang)
    )
    ax.scatter([], [], 52, color=style.INK, label=label("chart.after", lang))
    for value, key in (
        (1, "chart.better"),
        (-1, "chart.worse"),
        (0, "chart.no_change"),
        (None, "chart.no_direction"),
    ):
        if value in directions:
            ax.plot([], [], color=COLOURS[value], linewidth=3, alpha=0.6, label=label(key, lang))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, borderaxespad=0, handletextpad=0.4)


def _title(directions: list[int | None], lang: str) -> str:
    stated = [direction for direction in directions if direction is not None]
    if not stated:
        return label("chart.before_after.plain", lang, n=len(directions))
    good, n = stated.count(1), len(stated)
    key = ("one" if n == 1 else "all") if good == n else "some"
    return label(f"chart.before_after.{key}", lang, n=n, good=good)
