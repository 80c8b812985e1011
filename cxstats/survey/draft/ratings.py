"""Which columns hold ratings, what their answers are as numbers, and on which scale they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cxstats.core.messages import look
from cxstats.survey.answers import missing_codes
from cxstats.survey.direction import best_by_labels, tone
from cxstats.survey.draft.answer_scales import (
    AnswerScale,
    is_no_answer,
    level,
    no_answer_texts,
    number_in,
    scale_of_labels,
)
from cxstats.survey.draft.cells import Cells, all_texts

LARGEST = 10  # of the answers of a scale with points
TOPS = (5, 7, 10)  # usual highest answers
# Scales that a heading may state: "(0-10分)".
STATED = {(0, 10), (1, 4), (1, 5), (1, 6), (1, 7), (1, 9), (1, 10), (0, 5)}
BULK = 0.95  # share of a column's numbers that are points of a scale
RARE = 0.002  # share of answers that may stand beyond a gap, as slips of the pen do
FEW = 10  # answers below which a scale need not have three points in use
ENOUGH = 30  # answers from which labels that nobody chose say something
_END = re.compile(
    r"(?<!\d)(\d{1,2})\s*(?:分)?\s*(?:[=＝:：-]|代表|表示|为|\bmeans\b|\bis\b)\s*([^\d,，;；)）/]+)"
)
_RANGE = re.compile(r"(?<![\d.])(\d{1,2})\s*(?:[-~–—～]|至|到|\bto\b)\s*(\d{1,2})(?![\d.岁年月])")


@dataclass(frozen=True, slots=True)
class Rating:
    """A column of ratings.

    Attributes
    ----------
    cells : Cells
        Its ``numbers`` are the answers, labels as their numbers, NaN where there is none.
    labels : dict of str to int
        Labels in its cells that stand for numbers.
    stated : (int, int) or None
        Lowest and highest answer, where labels or the heading say them.
    by : {"range", "value_labels", "cell_labels", "heading"}
        Where the scale is from.
    best : {"high", "low"} or None
        The good end, where words say it.
    codes : dict of float to int
        Numbers that mean "no answer", and how often they stand there.
    sure_codes : set of float
        Those that the file labels so, or that files usually use.
    texts : dict of str to int
        Texts that mean "no answer".
    strays : dict of str to int
        What is neither an answer nor a code.
    is_complete : bool
        Whether every point in words was chosen.
    """

    cells: Cells
    labels: dict[str, int] = field(default_factory=dict)
    stated: tuple[int, int] | None = None
    by: str = "range"
    best: str | None = None
    codes: dict[float, int] = field(default_factory=dict)
    sure_codes: frozenset[float] = frozenset()
    texts: dict[str, int] = field(default_factory=dict)
    strays: dict[str, int] = field(default_factory=dict)
    is_complete: bool = True

    @property
    def name(self) -> str:
        """The column."""
        return self.cells.name

    @property
    def ends(self) -> tuple[int, int]:
        """Lowest and highest answer that was given."""
        answers = self.cells.numbers[np.isfinite(self.cells.numbers)]
        return (int(answers.min()), int(answers.max())) if len(answers) else (1, 1)


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of some columns and where it is from.

    Attributes
    ----------
    low, high : int
    by : str
        As that of `Rating`.
    ends : (int, int)
        Lowest and highest answer that was given.
    n_columns : int
    doubt : bool
    """

    low: int
    high: int
    by: str
    ends: tuple[int, int]
    n_columns: int
    doubt: bool = False


def ratings_of(columns: Sequence[Cells]) -> dict[str, Rating]:
    """Return the columns that hold ratings, by name."""
    ratings = {}
    labelled = []
    for cells in columns:
        if cells.is_time or not cells.n_filled:
            continue
        rating = _of_numbers(cells) if cells.is_numeric else None
        if rating is not None:
            ratings[cells.name] = rating
        elif cells.texts and not cells.is_numeric:
            labelled.append(cells)
    for group in _same_labels(labelled):
        scale = scale_of_labels([t for t in all_texts(group) if not is_no_answer(t)])
        if scale is not None:
            ratings |= {cells.name: _of_labels(cells, scale) for cells in group}
    return {cells.name: ratings[cells.name] for cells in columns if cells.name in ratings}


