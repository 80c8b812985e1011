"""Before and after as small panels: each measure on its own scale, with its intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil, isnan
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from cxstats.charts import style
from cxstats.charts.driver_bars import check_limits, sentences
from cxstats.charts.fonts import drawable
from cxstats.charts.nps_bars import apart
from cxstats.core.errors import CxError
from cxstats.core.formats import format_change, format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import ArrayLike, NDArray

    Limits = Sequence[tuple[float, float]]

COLOURS = {1: style.GOOD, -1: style.BAD, 0: style.NEUTRAL, None: style.NEUTRAL}
KINDS = ("rate", "index", "amount")
MOST = 24


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
    limits = [_intervals(names, one, what) for one, what in
              ((before_ci, "before_ci"), (after_ci, "after_ci"))]  # fmt: skip
    units = _listed(names, units, "units", None)
    ways = _listed(names, [better] * len(names) if isinstance(better, str) else better, "better",
                   ("up", "down", ""))  # fmt: skip
    given = ["rate" if unit == "%" else "amount" for unit in units] if kinds is None else kinds
    said = _listed(names, given, "kinds", KINDS)
    directions = [_direction(*row) for row in zip(first, last, ways, strict=True)]
    reported = [isnan(a[0]) or isnan(b[0]) for a, b in zip(*limits, strict=True)]
    clear = [apart(a, b) for a, b in zip(*limits, strict=True)]
    lang = drawable(lang)
    with style.theme(lang):
        figure, panels = _panels(len(names), fig)
        columns = min(len(names), 4)
        for i, panel in enumerate(panels):
            ends = (limits[0][i], limits[1][i])
            colour = COLOURS[directions[i]]
            _panel(panel, (first[i], last[i]), ends, colour, clear[i], lang)
            inches = 0.9 * figure.bbox.width / figure.dpi / columns
            name = label("chart.panels.name", lang, name=names[i], unit=units[i])
            change = _change(first[i], last[i], said[i], lang)
            _head(panel, name if units[i] else names[i], change, colour, inches, synthetic)
            if reported[i]:
                mark = {"ha": "center", "size": 8, "color": style.NEUTRAL}
                panel.annotate(label("chart.effects.mark", lang), (0.5, 0), (0, 4),
                               "axes fraction", "offset points", **mark)  # fmt: skip
        heading = title or _title(directions, clear, reported, lang)
        below = sentences([*_note(directions, clear, reported, lang), note], lang)
        style.finish(panels[0], True, heading, source, lang, below, synthetic)
        return panels


def _intervals(names: Sequence[str], given: ArrayLike | None, what: str) -> Limits:
    if given is None:
        return [(float("nan"), float("nan"))] * len(names)
    table = np.asarray(given, float)
    if table.shape != (len(names), 2):
        raise CxError(f"{what} has shape {table.shape}; allowed: ({len(names)}, 2)")
    return check_limits(names, table[:, 0], table[:, 1], what)


def _listed(
    names: Sequence[str], given: Sequence[str], what: str, allowed: Sequence[str] | None
) -> list[str]:
    found = list(given)
    if isinstance(given, str) or len(found) != len(names):
        raise CxError(f"{len(names)} measures, but {len(found)} {what}; one for each")
    for name, one in zip(names, found, strict=True):
        if allowed is not None and one not in allowed:
            choices = ", ".join(map(repr, allowed))
            raise CxError(f"{what}: {name!r} has {one!r}; allowed: {choices}")
    return found


def _direction(before: float, after: float, better: str) -> int | None:
    """1 where the value moved as desired, -1 against that, 0 not at all; None without a desire."""
    moved = (after > before) - (after < before)
    return {"up": moved, "down": -moved, "": None}[better]


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
    limits: tuple[tuple[float, float], tuple[float, float]],
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
        left = x == 0
        ax.annotate(format_number(value), (x, value), (-8 if left else 8, 0), va="center",
                    textcoords="offset points", ha="right" if left else "left", size=9)  # fmt: skip
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


def _title(
    directions: Sequence[int | None], clear: Sequence[bool], reported: Sequence[bool], lang: str
) -> str:
    stated = [i for i, direction in enumerate(directions) if direction is not None]
    if not stated:
        return label("chart.before_after.plain", lang, n=len(directions))
    good = [i for i in stated if directions[i] == 1]
    n, k = len(stated), len(good)
    key = ("one" if n == 1 else "all") if k == n else "some"
    found = label(f"chart.before_after.{key}", lang, n=n, good=k)
    if not k or all(reported):
        return found
    sure = sum(clear[i] for i in good)
    if n == 1:
        key = "sure" if sure else "unsure"
        return found + label(f"chart.panels.title.{key}", lang)
    return found + label("chart.panels.title.of", lang, k=sure)


def _note(
    directions: Sequence[int | None], clear: Sequence[bool], reported: Sequence[bool], lang: str
) -> list[str]:
    parts = [label("chart.panels.note", lang)]
    for value, key in ((1, "blue"), (-1, "orange")):
        if value in directions:
            parts.append(label(f"chart.panels.note.{key}", lang))
    if any(not one and not mark for one, mark in zip(clear, reported, strict=True)):
        parts.append(label("chart.panels.note.hollow", lang))
    if any(reported):
        parts.append(label("chart.panels.note.reported", lang))
    return parts
