"""Weights of every source, judgements of pairs, and what a ranking owes to its weights."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

NAMES = ("speed", "staff", "price")
UNITS = ("North", "South", "West", "East")


def _points(faulty=False):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(100 * rng.dirichlet([8, 5, 3], 30 if faulty else 120), columns=NAMES)
    if faulty:
        frame.loc[::4, "staff"] = np.nan
        frame.attrs["synthetic"] = True
    return frame


def _answers(faulty=False):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(150, 3)) + rng.normal(size=(150, 1))
    y = x @ (0.6, 0.4, -0.5 if faulty else 0.2) + rng.normal(size=150)
    frame = pd.DataFrame(np.column_stack([x, y]), columns=[*NAMES, "overall"])
    if faulty:
        frame.loc[::9, "speed"] = np.nan
    return frame


def _branches(faulty=False):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(rng.uniform(1, 10, (4, 3)), index=UNITS, columns=NAMES)
    if faulty:
        frame.loc["South"] = frame.loc["North"]
        frame.loc["West"] = frame.loc["North"] - 0.5
    return frame


def _weights(data, method, **options):
    return cx.weights(data, method, **{"n_resamples": 100} | options)


def _judges(faulty=False):
    pairs = [("speed", "staff"), ("speed", "price"), ("staff", "price")]
    rng = np.random.default_rng(8)
    n = 2 if faulty else 6
    scale = [1 / 5, 1 / 3, 0.34, 3, 5, 7] if faulty else [2, 3, 4, 5]
    return cx.ahp(
        {f"judge {i}": dict(zip(pairs, rng.choice(scale, 3), strict=True)) for i in range(n)},
        n_resamples=200,
    )


JUDGES = tuple(f"judge {i}" for i in range(6))
CASES = {
    "Weights/points": Case(
        lambda: _weights(_points(), "points", columns=NAMES, n_resamples=1_000), labels=NAMES
    ),
    "Weights/faulty": Case(
        lambda: _weights(_points(True), "points", columns=NAMES, mean="geometric"), labels=NAMES
    ),
    "Weights/regression": Case(
        lambda: _weights(_answers(True), "regression", outcome="overall", negative="zero"),
        labels=(*NAMES, "overall"),
    ),
    "Weights/shares": Case(
        lambda: cx.weights(cx.moments(_answers(True)), "shapley", outcome="overall"),
        labels=(*NAMES, "overall"),
    ),
    "Weights/entropy": Case(
        lambda: cx.weights(_branches(True), "entropy", directions="benefit"), labels=NAMES
    ),
    "Weights/critic": Case(
        lambda: cx.weights(_branches(), "critic",
                           directions={"speed": "benefit", "staff": "benefit", "price": "cost"}),
        labels=NAMES,
    ),
    "Weights/pls": Case(
        lambda: _weights(
            cx.pls("Q =~ speed + staff ; S =~ price + overall ; S ~ Q", _answers()), "pls",
            construct="Q", standardised=False, n_resamples=30,
        ),
        labels=(*NAMES, "overall", "Q", "S"),
    ),
    "Ahp/judges": Case(_judges, labels=(*NAMES, *JUDGES)),
    "Ahp/faulty": Case(lambda: _judges(faulty=True), labels=(*NAMES, *JUDGES)),
    "Ahp/one judge": Case(lambda: cx.ahp([[1, 4], [0.26, 1]], ["speed", "staff"]), labels=NAMES),
    "WeightSensitivity/clean": Case(
        lambda: cx.weight_sensitivity(
            _branches(), _weights(_points(), "points", columns=NAMES), n_draws=500
        ),
        labels=(*NAMES, *UNITS),
    ),
    "WeightSensitivity/faulty": Case(
        lambda: cx.weight_sensitivity(_branches(True), [0.5, 0.3, 0.2], n_draws=500),
        labels=(*NAMES, *UNITS),
    ),
    "WeightSensitivity/two criteria": Case(
        lambda: cx.weight_sensitivity(
            _branches()[["speed", "staff"]].assign(staff=[1.0, 2.0, 3.0, 9.0]), [0.9, 0.1],
            concentration=5, n_draws=500,
        ),
        labels=(*NAMES, *UNITS),
    ),
}  # fmt: skip
