"""How often values occur in columns: counted by the engine of a table, by Spark in its workers.

`value_counts` counts some values, and gives the ends of all others; `distinct_values` counts every
value that occurs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import SPARK, Selection, as_number, engine_of, fetched, select
from cxstats.core.row_formulas import Steps, with_steps
from cxstats.core.spark_jobs import WorkerRows, collected, mapped, spark_errors

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Different values of all columns together, up to which they are counted.
MOST_VALUES = 1_000_000
# Values of a partition of Spark that wait to be counted together.
WAITING = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class ValueCounts:
    """How often some values occur in a column.

    Attributes
    ----------
    counts : array (k,)
        Rows with each of the values.
    low, high : float
        Smallest and largest of all other values; NaN where there are none.
    """

    counts: NDArray[np.int64]
    low: float
    high: float


def value_counts(
    frame: Any, columns: Sequence[str], values: Sequence[float]
) -> dict[str, ValueCounts]:
    """Return how often some values occur in each column, in one pass of the table's engine.

    Without `values`, the smallest and largest value of each column.
    """
    selection = select(frame, columns)
    values = [float(value) for value in values]
    counting = _ends_by_workers if engine_of(selection.table) in SPARK else _ends
    return counting(selection, values)


def _ends(selection: Selection, values: Sequence[float]) -> dict[str, ValueCounts]:
    """Return counts and ends that an engine computes as one aggregate."""
    import narwhals as nw

    schema = selection.table.collect_schema()
    terms, added = {}, []
    for i, name in enumerate(selection.names):
        x = as_number(name, schema[name]).cast(nw.Float64)
        for k, value in enumerate(values):
            terms[f"n{i}_{k}"] = nw.when(x == value).then(nw.lit(1)).otherwise(nw.lit(0))
            added.append(nw.col(f"n{i}_{k}").sum())
        terms[f"x{i}"] = nw.when(~x.is_in(values)).then(x) if values else x
        added += [nw.col(f"x{i}").min().alias(f"l{i}"), nw.col(f"x{i}").max().alias(f"h{i}")]
    lazy = selection.table.lazy().select(*(term.alias(name) for name, term in terms.items()))
    total = fetched(lazy.select(*added)).astype(float).iloc[0]
    return {
        name: ValueCounts(
            np.array([total[f"n{i}_{k}"] for k in range(len(values))]).astype(np.int64),
            float(total[f"l{i}"]), float(total[f"h{i}"]),
        )
        for i, name in enumerate(selection.names)
    }  # fmt: skip


def _ends_by_workers(selection: Selection, values: Sequence[float]) -> dict[str, ValueCounts]:
    """Return counts and ends from the workers of Spark.

    Its planner takes longer over an aggregate of each value of each column than they do.
    """
    import narwhals as nw

    k, schema = len(selection.names), selection.table.collect_schema()
    names = tuple(f"x{i}" for i in range(k))
    table = selection.table.select(
        *(
            as_number(name, schema[name]).cast(nw.Float64).alias(x)
            for name, x in zip(selection.names, names, strict=True)
        )
    )
    rows = WorkerRows.of(names, ())
    different, places = np.unique(np.array(values, float), return_inverse=True)
    counts = np.zeros((k, len(different)), np.int64)
    low, high = np.full(k, np.nan), np.full(k, np.nan)
    for part in collected(rows.select(table), _EndsJob(rows, different)):
        counts += part[0]
        low, high = np.fmin(low, part[1]), np.fmax(high, part[2])
    return {
        name: ValueCounts(counts[i, places], float(low[i]), float(high[i]))
        for i, name in enumerate(selection.names)
    }


@dataclass(frozen=True, slots=True, eq=False)
class _EndsJob:
    """Counts some values of columns in a worker of Spark, with the ends of all others."""

    rows: WorkerRows
    values: Array  # from the lowest, each once

    def of_batches(
        self, batches: Iterable[Any]
    ) -> Iterator[tuple[NDArray[np.int64], Array, Array]]:
        """Yield counts (k, values), smallest and largest of all others (k,); NaN without any."""
        k, m = len(self.rows.wanted), len(self.values)
        counts = np.zeros(k * m, np.int64)
        low, high = np.full(k, np.nan), np.full(k, np.nan)
        for batch in batches:
            if not batch.num_rows:
                continue
            x = self.rows.values(batch)
            if m:
                at = np.minimum(np.searchsorted(self.values, x), m - 1)
                equal = self.values[at] == x
                places = at + m * np.arange(k)[:, None]
                counts += np.bincount(places[equal], minlength=k * m)
                x = np.where(equal, np.nan, x)
            low = np.fmin(low, np.fmin.reduce(x, axis=1))
            high = np.fmax(high, np.fmax.reduce(x, axis=1))
        yield counts.reshape(k, m), low, high


@dataclass(frozen=True, slots=True, eq=False)
class _ValuesJob:
    """Counts different values of columns in a worker of Spark."""

    rows: WorkerRows
    places: tuple[str, ...]

    def of_batches(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Yield batches of Arrow: place, value, n. A value may come more than once."""
        waiting: list[list[tuple[Array, Array]]] = [[] for _ in self.places]
        for batch in batches:
            for parts, x in zip(waiting, self.rows.values(batch), strict=True):
                values, n = np.unique(x[~np.isnan(x)], return_counts=True)
                parts.append((values, n.astype(np.float64)))
            if _size(waiting) > WAITING:
                waiting = [[_together(parts)] for parts in waiting]
                if _size(waiting) > WAITING / 2:
                    yield self._batch(waiting)
                    waiting = [[] for _ in self.places]
        yield self._batch([[_together(parts)] for parts in waiting if parts] or waiting)

    def _batch(self, waiting: list[list[tuple[Array, Array]]]) -> Any:
        import pyarrow as pa

        counted = [parts[0] if parts else (np.zeros(0), np.zeros(0)) for parts in waiting]
        sizes = [len(values) for values, _ in counted]
        columns = [
            pa.array(np.repeat(np.array(self.places, object), sizes), pa.string()),
            pa.array(np.concatenate([values for values, _ in counted])),
            pa.array(np.concatenate([n for _, n in counted]).astype(np.int64)),
        ]
        return pa.RecordBatch.from_arrays(columns, ["place", "value", "n"])


