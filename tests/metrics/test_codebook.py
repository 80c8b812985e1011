"""Metrics by the codebook: the question is found by its kind, answers are read as by `clean`."""

import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import DataError
from cxstats.metrics import mean
from tests.survey.test_coding import BOOK, ENGINES, as_engine, raw

CASES = {
    "nps": (cx.nps, {}, {"column": "q9", "scale": (0, 10)}),
    "csat": (cx.csat, {}, {"column": "q10", "scale": (1, 5)}),
    "csat mean": (cx.csat, {"kind": "mean"}, {"column": "q10", "scale": (1, 5)}),
    "ces": (cx.ces, {}, {"direction": "ease", "column": "q11", "scale": (1, 7)}),
    "csat of an item": (cx.csat, {"column": "s2"}, {"scale": (1, 5)}),
    "mean": (mean, {"column": "s1"}, {"low": 1, "high": 5}),
    "mean of a question": (mean, {"column": "overall"}, {"column": "q10"}),
}


def estimate(metric):
    return metric.table["estimate"].item()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_a_metric_is_that_of_the_cleaned_table(name, engine):
    method, options, needed = CASES[name]
    cleaned, _ = cx.clean(raw(), BOOK)
    order = pd.CategoricalDtype(["Shanghai", "Beijing"], ordered=True)
    cleaned["branch"] = cleaned["branch"].astype(order)
    expected = method(cleaned, by="branch", weights="w", **{**options, **needed})
    result = method(as_engine(raw(), engine), by="branch", codebook=BOOK, **options)
    assert result.table["branch"].tolist() == ["Shanghai", "Beijing"]
    pd.testing.assert_frame_equal(result.table, expected.table)
    again = method(cleaned, by="branch", codebook=BOOK, **options)
    pd.testing.assert_frame_equal(again.table, expected.table)


def test_weights_are_the_codebooks_unless_named():
    frame = raw()
    lent = cx.nps(frame, codebook=BOOK)
    plain = cx.nps(frame, codebook=BOOK, weights=None)
    assert lent.weighted
    assert not plain.weighted
    assert estimate(lent) != estimate(plain)
    other = cx.nps(frame.assign(v=1.0), codebook=BOOK, weights="v")
    assert estimate(other) == pytest.approx(estimate(plain))
    assert not cx.nps(frame, codebook=BOOK, design=cx.Design()).weighted


def test_turned_answers_are_said():
    result = cx.csat(raw(), codebook=BOOK, kind="mean")
    assert "the answers of 'q10' were turned" in result.summary("en")
    assert "'q10' 的答案已" in result.summary("zh")
    assert "turned" not in cx.nps(raw(), codebook=BOOK).summary("en")


def test_effort_keeps_its_direction_where_it_was_not_turned():
    book = cx.Codebook(
        questions={"effort": {"kind": "ces", "column": "q11", "scale": [1, 7]}}, missing=[-99]
    )
    result = cx.ces(raw(), "effort", kind="top_box", codebook=book)
    assert estimate(result) == pytest.approx((raw()["q11"] == 1).mean())
    result = cx.ces(raw(), "effort", kind="top_box", codebook=BOOK, weights=None)
    assert estimate(result) == pytest.approx((raw()["q11"] == 1).mean())
    with pytest.raises(ValueError, match="direction=None; allowed: 'effort'"):
        cx.ces(raw(), column="q11")


def test_several_questions_of_a_kind_need_a_name():
    questions = {name: {"kind": "nps", "column": c} for name, c in [("shop", "q9"), ("app", "q10")]}
    book = cx.Codebook(questions=questions, missing=[-99])
    with pytest.raises(DataError, match="2 questions are of kind 'nps'; name one of: shop, app"):
        cx.nps(raw(), codebook=book)
    assert cx.nps(raw(), column="app", codebook=book).table["n"].item() == 40
    with pytest.raises(DataError, match="no question of kind 'csat'"):
        cx.csat(raw(), codebook=book)


def test_waves_stand_in_the_order_of_the_codebook():
    frame = raw(90)
    frame["wave"] = ["spring", "autumn", "winter"] * 30
    book = cx.Codebook(
        questions=BOOK.questions, missing=BOOK.missing,
        wave={"column": "wave", "order": ["winter", "spring", "autumn"]},
    )  # fmt: skip
    for engine in ENGINES:
        result = cx.nps(as_engine(frame, engine), by="wave", codebook=book)
        assert result.table["wave"].tolist() == ["winter", "spring", "autumn"]
        tracked = cx.track(result)
        assert tracked.table["wave"].tolist() == ["winter", "spring", "autumn"]
    assert len(result.compare().table) == 3
    result.plot()


def test_a_rate_reads_what_stands_for_0_and_1():
    book = {
        "questions": {"solved": {"kind": "rating", "column": "s", "scale": [0, 1],
                                 "answers": {"是": 1, "否": 0}}},
    }  # fmt: skip
    frame = pd.DataFrame({"s": ["是", "否", "是", "是"]})
    for engine in ENGINES:
        assert estimate(cx.rate(as_engine(frame, engine), codebook=book)) == pytest.approx(0.75)
        churn = cx.metrics.churn_rate(as_engine(frame, engine), column="solved", codebook=book)
        assert estimate(churn) == pytest.approx(0.75)
