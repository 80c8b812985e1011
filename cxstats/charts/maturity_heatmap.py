"""Maturity of factors by layers, with what is printed for each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.colors import to_hex

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.heatmap import SHADES
from cxstats.charts.measured_text import broken
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.scorecards.maturity import LAYERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.scorecards.maturity import MaturityMatrix

CELL = 2.0  # inches


def maturity_heatmap(
    result: MaturityMatrix,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw maturity scores as a heat map, with the printed text of each cell.

    Parameters
    ----------
    result : MaturityMatrix
        What `cxstats.maturity_matrix` returned.
    source : str, optional
        Where the scores come from.
    title : str, optional
        The finding. Without it: which layer is the weakest.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    import seaborn as sns

    lang = drawable(lang)
    scores = result.table[list(LAYERS)].to_numpy(float)
    low, high = result.scale
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 2.6 + CELL * len(LAYERS), 1.9 + 0.8 * len(scores))
        sns.heatmap(scores, vmin=low, vmax=high, cmap=SHADES, cbar=False, linewidths=1.5,
                    linecolor="white", ax=ax)  # fmt: skip
        for i, factor in enumerate(result.table.index):
            for j, layer in enumerate(LAYERS):
                ink = style.ink_on(to_hex(SHADES((scores[i, j] - low) / (high - low))))
                words = result.texts.get((factor, layer))
                lines = broken(words.get(lang), CELL - 0.2, 8, lang) if words else []
                ax.text(j + 0.5, i + (0.3 if lines else 0.5), format_number(scores[i, j], 1),
                        ha="center", va="center", color=ink, weight="bold", size=11)  # fmt: skip
                ax.text(j + 0.5, i + 0.68, "\n".join(lines), ha="center", va="center", color=ink,
                        size=8)  # fmt: skip
        names = [
            f"{style.fold(result.names[name].get(lang), 26)}\n"
            f"{format_percent(100 * result.weights[name], 0, lang)}"
            for name in result.table.index
        ]
        ax.set_yticks([i + 0.5 for i in range(len(names))], names, rotation=0)
        heads = [label(f"maturity.layer.{layer}", lang) for layer in LAYERS]
        ax.set_xticks([j + 0.5 for j in range(len(LAYERS))], heads)
        ax.tick_params(length=0)
        ax.set(xlabel="", ylabel="")
        note = label("maturity.chart.note", lang, low=format_number(low), high=format_number(high))
        where = source or label("maturity.source", lang, m=result.n_judges)
        heading = title or style.capital(result.lead(lang).rstrip(".。"))
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax, 0)
