"""Which columns are the expectation and the perception of one item: by heading, pair or question.

A role is proposed only where items have both: a column that says "satisfaction" alone is a score.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cxstats.survey.draft.cells import Cells
from cxstats.survey.layout import ROLES as LAYOUT_ROLES
from cxstats.survey.platforms import plain

EXPECTATION, PERCEPTION, MINIMUM = "expectation", "perception", "minimum"
# Longer words stand first: "期望值" before "期望".
WORDS: dict[str, str] = {
    **{word: role for word, role in LAYOUT_ROLES.items() if len(word) > 1},
    **dict.fromkeys(map(plain, (
        "expect", "exp", "imp", "important", "desired", "ideal", "期待", "期望程度", "期望水平",
        "期望分", "事前期望", "重要程度", "重要度", "服务期望", "期望评分",
    )), EXPECTATION),
    **dict.fromkeys(map(plain, (
        "perf", "perc", "perceive", "sat", "satisfaction", "experience", "experienced", "received",
        "actual experience", "实际水平", "实际体验", "感知水平", "感知值", "感受值", "满意程度",
        "体验值", "实际感知", "服务感知", "服务感受", "感知评分", "感受评分", "实际评分", "表现",
    )), PERCEPTION),
    **dict.fromkeys(map(plain, ("min", "tolerable", "最低期望", "容忍", "可接受水平")), MINIMUM),
}  # fmt: skip
AFFIXES = sorted((word for word in WORDS if not word.isascii()), key=len, reverse=True)
SENTENCES: tuple[tuple[str, str], ...] = (
    (r"how important (?:is|are|was|were)", EXPECTATION),
    (r"(?:what|how much) do you expect (?:of|from)|i expect|should have|should be", EXPECTATION),
    (r"how satisfied (?:are|were) you with|how would you rate|how well did", PERCEPTION),
    (r"i (?:experienced|perceived|received)", PERCEPTION),
)
_MARK = re.compile(r"\s*(?: - |[—–:：|/_\[\]（）()【】.]|(?<=[A-Za-z0-9])-(?=[A-Za-z])|\n)\s*")
_LETTER_FIRST = re.compile(r"([EePp])[_\-. ]?(\w.*)")
_LETTER_LAST = re.compile(r"(.*\w)[_\-. ]([EePp])|(.*\d)([EePp])")
_DOUBLED = re.compile(r"(.+)\.1")
ALL_ROLES = (EXPECTATION, PERCEPTION, MINIMUM)
MOST_UNPAIRED = 0.2  # share of the columns with a role's word whose partner is missing

Marked = Iterator[tuple[str, str]]  # role and item


@dataclass(frozen=True, slots=True)
class RoleProposal:
    """The columns of every item in every role.

    Attributes
    ----------
    columns : dict of str to dict
        Role to item to column.
    by : {"heading", "letter", "sentence", "question", "doubled", ""}
        What told the roles apart; empty where there are none.
    doubt : bool
    """

    columns: dict[str, dict[str, Cells]] = field(default_factory=dict)
    by: str = ""
    doubt: bool = False

    @property
    def items(self) -> list[str]:
        """The items, in the order of their perceptions."""
        return list(self.columns.get(PERCEPTION, {}))

    def pattern(self, role: str) -> Any:
        """Return the template of a role's columns, or each item's column where none fits."""
        columns = {item: cells.name for item, cells in self.columns[role].items()}
        item, column = next(iter(columns.items()))
        if not any(mark in "".join(columns.values()) for mark in "{}"):
            for match in re.finditer(re.escape(item), column):
                before, after = column[: match.start()], column[match.end() :]
                if all(name == f"{before}{text}{after}" for text, name in columns.items()):
                    return f"{before}{{item}}{after}"
        return columns


def propose_roles(columns: Sequence[Cells], doubled: Sequence[str] = ()) -> RoleProposal:
    """Return which of some rating columns are expectations and perceptions.

    Parameters
    ----------
    columns : sequence of Cells
        Columns that hold ratings.
    doubled : sequence of str
        Columns whose heading stood there before, which got a number when they were read.
    """
    schemes: tuple[tuple[str, Callable[[Cells], Marked], bool], ...] = (
        ("heading", lambda cells: by_words(cells.name), False),
        ("letter", lambda cells: _by_letter(cells.name), False),
        ("sentence", lambda cells: _by_sentence(cells.name), True),
        ("question", _by_question, True),
    )
    best = RoleProposal()
    for by, mark, doubt in schemes:
        proposal = _paired(columns, mark, by, doubt)
        if by == "letter" and _are_constructs(columns, proposal):
            continue
        if len(proposal.items) > len(best.items):
            best = proposal
    return best if best.items else _doubled(columns, set(doubled))


def _paired(
    columns: Sequence[Cells], mark: Callable[[Cells], Marked], by: str, doubt: bool
) -> RoleProposal:
    """Return the items that have a column for expectation and one for perception each."""
    texts: dict[str, str] = {}
    places: dict[str, dict[str, list[Cells]]] = {}
    marked = set()
    for cells in columns:
        for role, item in mark(cells):
            key = plain(item)
            if not key:
                continue
            marked.add(cells.name)
            texts.setdefault(key, item)
            places.setdefault(key, {}).setdefault(role, []).append(cells)
    complete = {
        key: roles for key, roles in places.items()
        if {EXPECTATION, PERCEPTION} <= set(roles) and all(len(c) == 1 for c in roles.values())
    }  # fmt: skip
    used = {c.name for roles in complete.values() for cells in roles.values() for c in cells}
    if len(complete) < 2 or len(used) < (1 - MOST_UNPAIRED) * len(marked):
        return RoleProposal()
    order = sorted(complete, key=lambda key: complete[key][PERCEPTION][0].place)
    roles = [EXPECTATION, PERCEPTION]
    if all(MINIMUM in complete[key] for key in order):
        roles.append(MINIMUM)
    by_role = {role: {texts[key]: complete[key][role][0] for key in order} for role in roles}
    importance = any(
        re.search("imp|重要", cells.heading) for cells in by_role[EXPECTATION].values()
    )
    return RoleProposal(by_role, by, doubt or importance)


def by_words(heading: str) -> Marked:
    """Yield role and item of a heading in which a part, or its beginning or end, names a role."""
    pieces = [piece for piece in _MARK.split(heading) if piece]
    marks = list(_MARK.finditer(heading))
    for i, piece in enumerate(pieces):
        role = WORDS.get(plain(piece))
        if role and len(pieces) > 1:
            yield role, _without(heading, piece, i, pieces, marks)
            return
    text = heading.strip()
    for word in AFFIXES:
        if text.startswith(word) and len(text) > len(word):
            yield WORDS[word], text[len(word) :].strip(" 的:：-_")
            return
        if text.endswith(word) and len(text) > len(word):
            yield WORDS[word], text[: -len(word)].strip(" 的:：-_")
            return
    first, _, others = text.partition(" ")
    if others and plain(first) in WORDS:
        yield WORDS[plain(first)], others


def _without(
    heading: str, piece: str, place: int, pieces: list[str], marks: list[re.Match[str]]
) -> str:
    """Return a heading without one of its parts and the mark beside it."""
    if len(pieces) == 2:
        return pieces[1 - place]
    at = 0
    for earlier in pieces[:place]:
        at = heading.index(earlier, at) + len(earlier)
    start = heading.index(piece, at)
    before, after = heading[:start], heading[start + len(piece) :]
    mark = next((m for m in marks if m.start() >= start), None)
    if not _MARK.sub("", before):
        return _MARK.sub("", before) + (after[len(mark[0]) :] if mark else after)
    if not _MARK.sub("", after):
        return re.sub(r"[\s\-—–:：|/_\[（(【.]+$", "", before)
    return before + (after[len(mark[0]) :] if mark else after)


def _by_letter(heading: str) -> Marked:
    roles = {"e": EXPECTATION, "p": PERCEPTION}
    match = _LETTER_FIRST.fullmatch(heading.strip())
    if match and (match[2][:1].isdigit() or not heading.strip()[1:2].isalpha()):
        yield roles[match[1].casefold()], match[2]
        return
    match = _LETTER_LAST.fullmatch(heading.strip())
    if match:
        yield roles[(match[2] or match[4]).casefold()], match[1] or match[3]


def _by_sentence(heading: str) -> Marked:
    text = heading.casefold()
    for pattern, role in SENTENCES:
        match = re.search(pattern, text)
        if match:
            yield role, (heading[: match.start()] + heading[match.end() :]).strip(" ?？.")
            return


def _by_question(cells: Cells) -> Marked:
    if cells.question:
        marked = [*by_words(cells.question)] or [*_by_sentence(cells.question)]
        yield from marked


def _are_constructs(columns: Sequence[Cells], proposal: RoleProposal) -> bool:
    """Return whether e1 ... and p1 ... are two constructs among others (s1 ..., b1 ...)."""
    if not proposal.items or not all(item.isdigit() for item in proposal.items):
        return False
    matches = [re.fullmatch(r"([A-Za-z])[_.\- ]?(\d+)", cells.name.strip()) for cells in columns]
    sizes: dict[str, int] = {}
    for match in matches:
        if match and match[1].casefold() not in "ep":
            sizes[match[1].casefold()] = sizes.get(match[1].casefold(), 0) + 1
    return sum(size >= 2 for size in sizes.values()) >= 2


def _doubled(columns: Sequence[Cells], doubled: set[str]) -> RoleProposal:
    """Return pairs of columns with the same heading; the higher answers are the expectations."""
    by_name = {cells.name: cells for cells in columns}
    pairs = {}
    for name, second in by_name.items():
        match = _DOUBLED.fullmatch(name)
        if match and match[1] in by_name and (not doubled or name in doubled):
            pairs[match[1]] = by_name[match[1]], second
    if len(pairs) < 3:
        return RoleProposal()
    means = [
        np.nanmean(np.concatenate([cells.numbers for cells in side]))
        if any(cells.n_numbers for cells in side) else np.nan
        for side in zip(*pairs.values(), strict=True)
    ]  # fmt: skip
    sides = (PERCEPTION, EXPECTATION) if means[1] > means[0] else (EXPECTATION, PERCEPTION)
    by_role = {
        role: {item: pair[i] for item, pair in pairs.items()} for i, role in enumerate(sides)
    }
    return RoleProposal(
        {role: by_role[role] for role in (EXPECTATION, PERCEPTION)}, "doubled", True
    )