def _size(waiting: list[list[tuple[Array, Array]]]) -> int:
    return sum(len(values) for parts in waiting for values, _ in parts)


def _together(parts: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return values and their counts from those of some batches."""
    values, place = np.unique(np.concatenate([v for v, _ in parts]), return_inverse=True)
    n = np.zeros(len(values))
    np.add.at(n, place, np.concatenate([n for _, n in parts]))
    return values, n


def _counted_by_workers(table: Any, columns: Sequence[str], steps: Steps) -> Any:
    """Return a table of place, value and n: Spark adds up what its workers counted."""
    import narwhals as nw

    rows = WorkerRows.of(columns, steps)
    job = _ValuesJob(rows, tuple(f"x{i}" for i in range(len(columns))))
    counted = nw.from_native(
        mapped(rows.select(table), job, "place string, value double, n bigint")
    )
    return counted.group_by("place", "value").agg(nw.col("n").sum())


def _counted(table: Any, columns: Sequence[str], steps: Steps) -> Any:
    """Return a table of place, value and n that the engine counts."""
    import narwhals as nw

    places = [f"x{i}" for i in range(len(columns))]
    long = (
        with_steps(table, steps)
        .lazy()
        .select(*(nw.col(name).alias(x) for name, x in zip(columns, places, strict=True)))
        .unpivot(on=places, index=None, variable_name="place", value_name="value")
    )
    return long.filter(~nw.col("value").is_null()).group_by("place", "value").agg(n=nw.len())


def distinct_values(
    table: Any, columns: Sequence[str], most: int = MOST_VALUES, steps: Steps = ()
) -> dict[str, tuple[Array, Array]] | None:
    """Count how often each different value occurs in each column; the engine counts.

    Parameters
    ----------
    table : narwhals LazyFrame or DataFrame
        Its columns are floating-point numbers, null where missing.
    columns : sequence of str
    most : int
        Different values of all columns together, above which nothing is returned.
    steps : sequence of mapping of column to Formula
        As `column_sums`.

    Returns
    -------
    dict of column to (values, counts), arrays (v,); or None

    Examples
    --------
    >>> import narwhals as nw
    >>> import pandas as pd
    >>> table = nw.from_native(pd.DataFrame({"x": [1.0, 2.0, None, 1.0]}))
    >>> [array.tolist() for array in distinct_values(table, ["x"])["x"]]
    [[1.0, 2.0], [2.0, 1.0]]
    >>> distinct_values(table, ["x"], most=1) is None
    True
    """
    if not columns:
        return {}
    counting = _counted_by_workers if engine_of(table) in SPARK else _counted
    with spark_errors():
        counts: pd.DataFrame = fetched(counting(table, columns, steps).head(most + 1))
    if len(counts) > most:
        return None
    counts = counts.sort_values("value")
    of_place = {str(place): part for place, part in counts.groupby("place", observed=True)}
    nothing = np.zeros(0)
    return {
        name: (
            (of_place[place]["value"].to_numpy(float), of_place[place]["n"].to_numpy(float))
            if place in of_place
            else (nothing, nothing)
        )
        for name, place in ((name, f"x{i}") for i, name in enumerate(columns))
    }
