"""Matrices of shares as heat maps: coverage, access rights, information sharing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex

from cxstats.charts import style
from cxstats.charts.emotion_curve import tick_names
from cxstats.charts.fonts import drawable
from cxstats.charts.heatmap import SHADES
from cxstats.charts.measured_text import broken, line_height, most_lines, widest_word
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import both, label
from cxstats.journeys.share_matrices import ShareMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 8.5
LEFT = 1.9  # inches of a row's name
CELLS = ((12, 0.95), (10_000, 0.5))  # up to so many columns: inches of a cell


def share_heatmap(
    matrix: ShareMatrix,
    *,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix of shares with its margins.

    Parameters
    ----------
    matrix : ShareMatrix
        ``journey.coverage()``, or what `cxstats.access_matrix` or `cxstats.sharing_matrix`
        returned.
    source : str, optional
        Where the matrix comes from; without it, its own.
    title : str, optional
        The finding. Without it: which row has the largest share; of sharing, which pair is the
        least mutual.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.
    """
    import seaborn as sns

    lang, values = drawable(lang), matrix.values
    n_rows, n_columns = values.shape
    with style.theme(lang):
        standalone = ax is None
        cell = next(inches for most, inches in CELLS if n_columns <= most)
        right, below = (both(f"journey.matrix.margin{x}.{matrix.kind}") for x in ("", ".columns"))
        column_names = [*matrix.column_names, right]
        row_names = [*matrix.row_names, below]
        heads = tick_names(column_names, cell, SIZE)
        left = min(max(LEFT, widest_word(row_names, SIZE) + 0.05), 3.5)
        high = max(0.4, line_height(SIZE, most_lines(row_names, left, SIZE)) + 0.1)
        ax = style.new_axes(
            ax,
            max(6.4, left + cell * (n_columns + 1.4) + 0.4),
            high * (n_rows + 1.1) + heads.depth + 1.75,
        )
        sns.heatmap(
            values, mask=np.isnan(values), vmin=0, vmax=1, cmap=SHADES, cbar=False, linewidths=1.5,
            linecolor="white", xticklabels=False, yticklabels=False, ax=ax,
        )  # fmt: skip
        ax.set_facecolor("white")
        _cells(ax, matrix)
        _margins(ax, matrix, lang)
        rows = ["\n".join(broken(n.get(lang), left, SIZE, lang)) for n in row_names]
        ax.set_yticks([*np.arange(n_rows) + 0.5, n_rows + 0.6], rows, size=SIZE, rotation=0)
        columns = [broken(n.get(lang), heads.width, SIZE, lang) for n in column_names]
        ax.xaxis.tick_top()
        turned: dict[str, Any] = (
            {} if heads.upright else {"rotation": 90, "va": "bottom", "multialignment": "left"}
        )
        places = [*np.arange(n_columns) + 0.5, n_columns + 0.7]
        ax.set_xticks(places, ["\n".join(c) for c in columns], size=SIZE, **turned)
        ax.tick_params(length=0)
        ax.set(xlim=(0, n_columns + 1.4), ylim=(n_rows + 1.1, 0), xlabel="", ylabel="")
        ax.spines[:].set_visible(False)
        heading = style.capital(title or _title(matrix, lang))
        where = source or matrix.source.get(lang) or label("journey.matrix.source", lang)
        note = label(f"journey.matrix.note.{matrix.kind}", lang)
        style.finish(ax, standalone, heading, where, lang, note, matrix.synthetic)
        return ax if standalone else style.lift_title(ax, 2)


def _cells(ax: Axes, matrix: ShareMatrix) -> None:
    for (i, j), value in np.ndenumerate(matrix.values):
        if np.isnan(value):
            continue
        text = format_number(value if matrix.kind == "access" else 100 * value, 0)
        ink = style.ink_on(to_hex(SHADES(value)))
        ax.text(j + 0.5, i + 0.5, text, size=SIZE, ha="center", va="center", color=ink)


def _margins(ax: Axes, matrix: ShareMatrix, lang: str) -> None:
    """Write the shares of rows at the right, those of columns below."""
    n_rows, n_columns = matrix.values.shape
    middle: dict[str, Any] = {"ha": "center", "va": "center", "size": SIZE, "weight": "bold"}
    for i, share in enumerate(matrix.row_shares):
        ax.text(n_columns + 0.7, i + 0.5, _share(share, lang), **middle)
    for j, share in enumerate(matrix.columns_served["share"]):
        ax.text(j + 0.5, n_rows + 0.6, _share(share, lang), **middle)


def _share(share: float, lang: str) -> str:
    return format_percent(100 * share, 0, lang) if np.isfinite(share) else "–"


def _title(matrix: ShareMatrix, lang: str) -> str:
    if matrix.kind == "sharing":
        pairs = matrix.one_sided()
        if not len(pairs):
            return label("journey.matrix.title.sharing.equal", lang)
        top = pairs.iloc[0]
        name_of = {name.en: name.get(lang) for name in matrix.row_names}
        more, less = ("first", "second") if top["difference"] > 0 else ("second", "first")
        higher, lower = sorted((top["given"], top["received"]), reverse=True)
        return label("journey.matrix.title.sharing", lang, first=name_of[top[more]],
                     second=name_of[top[less]], given=_share(higher, lang),
                     received=_share(lower, lang))  # fmt: skip
    shares = matrix.row_shares
    share = _share(float(np.nanmax(shares)), lang)
    if np.nanmax(shares) == np.nanmin(shares):
        return label(f"journey.matrix.title.{matrix.kind}.equal", lang, share=share)
    first = np.flatnonzero(shares == np.nanmax(shares))
    name = matrix.row_names[int(first[0])].get(lang)
    return label(f"journey.matrix.title.{matrix.kind}", lang, name=name, share=share)
