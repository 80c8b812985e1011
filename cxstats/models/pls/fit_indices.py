"""How well a PLS path model fits: what it implies of the items' correlations, and how far off.

Two models are judged. The saturated one lets all constructs correlate as they do, so that only the
measurement is judged; the estimated one lets them correlate as the paths say. In either a block
of a composite has its items' correlations as they are; a reflective block of consistent PLS is one
of a common factor, ``l l'`` with ones on the diagonal.

Weights of mode B and consistent PLS find the parameters of a population that fits, so that all
indices are 0 there. Weights of mode A do so only nearly: their indices are a little above 0 even in
a population of composites, in resamples less so, and exceed their 5 % limit in 7 to 10 % of samples
of 300 of such a population (200 samples in our simulation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.moments import check_resamples, correlations
from cxstats.core.progress import quiet_linear_algebra, tracked

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.design import Design
    from cxstats.models.pls.estimates import Estimates
    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

MODELS = ("saturated", "estimated")
INDICES = ("srmr", "d_uls", "d_g")
# Resamples whose matrices are held at once.
CHUNK = 250


def implied_correlations(
    corr: Array, estimates: Estimates, design: Design, consistent: bool, model: str
) -> Array:
    """Return the correlations of the items that a model implies (B, p, p).

    Of items i, j of different constructs: ``l_i r l_j``, the loadings and the correlation of the
    constructs. In the estimated model r comes from the paths, and what paths leave over of two
    constructs does not correlate.

    Parameters
    ----------
    corr : array (B, p, p)
        Correlations of the items.
    estimates : Estimates
        Of the same samples.
    design : Design
    consistent : bool
        Whether reflective blocks are those of common factors.
    model : {"saturated", "estimated"}
    """
    constructs = estimates.construct_corr
    if model == "estimated":
        constructs = _from_paths(constructs, estimates.paths, design)
    loadings, home = estimates.loadings, design.home
    implied = constructs[:, home][:, :, home] * loadings[:, :, None] * loadings[:, None, :]
    for j, block in enumerate(design.blocks):
        if not (consistent and design.modes[j] == "A"):
            implied[:, block, block] = corr[:, block, block]
    diagonal = np.arange(len(home))
    implied[:, diagonal, diagonal] = 1.0
    return np.asarray(implied)


def _from_paths(constructs: Array, paths: Array, design: Design) -> Array:
    """Return correlations of constructs by tracing: exogenous ones correlate as they do."""
    corr = constructs.copy()
    before: list[int] = []
    for j in design.order:
        if j in design.causes and before:
            among = corr[:, before][:, :, before]
            by_paths = (paths[:, [j]][:, :, before] @ among)[:, 0]
            corr[:, j, before] = corr[:, before, j] = by_paths
        before.append(j)
    return corr


def discrepancies(corr: Array, implied: Array) -> Array:
    """Return SRMR, d_ULS and d_G of correlations from those implied, (B, 3).

    ``d_ULS = tr((R - S)²) / 2``, ``SRMR = sqrt(2 d_ULS / (p (p + 1)))`` and
    ``d_G = sum (log phi_i)² / 2`` over the eigenvalues phi of ``R^-1 S``; d_G is NaN where R or S
    is not positive definite, of which there is no logarithm.

    References
    ----------
    Dijkstra & Henseler (2015). Consistent and asymptotically normal PLS estimators for linear
    structural equations. Computational Statistics & Data Analysis 81, 10-23. Henseler, Dijkstra,
    Sarstedt et al. (2014). Common beliefs and reality about PLS. Organizational Research Methods
    17(2), 182-209.

    Examples
    --------
    >>> r, s = np.array([[[1, 0.5], [0.5, 1]]]), np.eye(2)[None]
    >>> discrepancies(r, s).round(4).tolist()
    [[0.2887, 0.25, 0.3224]]
    """
    p = corr.shape[-1]
    d_uls = ((corr - implied) ** 2).sum(axis=(1, 2)) / 2
    d_g = np.full(len(corr), np.nan)
    finite = np.isfinite(corr).all(axis=(1, 2)) & np.isfinite(implied).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(corr[finite])
    with np.errstate(invalid="ignore", divide="ignore"):
        root = vectors / np.sqrt(np.where(values > 0, values, np.nan))[:, None, :]
        whitened = root.swapaxes(1, 2) @ implied[finite] @ root
        solved = np.isfinite(whitened).all(axis=(1, 2))
        ratios = np.full(values.shape, np.nan)
        ratios[solved] = np.linalg.eigvalsh(whitened[solved])
        d_g[finite] = (np.log(np.where(ratios > 0, ratios, np.nan)) ** 2).sum(axis=1) / 2
        return np.stack([np.sqrt(2 * d_uls / (p * (p + 1))), d_uls, d_g], axis=1)


def fit_indices(fit: PlsFit, n_resamples: int, seed: int) -> pd.DataFrame:
    """Return SRMR, d_ULS and d_G with what they are in samples where the model is true.

    The items are turned so that their correlations are just those implied, ``z R^-1/2 S^1/2``, and
    resampled (Beran & Srivastava 1985; Bollen & Stine 1992); the model is fitted to every
    resample. `hi_95` and `hi_99` are quantiles of what comes out: an index above them is larger
    than it would be by chance in 5 or 1 % of samples. `p_value` is the share of resamples as large.

    Parameters
    ----------
    fit : PlsFit
    n_resamples, seed : int
        Resamples; 0 for none.

    Returns
    -------
    pandas.DataFrame
        ``model, index, estimate, hi_95, hi_99, p_value, n``; NaN where there is no solution or
        nobody to resample, or the correlations observed or implied are not positive definite.

    References
    ----------
    Dijkstra & Henseler (2015), see `discrepancies`. Beran & Srivastava (1985). Bootstrap tests and
    confidence regions for functions of a covariance matrix. Annals of Statistics 13(1), 95-115.
    """
    import pandas as pd

    check_resamples(n_resamples or 1, seed)
    fit.require_one_stage("the fit")
    corr = fit.sample.moments.corr[None]
    with quiet_linear_algebra():
        drawn = None
        if n_resamples and fit.sample.has_rows and fit.sound:
            drawn = _covariances(fit, n_resamples, seed)
        rows = []
        for model in MODELS:
            implied = implied_correlations(corr, fit.estimates, fit.design, fit.consistent, model)
            observed = discrepancies(corr, implied)[0]
            null = np.full((1, 3), np.nan)
            if drawn is not None:
                null = _under_the_model(fit, drawn, implied[0], model)
            for i, index in enumerate(INDICES):
                rows.append((model, index, observed[i], *_judged(observed[i], null[:, i]), fit.n))
    heads = ["model", "index", "estimate", "hi_95", "hi_99", "p_value", "n"]
    return pd.DataFrame(rows, columns=heads)


def _covariances(fit: PlsFit, n_resamples: int, seed: int) -> Array:
    """Return covariances of resamples in units of the sample's standard deviations (B, p, p)."""
    sd = fit.sample.moments.sd
    return fit.sample.replicates(n_resamples, seed).cov / np.outer(sd, sd)


