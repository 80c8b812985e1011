"""The journey strip: stages from left to right; what happens, hurts and is expected in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.measured_text import broken, inches, line_height, most_lines, widest_word
from cxstats.charts.wording import level_text
from cxstats.core.formats import format_number, interval
from cxstats.core.language import LANGUAGES, Text, both, label
from cxstats.journeys.journey import Journey
from cxstats.journeys.journey_map import DESCRIPTIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE, HEAD_SIZE = 8.5, 9.5
PAD, GAP = 0.09, 0.05  # inches: around a cell, between its items
WIDTHS = (1.35, 1.9)  # of a column
WIDE = 11.0  # inches that columns share before they become narrow
ARROW = 0.12
ROWS = ("action", "touchpoint", "channel", "pain", "expectation", "evidence", "score")
TINTS = {"pain": "#FBEDE5", "expectation": "#E6F1F8", "score": "#F3F4F6"}
MARKS = {"pain": style.BAD, "expectation": style.GOOD}


class _Row(NamedTuple):
    """A row of the strip: its kind, the items of each stage, and its height in inches."""

    kind: str
    cells: list[list[Text]]
    height: float


def journey_strip(
    journey: Journey,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a journey as a strip: a column a stage, and a row for each thing that is known of it.

    Texts are broken by their measured width, and a row is as high as its longest cell in either
    language, so that the strip has one layout in both.

    Parameters
    ----------
    journey : Journey
        What `cxstats.journey` returned.
    source : str, optional
        Where the map comes from; without it, that of the map, or the respondents.
    title : str, optional
        Without it: the name of the journey and its size.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it. Texts shrink with the axes, so give it room.
    """
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        names = [stage.name for stage in journey.journey_map.stages]
        width = _width(journey, names)
        rows = _rows(journey, width)
        left = max(inches(_head(row.kind, x), SIZE, x, True) for row in rows for x in LANGUAGES)
        left += 2 * PAD
        head = line_height(HEAD_SIZE, most_lines(names, width - 4 * PAD - ARROW, HEAD_SIZE, True))
        head += 2 * PAD
        size = (left + width * len(names), head + sum(row.height for row in rows))
        ax = style.new_axes(ax, size[0] + 0.3, size[1] + 0.85)
        scale = 1.0 if standalone else _scale(ax, size)
        for i, name in enumerate(names):
            _stage(ax, left + i * width, width, head, name.get(lang), lang, scale)
        top = head
        for row in rows:
            _draw(ax, row, left, width, top, lang, scale)
            top += row.height
        ax.set(xlim=(0, size[0]), ylim=(size[1], 0), xticks=[], yticks=[], aspect="equal")
        ax.set_anchor("NW")
        ax.spines[:].set_visible(False)
        scored = any(row.kind == "score" for row in rows)
        level = level_text(journey.level, lang)
        note = label("journey.strip.note", lang, level=level) if scored else ""
        heading = title or style.capital(
            label("journey.strip.title", lang, title=journey.title(lang), stages=len(names),
                  touchpoints=len(journey.table))
        )  # fmt: skip
        where = source or journey.source_text(lang)
        return style.finish(ax, standalone, heading, where, lang, note, journey.synthetic)


def _width(journey: Journey, names: list[Text]) -> float:
    """Return the width of a column: words stay whole unless they are very long."""
    cell_texts = [text for kind in ROWS for cell in _cells(journey, kind) for text in cell]
    frames = 2 * PAD + 0.1
    word = max(widest_word(names, HEAD_SIZE, True) + 2 * PAD + ARROW, widest_word(cell_texts, SIZE))
    least = min(word + frames + 0.02, WIDTHS[1])
    return max(least, float(np.clip(WIDE / len(names), *WIDTHS)))


def _rows(journey: Journey, width: float) -> list[_Row]:
    """Return the rows that have something to say."""
    cells_of = {kind: _cells(journey, kind) for kind in ROWS}
    room = {kind: width - 2 * PAD - _indent(kind) for kind in ROWS}
    return [
        _Row(kind, cells, max(_height(cell, room[kind], kind) for cell in cells))
        for kind, cells in cells_of.items()
        if any(cells)
    ]


def _cells(journey: Journey, kind: str) -> list[list[Text]]:
    """Return the items of every stage."""
    journey_map, stages = journey.journey_map, range(len(journey.stages))
    if kind in DESCRIPTIONS:
        return [journey_map.texts(i, kind) for i in stages]
    if kind == "touchpoint":
        return [[t.name for t in journey_map.of_stage(i)] for i in stages]
    rows: Any = journey.stages
    return [
        [] if np.isnan(row.estimate) else [_plain(format_number(row.estimate, 2)), *_limits(row)]
        for row in rows.itertuples()
    ]


