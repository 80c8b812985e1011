"""Effects that were published without their base: drawn as reported, and marked so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

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
    labels, values = style.check_values(names, changes, "changes", signed=True)
    signs = [""] * len(labels) if qualifiers is None else list(qualifiers)
    if len(signs) != len(labels):
        raise CxError(f"qualifiers has {len(signs)} signs for {len(labels)} effects")
    flags = [False] * len(labels) if contradicted is None else [bool(x) for x in contradicted]
    if len(flags) != len(labels):
        raise CxError(f"contradicted has {len(flags)} flags for {len(labels)} effects")
    lang = drawable(lang)
    with style.theme(lang):
        own, ax = ax is None, style.new_axes(ax, 9.5, 1.8 + 0.36 * len(labels))
        for i, value in enumerate(values):
            y, flag = len(labels) - 1 - i, flags[i]
            colour = style.BAD if flag else style.NEUTRAL
            ax.plot([0, value], [y, y], color=colour, linewidth=1, linestyle=(0, (3, 2)))
            ax.scatter([value], [y], 42, facecolor="white", edgecolor=colour, zorder=2)
            side = 8 if value >= 0 else -8
            ax.annotate(
                signs[i] + format_percent(value, None, lang, sign=True),
                (value, y),
                (side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                size=9,
            )
            if flag:  # on the free side of zero
                ax.annotate(
                    label("chart.effects.contradicted", lang),
                    (0, y),
                    (-side, 0),
                    textcoords="offset points",
                    ha="right" if side > 0 else "left",
                    va="center",
                    size=9,
                    color=colour,
                    weight="bold",
                )
        ax.axvline(0, color=style.INK, linewidth=0.8)
        ax.set_yticks(range(len(labels))[::-1], [style.fold(name, 48) for name in labels], size=8.5)
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.margins(x=0.2, y=0.03)
        ax.set_xlabel(label("chart.effects.axis", lang))
        style.stamp(ax, label("chart.effects.mark", lang))
        key = "chart.effects.title.one" if len(labels) == 1 else "chart.effects.title"
        heading = title or label(key, lang, n=len(labels))
        return style.finish(ax, own, heading, source, lang, label("chart.effects.warning", lang))
