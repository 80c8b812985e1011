"""Settings for every test: charts are drawn without a screen and closed afterwards."""

from __future__ import annotations

import warnings

import matplotlib as mpl
import pytest
from hypothesis import settings

mpl.use("agg")
settings.register_profile("cxstats", deadline=None)  # timings never decide a test
# The same examples at every run (`--hypothesis-profile=ci`): what lands does not depend on luck.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("cxstats")


@pytest.fixture(scope="session")
def cluster():
    """A Spark master and two workers on this machine."""
    from tests.core.spark_cluster import Cluster, why_not

    if reason := why_not():
        pytest.skip(reason)
    started = Cluster(workers=2)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def spark(cluster):
    """A session of Spark on that cluster."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own modules, as they are imported
        session = cluster.session("cxstats")
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
