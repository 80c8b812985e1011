"""Charts in notebooks: two pixels for each of the screen's, and a text for who cannot see them."""

from __future__ import annotations

import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A Chinese character or mark of punctuation: lines are broken between two of them without a space.
WIDE = r"[\u2018-\u201d\u3001-\u9fff\uff01-\uff5e]"


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
    return ". ".join(dict.fromkeys(_on_one_line(title) for title in titles if title.strip()))


def _on_one_line(text: str) -> str:
    r"""Return a text without its line breaks; between Chinese characters none leaves a space.

    Examples
    --------
    >>> _on_one_line("Waiting is\nthe widest gap"), _on_one_line("差距最\n大的是等待")
    ('Waiting is the widest gap', '差距最大的是等待')
    """
    return " ".join(re.sub(rf"(?<={WIDE})\n(?={WIDE})", "", text).split())


def describe_charts() -> None:
    """Make the charts of a notebook sharp, with alternative texts; elsewhere do nothing."""
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
    """Draws a figure with twice the pixels, its width on the screen and its alternative text."""

    def __init__(self, draw: Any) -> None:
        self.draw = _doubled(draw)

    def __call__(self, figure: Figure) -> Any:
        picture = self.draw(figure)
        if picture is None:  # a figure without axes is not shown
            return None
        data, metadata = picture if isinstance(picture, tuple) else (picture, {})
        # With a height, a picture that a narrow page makes narrower would lose its proportions.
        size = {name: value for name, value in metadata.items() if name != "height"}
        return data, {**size, "alt": alt_text(figure)}


def _doubled(draw: Any) -> Any:
    """Return what draws as the notebook is set to, at twice the resolution and the same size."""
    from IPython.core.pylabtools import print_figure, retina_figure

    if getattr(draw, "func", None) is not print_figure:
        return draw  # the reader's own
    options = {name: value for name, value in draw.keywords.items() if name != "fmt"}
    if "dpi" in options:  # else that of the figure, which is doubled
        options["dpi"] *= 2
    return partial(retina_figure, **options)
