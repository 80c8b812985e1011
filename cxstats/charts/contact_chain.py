"""The contact chain: steps in a row, with where each takes place, its mode and its score."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Polygon, Rectangle

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.inch_text import InchText, folded
from cxstats.charts.wording import level_text
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, interval
from cxstats.core.language import LANGUAGES, Text, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLACES = ("frontstage", "backstage", "after_sale")
COLOURS = {
    "frontstage": "#CFE3F2", "backstage": "#DADDE1", "after_sale": "#F3DFC1", "": "#EFEFEF",
}  # fmt: skip
MOST = 12  # steps in a row
STEP, NOTCH, GAP = 1.55, 0.16, 0.06  # inches: width of a step, its point, between steps
TEXT_WIDTH = 1.2  # inches for the words in a step
NAME, SMALL = 9.0, 7.6  # points
LINE = 1.35 / 72
BAR = 0.09  # height of the bar of a score


def contact_chain(  # noqa: PLR0913
    names: Sequence[str | Text],
    *,
    source: str,
    places: Sequence[str] | None = None,
    modes: Sequence[str | Text] | None = None,
    scores: Sequence[float] | None = None,
    ci_low: Sequence[float] | None = None,
    ci_high: Sequence[float] | None = None,
    scale: tuple[float, float] | None = None,
    marked: Sequence[bool] | None = None,
    level: float = 0.95,
    synthetic: bool = False,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw contact points in the order of contact, as a ribbon of steps.

    Parameters
    ----------
    names : sequence of str or Text
        The steps, such as "needs analysis". Texts of both languages give both the same layout.
    source : str
        Where the chain comes from.
    places : sequence of {"frontstage", "backstage", "after_sale", ""}, optional
        Where each takes place, shown as its colour; empty where it is not said.
    modes : sequence of str or Text, optional
        Mode of contact, such as "telephone", written below the step.
    scores, ci_low, ci_high : sequences of float, optional
        Scores and their limits; NaN where there is none.
    scale : (float, float), optional
        Lowest and highest score; needed beside `scores`.
    marked : sequence of bool, optional
        Steps that may be the bottleneck.
    level : float
        Of the limits.
    synthetic : bool
        Whether the data are made up.
    title : str, optional
        The finding. Without it: which step scores lowest, or the first and the last contact.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it. Texts shrink with the axes.

    Raises
    ------
    CxError
        If there is no step, or a table in place of them, a list has another length, a place is not
        known, or a score is outside of the scale.
    """
    lang = drawable(lang)
    texts = _in_both_languages(names)
    steps = [text.get(lang) for text in texts]
    n = len(steps)
    values_by_name = {"places": places, "modes": modes, "scores": scores, "ci_low": ci_low,
             "ci_high": ci_high, "marked": marked}  # fmt: skip
    for name, values in values_by_name.items():
        if values is not None and len(values) != n:
            raise CxError(f"{name} has {len(values)} values for {n} names; one for each")
    if not n:
        raise CxError("there is no step to draw; at least one is needed")
    places = [""] * n if places is None else list(places)
    unknown = [place for place in places if place not in COLOURS]
    if unknown:
        allowed = ", ".join(map(repr, PLACES))
        raise CxError(f"places: {unknown[0]!r} is not known; allowed: {allowed}, ''")
    values = _scores(steps, scores, scale)
    rows = [range(i, min(i + MOST, n)) for i in range(0, n, MOST)]
    inside, most_inside = _folded(texts, TEXT_WIDTH, NAME, lang)
    below, most_below = _folded(_modes(modes, n), STEP - 0.1, SMALL, lang)
    tall = max(0.55, 0.2 + LINE * NAME * most_inside)
    deep = LINE * SMALL * most_below + 0.12
    beneath = 0.0 if scores is None else 0.36
    height = tall + deep + beneath + 0.25
    width = STEP * min(n, MOST) + NOTCH + 0.1
    with style.theme(lang):
        standalone = ax is None
        heading = title or _title(steps, values, lang)
        has_legend = synthetic or marked is not None or any(places)
        above = 0.3 * len(folded(heading, width, style.TITLE_SIZE)) + 0.25 + 0.5 * has_legend
        below_axes = 0.75 if scores is not None else 0.45
        size = (max(5.5, width + 0.2), height * len(rows) + above + below_axes)
        ax = style.new_axes(ax, *size)
        for r, row in enumerate(rows):
            for c, i in enumerate(row):
                corner = (0.05 + STEP * c, -height * r)
                is_marked = bool(marked is not None and marked[i])
                _step(ax, corner, tall, inside[i], (places[i], is_marked, i == 0))
                _lines(ax, corner, tall, below[i])
                if scores is not None and scale is not None and not isnan(values[i]):
                    limits = (_at(ci_low, i), _at(ci_high, i))
                    _score(ax, corner, tall + deep, (values[i], limits), scale)
        ax.set(xlim=(0, width), ylim=(-height * len(rows), 0.02), xticks=[], yticks=[])
        ax.set_aspect("equal", anchor="NW")
        ax.spines[:].set_visible(False)
        n_lines = _legend(ax, places, marked, width, synthetic, lang)
        has_limits = ci_low is not None and any(not isnan(_at(ci_low, i)) for i in range(n))
        note = ""
        if scores is not None and scale is not None:
            ends = {"low": format_number(scale[0]), "high": format_number(scale[1])}
            note = (
                label("chain.note.interval", lang, level=level_text(level, lang), **ends)
                if has_limits else label("chain.note.score", lang, **ends)
            )  # fmt: skip
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone or not n_lines else style.lift_title(ax, n_lines)


