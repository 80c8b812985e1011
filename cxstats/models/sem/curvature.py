"""Exact second derivatives of the discrepancy, by look-up like the information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem.structure import (
    COVARIANCE,
    LOADING,
    MEAN,
    PATH,
    Implied,
    Structure,
    mean_weights,
    pool,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def hessian(
    structure: Structure, model: Implied, inverse: Array, cov: Array, deviation: Array | None
) -> Array:
    """Return the second derivatives of ``log|Sigma| + tr(S W) + d' W d``, (..., T, T).

    With ``W = Sigma^-1``, ``P = W (S + d d') W`` and ``Q = W - P``::

        tr(S_k W S_l (2 P - W)) + tr(Q S_kl)
        + 2 m_k' W m_l + 2 d' W (S_k W m_l + S_l W m_k) - 2 d' W m_kl

    where ``S_k``, ``m_k`` are derivatives of Sigma and mu. The arguments are those of
    `cxstats.models.sem.structure.gradient`, but for `cov`, which is S itself.
    """
    v = pool(model)
    wv = inverse @ v
    h, p = _t(v) @ wv, _t(wv) @ cov @ wv
    if deviation is not None:
        pull = (_t(wv) @ deviation[..., None])[..., 0]
        p += pull[..., :, None] * pull[..., None, :]
    a, b, w = structure.a, structure.b, structure.weight
    r = 2 * p - h
    cross = _at(h, a, b) * _t(_at(r, a, b))
    out: Array = _at(h, a, a) * _at(r, b, b) + _at(h, b, b) * _at(r, a, a) + cross + _t(cross)
    out *= np.multiply.outer(w, w)
    out += _second(structure, model, h - p)
    if deviation is not None:
        out += _of_means(structure, model, h, pull)
    return out


def _second(structure: Structure, model: Implied, q: Array) -> Array:
    """Return ``tr(Q S_kl)``, (..., T, T)."""
    a, b, w, row, column = (
        structure.a, structure.b, structure.weight, structure.row, structure.column
    )  # fmt: skip
    out = np.zeros((*q.shape[:-2], len(a), len(a)))
    directed = _places(structure, LOADING, PATH)
    paths, c = structure.at[PATH], structure.at[COVARIANCE]
    out[..., directed[:, None], directed] = (
        2 * _at(model.total, column[directed], column[directed]) * _at(q, a[directed], a[directed])
    )
    # A path into the core moves what leaves it: E[from k, into l].
    moved = 2 * _at(model.effects, column[directed], row[paths]) * _at(q, a[directed], b[paths])
    # Place (k, l) is u_k' Q v_l E[from k, into l]: k's own path moves l's first vector.
    out[..., directed[:, None], paths] += moved
    out[..., paths[:, None], directed] += _t(moved)
    mixed = (
        2
        * w[c]
        * (
            _at(model.effects, column[directed], row[c]) * _at(q, a[directed], b[c])
            + _at(model.effects, column[directed], column[c]) * _at(q, a[directed], a[c])
        )
    )
    out[..., directed[:, None], c] = mixed
    out[..., c[:, None], directed] = _t(mixed)
    return out


def _of_means(structure: Structure, model: Implied, h: Array, pull: Array) -> Array:
    a, b, w, row, column = (
        structure.a, structure.b, structure.weight, structure.row, structure.column
    )  # fmt: skip
    s = mean_weights(structure, model)
    aa, ab = _at(h, a, a), _at(h, a, b)
    slope = (pull[..., a, None] * _t(ab) + pull[..., b, None] * aa) * w[:, None] * s[..., None, :]
    out: Array = 2 * (aa * s[..., :, None] * s[..., None, :] + slope + _t(slope))
    directed, into = _places(structure, LOADING, PATH), _places(structure, PATH, MEAN)
    # m_kl of a path into or a mean of the core (l) and an arrow that leaves it (k).
    bent = 2 * _at(model.effects, column[directed], row[into])
    bent = bent * pull[..., a[directed], None] * s[..., None, into]
    out[..., directed[:, None], into] -= bent
    out[..., into[:, None], directed] -= _t(bent)
    return out


def _places(structure: Structure, *matrices: int) -> NDArray[np.intp]:
    return np.flatnonzero(np.isin(structure.matrix, matrices))


def _at(matrix: Array, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
    out: Array = matrix[..., rows[:, None], columns]
    return out


def _t(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)
