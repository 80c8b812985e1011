"""SERVQUAL in pictures: gaps, SERVPERF scores, the zone of tolerance, items against the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from cxstats.service.servqual import Servqual

OVERALL = "Overall"


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
        Where the data come from; without it, "own survey" with the number of respondents.
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
    rows = _sorted(table, column)
    names = {row: style.fold(result.name(row, lang), 40) for row in rows}
    data = {str(name): row for name, row in table.iterrows()}
    heights, bottom = _heights(rows, names)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 2.2 + 0.2 * -bottom)
        for row in rows:
            draw_row(ax, heights[row], data[row])
        _dress(ax, result, names, heights, bottom, lang)
        none = label("chart.gaps.none", lang)
        words = [_value(data[row], column, sign=gap) or none for row in rows]
        _beside(ax, heights, words, f"chart.gaps.head.{column}", result, lang)
        keys = _gap_keys([_colour(data[row]) for row in rows], lang) if gap else []
        if keys:
            style.legend_above(ax, keys, 3 if len(keys) > 4 else len(keys))
        heading = title or (gap_title if gap else _mean_title)(result, table, lang)
        note = _note(result, table, lang)
        style.finish(
            ax, standalone, heading, source_text(result, source, lang), lang, note, result.synthetic
        )
        return ax if standalone else style.lift_title(ax, (len(keys) > 0) + (len(keys) > 4))


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
    lang, rows = drawable(lang), _sorted(table, "adequacy")
    names = {row: style.fold(result.name(row, lang), 40) for row in rows}
    data = {str(name): row for name, row in table.iterrows()}
    heights, bottom = _heights(rows, names)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 2.2 + 0.2 * -bottom)
        for row in rows:
            _zone_row(ax, heights[row], data[row])
        _dress(ax, result, names, heights, bottom, lang)
        words = [
            _value(data[row], "position", prefix="position_") or label("chart.zone.none", lang)
            for row in rows
        ]
        _beside(ax, heights, words, "chart.gaps.head.position", result, lang)
        places = [_place(data[row])[0] for row in rows]
        keys = _zone_keys(places, lang)
        style.legend_above(ax, keys, 2)
        heading = title or _zone_title(result, table, lang)
        level, n = _level(result, lang), counts_text(table["n"], lang)
        note = label("chart.zone.note", lang, level=level, n=n)
        style.finish(
            ax, standalone, heading, source_text(result, source, lang), lang, note, result.synthetic
        )
        return ax if standalone else style.lift_title(ax, (len(keys) + 1) // 2)


# Rows -----------------------------------------------------------------------------------------


def _sorted(table: pd.DataFrame, column: str) -> list[str]:
    """Return the rows, lowest value first, rows without a value next, Overall last."""
    rows = table[table.index != OVERALL].sort_values(column, kind="stable").index
    return [*rows, *([OVERALL] if OVERALL in table.index else [])]


def _heights(rows: Sequence[str], names: dict[str, str]) -> tuple[dict[str, float], float]:
    """Return the height of every row in lines of text, first at the top, and the end."""
    y, heights = 0.0, {}
    for row in rows:
        y -= 0.6 if row == OVERALL else 0
        tall = max(1.8, 0.8 + 0.85 * (names[row].count("\n") + 1))
        heights[row] = y - (tall - 1.8) / 2
        y -= tall
    return heights, y


def _dress(
    ax: Axes,
    result: Servqual,
    names: dict[str, str],
    heights: dict[str, float],
    bottom: float,
    lang: str,
) -> None:
    ends = scale_ends(result)
    pad = 0.02 * (ends["high"] - ends["low"])
    if ends["high"] - ends["low"] <= 12:
        ax.set_xticks(np.arange(ends["low"], ends["high"] + 1))
    ax.set_xlim(ends["low"] - pad, ends["high"] + pad)
    ax.set_ylim(bottom + 0.7, 1.0)
    ax.set_yticks(list(heights.values()), [names[row] for row in heights], size=9)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=style.SETTINGS["grid.color"])
    ax.set_xlabel(label("chart.gaps.axis", lang, **ends))
    if OVERALL in heights:
        ax.axhline(heights[OVERALL] + 1.2, color=style.PALE, linewidth=0.8)
        ax.get_yticklabels()[list(heights).index(OVERALL)].set_fontweight("bold")


def _beside(
    ax: Axes, heights: dict[str, float], words: list[str], head: str, result: Servqual, lang: str
) -> None:
    style.beside(ax, list(heights.values()), words)
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


def gap_title(result: Servqual, table: pd.DataFrame, lang: str) -> str:
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
    name = _spoken(result, row, lang)
    value = _value(rows.loc[row], "gap", sign=True).replace(" ", "\u00a0")
    return style.capital(label(f"chart.gaps.title.{key}", lang, n=n, k=k, name=name, value=value))


def _mean_title(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    rows = table[(table.index != OVERALL) & table["perception"].notna()].sort_values("perception")
    names = [_spoken(result, row, lang) for row in (rows.index[0], rows.index[-1])]
    values = [_value(rows.iloc[i], "perception").replace(" ", "\u00a0") for i in (0, -1)]
    if len(rows) == 1:
        return style.capital(label("chart.gaps.title.alone", lang, name=names[0], value=values[0]))
    spoken = {"low": names[0], "high": names[1], "value": values[0], "best": values[1]}
    return style.capital(label("chart.gaps.title.perception", lang, **spoken))


def _zone_title(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    rows = table[(table.index != OVERALL) & table["perception"].notna()]
    places = [_place(row)[0] for _, row in rows.iterrows()]
    place = next(p for p in ("below", "above", "inside") if p in places)
    k = places.count(place)
    row = rows["superiority"].idxmax() if place == "above" else rows["adequacy"].idxmin()
    alone = k == 1 and (place == "below" or len(rows) == 1)
    name, key = _spoken(result, str(row), lang), f"{place}.one" if alone else place
    return style.capital(label(f"chart.zone.title.{key}", lang, name=name, k=k, n=len(rows)))


def _note(result: Servqual, table: pd.DataFrame, lang: str) -> str:
    level, n = _level(result, lang), counts_text(table["n"], lang)
    notes = [label(f"chart.gaps.note.{result.measure}", lang, level=level, n=n)]
    if table[["ci_low", "ci_high"]].isna().to_numpy().any():
        notes.append(label("chart.gaps.note.no_interval", lang))
    if OVERALL in table.index:
        words = label(f"servqual.weights.{result.weights}", lang)
        notes.append(label("chart.gaps.note.weights", lang, weights=words))
    return ("" if lang == "zh" else " ").join(notes)


# Words ----------------------------------------------------------------------------------------


def _spoken(result: Servqual, row: str, lang: str) -> str:
    """Return a name for a sentence: an item's, which can be one itself, in quotation marks."""
    name = result.name(row, lang)
    return label("chart.quoted", lang, name=name) if row in result.codebook.items else name


