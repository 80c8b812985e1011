"""Net present value and payback: closed forms, draws against integrals, faults that are named."""

import re

import numpy as np
import pytest
from scipy import integrate, stats

import cxstats as cx
from cxstats.core.errors import CxError


def test_closed_forms():
    """An annuity, and one that grows."""
    case = cx.payback(1000, 400, 50, horizon=5, discount=0.1)
    assert case.value("npv") == pytest.approx(-1000 + 350 * (1 - 1.1**-5) / 0.1)
    assert case.value("payback") == pytest.approx(1000 / 350)
    assert case.value("roi") == pytest.approx((5 * 400 - 1250) / 1250)
    growing = cx.payback(1000, 400, horizon=8, discount=0.1, growth=0.05)
    annuity = 400 * (1 - (1.05 / 1.1) ** 8) / (0.1 - 0.05)
    assert growing.value("npv") == pytest.approx(annuity - 1000)
    # Discounted: the period n in which the growing annuity reaches the investment.
    n = np.log(1 - 1000 * 0.05 / 400) / np.log(1.05 / 1.1)
    assert abs(growing.value("discounted_payback") - n) < 0.05  # linear within a period
    assert np.isnan(case.table["ci_low"]).all()


def test_flows_add_up():
    case = cx.payback(1000, 400, 50, horizon=5, discount=0.1)
    assert case.flows["flow"].tolist() == [-1000] + [350] * 5
    assert case.flows["cumulative"].iloc[-1] == 750
    assert case.flows["discounted"].iloc[-1] == pytest.approx(case.value("npv"))
    assert case.base == pytest.approx(case.value("npv"))


def test_what_does_not_pay_back():
    case = cx.payback(1000, 100, horizon=5)
    assert np.isnan(case.value("payback"))
    assert case.value("p_payback") == 0
    assert "not within 5 periods" in case.summary()
    nothing = cx.payback(0, 100, horizon=5)
    assert nothing.value("payback") == 0
    assert nothing.value("p_payback") == 1
    assert np.isnan(nothing.value("roi"))  # a return on nothing


@pytest.mark.parametrize("distribution", ["pert", "triangular"])
def test_draws_agree_with_the_distribution(distribution):
    """One uncertain input: chance and limits from its distribution function."""
    case = cx.payback(
        1000, (200, 300, 700), horizon=4, distribution=distribution, n_draws=40_000, level=0.8
    )
    if distribution == "pert":
        benefit = stats.beta(1 + 4 * 100 / 500, 1 + 4 * 400 / 500, 200, 500)
    else:
        benefit = stats.triang(100 / 500, 200, 500)
    assert case.value("p_payback") == pytest.approx(benefit.sf(250), abs=0.01)
    assert case.value("npv") == pytest.approx(4 * benefit.mean() - 1000, abs=8)
    row = case.table.set_index("quantity").loc["npv"]
    limits = 4 * benefit.ppf([0.1, 0.9]) - 1000
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(limits, abs=15)
    median = 1000 / benefit.median()
    assert case.value("payback") == pytest.approx(median, abs=0.03)


def test_two_uncertain_inputs():
    """The chance that the benefits exceed the investment, by integration."""
    case = cx.payback((800, 1000, 1500), (200, 300, 400), horizon=4, n_draws=40_000)
    cost = stats.beta(1 + 4 * 200 / 700, 1 + 4 * 500 / 700, 800, 700)
    gain = stats.beta(3, 3, 800, 800)
    chance = integrate.quad(lambda x: gain.pdf(x) * cost.cdf(x), 800, 1600)[0]
    assert case.value("p_npv") == pytest.approx(chance, abs=0.01)
    inputs = case.inputs.set_index("driver")
    assert inputs.loc["investment"].tolist() == [400, -300]
    assert inputs.loc["benefit"].tolist() == [-200, 600]
    assert case.base == 200


def test_the_same_seed_and_another():
    first, again, other = (
        cx.payback((800, 1000, 1500), 300, horizon=4, seed=seed) for seed in (1, 1, 2)
    )
    assert first.value("npv") == again.value("npv") != other.value("npv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"investment": -1}, "investment=-1; allowed: a number or (low, most likely, high), 0 or"),
        ({"benefit": (3, 2, 1)}, "benefit=(3, 2, 1); allowed: low <= most likely <= high"),
        ({"benefit": "much"}, "benefit='much'"),
        ({"benefit": np.inf}, "benefit=inf"),
        ({"horizon": 0}, "horizon=0; allowed: whole numbers from 1"),
        ({"horizon": 2.5}, "horizon=2.5"),
        ({"discount": -1}, "discount=-1; allowed: above -1"),
        ({"growth": -2}, "growth=-2"),
        ({"distribution": "normal"}, "distribution='normal'"),
        ({"n_draws": 0}, "n_resamples is 0"),
    ],
)
def test_bad_input_is_named(options, message):
    arguments = {"investment": 100, "benefit": 10, "horizon": 5} | options
    with pytest.raises(CxError, match=re.escape(message)):
        cx.payback(**arguments)
