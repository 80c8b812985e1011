"""The journey as it is walked: stages reached, drop-off, return, time per stage and bounce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.journeys.click_log import OF_EVENT_LOG, Columns, Sessions, names_of, read_sessions
from cxstats.metrics.cluster_sums import TOO_FEW_CLUSTERS
from cxstats.metrics.means import COCHRAN, mean
from cxstats.metrics.rates import rate
from cxstats.metrics.result import LEVEL, SHOWN, Metric, group_text
from cxstats.operations.event_log import EventLog
from cxstats.operations.timestamps import check_unit, quoted, window_seconds
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.journeys.incidents import Incidents
    from cxstats.metrics.tracking.waves import Track

MEASURES = ("bounce", "reached", "drop_off", "return", "back", "time")
NAMED_EVENTS = 12  # events that a note names
# What columns of groups cannot be called, since the table or the sessions have such a column.
RESERVED = ("measure", "stage", "session", "user", "start", "n_events", "n_users", "unit", "median",
            "period", "outcome")  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredJourney(Result):
    """What sessions did on the way through the stages.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per measure and stage (and group): ``measure, stage``, the columns of `by`,
        ``estimate, se, ci_low, ci_high, n, n_users, unit``, and ``median`` of times. Intervals are
        clustered by user. Measures are

        - ``bounce``: sessions of one event; of all sessions.
        - ``reached``: sessions that reach the stage; of all sessions.
        - ``drop_off``: sessions that do not reach the next stage; of those that reach this one.
        - ``return``: sessions whose user begins another later; of those that drop off after this
          stage (of the last stage: of those that reach it).
        - ``back``: sessions that have an event of an earlier stage after they reached this one; of
          those that reach it.
        - ``time``: mean time from the events of the stage to the next event of any stage; of
          sessions that go on, since nothing says when the last event ends.
    events : pandas.DataFrame
        ``event, stage, n``: every event of the log, its stage (empty without one), how often.
    sessions : Sessions
        What the log holds, session by session.
    by : tuple of str
        Columns of groups.
    unit : str
        Of times.
    level : float
        Of the intervals.
    notes : tuple of Text
        What was counted how, and what is rough.
    """

    table: pd.DataFrame
    events: pd.DataFrame
    sessions: Sessions
    by: tuple[str, ...]
    unit: str
    level: float
    notes: tuple[Text, ...]

    kinds: ClassVar = ("drop_off", "time")
    codes: ClassVar = {"measure": "measured.measure.{}", "unit": "process.unit.{}"}
    reference: ClassVar = (
        "Binder (1983). On the variances of asymptotically normal estimators from complex surveys. "
        "International Statistical Review 51(3), 279-292.\n"
        "Korn & Graubard (1998). Confidence intervals for proportions with small expected number "
        "of positive counts estimated from survey data. Survey Methodology 24(2), 193-201."
    )

    @property
    def synthetic(self) -> bool:
        """Whether the log is simulated."""
        return self.sessions.synthetic

    @property
    def n_sessions(self) -> int:
        """The number of sessions."""
        return len(self.sessions.table)

    @property
    def n_users(self) -> int:
        """The number of users."""
        return int(self.sessions.table["user"].nunique())

    def measure(
        self,
        name: str,
        *,
        stage: str | None = None,
        by: str | Sequence[str] | None = None,
        every: str | None = None,
    ) -> Metric:
        """Return a measure by stage, group and time: what `cxstats.track` and `compare` take.

        Parameters
        ----------
        name : {"bounce", "reached", "drop_off", "return", "back", "time"}
        stage : str, optional
            Of this stage only; without it, by stage.
        by : str or sequence of str, optional
            Of the groups that the journey was measured by; without it, all together.
        every : str, optional
            By span of time, such as "7 days", in which sessions began, counted from the first day;
            in the column ``period``.

        Examples
        --------
        >>> import cxstats as cx
        >>> stages = ["home", "product_view", "add_to_cart"]
        >>> journey = cx.measured_journey(
        ...     cx.simulate_clickstream(100, seed=1), stages, user="user_id",
        ...     session="session_id", time="timestamp", event="event")
        >>> weekly = journey.measure("drop_off", stage="home", every="30 days")
        >>> len(cx.track(weekly).table)
        6
        """
        names = names_of("by", by)
        for column in names:
            if column not in self.by:
                raise CxError(
                    f"by={column!r}; allowed: {', '.join(map(repr, self.by)) or 'none'} (the "
                    "journey was measured by these)"
                )
        if stage is not None and stage not in self.sessions.stages:
            allowed = ", ".join(map(repr, self.sessions.stages))
            raise CxError(f"stage={quoted(stage)}; allowed: {allowed}")
        if name not in MEASURES:
            raise CxError(f"measure {quoted(name)}; allowed: {', '.join(map(repr, MEASURES))}")
        return stage_metric(self.sessions, name, names, (self.level, self.unit), stage, every)

    def track(
        self, name: str, every: str, *, stage: str | None = None, by: Any = None, **options: Any
    ) -> Track:
        """Return a measure over time with control limits and changes; see `cxstats.track`."""
        from cxstats.metrics.tracking.waves import track

        return track(self.measure(name, stage=stage, by=by, every=every), "period", **options)

    def incidents(self, **options: Any) -> Incidents:
        """Return where, when and for whom a step failed; see `cxstats.find_incidents`."""
        from cxstats.journeys.incidents import find_incidents

        return find_incidents(self, **options)

    def findings(self, lang: str) -> list[str]:
        """Return the stages with drop-off and times."""
        heads = label(
            "measured.head", lang, sessions=format_number(self.n_sessions),
            users=format_number(self.n_users), events=format_number(int(self.events["n"].sum())),
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip
        lines = [heads]
        rows: Any = self.table
        chosen = rows[rows["measure"].isin(["bounce", "drop_off", "time"])]
        for place in range(min(len(chosen), SHOWN)):
            lines.append("  " + self._row(chosen.iloc[place], lang))
        if len(chosen) > SHOWN:
            more = format_number(len(chosen) - SHOWN)
            lines.append("  " + label("metric.more", lang, count=more))
        return lines

    def _row(self, row: pd.Series[Any], lang: str) -> str:
        groups = " / ".join(group_text(row[name]) for name in self.by)
        values = {
            "stage": row["stage"],
            "group": label("measured.group", lang, group=groups) if groups else "",
            "n": format_number(int(row["n"])),
        }
        if row["measure"] == "time":
            value = f"{format_number(row['estimate'], 1)} "
            value += interval_text(row["ci_low"], row["ci_high"], 1)
            values["unit"] = label(f"process.unit.{self.unit}", lang)
        else:
            value = format_percent(100 * row["estimate"], 1, lang) + " "
            value += interval_text(100 * row["ci_low"], 100 * row["ci_high"], 1)
        return label(f"measured.row.{row['measure']}", lang, value=value, **values)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return drop-off, or time, by stage."""
        rows = self.table[(self.table["measure"] == kind) & self.table["estimate"].notna()]
        if rows.empty:
            raise CxError("no stage has an estimate to draw")
        names = [
            " / ".join([str(row["stage"]), *(group_text(row[name]) for name in self.by)])
            for _, row in rows.iterrows()
        ]
        scale = 100.0 if kind == "drop_off" else 1.0
        top = rows["estimate"].to_numpy().argmax()
        unit = label(f"process.unit.{self.unit}", lang)
        value = format_number(scale * rows["estimate"].iloc[top], 1)
        limits = [scale * rows[column] for column in ("estimate", "ci_low", "ci_high")]
        options = {
            "source": label("measured.source", lang, sessions=format_number(self.n_sessions),
                            users=format_number(self.n_users)),
            "axis": label(f"measured.axis.{kind}", lang, unit=unit),
            "title": label(f"measured.title.{kind}", lang, stage=names[top], value=value,
                           unit=unit),
            "decimals": 1,
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return Chart("intervals", (names, *limits), options)


@long_work("measured journey")
def measured_journey(  # noqa: PLR0913  (one keyword for each column of a log)
    log: Any,
    stages: Mapping[str, Any] | Sequence[str],
    *,
    user: str | None = None,
    session: str | None = None,
    time: str | None = None,
    event: str | None = None,
    by: str | Sequence[str] | None = None,
    order: str = "any",
    unit: str = "minute",
    level: float = LEVEL,
) -> MeasuredJourney:
    """Measure the journey from a log of events or clicks.

    Every rate is ``p = sum(y) / n`` over sessions, with Wilson's interval at the effective sample
    size of sessions that are clustered by user (Korn and Graubard); mean times have t intervals
    with the linearised error, also by user.

    Parameters
    ----------
    log : pandas, Polars (eager or lazy), PyArrow table, DuckDB relation, or EventLog
        One row per event. DuckDB and Polars add up themselves; only sessions leave them. Of an
        event log a case is a session, and its customer the user.
    stages : mapping of stage to event or events, or sequence of events
        From the first to the last. An event is in one stage at most; events of no stage count for
        bounce only, and a note names them.
    user, session, time, event : str
        Columns. Without `user`, sessions are taken as independent. Times without a zone are taken
        as they stand.
    by : str or sequence of str, optional
        Columns of groups: one value for all events of a session.
    order : {"any", "strict"}
        Whether a stage counts wherever it stands in the session, or only after the one before it
        (at the same time counts, too).
    unit : {"second", "minute", "hour", "day"}
        Of times per stage.
    level : float
        Of the intervals.

    Returns
    -------
    MeasuredJourney

    Raises
    ------
    DataError
        Naming column, row or session, and value: an event that is in two stages or not in the log,
        no session, user or time, a session of two users or of two groups.

    Examples
    --------
    >>> import cxstats as cx
    >>> shop = {"look": ["product_view"], "basket": ["add_to_cart", "cart"],
    ...         "shipping": "shipping_details", "payment": "payment_details", "order": "purchase"}
    >>> journey = measured_journey(
    ...     cx.load_clickstream(), shop, user="user_id", session="session_id", time="timestamp",
    ...     event="event")
    >>> rows = journey.table.set_index(["measure", "stage"])["estimate"].round(4)
    >>> rows["bounce"].item(), rows["reached", "order"].item(), rows["drop_off", "basket"].item()
    (0.0641, 0.1304, 0.3421)
    """
    check_level(level)
    check_unit(unit)
    groups = names_of("by", by)
    for name in groups:
        if name in RESERVED:
            raise CxError(f"by={quoted(name)} is the name of a column of the result; rename it")
    columns = _columns(log, {"session": session, "event": event, "time": time}, user, groups)
    sessions = read_sessions(log, stages, columns, order)
    table = _table(sessions, groups, (level, unit))
    return MeasuredJourney(
        table=table,
        events=sessions.events,
        sessions=sessions,
        by=groups,
        unit=unit,
        level=level,
        notes=(*_notes(sessions), *_notes_of_intervals(sessions, table)),
    )


def _columns(
    log: Any, named: dict[str, str | None], user: str | None, by: tuple[str, ...]
) -> Columns:
    if isinstance(log, EventLog):
        named = {role: name or OF_EVENT_LOG[role] for role, name in named.items()}
        if user is None and "customer" in log.table.columns:
            user = "customer"
    for role, name in named.items():
        if name is None:
            raise CxError(f"{role} is missing; allowed: the name of a column")
    roles = {role: str(name) if isinstance(name, str) else name for role, name in named.items()}
    return Columns(**roles, user=user, by=by)  # type: ignore[arg-type]


def stage_metric(
    sessions: Sessions,
    name: str,
    by: tuple[str, ...],
    options: tuple[float, str],
    stage: str | None = None,
    every: str | None = None,
) -> Metric:
    """Return a measure by stage, groups and time; see `MeasuredJourney.measure`."""
    rows, values = _outcomes(sessions, name)
    if stage is not None and name != "bounce":
        rows = rows & (np.array(sessions.stages) == stage)
    frame = _long(sessions, rows, values, by, every)
    if not len(frame):
        raise CxError(f"no session to measure {name!r} on")
    groups = [] if name == "bounce" or stage is not None else ["stage"]
    groups += [*by, *(["period"] if every is not None else [])]
    cluster = "user" if sessions.columns.user is not None else None
    return _estimate(frame, name, groups, options, cluster)


def _estimate(
    frame: pd.DataFrame, name: str, groups: list[str], options: tuple[float, str],
    cluster: str | None,
) -> Metric:  # fmt: skip
    level, unit = options
    common: dict[str, Any] = {
        "by": groups or None,
        "column": "outcome",
        "cluster": cluster,
        "level": level,
    }
    if name != "time":
        return rate(frame, name=name, **common)
    times = frame.assign(outcome=frame["outcome"] / check_unit(unit))
    return mean(times, name="time", low=0.0, **common)


def _outcomes(sessions: Sessions, name: str) -> tuple[Any, Any]:
    """Return which sessions and stages count (s, k) and their values; of bounce (s, 1)."""
    reached = sessions.reached
    if name == "bounce":
        bounced = (sessions.table["n_events"] == 1).to_numpy()[:, None]
        return np.ones_like(bounced), bounced
    if name == "reached":
        return np.ones_like(reached), reached
    dropped = reached & ~np.c_[reached[:, 1:], np.zeros(len(reached), bool)]
    if name == "drop_off":
        return reached & (np.arange(reached.shape[1]) < reached.shape[1] - 1), dropped
    if name == "return":
        return dropped, np.broadcast_to(sessions.returned[:, None], reached.shape)
    if name == "back":
        return reached & (np.arange(reached.shape[1]) > 0), sessions.went_back
    stays = sessions.final[:, None] == np.arange(reached.shape[1])
    return ~np.isnan(sessions.last) & ~stays, sessions.seconds


def _long(
    sessions: Sessions, rows: Any, values: Any, by: tuple[str, ...], every: str | None
) -> pd.DataFrame:
    """Return one row per session and stage that count."""
    import pandas as pd

    at, stage = np.nonzero(rows)
    table = sessions.table
    data: dict[str, Any] = {
        "outcome": np.asarray(values[at, stage], float),
        "user": table["user"].to_numpy()[at],
    }
    if rows.shape[1] > 1:
        names = pd.CategoricalDtype(list(sessions.stages), ordered=True)
        data["stage"] = pd.Categorical.from_codes(stage, dtype=names)
    data |= {name: table[name].take(at).reset_index(drop=True) for name in by}
    if every is not None:
        data["period"] = periods(table["start"], every).to_numpy()[at]
    frame = pd.DataFrame(data)
    frame.attrs["synthetic"] = sessions.synthetic
    return frame


def periods(start: pd.Series, every: str) -> pd.Series:
    """Return when the span of time begins that a time is in, counted from the first day."""
    import pandas as pd

    seconds = window_seconds(every)
    if seconds is None:
        raise CxError("every=None; allowed: a span of time such as '7 days'")
    origin, span = start.min().normalize(), pd.Timedelta(seconds=seconds)
    begins: pd.Series = origin + (start - origin) // span * span
    return begins


def _table(sessions: Sessions, by: tuple[str, ...], options: tuple[float, str]) -> pd.DataFrame:
    """Return every measure by stage and group, one below the other."""
    import pandas as pd

    tables = []
    for name in MEASURES:
        frame = _long(sessions, *_outcomes(sessions, name), by, None)
        if len(frame):
            tables.append(_rows(frame, name, sessions, by, options))
    columns = ["measure", "stage", *by, "estimate", "se", "ci_low", "ci_high", "median", "n",
               "n_users", "unit"]  # fmt: skip
    return pd.concat(tables, ignore_index=True)[columns]


def _rows(
    frame: pd.DataFrame,
    name: str,
    sessions: Sessions,
    by: tuple[str, ...],
    options: tuple[float, str],
) -> pd.DataFrame:
    """Return the rows of a measure for the table of the journey."""
    groups = [*(["stage"] if "stage" in frame else []), *by]
    clustered = sessions.columns.user is not None
    several = frame["user"].nunique() > 1
    metric = _estimate(frame, name, groups, options, "user" if clustered and several else None)
    table, limits = metric.table, ["se", "ci_low", "ci_high"]
    rows = table[[*groups, "estimate", *limits, "n"]].copy()
    if clustered and not several:  # sessions of a single user say nothing of others
        rows[limits] = np.nan
    rows["n_users"] = 1 if clustered else table["n"]
    if clustered and several:
        rows["n_users"] = table["n_clusters"]
    rows["stage"] = rows["stage"].astype(object) if "stage" in rows else None
    rows["measure"] = name
    rows["unit"] = options[1] if name == "time" else "share"
    rows["median"] = np.nan
    if name == "time":
        median = frame.groupby(groups, observed=True)["outcome"].median()
        keys = list(table[groups].itertuples(index=False, name=None))
        keys = keys if len(groups) > 1 else [key[0] for key in keys]
        rows["median"] = median.reindex(keys).to_numpy() / check_unit(options[1])
    return rows


def _notes(sessions: Sessions) -> list[Text]:
    outside = sessions.events[sessions.events["stage"].isna()]
    names = outside["event"].tolist()
    more = len(names) - NAMED_EVENTS
    named = listed([*names[:NAMED_EVENTS], *([f"… (+{more})"] if more > 0 else [])])
    reached = sessions.reached
    later = np.cumsum(reached[:, ::-1], axis=1)[:, ::-1] > 0
    skipped = int((later & ~reached).any(axis=1).sum())
    kind = "strict" if sessions.strict else "any"
    return [
        both(f"measured.note.order.{kind}", n=format_number(skipped)),
        *note_if(len(names) > 0, "measured.note.outside", n=format_number(int(outside["n"].sum())),
                 names=named),
        *note_if(sessions.columns.user is None, "measured.note.no_user"),
        *note_if(sessions.columns.user is not None, "measured.note.return"),
    ]  # fmt: skip


def _notes_of_intervals(sessions: Sessions, table: pd.DataFrame) -> list[Text]:
    """Return what is rough, and which sessions are in no group."""
    few = int((table["n_users"] < TOO_FEW_CLUSTERS).sum())
    groups = sessions.table[list(sessions.columns.by)]
    missing = int(groups.isna().any(axis=1).sum())
    frame = _long(sessions, *_outcomes(sessions, "time"), sessions.columns.by, None)
    times = frame.groupby(["stage", *sessions.columns.by], observed=True)["outcome"]
    skewed = int((times.size() < COCHRAN * times.skew().fillna(0) ** 2).sum())
    return [
        *note_if(few > 0, "measured.note.few", n=few, least=TOO_FEW_CLUSTERS),
        *note_if(skewed > 0, "measured.note.skewed", n=skewed),
        *note_if(missing > 0, "measured.note.ungrouped", n=format_number(missing)),
    ]