def _value(row: pd.Series, column: str, sign: bool = False, prefix: str = "") -> str:
    """Return "−1.08 [−1.20, −0.96]"; without brackets where there is no interval."""
    found = [row[column], row[f"{prefix}ci_low"], row[f"{prefix}ci_high"]]
    if not np.isfinite(found[0]):
        return ""
    # The sign of a rounded 0.00 tells on which side of 0 it lies; 0 itself has none.
    exact = [0.0 if abs(x) < 1e-9 else float(x) for x in found if np.isfinite(x)]
    words = [format_number(x, 2, sign and x != 0) for x in exact]
    return words[0] if len(words) < 3 else f"{words[0]} [{words[1]}, {words[2]}]"


def counts_text(counts: pd.Series, lang: str) -> str:
    """Return how many answered, or from how many to how many."""
    given = counts[counts > 0]
    low, high = given.min(), given.max()
    return str(low) if low == high else label("chart.range", lang, low=low, high=high)


def _level(result: Servqual, lang: str) -> str:
    return format_percent(round(100 * result.level, 6), None, lang).replace(" ", "\u00a0")


def scale_ends(result: Servqual) -> dict[str, float]:
    """Return the lowest and the highest answer of all items."""
    bounds = [result.codebook.bounds(item) for item in result.codebook.items]
    return {"low": min(low for low, _ in bounds), "high": max(high for _, high in bounds)}


def source_text(result: Servqual, source: str | None, lang: str) -> str:
    """Return the source line: as given, or that of an own survey."""
    key = "simulated" if result.synthetic else "own"
    return source or label(f"chart.survey.{key}", lang, n=result.n_respondents)


# Legends and the scatter's parts --------------------------------------------------------------


def dot(words: str, colour: str, face: str, marker: str = "o") -> Artist:
    """Return the legend entry of a dot."""
    props: dict[str, Any] = {"marker": marker, "markersize": 6.5, "linestyle": ""}
    return Line2D(
        [], [], **props, markerfacecolor=face, markeredgecolor=colour, mew=1.4, label=words
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