def _under_the_model(fit: PlsFit, drawn: Array, implied: Array, model: str) -> Array:
    """Return the indices of resamples of items that correlate as the model implies (B', 3)."""
    turn = _turn(fit.sample.moments.corr, implied)
    if turn is None:
        return np.full((1, 3), np.nan)
    sd, found = fit.sample.moments.sd, []
    for start, stop in tracked(len(drawn), CHUNK):
        cov = turn.T @ drawn[start:stop] @ turn
        estimates = fit.reestimate(cov * np.outer(sd, sd))
        solved = estimates.outer.converged & np.isfinite(estimates.paths).all(axis=(1, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            corr = correlations(cov)
            own = implied_correlations(corr, estimates, fit.design, fit.consistent, model)
        found.append(discrepancies(corr, own)[solved])
    return np.concatenate(found)


def _turn(corr: Array, implied: Array) -> Array | None:
    """Return the matrix T with ``T' R T = S``; None where one of them is not positive definite."""
    values, vectors = np.linalg.eigh(corr)
    aims, directions = np.linalg.eigh(implied)
    if min(values[0], aims[0]) <= np.finfo(float).eps * len(corr):
        return None
    inverse_root = (vectors / np.sqrt(values)) @ vectors.T
    root = (directions * np.sqrt(aims)) @ directions.T
    return np.asarray(inverse_root @ root)


def _judged(observed: float, null: Array) -> tuple[float, float, float]:
    """Return the 95 and 99 % quantiles of an index under the model, and its p value."""
    null = null[np.isfinite(null)]
    if not len(null) or not np.isfinite(observed):
        return float("nan"), float("nan"), float("nan")
    high = np.quantile(null, [0.95, 0.99])
    p = (1 + (null >= observed).sum()) / (1 + len(null))
    return float(high[0]), float(high[1]), float(p)
