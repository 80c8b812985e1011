"""Importances of one sample and how certain they are: replicates, intervals, tests, ranks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.moments import bootstrap_moments, correlations
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.priorities.drivers import importance_measures, influence_functions
from cxstats.priorities.drivers.importance_measures import Regression
from cxstats.priorities.drivers.sample import Sample
from cxstats.priorities.drivers.shapley_sampling import FEW, PAIRS, Orders
from cxstats.stats.bootstrap import percentile_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Measure = Callable[[Array], Array]

EXACT = 20  # drivers up to which all subsets are taken
HELD = 4_000_000  # numbers held at once by a chunk of replicates
# A replicate's variance below this part of the sample's is rounding: it drew one value only.
STILL = 1e-12
NEARLY = 1e-6  # tolerance of a driver that a message names as determined by others
MEASURES: dict[str, Measure] = {
    "shapley": importance_measures.shapley,
    "johnson": importance_measures.johnson,
    "regression": importance_measures.betas,
}
FORMS = {
    "shapley": influence_functions.shapley_forms,
    "johnson": influence_functions.johnson_forms,
}


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
    noise : float
        Importance above which noise comes in 1 - level of samples; NaN for betas.
    regression : Regression
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
    noise: float
    regression: Regression

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
    method : {"shapley", "johnson", "regression"}
    level, n_resamples, seed
        Confidence level, bootstrap resamples, seed.
    stream : int or None
        Number of the group, so that groups have resamples of their own.

    Raises
    ------
    CxError
        If betas do not exist, naming the drivers that determine each other.
    """
    p, n = len(sample.drivers), sample.n
    _check_betas_exist(sample, method)
    orders = Orders.draw(p, PAIRS, seed) if method == "shapley" and p > EXACT else None
    with quiet_linear_algebra():
        statistics = _with_shares(_measure(method, orders), method, sample.corr)
        regression = importance_measures.regression(sample.corr, n)
        forms = _forms(sample, method, orders)
        noise = None
        if forms is not None:
            noise = influence_functions.noise_draws(forms.noise, sample.corr, n, seed)
        replicates = None
        if sample.matrix is not None:
            streams: Any = seed if stream is None else [seed, stream]
            replicates = _replicates(sample, method, orders, n_resamples, streams)
            low, high = expanded_percentile(_less_optimism(replicates, n, p), level, n, p)
            se = spread(replicates)
        else:
            low, high, se = _normal_theory(sample, method, forms, statistics, level)
    if noise is None:
        p_value = beta_p_values(statistics[:p], se[:p], n, p)
    else:
        p_value = noise_p_values(statistics[:p], noise)
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
        sampling_se=None if orders is None else orders.errors(sample.corr),
        noise=float("nan") if noise is None else float(np.quantile(noise, level)),
        regression=regression,
    )  # fmt: skip


def _check_betas_exist(sample: Sample, method: str) -> None:
    if method == "regression" and np.isnan(importance_measures.betas(sample.corr)).any():
        tolerances = importance_measures.tolerances(sample.corr)
        pairs = zip(sample.drivers, tolerances, strict=True)
        names = [name for name, tolerance in pairs if tolerance < NEARLY]
        raise CxError(
            f"{sample.where}drivers determine each other, so betas do not exist: "
            f"{', '.join(names)}; leave one out or take method='shapley'"
        )


def complete_rows(replicates: Array) -> Array:
    """Return the replicates without NaN."""
    return replicates[~np.isnan(replicates).any(axis=1)]


def spread(replicates: Array) -> Array:
    """Return the standard deviations (k,) of the replicates that exist; NaN of fewer than two."""
    complete = complete_rows(replicates)
    if len(complete) < 2:
        return np.full(replicates.shape[1], np.nan)
    return np.asarray(complete.std(axis=0, ddof=1), float)


def _less_optimism(replicates: Array, n: int, p: int) -> Array:
    """Return the replicates with R2 adjusted twice: for the sample's optimism and their own.

    R2 adds up the optimism of p drivers, which makes percentiles miss; of one importance it is
    small beside its standard error and there the skewness of the percentiles makes up for it. The
    R2 of one driver is such an importance, and has its interval.
    """
    if p == 1:
        return replicates
    adjusted = replicates.copy()
    adjusted[:, -1] = np.maximum(1 - (1 - replicates[:, -1]) * ((n - 1) / (n - p - 1)) ** 2, 0)
    return adjusted


def _measure(method: str, orders: Orders | None) -> Measure:
    return MEASURES[method] if orders is None else orders.shapley


def _with_shares(measure: Measure, method: str, corr: Array) -> Array:
    """Return importances, their shares and R2 (..., 2 p + 1)."""
    importance = measure(corr)
    sizes = np.abs(importance) if method == "regression" else importance
    total = sizes.sum(axis=-1, keepdims=True)
    r2 = importance_measures.full_r2(corr)[..., None] if method == "regression" else total
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([importance, sizes / total, r2], axis=-1)


