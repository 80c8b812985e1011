"""Counts and published figures that a metric is given, one per group, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.metrics.answers import one_column

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LARGEST = 2**53  # whole numbers up to here are exact as floats


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts of answers, one per group: a frame of the groups and arrays of whole numbers.

    Amounts that were read with them (means, standard deviations) are arrays of floats.
    """

    groups: pd.DataFrame
    values: dict[str, NDArray[Any]]

    @property
    def by(self) -> tuple[str, ...]:
        """Names of the columns of groups."""
        return tuple(map(str, self.groups.columns))


def read_counts(
    counts: Mapping[str, Any], by: Any = None, amounts: Mapping[str, float] | None = None
) -> Counts:
    """Read counts: single numbers, or one per group as lists, arrays, Series or mappings.

    Groups are named by `by` (a column of names, or a mapping of column names to them), else by
    the index of a Series or the keys of a mapping, else numbered from 0. Series and mappings of
    the same groups in another order are put into that of the first. `amounts` names those that
    are no counts but any finite number, with the least that is allowed.

    Raises
    ------
    DataError
        Naming the count and the group of a negative, missing or fractional number, and of lengths
        or groups that differ.
    """
    import pandas as pd

    columns = {name: _count_series(name, values) for name, values in counts.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"counts of different lengths: {lengths}")
    lead = next(iter(columns))
    first = columns[lead]
    single = all(_is_single(values) for values in counts.values())
    for name, column in columns.items():
        if not column.index.equals(first.index):
            named = all(isinstance(x, (Mapping, pd.Series)) for x in (counts[name], counts[lead]))
            unique = column.index.is_unique and first.index.is_unique
            if not (named and unique and set(column.index) == set(first.index)):
                raise DataError(f"{name!r} is for other groups than {lead!r}")
            columns[name] = column.reindex(first.index)
    labels = {} if single and by is None else _labels(by, first)
    groups = pd.DataFrame(labels, index=range(len(first)))
    if labels and groups.duplicated().any():
        twice = tuple(groups[groups.duplicated()].iloc[0])
        raise DataError(f"group {twice!r} stands twice; add its counts up first")
    least = amounts or {}
    return Counts(
        groups,
        {
            name: _amounts(name, column, groups, least[name])
            if name in least
            else _integers(name, column, groups)
            for name, column in columns.items()
        },
    )


def _is_single(values: Any) -> bool:
    return values is None or isinstance(values, (Number, str, bytes))


def _count_series(name: str, values: Any) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(values, Mapping):
        return pd.Series(dict(values), dtype=None if values else object)
    if _is_single(values):
        return pd.Series([values], dtype=object)
    column = one_column(values)
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


def _integers(name: str, column: pd.Series[Any], groups: pd.DataFrame) -> NDArray[np.int64]:
    """Return counts as whole numbers; raise if one is none."""
    for row, value in enumerate(column.to_list()):
        is_count = _is_number(value) and 0 <= value < np.inf and value == value // 1
        if not is_count:
            where = _place(name, groups, row)
            raise DataError(f"{where}: {value!r} is no count; allowed: 0, 1, 2, ...")
        if value > LARGEST:
            where = _place(name, groups, row)
            raise DataError(f"{where}: {value!r} is too large; allowed: up to 2**53")
    return column.to_numpy().astype(np.int64)


def _amounts(
    name: str, column: pd.Series[Any], groups: pd.DataFrame, least: float
) -> NDArray[np.float64]:
    """Return amounts as floats; raise if one is no finite number from `least` upwards."""
    for row, value in enumerate(column.to_list()):
        if not (_is_number(value) and least <= value and abs(value) < np.inf):
            limit = "" if np.isinf(least) else f" from {least:g} upwards"
            raise DataError(
                f"{_place(name, groups, row)}: {value!r}; allowed: finite numbers{limit}"
            )
    return column.to_numpy().astype(np.float64)


def _is_number(value: Any) -> bool:
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, (bool, np.timedelta64))


def _place(name: str, groups: pd.DataFrame, row: int) -> str:
    return f"{name!r}" + (f", group {tuple(groups.iloc[row])!r}" if groups.shape[1] else "")
