"""Two logs of one process compared: before and after a change."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import (
    as_html,
    format_change,
    format_number,
    format_percent,
    interval,
    p_text,
    round_half_up,
)
from cxstats.core.language import label
from cxstats.core.moments import check_resamples
from cxstats.operations.case_times import case_times
from cxstats.operations.estimates import (
    DRAWS,
    Estimate,
    inverted_p,
    quantile,
    rate_sums,
    square_and_add,
)
from cxstats.operations.event_log import EventLog
from cxstats.operations.process import STATISTICS, TIMES, digits_for
from cxstats.operations.rates import first_contact
from cxstats.operations.timestamps import check_unit
from cxstats.stats.bootstrap import bca, replicate_means
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProcessChange:
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
        As given.
    synthetic : bool
        Whether one of the logs is simulated.
    notes : tuple of str
    """

    table: pd.DataFrame
    before: EventLog
    after: EventLog
    unit: str
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[str, ...]

    def summary(self, lang: str = "en") -> str:
        """Return the changes in a few lines."""
        head = label(
            "process.change.head",
            lang,
            before=format_number(self.before.n_cases),
            after=format_number(self.after.n_cases),
            level=format_percent(100 * self.level, None, lang),
        )
        lines = [head] + ([label("process.synthetic", lang)] if self.synthetic else [])
        lines += [self._row(row, lang) for _, row in self.table.iterrows()]
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def _row(self, row: pd.Series, lang: str) -> str:
        measure, statistic = row["measure"], row["statistic"]
        share, ratio = row["unit"] == "share", statistic == "ratio"
        scale, digits = (100, 1) if share else (1, digits_for(row["after"]))

        def number(column: str, sign: bool = False) -> str:
            return format_number(scale * row[column], digits, sign)

        words = {
            "name": label(f"process.measure.{measure}", lang),
            "before": number("before"),
            "after": number("after"),
            "change": ("× " if ratio else "") + number("estimate", not ratio),
            "unit": "" if ratio or share else " " + label(f"process.unit.{self.unit}", lang),
            "interval": interval(scale * row["ci_low"], scale * row["ci_high"], digits),
            "p": p_text(row["p_adjusted"]),
        }
        if share:
            words["change"] = _change_of_rate(row["before"], row["estimate"], lang)
            return label("process.change.row.rate", lang, **words)
        which = label(f"process.statistic.{statistic}", lang)
        return label("process.change.row", lang, statistic=which, **words)

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the changes of rates, in points, with their intervals."""
        from cxstats.charts.intervals import intervals

        rows = self.table[self.table["unit"] == "share"]
        if not len(rows):
            raise CxError("the logs have no rates to draw; see `.table` for times")
        names = [label(f"process.measure.{name}", lang) for name in rows["measure"]]
        beyond = int(((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).sum())
        given: dict[str, Any] = {
            "title": label("process.change.title", lang, k=beyond, n=len(rows)),
            "source": label("process.change.source", lang, before=self.before.n_cases,
                            after=self.after.n_cases),
            "level": self.level, "decimals": 1, "synthetic": self.synthetic, "lang": lang,
            "axis": label("process.change.axis", lang), "ax": ax, **options,
        }  # fmt: skip
        columns = (100 * rows[name] for name in ("estimate", "ci_low", "ci_high"))
        return intervals(names, *columns, **given)

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


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
    Two periods differ in more than the change that was made between them (season, volume, kinds
    of cases); the intervals do not know of that.

    References
    ----------
    Newcombe (1998). Interval estimation for the difference between independent proportions.
    Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> from cxstats.datasets.simulate_loan_log import simulate_loan_log
    >>> from cxstats.operations import event_log
    >>> old, new = (
    ...     event_log(simulate_loan_log(300, seed=1, redesigned=redesigned), case="case",
    ...               activity="activity", start="start", end="end", automated="automated",
    ...               accepted="accepted") for redesigned in (False, True))
    >>> found = process_change(old, new, unit="day").table.set_index(["measure", "statistic"])
    >>> found.loc[("automation_rate", "rate"), ["before", "after"]].round(2).tolist()
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
    times = [case_times(log)[list(TIMES.values())] / seconds for log in logs]
    rows = []
    for name, column in TIMES.items():
        a, b = (part[column].to_numpy(float) for part in times)
        if not (np.isnan(a).any() or np.isnan(b).any()):
            rows += _compare_times(name, unit, a, b, level, n_resamples, seed)
    for name, pair in _rates(logs, contact, window).items():
        rows.append(_compare_rates(name, pair, level))
    table = _table(rows)
    synthetic = before.synthetic or after.synthetic
    return ProcessChange(
        table, before, after, unit, level, n_resamples, seed, synthetic, _notes(logs)
    )


def _change_of_rate(before: float, change: float, lang: str) -> str:
    """Write the change of a rate: points first, then in per cent of the rate before."""
    points = round_half_up(Decimal(repr(100 * float(change))), 1)
    relative = Decimal(repr(100 * float(change) / float(before))) if before > 0 else None
    return format_change(relative, points, "rate", 1, lang)


def _compare_times(
    name: str, unit: str, a: Array, b: Array, level: float, n_resamples: int, seed: int
) -> list[list[Any]]:
    size = [len(a), len(b)]
    low, high, se, p, method = _mean_difference(a, b, level, n_resamples, seed)
    ends = [low, high, se, p, *size, method]
    rows: list[list[Any]] = [[name, "mean", unit, a.mean(), b.mean(), b.mean() - a.mean(), *ends]]
    for statistic, share in STATISTICS.items():
        if share is None:
            continue

        def at(level: float, share: float = share) -> tuple[Estimate, Estimate]:
            return quantile(a, share, level), quantile(b, share, level)

        rows.append(_combined(name, statistic, unit, at, level))
    if min(a.min(), b.min()) > 0:
        x, y = np.log(a), np.log(b)
        low, high, se, p = _welch(x, y, level)
        values = np.exp([x.mean(), y.mean(), y.mean() - x.mean(), low, high]).tolist()
        rows.append([name, "ratio", "ratio", *values, se, p, *size, "Welch on logarithms"])
    return rows


def _welch(a: Array, b: Array, level: float) -> tuple[float, float, float, float]:
    """Return limits, standard error and p value of ``mean(b) - mean(a)`` by Welch's t."""
    from scipy.special import stdtr, stdtrit

    if min(len(a), len(b)) < 2:
        return (np.nan,) * 4
    parts = np.array([x.var(ddof=1) / len(x) for x in (a, b)])
    se, d = float(parts.sum() ** 0.5), float(b.mean() - a.mean())
    if not se > 1e-12 * max(1.0, abs(float(a.mean()))):
        return (np.nan,) * 4
    df = parts.sum() ** 2 / (parts**2 / np.array([len(a) - 1, len(b) - 1])).sum()
    reach = float(stdtrit(df, (1 + level) / 2)) * se
    return d - reach, d + reach, se, float(2 * stdtr(df, -abs(d) / se))


