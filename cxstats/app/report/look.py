"""The look that all forms of a report share: colours, fonts, tags of languages, texts that fit."""

from __future__ import annotations

import re

from cxstats.charts.style import GOOD, INK, PALE, SEQUENCE
from cxstats.core.messages import printable

__all__ = [
    "ACCENT",
    "CHINESE_FONT",
    "DARK",
    "INK",
    "LANGUAGE_TAGS",
    "LATIN_FONT",
    "LINE",
    "LONGEST_HEADING",
    "MUTED",
    "PAPER",
    "SEQUENCE",
    "SHADE",
    "WARNING",
    "legal",
    "rgb",
    "shortened",
]

ACCENT = GOOD  # headings, rules, the first series of a chart
WARNING = "#A63F00"  # the mark of synthetic data; dark enough for small letters, unlike `BAD`
MUTED = "#5A5F66"  # notes: 6.5 to 1 on white
LINE = PALE
SHADE = "#EEF4F9"  # of table heads and boxes
PAPER = "#FFFFFF"
DARK = {
    "ink": "#E6E8EA",
    "paper": "#14181D",
    "muted": "#A9B0B8",
    "line": "#3A424B",
    "shade": "#1E2730",
    "accent": "#6DB9EE",
    "warning": "#FFB182",
}
# Office has them wherever it runs; elsewhere a font of the same widths stands in for Arial.
LATIN_FONT = "Arial"
CHINESE_FONT = "Microsoft YaHei"
LANGUAGE_TAGS = {"en": "en-GB", "zh": "zh-CN"}
LONGEST_HEADING = 160  # characters of a headline or a title of a table; a name may have 10,000
_NOT_XML = re.compile("[\ufffe\uffff]")


def rgb(colour: str) -> str:
    """Return a colour as Office writes it: six digits.

    Examples
    --------
    >>> rgb("#0072B2")
    '0072B2'
    """
    return colour.removeprefix("#").upper()


def legal(text: str) -> str:
    r"""Return a text that XML can hold, on one line: what it cannot hold is written out.

    Examples
    --------
    >>> legal("a\x00b\nc"), legal("服务 & <b>")
    ('a\\x00b c', '服务 & <b>')
    """
    text = " ".join(re.split("[\t\r\n\v\f\x85\u2028\u2029]+", text))
    return _NOT_XML.sub(lambda mark: f"\\u{ord(mark[0]):04x}", printable(text))


def shortened(text: str, most: int = LONGEST_HEADING) -> str:
    """Return a text as a heading, cut at its end where it is longer than `most` characters.

    Examples
    --------
    >>> shortened("abcdef", 4)
    'abc…'
    """
    text = legal(text)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
