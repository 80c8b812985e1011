"""Charts of parts of a whole: Pareto of causes, shares, weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import list_names
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pareto(
    names: Sequence[str],
    values: Sequence[float],
    *,
    source: str,
    whole: str | None = None,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw causes by size, with their cumulative share.

    Bars and line share one axis, per cent of the total, so that neither misleads.

    Parameters
    ----------
    names, values : sequences of the same length
        The causes and their sizes, in any unit; shares of their sum are drawn.
    source : str
        Where the data come from.
    whole : str, optional
        What the causes add up to, for the title.
    title : str, optional
        The finding. Without it: which causes make up half of the total.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If a value is negative or not a number, or all are zero.
    """
    labels, sizes = style.check_values(names, values)
    percentages = _percentages(sizes)
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    labels, percentages = [labels[i] for i in order], [percentages[i] for i in order]
    cumulative = list(accumulate(percentages))
    half = next(i for i, share in enumerate(cumulative) if share >= 50 - 1e-9) + 1
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, max(8, 0.95 * len(labels)), 4.4)
        _pareto_bars(ax, percentages, half, lang)
        _pareto_line(ax, cumulative, lang)
        column = int(max(7.4, 0.9 * len(labels)) / len(labels) * 11)
        ax.set_xticks(list(range(len(labels))), [style.fold(name, column) for name in labels])
        ax.set_ylim(0, 110)
        ax.set_yticks(range(0, 101, 20))
        ax.set_ylabel(label("chart.pareto.axis", lang))
        ax.grid(axis="y")
        heading = title or _pareto_title(labels, cumulative, half, whole, lang)
        return style.finish(ax, standalone, heading, source, lang, synthetic=synthetic)


def _pareto_bars(ax: Axes, percentages: Sequence[float], half: int, lang: str) -> None:
    """Draw the causes; those that make up the first half in colour."""
    places, decimals = range(len(percentages)), _decimals(percentages)
    ax.bar(
        places, percentages, 0.68, color=[style.GOOD if i < half else style.PALE for i in places]
    )
    for i, share in enumerate(percentages):
        inside = share > 7
        ax.text(
            i,
            share / 2 if inside else share + 1,
            format_percent(share, decimals, lang),
            ha="center",
            va="center" if inside else "bottom",
            color="white" if inside and i < half else style.INK,
        )


def _pareto_line(ax: Axes, cumulative: Sequence[float], lang: str) -> None:
    """Draw the cumulative shares; the first one is that of its bar and has no number."""
    props: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "size": 9}
    ax.plot(range(len(cumulative)), cumulative, "o-", color=style.INK, markersize=4, linewidth=1.2)
    for i, share in enumerate(cumulative[1:], start=1):
        text = format_percent(share, _decimals(cumulative), lang)
        ax.annotate(text, (i, share), (0, 6), **props)
    if len(cumulative) > 1:
        last = len(cumulative) - 1, cumulative[-1]
        ax.annotate(
            label("chart.pareto.cumulative", lang), last, (0, -14), color=style.NEUTRAL, **props
        )


def _pareto_title(
    names: Sequence[str], cumulative: Sequence[float], half: int, whole: str | None, lang: str
) -> str:
    key = {1: ".one", 2: "", 3: ""}.get(half, ".many")
    finding = label(
        f"chart.pareto.title{key}",
        lang,
        share=format_number(cumulative[half - 1], _decimals(cumulative)),
        whole=whole or label("chart.pareto.whole", lang),
        k=half,
        n=len(names),
        names=list_names(names[:half], lang, half),
    )
    return style.capital(finding)


