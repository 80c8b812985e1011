"""Who buys again: measures by other ways, the values of CDNOW, bad input."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.stats import mannwhitneyu

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.customers import bg_nbd
from cxstats.customers.bg_nbd import Histories
from cxstats.customers.repurchase import _judge, discrimination


def sample(n=400, seed=1):
    rng = np.random.default_rng(seed)
    scores = rng.choice(np.linspace(0.05, 0.95, 60), n)
    return scores, (rng.random(n) < scores).astype(float)


def test_auc_is_the_rank_test_s_and_brier_the_mean_square():
    scores, outcome = sample()
    auc, brier, top, lift = discrimination(scores, outcome, np.ones((1, 400)))[0]
    won, lost = scores[outcome == 1], scores[outcome == 0]
    assert auc == pytest.approx(mannwhitneyu(won, lost).statistic / len(won) / len(lost))
    assert brier == pytest.approx(np.mean((scores - outcome) ** 2))
    assert lift == pytest.approx(top / outcome.mean())


def test_the_top_tenth_counts_ties_in_part():
    scores = np.array([0.9] * 2 + [0.5] * 8 + [0.1] * 30)
    outcome = np.array([1.0, 0.0] + [1.0] * 2 + [0.0] * 36)
    top = discrimination(scores, outcome, np.ones((1, 40)))[0, 2]
    assert top == pytest.approx((1 + 2 * 2 / 8) / 4)  # both at .9, and 2 of the 8 at .5


def test_counts_are_repetitions():
    scores, outcome = sample(80)
    counts = np.random.default_rng(2).integers(0, 4, 80)
    repeated = np.repeat(np.arange(80), counts)
    np.testing.assert_allclose(
        discrimination(scores, outcome, counts[None].astype(float)),
        discrimination(scores[repeated], outcome[repeated], np.ones((1, len(repeated)))),
    )


def test_chance_to_buy_again_is_that_of_simulated_customers():
    rng, n = np.random.default_rng(5), 200_000
    parameters = (0.7, 6.0, 0.8, 2.5)
    histories = Histories(np.full(n, 3.0), np.full(n, 20.0), np.full(n, 30.0))
    drawn = bg_nbd.draw_purchases(parameters, histories, 15.0, rng) > 0
    chance = bg_nbd.buys_again(parameters, histories, 15.0)[0]
    assert drawn.mean() == pytest.approx(chance, abs=4 * 0.5 / n**0.5)


def test_cdnow():
    options = {"time": "date", "amount": "spent", "end": "1998-06-30", "n_resamples": 100}
    result = cx.repurchase(cx.load_cdnow(), "1997-10-01", **options)
    table = result.table.set_index(["method", "measure"])
    # Logistic regression on another random half: .769, .159, .804, 2.7.
    for measure, value in (("auc", 0.769), ("brier", 0.159), ("top_decile", 0.804),
                           ("top_lift", 2.7)):  # fmt: skip
        row = table.loc[("logistic", measure)]
        assert row["ci_low"] < value < row["ci_high"], measure
    assert result.n + result.n_fitted == 23_570
    # 29.94 % of all customers bought again.
    assert result.base_rate == pytest.approx(0.2994, abs=3 * (0.21 / 23_570) ** 0.5)
    assert table.loc[("logistic", "auc"), "estimate"] > table.loc[("bg_nbd", "auc"), "ci_high"]
    for method in ("logistic", "boosting"):
        assert table.loc[(method, "auc"), "estimate"] > 0.769
        tenths = result.calibration[result.calibration["method"] == method]
        assert (tenths["predicted"] - tenths["estimate"]).abs().max() < 0.05
    compared = result.comparisons.set_index(["method", "other"])
    assert compared.loc[("logistic", "boosting"), "finding"] == "alike"
    assert compared.loc[("logistic", "bg_nbd"), "finding"] == "better"
    points = table["estimate"]
    for (first, second), row in compared.iterrows():
        assert row["estimate"] == pytest.approx(points[first, "auc"] - points[second, "auc"])


def test_a_paired_difference_is_that_of_the_same_customers():
    """Two scores that agree but for noise: the paired interval is far shorter than the unpaired."""
    rng = np.random.default_rng(3)
    scores, outcome = sample(600)
    near = scores + rng.normal(0, 0.01, 600)
    table, compared = _judge(
        {(1.0, "logistic"): scores, (1.0, "boosting"): near, (1.0, "bg_nbd"): 0 * scores + 0.5},
        {1.0: outcome}, 0.95, 200, 1,
    )  # fmt: skip
    widths = compared["ci_high"] - compared["ci_low"]
    single = table.query("method == 'logistic' and measure == 'auc'")
    assert widths[0] < 0.3 * (single["ci_high"] - single["ci_low"]).item()
    assert compared["finding"].tolist() == ["alike", "better", "better"]
    assert compared["estimate"][1] == pytest.approx(single["estimate"].item() - 0.5)


@pytest.mark.slow
def test_two_equal_scores_are_told_apart_in_five_per_cent():
    rng, clear = np.random.default_rng(4), 0
    for _ in range(400):
        truth = rng.normal(size=400)
        outcome = (truth + rng.normal(size=400) > 0).astype(float)
        first, second = (truth + rng.normal(size=400) for _ in range(2))
        scores = {(1.0, "logistic"): first, (1.0, "boosting"): second, (1.0, "bg_nbd"): first}
        compared = _judge(scores, {1.0: outcome}, 0.95, 200, 1)[1]
        clear += compared["finding"][0] != "alike"
    print(clear / 400)
    assert 0.02 <= clear / 400 <= 0.08


def returns(n=1500, seed=2, crooked=False):
    """Return purchases in weeks 0 to 20, and 21 to 40 of some; crooked: of the middling buyers."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 8, n)
    chance = np.where(np.abs(x - 4) <= 1, 0.8, 0.1) if crooked else x / 9
    again = rng.random(n) < chance
    customer = np.concatenate([np.repeat(np.arange(n), x), np.flatnonzero(again)])
    time = np.concatenate([rng.uniform(0, 20, x.sum()), rng.uniform(21, 40, again.sum())])
    amount = rng.gamma(3, 10, len(time))
    return pd.DataFrame({"customer": customer, "time": time, "amount": amount})