def _replicates(
    sample: Sample, method: str, orders: Orders | None, n_resamples: int, seed: Any
) -> Array:
    """Return importances, shares and R2 of all bootstrap replicates (B, 2 p + 1)."""
    assert sample.z is not None
    p = len(sample.drivers)
    drawn = bootstrap_moments(sample.z, n_resamples, seed).cov
    varies = np.diagonal(drawn, axis1=1, axis2=2).min(axis=1) > STILL
    corr = correlations(np.where(varies[:, None, None], drawn, np.eye(p + 1)))
    few = None if orders is None else orders.first(FEW)
    measure = _measure(method, few)
    exact = method == "shapley" and few is None
    step = max(1, HELD // (8 * 2**p)) if exact else max(1, HELD // (8 * (p + 1) ** 2))
    statistics = np.concatenate(
        [
            _with_shares(measure, method, corr[start:stop])
            for start, stop in tracked(n_resamples, step)
        ]
    )
    if orders is not None:
        # Few orders shift every replicate alike; what all orders say of the sample removes that.
        statistics += _with_shares(orders.shapley, method, sample.corr) - _with_shares(
            measure, method, sample.corr
        )
    return np.where(varies[:, None], statistics, np.nan)


def _forms(
    sample: Sample, method: str, orders: Orders | None
) -> influence_functions.QuadraticForms | None:
    """Return the forms of a measure of shares of R2; a beta has its t test instead."""
    if method == "regression":
        return None
    if orders is not None:
        return orders.forms(sample.corr, sample.n)
    return FORMS[method](sample.corr, sample.n)


def _normal_theory(
    sample: Sample,
    method: str,
    forms: influence_functions.QuadraticForms | None,
    statistics: Array,
    level: float,
) -> tuple[Array, Array, Array]:
    """Return intervals and standard errors of importances, shares and R2 from a matrix alone."""
    p, corr = len(sample.drivers), sample.corr
    if forms is not None:
        total = forms.influence.sum(axis=0)
        shares = (forms.influence - statistics[p : 2 * p, None, None] * total) / statistics[-1]
        influence = np.concatenate([forms.influence, shares, total[None]])
    else:

        def of_betas(batch: Array) -> Array:
            return _with_shares(importance_measures.betas, method, batch)

        influence = influence_functions.numeric_influence(of_betas, corr)
    se = normal_se(influence, corr, sample.n)
    wide = reach(level, sample.n, p)
    centre = statistics.copy()
    adjusted = 1 - (1 - statistics[-1]) * (sample.n - 1) / (sample.n - p - 1)
    if p > 1 and adjusted > 0:
        centre[-1] = adjusted
    low, high = logit_interval(centre, se, wide)
    if adjusted <= 0:
        low[-1] = 0.0
    if forms is None:
        low[:p], high[:p] = statistics[:p] - wide * se[:p], statistics[:p] + wide * se[:p]
    return low, high, se


def reach(level: float, n: int, p: int) -> float:
    """Return how many standard errors an interval reaches to either side.

    ``t_(1 + level)/2, df * sqrt(n / df)`` with ``df = n - p - 1``: resamples vary too little by
    about ``sqrt(df / n)``, and their spread is itself an estimate (Hesterberg 2015).

    Examples
    --------
    >>> round(reach(0.95, 200, 5), 3)
    2.003
    """
    from scipy import stats

    df = n - p - 1
    return float(stats.t.ppf((1 + level) / 2, df) * np.sqrt(n / df))


def expanded_percentile(replicates: Array, level: float, n: int, p: int) -> tuple[Array, Array]:
    """Return bootstrap percentile intervals (k,), (k,), expanded for n cases and p drivers.

    The quantiles taken are ``Phi(-reach)`` and ``Phi(reach)``; replicates with NaN are left out.

    References
    ----------
    Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician
    69(4), 371-386.
    """
    from scipy.special import ndtr

    low, high = percentile_limits(complete_rows(replicates), 1 - 2 * ndtr(-reach(level, n, p)))
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


def beta_p_values(beta: Array, se: Array, n: int, p: int) -> Array:
    """Return the p values (p,) of coefficients from the standard errors of their intervals.

    ``t = beta / (se sqrt(n / df))`` on ``df = n - p - 1`` degrees of freedom: the test whose 5 %
    limit is where an interval that reaches `reach` standard errors ends.

    Examples
    --------
    >>> limit = np.array([reach(0.95, 200, 5)])
    >>> beta_p_values(limit, np.ones(1), 200, 5).round(3).item()
    0.05
    """
    from scipy import stats

    df = n - p - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(beta) / (se * np.sqrt(n / df))
    return np.asarray(2 * stats.t.sf(t, df), float)


def noise_p_values(estimate: Array, draws: Array) -> Array:
    """Return how often pure noise is at least as important (p,), counting the estimate itself."""
    above = len(draws) - np.searchsorted(np.sort(draws), estimate)
    p: Array = (1 + above) / (1 + len(draws))
    return p
