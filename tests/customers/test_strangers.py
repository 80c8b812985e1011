"""Cells, columns and options that no method of customers expects: an error that names them."""

import re

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxstats as cx
from cxstats.core.errors import CxError
from tests.gallery.customers_lifetime import _paths, _purchases
from tests.gallery.customers_ranking import ratings
from tests.gallery.customers_retention import contracts
from tests.gallery.customers_segments import groups

PURCHASES = _purchases(40)[["customer", "time", "amount"]]
CLICKS = cx.simulate_churn(150, 2)[["customer", "time", "event"]]
DATES = contracts(40)[["channel"]].assign(
    begin=pd.Timestamp("2024-01-01"), end=pd.Timestamp("2024-02-01")
)
# Method by its table; the columns that it reads are all of them.
METHODS = {
    "survival": (contracts(40)[["weeks", "left", "channel", "customer"]], lambda f: cx.survival(
        f, "weeks", "left", by="channel", cluster="customer")),
    "survival of dates": (DATES, lambda f: cx.survival(
        f, start="begin", end="end", until="2024-03-01", by="channel")),
    "churn_paths": (CLICKS, lambda f: cx.churn_paths(f, leaves="leaves")),
    "lifetime_value": (PURCHASES, lambda f: cx.lifetime_value(f, 12)),
    "concentration": (PURCHASES, lambda f: cx.concentration(cx.transactions(f))),
    "attribution": (_paths(), lambda f: cx.attribution(f, value="value", n_resamples=20)),
    "fair_ranking": (ratings(120).drop(columns="customer"), lambda f: cx.fair_ranking(
        f, "rating", "branch", ["channel", "age"], n_draws=500)),
    "segments": (groups(20)[["monetary", "n_purchases"]], lambda f: cx.segments(
        f, ["monetary", "n_purchases"], 2, k_max=2, n_resamples=10)),
}  # fmt: skip
CELLS = {
    "mapping": {"a": 1},
    "complex": 1 + 2j,
    "bytes": b"\xff",
    "half a character": "\ud800",
    "too large": 10**400,
    "year 0": "-5",
    "far": "9999-12-31",
    "zone": pd.Timestamp("2025-02-03", tz="UTC"),
}


def with_cell(frame, column, value):
    """Return a frame with a value in its row 3."""
    cells = frame[column].astype(object).tolist()
    cells[3] = value
    return frame.assign(**{column: pd.Series(cells, frame.index, dtype=object)})


