"""Forecasts of demand: real calls, outside values, rules for closed days, coverage."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.operations.smoothing import SmoothingForm, seasonal_naive, smooth

WEEK = np.array([120.0, 100, 95, 90, 110])
CLOSE = 0.01  # relative: two optimisers of one likelihood, on different scales


def days(n=80, seed=1, sd=6.0):
    """Return a series of weekdays around a fixed week."""
    index = pd.bdate_range("2026-01-05", periods=n)
    noise = np.random.default_rng(seed).normal(0, sd, n)
    return pd.Series(np.round(WEEK[np.arange(n) % 5] + noise), index)


@pytest.fixture(scope="module")
def bank():
    return cx.forecast_demand(
        cx.load_bank_calls(), time="DateTime", count="Calls", slot="30min", origins=40
    )


def test_calls_to_a_bank(bank):
    """Errors of the last 40 days, computed here from daily sums, and of the same weekday before."""
    calls = cx.load_bank_calls()
    daily = calls.groupby(calls["DateTime"].dt.normalize())["Calls"].sum()
    assert bank.season == 5
    assert bank.errors["actual"].tolist() == daily.iloc[-40:].tolist()
    before = [daily.get(day - pd.Timedelta("7D")) for day in daily.index[-40:]]
    naive = bank.errors["naive"].to_numpy()
    gap = np.array([value is None for value in before])
    assert gap.sum() == 2  # the weeks after 2003-09-01 and 2003-10-14, which are not there
    error = np.abs(daily.to_numpy()[-40:] - naive).mean()
    assert bank.value("seasonal_naive", "mae")["estimate"] == pytest.approx(error)
    assert bank.value("smoothing", "mae")["estimate"] < 0.7 * error
    mape = (np.abs(bank.errors["actual"] - bank.errors["predicted"]) / bank.errors["actual"]).mean()
    assert bank.value("smoothing", "mape")["estimate"] == pytest.approx(mape)
    assert bank.ahead["time"].tolist() == [pd.Timestamp("2003-10-27")]  # the Monday after


def test_the_course_of_a_day(bank):
    assert len(bank.slots) == 29
    assert bank.slots["share"].sum() == pytest.approx(1)
    assert bank.slots["slot"].tolist()[:2] == ["07:00", "07:30"]
    assert bank.rates().sum() == pytest.approx(bank.ahead["predicted"].iloc[0])
    row = bank.ahead.iloc[0]
    width = (row["prediction_high"] - row["prediction_low"]) / 2 / 1.959964 / row["predicted"]
    assert bank.cv() == pytest.approx(width)


@pytest.mark.parametrize("trend", [False, True])
@pytest.mark.parametrize("logarithm", [False, True])
def test_smoothing_is_that_of_statsmodels(trend, logarithm):
    """The model fitted without standardising; its errors' variance by n less parameters."""
    y = days().to_numpy()
    x = np.log(y) if logarithm else y
    model = ETSModel(
        pd.Series(x), error="add", seasonal="add", seasonal_periods=5,
        trend="add" if trend else None, damped_trend=trend,
    ).fit(disp=False)  # fmt: skip
    ahead = model.get_prediction(start=80, end=86)
    predictive = smooth(y, SmoothingForm(logarithm, trend, 5), 7)
    np.testing.assert_allclose(predictive.mean, ahead.predicted_mean, rtol=CLOSE)
    k = len(model.params)
    sd = np.sqrt(ahead.forecast_variance * 80 / (80 - k))
    np.testing.assert_allclose(predictive.sd, sd, rtol=0.05)


def test_seasonal_naive_by_hand():
    y = np.array([1.0, 2, 3, 4, 6, 8])
    predictive = seasonal_naive(y, 3, 4)
    assert predictive.mean.tolist() == [4, 6, 8, 4]
    rms = np.sqrt((9 + 16 + 25) / 3)
    np.testing.assert_allclose(predictive.sd, [rms, rms, rms, rms * 2**0.5])


def test_measures_by_hand():
    y = days(60)
    result = cx.forecast_demand(y, origins=12, horizon=2)
    first = result.errors[result.errors["origin"] == 1]
    assert first["step"].tolist() == [1, 2]
    assert len(result.errors) == 24
    place = y.index.get_loc(first["time"].iloc[0])
    before = y.to_numpy()[:place]
    scale = np.abs(before[5:] - before[:-5]).mean()
    errors = np.abs(result.errors["actual"] - result.errors["predicted"])
    assert result.value("smoothing", "mase")["estimate"] == pytest.approx(errors.mean() / scale)
    inside = result.errors["actual"].between(
        result.errors["prediction_low"], result.errors["prediction_high"]
    )
    assert result.value("smoothing", "coverage")["estimate"] == pytest.approx(inside.mean())
    pinball = 0.0
    for name, q in (("prediction_low", 0.025), ("predicted", 0.5), ("prediction_high", 0.975)):
        over = result.errors["actual"] - result.errors[name]
        pinball += np.maximum(q * over, (q - 1) * over).mean() / 3
    assert result.value("smoothing", "pinball")["estimate"] == pytest.approx(pinball)
    difference = result.value("difference", "mae")["estimate"]
    methods = [result.value(name, "mae")["estimate"] for name in ("smoothing", "seasonal_naive")]
    assert difference == pytest.approx(methods[0] - methods[1])


