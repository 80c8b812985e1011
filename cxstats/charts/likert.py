"""The distribution of answers: diverging stacked bars, one row per item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, unbroken
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label
from cxstats.stats.sampling_design import Design
from cxstats.survey.answers import answers
from cxstats.survey.codebook import Codebook, as_codebook
from cxstats.survey.coding import by_codebook
from cxstats.survey.columns import is_number as reads_as_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


# From the end of the scale to its middle; shades of the house's two signal colours, which differ
# in hue for every common colour deficiency and in depth on paper.
LOW = ("#5E2700", style.BAD, "#F8D5BC")
HIGH = ("#002B47", style.GOOD, "#C3E0F1")
MIDDLE = "#dddfe3"
MOST = 11


@by_codebook(lambda book, arguments: (), sampling=("design",))
def likert(  # noqa: PLR0913
    frame: Any,
    codebook: Codebook,
    role: str | None = None,
    *,
    construct: str | None = None,
    design: Design | None = None,
    source: str,
    title: str | None = None,
    synthetic: bool | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the answers to each item are distributed, the middle of the scale at 0.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        The responses, one row per respondent.
    codebook : Codebook
        The questionnaire; reverse items are turned, which the chart says.
    role : str, optional
        "perception", "expectation" or "minimum"; without it, the main answers.
    construct : str, optional
        Draw the items of one construct; all without it, which needs one scale for all.
    design : Design, optional
        Whose weights the shares take; without it that of the codebook (``design=None``: none).
    source : str
        Where the data come from.
    title : str, optional
        The finding. Without it: which item has the largest share of high answers (the highest
        two of up to 7, the highest three of more; ties are broken by the mean).
    synthetic : bool, optional
        Whether the data are simulated; without it, what ``frame.attrs["synthetic"]`` says.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        As `answer_shares`.
    """
    data = as_pandas(frame)
    codebook = as_codebook(codebook)
    shares = answer_shares(data, codebook, role, construct, design=design)
    mark = bool(data.attrs.get("synthetic")) if synthetic is None else synthetic
    lang = drawable(lang)
    groups = {construct: codebook.constructs[construct]} if construct else codebook.constructs
    names = {item: style.fold(codebook.label(item, lang), 44) for item in shares.index}
    heights, heads, bottom = _heights(groups, names)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.6, 2.1 + 0.2 * -bottom)
        _bars(ax, shares, heights, 0.58 if standalone else 0.5)
        _dress(ax, names, heights, {h: codebook.label(h, lang) for h in heads}, heads)
        ax.set_ylim(bottom + 0.5, 0.8)
        ax.set_xlabel(label("chart.likert.axis", lang))
        if shares["n"].nunique() > 1:
            counts = [f"n = {n}" for n in shares["n"]]
            style.beside(ax, [heights[item] for item in shares.index], counts)
        style.legend_above(ax, _keys(shares, codebook, lang), len(shares.columns) - 1)
        heading = title or _title(shares, codebook, role, lang)
        style.finish(
            ax, standalone, heading, source, lang, _note(shares, codebook, design, lang), mark
        )
        return ax if standalone else style.lift_title(ax)


