"""NPS, CSAT, CES, rates, what compares, plans and tracks them."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case


def _answers(faulty=False):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "recommend": rng.integers(0, 11, 300).astype(float),
            "branch": rng.choice(["North", "South", "West"], 300),
        }
    )
    if faulty:
        frame.loc[::7, "recommend"] = np.nan
        frame.loc[::11, "branch"] = None
        frame.loc[frame["branch"].eq("West") & (frame.index > 40), "branch"] = "South"
    return frame


CASES = {
    "Metric/one group": Case(lambda: cx.nps(_answers(), column="recommend")),
    "Metric/faulty": Case(
        lambda: cx.nps(_answers(faulty=True), column="recommend", by="branch", min_cell=10),
        labels=("North", "South", "West", "branch"),
    ),
    "Metric/rate": Case(lambda: cx.rate(_answers()["recommend"] > 8, name="kept")),
}
