"""The emotion curve from scores and from texts."""

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.journeys.emotion_curve import emotion_curve_from_counts, emotion_curve_from_shares
from cxstats.stats.intervals import proportion_interval
from tests.gallery.journey import IDS, MAP, WEIGHTS, answers

POSITIVE = {"shop": 40, "pay": 12, "help": 30, "app": 45}
N = {"shop": 60, "pay": 48, "help": 50, "app": 50}


def test_counts_have_wilson_s_interval_and_sidak_s_band():
    curve = emotion_curve_from_counts(MAP, POSITIVE, N)
    shares = np.array([POSITIVE[i] / N[i] for i in IDS])
    n = np.array([N[i] for i in IDS])
    for stem, level in (("ci", 0.95), ("band", 0.95**0.25)):
        low, high = proportion_interval(shares, n, level=level)
        np.testing.assert_allclose(curve.table[f"{stem}_low"], low)
        np.testing.assert_allclose(curve.table[f"{stem}_high"], high)
    assert (curve.kind, curve.method, curve.neutral) == ("share", "sidak", 0.5)
    assert curve.n == 208


def test_shares_and_counts_are_two_doors_to_one_curve():
    shares = {name: POSITIVE[name] / N[name] for name in IDS}
    first = emotion_curve_from_counts(MAP, POSITIVE, N).table
    second = emotion_curve_from_shares(MAP, pd.Series(shares), pd.Series(N)).table
    pd.testing.assert_frame_equal(first, second)
    journey = cx.journey(MAP)
    pd.testing.assert_frame_equal(first, journey.emotion_curve_from_counts(POSITIVE, N).table)
    pd.testing.assert_frame_equal(first, journey.emotion_curve_from_shares(shares, N).table)
    pd.testing.assert_frame_equal(first, emotion_curve_from_counts(journey, POSITIVE, N).table)


def test_touchpoints_that_no_text_names_have_no_point():
    curve = emotion_curve_from_counts(
        MAP, {"支付": 2, "Shop": 30}, {"pay": 5, "shop": 40, "app": 0}
    )
    assert curve.table["estimate"].isna().tolist() == [False, False, True, True]
    assert curve.single_level == pytest.approx(0.95**0.5)
    notes = " ".join(note.en for note in curve.notes)
    assert "fewer than 10 texts name Payment" in notes
    assert "no text names Help, App" in notes
    curve.plot()


def test_the_lowest_is_told_apart_only_by_the_band():
    clear = emotion_curve_from_counts(MAP, {"shop": 90, "pay": 10, "help": 80, "app": 95}, 100)
    assert clear.level_with_lowest == []
    assert "Lowest at Payment: 10 % positive, below all others" in clear.summary("en")
    close = emotion_curve_from_counts(MAP, {"shop": 9, "pay": 5, "help": 8, "app": 10}, 20)
    assert close.level_with_lowest == [0, 2, 3]
    assert "does not tell it from others (3)" in close.summary("en")


def test_no_claim_without_a_band():
    stages = [{"name": "A", "touchpoints": [{"name": "x", "score": 3}, {"name": "y", "score": 5}]}]
    bare = cx.journey({"stages": stages}).emotion_curve()
    assert "Lowest at x: 3.00; without an interval" in bare.summary("en")
    stages[0]["touchpoints"][0] |= {"sd": 0.1, "n": 50}
    half = cx.journey({"stages": stages}).emotion_curve()
    assert half.level_with_lowest == [1]  # y is higher, but by how much nobody knows
    assert "does not tell it from others (1)" in half.summary("en")


def test_the_curve_of_scores_is_the_journey_s():
    journey = cx.journey(MAP, answers(), weights=WEIGHTS, n_resamples=200)
    curve = journey.emotion_curve()
    assert curve.table["band_low"].tolist() == journey.table["band_low"].tolist()
    assert (curve.neutral, curve.method, curve.n) == (4, "covariance", 80)
    assert curve.synthetic
    assert not any("top of the scale" in note.en for note in curve.notes)


@pytest.mark.parametrize(
    ("positive", "n", "expected"),
    [
        ({"moon": 3}, {"moon": 5}, "positive: 'moon' is no touchpoint; allowed: shop, pay"),
        ({"shop": 6}, {"shop": 5}, "'shop' has 6 of n = 5 texts; allowed: at most n"),
        ({"shop": -1}, {"shop": 5}, "positive: touchpoint 'shop' has -1; allowed: numbers from 0"),
        ({"shop": float("nan")}, {"shop": 5}, "'shop' has nan; allowed"),
        ({"shop": True}, {"shop": 5}, "'shop' has True; allowed"),
        ({"shop": 3}, {"pay": 5}, "n: touchpoint 'shop' has none"),
        ({"shop": 3}, {"shop": 5, "pay": 5}, "positive: touchpoint 'pay' has none, but n is 5"),
        ({"shop": 3, "商店": 3}, 5, "positive: touchpoint 'shop' is named twice"),
        ([3, 4], 5, r"positive=\[3, 4\]; allowed: a mapping"),
        ({"shop": 3}, "5", "n='5'; allowed: a mapping"),
    ],
)
def test_what_is_refused(positive, n, expected):
    with pytest.raises(cx.CxError, match=expected):
        emotion_curve_from_counts(MAP, positive, n)


def test_a_share_above_1_and_a_wrong_level():
    with pytest.raises(cx.CxError, match="shares: touchpoint 'shop' has 60; allowed: 0 to 1"):
        emotion_curve_from_shares(MAP, {"shop": 60}, 100)
    with pytest.raises(cx.CxError, match="level is 95"):
        emotion_curve_from_counts(MAP, {"shop": 3}, 5, level=95)
