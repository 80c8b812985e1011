"""Segments, movement, concentration, cohorts, lifetime value, attribution, earned growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.customers import bg_nbd, gamma_gamma
from cxstats.customers.channel_chain import removal_effects
from tests.coverage import FAST, SLOW, Interval, columns

SIZES = (50, 100, 400)
FITTED = (100, 400, 1_000)  # customers from which a model of seven parameters is fitted
SAMPLES = 500
# Segments of customers by the amount of one purchase; a lognormal amount has these shares.
CUTS = {"recency": [1_000.0], "frequency": [5.0], "monetary": [10.0, 30.0]}
RULES = pd.DataFrame({"segment": ["low", "middle", "high"], "monetary_low": [1, 2, 3],
                      "monetary_high": [1, 2, 3]})  # fmt: skip
MOVES = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.05, 0.15, 0.8]])
RETAINED = 0.2  # of a cohort, in the month after
COUNTS, SPEND = (0.7, 6.0, 0.8, 2.5), (6.0, 4.0, 15.0)
CHAIN = np.array([[0.5, 0.3, 0.2, 0, 0], [0.1, 0.3, 0.1, 0.2, 0.3], [0.2, 0, 0.3, 0.1, 0.4],
                  [0.1, 0.1, 0, 0.4, 0.4]])  # fmt: skip
# Customers of two years: who stays, leaves, comes by referral, comes otherwise, returns.
KINDS = (0.45, 0.2, 0.12, 0.18, 0.05)
MEASURES = ["retention", "earned_growth", "growth"]
YEARS = ("2023-01-01", "2023-12-31"), ("2024-01-01", "2024-12-31")


def segments(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    frame = pd.DataFrame({"customer": range(n), "time": pd.Timestamp("2024-01-01"),
                          "amount": rng.lognormal(3, 1, n)})  # fmt: skip
    result = cx.rfm(cx.transactions(frame), cuts=CUTS, segments=RULES)
    return result, *columns(result.table.set_index("segment"), list(RULES["segment"]))


def segment_truth() -> Any:
    from scipy.stats import norm

    edges = norm.cdf((np.log([10.0, 30.0]) - 3) / 1)
    return np.diff([0.0, *edges, 1.0])


def movement(table: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        before = rng.integers(0, 3, n)
        after = (rng.random((n, 1)) > np.cumsum(MOVES, axis=1)[before]).sum(axis=1)
        names = np.array(list("ABC"))
        old, new = pd.Series(names[before]), pd.Series(names[after])
        result = cx.movement(old, new, order=list("ABC"))
        return result, *columns(getattr(result, table))

    return limits


def long_run() -> Any:
    return np.linalg.matrix_power(MOVES, 200)[0]


def concentration(row: int, sigma: float) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        result = cx.concentration(rng.lognormal(0, sigma, n), top=(0.2,), share=())
        return result, *columns(result.table.iloc[[row]])

    return limits


def concentration_truth(sigma: float) -> Any:
    """Return Gini's coefficient and the top 20 % of a lognormal amount."""
    from scipy.stats import norm

    return 2 * norm.cdf(sigma / np.sqrt(2)) - 1, norm.cdf(norm.ppf(0.2) + sigma)


