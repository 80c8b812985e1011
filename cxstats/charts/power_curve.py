"""The power of a test by sample size, and what was chosen."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cxstats.charts import style
from cxstats.charts.driver_bars import sentences
from cxstats.charts.fonts import drawable
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
    at = None if chosen is None else _chosen(chosen, x)
    got = None if at is None else float(np.interp(at, x, y)) if reached is None else float(reached)
    lang = drawable(lang)
    with style.theme(lang):
        own, ax = ax is None, style.new_axes(ax, 8.4, 4.8)
        ax.plot(x, 100 * y, color=style.GOOD, linewidth=2.4, zorder=3)
        ax.set_xlim(0, x[-1] * 1.02)
        ax.set_ylim(0, 104)
        if target is not None:
            words = label("chart.power.target", lang, target=_percent(target, lang))
            ax.axhline(100 * target, color=style.NEUTRAL, linewidth=1, linestyle=(0, (4, 3)))
            # The curve comes from below left, so the line's right end under it is free.
            ax.annotate(words, (1, 100 * target), (-2, -4), ax.get_yaxis_transform(),
                        textcoords="offset points", ha="right", va="top", size=9,
                        color=style.NEUTRAL)  # fmt: skip
        if at is not None and got is not None:
            _mark(ax, at, got, target, x[-1], lang)
        ax.set_xlabel(label("chart.power.n", lang))
        ax.set_ylabel(label("chart.power.axis", lang))
        ax.xaxis.set_major_formatter(lambda value, _: format_number(round(value, 6)))
        ax.grid(color=style.SETTINGS["grid.color"])
        heading = title or _title(x, y, at, got, target, lang)
        note = sentences([_sentence(subject, lang), label("chart.power.note", lang)], lang)
        return style.finish(ax, own, heading, source, lang, note, synthetic)


def _check(n: Iterable[float], power: Iterable[float]) -> tuple[Floats, Floats]:
    sizes = list(n)
    names, x = style.check_values([f"place {i}" for i in range(len(sizes))], sizes, "n")
    shown = [format_number(value) for value in x]
    _, y = style.check_values(shown, power, "power")
    if len(names) < 2 or not x[0] > 0 or (np.diff(x) <= 0).any():
        raise CxError(f"n={', '.join(shown[:6])}; allowed: at least two sizes above 0 that rise")
    for name, value in zip(shown, y, strict=True):
        if value > 1:
            raise CxError(f"power: n = {name} has {value:g}; allowed: from 0 to 1 (0.8 for 80 %)")
    return np.array(x), np.array(y)


def _share(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) <= 1


def _chosen(chosen: float, x: Floats) -> float:
    good = isinstance(chosen, Real) and not isinstance(chosen, bool)
    if not good or not float(x[0]) <= float(chosen) <= float(x[-1]):
        low, high = format_number(x[0]), format_number(x[-1])
        raise CxError(f"chosen={chosen!r}; allowed: a size on the curve, {low} to {high}")
    return float(chosen)


def _mark(ax: Axes, at: float, got: float, target: float | None, end: float, lang: str) -> None:
    """Draw the chosen size, with its words below and right of the curve, where it is empty."""
    met = target is None or got >= target - 1e-9
    colour = style.GOOD if met else style.BAD
    ax.plot([at, at], [0, 100 * got], color=colour, linewidth=1, linestyle=(0, (2, 2)), zorder=2)
    ax.scatter([at], [100 * got], 78, facecolor=colour if met else "white", edgecolor=colour,
               linewidth=1.8, zorder=4)  # fmt: skip
    words = label("chart.power.chosen", lang, n=format_number(at), power=_percent(got, lang))
    far = at > 0.6 * end
    # Beside the dotted line rather than the dot, where the line of the target may run.
    ax.annotate(words, (at, 50 * got), (-7 if far else 7, 0), textcoords="offset points",
                ha="right" if far else "left", va="center", weight="bold", size=10,
                color=colour)  # fmt: skip


def _percent(share: float, lang: str) -> str:
    shown = format_percent(100 * share, 1, lang).replace(".0", "")
    return shown.replace(" ", "\u00a0")


def _title(
    x: Floats, y: Floats, at: float | None, got: float | None, target: float | None, lang: str
) -> str:
    enough = None
    if target is not None and (y >= target).any():
        first = int(np.argmax(y >= target))
        # Between two sizes of the curve the power is taken as a line.
        enough = x[0] if not first else float(np.interp(target, y[first - 1 : first + 1],
                                                        x[first - 1 : first + 1]))  # fmt: skip
    words = {"target": "" if target is None else _percent(target, lang)}
    words["enough"] = "" if enough is None else format_number(np.ceil(enough - 1e-9))
    if at is None or got is None:
        if target is None:
            ends = {"low": _percent(float(y[0]), lang), "high": _percent(float(y[-1]), lang)}
            ends |= {"first": format_number(x[0]), "last": format_number(x[-1])}
            return label("chart.power.title.range", lang, **ends)
        key = "never" if enough is None else "needed"
        return label(f"chart.power.title.{key}", lang, last=format_number(x[-1]), **words)
    words |= {"n": format_number(at), "power": _percent(got, lang)}
    if target is None or got >= target - 1e-9:
        return label("chart.power.title", lang, **words)
    key = "far" if enough is None else "short"
    return label(f"chart.power.title.{key}", lang, **words)


def _sentence(words: str, lang: str) -> str:
    """Return words as a sentence."""
    if not words or words[-1] in ".。!！?？":
        return words
    return words + ("。" if lang == "zh" else ".")
