"""The service blueprint as a drawing: layers, lines, flows, fail points and waits.

References
----------
Shostack (1984). Designing services that deliver. Harvard Business Review 62(1), 133-139.
Kingman-Brundage (1989). The ABCs of service system blueprinting. In: Bitner & Crosby (eds.),
Designing a winning service strategy, American Marketing Association.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Ellipse, FancyBboxPatch, Patch, Polygon, Rectangle

from cxstats.charts import style
from cxstats.charts.blueprint_layout import (
    BOX,
    DIAMOND,
    ELLIPSE,
    HEADER,
    LABELS,
    Arrow,
    Layout,
    columns_of,
    lay_out,
)
from cxstats.charts.fonts import drawable
from cxstats.charts.inch_text import InchText, folded
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import LANGUAGES, label
from cxstats.journeys.blueprint.elements import LAYERS, Element

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cxstats.journeys.blueprint.analysis import Blueprint

NAME, SMALL = 8.5, 7.2  # points
LINE = 1.35 / 72  # inches of a line of text, per point
PAD = 0.1  # inches around the words of a box, and below the marks on its upper edge
MARK = 0.11  # radius of the marks F and W
WIDE = {BOX: 1.62, ELLIPSE: 2.0, DIAMOND: 2.5}  # shapes; the words have 1.46 inches or less
TEXT_WIDTH = {BOX: 1.46, ELLIPSE: 1.46, DIAMOND: 1.3}
MOST_COLUMNS = 100
FOUR = ("customer", "frontstage", "backstage", "support")
SHAPES = {
    True: (ELLIPSE, DIAMOND, BOX, BOX),  # of the four layers
    False: (BOX,) * len(LAYERS),
}
FILLS = {
    "evidence": "#F7F3E8", "customer": "#EEF5FB", "frontstage": "#F1F7F1",
    "backstage": "#F5F5F5", "support": "#F2F0F5",
}  # fmt: skip
LINES: dict[str, tuple[str, dict[str, Any]]] = {  # by the layer above it
    "customer": ("interaction", {"linestyle": "-", "linewidth": 1.2}),
    "frontstage": ("visibility", {"linestyle": (0, (6, 2)), "linewidth": 1.5}),
    "backstage": ("internal", {"linestyle": (0, (6, 2, 1, 2)), "linewidth": 1.2}),
}
ARROWS: dict[str, dict[str, Any]] = {
    "flow": {"color": "#444444", "linewidth": 1.1},
    "information": {"color": style.GOOD, "linewidth": 1.0, "linestyle": (0, (4, 2))},
    "failure": {"color": style.BAD, "linewidth": 1.1, "linestyle": (0, (1.2, 1.4))},
}
HEAD = (0.11, 0.04)  # inches: length and half of the width of an arrow's head
CRITICAL = 2.4  # points


def service_blueprint(
    blueprint: Blueprint,
    *,
    four_layers: bool = False,
    source: str | None = None,
    title: str | None = None,
    lang: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a service blueprint.

    As Shostack and Kingman-Brundage draw it, physical evidence stands above customer actions,
    frontstage, backstage and support, with the lines of interaction, of visibility and of internal
    interaction between them; a mark F stands where the service can fail, a mark W where the
    customer waits. Columns are the stages, or follow the flows. With `four_layers` it has the
    layers and shapes of the study of service blueprints: ellipses for customer tasks, diamonds for
    the frontstage with its evidence, rectangles for the backstage, parallel lines for the
    infrastructure. Boxes stand at the same places in both languages; a name of more than 8 lines is
    cut.

    Parameters
    ----------
    blueprint : Blueprint
        What `cxstats.blueprint` returned.
    four_layers : bool
    source : str, optional
        Where the blueprint comes from; without it, what its file says.
    title : str, optional
        The finding. Without it: the critical path, its waiting share, and standards missed.
    lang : {"en", "zh"}
        Language of the labels.
    ax : Axes, optional
        Where to draw; a new figure without it. Texts shrink with the axes, so give it room.

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        If the flows need more than 100 columns; stages then say which elements stand together.
    """
    lang = drawable(lang)
    spec = blueprint.specification
    layers = FOUR if four_layers else LAYERS
    place = {"evidence": "frontstage"} if four_layers else {}
    bands = {
        name: layers.index(place.get(layer, layer))
        for name, layer in ((name, spec.element(name).layer) for name in blueprint.order)
    }
    shapes = SHAPES[four_layers]
    layout, arrows, stages = _layout(blueprint, bands, shapes, len(layers))
    with style.theme(lang):
        standalone = ax is None
        heading = title or _title(blueprint, lang)
        legend = _legend(blueprint, arrows, lang)
        above = 0.3 * len(folded(heading, layout.width, style.TITLE_SIZE)) + (0.9 if legend else 0)
        ax = style.new_axes(ax, layout.width + 0.3, layout.height + above + 0.6)
        _bands(ax, layout, layers, four_layers, lang)
        _stages(ax, layout, stages, lang)
        critical = set(zip(blueprint.critical_path["element"],
                           blueprint.critical_path["element"].iloc[1:], strict=False))  # fmt: skip
        for arrow, route in zip(arrows, layout.routes, strict=True):
            is_critical = arrow.kind == "flow" and (arrow.source, arrow.target) in critical
            _arrow(ax, route, arrow.kind, is_critical)
        missed = set(blueprint.standards.query("verdict == 'missed'")["element"])
        on_path = set(blueprint.critical_path["element"])
        for name in layout.boxes:
            element, box = spec.element(name), layout.boxes[name]
            is_infrastructure = four_layers and element.layer == "support"
            kind = "lines" if is_infrastructure else shapes[bands[name]]
            _shape(ax, box, kind, name in on_path, name in missed)
            _captions(
                ax,
                box,
                shapes[bands[name]],
                _lines_of(element, spec.unit, lang, shapes[bands[name]]),
            )
            _marks(ax, box, element, shapes[bands[name]])
        ax.set(xlim=(0, layout.width), ylim=(-layout.height, 0), xticks=[], yticks=[])
        ax.set_aspect("equal", anchor="NW")
        ax.spines[:].set_visible(False)
        rows = _place_legend(ax, legend, layout.width, blueprint.synthetic)
        where = source or blueprint.source(lang)
        style.finish(ax, standalone, heading, where, lang, "", blueprint.synthetic)
        return ax if standalone or not rows else style.lift_title(ax, rows)


