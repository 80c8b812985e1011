"""Points in four quadrants: importance and performance, impact and effort; labels kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Ellipse, Rectangle

from cxstats.charts import style
from cxstats.charts.callouts import keep_apart
from cxstats.charts.fonts import drawable
from cxstats.charts.wording import join_sentences, level_text, list_names, three_digits
from cxstats.core.errors import CxError
from cxstats.core.language import label
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from numpy.typing import ArrayLike, NDArray

    from cxstats.models.pls.ipma import Ipma

    Floats = NDArray[np.float64]

# (low x, high y), (high x, high y), (low x, low y), (high x, low y)
PLACES = (("low", "high"), ("high", "high"), ("low", "low"), ("high", "low"))
COLOURS = (style.BAD, style.GOOD, style.NEUTRAL, "#B07A00")


def quadrant_map(  # noqa: PLR0913  (keywords of a chart)
    names: Iterable[str],
    x: Iterable[float],
    y: Iterable[float],
    *,
    x_cut: float,
    y_cut: float,
    x_label: str,
    y_label: str,
    source: str,
    quadrants: str | Sequence[str] | Mapping[tuple[str, str], str] = "ipa",
    covariances: ArrayLike | None = None,
    level: float = 0.95,
    certain: Sequence[float] | None = None,
    sizes: Sequence[float] | None = None,
    lowest: tuple[float, float] | None = None,
    note: str = "",
    title: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw points in four named quadrants, with confidence ellipses: what to fix first.

    The ellipse of a point with covariance matrix S holds, at a level p, every place z with
    (z − point)ᵀ S⁻¹ (z − point) ≤ q, where q = −2 ln(1 − p) is the quantile of chi-square with 2
    degrees of freedom. A point on a line counts as high.

    Parameters
    ----------
    names : strings
        One per point.
    x, y : numbers, one per point
        For importance and performance: performance, importance. For priorities: effort, impact.
    x_cut, y_cut : float
        Where the lines stand.
    x_label, y_label : str
        What the axes measure, with units.
    source : str
        Where the numbers come from.
    quadrants : {"ipa", "effort"}, 4 words, or mapping
        Names of (low x, high y), (high x, high y), (low x, low y), (high x, low y), or a mapping
        from such pairs, ``{("low", "high"): "fix", ...}``. The first is what to fix first.
    covariances : array (n, 2, 2), optional
        Of the estimates (x, y); NaN where a point has none.
    level : float
        Level of the ellipses, and the share from which a point is certain of its quadrant.
    certain : sequence of n shares, optional
        Share of resamples in which the point lies in its quadrant, from 0 to 1. Without it a point
        is certain where its ellipse crosses no line. A point that is not certain is hollow.
    sizes : sequence of n numbers, optional
        What the areas of the points show, for example how many tickets.
    lowest : (float, float), optional
        What x and y cannot be below, such as 0 of a share: ellipses end there.
    note : str
        What else a reader must know: what the lines are, what the areas of points show.
    title : str, optional
        The finding. Without it: what to fix first, and how much of that is certain.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it.

    Raises
    ------
    CxError
        If lengths differ, a value is not a number, a covariance matrix is none, a share is not
        between 0 and 1, or the quadrants are not four.

    References
    ----------
    Martilla & James (1977). Importance-performance analysis. Journal of Marketing 41, 77-79.
    """
    rows, points = _points(names, x, y)
    _check_cuts(x_cut, y_cut)
    check_level(level)
    shapes = None if covariances is None else _covariances(rows, covariances)
    where = _where(points, x_cut, y_cut)
    sure = _sure(rows, points, (x_cut, y_cut), shapes, level, certain)
    areas = _areas(rows, sizes)
    lang = drawable(lang)
    quadrant_names = _quadrant_names(quadrants, lang)
    with style.theme(lang):
        many = len(rows) > 12
        standalone = ax is None
        ax = style.new_axes(ax, 11.6 if many else 9.6, 7.6 if many else 6.2)
        _limits(ax, points, (x_cut, y_cut), shapes, level, lowest)
        (left, _), (_, top) = ax.get_xlim(), ax.get_ylim()
        tint: dict[str, Any] = {"color": COLOURS[0], "alpha": 0.05, "linewidth": 0, "zorder": 0}
        ax.add_patch(Rectangle((left, y_cut), x_cut - left, top - y_cut, **tint))
        corners = name_quadrants(ax, x_cut, y_cut, quadrant_names, COLOURS)
        if shapes is not None:
            for point, shape, place in zip(points, shapes, where, strict=True):
                _ellipse(ax, point, shape, level, COLOURS[place], faint=len(rows) > 6)
        order = np.argsort(-areas, kind="stable")  # small points lie on large ones
        for i in order:
            edge = COLOURS[where[i]]
            at = points[i : i + 1]
            ax.scatter(at[:, 0], at[:, 1], areas[i], linewidth=1.4, zorder=4, edgecolor=edge,
                       facecolor=edge if sure is None or sure[i] else "white")  # fmt: skip
        ax.set(xlabel=x_label, ylabel=y_label)
        keep_apart(ax, points, rows, np.sqrt(areas) / 2, corners, (x_cut, y_cut), lang)
        heading = title or _title(rows, points, where, sure, quadrant_names[0], lang)
        notes = _notes(points, (x_cut, y_cut), shapes is not None, sure, certain, level, lang)
        below = join_sentences([*notes, note], lang)
        return style.finish(ax, standalone, heading, source, lang, below, synthetic)


