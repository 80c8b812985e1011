"""The bivariate normal distribution at arrays of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def normal_cdf2(h: Array, k: Array, rho: Array) -> Array:
    """Return ``P(X <= h, Y <= k)`` of standard normal X and Y with correlation rho.

    ``(Phi(h) + Phi(k)) / 2 - T(h, (k - rho h) / (h s)) - T(k, (h - rho k) / (k s)) - d`` with
    Owen's T, ``s = sqrt(1 - rho^2)`` and d one half where h and k differ in sign; good to 1e-15.

    Parameters
    ----------
    h, k, rho : arrays
        That broadcast; h and k finite, rho between -1 and 1.

    References
    ----------
    Owen (1956). Tables for computing bivariate normal probabilities. Annals of Mathematical
    Statistics 27, 1075-1090.

    Examples
    --------
    >>> normal_cdf2(np.array(0.0), np.array(0.0), np.array(0.5)).round(15).item()
    0.333333333333333
    """
    from scipy.special import ndtr, owens_t

    h, k, rho = np.broadcast_arrays(h + 0.0, k + 0.0, rho)  # + 0: no negative zero
    s = np.sqrt((1 - rho) * (1 + rho))
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = owens_t(h, (k - rho * h) / (h * s)), owens_t(k, (h - rho * k) / (k * s))
    apart = (h * k < 0) | ((h * k == 0) & (h + k < 0))
    regular = (ndtr(h) + ndtr(k)) / 2 - first - second - 0.5 * apart
    middle = (h == 0) & (k == 0)
    probability: Array = np.where(middle, 0.25 + np.arcsin(rho) / (2 * np.pi), regular)
    return probability


def normal_pdf2(h: Array, k: Array, rho: Array) -> Array:
    """Return the density at (h, k), which is also the derivative of `normal_cdf2` by rho."""
    left = (1 - rho) * (1 + rho)
    kernel: Array = np.exp(-((h - k) ** 2 + 2 * (1 - rho) * h * k) / (2 * left))
    return kernel / (2 * np.pi * np.sqrt(left))


def normal_pdf2_slope(h: Array, k: Array, rho: Array) -> Array:
    """Return the derivative of ``log normal_pdf2`` by rho."""
    left = (1 - rho) * (1 + rho)
    square = (h - k) ** 2 + 2 * (1 - rho) * h * k
    slope: Array = (rho + h * k - rho * square / left) / left
    return slope
