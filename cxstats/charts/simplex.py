"""Who wins under which weights: all weights of three criteria as a triangle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, list_names
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import label

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])  # left, right, top
HATCHES = ("", "////", "....")


def weight_simplex(  # noqa: PLR0913  (keywords of a chart)
    scores: ArrayLike,
    weights: ArrayLike,
    *,
    source: str,
    units: Sequence[str],
    criteria: Sequence[str],
    draws: ArrayLike | None = None,
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which unit has the highest weighted score Σ wₖ sₖ, for every weight of 3 criteria.

    Each point of the triangle is one set of weights; a corner gives all the weight to one
    criterion. The regions are exact (cut out by straight lines), so are their areas: the share of
    all weights, each as likely as any other, with which a unit wins.

    Plain axes rather than a ternary projection, so that it fits into a caller's figure.

    Parameters
    ----------
    scores : array (units, 3)
        What each unit scores on each criterion; high is good, one scale for all.
    weights : array (3,)
        The weights that are used; not negative, sum 1.
    source : str
        Where the scores come from.
    units : sequence of str
        Names of the rows.
    criteria : sequence of 3 str
        Names of the columns: lower left, lower right and upper corner.
    draws : array (n, 3), optional
        Weights drawn at random, for example from a Dirichlet distribution around `weights`;
        drawn as faint dots, with the share that each unit wins in the legend.
    title : str, optional
        The finding. Without it: who wins with the weights, and with what share of all weights.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If a shape does not fit, a value is not a number, or weights are negative or do not sum
        to 1.
    """
    table, names = _scores(scores, units, criteria)
    used = _weights(weights, "weights", (3,))
    cloud = None if draws is None else _weights(draws, "draws", (-1, 3))
    table, names = _merged(table, names)
    shapes = [region(table, i) for i in range(len(names))]
    areas = np.array([area(shape) for shape in shapes])
    wins = None if cloud is None else _win_shares(table, cloud)
    lang = drawable(lang)
    with style.theme(lang):
        standalone = ax is None
        ax = style.new_axes(ax, 9.4, 6.4)
        entries = [
            _entry(name, float(areas[i]), None if wins is None else float(wins[i]), lang)
            for i, name in enumerate(names)
        ]
        keys: list[Artist] = [*_regions(ax, shapes, names, entries, used)]
        _frame(ax, criteria)
        if cloud is not None:
            x, y = (cloud @ CORNERS).T
            ax.scatter(x, y, 5, color=style.INK, alpha=0.22, linewidth=0, zorder=3)
            count = label("chart.simplex.draws", lang, n=format_number(len(cloud)))
            keys.append(_dot(count, ".", style.NEUTRAL, 6))
        keys.append(_star(ax, used, 190 if standalone else 110, lang))
        ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.0, 0.98), borderaxespad=0)
        heading = title or _title(table, names, used, areas, lang)
        note = _note(names, areas, cloud is not None, lang)
        style.finish(ax, standalone, heading, source, lang, note, synthetic)
        return ax if standalone else style.lift_title(ax, 0)


def region(scores: NDArray[np.float64], unit: int) -> NDArray[np.float64]:
    """Return the corners (k, 3) of the weights with which `unit` scores at least as high as all.

    Examples
    --------
    >>> region(np.array([[1.0, 0, 0], [0.0, 1, 1]]), 0)
    array([[1. , 0. , 0. ],
           [0.5, 0.5, 0. ],
           [0.5, 0. , 0.5]])
    """
    shape = np.eye(3)
    for other in range(len(scores)):
        lead = shape @ (scores[unit] - scores[other])
        corners = []
        for k in range(len(shape)):
            a, b = lead[k], lead[(k + 1) % len(shape)]
            if a >= 0:
                corners.append(shape[k])
            if a * b < 0:
                corners.append(shape[k] + (shape[(k + 1) % len(shape)] - shape[k]) * a / (a - b))
        shape = np.array(corners).reshape(-1, 3)
        if not len(shape):
            break
    return shape


