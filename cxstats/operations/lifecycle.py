"""Logs in which start and complete of an activity stand in two rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both, note_if
from cxstats.core.messages import listing, row_name
from cxstats.operations.timestamps import Times, quoted

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

# Words of the lifecycle, in English (those of IEEE 1849 XES among them) and Chinese.
WORDS = {
    "start": ("start", "started", "begin", "began", "begun", "开始", "已开始", "启动"),
    "complete": (
        "complete", "completed", "end", "ended", "finish", "finished", "done", "完成", "已完成",
        "结束", "已结束", "完结",
    ),
    "abort": ("abort", "aborted", "ate_abort", "pi_abort", "中止", "终止"),
    "schedule": (
        "schedule", "scheduled", "assign", "assigned", "reassign", "reassigned", "安排", "计划",
        "分配", "派单", "转派",
    ),
    "suspend": ("suspend", "suspended", "pause", "paused", "暂停", "挂起"),
    "resume": ("resume", "resumed", "恢复", "继续"),
    "withdraw": ("withdraw", "withdrawn", "autoskip", "manualskip", "撤回", "跳过"),
}  # fmt: skip
UNUSED = ("schedule", "suspend", "resume", "withdraw")  # rows that neither begin nor end the work
MOST_WORDS = 20  # distinct values that a column of the lifecycle can have
TWICE = 0.95  # of the activities of cases, that come an even number of times


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """The activities that a lifecycle tells of, in the order in which their first rows stand.

    Attributes
    ----------
    rows, ends : integer arrays (n,)
        Where each begins and ends in the table; -1: it has not ended.
    times : Times
        Of all rows; of completions in an hour that came twice, the second where there is no start
        before the first.
    timed : bool
        Whether any activity says when it starts.
    notes : tuple of Text
    """

    rows: Integers
    ends: Integers
    times: Times
    timed: bool
    notes: tuple[Text, ...]


def pair(
    data: pd.DataFrame,
    name: str,
    codes: tuple[Integers, Integers],
    times: Times,
    words: Mapping[str, str] | None,
    leave_out: bool,
) -> Instances:
    """Pair starts and completions of the same activity in the same case.

    In order of time, first in, first out: where several are open at once, a completion ends the
    one that has been open longest. An abort ends what was started. An activity that never starts
    anywhere in the log is a moment. Rows that schedule, assign, suspend, resume, withdraw or skip
    are counted and not used, so that time suspended counts as handling.

    Parameters
    ----------
    data : pandas.DataFrame
    name : str
        The column of the lifecycle.
    codes : two integer arrays (n,)
        Case and activity of every row.
    times : Times
    words : mapping, optional
        Further words, each with one of the keys of `WORDS`.
    leave_out : bool
        Leave out completions without a start instead of refusing them.

    Raises
    ------
    DataError
        Naming the row of a word that is not known, or of a completion without a start.
    """
    case, activity = codes
    key = case * (int(activity.max()) + 1) + activity
    steps = _steps(data, name, words)
    begins, closes = steps == "start", np.isin(steps, ["complete", "abort"])
    moments = closes & ~np.isin(activity, activity[begins])
    used = np.flatnonzero((begins | closes) & ~moments)
    order, orphan = _in_time(used, key, begins, times)
    twice = np.intersect1d(order[orphan], times.twice)
    if len(twice):
        times = times.at_second(twice)
        order, orphan = _in_time(used, key, begins, times)
    if orphan.any() and not leave_out:
        _refuse(data, name, order[orphan])
    starts, ends = order[begins[order]], order[closes[order] & ~orphan]
    rows = np.r_[starts, np.flatnonzero(moments)]
    partners = np.r_[_partners(key, starts, ends), np.flatnonzero(moments)]
    if not len(rows):
        raise DataError(f"column {name!r}: no row starts or completes an activity")
    place = np.argsort(rows, kind="stable")
    notes = _notes(data, steps, order[orphan], int(moments.sum()) if begins.any() else 0)
    return Instances(rows[place], partners[place], times, bool(begins.any()), notes)


def _in_time(
    rows: Integers, key: Integers, begins: NDArray[np.bool_], times: Times
) -> tuple[Integers, NDArray[np.bool_]]:
    """Return rows by key and time, and which of them complete what has not been started."""
    # At the same time a start stands first, so that what takes no time is paired.
    order = rows[np.lexsort((~begins[rows], times.microseconds[rows], key[rows]))]
    return order, _without_start(key[order], begins[order])


def _plain(word: object) -> str:
    return normalize("NFKC", str(word)).strip().casefold()


def _known(words: Mapping[str, str] | None) -> dict[str, str]:
    """Return what every known word means."""
    step_of_word = {word: step for step, names in WORDS.items() for word in names}
    for word, step in (words or {}).items():
        if step not in WORDS:
            allowed = ", ".join(map(repr, WORDS))
            raise CxError(f"lifecycle_words: {word!r} means {step!r}; allowed: {allowed}")
        step_of_word[_plain(word)] = step
    return step_of_word


def _steps(data: pd.DataFrame, name: str, words: Mapping[str, str] | None) -> NDArray[np.str_]:
    """Return what every row does: a key of `WORDS`."""
    import pandas as pd

    step_of_word = _known(words)
    codes, values = pd.factorize(data[name])
    steps = np.array([step_of_word.get(_plain(value), "") for value in values] + [""])
    unknown = np.flatnonzero(steps[codes] == "")
    if len(unknown):
        row = int(unknown[0])
        value = data[name].iloc[row]
        empty = bool(pd.isna(value))
        more = f" (and {len(unknown) - 1} more rows)" if len(unknown) > 1 else ""
        say = "" if empty else f"; or say what it means: lifecycle_words={{{value!r}: 'start'}}"
        raise DataError(
            f"{row_name(data.index, row)}, column {name!r}: "
            f"{'empty' if empty else quoted(value)}{more}; allowed: {', '.join(WORDS)} and like "
            f"words in English or Chinese{say}"
        )
    return np.asarray(steps[codes])


def _without_start(key: Integers, begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which rows, sorted by key and time, complete what has not been started."""
    import pandas as pd

    if not len(key):
        return np.zeros(0, bool)
    first = np.r_[True, key[1:] != key[:-1]]
    step = np.where(begins, 1, -1)
    total = np.cumsum(step)
    group = np.cumsum(first) - 1
    balance = total - (total - step)[first][group]  # starts less completions so far
    lowest = pd.Series(balance).groupby(group).cummin().to_numpy()
    before = np.where(first, 0, np.r_[0, lowest[:-1]])
    return np.asarray(~begins & (balance < np.minimum(before, 0)))


