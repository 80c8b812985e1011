"""Errors and tests that hold without normality: MLM and MLR.

The estimates stay those of maximum likelihood. With A the information of one case and B the mean
square of the cases' scores, errors come from the sandwich ``A^-1 B A^-1 / n``; chi-square is
divided by a factor that brings its mean to its degrees of freedom. Under a sampling design B is n
times the covariance of the mean weighted score instead (`SampledCases.mean_square`); nothing else
changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem import structure as layout
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.missing import PatternLikelihood
from cxstats.models.sem.model import Model, Parameter
from cxstats.models.sem.optimizer import Optimum, maximise, tangent
from cxstats.models.sem.sampled_cases import SampledCases
from cxstats.models.sem.standard_errors import exogenous, inverse_scaled
from cxstats.models.sem.structure import Implied, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SCORED = 2_000  # cases in a block of scores


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """Robust covariances of the estimates, and what chi-square is divided by.

    Attributes
    ----------
    covariance : array (q, q)
    trace : float
        ``tr(A^-1 B)`` along the constraints: what the parameters take up.
    """

    covariance: Array
    trace: float


def sandwich(
    likelihood: Likelihood,
    optimum: Optimum,
    matrices: list[Array],
    observed: bool,
    cases: SampledCases | None = None,
) -> Sandwich:
    """Return the sandwich of a fit.

    Parameters
    ----------
    likelihood, optimum
        The fit.
    matrices : list of array (n_g, p)
        The cases.
    observed : bool
        Whether A is the observed information (MLR: Huber 1967, White 1982) or the expected one
        (MLM: Satorra & Bentler 1994).
    cases : SampledCases, optional
        Their sampling design.
    """
    scores = casewise_scores(likelihood, optimum.phi, matrices, centred=not observed)
    n = len(scores)
    square = mean_square(scores, cases)
    information = optimum.hessian / 2 if observed else optimum.point.information
    along = tangent(optimum.binding)
    bread = along @ inverse_scaled(along.T @ information @ along) @ along.T
    covariance = bread @ square @ bread / n
    fixed = exogenous(likelihood.reduction)
    covariance[fixed] = 0
    covariance[:, fixed] = 0
    return Sandwich(covariance, float(np.trace(bread @ square)))


def mean_square(scores: Array, cases: SampledCases | None) -> Array:
    """Return the mean square of the scores of cases (n, k), or what takes its place in a design."""
    return scores.T @ scores / len(scores) if cases is None else cases.mean_square(scores)


def saturated_trace(matrices: list[Array], sigmas: Array, means: bool) -> float:
    """Return ``tr(W Gamma)`` of unrestricted moments: what there is to take up.

    The mean over cases of ``tr((V (zz' - S))^2) / 2 + z' V z`` with ``V = sigma^-1``, summed over
    the groups.

    Parameters
    ----------
    matrices : list of array (n_g, p)
    sigmas : array (G, p, p)
        The covariances that weigh: the implied ones (MLM) or the sample's (MLR).
    means : bool
        Whether means are modelled.
    """
    total = 0.0
    for matrix, sigma in zip(matrices, sigmas, strict=True):
        z = matrix - matrix.mean(axis=0)
        weight = np.linalg.inv(sigma)
        turned = weight @ (z.T @ z / len(z))
        length = np.einsum("ni,ij,nj->n", z, weight, z)
        cross = np.einsum("ni,ij,nj->n", z, turned @ weight, z)
        trace = (length**2 - 2 * cross + np.trace(turned @ turned)) / 2
        total += float((trace + (length if means else 0)).mean())
    return total


def baseline(likelihood: Likelihood) -> tuple[Likelihood, Optimum]:
    """Return the model in which only observed predictors covary, at its maximum."""
    model = likelihood.reduction.model
    predictors = [p.lhs for p in model.one_group if p.exogenous and p.op == "~~" and p.lhs == p.rhs]
    rows = [Parameter(n, "~~", n, exogenous=n in predictors) for n in model.observed]
    rows += [
        Parameter(a, "~~", b, exogenous=True)
        for i, a in enumerate(predictors)
        for b in predictors[:i]
    ]
    if model.means:
        rows += [Parameter(n, "~1", "", exogenous=n in predictors) for n in model.observed]
    return _at_moments(likelihood, rows)


def _at_moments(likelihood: Likelihood, rows: list[Parameter]) -> tuple[Likelihood, Optimum]:
    """Return a model of moments alone, at the moments."""
    old = likelihood.reduction.model
    parameters = tuple(p._replace(group=g) for g in range(old.n_groups) for p in rows)
    model = Model((), old.observed, parameters, old.n_groups, old.means, (), (), "")
    reduction = Reduction.of(model)
    moved = replace(likelihood, structure=Structure.of(model), reduction=reduction)
    at = {name: i for i, name in enumerate(model.observed)}
    x = [_moment(likelihood, p, at) for p in parameters]
    phi = np.linalg.lstsq(reduction.matrix, np.array(x), rcond=None)[0]
    if isinstance(moved, PatternLikelihood) and len(rows) < len(at) * (len(at) + 1) // 2:
        return moved, maximise(moved.at(phi))
    point, binding = moved.at(phi), np.zeros((0, len(phi)))
    return moved, Optimum(point, float(point.value_and_slope[0]), point.hessian, binding, True, 0)


def unrestricted(likelihood: Likelihood) -> tuple[Likelihood, Optimum]:
    """Return the model without any restriction, at its maximum."""
    model = likelihood.reduction.model
    names = model.observed
    rows = [Parameter(a, "~~", b) for i, a in enumerate(names) for b in names[: i + 1]]
    rows += [Parameter(n, "~1", "") for n in names if model.means]
    return _at_moments(likelihood, rows)


def _moment(likelihood: Likelihood, p: Parameter, at: dict[str, int]) -> float:
    cov, mean = likelihood.moments
    if p.op == "~1":
        assert mean is not None  # only models of means have intercepts
        return float(mean[p.group, at[p.lhs]])
    return float(cov[p.group, at[p.lhs], at[p.rhs]])


def scaling(
    likelihood: Likelihood,
    optimum: Optimum,
    matrices: list[Array],
    df: int,
    observed: bool,
    cases: SampledCases | None = None,
) -> float:
    """Return what chi-square is divided by; NaN without degrees of freedom.

    ``(tr(W Gamma) - tr(A^-1 B)) / df``: with the implied covariances and the expected information
    that is Satorra & Bentler (1994), with the sample's and the observed one Yuan & Bentler (2000)
    in the form of Asparouhov & Muthen (2005).
    """
    if df == 0:
        return float("nan")
    if isinstance(likelihood, PatternLikelihood) or cases is not None:
        trace = sandwich(*unrestricted(likelihood), matrices, observed, cases).trace
    else:
        sigmas = likelihood.cov if observed else optimum.point.model.sigma
        trace = saturated_trace(matrices, sigmas, likelihood.structure.means)
    return (trace - sandwich(likelihood, optimum, matrices, observed, cases).trace) / df


def corrected(
    fits: Iterable[tuple[Likelihood, Optimum]],
    matrices: list[Array],
    cases: SampledCases | None = None,
) -> list[tuple[float, float]]:
    """Return of each model what robust indices of incomplete cases need: chi-square and ``tr``.

    The model's estimates are set against the unrestricted moments as if those came from complete
    cases; the trace is that chi-square's mean where the model holds. With W and B the observed
    information and the mean square of the scores of unrestricted moments, V the information of
    complete cases and D the derivatives of the implied moments it is ``tr(Q' V Q W^-1 B W^-1)``,
    ``Q = I - D (D' W D)^-1 D' W``.

    Parameters
    ----------
    fits : iterable of (PatternLikelihood, Optimum)
        Models of the same cases.
    matrices : list of array (n_g, p)
        The cases.
    cases : SampledCases, optional
        Their sampling design.

    References
    ----------
    Zhang & Savalei (2023). New computations for RMSEA and CFI following FIML and TS estimation
    with missing data. Psychological Methods 28, 263-283: FIML-C, version 3.
    """
    fits = list(fits)
    free, top = unrestricted(fits[0][0])
    scores = casewise_scores(free, top.phi, matrices)
    n, weight = len(scores), top.hessian / 2
    inverse = inverse_scaled(weight)
    gamma = inverse @ mean_square(scores, cases) @ inverse
    complete = _as_complete(free).information(top.phi)
    out = []
    for likelihood, optimum in fits:
        completed = _as_complete(likelihood)
        slopes = likelihood.jacobian(optimum.phi) @ tangent(optimum.binding)
        pull = slopes.T @ weight
        left = np.eye(len(weight)) - slopes @ inverse_scaled(pull @ slopes) @ pull
        chisq = n * float(completed.evaluate(optimum.phi)[0] - completed.saturated())
        out.append((chisq, float(np.trace(left.T @ complete @ left @ gamma))))
    return out


def _as_complete(likelihood: Likelihood) -> Likelihood:
    """Return the likelihood of the unrestricted moments, as if they came from complete cases."""
    return Likelihood(
        likelihood.structure, likelihood.reduction, *likelihood.moments, likelihood.share
    )


def casewise_scores(
    likelihood: Likelihood, phi: Array, matrices: list[Array], centred: bool = False
) -> Array:
    """Return the derivatives of each case's log-likelihood, (n, q).

    ``w (z' W u z' W v - u' W v) + z' W u s`` for a parameter with vectors u and v of the pool,
    weight w and share s in the means; ``z`` is the case about the implied (or sample) means.
    They sum to zero at the maximum.

    Parameters
    ----------
    likelihood : Likelihood
    phi : array (q,)
    matrices : list of array (n_g, p)
        The cases of every group, with NaN under a likelihood of patterns.
    centred : bool
        About the sample's moments instead of the implied ones, for each group: what remains is
        sampling error alone, even where equalities over groups do not hold.
    """
    return np.concatenate(list(score_blocks(likelihood, phi, matrices, centred)))


def score_blocks(
    likelihood: Likelihood, phi: Array, matrices: list[Array], centred: bool = False
) -> Iterator[Array]:
    """Yield the rows of `casewise_scores` in blocks, so that those of many cases fit in memory."""
    groups = likelihood.reduction.groups
    for g, (matrix, free) in enumerate(zip(matrices, groups, strict=True)):
        for scores in _blocks_of_group(likelihood, phi, g, matrix, free.rows, centred):
            by_free = np.zeros((len(scores), len(phi)))
            by_free[:, free.columns] = scores @ free.matrix
            yield by_free


def scores_by_place(
    likelihood: Likelihood, phi: Array, matrices: list[Array], places: NDArray[np.intp]
) -> Array:
    """Return the same by parameters that need not be free, (n, k), at places (k,) among all."""
    rows = []
    group, place = np.divmod(places, likelihood.structure.matrix.size)
    for g, matrix in enumerate(matrices):
        at = np.flatnonzero(group == g)
        for scores in _blocks_of_group(likelihood, phi, g, matrix, place[at]):
            by_place = np.zeros((len(scores), len(places)))
            by_place[:, at] = scores
            rows.append(by_place)
    return np.concatenate(rows)


def _blocks_of_group(
    likelihood: Likelihood,
    phi: Array,
    group: int,
    matrix: Array,
    columns: NDArray[np.intp],
    centred: bool = False,
) -> Iterator[Array]:
    """Yield the scores of the cases of a group by some of its parameters."""
    if isinstance(likelihood, PatternLikelihood):
        yield _scores_of_patterns(likelihood, phi, group, matrix, columns)
        return
    point = likelihood.at(phi)
    mu = point.model.mu
    mean = matrix.mean(axis=0) if centred or mu is None else mu[group]
    model, inverse = point.model.block(group), point.inverse[group]
    step = max(len(matrix), 1) if centred else SCORED
    for first in range(0, len(matrix), step):
        cases = matrix[first : first + step] - mean
        scores = _scores(likelihood, model, inverse, cases, columns)
        yield scores - scores.mean(axis=0) if centred else scores


def _scores_of_patterns(
    likelihood: PatternLikelihood,
    phi: Array,
    group: int,
    matrix: Array,
    columns: NDArray[np.intp],
) -> Array:
    answered = ~np.isnan(matrix)
    out = np.zeros((len(matrix), len(columns)))
    model = likelihood.implied(phi).block(group)
    assert model.mu is not None  # patterns always have means
    for members, inverse, present in likelihood.by_pattern(phi, group, matrix):
        z = np.where(present, matrix[members] - model.mu, 0)
        out[members] = _scores(likelihood, model, inverse, z, columns)
    return out[answered.any(axis=1)]


def _scores(
    likelihood: Likelihood, model: Implied, inverse: Array, z: Array, columns: NDArray[np.intp]
) -> Array:
    structure = likelihood.structure
    pool = layout.pool(model)
    shift = layout.mean_weights(structure, model)[columns]
    turned = inverse @ pool
    a, b = structure.a[columns], structure.b[columns]
    pull = z @ turned
    level = np.einsum("ik,ik->k", pool[:, a], turned[:, b])
    out: Array = (pull[:, a] * pull[:, b] - level) * structure.weight[columns] + pull[:, a] * shift
    return out
