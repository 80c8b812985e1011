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


CASES = {
    "Scorecard/synthetic": Case(lambda: cx.scorecard("synthetic_service_team")),
    "Scorecard/bank": Case(lambda: cx.scorecard("bank_results")),
    "Scorecard/form": Case(lambda: cx.scorecard("innovation_kpis")),
    "Scorecard/results": Case(_of_results),
    "Scorecard/faulty": Case(_as_reported, labels=("=x",)),
}
