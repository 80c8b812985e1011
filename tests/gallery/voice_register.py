"""The feedback register and what is computed from it: clean, and with all that can be doubtful."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

GROUPS = ("app fault", "delivery", "billing", "staff", "app", "phone", "store")
COLUMNS = ("class", "id", "date", "channel", "customer", "text", "owner", "answered", "closed")
WORDS = (*GROUPS, *COLUMNS, "adopted", "reopened", "item", "category", "C0")


def simulated(n_weeks=14, **options):
    """Return a small simulated register."""
    return cx.feedback_register(cx.simulate_feedback_register(n_weeks, 20, seed=2, **options))


def faulty_frame():
    """Return rows with every problem that the checks know."""
    frame = pd.DataFrame(
        {
            "id": ["1", "2", "2", "3", "3", "4", "5", "6", None, "8", "9", "10"],
            "date": pd.to_datetime(["2024-03-01"] * 11 + [None]),
            "answered": pd.to_datetime(["2024-03-02"] * 12),
            "closed": pd.to_datetime(["2024-03-03"] * 12),
            "customer": ["a", "a", "a", "b", "c", None, "d", "e", "f", "g", "h", "i"],
            "class": ["物流", "账单", "账单", "物流", "账单", None, *["物流"] * 6],
            "channel": ["app"] * 11 + [" "],
            "owner": ["A"] * 11 + [None],
            "text": ["words"] * 11 + [""],
            "adopted": [True, *[False] * 11],
            "reopened": [2, 1, 1, *[0] * 9],
        }
    )
    frame.loc[0, "closed"] = pd.NaT
    frame.loc[5, "closed"] = pd.Timestamp("2024-02-01")
    frame.loc[6, "answered"] = pd.Timestamp("2024-02-01")
    frame.loc[7, "answered"] = pd.Timestamp("2024-03-05")
    frame.loc[8, ["answered", "closed"]] = pd.Timestamp("2024-06-01")
    frame.loc[9, "date"] = pd.Timestamp("2024-07-01")
    frame.loc[9, ["answered", "closed"]] = pd.NaT
    frame.loc[10, "answered"] = pd.NaT
    return frame


def faulty():
    """Return the register of these rows."""
    return cx.feedback_register(faulty_frame(), until="2024-04-01")


def young():
    """Return a register in which nothing is old enough to tell."""
    frame = pd.DataFrame({"date": ["2024-03-01"] * 4, "class": list("aabb"), "closed": [None] * 4})
    return cx.feedback_register(frame, until="2024-03-02")


def log(register, **columns):
    """Return what became of one change."""
    return cx.improvement_log(pd.DataFrame(columns), register)


def ratings(n=60, share=0.25):
    """Return two raters of whom the second differs in a part of the items."""
    rng = np.random.default_rng(3)
    first = rng.choice(list("abc"), n)
    second = np.where(rng.random(n) < share, rng.choice(list("abc"), n), first)
    return pd.DataFrame({"first": first, "second": second})


def nearly_one_class():
    """Return ratings that are all but one class, some missing."""
    frame = pd.DataFrame(
        {"first": ["a"] * 38 + ["b", None], "second": ["a"] * 37 + ["b", "a", "a"]}
    )
    return cx.agreement(frame)


CASES = {
    "FeedbackRegister/simulated": Case(simulated, WORDS),
    "FeedbackRegister/every problem": Case(faulty, (*WORDS, "物流", "账单")),
    "FeedbackTimes/by channel": Case(
        lambda: simulated().times("closed", by="channel", adjust="category", unit="day"), WORDS
    ),
    "FeedbackTimes/few": Case(lambda: faulty().times("answered"), ("物流", "账单")),
    "PromisesKept/by class": Case(
        lambda: simulated().promises({"billing": "5 days", "staff": 72}), WORDS
    ),
    "PromisesKept/not a class old enough": Case(
        lambda: faulty().promises({"物流": "90 days", "账单": 24}), ("物流", "账单")
    ),
    "FeedbackFunnel/simulated": Case(lambda: simulated().funnel(target="10 days"), WORDS),
    "FeedbackFunnel/few": Case(lambda: faulty().funnel("20 days"), WORDS),
    "OpenItems/with promises": Case(
        lambda: simulated().open_items(by="channel", promise={"billing": 24}), WORDS
    ),
    "OpenItems/nothing open": Case(
        lambda: cx.feedback_register(
            pd.DataFrame({"date": ["2024-03-01"], "closed": ["2024-03-02"]})
        ).open_items()
    ),
    "ComplaintAlerts/an outbreak": Case(lambda: simulated(45).alerts(baseline=26), WORDS),
    "ComplaintAlerts/few": Case(lambda: simulated(12).alerts(None)),
    "ImprovementLog/one change": Case(
        lambda: log(simulated(45), date=["2024-07-29"], **{"class": ["delivery"]}), WORDS
    ),
    "ImprovementLog/rare": Case(
        lambda: log(
            simulated(5), date=["2024-01-16", "2024-01-17"], **{"class": ["staff"] * 2},
            id=["F00001", "F00002"],
        ),
        (*WORDS, "F00001", "F00002"),
    ),
    "Agreement/two raters": Case(lambda: cx.agreement(ratings()), ("a", "b", "c")),
    "Agreement/nearly one class": Case(nearly_one_class, ("a", "b")),
    "Agreement/alpha": Case(
        lambda: cx.agreement(
            ratings().assign(third=[*"abc"] * 20).map("abc".index),
            kind="krippendorff", scale="ordinal", n_resamples=200,
        )
    ),
}  # fmt: skip
