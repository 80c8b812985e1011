"""From stage to stage: how many are left, and which step loses most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isnan
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Polygon

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import Limits, lie_apart
from cxstats.charts.row_names import row_size
from cxstats.charts.wording import level_text, unbroken
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label
from cxstats.stats.intervals import check_level, proportion_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def funnel(  # noqa: PLR0913  (keywords of a chart)
    stages: Iterable[object],
    counts: Iterable[float],
    *,
    source: str,
    level: float = 0.95,
    limits: Iterable[Limits] | None = None,
    decimals: int = 1,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many reach each stage, and the share that goes on from each to the next.

    A step's conversion is ``p = after / before`` with Wilson's interval, as if people decide
    independently of each other. Bars start at one line, so that lengths compare.

    Parameters
    ----------
    stages : names
        From the first to the last, at least two.
    counts : whole numbers
        Who reached each stage; everyone in a stage was in the one before, so counts do not rise.
    source : str
        Where the counts come from.
    level : float
        Level of the intervals.
    limits : pairs of shares, optional
        Intervals of the steps, low and high, that allow for more than independent people, such as
        several contacts of a customer; without them Wilson's.
    decimals : int
        Digits of the percentages.
    title : str, optional
        The finding. Without it: the step with the lowest conversion, and whether its interval
        overlaps that of another step.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If there are fewer than two stages, a count is not a whole number from 0, the first is 0,
        or counts rise.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
    """
    names, numbers = _check(stages, counts)
    check_level(level)
    rates, ends_of_steps = _conversion(np.array(numbers), level)
    note_key = "chart.funnel.note" if limits is None else "chart.funnel.note.limits"
    limits = ends_of_steps if limits is None else list(limits)
    if len(limits) != len(rates):
        raise CxError(f"{len(limits)} limits for {len(rates)} steps; one pair for each")
    weakest = int(np.nanargmin(rates))
    marked = weakest if len(rates) > 1 else None  # a single step is compared with none
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        folded = [style.fold(name, 30 if standalone else 22) for name in names]
        ax = style.new_axes(ax, 9.6, 1.9 + 0.62 * len(names))
        size = row_size(ax, folded, standalone)
        heights = [float(len(names) - 1 - i) for i in range(len(names))]
        _draw(ax, heights, numbers, marked)
        counted = [_count(number, numbers[0], decimals, lang) for number in numbers]
        for y, number, text in zip(heights, numbers, counted, strict=True):
            ax.annotate(text, (number, y), (5, 0), textcoords="offset points", va="center",
                        size=min(9.5, size), annotation_clip=False)  # fmt: skip
        for i, (rate, ends) in enumerate(zip(rates, limits, strict=True)):
            step = f"↓ {_step(rate, ends, decimals, lang)}"
            props = {"color": style.BAD, "weight": "bold"} if i == marked else {}
            style.beside(ax, [heights[i] - 0.5], [step], size=min(9.5, size), **props)
        ax.set_yticks(heights, folded, size=size)
        ax.tick_params(axis="y", length=0)
        ax.set_xlim(0, numbers[0] * _reach(ax, counted, standalone))
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.set_xticks([])
        ax.spines[["left", "bottom"]].set_visible(False)
        heading = title or _title(names, rates, limits, weakest, decimals, lang)
        note = label(note_key, lang, level=level_text(level, lang))
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


def _check(stages: Iterable[object], counts: Iterable[float]) -> tuple[list[str], list[float]]:
    names, numbers = style.check_values(stages, counts, "counts")
    if len(names) < 2:
        raise CxError("1 stage, but a step needs two; allowed: at least 2 stages")
    for name, number in zip(names, numbers, strict=True):
        if number != round(number):
            raise CxError(f"counts: {name!r} has {number:g}; allowed: whole numbers from 0 upwards")
    if not numbers[0]:
        raise CxError(f"counts: nobody is in the first stage, {names[0]!r}; allowed: 1 or more")
    for (first, a), (second, b) in pairwise(zip(names, numbers, strict=True)):
        if b > a:
            raise CxError(
                f"counts: {second!r} has {b:g}, more than {a:g} of {first!r} before it; allowed: "
                "counts that do not rise"
            )
    return names, numbers


def _conversion(counts: NDArray[np.float64], level: float) -> tuple[list[float], list[Limits]]:
    """Return the share that goes on from each stage (NaN from an empty one), and its interval."""
    before, after = counts[:-1], counts[1:]
    rates = np.where(before > 0, after / np.maximum(before, 1), np.nan)
    limits = np.column_stack(proportion_interval(rates, before, level=level))
    return rates.tolist(), [(float(low), float(high)) for low, high in limits]


def _draw(ax: Axes, heights: Sequence[float], numbers: Sequence[float], marked: int | None) -> None:
    """Draw the bars, and between them what is lost."""
    half = 0.32
    ax.barh(heights, numbers, 2 * half, color=style.GOOD)
    for i, ((y, a), (below, b)) in enumerate(pairwise(zip(heights, numbers, strict=True))):
        corners = [(0, y - half), (a, y - half), (b, below + half), (0, below + half)]
        colour = style.BAD if i == marked else style.GOOD
        ax.add_patch(Polygon(corners, closed=True, color=colour, alpha=0.22, linewidth=0))


def _reach(ax: Axes, counted: Sequence[str], standalone: bool) -> float:
    """Return how far the axes go, as a multiple of the first bar, for the counts at its end."""
    inches = 6.4 if standalone else 0.6 * style.inches_wide(ax)
    need = max(map(style.display_width, counted)) * 0.62 * 9.5 / 72 + 0.15
    return 1 / max(0.3, 1 - need / inches)


def _count(number: float, first: float, decimals: int, lang: str) -> str:
    all_or_none = number in (0, first)
    share = format_percent(100 * number / first, 0 if all_or_none else decimals, lang)
    return label("chart.funnel.count", lang, count=format_number(number), share=share)


def _step(rate: float, limits: Limits, decimals: int, lang: str) -> str:
    if isnan(rate):
        return "–"
    ends = interval(100 * limits[0], 100 * limits[1], decimals)
    return f"{format_percent(100 * rate, decimals, lang)} {ends}"


def _title(
    names: Sequence[str],
    rates: Sequence[float],
    limits: Sequence[Limits],
    weakest: int,
    decimals: int,
    lang: str,
) -> str:
    step = {
        "first": names[weakest],
        "second": names[weakest + 1],
        "rate": unbroken(format_percent(100 * rates[weakest], decimals, lang)),
    }
    if len(rates) == 1:
        low, high = limits[0]
        ends = interval(100 * low, 100 * high, decimals)
        return style.capital(label("chart.funnel.title.one", lang, interval=ends, **step))
    near = sum(
        not isnan(rate) and not lie_apart(limits[weakest], limits[i])
        for i, rate in enumerate(rates)
        if i != weakest
    )
    key = {0: "", 1: ".near.one"}.get(near, ".near")
    return style.capital(label(f"chart.funnel.title{key}", lang, k=near, **step))
