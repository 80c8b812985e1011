"""BG/NBD: how often customers buy again, and who has stopped.

While alive, a customer buys at a rate that varies over customers as a gamma distribution
(r, alpha); after each purchase he stops with a probability that varies as a beta distribution
(a, b). Equations are those of Fader, Hardie and Lee (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxstats.customers.maximum_likelihood import PILOT, Array, Fit, maximise, runs
from cxstats.stats.quadrature import gauss_legendre

NAMES = ("r", "alpha", "a", "b")
NEAR = 1e-4  # distance to a pole that cancels; there the mean of both sides stands for it
LARGE = 500.0  # a or b from which quadrature stands for the series
DISCOUNT_NODES = 8  # of the quadrature of discounted purchases
NODES = 200  # of the quadrature where the hypergeometric function overflows


@dataclass(frozen=True, slots=True)
class Histories:
    """What the model needs of customers.

    Attributes
    ----------
    frequency : array (n,)
        Purchases after the first.
    recency : array (n,)
        Time from the first purchase to the last.
    age : array (n,)
        Time from the first purchase to the end of observation.
    """

    frequency: Array
    recency: Array
    age: Array

    def __len__(self) -> int:
        return len(self.frequency)

    def distinct(self) -> tuple[Histories, Array, NDArray[np.intp]]:
        """Return each history once, how many have it, and which one each customer has.

        They are in the order of frequency, then recency, then age.
        """
        code = np.zeros(len(self), np.int64)
        for values in (self.frequency, self.recency, self.age):
            unique, place = np.unique(values, return_inverse=True)
            _, first, code, counts = np.unique(
                code * len(unique) + place, return_index=True, return_inverse=True,
                return_counts=True,
            )  # fmt: skip
        return self.of(first), counts.astype(float), code

    def of(self, chosen: Any) -> Histories:
        """Return the histories of some customers."""
        return Histories(self.frequency[chosen], self.recency[chosen], self.age[chosen])


def log_likelihood(logs: Array, histories: Histories, counts: Array) -> tuple[float, Array]:
    """Return the log-likelihood and its gradient (4,) by the logarithms of r, alpha, a, b.

    ``L = B(a, b + x) / B(a, b) * G(r + x) alpha^r / (G(r) (alpha + T)^(r + x)) + [x > 0]
    B(a + 1, b + x - 1) / B(a, b) * G(r + x) alpha^r / (G(r) (alpha + t_x)^(r + x))``.

    Parameters
    ----------
    logs : array (4,)
        Logarithms of r, alpha, a and b.
    histories : Histories
        Of n customers.
    counts : array (n,)
        How often each stands. In the order of frequency the computation is fast: gamma functions
        are computed once a run of equal frequencies.

    References
    ----------
    Fader, Hardie & Lee (2005). "Counting your customers" the easy way: an alternative to the
    Pareto/NBD model. Marketing Science 24(2), 275-284.

    Examples
    --------
    >>> histories = Histories(np.array([0.0]), np.array([0.0]), np.array([10.0]))
    >>> value, _ = log_likelihood(np.zeros(4), histories, np.ones(1))
    >>> round(value, 6) == round(float(np.log(1 / 11)), 6)
    True
    """
    from scipy.special import digamma, gammaln

    r, alpha, a, b = np.exp(logs)
    x = histories.frequency
    repeated = x > 0
    alive = -(r + x) * np.log(alpha + histories.age)
    beside = np.where(repeated, b + x - 1, 1.0)
    stopped = np.where(
        repeated, np.log(a) - np.log(beside) - (r + x) * np.log(alpha + histories.recency), -np.inf
    )
    both = np.logaddexp(alive, stopped)
    share = np.exp(stopped - both)  # of the likelihood, from customers who have stopped
    # Sums of products, not products of vectors: those wait for other threads on a busy machine.
    starts, _ = runs(x)
    k, n = x[starts], np.add.reduceat(counts, starts)
    value = (counts * both).sum() + n @ (
        gammaln(r + k) - gammaln(r) + r * np.log(alpha)
        + gammaln(a + b) - gammaln(a + b + k) + gammaln(b + k) - gammaln(b)
    )  # fmt: skip
    rate = (1 - share) / (alpha + histories.age) + share / (alpha + histories.recency)
    logarithm = (1 - share) * np.log(alpha + histories.age)
    logarithm += share * np.log(alpha + histories.recency)
    total = n @ (digamma(a + b) - digamma(a + b + k))
    gradient = np.array([
        n @ (digamma(r + k) - digamma(r) + np.log(alpha)) - (counts * logarithm).sum(),
        (counts * (r / alpha - (r + x) * rate)).sum(),
        total + (counts * share).sum() / a,
        total + n @ (digamma(b + k) - digamma(b)) - (counts * share / beside).sum(),
    ])  # fmt: skip
    return float(value), gradient * np.exp(logs)


def fit(histories: Histories) -> Fit:
    """Return the estimates of r, alpha, a and b by maximum likelihood.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> histories = simulate((0.8, 8.0, 0.9, 2.5), np.full(4_000, 40.0), rng)
    >>> low, high = fit(histories).intervals(0.95)
    >>> bool((low < [0.8, 8.0, 0.9, 2.5]).all() and (high > [0.8, 8.0, 0.9, 2.5]).all())
    True
    """
    scale = float(histories.age.mean())
    distinct, counts, _ = histories.distinct()
    scaled = Histories(distinct.frequency, distinct.recency / scale, distinct.age / scale)
    mean = max(float(histories.frequency.mean()), 0.01)
    starts = [
        [0.0, -np.log(mean), 0.0, 0.0],
        [-1.0, -1.0 - np.log(mean), -0.5, 1.0],
        [1.0, 1.0 - np.log(mean), -2.0, 1.0],
    ]
    part = slice(None, None, max(1, len(counts) // PILOT))
    pilot = scaled.of(part), counts[part]
    result = maximise(
        lambda logs: log_likelihood(logs, scaled, counts),
        starts,
        NAMES,
        len(histories),
        [1.0, scale, 1.0, 1.0],
        (lambda logs: log_likelihood(logs, *pilot)) if part.step > 1 else None,
    )
    # Rates are per unit of time: the density of x purchases changes by scale^-x.
    shift = float(histories.frequency.sum() * np.log(scale))
    return Fit(
        NAMES, result.logs, result.covariance, result.log_likelihood - shift, result.at_edge,
        result.n,
    )  # fmt: skip


def alive(parameters: Sequence[float] | Array, histories: Histories) -> Array:
    """Return the probability (n,) that a customer has not stopped.

    ``1 / (1 + [x > 0] a / (b + x - 1) ((alpha + T) / (alpha + t_x))^(r + x))``. Nobody stops
    before a second purchase: with x = 0 it is 1.

    Examples
    --------
    Regular for 31 weeks, and last seen a day ago:

    >>> history = Histories(np.array([26.0]), np.array([30.857]), np.array([31.0]))
    >>> round(float(alive((0.2426, 4.4136, 0.7930, 2.4259), history)[0]), 5)
    0.96885
    """
    from scipy.special import expit

    r, alpha, a, b = parameters
    x = histories.frequency
    beside = np.where(x > 0, b + x - 1, 1.0)
    odds = (
        np.log(a)
        - np.log(beside)
        + (r + x) * np.log((alpha + histories.age) / (alpha + histories.recency))
    )
    return np.where(x > 0, expit(-odds), 1.0)


def expected_if_alive(
    parameters: Sequence[float] | Array, histories: Histories, time: float
) -> Array:
    """Return the expected purchases (n,) in the next `time` of customers who have not stopped.

    ``(a + b + x - 1) / (a - 1) (1 - (1 - z)^(r + x) F(r + x, b + x; a + b + x - 1; z))`` with
    ``z = time / (alpha + T + time)`` and Gauss's F; with Euler's transformation, which does not
    overflow for frequent buyers, the product is ``(1 - z)^(a - 1) F(a + b - 1 - r, a - 1; ...)``.
    """
    r, alpha, a, b = (float(number) for number in parameters)
    x, age = histories.frequency, histories.age
    if time == 0:
        return np.zeros(len(x))
    if max(a, b) > LARGE:
        return _by_quadrature((r, alpha, a, b), x, age, time)
    poles = np.append(np.abs(a + b + x - 1), abs(a - 1))
    shifts = (-2 * NEAR, 2 * NEAR) if poles.min() < NEAR else (0.0,)
    sides = [_by_series((r, alpha, a + shift, b), x, age, time) for shift in shifts]
    mean = np.asarray(np.mean(sides, axis=0))
    # Never more than all purchases of a customer who cannot stop.
    most = (r + x) * time / (alpha + age)
    wrong = ~(np.isfinite(mean) & (mean >= 0) & (mean <= most * (1 + 1e-6)))
    if wrong.any():
        mean[wrong] = _by_quadrature((r, alpha, a, b), x[wrong], age[wrong], time)
    return mean


def _by_series(
    parameters: tuple[float, float, float, float], x: Array, age: Array, time: float
) -> Array:
    from scipy.special import hyp2f1

    r, alpha, a, b = parameters
    z = time / (alpha + age + time)
    bottom = a + b + x - 1
    with np.errstate(all="ignore"):
        product = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, bottom, z)
        return np.asarray(bottom / (a - 1) * (1 - product))


def _by_quadrature(
    parameters: tuple[float, float, float, float], x: Array, age: Array, time: float
) -> Array:
    """Return the mean of ``(1 - (1 + p time / (alpha + T))^-(r + x)) / p`` for p ~ Beta(a, b + x).

    Nodes lie on the quantiles of p.
    """
    from scipy.special import betaincinv

    r, alpha, a, b = parameters
    nodes, weights = gauss_legendre(NODES)
    total = np.zeros(len(x))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        p = np.maximum(betaincinv(a, b + x, node), 1e-12)
        total += weight * -np.expm1(-(r + x) * np.log1p(p * time / (alpha + age))) / p
    return total


def expected(parameters: Sequence[float] | Array, histories: Histories, time: float) -> Array:
    """Return the expected purchases (n,) of customers in the next `time`.

    `alive` times `expected_if_alive`; equation (10) of Fader, Hardie and Lee (2005).

    Examples
    --------
    >>> history = Histories(np.array([26.0]), np.array([30.857]), np.array([31.0]))
    >>> round(float(expected((0.2426, 4.4136, 0.7930, 2.4259), history, 52)[0]), 2)
    25.76
    """
    return alive(parameters, histories) * expected_if_alive(parameters, histories, time)


def discounted_if_alive(
    parameters: Sequence[float] | Array, histories: Histories, time: float, force: float
) -> Array:
    """Return the discounted purchases (n,) in the next `time` of customers who have not stopped.

    ``integral of e^(-f t) dE[Y(t)]`` over the horizon h, which is
    ``e^(-f h) E[Y(h)] + f integral of e^(-f t) E[Y(t)] dt``, by Gauss and Legendre's quadrature;
    f is the force of interest, per unit of time.
    """
    total = np.exp(-force * time) * expected_if_alive(parameters, histories, time)
    if force:
        nodes, weights = gauss_legendre(DISCOUNT_NODES)
        for t, weight in zip((nodes + 1) / 2 * time, weights * time / 2, strict=True):
            mean = expected_if_alive(parameters, histories, float(t))
            total = total + force * weight * np.exp(-force * t) * mean
    return np.asarray(total)


def discounted_if_resumed(
    parameters: Sequence[float] | Array, histories: Histories, time: float, force: float
) -> Array:
    """Return the discounted purchases (n,) in the next `time` of customers who stopped and resume.

    Who stopped after the last purchase has the rate ``Gamma(r + x, alpha + t_x)`` and the
    probability of stopping ``Beta(a + 1, b + x - 1)``, and buys again as he did before. NaN with
    x = 0: who has bought once cannot have stopped.

    Examples
    --------
    Of customers who stopped after the same second purchase, the time since then says nothing:

    >>> histories = Histories(np.array([1.0, 1.0]), np.array([4.0, 4.0]), np.array([5.0, 50.0]))
    >>> discounted_if_resumed((1.0, 6.0, 0.8, 2.5), histories, 26.0, 0.0).round(3).tolist()
    [2.092, 2.092]
    """
    r, alpha, a, b = parameters
    repeated = histories.frequency > 0
    stopped = Histories(histories.frequency[repeated], histories.recency[repeated],
                        histories.recency[repeated])  # fmt: skip
    total = np.full(len(histories), np.nan)
    if repeated.any():
        # b + x - 1 is what enters, and x is 1 or more.
        total[repeated] = discounted_if_alive((r, alpha, a + 1, b - 1), stopped, time, force)
    return total


def buys_again(parameters: Sequence[float] | Array, histories: Histories, time: float) -> Array:
    """Return the probability (n,) of at least one purchase in the next `time`.

    `alive` times ``1 - ((alpha + T) / (alpha + T + time))^(r + x)``: nobody stops before the next
    purchase.

    Examples
    --------
    >>> history = Histories(np.array([0.0]), np.array([0.0]), np.array([1.0]))
    >>> buys_again((1.0, 1.0, 1.0, 1.0), history, 2.0).tolist()
    [0.5]
    """
    r, alpha, _, _ = parameters
    logarithm = np.log1p(time / (alpha + histories.age)) * (r + histories.frequency)
    return np.asarray(alive(parameters, histories) * -np.expm1(-logarithm))


def draw_purchases(
    parameters: Sequence[float] | Array,
    histories: Histories,
    time: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw the purchases (n,) of each customer in the next `time`, from what is known of him.

    Alive with `alive`, then rate ~ Gamma(r + x, alpha + T), p ~ Beta(a, b + x): the smaller of a
    Poisson number of occasions and the geometric number of purchases until he stops.
    """
    r, alpha, a, b = parameters
    x = histories.frequency
    rate = generator.gamma(r + x) / (alpha + histories.age)
    stop = np.clip(generator.beta(a, b + x), 1e-12, 1.0)
    occasions = generator.poisson(np.minimum(rate * time, 1e15))
    drawn = np.minimum(occasions, generator.geometric(stop))
    return np.asarray(drawn * (generator.random(len(x)) < alive(parameters, histories)))


def simulate(
    parameters: Sequence[float] | Array, age: Array, generator: np.random.Generator
) -> Histories:
    """Draw histories (n,) of customers, observed for `age` after their first purchase."""
    r, alpha, a, b = parameters
    n = len(age)
    rate, stop = generator.gamma(r, 1 / alpha, n), generator.beta(a, b, n)
    clock, frequency, recency = np.zeros(n), np.zeros(n), np.zeros(n)
    active = np.ones(n, bool)
    while active.any():
        clock[active] += generator.exponential(1 / np.maximum(rate[active], 1e-300))
        active &= clock <= age
        frequency[active] += 1
        recency[active] = clock[active]
        active &= generator.random(n) >= stop
    return Histories(frequency, recency, np.asarray(age, float))
