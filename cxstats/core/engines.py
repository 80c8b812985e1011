"""Any table as blocks of numbers: pandas, Polars, DuckDB and PyArrow through Narwhals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError, MissingToolError
from cxstats.core.messages import no_column

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# Numbers in a block: enough for a fast matrix product, few enough to stay in the cache.
BLOCK = 2_000_000
ROW = "(row number of cxstats)"  # a name that no table has


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some rows of a table.

    Attributes
    ----------
    values : array (p, rows)
        Integers where every column has them and nothing is missing, else float64 with NaN.
    groups : array (rows,) or None
        The group of each row; None or NaN where it has none.
    weights : array (rows,) or None
        Weight of each row.
    dropped : int
        Rows that were left out already because a value was missing.
    """

    values: NDArray[Any]
    groups: NDArray[Any] | None
    weights: NDArray[np.float64] | None
    dropped: int = 0


def blocks(
    frame: Any, columns: Sequence[str] | None, by: str | None = None, weights: str | None = None
) -> tuple[tuple[str, ...], Iterator[Block]]:
    """Read some columns of a table, block by block.

    Lazy Polars frames and DuckDB relations are streamed; another lazy frame is collected.

    Parameters
    ----------
    frame : pandas, Polars (eager or lazy), PyArrow table, DuckDB relation, or array (n, p)
        The table. The columns of an array are called x1, x2, ... without `columns`.
    columns : sequence of str or None
        The columns wanted; None for all but `by` and `weights`.
    by, weights : str, optional
        Columns of groups and of weights.

    Returns
    -------
    names : tuple of str
    blocks : iterator of Block

    Raises
    ------
    DataError
        If the table is of an unknown kind, or a column is missing, named twice or not numeric.
    """
    import narwhals as nw

    if isinstance(frame, np.ndarray):
        frame = _from_array(frame, columns)
    if hasattr(frame, "iloc"):  # pandas may have a name twice, or names that are no text
        frame, columns = _plain_names(frame, columns, by, weights)
    try:
        table: Any = nw.from_native(frame)
    except TypeError as error:
        raise DataError(
            f"a table of type {type(frame).__name__!r} cannot be read; allowed: pandas, Polars, "
            "PyArrow, DuckDB relation, or an array"
        ) from error
    schema = table.collect_schema()
    names = tuple(name for name in schema if name not in (by, weights))
    names = names if columns is None else tuple(columns)
    wanted = [*names, *(name for name in (by, weights) if name is not None)]
    _check_columns(wanted, schema.names())
    if not names:
        raise DataError("no columns: name at least one")
    for name in (*names, *([weights] if weights else [])):
        if not (schema[name].is_numeric() or schema[name] == nw.Boolean):
            raise DataError(_not_numeric(table, name, schema[name]))
    rows = max(1_000, BLOCK // len(names))
    batches = _batches(table, wanted, rows)
    return names, (_block(batch, names, by, weights) for batch in batches)


def as_pandas(frame: Any) -> pd.DataFrame:
    """Return any table as pandas; a lazy one is collected.

    Raises
    ------
    DataError
        If the table is of an unknown kind or has no rows.
    """
    import narwhals as nw
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        if len(frame) == 0:
            raise DataError("the table has no rows")
        return _dense(frame)
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


def _dense(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without sparse columns, with which pandas can do little."""
    import pandas as pd

    places = [i for i, kind in enumerate(frame.dtypes) if isinstance(kind, pd.SparseDtype)]
    if not places:
        return frame
    dense = frame.copy()
    for place in places:
        dense.isetitem(place, np.asarray(frame.iloc[:, place]))
    return dense


def as_number(name: str, kind: Any) -> Any:
    """Return a column as an expression of Narwhals, missing values of every kind as null."""
    import narwhals as nw

    x = nw.col(name)
    if kind == nw.Boolean:
        return x.cast(nw.Int64)
    if kind.is_decimal():  # whose products and floors would outgrow their digits
        return x.cast(nw.Float64)
    return nw.when(~x.is_nan()).then(x) if kind.is_float() else x


def first_row(table: Any, condition: Any, columns: Sequence[str]) -> tuple[int | None, Any]:
    """Return the number of the first row that meets a condition, and its cells by column.

    Parameters
    ----------
    table : narwhals DataFrame or LazyFrame, not of pandas
    condition : expression of Narwhals
    columns : sequence of str

    Returns
    -------
    row : int or None
        From 0; None where the engine has no order of rows, as DuckDB.
    cells : dict
    """
    import narwhals as nw

    lazy = isinstance(table, nw.LazyFrame)
    if lazy and str(table.implementation).rsplit(".", 1)[-1].lower() == "polars":
        table = nw.from_native(table.to_native().with_row_index(ROW))
    elif not lazy:
        table = table.with_row_index(ROW)
    names = [name for name in (ROW, *columns) if name in table.collect_schema().names()]
    rows = table.filter(condition).select(*names).head(1)
    cells = (rows.collect() if lazy else rows).rows(named=True)[0]
    return cells.pop(ROW, None), cells


def _plain_names(
    frame: Any, columns: Sequence[str] | None, by: str | None, weights: str | None
) -> tuple[Any, Sequence[str] | None]:
    """Return the columns wanted of a pandas frame, under names that are text."""
    if not hasattr(frame, "columns"):
        frame = frame.to_frame()
    there = [str(name) for name in frame.columns]
    wanted = [str(name) for name in columns] if columns is not None else list(there)
    extra = [name for name in (by, weights) if name is not None and name not in wanted]
    _check_columns([*wanted, *extra] if columns is not None else there, there)
    frame = frame.set_axis(there, axis=1)[[*wanted, *extra]]
    return frame, None if columns is None else wanted


def _from_array(array: NDArray[Any], columns: Sequence[str] | None) -> Any:
    import pandas as pd

    if array.ndim != 2:
        raise DataError(f"an array of shape {array.shape}; allowed: (cases, variables)")
    names = columns or [f"x{i + 1}" for i in range(array.shape[1])]
    if len(names) != array.shape[1]:
        raise DataError(f"{len(names)} names for an array with {array.shape[1]} columns")
    return pd.DataFrame(array, columns=list(names))


def _check_columns(wanted: Sequence[str], there: Sequence[str]) -> None:
    for name in wanted:
        if name not in there:
            raise DataError(no_column(name, there))
        if list(there).count(name) > 1:
            raise DataError(f"column {name!r} stands twice in the table")
        if list(wanted).count(name) > 1:
            raise DataError(f"column {name!r} is asked for twice")


def _not_numeric(table: Any, name: str, dtype: object) -> str:
    """Say which value of a column is no number, where the table is small enough to look."""
    head = f"column {name!r} is not numeric ({dtype})"
    if not hasattr(table, "row"):
        return head
    for row, value in enumerate(table[name].to_list()):
        if isinstance(value, str) or (value is not None and not np.isscalar(value)):
            return f"{head}: row {row} has {value!r}; allowed: numbers"
    return head


def _batches(table: Any, wanted: list[str], rows: int) -> Iterator[Any]:
    """Yield eager tables of about `rows` rows."""
    import narwhals as nw

    if not isinstance(table, nw.LazyFrame):
        table = table.select(wanted)
        for start in range(0, len(table), rows):
            yield table[start : start + rows]
        return
    native = nw.to_native(table)
    kind = str(table.implementation).split(".")[-1].lower()
    # Batches stay native: wrapping each would cost as much as adding it up.
    if kind == "polars" and hasattr(native, "collect_batches"):
        yield from native.select(wanted).collect_batches(chunk_size=rows, maintain_order=False)
    elif kind == "duckdb":
        yield from _duckdb_batches(native, wanted, rows)
    else:
        yield from _batches(table.select(wanted).collect("pyarrow"), wanted, rows)


def _duckdb_batches(relation: Any, wanted: list[str], rows: int) -> Iterator[Any]:
    if find_spec("pyarrow") is None:
        raise MissingToolError("reading DuckDB needs pyarrow: pip install pyarrow")
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in wanted)
    chosen = relation.project(quoted)
    reader = getattr(chosen, "to_arrow_reader", None) or chosen.fetch_arrow_reader
    yield from reader(rows)


def _block(batch: Any, names: Sequence[str], by: str | None, weights: str | None) -> Block:
    dropped = 0
    if by is None and weights is None and not hasattr(batch, "implementation"):
        # A native batch holds nothing else; without its gaps, whole numbers stay whole numbers.
        complete = batch.drop_null() if hasattr(batch, "num_rows") else batch.drop_nulls()
        dropped, batch = len(batch) - len(complete), complete
    if hasattr(batch, "num_rows"):  # of Arrow: columns are views, stacking them is the copy
        columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
        kind = np.result_type(*columns)
        values = np.stack(
            columns, dtype=kind if kind.kind in "iu" else np.float64, casting="unsafe"
        )
        others = {name: batch.column(name) for name in (by, weights) if name}
        plain = {name: column.to_numpy(zero_copy_only=False) for name, column in others.items()}
    else:
        values = np.asarray(batch.select(names).to_numpy()).T
        plain = {name: np.asarray(batch[name].to_numpy()) for name in (by, weights) if name}
    if values.dtype == object:
        import pandas as pd

        values = np.where(pd.isna(values), np.nan, values)
    if values.dtype.kind not in "iu":
        values = np.asarray(values, np.float64)
    weight = None if weights is None else np.asarray(plain[weights], np.float64)
    return Block(values, None if by is None else plain[by], weight, dropped)
