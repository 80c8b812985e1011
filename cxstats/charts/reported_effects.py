"""Effects that were published without their base: drawn as reported, and marked so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.errors import CxError
from cxstats.core.formats import format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reported_effects(
    names: Sequence[str],
    changes: Sequence[float],
    *,
    source: str,
    contradicted: Sequence[bool] | None = None,
    qualifiers: Sequence[str] | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw printed changes whose base is unknown: hollow marks, no interval, a warning.

    Parameters
    ----------
    names, changes : sequences of the same length
        What changed, and by how many per cent in print.
    source : str
        Where the figures come from.
    contradicted : sequence of bool, optional
        Whether other published figures rule the effect out.
    qualifiers : sequence of str, optional
        What stands before each figure in print, such as "≥ ".
    title : str, optional
        The finding. Without it: how many effects cannot be recomputed.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If the lengths differ, nothing is there to draw, or a change is not a number.
    """
    rows, values = style.check_values(names, changes, "changes", signed=True)
    signs = [""] * len(rows) if qualifiers is None else list(qualifiers)
    if len(signs) != len(rows):
        raise CxError(f"qualifiers has {len(signs)} signs for {len(rows)} effects")
    flags = [False] * len(rows) if contradicted is None else [bool(x) for x in contradicted]
    if len(flags) != len(rows):
        raise CxError(f"contradicted has {len(flags)} flags for {len(rows)} effects")
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.5, 1.8 + 0.36 * len(rows))
        heights = range(len(rows))[::-1]
        for y, value, sign, flag in zip(heights, values, signs, flags, strict=True):
            _effect(ax, y, value, sign, flag, lang)
        ax.axvline(0, color=style.INK, linewidth=0.8)
        ax.set_yticks(heights, [style.fold(name, 48) for name in rows], size=8.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.2, y=0.03)
        ax.set_xlabel(label("chart.effects.axis", lang))
        style.stamp(ax, label("chart.effects.mark", lang))
        key = "chart.effects.title.one" if len(rows) == 1 else "chart.effects.title"
        heading = title or label(key, lang, n=len(rows))
        note = label("chart.effects.warning", lang)
        return style.finish(ax, standalone, heading, source, lang, note)


def _effect(ax: Axes, y: int, value: float, sign: str, contradicted: bool, lang: str) -> None:
    """Draw one printed change from 0, its words beyond it and a verdict on the free side of 0."""
    colour = style.BAD if contradicted else style.NEUTRAL
    ax.plot([0, value], [y, y], color=colour, linewidth=1, linestyle=(0, (3, 2)))
    ax.scatter([value], [y], 42, facecolor="white", edgecolor=colour, zorder=2)
    outward, inward = (1, -1) if value >= 0 else (-1, 1)
    _aside(ax, sign + format_percent(value, None, lang, sign=True), (value, y), outward)
    if contradicted:
        verdict = label("chart.effects.contradicted", lang)
        _aside(ax, verdict, (0, y), inward, color=colour, weight="bold")


def _aside(ax: Axes, text: str, place: tuple[float, float], side: int, **props: Any) -> None:
    """Write a text to the right (1) or the left (-1) of a place."""
    props |= {"ha": "left" if side > 0 else "right", "va": "center", "size": 9}
    ax.annotate(text, place, (8 * side, 0), textcoords="offset points", **props)
