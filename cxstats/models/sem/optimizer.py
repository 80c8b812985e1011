"""The search for the maximum of the likelihood, to the last digit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem.bordered import Border
from cxstats.models.sem.constraints import Pairs, Reduction
from cxstats.models.sem.likelihood import Likelihood, Point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# The decrement g' H^-1 g is free of units: half of it is what F can still fall, and sqrt(N / 2)
# times its root is the distance to the optimum in standard errors.
NEAR, EXACT, ENOUGH = 1e-4, 1e-22, 1e-14
MAX_SCORING, MAX_NEWTON = 200, 100
HALVINGS = 30
ARMIJO = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    point : Point
        The free parameters, and the model at these.
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

    point: Point
    value: float
    hessian: Array
    binding: Array
    converged: bool
    steps: int

    @property
    def phi(self) -> Array:
        """Free parameters (q,)."""
        return self.point.phi


def maximise(start: Point) -> Optimum:
    """Find the maximum-likelihood estimates from a start.

    Fisher scoring with step halving comes near; damped Newton steps with exact second
    derivatives go to machine precision. Equations that are not linear and bounds go through
    scipy's SLSQP first and Newton steps on the Lagrangian after.
    """
    reduction = start.likelihood.reduction
    if reduction.equations or reduction.bounds:
        return _constrained(start)
    return _newton(*_scoring(start))


def _scoring(point: Point) -> tuple[Point, int]:
    likelihood = point.likelihood
    value, slope = point.value_and_slope
    for steps in range(1, MAX_SCORING):
        move = -solve(2 * point.information, slope, likelihood.reduction.border)
        decrement = -slope @ move
        if not decrement > NEAR:
            return point, steps
        size = 1.0
        for _ in range(HALVINGS):
            trial = likelihood.at(point.phi + size * move)
            new_value, new_slope = trial.value_and_slope
            if new_value <= value - ARMIJO * size * decrement:
                break
            size /= 2
        else:
            return point, steps
        point, value, slope = trial, new_value, new_slope
    return point, MAX_SCORING


def _newton(point: Point, steps: int) -> Optimum:
    """Take Newton steps, damped towards steepest descent while F would not fall."""
    likelihood = point.likelihood
    (value, slope), hessian = point.value_and_slope, point.hessian
    damping = 0.0
    for _ in range(MAX_NEWTON):
        ridge = damping * np.diag(np.abs(np.diagonal(hessian)))
        move = -solve(hessian + ridge, slope, likelihood.reduction.border)
        fall = -slope @ move
        if damping == 0 and 0 <= fall < EXACT:
            break
        trial = likelihood.at(point.phi + move)
        new_value, new_slope = trial.value_and_slope
        steps += 1
        if fall > 0 and new_value <= value + 1e-12 * abs(value):
            # Steps that no longer lower F beyond rounding end the search.
            ended = fall < EXACT or (damping == 0 and fall < ENOUGH and new_value >= value)
            point, value, slope, hessian = trial, new_value, new_slope, trial.hessian
            damping = 0.0 if damping < 1e-6 else damping / 8
            if ended:
                break
        elif damping > 1e8:
            break
        else:
            damping = max(8 * damping, 1e-5)
    binding = np.zeros((0, len(point.phi)))
    return _ended(likelihood, Optimum(point, float(value), hessian, binding, False, steps), slope)


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


def _constrained(start: Point) -> Optimum:
    """Minimise under equations and bounds."""
    from scipy.optimize import minimize

    likelihood, reduction = start.likelihood, start.likelihood.reduction
    scale = np.sqrt(np.abs(np.diagonal(start.information))) + 1e-8

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
    free, steps = _scoring(_unbound(likelihood).at(start.phi))
    try:
        result = minimize(
            objective,
            free.phi * scale,
            jac=True,
            method="SLSQP",
            constraints=constraints,
            options={"maxiter": 1000, "ftol": 1e-14},
        )
        return _lagrangian(likelihood, result.x / scale, steps + result.nfev)
    except (np.linalg.LinAlgError, ValueError):  # conditions that are no numbers
        q = len(start.phi)
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
        return _newton(_unbound(likelihood).at(phi), steps)
    q, k = len(phi), len(pairs)
    for _ in range(MAX_NEWTON):
        point = likelihood.at(phi)
        slope, hessian = point.value_and_slope[1], point.hessian
        binding, gaps = reduction.slopes(pairs, phi), reduction.gaps(pairs, phi)
        force: Any = np.linalg.lstsq(binding.T, -slope, rcond=None)[0]
        bent = hessian + _bend(reduction, pairs, phi, force)
        system = np.block([[bent, binding.T], [binding, np.zeros((k, k))]])
        move: Any = np.linalg.lstsq(system, -np.append(slope, gaps), rcond=1e-14)[0][:q]
        phi = phi + move
        steps += 1
        if move @ np.abs(hessian) @ np.abs(move) < EXACT:
            break
    point, binding = likelihood.at(phi), reduction.slopes(pairs, phi)
    value, slope = point.value_and_slope
    last = Optimum(point, float(value), point.hessian, binding, False, steps)
    return _ended(likelihood, last, slope)


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
