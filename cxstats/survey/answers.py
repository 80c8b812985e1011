"""Answers as a matrix: what every analysis of respondents starts from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from cxstats.core.cells import as_floats, cells_of
from cxstats.core.engines import is_lazy, respondents
from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt, listing, look, no_column, row_name
from cxstats.core.value_counts import value_counts
from cxstats.survey.answer_flags import (
    BETWEEN,
    CODED,
    FINE,
    INFINITE,
    NEGATIVE,
    NO_LABELS,
    NOT_A_NUMBER,
    OUTSIDE,
    flags_of,
    parse,
)
from cxstats.survey.codebook import Codebook, has_points

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.survey.answer_labels import AnswerLabels

READ = "read_by_codebook"  # of a table's attributes: the columns that `coded` has read already
# A turned item that correlates below this with its construct, in enough answers, is suspicious.
TURNED_TWICE, ENOUGH = -0.3, 20
# What files write for "no answer", "refused", "does not apply". Single digits above 0 are answers.
_CODES = [float(str(digit) * size) for digit in (6, 7, 8, 9) for size in (1, 2, 3, 4, 5)]
_CODES += [96.0, 97.0, 98.0, 996.0, 997.0, 998.0, 9998.0]
MISSING_CODES = np.array([*(-code for code in _CODES), *(code for code in _CODES if code > 9)])


# Texts that programs write for "no answer".
TEXT_CODES = (
    "#NULL!",
    "#N/A",
    "NA",
    "N/A",
    "n/a",
    "null",
    "NULL",
    ".",
    "-",
    "NaN",
    "缺失",
    "未回答",
)


def answers(frame: pd.DataFrame, codebook: Codebook, role: str | None = None) -> NDArray[Any]:
    """Return the answers in a role as numbers: declared codes missing, reverse items turned.

    Declared labels stand for their numbers, and numbers written as text are numbers. Items that
    `cxstats.clean` has turned (``frame.attrs["reversed"]``) are not turned again. Joins
    and other programs lose that mark; an item that then goes against its construct is warned of.

    Parameters
    ----------
    frame : pandas.DataFrame
        The responses.
    codebook : Codebook
        The questionnaire.
    role : str, optional
        "perception", "expectation" or "minimum"; without it, the main answer of each item.

    Returns
    -------
    array (n, items)
        NaN where the answer is missing.

    Raises
    ------
    DataError
        Naming row and column of an answer that is missing from the table, not a number, off the
        scale or, on a scale of whole numbers, between two points.

    Warns
    -----
    TurnedTwiceWarning
        If a reverse item, turned here, correlates below -0.3 with the rest of its construct.
    """
    to_turn = set(codebook.turned) - set(turned_before(frame))
    columns = codebook.columns(role)
    matrix = np.column_stack([answers_of(frame, codebook, column) for column in columns])
    read = frame.attrs.get(READ, ())
    unread = {item for item in to_turn if codebook.column(item, role) not in read}
    _warn_of_turns(matrix, codebook, [item for item in codebook.reverse if item in unread])
    return matrix


def answers_of(frame: pd.DataFrame, book: Codebook, column: str) -> NDArray[Any]:
    """Return a declared column of answers as numbers (n,): as `coded`, of pandas alone.

    Raises
    ------
    DataError
        If the column is not in the table or twice there, or naming the answer that is wrong.
    """
    if column not in frame.columns:
        raise DataError(no_column(column, frame.columns))
    series = frame[column]
    if series.ndim > 1:
        raise DataError(f"column {column!r} stands twice in the table")
    read = column in frame.attrs.get(READ, ())
    labels = NO_LABELS if read or column in frame.attrs.get(CODED, ()) else labels_of(book, column)
    if str(series.dtype) in ("bool", "boolean"):
        raise DataError(f"column {column!r} holds true and false; allowed: numbers")
    if getattr(series.dtype, "kind", "") in "mMc" or str(series.dtype).startswith("period"):
        _raise_for_kind(series, column)
    parsed = parse(series, labels, book.missing_texts)
    flags = flags_of(parsed, book.bounds_of(column), book.missing_numbers)
    wrong = np.flatnonzero(flags >= NOT_A_NUMBER)
    if len(wrong):
        first = wrong[0]
        where = respondent_of(frame, book, first)
        raise DataError(
            wrong_answer(book, column, where, series.iloc[first], flags[first], len(wrong))
        )
    values = np.where(flags == FINE, parsed.values, np.nan)
    if not read and turns(book, column, turned_before(frame)):
        values = sum(book.bounds_of(column) or ()) - values
    return values


def turned_before(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the items and questions that a table says are turned already."""
    items = frame.attrs.get("reversed", ())
    return (items,) if isinstance(items, str) else tuple(items)


def turns(book: Codebook, column: str, turned: Sequence[str] = ()) -> bool:
    """Return whether the answers of a column are to be turned; `turned` are those that were."""
    if book.bounds_of(column) is None:
        return False
    name = book.name_of(column)
    return name in book.turned and name not in turned


