"""Simulations with known truth: levels, coverage and error under peeking. Run with -m slow -s."""

import numpy as np
import pytest

from cxstats.experiments import lift_interval, sequential_plan
from cxstats.experiments.bayes import below
from cxstats.experiments.confidence_sequence import mixture_factor
from cxstats.metrics.net_promoter_score import nps_from_counts
from cxstats.metrics.rates import rate

pytestmark = pytest.mark.slow
RUNS = 20_000


def differences(found, pairs):
    """Return the comparisons of runs whose groups are neighbours in a metric's table."""
    from cxstats.metrics.comparison import _TESTS

    table = found.table
    a, b = (table.iloc[i::2].reset_index(drop=True) for i in (1, 0))
    assert len(a) == pairs
    return _TESTS[found.unit](found, a, b)


@pytest.mark.parametrize("n", [100, 400])
@pytest.mark.parametrize(
    ("p", "q"), [(0.02, 0.02), (0.1, 0.1), (0.1, 0.15), (0.5, 0.5), (0.5, 0.6)]
)
def test_proportions(n, p, q):
    draw = np.random.default_rng(1)
    x = np.column_stack([draw.binomial(n, p, RUNS), draw.binomial(n, q, RUNS)])
    found = rate(x.ravel(), np.full(2 * RUNS, n), by={"run": np.arange(2 * RUNS)})
    row = differences(found, RUNS)
    covered = ((row["ci_low"] <= q - p) & (q - p <= row["ci_high"])).mean()
    error = (row["p_value"] < 0.05).mean()
    estimate, low, high = (found.table[c].to_numpy() for c in ("estimate", "ci_low", "ci_high"))
    lift = lift_interval(
        (estimate[1::2], low[1::2], high[1::2]), (estimate[::2], low[::2], high[::2])
    )
    known = ~np.isnan(lift[1])
    inside = ((lift[1] <= q / p - 1) & (q / p - 1 <= lift[2]))[known].mean()
    print(f"\nn={n} p={p} q={q}: difference {covered:.4f}, lift {inside:.4f} "
          f"({1 - known.mean():.3f} without), rejected {error:.4f}")  # fmt: skip
    assert covered > 0.94
    assert inside > 0.935
    if p == q:
        assert error < 0.055


@pytest.mark.parametrize("n", [100, 400])
@pytest.mark.parametrize("shares", [(0.5, 0.2), (0.85, 0.05), (0.3, 0.3)])
def test_nps(n, shares):
    draw = np.random.default_rng(2)
    p, d = shares
    x = draw.multinomial(n, [p, 1 - p - d, d], 2 * RUNS)
    found = nps_from_counts(*x.T, by={"run": np.arange(2 * RUNS)})
    row = differences(found, RUNS)
    covered = ((row["ci_low"] <= 0) & (row["ci_high"] >= 0)).mean()
    error = (row["p_value"] < 0.05).mean()
    print(f"\nn={n} NPS {shares}: covered {covered:.4f}, rejected {error:.4f}")
    assert covered > 0.945
    assert error < 0.055


