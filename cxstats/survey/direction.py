"""Which end of a scale is good, by the words that stand at its ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cxstats.core.engines import attributes
from cxstats.core.errors import CxError

BEST = ("high", "low")
# Words at the ends of rating scales. Negative ones come first: "dissatisfied" holds "satisfied".
DOUBLE = ("不错", "不难", "没有困难", "无困难", "not difficult", "not bad", "no problem")
NEGATIVE = (
    "dissatisf", "unsatisf", "not satisf", "not at all", "disagree", "poor", "bad", "terrible",
    "awful", "worst", "difficult", "hard", "unlikely", "never", "unhappy", "disappoint",
    "不", "差", "糟", "困难", "难", "失望", "从未", "没有帮助",
)  # fmt: skip
POSITIVE = (
    "satisf", "agree", "excellent", "outstanding", "good", "great", "best", "easy", "likely",
    "always", "happy", "delighted", "perfect",
    "满意", "同意", "赞成", "赞同", "优", "好", "容易", "简单", "轻松", "可能", "愿意", "总是",
    "完美",
)  # fmt: skip


def check_best(best: object) -> str:
    """Return which end of a scale is good, checked.

    Raises
    ------
    CxError
        If it is neither "high" nor "low".
    """
    if best not in BEST:
        raise CxError(
            f"best={best!r}; allowed: 'high' (the highest answer is the best) or 'low' (the lowest "
            "is, as where 1 is very satisfied)"
        )
    return str(best)


def tone(words: str) -> int:
    """Return 1 for words of praise, -1 for words of blame, 0 where neither is clear.

    Examples
    --------
    >>> tone("Very satisfied"), tone("very dissatisfied"), tone("非常不满意"), tone("neutral")
    (1, -1, -1, 0)
    >>> tone("不错"), tone("5")
    (1, 0)
    """
    text = words.casefold()
    if any(word in text for word in DOUBLE):
        return 1
    if any(word in text for word in NEGATIVE):
        return -1
    return int(any(word in text for word in POSITIVE))


def labelled_ends(
    labels: Mapping[Any, Any], low: float, high: float
) -> tuple[tuple[float, str], tuple[float, str]] | None:
    """Return code and label of the lowest and highest labelled points of a scale, if there are two.

    Codes off the scale, such as those of missing answers, do not count.
    """
    points = {}
    for code, text in labels.items():
        try:
            number = float(code)
        except (TypeError, ValueError):
            continue
        if low <= number <= high:
            points[number] = str(text)
    if len(points) < 2:
        return None
    first, last = min(points), max(points)
    return (first, points[first]), (last, points[last])


def best_by_labels(labels: Mapping[Any, Any], low: float, high: float) -> str | None:
    """Return "high" or "low", the end that labels call good; None where they do not say.

    Parameters
    ----------
    labels : mapping of code to label
    low, high : float
        The scale.

    Examples
    --------
    >>> best_by_labels({1: "very satisfied", 5: "very dissatisfied", 9: "no answer"}, 1, 5)
    'low'
    >>> best_by_labels({1: "never", 5: "sometimes"}, 1, 5) is None
    True
    """
    ends = labelled_ends(labels, low, high)
    if ends is None:
        return None
    (_, first), (_, last) = ends
    tones = tone(first), tone(last)
    if 0 in tones or tones[0] == tones[1]:
        return None
    return "low" if tones[0] > 0 else "high"


def value_labels(data: Any, column: str | None) -> dict[Any, Any]:
    """Return the labels that the file gave a column's codes (SPSS), where it was read with them."""
    report = attributes(data).get("read_report")
    name = column if column is not None else getattr(data, "name", None)
    return dict(getattr(report, "value_labels", {}).get(name, {}))
