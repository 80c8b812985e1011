"""Scores and weights as they are given, checked: one unit, an array or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.service.dimension_scores import OVERALL
from cxstats.stats.weights import POINTS, check_weights, sums_to
from cxstats.survey.answers import as_pandas, numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Scores as a matrix.

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
        """Return how a message names a component: by its column, then by its part in a formula."""
        if not self.columns:
            return f"column {self.names[place]!r}"
        return f"column {self.columns[place]!r} ({self.names[place]})"


def read_scores(
    scores: Any, weights: Any, normalise: bool = False
) -> tuple[Given, Array, list[Text]]:
    """Return scores as a matrix, weights (k,) that sum to 1, and what was done to them."""
    if isinstance(scores, Given):
        given, given_weights = scores, as_mapping(weights, scores.names)
    elif isinstance(scores, Mapping) or is_series(scores):
        given_weights = as_mapping(weights, None)
        given = one_unit(as_mapping(scores, None), list(given_weights))
    elif isinstance(scores, np.ndarray | list | tuple):
        given = _from_array(scores)
        if isinstance(weights, Mapping) or is_series(weights):
            raise CxError(
                "scores are an array, whose columns have no names: give weights as an array in "
                "the same order, or scores as a table"
            )
        given_weights = as_mapping(weights, given.names)
    else:
        frame = as_pandas(scores)
        given_weights = as_mapping(weights, [str(name) for name in frame.columns])
        given = from_frame(frame, list(given_weights))
    shares, remarks = weight_shares(given_weights, given.names, normalise)
    return given, shares, remarks


def from_frame(frame: pd.DataFrame, names: Sequence[str], what: str = "weights") -> Given:
    """Return columns of a table; refuses one that is not there or holds no numbers.

    A column may be called 0 and its weight "0": weights are by text.
    """
    if not names:
        raise CxError(f"{what} are empty; at least one component is needed")
    there = {str(column): column for column in frame.columns}
    there |= {column: column for column in frame.columns}
    missing = [name for name in names if name not in there]
    if missing:
        shown = ", ".join(map(str, frame.columns[:30]))
        raise CxError(f"{what}: {missing[0]!r} is no column of the scores; columns: {shown}")
    values = np.column_stack([numbers(frame, there[name]) for name in names])
    return Given(tuple(map(str, names)), values, frame)


def weight_shares(
    weights: Mapping[str, Any], names: Sequence[str], normalise: bool
) -> tuple[Array, list[Text]]:
    """Return weights (k,) that sum to 1, and what was done to make them."""
    if OVERALL in names:
        raise CxError(f"a component is called {OVERALL!r}, which is the name of the total")
    shares = check_weights(weights, names, normalise)
    total = float(sum(weights.values()))
    remarks = []
    if normalise and not sums_to(total, 1):
        remarks.append(both("satisfaction.note.normalised", total=f"{total:g}"))
    elif sums_to(total, POINTS):
        remarks.append(both("satisfaction.note.points"))
    return np.array([shares[name] for name in names], float), remarks


def refuse_missing(given: Given, shares: Array) -> None:
    """Refuse a missing score of a component that has weight, naming row and column."""
    rows, places = np.nonzero(np.isnan(given.values) & (shares > 0))
    if not len(rows):
        return
    name, row = given.names[places[0]], given.frame.index[rows[0]]
    where = f"component {name!r}" if given.single else f"row {row!r}, {given.column(places[0])}"
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    allowed = "'rescale'" if given.single else "'rescale' or 'drop'"
    raise DataError(f"{where}: no score{more}; on_missing={allowed} goes on without it")


def is_series(value: Any) -> bool:
    """Return whether a value is a pandas Series, without loading pandas."""
    return type(value).__name__ == "Series" and hasattr(value, "to_dict")


def as_mapping(values: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """Return weights or scores by name."""
    if values is None:
        raise CxError("weights are missing; give a mapping of component to weight")
    if is_series(values) and not values.index.is_unique:
        twice = values.index[values.index.duplicated()][0]
        raise CxError(f"{twice!r} is named twice")
    if is_series(values) or isinstance(values, Mapping):
        found = {str(name): value for name, value in values.items()}
        if len(found) < len(values):
            raise CxError(f"two of {', '.join(map(repr, values.keys()))} are one name")
        return found
    if names is None or isinstance(values, str):
        raise CxError(f"weights are {values!r}; allowed: a mapping of component to weight")
    weights = np.asarray(values)
    if weights.shape != (len(names),):
        raise CxError(f"weights have the shape {weights.shape}; allowed: ({len(names)},)")
    return dict(zip(names, weights.tolist(), strict=True))


def one_unit(scores: Mapping[str, Any], names: list[str]) -> Given:
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
    return Given(tuple(names), np.array([values]), pd.DataFrame(index=[0]), single=True)


def _number(name: str, value: Any) -> float:
    if value is None:
        return float("nan")
    # numpy counts a time passed among the whole numbers
    real = isinstance(value, Real | Decimal) and not isinstance(value, bool | np.timedelta64)
    number = float(value) if real else np.inf
    if np.isinf(number):
        raise DataError(f"scores: {name!r} has {value!r}; allowed: numbers")
    return number


def _from_array(scores: Any) -> Given:
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
    bad = np.argwhere(np.isinf(values))
    if len(bad):
        row, column = bad[0]
        raise DataError(f"row {row}, column {column + 1}: {values[row, column]}; allowed: numbers")
    names = tuple(str(i + 1) for i in range(values.shape[1]))
    return Given(names, values, pd.DataFrame(index=range(len(values))), single)
