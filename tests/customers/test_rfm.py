"""RFM: definitions, scores with their certainty, rules of segments, engines."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import cxstats as cx
from cxstats.customers.rfm import COLUMNS
from cxstats.customers.scores import cut_scores, quantile_scores
from tests.customers.test_transactions import DOUBTFUL, ENGINES
from tests.gallery.customers_rfm import CUTS, faulty, purchases

CDNOW = {"customer": "customer", "time": "date", "amount": "spent"}
# Four standard errors of a share from 20,000 resamples.
SIMULATION = 4 * 0.5 / np.sqrt(20_000)


def small():
    """Return two customers: a bought thrice on two days and sent something back, b once."""
    return pd.DataFrame(
        {
            "customer": ["a", "a", "a", "a", "b", "c"],
            "time": pd.to_datetime(
                ["2024-01-01 09:00", "2024-01-01 18:00", "2024-01-11 00:00", "2024-01-20 00:00",
                 "2024-01-31 23:59", "2024-01-05 00:00"]
            ),
            "amount": [10.0, 5.0, 20.0, -30.0, 7.0, -4.0],
        }
    )  # fmt: skip


def values(result):
    columns = ["customer", "recency_days", "n_purchases", "monetary"]
    return result.customers[columns].to_numpy().tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_counts_by_the_definitions_stated(engine):
    checked = cx.transactions(ENGINES[engine](small()))
    assert values(cx.rfm(checked)) == [["a", 20, 2, 5.0], ["b", 0, 1, 7.0]]
    by_transaction = cx.rfm(checked, "2024-02-01", purchase="transaction", monetary="mean")
    assert values(by_transaction) == [["a", 21, 3, pytest.approx(5 / 3)], ["b", 1, 1, 7.0]]
    # The refund of 20 January is out of the period, and so is the purchase of the 31st.
    assert values(cx.rfm(checked, "2024-01-11")) == [["a", 0, 2, 35.0]]
    assert values(cx.rfm(checked, since="2024-01-02")) == [["a", 20, 1, -10.0], ["b", 0, 1, 7.0]]


def test_says_who_has_refunds_alone_or_an_amount_below_zero():
    result = cx.rfm(cx.transactions(small()), since="2024-01-02")
    notes = "\n".join(note.en for note in result.notes)
    assert "Customers who have refunds alone in the period (1) are left out" in notes
    assert "exceed what they paid in the period (1) have an amount below 0" in notes


@pytest.mark.parametrize("engine", list(ENGINES)[1:])
@pytest.mark.parametrize("purchase", ["day", "transaction"])
def test_engines_agree_to_the_last_digit(engine, purchase):
    frames = [faulty(), ENGINES[engine](faulty())]
    first, second = (
        cx.rfm(cx.transactions(f, future="drop", **DOUBTFUL), purchase=purchase) for f in frames
    )
    options = {"check_dtype": False, "rtol": 1e-12}
    pd.testing.assert_frame_equal(first.customers, second.customers, **options)
    pd.testing.assert_frame_equal(first.table, second.table, **options)


@pytest.mark.parametrize("engine", ["polars lazy", "duckdb"])
def test_equal_amounts_stay_equal_whatever_the_order_of_adding(engine):
    """Sums of cents differ in the 16th digit; scores must not."""
    first, second = (
        cx.rfm(cx.transactions(frame, **CDNOW))
        for frame in (cx.load_cdnow(), ENGINES[engine](cx.load_cdnow()))
    )
    columns = ["monetary_score", "monetary_certainty", "segment"]
    pd.testing.assert_frame_equal(
        first.customers[columns], second.customers[columns], check_dtype=False
    )


@pytest.mark.parametrize("unit", [1e-9, 1e6, 1e12])
def test_the_unit_of_money_does_not_matter(unit):
    frame = purchases()
    first, second = (
        cx.rfm(cx.transactions(frame.assign(amount=frame["amount"] * factor)))
        for factor in (1.0, unit)
    )
    columns = ["monetary_score", "monetary_certainty", "segment"]
    pd.testing.assert_frame_equal(first.customers[columns], second.customers[columns])


def test_half_of_cdnow_bought_once():
    result = cx.rfm(cx.transactions(cx.load_cdnow(), **CDNOW), purchase="transaction")
    assert round(float((result.customers["n_purchases"] == 1).mean()), 3) == 0.505
    assert any("frequency: nobody has the scores 2" in note.en for note in result.notes)
    assert result.table["n"].sum() == 23_570
    assert result.table["amount_share"].sum() == pytest.approx(1)


def test_every_customer_has_the_score_of_the_quantiles():
    x = np.random.default_rng(1).permutation(1_000)
    cuts = np.quantile(x, [0.2, 0.4, 0.6, 0.8], method="inverted_cdf")
    assert (quantile_scores(x).score == 1 + (x[:, None] > cuts).sum(axis=1)).all()


def test_certainty_is_what_resampling_customers_gives():
    rng = np.random.default_rng(2)
    x = np.sort(rng.geometric(0.3, 60).astype(float))
    scores = quantile_scores(x, 4)
    drawn = np.sort(rng.choice(x, (20_000, len(x))), axis=1)
    lower = (drawn[:, :, None] < np.unique(x)).sum(axis=1)
    resampled = np.minimum(1 + 4 * lower // len(x), 4)
    _, first = np.unique(x, return_index=True)
    simulated = (resampled == scores.score[first]).mean(axis=0)
    assert np.abs(simulated - scores.certainty[first]).max() < SIMULATION
    assert scores.certainty.min() < 0.8


def test_recent_frequent_and_large_score_high():
    customers = cx.rfm(cx.transactions(purchases())).customers
    for name, best, worst in (("recency", "min", "max"), ("frequency", "max", "min"),
                              ("monetary", "max", "min")):  # fmt: skip
        score = customers.groupby(COLUMNS[name])[f"{name}_score"].first()
        ends = {"min": score.iloc[0], "max": score.iloc[-1]}
        assert (ends[best], ends[worst]) == (5, 1), name


def test_scores_do_not_change_with_scale_or_order():
    x = np.random.default_rng(3).exponential(size=200).round(1)
    scores = quantile_scores(x)
    assert (quantile_scores(7 * x + 3).score == scores.score).all()
    assert (quantile_scores(x[::-1]).certainty == scores.certainty[::-1]).all()
    assert (quantile_scores(np.ones(9)).score == 1).all()


def test_fixed_cuts_count_the_value_on_a_cut_below():
    checked = cx.transactions(small())
    cuts = {"recency": [0, 20], "frequency": [1, 2], "monetary": [5, 6]}
    result = cx.rfm(checked, cuts=cuts, segments=None)
    scores = result.customers.filter(like="_score").to_numpy().tolist()
    assert scores == [[2, 2, 1], [3, 1, 3]]
    assert (result.customers.filter(like="_certainty") == 1).all(axis=None)


@pytest.mark.parametrize("scheme", ["grid", "eight"])
def test_shipped_rules_give_every_combination_one_segment(scheme):
    from cxstats.customers.segment_rules import segment_rules

    rules = segment_rules(scheme, [5, 5, 5])
    assert rules.source
    assert (rules.places >= 0).all()
    assert set(rules.places.ravel()) == set(range(len(rules.names)))


@pytest.mark.parametrize(
    ("rules", "match"),
    [
        ([{"segment": "A", "recency_low": 3}], "recency 1, .* belongs to no segment"),
        ([{"segment": "A"}, {"segment": "B", "frequency_low": 5}],
         "frequency 5, monetary 1 belongs to 'A' and to 'B'"),
        ([{"segment": "A", "recency_high": 6}], "recency 1 to 6; allowed: scores of 1 to 5"),
        ([{"segment": "A", "recency_low": 1.5}], "recency_low is 1.5; allowed: a whole number"),
        ([{"segment": "A", "recncy_low": 1}], "column 'recncy_low' is not known"),
        ([{"name": "A"}], "need a column 'segment'"),
        ("nine", "segments='nine' is not allowed; allowed: 'grid', 'eight', or a table"),
    ],
)  # fmt: skip
def test_refuses_rules(rules, match):
    with pytest.raises(cx.CxError, match=match):
        cx.rfm(cx.transactions(purchases()), segments=rules)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"date": "2023-12-31"}, "date=2023-12-31 is before 2024-01-03"),
        ({"date": "yesterday"}, "date='yesterday'; allowed: a date"),
        ({"bins": 1}, "bins=1 is not allowed; allowed: a whole number, 2 to 100"),
        ({"bins": 3}, "rules for 5 x 5 x 5 scores, and there are 3 x 3 x 3; allowed"),
        ({"purchase": "week"}, "purchase='week' is not allowed"),
        ({"monetary": "median"}, "monetary='median' is not allowed"),
        ({"cuts": {"recency": [1]}}, "the cuts of 'recency', 'frequency' and 'monetary'"),
        ({"cuts": {**CUTS, "recency": [9, 3]}}, "cuts of recency: .*ascending order"),
        ({"cuts": {**CUTS, "recency": 9}}, "cuts of recency: 9; allowed: numbers in ascending"),
        ({"since": "2030-01-01", "date": "2030-12-31"}, "no purchase is in the period"),
        ({"level": 95}, "level"),
    ],
)
def test_refuses_options(options, match):
    with pytest.raises(cx.CxError, match=match):
        cx.rfm(cx.transactions(purchases()), **options)


def test_refuses_what_is_not_checked():
    with pytest.raises(cx.DataError, match="DataFrame instead of checked transactions"):
        cx.rfm(purchases())


def test_one_customer_and_one_transaction_are_scored():
    result = cx.rfm(cx.transactions(purchases(1)))
    assert result.table["n"].sum() == 1
    assert "Only 1 customers" in " ".join(note.en for note in result.notes)


def test_refunds_alone_are_no_purchase():
    frame = pl.from_pandas(purchases()).with_columns(amount=-pl.col("amount")).lazy()
    with pytest.raises(cx.DataError, match="no purchase is in the period"):
        cx.rfm(cx.transactions(frame))


def test_cut_scores_need_numbers():
    with pytest.raises(cx.DataError, match="ascending order"):
        cut_scores([1.0], [])
