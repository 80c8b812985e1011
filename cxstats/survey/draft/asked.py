"""Questions outside the constructs: recommendation, satisfaction, effort, check-all, comments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxstats.core.messages import look
from cxstats.survey.draft.answer_scales import is_no_answer
from cxstats.survey.draft.cells import Cells
from cxstats.survey.draft.headings import last_part, stem_of
from cxstats.survey.draft.ratings import Rating
from cxstats.survey.questions import NOT_TICKED, TICKED

RECOMMEND = re.compile(
    r"\bnps\b|net promoter|recommend|weiterempf|recommand|recomend|推荐|推薦|净推荐"
)
OVERALL = re.compile(
    r"overall|in general|general|on the whole|as a whole|\bglobal\b|total|总体|整体|总的|综合|总评"
)
SATISFIED = re.compile(r"satisf|\bcsat\b|happy with|满意")
EFFORT = re.compile(
    r"\bces\b|effort|how easy|how difficult|easy (?:was|is) it|"
    r"费力|费劲|省力|轻松程度|容易程度|难易"
)
COMMENT = re.compile(
    r"comment|remark|suggest|feedback|why|reason|improve|anything else|"
    r"备注|意见|建议|原因|评论|说明|反馈|留言|补充|为什么"
)
SEPARATORS = ("┋", ";", "；", "|", "、", "\n", ",", "，")
LONGEST_OPTION, MOST_OPTIONS = 40, 60
_TICKED = {look(str(mark)) for mark in TICKED}
_NPS_GROUPS = {look(word) for word in (
    "promoter", "passive", "detractor", "promoters", "passives", "detractors", "推荐者", "中立者",
    "被动者", "贬损者",
)}  # fmt: skip
_NOT_TICKED = {look(str(mark)) for mark in NOT_TICKED} | {look("Unticked"), look("未选")}


@dataclass(frozen=True, slots=True)
class Choices:
    """A check-all-that-apply question: a column for each option, or all options in a cell.

    Attributes
    ----------
    name : str
    columns : dict of str to str
        Option to column; empty where all stand in one cell.
    column, separator : str
    options : tuple of str
        Of one cell, the most frequent first.
    ticked : tuple
        What a ticked box holds, where that is nothing usual.
    is_exclusive : bool
        Whether everybody ticked exactly one, as with a single choice.
    by : {"heading", "set", "cell"}
    """

    name: str
    columns: dict[str, str] = field(default_factory=dict)
    column: str = ""
    separator: str = ""
    options: tuple[str, ...] = ()
    ticked: tuple[Any, ...] = ()
    is_exclusive: bool = False
    by: str = "heading"


def is_recommendation(rating: Rating) -> bool:
    """Return whether a column asks for recommendation, on a scale to 10."""
    low, high = rating.stated or rating.ends
    return bool(RECOMMEND.search(rating.cells.heading)) and high > 7 and low in (0, 1, 2, 3, 4, 5)


def is_group_of_recommendation(cells: Cells) -> bool:
    """Return whether a column holds promoters, passives and detractors: it follows from another."""
    return bool(cells.texts) and {look(text) for text in cells.texts} <= _NPS_GROUPS


def is_overall(heading: str) -> bool:
    """Return whether a heading asks for the service as a whole."""
    return bool(OVERALL.search(heading))


def kind_of_rating(heading: str) -> str:
    """Return the kind of a rated question: "csat", "ces" or "rating".

    Examples
    --------
    >>> kind_of_rating("总体满意度"), kind_of_rating("how easy was it?"), kind_of_rating("staff")
    ('csat', 'ces', 'rating')
    """
    if EFFORT.search(heading):
        return "ces"
    return "csat" if SATISFIED.search(heading) else "rating"


def choices_in_columns(
    columns: Sequence[Cells], sets: Sequence[tuple[str, Sequence[str]]] = ()
) -> list[Choices]:
    """Return the questions that have a column for each option.

    Such columns hold two values, ticked and not, or one and blanks, and share the beginning of
    their headings or question texts; or the file declares them a set (SPSS).
    """
    boxes = {cells.name: cells for cells in columns if _is_box(cells)}
    questions: list[Choices] = []
    used: set[str] = set()
    for name, names in sets:
        members = [boxes[column] for column in names if column in boxes]
        if len(members) == len(names) > 1:
            questions.append(_choices(name, members, "set"))
            used.update(names)
    groups: dict[str, list[Cells]] = {}
    for cells in boxes.values():
        stem = stem_of(cells.name) or stem_of(cells.question)
        if stem and cells.name not in used:
            groups.setdefault(stem, []).append(cells)
    questions += [_choices(stem, members) for stem, members in groups.items() if len(members) > 1]
    return questions


def _is_box(cells: Cells) -> bool:
    """Return whether a column is that of one option: ticked or not."""
    if cells.is_time or not cells.n_filled or cells.n_distinct > 3:
        return False
    if cells.texts and cells.n_numbers:
        return False
    if not cells.texts:
        return bool(np.isin(cells.values, (0, 1)).all() and 1 in cells.values) and _not_all(cells)
    looks = {look(text) for text in cells.texts}
    if looks <= _TICKED | _NOT_TICKED and looks & _TICKED:
        return True
    return len(looks) == 1 and _names_itself(next(iter(looks)), cells) and _not_all(cells)


def _not_all(cells: Cells) -> bool:
    return cells.n_distinct > 1 or cells.n_filled < len(cells.numbers)


def _names_itself(text: str, cells: Cells) -> bool:
    option = look(last_part(cells.name)) or look(last_part(cells.question))
    return bool(option) and (option in text or text in look(cells.heading))


def _choices(stem: str, members: list[Cells], by: str = "heading") -> Choices:
    options: dict[str, str] = {}
    for cells in members:
        option = last_part(cells.question) if cells.question else ""
        option = option or last_part(cells.name) or cells.name
        options[option if option not in options else cells.name] = cells.name
    ticked = [np.isin(cells.numbers, 1) | _ticked_texts(cells) for cells in members]
    counts = np.sum(ticked, axis=0)
    unusual = sorted({
        text for cells in members for text in cells.texts
        if look(text) not in _TICKED | _NOT_TICKED and text != next(
            option for option, column in options.items() if column == cells.name)
    })  # fmt: skip
    exclusive = len(counts) > 10 and bool((counts == 1).mean() > 0.98)
    return Choices(stem, options, ticked=tuple(unusual), is_exclusive=exclusive, by=by)


def _ticked_texts(cells: Cells) -> Any:
    names = list(cells.texts)
    positive = [look(text) not in _NOT_TICKED for text in names]
    return np.array([*positive, False])[cells.codes]


def choices_in_a_cell(cells: Cells) -> Choices | None:
    """Return the question whose ticked options stand in one cell, "A;B;C"; None if it is none.

    Options are few and come again, alone and beside others; sentences with commas do not.
    """
    if cells.n_numbers > 0.1 * cells.n_filled or not cells.texts:
        return None
    total = sum(cells.texts.values())
    for separator in SEPARATORS:
        joined = sum(n for text, n in cells.texts.items() if separator in text)
        if joined < 0.1 * total:
            continue
        counts: Counter[str] = Counter()
        for text, n in cells.texts.items():
            if not is_no_answer(text):
                for option in text.split(separator):
                    counts[option.strip()] += n
        counts.pop("", None)
        few = 2 <= len(counts) <= min(MOST_OPTIONS, max(3, total // 3))
        short = all(len(option) <= LONGEST_OPTION for option in counts)
        again = sum(n for n in counts.values() if n > 1) >= 0.9 * sum(counts.values())
        if few and short and again and len(counts) < len(cells.texts) + 2:
            options = tuple(option for option, _ in counts.most_common())
            mark = f"{separator} " if separator == "," else separator
            mark = mark if all(mark in t for t in cells.texts if separator in t) else separator
            return Choices(cells.name, {}, cells.name, mark, options, by="cell")
    return None


def is_comment(cells: Cells) -> bool:
    """Return whether a column holds texts that people wrote: nearly all different, or long."""
    if not cells.texts or cells.is_time or cells.n_numbers > 0.2 * cells.n_filled:
        return False
    texts = [text for text in cells.texts if not is_no_answer(text)]
    if not texts:
        return False
    lengths = [len(text) for text in texts]
    differ = len(texts) >= 0.5 * sum(cells.texts[text] for text in texts)
    speaks = bool(COMMENT.search(cells.heading))
    return speaks or (differ and float(np.mean(lengths)) >= 8) or float(np.mean(lengths)) > 40


def with_points(frame_numbers: dict[str, Cells], ratings: dict[str, Rating]) -> list[list[Cells]]:
    """Return groups of columns whose numbers sum to 100 in a row: points shared out."""
    candidates = [
        cells for cells in frame_numbers.values()
        if cells.is_numeric and cells.n_numbers and cells.values.min() >= 0
        and cells.values.max() <= 100 and cells.name not in ratings
    ]  # fmt: skip
    groups: dict[str, list[Cells]] = {}
    for cells in candidates:
        groups.setdefault(stem_of(cells.name, letters=True), []).append(cells)
    shared = []
    for members in groups.values():
        if 2 <= len(members) <= 30:
            sums = np.sum([cells.numbers for cells in members], axis=0)
            sums = sums[np.isfinite(sums)]
            if len(sums) and (np.abs(sums - 100) <= 0.5).mean() >= 0.9:
                shared.append(members)
    return shared
