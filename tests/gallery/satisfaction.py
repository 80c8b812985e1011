"""Weighted scores, indices, the formulas of the case studies, and regressions of two of them."""

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats import satisfaction
from tests.gallery import Case

QUICK = {"n_resamples": 200}
WEIGHTS = {"wait": 0.2, "staff": 0.5, "price": 0.3}
LABELS = (*WEIGHTS, "branch", "North", "South")
INDICATORS = {"number of steps": 80, "page-load speed": 90}


def _answers(faulty=False):
    rng = np.random.default_rng(3)
    scores = 7 + 1.5 * rng.normal(size=(120, 1)) + rng.normal(size=(120, 3))
    frame = pd.DataFrame(np.clip(np.round(scores), 1, 10), columns=list(WEIGHTS))
    frame["branch"] = np.where(np.arange(120) % 3, "North", "South")
    frame.loc[frame["branch"].eq("North"), "staff"] -= 2
    frame.attrs["synthetic"] = True
    if faulty:
        frame.loc[::7, "wait"] = np.nan
        frame.loc[::11, "branch"] = None
        frame.loc[3, list(WEIGHTS)] = np.nan
        frame["price"] = 5
    return frame


def _customers(weights=(0.5, 0.3, 0.2), faulty=False):
    rng = np.random.default_rng(4)
    scores = 70 + 8 * rng.normal(size=(200, 1)) + 8 * rng.normal(size=(200, 3))
    outcome = scores @ np.array(weights) + 5 * rng.normal(size=200)
    frame = pd.DataFrame(np.column_stack([outcome, scores]), columns=list("SQIP"))
    if faulty:
        frame.loc[::9, "Q"] = np.nan
    return frame


def _indicators():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.uniform(0, 100, (60, 3)), columns=[*INDICATORS, "error rate"])
    frame.loc[:19, "error rate"] = np.nan
    return frame


def _indicator_names():
    return tuple(satisfaction.cem_weights()["item_en"])


def _balance(faulty=False):
    """Five constructs of two items; the faulty respondents have gaps, and nothing goes through."""
    rng = np.random.default_rng(5)
    names = ("Price", "Quality", "Joy", "Trust", "Stay")
    price, quality, trust = rng.normal(size=(3, 60 if faulty else 200))
    joy = (0 if faulty else 0.7) * quality + 0.6 * rng.normal(size=len(price))
    stay = 0.6 * joy + 0.3 * trust + 0.5 * rng.normal(size=len(price))
    columns = {}
    for name, factor in zip(names, (price, quality, joy, trust, stay), strict=True):
        for i in (1, 2):
            columns[f"{name}{i}"] = (50 + 9 * factor + 4 * rng.normal(size=len(price))).round()
    frame = pd.DataFrame(columns).clip(1, 100)
    if faulty:
        frame.loc[::9, "Joy1"] = np.nan
    book = {"scale": (1, 100), "constructs": {name: [f"{name}1", f"{name}2"] for name in names}}
    return satisfaction.balance_paths(
        frame, book, expected="Price", perceived="Quality", satisfaction="Joy",
        commitment="Trust", loyalty="Stay", n_resamples=300,
    )  # fmt: skip


CASES = {
    "WeightedScore/groups": Case(
        lambda: cx.weighted_score(_answers(), WEIGHTS, by="branch", **QUICK), labels=LABELS
    ),
    "WeightedScore/small groups": Case(
        lambda: cx.weighted_score(
            _answers().assign(branch=["East", "West", *["North"] * 60, *["South"] * 58]),
            WEIGHTS, by="branch", min_cell=5, **QUICK,
        ),
        labels=(*LABELS, "East", "West"),
    ),
    "WeightedScore/faulty": Case(
        lambda: cx.weighted_score(
            _answers(faulty=True), {name: 10 * w for name, w in WEIGHTS.items()}, by="branch",
            on_missing="rescale", normalise=True, **QUICK,
        ),
        labels=LABELS,
    ),
    "WeightedScore/one unit": Case(
        lambda: cx.weighted_score(
            {"wait": 60, "staff": None}, {"wait": 25, "staff": 75}, on_missing="rescale"
        ),
        labels=LABELS,
    ),
    "WeightedScore/index": Case(
        lambda: cx.satisfaction_index(
            _answers(faulty=True).assign(price=_answers()["price"]), list(WEIGHTS),
            weights="factor", by="branch", **QUICK,
        ),
        labels=LABELS,
    ),
    "WeightedScore/formula": Case(
        lambda: satisfaction.transformation_value(80, 70, 60, 40, [0.4, 0.3, 0.2, 0.1]),
        labels=("experience", "efficiency", "business", "cost"),
    ),
    "Bounds/one unit": Case(
        lambda: satisfaction.cem(INDICATORS, on_missing="bounds"), labels=_indicator_names()
    ),
    "Bounds/faulty": Case(
        lambda: satisfaction.cem(_indicators(), on_missing="bounds", **QUICK),
        labels=_indicator_names(),
    ),
    "Reconstructed/readings": Case(
        lambda: satisfaction.feedback_loop(30, 50, closing_times=[4, 6, 8], target=6)
    ),
    "Reconstructed/faulty": Case(
        lambda: satisfaction.feedback_loop(0, 50, closing_times=[4, 6, 8], target=6)
    ),
    "Reconstructed/lost function": Case(
        lambda: satisfaction.balance(3, 4, 2, 5, loyalty=lambda csat, ce: csat * ce)
    ),
    "ServiceWeights/customers": Case(
        lambda: satisfaction.estimate_service_weights(_customers(), *"SQIP", **QUICK)
    ),
    "ServiceWeights/faulty": Case(
        lambda: satisfaction.estimate_service_weights(
            _customers((0.9, 0.3, -0.2), faulty=True), *"SQIP", **QUICK
        )
    ),
    "BalancePaths/customers": Case(_balance, labels=("Quality", "Price", "Joy", "Trust", "Stay")),
    "BalancePaths/faulty": Case(
        lambda: _balance(faulty=True), labels=("Quality", "Price", "Joy", "Trust", "Stay")
    ),
    "Emotion/customers": Case(lambda: satisfaction.emotion(_customers(), *"SQI", **QUICK)),
    "Emotion/faulty": Case(
        lambda: satisfaction.emotion(_customers(faulty=True)[:12], *"SQI", **QUICK)
    ),
}  # fmt: skip
