"""SERVQUAL in pictures: gaps, SERVPERF scores, the zone of tolerance, items against the line."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import estimate_text, join_sentences, level_text, unbroken
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label
from cxstats.stats.means import method_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from cxstats.service.servqual import Servqual

OVERALL = "Overall"
NAMED = 5  # items that the scatter names
MARKERS = "os^DvPX"


def gap_dumbbell(
    result: Servqual,
    *,
    items: bool = False,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw expectation and perception on the scale, the gap and its interval beside them.

    Rows stand with the worst gap first and the overall score apart. A row is coloured only where
    the interval of its gap leaves 0 out. Of SERVPERF: the mean with its interval, lowest first.

    Parameters
    ----------
    result : Servqual
        The result; its codebook gives the words, ``synthetic`` the mark.
    items : bool
        One row per item instead of dimension.
    source : str, optional
        Where the data come from; without it, "survey" with the number of respondents.
    title : str, optional
        The finding. Without it: how many fall short, and which most.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang, table = drawable(lang), result.items if items else result.table
    gap = result.measure == "gap"
    column, draw_row = ("gap", _gap_row) if gap else ("perception", _mean_row)
    rows = _rows(result, table, column, lang)
    with style.theme(lang):
        standalone = ax is None
        ax = _row_axes(ax, result, rows, lang)
        for height, row in rows.each():
            draw_row(ax, height, row)
        _set_overall_apart(ax, rows)
        none = label("chart.gaps.none", lang)
        values = [_value(row, column, sign=gap) or none for _, row in rows.each()]
        _beside(ax, rows, values, f"chart.gaps.head.{column}", result, lang)
        keys = _gap_keys([_colour(row) for _, row in rows.each()], lang) if gap else []
        columns = 3 if len(keys) > 4 else len(keys)
        if keys:
            style.legend_above(ax, keys, columns)
        heading = title or (_gap_title if gap else _mean_title)(result, table, lang)
        note = _note(result, table, lang)
        where = _source_text(result, source, lang)
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax, ceil(len(keys) / max(columns, 1)))


def zone_bands(
    result: Servqual,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the zone of tolerance, from minimum to expectation, and the perception in it.

    The dot has the colour of its place: below, inside or above the zone. It is hollow where an
    interval (of perception minus minimum, or minus expectation) leaves that place open.

    Parameters
    ----------
    result, source, lang, ax
        As in `gap_dumbbell`.
    title : str, optional
        The finding. Without it: how many dimensions lie below, inside or above.

    Raises
    ------
    CxError
        If the questionnaire asks for no minimum level or no expectation.
    """
    table = _zone(result)
    lang = drawable(lang)
    rows = _rows(result, table, "adequacy", lang)
    with style.theme(lang):
        standalone = ax is None
        ax = _row_axes(ax, result, rows, lang)
        for height, row in rows.each():
            _zone_row(ax, height, row)
        _set_overall_apart(ax, rows)
        none = label("chart.zone.none", lang)
        values = [_value(row, "position", prefix="position_") or none for _, row in rows.each()]
        _beside(ax, rows, values, "chart.gaps.head.position", result, lang)
        keys = _zone_keys([_place(row)[0] for _, row in rows.each()], lang)
        style.legend_above(ax, keys, 2)
        heading = title or _zone_title(result, table, lang)
        level, n = _level(result, lang), _counts_text(table["n"], lang)
        note = label("chart.zone.note", lang, level=level, n=n)
        where = _source_text(result, source, lang)
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax, ceil(len(keys) / 2))


