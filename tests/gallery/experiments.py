"""A/B tests of a fixed horizon, sequential and Bayesian, and what they take."""

from functools import cache

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats import experiments
from tests.gallery import Case

ARMS = ("old", "new", "newer")


@cache
def _rows():
    """Return 300 rows: two arms, purchases, money before and after, seven days."""
    rng = np.random.default_rng(3)
    arm = rng.permutation(np.repeat(["old", "new"], 150))
    before = rng.normal(50, 10, 300)
    return pd.DataFrame(
        {
            "arm": arm,
            "bought": (rng.random(300) < np.where(arm == "new", 0.5, 0.3)).astype(float),
            "spent": before + 3 * (arm == "new") + rng.normal(0, 5, 300),
            "before": before,
            "day": np.repeat(np.arange(1, 7), 50),
        }
    )


def _faulty():
    """Return the rows with answers and history missing, more of them in one arm."""
    frame = _rows().copy()
    frame.loc[frame.index[frame["arm"] == "new"][::3], "bought"] = np.nan
    frame.loc[::9, "before"] = np.nan
    frame.loc[::50, "arm"] = None
    frame.attrs["synthetic"] = True
    return frame


def _test(frame, **options):
    return cx.ab_test(frame, outcome="bought", group="arm", control="old", **options)


def _plan(looks=3, **options):
    plan = cx.sample_size("conversion", first=0.3, second=0.45)
    return experiments.sequential_plan(looks, plan=plan, **options)


def _monitor(frame, plan, **options):
    return plan.monitor(frame, outcome="bought", group="arm", control="old", look="day", **options)


def _follow(frame, **options):
    return experiments.always_valid(
        frame, outcome="bought", group="arm", control="old", tuned_at=200, **options
    )


def _adjust(frame, outcome="spent", **options):
    return experiments.cuped(
        frame, outcome=outcome, group="arm", control="old", covariates="before", **options
    )


CASES = {
    "AbTest/proportions": Case(lambda: _test(_rows()), labels=ARMS),
    "AbTest/rows of users": Case(
        lambda: _test(
            _faulty().assign(user=lambda rows: rows["day"] * 10 + rows.index % 10), cluster="user"
        ),
        labels=ARMS,
    ),
    "Cuped/rows of users": Case(
        lambda: _adjust(
            _rows().assign(user=lambda rows: rows["day"] * 10 + rows.index % 10), cluster="user"
        ),
        labels=ARMS,
    ),
    "AbTest/unequal losses": Case(
        lambda: _test(_faulty(), shares={"old": 0.8, "new": 0.2}), labels=ARMS
    ),
    "AbTest/three means, one without variation": Case(
        lambda: cx.ab_test_from_counts(
            metric="mean",
            shares=None,
            name="spend",
            control=(10.0, 2.0, 40),
            newer=(11.0, 2.5, 38),
            new=(12.0, 0.0, 41),
        ),
        labels=("control", *ARMS),
    ),
    "AbTest/scores": Case(
        lambda: cx.ab_test_from_counts(metric="nps", control=(30, 40, 30), treatment=(50, 30, 20)),
        labels=("control", "treatment"),
    ),
    "BayesianAb/clean": Case(
        lambda: experiments.bayesian_ab(control=(83, 1000), treatment=(127, 1000))
    ),
    "BayesianAb/no events": Case(
        lambda: experiments.bayesian_ab(control=(0, 5), treatment=(0, 4), prior=(0.5, 0.5))
    ),
    "ConfidenceSequence/by day": Case(lambda: _follow(_rows(), look="day", start=20)),
    "ConfidenceSequence/row by row, answers missing": Case(
        lambda: _follow(_faulty(), start=50, shares={"old": 0.9, "new": 0.1}), labels=ARMS
    ),
    "Cuped/clean": Case(lambda: _adjust(_rows()), labels=(*ARMS, "before")),
    "Cuped/history missing": Case(
        lambda: _adjust(_faulty(), "bought", metric="proportion", shares={"old": 9, "new": 1}),
        labels=(*ARMS, "before (missing)", "before"),
    ),
    "Duration/planned": Case(
        lambda: experiments.duration(
            cx.sample_size("conversion", first=0.021, second=0.025), per_day=3000
        )
    ),
    "Duration/sequential and long": Case(lambda: experiments.duration(_plan(), per_day=2)),
    "Duration/short": Case(
        lambda: experiments.duration(_plan(), per_day=5000, traffic=0.5, whole_weeks=False)
    ),
    "Monitoring/stopped": Case(lambda: _monitor(_rows(), _plan(spending="pocock")), labels=ARMS),
    "Monitoring/unequal losses": Case(
        lambda: _monitor(_faulty(), _plan(), shares={"old": 0.9, "new": 0.1}), labels=ARMS
    ),
    "Monitoring/ended": Case(
        lambda: _monitor(
            _rows().assign(bought=lambda f: np.resize([0, 1], len(f))), _plan(), final=True
        ),
        labels=ARMS,
    ),
    "SampleRatio/as planned": Case(
        lambda: experiments.sample_ratio({"old": 5000, "new": 5050}), labels=ARMS
    ),
    "SampleRatio/mismatch, few": Case(
        lambda: experiments.sample_ratio(
            {"old": 6, "new": 14, "newer": 1}, {"old": 98, "new": 1, "newer": 1}
        ),
        labels=ARMS,
    ),
    "SequentialPlan/alone": Case(lambda: experiments.sequential_plan(5)),
    "SequentialPlan/with a plan, a look at nothing": Case(lambda: _plan([0.001, 0.5, 1.0])),
}
