"""A log of clicks as sessions: when each reached which stage, added up by the engine that holds it.

One pass groups the events by session; only the table of sessions leaves the engine, so that five
million events in DuckDB or Polars need no more memory than their sessions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas, fetched
from cxstats.core.errors import CxError, DataError
from cxstats.core.messages import excerpt, listing, no_column
from cxstats.operations.event_log import EventLog, value_codes
from cxstats.operations.timestamps import quoted, read_times

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

ALLOWED = "pandas, Polars, PyArrow, DuckDB relation, or an event log"
ORDERS = ("any", "strict")
EPOCH = dt.datetime(1970, 1, 1)
OF_EVENT_LOG = {"session": "case", "event": "activity", "time": "start"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a log hold what.

    Attributes
    ----------
    session, event, time : str
    user : str or None
        None where every session is its own user.
    by : tuple of str
        Columns with one value for all events of a session.
    """

    session: str
    event: str
    time: str
    user: str | None
    by: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that hold names."""
        return tuple(dict.fromkeys([self.session, self.event, *([self.user] if self.user else [])]))


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """The sessions of a log, s of them, with k stages.

    Attributes
    ----------
    table : pandas.DataFrame (s rows)
        ``session, user`` (number of the user), ``start`` (time of the first event), ``n_events``,
        and the columns of `by`; in the order of their starts.
    stages : tuple of str (k)
    events : pandas.DataFrame
        ``event, stage, n``: every event of the log, its stage (None without one) and how often.
    first, last : arrays (s, k)
        Microseconds since 1970 of the first and the last event of each stage; NaN where the session
        has none, or (`strict`) has not reached it in order.
    seconds : array (s, k)
        Seconds from the events of a stage to the next event of any stage, added up.
    final : integer array (s,)
        The stage of a session's last event that is in a stage; -1 without one.
    columns : Columns
    strict : bool
        Whether a stage counts only after the one before it.
    synthetic : bool
    """

    table: pd.DataFrame
    stages: tuple[str, ...]
    events: pd.DataFrame
    first: Array
    last: Array
    seconds: Array
    final: NDArray[np.int64]
    columns: Columns
    strict: bool
    synthetic: bool

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Which session reached which stage (s, k)."""
        return ~np.isnan(self.first)

    @property
    def returned(self) -> NDArray[np.bool_]:
        """Whether the same user begins another session later (s,)."""
        later = self.table["user"][::-1].duplicated()[::-1]
        return later.to_numpy(bool)

    @property
    def went_back(self) -> NDArray[np.bool_]:
        """Which session had, after it reached a stage, an event of an earlier one (s, k)."""
        earlier = np.fmax.accumulate(np.c_[np.full(len(self.last), np.nan), self.last[:, :-1]], 1)
        return np.asarray(earlier > self.first)


def names_of(option: str, value: Any) -> tuple[str, ...]:
    """Return one name or several as a tuple, or raise.

    Examples
    --------
    >>> names_of("by", "platform"), names_of("by", None), names_of("by", ["a", "b"])
    (('platform',), (), ('a', 'b'))
    """
    if value is None or isinstance(value, str):
        return () if value is None else (value,)
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise CxError(f"{option}={excerpt(value)}; allowed: a name, or a list of names")


