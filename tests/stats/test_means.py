"""Intervals of means: what they equal, and whether they cover where answers pile up.

The simulation: uv run pytest -m slow -n 0 tests/stats/test_means.py -s
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import cxstats as cx
from cxstats.core.language import Text
from cxstats.stats.intervals import fieller_interval, hall_interval, t_interval
from cxstats.stats.means import ENOUGH, LEAST, SKEWED, MeanOptions, Means, interval_notes

GENERATOR = np.random.default_rng(3)
ANSWERS = np.clip(np.round(GENERATOR.normal(8, 2, (12, 3))), 1, 10)
SAMPLES, SIZES = 4_000, (3, 5, 10, 20, 50, 100, 200)
# Shares of the answers from 1 upwards: even, and with more than a third or a half at the top.
POPULATIONS = {
    "even, 5 points": [0.1, 0.2, 0.4, 0.2, 0.1],
    "at the top, 5 points": [0.02, 0.03, 0.08, 0.27, 0.60],
    "even, 10 points": [0.1] * 10,
    "at the top, 10 points": [0.02, 0.01, 0.02, 0.02, 0.04, 0.06, 0.10, 0.18, 0.20, 0.35],
}
COVERS = 93.5  # per cent; 4,000 samples have a standard error of 0.34


def limits(values, **options):
    chosen = MeanOptions(**options)
    return np.array(Means.of(values, chosen).limits(chosen))


def test_t_as_scipy():
    expected = [stats.ttest_1samp(x, 0).confidence_interval(0.9) for x in ANSWERS.T]
    np.testing.assert_allclose(limits(ANSWERS, level=0.9).T, expected, rtol=1e-12)


def test_differences_as_scipys_welch():
    options = MeanOptions()
    difference = Means.of(ANSWERS[:5], options) - Means.of(ANSWERS[5:], options)
    test = stats.ttest_ind(ANSWERS[:5], ANSWERS[5:], equal_var=False)
    np.testing.assert_allclose(difference.t_test(), [test.statistic, test.pvalue], rtol=1e-12)
    expected = test.confidence_interval(0.95)
    np.testing.assert_allclose(difference.limits(options), [expected.low, expected.high], 1e-12)


def test_an_interval_and_its_p_value_agree():
    low, high = limits(ANSWERS - 7, level=0.95)
    p = Means.of(ANSWERS - 7, MeanOptions()).t_test()[1]
    assert ((low > 0) | (high < 0)).tolist() == (p < 0.05).tolist()


def test_limits_of_hall_put_his_statistic_at_the_quantiles():
    mean, se, df, a = np.array([4.0]), np.array([0.3]), np.array([9.0]), -0.4
    quantile = stats.t.ppf(0.975, 9)
    for limit, expected in zip(
        hall_interval(mean, se, df, np.array([a]), 0.95), (quantile, -quantile), strict=True
    ):
        t = (mean - limit) / se
        g = t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6
        assert g.item() == pytest.approx(expected, abs=1e-12)
    symmetric = hall_interval(mean, se, df, np.zeros(1), 0.95)
    np.testing.assert_allclose(symmetric, t_interval(mean, se, df, 0.95), rtol=1e-6)


def test_limits_of_fieller_are_the_ratios_that_are_just_refused():
    a, b, df = np.array([1.2]), np.array([2.0]), 15.0
    aa, ab, bb = covariances = np.array([[0.04], [0.01], [0.09]])
    for ratio in fieller_interval(a, b, covariances, np.array([df]), 0.95):
        t = (a - ratio * b) / np.sqrt(aa - 2 * ratio * ab + ratio**2 * bb)
        assert abs(t.item()) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-10)
    unbounded = fieller_interval(a, np.array([0.5]), covariances, np.array([df]), 0.95)
    assert np.isnan(unbounded).all()


def test_no_limit_leaves_its_bounds():
    values = np.array([[10.0], [10.0], [9.0]])
    assert limits(values)[1] > 10
    assert limits(values, bounds=(1.0, 10.0))[1] == 10
    low, _ = limits(values, bounds=(9.9, 10.0))
    assert low == 9.9


def test_what_does_not_vary_has_no_interval():
    values = np.array([[1.0, np.nan, 2.0], [1.0, np.nan, np.nan], [1.0, np.nan, np.nan]])
    for interval in ("t", "hall", "bca"):
        assert np.isnan(limits(values, interval=interval, n_resamples=20)).all()


def test_few_and_skewed_answers_are_named():
    names = [Text("A", "甲"), Text("B", "乙"), Text("C", "丙")]
    few, skewed = interval_notes(names, np.array([8, 40, 40]), np.array([0.4, 0.3, 0.1]), "t")
    assert "fewer than 20 answers: A;" in few.en
    assert "甲" in few.zh
    assert skewed.en.startswith("answers pile up at an end of the scale: B;")
    assert interval_notes(names, np.array([8, 40, 40]), np.array([0.4, 0.3, 0.1]), "hall") == ()
    assert interval_notes(names, np.array([40.0] * 3), np.zeros(3), "t") == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": "z"}, "interval='z'; allowed: 't', 'hall', 'bca'"),
        ({"level": 2}, "level is 2; allowed: 0.5 to below 1"),
        ({"n_resamples": 0}, "n_resamples is 0; allowed"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(cx.CxError, match=message):
        MeanOptions(**options)


def coverage(shares, n, interval, seed):
    """Return how many per cent of the intervals of samples that vary hold the mean."""
    answers = np.arange(1.0, len(shares) + 1)
    values = np.random.default_rng([seed, n]).choice(answers, (n, SAMPLES), p=shares)
    low, high = limits(values, interval=interval, n_resamples=1_000)
    exists = np.isfinite(low)
    return 100 * ((low <= answers @ shares) & (answers @ shares <= high))[exists].mean()


@pytest.mark.slow
@pytest.mark.parametrize("interval", ["t", "hall", "bca"])
def test_intervals_cover_as_said(interval):
    below = []
    for i, (name, shares) in enumerate(POPULATIONS.items()):
        answers = np.arange(1.0, len(shares) + 1)
        centred = answers - answers @ shares
        skewness = shares @ centred**3 / (shares @ centred**2) ** 1.5
        found = {n: coverage(shares, n, interval, i) for n in SIZES}
        print(f"\n{interval:>5} {name:22}", *(f"{n}: {x:.1f}" for n, x in found.items()), end="")
        for n, share in found.items():
            if n < ENOUGH.get(interval, 0):
                below.append(share)
            elif interval != "t" or abs(skewness) / np.sqrt(n) <= SKEWED:
                assert share > COVERS - 1, (name, n, share)
    if below:  # as little as is said, to a point
        assert min(below) == pytest.approx(LEAST[interval], abs=1)
