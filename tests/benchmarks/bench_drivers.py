"""Time exact Shapley values against regressions on all subsets by statsmodels, in one run.

uv run python tests/benchmarks/bench_drivers.py
"""

from __future__ import annotations

import time
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import statsmodels.api as sm

from cxstats.core.moments import Moments, correlations, moments
from cxstats.priorities.drivers import drivers
from cxstats.priorities.drivers.importance_measures import shapley

N, TIMES = 1_000, 5


def best(call, times: int = TIMES) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def answers(p: int) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(N, p)) + generator.normal(size=(N, 1))
    y = x @ np.linspace(1, 0, p) + generator.normal(scale=p, size=N)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*(f"x{i}" for i in range(p)), "y"])


def by_regressions(frame: pd.DataFrame) -> np.ndarray:
    """Shapley values from one OLS fit per subset."""
    y, x = frame["y"].to_numpy(), frame.drop(columns="y").to_numpy()
    p = x.shape[1]
    r2 = {(): 0.0}
    for size in range(1, p + 1):
        for subset in combinations(range(p), size):
            r2[subset] = sm.OLS(y, sm.add_constant(x[:, subset])).fit().rsquared
    found = np.zeros(p)
    for subset, value in r2.items():
        for j in range(p):
            if j in subset:
                less = tuple(k for k in subset if k != j)
                found[j] += (value - r2[less]) / (p * comb(p - 1, len(less)))
    return found


def main() -> None:
    frame = answers(10)
    names = list(frame.columns[:-1])
    every: list[np.ndarray] = []
    peer = best(lambda: every.append(by_regressions(frame)), 1)
    own: Moments = moments(frame)
    ours = {
        "from Moments": best(lambda: shapley(own.corr)),
        "from the frame": best(lambda: shapley(correlations(moments(frame).cov))),
    }
    gap = np.abs(shapley(own.corr) - every[0]).max()
    print(f"10 drivers, n = {N:,}; statsmodels OLS on all 1,023 subsets {peer:.2f} s")
    for door, seconds in ours.items():
        print(f"  exact Shapley values {door} {seconds * 1e3:.2f} ms: {peer / seconds:,.0f} times")
    print(f"  largest difference {gap:.1e}")
    whole = best(lambda: drivers(frame, "y", names, n_resamples=1_000), 3)
    print(f"10 drivers, cx.drivers with 1,000 resamples: {whole:.2f} s")
    for p in (15, 20):
        wide = answers(p)
        m: Moments = moments(wide)
        values = best(lambda m=m: shapley(m.corr), 3)
        full = best(lambda m=m, p=p: drivers(m, "y", [f"x{i}" for i in range(p)]), 1)
        print(f"{p} drivers from Moments: values {values:.3f} s, cx.drivers {full:.2f} s")
    wide = answers(40)
    many = best(lambda: drivers(wide, "y", list(wide.columns[:-1])), 1)
    print(f"40 drivers, sampled orders, 1,000 resamples: {many:.2f} s")


if __name__ == "__main__":
    main()
