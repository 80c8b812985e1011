"""What a metric is given, answers or counts, brought into one form and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.errors import CxError, DataError
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

By = str | Sequence[str] | Any | None
ALLOWED = "pandas, Polars, PyArrow, DuckDB relation, or one column of answers"


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
    weight : str or None
        Column of weights.
    synthetic : bool
        Whether the frame says so.
    """

    table: Any
    value: str
    by: tuple[str, ...]
    weight: str | None
    synthetic: bool


def read_answers(
    data: Any, column: str | None, by: By, weights: Any, truth: bool = False
) -> Answers:
    """Find the answers, groups and weights in a table, or bind columns given on their own.

    Parameters
    ----------
    data : table, or one column (array, list, Series)
    column : str or None
        The column of answers in a table.
    by : str, sequence of str, or one column of groups
        Names with a table; an array or Series (or a mapping of names to them) with one column.
    weights : str or one column of numbers
    truth : bool
        Whether true and false are answers.

    Raises
    ------
    DataError, CxError
        Naming the column, row and value, or the option, and what is allowed.
    """
    import narwhals as nw
    import pandas as pd

    if column is None:
        data, column, by, weights = _bind(data, by, weights)
    names = (by,) if isinstance(by, str) else tuple(by) if by is not None else ()
    if not all(isinstance(name, str) for name in (*names, column)):
        raise CxError(f"column={column!r}, by={by!r}; with a table, both are names of columns")
    if weights is not None and not isinstance(weights, str):
        raise CxError("weights of a table are the name of one of its columns")
    wanted = [column, *names, *([weights] if weights else [])]
    if isinstance(data, pd.DataFrame):
        synthetic = bool(data.attrs.get("synthetic"))
        table = nw.from_native(_plain(data, wanted, column, weights, truth))
        return Answers(table, column, names, weights, synthetic)
    try:
        table = nw.from_native(data)
    except TypeError as error:
        raise DataError(
            f"a table of type {type(data).__name__!r} cannot be read; allowed: {ALLOWED}"
        ) from error
    schema = table.collect_schema()
    _check_there(wanted, schema.names())
    for name in [column, *([weights] if weights else [])]:
        if not (schema[name].is_numeric() or (truth and schema[name] == nw.Boolean)):
            raise DataError(_no_number(table, name, schema[name], truth and name == column))
    return Answers(table, column, names, weights, False)


def _bind(data: Any, by: Any, weights: Any) -> tuple[pd.DataFrame, str, Any, str | None]:
    """Return one column of answers, its groups and weights as a table."""
    import pandas as pd

    answers = _series(data, "scores")
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
        one = _series(values, "group")
        name = str(key if key is not None else getattr(one, "name", None) or "group")
        frame[name if name != "scores" else "group"] = _aligned(one, answers, name)
    if weights is not None:
        frame["(weights)"] = _aligned(_series(weights, "weights"), answers, "weights")
    bound = pd.DataFrame(frame)
    bound.attrs = dict(getattr(data, "attrs", {}))
    names = [name for name in bound if name not in ("scores", "(weights)")]
    return bound, "scores", names, None if weights is None else "(weights)"


def _aligned(one: pd.Series[Any] | None, answers: pd.Series[Any], name: str) -> pd.Series[Any]:
    if one is None or len(one) != len(answers):
        has = "no column" if one is None else f"{len(one)} values"
        raise DataError(f"{name!r} has {has} for {len(answers)} answers")
    if not one.index.equals(answers.index):
        if list(one.index) != list(range(len(one))):
            raise DataError(f"{name!r} and the answers have different row labels (index)")
        one = one.set_axis(answers.index)
    return one


def _series(data: Any, name: str) -> pd.Series[Any] | None:
    """Return one column as pandas; None for what has several."""
    import narwhals as nw
    import pandas as pd

    if isinstance(data, pd.Series):
        return data
    if isinstance(data, (str, bytes, int, float)) or data is None:
        raise DataError(f"{data!r} is not a column of answers; allowed: {ALLOWED}")
    if isinstance(data, np.ndarray) and data.ndim != 1:
        return None
    if isinstance(data, (np.ndarray, Sequence)):
        return pd.Series(data, dtype=object if len(data) == 0 else None, name=None)
    try:
        bound: pd.Series[Any] = nw.from_native(data, series_only=True).to_pandas()
    except TypeError as error:
        if any(hasattr(type(data), name) for name in ("columns", "column_names", "collect")):
            return None
        raise DataError(f"a {type(data).__name__!r} cannot be read; allowed: {ALLOWED}") from error
    return bound


