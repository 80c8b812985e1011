"""What a published NPS leaves open: all shares of promoters, passives and detractors."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.simplex import CORNERS
from cxstats.charts.wording import join_sentences, list_names
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

COLOURS = (style.SEQUENCE[5], style.SEQUENCE[0], style.SEQUENCE[2], style.SEQUENCE[3])
STEP = 25  # points between the lines of equal NPS


def nps_region(
    scores: Sequence[float],
    *,
    source: str,
    rounding: float = 0.5,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw all shares that go with a published score, as a band in the triangle of shares.

    Each point of the triangle is one set of shares (d, m, p) of detractors, passives and promoters;
    a corner has one kind only. With detractors at the left and promoters at the right, the score
    p - d is the horizontal axis, so a score is a vertical line. Along it the variance of an answer,
    p + d - (p - d)², grows from its upper end (as many passives as possible) to its lower (none).

    Parameters
    ----------
    scores : sequence of 1 to 4 numbers
        NPS as printed, -100 to 100, in the order of their publication.
    source : str
        Where the scores come from.
    rounding : float
        Half the last printed digit, in points: half the width of a band; 0 draws a line.
    title : str, optional
        The finding. Without it: which shares of promoters are possible.
    synthetic : bool
        Whether the scores are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If there is no score or more than four, or one is off the scale.

    Examples
    --------
    >>> (ends(0.32) * 100).round(1).tolist()
    [[0.0, 68.0, 32.0], [34.0, 0.0, 66.0]]
    """
    values = _check(scores, rounding)
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.4, 6.2)
        _frame(ax, lang)
        for score, colour in zip(values, COLOURS, strict=False):
            _score_band(ax, score, rounding, colour)
        keys = _keys(values, rounding, lang)
        place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 0.98)}
        legend = ax.legend(handles=keys, borderaxespad=0, labelspacing=0.9, **place)
        for text in legend.get_texts():
            text.set_linespacing(1.35)
        heading = title or _title(values, rounding, lang)
        note = join_sentences([label("chart.region.note", lang), _variances(values, lang)], lang)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, 0)


def _score_band(ax: Axes, score: float, rounding: float, colour: str) -> None:
    """Draw the shares that go with a score, and the ends of their line."""
    # Detractors stand at the left corner, passives at the top, promoters at the right.
    corners = CORNERS[[0, 2, 1]]
    low, high = _rounded(score, rounding)
    if high > low:
        ax.add_patch(Polygon(band(low, high) @ corners, closed=True, color=colour, alpha=0.28,
                             linewidth=0, zorder=2))  # fmt: skip
    top, bottom = ends(score / 100) @ corners
    ax.plot(*zip(top, bottom, strict=True), color=colour, linewidth=2.2, zorder=3)
    for (x, y), face in ((top, "white"), (bottom, colour)):
        ax.scatter([x], [y], 62, facecolor=face, edgecolor=colour, linewidth=1.8, zorder=5)


def _keys(values: Sequence[float], rounding: float, lang: str) -> list[Any]:
    keys: list[Any] = [
        Line2D([], [], color=colour, linewidth=3, label=_entry(score, rounding, lang))
        for score, colour in zip(values, COLOURS, strict=False)
    ]
    for face, key in (("white", "smallest"), (style.INK, "largest")):
        entry = style.fold(label(f"chart.region.{key}", lang), 28)
        keys.append(Line2D([], [], ls="", marker="o", ms=8, markerfacecolor=face,
                           markeredgecolor=style.INK, label=entry))  # fmt: skip
    return keys


def ends(score: float) -> Floats:
    """Return the shares (2, 3) of detractors, passives, promoters at both ends of a score's line.

    First the smallest variance (as many passives as possible), then the largest (none). The score
    is a difference of shares, -1 to 1.
    """
    most = [max(-score, 0.0), 1 - abs(score), max(score, 0.0)]
    return np.array([most, [(1 - score) / 2, 0.0, (1 + score) / 2]])


