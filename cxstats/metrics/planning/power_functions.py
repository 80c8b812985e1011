"""The power of the tests that compare two groups, as functions of arrays.

Every n may be an array; variances and shares are those of the population.

References
----------
Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70(4).
Fleiss, Levin & Paik (2003). Statistical methods for rates and proportions, 3rd ed., ch. 4.
Welch (1938). The significance of the difference between two means when the population variances
are unequal. Biometrika 29, 350-362.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Above this no sample is planned for: the difference asked for is none in practice.
LARGEST = 10**10


def z_power(difference: float, null_se: Any, true_se: Any, alpha: float) -> Array:
    """Return the power of a two-sided z test.

    ``Phi((|d| - z s0) / s1) + Phi((-|d| - z s0) / s1)``, with s0 the standard error that the test
    uses and s1 the true one.

    Examples
    --------
    >>> z_power(0.15, *2 * [np.sqrt((0.61 + 0.5475) / 404)], alpha=0.05).round(3).item()
    0.8
    """
    from scipy.special import ndtr, ndtri

    z = ndtri(1 - alpha / 2)
    null_se, true_se = np.asarray(null_se, float), np.asarray(true_se, float)
    upper, lower = abs(difference) - z * null_se, -abs(difference) - z * null_se
    found: Array = ndtr(upper / true_se) + ndtr(lower / true_se)
    return found


def proportions_power(first: float, second: float, n1: Any, n2: Any, alpha: float) -> Array:
    """Return the power of the z test of two proportions with the pooled standard error.

    Examples
    --------
    >>> proportions_power(0.10, 0.12, 3841, 3841, 0.05).round(3).item()
    0.8
    """
    n1, n2 = np.asarray(n1, float), np.asarray(n2, float)
    pooled = (n1 * first + n2 * second) / (n1 + n2)
    null_se = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    true_se = np.sqrt(first * (1 - first) / n1 + second * (1 - second) / n2)
    return z_power(first - second, null_se, true_se, alpha)


def means_power(
    difference: float, sd: tuple[float, float], n1: Any, n2: Any, alpha: float
) -> Array:
    """Return the power of Welch's t test, from the noncentral t distribution.

    Degrees of freedom are Welch and Satterthwaite's of the population's variances.

    Examples
    --------
    >>> means_power(0.5, (1, 1), 64, 64, 0.05).round(4).item()
    0.8015
    """
    from scipy import stats

    n1, n2 = np.asarray(n1, float), np.asarray(n2, float)
    a, b = sd[0] ** 2 / n1, sd[1] ** 2 / n2
    df = (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n2 - 1))
    centre = abs(difference) / np.sqrt(a + b)
    critical = stats.t.ppf(1 - alpha / 2, df)
    # scipy's noncentral t loses itself far out in the tail; the power is 1 there.
    far = centre > critical + 12
    near = np.where(far, 0.0, centre)
    with np.errstate(all="ignore"):
        found = stats.nct.sf(critical, df, near) + stats.nct.cdf(-critical, df, near)
    return np.where(far, 1.0, np.nan_to_num(found))


def smallest(enough: Callable[[int], bool], start: int) -> int:
    """Return the smallest whole number from `start` for which `enough` holds, and ever after.

    Raises
    ------
    CxError
        If none up to ten thousand million does.

    Examples
    --------
    >>> smallest(lambda n: n * n >= 50, start=2)
    8
    """
    low, high = start - 1, start
    while not enough(high):
        low, high = high, 2 * high
        if high > LARGEST:
            raise CxError(
                "more than ten thousand million answers would be needed: the difference or margin "
                "is too small, or the groups' distributions do not differ"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
