"""The Kano plane: how much an attribute satisfies, and how much its absence dissatisfies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from cxstats.charts import style
from cxstats.charts.callouts import keep_apart
from cxstats.charts.fonts import drawable
from cxstats.charts.gaps import dot
from cxstats.charts.interval_limits import Limits, check_limit_pairs
from cxstats.charts.quadrants import name_quadrants
from cxstats.charts.wording import join_sentences, level_text, list_names
from cxstats.core.errors import CxError
from cxstats.core.language import label
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

# Category: colour and marker. The quadrants have the colour of the category they are named for.
CATEGORIES = {
    "M": (style.BAD, "s"),
    "O": (style.GOOD, "o"),
    "A": ("#009E73", "^"),
    "I": (style.NEUTRAL, "D"),
    "R": ("#CC79A7", "v"),
    "Q": ("#E69F00", "X"),
}
QUADRANTS = ("A", "O", "I", "M")  # (low x, high y), (high x, high y), (low, low), (high, low)


def kano_plane(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[str],
    better: Iterable[float],
    worse: Iterable[float],
    categories: Iterable[str],
    *,
    source: str,
    better_ci: ArrayLike | None = None,
    worse_ci: ArrayLike | None = None,
    level: float = 0.95,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw attributes by their satisfaction coefficients, in the colours of their categories.

    CS+ = (A + O) / (A + O + M + I) upwards, −CS− = (O + M) / (A + O + M + I) to the right, both
    from 0 to 1. The lines stand at one half.

    Parameters
    ----------
    names : strings
        The attributes.
    better, worse : numbers from 0 to 1, one per attribute
        CS+ and −CS− (without its minus sign).
    categories : strings, one per attribute
        M (must-be), O (one-dimensional), A (attractive), I (indifferent), R (reverse) or
        Q (questionable), by whatever rule.
    source : str
        Where the numbers come from.
    better_ci, worse_ci : arrays (n, 2), optional
        Intervals, drawn as crosses; NaN where there is none.
    level : float
        Level of the intervals.
    title : str, optional
        The finding. Without it: what must be right and what delights.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If lengths differ, a coefficient is not between 0 and 1, an interval is none, or a category
        is not one of the six.

    References
    ----------
    Berger et al. (1993). Kano's methods for understanding customer-defined quality. Center for
    Quality Management Journal 2(4), 3-36.
    """
    rows, y = style.check_values(names, better, "better", signed=True)
    _, x = style.check_values(rows, worse, "worse", signed=True)
    kinds = _check(rows, y, x, categories)
    check_level(level)
    x_limits = check_limit_pairs(rows, worse_ci, "worse_ci")
    y_limits = check_limit_pairs(rows, better_ci, "better_ci")
    lang = drawable(lang)
    with style.theme(lang):
        many = len(rows) > 12
        standalone = ax is None
        ax = style.new_axes(ax, 11.0 if many else 9.2, 8.2 if many else 7.0)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.09, 1.09))
        quadrants = [label(f"chart.kano.{kind}", lang) for kind in QUADRANTS]
        colours = [CATEGORIES[kind][0] for kind in QUADRANTS]
        corners = name_quadrants(ax, 0.5, 0.5, quadrants, colours)
        crosses = _attributes(ax, x, y, kinds, x_limits, y_limits)
        keys = _keys(kinds, lang)
        style.legend_above(ax, keys, len(keys) if standalone else 3)
        ticks = np.linspace(0, 1, 6)
        ax.set(xticks=ticks, yticks=ticks)
        ax.set_xlabel(label("chart.kano.axis.worse", lang))
        ax.set_ylabel(label("chart.kano.axis.better", lang))
        points = np.column_stack([x, y])
        keep_apart(ax, points, rows, np.full(len(rows), 4.5), corners, (0.5, 0.5), lang, crosses)
        heading = title or _title(rows, y, x, kinds, lang)
        note = _note([*x_limits, *y_limits], level, lang)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, -(-len(keys) // 3))


def _attributes(
    ax: Axes,
    x: Sequence[float],
    y: Sequence[float],
    kinds: Sequence[str],
    x_limits: Sequence[Limits],
    y_limits: Sequence[Limits],
) -> NDArray[np.float64]:
    """Draw attributes with their crosses; return the arms of these as (x0, y0, x1, y1)."""
    across = [(low, b, high, b) for (low, high), b in zip(x_limits, y, strict=True)]
    upwards = [(a, low, a, high) for (low, high), a in zip(y_limits, x, strict=True)]
    for i, kind in enumerate(kinds):
        colour, marker = CATEGORIES[kind]
        for x0, y0, x1, y1 in (across[i], upwards[i]):
            ax.plot([x0, x1], [y0, y1], color=colour, linewidth=1, alpha=0.45, zorder=2)
        ax.scatter([x[i]], [y[i]], 60, color=colour, marker=marker, edgecolor="white", zorder=4)
    return np.array([*across, *upwards])


def _keys(kinds: Sequence[str], lang: str) -> list[Artist]:
    return [
        dot(label(f"chart.kano.{kind}", lang), colour, colour, marker)
        for kind, (colour, marker) in CATEGORIES.items()
        if kind in kinds
    ]


def _check(
    names: Sequence[str], better: Sequence[float], worse: Sequence[float], categories: Iterable[str]
) -> list[str]:
    for what, values in (("better", better), ("worse", worse)):
        for name, value in zip(names, values, strict=True):
            if not 0 <= value <= 1:
                minus = "; give CS− without its minus sign" if what == "worse" and value < 0 else ""
                raise CxError(f"{what}: {name!r} has {value:g}; allowed: from 0 to 1{minus}")
    kinds = [str(kind) for kind in categories]
    if len(kinds) != len(names):
        raise CxError(f"{len(names)} names, but {len(kinds)} categories; one for each")
    for name, kind in zip(names, kinds, strict=True):
        if kind not in CATEGORIES:
            allowed = ", ".join(CATEGORIES)
            raise CxError(f"categories: {name!r} has {kind!r}; allowed: {allowed}")
    return kinds


def _title(
    names: Sequence[str],
    better: Sequence[float],
    worse: Sequence[float],
    kinds: Sequence[str],
    lang: str,
) -> str:
    """Say what must be right (most missed first) and what delights (most liked first)."""
    findings: list[str] = []
    for kind, weight in (("M", worse), ("O", worse), ("A", better)):
        members = [i for i in range(len(names)) if kinds[i] == kind]
        members.sort(key=lambda i: -weight[i])
        if members and len(findings) < 2 + (kind == "A"):
            listed = list_names([names[i] for i in members], lang, 2)
            findings.append(label(f"chart.kano.title.{kind}", lang, names=listed))
    if not findings:
        return style.capital(label("chart.kano.title.none", lang, n=len(names)))
    return style.capital(label("chart.kano.title.and", lang).join(findings))


def _note(limits: Sequence[Limits], level: float, lang: str) -> str:
    intervals = [(low, high) for low, high in limits if not isnan(low)]
    notes = [label("chart.kano.note", lang)]
    if intervals:
        notes.append(label("chart.kano.note.level", lang, level=level_text(level, lang)))
    if any(low < 0.5 <= high for low, high in intervals):
        notes.append(label("chart.kano.note.open", lang))
    return join_sentences(notes, lang)
