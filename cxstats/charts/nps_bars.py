"""Net promoter scores by group: who answered what, and the score with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import Limits, check_limits, excludes, lie_apart
from cxstats.charts.row_names import row_height, row_size
from cxstats.charts.wording import interval_text, join_sentences, level_text, unbroken
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KINDS = ("detractors", "passives", "promoters")  # from the left
COLOURS = {"detractors": style.BAD, "passives": "#DDDFE3", "promoters": style.GOOD}
PANEL = (120.0, 176.0)  # where the scores stand, on the axis of the bars
MOST = 40  # rows that can be read
SLACK = 1.0  # points by which a score may differ from rounded shares


def nps_bars(  # noqa: PLR0913  (keywords of a chart)
    groups: Iterable[object],
    promoters: Iterable[float],
    passives: Iterable[float],
    detractors: Iterable[float],
    scores: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    *,
    source: str,
    n: Iterable[float] | None = None,
    level: float = 0.95,
    decimals: int = 1,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each group's answers as a bar of 100 %, and beside it its score with its interval.

    The scores have a scale of their own at the right of the bars, since NPS = 100 (p - d) runs
    from -100 to 100 and shares from 0 to 100. A score is hollow where its interval includes 0, or
    where it has none.

    Parameters
    ----------
    groups : names
        One per row, drawn from the top.
    promoters, passives, detractors : numbers, one per group
        Shares from 0 to 1, with the sum 1.
    scores : numbers, one per group
        NPS from -100 to 100.
    low, high : numbers, one per group
        Limits of the intervals of the scores; NaN for both where there is none.
    source : str
        Where the numbers come from.
    n : numbers, optional
        Answers of each group, written beside its score.
    level : float
        Level of the intervals.
    decimals : int
        Digits of the scores.
    title : str, optional
        The finding. Without it: the highest and the lowest score, or that their intervals overlap.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If lengths differ, there are no groups or more than 40, shares do not sum to 1, a score is
        off its scale or is not the difference of its shares, or an interval is none.
    """
    names, shares = _shares(groups, promoters, passives, detractors)
    values = _scores(names, scores, shares)
    limits = check_limits(names, low, high)
    sizes = None if n is None else style.check_values(names, n, "n")[1]
    check_level(level)
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        folded = [style.fold(name, 30 if standalone else 22) for name in names]
        ax = style.new_axes(ax, 11.0, 2.3 + row_height(folded) * len(names))
        if row_size(ax, folded, standalone) < 7:
            folded = names  # one small line is read better than two that touch
        size = row_size(ax, folded, standalone)
        heights = np.arange(len(names))[::-1].astype(float)
        _bars(ax, heights, shares, min(8.5, size), standalone)
        ax.set_yticks(heights, folded, size=size)
        _panel(ax, heights, values, limits, size)
        numbers = [
            _score_text(value, ends, decimals, lang, None if sizes is None else sizes[i])
            for i, (value, ends) in enumerate(zip(values, limits, strict=True))
        ]
        style.beside(ax, heights.tolist(), numbers, size=min(9.0, size))
        axis = label("chart.nps.axis", lang, level=level_text(level, lang))
        ax.annotate(axis, (sum(PANEL) / 2, 0), (0, -22), ax.get_xaxis_transform(),
                    textcoords="offset points", ha="center", va="top")  # fmt: skip
        keys = style.patches({label(f"chart.nps.{kind}", lang): COLOURS[kind] for kind in KINDS})
        style.legend_above(ax, keys, 3)
        heading = title or _title(names, values, limits, shares, decimals, lang)
        note = _note(limits, lang)
        ax.set_xlabel(label("chart.likert.axis", lang), x=50 / PANEL[1], ha="center")
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax)


def _shares(
    groups: Iterable[object], promoters: Iterable[float], passives: Iterable[float],
    detractors: Iterable[float],
) -> tuple[list[str], Floats]:  # fmt: skip
    """Return names and shares (g, 3) in the order of KINDS."""
    names, p = style.check_values(groups, promoters, "promoters")
    if len(names) > MOST:
        raise CxError(f"{len(names)} groups cannot be read; allowed: at most {MOST}, so draw some")
    _, middle = style.check_values(names, passives, "passives")
    _, d = style.check_values(names, detractors, "detractors")
    shares = np.column_stack([d, middle, p])
    for name, row in zip(names, shares, strict=True):
        if abs(row.sum() - 1) > 0.005:
            raise CxError(
                f"{name!r}: promoters {row[2]:g}, passives {row[1]:g} and detractors {row[0]:g} "
                f"sum to {row.sum():g}; allowed: shares from 0 to 1 that sum to 1"
            )
    return names, shares


def _scores(names: Sequence[str], scores: Iterable[float], shares: Floats) -> list[float]:
    _, values = style.check_values(names, scores, "scores", signed=True)
    for name, value, row in zip(names, values, shares, strict=True):
        expected = 100 * (row[2] - row[0])
        if abs(value - expected) > SLACK:
            raise CxError(
                f"scores: {name!r} has {value:g}, but its shares give {expected:.1f}; allowed: "
                "promoters minus detractors, from -100 to 100"
            )
    return values