def gap_scatter(
    result: Servqual,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each item's perception against its expectation; on the line there is no gap.

    Both axes have the same part of the scale. The five worst items are named at the right.

    Parameters
    ----------
    result, source, title, lang, ax
        As in `gap_dumbbell`.

    Raises
    ------
    CxError
        If the result has no expectations (SERVPERF).
    """
    if reason := result.why_not("scatter"):
        raise CxError(reason)
    lang, table = drawable(lang), result.items
    drawn = table[table["gap"].notna()].sort_values("gap", kind="stable")
    worst = list(drawn.index[:NAMED])
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 6.4)
        low, high = _scatter_limits(result, drawn)
        ax.plot([low, high], [low, high], color=style.NEUTRAL, linewidth=1, zorder=1)
        keys = _points(ax, result, drawn, worst, lang)
        ticks = [tick for tick in MaxNLocator(6).tick_values(low, high) if low <= tick <= high]
        ax.set(xlim=(low, high), ylim=(low, high), xticks=ticks, yticks=ticks)
        ax.set_aspect("equal", adjustable="box")
        ends = _scale_ends(result)
        ax.set_xlabel(label("chart.gaps.axis.expectation", lang, **ends))
        ax.set_ylabel(label("chart.gaps.axis.perception", lang, **ends))
        lines = sum(str(key.get_label()).count("\n") + 1 for key in keys)
        _callouts(ax, result, drawn.loc[worst], lines, lang)
        ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0)
        n = _counts_text(drawn["n"], lang)
        note = label("chart.scatter.note", lang, k=len(worst), n=n)
        heading = title or _gap_title(result, table, lang)
        where = _source_text(result, source, lang)
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax, 0)


# Rows -----------------------------------------------------------------------------------------


def _sorted(table: pd.DataFrame, column: str) -> list[str]:
    """Return the rows, lowest value first, rows without a value next, Overall last."""
    rows = table[table.index != OVERALL].sort_values(column, kind="stable").index
    return [*rows, *([OVERALL] if OVERALL in table.index else [])]


class _Rows(NamedTuple):
    """Rows from the top: folded names, heights in lines of text, the table's rows; and the end."""

    names: dict[str, str]
    heights: dict[str, float]
    data: dict[str, pd.Series]
    bottom: float

    def each(self) -> list[tuple[float, pd.Series]]:
        """Return the height of each row and its numbers."""
        return [(self.heights[name], self.data[name]) for name in self.names]


def _rows(result: Servqual, table: pd.DataFrame, column: str, lang: str) -> _Rows:
    """Return the rows by the value in `column`, the overall score apart at the end."""
    order = _sorted(table, column)
    names = {row: style.fold(result.name(row, lang), 40) for row in order}
    y, heights = 0.0, {}
    for row in order:
        y -= 0.6 if row == OVERALL else 0
        tall = max(1.8, 0.8 + 0.85 * (names[row].count("\n") + 1))
        heights[row] = y - (tall - 1.8) / 2
        y -= tall
    return _Rows(names, heights, {str(name): row for name, row in table.iterrows()}, y)


def _row_axes(ax: Axes | None, result: Servqual, rows: _Rows, lang: str) -> Axes:
    """Return axes with the scale below and the names of the rows at the left."""
    ax = style.new_axes(ax, 9.6, 2.2 + 0.2 * -rows.bottom)
    ends = _scale_ends(result)
    pad = 0.02 * (ends["high"] - ends["low"])
    if ends["high"] - ends["low"] <= 12:
        ax.set_xticks(np.arange(ends["low"], ends["high"] + 1))
    ax.set_xlim(ends["low"] - pad, ends["high"] + pad)
    ax.set_ylim(rows.bottom + 0.7, 1.0)
    ax.set_yticks(list(rows.heights.values()), list(rows.names.values()), size=9)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=style.SETTINGS["grid.color"])
    ax.set_xlabel(label("chart.gaps.axis", lang, **ends))
    return ax


def _set_overall_apart(ax: Axes, rows: _Rows) -> None:
    if OVERALL in rows.heights:
        ax.axhline(rows.heights[OVERALL] + 1.2, color=style.PALE, linewidth=0.8)
        ax.get_yticklabels()[list(rows.heights).index(OVERALL)].set_fontweight("bold")


def _beside(
    ax: Axes, rows: _Rows, values: list[str], head: str, result: Servqual, lang: str
) -> None:
    style.beside(ax, list(rows.heights.values()), values)
    text = label(head, lang, level=_level(result, lang)).replace(" [", "\n[")
    props: dict[str, Any] = {"size": 8.5, "color": style.NEUTRAL, "va": "bottom"}
    ax.annotate(text, (1, 1), (8, 0), "axes fraction", "offset points", **props)


