"""Columns of numbers, checked: an error names column, row, value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxstats.core.cells import as_floats
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, no_column, row_name

if TYPE_CHECKING:
    import pandas as pd


def numbers(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as finite numbers; yes and no are 1 and 0.

    Raises
    ------
    DataError
        If a cell is missing, infinite or a text that is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers(pd.DataFrame({"spent": ["12.5", 3]}), "spent").tolist()
    [12.5, 3.0]
    """
    values = as_floats(frame[name])
    refuse(frame, name, ~np.isfinite(values), "numbers")
    return values


def holds_numbers(column: pd.Series[Any]) -> bool:
    """Return whether a column holds numbers, be it as objects, and no times.

    Examples
    --------
    >>> import pandas as pd
    >>> holds_numbers(pd.Series([None, 2.5], dtype=object))
    True
    >>> holds_numbers(pd.Series(["2024-03-01"]))
    False
    """
    import pandas as pd

    if column.dtype != object:
        return bool(pd.api.types.is_numeric_dtype(column.dtype))
    first = next((cell for cell in column if cell is not None and cell is not pd.NA), None)
    return isinstance(first, Number)


def check_columns(frame: pd.DataFrame, names: Iterable[str | None], more: str = "") -> None:
    """Raise if a table lacks a column, or has it twice.

    Raises
    ------
    DataError
        Naming the column.
    """
    for name in names:
        if name is None:
            continue
        if not isinstance(name, str):
            raise CxError(f"{excerpt(name)} is no column; allowed: the name of one, a text{more}")
        count = list(frame.columns).count(name)
        if not count:
            raise DataError(no_column(name, frame.columns) + more)
        if count > 1:
            raise DataError(f"column {name!r} stands {count} times in the table; allowed: once")


def refuse(frame: pd.DataFrame, name: str, wrong: Any, allowed: str) -> None:
    """Raise if a row of a column is wrong, for the first of them.

    Raises
    ------
    DataError
        Naming the column, the row, the value, how many rows are like it, and what is allowed.
    """
    places = np.flatnonzero(wrong)
    if len(places):
        value = frame[name].iloc[places[0]]
        if isinstance(value, np.generic):
            value = value.item()
        more = f" ({len(places)} such rows)" if len(places) > 1 else ""
        row = row_name(frame.index, int(places[0]))
        raise DataError(f"column {name!r}, {row}: {excerpt(value)}{more}; allowed: {allowed}")
