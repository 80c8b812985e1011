"""Purchases of any engine, and checked transactions, give the same histories."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.customers.purchase_histories import purchase_table, read_purchases


def purchases(n=60):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"customer": [f"C{i:02d}" for i in rng.integers(0, 20, n)],
         "time": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 200, n), "D"),
         "amount": rng.gamma(3, 10, n).round(2)}
    )  # fmt: skip
    return pd.concat([frame, frame.head(5)], ignore_index=True)  # twice on one day


def arrow_dtypes(frame):
    return frame.convert_dtypes(dtype_backend="pyarrow").astype({"time": "timestamp[us][pyarrow]"})


def categories(frame):
    return frame.astype({"customer": "category"}).set_index(np.zeros(len(frame), int))


def relation(frame):
    return duckdb.from_df(frame)


FORMS = {
    "texts": lambda f: f.assign(time=f["time"].dt.strftime("%Y-%m-%d")),
    "nullable": lambda f: f.convert_dtypes(),
    "arrow dtypes": arrow_dtypes,
    "categories": categories,
    "polars": pl.from_pandas,
    "polars dates": lambda f: pl.from_pandas(f).with_columns(pl.col("time").cast(pl.Date)),
    "polars lazy": lambda f: pl.from_pandas(f).lazy(),
    "pyarrow": pa.Table.from_pandas,
    "duckdb": relation,
    "transactions": cx.transactions,
    "transactions of polars": lambda f: cx.transactions(pl.from_pandas(f).lazy()),
    "transactions of duckdb": lambda f: cx.transactions(relation(f)),
}


def histories(form, amount="amount", **options):
    options = {"holdout_from": "2025-04-01", "end": "2025-07-20", **options}
    return read_purchases(purchase_table(form, "customer", "time", amount), "week", **options)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(form):
    expected, result = histories(purchases()), histories(FORMS[form](purchases()))
    assert [str(name) for name in result.names] == list(expected.names)
    for name in ("frequency", "recency", "age"):
        values = getattr(result.histories, name), getattr(expected.histories, name)
        np.testing.assert_allclose(*values, rtol=1e-12)
    for name in ("money", "later", "until_later", "mean_spend"):
        np.testing.assert_allclose(getattr(result, name), getattr(expected, name), rtol=1e-12)


def test_the_first_purchase_of_the_holdout_is_counted_from_its_beginning():
    frame = purchases()
    result = histories(frame)
    after = frame[frame["time"] >= "2025-04-01"].groupby("customer")["time"].min()
    # The holdout begins with the day of `at`, so that a purchase on that day comes after a day.
    days = (after - pd.Timestamp("2025-03-31")).dt.days.reindex(result.names)
    np.testing.assert_allclose(result.until_later * 7, days.fillna(np.inf), rtol=1e-12)
    assert ((result.later > 0) == np.isfinite(result.until_later)).all()


def test_refunds_are_no_purchases():
    refund = pd.DataFrame({"customer": ["C00"], "time": pd.to_datetime(["2025-03-30"]),
                           "amount": [-5.0]})  # fmt: skip
    checked = cx.transactions(pd.concat([purchases(), refund], ignore_index=True))
    table = purchase_table(checked, "customer", "time", "amount")
    assert [note.en for note in table.notes] == [
        "1 refunds are left out: they are no purchases and lower no amount"
    ]
    expected, result = histories(purchases()), histories(checked)
    np.testing.assert_allclose(result.money, expected.money, rtol=1e-12)
    value = cx.lifetime_value(checked, 12)
    assert table.notes[0] in value.notes
    assert value.n == cx.lifetime_value(purchases(), 12).n


def test_synthetic_transactions_stay_synthetic():
    frame = purchases()
    frame.attrs["synthetic"] = True
    assert cx.lifetime_value(cx.transactions(frame), 12).synthetic
    assert not cx.lifetime_value(cx.transactions(purchases()), 12).synthetic


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": None}, "column 'time', row 0: .*NaT.*; allowed: dates"),
        ({"customer": None}, "column 'customer', row 0: .*; allowed: a customer in every row"),
        ({"amount": np.inf}, "column 'amount', row 0: inf; allowed: numbers"),
    ],
)
def test_bad_cells(change, message):
    frame = purchases()
    for name, value in change.items():
        frame.loc[0, name] = value
    with pytest.raises(DataError, match=message):
        histories(frame)


@pytest.mark.parametrize("form", [[1, 2], "a.csv", None, np.zeros((3, 3))])
def test_what_is_no_table(form):
    with pytest.raises(CxError, match="cannot be read; allowed: pandas"):
        histories(form)
    with pytest.raises(DataError, match="no rows"):
        histories(purchases().head(0))
