"""Exact coverage of the NPS intervals: every outcome of the multinomial, added up.

uv run pytest -m slow tests/metrics/test_exact_coverage.py -s
"""

import numpy as np
import pytest
from scipy.special import gammaln, xlogy

from cxstats import metrics
from cxstats.metrics.nps_intervals import NPS_INTERVALS, nps_interval

LOW, HIGH = 0.935, 0.965
GRID = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1)
CELLS = [(p, d) for p in GRID for d in GRID if p + d <= 1 + 1e-9]
# Fewer answers than this expected outside the largest band: outcomes are too few, and too uneven,
# for any interval of two limits to come near its level. Adjusted Wald covers more there.
OUTSIDE = 8
SLACK = 1e-12  # an end that is the truth itself covers it


def coverage(n, method):
    """Return coverage by cell of the grid, exactly."""
    x, y = (part.ravel() for part in np.meshgrid(range(n + 1), range(n + 1), indexing="ij"))
    x, y = x[x + y <= n], y[x + y <= n]
    rest = n - x - y
    low, high = nps_interval(x / n, y / n, float(n), method)
    ways = gammaln(n + 1) - gammaln(x + 1) - gammaln(y + 1) - gammaln(rest + 1)
    found = {}
    for p, d in CELLS:
        chance = np.exp(ways + xlogy(x, p) + xlogy(y, d) + xlogy(rest, max(1 - p - d, 0)))
        assert chance.sum() == pytest.approx(1, abs=1e-9)
        found[p, d] = chance[(low - SLACK <= p - d) & (p - d <= high + SLACK)].sum()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 400])
def test_adjusted_wald_covers(n):
    found = {method: coverage(n, method) for method in NPS_INTERVALS}
    for method, cells in found.items():
        values = np.array(list(cells.values()))
        inside = ((values >= LOW) & (values <= HIGH)).sum()
        print(
            f"\nn = {n}, {method}: {inside} of {len(values)} cells within {LOW:.1%} to {HIGH:.1%}, "
            f"least {values.min():.3f}, {(values < LOW).sum()} below, {(values > HIGH).sum()} above"
        )
    for (p, d), chance in found["adjusted_wald"].items():
        outside = n * (1 - max(p, d, 1 - p - d))
        assert chance >= LOW, (p, d)
        if outside > OUTSIDE + 1e-9:
            assert chance <= HIGH, (p, d)
    none = [cell for cell in CELLS if not any(LOW <= one[cell] <= HIGH for one in found.values())]
    print(f"no method reaches the range at (promoters, detractors): {none}")
    # Everyone alike: one outcome, which every interval that has a width covers always.
    assert {(0, 0), (0, 1), (1, 0)} <= set(none)
    assert found["wald"][0.99, 0] < LOW  # so the test can fail


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 400])
@pytest.mark.parametrize(
    "pair",
    [
        ((0.5, 0.2), (0.5, 0.2)),
        ((0.5, 0.2), (0.3, 0.0)),
        ((0.9, 0.02), (0.9, 0.02)),
        ((0.05, 0.05), (0.5, 0.5)),
        ((0.98, 0.0), (0.98, 0.0)),
    ],
)
def test_the_test_of_two_scores_holds_its_level(n, pair):
    generator = np.random.default_rng(1)
    samples = 20_000
    counts = [generator.multinomial(n, (p, d, 1 - p - d), samples) for p, d in pair]
    stacked = np.stack(counts, axis=1).reshape(-1, 3)
    by = {"sample": np.repeat(np.arange(samples), 2), "wave": np.tile([1, 2], samples)}
    found = metrics.nps_from_counts(stacked[:, 0], stacked[:, 2], stacked[:, 1], by=by)
    table = found.compare(1, within="sample", adjust=None).table
    rejected = (table["p_value"] < 0.05).mean()
    covered = ((table["ci_low"] <= 1e-9) & (table["ci_high"] >= -1e-9)).mean()
    print(f"\nn = {n}, {pair}: rejected {rejected:.3f}, covered {covered:.3f}")
    assert rejected <= 0.055  # three standard errors of 20,000 samples above 5 %
    assert covered >= LOW


@pytest.mark.slow
def test_weighted_intervals_cover():
    """Weights that go with the answers: half the population answers a quarter as often."""
    generator = np.random.default_rng(2)
    samples, n = 1_500, 400
    truth = 100 * (0.5 * (0.6 - 0.1) + 0.5 * (0.3 - 0.4))
    heavy = generator.random((samples, n)) < 0.2
    promoter = np.where(heavy, 0.6, 0.3)
    detractor = np.where(heavy, 0.1, 0.4)
    draw = generator.random((samples, n))
    score = np.where(draw < promoter, 10, np.where(draw < promoter + detractor, 3, 7))
    weight = np.where(heavy, 0.5 / 0.2, 0.5 / 0.8)
    sample = np.repeat(np.arange(samples), n)
    table = metrics.nps(score.ravel(), sample, weights=weight.ravel()).table
    covered = ((table["ci_low"] <= truth) & (truth <= table["ci_high"])).mean()
    print(f"\nweighted NPS: covered {covered:.3f}, deff {table['deff'].mean():.2f}")
    assert LOW <= covered <= HIGH
