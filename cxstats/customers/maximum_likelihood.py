"""Maximum likelihood of positive parameters, on their logarithms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxstats.core.errors import DataError
from cxstats.stats.intervals import normal_quantile

Array = NDArray[np.float64]
Likelihood = Callable[[Array], tuple[float, Array]]

EDGE = 9.0  # logarithm; a parameter of 8,100 means, after scaling, that it has no finite maximum
STEP = 1e-5  # of the differences that turn gradients into information
TOLERANCE = 1e-8  # largest gradient of a maximum, per case
FLAT = 1e-7  # eigenvalue of the information, per case, below which a direction is not determined
PILOT = 20_000  # cases of which a first search is made where there are twice as many or more
WIDE = 3.0  # standard error of a logarithm: a 95 % interval from 1/400 to 400 times the estimate


@dataclass(frozen=True, slots=True)
class Fit:
    """The maximum of a likelihood.

    Attributes
    ----------
    names : tuple of str (k,)
    logs : array (k,)
        Logarithms of the parameters.
    covariance : array (k, k)
        Of `logs`: the inverse of the observed information. In a direction that the data do not
        determine it is 0.
    log_likelihood : float
    at_edge : array of bool (k,)
        Parameters without a finite maximum, or next to one that is all but flat; their standard
        errors mean nothing.
    n : int
        Cases.
    """

    names: tuple[str, ...]
    logs: Array
    covariance: Array
    log_likelihood: float
    at_edge: NDArray[np.bool_]
    n: int

    @property
    def parameters(self) -> Array:
        """The parameters (k,)."""
        return np.asarray(np.exp(self.logs))

    def standard_errors(self) -> Array:
        """Return the standard errors of `logs` (k,); NaN at the edge."""
        return np.asarray(np.where(self.at_edge, np.nan, np.sqrt(np.diag(self.covariance))))

    def intervals(self, level: float) -> tuple[Array, Array]:
        """Return limits of the parameters (k,), (k,): symmetric for their logarithms."""
        with np.errstate(over="ignore"):
            reach = normal_quantile(level) * self.standard_errors()
            return np.exp(self.logs - reach), np.exp(self.logs + reach)


def maximise(
    likelihood: Likelihood,
    starts: Sequence[Sequence[float]],
    names: Sequence[str],
    n: int,
    scales: Sequence[float],
    pilot: Likelihood | None = None,
) -> Fit:
    """Return the maximum of a log-likelihood.

    A quasi-Newton search from each start, then Newton steps on the best.

    Parameters
    ----------
    likelihood : function
        From logarithms of the parameters (k,) to the log-likelihood and its gradient (k,).
    starts : sequences (k,)
        Logarithms where the search begins.
    names : str (k,)
        Of the parameters.
    n : int
        Cases.
    scales : floats (k,)
        Units of the parameters: `likelihood` is that of each parameter divided by its unit.
    pilot : function, optional
        Log-likelihood of a part of the cases, where these are many. The searches from all starts
        are made on it, and only the best goes on with all cases.

    Raises
    ------
    DataError
        If no search ends at a number.
    """
    loss = _loss(likelihood, n)
    logs = _search(loss, starts if pilot is None else [_search(_loss(pilot, n), starts)])
    at_edge = np.abs(logs) > EDGE - 0.01
    if not at_edge.any():
        logs = _newton(loss, logs)
    values, vectors = np.linalg.eigh(_information(loss, logs) * n)
    inverse = np.where(values > FLAT * n, 1 / np.maximum(values, FLAT * n), 0.0)
    covariance = (vectors * inverse) @ vectors.T
    flat = np.abs(vectors) @ (values <= FLAT * n) > 0.5
    return Fit(
        tuple(names),
        logs + np.log(scales),
        covariance,
        likelihood(logs)[0],
        at_edge | flat | (np.diag(covariance) > WIDE**2),
        n,
    )


def _loss(likelihood: Likelihood, n: int) -> Likelihood:
    """Return minus the mean log-likelihood of a case, with its gradient."""

    def loss(logs: Array) -> tuple[float, Array]:
        value, gradient = likelihood(logs)
        return -value / n, -gradient / n

    return loss


def _search(loss: Likelihood, starts: Sequence[Sequence[float] | Array]) -> Array:
    """Return the lowest point that quasi-Newton searches from the starts arrive at."""
    from scipy.optimize import minimize

    searches = [
        minimize(loss, np.asarray(start, float), jac=True, method="L-BFGS-B",
                 bounds=[(-EDGE, EDGE)] * len(start), options={"maxiter": 2_000, "ftol": 1e-14})
        for start in starts
    ]  # fmt: skip
    searches = [search for search in searches if np.isfinite(search.fun)]
    if not searches:
        raise DataError("the likelihood of these purchases has no maximum that is a number")
    return np.asarray(min(searches, key=lambda search: float(search.fun)).x, float)


def _information(loss: Likelihood, logs: Array) -> Array:
    """Return the second derivatives (k, k) of the loss, from differences of its gradient."""
    steps = STEP * np.eye(len(logs))
    rows = [(loss(logs + step)[1] - loss(logs - step)[1]) / (2 * STEP) for step in steps]
    second = np.array(rows)
    return np.asarray((second + second.T) / 2)


def _newton(loss: Likelihood, logs: Array) -> Array:
    """Return the minimum near `logs`, by Newton's steps as long as they help."""
    value, gradient = loss(logs)
    for _ in range(20):
        if np.abs(gradient).max() < TOLERANCE:
            break
        try:
            step = np.linalg.solve(_information(loss, logs), gradient)
        except np.linalg.LinAlgError:
            break
        if not np.abs(step).max() < 1:
            break
        next_value, next_gradient = loss(logs - step)
        if not next_value <= value + 1e-13:
            break
        logs, value, gradient = logs - step, next_value, next_gradient
    return logs


