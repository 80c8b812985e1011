"""The interval of a ratio of two estimates, from the interval of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Limits = tuple[ArrayLike, ArrayLike, ArrayLike]


def lift_interval(treatment: Limits, control: Limits) -> tuple[Array, Array, Array]:
    """Return the relative lift, ``e1 / e2 - 1``, with its interval.

    With estimates e, limits l and u: ``B = l1 (2 e1 - l1)``, ``C = u2 (2 e2 - u2)``,
    ``low = B / (e1 e2 + sqrt((e1 e2)^2 - B C))``; ``B' = u1 (2 e1 - u1)``, ``C' = l2 (2 e2 - l2)``,
    ``high = (e1 e2 + sqrt((e1 e2)^2 - B' C')) / C'``. With limits that are symmetric this is
    Fieller's interval; with Wilson's, it keeps to rates from 0 upwards.

    Parameters
    ----------
    treatment, control : (estimate, low, high), arrays (g,)

    Returns
    -------
    lift, low, high : arrays (g,)
        NaN where the control's estimate is not above 0; the limits are NaN also where its interval
        reaches 0, since any lift is then possible.

    References
    ----------
    Fieller (1954). Some problems in interval estimation. JRSS B 16, 175-185.
    Donner & Zou (2012). Closed-form confidence intervals for functions of the normal mean and
    standard deviation. Statistical Methods in Medical Research 21, 347-359.

    Examples
    --------
    >>> [round(float(value), 3) for value in lift_interval((12, 10, 14), (10, 9, 11))]
    [0.2, -0.023, 0.447]
    """
    (e1, l1, u1), (e2, l2, u2) = (
        tuple(np.asarray(x, float) for x in limits) for limits in (treatment, control)
    )
    product = e1 * e2
    with np.errstate(invalid="ignore", divide="ignore"):
        b, c = l1 * (2 * e1 - l1), u2 * (2 * e2 - u2)
        low = b / (product + np.sqrt(product**2 - b * c))
        low = np.where((b == 0) & (product >= 0), 0.0, low)
        b, c = u1 * (2 * e1 - u1), l2 * (2 * e2 - l2)
        high = (product + np.sqrt(product**2 - b * c)) / c
        bounded = l2 > 0
        lift = np.where(e2 > 0, e1 / e2 - 1, np.nan)
    return lift, np.where(bounded, low - 1, np.nan), np.where(bounded, high - 1, np.nan)
