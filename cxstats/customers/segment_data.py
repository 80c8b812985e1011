"""What segments are made from: complete rows as numbers, on a common scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.customers.numeric_columns import check_columns, refuse
from cxstats.customers.rfm import COLUMNS, RFM
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEWEST = 10  # complete rows
LARGEST = 1e100  # its square is still a number
# Skewness above which distances are those of a few customers, if the logarithm halves it at least.
SKEWED = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class SegmentData:
    """The complete rows that are divided into segments.

    Attributes
    ----------
    frame : pandas.DataFrame (n_rows, ...)
        The whole table, with the columns that are used.
    values : array (n, p)
        Complete rows in the units of the client.
    points : array (n, p)
        The same after logarithms and standardisation.
    blurred : array (n, p)
        `points` of values to which evenly distributed noise as wide as a step of their column is
        added: whole numbers stand for what lies around them, and steps of a scale are no clusters.
    at : array (n,)
        Which rows of the table they are.
    skewed : tuple of str
        Columns whose skewness exceeds 2 and is less than half of that after the logarithm.
    """

    frame: pd.DataFrame
    values: Array
    points: Array
    blurred: Array
    at: NDArray[np.intp]
    skewed: tuple[str, ...]

    @property
    def n_left_out(self) -> int:
        """Rows with a missing value."""
        return len(self.frame) - len(self.at)


def segment_data(
    frame: Any,
    columns: Sequence[str] | None,
    *,
    log: Sequence[str] | str,
    standardise: bool,
    others: Sequence[str],
    seed: int,
) -> SegmentData:
    """Return the complete rows of a table as points.

    ``x`` becomes ``log(1 + x)`` for columns in `log`, then ``(x - mean) / sd`` where it is
    standardised.

    Raises
    ------
    DataError
        Naming the column, the row, the value and what is allowed.
    """
    if isinstance(frame, RFM):
        columns = list(COLUMNS.values()) if columns is None else columns
        frame = frame.customers
    names = column_names(columns, "columns")
    logged = column_names(log, "log") if len(log) else []
    for name in logged:
        if name not in names:
            raise CxError(f"log has {name!r}; allowed: names among columns, {', '.join(names)}")
    table = _table(frame, dict.fromkeys((*names, *others)))
    values = np.column_stack([numbers(table, name) for name in names])
    for name, column in zip(names, values.T, strict=True):
        refuse(table, name, np.abs(column) > LARGEST, f"up to {LARGEST:g} in size")
    for name in logged:
        refuse(table, name, values[:, names.index(name)] < 0, "0 and above, for the logarithm")
    at = np.flatnonzero(~np.isnan(values).any(axis=1))
    if len(at) < FEWEST:
        raise DataError(
            f"{len(at)} of {len(values)} rows have a value in all of: {', '.join(names)}; at "
            f"least {FEWEST} are needed"
        )
    values = values[at]
    for name, column in zip(names, values.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"column {name!r} has the value {column[0]:g} in all {len(at)} complete rows; "
                "allowed: columns that differ between rows"
            )
    is_logged = np.isin(names, logged)
    points = _scaled(values, is_logged, standardise)
    return SegmentData(
        frame=table,
        values=values,
        points=points,
        blurred=_scaled(_blurred(values, seed), is_logged, standardise),
        at=at,
        skewed=tuple(n for n, x in zip(names, values.T, strict=True)
                     if n not in logged and _wants_logarithm(x)),
    )  # fmt: skip


def column_names(names: Sequence[str] | str | None, what: str) -> list[str]:
    """Return names of columns as a list.

    Raises
    ------
    CxError
        If there is none, one is no text, or one stands twice.
    """
    if names is None or not len(names):
        raise CxError(f"{what} is {names!r}; allowed: a list of at least one column")
    listed = [names] if isinstance(names, str) else list(names)
    for name in listed:
        if not isinstance(name, str):
            raise CxError(f"{what} has {name!r}; allowed: names of columns")
        if listed.count(name) > 1:
            raise CxError(f"{what}: {name!r} stands there twice")
    return listed


def _table(frame: Any, names: Iterable[str]) -> pd.DataFrame:
    """Return some columns of any table as pandas; of another engine only they are read."""
    import narwhals as nw
    import pandas as pd

    wanted = list(names)
    if not isinstance(frame, pd.DataFrame):
        try:
            table: Any = nw.from_native(frame)
        except TypeError:
            return as_pandas(frame)  # which says what is allowed
        there = table.collect_schema().names()
        if set(wanted) <= set(there):
            frame = table.select(wanted).to_native()
    chosen: pd.DataFrame = as_pandas(frame)
    check_columns(chosen, wanted)
    return chosen[wanted]


def _scaled(values: Array, is_logged: NDArray[np.bool_], standardise: bool) -> Array:
    points = np.where(is_logged, np.log1p(np.where(is_logged, values, 0)), values)
    if not standardise:
        return np.asarray(points)
    return np.asarray((points - points.mean(axis=0)) / points.std(axis=0, ddof=1))


def _blurred(values: Array, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    steps = np.array([np.diff(np.unique(column)).min() for column in values.T])
    # log(1 + x) needs more than -1; steps above 1 are rare among amounts that may be 0.
    return np.asarray(values + np.minimum(steps, 1.9) * rng.uniform(-0.5, 0.5, values.shape))


def _wants_logarithm(column: Array) -> bool:
    if column.min() < 0:
        return False
    before, after = _skewness(column), _skewness(np.log1p(column))
    return before > SKEWED and abs(after) < before / 2


def _skewness(column: Array) -> float:
    centred = (column - column.mean()) / column.std()
    return float((centred**3).mean())
