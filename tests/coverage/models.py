"""Structural equation models, PLS, drivers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

import cxstats as cx
from tests.coverage import FAST, FROM_20, FROM_50, SLOW, Interval, columns

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ p*A\nC ~ q*B + r*A\nab := p*q"
LOADING = (0.85, 0.8, 0.75)
NAMES = [f"{construct}{i}" for construct in "abc" for i in (1, 2, 3)]
FREE = [f"{construct}{i}" for construct in "abc" for i in (2, 3)]
SLOPES, CUTS = np.array([0.8, -0.5]), np.array([-1.0, 0.4])  # of three ordered answers
DRIVERS = ["d1", "d2", "d3", "d4"]
BETA, BETWEEN = np.array([0.5, 0.3, 0.2, 0.0]), 0.4


def latents(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return three latents of variance 1: B on A (.5), C on B (.4) and A (.3)."""
    a = rng.normal(size=n)
    b = 0.5 * a + np.sqrt(0.75) * rng.normal(size=n)
    c = 0.4 * b + 0.3 * a + np.sqrt(1 - 0.16 - 0.09 - 0.12) * rng.normal(size=n)
    return np.column_stack([a, b, c])


def items(rng: np.random.Generator, n: int) -> pd.DataFrame:
    eta, load = np.repeat(latents(rng, n), 3, axis=1), np.tile(LOADING, 3)
    x = load * eta + np.sqrt(1 - load**2) * rng.normal(size=(n, 9))
    return pd.DataFrame(x, columns=NAMES)


@cache
def moments() -> cx.Moments:
    """Return the covariances of the population."""
    phi = np.array([[1, 0.5, 0.5], [0.5, 1, 0.55], [0.5, 0.55, 1]])
    wide = np.kron(phi, np.outer(LOADING, LOADING))
    np.fill_diagonal(wide, 1)
    return cx.Moments.from_covariance(NAMES, wide, 100_000)