def _modes(modes: Sequence[str | Text] | None, n: int) -> list[Text]:
    """Return the modes in both languages; empty where a table has none."""
    texts = []
    for mode in [""] * n if modes is None else modes:
        if isinstance(mode, Text):
            texts.append(mode)
        else:
            text = str(mode) if mode == mode else ""  # noqa: PLR0124  (NaN differs from itself)
            texts.append(Text(text, text))
    return texts


def _folded(
    texts: Sequence[Text], inches: float, size: float, lang: str
) -> tuple[list[list[str]], int]:
    """Return the lines of each text, and the most lines that one has in any language."""
    lines = {
        each: [folded(text.get(each), inches, size) if text.get(each) else [] for text in texts]
        for each in LANGUAGES
    }
    return lines[lang], max(len(entry) for entries in lines.values() for entry in entries)


def _scores(
    steps: Sequence[str], scores: Sequence[float] | None, scale: tuple[float, float] | None
) -> list[float]:
    """Return the scores as numbers, checked against the scale."""
    if scores is None:
        return [nan] * len(steps)
    if scale is None or not scale[0] < scale[1]:
        raise CxError(f"scale={scale!r} beside scores; allowed: lowest and highest score")
    values = [float(score) for score in scores]
    for name, value in zip(steps, values, strict=True):
        if not isnan(value) and not scale[0] <= value <= scale[1]:
            raise CxError(f"scores: {name!r} has {value:g}; allowed: {scale[0]:g} to {scale[1]:g}")
    return values


def _at(values: Sequence[float] | None, i: int) -> float:
    return nan if values is None else float(values[i])


def _step(
    ax: Axes,
    corner: tuple[float, float],
    tall: float,
    lines: Sequence[str],
    looks: tuple[str, bool, bool],
) -> None:
    """Draw a step as an arrow-shaped box; `looks` are its place, its mark, whether it is first."""
    (x, y), (place, is_marked, first) = corner, looks
    right, middle = x + STEP - GAP, y - tall / 2
    corners = [(x, y), (right, y), (right + NOTCH, middle), (right, y - tall), (x, y - tall)]
    if not first:
        corners.append((x + NOTCH, middle))
    edge: dict[str, Any] = {"edgecolor": style.BAD if is_marked else "white",
                            "linewidth": 2.0 if is_marked else 0.8}  # fmt: skip
    ax.add_patch(Polygon(corners, closed=True, facecolor=COLOURS[place], zorder=1, **edge))
    centre = x + (STEP - GAP + NOTCH) / 2 + (0 if first else NOTCH / 4)
    top = middle + LINE * NAME * len(lines) / 2
    for i, line in enumerate(lines):
        InchText(ax, centre, top - LINE * NAME * (i + 0.5), line, NAME, TEXT_WIDTH, ha="center",
                 va="center", zorder=3)  # fmt: skip


