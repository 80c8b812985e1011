"""The emotion curve: a point a touchpoint, with its interval and the band of all."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.transforms import ScaledTranslation

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.measured_text import (
    broken,
    in_two_lines,
    line_height,
    most_lines,
    widest_word,
)
from cxstats.charts.wording import level_text
from cxstats.core.language import Text, label
from cxstats.journeys.emotion_curve import EmotionCurve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

SIZE, STAGE_SIZE = 8.5, 9.0
HEIGHT = 3.4  # inches of the plot, without the names of stages
SLOTS = ((8, 1.15), (14, 0.85), (10_000, 0.42))  # up to so many touchpoints: inches for each
NARROW = 0.8  # inches from which a name may stand upright


class TickNames(NamedTuple):
    """How names stand below an axis, alike in both languages.

    Attributes
    ----------
    width : float
        Inches of a line.
    upright : bool
        Whether they run from left to right; else from below to above.
    depth : float
        Inches that they take below the axis.
    """

    width: float
    upright: bool
    depth: float


def tick_names(names: Sequence[Text], slot: float, size: float = SIZE) -> TickNames:
    """Return how names stand below an axis whose ticks are `slot` inches apart."""
    width = slot - 0.08
    if slot >= NARROW and widest_word(names, size) <= width and most_lines(names, width, size) <= 5:
        return TickNames(width, True, line_height(size, most_lines(names, width, size)))
    width = in_two_lines(names, size)
    return TickNames(width, False, width)


def emotion_curve(
    curve: EmotionCurve,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw scores, or shares of positive texts, along a journey.

    Dots are touchpoints and bars their own intervals; the band holds for all touchpoints at once.
    A touchpoint without a value has no dot, and the curve a gap.

    Parameters
    ----------
    curve : EmotionCurve
        ``journey.emotion_curve()``, or what `emotion_curve_from_counts` returned.
    source : str, optional
        Where the numbers come from; without it, the respondents or texts.
    title : str, optional
        The finding. Without it: where the curve is lowest, and whether the band tells it apart.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang = drawable(lang)
    names = [touchpoint.name for touchpoint in curve.journey_map.touchpoints]
    with style.theme(lang):
        standalone = ax is None
        slot = _slot(curve)
        above = _stage_height(curve, slot)
        width = max(6.4, slot * len(names) + 1.1)
        ticks = tick_names(names, slot)
        ax = style.new_axes(ax, width, HEIGHT + above + ticks.depth + 1.7)
        _stages(ax, curve, slot, lang)
        _points(ax, curve)
        _limits(ax, curve, above / HEIGHT)
        _names(ax, [name.get(lang) for name in names], ticks, lang)
        axis = label(f"journey.curve.axis.{curve.kind}", lang)
        ax.set_ylabel(axis)
        entries = _legend(curve, lang)
        columns = style.legend_columns([str(e.get_label()) for e in entries], width - 1)
        style.legend_above(ax, entries, columns)
        heading = title or curve.finding(lang)
        where = source or curve.source_text(lang)
        note = label(f"journey.curve.note.{curve.method}", lang)
        style.finish(ax, standalone, heading, where, lang, note, curve.synthetic)
        if standalone:
            return ax
        return style.lift_title(ax, -(-len(entries) // columns))


def _slot(curve: EmotionCurve) -> float:
    """Return the inches of a touchpoint: enough for the words of the stages' names, too."""
    points, stages = curve.journey_map.touchpoints, curve.journey_map.stages
    slot = next(inches for most, inches in SLOTS if len(points) <= most)
    for place, stage in enumerate(stages):
        n = len(curve.journey_map.of_stage(place))
        slot = max(slot, (min(widest_word([stage.name], STAGE_SIZE, True), 1.0) + 0.12) / n)
    return slot


def _stage_height(curve: EmotionCurve, slot: float) -> float:
    lines = [
        most_lines([stage.name], slot * len(curve.journey_map.of_stage(i)) - 0.1, STAGE_SIZE, True)
        for i, stage in enumerate(curve.journey_map.stages)
    ]
    return line_height(STAGE_SIZE, max(lines)) + 0.12


def _stages(ax: Axes, curve: EmotionCurve, slot: float, lang: str) -> None:
    """Shade every other stage and write its name at the top."""
    places = [touchpoint.stage for touchpoint in curve.journey_map.touchpoints]
    start = 0
    for stage, members in groupby(places):
        n = len(list(members))
        if stage % 2 == 0:
            ax.axvspan(start - 0.5, start + n - 0.5, color="#F3F5F7", lw=0, zorder=0)
        name = curve.journey_map.stages[stage].name.get(lang)
        lines = broken(name, slot * n - 0.1, STAGE_SIZE, lang, bold=True)
        for i, line in enumerate(lines):
            down = -(0.05 + line_height(STAGE_SIZE, i) + line_height(STAGE_SIZE) / 2)
            ax.annotate(line, (start + (n - 1) / 2, 1), (0, 72 * down), ax.get_xaxis_transform(),
                        "offset points", ha="center", va="center", size=STAGE_SIZE, weight="bold",
                        zorder=5)  # fmt: skip
        start += n


