"""Intervals of weights hold the truth as often as they say."""

import numpy as np
import pandas as pd
import pytest

from cxstats.weighting import ahp, weights
from tests.weighting.examples import drivers

RUNS = 500
# Three standard errors of a share of .95 in 500 runs, and what a small-sample bootstrap misses.
LOWEST, HIGHEST = 0.91, 0.985
ALPHA = np.array([8.0, 5, 3, 2])
TRUE = np.array([0.4, 0.3, 0.2, 0.1])
NAMES = list("abcd")


def coverage(truth, draw):
    held = np.zeros(len(truth))
    for run in range(RUNS):
        table = draw(run).table
        held += (table["ci_low"].to_numpy() <= truth) & (truth <= table["ci_high"].to_numpy())
    return held / RUNS


def points(run):
    shares = np.random.default_rng(run).dirichlet(ALPHA, 60)
    frame = pd.DataFrame(100 * shares, columns=NAMES)
    return weights(frame, "points", columns=NAMES, n_resamples=1000)


def regression(run):
    frame = drivers(150, seed=run)
    return weights(frame, "regression", outcome="overall", negative="zero", n_resamples=500)


def judges(count):
    def draw(run):
        generator = np.random.default_rng([run, count])
        noise = np.triu(generator.normal(0, 0.35, (count, 4, 4)), 1)
        logs = np.log(np.divide.outer(TRUE, TRUE)) + noise - noise.swapaxes(1, 2)
        found = np.exp(np.clip(logs, -np.log(9), np.log(9)))
        return ahp(list(found), NAMES, n_resamples=500)

    return draw


CASES = [
    ("points", ALPHA / ALPHA.sum(), points),
    ("regression", np.array([0.5, 0.3, 0.2]), regression),
    ("five judges", TRUE, judges(5)),
    ("twenty judges", TRUE, judges(20)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "truth", "draw"), CASES, ids=[case[0] for case in CASES])
def test_coverage(name, truth, draw):
    found = coverage(truth, draw)
    print(name, found.round(3))
    assert found.min() >= LOWEST
    assert found.max() <= HIGHEST
