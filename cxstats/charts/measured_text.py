"""Texts broken into lines by their measured width, so that a layout holds in both languages."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from cxstats.charts import fonts
from cxstats.charts.style import CLOSING, OPENING
from cxstats.core.language import LANGUAGES, Text

LINE = 1.32  # height of a line in sizes of type; Chinese characters fill a whole size
PIECE = re.compile(rf"[{OPENING}]*(?:-*[!-,.-~\u00a0-\u024f\u2212]+-*|\s+|.)")
# Fonts of charts have no pictographs, which are wider than the box in their place.
PICTOGRAPH = re.compile("[\U00010000-\U0010ffff]")
FULL_WIDTH = re.compile("[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]")


@lru_cache(maxsize=20_000)
def inches(text: str, size: float, lang: str, bold: bool = False) -> float:
    """Return how wide a line is drawn, in inches.

    Examples
    --------
    >>> inches("mm", 10, "en") > inches("ii", 10, "en")
    True
    """
    weight = "bold" if bold else "normal"
    font = FontProperties(family=fonts.families(lang), size=size, weight=weight)
    text = PICTOGRAPH.sub("Wi", text)
    if fonts.chinese_font() is None:
        text = FULL_WIDTH.sub("W", text)
    with warnings.catch_warnings():
        # A letter that no font here has is measured as the box that stands for it.
        warnings.filterwarnings("ignore", "Glyph")
        width = text_to_path.get_text_width_height_descent(text, font, False)[0]
    return float(width) / 72 * (1 + fonts.EMBOLDENING * bold)


def line_height(size: float, lines: int = 1) -> float:
    """Return the height of lines, in inches."""
    return lines * size * LINE / 72


def broken(text: str, width: float, size: float, lang: str, bold: bool = False) -> list[str]:
    """Return the lines of a text, none wider than `width` inches.

    Latin words stay whole where they can, Chinese may break between any two characters; a closing
    mark does not begin a line. A word that is wider than the line is broken within.

    Examples
    --------
    >>> broken("one two three", 0.6, 10, "en")
    ['one two', 'three']
    """
    lines: list[str] = []
    line, used = "", 0.0
    for piece in _pieces(text, width, size, lang, bold):
        wide = inches(piece, size, lang, bold) if piece.strip() else 0.28 * size / 72 * len(piece)
        if line.strip() and used + wide > width and not set(piece) <= CLOSING:
            lines.append(line.strip())
            line, used = "", 0.0
        if piece.strip() or line:
            line, used = line + piece, used + wide
    return [*lines, line.strip()] if line.strip() or not lines else lines


def _pieces(text: str, width: float, size: float, lang: str, bold: bool) -> Iterable[str]:
    for piece in PIECE.findall(text):
        if inches(piece, size, lang, bold) <= width or not piece.strip():
            yield piece
        else:
            start = 0
            for end in range(1, len(piece) + 1):
                if end - start > 1 and inches(piece[start:end], size, lang, bold) > width:
                    yield piece[start : end - 1]
                    start = end - 1
            yield piece[start:]


def most_lines(texts: Sequence[Text], width: float, size: float, bold: bool = False) -> int:
    """Return the most lines that any of the texts takes in either language."""
    return max(
        (len(broken(t.get(lang), width, size, lang, bold)) for t in texts for lang in LANGUAGES),
        default=1,
    )


def widest_word(texts: Iterable[Text], size: float, bold: bool = False) -> float:
    """Return the width of the widest Latin word, or Chinese character, in either language."""
    return max(
        (
            inches(piece, size, lang, bold)
            for text in texts
            for lang in LANGUAGES
            for piece in PIECE.findall(text.get(lang))
            if piece.strip()
        ),
        default=0.0,
    )


def in_two_lines(texts: Sequence[Text], size: float, least: float = 0.6) -> float:
    """Return the width at which each text, in either language, takes two lines at most."""
    width = least
    while most_lines(texts, width, size) > 2:
        width *= 1.1
    return width
