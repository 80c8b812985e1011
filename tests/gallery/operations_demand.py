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


def _calls(n=60, zero=False):
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2026-01-05", periods=n)
    demand = rng.poisson(np.tile([120, 100, 95, 90, 110], n // 5)).astype(float)
    if zero:
        demand[[20, 50, 55]] = [np.nan, 0, np.nan]
    return pd.DataFrame({"day": days, "calls": demand})


def _contacts(n=200):
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(
        {
            "who": rng.integers(0, 80, n),
            "when": pd.Timestamp("2026-03-01") + pd.to_timedelta(rng.uniform(0, 60, n), "D"),
            "bot": rng.random(n) < 0.5,
        }
    )
    frame.attrs["synthetic"] = True
    return frame


CASES = {
    "Forecast/weeks": Case(
        lambda: cx.forecast_demand(_calls(), time="day", count="calls", horizon=6, origins=20)
    ),
    "Forecast/gaps": Case(
        lambda: cx.forecast_demand(
            _calls(zero=True), time="day", count="calls", origins=14, closed=["2026-03-02"]
        )
    ),
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
    "Queue/patient": Case(lambda: cx.erlang_c(96, 300, range(9, 15))),
    "Queue/hang up, uncertain": Case(
        lambda: cx.erlang_c(96, 300, [4, 7, 8], patience=150, rate_cv=0.2)
    ),
    "Staffing/day": Case(
        lambda: cx.staffing(
            pd.Series([20, 0, 48, 90], ["08:00", "08:30", "09:00", "09:30"]),
            300,
            rate_cv=0.1,
            patience=120,
            shrinkage=0.3,
        )
    ),
    "Staffing/one": Case(lambda: cx.staffing(120, 300, most_occupancy=0.75)),
    "QueueDays/day": Case(lambda: cx.staffing([20, 0, 48, 90], 300, rate_cv=0.2).simulate(20)),
    "QueueDays/hang up": Case(
        lambda: cx.staffing([20, 60], 300, patience=60).simulate(20, handling_cv=2)
    ),
    "CriticalPath/certain": Case(
        lambda: cx.critical_path({"A": 1, "B": (3, ["A"]), "=C": (2, ["A"])}), labels=("=C",)
    ),
    "CriticalPath/uncertain": Case(
        lambda: cx.critical_path(
            {
                "A": (1, 2, 6),
                "核查": ((1, 3, 4), ["A"]),
                "C": ((2, 2, 9), ["A"]),
                "D": (0, ["核查", "C"]),
            },
            n_draws=500,
        ),
        labels=("核查",),
    ),
    "TrainingEffect/control": Case(
        lambda: cx.training_effect(
            [52, 61, 58, 66, 63, None],
            [70, 78, 81, 85, 86, 70],
            control=([50, 60, 70], [55, 58, 74]),
        )
    ),
    "TrainingEffect/flat, at the top": Case(
        lambda: cx.training_effect([5, 5, 4], [5, 5, 4], scale=(1, 5))
    ),
    "Payback/uncertain": Case(
        lambda: cx.payback((800, 1000, 1500), (200, 300, 400), 20, horizon=4, discount=0.05)
    ),
    "Payback/never": Case(lambda: cx.payback(1000, 100, horizon=5)),
    "Containment/log": Case(
        lambda: cx.containment(_contacts(), customer="who", time="when", handled="bot")
    ),
    "Containment/one of the bot": Case(
        lambda: cx.containment(
            _contacts(12).assign(bot=[1] + [0] * 11), customer="who", time="when", handled="bot"
        )
    ),
}
