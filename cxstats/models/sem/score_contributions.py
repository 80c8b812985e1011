"""What each case says about each parameter: the raw material of robust errors and of BCa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem import structure as layout
from cxstats.models.sem.likelihood import Likelihood, Point
from cxstats.models.sem.missing import PatternLikelihood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


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
    if isinstance(likelihood, PatternLikelihood):
        return _of_patterns(likelihood, phi, matrices)
    point = likelihood.at(phi)
    rows = []
    for g, matrix in enumerate(matrices):
        own = centred or point.model.mu is None
        z = matrix - (matrix.mean(axis=0) if own else point.model.mu[g])  # type: ignore[index]
        scores = _scores(point, g, z, likelihood)
        if centred:
            scores = scores - scores.mean(axis=0)
        rows.append(_reduced(likelihood, g, scores))
    return np.concatenate(rows)


def _of_patterns(likelihood: PatternLikelihood, phi: Array, matrices: list[Array]) -> Array:
    point, patterns = likelihood.at(phi), likelihood.patterns
    rows = []
    for g, matrix in enumerate(matrices):
        given = ~np.isnan(matrix)
        out = np.zeros((len(matrix), likelihood.reduction.matrix.shape[1]))
        for j in np.flatnonzero(patterns.group == g):
            own = (given == patterns.present[j]).all(axis=1)
            assert point.model.mu is not None  # patterns always have means
            z = np.where(patterns.present[j], matrix[own] - point.model.mu[j], 0)
            out[own] = _reduced(likelihood, g, _scores(point, j, z, likelihood))
        rows.append(out[given.any(axis=1)])
    return np.concatenate(rows)


def _scores(point: Point, block: Any, z: Array, likelihood: Likelihood) -> Array:
    structure = likelihood.structure
    pool = layout.pool(point.model)[block]
    shift = layout.mean_weights(structure, point.model)[block]
    turned = point.inverse[block] @ pool
    a, b = structure.a, structure.b
    pull = z @ turned
    level = np.einsum("ik,ik->k", pool[:, a], turned[:, b])
    out: Array = (pull[:, a] * pull[:, b] - level) * structure.weight + pull[:, a] * shift
    return out


def _reduced(likelihood: Likelihood, group: int, scores: Array) -> Array:
    t = likelihood.structure.matrix.size
    out: Array = scores @ likelihood.reduction.matrix[group * t : (group + 1) * t]
    return out
