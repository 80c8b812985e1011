"""What the charts of Excel and PowerPoint share: colours, intervals, axes, words for the blind."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING

from cxstats.charts.style import BAD, GOOD, PALE, SEQUENCE
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.app.report.content import NativeChart

BAR, GRID = "#8FBFDF", "#E4E6E9"  # bars are pale, so that a number on them can be read
# Of detractors, passives and promoters; other series take the colours in their order.
NPS_COLOURS = {"detractor_share": BAD, "passive_share": PALE, "promoter_share": GOOD}


def colours(values: Iterable[str]) -> list[str]:
    """Return the colour of each series.

    Examples
    --------
    >>> colours(["detractor_share", "share"])
    ['#D55E00', '#E69F00']
    """
    return [
        NPS_COLOURS.get(value, SEQUENCE[place % len(SEQUENCE)])
        for place, value in enumerate(values)
    ]


def drawn_rows(native: NativeChart) -> pd.DataFrame:
    """Return the rows of the table that a chart draws, in its order."""
    frame = native.table.frame
    return frame if native.rows is None else frame.iloc[list(native.rows)]


def interval_arms(native: NativeChart) -> tuple[list[float], list[float]]:
    """Return how far the interval of each row reaches below and above; 0 where it has none."""
    frame = drawn_rows(native)
    estimate, low, high = (
        frame[column].astype(float) for column in (native.values[0], native.low, native.high)
    )
    arms = ((estimate - low).tolist(), (high - estimate).tolist())
    below, above = ([arm if isfinite(arm) else 0.0 for arm in side] for side in arms)
    return below, above


def axis_limits(native: NativeChart) -> tuple[float, float] | None:
    """Return the ends of the axis of numbers, round and beyond the intervals; None without numbers.

    Office sets an axis by the numbers alone and would cut their intervals. Bars begin at 0.
    """
    frame = drawn_rows(native)
    if native.kind == "stacked":
        return (0.0, 1.0) if native.percent else None
    columns = [*native.values, *filter(None, (native.low, native.high))]
    numbers = [n for n in frame[columns].astype(float).to_numpy().ravel() if isfinite(n)]
    if not numbers:
        return None
    if native.kind != "line" or native.percent:
        numbers.append(0.0)
    low, high = min(numbers), max(numbers)
    step = _step((high - low) or abs(high) or 1.0)
    bottom, top = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    if native.percent and top > 1 >= high:
        top = 1.0
    return round(bottom, 12), round(top, 12) if top > bottom else round(bottom + step, 12)


def _step(span: float) -> float:
    """Return a round fraction of a span: 1, 2 or 5 times a power of ten, five to ten in it."""
    power = 10.0 ** floor(log10(span / 5))
    return next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= 6)


def number_format(native: NativeChart) -> str:
    """Return the format of a chart's numbers: per cent, or three digits and two places at most."""
    if native.percent:
        return "0%"
    largest = native.table.frame[list(native.values)].astype(float).abs().max().max()
    return "0" if largest >= 100 else "0.0" if largest >= 10 else "0.00"


def axis_format(native: NativeChart) -> str:
    """Return the format of the numbers at the axis: whole where they lie far apart."""
    low, high = axis_limits(native) or (0.0, 0.0)
    return "0" if not native.percent and high - low >= 6 else number_format(native)


def has_labels(native: NativeChart) -> bool:
    """Return whether the numbers stand in the chart; not where a line or an interval crosses them.

    Numbers of bars stand at 0, which the interval of a bar reaches where there are both signs.
    """
    if native.low is None:
        return True
    if native.kind == "line":
        return False
    return (axis_limits(native) or (0.0, 0.0))[0] >= 0


def chart_description(native: NativeChart, headline: str, lang: str) -> str:
    """Return what a chart shows, for readers who do not see it."""
    data = native.data(lang)
    numbers = data.iloc[:, 1:].astype(float) * (100 if native.percent else 1)
    values = "; ".join(
        f"{name}: {', '.join(format_number(number, 1) for number in row)}"
        for name, row in zip(category_names(native, lang), numbers.to_numpy(), strict=True)
    )
    return label(f"report.office.alt.{native.kind}", lang, title=headline, values=values)


def category_names(native: NativeChart, lang: str) -> list[str]:
    """Return the names of a chart's rows as texts; a number is written as its table writes it."""
    from cxstats.core.display import column_of

    names = native.data(lang).iloc[:, 0]
    style = column_of(names, native.names)
    return [style.write(name, lang) for name in names]
