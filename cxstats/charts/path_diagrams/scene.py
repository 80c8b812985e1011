"""What a path diagram shows and where: boxes, curves and numbers, in inches, before drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
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
from cxstats.core.language import LANGUAGES

NODE, NUMBER, SMALL = 10.0, 9.0, 7.5  # points: constructs, arrows, items and loadings
TABLE, TABLE_ROW = 8.5, 0.2  # points of the table below, and inches of its rows
MOST_REVERSED = 6  # constructs; each doubles the orders that are tried
RESIDUALS = 12  # more covariances of items than these are listed, not drawn
ROW, STACK = 10, 20  # Latin characters in a line of an item: above or below, and at the sides
# Names of constructs and items as wide and high as they usually are, in either language.
TYPICAL_NODE = "Satisfaction\nof customers"
TYPICAL_ROW, TYPICAL_STACK = "waiting\ntime at\nthe desk", "waiting time\nat the desk"


class Line(NamedTuple):
    """An arrow with its way, and the box in which its number stands, if it has one."""

    arrow: Arrow
    curve: Array
    box: Box | None


class Cell(NamedTuple):
    """A text of the table below, from its left or to its right end."""

    text: str
    x: float
    y: float
    align: str = "right"


class Scene(NamedTuple):
    """All that is drawn, in inches: boxes, lines, texts, cells of the table of covariances.

    ``listed`` holds the covariances of items that the note lists.
    """

    layout: Layout
    lines: list[Line]
    texts: dict[str, str]
    cells: list[Cell]
    listed: list[Arrow]
    bounds: tuple[float, float, float, float]


def measure(text: str, size: float, weight: str = "normal") -> tuple[float, float]:
    """Return the width and height of a text in inches, in the wider of the languages' fonts.

    So a model stands in the same places in every language.
    """
    rows = text.split("\n")
    fonts = [FontProperties(family=families(lang), size=size, weight=weight) for lang in LANGUAGES]
    wide = max(
        text_to_path.get_text_width_height_descent(row, font, False)[0]
        for row in rows
        for font in fonts
    )
    return wide / 72, (1.2 * len(rows) + 0.1) * size / 72


def make_scene(model: PathModel) -> Scene:
    """Return everything of a model at its place.

    Names can be longer in one language than in another. Which construct stands above which, and
    where its items are, is decided with names of typical length; only distances follow the texts.
    """
    nodes = {name: _even(model.name(name), 14) for name in model.nodes}
    items = [item for items in model.homes.values() for item in items]
    row, stack = ({item: _cut(model.name(item), n) for item in items} for n in (ROW, STACK))
    graph = _graph(model, nodes, row, stack)
    typical = _graph(
        model,
        _typical(model, nodes, TYPICAL_NODE),
        _typical(model, row, TYPICAL_ROW),
        _typical(model, stack, TYPICAL_STACK),
    )
    layout = _untangled(model, place(graph, typical))
    beside = {
        item
        for name, items in model.homes.items()
        if layout.sides[name] in ("left", "right")
        for item in items
    }
    texts = {**nodes, **{item: (stack if item in beside else row)[item] for item in items}}
    item_lines = _item_lines(model, layout)
    node_lines, listed = _node_lines(model, layout, item_lines)
    boxes = [*layout.nodes.values(), *layout.items.values()]
    boxes += [line.box for line in node_lines if line.box]
    ends = np.array([box.bounds(0.06) for box in boxes])
    curves = [routes.points(line.curve) for line in node_lines]
    spots = np.vstack([*curves, ends[:, :2], ends[:, 2:]])
    left, bottom = map(float, spots.min(axis=0))
    right, top = map(float, spots.max(axis=0))
    cells = _table(model, layout, left, bottom - 0.3) if model.tabulated else []
    if cells:
        bottom = cells[-1].y - TABLE_ROW
        right = max(right, *(cell.x for cell in cells))
    lines = [*item_lines, *node_lines]
    return Scene(layout, lines, texts, cells, listed, (left, bottom, right, top))


def _untangled(model: PathModel, layout: Layout) -> Layout:
    """Return the layout with the items of some constructs in reverse, so that fewer arcs cross.

    In one order of writing, the covariances of the same questions asked twice all cross. Reversed,
    the items of a construct keep their boxes: these are all alike.
    """
    home = {item: name for name, items in model.homes.items() for item in items}
    pairs = [
        (a.start, a.end)
        for a in model.of("residual")
        if a.start in home and a.end in home
        and layout.sides[home[a.start]] == layout.sides[home[a.end]]
    ]  # fmt: skip
    joined = sorted({home[item] for a, b in pairs if home[a] != home[b] for item in (a, b)})
    if not joined or len(joined) > MOST_REVERSED:
        return layout
    best = layout
    choices = (set(names) for k in range(len(joined) + 1) for names in combinations(joined, k))
    for reverse in choices:  # those that reverse few come first, and stay where others equal them
        items = dict(layout.items)
        for name in reverse:
            own = model.homes[name]
            boxes = [layout.items[item] for item in reversed(own)]
            items.update(zip(own, boxes, strict=True))
        other = layout._replace(items=items)
        if _crossings(pairs, home, other) < _crossings(pairs, home, best):
            best = other
    return best


def _crossings(pairs: Sequence[tuple[str, str]], home: Mapping[str, str], layout: Layout) -> int:
    """Return how many pairs of arcs between items cross, as they stand beside each other."""
    spans = []
    for pair in pairs:
        side = layout.sides[home[pair[0]]]
        boxes = [layout.items[item] for item in pair]
        ends = sorted(box.x if side in ("top", "bottom") else box.y for box in boxes)
        spans.append((side, ends[0], ends[1]))
    return sum(
        side == other and (low < start < high < end or start < low < end < high)
        for (side, low, high), (other, start, end) in combinations(spans, 2)
    )


def _table(model: PathModel, layout: Layout, left: float, top: float) -> list[Cell]:
    """Return the covariances of constructs as a triangle, its columns headed by row numbers.

    The constructs follow each other as they stand in the picture.
    """
    arcs = {frozenset((arrow.start, arrow.end)): arrow for arrow in model.of("arc")}

    def place_of(name: str) -> tuple[int, float]:
        box = layout.nodes[name]
        return layout.column[name], box.x if layout.turned else -box.y

    names = sorted((n for n in model.nodes if any(n in pair for pair in arcs)), key=place_of)
    heads = [f"{i}  {' '.join(model.name(name).split())}" for i, name in enumerate(names, 1)]
    first = left + max(measure(head, TABLE)[0] for head in heads) + 0.1
    wide = 0.16 + max(measure(number(model, arrow), TABLE)[0] for arrow in arcs.values())
    cells = [Cell(str(j + 1), first + (j + 1) * wide, top) for j in range(len(names) - 1)]
    for i, name in enumerate(names):
        y = top - (i + 1) * TABLE_ROW
        cells.append(Cell(heads[i], left, y, "left"))
        for j, other in enumerate(names[:i]):
            if arrow := arcs.get(frozenset((name, other))):
                cells.append(Cell(number(model, arrow), first + (j + 1) * wide, y))
    return cells


def _node_lines(
    model: PathModel, layout: Layout, item_lines: Sequence[Line]
) -> tuple[list[Line], list[Arrow]]:
    """Return all arrows but those beside a construct to its items, and what is not drawn."""
    zones = routes.zones(layout, model.homes)
    boxes = {**layout.nodes, **layout.items}
    arrows = [a for a in model.arrows if a.kind not in ("item", "residual", "arc")]
    arrows += [] if model.tabulated else model.of("arc")
    loadings = [line.box for line in item_lines if line.box]
    curves: list[Array] = []
    for arrow in arrows:
        curves.append(_curve(model, arrow, layout, loadings, zones, curves))
    residuals, listed = _residuals(model, layout)
    arrows += [arrow for arrow, _ in residuals]
    curves += [curve for _, curve in residuals]
    numbers = [number(model, arrow) for arrow in arrows]
    sizes = [_number_size(arrow, text) for arrow, text in zip(arrows, numbers, strict=True)]
    fixed = [*boxes.values(), *loadings]
    places = routes.labels(curves, sizes, fixed, [line.curve for line in item_lines])
    lines = [
        Line(arrow, curve, box if text else None)
        for arrow, curve, box, text in zip(arrows, curves, places, numbers, strict=True)
    ]
    return lines, listed


def _cut(name: str, columns: int) -> str:
    """Return the name of an item, folded; more than four lines are cut."""
    rows = _even(name, columns).split("\n")
    return "\n".join(rows if len(rows) <= 4 else [*rows[:3], rows[3] + "…"])


def _typical(model: PathModel, texts: Mapping[str, str], usual: str) -> dict[str, str]:
    """Return the texts with one of usual length instead of every name that is not the column's."""
    return {name: usual if name in model.names else text for name, text in texts.items()}