def _lines(ax: Axes, corner: tuple[float, float], tall: float, lines: Sequence[str]) -> None:
    x, y = corner
    for i, line in enumerate(lines):
        place = y - tall - 0.06 - LINE * SMALL * (i + 0.5)
        InchText(ax, x + 0.05, place, line, SMALL, STEP - 0.1, va="center", color=style.NEUTRAL,
                 zorder=3)  # fmt: skip


def _score(
    ax: Axes,
    corner: tuple[float, float],
    down: float,
    score: tuple[float, tuple[float, float]],
    scale: tuple[float, float],
) -> None:
    """Draw a bar for the score on its scale, its limits, and the number."""
    x, y = corner[0] + 0.05, corner[1] - down
    value, (low, high) = score
    length = STEP - 0.3

    def along(number: float) -> float:
        return length * (number - scale[0]) / (scale[1] - scale[0])

    plain: dict[str, Any] = {"edgecolor": "none", "zorder": 1}
    ax.add_patch(Rectangle((x, y - BAR), length, BAR, facecolor="#E8EAED", **plain))
    ax.add_patch(Rectangle((x, y - BAR), along(value), BAR, facecolor=style.GOOD, **plain))
    text = format_number(value, 2)
    if not isnan(low):
        ends = [x + along(low), x + along(high)]
        ax.plot(ends, [y - BAR / 2] * 2, color=style.INK, linewidth=1.1, zorder=2)
        text += f" {interval(low, high)}"
    InchText(ax, x, y - BAR - 0.1, text, SMALL, STEP - 0.1, va="center", zorder=3)


def _legend(
    ax: Axes,
    places: Sequence[str],
    marked: Sequence[bool] | None,
    width: float,
    synthetic: bool,
    lang: str,
) -> int:
    """Put the places above the chain; return how many lines that takes."""
    present = [place for place in PLACES if place in places]
    handles: list[Any] = list(style.patches({
        style.capital(label(f"blueprint.word.{place}", lang)): COLOURS[place] for place in present
    }))  # fmt: skip
    if marked is not None and any(marked):
        ring = style.patches({style.capital(label("chain.marked", lang)): "white"}, style.BAD)
        handles += ring
    if not handles:
        return 0
    room = min(width, style.inches_wide(ax)) - (1.8 if synthetic else 0)
    entries = [handle.get_label() for handle in handles]
    columns = style.legend_columns(entries, max(room, 2))
    style.legend_above(ax, handles, columns)
    return -(-len(handles) // columns)


def _in_both_languages(names: Sequence[str | Text]) -> list[Text]:
    if isinstance(names, str) or hasattr(names, "columns"):
        kind = "text" if isinstance(names, str) else "table"
        raise CxError(f"names is a {kind}; allowed: the steps in a list, or one column of a table")
    return [name if isinstance(name, Text) else Text(str(name), str(name)) for name in names]


def _title(steps: Sequence[str], values: Sequence[float], lang: str) -> str:
    scored = [value for value in values if not isnan(value)]
    lowest = [
        name for name, value in zip(steps, values, strict=True) if value == min(scored, default=nan)
    ]
    if len(lowest) == 1:
        score = format_number(min(scored), 2)
        return style.capital(label("chain.title.lowest", lang, name=lowest[0], score=score))
    if len(steps) == 1:
        return label("chain.title.one", lang, first=steps[0])
    return label("chain.title", lang, n=len(steps), first=steps[0], last=steps[-1])
