"""Importances of one sample and how certain they are: replicates, intervals, tests, ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.progress import quiet_linear_algebra
from cxstats.priorities.drivers import importance_measures, influence_functions
from cxstats.priorities.drivers.coefficients import Coefficients
from cxstats.priorities.drivers.importance_measures import Regression
from cxstats.priorities.drivers.measurement import LinearMeasurement, measure
from cxstats.priorities.drivers.sample import Sample
from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Importances:
    """Importances of p drivers with what their uncertainty is judged by.

    Attributes
    ----------
    importance, share : arrays (p,)
        Shapley values, relative weights or betas; their shares of the sum (of absolute betas).
    r_squared : float
    low, high, se : arrays (2 p + 1,)
        Intervals and standard errors of importances, shares and R2, in this order.
    p_value : array (p,)
        Against pure noise; of a beta, against 0, by the standard error of its interval.
    replicates : array (B, 2 p + 1) or None
        Of the same; a row of NaN failed.
    sampling_se : array (p,) or None
        Standard errors from drawing orders, above 20 drivers.
    noise : array (p,)
        Importance above which noise like each driver comes in 1 - level of samples; NaN for betas.
    regression : Regression
    coefficients : Coefficients
    adjusted : float
        R2 with the degrees of freedom taken off.
    separated : tuple of str
        Columns that tell the two values of a logistic outcome apart without error.
    """

    importance: Array
    share: Array
    r_squared: float
    low: Array
    high: Array
    se: Array
    p_value: Array
    replicates: Array | None
    sampling_se: Array | None
    noise: Array
    regression: Regression
    coefficients: Coefficients
    adjusted: float
    separated: tuple[str, ...]

    @property
    def n_failed(self) -> int:
        """Replicates without a result."""
        return 0 if self.replicates is None else int(np.isnan(self.replicates[:, 0]).sum())

    def ranks(self) -> Array:
        """Return the drivers' ranks in the replicates that succeeded (B', p); ties by order."""
        assert self.replicates is not None
        sizes = np.abs(complete_rows(self.replicates)[:, : len(self.importance)])
        return np.asarray(1 + np.argsort(np.argsort(-sizes, axis=1, kind="stable"), axis=1), float)


def importances(
    sample: Sample, method: str, level: float, n_resamples: int, seed: int, stream: int | None
) -> Importances:
    """Estimate the importances of a sample by a method.

    Parameters
    ----------
    sample : Sample
    method : {"shapley", "johnson", "regression", "logistic"}
    level, n_resamples, seed
        Confidence level, bootstrap resamples, seed.
    stream : int or None
        Number of the group, so that groups have resamples of their own. Under a sampling design
        all groups have the same, since clusters may reach over groups.

    Raises
    ------
    CxError
        If betas do not exist, naming the drivers that determine each other.
    """
    p, q = len(sample.drivers), sum(sample.ranks)
    with quiet_linear_algebra():
        measured = measure(sample, method, seed)
        statistics = measured.statistics
        noise = measured.noise(seed)
        replicates = None
        if sample.matrix is not None:
            streams: Any = seed if stream is None or sample.sampled is not None else [seed, stream]
            replicates = measured.replicates(n_resamples, streams)
            wide = reach(level, sample.effective_n, q, sample.df)
            low, high = expanded_percentile(measured.less_optimism(replicates), wide)
            se = spread(replicates)
        else:
            assert isinstance(measured, LinearMeasurement)
            low, high, se = _normal_theory(measured, level)
    if noise is None:
        p_value = beta_p_values(statistics[:p], se[:p], sample.effective_n, q, sample.df)
    else:
        p_value = np.array(
            [noise_p_values(statistics[j : j + 1], draws).item() for j, draws in enumerate(noise)]
        )
        # Nothing here that noise could not bring forth: zero importance cannot be excluded.
        low[:p][p_value >= 1 - level] = 0.0
    # No percentile of a share is 0; it is when the importance can be.
    unsettled = (low[:p] <= 0) & (high[:p] >= 0)
    low[p : 2 * p][unsettled] = 0.0
    if p == 1 and unsettled[0]:  # the one importance is R2
        low[-1] = 0.0
    return Importances(
        importance=statistics[:p], share=statistics[p : 2 * p], r_squared=float(statistics[-1]),
        low=low, high=high, se=se, p_value=p_value, replicates=replicates,
        sampling_se=measured.sampling_se,
        noise=np.full(p, np.nan) if noise is None else np.array(
            [np.quantile(draws, level) for draws in noise]
        ),
        regression=measured.regression, coefficients=measured.coefficients,
        adjusted=measured.adjusted,
        separated=() if isinstance(measured, LinearMeasurement) else measured.separated,
    )  # fmt: skip


def complete_rows(replicates: Array) -> Array:
    """Return the replicates without NaN."""
    return replicates[~np.isnan(replicates).any(axis=1)]


def spread(replicates: Array) -> Array:
    """Return the standard deviations (k,) of the replicates that exist; NaN of fewer than two."""
    complete = complete_rows(replicates)
    if len(complete) < 2:
        return np.full(replicates.shape[1], np.nan)
    return np.asarray(complete.std(axis=0, ddof=1), float)


def _normal_theory(measured: LinearMeasurement, level: float) -> tuple[Array, Array, Array]:
    """Return intervals and standard errors of importances, shares and R2 from a matrix alone."""
    sample, forms, statistics = measured.sample, measured.forms, measured.statistics
    p, q, corr = len(sample.drivers), sum(sample.ranks), sample.corr
    if forms is not None:
        total = forms.influence.sum(axis=0)
        shares = (forms.influence - statistics[p : 2 * p, None, None] * total) / statistics[-1]
        influence = np.concatenate([forms.influence, shares, total[None]])
    else:

        def of_betas(batch: Array) -> Array:
            beta = importance_measures.betas(batch)
            sizes = np.abs(beta)
            r2 = importance_measures.full_r2(batch)[..., None]
            return np.concatenate([beta, sizes / sizes.sum(axis=-1, keepdims=True), r2], axis=-1)

        influence = influence_functions.numeric_influence(of_betas, corr)
    se = normal_se(influence, corr, sample.n)
    wide = reach(level, sample.n, q)
    centre = statistics.copy()
    adjusted = 1 - (1 - statistics[-1]) * (sample.n - 1) / (sample.n - q - 1)
    if p > 1 and adjusted > 0:
        centre[-1] = adjusted
    low, high = logit_interval(centre, se, wide)
    if adjusted <= 0:
        low[-1] = 0.0
    if forms is None:
        low[:p], high[:p] = statistics[:p] - wide * se[:p], statistics[:p] + wide * se[:p]
    return low, high, se


def reach(level: float, n: float, p: int, df: float | None = None) -> float:
    """Return how many standard errors an interval reaches to either side.

    ``t_(1 + level)/2, df * sqrt(n / (n - p - 1))`` with ``df = n - p - 1``: resamples vary too
    little by about ``sqrt((n - p - 1) / n)``, and their spread is itself an estimate (Hesterberg
    2015). Under a sampling design n is Kish's and `df` is that of the clusters.

    Examples
    --------
    >>> round(reach(0.95, 200, 5), 3)
    2.003
    """
    from scipy import stats

    left = max(n - p - 1, 1)
    return float(stats.t.ppf((1 + level) / 2, left if df is None else df) * np.sqrt(n / left))


def expanded_percentile(replicates: Array, wide: float) -> tuple[Array, Array]:
    """Return bootstrap percentile intervals (k,), (k,), expanded to `wide` standard errors.

    The quantiles taken are ``Phi(-reach)`` and ``Phi(reach)``; replicates with NaN are left out.

    References
    ----------
    Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician
    69(4), 371-386.
    """
    from scipy.special import ndtr

    low, high = percentile_limits(complete_rows(replicates), 1 - 2 * ndtr(-wide))
    return low, high


def normal_se(forms: Array, corr: Array, n: int) -> Array:
    """Return standard errors (k,) under normality, from influence forms alone.

    ``se^2 = 2 tr(D R D R) / n``: the variance of ``z' D z`` over n normal cases.
    """
    spread = forms @ corr
    variance = 2 * np.einsum("juv,jvu->j", spread, spread) / n
    return np.asarray(np.sqrt(np.maximum(variance, 0)), float)


def logit_interval(estimate: Array, se: Array, reach: float) -> tuple[Array, Array]:
    """Return intervals of parts of 1, symmetric on the logit scale so that none leaves 0 to 1.

    Examples
    --------
    >>> low, high = logit_interval(np.array([0.2]), np.array([0.05]), 1.96)
    >>> low.round(3).item(), high.round(3).item()
    (0.119, 0.316)
    """
    from scipy.special import expit, logit

    inside = (estimate > 0) & (estimate < 1) & (se > 0)
    safe = np.where(inside, estimate, 0.5)
    centre, half = logit(safe), reach * np.where(inside, se, 0) / (safe * (1 - safe))
    low, high = expit(centre - half), expit(centre + half)
    return np.where(inside, low, estimate), np.where(inside, high, estimate)


def beta_p_values(beta: Array, se: Array, n: float, p: int, df: float | None = None) -> Array:
    """Return the p values (p,) of coefficients from the standard errors of their intervals.

    ``t = beta / (se sqrt(n / (n - p - 1)))`` on `df` (``n - p - 1``) degrees of freedom: the test
    whose 5 % limit is where an interval that reaches `reach` standard errors ends.

    Examples
    --------
    >>> limit = np.array([reach(0.95, 200, 5)])
    >>> beta_p_values(limit, np.ones(1), 200, 5).round(3).item()
    0.05
    """
    from scipy import stats

    left = max(n - p - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(beta) / (se * np.sqrt(n / left))
    return np.asarray(2 * stats.t.sf(t, left if df is None else df), float)


def noise_p_values(estimate: Array, draws: Array) -> Array:
    """Return how often pure noise is at least as important (p,), counting the estimate itself."""
    above = len(draws) - np.searchsorted(np.sort(draws), estimate)
    p: Array = (1 + above) / (1 + len(draws))
    return p
