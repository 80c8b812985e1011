"""Sums of powers of columns, each over the rows that have it, added up by the engine of a table.

`cxstats.core.engine_sums` adds up products over complete rows. Here a row counts in every column
that it has: what tests of single means need. One aggregate serves all columns, by group where asked
for; a second one is needed only where a mean lies far from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import plain_group
from cxstats.core.engine_sums import FAR
from cxstats.core.engines import SPARK, engine_of, fetched
from cxstats.core.row_formulas import Steps, with_steps
from cxstats.core.spark_jobs import WorkerRows, collected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Part of the sum of squares below which that around the mean is rounding.
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class ColumnSums:
    """Sums of k columns.

    Attributes
    ----------
    names : tuple of str
        The k columns.
    rows : int
        Rows of the table, or of the group.
    n : array (k,)
        Rows that have a value.
    mean : array (k,)
        NaN where none has.
    squares, cubes : arrays (k,)
        Sums of ``(x - mean)^2`` and ``(x - mean)^3``; NaN where they were not asked for.
    low, high : arrays (k,)
        Smallest and largest value; NaN where cubes were not asked for.
    """

    names: tuple[str, ...]
    rows: int
    n: Array
    mean: Array
    squares: Array
    cubes: Array
    low: Array
    high: Array

    def select(self, names: Sequence[str]) -> ColumnSums:
        """Return the sums of some of the columns, in the order given."""
        places = {name: i for i, name in enumerate(self.names)}
        at = [places[name] for name in names]
        arrays = (self.n, self.mean, self.squares, self.cubes, self.low, self.high)
        return ColumnSums(tuple(names), self.rows, *(array[at] for array in arrays))

    @property
    def variance(self) -> Array:
        """Variances with the divisor n - 1 (k,); NaN below two rows."""
        return np.where(self.n > 1, self.squares / np.maximum(self.n - 1, 1), np.nan)


def column_sums(
    table: Any, powers: Mapping[str, int], by: str | None = None, steps: Steps = ()
) -> dict[Any, ColumnSums]:
    """Add up powers of columns.

    Parameters
    ----------
    table : narwhals LazyFrame or DataFrame
        Its columns are floating-point numbers, null where missing.
    powers : mapping of column to 1, 2 or 3
        The highest power that is added up.
    by : str, optional
        Column of groups.
    steps : sequence of mapping of column to Formula
        Columns that are computed first; see `cxstats.core.row_formulas`.

    Returns
    -------
    dict of group to ColumnSums
        Without `by`, of the group None alone; with it, None stands for rows without a group.

    Examples
    --------
    >>> import narwhals as nw
    >>> import pandas as pd
    >>> table = nw.from_native(pd.DataFrame({"x": [1.0, 2.0, None, 6.0]}))
    >>> sums = column_sums(table, {"x": 3})[None]
    >>> sums.n.item(), sums.mean.item(), sums.squares.item(), sums.cubes.item()
    (3.0, 3.0, 14.0, 18.0)
    """
    added = _added
    if engine_of(table) in SPARK:
        added = _added_by_workers
    origins = dict.fromkeys(powers, 0.0)
    groups = added(table, powers, by, steps, origins)
    far = _far(groups.values(), powers)
    if far:
        groups = added(table, powers, by, steps, {**origins, **far})
    return groups


def _far(groups: Iterable[ColumnSums], powers: Mapping[str, int]) -> dict[str, float]:
    """Return the mean of all of each column that lies far from 0, for its spread in a group."""
    parts = list(groups)
    if not parts:
        return {}
    n = np.sum([part.n for part in parts], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.sum([part.n * np.nan_to_num(part.mean) for part in parts], axis=0) / n
        far = np.zeros(len(mean), bool)
        for part in parts:
            far |= (part.squares > 0) & (part.mean**2 * part.n > FAR**2 * part.squares)
    return {name: float(mean[i]) for i, name in enumerate(powers) if far[i]}


def _added(
    table: Any,
    powers: Mapping[str, int],
    by: str | None,
    steps: Steps,
    origins: Mapping[str, float],
) -> dict[Any, ColumnSums]:
    import narwhals as nw

    table = with_steps(table, steps)
    terms, added = {}, []
    for i, (name, power) in enumerate(powers.items()):
        x = nw.col(name)
        d = x - nw.lit(origins[name]) if origins[name] else x
        value = d
        for order in range(1, power + 1):
            terms[f"s{i}_{order}"] = value
            added.append(nw.col(f"s{i}_{order}").sum())
            value = value * d
        added.append(nw.col(f"s{i}_1").count().alias(f"n{i}"))
        if power > 2:
            terms[f"x{i}"] = x
            added += [nw.col(f"x{i}").min().alias(f"l{i}"), nw.col(f"x{i}").max().alias(f"h{i}")]
    group = [] if by is None else [nw.col(by).alias("by")]
    lazy = table.lazy().select(
        *group, *(term.alias(name) for name, term in terms.items()), nw.lit(1).alias("rows")
    )
    added.append(nw.col("rows").sum())
    totals = fetched(lazy.group_by("by").agg(*added) if group else lazy.select(*added))
    return {
        _group(record.get("by")): _of_record(record, powers, origins)
        for record in totals.to_dict("records")
    }


def _group(group: Any) -> Any:
    import pandas as pd

    return None if group is None or pd.isna(group) else plain_group(group)


def _of_record(
    record: Mapping[Any, Any], powers: Mapping[str, int], origins: Mapping[str, float]
) -> ColumnSums:
    """Return the sums of one group, around its means, from what the engine added up."""
    k = len(powers)

    def of(letter: str, order: int) -> Array:
        names = (f"{letter}{i}_{order}" if letter == "s" else f"{letter}{i}" for i in range(k))
        return np.array([_number(record.get(name)) for name in names])

    rows = int(np.nan_to_num(_number(record["rows"])))  # the sum over no rows may be missing
    numbers = (of("n", 0), of("s", 1), of("s", 2), of("s", 3), of("l", 0), of("h", 0))
    return _around_means(np.stack(numbers), rows, powers, origins)


def _around_means(
    numbers: Array, rows: int, powers: Mapping[str, int], origins: Mapping[str, float]
) -> ColumnSums:
    """Return sums around the means.

    Parameters
    ----------
    numbers : array (6, k)
        n, sums of ``x - origin`` and of its second and third power, smallest and largest value.
    """
    n, first, second, third, low, high = numbers
    highest = np.array(list(powers.values()))
    with np.errstate(invalid="ignore", divide="ignore"):
        m = np.where(n > 0, first / n, np.nan)
        squares = second - n * m**2
        cubes = third - 3 * m * second + 2 * n * m**3
        same = (low == high) | (squares <= ROUNDING * second)
    squares, cubes = (np.where(same, 0.0, x) for x in (squares, cubes))
    squares = np.where((highest > 1) & (n > 0), squares, np.nan)
    cubes = np.where((highest > 2) & (n > 0), cubes, np.nan)
    mean = m + np.array(list(origins.values()))
    return ColumnSums(tuple(powers), rows, np.nan_to_num(n), mean, squares, cubes, low, high)


def _number(value: Any) -> float:
    import pandas as pd

    return float("nan") if value is None or pd.isna(value) else float(value)


@dataclass(frozen=True, slots=True, eq=False)
class _PowersJob:
    """Adds up powers of columns in a worker of Spark."""

    rows: WorkerRows
    highest: NDArray[np.intp]
    origins: Array
    grouped: bool

    def of_batches(self, batches: Iterable[Any]) -> Iterator[dict[Any, tuple[int, Array]]]:
        """Yield rows and numbers (6, k) by group; see `_around_means`."""
        sums: dict[Any, tuple[int, Array]] = {}
        for batch in batches:
            if batch.num_rows:
                _merge(sums, self._of_batch(batch))
        yield sums

    def _of_batch(self, batch: Any) -> dict[Any, tuple[int, Array]]:
        import pandas as pd

        x = self.rows.values(batch)
        if not self.grouped:
            return {None: (x.shape[1], self._numbers(x, np.zeros(1, np.intp))[0])}
        codes, names = pd.factorize(batch.column("by").to_numpy(zero_copy_only=False))
        order = np.argsort(codes, kind="stable")
        codes = codes[order]
        starts = np.flatnonzero(np.diff(codes, prepend=-2))
        sizes = np.diff(starts, append=len(codes)).tolist()
        groups = [None if code < 0 else plain_group(names[code]) for code in codes[starts]]
        numbers = self._numbers(x[:, order], starts)
        return dict(zip(groups, zip(sizes, numbers, strict=True), strict=True))

    def _numbers(self, x: Array, starts: NDArray[np.intp]) -> Array:
        """Return the numbers (G, 6, k) of rows sorted by group, which begin at the starts."""
        missing = np.isnan(x)
        numbers = np.zeros((6, len(x), len(starts)))
        numbers[4], numbers[5] = np.inf, -np.inf
        numbers[0] = np.add.reduceat(~missing, starts, axis=1, dtype=np.float64)
        d = np.where(missing, 0.0, x - self.origins[:, None])
        power = d
        for order in (1, 2, 3):
            at = self.highest >= order
            power = d if order == 1 else np.where(at[:, None], power * d, 0.0)
            numbers[order] = np.add.reduceat(power, starts, axis=1)
        at = self.highest > 2
        ends = ((np.minimum, 4, np.inf), (np.maximum, 5, -np.inf))
        for end, place, nothing in ends:
            filled = np.where(missing[at], nothing, x[at])
            numbers[place, at] = end.reduceat(filled, starts, axis=1)
        return numbers.transpose(2, 0, 1)


def _merge(sums: dict[Any, tuple[int, Array]], more: Mapping[Any, tuple[int, Array]]) -> None:
    """Add rows and numbers of groups to those before."""
    for group, (rows, numbers) in more.items():
        if group not in sums:
            sums[group] = rows, numbers
            continue
        before, there = sums[group]
        low, high = np.minimum(there[4], numbers[4]), np.maximum(there[5], numbers[5])
        sums[group] = before + rows, np.stack([*(there[:4] + numbers[:4]), low, high])


def _added_by_workers(
    table: Any,
    powers: Mapping[str, int],
    by: str | None,
    steps: Steps,
    origins: Mapping[str, float],
) -> dict[Any, ColumnSums]:
    """Return what the workers of Spark add up, in one pass."""
    rows = WorkerRows.of(powers, steps)
    job = _PowersJob(
        rows, np.array(list(powers.values())), np.array(list(origins.values())), by is not None
    )
    sums: dict[Any, tuple[int, Array]] = {}
    if by is None:
        nothing = np.zeros((6, len(powers)))
        nothing[4], nothing[5] = np.inf, -np.inf
        sums[None] = 0, nothing
    for part in collected(rows.select(table, by), job):
        _merge(sums, part)
    for _, numbers in sums.values():
        ends = numbers[4:]  # smallest and largest value of none are infinite; a sum may be, too
        ends[np.isinf(ends)] = np.nan
    return {group: _around_means(x, n, powers, origins) for group, (n, x) in sums.items()}
