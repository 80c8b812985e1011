"""Correlations of latents, and scores of the respondents on them."""

from __future__ import annotations

from dataclasses import fields
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.moments import correlations
from cxstats.models.sem.constraints import complex_step
from cxstats.models.sem.small_samples import fisher_limits
from cxstats.models.sem.structure import Implied, inverse_of
from cxstats.stats.intervals import normal_quantile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.sem.result import SemFit

    Array = NDArray[np.float64]

METHODS = ("regression", "bartlett")


def latent_correlations(fit: SemFit) -> pd.DataFrame:
    """Return the implied correlations of all latents; see `SemFit.latent_correlations`."""
    import pandas as pd

    fit.require_sound("correlations of the latents")
    at, names, likelihood = _places(fit), fit.model.latents, fit.likelihood
    pairs = list(combinations(range(len(at)), 2))
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T

    def of(phi: Array) -> Array:
        total = likelihood.implied(phi).total[..., at[:, None], at]
        r: Array = correlations(total)[..., first, second]
        return r.reshape((*r.shape[:-2], -1))

    phi, reach = fit.optimum.phi, normal_quantile(fit.level)
    with np.errstate(all="ignore"):
        r = of(phi)
        slopes = complex_step(of, phi) if len(phi) else np.zeros((len(r), 0))
        se = np.sqrt(np.einsum("kq,qr,kr->k", slopes, fit.covariance, slopes))
        se = np.where(se > 1e-9, se, np.nan)  # what is fixed has no error
        low, high = fisher_limits(r, se, reach)
    groups = range(fit.model.n_groups)
    keys = [(names[i], names[j], fit.sample.group_name(g)) for g in groups for i, j in pairs]
    frame = pd.DataFrame(keys, columns=["first", "second", "group"])
    return frame.assign(estimate=r, se=se, ci_low=low, ci_high=high)


def factor_scores(fit: SemFit, method: str, standardised: bool) -> pd.DataFrame:
    """Return the scores of the respondents; see `SemFit.factor_scores`."""
    import pandas as pd

    _check(fit, method)
    values, groups = fit.sample.answers()
    answered = ~np.isnan(values)
    usable = answered.any(axis=1) if fit.sample.patterns else answered.all(axis=1)
    scores = np.full((len(values), len(fit.model.latents)), np.nan)
    for g, name in enumerate(fit.sample.groups):
        rows = usable if groups is None else usable & (groups == name)
        kinds, kind_of = np.unique(answered[rows], axis=0, return_inverse=True)
        where, model = np.flatnonzero(rows), _one(fit, g)
        centre, shift = _means(fit, g, model)
        at = _places(fit)
        scale = np.sqrt(np.diagonal(model.total)[at]) if standardised else 1.0
        base = 0.0 if standardised else shift[at]
        for j, present in enumerate(kinds):
            of_kind = where[kind_of == j]
            deviations = (values[of_kind] - centre)[:, present]
            scores[of_kind] = base + deviations @ _weights(fit, model, method, present).T / scale
    index = getattr(fit.sample.frame, "index", None)
    index = index if isinstance(index, pd.Index) else None
    return pd.DataFrame(scores, index=index, columns=list(fit.model.latents))


def determinacy(fit: SemFit, method: str) -> pd.DataFrame:
    """Return how far scores are the latents themselves; see `SemFit.score_determinacy`."""
    import pandas as pd

    _check(fit, method)
    at, names = _places(fit), fit.model.latents
    rows = []
    for g in range(fit.model.n_groups):
        model = _one(fit, g)
        everything = np.ones(len(fit.model.observed), bool)
        weights = _weights(fit, model, method, everything)
        shared = np.einsum("kp,pk->k", weights, model.k[:, at])
        variance = np.einsum("kp,pq,kq->k", weights, model.sigma, weights)
        with np.errstate(all="ignore"):
            r = shared / np.sqrt(variance * np.diagonal(model.total)[at])
        rows += [
            (name, fit.sample.group_name(g), value, value**2)
            for name, value in zip(names, r, strict=True)
        ]
    return pd.DataFrame(rows, columns=["latent", "group", "determinacy", "reliability"])


def _check(fit: SemFit, method: str) -> None:
    if method not in METHODS:
        raise CxError(f"method is {method!r}; allowed: {', '.join(METHODS)}")
    fit.require_sound("factor scores")
    if not fit.model.latents:
        raise CxError("the model has no latents, so there are no scores")
    if fit.sample.frame is None:
        raise CxError(
            "the model was fitted to moments alone; factor scores need the respondents: pass the "
            "frame to cx.sem"
        )


def _places(fit: SemFit) -> NDArray[np.intp]:
    core = fit.likelihood.structure.core
    return np.array([core.index(name) for name in fit.model.latents], np.intp)


def _one(fit: SemFit, group: int) -> Implied:
    """Return the implied moments of one group."""
    model = fit.optimum.point.model
    values: dict[str, Any] = {field.name: getattr(model, field.name) for field in fields(Implied)}
    chosen: dict[str, Any] = {k: None if v is None else v[group] for k, v in values.items()}
    return Implied(**chosen)


def _means(fit: SemFit, group: int, model: Implied) -> tuple[Array, Array]:
    """Return the means of the observed variables and of the core.

    Where means are not modelled they are those that a model with free intercepts of the observed
    variables and none of the latents would have: the sample's, and what they explain of latents.
    """
    if model.mu is not None and model.shift is not None:
        return model.mu, model.shift
    mean, core = fit.sample.mean[group], fit.likelihood.structure.core
    place = {name: i for i, name in enumerate(fit.model.observed)}
    shift = np.array([mean[place[name]] if name in place else 0.0 for name in core])
    latent = np.array([name not in place for name in core])
    paths = np.eye(len(core)) - inverse_of(model.effects)
    inner = np.eye(int(latent.sum())) - paths[np.ix_(latent, latent)]
    shift[latent] = np.linalg.solve(inner, paths[np.ix_(latent, ~latent)] @ shift[~latent])
    return mean, shift


def _weights(fit: SemFit, model: Implied, method: str, present: NDArray[np.bool_]) -> Array:
    """Return what the deviations of the answers count for in the scores, (latents, answers)."""
    at = _places(fit)
    inverse = inverse_of(model.sigma[np.ix_(present, present)])
    if method == "regression":
        out: Array = model.k[present][:, at].T @ inverse
        return out
    items = (model.loadings[present] != 0).any(axis=0)
    out = np.full((len(model.total), int(present.sum())), np.nan)
    out[items] = _unbiased(model.loadings[present][:, items], inverse)
    # A latent that only others measure is scored through them, their disturbances being noise.
    above = ~items & (model.g[present] != 0).any(axis=0)
    if above.any():
        out[above] = _unbiased(model.g[present][:, above], inverse)
    return out[at]


def _unbiased(loadings: Array, inverse: Array) -> Array:
    """Return ``(L' W L)^-1 L' W``, which gives back every latent: times L it is the identity."""
    turned = loadings.T @ inverse
    out: Array = inverse_of(turned @ loadings) @ turned
    return out
