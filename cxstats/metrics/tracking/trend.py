"""Changes of level and trend of a series of estimates, as functions of arrays.

A series is as in `cxstats.metrics.tracking.control_limits`.

References
----------
Worsley (1979). On the likelihood ratio test for a shift in location of normal populations. JASA 74.
Mann (1945). Nonparametric tests against trend. Econometrica 13, 245-259.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 10_000  # simulated series behind the p value of a change


@dataclass(frozen=True, slots=True)
class Change:
    """A change of level.

    Attributes
    ----------
    at : int
        The first wave of the new level.
    before, after : float
        Means, weighted by precision.
    estimate, se : float
        After less before. Its interval is too narrow, since the place was searched for.
    p_value : float
        Of the largest change at any place, by simulation of series without one.
    """

    at: int
    before: float
    after: float
    estimate: float
    se: float
    p_value: float


def change_points(
    estimate: Array,
    se: Array,
    alpha: float,
    seed: int,
    start: int = 0,
    correlation: Array | None = None,
) -> list[Change]:
    """Return changes of level, found by splitting at the largest while it is significant.

    At each place the precision-weighted means before and after are compared,
    ``|m2 - m1| / sqrt(1/w1 + 1/w2)``, ``w`` sums of ``1 / se^2``; the largest is held against the
    largest of 10,000 simulated normal series with the same standard errors (and `correlation`, of
    which the error of a difference takes account as well) and no change. Each
    part is searched again at the same level, so the chance of any false change is alpha for the
    whole series and larger once a true one was found.
    """
    if len(estimate) < 3:
        return []
    weight = 1 / se**2
    noise = np.random.default_rng([seed, start]).standard_normal((DRAWS, len(se)))
    if correlation is not None:
        values, vectors = np.linalg.eigh(correlation)
        noise = noise @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    errors = _errors_of_changes(weight, correlation)
    statistic, at = _largest(estimate[None], weight, errors)
    null, _ = _largest(noise * se, weight, errors)
    p = float((1 + (null >= statistic[0]).sum()) / (1 + DRAWS))
    if p > alpha:
        return []
    k = int(at[0])
    segments = [(estimate[:k], weight[:k]), (estimate[k:], weight[k:])]
    before, after = (float(w @ x / w.sum()) for x, w in segments)
    error = float(errors[k - 1])
    first, second = (
        None if correlation is None else correlation[part, part]
        for part in (slice(None, k), slice(k, None))
    )
    earlier = change_points(estimate[:k], se[:k], alpha, seed, start, first)
    later = change_points(estimate[k:], se[k:], alpha, seed, start + k, second)
    return [*earlier, Change(start + k, before, after, after - before, error, p), *later]


def _errors_of_changes(weight: Array, correlation: Array | None) -> Array:
    """Return the standard error of the difference of levels at each place (t - 1,)."""
    total = np.cumsum(weight)
    before, after = total[:-1], total[-1] - total[:-1]
    if correlation is None:
        return np.asarray(np.sqrt(1 / before + 1 / after))
    earlier = np.arange(len(weight)) < np.arange(1, len(weight))[:, None]
    contrasts = np.where(earlier, -weight / before[:, None], weight / after[:, None])
    se = 1 / np.sqrt(weight)
    variance = np.einsum("ki,ij,kj->k", contrasts * se, correlation, contrasts * se)
    # Waves that share everything differ by nothing; rounding must not make a change of that.
    least = 1e-9 * np.sqrt(1 / before + 1 / after)
    return np.asarray(np.maximum(np.sqrt(np.maximum(variance, 0.0)), least))


def _largest(series: Array, weight: Array, errors: Array) -> tuple[Array, NDArray[np.intp]]:
    """Return the largest standardised change of each series (B, t), and its place."""
    total = np.cumsum(weight)
    sums = np.cumsum(series * weight, axis=1)
    w1, s1 = total[:-1], sums[:, :-1]
    w2, s2 = total[-1] - w1, sums[:, -1:] - s1
    z = np.abs(s2 / w2 - s1 / w1) / errors
    at = z.argmax(axis=1)
    return z[np.arange(len(z)), at], at + 1


@dataclass(frozen=True, slots=True)
class Trend:
    """A straight line through the waves, weighted by precision.

    Attributes
    ----------
    slope, se : float
        Change per unit of time, with the error that sampling alone gives.
    ci_low, ci_high, p_value : float
        Normal; where waves scatter about the line more than sampling explains, the error is
        enlarged by ``sqrt(Q / (t - 2))`` and Student's t taken.
    scatter : float
        ``Q / (t - 2)``, Q the weighted squared residuals; 1 is sampling alone. With correlated
        waves Q over what sampling alone makes of it.
    tau, p_tau : float
        Kendall's tau with time (Mann's test), which asks for no straight line.
    """

    slope: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    scatter: float
    tau: float
    p_tau: float


def linear_trend(
    time: Array, estimate: Array, se: Array, level: float, correlation: Array | None = None
) -> Trend:
    """Fit a trend by weighted least squares, and test it by Kendall's tau as well."""
    from scipy import stats

    weight = 1 / se**2
    centred = time - weight @ time / weight.sum()
    mean = weight @ estimate / weight.sum()
    precision = weight @ centred**2
    slope = float(weight @ (centred * (estimate - mean)) / precision)
    df = len(time) - 2
    slope_variance, expected = 1 / precision, float(df)
    if correlation is not None:
        of_slope = np.sqrt(weight) * centred / precision  # of standardised estimates
        slope_variance = max(float(of_slope @ correlation @ of_slope), 0.0)
        basis = np.linalg.qr(np.sqrt(weight)[:, None] * np.column_stack([0 * time + 1, time]))[0]
        expected = float(np.trace(correlation) - np.trace(basis.T @ correlation @ basis))
    squares = float(weight @ (estimate - mean - slope * centred) ** 2)
    scatter = squares / expected if df and expected > 0 else 1.0
    error = float(np.sqrt(max(scatter, 1.0) * slope_variance))
    reference = stats.norm if scatter <= 1 else stats.t(df)
    quantile = float(reference.ppf((1 + level) / 2))
    kendall = stats.kendalltau(time, estimate)
    return Trend(
        slope=slope,
        se=error,
        ci_low=slope - quantile * error,
        ci_high=slope + quantile * error,
        p_value=float(2 * reference.sf(abs(slope) / error)),
        scatter=scatter,
        tau=float(kendall.statistic),
        p_tau=float(kendall.pvalue),
    )
