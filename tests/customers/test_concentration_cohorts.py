"""Concentration and cohorts: CDNOW's values, engines, the calendar, errors."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from tests.customers.test_rfm import CDNOW, small
from tests.customers.test_transactions import DOUBTFUL, ENGINES
from tests.gallery.customers_rfm import faulty, purchases

PERIODS = ["week", "month", "quarter", "year"]


@pytest.fixture(scope="module")
def cdnow():
    return cx.transactions(cx.load_cdnow(), **CDNOW)


@pytest.mark.parametrize("engine", list(ENGINES)[1:])
def test_engines_agree(engine):
    first, second = (
        cx.transactions(frame, future="drop", **DOUBTFUL)
        for frame in (faulty(), ENGINES[engine](faulty()))
    )
    for method in (cx.concentration, *(lambda t, p=p: cx.cohorts(t, p) for p in PERIODS)):
        one, other = method(first).table, method(second).table
        pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-12)


def test_concentration_of_cdnow(cdnow):
    """Computed apart from this package, to the digits printed there."""
    table = cx.concentration(cdnow).table
    tops = table[table["measure"] == "top_share"].set_index("of_customers")
    assert round(100 * tops["estimate"][0.2], 1) == 67.8
    assert round(100 * tops["estimate"][0.3], 1) == 78.0
    assert round(table["estimate"][0], 4) == 0.6346
    assert table[["ci_low", "ci_high"]].round(3).to_numpy()[0].tolist() == [0.626, 0.643]
    # The limits printed are 77.4 and 78.6; ours come from influence values.
    limits = 100 * tops.loc[0.3, ["ci_low", "ci_high"]].astype(float)
    assert limits.tolist() == pytest.approx([77.4, 78.6], abs=0.1)


def test_the_lorenz_curve_encloses_half_of_gini(cdnow):
    result = cx.concentration(cdnow)
    x, y = result.curve["of_customers"], result.curve["of_spending"]
    assert len(x) <= 1_001
    assert 1 - 2 * np.trapezoid(y, x) == pytest.approx(result.table["estimate"][0], abs=1e-4)


def test_refunds_lower_what_a_customer_spent():
    table = cx.concentration(cx.transactions(small()), top=[0.5], share=[]).table
    assert table["estimate"].tolist() == pytest.approx([7 / 12 - 1 / 2, 7 / 12])
    later = cx.concentration(cx.transactions(small()), top=[0.5], since="2024-01-02")
    assert later.table["estimate"][1] == 1
    assert any("(1) count with an amount of 0" in note.en for note in later.notes)


@pytest.mark.parametrize(
    ("amounts", "match"),
    [
        (purchases().assign(customer=1), "1 customer: concentration compares customers"),
        (purchases(1), "1 customer: concentration compares customers"),
        (purchases().assign(amount=0.0), "no amount is above 0"),
        (purchases().assign(amount=-1.0), "no purchase is in the period"),
    ],
)
def test_concentration_refuses(amounts, match):
    with pytest.raises(cx.DataError, match=match):
        cx.concentration(cx.transactions(amounts))


@pytest.mark.parametrize(
    ("amounts", "options", "match"),
    [
        ([1, -2], {}, "amount of customer 2: -2.0; allowed: numbers of 0 or more"),
        (["a"], {}, "list instead of checked transactions"),
        ([1, 2], {"top": [30]}, "top=30; allowed: a share above 0 and below 1"),
        ([1, 2], {"since": "2024-01-01"}, "since and date are for transactions"),
    ],
)
def test_concentration_refuses_amounts(amounts, options, match):
    with pytest.raises(cx.DataError, match=match):
        cx.concentration(amounts, **options)


def test_cohorts_of_cdnow(cdnow):
    result = cx.cohorts(cdnow)
    assert result.sizes["1997-01"] == 7_846
    assert result.sizes["1997-02"] == 8_476
    first = (
        result.table[result.table["periods_after"] == 1].set_index("cohort")["estimate"].round(4)
    )
    assert first["1997-01"] == 0.1475
    assert first["1997-02"] == 0.1548
    assert result.table["complete"].all()


@pytest.mark.parametrize("period", PERIODS)
def test_periods_are_those_of_the_calendar(period):
    """Against pandas' own periods, over leap years and turns of the century."""
    rng = np.random.default_rng(4)
    frame = purchases(2_000)
    frame["time"] = pd.Timestamp("1899-06-01") + pd.to_timedelta(
        rng.integers(0, 46_000, 2_000), "D"
    )
    table = cx.cohorts(cx.transactions(frame), period).table
    code = {"week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}[period]
    number = frame["time"].dt.to_period(code)
    begin = number.groupby(frame["customer"]).transform("min")
    age = number.astype("int64") - begin.astype("int64")
    expected = frame.assign(age=age, begin=begin).drop_duplicates(["customer", "age"])
    expected = expected.groupby(["begin", "age"]).size()
    assert table.loc[table["active"] > 0, "active"].tolist() == expected.tolist()
    ages = table.loc[table["active"] > 0, "periods_after"]
    assert ages.tolist() == expected.index.get_level_values("age").tolist()


def test_a_period_that_is_cut_is_marked_and_left_out_of_the_curve():
    frame = pd.DataFrame(
        {
            "customer": ["a", "b", "a", "b"],
            "time": pd.to_datetime(["2024-01-05", "2024-02-10", "2024-02-11", "2024-03-30"]),
            "amount": 1.0,
        }
    )
    result = cx.cohorts(cx.transactions(frame))
    assert result.table["complete"].tolist() == [True, True, False, True, False]
    assert result.curve[["periods_after", "n", "active"]].to_numpy().tolist() == [
        [0, 2, 2],
        [1, 1, 1],
    ]
    ended = cx.transactions(frame.replace(pd.Timestamp("2024-03-30"), pd.Timestamp("2024-03-31")))
    assert cx.cohorts(ended).table["complete"].all()


def test_cohorts_refuse():
    with pytest.raises(cx.CxError, match="period='day' is not allowed"):
        cx.cohorts(cx.transactions(purchases()), "day")
    with pytest.raises(cx.DataError, match="instead of checked transactions"):
        cx.cohorts(purchases())
    with pytest.raises(cx.DataError, match="no purchase is there"):
        cx.cohorts(cx.transactions(purchases().assign(amount=-1.0)))
