"""Rates of a process: solved at first contact, automated, in error, helped by hand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.operations.estimates import Estimate, clustered_rate
from cxstats.operations.event_log import MICRO, EventLog
from cxstats.operations.timestamps import shown, window_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

NO_EVENT = np.iinfo(np.int64).max


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


def first_contact(
    log: EventLog,
    contact: str | Sequence[str],
    window: object = None,
    resolved: str | None = None,
) -> FirstContact:
    """Say of every case whether it was solved at first contact.

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
        raise CxError(f"contact={shown(contact)}; allowed: an activity, or a list of them")
    names = [contact] if isinstance(contact, str) else list(contact)
    a = log.arrays
    is_contact = np.isin(a.activity, [_place(log, name) for name in names])
    cluster, group = _groups(log)
    events = np.flatnonzero(is_contact)
    if not len(events):
        raise DataError(f"no case has a contact ({', '.join(map(repr, names))})")
    order = events[np.lexsort((a.start[events], group[a.case[events]]))]
    following = np.full(len(a.case), NO_EVENT)
    same = group[a.case[order[1:]]] == group[a.case[order[:-1]]]
    following[order[:-1][same]] = a.start[order[1:][same]]
    cases, index = np.unique(a.case[events], return_index=True)
    first = events[index]
    begin, again = a.start[first], following[first]
    gap = np.where(again == NO_EVENT, np.inf, (again - begin) * MICRO)
    repeat = np.isfinite(gap) if span is None else gap <= span
    solved = (~repeat).astype(float)
    if resolved is not None:
        done = np.full(log.n_cases, NO_EVENT)
        hits = np.flatnonzero(a.activity == _place(log, resolved))
        np.minimum.at(done, a.case[hits], a.start[hits])
        reached = done[cases]
        solved[(reached == NO_EVENT) | (repeat & (reached > again))] = 0
    unknown = np.zeros(len(cases), bool)
    if span is not None:
        unknown = ~repeat & ((a.end.max() - begin) * MICRO < span)
        solved[unknown] = np.nan
    everyone = np.full(log.n_cases, np.nan)
    everyone[cases] = solved
    return FirstContact(everyone, cluster, log.n_cases - len(cases), int(unknown.sum()))


def _place(log: EventLog, name: str) -> int:
    if name not in log.activities:
        raise DataError(
            f"activity {shown(name)} is not in the log; there: "
            f"{', '.join(map(shown, log.activities[:30]))}"
        )
    return int(log.activities.tolist().index(name))


def _groups(log: EventLog) -> tuple[Integers, Integers]:
    """Return the customer of every case, and the group in which its contacts can repeat."""
    import pandas as pd

    own = np.arange(log.n_cases)
    if "customer" not in log.table:
        return own, own
    columns = [
        pd.factorize(log.table[role].to_numpy()[log.arrays.first])[0].astype(np.int64)
        for role in ("customer", "kind")
        if role in log.table
    ]
    key = columns[0] if len(columns) == 1 else columns[0] * (columns[1].max() + 1) + columns[1]
    return columns[0], key


def contact_rate(found: FirstContact, level: float) -> Estimate:
    """Return first-contact resolution, ``solved / cases that can be judged``, with Wilson's."""
    known = ~np.isnan(found.solved)
    return clustered_rate(found.solved[known] == 1, found.cluster[known], level)


def flag_rates(log: EventLog, level: float) -> dict[str, Estimate]:
    """Return the rates of events: automated, in error, with manual intervention, either.

    "Either" is the error rate of a source that lumps errors and manual interventions. An event
    with both counts once, so it is at most the sum of the two.

    Parameters
    ----------
    log : EventLog
    level : float
    """
    found = {}
    case, flags = log.arrays.case, log.table
    for role, name in (
        ("automated", "automation_rate"),
        ("error", "error_rate"),
        ("manual", "manual_rate"),
    ):
        if role in flags:
            found[name] = clustered_rate(flags[role].to_numpy(bool), case, level)
    if "error" in flags and "manual" in flags:
        either = flags["error"].to_numpy(bool) | flags["manual"].to_numpy(bool)
        found["error_or_manual_rate"] = clustered_rate(either, case, level)
    return found


def check_staff_hours(hours: float | None) -> None:
    """Refuse staff hours that are no number above 0."""
    if hours is not None and not (
        isinstance(hours, (int, float)) and not isinstance(hours, bool) and 0 < hours < np.inf
    ):
        raise CxError(f"staff_hours={shown(hours)}; allowed: hours above 0")
