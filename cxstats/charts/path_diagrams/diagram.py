"""The path diagram of a structural equation model, drawn with matplotlib alone.

`model` reads the table of parameters, `scene` decides what stands where (with
`layout`, `places` and `routes`), `captions` says what it shows; here it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse, FancyArrowPatch, Patch, Rectangle
from matplotlib.path import Path

from cxstats.charts import style
from cxstats.charts.fonts import drawable
from cxstats.charts.path_diagrams.captions import note_text, title_text
from cxstats.charts.path_diagrams.layout import Box
from cxstats.charts.path_diagrams.model import PathModel, read_model
from cxstats.charts.path_diagrams.scene import (
    NODE,
    NUMBER,
    SMALL,
    TABLE,
    Line,
    Scene,
    make_scene,
    number,
    size_of,
)
from cxstats.core.formats import format_number
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

WIDEST, TALLEST = 9.0, 14.0  # inches of a figure: 7.5 points are 8 pixels on a page of 780
FACE = "#EAF1F6"
COLOURS = {
    "positive": style.GOOD,
    "negative": style.BAD,
    "unclear": style.NEUTRAL,
    "fixed": style.NEUTRAL,
    "plain": style.NEUTRAL,
}


def path_diagram(  # noqa: PLR0913
    table: pd.DataFrame,
    *,
    source: str,
    r_squared: Mapping[str, float] | None = None,
    standardised: bool = True,
    alpha: float = 0.05,
    group: object = None,
    names: Mapping[str, str] | None = None,
    title: str | None = None,
    note: str | None = None,
    synthetic: bool = False,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a structural equation model: constructs from left to right, items around them.

    Latent variables are ellipses, observed ones rectangles. Arrows between constructs are as wide
    as their standardised coefficients are large, coloured where these are significant, and dashed
    and grey where not. A parameter without a p-value is never called significant.

    Parameters
    ----------
    table : DataFrame
        One row per parameter: ``lhs``, ``op``, ``rhs``, ``estimate``, ``p_value``, ``std``, and
        ``group`` if there are several. Drawn are loadings (``=~``), paths (``~``) and covariances
        (``~~``). Where ``std`` is missing, so is the number; where it is missing everywhere, the
        model has no solution, which the chart says.
    source : str
        Where the data come from.
    r_squared : mapping of str to float, optional
        Share of variance explained, shown in the constructs that arrows point at.
    standardised : bool
        Whether the numbers are standardised; widths always are.
    alpha : float
        Below which p-value a parameter is significant.
    group : optional
        The group to draw; the first without it, which the note says.
    names : mapping of str to str, optional
        What variables are called.
    title : str, optional
        The finding. Without it: what drives the variable that is explained best, or the range of
        the loadings.
    note : str, optional
        What else must be known, put before the explanation of the signs.
    synthetic : bool
        Whether the data are simulated.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it. Text shrinks with small axes.

    Raises
    ------
    CxError
        If the table is empty, lacks a column or the group, or has nothing to draw.
    """
    model = read_model(table, r_squared, names, group, standardised=standardised, alpha=alpha)
    lang = drawable(lang)
    with style.theme(lang):
        scene = make_scene(model)
        heading = title or title_text(model, scene.layout.level, lang)
        below = note_text(model, scene.listed, note, lang)
        keys = _keys(model, scene, lang)
        standalone = ax is None
        ax = style.new_axes(ax, *_figure_size(scene, below))
        artists = _draw(ax, model, scene, lang)
        if keys:
            # In line with the title of a figure, which stands at 1 % of its width.
            figure = ax.get_figure(root=True)
            assert figure is not None  # axes of a chart are always on a figure
            aside = 0.01 * figure.get_figwidth() - 0.04 if standalone else 0.0
            style.legend_above(ax, keys, len(keys), aside)
        if not model.solved:
            marks = [label("chart.synthetic", lang)] if synthetic else []
            style.stamp(ax, " · ".join([*marks, label("chart.path.unsolved", lang)]))
        style.finish(ax, standalone, heading, source, lang, below, synthetic and model.solved)
        if not standalone:
            style.lift_title(ax, 1 if keys else 0)
        _fit(ax, scene, artists)
        return ax


def _draw(ax: Axes, model: PathModel, scene: Scene, lang: str) -> list[Artist]:
    """Draw the scene; return what has a size in points, to be fitted to the axes."""
    artists: list[Artist] = []
    for line in scene.lines:
        artists.append(_line(ax, model, line))
        if line.box:
            artists.append(_number(ax, model, line, line.box))
    aimed = {arrow.end for arrow in model.of("path", "higher")}
    for name, box in {**scene.layout.nodes, **scene.layout.items}.items():
        r2 = model.r_squared.get(name) if name in aimed and model.solved else None
        artists.append(_shape(ax, name, box))
        artists.extend(_caption(ax, scene.texts[name], box, name in scene.layout.nodes, r2))
    if scene.cells:
        place = scene.bounds[0], scene.cells[0].y
        head = label("chart.path.table", lang)
        artists.append(ax.text(*place, head, size=TABLE, weight="bold", va="center"))
    for cell in scene.cells:
        text = ax.text(cell.x, cell.y, cell.text, size=TABLE, ha=cell.align, va="center")
        artists.append(text)
    return artists


def _number(ax: Axes, model: PathModel, line: Line, box: Box) -> Artist:
    kind, main = model.kind(line.arrow), line.arrow.kind in ("path", "higher")
    # Wide enough that neither a minus sign is taken for a piece of the arrow, nor that for one.
    plate = _Plate(aside=0.7 if kind == "unclear" else 0.4, above=0.3 if main else 0.1)
    props: dict[str, Any] = {"boxstyle": plate, "fc": "white", "ec": "none"}
    weight = "bold" if main and kind in ("positive", "negative") else "normal"
    text, size = number(model, line.arrow), size_of(line.arrow)
    return _write(ax, text, box, size, weight=weight, bbox=props, zorder=5)


