"""The clickstream of retentioneering, and the simulator of clickstreams with its known truth."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

import cxstats as cx
from cxstats.datasets import loaders
from cxstats.datasets.simulate_clickstream import EVENTS, INCIDENTS, Incident


def test_clickstream_is_the_published_one():
    """Size, bounce and purchases as counted from the file by hand of the reference table."""
    clicks = cx.load_clickstream()
    sessions = clicks.groupby("session_id")
    assert (len(clicks), sessions.ngroups, clicks["user_id"].nunique()) == (31_106, 3_605, 600)
    assert (sessions.size() == 1).mean() == pytest.approx(0.0641, abs=5e-5)
    bought = clicks["session_id"][clicks["event"] == "purchase"].nunique()
    assert bought / sessions.ngroups == pytest.approx(0.1304, abs=5e-5)
    assert clicks.attrs["synthetic"]
    assert "5.2.4" in clicks.attrs["source"]


def test_the_package_with_the_telemetry_client_is_never_imported():
    code = (
        "import sys, cxstats; cxstats.load_clickstream();"
        "print('retentioneering' in sys.modules, 'posthog' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code]).split() == [b"False", b"False"]


def test_a_package_that_is_not_there_or_another_file_is_named(monkeypatch):
    def put(**changed):
        fields = {name: getattr(loaders.CLICKSTREAM, name) for name in loaders.Source.__slots__}
        monkeypatch.setattr(loaders, "CLICKSTREAM", loaders.Source(**{**fields, **changed}))

    put(package="no_such_package")
    with pytest.raises(cx.CxError, match=r"pip install --no-deps no_such_package==5\.2\.4"):
        cx.load_clickstream()
    put(package="retentioneering", file="datasets/other.csv.gz")
    with pytest.raises(cx.DataError, match=r"does not hold datasets/other\.csv\.gz"):
        cx.load_clickstream()
    put(file="datasets/ecom.csv.gz", sha256="0" * 64)
    with pytest.raises(cx.DataError, match="SHA-256 begins 110716838fac"):
        cx.load_clickstream()


def _step(clicks, before, after):
    """Return user and platform of each session that has an event, its day, and whether it goes on.

    Counted here by hand, without the package's own reading.
    """
    table = clicks.pivot_table(
        index="session_id", columns="event", values="timestamp", aggfunc="min"
    )
    first = clicks.groupby("session_id").agg(
        user=("user_id", "first"), platform=("platform", "first"), start=("timestamp", "min")
    )
    rows = first[table[before].notna()]
    goes_on = table[after].notna()[rows.index]
    day = (rows["start"] - np.datetime64("2024-01-01")).dt.total_seconds() / 86_400
    return rows.assign(day=day, goes_on=goes_on)


def test_rates_of_the_simulator_are_its_population():
    clicks = cx.simulate_clickstream(8_000, seed=3, incidents=())
    for before, after in pairwise(EVENTS):
        step = _step(clicks, before, after)
        by_user = step.groupby("user")["goes_on"].agg(["sum", "size"])
        rate = clicks.attrs["population"]["rates"][after]
        residuals = by_user["sum"] - rate * by_user["size"]
        assert abs(residuals.sum()) < 3.5 * np.sqrt((residuals**2).sum())
        # Users differ: sums by user scatter more than independent sessions would.
        assert (residuals**2).sum() > 1.03 * rate * (1 - rate) * len(step)


@pytest.mark.parametrize("incident", INCIDENTS)
def test_incidents_are_where_the_population_says(incident):
    clicks = cx.simulate_clickstream(5_000, seed=4, concentration=None)
    step = _step(clicks, EVENTS[EVENTS.index(incident.stage) - 1], incident.stage)
    inside = (step["day"] >= incident.first_day) & (step["day"] < incident.end_day)
    if incident.platform:
        inside &= step["platform"] == incident.platform
    rate = clicks.attrs["population"]["rates"][incident.stage]
    for rows, truth in ((inside, incident.rate), (~inside, rate)):
        n = rows.sum()
        assert n > 500
        assert abs(step["goes_on"][rows].mean() - truth) < 4 * np.sqrt(truth * (1 - truth) / n)


def test_the_same_seed_gives_the_same_clicks():
    first, again, other = (cx.simulate_clickstream(20, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    assert first.groupby("session_id")["timestamp"].apply(lambda t: t.is_monotonic_increasing).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_users": 0}, "n_users=0; allowed: whole numbers from 1"),
        ({"seed": -1}, "seed=-1; allowed: whole numbers from 0"),
        ({"sessions": (5, 2)}, r"sessions=\(5, 2\); allowed: the fewest, then the most"),
        ({"sessions": 4}, "sessions=4; allowed"),
        ({"concentration": 0}, "concentration=0; allowed: above 0, or None"),
        ({"incidents": [Incident("cart", 1, 2, None, 0.1)]}, "stage 'cart'; allowed: 'product_"),
        ({"incidents": [Incident("purchase", 1, 2, "tv", 0.1)]}, "'tv'; allowed: 'desktop'"),
        ({"incidents": [Incident("purchase", 1, 2, None, 1.0)]}, r"rate 1\.0; allowed: above 0"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(cx.CxError, match=message):
        cx.simulate_clickstream(**options)
