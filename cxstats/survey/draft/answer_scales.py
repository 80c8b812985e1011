"""Answers in words as points of a scale: "5 - agree", "4分", 非常满意, "somewhat difficult".

A label is read as a word of feeling (satisfied, 同意) with a degree (very, 非常) and a sign
(dissatisfied, 不): its level. Levels are put in order; where one side of a scale has more of them,
the other has as many, so that a label that nobody chose leaves its place empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cxstats.core.messages import look
from cxstats.survey.answer_labels import as_number
from cxstats.survey.answers import TEXT_CODES
from cxstats.survey.direction import tone

NO_ANSWER = {look(word) for word in (
    *TEXT_CODES, "don't know", "dont know", "don’t know", "do not know", "dk", "not applicable",
    "no answer", "refused", "prefer not to say", "no opinion", "cannot say", "can't say", "unknown",
    "missing", "none", "skipped", "不知道", "不了解", "不清楚", "不适用", "拒答", "拒绝回答", "无",
    "空", "(空)", "（空）", "跳过", "(跳过)", "未答", "没有回答", "不想回答", "/", "--", "—",
    "未填", "未选择", "没用过", "未使用过",
)}  # fmt: skip
NEUTRAL = {look(word) for word in (
    "neutral", "undecided", "not sure", "unsure", "average", "ok", "okay", "so-so", "so so",
    "neither", "neither agree nor disagree", "neither agree or disagree", "in between",
    "neither satisfied nor dissatisfied", "no difference", "一般", "一般般", "中立", "中等", "普通",
    "无所谓", "不确定", "说不清", "说不准", "还行", "尚可", "中", "既不同意也不反对",
    "既不满意也不失望", "既不满意也不不满意", "既不同意也不不同意", "没意见", "基本满意吧",
)}  # fmt: skip
# Roots of feeling, with what they belong to; a negative root has the sign of a "not".
ROOTS: tuple[tuple[str, str, int], ...] = (
    ("satisf", "satisfied", 1), ("happy", "happy", 1), ("agree", "agree", 1),
    ("unlikely", "likely", -1), ("likely", "likely", 1), ("easy", "easy", 1),
    ("difficult", "easy", -1), ("hard", "easy", -1), ("important", "important", 1),
    ("willing", "likely", 1), ("good", "quality", 1), ("bad", "quality", -1),
    ("poor", "quality", -1), ("clear", "clear", 1), ("useful", "useful", 1),
    ("helpful", "useful", 1), ("true", "true", 1), ("confident", "confident", 1),
    ("满意", "satisfied", 1), ("反对", "agree", -1), ("同意", "agree", 1), ("赞成", "agree", 1),
    ("赞同", "agree", 1), ("认同", "agree", 1), ("符合", "true", 1), ("可能", "likely", 1),
    ("愿意", "likely", 1), ("会", "likely", 1), ("容易", "easy", 1), ("轻松", "easy", 1),
    ("困难", "easy", -1), ("费力", "easy", -1), ("难", "easy", -1), ("重要", "important", 1),
    ("清楚", "clear", 1), ("清晰", "clear", 1), ("信任", "confident", 1), ("有用", "useful", 1),
    ("好", "quality", 1), ("差", "quality", -1),
)  # fmt: skip
# Degrees, the strongest first: "very" stands in "not very", which is read before.
DEGREES: tuple[tuple[str, float], ...] = (
    ("extremely", 4), ("completely", 4), ("totally", 4), ("strongly", 4), ("absolutely", 4),
    ("entirely", 4), ("definitely", 4), ("fully", 4), ("very", 3), ("highly", 3), ("mostly", 2.5),
    ("quite", 2.5), ("moderately", 1.5), ("somewhat", 1), ("fairly", 1), ("rather", 1),
    ("partly", 1), ("partially", 1), ("probably", 1), ("mildly", 0.8), ("slightly", 0.8),
    ("a little", 0.8), ("a bit", 0.8), ("极其", 4), ("极度", 4), ("极", 4), ("非常", 4),
    ("完全", 4), ("十分", 4), ("强烈", 4), ("特别", 4), ("绝对", 4), ("一定", 4), ("肯定", 4),
    ("很", 3), ("比较", 1), ("较为", 1), ("较", 1), ("有些", 0.9), ("有点", 0.9), ("略", 0.8),
    ("稍", 0.8), ("部分", 0.8), ("基本", 1),
)  # fmt: skip
WEAK_NOT = (
    "not very",
    "not so",
    "not too",
    "not really",
    "不太",
    "不怎么",
    "不是很",
    "不很",
    "不大",
)
STRONG_NOT = ("not at all", "一点也不", "一点都不", "毫不", "从不")
# Scales of one pole, from the least to the most; words in one tuple stand on one point.
LADDERS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (("never", "从不", "从来不", "从未", "从没有"),
     ("rarely", "seldom", "hardly ever", "almost never", "很少", "极少", "几乎不"),
     ("occasionally", "偶尔"),
     ("sometimes", "有时", "有时候"), ("often", "frequently", "usually", "经常", "常常", "通常"),
     ("almost always", "nearly always", "几乎总是"), ("always", "总是", "一直", "每次")),
    (("terrible", "very poor", "很差", "非常差", "极差"), ("poor", "bad", "差", "较差"),
     ("fair", "average", "ok", "中", "一般", "中等"), ("good", "好", "良好", "良"),
     ("very good", "很好"), ("excellent", "outstanding", "优秀", "优", "非常好", "极好")),
)  # fmt: skip
_LEADING = re.compile(
    r"\s*(\d{1,2})\s*(分|点|points?|stars?|星|级)?([\s\-–—.:=、，,：()（）]*)(.*)", re.S
)
_TRAILING = re.compile(r"(.*\D)[(（\[【]\s*(\d{1,2})\s*(?:分|points?)?\s*[)）\]】]\s*", re.S)
_AMOUNT = re.compile(r"[年月日岁次元天人万%小]")


@dataclass(frozen=True, slots=True)
class AnswerScale:
    """Labels with their numbers, the scale that these are points of, and what is doubtful.

    Attributes
    ----------
    numbers : dict of str to int
    low, high : int
    best : {"high", "low"}
    root : str
        What is asked: "satisfied", "agree" ...; "numbers" where the labels have numbers.
    is_complete : bool
        Whether every point of the scale was chosen by somebody.
    """

    numbers: dict[str, int]
    low: int
    high: int
    best: str = "high"
    root: str = "numbers"
    is_complete: bool = True


def is_no_answer(text: str) -> bool:
    """Return whether a text means that there is no answer.

    Examples
    --------
    >>> is_no_answer("Don't know"), is_no_answer("（空）"), is_no_answer("一般")
    (True, True, False)
    """
    return look(text) in NO_ANSWER


def number_in(text: str) -> tuple[int, str] | None:
    """Return the number that a label has, and its words.

    Examples
    --------
    >>> number_in("5 - Strongly agree"), number_in("4分"), number_in("非常满意（5分）")
    ((5, 'Strongly agree'), (4, ''), (5, '非常满意'))
    >>> number_in("18-25岁"), number_in("1年以下"), number_in("★★★☆☆")
    (None, None, (3, ''))
    """
    if text and set(text) <= set("★☆ ") and "★" in text:
        return text.count("★"), ""
    plain = unicodedata.normalize("NFKC", text)
    match = _LEADING.fullmatch(plain)
    if match and (match[4] or match[2] or not match[3].strip()):
        number, unit, mark, wording = int(match[1]), match[2], match[3], match[4].strip(" ()")
        amount = wording[:1].isdigit() or _AMOUNT.match(wording)
        if not amount and (unit or mark or not wording or tone(wording)):
            return number, wording
    match = _TRAILING.fullmatch(plain)
    return (int(match[2]), match[1].strip()) if match else None


def level(text: str) -> tuple[str, float] | None:
    """Return what a label is about and its level; ("", 0) for the middle, None if neither.

    Examples
    --------
    >>> level("非常不满意"), level("Somewhat satisfied"), level("不太容易"), level("一般")
    (('satisfied', -4), ('satisfied', 1), ('easy', -1), ('', 0))
    >>> level("Strongly disagree"), level("Very difficult"), level("branch office")
    (('agree', -4), ('easy', -3), None)
    """
    wording = unicodedata.normalize("NFKC", text).casefold().strip(" .。!！")
    if look(wording) in NEUTRAL or wording.startswith(("neither ", "既不")):
        return "", 0
    if len(wording) > 40:
        return None
    root = next((entry for entry in ROOTS if entry[0] in wording), None)
    if root is None or _remainder(wording, root[0]):
        return None
    _, about, sign = root
    if any(mark in wording for mark in STRONG_NOT):
        return about, -4 * sign
    if any(mark in wording for mark in WEAK_NOT):
        return about, -1 * sign
    degree = next((size for word, size in DEGREES if word in wording), 2)
    negative = re.search(
        r"\bnot\b|\bno\b|不|dissatisf|unsatisf|disagree|unhappy|unimport|没", wording
    )
    negative = negative or re.search(r"\bun(?:easy|clear|willing|helpful|true)|useless", wording)
    return about, degree * (-sign if negative else sign)


def _remainder(wording: str, root: str) -> str:
    """Return what a label holds beside feeling, degree and sign; a label holds nothing else."""
    if not wording.isascii():
        remainder = wording.replace(root, "", 1)
        for mark in (*WEAK_NOT, *STRONG_NOT, *(word for word, _ in DEGREES), "不", "没"):
            remainder = remainder.replace(mark, "")
        return remainder.strip("的地，, ")
    fillers = {word for phrase, _ in DEGREES for word in phrase.split()}
    fillers |= {
        "not",
        "at",
        "all",
        "so",
        "too",
        "really",
        "no",
        "to",
        "tend",
        "i",
        "am",
        "it",
        "is",
    }
    others = [w for w in re.findall(r"[a-z]+", wording) if root not in w and w not in fillers]
    return " ".join(others)


def scale_of_labels(texts: Iterable[str]) -> AnswerScale | None:
    """Return the scale whose points some labels are; None if they are no points of a scale.

    Parameters
    ----------
    texts : iterable of str
        The labels of columns that share a scale, without those for "no answer".

    Examples
    --------
    >>> scale_of_labels(["非常满意", "满意", "一般", "不满意"]).numbers
    {'非常满意': 5, '满意': 4, '一般': 3, '不满意': 2}
    >>> scale_of_labels(["1 very satisfied", "2", "3", "5 very dissatisfied"]).best
    'low'
    >>> scale_of_labels(["Branch", "App"]) is None
    True
    """
    labels = list(dict.fromkeys(texts))
    if not labels:
        return None
    return _with_numbers(labels) or _on_ladder(labels) or _with_levels(labels)


def _with_numbers(labels: list[str]) -> AnswerScale | None:
    """Return the scale of labels that have numbers; the others may be numbers alone."""
    pairs = {label: number_in(label) for label in labels}
    numbers = {label: pair[0] for label, pair in pairs.items() if pair}
    if len(numbers) < len(labels) or max(numbers.values()) > 10 or len(set(numbers.values())) < 2:
        return None
    wording = {n: pair[1] for n, pair in zip(numbers.values(), pairs.values(), strict=True) if pair}
    spoken = {n: text for n, text in wording.items() if text}
    tones = {n: (level(text) or ("", 0))[1] or tone(text) for n, text in spoken.items()}
    if spoken and not any(tones.values()):
        return None  # "1. primary school", "2. high school": codes of kinds
    low, high = min(numbers.values()), max(numbers.values())
    best = "high"
    if tones and tones[min(tones)] > 0 > tones[max(tones)]:
        best = "low"
    top = next(end for end in (2, 3, 4, 5, 7, 10) if high <= end)
    bottom = 0 if low == 0 else 1
    complete = len(set(numbers.values())) == top - bottom + 1
    written = {label: n for label, n in numbers.items() if as_number(label) is None}
    return AnswerScale(written, bottom, top, best, "numbers", complete)


def _on_ladder(labels: list[str]) -> AnswerScale | None:
    looks = {label: look(label) for label in labels}
    for ladder in LADDERS:
        rungs = {look(word): i for i, rung in enumerate(ladder) for word in rung}
        if not all(form in rungs for form in looks.values()):
            continue
        places = sorted({rungs[form] for form in looks.values()})
        if len(places) < 3 or len(places) < len(labels):
            continue
        numbers = {label: places.index(rungs[looks[label]]) + 1 for label in labels}
        root = "frequency" if ladder is LADDERS[0] else "quality"
        return AnswerScale(numbers, 1, len(places), root=root, is_complete=len(places) >= 5)
    return None


def _with_levels(labels: list[str]) -> AnswerScale | None:
    levels = {label: level(label) for label in labels}
    if any(entry is None for entry in levels.values()):
        return None
    roots = {entry[0] for entry in levels.values() if entry and entry[0]}
    sizes = {label: entry[1] for label, entry in levels.items() if entry}
    if len(roots) != 1 or len(set(sizes.values())) < max(2, len(labels)):
        return None
    points, complete = _points(set(sizes.values()), [look(label) for label in labels])
    numbers = {label: points[size] for label, size in sizes.items()}
    return AnswerScale(numbers, 1, max(points.values()), root=roots.pop(), is_complete=complete)


def _points(levels: set[float], looks: list[str]) -> tuple[dict[float, int], bool]:
    """Return the point of every level, from 1, and whether all points are there.

    The two sides of a scale have equally many points. A level of the shorter side stands where its
    mirror image does, else its strongest stands at the end.
    """
    one_sided = any("notatall" in text or "一点" in text for text in looks)
    negative = sorted((size for size in levels if size < 0), reverse=True)
    positive = sorted(size for size in levels if size > 0)
    if (
        one_sided and len(negative) == 1 and len(positive) >= 2
    ):  # not at all, slightly ... extremely
        ordered = [*negative, *([0.0] if 0 in levels else []), *positive]
        points = {size: i + 1 for i, size in enumerate(ordered)}
        return {**points, max(points, key=lambda s: points[s]): max(5, len(ordered))}, len(
            ordered
        ) >= 5
    half = max(len(negative), len(positive))
    middle = int(0 in levels)
    # A scale with no middle in words and a degree alone on each side may have lost its middle.
    places = {}
    sides = {-1: [abs(size) for size in negative], 1: positive}
    longest = max(sides.values(), key=len)
    for sign, sizes in sides.items():
        for i, size in enumerate(sizes):
            place = longest.index(size) if size in longest else half - len(sizes) + i
            places[sign * size] = sign * (place + 1)
    if len(set(places.values())) < len(places):  # two levels on one point: by rank alone
        places = {s * v: s * (i + 1) for s, side in sides.items() for i, v in enumerate(side)}
    points = {size: place + half + (middle if place > 0 else 0) + (place < 0)
              for size, place in places.items()}  # fmt: skip
    if middle:
        points[0] = half + 1
    return points, len(points) == 2 * half + middle


def no_answer_texts(texts: Mapping[str, int]) -> list[str]:
    """Return the texts that mean "no answer"."""
    return [text for text in texts if is_no_answer(text)]
