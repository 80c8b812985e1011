"""Bottlenecks: by hand and against a bootstrap."""

import numpy as np
import pandas as pd
import pytest

from cxstats.core.errors import CxError
from cxstats.datasets.simulate_loan_log import simulate_loan_log
from cxstats.operations.bottlenecks import START
from cxstats.operations.event_log import event_log
from tests.operations.logs import LOAN, five, log


@pytest.fixture(scope="module")
def loans():
    return simulate_loan_log(800, seed=9)


def test_bottlenecks_by_hand():
    found = log().bottlenecks(unit="minute").set_index(["measure", "activity"])
    totals = {
        ("waiting", "call"): 10 + 5 + 0 + 10 + 90 + 10,
        ("waiting", "check"): 30 + 60 + 10 + 0,
        ("waiting", "solve"): 0 + 5 + 30 + 10,
        ("handling", "call"): 10 + 10 + 15 + 10 + 10 + 10,
        ("handling", "check"): 30 + 20 + 10 + 10,
        ("handling", "solve"): 20 + 20 + 30 + 10,
    }
    assert found["total_time"].to_dict() == pytest.approx(totals)
    assert found.loc[("waiting", "call"), "share"] == pytest.approx(125 / 485)
    assert found["share"].sum() == pytest.approx(1)
    assert found.loc[("waiting", "check"), ["estimate", "median"]].tolist() == [25, 20]
    by = log().bottlenecks("transition", unit="minute").set_index(["source", "target"])
    assert by["total_time"].to_dict() == pytest.approx(
        {
            ("call", "call"): 90,
            ("call", "check"): 30 + 60 + 0,
            (START, "call"): 10 + 5 + 0 + 10 + 10,
            ("check", "solve"): 0 + 5 + 10,
            ("call", "solve"): 30,
            ("check", "check"): 10,
        }
    )
    assert by["total_time"].sum() == pytest.approx(270)
    assert by.loc[("call", "check"), "n"] == 3


def test_the_interval_of_a_mean_wait_is_the_linearised_one(loans):
    table = event_log(loans, **LOAN).bottlenecks().set_index(["measure", "activity"])
    row = table.loc[("handling", "Check documents")]
    part = loans[loans["activity"] == "Check documents"]
    hours = (part["end"] - part["start"]) / pd.Timedelta("1h")
    sums, sizes = hours.groupby(part["case"]).sum(), hours.groupby(part["case"]).size()
    rng = np.random.default_rng(1)
    draws = rng.integers(0, len(sums), (4000, len(sums)))
    boot = sums.to_numpy()[draws].sum(1) / sizes.to_numpy()[draws].sum(1)
    assert row["estimate"] == pytest.approx(hours.mean())
    # A standard deviation of 4,000 replicates is within 5 % of its limit.
    assert row["se"] == pytest.approx(boot.std(), rel=0.05)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    lead = loans.groupby("case")["end"].max() - loans.groupby("case")["accepted"].first()
    lead = (lead / pd.Timedelta("1h")).loc[sums.index].to_numpy()
    shares = sums.to_numpy()[draws].sum(1) / lead[draws].sum(1)
    reach = (row["share_ci_high"] - row["share_ci_low"]) / 2 / 1.96
    assert reach == pytest.approx(shares.std(), rel=0.06)


def test_what_cannot_be_shared_out_is_named():
    with pytest.raises(CxError, match="by='resource'; allowed: 'activity', 'transition'"):
        log().bottlenecks("resource")
    lonely = event_log(five().iloc[[0]], case="case", activity="activity", start="start")
    with pytest.raises(CxError, match="no time to share out"):
        lonely.bottlenecks()
