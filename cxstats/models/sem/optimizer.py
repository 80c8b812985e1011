"""The search for the maximum of the likelihood, to the last digit or for a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cxstats.models.sem.bordered import Border
from cxstats.models.sem.constraints import Pairs, Reduction
from cxstats.models.sem.likelihood import Likelihood, log_determinants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The decrement g' H^-1 g is free of units: half of it is what F can still fall, and sqrt(N / 2)
# times its root is the distance to the optimum in standard errors.
NEAR, EXACT, ENOUGH = 1e-4, 1e-22, 1e-14
MAX_SCORING, MAX_NEWTON = 200, 100
HALVINGS = 30
ARMIJO = 1e-4
# A replicate is done within a thousandth of a standard error of its optimum; resampling itself
# moves estimates by one.
DISTANCE = 1e-3
SHORTEST = 1e-6
# A search this long went through a valley, where BFGS's own curvature can flatter: it is checked.
LATE, CHECKS = 18, 15


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    phi : array (q,)
        Free parameters.
    value : float
        The discrepancy F.
    hessian : array (q, q)
        Second derivatives of F.
    binding : array (k, q)
        Derivatives of the equations and bounds that hold with equality.
    converged : bool
        Whether this is a minimum: no slope left (along the constraints), curved upwards.
    steps : int
        Evaluations it took.
    """

    phi: Array
    value: float
    hessian: Array
    binding: Array
    converged: bool
    steps: int


def maximise(likelihood: Likelihood, start: Array) -> Optimum:
    """Find the maximum-likelihood estimates from a start.

    Fisher scoring with step halving comes near; damped Newton steps with exact second
    derivatives go to machine precision. Equations that are not linear and bounds go through
    scipy's SLSQP first and Newton steps on the Lagrangian after.
    """
    if likelihood.reduction.equations or likelihood.reduction.bounds:
        return _constrained(likelihood, start)
    phi, steps = _scoring(likelihood, start)
    return _newton(likelihood, phi, steps)


def _scoring(likelihood: Likelihood, phi: Array) -> tuple[Array, int]:
    point = likelihood.at(phi)
    value, slope = point.evaluate()
    for steps in range(1, MAX_SCORING):
        move = -solve(2 * point.information(), slope, likelihood.reduction.border)
        decrement = -slope @ move
        if not decrement > NEAR:
            return phi, steps
        size = 1.0
        for _ in range(HALVINGS):
            point = likelihood.at(phi + size * move)
            new_value, new_slope = point.evaluate()
            if new_value <= value - ARMIJO * size * decrement:
                break
            size /= 2
        else:
            return phi, steps
        phi, value, slope = phi + size * move, new_value, new_slope
    return phi, MAX_SCORING


def _newton(likelihood: Likelihood, phi: Array, steps: int) -> Optimum:
    """Take Newton steps, damped towards steepest descent while F would not fall."""
    point = likelihood.at(phi)
    (value, slope), hessian = point.evaluate(), point.hessian()
    damping = 0.0
    for _ in range(MAX_NEWTON):
        ridge = damping * np.diag(np.abs(np.diagonal(hessian)))
        move = -solve(hessian + ridge, slope, likelihood.reduction.border)
        fall = -slope @ move
        if damping == 0 and 0 <= fall < EXACT:
            break
        point = likelihood.at(phi + move)
        new_value, new_slope = point.evaluate()
        steps += 1
        if fall > 0 and new_value <= value + 1e-12 * abs(value):
            # Steps that no longer lower F beyond rounding end the search.
            ended = fall < EXACT or (damping == 0 and fall < ENOUGH and new_value >= value)
            phi, value, slope, hessian = phi + move, new_value, new_slope, point.hessian()
            damping = 0.0 if damping < 1e-6 else damping / 8
            if ended:
                break
        elif damping > 1e8:
            break
        else:
            damping = max(8 * damping, 1e-5)
    binding = np.zeros((0, len(phi)))
    return _ended(likelihood, Optimum(phi, float(value), hessian, binding, False, steps), slope)


def _ended(likelihood: Likelihood, last: Optimum, slope: Array) -> Optimum:
    """Return whether a point is a minimum: along the constraints, F is flat and curves upwards."""
    border = likelihood.reduction.border
    inner, reduced = last.hessian, slope
    if len(last.binding):
        along = tangent(last.binding)
        inner, reduced = along.T @ inner @ along, along.T @ slope
        border = Border((), np.arange(len(inner)))
    scaled = _scaled(inner)[0]
    upwards = bool(np.isfinite(scaled).all()) and border.positive(scaled)
    flat = upwards and bool(abs(reduced @ solve(inner, reduced, border)) < ENOUGH)
    return replace(last, converged=flat)


def tangent(binding: Array) -> Array:
    """Return directions (q, r) in which constraints (k, q) stay as they are."""
    from scipy.linalg import null_space

    return null_space(binding) if len(binding) else np.eye(binding.shape[1])


def solve(matrix: Array, columns: Array, border: Border) -> Array:
    """Return ``matrix^-1 columns``, (q,) or (q, k), for a symmetric matrix.

    Rows may differ in scale.
    """
    scaled, scale = _scaled(matrix)
    right = (columns.T / scale).T
    try:
        if columns.ndim == 1:
            solution = border.solve(scaled, right[:, None])[:, 0]
        else:
            solution = border.solve(scaled, right)
    except np.linalg.LinAlgError:
        solution = np.asarray(np.linalg.lstsq(scaled, right, rcond=1e-12)[0], float)
    out: Array = (solution.T / scale).T
    return out


def _scaled(matrix: Array) -> tuple[Array, Array]:
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    scale = np.where(scale > 0, scale, 1)
    return matrix / np.outer(scale, scale), scale