def read_sessions(
    log: Any, stages: Mapping[str, Any] | Sequence[str], columns: Columns, order: str
) -> Sessions:
    """Read the sessions of a log.

    Parameters
    ----------
    log : pandas, Polars (eager or lazy), PyArrow table, DuckDB relation, or EventLog
    stages : mapping of stage to its event or events, or sequence of events
        From the first to the last, at least two.
    columns : Columns
    order : {"any", "strict"}

    Raises
    ------
    DataError, CxError
        Naming column, row or session, value and what is allowed.
    """
    if order not in ORDERS:
        raise CxError(f"order={quoted(order)}; allowed: {', '.join(map(repr, ORDERS))}")
    names, stage_of = check_stages(stages)
    table, decode, synthetic = _bind(log, columns)
    events = _events(table, decode, columns, stage_of, names)
    clicks = _clicks(table, events, len(names), order == "strict")
    grouped = fetched(_by_session(clicks, len(names), len(columns.by)))
    _check_sessions(grouped, decode, columns)
    start = grouped["start"].to_numpy(np.int64)
    grouped = grouped.iloc[_in_order(start, grouped["session"])].reset_index(drop=True)
    return Sessions(
        table=_table(grouped, decode, columns),
        stages=names,
        events=events[["event", "stage", "n"]],
        first=_wide(grouped, "first", len(names)),
        last=_wide(grouped, "last", len(names)),
        seconds=np.nan_to_num(_wide(grouped, "gap", len(names))) / 1e6,
        final=grouped["final"].fillna(-1).to_numpy(np.int64),
        columns=columns,
        strict=order == "strict",
        synthetic=synthetic,
    )


def _in_order(start: NDArray[np.int64], session: pd.Series) -> NDArray[np.int64]:
    """Return the order of sessions by start; those that begin together follow their names.

    The engine returns them in any order, and sorting the names of all would take longest of all.
    """
    import pandas as pd

    tied = pd.Series(start).duplicated(keep=False).to_numpy()
    name = np.zeros(len(start), np.int64)
    name[tied] = session[tied].astype(str).rank(method="dense").to_numpy(np.int64)
    return np.lexsort((name, start))


def check_stages(stages: Any) -> tuple[tuple[str, ...], dict[Any, int]]:
    """Return the stages' names and the place of the stage of every event named.

    Raises
    ------
    DataError
        If there are fewer than two stages, one stands twice or has no event, or an event is in two
        stages.

    Examples
    --------
    >>> check_stages({"look": ["home", "search"], "buy": "order"})
    (('look', 'buy'), {'home': 0, 'search': 0, 'order': 1})
    """
    if isinstance(stages, str) or not isinstance(stages, (Mapping, Sequence)):
        raise CxError(
            f"stages={excerpt(stages)}; allowed: stage and its events, such as {{'basket': "
            "['add', 'cart']}, or a list of events"
        )
    pairs = list(stages.items() if isinstance(stages, Mapping) else zip(stages, stages))  # noqa: B905
    stage_of: dict[Any, int] = {}
    names = [str(name) for name, _ in pairs]
    if len(names) < 2:
        raise DataError(f"{len(names)} stages; a journey needs at least 2")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"stage {twice[0]!r} stands twice")
    for place, (name, events) in enumerate(pairs):
        several = isinstance(events, (list, tuple, set, frozenset))
        for event in events if several else [events]:
            if not isinstance(event, Hashable) or isinstance(event, tuple):
                raise CxError(f"stage {str(name)!r}: {excerpt(event)} is no event; allowed: a name")
            if stage_of.get(event, place) != place:
                other = names[stage_of[event]]
                raise DataError(
                    f"event {excerpt(event)} is in two stages, {other!r} and {str(name)!r}; "
                    "allowed: one"
                )
            stage_of[event] = place
        if several and not events:
            raise DataError(f"stage {str(name)!r} has no event; allowed: at least one")
    return tuple(names), stage_of


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """What the codes of columns stand for, where the values stayed outside of the engine."""

    of: Mapping[str, Any]

    def value(self, column: str, code: Any) -> Any:
        return code if column not in self.of else self.of[column][int(code)]

    def values(self, column: str, codes: Any) -> Any:
        import pandas as pd

        if column not in self.of:
            return codes
        if not len(self.of[column]):
            return pd.Series([None] * len(codes), dtype=object)
        taken = pd.Series(self.of[column]).take(np.maximum(codes, 0)).reset_index(drop=True)
        return taken.where(np.asarray(codes) >= 0)


