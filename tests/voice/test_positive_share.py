"""Intervals of the share: against simulation, where the truth is known, and at their borders."""

import numpy as np
import pytest

from cxstats.voice.positive_share import (
    ErrorRates,
    corrected_share,
    prediction_powered_share,
    transported_share,
)

DRAWS = 4_000
# Of 4,000 draws at 95 %: .935 and .965 are 4.4 standard errors away.
COVERAGE = (0.935, 0.965)


def calls(rng, labels, sensitivity, false_positives):
    """Return probabilities whose calls have these error rates, noisy and badly calibrated."""
    called = rng.random(labels.shape) < np.where(labels == 1, sensitivity, false_positives)
    return np.where(called, rng.uniform(0.5, 1, labels.shape), rng.uniform(0, 0.5, labels.shape))


def covers(share, truth):
    return share.low <= truth <= share.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("truth", "sensitivity", "false_positives", "n"),
    [
        (0.5, 0.85, 0.15, 200),
        (0.3, 0.7, 0.4, 200),
        (0.8, 0.95, 0.3, 100),
        (0.9, 0.8, 0.2, 200),
        (0.5, 0.5, 0.5, 200),
        (0.4, 0.2, 0.8, 200),
        (0.2, 0.9, 0.05, 400),
    ],
)
def test_labels_cover_whatever_the_classifier_does(truth, sensitivity, false_positives, n):
    rng = np.random.default_rng(7)
    covered, widths, plain = 0, [], []
    for _ in range(DRAWS):
        labels = (rng.random(3_000) < truth).astype(float)
        f = calls(rng, labels, sensitivity, false_positives)
        share = prediction_powered_share(labels[:n], f[:n], f[n:])
        alone = prediction_powered_share(labels[:n], f[:n], f[:0])
        covered += covers(share, truth)
        widths.append(share.high - share.low)
        plain.append(alone.high - alone.low)
    print(truth, sensitivity, false_positives, n, covered / DRAWS, np.mean(widths), np.mean(plain))
    assert COVERAGE[0] <= covered / DRAWS <= COVERAGE[1]
    assert np.mean(widths) < 1.02 * np.mean(plain)


@pytest.mark.slow
@pytest.mark.parametrize("truth", [0.2, 0.5, 0.9])
def test_rates_of_the_same_texts_cover(truth):
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(DRAWS):
        a, b = rng.binomial(400, 0.85) / 400, rng.binomial(500, 0.2) / 500
        q = rng.binomial(1_500, 0.85 * truth + 0.2 * (1 - truth)) / 1_500
        covered += covers(corrected_share(q, 1_500, ErrorRates(a, 400, b, 500)), truth)
    assert COVERAGE[0] <= covered / DRAWS <= COVERAGE[1]


@pytest.mark.slow
def test_rates_of_other_texts_cover_where_kinds_are_a_sample():
    """Rates vary from kind to kind; the interval must hold for a kind that is not among three."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(DRAWS):
        a, b = rng.normal(0.78, 0.06, 4), rng.normal(0.25, 0.06, 4)
        q = rng.binomial(2_000, 0.5 * a[3] + 0.5 * b[3]) / 2_000
        rates = [ErrorRates(a[i], 2_000, b[i], 2_000) for i in range(3)]
        covered += covers(transported_share(q, 2_000, rates), 0.5)
    assert 0.93 <= covered / DRAWS <= 0.985


def test_perfect_predictions_count_as_labels():
    """The share is that of all texts, as narrow as if all had labels."""
    rng = np.random.default_rng(1)
    y = (rng.random(5_000) < 0.3).astype(float)
    share = prediction_powered_share(y[:500], y[:500], y[500:])
    assert share.estimate == pytest.approx(y.mean(), abs=0.001)
    assert share.se == pytest.approx(np.sqrt(0.3 * 0.7 / 5_000), rel=0.05)


def test_constant_predictions_leave_the_labels_alone():
    y = np.array([1.0] * 30 + [0.0] * 70)
    share = prediction_powered_share(y, np.full(100, 0.5), np.full(900, 0.5))
    assert share.estimate == 0.3
    assert share.low == pytest.approx(0.219, abs=0.005)  # Wilson: .2189, .3958
    assert share.high == pytest.approx(0.396, abs=0.005)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_labels_that_are_all_alike_have_an_interval(value):
    y = np.full(50, value)
    f = np.linspace(0, 1, 50)
    share = prediction_powered_share(y, f, f)
    assert share.estimate == value
    assert share.high - share.low == pytest.approx(0.0714, abs=0.001)  # Wilson at 0 of 50


def test_swapping_the_labels_mirrors_the_share():
    rng = np.random.default_rng(2)
    y = (rng.random(300) < 0.4).astype(float)
    f = calls(rng, y, 0.8, 0.3)
    share = prediction_powered_share(y[:100], f[:100], f[100:])
    mirror = prediction_powered_share(1 - y[:100], 1 - f[:100], 1 - f[100:])
    assert mirror.estimate == pytest.approx(1 - share.estimate)
    assert (mirror.low, mirror.high) == pytest.approx((1 - share.high, 1 - share.low))


def test_calls_without_skill_have_no_share():
    nothing = corrected_share(0.5, 100, ErrorRates(0.5, 100, 0.5, 100))
    assert np.isnan(nothing.estimate)
    assert np.isnan(transported_share(0.5, 100, [ErrorRates(0.5, 9, 0.5, 9)] * 3).low)


def test_rogan_and_gladen():
    """Their formula, (q + specificity - 1) / (sensitivity + specificity - 1), by hand."""
    share = corrected_share(0.25, 500, ErrorRates(0.95, 200, 0.1, 300))
    assert share.estimate == pytest.approx((0.25 + 0.9 - 1) / (0.95 + 0.9 - 1))
