"""Sampling designs in the methods around drivers: right, or refused in words."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import cxstats as cx
from tests.references import close

ITEMS = ["speed", "staff", "price"]


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(5)
    branch = np.repeat(np.arange(60), 8)
    x = rng.normal(size=(480, 3)) + 0.8 * rng.normal(size=(60, 3))[branch]
    y = x @ [0.6, 0.4, 0.1] + 0.7 * rng.normal(size=60)[branch] + rng.normal(size=480)
    frame = pd.DataFrame(np.column_stack([x, y]), columns=[*ITEMS, "overall"])
    frame = (5.5 + 1.5 * frame).round().clip(1, 10)
    return frame.assign(branch=branch, w=1 + branch % 3, region=branch % 2)


def repeated(frame):
    return frame.loc[frame.index.repeat(frame["w"])].reset_index(drop=True)


@pytest.mark.parametrize("importance", ["correlation", "regression", "shapley", "johnson"])
def test_importance_performance_with_weights_is_that_of_repeated_rows(answers, importance):
    options = {"outcome": "overall", "importance": importance, "n_resamples": 50}
    weighted = cx.importance_performance(answers, ITEMS, weights="w", **options).table
    expected = cx.importance_performance(repeated(answers), ITEMS, **options).table
    close(weighted[["importance", "performance"]], expected[["importance", "performance"]], 1e-10)


def test_performance_under_a_design_has_the_error_of_a_mean(answers):
    design = cx.Design(weights="w", cluster="branch", strata="region")
    result = cx.importance_performance(
        answers, ITEMS, outcome="overall", design=design, n_resamples=2_000
    )
    rows = design.read(answers)
    influence = rows.influence_of_mean(answers[ITEMS].to_numpy(float))
    expected = np.sqrt(np.diag(rows.covariance(influence)))
    # 2,000 resamples: a standard error of 1.6 %.
    np.testing.assert_allclose(result.table["performance_se"], expected, rtol=0.06)
    assert any("design of the sample" in note.en for note in result.notes)


def test_penalties_under_a_design_as_statsmodels(answers):
    """Its clustered errors have the factor (n - 1) / (n - k) besides that of the clusters."""
    result = cx.penalty_reward(
        answers, "overall", ITEMS, low=4, high=7, weights="w", cluster="branch", n_resamples=300
    )
    x = answers[ITEMS]
    dummies = pd.concat([x.le(4).astype(float), x.ge(7).astype(float)], axis=1)
    fit = sm.WLS(answers["overall"], sm.add_constant(dummies.to_numpy()), weights=answers["w"]).fit(
        cov_type="cluster", cov_kwds={"groups": answers["branch"]}
    )
    found = result.table[["penalty", "reward"]].to_numpy().T.ravel()
    se = result.table[["penalty_se", "reward_se"]].to_numpy().T.ravel()
    close(found, fit.params[1:], 1e-10)
    close(se, fit.bse[1:] / np.sqrt(479 / (480 - 7)), 1e-10)
    assert any("follow the design" in note.en for note in result.notes)
    same = cx.penalty_reward(repeated(answers), "overall", ITEMS, low=4, high=7, n_resamples=100)
    close(result.table["contrast"], same.table["contrast"], 1e-10)
    close(result.r_squared, same.r_squared, 1e-10)


def test_drivers_pass_the_design_on_to_penalty_reward(answers):
    options = {"low": 4, "high": 7, "n_resamples": 100}
    found = cx.drivers(answers, "overall", ITEMS, "penalty-reward", cluster="branch", **options)
    own = cx.penalty_reward(answers, "overall", ITEMS, cluster="branch", **options)
    pd.testing.assert_frame_equal(found.table, own.table)


@pytest.mark.parametrize("keyword", ["weights", "cluster", "design"])
def test_what_has_no_design_says_so(answers, keyword):
    value = {keyword: cx.Design(weights="w") if keyword == "design" else "w"}
    with pytest.raises(cx.CxError, match=r"kano takes no weights.*compare the groups"):
        cx.kano(answers, {"a": ("speed", "staff")}, **value)
    with pytest.raises(cx.CxError, match=r"pain_points takes no weights.*cx.csat"):
        cx.pain_points(answers, "branch", **value)


def test_missing_codes_are_noted(answers):
    frame = answers.astype(float)
    frame.loc[:4, "speed"] = -99
    with_code = [
        cx.importance_performance(frame, ITEMS, outcome="overall", n_resamples=50),
        cx.penalty_reward(frame, "overall", ITEMS, low=4, high=7, n_resamples=100),
    ]
    without = [
        cx.importance_performance(answers, ITEMS, outcome="overall", n_resamples=50),
        cx.penalty_reward(answers, "overall", ITEMS, low=4, high=7, n_resamples=100),
    ]
    for result in with_code:
        assert any("'speed' has the value" in n.en and "in 5 rows" in n.en for n in result.notes)
    for result in without:
        assert not any("has the value" in note.en for note in result.notes)
