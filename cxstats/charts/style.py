"""The look of every chart: colours, type, a title that states the finding, a source line.

A chart function draws inside ``theme(lang)`` and ends with ``finish``. Nothing global changes.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import matplotlib.text
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch
from matplotlib.transforms import Bbox, ScaledTranslation

from cxstats.charts import fonts
from cxstats.charts.alt_text import describe_charts
from cxstats.core.errors import CxError
from cxstats.core.language import check_lang, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

# Okabe and Ito's colours, told apart with every common colour deficiency and in grey print.
GOOD = "#0072B2"
BAD = "#D55E00"
NEUTRAL = "#6F6F6F"
PALE = "#C9CDD2"
INK = "#222222"
SEQUENCE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")

OPENING = "（《“【「『"
CLOSING = frozenset("，。；：、）】》”」』！？%,.;:!?)]")

TITLE_SIZE = 13
NOTE_SIZE = 8.5
SETTINGS = {
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": NEUTRAL,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.limits": (-5, 12),  # else 1,000,000 is written apart from its axis
    "axes.formatter.useoffset": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": "#E4E6E9",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
}


@contextmanager
def theme(lang: str | None = None) -> Iterator[None]:
    """Draw with the project's settings and the fonts of `lang`.

    Not `matplotlib.rc_context`, which on leaving also takes back what a notebook's backend
    switches on with the first figure, so that later charts are not shown.
    """
    settings: Any = mpl.rcParams  # its keys are typed as the literals of one version
    ours = {**SETTINGS, "font.family": fonts.families(check_lang(lang))}
    before = {key: settings[key] for key in ours}
    settings.update(ours)
    try:
        yield
    finally:
        settings.update(before)
        describe_charts()  # of seaborn's, which `finish` does not see


def new_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return `ax` dressed as ours, or the axes of a new figure of `width` by `height` inches."""
    if ax is not None:
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_axisbelow(True)
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def finish(
    ax: Axes,
    owns_figure: bool,
    title: str,
    source: str,
    lang: str,
    note: str = "",
    synthetic: bool = False,
    depth: float = 0,
) -> Axes:
    """Put the title above, note and source below, and the mark on synthetic data.

    Parameters
    ----------
    ax : Axes
        The chart.
    owns_figure : bool
        Whether the figure (or subfigure) is this chart's alone; title and source then belong to
        it, otherwise to the axes, so that several charts can share a figure.
    title : str
        The finding.
    source : str
        Where the data come from.
    lang : {"en", "zh"}
        Language.
    note : str
        What a reader must know to read the chart right.
    synthetic : bool
        Whether the data are simulated.
    depth : float
        Height in points of what stands below the axis beside its ticks and label.
    """
    describe_charts()
    below = "\n".join(line for line in (note, label("chart.source", lang, source=source)) if line)
    figure = ax.get_figure()
    assert figure is not None  # axes of a chart are always on a figure
    width = (figure if owns_figure else ax).bbox.width / figure.dpi
    if owns_figure:
        style = {"size": TITLE_SIZE, "weight": "bold", "linespacing": 1.3}
        heading = figure.suptitle(title, x=0.01, ha="left", **style)
        below = wrap(below, width, NOTE_SIZE)
        style = {"size": NOTE_SIZE, "color": NEUTRAL, "linespacing": 1.4}
        figure.supxlabel(below, x=0.01, ha="left", **style)
    else:
        # A legend, or the mark of synthetic data, stands between the title and the axes.
        above = 26 if ax.get_legend() or synthetic else 8
        heading = ax.set_title(wrap(title, width, 11), loc="left", weight="bold", pad=above)
        ax.add_artist(_Folder(heading, title))
        ax.annotate(
            wrap(below, width, NOTE_SIZE),
            (0, 0),
            (0, (-46 if ax.get_xlabel() else -32) - depth),
            "axes fraction",
            "offset points",
            va="top",
            size=NOTE_SIZE,
            color=NEUTRAL,
        )
    if synthetic:
        stamp(ax, label("chart.synthetic", lang))
    # Axes that a caller made have labels and ticks in the caller's font.
    for text in (figure if owns_figure else ax).findobj(mpl.text.Text):
        text.set_fontfamily(mpl.rcParams["font.family"])
        text.set_parse_math(False)  # a client's "$" is a dollar, not a formula
        embolden(text)
    if owns_figure:
        fit(heading, title, 0.975 * figure.bbox.width)
    return ax


