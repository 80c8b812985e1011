"""Answers as a matrix: what every analysis of respondents starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.errors import DataError
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def as_pandas(frame: Any) -> pd.DataFrame:
    """Return any table as pandas; a lazy one is collected.

    Raises
    ------
    DataError
        If the table is of an unknown kind or has no rows.
    """
    import narwhals as nw

    try:
        table: Any = nw.from_native(frame)
    except TypeError as error:
        raise DataError(
            f"a table of type {type(frame).__name__!r} cannot be read; allowed: pandas, Polars, "
            "PyArrow, DuckDB relation"
        ) from error
    native: pd.DataFrame = (
        table.collect("pandas").to_native()
        if isinstance(table, nw.LazyFrame)
        else table.to_pandas()
    )
    if len(native) == 0:
        raise DataError("the table has no rows")
    return native


def answers(frame: pd.DataFrame, codebook: Codebook, role: str | None = None) -> NDArray[Any]:
    """Return the answers in a role as numbers, reverse items turned.

    Items that `cxstats.clean` has turned (``frame.attrs["reversed"]``) are not turned again.

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
        Naming row and column of an answer that is missing from the table, not a number or off
        the scale.
    """
    turned = set(frame.attrs.get("reversed", ()))
    columns = []
    for item in codebook.items:
        name = codebook.column(item, role)
        low, high = codebook.bounds(item)
        values = numbers(frame, name)
        off = np.flatnonzero((values < low) | (values > high))
        if len(off):
            raise DataError(
                f"row {frame.index[off[0]]!r}, column {name!r}: {values[off[0]]:g} is off the "
                f"scale; allowed: {low:g} to {high:g}" + _more(off)
            )
        columns.append(low + high - values if item in {*codebook.reverse} - turned else values)
    return np.column_stack(columns)


def numbers(frame: pd.DataFrame, name: str) -> NDArray[Any]:
    """Return a column as floats, NaN where missing.

    Raises
    ------
    DataError
        If the column is not there or twice there, or a value is not a finite number.
    """
    import pandas as pd

    if name not in frame.columns:
        shown = ", ".join(map(str, frame.columns[:30]))
        raise DataError(f"column {name!r} is not in the table; columns: {shown}")
    column = frame[name]
    if column.ndim > 1:
        raise DataError(f"column {name!r} stands twice in the table")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    values = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    # Text that reads as a number ("5") is still text: cxstats.clean says what it maps.
    text = column.map(lambda value: isinstance(value, str)).to_numpy(bool)
    bad = np.flatnonzero(np.isinf(values) | text | (np.isnan(values) & column.notna().to_numpy()))
    if len(bad):
        raise DataError(
            f"row {frame.index[bad[0]]!r}, column {name!r}: {column.iloc[bad[0]]!r} is not a "
            f"number; see cxstats.check and cxstats.clean" + _more(bad)
        )
    return values


def _more(rows: NDArray[Any]) -> str:
    return f" (and {len(rows) - 1} more in this column)" if len(rows) > 1 else ""
