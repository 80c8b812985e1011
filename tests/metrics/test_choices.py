"""Check-all-that-apply in the forms that platforms write, and what blank cells mean."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

import cxstats as cx
from cxstats.core.errors import CxError, DataError

NAMES = ("App", "Phone", "Branch")
TICKS = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 1], [1, 1, 0], [1, 0, 1]], bool)


def columns(yes, no):
    """Return one column an option; `yes` may be "name", the text of the option."""
    return pd.DataFrame(
        {name: [(name if yes == "name" else yes) if tick else no for tick in TICKS[:, j]]
         for j, name in enumerate(NAMES)}
    )  # fmt: skip


def cells(mark):
    return pd.DataFrame({"q": [mark.join(np.array(NAMES)[row]) or None for row in TICKS]})


PER_COLUMN = {"kind": "choices", "columns": {name: name for name in NAMES}}
FORMS = {
    "1 and 0": (columns(1, 0), PER_COLUMN),
    "1.0 and nothing": (columns(1.0, np.nan), PER_COLUMN),
    "texts of numbers": (columns("1", "0"), PER_COLUMN),
    "true and false": (columns(True, False), PER_COLUMN),
    "text and nothing": (columns("name", ""), PER_COLUMN),
    "text and spaces": (columns("name", "  "), PER_COLUMN),
    "LimeSurvey": (columns("Yes", "No"), PER_COLUMN),
    "Google": (columns("Checked", "Unchecked"), PER_COLUMN),
    "wjx columns": (columns("选中", "未选中"), PER_COLUMN),
    "declared": (columns("Y!", "N!"), {**PER_COLUMN, "ticked": ["Y!"], "not_ticked": ["N!"]}),
    "1 means no": (columns(2, 1), {**PER_COLUMN, "ticked": [2], "not_ticked": [1]}),
    "semicolons": (cells(";"), {"kind": "choices", "column": "q", "options": NAMES}),
    "wjx": (cells("┋"), {"kind": "choices", "column": "q", "options": NAMES}),
    "full width": (cells("；"), {"kind": "choices", "column": "q", "options": NAMES}),
    "commas": (cells(", "), {"kind": "choices", "column": "q", "options": NAMES, "separator": ","}),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_shares(name):
    frame, question = FORMS[name]
    table = cx.choices(frame, question).table
    assert table["option"].tolist() == list(NAMES)
    assert table["ticked"].tolist() == [4, 3, 2]
    assert table["n"].tolist() == [6, 6, 6]
    low, high = proportion_confint([4, 3, 2], 6, method="wilson")
    np.testing.assert_allclose(table["ci_low"], low)
    np.testing.assert_allclose(table["ci_high"], high)


@pytest.mark.parametrize("name", FORMS)
def test_a_codebook_and_other_engines_change_nothing(name):
    frame, question = FORMS[name]
    expected = cx.choices(frame, question).table
    book = cx.Codebook(questions={"used": question})
    for table in (frame, pl.from_pandas(frame), duckdb.from_df(frame)):
        pd.testing.assert_frame_equal(cx.choices(table, codebook=book).table, expected)
        pd.testing.assert_frame_equal(cx.choices(table, "used", codebook=book).table, expected)
    assert cx.check(frame, book).counts["not_a_tick"] == 0


def test_what_blank_cells_were_taken_for_is_said():
    frame = columns("name", None)
    said = cx.choices(frame, PER_COLUMN)
    assert "9 blank cells are taken as not ticked, so 1 respondents" in said.summary("en")
    assert "9 个空白单元格视为未选中" in said.summary("zh")
    missing = cx.choices(frame, {**PER_COLUMN, "blank": "missing"})
    assert missing.table["n"].tolist() == [5, 5, 5]
    assert missing.table["n_missing"].tolist() == [1, 1, 1]
    assert "1 respondents ticked none and are taken as missing" in missing.summary("en")
    assert cx.choices(columns(1, 0), PER_COLUMN).notes == ()


def test_blank_cells_beside_zeros_are_missing_where_they_are_said_to_be():
    frame = columns(1, 0).astype(float)
    frame.loc[0, "Phone"] = np.nan
    assert "so a blank one may mean something else" in cx.choices(frame, PER_COLUMN).summary("en")
    table = cx.choices(frame, {**PER_COLUMN, "blank": "missing"}).table
    assert table["n"].tolist() == [6, 5, 6]
    assert table["ticked"].tolist() == [4, 2, 2]


def test_options_that_were_not_offered_are_left_out():
    frame = columns("name", None)
    frame.loc[:1, "Branch"] = "(跳过)"
    table = cx.choices(frame, {**PER_COLUMN, "not_offered": ["(跳过)"]}).table
    assert table["n"].tolist() == [6, 6, 4]
    assert table["n_not_offered"].tolist() == [0, 0, 2]
    assert table["n_missing"].tolist() == [0, 0, 0]
    assert table["estimate"].iloc[2] == 0.5


def test_missing_codes_are_those_of_the_codebook():
    frame = columns(1, 0)
    frame.loc[0, "Phone"] = -99
    book = cx.Codebook(questions={"used": PER_COLUMN}, missing=[-99])
    table = cx.choices(frame, codebook=book).table
    assert table["n"].tolist() == [6, 5, 6]
    assert table["n_missing"].tolist() == [0, 1, 0]


def test_an_option_may_hold_the_separator():
    options = ["Price, fees", "Price", "Staff"]
    frame = pd.DataFrame({"q": ["Price, fees, Staff", "Price, Staff", "Price, fees, Price", None]})
    question = {"kind": "choices", "column": "q", "separator": ", ", "options": options}
    assert cx.choices(frame, question).table["ticked"].tolist() == [2, 2, 2]


def test_options_that_occur_come_by_frequency():
    table = cx.choices(cells(";"), {"kind": "choices", "column": "q"}).table
    assert table["option"].tolist() == ["App", "Phone", "Branch"]


def test_a_cell_that_is_neither_is_an_error_and_a_problem():
    frame = columns("name", None).assign(id=[f"R{i}" for i in range(6)])
    frame.loc[2, "App"] = "maybe"
    book = cx.Codebook(questions={"used": PER_COLUMN}, respondent="id")
    message = (
        r"row 2 \(respondent 'R2'\), column 'App': 'maybe' is neither ticked nor not ticked; "
        "allowed: ticked: 1, Yes, App; not ticked: 0, No;"
    )
    with pytest.raises(DataError, match=message):
        cx.choices(frame, codebook=book)
    (problem,) = cx.check(frame, book).errors
    assert (problem.kind, problem.row, problem.column) == ("not_a_tick", 2, "App")
    assert "既非选中也非未选中" in problem.message.zh
    frame = cells(";")
    frame.loc[1, "q"] = "Appp"
    question = {"kind": "choices", "column": "q", "options": NAMES}
    with pytest.raises(DataError, match=r"row 1, column 'q': 'Appp' is neither.*mean 'App'"):
        cx.choices(frame, question)


def test_weights_and_groups_are_those_of_a_rate():
    rng = np.random.default_rng(1)
    frame = pd.concat([columns(1, 0)] * 20, ignore_index=True)
    frame["w"] = rng.uniform(0.5, 2, len(frame))
    frame["g"] = np.where(rng.random(len(frame)) < 0.5, "x", "y")
    frame["c"] = np.arange(len(frame)) // 4
    book = cx.Codebook(questions={"used": PER_COLUMN}, weights="w", cluster="c", groups=["g"])
    table = cx.choices(frame, by="g", codebook=book).table
    for name in NAMES:
        expected = cx.rate(frame, column=name, by="g", weights="w", cluster="c").table
        rows = table[table["option"] == name].reset_index(drop=True)
        for column in ("estimate", "se", "ci_low", "ci_high", "n", "n_effective"):
            np.testing.assert_allclose(rows[column], expected[column])
    plain = cx.choices(frame, codebook=book, weights=None)
    assert not plain.weighted
    hidden = cx.choices(frame, by="g", codebook=book, min_cell=1_000)
    assert hidden.table["estimate"].isna().all()


def test_what_is_asked_for_has_to_be_a_question_of_options():
    frame = columns(1, 0)
    with pytest.raises(CxError, match="question='used'; allowed: the name of a question"):
        cx.choices(frame, "used")
    with pytest.raises(CxError, match="question of kind 'nps'; allowed: 'choices'"):
        cx.choices(frame, {"kind": "nps", "column": "App"})
    with pytest.raises(DataError, match="column 'Ap' is not in the table"):
        cx.choices(frame, {"kind": "choices", "columns": {"App": "Ap"}})
    with pytest.raises(DataError, match="nobody ticked an option"):
        cx.choices(pd.DataFrame({"q": [None, ""]}), {"kind": "choices", "column": "q"})