def _gap_row(ax: Axes, y: float, row: pd.Series) -> None:
    colour, ends = _colour(row), [row["expectation"], row["perception"]]
    ax.plot(ends, [y, y], color=colour, linewidth=2.5, alpha=0.45, zorder=1)
    ax.scatter(ends[:1], [y], 46, facecolor="white", edgecolor=colour, linewidth=1.6, zorder=2)
    ax.scatter(ends[1:], [y], 46, color=colour, zorder=3)


def _mean_row(ax: Axes, y: float, row: pd.Series) -> None:
    ax.plot([row["ci_low"], row["ci_high"]], [y, y], color=style.GOOD, linewidth=2.5, alpha=0.45)
    ax.scatter([row["perception"]], [y], 46, color=style.GOOD, zorder=3)


def _zone_row(ax: Axes, y: float, row: pd.Series) -> None:
    ax.barh(y, row["expectation"] - row["minimum"], 0.9, row["minimum"], color=style.PALE, zorder=1)
    place, sure = _place(row)
    colour = ZONE[place]
    face = colour if sure else "white"
    ax.scatter([row["perception"]], [y], 54, facecolor=face, edgecolor=colour, lw=1.8, zorder=3)


# Findings -------------------------------------------------------------------------------------

ZONE = {"below": style.BAD, "inside": style.INK, "above": style.GOOD}


def _colour(row: pd.Series) -> str:
    """Return the colour of a gap: its sign's, if the interval leaves 0 out."""
    return style.BAD if row["ci_high"] < 0 else style.GOOD if row["ci_low"] > 0 else style.NEUTRAL


def _place(row: pd.Series) -> tuple[str, bool]:
    """Return where the perception lies, and whether the intervals leave no other place."""
    tiny = 1e-9  # means of equal answers can differ in the last digit
    if row["adequacy"] < -tiny:
        return "below", bool(row["adequacy_ci_high"] < 0)
    if row["superiority"] > tiny:
        return "above", bool(row["superiority_ci_low"] > 0)
    return "inside", bool(row["adequacy_ci_low"] > 0 and row["superiority_ci_high"] < 0)


def _zone(result: Servqual) -> pd.DataFrame:
    if result.zone is None:
        raise CxError(result.why_not("zone"))
    return result.zone


