"""Transactions, RFM, concentration, cohorts, movement: clean, and with all that can be doubtful."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case


def purchases(n=300, seed=1):
    """Return purchases of 60 customers over a year."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, n), unit="D")
    return pd.DataFrame(
        {
            "customer": rng.integers(1, 61, n),
            "time": days,
            "amount": rng.lognormal(3, 1, n).round(2),
        }
    )


def faulty():
    """Return purchases with gaps, copies, zeros, refunds, wrong dates and two currencies."""
    frame = purchases(80).assign(currency="CNY")
    frame["customer"] = frame["customer"].astype(str)
    frame.loc[0, "customer"] = "  "
    frame.loc[1, "amount"] = np.nan
    frame.loc[2, "time"] = pd.NaT
    frame.loc[3, "amount"] = 0.0
    frame.loc[4:8, "amount"] = -200.0
    frame.loc[9, "time"] = pd.Timestamp("1970-01-01")
    frame.loc[10, "time"] = pd.Timestamp("2099-12-31")
    frame.loc[11, ["customer", "amount"]] = ["refund", -1.0]
    frame.loc[12:, "currency"] = "USD"
    return pd.concat([frame, frame.tail(3)], ignore_index=True)


def clean():
    """Return clean transactions, checked."""
    return cx.transactions(purchases())


def doubtful():
    """Return doubtful transactions, checked."""
    frame = faulty()
    frame.attrs["synthetic"] = True
    return cx.transactions(
        frame, currency="currency", rates={"CNY": 0.14, "USD": 1}, future="drop"
    )  # fmt: skip


def halves(**options):
    """Return RFM of two halves of a year."""
    checked = clean()
    first = cx.rfm(checked, "2024-06-30", **options)
    return first, cx.rfm(checked, since="2024-07-01", **options)


CUTS = {"recency": [30, 90], "frequency": [1, 3], "monetary": [50, 100]}
RULES = pd.DataFrame(
    {"segment": ["A", "B"], "monetary_low": [1, 3], "monetary_high": [2, 3]}
)  # fmt: skip

CASES = {
    "Transactions/clean": Case(clean),
    "Transactions/doubtful": Case(doubtful),
    "RFM/clean": Case(lambda: cx.rfm(clean())),
    "RFM/doubtful": Case(lambda: cx.rfm(doubtful(), segments="eight", monetary="mean")),
    "RFM/fixed cuts": Case(
        lambda: cx.rfm(clean(), cuts=CUTS, segments=RULES, purchase="transaction"), ("A", "B")
    ),
    "RFM/one transaction": Case(lambda: cx.rfm(cx.transactions(purchases(1)))),
    "RFM/no segments": Case(lambda: cx.rfm(clean(), segments=None)),
    "SpendingConcentration/clean": Case(lambda: cx.concentration(clean())),
    "SpendingConcentration/doubtful": Case(lambda: cx.concentration(doubtful())),
    "SpendingConcentration/equal": Case(lambda: cx.concentration([5.0, 5.0], top=[])),
    "Cohorts/clean": Case(lambda: cx.cohorts(clean())),
    "Cohorts/doubtful": Case(lambda: cx.cohorts(doubtful(), "quarter")),
    "Cohorts/one transaction": Case(lambda: cx.cohorts(cx.transactions(purchases(1)), "week")),
    "Movement/clean": Case(lambda: cx.movement(*halves(segments="eight"))),
    "Movement/tiers": Case(
        lambda: cx.movement(
            {1: "A", 2: "A", 3: "B", 4: "B"}, {1: "A", 2: "B", 3: "B", 5: "B"},
            interval="multinomial",
        ),
        ("A", "B"),
    ),
}  # fmt: skip
