"""The value of saved customers: against customers whose rates are known, identities, bad input."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from tests.customers.test_lifetime_value import SPEND, TRUTH, simulated

HORIZON, MARGIN, DISCOUNT = 39.0, 0.4, 0.1


def customers_with_rates(n, rng):
    """Return a summary of n customers, who of them has stopped, and rates, stops and mean spend."""
    r, alpha, a, b = TRUTH
    p, q, v = SPEND
    rate, stop = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    scale = rng.gamma(q, 1 / v, n)
    age = rng.uniform(26, 52, n)
    clock, x, recency = np.zeros(n), np.zeros(n), np.zeros(n)
    active, stopped = np.ones(n, bool), np.zeros(n, bool)
    while active.any():
        clock[active] += rng.exponential(1 / rate[active])
        active &= clock <= age
        x[active] += 1
        recency[active] = clock[active]
        leaves = active & (rng.random(n) < stop)
        stopped |= leaves
        active &= ~leaves
    money = rng.gamma(p * np.maximum(x, 1)) / scale / np.maximum(x, 1)
    summary = pd.DataFrame({"frequency": x, "recency": recency, "age": age,
                            "money": np.where(x > 0, money, 0)})  # fmt: skip
    return summary, stopped, rate, stop, p / scale


def future_value(rate, stop, spend, rng):
    """Return the discounted margin of customers who are active now, over the horizon."""
    clock, total = np.zeros(len(rate)), np.zeros(len(rate))
    active = np.ones(len(rate), bool)
    force = np.log1p(DISCOUNT) * 7 / 365.25
    while active.any():
        clock[active] += rng.exponential(1 / rate[active])
        active &= clock <= HORIZON
        total[active] += np.exp(-force * clock[active])
        active &= rng.random(len(rate)) >= stop
    return MARGIN * spend * total


def test_saving_brings_what_saved_customers_buy():
    """Who had stopped is made active again, and goes on with the rate and the spend of before."""
    rng = np.random.default_rng(11)
    n = 60_000
    summary, stopped, rate, stop, spend = customers_with_rates(n, rng)
    value = cx.lifetime_value(summary, HORIZON, margin=MARGIN, discount=DISCOUNT)
    result = cx.saved_customer_value(value, 2.0, success=0.25)
    gain = np.where(stopped, future_value(rate, stop, spend, rng), 0.0)
    x = summary["frequency"].to_numpy()
    for least, most in ((1, 1), (2, 3), (4, 7), (8, 10_000), (1, 10_000)):
        rows = (x >= least) & (x <= most)
        error = gain[rows].std() / rows.sum() ** 0.5
        mean = result.customers["gain"][rows].mean()
        # Three errors of the simulation, and those of the fitted parameters (about 1 per cent).
        assert mean == pytest.approx(gain[rows].mean(), abs=3 * error + 0.02 * mean)
    everyone = result.table[result.table["segment"] == "all"].set_index("quantity")
    low, high = everyone.loc["break_even_cost", ["ci_low", "ci_high"]].astype(float) / 0.25
    error = gain.std() / n**0.5
    assert low - 2 * error < gain.mean() < high + 2 * error
    saved = gain[stopped].mean()
    assert everyone.loc["saved_value", "estimate"] == pytest.approx(saved, rel=0.04)
    # A customer with the same record who never stopped buys otherwise: that is another number.
    other = cx.saved_customer_value(value, 2.0, behaviour="active").customers["gain"]
    assert abs(other.mean() / gain.mean() - 1) > 0.1


@pytest.fixture(scope="module")
def value():
    summary, _ = simulated(1_500, np.random.default_rng(1))
    summary["customer"] = [f"C{i}" for i in range(1_500)]
    return cx.lifetime_value(summary, 26, margin=0.5, discount=0.2)


def test_active_customers_are_at_stake(value):
    frame = cx.saved_customer_value(value, 1.0, behaviour="active").customers
    np.testing.assert_allclose(frame["gain"], value.customers["at_stake"], rtol=1e-9)
    # What is certain to be active, less what is expected now.
    again = value.customers["frequency"] > 0
    now, saved = value.customers["clv"][again], frame["saved_value"][again]
    np.testing.assert_allclose(saved * value.customers["alive"][again], now, rtol=1e-9)
    assert frame["saved_value"][~again].isna().all()


@pytest.mark.parametrize("behaviour", ["resumed", "active"])
def test_break_even_is_where_the_profit_is_zero(value, behaviour):
    result = cx.saved_customer_value(value, 3.0, success=0.2, behaviour=behaviour)
    table = result.table.set_index(["segment", "quantity"])
    for segment in ("all", "worthwhile"):
        rows = table.loc[segment]
        cost = rows.loc["break_even_cost", "estimate"]
        rate = rows.loc["break_even_success", "estimate"]
        chosen = None
        if segment == "worthwhile":
            paying = result.customers["profit"] > 0
            chosen = result.customers["customer"][paying]
            assert rows["n"].iloc[0] == paying.sum()
        for change in ({"cost": cost, "success": 0.2}, {"cost": 3.0, "success": min(rate, 1)}):
            again = cx.saved_customer_value(
                value, customers=chosen, behaviour=behaviour, **change
            ).table.set_index(["segment", "quantity"])
            if rate <= 1:
                assert again.loc[("all", "profit"), "estimate"] == pytest.approx(0, abs=1e-9)
        assert (rows["ci_low"] < rows["estimate"]).all()
        assert (rows["estimate"] < rows["ci_high"]).all()
    frame = result.customers
    np.testing.assert_allclose(frame["profit"], 0.2 * frame["gain"] - 3)
    weighted = np.average(result.groups["estimate"], weights=result.groups["n"])
    assert weighted == pytest.approx(table.loc[("all", "break_even_cost"), "estimate"])


def test_chosen_customers_are_those_asked_for(value):
    names = ["C7", "C3", "C900"]
    result = cx.saved_customer_value(value, 1.0, customers=names)
    everyone = cx.saved_customer_value(value, 1.0).customers.set_index("customer")
    frame = result.customers.set_index("customer")
    assert sorted(frame.index) == sorted(names)
    np.testing.assert_allclose(frame["gain"], everyone.loc[frame.index, "gain"])


def test_an_offer_that_never_pays_says_so(value):
    result = cx.saved_customer_value(value, 1e6)
    assert set(result.table["segment"]) == {"all"}
    assert result.table.set_index("quantity").loc["break_even_success", "estimate"] > 1
    assert any("For no customer" in note.en for note in result.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cost": -1}, "cost=-1; allowed: a number 0 or more"),
        ({"cost": np.inf}, "cost=inf"),
        ({"cost": "ten"}, "cost='ten'"),
        ({"success": 0}, "success=0; allowed: a number above 0 and at most 1"),
        ({"success": 1.2}, r"success=1\.2"),
        ({"behaviour": "same"}, "behaviour='same'; allowed: 'resumed', 'active'"),
        ({"customers": ["C1", "Z9"]}, "customer 'Z9' is not in the lifetime value; it has 1500"),
        ({"customers": "C1"}, "customers='C1'; allowed: a list"),
        ({"customers": []}, "customers is empty"),
        ({"value": 3.0}, "value is a float; allowed: what cx.lifetime_value returns"),
    ],
)
def test_bad_input(value, options, message):
    with pytest.raises(CxError, match=message):
        cx.saved_customer_value(**({"value": value, "cost": 1.0} | options))


def test_without_money_or_repeat_purchases_there_is_no_value(value):
    summary, _ = simulated(200, np.random.default_rng(3))
    with pytest.raises(CxError, match="this lifetime value has no money"):
        cx.saved_customer_value(cx.lifetime_value(summary.drop(columns="money"), 10), 1.0)
    once = value.customers["customer"][value.customers["frequency"] == 0]
    with pytest.raises(DataError, match=r"none of the \d+ customers bought again"):
        cx.saved_customer_value(value, 1.0, customers=once)
