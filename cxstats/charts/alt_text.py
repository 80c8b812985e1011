"""Charts in a notebook: twice the pixels, and a text for whoever cannot see them: the title."""

from __future__ import annotations

import sys
from functools import partial
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
    """Draw every chart of a notebook sharp, with its alternative text; elsewhere do nothing."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "display_formatter"):
        return
    from matplotlib.figure import Figure

    formatter = shell.display_formatter.formatters["image/png"]
    draw: Any = formatter.type_printers.get(Figure)
    if draw is None or isinstance(draw, _Described):
        return
    formatter.for_type(Figure, _Described(_sharp(draw)))


def _sharp(draw: Any) -> Any:
    """Return what draws with twice the pixels, where a notebook's plain picture was asked for."""
    from IPython.core.pylabtools import print_figure, retina_figure

    if not isinstance(draw, partial) or draw.func is not print_figure:
        return draw
    options = {name: value for name, value in draw.keywords.items() if name != "fmt"}
    return partial(retina_figure, **options)


class _Described:
    """Draws a figure, with its width and its alternative text beside the picture."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def __call__(self, figure: Figure) -> Any:
        picture = self.draw(figure)
        data, metadata = picture if isinstance(picture, tuple) else (picture, {})
        # Without its height a picture that is narrowed on a phone keeps its proportions.
        width = {name: value for name, value in metadata.items() if name != "height"}
        return data, {**width, "alt": alt_text(figure)}