def _bars(ax: Axes, heights: Floats, shares: Floats, size: float, standalone: bool) -> None:
    """Draw the stacked bars; a share is written where it has room."""
    inches = 5.0 if standalone else 0.45 * style.inches_wide(ax)
    least = 100 * 2.6 * 0.6 * size / 72 / inches  # two digits and their margins
    starts = np.zeros(len(heights))
    for kind, column in zip(KINDS, 100 * shares.T, strict=True):
        colour = COLOURS[kind]
        ax.barh(heights, column, 0.72, starts, color=colour, edgecolor="white", linewidth=0.8)
        for y, start, share in zip(heights, starts, column, strict=True):
            if share >= least:
                ax.text(start + share / 2, y, format_number(share, 0), ha="center", va="center",
                        size=size, color=style.ink_on(colour))  # fmt: skip
        starts = starts + column
    ax.set_xlim(0, PANEL[1])
    ax.set_ylim(-0.6, len(heights) - 0.4)
    ax.tick_params(axis="y", length=0)
    ax.spines[["left", "bottom"]].set_visible(False)


def _panel(
    ax: Axes,
    heights: Floats,
    values: Sequence[float],
    limits: Sequence[Limits],
    size: float,
) -> None:
    """Draw the scores with their intervals at the right of the bars, on a scale of their own."""
    scores = np.array([*np.ravel(limits), *values])
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    room = 0.08 * ((high - low) or 20.0)
    ends = low - room, high + room
    ticks = [float(tick) for tick in MaxNLocator(4, integer=True).tick_values(*ends)
             if ends[0] <= tick <= ends[1] and abs(tick) <= 100]  # fmt: skip
    at = place(np.array(ticks), *ends)
    foot, top = ax.get_ylim()
    ax.vlines(at, foot, top, color=style.SETTINGS["grid.color"], linewidth=0.8, zorder=0.5)
    if ends[0] <= 0 <= ends[1]:
        ax.vlines(place(np.zeros(1), *ends), foot, top, color=style.INK, linewidth=0.8, zorder=1)
    for y, value, interval in zip(heights, values, limits, strict=True):
        sure = excludes(interval, 0)
        colour = style.INK if sure else style.NEUTRAL
        left, dot, right = place(np.array([interval[0], value, interval[1]]), *ends)
        ax.plot([left, right], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        face = colour if sure else "white"
        ax.scatter([dot], [y], 0.38 * size**2, facecolor=face, edgecolor=colour, zorder=3)
    shares = [0.0, 50.0, 100.0]
    numbers = [format_number(tick) for tick in (*shares, *ticks)]
    ax.set_xticks([*shares, *at.tolist()], numbers, size=9)


def place(score: Floats, low: float, high: float) -> Floats:
    """Return where scores stand on the axis of the bars, for a panel from `low` to `high`.

    Examples
    --------
    >>> place(np.array([-100.0, 0.0, 100.0]), -100, 100)
    array([120., 148., 176.])
    """
    x: Floats = PANEL[0] + (PANEL[1] - PANEL[0]) * (score - low) / (high - low)
    return x


def _score_text(
    value: float, limits: Limits, decimals: int, lang: str, n: float | None = None
) -> str:
    """Write a score with its interval, and how many answered."""
    size = "" if n is None else f"  n = {format_number(n)}"
    return f"{format_number(value, decimals)} {interval_text(limits, decimals, lang)}{size}"


def _title(
    names: Sequence[str],
    values: Sequence[float],
    limits: Sequence[Limits],
    shares: Floats,
    decimals: int,
    lang: str,
) -> str:
    if len(names) == 1:
        percents = {
            kind: unbroken(format_percent(100 * share, 0, lang))
            for kind, share in zip(KINDS, shares[0], strict=True)
        }
        value = _score_text(values[0], limits[0], decimals, lang)
        return label("chart.nps.title.one", lang, value=value, **percents)
    best, worst = int(np.argmax(values)), int(np.argmin(values))
    ends = {"best": names[best], "worst": names[worst]}
    ends |= {"high": format_number(values[best], decimals)}
    ends |= {"low": format_number(values[worst], decimals)}
    if not lie_apart(limits[best], limits[worst]):
        if values[best] == values[worst]:
            key = ".same"
        else:
            key = ".open.two" if len(names) == 2 else ".open"
        return style.capital(label(f"chart.nps.title{key}", lang, n=len(names), **ends))
    near = {"near_best": _near(limits, best, lang), "near_worst": _near(limits, worst, lang)}
    return style.capital(label("chart.nps.title", lang, **ends, **near))


def _near(limits: Sequence[Limits], i: int, lang: str) -> str:
    """Return from how many others group i is not told apart, as words in a title."""
    k = sum(not lie_apart(limits[i], limits[j]) for j in range(len(limits)) if j != i)
    key = "one" if k == 1 else "more"
    return label(f"chart.nps.near.{key}", lang, k=k) if k else ""


def _note(limits: Sequence[Limits], lang: str) -> str:
    notes = []
    if len(limits) > 1:
        notes.append(label("chart.nps.note", lang))
    if any(low <= 0 <= high for low, high in limits):
        notes.append(label("chart.nps.note.zero", lang))
    if any(isnan(low) for low, _ in limits):
        notes.append(label("chart.nps.note.none", lang))
    return join_sentences(notes, lang)
