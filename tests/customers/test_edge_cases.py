"""What every method of customers does with next to nothing, with refunds, and with odd columns."""

import warnings

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError

PERIODS = ("2024-01-01", "2024-02-28"), ("2024-03-01", "2024-12-31")
SIX = pd.DataFrame({"customer": list("abcdef") * 4,
                    "time": pd.date_range("2024-01-01", periods=24, freq="9D"),
                    "amount": 3.0})  # fmt: skip
FRAMES = {
    "one transaction": SIX.iloc[:1],
    "one customer": SIX.assign(customer="a", amount=np.arange(1.0, 25)),
    "refunds alone": SIX.assign(amount=-5.0),
    "more refunded than paid": SIX.assign(amount=[5.0] * 6 + [-50.0] * 18),
    "nothing paid": SIX.assign(amount=0.0),
    "one day": SIX.assign(time=pd.Timestamp("2024-01-01")),
    "no rows": SIX.iloc[:0],
}
METHODS = {
    "rfm": cx.rfm,
    "cohorts": cx.cohorts,
    "concentration": cx.concentration,
    "movement": lambda t: cx.movement(cx.rfm(t, PERIODS[0][1]), cx.rfm(t, since=PERIODS[1][0])),
    "lifetime_value": lambda t: cx.lifetime_value(t, 10),
    "repurchase": lambda t: cx.repurchase(t, "2024-02-15"),
    "earned_growth": lambda t: cx.earned_growth(t, *PERIODS, n_resamples=50),
}
# What is refused, and why. What is not here gives a result.
REFUSED = {
    ("one transaction", "concentration"): "1 customer: concentration compares customers",
    ("one transaction", "movement"): "date=2024-01-01 is before 2024-03-01",
    ("one transaction", "lifetime_value"): r"0 of 0 customers \(1 more bought first at its end\)",
    ("one transaction", "repurchase"): "at='2024-02-15'; allowed: a time after the first",
    ("one transaction", "earned_growth"): "no transaction from 2024-03-01 to 2024-12-31",
    ("one customer", "concentration"): "1 customer: concentration compares customers",
    ("one customer", "lifetime_value"): "1 of 1 customers bought again .*allowed: at least 5",
    ("one customer", "repurchase"): "1 of 1 customers bought again .*allowed: at least 5",
    **{("refunds alone", method): "no purchase is (in the period|there)"
       for method in ("rfm", "cohorts", "concentration", "movement")},
    **{("refunds alone", method): "all 24 transactions are refunds; allowed: at least one purchase"
       for method in ("lifetime_value", "repurchase")},
    ("refunds alone", "earned_growth"): "revenue from 2024-01-01 to 2024-02-28 is 0",
    ("more refunded than paid", "concentration"): "no amount is above 0",
    ("more refunded than paid", "movement"): "no purchase is in the period",
    ("more refunded than paid", "lifetime_value"): "0 of 5 customers .* bought again",
    ("more refunded than paid", "repurchase"): "0 of 5 customers bought again",
    ("more refunded than paid", "earned_growth"): "revenue from .* is -20; allowed: above 0",
    ("nothing paid", "concentration"): "no amount is above 0",
    ("nothing paid", "lifetime_value"): "0 different amounts above 0 .* or amount=None",
    ("nothing paid", "repurchase"): "0 of 5 customers bought again",
    ("nothing paid", "earned_growth"): "revenue from .* is 0; allowed: above 0",
    ("one day", "movement"): "date=2024-01-01 is before 2024-03-01",
    ("one day", "lifetime_value"): "0 of 0 customers .6 more bought first at its end. bought",
    ("one day", "repurchase"): "at='2024-02-15'; allowed: a time after the first",
    ("one day", "earned_growth"): "no transaction from 2024-03-01",
    **{("no rows", method): "the table has no rows" for method in METHODS},
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FRAMES)
def test_next_to_nothing(name, method):
    call = METHODS[method]
    message = REFUSED.get((name, method))
    if message is not None:
        with pytest.raises(CxError, match=message):
            call(cx.transactions(FRAMES[name]))
        return
    result = call(cx.transactions(FRAMES[name]))
    for lang in ("en", "zh"):
        assert "nan" not in result.summary(lang).replace("finan", "")


