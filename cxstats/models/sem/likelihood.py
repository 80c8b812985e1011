"""The normal-theory discrepancy of a model, its gradient and its information."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem import structure as layout
from cxstats.models.sem.constraints import Reduction
from cxstats.models.sem.standardised_solution import all_quantities, slopes_of_quantities
from cxstats.models.sem.structure import Implied, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.models.sem.standardised_solution import SlopesOfQuantities

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Likelihood:
    """``F = sum_g n_g / N (log|Sigma| + tr(S Sigma^-1) + d' Sigma^-1 d)``.

    The constant ``log|S| + p`` is left out: `saturated` holds it.

    Attributes
    ----------
    structure : Structure
        Layout of the parameters.
    reduction : Reduction
        From free parameters phi (..., q) to all parameters.
    cov : array (..., G, p, p)
        Sample covariances with divisor n; leading axes are those of a batch of samples.
    mean : array (..., G, p) or None
        Sample means, where means are modelled.
    share : array (..., G)
        Share of each group in the cases; of every sample where weights were drawn.
    """

    structure: Structure
    reduction: Reduction
    cov: Array
    mean: Array | None
    share: Array

    @property
    def moments(self) -> tuple[Array, Array | None]:
        """Unrestricted covariances (..., G, p, p) and means (..., G, p) of the groups."""
        return self.cov, self.mean

    @property
    def n_groups(self) -> int:
        """Groups."""
        return int(self.share.shape[-1])

    @property
    def weights(self) -> Array:
        """Share in the cases of each block of data: here the groups."""
        return self.share

    def take(self, which: Any) -> Likelihood:
        """Return the likelihood of some samples of a batch: places, a slice, or one number."""
        mean = None if self.mean is None else self.mean[which]
        share = self.share[which] if self.share.ndim > 1 else self.share
        return replace(self, cov=self.cov[which], mean=mean, share=share)

    def at(self, phi: Array) -> Point:
        """Return the model at free parameters (..., q)."""
        model = self.implied(phi)
        return Point(self, phi, model, layout.inverted(model))

    def implied(self, phi: Array) -> Implied:
        """Return implied moments per group at free parameters (..., q)."""
        x = self.reduction.all(phi)
        return layout.implied(self.structure, x.reshape((*x.shape[:-1], self.n_groups, -1)))

    def evaluate(self, phi: Array) -> tuple[Array, Array]:
        """Return F (...) and its gradient (..., q); F is infinite where Sigma is improper."""
        return self.at(phi).value_and_slope

    def hessian(self, phi: Array) -> Array:
        """Return the second derivatives of F, (..., q, q)."""
        return self.at(phi).hessian

    def information(self, phi: Array) -> Array:
        """Return the expected information of one case, (..., q, q): half of E[hessian]."""
        return self.at(phi).information

    def full_gradient(self, phi: Array) -> Array:
        """Return the derivatives of F by every parameter at one point, fixed ones too, (G T,)."""
        return self.at(phi).full_gradient().ravel()

    def information_about(self, phi: Array, places: NDArray[np.intp]) -> tuple[Array, Array]:
        """Return what one case tells of some parameters, at one point, as if they were free.

        Only these blocks of the information are formed, so that thousands of parameters cost
        little more than their gradient.

        Parameters
        ----------
        phi : array (q,)
        places : array (k,)
            Places among the parameters (G T,) of all groups.

        Returns
        -------
        cross, diagonal : arrays (q, k), (k,)
            Information between the free parameters and these; of each of these.
        """
        group, place = np.divmod(places, self.structure.matrix.size)
        cross, diagonal = np.zeros((len(phi), len(places))), np.zeros(len(places))
        for g, free in enumerate(self.reduction.groups):
            at = np.flatnonzero(group == g)
            if len(at):
                block, own = self.information_of_group(phi, g, free.rows, place[at])
                cross[np.ix_(free.columns, at)] = free.matrix.T @ block
                diagonal[at] = own
        return cross, diagonal

    def information_of_group(
        self, phi: Array, group: int, rows: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> tuple[Array, Array]:
        """Return the information between parameters of a group (r, k), and that of k of them."""
        point = self.at(phi)
        model, inverse = point.model.block(group), point.inverse[group]
        structure, share = self.structure, self.share[group]
        return (
            share * layout.information(structure, model, inverse, rows, columns),
            share * layout.information_diagonal(structure, model, inverse)[columns],
        )

    def jacobian(self, phi: Array) -> Array:
        """Return derivatives of all implied moments at one point, (G p*, q)."""
        by_group = self.jacobians(phi)
        out = np.zeros((len(by_group), by_group[0].shape[0], self.reduction.matrix.shape[1]))
        for block, free, slopes in zip(out, self.reduction.groups, by_group, strict=True):
            block[:, free.columns] = slopes
        return out.reshape((-1, out.shape[-1]))

    def jacobians(self, phi: Array) -> list[Array]:
        """Return the same of each group, (p*, m) by the m free parameters that it depends on."""
        model = self.implied(phi)
        return [
            layout.jacobian(self.structure, model.block(g))[:, free.rows] @ free.matrix
            for g, free in enumerate(self.reduction.groups)
        ]

    def units(self) -> Array:
        """Return the standard deviations that moments are measured in, (G p*,)."""
        units = []
        for cov in self.moments[0]:
            sd = np.sqrt(np.diagonal(cov))
            row, column = np.tril_indices(len(sd))
            units += [sd[row] * sd[column], *([sd] if self.structure.means else [])]
        return np.concatenate(units)

    def saturated(self) -> Array:
        """Return ``sum_g n_g / N (log|S| + p)``, (...), infinite where S is singular."""
        value: Array = ((log_determinants(self.cov) + self.cov.shape[-1]) * self.share).sum(axis=-1)
        return value

    def reduced(self, slope: Array) -> Array:
        """Return derivatives by free parameters (..., q), from those by all of each group."""
        slope = slope * self.share[..., None]
        out: Array = slope.reshape((*slope.shape[:-2], -1)) @ self.reduction.matrix
        return out

    def congruent(self, per_group: Array) -> Array:
        """Return second derivatives by free parameters, from those of each group.

        A group's are added where its free parameters are: the others stay zero.

        Parameters
        ----------
        per_group : array (..., G, A, A)
            By the A parameters of a group that are free in some group (`Reduction.active`).
        """
        q, groups = self.reduction.matrix.shape[1], self.reduction.groups
        if len(groups) == 1 and groups[0].plain and len(groups[0].columns) == q:
            alone: Array = self.share[..., 0, None, None] * per_group[..., 0, :, :]
            return alone
        out: Array = np.zeros((*per_group.shape[:-3], q, q))
        for g, free in enumerate(groups):
            rows = np.searchsorted(self.reduction.active, free.rows)
            block = per_group[..., g, rows[:, None], rows]
            if not free.plain:
                block = free.matrix.T @ block @ free.matrix
            share = self.share[..., g, None, None]
            out[..., free.columns[:, None], free.columns] += share * block
        return out


@dataclass(frozen=True, eq=False)
class Point:
    """A model at some values of its parameters: what is asked of it there is computed once.

    Attributes
    ----------
    likelihood : Likelihood
    phi : array (..., q)
        Free parameters.
    model : Implied
        Implied moments.
    inverse : array (..., G, p, p)
        ``Sigma^-1``.
    """

    likelihood: Likelihood
    phi: Array
    model: Implied
    inverse: Array

    @cached_property
    def value_and_slope(self) -> tuple[Array, Array]:
        """F (...) and its gradient (..., q); F is infinite where Sigma is improper."""
        likelihood, cov = self.likelihood, self._about_implied()
        value = log_determinants(self.model.sigma)
        value = value + np.einsum("...ij,...ij->...", self.inverse, cov)
        value = (value * likelihood.weights).sum(axis=-1)
        return np.where(np.isnan(value), np.inf, value), likelihood.reduced(self._gradient(cov))

    def full_gradient(self) -> Array:
        """Return the derivatives of F by every parameter, (..., G, T)."""
        return self._gradient(self._about_implied()) * self.likelihood.weights[..., None]

    def _gradient(self, cov: Array) -> Array:
        structure = self.likelihood.structure
        return layout.gradient(structure, self.model, self.inverse, cov, self._deviation())

    def _about_implied(self) -> Array:
        """Return the sample's covariances about the implied means."""
        cov, deviation = self.likelihood.cov, self._deviation()
        if deviation is None:
            return cov
        return cov + deviation[..., :, None] * deviation[..., None, :]

    @cached_property
    def hessian(self) -> Array:
        """The second derivatives of F, (..., q, q)."""
        likelihood, active = self.likelihood, self.likelihood.reduction.active
        second = layout.hessian(
            likelihood.structure, self.model, self.inverse, likelihood.cov, self._deviation()
        )
        return likelihood.congruent(second[..., active[:, None], active])

    @cached_property
    def information(self) -> Array:
        """The expected information of one case, (..., q, q)."""
        likelihood, active = self.likelihood, self.likelihood.reduction.active
        return likelihood.congruent(
            layout.information(likelihood.structure, self.model, self.inverse, active, active)
        )

    @cached_property
    def quantities(self) -> Array:
        """Parameters, defined ones, and both of the standardised solution, (..., 2 (T + D))."""
        return all_quantities(self.likelihood, self.phi)

    @cached_property
    def slopes_of_quantities(self) -> SlopesOfQuantities:
        """The derivatives of `quantities` at one point, by blocks."""
        return list(slopes_of_quantities(self.likelihood, self.phi))

    @property
    def standardised(self) -> Array:
        """Every parameter in standard deviations, (..., T)."""
        count = len(self.likelihood.reduction.model.parameters)
        half = self.quantities.shape[-1] // 2
        return self.quantities[..., half : half + count]

    def _deviation(self) -> Array | None:
        mean, mu = self.likelihood.mean, self.model.mu
        return None if mean is None or mu is None else mean - mu


def log_determinants(matrices: Array) -> Array:
    """Return log|A| of symmetric matrices (...); infinite where not positive definite."""
    try:
        roots = np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return _one_by_one(matrices)
    out: Array = 2 * np.log(np.diagonal(roots, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.where(np.isnan(out), np.inf, out)


def _one_by_one(matrices: Array) -> Array:
    """Return the same where some fail: numpy's factorisation of a batch is all or nothing."""
    from scipy.linalg.lapack import dpotrf

    flat = matrices.reshape((-1, *matrices.shape[-2:]))
    out = np.full(len(flat), np.inf)
    for i, matrix in enumerate(flat):
        root, failed = dpotrf(matrix)
        if not failed:
            out[i] = 2 * np.log(np.diagonal(root)).sum()
    out[np.isnan(out)] = np.inf
    return out.reshape(matrices.shape[:-2])
