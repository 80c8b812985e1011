"""Means by group with t or bootstrap intervals: revenue per user, handling and waiting times.

References
----------
Cochran (1977). Sampling techniques, 3rd ed., section 2.15: when a skewed mean is nearly normal.
Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_number, check_size, fetched
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.moments import check_resamples, resampling_counts
from cxstats.metrics.answers import Answers, Sampling, read_answers
from cxstats.metrics.cluster_sums import ClusterSums
from cxstats.metrics.counts import read_counts
from cxstats.metrics.group_sums import Domain, Sums, Value, add_up
from cxstats.metrics.result import LEVEL, Metric, Options, build
from cxstats.stats.bootstrap import bca
from cxstats.stats.intervals import MEAN_INTERVALS, check_interval, t_interval
from cxstats.stats.sampling_design import Design
from cxstats.survey.coding import by_codebook, notes_of_turning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

N_RESAMPLES, SEED, ROUGH = 5_000, 1, 1_000
FEW_FOR_BCA = 50  # answers; with fewer, 79 to 91 of 100 intervals held the truth
COCHRAN = 25  # a normal interval wants n > 25 skewness^2
FEW = 30  # answers on a scale below which a mean may be far from normal, whatever it shows
MOST = 200_000  # answers of a group that the bootstrap still draws in reasonable time


@by_codebook(question="rating")
def mean(  # noqa: PLR0913  (keywords of a public function)
    values: Any,
    by: Any = None,
    *,
    column: str | None = None,
    weights: Any = None,
    cluster: Any = None,
    strata: Any = None,
    design: Design | None = None,
    name: str = "mean",
    low: float = -np.inf,
    high: float = np.inf,
    interval: str = "t",
    level: float = LEVEL,
    min_cell: int | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    unit: str | None = None,
    codebook: Any = None,
) -> Metric:
    """Compute the mean, ``m = sum(w x) / sum(w)``, with a t or a bootstrap interval.

    ``se = sd / sqrt(n)``; with weights ``se^2 = n / (n - 1) sum(w^2 (x - m)^2) / sum(w)^2``. With
    clusters or strata the error of the design, as R's survey has it, and t with clusters less
    strata.

    Parameters
    ----------
    values, by, column, weights, cluster, strata, design, level, min_cell
        As in `cxstats.nps`, of any numbers.
    name : str
        What is averaged, as it appears in summaries.
    low, high : float
        Which numbers are allowed; without them any finite one.
    interval : {"t", "bca"}
        ``"bca"`` resamples the answers of each group, which leave their engine for that; with
        `cluster` its clusters, each with all of its answers. It does not keep to strata.
    n_resamples, seed : int
        Of the bootstrap.
    unit : {"s", "min", "h", "d"}, optional
        Into which a column of durations is converted; durations without it are refused.
    codebook : Codebook, mapping, path or name, optional
        As in `cxstats.nps`, of kind "rating".

    Notes
    -----
    A group with one answer, or without variation, has no interval. A t interval of a skewed mean
    covers less than it says while ``n < 25 skewness^2`` (Cochran's rule): the notes say so.

    Examples
    --------
    >>> mean([2.0, 4.0, 9.0]).table[["estimate", "se", "ci_low", "ci_high"]].round(3).to_numpy()
    array([[ 5.   ,  2.082, -3.957, 13.957]])
    """
    check_interval(interval, MEAN_INTERVALS)
    options = Options(interval, level, min_cell)
    check_resamples(n_resamples, seed)
    sampling = Sampling.of(design, weights, cluster, strata)
    answers = read_answers(values, column, by, sampling, unit=unit, codebook=codebook)
    notes = notes_of_turning(codebook, column)
    return mean_of(
        answers, Domain(low, high), options, name, "", n_resamples, seed, skew=True, notes=notes
    )


def mean_of(  # noqa: PLR0913  (what its callers are asked for)
    answers: Answers,
    domain: Domain,
    options: Options,
    name: str,
    kind: str,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
    *,
    skew: bool = False,
    notes: list[Text] | None = None,
) -> Metric:
    """Return the mean of answers as a metric; `skew` says that the values have no scale."""
    origin = _origin(answers, domain)

    sums = add_up(answers, domain, Value(number=lambda x: x - origin), cubes=True)
    limits, notes = None, list(notes or [])
    if options.interval == "bca":
        limits = _bootstrap(answers, sums, options.level, n_resamples, seed)
        if n_resamples < ROUGH:
            notes.append(both("metric.note.rough", count=format_number(n_resamples)))
        notes += _notes_of_bca(sums)
    else:
        notes += _of_skewness(sums) if skew else notes_of_few(sums)
    return means_result(
        sums, origin, options, name=name, kind=kind, limits=limits, notes=notes,
        n_resamples=n_resamples, seed=seed, synthetic=answers.synthetic,
    )  # fmt: skip


def _of_skewness(sums: Sums) -> list[Text]:
    """Return a note by Cochran's rule."""
    rough = int((sums.n < COCHRAN * np.nan_to_num(sums.skewness()) ** 2).sum())
    return [both("metric.note.skewed", count=rough)] if rough else []


def _notes_of_bca(sums: Sums) -> list[Text]:
    """Return a note on groups that are too small for BCa intervals."""
    count = int(((sums.n < FEW_FOR_BCA) & (sums.n > 1)).sum())
    return [both("metric.note.few_bca", count=count, least=FEW_FOR_BCA)] if count else []


def notes_of_few(sums: Sums) -> list[Text]:
    """Return a note on means of answers on a scale that are few, or skewed by Cochran's rule.

    A few answers do not show how skewed answers are, so few are doubtful whatever they show.
    """
    rough = (sums.n < FEW) | (sums.n < COCHRAN * np.nan_to_num(sums.skewness()) ** 2)
    count = int((rough & (sums.n > 0)).sum())
    return [both("metric.note.few_answers", count=count, least=FEW)] if count else []


def means_result(  # noqa: PLR0913  (what `build` says of every metric)
    sums: Sums,
    origin: Any,
    options: Options,
    *,
    name: str,
    kind: str = "",
    limits: tuple[Array, Array] | None = None,
    notes: list[Text] | None = None,
    n_resamples: int | None = None,
    seed: int | None = None,
    counted: bool = False,
    synthetic: bool = False,
) -> Metric:
    """Return means as a metric, from sums of distances from `origin`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        unbiased = np.where(sums.n > 1, sums.n / (sums.n - 1), np.nan)
        # The design's variance has the factor of its clusters.
        se = np.sqrt(sums.error_variance() * (1.0 if sums.sampled else unbiased))
        sd = np.sqrt(sums.variance() * unbiased)
    estimate = sums.mean() + origin
    low, high = limits or t_interval(estimate, se, sums.df(), options.level)
    notes = list(notes or [])
    flat = int((~(se > 0) & (sums.n > 0)).sum())
    if flat:
        notes.append(both("metric.note.flat", count=flat))
    drawn = options.interval == "bca"
    return build(
        sums,
        {"estimate": estimate, "se": se, "ci_low": low, "ci_high": high, "sd": sd},
        options,
        name=name,
        unit="mean",
        kind=kind,
        counted=counted,
        synthetic=synthetic,
        n_resamples=n_resamples if drawn else None,
        seed=seed if drawn else None,
        notes=notes,
    )


def _origin(answers: Answers, domain: Domain) -> float:
    """Return a number near the answers: squares of small distances lose no digits."""
    if np.isfinite(domain.low) and np.isfinite(domain.high):
        return (domain.low + domain.high) / 2
    x = as_number(answers.value, answers.table.collect_schema()[answers.value])
    frame = fetched(answers.table.lazy().select(x.mean().alias("origin")))
    value = float(np.asarray(frame["origin"], float)[0])
    return round(value) if np.isfinite(value) else 0.0


def _bootstrap(
    answers: Answers, sums: Sums, level: float, n_resamples: int, seed: int
) -> tuple[Array, Array]:
    """Return BCa limits of each group; group i draws with the seed (seed, i)."""
    if sums.clusters is not None:
        return _bootstrap_of_clusters(answers, sums.clusters, level, n_resamples, seed)
    by = list(answers.by)
    names = [answers.value, *([answers.weight] if answers.weight else [])]
    rows = answers.table.lazy().select(*names, *by)
    check_size(rows.to_native())
    frame = fetched(rows)
    frame = frame[frame[answers.value].notna()]
    indices = frame.groupby(by, observed=True, dropna=True).indices if by else {}
    low, high = np.full(len(sums.n), np.nan), np.full(len(sums.n), np.nan)
    for i, group in enumerate(sums.groups.itertuples(index=False, name=None)):
        rows = indices.get(group if len(by) > 1 else group[0] if by else None, [])
        members = frame.iloc[rows] if by else frame
        if len(members) > MOST:
            raise CxError(
                f"{len(members):,} answers in a group are too many for interval='bca'; with so "
                "many the t interval holds"
            )
        x = members[answers.value].to_numpy(np.float64)
        w = members[answers.weight].to_numpy(np.float64) if answers.weight else np.ones(len(x))
        if len(x) > 1 and np.ptp(x[w > 0]) > 0:
            low[i], high[i] = ratio_bootstrap(x * w, w, level, n_resamples, [seed, i])
    return low, high


def _bootstrap_of_clusters(
    answers: Answers, clusters: ClusterSums, level: float, n_resamples: int, seed: int
) -> tuple[Array, Array]:
    """Return BCa limits of each group, its clusters drawn whole, with all of their answers."""
    if answers.strata is not None:
        raise CxError("interval='bca' does not keep to strata; with strata= allowed: 't'")
    added, weight, group = clusters.of_cluster()
    low, high = np.full(clusters.groups, np.nan), np.full(clusters.groups, np.nan)
    for i in range(clusters.groups):
        members = group == i
        v, w = added[members], weight[members]
        if len(v) > MOST:
            raise CxError(
                f"{len(v):,} clusters in a group are too many for interval='bca'; with so many "
                "the t interval holds"
            )
        if len(v) > 1 and np.ptp(v / w) > 0:
            low[i], high[i] = ratio_bootstrap(v, w, level, n_resamples, [seed, i])
    return low, high


def ratio_bootstrap(
    numerator: Array, denominator: Array, level: float, n_resamples: int, seed: int | list[int]
) -> tuple[float, float]:
    """Return the BCa interval of ``sum(numerator) / sum(denominator)`` over n cases.

    A mean is the ratio to ones, a weighted mean that of ``w x`` to w. The influence of a case is
    ``(numerator - ratio denominator) / sum(denominator)``. NaN if a resample has a denominator of
    0 and a numerator that is not: the ratio has no bound then.
    """
    ratio = numerator.sum() / denominator.sum()
    replicates = np.empty((n_resamples, 1))
    unbounded = False
    for start, counts in resampling_counts(len(numerator), n_resamples, seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = (counts @ numerator) / (counts @ denominator)
        replicates[start : start + len(counts), 0] = ratios
        unbounded |= bool(np.isinf(ratios).any())
    if unbounded:
        return np.nan, np.nan
    influence = ((numerator - ratio * denominator) / denominator.sum())[:, None]
    low, high = bca(replicates, np.array([ratio]), influence, level)
    return float(low[0]), float(high[0])


def mean_from_summary(
    mean: Any,
    sd: Any,
    n: Any,
    *,
    by: Any = None,
    name: str = "mean",
    level: float = LEVEL,
    min_cell: int | None = None,
) -> Metric:
    """Return a mean from its published mean, standard deviation (divisor n - 1) and n.

    A mean without sd and n has no uncertainty, and so there is no door for it.

    Examples
    --------
    >>> found = mean_from_summary(mean=5.0, sd=3.6056, n=3)
    >>> found.table[["estimate", "se", "ci_low"]].round(3).iloc[0].tolist()
    [5.0, 2.082, -3.957]
    """
    published = {"mean": mean, "sd": sd, "n": n}
    counts = read_counts(published, by, amounts={"mean": -np.inf, "sd": 0.0})
    means, sds, sizes = (counts.values[name] for name in published)
    if not sizes.sum():
        raise DataError("no answers: every n is 0")
    sums = Sums.of_counts(counts.groups, sizes, 0.0 * sizes, (sizes - 1) * sds**2)
    options = Options("t", level, min_cell)
    return means_result(sums, means, options, name=name, counted=True)


def arpu(revenue: Any, by: Any = None, **options: Any) -> Metric:
    """Compute the average revenue per user, ``sum(revenue) / users``; one row per user.

    Users without revenue are rows of 0: a missing revenue is left out and counted. Revenue is
    skewed, so look at the notes and take ``interval="bca"`` where they say so. Options are those of
    `mean`. From published figures: `mean_from_summary`.

    Examples
    --------
    >>> arpu([0, 0, 12.5, 40, 7.5]).table[["estimate", "n"]].iloc[0].tolist()
    [12.0, 5.0]
    """
    return mean(revenue, by, name="arpu", **options)


def handling_time(times: Any, by: Any = None, **options: Any) -> Metric:
    """Compute the average handling time (AHT), ``sum(handling time) / contacts handled``.

    Talk, hold and after-call work; not the time a customer waits, which is `waiting_time`. Numbers
    in the unit that they have, or durations with ``unit="min"``. Options are those of `mean`.

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.to_timedelta([180, 240, 300], unit="s")
    >>> handling_time(times, unit="min").table["estimate"].tolist()
    [4.0]
    """
    return mean(times, by, name="handling_time", low=0.0, **options)


def waiting_time(times: Any, by: Any = None, **options: Any) -> Metric:
    """Compute the average wait before an answer (ASA), ``sum(wait) / contacts answered``.

    Not the time that handling takes, which is `handling_time`. Numbers in the unit that they have,
    or durations with ``unit="min"``. Options are those of `mean`.
    """
    return mean(times, by, name="waiting_time", low=0.0, **options)
