"""The likelihood of the ordered logit model, its maximum, and what each row does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, log_expit

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STEPS = 100
TOLERANCE = 1e-10  # of the Newton decrement, half of which is the log-likelihood still to gain
FAR = 30.0  # a linear predictor beyond which a category has no share: a sign of separation


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a data set, equal ones counted once.

    Attributes
    ----------
    x : array (m, p)
        What explains.
    y : array (m,)
        The category of the outcome, 0 to ``k - 1``.
    weight : array (m,)
        How many respondents a row stands for.
    k : int
        Categories.
    """

    x: Array
    y: NDArray[np.intp]
    weight: Array
    k: int


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """Where the likelihood is largest.

    Attributes
    ----------
    slopes, cuts : arrays (p,), (k - 1,)
    log_likelihood : float
    information : array (p + k - 1, p + k - 1)
        Minus the second derivatives, slopes before cuts.
    """

    slopes: Array
    cuts: Array
    log_likelihood: float
    information: Array

    @property
    def parameters(self) -> Array:
        """Slopes, then cuts."""
        return np.concatenate([self.slopes, self.cuts])


def _ends(rows: Rows, parameters: Array) -> tuple[Array, Array, Array, Array]:
    """Return the upper and lower end of each row's category, and their derivatives (m, p + k - 1).

    ``a = theta_j - x'b``, ``b = theta_(j-1) - x'b``; infinite for the last and the first category.
    """
    m, p = rows.x.shape
    predictor = rows.x @ parameters[:p]
    cuts = np.concatenate([[-np.inf], parameters[p:], [np.inf]])
    upper, lower = cuts[rows.y + 1] - predictor, cuts[rows.y] - predictor
    slopes = np.zeros((2, m, p + rows.k - 1))
    slopes[:, :, :p] = -rows.x
    at = np.arange(m)
    for end, last in ((0, rows.k - 1), (1, 0)):
        inside = rows.y != last
        slopes[end, at[inside], p + rows.y[inside] - end] = 1
        slopes[end, ~inside] = 0
    return upper, lower, slopes[0], slopes[1]


def log_likelihoods(upper: Array, lower: Array) -> Array:
    """Return ``log(F(a) - F(b))`` of the logistic F, without loss of digits.

    ``F(a) - F(b) = F(a) F(-b) (1 - exp(b - a))``.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(log_expit(upper) + log_expit(-lower) + np.log1p(-np.exp(lower - upper)))


def scores(rows: Rows, parameters: Array) -> Array:
    """Return the derivative of each row's log-likelihood (m, p + k - 1), its weight left out."""
    upper, lower, d_upper, d_lower = _ends(rows, parameters)
    more = _more(upper, lower)
    return np.asarray(
        (expit(-upper) + more)[:, None] * d_upper - (expit(lower) + more)[:, None] * d_lower
    )


def _more(upper: Array, lower: Array) -> Array:
    """Return ``1 / (exp(a - b) - 1)``: what a narrow category adds to the derivatives."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / np.expm1(upper - lower))


def _information(rows: Rows, parameters: Array) -> Array:
    upper, lower, d_upper, d_lower = _ends(rows, parameters)
    more = _more(upper, lower)
    mixed = more * (1 + more)  # exp(d) / (exp(d) - 1)^2
    w = rows.weight
    both = (d_upper * (w * (expit(upper) * expit(-upper) + mixed))[:, None]).T @ d_upper
    both += (d_lower * (w * (expit(lower) * expit(-lower) + mixed))[:, None]).T @ d_lower
    cross = (d_upper * (w * mixed)[:, None]).T @ d_lower
    return np.asarray(both - cross - cross.T)


def maximise(rows: Rows) -> Maximum:
    """Return the maximum of the likelihood by Newton's method.

    ``P(Y <= j | x) = F(theta_j - x'b)``. The log-likelihood is concave, so that there is one
    maximum, if any: a column that separates the categories has none.

    Parameters
    ----------
    rows : Rows
        Every category must be there.

    Raises
    ------
    CxError
        If there is no finite maximum, or a column follows from the others.

    References
    ----------
    McCullagh (1980). Regression models for ordinal data. JRSS B 42, 109-142.
    """
    p = rows.x.shape[1]
    below = np.cumsum(np.bincount(rows.y, rows.weight, rows.k))[:-1] / rows.weight.sum()
    parameters = np.concatenate([np.zeros(p), np.log(below / (1 - below))])
    value = _total(rows, parameters)
    for _ in range(STEPS):
        gradient = rows.weight @ scores(rows, parameters)
        information = _information(rows, parameters)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            raise no_maximum() from None
        decrement = float(gradient @ step)
        if not decrement >= 0:
            raise no_maximum()
        for halving in range(STEPS):
            candidate = parameters + step / 2**halving
            new = _total(rows, candidate) if (np.diff(candidate[p:]) > 0).all() else -np.inf
            if new >= value + 1e-4 * decrement / 2**halving or decrement < TOLERANCE:
                break
        parameters, value = candidate, new
        if np.abs(rows.x @ parameters[:p] - parameters[p]).max() > FAR:
            raise no_maximum()
        if decrement < TOLERANCE:
            return Maximum(parameters[:p], parameters[p:], value, _information(rows, parameters))
    raise no_maximum()


def no_maximum() -> CxError:
    """Return the error of a likelihood without a finite maximum."""
    return CxError(
        "the ordered logit has no finite solution: a column, or several together, tell the "
        "answers apart without error; join rare levels, or leave the column out"
    )


def _total(rows: Rows, parameters: Array) -> float:
    upper, lower, _, _ = _ends(rows, parameters)
    return float(rows.weight @ log_likelihoods(upper, lower))


def category_shares(x: Array, slopes: Array, cuts: Array) -> Array:
    """Return the predicted share of each category (m, k).

    Examples
    --------
    >>> category_shares(np.zeros((1, 1)), np.ones(1), np.array([-1.0, 1.0])).round(3).tolist()
    [[0.269, 0.462, 0.269]]
    """
    below = expit(cuts - (x @ slopes)[:, None])
    ends = np.zeros((len(x), 1))
    return np.asarray(np.diff(np.concatenate([ends, below, ends + 1], axis=1), axis=1))
