"""Modification indices: score tests of parameters that a model leaves out, or holds equal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem.bordered import Border
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.model import Model, Parameter
from cxstats.models.sem.optimizer import Optimum, solve, tangent
from cxstats.models.sem.robust import casewise_scores, scores_by_place
from cxstats.models.sem.sampled_cases import SampledCases
from cxstats.models.sem.standardised_solution import standardised
from cxstats.models.sem.structure import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    # The cases of every group, and how they were sampled.
    Scored = tuple[list[Array], SampledCases]

# Candidates with less information per case have nothing to test (lavaan's bound, eps^(1/3)).
LEAST = float(np.finfo(float).eps ** (1 / 3))


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """Score tests of parameters that are fixed at zero.

    Attributes
    ----------
    parameters : tuple of Parameter
        The candidates.
    index : array (k,)
        How much chi-square would fall, about: ``n s^2 / V``.
    change : array (k,)
        Expected value of the parameter if it were free: ``s / V``.
    standardised : array (k,)
        The same in standard deviations.
    """

    parameters: tuple[Parameter, ...]
    index: Array
    change: Array
    standardised: Array


def modification(
    likelihood: Likelihood, optimum: Optimum, n: int, scored: Scored | None = None
) -> Score:
    """Test every parameter that the model leaves out.

    With s the derivative of the log-likelihood of one case and V the information about the
    candidate that the model's own parameters leave, the index is ``n s^2 / V``. Under a sampling
    design it is ``n s^2 / a'B a``: B takes the place of the mean square of the scores, and
    ``a'`` turns them to what the model's own parameters leave of the candidate's.

    References
    ----------
    Sorbom (1989). Model modification. Psychometrika 54, 371-384. White (1982). Maximum likelihood
    estimation of misspecified models. Econometrica 50, 1-25 (score tests).
    """
    added = candidates(likelihood.reduction.model)
    wider = _wider(likelihood, added)
    width, of_model = (
        len(wider.reduction.model.one_group),
        len(likelihood.reduction.model.one_group),
    )
    places = np.concatenate(
        [g * width + np.arange(of_model, width) for g in range(likelihood.n_groups)]
    )
    index, change = score_tests(wider, optimum, places, n, scored)
    std = _standardised_changes(wider, optimum.phi, places, change)
    tested = np.flatnonzero(~np.isnan(index))
    return Score(tuple(added[i] for i in tested), index[tested], change[tested], std[tested])


def releases(
    likelihood: Likelihood, optimum: Optimum, n: int, scored: Scored | None = None
) -> list[tuple[Parameter, float]]:
    """Test every equality over groups: what chi-square would lose if one group were let go.

    Under a sampling design as in `modification`.

    Returns
    -------
    list of (parameter of a later group, index)
    """
    reduction, model = likelihood.reduction, likelihood.reduction.model
    tied = [
        i
        for i, p in enumerate(model.parameters)
        if p.group > 0 and p.label and (reduction.matrix[i] != 0).any()
        and any(o.label == p.label and o.group == 0 for o in model.one_group)
    ]  # fmt: skip
    if not tied:
        return []
    index, _ = score_tests(likelihood, optimum, np.array(tied), n, scored)
    return [(model.parameters[i], float(value)) for i, value in zip(tied, index, strict=True)]


def score_tests(
    likelihood: Likelihood,
    optimum: Optimum,
    places: NDArray[np.intp],
    n: int,
    scored: Scored | None = None,
) -> tuple[Array, Array]:
    """Return index and expected change of parameters that are freed; NaN without information.

    Of the information about thousands of candidates only their variances, and the block between
    them and the q free parameters, are formed.

    Parameters
    ----------
    likelihood, optimum
        The fit.
    places : array (k,)
        The candidates among the parameters of all groups.
    n : int
        Cases.
    scored : cases and their sampling design, optional
    """
    phi, reduction = optimum.phi, likelihood.reduction
    slope = -likelihood.full_gradient(phi)[places] / 2
    cross, diagonal = likelihood.information_about(phi, places)
    inner, border = likelihood.information(phi), reduction.border
    if len(optimum.binding):
        along = tangent(optimum.binding)
        inner, cross = along.T @ inner @ along, along.T @ cross
        border = Border((), np.arange(len(inner)))
    taken = solve(inner, cross, border)
    left = diagonal - np.einsum("ik,ik->k", cross, taken)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(left > LEAST, slope / left, np.nan)
        if scored is None:
            return n * slope * change, change
        turn = along @ taken if len(optimum.binding) else taken
        matrices, cases = scored
        free = casewise_scores(likelihood, phi, matrices)
        freed = scores_by_place(likelihood, phi, matrices, places)
        square = cases.mean_squares(freed - free @ turn)
        return np.where(left > LEAST, n * slope**2 / square, np.nan), change


def _wider(likelihood: Likelihood, candidates: list[Parameter]) -> Likelihood:
    """Return the likelihood with the candidates as parameters that are fixed at zero."""
    reduction, model = likelihood.reduction, likelihood.reduction.model
    n_parameters, groups = len(model.one_group), model.n_groups
    n_candidates = len(candidates) // groups
    parameters, matrices, offset = [], [], []
    for g in range(groups):
        rows = slice(g * n_parameters, (g + 1) * n_parameters)
        columns = slice(g * n_candidates, (g + 1) * n_candidates)
        parameters += [*model.parameters[rows], *candidates[columns]]
        matrices += [reduction.matrix[rows], np.zeros((n_candidates, reduction.matrix.shape[1]))]
        offset.append(np.append(reduction.offset[rows], np.zeros(n_candidates)))
    wide = replace(model, parameters=tuple(parameters), definitions=(), constraints=())
    return replace(
        likelihood,
        structure=Structure.of(wide),
        reduction=Reduction(wide, np.concatenate(offset), np.concatenate(matrices), (), ()),
    )


def _standardised_changes(
    wider: Likelihood, phi: Array, places: NDArray[np.intp], change: Array
) -> Array:
    # One at a time, the scale of a candidate is its slope in the standardised solution at zero.
    x = wider.reduction.all(phi)
    unit = x.copy()
    unit[places] = 1.0
    # Scales depend on sigma, which stays that of the model: so only the rows' factors are read.
    at_model = standardised(wider, x + 1e-30j * (unit - x)).imag / 1e-30
    standardised_change: Array = at_model[places] * change
    return standardised_change


def candidates(model: Model) -> list[Parameter]:
    """Return what a model could have beside, as lavaan lists it; group after group.

    Every latent on every other indicator, covariances of indicators' residuals and of latents,
    and, where there are regressions, paths among their variables that are not observed
    predictors.
    """
    parameters = model.one_group
    included = {(p.lhs, p.op, p.rhs) for p in parameters} | {
        (p.rhs, p.op, p.lhs) for p in parameters if p.op == "~~"
    }
    items = [n for n in model.observed if any(p.op == "=~" and p.rhs == n for p in parameters)]
    regressed = {n for p in parameters if p.op == "~" for n in (p.lhs, p.rhs)}
    x = {p.lhs for p in parameters if p.exogenous}
    rows = [(f, "=~", i) for f in model.latents for i in items if i not in regressed]
    rows += [(a, "~~", b) for a, b in combinations(items, 2)]
    rows += [(a, "~~", b) for a, b in combinations(model.latents, 2)]
    inside = [n for n in (*model.latents, *model.observed) if n in regressed]
    measured = {(p.rhs, p.lhs) for p in parameters if p.op == "=~"}
    rows += [
        (a, "~", b)
        for a in inside
        for b in inside
        if a != b and a not in x and (a, b) not in measured
    ]
    left_out = [row for row in rows if row not in included]
    return [
        Parameter(*row, group=g, fixed=0.0, written=False)
        for g in range(model.n_groups)
        for row in left_out
    ]
