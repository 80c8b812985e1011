"""Text that keeps its size relative to a drawing in inches, whatever room the axes give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.text import Text

from cxstats.charts import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox


class InchText(Text):
    """A text in axes whose data are inches: it shrinks with them and with what it must fit.

    Parameters
    ----------
    ax : Axes
    x, y : float
    text : str
    size : float
        In points where an inch of the data is an inch of the figure.
    width : float
        Inches that it may take; a wider text is set smaller.
    **style
        As matplotlib's.
    """

    def __init__(
        self, ax: Axes, x: float, y: float, text: str, size: float, width: float, **style: Any
    ) -> None:
        super().__init__(x, y, text, transform=ax.transData, **style)
        self.base, self.room = size, width
        self.set_in_layout(False)  # the drawing has its own room for it
        ax._add_text(self)  # type: ignore[attr-defined]  # as Axes.text does

    def _resize(self, renderer: Any) -> None:
        axes, figure = self.axes, self.get_figure(root=True)
        assert axes is not None  # added to them above
        assert figure is not None
        (left, _), (right, _) = axes.transData.transform([(0, 0), (1, 0)])
        inch = (right - left) / figure.dpi
        self.set_fontsize(self.base * min(inch, 1.0))
        wide = super().get_window_extent(renderer).width
        room = self.room * (right - left)
        if wide > room:
            self.set_fontsize(float(self.get_fontsize()) * room / wide)

    def get_window_extent(self, renderer: Any = None, dpi: float | None = None) -> Bbox:
        """Return where it is drawn, at the size that the axes give it now."""
        self._resize(renderer)
        return super().get_window_extent(renderer, dpi)

    def draw(self, renderer: Any) -> None:
        """Draw it at the size that the axes give it now."""
        self._resize(renderer)
        super().draw(renderer)


def folded(text: str, inches: float, size: float, most: int = 8) -> list[str]:
    """Return the lines of a text that fits `inches`; a word that is too long is broken.

    Examples
    --------
    >>> folded("receive the customer", 1.0, 10)
    ['receive the', 'customer']
    >>> folded("x" * 20, 1.0, 10)
    ['xxxxxxxxxxxx', 'xxxxxxxx']
    """
    columns = max(2, int(inches * 72 / (size * 0.6)))
    lines: list[str] = []
    for line in style.fold(text, columns).split("\n"):
        remainder = line
        while style.display_width(remainder) > columns:
            end = next(i for i in range(len(remainder), 0, -1)
                       if style.display_width(remainder[:i]) <= columns or i == 1)  # fmt: skip
            lines.append(remainder[:end])
            remainder = remainder[end:]
        lines.append(remainder)
    return (
        lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1][: columns - 1] + "…"]
    )
