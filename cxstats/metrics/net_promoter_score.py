"""Net promoter score from answers or from counts.

References
----------
Reichheld (2003). The one number you need to grow. Harvard Business Review 81(12), 46-54.
Rocks (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70(4),
365-372.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.metrics.answers import read_answers
from cxstats.metrics.counts import read_counts
from cxstats.metrics.group_sums import Domain, Sums, Value, add_up
from cxstats.metrics.nps_bands import Bands, find_bands
from cxstats.metrics.nps_intervals import NPS_INTERVALS, nps_interval
from cxstats.metrics.result import LEVEL, Metric, Options, build
from cxstats.stats.intervals import check_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

DUST = 1e-12  # a share below is a sum of weights that should be 0
ENOUGH = 30  # answers from which an unused part of the scale says something about the question


def nps(  # noqa: PLR0913  (keywords of a public function)
    scores: Any,
    by: Any = None,
    *,
    column: str | None = None,
    weights: Any = None,
    scale: tuple[int, int] | None = None,
    bands: str | Bands = "standard",
    interval: str = "adjusted_wald",
    level: float = LEVEL,
    min_cell: int | None = None,
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
        Weights of respondents: shares are weighted, errors linearised, intervals rest on the
        effective sample size, ``variance / se^2``.
    scale : tuple, optional
        Lowest and highest point, to be sure that they are those of the bands.
    bands : str or Bands
        ``"standard"`` (0-10); others only when named: ``"ten_point"``, ``"seven_point"``,
        ``"five_point"``, or `cxstats.metrics.Bands` of your own.
    interval : {"adjusted_wald", "wald", "score"}
        See `cxstats.metrics.nps_interval`. The adjusted Wald interval covers too much, never
        too little, while fewer than some 8 answers lie outside the largest band.
    level : float
    min_cell : int, optional
        Groups of fewer answers get no estimate, which the notes say.

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
    Missing answers are left out and counted (``n_missing``). Respondents are taken as independent.
    Without weights the standard error has divisor n. In a DuckDB relation rows have no order: the
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
    answers = read_answers(scores, column, by, weights)
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
    interval: str = "adjusted_wald",
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
    low, high = nps_interval(p, d, sums.effective(), options.interval, options.level)

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
        synthetic=synthetic, notes=notes,
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
