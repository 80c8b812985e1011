"""The weights of a PLS path model, from correlations alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.pls.design import Design

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SCHEMES = ("path", "centroid", "factorial")
# Sum of absolute changes of the weights in a round at which the search ends: for a sample, and
# for a resample, where a millionth of a standard error is far above it.
TOLERANCE, TOLERANCE_RESAMPLE = 1e-12, 1e-10
ROUNDS = 3_000
# Share of a cause that other causes leave unexplained below which LAPACK solves for coefficients.
NEAR = 1e-6
# Smallest eigenvalue of correlations that counts as regular.
REGULAR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weights of a batch of samples.

    Attributes
    ----------
    weights : array (B, p)
        Of standardised items, such that every composite has variance 1; NaN where there is none.
    cross_loadings : array (B, p, J)
        Correlations of items with composites.
    composite_corr : array (B, J, J)
        Correlations of composites.
    converged : array (B,)
    rounds : int
        Rounds until the last of them was done.
    stages : tuple of array (B, k)
        The weights of each stage of a model in stages; empty for any other.
    """

    weights: Array
    cross_loadings: Array
    composite_corr: Array
    converged: NDArray[np.bool_]
    rounds: int
    stages: tuple[Array, ...] = ()


def find_weights(
    corr: Array,
    design: Design,
    scheme: str = "path",
    *,
    sd: Array | None = None,
    start: Array | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
) -> Weights:
    """Find the weights for a batch of correlation matrices.

    A composite is ``y_j = sum w_i x_i`` over its items. Its inner proxy is ``z_j = sum e_jk y_k``
    over the constructs it shares a path with; e is the sign of their correlation (centroid), the
    correlation (factorial), or (path) the regression coefficient for causes and the correlation
    for effects. Then ``w_i = cov(x_i, z_j)`` in mode A, and in mode B ``w = R_jj^-1 cov(x, z_j)``;
    scaled to ``var(y_j) = 1``; until the sum of the absolute changes is below `tolerance`.

    Items that are centred but not divided by their standard deviations s have in mode A weights
    ``cov(s_i x_i, z_j)``, of the standardised item thus ``s_i^2 cov(x_i, z_j)``: items that vary
    more weigh more. Mode B gives the same composite whatever the units are.

    A solution fixes each composite up to its sign: here it correlates positively with the sum of
    its standardised items.

    Parameters
    ----------
    corr : array (B, p, p)
        Correlations of the items in the order of the design.
    design : Design
    scheme : {"path", "centroid", "factorial"}
        Inner weights.
    sd : array (B, p), optional
        Standard deviations of the items, where these are not to be standardised; whatever comes
        back is of standardised items all the same.
    start : array (p,), optional
        Where to begin; without it all weights are equal.

    Returns
    -------
    Weights

    References
    ----------
    Wold (1982). Soft modeling: the basic design and some extensions. In Joreskog & Wold, Systems
    under indirect observation, part II. Lohmoller (1989). Latent variable path modeling with
    partial least squares, ch. 2. Physica.

    Examples
    --------
    >>> from cxstats.models.pls.design import read_design
    >>> design = read_design("f =~ a + b ; y ~ f")
    >>> corr = np.array([[1, 0.5, 0.4], [0.5, 1, 0.2], [0.4, 0.2, 1]])
    >>> find_weights(corr[None], design).weights.round(4).tolist()
    [[0.7559, 0.378, 1.0]]
    """
    batch, p = len(corr), len(design.items)
    inverses = _inverse_blocks(corr, design)
    first = np.ones(p) if start is None else start
    out = np.full((p, batch), np.nan)
    active = np.flatnonzero(np.isfinite(corr).all(axis=(1, 2)) & _regular(inverses))
    rows = _Rows(
        np.ascontiguousarray(np.moveaxis(corr[active], 0, -1)),
        [inverse[active] for inverse in inverses],
        np.ones((p, len(active))) if sd is None else _units(sd[active], design).T,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        w, cross, joint = rows.to_unit_variance(np.tile(first[:, None], len(active)), design)
        done = np.zeros(len(active), bool)
        turn = 0
        while len(active) and turn < rounds:
            turn += 1
            inner = inner_weights(np.moveaxis(joint, -1, 0), design, scheme)
            fresh = rows.outer(cross, np.moveaxis(inner, 0, -1), design)
            fresh, cross, joint = rows.to_unit_variance(fresh, design)
            change = np.abs(fresh - w).sum(axis=0)
            w = fresh
            out[:, active[~done]] = w[:, ~done]  # a row that is done keeps what it had then
            done |= ~(change >= tolerance)  # NaN is done too: there is no way on
            if done.mean() >= 0.25:
                active, w = active[~done], w[:, ~done]
                cross, joint = cross[..., ~done], joint[..., ~done]
                rows, done = rows.take(~done), done[~done]
        converged = np.isfinite(out).all(axis=0)
        converged[active[~done]] = False
        weights, cross, joint = to_unit_variance(corr, out.T, design)
        return _signed(Weights(weights, cross, joint, converged, turn), design)


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What a round needs of b samples; they are the last axis, so that a loop is over them.

    Attributes
    ----------
    corr : array (p, p, b)
    inverses : list of array (b, k, k)
        Inverse correlations of every formative block.
    units : array (p, b)
        What weights are multiplied by.
    """

    corr: Array
    inverses: list[Array]
    units: Array

    def take(self, which: NDArray[np.bool_]) -> _Rows:
        inverses = [inverse[which] for inverse in self.inverses]
        return _Rows(self.corr[..., which], inverses, self.units[:, which])

    def to_unit_variance(self, weights: Array, design: Design) -> tuple[Array, Array, Array]:
        """Return weights (p, b), composite and item (J, p, b), and composite correlations."""
        size, batch = len(design.constructs), weights.shape[1]
        cross, joint = np.empty((size, *weights.shape)), np.empty((size, size, batch))
        for j, block in enumerate(design.blocks):
            np.einsum("ikb,ib->kb", self.corr[block], weights[block], out=cross[j])
        for j, block in enumerate(design.blocks):
            np.einsum("jib,ib->jb", cross[:, block], weights[block], out=joint[:, j])
        scale = 1 / np.sqrt(np.einsum("jjb->jb", joint))
        cross *= scale[:, None]
        joint *= scale[:, None] * scale
        return weights * scale[design.home], cross, joint

    def outer(self, cross: Array, inner: Array, design: Design) -> Array:
        """Return new weights: covariances of items with inner proxies, regressed in mode B."""
        fresh = np.einsum("jib,jib->ib", cross, inner.swapaxes(0, 1)[:, design.home])
        for j, inverse in zip(design.of_mode("B"), self.inverses, strict=True):
            block = design.blocks[j]
            fresh[block] = (inverse @ fresh[block].T[:, :, None])[..., 0].T
        scaled: Array = fresh * self.units
        return scaled


def to_unit_variance(corr: Array, weights: Array, design: Design) -> tuple[Array, Array, Array]:
    """Bring composites to variance 1; return weights, item and composite correlations."""
    cross = corr @ (weights[:, :, None] * design.member)
    joint = design.member.T @ (weights[:, :, None] * cross)
    scale = 1 / np.sqrt(np.diagonal(joint, axis1=1, axis2=2))
    cross = cross * scale[:, None, :]
    joint = joint * (scale[:, :, None] * scale[:, None, :])
    return weights * scale[:, design.home], cross, joint


def _units(sd: Array, design: Design) -> Array:
    """Return what mode A multiplies covariances of standardised items by, (B, p); 1 in mode B."""
    reflective = np.array([mode == "A" for mode in design.modes])
    return np.where(reflective[design.home], sd**2, 1.0)


def _inverse_blocks(corr: Array, design: Design) -> list[Array]:
    """Return the inverse correlations of every formative block, NaN where there is none."""
    return [inverted(corr[:, design.blocks[j], design.blocks[j]]) for j in design.of_mode("B")]


def _regular(inverses: list[Array]) -> NDArray[np.bool_]:
    """Return which samples have an inverse of every block (B,); True for all without a block."""
    finite = [np.isfinite(inverse).all(axis=(1, 2)) for inverse in inverses]
    return np.logical_and.reduce(finite) if finite else np.array(True)


def _signed(outer: Weights, design: Design) -> Weights:
    """Turn composites that correlate negatively with the sum of their items."""
    return aligned(outer, np.ones(len(design.items)), design)


def aligned(outer: Weights, reference: Array, design: Design) -> Weights:
    """Turn composites that correlate negatively with those of other weights (p,)."""
    sums = (design.member * reference[:, None]).T @ outer.cross_loadings
    sign = np.where(np.diagonal(sums, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return Weights(
        outer.weights * sign[:, design.home],
        outer.cross_loadings * sign[:, None, :],
        outer.composite_corr * (sign[:, :, None] * sign[:, None, :]),
        outer.converged,
        outer.rounds,
    )


def inner_weights(joint: Array, design: Design, scheme: str) -> Array:
    """Return the inner weights (B, J, J), row j those of the proxy of construct j.

    Parameters
    ----------
    joint : array (B, J, J)
        Correlations of composites.
    """
    if scheme == "centroid":
        return np.asarray(np.sign(joint) * design.adjacent)
    inner: Array = joint * design.adjacent
    if scheme == "path":
        for j, causes in design.causes.items():
            if len(causes) > 1:  # with one cause the coefficient is the correlation
                inner[:, j, causes] = regressed(joint, j, causes)
    return inner


def regressed(joint: Array, j: int, causes: list[int]) -> Array:
    """Return the coefficients (B, k) of a standardised regression on k causes."""
    into = joint[:, causes, j]
    if len(causes) == 1:
        return into
    solution, smallest = _eliminated(joint, j, causes)
    near = ~(smallest > NEAR)
    if near.any():
        among, into = joint[near][:, causes][:, :, causes], into[near]
        try:
            solution[near] = np.linalg.solve(among, into[:, :, None])[..., 0]
        except np.linalg.LinAlgError:
            solution[near] = (inverted(among) @ into[:, :, None])[..., 0]
    return solution


def _eliminated(joint: Array, j: int, causes: list[int]) -> tuple[Array, Array]:
    """Return coefficients (B, k) by elimination, and the smallest pivot (B,).

    A pivot is the share of a cause that the causes before it do not explain.
    """
    k = len(causes)
    system = np.ascontiguousarray(np.moveaxis(joint[:, causes][:, :, [*causes, j]], 0, -1))
    pivots = np.empty((k, len(joint)))
    with np.errstate(invalid="ignore", divide="ignore"):
        for i in range(k):
            pivots[i] = system[i, i]
            row = system[i, i + 1 :] / pivots[i]
            system[:, i + 1 :] -= system[:, i, None] * row
            system[i, i + 1 :] = row
    return np.ascontiguousarray(system[:, k].T), pivots.min(axis=0)


def inverted(matrices: Array) -> Array:
    """Return the inverses of correlation matrices (B, k, k), NaN for a singular one."""
    regular: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    regular[regular] = np.linalg.eigvalsh(matrices[regular])[:, 0] > REGULAR
    inverses = np.full(matrices.shape, np.nan)
    inverses[regular] = np.linalg.inv(matrices[regular])
    return inverses
