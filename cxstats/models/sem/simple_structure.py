"""The discrepancy of many samples at once, where every item measures one construct.

With loadings L and residual variances Theta alone beside the covariances C of the constructs,
``Sigma = L C L' + Theta``, nothing of size p x p has to be inverted (Woodbury 1950). With
``A = Theta^-1 L``, ``G = L'A``, ``K = (I + C G)^-1 C``, ``T = A'S``, ``M = T A`` and
``R = K + K M K``::

    F = log|Theta| + log|I + C G| + tr(S Theta^-1) - tr(K M)
    dF/dL = 2 (A R - Theta^-1 T' K)
    dF/dC = G - G R G - M + G K M + M K G
    dF/dtheta_i = 1 / theta_i - s_ii / theta_i^2 - (A R A')_ii + 2 (A K T)_ii / theta_i

G is diagonal here. Samples are the last axis of every array, so that a step of the algebra is one
loop over them.

References
----------
Woodbury (1950). Inverting modified matrices. Princeton: Statistical Research Group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem.likelihood import Likelihood
from cxstats.models.sem.missing import PatternLikelihood
from cxstats.models.sem.structure import COVARIANCE, LOADING, PATH, SMALL, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the parameters of a group stand in a model of simple structure.

    Attributes
    ----------
    loading, residual, construct : arrays (p,)
        The parameters of each item, and the construct that it measures.
    member : array (c, p)
        1 where an item measures a construct.
    paths : tuple of (int, int, int)
        Construct, its cause, the parameter; what is caused comes after its causes.
    covariance, row, column : arrays
        Covariances of the core: the parameter, and the place in the matrix.
    """

    loading: Places
    residual: Places
    construct: Places
    member: Array
    paths: tuple[tuple[int, int, int], ...]
    covariance: Places
    row: Places
    column: Places

    @classmethod
    def of(cls, structure: Structure) -> Layout | None:
        """Return the layout of a structure; None if it is not simple, or its paths run in circles.

        Means are not modelled here.
        """
        p, c = structure.unit.shape
        at = structure.at[LOADING]
        leaf = structure.row[at]
        if structure.diagonal is None or structure.means or sorted(leaf) != list(range(p)):
            return None
        paths = _ordered(structure)
        if paths is None:
            return None
        at = at[np.argsort(leaf)]
        construct, covariance = structure.column[at], structure.at[COVARIANCE]
        return cls(
            at, structure.diagonal, construct, (np.arange(c)[:, None] == construct).astype(float),
            paths, covariance, structure.row[covariance], structure.column[covariance],
        )  # fmt: skip


def _ordered(structure: Structure) -> tuple[tuple[int, int, int], ...] | None:
    """Return the paths (into, from, parameter), causes first; None if they run in circles."""
    waiting = [(int(structure.row[k]), int(structure.column[k]), int(k))
               for k in structure.at[PATH]]  # fmt: skip
    ordered: list[tuple[int, int, int]] = []
    while waiting:
        caused = {into for into, _, _ in waiting}
        ready = {into for into in caused
                 if all(cause not in caused for i, cause, _ in waiting if i == into)}  # fmt: skip
        if not ready:
            return None
        ordered += [path for path in waiting if path[0] in ready]
        waiting = [path for path in waiting if path[0] not in ready]
    return tuple(ordered)


@dataclass(frozen=True, eq=False)
class SimpleStructure:
    """Discrepancy and gradient of B samples of a model of simple structure.

    Attributes
    ----------
    likelihood : Likelihood
        Of the B samples: what has a residual variance that is negative or near zero goes there.
    layout : Layout
    cov : array (G, p, p, B)
        Sample covariances with divisor n.
    """

    likelihood: Likelihood
    layout: Layout
    cov: Array

    @classmethod
    def of(cls, likelihood: Likelihood) -> SimpleStructure | None:
        """Return the same as a likelihood of a batch (B, G, ...); None where it is not simple."""
        if isinstance(likelihood, PatternLikelihood) or likelihood.cov.ndim != 4:
            return None
        layout = Layout.of(likelihood.structure)
        if layout is None or likelihood.mean is not None:
            return None
        return cls(likelihood, layout, np.ascontiguousarray(np.moveaxis(likelihood.cov, 0, -1)))

    def take(self, which: NDArray[Any]) -> SimpleStructure:
        """Return some of the samples."""
        return replace(self, likelihood=self.likelihood.take(which), cov=self.cov[..., which])

    @cached_property
    def variances(self) -> Array:
        """Sample variances, (G, p, B)."""
        return np.ascontiguousarray(np.moveaxis(np.diagonal(self.cov, axis1=1, axis2=2), -1, 1))

    def evaluate(self, phi: Array) -> tuple[Array, Array]:
        """Return F (B,) and its gradient (B, q) at free parameters (B, q)."""
        reduction, groups = self.likelihood.reduction, self.likelihood.n_groups
        x = (reduction.offset[:, None] + reduction.matrix @ phi.T).reshape(groups, -1, len(phi))
        slopes, value = np.empty_like(x), np.zeros(len(phi))
        usual = np.ones(len(phi), bool)
        share = np.broadcast_to(self.likelihood.share, (len(phi), groups))
        with np.errstate(all="ignore"):
            for g in range(groups):
                of_group, slopes[g], regular = _evaluate(
                    self.layout, x[g], self.cov[g], self.variances[g]
                )
                value += share[:, g] * of_group
                slopes[g] *= share[:, g]
                usual &= regular
            slope = slopes.reshape(-1, len(phi)).T @ reduction.matrix
        unusual = np.flatnonzero(~usual)
        if len(unusual):
            value[unusual], slope[unusual] = self.likelihood.take(unusual).evaluate(phi[unusual])
        return np.where(np.isnan(value), np.inf, value), slope


