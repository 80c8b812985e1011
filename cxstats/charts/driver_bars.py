"""How much of what is explained each driver explains, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite, isnan
from typing import TYPE_CHECKING

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label

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
    clear = [not isnan(a) and not a <= 0 <= b for a, b in limits]
    lang = drawable(lang)
    with style.theme(lang):
        folded = [style.fold(name, 36) for name in rows]
        own, ax = ax is None, style.new_axes(ax, 9.6, 1.9 + row_height(folded) * len(rows))
        heights = list(range(len(rows)))[::-1]
        for y, value, (a, b), is_clear in zip(heights, values, limits, clear, strict=True):
            face, edge = (style.GOOD, style.GOOD) if is_clear else ("white", style.PALE)
            ax.barh(y, value, 0.64, color=face, edgecolor=edge, linewidth=1.4)
            ax.errorbar([(a + b) / 2], [y], xerr=[[(b - a) / 2]] * 2, fmt="none", capsize=3,
                        elinewidth=1.3,
                        ecolor=style.INK if is_clear else style.NEUTRAL)  # fmt: skip
        ax.axvline(0, color=style.INK, linewidth=0.8)
        words = [
            f"{format_percent(value, decimals, lang)}  "
            + (label("chart.intervals.none", lang) if isnan(a) else interval(a, b, decimals))
            for value, (a, b) in zip(values, limits, strict=True)
        ]
        style.beside(ax, heights, words)
        ax.set_yticks(heights, folded, size=row_size(ax, folded, own))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.margins(x=0.03)
        ax.set_xlabel(label("chart.drivers.axis", lang))
        heading = title or _title(rows, values, clear, decimals, lang)
        note = _note(measure, r_squared, level, clear, limits, lang)
        return style.finish(ax, own, heading, source, lang, note, synthetic)


def check_limits(
    names: Sequence[str], low: Iterable[float], high: Iterable[float], what: str = "intervals"
) -> list[tuple[float, float]]:
    """Return the intervals as pairs, or raise naming the one that is none.

    Both limits of an interval may be NaN: then there is none.
    """
    below, above = [float(one) for one in low], [float(one) for one in high]
    if not len(names) == len(below) == len(above):
        raise CxError(f"{len(names)} names, {len(below)} lower and {len(above)} upper limits")
    for name, a, b in zip(names, below, above, strict=True):
        if not (isnan(a) and isnan(b)) and not (isfinite(a) and isfinite(b) and a <= b):
            raise CxError(
                f"{what}: {name!r} has [{a:g}, {b:g}]; allowed: lower limit, then upper limit, "
                "or NaN for both"
            )
    return list(zip(below, above, strict=True))


def row_height(names: Sequence[str]) -> float:
    """Return how many inches a row needs for the longest of the folded names."""
    return (0.31, 0.37, 0.53)[min(2, max(name.count("\n") for name in names))]


def row_size(ax: Axes, names: Sequence[str], own: bool) -> float:
    """Return the size of type at which the folded names of rows fit beside the axes."""
    if own:
        return 10.0
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    # Of a caller's axes, title and note take about a third once they are laid out.
    room = 0.7 * 72 * ax.get_position().height * figure.get_figheight() / len(names)
    return min(10.0, max(6.0, room / 1.25 / (1 + max(name.count("\n") for name in names))))


def check_level(level: float) -> None:
    """Raise if `level` is no level of confidence."""
    if not 0 < level < 1:
        raise CxError(f"level={level!r} is not allowed; allowed: between 0 and 1")


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
    names: Sequence[str], values: Sequence[float], clear: Sequence[bool], decimals: int, lang: str
) -> str:
    name, share = names[0], format_percent(values[0], decimals, lang)
    n, k = len(names), len(names) - sum(clear)
    if k == n:
        return style.capital(label("chart.drivers.title.none", lang, n=n))
    key = "" if k else ".all"
    return style.capital(label(f"chart.drivers.title{key}", lang, name=name, share=share, k=k, n=n))


def _note(
    measure: str,
    r_squared: float | None,
    level: float,
    clear: Sequence[bool],
    limits: Sequence[tuple[float, float]],
    lang: str,
) -> str:
    parts = []
    if measure:
        parts.append(label("chart.drivers.note.measure", lang, measure=measure))
    if r_squared is not None:
        r2 = format_number(r_squared, 2)
        parts.append(label("chart.drivers.note.r2", lang, r2=r2))
    shown = format_percent(round(100 * level, 6), None, lang)
    parts.append(label("chart.drivers.note.level", lang, level=shown))
    if not all(clear):
        parts.append(label("chart.drivers.note.hollow", lang))
    if len(limits) > 1 and limits[0][0] <= limits[1][1]:
        parts.append(label("chart.drivers.note.order", lang))
    return sentences(parts, lang)


def sentences(parts: Sequence[str], lang: str) -> str:
    """Return sentences as one line, with spaces between them in English only."""
    return ("" if lang == "zh" else " ").join(part for part in parts if part)
