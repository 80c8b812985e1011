"""Texts and tables that fit their place on a slide, by measured widths: smaller type, then cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cxstats.app.report.look import legal
from cxstats.charts.measured_text import broken, inches, line_height

GAP = 0.35  # between paragraphs, in lines
LONGEST = 2_000  # characters of a paragraph that are measured; more fits no slide
CELL_LONGEST, CELL_LINES = 240, 4
MARGIN_X, MARGIN_Y = 0.11, 0.05  # inches within a cell, at each side
NARROWEST, WIDE_ENOUGH = 0.95, 2.2  # inches of a column of texts: at least, and before type shrinks
MOST_COLUMNS = 24  # no slide is wide enough for more
TO_FILL_IN, LINE_TO_FILL_IN = 0.9, 0.45  # inches of a column, and a row, with empty fields
MORE = "…"
# Texts are measured in the wider Latin letters, whatever their language: where a machine lacks the
# fonts of Office, others stand in. What is still wider than measured has the slack.
FONTS, SLACK = "en", 0.97


@dataclass(frozen=True)
class FittedText:
    """Paragraphs as they fit.

    Attributes
    ----------
    paragraphs : tuple of str
    size : float
        Of the type, in points.
    height : float
        In inches.
    is_cut : bool
        Whether something is left out; the last paragraph then ends with "…".
    """

    paragraphs: tuple[str, ...]
    size: float
    height: float
    is_cut: bool = False


def fit_text(
    paragraphs: Iterable[str],
    width: float,
    height: float,
    sizes: Sequence[float],
    bold: bool = False,
) -> FittedText:
    """Return paragraphs in the largest of the sizes that fits; in the smallest, cut.

    Parameters
    ----------
    paragraphs : iterable of str
    width, height : float
        Of the place, in inches, without margins.
    sizes : sequence of float
        Of the type in points, the largest first.
    bold : bool

    Examples
    --------
    >>> fit_text(["one two three"], 3, 0.3, (14, 10)).size
    14
    >>> fit_text(["one two three " * 20], 1, 0.3, (14, 10)).is_cut
    True
    """
    texts = [legal(text) for text in paragraphs if text]
    short = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}{MORE}" for text in texts]
    for size in sizes:
        counts = [len(_lines(text, width, size, bold)) for text in short]
        needed = _height(counts, size)
        if needed <= height:
            return FittedText(tuple(short), size, needed, short != texts)
    return _cut(short, width, height, sizes[-1], bold)


def _lines(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    return broken(text, SLACK * width, size, FONTS, bold)


def lines_of(text: str, width: float, size: float) -> int:
    """Return how many lines a text takes in a width of inches."""
    return len(_lines(text, width, size))


def _height(counts: Sequence[int], size: float) -> float:
    return line_height(size, sum(counts)) + line_height(size) * GAP * max(len(counts) - 1, 0)


def _cut(texts: Sequence[str], width: float, height: float, size: float, bold: bool) -> FittedText:
    """Return the first paragraphs that fit, the last one cut."""
    chosen: list[str] = []
    counts: list[int] = []
    for text in texts:
        n_lines = len(_lines(text, width, size, bold))
        if _height([*counts, n_lines], size) <= height:
            chosen.append(text)
            counts.append(n_lines)
            continue
        room = int((height - _height([*counts, 0], size)) / line_height(size) + 1e-9)
        if room > 0 or not chosen:
            room = max(room, 1)
            chosen.append(cut_to_lines(text, room, width, size, bold))
            counts.append(room)
        else:
            chosen[-1] = cut_to_lines(f"{chosen[-1]} {MORE}", counts[-1], width, size, bold)
        break
    return FittedText(tuple(chosen), size, _height(counts, size), True)


def cut_to_lines(text: str, n_lines: int, width: float, size: float, bold: bool = False) -> str:
    """Return a text that takes `n_lines` lines at most, cut at its end with "…"."""
    if len(_lines(text, width, size, bold)) <= n_lines:
        return text
    low, high = 0, len(text)  # so many characters fit, so many do not
    while high - low > 1:
        middle = (low + high) // 2
        fits = len(_lines(text[:middle].rstrip() + MORE, width, size, bold)) <= n_lines
        low, high = (middle, high) if fits else (low, middle)
    return text[:low].rstrip() + MORE


@dataclass(frozen=True)
class FittedTable:
    """A table as it fits a width.

    Attributes
    ----------
    rows : list of list of str
        The heads first.
    widths, heights : list of float
        Of columns and rows, in inches.
    size : float
        Of the type, in points.
    numeric : list of bool
        Which columns hold numbers.
    is_cut : bool
        Whether a column or the end of a text is left out.
    """

    rows: list[list[str]]
    widths: list[float]
    heights: list[float]
    size: float
    numeric: list[bool]
    is_cut: bool

    def pages(self, height: float, first: float | None = None) -> list[range]:
        """Return the rows of each page, without the heads, none higher than `height`.

        The first page has a height of its own where `first` says so.
        """
        room = (height if first is None else first) - self.heights[0]
        pages, start, used = [], 1, 0.0
        for row, tall in enumerate(self.heights[1:], start=1):
            if used + tall > room and row > start:
                pages.append(range(start, row))
                start, used, room = row, 0.0, height - self.heights[0]
            used += tall
        return [*pages, range(start, len(self.rows))]


def fit_table(
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    width: float,
    sizes: Sequence[float],
    is_wide: bool = False,
) -> FittedTable:
    """Return a table in the largest of the sizes at which its columns fit beside each other.

    Columns of numbers are never broken; columns of texts share what they leave. In the smallest
    size, columns at the right go until the others fit, and the last one says "…".

    Parameters
    ----------
    rows : sequence of sequence of str
        The heads first.
    numeric : sequence of bool
        Which columns hold numbers.
    width : float
        In inches.
    sizes : sequence of float
        In points, the largest first.
    is_wide : bool
        Whether the table takes all of the width, however little stands in it.
    """
    n = min(len(numeric), MOST_COLUMNS)
    cells = [[_short(cell) for cell in row[:n]] for row in rows]
    kinds, is_cut = list(numeric[:n]), n < len(numeric)
    for size in sizes:
        natural = _natural(cells, kinds, size)
        needed = sum(
            w if number else min(w, WIDE_ENOUGH) for w, number in zip(natural, kinds, strict=True)
        )
        fits = needed <= width and not is_cut
        if fits and not _overlong(cells, _shared(natural, kinds, width, is_wide), size):
            break
    else:
        while len(kinds) > 1 and _narrowest(natural, kinds) > width - _mark(size, is_cut):
            cells = [row[:-1] for row in cells]
            natural, kinds, is_cut = natural[:-1], kinds[:-1], True
    mark = _mark(size, is_cut)
    widths = _shared(natural, kinds, width - mark, is_wide)
    is_form = any(not any(column) for column in zip(*cells[1:], strict=True))
    if mark:
        cells = [[*row, MORE] for row in cells]
        widths, kinds = [*widths, mark], [*kinds, False]
    spaces = [w - 2 * MARGIN_X for w in widths]
    fitted, heights = [], []
    for place, row in enumerate(cells):
        bold = place == 0
        texts = [
            cut_to_lines(cell, CELL_LINES, space, size, bold)
            for cell, space in zip(row, spaces, strict=True)
        ]
        n_lines = max(
            len(_lines(cell, space, size, bold)) for cell, space in zip(texts, spaces, strict=True)
        )
        fitted.append(texts)
        least = LINE_TO_FILL_IN if is_form and not bold else 0.0
        heights.append(max(line_height(size, n_lines) + 2 * MARGIN_Y, least))
    shortened = fitted != cells
    lost = shortened or any(len(cell) > CELL_LONGEST for row in rows for cell in row[:n])
    return FittedTable(fitted, widths, heights, size, kinds, is_cut or lost)


def _overlong(cells: Sequence[Sequence[str]], widths: Sequence[float], size: float) -> bool:
    """Return whether a cell takes more lines than a row has."""
    return any(
        len(_lines(cell, width - 2 * MARGIN_X, size, place == 0)) > CELL_LINES
        for place, row in enumerate(cells)
        for cell, width in zip(row, widths, strict=True)
    )


def _short(cell: str) -> str:
    text = legal(cell[: 4 * CELL_LONGEST])
    return text if len(text) <= CELL_LONGEST else f"{text[: CELL_LONGEST - 1]}{MORE}"


def _mark(size: float, is_cut: bool) -> float:
    """Return the width of the column that says that there are more."""
    return 2 * MARGIN_X + size / 72 * 1.1 if is_cut else 0.0


def _natural(cells: Sequence[Sequence[str]], kinds: Sequence[bool], size: float) -> list[float]:
    """Return the width of each column without breaks; heads of numbers may break at blanks."""
    widths = []
    for j, number in enumerate(kinds):
        head = cells[0][j]
        heads = head.split() if number else [head]
        wide = max((inches(word, size, FONTS, True) for word in heads), default=0.0)
        if number and not head.isascii():  # Chinese breaks between any two characters
            wide = min(wide, NARROWEST)
        if not any(row[j] for row in cells[1:]):
            wide = max(wide, TO_FILL_IN)
        body = max((inches(row[j], size, FONTS) for row in cells[1:]), default=0.0)
        widths.append(max(wide, body, 0.3) + 2 * MARGIN_X + 0.04)
    return widths


def _narrowest(natural: Sequence[float], kinds: Sequence[bool]) -> float:
    return sum(
        min(w, WIDE_ENOUGH) if number else min(w, NARROWEST)
        for w, number in zip(natural, kinds, strict=True)
    )


def _shared(
    natural: Sequence[float], kinds: Sequence[bool], width: float, is_wide: bool
) -> list[float]:
    """Return the widths of columns: texts share what numbers leave, all grow a little."""
    numbers = sum(min(w, WIDE_ENOUGH) for w, number in zip(natural, kinds, strict=True) if number)
    texts = [w for w, number in zip(natural, kinds, strict=True) if not number]
    room = width - numbers
    if sum(texts) <= room:  # all fit: what is left is shared by all
        factor = width / sum(natural)
        factor = factor if is_wide else min(factor, 1.6)
        return [w * factor for w in natural]
    limit = _water(texts, room)
    return [
        min(w, WIDE_ENOUGH) if number else min(w, limit)
        for w, number in zip(natural, kinds, strict=True)
    ]


def _water(texts: Sequence[float], room: float) -> float:
    """Return the width at which columns are cut, so that together they fill the room."""
    ordered, left = sorted(texts), room
    for place, wide in enumerate(ordered):
        share = left / (len(ordered) - place)
        if wide > share:
            return max(share, 0.3)
        left -= wide
    return max(ordered, default=room)
