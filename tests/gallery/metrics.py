"""NPS, CSAT, CES, rates, what compares, plans and tracks them."""

import numpy as np
import pandas as pd

import cxstats as cx
from tests.gallery import Case

GROUPS = ("North", "South", "West", "branch")


def _answers(faulty=False):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "recommend": rng.integers(0, 11, 300).astype(float),
            "branch": rng.choice(["North", "South", "West"], 300),
        }
    )
    if faulty:
        frame.loc[::7, "recommend"] = np.nan
        frame.loc[::11, "branch"] = None
        frame.loc[frame["branch"].eq("West") & (frame.index > 40), "branch"] = "South"
    return frame


def _by_branch(faulty=False, **options):
    return cx.nps(_answers(faulty), column="recommend", by="branch", **options)


def _panel():
    """Return customers who answer in every wave, in three regions."""
    rng = np.random.default_rng(6)
    customer = np.tile(np.arange(60), 6)
    mood = rng.normal(size=60)[customer]
    score = np.clip(np.round(7 + 1.5 * mood + rng.normal(size=360)), 0, 10)
    columns = {"score": score, "customer": customer, "region": customer % 3}
    return pd.DataFrame({**columns, "wave": np.repeat(np.arange(1, 7), 60)})


def _by_wave():
    return cx.nps(_panel(), "wave", column="score", cluster="customer", strata="region")


def _waves(rates, n=60, **options):
    by = {"month": np.arange(1, len(rates) + 1)}
    return cx.rate([round(n * rate) for rate in rates], [n] * len(rates), by=by, **options)


def _scattered():
    return _waves([0.2, 0.6, 0.1, 0.7, 0.3, 0.8], n=40)


def _channels():
    """Return which channels customers used, in two forms of cells."""
    rng = np.random.default_rng(7)
    ticks = rng.random((200, 3)) < [0.7, 0.4, 0.1]
    names = ["App", "Hotline", "Branch"]
    frame = pd.DataFrame(
        {f"used_{name}": np.where(ticks[:, j], name, "") for j, name in enumerate(names)}
    )
    frame.loc[:20, "used_Branch"] = "not offered"
    frame["cell"] = [";".join(name for name, tick in zip(names, row) if tick) for row in ticks]  # noqa: B905
    frame["region"] = rng.choice(["North", "South"], 200)
    frame["weight"] = rng.uniform(0.5, 2, 200)
    return frame


CHANNELS = {
    "used": {
        "kind": "choices",
        "columns": {"App": "used_App", "Hotline": "used_Hotline", "Branch": "used_Branch"},
        "not_offered": ["not offered"],
        "label": {"en": "Channels used", "zh": "使用的渠道"},
    }
}


CASES = {
    "Choices/columns by region, weighted": Case(
        lambda: cx.choices(
            _channels(), by="region", codebook={"questions": CHANNELS, "weights": "weight"}
        ),
        labels=("App", "Hotline", "Branch", "North", "South", "region"),
    ),
    "Choices/one cell, a small cell": Case(
        lambda: cx.choices(
            _channels().assign(region=["East"] * 8 + ["North"] * 60 + ["South"] * 132),
            {"kind": "choices", "column": "cell", "label": CHANNELS["used"]["label"]},
            by="region",
            min_cell=10,
        ),
        labels=("App", "Hotline", "Branch", "East", "North", "South", "region"),
    ),
    "Metric/one group": Case(lambda: cx.nps(_answers(), column="recommend")),
    "Metric/faulty": Case(lambda: _by_branch(faulty=True, min_cell=10), labels=GROUPS),
    "Metric/customers answer several times": Case(_by_wave, labels=("wave",)),
    "Metric/few clusters": Case(
        lambda: cx.csat(
            _panel().query("customer < 6"), column="score", scale=(0, 10), cluster="customer"
        )
    ),
    "MetricComparison/waves of the same customers": Case(lambda: _by_wave().compare(1)),
    "Track/panel": Case(lambda: cx.track(_by_wave()), labels=("wave",)),
    "Metric/rate": Case(lambda: cx.rate(_answers()["recommend"] > 8, name="kept")),
    "Metric/user's own name by group": Case(
        lambda: cx.rate([3, 5], [30, 20], by={"branch": ["North", "South"]}, name="kept"),
        labels=GROUPS,
    ),
    "Metric/skewed mean with weights": Case(
        lambda: cx.metrics.arpu(
            [0.0] * 25 + [900.0, 3.0, 7.0], ["North"] * 20 + ["South"] * 8, weights=[1.0, 3.0] * 14
        ),
        labels=("North", "South"),
    ),
    "Metric/return on two totals": Case(lambda: cx.metrics.roi(150_000, 100_000)),
    "Metric/constant column": Case(lambda: cx.metrics.mean([4.0] * 8)),
    "MetricComparison/scores": Case(
        lambda: _by_branch().compare(), labels=("North", "South", "West")
    ),
    "MetricComparison/shares with small and empty groups": Case(
        lambda: cx.rate(
            [1, 30, 0], [4, 60, 0], by={"branch": ["North", "South", "West"]}, name="kept"
        ).compare("South"),
        labels=("North", "South", "West"),
    ),
    "MetricComparison/means, one without variation": Case(
        lambda: cx.metrics.arpu(
            [1.0, 2.0, 9.0, 5.0, 5.0, 5.0], ["North"] * 3 + ["South"] * 3
        ).compare(),
        labels=("North", "South"),
    ),
    "Funnel/clean": Case(
        lambda: cx.metrics.funnel(["visit", "basket", "order"], [1000, 300, 120]),
        labels=("visit", "basket", "order"),
    ),
    "Funnel/nobody left, synthetic": Case(
        lambda: cx.metrics.funnel(["visit", "basket", "order"], [9, 0, 0], synthetic=True),
        labels=("visit", "basket", "order"),
    ),
    "Plan/two groups": Case(lambda: cx.sample_size("nps", first=(0.50, 0.20), second=(0.60, 0.15))),
    "Plan/a score alone and a small sample": Case(
        lambda: cx.power("nps", 50, first=20, second=40, design_effect=1.5)
    ),
    "Plan/interval": Case(lambda: cx.sample_size("csat", first=0.7, margin=0.03)),
    "NpsRegion/two scores": Case(lambda: cx.nps_region(32, 68)),
    "NpsRegion/one score at the end of the scale": Case(lambda: cx.nps_region(100)),
    "Track/change": Case(
        lambda: cx.track(
            _waves([0.30, 0.32, 0.28, 0.31, 0.60, 0.58, 0.62], name="kept"),
            baseline=[1, 2, 3, 4],
            annotations={5: "redesign"},
        ),
        labels=("month", "redesign"),
    ),
    "Track/waves that scatter": Case(lambda: cx.track(_scattered()), labels=("month",)),
    "Track/months as numbers, one too small": Case(
        lambda: cx.track(
            cx.rate(
                [20, 30, 1, 40, 33],
                [100, 100, 2, 100, 110],
                by={"month": [202410, 202411, 202412, 202501, 202502]},
                min_cell=10,
            )
        ),
        labels=("month",),
    ),
}
