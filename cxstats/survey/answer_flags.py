"""The answers of a table as numbers, and beside each a flag that says what is wrong with it.

`check` and `clean` both start from here: what one names is what the other changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.survey.answer_labels import AnswerLabels, as_number
from cxstats.survey.codebook import Codebook, has_points

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# The flags of a cell; from NOT_A_NUMBER on, no analysis can use it.
FINE, MISSING, DECLARED, NOT_A_NUMBER, INFINITE, OUTSIDE, BETWEEN, NEGATIVE = range(8)
# Flag of a cell -> kind of problem.
FLAG_KINDS = (
    "",
    "",
    "declared_missing",
    "not_a_number",
    "infinite",
    "out_of_range",
    "not_on_scale",
    "points_not_100",
)
MIN_BLOCK = 5  # items below which equal answers say nothing about the respondent
CODED = "coded"  # of a table's attributes: the columns whose answer labels are numbers already
NO_LABELS = AnswerLabels()
SCALARS = (str, bool, int, float, type(None))


@dataclass(frozen=True, slots=True, eq=False)
class FlaggedAnswers:
    """The numbers of a table: k columns of answers, of points and of rated questions.

    Attributes
    ----------
    table : pandas.DataFrame
        The responses (n rows).
    codebook : Codebook
    columns : tuple of str
        The k columns that stand in the table once.
    n_answers, n_points : int
        The first of them are answers, the next are points, the others questions outside the
        constructs.
    values : array (n, k)
        Numbers, NaN where there is none.
    flags : array (n, k)
        What is wrong: FINE, MISSING, DECLARED ...
    mapped : array (n, k)
        Whether the cell is an answer label.
    rows : list
        Labels of the index.
    respondents : list
        Their identifiers, where the codebook names a column of them; else empty.
    numeric_texts : list of (str, int)
        How many numbers were written as text, by column.
    """

    table: pd.DataFrame
    codebook: Codebook
    columns: tuple[str, ...]
    n_answers: int
    n_points: int
    values: NDArray[np.float64]
    flags: NDArray[np.int8]
    mapped: NDArray[np.bool_]
    rows: list[Any]
    respondents: list[Any]
    numeric_texts: list[tuple[str, int]]

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
    def points(self) -> slice:
        """The places of the points among the columns."""
        return slice(self.n_answers, self.n_answers + self.n_points)

    @property
    def turned(self) -> tuple[str, ...]:
        """Items that the table says are turned already."""
        items = self.table.attrs.get("reversed", ())
        return (items,) if isinstance(items, str) else tuple(items)

    def has(self, column: str) -> bool:
        """Return whether a column stands in the table, once."""
        return list(self.table.columns).count(column) == 1

    def raw(self, column: str) -> list[Any]:
        """Return a column as it stands in the table, in Python's own types."""
        cells = self.table[column].astype(object).to_numpy()
        return [cell.item() if isinstance(cell, np.generic) else cell for cell in cells]

    def blocks(self) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
        """Yield each role, its columns, and its answers (n, items) as they were given."""
        usable = self.usable
        for role in self.codebook.roles:
            items = {self.codebook.column(item, role): item for item in self.codebook.items}
            places = [j for j, column in enumerate(self.columns) if column in items]
            answers = usable[:, places]
            for k, j in enumerate(places):
                item = items[self.columns[j]]
                if item in self.turned:
                    answers[:, k] = sum(self.codebook.bounds(item)) - answers[:, k]
            yield role, tuple(self.columns[j] for j in places), answers

    def duplicates(self, among: NDArray[np.bool_]) -> dict[str, dict[int, int]]:
        """Return, for each kind of duplicate, the later row and the earlier one, `among` rows."""
        import pandas as pd

        pairs: dict[str, dict[int, int]] = {"duplicate_respondent": {}, "duplicate_row": {}}
        column = self.codebook.respondent
        if column is not None and self.has(column):
            identifiers = self.raw(column)
            rows = np.flatnonzero(among & self.table[column].notna().to_numpy(bool))
            keys = [str(identifiers[i]) for i in rows]
            pairs["duplicate_respondent"] = _later_and_earlier(rows, keys)
        # Who gives the same answer to everything equals everyone else who does.
        varied = np.zeros(len(self.table), dtype=bool)
        for _, _, block in self.blocks():
            if block.shape[1]:
                varied |= np.fmax.reduce(block, axis=1) > np.fmin.reduce(block, axis=1)
        answers = self.usable[:, : self.n_answers] + 0.0  # -0 is 0
        enough = (~np.isnan(answers)).sum(axis=1) >= MIN_BLOCK
        rows = np.flatnonzero(among & varied & enough)
        if len(rows):
            hashes = pd.util.hash_pandas_object(pd.DataFrame(answers[rows]), index=False)
            pairs["duplicate_row"] = _later_and_earlier(rows, hashes.tolist())
        return pairs


def _later_and_earlier(rows: NDArray[np.intp], keys: Sequence[Hashable]) -> dict[int, int]:
    first: dict[Hashable, int] = {}
    pairs = zip(rows.tolist(), keys, strict=True)
    return {row: earlier for row, key in pairs if (earlier := first.setdefault(key, row)) != row}


