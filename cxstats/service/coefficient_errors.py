"""Intervals of alpha, omega, CR and AVE by the delta method.

References
----------
Raykov (2002). Analytic estimation of standard error and confidence interval for scale reliability.
Multivariate Behavioral Research 37(1), 89-103.
Maydeu-Olivares, Coffman & Hartmann (2007). Asymptotically distribution-free (ADF) interval
estimation of coefficient alpha. Psychological Methods 12(2), 157-176.
Satorra & Bentler (1994). Corrections to test statistics and standard errors in covariance structure
analysis. In: Latent variables analysis. Sage.
Kelley & Pornprasertmanit (2016). Confidence intervals for population reliability coefficients.
Psychological Methods 21(1), 69-92.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.service.factor_model import FactorModel
from cxstats.stats.coefficients import average_variance_extracted, omega
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

COEFFICIENTS = ("omega", "cr", "ave")
CASES_AT_ONCE = 20_000  # whose scores are held at once


def alpha_error(answers: Array, rows: SampledRows) -> tuple[float, float]:
    """Return Cronbach's alpha of complete answers (n, k) and its standard error.

    Distribution-free: with ``t`` and ``s`` the trace and the sum of the covariances and ``z``
    the centred answers, ``u = -k / (k - 1) ((sum z_i^2 - t) / s - t ((sum z_i)^2 - s) / s^2)`` is
    the influence of a respondent, and the design gives its variance. NaN where nothing varies.
    """
    k = answers.shape[1]
    share = rows.weights / rows.weights.sum()
    z = answers - share @ answers
    squares, square = (z**2).sum(axis=1), z.sum(axis=1) ** 2
    trace, total = share @ squares, share @ square
    if k < 2 or not total > 0:
        return float("nan"), float("nan")
    alpha = k / (k - 1) * (1 - trace / total)
    u = -k / (k - 1) * ((squares - trace) / total - trace * (square - total) / total**2)
    variance = rows.variances(rows.cluster_sums((share * u)[:, None]))
    return float(alpha), float(np.sqrt(variance[0]))


def factor_errors(
    model: FactorModel, answers: Array | None = None, rows: SampledRows | None = None
) -> dict[str, Array]:
    """Return the standard errors of omega, CR and AVE (3,) of each factor.

    The delta method on the covariances of the estimates. Without answers those are of normal
    theory, the inverse information; with answers the robust ones of Satorra and Bentler, which do
    not take answers as normal and follow a design.

    Parameters
    ----------
    model : FactorModel
    answers : array (n, p), optional
        Complete answers to the items of the model.
    rows : SampledRows, optional
        Their design; without it, a simple sample.
    """
    sigma, slopes = _structure(model)
    inverse = np.linalg.inv(sigma)
    weighted = inverse @ slopes @ inverse
    information = np.einsum("kij,lij->kl", weighted, slopes) / 2
    gradients = {name: _gradients(model, name) for name in model.names}
    if answers is None:
        cov = np.linalg.inv(information) / model.n
        return {name: np.sqrt(np.einsum("ik,kl,il->i", g, cov, g)) for name, g in gradients.items()}
    rows = rows if rows is not None else SampledRows.plain(len(answers))
    share = rows.weights / rows.weights.sum()
    # Of the influence on q parameters only what moves the coefficients is kept, some cases at once.
    turn = np.concatenate(list(gradients.values())) @ np.linalg.inv(information)
    centre, loading = share @ answers, _loading(model)
    influence = np.empty((len(answers), len(turn)))
    for first in range(0, len(answers), CASES_AT_ONCE):
        at = slice(first, first + CASES_AT_ONCE)
        influence[at] = _scores(model, loading, (answers[at] - centre) @ inverse) @ turn.T
    # The model is that of covariances with the divisor n - 1, of which a respondent moves more.
    influence *= model.n / (model.n - 1)
    influence = (influence - share @ influence) * share[:, None]
    errors = np.sqrt(rows.variances(rows.cluster_sums(influence)))
    return dict(zip(gradients, errors.reshape(len(gradients), -1), strict=True))


def _scores(model: FactorModel, loading: Array, v: Array) -> Array:
    """Return ``v' S_k v / 2`` (n, q) for the derivatives S_k of `_structure`, from ``v L``."""
    of_factor = v @ loading
    first, second = np.triu_indices(len(model.names), 1)
    return np.concatenate(
        [
            v * (of_factor @ model.corr)[:, model.factor],
            v**2 / 2,
            of_factor[:, first] * of_factor[:, second],
        ],
        axis=1,
    )


