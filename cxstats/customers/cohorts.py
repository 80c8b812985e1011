"""Cohorts: of the customers who began in a period, how many bought again in each later one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import fetched
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers.customer_sums import check_transactions
from cxstats.customers.transactions import Transactions
from cxstats.stats.intervals import check_level, proportion_interval

if TYPE_CHECKING:
    import pandas as pd

PERIODS = ("week", "month", "quarter", "year")
MOST_CELLS = 500_000
FEW = 30  # customers of a cohort below which its interval is wider than most differences
LINES = 4  # of the summary, ages
DRAWN = 24  # cohorts and ages of a chart at most


@dataclass(frozen=True, eq=False, repr=False)
class Cohorts(Result):
    """Retention by cohort.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per cohort and age: ``cohort`` (its period, as "1997-01"), ``periods_after`` (0 is
        the first, where the share is 1 by definition), ``n`` (customers of the cohort), ``active``
        (those who bought in that period), ``estimate`` (their share), ``ci_low, ci_high``
        (Wilson's), ``complete`` (false where the transactions end before that period does).
    curve : pandas.DataFrame
        Over all cohorts whose period is complete: ``periods_after, n, active, estimate, ci_low,
        ci_high``.
    period : str
    level : float
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    curve: pd.DataFrame
    period: str
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("heatmap",)
    reference: ClassVar = (
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. "
        "Journal of the American Statistical Association 22, 209-212."
    )

    @property
    def sizes(self) -> pd.Series[Any]:
        """The number of customers of each cohort."""
        return self.table.drop_duplicates("cohort").set_index("cohort")["n"]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the heat map of retention, cohorts by age."""
        ages = self.table["periods_after"].between(1, DRAWN)
        later = self.table[ages & self.table["complete"]]
        names = list(self.sizes.index)[-DRAWN:]
        is_cut = len(self.sizes) > DRAWN or int(self.table["periods_after"].max()) > DRAWN
        columns = list(range(1, int(later["periods_after"].max()) + 1)) if len(later) else [1]
        grids = [
            later.pivot(index="cohort", columns="periods_after", values=name)
            .reindex(index=names, columns=columns)
            .to_numpy(float)
            for name in ("estimate", "ci_low", "ci_high")
        ]
        sizes = [
            label("customers.cohorts.row", lang, cohort=name, n=format_number(int(n)))
            for name, n in self.sizes[names].items()
        ]
        axis = label(f"customers.cohorts.axis.{self.period}", lang)
        return Chart(
            "rate_heatmap",
            (*grids, sizes, [str(age) for age in columns]),
            {
                "axis": axis,
                "title": self._title(lang),
                "source": label("customers.source", lang, n=format_number(int(self.sizes.sum()))),
                "level": self.level,
                "note": label("customers.cohorts.drawn", lang, n=DRAWN) if is_cut else "",
                "synthetic": self.synthetic,
            },
        )

    def _title(self, lang: str) -> str:
        unit = label(f"customers.cohorts.unit.{self.period}", lang)
        later = self.curve[self.curve["periods_after"] == 1]
        if later.empty:
            return label("customers.cohorts.title.none", lang, unit=unit)
        row = later.iloc[0]
        return label(
            "customers.cohorts.title",
            lang,
            unit=unit,
            share=format_percent(100 * row["estimate"], 1, lang),
            interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
        )

    def findings(self, lang: str) -> list[str]:
        """Return the number of cohorts and the retention over all of them, the first ages."""
        sizes = self.sizes
        lines = [
            label(
                "customers.cohorts.head",
                lang,
                cohorts=format_number(len(sizes)),
                unit=label(f"customers.cohorts.unit.{self.period}", lang),
                first=sizes.index[0],
                last=sizes.index[-1],
                n=format_number(int(sizes.sum())),
            )
        ]
        for _, row in self.curve[self.curve["periods_after"] > 0].head(LINES).iterrows():
            lines.append(
                label(
                    "customers.cohorts.line",
                    lang,
                    age=int(row["periods_after"]),
                    unit=label(f"customers.cohorts.count.{self.period}", lang),
                    share=format_percent(100 * row["estimate"], 2, lang),
                    interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 2),
                    n=format_number(int(row["n"])),
                )
            )
        return lines


@long_work("cohorts")
def cohorts(transactions: Transactions, period: str = "month", *, level: float = 0.95) -> Cohorts:
    """Return how many customers of each cohort bought again, by periods since their first purchase.

    A cohort is the customers whose first purchase falls in one calendar period. Refunds are no
    purchase. The engine counts; rows are never collected.

    Parameters
    ----------
    transactions : Transactions
        What `cxstats.transactions` returned.
    period : {"week", "month", "quarter", "year"}
        Of the calendar; weeks begin on Monday.
    level : float
        Of the intervals, Wilson's for each cell by itself.

    Raises
    ------
    DataError
        If nobody bought, or there are too many periods for a table.

    Examples
    --------
    >>> from cxstats.customers.transactions import transactions
    >>> from cxstats.datasets import load_cdnow
    >>> purchases = transactions(load_cdnow(), customer="customer", time="date", amount="spent")
    >>> table = cohorts(purchases).table.query("periods_after == 1")
    >>> table[["cohort", "n", "active"]].values.tolist()
    [['1997-01', 7846, 1157], ['1997-02', 8476, 1312], ['1997-03', 7248, 1032]]
    """
    import pandas as pd

    check_transactions(transactions)
    check_level(level)
    if period not in PERIODS:
        allowed = ", ".join(map(repr, PERIODS))
        raise CxError(f"period={period!r} is not allowed; allowed: {allowed}")
    active = _active(transactions, period)
    final = int(_number_of(pd.DatetimeIndex([transactions.last]), period)[0])
    beyond = final + (transactions.last != _begin(final + 1, period) - np.timedelta64(1, "D"))
    table = _filled(active, final)
    table["complete"] = table["begin"] + table["periods_after"] < final + (beyond == final)
    table["cohort"] = [_name(number, period) for number in table["begin"]]
    table = _with_intervals(table, level)
    complete = table[table["complete"]]
    curve = complete.groupby("periods_after", as_index=False)[["n", "active"]].sum()
    curve = _with_intervals(curve, level)
    heads = ["cohort", "periods_after", "n", "active", "estimate", "ci_low", "ci_high", "complete"]
    few = int((table.drop_duplicates("cohort")["n"] < FEW).sum())
    unit = both(f"customers.cohorts.unit.{period}")
    notes = (
        *transactions.notes,
        both("customers.note.first_cohort", unit=unit),
        *note_if(not table["complete"].all(), "customers.note.incomplete", unit=unit),
        *note_if(few > 0, "customers.note.few_in_cohort", n=few, least=FEW),
    )
    return Cohorts(table[heads], curve[heads[1:-1]], period, level, transactions.synthetic, notes)


def _active(transactions: Transactions, period: str) -> pd.DataFrame:
    """Return ``begin, periods_after, active``: customers of each cohort who bought at each age."""
    import narwhals as nw

    data = transactions.data.select("customer", "time", "amount")
    if transactions.n_refunds:
        data = data.filter(nw.col("amount") >= 0)
    data = data.select("customer", number=_number_expression(period))
    pairs = data.unique(["customer", "number"])
    begins = pairs.group_by("customer").agg(begin=nw.col("number").min())
    counts = (
        pairs.join(begins, on="customer", how="inner")
        .select("begin", periods_after=nw.col("number") - nw.col("begin"))
        .group_by("begin", "periods_after")
        .agg(active=nw.len())
    )
    frame = fetched(counts.lazy())
    if not len(frame):
        raise DataError("no purchase is there; allowed: at least one")
    return frame.astype("int64").sort_values(["begin", "periods_after"], ignore_index=True)


def _number_expression(period: str) -> Any:
    """Return the number of a time's period, counted from the year 0, in integers of any engine."""
    import narwhals as nw

    date = nw.col("time").dt
    year, month = date.year().cast(nw.Int64), date.month().cast(nw.Int64)
    if period == "year":
        return year
    if period == "quarter":
        return year * 4 + (month - 1) // 3
    if period == "month":
        return year * 12 + month - 1
    before = year - 1  # the first day of the year 1 was a Monday
    days = before * 365 + before // 4 - before // 100 + before // 400
    return (days + date.ordinal_day().cast(nw.Int64) - 1) // 7


def _number_of(days: pd.DatetimeIndex, period: str) -> Any:
    import narwhals as nw
    import pandas as pd

    frame = nw.from_native(pd.DataFrame({"time": days}))
    return frame.select(number=_number_expression(period))["number"].to_numpy()


def _begin(number: int, period: str) -> pd.Timestamp:
    """Return the first day of a period."""
    import pandas as pd

    if period == "week":
        return pd.Timestamp.fromordinal(7 * number + 1)
    months = {"year": 12, "quarter": 3, "month": 1}[period]
    year, month = divmod(number * months, 12)
    return pd.Timestamp(year, month + 1, 1)


def _name(number: int, period: str) -> str:
    begin = _begin(int(number), period)
    if period == "quarter":
        return f"{begin.year}-Q{begin.quarter}"
    return begin.strftime({"year": "%Y", "month": "%Y-%m", "week": "%Y-%m-%d"}[period])


def _filled(active: pd.DataFrame, final: int) -> pd.DataFrame:
    """Return a row for every age that a cohort can have, 0 active where nobody bought."""
    import pandas as pd

    begins = active["begin"].unique()
    n_ages = final - begins + 1
    if n_ages.sum() > MOST_CELLS:
        raise DataError(
            f"{len(begins)} cohorts make {n_ages.sum():,} cells; allowed: {MOST_CELLS:,}; take a "
            "longer period, or look for wrong dates"
        )
    ages = np.concatenate([np.arange(k) for k in n_ages])
    grid = pd.DataFrame({"begin": np.repeat(begins, n_ages), "periods_after": ages})
    table = grid.merge(active, on=["begin", "periods_after"], how="left")
    table["active"] = table["active"].fillna(0).astype("int64")
    table["n"] = table.groupby("begin")["active"].transform("first")
    return table


def _with_intervals(table: pd.DataFrame, level: float) -> pd.DataFrame:
    share = table["active"] / table["n"]
    low, high = proportion_interval(share, table["n"], level=level)
    return table.assign(estimate=share, ci_low=low, ci_high=high)
