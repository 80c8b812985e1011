"""Who buys again: measures by other ways, the values of CDNOW, bad input."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.customers import bg_nbd
from cxstats.customers.bg_nbd import Histories
from cxstats.customers.repurchase import discrimination


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
    logistic = result.calibration.query("method == 'logistic'")
    assert (logistic["predicted"] - logistic["estimate"]).abs().max() < 0.05


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
    ],
)
def test_bad_input(at, options, message):
    with pytest.raises(CxError, match=message):
        cx.repurchase(PURCHASES, at, **options)
