"""Scorecards, maturity, linked channels and ranked proposals."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case


def _tracked():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"score": rng.integers(0, 11, 240), "wave": np.repeat([1, 2, 3, 4], 60)})
    return cx.track(cx.nps(frame, "wave", column="score"))


def _of_results():
    return cx.scorecard({"branches": [{"name": {"en": "service", "zh": "服务"}, "branches": [
        {"name": {"en": "survey", "zh": "调查"}, "indicators": [
            {"name": "NPS", "target": 10, "result": _tracked()},
            {"name": {"en": "solved", "zh": "解决率"}, "target": 0.9, "base": 0.8,
             "events": 40, "trials": 50, "next_review": "2026-01-01"},
        ]}]}]}, adjust="holm")  # fmt: skip


def _as_reported():
    table = pd.DataFrame({"indicator": ["=x", "y"], "actual": [0, 1.0], "target": [0, np.nan]})
    return cx.scorecard(table)


def judged(m=8, k=5, seed=1):
    """Return judgements of m judges on k proposals, the last judge against the others."""
    rng = np.random.default_rng(seed)
    worth = np.linspace(1, -1, k)
    turn = np.where(np.arange(m) == m - 1, -1, 1)[:, None]
    frame = pd.DataFrame({
        "judge": np.repeat([f"J{i}" for i in range(m)], k),
        "proposal": np.tile([f"P{j}" for j in range(k)], m),
        **{name: np.clip(np.rint(5.5 + 2 * turn * worth + rng.normal(0, 1, (m, k))), 1, 10).ravel()
           for name in ("feasibility", "value", "benefit")},
    })  # fmt: skip
    frame.attrs["synthetic"] = True
    return frame


WEIGHTS = {"feasibility": 0.2, "value": 0.5, "benefit": 0.3}


def _few_judges():
    frame = judged(2, 3)[["judge", "proposal", "value"]]
    return cx.rank_proposals(frame[:5], n_resamples=50)


def _same_judges():
    return cx.rank_proposals(judged(4, 3).assign(value=[3, 2, 1] * 4), "value", scale="ranks",
                             n_resamples=50)  # fmt: skip


FACTORS = ("data-driven decisions", "agile iteration", "customer centricity", "open ecosystem")


def maturity(m=6, seed=1):
    """Return maturity scores of m judges, culture the lowest."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "judge": np.repeat([f"J{i}" for i in range(m)], 4), "factor": FACTORS * m,
        **{layer: np.clip(np.rint(rng.normal(mean, 0.6, 4 * m)), 1, 5)
           for layer, mean in (("technology", 3.8), ("organisation", 3.2), ("culture", 2.1))},
    })  # fmt: skip
    frame.attrs["synthetic"] = True
    return frame


YEARS = pd.DataFrame(
    {"experience": [40.0, 80], "efficiency": [50.0, 70], "business": [60.0, 50], "cost": [30, 40]},
    index=["2018", "2021"],
)


def links(unknown=False):
    """Return the links of five channels, one of them apart."""
    names = ["app", "phone", "chat", "branch", "mail"]
    values = np.eye(5)
    values[0, 1] = values[1, 0] = values[1, 2] = values[2, 0] = 1
    values[3, 4] = 0.4
    if unknown:
        values[3, 0] = np.nan
    return pd.DataFrame(values, names, names)


CASES = {
    "ChannelMatrix/five": Case(lambda: cx.channel_matrix(links())),
    "ChannelMatrix/faulty": Case(lambda: cx.channel_matrix(links(True), threshold=0.3)),
    "AllWeights/years": Case(
        lambda: cx.all_weights(YEARS, costs=["cost"], n_draws=500),
        labels=tuple(YEARS),
    ),
    "AllWeights/own": Case(
        lambda: cx.all_weights(
            YEARS,
            costs=["cost"],
            n_draws=500,
            weights={"experience": 0.4, "efficiency": 0.3, "business": 0.2, "cost": 0.1},
        ),
        labels=tuple(YEARS),
    ),
    "AllWeights/alike": Case(lambda: cx.all_weights(YEARS * 0, n_draws=50), labels=tuple(YEARS)),
    "MaturityMatrix/judges": Case(lambda: cx.maturity_matrix(maturity(), judge="judge")),
    "MaturityMatrix/one": Case(lambda: cx.maturity_matrix(maturity(1))),
    "MaturityMatrix/own": Case(
        lambda: cx.maturity_matrix(
            maturity(2).replace("open ecosystem", "x").assign(culture=3.0, technology=3),
            dict.fromkeys((*FACTORS[:3], "x"), 25),
            judge="judge",
        ),
        labels=FACTORS[:3],
    ),
    "Scorecard/synthetic": Case(lambda: cx.scorecard("synthetic_service_team")),
    "Scorecard/bank": Case(lambda: cx.scorecard("bank_results")),
    "Scorecard/form": Case(lambda: cx.scorecard("innovation_kpis")),
    "Scorecard/results": Case(_of_results),
    "ProposalRanking/judges": Case(
        lambda: cx.rank_proposals(judged(), weights=WEIGHTS, n_resamples=200)
    ),
    "ProposalRanking/equal": Case(
        lambda: cx.rank_proposals(judged(12, 18), weights="equal", n_resamples=200)
    ),
    "ProposalRanking/the same": Case(_same_judges),
    "ProposalRanking/faulty": Case(_few_judges),
    "Scorecard/faulty": Case(_as_reported, labels=("=x",)),
}
