"""What each customer did in a period: first and last purchase, how many, how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_time, fetched
from cxstats.core.errors import CxError, DataError
from cxstats.customers.transactions import Transactions, as_day

if TYPE_CHECKING:
    import pandas as pd

PURCHASES = ("day", "transaction")
DIGITS = 12  # of the largest sum of money; the others are rounded at the same decimal


def check_transactions(transactions: object) -> None:
    """Raise unless these are checked transactions."""
    if not isinstance(transactions, Transactions):
        raise DataError(
            f"{type(transactions).__name__} instead of checked transactions; allowed: what "
            "cx.transactions(frame, customer=..., time=..., amount=...) returns"
        )


def period_of(
    transactions: Transactions, since: Any, until: Any
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last day of a period; without them, those of the transactions.

    Raises
    ------
    DataError
        If a day cannot be read, or the period ends before it begins or before the transactions do.
    """
    first = transactions.first if since is None else as_day("since", since)
    last = transactions.last if until is None else as_day("date", until)
    if last < first:
        raise DataError(
            f"date={last:%Y-%m-%d} is before {first:%Y-%m-%d}, the first day of the period; "
            f"transactions run from {transactions.first:%Y-%m-%d} to {transactions.last:%Y-%m-%d}"
        )
    return first, last


def within(transactions: Transactions, first: pd.Timestamp, last: pd.Timestamp) -> Any:
    """Return the transactions from the first to the last day, both included."""
    import narwhals as nw

    time, end = nw.col("time"), last + np.timedelta64(1, "D")
    data = transactions.data
    if first > transactions.first:
        data = data.filter(time >= as_time(data, first.to_pydatetime()))
    if last < transactions.last:
        data = data.filter(time < as_time(data, end.to_pydatetime()))
    return data


def customer_sums(
    transactions: Transactions, first: pd.Timestamp, last: pd.Timestamp, purchase: str = "day"
) -> tuple[pd.DataFrame, int]:
    """Return one row per customer who bought in the period, added up by the engine.

    Refunds lower the amount and are no purchase.

    Parameters
    ----------
    transactions : Transactions
    first, last : pandas.Timestamp
        The period, both days included.
    purchase : {"day", "transaction"}
        Whether all purchases of a day are one, or each transaction is.

    Returns
    -------
    customers : pandas.DataFrame
        ``customer, first, last`` (days of purchases), ``n`` (purchases), ``amount``; by customer.
    n_without : int
        Customers with refunds alone, who are left out.
    """
    import narwhals as nw

    if purchase not in PURCHASES:
        raise CxError(f"purchase={purchase!r} is not allowed; allowed: 'day', 'transaction'")
    data = within(transactions, first, last)
    amount, time = nw.col("amount"), nw.col("time")
    bought = data.select("customer", "time", "amount")
    if transactions.n_refunds:
        bought = bought.filter(amount >= 0)
    if purchase == "day":
        days = bought.with_columns(time=time.dt.truncate("1d"))
        bought = days.group_by("customer", "time").agg(amount.sum())
    grouped = bought.group_by("customer").agg(
        first=time.min(), last=time.max(), n=nw.len(), amount=amount.sum()
    )
    customers = _sorted(grouped)
    for name in ("first", "last"):
        customers[name] = customers[name].astype("datetime64[us]").dt.normalize()
    customers["n"] = customers["n"].astype("int64")
    if not transactions.n_refunds:
        return _without_noise(customers), 0
    refunds = data.filter(amount < 0).group_by("customer").agg(refunded=amount.sum())
    refunded = _rows(refunds)
    if not len(refunded):
        return _without_noise(customers), 0
    n_without = int((~refunded["customer"].isin(customers["customer"])).sum())
    refund = customers["customer"].map(refunded.set_index("customer")["refunded"]).fillna(0.0)
    netted = customers.assign(amount=customers["amount"] + refund.astype(float))
    return _without_noise(netted), n_without


def _without_noise(customers: pd.DataFrame) -> pd.DataFrame:
    """Return amounts rounded where engines, which add in another order, begin to differ.

    Else two customers who spent the same would differ in the 16th digit, and in their scores.
    """
    amounts = customers["amount"].to_numpy(float)
    largest = float(np.abs(amounts).max())
    if largest == 0:
        return customers
    return customers.assign(amount=np.round(amounts, DIGITS - int(np.ceil(np.log10(largest)))))


def _rows(table: Any) -> pd.DataFrame:
    return fetched(table.lazy())


def _sorted(table: Any) -> pd.DataFrame:
    frame = fetched(table.lazy())
    if not len(frame):
        raise DataError("no purchase is in the period; allowed: at least one")
    names = frame["customer"]
    if names.dtype.kind == "f" and (names % 1 == 0).all():  # whole numbers of a column with blanks
        frame["customer"] = names.astype("int64")
    return frame.sort_values("customer", ignore_index=True)