@pytest.mark.parametrize("value", CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("name", METHODS)
def test_an_odd_cell_is_named_or_is_a_name(name, value):
    frame, call = METHODS[name]
    if name in ("fair_ranking", "segments") and value not in ("-5", "\ud800", 10**400, 1 + 2j):
        return  # slow, and read as the others are
    for column in frame.columns:
        message = ""
        try:
            call(with_cell(frame, column, value)).summary("zh")
        except CxError as error:  # warnings and other errors fail
            message = str(error)
        assert not message or column in message


@pytest.mark.parametrize(
    ("name", "column"),
    [("survival", "channel"), ("survival", "customer"), ("churn_paths", "customer"),
     ("churn_paths", "event"), ("lifetime_value", "customer"), ("concentration", "customer")],
)  # fmt: skip
def test_a_list_is_no_name(name, column):
    frame, call = METHODS[name]
    with pytest.raises(CxError, match=rf"row 3, column '{column}': \[1\] is no \w+; allowed: text"):
        call(with_cell(frame, column, [1]))


@pytest.mark.parametrize(
    ("name", "column", "allowed"),
    [("survival", "customer", "a value in every row"),
     ("churn_paths", "customer", "a customer in every row"),
     ("churn_paths", "event", "an event in every row"),
     ("lifetime_value", "customer", "a customer in every row")],
)  # fmt: skip
def test_a_blank_text_is_nobody(name, column, allowed):
    # One customer of spaces would be counted, and a blank cluster be the last one.
    frame, call = METHODS[name]
    with pytest.raises(CxError, match=f"column '{column}', row 3: '  '; allowed: {allowed}"):
        call(with_cell(frame, column, "  "))


def test_spaces_and_decimals_make_no_second_customer():
    numbers = PURCHASES.assign(customer=PURCHASES["customer"].str[1:].astype(int))
    mixed = numbers.assign(customer=numbers["customer"].astype(object))
    mixed["customer"] = [
        (f" {who} ", float(who), who)[row % 3] for row, who in enumerate(mixed["customer"])
    ]
    first, second = (cx.lifetime_value(frame, 12) for frame in (numbers, mixed))
    assert first.n == second.n
    pd.testing.assert_frame_equal(first.table, second.table, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "column"),
    [("survival", "weeks"), ("survival", "left"), ("lifetime_value", "amount"),
     ("attribution", "losses"), ("attribution", "value")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["durations", "dates", "periods"])
def test_what_pandas_would_count_in_microseconds_is_no_number(name, column, kind):
    frame, call = METHODS[name]
    days = pd.date_range("2024-01-01", periods=len(frame))
    cells = {"durations": days - days[0], "dates": days, "periods": days.to_period("D")}[kind]
    with pytest.raises(CxError, match=f"'{column}', row 0: .*allowed: numbers"):
        call(frame.assign(**{column: cells}))


@pytest.mark.parametrize("time", ["-5", "12024-03-01", "2024-13-01", "０２/03/2024"])
def test_what_is_no_year_of_a_calendar_is_no_time(time):
    # pandas reads "-5" as the year 5 before Christ.
    with pytest.raises(CxError, match=re.escape(time)):
        cx.concentration(cx.transactions(with_cell(PURCHASES, "time", time)))
    with pytest.raises(CxError, match=re.escape(time)):
        cx.lifetime_value(with_cell(PURCHASES, "time", time), 12)


@pytest.mark.parametrize("name", ["churn_paths", "concentration", "lifetime_value", "attribution"])
def test_objects_and_sparse_columns_are_the_numbers_that_they_hold(name):
    frame, call = METHODS[name]
    expected = call(frame).table
    pd.testing.assert_frame_equal(call(frame.astype(object)).table, expected, check_dtype=False)
    if name != "concentration":
        numeric = frame.select_dtypes("number").columns
        sparse = frame.assign(**{c: pd.arrays.SparseArray(frame[c]) for c in numeric})
        pd.testing.assert_frame_equal(call(sparse).table, expected, check_dtype=False)


@pytest.mark.parametrize("engine", ["polars", "lazy", "arrow", "duckdb"])
def test_attribution_reads_every_engine(engine):
    frame, call = METHODS["attribution"]
    table = pa.Table.from_pandas(frame)
    tables = {"polars": pl.from_pandas(frame), "lazy": pl.from_pandas(frame).lazy(),
              "arrow": table, "duckdb": duckdb.from_arrow(table)}  # fmt: skip
    pd.testing.assert_frame_equal(call(tables[engine]).table, call(frame).table)


def test_a_seed_may_be_larger_than_scikit_learn_takes():
    result = cx.segments(
        groups(20), ["monetary", "n_purchases"], 2, k_max=2, n_resamples=10, seed=2**70
    )
    assert result.table["n"].sum() == 80


@pytest.mark.parametrize("option", ["top", "share"])
@pytest.mark.parametrize("value", ["xx", 0.3, None, [True], ["a"]])
def test_shares_are_a_list_of_numbers(option, value):
    with pytest.raises(CxError, match=rf"{option}=.*allowed: a (list|share)"):
        cx.concentration([5.0, 3.0], **{option: value})


@pytest.mark.parametrize("by", [["channel", "customer"], 3])
def test_a_column_is_named_by_a_text(by):
    with pytest.raises(CxError, match="is no column; allowed: the name of one"):
        cx.survival(METHODS["survival"][0], "weeks", "left", by=by)


def test_huge_times_are_refused_where_they_stand():
    frame = contracts(40).assign(weeks=np.where(np.arange(40) == 7, 1e300, 4.0))
    with pytest.raises(CxError, match=r"'weeks', row 7: 1e\+300; allowed: times up to 1e\+12"):
        cx.survival(frame, "weeks", "left")
