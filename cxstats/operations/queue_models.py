"""Queues in a steady state, as functions of numbers: Erlang B, Erlang C, Erlang A.

References
----------
Erlang (1917). Solution of some problems in the theory of probabilities of significance in
automatic telephone exchanges. Elektroteknikeren 13.
Palm (1957). Research on telephone traffic carried by full availability groups. Tele 1: patience.
Zeltyn & Mandelbaum (2005). Call centers with impatient customers: many-server asymptotics of the
M/M/n + G queue. Queueing Systems 51, 361-402: the density of the offered wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.stats.quadrature import gauss_legendre

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NEGLIGIBLE = 40.0  # logarithm: a state e^-40 times as likely as the fullest one adds no digit
LONGEST = 5_000_000  # calls in a queue
PANELS, NODES = 64, 16  # of Gauss and Legendre's rule for a time of waiting


@dataclass(frozen=True, slots=True)
class SteadyState:
    """What a queue does in the long run; times in the unit of the handling time.

    Attributes
    ----------
    p_wait : float
        Share of calls that find every agent busy.
    service_level : float
        Share of all calls that are answered within the target.
    mean_wait : float
        Of all calls, answered or not; infinite where the queue only grows.
    abandonment : float
        Share of calls that hang up before they are answered.
    occupancy : float
        Share of their time that agents are busy.
    queue_length : float
        Mean number of calls that wait.
    """

    p_wait: float
    service_level: float
    mean_wait: float
    abandonment: float
    occupancy: float
    queue_length: float


UNSTABLE = SteadyState(1.0, 0.0, np.inf, 0.0, 1.0, np.inf)


def erlang_b(load: float, agents: int) -> float:
    """Return the probability that all agents are busy where nobody waits.

    ``B = (a^n / n!) / sum_{k=0}^{n} a^k / k!``, the Poisson probability of n over its distribution
    function, by logarithms: no power overflows.

    Examples
    --------
    >>> round(erlang_b(8, 10), 4), round(erlang_b(9_900, 10_000), 4)
    (0.1217, 0.0029)
    """
    from scipy.special import gammaln, pdtr

    logarithm = agents * np.log(load) - load - gammaln(agents + 1)
    below = pdtr(agents, load)
    if below > 1e-300:
        return float(np.exp(logarithm - np.log(below)))
    terms = np.arange(agents, -1, -1.0)  # far more load than agents: count down from n
    weights = np.cumsum(np.log(np.maximum(terms[:-1], 1.0) / load))
    return float(1 / (1 + np.exp(weights).sum()))


def patient_queue(rate: float, handling_time: float, agents: int, target: float) -> SteadyState:
    """Return the steady state of a queue of patient calls (M/M/n).

    ``C = B / (1 - r (1 - B))``, ``r = a / n``, ``a = rate x handling time``; the wait of those who
    wait is exponential with mean ``s / (n - a)``. Without stability (``r >= 1``) nothing is
    answered in the long run.

    Parameters
    ----------
    rate : float
        Calls per unit of time.
    handling_time : float
        Mean time s of a call, in that unit.
    agents : int
    target : float
        Time to answer.

    Examples
    --------
    >>> round(patient_queue(8, 1, 10, 0.1).p_wait, 3)
    0.409
    """
    load = rate * handling_time
    if load == 0:
        return SteadyState(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    occupancy = load / agents
    if occupancy >= 1:
        return UNSTABLE
    blocked = erlang_b(load, agents)
    waits = blocked / (1 - occupancy * (1 - blocked))
    drain = (agents - load) / handling_time
    wait = waits / drain
    level = 1 - waits * np.exp(-drain * target)
    return SteadyState(waits, float(level), wait, 0.0, occupancy, rate * wait)


def impatient_queue(
    rate: float, handling_time: float, agents: int, target: float, patience: float
) -> SteadyState:
    """Return the steady state of a queue whose calls hang up (M/M/n + M).

    A birth-death chain: state k has births ``rate``, deaths ``min(k, n) / s + max(k - n, 0) / p``,
    p the mean patience. Its probabilities are products from the fullest state, as logarithms. The
    share answered within t is ``P(no wait) + int_0^t f(v) e^(-v/p) dv``, with the density of the
    wait that a patient call would have,
    ``f(v) = rate pi_(n-1) exp(rate p (1 - e^(-v/p)) - n v / s)``.

    Parameters
    ----------
    rate, handling_time, agents, target
        As in `patient_queue`; any load is stable.
    patience : float
        Mean time until a waiting call hangs up, exponential.

    Examples
    --------
    >>> state = impatient_queue(8, 1, 7, 0.1, 0.5)
    >>> round(state.abandonment, 4), round(state.service_level, 4), round(state.occupancy, 4)
    (0.232, 0.521, 0.8777)
    """
    if rate == 0:
        return SteadyState(0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    states, logarithms = _chain(rate, handling_time, agents, patience)
    weights = np.exp(logarithms - logarithms.max())
    p = weights / weights.sum()
    waiting = np.maximum(states - agents, 0) @ p
    waits = float(p[states >= agents].sum())
    abandonment = waiting / patience / rate
    busy = float(np.minimum(states, agents) @ p)
    level = 1 - waits + _answered(rate, handling_time, agents, target, patience, states, p)
    wait = waiting / rate
    return SteadyState(
        waits, float(min(level, 1)), float(wait), float(abandonment), busy / agents, float(waiting)
    )


def _chain(rate: float, handling_time: float, agents: int, patience: float) -> tuple[Array, Array]:
    """Return the states that matter and the logarithms of their relative probabilities."""
    top = agents + _longest_queue(rate, agents / handling_time, patience)
    states = np.arange(top + 1, dtype=float)
    deaths = np.minimum(states, agents) / handling_time + np.maximum(states - agents, 0) / patience
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(deaths[1:]))])
    keep = logarithms > logarithms.max() - NEGLIGIBLE
    return states[keep], logarithms[keep]


def _longest_queue(rate: float, capacity: float, patience: float) -> int:
    """Return a queue that is next to never exceeded: the smaller of two bounds.

    Hanging up alone holds the queue at ``(rate - capacity) patience`` with a variance of no more
    than ``rate patience``; below capacity it also falls off as the power ``(rate / capacity)^k``.
    """
    mean = max(0.0, (rate - capacity) * patience)
    bound = mean + 12 * np.sqrt(rate * patience)
    if rate < capacity:
        bound = min(bound, NEGLIGIBLE / -np.log(rate / capacity))
    if bound > LONGEST:
        raise CxError(
            f"a queue of up to {bound:,.0f} calls; allowed: up to {LONGEST:,}: with a patience so "
            "long leave it out"
        )
    return int(bound) + 60


def _answered(
    rate: float,
    handling_time: float,
    agents: int,
    target: float,
    patience: float,
    states: Array,
    p: Array,
) -> float:
    """Return the share of calls that wait and are answered within the target."""
    at = np.flatnonzero(states == agents)
    if not len(at) or target <= 0:
        return 0.0
    # rate pi_(n-1) = (n / s) pi_n, which is there even where pi_(n-1) was too small to keep.
    start = agents / handling_time * p[at[0]]
    nodes, quadrature = gauss_legendre(NODES)
    # The integrand falls at about (n - a) / s: short panels first.
    fall = max(agents / handling_time - rate, np.sqrt(agents / handling_time / patience))
    end = min(target, NEGLIGIBLE / fall) if agents / handling_time > rate else target
    edges = np.linspace(0, end, PANELS + 1)
    half = np.diff(edges)[:, None] / 2
    v = edges[:-1, None] + half * (nodes + 1)
    exponent = (
        -rate * patience * np.expm1(-v / patience) - (agents / handling_time + 1 / patience) * v
    )
    return float(start * (half * quadrature * np.exp(np.minimum(exponent, 700))).sum())
