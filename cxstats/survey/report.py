"""What reading, checking and cleaning found: reports to read, filter and hand over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.language import label
from cxstats.survey.codebook import Codebook
from cxstats.survey.detect import parse

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# Kind of problem -> how bad it is. An "error" is a value that no analysis can use, a "warning"
# a doubt that the analyst decides on, a "note" something to know.
KINDS = {
    "missing_column": "error",
    "duplicated_column": "error",
    "undeclared_column": "note",
    "not_a_number": "error",
    "infinite": "error",
    "out_of_range": "error",
    "not_on_scale": "error",
    "answer_label": "warning",
    "declared_missing": "note",
    "points_not_100": "warning",
    "all_missing": "warning",
    "missing_respondent": "note",
    "too_fast": "warning",
    "straight_lining": "warning",
    "duplicate_respondent": "warning",
    "duplicate_row": "warning",
    "missing_item": "note",
    "constant_item": "warning",
}
SEVERITIES = ("error", "warning", "note")
# Flag of a cell -> kind of problem, and what it says of the value. From BAD on it is an error.
FINE, MISSING, DECLARED, BAD, INFINITE, OUTSIDE, BETWEEN, NEGATIVE = range(8)
FLAGS = (
    ("", ""),
    ("", ""),
    ("declared_missing", "means that there is no answer"),
    ("not_a_number", "is not a number"),
    ("infinite", "is infinite"),
    ("out_of_range", "is outside the scale"),
    ("not_on_scale", "is not a point of the scale"),
    ("points_not_100", "is negative"),
)
MIN_BLOCK = 5  # items below which equal answers say nothing about the respondent
SHOWN = 20  # problems or respondents in a summary; the rest is counted there


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing in a table that is not as the codebook says.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    severity : {"error", "warning", "note"}
    row : object
        The label of the row in the table's index; None for a problem of a column.
    column : str or None
        The column, "first ... last" for a block of columns; None for a problem of a row.
    value : object
        What stands there.
    allowed : str
        What may stand there.
    message : str
        All of it in a sentence.
    """

    kind: str
    severity: str
    row: Any
    column: str | None
    value: Any
    allowed: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every problem of a table, none left out.

    Attributes
    ----------
    problems : tuple of Problem
        Columns first, then cells row by row, then respondents, then items.
    n_rows, n_answers : int
        Respondents, and answer columns that could be read.
    """

    problems: tuple[Problem, ...]
    n_rows: int
    n_answers: int

    @property
    def table(self) -> pd.DataFrame:
        """The problems, one row each."""
        import pandas as pd

        names = Problem.__slots__
        columns = {
            name: pd.Series([getattr(p, name) for p in self.problems], dtype=object)
            for name in names
        }
        return pd.DataFrame(columns)

    @property
    def counts(self) -> dict[str, int]:
        """How many problems there are of each kind."""
        found = Counter(problem.kind for problem in self.problems)
        return {kind: found[kind] for kind in KINDS}

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a value from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes may remain."""
        return not self.errors

    def summary(self, lang: str = "en") -> str:
        """Return the counts of each kind, and the first messages of errors and warnings."""
        severities = Counter(problem.severity for problem in self.problems)
        size = {"rows": self.n_rows, "columns": self.n_answers}
        lines = [label("survey.check.head", lang, **size, **{s: severities[s] for s in SEVERITIES})]
        counts = Counter((problem.severity, problem.kind) for problem in self.problems)
        lines += [
            f"  {n:6d}  {label(f'survey.severity.{severity}', lang)}: "
            f"{label(f'survey.kind.{kind}', lang)}"
            for (severity, kind), n in sorted(counts.items(), key=_by_severity)
        ]
        for severity in SEVERITIES[:2]:
            messages = [p.message for p in self.problems if p.severity == severity]
            lines += _shown(label(f"survey.severity.{severity}", lang), messages, lang)
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"


