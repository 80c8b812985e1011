"""What `drivers` analyses: complete answers, or a published matrix, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.moments import Moments
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A standard deviation below this part of the largest value is rounding, not variation.
STILL = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Correlations of p drivers and, last, the outcome.

    Attributes
    ----------
    drivers : tuple of str
    outcome : str
    corr : array (p + 1, p + 1)
    n, n_dropped : int
        Complete cases, and cases left out because an answer was missing.
    matrix : array (n, p + 1) or None
        The answers; None for a published matrix.
    where : str
        Which group this is, for messages.
    """

    drivers: tuple[str, ...]
    outcome: str
    corr: Array
    n: int
    n_dropped: int
    matrix: Array | None = None
    where: str = ""

    @property
    def z(self) -> Array | None:
        """The answers with mean 0 and mean square 1."""
        if self.matrix is None:
            return None
        standard: Array = (self.matrix - self.matrix.mean(axis=0)) / self.matrix.std(axis=0)
        return standard

    def group(self, rows: NDArray[np.bool_], where: str) -> Sample:
        """Return the sample of a group."""
        assert self.matrix is not None
        return _of_matrix(self.matrix[rows], self.drivers, self.outcome, 0, where)


def check_names(outcome: str, drivers: Sequence[str]) -> tuple[str, ...]:
    """Return the drivers' names.

    Raises
    ------
    CxError
        If they are no list of names, one stands twice, or the outcome is among them.
    """
    if isinstance(drivers, str) or not all(isinstance(name, str) for name in drivers):
        raise CxError(f"drivers is {drivers!r}; allowed: a list of names of columns")
    names = tuple(drivers)
    if not isinstance(outcome, str):
        raise CxError(f"outcome is {outcome!r}; allowed: the name of one column")
    if not names:
        raise CxError("drivers is empty; allowed: at least one name")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise CxError(f"driver {twice[0]!r} is named twice")
    if outcome in names:
        raise CxError(f"{outcome!r} is the outcome and cannot be a driver of itself")
    return names


def sample_of(
    data: Any, outcome: str, drivers: tuple[str, ...], by: str | None = None
) -> tuple[Sample, NDArray[Any] | None]:
    """Return the sample and, with `by`, the group of each of its cases.

    Raises
    ------
    DataError
        Naming a column that is missing, is not numeric or does not vary; or if there are not more
        cases than drivers and 2.
    """
    if isinstance(data, Moments):
        if by is not None:
            raise CxError(f"by={by!r} needs respondents; these are moments, so pass a table")
        chosen = data.select([*drivers, outcome])
        _check_varies(chosen.names, chosen.n, chosen.sd, np.zeros(len(chosen.names)), "")
        return Sample(drivers, outcome, chosen.corr, chosen.n, chosen.dropped), None
    frame = as_pandas(data)
    matrix = np.column_stack([numbers(frame, name) for name in (*drivers, outcome)])
    complete = ~np.isnan(matrix).any(axis=1)
    sample = _of_matrix(matrix[complete], drivers, outcome, int((~complete).sum()), "")
    if by is None:
        return sample, None
    if not isinstance(by, str):
        raise CxError(f"by={by!r}; allowed: the name of one column")
    if by not in frame.columns:
        raise DataError(f"column {by!r} is not in the table, so there are no groups to compare")
    return sample, frame[by].to_numpy(object)[complete]


def _of_matrix(
    matrix: Array, drivers: tuple[str, ...], outcome: str, n_dropped: int, where: str
) -> Sample:
    n = len(matrix)
    sd = matrix.std(axis=0) if n else np.ones(matrix.shape[1])
    largest = np.abs(matrix).max(axis=0) if n else np.zeros(matrix.shape[1])
    _check_varies((*drivers, outcome), n, sd, largest, where)
    z = (matrix - matrix.mean(axis=0)) / sd
    return Sample(drivers, outcome, z.T @ z / n, n, n_dropped, matrix, where)


def _check_varies(names: tuple[str, ...], n: int, sd: Array, largest: Array, where: str) -> None:
    least = len(names) + 2
    if n < least:
        raise DataError(
            f"{where}{n} complete cases for {len(names) - 1} drivers; at least {least} are needed"
        )
    for name, deviation, size in zip(names, sd, largest, strict=True):
        if not deviation > STILL * size:
            raise DataError(f"{where}column {name!r} does not vary, so it explains nothing")