def _bind(log: Any, columns: Columns) -> tuple[Any, _Names, bool]:
    """Return the log for Narwhals, its columns under short names, and whether it is simulated."""
    import narwhals as nw
    import pandas as pd

    if isinstance(log, EventLog):
        frame = log.table
        frame = frame.assign(**{name: frame[name].astype(object) for name in columns.by
                                if name in frame})  # fmt: skip
        table, names = _bind_pandas(frame, columns)
        return table, names, log.synthetic
    if not isinstance(log, pd.DataFrame):
        try:
            table = nw.from_native(log)
        except TypeError as error:
            raise DataError(
                f"a table of type {type(log).__name__!r} cannot be read; allowed: {ALLOWED}"
            ) from error
        if not table.implementation.is_pyarrow():
            return _bind_engine(table, columns), _Names({}), False
    frame = as_pandas(log)
    table, names = _bind_pandas(frame, columns)
    return table, names, bool(frame.attrs.get("synthetic"))


def _bind_pandas(frame: pd.DataFrame, columns: Columns) -> tuple[Any, _Names]:
    """Return the columns of a pandas frame as numbers, and what they stand for."""
    import narwhals as nw
    import pandas as pd

    _check_columns(columns, list(frame.columns))
    if len(frame) == 0:
        raise DataError("the table has no rows")
    names: dict[str, Any] = {}
    data: dict[str, Any] = {"time": read_times(frame, columns.time).microseconds}
    for short, name in _short(columns).items():
        if short in ("session", "event", "user"):
            codes, values = value_codes(frame, name)
        else:
            _check_hashable(frame[name], name)
            codes, values = pd.factorize(frame[name])
        data[short], names[short] = codes, values
    return nw.from_native(pd.DataFrame(data)).lazy(), _Names(names)


def _check_hashable(column: pd.Series, name: str) -> None:
    from cxstats.core.cells import check_group_values

    check_group_values(column, name)


def _bind_engine(table: Any, columns: Columns) -> Any:
    """Return the columns of a table of another engine, times as microseconds since 1970."""
    import narwhals as nw

    schema = table.collect_schema()
    _check_columns(columns, schema.names())
    kind = schema[columns.time]
    if not isinstance(kind, nw.Datetime):
        raise DataError(
            f"column {columns.time!r} holds {kind}; allowed: dates with times of day (of pandas "
            "also text such as '2024-03-01 09:30')"
        )
    time = nw.col(columns.time)
    if table.implementation.is_duckdb():
        epoch = EPOCH.replace(tzinfo=dt.UTC) if kind.time_zone else EPOCH
        time = (time - nw.lit(epoch)).dt.total_microseconds()
    else:
        time = time.dt.timestamp("us")
    chosen = [time.alias("time")]
    for short, name in _short(columns).items():
        of = schema[name]
        if of.is_nested() or of == nw.Object:
            raise DataError(f"column {name!r} holds {of}; allowed: one value per row")
        coded = isinstance(of, (nw.Categorical, nw.Enum))
        chosen.append((nw.col(name).cast(nw.String) if coded else nw.col(name)).alias(short))
    return table.lazy().select(*chosen)


def _short(columns: Columns) -> dict[str, str]:
    """Return short names of the columns, whatever they are called."""
    short = {"session": columns.session, "event": columns.event}
    if columns.user is not None:
        short["user"] = columns.user
    return short | {f"by{i}": name for i, name in enumerate(columns.by)}


def _check_columns(columns: Columns, there: Sequence[Any]) -> None:
    for role in ("session", "event", "time", "user"):
        name = getattr(columns, role)
        if name is None and role == "user":
            continue
        if not isinstance(name, str):
            raise CxError(f"{role}={excerpt(name)}; allowed: the name of a column")
        if name not in there:
            raise DataError(f"{role}: {no_column(name, there)}")
        if list(there).count(name) > 1:
            raise DataError(f"{role}: column {name!r} stands twice in the table")
    if columns.session == columns.event:
        raise CxError(f"session and event are both column {columns.session!r}")
    for name in columns.by:
        if name not in there:
            raise DataError(f"by: {no_column(name, there)}")
        if name in (columns.session, columns.event, columns.time):
            raise CxError(f"by={name!r} is a column of sessions, events or times")
        if columns.by.count(name) > 1:
            raise CxError(f"by: column {name!r} is named twice")


