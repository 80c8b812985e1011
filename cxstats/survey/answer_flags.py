"""The answers of a table as numbers, and beside each a flag that says what is wrong with it.

`check` and `clean` both start from here: what one names is what the other changes. A million
respondents of sixty items take about 11 bytes a cell; what needs more goes through blocks of rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
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
CELLS_AT_ONCE = 4_000_000  # of a block of rows
EXACT_WHOLE = 2**53  # up to here a float is a whole number exactly


class Cells(NamedTuple):
    """The cells of a column as they stood in the table: each different one once.

    Attributes
    ----------
    distinct : list
        Different cells, in Python's own types.
    codes : array (n,)
        Which of them each row has, -1 for a missing cell.
    """

    distinct: list[Any]
    codes: NDArray[Any]

    def at(self, i: int) -> Any:
        """Return the cell of a row."""
        code = self.codes[i]
        return None if code < 0 else self.distinct[code]


class Block(NamedTuple):
    """The answers in one role: its columns, their places in the table, and the turned ones.

    Attributes
    ----------
    role : str
    columns : tuple of str
    places : list of int
    turned : list of (int, float)
        Number of the column in the block, and what an answer and its turned one sum to.
    """

    role: str
    columns: tuple[str, ...]
    places: list[int]
    turned: list[tuple[int, float]]


@dataclass(frozen=True, eq=False)
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
    cells : list of Cells, type or None
        The k columns as they stood, where they were no numbers; for numbers, `int` or `float`.
    rows : list
        Labels of the index.
    respondents : list
        Their identifiers, where the codebook names a column of them; else empty.
    labels_repeat : bool
        Whether a label stands for several rows.
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
    cells: list[Cells | type]
    rows: list[Any]
    respondents: list[Any]
    labels_repeat: bool
    numeric_texts: list[tuple[str, int]]

    def without_table(self) -> FlaggedAnswers:
        """Return the same answers; the table may change, or go, and these do not."""
        return replace(self, table=self.table.iloc[:0])

    def cell(self, i: int, j: int) -> Any:
        """Return a cell as it stood in the table, in Python's own types."""
        cells = self.cells[j]
        return cells.at(i) if isinstance(cells, Cells) else cells(self.values[i, j])

    def usable(self, rows: Any = slice(None), columns: Any = slice(None)) -> NDArray[np.float64]:
        """Return values of some rows and columns, NaN where a cell cannot be used; a copy."""
        return np.where(self.flags[rows, columns] == FINE, self.values[rows, columns], np.nan)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Answers (n, n_answers) that were not given; what is wrong is not missing."""
        flags = self.flags[:, : self.n_answers]
        missing: NDArray[np.bool_] = (flags == MISSING) | (flags == DECLARED)
        return missing

    @property
    def points(self) -> slice:
        """The places of the points among the columns."""
        return slice(self.n_answers, self.n_answers + self.n_points)

    @property
    def turned(self) -> tuple[str, ...]:
        """Items that the table says are turned already."""
        items = self.table.attrs.get("reversed", ())
        return (items,) if isinstance(items, str) else tuple(items)

    @cached_property
    def name_counts(self) -> Counter[Any]:
        """How often each name of a column stands in the table."""
        return Counter(self.table.columns)

    def has(self, column: str) -> bool:
        """Return whether a column stands in the table, once."""
        return self.name_counts[column] == 1

    def raw(self, column: str) -> list[Any]:
        """Return a column as it stands in the table, in Python's own types."""
        cells = self.table[column].astype(object).to_numpy()
        return [cell.item() if isinstance(cell, np.generic) else cell for cell in cells]

    def slices(self) -> Iterator[slice]:
        """Yield blocks of rows that fit in memory, from the first to the last."""
        step = max(1, CELLS_AT_ONCE // max(1, len(self.columns)))
        for start in range(0, len(self.values), step):
            yield slice(start, start + step)

    @cached_property
    def blocks(self) -> list[Block]:
        """The answers of each role."""
        book, turned, blocks = self.codebook, set(self.turned), []
        place = {column: j for j, column in enumerate(self.columns[: self.n_answers])}
        for role in book.roles:
            items = {book.column(item, role): item for item in book.items}
            columns = [column for column in self.columns[: self.n_answers] if column in items]
            sums = [
                (k, float(sum(book.bounds(items[column]))))
                for k, column in enumerate(columns)
                if items[column] in turned
            ]
            places = [place[column] for column in columns]
            blocks.append(Block(role, tuple(columns), places, sums))
        return blocks

    def as_given(self, block: Block, rows: slice) -> NDArray[np.float64]:
        """Return the answers (rows, items) of a block as they were given, before any turning."""
        answers = self.usable(rows, block.places)
        for k, total in block.turned:
            answers[:, k] = total - answers[:, k]
        return answers

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
        places, hashes = [], []
        for part in self.slices():
            # Who gives the same answer to everything equals everyone else who does.
            varied = np.zeros(len(self.values[part]), dtype=bool)
            for block in self.blocks:
                if block.places:
                    responses = self.as_given(block, part)
                    highest = np.fmax.reduce(responses, axis=1)
                    varied |= highest > np.fmin.reduce(responses, axis=1)
            answers = self.usable(part, slice(self.n_answers)) + 0.0  # -0 is 0
            enough = (~np.isnan(answers)).sum(axis=1) >= MIN_BLOCK
            rows = np.flatnonzero(among[part] & varied & enough)
            if len(rows):
                frame = pd.DataFrame(answers[rows])
                hashes += pd.util.hash_pandas_object(frame, index=False).tolist()
                places += (rows + part.start).tolist()
        pairs["duplicate_row"] = _later_and_earlier(np.array(places, np.intp), hashes)
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
    cells: list[Cells | type] = []
    for j, column in enumerate(columns):
        labels = codebook.answer_labels(column) if column not in coded else NO_LABELS
        parsed = parse(table[column], labels, codebook.missing_texts)
        values[:, j], mapped[:, j] = parsed.values, parsed.mapped
        bounds = codebook.bounds_of(column)
        flags[:, j] = _flags(parsed.values, bounds, codebook.missing_numbers)
        flags[parsed.bad, j] = NOT_A_NUMBER
        flags[parsed.declared, j] = DECLARED
        cells.append(parsed.cells)
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
        cells,
        table.index.tolist(),
        respondents,
        not table.index.is_unique,
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
    for code in codes:
        flags[values == code] = DECLARED
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
    mapped: Any
    bad: NDArray[np.bool_] | slice
    declared: NDArray[np.bool_] | slice
    cells: Cells | type
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
    if series.dtype.kind in "iuf":
        # Of numpy's own types, the missing one is NaN as it is.
        plain = isinstance(series.dtype, np.dtype)
        values = (
            series.to_numpy(np.float64) if plain else series.to_numpy(np.float64, na_value=np.nan)
        )
        is_whole = series.dtype.kind != "f"
        if labels.codes:
            recoded, is_code = labels.of_codes(values)
            return Parsed(recoded, is_code, slice(0), slice(0), distinct_cells(series)[0])
        if not is_whole or not (np.abs(values) > EXACT_WHOLE).any():
            return Parsed(values, False, slice(0), slice(0), int if is_whole else float)
    cells, keys = distinct_cells(series)
    numbers = [
        (np.nan, "none") if kind is str and cell in no_answer else _number(kind, cell, labels)
        for kind, cell in keys
    ]
    # A missing cell has the code -1, so it takes what stands last.
    values = np.array([*(value for value, _ in numbers), np.nan])[cells.codes]
    states = {
        state: np.array([*(state == each for _, each in numbers), False])[cells.codes]
        for state in ("label", "bad", "none", "text")
    }
    n_texts = int(states["text"].sum())
    return Parsed(values, states["label"], states["bad"], states["none"], cells, n_texts)


def distinct_cells(series: pd.Series[Any]) -> tuple[Cells, list[tuple[type, Any]]]:
    """Return the different cells of a column, and each with its type as something to compare by.

    Few values in many rows: each is read once. 1, True and "1" are not the same cell.
    """
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, distinct = series.cat.codes.to_numpy(), series.cat.categories.tolist()
    elif isinstance(series.dtype, pd.StringDtype):
        codes, unique = pd.factorize(series)
        distinct = unique.tolist()
    else:
        array = series.astype(object).to_numpy().copy()
        missing = series.isna().to_numpy(bool)
        array[missing] = None
        try:
            codes, distinct = _by_type(array)
        except TypeError:  # a list or the like in a cell
            texts = _objects(
                [cell if type(cell) in SCALARS else str(cell) for cell in array.tolist()]
            )
            codes, distinct = _by_type(array, texts)
            keys = [(type(cell), cell if type(cell) in SCALARS else str(cell)) for cell in distinct]
            return Cells(list(map(_plain, distinct)), _narrow(codes, len(distinct))), keys
    keys = [(type(cell), cell) for cell in distinct]
    return Cells(list(map(_plain, distinct)), _narrow(codes, len(distinct))), keys


def _by_type(array: NDArray[Any], texts: NDArray[Any] | None = None) -> tuple[Any, list[Any]]:
    """Return which of the different cells each row has, and these; cells of two types differ."""
    import pandas as pd

    codes, _ = pd.factorize(array if texts is None else texts)
    kinds: dict[type, int] = {}
    types = [kinds.setdefault(type(cell), len(kinds)) for cell in array.tolist()]
    if len(kinds) - (type(None) in kinds) > 1:
        pairs = codes.astype(np.int64) * len(kinds) + np.array(types)
        pairs[codes < 0] = -1
        again, unique = pd.factorize(pairs)
        codes = np.where(pairs < 0, -1, again)
        if (unique < 0).any():  # the missing ones took a number of their own
            number = int(np.flatnonzero(unique < 0)[0])
            codes = np.where(codes > number, codes - 1, codes)
    first = np.zeros(codes.max(initial=-1) + 1, np.intp)
    rows = np.flatnonzero(codes >= 0)[::-1]
    first[codes[rows]] = rows
    return codes, array[first].tolist()


def _objects(cells: list[Any]) -> NDArray[Any]:
    array = np.empty(len(cells), object)
    array[:] = cells
    return array


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell


def _narrow(codes: Any, n: int) -> NDArray[Any]:
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if n <= np.iinfo(kind).max)
    return np.asarray(codes).astype(kind)


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
