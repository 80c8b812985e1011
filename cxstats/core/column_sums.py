"""Sums of powers of columns, each over the rows that have it, added up by the engine of a table.

`cxstats.core.engine_sums` adds up products over complete rows. Here a row counts in every column
that it has: what tests of single means need. One aggregate serves all columns, by group where asked
for; a second one is needed only where a mean lies far from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.accumulate import plain_group
from cxstats.core.engine_sums import FAR
from cxstats.core.engines import fetched

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Different values of all columns together, up to which they are counted.
MOST_VALUES = 1_000_000
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
    table: Any, powers: Mapping[str, int], by: str | None = None
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
    origins = dict.fromkeys(powers, 0.0)
    groups = _added(table, powers, by, origins)
    far = _far(groups.values(), powers)
    if far:
        groups = _added(table, powers, by, {**origins, **far})
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
    table: Any, powers: Mapping[str, int], by: str | None, origins: Mapping[str, float]
) -> dict[Any, ColumnSums]:
    import narwhals as nw

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
    highest = np.array(list(powers.values()))

    def of(letter: str, order: int) -> Array:
        names = (f"{letter}{i}_{order}" if letter == "s" else f"{letter}{i}" for i in range(k))
        return np.array([_number(record.get(name)) for name in names])

    n, first, second, third = of("n", 0), of("s", 1), of("s", 2), of("s", 3)
    low, high = of("l", 0), of("h", 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        m = np.where(n > 0, first / n, np.nan)
        squares = second - n * m**2
        cubes = third - 3 * m * second + 2 * n * m**3
        same = (low == high) | (squares <= ROUNDING * second)
    squares, cubes = (np.where(same, 0.0, x) for x in (squares, cubes))
    squares = np.where((highest > 1) & (n > 0), squares, np.nan)
    cubes = np.where((highest > 2) & (n > 0), cubes, np.nan)
    rows = int(np.nan_to_num(_number(record["rows"])))  # the sum over no rows may be missing
    mean = m + np.array(list(origins.values()))
    return ColumnSums(tuple(powers), rows, np.nan_to_num(n), mean, squares, cubes, low, high)


def _number(value: Any) -> float:
    import pandas as pd

    return float("nan") if value is None or pd.isna(value) else float(value)


def distinct_values(
    table: Any, columns: Sequence[str], most: int = MOST_VALUES
) -> dict[str, tuple[Array, Array]] | None:
    """Count how often each different value occurs in each column; the engine counts.

    Parameters
    ----------
    table : narwhals LazyFrame or DataFrame
        Its columns are floating-point numbers, null where missing.
    columns : sequence of str
    most : int
        Different values of all columns together, above which nothing is returned.

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
    import narwhals as nw

    places = {name: f"x{i}" for i, name in enumerate(columns)}
    long = (
        table.lazy()
        .select(*(nw.col(name).alias(place) for name, place in places.items()))
        .unpivot(on=list(places.values()), index=None, variable_name="place", value_name="value")
    )
    counted = long.filter(~nw.col("value").is_null()).group_by("place", "value").agg(n=nw.len())
    counts: pd.DataFrame = fetched(counted.head(most + 1))
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
        for name, place in places.items()
    }