def _plain(
    frame: pd.DataFrame, wanted: list[str], column: str, weights: str | None, truth: bool
) -> pd.DataFrame:
    """Return the columns wanted of a pandas frame; answers that are objects become numbers."""
    import pandas as pd

    _check_there(wanted, list(frame.columns))
    kept = frame[wanted]
    for name in [column, *([weights] if weights else [])]:
        kind = kept[name].dtype
        flags = pd.api.types.is_bool_dtype(kind)
        if pd.api.types.is_numeric_dtype(kind) and not flags:
            continue
        if truth and name == column and (flags or _only_flags(kept[name])):
            kept = kept.assign(**{name: kept[name].astype("boolean").astype("Float64")})
        else:
            kept = kept.assign(**{name: numbers(kept, name)})
    return kept


def _only_flags(column: pd.Series[Any]) -> bool:
    return bool(column.map(lambda value: isinstance(value, (bool, np.bool_)))[column.notna()].all())


def _check_there(wanted: Sequence[str], there: Sequence[Any]) -> None:
    for name in wanted:
        if name not in there:
            shown = ", ".join(map(str, there[:30]))
            raise DataError(f"column {name!r} is not in the table; columns: {shown}")
        if list(there).count(name) > 1:
            raise DataError(f"column {name!r} stands twice in the table")
        if list(wanted).count(name) > 1:
            raise DataError(f"column {name!r} is asked for twice")


def _no_number(table: Any, name: str, dtype: object, truth: bool) -> str:
    """Say which value of a column is no number."""
    import narwhals as nw

    head = f"column {name!r} holds no numbers ({dtype})"
    first = table.select(name).filter(~nw.col(name).is_null()).head(1)
    first = first.collect() if isinstance(first, nw.LazyFrame) else first
    shown = f": {first[name].to_list()[0]!r}" if len(first) else ", and no value at all"
    return f"{head}{shown}; allowed: numbers" + (", or true and false" if truth else "")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts of answers, one per group: a frame of the groups and arrays of whole numbers."""

    groups: pd.DataFrame
    values: dict[str, NDArray[np.int64]]

    @property
    def by(self) -> tuple[str, ...]:
        """Names of the columns of groups."""
        return tuple(map(str, self.groups.columns))


def read_counts(counts: Mapping[str, Any], by: Any = None) -> Counts:
    """Read counts: single numbers, or one per group as lists, arrays, Series or mappings.

    Groups are named by `by` (a column of names, or a mapping of column names to them), else by
    the index of a Series or the keys of a mapping, else numbered from 0.

    Raises
    ------
    DataError
        Naming the count and the group of a negative, missing or fractional number, and of lengths
        or groups that differ.
    """
    import pandas as pd

    read = {name: _count_series(name, one) for name, one in counts.items()}
    lengths = {name: len(one) for name, one in read.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"counts of different lengths: {lengths}")
    first = next(iter(read.values()))
    single = all(isinstance(one, Number) for one in counts.values())
    for name, one in read.items():
        if not one.index.equals(first.index):
            raise DataError(f"{name!r} is for other groups than {next(iter(read))!r}")
    labels = {} if single and by is None else _labels(by, first)
    groups = pd.DataFrame(labels, index=range(len(first)))
    if labels and groups.duplicated().any():
        twice = tuple(groups[groups.duplicated()].iloc[0])
        raise DataError(f"group {twice!r} stands twice; add its counts up first")
    values = {name: _whole(name, one, groups) for name, one in read.items()}
    return Counts(groups, values)


def _count_series(name: str, one: Any) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(one, Mapping):
        return pd.Series(dict(one))
    if one is None or isinstance(one, Number):
        return pd.Series([one])
    column = _series(one, name)
    if column is None or len(column) == 0:
        raise DataError(f"{name!r}: no counts; allowed: a whole number, or one per group")
    return column


def _labels(by: Any, first: pd.Series[Any]) -> dict[str, Any]:
    import pandas as pd

    if by is None:
        if isinstance(first.index, pd.MultiIndex):
            return {
                str(name or f"group_{i}"): first.index.get_level_values(i)
                for i, name in enumerate(first.index.names)
            }
        return {str(first.index.name or "group"): first.index.to_numpy()}
    named = by if isinstance(by, Mapping) else {str(getattr(by, "name", None) or "group"): by}
    labels = {str(name): list(values) for name, values in named.items()}
    for name, values in labels.items():
        if len(values) != len(first):
            raise DataError(f"{name!r} names {len(values)} groups; there are {len(first)} counts")
    return labels


def _whole(name: str, column: pd.Series[Any], groups: pd.DataFrame) -> NDArray[np.int64]:
    """Return counts as whole numbers, or say which is none."""
    for row, value in enumerate(column.to_list()):
        number = isinstance(value, (int, float, np.integer, np.floating))
        if not number or isinstance(value, bool) or value < 0 or value != np.floor(value):
            where = f", group {tuple(groups.iloc[row])!r}" if groups.shape[1] else ""
            raise DataError(f"{name!r}{where}: {value!r} is no count; allowed: 0, 1, 2, ...")
        if not np.isfinite(value):
            raise DataError(f"{name!r}: {value!r} is no count; allowed: 0, 1, 2, ...")
    return column.to_numpy().astype(np.int64)
