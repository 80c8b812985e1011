"""Reading an event log: any table, checked and set in order."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.operations.event_log import Arrays, EventLog
from cxstats.operations.timestamps import Times, check_format, read_times, shown
from cxstats.survey.answers import as_pandas

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

TIMED: tuple[str, ...] = ("start", "end", "accepted")


def event_log(  # noqa: PLR0913  (one keyword for each column a log can have)
    frame: Any,
    *,
    case: str,
    activity: str,
    start: str,
    end: str | None = None,
    resource: str | None = None,
    automated: str | Collection[str] | None = None,
    error: str | None = None,
    manual: str | None = None,
    kind: str | None = None,
    customer: str | None = None,
    accepted: str | None = None,
    time_format: str | None = None,
    duplicates: str = "keep",
) -> EventLog:
    """Check a table of events and set it in order.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        One row per activity done in a case.
    case, activity, start : str
        Columns of the case, of what was done, and of when it began (or happened).
    end : str, optional
        Column of when it ended; without it nothing can be said of handling times.
    resource : str, optional
        Column of who or what did it.
    automated : collection of str, or str
        The resources that are machines; or the name of a column of true and false.
    error, manual : str, optional
        Columns of true and false: an error occurred; a person had to intervene.
    kind, customer : str, optional
        Columns of the case's ticket type and customer: one value for all events of a case.
    accepted : str, optional
        Column of when the case was accepted; the wait before its first activity begins there.
    time_format : str, optional
        How times are written if not in ISO 8601, such as "%d/%m/%Y %H:%M".
    duplicates : {"keep", "drop", "refuse"}
        What to do with events that repeat another in all columns used. They are counted anyway.

    Returns
    -------
    EventLog

    Raises
    ------
    DataError
        Naming row, column and value: no case, no activity, no time or none that can be read, some
        times with a zone and others without, an end before its start, a case accepted after its
        first activity, of two ticket types or of two customers, an unknown resource.

    Notes
    -----
    Events out of order are sorted by start, then end, and counted; events with the same times stay
    in the order of the file. Times are elapsed time: nights, weekends and holidays count.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({
    ...     "id": [1, 1, 2], "step": ["call", "solve", "call"],
    ...     "from": ["2024-03-01 09:00", "2024-03-01 10:00", "2024-03-01 09:30"],
    ...     "to": ["2024-03-01 09:10", "2024-03-01 10:30", "2024-03-01 09:50"]})
    >>> log = event_log(frame, case="id", activity="step", start="from", end="to")
    >>> log.n_cases, log.n_events, list(log.activities)
    (2, 3, ['call', 'solve'])
    """
    if duplicates not in ("keep", "drop", "refuse"):
        raise CxError(f"duplicates={duplicates!r}; allowed: 'keep', 'drop', 'refuse'")
    check_format(time_format)
    if not (automated is None or isinstance(automated, Collection)):
        raise CxError(f"automated={shown(automated)}; allowed: a list of resources, or a column")
    data = as_pandas(frame)
    flag = automated if isinstance(automated, str) else None
    used = {
        "case": case, "activity": activity, "start": start, "end": end, "resource": resource,
        "kind": kind, "customer": customer, "automated": flag, "error": error, "manual": manual,
        "accepted": accepted,
    }  # fmt: skip
    roles = {role: name for role, name in used.items() if name is not None}
    _check_columns(data, roles)
    clocks: dict[str, Times] = {
        role: read_times(data, roles[role], time_format) for role in TIMED if role in roles
    }
    _check_zones(clocks, roles)
    _check_ends(data, roles, clocks)
    builder = _Builder(data, roles, clocks, duplicates)
    return builder.log(automated)


class _Builder:
    """Sorts the events and gathers what is to be said of them."""

    def __init__(
        self, data: pd.DataFrame, roles: dict[str, str], clocks: dict[str, Times], duplicates: str
    ) -> None:
        self.data, self.roles, self.duplicates = data, roles, duplicates
        self.clocks = clocks
        self.case, self.cases = _codes(data, roles["case"])
        self.activity, self.activities = _codes(data, roles["activity"])
        self.start = clocks["start"].microseconds
        self.end = clocks["end"].microseconds if "end" in clocks else self.start
        self.notes: list[str] = []

    def log(self, automated: str | Collection[str] | None) -> EventLog:
        order, unordered = self._order()
        order, duplicates, tied = self._repeats(order)
        self._say(unordered, duplicates, tied)
        case = self.case[order]
        first = np.r_[True, case[1:] != case[:-1]]
        table = self._table(order, automated)
        accepted = self._accepted(order, first)
        arrays = Arrays(
            case, self.activity[order], self.start[order], self.end[order], first, accepted
        )
        for role in ("kind", "customer"):
            if role in self.roles:
                self._one_per_case(role, order, first)
        return EventLog(
            table, self.cases, self.activities, duplicates, unordered, tied,
            bool(self.data.attrs.get("synthetic")), tuple(self.notes), arrays,
        )  # fmt: skip

    def _order(self) -> tuple[Integers, int]:
        """Return the places of events by case and time, and how many were out of order."""
        order = np.argsort(self.case, kind="stable")
        case, start, end = self.case[order], self.start[order], self.end[order]
        same = case[1:] == case[:-1]
        back = (start[1:] < start[:-1]) | ((start[1:] == start[:-1]) & (end[1:] < end[:-1]))
        unordered = int((same & back).sum())
        return (np.lexsort((self.end, self.start, self.case)) if unordered else order), unordered

    def _repeats(self, order: Integers) -> tuple[Integers, int, int]:
        """Return the order with repeated events as asked, how many there are, and ties."""
        import pandas as pd

        keys = np.column_stack([self.case[order], self.start[order], self.end[order]])
        tie = np.r_[False, (keys[1:] == keys[:-1]).all(axis=1)]
        group = np.flatnonzero(tie | np.r_[tie[1:], False])  # only tied events can be repeats
        rows = self.data.iloc[order[group]][list(dict.fromkeys(self.roles.values()))]
        columns = {name: pd.factorize(rows[name])[0] for name in rows}
        repeated = pd.DataFrame(columns).duplicated().to_numpy(bool)
        count = int(repeated.sum())
        if count and self.duplicates == "refuse":
            row = order[group[repeated][0]]
            raise DataError(
                f"row {shown(self.data.index[row])}: case "
                f"{shown(self.data[self.roles['case']].iloc[row])}, "
                f"activity {shown(self.data[self.roles['activity']].iloc[row])} repeats another "
                f"event "
                f"in all columns; {count} such rows; allowed: none with duplicates='refuse'"
            )
        if count and self.duplicates == "drop":
            order = np.delete(order, group[repeated])
        return order, count, int(tie.sum()) - count

    def _say(self, unordered: int, duplicates: int, tied: int) -> None:
        if duplicates:
            done = "left out" if self.duplicates == "drop" else "kept; duplicates='drop' drops them"
            self.notes.append(f"{duplicates} events repeat another in all columns ({done})")
        if unordered:
            self.notes.append(
                f"{unordered} events stood out of order within their case and were sorted by time"
            )
        if tied:
            self.notes.append(
                f"{tied} events have the times of another in their case; they stay in the order "
                "of the table, on which variants and transitions depend"
            )
        if "end" not in self.roles:
            self.notes.append(
                "no end times: the time between two events is waiting and handling together"
            )
        mixed = [self.roles[role] for role, clock in self.clocks.items() if clock.mixed]
        if mixed:
            self.notes.append(f"times in several zones were put into UTC: {', '.join(mixed)}")

    def _table(self, order: Integers, automated: str | Collection[str] | None) -> pd.DataFrame:
        import pandas as pd

        table: dict[str, Any] = {}
        for role, name in self.roles.items():
            if role in self.clocks:
                table[role] = self.clocks[role].values.to_numpy()[order]
                if self.clocks[role].aware:
                    table[role] = self.clocks[role].values.iloc[order].reset_index(drop=True)
            elif role in ("error", "manual", "automated"):
                table[role] = _flags(self.data, name)[order]
            else:
                table[role] = self.data[name].iloc[order].reset_index(drop=True)
        if automated is not None and not isinstance(automated, str):
            table["automated"] = self._machines(automated)[order]
        return pd.DataFrame(table)

    def _machines(self, automated: Collection[str]) -> NDArray[np.bool_]:
        if "resource" not in self.roles:
            raise CxError("automated lists resources; name the column of resources, too")
        column = self.data[self.roles["resource"]]
        empty = np.flatnonzero(column.isna())
        if len(empty):
            raise DataError(
                f"row {shown(self.data.index[empty[0]])}, column {column.name!r}: no resource, so "
                f"whether it is automated is unknown ({len(empty)} such rows)"
            )
        known = column.unique().tolist()
        unknown = [one for one in automated if one not in known]
        if unknown:
            raise DataError(
                f"automated resource {shown(unknown[0])} is not in column {column.name!r}; "
                f"there: {', '.join(map(shown, sorted(known, key=str)[:30]))}; where no resource "
                "is a machine, automated=[]"
            )
        return column.isin(list(automated)).to_numpy(bool)

    def _accepted(self, order: Integers, first: NDArray[np.bool_]) -> Integers | None:
        if "accepted" not in self.clocks:
            return None
        times = self.clocks["accepted"].microseconds[order]
        begin = times[first]
        case = self.case[order]
        name = self.roles["accepted"]
        other = np.flatnonzero(times != begin[case])
        if len(other):
            raise DataError(
                f"row {shown(self.data.index[order[other[0]]])}, column {name!r}: case "
                f"{shown(self.cases[case[other[0]]])} has two times of acceptance; allowed: one"
            )
        late = np.flatnonzero(begin > self.start[order][first])
        if len(late):
            row = order[np.flatnonzero(first)[late[0]]]
            raise DataError(
                f"row {shown(self.data.index[row])}, column {name!r}: case "
                f"{shown(self.cases[late[0]])} was accepted at {self.data[name].iloc[row]!s}, "
                f"after its "
                f"first activity began ({self.data[self.roles['start']].iloc[row]!s})"
            )
        return begin

    def _one_per_case(self, role: str, order: Integers, first: NDArray[np.bool_]) -> None:
        codes, names = _codes(self.data, self.roles[role])
        codes, case = codes[order], self.case[order]
        other = np.flatnonzero(codes != codes[first][case])
        if len(other):
            at = other[0]
            raise DataError(
                f"row {shown(self.data.index[order[at]])}, column {self.roles[role]!r}: case "
                f"{shown(self.cases[case[at]])} has {shown(names[codes[at]])} and "
                f"{shown(names[codes[first][case[at]]])}; allowed: one for all events of a case"
            )


def _check_columns(data: pd.DataFrame, roles: dict[str, str]) -> None:
    there = list(data.columns)
    for role in ("case", "activity", "start"):
        if roles.get(role) is None:
            raise CxError(f"{role} is missing; allowed: the name of a column")
    if roles.get("end") == roles["start"]:
        raise CxError(f"start and end are both column {roles['start']!r}; leave end out instead")
    for role, name in roles.items():
        if name not in there:
            first = ", ".join(map(str, there[:30]))
            raise DataError(f"{role}: column {shown(name)} is not in the table; columns: {first}")
        if there.count(name) > 1:
            raise DataError(f"{role}: column {name!r} stands twice in the table")


def _check_zones(clocks: dict[str, Times], roles: dict[str, str]) -> None:
    aware = {roles[role]: clock.aware for role, clock in clocks.items()}
    if len(set(aware.values())) > 1:
        having, without = ([n for n, a in aware.items() if a is is_] for is_ in (True, False))
        raise DataError(
            f"mixed time zones: column {having[0]!r} states them, column {without[0]!r} does not; "
            "allowed: all or none"
        )


def _check_ends(data: pd.DataFrame, roles: dict[str, str], clocks: dict[str, Times]) -> None:
    if "end" not in clocks:
        return
    bad = np.flatnonzero(clocks["end"].microseconds < clocks["start"].microseconds)
    if len(bad):
        row = bad[0]
        more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
        raise DataError(
            f"row {shown(data.index[row])}: {roles['activity']} "
            f"{shown(data[roles['activity']].iloc[row])} "
            f"of case {shown(data[roles['case']].iloc[row])} ends at "
            f"{data[roles['end']].iloc[row]!s}, "
            f"before its start {data[roles['start']].iloc[row]!s}{more}"
        )


def _codes(data: pd.DataFrame, name: str) -> tuple[Integers, pd.Index]:
    """Return every row's place among the sorted values of a column, and those values."""
    import pandas as pd

    column = data[name]
    codes, names = pd.factorize(column)
    blank = codes < 0
    # Types are looked at once per distinct value, which is all that a long log can afford.
    texts = np.array([isinstance(value, str) for value in names], bool)
    if texts.any() and not texts.all():
        odd = np.flatnonzero(np.isin(codes, np.flatnonzero(~texts)))[0]
        raise DataError(
            f"row {shown(data.index[odd])}, column {name!r}: {shown(column.iloc[odd])} is no "
            f"text, but "
            f"others in the column are; allowed: one type"
        )
    if texts.any():
        empty = np.array([not value.strip() for value in names], bool)
        blank |= np.isin(codes, np.flatnonzero(empty))
    rows = np.flatnonzero(blank)
    if len(rows):
        more = f" (and {len(rows) - 1} more in this column)" if len(rows) > 1 else ""
        raise DataError(
            f"row {shown(data.index[rows[0]])}, column {name!r}: empty; every event needs one{more}"
        )
    index = pd.Index(names)
    order = np.asarray(index.argsort(), np.int64)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places[codes], index[order]


def _flags(data: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return a column of true and false, or of 1 and 0."""
    column = data[name]
    if column.dtype == bool:
        return column.to_numpy(bool)
    good = column.isin([True, False]).to_numpy(bool) & column.notna().to_numpy(bool)
    rows = np.flatnonzero(~good)
    if len(rows):
        raise DataError(
            f"row {shown(data.index[rows[0]])}, column {name!r}: {shown(column.iloc[rows[0]])}; "
            f"allowed: "
            f"true and false, or 1 and 0"
        )
    return column.astype(bool).to_numpy(bool)
