"""What headings share: the stem of a question and the part of it that a column holds."""

from __future__ import annotations

import re
from functools import lru_cache

# Stems that number questions and say nothing of what they ask.
GENERIC = {"q", "question", "item", "var", "题", "第", "题目", "column", "col", "问题", "题项"}
LONGEST = 400  # characters of a heading that is looked into
_PART = re.compile(r"\s+[-–—]\s+|—+|–|\s*[:：]\s*|\s*[\[【]|\s*\|\s*|/|_(?=[^\W\d])")
_NUMBER = re.compile(r"(.*?[^\W\d_].*?)[\s_\-.#]*(\d{1,4})[)）.]?", re.DOTALL)
_NUMBERED = re.compile(r"\s*(?:Q|q)?(\d{1,3})\s*[、.．,，)]\s*\D")
_NESTED = re.compile(r"(.*\d)[_\-.#]+([A-Za-z]?\d{1,3}|[A-Za-z])(?:_1)?")
_BRACKETS = re.compile(r"(.+?)\s*[(（]([^()（）]+)[)）]\s*")
# What a heading says of its scale: "(1 = very satisfied, 5 = very dissatisfied)", "（0-10分）".
_SCALE = re.compile(
    r"\s*[(（][^()（）]*(?:\d\s*[=＝:：]|\d\s*[-~–—～至到]\s*\d)[^()（）]*[)）]\s*$"
)
_GLOBAL = {"global", "overall", "total", "总体", "整体", "总分", "综合"}


@lru_cache(maxsize=50_000)
def stem_of(heading: str, letters: bool = False) -> str:
    """Return what a heading shares with those of the same question; empty where it stands alone.

    Parameters
    ----------
    heading : str
    letters : bool
        Whether one letter is a stem: "W_Staff".

    Examples
    --------
    >>> stem_of("IMAG3"), stem_of("Q5_2"), stem_of("Which do you use? - App"), stem_of("q7")
    ('IMAG', 'Q5', 'Which do you use?', '')
    >>> stem_of("2、请评价以下各项服务：—服务态度"), stem_of("渠道（网点）"), stem_of("branch")
    ('2、请评价以下各项服务', '渠道', '')
    """
    if len(heading) > LONGEST:
        return ""
    text = _SCALE.sub("", heading.strip())
    if nested := _NESTED.fullmatch(text):
        return nested[1]
    segments = [part for part in _PART.split(text.rstrip("]】")) if part.strip()]
    if len(segments) > 1:
        stem = text[: text.rstrip("]】").rindex(segments[-1])]
        stem = re.sub(r"[\s\-–—:：\[【|/_]+$", "", stem)
        return stem if len(stem) > 1 or not stem.isascii() or letters else ""
    if numbered := _NUMBER.fullmatch(text):
        stem = numbered[1].strip(" _-.")
        return "" if stem.casefold() in GENERIC else stem
    if bracket := _BRACKETS.fullmatch(text):
        return bracket[1]
    return ""


def number_of(heading: str) -> str:
    """Return the number of a question that a heading begins with ("2、办理速度"), or nothing."""
    match = _NUMBERED.match(heading)
    return match[1] if match else ""


def last_part(heading: str) -> str:
    """Return the part of a heading after its stem.

    Examples
    --------
    >>> last_part("Which do you use? - App"), last_part("2.渠道:网点"), last_part("渠道（网点）")
    ('App', '网点', '网点')
    """
    text = heading.strip().rstrip("]】")
    if bracket := _BRACKETS.fullmatch(text):
        return bracket[2]
    segments = [part.strip() for part in _PART.split(text) if part.strip()]
    return segments[-1] if len(segments) > 1 else ""


def is_global(item: str) -> bool:
    """Return whether an item asks for its construct as a whole: "qual_global"."""
    return last_part(item.replace("_", " - ")).casefold() in _GLOBAL
