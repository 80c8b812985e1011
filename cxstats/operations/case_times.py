"""Times of cases: how long it took, how long it was worked on, how long it waited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.operations.event_log import MICRO, EventLog

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TIMES = ("lead_time", "handling_time", "waiting_time")


def waits(log: EventLog) -> Array:
    """Return for every event the seconds in its case before it in which nothing was done.

    ``max(0, start_j - max_{i<j} end_i)`` within the case; before the first event, the time since
    acceptance, or NaN where that is not known. Without end times it is the time since the event
    before.

    Returns
    -------
    array (n,)
    """
    import pandas as pd

    a = log.arrays
    ended = pd.Series(a.end).groupby(a.case).cummax().to_numpy()
    before = np.r_[0, ended[:-1]]
    gap = np.maximum(0, a.start - before) * MICRO
    opening = np.full(log.n_cases, np.nan)
    if a.accepted is not None:
        opening = (a.start[a.first] - a.accepted) * MICRO
    gap[a.first] = opening
    return np.asarray(gap)


def durations(log: EventLog) -> Array:
    """Return the seconds that every event lasted, (n,); NaN without end times."""
    a = log.arrays
    return np.asarray((a.end - a.start) * (MICRO if log.has_ends else np.nan))


def case_times(log: EventLog) -> pd.DataFrame:
    """Compute the times of every case, in seconds.

    - ``lead_time``: from acceptance (without it, the first start) to the last end.
    - ``handling_time``: the sum of the durations of its activities.
    - ``waiting_time``: the part of ``lead_time`` in which no activity of the case ran.

    Handling and waiting add up to the lead time where activities of a case do not overlap; where
    two run at once, handling counts both, and the sum exceeds the lead time. Without end times
    handling and waiting are NaN. The times of a case that has not ended (kept as "censored") run to
    the log's last time.

    Returns
    -------
    pandas.DataFrame
        By case: ``events, lead_time, handling_time, waiting_time`` and, where the log has them,
        ``kind, customer, open``.

    Examples
    --------
    >>> from cxstats.datasets.simulate_loan_log import simulate_loan_log
    >>> from cxstats.operations.event_log import event_log
    >>> log = event_log(simulate_loan_log(3, seed=1), case="case", activity="activity",
    ...                 start="start", end="end")
    >>> case_times(log).columns.tolist()
    ['events', 'lead_time', 'handling_time', 'waiting_time']
    """
    import pandas as pd

    a, n = log.arrays, log.n_cases
    starts = np.flatnonzero(a.first)
    begin = a.start[starts] if a.accepted is None else a.accepted
    last = np.maximum.reduceat(a.end, starts)
    ended = last if a.open_cases is None else np.where(a.open_cases, a.until, last)
    lead = (ended - begin) * MICRO
    table: dict[str, Any] = {"events": np.bincount(a.case, minlength=n), "lead_time": lead}
    for column, seconds in (("handling_time", durations(log)), ("waiting_time", waits(log))):
        table[column] = np.bincount(a.case, np.nan_to_num(seconds), n)
        if not log.has_ends:
            table[column] = np.full(n, np.nan)
    table["waiting_time"] = table["waiting_time"] + (ended - last) * MICRO
    for role in ("kind", "customer"):
        if role in log.table:
            table[role] = log.table[role].to_numpy()[starts]
    if a.open_cases is not None:
        table["open"] = a.open_cases
    return pd.DataFrame(table, index=log.cases.rename("case"))
