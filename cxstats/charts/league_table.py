"""A league table: each unit's plain mean, the shrunken one with its interval, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import check_limits
from cxstats.charts.row_names import row_size
from cxstats.charts.wording import level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 40  # units that are all drawn
ENDS = 15  # of more than that: so many from the top, and from the bottom
GAP = 1.4  # rows between the top and the bottom
VERDICTS = ("above", "below", "open")
COLOURS = {"above": style.GOOD, "below": style.BAD, "open": style.NEUTRAL}


def league_table(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[object],
    n: Iterable[float],
    means: Iterable[float],
    estimates: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    verdicts: Iterable[str],
    *,
    source: str,
    average: float,
    axis: str,
    best: str = "high",
    level: float = 0.95,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw units in their order: plain mean, arrow to the shrunken mean, interval of that.

    Of more than 40 units the first and the last 15 are drawn.

    Parameters
    ----------
    names : one per unit, the best first
    n : numbers
        Ratings of each unit.
    means, estimates : numbers
        Plain and shrunken means.
    low, high : numbers
        Limits of the shrunken means.
    verdicts : {"above", "below", "open"}, one per unit
        Of the average; they give the colours.
    source : str
        Where the numbers come from.
    average : float
        Where the line stands.
    axis : str
        What is measured.
    best : {"high", "low"}
        Which scores are good: their side has the colour of the good.
    level : float
        Level of the intervals.
    title : str, optional
        The finding. Without it: how many units are above and below average.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, a number is missing, or a verdict is none of the three.
    """
    rows, values = style.check_values(names, estimates, "estimates", signed=True)
    plain = style.check_values(rows, means, "means", signed=True)[1]
    sizes = style.check_values(rows, n, "numbers of ratings")[1]
    limits = check_limits(rows, low, high)
    codes = list(verdicts)
    if len(codes) != len(rows) or not {*codes} <= {*VERDICTS}:
        raise CxError(f"verdicts: one for each of {len(rows)} names; allowed: 'above', 'below', "
                      "'open'")  # fmt: skip
    if best not in ("high", "low"):
        raise CxError(f"best={best!r}; allowed: 'high', 'low'")
    places, heights = _places(len(rows))
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.0, 2.3 + 0.27 * heights[0])
        ax.axvline(average, color=style.INK, linewidth=0.8, zorder=1)
        for i, y in zip(places, heights, strict=True):
            colour = _colour(codes[i], best)
            ax.plot(limits[i], [y, y], color=colour, linewidth=2, alpha=0.55,
                    solid_capstyle="butt", zorder=2)  # fmt: skip
            ax.annotate("", (values[i], y), (plain[i], y), zorder=3,
                        arrowprops={"arrowstyle": "->", "color": style.INK, "linewidth": 0.8,
                                    "shrinkA": 3, "shrinkB": 3})  # fmt: skip
            ax.scatter([plain[i]], [y], 26, facecolor="white", edgecolor=style.INK, zorder=4)
            ax.scatter([values[i]], [y], 34, color=colour, zorder=5)
        size = row_size(ax, ["x"] * len(places), standalone)
        counts = [format_number(sizes[i]) for i in places]
        style.beside(ax, heights, counts, size=min(9.0, size))
        style.beside(ax, [heights[0] + 1], ["n"], size=min(9.0, size))
        ax.set_yticks(heights, [style.fold(rows[i], 40) for i in places], size=size)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.7, heights[0] + 1.4)
        ax.margins(x=0.04)
        ax.set_xlabel(axis)
        between = len(rows) - len(places)
        if between:
            ax.annotate(label("chart.league.between", lang, n=format_number(between)),
                        (0.5, ENDS - 1 + (GAP + 1) / 2), None, ax.get_yaxis_transform(),
                        ha="center", va="center", color=style.NEUTRAL, size=9,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 2})  # fmt: skip
        entries = _legend({codes[i] for i in places}, best, lang)
        columns = 2 if len(entries) == 4 else 3
        style.legend_above(ax, entries, columns)
        note = label("chart.league.note", lang, level=level_text(level, lang),
                     average=format_number(average, 2))  # fmt: skip
        counted = {code: format_number(codes.count(code)) for code in VERDICTS}
        heading = title or label("ranking.title", lang, units=format_number(len(rows)), **counted)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, -(-len(entries) // columns))


def _places(k: int) -> tuple[list[int], list[float]]:
    """Return which units are drawn, and the heights of their rows."""
    if k <= MOST:
        return list(range(k)), [float(k - 1 - i) for i in range(k)]
    below = [float(ENDS - 1 - i) for i in range(ENDS)]
    above = [ENDS + GAP + height for height in below]
    return [*range(ENDS), *range(k - ENDS, k)], [*above, *below]


def _colour(verdict: str, best: str) -> str:
    if best == "low":
        verdict = {"above": "below", "below": "above"}.get(verdict, verdict)
    return COLOURS[verdict]


def _legend(verdicts: set[str], best: str, lang: str) -> Sequence[Artist]:
    plain = Line2D([], [], marker="o", markersize=6, linestyle="none", markerfacecolor="white",
                   markeredgecolor=style.INK, label=label("chart.league.plain", lang))  # fmt: skip
    return [
        plain,
        *(
            Line2D([], [], marker="o", markersize=6, linewidth=2, color=_colour(code, best),
                   label=label(f"chart.league.{code}", lang))
            for code in VERDICTS
            if code in verdicts
        ),
    ]  # fmt: skip
