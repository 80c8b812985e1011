"""Implied moments of a model and their derivatives, for one set of values or a batch.

Variables are of two kinds. A *leaf* is an observed variable that sends no arrow and whose residual
covaries with leaves only: an indicator. The others, latents and observed predictors, are the
*core*. With paths B and covariances Psi among the core, loadings L of the observed variables on the
core and residual covariances Theta of the leaves::

    Sigma = G Psi G' + Theta,      G = L E,      E = (I - B)^-1
    mu = nu + G alpha

Every derivative of Sigma is a symmetrised outer product ``w (u v' + v u')`` of two columns of the
pool ``V = [I, G, L C]``, ``C = E Psi E'``. So gradient and information are look-ups in small
products of V with itself (as in Joreskog's LISREL, 1970, here for all parameters at once).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem.model import Model, Parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]

# Share of a variance below which a residual is near zero: digits lost are about its logarithm.
SMALL = 1e-4
LOADING, PATH, COVARIANCE, RESIDUAL, INTERCEPT, MEAN = range(6)


@dataclass(frozen=True, eq=False)
class Structure:
    """Where each of T parameters of a group stands.

    Attributes
    ----------
    core : tuple of str
        The c core variables.
    matrix, row, column : arrays (T,)
        One of LOADING (of a leaf on the core), PATH, COVARIANCE (core), RESIDUAL (leaves),
        INTERCEPT (leaves), MEAN (core); and the place in it.
    unit : array (p, c)
        The part of L that is known: ones for observed variables of the core.
    a, b : arrays (T,)
        Columns of the pool whose outer product is the derivative.
    weight : array (T,)
        Its weight w: 1, a half for variances, 0 for means.
    means : bool
        Whether means are modelled.
    """

    core: tuple[str, ...]
    matrix: Places
    row: Places
    column: Places
    unit: Array
    a: Places
    b: Places
    weight: Array
    means: bool

    @cached_property
    def at(self) -> dict[int, Places]:
        """The parameters of each matrix."""
        return {matrix: np.flatnonzero(self.matrix == matrix) for matrix in range(6)}

    @cached_property
    def directed(self) -> Places:
        """The loadings and paths."""
        return np.flatnonzero(np.isin(self.matrix, (LOADING, PATH)))

    @cached_property
    def slots(self) -> dict[int, tuple[Places, Places]]:
        """The parameters of each matrix and their places in it, read row by row."""
        p, c = self.unit.shape
        width = {LOADING: c, PATH: c, COVARIANCE: c, RESIDUAL: p, INTERCEPT: 0, MEAN: 0}
        slots = {}
        for matrix, at in self.at.items():
            row, column = self.row[at], self.column[at]
            column = column if width[matrix] else row
            place = row * width[matrix] + column
            if matrix in (COVARIANCE, RESIDUAL):  # each covariance stands twice
                off = row != column
                twice = np.append(at, at[off])
                place = np.append(place, (column * width[matrix] + row)[off])
                slots[matrix] = twice, place
            else:
                slots[matrix] = at, place
        return slots

    @cached_property
    def diagonal(self) -> Places | None:
        """The residual variance of every variable, where all have one and none covary."""
        p, at = len(self.unit), self.at[RESIDUAL]
        if len(at) != p or (self.row[at] != self.column[at]).any():
            return None
        return at[np.argsort(self.row[at])]

    @classmethod
    def of(cls, model: Model) -> Structure:
        """Lay out a model."""
        core, parameters = _core(model), model.one_group
        p, c = len(model.observed), len(core)
        at = {name: i for i, name in enumerate(core)}
        leaf = {name: i for i, name in enumerate(model.observed) if name not in at}
        unit = np.zeros((p, c))
        for i, name in enumerate(model.observed):
            if name in at:
                unit[i, at[name]] = 1
        places = [_place(parameter, at, leaf) for parameter in parameters]
        matrix, row, column = (np.array(part, np.intp) for part in zip(*places, strict=True))
        in_core = np.isin(matrix, (PATH, COVARIANCE, MEAN))
        a = np.where(in_core, p + row, row)
        directed = np.isin(matrix, (LOADING, PATH))
        b = np.where(directed, p + c + column, np.where(in_core, p + column, column))
        weight = np.where(np.isin(matrix, (INTERCEPT, MEAN)), 0.0, 1.0)
        weight[~directed & (row == column)] /= 2
        return cls(core, matrix, row, column, unit, a, b, weight, model.means)


def _core(model: Model) -> tuple[str, ...]:
    """Return the core: whatever sends an arrow, and what covaries with such a variable."""
    core = set(model.latents)
    core |= {p.rhs for p in model.one_group if p.op == "~"}
    pairs = [(p.lhs, p.rhs) for p in model.one_group if p.op == "~~"]
    while True:
        near = {n for pair in pairs if core & set(pair) for n in pair} - core
        if not near:
            return tuple(n for n in (*model.latents, *model.observed) if n in core)
        core |= near


def _place(p: Parameter, core: dict[str, int], leaf: dict[str, int]) -> tuple[int, int, int]:
    if p.op == "~1":
        place = core.get(p.lhs)
        return (INTERCEPT, leaf[p.lhs], leaf[p.lhs]) if place is None else (MEAN, place, place)
    if p.op == "~~":
        if p.lhs in core:
            return COVARIANCE, core[p.lhs], core[p.rhs]
        return RESIDUAL, leaf[p.lhs], leaf[p.rhs]
    into, out = (p.rhs, p.lhs) if p.op == "=~" else (p.lhs, p.rhs)
    return (PATH, core[into], core[out]) if into in core else (LOADING, leaf[into], core[out])


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """Matrices of a model at a batch of values; leading axes are those of the batch.

    Attributes
    ----------
    loadings : array (..., p, c)
        L, with the ones of observed core variables.
    effects, psi, total : arrays (..., c, c)
        E, Psi and ``C = E Psi E'``, the covariances of the core.
    g, k : arrays (..., p, c)
        G and L C.
    sigma : array (..., p, p)
        Implied covariances.
    theta : array (..., p) or None
        Residual variances, where they are all there is beside the core.
    shift : array (..., c) or None
        ``E alpha``, the means of the core.
    mu : array (..., p) or None
        Implied means.
    """

    loadings: Array
    effects: Array
    psi: Array
    total: Array
    g: Array
    k: Array
    sigma: Array
    theta: Array | None
    shift: Array | None
    mu: Array | None

    def block(self, which: int | NDArray[np.bool_]) -> Implied:
        """Return the matrices of one entry, or some, of the first axis."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        taken: dict[str, Any] = {k: None if v is None else v[which] for k, v in values.items()}
        return Implied(**taken)


