"""Diagonally weighted least squares of polychoric correlations (WLSMV).

Underlying variables have variance 1 (delta parameterisation), so residual variances are no
parameters but what the model leaves: ``theta_ii = 1 - (G Psi G')_ii``. Thresholds are free, so
only correlations tell models apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem import structure as layout
from cxstats.models.sem.bordered import Border
from cxstats.models.sem.constraints import Reduction, complex_step
from cxstats.models.sem.likelihood import Likelihood, Point
from cxstats.models.sem.optimizer import Optimum
from cxstats.models.sem.standard_errors import inverse_scaled
from cxstats.models.sem.structure import Structure, implied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DeltaReduction(Reduction):
    """Parameters as a function of the free ones, residual variances making variances 1.

    Attributes
    ----------
    structure : Structure
        Layout of the parameters; all observed variables are leaves.
    """

    structure: Structure

    @property
    def border(self) -> Border:
        """No blocks: thresholds and scales are not in the matrix."""
        return Border((), np.arange(self.matrix.shape[1]))

    def all(self, phi: Array) -> Array:
        """Return every parameter, (..., T)."""
        x: Array = self.offset + phi @ self.matrix.T
        groups = x.reshape((*x.shape[:-1], self.model.n_groups, -1))  # a view
        sigma = implied(self.structure, groups).sigma
        residuals = self.structure.at[layout.RESIDUAL]
        residuals = residuals[self.structure.row[residuals] == self.structure.column[residuals]]
        left = self.variances(phi) - np.diagonal(sigma, axis1=-2, axis2=-1)
        groups[..., residuals] = left[..., self.structure.row[residuals]]
        return x

    def variances(self, phi: Array) -> Any:
        """Return the variances of the underlying variables, (..., G, p) or 1."""
        return 1


@dataclass(frozen=True, eq=False)
class WeightedSquares(Likelihood):
    """``F = sum w (r - rho(phi))^2`` over the correlations below the diagonal.

    It takes the place of a likelihood: the search, the checks and the delta method are the same.

    Attributes
    ----------
    weight : array (P,)
        One over the diagonal of Gamma.
    gamma : array (P, P)
        n times the asymptotic covariances of the correlations.
    """

    weight: Array
    gamma: Array

    @property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Places of the correlations, in the order of `weight`."""
        return np.triu_indices(self.cov.shape[-1], 1)

    def gaps(self, phi: Array) -> Array:
        """Return the residuals, (..., P)."""
        first, second = self.pairs
        sigma = self.implied(phi).sigma[..., 0, :, :]
        gaps: Array = (self.cov[0] - sigma)[..., first, second]
        return gaps

    def value(self, phi: Array) -> Array:
        """Return F, (...)."""
        return np.asarray((self.weight * self.gaps(phi) ** 2).sum(axis=-1))

    def slopes(self, phi: Array) -> Array:
        """Return the derivatives of the implied correlations, (..., P, q)."""
        p = self.cov.shape[-1]
        first, second = self.pairs
        place = second * (second + 1) // 2 + first  # in a lower triangle, row by row
        assert place.max(initial=0) < p * (p + 1) // 2
        slopes = layout.jacobian(self.structure, self.implied(phi))[..., 0, place, :]
        out: Array = slopes @ self.reduction.matrix
        return out

    def sampling(self, n: int) -> Array:
        """Return the covariances of what is fitted in a sample of n."""
        return self.gamma / (n - self.n_groups)

    def chisq(self, optimum: Optimum, n: int) -> float:
        """Return the plain test of a fit."""
        return max((n - 1) * optimum.value, 0.0)

    def independence(self, n: int) -> tuple[float, Array]:
        """Return the plain test of the model in which nothing correlates, and its U Gamma."""
        first, second = self.pairs
        chisq = (n - 1) * float(self.weight @ self.cov[0][first, second] ** 2)
        return chisq, self.weight[:, None] * self.gamma

    def gradient(self, phi: Array) -> Array:
        """Return the derivatives of F, (..., q), for real or complex parameters."""
        return _gradient(self, phi)

    def at(self, phi: Array) -> Point:
        """Return the model at free parameters (q,)."""
        return SquaresPoint(self, phi, self.implied(phi), np.empty(0))

    def jacobian(self, phi: Array) -> Array:
        """Return derivatives of all covariances at one point, (p*, q); variances have none."""
        p = self.cov.shape[-1]
        first, second = self.pairs
        slopes = self.slopes(phi)
        out = np.zeros((p * (p + 1) // 2, slopes.shape[-1]))
        out[second * (second + 1) // 2 + first] = slopes
        return out


@dataclass(frozen=True, eq=False)
class SquaresPoint(Point):
    """A model at some values of its parameters; the inverse is not needed, and empty."""

    @cached_property
    def value_and_slope(self) -> tuple[Array, Array]:
        """F and its gradient."""
        squares = _of(self.likelihood)
        value = squares.value(self.phi)
        return np.where(np.isnan(value), np.inf, value), squares.gradient(self.phi)

    @cached_property
    def hessian(self) -> Array:
        """The second derivatives of F, (q, q)."""
        squares = _of(self.likelihood)
        derivative = complex_step(squares.gradient, self.phi)
        return (derivative + derivative.T) / 2

    @cached_property
    def information(self) -> Array:
        """Half of what the second derivatives are where the model holds, (q, q)."""
        squares = _of(self.likelihood)
        slopes = squares.slopes(self.phi)
        information: Array = slopes.T @ (squares.weight[:, None] * slopes)
        return information


def _of(likelihood: Likelihood) -> WeightedSquares:
    assert isinstance(likelihood, WeightedSquares)
    return likelihood


def _gradient(squares: WeightedSquares, phi: Array) -> Array:
    """Return ``-2 sum w gap dr``, (..., q).

    That is ``tr(Q dSigma)`` with -w gap beside the diagonal of Q, which `layout.gradient` yields
    at ``W - W S W`` with ``W = I`` and ``S = I - Q``.
    """
    first, second = squares.pairs
    model = squares.implied(phi)
    gaps = squares.cov[0] - model.sigma
    s = np.zeros_like(gaps) + np.eye(gaps.shape[-1])
    pull = squares.weight * gaps[..., first, second]
    s[..., first, second] += pull
    s[..., second, first] += pull
    slope = layout.gradient(squares.structure, model, np.eye(s.shape[-1]), s, None)
    return squares.reduced(slope)


def sandwich(squares: WeightedSquares, optimum: Optimum, n: int) -> Array:
    """Return the covariances of the free parameters, ``E^-1 D'V Gamma V D E^-1 / (n - 1)``.

    D are the derivatives of the correlations, V the weights and ``E = D'V D``.
    """
    slopes = squares.slopes(optimum.phi)
    weighted = squares.weight[:, None] * slopes
    bread = inverse_scaled(slopes.T @ weighted)
    covariance: Array = bread @ (weighted.T @ squares.sampling(n) @ weighted) @ bread
    return covariance


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A sum of weighted squares, scaled and shifted to the mean and variance of a chi-square.

    Attributes
    ----------
    chisq : float
        The plain one; its distribution is not chi-square.
    scaled : float
        ``chisq / scaling + shift``.
    scaling, shift : float
    """

    chisq: float
    scaled: float
    scaling: float
    shift: float


def adjusted(chisq: float, product: Array, df: int) -> Adjusted:
    """Return the test of Asparouhov & Muthen (2010).

    With ``a = sqrt(df / tr((U Gamma)^2))`` it is ``a T + df - a tr(U Gamma)``; the scaling factor
    is 1 / a.

    Parameters
    ----------
    chisq : float
        T.
    product : array
        U Gamma, which may be any matrix with the same traces.
    df : int
        Degrees of freedom.

    References
    ----------
    Asparouhov & Muthen (2010). Simple second order chi-square correction. Mplus technical
    appendix.
    """
    if df == 0:
        return Adjusted(chisq, 0.0, float("nan"), float("nan"))
    first, second = float(np.trace(product)), float(np.sum(product * product.T))
    a = np.sqrt(df / second)
    shift = float(df - a * first)
    return Adjusted(chisq, float(a * chisq + shift), float(1 / a), shift)


def fit_test(squares: WeightedSquares, optimum: Optimum, n: int, df: int) -> Adjusted:
    """Return the test of the model against free correlations."""
    slopes = squares.slopes(optimum.phi)
    weighted = squares.weight[:, None] * slopes
    left = squares.weight[:, None] * squares.gamma
    left -= weighted @ inverse_scaled(slopes.T @ weighted) @ (weighted.T @ squares.gamma)
    return adjusted(squares.chisq(optimum, n), left, df)


def baseline_test(squares: WeightedSquares, n: int) -> Adjusted:
    """Return the test of the baseline model, in which nothing correlates."""
    chisq, product = squares.independence(n)
    return adjusted(chisq, product, len(product))


def difference_test(
    free: tuple[WeightedSquares, Optimum], strict: tuple[WeightedSquares, Optimum], n: int
) -> Adjusted:
    """Return the test of a model within another (Satorra 2000), scaled and shifted.

    With D and D0 the derivatives of the two models, the restrictions A of the stricter one are
    orthogonal to ``(D'D)^-1 D'D0``; then ``U = V D P A'(A P A')^-1 A P D'V`` with
    ``P = (D'V D)^-1``.

    References
    ----------
    Satorra (2000). Scaled and adjusted restricted tests in multi-sample analysis of moment
    structures. In: Innovations in multivariate statistical analysis, 233-247.
    """
    from scipy.linalg import null_space

    squares, optimum = free
    slopes, inner = squares.slopes(optimum.phi), strict[0].slopes(strict[1].phi)
    within = np.linalg.lstsq(slopes, inner, rcond=None)[0]
    restrictions = null_space(within.T).T
    weighted = squares.weight[:, None] * slopes
    bread = inverse_scaled(slopes.T @ weighted)
    turned = restrictions @ bread
    middle = turned.T @ np.linalg.solve(restrictions @ turned.T, turned)
    product = middle @ (weighted.T @ squares.gamma @ weighted)
    chisq = strict[0].chisq(strict[1], n) - squares.chisq(optimum, n)
    return adjusted(chisq, product, len(restrictions))


def residual_errors(squares: WeightedSquares, optimum: Optimum, n: int) -> Array:
    """Return standard errors of the residual correlations, (P,); NaN where there is none left.

    The residual is ``Q r`` to first order, ``Q = I - D E^-1 D'V``.
    """
    slopes = squares.slopes(optimum.phi)
    weighted = squares.weight[:, None] * slopes
    left = np.eye(len(slopes)) - slopes @ inverse_scaled(slopes.T @ weighted) @ weighted.T
    sampling = squares.sampling(n)
    variance = np.einsum("ij,jk,ik->i", left, sampling, left, optimize=True)
    return np.sqrt(np.where(variance > 1e-12 * np.diagonal(sampling), variance, np.nan))