def _even(text: str, columns: int) -> str:
    r"""Fold a text into lines of about the same length.

    Examples
    --------
    >>> _even("服务人员态度", 10)
    '服务人\n员态度'
    """
    rows = style.fold(text, columns).count("\n") + 1
    narrower = (style.fold(text, width) for width in range(max(2, columns // 2), columns))
    fitting = (folded for folded in narrower if folded.count("\n") + 1 == rows)
    return next(fitting, style.fold(text, columns))


def _graph(
    model: PathModel, texts: Mapping[str, str], row: Mapping[str, str], stack: Mapping[str, str]
) -> Graph:
    """Return what is to be placed, with boxes that hold these texts."""
    latents = set(model.latents)
    latent = _node_size(model, texts, latents, (1.15, 0.6), (1.2, 1.2), (0.26, 0.28))
    observed = _node_size(
        model, texts, set(model.nodes) - latents, (0.8, 0.36), (1, 1), (0.24, 0.14)
    )
    paths = [(a.start, a.end) for a in model.of("path", "higher")]
    home = {item: name for name, items in model.homes.items() for item in items}
    behind = [
        (a.start, home[a.end])
        for a in model.of("cross")
        if a.start not in model.homes and a.end in home
    ]
    return Graph(
        sizes={name: latent if name in latents else observed for name in model.nodes},
        edges=tuple(
            (a, b) for a, b in dict.fromkeys(paths) if {a, b} <= set(model.nodes) and a != b
        ),
        items=model.homes,
        row=_item_size(row),
        stack=_item_size(stack),
        arcs=() if model.tabulated else tuple((a.start, a.end) for a in model.of("arc")),
        round=frozenset(latents),
        behind=tuple(dict.fromkeys(behind)),
        low=frozenset(_joined_below(model, home)),
    )


def _node_size(
    model: PathModel,
    texts: Mapping[str, str],
    kind: set[str],
    least: tuple[float, float],
    factor: tuple[float, float],
    margin: tuple[float, float],
) -> tuple[float, float]:
    """Return the size of the boxes of one kind of construct: all as large as the largest text."""
    sizes = [measure(texts[name], NODE, "bold") for name in model.nodes]
    wide, tall = (max(size[i] for size in sizes) for i in (0, 1))
    aimed = {a.end for a in model.of("path", "higher")}
    second_line = 0.16 * any(name in kind and name in model.r_squared for name in aimed)
    return (
        max(least[0], factor[0] * wide + margin[0]),
        max(least[1], factor[1] * tall + margin[1]) + second_line,
    )


def _item_size(texts: Mapping[str, str]) -> tuple[float, float]:
    sizes = [measure(text, SMALL) for text in texts.values()]
    return (
        max([0.36, *(wide + 0.1 for wide, _ in sizes)]),
        max([0.26, *(tall + 0.1 for _, tall in sizes)]),
    )


def _joined_below(model: PathModel, home: Mapping[str, str]) -> set[str]:
    """Return constructs whose items covary with those of others; these are joined below."""
    residuals = model.of("residual")
    if len(residuals) > RESIDUALS:
        return set()
    pairs = [(home[a.start], home[a.end]) for a in residuals if {a.start, a.end} <= set(home)]
    return {name for pair in pairs if pair[0] != pair[1] for name in pair}


def _item_lines(model: PathModel, layout: Layout) -> list[Line]:
    lines = []
    for arrow in model.of("item"):
        node, item = layout.nodes[arrow.start], layout.items[arrow.end]
        curve, (x, y) = routes.loading(node, item, layout.sides[arrow.start])
        text = number(model, arrow)
        box = Box(x, y, *measure(text, SMALL)) if text else None
        lines.append(Line(arrow, curve, box))
    return lines


def _curve(
    model: PathModel,
    arrow: Arrow,
    layout: Layout,
    loadings: Sequence[Box],
    zones: Sequence[Box],
    taken: Sequence[Array],
) -> Array:
    blocked = {**layout.nodes, **layout.items}
    start, end = blocked[arrow.start], blocked[arrow.end]
    arc = arrow.kind == "arc"
    if arc and layout.column[arrow.start] == layout.column[arrow.end]:
        curve = _side_arc(arrow, layout)
        if not routes.passes(curve, list(layout.items.values()), 0.01):
            return curve
    others = [box for name, box in blocked.items() if name not in (arrow.start, arrow.end)]
    others += loadings  # nor through a number
    back = any(a.start == arrow.end and a.end == arrow.start for a in model.of("path"))
    least = 0.13 if arc or back else 0.0
    return routes.route(start, end, others, zones, taken, least, one_side=back)


def _side_arc(arrow: Arrow, layout: Layout) -> Array:
    """Return the arc between two constructs of one column, or row, beside that column."""
    at, last = layout.column[arrow.start], max(layout.column.values())
    boxes = {n: b.turned() if layout.turned else b for n, b in layout.nodes.items()}
    column = sorted((b for n, b in boxes.items() if layout.column[n] == at), key=lambda b: b.y)
    start, end = boxes[arrow.start], boxes[arrow.end]
    span = abs(column.index(start) - column.index(end))
    curve = routes.side_arc(start, end, span, -1 if at < last else 1)
    return -curve[:, ::-1] if layout.turned else curve


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
    """Return the number of an arrow as it is written; empty where it is unknown."""
    if not np.isfinite(arrow.value) or not np.isfinite(arrow.std):
        return ""
    mark = "" if arrow.kind in ("item", "cross") else stars(arrow.p, model.alpha)
    return format_number(arrow.value, 2) + mark


def size_of(arrow: Arrow) -> float:
    """Return the size of the number of an arrow, in points."""
    return NUMBER if arrow.kind in ("path", "higher") else SMALL + (arrow.kind == "arc")


def _number_size(arrow: Arrow, text: str) -> tuple[float, float]:
    if not text:
        return 0.01, 0.01
    weight = "bold" if arrow.kind in ("path", "higher") else "normal"
    wide, tall = measure(text, size_of(arrow), weight)
    return wide + 0.06, tall + 0.02