def _of_numbers(cells: Cells) -> Rating | None:
    """Return the rating that a column of numbers is; None if it is none."""
    labels = dict(cells.labels)
    none = {
        float(code): 1 for code, text in labels.items() if _is_code(code) and is_no_answer(text)
    }
    usual = missing_codes(cells.numbers[np.isfinite(cells.numbers)])
    negative = dict(zip(cells.values.tolist(), cells.counts.tolist(), strict=True))
    negative = {v: n for v, n in negative.items() if v < 0}
    codes = {v: n for v, n in zip(cells.values.tolist(), cells.counts.tolist(), strict=True)
             if v in none or v in usual or v in negative}  # fmt: skip
    keep = ~np.isin(cells.values, list(codes))
    values, counts = cells.values[keep], cells.counts[keep]
    points = (values == np.rint(values)) & (values >= 0) & (values <= LARGEST)
    points = _without_slips(values, counts, points)
    if not points.any() or counts[points].sum() < BULK * counts.sum():
        return None
    stated, best, by = _by_labels(labels), None, "value_labels"
    if labels and len(labels) > len(none) and stated is None:
        return None  # codes of kinds, not of degrees
    if stated is None:
        stated, best = _by_heading(cells.heading)
        if stated and not stated[0] <= values[points].min() <= values[points].max() <= stated[1]:
            stated = best = None
        by = "heading" if stated else "range"
    else:
        best = best_by_labels(labels, *stated)
    few = cells.n_numbers < FEW and values[points].max() >= 3
    if stated is None and points.sum() < 3 and not few:
        return None
    answered = np.where(np.isin(cells.numbers, values[points]), cells.numbers, np.nan)
    strays = {f"{v:g}": int(n) for v, n in zip(values[~points], counts[~points], strict=True)}
    texts = {text: cells.texts[text] for text in no_answer_texts(cells.texts)}
    numbered = _numbered(cells)
    strays |= {t: n for t, n in cells.texts.items() if t not in texts and t not in numbered}
    for text, number in numbered.items():
        answered = np.where(cells.codes == list(cells.texts).index(text), number, answered)
    return Rating(
        replace(cells, numbers=answered), numbered, stated, by, best, codes,
        frozenset(none) | frozenset(usual), texts, strays,
    )  # fmt: skip


def _numbered(cells: Cells) -> dict[str, int]:
    """Return the labels beside numbers that have a number themselves ("5 very satisfied")."""
    pairs = {text: number_in(text) for text in cells.texts if not is_no_answer(text)}
    return {text: pair[0] for text, pair in pairs.items() if pair and pair[0] <= LARGEST}


def _without_slips(values: Any, counts: Any, points: Any) -> Any:
    """Return which values are points of a scale: a rare one beyond a gap is none."""
    inside = np.flatnonzero(points)
    total = counts[points].sum()
    for place in inside[::-1]:
        below = values[inside[inside < place]]
        if (
            not len(below)
            or values[place] - below.max() < 2
            or counts[place] > max(1, RARE * total)
        ):
            break
        points = points.copy()
        points[place] = False
    return points


def _is_code(code: Any) -> bool:
    return isinstance(code, int | float) and not isinstance(code, bool)


def _by_labels(labels: dict[Any, str]) -> tuple[int, int] | None:
    """Return the scale whose points value labels name; None if they name kinds of things."""
    points = {
        float(code): str(text) for code, text in labels.items()
        if _is_code(code) and not is_no_answer(str(text)) and 0 <= float(code) <= LARGEST
    }  # fmt: skip
    if len(points) < 2 or max(points) < 3 or any(code != round(code) for code in points):
        return None
    texts = list(points.values())
    ends = points[min(points)], points[max(points)]
    speaks = any(tone(text) or level(text) for text in ends) or look(ends[1]) in (
        "very",
        "extremely",
    )
    if not speaks and scale_of_labels(texts) is None:
        return None
    return int(min(points)), int(max(points))


def _by_heading(heading: str) -> tuple[tuple[int, int] | None, str | None]:
    """Return scale and good end that a heading states: "(1 = very satisfied, 5 = ...)", "0-10"."""
    points = {int(number): text.strip() for number, text in _END.findall(heading)}
    points = {n: text for n, text in points.items() if n <= LARGEST and (tone(text) or level(text))}
    if len(points) < 2 or max(points) - min(points) < 2:
        pairs = [(int(a), int(b)) for a, b in _RANGE.findall(heading)]
        return next((pair for pair in pairs if pair in STATED), None), None
    low, high = min(points), max(points)
    return (low, high), best_by_labels(points, low, high)


def _of_labels(cells: Cells, scale: AnswerScale) -> Rating:
    texts = {text: cells.texts[text] for text in no_answer_texts(cells.texts)}
    names = list(cells.texts)
    codes = np.array([_value(text, scale) for text in names] + [np.nan])
    numbers = np.where(cells.codes >= 0, codes[cells.codes], cells.numbers)
    labels = {text: scale.numbers[text] for text in names if text in scale.numbers}
    best = None if scale.root == "numbers" and scale.best == "high" else scale.best
    return Rating(
        replace(cells, numbers=numbers), labels, (scale.low, scale.high), "cell_labels", best,
        texts=texts, is_complete=scale.is_complete,
    )  # fmt: skip