def flag_answers(table: pd.DataFrame, codebook: Codebook) -> FlaggedAnswers:
    """Read the answers, points and rated questions as numbers; a doubled column is left out."""
    counts = Counter(table.columns)
    answers, points, rated = (
        [column for column in columns if counts[column] == 1]
        for columns in (codebook.answer_columns, codebook.point_columns, codebook.rated_columns)
    )
    columns = (*answers, *points, *rated)
    coded = table.attrs.get(CODED, ())
    shape = (len(table), len(columns))
    values, flags = np.empty(shape, order="F"), np.zeros(shape, dtype=np.int8, order="F")
    mapped, numeric_texts = np.zeros(shape, dtype=bool, order="F"), []
    for j, column in enumerate(columns):
        labels = codebook.answer_labels(column) if column not in coded else NO_LABELS
        parsed = parse(table[column], labels, codebook.missing_texts)
        values[:, j], mapped[:, j] = parsed.values, parsed.mapped
        bounds = codebook.bounds_of(column)
        flags[:, j] = _flags(parsed.values, bounds, codebook.missing_numbers)
        flags[parsed.bad, j] = NOT_A_NUMBER
        flags[parsed.declared, j] = DECLARED
        numeric_texts += [(column, parsed.n_texts)] if parsed.n_texts else []
    respondent = codebook.respondent
    is_there = respondent is not None and counts[respondent] == 1
    respondents = table[respondent].astype(object).tolist() if is_there else []
    return FlaggedAnswers(
        table,
        codebook,
        columns,
        len(answers),
        len(points),
        values,
        flags,
        mapped,
        table.index.tolist(),
        respondents,
        numeric_texts,
    )


def _flags(
    values: NDArray[np.float64], bounds: tuple[float, float] | None, codes: Sequence[float]
) -> NDArray[np.int8]:
    low, high = bounds or (0, np.inf)
    flags = np.where(np.isnan(values), MISSING, FINE).astype(np.int8)
    if bounds and has_points(low, high):
        flags[np.isfinite(values) & (values != np.rint(values))] = BETWEEN
    flags[(values < low) | (values > high)] = OUTSIDE if bounds else NEGATIVE
    flags[np.isinf(values)] = INFINITE
    flags[np.isin(values, codes)] = DECLARED
    return flags


def flags_of(
    parsed: Parsed, bounds: tuple[float, float] | None, codes: Sequence[float]
) -> NDArray[np.int8]:
    """Return the flag of every answer (n,); `bounds` of its scale, None of points."""
    flags = _flags(parsed.values, bounds, codes)
    flags[parsed.bad], flags[parsed.declared] = NOT_A_NUMBER, DECLARED
    return flags


class Parsed(NamedTuple):
    """A column as numbers (n,), NaN where there is none; labels, wrong ones, declared missing."""

    values: NDArray[np.float64]
    mapped: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    declared: NDArray[np.bool_]
    n_texts: int = 0


def parse(series: pd.Series[Any], labels: AnswerLabels, no_answer: Sequence[str] = ()) -> Parsed:
    """Read a column of any type as numbers.

    Parameters
    ----------
    series : pandas.Series
        Numbers, text, categories, `Decimal`, or a mixture.
    labels : AnswerLabels
        Texts and codes that stand for a number. Any other text is wrong unless it is a number.
    no_answer : sequence of str
        Texts that mean "no answer".
    """
    kind = series.dtype.kind
    missing = series.isna().to_numpy(bool)
    none = np.zeros(len(series), dtype=bool)
    if kind == "b":
        return Parsed(np.full(len(series), np.nan), none, ~missing, none)
    if kind in "iuf":
        values = series.to_numpy(np.float64, na_value=np.nan)
        if not labels.codes:
            return Parsed(values, none, none, none)
        return Parsed(*labels.of_codes(values), none, none)
    # Few values in many rows: each is read once. 1, True and "1" are not the same value.
    cells = series.astype(object).to_numpy().copy()
    cells[missing] = None
    keys = [(cell.__class__, cell) for cell in cells.tolist()]
    try:
        places = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    except TypeError:  # a list or the like in a cell
        keys = [(kind, cell if kind in SCALARS else str(cell)) for kind, cell in keys]
        places = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    numbers = [
        (np.nan, "none") if kind is str and cell in no_answer else _number(kind, cell, labels)
        for kind, cell in places
    ]
    codes = np.fromiter(map(places.__getitem__, keys), dtype=np.intp, count=len(keys))
    values = np.array([value for value, _ in numbers], dtype=np.float64)[codes]
    states = np.array([state for _, state in numbers], dtype="U5")[codes]
    return Parsed(
        values, states == "label", states == "bad", states == "none", int((states == "text").sum())
    )


def _number(kind: type, cell: Any, labels: AnswerLabels) -> tuple[float, str]:
    """Return a value as a number, and "label", "text" (a number as text), "bad" or ""."""
    if cell is None or cell == "":
        return np.nan, ""
    if issubclass(kind, str):
        number = labels.number(cell)
        if number is not None:
            return number, "label"
        number = as_number(cell)
        if number is not None:
            return number, "text"
    # True is no answer, and of the texts that float() takes ("inf", "1_000") none is a number.
    real = issubclass(kind, Real | Decimal) and not issubclass(kind, bool | np.bool_)
    try:
        number = float(cell) if real else np.nan
    except (OverflowError, ValueError):  # 10**400; a signalling NaN
        return np.nan, "bad"
    if number in labels.codes:
        return labels.codes[number], "label"
    return number, "" if real else "bad"
