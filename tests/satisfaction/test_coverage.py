"""Do the 95 % intervals of indices cover? Skewed answers on ten points, 200 respondents.

Run with: uv run pytest -m slow tests/satisfaction/test_coverage.py -s
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.satisfaction import estimate_service_weights, satisfaction_index
from cxstats.satisfaction.index_weights import factor_index, pls_index
from cxstats.satisfaction.service_weights import fitted
from cxstats.service.dimension_scores import OVERALL

SAMPLES, N, RESAMPLES = 2_000, 200, 1_000
POPULATION = 2_000_000
ALLOWED = (0.935, 0.965)
MODEL = "Q =~ q1 + q2 + q3 ; S =~ s1 + s2 + s3 + s4 ; L =~ l1 + l2 ; S ~ Q ; L ~ S"
ITEMS = ["s1", "s2", "s3", "s4"]
COLUMNS = ["q1", "q2", "q3", *ITEMS, "l1", "l2"]
LOADINGS = np.array([0.8, 0.75, 0.7, 0.85, 0.8, 0.7, 0.6, 0.8, 0.7])
LEVELS = np.array([7.5, 7.0, 8.0, 8.5, 7.5, 8.0, 6.5, 8.0, 7.0])
FIXED = [0.4, 0.3, 0.2, 0.1]
SERVICE = ("s1", "q1", "q2", "q3")


def answers(n: int, seed: int) -> pd.DataFrame:
    """Answers of two groups, half a standard deviation apart in quality, cut off at 10."""
    generator = np.random.default_rng([seed, 7])
    second = generator.random(n) < 0.5
    q = generator.normal(size=n) - 0.5 * second
    s = 0.7 * q + np.sqrt(1 - 0.49) * generator.normal(size=n)
    loyal = 0.7 * s + np.sqrt(1 - 0.49) * generator.normal(size=n)
    factor = np.column_stack([q] * 3 + [s] * 4 + [loyal] * 2)
    noise = generator.normal(size=factor.shape) * np.sqrt(1 - LOADINGS**2)
    values = np.clip(np.round(LEVELS + 2.2 * (factor * LOADINGS + noise)), 1, 10)
    return pd.DataFrame(values, columns=COLUMNS).assign(group=np.where(second, "b", "a"))


@cache
def truth() -> dict[str, dict[str, float]]:
    """Return weights, contributions, index and difference of the groups in a large sample."""
    frame = answers(POPULATION, 10**6)
    low, width = np.ones(4), np.full(4, 9.0)
    small = frame[:1000]
    model = cx.pls(MODEL, small, n_resamples=0)
    places = np.array([model.design.items.index(item) for item in ITEMS])
    cov = frame[list(model.design.items)].cov().to_numpy()[None]
    weights = {
        "equal": np.full(4, 0.25),
        "fixed": np.array(FIXED),
        "pls": pls_index(model, places, low, width).shares(cov)[0],
        "factor": factor_index(small[ITEMS].to_numpy(), ITEMS, low, width).shares(
            cov[:, places][:, :, places]
        )[0],
    }
    level = 100 * (frame[ITEMS].mean().to_numpy() - 1) / 9
    by_group = 100 * (frame.groupby("group")[ITEMS].mean() - 1) / 9
    gap = (by_group.loc["a"] - by_group.loc["b"]).to_numpy()
    found = {}
    for way, own in weights.items():
        row = {f"weight {item}": w for item, w in zip(ITEMS, own, strict=True)}
        row |= {f"contribution {item}": w for item, w in zip(ITEMS, own * level, strict=True)}
        found[way] = {**row, "index": float(own @ level), "difference": float(own @ gap)}
    part = frame[list(SERVICE)]
    mean, moments = part.mean().to_numpy()[None], part.cov().to_numpy()[None]
    service, _ = fitted(mean, moments, POPULATION, intercept=True)
    found["service"] = {str(i): x for i, x in enumerate(service[0])}
    return found


def hits(seed: int) -> dict[str, bool]:
    """Draw one sample and say which intervals hold the truth."""
    frame, known = answers(N, seed), truth()
    fit = cx.pls(MODEL, frame, n_resamples=0)
    found = {}
    ways = {
        "equal": {"weights": "equal"},
        "fixed": {"weights": FIXED},
        "pls": {"weights": "pls", "fit": fit, "construct": "S"},
        "factor": {"weights": "factor"},
    }
    for way, options in ways.items():
        result = satisfaction_index(
            frame, ITEMS, by="group", n_resamples=RESAMPLES, seed=seed, **options
        )
        rows = {"index": result.table.loc[OVERALL]}
        rows |= {f"contribution {item}": result.table.loc[item] for item in ITEMS}
        pairs = result.comparisons
        rows["difference"] = pairs[pairs["score"] == OVERALL].iloc[0]
        for name, row in rows.items():
            found[f"{way} | {name}"] = row["ci_low"] <= known[way][name] <= row["ci_high"]
        if way in ("pls", "factor"):
            for item in ITEMS:
                row = result.table.loc[item]
                inside = row["weight_ci_low"] <= known[way][f"weight {item}"]
                inside &= known[way][f"weight {item}"] <= row["weight_ci_high"]
                found[f"{way} | weight {item}"] = inside
    service = estimate_service_weights(frame, *SERVICE, n_resamples=RESAMPLES, seed=seed).table
    for i, row in service.iterrows():
        inside = row["ci_low"] <= known["service"][str(i)] <= row["ci_high"]
        found[f"service {row['method']} | {row['weight']}"] = inside
    return found


@pytest.mark.slow
def test_intervals_cover_at_200():
    truth()  # once, before the processes are made
    with ProcessPoolExecutor() as pool:
        found = pd.DataFrame(list(pool.map(hits, range(SAMPLES), chunksize=20))).mean()
    print(
        f"\nCoverage of 95 % intervals, {SAMPLES:,} samples, n = {N}\n{found.round(4).to_string()}"
    )
    outside = found[(found < ALLOWED[0]) | (found > ALLOWED[1])]
    assert outside.empty, outside