def test_boosting_bends_where_the_line_cannot():
    result = cx.repurchase(returns(crooked=True), 20.5, end=40, n_resamples=100)
    compared = result.comparisons.set_index(["method", "other"])
    assert compared.loc[("logistic", "boosting"), "finding"] == "worse"
    assert compared.loc[("boosting", "bg_nbd"), "finding"] == "better"
    auc = result.table.query("method == 'boosting' and measure == 'auc'")["estimate"].item()
    assert auc == pytest.approx(0.85, abs=0.04)  # of the chances themselves: .87


def test_a_longer_horizon_holds_a_shorter_one():
    frame = returns()
    result = cx.repurchase(frame, 20.5, end=40, horizons=[19, 6], n_resamples=60)
    assert result.horizons == (6.0, 19.0)
    assert result.base_rates[0] < result.base_rates[1] == result.base_rate
    # Alone, a horizon is what an earlier end gives: the same halves, the same outcome.
    alone = cx.repurchase(frame[frame["time"] <= 26.5], 20.5, end=26.5, n_resamples=60)
    pd.testing.assert_frame_equal(
        result.table.query("horizon == 6").drop(columns="horizon").reset_index(drop=True),
        alone.table.drop(columns="horizon"),
    )
    chart = result.chart("boosting", "en", {"horizon": 6.0})
    assert "within 6 weeks" in chart.options["title"]
    with pytest.raises(CxError, match="horizon=7; allowed: 6, 19"):
        result.plot("boosting", horizon=7)


def test_transactions_and_engines_give_the_same():
    frame = returns()
    frame["time"] = pd.Timestamp("2025-01-01") + pd.to_timedelta((7 * frame["time"]).round(), "D")
    options = {"at": "2025-05-25", "end": "2025-10-15", "n_resamples": 50}
    expected = cx.repurchase(frame, **options).table
    for form in (pl.from_pandas(frame).lazy(), cx.transactions(frame)):
        pd.testing.assert_frame_equal(cx.repurchase(form, **options).table, expected)


def test_perfect_separation_says_so():
    rng = np.random.default_rng(0)
    rows = [
        (i, day + rng.uniform(0, 0.5), rng.gamma(3, 10))
        for i in range(200)
        for day in ([0, 2, 4, 6, 8, 12, 14] if i % 2 else [0, 1] if i % 4 else [0, 1.4])
    ]
    frame = pd.DataFrame(rows, columns=["customer", "time", "amount"])
    result = cx.repurchase(frame, 10, end=16, n_resamples=50)
    assert any("too certain" in note.en for note in result.notes)


PURCHASES = pd.DataFrame(
    {"customer": np.repeat(np.arange(30), 3), "time": np.tile([0.0, 5, 9], 30),
     "amount": np.arange(90) % 7 + 1.0}
)  # fmt: skip


@pytest.mark.parametrize(
    ("at", "options", "message"),
    [
        (7, {}, "15 who bought again and 0 who did not; allowed: at least 20 of each"),
        (None, {}, "at=None; allowed: a time"),
        (99, {}, "at=99; allowed: a time after the first purchase"),
        (7, {"amount": None}, "amount=None; allowed: a column"),
        (7, {"amount": "price"}, "price"),
        (7, {"level": 2}, "level is 2"),
        (7, {"horizons": []}, "0 horizons; allowed: 1 to 6"),
        (7, {"horizons": [1, 9]}, "horizons: 9; allowed: above 0, at most 2"),
        (7, {"horizons": [0]}, "horizons: 0; allowed: above 0"),
        (7, {"horizons": "all"}, "horizons: 'all'; allowed: above 0"),
        (7, {"horizons": [1.5]}, "0 who bought again within 1.5 and 15 who did not"),
    ],
)
def test_bad_input(at, options, message):
    with pytest.raises(CxError, match=message):
        cx.repurchase(PURCHASES, at, **options)