class _Plate(NamedTuple):
    """The white ground of a number, wider and higher than it by shares of its size of type."""

    aside: float
    above: float

    def __call__(self, x0: float, y0: float, width: float, height: float, size: float) -> Path:
        """Return the outline around a text."""
        dx, dy = self.aside * size, self.above * size
        left, bottom, right, top = x0 - dx, y0 - dy, x0 + width + dx, y0 + height + dy
        corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        return Path(corners, closed=True)


def _caption(ax: Axes, text: str, box: Box, is_node: bool, r2: float | None) -> list[Artist]:
    """Write the name of a construct or item, and how much of it is explained."""
    if not is_node:
        return [_write(ax, text, box, SMALL)]
    if r2 is None:
        return [_write(ax, text, box, NODE, weight="bold")]
    tall = 0.16 * (text.count("\n") + 1)
    above, below = box._replace(y=box.y + 0.08), box._replace(y=box.y - 0.025 - tall / 2)
    return [
        _write(ax, text, above, NODE, weight="bold"),
        _write(ax, f"R² {format_number(r2, 2)}", below, NUMBER - 1),
    ]


def _line(ax: Axes, model: PathModel, line: Line) -> Artist:
    kind, arrow = model.kind(line.arrow), line.arrow
    straight = arrow.kind in ("path", "higher")
    strength = min(abs(arrow.std), 1.0) if np.isfinite(arrow.std) else 0.25
    width = max(0.9, 5.5 * strength) if straight else 1.0 if arrow.kind == "arc" else 0.8
    small = arrow.kind in ("item", "cross", "residual")
    colour = style.NEUTRAL if small and kind != "negative" else COLOURS[kind]
    patch = FancyArrowPatch(
        path=Path(line.curve, [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
        arrowstyle="<|-|>" if arrow.kind in ("arc", "residual") else "-|>",
        mutation_scale=8 + 2.1 * width if straight else 7,
        linewidth=width,
        linestyle=(0, (4, 2.5)) if kind == "unclear" else "-",
        color=colour,
        capstyle="butt",
        joinstyle="miter",
        zorder=2 if straight else 1,
        gid=f"{arrow.kind}: {arrow.start} > {arrow.end}",
    )
    ax.add_patch(patch)
    return patch


def _shape(ax: Axes, name: str, box: Box) -> Artist:
    low = box.x - box.w / 2, box.y - box.h / 2
    patch: Patch = (
        Ellipse((box.x, box.y), box.w, box.h) if box.round else Rectangle(low, box.w, box.h)
    )
    patch.set(facecolor=FACE if box.round else "white", edgecolor=style.INK, zorder=3)
    patch.set(linewidth=1.3 if box.round else 0.9, gid=f"box: {name}")
    ax.add_patch(patch)
    return patch


def _write(ax: Axes, text: str, box: Box, size: float, **props: Any) -> Artist:
    place: dict[str, Any] = {"ha": "center", "va": "center", "linespacing": 1.15, "zorder": 4}
    return ax.text(box.x, box.y, text, size=size, **{**place, **props})


def _keys(model: PathModel, scene: Scene, lang: str) -> list[Artist]:
    """Return the legend: what the colours mean that are there."""
    drawn = [line.arrow for line in scene.lines]
    kinds = {model.kind(arrow) for arrow in drawn if arrow.kind in ("path", "higher", "arc")}
    if any(model.kind(arrow) == "unclear" for arrow in drawn):
        kinds.add("unclear")
    alpha = format_number(model.alpha)
    return [
        Line2D(
            [],
            [],
            color=colour,
            lw=2.6 if kind != "unclear" else 1.4,
            linestyle=(0, (3, 1.6)) if kind == "unclear" else "-",
            label=label(f"chart.path.{kind}", lang, alpha=alpha),
        )
        for kind, colour in COLOURS.items()
        if kind in kinds and kind != "plain"
    ]


def _figure_size(scene: Scene, below: str) -> tuple[float, float]:
    left, bottom, right, top = scene.bounds
    width = min(max(right - left + 0.4, 8.5), WIDEST)
    rows = sum(line.count("\n") + 1 for line in [style.wrap(below, width, style.NOTE_SIZE)])
    return width, min(top - bottom + 1.5 + 0.17 * rows, TALLEST)


def _fit(ax: Axes, scene: Scene, artists: Iterable[Artist]) -> None:
    """Show all of the scene undistorted, and bring what is measured in points to its scale."""
    left, bottom, right, top = scene.bounds
    ax.set_axis_off()
    ax.set(xlim=(left, right), ylim=(bottom, top))
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    figure.draw_without_rendering()
    room = ax.get_window_extent()
    wide, tall = room.width / figure.dpi, room.height / figure.dpi
    scale = min(wide / (right - left), tall / (top - bottom))
    x, y = (left + right) / 2, (bottom + top) / 2
    ax.set(
        xlim=(x - wide / scale / 2, x + wide / scale / 2),
        ylim=(y - tall / scale / 2, y + tall / scale / 2),
    )
    for artist in artists:
        if isinstance(artist, FancyArrowPatch):
            artist.set_mutation_scale(artist.get_mutation_scale() * scale)
        if isinstance(artist, Patch):
            artist.set_linewidth(artist.get_linewidth() * scale)
        else:
            # Half points: fonts are hinted for these.
            artist.set(size=max(np.floor(2 * artist.get_size() * scale) / 2, 1))  # type: ignore[attr-defined]
