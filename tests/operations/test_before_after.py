"""A process before and after."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import ttest_ind

from cxstats.core.errors import CxError, DataError
from cxstats.datasets.simulate_loan_log import CONTACTS, loan_truth, simulate_loan_log
from cxstats.operations.before_after import process_change
from cxstats.operations.estimates import clustered_rate, inverted_p, square_and_add
from cxstats.operations.event_log import event_log
from tests.operations.logs import LOAN, five, log

QUICK = {"n_resamples": 500}
CONTACT = {"contact": list(CONTACTS)}


def loan(n, seed, redesigned=False):
    return event_log(simulate_loan_log(n, seed, redesigned), **LOAN)


@pytest.fixture(scope="module")
def pair():
    return loan(400, 1), loan(300, 2, redesigned=True)


@pytest.fixture(scope="module")
def change(pair):
    return process_change(*pair, **CONTACT, unit="day", n_resamples=2000)


def by_name(result):
    return result.table.set_index(["measure", "statistic"])


def lead(frame):
    groups = frame.table.groupby("case")
    return ((groups["end"].max() - groups["accepted"].first()) / pd.Timedelta("1 day")).to_numpy()


def test_means_and_ratios_agree_with_welch(pair, change):
    a, b = (lead(one) for one in pair)
    row = by_name(change).loc[("lead_time", "mean")]
    assert row["estimate"] == pytest.approx(b.mean() - a.mean())
    assert row["p_value"] == pytest.approx(ttest_ind(a, b, usevar="unequal")[1])
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    # BCa and Welch differ by the skewness of 400 lead times.
    assert row["ci_low"] == pytest.approx(expected.low, abs=0.03)
    assert row["ci_high"] == pytest.approx(expected.high, abs=0.03)
    ratio = by_name(change).loc[("lead_time", "ratio")]
    logs = stats.ttest_ind(np.log(b), np.log(a), equal_var=False)
    limits = logs.confidence_interval(0.95)
    assert ratio[["ci_low", "ci_high"]].tolist() == pytest.approx(np.exp(limits).tolist())
    assert ratio["estimate"] == pytest.approx(stats.gmean(b) / stats.gmean(a))


def test_first_contact_resolution_is_newcombes(pair, change):
    row = by_name(change).loc[("first_contact_resolution", "rate")]
    counts = [round(row["before"] * 400), round(row["after"] * 300)]
    expected = confint_proportions_2indep(counts[1], 300, counts[0], 400, method="newcomb")
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(expected)


def test_newcombes_own_example():
    """Newcombe (1998), table II, example (a): 56/70 against 48/80, method 10."""
    a, b = (
        clustered_rate(np.arange(n) < hits, np.arange(n), 0.95) for hits, n in ((48, 80), (56, 70))
    )
    assert square_and_add(a, b) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_truth_of_the_redesign_is_recovered(change):
    old, new = loan_truth(), loan_truth(redesigned=True)
    for name in ("automation_rate", "manual_rate", "error_rate", "first_contact_resolution"):
        row = by_name(change).loc[(name, "rate")]
        assert abs(row["estimate"] - (new[name] - old[name])) < 3.5 * row["se"], name
    row = by_name(change).loc[("lead_time", "mean")]
    assert abs(row["estimate"] - (0.5 - 5)) < 3.5 * row["se"]


def test_p_values_belong_to_their_intervals(pair):
    first, second = loan(60, 7), loan(60, 8)
    table = process_change(first, second, **QUICK).table
    for row in table[table["statistic"].isin(["rate", "median", "p90"])].itertuples():
        if np.isfinite([row.ci_low, row.ci_high]).all():
            assert (row.p_value < 0.05) == (row.ci_low > 0 or row.ci_high < 0), row.measure


def test_the_same_log_twice_shows_no_change():
    one = loan(50, 3)
    table = process_change(one, one, **CONTACT, **QUICK).table
    differences = table[table["statistic"] != "ratio"]
    assert differences["estimate"].abs().max() == 0
    assert (table["p_value"].dropna() > 0.99).all()
    assert (table["p_adjusted"].dropna() == 1).all()


def test_before_and_after_swapped_turn_the_sign(pair):
    forth, back = (by_name(process_change(*pair_, **QUICK)) for pair_ in (pair, pair[::-1]))
    keep = forth["method"].str.contains("Newcombe|order")
    np.testing.assert_allclose(forth.loc[keep, "ci_low"], -back.loc[keep, "ci_high"])
    np.testing.assert_allclose(forth.loc[keep, "p_value"], back.loc[keep, "p_value"], atol=1e-9)


def test_the_level_is_held():
    """Under no change 5 % of 1,000 pairs are found; standard error 0.7 points."""
    frame = simulate_loan_log(100 * 1000, seed=13)
    number = frame["case"].str[1:].astype(int).to_numpy() - 1
    case = number % 50
    found = 0
    hits = frame["automated"].to_numpy()
    edges = np.searchsorted(number, np.arange(0, 100_001, 50))
    for i in range(0, 2000, 2):
        sides = [slice(edges[j], edges[j + 1]) for j in (i, i + 1)]
        rates = [clustered_rate(hits[side], case[side], 0.95) for side in sides]
        low, high = square_and_add(*rates)
        found += low > 0 or high < 0
    assert 0.028 <= found / 1000 <= 0.072


def test_p_by_inversion():
    interval = stats.norm(1.5, 1).interval
    assert inverted_p(interval) == pytest.approx(2 * stats.norm.sf(1.5), rel=1e-9)
    assert np.isnan(inverted_p(lambda level: (np.nan, np.nan)))


def test_notes_and_errors():
    other = log(five().assign(activity=five()["activity"].replace("check", "look")))
    result = process_change(log(), other, contact="call", **QUICK)
    assert any("2 activities are in one log only" in note.en for note in result.notes)
    with pytest.raises(CxError, match="after is a 'DataFrame'"):
        process_change(log(), five())
    plain = event_log(five(), case="case", activity="activity", start="start", end="end")
    result = process_change(log(), plain, **QUICK)
    assert any("acceptance is known in one log only" in note.en for note in result.notes)
    with pytest.raises(CxError, match="no rates to draw"):
        result.plot()


def test_summary_and_chart(change):
    assert "Automation rate: " in change.summary()
    assert "自动化率" in change.summary("zh")
    assert "points" in change.summary()
    for lang in ("en", "zh"):
        assert len(change.plot(lang=lang).get_yticklabels()) == 5


def test_a_change_of_a_rate_is_in_points_first_then_relative():
    """By hand: errors in 1 of 2 events, then in 2 of 5: -10 points, a fifth less."""
    before, after = (
        event_log(
            pd.DataFrame({"id": range(len(error)), "step": "a", "from": "2024-01-02",
                          "error": error}),
            case="id", activity="step", start="from", error="error",
        )
        for error in ([True, False], [True, True, False, False, False])
    )  # fmt: skip
    result = process_change(before, after, **QUICK)
    assert "Error rate: 50.0 → 40.0 %, −10 points (−20.0 %) [" in result.summary()
    assert "差错率：50.0 → 40.0%，−10 个百分点（−20.0%） [" in result.summary("zh")
    back = process_change(
        event_log(before.table[["case", "activity", "start"]].assign(error=False), case="case",
                  activity="activity", start="start", error="error"), after, **QUICK,
    )  # fmt: skip
    assert "Error rate: 0.0 → 40.0 %, +40 points [" in back.summary()


def test_one_case_is_no_comparison():
    one = event_log(
        pd.DataFrame({"id": ["x"], "step": ["a"], "from": ["2024-01-02"]}),
        case="id", activity="step", start="from",
    )  # fmt: skip
    with pytest.raises(DataError, match="the log before has 1 case; at least 2"):
        process_change(one, log())
