"""Columns of numbers, checked: an error names column, row, value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cxstats.core.errors import DataError
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
    import pandas as pd

    column = frame[name]
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype(float)
    values = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
    refuse(frame, name, ~np.isfinite(values), "numbers")
    return np.asarray(values)


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
        count = int((frame.columns == name).sum())
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
