"""The outcome of a driver analysis: a number, or one of two values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt
from cxstats.priorities.drivers.terms import levels_of, nominal_kind
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The outcome as numbers (n,), NaN where missing, and what was made of its values."""

    values: Array
    notes: tuple[Text, ...] = ()


def read_outcome(frame: pd.DataFrame, name: str, two_values: bool) -> Outcome:
    """Return the outcome: numbers as they are, or 0 and 1 of two values.

    Raises
    ------
    DataError
        If it is of words or true and false where a number is needed, or has not two values.
    """
    kind = nominal_kind(frame, name)
    if not two_values:
        if kind is not None:
            held = "true and false" if kind == "boolean" else "words"
            raise DataError(
                f"column {name!r} holds {held}, and method='shapley', 'johnson' and 'regression' "
                "explain numbers; for an outcome of two values take method='logistic'"
            )
        return Outcome(numbers(frame, name))
    if kind is None:
        values = numbers(frame, name)
        levels = [float(value) for value in np.unique(values[~np.isnan(values)])]
        first, second = _shown(levels, name)
        coded = np.where(np.isnan(values), np.nan, values == levels[-1])
        return Outcome(coded, (both("drivers.note.modelled", outcome=name, low=first,
                                    high=second),))  # fmt: skip
    column = frame[name]
    levels = levels_of(column, np.ones(len(column), bool))
    first, second = _shown(levels, name)
    is_second = (column.astype(object) == levels[-1]).to_numpy(bool, na_value=False)
    coded = np.where(column.isna().to_numpy(bool), np.nan, is_second)
    return Outcome(coded, (both("drivers.note.modelled", outcome=name, low=first, high=second),))


def _shown(levels: Sequence[object], name: str) -> tuple[str, str]:
    """Return the two values in words; raise if there are not two."""
    if len(levels) != 2:
        raise DataError(
            f"column {name!r} has {len(levels)} values ({excerpt(levels)}); method='logistic' "
            "explains an outcome of two"
        )
    first, second = (
        format_number(level) if isinstance(level, float) else str(level) for level in levels
    )
    return first, second