def band(low: float, high: float) -> Floats:
    """Return the corners (k, 3) of the shares whose score lies from `low` to `high` (-1 to 1).

    Examples
    --------
    >>> band(-1, 1).tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    (left_top, left), (right_top, right) = ends(low), ends(high)
    peak = [[0.0, 1.0, 0.0]] if low < 0 < high else []
    return np.array([left, left_top, *peak, right_top, right])


def _check(scores: Sequence[float], rounding: float) -> list[float]:
    values = list(scores) if np.ndim(scores) == 1 else None
    if values is None or not 1 <= len(values) <= len(COLOURS):
        raise CxError(f"scores={scores!r}; allowed: a list of 1 to {len(COLOURS)} scores")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, Real) or not -100 <= value <= 100:
            raise CxError(f"scores: {value!r}; allowed: an NPS from -100 to 100")
    if isinstance(rounding, bool) or not isinstance(rounding, Real) or not 0 <= rounding <= 10:
        raise CxError(f"rounding={rounding!r}; allowed: 0 to 10 points")
    return [float(value) for value in values]


def _rounded(score: float, rounding: float) -> tuple[float, float]:
    """Return the lowest and the highest score that is printed as `score`, from -1 to 1."""
    return max(-1.0, (score - rounding) / 100), min(1.0, (score + rounding) / 100)


def _ranges(score: float, rounding: float) -> dict[str, tuple[float, float]]:
    """Return the lowest and the highest share of each kind."""
    low, high = _rounded(score, rounding)
    nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return {
        "promoters": (max(low, 0.0), (1 + high) / 2),
        "passives": (0.0, 1 - nearest),
        "detractors": (max(-high, 0.0), (1 - low) / 2),
    }


def _span(limits: tuple[float, float], lang: str) -> str:
    low, high = (format_number(100 * end, 1).removesuffix(".0") for end in limits)
    return label("planning.region.span", lang, low=low, high=high).replace(" %", "\u00a0%")


def _entry(score: float, rounding: float, lang: str) -> str:
    """Return the entry of a score in the legend: a line for each kind of customer."""
    lines = [label("chart.region.score", lang, score=format_number(score))]
    for kind, limits in _ranges(score, rounding).items():
        name = label(f"chart.nps.{kind}", lang)
        lines.append(label("chart.region.share", lang, name=name, span=_span(limits, lang)))
    return "\n".join(lines)


def _frame(ax: Axes, lang: str) -> None:
    """Draw the triangle, the lines of equal NPS, and the names of corners and sides."""
    height = CORNERS[2, 1]
    for score in range(-100, 101, STEP):
        x = 0.5 + score / 200
        ax.plot([x, x], [0, (1 - abs(score) / 100) * height], color=style.SETTINGS["grid.color"],
                linewidth=1, zorder=1)  # fmt: skip
        ax.plot([x, x], [0, -0.012], color=style.NEUTRAL, linewidth=0.8)
        ax.annotate(format_number(score), (x, 0), (0, -5), textcoords="offset points", ha="center",
                    va="top", size=8.5, color=style.NEUTRAL)  # fmt: skip
    ax.add_patch(Polygon(CORNERS, closed=True, fill=False, edgecolor=style.NEUTRAL, zorder=4))
    props: dict[str, Any] = {"textcoords": "offset points", "weight": "bold", "size": 9.5}
    for place, kind, (dx, dy), ha, va in (
        (CORNERS[0], "detractors", (-14, -20), "left", "top"),
        (CORNERS[1], "promoters", (14, -20), "right", "top"),
        (CORNERS[2], "passives", (0, 6), "center", "bottom"),
    ):
        name = label("chart.region.corner", lang, name=label(f"chart.nps.{kind}", lang))
        ax.annotate(name, place, (dx, dy), ha=ha, va=va, **props)
    axis, props["weight"] = label("chart.region.axis", lang), "normal"
    ax.annotate(axis, (0.5, 0), (0, -36), ha="center", va="top", **props)
    for x, turn, kind in ((0.225, 60, "promoters"), (0.775, -60, "detractors")):
        name = label("chart.region.without", lang, name=label(f"chart.nps.{kind}", lang))
        ax.text(x, 0.5 * height, name, rotation=turn, rotation_mode="anchor", ha="center",
                va="bottom", size=8.5, color=style.NEUTRAL)  # fmt: skip
    ax.set(xlim=(-0.08, 1.08), ylim=(-0.12, 0.93))
    ax.set_aspect("equal")
    ax.axis("off")


def _title(values: Sequence[float], rounding: float, lang: str) -> str:
    spans = [_span(_ranges(score, rounding)["promoters"], lang) for score in values]
    if len(values) == 1:
        score = format_number(values[0])
        return label("chart.region.title.one", lang, score=score, span=spans[0])
    if len(values) == 2:
        first, second = (format_number(score) for score in values)
        return label("chart.region.title.two", lang, first=first, second=second,
                     before=spans[0], after=spans[1])  # fmt: skip
    names = list_names([format_number(score) for score in values], lang, len(COLOURS))
    spread = label("chart.comma", lang).join(spans)
    return label("chart.region.title.many", lang, scores=names, spans=spread)


def _variances(values: Sequence[float], lang: str) -> str:
    spans = []
    for score in values:
        s = abs(score) / 100
        low, high = (format_number(v, 2) for v in (s - s**2, 1 - s**2))
        spans.append(label("chart.region.variance", lang, score=format_number(score), low=low,
                           high=high))  # fmt: skip
    return label("chart.region.note.variance", lang, spans=label("chart.comma", lang).join(spans))
