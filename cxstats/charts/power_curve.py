"""The power of a test by sample size, and what was chosen."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, unbroken
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def power_curve(  # noqa: PLR0913  (keywords of a chart)
    n: Iterable[float],
    power: Iterable[float],
    *,
    source: str,
    chosen: float | None = None,
    reached: float | None = None,
    target: float | None = None,
    subject: str = "",
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the chance that a test finds the difference, by answers in the first group.

    The chosen size is a dot: filled where it reaches the target (or there is none), hollow where
    it does not.

    Parameters
    ----------
    n : numbers
        Answers in the first group, rising, at least two.
    power : numbers, one per size
        From 0 to 1.
    source : str
        Where the numbers come from.
    chosen : float, optional
        The size that is planned.
    reached : float, optional
        Its power; without it, read from the curve.
    target : float, optional
        The power that is asked for.
    subject : str
        What is planned, for the note.
    title : str, optional
        The finding. Without it: the power of the chosen size, or the size that the target takes.
    synthetic : bool
        Whether the numbers are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If lengths differ, sizes do not rise, a power is not from 0 to 1, or the chosen size is not
        on the curve.
    """
    x, y = _check(n, power)
    for what, value in (("target", target), ("reached", reached)):
        if value is not None and not _share(value):
            raise CxError(f"{what}={value!r}; allowed: a power from 0 to 1")
    plan = None if chosen is None else _plan(chosen, reached, x, y)
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 8.4, 4.8)
        ax.plot(x, 100 * y, color=style.GOOD, linewidth=2.4, zorder=3)
        ax.set_xlim(0, x[-1] * 1.02)
        ax.set_ylim(0, 104)
        if target is not None:
            text = label("chart.power.target", lang, target=_percent(target, lang))
            ax.axhline(100 * target, color=style.NEUTRAL, linewidth=1, linestyle=(0, (4, 3)))
            # The curve comes from below left, so the line's right end under it is free.
            ax.annotate(text, (1, 100 * target), (-2, -4), ax.get_yaxis_transform(),
                        textcoords="offset points", ha="right", va="top", size=9,
                        color=style.NEUTRAL)  # fmt: skip
        if plan is not None:
            _mark(ax, *plan, target, x[-1], lang)
        ax.set_xlabel(label("chart.power.n", lang))
        ax.set_ylabel(label("chart.power.axis", lang))
        ax.xaxis.set_major_formatter(lambda value, _: format_number(round(value, 6)))
        ax.grid(color=style.SETTINGS["grid.color"])
        heading = title or _title(x, y, plan, target, lang)
        note = join_sentences([_sentence(subject, lang), label("chart.power.note", lang)], lang)
        return style.finish(ax, standalone, heading, source, lang, note, synthetic)


def _check(n: Iterable[float], power: Iterable[float]) -> tuple[Floats, Floats]:
    sizes = list(n)
    names, x = style.check_values([f"place {i}" for i in range(len(sizes))], sizes, "n")
    places = [format_number(value) for value in x]
    _, y = style.check_values(places, power, "power")
    if len(names) < 2 or not x[0] > 0 or (np.diff(x) <= 0).any():
        raise CxError(f"n={', '.join(places[:6])}; allowed: at least two sizes above 0 that rise")
    for name, value in zip(places, y, strict=True):
        if value > 1:
            raise CxError(f"power: n = {name} has {value:g}; allowed: from 0 to 1 (0.8 for 80 %)")
    return np.array(x), np.array(y)


def _share(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= 1


def _plan(chosen: float, reached: float | None, x: Floats, y: Floats) -> tuple[float, float]:
    """Return the size that is planned and its power, or raise if it is not on the curve."""
    good = isinstance(chosen, Real) and not isinstance(chosen, bool)
    if not good or not float(x[0]) <= float(chosen) <= float(x[-1]):
        low, high = format_number(x[0]), format_number(x[-1])
        raise CxError(f"chosen={chosen!r}; allowed: a size on the curve, {low} to {high}")
    size = float(chosen)
    return size, float(np.interp(size, x, y)) if reached is None else float(reached)


def _mark(ax: Axes, size: float, power: float, target: float | None, end: float, lang: str) -> None:
    """Draw the chosen size, with its words below and right of the curve, where it is empty."""
    met = target is None or power >= target - 1e-9
    colour = style.GOOD if met else style.BAD
    ax.plot(
        [size, size], [0, 100 * power], color=colour, linewidth=1, linestyle=(0, (2, 2)), zorder=2
    )
    ax.scatter([size], [100 * power], 78, facecolor=colour if met else "white", edgecolor=colour,
               linewidth=1.8, zorder=4)  # fmt: skip
    text = label("chart.power.chosen", lang, n=format_number(size), power=_percent(power, lang))
    far = size > 0.6 * end
    # Beside the dotted line rather than the dot, where the line of the target may run.
    ax.annotate(text, (size, 50 * power), (-7 if far else 7, 0), textcoords="offset points",
                ha="right" if far else "left", va="center", weight="bold", size=10,
                color=colour)  # fmt: skip


def _percent(share: float, lang: str) -> str:
    return unbroken(format_percent(100 * share, 1, lang).replace(".0", ""))


def _title(
    x: Floats, y: Floats, plan: tuple[float, float] | None, target: float | None, lang: str
) -> str:
    """Return what the chosen size reaches, what the target takes, or the ends of the curve."""
    enough = None if target is None else _enough(x, y, target)
    values = {
        "first": format_number(x[0]),
        "last": format_number(x[-1]),
        "low": _percent(float(y[0]), lang),
        "high": _percent(float(y[-1]), lang),
        "target": "" if target is None else _percent(target, lang),
        "enough": "" if enough is None else format_number(np.ceil(enough - 1e-9)),
    }
    if plan is None:
        key = ".range" if target is None else ".never" if enough is None else ".needed"
        return label(f"chart.power.title{key}", lang, **values)
    size, power = plan
    values |= {"n": format_number(size), "power": _percent(power, lang)}
    met = target is None or power >= target - 1e-9
    key = "" if met else ".far" if enough is None else ".short"
    return label(f"chart.power.title{key}", lang, **values)


def _enough(x: Floats, y: Floats, target: float) -> float | None:
    """Return the size that the target takes; None where the curve does not reach it.

    Between two sizes of the curve the power is taken as a line.
    """
    if not (y >= target).any():
        return None
    first = int(np.argmax(y >= target))
    if not first:
        return float(x[0])
    sides = slice(first - 1, first + 1)
    return float(np.interp(target, y[sides], x[sides]))


def _sentence(text: str, lang: str) -> str:
    """Return a text as a sentence."""
    if not text or text[-1] in ".。!！?？":
        return text
    return text + ("。" if lang == "zh" else ".")
