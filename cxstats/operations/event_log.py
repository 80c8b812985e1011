"""Event logs: what was done in which case, from when to when, by whom; read, checked, in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, label, listed, note_if
from cxstats.core.messages import listing, no_column, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.operations.lifecycle import hint, pair
from cxstats.operations.timestamps import Times, check_format, quoted, read_times
from cxstats.operations.xes import STANDARD, read_xes

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
OPEN_ENDS = ("refuse", "leave out", "censored")
FILES = (".xes", ".xes.gz")
NAMED_ROWS = 5  # rows that a note names
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
    open_cases : boolean array (cases,) or None
        Which cases have not ended; None where all have.
    until : int
        The log's last time.
    """

    case: Integers
    activity: Integers
    start: Integers
    end: Integers
    first: NDArray[np.bool_]
    accepted: Integers | None
    open_cases: NDArray[np.bool_] | None = None
    until: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class EventLog(Result):
    """A checked event log.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per event, by case and time: ``case, activity, start`` and, as far as named,
        ``end, resource, kind, customer, automated, error, manual, accepted``; with open ends
        "censored": ``open``, and ``end`` is the log's last time there.
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
        zone = "" if times.dt.tz is not None else label("process.log.no_zone", lang)
        return [
            label(
                "process.log.head",
                lang,
                events=format_number(self.n_events),
                cases=format_number(self.n_cases),
                activities=len(self.activities),
                first=f"{times.min():%Y-%m-%d}",
                last=f"{times.max():%Y-%m-%d}",
                zone=zone,
            )
        ]


@long_work("event log")
def event_log(  # noqa: PLR0913  (one keyword for each column a log can have)
    frame: Any,
    *,
    case: str | None = None,
    activity: str | None = None,
    start: str | None = None,
    end: str | None = None,
    lifecycle: str | None = None,
    lifecycle_words: Mapping[str, str] | None = None,
    resource: str | None = None,
    automated: str | Collection[str] | None = None,
    error: str | None = None,
    manual: str | None = None,
    kind: str | None = None,
    customer: str | None = None,
    accepted: str | None = None,
    time_format: str | None = None,
    time_zone: str | None = None,
    open_ends: str = "refuse",
    closing: str | Collection[str] | None = None,
    duplicates: str = "keep",
) -> EventLog:
    """Check a table of events and set it in order.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation; or the path of an .xes or .xes.gz file
        One row per activity done in a case; with `lifecycle`, one per start and per completion. Of
        an XES file the standard's columns are taken where no other is named.
    case, activity, start : str
        Columns of the case, of what was done, and of when it began (or happened).
    end : str, optional
        Column of when it ended; without it nothing can be said of handling times.
    lifecycle : str, optional
        Column that says whether a row starts or completes its activity, at the time in `start`;
        see `cxstats.operations.lifecycle.pair` for how they are paired, and what is done with
        schedule, suspend, resume, withdraw and abort. Of both rows an activity keeps the first's
        values; errors and manual interventions count from either.
    lifecycle_words : dict, optional
        Words that are not known, such as ``{"begonnen": "start"}``.
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
    time_zone : str, optional
        Where the clock hung that shows times without a zone, such as "Europe/Berlin"; or a column
        of such names. Then an hour that comes twice when clocks go back is the first one (an end
        that would lie before its start: the second), and one that they skip is read at the offset
        before the change; the notes name such rows.
    open_ends : {"refuse", "leave out", "censored"}
        What to do with cases that have not ended: an activity of theirs has no end, or they lack a
        `closing` activity. "leave out" leaves out those cases whole, which favours short ones;
        "censored" keeps them up to the log's last time, and `process` allows for it.
    closing : str or collection of str, optional
        The activities that end a case.
    duplicates : {"keep", "drop", "refuse"}
        What to do with events that repeat another in all columns used. They are counted anyway.

    Returns
    -------
    EventLog

    Raises
    ------
    DataError
        Naming row, column and value: no case, no activity, no time or none that can be read, some
        times with a zone and others without, an end before its start, an activity or a case that
        has not ended, a completion without a start, a case accepted after its first activity, of
        two ticket types or of two customers, an unknown resource.

    Notes
    -----
    Events out of order are sorted by start, then end, and counted; events with the same times stay
    in the order of the file. Times are elapsed time: nights, weekends and holidays count. Times in
    several zones are put into UTC. Times without a zone are taken as they stand, also over a night
    in which clocks changed, unless `time_zone` is named.

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

    Start and complete in two rows:

    >>> rows = pd.DataFrame({"id": [1, 1], "step": ["call", "call"], "life": ["start", "complete"],
    ...                      "time": ["2024-03-01 09:00", "2024-03-01 09:10"]})
    >>> event_log(rows, case="id", activity="step", start="time", lifecycle="life").n_events
    1
    """
    _check_options(duplicates, open_ends, automated, end, lifecycle, lifecycle_words)
    check_format(time_format)
    standard = isinstance(frame, (str, Path))
    if standard:
        if not str(frame).lower().endswith(FILES):
            raise CxError(f"{frame}: allowed: {', '.join(FILES)}; read other files into a table")
        frame = read_xes(frame)
    data = as_pandas(frame)
    flag = automated if isinstance(automated, str) else None
    columns = {
        "case": case, "activity": activity, "start": start, "end": end, "resource": resource,
        "kind": kind, "customer": customer, "automated": flag, "error": error, "manual": manual,
        "accepted": accepted, "lifecycle": lifecycle,
    }  # fmt: skip
    if standard:
        columns = _of_standard(columns, data)
    roles = {role: name for role, name in columns.items() if name is not None}
    _check_columns(data, roles)
    times = {
        role: read_times(data, roles[role], time_format, time_zone, blank=role == "end")
        for role in TIMED
        if role in roles
    }
    _check_zones(times, roles)
    machines = None if flag is not None or automated is None else automated
    source = _Source(data, roles, times, [*data.attrs.get("notes", ()), *_clock_notes(data, times)])
    if "lifecycle" in roles:
        source = _instances(source, lifecycle_words, open_ends != "refuse")
    elif "end" not in roles:
        source.hint = True
    source = _settle_open(source, open_ends, closing)
    _check_ends(source.data, source.roles, source.times)
    return _Reader(source, duplicates).log(machines)


def _check_options(
    duplicates: str,
    open_ends: str,
    automated: Any,
    end: str | None,
    lifecycle: str | None,
    words: Mapping[str, str] | None,
) -> None:
    if duplicates not in ON_DUPLICATES:
        raise CxError(f"duplicates={duplicates!r}; allowed: 'keep', 'drop', 'refuse'")
    if open_ends not in OPEN_ENDS:
        raise CxError(f"open_ends={open_ends!r}; allowed: {', '.join(map(repr, OPEN_ENDS))}")
    if not (automated is None or isinstance(automated, Collection)):
        raise CxError(f"automated={quoted(automated)}; allowed: a list of resources, or a column")
    if lifecycle is not None and end is not None:
        raise CxError(
            "end and lifecycle both say when activities end; allowed: one (with lifecycle, start "
            "is the column of all times)"
        )
    if words is not None and not isinstance(words, Mapping):
        raise CxError(f"lifecycle_words={quoted(words)}; allowed: such as {{'begonnen': 'start'}}")


def _of_standard(columns: dict[str, str | None], data: pd.DataFrame) -> dict[str, str | None]:
    """Return the columns with those of the XES standard where none is named."""
    named = {role: name for role, name in columns.items() if name is not None}
    standard = {role: name for role, name in STANDARD.items() if name in data.columns}
    if "end" in named:
        standard.pop("lifecycle", None)
    return dict.fromkeys(columns) | standard | named


@dataclass
class _Source:
    """A table of events on its way into a log."""

    data: pd.DataFrame
    roles: dict[str, str]
    times: dict[str, Times]
    notes: list[Text]
    open_events: NDArray[np.bool_] | None = None
    open_cases: Collection[Any] = ()
    until: int = 0
    hint: bool = False

    def take(self, rows: Integers) -> _Source:
        """Return the source with some rows in another order."""
        times = {role: times.take(rows) for role, times in self.times.items()}
        events = None if self.open_events is None else self.open_events[rows]
        return replace(self, data=self.data.iloc[rows], times=times, open_events=events)


def _clock_notes(data: pd.DataFrame, times: dict[str, Times]) -> list[Text]:
    """Return notes of times in hours that clocks showed twice, or skipped."""
    notes = []
    for key in ("twice", "skipped"):
        rows = np.unique(np.concatenate([getattr(of_role, key) for of_role in times.values()]))
        names = listing((row_name(data.index, int(row)) for row in rows), NAMED_ROWS)
        notes += note_if(len(rows) > 0, f"process.note.clock.{key}", n=len(rows), rows=names)
    return notes


def _instances(source: _Source, words: Mapping[str, str] | None, leave_out: bool) -> _Source:
    """Return one row per activity, with start and end, from a log of a lifecycle."""
    data, roles, times = source.data, source.roles, source.times
    codes = value_codes(data, roles["case"])[0], value_codes(data, roles["activity"])[0]
    start = times["start"]
    pairing = pair(data, roles["lifecycle"], codes, start, words, leave_out)
    instances = source.take(pairing.rows)
    ended = pairing.ends >= 0
    for role in ("error", "manual"):
        if role in roles:
            flags = _flags(data, roles[role])
            either = flags[pairing.rows] | (ended & flags[pairing.ends])
            instances.data = instances.data.assign(**{roles[role]: either})
    instances.roles = {role: name for role, name in roles.items() if role != "lifecycle"}
    if pairing.timed:
        ends = pairing.times.take(pairing.ends)
        ends = replace(ends, values=ends.values.where(ended))
        instances.times["end"] = ends
        instances.roles["end"] = roles["start"]
    instances.notes = [*source.notes, *pairing.notes]
    return instances


def _settle_open(source: _Source, open_ends: str, closing: str | Collection[str] | None) -> _Source:
    """Refuse, leave out or keep as censored the cases that have not ended."""
    times = source.times
    start = times["start"].microseconds
    open_events = np.zeros(len(start), bool)
    latest = int(start.max())
    if "end" in times:
        times["end"] = times["end"].ending(times["start"])
        open_events = times["end"].values.isna().to_numpy()
        ends = times["end"].microseconds[~open_events]
        latest = max(latest, int(ends.max(initial=latest)))
    case, names = value_codes(source.data, source.roles["case"])
    open_cases = np.zeros(len(names), bool)
    open_cases[case[open_events]] = True
    if closing is not None:
        open_cases |= ~_closed(source, closing, case, len(names))
    if not open_cases.any():
        return source
    if open_ends == "refuse":
        _refuse_open(source, open_events, names[open_cases])
    n, of_log = int(open_cases.sum()), len(names)
    if open_ends == "leave out":
        rows = np.flatnonzero(~open_cases[case])
        if not len(rows):
            raise DataError(f"all {of_log} cases are open; allowed: open_ends='censored'")
        left = source.take(rows)
        n_events = len(case) - len(rows)
        left.notes += note_if(True, "process.note.open.left_out", n=n, m=of_log, events=n_events)
        return left
    if "end" in times:
        values = times["end"].values
        times["end"] = replace(times["end"], values=_filled(values, latest))
    source.notes += note_if(True, "process.note.open.censored", n=n, m=of_log)
    return replace(source, open_events=open_events, open_cases=names[open_cases], until=latest)


def _filled(values: pd.Series, latest: int) -> pd.Series:
    """Return times with the log's last one where there is none."""
    import pandas as pd

    last = pd.Timestamp(latest, unit="us", tz="UTC" if values.dt.tz is not None else None)
    return values.fillna(last if values.dt.tz is None else last.tz_convert(values.dt.tz))


