"""What a process achieves: times, rates, throughput, hot spots, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, label, note_if
from cxstats.core.moments import check_resamples
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.operations.bottlenecks import bottlenecks, work_shares
from cxstats.operations.case_times import TIMES, case_times, durations
from cxstats.operations.censoring import censored_estimates
from cxstats.operations.estimates import Estimate, clustered_rate, means, poisson_rate, quantile
from cxstats.operations.event_log import PROCESS_MINING, EventLog
from cxstats.operations.rates import (
    FirstContact,
    check_staff_hours,
    first_contact,
    flagged_events,
)
from cxstats.operations.timestamps import check_unit
from cxstats.operations.variants import rework, variants
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

# Where the words of codes stand, of this result and of the comparison of two.
PROCESS_CODES = {
    "measure": "process.measure.{}",
    "statistic": "process.statistic.{}",
    "unit": "process.unit.{}",
    "method": "process.method.{}",
}
QUANTILES = {"median": 0.5, "p90": 0.9}
DRAWN = 15  # activities in a chart of bottlenecks


@dataclass(frozen=True, eq=False, repr=False)
class Process(Result):
    """The performance of a process.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per estimate: ``measure, statistic, unit, estimate, ci_low, ci_high, se, n``
        (cases or events), ``cases, method`` (of the interval). Rates run from 0 to 1.
    cases : pandas.DataFrame
        One row per case: ``events, lead_time, handling_time, waiting_time`` in `unit`,
        ``first_contact``.
    hot_spots : pandas.DataFrame or None
        By ticket type and measure (``share`` of cases, ``work_share``, ``handling_time``,
        ``lead_time``, ``first_contact_resolution``); None without ticket types.
    bottlenecks, rework, variants : pandas.DataFrame or None
        Where the time goes, what is done twice, the ways taken.
    log : EventLog
    contact, window, resolved
        The definition of first-contact resolution.
    unit, level, n_resamples, seed
        As passed.
    synthetic : bool
        Whether the events are simulated.
    notes : tuple of Text
        What was left out, what is rough.
    """

    table: pd.DataFrame
    cases: pd.DataFrame
    hot_spots: pd.DataFrame | None
    bottlenecks: pd.DataFrame | None
    rework: pd.DataFrame
    variants: pd.DataFrame
    log: EventLog
    contact: str | Sequence[str] | None
    window: object
    resolved: str | None
    unit: str
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("map", "bottlenecks")
    reference: ClassVar = PROCESS_MINING
    codes: ClassVar = PROCESS_CODES | {"activity": "process.activity.{}"}

    def findings(self, lang: str) -> list[str]:
        """Return the estimates, and where most of the time goes."""
        head = label(
            "process.head",
            lang,
            cases=format_number(self.log.n_cases),
            events=format_number(self.log.n_events),
            variants=format_number(len(self.variants)),
            level=format_percent(100 * self.level, None, lang),
        )
        lines = [head, *(_estimate_line(row, lang) for _, row in self.table.iterrows())]
        if self.bottlenecks is not None and len(self.bottlenecks):
            lines.append(_bottleneck_line(self.bottlenecks.iloc[0], lang))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the map, or which share of the lead time passes before each activity begins."""
        if kind == "map":
            return Chart("process_map", (self.log,))
        places = self.bottlenecks
        rows = None if places is None else places[places["measure"] != "handling"].head(DRAWN)
        if rows is None or not rows["share"].max() > 0:
            raise CxError("there is no wait to draw: no time passes between the events of a case")
        worst, measure = rows.iloc[0], rows["measure"].iloc[0]
        key = "process.map.title" if self.log.has_ends else "process.map.title.elapsed"
        share = format_percent(100 * worst["share"], 0, lang)
        columns = [100 * rows[name] for name in ("share", "share_ci_low", "share_ci_high")]
        return Chart(
            "intervals",
            ([str(name) for name in rows["activity"]], *columns),
            {
                "title": label(key, lang, activity=worst["activity"], share=share),
                "source": label("process.source", lang, cases=format_number(self.log.n_cases)),
                "axis": label(f"process.axis.{measure}", lang),
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )


@long_work("process")
def process(  # noqa: PLR0913
    log: EventLog,
    *,
    contact: str | Sequence[str] | None = None,
    window: object = None,
    resolved: str | None = None,
    staff_hours: float | None = None,
    unit: str = "hour",
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
) -> Process:
    """Measure a process from its event log.

    Times per case (`cxstats.operations.case_times`): lead time from acceptance to the last
    end, handling time the sum of durations, waiting time that in which nothing ran. Rates are
    of events (automated, in error, manual intervention, and the last two lumped) or of cases
    (first-contact resolution, rework). Throughput is ``cases / staff-hours``.

    Parameters
    ----------
    log : EventLog
        See `cxstats.event_log`.
    contact, window, resolved
        First-contact resolution: the activities that are contacts, the span in which a further
        one is a repeat, the activity that solves a case; see
        `cxstats.operations.rates.first_contact`. Without `contact` it is not computed.
    staff_hours : float, optional
        Hours that staff were paid for during the log. Without it, the handling time of events
        that are not automated, which leaves idle time out.
    unit : {"second", "minute", "hour", "day"}
        Of the times.
    level, n_resamples, seed
        Confidence level; bootstrap resamples of cases and their seed.

    Returns
    -------
    Process

    Raises
    ------
    DataError, CxError
        If an activity or an option is unknown.

    Notes
    -----
    Intervals: means BCa over cases (t beyond 100 million draws), quantiles by order statistics,
    rates by Wilson at the effective number of events, since events of a case depend on each
    other. Cases that have not ended (`open_ends="censored"`): means and quantiles of times weight
    the ended ones by Kaplan and Meier (`cxstats.operations.censoring`); rates, throughput,
    bottlenecks, rework and variants take what was done so far. Cases are taken as independent; a
    queue makes neighbours in time alike, and intervals too short.

    Examples
    --------
    >>> from cxstats.datasets.simulate_loan_log import simulate_loan_log
    >>> from cxstats.operations.event_log import event_log
    >>> log = event_log(simulate_loan_log(400, seed=1), case="case", activity="activity",
    ...                 start="start", end="end", resource="resource", automated=["System"],
    ...                 accepted="accepted")
    >>> table = process(log, unit="day").table.set_index(["measure", "statistic"])
    >>> table.loc[("lead_time", "mean"), ["estimate", "ci_low", "ci_high"]].round(2).tolist()
    [4.88, 4.67, 5.11]
    """
    if not isinstance(log, EventLog):
        raise CxError(f"a log of type {type(log).__name__!r}; allowed: what cx.event_log returns")
    check_level(level)
    check_resamples(n_resamples, seed)
    check_staff_hours(staff_hours)
    seconds = check_unit(unit)
    contacts = None if contact is None else first_contact(log, contact, window, resolved)
    if contact is None and (window is not None or resolved is not None):
        raise CxError("window and resolved belong to contact; name the contact activity, too")
    cases = case_times(log)
    cases[list(TIMES)] /= seconds
    if contacts is not None:
        cases["first_contact"] = contacts.solved
    inference = (level, n_resamples, seed)
    repeated = rework(log, level)
    rows = [
        *_time_rows(cases, unit, *inference),
        _throughput(log, staff_hours, *inference),
        *_rate_rows(log, contacts, repeated, level),
    ]
    return Process(
        table=_table(rows),
        cases=cases,
        hot_spots=_hot_spots(cases, contacts, unit, *inference),
        bottlenecks=_bottlenecks(log, unit, level),
        rework=repeated,
        variants=variants(log, unit),
        log=log,
        contact=contact,
        window=window,
        resolved=resolved,
        unit=unit,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=log.synthetic,
        notes=(*log.notes, *_notes(log, contacts, cases, staff_hours, rows)),
    )


Row = tuple[str, str, str, Estimate]  # measure, statistic, unit


def _time_rows(
    cases: pd.DataFrame, unit: str, level: float, n_resamples: int, seed: int
) -> list[Row]:
    measures = [name for name in TIMES if cases[name].notna().any()]
    values = cases[measures].to_numpy(float)
    if "open" in cases:
        censored = _censored(cases, measures, (level, n_resamples, seed))
        return [
            (measure, statistic, unit, estimate)
            for measure, estimates in zip(measures, censored, strict=True)
            for statistic, estimate in estimates.items()
        ]
    averages = means(values, level, n_resamples, seed)
    rows: list[Row] = []
    for measure, average, times in zip(measures, averages, values.T, strict=True):
        rows.append((measure, "mean", unit, average))
        rows += [
            (measure, statistic, unit, quantile(times, share, level))
            for statistic, share in QUANTILES.items()
        ]
    return rows


def _censored(
    cases: pd.DataFrame, measures: Sequence[str], inference: tuple[float, int, int]
) -> list[dict[str, Estimate]]:
    """Return mean and quantiles of times of cases, some of which have not ended."""
    lead, ended = cases["lead_time"].to_numpy(float), ~cases["open"].to_numpy(bool)
    return censored_estimates(cases[measures].to_numpy(float), lead, ended, QUANTILES, inference)


def _rate_rows(
    log: EventLog, contacts: FirstContact | None, repeated: pd.DataFrame, level: float
) -> list[Row]:
    rates = {
        measure: clustered_rate(events, log.arrays.case, level)
        for measure, events in flagged_events(log).items()
    }
    if contacts is not None:
        rates = {"first_contact_resolution": contacts.rate().at(level), **rates}
    rates["rework_rate"] = _rework_rate(repeated.iloc[0])
    return [(measure, "rate", "share", rate) for measure, rate in rates.items()]


def _bottlenecks(log: EventLog, unit: str, level: float) -> pd.DataFrame | None:
    """Return where the time goes; None where no time passes."""
    try:
        return bottlenecks(log, unit=unit, level=level)
    except CxError:
        return None


def _throughput(
    log: EventLog, staff_hours: float | None, level: float, n_resamples: int, seed: int
) -> Row:
    """Return cases per staff-hour; of handling time it is the inverse of the mean per case."""
    head = ("throughput", "rate", "case/staff-hour")
    if staff_hours is not None:
        return *head, poisson_rate(log.n_cases, staff_hours, level)
    hours = durations(log) / 3600
    if "automated" in log.table:
        hours = np.where(log.table["automated"].to_numpy(bool), 0.0, hours)
    each = np.bincount(log.arrays.case, hours, log.n_cases).astype(float)
    if not each.sum() > 0:
        return *head, Estimate(np.nan, np.nan, np.nan, np.nan, log.n_cases, "none", log.n_cases)
    mean = means(each[:, None], level, n_resamples, seed)[0]
    return *head, Estimate(
        1 / mean.estimate,
        1 / mean.ci_high,
        1 / mean.ci_low if mean.ci_low > 0 else np.nan,
        mean.se / mean.estimate**2,
        mean.n,
        mean.method,
        mean.clusters,
    )


def _rework_rate(of_any: pd.Series) -> Estimate:
    p, n = float(of_any["estimate"]), int(of_any["n"])
    se = float(np.sqrt(p * (1 - p) / (n - 1))) if n > 1 else np.nan
    return Estimate(p, of_any["ci_low"], of_any["ci_high"], se, n, "Wilson", n)


def _table(rows: list[Row]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(
        [{"measure": m, "statistic": s, "unit": u, **asdict(value)} for m, s, u, value in rows]
    )
    return table.rename(columns={"clusters": "cases"})


def _hot_spots(
    cases: pd.DataFrame,
    contacts: FirstContact | None,
    unit: str,
    level: float,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame | None:
    """Return by ticket type: share of cases and of work, times, first-contact resolution."""
    import pandas as pd

    if "kind" not in cases:
        return None
    codes, kinds = pd.factorize(cases["kind"], sort=True)
    member = codes[:, None] == np.arange(len(kinds))
    every_case = np.arange(len(codes))
    estimates = {
        "share": [clustered_rate(column, every_case, level) for column in member.T],
    }
    for measure in ("handling_time", "lead_time"):
        values = cases[measure].to_numpy(float)
        if "open" in cases and not np.isnan(values).any():
            estimates[measure] = [
                _censored(cases[column], [measure], (level, n_resamples, seed))[0]["mean"]
                for column in member.T
            ]
        elif not np.isnan(values).any():
            by_kind = np.where(member, values[:, None], np.nan)
            estimates[measure] = means(by_kind, level, n_resamples, seed)
    work = cases["handling_time"].to_numpy(float)
    if work.sum() > 0:
        limits = zip(*work_shares(work, member, level), member.sum(axis=0).tolist(), strict=True)
        method = "Wilson, linearised"
        estimates["work_share"] = [
            Estimate(share, low, high, np.nan, n, method, n) for share, low, high, n in limits
        ]
    if contacts is not None:
        estimates["first_contact_resolution"] = [
            contacts.rate(column).at(level) for column in member.T
        ]
    rows = [
        {
            "kind": kind,
            "measure": measure,
            "unit": unit if measure in TIMES else "share",
            **asdict(estimate),
        }
        for measure, of_kinds in estimates.items()
        for kind, estimate in zip(kinds, of_kinds, strict=True)
    ]
    return pd.DataFrame(rows).rename(columns={"clusters": "cases"})


def _notes(
    log: EventLog,
    contacts: FirstContact | None,
    cases: pd.DataFrame,
    staff_hours: float | None,
    rows: list[Row],
) -> list[Text]:
    lead, handling, waiting = (cases[name] for name in TIMES)
    n_overlapping = int((handling + waiting - lead > 1e-6 * lead).sum())
    n_no_contact, n_open = (0, 0) if contacts is None else (contacts.no_contact, contacts.open)
    by_people = "automated" in log.table
    from_handling = staff_hours is None and log.has_ends
    without_bootstrap = any(estimate.method == "t" for *_, estimate in rows)
    return [
        *note_if(log.n_cases == 1, "process.note.one_case"),
        *note_if(log.arrays.accepted is None, "process.note.accepted"),
        *note_if(n_no_contact > 0, "process.note.no_contact", n=n_no_contact),
        *note_if(n_open > 0, "process.note.open", n=n_open),
        *note_if(n_overlapping > 0, "process.note.overlap", n=n_overlapping),
        *note_if(from_handling and by_people, "process.note.staff.people"),
        *note_if(from_handling and not by_people, "process.note.staff.all"),
        *note_if(without_bootstrap, "process.note.t"),
        *_censoring_notes(cases),
    ]


def _censoring_notes(cases: pd.DataFrame) -> list[Text]:
    if "open" not in cases:
        return []
    lead, is_open = cases["lead_time"], cases["open"]
    longest = bool(lead[is_open].max() > lead[~is_open].max(skipna=True)) or is_open.all()
    return [
        *note_if(True, "process.note.censored", n=int(is_open.sum()), m=len(cases)),
        *note_if(bool(longest), "process.note.censored.longest"),
    ]


def _estimate_line(row: pd.Series, lang: str) -> str:
    share, rate = row["unit"] == "share", row["statistic"] == "rate"
    scale, digits = (100, 1) if share else (1, digits_for(row["estimate"]))
    values = {
        "name": label(f"process.measure.{row['measure']}", lang),
        "estimate": format_number(scale * row["estimate"], digits),
        "interval": interval(scale * row["ci_low"], scale * row["ci_high"], digits),
        "n": format_number(row["n"]),
    }
    if share:
        return label("process.row.share", lang, **values)
    values["unit"] = label(f"process.unit.{row['unit']}", lang)
    if rate:
        return label("process.row.rate", lang, **values)
    statistic = label(f"process.statistic.{row['statistic']}", lang)
    return label("process.row", lang, statistic=statistic, **values)


def digits_for(value: float) -> int:
    """Return the decimals of a time: two, or three below 1.

    Examples
    --------
    >>> digits_for(119.7), digits_for(0.16)
    (2, 3)
    """
    return 2 if not abs(value) < 1 else 3


def _bottleneck_line(row: pd.Series, lang: str) -> str:
    measure = row["measure"]
    return label(
        f"process.worst.{measure}",
        lang,
        activity=row["activity"],
        share=format_percent(100 * row["share"], 1, lang),
        interval=interval(100 * row["share_ci_low"], 100 * row["share_ci_high"], 1),
    )