def embolden(text: Text) -> None:
    """Draw a bold text bold where the face that has its letters comes in one weight alone."""
    string, effects = text.get_text(), text.get_path_effects() or []
    family = text.get_fontfamily()[0]
    if display_width(string) > len(string) and not re.search("[A-Za-z]", string):
        family = fonts.chinese_font() or family  # a client's Chinese label in an English chart
    lacking = text.get_fontweight() == "bold" and not fonts.has_bold(family)
    if lacking and not any(isinstance(effect, fonts.Emboldened) for effect in effects):
        text.set_path_effects([*effects, fonts.Emboldened()])


def fit(heading: Text, title: str, pixels: float, renderer: Any = None) -> None:
    """Break `title` so that no line of `heading` is wider than `pixels`, as it is drawn.

    Widths are measured, since bold letters are wider than `wrap` takes them for.
    """
    figure = heading.get_figure(root=True)
    assert figure is not None  # a title is always on a figure
    columns = _columns(pixels / figure.dpi, float(heading.get_fontsize()))
    while True:
        heading.set_text("\n".join(fold(line, columns) for line in title.split("\n")))
        if columns <= 12 or heading.get_window_extent(renderer).width <= pixels:
            return
        columns -= 1


class _Folder(Artist):
    """Breaks the title of a caller's axes anew for the width that the layout gives them."""

    def __init__(self, heading: Text, title: str) -> None:
        super().__init__()
        self.set_zorder(-10)  # is drawn, and so breaks the title, before the title is
        self.set_clip_on(False)  # what is clipped has no part in the layout
        self.heading, self.title = heading, title

    def _fold(self, renderer: Any) -> None:
        if "".join(self.heading.get_text().split()) != "".join(self.title.split()):
            return  # the caller has put in another title
        ax = self.axes
        assert ax is not None  # added by `finish`
        figure = ax.get_figure(root=True)
        assert figure is not None
        right = ax.bbox.x1
        if figure.get_layout_engine() is not None:
            # The layout keeps room for words beside the axes; the title may stand above them.
            beside = [text.get_window_extent(renderer).x1 for text in ax.texts
                      if text.get_in_layout() and text.get_text()]  # fmt: skip
            right = min(max([right, *beside]), figure.bbox.x1)
        fit(self.heading, self.title, 0.985 * (right - ax.bbox.x0), renderer)

    def get_tightbbox(self, renderer: Any = None) -> Bbox | None:
        """Return the height of the title; its width follows from the layout."""
        self._fold(renderer)
        ax = self.axes
        assert ax is not None
        box = self.heading.get_window_extent(renderer)
        return Bbox.from_extents(ax.bbox.x0, box.y0, ax.bbox.x0 + 1, box.y1)

    def draw(self, renderer: Any) -> None:
        """Break the title for the axes as they are now."""
        self._fold(renderer)


def patches(colours: Mapping[str, str], edge: str | None = None) -> list[Patch]:
    """Return legend entries by their label; a white one gets the edge colour `edge`."""
    return [
        Patch(facecolor=colour, edgecolor=edge or colour, label=name)
        for name, colour in colours.items()
    ]


def capital(text: str) -> str:
    """Return `text` with its first letter large, as a title begins.

    Examples
    --------
    >>> capital("net promoter score")
    'Net promoter score'
    """
    return text[:1].upper() + text[1:]


def stamp(ax: Axes, mark: str) -> None:
    """Mark a chart whose numbers must not be taken for measured ones."""
    box = {"boxstyle": "round,pad=0.3", "edgecolor": BAD, "facecolor": "white"}
    ax.annotate(
        mark,
        (1, 1),
        (-2, 5),
        "axes fraction",
        "offset points",
        ha="right",
        va="bottom",
        size=NOTE_SIZE,
        color=BAD,
        weight="bold",
        bbox=box,
        zorder=10,
    )


