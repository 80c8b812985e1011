"""Adjustment of group means for covariates, as functions of arrays.

References
----------
Deng, Xu, Kohavi & Walker (2013). Improving the sensitivity of online controlled experiments by
utilizing pre-experiment data. WSDM, 123-132.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import DataError
from cxstats.metrics.comparison import welch_f

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """Groups after adjustment for k covariates.

    Attributes
    ----------
    theta : array (k,)
        ``S_xx^-1 S_xy``, pooled within groups.
    mean, variance, n, df : arrays (g,)
        Adjusted means, variances of an answer around the regression, answers, degrees of freedom.
    raw_mean, raw_variance : arrays (g,)
        The same without adjustment.
    covariate_mean : array (g, k)
    precision : array (k, k)
        ``s^2 S_xx^-1``, the covariance of theta with one residual variance.
    r_squared : float
        Share of the variance within groups that the covariates explain.
    """

    theta: Array
    mean: Array
    variance: Array
    n: Array
    df: Array
    raw_mean: Array
    raw_variance: Array
    covariate_mean: Array
    precision: Array
    r_squared: float


def adjusted_means(y: Array, x: Array, codes: NDArray[np.intp], groups: int) -> Adjusted:
    """Return the means of groups adjusted for covariates, ``y - theta (x - mean(x))``.

    Theta is pooled within groups, so that the differences equal those of the regression of y on
    groups and covariates (ANCOVA) to the last digit; each group keeps a variance of its own.

    Parameters
    ----------
    y : array (n,)
    x : array (n, k)
        Covariates that are not collinear within groups.
    codes : array (n,)
        Group of a row, from 0.
    groups : int
    """
    n, k = np.bincount(codes, minlength=groups).astype(float), x.shape[1]

    def means(column: Array) -> Array:
        return np.asarray(np.bincount(codes, column, groups) / n)

    y_mean, x_mean = means(y), np.column_stack([means(column) for column in x.T])
    y_within, x_within = y - y_mean[codes], x - x_mean[codes]
    scatter = x_within.T @ x_within
    theta: Array = np.linalg.solve(scatter, x_within.T @ y_within).astype(np.float64)
    residual = y_within - x_within @ theta
    # The k degrees of freedom that theta takes are shared out by the groups' sizes.
    df = (n - 1) * (1 - k / (n.sum() - groups))
    total, left = float(y_within @ y_within), float(residual @ residual)
    return Adjusted(
        theta=theta,
        mean=y_mean - (x_mean - x.mean(axis=0)) @ theta,
        variance=np.bincount(codes, residual**2, groups) / df,
        n=n,
        df=df,
        raw_mean=y_mean,
        raw_variance=np.bincount(codes, y_within**2, groups) / (n - 1),
        covariate_mean=x_mean,
        precision=(left / df.sum() * np.linalg.inv(scatter)).astype(np.float64),
        r_squared=1 - left / total if total > 0 else float("nan"),
    )


def within(matrix: Array, codes: NDArray[np.intp]) -> Array:
    """Return columns (n, k) less the means of their groups."""
    sizes = np.bincount(codes)
    means = np.column_stack([np.bincount(codes, x) / sizes for x in matrix.T])
    return np.asarray(matrix - means[codes])


def check_rank(matrix: Array, codes: NDArray[np.intp], names: Sequence[str]) -> None:
    """Refuse a covariate that does not vary within groups, or follows from those before it."""
    inside = within(matrix, codes)
    size = np.abs(matrix).max(axis=0)
    basis = np.zeros((len(matrix), 0))
    for j, name in enumerate(names):
        x = inside[:, j]
        spread = np.linalg.norm(x)
        if spread <= 1e-10 * size[j] * np.sqrt(len(x)):
            raise DataError(f"covariate {name!r} does not vary within groups")
        for _ in range(2):  # twice, for rounding
            x = x - basis @ (basis.T @ x)
        if np.linalg.norm(x) <= 1e-8 * spread:
            raise DataError(f"covariate {name!r} repeats the covariates before it")
        basis = np.column_stack([basis, x / np.linalg.norm(x)])


def balance(matrix: Array, codes: NDArray[np.intp], groups: int) -> Array:
    """Return p values (k,) of Welch's test that the covariates' means are equal."""
    from scipy.special import fdtrc

    n = np.bincount(codes, minlength=groups).astype(float)
    inside = within(matrix, codes)
    found = []
    for x, w in zip(matrix.T, inside.T, strict=True):
        se = np.sqrt(np.bincount(codes, w**2, groups) / (n - 1) / n)
        f, df = welch_f(np.bincount(codes, x, groups) / n, se, n)
        found.append(float(fdtrc(groups - 1, df, f)) if np.isfinite(f) else np.nan)
    return np.array(found)