def labels_of(book: Codebook, column: str) -> AnswerLabels:
    """Return the labels that stand for numbers in a column."""
    # Points are amounts: no label of an answer stands for one.
    return NO_LABELS if column in book.point_columns else book.answer_labels(column)


def respondent_of(frame: pd.DataFrame, book: Codebook | None, position: int) -> str:
    """Return how a message calls a row: by its label, and the respondent's where there is one."""
    row, column = row_name(frame.index, position), None if book is None else book.respondent
    if column is None or list(frame.columns).count(column) != 1:
        return row
    return row + respondent_name(frame[column].iloc[position])


def respondent_name(identifier: Any) -> str:
    """Return an identifier as it stands in a message, in brackets; nothing where there is none."""
    if identifier is None or identifier != identifier or identifier == "":  # noqa: PLR0124  (NaN)
        return ""
    value = identifier.item() if hasattr(identifier, "item") else identifier
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return f" (respondent {excerpt(value)})"


def wrong_answer(book: Codebook, column: str, where: str, value: Any, flag: int, count: int) -> str:
    """Return what is wrong with an answer, and what is allowed."""
    bounds = book.bounds_of(column)
    allowed = "points from 0 upwards"
    if bounds is not None:
        low, high = bounds
        kind = "whole numbers from " if has_points(low, high) and flag == BETWEEN else ""
        allowed = f"{kind}{low:g} to {high:g}"
    if book.missing:
        allowed += f"; no answer: {listing(map(str, book.missing))}"
    value = value.item() if hasattr(value, "item") else value
    number = f"{value:g}" if isinstance(value, int | float) else excerpt(value)
    more = f" (and {count - 1} more in this column)" if count > 1 else ""
    place = f"{where}{', ' if where else ''}column {column!r}: ".lstrip()
    if flag == NOT_A_NUMBER:
        labels = labels_of(book, column).labels
        declared = f", or the declared answers {listing(labels, 10)}" if labels else ""
        return (
            f"{place}{excerpt(value)} is not a number{_alike(str(value), labels)}; allowed: "
            f"{allowed}{declared}; {_way_out(value)}{more}"
        )
    says = {
        OUTSIDE: "is off the scale",
        BETWEEN: "is between two points",
        NEGATIVE: "is negative",
        INFINITE: "is infinite",
    }[flag]
    return f"{place}{number} {says}; allowed: {allowed}{more}"


def _alike(text: str, labels: Mapping[str, float]) -> str:
    """Return which declared answer a text may mean."""
    looks = {look(label): label for label in labels}
    near = get_close_matches(look(text), list(looks), 1, 0.75)
    return f", nor a declared answer (did you mean {excerpt(looks[near[0]])}?)" if near else ""


class TurnedTwiceWarning(UserWarning):
    """A reverse item goes against its construct after turning."""


def _warn_of_turns(matrix: NDArray[Any], codebook: Codebook, turned: list[str]) -> None:
    for item in turned:
        others = [i for i in codebook.constructs[codebook.construct_of(item)] if i != item]
        columns = matrix[:, [codebook.items.index(name) for name in (item, *others)]]
        complete = columns[~np.isnan(columns).any(axis=1)]
        scores, sums = complete[:, 0], complete[:, 1:].sum(axis=1)
        if len(complete) < ENOUGH or np.ptp(sums) == 0 or np.ptp(scores) == 0:
            continue
        r = np.corrcoef(scores, sums)[0, 1]
        if r < TURNED_TWICE:
            warnings.warn(
                f"reverse item {item!r} was turned here and goes against its construct "
                f"(r = {r:.2f}): was it turned before, in a table that lost attrs['reversed']?",
                TurnedTwiceWarning,
                stacklevel=5,
            )


def numbers(frame: pd.DataFrame, name: str, missing: Sequence[str] = ()) -> NDArray[Any]:
    """Return a column as floats, NaN where missing.

    Parameters
    ----------
    frame : pandas.DataFrame
    name : str
    missing : sequence of str
        Texts that mean "no answer".

    Raises
    ------
    DataError
        If the column is not there or twice there, or a value is not a finite number: a date or a
        time passed is none either.
    """
    import pandas as pd

    if name not in frame.columns:
        raise DataError(no_column(name, frame.columns))
    column = frame[name]
    if column.ndim > 1:
        raise DataError(f"column {name!r} stands twice in the table")
    if str(column.dtype) in ("bool", "boolean"):
        raise DataError(f"column {name!r} holds true and false; allowed: numbers")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if missing and getattr(column.dtype, "kind", "O") == "O":
        column = column.astype(object).mask(column.isin(list(missing)))
    # Left to itself, pandas reads a date as the microseconds since 1970.
    if getattr(column.dtype, "kind", "") in "mMc" or isinstance(column.dtype, pd.PeriodDtype):
        _raise_for_kind(column, name)
    values = as_floats(column)
    # Text that reads as a number ("5") is still text: cxstats.clean says what it maps.
    is_text = cells_of(column, str)
    lost = np.isnan(values) & column.notna().to_numpy()
    bad = np.flatnonzero(np.isinf(values) | is_text | lost)
    if len(bad):
        strays = np.flatnonzero(np.isinf(values) | lost)
        first = strays[0] if len(strays) else bad[0]
        texts = int(is_text.sum()) - int((is_text & lost).sum())
        where = f"{row_name(frame.index, first)}, column {name!r}: {excerpt(column.iloc[first])}"
        if not len(strays):
            raise DataError(
                f"{where} is text that reads as a number, as {texts} are; see cxstats.clean, or "
                "pandas.to_numeric"
            )
        also = f"; {texts} numbers are text because of it" if texts else ""
        raise DataError(
            f"{where} is not a number; {_way_out(column.iloc[first])}{_more(strays)}{also}"
        )
    return values


