"""Before and after: one row or one panel per measure, each on its own scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil, isnan
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import Limits, check_limit_pairs, lie_apart
from cxstats.charts.wording import join_sentences, list_names
from cxstats.core.errors import CxError
from cxstats.core.formats import format_change, format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import ArrayLike, NDArray

COLOURS = {1: style.GOOD, -1: style.BAD, 0: style.NEUTRAL, None: style.NEUTRAL}
BETTER = ("up", "down", "")  # the desired direction; "" where there is none
KINDS = ("rate", "index", "amount")
MOST = 24  # panels
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
    lengths compare within a row only, which the chart says. A row whose scale has no origin at 0,
    such as that of the NPS, runs from its lowest to its highest possible value instead.

    Parameters
    ----------
    table : pandas.DataFrame
        ``indicator`` (with its unit), ``before``, ``after`` (not negative), ``change`` (the
        label at the right, see `cxstats.core.formats.format_change`), ``better`` ("up", "down" or
        "" where no direction is desired); where there are such rows, the ends of their scales,
        ``lowest`` and ``highest``, NaN in other rows. `cxstats.cases.Audit.changes` gives such a
        table.
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
        If a column is missing, the table is empty, or a value is not on its scale.
    """
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise CxError(f"column {missing[0]!r} is missing; columns needed: {', '.join(COLUMNS)}")
    names, before = style.check_values(
        table["indicator"], table["before"], "values before", signed=True
    )
    after = style.check_values(names, table["after"], "values after", signed=True)[1]
    scales = _scales(table, names, before, after)
    directions = [_direction(*row) for row in zip(before, after, table["better"], strict=True)]
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 8.6, 1.7 + 0.5 * len(names))
        for row, change in enumerate(table["change"]):
            colour = COLOURS[directions[row]]
            y, values = len(names) - 1 - row, (before[row], after[row])
            _dumbbell(ax, y, values, scales[row], str(change), colour)
        ax.set_yticks(range(len(names))[::-1], [style.fold(name, 34) for name in names])
        ax.set_xlim(-0.14, 1.62)
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        _row_legend(ax, directions, lang)
        note = label("chart.own_scale", lang)
        for low, high in dict.fromkeys(ends for ends in scales if ends[0]):
            rows = [name for name, ends in zip(names, scales, strict=True) if ends == (low, high)]
            text = label("chart.own_scale.ends", lang, names=list_names(rows, lang),
                         low=format_number(low), high=format_number(high))  # fmt: skip
            note = join_sentences([note, style.capital(text)], lang)
        heading = title or _title(directions, lang)
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


def _direction(before: float, after: float, better: str) -> int | None:
    """Return 1 where a value moved as desired, -1 against that, 0 if it did not; else None."""
    if better not in BETTER:
        raise CxError(f"column 'better': {better!r} is not known; allowed: 'up', 'down', ''")
    moved = (after > before) - (after < before)
    return {"up": moved, "down": -moved, "": None}[better]


def _scales(
    table: pd.DataFrame, names: list[str], before: list[float], after: list[float]
) -> list[Limits]:
    """Return the ends of the scale of each row."""
    scales = [(0.0, max(pair) or 1.0) for pair in zip(before, after, strict=True)]
    if {"lowest", "highest"} <= set(table.columns):
        ends = zip(table["lowest"].astype(float), table["highest"].astype(float), strict=True)
        scales = [
            own if isnan(low) else (low, high)
            for own, (low, high) in zip(scales, ends, strict=True)
        ]
    for values, what in ((before, "before"), (after, "after")):
        for name, value, (low, high) in zip(names, values, scales, strict=True):
            if not low <= value <= high:
                allowed = f"{low:g} to {high:g}" if low else "numbers from 0 upwards"
                raise CxError(f"values {what}: {name!r} has {value!r}; allowed: {allowed}")
    return scales


def _dumbbell(ax: Axes, y: int, values: Limits, scale: Limits, change: str, colour: str) -> None:
    before, after = values
    start, end = ((value - scale[0]) / (scale[1] - scale[0]) for value in values)
    ax.plot([start, end], [y, y], color=colour, linewidth=2.5, alpha=0.45, zorder=1)
    ax.scatter([start], [y], 46, facecolor="white", edgecolor=colour, linewidth=1.6, zorder=2)
    ax.scatter([end], [y], 52, color=colour, zorder=3)
    left_first = start <= end
    for x, value, left in ((start, before, left_first), (end, after, not left_first)):
        _beside_dot(ax, (x, y), value, left=left)
    ax.text(1.22, y, change, va="center", color=colour, weight="bold")


def _beside_dot(ax: Axes, place: tuple[float, float], value: float, *, left: bool) -> None:
    offset, ha = (-8, "right") if left else (8, "left")
    props: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": 9}
    ax.annotate(format_number(value), place, (offset, 0), ha=ha, **props)