def ipma_map(
    ipma: Ipma,
    *,
    crosshairs: str | tuple[float, float] = "means",
    lang: str | None = None,
    ax: Axes | None = None,
    **options: Any,
) -> Axes:
    """Draw the importance-performance map of a PLS model, as `from_ipma` computes it.

    Parameters
    ----------
    ipma : Ipma
        Of ``fit.ipma(...)``.
    crosshairs : {"means", "medians", "scale"} or (performance, importance)
        Where the quadrants meet; see `cxstats.priorities.importance.from_ipma`.
    lang, ax, **options
        As in `quadrant_map`.
    """
    from cxstats.priorities.importance import from_ipma

    return from_ipma(ipma, crosshairs).plot(lang=drawable(lang), ax=ax, **options)


def _points(
    names: Iterable[str], x: Iterable[float], y: Iterable[float]
) -> tuple[list[str], Floats]:
    rows, first = style.check_values(names, x, "x", signed=True)
    _, second = style.check_values(rows, y, "y", signed=True)
    return rows, np.column_stack([first, second])


def _check_cuts(x_cut: float, y_cut: float) -> None:
    for what, cut in (("x_cut", x_cut), ("y_cut", y_cut)):
        if not isfinite(cut):
            raise CxError(f"{what}={cut!r} is not allowed; allowed: a number")


def _covariances(names: Sequence[str], covariances: ArrayLike) -> Floats:
    shapes = np.asarray(covariances, float)
    if shapes.shape != (len(names), 2, 2):
        raise CxError(f"covariances has shape {shapes.shape}; allowed: ({len(names)}, 2, 2)")
    for name, shape in zip(names, shapes, strict=True):
        if np.isnan(shape).any():
            continue
        smallest, largest = np.linalg.eigvalsh(shape)
        if not np.allclose(shape, shape.T) or smallest < -1e-9 * max(largest, 1e-300):
            raise CxError(
                f"covariances: {name!r} has {shape.tolist()}; allowed: symmetric, without "
                "negative variance in any direction"
            )
    return shapes


def _where(points: Floats, x_cut: float, y_cut: float) -> list[int]:
    """Return the place of each point in PLACES."""
    return [int(2 * (y < y_cut) + (x >= x_cut)) for x, y in points]


def _sure(
    names: Sequence[str],
    points: Floats,
    cuts: tuple[float, float],
    shapes: Floats | None,
    level: float,
    certain: Sequence[float] | None,
) -> list[bool] | None:
    """Return whether each point is certain of its quadrant, or None where nothing is known."""
    if certain is not None:
        _, shares = style.check_values(names, certain, "certain")
        for name, share in zip(names, shares, strict=True):
            if share > 1:
                raise CxError(f"certain: {name!r} has {share:g}; allowed: shares from 0 to 1")
        return [share >= level for share in shares]
    if shapes is None:
        return None
    reach = radius(level) * np.sqrt(np.diagonal(shapes, axis1=1, axis2=2))
    clear: list[bool] = (abs(points - np.array(cuts)) > reach).all(1).tolist()
    return clear  # NaN is never clear


def _areas(names: Sequence[str], sizes: Sequence[float] | None) -> Floats:
    """Return areas in points²; the largest of `sizes` gets 420."""
    if sizes is None:
        return np.full(len(names), 52.0)
    _, values = style.check_values(names, sizes, "sizes")
    return np.maximum(14.0, 420 * np.array(values) / (max(values) or 1))


def _quadrant_names(
    quadrants: str | Sequence[str] | Mapping[tuple[str, str], str], lang: str
) -> list[str]:
    if isinstance(quadrants, str):
        if quadrants not in ("ipa", "effort"):
            raise CxError(f"quadrants={quadrants!r} is not allowed; allowed: 'ipa', 'effort'")
        return [label(f"chart.quadrant.{quadrants}.{x}_{y}", lang) for x, y in PLACES]
    if isinstance(quadrants, Mapping):
        missing = [place for place in PLACES if place not in quadrants]
        if missing or len(quadrants) != 4:
            raise CxError(f"quadrants has the keys {list(quadrants)}; allowed: {list(PLACES)}")
        return [str(quadrants[place]) for place in PLACES]
    if len(quadrants) != 4:
        raise CxError(f"{len(quadrants)} quadrants are named; allowed: 4")
    return [str(name) for name in quadrants]


