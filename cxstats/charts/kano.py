"""The Kano plane: how much an attribute satisfies, and how much its absence dissatisfies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.charts import style
from cxstats.charts.callouts import keep_apart
from cxstats.charts.driver_bars import check_level, check_limits, sentences
from cxstats.charts.fonts import drawable
from cxstats.charts.gaps import dot
from cxstats.charts.quadrants import dress, listed
from cxstats.core.errors import CxError
from cxstats.core.formats import format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

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
    rows, up = style.check_values(names, better, "better", signed=True)
    _, right = style.check_values(rows, worse, "worse", signed=True)
    kinds = _check(rows, up, right, categories)
    check_level(level)
    crosses = [_intervals(rows, ci, what) for ci, what in
               ((worse_ci, "worse_ci"), (better_ci, "better_ci"))]  # fmt: skip
    lang = drawable(lang)
    with style.theme(lang):
        many = len(rows) > 12
        own, ax = ax is None, style.new_axes(ax, 11.0 if many else 9.2, 8.2 if many else 7.0)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.09, 1.09))
        words = [label(f"chart.kano.{kind}", lang) for kind in QUADRANTS]
        corners = dress(ax, 0.5, 0.5, words, [CATEGORIES[kind][0] for kind in QUADRANTS])
        for i, (x, y, kind) in enumerate(zip(right, up, kinds, strict=True)):
            colour, marker = CATEGORIES[kind]
            thin: dict[str, Any] = {"color": colour, "linewidth": 1, "alpha": 0.45, "zorder": 2}
            ax.plot(crosses[0][i], [y, y], **thin)
            ax.plot([x, x], crosses[1][i], **thin)
            ax.scatter([x], [y], 60, color=colour, marker=marker, edgecolor="white", zorder=4)
        used = [kind for kind in CATEGORIES if kind in kinds]
        keys = [dot(label(f"chart.kano.{kind}", lang), CATEGORIES[kind][0], CATEGORIES[kind][0],
                    CATEGORIES[kind][1]) for kind in used]  # fmt: skip
        style.legend_above(ax, keys, len(keys) if own else 3)
        ticks = np.linspace(0, 1, 6)
        ax.set(xticks=ticks, yticks=ticks)
        ax.set_xlabel(label("chart.kano.axis.worse", lang))
        ax.set_ylabel(label("chart.kano.axis.better", lang))
        points = np.column_stack([right, up])
        bars = np.array(
            [(a, y, b, y) for (a, b), y in zip(crosses[0], up, strict=True)]
            + [(x, a, x, b) for (a, b), x in zip(crosses[1], right, strict=True)]
        )
        keep_apart(ax, points, rows, np.full(len(rows), 4.5), corners, (0.5, 0.5), lang, bars)
        heading = title or _title(rows, up, right, kinds, lang)
        note = _note(crosses, (right, up), level, lang)
        style.finish(ax, own, heading, source, lang, note, synthetic)
        return ax if own else style.lift_title(ax, -(-len(keys) // 3))


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


def _intervals(names: Sequence[str], ci: ArrayLike | None, what: str) -> list[tuple[float, float]]:
    pairs = np.full((len(names), 2), np.nan) if ci is None else np.asarray(ci, float)
    if pairs.shape != (len(names), 2):
        raise CxError(f"{what} has shape {pairs.shape}; allowed: ({len(names)}, 2)")
    return check_limits(names, pairs[:, 0], pairs[:, 1], what)


def _title(
    names: Sequence[str],
    better: Sequence[float],
    worse: Sequence[float],
    kinds: Sequence[str],
    lang: str,
) -> str:
    """Say what must be right (most missed first) and what delights (most liked first)."""
    parts: list[str] = []
    for kind, weight in (("M", worse), ("O", worse), ("A", better)):
        found = [i for i in range(len(names)) if kinds[i] == kind]
        found.sort(key=lambda i: -weight[i])
        if found and len(parts) < 2 + (kind == "A"):
            shown = listed([names[i] for i in found], lang, 2)
            parts.append(label(f"chart.kano.title.{kind}", lang, names=shown))
    if not parts:
        return style.capital(label("chart.kano.title.none", lang, n=len(names)))
    return style.capital(label("chart.kano.title.and", lang).join(parts))


def _note(
    crosses: Sequence[Sequence[tuple[float, float]]],
    values: Sequence[Sequence[float]],
    level: float,
    lang: str,
) -> str:
    known = [pair for axis in crosses for pair in axis if not isnan(pair[0])]
    parts = [label("chart.kano.note", lang)]
    if known:
        shown = format_percent(round(100 * level, 6), None, lang)
        parts.append(label("chart.kano.note.level", lang, level=shown))
    if any(a < 0.5 <= b for a, b in known):
        parts.append(label("chart.kano.note.open", lang))
    return sentences(parts, lang)