def _evaluate(
    layout: Layout, x: Array, cov: Array, variances: Array
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return F (B,), its derivatives by all parameters (T, B), and where the formulas hold (B,)."""
    c, samples = len(layout.member), x.shape[-1]
    loadings, theta = x[layout.loading], x[layout.residual]
    total = _core_covariances(layout, x)
    a = loadings / theta
    g = layout.member @ (loadings * a)
    k, pivots = _solved(total, g)
    t = _weighted_sums(layout, cov, a)
    m = (layout.member @ (t * a)).reshape(c, c, samples)
    km = _product(k, m)
    r = k + _product(km, k)
    precision = variances / theta
    value = np.log(np.abs(theta)).sum(axis=0) + np.log(np.abs(pivots)).sum(axis=0)
    value += precision.sum(axis=0) - np.einsum("iib->b", km)
    value[~_positive(layout, theta, g, pivots)] = np.inf
    v = np.einsum("kpb,kpb->pb", t, k[:, layout.construct])
    r_own = r[layout.construct, layout.construct]
    u = a * r_own - v / theta
    slope = np.empty_like(x)
    slope[layout.loading] = 2 * u
    slope[layout.residual] = (1 - precision + loadings * (v / theta - u)) / theta
    cross = g[:, None] * km
    d = cross + cross.swapaxes(0, 1) - g[:, None] * r * g - m
    d[np.arange(c), np.arange(c)] += g
    _core_slopes(layout, slope, d, x, total)
    explained = loadings**2 * total[layout.construct, layout.construct]
    regular = np.all(np.abs(theta) >= SMALL * np.abs(theta + explained), axis=0)
    return np.where(regular, value, 0), slope, regular


def _core_covariances(layout: Layout, x: Array) -> Array:
    """Return ``C = E Psi E'``, (c, c, B), with ``E = (I - B)^-1``: a path after the other."""
    c = len(layout.member)
    total = np.zeros((c, c, x.shape[-1]))
    total[layout.row, layout.column] = total[layout.column, layout.row] = x[layout.covariance]
    for into, cause, k in layout.paths:
        total[into] += x[k] * total[cause]
    for into, cause, k in layout.paths:
        total[:, into] += x[k] * total[:, cause]
    return total


def _core_slopes(layout: Layout, slope: Array, d: Array, x: Array, total: Array) -> None:
    """Write the derivatives by paths and covariances, ``2 E'DC`` and ``E'DE``; D is used up."""
    for into, cause, k in reversed(layout.paths):
        d[cause] += x[k] * d[into]
    for into, cause, k in layout.paths:
        slope[k] = 2 * np.einsum("kb,kb->b", d[into], total[cause])
    for into, cause, k in reversed(layout.paths):
        d[:, cause] += x[k] * d[:, into]
    twice = np.where(layout.row == layout.column, 1.0, 2.0)
    slope[layout.covariance] = twice[:, None] * d[layout.row, layout.column]


def _solved(total: Array, g: Array) -> tuple[Array, Array]:
    """Return ``(I + C G)^-1 C`` (c, c, B) and the pivots (c, B) of ``I + C G``.

    By Gauss and Jordan, without exchanges: see `_positive` for what the pivots are.
    """
    c = len(total)
    system = np.concatenate([total * g, total], axis=1)
    system[np.arange(c), np.arange(c)] += 1
    pivots = np.empty_like(g)
    for k in range(c):
        pivots[k] = system[k, k]
        row = system[k, k + 1 :] / pivots[k]
        factor = system[:, k].copy()
        system[:, k + 1 :] -= factor[:, None] * row
        system[k, k + 1 :] = row
    return system[:, c:], pivots


def _positive(layout: Layout, theta: Array, g: Array, pivots: Array) -> NDArray[np.bool_]:
    """Return whether Sigma is positive definite, (B,).

    Given the items of the constructs before, those of construct k have covariances
    ``Theta_k + v l l'``, and the pivot is ``1 + v g_k``, the determinant of that over the one of
    Theta_k. A matrix of rank one moves one eigenvalue over 0 at most: so there is either no
    negative residual variance and a positive pivot, or one and a negative pivot with v > 0.
    """
    positive = np.asarray((pivots > 0).all(axis=0))
    some = np.flatnonzero((theta < 0).any(axis=0))
    if len(some):
        negative = layout.member @ (theta[:, some] < 0).astype(float)
        pivots, g = pivots[:, some], g[:, some]
        saved = (negative == 1) & (pivots < 0) & (g < 0)
        positive[some] = (((negative == 0) & (pivots > 0)) | saved).all(axis=0)
    return positive


def _weighted_sums(layout: Layout, cov: Array, a: Array) -> Array:
    """Return ``A'S``, (c, p, B)."""
    sums = np.zeros((len(layout.member), *a.shape))
    term = np.empty_like(a)
    for i, construct in enumerate(layout.construct):
        np.multiply(cov[i], a[i], out=term)
        sums[construct] += term
    return sums


def _product(first: Array, second: Array) -> Array:
    """Return the product of matrices (i, k, B) and (k, j, B)."""
    out: Array = first[:, 0, None] * second[0]
    term = np.empty_like(out)
    for k in range(1, len(second)):
        np.multiply(first[:, k, None], second[k], out=term)
        out += term
    return out