@dataclass(frozen=True, slots=True, eq=False)
class CleanReport:
    """Every change that cleaning made.

    Attributes
    ----------
    changes : pandas.DataFrame
        ``row, column, before, after, reason``, one row for each change in the respondents that
        stay. ``reason`` is "reversed" or a kind of problem. A value that is the same after it
        was turned (the middle of the scale) is no change.
    dropped : pandas.DataFrame
        ``row, respondent, reason``, one row for each respondent who was dropped.
    reversed : tuple of str
        Items that stand turned in the cleaned table.
    n_before, n_after : int
        Respondents.
    notes : tuple of str
        What else there is to know.
    """

    changes: pd.DataFrame
    dropped: pd.DataFrame
    reversed: tuple[str, ...]
    n_before: int
    n_after: int
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """The changes, one row each."""
        return self.changes

    def summary(self, lang: str = "en") -> str:
        """Return how many values changed and why, and every respondent dropped."""
        size = {"before": self.n_before, "after": self.n_after}
        lines = [label("survey.clean.head", lang, **size, changes=len(self.changes))]
        lines += [
            f"  {n:6d}  {label(f'survey.reason.{reason}', lang)}"
            for reason, n in self.changes["reason"].value_counts(sort=False).items()
        ]
        if self.reversed:
            lines.append("  " + label("survey.clean.turned", lang, items=", ".join(self.reversed)))
        who = [
            f"{row!r}: " + ", ".join(label(f"survey.kind.{kind}", lang) for kind in why.split("; "))
            for row, why in zip(self.dropped["row"], self.dropped["reason"], strict=True)
        ]
        lines += _shown(label("survey.clean.dropped", lang), who, lang)
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"


def _by_severity(entry: tuple[tuple[str, str], int]) -> tuple[int, int]:
    (severity, kind), _ = entry
    return SEVERITIES.index(severity), list(KINDS).index(kind)


def _shown(head: str, messages: list[str], lang: str) -> list[str]:
    if not messages:
        return []
    lines = [f"{head}:", *(f"  {message}" for message in messages[:SHOWN])]
    if len(messages) > SHOWN:
        lines.append("  " + label("survey.more", lang, n=len(messages) - SHOWN))
    return lines


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The answers and points of a table: k columns, the first ``n_answers`` of them answers.

    ``values`` (n, k) are numbers, NaN where there is none; ``flags`` (n, k) say what is wrong,
    as indices of `FLAGS`; ``mapped`` (n, k) marks answer labels; ``rows`` are the labels of the
    index; ``texts`` counts the numbers written as text, by column.
    """

    table: pd.DataFrame
    codebook: Codebook
    columns: tuple[str, ...]
    n_answers: int
    values: NDArray[np.float64]
    flags: NDArray[np.int8]
    mapped: NDArray[np.bool_]
    rows: list[Any]
    texts: list[tuple[str, int]]

    @property
    def usable(self) -> NDArray[np.float64]:
        """The values (n, k), NaN where a cell cannot be used; a copy."""
        return np.where(self.flags == FINE, self.values, np.nan)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Answers (n, n_answers) that were not given; what is wrong is not missing."""
        flags = self.flags[:, : self.n_answers]
        return np.isin(flags, (MISSING, DECLARED))

    @property
    def turned(self) -> tuple[str, ...]:
        """Items that the table says are turned already."""
        given = self.table.attrs.get("reversed", ())
        return (given,) if isinstance(given, str) else tuple(given)

    def has(self, column: str) -> bool:
        """Whether a column stands in the table, once."""
        return list(self.table.columns).count(column) == 1

    def blocks(self) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
        """Yield each role, its columns, and its answers (n, items) as they were given."""
        usable = self.usable
        for role in self.codebook.roles:
            names = {self.codebook.column(item, role): item for item in self.codebook.items}
            places = [j for j, column in enumerate(self.columns) if column in names]
            given = usable[:, places]
            for k, j in enumerate(places):
                item = names[self.columns[j]]
                if item in self.turned:
                    given[:, k] = sum(self.codebook.bounds(item)) - given[:, k]
            yield role, tuple(self.columns[j] for j in places), given

    def same_as(self, keep: NDArray[np.bool_]) -> dict[str, dict[int, int]]:
        """Return, for each kind of duplicate, the later row and the earlier one, among `keep`."""
        import pandas as pd

        rows = np.flatnonzero(keep)
        found: dict[str, dict[int, int]] = {"duplicate_respondent": {}, "duplicate_row": {}}
        column = self.codebook.respondent
        if column is not None and self.has(column):
            ids = self.raw(column)
            known = rows[self.table[column].notna().to_numpy(bool)[rows]]
            found["duplicate_respondent"] = _earlier(known, [str(ids[i]) for i in known])
        # Who gives the same answer to everything equals everyone else who does.
        varied = np.zeros(len(self.table), dtype=bool)
        for _, _, block in self.blocks():
            if block.shape[1]:
                varied |= np.fmax.reduce(block, axis=1) > np.fmin.reduce(block, axis=1)
        answers = self.usable[:, : self.n_answers] + 0.0  # -0 is 0
        rows = np.flatnonzero(keep & varied & ((~np.isnan(answers)).sum(axis=1) >= MIN_BLOCK))
        if len(rows):
            hashes = pd.util.hash_pandas_object(pd.DataFrame(answers[rows]), index=False)
            found["duplicate_row"] = _earlier(rows, hashes.tolist())
        return found

    def raw(self, column: str) -> list[Any]:
        """Return a column as it stands in the table, in Python's own types."""
        cells = self.table[column].astype(object).to_numpy()
        return [cell.item() if isinstance(cell, np.generic) else cell for cell in cells]

    def allowed(self, column: str) -> str:
        """Say what may stand in a column."""
        if column in self.columns[self.n_answers :]:
            return "points from 0 to 100"
        low, high = self.codebook.bounds(self.codebook.item_of(column))
        whole = "whole numbers" if _is_whole(low, high) else "numbers"
        codes = ", ".join(f"{code:g}" for code in self.codebook.missing)
        return f"{whole} from {low:g} to {high:g}" + (f"; no answer: {codes}" if codes else "")

    def place(self, position: int) -> str:
        """Name a row; a label that the index has twice does not say which, so its number does."""
        name = f"row {self.rows[position]!r}"
        return name if self.table.index.is_unique else f"{name} (number {position + 1})"

    def problem(
        self,
        kind: str,
        position: int | None,
        column: str | None,
        text: str,
        value: Any = None,
        allowed: str = "",
        severity: str | None = None,
    ) -> Problem:
        """Return a problem and its sentence, in the one form that all have."""
        where = [] if position is None else [self.place(position)]
        where += [] if column is None else [f"column {column!r}"]
        # Of a column the text is the sentence; of a cell or row the value begins it.
        shown = "" if value is None else f"{_show(value)} "
        said = f" {text}" if position is None else f": {shown}{text}"
        row = None if position is None else self.rows[position]
        message = ", ".join(where) + said + (f"; allowed: {allowed}" if allowed else "")
        return Problem(kind, severity or KINDS[kind], row, column, value, allowed, message)