def implied(structure: Structure, x: Array) -> Implied:
    """Return the implied moments at parameters x (..., T)."""
    p, c = structure.unit.shape
    shape = x.shape[:-1]
    loadings = _filled(structure, x, LOADING, p, c) + structure.unit
    psi = _filled(structure, x, COVARIANCE, c, c)
    if len(structure.at[PATH]):
        effects = inverse_of(np.eye(c) - _filled(structure, x, PATH, c, c))
        g = loadings @ effects
        total = effects @ psi @ _t(effects)
        k = loadings @ total
    else:
        effects = np.broadcast_to(np.eye(c), (*shape, c, c))
        g, total, k = loadings, psi, loadings @ psi
    sigma = (k if g is loadings else g @ psi) @ _t(g)
    _add_residuals(structure, x, sigma)
    theta = None if structure.diagonal is None else x[..., structure.diagonal]
    if not structure.means:
        return Implied(loadings, effects, psi, total, g, k, sigma, theta, None, None)
    alpha = _filled(structure, x, MEAN, c)
    nu = _filled(structure, x, INTERCEPT, p)
    shift = (effects @ alpha[..., None])[..., 0]
    mu = nu + (loadings @ shift[..., None])[..., 0]
    return Implied(loadings, effects, psi, total, g, k, sigma, theta, shift, mu)


def _add_residuals(structure: Structure, x: Array, sigma: Array) -> None:
    at, place = structure.slots[RESIDUAL]
    sigma.reshape((*sigma.shape[:-2], -1))[..., place] += x[..., at]


