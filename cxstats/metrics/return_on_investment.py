"""Return on a cost, with a bootstrap or a delta interval.

References
----------
Cochran (1977). Sampling techniques, 3rd ed., ch. 6: the error of a ratio.
Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
"""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import both
from cxstats.core.moments import check_resamples
from cxstats.metrics.answers import check_kind, one_column
from cxstats.metrics.group_sums import Sums
from cxstats.metrics.means import N_RESAMPLES, SEED, ratio_bootstrap
from cxstats.metrics.result import LEVEL, Metric, Options, build
from cxstats.stats.intervals import check_interval, t_interval
from cxstats.stats.sampling_design import Design, SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def roi(
    gain: Any,
    cost: Any,
    *,
    cluster: Any = None,
    strata: Any = None,
    interval: str = "bca",
    level: float = LEVEL,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Metric:
    """Compute the return on a cost, ``ROI = (gain - cost) / cost``.

    Parameters
    ----------
    gain : column of numbers, or one number
        Gains of a sample of units (customers, projects, branches), or a total.
    cost : column of numbers, or one number
        Costs of the same units, or the total cost, known exactly.
    cluster, strata : column, optional
        Of the units: the customer of several projects, say, and within what clusters were sampled.
        ``"bca"`` resamples whole clusters then and does not go with strata; ``"delta"`` has the
        error of the design, as R's ``svyratio``, and t with clusters less strata.
    interval : {"bca", "delta"}
        With gains of units: bootstrap of the units (none where so many costs are 0 that a resample
        has no costs; the notes say so), or ``se^2 = n / (n - 1) sum((g - R c)^2) /
        sum(c)^2`` with ``R = sum(g) / sum(c)``, and t. Two totals have no interval.

    Raises
    ------
    DataError
        If a number is missing or not finite, a cost is below 0, or costs add up to 0.

    Examples
    --------
    >>> roi([120, 80, 150, 90], [60, 50, 70, 60]).table["estimate"].round(4).tolist()
    [0.8333]
    >>> roi(150_000, 100_000).table["estimate"].tolist()
    [0.5]
    """
    import pandas as pd

    check_interval(interval, ("bca", "delta"))
    check_resamples(n_resamples, seed)
    g, c = _amounts(gain, "gain"), _amounts(cost, "cost")
    if (c < 0).any() or c.sum() <= 0:
        raise DataError(f"costs add up to {c.sum():g}, the least is {c.min():g}; allowed: above 0")
    n = len(g)
    if len(c) not in (1, n):
        raise DataError(f"{n} gains and {len(c)} costs; allowed: one cost per gain, or their total")
    total_cost = len(c) == 1 and n > 1
    c = np.full(n, c[0] / n) if total_cost else c
    ratio = g.sum() / c.sum()
    # With a total that is known only the gains vary, and their sum does not depend on its share.
    even = np.full(n, c.sum() / n)
    residual = g - g.mean() if total_cost else g - ratio * c
    low = high = se = np.nan
    rows = _design(n, cluster, strata, interval)
    if n > 1 and np.ptp(residual) > 0:
        se = float(np.sqrt(rows.covariance(residual[:, None])[0, 0]) / c.sum())
        if interval == "bca":
            costs = even if total_cost else c
            gains, spent = (np.bincount(rows.cluster, x).astype(float) for x in (g, costs))
            low, high = ratio_bootstrap(gains, spent, level, n_resamples, seed)
        else:
            low, high = (float(x[0]) for x in t_interval(
                np.array([ratio]), np.array([se]), np.array([float(rows.df)]), level))  # fmt: skip
    sums = Sums.of_counts(pd.DataFrame(index=range(1)), np.array([n]), 0.0, 0.0)
    columns: dict[str, Any] = {"estimate": [ratio - 1], "se": [se]}
    columns |= {"ci_low": [low - 1], "ci_high": [high - 1]}
    columns |= {"gain": [g.sum()], "cost": [c.sum()]}
    notes = [] if n > 1 else [both("metric.note.totals")]
    if cluster is not None or strata is not None:
        notes += rows.notes()
    drawn = interval == "bca" and n > 1
    if drawn and se > 0 and np.isnan(low):
        notes.append(both("metric.note.no_costs"))
    return build(
        sums, columns, Options(interval, level), name="roi", unit="ratio", counted=True,
        n_resamples=n_resamples if drawn else None, seed=seed if drawn else None, notes=notes,
    )  # fmt: skip


def _design(n: int, cluster: Any, strata: Any, interval: str) -> SampledRows:
    """Return the design of n units; each its own cluster without one."""
    import pandas as pd

    if strata is not None and interval == "bca":
        raise CxError("interval='bca' does not keep to strata; with strata= allowed: 'delta'")
    columns: dict[str, Any] = {}
    for name, values in (("cluster", cluster), ("strata", strata)):
        column = None if values is None else one_column(values)
        if values is None:
            continue
        if column is None or len(column) != n:
            raise DataError(f"{name!r} is not one column of {n} units, as the gains are")
        columns[name] = column.reset_index(drop=True)
    if columns:
        return Design(**{name: name for name in columns}).read(pd.DataFrame(columns))
    rows = np.arange(n)
    return SampledRows(np.ones(n), rows, np.zeros(n, np.intp), Design())


def _amounts(values: Any, name: str) -> Array:
    import pandas as pd

    from cxstats.survey.answers import numbers

    series = one_column([values] if isinstance(values, Number) or values is None else values)
    if series is None:
        raise DataError(f"{name!r} has several columns; allowed: one column, or one number")
    check_kind(series, name)
    column: Array = numbers(pd.DataFrame({name: series}), name)
    missing = np.flatnonzero(np.isnan(column))
    if len(column) == 0 or len(missing):
        where = f"row {missing[0]}" if len(missing) else "no row"
        raise DataError(f"{where}, column {name!r}: missing; a return needs every amount")
    return column