def _earlier(rows: NDArray[np.int64], keys: list[Any]) -> dict[int, int]:
    first: dict[Any, int] = {}
    pairs = zip(rows.tolist(), keys, strict=True)
    return {row: seen for row, key in pairs if (seen := first.setdefault(key, row)) != row}


def find_cells(table: pd.DataFrame, codebook: Codebook) -> Cells:
    """Read the answers and points of a table as numbers; a doubled column is left out."""
    names = list(table.columns)
    answers = [column for column in codebook.answer_columns if names.count(column) == 1]
    points = [column for column in codebook.point_columns if names.count(column) == 1]
    columns = (*answers, *points)
    shape = (len(table), len(columns))
    values, flags = np.empty(shape, order="F"), np.zeros(shape, dtype=np.int8, order="F")
    mapped, texts = np.zeros(shape, dtype=bool, order="F"), []
    for j, column in enumerate(columns):
        found = parse(table[column], codebook.answers)
        values[:, j], mapped[:, j] = found.values, found.mapped
        bounds = codebook.bounds(codebook.item_of(column)) if j < len(answers) else None
        flags[:, j] = _flags(found.values, bounds, codebook.missing)
        flags[found.bad, j] = BAD
        texts += [(column, found.texts)] if found.texts else []
    rows = table.index.tolist()
    return Cells(table, codebook, columns, len(answers), values, flags, mapped, rows, texts)


def _flags(
    values: NDArray[np.float64], bounds: tuple[float, float] | None, codes: Any
) -> NDArray[np.int8]:
    low, high = bounds or (0, np.inf)
    flags = np.where(np.isnan(values), MISSING, FINE).astype(np.int8)
    if bounds and _is_whole(low, high):
        flags[np.isfinite(values) & (values != np.rint(values))] = BETWEEN
    flags[(values < low) | (values > high)] = OUTSIDE if bounds else NEGATIVE
    flags[np.isinf(values)] = INFINITE
    flags[np.isin(values, codes)] = DECLARED
    return flags


def _is_whole(low: float, high: float) -> bool:
    # [1, 7] is a scale of points; [0.0, 100.0] is a continuous one.
    return isinstance(low, int) and isinstance(high, int)


def _show(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
