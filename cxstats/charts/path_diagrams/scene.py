"""What a path diagram shows and where: boxes, curves and numbers, in inches, before drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cxstats.charts import style
from cxstats.charts.fonts import families
from cxstats.charts.path_diagrams import routes
from cxstats.charts.path_diagrams.captions import stars
from cxstats.charts.path_diagrams.layout import Array, Box, Graph, Layout
from cxstats.charts.path_diagrams.model import Arrow, PathModel
from cxstats.charts.path_diagrams.places import place
from cxstats.core.formats import format_number

NODE, NUMBER, SMALL = 10.0, 9.0, 7.0  # points: constructs, arrows, items and loadings
RESIDUALS = 12  # more covariances of items than these are listed, not drawn


class Line(NamedTuple):
    """An arrow with its way, and the box in which its number stands, if it has one."""

    arrow: Arrow
    curve: Array
    box: Box | None


class Scene(NamedTuple):
    """All that is drawn, in inches: boxes, lines, words; and the covariances that are listed."""

    layout: Layout
    lines: list[Line]
    words: dict[str, str]
    listed: list[Arrow]
    bounds: tuple[float, float, float, float]


def measure(words: str, size: float, lang: str, weight: str = "normal") -> tuple[float, float]:
    """Return the width and height of words in inches."""
    font = FontProperties(family=families(lang), size=size, weight=weight)
    rows = words.split("\n")
    wide = max(text_to_path.get_text_width_height_descent(row, font, False)[0] for row in rows)
    return wide / 72, (1.2 * len(rows) + 0.1) * size / 72


def make_scene(model: PathModel, lang: str) -> Scene:
    """Return everything of a model at its place; the language decides how wide words are."""
    words = _folded(model)
    layout = place(_graph(model, words, lang))
    arrows = [a for a in model.arrows if a.kind not in ("item", "residual", "arc")]
    ways = _item_lines(model, layout, lang)
    zones = routes.zones(layout, model.homes)
    blocked = {**layout.nodes, **layout.items}
    curves: list[Array] = []
    arcs = model.of("arc")
    for arrow in [*arrows, *arcs]:
        curves.append(_curve(model, arrow, layout, blocked, zones, curves))
    outer, listed = _residuals(model, layout)
    arrows, curves = [*arrows, *arcs, *(a for a, _ in outer)], [*curves, *(c for _, c in outer)]
    numbers = [number(model, arrow) for arrow in arrows]
    sizes = [_number_size(arrow, text, lang) for arrow, text in zip(arrows, numbers, strict=True)]
    fixed = [*blocked.values(), *(line.box for line in ways if line.box)]
    boxes = routes.labels(curves, sizes, fixed, [line.curve for line in ways])
    lines = [
        Line(arrow, curve, box if text else None)
        for arrow, curve, box, text in zip(arrows, curves, boxes, numbers, strict=True)
    ]
    everything = [*blocked.values(), *(line.box for line in lines if line.box)]
    ends = np.array([box.bounds(0.06) for box in everything])
    spots = np.vstack([*(routes.points(curve) for curve in curves), ends[:, :2], ends[:, 2:]])
    low, high = spots.min(axis=0), spots.max(axis=0)
    bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Scene(layout, [*ways, *lines], words, listed, bounds)


def _folded(model: PathModel) -> dict[str, str]:
    """Return the words in every box, folded; more than four lines of an item are cut."""
    words = {name: _even(model.name(name), 14) for name in model.nodes}
    for item in (item for items in model.homes.values() for item in items):
        rows = _even(model.name(item), 10).split("\n")
        words[item] = "\n".join(rows if len(rows) <= 4 else [*rows[:3], rows[3] + "…"])
    return words


def _even(words: str, columns: int) -> str:
    r"""Fold words into lines of about the same length.

    Examples
    --------
    >>> _even("服务人员态度", 10)
    '服务人\n员态度'
    """
    rows = style.fold(words, columns).count("\n") + 1
    shorter = (style.fold(words, width) for width in range(max(2, columns // 2), columns))
    fitting = (found for found in shorter if found.count("\n") + 1 == rows)
    return next(fitting, style.fold(words, columns))


def _graph(model: PathModel, words: Mapping[str, str], lang: str) -> Graph:
    aimed, latents = {a.end for a in model.of("path", "higher")}, set(model.latents)
    inside = [measure(words[name], NODE, lang, "bold") for name in model.nodes]
    explained = {name for name in aimed if name in model.r_squared}
    second = [
        0.16 * (not explained.isdisjoint(kind)) for kind in (latents, set(model.nodes) - latents)
    ]
    wide, tall = (max(size[i] for size in inside) for i in (0, 1))
    latent = (max(1.15, 1.2 * wide + 0.26), max(0.6, tall * 1.2 + 0.28) + second[0])
    observed = (max(0.8, wide + 0.24), max(0.36, tall + 0.14) + second[1])
    found = [measure(words[i], SMALL, lang) for items in model.homes.values() for i in items]
    item = tuple(max([0.36 - 0.1 * i, *(size[i] + 0.1 for size in found)]) for i in (0, 1))
    edges = [(a.start, a.end) for a in model.of("path", "higher") if a.end in model.nodes]
    home = {item: name for name, items in model.homes.items() for item in items}
    residuals = [a for a in model.of("residual") if a.start in home and a.end in home]
    joined = [a for a in residuals if home[a.start] != home[a.end]]
    drawn = joined if len(model.of("residual")) <= RESIDUALS else []
    return Graph(
        sizes={name: latent if name in model.latents else observed for name in model.nodes},
        edges=tuple((a, b) for a, b in dict.fromkeys(edges) if a in model.nodes and a != b),
        items=model.homes,
        row=(item[0], item[1]),
        stack=(item[0], item[1]),
        arcs=tuple((a.start, a.end) for a in model.of("arc")),
        round=frozenset(model.latents),
        behind=tuple(
            dict.fromkeys(
                (a.start, home[a.end])
                for a in model.of("cross")
                if a.start not in model.homes and a.end in home
            )
        ),
        low=frozenset(home[name] for a in drawn for name in (a.start, a.end)),
    )


def _item_lines(model: PathModel, layout: Layout, lang: str) -> list[Line]:
    found = []
    for arrow in model.of("item"):
        node, item = layout.nodes[arrow.start], layout.items[arrow.end]
        curve, (x, y) = routes.loading(node, item, layout.sides[arrow.start])
        text = number(model, arrow)
        box = Box(x, y, *measure(text, SMALL, lang)) if text else None
        found.append(Line(arrow, curve, box))
    return found


def _curve(
    model: PathModel,
    arrow: Arrow,
    layout: Layout,
    blocked: Mapping[str, Box],
    zones: Sequence[Box],
    taken: Sequence[Array],
) -> Array:
    start, end = blocked[arrow.start], blocked[arrow.end]
    level, arc = layout.level, arrow.kind == "arc"
    if arc and level[arrow.start] == level[arrow.end]:
        at = level[arrow.start]
        column = sorted((b for n, b in layout.nodes.items() if level[n] == at), key=lambda b: b.y)
        span = abs(column.index(start) - column.index(end))
        return routes.side_arc(start, end, span, -1 if at < max(level.values()) else 1)
    others = [box for name, box in blocked.items() if name not in (arrow.start, arrow.end)]
    back = any(a.start == arrow.end and a.end == arrow.start for a in model.of("path"))
    least = 0.13 if arc or back else 0.0
    return routes.route(start, end, others, zones, taken, least, one_side=back)


def _residuals(model: PathModel, layout: Layout) -> tuple[list[tuple[Arrow, Array]], list[Arrow]]:
    """Return the covariances of items that can be drawn clear of all boxes, and the others."""
    home = {item: name for name, items in model.homes.items() for item in items}
    drawn, listed = [], []
    many = len(model.of("residual")) > RESIDUALS
    for arrow in model.of("residual"):
        sides = {layout.sides[home[i]] if i in home else "" for i in (arrow.start, arrow.end)}
        if many or len(sides) > 1 or "" in sides:
            listed.append(arrow)
            continue
        start, end = layout.items[arrow.start], layout.items[arrow.end]
        curve = routes.outer_arc(start, end, sides.pop())
        boxes = [*layout.nodes.values(), *layout.items.values()]
        others = [box for box in boxes if box not in (start, end)]
        if routes.passes(curve, others, 0.01):
            listed.append(arrow)
        else:
            drawn.append((arrow, curve))
    return drawn, listed


def number(model: PathModel, arrow: Arrow) -> str:
    """Return the number of an arrow as it is written; empty where it is not known."""
    if not np.isfinite(arrow.value) or not np.isfinite(arrow.std):
        return ""
    mark = "" if arrow.kind in ("item", "cross") else stars(arrow.p, model.alpha)
    return format_number(arrow.value, 2) + mark


def size_of(arrow: Arrow) -> float:
    """Return the size of the number of an arrow, in points."""
    return NUMBER if arrow.kind in ("path", "higher") else SMALL + (arrow.kind == "arc")


def _number_size(arrow: Arrow, text: str, lang: str) -> tuple[float, float]:
    if not text:
        return 0.01, 0.01
    weight = "bold" if arrow.kind in ("path", "higher") else "normal"
    wide, tall = measure(text, size_of(arrow), lang, weight)
    return wide + 0.06, tall + 0.02
