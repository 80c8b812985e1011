"""Fit indices, each a function of numbers that a paper prints, with its source.

Arguments are those of a published table (chi-square, degrees of freedom, n), so an index can be
checked without fitting anything. Here n is the number of cases, as in lavaan; programs that
follow Wishart's likelihood use n - 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem import robust
from cxstats.models.sem.missing import PatternLikelihood, baseline_value
from cxstats.models.sem.standard_errors import exogenous
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.models.sem.result import SemFit

    Array = NDArray[np.float64]

CLOSE_FIT = RULES["browne_cudeck1992"].cuts[0]
NAMES = (
    "chisq", "p_value", "cfi", "tli", "rmsea", "rmsea_ci_low", "rmsea_ci_high", "rmsea_p", "srmr",
    "gfi", "loglik", "saturated_loglik", "aic", "bic", "bic_adjusted", "baseline_chisq",
    "chisq_swain", "p_swain", "chisq_bartlett", "p_bartlett",
)  # fmt: skip
# By how many of its standard deviations chi-square is too large on average in a sample where its
# test rejects 6.5 % of true models instead of 5 %; simulated in test_small_samples.py.
TOO_LARGE = 0.1
SCALED = (
    "chisq_scaled", "scaling", "p_value_scaled", "baseline_scaling", "cfi_scaled", "tli_scaled",
    "rmsea_scaled", "cfi_robust", "tli_robust", "rmsea_robust", "rmsea_robust_ci_low",
    "rmsea_robust_ci_high", "chisq_scaled_bartlett", "p_scaled_bartlett",
)  # fmt: skip


def chi_square_p(chisq: float, df: int) -> float:
    """Return the probability of a larger chi-square; NaN without degrees of freedom.

    Examples
    --------
    >>> round(chi_square_p(38.125, 35), 3)
    0.329
    """
    from scipy.special import chdtrc

    return float(chdtrc(df, max(chisq, 0.0))) if df > 0 else float("nan")


def swain_factor(p: int, df: float, n: float) -> float:
    """Return what chi-square is multiplied by in small samples, after Swain.

    ``1 - (p (2 p^2 + 3 p - 1) - q (2 q^2 + 3 q - 1)) / (12 df n)`` with
    ``q = (sqrt(1 + 4 p (p + 1) - 8 df) - 1) / 2``, for p variables: in normal samples of a true
    model the mean of chi-square comes near df. Herzog & Boomsma found it the best of the simple
    corrections; of models with few degrees of freedom for their variables as well.

    References
    ----------
    Swain (1975). Analysis of parametric structures for variance matrices. University of Adelaide.
    Herzog & Boomsma (2009). Small-sample robust estimators of noncentrality-based and incremental
    model fit. Structural Equation Modeling 16, 1-27.

    Examples
    --------
    >>> round(swain_factor(9, 24, 301) * 85.306, 3)
    84.166
    """
    if df <= 0:
        return float("nan")
    q = (np.sqrt(1 + 4 * p * (p + 1) - 8 * df) - 1) / 2
    excess = p * (2 * p**2 + 3 * p - 1) - q * (2 * q**2 + 3 * q - 1)
    return float(1 - excess / (12 * df * n))


def bartlett_factor(p: int, k: int, n: float) -> float:
    """Return what chi-square is multiplied by in small samples, after Bartlett.

    ``1 - (4 k + 2 p + 5) / (6 n)`` for p variables and k factors, derived for exploratory factor
    analysis.

    References
    ----------
    Bartlett (1950). Tests of significance in factor analysis. British Journal of Psychology,
    Statistical Section 3, 77-85. Nevitt & Hancock (2004). Evaluating small sample approaches for
    model test statistics in structural equation modeling. Multivariate Behavioral Research 39,
    439-478.

    Examples
    --------
    >>> round(bartlett_factor(9, 3, 301) * 85.306, 3)
    83.653
    """
    return 1 - (4 * k + 2 * p + 5) / (6 * n)


def cfi(chisq: float, df: int, baseline_chisq: float, baseline_df: int) -> float:
    """Return the comparative fit index, 1 - max(c - df, 0) / max(c0 - df0, c - df, 0).

    References
    ----------
    Bentler (1990). Comparative fit indexes in structural models. Psychological Bulletin 107,
    238-246.

    Examples
    --------
    >>> round(cfi(85.306, 24, 918.852, 36), 3)
    0.931
    """
    excess = max(chisq - df, 0.0)
    largest = max(baseline_chisq - baseline_df, excess)
    return 1 - excess / largest if largest > 0 else 1.0


def tli(chisq: float, df: int, baseline_chisq: float, baseline_df: int) -> float:
    """Return the Tucker-Lewis index, (c0/df0 - c/df) / (c0/df0 - 1); 1 without df.

    References
    ----------
    Tucker & Lewis (1973). A reliability coefficient for maximum likelihood factor analysis.
    Psychometrika 38, 1-10.

    Examples
    --------
    >>> round(tli(85.306, 24, 918.852, 36), 3)
    0.896
    """
    if df == 0 or baseline_df == 0:
        return 1.0
    baseline = baseline_chisq / baseline_df
    return (baseline - chisq / df) / (baseline - 1)


def rmsea(chisq: float, df: int, n: int, n_groups: int = 1) -> float:
    """Return the root mean square error of approximation, sqrt(max(c - df, 0) / (df n) G).

    References
    ----------
    Steiger (1990). Structural model evaluation and modification. Multivariate Behavioral
    Research 25, 173-180.

    Examples
    --------
    >>> round(rmsea(85.306, 24, 301), 3)
    0.092
    """
    if df == 0:
        return 0.0
    return float(np.sqrt(max(chisq - df, 0.0) / (df * n) * n_groups))


def rmsea_interval(
    chisq: float, df: int, n: int, n_groups: int = 1, level: float = 0.90
) -> tuple[float, float]:
    """Return the interval of the RMSEA: the noncentralities that the chi-square does not reject.

    References
    ----------
    Browne & Cudeck (1992). Alternative ways of assessing model fit. Sociological Methods &
    Research 21, 230-258.

    Examples
    --------
    >>> [round(limit, 3) for limit in rmsea_interval(85.306, 24, 301)]
    [0.071, 0.114]
    """
    if df == 0:
        return 0.0, 0.0
    low = _noncentrality(chisq, df, (1 + level) / 2)
    high = _noncentrality(chisq, df, (1 - level) / 2)
    scale = n_groups / (df * n)
    return float(np.sqrt(low * scale)), float(np.sqrt(high * scale))


def _noncentrality(chisq: float, df: int, probability: float) -> float:
    """Return the noncentrality at which ``P(X <= chisq)`` is `probability`; 0 if none."""
    from scipy.optimize import brentq
    from scipy.special import chndtr

    def excess(value: float) -> float:
        return float(chndtr(chisq, df, value)) - probability

    if chisq <= 0 or excess(0.0) < 0:
        return 0.0
    top = max(chisq, 1.0)
    while excess(top) > 0:
        top *= 2
    return float(brentq(excess, 0.0, top, xtol=1e-10, rtol=1e-14))


def close_fit_p(
    chisq: float, df: int, n: int, n_groups: int = 1, close: float = CLOSE_FIT
) -> float:
    """Return the p value of the hypothesis RMSEA <= 0.05 (Browne & Cudeck 1992).

    Examples
    --------
    >>> close_fit_p(85.306, 24, 301) < 0.001
    True
    """
    from scipy.special import chndtr

    if df == 0:
        return float("nan")
    return float(1 - chndtr(chisq, df, n * df * close**2 / n_groups))


def srmr(cov: Array, implied: Array, mean: Array | None = None, mu: Array | None = None) -> float:
    """Return the standardised root mean square residual.

    Residual covariances are divided by the sample's standard deviations (Bentler's way); with
    means, residual means too. The mean runs over p(p + 1)/2 (+ p) elements.

    References
    ----------
    Bentler (1995). EQS structural equations program manual.

    Examples
    --------
    >>> srmr(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([[1.0, 0.2], [0.2, 1.0]])).__round__(4)
    0.1732
    """
    sd = np.sqrt(np.diagonal(cov))
    row, column = np.tril_indices(len(cov))
    residual = ((cov - implied) / np.outer(sd, sd))[row, column]
    if mean is not None and mu is not None:
        residual = np.append(residual, (mean - mu) / sd)
    return float(np.sqrt(np.mean(residual**2)))


def gfi(
    cov: Array,
    implied: Array,
    mean: Array | None = None,
    mu: Array | None = None,
    exogenous: NDArray[np.bool_] | None = None,
) -> float:
    """Return the goodness-of-fit index, 1 - weighted squares of residuals / of moments.

    ``tr((W (S - Sigma))^2) / 2`` over ``tr((W S)^2) / 2``, ``W = Sigma^-1``; with means
    ``(m - mu)' W (m - mu)`` and ``m' W m`` are added. Moments among observed predictors, which
    the model takes as given, count as zero. That of several groups is their mean, weighted by
    their size.

    References
    ----------
    Joreskog & Sorbom (1986). LISREL VI. Tanaka & Huba (1985). British Journal of Mathematical
    and Statistical Psychology 38, 197-201.

    Examples
    --------
    >>> round(gfi(np.array([[1.0, 0.5], [0.5, 1.0]]), np.eye(2)), 2)
    0.8
    """
    weight = np.linalg.inv(implied)
    fixed = np.zeros(len(cov), bool) if exogenous is None else exogenous
    inside = np.outer(fixed, fixed)
    residual, total = np.where(inside, 0, cov - implied), np.where(inside, 0, cov)
    residual_sum = np.trace(np.linalg.matrix_power(weight @ residual, 2)) / 2
    moments_sum = np.trace(np.linalg.matrix_power(weight @ total, 2)) / 2
    if mean is not None and mu is not None:
        gap, size = np.where(fixed, 0, mean - mu), np.where(fixed, 0, mean)
        residual_sum += gap @ weight @ gap
        moments_sum += size @ weight @ size
    return float(1 - residual_sum / moments_sum)


def aic(loglik: float, n_parameters: int) -> float:
    """Return Akaike's criterion, 2 q - 2 log L.

    References
    ----------
    Akaike (1974). IEEE Transactions on Automatic Control 19, 716-723.

    Examples
    --------
    >>> round(aic(-3737.745, 21), 2)
    7517.49
    """
    return 2 * n_parameters - 2 * loglik


def bic(loglik: float, n_parameters: int, n: int) -> float:
    """Return Schwarz's criterion, q log n - 2 log L.

    References
    ----------
    Schwarz (1978). Annals of Statistics 6, 461-464.

    Examples
    --------
    >>> round(bic(-3737.745, 21, 301), 2)
    7595.34
    """
    return float(n_parameters * np.log(n) - 2 * loglik)


def bic_adjusted(loglik: float, n_parameters: int, n: int) -> float:
    """Return the sample-size-adjusted BIC, with (n + 2) / 24 for n.

    References
    ----------
    Sclove (1987). Psychometrika 52, 333-343.
    """
    return bic(loglik, n_parameters, (n + 2) / 24)  # type: ignore[arg-type]


def fit_measures(fit: SemFit) -> dict[str, float]:
    """Return every fit index of a fit by name; see `SemFit.fit_indices`."""
    n, groups = fit.n, len(fit.sample.groups)
    counts = _counts(fit)
    indices: dict[str, float] = {"n": n, **counts}
    if not fit.at_optimum:
        names = NAMES if fit.estimator == "ml" else NAMES + SCALED
        return indices | dict.fromkeys(names, float("nan"))
    df, base_df, q = counts["df"], counts["baseline_df"], counts["n_parameters"]
    chisq = max(float(n * (fit.optimum.value - fit.sample.saturated)), 0.0)
    base, saturated = _baseline(fit), _saturated_loglik(fit)
    loglik = saturated - chisq / 2
    low, high = rmsea_interval(chisq, df, n, groups)
    indices |= {
        "chisq": chisq,
        "p_value": chi_square_p(chisq, df),
        "baseline_chisq": base,
        "cfi": cfi(chisq, df, base, base_df),
        "tli": tli(chisq, df, base, base_df),
        "rmsea": rmsea(chisq, df, n, groups),
        "rmsea_ci_low": low,
        "rmsea_ci_high": high,
        "rmsea_p": close_fit_p(chisq, df, n, groups),
        **_residual_indices(fit),
        **_of_small_samples(fit, chisq, df),
        "loglik": loglik,
        "saturated_loglik": saturated,
        "aic": aic(loglik, q),
        "bic": bic(loglik, q, n),
        "bic_adjusted": bic_adjusted(loglik, q, n),
    }
    return indices if fit.estimator == "ml" else indices | _scaled(fit, indices)


def small_sample_factors(fit: SemFit, df: int) -> dict[str, float]:
    """Return Swain's and Bartlett's factors by name; of groups, those of their mean size."""
    groups = len(fit.sample.groups)
    p, k, n = len(fit.model.observed), len(fit.model.latents), fit.n / groups
    return {"swain": swain_factor(p, df / groups, n), "bartlett": bartlett_factor(p, k, n)}


def cases_needed(fit: SemFit, df: int) -> float:
    """Return the n below which the uncorrected test rejects more than 6.5 % of true models.

    Bartlett's factor says by how much chi-square is too large: by ``df (1 - factor)``, which is
    ``(4 k + 2 p + 5) / (6 n) sqrt(df / 2)`` of its standard deviations.
    """
    groups = len(fit.sample.groups)
    p, k = len(fit.model.observed), len(fit.model.latents)
    return float(groups * (4 * k + 2 * p + 5) / 6 * np.sqrt(df / 2) / TOO_LARGE)


def _of_small_samples(fit: SemFit, chisq: float, df: int) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, factor in small_sample_factors(fit, df).items():
        corrected = chisq * max(factor, 0.0)
        values |= {f"chisq_{name}": corrected, f"p_{name}": chi_square_p(corrected, df)}
    return values


def _exogenous_variables(fit: SemFit) -> NDArray[np.bool_]:
    """Return which observed variables are predictors taken as given (p,)."""
    predictors = {p.lhs for p in fit.model.one_group if p.exogenous}
    return np.array([name in predictors for name in fit.model.observed])


def _counts(fit: SemFit) -> dict[str, int]:
    reduction = fit.likelihood.reduction
    p, groups = len(fit.model.observed), len(fit.sample.groups)
    x = int(_exogenous_variables(fit).sum())
    bound = 0
    if reduction.equations:
        slopes = reduction.slopes(reduction.equations, fit.optimum.phi)
        finite = bool(np.isfinite(slopes).all())
        bound = int(np.linalg.matrix_rank(slopes)) if finite else len(slopes)
    q = int((~exogenous(reduction)).sum()) - bound
    covariances = p * (p + 1) // 2 - x * (x + 1) // 2
    moments = groups * (covariances + (p - x if fit.model.means else 0))
    return {
        "n_parameters": q,
        "df": moments - q,
        "baseline_df": groups * (covariances - (p - x)),
    }


def _baseline(fit: SemFit) -> float:
    """Return chi-square of the model in which only observed predictors covary."""
    likelihood = fit.likelihood
    if isinstance(likelihood, PatternLikelihood):
        values = [baseline_value(likelihood.patterns, g) for g in range(len(likelihood.share))]
        return float(fit.n * (np.dot(likelihood.share, values) - fit.sample.saturated))
    predictors = _exogenous_variables(fit)
    total = 0.0
    for cov, size in zip(fit.sample.cov, fit.sample.sizes, strict=True):
        inner = cov[np.ix_(predictors, predictors)]
        joint = np.linalg.slogdet(inner)[1] if predictors.any() else 0.0
        independent = np.log(np.diagonal(cov)[~predictors]).sum()
        total += size * (independent + joint - np.linalg.slogdet(cov)[1])
    return float(total)


def baseline_p(fit: SemFit) -> float:
    """Return the probability of a larger chi-square of the model without any relations."""
    with np.errstate(all="ignore"):
        return chi_square_p(_baseline(fit), _counts(fit)["baseline_df"])


def _saturated_loglik(fit: SemFit) -> float:
    """Return the log-likelihood of unrestricted moments, given the predictors."""
    if isinstance(fit.likelihood, PatternLikelihood):
        values = fit.likelihood.patterns.n_values
        return float(-(fit.n * fit.sample.saturated + values * np.log(2 * np.pi)) / 2)
    predictors = _exogenous_variables(fit)
    loglik = 0.0
    for cov, size in zip(fit.sample.cov, fit.sample.sizes, strict=True):
        inner = cov[np.ix_(predictors, predictors)]
        p = len(cov) - int(predictors.sum())
        log_det = np.linalg.slogdet(cov)[1]
        log_det -= np.linalg.slogdet(inner)[1] if predictors.any() else 0.0
        loglik -= size / 2 * (p * np.log(2 * np.pi) + log_det + p)
    return float(loglik)


def _residual_indices(fit: SemFit) -> dict[str, float]:
    """Return SRMR and GFI, the means of those of the groups, weighted by their size."""
    implied, predictors = fit.optimum.point.model, _exogenous_variables(fit)
    totals = {"srmr": 0.0, "gfi": 0.0}
    for g, share in enumerate(fit.likelihood.share):
        mean = fit.sample.mean[g] if fit.model.means else None
        mu = None if implied.mu is None else implied.mu[g]
        cov, sigma = fit.sample.cov[g], implied.sigma[g]
        totals["srmr"] += share * srmr(cov, sigma, mean, mu)
        totals["gfi"] += share * gfi(cov, sigma, mean, mu, predictors)
    return {name: float(total) for name, total in totals.items()}


def _scaled(fit: SemFit, indices: dict[str, float]) -> dict[str, float]:
    """Return scaled and robust indices (Brosseau-Liard & Savalei 2012, 2014).

    The robust ones of incomplete cases are those of Zhang & Savalei (2023).
    """
    df, base_df = int(indices["df"]), int(indices["baseline_df"])
    n, groups = fit.n, len(fit.sample.groups)
    if df == 0:
        return dict.fromkeys(SCALED, float("nan")) | {"chisq_scaled": 0.0}
    observed, cases = fit.estimator == "mlr", fit.sample.matrices()
    design = fit.sample.cases
    c = robust.scaling(fit.likelihood, fit.optimum, cases, df, observed, design)
    base = robust.baseline(fit.likelihood)
    c_base = robust.scaling(*base, cases, base_df, observed, design)
    chisq, base_chisq = indices["chisq"], indices["baseline_chisq"]
    # Chi-square and what it is on average where the model holds, of the model and the baseline.
    factor = small_sample_factors(fit, df)["bartlett"]
    ours, theirs = (chisq, c * df), (base_chisq, c_base * base_df)
    if isinstance(fit.likelihood, PatternLikelihood):
        ours, theirs = robust.corrected([(fit.likelihood, fit.optimum), base], cases, design)
    return {
        "chisq_scaled": chisq / c,
        "scaling": c,
        "p_value_scaled": chi_square_p(chisq / c, df),
        "baseline_scaling": c_base,
        "cfi_scaled": cfi(chisq / c, df, base_chisq / c_base, base_df),
        "tli_scaled": tli(chisq / c, df, base_chisq / c_base, base_df),
        "rmsea_scaled": rmsea(chisq / c, df, n, groups) if c > 0 else float("nan"),
        **_robust(ours, theirs, df, base_df, n, groups),
        "chisq_scaled_bartlett": (corrected := chisq / c * factor),
        "p_scaled_bartlett": chi_square_p(corrected, df),
    }


def _robust(
    model: tuple[float, float],
    baseline: tuple[float, float],
    df: int,
    base_df: int,
    n: int,
    groups: int,
) -> dict[str, float]:
    """Return what the plain indices would be in normal data: of c times the excess."""
    chisq, c = model[0], model[1] / df
    excess, base_excess = chisq - model[1], baseline[0] - baseline[1]
    root, (low, high) = float(np.sqrt(c)), rmsea_interval(chisq / c, df, n, groups)
    return {
        "cfi_robust": 1 - max(excess, 0.0) / max(excess, base_excess, 1e-300),
        "tli_robust": 1 - excess * base_df / (base_excess * df),
        "rmsea_robust": root * rmsea(chisq / c, df, n, groups),
        "rmsea_robust_ci_low": root * low,
        "rmsea_robust_ci_high": root * high,
    }
