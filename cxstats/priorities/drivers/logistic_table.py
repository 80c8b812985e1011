"""Odds ratios and average marginal effects of a logistic regression, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.priorities.drivers.coefficients import Coefficients
from cxstats.priorities.drivers.logistic import expit
from cxstats.priorities.drivers.sample import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def logistic_columns(sample: Sample, coefficients: Coefficients, level: float) -> dict[str, Any]:
    """Return odds ratios and average marginal effects, with intervals; none of the intercept.

    A marginal effect is how much the probability changes with one more point, averaged over
    respondents: ``mean of p (1 - p) b_j``, or ``mean of p(x_j = 1) - p(x_j = 0)`` for a column of
    0 and 1. Its error is that of the coefficients, by the delta method, the respondents taken as
    they are (as Stata's margins and statsmodels do).
    """
    from scipy import stats

    assert sample.matrix is not None
    reach = stats.t.ppf((1 + level) / 2, coefficients.df)
    x = np.column_stack([np.ones(sample.n), sample.matrix[:, :-1]])
    weights = sample.weights / sample.n
    effects, gradients = np.full(len(coefficients.b), np.nan), np.zeros(coefficients.cov.shape)
    for j in range(1, len(effects)):
        effects[j], gradients[j] = _effect(x, weights, coefficients.b, j)
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.einsum("jk,kl,jl->j", gradients, coefficients.cov, gradients))
    se[0] = np.nan
    half = reach * coefficients.se
    slopes = np.append(np.nan, coefficients.b[1:])
    return {
        "odds_ratio": np.exp(slopes),
        "odds_ratio_ci_low": np.exp(slopes - half),
        "odds_ratio_ci_high": np.exp(slopes + half),
        "marginal_effect": effects,
        "marginal_effect_se": se,
        "marginal_effect_ci_low": effects - reach * se,
        "marginal_effect_ci_high": effects + reach * se,
    }


def _effect(x: Array, weights: Array, b: Array, j: int) -> tuple[float, Array]:
    """Return the average marginal effect of a column and its gradient in b."""
    if np.isin(x[:, j], (0, 1)).all():
        with_it, without = x.copy(), x.copy()
        with_it[:, j], without[:, j] = 1, 0
        high, low = expit(with_it @ b), expit(without @ b)
        gradient = (weights * high * (1 - high)) @ with_it - (weights * low * (1 - low)) @ without
        return float(weights @ (high - low)), gradient
    mu = expit(x @ b)
    slope = mu * (1 - mu)
    gradient = b[j] * ((weights * slope * (1 - 2 * mu)) @ x)
    gradient[j] += weights @ slope
    return float(weights @ slope * b[j]), gradient
