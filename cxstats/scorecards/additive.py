"""Objects compared by judges who may be lenient or severe: least squares on two factors.

``y_ij = m + object_j + judge_i + e_ij``, judgements may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TINY = 1e-12  # residual variance, relative to the values, that counts as none


@dataclass(frozen=True, slots=True)
class Additive:
    """Means of objects, freed from the judges' leniency.

    Attributes
    ----------
    means : array (k,)
        Of the objects, by an average judge.
    covariance : array (k, k)
        Of the means.
    severity : array (m,)
        What a judge gives beyond the average judge; 0 where judges are not centred.
    df : int
        Of the residual variance.
    spread : bool
        Whether there is a residual at all.
    """

    means: Array
    covariance: Array
    severity: Array
    df: int
    spread: bool

    def pairs(self, level: float) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return all differences (k, k), row less column, and half widths of their intervals.

        Simultaneous by Tukey and Kramer: all intervals hold at once with probability `level`; the
        third array says which leave out 0.
        """
        from scipy.stats import studentized_range

        difference = self.means[:, None] - self.means[None, :]
        variances = np.diag(self.covariance)
        variance = variances[:, None] + variances[None, :] - 2 * self.covariance
        k = len(self.means)
        factor = studentized_range.ppf(level, k, self.df) / np.sqrt(2) if self.spread else 0.0
        half = factor * np.sqrt(np.maximum(variance, 0))
        size = np.abs(self.means).max() or 1.0
        return difference, half, np.abs(difference) > np.maximum(half, 1e-9 * size)


def fit_additive(values: Array, centre: bool = True) -> Additive:
    """Fit the two factors to judgements (m, k), NaN where one is missing.

    Parameters
    ----------
    values : array (m, k)
        Of m judges on k objects; each object has a value.
    centre : bool
        Whether judges have effects of their own; else an object's mean is the plain one.

    Raises
    ------
    DataError
        If judges and objects fall into sets without a link, or nothing is left to judge noise by.

    Examples
    --------
    >>> fit = fit_additive(np.array([[5.0, 3, 1], [4, 2, 1], [5, np.nan, 2]]))
    >>> fit.means.round(3).tolist(), fit.df
    ([4.667, 2.75, 1.333], 3)
    """
    judge, thing = np.nonzero(np.isfinite(values))
    m, k = values.shape
    design = np.zeros((len(judge), k + (m - 1 if centre else 0)))
    design[np.arange(len(judge)), thing] = 1
    if centre:  # the effects of judges sum to 0
        for column in range(m - 1):
            design[judge == column, k + column] = 1
            design[judge == m - 1, k + column] = -1
    y = values[judge, thing]
    rank = np.linalg.matrix_rank(design)
    if rank < design.shape[1]:
        raise DataError(
            "judges fall into sets that have no object in common, so the objects of one cannot be "
            "compared with those of another; allowed: judgements that link all, or centre=False"
        )
    df = len(y) - design.shape[1]
    if df < 1:
        raise DataError(
            f"{len(y)} judgements leave nothing to judge the noise by; allowed: two judges or more "
            "on two objects or more, most of them judged by all"
        )
    inverse = np.linalg.inv(design.T @ design)
    b = inverse @ design.T @ y
    variance = float(((y - design @ b) ** 2).sum() / df)
    spread = variance > TINY * max(float((y**2).mean()), TINY)
    effects = np.append(b[k:], -b[k:].sum()) if centre else np.zeros(m)
    return Additive(b[:k], inverse[:k, :k] * variance, effects, df, spread)


def rank_limits(clear: NDArray[np.bool_], difference: Array) -> tuple[Array, Array]:
    """Return the simultaneous interval of the rank of each object.

    At least one below as many as are clearly better, at most above as many as are clearly worse.

    References
    ----------
    Al Mohamad, Goeman & van Zwet (2022). Simultaneous confidence intervals for ranks with
    application to ranking institutions. Biometrics 78, 238-247.

    Examples
    --------
    >>> difference = np.array([[0.0, 1, 5], [-1, 0, 4], [-5, -4, 0]])
    >>> low, high = rank_limits(np.abs(difference) > 2, difference)
    >>> low.tolist(), high.tolist()
    ([1.0, 1.0, 3.0], [2.0, 2.0, 3.0])
    """
    better = (clear & (difference < 0)).sum(axis=1)
    worse = (clear & (difference > 0)).sum(axis=1)
    return 1.0 + better, float(len(difference)) - worse
