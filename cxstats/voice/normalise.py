"""Texts of customers from any column or list, in their normal form (`normalise_text`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.messages import excerpt, no_column, row_name
from cxstats.core.normal_text import LONGEST, copy_key, normalise_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["LONGEST", "Texts", "copy_key", "normalise_text", "read_column", "read_texts"]

ALLOWED = "allowed: text, a number, or nothing"
_NUMBERS = (np.integer, np.floating)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Texts in their normal form, in the order of the client's rows.

    Attributes
    ----------
    values : list of str
        The empty text where there is none.
    index : pandas.Index
        Labels of the rows.
    missing : array of bool (n,)
        Rows without a value (None, NaN, NA).
    shortened : array of bool (n,)
        Rows of which only the first `LONGEST` characters were read.
    """

    values: list[str]
    index: pd.Index[Any]
    missing: NDArray[np.bool_]
    shortened: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)


def read_texts(texts: Any, column: str | None = None, longest: int = LONGEST) -> Texts:
    """Read texts from a list, a column, or one column of a table, and normalise them.

    A missing value (None, NaN, NA) is an empty text and marked as missing. A number is the text
    that a person writes for it (5.0 is "5"): spreadsheets hold such answers as numbers. Anything
    else is refused.

    Parameters
    ----------
    texts : list, array (n,), Series or table of any engine (pandas, Polars, Arrow, DuckDB)
    column : str, optional
        The column of a table; not needed where it has one column only.
    longest : int
        Characters of a text that are read.

    Returns
    -------
    Texts

    Raises
    ------
    DataError
        If there are no texts, the column is not in the table, or a row holds something else, which
        is named.

    Examples
    --------
    >>> read = read_texts(["很好", None, 5.0, "a  b"])
    >>> read.values, read.missing.tolist()
    (['很好', '', '5', 'a b'], [False, True, False, False])
    """
    import pandas as pd

    cells, index = _cells(texts, column)
    if not cells:
        raise DataError("there are no texts; at least one is needed")
    rows = pd.RangeIndex(len(cells)) if index is None else index
    values, missing = [], np.zeros(len(cells), bool)
    shortened = np.zeros(len(cells), bool)
    for i, cell in enumerate(cells):
        text = cell if isinstance(cell, str) else _written(cell, column, rows, i)
        if text is None:
            missing[i], text = True, ""
        shortened[i] = len(text) > longest
        values.append(normalise_text(text, longest))
    return Texts(values, rows, missing, shortened)


def read_column(values: Any, n: int, name: str, table: Any = None) -> Sequence[Any]:
    """Return what stands beside texts (labels, groups): a column of their table, or n values.

    Parameters
    ----------
    values : str, or list, array or Series (n,)
        The name of a column of `table`, or the values themselves, in the order of the texts.
    n : int
        How many texts there are.
    name : str
        What messages call it, such as ``"labels"``.
    table : table, optional
        What the texts were read from.

    Returns
    -------
    list (n,)

    Raises
    ------
    DataError
        If the column is not in the table, or there are more or fewer than n values.

    Examples
    --------
    >>> read_column(["shop", "web"], 2, "by")
    ['shop', 'web']
    """
    if isinstance(values, str):
        if not _is_table(table):
            raise DataError(
                f"{name}={excerpt(values)} names a column, but the texts are no table; allowed: "
                "a list of one value for each text"
            )
        cells, _ = _cells(table, values)
    else:
        cells, _ = _cells(values, None, name)
    if len(cells) != n:
        raise DataError(
            f"{name} has {len(cells):,} values for {n:,} texts; allowed: one for each text, in "
            "their order"
        )
    return cells


def _cells(
    values: Any, column: str | None, name: str = "texts"
) -> tuple[list[Any], pd.Index[Any] | None]:
    """Return the cells of a list or column as Python has them, and the labels of rows."""
    import pandas as pd

    if isinstance(values, pd.DataFrame):
        values = _pandas_column(values, column)
    elif _is_table(values):
        values = _engine_column(values, column)
    elif column is not None:
        raise DataError(f"column={excerpt(column)}, but {name} is no table")
    if isinstance(values, pd.Series):
        return values.astype(object).tolist(), values.index
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            if getattr(values, "ndim", 1) != 1:
                raise DataError(
                    f"{name} is an array of shape {np.shape(values)}; allowed: one dimension"
                )
            return list(getattr(values, method)()), None
    no_list = isinstance(values, (str, bytes, bytearray, Mapping, AbstractSet))
    if no_list or not isinstance(values, Iterable):
        raise DataError(f"{name} is {excerpt(values)}; allowed: a list, a column or a table")
    return list(values), None


def _is_table(values: Any) -> bool:
    """Tell whether it is a table of any engine."""
    import narwhals as nw
    import pandas as pd

    try:
        return isinstance(values, pd.DataFrame) or nw.from_native(values) is not None
    except TypeError:
        return False


def _pandas_column(frame: pd.DataFrame, column: str | None) -> pd.Series[Any]:
    names = [str(name) for name in frame.columns]
    column = _chosen(names, column)
    if names.count(column) > 1:
        raise DataError(f"column {excerpt(column)} stands twice in the table")
    return frame.iloc[:, names.index(column)]


def _engine_column(table: Any, column: str | None) -> list[Any]:
    import narwhals as nw

    frame: Any = nw.from_native(table)
    chosen = frame.select(_chosen(frame.collect_schema().names(), column))
    chosen = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
    cells: list[Any] = chosen.get_column(chosen.columns[0]).to_list()
    return cells


def _chosen(names: Sequence[str], column: object) -> str:
    """Return the name of the column that is read."""
    if column is None:
        if len(names) != 1:
            raise DataError(
                f"the table has {len(names)} columns; name that of the texts with column=, one "
                f"of {', '.join(names[:30])}"
            )
        return names[0]
    if str(column) not in names:
        raise DataError(no_column(column, names))
    return str(column)


def _written(cell: Any, column: str | None, rows: pd.Index[Any], i: int) -> str | None:
    """Return a cell that is no text as text, and None where it is missing."""
    import pandas as pd

    if cell is None or cell is pd.NaT or cell is pd.NA:
        return None
    place = row_name(rows, i) + (f", column {excerpt(column)}" if column else "")
    if isinstance(cell, bool) or not isinstance(cell, (int, float, Decimal, *_NUMBERS)):
        kind = type(cell).__name__
        raise DataError(f"{place} has {excerpt(cell)} ({kind}); {ALLOWED}")
    if isinstance(cell, (int, np.integer)):
        if int(cell).bit_length() > 256:
            raise DataError(f"{place} has {excerpt(cell)}; allowed: at most 77 digits")
        return str(int(cell))
    number = np.nan if isinstance(cell, Decimal) and cell.is_nan() else float(cell)
    return None if np.isnan(number) else f"{number:.15g}"
