"""Problems of a table: counted at once, and each one built when it is asked for.

Of a million respondents, each of whom left some items out or answered in words, problems are too
many to stand in memory as objects; where they are takes a few bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np

from cxstats.core.language import Text, both
from cxstats.survey.answer_flags import DECLARED, FLAG_KINDS, NOT_A_NUMBER, FlaggedAnswers

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_VALUE = 80  # characters of a value in a message
NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in a table that is not as the codebook says.

    Attributes
    ----------
    kind : str
        One of `cxstats.survey.check.KINDS`.
    severity : {"error", "warning", "note"}
    row : object
        The label of the row in the table's index; None for a problem of a column.
    column : str or None
        The column, "first ... last" for a block of columns; None for a problem of a row.
    value : object
        What stands there.
    allowed : Text
        What may stand there; empty where that says nothing.
    sentence : str
        Key of its sentence in the catalogue, without ``survey.problem.``.
    number : int or None
        The number of the row, where the index has its label twice.
    respondent : object
        The identifier in this row, where the codebook names its column.
    details : mapping
        What the sentence needs beyond place and value.
    """

    kind: str
    severity: str
    row: Any
    column: str | None
    value: Any = None
    allowed: Text = NOTHING
    sentence: str = ""
    number: int | None = None
    respondent: Any = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> Text:
        """All of it in a sentence, in both languages."""
        key = self.sentence or self.kind
        values = {"place": self._place(), "value": _written(self.value), **self.details}
        text = both(f"survey.problem.{key}", **values)
        if self.allowed != NOTHING:
            text = both("survey.allowed", text=text, allowed=self.allowed)
        if self.respondent is None:
            return text
        return both("survey.respondent", text=text, respondent=_written(self.respondent))

    def _place(self) -> Text:
        column = both("survey.place.column", column=repr(self.column))
        if self.row is None:
            return column
        row = row_name(self.row, self.number)
        return row if self.column is None else both("survey.place.cell", row=row, column=column)


def row_name(row: Any, number: int | None = None) -> Text:
    """Name a row by its label, and by its number where the label does not say which."""
    if number is None:
        return both("survey.place.row", row=repr(row))
    return both("survey.place.row.number", row=repr(row), number=number)