def _limits(row: Any) -> list[Text]:
    limits = [_plain(interval(row.ci_low, row.ci_high))] if np.isfinite(row.ci_low) else []
    n = [both("process.map.events", n=format_number(row.n))] if np.isfinite(row.n) else []
    return [*limits, *n]


def _plain(text: str) -> Text:
    return Text(text, text)


def _head(kind: str, lang: str) -> str:
    return label(f"journey.strip.{kind}", lang)


def _indent(kind: str) -> float:
    """Return the room of a mark before an item, or of the frame around it."""
    return {"touchpoint": 2 * GAP, "score": 0.0}.get(kind, 0.1)


def _height(items: list[Text], room: float, kind: str) -> float:
    """Return how high a cell must be in inches, in the language that needs more."""
    heights = [
        sum(_item_height(item.get(lang), room, kind, lang) + GAP for item in items)
        for lang in LANGUAGES
    ]
    return max(heights) - GAP + 2 * PAD if items else 2 * PAD


def _item_height(text: str, room: float, kind: str, lang: str) -> float:
    frame = 2 * GAP if kind == "touchpoint" else 0
    return line_height(SIZE, len(broken(text, room, SIZE, lang))) + frame


def _scale(ax: Axes, size: tuple[float, float]) -> float:
    """Return by how much a caller's axes are smaller than the strip."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    place, (width, height) = ax.get_position(), figure.get_size_inches()
    return float(
        np.clip(min(place.width * width / size[0], place.height * height / size[1]), 0.2, 1)
    )


def _stage(
    ax: Axes, x: float, width: float, height: float, name: str, lang: str, scale: float
) -> None:
    """Draw the head of a stage, an arrow to the next."""
    tip, middle = x + width - 0.02, height / 2
    corners = [(x, 0), (tip - ARROW, 0), (tip, middle), (tip - ARROW, height), (x, height),
               (x + ARROW, middle)]  # fmt: skip
    ax.add_patch(Polygon(corners, facecolor=style.GOOD, edgecolor="none"))
    lines = broken(name, width - 4 * PAD - ARROW, HEAD_SIZE, lang, bold=True)
    top = middle - line_height(HEAD_SIZE, len(lines)) / 2
    _write(ax, x + width / 2, top, lines, HEAD_SIZE, scale, color="white", weight="bold",
           ha="center")  # fmt: skip


def _draw(
    ax: Axes, row: _Row, left: float, width: float, top: float, lang: str, scale: float
) -> None:
    """Draw a row: its name, then a cell for each stage."""
    full = left + width * len(row.cells)
    tint = TINTS.get(row.kind, "white")
    ax.add_patch(Rectangle((0, top), full, row.height, facecolor=tint, edgecolor="none", zorder=0))
    ax.plot([0, full], [top + row.height] * 2, color=style.PALE, lw=0.8, zorder=1)
    _write(ax, PAD / 2, top + PAD, [_head(row.kind, lang)], SIZE, scale, weight="bold")
    for i, items in enumerate(row.cells):
        x, y = left + i * width + PAD, top + PAD
        for j, item in enumerate(items):
            lines = broken(item.get(lang), width - 2 * PAD - _indent(row.kind), SIZE, lang)
            height = _item_height(
                item.get(lang), width - 2 * PAD - _indent(row.kind), row.kind, lang
            )
            if row.kind == "touchpoint":
                _frame(ax, x, y, width - 2 * PAD, height)
                _write(ax, x + GAP, y + GAP, lines, SIZE, scale)
            elif row.kind == "score":
                first: dict[str, Any] = {"weight": "bold"} if j == 0 else {}
                _write(ax, x, y, lines, SIZE, scale, **first)
            else:
                mark = MARKS.get(row.kind, style.NEUTRAL)
                dot = y + line_height(SIZE) / 2
                ax.plot([x + 0.03], [dot], "o", ms=3 * scale, color=mark, zorder=3)
                _write(ax, x + _indent(row.kind), y, lines, SIZE, scale)
            y += height + GAP


def _frame(ax: Axes, x: float, y: float, width: float, height: float) -> None:
    shape = "round,pad=0,rounding_size=0.05"
    box: dict[str, Any] = {"facecolor": "#EEF3F7", "edgecolor": style.GOOD, "lw": 0.8}
    ax.add_patch(FancyBboxPatch((x, y), width, height, shape, zorder=2, **box))


def _write(
    ax: Axes, x: float, top: float, lines: list[str], size: float, scale: float, **props: Any
) -> None:
    """Write lines below each other; each is placed, since fonts differ in their own spacing."""
    for i, line in enumerate(lines):
        middle = top + line_height(size, i) + line_height(size) / 2
        ax.text(x, middle, line, size=size * scale, va="center", zorder=4, **props)
