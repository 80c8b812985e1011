"""Wording that charts share: lists of names, sentences in a row, numbers as titles write them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import label


def list_names(names: Sequence[str], lang: str, most: int = 3) -> str:
    """Write names as a list; more than `most` are counted.

    Examples
    --------
    >>> list_names(["a", "b"], "en"), list_names(list("abcdef"), "en")
    ('a and b', 'a, b, c and 3 more')
    >>> list_names(["甲", "乙"], "zh")
    '甲与乙'
    """
    comma = label("chart.comma", lang)
    if len(names) > most:
        first = comma.join(names[:most])
        return label("chart.list.more", lang, names=first, k=len(names) - most)
    if len(names) < 2:
        return "".join(names)
    return label("chart.list", lang, names=comma.join(names[:-1]), last=names[-1])


def join_sentences(sentences: Sequence[str], lang: str) -> str:
    """Return sentences as one line, with spaces between them in English only.

    Examples
    --------
    >>> join_sentences(["One.", "", "Two."], "en")
    'One. Two.'
    """
    return ("" if lang == "zh" else " ").join(filter(None, sentences))


def level_text(level: float, lang: str) -> str:
    """Write a level of confidence.

    Examples
    --------
    >>> level_text(0.95, "en"), level_text(0.999, "zh")
    ('95 %', '99.9%')
    """
    return format_percent(round(100 * level, 6), None, lang)


def interval_text(limits: tuple[float, float], decimals: int, lang: str) -> str:
    """Write an interval, or that there is none.

    Examples
    --------
    >>> interval_text((0.1, 0.25), 2, "en"), interval_text((float("nan"),) * 2, 2, "en")
    ('[0.10, 0.25]', 'no interval')
    """
    return label("chart.intervals.none", lang) if isnan(limits[0]) else interval(*limits, decimals)


def estimate_text(value: float, decimals: int, sign: bool = False) -> str:
    """Write an estimate; one that is rounded to zero has no sign, as a limit beside it has.

    Examples
    --------
    >>> estimate_text(-0.001, 2), estimate_text(0.001, 2, sign=True), estimate_text(-0.26, 1)
    ('0.00', '0.00', '−0.3')
    """
    text = format_number(value, decimals, sign)
    return text if text.strip("+−0.") else text.lstrip("+−")


def three_digits(value: float) -> str:
    """Write a number with three significant digits, or without decimals where it is large.

    Examples
    --------
    >>> three_digits(62.345), three_digits(0.41234), three_digits(1200.0)
    ('62.3', '0.412', '1,200')
    """
    return format_number(float(f"{value:.3g}") if abs(value) < 1000 else round(value))


def unbroken(text: str) -> str:
    """Return `text` with spaces at which no line is broken, such as that before "%"."""
    return text.replace(" ", "\u00a0")