def _value(text: str, scale: AnswerScale) -> float:
    if is_no_answer(text):
        return np.nan
    pair = number_in(text) if scale.root == "numbers" else None
    return float(pair[0]) if pair else float(scale.numbers.get(text, np.nan))


def _same_labels(columns: Sequence[Cells]) -> list[list[Cells]]:
    """Return columns in groups that share the labels of their scale.

    The labels of a column may be some of those of another: nobody chose the others. Only columns
    whose labels are a scale are looked at.
    """
    sets = []
    seen: dict[frozenset[str], bool] = {}
    for cells in columns:
        if len(cells.texts) > 40:
            continue
        labels = frozenset(text for text in cells.texts if not is_no_answer(text))
        if labels not in seen:
            seen[labels] = bool(labels) and _may_be_points(labels)
        if seen[labels]:
            sets.append((labels, cells))
    sets.sort(key=lambda pair: -len(pair[0]))
    frequencies = Counter(labels for labels, _ in sets)
    groups: list[tuple[set[str], str, list[Cells]]] = []
    where: dict[frozenset[str], int] = {}
    for labels, cells in sets:
        if labels in where:
            groups[where[labels]][2].append(cells)
            continue
        about, all_levels = _about(labels)
        for i, (others, other_about, members) in enumerate(groups):
            if about == other_about and _joins(labels, others, all_levels, frequencies[labels]):
                where[labels] = i
                others.update(labels)
                members.append(cells)
                break
        else:
            where[labels] = len(groups)
            groups.append((set(labels), about, [cells]))
    return [members for _, _, members in groups]


def _may_be_points(labels: frozenset[str]) -> bool:
    """Return whether labels are points of a scale, or too few of them to say."""
    return scale_of_labels(labels) is not None or (
        all(level(text) is not None for text in labels)
        and any((level(t) or ("",))[0] for t in labels)
    )


def _about(labels: frozenset[str]) -> tuple[str, set[float]]:
    if all(number_in(text) for text in labels):
        return "numbers", set()
    levels = [entry for text in labels if (entry := level(text))]
    return next((about for about, _ in levels if about), "ladder"), {size for _, size in levels}


def _joins(labels: frozenset[str], others: set[str], levels: set[float], n_columns: int) -> bool:
    """Return whether labels are points of the scale of others.

    A scale of its own has equally many points on both sides, its ends in strong words, and stands
    in several columns: "very satisfied, satisfied, ..." beside a scale with "extremely satisfied".
    """
    if labels <= others:
        strong = bool(levels) and max(levels) >= 3 and min(levels) <= -3
        separate = strong and len({abs(s) for s in levels if s}) * 2 == len(
            [s for s in levels if s]
        )
        return not (separate and n_columns > 1)
    both_scale, sizes = scale_of_labels(labels | others), (labels, frozenset(others))
    points = [scale.high for one in sizes if (scale := scale_of_labels(one))]
    alike = len(labels & others) >= 0.5 * len(labels)
    return alike and both_scale is not None and both_scale.high == max(points, default=0)


def scale_of(ratings: Sequence[Rating], others: Sequence[Scale] = ()) -> Scale:
    """Return the scale of ratings that share one.

    Where words say it, theirs; else the lowest and highest answer, taken to the next usual scale
    (1 or 0 to 5, 7, 10) or to a scale of the same file.

    Parameters
    ----------
    ratings : sequence of Rating
    others : sequence of Scale
        Scales of the same file.
    """
    ends = min(r.ends[0] for r in ratings), max(r.ends[1] for r in ratings)
    stated = Counter((r.stated, r.by) for r in ratings if r.stated)
    n = len(ratings)
    if stated:
        (scale, by), _ = stated.most_common(1)[0]
        low, high = scale or ends
        outside = ends[0] < low or ends[1] > high
        complete = by != "cell_labels" or any(r.is_complete for r in ratings)
        return Scale(min(low, ends[0]), max(high, ends[1]), by, ends, n, outside or not complete)
    low = 0 if ends[0] == 0 else 1
    every_top = n >= 3 and all(r.ends[1] == ends[1] for r in ratings)
    many = min(r.cells.n_numbers for r in ratings) >= ENOUGH
    other_tops = [s.high for s in others if s.low == low and s.high >= ends[1] and s.by != "range"]
    six_or_nine = every_top and many and ends[1] >= 3 and not other_tops
    if ends[1] in TOPS or six_or_nine:
        high = ends[1]
    else:
        high = min(other_tops, default=next(top for top in TOPS if top >= ends[1]))
    doubt = high not in TOPS or ends != (low, high) or (low == 0 and high < 10)
    return Scale(low, high, "range", ends, n, doubt)
