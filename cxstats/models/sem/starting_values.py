"""Where the search for estimates begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.moments import correlations
from cxstats.models.sem.model import Model, Parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def start_values(model: Model, cov: Array, mean: Array | None, plain: bool = False) -> Array:
    """Return a start for every parameter, (T,).

    Loadings come from the centroid of each latent's items, ``l_i = sum_j r_ij / sqrt(sum r)``
    over its other items; covariances of latents from the items weighted by loadings; paths from
    those; residual variances are what is left. Moments of observed predictors and intercepts are
    the sample's.

    Parameters
    ----------
    model : Model
        The model.
    cov : array (G, p, p)
        Sample covariances of the groups.
    mean : array (G, p) or None
        Sample means.
    plain : bool
        Another start, for where this one leads nowhere: every item correlates 0.7 with its
        latent, and latents 0.3.
    """
    groups = []
    size = len(model.one_group)
    for g in range(model.n_groups):
        parameters = model.parameters[g * size : (g + 1) * size]
        means = None if mean is None else mean[g]
        groups.append(_of_group(model, parameters, cov[g], means, plain))
    return np.concatenate(groups)


def _of_group(
    model: Model, parameters: tuple[Parameter, ...], cov: Array, mean: Array | None, plain: bool
) -> Array:
    at = {name: i for i, name in enumerate(model.observed)}
    loading, variance = _measurement(parameters, cov, at, plain)
    core, covariance = _core_covariances(model, parameters, cov, at, loading, variance, plain)
    path = _paths(parameters, core, covariance, variance)
    values = []
    for p in parameters:
        if p.fixed is not None:
            value = p.fixed
        elif p.start is not None:
            value = p.start
        elif p.op == "=~":
            value = loading[p.lhs, p.rhs]
        elif p.op == "~":
            value = path[p.lhs, p.rhs]
        elif p.op == "~1":
            value = mean[at[p.lhs]] if mean is not None and p.lhs in at else 0.0
        elif p.exogenous:
            value = cov[at[p.lhs], at[p.rhs]]
        elif p.lhs == p.rhs:
            value = variance[p.lhs]
        elif {p.lhs, p.rhs} <= core.keys() and not {p.lhs, p.rhs} & set(model.endogenous):
            value = covariance[core[p.lhs], core[p.rhs]]
        else:
            value = 0.0
        values.append(float(value))
    return np.array(values)


def _core_covariances(
    model: Model,
    parameters: tuple[Parameter, ...],
    cov: Array,
    at: dict[str, int],
    loading: dict[tuple[str, str], float],
    variance: dict[str, float],
    plain: bool,
) -> tuple[dict[str, int], Array]:
    """Return covariances of latents and observed variables of regressions, with their places.

    Those of two latents are ``l_j' S_jk l_k / (l_j' l_j l_k' l_k)``, in which errors cancel.
    """
    regressed = {n for p in parameters if p.op == "~" for n in (p.lhs, p.rhs)}
    names = [*model.latents, *(n for n in model.observed if n in regressed)]
    weights = np.zeros((len(names), len(cov)))
    total = np.array([variance[n] if n in model.latents else cov[at[n], at[n]] for n in names])
    for k, name in enumerate(names):
        rows = {item: v for (latent, item), v in loading.items() if latent == name and item in at}
        rows = {name: 1.0} if name in at else rows
        squares = sum(v**2 for v in rows.values())
        for item, v in rows.items():
            weights[k, at[item]] = v / squares if squares else 0
    covariance = weights @ cov @ weights.T
    if plain:
        covariance = 0.3 * np.sqrt(np.outer(total, total))
    limit = 0.9 * np.sqrt(np.outer(total, total))
    covariance = np.clip(covariance, -limit, limit)
    np.fill_diagonal(covariance, total)
    return {name: k for k, name in enumerate(names)}, covariance


def _paths(
    parameters: tuple[Parameter, ...], core: dict[str, int], cov: Array, variance: dict[str, float]
) -> dict[tuple[str, str], float]:
    """Return regressions among the core, ridged; residual variances are put into `variance`."""
    into: dict[str, list[str]] = {}
    for p in parameters:
        if p.op == "~":
            into.setdefault(p.lhs, []).append(p.rhs)
    path: dict[tuple[str, str], float] = {}
    for name, predictors in into.items():
        y, x = core[name], [core[n] for n in predictors]
        inner = cov[np.ix_(x, x)]
        beta = np.linalg.solve(inner + 0.1 * np.diag(np.diag(inner)), cov[x, y])
        variance[name] = max(cov[y, y] - beta @ cov[x, y], cov[y, y] / 5)
        path |= {(name, n): float(b) for n, b in zip(predictors, beta, strict=True)}
    return path


def _measurement(
    parameters: tuple[Parameter, ...], cov: Array, at: dict[str, int], plain: bool
) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    """Return starts of loadings and of (residual) variances."""
    items: dict[str, list[Parameter]] = {}
    for p in parameters:
        if p.op == "=~":
            items.setdefault(p.lhs, []).append(p)
    fixed = {
        p.lhs: p.fixed
        for p in parameters
        if p.op == "~~" and p.lhs == p.rhs and p.fixed is not None
    }
    variance = {name: cov[i, i] / 2 for name, i in at.items()}
    loading: dict[tuple[str, str], float] = {}
    # Latents that are measured by latents come after those.
    order: dict[str, int] = {}
    for name in items:
        _depth(name, items, order)
    for name in sorted(items, key=order.__getitem__):
        rows = items[name]
        if all(p.rhs in at for p in rows):
            inner = cov[np.ix_(*[[at[p.rhs] for p in rows]] * 2)]
            raw = 0.7 * np.sqrt(np.diagonal(inner)) if plain else _centroid(inner)
        else:
            raw = np.sqrt([variance.get(p.rhs, 1.0) / 2 for p in rows])
        anchor = next((k for k, p in enumerate(rows) if p.fixed), None)
        scale = raw[anchor] / rows[anchor].fixed if anchor is not None else 1.0
        if anchor is None and fixed.get(name):
            scale = np.sqrt(abs(fixed[name]))
        variance[name] = scale**2
        for p, value in zip(rows, raw, strict=True):
            loading[name, p.rhs] = value / scale
            if p.rhs in at:
                total = cov[at[p.rhs], at[p.rhs]]
                variance[p.rhs] = max(total - value**2, total / 5)
            else:
                variance[p.rhs] /= 2
    return loading, variance


def _depth(name: str, items: dict[str, list[Parameter]], depths: dict[str, int]) -> int:
    """Return how many latents stand below one, 0 with items alone; keep it in `depths`."""
    if name not in depths:
        below = [_depth(p.rhs, items, depths) for p in items[name] if p.rhs in items]
        depths[name] = 1 + max(below) if below else 0
    return depths[name]


def _centroid(cov: Array) -> Array:
    """Return loadings of items on their common factor of variance 1, (k,)."""
    sd = np.sqrt(np.diag(cov))
    if len(sd) == 1:
        return sd
    r = correlations(cov) - np.eye(len(sd))
    sign = np.where(r[0] < 0, -1.0, 1.0)
    sign[0] = 1
    r = r * np.outer(sign, sign)
    shared = r.sum(axis=1) / np.sqrt(max(r.sum(), 1e-3))
    bounded: Array = np.clip(shared, 0.3, 0.9) * sign * sd
    return bounded