def cohorts(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    again = np.flatnonzero(rng.random(n) < RETAINED)
    days = ["2024-01-15"] * n + ["2024-02-15"] * len(again) + ["2024-02-29"] * n
    names = [*range(n), *again, *range(n, 2 * n)]
    frame = pd.DataFrame({"customer": names, "time": days, "amount": 1.0})
    result = cx.cohorts(cx.transactions(frame))
    first = result.table.query("cohort == '2024-01' and periods_after == 1")
    return result, *columns(first)


def summary(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, bg_nbd.Histories]:
    """Return n customers who follow the models."""
    histories = bg_nbd.simulate(COUNTS, rng.uniform(26, 52, n), rng)
    x, (p, q, v) = histories.frequency, SPEND
    money = rng.gamma(p * np.maximum(x, 1)) / rng.gamma(q, 1 / v, n) / np.maximum(x, 1)
    frame = pd.DataFrame({"frequency": x, "recency": histories.recency, "age": histories.age,
                          "money": np.where(x > 0, money, 0)})  # fmt: skip
    return frame, histories


def parameters(model: str) -> Any:
    def limits(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
        frame, _ = summary(rng, n)
        result = cx.lifetime_value(frame, 26)
        return result, *columns(result.parameters.set_index("model"), model)

    return limits


def forecasts(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    """Return limits of totals, and of the mean gain of saving, less what is expected."""
    frame, histories = summary(rng, n)
    fitted = cx.lifetime_value(frame, 26)
    saved = cx.saved_customer_value(fitted, 1.0)
    alive = bg_nbd.alive(COUNTS, histories)
    spend = gamma_gamma.expected_spend(SPEND, histories.frequency, frame["money"].to_numpy())
    purchases = bg_nbd.expected(COUNTS, histories, 26.0)
    worth = bg_nbd.discounted_if_resumed(COUNTS, histories, 26.0, 0.0)
    gain = np.where(histories.frequency > 0, (1 - alive) * worth * spend, 0.0).mean()
    truth = np.array([purchases.sum(), alive.sum(), (purchases * spend).sum(), gain])
    rows = pd.concat([
        fitted.table.set_index("quantity").loc[["purchases", "alive", "value"]],
        saved.table[saved.table["segment"] == "all"].set_index("quantity").loc[["break_even_cost"]],
    ])  # fmt: skip
    low, high = columns(rows)
    return saved, low - truth, high - truth


def attribution(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    paths, state = [[] for _ in range(n)], np.zeros(n, int)
    cumulated = np.cumsum(CHAIN, axis=1)
    active = np.arange(n)
    while len(active):
        draws = rng.random((len(active), 1))
        state[active] = 1 + (draws > cumulated[state[active]]).sum(axis=1).clip(0, 4)
        active = active[state[active] <= 3]
        for i in active:
            paths[i].append("abc"[state[i] - 1])
    frame = pd.DataFrame({"path": paths, "conversions": (state == 4).astype(int),
                          "losses": (state == 5).astype(int)})  # fmt: skip
    result = cx.attribution(frame, n_resamples=FAST // 2)
    effects = result.effects.set_index("channel").reindex(list("abc"))
    return result, *columns(effects)


def customers_of_two_years(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, Any]:
    """Return purchases of n customers, and how new ones came."""
    kind = rng.choice(5, n, p=KINDS)
    size = rng.normal(0, 0.7, n)
    amounts = np.exp(3 + size[:, None] + rng.normal(0, 0.4, (n, 2)))
    days = {"2022-06-01": kind == 4, "2023-06-01": kind <= 1, "2024-06-01": kind != 1}
    rows = [
        pd.DataFrame({"customer": np.flatnonzero(who), "time": day,
                      "amount": amounts[who, int(day > "2024")]})
        for day, who in days.items()
    ]  # fmt: skip
    names = np.array(["", "", "referral", "search", ""])
    return pd.concat(rows), dict(enumerate(names[kind]))


def earned(rng: np.random.Generator, n: int) -> tuple[Any, Any, Any]:
    frame, origin = customers_of_two_years(rng, n)
    result = cx.earned_growth(cx.transactions(frame), *YEARS, origin=origin, n_resamples=FAST)
    return result, *columns(result.table.set_index("measure"), MEASURES)


def earned_truth() -> list[float]:
    """Return shares of expected revenue: the amounts of a customer have one mean."""
    stay, leave, referral, other, returned = KINDS
    before, new = stay + leave, referral + other + returned
    return [stay / before, (stay + referral) / before - 1, (stay + new) / before - 1]


INTERVALS = [
    Interval("RFM, share of a segment, fixed cuts", segments, segment_truth(), SIZES, SLOW),
    Interval("movement between segments", movement("table"), MOVES.ravel(), SIZES, SAMPLES),
    Interval("movement, shares in the long run", movement("stationary"), long_run(), SIZES,
             SAMPLES),
    *(
        Interval(f"{name}, lognormal spending, sigma {sigma}", concentration(row, sigma),
                 concentration_truth(sigma)[row], (*SIZES, 1_000), SAMPLES)
        for sigma in (0.5, 1.0)
        for row, name in enumerate(("Gini", "share of the top 20 %"))
    ),
    Interval("cohorts, retention in the next month", cohorts, RETAINED, SIZES, SLOW),
    Interval("BG/NBD, parameters", parameters("bg_nbd"), COUNTS, FITTED, 300),
    Interval("Gamma-Gamma, parameters", parameters("gamma_gamma"), SPEND, FITTED, SLOW),
    Interval("lifetime value: totals, and the gain of saving", forecasts, [0.0] * 4, FITTED, 300),
    Interval("attribution, removal effects", attribution,
             removal_effects(CHAIN[None]).removal[0], SIZES, SAMPLES),
    Interval("earned growth, retention and growth", earned, earned_truth(), SIZES, 300),
]  # fmt: skip
