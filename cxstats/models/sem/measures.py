"""The fit of a fitted model, in numbers: what the indices of `fit_indices` are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem import fit_indices as indices
from cxstats.models.sem import robust
from cxstats.models.sem.inference import exogenous
from cxstats.models.sem.missing import PatternLikelihood, baseline_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.models.sem.result import SemFit

    Array = NDArray[np.float64]

NAMES = (
    "chisq", "p_value", "cfi", "tli", "rmsea", "rmsea_ci_low", "rmsea_ci_high", "rmsea_p", "srmr",
    "gfi", "loglik", "saturated_loglik", "aic", "bic", "bic_adjusted", "baseline_chisq",
)  # fmt: skip
SCALED = (
    "chisq_scaled", "scaling", "p_value_scaled", "baseline_scaling", "cfi_scaled", "tli_scaled",
    "rmsea_scaled", "cfi_robust", "tli_robust", "rmsea_robust", "rmsea_robust_ci_low",
    "rmsea_robust_ci_high",
)  # fmt: skip


def measures(fit: SemFit) -> dict[str, float]:
    """Return every fit index of a fit by name; see `SemFit.fit_indices`."""
    n, groups = fit.n, len(fit.sample.groups)
    counted = _counts(fit)
    found: dict[str, float] = {"n": n, **counted}
    if not fit.sound:
        names = NAMES if fit.estimator == "ml" else NAMES + SCALED
        return found | dict.fromkeys(names, float("nan"))
    df, base_df, q = counted["df"], counted["baseline_df"], counted["n_parameters"]
    chisq = max(float(n * (fit.optimum.value - fit.sample.saturated)), 0.0)
    base, saturated = _baseline(fit), _saturated_loglik(fit)
    loglik = saturated - chisq / 2
    low, high = indices.rmsea_interval(chisq, df, n, groups)
    found |= {
        "chisq": chisq,
        "p_value": indices.chi_square_p(chisq, df),
        "baseline_chisq": base,
        "cfi": indices.cfi(chisq, df, base, base_df),
        "tli": indices.tli(chisq, df, base, base_df),
        "rmsea": indices.rmsea(chisq, df, n, groups),
        "rmsea_ci_low": low,
        "rmsea_ci_high": high,
        "rmsea_p": indices.close_fit_p(chisq, df, n, groups),
        **_residual_indices(fit),
        "loglik": loglik,
        "saturated_loglik": saturated,
        "aic": indices.aic(loglik, q),
        "bic": indices.bic(loglik, q, n),
        "bic_adjusted": indices.bic_adjusted(loglik, q, n),
    }
    return found if fit.estimator == "ml" else found | _scaled(fit, found)


def _given(fit: SemFit) -> NDArray[np.bool_]:
    """Return which observed variables are predictors taken as given (p,)."""
    given = {p.lhs for p in fit.model.one_group if p.exogenous}
    return np.array([name in given for name in fit.model.observed])


def _counts(fit: SemFit) -> dict[str, int]:
    reduction = fit.likelihood.reduction
    p, x, groups = len(fit.model.observed), int(_given(fit).sum()), len(fit.sample.groups)
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
    given = _given(fit)
    total = 0.0
    for cov, size in zip(fit.sample.cov, fit.sample.sizes, strict=True):
        fixed = np.linalg.slogdet(cov[np.ix_(given, given)])[1] if given.any() else 0.0
        free = np.log(np.diagonal(cov)[~given]).sum()
        total += size * (free + fixed - np.linalg.slogdet(cov)[1])
    return float(total)


def _saturated_loglik(fit: SemFit) -> float:
    """Return the log-likelihood of unrestricted moments, given the predictors."""
    if isinstance(fit.likelihood, PatternLikelihood):
        values = fit.likelihood.patterns.n_values
        return float(-(fit.n * fit.sample.saturated + values * np.log(2 * np.pi)) / 2)
    given = _given(fit)
    found = 0.0
    for cov, size in zip(fit.sample.cov, fit.sample.sizes, strict=True):
        inner = cov[np.ix_(given, given)]
        p = len(cov) - int(given.sum())
        log_det = np.linalg.slogdet(cov)[1]
        log_det -= np.linalg.slogdet(inner)[1] if given.any() else 0.0
        found -= size / 2 * (p * np.log(2 * np.pi) + log_det + p)
    return float(found)


def _residual_indices(fit: SemFit) -> dict[str, float]:
    implied, given = fit.likelihood.implied(fit.optimum.phi), _given(fit)
    srmr, gfi = 0.0, 0.0
    for g, share in enumerate(fit.likelihood.share):
        mean = fit.sample.mean[g] if fit.model.means else None
        mu = None if implied.mu is None else implied.mu[g]
        cov, sigma = fit.sample.cov[g], implied.sigma[g]
        srmr += share * indices.srmr(cov, sigma, mean, mu)
        gfi += share * indices.gfi(cov, sigma, mean, mu, given)
    return {"srmr": float(srmr), "gfi": float(gfi)}


def _scaled(fit: SemFit, found: dict[str, float]) -> dict[str, float]:
    """Return scaled and robust indices (Brosseau-Liard & Savalei 2012, 2014)."""
    df, base_df = int(found["df"]), int(found["baseline_df"])
    n, groups = fit.n, len(fit.sample.groups)
    if df == 0:
        return dict.fromkeys(SCALED, float("nan")) | {"chisq_scaled": 0.0}
    observed, cases = fit.estimator == "mlr", fit.sample.matrices()
    c = robust.scaling(fit.likelihood, fit.optimum, cases, df, observed)
    base = robust.baseline(fit.likelihood)
    c_base = robust.scaling(*base, cases, base_df, observed)
    chisq, base_chisq = found["chisq"], found["baseline_chisq"]
    low, high = indices.rmsea_interval(chisq / c, df, n, groups)
    # The robust indices estimate what the plain ones would be in normal data: c times the excess.
    off, base_off = chisq - c * df, base_chisq - c_base * base_df
    return {
        "chisq_scaled": chisq / c,
        "scaling": c,
        "p_value_scaled": indices.chi_square_p(chisq / c, df),
        "baseline_scaling": c_base,
        "cfi_scaled": indices.cfi(chisq / c, df, base_chisq / c_base, base_df),
        "tli_scaled": indices.tli(chisq / c, df, base_chisq / c_base, base_df),
        "rmsea_scaled": indices.rmsea(chisq / c, df, n, groups) if c > 0 else float("nan"),
        "cfi_robust": 1 - max(off, 0.0) / max(off, base_off, 1e-300),
        "tli_robust": 1 - off * base_df / (base_off * df),
        "rmsea_robust": float(np.sqrt(c)) * indices.rmsea(chisq / c, df, n, groups),
        "rmsea_robust_ci_low": float(np.sqrt(c)) * low,
        "rmsea_robust_ci_high": float(np.sqrt(c)) * high,
    }
