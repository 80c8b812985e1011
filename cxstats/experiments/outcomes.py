"""Outcomes of an experiment as arrays, for methods that need every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import check_group_values
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.messages import no_column, row_name
from cxstats.core.order_of_waves import in_order, order_of_texts
from cxstats.metrics.answers import check_kind
from cxstats.metrics.group_sums import uncoded
from cxstats.metrics.nps_bands import find_bands
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Rows that have a group and an outcome, in the order of time.

    Attributes
    ----------
    frame : pandas.DataFrame (n rows)
        These rows.
    values : array (n,)
        The outcome; of NPS -100, 0 or 100.
    groups : list
        The groups.
    codes : array (n,)
        Index of the group of a row.
    assigned : array
        The same of all rows with a group, with an outcome or not.
    times : array (n,)
        Looks; row numbers from 1 without a column of them.
    notes : tuple of Text
        What was left out.
    synthetic : bool
    grouped : pandas.DataFrame
        The rows behind `assigned`.
    """

    frame: pd.DataFrame
    values: Array
    groups: list[Any]
    codes: NDArray[np.intp]
    assigned: NDArray[np.intp]
    times: NDArray[Any]
    notes: tuple[Text, ...]
    synthetic: bool
    grouped: pd.DataFrame

    def units(self, cluster: str) -> NDArray[np.intp]:
        """Return the group of each cluster that was assigned; once for each group it is in."""
        import pandas as pd

        pairs = pd.DataFrame(
            {"code": self.assigned, "unit": pd.factorize(self.grouped[cluster])[0]}
        )
        return pairs.drop_duplicates()["code"].to_numpy(np.intp)


def read_outcomes(
    data: Any, outcome: str, group: str, metric: str, look: str | None = None
) -> Outcomes:
    """Read outcomes and groups; rows without one of them are left out and counted.

    Raises
    ------
    DataError, CxError
        Naming the column, row and value that is not allowed.
    """
    frame = as_pandas(data)
    foreign = frame is not data
    for name in (group, *([look] if look else [])):
        if name not in frame.columns:
            raise DataError(no_column(name, frame.columns))
    if look is not None:
        missing = np.flatnonzero(frame[look].isna())
        if len(missing):
            row = row_name(frame.index, missing[0])
            raise DataError(f"{row}, column {look!r}: missing; every row has its look")
        frame = frame.iloc[np.argsort(places_of_looks(frame[look]), kind="stable")]
    values = _values(frame, outcome, metric)
    codes, groups = _groups(frame, group, foreign)
    used = ~np.isnan(values) & (codes >= 0)
    for i, name in enumerate(groups):
        if not (used & (codes == i)).any():
            raise DataError(f"group {name!r} is empty: it has no answers")
    notes = []
    ungrouped, missing_n = int((codes < 0).sum()), int((np.isnan(values) & (codes >= 0)).sum())
    if missing_n:
        notes.append(both("metric.note.missing", count=format_number(missing_n)))
        if metric == "proportion" and (values[used] == 1).all():
            notes.append(both("metric.note.only_ones", count=format_number(missing_n)))
    if ungrouped:
        notes.append(both("metric.note.ungrouped", count=format_number(ungrouped)))
    times = frame[look].to_numpy() if look else np.arange(1, len(frame) + 1)
    return Outcomes(
        frame[used],
        values[used],
        groups,
        codes[used],
        codes[codes >= 0],
        times[used],
        tuple(notes),
        bool(frame.attrs.get("synthetic")),
        frame[codes >= 0],
    )


def places_of_looks(column: pd.Series[Any]) -> NDArray[Any]:
    """Return the places in time of the looks of rows, with nothing missing (n,).

    Raises
    ------
    DataError
        If looks are of mixed kinds, or texts whose order in time is not clear.
    """
    import pandas as pd

    name, allowed = column.name, "allowed: numbers, dates, or texts such as '2024-09' and 'Week 2'"
    if pd.api.types.infer_dtype(column) != "string":
        try:
            return np.asarray(column.rank(method="dense"))
        except TypeError as error:
            raise DataError(
                f"column {name!r} mixes kinds of values, so looks have no order; {allowed}"
            ) from error
    texts = list(column.unique())
    try:
        order = order_of_texts(texts)
    except CxError as error:
        raise DataError(f"column {name!r}: {error}; {allowed}") from error
    if order is None:
        raise DataError(
            f"column {name!r} is text whose order in time is not clear, such as {texts[0]!r}; "
            f"{allowed}"
        )
    return np.asarray(column.map(dict(zip(texts, order.places, strict=True))), float)


def _groups(frame: pd.DataFrame, group: str, foreign: bool) -> tuple[NDArray[np.intp], list[Any]]:
    import pandas as pd

    check_group_values(frame[group], group)
    column = uncoded(frame[group], foreign)
    if pd.api.types.infer_dtype(column, skipna=True) == "string":
        names = in_order(column.dropna().unique())
        return pd.Categorical(column, names).codes.astype(np.intp), names
    try:
        codes, groups = pd.factorize(column, sort=True)
    except TypeError:
        codes, groups = pd.factorize(column)
    return np.asarray(codes), list(groups)


def _values(frame: pd.DataFrame, outcome: str, metric: str) -> Array:
    """Return the outcomes as numbers, NaN where missing, each allowed by its metric."""
    if metric not in ("proportion", "mean", "nps"):
        raise CxError(f"metric={metric!r}; allowed: 'proportion', 'mean', 'nps'")
    if outcome in frame.columns and str(frame[outcome].dtype) in ("bool", "boolean"):
        frame = frame.assign(**{outcome: frame[outcome].astype("Float64")})
    if outcome in frame.columns:
        check_kind(frame[outcome], outcome)
    values: Array = numbers(frame, outcome)
    if metric == "mean":
        return values
    bands = find_bands("standard")
    low, high = (0, 1) if metric == "proportion" else bands.scale
    with np.errstate(invalid="ignore"):
        off = (values < low) | (values > high) | (values != np.floor(values))
    wrong = np.flatnonzero(off & ~np.isnan(values))
    if len(wrong):
        row, value = row_name(frame.index, wrong[0]), values[wrong[0]]
        allowed = "0 and 1" if metric == "proportion" else f"whole numbers from {low} to {high}"
        raise DataError(
            f"{row}, column {outcome!r}: {value:g} is off the scale; allowed: {allowed}"
        )
    if metric == "proportion":
        return values
    score = 100.0 * (values >= bands.promoters) - 100.0 * (values <= bands.detractors)
    return np.where(np.isnan(values), np.nan, score)
