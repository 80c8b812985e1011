"""Coefficients of PLS path models, each a function of arrays, for one sample or a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.pls.algorithm import inverted, regressed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def rho_a(corr: Array, weights: Array) -> Array:
    """Return the reliability rho_A of composites that stand for common factors.

    ``(w'w)^2 w'(R - diag R)w / w'(ww' - diag ww')w``, weights scaled to ``w'Rw = 1``.

    Parameters
    ----------
    corr : array (..., k, k)
        Correlations of the items.
    weights : array (..., k)
        Mode A weights.

    References
    ----------
    Dijkstra & Henseler (2015). Consistent partial least squares path modeling. MIS Quarterly
    39(2), 297-316, eq. 3.

    Examples
    --------
    >>> loading = np.array([0.8, 0.7, 0.6])
    >>> corr = np.outer(loading, loading) + np.diag(1 - loading**2)
    >>> weights = loading / np.sqrt(loading @ corr @ loading)
    >>> reliability = (weights @ loading) ** 2
    >>> bool(np.isclose(rho_a(corr, weights), reliability))
    True
    """
    square = weights**2
    variance = (corr * weights[..., :, None] * weights[..., None, :]).sum(axis=(-2, -1))
    covariance = variance - (np.diagonal(corr, axis1=-2, axis2=-1) * square).sum(axis=-1)
    length = square.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(length**2 * covariance / (length**2 - (square**2).sum(axis=-1)))


def adjusted(r_squared: Array, n: int, k: int) -> Array:
    """Return R² adjusted for k predictors, ``1 - (1 - R²)(n - 1) / (n - k - 1)``.

    Examples
    --------
    >>> adjusted(np.array(0.5), n=101, k=4).round(4).item()
    0.4792
    """
    if n - k - 1 <= 0:
        return np.full_like(np.asarray(r_squared, float), np.nan)
    return np.asarray(1 - (1 - r_squared) * (n - 1) / (n - k - 1))


def inflation(corr: Array) -> Array:
    """Return variance inflation factors, the diagonal of the inverse, of (B, k, k).

    Examples
    --------
    >>> inflation(np.array([[[1, 0.6], [0.6, 1]]])).tolist()
    [[1.5625, 1.5625]]
    """
    return np.asarray(np.diagonal(inverted(corr), axis1=1, axis2=2))


def effect_sizes(corr: Array, j: int, causes: list[int]) -> Array:
    """Return f² of each cause, (R² - R² without it) / (1 - R²), as (B, k).

    By the inverse of the causes' correlations: leaving out cause i costs ``b_i^2 VIF_i^-1``.

    References
    ----------
    Cohen (1988). Statistical power analysis for the behavioral sciences, ch. 9.
    """
    paths = regressed(corr, j, causes)
    explained = (paths * corr[:, causes, j]).sum(axis=1, keepdims=True)
    lost = paths**2 / inflation(corr[:, causes][:, :, causes])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(lost / (1 - explained))
