"""Indicators against their targets, each on a scale of its own; better is to the right."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import level_text
from cxstats.core.errors import CxError
from cxstats.core.language import Text, label
from cxstats.scorecards.scorecard import number_text, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.scorecards.indicators import Indicator
    from cxstats.scorecards.scorecard import Scorecard

# Verdict: colour, mark, and whether the mark is filled.
LOOKS = {
    "met": (style.GOOD, "^", True),
    "missed": (style.BAD, "v", True),
    "unclear": (style.NEUTRAL, "o", False),
    "met_as_reported": (style.GOOD, "D", False),
    "missed_as_reported": (style.BAD, "s", False),
}
REACH = 1.0  # of the widest value of a row, on either side of the target
MOST = 60  # rows that can be read


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the chart: a branch, or an indicator with its verdict."""

    name: str
    depth: int
    leaf: Indicator | None = None
    verdict: str = ""


def target_bars(
    result: Scorecard,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each indicator with its interval against its target.

    A row has a scale of its own, on which the target is the line and better is to the right, also
    where lower is better; the numbers stand beside it. Colour and mark say the verdict. Indicators
    without value or target are left out, and counted in the note.

    Parameters
    ----------
    result : Scorecard
        What `cxstats.scorecard` returned.
    source : str, optional
        Where the numbers come from; without it, what the scorecard says.
    title : str, optional
        The finding. Without it: how many targets are met and missed.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If no indicator has both a value and a target, or more than 60 rows would be drawn.
    """
    lang = drawable(lang)
    rows = _rows(result, lang)
    if not any(row.leaf for row in rows):
        raise CxError("no indicator has both a value and a target")
    if len(rows) > MOST:
        raise CxError(f"{len(rows)} rows; allowed: at most {MOST}, draw one branch at a time")
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 10.0, 2.0 + 0.36 * len(rows))
        heights = list(range(len(rows)))[::-1]
        for y, row in zip(heights, rows, strict=True):
            if row.leaf is not None:
                _draw(ax, y, row.leaf, row.verdict)
        ax.plot([0, 0], [-0.5, len(rows) - 0.5], color=style.INK, linewidth=1.0, zorder=1)
        beside = [_beside(row.leaf, lang) if row.leaf is not None else "" for row in rows]
        style.beside(ax, heights, beside)
        names = ["   " * row.depth + style.fold(row.name, 44 - 3 * row.depth).replace("\n", " ")
                 for row in rows]  # fmt: skip
        ax.set_yticks(heights, names)
        for tick, row in zip(ax.get_yticklabels(), rows, strict=True):
            tick.set(ha="left", fontweight="normal" if row.leaf else "bold")
        widest = max(style.display_width(name) for name in names)
        ax.tick_params(axis="y", length=0, pad=6.0 * widest)
        ax.set(xlim=(-1.12 * REACH, 1.12 * REACH), ylim=(-0.6, len(rows) - 0.4))
        ax.set_xticks([-0.6, 0, 0.6], [label(f"chart.scorecard.{key}", lang)
                                       for key in ("worse", "target", "better")])  # fmt: skip
        ax.tick_params(axis="x", length=0)
        ax.spines[:].set_visible(False)
        style.legend_above(ax, _legend(rows, lang), 5)
        left_out = len(result.table) - sum(row.leaf is not None for row in rows)
        note = label("chart.scorecard.note", lang, level=level_text(result.level, lang))
        if left_out:
            note += label("chart.scorecard.note.left_out", lang, n=left_out)
        where = source or result.tree.source.get(lang) or label("scorecard.source", lang)
        heading = title or _title(rows, lang)
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax)


def _rows(result: Scorecard, lang: str) -> list[_Row]:
    """Return branches and indicators in the order of the tree, without what cannot be drawn."""
    rows: list[_Row] = []
    open_path: tuple[Text, ...] = ()
    for (path, leaf), outcome in zip(result.indicators(), result.table["verdict"], strict=True):
        if outcome not in LOOKS:
            continue
        if path != open_path:
            shared = 0
            while path[: shared + 1] == open_path[: shared + 1] and shared < len(path):
                shared += 1
            rows += [_Row(path[i].get(lang), i) for i in range(shared, len(path)) if path[i].en]
            open_path = path
        rows.append(_Row(leaf.name.get(lang), len(path) if path[-1].en else 0, leaf, outcome))
    return rows


def _draw(ax: Axes, y: int, leaf: Indicator, verdict: str) -> None:
    colour, mark, filled = LOOKS[verdict]
    sign = 1 if leaf.direction == "higher" else -1
    measured = leaf.measured
    ends = [measured.estimate, measured.low, measured.high]
    away = [sign * (end - leaf.target) for end in ends if isfinite(end)]
    widest = max(map(abs, away)) or 1.0
    x = [REACH * distance / widest for distance in away]
    ax.plot([-REACH, REACH], [y, y], color="#E4E6E9", linewidth=5, zorder=0)
    if len(x) == 3:
        ax.plot(x[1:], [y, y], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=2)
    face = colour if filled else "white"
    ax.scatter(x[:1], [y], 52, marker=mark, facecolor=face, edgecolor=colour, zorder=3)


def _beside(leaf: Indicator, lang: str) -> str:
    """Return value, interval and target as text."""
    sign = "≥" if leaf.direction == "higher" else "≤"
    target = f"{sign} {number_text(leaf.target, leaf, lang)}"
    return label("chart.scorecard.beside", lang, value=value_text(leaf, lang), target=target)


def _legend(rows: list[_Row], lang: str) -> list[Line2D]:
    """Return what the marks mean, of the verdicts that are there."""
    there = {row.verdict for row in rows}
    return [
        Line2D([], [], linestyle="", marker=mark, markersize=7, markeredgecolor=colour,
               markerfacecolor=colour if filled else "white",
               label=label(f"scorecard.verdict.{verdict}", lang))
        for verdict, (colour, mark, filled) in LOOKS.items() if verdict in there
    ]  # fmt: skip


def _title(rows: list[_Row], lang: str) -> str:
    verdicts = [row.verdict for row in rows if row.leaf is not None]
    judged = [verdict for verdict in verdicts if not verdict.endswith("reported")]
    if not judged:
        met = verdicts.count("met_as_reported")
        return label("chart.scorecard.title.reported", lang, n=len(verdicts), met=met)
    return label(
        "chart.scorecard.title", lang, n=len(judged), met=judged.count("met"),
        missed=judged.count("missed"), unclear=judged.count("unclear"),
    )  # fmt: skip
