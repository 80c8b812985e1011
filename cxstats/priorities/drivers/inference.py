"""Importances of one sample: estimates, bootstrap replicates, intervals, ranks."""

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
from cxstats.priorities.drivers.intervals import (
    beta_p_values,
    expanded_percentile,
    logit_interval,
    noise_p_values,
    normal_se,
    reach,
)
from cxstats.priorities.drivers.sample import Sample
from cxstats.priorities.drivers.shapley_sampling import FEW, PAIRS, Orders

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Measure = Callable[[Array], Array]

EXACT = 20  # drivers up to which all subsets are taken
HELD = 4_000_000  # numbers held at once by a chunk of replicates
# A replicate's variance below this part of the sample's is rounding: it drew one value only.
STILL = 1e-12
NEARLY = 1e-6  # tolerance of a driver that a message names as determined by others


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Importances of p drivers with what their uncertainty is judged by.

    Attributes
    ----------
    importance, share : arrays (p,)
        Shapley values, relative weights or betas; their parts of the sum (of absolute betas).
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
        p = len(self.importance)
        kept = np.abs(self.replicates[~np.isnan(self.replicates).any(axis=1), :p])
        return np.asarray(1 + np.argsort(np.argsort(-kept, axis=1, kind="stable"), axis=1), float)


def estimates(
    sample: Sample, method: str, level: float, n_resamples: int, seed: int, stream: int | None
) -> Estimates:
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
    _refuse_singular(sample, method)
    orders = Orders.draw(p, PAIRS, seed) if method == "shapley" and p > EXACT else None
    with quiet_linear_algebra():
        measure = _measure(method, orders)
        point = _with_shares(measure, method, sample.corr)
        found = importance_measures.regression(sample.corr, n)
        own_forms = _forms(sample, method, orders)
        draws = None
        if own_forms is not None:
            draws = influence_functions.noise_draws(own_forms.noise, sample.corr, n, seed)
        replicates = None
        if sample.matrix is not None:
            own: Any = seed if stream is None else [seed, stream]
            replicates = _replicates(sample, method, orders, n_resamples, own)
            low, high = expanded_percentile(_less_optimism(replicates, n, p), level, n, p)
            se = spread(replicates)
        else:
            low, high, se = _normal_theory(sample, method, own_forms, point, level)
    if draws is None:
        p_value = beta_p_values(point[:p], se[:p], n, p)
    else:
        p_value = noise_p_values(point[:p], draws)
        # Nothing here that noise could not bring forth: zero importance cannot be excluded.
        low[:p][p_value >= 1 - level] = 0.0
    # No percentile of a share is 0; it is when the importance can be.
    unsettled = (low[:p] <= 0) & (high[:p] >= 0)
    low[p : 2 * p][unsettled] = 0.0
    if p == 1 and unsettled[0]:  # the one importance is R2
        low[-1] = 0.0
    return Estimates(
        importance=point[:p], share=point[p : 2 * p], r_squared=float(point[-1]),
        low=low, high=high, se=se, p_value=p_value, replicates=replicates,
        sampling_se=None if orders is None else orders.errors(sample.corr),
        noise=float("nan") if draws is None else float(np.quantile(draws, level)),
        regression=found,
    )  # fmt: skip


def _refuse_singular(sample: Sample, method: str) -> None:
    if method == "regression" and np.isnan(importance_measures.betas(sample.corr)).any():
        left = importance_measures.tolerances(sample.corr)
        names = [name for name, one in zip(sample.drivers, left, strict=True) if one < NEARLY]
        raise CxError(
            f"{sample.where}drivers determine each other, so betas do not exist: "
            f"{', '.join(names)}; leave one out or take method='shapley'"
        )


def spread(replicates: Array) -> Array:
    """Return the standard deviations (k,) of the replicates that exist; NaN of fewer than two."""
    kept = replicates[~np.isnan(replicates).any(axis=1)]
    if len(kept) < 2:
        return np.full(replicates.shape[1], np.nan)
    return np.asarray(kept.std(axis=0, ddof=1), float)


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
    if orders is not None:
        return orders.shapley
    return {
        "shapley": importance_measures.shapley,
        "johnson": importance_measures.johnson,
        "regression": importance_measures.betas,
    }[method]


def _with_shares(measure: Measure, method: str, corr: Array) -> Array:
    """Return importances, their shares and R2 (..., 2 p + 1)."""
    found = measure(corr)
    parts = np.abs(found) if method == "regression" else found
    total = parts.sum(axis=-1, keepdims=True)
    r2 = importance_measures.full_r2(corr)[..., None] if method == "regression" else total
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([found, parts / total, r2], axis=-1)


def _replicates(
    sample: Sample, method: str, orders: Orders | None, n_resamples: int, seed: Any
) -> Array:
    """Return importances, shares and R2 of all bootstrap replicates (B, 2 p + 1)."""
    assert sample.z is not None
    p = len(sample.drivers)
    drawn = bootstrap_moments(sample.z, n_resamples, seed).cov
    sound = np.diagonal(drawn, axis1=1, axis2=2).min(axis=1) > STILL
    corr = correlations(np.where(sound[:, None, None], drawn, np.eye(p + 1)))
    few = None if orders is None else orders.first(FEW)
    measure = _measure(method, few)
    exact = method == "shapley" and few is None
    step = max(1, HELD // (8 * 2**p)) if exact else max(1, HELD // (8 * (p + 1) ** 2))
    parts = [
        _with_shares(measure, method, corr[start:stop])
        for start, stop in tracked(n_resamples, step)
    ]
    found = np.concatenate(parts)
    if orders is not None:
        # Few orders shift every replicate alike; what all orders say of the sample removes that.
        found += _with_shares(orders.shapley, method, sample.corr) - _with_shares(
            measure, method, sample.corr
        )
    return np.where(sound[:, None], found, np.nan)


def _forms(sample: Sample, method: str, orders: Orders | None) -> influence_functions.Forms | None:
    """Return the forms of a measure of parts of R2; a beta has its t test instead."""
    if method == "regression":
        return None
    if orders is not None:
        return orders.forms(sample.corr, sample.n)
    return (
        influence_functions.johnson_forms
        if method == "johnson"
        else influence_functions.shapley_forms
    )(sample.corr, sample.n)


def _normal_theory(
    sample: Sample, method: str, own: influence_functions.Forms | None, point: Array, level: float
) -> tuple[Array, Array, Array]:
    """Return intervals and standard errors of importances, shares and R2 from a matrix alone."""
    p, corr = len(sample.drivers), sample.corr
    if own is not None:
        total = own.influence.sum(axis=0)
        shares = (own.influence - point[p : 2 * p, None, None] * total) / point[-1]
        every = np.concatenate([own.influence, shares, total[None]])
    else:

        def statistics(batch: Array) -> Array:
            return _with_shares(importance_measures.betas, method, batch)

        every = influence_functions.numeric_influence(statistics, corr)
    se = normal_se(every, corr, sample.n)
    wide = reach(level, sample.n, p)
    centre = point.copy()
    adjusted = 1 - (1 - point[-1]) * (sample.n - 1) / (sample.n - p - 1)
    if p > 1 and adjusted > 0:
        centre[-1] = adjusted
    low, high = logit_interval(centre, se, wide)
    if adjusted <= 0:
        low[-1] = 0.0
    if own is None:
        low[:p], high[:p] = point[:p] - wide * se[:p], point[:p] + wide * se[:p]
    return low, high, se
