"""What a process achieves: times, rates, throughput, hot spots, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import label
from cxstats.core.moments import check_resamples
from cxstats.operations.bottlenecks import bottlenecks, work_shares
from cxstats.operations.case_times import case_times, durations
from cxstats.operations.estimates import Estimate, clustered_rate, means, poisson_rate, quantile
from cxstats.operations.event_log import EventLog
from cxstats.operations.rates import (
    FirstContact,
    check_staff_hours,
    contact_rate,
    first_contact,
    flag_rates,
)
from cxstats.operations.timestamps import check_unit
from cxstats.operations.variants import rework, variants
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TIMES = {"lead_time": "lead", "handling_time": "handling", "waiting_time": "waiting"}
STATISTICS = {"mean": None, "median": 0.5, "p90": 0.9}


@dataclass(frozen=True, eq=False)
class Process:
    """The performance of a process.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per estimate: ``measure, statistic, unit, estimate, ci_low, ci_high, se, n``
        (cases or events), ``cases, method`` (of the interval). Rates run from 0 to 1.
    cases : pandas.DataFrame
        One row per case: ``events, lead, handling, waiting`` in `unit`, ``first_contact``.
    hot_spots : pandas.DataFrame or None
        By ticket type and measure (``share`` of cases, ``work_share``, ``handling_time``,
        ``lead_time``, ``first_contact_resolution``); None without ticket types.
    bottlenecks, rework, variants : pandas.DataFrame or None
        Where the time goes, what is done twice, the ways taken.
    log : EventLog
    contact, window, resolved
        The definition of first-contact resolution.
    unit, level, n_resamples, seed
        As given.
    synthetic : bool
        Whether the events are simulated.
    notes : tuple of str
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
    notes: tuple[str, ...]

    def summary(self, lang: str = "en") -> str:
        """Return the findings in a few lines, formatted."""
        head = label(
            "process.head",
            lang,
            cases=format_number(self.log.n_cases),
            events=format_number(self.log.n_events),
            variants=format_number(len(self.variants)),
            level=format_percent(100 * self.level, None, lang),
        )
        lines = [head] + ([label("process.synthetic", lang)] if self.synthetic else [])
        lines += [_row(row, lang) for _, row in self.table.iterrows()]
        if self.bottlenecks is not None and len(self.bottlenecks):
            lines.append(_worst(self.bottlenecks.iloc[0], lang))
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def plot(
        self, kind: str = "map", ax: Axes | None = None, lang: str = "en", **options: Any
    ) -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {"map", "bottlenecks"}
            The process map, or which share of the lead time passes before each activity begins.
        ax, lang, **options
            Passed to the chart.
        """
        if kind == "map":
            return self.log.plot(ax=ax, lang=lang, **options)
        if kind != "bottlenecks":
            raise CxError(f"kind={kind!r}; allowed: 'map', 'bottlenecks'")
        from cxstats.charts.intervals import intervals

        places = self.bottlenecks
        rows = None if places is None else places[places["measure"] != "handling"].head(15)
        if rows is None or not rows["share"].max() > 0:
            raise CxError("there is no wait to draw: no time passes between the events of a case")
        first, measure = rows.iloc[0], rows["measure"].iloc[0]
        share = format_percent(100 * first["share"], 0, lang)
        key = "process.map.title" if self.log.has_ends else "process.map.title.elapsed"
        given: dict[str, Any] = {
            "title": label(key, lang, activity=first["activity"], share=share),
            "source": label("process.source", lang, cases=format_number(self.log.n_cases)),
            "level": self.level, "decimals": 1, "synthetic": self.synthetic, "lang": lang,
            "axis": label(f"process.axis.{measure}", lang), "ax": ax, **options,
        }  # fmt: skip
        names = [str(name) for name in rows["activity"]]
        columns = (100 * rows[name] for name in ("share", "share_ci_low", "share_ci_high"))
        return intervals(names, *columns, **given)

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


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

    Times per case (`cxstats.operations.case_times`): ``lead`` from acceptance to the last end,
    ``handling`` the sum of durations, ``waiting`` the time in which nothing ran. Rates are
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
    other. Cases are taken as independent; a queue makes neighbours in time alike, and intervals
    too short.

    Examples
    --------
    >>> from cxstats.datasets.simulate_loan_log import simulate_loan_log
    >>> from cxstats.operations import event_log
    >>> log = event_log(simulate_loan_log(400, seed=1), case="case", activity="activity",
    ...                 start="start", end="end", resource="resource", automated=["System"],
    ...                 accepted="accepted")
    >>> found = process(log, unit="day").table.set_index(["measure", "statistic"])
    >>> found.loc[("lead_time", "mean"), ["estimate", "ci_low", "ci_high"]].round(2).tolist()
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
    cases[list(TIMES.values())] /= seconds
    if contacts is not None:
        cases["first_contact"] = contacts.solved
    inference = (level, n_resamples, seed)
    again = rework(log, level)
    rows = _times(cases, unit, *inference)
    rows += [_throughput(log, staff_hours, *inference)]
    if contacts is not None:
        rows.append(("first_contact_resolution", "rate", "share", contact_rate(contacts, level)))
    flags = flag_rates(log, level)
    rows += [(name, "rate", "share", found) for name, found in flags.items()]
    first = again.iloc[0]
    rows.append(("rework_rate", "rate", "share", _rework_rate(first)))
    try:
        places = bottlenecks(log, unit=unit, level=level)
    except CxError:
        places = None
    return Process(
        _table(rows), cases, _hot_spots(cases, contacts, unit, *inference), places, again,
        variants(log, unit), log, contact, window, resolved, unit, level, n_resamples, seed,
        log.synthetic, log.notes + _notes(log, contacts, cases, staff_hours, rows),
    )  # fmt: skip


Row = tuple[str, str, str, Estimate]


def _times(cases: pd.DataFrame, unit: str, level: float, n_resamples: int, seed: int) -> list[Row]:
    names = [name for name, column in TIMES.items() if cases[column].notna().any()]
    values = cases[[TIMES[name] for name in names]].to_numpy(float)
    averages = means(values, level, n_resamples, seed)
    rows = []
    for j, name in enumerate(names):
        for statistic, share in STATISTICS.items():
            found = averages[j] if share is None else quantile(values[:, j], share, level)
            rows.append((name, statistic, unit, found))
    return rows


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
    one = means(each[:, None], level, n_resamples, seed)[0]
    return *head, Estimate(
        1 / one.estimate,
        1 / one.ci_high,
        1 / one.ci_low if one.ci_low > 0 else np.nan,
        one.se / one.estimate**2,
        one.n,
        one.method,
        one.clusters,
    )


def _rework_rate(first: pd.Series) -> Estimate:
    p, n = float(first["estimate"]), int(first["n"])
    se = float(np.sqrt(p * (1 - p) / (n - 1))) if n > 1 else np.nan
    return Estimate(p, first["ci_low"], first["ci_high"], se, n, "Wilson", n)


def _table(rows: list[Row]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(
        [{"measure": m, "statistic": s, "unit": u, **asdict(found)} for m, s, u, found in rows]
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
    rows: list[dict[str, Any]] = []

    def add(measure: str, unit: str, found: list[Estimate]) -> None:
        rows.extend(
            {"kind": kind, "measure": measure, "unit": unit, **asdict(one)}
            for kind, one in zip(kinds, found, strict=True)
        )

    every = np.arange(len(codes))
    add("share", "share", [clustered_rate(column, every, level) for column in member.T])
    for name in ("handling_time", "lead_time"):
        values = cases[TIMES[name]].to_numpy(float)
        if not np.isnan(values).any():
            split = np.where(member, values[:, None], np.nan)
            add(name, unit, means(split, level, n_resamples, seed))
    work = cases["handling"].to_numpy(float)
    if work.sum() > 0:
        shares = zip(*work_shares(work, member, level), member.sum(axis=0), strict=True)
        method = "Wilson, linearised"
        found = [Estimate(s, a, b, np.nan, int(n), method, int(n)) for s, a, b, n in shares]
        add("work_share", "share", found)
    if contacts is not None:
        known = ~np.isnan(contacts.solved)
        add("first_contact_resolution", "share", [
            clustered_rate(contacts.solved[known & m] == 1, contacts.cluster[known & m], level)
            for m in member.T
        ])  # fmt: skip
    return pd.DataFrame(rows).rename(columns={"clusters": "cases"})


def _notes(
    log: EventLog,
    contacts: FirstContact | None,
    cases: pd.DataFrame,
    staff_hours: float | None,
    rows: list[Row],
) -> tuple[str, ...]:
    notes = []
    if log.n_cases == 1:
        notes.append("1 case: most intervals need at least 2 cases")
    if log.arrays.accepted is None:
        notes.append("acceptance is not known: lead time begins with the first activity")
    if contacts is not None and contacts.no_contact:
        notes.append(f"{contacts.no_contact} cases have no contact and are not in its rate")
    if contacts is not None and contacts.open:
        notes.append(
            f"{contacts.open} cases had no repeat yet, but the log ends before their window does; "
            "they are not in the rate of first-contact resolution"
        )
    overlap = (cases["handling"] + cases["waiting"] - cases["lead"]) > 1e-6 * cases["lead"]
    if overlap.any():
        notes.append(f"in {int(overlap.sum())} cases activities ran at once; handling counts both")
    if staff_hours is None and log.has_ends:
        who = "events that are not automated" if "automated" in log.table else "all events"
        notes.append(f"staff-hours are the handling time of {who}; idle time is not in them")
    if any(found.method == "t" for *_, found in rows):
        notes.append("intervals of means are Student's t: so many cases need no bootstrap")
    return tuple(notes)


def _row(row: pd.Series, lang: str) -> str:
    measure, statistic = row["measure"], row["statistic"]
    share, rate = row["unit"] == "share", statistic == "rate"
    scale, digits = (100, 1) if share else (1, digits_for(row["estimate"]))
    known = bool(np.isfinite(row["estimate"]))
    words = {
        "name": label(f"process.measure.{measure}", lang),
        "estimate": format_number(scale * row["estimate"], digits) if known else "–",
        "unit": "%" if share else _unit(row["unit"], lang),
        "interval": interval(scale * row["ci_low"], scale * row["ci_high"], digits),
        "n": format_number(row["n"]),
    }
    if rate:
        return label("process.row.rate", lang, **words)
    which = label(f"process.statistic.{statistic}", lang)
    return label("process.row", lang, statistic=which, **words)


def digits_for(value: float) -> int:
    """Return the decimals of a time: two, or three below 1.

    Examples
    --------
    >>> digits_for(119.7), digits_for(0.16)
    (2, 3)
    """
    return 2 if not abs(value) < 1 else 3


def _unit(unit: str, lang: str) -> str:
    return label("process.unit.throughput" if "/" in unit else f"process.unit.{unit}", lang)


def _worst(row: pd.Series, lang: str) -> str:
    measure = row["measure"]
    return label(
        f"process.worst.{measure}",
        lang,
        activity=row["activity"],
        share=format_percent(100 * row["share"], 1, lang),
        interval=interval(100 * row["share_ci_low"], 100 * row["share_ci_high"], 1),
    )
