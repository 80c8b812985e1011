"""Gamma-Gamma: what customers spend at a purchase.

What a customer spends at a time is gamma distributed (p, nu), and nu varies over customers as
a gamma distribution (q, v). How often he buys and what he spends are taken as independent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxstats.customers.maximum_likelihood import PILOT, Array, Fit, maximise, runs

NAMES = ("p", "q", "v")


def log_likelihood(logs: Array, x: Array, mean: Array) -> tuple[float, Array]:
    """Return the log-likelihood and its gradient (3,) by the logarithms of p, q, v.

    ``f(m) = G(p x + q) / (G(p x) G(q)) v^q m^(p x - 1) x^(p x) / (v + x m)^(p x + q)``.

    Parameters
    ----------
    logs : array (3,)
        Logarithms of p, q and v.
    x : array (n,)
        Purchases behind each mean. In their order the computation is fast: gamma functions are
        computed once a run of equal numbers.
    mean : array (n,)
        What a customer spent at a purchase on average, above 0.

    References
    ----------
    Fader & Hardie (2013). The gamma-gamma model of monetary value, equation (1a).

    Examples
    --------
    >>> value, _ = log_likelihood(np.zeros(3), np.ones(1), np.ones(1))  # 1 / (1 + m)^2
    >>> round(value, 6) == round(float(np.log(1 / 4)), 6)
    True
    """
    from scipy.special import digamma, gammaln

    p, q, v = np.exp(logs)
    starts, n = runs(x)
    k = x[starts]
    weight, rest = p * x + q, v + x * mean
    log_mean, log_rest = np.log(mean), np.log(rest)
    value = n @ (
        gammaln(p * k + q) - gammaln(p * k) - gammaln(q) + q * np.log(v) + p * k * np.log(k)
    ) + ((p * x - 1) * log_mean - weight * log_rest).sum()  # fmt: skip
    gradient = np.array([
        n @ (k * (digamma(p * k + q) - digamma(p * k) + np.log(k)))
        + (x * (log_mean - log_rest)).sum(),
        n @ (digamma(p * k + q) - digamma(q) + np.log(v)) - log_rest.sum(),
        len(x) * q / v - (weight / rest).sum(),
    ])  # fmt: skip
    return float(value), gradient * np.exp(logs)


def fit(x: Array, mean: Array) -> Fit:
    """Return the estimates of p, q and v by maximum likelihood; parameters as above."""
    scale = float(mean.mean())
    order = np.argsort(x, kind="stable")
    x, scaled = x[order], mean[order] / scale
    part = slice(None, None, max(1, len(x) // PILOT))
    pilot = x[part], scaled[part]
    starts = [[0.0, 1.0, 0.5], [1.5, 1.3, -0.5], [0.0, 2.0, 2.0]]
    result = maximise(
        lambda logs: log_likelihood(logs, x, scaled), starts, NAMES, len(x), [1.0, 1.0, scale],
        (lambda logs: log_likelihood(logs, *pilot)) if part.step > 1 else None,
    )  # fmt: skip
    return Fit(
        NAMES, result.logs, result.covariance, result.log_likelihood - len(x) * np.log(scale),
        result.at_edge, result.n,
    )  # fmt: skip


def expected_spend(parameters: Sequence[float] | Array, x: Array, mean: Array) -> Array:
    """Return what a customer is expected to spend at a purchase (n,).

    ``p (v + x m) / (p x + q - 1)``; with x = 0 the mean of all, ``p v / (q - 1)``. NaN where
    this mean does not exist (q of 1 or less).

    Examples
    --------
    >>> expected_spend((6.25, 3.74, 15.44), np.array([0.0]), np.array([0.0])).round(1).tolist()
    [35.2]
    """
    p, q, v = parameters
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(q > 1, p * (v + x * mean) / (p * x + q - 1), np.nan)