def _closed(
    source: _Source, closing: str | Collection[str], case: Integers, n: int
) -> NDArray[np.bool_]:
    """Return which cases have an activity that ends them."""
    column = source.data[source.roles["activity"]]
    names = [closing] if isinstance(closing, str) else list(closing)
    there = column.unique().tolist()
    unknown = [name for name in names if name not in there]
    if unknown or not names:
        raise DataError(
            f"closing={quoted(closing)}: not in column {column.name!r}; there: "
            f"{', '.join(map(quoted, sorted(there, key=str)[:30]))}"
        )
    closed = np.zeros(n, bool)
    closed[case[column.isin(names).to_numpy(bool)]] = True
    return closed


def _refuse_open(source: _Source, events: NDArray[np.bool_], cases: pd.Index) -> None:
    rows = np.flatnonzero(events)
    say = (
        "allowed: ends in all rows, or open_ends='leave out' (without these cases) or 'censored' "
        "(kept up to the log's last time)"
    )
    if not len(rows):
        raise DataError(
            f"case {quoted(cases[0])} has no closing activity, and {len(cases) - 1} others; {say}"
        )
    row, data, roles = int(rows[0]), source.data, source.roles
    more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
    in_two_rows = roles["end"] == roles["start"]
    where = "no completion" if in_two_rows else f"column {roles['end']!r}: no time"
    raise DataError(
        f"row {quoted(data.index[row])}, {where}{more}: activity "
        f"{quoted(data[roles['activity']].iloc[row])} of case "
        f"{quoted(data[roles['case']].iloc[row])} has not ended; {say}"
    )


