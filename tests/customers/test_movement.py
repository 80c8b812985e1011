"""Movement between segments: shares, intervals, the long run, who is absent."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import multinomial_proportions_confint

import cxstats as cx
from cxstats.stats.intervals import normal_quantile
from tests.gallery.customers_rfm import halves

# Share of 400 intervals that hold the truth: .95 within four standard errors.
COVERAGE = 4 * np.sqrt(0.95 * 0.05 / 400)


def periods(counts):
    """Return the segments of customers in two periods, for counts of moves."""
    states = [chr(65 + i) for i in range(len(counts))]
    pairs = [
        (x, y)
        for i, x in enumerate(states)
        for j, y in enumerate(states)
        for _ in range(int(counts[i][j]))
    ]
    return pd.Series([x for x, _ in pairs]), pd.Series([y for _, y in pairs])


def test_two_segments_have_the_closed_form():
    """The share of B is a / (a + b), its variance by the delta method on a and b."""
    result = cx.movement(*periods([[80, 20], [45, 105]]))
    a, b = 20 / 100, 45 / 150
    variance = (b**2 * a * (1 - a) / 100 + a**2 * b * (1 - b) / 150) / (a + b) ** 4
    w = a / (a + b)
    reach = normal_quantile(0.95) * np.sqrt(variance) / (w * (1 - w))
    limits = 1 / (1 + np.exp(-(np.log(w / (1 - w)) + np.array([-reach, reach]))))
    row = result.stationary.iloc[1]
    assert row[["estimate", "ci_low", "ci_high"]].tolist() == pytest.approx([w, *limits])
    assert result.stayed.loc[0, ["n", "n_stayed", "estimate"]].tolist() == [250, 185, 0.74]


def test_the_long_run_is_a_high_power_of_the_matrix():
    counts = np.array([[30, 10, 2], [5, 50, 9], [1, 7, 40]])
    result = cx.movement(*periods(counts))
    power = np.linalg.matrix_power(counts / counts.sum(axis=1, keepdims=True), 500)
    assert result.stationary["estimate"].tolist() == pytest.approx(power[0].tolist())


def test_multinomial_intervals_are_goodmans():
    counts = [[30, 10, 2], [5, 50, 9], [1, 7, 40]]
    table = cx.movement(*periods(counts), interval="multinomial").table
    for i, row in enumerate(counts):
        expected = multinomial_proportions_confint(row, 0.05, method="goodman")
        ours = table[["ci_low", "ci_high"]].iloc[3 * i : 3 * i + 3].to_numpy()
        assert ours == pytest.approx(expected, abs=1e-9)


def test_wilson_intervals_are_each_by_itself():
    row = cx.movement(*periods([[8, 2], [1, 9]])).table.iloc[1]
    assert row[["ci_low", "ci_high"]].tolist() == pytest.approx([0.0567, 0.5098], abs=1e-4)


def test_customers_of_one_period_are_absent_in_the_other():
    result = cx.movement({1: "A", 2: "A", 3: "B"}, {1: "A", 3: "A", 4: "B"})
    moves = result.table.set_index(["segment_before", "segment_after"])["n_moved"]
    assert moves["A", "absent"] == 1
    assert moves["absent", "B"] == 1
    assert ("absent", "absent") not in moves
    assert result.stayed["n"].item() == 2
    left = cx.movement({1: "A", 2: "A"}, {1: "A"}).table
    assert left["segment_before"].unique().tolist() == ["A"]


@pytest.mark.parametrize(
    "counts",
    [
        [[5, 0], [0, 5]],  # nobody moves: the long run is where they begin
        [[5, 5], [0, 0]],  # B is entered, and nobody was seen to leave it
    ],
)
def test_no_long_run_where_it_is_not_determined(counts):
    result = cx.movement(*periods(counts))
    assert result.stationary["estimate"].isna().all()
    assert any("no shares in the long run" in note.en for note in result.notes)


def test_rfm_of_two_periods_keeps_the_order_of_the_rules():
    first, second = halves(segments="eight")
    result = cx.movement(first, second)
    names = [name for name in first.table["segment"] if name in set(result.stationary["segment"])]
    assert result.stationary["segment"].tolist() == names
    assert result.table.loc[result.table["segment_before"] != "absent", "n_moved"].sum() == len(
        first.customers
    )  # fmt: skip
    notes = " ".join(note.en for note in result.notes)
    assert "relative to the customers of each period" in notes
    assert "The periods have" not in notes


@pytest.mark.parametrize(
    ("before", "after", "options", "match"),
    [
        ({1: "A"}, {2: "A"}, {}, "no customer is in both periods"),
        ({1: "A"}, {1: None}, {}, "after: customer 1 has no segment"),
        ({1: "absent"}, {1: "A"}, {}, "'absent' stands for customers of one period"),
        ({}, {1: "A"}, {}, "before: no customers"),
        (["A"], ["A"], {}, "before: list; allowed"),
        (pd.Series(["A", "A"], [1, 1]), {1: "A"}, {}, "customer 1 is there twice"),
        ({1: "A"}, {1: "B"}, {"order": ["A"]}, "lacks segment 'B'"),
        ({1: "A"}, {1: "A"}, {"order": ["A", "A"]}, "has a segment twice"),
        ({1: "A"}, {1: "A"}, {"interval": "wald"}, "interval='wald' is not allowed"),
        ({i: str(i) for i in range(101)}, {1: "1"}, {}, "101 segments; allowed: at most 100"),
    ],
)
def test_refuses(before, after, options, match):
    with pytest.raises(cx.CxError, match=match):
        cx.movement(before, after, **options)


@pytest.mark.slow
def test_the_interval_of_the_long_run_covers():
    rng = np.random.default_rng(5)
    p = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    truth = np.linalg.matrix_power(p, 200)[0]
    hits = np.zeros(3)
    for _ in range(400):
        counts = [rng.multinomial(n, row) for n, row in zip((60, 80, 100), p, strict=True)]
        table = cx.movement(*periods(counts)).stationary
        hits += (table["ci_low"] <= truth) & (truth <= table["ci_high"])
    assert np.abs(hits / 400 - 0.95).max() < COVERAGE
