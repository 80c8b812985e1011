"""A/B tests of a fixed horizon: the metrics of `cxstats.metrics`, compared with a control.

References
----------
Newcombe (1998). Interval estimation for the difference between independent proportions.
Statistics in Medicine 17, 873-890.
Kohavi, Tang & Xu (2020). Trustworthy online controlled experiments. Cambridge University Press.
Hoenig & Heisey (2001). The abuse of power. The American Statistician 55, 19-24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, p_text
from cxstats.core.language import Text, both
from cxstats.core.messages import meant
from cxstats.experiments.lift import lift_interval
from cxstats.experiments.result import AbTest, size_notes
from cxstats.experiments.sample_ratio_mismatch import RULE, SampleRatio, Shares, sample_ratio
from cxstats.metrics.answers import Sampling
from cxstats.metrics.cluster_sums import ClusterSums
from cxstats.metrics.comparison import wald
from cxstats.metrics.means import N_RESAMPLES, SEED, mean, mean_from_summary
from cxstats.metrics.net_promoter_score import nps, nps_from_counts
from cxstats.metrics.rates import rate
from cxstats.metrics.result import LEVEL, Metric
from cxstats.stats.sampling_design import Design
from cxstats.survey.coding import by_codebook

# What the numbers of a group are, in the door of counts.
COUNTS = {
    "proportion": ("events", "n"),
    "mean": ("mean", "sd", "n"),
    "nps": ("promoters", "passives", "detractors"),
}


@by_codebook()
def ab_test(  # noqa: PLR0913  (keywords of a public function)
    frame: Any,
    *,
    outcome: str,
    group: str,
    control: Any,
    metric: str = "proportion",
    name: str | None = None,
    cluster: str | None = None,
    strata: str | None = None,
    weights: str | None = None,
    design: Design | None = None,
    shares: Shares = "equal",
    level: float = LEVEL,
    interval: str | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    blank: str = "missing",
    codebook: Any = None,
) -> AbTest:
    """Compare the variants of an experiment with its control, after a horizon fixed beforehand.

    Differences: proportions by Newcombe's interval and the pooled z test (Fisher's exact test for
    fewer than 5 expected events); means by Welch's; NPS by z with both groups' variances. The
    relative lift has `cxstats.experiments.lift_interval`. The sizes of the groups are checked
    against the planned shares first (`cxstats.sample_ratio`).

    Parameters
    ----------
    frame : table
        One row per unit that was assigned at random (a visitor, a customer), or several with
        `cluster`: pandas, Polars, DuckDB relation, PyArrow.
    outcome : str
        Column of outcomes: 0 and 1 (or false and true), numbers, or answers from 0 to 10.
    group : str
        Column of the variants.
    control : value of `group`
    metric : {"proportion", "mean", "nps"}
    name : str, optional
        What is measured, such as "conversion_rate"; names of `cxstats.metrics.RATES` are written in
        both languages.
    cluster : str, optional
        Column of the unit that was assigned at random, where it has several rows: the user of
        sessions or impressions. Tests are t with the covariance of the design then
        (`cxstats.Metric.compare`), and the check of sizes counts these units.
    strata, weights, design
        As in `cxstats.nps`.
    shares : "equal", mapping of variant to share, or None
        Planned shares of the groups; None leaves the check out.
    level : float
    interval : str, optional
        Of each variant, on which that of the difference rests: as in `cxstats.rate`, `cxstats.mean`
        or `cxstats.nps`, such as "bca" for a mean of skewed amounts; without it their default.
    n_resamples, seed : int
        Of the bootstrap.
    blank : {"missing", "no"}
        What a blank outcome of a proportion is, as in `cxstats.rate`.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups, and its sampling
        design unless one is named here (``weights=None`` names none).

    Returns
    -------
    AbTest

    Raises
    ------
    DataError
        If a column is not there, there is one group only, no such control, a group without answers,
        or an outcome that is not allowed; naming column, row and value.
    CxError
        If an option is wrong.

    Notes
    -----
    P values of several variants are adjusted after Holm; intervals are not. The p value holds once:
    looking at it repeatedly until it is small does not (`cxstats.sequential_plan`,
    `cxstats.always_valid`). Rows are taken as independent without `cluster`: with several rows per
    person name the column of persons, or give one row per person, which is a different question
    where some come more often than others (the mean of persons, not of visits).

    The clustered error of a difference is that of the regression on a dummy of the group with
    ``cov_type="cluster"`` in statsmodels but for one factor: both have ``C / (C - 1)`` of C
    clusters, and statsmodels also ``(n - 1) / (n - 2)`` of n rows in the variance. Few clusters in
    a group (below 10) have a note.

    There is no observed power. It is a function of the p value alone (p = .05 is 50 %), so it says
    nothing that the interval does not say better; power belongs to a plan (`cxstats.sample_size`).

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"shown": ["old"] * 400 + ["new"] * 400,
    ...                       "bought": [1] * 40 + [0] * 360 + [1] * 64 + [0] * 336})
    >>> test = ab_test(frame, outcome="bought", group="shown", control="old")
    >>> test.table[["estimate", "ci_low", "ci_high", "p_value", "lift"]].round(4).iloc[0].tolist()
    [0.06, 0.0133, 0.1068, 0.0116, 0.6]
    """
    _check_metric(metric)
    sampling = Sampling.of(design, weights, cluster, strata)
    options: dict[str, Any] = {"by": group, "column": outcome, "level": level, **asdict(sampling)}
    if interval is not None:
        options["interval"] = interval
    if blank != "missing" and metric != "proportion":
        raise CxError(f"blank={blank!r} is for metric='proportion'")
    if metric == "nps":
        groups = nps(frame, **options)
    elif metric == "mean":
        options |= {"n_resamples": n_resamples, "seed": seed}
        groups = mean(frame, name=name or "mean", **options)
    else:
        groups = rate(frame, name=name or "rate", blank=blank, **options)
    return _compare(groups, metric, control, shares)


def ab_test_from_counts(
    *,
    metric: str = "proportion",
    name: str | None = None,
    shares: Shares = "equal",
    level: float = LEVEL,
    **groups: Sequence[float],
) -> AbTest:
    """Compare variants with the group named ``control``, from counts.

    Parameters
    ----------
    metric, name, shares, level
        As in `ab_test`.
    **groups : tuple of numbers
        ``control=`` and at least one other: ``(events, n)`` of a proportion, ``(promoters,
        passives, detractors)`` of an NPS, ``(mean, sd, n)`` of a mean.

    Returns
    -------
    AbTest

    Raises
    ------
    DataError
        Naming the group and the count that is negative or no whole number, more events than n, or
        a group without answers.

    Examples
    --------
    >>> test = ab_test_from_counts(control=(83, 1000), treatment=(127, 1000))
    >>> test.table[["estimate", "lift", "lift_low", "lift_high"]].round(3).iloc[0].tolist()
    [0.044, 0.53, 0.178, 0.988]
    """
    _check_metric(metric)
    if "control" not in groups:
        raise DataError("there is no group named control; allowed: control=..., treatment=...")
    numbers = COUNTS[metric]
    for group, counts in groups.items():
        tuple_like = isinstance(counts, Sequence) and not isinstance(counts, str)
        if not tuple_like or len(counts) != len(numbers):
            raise DataError(f"{group}={counts!r}; allowed for {metric!r}: ({', '.join(numbers)})")
    columns: dict[str, Any] = {
        number: [counts[i] for counts in groups.values()] for i, number in enumerate(numbers)
    }
    options: dict[str, Any] = {"by": {"group": list(groups)}, "level": level}
    if metric == "nps":
        by_group = nps_from_counts(**columns, **options)
    elif metric == "mean":
        by_group = mean_from_summary(**columns, name=name or "mean", **options)
    else:
        by_group = rate(columns["events"], columns["n"], name=name or "rate", **options)
    return _compare(by_group, metric, "control", shares)


def _check_metric(metric: str) -> None:
    if metric not in COUNTS:
        raise CxError(f"metric={metric!r}; allowed: {', '.join(map(repr, COUNTS))}")


def _compare(groups: Metric, metric: str, control: Any, shares: Shares) -> AbTest:
    """Compare the groups of a metric with the control, and check their sizes."""
    table = groups.table
    names = list(table[groups.by[0]])
    check_groups(names, groups.by[0], control)
    for name, n in zip(names, table["n"], strict=True):
        if n == 0:
            raise DataError(f"group {name!r} is empty: it has no answers")
    missing = table["n_missing"].to_numpy(int) if "n_missing" in table else 0 * table["n"]
    sizes = (table["n"] + missing).to_numpy(int)
    clusters = groups.clusters
    by_cluster = clusters is not None and clusters.clustered
    if clusters is not None and by_cluster:
        sizes = clusters.assigned()
    assigned = dict(zip(names, sizes.tolist(), strict=True))
    ratio = None if shares is None else sample_ratio(assigned, shares)
    if clusters is not None and by_cluster:
        p_uneven = _uneven_p_of_clusters(clusters)
    else:
        p_uneven = _uneven_p(table["n"].to_numpy(float), np.asarray(missing, float))
    uneven = bool(RULE.band(p_uneven) == 0)
    comparison = groups.compare(control)
    notes = list(groups.notes)
    if clusters is not None and by_cluster:
        notes += _notes_of_clusters(clusters, ratio)
    if uneven:
        notes.append(both("experiment.note.uneven", p=p_text(p_uneven)))
    if groups.unit != "share" and (~(table["se"] > 0)).any():
        notes.append(both("experiment.note.flat"))
    if len(names) > 2:
        notes.append(both("experiment.note.several"))
    return AbTest(
        table=_table(groups, comparison.table, control),
        kind=metric,
        control=control,
        metric=groups,
        comparison=comparison,
        sample_ratio=ratio,
        uneven=uneven,
        level=groups.level,
        n=int(table["n"].sum()),
        synthetic=groups.synthetic,
        notes=(*notes, *comparison.notes, *size_notes(ratio)),
    )


def check_groups(names: Sequence[Any], column: str, control: Any) -> None:
    """Raise if an experiment has one group only, or lacks its control.

    Raises
    ------
    DataError
        Naming the column and the groups.
    """
    listed = ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
    if not any(name == control for name in names):
        near = meant(control, names)
        raise DataError(f"control={control!r} is not a group of {column!r}{near}; groups: {listed}")
    if len(names) < 2:
        raise DataError(f"column {column!r} has one group, {listed}; an experiment has at least 2")


def _uneven_p(n: Any, missing: Any) -> float:
    """Return the p value of the chi-square test that every group misses the same share."""
    from scipy.special import chdtrc

    total, n_missing = n + missing, missing.sum()
    if n_missing == 0:
        return 1.0
    share = n_missing / total.sum()
    statistic = ((missing - total * share) ** 2 / (total * share * (1 - share))).sum()
    return float(chdtrc(len(n) - 1, statistic))


def _uneven_p_of_clusters(clusters: ClusterSums) -> float:
    """Return the p value of Wald's F that every group misses the same share, by the design."""
    from scipy.special import fdtrc

    missing, rows = clusters.total(clusters.rows - clusters.n), clusters.total(clusters.rows)
    if not missing.any():
        return 1.0
    covariance, groups = clusters.covariance_of_missing(), np.arange(clusters.groups)
    k = len(groups) - 1
    df = covariance.df_of_all(groups) - k
    chi_square = wald(covariance.matrix(groups), missing / rows) if df >= 1 else np.nan
    return float(fdtrc(k, df, chi_square / k)) if np.isfinite(chi_square) else 1.0


def _notes_of_clusters(clusters: ClusterSums, ratio: SampleRatio | None) -> list[Text]:
    """Return notes on what the check of sizes counts, and on units in several groups."""
    notes = [] if ratio is None else [both("experiment.note.units")]
    crossed = clusters.in_several()
    if crossed:
        notes.append(both("experiment.note.crossed", count=format_number(crossed)))
    return notes


def _table(groups: Metric, pairs: Any, control: Any) -> Any:
    """Return the comparisons, one row per variant, with the relative lift."""
    names = list(groups.table[groups.by[0]])
    estimates = groups.table[["estimate", "ci_low", "ci_high"]].to_numpy(float)
    limits = estimates[[names.index(group) for group in pairs["group"]]].T
    base = estimates[names.index(control)]
    lift, low, high = lift_interval((limits[0], limits[1], limits[2]), (base[0], base[1], base[2]))
    table = pairs.rename(columns={"group": "variant", "other": "control", "n_other": "n_control"})
    table = table.drop(columns="relative")
    at = table.columns.get_loc("n")
    for i, (name, values) in enumerate((("lift", lift), ("lift_low", low), ("lift_high", high))):
        table.insert(at + i, name, values)
    return table
