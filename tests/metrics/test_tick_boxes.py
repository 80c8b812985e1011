"""Tick boxes, exported as a mark or a blank: expected shares are counted by hand."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxstats as cx
from cxstats.metrics import churn_rate

BOXES = {
    "one": [1, None, 1, None],
    "code": [3, None, 3, None],
    "flag": [True, None, True, None],
    "name": ["Python.", None, "Python.", None],
    "empty": ["Python.", "", "Python.", "  "],
    "chinese": ["是", "", "是", None],
    "mark": ["X", None, "X", None],
    "binary": [1, 0, 1, None],
    "categories": pd.Categorical(["Checked", None, "Checked", None]),
}
ENGINES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "arrow": pa.Table.from_pandas,
    "duckdb": lambda frame: duckdb.from_arrow(pa.Table.from_pandas(frame)),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("box", BOXES)
def test_blanks_that_are_not_ticked(box, engine):
    frame = ENGINES[engine](pd.DataFrame({"x": BOXES[box]}))
    metric = cx.rate(frame, column="x", blank="no")
    assert metric.table[["estimate", "n", "n_missing"]].iloc[0].tolist() == [0.5, 4, 0]
    assert any("not ticked" in note.en and "未勾选" in note.zh for note in metric.notes)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_box_that_nobody_ticked(engine):
    for blanks in ([None] * 4, [np.nan] * 4, ["", None, " ", ""]):
        frame = ENGINES[engine](pd.DataFrame({"x": blanks}))
        metric = cx.rate(frame, column="x", blank="no")
        assert metric.table[["estimate", "n", "events"]].iloc[0].tolist() == [0, 4, 0]
        assert metric.table["ci_high"].iloc[0] == pytest.approx(0.4899, abs=1e-4)  # Wilson, 0 of 4


@pytest.mark.parametrize("engine", ENGINES)
def test_a_box_that_nobody_ticked_has_a_way_out(engine):
    frame = ENGINES[engine](pd.DataFrame({"x": np.full(4, np.nan)}))
    with pytest.raises(cx.DataError, match="nobody ticked say blank='no'"):
        cx.rate(frame, column="x")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rate_of_ones_alone_is_remarked_on(engine):
    frame = ENGINES[engine](pd.DataFrame({"x": [1, None, 1, None]}))
    metric = cx.rate(frame, column="x")
    assert metric.table["estimate"].iloc[0] == 1
    assert any("only 1 occurs, and 2 blanks" in note.en for note in metric.notes)
    assert any("仅出现 1" in note.zh for note in metric.notes)


def test_no_remark_where_it_is_no_question():
    for answers in ([1, 1, 1], [1, 0, None], [0, None]):
        assert not any("only 1" in note.en for note in cx.rate(answers).notes)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_single_text_is_told_of_the_option(engine):
    frame = ENGINES[engine](pd.DataFrame({"x": ["Python.", None, "Python."]}))
    with pytest.raises(cx.DataError, match=r"'x' holds no text but 'Python\..* blank='no'"):
        cx.rate(frame, column="x")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b", None], "'[ab]', '[ab]' occur; allowed: blanks and a single value"),
        (["No", None], "'No' occurs; allowed: blanks and a single value"),
        (["未选", None], "'未选' occurs"),
        ([1, 2, None], "occur; allowed"),
        ([-9, None, None], "-9.0 occurs"),
        ([0, 3, None], "occur; allowed"),
    ],
)
def test_what_is_no_tick_box_is_refused(values, message, engine):
    frame = ENGINES[engine](pd.DataFrame({"x": values}))
    with pytest.raises(cx.DataError, match=rf"column 'x', blank='no': .*{message}"):
        cx.rate(frame, column="x", blank="no")


def test_groups_and_weights():
    frame = pd.DataFrame(
        {"x": ["X", None, None, "X"], "by": list("aabb"), "w": [3.0, 1.0, 1.0, 1.0]}
    )
    table = cx.rate(frame, column="x", by="by", weights="w", blank="no").table
    assert table["estimate"].tolist() == [0.75, 0.5]


def test_other_doors():
    assert churn_rate([1, None, None, None], blank="no").table["estimate"].iloc[0] == 0.25
    frame = pd.DataFrame({"x": [1, None, None, None] * 50 + [1, None] * 100})
    frame["g"] = ["a"] * 200 + ["b"] * 200
    test = cx.ab_test(frame, outcome="x", group="g", control="a", blank="no")
    assert test.table["estimate"].iloc[0] == pytest.approx(0.25)
    with pytest.raises(cx.CxError, match="blank='maybe'; allowed: 'missing', 'no'"):
        cx.rate([1, None], blank="maybe")
    with pytest.raises(cx.DataError, match="counts have no blanks"):
        cx.rate(3, 4, blank="no")
    with pytest.raises(cx.CxError, match="blank='no' is for metric='proportion'"):
        cx.ab_test(frame, outcome="x", group="g", control="a", metric="mean", blank="no")
