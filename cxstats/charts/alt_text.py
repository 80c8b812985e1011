"""What a chart says to whoever cannot see it: its title is its finding."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def alt_text(figure: Figure) -> str:
    r"""Return the titles of a figure and of its axes, or the names of the axes where it has none.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> _ = figure.suptitle("Waiting is the widest\ngap")
    >>> alt_text(figure)
    'Waiting is the widest gap'
    >>> plt.close(figure)
    """
    figures = [figure, *figure.subfigs]
    titles = [each.get_suptitle() for each in figures]
    for ax in figure.axes:
        titles += [ax.get_title(loc=side) for side in ("left", "center", "right")]
    if not any(titles):
        titles = [f"{ax.get_ylabel()} × {ax.get_xlabel()}" for ax in figure.axes if ax.get_xlabel()]
    return ". ".join(dict.fromkeys(" ".join(title.split()) for title in titles if title.strip()))


def describe_charts() -> None:
    """Give every chart of a notebook its alternative text; elsewhere there is nothing to do."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "display_formatter"):
        return
    from matplotlib.figure import Figure

    formatter = shell.display_formatter.formatters["image/png"]
    draw: Any = formatter.type_printers.get(Figure)
    if draw is None or isinstance(draw, _Described):
        return
    formatter.for_type(Figure, _Described(draw))


class _Described:
    """Draws a figure as before, with its alternative text beside the picture."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def __call__(self, figure: Figure) -> Any:
        picture = self.draw(figure)
        data, metadata = picture if isinstance(picture, tuple) else (picture, {})
        return data, {**metadata, "alt": alt_text(figure)}
