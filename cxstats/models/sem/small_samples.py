"""What small samples do to tests and intervals: when to say so, and intervals that hold better.

The limits are from simulations, `tests/models/sem/test_small_samples.py` and
`tests/models/sem/test_small_samples_robust.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.formats import format_number, p_text
from cxstats.core.language import Text, both
from cxstats.models.sem.fit_indices import cases_needed
from cxstats.stats.intervals import normal_quantile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.sem.result import SemFit

    Array = NDArray[np.float64]

# Cases of a group below which intervals of variances and covariances hold less than 93.5 of 100.
INTERVALS = 200
# The same of tests and intervals that hold without normality.
ROBUST = 400
ORDERED = 500
# Standard error of artanh r above which a correlation is too near 1 for it.
STEEP = 0.5


def small_sample_notes(fit: SemFit) -> Iterator[Text]:
    """Yield what a sample of this size does to the test and to the intervals."""
    size = fit.n / len(fit.sample.groups)
    if fit.estimator == "wlsmv":
        if size < ORDERED:
            yield both("sem.note.small.ordered", enough=ORDERED)
        return
    indices = fit.fit_indices
    df = int(indices["df"])
    needed = ceil(cases_needed(fit, df))
    if fit.estimator != "ml":
        enough = max(ROBUST * len(fit.sample.groups), needed)
        if fit.n < enough:
            p = p_text(indices["p_scaled_bartlett"]) if df else "–"
            yield both("sem.note.small.robust", enough=format_number(enough), p=p)
        return
    if df and fit.n < needed:
        yield both(
            "sem.note.small.test",
            enough=format_number(needed),
            df=df,
            bartlett=format_number(indices["chisq_bartlett"], 2),
            p_bartlett=p_text(indices["p_bartlett"]),
            swain=format_number(indices["chisq_swain"], 2),
            p_swain=p_text(indices["p_swain"]),
        )
    if size < INTERVALS and fit.model.latents:
        yield both("sem.note.small.intervals", enough=INTERVALS)


def transformed_intervals(fit: SemFit) -> pd.DataFrame:
    """Return intervals on other scales; see `SemFit.transformed_intervals`."""
    fit.require_sound("intervals")
    table = fit.table
    reach = normal_quantile(fit.level)
    variance = ((table["op"] == "~~") & (table["lhs"] == table["rhs"])).to_numpy()
    bounded = (table["op"].isin(["=~", "~~"]) & ~variance).to_numpy()
    estimate, se, std, std_se = (
        table[name].to_numpy(float) for name in ("estimate", "se", "std", "std_se")
    )
    low, high = log_limits(estimate, se, reach)
    std_low, std_high = fisher_limits(np.where(bounded, std, np.nan), std_se, reach)
    return table[["lhs", "op", "rhs", "label", "group", "estimate"]].assign(
        ci_low=np.where(variance, low, table["ci_low"]),
        ci_high=np.where(variance, high, table["ci_high"]),
        std=std,
        std_ci_low=std_low,
        std_ci_high=std_high,
    )


def log_limits(variance: Array, se: Array, reach: float) -> tuple[Array, Array]:
    """Return limits that are symmetric for the logarithm; NaN where not positive.

    Examples
    --------
    >>> low, high = log_limits(np.array([1.0]), np.array([0.2]), 1.96)
    >>> low.round(3), high.round(3)
    (array([0.676]), array([1.48]))
    """
    with np.errstate(all="ignore"):
        factor = np.exp(reach * se / variance)
        positive = variance > 0
        return (
            np.where(positive, variance / factor, np.nan),
            np.where(positive, variance * factor, np.nan),
        )


def fisher_limits(r: Array, se: Array, reach: float) -> tuple[Array, Array]:
    """Return limits that are symmetric for ``artanh r``; NaN where r is beyond 1.

    Near 1 the error of ``artanh r`` grows beyond measure, and limits would span all there is: where
    it is above `STEEP` they are ``r +/- z se``, cut at 1.

    Examples
    --------
    >>> low, high = fisher_limits(np.array([0.6]), np.array([0.1]), 1.96)
    >>> low.round(3), high.round(3)
    (array([0.369]), array([0.761]))
    """
    with np.errstate(all="ignore"):
        z, error = np.arctanh(np.clip(r, -1, 1)), se / (1 - r**2)
        low, high = np.tanh(z - reach * error), np.tanh(z + reach * error)
        steep = error > STEEP
        low = np.where(steep, np.maximum(r - reach * se, -1), low)
        high = np.where(steep, np.minimum(r + reach * se, 1), high)
        proper = np.abs(r) < 1
        return np.where(proper, low, np.nan), np.where(proper, high, np.nan)
