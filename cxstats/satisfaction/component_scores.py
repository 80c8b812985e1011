"""Scores and weights of components, checked: of one unit, an array or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.core.messages import no_column
from cxstats.service.dimension_scores import OVERALL
from cxstats.stats.weights import POINTS, check_weights, sums_to
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ComponentScores:
    """Scores of respondents, or of one unit, as a matrix.

    Attributes
    ----------
    names : tuple of str
        The k components.
    values : array (n, k)
        NaN where a score is missing.
    frame : pandas.DataFrame
        The table they came from; for groups and row names.
    single : bool
        Whether it is one unit and no sample of respondents.
    columns : tuple of str
        What the table calls the components, where a formula has names of its own for them.
    """

    names: tuple[str, ...]
    values: Array
    frame: pd.DataFrame
    single: bool = False
    columns: tuple[str, ...] = ()

    def column(self, place: int) -> str:
        """Return how a message names a component: its column, then its symbol in a formula."""
        if not self.columns:
            return f"column {self.names[place]!r}"
        return f"column {self.columns[place]!r} ({self.names[place]})"


def read_scores(
    scores: Any, weights: Any, normalise: bool = False
) -> tuple[ComponentScores, Array, list[Text]]:
    """Return scores as a matrix, weights (k,) that sum to 1, and what was done to them."""
    if isinstance(scores, ComponentScores):
        components, weight_of = scores, as_mapping(weights, scores.names)
    elif is_named(scores):
        weight_of = as_mapping(weights, None)
        components = one_unit(as_mapping(scores, None), list(weight_of))
    elif isinstance(scores, np.ndarray | list | tuple):
        components = _from_array(scores)
        if is_named(weights):
            raise CxError(
                "scores are an array, whose columns have no names: give weights as an array in "
                "the same order, or scores as a table"
            )
        weight_of = as_mapping(weights, components.names)
    else:
        frame = as_pandas(scores)
        weight_of = as_mapping(weights, [str(name) for name in frame.columns])
        components = from_frame(frame, list(weight_of))
    shares, notes = weight_shares(weight_of, components.names, normalise)
    return components, shares, notes


def from_frame(frame: pd.DataFrame, names: Sequence[str], what: str = "weights") -> ComponentScores:
    """Return columns of a table; raise if one is not there or holds no numbers.

    A column may be called 0 and its weight "0": weights are by text.
    """
    if not names:
        raise CxError(f"{what} are empty; at least one component is needed")
    column_of = {str(column): column for column in frame.columns}
    column_of |= {column: column for column in frame.columns}
    missing = [name for name in names if name not in column_of]
    if missing:
        raise CxError(f"{what}: {no_column(missing[0], frame.columns)}")
    values = np.column_stack([numbers(frame, column_of[name]) for name in names])
    return ComponentScores(tuple(map(str, names)), values, frame)


def formula_scores(data: Any, **scores: Any) -> ComponentScores:
    """Return the scores of a formula, by their symbols in it.

    Numbers make one unit; arrays of one length, respondents; with `data`, names of its columns.
    """
    import pandas as pd

    names = list(scores)
    if data is not None:
        frame = as_pandas(data)
        for name, column in scores.items():
            if not isinstance(column, str):
                raise CxError(f"{name}={column!r}; with data, the name of one of its columns")
        values = np.column_stack([numbers(frame, column) for column in scores.values()])
        return ComponentScores(tuple(names), values, frame, columns=tuple(scores.values()))
    for name, value in scores.items():
        if isinstance(value, str):
            raise CxError(f"{name}={value!r} names a column; give data, the table it is in")
    sizes = {name: _size(name, value) for name, value in scores.items()}
    if all(size == () for size in sizes.values()):
        return one_unit(scores, names)
    if len(set(sizes.values())) > 1 or any(len(size) != 1 for size in sizes.values()):
        shapes = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise CxError(f"the scores have the shapes {shapes}; allowed: one number each, or (n,)")
    index = next((value.index for value in scores.values() if is_series(value)), None)
    # A list keeps the types of its values, so that a message can show the one that is wrong.
    columns = {name: pd.Series(list(value)).to_numpy() for name, value in scores.items()}
    return from_frame(pd.DataFrame(columns, index=index), names)


def _size(name: str, value: Any) -> tuple[int, ...]:
    try:
        return np.shape(value)
    except ValueError as error:  # rows of different lengths
        raise CxError(f"{name}={value!r}; allowed: one number, or (n,)") from error


def weight_shares(
    weights: Mapping[str, Any], names: Sequence[str], normalise: bool
) -> tuple[Array, list[Text]]:
    """Return weights (k,) that sum to 1, and what was done to make them."""
    if OVERALL in names:
        raise CxError(f"a component is called {OVERALL!r}, which is the name of the total")
    shares = check_weights(weights, names, normalise)
    total = float(sum(weights.values()))
    notes = []
    if normalise and not sums_to(total, 1):
        notes.append(both("satisfaction.note.normalised", total=f"{total:g}"))
    elif sums_to(total, POINTS):
        notes.append(both("satisfaction.note.points"))
    return np.array([shares[name] for name in names], float), notes


def check_complete(components: ComponentScores, shares: Array) -> None:
    """Raise if a component that has weight lacks a score, naming row and column."""
    rows, places = np.nonzero(np.isnan(components.values) & (shares > 0))
    if not len(rows):
        return
    name, row = components.names[places[0]], components.frame.index[rows[0]]
    where = f"row {row!r}, {components.column(places[0])}"
    if components.single:
        where = f"component {name!r}"
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    allowed = "'rescale'" if components.single else "'rescale' or 'drop'"
    raise DataError(f"{where}: no score{more}; on_missing={allowed} goes on without it")


def is_series(value: Any) -> bool:
    """Return whether a value is a pandas Series, without loading pandas."""
    return type(value).__name__ == "Series" and hasattr(value, "to_dict")


def is_named(values: Any) -> bool:
    """Return whether values come with the names of their components."""
    return isinstance(values, Mapping) or is_series(values)


def as_mapping(values: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """Return weights or scores by name."""
    if values is None:
        raise CxError("weights are missing; give a mapping of component to weight")
    if is_series(values) and not values.index.is_unique:
        duplicate = values.index[values.index.duplicated()][0]
        raise CxError(f"{duplicate!r} is named twice")
    if is_named(values):
        value_of = {str(name): value for name, value in values.items()}
        if len(value_of) < len(values):
            raise CxError(f"two of {', '.join(map(repr, values.keys()))} are one name")
        return value_of
    if names is None or isinstance(values, str):
        raise CxError(f"weights are {values!r}; allowed: a mapping of component to weight")
    weights = np.asarray(values)
    if weights.shape != (len(names),):
        raise CxError(f"weights have the shape {weights.shape}; allowed: ({len(names)},)")
    return dict(zip(names, weights.tolist(), strict=True))


def one_unit(scores: Mapping[str, Any], names: list[str]) -> ComponentScores:
    """Return the scores of one unit, which are for exactly the names."""
    import pandas as pd

    if not names:
        raise CxError("weights are empty; at least one component is needed")
    for name in scores:
        if name not in names:
            raise CxError(f"scores: {name!r} has no weight; weights are for: {', '.join(names)}")
    for name in names:
        if name not in scores:
            raise CxError(f"weights: {name!r} is no score; scores are: {', '.join(scores)}")
    values = [_number(name, scores[name]) for name in names]
    return ComponentScores(tuple(names), np.array([values]), pd.DataFrame(index=[0]), single=True)


def _number(name: str, value: Any) -> float:
    if value is None:
        return float("nan")
    # numpy counts a time passed among the whole numbers
    real = isinstance(value, Real | Decimal) and not isinstance(value, bool | np.timedelta64)
    number = float(value) if real else np.inf
    if np.isinf(number):
        raise DataError(f"scores: {name!r} has {value!r}; allowed: numbers")
    return number


def _from_array(scores: Any) -> ComponentScores:
    import pandas as pd

    try:
        if np.asarray(scores).dtype.kind in "mM":
            raise TypeError("it holds dates or times passed; allowed: numbers")
        values = np.asarray(scores, float)
    except (TypeError, ValueError) as error:
        raise DataError(f"scores are no array of numbers: {error}") from error
    single = values.ndim == 1
    values = np.atleast_2d(values)
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(f"scores have the shape {np.shape(scores)}; allowed: (k,) or (n, k)")
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise DataError(f"row {row}, column {column + 1}: {values[row, column]}; allowed: numbers")
    names = tuple(str(i + 1) for i in range(values.shape[1]))
    return ComponentScores(names, values, pd.DataFrame(index=range(len(values))), single)
