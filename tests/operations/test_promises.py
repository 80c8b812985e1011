"""Promises kept: real data, rules for what is missing, quantiles whose coverage is known."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.core.errors import CxError

N_SAMPLES = 300


def flights():
    frame = cx.load_flights()
    return frame.assign(date=pd.to_datetime(frame[["year", "month", "day"]]))


@pytest.fixture(scope="module")
def on_time():
    return cx.promise_kept(flights(), lateness="arr_delay", tolerance=15, cluster="date")


def test_flights_as_published(on_time):
    """23.7 % of 327,346 flights came more than 15 minutes late."""
    row = on_time.table.iloc[0]
    assert row["n"] == 327_346
    assert 1 - row["estimate"] == pytest.approx(0.237, abs=0.0005)
    assert row["n_missing"] == 336_776 - 327_346
    # As if flights of a day were independent the interval is 23.6 to 23.9 %.
    alone = cx.promise_kept(flights(), lateness="arr_delay", tolerance=15).table.iloc[0]
    assert 1 - alone["ci_low"] == pytest.approx(0.2386, abs=0.0005)
    assert row["ci_high"] - row["ci_low"] > 8 * (alone["ci_high"] - alone["ci_low"])
    assert row["n_clusters"] == 365


def test_bounds_hold_both_rules_for_missing_outcomes(on_time):
    row = on_time.table.iloc[0]
    broken = cx.promise_kept(
        flights(), lateness="arr_delay", tolerance=15, cluster=["year", "month", "day"],
        missing="broken",
    ).table.iloc[0]  # fmt: skip
    assert broken["estimate"] == row["bound_low"] == pytest.approx(249_716 / 336_776)
    assert broken["n"] == 336_776
    for name in ("bound_low", "bound_high", "n_missing", "events"):
        assert broken[name] == row[name]


@pytest.mark.parametrize(
    ("by", "shares"),
    [
        (None, {0: 0.798}),
        ("is_repeated_guest", {0: 0.809, 1: 0.651}),
        ("distribution_channel", {"corporate": 0.595}),
    ],
)
def test_rooms_as_reserved(by, shares):
    bookings = cx.load_hotel_bookings()
    result = cx.promise_kept(
        bookings, promised="reserved_room_type", actual="assigned_room_type", by=by,
        cluster="arrival_date",
    )  # fmt: skip
    table = result.table.set_index(by) if by else result.table
    for group, share in shares.items():
        assert table.loc[group, "estimate"] == pytest.approx(share, abs=0.0005)
    assert result.lateness is None
    assert result.kinds == ("groups",)


ROWS = [
    ("2026-03-01 10:00", "2026-03-01 10:14", "a"),
    ("2026-03-01 11:00", "2026-03-01 11:16", "a"),
    ("2026-03-02 09:00", None, "b"),
    (None, "2026-03-02 12:00", "b"),
    ("2026-03-02 12:00", "2026-03-02 08:00", "a"),
]
TIMES = pd.DataFrame(ROWS, columns=["due", "came", "shop"])


def forms():
    parsed = TIMES.assign(**{name: pd.to_datetime(TIMES[name]) for name in ("due", "came")})
    yield "text", TIMES
    yield "datetime", parsed
    yield (
        "zone",
        parsed.assign(
            due=parsed["due"].dt.tz_localize("Asia/Shanghai"),
            came=parsed["came"].dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC"),
        ),
    )
    yield "duplicate labels", parsed.set_axis([0, 0, 1, 1, 1])
    yield "arrow", parsed.convert_dtypes(dtype_backend="pyarrow")
    yield "polars", pl.from_pandas(parsed)
    yield (
        "days as numbers",
        pd.DataFrame(
            {
                "due": [10.0, 20, 30, None, 40],
                "came": [10.2, 20.4, None, 3, 20],
                "shop": list("aabba"),
            }
        ),
    )


@pytest.mark.parametrize("form", [pytest.param(frame, id=name) for name, frame in forms()])
def test_every_form_of_times(form):
    number = "days" in str(getattr(form, "name", "")) or (
        isinstance(form, pd.DataFrame) and str(form["due"].dtype) == "float64"
    )
    tolerance = 0.25 if number else "15 min"
    result = cx.promise_kept(form, promised="due", actual="came", tolerance=tolerance, by="shop")
    assert result.table["events"].tolist() == [2, 0]
    assert result.table["n"].tolist() == [3, 0]
    assert result.table["n_missing"].tolist() == [0, 1]
    assert result.n_unpromised == 1
    assert result.table["bound_high"].tolist() == [2 / 3, 1]
    medians = result.lateness[result.lateness["quantile"] == 0.5]
    assert medians["estimate"].tolist() == [pytest.approx(0.2 if number else 14)]  # of shop a


def test_equal_numbers_and_spaces():
    rooms = pd.DataFrame({"a": [101, 102, 103, None], "b": [101, 201, None, 4]})
    late = cx.promise_kept(rooms, promised="a", actual="b")
    assert late.table["estimate"].tolist() == [0.5]  # 101 - 101 = 0 and 201 - 102 = 99
    equal = cx.promise_kept(rooms, promised="a", actual="b", match="equal")
    assert equal.table[["events", "n", "n_missing"]].iloc[0].tolist() == [1, 2, 1]
    words = pd.DataFrame({"a": ["A ", "B"], "b": pd.Categorical([" A", "C"])})
    assert cx.promise_kept(words, promised="a", actual="b").table["estimate"].tolist() == [0.5]


@pytest.mark.parametrize(
    "values", [[True, False, None, True], [1, 0, None, 1], pd.array([1, 0, None, 1], "Int8")]
)
def test_outcomes(values):
    frame = pd.DataFrame({"right_first_time": values})
    row = cx.promise_kept(frame, kept="right_first_time").table.iloc[0]
    assert row[["events", "n", "n_missing"]].tolist() == [2, 3, 1]


def test_lateness_in_another_unit():
    hours = cx.promise_kept(TIMES, promised="due", actual="came", unit="hour", tolerance="15 min")
    assert hours.tolerance == 0.25
    assert hours.table["events"].tolist() == [2]
    assert hours.lateness["estimate"].tolist()[-1] == pytest.approx(16 / 60)


FRAME = pd.DataFrame({"x": [1.0, np.inf], "t": ["2026-01-01", "soon"], "y": [0, 2], "z": [1, 2]})
FRAME = FRAME.assign(quantile=[1, 2], gap=["a", None])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no column of outcomes; allowed: kept=, or lateness="),
        ({"kept": "y", "lateness": "x"}, "kept='y', lateness='x'; allowed"),
        ({"promised": "x"}, "promised='x'; allowed"),
        ({"kept": "no"}, "column 'no' is not in the table"),
        ({"kept": "y"}, "column 'y', row 1: 2; allowed: 0 and 1"),
        ({"kept": "y", "tolerance": 3}, "tolerance=3 with kept="),
        ({"lateness": "x"}, "row 1, column 'x': np.float64(inf)"),
        ({"lateness": "z", "tolerance": -1}, "tolerance=-1; allowed: 0 or more"),
        ({"lateness": "z", "tolerance": "soon"}, "tolerance='soon'; allowed"),
        ({"lateness": "z", "unit": "week"}, "unit='week'; allowed"),
        ({"lateness": "z", "quantiles": [1.0]}, "quantiles has 1.0; allowed"),
        ({"lateness": "z", "missing": "kept"}, "missing='kept'; allowed: 'left_out', 'broken'"),
        ({"promised": "t", "actual": "t"}, "row 1, column 't'"),
        ({"promised": "t", "actual": "z", "match": "by_then"}, "'z' holds numbers; allowed: both"),
        ({"promised": "z", "actual": "z", "match": "same"}, "match='same'; allowed"),
        ({"promised": "z", "actual": "z", "tolerance": "2 h"}, "in the unit of the columns"),
        ({"lateness": "z", "by": "no"}, "column 'no'"),
        ({"lateness": "z", "by": "quantile"}, "the column of groups 'quantile' is called"),
        ({"lateness": "z", "cluster": "gap"}, "column 'gap', row 1: no cluster"),
        ({"lateness": "z", "cluster": ["y", "no"]}, "column 'no'"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(CxError, match=re.escape(message)):
        cx.promise_kept(FRAME, **options)


def test_nothing_to_judge():
    empty = pd.DataFrame({"x": [np.nan, np.nan], "y": [1.0, 2.0]})
    with pytest.raises(CxError, match="no promise has an outcome"):
        cx.promise_kept(empty, lateness="x")
    assert cx.promise_kept(empty, lateness="x", missing="broken").table["estimate"].tolist() == [0]
    with pytest.raises(CxError, match="column 'x': no row has a promise"):
        cx.promise_kept(empty, promised="x", actual="y")
    with pytest.raises(CxError, match="no rows"):
        cx.promise_kept(empty.iloc[:0], lateness="x")


@pytest.mark.slow
def test_coverage_with_clusters():
    """60 days of 30 deliveries whose lateness shares a day's part: share and 90 % quantile."""
    rng = np.random.default_rng(3)
    population = rng.normal(size=400_000) + rng.normal(size=400_000)
    share, quantile = (population <= 1).mean(), np.quantile(population, 0.9)
    hits = np.zeros((2, N_SAMPLES), bool)
    for i in range(N_SAMPLES):
        day = np.repeat(np.arange(60), 30)
        late = rng.normal(size=60)[day] + rng.normal(size=1800)
        result = cx.promise_kept(
            pd.DataFrame({"late": late, "day": day}), lateness="late", tolerance=1, cluster="day",
            quantiles=[0.9],
        )  # fmt: skip
        row, limits = result.table.iloc[0], result.lateness.iloc[0]
        hits[0, i] = row["ci_low"] <= share <= row["ci_high"]
        hits[1, i] = limits["ci_low"] <= quantile <= limits["ci_high"]
    # Of 300 samples, three standard errors to either side; 98.0 and 94.7 % on 2026-11-27.
    assert (np.abs(hits.mean(axis=1) - 0.95) < 3 * (0.95 * 0.05 / N_SAMPLES) ** 0.5).all()
