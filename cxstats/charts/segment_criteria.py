"""How many segments: the gap statistic by number of segments, and what each criterion chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.core.formats import format_number, p_text
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.customers.segments import Segmentation


def segment_criteria(
    result: Segmentation,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the gap statistic with its standard errors, and mark what each criterion chooses.

    Parameters
    ----------
    result : Segmentation
        What `cxstats.segments` returned.
    source : str, optional
        Where the data come from; without it, the number of customers.
    title : str, optional
        The finding. Without it: the gap test and the number of segments.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang, table = drawable(lang), result.criteria
    k, gap, se = (table[name].to_numpy(float) for name in ("k", "gap_statistic", "gap_se"))
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 8.4, 5.2)
        ax.errorbar(k, gap, yerr=se, color=style.GOOD, linewidth=2, marker="o", capsize=3)
        low, high = float((gap - se).min()), float((gap + se).max())
        step = max(high - low, 1e-9) * 0.09
        bottom = low - step
        for i, (_, row) in enumerate(result.choices.iterrows()):
            height = bottom - (i + 0.2) * step
            ax.scatter([row["k"]], [height], 46, marker="^", color=style.BAD, zorder=3)
            text = label(f"chart.segment_criteria.{row['criterion']}", lang)
            far = row["k"] > (k[0] + k[-1]) / 2
            ax.annotate(f"{text}: {row['k']}" if lang == "en" else f"{text}：{row['k']}",
                        (row["k"], height), (-8 if far else 8, 0), textcoords="offset points",
                        ha="right" if far else "left", va="center", size=9)  # fmt: skip
        ax.axhline(bottom + 0.4 * step, color=style.PALE, linewidth=0.8)
        ax.set_xlim(k[0] - 0.4, k[-1] + 0.4)
        ax.set_ylim(bottom - (len(result.choices) + 0.2) * step, high + step)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel(label("chart.segment_criteria.x", lang))
        ax.set_ylabel(label("chart.segment_criteria.y", lang))
        ticks = [tick for tick in ax.get_yticks() if low - step < tick < high + step]
        ax.set_yticks(ticks, [format_number(tick) for tick in np.round(ticks, 6)])
        where = source or label("segments.source", lang, n=format_number(len(result.data.at)))
        note = label("chart.segment_criteria.note", lang)
        heading = title or _title(result, lang)
        return style.finish(ax, standalone, heading, where, lang, note, result.synthetic)


def _title(result: Segmentation, lang: str) -> str:
    p = p_text(result.p_value)
    if result.verdict != "continuum":
        return label("chart.segment_criteria.title.some", lang, p=p, k=result.k)
    kind = "bic" if result.divides_better else "none"
    return label(f"chart.segment_criteria.title.{kind}", lang, p=p)