def _loading(model: FactorModel) -> Array:
    """Return the loadings (p, k), zero on other factors."""
    loading = np.zeros((len(model.items), len(model.names)))
    loading[np.arange(len(model.items)), model.factor] = model.loadings
    return loading


def _structure(model: FactorModel) -> tuple[Array, Array]:
    """Return Sigma (p, p) and its derivatives (q, p, p): loadings, uniquenesses, correlations."""
    p, k = len(model.items), len(model.names)
    loading = _loading(model)
    sigma = loading @ model.corr @ loading.T + np.diag(model.uniquenesses)
    first, second = np.triu_indices(k, 1)
    slopes = np.zeros((2 * p + len(first), p, p))
    for i in range(p):
        slopes[i, i] += (loading @ model.corr)[:, model.factor[i]]
        slopes[p + i, i, i] = 1
    slopes[:p] += np.swapaxes(slopes[:p], 1, 2)
    for place, (f, g) in enumerate(zip(first, second, strict=True), 2 * p):
        pair = np.outer(loading[:, f], loading[:, g])
        slopes[place] = pair + pair.T
    return sigma, slopes


def _gradients(model: FactorModel, name: str) -> Array:
    """Return the derivatives (3, q) of a factor's omega, CR and AVE by all parameters."""
    p = len(model.items)
    member = np.flatnonzero(model.factor == model.names.index(name))
    loadings, theta = model.loadings[member], model.uniquenesses[member]
    total = loadings.sum()
    variance_of_sum = total**2 + theta.sum()
    standard = model.standardised[member]
    sum_, rest = standard.sum(), (1 - standard**2).sum()
    # By the standardised loadings l = loading / root(loading^2 + theta), then by what makes them.
    by_standard = np.stack(
        [
            2 * sum_ * (rest + sum_ * standard) / (sum_**2 + rest) ** 2,
            2 * standard / len(member),
        ]
    )
    spread = (loadings**2 + theta) ** 1.5
    gradient = np.zeros((3, 2 * p + len(model.names) * (len(model.names) - 1) // 2))
    gradient[0, member] = 2 * total * theta.sum() / variance_of_sum**2
    gradient[0, p + member] = -(total**2) / variance_of_sum**2
    gradient[1:, member] = by_standard * theta / spread
    gradient[1:, p + member] = -by_standard * loadings / (2 * spread)
    return gradient


def reliability_limits(estimate: float, se: float, df: float, level: float) -> tuple[float, float]:
    """Return the interval of alpha: ``1 - (1 - alpha) exp(-+ t se / (1 - alpha))``.

    The logarithm of ``1 - alpha`` is nearly normal, and alpha has no lower end (Bonett 2002).

    Examples
    --------
    >>> [round(x, 3) for x in reliability_limits(0.8, 0.03, 60, 0.95)]
    [0.73, 0.852]
    """
    from scipy.special import stdtrit

    if not (np.isfinite(se) and df >= 1 and estimate < 1):
        return float("nan"), float("nan")
    reach = stdtrit(df, (1 + level) / 2) * se / (1 - estimate)
    low, high = (1 - (1 - estimate) * np.exp(sign * reach) for sign in (1, -1))
    return float(low), float(high)


def share_limits(estimate: Array, se: Array, df: float, level: float) -> tuple[Array, Array]:
    """Return intervals (k,), (k,) of coefficients from 0 to 1, made on the scale of the logit.

    Examples
    --------
    >>> low, high = share_limits(np.array([0.8]), np.array([0.03]), 60, 0.95)
    >>> low.round(3).item(), high.round(3).item()
    (0.733, 0.853)
    """
    from scipy.special import expit, logit, stdtrit

    with np.errstate(invalid="ignore", divide="ignore"):
        inside = (estimate > 0) & (estimate < 1) & np.isfinite(se) & (df >= 1)
        reach = stdtrit(max(df, 1.0), (1 + level) / 2) * se / (estimate * (1 - estimate))
        low, high = expit(logit(estimate) - reach), expit(logit(estimate) + reach)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def estimates(model: FactorModel, name: str) -> Array:
    """Return omega, CR and AVE (3,) of a factor."""
    raw, standardised = model.of(name), model.of(name, standardised=True)
    assert raw is not None
    assert standardised is not None
    return np.array(
        [omega(*raw), omega(*standardised), average_variance_extracted(*standardised)], float
    )
