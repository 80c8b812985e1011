"""Training: values from scipy, printed changes, coverage of effect sizes, faults that are named."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxstats as cx
from cxstats.core.errors import CxError

BEFORE = [52, 61, 58, 66, 63, 70, 49, 55]
AFTER = [70, 78, 81, 85, 86, 75, 60, 50]
CONTROL = [50, 60, 70, 65], [55, 58, 74, 69]


def test_values_of_scipy():
    effect = cx.training_effect(BEFORE, AFTER, control=CONTROL)
    test = stats.ttest_rel(AFTER, BEFORE)
    row = effect.row("difference")
    assert row["p_value"] == pytest.approx(test.pvalue)
    limits = test.confidence_interval(0.95)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx([limits.low, limits.high])
    gains = np.subtract(AFTER, BEFORE), np.subtract(*CONTROL[::-1])
    welch = stats.ttest_ind(*gains, equal_var=False)
    net = effect.row("net")
    assert net["estimate"] == pytest.approx(gains[0].mean() - gains[1].mean())
    assert net["p_value"] == pytest.approx(welch.pvalue)
    welch_limits = welch.confidence_interval(0.95)
    assert [net["ci_low"], net["ci_high"]] == pytest.approx([welch_limits.low, welch_limits.high])
    assert effect.row("d_z")["estimate"] == pytest.approx(gains[0].mean() / gains[0].std(ddof=1))
    spread = np.sqrt((np.var(BEFORE, ddof=1) + np.var(AFTER, ddof=1)) / 2)
    g = (1 - 3 / 27) * gains[0].mean() / spread
    assert effect.row("g_av")["estimate"] == pytest.approx(g)
    assert effect.row("improved")["estimate"] == 7 / 8


def test_printed_changes():
    """Source 004, table 4: from 60 to 80 is 33.3 %, from 70 to 90 28.6 %."""
    for first, second, printed in ((60, 80, 33.3), (70, 90, 28.6)):
        effect = cx.training_effect([first - 2, first + 2, first], [second - 1, second, second + 1])
        assert round(100 * effect.row("relative")["estimate"], 1) == printed


def test_pairs_by_label_and_gaps():
    before = pd.Series(BEFORE, list("abcdefgh"))
    after = pd.Series(AFTER, list("abcdefgh"))
    expected = cx.training_effect(BEFORE, AFTER).table
    pd.testing.assert_frame_equal(cx.training_effect(before, after.iloc[::-1]).table, expected)
    gaps = cx.training_effect([*BEFORE, None, 60], [*AFTER, 50, np.nan])
    pd.testing.assert_frame_equal(gaps.table, expected)
    assert gaps.n_missing == 2
    arrow = pd.array(BEFORE, "int64[pyarrow]")
    pd.testing.assert_frame_equal(
        cx.training_effect(arrow, pd.array(AFTER, "Int64")).table, expected
    )


def test_scores_in_another_unit():
    effect, tenfold = (
        cx.training_effect(k * np.array(BEFORE), k * np.array(AFTER)) for k in (1, 10)
    )
    for measure in ("relative", "d_z", "g_av", "improved"):
        for name in ("estimate", "ci_low", "ci_high"):
            assert effect.row(measure)[name] == pytest.approx(tenfold.row(measure)[name])


def test_notes():
    text = cx.training_effect([5, 5, 4, 3], [5, 5, 5, 4], scale=(1, 5)).summary()
    assert "50 % had the highest score" in text
    assert "regression to the mean" in text
    assert "4 pairs are few" in text
    assert "regression" not in cx.training_effect(BEFORE, AFTER, control=CONTROL).summary()
    assert np.isnan(cx.training_effect([1, 2], [2, 3]).row("difference")["ci_low"])


@pytest.mark.parametrize(
    ("before", "after", "options", "message"),
    [
        ([1, 2], [1], {}, "2 scores before and 1 after; allowed: the same persons"),
        ([1], [1], {}, "1 pairs of scores; allowed: 2 or more"),
        ([1, "x"], [1, 2], {}, "row 1, column 'before': 'x'"),
        ([1, 7], [1, 2], {"scale": (1, 5)}, "row 1, column 'before': 7; allowed: 1 to 5"),
        ([1, 2], [1, 2], {"scale": 5}, "scale=5; allowed: (low, high)"),
        ([1, 2], [1, 2], {"scale": (5, 1)}, "allowed: low below high"),
        ([1, 2], [1, 2], {"control": [1]}, "control has to be (before, after)"),
        ([1, 2], [1, 2], {"control": ([1, np.inf], [1, 2])}, "column 'control before'"),
        (pd.Series([1, 2], [0, 1]), pd.Series([1, 2], [1, 2]), {}, "different row labels"),
    ],
)
def test_bad_input_is_named(before, after, options, message):
    with pytest.raises(CxError, match=re.escape(message)):
        cx.training_effect(before, after, **options)


@pytest.mark.parametrize("n", [12, 40])
def test_coverage(n):
    """Normal scores with correlation .6, spread 10 and 12, a gain of 6; 600 samples."""
    rng = np.random.default_rng(n)
    cov = [[100, 72], [72, 144]]
    truth = {"difference": 6.0, "relative": 0.1, "d_z": 6 / 10, "g_av": 6 / np.sqrt(122)}
    hits = dict.fromkeys(truth, 0)
    for _ in range(600):
        before, after = rng.multivariate_normal([60, 66], cov, n).T
        effect = cx.training_effect(before, after)
        for name, value in truth.items():
            row = effect.row(name)
            hits[name] += row["ci_low"] <= value <= row["ci_high"]
    for name, count in hits.items():
        assert 0.92 < count / 600 < 0.98, (name, count / 600)
