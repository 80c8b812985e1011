"""Promises, queues, forecasts of demand, plans, containment, payback, training."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case


def _deliveries(n=120):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "late": np.round(rng.normal(0, 12, n), 1),
            "day": np.arange(n) // 10,
            "shop": rng.choice(["North", "城南"], n),
        }
    )
    frame.loc[::17, "late"] = np.nan
    frame.attrs["synthetic"] = True
    return frame


ROOMS = pd.DataFrame({"booked": ["A", "B", None, "=C"], "used": ["A", None, "B", "C"]})

CASES = {
    "PromiseKept/lateness": Case(
        lambda: cx.promise_kept(_deliveries(), lateness="late", tolerance=10, cluster="day")
    ),
    "PromiseKept/groups": Case(
        lambda: cx.promise_kept(
            _deliveries(), lateness="late", by="shop", missing="broken", min_cell=10
        ),
        labels=("城南", "North", "shop"),
    ),
    "PromiseKept/rooms": Case(lambda: cx.promise_kept(ROOMS, promised="booked", actual="used")),
}
