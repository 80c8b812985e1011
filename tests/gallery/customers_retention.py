"""Survival, paths to leaving."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case


def contracts(n=120, groups=("mail", "shop"), seed=3):
    """Return simulated contracts: weeks seen, whether ended, channel, customer."""
    rng = np.random.default_rng(seed)
    channel = rng.integers(0, len(groups), n)
    ends, seen = rng.exponential(10 + 20 * channel), rng.uniform(5, 40, n)
    frame = pd.DataFrame(
        {"weeks": np.ceil(np.minimum(ends, seen)), "left": ends <= seen,
         "channel": np.array(groups)[channel], "customer": np.arange(n) // 2}
    )  # fmt: skip
    frame.attrs["synthetic"] = True
    return frame


def _silent():
    frame = cx.simulate_churn(150, 5, paths={}, days=120)
    return cx.churn_paths(frame[frame["event"] != "leaves"], inactivity=40, longest=1)


KINDS = ("visit", "purchase", "call", "complaint")


def _nobody_leaves():
    frame = contracts(12)
    return cx.survival(frame.assign(left=frame.index == 3), "weeks", "left", by="channel")


CASES = {
    "ChurnPaths/a path": Case(
        lambda: cx.churn_paths(cx.simulate_churn(250, 2), leaves="leaves"), labels=KINDS
    ),
    "ChurnPaths/silence": Case(_silent, labels=KINDS),
    "Survival/two groups": Case(
        lambda: cx.survival(contracts(), "weeks", "left", by="channel", unit="week"),
        labels=("mail", "shop"),
    ),
    "Survival/one group": Case(lambda: cx.survival(contracts(), "weeks", "left", unit="week")),
    "Survival/three groups, clusters": Case(
        lambda: cx.survival(contracts(groups=("=a", "b", "丙")), "weeks", "left", by="channel",
                            cluster="customer", unit="week"),
        labels=("=a", "b", "丙"),
    ),
    "Survival/almost no events": Case(_nobody_leaves, labels=("mail", "shop")),
}  # fmt: skip
