"""Demand by day from a table or a series: weekdays that are closed, days that are missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas, is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, no_column
from cxstats.operations.timestamps import read_times
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GAPS = ("closed", "zero")
REGULAR = 0.8  # share of the days with the same number of rows from which that number is the rule
OPEN = 0.5  # share of its dates from which a weekday belongs to the week
LONGEST = 20_000  # days between the first and the last


@dataclass(frozen=True, slots=True, eq=False)
class DemandDays:
    """Demand of every open day, in order.

    Attributes
    ----------
    days : pandas.DatetimeIndex or pandas.RangeIndex (n,)
        Days that belong to the week, or places in a series without dates.
    values : array (n,)
        Demand; NaN of a day that was closed or is missing.
    weekdays : tuple of int
        The weekdays that occur, 0 for Monday; empty without dates.
    n_zero, n_partial, n_rare : int
        Days without rows that count 0; days left out since they lack rows of their times; days of
        weekdays that are open on less than half of their dates, which are left out, too.
    rows : pandas.DataFrame or None
        ``time, value`` of every row, of tables finer than a day.
    synthetic : bool
    """

    days: Any
    values: Array
    weekdays: tuple[int, ...]
    n_zero: int
    n_partial: int
    n_rare: int
    rows: pd.DataFrame | None
    synthetic: bool

    def next_days(self, horizon: int, closed: Any) -> Any:
        """Return the open days after the last one; places, without dates."""
        import pandas as pd

        if not self.weekdays:
            return pd.RangeIndex(len(self.values), len(self.values) + horizon)
        candidates = pd.date_range(self.days[-1], periods=14 * horizon + 400, freq="D")[1:]
        is_open = np.isin(candidates.day_of_week, self.weekdays)
        return candidates[is_open & ~candidates.isin(closed)][:horizon]


def read_demand(
    data: Any, time: str | None, count: str | None, closed: Any, gaps: str
) -> DemandDays:
    """Return demand by day.

    Raises
    ------
    CxError, DataError
        Naming option, or column, row and value, and what is allowed.
    """
    import pandas as pd

    if gaps not in GAPS:
        raise CxError(f"gaps={gaps!r}; allowed: {', '.join(map(repr, GAPS))}")
    synthetic = is_synthetic(data)
    if time is None:
        series = _series(data)
        if not isinstance(series.index, pd.DatetimeIndex):
            if len(closed):
                raise CxError("closed= needs dates; allowed: with a table or a series by dates")
            values = _checked(pd.DataFrame({"demand": series.to_numpy()}), "demand")
            return DemandDays(pd.RangeIndex(len(values)), values, (), 0, 0, 0, None, synthetic)
        table = pd.DataFrame({"time": series.index, "demand": series.to_numpy()})
        time, count = "time", "demand"
    else:
        table = as_pandas(data)
    for name in (time, *([count] if count is not None else [])):
        if name not in table.columns:
            raise DataError(no_column(name, table.columns))
        if (table.columns == name).sum() > 1:
            raise DataError(f"column {name!r} stands twice in the table; allowed: once")
    moments = _on_the_clock(table, time)
    values = np.ones(len(table)) if count is None else _checked(table, count)
    rows = pd.DataFrame({"time": moments.to_numpy(), "value": values}).sort_values("time")
    return _by_day(rows, closed, gaps, counted=count is not None, synthetic=synthetic)


def _on_the_clock(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return times as the clock on the wall shows them; a day ends at its midnight."""
    import pandas as pd

    times = read_times(table, name)
    if not times.aware:
        return times.values
    if isinstance(table[name].dtype, pd.DatetimeTZDtype):
        local: pd.Series[Any] = table[name].dt.tz_localize(None).reset_index(drop=True)
        return local
    raise DataError(
        f"column {name!r} holds texts with time zones, and which day a call is of depends on the "
        "clock; allowed: times without a zone, or of one zone (pandas.Series.dt.tz_convert)"
    )


def closed_days(closed: Iterable[Any] | None) -> Any:
    """Return the dates of closed days.

    Raises
    ------
    CxError
        If one is no date.
    """
    import pandas as pd

    if closed is None:
        return pd.DatetimeIndex([])
    if isinstance(closed, str) or not isinstance(closed, Iterable):
        raise CxError(f"closed={excerpt(closed)}; allowed: a list of dates such as ['2026-12-25']")
    days = []
    for day in closed:
        try:
            stamp = pd.Timestamp(day)
        except (ValueError, TypeError) as error:
            raise CxError(f"closed has {excerpt(day)}; allowed: dates as '2026-12-25'") from error
        if isinstance(day, (int, float, np.number)) or pd.isna(stamp):
            raise CxError(f"closed has {excerpt(day)}; allowed: dates as '2026-12-25'")
        days.append(stamp.tz_localize(None).normalize())
    return pd.DatetimeIndex(days)


def _series(data: Any) -> pd.Series[Any]:
    """Return a series of demand; a table needs to say which column holds times."""
    import pandas as pd

    if isinstance(data, pd.Series):
        series = data
    elif isinstance(data, (list, tuple, np.ndarray)) and np.ndim(data) == 1:
        series = pd.Series(data)
    else:
        raise DataError(
            f"a {type(data).__name__} of demand; allowed: a table with time=, a Series by dates, "
            "or a list of numbers in order of time"
        )
    if series.empty:
        raise DataError("no demand: the series is empty; allowed: numbers from 0 upwards")
    return series


def _checked(table: pd.DataFrame, name: str) -> Array:
    values = numbers(table, name)
    wrong = np.flatnonzero(values < 0)
    if len(wrong):
        raise DataError(
            f"row {excerpt(table.index[wrong[0]])}, column {name!r}: {values[wrong[0]]:g}; "
            "allowed: 0 or more"
        )
    return np.asarray(values)


def _by_day(
    rows: pd.DataFrame, closed: Any, gaps: str, *, counted: bool, synthetic: bool
) -> DemandDays:
    import pandas as pd

    day = rows["time"].dt.normalize()
    span = int((day.max() - day.min()).days) + 1
    if span > LONGEST:
        raise DataError(f"{span:,} days from the first to the last; allowed: up to {LONGEST:,}")
    grouped = rows["value"].groupby(day)
    # A day of which one count is missing has no sum.
    totals = grouped.sum().where(grouped.count() == grouped.size())
    sizes = grouped.size()
    usual = int(sizes.mode().iloc[-1])
    regular = counted and usual > 1 and (sizes == usual).mean() >= REGULAR
    partial = (sizes < usual) if regular else pd.Series(False, sizes.index)
    totals = totals.mask(partial)
    every = pd.date_range(day.min(), day.max(), freq="D")
    possible = np.bincount(every.day_of_week, minlength=7)
    open_days = np.bincount(pd.DatetimeIndex(totals.index).day_of_week, minlength=7)
    rare = open_days < (OPEN * possible if gaps == "closed" else 1)
    weekdays = tuple(int(number) for number in np.flatnonzero(~rare))
    week = every[np.isin(every.day_of_week, weekdays)]
    values = totals.reindex(week)
    absent = ~week.isin(totals.index) & ~week.isin(closed)
    if gaps == "zero":
        values[absent] = 0.0
    values[week.isin(closed)] = np.nan
    return DemandDays(
        days=week,
        values=values.to_numpy(float),
        weekdays=weekdays,
        n_zero=int(absent.sum()) if gaps == "zero" else 0,
        n_partial=int(partial.sum()),
        n_rare=int(open_days[rare].sum()),
        rows=rows if usual > 1 else None,
        synthetic=synthetic,
    )
