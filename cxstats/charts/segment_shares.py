"""Segments of customers: their shares of customers beside their shares of spending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import level_text
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.customers.rfm import segment_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.customers.rfm import RFM


def segment_shares(
    result: RFM,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw two bars a segment: its share of customers with interval, its share of spending.

    Parameters
    ----------
    result : RFM
        What `cxstats.rfm` returned.
    source : str, optional
        Where the numbers come from; without it, transactions and the number of customers.
    title : str, optional
        The finding. Without it: the segment with the largest share of spending.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang, table = drawable(lang), result.table
    shares, spending = (
        100 * table[name].fillna(0).to_numpy(float) for name in ("estimate", "amount_share")
    )
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 8.4, 2.3 + 0.46 * len(table))
        y = np.arange(len(table), dtype=float)
        reach = [shares - 100 * table["ci_low"], 100 * table["ci_high"] - shares]
        names = [label(f"chart.segments.{what}", lang) for what in ("customers", "spending")]
        ax.barh(y - 0.19, shares, 0.36, color=style.NEUTRAL)
        ax.barh(y + 0.19, spending, 0.36, color=style.GOOD)
        ax.errorbar(shares, y - 0.19, xerr=np.clip(reach, 0, None), fmt="none",
                    ecolor=style.INK, elinewidth=1.1, capsize=2)  # fmt: skip
        ends = 100 * table["ci_high"].to_numpy(float)
        for height, values, places in ((-0.19, shares, ends), (0.19, spending, spending)):
            for i, (value, place) in enumerate(zip(values, places, strict=True)):
                ax.annotate(format_number(value, 1), (max(place, 0), i + height), (4, 0), size=8.5,
                            textcoords="offset points", va="center")  # fmt: skip
        ax.set_yticks(y, [style.fold(segment_name(s, lang), 24) for s in table["segment"]])
        ax.set_ylim(len(table) - 0.4, -0.6)
        ax.set_xlim(min(0.0, float(spending.min()) * 1.1), 1.12 * max(ends.max(), spending.max()))
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(label("chart.segments.axis", lang))
        handles = style.patches(dict(zip(names, (style.NEUTRAL, style.GOOD), strict=True)))
        style.legend_above(ax, handles, 2)
        note = label("chart.segments.note", lang, level=level_text(result.level, lang))
        n = format_number(int(table["n"].sum()))
        where = source or label("customers.source", lang, n=n)
        heading = title or _title(result, lang)
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax)


def _title(result: RFM, lang: str) -> str:
    amounts = result.table["amount_share"]
    if amounts.isna().all():
        return label("chart.segments.title.plain", lang)
    row = result.table.iloc[int(amounts.argmax())]
    text = label(
        "chart.segments.title",
        lang,
        segment=segment_name(row["segment"], lang),
        share=format_percent(100 * row["estimate"], 1, lang),
        amount=format_percent(100 * row["amount_share"], 1, lang),
    )
    return style.capital(text)