def _constrained(likelihood: Likelihood, start: Array) -> Optimum:
    """Minimise under equations and bounds."""
    from scipy.optimize import minimize

    reduction = likelihood.reduction
    scale = np.sqrt(np.abs(np.diagonal(likelihood.information(start)))) + 1e-8

    def objective(point: Array) -> tuple[float, Array]:
        value, slope = likelihood.evaluate(point / scale)
        if not np.isfinite(value):
            return 1e10, np.zeros_like(point)
        return float(value), slope / scale

    def constraint(pairs: Pairs, kind: str) -> dict[str, Any]:
        return {
            "type": kind,
            "fun": lambda point: reduction.gaps(pairs, point / scale),
            "jac": lambda point: reduction.slopes(pairs, point / scale) / scale,
        }

    constraints = [
        constraint(pairs, kind)
        for pairs, kind in ((reduction.equations, "eq"), (reduction.bounds, "ineq"))
        if pairs
    ]
    free, steps = _scoring(_unbound(likelihood), start)
    try:
        result = minimize(
            objective,
            free * scale,
            jac=True,
            method="SLSQP",
            constraints=constraints,
            options={"maxiter": 1000, "ftol": 1e-14},
        )
        return _lagrangian(likelihood, result.x / scale, steps + result.nfev)
    except (np.linalg.LinAlgError, ValueError):  # conditions that are no numbers
        q = len(start)
        return Optimum(start, 0.0, np.full((q, q), np.nan), np.zeros((0, q)), False, steps)


def _unbound(likelihood: Likelihood) -> Likelihood:
    reduction = likelihood.reduction
    plain = Reduction(reduction.model, reduction.offset, reduction.matrix, (), ())
    return replace(likelihood, reduction=plain)


def _lagrangian(likelihood: Likelihood, phi: Array, steps: int) -> Optimum:
    """Polish a constrained optimum: Newton steps on slope + J' lambda = 0, gaps = 0."""
    reduction = likelihood.reduction
    touching: Pairs = ()
    if reduction.bounds:
        near = np.flatnonzero(reduction.gaps(reduction.bounds, phi) < 1e-6)
        touching = tuple(reduction.bounds[i] for i in near)
    pairs = (*reduction.equations, *touching)
    if not pairs:
        return _newton(_unbound(likelihood), phi, steps)
    q, k = len(phi), len(pairs)
    for _ in range(MAX_NEWTON):
        slope, hessian = likelihood.evaluate(phi)[1], likelihood.hessian(phi)
        binding, gaps = reduction.slopes(pairs, phi), reduction.gaps(pairs, phi)
        force: Any = np.linalg.lstsq(binding.T, -slope, rcond=None)[0]
        bent = hessian + _bend(reduction, pairs, phi, force)
        system = np.block([[bent, binding.T], [binding, np.zeros((k, k))]])
        move: Any = np.linalg.lstsq(system, -np.append(slope, gaps), rcond=1e-14)[0][:q]
        phi = phi + move
        steps += 1
        if move @ np.abs(hessian) @ np.abs(move) < EXACT:
            break
    value, slope = likelihood.evaluate(phi)
    binding, hessian = reduction.slopes(pairs, phi), likelihood.hessian(phi)
    return _ended(likelihood, Optimum(phi, float(value), hessian, binding, False, steps), slope)


def _bend(reduction: Reduction, pairs: Pairs, phi: Array, force: Array) -> Array:
    """Return the second derivatives of ``force @ gaps``, from differences of exact slopes."""
    step = 1e-6 * np.maximum(1, np.abs(phi))
    out = np.empty((len(phi), len(phi)))
    for i, width in enumerate(step):
        move = np.zeros_like(phi)
        move[i] = width
        rise = reduction.slopes(pairs, phi + move) - reduction.slopes(pairs, phi - move)
        out[i] = force @ rise / (2 * width)
    return (out + out.T) / 2


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
        remaining = np.flatnonzero(rounds < 0)
        if len(remaining):
            result = _search(likelihood.take(remaining), attempt, enough)
            phi[remaining], value[remaining], rounds[remaining] = result
            late = remaining[result[2] > LATE]
            if len(late):
                phi[late], settled = _settled(likelihood.take(late), phi[late], enough)
                rounds[late[~settled]] = -1
    return phi, value, rounds >= 0


def _settled(likelihood: Likelihood, phi: Array, enough: float) -> tuple[Array, NDArray[np.bool_]]:
    """Return the points after exact Newton steps, and which of them are a minimum."""
    phi, settled = phi.copy(), np.zeros(len(phi), bool)
    active, size = np.arange(len(phi)), np.ones(len(phi))
    for _ in range(CHECKS):
        batch = likelihood.take(active)
        point = batch.at(phi[active])
        (value, slope), hessian = point.evaluate(), point.hessian()
        upwards = np.isfinite(log_determinants(hessian))
        batch, active, value = batch.take(upwards), active[upwards], value[upwards]
        if not len(active):
            break
        move = -np.linalg.solve(hessian[upwards], slope[upwards, :, None])[..., 0]
        fall = -np.einsum("bi,bi->b", slope[upwards], move)
        trial = phi[active] + size[active, None] * move
        lower = batch.evaluate(trial)[0] <= value + 1e-12
        phi[active[lower]] = trial[lower]
        settled[active[fall < enough]] = True
        size[active] = np.where(lower, np.minimum(2 * size[active], 1), size[active] / 4)
        active = active[fall >= enough]
        if not len(active):
            break
    return phi, settled


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
        _advance(now, likelihood.take(now.which), decrement)
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