def inverted(model: Implied) -> Array:
    """Return ``Sigma^-1`` (..., p, p).

    With residual variances alone beside the core, none near zero, the c x c identity of Woodbury
    (1950) needs a tenth of the work: ``D - U K U'`` with ``D = Theta^-1``, ``U = D G`` and
    ``K = Psi (I + G' U Psi)^-1``.
    """
    theta, c = model.theta, model.g.shape[-1]
    if theta is None:
        return inverse_of(model.sigma)
    variance = np.diagonal(model.sigma, axis1=-2, axis2=-1)
    small = np.any(np.abs(theta) < SMALL * np.abs(variance), axis=-1)
    d = 1 / np.where(small[..., None], 1, theta)
    u = d[..., :, None] * model.g
    k = model.psi @ inverse_of(np.eye(c) + _t(model.g) @ u @ model.psi)
    out: Array = -((u @ k) @ _t(u))
    out.reshape((*out.shape[:-2], -1))[..., :: out.shape[-1] + 1] += d
    if small.any():
        out[small] = inverse_of(model.sigma[small])
    return out


def inverse_of(matrices: Array) -> Array:
    """Return inverses of a batch; NaN for a singular matrix."""
    try:
        return np.asarray(np.linalg.inv(matrices), matrices.dtype)
    except np.linalg.LinAlgError:
        if matrices.ndim == 2:
            return np.full_like(matrices, np.nan)
        return np.array([inverse_of(matrix) for matrix in matrices])


