"""Links between channels: both readings, reach, what a link adds."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse.csgraph import connected_components

import cxstats as cx
from cxstats.core.errors import CxError
from cxstats.satisfaction.reconstructed_formulas import channel_integration
from cxstats.scorecards.channels import _closure
from tests.gallery.scorecard import links


def test_both_readings_are_those_of_the_formula():
    result = cx.channel_matrix(links())
    # Three channels have a link; one pair, app and phone, has it both ways.
    expected = channel_integration(5, 3, 1).table["estimate"].tolist()
    assert result.table.loc[["nodes", "pairs"], "lowest"].tolist() == pytest.approx(expected)
    assert result.table.loc["links", "lowest"] == pytest.approx(4.4 / 20)
    assert result.table.loc["reach", "lowest"] == pytest.approx(6 / 20)
    assert (result.table["lowest"] == result.table["highest"]).all()


def test_groups_are_strong_components():
    rng = np.random.default_rng(1)
    names = list("abcdefgh")
    for _ in range(30):
        values = (rng.random((8, 8)) < 0.2).astype(float)
        result = cx.channel_matrix(pd.DataFrame(values, names, names))
        np.fill_diagonal(values, 0)
        n, codes = connected_components(values, connection="strong")
        ours = result.channels["group"].to_numpy()
        assert len(set(ours)) == n
        assert ((ours[:, None] == ours) == (codes[:, None] == codes)).all()
        power = np.linalg.matrix_power(np.eye(8) + values, 8) > 0
        off = ~np.eye(8, dtype=bool)
        assert (_closure(values > 0)[off] == power[off]).all()
        top = result.additions.iloc[0]
        added = pd.DataFrame(values, names, names)
        added.loc[top["first"], top["second"]] = 1
        more = cx.channel_matrix(added).table["lowest"] - result.table["lowest"]
        assert more["reach"] == pytest.approx(top["gain"])
        assert result.additions["gain"].is_monotonic_decreasing


def test_unknown_links_give_a_range():
    result = cx.channel_matrix(links(unknown=True))
    assert result.table.loc["nodes"].tolist() == pytest.approx([0.6, 0.8])
    assert result.table.loc["links"].tolist() == pytest.approx([4.4 / 20, 5.4 / 20])
    assert any("1 links are unknown" in note.en for note in result.notes)


def test_every_kind_of_table_says_the_same():
    expected = cx.channel_matrix(links()).table
    named = links().reset_index(names="from")
    turned = links().iloc[:, ::-1]
    for table in (named, turned, pl.from_pandas(named), named.convert_dtypes()):
        pd.testing.assert_frame_equal(cx.channel_matrix(table).table, expected)


@pytest.mark.parametrize(("change", "message"), [
    (lambda f: f * 2, "row 'app', column 'phone': 2; allowed: 0"),
    (lambda f: f.assign(app="x"), "column 'app': 'x' is not a number"),
    (lambda f: f.rename(columns={"app": "web"}), "channel 'app' is not both a row and a column"),
    (lambda f: f.set_axis(["a"] * 5), "channel 'a' stands in two rows"),
    (lambda f: f.iloc[:1, :1], "1 channels; allowed: 2"),
    (lambda f: f[:0], "no rows"),
])  # fmt: skip
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(CxError, match=message):
        cx.channel_matrix(change(links()))


def test_the_threshold_is_checked():
    with pytest.raises(CxError, match="threshold=0; allowed: above 0"):
        cx.channel_matrix(links(), threshold=0)