def _partners(key: Integers, starts: Integers, ends: Integers) -> Integers:
    """Return for every start the end of the same rank among those of its key, or -1."""
    import pandas as pd

    ranks = [
        pd.Series(key[rows]).groupby(key[rows]).cumcount().to_numpy() for rows in (starts, ends)
    ]
    width = max(len(starts), len(ends)) + 1
    keys = pd.factorize(key[np.r_[starts, ends]])[0]
    of_starts = keys[: len(starts)] * width + ranks[0]
    of_ends = pd.Series(ends, index=keys[len(starts) :] * width + ranks[1])
    return np.asarray(of_ends.reindex(of_starts).fillna(-1).to_numpy(np.int64))


def _refuse(data: pd.DataFrame, name: str, rows: Integers) -> None:
    first = int(rows.min())
    more = f" (and {len(rows) - 1} more rows)" if len(rows) > 1 else ""
    raise DataError(
        f"{row_name(data.index, first)}, column {name!r}: {quoted(data[name].iloc[first])} without "
        f"a start before it in its case{more}; allowed: none, or open_ends='leave out' or "
        "'censored', which leave such rows out"
    )


def _notes(
    data: pd.DataFrame, steps: NDArray[np.str_], orphans: Integers, n_moments: int
) -> tuple[Text, ...]:
    unused = {step: int((steps == step).sum()) for step in UNUSED}
    counts = ", ".join(f"{step} {n}" for step, n in unused.items() if n)
    n_aborts = int((steps == "abort").sum())
    rows = listing((row_name(data.index, int(row)) for row in np.sort(orphans)), 5)
    return (
        *note_if(bool(counts), "process.note.lifecycle.unused", counts=counts),
        *note_if(n_aborts > 0, "process.note.lifecycle.aborts", n=n_aborts),
        *note_if(n_moments > 0, "process.note.lifecycle.moments", n=n_moments),
        *note_if(len(orphans) > 0, "process.note.lifecycle.orphans", n=len(orphans), rows=rows),
    )


def hint(
    data: pd.DataFrame, used: Mapping[str, str], case: Integers, activity: Integers
) -> tuple[Text, ...]:
    """Return a note that names the call, where start and complete seem to stand in two rows.

    Parameters
    ----------
    data : pandas.DataFrame
    used : mapping of role to column
    case, activity : integer array (n,)
        Of the events, in order, without those that repeat another in all columns.
    """
    for name in data.columns:
        if name not in used.values() and _tells_lifecycle(data[name]):
            return (both("process.note.lifecycle.column", column=str(name)),)
    if len(case) < 4:
        return ()
    counts = np.unique(case * (int(activity.max()) + 1) + activity, return_counts=True)[1]
    follows = (case[1:] == case[:-1]) & (activity[1:] == activity[:-1])
    twice = (counts % 2 == 0).mean() >= TWICE and follows.sum() >= 0.4 * len(case)
    return (both("process.note.lifecycle.twice"),) if twice else ()


def _tells_lifecycle(column: Any) -> bool:
    """Return whether a column says start and complete, and nothing but words of the lifecycle."""
    if column.ndim > 1 or column.dtype.kind in "biufcmM":
        return False
    step_of_word = _known(None)
    for part in (column.head(1000), column):  # of most columns the head says enough
        values = part.map(str).unique()
        if len(values) > MOST_WORDS or not all(_plain(value) in step_of_word for value in values):
            return False
    return {"start", "complete"} <= {step_of_word[_plain(value)] for value in values}
