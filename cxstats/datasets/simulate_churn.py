"""Simulated events of customers some of whom leave. Synthetic: the frame and every chart say so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.progress import long_work

if TYPE_CHECKING:
    import pandas as pd

# Invented shares of kinds of events.
EVENTS = {"visit": 0.3, "purchase": 0.2, "call": 0.25, "complaint": 0.25}
PATHS: Mapping[Sequence[str], float] = {("complaint", "call"): 5.0}
LEAVES = "leaves"


@long_work("simulate churn")
def simulate_churn(
    n: int,
    seed: int,
    *,
    paths: Mapping[Sequence[str], float] = PATHS,
    events: Mapping[str, float] = EVENTS,
    days: float = 180.0,
    gap: float = 12.0,
    rate: float = 0.002,
) -> pd.DataFrame:
    """Simulate events of customers, with paths after which more of them leave. Synthetic.

    Customers begin evenly over the first half of the time. From then on events of a customer come
    at random, their kinds independent of each other; the rate of leaving is constant, and for as
    long as the last events are one of `paths`, it is multiplied by that path's ratio.

    Parameters
    ----------
    n : int
        Customers, from 1.
    seed : int
        The same seed gives the same events; from 0.
    paths : mapping of sequence of events to ratio
        Ratios of rates, above 0; an empty mapping leaves every path without consequence. Where
        several paths fit, their ratios are multiplied.
    events : mapping of event to share
        Shares sum to 1.
    days : float
        How long all is observed.
    gap : float
        Mean days from one event of a customer to the next.
    rate : float
        Of leaving, a day.

    Returns
    -------
    pandas.DataFrame
        ``customer, time`` (days since the beginning), ``event``; who leaves has a last event
        "leaves". ``attrs["synthetic"]`` is True; ``attrs["paths"]`` holds the ratios.

    Raises
    ------
    CxError
        If an option is out of range, or a path has an event that is none.

    Examples
    --------
    >>> frame = simulate_churn(200, seed=1)
    >>> frame["customer"].nunique(), bool((frame["event"] == "leaves").any())
    (200, True)
    """
    import pandas as pd

    _check(n, seed, paths, events, {"days": days, "gap": gap, "rate": rate})
    rng, names = np.random.default_rng(seed), list(events)
    bounds = np.cumsum(list(events.values()))[:-1]

    def draw() -> str:
        return names[int(np.searchsorted(bounds, rng.random(), side="right"))]

    rows: list[tuple[int, float, str]] = []
    for customer in range(n):
        time, history = rng.uniform(0, days / 2), [draw()]
        rows.append((customer, time, history[0]))
        while True:
            ratio = np.prod([r for path, r in paths.items() if history[-len(path) :] == list(path)])
            wait, stay = rng.exponential(gap), rng.exponential(1 / (rate * ratio))
            time += min(wait, stay)
            if time >= days:
                break
            if stay < wait:
                rows.append((customer, time, LEAVES))
                break
            history.append(draw())
            rows.append((customer, time, history[-1]))
    frame = pd.DataFrame(rows, columns=["customer", "time", "event"])
    ratios = {" > ".join(path): float(ratio) for path, ratio in paths.items()}
    frame.attrs |= {"synthetic": True, "paths": ratios}
    return frame


def _check(
    n: int,
    seed: int,
    paths: Mapping[Sequence[str], float],
    events: Mapping[str, float],
    sizes: Mapping[str, float],
) -> None:
    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise CxError(f"{name}={value!r}; allowed: a whole number from {least}")
    for name, size in {**sizes, **{f"ratio of {k!r}": v for k, v in paths.items()}}.items():
        if not isinstance(size, Real) or not 0 < size < np.inf:
            raise CxError(f"{name}={size!r}; allowed: a number above 0")
    shares = list(events.values())
    if not shares or min(shares) < 0 or abs(sum(shares) - 1) > 1e-9 or LEAVES in events:
        raise CxError(f"events={dict(events)!r}; allowed: shares of 0 or more that sum to 1")
    for path in paths:
        unknown = [event for event in path if event not in events]
        if isinstance(path, str) or not len(path) or unknown:
            raise CxError(f"path {path!r}; allowed: a tuple of {', '.join(events)}")
