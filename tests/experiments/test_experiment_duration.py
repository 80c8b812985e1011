"""Days of an experiment, from answers and traffic."""

from math import ceil

import numpy as np
import pytest

from cxstats.core.errors import CxError
from cxstats.experiments import duration, sequential_plan
from cxstats.metrics.planning import power, sample_size

PLAN = sample_size("conversion", first=0.10, second=0.12)  # 3,841 in each group


def test_days_by_hand():
    total = sum(PLAN.n)
    assert duration(PLAN, 500, whole_weeks=False).days == ceil(total / 500)
    assert duration(PLAN, 500).days == 7 * ceil(total / 3500)
    part = duration(PLAN, 5000, traffic=0.2, answering=0.5, whole_weeks=False)
    assert part.days == ceil(total / 500)
    assert part.table["visitors"].iloc[0] == 2 * total


def test_variants_and_ratio():
    plan = sample_size("conversion", first=0.10, second=0.12, ratio=0.5, tests=3)
    found = duration(plan, 1000, variants=3, whole_weeks=False)
    assert found.table["answers"].iloc[0] == plan.n[0] + 3 * plan.n[1]


def test_power_by_day_is_that_of_the_plan():
    found = duration(PLAN, 500, whole_weeks=False)
    curve = found.curve.set_index("day")
    assert curve["power"].is_monotonic_increasing
    at = power("conversion", 500, first=0.10, second=0.12).power
    assert curve.loc[2, "power"] == pytest.approx(at, abs=1e-12)
    before = curve.loc[found.days - 1, "power"]
    assert before < 0.8 <= curve.loc[found.days, "power"] + 1e-9


def test_sequential_plan_has_an_expected_duration():
    plan = sequential_plan(4, plan=PLAN, spending="pocock")
    found = duration(plan, 500, whole_weeks=False)
    table = found.table.set_index("scenario")
    assert table.loc["at most", "days"] == ceil(sum(plan.n) / 500)
    assert table.loc["expected", "days"] < duration(PLAN, 500, whole_weeks=False).days
    for lang in ("en", "zh"):
        found.summary(lang)
        found.plot(lang=lang)
    assert "<table" in found._repr_html_()


def test_notes():
    assert "eight weeks" in " ".join(note.en for note in duration(PLAN, 50).notes)
    assert "less than a week" in " ".join(
        note.en for note in duration(PLAN, 10**5, whole_weeks=False).notes
    )
    assert duration(PLAN, 500).notes == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"per_day": 0}, "per_day=0"),
        ({"per_day": np.inf}, "per_day=inf"),
        ({"per_day": 5, "traffic": 1.5}, "traffic=1.5; allowed: a share"),
        ({"per_day": 5, "answering": -1}, "answering=-1"),
        ({"per_day": 5, "variants": 0}, "variants=0"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(CxError, match=message):
        duration(PLAN, **options)


def test_bad_plans():
    with pytest.raises(CxError, match="allowed: a plan of two groups"):
        duration(sample_size("csat", first=0.7, margin=0.03), 100)
    with pytest.raises(CxError, match="no sample size"):
        duration(sequential_plan(3), 100)
