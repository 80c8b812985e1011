"""Standard errors of estimates, of what is computed from them, and of residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem import structure as layout
from cxstats.models.sem.bordered import Border
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.likelihood import Likelihood, Point
from cxstats.models.sem.missing import PatternLikelihood
from cxstats.models.sem.optimizer import Optimum, tangent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def covariance_of_estimates(
    likelihood: Likelihood, optimum: Optimum, n: int, observed: bool = False
) -> Array:
    """Return the covariances of the free parameters, (q, q).

    ``K (K' I K)^-1 K' / n``, with I the expected information of one case or half the second
    derivatives of F, and K the directions that binding constraints leave open. Moments of
    observed predictors are taken as given: their rows are zero.

    Parameters
    ----------
    likelihood, optimum
        The fit.
    n : int
        Cases.
    observed : bool
        Use the observed information.
    """
    information = optimum.hessian / 2 if observed else optimum.point.information
    return free_inverse(likelihood, optimum, information) / n


def standardisation(likelihood: Likelihood, optimum: Optimum) -> Array | None:
    """Return how estimates move when the variables are standardised in every sample, (q, q).

    Correlations vary less than covariances do: a sample whose variances are larger has larger
    loadings, and its correlations show nothing of it. With ``R = D^-1/2 Sigma D^-1/2`` and D the
    implied variances, estimates from correlations move by ``J^+ dR`` where those from covariances
    move by one unit, J the derivatives of Sigma. That holds for a model that can take up any
    change of scale (Cudeck 1989); None for one that cannot, as with equal loadings.

    References
    ----------
    Cudeck (1989). Analysis of correlation matrices using covariance structure models.
    Psychological Bulletin 105, 317-327.
    """
    if len(optimum.binding):
        return None
    slopes, model = likelihood.jacobian(optimum.phi), optimum.point.model
    p = model.sigma.shape[-1]
    row, column = np.tril_indices(p)
    turned = slopes.reshape((len(likelihood.share), -1, slopes.shape[1])).copy()
    for g, sigma in enumerate(model.sigma):
        variances = np.diagonal(sigma)
        if not np.allclose(variances, np.diagonal(likelihood.moments[0][g]), rtol=1e-6, atol=0):
            return None
        of_group = turned[g, : len(row)]
        relative = of_group[row == column] / variances[:, None]
        of_group -= sigma[row, column][:, None] * (relative[row] + relative[column]) / 2
        if model.mu is not None:
            turned[g, len(row) :] -= model.mu[g][:, None] * relative / 2
    changes = turned.reshape(slopes.shape)
    scale = np.linalg.norm(slopes, axis=0)
    scale = np.where(scale > 0, scale, 1)
    moves = np.linalg.lstsq(slopes / scale, changes, rcond=None)[0] / scale[:, None]
    missed = np.abs(slopes @ moves - changes).max(axis=0)
    return moves if (missed <= 1e-6 * scale).all() else None


def inverse_scaled(matrix: Array, border: Border | None = None) -> Array:
    """Return the inverse of a symmetric matrix whose rows differ in scale; NaN if singular."""
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    scale = np.outer(*[np.where(scale > 0, scale, 1)] * 2)
    scaled = matrix / scale
    inverse: Array = (layout.inverse_of if border is None else border.inverse)(scaled) / scale
    return inverse


def free_inverse(likelihood: Likelihood, optimum: Optimum, information: Array) -> Array:
    """Return ``K (K' I K)^-1 K'`` of the free parameters, (q, q).

    K are the directions that binding constraints leave open; rows of moments of observed
    predictors, which are taken as given, are zero.
    """
    if len(optimum.binding):
        along = tangent(optimum.binding)
        inverse = along @ inverse_scaled(along.T @ information @ along) @ along.T
    else:
        inverse = inverse_scaled(information, likelihood.reduction.border)
    fixed = exogenous(likelihood.reduction)
    inverse[fixed] = 0
    inverse[:, fixed] = 0
    return inverse


def exogenous(reduction: Reduction) -> NDArray[np.bool_]:
    """Return which free parameters are moments of observed predictors, (q,)."""
    marked = np.array([p.exogenous for p in reduction.model.parameters])
    nonzero = reduction.matrix != 0
    fixed: NDArray[np.bool_] = nonzero[marked].any(axis=0) & ~nonzero[~marked].any(axis=0)
    return fixed


def delta_errors(point: Point, covariance: Array) -> Array:
    """Return standard errors of `Point.quantities` by the delta method; NaN for what is fixed."""
    values = point.quantities
    if not len(point.phi):
        return np.full(len(values), np.nan)
    variance, terms = np.zeros(len(values)), np.zeros(len(values))
    for at, columns, slopes in point.slopes_of_quantities:
        inner = covariance[np.ix_(columns, columns)]
        variance[at] = ((slopes @ inner) * slopes).sum(axis=1)
        # What cancels to nothing but rounding has no error.
        terms[at] = slopes**2 @ np.diagonal(inner)
    estimated = (variance > 1e-13 * terms) & (variance > (1e-9 * values) ** 2)
    errors: Array = np.sqrt(np.where(estimated, variance, np.nan))
    return errors


def residual_z(likelihood: Likelihood, optimum: Optimum, n: int) -> Array:
    """Return residual covariances over their standard errors, (G, p, p).

    Moments among observed predictors are given: they have no residual, and what is left of Gamma
    is that of the others, given them.

    The residual is ``Q s`` to first order, ``Q = I - D A^-1 D' W`` with D the derivatives of the
    implied covariances, W their normal-theory weight and ``A = D' W D``; its variance is
    ``Q Gamma Q'`` with ``Gamma_ij,kl = (s_ik s_jl + s_il s_jk) / n_g`` of the sample. NaN where
    the model leaves none, or cases are incomplete.

    References
    ----------
    Ogasawara (2001). Standard errors of fit indices using residuals. Psychometrika 66, 421-436.
    """
    covs = likelihood.moments[0]
    out = np.full(covs.shape, np.nan)
    if isinstance(likelihood, PatternLikelihood):
        return out  # Gamma is that of complete cases
    row, column = np.tril_indices(covs.shape[-1])
    inverse = free_inverse(likelihood, optimum, optimum.point.information)
    names = {q.lhs for q in likelihood.reduction.model.one_group if q.exogenous}
    x = np.array([name in names for name in likelihood.reduction.model.observed])
    among_predictors = x[row] & x[column]
    model = optimum.point.model
    slopes = likelihood.jacobians(optimum.phi)
    for g, free in enumerate(likelihood.reduction.groups):
        share, columns = likelihood.share[g], free.columns
        s, weight = covs[g], layout.inverse_of(model.sigma[g])
        group_slopes = slopes[g][: len(row)]
        # Of Q = I - D B only the q columns of D and rows of B are formed.
        b = share * inverse[np.ix_(columns, columns)] @ _weighted(group_slopes, weight).T
        gamma = _SampledCovariances.of(s, x)
        gamma_b = gamma.times(b)
        variance = gamma.diagonal - 2 * (group_slopes * gamma_b).sum(axis=1)
        variance += ((group_slopes @ (b @ gamma_b)) * group_slopes).sum(axis=1)
        gap = (s - model.sigma[g])[row, column]
        with np.errstate(invalid="ignore", divide="ignore"):
            z = gap / np.sqrt(variance / (n * share))
        z[(variance < 1e-12 * gamma.diagonal) | among_predictors] = np.nan
        out[g, row, column] = out[g, column, row] = z
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _SampledCovariances:
    """Gamma of normal data, given the moments of observed predictors; never formed.

    A vector v of a lower triangle is that of a symmetric matrix V: ``Gamma v`` is the triangle of
    ``S V S``, V having its diagonal doubled. Given the predictors x, the part that their own block
    M tells, ``P M P'`` with ``P = S_x S_xx^-1``, is taken off.

    Attributes
    ----------
    cov : array (p, p)
        S.
    fixed : array (p,)
        Which variables are predictors.
    projection : array (p, x)
        P.
    """

    cov: Array
    fixed: NDArray[np.bool_]
    projection: Array

    @classmethod
    def of(cls, cov: Array, fixed: NDArray[np.bool_]) -> _SampledCovariances:
        inner = np.linalg.inv(cov[np.ix_(fixed, fixed)])
        return cls(cov, fixed, cov[:, fixed] @ inner)

    @property
    def diagonal(self) -> Array:
        """The variances of the covariances (p*,)."""
        row, column = np.tril_indices(len(self.cov))
        told = self.projection @ self.cov[self.fixed]
        total, of_predictors = (
            s[row, row] * s[column, column] + s[row, column] ** 2 for s in (self.cov, told)
        )
        out: Array = total - of_predictors
        return out

    def times(self, rows: Array) -> Array:
        """Return ``Gamma rows'`` (p*, q) of rows (q, p*)."""
        row, column = np.tril_indices(len(self.cov))
        full = np.zeros((len(rows), *self.cov.shape))
        full[:, row, column] = full[:, column, row] = rows
        diagonal = np.arange(len(self.cov))
        full[:, diagonal, diagonal] *= 2
        at = np.flatnonzero(self.fixed)
        full[:, at[:, None], at] = 0
        full = self.cov @ full @ self.cov
        told = self.projection @ full[:, at[:, None], at] @ self.projection.T
        out: Array = (full - told)[:, row, column].T
        return out


def _weighted(slopes: Array, weight: Array) -> Array:
    """Return the normal-theory weight times derivatives of a lower triangle, (p*, q)."""
    row, column = np.tril_indices(len(weight))
    full = np.zeros((slopes.shape[1], *weight.shape))
    full[:, row, column] = full[:, column, row] = slopes.T
    turned = weight @ full @ weight
    out: Array = turned[:, row, column].T * np.where(row == column, 0.5, 1.0)[:, None]
    return out