def _way_out(value: object) -> str:
    """Return what to do about a value that is no number."""
    if isinstance(value, str) and value in TEXT_CODES:
        return (
            f"if it means no answer, read the file with missing=[{value!r}], or say so in the "
            "codebook and take cxstats.clean"
        )
    return "see cxstats.check and cxstats.clean"


def missing_codes(values: NDArray[Any]) -> dict[float, int]:
    """Return the values that look like missing codes, and how often each is there.

    Such a value is one of those that files use (-9, -99, 999 ...) and lies further from every other
    value than these lie from each other. Values that merely lie far out are none.

    Parameters
    ----------
    values : array (n,)
        Answers as numbers; NaN is no answer.

    Examples
    --------
    >>> missing_codes(np.array([1, 2, 7, 5, -99, -99, 3])), missing_codes(np.array([0, 9, 10, 4]))
    ({-99.0: 2}, {})
    """
    values = np.asarray(values, float)
    unique, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    is_code = np.isin(unique, MISSING_CODES)
    answered = unique[~is_code]
    if len(answered) < 2:
        return {}
    return _far_codes(unique[is_code], counts[is_code], answered[0], answered[-1])


def _far_codes(
    codes: NDArray[np.float64], counts: NDArray[Any], low: float, high: float
) -> dict[float, int]:
    """Return the codes further from answers between `low` and `high` than these are apart."""
    distance = np.maximum(low - codes, codes - high)
    far = (counts > 0) & (distance > high - low) & (high > low)
    return dict(zip(codes[far].tolist(), counts[far].tolist(), strict=True))


def missing_code_notes_of(frame: Any, columns: Sequence[str]) -> list[Text]:
    """Return `missing_code_notes` on columns of any table; the engine of a lazy one counts."""
    if not is_lazy(frame):
        _, values, _ = respondents(frame, columns)
        return missing_code_notes(dict(zip(columns, values.T, strict=True)))
    # A code that lies far from every answer is the smallest value of its column, or the largest.
    ends = value_counts(frame, columns, ())
    suspect = [name for name, x in ends.items() if np.isin([x.low, x.high], MISSING_CODES).any()]
    if not suspect:
        return []
    codes = np.array(
        [
            code
            for code in np.sort(MISSING_CODES)
            if any(ends[name].low <= code <= ends[name].high for name in suspect)
        ]
    )
    counted = value_counts(frame, suspect, codes.tolist())
    return _code_notes(
        {name: _far_codes(codes, x.counts, x.low, x.high) for name, x in counted.items()}
    )


def missing_code_notes(columns: Mapping[str, NDArray[Any]]) -> list[Text]:
    """Return a note on every value that looks like a missing code: column, value and count."""
    return _code_notes({name: missing_codes(values) for name, values in columns.items()})


def _code_notes(codes: Mapping[str, Mapping[float, int]]) -> list[Text]:
    return [
        both(
            "survey.note.missing_code", column=name, count=count,
            value=format_number(value),
        )
        for name, counts in codes.items()
        for value, count in counts.items()
    ]  # fmt: skip


def _raise_for_kind(column: pd.Series[Any], name: str) -> NoReturn:
    """Raise for a column of dates, times passed or complex numbers, naming its first value."""
    kinds = {"m": "a time passed", "c": "a complex number"}
    kind = kinds.get(getattr(column.dtype, "kind", ""), "a date")
    filled = np.flatnonzero(column.notna().to_numpy(bool))
    if not len(filled):
        raise DataError(f"column {name!r} has the type {column.dtype}; allowed: numbers")
    raise DataError(
        f"{row_name(column.index, filled[0])}, column {name!r}: {str(column.iloc[filled[0]])!r} is "
        f"{kind}; allowed: numbers, such as (date - start) / pandas.Timedelta(days=1)"
    )


def _more(rows: NDArray[Any]) -> str:
    return f" (and {len(rows) - 1} more in this column)" if len(rows) > 1 else ""
