"""Sums that leave an engine in place of its rows.

`sums_of` returns means and cross-products by group, `pattern_sums` by group and missing pattern. A
method that needs nothing else goes through them, and works on a table of any size:

- tables in memory, lazy Polars frames and DuckDB relations are read block by block;
- Spark adds up each partition where it lies (`mapInArrow`, one pass), with the same `Sums`; what
  the partitions add up to is merged here (`cxstats.core.spark_jobs` says what executors need);
- so does Dask, each partition as a delayed task;
- any other lazy engine (Ibis, SQLFrame) computes all sums of products as one aggregate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import Sums, plain_group
from cxstats.core.engines import (
    SPARK,
    Block,
    Selection,
    as_number,
    block_of,
    blocks,
    engine_of,
    fetched,
    is_lazy,
    is_streamed,
    select,
)
from cxstats.core.errors import DataError
from cxstats.core.grouped_sums import GroupedSums
from cxstats.core.spark_jobs import collected

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Patterns of missing answers whose sums are kept, p(p + 1)/2 numbers each.
MOST_PATTERNS = 20_000
# Rows from whose mean a lazy engine measures, and how many standard deviations the mean of all may
# lie from there: squares of larger differences would take three digits of the variances.
FIRST_ROWS, FAR = 1_000, 30.0

# A group (None for rows without one) and, where patterns are asked for, which answers are there.
Key = Any


@dataclass(frozen=True, slots=True, eq=False)
class GroupSums:
    """Sums of each group of a table, and the rows that are still to be added.

    Attributes
    ----------
    names : tuple of str
        The p variables.
    sums : dict of group to Sums
        With the key None alone where there are no groups; empty for a table read in blocks.
    ungrouped : int
        Rows without a group.
    blocks : iterable of Block
        The rows of a table that is read here; empty where an engine added up.
    """

    names: tuple[str, ...]
    sums: dict[Any, Sums]
    ungrouped: int
    blocks: Iterable[Block] = ()


def sums_of(
    frame: Any, columns: Sequence[str] | None, by: str | None = None, weights: str | None = None
) -> GroupSums:
    """Return the sums of complete cases by group that a remote engine adds up, or rows in blocks.

    Parameters
    ----------
    frame, columns, by, weights
        As `cxstats.core.engines.blocks`.

    Returns
    -------
    GroupSums

    Raises
    ------
    DataError
        If a column is missing, not numeric or infinite, or a weight is not allowed.
    """
    if not is_lazy(frame) or is_streamed(frame):
        names, rows = blocks(frame, columns, by, weights)
        return GroupSums(names, {}, 0, rows)
    selection = select(frame, columns, by, weights)
    names = selection.names
    if engine_of(selection.table) in SPARK:
        sums = _spark_sums(selection, _Partition(names, by, weights))
    elif engine_of(selection.table) == "dask":
        sums = _dask_sums(selection, _Partition(names, by, weights))
    else:
        sums = _aggregated(selection)
    alone = sums.pop(None, None) if by is not None else None
    ungrouped = 0 if alone is None else alone.n + alone.dropped
    return GroupSums(names, sums, ungrouped)


def pattern_sums(
    frame: Any, columns: Sequence[str], by: str | None = None
) -> tuple[tuple[str, ...], dict[tuple[Any, tuple[bool, ...]], Sums]]:
    """Return the sums of each group and pattern of missing answers, of the answers that are there.

    Returns
    -------
    names : tuple of str
    sums : dict of (group, which of the p answers are there) to Sums
        Those of a pattern are over its answers only; a pattern without any counts its rows as
        dropped.

    Raises
    ------
    DataError
        As `sums_of`; or if there are more than `MOST_PATTERNS`, or the engine can neither stream
        nor run Python.
    """
    selection = select(frame, columns, by)
    partition = _Partition(selection.names, by, None, patterns=True)
    if engine_of(selection.table) in SPARK:
        return selection.names, _spark_sums(selection, partition)
    return selection.names, partition.of_blocks(blocks(frame, columns, by, all_rows=True)[1])


def _rows_of_groups(block: Any) -> list[tuple[Any, NDArray[np.intp] | None]]:
    """Return the rows of each group in a block; group None for rows without one."""
    if block.groups is None:
        return [(None, None)]
    import pandas as pd

    codes, groups = pd.factorize(block.groups)
    rows: list[tuple[Any, NDArray[np.intp] | None]] = [
        (plain_group(group), np.flatnonzero(codes == code)) for code, group in enumerate(groups)
    ]
    return [*rows, (None, np.flatnonzero(codes == -1))]


@dataclass(frozen=True, eq=False)
class _Partition:
    """Adds up some rows of a table, here or in a worker of Spark."""

    names: tuple[str, ...]
    by: str | None
    weights: str | None
    patterns: bool = False

    def of_blocks(self, all_blocks: Iterable[Any]) -> dict[Key, Sums]:
        """Return the sums by key of blocks of rows."""
        if self.patterns:
            return self._of_patterns(all_blocks)
        sums: dict[Key, Sums] = {}
        if self.by is None:
            for block in all_blocks:
                of_all = sums.setdefault(None, Sums.empty(len(self.names)))
                of_all.add(block.values, block.weights, self.names)
                of_all.dropped += block.dropped
            return sums
        grouped = GroupedSums(len(self.names))
        for block in all_blocks:
            grouped.add(block, self.names)
        sums = grouped.sums()
        if grouped.ungrouped:
            sums[None] = Sums.empty(len(self.names))
            sums[None].dropped = grouped.ungrouped
        return sums

    def _of_patterns(self, all_blocks: Iterable[Any]) -> dict[Key, Sums]:
        sums: dict[Key, Sums] = {}
        for block in all_blocks:
            for group, rows in _rows_of_groups(block):
                values = block.values if rows is None else block.values[:, rows]
                if rows is None or len(rows):
                    self._add_patterns(sums, group, values)
        return sums

    def _add_patterns(self, sums: dict[Key, Sums], group: Any, values: NDArray[Any]) -> None:
        there = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
        kinds, which = np.unique(there.T, axis=0, return_inverse=True)
        for i, present in enumerate(kinds):
            key = (group, tuple(present.tolist()))
            if key not in sums and len(sums) >= MOST_PATTERNS:
                raise DataError(
                    f"more than {MOST_PATTERNS:,} patterns of missing answers; allowed: fewer, "
                    "or fewer variables at once"
                )
            of_pattern = sums.setdefault(key, Sums.empty(int(present.sum())))
            rows = which.ravel() == i
            names = [name for name, has in zip(self.names, present, strict=True) if has]
            if names:
                of_pattern.add(values[np.ix_(present, rows)], None, names)
            else:
                of_pattern.dropped += int(rows.sum())

    def of_batches(self, batches: Iterable[Any]) -> Iterator[tuple[Key, tuple[Any, ...]]]:
        """Yield the sums of batches of Arrow as plain arrays; an error under the key "error"."""
        read = (self.names, self.by, self.weights, self.patterns)
        try:
            sums = self.of_blocks(block_of(batch, *read) for batch in batches)
        except DataError as error:
            yield "error", (str(error),)
            return
        for key, part in sums.items():
            yield "sums", (key, part.n, part.weight, part.origin, part.mean, part.cross,
                           part.dropped)  # fmt: skip


def _spark_sums(selection: Selection, partition: _Partition) -> dict[Key, Sums]:
    """Return the sums of a Spark table: each partition by itself, merged in their order."""
    schema = selection.table.collect_schema()
    places = {name: f"c{i}" for i, name in enumerate(schema.names())}
    # By place: Spark reads a dot in a name as a field of a structure.
    native = selection.table.to_native().toDF(*places.values())
    expressions = [places[name] for name in selection.columns]
    numeric = [name for name in selection.columns if name != selection.by]
    wide = {places[name] for name in numeric if schema[name].is_decimal()}
    native = native.selectExpr(
        *(f"cast({at} as double) as {at}" if at in wide else at for at in expressions)
    )
    renamed = _Partition(
        tuple(places[name] for name in partition.names),
        None if partition.by is None else places[partition.by],
        None if partition.weights is None else places[partition.weights],
        partition.patterns,
    )
    back = {place: name for name, place in places.items()}
    sums: dict[Key, Sums] = {}
    for kind, content in collected(native, renamed):
        if kind == "error":
            raise DataError(_named_back(content[0], back))
        key, *numbers = content
        part = Sums(*numbers)
        if key in sums:
            sums[key].merge(part)
        else:
            sums[key] = part
    if partition.patterns and len(sums) > MOST_PATTERNS:
        raise DataError(f"more than {MOST_PATTERNS:,} patterns of missing answers; allowed: fewer")
    return sums


def _dask_sums(selection: Selection, partition: _Partition) -> dict[Key, Sums]:
    """Return the sums of a Dask table: each partition by itself, merged in their order.

    Its planner takes minutes over an aggregate of all products of some sixty columns. The workers
    of a Dask cluster need this package.
    """
    from dask.base import compute
    from dask.delayed import delayed

    def of_partition(frame: Any) -> dict[Key, Sums]:
        return partition.of_blocks(
            blocks(frame, partition.names, selection.by, selection.weights)[1]
        )

    native = selection.table.to_native()[selection.columns]
    sums: dict[Key, Sums] = {}
    for part in compute(*(delayed(of_partition)(rows) for rows in native.to_delayed())):
        for key, of_key in part.items():
            if key in sums:
                sums[key].merge(of_key)
            else:
                sums[key] = of_key
    return sums


def _named_back(message: str, back: dict[str, str]) -> str:
    """Return a message of a worker with the column under the name that its user knows."""
    for place, name in back.items():
        message = message.replace(repr(place), repr(name))
    return message


def _aggregated(selection: Selection) -> dict[Key, Sums]:
    """Return the sums by group that a lazy engine computes as one aggregate of its own.

    Products are of differences from a mean of the first rows: small numbers, whatever the means
    are. Where that lies far from the mean of all, as in a sorted table, it is done again from
    there.
    """
    schema = selection.table.collect_schema()
    x = [as_number(name, schema[name]) for name in selection.names]
    head = selection.table.select(*(x[i].alias(f"x{i}") for i in range(len(x)))).head(FIRST_ROWS)
    rows = fetched(head).to_numpy(float, na_value=np.nan)
    rows = np.where(np.isfinite(rows), rows, np.nan)
    origin = np.zeros(len(x))
    there = (~np.isnan(rows)).any(axis=0)
    origin[there] = np.round(np.nanmean(rows[:, there], axis=0))
    sums = _aggregated_from(selection, origin)
    n = sum(part.weight for part in sums.values())
    if n > 0:
        mean = sum(part.weight * part.mean for part in sums.values()) / n
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = sum(np.diag(part.cross) for part in sums.values()) / n
            if (np.abs(mean) > FAR * np.sqrt(variance)).any():
                sums = _aggregated_from(selection, origin + np.round(mean))
    return sums


def _aggregated_from(selection: Selection, origin: Array) -> dict[Key, Sums]:
    import narwhals as nw

    table, p = selection.table, len(selection.names)
    schema = table.collect_schema()
    x = [as_number(name, schema[name]).cast(nw.Float64) for name in selection.names]
    complete = ~x[0].is_null()
    for other in x[1:]:
        complete = complete & ~other.is_null()
    row, column = np.tril_indices(p)
    by = [] if selection.by is None else [nw.col(selection.by).alias("by")]
    weight = nw.lit(1.0)
    if selection.weights is not None:
        weight = as_number(selection.weights, schema[selection.weights]).cast(nw.Float64)
    centred = table.select(
        *by, complete.alias("complete"), weight.alias("weight"),
        *((value - nw.lit(float(o))).alias(f"d{i}") for i, (value, o) in enumerate(
            zip(x, origin, strict=True))),
    )  # fmt: skip
    used = nw.when(nw.col("complete"))
    w = nw.col("weight")
    terms = {"n": used.then(nw.lit(1)).otherwise(nw.lit(0)), "w": used.then(w)}
    terms |= {"low": w, "high": w, "weights": nw.when(~w.is_null()).then(nw.lit(1)).otherwise(0)}
    terms |= {f"s{i}": used.then(w * nw.col(f"d{i}")) for i in range(p)}
    terms |= {f"i{i}": nw.col(f"d{i}") for i in range(p)}
    terms |= {
        f"p{k}": used.then(w * nw.col(f"d{i}") * nw.col(f"d{j}"))
        for k, (i, j) in enumerate(zip(row, column, strict=True))
    }
    products = centred.select(
        *(["by"] if by else []), *(term.alias(name) for name, term in terms.items()),
        nw.lit(1).alias("rows"),
    )  # fmt: skip
    how = {"low": "min", "high": "max", **{f"i{i}": "max" for i in range(p)}}
    added = [getattr(nw.col(name), how.get(name, "sum"))() for name in (*terms, "rows")]
    lows = [nw.col(f"i{i}").min().alias(f"j{i}") for i in range(p)]
    totals = products.group_by("by").agg(*added, *lows) if by else products.select(*added, *lows)
    frame = fetched(totals)
    _check_totals(frame, selection)
    return {
        _key(record.get("by")): _of_record(record, origin, row, column)
        for record in frame.to_dict("records")
        if record["rows"] == record["rows"] and record["rows"]
    }


def _key(group: Any) -> Any:
    import pandas as pd

    return None if group is None or pd.isna(group) else group


def _of_record(
    record: Mapping[Any, Any], origin: Array, row: NDArray[np.intp], column: NDArray[np.intp]
) -> Sums:
    """Return the sums of one group from what the engine added up."""
    p = len(origin)
    n, dropped = int(record["n"]), int(record["rows"]) - int(record["n"])
    numbers = np.array([record[f"s{i}"] for i in range(p)], float)
    flat = np.array([record[f"p{k}"] for k in range(len(row))], float)
    total = float(record["w"]) if n else 0.0
    if n == 0 or total <= 0:
        empty = Sums.empty(p)
        empty.n, empty.dropped = n, dropped
        return empty
    cross = np.empty((p, p))
    cross[row, column] = cross[column, row] = flat
    mean = numbers / total
    return Sums(n, total, origin.copy(), mean, cross - total * np.outer(mean, mean), dropped)


def _check_totals(frame: pd.DataFrame, selection: Selection) -> None:
    """Raise if an answer is infinite, or a weight missing, negative or infinite."""
    for i, name in enumerate(selection.names):
        ends = frame[[f"i{i}", f"j{i}"]].to_numpy(float, na_value=np.nan)
        if np.isinf(ends).any():
            raise DataError(f"column {name!r} has an infinite value; allowed: numbers")
    if selection.weights is None:
        return
    lacking = frame["weights"].sum() < frame["rows"].sum()
    ends = frame[["low", "high"]].to_numpy(float, na_value=np.nan)
    if lacking or (ends < 0).any() or np.isinf(ends).any():
        wrong = "nan" if lacking else f"{np.nanmin(ends) if (ends < 0).any() else np.inf:g}"
        raise DataError(f"a weight is {wrong}; allowed: finite numbers from 0 upwards")