def _mean_difference(
    a: Array, b: Array, level: float, n_resamples: int, seed: int
) -> tuple[float, float, float, float, str]:
    low, high, se, p = _welch(a, b, level)
    if max(len(a), len(b)) * n_resamples > DRAWS or np.isnan(se):
        return low, high, se, p, "Welch"
    drawn = [
        replicate_means(part[:, None], n_resamples, [seed, i]) for i, part in enumerate((a, b))
    ]
    influence = np.r_[-(a - a.mean()) / len(a), (b - b.mean()) / len(b)][:, None]
    estimate = np.array([b.mean() - a.mean()])
    lows, highs = bca(drawn[1] - drawn[0], estimate, influence, level)
    return float(lows[0]), float(highs[0]), se, p, "BCa, p by Welch"


def _rates(
    logs: tuple[EventLog, EventLog], contact: str | list[str] | None, window: object
) -> dict[str, list[Callable[[float], Estimate]]]:
    """Return for every rate that both logs have: the estimate before and after, by level."""
    both = [name for name in ("automated", "error", "manual") if all(name in x.table for x in logs)]
    names = {"automated": "automation_rate", "error": "error_rate", "manual": "manual_rate"}
    found: dict[str, list[Callable[[float], Estimate]]] = {}
    if contact is not None:
        parts = [first_contact(log, contact, window) for log in logs]
        known = [~np.isnan(part.solved) for part in parts]
        if not all(mask.any() for mask in known):
            raise DataError(f"a log has no case whose window of {window!r} is over")
        found["first_contact_resolution"] = [
            rate_sums(part.solved[mask] == 1, part.cluster[mask]).at
            for part, mask in zip(parts, known, strict=True)
        ]
    for role in both:
        found[names[role]] = [
            rate_sums(log.table[role].to_numpy(bool), log.arrays.case).at for log in logs
        ]
    if "error" in both and "manual" in both:
        either = [(x.table["error"] | x.table["manual"]).to_numpy(bool) for x in logs]
        found["error_or_manual_rate"] = [
            rate_sums(hits, log.arrays.case).at for hits, log in zip(either, logs, strict=True)
        ]
    return found


def _compare_rates(name: str, pair: list[Callable[[float], Estimate]], level: float) -> list[Any]:
    def at(level: float) -> tuple[Estimate, Estimate]:
        return pair[0](level), pair[1](level)

    return _combined(name, "rate", "share", at, level)


def _combined(
    name: str,
    statistic: str,
    unit: str,
    at: Callable[[float], tuple[Estimate, Estimate]],
    level: float,
) -> list[Any]:
    """Return a row for two estimates whose own intervals are combined."""
    old, new = at(level)
    low, high = square_and_add(old, new)
    method = "Newcombe" if unit == "share" else "order statistics"
    if "clustered" in old.method + new.method:
        method += ", clustered by case"
    p = inverted_p(lambda level: square_and_add(*at(level)))
    se = float(np.hypot(old.se, new.se))
    d = new.estimate - old.estimate
    head = [name, statistic, unit, old.estimate, new.estimate, d]
    return [*head, low, high, se, p, old.n, new.n, method]


def _table(rows: list[list[Any]]) -> pd.DataFrame:
    import pandas as pd

    columns = ["measure", "statistic", "unit", "before", "after", "estimate", "ci_low", "ci_high"]
    columns += ["se", "p_value", "n_before", "n_after", "method"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(10, "p_adjusted", adjust(table["p_value"].to_numpy(float)))
    return table


def _notes(logs: tuple[EventLog, EventLog]) -> tuple[str, ...]:
    notes = [
        f"{name}: {note}"
        for name, log in zip(("before", "after"), logs, strict=True)
        for note in log.notes
    ]
    known = [log.arrays.accepted is not None for log in logs]
    if known[0] != known[1]:
        notes.append("acceptance is known in one log only: lead times do not begin alike")
    if logs[0].has_ends != logs[1].has_ends:
        notes.append("one log has no end times: handling and waiting are not compared")
    others = set(logs[0].activities) ^ set(logs[1].activities)
    if others:
        notes.append(
            f"{len(others)} activities are in one log only; rates are of all events of each log"
        )
    return tuple(notes)
