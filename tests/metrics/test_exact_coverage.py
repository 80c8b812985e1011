"""Exact coverage of the NPS intervals: every outcome of the multinomial, added up.

uv run pytest -m slow tests/metrics/test_exact_coverage.py -s
"""

import numpy as np
import pytest
from scipy.special import gammaln, ndtr, xlogy
from scipy.stats import binom

from cxstats import metrics
from cxstats.metrics.nps_intervals import NPS_INTERVALS, nps_interval
from cxstats.stats.intervals import proportion_interval, wilson_interval

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
    found = {method: coverage(n, method) for method in ("adjusted_wald", "wald", "score")}
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
def test_small_samples_are_covered():
    """The table of `nps_interval`, and that its default covers at every number of answers."""
    sizes = (5, 10, 20, 50, 99, 100, 200)
    least = {}
    for n in sizes:
        for method in NPS_INTERVALS:
            values = np.array(list(coverage(n, method).values()))
            least[n, method] = values.min()
            print(
                f"\nn = {n}, {method}: least {values.min():.4f}, mean {values.mean():.4f}, "
                f"{(values < LOW).sum()} of {len(values)} below {LOW}",
                end="",
            )
    for n in sizes:
        assert least[n, "auto"] >= (LOW if n <= 100 else 0.93), n
        assert least[n, "auto"] <= 0.995  # it is not so wide as to say nothing
    # What it takes the place of, which the notes of the result say.
    assert [round(least[n, "adjusted_wald"], 3) for n in (5, 10, 20, 50)] == [
        0.837, 0.879, 0.913, 0.922,
    ]  # fmt: skip
    assert least[10, "score"] < 0.91


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10, 20, 50, 100, 200])
def test_wilson_covers_on_average(n):
    """As the docstring of `csat` says: exactly, over shares of 0.1 to 99.9 %."""
    shares, events = np.linspace(0.001, 0.999, 999), np.arange(n + 1)
    low, high = wilson_interval(events / n, float(n), 0.95)
    inside = (low <= shares[:, None]) & (shares[:, None] <= high)
    values = (binom.pmf(events, n, shares[:, None]) * inside).sum(axis=1)
    middle = values[(shares >= 0.05) & (shares <= 0.95)]
    print(f"\nn = {n}: least {values.min():.4f}, 5 to 95 % {middle.min():.4f}, {values.mean():.4f}")
    assert 0.95 <= values.mean() <= 0.957
    assert values.min() >= 0.83
    assert middle.min() >= 0.89
    exact = proportion_interval(events / n, float(n), "clopper_pearson")
    inside = (exact[0] <= shares[:, None] + SLACK) & (shares[:, None] <= exact[1] + SLACK)
    assert (binom.pmf(events, n, shares[:, None]) * inside).sum(axis=1).min() >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 20, 30, 50, 100])
@pytest.mark.parametrize(
    "shares",
    [
        (0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.3),
        (0.01, 0.01, 0.02, 0.03, 0.08, 0.25, 0.6),
        (0.1, 0.1, 0.15, 0.2, 0.2, 0.15, 0.1),
        (0.02, 0.02, 0.06, 0.3, 0.6),
    ],
)
def test_a_mean_that_covers_too_little_is_noted(n, shares):
    """t of answers on a scale: where it covers less than 93.5 %, the result says so."""
    generator = np.random.default_rng(3)
    points, samples = np.arange(1, len(shares) + 1), 10_000
    counts = generator.multinomial(n, shares, samples)
    by = {"sample": np.arange(samples)}
    found = metrics.csat_from_counts(
        dict(zip(points.tolist(), counts.T, strict=True)), kind="mean", by=by,
        scale=(1, len(shares)),
    )  # fmt: skip
    table, truth = found.table, points @ shares
    covered = ((table["ci_low"] <= truth) & (truth <= table["ci_high"])).mean()
    noted = [note.en for note in found.notes if "too few for their skewness" in note.en]
    share = int(noted[0].split()[0]) / samples if noted else 0.0
    print(f"\nn = {n}, {shares}: covered {covered:.3f}, noted in {share:.3f}")
    if covered < LOW:
        assert share > 0.5


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
    # Kish's sample is the smaller here, since the weights go with the answers: the interval is
    # wider than the error by a known factor, and covers as much as that factor makes of 95 %.
    size = np.minimum(table["n_effective"], table["n_kish"])
    expected = (2 * ndtr(1.959964 * np.sqrt(table["n_effective"] / size)) - 1).mean()
    print(f"expected {expected:.3f}")
    assert covered >= LOW
    assert abs(covered - expected) < 3 * np.sqrt(0.05 * 0.95 / samples)
