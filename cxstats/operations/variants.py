"""The ways that cases take: variants, rework and the directly-follows graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.operations.case_times import case_times, durations, waits
from cxstats.operations.event_log import EventLog
from cxstats.operations.timestamps import check_unit
from cxstats.stats.intervals import check_level, wilson_interval

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

ARROW = " → "
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that its powers never vanish modulo 2^64


def variant_codes(log: EventLog) -> tuple[Integers, Integers]:
    """Return the variant of every case, and the case that stands for each variant.

    A sequence is hashed to 64 bits, ``sum_j g(activity_j) M^j mod 2^64``, all cases at once; then
    every event is compared with the one at its place in the case that stands for the hash, so
    that a collision is found and never merges two variants.

    Returns
    -------
    codes : integer array (cases,)
    examples : integer array (variants,)
    """
    a = log.arrays
    starts = np.flatnonzero(a.first)
    length = np.diff(np.r_[starts, len(a.case)])
    place = np.arange(len(a.case)) - starts[a.case]
    with np.errstate(over="ignore"):
        powers = np.cumprod(np.full(int(length.max()), MULTIPLIER), dtype=np.uint64)
        for seed in range(8):
            random = np.random.default_rng(seed)
            hashes = random.integers(0, 2**64, len(log.activities), np.uint64)
            sums = np.add.reduceat(hashes[a.activity] * powers[place], starts)
            _, example, code = np.unique(sums, return_index=True, return_inverse=True)
            representative = example[code]
            if (length == length[representative]).all():
                twin = starts[representative][a.case] + place
                if (a.activity == a.activity[twin]).all():
                    return code.astype(np.int64), example.astype(np.int64)
    raise CxError("sequences of activities could not be told apart")  # never met: 1 in 2^300


def variants(log: EventLog, unit: str = "hour") -> pd.DataFrame:
    """Return the sequences of activities, the most frequent first.

    Parameters
    ----------
    log : EventLog
    unit : {"second", "minute", "hour", "day"}
        Of the lead times.

    Returns
    -------
    pandas.DataFrame
        ``variant`` (activities joined by arrows), ``n_activities, n`` (cases), ``share,
        cumulative, lead_mean, lead_median, unit, example`` (a case that went this way).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 3, 3], "step": ["a", "b", "a", "a", "b"],
    ...                       "at": pd.date_range("2024-03-01", periods=5, freq="h")})
    >>> from cxstats.operations.event_log import event_log
    >>> table = variants(event_log(frame, case="id", activity="step", start="at"))
    >>> table[["variant", "n", "lead_mean"]].values.tolist()
    [['a → b', 2, 1.0], ['a', 1, 0.0]]
    """
    import pandas as pd

    codes, examples = variant_codes(log)
    seconds = check_unit(unit)
    times = case_times(log)
    lead = pd.Series(times["lead_time"].to_numpy() / seconds).groupby(codes)
    starts = np.flatnonzero(log.arrays.first)
    length = times["events"].to_numpy()
    names = log.activities.astype(str).to_numpy()

    def written(case: int) -> str:
        steps = log.arrays.activity[starts[case] : starts[case] + length[case]]
        return ARROW.join(names[steps])

    table = pd.DataFrame(
        {
            "variant": [written(case) for case in examples],
            "n_activities": length[examples],
            "n": np.bincount(codes),
            "lead_mean": lead.mean().to_numpy(),
            "lead_median": lead.median().to_numpy(),
            "unit": unit,
            "example": log.cases[examples],
        }
    ).sort_values(["n", "variant"], ascending=[False, True], ignore_index=True)
    share = table["n"] / log.n_cases
    table.insert(3, "share", share)
    table.insert(4, "cumulative", table["n"].cumsum() / log.n_cases)
    return table


def rework(log: EventLog, level: float = 0.95) -> pd.DataFrame:
    """Return how often activities are repeated within a case.

    Parameters
    ----------
    log : EventLog
    level : float
        Level of the Wilson intervals.

    Returns
    -------
    pandas.DataFrame
        By activity, and "any" first: ``estimate`` (share of the cases with the activity that have
        it more than once), ``ci_low, ci_high, n`` (cases with the activity), ``repeats`` (events
        beyond the first), ``direct_repeats`` (events that follow the same activity at once),
        ``handling_time`` (hours spent on repeats).
    """
    import pandas as pd

    check_level(level)
    a, k = log.arrays, len(log.activities)
    pair = a.case * k + a.activity
    pairs, index, times = np.unique(pair, return_index=True, return_counts=True)
    again = np.ones(len(pair), bool)
    again[index] = False
    direct = np.zeros(len(pair), bool)
    direct[1:] = ~a.first[1:] & (a.activity[1:] == a.activity[:-1])
    n_cases = np.bincount(pairs % k, minlength=k)
    n_repeating = np.bincount(pairs[times > 1] % k, minlength=k)
    any_repeating = len(np.unique(pairs[times > 1] // k))
    repeats = np.bincount(a.activity[again], minlength=k)
    direct_repeats = np.bincount(a.activity[direct], minlength=k)
    hours = np.bincount(a.activity[again], durations(log)[again] / 3600, k)
    n = np.r_[log.n_cases, n_cases]
    share = np.r_[any_repeating, n_repeating] / n
    low, high = wilson_interval(share, n, level)
    return pd.DataFrame(
        {
            "activity": ["any", *log.activities],
            "estimate": share,
            "ci_low": low,
            "ci_high": high,
            "n": n,
            "repeats": np.r_[repeats.sum(), repeats],
            "direct_repeats": np.r_[direct_repeats.sum(), direct_repeats],
            "handling_time": np.r_[hours.sum(), hours],
        }
    )


def follows(log: EventLog, unit: str = "hour") -> nx.DiGraph[str]:
    """Return the directly-follows graph: an edge for every activity that follows another.

    Nodes carry ``count, cases, starts, ends`` (cases that begin and end there),
    ``handling_mean, handling_median, wait_mean`` (before it begins) and ``position`` (mean place,
    from 0, where cases have it first); edges carry ``count, cases,
    wait_mean, wait_median, wait_total``. The graph carries ``unit, cases, synthetic`` and, where
    acceptance is known, ``opening``: mean wait before the first activity, by activity.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 3, 3], "step": ["a", "b", "a", "a", "b"],
    ...                       "at": pd.date_range("2024-03-01", periods=5, freq="h")})
    >>> from cxstats.operations.event_log import event_log
    >>> graph = follows(event_log(frame, case="id", activity="step", start="at"))
    >>> graph.edges["a", "b"]["count"], graph.nodes["a"]["starts"], graph.nodes["b"]["ends"]
    (2, 3, 2)
    """
    import networkx as nx
    import pandas as pd

    seconds = check_unit(unit)
    a, k = log.arrays, len(log.activities)
    names = log.activities.tolist()
    wait = waits(log) / seconds
    graph: nx.DiGraph[str] = nx.DiGraph(
        unit=unit, cases=log.n_cases, synthetic=log.synthetic, has_ends=log.has_ends
    )
    columns = _activity_columns(log, wait, durations(log) / seconds)
    for i, name in enumerate(names):
        graph.add_node(name, **{key: values[i].item() for key, values in columns.items()})
    opening = pd.Series(wait[a.first]).groupby(a.activity[a.first]).mean().dropna()
    starting = opening.index.to_numpy().tolist()
    graph.graph["opening"] = dict(zip((names[i] for i in starting), opening.tolist(), strict=True))
    later = np.flatnonzero(~a.first)
    if not len(later):
        return graph
    edge = a.activity[later - 1] * k + a.activity[later]
    gaps = pd.Series(wait[later]).groupby(edge).agg(["size", "mean", "median", "sum"])
    crossed = np.unique(a.case[later] * (k * k) + edge) % (k * k)
    cases = np.bincount(crossed, minlength=k * k)
    for code, (size, mean, median, total) in zip(gaps.index, gaps.to_numpy().tolist(), strict=True):
        graph.add_edge(
            names[code // k], names[code % k], count=int(size), cases=int(cases[code]),
            wait_mean=mean, wait_median=median, wait_total=total,
        )  # fmt: skip
    return graph


def _activity_columns(
    log: EventLog, wait: NDArray[np.float64], handling: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Return what the nodes of the graph carry, by name: arrays (activities,)."""
    import pandas as pd

    a, k = log.arrays, len(log.activities)
    last = np.r_[a.first[1:], True]
    pairs, first_event = np.unique(a.case * k + a.activity, return_index=True)
    place = np.arange(len(a.case)) - np.flatnonzero(a.first)[a.case]
    spans = pd.Series(handling).groupby(a.activity)
    positions = pd.Series(place[first_event]).groupby(a.activity[first_event])
    return {
        "count": np.bincount(a.activity, minlength=k),
        "cases": np.bincount(pairs % k, minlength=k),
        "starts": np.bincount(a.activity[a.first], minlength=k),
        "ends": np.bincount(a.activity[last], minlength=k),
        "handling_mean": spans.mean().to_numpy(),
        "handling_median": spans.median().to_numpy(),
        "wait_mean": pd.Series(wait).groupby(a.activity).mean().to_numpy(),
        "position": positions.mean().to_numpy(),
    }
