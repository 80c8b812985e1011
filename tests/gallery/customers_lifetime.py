"""Lifetime value and attribution."""

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.customers import bg_nbd
from tests.gallery import Case

CHANNELS = ("mail", "search", "=shop", "zh 邮件")


def _purchases(n=60):
    """Return about 300 purchases of customers over 300 days; they are simulated."""
    rng = np.random.default_rng(4)
    rows = []
    for i in range(n):
        gaps = rng.exponential(rng.gamma(2, 25), 12)
        days = np.cumsum(np.concatenate([[rng.integers(0, 60)], gaps]))
        days = days[: rng.geometric(0.2)]
        rows += [(f"C{i}", day, rng.gamma(6, 1 / rng.gamma(4))) for day in days if day < 300]
    frame = pd.DataFrame(rows, columns=["customer", "day", "amount"])
    frame["time"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"].astype(int), "D")
    frame.attrs["synthetic"] = True
    return frame


def _summary():
    """Return 200 customers of whom none ever stops: two parameters run to the edge."""
    rng = np.random.default_rng(2)
    histories = bg_nbd.simulate((2.0, 10.0, 1e-4, 1.0), rng.uniform(20, 40, 200), rng)
    columns = {name: getattr(histories, name) for name in ("frequency", "recency", "age")}
    return pd.DataFrame(columns | {"money": np.where(np.arange(200) % 50, rng.gamma(3, 9, 200), 0)})


def _returns():
    """Return 300 purchases of 140 customers, of whom about half buy after day 60."""
    rng = np.random.default_rng(8)
    customer = np.concatenate([np.arange(140), rng.integers(0, 140, 160)])
    time = np.concatenate([rng.uniform(0, 30, 140), rng.uniform(30, 100, 160)])
    frame = pd.DataFrame({"customer": customer, "time": time, "amount": rng.gamma(3, 10, 300)})
    frame.attrs["synthetic"] = True
    return frame


def _paths(n=6):
    texts = ["mail", "search > mail", "search", "=shop>mail>search", "zh 邮件", "mail>mail"]
    return pd.DataFrame(
        {
            "path": texts[:n],
            "conversions": [10, 200, 0, 31, 7, 12][:n],
            "losses": [40, 10, 20, 90, 60, 0][:n],
            "value": [100.5, 4000, 0, 310, 70, 90][:n],
        }
    )


CASES = {
    "LifetimeValue/purchases": Case(
        lambda: cx.lifetime_value(_purchases(), 12, holdout_from="2025-08-01", discount=0.1)
    ),
    "LifetimeValue/summary at the edge": Case(lambda: cx.lifetime_value(_summary(), 26)),
    "LifetimeValue/no money": Case(lambda: cx.lifetime_value(_purchases(), 12, amount=None)),
    "Repurchase/simulated": Case(
        lambda: cx.repurchase(_returns(), at=60, unit="day", n_resamples=100)
    ),
    "Repurchase/two horizons": Case(
        lambda: cx.repurchase(_returns(), at=45, unit="day", horizons=[30, 50], n_resamples=60)
    ),
    "Attribution/values": Case(
        lambda: cx.attribution(_paths(), value="value", n_resamples=200), labels=CHANNELS
    ),
    "Attribution/few, all convert": Case(
        lambda: cx.attribution(_paths(1), losses=None, n_resamples=200), labels=CHANNELS
    ),
}
