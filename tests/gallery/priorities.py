"""Drivers, importance-performance maps, Kano, pain points, penalty-reward."""

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.datasets.simulate_kano import simulate_kano
from tests.gallery import Case

ITEMS = ("speed", "staff", "price", "app")
FEATURES = ("Hotline", "Refund", "App")
CAUSES = ("delay", "silos", "match", "generic")


def _answers(faulty=False):
    """Respondents from 1 to 10; the faulty ones are few, have gaps, and two items repeat."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(200, 4)) + rng.normal(size=(200, 1))
    x[:, 3] = rng.normal(size=200)
    y = 0.6 * x[:, 0] + 0.3 * x[:, 1] + rng.normal(size=200)
    frame = pd.DataFrame(np.column_stack([x, y]), columns=[*ITEMS, "overall"])
    frame = (5.5 + 1.5 * frame).round().clip(1, 10)
    frame["branch"] = rng.choice(["North", "South"], 200)
    if faulty:
        frame = frame.head(60)
        frame.loc[::9, "speed"] = np.nan
        frame.loc[::13, "branch"] = None
        frame["again"] = frame["staff"]
        frame["near"] = frame["price"] + 0.001 * rng.normal(size=60)
        frame["rare"] = np.where(np.arange(60) == 4, 5.0, 4.0)
    return frame


def _tenants(faulty=False):
    """Answers in an order, of tenants; few of the faulty ones are content, and slopes differ."""
    rng = np.random.default_rng(11)
    n = 90 if faulty else 400
    wait, kind = rng.normal(10, 3, n), rng.choice(["flat", "house"], n)
    content = 1 - 0.2 * (wait - 10) + 0.8 * (kind == "house") + rng.logistic(size=n)
    cuts = [0, 4.4] if faulty else [0, 1.5]
    mood = np.digitize(content, cuts)
    frame = pd.DataFrame({"wait": wait.round(1), "kind": kind, "mood": mood + 1.0})
    if faulty:
        frame.loc[mood == 2, "wait"] += rng.normal(6, 1, (mood == 2).sum())
        frame.loc[::9, "kind"] = None
    return frame


def _records(faulty=False):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"cause": rng.choice(CAUSES, 250, p=[0.5, 0.3, 0.15, 0.05])})
    frame["cost"], frame["days"] = rng.gamma(2, 10, 250), rng.gamma(3, 1, 250)
    if faulty:
        frame = frame.head(40)
        frame.loc[::7, "cause"] = None
        frame.loc[::11, "cost"] = np.nan
        frame.loc[5, "cause"] = "rare"
    return frame


def _drivers(method="shapley", faulty=False, **options):
    names = [*ITEMS, "again", "near", "rare"] if faulty else list(ITEMS)
    return cx.drivers(_answers(faulty), "overall", names, method, **{"n_resamples": 50} | options)


def _churn(faulty=False):
    """Respondents who left or stayed; of the faulty ones a column tells them apart."""
    frame = _answers(faulty)
    left = frame["overall"] < (5 if faulty else 4.5)
    frame["left"] = left.map({True: "left", False: "stayed"})
    frame["segment"] = np.where(np.arange(len(frame)) % 3, "old", "new")
    frame["told"] = np.where(left, 1.0, np.arange(len(frame)) % 2)
    names = ["staff", "segment", *(["told"] if faulty else ["speed"])]
    return cx.drivers(frame, "left", names, "logistic", n_resamples=50 if faulty else 1_000)


def _branches(method="shapley"):
    frame = _answers()
    frame["city"] = [f"city {i % 14}" for i in range(200)]
    frame["w"] = 1 + np.arange(200) % 3
    frame["day"] = np.arange(200) // 8
    design = cx.Design(weights="w", cluster="day")
    return cx.drivers(frame, "overall", ["speed", "city", {"both": ["staff", "price"]}], method,
                      design=design, n_resamples=100)  # fmt: skip


def _pain_points(faulty=False):
    return cx.pain_points(
        _records(faulty), "cause", impact="cost", effort="days", n_resamples=100
    )  # fmt: skip


def _kano(faulty=False):
    if not faulty:
        return cx.kano(simulate_kano(200, seed=3), FEATURES, n_resamples=1_000)
    frame = simulate_kano(60, seed=3, segments={"new": {}, "old": {"App": (0.9, 0.1, 0, 0, 0, 0)}})
    frame.loc[::5, "App_functional"] = np.nan
    frame.loc[:3, "segment"] = None
    frame.loc[10:20, ["Refund_functional", "Refund_dysfunctional"]] = 1
    frame["stated"] = np.arange(60) % 9 + 1.0
    return cx.kano(
        frame, FEATURES, by="segment", method="bootstrap", n_resamples=100,
        importance=dict.fromkeys(FEATURES, "stated"),
    )  # fmt: skip


def _stated():
    frame = _answers(faulty=True)
    stated = {name: f"{name} importance" for name in ITEMS}
    rng = np.random.default_rng(1)
    frame = frame.assign(**{column: rng.integers(1, 6, 60) for column in stated.values()})
    return cx.importance_performance(
        frame, ITEMS, importance="stated", stated=stated, scale=(1, 10), crosshairs=(50, 3),
        n_resamples=100,
    )  # fmt: skip


CASES = {
    "Drivers/clean": Case(lambda: _drivers(n_resamples=1_000), labels=(*ITEMS, "overall")),
    "Drivers/faulty": Case(
        lambda: _drivers(faulty=True),
        labels=(*ITEMS, "overall", "again", "near", "rare"),
    ),
    "Drivers/groups": Case(
        lambda: cx.drivers(_answers(True), "overall", ["staff", "price"], by="branch",
                           n_resamples=50),
        labels=("staff", "price", "overall", "branch", "North", "South"),
    ),
    "Drivers/moments": Case(
        lambda: cx.drivers(cx.moments(_answers()[[*ITEMS, "overall"]]), "overall", ITEMS,
                           "regression"),
        labels=(*ITEMS, "overall"),
    ),
    "Drivers/logistic": Case(_churn, labels=("staff", "speed", "segment", "old", "new", "left",
                                             "stayed")),
    "Drivers/separated": Case(
        lambda: _churn(faulty=True),
        labels=("staff", "told", "segment", "old", "new", "left", "stayed"),
    ),
    "Drivers/design": Case(
        _branches,
        labels=("speed", "city", "both", "staff", "price", "overall", "day", "w",
                *(f"city {i}" for i in range(14))),
    ),
    "OrderedLogit/clean": Case(
        lambda: cx.ordered_logit(
            _tenants(), "mood", ["wait", "kind"], bands={"low": [1], "other": [2, 3]}
        ),
        labels=("wait", "kind", "flat", "house", "mood", "low", "other"),
    ),
    "OrderedLogit/faulty": Case(
        lambda: cx.ordered_logit(_tenants(True), "mood", ["wait", "kind"]),
        labels=("wait", "kind", "flat", "house", "mood"),
    ),
    "ImportancePerformance/clean": Case(
        lambda: cx.importance_performance(_answers(), ITEMS, outcome="overall", scale=(1, 10),
                                          n_resamples=1_000),
        labels=(*ITEMS, "overall"),
    ),
    "ImportancePerformance/faulty": Case(
        lambda: cx.importance_performance(
            _answers(True).assign(app=lambda t: 11 - t["speed"]), [*ITEMS, "rare"],
            outcome="overall", importance="correlation", scale=(1, 10), crosshairs="scale",
            n_resamples=100,
        ),
        labels=(*ITEMS, "overall", "rare"),
    ),
    "ImportancePerformance/stated": Case(_stated, labels=ITEMS),
    "Kano/clean": Case(_kano, labels=FEATURES),
    "Kano/faulty": Case(lambda: _kano(faulty=True), labels=(*FEATURES, "segment", "new", "old")),
    "Kano/counts": Case(
        lambda: cx.kano_from_counts({"Loan": [9, 11, 9, 5, 0, 6], "Gift": [0, 0, 0, 0, 9, 3]}),
        labels=("Loan", "Gift"),
    ),
    "PainPoints/clean": Case(_pain_points, labels=CAUSES),
    "PainPoints/faulty": Case(lambda: _pain_points(faulty=True), labels=(*CAUSES, "rare")),
    "PainPoints/shares": Case(
        lambda: cx.pain_points({"delay": 33, "silos": 33, "match": 33}, kind="shares",
                               rounding=0.5),
        labels=CAUSES,
    ),
    "PainPoints/bundle": Case(
        lambda: cx.pain_points({"delay": 20, "silos": 3}, kind="shares", other="others", n=40,
                               n_resamples=100),
        labels=(*CAUSES, "others"),
    ),
    "Priority/clean": Case(lambda: _pain_points().priority(), labels=CAUSES),
    "Priority/faulty": Case(
        lambda: _pain_points(faulty=True).priority(crosshairs=(2.0, 300.0)),
        labels=(*CAUSES, "rare"),
    ),
    "Priority/given": Case(
        lambda: cx.pain_points({"delay": 50, "silos": 30, "x": 20}, kind="shares", other="x")
        .priority(effort={"delay": 4, "silos": 1}, impact={"delay": 3, "silos": 5}, scale=(1, 5)),
        labels=(*CAUSES, "x"),
    ),
    "PenaltyReward/clean": Case(
        lambda: cx.penalty_reward(_answers(), "overall", ITEMS, low=4, high=7, n_resamples=300),
        labels=(*ITEMS, "overall"),
    ),
    "PenaltyReward/faulty": Case(
        lambda: cx.penalty_reward(
            _answers(True).assign(overall=lambda t: 11 - t["overall"]), "overall", ITEMS[:2],
            low="tercile", high="tercile", n_resamples=100,
        ),
        labels=(*ITEMS, "overall"),
    ),
}  # fmt: skip