def runs(values: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where runs of equal values begin (k,), and how long they are (k,).

    What depends on such a value alone is computed once a run.

    Examples
    --------
    >>> [x.tolist() for x in runs(np.array([0.0, 0.0, 2.0, 5.0, 5.0]))]
    [[0, 2, 3], [2, 1, 2]]
    """
    starts = np.flatnonzero(np.diff(values, prepend=np.nan))
    return starts, np.diff(starts, append=len(values))


def jacobian(function: Callable[[Array], Array], logs: Array, step: float = 1e-4) -> Array:
    """Return derivatives (m, k) of a function from k logarithms to m numbers.

    Examples
    --------
    >>> jacobian(lambda logs: np.exp(logs[:1] + 2 * logs[1:]), np.zeros(2)).round(6).tolist()
    [[1.0, 2.0]]
    """
    columns = [
        (function(logs + side) - function(logs - side)) / (2 * step)
        for side in step * np.eye(len(logs))
    ]
    return np.stack(columns, axis=-1)


def delta_interval(
    estimate: Array, derivatives: Array, covariance: Array, level: float, upper: float = np.inf
) -> tuple[Array, Array, Array]:
    """Return standard errors and limits by the delta method (m,), (m,), (m,).

    Limits are symmetric for the logarithm, and with a finite `upper` for ``log(e / (upper - e))``,
    so that they stay between 0 and `upper`; NaN where the standard error
    on that scale is above `WIDE`.

    Parameters
    ----------
    estimate : array (m,)
        Numbers of 0 or more.
    derivatives : array (m, k)
        Of the estimates by the logarithms of the parameters.
    covariance : array (k, k)
        Of these logarithms.
    level : float
        Confidence level.
    upper : float
        The largest value that the estimates can have.

    Examples
    --------
    >>> se, low, high = delta_interval(
    ...     np.array([10.0]), np.array([[10.0]]), np.array([[0.01]]), 0.95
    ... )
    >>> [round(float(number[0]), 3) for number in (se, low, high)]
    [1.0, 8.22, 12.165]
    """
    variance = ((derivatives @ covariance) * derivatives).sum(axis=1)
    se = np.sqrt(np.maximum(variance, 0))
    bounded = np.isfinite(upper)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = estimate * (1 - estimate / upper) if bounded else estimate
        ratio = np.exp(normal_quantile(level) * se / slope)
        if bounded:
            odds = estimate / (upper - estimate)
            low, high = (upper / (1 + 1 / side) for side in (odds / ratio, odds * ratio))
        else:
            low, high = estimate / ratio, estimate * ratio
        clear = se <= WIDE * slope
        low, high = (np.where(clear, side, np.nan) for side in (low, high))
    fixed = (se == 0) | (slope == 0)
    return se, np.where(fixed, estimate, low), np.where(fixed, estimate, high)
