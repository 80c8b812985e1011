"""The standardised solution: estimates in standard deviations, for one fit or a batch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.models.sem.constraints import STEP, complex_step
from cxstats.models.sem.model import Model
from cxstats.models.sem.structure import Structure, implied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.models.sem.likelihood import Likelihood

    Array = NDArray[np.float64]
    Places = NDArray[np.intp]
    # Places of quantities (k,), the free parameters behind them (m,), and slopes (k, m).
    SlopesOfQuantities = list[tuple[Places, Places, Array]]


def standardised(likelihood: Likelihood, x: Array) -> Array:
    """Return every parameter in standard deviations of the variables, (..., G T).

    A path or loading is multiplied by sd(from) / sd(to), a variance divided by the variable's
    implied variance, a covariance divided by the square roots of both (residual) variances, an
    intercept by the standard deviation: lavaan's "std.all".

    Parameters
    ----------
    likelihood : Likelihood
        Of the model.
    x : array (..., G T)
        All parameters, real or complex.
    """
    structure, model = likelihood.structure, likelihood.reduction.model
    groups = x.reshape((*x.shape[:-1], likelihood.n_groups, -1))
    moments = implied(structure, groups)
    variance = np.concatenate(
        [
            np.diagonal(moments.total, axis1=-2, axis2=-1),
            np.diagonal(moments.sigma, axis1=-2, axis2=-1),
        ],
        axis=-1,
    )
    kind, left, right, residual_left, residual_right = _places(model, structure)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(_where_positive(variance))
        residual = np.sqrt(_size(groups))
        a, b = sd[..., left], sd[..., right]
        scale = np.select(
            [kind == "directed", kind == "variance", kind == "intercept"],
            [a / b, 1 / a**2, 1 / a],
            1 / (residual[..., residual_left] * residual[..., residual_right]),
        )
        out: Array = groups * scale
    return out.reshape(x.shape)


def _where_positive(variance: Array) -> Array:
    return np.where(variance.real > 0, variance, np.nan)


def _size(x: Array) -> Array:
    """Return |x|, differentiable by a complex step."""
    return np.where(x.real < 0, -x, x)


@lru_cache(maxsize=32)
def _places(model: Model, structure: Structure) -> tuple[Array, ...]:
    """Return the kind of each parameter and the places of its variables' variances."""
    at = {name: len(structure.core) + i for i, name in enumerate(model.observed)}
    at |= {name: i for i, name in enumerate(structure.core)}
    variances = {p.lhs: i for i, p in enumerate(model.one_group) if p.op == "~~" and p.lhs == p.rhs}
    rows = []
    for p in model.one_group:
        if p.op == "~1":
            rows.append(("intercept", at[p.lhs], 0, 0, 0))
        elif p.op != "~~":
            source, target = (p.lhs, p.rhs) if p.op == "=~" else (p.rhs, p.lhs)
            rows.append(("directed", at[source], at[target], 0, 0))
        elif p.lhs == p.rhs:
            rows.append(("variance", at[p.lhs], 0, 0, 0))
        else:
            rows.append(("covariance", at[p.lhs], at[p.rhs], variances[p.lhs], variances[p.rhs]))
    kind, *places = zip(*rows, strict=True)
    return np.array(kind), *(np.array(place) for place in places)


def all_quantities(likelihood: Likelihood, phi: Array) -> Array:
    """Return parameters, defined ones, and both of the standardised solution, (..., 2 (T + D))."""
    reduction = likelihood.reduction
    x = reduction.all(phi)
    std = standardised(likelihood, x)
    return np.concatenate([x, reduction.defined(x), std, reduction.defined(std)], axis=-1)


def slopes_of_quantities(
    likelihood: Likelihood, phi: Array
) -> Iterator[tuple[Places, Places, Array]]:
    """Yield places of quantities (k,), the free parameters behind them (m,) and slopes (k, m).

    What only one group has moves that group alone: of every group one such parameter is moved at
    a time, all at once.
    """
    reduction, border = likelihood.reduction, likelihood.reduction.border
    q, defined = len(phi), len(reduction.model.definitions)
    if not border.inner or defined:
        slopes = complex_step(lambda point: all_quantities(likelihood, point), phi)
        yield np.arange(len(slopes)), np.arange(q), slopes
        return
    together = np.zeros(q, np.intp)
    for at in border.inner:
        together[at] = np.arange(len(at))
    together[border.shared] = together.max() + 1 + np.arange(len(border.shared))
    steps = np.equal.outer(np.arange(together.max() + 1), together)
    moved: Any = phi + 1j * STEP * steps
    slopes = all_quantities(likelihood, moved).imag.T / STEP
    by_group = np.arange(len(slopes)).reshape((2, likelihood.n_groups, -1))
    for g, free in enumerate(reduction.groups):
        at = by_group[:, g].ravel()
        yield at, free.columns, slopes[np.ix_(at, together[free.columns])]
