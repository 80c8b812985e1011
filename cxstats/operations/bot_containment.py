"""Contacts that a bot or a self-service page solves: handled, and no contact after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas, is_synthetic
from cxstats.core.errors import DataError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import no_column, row_name
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.metrics.conversion_funnel import funnel
from cxstats.metrics.rates import rate
from cxstats.metrics.result import LEVEL, Metric
from cxstats.operations.timestamps import SECONDS, quoted, read_times, window_seconds
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

STAGES = ("contacts", "handled", "contained")


@dataclass(frozen=True, eq=False, repr=False)
class Containment(Result):
    """How many contacts a bot handles, and how many of these stay solved.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per stage (contacts, handled by the bot, contained): ``stage, n, share`` (of all
        contacts), ``share_low, share_high``, ``estimate, se, ci_low, ci_high`` (of the stage
        before), ``n_before``. Intervals are by customers.
    repeats : Metric
        Repeat contacts within the window, of contacts by whether the bot handled them: what
        `Metric.compare` compares.
    window : str
    n_customers : int
    n_unobserved : int
        Contacts too near to the end of the data to know whether another followed.
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    repeats: Metric
    window: str
    n_customers: int
    n_unobserved: int
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"stage": "containment.stage.{}"}
    kinds: ClassVar = ("stages",)
    reference: ClassVar = (
        "Cochran (1977). Sampling techniques, 3rd ed. Wiley, ch. 9: shares in clusters."
    )

    def _window(self, lang: str) -> str:
        return _span(self.window, lang)

    def findings(self, lang: str) -> list[str]:
        """Return the stages, and repeat contacts with and without the bot."""
        level = format_percent(100 * self.level, None, lang)
        head = label(
            "containment.head", lang, n=format_number(int(self.table["n"].iloc[0])),
            customers=format_number(self.n_customers), window=self._window(lang), level=level,
        )  # fmt: skip
        lines = [head]
        for row in self.table.iloc[1:].to_dict("records"):
            values = {
                "stage": label(f"containment.stage.{row['stage']}", lang),
                "n": format_number(row["n"]),
                "share": _percent(row, "share", lang),
                "step": _percent(row, "estimate", lang),
            }
            lines.append("  " + label("containment.line", lang, **values))
        for row in self.repeats.table.to_dict("records"):
            key = "bot" if row["handled"] else "others"
            lines.append("  " + label(f"containment.repeats.{key}", lang,
                                      value=_percent(row, "estimate", lang)))  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the funnel, its intervals by customers."""
        names = [label(f"containment.stage.{stage}", lang) for stage in self.table["stage"]]
        last, n = self.table.iloc[-1].to_dict(), int(self.table["n"].iloc[0])
        return Chart(
            "funnel",
            (names, self.table["n"]),
            {
                "source": label("metric.source", lang, n=format_number(n)),
                "level": self.level,
                "limits": self.table[["ci_low", "ci_high"]].iloc[1:].to_numpy().tolist(),
                "title": label("containment.title", lang, window=self._window(lang),
                               value=_percent(last, "share", lang)),
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


def _span(window: str, lang: str) -> str:
    """Return a span of time in words: whole days, or hours."""
    seconds = window_seconds(window) or 0.0
    unit = "day" if seconds % 86_400 == 0 else "hour"
    number = format_number(seconds / SECONDS[unit])
    return f"{number} {label(f'promise.unit.{unit}', lang)}"


def _percent(row: Mapping[Any, Any], name: str, lang: str) -> str:
    low, high = (row[f"{'ci' if name == 'estimate' else name}_{end}"] for end in ("low", "high"))
    text = format_percent(100 * row[name], 1, lang)
    return f"{text} {interval_text(100 * low, 100 * high, 1)}".removesuffix(" –")


@long_work("containment")
def containment(
    frame: Any,
    *,
    customer: str,
    time: str,
    handled: str,
    window: str = "7 days",
    topic: str | None = None,
    level: float = LEVEL,
) -> Containment:
    """Compute how many contacts a bot contains: handled by it, with no contact in the days after.

    ``containment = handled and no contact of the customer within the window / contacts``. A contact
    that the bot handled and that comes back is not contained, whoever takes it then.

    Parameters
    ----------
    frame : table (any engine)
        One row per contact, of every channel: a customer who gives up on the bot and calls is a
        repeat contact only if the calls are there.
    customer : str
        Column of customers; intervals are by customers, whose contacts depend on each other.
    time : str
        Column of times (or texts in ISO 8601).
    handled : str
        Column of 0 and 1 (or false and true): whether the bot handled the contact without handing
        it on.
    window : span of time
        Such as "7 days", within which another contact means that the first one was not solved.
    topic : str, optional
        Column of topics; then only a contact on the same topic is a repeat.
    level : float

    Returns
    -------
    Containment

    Raises
    ------
    CxError, DataError
        Naming the option, or column, row and value, and what is allowed.

    Notes
    -----
    Contacts in the last window of the data are left out, since what followed is not known; they
    do count as the repeat of one before. Two contacts at one time are no repeats of each other.
    A customer who gave up for good counts as contained: a containment rate says nothing about
    satisfaction.

    Examples
    --------
    >>> import pandas as pd
    >>> log = pd.DataFrame({"who": list("aabcd"), "bot": [1, 0, 1, 1, 0], "day": pd.to_datetime(
    ...     ["2026-03-01", "2026-03-03", "2026-03-01", "2026-03-02", "2026-03-20"])})
    >>> containment(log, customer="who", time="day", handled="bot").table["n"].tolist()
    [4, 3, 2]
    """
    import pandas as pd

    check_level(level)
    seconds = window_seconds(window)
    if seconds is None:
        raise DataError("window=None; allowed: a span of time such as '7 days'")
    data = as_pandas(frame)
    for name in (customer, time, handled, *([topic] if topic is not None else [])):
        if name not in data.columns:
            raise DataError(no_column(name, data.columns))
        if (data.columns == name).sum() > 1:
            raise DataError(f"column {name!r} stands twice in the table; allowed: once")
    moments = read_times(data, time).microseconds
    by_bot = _flags(data, handled)
    who = _codes(data, customer)
    what = np.zeros(len(data), np.int64) if topic is None else _codes(data, topic)
    repeated = _repeated(who, what, moments, int(seconds * 1e6))
    observed = moments <= moments.max() - int(seconds * 1e6)
    if not observed.any():
        raise DataError(
            f"every contact is within {window} of the last one, so that it is not known whether "
            "another followed; allowed: a shorter window, or a longer log"
        )
    contacts = pd.DataFrame(
        {"handled": by_bot, "contained": by_bot & ~repeated, "repeated": repeated, "customer": who}
    )[observed]
    table = _stages(contacts, level)
    repeats = rate(contacts[["handled", "repeated", "customer"]], by="handled", column="repeated",
                   cluster="customer", level=level, name="repeat_contacts")  # fmt: skip
    unobserved = int((~observed).sum())
    return Containment(
        table=table,
        repeats=repeats,
        window=str(window),
        n_customers=int(contacts["customer"].nunique()),
        n_unobserved=unobserved,
        level=level,
        synthetic=is_synthetic(frame),
        notes=(
            *note_if(unobserved > 0, "containment.note.unobserved", n=format_number(unobserved),
                     window=Text(_span(str(window), "en"), _span(str(window), "zh"))),
            both("containment.note.given_up"),
        ),
    )  # fmt: skip


def _flags(data: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Return a column of 0 and 1, or false and true, of which none is missing."""
    column = data[name].astype(object)
    wrong = np.flatnonzero([value not in (0, 1) for value in column.fillna("")])
    if len(wrong):
        value = column.iloc[wrong[0]]
        raise DataError(
            f"column {name!r}, {row_name(data.index, int(wrong[0]))}: {quoted(value)}; allowed: 0 "
            "and 1, false and true"
        )
    return np.asarray(column.astype(bool))


