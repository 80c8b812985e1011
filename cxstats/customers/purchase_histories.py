"""From purchases, or a summary of customers, to what the models of lifetime value need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import as_identities, check_group_values
from cxstats.core.engines import as_pandas, is_synthetic
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, note_if
from cxstats.core.messages import excerpt
from cxstats.customers.bg_nbd import Histories
from cxstats.customers.maximum_likelihood import Array
from cxstats.customers.numeric_columns import check_columns, holds_numbers, numbers, refuse
from cxstats.customers.transactions import Transactions
from cxstats.operations.timestamps import YEARS

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = ("frequency", "recency", "age")
DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
LARGEST = 1e12  # amount; products with it are numbers that can be written
FEWEST = 5  # customers who bought again; the model has four parameters


@dataclass(frozen=True, slots=True)
class Purchases:
    """What is known of n customers at the end of observation.

    Attributes
    ----------
    names : array (n,)
        The customers.
    histories : Histories
        Times in the unit of analysis.
    money : array (n,) or None
        Mean spend at purchases after the first; 0 for who did not buy again.
    later : array (n,) or None
        Purchases in the holdout period.
    holdout_length : float
        Its length, 0 without one.
    mean_spend : array (n,) or None
        Mean spend at all purchases, of a table of purchases.
    until_later : array (n,) or None
        Time from the end of observation to the first purchase in the holdout; infinite without one.
    n_new : int
        Customers left out, whose first purchase was at the end of observation.
    """

    names: Any
    histories: Histories
    money: Array | None
    later: Array | None = None
    holdout_length: float = 0.0
    n_new: int = 0
    mean_spend: Array | None = None
    until_later: Array | None = None


@dataclass(frozen=True, slots=True)
class PurchaseTable:
    """Purchases as a table of pandas, whatever they came as.

    Attributes
    ----------
    frame : pandas.DataFrame
    customer, time : str
        Columns.
    amount : str or None
        Column, or None where amounts are not read.
    synthetic : bool
        Whether the purchases are simulated.
    notes : tuple of Text
        What was left out.
    """

    frame: pd.DataFrame
    customer: str
    time: str
    amount: str | None
    synthetic: bool
    notes: tuple[Text, ...] = ()


def purchase_table(
    purchases: Any, customer: str, time: str, amount: str | None = None
) -> PurchaseTable:
    """Return purchases as pandas.

    Checked transactions bring their own columns. Purchases of a customer on one day are added up
    by their engine; refunds, which are no purchases and of which nobody knows to which purchase
    they belong, are left out, and a note says so.

    Parameters
    ----------
    purchases : Transactions, or pandas, Polars, PyArrow table, DuckDB relation
    customer, time, amount : str
        Columns of a table.

    Raises
    ------
    DataError
        If it is no table, or has no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxstats.customers.transactions import transactions
    >>> frame = pd.DataFrame({"who": ["a", "a"], "day": ["2024-01-03"] * 2, "paid": [4.0, 5.0]})
    >>> checked = transactions(frame, customer="who", time="day", amount="paid")
    >>> purchase_table(checked, "who", "day", "paid").frame["amount"].tolist()
    [9.0]
    """
    import narwhals as nw
    import pandas as pd

    if not isinstance(purchases, Transactions):
        frame = purchases if isinstance(purchases, pd.DataFrame) else as_pandas(purchases)
        synthetic = is_synthetic(frame)
        return PurchaseTable(frame, customer, time, amount, synthetic)
    paid = nw.col("amount")
    bought = purchases.data.select("customer", "time", "amount")
    if purchases.n_refunds:
        bought = bought.filter(paid >= 0)
    days = bought.with_columns(nw.col("time").dt.truncate("1d"))
    try:
        frame = as_pandas(days.group_by("customer", "time").agg(paid.sum()).to_native())
    except DataError as error:
        raise DataError(
            f"all {purchases.n} transactions are refunds; allowed: at least one purchase"
        ) from error
    frame = frame.sort_values(["customer", "time"], ignore_index=True)
    notes = note_if(
        bool(purchases.n_refunds), "customers.note.no_refunds", n=format_number(purchases.n_refunds)
    )
    columns = ("customer", "time", amount and "amount")
    return PurchaseTable(frame, *columns, purchases.synthetic, tuple(notes))


def check_unit(unit: str) -> float:
    """Return the days of a unit of time.

    Raises
    ------
    CxError
        If there is no such unit.
    """
    if unit not in DAYS:
        raise CxError(f"unit={unit!r}; allowed: {', '.join(map(repr, DAYS))}")
    return DAYS[unit]


def is_summary(frame: pd.DataFrame) -> bool:
    """Return whether a table has a row a customer: frequency, recency and age."""
    return set(SUMMARY) <= set(frame.columns)


def read_summary(frame: pd.DataFrame, customer: str) -> Purchases:
    """Return the customers of a summary.

    Raises
    ------
    DataError
        Naming the column, the row, the value, and what is allowed.
    """
    if customer in frame.columns:
        check_columns(frame, [customer])
    check_columns(frame, [*SUMMARY, "money"] if "money" in frame.columns else SUMMARY)
    columns = {name: numbers(frame, name) for name in SUMMARY}
    money = numbers(frame, "money") if "money" in frame.columns else None
    for name, values in columns.items():
        refuse(frame, name, values < 0, "numbers of 0 or more")
    x, recency, age = columns.values()
    refuse(frame, "frequency", x != np.floor(x), "whole numbers: purchases after the first")
    refuse(frame, "age", age <= 0, "times above 0 since the first purchase")
    refuse(frame, "recency", recency > age, "no later than the age of the customer")
    refuse(frame, "recency", (x == 0) & (recency > 0), "0 where frequency is 0")
    refuse(frame, "recency", (x > 0) & (recency == 0), "above 0 where frequency is above 0")
    if money is not None:
        money = np.where(x > 0, money, 0.0)
        refuse(frame, "money", money < 0, "means of 0 or more")
        refuse(frame, "money", money > LARGEST, "means up to 1e12")
    names = frame[customer].to_numpy() if customer in frame.columns else frame.index.to_numpy()
    return _enough(Purchases(names, Histories(x, recency, age), money))


def read_purchases(
    table: PurchaseTable,
    unit: str,
    holdout_from: Any = None,
    end: Any = None,
    option: str = "holdout_from",
) -> Purchases:
    """Return the customers of a table of purchases, one row each.

    Purchases of a customer on one day count as one, with their amounts added up. The first
    purchase is where a customer's time begins; it counts neither in frequency nor in money.

    Parameters
    ----------
    table : PurchaseTable
        One row a purchase; times are dates, or numbers in `unit`.
    unit : {"day", "week", "month", "year"}
        Of all times; a month is 365.25 / 12 days.
    holdout_from : time, optional
        Purchases from then on are left to the holdout, with customers who began before. With
        dates, the day before is the last one that the models see.
    end : time, optional
        The last moment observed; without it, that of the last purchase.
    option : str
        How the caller names `holdout_from`, for messages.
    """
    import pandas as pd

    frame, customer, time, amount = table.frame, table.customer, table.time, table.amount
    check_columns(frame, (customer, time, amount))
    if not len(frame):
        raise DataError("the table of purchases has no rows")
    customers = as_identities(frame[customer], customer, "customer")
    times, last = _times(frame, time, unit, end)
    spent = numbers(frame, amount) if amount else np.zeros(len(frame))
    if amount:
        refuse(frame, amount, spent < 0, "amounts of 0 or more; take refunds out first")
        refuse(frame, amount, spent > LARGEST, "amounts up to 1e12")
    cut = last if holdout_from is None else _before(option, holdout_from, frame[time], unit)
    if holdout_from is not None and not times.min() < cut < last:
        raise CxError(
            f"{option}={excerpt(holdout_from)}; allowed: a time after the first purchase and "
            "before the end of observation"
        )
    rows = pd.DataFrame({"customer": customers.to_numpy(), "time": times, "spent": spent})
    days = rows.groupby(["customer", "time"], observed=True)["spent"].sum().reset_index()
    before = days[days["time"] <= cut]
    groups = before.groupby("customer", observed=True)
    first, final = groups["time"].min(), groups["time"].max()
    x = np.asarray(groups.size(), float) - 1
    repeat = before[before["time"] > before["customer"].map(first).to_numpy()]
    total = repeat.groupby("customer", observed=True)["spent"].sum().reindex(first.index)
    money = total.fillna(0).to_numpy(float) / np.maximum(x, 1)
    later = until = None
    if holdout_from is not None:
        after = days[days["time"] > cut].groupby("customer", observed=True)["time"]
        later = np.asarray(after.size().reindex(first.index).fillna(0), float)
        until = np.asarray(after.min().reindex(first.index).fillna(np.inf), float) - cut
    age = cut - first.to_numpy(float)
    seen = age > 0  # who begins at the very end has shown nothing yet
    histories = Histories(x[seen], (final - first).to_numpy(float)[seen], age[seen])
    return _enough(
        Purchases(
            first.index.to_numpy()[seen],
            histories,
            money[seen] if amount else None,
            None if later is None else later[seen],
            0.0 if later is None else float(last - cut),
            int((~seen).sum()),
            groups["spent"].mean().to_numpy(float)[seen] if amount else None,
            None if until is None else until[seen],
        )
    )


def _enough(purchases: Purchases) -> Purchases:
    again = int((purchases.histories.frequency > 0).sum())
    if again < FEWEST:
        new = f" ({purchases.n_new} more bought first at its end)" if purchases.n_new else ""
        raise DataError(
            f"{again} of {len(purchases.histories)} customers{new} bought again before the end of "
            f"observation; allowed: at least {FEWEST}, since the model has four parameters"
        )
    return purchases


def _times(frame: pd.DataFrame, name: str, unit: str, end: Any) -> tuple[Array, float]:
    """Return times in units, since the first purchase of all if they are dates, and the end."""
    import pandas as pd

    column = frame[name]
    if holds_numbers(column):
        times = numbers(frame, name)
    else:
        check_group_values(column, name, "time")
        # Of texts only 1997-09-30 and its like: 03/04/2025 is two days.
        try:
            dates = pd.to_datetime(_texts_or_times(column), format="ISO8601", errors="coerce")
            dates = dates.where(dates.dt.year.between(*YEARS))
        except (AttributeError, ValueError):  # times of several zones stay objects
            raise DataError(f"column {name!r}: several time zones; allowed: one") from None
        refuse(frame, name, dates.isna().to_numpy(), "dates such as 1997-09-30")
        times = _in_units(dates.dt.tz_localize(None).dt.normalize(), unit)
    if end is None:
        return times, float(times.max())
    last = _moment("end", end, column, unit)
    refuse(frame, name, times > last, f"no later than end={excerpt(end)}")
    return times, last


def _in_units(dates: Any, unit: str) -> Any:
    import pandas as pd

    zero = pd.Timestamp(0).as_unit("us")
    return np.asarray((dates - zero) / pd.Timedelta(days=1), float) / DAYS[unit]


def _texts_or_times(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column without numbers among its objects, which pandas takes for times."""
    if column.dtype != object:
        return column
    return column.map(lambda cell: str(cell) if isinstance(cell, (int, float)) else cell)


def _before(option: str, value: Any, column: pd.Series[Any], unit: str) -> float:
    """Return the last moment before the holdout: of dates, the end of the day before."""
    moment = _moment(option, value, column, unit)
    whole_days = not holds_numbers(column)
    return moment - 1 / DAYS[unit] if whole_days else float(np.nextafter(moment, -np.inf))


def _moment(option: str, value: Any, column: pd.Series[Any], unit: str) -> float:
    import pandas as pd

    dates = not holds_numbers(column)
    try:
        if dates and not isinstance(value, (int, float)):
            return float(_in_units(pd.Timestamp(value).tz_localize(None).normalize(), unit))
        if not dates and not isinstance(value, str) and np.isfinite(float(value)):
            return float(value)
    except (TypeError, ValueError, AttributeError):  # the last of pandas.NaT
        pass
    kind = "a date such as '1997-09-30'" if dates else "a number, as in the column of times"
    raise CxError(f"{option}={excerpt(value)}; allowed: {kind}")
