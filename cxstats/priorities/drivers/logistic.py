"""Logistic regressions on all subsets of the drivers, at once, and what resamples make of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HELD = 8_000_000  # numbers held at once
STEPS = 50  # Newton's; a separated likelihood has no maximum and is as good as there by then
CLOSE = 1e-12  # gain of log-likelihood per case below which Newton's steps end
APART = 1e-7  # part of the largest coefficient that is rounding of the linear programme
RIDGE = 1e-12  # of the information, so that columns that determine each other have a step


@dataclass(frozen=True, slots=True, eq=False)
class SubsetFits:
    """Logistic regressions of 0 and 1 on every subset of the drivers.

    Attributes
    ----------
    x : array (n, q + 1)
        Standardised columns after a column of ones.
    y, weights : arrays (n,)
    masks : array (m, q + 1) of bool
        The columns of each model.
    b : array (m, q + 1)
        Coefficients.
    loglik : array (m,)
    """

    x: Array
    y: Array
    weights: Array
    masks: NDArray[np.bool_]
    b: Array
    loglik: Array

    @classmethod
    def of(cls, x: Array, y: Array, weights: Array, sizes: Sequence[int]) -> SubsetFits:
        """Fit all 2^p models by Newton's method; bit k of a model's number is driver k."""
        masks = subset_masks(sizes)
        step = max(1, HELD // (4 * len(x)))
        fits = [
            newton(x, y, weights, masks[first : first + step])
            for first in range(0, len(masks), step)
        ]
        b, loglik = (np.concatenate(parts) for parts in zip(*fits, strict=True))
        return cls(x, y, weights, masks, b, loglik)

    @property
    def worths(self) -> Array:
        """McFadden's R2 of each model (m,): ``1 - loglik / loglik of the mean alone``."""
        return np.asarray(1 - self.loglik / self.loglik[0], float)

    def chunks(self) -> Iterator[tuple[slice, Array, Array, Array]]:
        """Yield models with their log-likelihoods (m, n), residuals (m, n) and informations."""
        n, k = self.x.shape
        step = max(1, HELD // (n * (k + 1)))
        for first in range(0, len(self.masks), step):
            at = slice(first, min(first + step, len(self.masks)))
            eta = self.b[at] @ self.x.T
            mu = expit(eta)
            cases = -np.logaddexp(0, (1 - 2 * self.y) * eta)
            yield (
                at, cases, self.y - mu,
                information(self.x, mu * (1 - mu) * self.weights, self.masks[at]),
            )  # fmt: skip

    def replicates(self, draws: Iterable[tuple[int, Array]], n_resamples: int) -> Array:
        """Return McFadden's R2 of each model in each resample (B, m).

        A resample's log-likelihood is taken as the quadratic about the sample's estimates,
        ``l_b + g_b' H^-1 g_b / 2`` with the resample's own likelihood and gradient there: the
        maximum to an error of the order of n^(-1/2) of the gain, without a regression a resample.
        """
        n, k = self.x.shape
        worths = np.empty((n_resamples, len(self.masks)))
        for first, weights in draws:
            stop = first + len(weights)
            with np.errstate(divide="ignore", invalid="ignore"):
                shares = weights / weights.sum(axis=1, keepdims=True)
            mean = shares @ self.y
            base = np.zeros(len(mean))
            null = entropy(mean)
            for at, cases, residuals, hessian in self.chunks():
                m = at.stop - at.start
                inverse = np.linalg.inv(hessian) * (
                    self.masks[at, :, None] & self.masks[at, None, :]
                )
                scores = (residuals[:, None, :] * self.x.T).reshape(m * k, n)
                gradient = (shares @ scores.T).reshape(-1, m, k) * n
                gain = np.einsum("bmk,mkl,bml->bm", gradient, inverse, gradient, optimize=True) / 2
                loglik = shares @ cases.T + gain / n
                if at.start == 0:
                    base = loglik[:, 0]
                with np.errstate(divide="ignore", invalid="ignore"):
                    worths[first:stop, at] = (loglik - base[:, None]) / null[:, None]
        return worths


def subset_masks(sizes: Sequence[int]) -> NDArray[np.bool_]:
    """Return the columns of every subset, the intercept first (2^p, q + 1).

    Examples
    --------
    >>> subset_masks([1, 2]).astype(int).tolist()
    [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 1], [1, 1, 1, 1]]
    """
    subsets = np.arange(2 ** len(sizes))
    bits = (subsets[:, None] >> np.arange(len(sizes))) & 1 == 1
    return np.column_stack([np.ones(len(subsets), bool), np.repeat(bits, sizes, axis=1)])


def expit(eta: Array) -> Array:
    """Return ``1 / (1 + exp(-eta))``."""
    from scipy import special

    return np.asarray(special.expit(eta), float)


def entropy(mean: Array) -> Array:
    """Return minus the log-likelihood per case of a share that is the mean."""
    from scipy.special import xlogy

    return np.asarray(-xlogy(mean, mean) - xlogy(1 - mean, 1 - mean), float)


def information(x: Array, variances: Array, masks: NDArray[np.bool_]) -> Array:
    """Return ``X' V X`` of each model (m, k, k), the identity where a column is not in it."""
    m, k = masks.shape
    row, column = np.tril_indices(k)
    full = np.empty((m, k, k))
    full[:, row, column] = full[:, column, row] = variances @ (x[:, row] * x[:, column])
    inside = masks[:, :, None] & masks[:, None, :]
    ridge = RIDGE * np.trace(full, axis1=1, axis2=2)[:, None] + np.finfo(float).tiny
    full = np.where(inside, full, 0.0)
    full[:, range(k), range(k)] += np.where(masks, ridge, 1.0)
    return full


def newton(x: Array, y: Array, weights: Array, masks: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return coefficients (m, k) and log-likelihoods (m,) of logistic regressions.

    A step that lowers the likelihood is halved. Where 0 and 1 can be told apart without error,
    coefficients grow for ever and the likelihood reaches its limit.
    """
    signs = 1 - 2 * y
    share = float(np.average(y, weights=weights))
    b = np.zeros(masks.shape)
    b[:, 0] = np.log(share / (1 - share))

    def likelihood(b: Array) -> tuple[Array, Array]:
        eta = b @ x.T
        return eta, -np.logaddexp(0, signs * eta) @ weights

    eta, loglik = likelihood(b)
    for _ in range(STEPS):
        mu = expit(eta)
        gradient = ((y - mu) * weights) @ x * masks
        hessian = information(x, mu * (1 - mu) * weights, masks)
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        new_eta, new = likelihood(b + step)
        for _ in range(STEPS):
            worse = new < loglik - CLOSE * len(y)
            if not worse.any():
                break
            step[worse] /= 2
            new_eta[worse], new[worse] = likelihood((b + step)[worse])
        b, eta, gain, loglik = b + step, new_eta, new - loglik, new
        if np.abs(gain).max() < CLOSE * len(y) and np.abs(step).max() < 1e-8 * (
            1 + np.abs(b).max()
        ):
            break
    return b, loglik


def separated_columns(x: Array, y: Array) -> NDArray[np.bool_]:
    """Return which columns (q + 1,) tell 0 and 1 apart without error, for all or some cases.

    By linear programming: is there a ``b`` with ``(2 y - 1) x'b >= 0`` for every case, and above 0
    for some? Then the likelihood has no maximum. The columns are those of the smallest such b.

    References
    ----------
    Albert & Anderson (1984). On the existence of maximum likelihood estimates in logistic
    regression models. Biometrika 71(1), 1-10.

    Examples
    --------
    >>> x = np.column_stack([np.ones(4), [1, 2, 3, 4], [1, -1, -1, 1]])
    >>> separated_columns(x, np.array([0, 0, 1, 1])).tolist()
    [True, True, False]
    """
    from scipy.optimize import linprog

    turned = np.unique(x * (2 * y - 1)[:, None], axis=0)
    both_signs = np.concatenate([turned, -turned], axis=1)  # b as a difference of positive parts
    cost = np.tile(np.append(0.0, np.ones(x.shape[1] - 1)), 2)
    total = both_signs.mean(axis=0, keepdims=True)
    smallest = linprog(
        cost, A_ub=-both_signs, b_ub=np.zeros(len(turned)), A_eq=total, b_eq=[1.0], bounds=(0, None)
    )
    if smallest.status != 0:
        return np.zeros(x.shape[1], bool)
    b = smallest.x[: x.shape[1]] - smallest.x[x.shape[1] :]
    return np.asarray(np.abs(b) > APART * np.abs(b).max())
