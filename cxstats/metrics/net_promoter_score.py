"""Net promoter score from answers or from counts.

References
----------
Reichheld (2003). The one number you need to grow. Harvard Business Review 81(12), 46-54.
Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70(4),
365-372.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.metrics.answers import Sampling, read_answers
from cxstats.metrics.counts import read_counts
from cxstats.metrics.group_sums import Domain, Sums, Value, add_up
from cxstats.metrics.nps_bands import Bands, find_bands
from cxstats.metrics.nps_intervals import ENOUGH as SMALL
from cxstats.metrics.nps_intervals import NPS_INTERVALS, nps_interval
from cxstats.metrics.result import LEVEL, Metric, Options, build
from cxstats.stats.intervals import check_interval
from cxstats.stats.sampling_design import Design
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    from numpy.typing import NDArray

DOUBTFUL = ("adjusted_wald", "wald", "score")  # cover much less than they say in small samples
DUST = 1e-12  # a share below is a sum of weights that should be 0
ENOUGH = 30  # answers from which an unused part of the scale says something about the question


@by_codebook(question="nps")
def nps(  # noqa: PLR0913  (keywords of a public function)
    scores: Any,
    by: Any = None,
    *,
    column: str | None = None,
    weights: Any = None,
    cluster: Any = None,
    strata: Any = None,
    design: Design | None = None,
    scale: tuple[int, int] | None = None,
    bands: str | Bands = "standard",
    interval: str = "auto",
    level: float = LEVEL,
    min_cell: int | None = None,
    codebook: Any = None,
) -> Metric:
    """Compute the net promoter score, ``NPS = 100 (p - d)``, from answers.

    The share of promoters (9-10) less that of detractors (0-6), with
    ``se = 100 sqrt((p + d - (p - d)^2) / n)``.

    Parameters
    ----------
    scores : one column of answers, or a table
        A list, array or Series; or pandas, Polars (eager or lazy, such as a scan of Parquet),
        PyArrow, a DuckDB relation, with `column`. The table's own engine adds up, in one pass.
    by : column(s) of groups
        Names with a table; a list, array or Series with one column of answers.
    column : str, optional
        The column of answers in a table.
    weights : str or column of numbers, optional
        Weights of respondents: shares are weighted and errors linearised,
        ``se^2 = sum(w^2 (v - m)^2) / sum(w)^2``, without a factor n / (n - 1), so that equal
        weights change nothing (R's survey has the factor). Intervals rest on ``variance / se^2``
        answers, or on Kish's effective sample where that is smaller.
    cluster : str or column, optional
        What was sampled first, such as the customer of several visits: answers of one cluster may
        depend on each other in any way. Errors are those of R's survey package, their degrees of
        freedom clusters less strata (those with answers in the group), and intervals rest on
        ``variance / se^2 (t(n - 1) / t(df))^2`` answers (Korn & Graubard 1998), which a note
        doubts below 10 clusters. Groups are parts of the sample: clusters without an answer in
        one still count, and groups that share clusters depend on each other in `Metric.compare`
        and `cxstats.track`.
    strata : str or column, optional
        Within which clusters (or respondents) were sampled.
    design : Design, optional
        `cxstats.Design` with the names of these columns of a table, in place of the three.
    scale : tuple, optional
        Lowest and highest point, to be sure that they are those of the bands.
    bands : str or Bands
        ``"standard"`` (0-10); others only when named: ``"ten_point"``, ``"seven_point"``,
        ``"five_point"``, or `cxstats.metrics.Bands` of your own.
    interval : {"auto", "adjusted_wald", "bonett_price", "wald", "score"}
        See `cxstats.metrics.nps_interval`: ``"auto"`` covers at least 93 % at 95 %, whatever the
        shares and the number of answers; too much while fewer than some 8 answers lie outside the
        largest band.
    level : float
    min_cell : int, optional
        Groups of fewer answers get no estimate, which the notes say.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, scale, names and order of groups, and its
        sampling design unless one is named here (``weights=None`` names none); `column` may be the
        name of a question, or be left out where there is one of kind "nps".

    Returns
    -------
    Metric

    Raises
    ------
    DataError
        Naming row, column and value of an answer that is off the scale, between two points or no
        number, or of a weight below 0 or missing; or if there are no answers.
    CxError
        If an option is wrong.

    Notes
    -----
    Missing answers are left out and counted (``n_missing``). Rows are taken as independent without
    `cluster`: with several rows per customer intervals are too narrow by far (they cover 55, 71 and
    85 % where 10, 20 and 50 customers gave 20, 10 and 4 answers with an intraclass correlation of
    .36). Without a design the standard error has divisor n; a design has the factor
    ``C / (C - 1)`` of its C clusters. In a DuckDB relation rows have no order: the
    message on a wrong answer names its groups and value only.

    Examples
    --------
    >>> result = nps([10, 9, 9, 8, 7, 3, 10, 6, None])
    >>> result.table[["estimate", "n", "promoters", "detractors", "n_missing"]].iloc[0].tolist()
    [25.0, 8.0, 4.0, 2.0, 1.0]
    """
    cuts = find_bands(bands, scale)
    check_interval(interval, NPS_INTERVALS)
    options = Options(interval, level, min_cell)
    sampling = Sampling.of(design, weights, cluster, strata)
    answers = read_answers(scores, column, by, sampling, codebook=codebook)
    low, high = cuts.scale

    value = Value(plus=lambda x: x >= cuts.promoters, minus=lambda x: x <= cuts.detractors)
    sums = add_up(answers, Domain(low, high, integer=True), value)
    notes = _doubts(sums, cuts)
    return _result(sums, options, cuts.name, notes, synthetic=answers.synthetic)


def nps_from_counts(
    promoters: Any,
    passives: Any,
    detractors: Any,
    *,
    by: Any = None,
    interval: str = "auto",
    level: float = LEVEL,
    min_cell: int | None = None,
) -> Metric:
    """Compute the net promoter score from counts, ``NPS = 100 (promoters - detractors) / n``.

    Parameters
    ----------
    promoters, passives, detractors : int, or one per group
        Counts of answers; lists, arrays, Series (whose index names the groups) or mappings.
    by : column of group names, or mapping of names to columns, optional
    interval, level, min_cell
        As in `nps`.

    Raises
    ------
    DataError
        Naming the count that is negative, missing or no whole number; or if there are no answers.

    Examples
    --------
    >>> result = nps_from_counts(promoters=162, passives=108, detractors=54)
    >>> result.table[["estimate", "se", "ci_low", "ci_high"]].iloc[0].round(2).tolist()
    [33.33, 4.14, 24.95, 41.11]
    """
    check_interval(interval, NPS_INTERVALS)
    options = Options(interval, level, min_cell)
    groups = {"promoters": promoters, "passives": passives, "detractors": detractors}
    counts = read_counts(groups, by)
    p, passive, d = (counts.values[name] for name in groups)
    if not (p + passive + d).sum():
        raise DataError("no answers: promoters, passives and detractors are all 0")
    sums = Sums.of_counts(counts.groups, p + passive + d, p - d, p + d)
    return _result(sums, options, "", (), counted=True)


def _result(
    sums: Sums,
    options: Options,
    kind: str,
    notes: tuple[Text, ...],
    *,
    counted: bool = False,
    synthetic: bool = False,
) -> Metric:
    with np.errstate(invalid="ignore", divide="ignore"):
        p, d = _share((sums.wvv + sums.wv) / 2, sums.w), _share((sums.wvv - sums.wv) / 2, sums.w)
        passive = _share(sums.w - sums.wvv, sums.w)
    size = sums.interval_size(options.level)
    small = int((size < SMALL).sum())
    if options.interval == "auto" and not small:
        options = replace(options, interval="adjusted_wald")
    elif small and options.interval in DOUBTFUL:
        notes = (*notes, both("metric.note.nps_small", count=small, least=SMALL))
    low, high = nps_interval(p, d, size, options.interval, options.level)

    def count(values: Any) -> NDArray[np.int64]:
        return np.asarray(np.rint(values), np.int64)

    estimate = 100 * sums.mean()
    columns = {
        "estimate": estimate,
        "se": 100 * np.sqrt(sums.error_variance()),
        "ci_low": np.minimum(100 * low, estimate),  # equal but for rounding
        "ci_high": np.maximum(100 * high, estimate),
        "promoters": count((sums.vv + sums.v) / 2),
        "passives": count(sums.n - sums.vv),
        "detractors": count((sums.vv - sums.v) / 2),
        "promoter_share": p,
        "passive_share": passive,
        "detractor_share": d,
    }
    return build(
        sums, columns, options, name="nps", unit="nps", kind=kind, counted=counted,
        synthetic=synthetic, notes=notes, scale=100.0,
    )  # fmt: skip


def _share(weight: Any, total: Any) -> Any:
    """Return a share of the weights, without the dust that sums of weights leave at 0 and 1."""
    share = np.clip(weight / total, 0, 1)
    return np.where(share < DUST, 0.0, share)


def _doubts(sums: Sums, bands: Bands) -> tuple[Text, ...]:
    """Return a note if the answers use a part of the scale that another question would have."""
    low, high = bands.scale
    used = {"low": format_number(sums.low), "high": format_number(sums.high)}
    if sums.n.sum() >= ENOUGH and sums.high < bands.promoters and sums.low > low:
        return (both("metric.note.scale", top=high, bottom=low, **used),)
    return ()
