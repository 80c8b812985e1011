"""A whole batch of fits at once: the bootstrap's engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.models.sem.likelihood import Likelihood, log_determinants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A replicate is done within a thousandth of a standard error of its optimum; resampling itself
# moves estimates by one.
DISTANCE = 1e-3
ARMIJO = 1e-4
SHORTEST = 1e-6
# A search this long went through a valley, where BFGS's own curvature can flatter: it is checked.
LATE, CHECKS = 18, 15


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
        Whether the predicted distance to the optimum is below a thousandth of a standard error;
        after a long search that is predicted by exact second derivatives.
    """
    count, enough = len(likelihood.cov), 2 * DISTANCE**2 / n
    phi = np.tile(attempts[0].start, (count, 1))
    value, rounds = np.full(count, np.nan), np.full(count, -1)
    for attempt in attempts:
        left = np.flatnonzero(rounds < 0)
        if len(left):
            found = _search(_of(likelihood, left), attempt, enough)
            phi[left], value[left], rounds[left] = found
            late = left[found[2] > LATE]
            if len(late):
                phi[late], settled = _settled(_of(likelihood, late), phi[late], enough)
                rounds[late[~settled]] = -1
    return phi, value, rounds >= 0


def _settled(likelihood: Likelihood, phi: Array, enough: float) -> tuple[Array, NDArray[np.bool_]]:
    """Take exact Newton steps from points near a minimum; say which arrive at one."""
    phi, settled = phi.copy(), np.zeros(len(phi), bool)
    going, size = np.arange(len(phi)), np.ones(len(phi))
    for _ in range(CHECKS):
        part = _of(likelihood, going)
        point = part.at(phi[going])
        (value, slope), hessian = point.evaluate(), point.hessian()
        upwards = np.isfinite(log_determinants(hessian))
        part, going, value = _of(part, upwards), going[upwards], value[upwards]
        if not len(going):
            break
        move = -np.linalg.solve(hessian[upwards], slope[upwards, :, None])[..., 0]
        fall = -np.einsum("bi,bi->b", slope[upwards], move)
        trial = phi[going] + size[going, None] * move
        lower = part.evaluate(trial)[0] <= value + 1e-12
        phi[going[lower]] = trial[lower]
        settled[going[fall < enough]] = True
        size[going] = np.where(lower, np.minimum(2 * size[going], 1), size[going] / 4)
        going = going[fall >= enough]
        if not len(going):
            break
    return phi, settled


def _of(likelihood: Likelihood, which: NDArray[Any]) -> Likelihood:
    mean = None if likelihood.mean is None else likelihood.mean[which]
    return replace(likelihood, cov=likelihood.cov[which], mean=mean)


def _search(
    likelihood: Likelihood, attempt: Attempt, enough: float
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return estimates, values, and the rounds that each took; -1 where it did not arrive."""
    count = len(likelihood.cov)
    phi = np.tile(attempt.start, (count, 1))
    value, slope = likelihood.evaluate(phi)
    arrived = np.full(count, -1)
    inverse = np.tile(attempt.inverse, (count, 1, 1))
    now = _Search(
        np.arange(count), phi.copy(), value.copy(), slope, inverse, -slope @ attempt.inverse,
        np.ones(count),
    )  # fmt: skip
    for round_ in range(attempt.rounds):
        decrement = -np.einsum("bi,bi->b", now.slope, now.move)
        done = decrement < enough
        if done.any():
            at = now.which[done]
            phi[at], value[at], arrived[at] = now.phi[done], now.value[done], round_
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
    return phi, value, arrived


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