def shares(
    names: Sequence[str],
    values: Sequence[float],
    *,
    source: str,
    whole: str | None = None,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the parts of a whole as one bar, in the order given.

    Parameters
    ----------
    names, values : sequences of the same length
        The parts and their sizes, in any unit; shares of their sum are drawn.
    source, whole, title, synthetic, lang, ax
        As in `pareto`. Without `title`: which part is the largest.

    Raises
    ------
    CxError
        If a value is negative or not a number, or all are zero.
    """
    labels, sizes = style.check_values(names, values)
    percentages = _percentages(sizes)
    lang = drawable(lang)
    with style.theme(lang):
        # Names stand under their parts; where a part is too narrow for that, in a legend.
        narrow = min(percentages) < 8 or max(map(style.display_width, labels)) > 48
        standalone = ax is None
        ax = style.new_axes(ax, 8, 2.1 + 0.25 * narrow * len(labels))
        entries = _share_bar(ax, labels, percentages, not narrow, lang)
        if narrow:
            handles = style.patches(entries)
            ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=1)
        ax.set_xlim(0, 100)
        ax.set_ylim(-0.3 if narrow else -0.75, 0.3)
        ax.axis("off")
        heading = title or _share_title(labels, percentages, whole, lang)
        return style.finish(ax, standalone, heading, source, lang, synthetic=synthetic)


def _share_bar(
    ax: Axes, names: Sequence[str], percentages: Sequence[float], named: bool, lang: str
) -> dict[str, str]:
    """Draw the parts side by side; return the colours by their entries in a legend."""
    start, entries = 0.0, {}
    for i, (name, share) in enumerate(zip(names, percentages, strict=True)):
        colour = style.SEQUENCE[i % len(style.SEQUENCE)]
        ax.barh(0, share, 0.5, start, color=colour, edgecolor="white", linewidth=2)
        middle, percent = start + share / 2, format_percent(share, _decimals(percentages), lang)
        if share >= 6:
            ink = style.ink_on(colour)
            ax.text(middle, 0, percent, ha="center", va="center", color=ink, weight="bold", size=12)
        if named:
            folded = style.fold(name, max(8, int(share)))
            ax.text(middle, -0.32, folded, ha="center", va="top", size=9.5)
        entries[label("chart.entry", lang, name=name, value=percent)] = colour
        start += share
    return entries


def _share_title(
    names: Sequence[str], percentages: Sequence[float], whole: str | None, lang: str
) -> str:
    name, share = _largest(names, percentages)
    whole = whole or label("chart.pareto.whole", lang)
    return style.capital(label("chart.shares.title", lang, name=name, share=share, whole=whole))


def weights(  # noqa: PLR0913  (keywords of a chart)
    names: Sequence[str],
    values: Sequence[float],
    *,
    source: str,
    has_data: Sequence[bool] | None = None,
    legend: tuple[str, str] | None = None,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the weights of an index, and which of them have data behind them.

    Parameters
    ----------
    names, values : sequences of the same length
        The indicators and their weights, in any unit; shares of their sum are drawn.
    has_data : sequence of bool, optional
        Whether there are data for the indicator; the others are drawn hollow.
    legend : (str, str), optional
        Words for indicators with data and without; else that data are published, or not.
    source, title, synthetic, lang, ax
        As in `pareto`. Without `title`: how much of the weight has data, or which is largest.

    Raises
    ------
    CxError
        If a value is negative or not a number, all are zero, `has_data` has another length, or
        `legend` is no pair of texts, or is given without `has_data`.
    """
    labels, sizes = style.check_values(names, values, "weights")
    flags = [True] * len(labels) if has_data is None else [bool(flag) for flag in has_data]
    if len(flags) != len(labels):
        raise CxError(f"has_data has {len(flags)} flags for {len(labels)} weights; one for each")
    if legend is not None:
        _check_legend(legend, has_data)
    percentages = _percentages(sizes)
    lang = drawable(lang)
    with style.theme(lang):
        folded = [style.fold(name, 34) for name in labels]
        lines = sum(max(1.5, name.count("\n") + 1) for name in folded)
        standalone = ax is None
        ax = style.new_axes(ax, 8, 1.9 + 0.24 * lines)
        places = list(range(len(percentages)))[::-1]
        fills = [style.GOOD if flag else "white" for flag in flags]
        edges = [style.GOOD if flag else style.NEUTRAL for flag in flags]
        ax.barh(places, percentages, 0.62, color=fills, edgecolor=edges, linewidth=1.2)
        for place, share in zip(places, percentages, strict=True):
            text = format_percent(share, _decimals(percentages), lang)
            ax.annotate(text, (share, place), (5, 0), textcoords="offset points", va="center")
        ax.set_yticks(places, folded)
        ax.set_xlim(0, max(percentages) * 1.15)
        ax.set_xlabel(label("chart.weights.axis", lang))
        if has_data is not None:
            published = label("chart.weights.has", lang), label("chart.weights.lacks", lang)
            entries = dict(zip(legend or published, (style.GOOD, "white"), strict=True))
            handles = style.patches(entries, style.NEUTRAL)
            ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
        heading = title or _weight_title(labels, percentages, flags, lang)
        return style.finish(ax, standalone, heading, source, lang, synthetic=synthetic)


def _weight_title(
    names: Sequence[str], percentages: Sequence[float], flags: Sequence[bool], lang: str
) -> str:
    if not all(flags):
        covered = sum(share for share, flag in zip(percentages, flags, strict=True) if flag)
        share = format_number(covered, _decimals([covered]))
        return style.capital(label("chart.weights.known", lang, share=share))
    name, share = _largest(names, percentages)
    return style.capital(label("chart.weights.title", lang, name=name, share=share))


def _check_legend(legend: tuple[str, str], has_data: Sequence[bool] | None) -> None:
    pair = isinstance(legend, tuple | list) and len(set(map(str, legend))) == len(legend) == 2
    if not pair or not all(isinstance(text, str) for text in legend):
        raise CxError(f"legend is {legend!r}; allowed: two texts, with data and without")
    if has_data is None:
        raise CxError("legend says which weights have data; give has_data, a flag for each")


def _percentages(sizes: Sequence[float]) -> list[float]:
    total = sum(sizes)
    if total == 0:
        raise CxError("all values are 0; at least one must be larger")
    return [100 * size / total for size in sizes]


def _largest(names: Sequence[str], percentages: Sequence[float]) -> tuple[str, str]:
    """Return the name of the largest part, and its share as it is written."""
    largest = max(range(len(names)), key=lambda i: percentages[i])
    return names[largest], format_number(percentages[largest], _decimals(percentages))


def _decimals(percentages: Sequence[float]) -> int:
    return 0 if all(abs(share - round(share)) < 1e-9 for share in percentages) else 1
