"""Bands that hold for several estimates at once."""

import csv

import numpy as np
import pytest
from scipy import stats

from cxstats.stats.simultaneous import DRAWS, sidak_level, simultaneous_level
from tests.references import FOLDER

LARGE = 1e7  # degrees of freedom at which t is normal
CASES = list(csv.DictReader((FOLDER / "simultaneous.csv").read_text().splitlines()))
ERRORS = 4  # Monte-Carlo errors that a level may be off


def correlations(kind, r, k):
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    return r**distance if kind == "autoregressive" else np.where(distance == 0, 1.0, r)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c['correlation']} {c['k']} {c['quantile']}"
)
def test_is_the_multivariate_normal_s_in_large_samples(case):
    k, level = int(case["k"]), float(case["level"])
    corr = correlations(case["correlation"], float(case["r"]), k)
    off = ERRORS * np.sqrt(level * (1 - level) / DRAWS)
    singles = [simultaneous_level(corr, np.full(k, LARGE), level + d, 3) for d in (-off, off)]
    low, high = stats.norm.ppf((1 + np.array(singles)) / 2)
    assert low < float(case["quantile"]) < high
    assert high - low < 0.25  # so that a wrong quantile does not lie between


@pytest.mark.parametrize(("k", "r", "n"), [(12, 0.4, 20), (12, 0.8, 8), (30, 0.3, 50)])
def test_holds_for_means_of_normal_answers(k, r, n):
    """Each mean has a standard error of its own, which the multivariate t does not know."""
    rng, samples = np.random.default_rng(5), 6_000
    root = np.linalg.cholesky(correlations("exchangeable", r, k))
    single = simultaneous_level(root @ root.T, [n - 1] * k, 0.95, seed=1)
    quantile = stats.t.ppf((1 + single) / 2, n - 1)
    inside = 0
    for _ in range(6):
        x = rng.normal(size=(samples // 6, n, k)) @ root.T
        t = np.abs(x.mean(axis=1)) / (x.std(axis=1, ddof=1) / np.sqrt(n))
        inside += int((t.max(axis=1) <= quantile).sum())
    assert inside / samples == pytest.approx(0.95, abs=ERRORS * np.sqrt(0.05 * 0.95 / samples))


def test_is_sidak_s_for_independent_estimates_of_any_df():
    for df in ([6] * 8, [3, 5, 8, 12, 20, 50, 100, 200]):
        single = simultaneous_level(np.eye(8), df, 0.95)
        assert single == pytest.approx(sidak_level(8, 0.95), abs=0.0012)


def test_never_leaves_level_and_bonferroni():
    rng = np.random.default_rng(0)
    for seed in range(20):
        k = int(rng.integers(2, 9))
        root = rng.normal(size=(k, k))
        single = simultaneous_level(root @ root.T, rng.integers(1, 40, k), 0.9, seed)
        assert 0.9 <= single <= 1 - 0.1 / k


def test_a_copy_of_an_estimate_costs_nothing():
    once = simultaneous_level(np.eye(3), [15] * 3, 0.95)
    twice = simultaneous_level(np.kron(np.eye(3), np.ones((2, 2))), [15] * 6, 0.95)
    assert twice == pytest.approx(once, abs=0.002)


def test_leaves_out_what_does_not_vary():
    with_gaps = np.diag([1.0, 0.0, np.nan, 2.0])
    assert simultaneous_level(with_gaps, [9] * 4, 0.95) == pytest.approx(
        simultaneous_level(np.eye(2), [9, 9], 0.95), abs=1e-12
    )
    assert simultaneous_level(np.diag([1.0, 0.0]), [9, 9], 0.95) == 0.95
    assert simultaneous_level(np.eye(2), [9, 0], 0.95) == 0.95


def test_a_seed_means_the_same():
    args = (np.eye(4), [10] * 4, 0.95)
    assert simultaneous_level(*args, seed=2) == simultaneous_level(*args, seed=2)
    assert simultaneous_level(*args, seed=2) != simultaneous_level(*args, seed=3)
