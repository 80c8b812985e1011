"""What `drivers` analyses: complete answers, or a published matrix, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas, as_table, is_too_large, note_of_sums
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text
from cxstats.core.messages import no_column
from cxstats.core.moments import Moments, Seed, moments, resampling_counts
from cxstats.priorities.drivers.outcome import read_outcome
from cxstats.priorities.drivers.terms import (
    Term,
    TermColumns,
    answered,
    rank_of,
    read_columns,
    without_determined,
)
from cxstats.stats.sampling_design import Design, SampledPart

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A standard deviation below this part of the largest value is rounding, not variation.
STILL = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Correlations of q columns of p drivers and, last, the outcome.

    Attributes
    ----------
    drivers : tuple of str
        The p drivers; one may be a group of columns.
    outcome : str
    columns : tuple of str
        The q columns, driver by driver.
    sizes : tuple of int
        How many columns each driver has.
    corr : array (q + 1, q + 1)
        Weighted, where there are weights.
    mean, sd : arrays (q + 1,)
        NaN means where only a matrix was published; standard deviations with divisor n - 1.
    n, n_dropped : int
        Complete cases, and cases left out because an answer was missing.
    matrix : array (n, q + 1) or None
        The answers; None for a published matrix.
    sampled : SampledPart or None
        The design of the sample, of which the complete cases are a domain.
    where : str
        Which group this is, for messages.
    notes : tuple of Text
        On nominal drivers.
    """

    drivers: tuple[str, ...]
    outcome: str
    columns: tuple[str, ...]
    sizes: tuple[int, ...]
    corr: Array
    mean: Array
    sd: Array
    n: int
    n_dropped: int
    matrix: Array | None = None
    sampled: SampledPart | None = None
    where: str = ""
    notes: tuple[Text, ...] = ()

    @property
    def slices(self) -> tuple[slice, ...]:
        """The columns of each driver."""
        ends = list(accumulate(self.sizes))
        return tuple(slice(end - size, end) for size, end in zip(self.sizes, ends, strict=True))

    @property
    def grouped(self) -> bool:
        """Whether a driver has several columns."""
        return max(self.sizes) > 1

    @property
    def ranks(self) -> tuple[int, ...]:
        """How many columns of each driver say something of their own."""
        return tuple(
            1 if size == 1 else rank_of(self.corr[at, at])
            for size, at in zip(self.sizes, self.slices, strict=True)
        )

    @property
    def weights(self) -> Array:
        """Weights of the cases (n,), with a mean of 1."""
        return np.ones(self.n) if self.sampled is None else self.sampled.weights

    @property
    def z(self) -> Array | None:
        """The answers with (weighted) mean 0 and mean square 1."""
        if self.matrix is None:
            return None
        weights = self.weights
        centred = self.matrix - weights @ self.matrix / self.n
        spread = np.sqrt(weights @ centred**2 / self.n)
        standard: Array = centred / np.where(spread > 0, spread, 1.0)
        return standard

    @property
    def effective_n(self) -> float:
        """Kish's sample size; n without weights."""
        return float(self.n) if self.sampled is None else self.sampled.kish

    @property
    def df(self) -> float:
        """Degrees of freedom of a test of one coefficient: rows (or clusters) less columns."""
        units = self.n - 1 if self.sampled is None else self.sampled.df
        return max(units - sum(self.ranks), 1)

    def ungrouped(self) -> Sample:
        """Return the sample with every column as a driver, for coefficients."""
        return replace(self, drivers=self.columns, sizes=(1,) * len(self.columns))

    def draws(self, n_resamples: int, seed: Seed) -> Iterator[tuple[int, Array]]:
        """Return resamples, as weights of the cases: (first, weights (b, n))."""
        if self.sampled is None:
            return resampling_counts(self.n, n_resamples, seed)
        return self.sampled.draws(n_resamples, seed)

    def group(self, members: NDArray[np.bool_], where: str) -> Sample:
        """Return the sample of a group; of a design, the group is a domain.

        A dummy whose level the group does not have stays as a column that says nothing.
        """
        assert self.matrix is not None
        sampled = self.sampled
        if sampled is not None:
            sampled = SampledPart.of(sampled.rows, sampled.at[members])
        part = replace(
            self, matrix=self.matrix[members], sampled=sampled, where=where,
            n=int(members.sum()), n_dropped=0,
        )  # fmt: skip
        return _measured(part)