def _t(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def _filled(structure: Structure, x: Array, matrix: int, *shape: int) -> Array:
    """Return one of the matrices, zero where there is no parameter."""
    at, place = structure.slots[matrix]
    out = np.zeros((*x.shape[:-1], prod(shape)), x.dtype)
    out[..., place] = x[..., at]
    return out.reshape(x.shape[:-1] + shape)


def gradient(
    structure: Structure, model: Implied, inverse: Array, cov: Array, deviation: Array | None
) -> Array:
    """Return the derivatives of ``log|Sigma| + tr(S Sigma^-1) + d' Sigma^-1 d``, (..., T).

    Parameters
    ----------
    structure, model
        The layout and the implied moments.
    inverse : array (..., p, p)
        ``Sigma^-1``.
    cov : array (..., p, p)
        S; with a mean structure ``S + d d'``.
    deviation : array (..., p) or None
        ``d = mean - mu``.
    """
    q = inverse - inverse @ cov @ inverse
    qg, qk = q @ model.g, q @ model.k
    g_t = _t(model.g)
    blocks = {LOADING: qk, PATH: g_t @ qk, COVARIANCE: g_t @ qg, RESIDUAL: q}
    out = np.zeros((*q.shape[:-2], len(structure.matrix)), q.dtype)
    for matrix, block in blocks.items():
        at, place = structure.slots[matrix]
        out[..., at] = block.reshape((*block.shape[:-2], -1))[..., place]
    out *= 2 * structure.weight
    if deviation is not None and model.shift is not None:
        pull = -2 * (inverse @ deviation[..., None])
        on_core = (g_t @ pull)[..., 0]
        pulls = {LOADING: pull[..., 0], INTERCEPT: pull[..., 0], PATH: on_core, MEAN: on_core}
        for matrix, value in pulls.items():
            at = structure.at[matrix]
            rise = value[..., structure.row[at]]
            if matrix in (LOADING, PATH):
                out[..., at] += rise * model.shift[..., structure.column[at]]
            else:
                out[..., at] = rise
    return out


def pool(model: Implied) -> Array:
    """Return the vectors that derivatives are made of, (..., p, p + 2 c)."""
    p = model.g.shape[-2]
    unit = np.broadcast_to(np.eye(p), (*model.g.shape[:-2], p, p))
    return np.concatenate([unit, model.g, model.k], axis=-1)


def mean_weights(structure: Structure, model: Implied) -> Array:
    """Return how much of vector a each parameter adds to the means, (..., T)."""
    out = np.zeros((*model.g.shape[:-2], len(structure.matrix)))
    if model.shift is not None:
        directed = structure.directed
        out[..., directed] = model.shift[..., structure.column[directed]]
        out[..., np.isin(structure.matrix, (INTERCEPT, MEAN))] = 1
    return out


def information(
    structure: Structure,
    model: Implied,
    inverse: Array,
    rows: Places | None = None,
    columns: Places | None = None,
) -> Array:
    """Return the expected information of one case, (..., r, k).

    ``tr(W dS_k W dS_l) / 2 + dmu_k' W dmu_l`` with ``W = Sigma^-1``, all by look-up in
    ``H = V' W V``.

    Parameters
    ----------
    structure, model
        The layout and the implied moments.
    inverse : array (..., p, p)
        ``Sigma^-1``.
    rows, columns : arrays (r,), (k,), optional
        The parameters between which it is wanted; all T without them.
    """
    v, everything = pool(model), np.arange(structure.matrix.size)
    first, second = (everything if at is None else at for at in (rows, columns))
    h = _t(v) @ inverse @ v
    a, b, w = structure.a, structure.b, structure.weight
    aa = _at(h, a[first], a[second])
    out: Array = aa * _at(h, b[first], b[second]) + _at(h, a[first], b[second]) * _at(
        h, b[first], a[second]
    )
    out *= np.multiply.outer(w[first], w[second])
    if model.mu is not None:
        s = mean_weights(structure, model)
        out += aa * (s[..., first, None] * s[..., None, second])
    return out


def information_diagonal(structure: Structure, model: Implied, inverse: Array) -> Array:
    """Return the diagonal of `information`, (..., T)."""
    v = pool(model)
    h = _t(v) @ inverse @ v
    a, b = structure.a, structure.b
    out: Array = (h[..., a, a] * h[..., b, b] + h[..., a, b] ** 2) * structure.weight**2
    if model.mu is not None:
        out += h[..., a, a] * mean_weights(structure, model) ** 2
    return out


def hessian(
    structure: Structure, model: Implied, inverse: Array, cov: Array, deviation: Array | None
) -> Array:
    """Return the second derivatives of ``log|Sigma| + tr(S W) + d' W d``, (..., T, T).

    With ``W = Sigma^-1``, ``P = W (S + d d') W`` and ``Q = W - P``::

        tr(S_k W S_l (2 P - W)) + tr(Q S_kl)
        + 2 m_k' W m_l + 2 d' W (S_k W m_l + S_l W m_k) - 2 d' W m_kl

    where ``S_k``, ``m_k`` are derivatives of Sigma and mu. The arguments are those of
    `gradient`, but for `cov`, which is S itself.
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
    if deviation is None:
        return out + _second_of_covariances(structure, model, h - p)
    s = mean_weights(structure, model)
    aa = _at(h, a, a)
    slope = (pull[..., a, None] * _t(_at(h, a, b)) + pull[..., b, None] * aa) * w[:, None]
    slope *= s[..., None, :]
    out += 2 * (aa * s[..., :, None] * s[..., None, :] + slope + _t(slope))
    return out + second_of_moments(structure, model, h - p, pull)


def second_of_moments(structure: Structure, model: Implied, q: Array, pull: Array) -> Array:
    """Return the part of `hessian` with second derivatives of the moments, (..., T, T).

    ``tr(Q S_kl) - 2 d' W m_kl``, linear in Q and W d.

    Parameters
    ----------
    structure, model
        The layout and the implied moments.
    q : array (..., N, N)
        ``V' Q V``.
    pull : array (..., N)
        ``V' W d``.
    """
    out = _second_of_covariances(structure, model, q)
    s, column, row = mean_weights(structure, model), structure.column, structure.row
    directed, into = structure.directed, np.append(structure.at[PATH], structure.at[MEAN])
    # m_kl of a path into or a mean of the core (l) and an arrow that leaves it (k).
    bent = 2 * _at(model.effects, column[directed], row[into])
    bent = bent * pull[..., structure.a[directed], None] * s[..., None, into]
    out[..., directed[:, None], into] -= bent
    out[..., into[:, None], directed] -= _t(bent)
    return out


def _second_of_covariances(structure: Structure, model: Implied, q: Array) -> Array:
    """Return ``tr(Q S_kl)``, (..., T, T)."""
    a, b, w, row, column = (
        structure.a, structure.b, structure.weight, structure.row, structure.column
    )  # fmt: skip
    out = np.zeros((*q.shape[:-2], len(a), len(a)))
    directed = structure.directed
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


def _at(matrix: Array, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Array:
    flat = matrix.reshape(*matrix.shape[:-2], -1)  # one index is looked up faster than two
    out: Array = flat.take(rows[:, None] * matrix.shape[-1] + columns, axis=-1)
    return out


def jacobian(structure: Structure, model: Implied) -> Array:
    """Return the derivatives of covariances (lower triangle) and means, (..., p*, T)."""
    v = pool(model)
    row, column = np.tril_indices(v.shape[-2])
    a, b = v[..., structure.a], v[..., structure.b]
    d = (a[..., row, :] * b[..., column, :] + b[..., row, :] * a[..., column, :]) * structure.weight
    if model.mu is None:
        return d
    return np.concatenate([d, a * mean_weights(structure, model)[..., None, :]], axis=-2)