def _layout(
    blueprint: Blueprint, bands: dict[str, int], shapes: Sequence[str], n_bands: int
) -> tuple[Layout, list[Arrow], list[str]]:
    spec = blueprint.specification
    stage_of = {name: i for i, name in enumerate(spec.stages)}
    stages = {name: stage_of.get(spec.element(name).stage) for name in bands}
    flows = spec.pairs("flow")
    columns = columns_of(bands, stages, flows, spec.pairs("information", "failure"))
    if max(columns.values()) >= MOST_COLUMNS:
        raise CxError(
            f"the flows need {max(columns.values()) + 1} columns; allowed: {MOST_COLUMNS}; give "
            "elements a 'stage', so that those of one stage stand together"
        )
    arrows = [Arrow(flow.source, flow.target, flow.kind) for flow in spec.flows]
    sizes = {name: _size(spec.element(name), spec.unit, shapes[bands[name]]) for name in bands}
    header = bool(spec.stages)
    layout = lay_out(sizes, bands, columns, arrows, n_bands, shapes, header)
    return layout, arrows, list(spec.stages.values()) if header else []  # type: ignore[arg-type]


def _size(element: Element, unit: str, shape: str) -> tuple[float, float]:
    """Return width and height that hold the words in every language."""
    heights = []
    for lang in LANGUAGES:
        lines, below = _lines_of(element, unit, lang, shape)
        heights.append(LINE * (NAME * len(lines) + SMALL * len(below)))
    tall = max(heights)
    if shape == DIAMOND:  # words of half of its width have half of its height
        return WIDE[shape], max(0.8, tall / (1 - TEXT_WIDTH[shape] / WIDE[shape]))
    if shape == ELLIPSE:
        return WIDE[shape], max(0.6, tall / (1 - (TEXT_WIDTH[shape] / WIDE[shape]) ** 2) ** 0.5)
    return WIDE[shape], max(0.5, tall + 2 * PAD)


def _lines_of(element: Element, unit: str, lang: str, shape: str) -> tuple[list[str], list[str]]:
    """Return the lines of the name, and those of times and failures below it."""
    name = folded(element.name.get(lang), TEXT_WIDTH[shape], NAME)
    below = [*_times(element, unit, lang, shape), _failure(element, lang)]
    return name, [line for part in below if part for line in folded(part, TEXT_WIDTH[shape], SMALL)]


def _times(element: Element, unit: str, lang: str, shape: str) -> list[str]:
    """Return wait and time, in one line where it holds both."""
    wait, time = (
        "" if value is None
        else label(f"process.short.{unit}", lang, value=format_number(float(f"{value.mean:.3g}")))
        for value in (element.wait, element.time)
    )  # fmt: skip
    if not wait:
        return [time]
    first = label("blueprint.drawing.waits", lang, wait=wait)
    together = f"{first} + {time}"
    if time and len(folded(together, TEXT_WIDTH[shape], SMALL)) == 1:
        return [together]
    return [first, time]