def _row_legend(ax: Axes, directions: list[int | None], lang: str) -> None:
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


def _title(directions: Sequence[int | None], lang: str) -> str:
    stated = [direction for direction in directions if direction is not None]
    if not stated:
        return label("chart.before_after.plain", lang, n=len(directions))
    n_desired, n = stated.count(1), len(stated)
    key = ("one" if n == 1 else "all") if n_desired == n else "some"
    return label(f"chart.before_after.{key}", lang, n=n, good=n_desired)


# Panels --------------------------------------------------------------------------------------


def before_after_panels(  # noqa: PLR0913  (keywords of a chart)
    measures: Iterable[object],
    before: Iterable[float],
    after: Iterable[float],
    *,
    source: str,
    units: Sequence[str],
    better: str | Sequence[str],
    before_ci: ArrayLike | None = None,
    after_ci: ArrayLike | None = None,
    kinds: Sequence[str] | None = None,
    note: str = "",
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    fig: Figure | SubFigure | None = None,
) -> NDArray[Any]:
    """Draw one small panel per measure, from its value before to its value after.

    A panel has its own scale, which includes 0. A dot is hollow where the change is not beyond
    doubt: the intervals overlap, or one has none. A measure without an interval is marked "as
    reported".

    It takes a figure instead of axes, since it needs several: for a place in a figure of the
    caller's, give a subfigure (``figure.subfigures(2, 2)[0, 1]``).

    Parameters
    ----------
    measures : names
        One per panel, at most 24.
    before, after : numbers, one per measure
        In the unit of the measure; rates in per cent.
    source : str
        Where the numbers come from.
    units : sequence of str
        One per measure, for the title of its panel ("%", "min", "points"); may be empty.
    better : {"up", "down", ""} or sequence of them
        The desired direction, for all or for each; "" where none is stated.
    before_ci, after_ci : array (measures, 2), optional
        Limits of the intervals; NaN where there is none.
    kinds : sequence of {"rate", "index", "amount"}, optional
        How changes are written (see `cxstats.core.formats.format_change`): in points first for
        rates and indices such as NPS, in per cent for amounts. Without it, "%" is a rate, all else
        an amount.
    note : str
        What else a reader must know.
    title : str, optional
        The finding. Without it: how many moved in the desired direction, and how many of them
        beyond their intervals.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    fig : Figure or SubFigure, optional
        Where to draw; a new figure without it.

    Returns
    -------
    array of Axes
        One per measure.

    Raises
    ------
    CxError
        If lengths differ, a value is not a number, an interval is none, or a direction or kind is
        not known.
    """
    names, first = style.check_values(measures, before, "values before", signed=True)
    if len(names) > MOST:
        raise CxError(f"{len(names)} measures; allowed: at most {MOST}")
    _, last = style.check_values(names, after, "values after", signed=True)
    intervals = list(
        zip(
            check_limit_pairs(names, before_ci, "before_ci"),
            check_limit_pairs(names, after_ci, "after_ci"),
            strict=True,
        )
    )
    units = _check_choices(names, units, "units", None)
    better = [better] * len(names) if isinstance(better, str) else better
    better = _check_choices(names, better, "better", BETTER)
    kinds = ["rate" if unit == "%" else "amount" for unit in units] if kinds is None else kinds
    kinds = _check_choices(names, kinds, "kinds", KINDS)
    directions = [_direction(*row) for row in zip(first, last, better, strict=True)]
    reported = [isnan(a[0]) or isnan(b[0]) for a, b in intervals]
    clear = [lie_apart(a, b) for a, b in intervals]
    lang = drawable(lang)
    with style.theme(lang):
        figure, panels = _panels(len(names), fig)
        columns = min(len(names), 4)
        for i, panel in enumerate(panels):
            colour = COLOURS[directions[i]]
            _panel(panel, (first[i], last[i]), intervals[i], colour, clear[i], lang)
            inches = 0.9 * figure.bbox.width / figure.dpi / columns
            name = label("chart.panels.name", lang, name=names[i], unit=units[i])
            change = _change(first[i], last[i], kinds[i], lang)
            _head(panel, name if units[i] else names[i], change, colour, inches, synthetic)
            if reported[i]:
                mark = {"ha": "center", "size": 8, "color": style.NEUTRAL}
                panel.annotate(label("chart.effects.mark", lang), (0.5, 0), (0, 4),
                               "axes fraction", "offset points", **mark)  # fmt: skip
        heading = title or _panel_title(directions, clear, reported, lang)
        below = join_sentences([*_panel_notes(directions, clear, reported, lang), note], lang)
        style.finish(panels[0], True, heading, source, lang, below, synthetic)
        return panels


