"""Event logs: what was done in which case, from when to when, by whom; read, checked, in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, label, listed, note_if
from cxstats.core.result import Chart, Result
from cxstats.operations.timestamps import Times, check_format, quoted, read_times

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.operations.process import Process

    Integers = NDArray[np.int64]

MICRO = 1e-6
TIMED = ("start", "end", "accepted")  # roles of columns that hold times
FLAGS = ("automated", "error", "manual")  # roles of columns that hold true and false
PER_CASE = ("kind", "customer")  # roles of columns with one value for all events of a case
ON_DUPLICATES = ("keep", "drop", "refuse")
PROCESS_MINING = "van der Aalst (2016). Process mining: data science in action, 2nd ed. Springer."


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """The log as numbers, one per event, in the order of its table.

    Attributes
    ----------
    case, activity : integer arrays (n,)
        Places in `EventLog.cases` and `EventLog.activities`; cases stand together.
    start, end : integer arrays (n,)
        Microseconds since 1970; without ends, the end is the start.
    first : boolean array (n,)
        Whether the event is the first of its case.
    accepted : integer array (cases,) or None
        When the case was accepted.
    """

    case: Integers
    activity: Integers
    start: Integers
    end: Integers
    first: NDArray[np.bool_]
    accepted: Integers | None


@dataclass(frozen=True, eq=False, repr=False)
class EventLog(Result):
    """A checked event log.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per event, by case and time: ``case, activity, start`` and, as far as named,
        ``end, resource, kind, customer, automated, error, manual, accepted``.
    cases, activities : pandas.Index
        Their names, sorted.
    n_duplicates : int
        Events that repeat another in all columns used (kept unless ``duplicates="drop"``).
    n_unordered : int
        Events that stood in the file before an earlier one of their case.
    n_tied : int
        Events that begin and end with the one before them in their case, in the order of the file.
    synthetic : bool
        Whether the events are simulated.
    arrays : Arrays
        The log as numbers.
    notes : tuple of Text
        What was sorted, kept or left out.
    """

    table: pd.DataFrame
    cases: pd.Index
    activities: pd.Index
    n_duplicates: int
    n_unordered: int
    n_tied: int
    synthetic: bool
    arrays: Arrays
    notes: tuple[Text, ...]

    kinds: ClassVar = ("map",)
    reference: ClassVar = PROCESS_MINING

    @property
    def n_events(self) -> int:
        """The number of events."""
        return len(self.table)

    @property
    def n_cases(self) -> int:
        """The number of cases."""
        return len(self.cases)

    @property
    def has_ends(self) -> bool:
        """Whether the log says when activities end."""
        return "end" in self.table.columns

    def performance(self, **options: Any) -> Process:
        """Measure the process; see `cxstats.operations`."""
        from cxstats.operations.process import process

        return process(self, **options)

    def variants(self, unit: str = "hour") -> pd.DataFrame:
        """Return the ways through the process; see `cxstats.operations.variants.variants`."""
        from cxstats.operations.variants import variants

        return variants(self, unit)

    def rework(self, level: float = 0.95) -> pd.DataFrame:
        """Return repeated activities; see `cxstats.operations.variants.rework`."""
        from cxstats.operations.variants import rework

        return rework(self, level)

    def bottlenecks(
        self, by: str = "activity", *, unit: str = "hour", level: float = 0.95
    ) -> pd.DataFrame:
        """Return where the time goes; see `cxstats.operations.bottlenecks.bottlenecks`."""
        from cxstats.operations.bottlenecks import bottlenecks

        return bottlenecks(self, by, unit=unit, level=level)

    def graph(self, unit: str = "hour") -> nx.DiGraph[str]:
        """Return the directly-follows graph; see `cxstats.operations.variants.follows`."""
        from cxstats.operations.variants import follows

        return follows(self, unit)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the process map."""
        return Chart("process_map", (self,))

    def findings(self, lang: str) -> list[str]:
        """Return what the log holds."""
        times = self.table["start"]
        return [
            label(
                "process.log.head",
                lang,
                events=format_number(self.n_events),
                cases=format_number(self.n_cases),
                activities=len(self.activities),
                first=f"{times.min():%Y-%m-%d}",
                last=f"{times.max():%Y-%m-%d}",
            )
        ]


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
    if duplicates not in ON_DUPLICATES:
        raise CxError(f"duplicates={duplicates!r}; allowed: 'keep', 'drop', 'refuse'")
    check_format(time_format)
    if not (automated is None or isinstance(automated, Collection)):
        raise CxError(f"automated={quoted(automated)}; allowed: a list of resources, or a column")
    data = as_pandas(frame)
    flag = automated if isinstance(automated, str) else None
    columns = {
        "case": case, "activity": activity, "start": start, "end": end, "resource": resource,
        "kind": kind, "customer": customer, "automated": flag, "error": error, "manual": manual,
        "accepted": accepted,
    }  # fmt: skip
    roles = {role: name for role, name in columns.items() if name is not None}
    _check_columns(data, roles)
    times = {role: read_times(data, roles[role], time_format) for role in TIMED if role in roles}
    _check_zones(times, roles)
    _check_ends(data, roles, times)
    machines = None if flag is not None or automated is None else automated
    return _Reader(data, roles, times, duplicates).log(machines)