def _failure(element: Element, lang: str) -> str:
    if element.failure is None:
        return ""
    share = format_percent(float(f"{100 * element.failure.mean:.2g}"), None, lang)
    return label("blueprint.drawing.share", lang, share=share)


def _bands(ax: Axes, layout: Layout, layers: Sequence[str], four: bool, lang: str) -> None:
    family = "blueprint.four.{}" if four else "blueprint.word.{}"
    for layer, (top, bottom) in zip(layers, layout.bands, strict=True):
        fill: dict[str, Any] = {"facecolor": FILLS[layer], "edgecolor": "none", "zorder": 0}
        ax.add_patch(Rectangle((0, bottom), layout.width, top - bottom, **fill))
        caption = "\n".join(folded(style.capital(label(family.format(layer), lang)),
                                 LABELS - 0.25, 9.5))  # fmt: skip
        InchText(
            ax, 0.1, (top + bottom) / 2, caption, 9.5, LABELS - 0.15, weight="bold", va="center"
        )
    for layer, height in zip(layers, layout.lines, strict=False):
        if layer not in LINES or four:
            ax.plot([0, layout.width], [height] * 2, color="white", linewidth=2, zorder=0.5)
            continue
        key, look = LINES[layer]
        ax.plot([0, layout.width], [height] * 2, color=style.INK, zorder=0.5, **look)
        caption = "\n".join(folded(label(f"blueprint.line.{key}", lang), LABELS - 0.25, SMALL))
        InchText(ax, 0.1, height + 0.04, caption, SMALL, LABELS - 0.15, color=style.NEUTRAL,
                 va="bottom", linespacing=1.1)  # fmt: skip


def _stages(ax: Axes, layout: Layout, stages: Sequence[Any], lang: str) -> None:
    for stage, (left, right) in zip(stages, layout.columns, strict=False):
        caption = "\n".join(folded(stage.get(lang), right - left - 0.1, 9, 2))
        middle = {"ha": "center", "va": "center", "weight": "bold", "linespacing": 1.15}
        InchText(ax, (left + right) / 2, -HEADER / 2, caption, 9, right - left - 0.05, **middle)
        ax.plot([left, left], [-layout.height, 0], color="white", linewidth=1.5, zorder=0.4)


def _arrow(ax: Axes, route: Any, kind: str, critical: bool) -> None:
    look = {**ARROWS[kind], **({"linewidth": CRITICAL} if critical else {})}
    tip, before = route[-1], route[-2]
    direction = (tip - before) / max(np.hypot(*(tip - before)), 1e-9)
    base = tip - HEAD[0] * direction
    ax.plot(*np.vstack([route[:-1], base]).T, solid_joinstyle="round", zorder=1, **look)
    aside = HEAD[1] * (1.5 if critical else 1) * np.array([-direction[1], direction[0]])
    corners = [tip, base + aside, base - aside]
    ax.add_patch(Polygon(corners, color=look["color"], linewidth=0, zorder=1.5))


def _shape(
    ax: Axes, box: tuple[float, float, float, float], kind: str, critical: bool, missed: bool
) -> None:
    x, y, w, h = box
    look: dict[str, Any] = {
        "facecolor": "white",
        "edgecolor": style.BAD if missed else style.INK if critical else style.NEUTRAL,
        "linewidth": 1.9 if critical or missed else 0.9,
        "zorder": 2,
    }
    if kind == ELLIPSE:
        ax.add_patch(Ellipse((x, y), w, h, **look))
    elif kind == DIAMOND:
        corners = [(x - w / 2, y), (x, y + h / 2), (x + w / 2, y), (x, y - h / 2)]
        ax.add_patch(Polygon(corners, closed=True, **look))
    elif kind == "lines":
        ax.add_patch(Rectangle((x - w / 2, y - h / 2), w, h, **{**look, "edgecolor": "none"}))
        for edge in (y - h / 2, y + h / 2):
            ax.plot([x - w / 2, x + w / 2], [edge] * 2, color=look["edgecolor"],
                    linewidth=look["linewidth"], zorder=2)  # fmt: skip
    else:
        rounded = "round,pad=0,rounding_size=0.06"
        ax.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, rounded, **look))


def _captions(
    ax: Axes,
    box: tuple[float, float, float, float],
    shape: str,
    lines: tuple[list[str], list[str]],
) -> None:
    x, y, _, _ = box
    name, below = lines
    top = y + LINE * (NAME * len(name) + SMALL * len(below)) / 2
    for i, line in enumerate(name):
        place = top - LINE * NAME * (i + 0.5)
        InchText(ax, x, place, line, NAME, TEXT_WIDTH[shape], ha="center", va="center", zorder=3)
    top -= LINE * NAME * len(name)
    for i, line in enumerate(below):
        place = top - LINE * SMALL * (i + 0.5)
        InchText(ax, x, place, line, SMALL, TEXT_WIDTH[shape], ha="center", va="center", zorder=3,
                 color="#555555")  # fmt: skip


