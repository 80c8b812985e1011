"""The register of feedback: what came in and what became of it; read, checked, with a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import as_labels, check_group_values
from cxstats.core.engines import is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing, look, no_column, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Result
from cxstats.operations.timestamps import check_format, read_times

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.metrics.result import Metric
    from cxstats.voice.alerts import ComplaintAlerts
    from cxstats.voice.closing_times import FeedbackTimes, PromisesKept
    from cxstats.voice.loop import FeedbackFunnel, OpenItems

# Heads by which a column is recognised where none is named, without regard to case and spaces.
HEADS = {
    "item": ("id", "item", "item id", "ticket", "ticket id", "case id", "feedback id", "number",
             "编号", "反馈编号", "工单号", "工单编号", "序号"),
    "date": ("date", "received", "created", "collected", "date received", "created at", "opened",
             "日期", "反馈日期", "反馈时间", "收集时间", "收集日期", "创建时间", "受理时间",
             "时间"),
    "channel": ("channel", "source", "渠道", "反馈渠道", "来源"),
    "customer": ("customer", "customer id", "client", "user", "user id",
                 "客户", "客户编号", "客户号", "用户", "用户编号"),
    "text": ("text", "comment", "feedback", "message", "description", "verbatim",
             "内容", "反馈内容", "反馈", "意见", "描述"),
    "category": ("class", "category", "type", "topic",
                 "类别", "分类", "类型", "反馈类型", "反馈类别"),
    "owner": ("owner", "responsible", "assignee", "team",
              "负责人", "责任人", "处理人", "责任部门"),
    "answered": ("answered", "answered at", "replied", "first reply", "response date",
                 "回复时间", "答复时间", "回复日期", "首次回复时间", "响应时间"),
    "closed": ("closed", "closed at", "resolved", "date closed", "resolved at",
               "关闭时间", "关闭日期", "闭环时间", "闭环日期", "解决时间", "办结时间"),
    "adopted": ("adopted", "implemented", "accepted",
                "采纳", "是否采纳", "已采纳", "落实", "是否落实"),
    "reopened": ("reopened", "reopenings", "times reopened",
                 "重开", "是否重开", "重开次数", "重新打开"),
}  # fmt: skip
EVENTS = ("answered", "closed")
GROUPS = ("category", "channel", "owner")
RULES = {"duplicates": ("drop", "keep", "refuse"), "impossible": ("drop", "refuse")}
YES = {"yes", "y", "true", "1", "1.0", "x", "是", "已采纳", "采纳", "有", "已落实"}
NO = {"no", "n", "false", "0", "0.0", "否", "未采纳", "不采纳", "无", "未落实"}
# What is done with the rows that have a problem, where no rule says so.
ACTIONS = {
    "missing_date": "drop",
    "after_until": "drop",
    "answered_after_until": "open",
    "closed_after_until": "open",
}


@dataclass(frozen=True, eq=False, repr=False)
class FeedbackRegister(Result):
    """A checked register of feedback. It holds no texts of customers.

    Attributes
    ----------
    table : pandas.DataFrame
        The report, one row per check: ``problem, n`` (rows that have it), ``share`` (of all rows
        read), ``action`` ("none" where no row has the problem; "keep", "drop", or "open": the item
        counts as still open at `until`).
    data : pandas.DataFrame
        One row per item that is used: ``item, date, channel, customer, category, owner, answered,
        closed, adopted, adopted_at, reopened`` as far as the table has them.
    columns : mapping of str to str
        Which column of the table each of them was.
    n, n_open : int
        Items, and those that are not closed.
    first, until : pandas.Timestamp
        When the first item came in, and when the register was drawn up.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    data: pd.DataFrame
    columns: Mapping[str, str]
    n: int
    n_open: int
    first: pd.Timestamp
    until: pd.Timestamp
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"problem": "register.problem.{}", "action": "register.action.{}"}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the report alone: the items name customers."""
        return {"table": self.table}

    def findings(self, lang: str) -> list[str]:
        """Return what there is, and what the checks met."""
        lines = [
            label(
                "register.head",
                lang,
                n=format_number(self.n),
                open=format_number(self.n_open),
                first=f"{self.first:%Y-%m-%d}",
                until=f"{self.until:%Y-%m-%d %H:%M}",
            )
        ]
        for _, row in self.table[self.table["n"] > 0].iterrows():
            lines.append(
                label(
                    "register.line",
                    lang,
                    problem=label(f"register.problem.{row['problem']}", lang),
                    n=format_number(row["n"]),
                    share=format_percent(100 * row["share"], 1, lang),
                    action=label(f"register.action.{row['action']}", lang),
                )
            )
        return lines

    def times(self, event: str = "closed", by: str | None = None, **options: Any) -> FeedbackTimes:
        """Estimate times until items are answered or closed; see `voice.feedback_times`."""
        from cxstats.voice.closing_times import feedback_times

        return feedback_times(self, event, by, **options)

    def promises(self, promise: Mapping[str, Any], **options: Any) -> PromisesKept:
        """Estimate how many items are answered or closed in time; see `voice.promises_kept`."""
        from cxstats.voice.closing_times import promises_kept

        return promises_kept(self, promise, **options)

    def funnel(self, within: Any = "30 days", **options: Any) -> FeedbackFunnel:
        """Follow items from coming in to adoption; see `voice.feedback_funnel`."""
        from cxstats.voice.loop import feedback_funnel

        return feedback_funnel(self, within, **options)

    def open_items(self, **options: Any) -> OpenItems:
        """Count open items by their age; see `voice.open_items`."""
        from cxstats.voice.loop import open_items

        return open_items(self, **options)

    def reopening(self, by: str | None = None, **options: Any) -> Metric:
        """Compute the share of closed items that were opened again; see `voice.reopening_rate`."""
        from cxstats.voice.loop import reopening_rate

        return reopening_rate(self, by, **options)

    def alerts(self, by: str | None = "category", **options: Any) -> ComplaintAlerts:
        """Look for weeks with more items than chance brings; see `voice.complaint_alerts`."""
        from cxstats.voice.alerts import complaint_alerts

        return complaint_alerts(self, by, **options)


@long_work("feedback register")
def feedback_register(  # noqa: PLR0913  (one keyword for each column)
    frame: Any,
    *,
    until: Any = None,
    item: str | None = None,
    date: str | None = None,
    channel: str | None = None,
    customer: str | None = None,
    text: str | None = None,
    category: str | None = None,
    owner: str | None = None,
    answered: str | None = None,
    closed: str | None = None,
    adopted: str | None = None,
    reopened: str | None = None,
    duplicates: str = "drop",
    impossible: str = "drop",
    today: Any = None,
    time_format: str | None = None,
) -> FeedbackRegister:
    """Check a register of feedback, one row per item, and state what is done with doubtful rows.

    Parameters
    ----------
    frame : pandas, Polars (eager or lazy), PyArrow table or DuckDB relation
        The columns that are used are taken to pandas.
    until : time, optional
        When the register was drawn up: what has not happened by then is open. Without it, the
        latest time in the register. An earlier time gives the register as it stood then.
    item, date, channel, customer, text, category, owner, answered, closed, adopted, reopened : str
        Columns: number of the item; when it came in; through what; from whom; its words (looked at
        only for blanks, never kept or shown); its class; who answers for it; when it was answered
        and closed (the last time, blank while it is open); whether it was adopted (yes or no, or
        when; blank is no); whether or how often it was opened again after closing. Only `date` is
        needed. Where none is named, columns with usual English and Chinese heads are taken.
    duplicates : {"drop", "keep", "refuse"}
        Rows that repeat the number of an earlier item; "drop" keeps the first row of each.
    impossible : {"drop", "refuse"}
        Items that were answered or closed before they came in.
    today : time, optional
        Without `until`, no time may be later; now without it.
    time_format : str, optional
        Form of times that are text, such as ``"%d.%m.%Y %H:%M"``; ISO 8601 without it. Times with
        time zones are read in UTC.

    Returns
    -------
    FeedbackRegister

    Raises
    ------
    DataError
        If a column is missing or of the wrong kind, several could be meant, a row has what is
        refused, a time is later than today, or no row is left; naming column, row and value.

    Notes
    -----
    Times run on the calendar, nights and holidays included. Whoever never reached the register is
    not in it: its shares are of feedback that was written down, not of customers.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame(
    ...     {
    ...         "编号": [1, 2, 2, 3],
    ...         "反馈日期": ["2024-03-01", "2024-03-02", "2024-03-02", "2024-03-05"],
    ...         "类别": ["物流", "账单", "账单", None],
    ...         "关闭时间": ["2024-03-03", None, None, "2024-03-04"],
    ...     }
    ... )
    >>> register = feedback_register(frame, until="2024-03-31")
    >>> register.n, register.n_open
    (2, 1)
    >>> register.table.loc[register.table["n"] > 0, ["problem", "n", "action"]].values.tolist()
    [['duplicate', 1, 'drop'], ['missing_category', 1, 'keep'], ['closed_before_date', 1, 'drop']]
    """
    for option, rule in (("duplicates", duplicates), ("impossible", impossible)):
        if rule not in RULES[option]:
            allowed = ", ".join(map(repr, RULES[option]))
            raise CxError(f"{option}={rule!r} is not allowed; allowed: {allowed}")
    check_format(time_format)
    named = {
        "item": item, "date": date, "channel": channel, "customer": customer, "text": text,
        "category": category, "owner": owner, "answered": answered, "closed": closed,
        "adopted": adopted, "reopened": reopened,
    }  # fmt: skip
    table, columns, synthetic = _columns_of(frame, named)
    data = _read(table, columns, time_format)
    end = _end(data, columns, until, today)
    return _checked(data, columns, end, {"duplicates": duplicates, "impossible": impossible},
                    synthetic)  # fmt: skip


def _columns_of(
    frame: Any, named: Mapping[str, str | None]
) -> tuple[pd.DataFrame, dict[str, str], bool]:
    """Return the columns that are used as pandas, and the column of each role."""
    import narwhals as nw
    import pandas as pd

    from cxstats.core.engines import as_pandas

    synthetic = is_synthetic(frame)
    if isinstance(frame, pd.DataFrame):
        names = [str(name) for name in frame.columns]
        frame = frame.set_axis(names, axis=1)
    else:
        try:
            frame = nw.from_native(frame)
        except TypeError as error:
            raise DataError(
                f"a table of type {type(frame).__name__!r} cannot be read; allowed: pandas, "
                "Polars, PyArrow, DuckDB relation"
            ) from error
        names = frame.collect_schema().names()
    columns = _roles(names, named)
    for role, name in columns.items():
        if names.count(name) > 1:
            raise DataError(f"column {name!r} ({role}) stands twice in the table")
    chosen = list(columns.values())
    if isinstance(frame, pd.DataFrame):
        return as_pandas(frame[chosen]), columns, synthetic
    return as_pandas(frame.select(chosen).to_native()), columns, synthetic


def _roles(names: list[str], named: Mapping[str, str | None]) -> dict[str, str]:
    """Return the column of each role: the one that is named, or the one with a usual head."""
    columns: dict[str, str] = {}
    for role, name in named.items():
        if name is not None:
            if str(name) not in names:
                raise DataError(no_column(name, names, f" ({role})"))
            columns[role] = str(name)
    for role, heads in HEADS.items():
        if role in columns:
            continue
        usual = {look(head) for head in heads}
        matches = [n for n in dict.fromkeys(names) if look(n) in usual]
        matches = [n for n in matches if n not in columns.values()]
        if len(matches) > 1:
            raise DataError(
                f"columns {listing(map(repr, matches))} could each be {role}; name one: "
                f"{role}={matches[0]!r}"
            )
        if matches:
            columns[role] = matches[0]
    if "date" not in columns:
        raise DataError(
            f"no column says when an item came in; name it: date=...; columns: {listing(names, 30)}"
        )
    places: dict[str, str] = {}
    for role, name in columns.items():
        if name in places:
            raise DataError(f"column {name!r} is named as {places[name]} and as {role}")
        places[name] = role
    return columns


def _read(table: pd.DataFrame, columns: Mapping[str, str], time_format: str | None) -> pd.DataFrame:
    """Return the items under the names of their roles, with the labels of their rows as index."""
    import pandas as pd

    data = pd.DataFrame(index=table.index)
    aware: dict[str, bool] = {}
    for role in HEADS:
        if role not in columns:
            continue
        name = columns[role]
        if role in ("date", *EVENTS):
            data[role], zone = _times(table, name, time_format)
            if zone is not None:
                aware[name] = zone
        elif role == "adopted":
            data["adopted"], at = _yes_or_no(table, name, time_format)
            if at is not None:
                data["adopted_at"] = at
        elif role == "reopened":
            data[role] = _reopenings(table, name, time_format)
        else:
            check_group_values(table[name], name)
            data[role] = as_labels(table[name])
    if len(set(aware.values())) > 1:
        zoned = [name for name, has in aware.items() if has]
        raise DataError(
            f"columns {listing(map(repr, zoned))} state time zones and other times do not; "
            "allowed: all or none"
        )
    return data


def _times(
    table: pd.DataFrame, name: str, time_format: str | None
) -> tuple[pd.Series, bool | None]:
    """Return times, in UTC where the column states zones, and whether it does."""
    import pandas as pd

    column = table[name]
    if column.isna().all():
        return pd.Series(pd.NaT, table.index, dtype="datetime64[us]"), None
    if isinstance(column.dtype, pd.ArrowDtype):
        table = table[[name]].assign(**{name: column.astype(object)})
        if column.dtype.kind == "M":
            table[name] = pd.to_datetime(table[name])
    times = read_times(table, name, time_format, blank=True)
    values = times.values
    if times.aware:
        values = values.dt.tz_localize(None)
    return pd.Series(values.to_numpy("datetime64[us]"), table.index), times.aware


def _yes_or_no(
    table: pd.DataFrame, name: str, time_format: str | None, more: str = ""
) -> tuple[NDArray[np.bool_], pd.Series | None]:
    """Return yes or no of every row, and when, where the column holds times."""
    column = table[name]
    texts = as_labels(column)
    known = texts.map(lambda text: text is None or look(text) in YES | NO)
    if known.all():
        yes = texts.map(lambda text: text is not None and look(text) in YES)
        return yes.to_numpy(bool), None
    odd = int(np.flatnonzero(~known.to_numpy(bool))[0])
    try:
        at, _ = _times(table, name, time_format)
    except DataError as error:
        value = column.iloc[odd]
        value = value.item() if isinstance(value, np.generic) else value
        raise DataError(
            f"{row_name(table.index, odd)}, column {name!r}: {excerpt(value)}; allowed: yes or no "
            f"(true, false, 1, 0, 是, 否), blank, or times in every row{more}"
        ) from error
    return at.notna().to_numpy(), at


def _reopenings(table: pd.DataFrame, name: str, time_format: str | None) -> NDArray[np.int64]:
    """Return how often each item was opened again."""
    column = table[name]
    texts = as_labels(column)
    counts = texts.map(
        lambda text: int(text) if text and text.isdecimal() and len(text) < 10 else -1
    )
    blank = texts.isna().to_numpy(bool)
    if (blank | (counts >= 0).to_numpy(bool)).all():
        return np.where(blank, 0, counts).astype(np.int64)
    yes, _ = _yes_or_no(table, name, time_format, ", or whole numbers from 0 upwards")
    return yes.astype(np.int64)


def _end(data: pd.DataFrame, columns: Mapping[str, str], until: Any, today: Any) -> pd.Timestamp:
    """Return when the register was drawn up."""
    import pandas as pd

    if until is not None:
        return as_time("until", until)
    now = pd.Timestamp.now() if today is None else as_time("today", today)
    latest = pd.NaT
    for role in ("date", *EVENTS):
        if role not in data:
            continue
        late = np.flatnonzero((data[role] > now).to_numpy())
        if len(late):
            raise DataError(
                f"{row_name(data.index, late[0])}, column {columns[role]!r}: "
                f"{data[role].iloc[late[0]]:%Y-%m-%d %H:%M}; allowed: up to {now:%Y-%m-%d %H:%M} "
                f"(today=), or say when the register was drawn up, until=; such rows: {len(late)}"
            )
        time = data[role].max()
        latest = time if pd.isna(latest) else max(latest, time) if pd.notna(time) else latest
    if pd.isna(latest):
        raise DataError(f"column {columns['date']!r} (date) is blank in every row")
    return latest


def as_time(name: str, value: Any) -> pd.Timestamp:
    """Return a time of an argument as pandas has it; with a time zone, in UTC.

    Examples
    --------
    >>> as_time("until", "2024-03-31").isoformat()
    '2024-03-31T00:00:00'
    """
    import pandas as pd

    allowed = "allowed: a time, such as '2024-03-31' or '2024-03-31 18:00'"
    if isinstance(value, (bool, int, float)):
        raise CxError(f"{name}={excerpt(value)}; {allowed}")
    try:
        stamp = pd.Timestamp(value)
    except (TypeError, ValueError) as error:
        raise CxError(f"{name}={excerpt(value)}; {allowed}") from error
    if pd.isna(stamp):
        raise CxError(f"{name}={excerpt(value)}; {allowed}")
    return stamp if stamp.tz is None else stamp.tz_convert("UTC").tz_localize(None)


def _checked(
    data: pd.DataFrame,
    columns: Mapping[str, str],
    until: pd.Timestamp,
    rules: Mapping[str, str],
    synthetic: bool,
) -> FeedbackRegister:
    """Return the register with its report."""
    import pandas as pd

    n_rows = len(data)
    problems = _problems(data, until)
    actions = {
        **ACTIONS,
        "duplicate": rules["duplicates"],
        "conflict": rules["duplicates"],
        "answered_before_date": rules["impossible"],
        "closed_before_date": rules["impossible"],
    }
    rows = []
    for problem, where in problems.items():
        n = int(where.sum())
        rows.append((problem, n, n / n_rows, actions.get(problem, "keep") if n else "none"))
    report = pd.DataFrame(rows, columns=["problem", "n", "share", "action"])
    _refuse(data, columns, problems, report)
    dropped = np.zeros(n_rows, bool)
    for problem, action in zip(report["problem"], report["action"], strict=True):
        if action == "drop":
            dropped |= problems[problem]
    data = _as_of(data, until)[~dropped].drop(columns="text", errors="ignore")
    if not len(data):
        raise DataError(
            "no item is left after the checks: "
            + "; ".join(f"{row.n} rows with {row.problem}" for row in _dropping(report))
        )
    n_open = int(data["closed"].isna().sum()) if "closed" in data else len(data)
    count = report.set_index("problem")["n"]
    used = listed(f"{role} = {name}" for role, name in columns.items())
    notes = [
        both("register.note.columns", columns=used),
        *note_if(bool(dropped.any()), "register.note.dropped", n=format_number(int(dropped.sum()))),
        *note_if(
            bool(count.get("conflict", 0)), "register.note.conflict",
            n=format_number(int(count.get("conflict", 0))),
        ),
        *note_if("closed" not in data, "register.note.no_closed"),
    ]  # fmt: skip
    return FeedbackRegister(
        table=report,
        data=data.reset_index(drop=True),
        columns=dict(columns),
        n=len(data),
        n_open=n_open,
        first=data["date"].min(),
        until=until,
        synthetic=synthetic,
        notes=tuple(notes),
    )


def _dropping(report: pd.DataFrame) -> Any:
    return report[report["action"] == "drop"].itertuples()


def _problems(data: pd.DataFrame, until: pd.Timestamp) -> dict[str, NDArray[np.bool_]]:
    """Return which rows have each problem."""
    rows: dict[str, Any] = {
        "missing_date": data["date"].isna(),
        "after_until": data["date"] > until,
    }
    if "item" in data:
        again = data["item"].duplicated() & data["item"].notna()
        copy = data.duplicated() & again
        rows |= {"duplicate": copy, "conflict": again & ~copy, "missing_item": data["item"].isna()}
    for role in ("customer", "category", "channel", "owner", "text"):
        if role in data:
            rows[f"missing_{role}"] = data[role].isna()
    for event in EVENTS:
        if event in data:
            rows[f"{event}_before_date"] = data[event] < data["date"]
            rows[f"{event}_after_until"] = data[event] > until
    has = {name: name in data for name in ("answered", "closed", "adopted", "reopened")}
    if has["answered"] and has["closed"]:
        rows["answered_after_closed"] = data["answered"] > data["closed"]
        rows["closed_not_answered"] = data["closed"].notna() & data["answered"].isna()
    if has["adopted"] and has["closed"]:
        rows["adopted_not_closed"] = data["adopted"] & data["closed"].isna()
    if has["reopened"]:
        rows["reopened_twice"] = data["reopened"] > 1
        if has["closed"]:
            rows["reopened_open"] = (data["reopened"] > 0) & data["closed"].isna()
    return {name: np.asarray(where, bool) for name, where in rows.items()}


def _refuse(
    data: pd.DataFrame,
    columns: Mapping[str, str],
    problems: Mapping[str, NDArray[np.bool_]],
    report: pd.DataFrame,
) -> None:
    """Raise for what the rules refuse, naming the first row."""
    messages = []
    for problem, n, action in report[["problem", "n", "action"]].itertuples(index=False):
        if action != "refuse":
            continue
        at = int(np.flatnonzero(problems[problem])[0])
        row = row_name(data.index, at)
        if problem in ("duplicate", "conflict"):
            messages.append(
                f"{row}, column {columns['item']!r}: {excerpt(data['item'].iloc[at])} is the "
                f"number of an earlier row; allowed: each once, or duplicates='drop' or 'keep'; "
                f"such rows: {n}"
            )
            continue
        event = problem.split("_")[0]
        messages.append(
            f"{row}, column {columns[event]!r}: {data[event].iloc[at]:%Y-%m-%d %H:%M}, before the "
            f"item came in ({data['date'].iloc[at]:%Y-%m-%d %H:%M}); allowed: later, or "
            f"impossible='drop'; such rows: {n}"
        )
    if messages:
        raise DataError(messages)


def _as_of(data: pd.DataFrame, until: pd.Timestamp) -> pd.DataFrame:
    """Return the register as it stood: what came later has not happened."""
    data = data.copy()
    if "adopted" in data and "closed" in data:
        data["adopted"] &= ~(data["closed"] > until)  # what was decided when it was closed
    for event in EVENTS:
        if event in data:
            data[event] = data[event].where(data[event] <= until)
    if "adopted_at" in data:
        data["adopted"] &= data["adopted_at"] <= until
        data["adopted_at"] = data["adopted_at"].where(data["adopted_at"] <= until)
    return data


def check_by(register: FeedbackRegister, by: str | None, allowed: tuple[str, ...] = GROUPS) -> None:
    """Raise if a register cannot be split by `by`."""
    if by is None:
        return
    has = [name for name in allowed if name in register.data]
    if by not in has:
        some = ", ".join(map(repr, has)) or "none: the register has no such column"
        raise CxError(f"by={by!r}; allowed: {some}")


def check_register(register: Any) -> FeedbackRegister:
    """Return the register, or raise if it is something else."""
    if not isinstance(register, FeedbackRegister):
        raise CxError(
            f"a {type(register).__name__} is no register; allowed: cx.feedback_register(frame)"
        )
    return register


def customer_codes(data: pd.DataFrame) -> NDArray[np.intp] | None:
    """Return the customer of each item from 0; None where no customer has two items.

    Items without a customer are taken as of customers of their own.
    """
    import pandas as pd

    if "customer" not in data:
        return None
    codes, names = pd.factorize(data["customer"])
    missing = codes < 0
    codes = np.where(missing, len(names) + np.cumsum(missing) - 1, codes)
    return None if len(np.unique(codes)) == len(codes) else np.unique(codes, return_inverse=True)[1]