@by_codebook(lambda book, arguments: (), sampling=("design",))
def answer_shares(
    frame: Any,
    codebook: Codebook,
    role: str | None = None,
    construct: str | None = None,
    *,
    design: Design | None = None,
) -> pd.DataFrame:
    """Return the percentage of each answer, of the answers given, by item.

    Parameters
    ----------
    frame, codebook, role, construct, design
        As in `likert`.

    Returns
    -------
    pandas.DataFrame
        One row per item, one column per answer of the scale (int), and ``n``, the answers given;
        a row sums to 100, and is NaN where nobody answered.

    Raises
    ------
    CxError
        If the construct is not known, constructs have different scales, the scale has more than
        11 answers, an answer is not a whole number, or nobody answered.
    DataError
        If an answer is not a number or off the scale.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxstats.survey.codebook import Codebook
    >>> book = Codebook(scale=(1, 3), constructs={"A": ["a"]})
    >>> answer_shares(pd.DataFrame({"a": [1, 3, 3, 3, None]}), book).loc["a"].tolist()
    [25.0, 0.0, 75.0, 4.0]
    """
    import pandas as pd

    codebook = as_codebook(codebook)
    if construct is not None and construct not in codebook.constructs:
        allowed = ", ".join(codebook.constructs)
        raise CxError(f"construct {construct!r} is not in the codebook; allowed: {allowed}")
    items = codebook.constructs[construct] if construct else codebook.items
    low, high = _scale(codebook, items)
    data = as_pandas(frame)
    matrix = answers(data, codebook, role)
    weights = np.ones(len(data)) if design is None else design.read(data).weights
    values = range(low, high + 1)
    rows = {}
    for item in items:
        scores = matrix[:, codebook.items.index(item)]
        w, scores = weights[~np.isnan(scores)], scores[~np.isnan(scores)]
        n, broken = len(scores), scores[scores != np.round(scores)]
        if len(broken):
            column, value = codebook.column(item, role), broken[0]
            raise CxError(f"column {column!r}: {value:g}; allowed: whole numbers {low} to {high}")
        counts = np.array([w[scores == value].sum() for value in values])
        rows[item] = [*(counts / w.sum() if w.sum() else counts * np.nan) * 100, n]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[*values, "n"])
    if not table["n"].sum():
        raise CxError(f"no answers to draw: {', '.join(items[:4])} are empty")
    return table.astype({"n": int})


def palette(k: int) -> list[str]:
    """Return `k` colours from the lowest to the highest answer; grey in the middle of an odd one.

    Examples
    --------
    >>> palette(3)
    ['#d55e00', '#dddfe3', '#0072b2']
    """
    half = k // 2
    steps = np.linspace(max(0.0, 0.5 - 0.17 * (half - 1)), 1, half)  # few answers: no near-black
    low, high = (
        [to_hex(colour) for colour in LinearSegmentedColormap.from_list("", ends, 257)(steps)]
        for ends in (LOW, HIGH)
    )
    return [*low, *[MIDDLE] * (k % 2), *high[::-1]]


def _scale(codebook: Codebook, items: Sequence[str]) -> tuple[int, int]:
    scales = {codebook.construct_of(item): codebook.bounds(item) for item in items}
    if len(set(scales.values())) > 1:
        listed = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in scales.items())
        raise CxError(f"constructs have different scales ({listed}); choose one with construct=")
    low, high = next(iter(scales.values()))
    integer = float(low).is_integer() and float(high).is_integer()
    if not integer or high - low + 1 > MOST:
        raise CxError(
            f"scale {low:g} to {high:g} cannot be drawn; allowed: whole numbers, at most {MOST}"
        )
    return int(low), int(high)


def _heights(
    groups: Mapping[str, Sequence[str]], names: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, float], float]:
    """Return the heights of items and headings, first at the top, in lines of text; the end."""
    y, items, heads = 0.0, {}, {}
    for head, members in groups.items():
        if len(groups) > 1:
            heads[head] = y
            y -= 1.35
        for item in members:
            tall = max(1.7, 0.75 + 0.85 * (names[item].count("\n") + 1))
            items[item] = y - (tall - 1.7) / 2
            y -= tall
        y -= 0.35 if len(groups) > 1 else 0
    return items, heads, y


