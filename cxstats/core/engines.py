"""Any table as blocks of numbers, or as rows in memory: the doors of all engines.

Tables in memory, lazy Polars frames and DuckDB relations are read block by block. Of other lazy
tables (Spark, Ibis, Dask, SQLFrame) only sums leave the engine (`cxstats.core.engine_sums`). A
method that needs the rows themselves of a lazy table gets up to `MOST_ROWS`; beyond, its user
fetches them with ``cx.open_table(table, collect=True)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError, MissingToolError
from cxstats.core.language import Text, both
from cxstats.core.messages import listing, no_column

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# Numbers in a block: enough for a fast matrix product, few enough to stay in the cache.
BLOCK = 2_000_000
STREAMED = ("polars", "duckdb")
OF_PANDAS = ("pandas", "polars", "duckdb", "dask")  # with a way of their own to pandas
SPARK = ("pyspark", "pyspark_connect")  # as Narwhals names it
# Whose times are moments, read on the clock of their session.
OF_SESSION = (*SPARK, "sqlframe")
ROW = "(row number of cxstats)"  # a name that no table has
# Rows that a method may fetch from a lazy table without being asked to: 60 columns are 1 GB.
MOST_ROWS = 2_000_000
READABLE = "pandas, Polars, PyArrow, DuckDB relation, a lazy table of Spark, Ibis or Dask"


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


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Some columns of a table, checked.

    Attributes
    ----------
    table : narwhals DataFrame or LazyFrame
    names : tuple of str
        The variables, numeric or Boolean.
    by, weights : str or None
        Columns of groups and of weights.
    """

    table: Any
    names: tuple[str, ...]
    by: str | None
    weights: str | None

    @property
    def columns(self) -> list[str]:
        """All columns that are needed."""
        return [*self.names, *(name for name in (self.by, self.weights) if name is not None)]


def select(
    frame: Any, columns: Sequence[str] | None, by: str | None = None, weights: str | None = None
) -> Selection:
    """Find some columns of a table; parameters and errors are those of `blocks`."""
    import narwhals as nw

    if isinstance(frame, np.ndarray):
        frame = _from_array(frame, columns)
    if is_pandas(frame):  # which may have a name twice, or names that are no text
        frame, columns = _plain_names(frame, columns, by, weights)
    table = as_table(frame, f"{READABLE}, or an array")
    schema = table.collect_schema()
    names = tuple(name for name in schema if name not in (by, weights))
    names = names if columns is None else tuple(columns)
    selection = Selection(table, names, by, weights)
    _check_columns(selection.columns, schema.names())
    if not names:
        raise DataError("no columns: name at least one")
    for name in (*names, *([weights] if weights else [])):
        if not (schema[name].is_numeric() or schema[name] == nw.Boolean):
            raise DataError(_not_numeric(table, name, schema[name]))
    return selection


