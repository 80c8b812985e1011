"""Settings for every test: charts are drawn without a screen and closed afterwards."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from hypothesis import settings

mpl.use("agg")
settings.register_profile("cxstats", deadline=None)  # timings never decide a test
settings.load_profile("cxstats")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
