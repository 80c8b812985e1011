"""Fair rankings."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

BRANCHES = ("Centre", "=North", "South 南", "East", "West", "Harbour", "Airport", "Station")


def ratings(n=240, seed=3, spread=0.5):
    """Return ratings of eight branches by forty customers; they are simulated."""
    rng = np.random.default_rng(seed)
    branch = rng.choice(8, n, p=[0.02, 0.03, 0.1, 0.15, 0.15, 0.15, 0.2, 0.2])
    quality = spread * np.array([1.2, -1.0, 0.8, 0.3, 0, -0.2, -0.5, -0.6])
    frame = pd.DataFrame(
        {
            "branch": np.array(BRANCHES)[branch],
            "customer": rng.integers(0, 40, n),
            "channel": rng.choice(["web", "shop"], n),
            "age": rng.integers(18, 80, n),
        }
    )
    values = 3.4 + quality[branch] + rng.normal(size=40)[frame["customer"]] / 2
    frame["rating"] = np.clip(np.rint(values + rng.normal(size=n)), 1, 5)
    frame.attrs["synthetic"] = True
    return frame


def _poor():
    """Return ratings with gaps, of branches that do not differ, of one region each."""
    frame = ratings(seed=5, spread=0)
    frame.loc[::9, "rating"] = np.nan
    frame.loc[4, "branch"] = None
    frame["region"] = np.where(frame["branch"].isin(BRANCHES[:4]), "a", "b")
    return frame


CASES = {
    "FairRanking/crossed": Case(
        lambda: cx.fair_ranking(
            ratings(), "rating", "branch", ["channel", "age"], rater="customer", n_draws=500
        ),
        labels=BRANCHES,
    ),
    "FairRanking/singular, gaps": Case(
        lambda: cx.fair_ranking(_poor(), "rating", "branch", "region", best="low", n_draws=500),
        labels=BRANCHES,
    ),
}
