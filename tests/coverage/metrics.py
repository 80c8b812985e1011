"""NPS, shares, means, their differences, experiments."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

import cxstats as cx
from cxstats import experiments, metrics
from tests.coverage import FAST, FROM_20, Interval, columns

SHAPES = {  # shares of the points, from the lowest
    "even 5-point": (0.1, 0.2, 0.4, 0.2, 0.1),
    "top-heavy 5-point": (0.02, 0.03, 0.10, 0.25, 0.60),
    "top-heavy 10-point": (0.01, 0.01, 0.01, 0.02, 0.03, 0.05, 0.10, 0.17, 0.25, 0.35),
}
# Detractors, passives, promoters.
EVEN, GOOD, EXTREME = (0.3, 0.2, 0.5), (0.1, 0.3, 0.6), (0.02, 0.08, 0.9)
SIZE = 5  # answers of one customer


def mean_of(shares: Any) -> float:
    return float(np.arange(1, len(shares) + 1) @ np.asarray(shares))


def points(shares: Any) -> Any:
    """Return a function that draws n answers from 1 upwards."""
    return lambda rng, n: rng.choice(np.arange(1.0, len(shares) + 1), n, p=shares)


def scores(shares: Any) -> Any:
    return lambda rng, n: rng.choice([3.0, 8.0, 10.0], n, p=shares)


def flags(share: float) -> Any:
    return lambda rng, n: (rng.random(n) < share).astype(float)


def single(metric: Any, draw: Any, **options: Any) -> Any:
    """Return the limits of a metric of one sample."""

    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        result = metric(draw(rng, n), **options)
        return result, *columns(result.table)

    return limits


def two(rng: np.random.Generator, n: int, first: Any, second: Any) -> pd.DataFrame:
    """Return two groups of n, named a and b."""
    y = np.concatenate([first(rng, n), second(rng, n)])
    return pd.DataFrame({"y": y, "g": np.repeat(["a", "b"], n)})


def difference(metric: Any, first: Any, second: Any, **options: Any) -> Any:
    """Return the limits of the second group less the first, n in each."""

    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        result = metric(two(rng, n, first, second), column="y", by="g", **options).compare("a")
        return result, *columns(result.table)

    return limits


def visits(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return n answers of customers who answer five times, intraclass correlation about .36."""
    customer = np.arange(n) // SIZE
    level = 0.6 * rng.normal(size=n)[customer] + 0.8 * rng.normal(size=n)
    return pd.DataFrame({"y": np.clip(np.round(7 + 2 * level), 0, 10), "customer": customer})


@cache
def share_above(cut: float) -> float:
    return float(norm.sf((cut - 7) / 2))


def ab(metric: str, first: Any, second: Any) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        frame = two(rng, n, first, second)
        result = cx.ab_test(frame, outcome="y", group="g", control="a", metric=metric)
        return result, *columns(result.table)

    return limits


def lift(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    frame = two(rng, n, flags(0.3), flags(0.45))
    result = cx.ab_test(frame, outcome="y", group="g", control="a")
    return result, *columns(result.table, stem="lift")


def cuped(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    before = rng.normal(50, 10, 2 * n)
    group = np.repeat(["a", "b"], n)
    y = before + 3 * (group == "b") + rng.normal(0, 5, 2 * n)
    frame = pd.DataFrame({"y": y, "before": before, "g": group})
    result = experiments.cuped(frame, outcome="y", group="g", control="a", covariates="before")
    return result, *columns(result.table)


TOP, FLAT = SHAPES["top-heavy 5-point"], SHAPES["even 5-point"]
NPS_OF_VISITS = 100 * (share_above(8.5) - (1 - share_above(6.5)))

INTERVALS = [
    *(
        Interval(f"NPS, shares {p}", single(cx.nps, scores(p)), 100 * (p[2] - p[0]))
        for p in (EVEN, GOOD, EXTREME)
    ),
    Interval("NPS, difference of groups", difference(cx.nps, scores(EVEN), scores(GOOD)), 30.0),
    *(
        Interval(f"share {p}, Wilson", single(cx.rate, flags(p), name="kept"), p)
        for p in (0.3, 0.7, 0.9)
    ),
    Interval(
        "share, difference of groups",
        difference(cx.rate, flags(0.6), flags(0.8), name="kept"),
        0.2,
    ),
    *(
        Interval(f"mean, t, {shape}", single(metrics.mean, points(p)), mean_of(p))
        for shape, p in SHAPES.items()
    ),
    *(
        Interval(
            f"mean, BCa, {shape}",
            single(metrics.mean, points(p), interval="bca", n_resamples=FAST),
            mean_of(p),
        )
        for shape, p in SHAPES.items()
    ),
    Interval(
        "mean, difference of groups, top-heavy and even",
        difference(metrics.mean, points(TOP), points(FLAT)),
        mean_of(FLAT) - mean_of(TOP),
    ),
    Interval(
        "CES, even 7-point",
        single(cx.ces, points((0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05)), direction="ease"),
        4.0,
    ),
    Interval(
        "NPS, five answers of each customer, cluster=",
        single(cx.nps, visits, column="y", cluster="customer"),
        NPS_OF_VISITS,
        FROM_20,
    ),
    Interval(
        "share, five answers of each customer, cluster=",
        single(
            cx.rate, lambda rng, n: visits(rng, n).assign(y=lambda t: (t["y"] > 8) * 1.0),
            column="y", cluster="customer", name="promoters",
        ),
        share_above(8.5),
        FROM_20,
    ),
    Interval("A/B test of shares, difference", ab("proportion", flags(0.3), flags(0.45)), 0.15),
    Interval("A/B test of shares, lift", lift, 0.5),
    Interval(
        "A/B test of means",
        ab("mean", points(TOP), points(FLAT)),
        mean_of(FLAT) - mean_of(TOP),
    ),
    Interval("A/B test, CUPED", cuped, 3.0),
]  # fmt: skip
