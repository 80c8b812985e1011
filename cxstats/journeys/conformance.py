"""Conformance: how a log of sessions or cases departs from the path that was designed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.journeys.alignment import Alignments, Path, align
from cxstats.metrics.cluster_sums import TOO_FEW_CLUSTERS
from cxstats.metrics.means import mean
from cxstats.metrics.rates import rate
from cxstats.metrics.result import LEVEL, SHOWN
from cxstats.operations.event_log import EventLog, event_log
from cxstats.operations.timestamps import check_unit, quoted
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

OTHERS = ("insert", "ignore")
MOST_ADJUSTED = 50  # deviations in one regression, the most frequent
LEAST = 10  # sessions with a deviation, and without, below which no time is compared
NAMED_EVENTS = 12


@dataclass(frozen=True, eq=False, repr=False)
class Conformance(Result):
    """Deviations of a log from a designed path.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per deviation, the most frequent first: ``deviation`` ("skipped" or "inserted"),
        ``event`` (a step, or the event that fits no step at its place), ``estimate, se, ci_low,
        ci_high`` (share of sessions with it, clustered by user), ``n`` (sessions with it),
        ``moves`` (how often), ``with_it, without_it`` (mean duration of sessions with it and
        without), ``difference, difference_ci_low, difference_ci_high`` of these, and ``adjusted,
        adjusted_ci_low, adjusted_ci_high``, the difference between sessions that are alike in all
        other deviations (least squares, errors clustered by user). NaN where fewer than 10 sessions
        have it or have it not, and where it cannot be told from others.
    overall : pandas.DataFrame
        ``measure, estimate, se, ci_low, ci_high, n``: "conforming", the share of sessions without
        deviation; "fitness", the mean of ``1 - cost / (events + steps that are not optional)``.
    cost : integer array (sessions,)
        Deviations of each session, in the order of `sessions`.
    sessions : pandas.Index
    path : tuple of str
        The steps as written.
    unit : str
        Of durations.
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    overall: pd.DataFrame
    cost: NDArray[np.int64]
    sessions: pd.Index
    path: tuple[str, ...]
    unit: str
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("deviations",)
    codes: ClassVar = {
        "deviation": "conformance.deviation.{}",
        "measure": "conformance.measure.{}",
    }
    reference: ClassVar = (
        "Carmona, van Dongen, Solti & Weidlich (2018). Conformance checking: relating processes "
        "and models. Springer."
    )

    @property
    def conforming(self) -> float:
        """Share of the sessions that walk the path as designed."""
        return float(self.overall["estimate"].iloc[0])

    def findings(self, lang: str) -> list[str]:
        """Return the share that conforms, and the deviations."""
        row = self.overall.iloc[0]
        lines = [
            label(
                "conformance.head", lang, path=" → ".join(self.path),
                value=_share(row, lang), n=format_number(int(row["n"])),
            )
        ]  # fmt: skip
        for place in range(min(len(self.table), SHOWN)):
            lines.append("  " + self._row(self.table.iloc[place], lang))
        if len(self.table) > SHOWN:
            more = format_number(len(self.table) - SHOWN)
            lines.append("  " + label("metric.more", lang, count=more))
        return lines

    def _row(self, row: pd.Series[Any], lang: str) -> str:
        time = ""
        unit = label(f"process.unit.{self.unit}", lang)
        for name in ("difference", "adjusted"):
            if not np.isnan(row[name]):
                limits = interval_text(row[f"{name}_ci_low"], row[f"{name}_ci_high"], 1)
                value = f"{format_number(row[name], 1, sign=True)} {limits}"
                time += label(f"conformance.time.{name}", lang, value=value, unit=unit)
        return label(
            f"conformance.row.{row['deviation']}", lang, event=row["event"],
            value=_share(row, lang), n=format_number(int(row["n"])), time=time,
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the share of sessions with each deviation."""
        if self.table.empty:
            raise CxError("every session conforms: there is no deviation to draw")
        rows = self.table.head(SHOWN)
        names = [
            label(f"conformance.name.{row['deviation']}", lang, event=row["event"])
            for _, row in rows.iterrows()
        ]
        limits = [100 * rows[column] for column in ("estimate", "ci_low", "ci_high")]
        keywords = {
            "source": label("conformance.source", lang, n=format_number(len(self.cost))),
            "axis": label("conformance.axis", lang),
            "title": label("conformance.title", lang,
                           value=format_percent(100 * self.conforming, 1, lang)),
            "decimals": 1,
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return Chart("intervals", (names, *limits), keywords)


def _share(row: pd.Series[Any], lang: str) -> str:
    limits = interval_text(100 * row["ci_low"], 100 * row["ci_high"], 1)
    return f"{format_percent(100 * row['estimate'], 1, lang)} {limits}"


@long_work("conformance")
def conformance(  # noqa: PLR0913  (one keyword for each column of a log)
    log: Any,
    path: Sequence[Any],
    *,
    user: str | None = None,
    session: str | None = None,
    time: str | None = None,
    event: str | None = None,
    optional: Sequence[str] = (),
    repeated: Sequence[str] = (),
    others: str = "insert",
    unfinished: bool = False,
    unit: str = "minute",
    level: float = LEVEL,
) -> Conformance:
    """Compare a log with the path that was designed, by optimal alignments.

    Each session is aligned with the path at the lowest number of deviations, which is exact (see
    `cxstats.journeys.alignment`): a step that is skipped and an event that is inserted cost 1 each,
    so an event at the wrong place is one of both.

    Parameters
    ----------
    log : EventLog, or table as in `cxstats.event_log`
    path : sequence of steps
        Each an event, or a tuple of events of which one is enough. An event may be several steps.
    user, session, time, event : str
        Columns, of a table. Without `user`, sessions are taken as independent.
    optional, repeated : sequence of str
        Steps that may be left out, and steps that may follow themselves, by their (first) event.
    others : {"insert", "ignore"}
        Whether events that are no step of the path at all are insertions, or are left aside.
    unfinished : bool
        Whether a session may end after any step: what it has not come to is drop-off then, and no
        deviation.
    unit : {"second", "minute", "hour", "day"}
        Of durations.
    level : float

    Returns
    -------
    Conformance

    Raises
    ------
    DataError
        As `cxstats.event_log`; or naming a step that is not in the log.

    Notes
    -----
    The duration of a session is the time from its first to its last event. Sessions with a
    deviation differ from others in more than that deviation: the difference is an association and
    not what the deviation causes.

    Examples
    --------
    >>> import cxstats as cx
    >>> path = ["home", "product_view", "add_to_cart", "shipping_details", "payment_details",
    ...         "purchase"]
    >>> clicks = cx.simulate_clickstream(200, seed=1)
    >>> result = conformance(
    ...     clicks, path, user="user_id", session="session_id", time="timestamp", event="event",
    ...     repeated=["product_view"])
    >>> round(result.conforming, 3), result.table["event"].iloc[0]
    (0.142, 'purchase')
    """
    check_level(level)
    seconds = check_unit(unit)
    if others not in OTHERS:
        raise CxError(f"others={quoted(others)}; allowed: {', '.join(map(repr, OTHERS))}")
    if not isinstance(log, EventLog):
        for role, column in (("session", session), ("event", event), ("time", time)):
            if column is None:
                raise CxError(f"{role} is missing; allowed: the name of a column")
        log = event_log(log, case=session, activity=event, start=time, customer=user)
    if not isinstance(unfinished, bool):
        raise CxError(f"unfinished={quoted(unfinished)}; allowed: True, False")
    steps, designed = _path(path, optional, repeated, log)
    designed = replace(designed, unfinished=unfinished)
    arrays = log.arrays
    counted = np.ones(len(arrays.case), bool)
    if others == "ignore":
        of_path: Any = designed.matches.any(axis=1)
        counted = of_path[arrays.activity]
    length = np.bincount(arrays.case[counted], minlength=log.n_cases)
    aligned = align(arrays.activity[counted], length, designed)
    ends = np.flatnonzero(np.r_[arrays.first[1:], True])
    spans = arrays.end[ends] - arrays.start[np.flatnonzero(arrays.first)]
    duration = spans / 1e6 / seconds
    users = _users(log)
    frame = _Frame(log.n_cases, users, duration, level, log.synthetic)
    rows = _deviations(log, steps, designed, aligned, counted)
    ideal = int((~designed.optional).sum())
    fitness = 1 - aligned.cost / np.maximum(length + ideal, 1)
    ignored = log.activities[~designed.matches.any(axis=1)].tolist() if others == "ignore" else []
    few = 0 if users is None else int(users.max()) + 1
    return Conformance(
        table=frame.table(rows),
        overall=frame.overall(aligned.cost == 0, fitness),
        cost=aligned.cost,
        sessions=log.cases,
        path=steps,
        unit=unit,
        level=level,
        synthetic=log.synthetic,
        notes=(
            both("conformance.note.time", least=LEAST),
            *note_if(unfinished, "conformance.note.unfinished"),
            *note_if(bool(ignored), "conformance.note.ignored",
                     n=format_number(int((~counted).sum())), names=_some(ignored)),
            *note_if(users is None, "measured.note.no_user"),
            *note_if(0 < few < TOO_FEW_CLUSTERS, "conformance.note.few", n=few,
                     least=TOO_FEW_CLUSTERS),
            *log.notes,
        ),
    )  # fmt: skip


def _some(names: list[Any]) -> Text:
    more = len(names) - NAMED_EVENTS
    return listed([*names[:NAMED_EVENTS], *([f"… (+{more})"] if more > 0 else [])])


def _users(log: EventLog) -> NDArray[np.int64] | None:
    """Return the number of the user of each case (cases,); None where the log names none."""
    import pandas as pd

    if "customer" not in log.table.columns:
        return None
    of_first = log.table["customer"].to_numpy()[log.arrays.first]
    return np.asarray(pd.factorize(of_first)[0], np.int64)


def _path(path: Any, optional: Any, repeated: Any, log: EventLog) -> tuple[tuple[str, ...], Path]:
    """Return the steps in words, and the path over the activities of the log."""
    if isinstance(path, str) or not isinstance(path, Sequence) or not len(path):
        raise CxError(
            f"path={excerpt(path)}; allowed: a list of events, or of tuples of events of which one "
            "is enough"
        )
    steps = [tuple(step) if isinstance(step, (tuple, list)) else (step,) for step in path]
    there = log.activities.tolist()
    place = {name: i for i, name in enumerate(there)}
    missing = [
        event for step in steps for event in step
        if not isinstance(event, Hashable) or event not in place
    ]  # fmt: skip
    if missing or not all(steps):
        what = excerpt(missing[0]) if missing else "a step without event"
        raise DataError(
            f"path: {what} is not in the log; there: {listing(sorted(map(str, there)), 30)}"
        )
    matches = np.zeros((len(there), len(steps)), bool)
    for j, step in enumerate(steps):
        matches[[place[event] for event in step], j] = True
    flags = []
    for role, chosen in (("optional", optional), ("repeated", repeated)):
        names = list(chosen) if isinstance(chosen, (list, tuple, set, frozenset)) else [chosen]
        unknown = [name for name in names if all(name not in step for step in steps)]
        if unknown:
            raise CxError(f"{role}: {excerpt(unknown[0])} is no step of the path")
        flags.append(np.array([any(name in step for name in names) for step in steps]))
    if flags[0].all():
        raise CxError("every step of the path is optional; allowed: at least one that is not")
    written = tuple(" / ".join(map(str, step)) for step in steps)
    return written, Path(matches, flags[0], flags[1])


def _deviations(
    log: EventLog,
    steps: tuple[str, ...],
    path: Path,
    aligned: Alignments,
    counted: NDArray[np.bool_],
) -> list[tuple[str, str, Any, int]]:
    """Return kind, event, which sessions have it (cases,) and how often, of each deviation."""
    import pandas as pd

    rows = []
    for step in pd.unique(np.array(steps, object)):  # a step that stands twice is one deviation
        places = [j for j, name in enumerate(steps) if name == step]
        skipped = aligned.skipped[:, places]
        if skipped.any():
            rows.append(("skipped", str(step), skipped.any(axis=1), int(skipped.sum())))
    case = log.arrays.case[counted][aligned.inserted]
    activity = log.arrays.activity[counted][aligned.inserted]
    names: Any = log.activities.astype(str)
    for code, cases in pd.Series(case).groupby(activity):
        has = np.zeros(log.n_cases, bool)
        has[cases] = True
        rows.append(("inserted", names[code], has, len(cases)))
    return sorted(rows, key=lambda row: (-row[2].sum(), row[0], row[1]))


class _Frame:
    """Estimates of rates and times of cases, clustered by user."""

    def __init__(self, n: int, users: Any, duration: Any, level: float, synthetic: bool) -> None:
        self.n, self.users, self.duration = n, users, duration
        self.level, self.synthetic = level, synthetic
        self.several = users is None or len(np.unique(users)) > 1

    def _estimate(self, values: Any, share: bool = True) -> dict[str, float]:
        """Return a mean with its interval; without one where there is a single user."""
        options: dict[str, Any] = {"level": self.level}
        if self.users is not None and self.several:
            options["cluster"] = self.users
        metric = rate(values, **options) if share else mean(values, **options)
        row = metric.table.iloc[0]
        limits = ("se", "ci_low", "ci_high")
        missing = {} if self.several else dict.fromkeys(limits, np.nan)
        return {name: float(row[name]) for name in ("estimate", *limits)} | missing

    def overall(self, conforming: Any, fitness: Any) -> pd.DataFrame:
        import pandas as pd

        rows = [
            {"measure": "conforming", **self._estimate(conforming.astype(float)), "n": self.n},
            {"measure": "fitness", **self._estimate(fitness, share=False), "n": self.n},
        ]
        return pd.DataFrame(rows)

    def table(self, deviations: list[tuple[str, str, Any, int]]) -> pd.DataFrame:
        import pandas as pd

        columns = ["deviation", "event", "estimate", "se", "ci_low", "ci_high", "n", "moves",
                   "with_it", "without_it", "difference", "difference_ci_low",
                   "difference_ci_high", "adjusted", "adjusted_ci_low",
                   "adjusted_ci_high"]  # fmt: skip
        adjusted = self._adjusted([has for _, _, has, _ in deviations])
        rows = [
            {
                "deviation": kind,
                "event": event,
                **self._estimate(has.astype(float)),
                "n": int(has.sum()),
                "moves": moves,
                **self._time(has),
                **dict(zip(columns[-3:], limits, strict=True)),
            }
            for (kind, event, has, moves), limits in zip(deviations, adjusted, strict=True)
        ]
        return pd.DataFrame(rows, columns=columns)

    def _adjusted(self, deviations: list[Any]) -> Any:
        """Return the difference in duration by each deviation, others alike, with its interval.

        ``duration = a + sum(b_d has_d)`` by least squares.
        """
        import statsmodels.api as sm

        limits = np.full((len(deviations), 3), np.nan)
        enough = [i for i, has in enumerate(deviations)
                  if min(has.sum(), self.n - has.sum()) >= LEAST][:MOST_ADJUSTED]  # fmt: skip
        # Deviations that always come together cannot be told from each other.
        together = [[(deviations[i] == deviations[k]).all() for k in enough] for i in enough]
        rows = [i for i, same in zip(enough, together, strict=True) if sum(same) == 1]
        x = np.column_stack([np.ones(self.n), *(deviations[i] for i in rows)]).astype(float)
        groups = np.arange(self.n) if self.users is None else self.users
        rank = np.linalg.matrix_rank(x.T @ x, hermitian=True)
        if not rows or rank < x.shape[1] or len(np.unique(groups)) <= x.shape[1]:
            return limits  # with as many users as coefficients nothing is said of errors
        fit = sm.OLS(self.duration, x).fit()
        robust = fit.get_robustcov_results("cluster", groups=groups, use_t=True)
        estimates = np.column_stack([robust.params, robust.conf_int(1 - self.level)])
        limits[rows] = estimates[1:]
        return limits

    def _time(self, has: Any) -> dict[str, float]:
        """Return the mean durations with a deviation and without, and their difference."""
        import pandas as pd

        n = int(has.sum())
        means = {
            "with_it": float(self.duration[has].mean()),
            "without_it": float(self.duration[~has].mean()) if n < self.n else np.nan,
        }
        missing = dict.fromkeys(("difference", "difference_ci_low", "difference_ci_high"), np.nan)
        if min(n, self.n - n) < LEAST or not self.several:
            return means | missing
        data = {"duration": self.duration, "has": has}
        options: dict[str, Any] = {"column": "duration", "by": "has", "level": self.level}
        if self.users is not None:
            data["user"], options["cluster"] = self.users, "user"
        metric = mean(pd.DataFrame(data), **options)
        if not (metric.table["se"] > 0).any():
            return means | missing
        row = metric.compare(False, adjust=None).table.iloc[0]
        named = ("estimate", "ci_low", "ci_high")
        return means | dict(zip(missing, (float(row[name]) for name in named), strict=True))