class _Reader:
    """Puts the events of a table in order and counts what was out of order."""

    def __init__(self, source: _Source, duplicates: str) -> None:
        self.source, self.duplicates = source, duplicates
        self.data, self.roles, self.times = source.data, source.roles, source.times
        self.case, self.cases = value_codes(self.data, self.roles["case"])
        self.activity, self.activities = value_codes(self.data, self.roles["activity"])
        times = self.times
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
                case,
                self.activity[order],
                self.start[order],
                self.end[order],
                first,
                accepted,
                self._open_cases(),
                self.source.until,
            ),
            notes=self._notes(n_duplicates, n_unordered, n_tied, order),
        )

    def _open_cases(self) -> NDArray[np.bool_] | None:
        if not len(self.source.open_cases):
            return None
        return np.asarray(self.cases.isin(list(self.source.open_cases)))

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

    def _notes(
        self, n_duplicates: int, n_unordered: int, n_tied: int, order: Integers
    ) -> tuple[Text, ...]:
        mixed = [self.roles[role] for role, times in self.times.items() if times.mixed]
        repeats = "dropped" if self.duplicates == "drop" else "kept"
        return (
            *note_if(n_duplicates > 0, f"process.note.duplicates.{repeats}", n=n_duplicates),
            *note_if(n_unordered > 0, "process.note.unordered", n=n_unordered),
            *note_if(n_tied > 0, "process.note.tied", n=n_tied),
            *note_if("end" not in self.roles, "process.note.no_ends"),
            *note_if(bool(mixed), "process.note.zones", columns=listed(dict.fromkeys(mixed))),
            *self._lifecycle_hint(order, n_duplicates),
            *self.source.notes,
        )

    def _lifecycle_hint(self, order: Integers, n_duplicates: int) -> tuple[Text, ...]:
        if not self.source.hint or n_duplicates:
            return ()
        return hint(self.data, self.roles, self.case[order], self.activity[order])

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
        if self.source.open_events is not None and "end" in self.times:
            columns["open"] = self.source.open_events[order]
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
        codes, names = value_codes(self.data, self.roles[role])
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
            raise DataError(f"{role}: {no_column(name, columns)}")
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


def value_codes(data: pd.DataFrame, name: str) -> tuple[Integers, pd.Index]:
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