def _written(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


class Group(Protocol):
    """Problems of one check, in their order."""

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How many there are of each severity and kind."""

    def __getitem__(self, place: int) -> Problem:
        """Return one of them."""

    def __iter__(self) -> Iterator[Problem]:
        """Yield all of them."""

    def of(self, severity: str) -> Group:
        """Return those of a severity."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Problems that stand in memory: few."""

    problems: tuple[Problem, ...]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How many there are of each severity and kind."""
        return Counter((problem.severity, problem.kind) for problem in self.problems)

    def __getitem__(self, place: int) -> Problem:
        return self.problems[place]

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)

    def of(self, severity: str) -> Listed:
        """Return those of a severity."""
        return Listed(tuple(p for p in self.problems if p.severity == severity))


@dataclass(frozen=True, slots=True, eq=False)
class InRows:
    """Problems of respondents, at most one each.

    Attributes
    ----------
    rows : array (m,)
        Positions in the table.
    build : callable
        Takes a position and returns its problem.
    kinds : sequence of (str, str)
        Severities and kinds that there are.
    codes : array (m,) or None
        Which of `kinds` each problem has; None for the first.
    """

    rows: NDArray[np.intp]
    build: Callable[[int], Problem]
    kinds: Sequence[tuple[str, str]]
    codes: NDArray[np.intp] | None = None

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How many there are of each severity and kind."""
        if self.codes is None:
            return Counter({self.kinds[0]: len(self.rows)})
        counts = np.bincount(self.codes, minlength=len(self.kinds)).tolist()
        return Counter(dict(zip(self.kinds, counts, strict=True)))

    def __getitem__(self, place: int) -> Problem:
        return self.build(int(self.rows[place]))

    def __iter__(self) -> Iterator[Problem]:
        return map(self.build, map(int, self.rows))

    def of(self, severity: str) -> InRows:
        """Return those of a severity."""
        fits = np.array([each == severity for each, _ in self.kinds])
        codes = np.zeros(len(self.rows), np.intp) if self.codes is None else self.codes
        among = fits[codes]
        return InRows(self.rows[among], self.build, self.kinds, codes[among])


@dataclass(frozen=True, slots=True, eq=False)
class InCells:
    """Problems of cells, row by row.

    Attributes
    ----------
    answers : FlaggedAnswers
    odd : array (n, k)
        Which cells there is something to say of.
    build : callable
        Takes row and column, and returns the problem.
    ends : array (n,)
        How many problems there are up to and with each row.
    """

    answers: FlaggedAnswers
    odd: NDArray[np.bool_]
    build: Callable[[int, int], Problem]
    ends: NDArray[np.int64]

    @classmethod
    def among(
        cls,
        answers: FlaggedAnswers,
        build: Callable[[int, int], Problem],
        rows: NDArray[np.bool_] | None = None,
    ) -> InCells:
        """Return the problems of all cells, or of those in some rows."""
        n, k = answers.flags.shape
        odd = np.zeros((n, k), bool, order="F")
        for j in range(k):  # column by column, so that no copy of all flags is made
            odd[:, j] = answers.flags[:, j] >= DECLARED
            if rows is not None:
                odd[~rows, j] = False
        return cls._of(answers, odd, build)

    @classmethod
    def _of(cls, answers: FlaggedAnswers, odd: NDArray[np.bool_], build: Any) -> InCells:
        per_row = np.zeros(len(odd), np.int64)
        for column in odd.T:
            per_row += column
        return cls(answers, odd, build, np.cumsum(per_row))

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """How many there are of each severity and kind."""
        counts: Counter[tuple[str, str]] = Counter()
        for odd, flags in zip(self.odd.T, self.answers.flags.T, strict=True):
            numbers = np.bincount(flags[odd], minlength=len(FLAG_KINDS)).tolist()
            for flag in range(DECLARED, len(FLAG_KINDS)):
                severity = "error" if flag >= NOT_A_NUMBER else "note"
                counts[severity, FLAG_KINDS[flag]] += numbers[flag]
        return +counts

    def _in_row(self, i: int) -> Iterator[Problem]:
        for j in np.flatnonzero(self.odd[i]).tolist():
            yield self.build(i, j)

    def __getitem__(self, place: int) -> Problem:
        row = int(np.searchsorted(self.ends, place, side="right"))
        before = int(self.ends[row - 1]) if row else 0
        return list(self._in_row(row))[place - before]

    def __iter__(self) -> Iterator[Problem]:
        for i in np.flatnonzero(np.diff(self.ends, prepend=0)).tolist():
            yield from self._in_row(i)

    def of(self, severity: str) -> InCells:
        """Return those of a severity."""
        odd = np.zeros_like(self.odd)
        for j in range(odd.shape[1]):
            error = self.answers.flags[:, j] >= NOT_A_NUMBER
            fits = {"error": error, "note": ~error}.get(severity, False)
            odd[:, j] = self.odd[:, j] & fits
        return self._of(self.answers, odd, self.build)


class Problems(Sequence[Problem]):
    """All problems of a table, in the order of the checks.

    Used as a tuple is: with an index, a slice, in a loop, ``len``, ``==``. Counts do not build the
    problems, so they cost nothing.

    Examples
    --------
    >>> problems = Problems([Listed((Problem("not_a_number", "error", 3, "q1", "x"),))])
    >>> len(problems), problems[0].row, problems.counts
    (1, 3, Counter({('error', 'not_a_number'): 1}))
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups = tuple(groups)
        counts = [group.counts for group in self._groups]
        self._ends = np.cumsum([each.total() for each in counts], dtype=np.int64)
        self.counts: Counter[tuple[str, str]] = sum(counts, Counter())

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, place: int) -> Problem: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Problem, ...]: ...

    def __getitem__(self, place: int | slice) -> Problem | tuple[Problem, ...]:
        if isinstance(place, slice):
            return tuple(self[i] for i in range(len(self))[place])
        place = range(len(self))[place]
        group = int(np.searchsorted(self._ends, place, side="right"))
        before = int(self._ends[group - 1]) if group else 0
        return self._groups[group][place - before]

    def __iter__(self) -> Iterator[Problem]:
        for group in self._groups:
            yield from group

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Problems, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self):,} problems>"

    def of(self, severity: str) -> Problems:
        """Return the problems of a severity."""
        return Problems([group.of(severity) for group in self._groups if _has(group, severity)])


def _has(group: Group, severity: str) -> bool:
    return any(n and each == severity for (each, _), n in group.counts.items())
