"""The normal limit of resamples gives what resampling gives, and takes one pass."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.moments import bootstrap_moments, normal_moments
from cxstats.priorities.drivers import measurement
from cxstats.stats import large_samples
from cxstats.stats.bootstrap import replicate_means
from cxstats.stats.large_samples import normal_moments_of_design, resampled_means
from cxstats.stats.sampling_design import SampledPart

# Of 4,000 replicates a standard deviation has an error of 1.1 %; of the ratio of two 1.6 %, and
# three to four of these are allowed.
B, SAME_ERROR = 4_000, 0.06
N = 4_000


@pytest.fixture
def small(monkeypatch):
    """Take samples of a thousand as large."""
    monkeypatch.setattr(large_samples, "LARGE", 1_000)


def answers(p: int = 3, n: int = N) -> np.ndarray:
    generator = np.random.default_rng(p)
    x = generator.normal(size=(n, p)) + 0.8 * generator.normal(size=(n, 1))
    return np.clip(np.round(5 + x), 1, 7)


def spread(values: np.ndarray) -> np.ndarray:
    return values.std(axis=0, ddof=1)


def test_moments_vary_as_those_of_resamples(small):
    x = answers()
    drawn, resampled = normal_moments(x, B, 1), bootstrap_moments(x, B, 2)
    for name in ("mean", "cov"):
        ours, theirs = getattr(drawn, name), getattr(resampled, name)
        np.testing.assert_allclose(spread(ours), spread(theirs), rtol=SAME_ERROR)
        distance = np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) / spread(theirs)
        assert distance.max() < 5 * np.sqrt(2 / B)


def test_moments_of_clusters_vary_as_those_of_resamples(small):
    x = np.repeat(answers(n=500), 4, axis=0)
    frame = pd.DataFrame(x, columns=list("abc")).assign(
        branch=np.repeat(np.arange(500), 4), w=np.tile([1.0, 2.0, 1.0, 0.5], 500)
    )
    rows = cx.Design(cluster="branch", weights="w").read(frame)
    part = SampledPart.of(rows, np.arange(len(x)))
    draws = part.draws(B, 2)
    ours = normal_moments_of_design(x, B, 1, part).cov
    theirs = bootstrap_moments(x, B, 2, draws).cov
    np.testing.assert_allclose(spread(ours), spread(theirs), rtol=SAME_ERROR)
    plain = normal_moments(x, B, 1).cov
    assert (spread(ours) > 1.5 * spread(plain)).all()


def test_columns_that_determine_another_stay_determined(small):
    x = answers()
    cov = normal_moments(np.column_stack([x, x[:, 0] + x[:, 1]]), 50, 1).cov
    np.testing.assert_allclose(cov[:, 3, 2], cov[:, 0, 2] + cov[:, 1, 2], atol=1e-7)
    assert np.abs(np.linalg.eigvalsh(cov)[:, 0]).max() < 1e-7


def test_means_vary_as_those_of_resamples_also_with_gaps(small):
    x = answers()
    x[:1_000, 0] = np.nan
    ours, theirs = resampled_means(x, B, 1), replicate_means(x, B, 2)
    np.testing.assert_allclose(spread(ours), spread(theirs), rtol=SAME_ERROR)
    np.testing.assert_allclose(np.corrcoef(ours.T), np.corrcoef(theirs.T), atol=0.07)


def test_a_column_that_few_answered_is_resampled(small):
    x = answers()
    x[10:, 0] = np.nan
    np.testing.assert_array_equal(resampled_means(x, 50, 1), replicate_means(x, 50, 1))


def survey(n: int = N) -> pd.DataFrame:
    x = answers(4, n)
    generator = np.random.default_rng(9)
    y = x[:, 0] + 0.5 * x[:, 1] + generator.normal(size=n)
    return pd.DataFrame(x, columns=list("abcd")).assign(y=y)


@pytest.mark.parametrize("method", ["shapley", "johnson", "regression"])
def test_drivers_by_the_normal_limit_are_those_of_resamples(monkeypatch, method):
    frame = survey()
    options = {"method": method, "n_resamples": B}
    plain = cx.drivers(frame, "y", list("abcd"), **options)
    monkeypatch.setattr(large_samples, "LARGE", 1_000)
    drawn = cx.drivers(frame, "y", list("abcd"), **options)
    np.testing.assert_allclose(drawn.table["estimate"], plain.table["estimate"], rtol=1e-12)
    np.testing.assert_allclose(drawn.table["se"], plain.table["se"], rtol=SAME_ERROR)
    for limit in ("ci_low", "ci_high", "share_ci_low", "share_ci_high"):
        gap = np.abs(drawn.table[limit] - plain.table[limit])
        assert (gap < 0.15 * plain.table["se"]).all(), limit
    assert any("normal limit" in note.en and "正态极限" in note.zh for note in drawn.notes)
    assert not any("normal limit" in note.en for note in plain.notes)


def test_drivers_of_a_large_sample_are_passed_once(small, monkeypatch):
    def refused(*arguments):
        raise AssertionError("a large sample is resampled")

    monkeypatch.setattr(measurement, "bootstrap_moments", refused)
    assert cx.drivers(survey(), "y", list("abcd")).table["se"].gt(0).all()


def test_resamples_of_many_drivers_by_few_orders_are_those_of_all_subsets(monkeypatch):
    """13 drivers, by 100 orders and by 8,192 subsets."""
    x = answers(13, 600)
    y = x[:, :6].sum(axis=1) + np.random.default_rng(3).normal(scale=4, size=len(x))
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(13)]).assign(y=y)
    tables = []
    for most in (12, 13):
        monkeypatch.setattr(measurement, "EXACT_RESAMPLES", most)
        tables.append(cx.drivers(frame, "y", list(frame.columns[:-1]), n_resamples=400).table)
    few, every = tables
    np.testing.assert_allclose(few["estimate"], every["estimate"], rtol=1e-12)
    np.testing.assert_allclose(few["se"], every["se"], rtol=0.05)
    # The same resamples: limits differ by the error of orders alone, a fifth of what others do.
    for limit in ("ci_low", "ci_high"):
        assert (np.abs(few[limit] - every[limit]) < 0.1 * every["se"]).all()


def test_reliability_by_influence_is_that_of_resamples(monkeypatch):
    generator = np.random.default_rng(5)
    factors = generator.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], N)
    x = np.clip(np.round(4 + np.repeat(factors, 3, axis=1) + generator.normal(size=(N, 6))), 1, 7)
    frame = pd.DataFrame(x, columns=list("abcdef"))
    book = cx.Codebook(scale=(1, 7), constructs={"A": list("abc"), "B": list("def")})
    plain = cx.reliability(frame, book, n_resamples=B)
    monkeypatch.setattr(large_samples, "LARGE", 1_000)
    large = cx.reliability(frame, book, n_resamples=B)
    for table, pairs in (
        ("table", [("alpha_boot_low", "alpha_boot_high")]),
        ("htmt", [("ci_low", "ci_high"), ("ci2_low", "ci2_high")]),
    ):
        ours, theirs = getattr(large, table), getattr(plain, table)
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=1e-12)
        for low, high in pairs:
            width = theirs[high] - theirs[low]
            np.testing.assert_allclose(ours[high] - ours[low], width, rtol=0.08)
            assert (
                np.abs(ours[[low, high]] - theirs[[low, high]]).max(axis=1) < 0.06 * width
            ).all()
    assert any("nobody is resampled" in note.en and "不再重抽样" in note.zh for note in large.notes)


def test_servqual_and_kano_by_the_normal_limit_are_those_of_resamples(monkeypatch):
    responses, book = cx.simulate_servqual(N, seed=1)
    pairs = cx.simulate_kano(N, seed=1)
    runs = []
    for large in (10**9, 1_000):
        monkeypatch.setattr(large_samples, "LARGE", large)
        runs.append(
            (cx.servqual(responses, book, interval="bca"), cx.kano(pairs, ["App", "Hotline"]))
        )
    (servqual, kano), (servqual_large, kano_large) = runs
    rows = servqual.table.index[:-1]
    width = servqual.table["ci_high"] - servqual.table["ci_low"]
    for limit in ("ci_low", "ci_high"):
        gap = np.abs(servqual.table[limit] - servqual_large.table[limit])
        assert (gap[rows] < 0.05 * width[rows]).all()
    ours, theirs = kano_large.continuous, kano.continuous
    for name in ("functional", "dysfunctional"):
        width = theirs[f"{name}_ci_high"] - theirs[f"{name}_ci_low"]
        for end in ("low", "high"):
            gap = np.abs(ours[f"{name}_ci_{end}"] - theirs[f"{name}_ci_{end}"])
            assert (gap < 0.05 * width).all()
    assert (ours["category"] == theirs["category"]).all()
    assert any("normal limit" in note.en for note in kano_large.notes)
    assert not any("normal limit" in note.en for note in kano.notes)
