"""Heterotrait-monotrait ratios as a lower triangle: which constructs can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, level_text, unbroken
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import label
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from cxstats.service.reliability import Reliability

THRESHOLD = RULES["henseler2015"].cuts[0]  # .90 where constructs are close in meaning
# One hue from pale to deep: an order that every kind of colour vision, and grey print, keeps.
FRAME = style.SEQUENCE[1]
SHADES = LinearSegmentedColormap.from_list("", ["#F4F7FA", "#B9D7EA", style.GOOD, "#00314F"])


def htmt_heatmap(
    result: Reliability,
    *,
    geometric: bool = False,
    threshold: float = THRESHOLD,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw HTMT of every pair of constructs with its interval.

    Parameters
    ----------
    result : Reliability
        What `cxstats.service.reliability` returned.
    geometric : bool
        HTMT2 instead of HTMT.
    threshold : float
        Ratios above it are framed; between 0 and 1.
    source : str, optional
        Where the data come from; without it, "survey" with the number of cases.
    title : str, optional
        The finding. Without it: whether all pairs stay below 1, by their intervals, and which
        pair is closest to it.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If there are fewer than two constructs, or the threshold is not between 0 and 1.

    References
    ----------
    Henseler, Ringle & Sarstedt (2015). A new criterion for assessing discriminant validity in
    variance-based structural equation modeling. JAMS 43, 115-135.
    """
    if not 0 < threshold <= 1:
        raise CxError(f"threshold={threshold!r} is not allowed; allowed: above 0, at most 1")
    pairs, lang = _pairs(result, geometric, threshold), drawable(lang)
    names = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    k = len(names) - 1
    labels = [result.codebook.label(name, lang) for name in names]
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, max(6.4, 2.6 + 1.2 * k), 1.9 + 0.66 * (k + 0.5))
        for _, row in pairs.iterrows():
            _cell(ax, names.index(row["first"]), names.index(row["second"]) - 1, row)
        heads = [style.fold(name, 15) for name in labels[:-1]]
        for x, head in enumerate(heads):  # a column's name stands on its first cell
            ax.text(x, x - 0.56, head, size=9, ha="center", va="bottom")
        top = -0.86 - 0.27 * heads[0].count("\n")
        ax.set(xlim=(-0.5, k - 0.5), ylim=(k - 0.5, top), xticks=[])
        ax.set_yticks(range(k), [style.fold(name, 24) for name in labels[1:]], size=9)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        heading = title or _title(result, pairs, geometric, threshold, lang)
        note = _note(result, pairs, geometric, threshold, lang)
        where = source or _source(result, lang)
        style.finish(ax, standalone, heading, where, lang, note, result.synthetic)
        return ax if standalone else style.lift_title(ax, 0)


def _pairs(result: Reliability, geometric: bool, threshold: float) -> pd.DataFrame:
    """Return one row per pair: the ratio, its interval, and what is to be said of it."""
    if not len(result.htmt):
        raise CxError("one construct has no pairs, so no HTMT; at least 2 constructs are needed")
    value, ends = ("htmt2", "ci2") if geometric else ("htmt", "ci")
    pairs = result.htmt[["first", "second"]].assign(
        value=result.htmt[value],
        low=result.htmt[f"{ends}_low"],
        high=result.htmt[f"{ends}_high"],
    )
    pairs["close"] = (pairs["high"] >= 1) | (pairs["value"] >= 1)
    pairs["above"] = pairs["value"] > threshold
    return pairs


