"""Times of an event log: read strictly, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import as_label, check_group_values
from cxstats.core.errors import CxError, DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

YEARS = (1, 9999)  # that Python's dates have; pandas reads "-5" as a year
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
CHINESE_UNITS = {"小时": "h", "分钟": "min", "分": "min", "秒": "s", "天": "D"}
# A zone ends a text that holds a time of day, so that "-01" of a date is none.
ZONE = r"(?:[+-]\d\d(?::?\d\d)?|[Zz])$"


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """A column of times.

    Attributes
    ----------
    values : pandas.Series
        Times to the microsecond; in UTC where the column states zones.
    aware : bool
        Whether the column states time zones.
    mixed : bool
        Whether it states more than one offset from UTC.
    twice, skipped : integer arrays
        Rows in an hour that a clock showed twice, and in one that it skipped.
    second : pandas.Series or None
        The times, those in an hour that came twice taken as the second one.
    """

    values: pd.Series
    aware: bool
    mixed: bool = False
    twice: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    skipped: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    second: pd.Series | None = None

    @property
    def microseconds(self) -> NDArray[np.int64]:
        """Whole microseconds since 1970."""
        return self.values.to_numpy("datetime64[us]").astype(np.int64)

    def take(self, rows: NDArray[np.int64]) -> Times:
        """Return the times of some rows, in their order."""
        second = None if self.second is None else self.second.iloc[rows].reset_index(drop=True)
        twice, skipped = (np.flatnonzero(np.isin(rows, at)) for at in (self.twice, self.skipped))
        values = self.values.iloc[rows].reset_index(drop=True)
        return Times(values, self.aware, self.mixed, twice, skipped, second)

    def ending(self, start: Times) -> Times:
        """Return times of ends: an hour that came twice is the second where the first is early."""
        if self.second is None:
            return self
        early = self.microseconds < start.microseconds
        return self.at_second(self.twice[early[self.twice]])

    def at_second(self, rows: NDArray[np.int64]) -> Times:
        """Return the times, some rows in an hour that came twice taken as the second one."""
        if self.second is None:
            return self
        late = np.isin(np.arange(len(self.values)), rows)
        return replace(self, values=self.values.mask(late, self.second))


def check_unit(unit: str) -> int:
    """Return the seconds of a unit of time.

    Examples
    --------
    >>> check_unit("hour")
    3600
    """
    if not isinstance(unit, str) or unit not in SECONDS:
        raise CxError(f"unit={quoted(unit)}; allowed: {', '.join(map(repr, SECONDS))}")
    return SECONDS[unit]


def in_units(value: Any, seconds: int) -> Any:
    """Return durations as numbers of a unit, one or a sample of them; anything else as it is.

    Examples
    --------
    >>> in_units("3min", 60), in_units(["90s", "2分钟"], 60), in_units("1d", 3600), in_units(2, 60)
    (3.0, [1.5, 2.0], 24.0, 2)
    """
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [in_units(time, seconds) for time in value]
    if not isinstance(value, (str, timedelta, np.timedelta64)):
        return value
    import pandas as pd

    text = value
    if isinstance(value, str):
        if value.replace(".", "").strip().isdigit():  # a number as text: of what unit?
            return value
        for chinese, english in CHINESE_UNITS.items():
            text = str(text).replace(chinese, english)
        text = re.sub(r"(?<=[\d ])d(?![a-zA-Z])", "D", str(text))  # pandas gives "d" up
    try:
        span = pd.Timedelta(text)
    except ValueError:
        return value
    return value if pd.isna(span) else span.total_seconds() / seconds


def quoted(value: Any) -> str:
    """Return a value of a table or an argument as Python writes it, in a message.

    Examples
    --------
    >>> quoted(np.int64(7)), quoted("A"), quoted((np.float64("nan"), "B"))
    ('7', "'A'", "(nan, 'B')")
    """
    if isinstance(value, (tuple, list)):
        items = ", ".join(map(quoted, value))
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if isinstance(value, (np.datetime64, date)):  # a Timestamp is one, too
        return str(value)
    return repr(value.item() if isinstance(value, np.generic) else value)


def check_format(shape: str | None) -> None:
    """Raise if a format of times cannot be read, or lets pandas guess ("mixed")."""
    import pandas as pd

    if shape is None:
        return
    why = ""
    try:
        if isinstance(shape, str) and "%" in shape:
            pd.to_datetime(pd.Series(["-"]), errors="coerce", utc=True, format=shape)
            return
    except (ValueError, re.error) as error:
        why = f" ({error})"
    raise CxError(
        f"time_format={quoted(shape)}{why}; allowed: a format such as '%d/%m/%Y %H:%M', or none "
        "for ISO 8601"
    )


def read_times(
    frame: pd.DataFrame,
    name: str,
    time_format: str | None = None,
    time_zone: str | None = None,
    blank: bool = False,
) -> Times:
    """Read a column of times.

    Texts are read as ISO 8601 ("2024-03-01 09:30", "2024-03-01T09:30:00+08:00"), or in
    `time_format`; an order of day and month is never guessed. Times are kept to the microsecond.
    Times without a zone are read on the clock of `time_zone` (its name, or a column of names): an
    hour that came twice as the first, one that was skipped at the offset before the change, as
    Python does (PEP 495). With `blank`, a time may be missing.

    Raises
    ------
    DataError
        Naming row, column and value of what is no time, is missing, or lacks a zone that others
        in the column have.
    """
    import pandas as pd

    column = frame[name]
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        times = Times(column.dt.tz_convert("UTC").astype("datetime64[us, UTC]"), True)
    elif column.dtype.kind == "M":
        times = Times(column.astype("datetime64[us]"), False)
    elif pd.api.types.is_numeric_dtype(column):
        raise DataError(
            f"column {name!r} holds numbers ({column.dtype}); allowed: times, or text such as "
            "'2024-03-01 09:30'"
        )
    else:
        check_group_values(column, name, "time")
        times = _from_texts(frame, name, time_format)
    unread = ~times.values.dt.year.between(*YEARS).to_numpy(bool)
    if blank:
        rows = np.flatnonzero(unread)
        empty = [as_label(value) is None for value in column.iloc[rows]]
        unread = np.isin(np.arange(len(unread)), rows[~np.array(empty, bool)])
    _check_readable(frame, name, unread, time_format)
    times = Times(times.values.reset_index(drop=True), times.aware, times.mixed)
    if time_zone is None:
        return times
    if times.aware:
        raise CxError(
            f"time_zone={time_zone!r}, but column {name!r} states time zones; leave time_zone out"
        )
    return _on_clocks(times.values, _zones(frame, time_zone))


def texts_to_times(frame: pd.DataFrame, name: str, blank: bool, source: str) -> Times:
    """Read a column of texts in ISO 8601 of a file; with `blank`, some may be missing."""
    times = _from_texts(frame, name, None)
    unread = times.values.isna() & ~(frame[name].isna() & blank)
    rows = np.flatnonzero(unread.to_numpy())
    if len(rows):
        value = frame[name].iloc[rows[0]]
        raise DataError(
            f"{source}, event {rows[0] + 1}, {name!r}: {quoted(value)} is no time; allowed: such "
            "as '2024-03-01T09:30:00+01:00'"
        )
    return times


def _zones(frame: pd.DataFrame, time_zone: str) -> pd.Series:
    """Return the name of the zone of every row, each checked."""
    import zoneinfo

    import pandas as pd

    named = isinstance(time_zone, str) and time_zone in frame.columns
    zones = frame[time_zone] if named else pd.Series([time_zone] * len(frame))
    place = f", column {time_zone!r}: " if named else "time_zone="
    for zone in zones.unique():
        try:
            zoneinfo.ZoneInfo(zone)
        except (ValueError, TypeError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
            at = int(np.flatnonzero((zones == zone) | (zones.isna() & pd.isna(zone)))[0])
            row = f"row {quoted(frame.index[at])}" if named else ""
            raise CxError(
                f"{row}{place}{quoted(zone)}; allowed: a name such as 'Europe/Berlin' or "
                "'Asia/Shanghai', or the column that holds such names"
            ) from error
    return zones.reset_index(drop=True)


def _on_clocks(values: pd.Series, zones: pd.Series) -> Times:
    """Return times that clocks of zones showed, in UTC unless there is one zone."""
    import pandas as pd

    first: list[pd.Series] = []
    second: list[pd.Series] = []
    marks: list[pd.DataFrame] = []
    day = pd.Timedelta(days=1)
    for zone, local in values.groupby(zones):
        clock = local.dt
        firsts, seconds = (
            clock.tz_localize(zone, ambiguous=np.full(len(local), dst), nonexistent="NaT")
            for dst in (True, False)
        )
        skipped = firsts.isna() & local.notna()
        before = (local[skipped] - day).dt.tz_localize(zone, ambiguous=np.ones(skipped.sum(), bool))
        for side, columns in ((firsts, first), (seconds, second)):
            utc = side.dt.tz_convert("UTC")
            utc[skipped] = before.dt.tz_convert("UTC") + day
            columns.append(utc)
        marks.append(pd.DataFrame({"twice": firsts != seconds, "skipped": skipped}))
    of_rows = pd.concat(marks).sort_index()
    twice = (of_rows["twice"] & ~of_rows["skipped"] & values.notna()).to_numpy()
    show = zones.iloc[0] if zones.nunique() == 1 else "UTC"
    at_first, at_second = (
        pd.concat(columns).sort_index().dt.tz_convert(show).dt.as_unit("us")
        for columns in (first, second)
    )
    skips = np.flatnonzero(of_rows["skipped"].to_numpy())
    return Times(at_first, True, show == "UTC", np.flatnonzero(twice), skips, at_second)


def _from_texts(frame: pd.DataFrame, name: str, time_format: str | None) -> Times:
    """Read text, or a mixture of text and Python's times."""
    import pandas as pd

    column = frame[name]
    if pd.api.types.infer_dtype(column, skipna=True) != "string":
        column = column.astype(object).map(str, na_action="ignore")
    texts = column.astype("str")
    zoned = texts.notna().to_numpy() & ("%z" in (time_format or ""))
    if time_format is None:
        tail = texts.str[-6:]  # a tail is searched twenty times faster than the whole text
        timed = texts.str.contains("[:Tt]", na=False).to_numpy(bool)
        zoned = timed & tail.str.contains(ZONE, na=False).to_numpy(bool)
    aware = bool(zoned.any())
    values = pd.to_datetime(texts, errors="coerce", utc=True, format=time_format or "ISO8601")
    readable = values.notna().to_numpy()
    if aware and (readable & ~zoned).any():
        without, having = (int(np.flatnonzero(readable & mask)[0]) for mask in (~zoned, zoned))
        raise DataError(
            f"column {name!r} mixes time zones: row {quoted(frame.index[having])} states one "
            f"({quoted(texts.iloc[having])}), row {quoted(frame.index[without])} none "
            f"({quoted(texts.iloc[without])}); allowed: all or none"
        )
    offsets = set(texts[readable & zoned].str[-6:].str.extract(r"([+-].*|[Zz])\s*$")[0].unique())
    values = values if aware else values.dt.tz_localize(None)
    return Times(values.dt.as_unit("us"), aware, len(offsets) > 1)