def _check_choices(
    names: Sequence[str], choices: Sequence[str], what: str, allowed: Sequence[str] | None
) -> list[str]:
    """Return what was chosen for each measure, or raise if that is not allowed."""
    if isinstance(choices, str) or len(choices) != len(names):
        raise CxError(f"{len(names)} measures, but {len(choices)} {what}; one for each")
    for name, choice in zip(names, choices, strict=True):
        if allowed is not None and choice not in allowed:
            listed = ", ".join(map(repr, allowed))
            raise CxError(f"{what}: {name!r} has {choice!r}; allowed: {listed}")
    return list(choices)


def _panels(n: int, fig: Figure | SubFigure | None) -> tuple[Figure | SubFigure, NDArray[Any]]:
    columns = min(n, 4)
    rows = ceil(n / columns)
    if fig is None:
        fig = plt.figure(figsize=(max(6.5, 2.6 * columns), 1.2 + 2.4 * rows), layout="constrained")
        engine: Any = fig.get_layout_engine()
        engine.set(h_pad=0.1)  # a title is nearer to its own panel than to the one above
    root: Any = fig.get_figure(root=True)
    if root.get_layout_engine() is None:
        root.set_layout_engine("constrained")
    grid = fig.subplots(rows, columns, squeeze=False)
    for empty in grid.ravel()[n:]:
        empty.remove()
    return fig, grid.ravel()[:n]


def _panel(
    ax: Axes,
    values: tuple[float, float],
    limits: tuple[Limits, Limits],
    colour: str,
    clear: bool,
    lang: str,
) -> None:
    style.new_axes(ax, 0, 0)
    ax.plot([0, 1], values, color=colour, linewidth=2, alpha=0.5, zorder=1)
    for x, value, (a, b) in zip((0, 1), values, limits, strict=True):
        if not isnan(a):
            ax.plot([x, x], [a, b], color=colour, linewidth=1.6, zorder=2)
        ax.scatter([x], [value], 46, facecolor=colour if clear else "white", edgecolor=colour,
                   linewidth=1.6, zorder=3)  # fmt: skip
        _beside_dot(ax, (x, value), value, left=x == 0)
    numbers = np.array([0.0, *values, *limits[0], *limits[1]])
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    span = (high - low) or 1.0
    ax.set_ylim(low - (0.12 if low < 0 else 0.02) * span, high + 0.12 * span)
    ax.set_xlim(-0.75, 1.75)
    ax.axhline(0, color=style.NEUTRAL, linewidth=0.8, zorder=0.5)
    ax.set_xticks([0, 1], [label("chart.before", lang), label("chart.after", lang)], size=9)
    ax.set_yticks([])
    ax.tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)


def _change(before: float, after: float, kind: str, lang: str) -> str:
    a, b = Decimal(f"{before:.12g}"), Decimal(f"{after:.12g}")
    if a == b:
        return label("chart.no_change", lang)
    relative = 100 * (b - a) / a if a > 0 else None
    written = format_change(relative, b - a, kind, lang=lang)
    return written or format_number(b - a, sign=True)  # an amount from 0 has no relative change


def _head(ax: Axes, name: str, change: str, colour: str, inches: float, lifted: bool) -> None:
    """Write the measure above the panel and its change under that, clear of a mark on the first."""
    lift = style.LIFT if lifted else 0
    folded = style.wrap(change, inches, 9)
    ax.annotate(folded, (0, 1), (0, 5 + lift), "axes fraction", "offset points", va="bottom",
                size=9, weight="bold", color=colour)  # fmt: skip
    lines = folded.count("\n") + 1
    ax.set_title(style.wrap(name, inches, 10), loc="left", size=10, pad=8 + lift + 12.5 * lines)


def _panel_title(
    directions: Sequence[int | None], clear: Sequence[bool], reported: Sequence[bool], lang: str
) -> str:
    """Return how many moved as desired, and how many of these beyond their intervals."""
    finding, stated = _title(directions, lang), [d for d in directions if d is not None]
    desired = [i for i, direction in enumerate(directions) if direction == 1]
    if not desired or all(reported):
        return finding
    n_clear = sum(clear[i] for i in desired)
    if len(stated) == 1:
        key = "sure" if n_clear else "unsure"
        return finding + label(f"chart.panels.title.{key}", lang)
    return finding + label("chart.panels.title.of", lang, k=n_clear)


def _panel_notes(
    directions: Sequence[int | None], clear: Sequence[bool], reported: Sequence[bool], lang: str
) -> list[str]:
    notes = [label("chart.panels.note", lang)]
    for value, key in ((1, "blue"), (-1, "orange")):
        if value in directions:
            notes.append(label(f"chart.panels.note.{key}", lang))
    if any(not beyond and not mark for beyond, mark in zip(clear, reported, strict=True)):
        notes.append(label("chart.panels.note.hollow", lang))
    if any(reported):
        notes.append(label("chart.panels.note.reported", lang))
    return notes
