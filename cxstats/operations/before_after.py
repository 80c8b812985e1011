"""Two logs of one process compared: before and after a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import (
    format_change,
    format_number,
    format_percent,
    interval,
    p_text,
    round_half_up,
)
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.moments import check_resamples
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.operations.case_times import TIMES, case_times
from cxstats.operations.estimates import (
    DRAWS,
    Estimate,
    inverted_p,
    quantile,
    rate_sums,
    square_and_add,
)
from cxstats.operations.event_log import EventLog
from cxstats.operations.process import PROCESS_CODES, QUANTILES, digits_for
from cxstats.operations.rates import first_contact, flagged_events
from cxstats.operations.timestamps import check_unit
from cxstats.stats.bootstrap import bca, replicate_means
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Row = dict[str, Any]  # one of the table, without its adjusted p value
# Both estimates at a level, each with an interval by itself.
Pair = Callable[[float], tuple[Estimate, Estimate]]


@dataclass(frozen=True, eq=False, repr=False)
class ProcessChange(Result):
    """A process before and after.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per comparison: ``measure, statistic, unit, before, after, estimate`` (after less
        before; "ratio": after over before, of geometric means), ``ci_low, ci_high, se`` (of a
        ratio: of its logarithm), ``p_value, p_adjusted`` (Holm's, over all rows), ``n_before,
        n_after, method``. Rates run from 0 to 1: a change of 0.44 is one of 44 points.
    before, after : EventLog
    unit, level, n_resamples, seed
        As passed.
    synthetic : bool
        Whether one of the logs is simulated.
    notes : tuple of Text
        What hampers the comparison.
    """

    table: pd.DataFrame
    before: EventLog
    after: EventLog
    unit: str
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("rates",)
    codes: ClassVar = PROCESS_CODES
    reference: ClassVar = (
        "Newcombe (1998). Interval estimation for the difference between independent proportions. "
        "Statistics in Medicine 17, 873-890."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the changes."""
        head = label(
            "process.change.head",
            lang,
            before=format_number(self.before.n_cases),
            after=format_number(self.after.n_cases),
            level=format_percent(100 * self.level, None, lang),
        )
        return [head, *(self._change_line(row, lang) for _, row in self.table.iterrows())]

    def _change_line(self, row: pd.Series, lang: str) -> str:
        share, ratio = row["unit"] == "share", row["statistic"] == "ratio"
        scale, digits = (100, 1) if share else (1, digits_for(row["after"]))
        values = {
            "name": label(f"process.measure.{row['measure']}", lang),
            "before": format_number(scale * row["before"], digits),
            "after": format_number(scale * row["after"], digits),
            "interval": interval(scale * row["ci_low"], scale * row["ci_high"], digits),
            "p": p_text(row["p_adjusted"]),
        }
        if share:
            change = _change_of_rate(row["before"], row["estimate"], lang)
            return label("process.change.row.rate", lang, change=change, **values)
        change = format_number(row["estimate"], digits, sign=not ratio)
        unit = "" if ratio else " " + label(f"process.unit.{self.unit}", lang)
        return label(
            "process.change.row",
            lang,
            statistic=label(f"process.statistic.{row['statistic']}", lang),
            change=f"× {change}" if ratio else change,
            unit=unit,
            **values,
        )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the changes of rates, in points, with their intervals."""
        rows = self.table[self.table["unit"] == "share"]
        if not len(rows):
            raise CxError("the logs have no rates to draw; see `.table` for times")
        n_clear = int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())
        names = [label(f"process.measure.{name}", lang) for name in rows["measure"]]
        n_cases = {"before": self.before.n_cases, "after": self.after.n_cases}
        return Chart(
            "intervals",
            (names, *(100 * rows[name] for name in ("estimate", "ci_low", "ci_high"))),
            {
                "title": label("process.change.title", lang, k=n_clear, n=len(rows)),
                "source": label("process.change.source", lang, **n_cases),
                "axis": label("process.change.axis", lang),
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )


@long_work("process change")
def process_change(
    before: EventLog,
    after: EventLog,
    *,
    contact: str | list[str] | None = None,
    window: object = None,
    unit: str = "hour",
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
) -> ProcessChange:
    """Compare two logs of the same process: other cases, before and after a change.

    - Means of times: ``mean_after - mean_before``, BCa bootstrap within each log (t by Welch for
      very many cases), p value of Welch's test; their ratio of geometric means,
      ``exp(mean log_after - mean log_before)``, by Welch's test of the logarithms.
    - Median and 90th percentile: exact intervals of each log, combined by squaring and adding
      (Zou & Donner 2008); the p value is the one that belongs to the interval.
    - Rates: the same from Wilson's intervals, which is Newcombe's method 10, at the effective
      number of events.

    Parameters
    ----------
    before, after : EventLog
    contact, window
        First-contact resolution, see `cxstats.operations.rates.first_contact`.
    unit, level, n_resamples, seed
        As in `cxstats.operations`.

    Returns
    -------
    ProcessChange

    Notes
    -----
    Times are not compared where a log has cases that have not ended. Two periods differ in more
    than the change that was made between them (season, volume, kinds of cases); the intervals do
    not know of that.

    References
    ----------
    Newcombe (1998). Interval estimation for the difference between independent proportions.
    Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> from cxstats.datasets.simulate_loan_log import simulate_loan_log
    >>> from cxstats.operations.event_log import event_log
    >>> old, new = (
    ...     event_log(simulate_loan_log(300, seed=1, redesigned=redesigned), case="case",
    ...               activity="activity", start="start", end="end", automated="automated",
    ...               accepted="accepted") for redesigned in (False, True))
    >>> table = process_change(old, new, unit="day").table.set_index(["measure", "statistic"])
    >>> table.loc[("automation_rate", "rate"), ["before", "after"]].round(2).tolist()
    [0.19, 0.84]
    """
    for name, log in (("before", before), ("after", after)):
        if not isinstance(log, EventLog):
            raise CxError(f"{name} is a {type(log).__name__!r}; allowed: what cx.event_log returns")
        if log.n_cases < 2:
            raise DataError(f"the log {name} has {log.n_cases} case; at least 2 are needed")
    check_level(level)
    check_resamples(n_resamples, seed)
    seconds = check_unit(unit)
    logs = (before, after)
    times = [case_times(log)[list(TIMES)] / seconds for log in logs]
    rows: list[Row] = []
    all_ended = all(log.arrays.open_cases is None for log in logs)
    for measure in TIMES if all_ended else ():
        a, b = (of_log[measure].to_numpy(float) for of_log in times)
        if not (np.isnan(a).any() or np.isnan(b).any()):
            rows += _time_rows(measure, unit, a, b, level, n_resamples, seed)
    rows += [
        _combined_row(measure, "rate", "share", pair, level)
        for measure, pair in _rate_pairs(logs, contact, window).items()
    ]
    if not rows:
        raise CxError(
            "nothing to compare: times are not, where a log has cases that have not ended, and the "
            "logs have no rates; read both with open_ends='leave out', or compare their processes"
        )
    return ProcessChange(
        table=_table(rows),
        before=before,
        after=after,
        unit=unit,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=before.synthetic or after.synthetic,
        notes=_notes(logs),
    )


def _change_of_rate(before: float, change: float, lang: str) -> str:
    """Write the change of a rate: points first, then in per cent of the rate before."""
    points = round_half_up(Decimal(repr(100 * float(change))), 1)
    relative = Decimal(repr(100 * float(change) / float(before))) if before > 0 else None
    return format_change(relative, points, "rate", 1, lang)


def _time_rows(
    measure: str, unit: str, a: Array, b: Array, level: float, n_resamples: int, seed: int
) -> list[Row]:
    """Return the changes of mean, quantiles and, of times above 0, the ratio."""
    low, high, se, p, method = _mean_difference(a, b, level, n_resamples, seed)
    n = {"n_before": len(a), "n_after": len(b)}
    mean = {
        "measure": measure, "statistic": "mean", "unit": unit, "before": a.mean(),
        "after": b.mean(), "estimate": b.mean() - a.mean(), "ci_low": low, "ci_high": high,
        "se": se, "p_value": p, **n, "method": method,
    }  # fmt: skip
    rows = [mean]
    for statistic, share in QUANTILES.items():

        def pair(level: float, share: float = share) -> tuple[Estimate, Estimate]:
            return quantile(a, share, level), quantile(b, share, level)

        rows.append(_combined_row(measure, statistic, unit, pair, level))
    if min(a.min(), b.min()) > 0:
        x, y = np.log(a), np.log(b)
        low, high, se, p = _welch(x, y, level)
        columns = ("before", "after", "estimate", "ci_low", "ci_high")
        logarithms = [x.mean(), y.mean(), y.mean() - x.mean(), low, high]
        rows.append({
            "measure": measure, "statistic": "ratio", "unit": "ratio",
            **dict(zip(columns, np.exp(logarithms).tolist(), strict=True)),
            "se": se, "p_value": p, **n, "method": "Welch on logarithms",
        })  # fmt: skip
    return rows


def _welch(a: Array, b: Array, level: float) -> tuple[float, float, float, float]:
    """Return limits, standard error and p value of ``mean(b) - mean(a)`` by Welch's t."""
    from scipy.special import stdtr, stdtrit

    if min(len(a), len(b)) < 2:
        return (np.nan,) * 4
    variances = np.array([x.var(ddof=1) / len(x) for x in (a, b)])
    se, d = float(variances.sum() ** 0.5), float(b.mean() - a.mean())
    if not se > 1e-12 * max(1.0, abs(float(a.mean()))):
        return (np.nan,) * 4
    df = variances.sum() ** 2 / (variances**2 / np.array([len(a) - 1, len(b) - 1])).sum()
    reach = float(stdtrit(df, (1 + level) / 2)) * se
    return d - reach, d + reach, se, float(2 * stdtr(df, -abs(d) / se))


def _mean_difference(
    a: Array, b: Array, level: float, n_resamples: int, seed: int
) -> tuple[float, float, float, float, str]:
    low, high, se, p = _welch(a, b, level)
    if max(len(a), len(b)) * n_resamples > DRAWS or np.isnan(se):
        return low, high, se, p, "Welch"
    replicates = [
        replicate_means(times[:, None], n_resamples, [seed, i]) for i, times in enumerate((a, b))
    ]
    influence = np.r_[-(a - a.mean()) / len(a), (b - b.mean()) / len(b)][:, None]
    estimate = np.array([b.mean() - a.mean()])
    lows, highs = bca(replicates[1] - replicates[0], estimate, influence, level)
    return float(lows[0]), float(highs[0]), se, p, "BCa, p by Welch"


def _rate_pairs(
    logs: tuple[EventLog, EventLog], contact: str | list[str] | None, window: object
) -> dict[str, Pair]:
    """Return for every rate that both logs have: the estimates before and after."""
    sums = {}
    if contact is not None:
        contacts = [first_contact(log, contact, window) for log in logs]
        if any(np.isnan(of_log.solved).all() for of_log in contacts):
            raise DataError(f"a log has no case whose window of {window!r} is over")
        sums["first_contact_resolution"] = [of_log.rate() for of_log in contacts]
    flags = [flagged_events(log) for log in logs]
    for measure in flags[0]:
        if measure in flags[1]:
            sums[measure] = [
                rate_sums(of_log[measure], log.arrays.case)
                for of_log, log in zip(flags, logs, strict=True)
            ]

    def pair(measure: str) -> Pair:
        before, after = sums[measure]
        return lambda level: (before.at(level), after.at(level))

    return {measure: pair(measure) for measure in sums}


def _combined_row(measure: str, statistic: str, unit: str, pair: Pair, level: float) -> Row:
    """Return the change between two estimates from the intervals that each has by itself."""
    before, after = pair(level)
    low, high = square_and_add(before, after)
    method = "Newcombe" if unit == "share" else "order statistics"
    if "clustered" in before.method + after.method:
        method += ", clustered by case"
    return {
        "measure": measure, "statistic": statistic, "unit": unit, "before": before.estimate,
        "after": after.estimate, "estimate": after.estimate - before.estimate, "ci_low": low,
        "ci_high": high, "se": float(np.hypot(before.se, after.se)),
        "p_value": inverted_p(lambda level: square_and_add(*pair(level))),
        "n_before": before.n, "n_after": after.n, "method": method,
    }  # fmt: skip


def _table(rows: list[Row]) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(rows)
    place = list(table.columns).index("p_value") + 1
    table.insert(place, "p_adjusted", adjust(table["p_value"].to_numpy(float)))
    return table


def _notes(logs: tuple[EventLog, EventLog]) -> tuple[Text, ...]:
    accepted = [log.arrays.accepted is not None for log in logs]
    ends = [log.has_ends for log in logs]
    n_others = len(set(logs[0].activities) ^ set(logs[1].activities))
    is_open = any(log.arrays.open_cases is not None for log in logs)
    of_logs = [
        both(key, note=note)
        for key, log in zip(("process.note.before", "process.note.after"), logs, strict=True)
        for note in log.notes
    ]
    return (
        *of_logs,
        *note_if(accepted[0] != accepted[1], "process.note.change.accepted"),
        *note_if(ends[0] != ends[1], "process.note.change.ends"),
        *note_if(n_others > 0, "process.note.change.activities", n=n_others),
        *note_if(is_open, "process.note.change.open"),
    )