def area(shape: NDArray[np.float64]) -> float:
    """Return the share of the triangle that the polygon `shape` (k, 3) covers.

    Examples
    --------
    >>> area(np.array([[1, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]]))
    0.25
    """
    x, y = shape[:, 1], shape[:, 2]  # two weights fix the third; areas keep their proportion
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _scores(
    scores: ArrayLike, units: Sequence[str], criteria: Sequence[str]
) -> tuple[NDArray[np.float64], list[str]]:
    table, names = np.asarray(scores, float), [str(unit) for unit in units]
    if table.ndim != 2 or table.shape[1] != 3 or not len(table):
        raise CxError(f"scores has shape {table.shape}; allowed: one row per unit, 3 columns")
    if len(names) != len(table):
        raise CxError(f"{len(names)} units, but {len(table)} rows of scores; one for each")
    if len(criteria) != 3:
        raise CxError(f"{len(criteria)} criteria, but a triangle has 3 corners; allowed: 3")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        i, k = bad[0]
        raise CxError(
            f"scores: {names[i]!r} has {table[i, k]} on {criteria[k]!r}; allowed: numbers"
        )
    return table, names


def _weights(weights: ArrayLike, what: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    values = np.asarray(weights, float)
    if values.ndim != len(shape) or values.shape[-1:] != (3,) or not values.size:
        raise CxError(f"{what} has shape {values.shape}; allowed: 3 weights (in each row)")
    for i, row in enumerate(values.reshape(-1, 3)):
        if not np.isfinite(row).all() or (row < 0).any() or abs(row.sum() - 1) > 1e-6:
            where = "" if len(shape) == 1 else f" row {i}"
            raise CxError(
                f"{what}{where}: {', '.join(f'{w:g}' for w in row)} sum to {row.sum():g}; "
                "allowed: numbers from 0 upwards that sum to 1"
            )
    return values


def _merged(table: NDArray[np.float64], names: list[str]) -> tuple[NDArray[np.float64], list[str]]:
    """Return units with the same scores as one, since they win together."""
    alike: dict[tuple[float, ...], list[str]] = {}
    for row, name in zip(table, names, strict=True):
        alike.setdefault(tuple(map(float, row)), []).append(name)
    return np.array(list(alike)), [" / ".join(same) for same in alike.values()]


def _win_shares(table: NDArray[np.float64], cloud: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the drawn weights (n, 3) with which each unit has the highest score."""
    winners = (cloud @ table.T).argmax(axis=1)
    shares: NDArray[np.float64] = np.bincount(winners, minlength=len(table)) / len(cloud)
    return shares


def _regions(
    ax: Axes,
    shapes: Sequence[NDArray[np.float64]],
    names: Sequence[str],
    entries: Sequence[str],
    used: NDArray[np.float64],
) -> list[Patch]:
    """Draw the regions, the largest first; return the legend, which has all their names."""
    areas = np.array([area(shape) for shape in shapes])
    order = [i for i in np.argsort(-areas, kind="stable") if areas[i] > 1e-12]
    keys = []
    for place, i in enumerate(order):
        keys.append(_region(ax, shapes[i], place, entries[i]))
        if areas[i] > 0.06 and _inches(ax) > 4.5:  # room for the name
            x, y = _middle(shapes[i], used)
            ax.text(x, y, style.fold(names[i], 16), ha="center", va="center", size=9.5,
                    weight="bold", zorder=4, bbox=_plate())  # fmt: skip
    return keys


def _star(ax: Axes, used: NDArray[np.float64], size: float, lang: str) -> Line2D:
    """Mark the weights that are used; return their entry in the legend."""
    x, y = used @ CORNERS
    ax.scatter([x], [y], size, color="white", edgecolor=style.INK, marker="*", zorder=6)
    decimals = 0 if np.allclose(100 * used, np.round(100 * used), atol=1e-6) else 1
    weights = " / ".join(format_number(100 * weight, decimals) for weight in used)
    return _dot(label("chart.simplex.given", lang, weights=weights), "*", "white", 12)


def _region(ax: Axes, shape: NDArray[np.float64], place: int, entry: str) -> Patch:
    colour = style.SEQUENCE[place % len(style.SEQUENCE)]
    props: dict[str, Any] = {
        "facecolor": [*(0.45 * np.array(to_rgb(colour)) + 0.55)],
        "hatch": HATCHES[place // len(style.SEQUENCE) % len(HATCHES)],
        "edgecolor": "white",
        "linewidth": 1.2,
    }
    ax.add_patch(Polygon(shape @ CORNERS, closed=True, zorder=1, **props))
    return Patch(label=entry, **props)


def _inches(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    box = ax.get_position()
    return min(box.width * figure.get_figwidth(), box.height * figure.get_figheight())


def _middle(shape: NDArray[np.float64], used: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a region's name stands: in its middle, unless the star is there."""
    corners = shape @ CORNERS
    middle, star = corners.mean(0), used @ CORNERS
    if abs(middle - star) @ [0.6, 1] < 0.11:  # names are wider than high
        far = corners[np.linalg.norm(corners - star, axis=1).argmax()]
        middle = middle + 0.5 * (far - middle)
    place: NDArray[np.float64] = middle
    return place


def _frame(ax: Axes, criteria: Sequence[str]) -> None:
    """Draw the triangle, its lines of equal weight, and the names at its corners."""
    for step in (0.2, 0.4, 0.6, 0.8):
        for k in range(3):
            # The line on which criterion k has the weight `step`. It runs on past the side of the
            # triangle to its number, which is turned with it, so that one sees which line it is.
            ends = np.zeros((2, 3))
            ends[:, k] = step
            ends[0, k - 1] = ends[1, (k + 1) % 3] = 1 - step
            first, last = ends @ CORNERS
            out = (first - last) / np.linalg.norm(first - last)
            x, y = first + 0.045 * out
            ax.plot(*zip(first, last, strict=True), color="white", lw=0.7, alpha=0.8, zorder=2)
            ax.plot(*zip(first, first + 0.018 * out, strict=True), color=style.NEUTRAL, lw=0.8)
            ax.text(x, y, f"{100 * step:.0f}", rotation=(-60, 60, 0)[k],
                    ha="center", va="center", size=8, color=style.NEUTRAL)  # fmt: skip
    ax.add_patch(Polygon(CORNERS, closed=True, fill=False, edgecolor=style.NEUTRAL, zorder=5))
    for k, (dx, dy, ha, va) in enumerate(
        ((-6, -20, "center", "top"), (6, -20, "center", "top"), (0, 8, "center", "bottom"))
    ):
        ax.annotate(style.fold(str(criteria[k]), 22), CORNERS[k], (dx, dy), ha=ha, va=va,
                    textcoords="offset points", weight="bold", size=10)  # fmt: skip
    ax.set(xlim=(-0.12, 1.12), ylim=(-0.06, 0.9))
    ax.set_aspect("equal")
    ax.axis("off")


def _plate() -> dict[str, Any]:
    return {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.6}


def _dot(entry: str, marker: str, face: str, size: float) -> Line2D:
    props: dict[str, Any] = {"markeredgecolor": style.INK if marker == "*" else face}
    return Line2D([], [], ls="", marker=marker, ms=size, color=face, label=entry, **props)


def _percent(share: float, lang: str) -> str:
    """Write a share; a decimal where the whole number would claim none or all."""
    plain = share in (0.0, 1.0) or 0.01 <= share < 0.995
    return format_percent(100 * share, 0 if plain else 1, lang)


def _entry(name: str, share: float, drawn: float | None, lang: str) -> str:
    percent = _percent(share, lang)
    if drawn is None:
        entry = label("chart.entry", lang, name=name, value=percent)
    else:
        draws = _percent(drawn, lang)
        entry = label("chart.simplex.entry.draws", lang, name=name, share=percent, drawn=draws)
    return style.fold(entry.replace(" %", "\u00a0%"), 34)  # a number keeps its sign


def _title(
    table: NDArray[np.float64],
    names: Sequence[str],
    used: NDArray[np.float64],
    areas: NDArray[np.float64],
    lang: str,
) -> str:
    totals = table @ used
    near = totals >= totals.max() - 1e-9 * max(1.0, abs(table).max())
    best: list[int] = np.flatnonzero(near).tolist()
    if len(best) > 1:
        tied = list_names([names[i] for i in best], lang)
        return style.capital(label("chart.simplex.title.tie", lang, names=tied))
    share, name = float(areas[best[0]]), names[best[0]]
    key = ".always" if share > 1 - 1e-9 else ""
    percent = _percent(share, lang)
    return style.capital(label(f"chart.simplex.title{key}", lang, name=name, share=percent))


def _note(names: Sequence[str], areas: NDArray[np.float64], drawn: bool, lang: str) -> str:
    notes = [label("chart.simplex.note", lang)]
    if drawn:
        notes.append(label("chart.simplex.note.draws", lang))
    never = [name for name, share in zip(names, areas, strict=True) if share <= 1e-12]
    if never:
        notes.append(label("chart.simplex.note.never", lang, names=list_names(never, lang)))
    return join_sentences(notes, lang)
