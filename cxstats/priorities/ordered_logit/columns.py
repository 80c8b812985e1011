"""The columns of an ordered logit: an outcome in its order, and what explains it as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.core.messages import excerpt, listing, row_name
from cxstats.priorities.drivers.terms import levels_of, nominal_kind
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LARGEST = 1e100  # its square is still a number
MOST = 20  # categories of an outcome above which it is better taken for a number


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """An outcome as places in its order.

    Attributes
    ----------
    places : array (n,)
        0 for the lowest category; -1 where there is no answer.
    categories : tuple of str
        From the lowest to the highest.
    """

    places: NDArray[np.intp]
    categories: tuple[str, ...]


def read_outcome(frame: pd.DataFrame, name: str, order: Sequence[Any] | None) -> Outcome:
    """Return the outcome in its order.

    Parameters
    ----------
    frame : pandas.DataFrame
    name : str
    order : sequence, optional
        Its values from the lowest to the highest; without it, numbers and ordered categories have
        theirs, and words have none.

    Raises
    ------
    DataError
        If there is no order, a value is not in it, or fewer than two categories have answers.
    """
    import pandas as pd

    kind = nominal_kind(frame, name)
    if order is not None:
        if isinstance(order, str) or len(set(order)) != len(order):
            raise CxError(f"order is {excerpt(order)}; allowed: each value of {name!r} once, "
                          "from the lowest to the highest")  # fmt: skip
        levels = list(order)
        column = frame[name] if kind is not None else pd.Series(numbers(frame, name))
    elif kind is None:
        column = pd.Series(numbers(frame, name))
        levels = [float(value) for value in np.unique(column.dropna())]
    elif kind == "boolean":
        column, levels = frame[name], [False, True]
    else:
        column = frame[name]
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        if not (categorical and column.cat.ordered):
            values = levels_of(column, np.ones(len(column), bool))
            raise DataError(
                f"column {name!r} holds words ({listing(values)}) without an order; say it by "
                f"order=[lowest, ..., highest]"
            )
        levels = list(column.cat.categories)
    place_of = {level: place for place, level in enumerate(levels)}
    places = np.full(len(column), -1, np.intp)
    for row, (value, gap) in enumerate(zip(column, column.isna(), strict=True)):
        if gap:
            continue
        if value not in place_of:
            raise DataError(
                f"column {name!r}, {row_name(frame.index, row)}: {excerpt(value)} is not in the "
                f"order; allowed: {listing(levels)}"
            )
        places[row] = place_of[value]
    return Outcome(
        places,
        tuple(format_number(v) if isinstance(v, float) else str(v) for v in levels),
    )


def with_answers(outcome: Outcome, used: NDArray[np.bool_], name: str) -> Outcome:
    """Return the outcome of the rows used, categories without an answer left out.

    Raises
    ------
    DataError
        If fewer than two are left, or more than 20.
    """
    counts = np.bincount(outcome.places[used], minlength=len(outcome.categories))
    there = np.flatnonzero(counts)
    if len(there) < 2:
        raise DataError(f"column {name!r} does not vary in the {used.sum():,} complete answers")
    if len(there) > MOST:
        raise DataError(
            f"column {name!r} has {len(there)} different values; allowed: up to {MOST} ordered "
            "categories (a number of many values is explained by cxstats.drivers)"
        )
    new = np.full(len(outcome.categories), -1, np.intp)
    new[there] = np.arange(len(there))
    return Outcome(new[outcome.places[used]], tuple(outcome.categories[place] for place in there))


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column that explains, and how its values become numbers.

    Attributes
    ----------
    name : str
    levels : tuple
        Of a nominal column, the reference first; empty for numbers and yes or no.
    compared : tuple
        The values that effects compare: all levels, no and yes, or the quartiles of numbers.
    """

    name: str
    levels: tuple[Any, ...]
    compared: tuple[Any, ...]

    @property
    def width(self) -> int:
        """Numbers that it becomes."""
        return max(len(self.levels) - 1, 1)

    @property
    def names(self) -> tuple[str, ...]:
        """Of these numbers."""
        if not self.levels:
            return (self.name,)
        return tuple(f"{self.name} = {level}" for level in self.levels[1:])

    def numbers_of(self, value: Any) -> Array:
        """Return what a value becomes (width,)."""
        if self.levels:
            return np.array([value == level for level in self.levels[1:]], float)
        return np.array([float(value)])

    def read(self, frame: pd.DataFrame) -> Array:
        """Return the column of a table as numbers (n, width), NaN where there is no answer.

        Raises
        ------
        DataError
            Naming the row of a level that was not there when the model was fitted.
        """
        if not self.levels:
            if nominal_kind(frame, self.name) == "boolean":
                column = frame[self.name].astype(object)
                return np.array([[np.nan if gap else float(value)] for value, gap in
                                 zip(column, column.isna(), strict=True)])  # fmt: skip
            return np.asarray(numbers(frame, self.name)[:, None], float)
        column = frame[self.name].astype(object)
        missing = column.isna().to_numpy(bool)
        unlisted = np.flatnonzero(~missing & ~column.isin(self.levels).to_numpy(bool))
        if len(unlisted):
            row = int(unlisted[0])
            raise DataError(
                f"column {self.name!r}, {row_name(frame.index, row)}: "
                f"{excerpt(column.iloc[row])} is no level of the model; allowed: "
                f"{listing(self.levels)}"
            )
        values = column.mask(missing, None).to_numpy(object)
        dummies = np.column_stack([values == level for level in self.levels[1:]]).astype(float)
        dummies[missing] = np.nan
        return dummies


def read_column(
    frame: pd.DataFrame, name: str, rows: NDArray[np.bool_], base: Mapping[str, Any]
) -> Column:
    """Return how a column explains: its levels in the rows used, and what is compared.

    Raises
    ------
    DataError
        If it does not vary, or its reference is no level.
    """
    kind = nominal_kind(frame, name)
    if kind == "levels":
        levels = levels_of(frame[name], rows)
        if name in base:
            if base[name] not in levels:
                raise DataError(f"base[{name!r}] is {excerpt(base[name])}; allowed: "
                                f"{listing(levels)}")  # fmt: skip
            levels = [base[name], *(level for level in levels if level != base[name])]
        if len(levels) < 2:
            raise DataError(f"column {name!r} does not vary, so it explains nothing")
        return Column(name, tuple(levels), tuple(levels))
    if name in base:
        raise DataError(f"base names {name!r}, whose values are numbers; allowed: columns of words")
    values = Column(name, (), ()).read(frame)[rows, 0]
    if np.abs(values).max(initial=0) > LARGEST:
        row = int(np.flatnonzero(rows)[np.abs(values).argmax()])
        raise DataError(
            f"column {name!r}, {row_name(frame.index, row)}: {excerpt(frame[name].iloc[row])}; "
            f"allowed: up to {LARGEST:g} in size"
        )
    if not len(values) or np.ptp(values) == 0:
        raise DataError(f"column {name!r} does not vary, so it explains nothing")
    if kind == "boolean" or set(np.unique(values)) <= {0.0, 1.0}:
        return Column(name, (), (0.0, 1.0))
    low, high = (float(q) for q in np.quantile(values, [0.25, 0.75]))
    if low == high:
        low, high = float(values.min()), float(values.max())
    return Column(name, (), (low, high))
