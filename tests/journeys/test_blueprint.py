"""What a blueprint shows: times, losses, standards, gaps, and what it says of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.journeys.blueprint.elements import Measured
from cxstats.journeys.blueprint.estimates import total_time, waiting_share
from cxstats.stats.intervals import weighted_counts_interval, wilson_interval
from tests.journeys.blueprints import SMALL, large, small

CLOSED = 1e-10  # the same closed form by another program


def said(result, words):
    return any(words in note.en for note in result.notes)


def test_the_small_blueprint_by_hand():
    result = cx.blueprint(SMALL)
    assert result.critical_path["element"].tolist() == ["call", "answer", "look"]
    assert result.critical_path["finish"].tolist() == [1, 11, 14]
    assert result.lead_time.estimate == 14
    assert result.waiting_share.estimate == pytest.approx(6 / 14)
    assert result.expected_loss.estimate == pytest.approx(50 * 0.1 + 400 * 0.02)
    table = result.table.set_index("element")
    assert table["start"].dropna().to_dict() == {"call": 0, "answer": 1, "look": 11, "letter": 11}
    assert table.loc["letter", "slack"] == 3
    assert table.index[table["critical"]].tolist() == ["call", "answer", "look"]


def test_intervals_are_those_of_other_programs():
    result = cx.blueprint(SMALL)
    answer = result.table.set_index("element").loc["answer"]
    t = stats.t.interval(0.95, 39, 6, 3 / 40**0.5)
    assert answer[["wait_ci_low", "wait_ci_high"]].tolist() == pytest.approx(t, rel=CLOSED)
    wilson = [float(end) for end in wilson_interval(0.1, 200, 0.95)]
    assert answer[["failure_share_ci_low", "failure_share_ci_high"]].tolist() == wilson
    assert answer[["loss_ci_low", "loss_ci_high"]].tolist() == [50 * end for end in wilson]
    limits = weighted_counts_interval([20, 4], [200, 200], [50, 400], 0.95)
    assert result.expected_loss[1:3] == pytest.approx([float(end) for end in limits])


def test_the_sum_of_two_means_is_welchs():
    rng = np.random.default_rng(3)
    x, y = rng.gamma(2, 3, 15), rng.gamma(2, 1, 40)
    parts = [Measured(s.mean(), s.std(ddof=1), len(s)) for s in (x, y)]
    total = total_time(parts, "minute", 0.9)
    welch = stats.ttest_ind(x, -y, equal_var=False).confidence_interval(0.9)
    assert (total.ci_low, total.ci_high) == pytest.approx((welch.low, welch.high), rel=CLOSED)


def test_fiellers_limits_are_ratios_that_a_t_test_just_refuses():
    waits, times = [Measured(6, 3, 25)], [Measured(4, 1.5, 36), Measured(2, 1, 9)]
    share = waiting_share(waits, times, 0.95)
    w, t = 9 / 25, 1.5**2 / 36 + 1 / 9
    df = (w + t) ** 2 / (w**2 / 24 + (1.5**2 / 36) ** 2 / 35 + (1 / 9) ** 2 / 8)
    for r in (share.ci_low, share.ci_high):
        # W - r (W + T) has variance (1 - r)^2 w + r^2 t
        statistic = (6 - r * 12) / ((1 - r) ** 2 * w + r**2 * t) ** 0.5
        assert abs(statistic) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-9)


def test_planned_times_have_no_interval_and_say_so():
    result = cx.blueprint(SMALL)  # call and look are planned
    assert np.isnan(result.lead_time.ci_low)
    assert said(result, "the lead time has no interval")
    assert said(result, "call, look up")
    times = {"mean": 1, "sd": 0.5, "n": 20}
    measured = cx.blueprint(small(call={"time": times}, look={"time": times}))
    assert measured.lead_time.ci_low < 12 < measured.lead_time.ci_high
    assert not said(measured, "the lead time has no interval")


def test_a_share_without_n_has_no_interval_and_says_so():
    result = cx.blueprint(small(records={"failure": {"share": 0.02, "cost": 400}}))
    row = result.table.set_index("element").loc["records"]
    assert row["failure_share"] == 0.02
    assert np.isnan(row["failure_share_ci_low"])
    assert result.expected_loss.estimate == pytest.approx(13)
    assert np.isnan(result.expected_loss.ci_low)
    assert said(result, "failure shares without n have no interval, nor has a loss")
    assert said(result, "records")


def test_a_share_with_n_is_that_of_counts():
    by_share = cx.blueprint(small(records={"failure": {"share": 0.02, "n": 200, "cost": 400}}))
    assert by_share.expected_loss == cx.blueprint(SMALL).expected_loss


def test_failures_without_a_cost_are_left_out_and_named():
    result = cx.blueprint(small(records={"failure": {"failed": 4, "n": 200}}))
    assert result.expected_loss.estimate == pytest.approx(5)
    assert said(result, "failures without a cost, left out of the loss: records")


def test_scaling_times_and_costs_scales_what_follows():
    first = cx.blueprint(large())
    content = large()
    for element in content["elements"]:
        for key in ("wait", "time"):
            if key in element:
                element[key] *= 60
        if "failure" in element:
            element["failure"]["cost"] *= 7
    second = cx.blueprint({**content, "unit": "second"})
    assert second.critical_path["element"].tolist() == first.critical_path["element"].tolist()
    assert second.lead_time.estimate == pytest.approx(60 * first.lead_time.estimate)
    assert second.waiting_share.estimate == pytest.approx(first.waiting_share.estimate)
    assert second.expected_loss[:3] == pytest.approx([7 * x for x in first.expected_loss[:3]])


STANDARDS = [
    ({"metric": "wait", "limit": 6}, "met", False),  # the limit itself keeps it
    ({"metric": "wait", "limit": 8}, "met", True),
    ({"metric": "wait", "limit": 5.5}, "missed", False),
    ({"metric": "wait", "limit": 4}, "missed", True),
    ({"metric": "wait", "limit": 4, "direction": "least"}, "met", True),
    ({"metric": "failure_share", "limit": 0.2}, "met", True),
    ({"metric": "failure_share", "limit": 0.11}, "met", False),
    ({"metric": "solved", "limit": 0.8, "direction": "least"}, "not_measured", False),
    ({"metric": "solved", "limit": 0.8, "direction": "least", "value": 0.9}, "met", False),
    ({"metric": "solved", "limit": 0.8, "direction": "least",
      "value": {"count": 190, "n": 200}}, "met", True),
    ({"metric": "solved", "limit": 0.8, "direction": "least",
      "value": {"count": 100, "n": 200}}, "missed", True),
    ({"metric": "balance", "limit": -5, "direction": "least",
      "value": {"mean": -2, "sd": 1, "n": 20}}, "met", True),
]  # fmt: skip


@pytest.mark.parametrize(("standard", "verdict", "clear"), STANDARDS)
def test_standards(standard, verdict, clear):
    row = cx.blueprint(small(answer={"standard": standard})).standards.iloc[0]
    assert (row["verdict"], bool(row["clear"])) == (verdict, clear)


def test_a_standard_of_an_element_without_times_is_not_measured():
    result = cx.blueprint(small(records={"standard": {"metric": "time", "limit": 1}}))
    assert result.standards.set_index("element").loc["records", "verdict"] == "not_measured"
    assert "1 not measured" in result.summary()


def problems_of(content):
    table = cx.blueprint(content).gaps
    return {(row.problem, row.element or row.layer) for row in table.itertuples()}


def with_flows(*flows):
    return {**SMALL, "flows": [dict(zip(("from", "to", "kind"), f, strict=False)) for f in flows]}


def test_gaps():
    assert problems_of(SMALL) == set()
    assert problems_of(with_flows(("call", "answer"), ("letter", "look"))) == {
        ("action_without_support", "answer"),
        ("evidence_without_contact", "letter"),
        ("support_without_action", "look"),
        ("isolated", "records"),
    }
    content = with_flows(("call", "other"), ("answer", "look"), ("look", "records"))
    content["elements"] = [*SMALL["elements"], {"id": "other", "layer": "customer"}]
    assert problems_of(content) == {
        ("customer_without_contact", "call"),
        ("customer_without_contact", "other"),
        ("isolated", "letter"),
    }
    # Self-service: a customer meets a system directly.
    assert ("support_without_action", "records") not in problems_of(with_flows(("call", "records")))
    # Another action of the frontstage hands on what one needs.
    content = with_flows(("call", "greet"), ("greet", "answer"), ("answer", "look"))
    content["elements"] = [*SMALL["elements"], {"id": "greet", "layer": "frontstage"}]
    assert ("action_without_support", "greet") not in problems_of(content)


def test_without_flows_only_layers_are_checked():
    assert problems_of({**SMALL, "flows": []}) == set()
    bank = cx.blueprint("bank_branch")
    assert bank.gaps.values.tolist() == [["empty_layer", "evidence", ""]]
    assert said(bank, "no flows are given")
    assert np.isnan(bank.lead_time.estimate)


def test_flows_without_times_have_an_order_and_no_lead_time():
    elements = [{"id": "a", "layer": "customer"}, {"id": "b", "layer": "frontstage"}]
    result = cx.blueprint({"elements": elements, "flows": [{"from": "b", "to": "a"}]})
    assert result.order == ("b", "a")
    assert result.totals.empty
    assert not result.table["critical"].any()
    assert "minutes" not in result.summary()


def test_a_way_that_is_nearly_as_long_is_named():
    """Two ways of 10 and 9.5 minutes beside each other: the mean of the longer is above 10."""
    base = {"layer": "frontstage"}
    elements = [{"id": n, "time": t, **base} for n, t in zip("abcd", (5, 10, 9.5, 5), strict=True)]
    flows = [{"from": a, "to": b} for a, b in ("ab", "ac", "bd", "cd")]
    near = cx.blueprint({"unit": "minute", "elements": elements, "flows": flows})
    assert said(near, "nearly as long as the critical path are ways through c")
    elements[2]["time"] = 5
    far = cx.blueprint({"unit": "minute", "elements": elements, "flows": flows})
    assert not said(far, "nearly as long")


def test_the_order_of_elements_does_not_change_the_numbers():
    content = large()
    turned = {**content, "elements": content["elements"][::-1], "flows": content["flows"][::-1]}
    first, second = cx.blueprint(content), cx.blueprint(turned)
    assert first.lead_time.estimate == pytest.approx(second.lead_time.estimate)
    assert first.expected_loss == pytest.approx(second.expected_loss) or (
        first.expected_loss[:3] == pytest.approx(second.expected_loss[:3])
    )
    a, b = (r.table.set_index("element")["slack"].sort_index() for r in (first, second))
    pd.testing.assert_series_equal(a, b)


def test_the_synthetic_example_says_that_it_is():
    result = cx.blueprint("synthetic_account_opening")
    assert result.synthetic
    assert "Synthetic data" in result.summary()
    assert "合成数据" in result.summary("zh")
    # By hand: waits 14.2 + 2.1 + 4.6 + 3.0 of 53.8 minutes.
    assert result.lead_time.estimate == pytest.approx(53.8)
    assert result.waiting_share.estimate == pytest.approx(23.9 / 53.8)
    loss = 35 * 9 / 300 + 12 * 24 / 300 + 400 * 3 / 300 + 60 * 5 / 300 + 80 * 2 / 300
    assert result.expected_loss.estimate == pytest.approx(loss)


@pytest.mark.slow
@pytest.mark.parametrize("n", [8, 20, 60])
def test_times_of_a_path_cover(n):
    """Gamma waits (skewness 1.4) and times (skewness .9) of five elements on the path."""
    rng = np.random.default_rng(11)
    held = np.zeros(2)
    truth = (5 * (6 + 4), 0.6)
    samples = 4_000
    for _ in range(samples):
        waits, times = rng.gamma(2, 3, (5, n)), rng.gamma(5, 0.8, (5, n))
        w, t = ([Measured(x.mean(), x.std(ddof=1), n) for x in part] for part in (waits, times))
        estimates = (total_time([*w, *t], "minute", 0.95), waiting_share(w, t, 0.95))
        held += [e.ci_low <= x <= e.ci_high for e, x in zip(estimates, truth, strict=True)]
    assert (held / samples > (0.93 if n < 20 else 0.94)).all(), held / samples


def test_few_measurements_are_named():
    result = cx.blueprint(SMALL)  # the wait and the time of "answer" were measured 40 times
    assert said(result, "times measured fewer than 50 times: answer;")
    enough = {"wait": {"mean": 6, "sd": 3, "n": 50}, "time": 4}
    assert not said(cx.blueprint(small(answer=enough)), "times measured fewer")


@pytest.mark.slow
def test_where_the_interval_of_a_skewed_time_covers():
    from cxstats.journeys.blueprint.analysis import ENOUGH, LEAST

    rng = np.random.default_rng(1)
    for n in (3, 5, 10, 20, ENOUGH):
        waits = rng.exponential(6, (10_000, n))
        limits = [Measured(x.mean(), x.std(ddof=1), n).limits(0.95) for x in waits]
        share = np.mean([low <= 6 <= high for low, high in limits])
        assert share >= LEAST / 100
        assert (share > 0.93) == (n == ENOUGH), (n, share)
