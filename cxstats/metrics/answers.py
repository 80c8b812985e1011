"""Read the answers that a metric is computed from: a table of any engine, or single columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import cells_of, check_group_values
from cxstats.core.engines import attributes
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, no_column, row_name
from cxstats.stats.sampling_design import Design, design_of
from cxstats.survey.answers import numbers
from cxstats.survey.codebook import Codebook
from cxstats.survey.coding import group_order

if TYPE_CHECKING:
    import pandas as pd

By = str | Sequence[str] | Any | None
ALLOWED = "pandas, Polars, PyArrow, DuckDB relation, or one column of answers"
# Microseconds of the units that durations can be averaged in.
UNITS = {"s": 1e6, "min": 6e7, "h": 3.6e9, "d": 8.64e10}
NO_NUMBERS = ("timedelta", "datetime", "date", "time", "period", "complex")  # as pandas infers
MOST_TICKS = 4  # distinct values of a tick box that are looked at
DENIALS = frozenset(
    ("0", "n", "no", "none", "false", "off", "not selected", "unselected", "unchecked",
     "not ticked",
     "unticked", "not checked", "否", "不", "无", "没有", "不是", "未选", "未选中", "未勾选")
)  # fmt: skip
NO_NUMBER_TYPES = (
    complex, np.complexfloating, dt.date, dt.timedelta, np.datetime64, np.timedelta64,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """What a metric is told of how its answers were sampled.

    Attributes
    ----------
    weights, cluster, strata : str, column or None
        Names of columns with a table; with one column of answers, columns of the same length.
    """

    weights: Any = None
    cluster: Any = None
    strata: Any = None

    @classmethod
    def of(
        cls, design: Design | None, weights: Any = None, cluster: Any = None, strata: Any = None
    ) -> Sampling:
        """Return the sampling that keywords amount to; raise if it is said twice."""
        if design is None:
            return cls(weights, cluster, strata)
        named = design_of(design, weights, cluster, strata) or Design()
        return cls(named.weights, named.cluster, named.strata)

    def check(self) -> None:
        """Raise if a column of a table is not named by text."""
        for name in ("weights", "cluster", "strata"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise CxError(f"{name}={value!r}; of a table it is the name of one of its columns")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of clusters and strata."""
        return tuple(name for name in (self.cluster, self.strata) if name is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """One column of answers with its groups and weights, in the engine that holds them.

    Attributes
    ----------
    table : narwhals DataFrame or LazyFrame
    value : str
        The column of answers, which is numeric (or true and false, if that was allowed).
    by : tuple of str
        Columns of groups.
    weight, cluster, strata : str or None
        Columns of weights, of clusters and of strata.
    synthetic : bool
        Whether the frame says so.
    order : mapping of str to tuple
        The order of groups by column, where a codebook says it.
    """

    table: Any
    value: str
    by: tuple[str, ...]
    weight: str | None
    cluster: str | None
    strata: str | None
    synthetic: bool
    order: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


def read_answers(
    data: Any,
    column: str | None,
    by: By,
    sampling: Sampling,
    truth: bool = False,
    unit: str | None = None,
    blank: str = "missing",
    codebook: Codebook | None = None,
) -> Answers:
    """Find the answers, groups and weights in a table, or bind columns given on their own.

    Parameters
    ----------
    data : table, or one column (array, list, Series)
    column : str or None
        The column of answers in a table.
    by : str, sequence of str, or one column of groups
        Names with a table; an array or Series (or a mapping of names to them) with one column.
    sampling : Sampling
        Weights, clusters and strata.
    truth : bool
        Whether true and false are answers.
    unit : {"s", "min", "h", "d"}, optional
        Into what a column of durations is converted; without it, durations are refused.
    blank : {"missing", "no"}
        Whether a blank is a missing answer, or a tick box that was not ticked.
    codebook : Codebook, optional
        By which the table was read already; here it says the order of groups.

    Raises
    ------
    DataError, CxError
        Naming the column, row and value, or the option, and what is allowed.
    """
    import pandas as pd

    if unit is not None and unit not in UNITS:
        raise CxError(f"unit={unit!r}; allowed: {', '.join(map(repr, UNITS))}")
    if blank not in ("missing", "no"):
        raise CxError(f"blank={blank!r}; allowed: 'missing', 'no'")
    if column is None:
        data, column, by, sampling = _bind(data, by, sampling)
    groups = (by,) if isinstance(by, str) else tuple(by) if by is not None else ()
    if not all(isinstance(name, str) for name in (*groups, column)):
        raise CxError(f"column={column!r}, by={by!r}; with a table, both are names of columns")
    sampling.check()
    of_pandas = isinstance(data, pd.DataFrame)
    if blank == "no":
        data = ticked(data, column)
    read = _read_pandas if of_pandas else _read_engine
    table = read(data, column, groups, sampling, truth, unit)
    synthetic = of_pandas and bool(data.attrs.get("synthetic"))
    order = {name: order for name in groups if (order := group_order(codebook, name))}
    return Answers(
        table, column, groups, sampling.weights, sampling.cluster, sampling.strata, synthetic, order
    )


def _read_pandas(
    frame: pd.DataFrame,
    column: str,
    groups: tuple[str, ...],
    sampling: Sampling,
    truth: bool,
    unit: str | None,
) -> Any:
    """Return the columns of a pandas frame for Narwhals, answers and weights as numbers."""
    import narwhals as nw
    import pandas as pd

    numeric = [column, *([sampling.weights] if sampling.weights else [])]
    names = [column, *groups, *numeric[1:]]
    _check_columns(names, list(frame.columns))
    _check_columns(sampling.columns, list(frame.columns))
    # A stratum or a cluster may be a group as well, and is one column all the same.
    table = frame[list(dict.fromkeys([*names, *sampling.columns]))]
    if unit is not None:
        table = _in_units(nw.from_native(_as_durations(table, column)), column, unit).to_native()
    for name in numeric:
        kind = table[name].dtype
        flags = pd.api.types.is_bool_dtype(kind)
        if pd.api.types.is_numeric_dtype(kind) and not flags and np.dtype(complex) != kind:
            continue
        check_kind(table[name], name)
        if truth and name == column and not flags:
            _check_tick_box(table[name], name)
        if truth and name == column and (flags or _only_flags(table[name])):
            table = table.assign(**{name: table[name].astype("boolean").astype("Float64")})
        else:
            table = table.assign(**{name: numbers(table, name)})
    for name in (*groups, *sampling.columns):
        check_group_values(frame[name], name)
    return nw.from_native(table)


def _read_engine(
    data: Any,
    column: str,
    groups: tuple[str, ...],
    sampling: Sampling,
    truth: bool,
    unit: str | None,
) -> Any:
    """Return the table of another engine for Narwhals, its columns checked."""
    import narwhals as nw

    try:
        table = nw.from_native(data)
    except TypeError as error:
        raise DataError(
            f"a table of type {type(data).__name__!r} cannot be read; allowed: {ALLOWED}"
        ) from error
    numeric = [column, *([sampling.weights] if sampling.weights else [])]
    _check_columns([column, *groups, *numeric[1:]], table.collect_schema().names())
    _check_columns(sampling.columns, table.collect_schema().names())
    if unit is not None:
        table = _in_units(table, column, unit)
    schema = table.collect_schema()
    for name in (*groups, *sampling.columns):
        if schema[name].is_nested() or schema[name] == nw.Object:
            raise DataError(f"column {name!r} holds {schema[name]}; allowed: one group per row")
    for name in numeric:
        if not (schema[name].is_numeric() or (truth and schema[name] == nw.Boolean)):
            if truth and name == column and schema[name] == nw.String:
                _check_tick_box(_some_texts(table, name), name)
            raise DataError(_no_number(table, name, schema[name], truth and name == column))
    return table


def ticked(data: Any, column: str) -> Any:
    """Return a table in whose tick box ticks are 1 and blanks 0.

    A tick is the only value that occurs: a text that does not deny ("Python.", "是", "X"), a number
    above 0, true; or 1 beside 0.

    Raises
    ------
    DataError
        If other values occur, or the column is not there.
    """
    import narwhals as nw
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        _check_columns([column], list(data.columns))
        values = data[column].astype(object)
        values = values.mask(values.map(lambda value: isinstance(value, str) and not value.strip()))
        tick = _tick(list(values.dropna().unique()), column)
        return data.assign(**{column: (values.notna() & (values == tick)).astype(int)})
    try:
        table = nw.from_native(data)
    except TypeError:
        return data  # read_answers says what is allowed
    schema = table.collect_schema()
    _check_columns([column], schema.names())
    x = nw.col(column)
    if isinstance(schema[column], nw.String | nw.Categorical | nw.Enum):
        x = x.cast(nw.String).str.strip_chars()
        blank = x.is_null() | (x == "")
    else:
        blank = x.is_null() | x.is_nan() if schema[column].is_float() else x.is_null()
    values = table.select(x.alias("value"), blank.alias("blank")).filter(~nw.col("blank"))
    some = values.select("value").unique().head(MOST_TICKS)
    some = some.collect() if isinstance(some, nw.LazyFrame) else some
    tick = _tick(some["value"].to_list(), column)
    is_tick = ~blank & (x == tick) if tick is not None else blank & ~blank
    marks = nw.when(is_tick).then(nw.lit(1)).otherwise(nw.lit(0))
    return table.with_columns(marks.alias(column)).to_native()


def _tick(values: list[Any], column: str) -> Any:
    """Return the value of a tick among those that occur; None if nothing but 0 does."""
    texts = [value for value in values if isinstance(value, str)]
    numbers_of_ticks = [value for value in values if _is_tick(value)]
    others = [value for value in values if value != 0 or isinstance(value, str)]
    denied = [text for text in texts if text.strip().casefold() in DENIALS]
    if not others:
        return None
    zeros = len(others) < len(values)
    single = len(others) == 1 and not denied and (texts or numbers_of_ticks)
    if single and not (zeros and (texts or others[0] != 1)):
        return others[0]
    listed = ", ".join(excerpt(value) for value in (denied or values)[:4])
    raise DataError(
        f"column {column!r}, blank='no': {listed} occur{'' if len(values) > 1 else 's'}; allowed: "
        "blanks and a single value that means ticked, such as 1, 'X' or the name of the option; or "
        "0 and 1"
    )


def _is_tick(value: Any) -> bool:
    return isinstance(value, bool | np.bool_ | int | float | np.number) and bool(value > 0)


def _check_tick_box(column: pd.Series[Any], name: str) -> None:
    """Raise if a single text occurs, with what a tick box is counted by."""
    import pandas as pd

    texts = column.dropna().astype(object)
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.infer_dtype(texts) == "string":
        texts = texts[texts.str.strip() != ""] if len(texts) else texts
        if len(texts) and texts.nunique() == 1:
            raise DataError(
                f"column {name!r} holds no text but {excerpt(texts.iloc[0])}; if a blank means not "
                "ticked, say so with blank='no'; otherwise allowed: 0 and 1, true and false"
            )


def _some_texts(table: Any, name: str) -> pd.Series[Any]:
    """Return the first distinct values of a column."""
    import narwhals as nw

    some = table.select(name).filter(~nw.col(name).is_null()).unique().head(MOST_TICKS)
    some = some.collect() if isinstance(some, nw.LazyFrame) else some
    texts: pd.Series[Any] = some[name].to_pandas()
    return texts


# What the columns of a design are called beside one column of answers.
BOUND = {"weights": "(weights)", "cluster": "(cluster)", "strata": "(strata)"}


def _bind(data: Any, by: Any, sampling: Sampling) -> tuple[pd.DataFrame, str, Any, Sampling]:
    """Return one column of answers, its groups and its design as a table."""
    import pandas as pd

    answers = one_column(data)
    if answers is None:
        raise CxError(
            f"a {type(data).__name__} has several columns: name that of the answers with "
            "column='...'; or give one column (a list, an array, a Series)"
        )
    if isinstance(by, str) or (isinstance(by, Sequence) and len(by) != len(answers)):
        raise CxError(
            f"by={by!r} with one column of {len(answers)} answers; give the groups of these "
            "answers, or a table with column='...' and by='...'"
        )
    groups = dict(by) if isinstance(by, Mapping) else {} if by is None else {None: by}
    frame = {"scores": answers}
    for key, values in groups.items():
        labels = one_column(values)
        name = str(key if key is not None else getattr(labels, "name", None) or "group")
        if key is None and name == "scores":
            name = "group"
        if name in (*frame, *BOUND.values()):
            raise CxError(f"a column of groups cannot be called {name!r} here; rename it")
        frame[name] = _aligned(labels, answers, name)
    names = [name for name in frame if name != "scores"]
    named = {}
    for option, name in BOUND.items():
        values = getattr(sampling, option)
        if values is not None:
            frame[name] = _aligned(one_column(values), answers, option)
            named[option] = name
    bound = pd.DataFrame(frame)
    bound.attrs = dict(attributes(data))
    return bound, "scores", names, Sampling(**named)


def _aligned(column: pd.Series[Any] | None, answers: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Return a column with the row labels of the answers; it has to fit them."""
    if column is None or len(column) != len(answers):
        size = "no column" if column is None else f"{len(column)} values"
        raise DataError(f"{name!r} has {size} for {len(answers)} answers")
    if not column.index.equals(answers.index):
        if list(column.index) != list(range(len(column))):
            raise DataError(f"{name!r} and the answers have different row labels (index)")
        column = column.set_axis(answers.index)
    return column


def one_column(data: Any) -> pd.Series[Any] | None:
    """Return one column as pandas; None for what has several."""
    import narwhals as nw
    import pandas as pd

    if isinstance(data, pd.Series):
        return data
    if isinstance(data, (str, bytes, int, float)) or data is None:
        raise DataError(f"{data!r} is not a column of answers; allowed: {ALLOWED}")
    if isinstance(data, np.ndarray) and data.ndim != 1:
        return None
    if isinstance(data, (pd.api.extensions.ExtensionArray, pd.Index)):
        return pd.Series(data, name=getattr(data, "name", None))
    if type(data).__module__.startswith("pyarrow") and not hasattr(data, "chunks"):
        data = _chunked(data)
    if isinstance(data, (np.ndarray, Sequence)):
        return pd.Series(data, dtype=object if len(data) == 0 else None, name=None)
    try:
        bound: pd.Series[Any] = nw.from_native(data, series_only=True).to_pandas()
    except TypeError as error:
        if any(hasattr(type(data), mark) for mark in ("columns", "column_names", "collect")):
            return None
        raise DataError(f"a {type(data).__name__!r} cannot be read; allowed: {ALLOWED}") from error
    return bound


def _chunked(data: Any) -> Any:
    """Return an array of PyArrow in the form that Narwhals reads; a table as it is."""
    import pyarrow as pa

    return pa.chunked_array([data]) if isinstance(data, pa.Array) else data


def _as_durations(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a frame with durations that are objects as a column of durations."""
    import pandas as pd

    if pd.api.types.infer_dtype(frame[column], skipna=True) != "timedelta":
        return frame
    return frame.assign(**{column: pd.to_timedelta(frame[column])})


def _in_units(table: Any, column: str, unit: str) -> Any:
    """Return a table with its column of durations as numbers in a unit."""
    import narwhals as nw

    kind = table.collect_schema()[column]
    if kind != nw.Duration:
        raise DataError(
            f"unit={unit!r} is for durations, and column {column!r} holds {kind}; numbers are in "
            "the unit that they are in"
        )
    amount = nw.col(column).dt.total_microseconds().cast(nw.Float64) / UNITS[unit]
    return table.with_columns(amount.alias(column))


def check_kind(column: pd.Series[Any], name: str) -> None:
    """Raise if a column holds durations, dates or complex numbers; pandas takes them as numbers."""
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    kind = {"timedelta64": "timedelta", "datetime64": "datetime"}.get(kind, kind)
    dtype = getattr(column.dtype, "kind", "")
    kind = {"m": "timedelta", "M": "datetime", "c": "complex"}.get(dtype, kind)
    places = np.flatnonzero(column.notna().to_numpy(bool))
    if kind.startswith("mixed"):
        values = column.to_numpy(object)
        places = np.array([i for i in places if isinstance(values[i], NO_NUMBER_TYPES)], int)
        if not len(places):
            return
        kind = type(column.iloc[places[0]]).__name__
    elif kind not in NO_NUMBERS:
        return
    row = f"{row_name(column.index, places[0])}, " if len(places) else ""
    value = f": {str(column.iloc[places[0]])!r}" if len(places) else ""
    raise DataError(f"{row}column {name!r} holds no numbers ({kind}){value}; {_allowed(kind)}")


def _allowed(kind: object) -> str:
    """Return what is allowed, and what can be done with a column of durations."""
    if "duration" not in str(kind).lower() and kind != "timedelta":
        return "allowed: numbers"
    units = ", ".join(map(repr, UNITS))
    return (
        "allowed: numbers; a mean, a handling or a waiting time takes durations with the unit to "
        f"average in, unit= one of {units}"
    )


def _only_flags(column: pd.Series[Any]) -> bool:
    return bool(cells_of(column.dropna(), bool, np.bool_).all())


def _check_columns(names: Sequence[str], columns: Sequence[Any]) -> None:
    """Raise if a column is not in the table, or is named twice."""
    for name in names:
        if name not in columns:
            raise DataError(no_column(name, columns))
        if list(columns).count(name) > 1:
            raise DataError(f"column {name!r} stands twice in the table")
        if list(names).count(name) > 1:
            raise DataError(f"column {name!r} is asked for twice")


def _no_number(table: Any, name: str, dtype: object, truth: bool) -> str:
    """Return which value of a column is no number, for a message."""
    import narwhals as nw

    first = table.select(name).filter(~nw.col(name).is_null()).head(1)
    first = first.collect() if isinstance(first, nw.LazyFrame) else first
    value = f": {first[name].to_list()[0]!r}" if len(first) else ", and no value at all"
    also = ", or true and false" if truth else ""
    return f"column {name!r} holds no numbers ({dtype}){value}; {_allowed(dtype)}{also}"