def _events(
    table: Any, decode: _Names, columns: Columns, stage_of: Mapping[Any, int], names: Sequence[str]
) -> pd.DataFrame:
    """Return every event of the log with its stage and its number.

    Raises
    ------
    DataError
        If an event of a stage is not in the log, or a row has no event.
    """
    import narwhals as nw
    import pandas as pd

    counts = fetched(table.group_by("event").agg(nw.len().alias("n")))
    if not len(counts):
        raise DataError("the table has no rows")
    _check_blank(counts["event"], counts["n"], decode, columns, "event")
    codes = counts["event"].tolist()
    events = [decode.value("event", code) for code in codes]
    missing = [event for event in stage_of if event not in set(events)]
    if missing:
        raise DataError(
            f"event {excerpt(missing[0])} of stage {names[stage_of[missing[0]]]!r} is not in "
            f"column {columns.event!r}; there: {listing(sorted(map(str, events)), 30)}"
        )
    place = [stage_of.get(event, -1) for event in events]
    frame = pd.DataFrame(
        {
            "event": pd.Series([str(event) for event in events], dtype=object),
            "stage": pd.Series([names[k] if k >= 0 else None for k in place], dtype=object),
            "n": counts["n"].astype(np.int64),
            "_code": pd.Series(codes, dtype=object),
            "_place": place,
        }
    )
    frame["_rank"] = frame["_place"].replace(-1, len(names))
    return frame.sort_values(
        ["_rank", "n", "event"], ascending=[True, False, True], ignore_index=True
    ).drop(columns="_rank")


def _check_blank(
    values: pd.Series, n: pd.Series, decode: _Names, columns: Columns, role: str
) -> None:
    """Raise if rows have no value where every event needs one (of pandas that is known)."""
    if role in decode.of:
        return
    import pandas as pd

    blank = values.isna()
    if pd.api.types.is_string_dtype(values.dtype) or values.dtype == object:
        blank |= (values.astype("str").str.strip() == "").fillna(value=False).astype(bool)
    if blank.any():
        raise DataError(
            f"column {getattr(columns, role)!r} is empty in {int(n[blank].sum()):,} rows; every "
            "event needs one"
        )


def _clicks(table: Any, events: pd.DataFrame, k: int, strict: bool) -> Any:
    """Return the events with stage, time to the next event of a stage, and time if it counts."""
    import narwhals as nw

    stage = nw.lit(k)  # outside of all stages
    for place in range(k):
        members = events.loc[events["_place"] == place, "_code"].tolist()
        stage = nw.when(nw.col("event").is_in(members)).then(nw.lit(place)).otherwise(stage)
    others = [name for name in table.collect_schema().names() if name != "event"]
    clicks = table.select(*others, stage.alias("stage"))  # names of events cost most memory
    clicks = clicks.with_columns((nw.col("stage") == k).alias("outside"))
    # At the same time, the earlier stage comes first.
    following = nw.col("time").shift(-1).over("session", "outside", order_by=["time", "stage"])
    clicks = clicks.with_columns((following - nw.col("time")).alias("gap"))
    for place in range(k):
        counts = nw.col("stage") == place
        if strict and place:
            reached = nw.col(f"at{place - 1}").min().over("session")
            counts = counts & (nw.col("time") >= reached)
        clicks = clicks.with_columns(nw.when(counts).then(nw.col("time")).alias(f"at{place}"))
    return clicks