class _Reader:
    """Puts the events of a table in order and counts what was out of order."""

    def __init__(
        self, data: pd.DataFrame, roles: dict[str, str], times: dict[str, Times], duplicates: str
    ) -> None:
        self.data, self.roles, self.times, self.duplicates = data, roles, times, duplicates
        self.case, self.cases = _codes(data, roles["case"])
        self.activity, self.activities = _codes(data, roles["activity"])
        self.start = times["start"].microseconds
        self.end = times["end"].microseconds if "end" in times else self.start

    def log(self, machines: Collection[str] | None) -> EventLog:
        order, n_unordered = self._order()
        order, n_duplicates, n_tied = self._without_repeats(order)
        case = self.case[order]
        first = np.r_[True, case[1:] != case[:-1]]
        table = self._table(order, machines)
        accepted = self._accepted(order, first)
        for role in PER_CASE:
            if role in self.roles:
                self._check_one_per_case(role, order, first)
        return EventLog(
            table=table,
            cases=self.cases,
            activities=self.activities,
            n_duplicates=n_duplicates,
            n_unordered=n_unordered,
            n_tied=n_tied,
            synthetic=bool(self.data.attrs.get("synthetic")),
            arrays=Arrays(
                case, self.activity[order], self.start[order], self.end[order], first, accepted
            ),
            notes=self._notes(n_duplicates, n_unordered, n_tied),
        )

    def _order(self) -> tuple[Integers, int]:
        """Return the places of events by case and time, and how many were out of order."""
        order = np.argsort(self.case, kind="stable")
        case, start, end = self.case[order], self.start[order], self.end[order]
        same = case[1:] == case[:-1]
        back = (start[1:] < start[:-1]) | ((start[1:] == start[:-1]) & (end[1:] < end[:-1]))
        unordered = int((same & back).sum())
        return (np.lexsort((self.end, self.start, self.case)) if unordered else order), unordered

    def _without_repeats(self, order: Integers) -> tuple[Integers, int, int]:
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
                f"{self._place(row)}: case {self._value('case', row)}, activity "
                f"{self._value('activity', row)} repeats another event in all columns; {count} "
                "such rows; allowed: none with duplicates='refuse'"
            )
        if count and self.duplicates == "drop":
            order = np.delete(order, group[repeated])
        return order, count, int(tie.sum()) - count

    def _place(self, row: int) -> str:
        return f"row {quoted(self.data.index[row])}"

    def _value(self, role: str, row: int) -> str:
        return quoted(self.data[self.roles[role]].iloc[row])

    def _notes(self, n_duplicates: int, n_unordered: int, n_tied: int) -> tuple[Text, ...]:
        mixed = [self.roles[role] for role, times in self.times.items() if times.mixed]
        repeats = "dropped" if self.duplicates == "drop" else "kept"
        return (
            *note_if(n_duplicates > 0, f"process.note.duplicates.{repeats}", n=n_duplicates),
            *note_if(n_unordered > 0, "process.note.unordered", n=n_unordered),
            *note_if(n_tied > 0, "process.note.tied", n=n_tied),
            *note_if("end" not in self.roles, "process.note.no_ends"),
            *note_if(bool(mixed), "process.note.zones", columns=listed(mixed)),
        )

    def _table(self, order: Integers, machines: Collection[str] | None) -> pd.DataFrame:
        import pandas as pd

        columns: dict[str, Any] = {}
        for role, name in self.roles.items():
            if role in FLAGS:
                columns[role] = _flags(self.data, name)[order]
                continue
            values = self.times[role].values if role in self.times else self.data[name]
            columns[role] = values.iloc[order].reset_index(drop=True)
        if machines is not None:
            columns["automated"] = self._automated(machines)[order]
        return pd.DataFrame(columns)

    def _automated(self, machines: Collection[str]) -> NDArray[np.bool_]:
        if "resource" not in self.roles:
            raise CxError("automated lists resources; name the column of resources, too")
        column = self.data[self.roles["resource"]]
        empty = np.flatnonzero(column.isna())
        if len(empty):
            raise DataError(
                f"{self._place(empty[0])}, column {column.name!r}: no resource, so whether it is "
                f"automated is unknown ({len(empty)} such rows)"
            )
        resources = column.unique().tolist()
        unknown = [machine for machine in machines if machine not in resources]
        if unknown:
            raise DataError(
                f"automated resource {quoted(unknown[0])} is not in column {column.name!r}; "
                f"there: {', '.join(map(quoted, sorted(resources, key=str)[:30]))}; where no "
                "resource is a machine, automated=[]"
            )
        return column.isin(list(machines)).to_numpy(bool)

    def _accepted(self, order: Integers, first: NDArray[np.bool_]) -> Integers | None:
        if "accepted" not in self.times:
            return None
        times = self.times["accepted"].microseconds[order]
        begin, case, name = times[first], self.case[order], self.roles["accepted"]
        other = np.flatnonzero(times != begin[case])
        if len(other):
            raise DataError(
                f"{self._place(order[other[0]])}, column {name!r}: case "
                f"{quoted(self.cases[case[other[0]]])} has two times of acceptance; allowed: one"
            )
        late = np.flatnonzero(begin > self.start[order][first])
        if len(late):
            row = order[np.flatnonzero(first)[late[0]]]
            raise DataError(
                f"{self._place(row)}, column {name!r}: case {quoted(self.cases[late[0]])} was "
                f"accepted at {self.data[name].iloc[row]!s}, after its first activity began "
                f"({self.data[self.roles['start']].iloc[row]!s})"
            )
        return begin

    def _check_one_per_case(self, role: str, order: Integers, first: NDArray[np.bool_]) -> None:
        codes, names = _codes(self.data, self.roles[role])
        codes, case = codes[order], self.case[order]
        first_code = codes[first][case]
        other = np.flatnonzero(codes != first_code)
        if len(other):
            at = other[0]
            raise DataError(
                f"{self._place(order[at])}, column {self.roles[role]!r}: case "
                f"{quoted(self.cases[case[at]])} has {quoted(names[codes[at]])} and "
                f"{quoted(names[first_code[at]])}; allowed: one for all events of a case"
            )