def rows_of(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the rows of a kind: free loadings, paths, the product of paths."""
    if kind == "loadings":
        return table[(table["op"] == "=~") & table["rhs"].isin(FREE)]
    if kind == "paths":
        return table[table["op"] == "~"]
    if kind == "indirect":
        return table[table["op"] == ":="]
    return table[(table["op"] == "~~") & (table["lhs"] == table["rhs"])]


def sem(kind: str, stem: str = "ci", draw: Any = items, **options: Any) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        fit = cx.sem(MODEL, draw(rng, n), **options)
        return fit, *columns(rows_of(fit.table, kind), stem=stem)

    return limits


def sem_bootstrap(kind: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        fit = cx.sem(MODEL, items(rng, n))
        bootstrap = fit.bootstrap(FAST // 2, seed=1)
        return bootstrap, *columns(rows_of(bootstrap.table, kind))

    return limits


@cache
def sem_truth(kind: str, column: str = "estimate") -> Any:
    fit = cx.sem(MODEL, moments())
    return rows_of(fit.table, kind)[column].to_numpy(float)


def latent_correlations(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    fit = cx.sem(MODEL, items(rng, n))
    return fit, *columns(fit.latent_correlations)


def transformed(kind: str, stem: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        fit = cx.sem(MODEL, items(rng, n))
        return fit, *columns(rows_of(fit.transformed_intervals, kind), stem=stem)

    return limits


def pls(kind: str) -> Any:
    """Return the limits of a kind of quantity of a PLS model with 500 resamples."""

    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        fit = cx.pls(MODEL, items(rng, n), n_resamples=FAST // 2)
        return fit, *columns(fit.inference.of(kind))

    return limits


def pls_truth(kind: str) -> Any:
    """Return what PLS gives for the population, which is what its intervals are for."""
    sample = np.random.default_rng(1).multivariate_normal(np.zeros(9), moments().cov, 300)
    z = sample - sample.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    exact = pd.DataFrame(z @ np.linalg.cholesky(moments().cov).T, columns=NAMES)
    fit = cx.pls(MODEL, exact, n_resamples=50)
    return fit.inference.of(kind)["estimate"].to_numpy(float)


def answers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return four drivers, correlated .4, of which one has no effect, and their outcome."""
    common = np.sqrt(BETWEEN) * rng.normal(size=(n, 1))
    x = common + np.sqrt(1 - BETWEEN) * rng.normal(size=(n, 4))
    y = x @ BETA + 0.8 * rng.normal(size=n)
    return pd.DataFrame(np.column_stack([x, y]), columns=[*DRIVERS, "y"])


@cache
def driver_moments() -> cx.Moments:
    cov = np.full((4, 4), BETWEEN)
    np.fill_diagonal(cov, 1)
    full = np.block([[cov, (cov @ BETA)[:, None]], [cov @ BETA, BETA @ cov @ BETA + 0.64]])
    return cx.Moments.from_covariance([*DRIVERS, "y"], full, 10_000_000)


def drivers(method: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        result = cx.drivers(answers(rng, n), "y", DRIVERS, method, n_resamples=FAST // 2)
        return result, *columns(result.table, DRIVERS)

    return limits


def driver_truth(method: str) -> Any:
    result = cx.drivers(driver_moments(), "y", DRIVERS, method)
    return result.table.loc[DRIVERS, "estimate"].to_numpy(float)


def ordered_answers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Return answers 1 to 3 of the proportional-odds model, by a number and by yes or no."""
    x, yes = rng.normal(size=n), rng.integers(0, 2, n)
    latent = SLOPES[0] * x + SLOPES[1] * yes + rng.logistic(size=n)
    return pd.DataFrame({"x": x, "yes": yes.astype(bool), "y": 1 + np.digitize(latent, CUTS)})


def ordered_logit(kind: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        fit = cx.ordered_logit(ordered_answers(rng, n), "y", ["x", "yes"])
        if kind == "changes":
            moved = fit.effects.query("term == 'yes' and level == '1' and category != '2'")
            return fit, *columns(moved, stem="difference_ci")
        return fit, *columns(fit.table if kind == "slopes" else fit.cuts)

    return limits


def changes_of_shares() -> tuple[float, float]:
    """Return how the shares of 1 and of 3 differ between yes and no, over normal x."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    below = expit(CUTS - SLOPES[1] * np.array([0, 1])[:, None, None] - SLOPES[0] * nodes[:, None])
    no, yes = np.einsum("q,vqc->vc", weights / weights.sum(), below)
    return yes[0] - no[0], no[1] - yes[1]


INTERVALS = [
    *(
        Interval(f"SEM, ML, {kind}", sem(kind), sem_truth(kind), FROM_20)
        for kind in ("loadings", "paths", "variances", "indirect")
    ),
    Interval("SEM, MLR, paths", sem("paths", estimator="mlr"), sem_truth("paths"), FROM_20),
    Interval("SEM, FIML, paths", sem("paths", missing="fiml"), sem_truth("paths"), FROM_50),
    Interval(
        "SEM, bootstrap of the indirect effect",
        sem_bootstrap("indirect"),
        sem_truth("indirect"),
        FROM_50,
        300,
    ),
    Interval(
        "SEM, correlations of latents",
        latent_correlations,
        cx.sem(MODEL, moments()).latent_correlations["estimate"].to_numpy(float),
        FROM_20,
    ),
    Interval(
        "SEM, transformed, standardised loadings",
        transformed("loadings", "std_ci"),
        sem_truth("loadings", "std"),
        FROM_20,
    ),
    Interval(
        "SEM, transformed, variances",
        transformed("variances", "ci"),
        sem_truth("variances"),
        FROM_20,
    ),
    *(
        Interval(f"PLS, {kind}", pls(kind), pls_truth(kind), FROM_20, SLOW)
        for kind in ("path", "indirect", "loading", "r_squared", "htmt")
    ),
    *(
        Interval(
            f"drivers, {method}", drivers(method), driver_truth(method), FROM_20, SLOW
        )
        for method in ("shapley", "johnson", "regression")
    ),
    *(
        Interval(f"ordered logit, {name}", ordered_logit(kind), truth, FROM_20)
        for kind, name, truth in (
            ("slopes", "slopes", SLOPES),
            ("cuts", "cuts", CUTS),
            ("changes", "change of an outer share", changes_of_shares()),
        )
    ),
]  # fmt: skip
