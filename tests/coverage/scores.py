"""SERVQUAL, reliability, satisfaction indices, weights."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats import satisfaction
from tests.coverage import FAST, FROM_20, SIZES, SLOW, Interval, columns, values
from tests.coverage.metrics import SHAPES, mean_of

DIMENSIONS = ["Tangibles", "Reliability", "Responsiveness", "Assurance", "Empathy"]
BRANCHES = {"North": 0.0, "South": 0.4}
ITEMS = ["speed", "staff", "price"]
INDEX = "top-heavy 10-point"


def population(**options: Any) -> dict[str, dict[str, float]]:
    truth: dict[str, dict[str, float]] = cx.simulate_servqual(2, 1, **options)[0].attrs[
        "population"
    ]
    return truth


def seed_of(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def servqual(rows: Any, stem: str = "ci", table: str = "table", **options: Any) -> Any:
    """Return the limits of rows of a table of SERVQUAL gaps."""

    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        frame, codebook = cx.simulate_servqual(n, seed_of(rng), minimum=table == "zone")
        result = cx.servqual(frame, codebook, n_resamples=FAST, **options)
        return result, *columns(getattr(result, table), rows, stem)

    return limits


@cache
def zone_truth() -> tuple[Any, Any]:
    """Return the adequacy and the position in the zone of each dimension."""
    truth = population(minimum=True)
    low, high, p = (
        values(truth[role], DIMENSIONS) for role in ("minimum", "expectation", "perception")
    )
    return p - low, (p - low) / (high - low)


def groups(sizes: Any, table: str) -> Any:
    """Return the limits of branches, or of their difference, on every dimension."""

    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        wanted = sizes(n)
        frame, codebook = cx.simulate_servqual(
            8 * max(wanted.values()), seed_of(rng), branches=BRANCHES
        )
        frame = pd.concat([frame[frame["branch"] == b].head(m) for b, m in wanted.items()])
        result = cx.servqual(frame, codebook, by="branch", n_resamples=FAST)
        chosen = getattr(result, table)
        chosen = chosen[chosen["score"] != "Overall"].sort_values("score")
        chosen = chosen[chosen["group"] == "North"]
        return result, *columns(chosen)

    return limits


def group_truth(name: str) -> Any:
    truth = population(branches=BRANCHES)
    north = values(truth["gap_North"], sorted(DIMENSIONS))
    return north if name == "groups" else north - values(truth["gap_South"], sorted(DIMENSIONS))


def reliability(stem: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        frame, codebook = cx.simulate_servqual(n, seed_of(rng))
        result = cx.reliability(frame, codebook, n_resamples=FAST // 2)
        if stem == "htmt":
            return result, *columns(result.htmt)
        low, high = (f"{stem}_low", f"{stem}_high")
        if low not in result.table:
            nothing = np.full(len(DIMENSIONS), np.nan)
            return result, nothing, nothing
        return result, *(result.table.loc[DIMENSIONS, end].to_numpy(float) for end in (low, high))

    return limits


@cache
def htmt_truth() -> Any:
    frame, codebook = cx.simulate_servqual(60, 1)
    table = cx.reliability(frame, codebook, n_resamples=100).htmt
    return values(population()["htmt"], table["first"] + " ~ " + table["second"])


@cache
def model_truth(coefficient: str) -> Any:
    """Return omega, CR or AVE of the population: of the rounded answers' own correlations."""
    truth = values(population()["alpha"], [f"{name} (P)" for name in DIMENSIONS])
    sizes = np.array([4, 5, 4, 4, 5])
    r = truth / (sizes - (sizes - 1) * truth)  # loadings are equal, so alpha is omega is CR
    return r if coefficient == "ave" else truth


