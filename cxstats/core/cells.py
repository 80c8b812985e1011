"""Cells of tables of others: what is no number, no name, no text; said before a library trips."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.messages import excerpt, row_name

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# What pandas infers of objects that need no look at each; texts are looked at for broken ones.
COMPLEX = (complex, np.complexfloating)  # numbers without an order
SIMPLE = ("string", "integer", "floating", "boolean", "datetime", "datetime64", "date", "empty")


def is_number(value: object) -> bool:
    """Return whether a value is a real number, of Python or NumPy; true and false are none.

    Examples
    --------
    >>> [is_number(value) for value in (1, 2.5, np.int64(3), True, "4", 1j)]
    [True, True, True, False, False, False]
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def is_whole_number(value: object) -> bool:
    """Return whether a value is an integer, of Python or NumPy; 2.0, true and false are none.

    Examples
    --------
    >>> [is_whole_number(value) for value in (1, np.int64(3), 2.0, True)]
    [True, True, False, False]
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def cells_of(column: pd.Series[Any], *types: type) -> NDArray[np.bool_]:
    """Return which cells (n,) are texts, flags or the like; a column of numbers has none.

    The cells of such a column are not looked at one by one.

    Examples
    --------
    >>> import pandas as pd
    >>> cells_of(pd.Series([1, "2", None], dtype=object), str).tolist()
    [False, True, False]
    >>> cells_of(pd.Series([1.0, 2.0]), str).tolist()
    [False, False]
    """
    import pandas as pd

    dtype = column.dtype
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        return np.zeros(len(column), bool)
    return np.fromiter((isinstance(cell, types) for cell in column), bool, len(column))


def check_group_values(column: pd.Series[Any], name: str, what: str = "group") -> None:
    """Raise if a cell is a list, a mapping or an array, or a text with a half of a character.

    Parameters
    ----------
    column : pandas.Series
    name : str
        Of the column, for the message.
    what : str
        What a cell ought to be.

    Raises
    ------
    DataError
        Naming the first such row.

    Examples
    --------
    >>> import pandas as pd
    >>> check_group_values(pd.Series(["a", [1]]), "branch")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    cxstats.core.errors.DataError: row 1, column 'branch': [1] is no group; allowed: text, ...
    """
    import pandas as pd

    if column.dtype != object:
        return
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in SIMPLE and not (kind == "string" and has_broken_text(column)):
        return
    for row, value in enumerate(column):
        if isinstance(value, str):
            if not is_broken(value):
                continue
        elif not isinstance(value, COMPLEX) and pd.api.types.is_hashable(value):
            continue
        raise DataError(
            f"{row_name(column.index, row)}, column {name!r}: {excerpt(value)} is no {what}; "
            "allowed: text, numbers, dates, true and false"
        )


def is_broken(text: str) -> bool:
    """Return whether a text holds a half of a character, which no file and no library takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def has_broken_text(column: pd.Series[Any]) -> bool:
    """Return whether a text of a column is broken; only a column of objects can hold one."""
    return column.dtype == object and is_broken(
        "".join(cell for cell in column if isinstance(cell, str))
    )


def as_floats(column: pd.Series[Any]) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where a cell is missing or no number.

    Dates, durations and complex numbers are none, although pandas has numbers for them; neither is
    a whole number too large for a computer.

    Examples
    --------
    >>> import pandas as pd
    >>> as_floats(pd.Series([1, "2.5", "x", 1j, None, 10**400], dtype=object)).tolist()
    [1.0, 2.5, nan, nan, nan, nan]
    >>> as_floats(pd.Series(pd.to_timedelta([1, 2], "D"))).tolist()
    [nan, nan]
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if getattr(column.dtype, "kind", "O") in "mMc" or isinstance(column.dtype, pd.PeriodDtype):
        return np.full(len(column), np.nan)
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype("Float64")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            values = pd.to_numeric(column, errors="coerce")
            return np.array(values.to_numpy(np.float64, na_value=np.nan))
    except (OverflowError, TypeError, UnicodeEncodeError, np.exceptions.ComplexWarning):
        return np.array([_as_float(cell) for cell in column])


def _as_float(cell: Any) -> float:
    try:
        return float(cell) if np.ndim(cell) == 0 else np.nan
    except (TypeError, ValueError, OverflowError):
        return np.nan


def as_labels(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as texts, None where it is blank, whatever pandas takes texts for."""
    import pandas as pd

    return pd.Series([as_label(cell) for cell in column], column.index, dtype=object)


def as_label(cell: Any) -> str | None:
    """Return a cell as text without spaces at its ends; 12 and 12.0 are "12".

    Examples
    --------
    >>> as_label(12.0), as_label(" a "), as_label("  "), as_label(float("nan"))
    ('12', 'a', None, None)
    """
    import pandas as pd

    if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
        return None
    is_whole = isinstance(cell, (float, np.floating)) and float(cell).is_integer()
    return str(int(cell) if is_whole else cell).strip() or None


def as_identities(column: pd.Series[Any], name: str, what: str) -> pd.Series[Any]:
    """Return who or what each row belongs to; a column of several types as texts.

    Raises
    ------
    DataError
        Naming the first row that is blank, or holds a list or the like.

    Examples
    --------
    >>> import pandas as pd
    >>> as_identities(pd.Series([12, "12", "b"], dtype=object), "who", "customer").tolist()
    ['12', '12', 'b']
    """
    import pandas as pd

    check_group_values(column, name, what)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    column = column.infer_objects()
    is_text = column.dtype == object or pd.api.types.is_string_dtype(column.dtype)
    labels = as_labels(column) if is_text else column
    blank = np.flatnonzero(labels.isna().to_numpy(bool))
    if len(blank):
        more = f" ({len(blank)} such rows)" if len(blank) > 1 else ""
        row = row_name(column.index, int(blank[0]))
        raise DataError(
            f"column {name!r}, {row}: {excerpt(column.iloc[blank[0]])}{more}; allowed: a {what} in "
            "every row"
        )
    return labels.astype("str") if is_text else labels
