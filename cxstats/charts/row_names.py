"""Names in a chart: how high rows are, how large their names, and names that no chart can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxstats.core.messages import cut, printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LONGEST_NAME, LONGEST_LINE = 60, 240  # characters a line: of a name beside an axis, of a sentence
MOST_LINES = {LONGEST_NAME: 4, LONGEST_LINE: 12}


def row_height(names: Sequence[str]) -> float:
    """Return how many inches a row needs for the longest of the folded names."""
    return (0.31, 0.37, 0.53)[min(2, max(name.count("\n") for name in names))]


def row_size(ax: Axes, names: Sequence[str], standalone: bool) -> float:
    """Return the size of type at which the folded names of rows fit beside the axes."""
    if standalone:
        return 10.0
    figure = ax.get_figure(root=True)
    assert figure is not None  # axes of a chart are always on a figure
    # Of a caller's axes, title and note take about a third once they are laid out.
    room = 0.7 * 72 * ax.get_position().height * figure.get_figheight() / len(names)
    return min(10.0, max(6.0, room / 1.25 / (1 + max(name.count("\n") for name in names))))


def shorten(figure: Figure) -> None:
    """Cut the texts of a chart that would leave no room for it, and write control characters out.

    A client's name may have any length; a picture cannot.
    """
    from matplotlib.text import Text

    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            names = [text.get_text() for text in axis.get_ticklabels()]
            shortened = [_drawable(name, LONGEST_NAME) for name in names]
            if names != shortened:
                axis.set_ticks(axis.get_ticklocs(), shortened)
        legend = ax.get_legend()
        for text in legend.get_texts() if legend else []:
            text.set_text(_drawable(text.get_text(), LONGEST_NAME))
    for text in figure.findobj(Text):
        assert isinstance(text, Text)  # what was asked for
        text.set_text(_drawable(text.get_text(), LONGEST_LINE))


def _drawable(text: str, longest: int) -> str:
    lines, most = printable(text, keep="\n").split("\n"), MOST_LINES[longest]
    cuts = [cut(line, longest) for line in lines[:most]]
    return "\n".join(cuts) + ("…" if len(lines) > most else "")
