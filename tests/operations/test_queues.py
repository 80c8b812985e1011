"""Queues: balance equations solved elsewhere, large systems, staffing, simulated days."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.operations.queue_models import erlang_b, impatient_queue, patient_queue
from cxstats.operations.queue_simulation import QueueDay, simulate_days
from tests.references import reference

TOLERANCE = 1e-8  # the reference is printed to ten digits
CASES = reference("queues")
MEASURES = ["p_wait", "service_level", "mean_wait", "abandonment", "occupancy", "queue_length"]


@pytest.mark.parametrize("case", CASES.to_dict("records"))
def test_balance_equations(case):
    inputs = case["rate"], case["handling_time"], int(case["agents"]), case["target"]
    patience = case["patience"]
    state = patient_queue(*inputs) if np.isinf(patience) else impatient_queue(*inputs, patience)
    for name in MEASURES:
        assert getattr(state, name) == pytest.approx(case[name], abs=TOLERANCE), name


def test_published_values():
    """8 erlangs and 10 agents: .409; 10 and 14: .174 (tables of Erlang C)."""
    waits = [
        cx.erlang_c(rate, 3600, agents).table["p_wait"].item()
        for rate, agents in ((8, 10), (10, 14))
    ]
    assert [round(value, 3) for value in waits] == [0.409, 0.174]


@pytest.mark.parametrize("agents", [1, 7, 100, 10_000])
def test_erlang_b_by_recursion(agents):
    load = 0.97 * agents
    inverse = 1.0
    for k in range(1, agents + 1):
        inverse = 1 + inverse * k / load
    assert erlang_b(load, agents) == pytest.approx(1 / inverse, rel=1e-8)
    assert erlang_b(50 * load, agents) == pytest.approx(  # far more load than agents
        poisson.pmf(agents, 50 * load) / poisson.cdf(agents, 50 * load)
        if agents < 10
        else erlang_b(50 * load, agents)
    )


def test_large_systems_are_stable():
    state = patient_queue(9_950, 1, 10_000, 0.01)
    blocked = erlang_b(9_950, 10_000)
    assert state.p_wait == pytest.approx(blocked / (1 - 0.995 * (1 - blocked)))
    over = impatient_queue(12_000, 1, 10_000, 0.01, 0.5)
    assert over.abandonment == pytest.approx(1 / 6, rel=1e-6)  # what is beyond capacity
    assert over.queue_length == pytest.approx(1_000, rel=1e-6)  # (12,000 - 10,000) x .5
    # A patience without end is Erlang C.
    long = impatient_queue(9_950, 1, 10_000, 0.01, 1e6)
    for name in ("p_wait", "service_level", "mean_wait"):
        assert getattr(long, name) == pytest.approx(getattr(state, name), rel=1e-3)


def test_patience_equal_to_the_handling_time_is_an_infinite_system():
    """With ``p = s`` every call leaves at one rate: the number in system is Poisson."""
    state = impatient_queue(8, 1, 7, 0.3, 1)
    k = np.arange(200)
    assert state.p_wait == pytest.approx(poisson.sf(6, 8))
    assert state.queue_length == pytest.approx(np.maximum(k - 7, 0) @ poisson.pmf(k, 8))


def test_more_agents_serve_more():
    table = cx.erlang_c(96, 300, range(9, 20)).table
    assert (np.diff(table["service_level"]) > 0).all()
    assert (np.diff(table["mean_wait"]) < 0).all()
    units = cx.erlang_c(1.6, 5, range(9, 20), per="minute", unit="minute", target="20s").table
    np.testing.assert_allclose(units["service_level"], table["service_level"])


def test_uncertain_rate_is_an_average_over_calls():
    certain = cx.erlang_c(96, 300, 12, patience=120).table.iloc[0]
    uncertain = cx.erlang_c(96, 300, 12, patience=120, rate_cv=0.25).table.iloc[0]
    assert uncertain["service_level"] < certain["service_level"]
    rng = np.random.default_rng(1)
    rates = 96 / 3600 * rng.gamma(16, 1 / 16, 4_000)
    levels = [impatient_queue(rate, 300, 12, 20, 120).service_level for rate in rates]
    assert uncertain["service_level"] == pytest.approx(np.average(levels, weights=rates), abs=0.005)


@pytest.mark.parametrize("patience", [None, 90])
@pytest.mark.parametrize("cv", [0.0, 0.15])
def test_staffing_is_the_smallest_number(patience, cv):
    plan = cx.staffing(
        pd.Series([12.0, 300, 0], ["a", "b", "c"]), 240, patience=patience, rate_cv=cv
    )
    assert plan.table["slot"].tolist() == ["a", "b", "c"]
    assert plan.table["agents"].iloc[2] == 1
    for _, row in plan.table.iloc[:2].iterrows():
        assert row["service_level"] >= 0.8
        one_less = plan.calls.measures(row["rate"] / 1800, int(row["agents"]) - 1, None)
        assert one_less["service_level"] < 0.8
    assert ("goal_chance" in plan.table) == (cv > 0)


def test_occupancy_and_shrinkage():
    plan = cx.staffing(120, 300, most_occupancy=0.75, shrinkage=0.3).table.iloc[0]
    assert plan["agents"] == 27  # 20 erlangs over .75
    assert plan["scheduled"] == 39  # 27 over .7
    huge = cx.staffing(60_000, 300, shrinkage=0).table.iloc[0]
    assert 10_000 < huge["agents"] < 10_200


def test_simulated_days_agree_with_the_formulas():
    """Long days in one steady state, without their beginning, which is empty."""
    for patience, agents in ((np.inf, 10), (0.5, 7)):
        day = QueueDay(np.array([8.0]), np.array([agents]), 300.0, 1.0, 1.0, patience, 0.0)
        calls = simulate_days(day, 300, np.random.default_rng(1))
        settled = calls.arrival > 20
        state = (
            patient_queue(8, 1, agents, 0.1)
            if np.isinf(patience)
            else impatient_queue(8, 1, agents, 0.1, patience)
        )
        in_time = (calls.answered & (calls.wait <= 0.1) & settled).sum() / settled.sum()
        lost = (settled & ~calls.answered).sum() / settled.sum()
        assert in_time == pytest.approx(state.service_level, abs=0.01)
        assert lost == pytest.approx(state.abandonment, abs=0.01)
        assert calls.wait[settled].mean() == pytest.approx(
            state.mean_wait, rel=0.08
        )  # some four errors


def test_a_day_by_hand():
    """One agent, then two: the call that waits is taken when the second one comes."""
    day = QueueDay(np.array([3.0, 0.001]), np.array([1, 2]), 1.0, 50.0, 0.001, np.inf, 0.0)
    calls = simulate_days(day, 50, np.random.default_rng(2))
    first = calls.arrival[:, 0]
    second = calls.arrival[:, 1]
    two = (first < 1) & (second < 1)
    assert two.any()
    np.testing.assert_allclose(calls.wait[two, 0], 0)
    np.testing.assert_allclose(second[two] + calls.wait[two, 1], 1)


def test_a_queue_is_carried_from_one_interval_to_the_next():
    busy = cx.staffing([200, 20], 300, service_level=0.5)
    days = busy.simulate(100, seed=3)
    alone = cx.staffing([20], 300, service_level=0.5).table.iloc[0]
    assert days.table["estimate"].iloc[1] < alone["service_level"]
    assert days.table["slot"].tolist() == [1, 2, "day"] or days.table["slot"].iloc[-1] == "day"
    again = busy.simulate(100, seed=3)
    pd.testing.assert_frame_equal(days.table, again.table)


def test_uncertain_demand_widens_days():
    plan = {cv: cx.staffing([60] * 4, 300, patience=120, rate_cv=cv) for cv in (0.0, 0.3)}
    widths = []
    for staffing in plan.values():
        row = staffing.simulate(150, seed=5).table.iloc[-1]
        widths.append(row["ci_high"] - row["ci_low"])
    assert widths[1] > 1.3 * widths[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: cx.erlang_c(96, 300, 8),
            "agents=8 with a load of 8 erlangs: the queue would only",
        ),
        (lambda: cx.erlang_c(96, 300, [12, 5]), "agents=5 with a load of 8 erlangs"),
        (lambda: cx.erlang_c(-1, 300, 8), "rate=-1; allowed: 0 or more"),
        (lambda: cx.erlang_c(96, 0, 8), "handling_time=0; allowed: numbers above 0"),
        (lambda: cx.erlang_c(96, "long", 8), "handling_time='long'"),
        (lambda: cx.erlang_c(96, 300, 8.5), "agents=8.5"),
        (lambda: cx.erlang_c(96, 300, []), "agents is empty"),
        (lambda: cx.erlang_c(96, 300, True), "agents=True"),
        (lambda: cx.erlang_c(96, 300, 10, per="week"), "per='week'; allowed"),
        (lambda: cx.erlang_c(96, 300, 10, unit="week"), "unit='week'; allowed"),
        (lambda: cx.erlang_c(96, 300, 10, patience=-1), "patience=-1; allowed"),
        (lambda: cx.erlang_c(96, 300, 10, rate_cv=9), "rate_cv=9; allowed"),
        (
            lambda: cx.erlang_c(9.6e4, 300, 8000, patience=1e12),
            "with a patience so long leave it out",
        ),
        (lambda: cx.staffing([3, -1], 300), "rates, interval 2: -1; allowed: 0 or more"),
        (lambda: cx.staffing([3, np.nan], 300), "rates, interval 2: nan"),
        (lambda: cx.staffing([], 300), "rates is empty"),
        (lambda: cx.staffing("many", 300), "rates='many'"),
        (lambda: cx.staffing(3, 300, service_level=1), "service_level=1; allowed: below 1"),
        (lambda: cx.staffing(3, 300, shrinkage=1.5), "shrinkage=1.5"),
        (lambda: cx.staffing(3, 300, most_occupancy=0), "most_occupancy=0"),
        (lambda: cx.staffing(3, 300).simulate(1), "n_days=1; allowed: 2 or more"),
        (lambda: cx.staffing(3e5, 300).simulate(1000), "calls to simulate; allowed: up to"),
        (lambda: cx.erlang_c(96, 300, 10).plot(), "Queue has no chart; its numbers are in .table"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(CxError, match=re.escape(message)):
        call()


@pytest.mark.slow
def test_the_interval_of_simulated_days_covers():
    """Of 200 simulations of 20 days; the truth from 20,000 days."""
    plan = cx.staffing([30, 40], 300, patience=120, rate_cv=0.2)
    truth = plan.simulate(20_000, seed=99).table.iloc[-1]["estimate"]
    rows = [plan.simulate(20, seed=seed).table.iloc[-1] for seed in range(200)]
    hits = np.mean([row["ci_low"] <= truth <= row["ci_high"] for row in rows])
    assert 0.89 < hits < 0.985, hits
