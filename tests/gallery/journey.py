"""Journeys: the map, what respondents felt, matrices of shares."""

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.core.paths import data_folder
from cxstats.journeys.emotion_curve import emotion_curve_from_counts
from tests.gallery import Case

TABLES = data_folder() / "cases" / "tables"
STAGES = [
    {
        "name": {"en": "Buying", "zh": "购买"},
        "action": {"en": "Chooses", "zh": "选择"},
        "touchpoints": [
            {"id": "shop", "name": {"en": "Shop", "zh": "商店"},
             "channel": {"en": "branch", "zh": "网点"}, "pain": {"en": "queue", "zh": "排队"}},
            {"id": "pay", "name": {"en": "Payment", "zh": "支付"},
             "channel": [{"en": "branch", "zh": "网点"}, {"en": "web", "zh": "网站"}]},
        ],
    },
    {
        "name": {"en": "Using", "zh": "使用"},
        "expectation": {"en": "Quick help", "zh": "快速帮助"},
        "touchpoints": [
            {"id": "help", "name": {"en": "Help", "zh": "帮助"},
             "channel": {"en": "telephone", "zh": "电话"}, "events": ["call"]},
            {"id": "app", "name": {"en": "App", "zh": "应用"}},
        ],
    },
]  # fmt: skip
MAP = {"title": {"en": "Loan", "zh": "贷款"}, "scale": [1, 7], "stages": STAGES}
IDS = ("shop", "pay", "help", "app")
WEIGHTS = {"Buying": 60, "Using": 40}


def answers(n=80, faulty=False):
    """Respondents; the faulty ones have gaps, a column that is constant, and one of one answer."""
    rng = np.random.default_rng(4)
    scores = rng.normal([5, 3.5, 4.5, 5.5], 1.2, (n, 4)) + rng.normal(0, 0.6, (n, 1))
    frame = pd.DataFrame(scores.round().clip(1, 7), columns=list(IDS))
    for name in IDS:
        frame[f"E_{name}"] = rng.integers(5, 8, n)
        frame[f"I_{name}"] = rng.integers(1, 6, n)
    frame["w"], frame["branch"] = 1 + np.arange(n) % 3, np.arange(n) // 4
    if faulty:
        frame.loc[::3, "pay"] = np.nan
        frame["help"] = 4.0
        frame.loc[1:, "app"] = np.nan
    frame.attrs["synthetic"] = not faulty
    return frame


def published():
    stages = [dict(stage, touchpoints=[dict(t) for t in stage["touchpoints"]]) for stage in STAGES]
    scores = ((5.1, 1.2, 80), (3.4, 1.5, 80), (4.4, 1.1, 1), (5.0, None, None))
    points = [point for stage in stages for point in stage["touchpoints"]]
    for point, (score, sd, n) in zip(points, scores, strict=True):
        point |= {"score": score, "sd": sd, "n": n, "importance": 1}
    return cx.journey({**MAP, "stages": stages}, weights=WEIGHTS)


def _respondents(faulty=False, **options):
    return cx.journey(MAP, answers(faulty=faulty), weights=WEIGHTS, n_resamples=500, **options)


def _texts():
    return emotion_curve_from_counts(
        MAP, {"shop": 40, "pay": 3, "help": 30}, {"shop": 60, "pay": 8, "help": 50}
    )


NAMES = (
    "Buying", "Using", "购买", "使用", "Shop", "Payment", "Help", "App", "商店", "支付", "帮助",
    "应用", "branch", "web", "telephone", "网点", "网站", "电话",
)  # fmt: skip
DEPARTMENTS = ("sales", "service", "basic", "records", "marketing", "tech support", "campaigns")

CASES = {
    "Journey/map": Case(lambda: cx.journey(MAP), labels=(*NAMES, "Loan", "贷款")),
    "Journey/clean": Case(
        lambda: _respondents(importance="I_{touchpoint}", expectations="E_{touchpoint}"),
        labels=NAMES,
    ),
    "Journey/faulty": Case(lambda: _respondents(faulty=True), labels=NAMES),
    "Journey/design": Case(
        lambda: _respondents(design=cx.Design(weights="w", cluster="branch"), importance={
            "shop": 3, "pay": 2, "help": 1, "app": 0}),
        labels=(*NAMES, "w"),
    ),
    "Journey/published": Case(published, labels=NAMES),
    "EmotionCurve/scores": Case(lambda: _respondents().emotion_curve(), labels=NAMES),
    "EmotionCurve/texts": Case(_texts, labels=NAMES),
    "ShareMatrix/coverage": Case(lambda: cx.journey(MAP).coverage(), labels=NAMES),
    "ShareMatrix/access": Case(
        lambda: cx.access_matrix(TABLES / "access_matrix.csv"),
        labels=("basic customer data", "campaigns", "sales records", "service records",
                "technical-support records"),
    ),
    "ShareMatrix/sharing": Case(
        lambda: cx.sharing_matrix(
            {"sales": {"service": 0.8}, "service": {"sales": 0.2}}, synthetic=True
        ),
        labels=DEPARTMENTS,
    ),
}  # fmt: skip