def _bars(ax: Axes, shares: pd.DataFrame, heights: Mapping[str, float], room: float) -> None:
    """Draw the rows; a share is written where it has room (`room`: of the width, for the axes)."""
    values = [column for column in shares.columns if column != "n"]
    k, table = len(values), shares[values].fillna(0).to_numpy()
    half = table[:, : k // 2].sum(axis=1) + (table[:, k // 2] / 2 if k % 2 else 0)
    left, right = -half.max(), (table.sum(axis=1) - half).max()
    ax.set_xlim(min(left * 1.03, -2), max(right * 1.03, 2))
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    points = room * 72 * figure.get_figwidth() * ax.get_position().width / 0.775
    least = (right - left) * 14 / points
    for row, item in enumerate(shares.index):
        start = -half[row]
        for share, colour in zip(table[row], palette(k), strict=True):
            if share:
                ax.barh(heights[item], share, 1.2, start, color=colour, edgecolor="white", lw=0.6)
            if share >= least:
                place, ink = (start + share / 2, heights[item]), style.ink_on(colour)
                text = format_number(share, 0)
                ax.annotate(text, place, ha="center", va="center", size=8, color=ink)
            start += share
    ax.axvline(0, color=style.INK, linewidth=0.8, zorder=0.5)


def _dress(
    ax: Axes,
    names: Mapping[str, str],
    heights: Mapping[str, float],
    heads: Mapping[str, str],
    head_heights: Mapping[str, float],
) -> None:
    ticks = [*heights.values(), *head_heights.values()]
    texts = [*(names[item] for item in heights), *(style.fold(heads[h], 44) for h in head_heights)]
    ax.set_yticks(ticks, texts, size=9)
    for tick in ax.get_yticklabels()[len(heights) :]:
        tick.set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(lambda value, _: format_number(abs(round(value, 6))))
    ax.grid(axis="x", color=style.SETTINGS["grid.color"])


def _keys(shares: pd.DataFrame, codebook: Codebook, lang: str) -> list[Artist]:
    """Return one legend entry per answer, the ends with their words."""
    values = [column for column in shares.columns if column != "n"]
    entries = {value: str(value) for value in values}
    for value, key in ((values[0], "lowest"), (values[-1], "highest")):
        answer = _answer_label(codebook, value, lang)
        entries[value] = (
            label("chart.likert.answer", lang, value=value, answer=answer)
            if answer
            else label(f"chart.likert.{key}", lang, value=value)
        )
    colours = dict(zip(entries.values(), palette(len(values)), strict=True))
    return list(style.patches(colours))


def _answer_label(codebook: Codebook, value: object, lang: str) -> str:
    """Return the answer label that the codebook declares for a number, in the language."""
    for answer, number in codebook.answers.items():
        if reads_as_number(answer):  # a code, which says nothing
            continue
        chinese = style.display_width(answer) > len(answer)
        if number == value and chinese == (lang == "zh"):
            return answer
    return ""


def _title(shares: pd.DataFrame, codebook: Codebook, role: str | None, lang: str) -> str:
    values = [column for column in shares.columns if column != "n"]
    k = 3 if len(values) > 7 else 2 if len(values) > 3 else 1
    top, answered = values[-k:], shares[shares["n"] > 0]
    share = answered[top].sum(axis=1).round(9)
    mean = (answered[values] * values).sum(axis=1).round(9)
    first = [i for i in answered.index if (share[i], mean[i]) == max(zip(share, mean, strict=True))]
    highest = {
        "name": label("chart.quoted", lang, name=codebook.label(first[0], lang)),
        "share": unbroken(format_percent(share[first[0]], 0, lang)),
        "top": str(top[0])
        if k == 1
        else label("chart.or" if k == 2 else "chart.range", lang, low=top[0], high=top[-1]),
        "k": len(first),
    }
    main = role if role in ("expectation", "minimum") else "perception"
    key = "one" if len(answered) == 1 else "tied" if len(first) > 1 else main
    return style.capital(label(f"chart.likert.title.{key}", lang, **highest))


def _note(shares: pd.DataFrame, codebook: Codebook, design: Design | None, lang: str) -> str:
    values = [column for column in shares.columns if column != "n"]
    varies = shares["n"].nunique() > 1
    key = "n_varies" if varies else "n"
    notes = [label(f"chart.likert.{key}", lang, n=shares["n"].iloc[0])]
    if design is not None and design.weights is not None:
        notes.append(label("chart.likert.weighted", lang, column=design.weights))
    if len(values) % 2:
        notes.append(label("chart.likert.neutral", lang, value=values[len(values) // 2]))
    turned = [codebook.label(i, lang) for i in shares.index if i in codebook.turned]
    if turned:
        names = label("chart.comma", lang).join(turned)
        notes.append(label("chart.likert.turned", lang, names=names))
    return join_sentences(notes, lang)