def _points(ax: Axes, curve: EmotionCurve) -> None:
    scale = 100 if curve.kind == "share" else 1
    table = {c: scale * curve.table[c].to_numpy(float)
             for c in ("estimate", "ci_low", "ci_high", "band_low", "band_high")}  # fmt: skip
    x, y = np.arange(len(curve.table)), table["estimate"]
    band: dict[str, Any] = {"color": style.GOOD, "alpha": 0.18, "lw": 0, "zorder": 1}
    ax.fill_between(x, table["band_low"], table["band_high"], **band)
    # A single touchpoint between two gaps has no area; its band is a broad bar.
    banded = np.isfinite(np.concatenate([[np.nan], table["band_low"], [np.nan]]))
    alone = banded[1:-1] & ~banded[:-2] & ~banded[2:]
    bars: dict[str, Any] = {"color": style.GOOD, "alpha": 0.18, "lw": 9}
    ax.vlines(x[alone], table["band_low"][alone], table["band_high"][alone], **bars)
    ax.vlines(x, table["ci_low"], table["ci_high"], color=style.GOOD, lw=1.6, zorder=3)
    ax.plot(x, y, color=style.GOOD, lw=1.4, zorder=2)
    lowest = curve.lowest
    colours = [style.BAD if i == lowest else style.GOOD for i in x]
    ax.scatter(x, y, c=colours, s=34, zorder=4, edgecolors="white", linewidths=0.8)
    if curve.neutral is not None:
        ax.axhline(scale * curve.neutral, color=style.NEUTRAL, lw=0.9, ls=(0, (4, 3)), zorder=1)


def _limits(ax: Axes, curve: EmotionCurve, above: float) -> None:
    """Give the axis the range of what is drawn, and room for the names of stages."""
    scale = 100 if curve.kind == "share" else 1
    values = scale * curve.table[["estimate", "ci_low", "ci_high", "band_low", "band_high"]]
    ends = values.to_numpy(float).ravel()
    ends = np.append(ends, np.nan if curve.neutral is None else scale * curve.neutral)
    ends = ends[np.isfinite(ends)]
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 1.0)
    span = (high - low) or 1.0
    low, high = low - 0.06 * span, high + 0.06 * span
    ax.set(xlim=(-0.5, len(curve.table) - 0.5), ylim=(low, high + (high - low) * above))
    ticks = [t for t in ax.get_yticks() if low <= t <= high]
    ax.set_yticks(ticks)
    ax.grid(axis="y")


def _names(ax: Axes, names: list[str], ticks: TickNames, lang: str) -> None:
    """Write the names below the axis, and keep the room that the other language needs."""
    texts = ["\n".join(broken(name, ticks.width, SIZE, lang)) for name in names]
    props: dict[str, Any] = (
        {} if ticks.upright else {"rotation": 90, "va": "top", "multialignment": "right"}
    )
    ax.set_xticks(range(len(names)), texts, size=SIZE, linespacing=1.2, **props)
    ax.tick_params(axis="x", length=0)
    figure = ax.get_figure(root=True)
    assert figure is not None
    below = ScaledTranslation(0, -ticks.depth - 0.06, figure.dpi_scale_trans)
    room = Rectangle((0, 0), 1, 0, transform=ax.transAxes + below, fill=False, lw=0, ec="none")
    room.set_clip_on(False)
    ax.add_patch(room)


def _legend(curve: EmotionCurve, lang: str) -> list[Any]:
    level = level_text(curve.level, lang)
    entries: list[Any] = [
        Line2D([], [], color=style.GOOD, lw=1.6, label=label("journey.curve.interval", lang,
                                                             level=level)),
        Patch(facecolor=style.GOOD, alpha=0.25, label=label("journey.curve.band", lang,
                                                            level=level)),
    ]  # fmt: skip
    if curve.table["band_low"].isna().all():
        entries = [Line2D([], [], color=style.GOOD, marker="o",
                          label=label("journey.curve.point", lang))]  # fmt: skip
    if curve.neutral is not None:
        entries.append(Line2D([], [], color=style.NEUTRAL, lw=0.9, ls=(0, (4, 3)),
                              label=label("journey.curve.neutral", lang)))  # fmt: skip
    return entries
