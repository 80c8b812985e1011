"""Answers that a method starts from: columns, ends of their scales, complete cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import row_name
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Scale = tuple[float, float]

FEWEST = 2  # respondents: one alone has no variance


def check_names(names: Sequence[str], what: str) -> list[str]:
    """Return column names as a list.

    Raises
    ------
    CxError
        If there is none, they are one text, or a name is given twice.
    """
    if isinstance(names, str) or not len(names):
        raise CxError(f"{what} is {names!r}; allowed: a list of at least one column")
    for name in names:
        if list(names).count(name) > 1:
            raise CxError(f"{what}: {name!r} is given twice")
    return list(names)


def scales_of(scale: Scale | Mapping[str, Scale] | None, names: Sequence[str]) -> dict[str, Scale]:
    """Return the ends of the scale of each name.

    Raises
    ------
    CxError
        If a name has no ends, or they are no (low, high).
    """
    if scale is None:
        return {}
    scales = scale if isinstance(scale, Mapping) else dict.fromkeys(names, scale)
    missing = [name for name in names if name not in scales]
    if missing:
        raise CxError(f"scale has no ends for {missing[0]!r}")
    for name in names:
        ends = scales[name]
        pair = isinstance(ends, Sequence) and len(ends) == 2 and all(map(is_number, ends))
        if not pair or not ends[0] < ends[1]:
            raise CxError(f"scale of {name!r} is {ends!r}; allowed: (low, high), low below high")
    return {name: scales[name] for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class CompleteCases:
    """The complete rows of some columns.

    Attributes
    ----------
    matrix : array (n, p)
    at : array (n,)
        Which rows of the table they are.
    n_dropped : int
        Rows left out.
    """

    matrix: Array
    at: NDArray[np.intp]
    n_dropped: int


def complete_cases(
    frame: pd.DataFrame, columns: Sequence[str], scales: Mapping[str, Scale]
) -> CompleteCases:
    """Return the complete rows of some columns, and which they are.

    Raises
    ------
    DataError
        Naming row and column of an answer that is no number or off its scale, or if fewer than
        two rows are complete.
    """
    answers = []
    for name in columns:
        values = numbers(frame, name)
        if name in scales:
            low, high = scales[name]
            off = np.flatnonzero((values < low) | (values > high))
            if len(off):
                raise DataError(
                    f"{row_name(frame.index, off[0])}, column {name!r}: {values[off[0]]:g} is off "
                    f"the scale; allowed: {low:g} to {high:g}"
                )
        answers.append(values)
    matrix = np.column_stack(answers)
    complete = ~np.isnan(matrix).any(axis=1)
    if complete.sum() < FEWEST:
        raise DataError(
            f"{complete.sum()} of {len(matrix)} rows have an answer in all of: {', '.join(columns)}"
        )
    return CompleteCases(matrix[complete], np.flatnonzero(complete), int((~complete).sum()))


def is_number(value: object) -> bool:
    """Return whether a value is a finite number; a truth value is none."""
    return (
        isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(float(value)))
    )