def _gap_title(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    """Return the finding: which scores fall short, and the widest gap."""
    rows = table[(table.index != OVERALL) & table["gap"].notna()].sort_values("gap")
    short, above = rows[rows["ci_high"] < 0], rows[rows["ci_low"] > 0]
    kind = "items" if table is result.items else "dimensions"
    n, k, row = len(rows), len(short), rows.index[0]
    if k:
        row = short.index[0]
        which = f"all.{kind}" if k == n else f"some.{kind}"
        key = "single" if n == 1 else "only" if k == 1 else which
    elif len(above):
        key, row = "above", above.index[-1]
    else:
        key = "unclear" if rows["ci_low"].notna().any() else "points"
        row = rows["gap"].abs().idxmax()
    name = _quoted(result, row, lang)
    value = unbroken(_value(rows.loc[row], "gap", sign=True))
    return style.capital(label(f"chart.gaps.title.{key}", lang, n=n, k=k, name=name, value=value))


def _mean_title(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    rows = table[(table.index != OVERALL) & table["perception"].notna()].sort_values("perception")
    low, high = (_quoted(result, row, lang) for row in (rows.index[0], rows.index[-1]))
    value, best = (unbroken(_value(rows.iloc[i], "perception")) for i in (0, -1))
    if len(rows) == 1:
        return style.capital(label("chart.gaps.title.alone", lang, name=low, value=value))
    ends = {"low": low, "value": value, "high": high, "best": best}
    return style.capital(label("chart.gaps.title.perception", lang, **ends))


def _zone_title(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    rows = table[(table.index != OVERALL) & table["perception"].notna()]
    places = [_place(row)[0] for _, row in rows.iterrows()]
    place = next(p for p in ("below", "above", "inside") if p in places)
    k = places.count(place)
    row = rows["superiority"].idxmax() if place == "above" else rows["adequacy"].idxmin()
    alone = k == 1 and (place == "below" or len(rows) == 1)
    name, key = _quoted(result, str(row), lang), f"{place}.one" if alone else place
    return style.capital(label(f"chart.zone.title.{key}", lang, name=name, k=k, n=len(rows)))


def _note(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    level, n = _level(result, lang), _counts_text(table["n"], lang)
    method = method_name(result.interval, result.n_resamples, result.seed).get(lang)
    notes = [label(f"chart.gaps.note.{result.measure}", lang, level=level, n=n, method=method)]
    if table[["ci_low", "ci_high"]].isna().to_numpy().any():
        notes.append(label("chart.gaps.note.no_interval", lang))
    if OVERALL in table.index:
        weights = label(f"servqual.weights.{result.weights}", lang)
        notes.append(label("chart.gaps.note.weights", lang, weights=weights))
    return join_sentences(notes, lang)


# Wording --------------------------------------------------------------------------------------


def _quoted(result: Servqual, row: str, lang: str) -> str:
    """Return a name for a sentence: an item's, which can be one itself, in quotation marks."""
    name = result.name(row, lang)
    return label("chart.quoted", lang, name=name) if row in result.codebook.items else name


def _value(row: pd.Series, column: str, sign: bool = False, prefix: str = "") -> str:
    """Return "−1.08 [−1.20, −0.96]"; without brackets where there is no interval."""
    value, low, high = row[column], row[f"{prefix}ci_low"], row[f"{prefix}ci_high"]
    if not np.isfinite(value):
        return ""
    text = estimate_text(value, 2, sign)
    if not np.isfinite([low, high]).all():
        return text
    # The sign of a limit that is rounded to 0.00 tells whether the interval includes 0, which has
    # no sign itself.
    ends = [0.0 if abs(end) < 1e-9 else float(end) for end in (low, high)]
    lower, upper = (format_number(end, 2, sign and end != 0) for end in ends)
    return f"{text} [{lower}, {upper}]"


def _counts_text(counts: pd.Series, lang: str) -> str:
    """Return how many answered, or from how many to how many."""
    low, high = counts[counts > 0].min(), counts.max()
    return str(low) if low == high else label("chart.range", lang, low=low, high=high)


def _level(result: Servqual, lang: str) -> str:
    return unbroken(level_text(result.level, lang))


def _scale_ends(result: Servqual) -> dict[str, float]:
    """Return the lowest and the highest answer of all items."""
    bounds = [result.codebook.bounds(item) for item in result.codebook.items]
    return {"low": min(low for low, _ in bounds), "high": max(high for _, high in bounds)}


def _source_text(result: Servqual, source: str | None, lang: str) -> str:
    """Return the source line: as given, or that of a survey."""
    key = "simulated" if result.synthetic else "own"
    return source or label(f"chart.survey.{key}", lang, n=result.n_respondents)


# The scatter --------------------------------------------------------------------------------


def _scatter_limits(result: Servqual, drawn: pd.DataFrame) -> tuple[float, float]:
    """Return the part of the scale that holds every point, with some room, for both axes."""
    ends, values = _scale_ends(result), drawn[["expectation", "perception"]].to_numpy()
    low, high = values.min(), values.max()
    room = max(0.08 * (high - low), 0.02 * (ends["high"] - ends["low"]))
    return low - room, high + room


def _points(
    ax: Axes, result: Servqual, drawn: pd.DataFrame, worst: Sequence[str], lang: str
) -> list[Artist]:
    """Draw the items in the colour and shape of their dimension; return the legend's entries."""
    keys: list[Artist] = []
    for i, (name, items) in enumerate(result.codebook.constructs.items()):
        colour, marker = style.SEQUENCE[i % len(style.SEQUENCE)], MARKERS[(i + i // 7) % 7]
        members = drawn.loc[[item for item in items if item in drawn.index]]
        edges = [style.INK if item in worst else "white" for item in members.index]
        x, y = members["expectation"], members["perception"]
        ax.scatter(x, y, 52, color=colour, marker=marker, edgecolor=edges, linewidth=0.9, zorder=3)
        entry = style.fold(result.codebook.label(name, lang), 34)
        keys.append(dot(entry, colour, colour, marker))
    keys.append(Line2D([], [], color=style.NEUTRAL, lw=1, label=label("chart.scatter.line", lang)))
    return keys


def _callouts(ax: Axes, result: Servqual, worst: pd.DataFrame, taken: int, lang: str) -> None:
    """Name items in a column at the right, under the `taken` lines of the legend."""
    rows = worst.sort_values("perception", ascending=False, kind="stable")
    texts = []
    for item, gap in rows["gap"].items():
        name, value = result.codebook.label(str(item), lang), estimate_text(gap, 2, sign=True)
        texts.append(style.fold(label("chart.entry", lang, name=name, value=value), 36))
    line = 11.5 / _inner_height(ax)  # the height of a line of text, in axes fractions
    low, high = ax.get_ylim()
    wanted = [(y - low) / (high - low) + line / 2 for y in rows["perception"]]
    tall = [line * (text.count("\n") + 1.7) for text in texts]
    tops = stack(wanted, tall, 1 - 1.4 * line * taken)
    props = {
        "arrowstyle": "-",
        "color": style.NEUTRAL,
        "lw": 0.6,
        "shrinkA": 0,
        "shrinkB": 4,
    }
    for (_, row), text, top in zip(rows.iterrows(), texts, tops, strict=True):
        ax.annotate(text, (1.03, top), xycoords="axes fraction", va="top", size=8.5)
        end, place = (row["expectation"], row["perception"]), (1.025, top - line / 2)
        ax.annotate("", end, place, textcoords="axes fraction", arrowprops=props, zorder=2)


def stack(wanted: Sequence[float], tall: Sequence[float], top: float) -> list[float]:
    """Return upper ends of blocks near where they are wanted, below `top`, that do not overlap.

    Parameters
    ----------
    wanted, tall : sequences of the same length
        Upper ends, highest first, and heights.
    top : float
        The highest place; the lowest is 0, which gives way where there is too little room.

    Examples
    --------
    >>> stack([0.9, 0.88, 0.1], [0.25, 0.25, 0.25], 1.0)
    [0.9, 0.65, 0.25]
    """
    places: list[float] = []
    for want, height in zip(wanted, tall, strict=True):
        places.append(min(want, top))
        top = places[-1] - height
    floor = 0.0
    for i in reversed(range(len(places))):  # lift what was pushed below the floor
        places[i] = max(places[i], floor + tall[i])
        floor = places[i]
    return places


def _inner_height(ax: Axes) -> float:
    """Return about how many points high square axes will be, with labels around them."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    box = ax.get_position()
    sides = box.width * figure.get_figwidth() * 0.75, box.height * figure.get_figheight()
    return 72 * min(sides)


# Legends ------------------------------------------------------------------------------------


def dot(entry: str, colour: str, face: str, marker: str = "o") -> Artist:
    """Return the legend entry of a dot."""
    props: dict[str, Any] = {"marker": marker, "markersize": 6.5, "linestyle": ""}
    return Line2D(
        [], [], **props, markerfacecolor=face, markeredgecolor=colour, mew=1.4, label=entry
    )


def _gap_keys(colours: Sequence[str], lang: str) -> list[Artist]:
    keys = [
        dot(label("chart.gaps.expectation", lang), style.INK, "white"),
        dot(label("chart.gaps.perception", lang), style.INK, style.INK),
    ]
    kinds = {"below": style.BAD, "above": style.GOOD, "unclear": style.NEUTRAL}
    return keys + [
        Line2D([], [], color=colour, lw=3, alpha=0.6, label=label(f"chart.gaps.{kind}", lang))
        for kind, colour in kinds.items()
        if colour in colours
    ]


def _zone_keys(places: Sequence[str], lang: str) -> list[Artist]:
    dots = [
        dot(label(f"chart.zone.{place}", lang), colour, colour)
        for place, colour in ZONE.items()
        if place in places
    ]
    return [Patch(color=style.PALE, label=label("chart.zone.band", lang)), *dots]
