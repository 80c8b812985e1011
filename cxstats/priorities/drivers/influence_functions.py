"""Quadratic forms behind the uncertainty of importances: how cases move them, what noise gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.priorities.drivers.importance_measures import (
    inverse_of,
    johnson,
    orthogonal,
    sizes_of,
    subset_weights,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Drivers whose subsets are held in memory at once; further ones are taken subset by subset.
HELD = 14
STEP = 1e-5  # of a correlation; central differences are then good to about ten digits
DRAWS = 20_000  # draws of the importance of noise


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticForms:
    """What a correlation matrix says of the sampling of importances.

    Attributes
    ----------
    influence : array (p, p + 1, p + 1)
        The influence of a standardised case z on the importance of driver j is ``z' D_j z``.
    noise : array (p + 1, p + 1)
        A further driver whose correlations with drivers and outcome are a small ``r`` gets the
        importance ``r' H r``, to the order of 1 / n; a group of columns of noise, which can be
        taken as uncorrelated, the sum of these.
    """

    influence: Array
    noise: Array


def shapley_forms(corr: Array, n: float, sizes: Sequence[int] | None = None) -> QuadraticForms:
    """Return the forms of the Shapley values, exactly.

    The residual of the outcome given a subset S is ``c_S' z``. Since
    ``1 - R2(S) = c_S' Sigma c_S / sigma_yy`` has the influence ``(c_S' z)^2 - (1 - R2(S)) y^2``,
    and ``phi_j`` is a sum of R2(S) with weights ``a_jS``,

        ``D_j = -(sum_S a_jS c_S c_S') - phi_j E_yy,    H = sum_S w_S c_S c_S'``,

    with ``w_S`` the weights of a further driver, times ``(n - 1) / (n - 1 - |S|)`` for the variance
    that the columns of S take from it.
    """
    groups = sizes_of(corr, sizes)
    p, q = len(groups), corr.shape[-1]
    joined, without = subset_weights(p)
    columns = subset_columns(groups)
    further = subset_weights(p + 1)[1][: 2**p] * (n - 1) / np.maximum(n - 1 - columns, 1)
    gradient, common, noise = np.zeros((p, q, q)), np.zeros((q, q)), np.zeros((q, q))
    for members, c in residual_weights(corr, groups):
        noise += (c * further[members, None]).T @ c
        common += (c * without[members, None]).T @ c
        gradient += _by_member(members, c, c * joined[members, None], p)
    gradient -= common
    phi = -np.einsum("juv,uv->j", gradient, corr)
    gradient[:, -1, -1] += phi
    return QuadraticForms(-gradient, noise)


def residual_weights(
    corr: Array, sizes: Sequence[int] | None = None
) -> Iterator[tuple[NDArray[np.intp], Array]]:
    """Yield subsets of the drivers and the weights c_S of the outcome's residual, in chunks.

    A chunk is the subsets (m,), as bits, and the weights (m, q + 1), 1 for the outcome and minus
    the regression coefficients for the q columns.
    """
    groups = sizes_of(corr, sizes)
    # The weights are carried along as further columns: they are swept like covariances.
    left = np.concatenate([corr, np.eye(len(corr))], axis=1)[None]
    first = max(0, len(groups) - HELD)
    for size in groups[:first]:
        left = _sweep_rows(left, size)
    for head, chunk in enumerate(left):
        swept = chunk[None]
        for size in groups[first:]:
            swept = _sweep_rows(swept, size)
        yield head + (np.arange(len(swept)) << first), swept[:, 0, 1:]


def _sweep_rows(left: Array, size: int = 1) -> Array:
    """Sweep as `sweep` does, covariances (m, q, q) with further columns (m, q, q + k)."""
    m, q, width = left.shape
    swept = np.empty((2 * m, q - size, width - size))
    swept[:m] = left[:, size:, size:]
    for place in range(size):
        scaled = left[:, 0, 1:] * inverse_of(left[:, 0, 0])[:, None]
        out = (
            swept[m:] if place == size - 1 else np.empty((m, left.shape[1] - 1, width - place - 1))
        )
        np.subtract(left[:, 1:, 1:], left[:, 1:, :1] * scaled[:, None, :], out=out)
        left = out
    return swept


def _by_member(members: NDArray[np.intp], c: Array, weighted: Array, p: int) -> Array:
    """Return, for each driver, the sum of ``c_S c_S'`` (p, q, q) over the subsets with it.

    The subsets of a chunk are a table: the second half of the drivers that vary in it by rows, the
    first half by columns. Sums of its rows and of its columns are taken once for all drivers.
    """
    q = c.shape[1]
    columns = 2 ** ((len(members).bit_length() - 1) // 2)
    table, other = c.reshape(-1, columns, q), weighted.reshape(-1, columns, q)
    by_row = table.transpose(0, 2, 1) @ other
    by_column = table.transpose(1, 2, 0) @ other.transpose(1, 0, 2)
    sums = np.empty((p, q, q))
    for j in range(p):
        has = (members.reshape(-1, columns) >> j) & 1 == 1
        # A driver divides the rows, or the columns, or (fixed in this chunk) nothing.
        by_rows = (has == has[:, :1]).all()
        sums[j] = (by_row[has[:, 0]] if by_rows else by_column[has[0]]).sum(axis=0)
    return sums


def subset_columns(sizes: Sequence[int]) -> Array:
    """Return how many columns each subset of the drivers has (2^p,).

    Examples
    --------
    >>> subset_columns([1, 3]).tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    columns = np.zeros(1)
    for size in sizes:
        columns = np.concatenate([columns, columns + size])
    return columns


def johnson_forms(corr: Array, n: float, sizes: Sequence[int] | None = None) -> QuadraticForms:
    """Return the forms of Johnson's relative weights.

    The influence is taken by differences; of the form of noise see `johnson_noise`. `n` and
    `sizes` are taken for likeness with `shapley_forms` and change nothing: to the order of 1 / n a
    relative weight of noise needs no correction, and there are no groups.
    """
    del n, sizes
    return QuadraticForms(numeric_influence(johnson, corr), johnson_noise(corr))


def johnson_noise(corr: Array) -> Array:
    """Return the form H of a further driver's relative weight (p + 1, p + 1).

    To first order the root of the wider matrix gains the row ``s = (R^(1/2) + I)^-1 r``, and the
    further driver's coefficient is ``r_y - s' b``, so that its weight is
    ``sum_k s_k^2 b_k^2 + (r_y - s' b)^2``.
    """
    root, b = orthogonal(corr)
    p = len(b)
    to_s = np.zeros((p, p + 1))
    to_s[:, :-1] = np.linalg.inv(root + np.eye(p))
    last = np.append(np.zeros(p), 1.0) - b @ to_s
    return (to_s * b[:, None] ** 2).T @ to_s + np.outer(last, last)


def numeric_influence(measure: Callable[[Array], Array], corr: Array) -> Array:
    """Return the influence forms (p, q, q) of any function of correlations, by differences.

    A case moves a correlation by ``z_u z_v - r_uv (z_u^2 + z_v^2) / 2``.
    """
    q = corr.shape[-1]
    row, column = np.tril_indices(q, -1)
    moved = np.repeat(corr[None, None], 2, axis=0).repeat(len(row), axis=1)
    at = np.arange(len(row))
    for side, step in enumerate((STEP, -STEP)):
        moved[side, at, row, column] += step
        moved[side, at, column, row] += step
    up, down = measure(moved.reshape(-1, q, q)).reshape(2, len(row), -1)
    slope = ((up - down) / (2 * STEP)).T
    forms = np.zeros((len(slope), q, q))
    forms[:, row, column] = forms[:, column, row] = slope / 2
    diagonal = -(forms * corr).sum(axis=-1)
    forms[:, range(q), range(q)] = diagonal
    return forms


def influence_of_cases(forms: Array, z: Array) -> Array:
    """Return ``z_i' D_j z_i`` (n, p) for standardised cases z (n, q)."""
    return np.stack([((z @ form) * z).sum(axis=1) for form in forms], axis=1)


def noise_draws(form: Array, spread: Array, n: float, seed: int, columns: int = 1) -> Array:
    """Draw the importance of a driver that is pure noise (DRAWS,).

    The correlations of an independent normal variable with the others are
    ``R^(1/2) g / |(g, g')|``, ``g`` and ``g'`` standard normal with n - 1 elements together, so
    that its importance is ``sum_k lambda_k g_k^2 / sum of all squares`` with the eigenvalues of
    ``R^(1/2) H R^(1/2)``. By the central limit theorem that holds for other distributions, too.

    Parameters
    ----------
    form : array (q, q)
        H of `QuadraticForms`.
    spread : array (q, q)
        R; under a sampling design, n times the covariance of the correlations of noise.
    n : float
        Independent values of the noise.
    seed : int
    columns : int
        Of a group of noise, whose importances add up.
    """
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0))
    weights = np.linalg.eigvalsh(root.T @ form @ root)
    return draws_of(weights, n, seed, columns)


def draws_of(weights: Array, n: float, seed: int, columns: int = 1) -> Array:
    """Draw ``sum_k w_k g_k^2 / sum of n - 1 squares`` (DRAWS,), as often as there are columns."""
    generator = np.random.default_rng(seed)
    total = np.zeros(DRAWS)
    for _ in range(columns):
        squares = generator.standard_normal((DRAWS, len(weights))) ** 2
        further = generator.chisquare(max(n - 1 - len(weights), 1), DRAWS)
        total += squares @ weights / (squares.sum(axis=1) + further)
    return total
