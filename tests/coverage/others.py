"""Kano, pain points, processes, importance and penalties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.datasets.simulate_kano import FEATURES
from tests.coverage import FAST, Interval, columns, values
from tests.coverage.scores import seed_of

KANO = list(FEATURES)
CAUSES = {"delay": 0.5, "silos": 0.3, "match": 0.2}


def kano(measure: str, **options: Any) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        result = cx.kano(cx.simulate_kano(n, seed_of(rng)), KANO, n_resamples=FAST, **options)
        low, high = (result.table.loc[KANO, f"{measure}_ci_{end}"] for end in ("low", "high"))
        return result, low, high

    return limits


def kano_truth(measure: str) -> Any:
    return values(cx.simulate_kano(2, 1).attrs["population"][measure], KANO)


def pain_points(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    causes = rng.choice(list(CAUSES), n, p=list(CAUSES.values()))
    result = cx.pain_points(pd.DataFrame({"cause": causes}), "cause", n_resamples=FAST)
    table = result.table.set_index("cause") if "cause" in result.table else result.table
    table = table.reindex(list(CAUSES))
    return result, *columns(table)


INTERVALS = [
    Interval("Kano, better", kano("better"), kano_truth("better")),
    Interval("Kano, worse", kano("worse"), kano_truth("worse")),
    Interval("pain points, share of a cause", pain_points, list(CAUSES.values())),
]
