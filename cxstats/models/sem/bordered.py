"""Symmetric matrices of groups: a block for what only one group has, a border of what they share.

Second derivatives of a model of G groups are zero between the parameters of one group and those of
another. With blocks ``A_g``, borders ``B_g`` (rows of the group, columns of the shared ones) and
the shared block C, everything goes through the Schur complement ``C - sum_g B_g' A_g^-1 B_g``: the
work grows with G instead of G cubed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem.structure import inverse_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]

# Below this size one dense factorisation is faster than many small ones.
DENSE = 150


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """Which rows of a matrix belong to which group.

    Attributes
    ----------
    inner : tuple of arrays (m_g,)
        Rows that only one group has.
    shared : array (s,)
        The others.
    """

    inner: tuple[Places, ...]
    shared: Places

    @classmethod
    def of(cls, uses: NDArray[np.bool_]) -> Border:
        """Return the border of q parameters, of which each group uses some (G, q)."""
        q = uses.shape[1]
        if q < DENSE or len(uses) < 2:
            return cls((), np.arange(q))
        single = uses.sum(axis=0) == 1
        inner = tuple(np.flatnonzero(single & row) for row in uses if (single & row).any())
        return cls(inner, np.flatnonzero(~single))

    def solve(self, matrix: Array, columns: Array) -> Array:
        """Return ``matrix^-1 columns`` (q, k).

        Raises
        ------
        numpy.linalg.LinAlgError
            If a block, or the Schur complement, is singular.
        """
        if not self.inner:
            return np.asarray(np.linalg.solve(matrix, columns))
        out = np.empty_like(columns)
        left: Any = columns[self.shared]
        solved: list[Any] = []
        for at in self.inner:
            bordered = np.hstack([matrix[np.ix_(at, self.shared)], columns[at]])
            solved.append(np.linalg.solve(matrix[np.ix_(at, at)], bordered))
            left = left - matrix[np.ix_(self.shared, at)] @ solved[-1][:, len(self.shared) :]
        if len(self.shared):
            out[self.shared] = np.linalg.solve(self._schur(matrix, solved), left)
        for at, both in zip(self.inner, solved, strict=True):
            turned, plain = both[:, : len(self.shared)], both[:, len(self.shared) :]
            out[at] = plain - turned @ out[self.shared]
        return out

    def inverse(self, matrix: Array) -> Array:
        """Return the inverse (q, q); NaN if the matrix is singular."""
        if not self.inner:
            return inverse_of(matrix)
        out = np.zeros_like(matrix)
        shared = self.shared
        inverses = [inverse_of(matrix[np.ix_(at, at)]) for at in self.inner]
        pairs = list(zip(self.inner, inverses, strict=True))
        turned = np.zeros((len(matrix), len(shared)))
        for at, inverse in pairs:
            turned[at] = inverse @ matrix[np.ix_(at, shared)]
        schur = matrix[np.ix_(shared, shared)] - matrix[shared] @ turned
        turned[shared] = -np.eye(len(shared))
        if len(shared):
            out = turned @ inverse_of(schur) @ turned.T
        for at, inverse in pairs:
            out[np.ix_(at, at)] += inverse
        return out

    def positive(self, matrix: Array) -> bool:
        """Return whether the matrix is positive definite."""
        if not self.inner:
            return bool((np.linalg.eigvalsh(matrix) > 0).all())
        try:
            schur = matrix[np.ix_(self.shared, self.shared)].copy()
            for at in self.inner:
                root = np.linalg.cholesky(matrix[np.ix_(at, at)])
                half = np.linalg.solve(root, matrix[np.ix_(at, self.shared)])
                schur -= half.T @ half
            np.linalg.cholesky(schur)
        except np.linalg.LinAlgError:
            return False
        return True

    def _schur(self, matrix: Array, solved: list[Array]) -> Array:
        out: Array = matrix[np.ix_(self.shared, self.shared)].copy()
        for at, both in zip(self.inner, solved, strict=True):
            out -= matrix[np.ix_(self.shared, at)] @ both[:, : len(self.shared)]
        return out
