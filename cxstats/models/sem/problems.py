"""What is wrong with a model or its solution, named, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cxstats.core.moments import correlations
from cxstats.models.fitted_model import ModelProblem
from cxstats.models.sem.constraints import broken
from cxstats.models.sem.likelihood import Likelihood, Point
from cxstats.models.sem.model import Model
from cxstats.models.sem.optimizer import Optimum, tangent
from cxstats.models.sem.standard_errors import (
    covariance_of_estimates,
    delta_errors,
    exogenous,
)
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Share of the largest singular value below which a direction is not identified.
RANK = 1e-9
# Smallest eigenvalue of the (scaled) products above which there is no need to look closer.
PLAIN = 1e-8
# Smallest eigenvalue of the information, in the metric of correlations, of a usable solution:
# below it standard errors are a hundred times those of separate estimates.
SINGULAR = 1e-4
# Variance inflation of a predictor that the others all but repeat.
INFLATION = RULES["kutner2005"]
# Standard error of a standardised estimate above which it says nothing.
IMPRECISE = 1.0
# Standardised loading over its error below which a marker is not different from zero (5 %).
MARKER = 1.96
# Probability above which the model without any relations is not rejected.
LEVEL = 0.05
# By how much an equation or a bound may be missed: rounding.
UNMET = 1e-6


@dataclass(frozen=True, slots=True)
class Problem(ModelProblem):
    """Something that makes a solution doubtful.

    Attributes
    ----------
    kind : str
        One of ``not_identified``, ``too_many``, ``not_converged``, ``near_singular``,
        ``negative_variance``, ``correlation``, ``not_positive``, ``collinear``, ``no_solution``,
        ``unmet``, ``undefined``, ``imprecise``, ``unrelated``, ``marker``, ``label_is_variable``;
        of ordered answers also ``rare_category``, ``empty_cells``, ``perfect``, ``indefinite``.
    names : tuple of str
        The parameters or variables concerned.
    value : float
        The offending number; NaN where there is none.
    """

    texts: ClassVar[str] = "sem.problem.{}"
    fatal_kinds: ClassVar[frozenset[str]] = frozenset(
        ("not_identified", "too_many", "not_converged", "near_singular", "no_solution", "unmet")
    )


def unidentified(start: Point) -> tuple[Problem, ...]:
    """Return the parameters that no data can tell apart, before anything is fitted.

    The derivatives of the implied moments must have full rank at a point in general position:
    the start, moved at random (local identification; Bekker, Merckens & Wansbeek 1994).
    Equations that are not linear count as moments.

    Parameters
    ----------
    start : Point
    """
    likelihood, reduction = start.likelihood, start.likelihood.reduction
    q = len(start.phi)
    if q == 0:
        return ()
    # An information of one case is the unit in which a parameter can be moved.
    information = np.diagonal(start.information)
    unit = 1 / np.sqrt(np.where(information > 0, information, 1))
    point = start.phi + np.random.default_rng(0).uniform(0.02, 0.12, q) * unit
    if reduction.border.inner and _identified_by_groups(likelihood, point):
        return ()
    return _unidentified_at(likelihood, point)


def _unidentified_at(likelihood: Likelihood, point: Array) -> tuple[Problem, ...]:
    """Return the parameters along which nothing moves at a point, from all derivatives at once."""
    reduction, q = likelihood.reduction, len(point)
    slopes = likelihood.jacobian(point) / likelihood.units()[:, None]
    if reduction.equations:
        slopes = np.vstack([slopes, reduction.slopes(reduction.equations, point)])
    if not np.isfinite(slopes).all():
        return (Problem("no_solution"),)
    scale = np.linalg.norm(slopes, axis=0)
    if scale.min() > 0 and np.linalg.eigvalsh(correlations(slopes.T @ slopes))[0] > PLAIN:
        return ()
    values, directions = np.linalg.svd(slopes / np.where(scale > 0, scale, 1))[1:]
    values = np.append(values, np.zeros(max(0, q - len(values))))
    null = directions[values < RANK * max(values[0], 1e-300)]
    if not len(null):
        return ()
    size = np.sqrt((null**2).sum(axis=0))
    names = _names(reduction.model, reduction.matrix, size > 1e-6)
    statistics = len(slopes)
    if q > statistics:
        return (Problem("too_many", names, float(q - statistics)),)
    return (Problem("not_identified", names, float(len(null))),)


def _identified_by_groups(likelihood: Likelihood, point: Array) -> bool:
    """Return whether the derivatives have full rank, from their products group by group.

    Equations only add rows: what is identified without them stays so.
    """
    products = np.zeros((len(point), len(point)))
    units = np.split(likelihood.units(), likelihood.n_groups)
    by_group = zip(likelihood.reduction.groups, likelihood.jacobians(point), units, strict=True)
    for free, slopes, unit in by_group:
        scaled = slopes / unit[:, None]
        products[np.ix_(free.columns, free.columns)] += scaled.T @ scaled
    if not (np.isfinite(products).all() and (np.diagonal(products) > 0).all()):
        return False
    plain = correlations(products) - PLAIN * np.eye(len(products))
    return likelihood.reduction.border.positive(plain)


def _names(model: Model, matrix: Array, which: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return the parameters behind some free ones, at most six."""
    rows = np.flatnonzero((matrix[:, which] != 0).any(axis=1))
    names = [_name(model, i) for i in rows]
    return (*names[:6], "…") if len(names) > 6 else tuple(names)


