"""Where the time of cases goes: by activity and by transition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.operations.case_times import case_times, durations, waits
from cxstats.operations.event_log import EventLog
from cxstats.operations.timestamps import check_unit
from cxstats.stats.intervals import check_level, normal_quantile, wilson_interval

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]

START = "(accepted)"


def bottlenecks(
    log: EventLog, by: str = "activity", *, unit: str = "hour", level: float = 0.95
) -> pd.DataFrame:
    """Return waiting and handling by activity, or waiting by transition, the largest first.

    The mean per event is a ratio of sums over cases, ``m = sum S_i / sum M_i``; its variance is
    the linearised ``G/(G-1) sum (S_i - m M_i)^2 / (sum M_i)^2`` over the G cases that have it, its
    interval ``m exp(-+ t_{G-1} se/m)``, which stays positive. The share of the lead time is
    ``sum S_i / sum L_i`` over all cases, with Wilson's interval at the effective number
    ``s (1 - s)/var``.

    Parameters
    ----------
    log : EventLog
    by : {"activity", "transition"}
        The wait before an activity counts to it; the wait before the first, since acceptance, to
        a transition from "(accepted)".
    unit : {"second", "minute", "hour", "day"}
    level : float

    Returns
    -------
    pandas.DataFrame
        ``measure`` ("waiting" or "handling"; "elapsed" between events without end times),
        ``activity`` or ``source, target``, ``estimate`` (mean per event), ``ci_low, ci_high, se,
        median, total_time, share, share_ci_low, share_ci_high, n`` (events), ``cases, unit``.

    Examples
    --------
    >>> from cxstats.datasets.simulate_loan_log import simulate_loan_log
    >>> from cxstats.operations.event_log import event_log
    >>> log = event_log(simulate_loan_log(500, seed=1), case="case", activity="activity",
    ...                 start="start", end="end", accepted="accepted")
    >>> table = bottlenecks(log)
    >>> round(float(table["share"].sum()), 6)  # every hour of the lead time belongs somewhere
    1.0
    """
    import pandas as pd

    check_level(level)
    seconds = check_unit(unit)
    if by not in ("activity", "transition"):
        raise CxError(f"by={by!r}; allowed: 'activity', 'transition'")
    a, k = log.arrays, len(log.activities)
    lead = case_times(log)["lead_time"].to_numpy() / seconds
    before = np.r_[k, a.activity[:-1]]
    before[a.first] = k
    key = a.activity if by == "activity" else before * k + a.activity
    measured = {"waiting" if log.has_ends else "elapsed": waits(log)}
    if by == "activity" and log.has_ends:
        measured["handling"] = durations(log)
    tables = []
    for measure, values in measured.items():
        events = np.flatnonzero(~np.isnan(values))
        if not len(events):
            continue
        by_key = _by_key(values[events] / seconds, key[events], a.case[events], lead, level)
        by_key.insert(0, "measure", measure)
        tables.append(by_key)
    if not tables:
        raise CxError("no case has a second event, and no end times: there is no time to share out")
    table = pd.concat(tables)
    codes = table.index.to_numpy()
    names = np.array([*log.activities, START], object)
    ends: dict[str, Any] = {"activity": names[codes % k]}
    if by == "transition":
        ends = {"source": names[codes // k], "target": names[codes % k]}
    for place, (name, column) in enumerate(ends.items(), 1):
        table.insert(place, name, column)
    table["unit"] = unit
    order = ["total_time", *ends]
    return table.sort_values(order, ascending=[False] + [True] * len(ends), ignore_index=True)


def _by_key(
    values: Array, key: Integers, case: Integers, lead: Array, level: float
) -> pd.DataFrame:
    """Return mean, share and intervals of the values by key."""
    import pandas as pd
    from scipy.special import stdtrit

    medians = pd.Series(values).groupby(key).median()
    codes, place = np.unique(key, return_inverse=True)
    width = len(codes)
    pairs, at = np.unique(case * width + place, return_inverse=True)
    of, sums, sizes = pairs % width, np.bincount(at, values), np.bincount(at)
    total, n = np.bincount(of, sums), np.bincount(of, sizes)
    groups = np.bincount(of)
    mean, all_lead = total / n, lead.sum()
    correction = groups / np.maximum(groups - 1, 1)
    se = np.sqrt(correction * np.bincount(of, (sums - mean[of] * sizes) ** 2)) / n
    se = np.where((groups > 1) & (se > 1e-12 * mean), se, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.exp(stdtrit(np.maximum(groups - 1, 1), (1 + level) / 2) * se / mean)
        share = total / all_lead
    expected = share[of] * lead[pairs // width]
    spread = np.bincount(of, (sums - expected) ** 2 - expected**2)
    limits = _share_limits(share, spread + share**2 * (lead @ lead), lead, level)
    columns = {
        "estimate": mean, "ci_low": mean / factor, "ci_high": mean * factor, "se": se,
        "median": medians.to_numpy(), "total_time": total, "share": share,
        "share_ci_low": limits[0], "share_ci_high": limits[1], "n": n.astype(int), "cases": groups,
    }  # fmt: skip
    return pd.DataFrame(columns, index=codes)


def _share_limits(
    share: Array, squares: Array, total: Array, level: float
) -> tuple[list[float], list[float]]:
    """Return Wilson limits of shares of a total over cases, from sums of squared residuals."""
    from scipy.special import stdtrit

    cases = len(total)
    if cases < 2 or not total.sum() > 0:
        return [np.nan] * len(share), [np.nan] * len(share)
    variance = cases / (cases - 1) * squares / total.sum() ** 2
    shrink = (normal_quantile(level) / stdtrit(cases - 1, (1 + level) / 2)) ** 2
    defined = (share > 0) & (share < 1) & (variance > 1e-18)
    n = np.full(len(share), np.nan)
    np.divide(share * (1 - share), variance, out=n, where=defined)
    low, high = wilson_interval(share, n * shrink, level)
    return low.tolist(), high.tolist()


def work_shares(work: Array, member: NDArray[np.bool_], level: float) -> tuple[Array, Array, Array]:
    """Return each group's share of all work with its interval, (k,), (k,), (k,).

    Parameters
    ----------
    work : array (cases,)
    member : boolean array (cases, k)
    level : float
    """
    share = work @ member / work.sum()
    residual = work[:, None] * member - work[:, None] * share
    low, high = _share_limits(share, (residual**2).sum(axis=0), work, level)
    return share, np.array(low), np.array(high)
