"""Columns computed from others of the same row: as expressions of an engine, or on arrays.

An engine's planner rewrites nested expressions until a questionnaire of some twenty items takes it
minutes. A formula is therefore written once, and either handed to the engine (`expression`) or
computed on the arrays of a block of rows where they lie (`values`), as Spark's Python workers do.
Missing is null in an expression and NaN in an array.

`Steps` are mappings of a new column to its formula. The formulas of one step are computed side by
side, from the columns before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, and_
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Expression = Any  # of Narwhals
Columns = Mapping[str, "Array"]


class Formula(Protocol):
    """A column computed from others."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that it is computed from."""

    def expression(self) -> Expression:
        """Return it as an expression of Narwhals."""

    def values(self, columns: Columns, rows: int) -> Array:
        """Return it as an array (rows,)."""


Steps = Sequence[Mapping[str, Formula]]


@dataclass(frozen=True, slots=True)
class Constant:
    """One number for every row."""

    number: float
    inputs: tuple[str, ...] = ()

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        return nw.lit(self.number)

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        return np.full(rows, self.number)


@dataclass(frozen=True, slots=True)
class Sum:
    """``sum_j x_j``; missing where any is."""

    inputs: tuple[str, ...]

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        return reduce(add, map(nw.col, self.inputs))

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        return reduce(add, (columns[name] for name in self.inputs))


@dataclass(frozen=True, slots=True)
class Difference:
    """``x - y``; missing where either is."""

    first: str
    second: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """See `Formula`."""
        return (self.first, self.second)

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        return nw.col(self.first) - nw.col(self.second)

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        return columns[self.first] - columns[self.second]


@dataclass(frozen=True, slots=True)
class Share:
    """``x_i / sum_j x_j``; missing where any is."""

    part: str
    inputs: tuple[str, ...]

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        return nw.col(self.part) / Sum(self.inputs).expression()

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(columns[self.part] / Sum(self.inputs).values(columns, rows))


@dataclass(frozen=True, slots=True)
class SumOfProducts:
    """``sum_j x_j y_j``; missing where any is."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """See `Formula`."""
        return tuple(name for pair in self.pairs for name in pair)

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        return reduce(add, (nw.col(x) * nw.col(y) for x, y in self.pairs))

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        return reduce(add, (columns[x] * columns[y] for x, y in self.pairs))


@dataclass(frozen=True, slots=True)
class MeanOfAnswered:
    """Mean of those that are there in a row; missing where none is."""

    inputs: tuple[str, ...]

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        there = [~nw.col(name).is_null() for name in self.inputs]
        ones = (nw.when(has).then(nw.lit(1.0)).otherwise(nw.lit(0.0)) for has in there)
        answers = (
            nw.when(has).then(nw.col(name)).otherwise(nw.lit(0.0))
            for has, name in zip(there, self.inputs, strict=True)
        )
        n = reduce(add, ones)
        return nw.when(n > 0).then(reduce(add, answers) / n)

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        total, n = np.zeros(rows), np.zeros(rows)
        for name in self.inputs:
            there = ~np.isnan(columns[name])
            n += there
            np.add(total, columns[name], out=total, where=there)
        with np.errstate(invalid="ignore"):
            return np.asarray(total / n)  # 0 / 0 is missing


@dataclass(frozen=True, slots=True)
class WhereAnswered:
    """A column, or the number 1, in the rows that have all of some columns; missing elsewhere."""

    there: tuple[str, ...]
    column: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """See `Formula`."""
        return self.there if self.column is None else (*self.there, self.column)

    def expression(self) -> Expression:
        """See `Formula`."""
        import narwhals as nw

        complete = reduce(and_, (~nw.col(name).is_null() for name in self.there))
        return nw.when(complete).then(nw.lit(1.0) if self.column is None else nw.col(self.column))

    def values(self, columns: Columns, rows: int) -> Array:
        """See `Formula`."""
        complete = reduce(and_, (~np.isnan(columns[name]) for name in self.there))
        return np.where(complete, 1.0 if self.column is None else columns[self.column], np.nan)


def with_steps(table: Any, steps: Steps) -> Any:
    """Return a table of Narwhals with the columns of steps as expressions.

    Examples
    --------
    >>> import narwhals as nw
    >>> import pandas as pd
    >>> table = nw.from_native(pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, None]}))
    >>> steps = [{"mean": MeanOfAnswered(("x", "y"))}, {"off": Difference("x", "mean")}]
    >>> with_steps(table, steps)["off"].to_list()
    [-1.0, 0.0]
    """
    for step in steps:
        table = table.with_columns(**{name: x.expression() for name, x in step.items()})
    return table


def needed_steps(steps: Steps, wanted: Iterable[str]) -> tuple[Steps, tuple[str, ...]]:
    """Return the formulas that some columns need, and the columns of the table that these need.

    Examples
    --------
    >>> steps = [{"d": Difference("x", "y"), "s": Sum(("x", "z"))}, {"e": Difference("d", "y")}]
    >>> [list(step) for step in needed_steps(steps, ["e"])[0]], needed_steps(steps, ["e"])[1]
    ([['d'], ['e']], ('y', 'x'))
    """
    open_names = dict.fromkeys(wanted)
    needed: list[Mapping[str, Formula]] = []
    for step in reversed(steps):
        formulas = {name: x for name, x in step.items() if name in open_names}
        others = [name for name in open_names if name not in formulas]
        inputs = [name for formula in formulas.values() for name in formula.inputs]
        open_names = dict.fromkeys([*others, *inputs])
        needed.insert(0, formulas)
    return needed, tuple(open_names)


def values_of_steps(columns: dict[str, Array], steps: Steps, rows: int) -> dict[str, Array]:
    """Return columns and those of steps as arrays (rows,).

    Examples
    --------
    >>> columns = {"x": np.array([1.0, 2.0]), "y": np.array([3.0, np.nan])}
    >>> steps = [{"mean": MeanOfAnswered(("x", "y"))}, {"off": Difference("x", "mean")}]
    >>> values_of_steps(columns, steps, 2)["off"].tolist()
    [-1.0, 0.0]
    """
    for step in steps:
        columns = columns | {name: x.values(columns, rows) for name, x in step.items()}
    return columns
