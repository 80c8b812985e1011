"""Cells and options that no method of feedback expects: an error that names them."""

import re

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.core.errors import CxError
from tests.gallery.voice_aspects import texts
from tests.gallery.voice_register import log, ratings, simulated

REGISTER = cx.simulate_feedback_register(8, 10, seed=2)
LINES, POSITIVE = texts(60)
TEXTS = pd.DataFrame({"text": LINES, "positive": POSITIVE})
METHODS = {
    "feedback_register": (REGISTER, cx.feedback_register),
    "agreement": (ratings(30), cx.agreement),
    "aspects": (TEXTS, lambda f: cx.aspects(f, "positive", column="text", lexicon="hotel")),
    "key_phrases": (TEXTS[["text"]], cx.key_phrases),
    "mask_personal_data": (TEXTS, lambda f: cx.mask_personal_data(f)[1]),
}
CELLS = {
    "list": [1],
    "array": np.array([1, 2]),
    "mapping": {"a": 1},
    "complex": 1 + 2j,
    "half a character": "\ud800",
    "too large": 10**400,
    "huge": 1e300,
    "year 0": "-5",
    "far": "9999-12-31",
    "zone": pd.Timestamp("2024-02-03", tz="UTC"),
    "infinite": np.inf,
}


def with_cell(frame, column, value, row=3):
    """Return a frame with another value in a row."""
    cells = frame[column].astype(object).tolist()
    cells[row] = value
    return frame.assign(**{column: pd.Series(cells, frame.index, dtype=object)})


@pytest.mark.parametrize("value", CELLS.values(), ids=CELLS.keys())
@pytest.mark.parametrize("name", METHODS)
def test_an_odd_cell_is_named_or_is_a_name(name, value):
    frame, call = METHODS[name]
    for column in frame.columns:
        message = ""
        try:
            call(with_cell(frame, column, value)).summary("zh")
        except CxError as error:  # warnings and other errors fail
            message = str(error)
        assert not message or re.search(f"{column}|polarity|row 3|raters write|classes", message)


@pytest.mark.parametrize("column", ["id", "date", "channel", "class", "closed", "adopted"])
def test_a_list_in_a_register_is_refused(column):
    with pytest.raises(CxError, match=rf"row 3, column '{column}': \[1\]"):
        cx.feedback_register(with_cell(REGISTER, column, [1]))


def test_years_of_no_calendar_are_refused():
    with pytest.raises(CxError, match="row 3, column 'date': '-5' is no time"):
        cx.feedback_register(with_cell(REGISTER, "date", "-5"))


def test_a_list_in_an_improvement_log_is_refused():
    with pytest.raises(CxError, match=r"row 0, column 'class': \['a'\] is no category"):
        log(simulated(8), date=["2024-02-01"], **{"class": [["a"]]})


def test_reopenings_are_counts_that_a_table_holds():
    with pytest.raises(CxError, match="row 3, column 'reopened'"):
        cx.feedback_register(with_cell(REGISTER, "reopened", 10**30))


@pytest.mark.parametrize("names", ["xx", ("a",), ("a", "b", "c")])
def test_groups_of_phrases_have_two_names(names):
    with pytest.raises(CxError, match=r"names=.*; allowed: two names"):
        cx.key_phrases(["a"], ["b"], names=names)


def test_topics_need_a_number_of_texts():
    with pytest.raises(CxError, match="least=None; allowed: whole numbers from 1"):
        cx.topics(LINES, 3, least=None)


def test_without_a_phrase_the_texts_are_counted_all_the_same():
    result = cx.key_phrases(["slow", "slow queue"], ["fresh"], least=5)
    assert (result.n_1, result.n_2, len(result.table)) == (2, 1, 0)
    assert "(2 texts)" in result.summary("en")


def test_a_column_that_stands_twice_is_named():
    double = pd.concat([TEXTS, TEXTS[["positive"]]], axis=1)
    with pytest.raises(CxError, match="'positive' stands twice"):
        cx.aspects(double, "positive", column="text", lexicon="hotel")


def test_nothing_open_has_no_age():
    frame = pd.DataFrame({"date": ["2024-03-01"], "closed": ["2024-03-02"]})
    items = cx.feedback_register(frame).open_items()
    assert "–" not in items.summary("en")


@pytest.mark.parametrize(("lang", "unit"), [("en", "days"), ("zh", "天")])
def test_the_title_of_curves_states_the_unit(lang, unit):
    times = simulated().times("closed", by="channel", unit="day")
    assert unit in times.chart("curves", lang, {}).options["title"]