def _codes(data: pd.DataFrame, name: str) -> NDArray[np.int64]:
    """Return numbers of the values of a column, of which none is missing."""
    import pandas as pd

    codes = pd.factorize(data[name])[0]
    lost = np.flatnonzero(codes < 0)
    if len(lost):
        raise DataError(
            f"column {name!r}, {row_name(data.index, int(lost[0]))}: missing; allowed: a value in "
            "every row"
        )
    return np.asarray(codes, np.int64)


def _repeated(
    who: NDArray[np.int64], what: NDArray[np.int64], moments: NDArray[np.int64], window: int
) -> NDArray[np.bool_]:
    """Return whether a later contact of the customer follows within the window."""
    order = np.lexsort((moments, what, who))
    who, what, times = who[order], what[order], moments[order]
    start = np.r_[True, (who[1:] != who[:-1]) | (what[1:] != what[:-1])]
    # The next contact at a later time: ties are looked past from the end.
    following = np.full(len(times), np.iinfo(np.int64).max)
    for i in range(len(times) - 2, -1, -1):
        if not start[i + 1]:
            later = times[i + 1] > times[i]
            following[i] = times[i + 1] if later else following[i + 1]
    repeated = np.zeros(len(times), bool)
    known = following < np.iinfo(np.int64).max
    gap = np.where(known, following, 0) - np.where(known, times, 0)
    repeated[order] = known & (gap <= window)
    return repeated


def _stages(contacts: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the funnel with intervals by customers."""
    counts = [len(contacts), *(int(contacts[name].sum()) for name in STAGES[1:])]
    table = funnel(STAGES, counts, level=level).table
    table["share_low"], table["share_high"] = np.nan, np.nan
    for i, name in enumerate(STAGES[1:], start=1):
        before = contacts if i == 1 else contacts[contacts["handled"]]
        for rows, names in ((contacts, ("share_low", "share_high", None)),
                            (before, ("ci_low", "ci_high", "se"))):  # fmt: skip
            share = _clustered(rows, name, level)
            for target, source in zip(names, ("ci_low", "ci_high", "se"), strict=True):
                if target is not None:
                    table.loc[i, target] = np.nan if share is None else share[source]
    return table[["stage", "n", "share", "share_low", "share_high", "estimate", "se", "ci_low",
                  "ci_high", "n_before"]]  # fmt: skip


def _clustered(rows: pd.DataFrame, name: str, level: float) -> Any:
    """Return the row of a share with its interval by customers; None for fewer than two."""
    if rows["customer"].nunique() < 2:
        return None
    return rate(rows[[name, "customer"]], column=name, cluster="customer", level=level).table.iloc[
        0
    ]
