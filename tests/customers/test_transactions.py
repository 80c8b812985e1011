"""Transactions: checks, rules, engines, errors."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxstats as cx
from tests.gallery.customers_rfm import faulty, purchases

ENGINES = {
    "pandas": lambda frame: frame,
    "pandas nullable": lambda frame: frame.convert_dtypes(),
    "polars": pl.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "duckdb": lambda frame: duckdb.connect().from_df(frame),
}
DOUBTFUL = {"currency": "currency", "rates": {"CNY": 0.14, "USD": 1.0}, "today": "2025-01-01"}


@pytest.fixture(params=ENGINES)
def engine(request):
    return ENGINES[request.param]


def counts(checked):
    return dict(zip(checked.table["problem"], checked.table["n"], strict=True))


def test_every_engine_reports_the_same(engine):
    checked = cx.transactions(engine(faulty()), future="drop", **DOUBTFUL)
    assert counts(checked) == {
        "missing_customer": 1,
        "missing_time": 1,
        "missing_amount": 1,
        "missing_currency": 0,
        "future": 1,
        "zero": 1,
        "refund": 6,
        "placeholder": 1,
        "duplicate": 3,
    }
    assert (checked.n, checked.n_refunds) == (79, 6)
    frame = faulty().drop(index=[0, 1, 2, 10])
    money = frame["amount"] * frame["currency"].map(DOUBTFUL["rates"])
    assert checked.total == pytest.approx(money.sum(), rel=1e-12)
    assert checked.first == pd.Timestamp("1970-01-01")


def test_a_row_that_is_left_out_as_missing_counts_for_no_other_problem(engine):
    frame = purchases(4).assign(customer=["a", "b", None, None], amount=[0.0, 5.0, 0.0, -3.0])
    problems = counts(cx.transactions(engine(frame)))
    assert (problems["missing_customer"], problems["zero"], problems["refund"]) == (2, 1, 0)


def test_a_lazy_table_stays_lazy():
    checked = cx.transactions(pl.from_pandas(purchases()).lazy())
    assert isinstance(checked.data.to_native(), pl.LazyFrame)
    relation = duckdb.connect().from_df(purchases())
    checked = cx.transactions(relation)
    assert isinstance(checked.data.to_native(), duckdb.DuckDBPyRelation)


def test_cdnow_has_the_duplicates_and_zeros_that_were_counted_elsewhere(engine):
    cdnow = {"customer": "customer", "time": "date", "amount": "spent"}
    checked = cx.transactions(engine(cx.load_cdnow()), **cdnow)
    assert (checked.n, checked.n_customers) == (69_659, 23_570)
    assert counts(checked)["duplicate"] == 255
    assert counts(checked)["zero"] == 80
    assert cx.transactions(engine(cx.load_cdnow()), **cdnow, duplicates="drop").n == 69_659 - 255
    assert cx.transactions(engine(cx.load_cdnow()), **cdnow, zeros="drop").n == 69_659 - 80


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, r"column 'time': 2099-12-31 00:00; allowed: up to 2025-01-01 \(today=\), or future="),
        ({"future": "drop", "missing": "refuse"}, r"column 'customer': '? ?.*; allowed: no blank"),
        ({"future": "drop", "zeros": "refuse"}, r"column 'amount': 0.0; allowed: amounts other"),
        ({"future": "drop", "refunds": "refuse"}, r"column 'amount': -200.0; allowed: 0 or more"),
        ({"future": "drop", "duplicates": "refuse"}, "3 rows repeat another in every column"),
        ({"rates": None}, r"2 currencies: 'CNY' \(12 rows\), 'USD' \(71 rows\).*rates="),
        ({"rates": {"CNY": 1}}, r"no rate for 'USD' \(71 rows\); rates are there for CNY"),
        ({"rates": {"CNY": 0, "USD": 1}}, "rate of 'CNY': 0; allowed: above 0"),
        ({"amount": "currency", "currency": None, "rates": None}, r"\(amount\) holds .*numbers"),
        ({"time": "amount", "amount": "time"}, r"column 'time' \(amount\) holds Datetime"),
        ({"customer": "custmer"}, "column 'custmer' .*did you mean 'customer'"),
        ({"channel": "customer"}, "column 'customer' is named as customer and as channel"),
    ],
)
def test_refuses_by_name(engine, options, match):
    with pytest.raises(cx.DataError, match=match):
        cx.transactions(engine(faulty()), **{**DOUBTFUL, **options})


def test_names_the_row_as_the_client_sees_it():
    frame = purchases(5).set_index(pd.Index([11, 12, 13, 14, 15], name="customer"))
    frame.loc[14, "amount"] = np.inf
    with pytest.raises(cx.DataError, match=r"row 14, column 'amount': inf; allowed: finite"):
        cx.transactions(frame)
    with pytest.raises(cx.DataError, match=r"row 3 \(counted from 0\), column 'amount': inf"):
        cx.transactions(pl.from_pandas(frame.reset_index(drop=True)).lazy())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"zeros": "net"}, "zeros='net' is not allowed; allowed: 'keep', 'drop', 'refuse'"),
        ({"rates": {"EUR": 1}}, "rates are of currencies: name their column"),
        ({"today": "someday"}, "today='someday'; allowed: a date"),
        ({"today": 20240101}, "today=20240101; allowed: a date"),
    ],
)
def test_refuses_options(options, match):
    with pytest.raises(cx.CxError, match=match):
        cx.transactions(purchases(), **options)


@pytest.mark.parametrize("kind", ["pandas", "polars", "polars lazy", "arrow", "duckdb"])
def test_reads_times_that_are_text(kind):
    frame = purchases()
    texts = frame.assign(time=frame["time"].dt.strftime("%d.%m.%Y"))
    checked = cx.transactions(ENGINES[kind](texts), time_format="%d.%m.%Y")
    assert (checked.first, checked.last) == (frame["time"].min(), frame["time"].max())
    with pytest.raises(cx.DataError, match="'time'"):
        cx.transactions(ENGINES[kind](texts))


def test_days_are_those_of_the_clock_of_the_shop():
    frame = purchases(3)
    frame["time"] = pd.to_datetime(["2024-01-01 23:30"] * 3).tz_localize("Asia/Shanghai")
    for table in (frame, pl.from_pandas(frame).lazy()):
        assert cx.transactions(table).last == pd.Timestamp("2024-01-01")


def test_texts_with_offsets_are_refused():
    frame = purchases(3).assign(time="2024-01-01T07:00+08:00")  # 31 December in UTC
    for table in (frame, pl.from_pandas(frame)):
        with pytest.raises(cx.DataError, match="offsets from UTC, such as '2024-01-01T07:00"):
            cx.transactions(table)


def test_customers_of_mixed_types_are_texts():
    frame = purchases(4).assign(customer=[12, "12", 12.0, None])
    checked = cx.transactions(frame)
    assert (checked.n, checked.n_customers) == (3, 1)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (purchases(0), "the table has no rows"),
        (pl.from_pandas(purchases(0)).lazy(), "the table has no rows"),
        (purchases().assign(customer=np.nan), "no transaction is left .*missing_customer: drop"),
        ({"customer": [1]}, "type 'dict' cannot be read"),
        (purchases().assign(amount="12 CNY"), r"column 'amount' \(amount\) holds .*'12 CNY'"),
        (purchases().assign(amount=True), r"\(amount\) holds Boolean; allowed: numbers"),
        (purchases().assign(time=20240101), r"'time' \(time\) holds Int64; allowed: dates"),
        (purchases().set_axis(["customer", "time", "time"], axis=1), "'time' stands twice"),
    ],
)
def test_refuses_tables(table, match):
    with pytest.raises(cx.DataError, match=match):
        cx.transactions(table)
