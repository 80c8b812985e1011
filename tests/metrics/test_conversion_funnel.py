"""Funnels: steps are rates, stages without anybody, words and bad input."""

import pandas as pd
import pytest

from cxstats import metrics
from cxstats.core.errors import CxError, DataError

STAGES = ["visit", "basket", "order"]


def test_funnel_steps_are_rates():
    found = metrics.funnel(STAGES, [1000, 300, 120])
    table = found.table.set_index("stage")
    assert table["share"].to_list() == [1, 0.3, 0.12]
    for stage, before, after in (("basket", 1000, 300), ("order", 300, 120)):
        rate = metrics.rate(after, before).table.iloc[0]
        columns = ["estimate", "se", "ci_low", "ci_high"]
        assert table.loc[stage, columns].to_list() == pytest.approx(rate[columns].to_list())
        assert table.loc[stage, "n_before"] == before
    assert table.loc["visit", ["estimate", "ci_low", "n_before"]].isna().all()
    other = metrics.funnel(STAGES, {"order": 120, "visit": 1000, "basket": 300})
    pd.testing.assert_frame_equal(other.table, found.table)
    assert (found.n, found.level, found.synthetic) == (1000, 0.95, False)


def test_funnel_without_anybody_left():
    table = metrics.funnel([*STAGES, "paid"], [10, 0, 0, 0]).table
    assert table["estimate"][1] == 0
    assert table["ci_high"][1] > 0
    assert table.loc[2:, ["estimate", "se", "ci_low", "ci_high"]].isna().all(axis=None)


def test_funnel_speaks_and_draws():
    found = metrics.funnel(STAGES, [1000, 300, 120], synthetic=True)
    lines = found.summary().splitlines()
    assert lines[0].startswith("Funnel of 3 stages, n = 1,000, with 95 % intervals")
    assert lines[1] == "Synthetic data: simulated, not measured."
    assert lines[2] == "  visit: 1,000 (100.0 % of the first)"
    assert lines[4] == "  order: 120 (12.0 % of the first); 40.0 % [34.6, 45.6] of the stage before"
    assert repr(found) == found.summary()
    assert found._repr_html_().startswith("<pre>")
    for lang in ("en", "zh"):
        assert "metric." not in found.summary(lang)
        texts = " ".join(text.get_text() for text in found.plot(lang=lang).texts)
        assert "[34.6, 45.6]" in texts


def test_funnel_refuses():
    for stages, counts, said in (
        (["visit"], [5], "1 stages; a step needs at least 2"),
        (STAGES, [5, 3], "names 3 groups; there are 2 counts"),
        (["a", "a"], [5, 3], r"group \('a',\) stands twice"),
        (STAGES, [5, 2.5, 1], r"'counts', group \('basket',\): 2.5 is no count"),
        (STAGES, [0, 0, 0], "nobody is in the first stage, 'visit'"),
        (STAGES, [9, 3, 4], "stage 'order' has 4, more than 3 of 'basket' before it"),
        (STAGES, {"visit": 5, "basket": 3}, r"counts are of \['visit', 'basket'\], and stages"),
    ):
        with pytest.raises(DataError, match=said):
            metrics.funnel(stages, counts)
    with pytest.raises(CxError, match="level is 95"):
        metrics.funnel(STAGES, [3, 2, 1], level=95)