def radius(level: float) -> float:
    """Return how many standard deviations the ellipse of a normal pair reaches at `level`.

    Examples
    --------
    >>> round(radius(0.95) ** 2, 3)
    5.991
    """
    return sqrt(-2 * log(1 - level))


def _ellipse(
    ax: Axes, point: Floats, shape: Floats, level: float, colour: str, faint: bool
) -> None:
    """Draw a region; where many lie over each other they are faint, so that names stay readable."""
    if np.isnan(shape).any():
        return
    values, vectors = np.linalg.eigh(shape)
    width, height = 2 * radius(level) * np.sqrt(np.maximum(values[::-1], 0))
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    props: dict[str, Any] = {"linewidth": 0.9, "zorder": 2}
    for alpha, fill in ((0.04 if faint else 0.10, True), (0.3 if faint else 0.55, False)):
        ax.add_patch(Ellipse((point[0], point[1]), width, height, angle=angle, fill=fill,
                             color=colour, alpha=alpha, **props))  # fmt: skip


def _limits(
    ax: Axes,
    points: Floats,
    cuts: tuple[float, float],
    shapes: Floats | None,
    level: float,
    lowest: tuple[float, float] | None,
) -> None:
    """Show every point and ellipse, and enough of each quadrant to be named."""
    reach = np.zeros_like(points)
    if shapes is not None:
        reach = np.nan_to_num(radius(level) * np.sqrt(np.diagonal(shapes, axis1=1, axis2=2)))
    # Above and below there is room for the names of the quadrants.
    for k, setter, room in ((0, ax.set_xlim, 0.09), (1, ax.set_ylim, 0.13)):
        low = min((points - reach)[:, k].min(), cuts[k])
        high = max((points + reach)[:, k].max(), cuts[k])
        span = (high - low) or abs(cuts[k]) or 1.0
        start = min(low - room * span, cuts[k] - 0.3 * span)
        end = max(high + room * span, cuts[k] + 0.3 * span)
        setter(max(start, lowest[k]) if lowest else start, end)


def name_quadrants(
    ax: Axes, x_cut: float, y_cut: float, names: Sequence[str], colours: Sequence[str]
) -> list[Annotation]:
    """Draw the lines and name the quadrants in their corners."""
    ax.axvline(x_cut, color=style.NEUTRAL, linewidth=1, zorder=1)
    ax.axhline(y_cut, color=style.NEUTRAL, linewidth=1, zorder=1)
    corners = []
    for (x, y), name, colour in zip(PLACES, names, colours, strict=True):
        corners.append(
            ax.annotate(
                style.fold(name, 24),
                (0 if x == "low" else 1, 0 if y == "low" else 1),
                (5 if x == "low" else -5, 5 if y == "low" else -5),
                "axes fraction",
                "offset points",
                ha="left" if x == "low" else "right",
                va="bottom" if y == "low" else "top",
                size=10,
                weight="bold",
                color=colour,
                alpha=0.6,
                zorder=2,
            )
        )
    return corners


def _title(
    names: Sequence[str],
    points: Floats,
    where: Sequence[int],
    sure: Sequence[bool] | None,
    quadrant: str,
    lang: str,
) -> str:
    inside = [i for i in np.argsort(-points[:, 1], kind="stable") if where[i] == 0]
    certain = [i for i in inside if sure is None or sure[i]]
    listed = list_names([names[i] for i in certain or inside], lang)
    k = len(inside) - len(certain)
    if not inside:
        key = ".none"
    elif not certain:
        key = ".open.one" if len(inside) == 1 else ".open"
    else:
        key = {0: "", 1: ".some.one"}.get(k, ".some")
    finding = label(f"chart.quadrant.title{key}", lang, names=listed, k=k, quadrant=quadrant)
    return style.capital(finding)


def _notes(
    points: Floats,
    cuts: tuple[float, float],
    ellipses: bool,
    sure: Sequence[bool] | None,
    certain: Sequence[float] | None,
    level: float,
    lang: str,
) -> list[str]:
    notes, percent = [], level_text(level, lang)
    if ellipses:
        notes.append(label("chart.quadrant.note.ellipses", lang, level=percent))
    if sure is not None and not all(sure):
        key = "ellipse" if certain is None else "share"
        notes.append(label(f"chart.quadrant.note.{key}", lang, level=percent))
    x, y = map(three_digits, cuts)
    notes.append(label("chart.quadrant.note.lines", lang, x=x, y=y))
    if (points == np.array(cuts)).any():
        notes.append(label("chart.quadrant.note.on", lang))
    return notes
