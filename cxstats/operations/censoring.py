"""Times of cases some of which have not ended: means and quantiles that allow for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.moments import resampling_counts
from cxstats.operations.estimates import Estimate
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.survival import kaplan_meier_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

METHOD = "Kaplan-Meier, bootstrap"
DRAWS = 20_000_000  # draws (cases times resamples) beyond which there are fewer resamples
FEWEST = 200


def censored_estimates(
    values: Array,
    lead: Array,
    ended: NDArray[np.bool_],
    shares: dict[str, float],
    inference: tuple[float, int, int],
) -> list[dict[str, Estimate]]:
    """Return mean and quantiles of quantities of cases, some of which have not ended.

    Weighted by `kaplan_meier_weights`. The mean is restricted to the longest lead time that was
    seen: what the weights leave over is given to that case. A quantile is NaN where the curve does
    not reach it. Intervals are percentiles of a bootstrap of cases (fewer resamples for very many
    cases).

    Parameters
    ----------
    values : array (cases, k)
        Of an open case: so far.
    lead : array (cases,)
        Lead time; of an open case until the log ends.
    ended : boolean array (cases,)
    shares : dict
        Quantiles by name, such as ``{"median": 0.5}``.
    inference : level, resamples, seed

    Returns
    -------
    list of dict
        For every quantity: "mean" and the names of `shares`.

    Examples
    --------
    >>> lead, ended = np.array([1.0, 2.0, 3.0, 5.0]), np.array([True, False, True, True])
    >>> found = censored_estimates(lead[:, None], lead, ended, {"median": 0.5}, (0.95, 200, 1))
    >>> found[0]["mean"].estimate, found[0]["median"].estimate
    (3.25, 3.0)
    """
    level, n_resamples, seed = inference
    order = np.lexsort((~ended, lead))
    values, ended = values[order], ended[order]
    n = len(lead)
    names = ["mean", *shares]
    points = _statistics(np.ones((1, n)), values, ended, shares)[0]
    n_resamples = min(n_resamples, max(FEWEST, DRAWS // n))
    draws = np.concatenate(
        [
            _statistics(counts, values, ended, shares)
            for _, counts in resampling_counts(n, n_resamples, seed)
        ]
    )
    low, high = percentile_limits(draws, level)
    reached = np.isfinite(draws).all(axis=0)
    spread = np.where(reached, draws, 0)
    se = np.where(reached, spread.std(axis=0, ddof=1), np.nan)
    # A quantile that is not reached lies above all values.
    largest = values.max(axis=0)[:, None] * (1 + 1e-9)
    flat = reached & ~(np.ptp(spread, axis=0) > 0) | ~np.isfinite(points)
    limits = [np.where(a <= largest, a, np.nan) for a in (points, low, high)]
    columns = [limits[0], *(np.where(flat, np.nan, a) for a in (*limits[1:], se))]

    def estimate(k: int, j: int) -> Estimate:
        point, ci_low, ci_high, error = (float(a[k, j]) for a in columns)
        return Estimate(point, ci_low, ci_high, error, n, METHOD, n)

    return [{name: estimate(k, j) for j, name in enumerate(names)} for k in range(values.shape[1])]


def _statistics(
    counts: Array, values: Array, ended: NDArray[np.bool_], shares: dict[str, float]
) -> Array:
    """Return means and quantiles for every replicate, (b, k, statistics); inf: not reached."""
    weights = kaplan_meier_weights(counts, ended)
    last = values[len(ended) - 1 - np.argmax(counts[:, ::-1] > 0, axis=1)]  # (b, k)
    rest = 1 - weights.sum(axis=1)
    columns = [weights @ values + rest[:, None] * last]
    orders = np.argsort(values, axis=0, kind="stable")
    for share in shares.values():
        reached = np.empty_like(last)
        for k, order in enumerate(orders.T):
            total = np.cumsum(weights[:, order], axis=1) >= share - 1e-12
            place = np.argmax(total, axis=1)
            reached[:, k] = np.where(total[:, -1], values[order[place], k], np.inf)
        columns.append(reached)
    return np.stack(columns, axis=2)