def _name(model: Model, i: int | np.intp) -> str:
    p = model.parameters[i]
    return str(p) if model.n_groups == 1 else f"{p} [{p.group + 1}]"


def improper(likelihood: Likelihood, optimum: Optimum) -> tuple[Problem, ...]:
    """Return what is wrong with a solution: no convergence, or one that no data can have."""
    if not np.isfinite(optimum.value):
        return (Problem("no_solution"),)
    unmet = tuple(broken(likelihood.reduction, optimum.phi, UNMET))
    if unmet:
        return (Problem("unmet", unmet),)
    if not optimum.converged:
        return (
            Problem("not_converged", value=float(optimum.steps)),
            *_collinear(likelihood, optimum),
        )
    problems = []
    smallest = _smallest(likelihood, optimum)
    if smallest < SINGULAR:
        problems.append(Problem("near_singular", value=smallest))
    x, standardised = likelihood.reduction.all(optimum.phi), optimum.point.standardised
    problems += [
        Problem("negative_variance", (_name(likelihood.reduction.model, i),), float(x[i]))
        for i, p in enumerate(likelihood.reduction.model.parameters)
        if p.op == "~~" and p.lhs == p.rhs and _below_zero(standardised[i], x[i])
    ]
    return (*problems, *_latent_problems(likelihood, optimum), *_collinear(likelihood, optimum))


def doubtful(
    likelihood: Likelihood, optimum: Optimum, n: int, baseline_p: float, sound: bool
) -> tuple[Problem, ...]:
    """Return what makes the numbers of a solution empty.

    Defined parameters that are not finite, standardised estimates that the data do not determine,
    markers that are unrelated to their latent, and variables that hardly correlate.

    Parameters
    ----------
    likelihood, optimum
        The fit.
    n : int
        Cases.
    baseline_p : float
        Probability of a larger chi-square of the model without any relations.
    sound : bool
        Whether there is a solution.
    """
    problems = []
    if baseline_p > LEVEL:
        problems.append(Problem("unrelated", value=baseline_p))
    if not (sound or optimum.converged):
        return tuple(problems)
    model = likelihood.reduction.model
    count = len(model.parameters)
    half = count + len(model.definitions)
    values = optimum.point.quantities[count:half]
    with np.errstate(all="ignore"):
        covariance = covariance_of_estimates(likelihood, optimum, n, observed=True)
        errors = delta_errors(optimum.point, covariance)[half:]
    # Where the solution is near-singular, this may be why.
    marker = _unrelated_marker(optimum.point, errors)
    if not sound:
        return (*problems, *marker)
    undefined = [
        definition.name
        for definition, value in zip(model.definitions, values, strict=True)
        if not np.isfinite(value)
    ]
    if undefined:
        problems.append(Problem("undefined", tuple(undefined)))
    # A standardised intercept is a mean in standard deviations: its error grows with the mean.
    judged = np.array([parameter.op != "~1" for parameter in model.parameters])
    imprecise = np.flatnonzero((errors[:count] > IMPRECISE) & judged)
    if len(imprecise):
        names = tuple(_name(model, i) for i in imprecise)
        shortened = (*names[:6], "…") if len(names) > 6 else names
        problems.append(Problem("imprecise", shortened, float(errors[imprecise].max())))
    return (*problems, *marker)