def test_one_customer_has_no_interval_of_growth():
    frame = FRAMES["one customer"]
    table = cx.earned_growth(cx.transactions(frame), *PERIODS, n_resamples=50).table
    assert table[["ci_low", "ci_high"]].isna().all(axis=None)


@pytest.mark.parametrize("method", ["lifetime_value", "repurchase"])
def test_negative_money_of_a_plain_table_names_the_row(method):
    call = {"lifetime_value": lambda f: cx.lifetime_value(f, 10),
            "repurchase": lambda f: cx.repurchase(f, "2024-02-15")}[method]  # fmt: skip
    with pytest.raises(CxError, match=r"'amount', row 3: -2\.0; allowed: amounts of 0 or more"):
        call(SIX.assign(amount=[3.0] * 3 + [-2.0] + [3.0] * 20))


def test_a_customer_cannot_have_bought_after_the_end_of_his_history():
    frame = pd.DataFrame({"frequency": [2] * 6, "recency": [5.0] * 5 + [9.0], "age": 8.0})
    with pytest.raises(CxError, match=r"'recency', row 5: 9\.0; allowed: no later than the age"):
        cx.lifetime_value(frame, 4)
    # And whose first purchase lies after the end is refused, not given a negative age.
    with pytest.raises(CxError, match=r"'time', row 6: .*no later than end='2024-02-20'"):
        cx.lifetime_value(SIX, 4, end="2024-02-20")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(customer=f["customer"].astype("category")),
        lambda f: f.convert_dtypes(dtype_backend="pyarrow"),
        lambda f: f.assign(amount=f["amount"].astype("Int64")),
        lambda f: f.set_index(pd.Index([7] * len(f))),
        lambda f: f.rename(columns={"customer": "n"}),
        lambda f: f.assign(source="new", before=1.0, begin=0, first=1),
    ],
    ids=["category", "arrow", "nullable", "index twice", "internal name", "internal columns"],
)
def test_kinds_of_columns_change_nothing(change):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "customer": rng.choice(list("abcdefghijklmnopqrst"), 150),
        "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 150), "D"),
        "amount": rng.integers(1, 50, 150).astype(float),
    })  # fmt: skip
    other = change(frame)
    who = "n" if "n" in other else "customer"
    tables = [cx.transactions(frame), cx.transactions(other, customer=who)]
    methods = {k: v for k, v in METHODS.items() if k not in ("repurchase",)}
    for call in methods.values():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            first, second = (call(table).table for table in tables)
        pd.testing.assert_frame_equal(first, second, check_dtype=False, rtol=1e-6)


PATHS = pd.DataFrame({"path": ["a > b"], "conversions": [1], "losses": [0]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conversions": 0, "losses": 1}, "no path converts"),
        ({"conversions": -1}, "'conversions', row 0: -1; allowed: whole numbers from 0"),
        ({"losses": np.inf}, "'losses', row 0: inf; allowed: numbers"),
        ({"path": ""}, "'path', row 0: ''; allowed: channels"),
    ],
)
def test_attribution_of_next_to_nothing(change, message):
    one = cx.attribution(PATHS, n_resamples=20)
    assert one.effects["estimate"].tolist() == [1.0, 1.0]
    assert any("below 100 the percentile intervals are rough" in note.en for note in one.notes)
    same = cx.attribution(PATHS.assign(path="a", conversions=5), n_resamples=20)
    assert same.of("markov")["estimate"].tolist() == [5.0]
    with pytest.raises(CxError, match=message):
        cx.attribution(PATHS.assign(**change), n_resamples=20)
    with pytest.raises(CxError, match="the table has no rows"):
        cx.attribution(PATHS.iloc[:0], n_resamples=20)
