"""How much of what is explained each driver explains, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.interval_limits import check_limits, excludes
from cxstats.charts.row_names import row_height, row_size
from cxstats.charts.wording import interval_text, join_sentences, level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def driver_bars(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[str],
    shares: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    *,
    source: str,
    measure: str = "",
    whole: str | None = None,
    r_squared: float | None = None,
    level: float = 0.95,
    decimals: int = 1,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each driver's share of the explained variance (R²) with its interval, largest first.

    A bar is hollow where its interval includes 0, or where there is no interval.

    Parameters
    ----------
    names : strings
        The drivers.
    shares : numbers, one per driver
        Parts of 1, shown in per cent. Signed measures may go below 0.
    low, high : numbers, one per driver
        Limits of the intervals, in the unit of the shares; NaN where there is none.
    source : str
        Where the numbers come from.
    measure : str
        How the shares were found, for the note ("Shapley values").
    whole : str, optional
        What is shared out; without it, the explained variance.
    r_squared : float, optional
        The explained variance that is shared out, from 0 to 1.
    level : float
        Level of the intervals.
    decimals : int
        Digits of the percentages.
    title : str, optional
        The finding. Without it: who is first, with how much, and how many cannot be told from 0.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, a share is not a number or looks like per cent, the limits of an
        interval stand the wrong way round, or R² or the level is not between 0 and 1.
    """
    rows, values = style.check_values(names, shares, "shares", signed=True)
    limits = check_limits(rows, low, high)
    _check(rows, values, r_squared, level)
    order = sorted(range(len(rows)), key=lambda i: -values[i])
    rows, values = [rows[i] for i in order], [100 * values[i] for i in order]
    limits = [(100 * limits[i][0], 100 * limits[i][1]) for i in order]
    clear = [excludes(ends, 0) for ends in limits]
    lang = drawable(lang)
    with style.theme(lang):
        folded = [style.fold(name, 36) for name in rows]
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 1.9 + row_height(folded) * len(rows))
        heights = list(range(len(rows)))[::-1]
        for y, value, (a, b), is_clear in zip(heights, values, limits, clear, strict=True):
            face, edge = (style.GOOD, style.GOOD) if is_clear else ("white", style.PALE)
            ax.barh(y, value, 0.64, color=face, edgecolor=edge, linewidth=1.4)
            ax.errorbar([(a + b) / 2], [y], xerr=[[(b - a) / 2]] * 2, fmt="none", capsize=3,
                        elinewidth=1.3,
                        ecolor=style.INK if is_clear else style.NEUTRAL)  # fmt: skip
        ax.axvline(0, color=style.INK, linewidth=0.8)
        numbers = [
            f"{format_percent(value, decimals, lang)}  {interval_text(ends, decimals, lang)}"
            for value, ends in zip(values, limits, strict=True)
        ]
        style.beside(ax, heights, numbers)
        ax.set_yticks(heights, folded, size=row_size(ax, folded, standalone))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.margins(x=0.03)
        whole = whole or label("chart.drivers.whole", lang)
        ax.set_xlabel(label("chart.drivers.axis", lang, whole=whole))
        heading = title or _title(rows, values, clear, decimals, whole, lang)
        note = _note(measure, r_squared, level, clear, limits, lang)
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


def _check(
    names: Sequence[str], values: Sequence[float], r_squared: float | None, level: float
) -> None:
    check_level(level)
    # Signed shares can exceed 1 where another is negative; otherwise more than 1 is per cent.
    for name, value in zip(names, values, strict=True):
        if value > 1 + 1e-9 and min(values) >= 0:
            raise CxError(f"shares: {name!r} has {value:g}; allowed: parts of 1 (0.35 for 35 %)")
    if r_squared is not None and not 0 <= r_squared <= 1:
        raise CxError(f"r_squared={r_squared!r} is not allowed; allowed: from 0 to 1")


def _title(
    names: Sequence[str],
    values: Sequence[float],
    clear: Sequence[bool],
    decimals: int,
    whole: str,
    lang: str,
) -> str:
    name, share = names[0], format_percent(values[0], decimals, lang)
    n, k = len(names), len(names) - sum(clear)
    if k == n:
        return style.capital(label("chart.drivers.title.none", lang, n=n))
    key = "" if k else ".all"
    title = label(f"chart.drivers.title{key}", lang, name=name, share=share, whole=whole, k=k, n=n)
    return style.capital(title)


def _note(
    measure: str,
    r_squared: float | None,
    level: float,
    clear: Sequence[bool],
    limits: Sequence[tuple[float, float]],
    lang: str,
) -> str:
    notes = []
    if measure:
        notes.append(label("chart.drivers.note.measure", lang, measure=measure))
    if r_squared is not None:
        r2 = format_number(r_squared, 2)
        notes.append(label("chart.drivers.note.r2", lang, r2=r2))
    notes.append(label("chart.drivers.note.level", lang, level=level_text(level, lang)))
    if not all(clear):
        notes.append(label("chart.drivers.note.hollow", lang))
    if len(limits) > 1 and limits[0][0] <= limits[1][1]:
        notes.append(label("chart.drivers.note.order", lang))
    return join_sentences(notes, lang)
