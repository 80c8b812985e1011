"""The Lorenz curve: how much of all spending the customers who spend least bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import level_text
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from cxstats.customers.concentration import SpendingConcentration


def lorenz_curve(
    result: SpendingConcentration,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the Lorenz curve, the line of equality, and the largest of the top shares.

    Parameters
    ----------
    result : SpendingConcentration
        What `cxstats.concentration` returned.
    source : str, optional
        Where the numbers come from; without it, transactions and the number of customers.
    title : str, optional
        The finding. Without it: the share of the last of the top groups, with its interval.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang, table = drawable(lang), result.table
    gini = table[table["measure"] == "gini"].iloc[0]
    tops = table[table["measure"] == "top_share"]
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 7.2, 6.0)
        x, y = (100 * result.curve[name].to_numpy() for name in ("of_customers", "of_spending"))
        ax.plot([0, 100], [0, 100], color=style.NEUTRAL, linewidth=1.0, linestyle="--")
        ax.fill_between(x, y, x, color=style.GOOD, alpha=0.10, linewidth=0)
        ax.plot(x, y, color=style.GOOD, linewidth=2.2)
        ax.annotate(label("chart.lorenz.equal", lang), (46, 46), (-6, 6), size=9,
                    textcoords="offset points", ha="right", color=style.NEUTRAL)  # fmt: skip
        ax.annotate(label("chart.lorenz.curve", lang), (x[-1] * 0.5, np.interp(50, x, y)), (8, -4),
                    size=9, textcoords="offset points", va="top", color=style.GOOD)  # fmt: skip
        if len(tops):
            _mark(ax, tops.iloc[-1], lang)
        ax.set(xlim=(0, 100), ylim=(0, 100))
        ax.set_xlabel(label("chart.lorenz.axis.customers", lang))
        ax.set_ylabel(label("chart.lorenz.axis.spending", lang))
        note = label(
            "chart.lorenz.note",
            lang,
            value=format_number(gini["estimate"], 3),
            interval=interval(gini["ci_low"], gini["ci_high"], 3),
            level=level_text(result.level, lang),
        )
        where = source or label("customers.source", lang, n=format_number(int(gini["n"])))
        heading = title or _title(gini, tops, lang)
        return style.finish(ax, standalone, heading, where, lang, note, result.synthetic)


def _mark(ax: Axes, top: pd.Series, lang: str) -> None:
    """Mark what the top customers bring: from the curve up to all of spending."""
    x, y = 100 * (1 - top["of_customers"]), 100 * (1 - top["estimate"])
    ax.plot([x, x], [y, 100], color=style.BAD, linewidth=1.4)
    ax.scatter([x], [y], 36, color=style.BAD, zorder=3)
    # Above the line of equality, where nothing else is drawn.
    text = format_percent(100 * top["estimate"], 1, lang)
    ax.annotate(text, (x, (x + 100) / 2), (-6, 0), textcoords="offset points", ha="right",
                va="center", size=10, weight="bold", color=style.BAD)  # fmt: skip


def _title(gini: pd.Series, tops: pd.DataFrame, lang: str) -> str:
    if not len(tops):
        limits = interval(gini["ci_low"], gini["ci_high"], 3)
        value = format_number(gini["estimate"], 3)
        return label("chart.lorenz.title.gini", lang, value=value, interval=limits)
    top = tops.iloc[-1]
    return label(
        "chart.lorenz.title",
        lang,
        top=format_percent(round(100 * top["of_customers"], 6), None, lang),
        share=format_percent(100 * top["estimate"], 1, lang),
        interval=interval(100 * top["ci_low"], 100 * top["ci_high"], 1),
    )