def blocks(
    frame: Any,
    columns: Sequence[str] | None,
    by: str | None = None,
    weights: str | None = None,
    all_rows: bool = False,
) -> tuple[tuple[str, ...], Iterator[Block]]:
    """Read some columns of a table, block by block.

    Lazy Polars frames and DuckDB relations are streamed; another lazy table is collected, if it
    has no more than `MOST_ROWS`.

    Parameters
    ----------
    frame : pandas, Polars (eager or lazy), PyArrow table, DuckDB relation, or array (n, p)
        The table, or a lazy one of another engine. The columns of an array are called x1, x2, ...
        without `columns`.
    columns : sequence of str or None
        The columns wanted; None for all but `by` and `weights`.
    by, weights : str, optional
        Columns of groups and of weights.
    all_rows : bool
        Whether all rows are wanted, in their order; else rows with a missing answer may be left out
        and counted, and those of a lazy Polars frame come in any order.

    Returns
    -------
    names : tuple of str
    blocks : iterator of Block

    Raises
    ------
    DataError
        If the table is of an unknown kind or too large to be collected, or a column is missing,
        named twice or not numeric.
    """
    selection = select(frame, columns, by, weights)
    names = selection.names
    rows = max(1_000, BLOCK // len(names))
    batches = _batches(selection.table, selection.columns, rows, ordered=all_rows)
    return names, (block_of(batch, names, by, weights, all_rows) for batch in batches)


def respondents(
    frame: Any, columns: Sequence[str] | None, by: str | None = None
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[Any] | None]:
    """Read all rows of some columns of a table into memory, in their order.

    Parameters
    ----------
    frame, columns, by
        As `blocks`.

    Returns
    -------
    names : tuple of str
    values : array (n, p)
        NaN where an answer is missing.
    groups : array (n,) or None

    Raises
    ------
    DataError
        As `blocks`; or if the table is lazy and has more than `MOST_ROWS`.
    """
    names, all_blocks = blocks(frame, columns, by, all_rows=True)
    check_size(frame)
    chunks = list(all_blocks)
    if not chunks:
        return names, np.empty((0, len(names))), None if by is None else np.empty(0, object)
    values = np.concatenate([np.asarray(chunk.values, float).T for chunk in chunks])
    groups = None if by is None else np.concatenate([np.asarray(c.groups) for c in chunks])
    return names, values, groups


def is_pandas(data: object) -> bool:
    """Return whether a table or a column is of pandas, by its type: others have `iloc` too."""
    import pandas as pd

    return isinstance(data, pd.DataFrame | pd.Series)


def attributes(frame: object) -> Mapping[Any, Any]:
    """Return the attributes (`attrs`) of a pandas table or column; none of any other table."""
    import pandas as pd

    return frame.attrs if isinstance(frame, pd.DataFrame | pd.Series) else {}


def is_synthetic(frame: object) -> bool:
    """Return whether a table says that it was simulated."""
    return bool(attributes(frame).get("synthetic"))


def as_table(frame: Any, allowed: str = READABLE) -> Any:
    """Return any table as Narwhals has it.

    Raises
    ------
    DataError
        If it is of an unknown kind.
    """
    import narwhals as nw

    try:
        return nw.from_native(frame)
    except TypeError as error:
        raise DataError(
            f"a table of type {type(frame).__name__!r} cannot be read; allowed: {allowed}"
        ) from error


def engine_of(table: Any) -> str:
    """Return the engine of a table of Narwhals: "pandas", "polars", "duckdb", "pyspark", ..."""
    return str(table.implementation).rsplit(".", 1)[-1].lower()


def is_lazy(frame: Any) -> bool:
    """Return whether a table is read only when it is asked for: not one in memory."""
    import narwhals as nw

    if isinstance(frame, np.ndarray) or is_pandas(frame):
        return False
    return isinstance(nw.from_native(frame, pass_through=True), nw.LazyFrame)


def is_streamed(frame: Any) -> bool:
    """Return whether the rows of a lazy table are read block by block, in this process."""
    return engine_of(as_table(frame)) in STREAMED


def count_rows(frame: Any) -> int:
    """Return the number of rows of a lazy table; its engine counts."""
    import narwhals as nw

    counted = as_table(frame).select(n=nw.len()).collect("pyarrow")
    return int(counted["n"][0])


def is_too_large(frame: Any) -> bool:
    """Return whether a table is lazy and has more rows than a method may fetch on its own."""
    return is_lazy(frame) and count_rows(frame) > MOST_ROWS


def note_of_sums(frame: Any) -> Text:
    """Return the note of a method that made do with the sums of a table that is too large."""
    return both(
        "engine.note.sums", n=f"{count_rows(frame):,}", engine=engine_of(as_table(frame)),
        most=f"{MOST_ROWS:,}",
    )  # fmt: skip


def check_size(table: Any) -> None:
    """Raise if a lazy table has more rows than a method may fetch on its own.

    Raises
    ------
    DataError
        Saying how many rows there are, the limit, and how they are fetched all the same.
    """
    if is_lazy(table) and (n := count_rows(table)) > MOST_ROWS:
        raise DataError(
            f"this needs every row in memory, and the table of {engine_of(as_table(table))} has "
            f"{n:,}; without being asked, at most {MOST_ROWS:,} rows are fetched. To fetch them: "
            "cx.open_table(table, columns=[...], collect=True), with the columns that are needed; "
            "or give a sample of the rows"
        )


def as_pandas(frame: Any, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return any table as pandas; a lazy one is collected, up to `MOST_ROWS`.

    Parameters
    ----------
    frame : table
    columns : sequence of str, optional
        Those that are needed: only they are fetched from a lazy table. Names that it does not have
        are left to the method, which knows what they are for.

    Raises
    ------
    DataError
        If the table is of an unknown kind, has no rows, or is lazy and too large.
    """
    import narwhals as nw
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        if len(frame) == 0:
            raise DataError("the table has no rows")
        return _dense(frame)
    table = as_table(frame)
    if isinstance(table, nw.LazyFrame):
        check_size(frame)
        native = fetched(table, columns)
    else:
        native = table.to_pandas()
    if len(native) == 0:
        raise DataError("the table has no rows")
    return native


@contextmanager
def dotted_names_said(frame: Any) -> Iterator[None]:
    """Say what is wrong where Spark does not find a column with a dot in its name.

    Spark reads ``"a.b"`` as the field b of a structure a, and Narwhals leaves it at that.
    """
    try:
        yield
    except Exception as error:
        is_lost = type(error).__name__ == "ColumnNotFoundError"
        if not (is_lost or "UNRESOLVED_COLUMN" in str(error)):
            raise
        table = as_table(frame)
        names = [name for name in table.collect_schema().names() if "." in name or "`" in name]
        if not names or engine_of(table) not in SPARK:
            raise
        plain = names[0].replace(".", "_").replace("`", "")
        raise DataError(
            f"column {names[0]!r}: Spark reads a dot in a name as a field within a structure; "
            f"rename such columns, as table.withColumnRenamed({names[0]!r}, {plain!r}) does; "
            f"they are: {listing(names)}"
        ) from None


def fetched(table: Any, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of a lazy table of Narwhals as pandas, of whatever size it is."""
    import pandas as pd

    if columns is not None:
        there = table.collect_schema().names()
        table = table.select([name for name in dict.fromkeys(columns) if name in there])
    engine = engine_of(table)
    if engine in OF_PANDAS:
        frame: pd.DataFrame = table.collect("pandas").to_native()
        return frame
    # Others would go by ways of pandas that warn of every pandas they do not know.
    frame = table.collect("pyarrow").to_pandas()
    if engine not in OF_SESSION:
        return frame
    for name in frame.columns:
        kind: Any = frame[name].dtype
        if isinstance(kind, pd.DatetimeTZDtype):
            # A day begins at midnight on the clock of the session; Spark's Arrow has that of UTC.
            zone = _session_zone(table) if engine in SPARK else kind.tz
            frame[name] = frame[name].dt.tz_convert(zone).dt.tz_localize(None)
    return frame


def _session_zone(table: Any) -> str:
    """Return the time zone of a table's Spark session; Narwhals keeps the one it first saw."""
    zone: str = table.to_native().sparkSession.conf.get("spark.sql.session.timeZone")
    return zone


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


def as_time(table: Any, time: datetime) -> Any:
    """Return a time without a zone as an expression that can stand beside times of a table.

    Spark would read a time of Python on the clock of this machine, which may differ from that of
    its session.
    """
    import narwhals as nw

    if engine_of(table) in SPARK:
        return nw.lit(time.isoformat(" ")).cast(nw.Datetime("us"))
    return nw.lit(time)


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
    if lazy and engine_of(table) == "polars":
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
    names = frame.columns.tolist()
    there = [str(name) for name in names]
    wanted = [str(name) for name in columns] if columns is not None else list(there)
    extra = [name for name in (by, weights) if name is not None and name not in wanted]
    _check_columns([*wanted, *extra] if columns is not None else there, there)
    chosen = [*wanted, *extra]
    frame = frame.take([there.index(name) for name in chosen], axis=1)
    if names != there:
        frame = frame.set_axis(chosen, axis=1)
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


def _batches(table: Any, wanted: list[str], rows: int, ordered: bool = False) -> Iterator[Any]:
    """Yield eager tables of about `rows` rows, where asked for in their order."""
    import narwhals as nw

    if not isinstance(table, nw.LazyFrame):
        table = _only(table, wanted)
        for start in range(0, len(table), rows):
            yield table if len(table) <= rows else table[start : start + rows]
        return
    native = nw.to_native(table)
    kind = engine_of(table)
    # Batches stay native: wrapping each would cost as much as adding it up.
    if kind == "polars" and hasattr(native, "collect_batches"):
        yield from native.select(wanted).collect_batches(chunk_size=rows, maintain_order=ordered)
    elif kind == "duckdb":
        yield from _duckdb_batches(native, wanted, rows)
    else:
        check_size(table)
        yield from _batches(table.select(wanted).collect("pyarrow"), wanted, rows)


def _only(table: Any, names: Sequence[str]) -> Any:
    """Return some columns of an eager table; the table itself where it has no others."""
    return table if table.columns == list(names) else table.select(names)


def _duckdb_batches(relation: Any, wanted: list[str], rows: int) -> Iterator[Any]:
    if find_spec("pyarrow") is None:
        raise MissingToolError("reading DuckDB needs pyarrow: pip install pyarrow")
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in wanted)
    chosen = relation.project(quoted)
    reader = getattr(chosen, "to_arrow_reader", None) or chosen.fetch_arrow_reader
    yield from reader(rows)


def block_of(
    batch: Any, names: Sequence[str], by: str | None, weights: str | None, all_rows: bool = False
) -> Block:
    """Return a batch of rows, of Narwhals, Polars or Arrow, as a block."""
    dropped = 0
    if not all_rows and by is None and weights is None and not hasattr(batch, "implementation"):
        # A native batch holds nothing else; without its gaps, whole numbers stay whole numbers.
        is_arrow = hasattr(batch, "num_rows")
        columns = batch.columns if is_arrow else batch.get_columns()
        if any(column.null_count if is_arrow else column.null_count() for column in columns):
            complete = batch.drop_null() if is_arrow else batch.drop_nulls()
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
        values = np.asarray(_only(batch, names).to_numpy()).T
        plain = {name: np.asarray(batch[name].to_numpy()) for name in (by, weights) if name}
    if values.dtype == object:
        import pandas as pd

        values = np.where(pd.isna(values), np.nan, values)
    if values.dtype.kind not in "iu":
        values = np.asarray(values, np.float64)
    weight = None if weights is None else np.asarray(plain[weights], np.float64)
    return Block(values, None if by is None else plain[by], weight, dropped)
