"""Do robust intervals keep their level where those of normal theory do not? Is FIML unbiased?"""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

import cxstats as cx

MODEL = "f =~ a1 + a2 + a3\ng =~ b1 + b2 + b3\nh =~ c1 + c2 + c3\ng ~ f\nh ~ f + g"
NAMES = [f"{letter}{i}" for letter in "abc" for i in (1, 2, 3)]
LOADING = np.tile([0.8, 0.7, 0.6], 3)
CORR = np.array([[1, 0.5, 0.4], [0.5, 1, 0.6], [0.4, 0.6, 1]])
# Answers on five points of satisfied customers: 60 % give the highest.
CUTS = np.array([-2.0, -1.5, -1.0, -0.25])
SAMPLES, N = 2_000, 500


def continuous():
    place = np.repeat(np.arange(3), 3)
    cov = np.outer(LOADING, LOADING) * CORR[np.ix_(place, place)]
    np.fill_diagonal(cov, 1)
    return cov


def five_point_covariance(rho):
    """Return the covariance of two answers whose sources correlate by rho, from Phi_2."""
    pair = multivariate_normal([0, 0], [[1, rho], [rho, 1]])
    # E[XY] - E[X] E[Y] is the sum over cuts of P(both above) - P(above) P(above).
    above = norm.sf(CUTS)
    both = [[pair.cdf([-s, -t]) for t in CUTS] for s in CUTS]
    return float((np.array(both) - np.outer(above, above)).sum())


def five_point_population():
    cov, out = continuous(), np.empty((9, 9))
    known = {}
    for i, j in product(range(9), repeat=2):
        rho = round(cov[i, j], 12)
        if i == j:
            shares = -np.diff(np.concatenate([[1], norm.sf(CUTS), [0]]))
            score = np.arange(1, 6)
            out[i, i] = shares @ score**2 - (shares @ score) ** 2
        else:
            out[i, j] = known.setdefault(rho, five_point_covariance(rho))
    return out


@pytest.mark.slow
def test_robust_intervals_keep_their_level_in_skewed_answers():
    """Against the values that the model takes in the population of answers."""
    population = cx.Moments.from_covariance(NAMES, five_point_population(), 10**7)
    truth = cx.sem(MODEL, population).table
    free = truth["se"].notna().to_numpy()
    generator = np.random.default_rng(20261121)
    root = np.linalg.cholesky(continuous())
    hits = {"ml": np.zeros(free.sum()), "mlr": np.zeros(free.sum())}
    rejected = dict.fromkeys(hits, 0)
    for _ in range(SAMPLES):
        answers = 1 + (generator.normal(size=(N, 9)) @ root.T)[..., None].__gt__(CUTS).sum(-1)
        frame = pd.DataFrame(answers, columns=NAMES)
        for estimator in hits:
            fit = cx.sem(MODEL, frame, estimator=estimator)
            rows = fit.table[free]
            known = truth.loc[free, "estimate"]
            hits[estimator] += ((rows["ci_low"] <= known) & (known <= rows["ci_high"])).to_numpy()
            key = "p_value" if estimator == "ml" else "p_value_scaled"
            rejected[estimator] += fit.fit_indices[key] < 0.05
    shown = truth.loc[free, ["lhs", "op", "rhs"]].assign(
        **{key: 100 * value / SAMPLES for key, value in hits.items()}
    )
    print(shown.to_string(), {k: v / SAMPLES for k, v in rejected.items()})
    covered = {key: value / SAMPLES for key, value in hits.items()}
    assert ((covered["mlr"] > 0.93) & (covered["mlr"] < 0.97)).all()
    assert (covered["ml"] < 0.93).any()


@pytest.mark.slow
def test_full_information_is_unbiased_where_listwise_is_not():
    """The answers to c1-c3 are missing more often, the lower the answer to a1."""
    generator = np.random.default_rng(7)
    root = np.linalg.cholesky(continuous())
    text = MODEL + "\nc1 ~ mean*1"
    found = {"listwise": [], "fiml": []}
    for _ in range(300):
        x = generator.normal(size=(N, 9)) @ root.T
        gone = generator.random(N) < norm.cdf(-1.5 * x[:, 0])
        x[gone, 6:] = np.nan
        frame = pd.DataFrame(x, columns=NAMES)
        for missing, rows in found.items():
            table = cx.sem(text, frame, missing=missing).table
            rows.append(table.loc[table["label"] == "mean", "estimate"].iloc[0])
    bias = {key: np.mean(rows) for key, rows in found.items()}
    error = {key: np.std(rows) / np.sqrt(len(rows)) for key, rows in found.items()}
    print(bias, error)
    assert abs(bias["fiml"]) < 4 * error["fiml"]
    assert abs(bias["listwise"]) > 10 * error["listwise"]
