"""Names of rows at the left of a chart: how high rows are, and how large the names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