def _unrelated_marker(point: Point, errors: Array) -> list[Problem]:
    """Return the markers whose standardised loading is not different from zero."""
    model, std = point.likelihood.reduction.model, point.standardised
    with np.errstate(all="ignore"):
        distance = np.abs(std) / errors[: len(std)]
    markers = [i for i in _markers(model) if distance[i] < MARKER]
    if not markers:
        return []
    weakest = min(markers, key=lambda i: float(distance[i]))
    return [Problem("marker", tuple(_name(model, i) for i in markers), float(std[weakest]))]


def _markers(model: Model) -> list[int]:
    """Return the loadings that alone give a latent its unit, where others are free."""
    loadings: dict[tuple[str, int], list[int]] = {}
    for i, p in enumerate(model.parameters):
        if p.op == "=~":
            loadings.setdefault((p.lhs, p.group), []).append(i)
    scaled = {
        (p.lhs, p.group) for p in model.parameters if p.op == "~~" and p.lhs == p.rhs and p.fixed
    }
    markers = []
    for latent, places in loadings.items():
        fixed = [i for i in places if model.parameters[i].fixed]
        if latent not in scaled and len(fixed) == 1 and len(places) > 1:
            markers += fixed
    return markers


def _below_zero(share: float, value: float) -> bool:
    """Return whether a variance is negative; its share is NaN where the whole is not positive."""
    return value < 0 and not share >= -1e-9


def _smallest(likelihood: Likelihood, optimum: Optimum) -> float:
    """Return the smallest eigenvalue of the information, scaled to a diagonal of ones.

    Of many groups 1, where it is above `SINGULAR`: that is told without eigenvalues.
    """
    information = optimum.point.information
    if len(optimum.binding):
        along = tangent(optimum.binding)
        information = along.T @ information @ along
    else:
        free = np.flatnonzero(~exogenous(likelihood.reduction))
        border = likelihood.reduction.border
        if border.inner and len(free) == len(information):
            regular = correlations(information) - SINGULAR * np.eye(len(information))
            if border.positive(regular):
                return 1.0
        information = information[np.ix_(free, free)]
    if not len(information):
        return 1.0
    return float(np.linalg.eigvalsh(correlations(information))[0])


def _latent_problems(likelihood: Likelihood, optimum: Optimum) -> list[Problem]:
    """Return what is wrong with the implied covariances of the latents."""
    core, model = likelihood.structure.core, likelihood.reduction.model
    at = [i for i, name in enumerate(core) if name in model.latents]
    problems = []
    for total in optimum.point.model.total[:, at][:, :, at]:
        variance = np.diagonal(total)
        if not (variance > 0).all():
            problems += [
                Problem("negative_variance", (core[at[i]],), float(variance[i]))
                for i in np.flatnonzero(variance <= 0)
            ]
            continue
        r = correlations(total)
        beyond = [
            Problem("correlation", (core[at[i]], core[at[j]]), float(r[i, j]))
            for i, j in combinations(range(len(at)), 2)
            if abs(r[i, j]) >= 1 + 1e-9
        ]
        if not beyond and len(at) > 2 and np.linalg.eigvalsh(r)[0] < -1e-9:
            beyond = [Problem("not_positive", value=float(np.linalg.eigvalsh(r)[0]))]
        problems += beyond
    return problems


def _collinear(likelihood: Likelihood, optimum: Optimum) -> list[Problem]:
    """Return latent predictors of one variable that all but repeat each other."""
    model, core = likelihood.reduction.model, likelihood.structure.core
    place = {name: i for i, name in enumerate(core)}
    pairs: dict[tuple[str, str], float] = {}
    for total in optimum.point.model.total:
        for outcome in model.outcomes:
            into = [p.rhs for p in model.one_group if p.op == "~" and p.lhs == outcome]
            if len(into) < 2 or not any(name in model.latents for name in into):
                continue
            at = [place[name] for name in into]
            inner = total[np.ix_(at, at)]
            if not (np.diagonal(inner) > 0).all():
                continue
            r = correlations(inner)
            regular = np.linalg.eigvalsh(r)[0] > 1e-9
            if regular and INFLATION.band(np.diagonal(np.linalg.inv(r)).max()) == 0:
                continue
            off = np.abs(r - np.eye(len(r)))
            i, j = sorted(divmod(int(off.argmax()), len(r)))
            pairs[into[i], into[j]] = float(r[i, j])
    return [Problem("collinear", pair, value) for pair, value in pairs.items()]
