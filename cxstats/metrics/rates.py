"""Rates: events over trials, with what each named rate counts written down as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.metrics.answers import Sampling, read_answers
from cxstats.metrics.counts import read_counts
from cxstats.metrics.group_sums import Domain, Sums, Value, add_up
from cxstats.metrics.result import LEVEL, Metric, Options, build
from cxstats.stats.intervals import PROPORTION_INTERVALS, check_interval, proportion_interval
from cxstats.stats.sampling_design import Design
from cxstats.survey.coding import by_codebook


@dataclass(frozen=True, slots=True)
class Rate:
    """What a named rate counts.

    Attributes
    ----------
    events, trials : str
        Numerator and denominator.
    note : str
        Key of a caution that the result carries; empty without one.
    """

    events: str
    trials: str
    note: str = ""


RATES = {
    "churn_rate": Rate("customers lost in the period", "customers at its start"),
    "retention_rate": Rate("customers at the start who are still there", "customers at the start"),
    "repurchase_rate": Rate("customers who bought again in the period", "customers"),
    "participation_rate": Rate("people who took part", "people who could"),
    "resolution_rate": Rate("contacts solved at the first", "contacts", "metric.note.contacts"),
    "conversion_rate": Rate("visitors or clickers who bought", "visitors or clickers"),
    "click_through_rate": Rate("clicks", "impressions", "metric.note.impressions"),
    "word_of_mouth_rate": Rate(
        "new customers who were referred", "new customers", "metric.note.reconstructed"
    ),
}


DEPENDENT = ("resolution_rate", "click_through_rate")  # noted, unless their clusters are given


@by_codebook(question="rating")
def rate(  # noqa: PLR0913  (keywords of a public function)
    events: Any,
    trials: Any = None,
    by: Any = None,
    *,
    name: str = "rate",
    column: str | None = None,
    weights: Any = None,
    cluster: Any = None,
    strata: Any = None,
    design: Design | None = None,
    interval: str = "wilson",
    level: float = LEVEL,
    min_cell: int | None = None,
    blank: str = "missing",
    codebook: Any = None,
) -> Metric:
    """Compute a rate, ``p = events / trials``, from counts or from one row per trial.

    Parameters
    ----------
    events : counts, or one column of outcomes, or a table
        With `trials`: counts, one number or one per group. Without: outcomes, 0 and 1 (or false and
        true), one per customer, contact or visit; or a table that has them in `column`.
    trials : counts, optional
        The denominators.
    by : groups
        As in `cxstats.nps`; names of groups with counts.
    name : str
        What is counted; names of `cxstats.metrics.RATES` are written in both languages.
    column, weights, cluster, strata, design
        As in `cxstats.nps`; only with outcomes, since counts have no customers.
    level, min_cell
        As in `cxstats.nps`.
    interval : {"wilson", "clopper_pearson", "wald"}
        See `cxstats.metrics.proportion_interval`.
    blank : {"missing", "no"}
        What a blank outcome is: a missing answer, which is left out, or a tick box that was not
        ticked. With "no" a tick may be any single value ("Python.", "是", 1), and a box that nobody
        ticked is 0 of all rows; leave out those who were not asked. Where only 1 and blanks occur,
        a note asks which it is.
    codebook : Codebook, mapping, path or name, optional
        As in `cxstats.nps`, of kind "rating"; only with outcomes.

    Raises
    ------
    DataError
        If a count is negative or no whole number, there are more events than trials or no trials,
        or an outcome is neither 0 nor 1 (with ``blank="no"``: several values occur).

    Examples
    --------
    >>> rate(30, 200).table[["estimate", "ci_low", "ci_high"]].iloc[0].round(4).tolist()
    [0.15, 0.1071, 0.2061]
    >>> rate([1, 0, 0, 1, 0]).table["estimate"].tolist()
    [0.4]
    >>> rate(["X", None, "X", None], blank="no").table[["estimate", "n"]].iloc[0].tolist()
    [0.5, 4.0]
    """
    check_interval(interval, PROPORTION_INTERVALS)
    options = Options(interval, level, min_cell)
    named = RATES.get(name)
    notes = (both(named.note),) if named and named.note else ()
    if trials is None:
        if isinstance(events, Number):
            raise DataError(f"{events!r} events of how many? Give the number of trials, too")
        sampling = Sampling.of(design, weights, cluster, strata)
        answers = read_answers(
            events, column, by, sampling, truth=True, blank=blank, codebook=codebook
        )
        sums = add_up(answers, Domain(0, 1, integer=True), Value(plus=lambda x: x > 0), ticks=True)
        if answers.cluster is not None and name in DEPENDENT:
            notes = ()  # clusters are what the note asks for
        notes = (*notes, *_notes_of_blanks(sums, blank))
        return share_result(sums, options, name=name, notes=notes, synthetic=answers.synthetic)
    if blank != "missing":
        raise DataError(f"blank={blank!r} is for outcomes; counts have no blanks")
    if any(option is not None for option in (column, weights, cluster, strata, design)):
        raise DataError(
            "column, weights, cluster, strata and design are for outcomes; counts of trials have "
            "none of them"
        )
    counts = read_counts({"events": events, "trials": trials}, by)
    happened, n = counts.values["events"], counts.values["trials"]
    over = np.flatnonzero(happened > n)
    if len(over):
        where = f"group {tuple(counts.groups.iloc[over[0]])!r}: " if counts.by else ""
        raise DataError(
            f"{where}{happened[over[0]]} events of {n[over[0]]} trials; allowed: no more events"
        )
    if not n.sum():
        raise DataError("no trials: every number of trials is 0")
    sums = Sums.of_counts(counts.groups, n, happened, happened)
    return share_result(sums, options, name=name, notes=notes, counted=True)


def _notes_of_blanks(sums: Sums, blank: str) -> list[Text]:
    """Return a note on blanks that are counted, or that may have been meant as not ticked."""
    if blank == "no":
        return [both("metric.note.blank_no")]
    missing = int(sums.missing.sum())
    ones = sums.low == 1 and missing > 0
    return [both("metric.note.only_ones", count=format_number(missing))] if ones else []


def share_result(
    sums: Sums,
    options: Options,
    *,
    name: str,
    kind: str = "",
    counted: bool = False,
    synthetic: bool = False,
    notes: Sequence[Text] = (),
) -> Metric:
    """Return shares as a metric, from sums of 0 and 1."""
    share = sums.mean()
    low, high = proportion_interval(
        share, sums.interval_size(options.level), options.interval, options.level
    )
    columns = {
        "estimate": share,
        "se": np.sqrt(sums.error_variance()),
        "ci_low": low,
        "ci_high": high,
        "events": np.rint(sums.v).astype(np.int64),
    }
    return build(
        sums, columns, options, name=name, unit="share", kind=kind, counted=counted,
        synthetic=synthetic, notes=notes,
    )  # fmt: skip


def churn_rate(lost: Any, at_start: Any = None, by: Any = None, **options: Any) -> Metric:
    """Compute churn, customers lost in a period over customers at its start.

    Customers won in the period are in neither number. Counts, or one outcome per customer at the
    start (`lost` alone); options are those of `cxstats.rate`.

    Examples
    --------
    >>> churn_rate(lost=12, at_start=400).table["estimate"].tolist()
    [0.03]
    """
    return rate(lost, at_start, by, name="churn_rate", **options)


def retention_rate(retained: Any, at_start: Any = None, by: Any = None, **options: Any) -> Metric:
    """Compute retention, customers of the start who are still there over customers at the start.

    One less churn: customers won in between do not count. As `churn_rate`.
    """
    return rate(retained, at_start, by, name="retention_rate", **options)


def repurchase_rate(again: Any, customers: Any = None, by: Any = None, **options: Any) -> Metric:
    """Compute repurchase, customers who bought again over customers. As `churn_rate`."""
    return rate(again, customers, by, name="repurchase_rate", **options)


def participation_rate(took_part: Any, could: Any = None, by: Any = None, **options: Any) -> Metric:
    """Compute participation, people who took part over people who could. As `churn_rate`."""
    return rate(took_part, could, by, name="participation_rate", **options)


def resolution_rate(solved: Any, contacts: Any = None, by: Any = None, **options: Any) -> Metric:
    """Compute first-contact resolution (FCR), contacts solved at the first over contacts.

    As `churn_rate`. Contacts of one customer are taken as independent, unless the outcomes have
    ``cluster=``, the customer.
    """
    return rate(solved, contacts, by, name="resolution_rate", **options)


def conversion_rate(bought: Any, visitors: Any = None, by: Any = None, **options: Any) -> Metric:
    """Compute conversion, those who bought over visitors (or over clicks). As `churn_rate`."""
    return rate(bought, visitors, by, name="conversion_rate", **options)


def click_through_rate(
    clicks: Any, impressions: Any = None, by: Any = None, **options: Any
) -> Metric:
    """Compute click-through, clicks over impressions.

    As `churn_rate`. Impressions of one person are taken as independent, which makes the interval
    too narrow where people see many; give outcomes with ``cluster=``, the person.
    """
    return rate(clicks, impressions, by, name="click_through_rate", **options)


def word_of_mouth_rate(
    referred: Any, new_customers: Any = None, by: Any = None, **options: Any
) -> Metric:
    """Compute word of mouth, new customers who were referred over new customers.

    Reconstructed: the rate was published by name only (formula E02 of `cxstats.load_formulas`), and
    other bases are possible. As `churn_rate`.
    """
    return rate(referred, new_customers, by, name="word_of_mouth_rate", **options)