def sample_of(
    data: Any,
    outcome: str,
    terms: tuple[Term, ...],
    by: str | None = None,
    design: Design | None = None,
    two_values: bool = False,
) -> tuple[Sample, pd.Series[Any] | None]:
    """Return the sample and, with `by`, the group of each of its cases.

    Parameters
    ----------
    data, outcome, by, design
        As `drivers`.
    terms : tuple of Term
    two_values : bool
        Whether the outcome is one of two values, which are then 0 and 1.

    Raises
    ------
    DataError
        Naming a column that is missing, is not numeric or does not vary; or if there are not more
        cases than drivers and 2.
    """
    names = tuple(term.name for term in terms)
    if isinstance(data, Moments):
        return _of_moments(data, outcome, terms, by, design, two_values), None
    needed = [name for term in terms for name in term.columns]
    needed += [outcome, *([by] if isinstance(by, str) else []), *(design.columns if design else ())]
    if by is None and design is None and not two_values and _only_sums(data, needed):
        sums = moments(data, needed)
        sample = _of_moments(sums, outcome, terms, None, None, False)
        return replace(sample, notes=(*sample.notes, note_of_sums(data))), None
    frame = as_pandas(data, needed)
    rows = None if design is None else design.read(frame)
    y = read_outcome(frame, outcome, two_values)
    complete = ~np.isnan(y.values)
    for term in terms:
        for name in term.columns:
            complete &= answered(frame, name)
    parts = [_own_columns(frame, term, complete) for term in terms]
    matrix = np.column_stack([*(part.values for part in parts), y.values])[complete]
    sample = _measured(
        Sample(
            names, outcome, tuple(name for part in parts for name in part.names),
            tuple(len(part.names) for part in parts), np.empty(0), np.empty(0), np.empty(0),
            int(complete.sum()), int((~complete).sum()), matrix,
            None if rows is None else SampledPart.of(rows, np.flatnonzero(complete)),
            notes=(*(note for part in parts for note in part.notes), *y.notes),
        )
    )  # fmt: skip
    if by is None:
        return sample, None
    if not isinstance(by, str):
        raise CxError(f"by={by!r}; allowed: the name of one column")
    if by not in frame.columns:
        raise DataError(no_column(by, frame.columns))
    return sample, frame[by][complete]


def _only_sums(data: Any, columns: list[str]) -> bool:
    """Return whether a table is too large to be fetched, and its columns are all numbers."""
    if not (is_too_large(data)):
        return False
    schema = as_table(data).collect_schema()
    return all(name in schema and schema[name].is_numeric() for name in columns)


def _own_columns(frame: pd.DataFrame, term: Term, complete: NDArray[np.bool_]) -> TermColumns:
    """Return the columns of a driver, those left out of a group that its others determine."""
    part = read_columns(frame, term, complete)
    values = part.values[complete]
    spread = values.std(axis=0) if len(values) else np.zeros(len(part.names))
    if len(part.names) == 1 or not (spread > STILL).all():
        return part
    z = (values - values.mean(axis=0)) / spread
    return without_determined(part, term.name, z.T @ z / len(z))


def _of_moments(
    data: Moments, outcome: str, terms: tuple[Term, ...], by: str | None, design: Design | None,
    two_values: bool,
) -> Sample:  # fmt: skip
    if by is not None:
        raise CxError(f"by={by!r} needs respondents; these are moments, so pass a table")
    if two_values:
        raise CxError("method='logistic' needs respondents; these are moments, so pass a table")
    if design is not None:
        design.read(data)  # says that moments have no respondents
    parts = []
    for term in terms:
        corr = data.select(list(term.columns)).corr
        empty = TermColumns(term.columns, np.empty((0, len(term.columns))))
        parts.append(without_determined(empty, term.name, corr) if len(corr) > 1 else empty)
    columns = tuple(name for part in parts for name in part.names)
    chosen = data.select([*columns, outcome])
    _check_varies(chosen.names, len(columns), chosen.n, chosen.sd, 0 * chosen.sd, "")
    return Sample(
        tuple(term.name for term in terms), outcome, columns,
        tuple(len(part.names) for part in parts), chosen.corr, chosen.mean, chosen.sd, chosen.n,
        chosen.dropped, notes=tuple(note for part in parts for note in part.notes),
    )  # fmt: skip


def _measured(sample: Sample) -> Sample:
    """Return the sample with its means, standard deviations and correlations."""
    assert sample.matrix is not None
    matrix, n = sample.matrix, sample.n
    weights = sample.weights if n else np.ones(0)
    mean = weights @ matrix / max(n, 1)
    sd = np.sqrt(weights @ (matrix - mean) ** 2 / max(n, 1))
    largest = np.abs(matrix).max(axis=0) if n else 0 * mean
    still = ~(sd > STILL * largest)
    # In a group, a level of a nominal driver may be lacking; its dummy then says nothing.
    lacking = np.zeros(len(sd), bool)
    for size, at in zip(sample.sizes, sample.slices, strict=True):
        lacking[at] = still[at] & (size > 1) & ~still[at].all()
    shown = np.where(lacking, 1.0, sd)
    names = (*sample.drivers, sample.outcome)
    tops = [*(shown[at].max() for at in sample.slices), shown[-1]]
    sizes = [*(largest[at].max() for at in sample.slices), largest[-1]]
    _check_varies(
        names, len(sample.columns), n, np.array(tops), np.array(sizes) if n else 0, sample.where
    )
    z = (matrix - mean) / shown
    corr = (z * weights[:, None]).T @ z / n
    corr[lacking, lacking] = 1.0
    return replace(sample, corr=corr, mean=mean, sd=sd * np.sqrt(n / (n - 1)))


def _check_varies(
    names: tuple[str, ...], columns: int, n: int, sd: Array, largest: Any, where: str
) -> None:
    least = columns + 3
    if n < least:
        raise DataError(
            f"{where}{n} complete cases for {columns} drivers; at least {least} are needed"
        )
    sizes = np.broadcast_to(largest, sd.shape)
    for name, deviation, size in zip(names, sd, sizes, strict=True):
        if not deviation > STILL * size:
            raise DataError(f"{where}column {name!r} does not vary, so it explains nothing")
