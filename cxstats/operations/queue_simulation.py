"""Days of a queue, simulated: arrivals by interval, agents by interval, calls that hang up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class QueueDay:
    """What the simulated days have in common; times in one unit.

    Attributes
    ----------
    rates : array (k,)
        Calls per unit of time in each interval.
    agents : integer array (k,)
    width : float
        Of an interval.
    handling_time, handling_cv : float
        Mean and relative standard deviation of a call, exponential at 1 and log-normal otherwise.
    patience : float
        Mean, exponential; infinite where nobody hangs up.
    rate_cv : float
        Relative standard deviation of a day's demand, one gamma factor for all of its intervals.
    """

    rates: Array
    agents: NDArray[np.int64]
    width: float
    handling_time: float
    handling_cv: float
    patience: float
    rate_cv: float


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedCalls:
    """Calls of every day, padded with NaN; arrays (days, most calls of a day).

    Attributes
    ----------
    arrival, wait : arrays
        The wait is until the answer, or until the call hung up.
    answered : boolean array
    """

    arrival: Array
    wait: Array
    answered: NDArray[np.bool_]


def simulate_days(day: QueueDay, n_days: int, rng: np.random.Generator) -> SimulatedCalls:
    """Return simulated days; the loop is over calls, with all days at once in each step.

    First come, first served. A call takes the agent who is free first (Kiefer and Wolfowitz); an
    agent whose interval ends finishes the call. The agents of the last interval stay until nobody
    waits.

    References
    ----------
    Kiefer & Wolfowitz (1955). On the theory of queues with many servers. Transactions of the
    American Mathematical Society 78, 1-18.
    """
    arrival = _arrivals(day, n_days, rng)
    size = arrival.shape[1]
    service = _service(day, (n_days, size), rng)
    patience = (
        rng.exponential(1.0, (n_days, size)) * day.patience
        if np.isfinite(day.patience)
        else (np.full((n_days, size), np.inf))
    )
    duty = _Duty.of(day)
    free = np.zeros((n_days, int(day.agents.max())))
    wait, answered = np.full((n_days, size), np.nan), np.zeros((n_days, size), bool)
    rows = np.arange(n_days)
    for i in range(size):
        at = arrival[:, i]
        ready = duty.ready(np.maximum(free, np.nan_to_num(at, nan=np.inf)[:, None]))
        agent = ready.argmin(axis=1)
        start = ready[rows, agent]
        with np.errstate(invalid="ignore"):
            delay = start - at
            served = delay <= patience[:, i]
        free[rows[served], agent[served]] = start[served] + service[served, i]
        wait[:, i] = np.where(np.isnan(at), np.nan, np.minimum(delay, patience[:, i]))
        answered[:, i] = served
    return SimulatedCalls(arrival, wait, answered)


def _arrivals(day: QueueDay, n_days: int, rng: np.random.Generator) -> Array:
    """Return times of arrival in order (days, most calls), NaN after the last of a day."""
    factor = np.ones(n_days)
    if day.rate_cv > 0:
        shape = day.rate_cv**-2
        factor = rng.gamma(shape, 1 / shape, n_days)
    counts = rng.poisson(factor[:, None] * day.rates * day.width)
    totals = counts.sum(axis=1)
    arrival = np.full((n_days, max(int(totals.max()), 1)), np.nan)
    for i in range(n_days):
        starts = np.repeat(np.arange(len(day.rates)) * day.width, counts[i])
        arrival[i, : totals[i]] = np.sort(starts + rng.uniform(0, day.width, totals[i]))
    return arrival


def _service(day: QueueDay, shape: tuple[int, int], rng: np.random.Generator) -> Array:
    if day.handling_cv == 1:
        return rng.exponential(day.handling_time, shape)
    variance = np.log1p(day.handling_cv**2)
    return rng.lognormal(np.log(day.handling_time) - variance / 2, np.sqrt(variance), shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Duty:
    """When each agent is on duty, in intervals of one width.

    starts : array (k, agents), the first time from an interval's beginning on at which the agent is
    on duty: 0 where that is in this interval already, infinite where it never is again.
    """

    starts: Array
    width: float
    constant: bool

    @classmethod
    def of(cls, day: QueueDay) -> _Duty:
        number = np.arange(day.agents.max())
        on = day.agents[:, None] > number
        starts = np.zeros(on.shape)
        following = np.full(len(number), np.inf)
        for k in range(len(on) - 1, -1, -1):
            starts[k] = np.where(on[k], 0.0, following)
            following = np.where(on[k], k * day.width, following)
        return cls(starts, day.width, bool(on.all()))

    def ready(self, times: Array) -> Array:
        """Return when each agent can take a call, from the times (days, agents) they are free."""
        if self.constant:
            return times
        last = len(self.starts) - 1
        with np.errstate(invalid="ignore"):
            interval = np.minimum(times / self.width, last)
        interval = np.where(np.isfinite(times), interval, last).astype(np.intp)
        return np.maximum(times, self.starts[interval, np.arange(times.shape[1])])