@pytest.mark.parametrize(("n", "k"), [(15, 1), (15, 4), (200, 1)])
def test_cuped_covers_and_holds_its_level(n, k):
    from cxstats.experiments.cuped_adjustment import _differences, adjusted_means

    draw, covered, rejected, ratio = np.random.default_rng(3), 0, 0, []
    runs = 4000
    codes = np.repeat([0, 1], [n, 2 * n])
    for _ in range(runs):
        x = draw.normal(size=(3 * n, k))
        noise = draw.normal(size=3 * n) * np.where(codes == 1, 1.5, 1.0)
        y = 0.8 * x[:, 0] + noise + 0.5 * codes
        row = _differences(adjusted_means(y, x, codes, 2), [0, 1], 0, 0.95).iloc[0]
        covered += row["ci_low"] <= 0.5 <= row["ci_high"]
        rejected += not row["ci_low"] <= 0.5 <= row["ci_high"]
        ratio.append((row["se"], row["estimate"]))
    se, estimate = np.array(ratio).T
    print(f"\ncuped n={n} k={k}: covered {covered / runs:.4f}, "
          f"mean se^2 over variance {np.mean(se**2) / estimate.var():.3f}")  # fmt: skip
    assert covered / runs == pytest.approx(0.95, abs=0.014)


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_cuped_variance_reduction_is_rho_squared(rho):
    """Of the estimates themselves, over repeated experiments."""
    from cxstats.experiments.cuped_adjustment import adjusted_means

    draw, codes, runs = np.random.default_rng(4), np.repeat([0, 1], 100), 20_000
    found = np.empty((runs, 2))
    for i in range(runs):
        x = draw.normal(size=200)
        y = rho * x + np.sqrt(1 - rho**2) * draw.normal(size=200)
        one = adjusted_means(y, x[:, None], codes, 2)
        found[i] = np.diff(one.mean)[0], np.diff(one.raw_mean)[0]
    fall = 1 - found[:, 0].var() / found[:, 1].var()
    print(f"\nrho={rho}: variance falls by {fall:.4f}, rho^2 = {rho**2:.4f}")
    assert fall == pytest.approx(rho**2, abs=0.02)
    assert found[:, 0].mean() == pytest.approx(0, abs=4 * found[:, 0].std() / np.sqrt(runs))


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock"])
def test_sequential_error_with_binary_data(spending):
    """Pooled z of accumulated conversions; a fixed test at every look for comparison."""
    draw, n, looks = np.random.default_rng(5), 400, 5
    x = draw.binomial(n, 0.1, (2, 200_000, looks)).cumsum(axis=2)
    size = n * np.arange(1, looks + 1)
    pooled = x.sum(axis=0) / (2 * size)
    z = np.abs(x[1] - x[0]) / size / np.sqrt(pooled * (1 - pooled) * 2 / size)
    bounds = sequential_plan(looks, spending=spending).table["boundary"].to_numpy()
    error, naive = (z >= bounds).any(axis=1).mean(), (z >= 1.959964).any(axis=1).mean()
    print(f"\n{spending}: error {error:.4f}; at 1.96 every time {naive:.4f}")
    assert error == pytest.approx(0.05, abs=0.003)
    assert naive > 0.13


def peeked(values, new, start, tuned):
    """Return whether any look after every answer left out 0, by experiment (rows)."""
    n = np.cumsum(new, axis=1), np.cumsum(~new, axis=1)
    with np.errstate(all="ignore"):
        mean = [np.cumsum(values * one, axis=1) / m for one, m in zip((new, ~new), n, strict=True)]
        error = [
            (np.cumsum(values**2 * one, axis=1) / m - c**2) / (m - 1)
            for one, m, c in zip((new, ~new), n, mean, strict=True)
        ]
        z = np.abs(mean[0] - mean[1]) / np.sqrt(error[0] + error[1])
    looked = (n[0] >= start) & (n[1] >= start) & np.isfinite(z)
    width = mixture_factor(np.arange(1, values.shape[1] + 1), tuned, 0.05)
    return ((z > width) & looked).any(axis=1), ((z > 1.959964) & looked).any(axis=1)


@pytest.mark.parametrize("kind", ["normal", "half", "tenth", "fiftieth", "lognormal"])
def test_always_valid_error_under_continuous_peeking(kind):
    draw, shares = np.random.default_rng(6), {"half": 0.5, "tenth": 0.1, "fiftieth": 0.02}
    for start in (20, 100):
        found = []
        for _ in range(20):
            shape = (200, 5000)
            if kind in shares:
                values = (draw.random(shape) < shares[kind]) * 1.0
            else:
                values = draw.normal(size=shape)
                values = np.exp(values) if kind == "lognormal" else values
            found.append(peeked(values, draw.random(shape) < 0.5, start, 500))
        valid, naive = np.concatenate(found, axis=1).mean(axis=1)
        print(f"\n{kind}, from {start}: always valid {valid:.4f}, fixed test {naive:.4f}")
        assert valid < 0.05 + (0.01 if start == 20 else 0.0)
        assert naive > 0.2


def test_stopping_at_a_high_posterior_probability_finds_too_much():
    draw, found, runs = np.random.default_rng(7), 0, 300
    for _ in range(runs):
        x = draw.binomial(200, 0.1, (2, 20)).cumsum(axis=1)
        p = [
            below((1 + a, 1 + 200 * (k + 1) - a), (1 + b, 1 + 200 * (k + 1) - b))
            for k, (a, b) in enumerate(x.T.tolist())
        ]
        found += max(p) > 0.95 or min(p) < 0.05
    print(f"\nposterior above 95 % at one of 20 looks, no difference: {found / runs:.3f}")
    assert found / runs > 0.2
