"""Charts of parts of a whole: Pareto of causes, shares, weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.quadrants import listed
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
    labels, numbers = style.check_values(names, values)
    total = _total(numbers)
    order = sorted(range(len(numbers)), key=lambda i: -numbers[i])
    labels = [labels[i] for i in order]
    shares = [100 * numbers[i] / total for i in order]
    cumulative = [sum(shares[: i + 1]) for i in range(len(shares))]
    lang = drawable(lang)
    with style.theme(lang):
        own, ax = ax is None, style.new_axes(ax, max(8, 0.95 * len(labels)), 4.4)
        half = next(i for i, share in enumerate(cumulative) if share >= 50 - 1e-9) + 1
        places = range(len(shares))
        colours = [style.GOOD if i < half else style.PALE for i in places]
        ax.bar(places, shares, 0.68, color=colours)
        ax.plot(places, cumulative, "o-", color=style.INK, markersize=4, linewidth=1.2)
        for i in places:
            words = format_percent(shares[i], _decimals(shares), lang)
            inside = shares[i] > 7
            ax.text(
                i,
                shares[i] / 2 if inside else shares[i] + 1,
                words,
                ha="center",
                va="center" if inside else "bottom",
                color="white" if inside and i < half else style.INK,
            )
            if i:
                words = format_percent(cumulative[i], _decimals(cumulative), lang)
                ax.annotate(
                    words,
                    (i, cumulative[i]),
                    (0, 6),
                    textcoords="offset points",
                    ha="center",
                    size=9,
                )
        if len(shares) > 1:
            ax.annotate(
                label("chart.pareto.cumulative", lang),
                (len(shares) - 1, cumulative[-1]),
                (0, -14),
                textcoords="offset points",
                ha="center",
                size=9,
                color=style.NEUTRAL,
            )
        column = int(max(7.4, 0.9 * len(shares)) / len(shares) * 11)
        ax.set_xticks(list(places), [style.fold(name, column) for name in labels])
        ax.set_ylim(0, 110)
        ax.set_yticks(range(0, 101, 20))
        ax.set_ylabel(label("chart.pareto.axis", lang))
        ax.grid(axis="y")
        heading = title or _pareto_title(labels, cumulative, half, whole, lang)
        return style.finish(ax, own, heading, source, lang, synthetic=synthetic)


def _pareto_title(
    names: Sequence[str], cumulative: Sequence[float], half: int, whole: str | None, lang: str
) -> str:
    values = {
        "share": format_number(cumulative[half - 1], _decimals(cumulative)),
        "whole": whole or label("chart.pareto.whole", lang),
        "k": half,
        "n": len(names),
        "names": listed(names[:half], lang, most=half),
    }
    key = {1: ".one", 2: "", 3: ""}.get(half, ".many")
    return style.capital(label(f"chart.pareto.title{key}", lang, **values))


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
    labels, numbers = style.check_values(names, values)
    total = _total(numbers)
    parts = [100 * number / total for number in numbers]
    lang = drawable(lang)
    with style.theme(lang):
        # Names stand under their parts; where a part is too narrow for that, in a legend.
        narrow = min(parts) < 8 or max(map(style.display_width, labels)) > 48
        own, ax = ax is None, style.new_axes(ax, 8, 2.1 + 0.25 * narrow * len(parts))
        start = 0.0
        entries = {}
        for i, (name, part) in enumerate(zip(labels, parts, strict=True)):
            colour = style.SEQUENCE[i % len(style.SEQUENCE)]
            ax.barh(0, part, 0.5, start, color=colour, edgecolor="white", linewidth=2)
            words = format_percent(part, _decimals(parts), lang)
            middle = start + part / 2
            if part >= 6:
                ink = style.ink_on(colour)
                ax.text(
                    middle, 0, words, ha="center", va="center", color=ink, weight="bold", size=12
                )
            if not narrow:
                folded = style.fold(name, max(8, int(part)))
                ax.text(middle, -0.32, folded, ha="center", va="top", size=9.5)
            entries[f"{name}: {words}"] = colour
            start += part
        ax.set_xlim(0, 100)
        if narrow:
            handles = style.patches(entries)
            ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=1)
        ax.set_ylim(-0.3 if narrow else -0.75, 0.3)
        ax.axis("off")
        largest = max(range(len(parts)), key=lambda i: parts[i])
        heading = title or style.capital(
            label(
                "chart.shares.title",
                lang,
                name=labels[largest],
                share=format_number(parts[largest], _decimals(parts)),
                whole=whole or label("chart.pareto.whole", lang),
            )
        )
        return style.finish(ax, own, heading, source, lang, synthetic=synthetic)


def weights(  # noqa: PLR0913  (keywords of a chart)
    names: Sequence[str],
    values: Sequence[float],
    *,
    source: str,
    known: Sequence[bool] | None = None,
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
    known : sequence of bool, optional
        Whether data for the indicator exist; the others are drawn hollow.
    legend : (str, str), optional
        Words for indicators with data and without; else that data are published, or not.
    source, title, synthetic, lang, ax
        As in `pareto`. Without `title`: how much of the weight has data, or which is largest.

    Raises
    ------
    CxError
        If a value is negative or not a number, all are zero, `known` has another length, or
        `legend` is no pair of texts, or is given without `known`.
    """
    labels, numbers = style.check_values(names, values, "weights")
    has = [True] * len(labels) if known is None else [bool(flag) for flag in known]
    if len(has) != len(labels):
        raise CxError(f"known has {len(has)} flags for {len(labels)} weights; one for each")
    if legend is not None:
        _check_legend(legend, known)
    total = _total(numbers)
    parts = [100 * number / total for number in numbers]
    lang = drawable(lang)
    with style.theme(lang):
        folded = [style.fold(name, 34) for name in labels]
        lines = sum(max(1.5, name.count("\n") + 1) for name in folded)
        own, ax = ax is None, style.new_axes(ax, 8, 1.9 + 0.24 * lines)
        places = list(range(len(parts)))[::-1]
        fills = [style.GOOD if flag else "white" for flag in has]
        edges = [style.GOOD if flag else style.NEUTRAL for flag in has]
        ax.barh(places, parts, 0.62, color=fills, edgecolor=edges, linewidth=1.2)
        for place, part in zip(places, parts, strict=True):
            words = format_percent(part, _decimals(parts), lang)
            ax.annotate(words, (part, place), (5, 0), textcoords="offset points", va="center")
        ax.set_yticks(places, folded)
        ax.set_xlim(0, max(parts) * 1.15)
        ax.set_xlabel(label("chart.weights.axis", lang))
        if known is not None:
            published = label("chart.weights.has", lang), label("chart.weights.lacks", lang)
            entries = dict(zip(legend or published, (style.GOOD, "white"), strict=True))
            handles = style.patches(entries, style.NEUTRAL)
            ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
        covered = sum(part for part, flag in zip(parts, has, strict=True) if flag)
        largest = max(range(len(parts)), key=lambda i: parts[i])
        heading = title or style.capital(
            label("chart.weights.known", lang, share=format_number(covered, _decimals([covered])))
            if not all(has)
            else label(
                "chart.weights.title",
                lang,
                name=labels[largest],
                share=format_number(parts[largest], _decimals(parts)),
            )
        )
        return style.finish(ax, own, heading, source, lang, synthetic=synthetic)


def _check_legend(legend: tuple[str, str], known: Sequence[bool] | None) -> None:
    pair = isinstance(legend, tuple | list) and len(set(map(str, legend))) == len(legend) == 2
    if not pair or not all(isinstance(words, str) for words in legend):
        raise CxError(f"legend is {legend!r}; allowed: two texts, with data and without")
    if known is None:
        raise CxError("legend says what is known; give known, a flag for each weight")


def _total(numbers: Sequence[float]) -> float:
    total = sum(numbers)
    if total == 0:
        raise CxError("all values are 0; at least one must be larger")
    return total


def _decimals(shares: Sequence[float]) -> int:
    return 0 if all(abs(share - round(share)) < 1e-9 for share in shares) else 1