def survey(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return three top-heavy items that go together, with the shares of INDEX each."""
    from scipy.stats import norm

    z = np.sqrt(0.5) * rng.normal(size=(n, 1)) + np.sqrt(0.5) * rng.normal(size=(n, 3))
    cuts = np.cumsum(SHAPES[INDEX])[:-1]
    return pd.DataFrame(1.0 + np.searchsorted(cuts, norm.cdf(z)), columns=ITEMS)


def index(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    result = cx.satisfaction_index(survey(rng, n), ITEMS, n_resamples=FAST)
    return result, *columns(result.table, ["Overall"])


def score(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    weights = dict(zip(ITEMS, (0.5, 0.3, 0.2), strict=True))
    result = cx.weighted_score(survey(rng, n), weights, n_resamples=FAST)
    return result, *columns(result.table, ["Overall"])


def customers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    x = 70 + 8 * rng.normal(size=(n, 1)) + 8 * rng.normal(size=(n, 3))
    y = x @ (0.5, 0.3, 0.2) + 5 * rng.normal(size=n)
    return pd.DataFrame(np.column_stack([y, x]), columns=list("SQIP"))


def service_weights(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    result = satisfaction.estimate_service_weights(customers(rng, n), *"SQIP", n_resamples=FAST)
    table = result.table[(result.table["method"] == "ols") & (result.table["weight"] != "constant")]
    return result, *columns(table)


def stated(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    frame = pd.DataFrame(100 * rng.dirichlet([8, 5, 3], n), columns=ITEMS)
    result = cx.weights(frame, "points", columns=ITEMS, n_resamples=FAST)
    return result, *columns(result.table, ITEMS)


GAPS = values(population()["gap"], DIMENSIONS)
INTERVALS = [
    Interval("SERVQUAL, gap of a dimension", servqual(DIMENSIONS), GAPS, SIZES, SLOW),
    Interval(
        "SERVQUAL, overall gap by points",
        servqual(["Overall"], weights="points"),
        population()["gap"]["Overall (points)"],
    ),
    Interval(
        "SERVQUAL, effect size of a gap",
        servqual(DIMENSIONS, "effect_ci"),
        values(population()["effect_size"], DIMENSIONS),
    ),
    Interval(
        "SERVQUAL, adequacy in the zone of tolerance",
        servqual(DIMENSIONS, "adequacy_ci", "zone"),
        zone_truth()[0],
        samples=SLOW,
    ),
    Interval(
        "SERVQUAL, position in the zone of tolerance",
        servqual(DIMENSIONS, "position_ci", "zone"),
        zone_truth()[1],
        samples=SLOW,
    ),
    Interval(
        "SERVQUAL, gap of a branch",
        groups(lambda n: {"North": n, "South": n}, "groups"),
        group_truth("groups"),
        samples=SLOW,
    ),
    Interval(
        "SERVQUAL, difference of branches, n and n",
        groups(lambda n: {"North": n, "South": n}, "comparisons"),
        group_truth("pairs"),
        samples=SLOW,
    ),
    Interval(
        "SERVQUAL, difference of branches, n and 9 n",
        groups(lambda n: {"North": n, "South": 9 * n}, "comparisons"),
        group_truth("pairs"),
        (5, 10, 20, 50),
        SLOW,
    ),
    Interval("alpha, Feldt", reliability("alpha_ci"), model_truth("alpha"), FROM_20, SLOW),
    Interval("alpha, bootstrap", reliability("alpha_boot"), model_truth("alpha"), FROM_20, SLOW),
    Interval("omega", reliability("omega_ci"), model_truth("omega"), FROM_20, SLOW),
    Interval("composite reliability", reliability("cr_ci"), model_truth("cr"), FROM_20, SLOW),
    Interval("AVE", reliability("ave_ci"), model_truth("ave"), FROM_20, SLOW),
    Interval("HTMT", reliability("htmt"), htmt_truth(), FROM_20, SLOW),
    Interval("satisfaction index", index, 100 * (mean_of(SHAPES[INDEX]) - 1) / 9),
    Interval("weighted score", score, mean_of(SHAPES[INDEX])),
    Interval("service weights of customers", service_weights, (0.5, 0.3, 0.2)),
    Interval("stated weights", stated, np.array([8, 5, 3]) / 16),
]
