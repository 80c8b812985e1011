"""Check-all-that-apply: which options a respondent ticked, from the cells that platforms write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt, listing, look
from cxstats.survey.answer_labels import as_number
from cxstats.survey.questions import NOT_TICKED, TICKED, Question

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

YES, NO, BLANK, MISSING, NOT_OFFERED, WRONG = range(6)
# Marks that no option holds stand for a semicolon, too: full width, and that of wjx.
SEPARATORS = {";": (";", "；", "┋")}


@dataclass(frozen=True, slots=True, eq=False)
class Ticks:
    """What n respondents ticked of k options.

    Attributes
    ----------
    options : tuple of str
    columns : tuple of str
        Where each option stands; one and the same for all, where one cell holds them.
    states : array (n, k)
        YES, NO, BLANK, MISSING, NOT_OFFERED or WRONG.
    blank : {"not_ticked", "missing"}
        What an empty cell means.
    """

    options: tuple[str, ...]
    columns: tuple[str, ...]
    states: NDArray[np.int8]
    blank: str

    @property
    def explicit(self) -> bool:
        """Whether some cell says of an option of its own that it was not ticked."""
        return bool((self.states == NO).any()) and len(set(self.columns)) > 1

    @property
    def indicators(self) -> NDArray[np.float64]:
        """1 ticked, 0 not ticked, NaN neither (n, k).

        Blank means missing: where nothing but ticks is written, a blank cell beside a tick is an
        option that was not ticked, and who ticked none is missing.
        """
        values = np.where(self.states == YES, 1.0, np.nan)
        values[self.states == NO] = 0
        empty = self.states == BLANK
        if self.blank == "not_ticked":
            values[empty] = 0
        elif not self.explicit:
            values[empty & (self.states == YES).any(axis=1)[:, None]] = 0
        return values

    def notes(self) -> list[Text]:
        """Return what blank cells were taken for."""
        empty = self.states == BLANK
        if not empty.any():
            return []
        nobody = int((empty.any(axis=1) & ~(self.states == YES).any(axis=1)).sum())
        cells = int(empty[:, 0].sum() if len(set(self.columns)) == 1 else empty.sum())
        key = self.blank
        if key == "missing" and not self.explicit:
            key = "missing_respondent"
        notes = [both(f"survey.choices.blank.{key}", cells=cells, n=nobody)]
        if self.explicit and self.blank == "not_ticked":
            notes.append(both("survey.choices.explicit"))
        return notes


def read_ticks(frame: pd.DataFrame, question: Question, missing: Sequence[Any] = ()) -> Ticks:
    """Return what was ticked in the columns of a question; they have to stand in the table.

    Parameters
    ----------
    frame : pandas.DataFrame
    question : Question
        Of kind "choices".
    missing : sequence
        Numbers and texts that mean "no answer".
    """
    if question.columns:
        pairs = question.columns.items()
        states = [_states(frame[column], option, question, missing) for option, column in pairs]
        matrix = np.column_stack(states)
        return Ticks(tuple(question.columns), tuple(question.columns.values()), matrix,
                     question.blank)  # fmt: skip
    assert question.column is not None
    return _ticks_of_cells(frame[question.column], question, missing)


def _key(value: Any) -> Any:
    """Return the form in which cells are compared: 1, 1.0 and "1" alike, texts by their look."""
    if isinstance(value, bool | np.bool_):
        return look(str(value))
    if isinstance(value, int | float | np.number):
        return float(value)
    number = as_number(str(value))
    return look(str(value)) if number is None else number


def _is_blank(value: Any) -> bool:
    if value is None or value != value:  # noqa: PLR0124  (NaN differs from itself)
        return True
    return isinstance(value, str) and not value.strip()


def _states(
    series: pd.Series[Any], option: str, question: Question, missing: Sequence[Any]
) -> NDArray[np.int8]:
    """Return the state (n,) of one option, which has a column."""
    ticked = (*(question.ticked or TICKED), *(() if question.ticked else (option, series.name)))
    meanings: dict[Any, int] = {}
    for state, values in (
        (MISSING, missing), (NOT_OFFERED, question.not_offered),
        (NO, question.not_ticked or NOT_TICKED), (YES, ticked),
    ):  # fmt: skip
        for value in values:
            # What is said of this question goes before what is usual.
            meanings.setdefault(_key(value), state)
    if question.ticked:
        meanings |= {_key(value): YES for value in question.ticked}
    cells = series.astype(object).tolist()
    return np.array(
        [BLANK if _is_blank(cell) else meanings.get(_key(cell), WRONG) for cell in cells], np.int8
    )


def _ticks_of_cells(series: pd.Series[Any], question: Question, missing: Sequence[Any]) -> Ticks:
    """Return what was ticked, from cells that hold all options of a respondent."""
    nothing = {_key(value): MISSING for value in missing}
    nothing |= {_key(value): NOT_OFFERED for value in question.not_offered}
    cells = [_text(cell) for cell in series.astype(object).tolist()]
    marks = SEPARATORS.get(question.separator, (question.separator,))
    declared = {look(option): option for option in map(str, question.options)}
    read: list[tuple[int, tuple[str, ...]]] = []
    for cell in cells:
        if cell is None:
            read.append((BLANK, ()))
        elif _key(cell) in nothing:
            read.append((nothing[_key(cell)], ()))
        else:
            options = _split(cell, marks, declared)
            read.append((NO, options) if options is not None else (WRONG, ()))
    options = tuple(declared.values()) or _by_frequency([options for _, options in read])
    states = np.full((len(cells), len(options)), NO, np.int8)
    for i, (state, ticks) in enumerate(read):
        states[i] = state
        states[i, [options.index(option) for option in ticks]] = YES
    return Ticks(options, (str(series.name),) * len(options), states, question.blank)


def _text(cell: Any) -> str | None:
    """Return a cell as text, None where it is blank; a lone code without its decimals."""
    if _is_blank(cell):
        return None
    is_code = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if is_code else str(cell)


def _split(cell: str, marks: Sequence[str], declared: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the options in a cell; None where a piece is none of those that are declared.

    An option may hold the separator itself: the most pieces that make a declared option are one.
    """
    for mark in marks[1:]:
        cell = cell.replace(mark, marks[0])
    pieces = cell.split(marks[0])
    if not declared:
        return tuple(dict.fromkeys(piece.strip() for piece in pieces if piece.strip()))
    options: list[str] = []
    start = 0
    while start < len(pieces):
        ends = (
            end for end in range(len(pieces), start, -1)
            if look(marks[0].join(pieces[start:end])) in declared
        )  # fmt: skip
        end = next(ends, None)
        if end is not None:
            options.append(declared[look(marks[0].join(pieces[start:end]))])
        elif pieces[start].strip():
            return None
        start = end if end is not None else start + 1
    return tuple(dict.fromkeys(options))