def display_width(text: str) -> int:
    """Return how many Latin characters wide `text` is; a Chinese character is two.

    Examples
    --------
    >>> display_width("NPS"), display_width("净推荐值")
    (3, 8)
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrap(text: str, inches: float, size: float) -> str:
    r"""Break `text` into lines that fit `inches` at font size `size` (points).

    Examples
    --------
    >>> wrap("one two three", 0.7, 10)
    'one two\nthree'
    """
    return "\n".join(fold(line, _columns(inches, size)) for line in text.split("\n"))


def _columns(inches: float, size: float) -> int:
    return max(6, int(inches * 72 / (size * 0.6)))


def fold(text: str, columns: int) -> str:
    """Break `text` at `columns` Latin characters; Chinese may break between any two characters."""
    if display_width(text) <= columns:
        return text
    if display_width(text) < 1.3 * len(text):
        return textwrap.fill(text, columns, break_long_words=False)
    lines, line = [], ""
    # A number or a Latin word stays whole; closing punctuation never starts a line, and an opening
    # bracket never ends one.
    for piece in re.findall(rf"[{OPENING}]*(?:[!-~\u2212]+|\s|.)", text):
        if display_width(line + piece) > columns and not set(piece) <= CLOSING and line:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return "\n".join([*lines, line.strip()])


def check_values(
    names: Iterable[object],
    values: Iterable[float],
    what: str = "values",
    signed: bool = False,
) -> tuple[list[str], list[float]]:
    """Return names and numbers as lists, or raise naming what does not fit.

    Raises
    ------
    CxError
        If there is nothing to draw, the lengths differ, or a value is negative, missing or
        not a number.
    """
    labels, numbers = [str(name) for name in names], list(values)
    if not labels or len(labels) != len(numbers):
        raise CxError(f"{len(labels)} names, but {len(numbers)} {what}; one for each, at least one")
    for name, value in zip(labels, numbers, strict=True):
        try:
            valid = isfinite(float(value)) and (signed or float(value) >= 0)
        except (TypeError, ValueError):
            valid = False
        if not valid:
            allowed = "numbers" if signed else "numbers from 0 upwards"
            raise CxError(f"{what}: {name!r} has {value!r}; allowed: {allowed}")
    return labels, [float(value) for value in numbers]


LIFT = 20  # points between the axes and a legend above it, where the mark of synthetic data stands


def ink_on(colour: Any) -> str:
    """Return the ink that is read best on `colour`.

    Examples
    --------
    >>> ink_on("#002B47"), ink_on("#C3E0F1")
    ('white', '#222222')
    """
    red, green, blue = to_rgb(colour)
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else INK


def legend_above(ax: Axes, handles: Sequence[Artist], columns: int, aside: float = 0.0) -> None:
    """Put a legend above the axes, clear of the mark of synthetic data, `aside` inches inwards."""
    lift = ScaledTranslation(aside, LIFT / 72, ax.figure.dpi_scale_trans)
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + lift,
        ncols=columns,
        borderaxespad=0,
        borderpad=0,
        handlelength=1.1,
        handletextpad=0.4,
        columnspacing=1.0,
    )


def legend_columns(entries: Iterable[str], inches: float) -> int:
    """Return how many columns of a legend with these entries fit into `inches`.

    Examples
    --------
    >>> legend_columns(["promoters", "passives", "detractors"], 5)
    3
    """
    widths = [(0.58 * display_width(entry) + 2.5) * 9 / 72 for entry in entries]
    for rows in range(1, len(widths)):
        # A legend is filled column by column.
        columns = [max(widths[i : i + rows]) for i in range(0, len(widths), rows)]
        if sum(columns) <= inches:
            return len(columns)
    return 1


def inches_wide(ax: Axes) -> float:
    """Return the width of axes, before the layout makes room for what stands beside them."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    return float(ax.bbox.width / figure.dpi)


def lift_title(ax: Axes, rows: int = 1) -> Axes:
    """Move the title of a caller's axes above the `rows` lines of a legend; return the axes."""
    title = ax.get_title(loc="left")
    ax.set_title(title, loc="left", weight="bold", pad=LIFT + 8 + 14 * rows)
    return ax


def beside(ax: Axes, heights: Sequence[float], texts: Sequence[str], **style: Any) -> None:
    """Write texts at the right of the axes, at the height of their rows."""
    for height, text in zip(heights, texts, strict=True):
        ax.annotate(
            text,
            (1, height),
            (8, 0),
            ax.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            **{"size": 9, **style},
        )
