"""Read judgements: one row per judge and object, one column per criterion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, listing, no_column, row_name
from cxstats.stats.weights import check_weights
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_OBJECTS, MOST_JUDGES = 100, 1_000


@dataclass(frozen=True, slots=True)
class Judgements:
    """Judgements as a block.

    Attributes
    ----------
    values : array (m, k, c)
        Of m judges on k objects by c criteria; NaN where one is missing.
    judges, objects, criteria : tuples of str
    synthetic : bool
    """

    values: Array
    judges: tuple[str, ...]
    objects: tuple[str, ...]
    criteria: tuple[str, ...]
    synthetic: bool

    def totals(self, weights: Mapping[str, float]) -> Array:
        """Return the weighted sum of each judge for each object (m, k)."""
        return np.asarray(self.values @ np.array([weights[name] for name in self.criteria]))


def read_judgements(
    table: Any, judge: str, item: str, criteria: str | Sequence[str] | None
) -> Judgements:
    """Return judgements from a table.

    Raises
    ------
    DataError
        If a column is not there or no number, a judge or object has no name, one judges the same
        object twice, or an object has no judgement.
    CxError
        If there are too many objects or judges, or fewer than two.
    """
    frame = as_pandas(table)
    for name in (judge, item):
        if name not in frame.columns:
            raise DataError(no_column(name, frame.columns))
        if frame[name].ndim > 1:
            raise DataError(f"column {name!r} stands twice in the table")
    if criteria is None:
        criteria = [str(c) for c in frame.columns if c not in (judge, item)]
    names = [criteria] if isinstance(criteria, str) else list(criteria)
    if not names or len(set(names)) < len(names):
        raise CxError(f"criteria is {excerpt(names)}; allowed: one column or more, each once")
    columns = [numbers(frame, name) for name in names]
    labels = [_labels(frame, name) for name in (judge, item)]
    judges, objects = (tuple(dict.fromkeys(column)) for column in labels)
    for what, entries, most in (
        (judge, judges, MOST_JUDGES), (item, objects, MOST_OBJECTS)
    ):  # fmt: skip
        if not 2 <= len(entries) <= most:
            raise CxError(f"column {what!r}: {len(entries)} different; allowed: 2 to {most:,}")
    values = np.full((len(judges), len(objects), len(names)), np.nan)
    places = ({name: i for i, name in enumerate(entries)} for entries in (judges, objects))
    of_judge, of_object = places
    first: dict[tuple[int, int], int] = {}
    for row, (who, what) in enumerate(zip(*labels, strict=True)):
        place = of_judge[who], of_object[what]
        if place in first:
            raise DataError(
                f"{row_name(frame.index, row)}: {judge} {who!r} judges {item} {what!r} a second "
                f"time, after {row_name(frame.index, first[place])}"
            )
        first[place] = row
        values[place] = [column[row] for column in columns]
    complete = np.isfinite(values).all(axis=2)
    bare = np.flatnonzero(~complete.any(axis=0))
    if len(bare):
        raise DataError(
            f"{item} {objects[bare[0]]!r} has no judgement with every criterion "
            f"({listing(names)}); at least one is needed"
        )
    return Judgements(values, judges, objects, tuple(names), bool(frame.attrs.get("synthetic")))


def _labels(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a column of names as texts; raise if one is missing."""
    column = frame[name]
    missing = np.flatnonzero(column.isna() | (column.astype(str).str.strip() == ""))
    if len(missing):
        raise DataError(f"{row_name(frame.index, missing[0])}, column {name!r}: no name")
    return [str(value).strip() for value in column]


def criteria_weights(weights: Any, criteria: Sequence[str]) -> dict[str, float]:
    """Return weights of criteria that sum to 1; equal ones only where that is said.

    Examples
    --------
    >>> criteria_weights("equal", ["value", "cost"])
    {'value': 0.5, 'cost': 0.5}
    """
    if hasattr(weights, "to_dict"):
        weights = weights.to_dict()
    if weights is None and len(criteria) == 1:
        return {criteria[0]: 1.0}
    if isinstance(weights, str) and weights == "equal":
        return dict.fromkeys(criteria, 1 / len(criteria))
    if not isinstance(weights, Mapping):
        raise CxError(
            f"weights={excerpt(weights)}; allowed: a weight for each of {', '.join(criteria)}, or "
            "'equal'"
        )
    return check_weights(weights, list(criteria))