def test_twice_the_demand_errs_by_twice_as_much():
    y = days(60)
    single, double = (cx.forecast_demand(z, origins=12) for z in (y, 2 * y))
    for measure, factor in (("mae", 2), ("pinball", 2), ("mape", 1), ("mase", 1)):
        ratio = double.value("smoothing", measure)["estimate"]
        assert ratio == pytest.approx(
            factor * single.value("smoothing", measure)["estimate"], rel=CLOSE
        )


def test_every_form_of_the_same_demand():
    y = days(60)
    expected = cx.forecast_demand(y, origins=12).errors["actual"].tolist()
    table = pd.DataFrame({"day": y.index, "calls": y.to_numpy()})
    calls = table.loc[table.index.repeat(table["calls"].astype(int)), ["day"]]
    calls = calls.assign(day=calls["day"] + pd.Timedelta("9h"))
    shanghai = calls.assign(day=calls["day"].dt.tz_localize("Asia/Shanghai"))
    forms = [
        (table.iloc[::-1], {"time": "day", "count": "calls"}),
        (table.assign(day=table["day"].astype(str)), {"time": "day", "count": "calls"}),
        (table.convert_dtypes(dtype_backend="pyarrow"), {"time": "day", "count": "calls"}),
        (pl.from_pandas(table), {"time": "day", "count": "calls"}),
        (calls, {"time": "day"}),
        (shanghai, {"time": "day"}),  # 9:00 there is 1:00 in UTC, and 0:30 would be the day before
        (y.to_numpy(), {"season": 5}),
    ]
    for data, options in forms:
        assert cx.forecast_demand(data, origins=12, **options).errors["actual"].tolist() == expected


def test_closed_days_keep_their_place_in_the_week():
    y = days(70)
    holiday = y.index[60]
    missing = cx.forecast_demand(y.drop(holiday), origins=12)
    closed = cx.forecast_demand(y, origins=12, closed=[holiday])
    pd.testing.assert_frame_equal(missing.table, closed.table)
    assert holiday not in set(missing.errors["time"])
    assert "1 periods are closed or missing" in missing.summary()
    zero = cx.forecast_demand(y.drop(holiday), origins=12, gaps="zero")
    row = zero.errors[zero.errors["time"] == holiday].iloc[0]
    assert row["actual"] == 0
    assert np.isnan(zero.value("smoothing", "mape")["estimate"])
    assert "MAPE is undefined" in zero.summary()
    ahead = cx.forecast_demand(y, origins=12, horizon=3, closed=["2026-04-14"]).ahead["time"]
    assert [str(day.date()) for day in ahead] == ["2026-04-13", "2026-04-15", "2026-04-16"]


def test_rare_weekdays_and_partial_days_are_left_out():
    y = days(60)
    hours = pd.concat([y / 2, (y / 2).set_axis(y.index + pd.Timedelta("12h"))]).sort_index()
    saturday = pd.Series([5.0, 5.0], pd.DatetimeIndex(["2026-01-10", "2026-01-10 12:00"]))
    result = cx.forecast_demand(pd.concat([saturday, hours]), origins=12)
    assert result.season == 5
    assert "rarely open" in result.summary()
    partial = cx.forecast_demand(hours.iloc[:-1], origins=12)
    assert "1 days lack some of their rows" in partial.summary()
    assert partial.errors["time"].max() == y.index[-2]


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (days(), {"horizon": 0}, "horizon=0; allowed: whole numbers from 1"),
        (days(), {"origins": 5}, "origins=5; allowed: whole numbers from 12"),
        (days(), {"season": 100}, "season=100; allowed: 1 to 60"),
        (days(), {"gaps": "drop"}, "gaps='drop'; allowed: 'closed', 'zero'"),
        (days(), {"closed": "2026-01-01"}, "allowed: a list of dates"),
        (days(), {"closed": ["soon"]}, "closed has 'soon'"),
        (days(), {"slot": "30min"}, "needs a table finer than a day"),
        (days(20), {}, "20 periods with demand; origins=40"),
        (days().to_numpy(), {}, "season=None with a series without dates"),
        (days() * 0 + 3, {}, "demand is the same in every period"),
        (-days(), {}, "column 'demand': -122; allowed: 0 or more"),
        (pd.DataFrame({"a": [1]}), {}, "a DataFrame of demand; allowed: a table with time="),
        (pd.DataFrame({"a": [1]}), {"time": "day"}, "column 'day' is not in the table"),
        (pd.DataFrame({"a": ["x"]}), {"time": "a"}, "row 0, column 'a'"),
        (pd.DataFrame({"a": ["2026-01-01T01:00+08:00"]}), {"time": "a"}, "texts with time zones"),
        ([], {"season": 1}, "the series is empty"),
        ([np.nan] * 60, {"season": 1}, "no period has demand"),
        (["many"] * 60, {"season": 1}, "column 'demand'"),
    ],
)
def test_bad_input_is_named(data, options, message):
    with pytest.raises(CxError, match=re.escape(message)):
        cx.forecast_demand(data, **options)


@pytest.mark.slow
def test_prediction_intervals_and_the_gain_over_the_naive_forecast():
    """A fixed week with independent noise: the naive error is root 2 of the best one."""
    inside, ratios = [], []
    for seed in range(12):
        result = cx.forecast_demand(days(120, seed), origins=40)
        inside.append(result.value("smoothing", "coverage")["estimate"])
        maes = [result.value(name, "mae")["estimate"] for name in ("smoothing", "seasonal_naive")]
        ratios.append(maes[1] / maes[0])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)
    assert np.mean(ratios) == pytest.approx(2**0.5, abs=0.12)
