"""Which input moves a result most: one bar per input, from its low to its high value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.row_names import row_height, row_size
from cxstats.charts.wording import join_sentences
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def tornado(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[str],
    low: Iterable[float],
    high: Iterable[float],
    base: float,
    *,
    source: str,
    axis: str = "",
    low_words: str = "",
    high_words: str = "",
    decimals: int = 2,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what the result becomes when one input at a time goes to its low and its high value.

    Parameters
    ----------
    names : strings
        The inputs.
    low, high : numbers, one per input
        The result with this input at its low and at its high value; `low` may exceed `high`,
        and both may lie on the same side of the base.
    base : float
        The result with every input at its own value.
    source : str
        Where the numbers come from.
    axis : str
        What the result is, with its unit.
    low_words, high_words : str
        What the inputs were set to, for the legend ("weight halved", "weight doubled").
    decimals : int
        Digits of the numbers.
    title : str, optional
        The finding. Without it: the input that moves the result most, and how far.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, there is nothing to draw, or a value is not a number.
    """
    rows, below = style.check_values(names, low, "low results", signed=True)
    _, above = style.check_values(rows, high, "high results", signed=True)
    if not isfinite(base):
        raise CxError(f"base={base!r} is not allowed; allowed: a number")
    spans = [max(a, b, base) - min(a, b, base) for a, b in zip(below, above, strict=True)]
    order = sorted(range(len(rows)), key=lambda i: -spans[i])
    rows, ends = [rows[i] for i in order], [(below[i], above[i]) for i in order]
    lang = drawable(lang)
    with style.theme(lang):
        folded = [style.fold(name, 34) for name in rows]
        standalone = ax is None
        ax = style.new_axes(ax, 9.2, 2.1 + row_height(folded) * len(rows))
        heights = list(range(len(rows)))[::-1]
        for y, pair in zip(heights, ends, strict=True):
            _row(ax, y, pair, base, decimals)
        ax.axvline(base, color=style.INK, linewidth=1, zorder=3)
        ax.set_yticks(heights, folded, size=row_size(ax, folded, standalone))
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-0.6, len(rows) - 0.4)
        ax.set_xlim(*_limits(ax, ends, base, decimals))
        ax.set_xlabel(axis)
        entries = {
            low_words or label("chart.tornado.low", lang): style.SEQUENCE[1],
            high_words or label("chart.tornado.high", lang): style.GOOD,
        }
        style.legend_above(ax, style.patches(entries), 2 if standalone else 1)
        heading = title or _title(rows, ends, base, decimals, lang)
        note = _note(ends, base, decimals, lang)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, 2)


def _limits(
    ax: Axes, ends: Sequence[tuple[float, float]], base: float, decimals: int
) -> tuple[float, float]:
    """Return limits that leave room for the numbers at the ends of the bars."""
    low = min([base, *(min(pair) for pair in ends)])
    high = max([base, *(max(pair) for pair in ends)])
    span = (high - low) or abs(base) or 1.0
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    # Names take about half of the width; a digit is 6 points wide.
    inches = 0.55 * ax.get_position().width * figure.get_figwidth()
    digits = max(len(format_number(end, decimals)) for pair in ends for end in pair)
    room = 0.02 + digits * 6 / 72 / inches
    left = 2 if any(max(pair) < base for pair in ends) else 1  # two numbers at one end
    right = 2 if any(min(pair) > base for pair in ends) else 1
    return low - left * room * span, high + right * room * span


def _row(ax: Axes, y: float, pair: tuple[float, float], base: float, decimals: int) -> None:
    """Draw one input: two bars from the base, the longer one first, and the values at the ends."""
    a, b = pair
    bars = sorted([(a, style.SEQUENCE[1]), (b, style.GOOD)], key=lambda bar: -abs(bar[0] - base))
    same_side = (a - base) * (b - base) > 0
    for i, (value, colour) in enumerate(bars):
        thick = 0.34 if same_side and i else 0.66  # the shorter one lies within the longer
        ax.barh(y, value - base, thick, base, color=colour, zorder=2)
    if same_side:
        far = bars[0][0]
        side = "right" if far > base else "left"
        inner, outer = sorted(pair, key=lambda value: abs(value - base))
        first, last = (inner, outer) if side == "right" else (outer, inner)
        both = f"{format_number(first, decimals)} / {format_number(last, decimals)}"
        _end(ax, y, far, both, side)
        return
    # The two sides: an end that does not move at all stands opposite the other one.
    left = "low" if a < b or (a == b) else "high"
    for value, which in ((a, "low"), (b, "high")):
        _end(ax, y, value, format_number(value, decimals), "left" if which == left else "right")


def _end(ax: Axes, y: float, x: float, text: str, side: str) -> None:
    dx, ha = (4, "left") if side == "right" else (-4, "right")
    place: dict[str, Any] = {"textcoords": "offset points", "va": "center", "size": 9}
    ax.annotate(text, (x, y), (dx, 0), ha=ha, **place)


def _title(
    names: Sequence[str],
    ends: Sequence[tuple[float, float]],
    base: float,
    decimals: int,
    lang: str,
) -> str:
    low, high = min(*ends[0], base), max(*ends[0], base)
    if low == high:
        return style.capital(label("chart.tornado.title.none", lang))
    ends_text = {"low": format_number(low, decimals), "high": format_number(high, decimals)}
    key = ".one" if len(names) == 1 else ""
    return style.capital(label(f"chart.tornado.title{key}", lang, name=names[0], **ends_text))


def _note(ends: Sequence[tuple[float, float]], base: float, decimals: int, lang: str) -> str:
    notes = [label("chart.tornado.note", lang, base=format_number(base, decimals))]
    if any((a - base) * (b - base) > 0 for a, b in ends):
        notes.append(label("chart.tornado.note.same", lang))
    return join_sentences(notes, lang)
