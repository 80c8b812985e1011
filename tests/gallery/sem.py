"""Structural equation models: bootstrap, comparison, invariance; models of ordered answers."""

import warnings
from functools import cache

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

MODEL = "Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + l2 + l3\nLoyalty ~ b*Quality\ntwice := 2*b"
NAMES = ("Quality", "Loyalty", "twice", "q1", "q2", "q3", "l1", "l2", "l3", "North", "South")
ITEMS = ["q1", "q2", "q3", "l1", "l2", "l3"]
UNIDENTIFIED = "Quality =~ q1 + q2"


@cache
def _answers(points=None):
    """Return 200 answers to two constructs of three items each, in categories if asked for."""
    rng = np.random.default_rng(11)
    quality = rng.normal(size=(200, 1))
    loyalty = 0.6 * quality + rng.normal(size=(200, 1))
    latent = np.hstack([quality, quality, quality, loyalty, loyalty, loyalty])
    answers = latent + 0.8 * rng.normal(size=latent.shape)
    if points is not None:
        answers = np.digitize(answers, np.linspace(-2, 2, points - 1)) + 1.0
    frame = pd.DataFrame(answers, columns=ITEMS)
    return frame.assign(
        region=rng.choice(["North", "South"], 200),
        branch=np.arange(200) % 25,
        weight=rng.choice([0.5, 1.0, 2.0], 200),
    )


@cache
def _incomplete():
    frame = _answers().copy()
    frame.loc[::6, "q1"] = np.nan
    frame.loc[3::9, ["l1", "l2"]] = np.nan
    frame.attrs["synthetic"] = True
    return frame


@cache
def _few():
    """Return answers of which one category is rare and two items repeat each other."""
    frame = _answers(4).head(40).copy()
    frame["l3"] = frame["l2"]
    frame.loc[0, "q1"] = 9.0
    return frame


def _quiet(build):
    """Return what is built, without the warnings that its summary repeats."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.ModelWarning)
        return build()


@cache
def _fit(model=MODEL, incomplete=False, **options):
    return _quiet(lambda: cx.sem(model, _incomplete() if incomplete else _answers(), **options))


@cache
def _ordinal(model=MODEL, **options):
    return _quiet(lambda: cx.sem(model, _answers(4), ordered=True, **options))


@cache
def _near_singular(last="Loyalty ~ Quality + Trust"):
    """Return a model whose two predictors are one: its optimum is no solution."""
    r = np.full((8, 8), 0.5) + 0.5 * np.eye(8)
    r[0, 4] = r[4, 0] = 0.49
    names = ["q1", "q2", "q3", "t1", "t2", "t3", "l1", "l2"]
    model = "Quality =~ q1 + q2 + q3\nTrust =~ t1 + t2 + t3\nLoyalty =~ l1 + l2\n" + last
    return _quiet(lambda: cx.sem(model, cx.Moments.from_correlation(names, r, n=400)))


def _sparse():
    items = {"Quality": ["q1", "q2", "q3"]}
    return _quiet(lambda: cx.ordinal_reliability(items, _few()))


def _small_groups():
    frame = _answers().groupby("region", as_index=False).head(25)
    model = "Quality =~ q1 + q2 + q3 + l1"
    return _quiet(lambda: cx.invariance(model, frame, group="region", rule="meade2008"))


CASES = {
    "SemFit/complete": Case(_fit, labels=NAMES),
    "SemFit/groups, robust": Case(lambda: _fit(group="region", estimator="mlr"), labels=NAMES),
    "SemFit/missing answers, simulated": Case(
        lambda: _fit(incomplete=True, missing="fiml"), labels=NAMES
    ),
    "SemFit/sampled by weights and clusters": Case(
        lambda: _fit(cluster="branch", weights="weight"), labels=(*NAMES, "weight")
    ),
    "SemFit/not identified": Case(lambda: _fit(UNIDENTIFIED), labels=NAMES),
    "SemFit/unsound optimum": Case(_near_singular, labels=NAMES),
    "SemFit/saturated, no paths": Case(lambda: _fit("Quality =~ q1 + q2 + q3"), labels=NAMES),
    "SemBootstrap/complete": Case(
        lambda: _fit().bootstrap(60, seed=3, bollen_stine=True), labels=NAMES
    ),
    "SemBootstrap/missing answers": Case(
        lambda: _fit(incomplete=True, missing="fiml").bootstrap(40, seed=3), labels=NAMES
    ),
    "SemBootstrap/few": Case(
        lambda: _quiet(lambda: cx.sem(MODEL, _answers().head(14)).bootstrap(40, seed=3)),
        labels=NAMES,
    ),
    "ModelComparison/nested": Case(
        lambda: _fit().compare(_fit(MODEL.replace("b*", "0*").rsplit("\n", 1)[0])), labels=NAMES
    ),
    "ModelComparison/unsound optimum": Case(
        lambda: _near_singular().compare(_near_singular("Loyalty ~ Quality")), labels=NAMES
    ),
    "ModelComparison/simulated, robust": Case(
        lambda: _fit(incomplete=True, estimator="mlr").compare(
            _fit("Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + 1*l2 + 1*l3\nLoyalty ~ Quality",
                 incomplete=True, estimator="mlr")
        ),
        labels=NAMES,
    ),
    "Invariance/two groups": Case(
        lambda: cx.invariance(MODEL.splitlines()[0] + " + l1", _answers(), group="region"),
        labels=NAMES,
    ),
    "Invariance/small groups": Case(_small_groups, labels=NAMES),
    "SecondOpinion/agrees": Case(lambda: cx.second_opinion(_fit()), labels=NAMES),
    "SecondOpinion/no solution": Case(
        lambda: cx.second_opinion(_fit(UNIDENTIFIED)), labels=NAMES
    ),
    "OrdinalFit/complete": Case(_ordinal, labels=NAMES),
    "OrdinalFit/groups": Case(
        lambda: _quiet(
            lambda: cx.sem(MODEL, _answers(4), ordered=True, group="region",
                           equal=["thresholds", "loadings"])
        ),
        labels=NAMES,
    ),
    "Invariance/ordered answers": Case(
        lambda: _quiet(
            lambda: cx.invariance(MODEL, _answers(4), group="region", ordered=True)
        ),
        labels=NAMES,
    ),
    "OrdinalFit/not identified": Case(lambda: _ordinal(UNIDENTIFIED), labels=NAMES),
    "Polychoric/complete": Case(
        lambda: cx.polychoric(_answers(4)[ITEMS]), labels=NAMES
    ),
    "Polychoric/sparse, repeated": Case(
        lambda: cx.polychoric(_few()[ITEMS]), labels=NAMES
    ),
    "OrdinalReliability/complete": Case(
        lambda: cx.ordinal_reliability(_ordinal()), labels=NAMES
    ),
    "OrdinalReliability/sparse": Case(_sparse, labels=NAMES),
}  # fmt: skip
