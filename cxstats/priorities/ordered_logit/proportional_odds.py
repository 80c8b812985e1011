"""Whether one slope serves all cuts of an ordered outcome: Brant's test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from scipy.special import expit

from cxstats.priorities.ordered_logit.likelihood import Rows, maximise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def binary_slopes(rows: Rows) -> tuple[Array, Array]:
    """Return the slopes of the logits of each cut (k - 1, p), and their joint covariance.

    The logit of ``Y > j`` on x is fitted for each cut j on its own; fits i and j of the same
    respondents have the covariance ``(X'W_i X)^-1 X'W_ij X (X'W_j X)^-1`` with ``W_ij = P(Y > j)
    (1 - P(Y > i))`` for i < j.

    Returns
    -------
    slopes : array (k - 1, p)
    covariance : array ((k - 1) p, (k - 1) p)

    Raises
    ------
    CxError
        If a cut is told apart without error.
    """
    m, p = rows.x.shape
    slopes, above = np.empty((rows.k - 1, p)), np.empty((rows.k - 1, m))
    for cut in range(rows.k - 1):
        fit = maximise(Rows(rows.x, (rows.y > cut).astype(np.intp), rows.weight, 2))
        slopes[cut] = fit.slopes
        above[cut] = expit(rows.x @ fit.slopes - fit.cuts[0])
    design = np.column_stack([np.ones(m), rows.x])

    def product(weight: Array) -> Array:
        return np.asarray((design * (rows.weight * weight)[:, None]).T @ design)

    inverse = [np.linalg.inv(product(share * (1 - share))) for share in above]
    covariance = np.empty((rows.k - 1, p, rows.k - 1, p))
    for i in range(rows.k - 1):
        for j in range(i, rows.k - 1):
            block = inverse[i] @ product(above[j] * (1 - above[i])) @ inverse[j]
            covariance[i, :, j] = block[1:, 1:]
            covariance[j, :, i] = block[1:, 1:].T
    size = (rows.k - 1) * p
    return slopes, covariance.reshape(size, size)


def brant(slopes: Array, covariance: Array, columns: list[int]) -> tuple[float, int, float]:
    """Return chi-square, degrees of freedom and p of equal slopes of some columns over all cuts.

    Parameters
    ----------
    slopes, covariance
        As `binary_slopes` returns them.
    columns : list of int
        Of one term, or of all.

    References
    ----------
    Brant (1990). Assessing proportionality in the proportional odds model for ordinal logistic
    regression. Biometrics 46, 1171-1178.
    """
    cuts, p = slopes.shape
    contrast = np.zeros((cuts - 1, len(columns), cuts, p))
    for cut in range(1, cuts):
        for place, column in enumerate(columns):
            contrast[cut - 1, place, 0, column] = 1
            contrast[cut - 1, place, cut, column] = -1
    rows = contrast.reshape((cuts - 1) * len(columns), -1)
    difference = rows @ slopes.ravel()
    chi2 = float(difference @ np.linalg.solve(rows @ covariance @ rows.T, difference))
    return chi2, len(rows), float(stats.chi2.sf(chi2, len(rows)))
