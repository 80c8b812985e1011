"""Rates of a process: solved at first contact, automated, in error, helped by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.cells import is_number
from cxstats.core.errors import CxError, DataError
from cxstats.operations.estimates import RateSums, rate_sums
from cxstats.operations.event_log import MICRO, EventLog
from cxstats.operations.timestamps import quoted, window_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

NO_EVENT = np.iinfo(np.int64).max
FLAG_RATES = {"automated": "automation_rate", "error": "error_rate", "manual": "manual_rate"}


@dataclass(frozen=True, slots=True, eq=False)
class FirstContact:
    """Which cases were solved at first contact.

    Attributes
    ----------
    solved : array (cases,)
        1, 0, or NaN where it cannot be known.
    cluster : integer array (cases,)
        Customers, or the cases themselves.
    no_contact, open : int
        Cases without a contact; cases whose window is not over when the log ends.
    """

    solved: NDArray[np.float64]
    cluster: Integers
    no_contact: int
    open: int

    def rate(self, member: NDArray[np.bool_] | None = None) -> RateSums:
        """Return ``solved / cases that can be judged``, of all cases or those of a group."""
        judged = ~np.isnan(self.solved)
        if member is not None:
            judged &= member
        return rate_sums(self.solved[judged] == 1, self.cluster[judged])


def first_contact(
    log: EventLog,
    contact: str | Sequence[str],
    window: object = None,
    resolved: str | None = None,
) -> FirstContact:
    """Return for every case whether it was solved at first contact.

    A case is solved at first contact if no second contact follows its first one: in the same
    case, or, where the log has customers, in any case of the same customer (and the same ticket
    type, where it has those). Only contacts that begin within `window` after the first one count
    as repeats. With `resolved`, the case must also have reached that activity before any repeat.

    Parameters
    ----------
    log : EventLog
    contact : str or sequence of str
        The activities that are contacts with the customer.
    window : str or timedelta, optional
        Such as "7 days". Without it, contacts count however late, and young cases have had less
        time to come back.
    resolved : str, optional
        The activity that says a case is solved.

    Raises
    ------
    DataError
        If an activity is not in the log, or no case has a contact.
    """
    span = window_seconds(window)
    if not isinstance(contact, Collection) or not len(contact):
        raise CxError(f"contact={quoted(contact)}; allowed: an activity, or a list of them")
    names = [contact] if isinstance(contact, str) else list(contact)
    a = log.arrays
    events = np.flatnonzero(np.isin(a.activity, [_place(log, name) for name in names]))
    if not len(events):
        raise DataError(f"no case has a contact ({', '.join(map(repr, names))})")
    cluster, group = _groups(log)
    cases, index = np.unique(a.case[events], return_index=True)
    first = events[index]
    begin, following = a.start[first], _following_contact(log, events, group)[first]
    gap = np.where(following == NO_EVENT, np.inf, (following - begin) * MICRO)
    repeat = np.isfinite(gap) if span is None else gap <= span
    solved = (~repeat).astype(float)
    if resolved is not None:
        reached = _first_time(log, resolved)[cases]
        solved[(reached == NO_EVENT) | (repeat & (reached > following))] = 0
    unknown = np.zeros(len(cases), bool)
    if span is not None:
        unknown = ~repeat & ((a.end.max() - begin) * MICRO < span)
        solved[unknown] = np.nan
    of_every_case = np.full(log.n_cases, np.nan)
    of_every_case[cases] = solved
    return FirstContact(of_every_case, cluster, log.n_cases - len(cases), int(unknown.sum()))


def _following_contact(log: EventLog, events: Integers, group: Integers) -> Integers:
    """Return for every event when the next contact of its group begins, (events,)."""
    a = log.arrays
    order = events[np.lexsort((a.start[events], group[a.case[events]]))]
    following = np.full(len(a.case), NO_EVENT)
    same = group[a.case[order[1:]]] == group[a.case[order[:-1]]]
    following[order[:-1][same]] = a.start[order[1:][same]]
    return following


def _first_time(log: EventLog, activity: str) -> Integers:
    """Return when every case first reaches an activity, (cases,)."""
    a, times = log.arrays, np.full(log.n_cases, NO_EVENT)
    events = np.flatnonzero(a.activity == _place(log, activity))
    np.minimum.at(times, a.case[events], a.start[events])
    return times


def _place(log: EventLog, name: str) -> int:
    if name not in log.activities:
        raise DataError(
            f"activity {quoted(name)} is not in the log; there: "
            f"{', '.join(map(quoted, log.activities[:30]))}"
        )
    return int(log.activities.tolist().index(name))


def _groups(log: EventLog) -> tuple[Integers, Integers]:
    """Return the customer of every case, and the group in which its contacts can repeat."""
    import pandas as pd

    if "customer" not in log.table:
        cases = np.arange(log.n_cases)
        return cases, cases
    columns = [
        pd.factorize(log.table[role].to_numpy()[log.arrays.first])[0].astype(np.int64)
        for role in ("customer", "kind")
        if role in log.table
    ]
    key = columns[0] if len(columns) == 1 else columns[0] * (columns[1].max() + 1) + columns[1]
    return columns[0], key


def flagged_events(log: EventLog) -> dict[str, NDArray[np.bool_]]:
    """Return which events count for each rate: automated, in error, with manual help, either.

    "Either" is the error rate of a source that lumps errors and manual interventions. An event
    with both counts once, so it is at most the sum of the two.

    Returns
    -------
    dict of measure to boolean array (events,)
        Of the rates that the columns of the log allow.
    """
    flags = {
        measure: log.table[role].to_numpy(bool)
        for role, measure in FLAG_RATES.items()
        if role in log.table
    }
    if "error_rate" in flags and "manual_rate" in flags:
        flags["error_or_manual_rate"] = flags["error_rate"] | flags["manual_rate"]
    return flags


def check_staff_hours(hours: float | None) -> None:
    """Raise if staff hours are no number above 0."""
    if hours is None:
        return
    if not is_number(hours) or not 0 < hours < np.inf:
        raise CxError(f"staff_hours={quoted(hours)}; allowed: hours above 0")