def _cell(ax: Axes, x: int, y: int, row: pd.Series) -> None:
    """Draw one pair: shade, ratio and interval, hatches and frame."""
    bold, has_value = bool(row["close"]), np.isfinite(row["value"])
    shade = to_hex(SHADES(np.clip(row["value"], 0, 1))) if has_value else style.PALE
    corner, ink = (x - 0.5, y - 0.5), style.ink_on(shade)
    ax.add_patch(Rectangle(corner, 1, 1, facecolor=shade, edgecolor="white", lw=2))
    if bold:
        hatch: dict[str, Any] = {"hatch": "///", "edgecolor": ink, "alpha": 0.35, "lw": 0}
        ax.add_patch(Rectangle(corner, 1, 1, fill=False, **hatch))
    if row["above"]:
        frame: dict[str, Any] = {"edgecolor": FRAME, "lw": 2.2, "zorder": 3}
        ax.add_patch(Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, fill=False, **frame))
    props: dict[str, Any] = {"ha": "center", "va": "center", "color": ink}
    if bold:
        props |= {"bbox": {"boxstyle": "square,pad=0.15", "facecolor": shade, "edgecolor": "none"}}
    lines = [
        (_ratio(row["value"]), 11, "bold" if bold else "normal"),
        (_interval(row), 8, "normal"),
    ]
    lines = [line for line in lines if line[0]]
    for (text, size, weight), dy in zip(lines, (7, -9) if len(lines) > 1 else (0,), strict=True):
        place: dict[str, Any] = {"xytext": (0, dy), "textcoords": "offset points"}
        ax.annotate(text, (x, y), size=size, weight=weight, zorder=4, **place, **props)


def _ratio(value: float) -> str:
    """Write a ratio as it is usually printed, without the zero before the point.

    Examples
    --------
    >>> _ratio(0.9149), _ratio(1.02), _ratio(float("nan"))
    ('.91', '1.02', '?')
    """
    return format_number(value, 2).removeprefix("0") if np.isfinite(value) else "?"


def _interval(row: pd.Series) -> str:
    ends = [row["low"], row["high"]]
    return f"[{_ratio(ends[0])}, {_ratio(ends[1])}]" if np.isfinite(ends).all() else ""


def _title(
    result: Reliability, pairs: pd.DataFrame, geometric: bool, threshold: float, lang: str
) -> str:
    pairs = pairs[pairs["value"].notna()]
    n, close, above = len(pairs), int(pairs["close"].sum()), int(pairs["above"].sum())
    if not n:
        return _measure(geometric)
    has_intervals = bool(pairs["high"].notna().any())
    key = "close" if close else "high" if above else "distinct"
    key, k = (key, close or above) if has_intervals else ("points", above)
    order = ["close", "high"] if has_intervals and close else ["value"]
    top = pairs.sort_values(order).iloc[-1]
    first, second = (result.codebook.label(top[which], lang) for which in ("first", "second"))
    values = {
        "n": n,
        "k": k,
        "threshold": _ratio(threshold),
        "pair": label("chart.htmt.pair", lang, first=first, second=second),
        "name": _measure(geometric),
        "value": unbroken(f"{_ratio(top['value'])} {_interval(top)}".strip()),
    }
    if k == 1 if key == "close" else n == 1 and key != "points":
        key += ".one"
    return style.capital(label(f"chart.htmt.title.{key}", lang, **values))


def _note(
    result: Reliability, pairs: pd.DataFrame, geometric: bool, threshold: float, lang: str
) -> str:
    level = level_text(result.level, lang)
    key = "note" if pairs["high"].notna().any() else "note.points"
    notes = [label(f"chart.htmt.{key}", lang, name=_measure(geometric), level=level)]
    if pairs["close"].any():
        notes.append(label("chart.htmt.note.close", lang))
    if pairs["above"].any():
        notes.append(label("chart.htmt.note.high", lang, threshold=_ratio(threshold)))
    if pairs["value"].isna().any():
        notes.append(label("chart.htmt.note.unknown", lang))
    notes.append(label("chart.htmt.note.rules", lang))
    return join_sentences(notes, lang)


def _measure(geometric: bool) -> str:
    return "HTMT2" if geometric else "HTMT"


def _source(result: Reliability, lang: str) -> str:
    """Return what the ratios come from, with the cases that are complete on all items."""
    n = result.model.n if result.model is not None else int(result.table["n"].min())
    kind = "simulated" if result.synthetic else "own" if result.n_resamples else "moments"
    return label(f"chart.survey.{kind}", lang, n=n)