def _by_session(clicks: Any, k: int, by: int) -> Any:
    """Return one row per session: its user, span, number of events, and times of each stage."""
    import narwhals as nw

    time, gap = nw.col("time"), nw.col("gap")
    names = clicks.collect_schema().names()
    of_stage: dict[str, Any] = {}
    for place in range(k):
        inside = nw.col("stage") == place
        of_stage |= {
            f"first{place}": nw.col(f"at{place}"),
            f"last{place}": nw.when(inside).then(time),
            f"gap{place}": nw.when(inside).then(gap),
        }
    ending = nw.when((nw.col("stage") < k) & gap.is_null()).then(nw.col("stage"))
    groups = [*(["user"] if "user" in names else []), *(f"by{i}" for i in range(by))]
    blank = {f"{name}_missing": nw.col(name).is_null().cast(nw.Int64) for name in groups}
    blank["untimed"] = time.is_null().cast(nw.Int64)
    other = {f"{name}_other": nw.col(name) for name in groups}
    wide = clicks.with_columns(**of_stage, **blank, **other, final=ending, start=time)
    how = {"first": "min", "last": "max", "gap": "sum"}
    added = [getattr(nw.col(name), how[name.rstrip("0123456789")])() for name in of_stage]
    added += [nw.len().alias("n_events"), nw.col("start").min(), nw.col("final").max()]
    added += [nw.col(name).sum() for name in blank]
    added += [nw.col(name).min() for name in groups] + [nw.col(name).max() for name in other]
    return wide.group_by("session").agg(*added)


def _check_sessions(grouped: pd.DataFrame, decode: _Names, columns: Columns) -> None:
    """Raise if an event has no session, user or time, or a session has two users or groups."""
    _check_blank(grouped["session"], grouped["n_events"], decode, columns, "session")
    untimed = int(grouped["untimed"].sum())
    if untimed:
        raise DataError(f"column {columns.time!r}: no time in {untimed:,} rows")
    names = {"user": columns.user} if columns.user is not None else {}
    for short, name in (names | {f"by{i}": name for i, name in enumerate(columns.by)}).items():
        n_missing = int(grouped[f"{short}_missing"].sum())
        if short == "user":
            _check_blank(grouped["user"], grouped["n_events"], decode, columns, "user")
            if n_missing:
                raise DataError(f"column {name!r} is empty in {n_missing:,} rows; every event "
                                "needs one")  # fmt: skip
        some = (grouped[f"{short}_missing"] > 0) & grouped[short].notna()
        both = grouped[short].notna() & (grouped[short] != grouped[f"{short}_other"])
        rows = np.flatnonzero(both | some)
        if len(rows):
            # Engines give groups in any order; the message names the first session by name.
            first = int(rows[np.argmin(grouped["session"].to_numpy()[rows])])
            row = grouped.iloc[first]
            values = [_written(decode, short, row[end]) for end in (short, f"{short}_other")]
            said = " and ".join(dict.fromkeys(values)) + (" and none" if some.iloc[first] else "")
            more = f" ({len(rows):,} such sessions)" if len(rows) > 1 else ""
            session = _written(decode, "session", row["session"])
            raise DataError(
                f"session {session} has {said} in column {name!r}{more}; allowed: one for all "
                "events of a session"
            )


def _written(decode: _Names, short: str, code: Any) -> str:
    if short in decode.of and short.startswith("by") and code < 0:
        return "none"
    return quoted(decode.value(short, code))


def _wide(grouped: pd.DataFrame, stem: str, k: int) -> Array:
    return grouped[[f"{stem}{place}" for place in range(k)]].to_numpy(float, na_value=np.nan)


def _table(grouped: pd.DataFrame, decode: _Names, columns: Columns) -> pd.DataFrame:
    """Return the sessions under the names of the log."""
    import pandas as pd

    session = decode.values("session", grouped["session"].to_numpy())
    user = grouped["user"] if columns.user is not None else pd.Series(range(len(grouped)))
    start = grouped["start"].to_numpy(np.int64).astype("datetime64[us]")
    data: dict[str, Any] = {
        "session": session,
        "user": pd.factorize(user)[0].astype(np.int64),
        "start": start,
        "n_events": grouped["n_events"].to_numpy(np.int64),
    }
    for i, name in enumerate(columns.by):
        data[name] = decode.values(f"by{i}", grouped[f"by{i}"].to_numpy())
    return pd.DataFrame(data)
