"""Answers as a matrix: what every analysis of respondents starts from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt, no_column, row_name
from cxstats.survey.codebook import Codebook, has_points

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


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

    Items that `cxstats.clean` has turned (``frame.attrs["reversed"]``) are not turned again. Joins
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
    turned = set(frame.attrs.get("reversed", ()))
    to_turn = set(codebook.turned) - turned
    columns = []
    for item in codebook.items:
        name = codebook.column(item, role)
        low, high = codebook.bounds(item)
        values = numbers(frame, name, codebook.missing_texts)
        values[np.isin(values, codebook.missing_numbers)] = np.nan
        _check_scale(values, frame.index, name, (low, high))
        columns.append(low + high - values if item in to_turn else values)
    matrix = np.column_stack(columns)
    _warn_of_turns(matrix, codebook, [item for item in codebook.reverse if item in to_turn])
    return matrix


def _check_scale(
    values: NDArray[Any], index: pd.Index[Any], name: str, bounds: tuple[float, float]
) -> None:
    """Raise if an answer is off its scale or between two points of it."""
    low, high = bounds
    between = np.flatnonzero(has_points(low, high) & (np.abs(values - np.round(values)) > 0))
    if len(between):
        raise DataError(
            f"{row_name(index, between[0])}, column {name!r}: {values[between[0]]:g} is "
            f"between two points; allowed: whole numbers from {low:g} to {high:g}"
        )
    off = np.flatnonzero((values < low) | (values > high))
    if len(off):
        raise DataError(
            f"{row_name(index, off[0])}, column {name!r}: {values[off[0]]:g} is off the "
            f"scale; allowed: {low:g} to {high:g}" + _more(off)
        )


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
                stacklevel=4,
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
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
    # Text that reads as a number ("5") is still text: cxstats.clean says what it maps.
    is_text = column.map(lambda value: isinstance(value, str)).to_numpy(bool)
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
    if value in TEXT_CODES:
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
    low, high = answered[0], answered[-1]
    distance = np.maximum(low - unique, unique - high)
    far = is_code & (distance > high - low)
    return dict(zip(unique[far].tolist(), counts[far].tolist(), strict=True))


def missing_code_notes(columns: Mapping[str, NDArray[Any]]) -> list[Text]:
    """Return a note on every value that looks like a missing code: column, value and count."""
    return [
        both(
            "survey.note.missing_code", column=name, count=count,
            value=format_number(value),
        )
        for name, values in columns.items()
        for value, count in missing_codes(values).items()
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
