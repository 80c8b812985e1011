"""Segments by columns as a heat map: means, shaded by their difference from all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import unbroken
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.customers.segments import Segmentation

# Orange below, blue above, white at no difference: told apart with every kind of colour vision.
SHADES = LinearSegmentedColormap.from_list("", [style.BAD, "#F7F7F7", style.GOOD])
STRONGEST = 2.0  # standard deviations of the deepest shade


def segment_profiles(
    result: Segmentation,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean of each column in each segment, shaded by its standardised difference.

    Parameters
    ----------
    result : Segmentation
        What `cxstats.segments` returned.
    source : str, optional
        Where the data come from; without it, the number of customers.
    title : str, optional
        The finding. Without it: whether there are separate groups.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    lang, table = drawable(lang), result.profiles
    columns = list(dict.fromkeys(table["column"]))
    shape = (len(result.table), len(columns))
    means, differences = (
        table[name].to_numpy(float).reshape(shape) for name in ("estimate", "standardised")
    )
    with style.theme(lang):
        standalone = ax is None
        rows = [style.fold(name, 40) for name in _row_names(result, lang)]
        heads = [style.fold(result.column_labels[name].get(lang), 16) for name in columns]
        left = 0.4 + 0.09 * max(map(style.display_width, "\n".join(rows).split("\n")))
        ax = style.new_axes(ax, max(7.2, left + 1.3 * len(columns)), 2.3 + 0.62 * len(rows))
        for place, mean in np.ndenumerate(means):
            _cell(ax, place, float(mean), float(differences[place]))
        ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
        ax.set_xticks(range(shape[1]), heads, size=9)
        ax.set_yticks(range(shape[0]), rows, size=9)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        where = source or label("segments.source", lang, n=format_number(len(result.data.at)))
        note = label(f"chart.segment_profiles.note.{'one' if result.k == 1 else 'some'}", lang)
        heading = style.capital(title or _title(result, lang))
        return style.finish(ax, standalone, heading, where, lang, note, result.synthetic)


def _row_names(result: Segmentation, lang: str) -> list[str]:
    names = result.names
    return [
        label(
            "chart.segment_profiles.row",
            lang,
            segment=row["segment"],
            name=names[row["segment"]].get(lang),
            share=unbroken(format_percent(100 * row["estimate"], 1, lang)),
        )
        for _, row in result.table.iterrows()
    ]


def _cell(ax: Axes, place: tuple[int, ...], mean: float, difference: float) -> None:
    i, j = place
    strength = np.nan_to_num(np.clip(difference / STRONGEST, -1, 1))
    shade = to_hex(SHADES((1 + strength) / 2))
    ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=shade, edgecolor="white", lw=1.5))
    ink: dict[str, Any] = {"ha": "center", "va": "center", "color": style.ink_on(shade)}
    place_of: dict[str, Any] = {"textcoords": "offset points"}
    digits = 0 if abs(mean) >= 100 else 1 if abs(mean) >= 10 else 2
    has_rest = np.isfinite(difference)
    ax.annotate(format_number(mean, digits), (j, i), xytext=(0, 6 if has_rest else 0), size=10,
                **place_of, **ink)  # fmt: skip
    if has_rest:
        text = f"({format_number(difference, 1, sign=True)})"
        ax.annotate(text, (j, i), xytext=(0, -8), size=8, **place_of, **ink)


def _title(result: Segmentation, lang: str) -> str:
    first = result.table.iloc[0]
    if result.verdict == "continuum":
        kind = "one" if result.k == 1 else "other"
    else:
        kind = result.verdict
    return label(
        f"chart.segment_profiles.title.{kind}",
        lang,
        k=result.k,
        name=result.names[first["segment"]].get(lang),
        share=unbroken(format_percent(100 * first["estimate"], 1, lang)),
    )