def _check_columns(data: pd.DataFrame, roles: dict[str, str]) -> None:
    columns = list(data.columns)
    for role in ("case", "activity", "start"):
        if roles.get(role) is None:
            raise CxError(f"{role} is missing; allowed: the name of a column")
    if roles.get("end") == roles["start"]:
        raise CxError(f"start and end are both column {roles['start']!r}; leave end out instead")
    for role, name in roles.items():
        if name not in columns:
            first = ", ".join(map(str, columns[:30]))
            raise DataError(f"{role}: column {quoted(name)} is not in the table; columns: {first}")
        if columns.count(name) > 1:
            raise DataError(f"{role}: column {name!r} stands twice in the table")


def _check_zones(times: dict[str, Times], roles: dict[str, str]) -> None:
    aware = {roles[role]: column.aware for role, column in times.items()}
    if len(set(aware.values())) > 1:
        having, without = ([n for n, a in aware.items() if a is is_] for is_ in (True, False))
        raise DataError(
            f"mixed time zones: column {having[0]!r} states them, column {without[0]!r} does not; "
            "allowed: all or none"
        )


def _check_ends(data: pd.DataFrame, roles: dict[str, str], times: dict[str, Times]) -> None:
    if "end" not in times:
        return
    early = np.flatnonzero(times["end"].microseconds < times["start"].microseconds)
    if len(early):
        row = data.iloc[early[0]]
        more = f" (and {len(early) - 1} more rows)" if len(early) > 1 else ""
        raise DataError(
            f"row {quoted(data.index[early[0]])}: {roles['activity']} "
            f"{quoted(row[roles['activity']])} of case {quoted(row[roles['case']])} ends at "
            f"{row[roles['end']]!s}, before its start {row[roles['start']]!s}{more}"
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
            f"row {quoted(data.index[odd])}, column {name!r}: {quoted(column.iloc[odd])} is no "
            "text, but others in the column are; allowed: one type"
        )
    if texts.any():
        empty = np.array([not value.strip() for value in names], bool)
        blank |= np.isin(codes, np.flatnonzero(empty))
    rows = np.flatnonzero(blank)
    if len(rows):
        more = f" (and {len(rows) - 1} more in this column)" if len(rows) > 1 else ""
        where = f"row {quoted(data.index[rows[0]])}, column {name!r}"
        raise DataError(f"{where}: empty; every event needs one{more}")
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
    flags = column.isin([True, False]).to_numpy(bool) & column.notna().to_numpy(bool)
    rows = np.flatnonzero(~flags)
    if len(rows):
        raise DataError(
            f"row {quoted(data.index[rows[0]])}, column {name!r}: {quoted(column.iloc[rows[0]])}; "
            "allowed: true and false, or 1 and 0"
        )
    return column.astype(bool).to_numpy(bool)
