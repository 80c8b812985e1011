"""Earned growth and the value of saved customers."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case
from tests.gallery.customers_lifetime import _purchases, _summary

YEARS = ("2024-01-01", "2024-12-31"), ("2025-01-01", "2025-12-31")
WORDS = ("referral", "search", "fair")


def two_years(n=80, seed=3):
    """Return about 250 purchases of n customers over two years and how each came; simulated."""
    rng = np.random.default_rng(seed)
    begin = rng.integers(0, 700, n)
    times = rng.poisson(2, n) + 1
    customer = np.repeat(np.arange(n), times)
    day = np.minimum(begin[customer] + rng.integers(0, 300, len(customer)), 730)
    frame = pd.DataFrame({
        "customer": [f"C{i:03}" for i in customer],
        "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D"),
        "amount": rng.lognormal(3, 0.7, len(customer)).round(2),
        "channel": rng.choice(WORDS, n)[customer],
    })  # fmt: skip
    frame.attrs["synthetic"] = True
    return frame


def origins():
    """Return how the customers of `two_years` came."""
    return two_years().drop_duplicates("customer").set_index("customer")["channel"]


def doubtful():
    """Return earned growth with refunds, unequal periods, customers who return, few origins."""
    frame = two_years()
    frame.loc[:9, "amount"] = -30.0
    frame.loc[60, "time"] = pd.Timestamp("2023-02-01")
    some = origins().iloc[::3]
    return cx.earned_growth(
        cx.transactions(frame), ("2024-01-01", "2024-06-30"), YEARS[1], origin=some,
        n_resamples=200,
    )  # fmt: skip


CASES = {
    "EarnedGrowth/two years": Case(
        lambda: cx.earned_growth(
            cx.transactions(two_years(), channel="channel"), *YEARS, origin="channel",
            n_resamples=200,
        )
    ),
    "EarnedGrowth/doubtful": Case(doubtful),
    "SavedCustomerValue/purchases": Case(
        lambda: cx.saved_customer_value(
            cx.lifetime_value(_purchases(), 12, discount=0.1), 0.5, success=0.4
        )
    ),
    "SavedCustomerValue/at the edge, never pays": Case(
        lambda: cx.saved_customer_value(cx.lifetime_value(_summary(), 26), 1e6, behaviour="active")
    ),
}  # fmt: skip
