"""Service blueprints, two of them compared, scores of contact points."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case
from tests.journeys.blueprints import SMALL, large, small


def _redesigned():
    content = small(
        answer={"wait": {"mean": 3, "sd": 2, "n": 30}, "owner": {"en": "team A", "zh": "甲组"}},
        look={"layer": "support"},
    )
    content["elements"] = [e for e in content["elements"] if e["id"] != "letter"]
    content["flows"] = [f for f in content["flows"] if f["to"] != "letter"]
    return cx.blueprint(content)


def _gaps():
    """Shares without n, costs without a currency, flows that leave most out, a planned time."""
    content = small(records={"failure": {"share": 0.02, "cost": 9}}, answer={
        "standard": {"metric": {"en": "solved", "zh": "解决率"}, "limit": 0.9,
                     "direction": "least", "value": 0.8}})  # fmt: skip
    del content["currency"]
    content["flows"] = [{"from": "call", "to": "answer"}, {"from": "letter", "to": "look"}]
    return cx.blueprint(content)


def _feedback(n):
    rng = np.random.default_rng(1)
    means = {"call": 4, "answer": 3.2, "look": 3.4}
    return pd.DataFrame({
        name: np.clip(np.round(rng.normal(mean, 1, n)), 1, 5) for name, mean in means.items()
    })  # fmt: skip


def _faulty_scores():
    frame = _feedback(6).mask(lambda x: x == 4).assign(look=3)
    return cx.blueprint(SMALL).score(frame, (1, 5))


CASES = {
    "Blueprint/synthetic": Case(lambda: cx.blueprint("synthetic_account_opening")),
    "Blueprint/bank": Case(lambda: cx.blueprint("bank_branch")),
    "Blueprint/large": Case(lambda: cx.blueprint(large()), labels=("verify the identity",)),
    "Blueprint/faulty": Case(_gaps),
    "Blueprint/one element": Case(
        lambda: cx.blueprint({"elements": [{"id": "1", "layer": "evidence"}]})
    ),
    "BlueprintComparison/redesigned": Case(lambda: cx.blueprint(SMALL).compare(_redesigned())),
    "BlueprintComparison/the same": Case(lambda: cx.blueprint(SMALL).compare(cx.blueprint(SMALL))),
    "BlueprintComparison/faulty": Case(
        lambda: cx.blueprint("synthetic_account_opening").compare(cx.blueprint("bank_branch"))
    ),
    "ContactScores/feedback": Case(lambda: cx.blueprint(SMALL).score(_feedback(80), (1, 5))),
    "ContactScores/internal": Case(
        lambda: cx.blueprint(SMALL).score(
            _feedback(30), (1, 5), internal={"call": 4, "answer": 2, "look": 3},
            weights={"feedback": 2, "internal": 1},
        )
    ),
    "ContactScores/faulty": Case(_faulty_scores),
}  # fmt: skip
