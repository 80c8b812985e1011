"""A whole batch of fits at once: the bootstrap's engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cxstats.sem.likelihood import Likelihood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A replicate is done within a thousandth of a standard error of its optimum; resampling itself
# moves estimates by one.
DISTANCE = 1e-3
ARMIJO = 1e-4
SHORTEST = 1e-6


class Attempt(NamedTuple):
    """Where to start, the inverse second derivatives to begin with, and for how many rounds."""

    start: Array
    inverse: Array
    rounds: int


@dataclass(slots=True, eq=False)
class _Search:
    """State of B searches; rows are replicates."""

    which: NDArray[np.intp]
    phi: Array
    value: Array
    slope: Array
    inverse: Array
    move: Array
    size: Array

    def rows(self, keep: NDArray[np.bool_]) -> _Search:
        return _Search(
            self.which[keep],
            self.phi[keep],
            self.value[keep],
            self.slope[keep],
            self.inverse[keep],
            self.move[keep],
            self.size[keep],
        )


def maximise_batch(
    likelihood: Likelihood, attempts: Sequence[Attempt], n: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Fit a model to B samples at once.

    BFGS in lock-step: each round evaluates every replicate that is still under way, takes the
    step of those that fell enough and halves that of the others. What has not arrived begins
    again with the next attempt: near-singular samples have solutions behind a pole (a
    disturbance near zero) that no descent from the first start meets.

    Parameters
    ----------
    likelihood : Likelihood
        With sample moments of shape (B, G, ...).
    attempts : sequence of Attempt
        First the solution of the full sample.
    n : int
        Cases, for the distance to the optimum in standard errors.

    Returns
    -------
    phi : array (B, q)
        Estimates; the last point reached where nothing converged.
    value : array (B,)
        The discrepancy F.
    converged : array (B,)
        Whether the predicted distance to the optimum is below a thousandth of a standard error.
    """
    count = len(likelihood.cov)
    phi = np.tile(attempts[0].start, (count, 1))
    value, converged = np.full(count, np.nan), np.zeros(count, bool)
    for attempt in attempts:
        left = np.flatnonzero(~converged)
        if len(left):
            found = _search(_of(likelihood, left), attempt, 2 * DISTANCE**2 / n)
            phi[left], value[left], converged[left] = found
    return phi, value, converged


def _of(likelihood: Likelihood, which: NDArray[np.intp]) -> Likelihood:
    mean = None if likelihood.mean is None else likelihood.mean[which]
    return replace(likelihood, cov=likelihood.cov[which], mean=mean)


def _search(
    likelihood: Likelihood, attempt: Attempt, enough: float
) -> tuple[Array, Array, NDArray[np.bool_]]:
    count = len(likelihood.cov)
    phi = np.tile(attempt.start, (count, 1))
    value, slope = likelihood.evaluate(phi)
    converged = np.zeros(count, bool)
    inverse = np.tile(attempt.inverse, (count, 1, 1))
    now = _Search(
        np.arange(count), phi.copy(), value.copy(), slope, inverse, -slope @ attempt.inverse,
        np.ones(count),
    )  # fmt: skip
    for _ in range(attempt.rounds):
        decrement = -np.einsum("bi,bi->b", now.slope, now.move)
        done = decrement < enough
        if done.any():
            at = now.which[done]
            phi[at], value[at], converged[at] = now.phi[done], now.value[done], True
            now, decrement = now.rows(~done), decrement[~done]
        if not len(now.which):
            break
        _advance(now, _of(likelihood, now.which), decrement)
        stuck = now.size < SHORTEST
        if stuck.any():
            at = now.which[stuck]
            phi[at], value[at] = now.phi[stuck], now.value[stuck]
            now = now.rows(~stuck)
    phi[now.which], value[now.which] = now.phi, now.value
    return phi, value, converged


def _advance(now: _Search, likelihood: Likelihood, decrement: Array) -> None:
    """Try every step; keep those that fall enough, halve the others."""
    step = now.size[:, None] * now.move
    trial = now.phi + step
    value, slope = likelihood.evaluate(trial)
    good = value <= now.value - ARMIJO * now.size * decrement + 1e-12
    change = slope - now.slope
    now.size = np.where(good, 1.0, now.size / 2)
    if not good.any():
        return
    now.phi[good], now.value[good], now.slope[good] = trial[good], value[good], slope[good]
    _update(now.inverse, step, change, good)
    now.move[good] = -(now.inverse @ now.slope[..., None])[good, :, 0]


def _update(inverse: Array, step: Array, change: Array, good: NDArray[np.bool_]) -> None:
    """Apply the BFGS update of inverse second derivatives in place, where the curve allows."""
    bend = np.einsum("bi,bi->b", step, change)
    scale = np.zeros_like(bend)
    np.divide(1, bend, out=scale, where=good & (bend > 0))
    curved = scale[:, None] > 0
    along = np.where(curved, (inverse @ np.where(curved, change, 0)[..., None])[..., 0], 0)
    stretch = (1 + scale * np.einsum("bi,bi->b", np.where(curved, change, 0), along)) * scale
    left = np.stack([step, along], axis=-1)
    scale = scale[:, None]
    right = np.stack([stretch[:, None] * step - scale * along, -scale * step], axis=-2)
    inverse += left @ right