def _by_frequency(ticked: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the options that occur, the most frequent first."""
    counts: dict[str, int] = {}
    for options in ticked:
        for option in options:
            counts[option] = counts.get(option, 0) + 1
    return tuple(sorted(counts, key=lambda option: -counts[option]))


def wrong_cells(
    frame: pd.DataFrame, question: Question, ticks: Ticks
) -> Iterator[tuple[int, str, Any, Text]]:
    """Yield the cells that say neither ticked nor not: position, column, value, what is allowed."""
    for j, column in enumerate(dict.fromkeys(ticks.columns)):
        for i in np.flatnonzero(ticks.states[:, j] == WRONG).tolist():
            value = frame[column].iloc[i]
            yield i, column, value, _allowed(value, question, ticks.options[j])


def _allowed(value: Any, question: Question, option: str) -> Text:
    if not question.columns:
        options = [str(entry) for entry in question.options]
        near = get_close_matches(look(str(value)), list(map(look, options)), 1, 0.75)
        nearest = [entry for entry in options if near and look(entry) == near[0]]
        key = "survey.choices.options.near" if nearest else "survey.choices.options"
        return both(key, options=listing(options), separator=repr(question.separator),
                    near=excerpt(nearest[0]) if nearest else "")  # fmt: skip
    return both(
        "survey.choices.allowed",
        ticked=listing(question.ticked or (1, "Yes", option), 4),
        not_ticked=listing(question.not_ticked or (0, "No"), 4),
    )