def _check_readable(
    frame: pd.DataFrame, name: str, unread: NDArray[np.bool_], time_format: str | None
) -> None:
    rows = np.flatnonzero(unread)
    if not len(rows):
        return
    column, first = frame[name], int(rows[0])
    value = column.iloc[first]
    more = f" (and {len(rows) - 1} more in this column)" if len(rows) > 1 else ""
    if as_label(value) is None:
        raise DataError(f"row {quoted(frame.index[first])}, column {name!r}: no time{more}")
    shape = (
        f"the format {time_format!r}"
        if time_format
        else "ISO 8601 such as '2024-03-01 09:30', or another with time_format='%d/%m/%Y %H:%M'"
    )
    raise DataError(
        f"row {quoted(frame.index[first])}, column {name!r}: {quoted(value)} is no time; allowed: "
        f"{shape}{more}"
    )


def window_seconds(window: object) -> float | None:
    """Return a span of time, such as "7 days", in seconds; None stays None.

    Examples
    --------
    >>> window_seconds("7 days")
    604800.0
    """
    import pandas as pd

    if window is None:
        return None
    try:
        span = pd.Timedelta(window)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise CxError(
            f"window={quoted(window)}; allowed: a span of time such as '7 days'"
        ) from error
    if isinstance(window, (int, float)) or not span > pd.Timedelta(0):
        raise CxError(f"window={quoted(window)}; allowed: a span of time above 0 such as '7 days'")
    return float(span.total_seconds())