def _marks(ax: Axes, box: tuple[float, float, float, float], element: Element, shape: str) -> None:
    """Draw F where it can fail and W where the customer waits, at its upper corners."""
    x, y, w, h = box
    across = {BOX: (w / 2 - 0.17, h / 2), ELLIPSE: (0.354 * w, 0.354 * h),
              DIAMOND: (w / 4, h / 4)}[shape]  # fmt: skip
    for letter, sign, holds in (
        ("F", 1, element.failure is not None or any(element.weak_link)),
        ("W", -1, element.wait is not None and element.wait.mean > 0),
    ):
        if not holds:
            continue
        spot = (x + sign * across[0], y + across[1])
        colour = style.BAD if letter == "F" else style.GOOD
        look = {"facecolor": colour, "edgecolor": "white", "linewidth": 0.8, "zorder": 4}
        ax.add_patch(Circle(spot, MARK, **look))
        InchText(ax, *spot, letter, 7.5, 2 * MARK, color="white", weight="bold", ha="center",
                 va="center_baseline", zorder=5)  # fmt: skip


def _legend(blueprint: Blueprint, arrows: Sequence[Arrow], lang: str) -> list[Any]:
    """Return what the lines and marks of the drawing mean."""
    elements = blueprint.specification.elements
    kinds = dict.fromkeys(arrow.kind for arrow in arrows)
    handles: list[Any] = [
        Line2D([], [], label=label(f"blueprint.word.{kind}", lang), **ARROWS[kind])
        for kind in ARROWS if kind in kinds
    ]  # fmt: skip
    if len(blueprint.critical_path):
        look = {**ARROWS["flow"], "linewidth": CRITICAL}
        handles.append(Line2D([], [], label=label("blueprint.drawing.critical", lang), **look))
    dot: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 8}
    if any(e.failure is not None or any(e.weak_link) for e in elements):
        text = label("blueprint.drawing.fail", lang)
        handles.append(Line2D([], [], color=style.BAD, label=text, **dot))
    if any(e.wait is not None and e.wait.mean > 0 for e in elements):
        text = label("blueprint.drawing.wait", lang)
        handles.append(Line2D([], [], color=style.GOOD, label=text, **dot))
    if (blueprint.standards["verdict"] == "missed").any():
        edge: dict[str, Any] = {"facecolor": "white", "edgecolor": style.BAD, "linewidth": 1.9}
        handles.append(Patch(label=label("blueprint.drawing.missed", lang), **edge))
    return handles


def _place_legend(ax: Axes, handles: Sequence[Any], width: float, synthetic: bool) -> int:
    """Put the legend above the drawing; return how many lines it takes."""
    if not handles:
        return 0
    room = min(width, style.inches_wide(ax)) - (1.8 if synthetic else 0)
    columns = style.legend_columns([handle.get_label() for handle in handles], max(room, 2))
    style.legend_above(ax, handles, columns)
    return -(-len(handles) // columns)


def _title(blueprint: Blueprint, lang: str) -> str:
    """Return the finding: critical path and waiting, standards missed, or what there is."""
    lead, share = blueprint.lead_time, blueprint.waiting_share
    missed = int((blueprint.standards["verdict"] == "missed").sum())
    sentences = []
    if not isnan(lead.estimate) and lead.estimate > 0:
        total = format_number(float(f"{lead.estimate:.3g}"))
        unit = label(f"process.unit.{lead.unit}", lang)
        key = "path" if share.estimate > 0 else "length"
        values = {"share": format_percent(100 * share.estimate, 0, lang)} if key == "path" else {}
        sentences.append(
            label(f"blueprint.drawing.title.{key}", lang, total=total, unit=unit, **values)
        )
    if missed:
        n = int((blueprint.standards["verdict"] != "not_measured").sum())
        text = label("blueprint.drawing.title.standards", lang, missed=missed, n=n)
        sentences.append(text)
    if len(sentences) == 2:
        first, second = sentences
        return label("blueprint.drawing.title.joined", lang, first=first, second=second)
    if sentences:
        return style.capital(sentences[0])
    spec = blueprint.specification
    key = "plain" if spec.flows else "unordered"
    layers = len({element.layer for element in spec.elements})
    return label(f"blueprint.drawing.title.{key}", lang, n=len(spec.elements), layers=layers,
                 **({"flows": len(spec.flows)} if spec.flows else {}))  # fmt: skip
