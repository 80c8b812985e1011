"""Cleaning: every change listed, nothing else touched."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError, DataError
from cxstats.survey.check import check
from cxstats.survey.clean import clean
from cxstats.survey.codebook import Codebook
from tests.survey.questionnaires import GAPS, SMALL, gaps, kinds, problems_of, small, tables

FIVE = Codebook(scale=(1, 5), constructs={"A": ["q1", "q2"], "B": ["q3"]}, reverse=["q2", "q3"])
valid = st.one_of(st.none(), st.integers(1, 5))
valid_tables = st.lists(st.tuples(valid, valid, valid), min_size=1, max_size=8).map(
    lambda rows: pd.DataFrame(rows, columns=["q1", "q2", "q3"], dtype=float)
)


# ------------------------------------------------------------------ single cells


@pytest.mark.parametrize("value", [5, 5.0, "5", " 5", "5.0", Decimal(5), np.int8(5), np.float32(5)])
def test_what_reads_as_five_is_five(value):
    frame = small(a1=pd.Series([4, value], dtype=object))
    assert check(frame, SMALL).ok
    cleaned, report = clean(frame, SMALL)
    assert cleaned["a1"].tolist() == [4.0, 5.0]
    assert "a1" not in set(report.changes["column"])
    told = "numbers that were written as text: a1 (1)"
    assert (told in [note.en for note in report.notes]) is isinstance(value, str)


@pytest.mark.parametrize(
    "dtype", ["Int64", "Float32", "string", "category", "object", "int8", "int64[pyarrow]", "str"]
)
def test_types_of_columns(dtype):
    frame = small().astype(dtype)
    assert check(frame, SMALL).ok
    cleaned, _ = clean(frame, SMALL)
    assert cleaned.dtypes.unique().tolist() == [np.dtype("float64")]
    assert cleaned.to_numpy().tolist() == [[1, 3, 3, 2], [2, 4, 2, 7]]


def test_boolean_column_is_no_answer():
    frame = small(a1=[True, False])
    with pytest.raises(
        DataError, match=r"row 0, column 'a1': True is not a number.*\(and 1 more\)"
    ):
        clean(frame, SMALL)


def test_categories_that_are_labels_are_mapped():
    frame = small(a1=pd.Categorical(["非常同意", "3"]))
    cleaned, report = clean(frame, SMALL)
    assert cleaned["a1"].tolist() == [7.0, 3.0]
    assert report.changes.iloc[0].tolist() == [0, "a1", "非常同意", 7.0, "answer_label"]


# ------------------------------------------------------------------ columns


def test_a_doubled_column_that_is_not_declared_does_not_matter():
    frame = pd.concat([small(), small()[["a1", "a1"]].set_axis(["z", "z"], axis=1)], axis=1)
    assert check(frame, SMALL).ok
    assert clean(frame, SMALL)[0].columns.tolist() == ["a1", "a2", "a3", "b1", "z", "z"]


# ------------------------------------------------------------------ cleaning


def test_reverse_items_are_turned_once():
    frame = gaps()
    cleaned, report = clean(frame, GAPS)
    for column in ("P_a2", "E_a2"):
        assert (cleaned[column] == 8 - frame[column]).all()
    for column in ("P_b1", "E_b1"):
        assert (cleaned[column] == 10 - frame[column]).all()
    assert (cleaned["P_a1"] == frame["P_a1"]).all()
    assert cleaned.attrs["reversed"] == report.reversed == ("a2", "b1")
    again, second = clean(cleaned, GAPS)
    pd.testing.assert_frame_equal(again, cleaned)
    assert second.changes.empty
    assert [n.en for n in second.notes] == ["not turned again, the table says they are: a2, b1"]
    assert again.attrs["reversed"] == ("a2", "b1")


def test_items_that_are_not_turned_yet_are_turned():
    frame = gaps()
    frame.attrs["reversed"] = ("a2", "old")
    cleaned, report = clean(frame, GAPS)
    assert (cleaned["P_a2"] == frame["P_a2"]).all()
    assert (cleaned["P_b1"] == 10 - frame["P_b1"]).all()
    assert report.reversed == ("a2", "b1", "old")
    assert [note.en for note in report.notes] == [
        "not turned again, the table says they are: a2",
        "turned before, but no reverse items of the codebook: old",
    ]


def test_every_change_is_listed():
    frame = small(
        a1=pd.Series(["don't know", "often"]), a3=pd.Series(["5 - agree", 4], dtype=object)
    )
    frame.attrs["source"] = "x"
    before = frame.copy()
    cleaned, report = clean(frame, SMALL, on_error="missing")
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == {"source": "x"}
    rows = report.changes.astype(object).where(report.changes.notna(), None).to_numpy().tolist()
    assert rows == [
        [0, "a1", "don't know", -99.0, "answer_label"],
        [0, "a1", -99.0, None, "declared_missing"],
        [0, "a3", "5 - agree", 5.0, "answer_label"],
        [0, "a3", 5.0, 3.0, "reversed"],
        [1, "a1", "often", None, "not_a_number"],
    ]  # a 4 that is turned is a 4
    assert cleaned.attrs == {"source": "x", "reversed": ("a3",)}
    assert report.table is report.changes


def test_what_is_no_answer_is_not_touched():
    frame = gaps().assign(id=["007", "1", "2", "3", "4", "5"], branch=pd.Categorical(["n"] * 6))
    frame = frame[frame.columns[::-1]].set_index(pd.Index(list("zyxwvu"), name="who"))
    cleaned, _ = clean(frame, GAPS)
    assert cleaned.columns.tolist() == frame.columns.tolist()
    assert cleaned.index.equals(frame.index)
    for column in ("id", "seconds", "branch"):
        pd.testing.assert_series_equal(cleaned[column], frame[column])


def test_errors_of_dropped_respondents_do_not_count():
    frame = gaps().astype({"P_a1": object})
    frame.loc[0, "P_a1"] = "x"
    frame["seconds"] = [5, *[200] * 5]
    with pytest.raises(DataError, match="row 0, column 'P_a1': 'x' is not a number"):
        clean(frame, GAPS)
    cleaned, listed = clean(frame, GAPS, min_seconds=60)
    assert len(cleaned) == 5
    assert 0 not in listed.changes["row"].tolist()


def test_a_wrong_value_is_no_missing_one_unless_asked():
    frame = gaps().astype({"P_a1": object})
    frame.loc[0, "P_a1"] = "x"
    with pytest.raises(DataError, match="'x' is not a number"):
        clean(frame, GAPS, max_missing=0.05)
    assert clean(frame, GAPS, max_missing=0.05, on_error="missing")[1].n_after == 5


def test_one_respondent():
    report = check(gaps(1), GAPS)
    assert kinds(report) == {}
    cleaned, _ = clean(gaps(1), GAPS)
    assert cleaned.shape == (1, 15)


def test_all_missing():
    frame = gaps().assign(**dict.fromkeys(GAPS.answer_columns, np.nan))
    report = check(frame, GAPS)
    assert kinds(report) == {"all_missing": 6, "missing_item": 10}
    assert {p.severity for p in report.problems} == {"warning"}
    assert clean(frame, GAPS)[0][list(GAPS.answer_columns)].isna().all(axis=None)
    with pytest.raises(DataError, match=r"all 6 respondents would be dropped.*missing_respondent"):
        clean(frame, GAPS, max_missing=0.5)


def test_index_with_duplicates_names_the_number_too():
    frame = gaps().set_index(pd.Index([1, 1, 2, 2, 3, 3]))
    frame["P_a1"] = [4, 9, 4, 4, 4, 4]
    with pytest.raises(DataError, match=r"row 1 \(number 2\), column 'P_a1': 9 is outside"):
        clean(frame, GAPS)
    cleaned, report = clean(frame, GAPS, on_error="missing")
    assert cleaned["P_a1"].isna().tolist() == [False, True, False, False, False, False]
    assert cleaned.index.tolist() == [1, 1, 2, 2, 3, 3]
    assert report.n_after == 6


def test_other_tables_are_taken():
    table = pl.DataFrame(small(a1=[1, 9]).to_dict("list"))
    assert problems_of(check(table, SMALL), "out_of_range") == [(1, "a1", 9)]
    assert clean(table, SMALL, on_error="missing")[0]["a3"].tolist() == [3.0, 2.0]


def test_wrong_options():
    with pytest.raises(
        CxError, match="on_error='drop' is not allowed; allowed: 'raise', 'missing'"
    ):
        clean(small(), SMALL, on_error="drop")
    with pytest.raises(CxError, match=r"straight_line_items=3 is not allowed; .* from 5"):
        check(small(), SMALL, straight_line_items=3)
    with pytest.raises(DataError, match=r"min_seconds.*column 'seconds' is missing from the table"):
        clean(gaps().drop(columns="seconds"), GAPS, min_seconds=60)


# ------------------------------------------------------------------ reports


def test_clean_report_reads_in_both_languages():
    frame = gaps().assign(seconds=[5, *[200] * 5])
    frame["P_a1"] = [1, 99, 3, 4, 5, 6]
    _, report = clean(frame, GAPS, min_seconds=60, on_error="missing")
    english = report.summary()
    assert english.startswith("6 respondents before, 5 after; ")
    assert "1  outside the scale: made missing" in english
    assert "reverse items that stand turned: a2, b1" in english
    assert "0: answered too fast" in english
    assert "0：作答时间过短" in report.summary("zh")
    assert str(report) == english
    assert "<pre>" in report._repr_html_()


# ------------------------------------------------------------------ properties


@settings(deadline=None)  # timings never decide a test
@given(tables)
def test_a_cleaned_table_is_ok_and_stays_as_it_is(frame):
    cleaned, report = clean(frame, SMALL, on_error="missing")
    assert check(cleaned, SMALL).ok
    assert check(cleaned, SMALL).counts["declared_missing"] == 0
    again, second = clean(cleaned, SMALL)
    pd.testing.assert_frame_equal(again, cleaned)
    assert second.changes.empty
    values = cleaned.to_numpy()
    values = values[~np.isnan(values)]
    assert ((values >= 1) & (values <= 7) & (values == np.rint(values))).all()
    # Every change from the raw cell to the cleaned one is in the report, and no other.
    listed = set(zip(report.changes["row"], report.changes["column"], strict=True))
    for (row, column), after in cleaned.stack(future_stack=True).items():
        raw = frame.loc[row, column]
        same = (pd.isna(raw) or raw == "") if np.isnan(after) else raw in (after, f"{after:g}")
        assert ((row, column) in listed) is not same or isinstance(raw, bool)


@settings(deadline=None)  # timings never decide a test
@given(valid_tables)
def test_turning_twice_is_the_identity(frame):
    cleaned, _ = clean(frame, FIVE)
    back = cleaned.copy()
    back[["q2", "q3"]] = 1 + 5 - back[["q2", "q3"]]
    pd.testing.assert_frame_equal(back, frame)


def test_permuting_the_rows_permutes_the_cleaned_table():
    frame = gaps(40)
    shuffled = frame.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        clean(shuffled, GAPS)[0], clean(frame, GAPS)[0].loc[shuffled.index]
    )


def test_who_has_no_readable_duration_is_kept_and_said():
    book = Codebook(scale=(1, 7), constructs={"A": ["a", "b"]}, duration="sec")
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 2, 3, 5], "sec": [9, "fast", None, 300]})
    cleaned, report = clean(frame, book, min_seconds=60)
    assert cleaned.index.tolist() == [1, 2, 3]
    assert "2 respondents kept whose 'sec' cannot be read" in report.summary()


# ------------------------------------------------------------------ labels, questions, groups


def test_codes_are_applied_whatever_the_type_of_the_cell():
    """Codes declared for numbers: one stray text elsewhere in the column changed nothing."""
    book = Codebook(
        scale=(1, 5), constructs={"S": ["q1", "q2", "q3"]},
        answers={1: 5, 2: 4, 3: 3, 4: 2, 5: 1, "N/A": -9}, missing=[-9],
    )  # fmt: skip
    frame = pd.DataFrame({
        "q1": [1, 1, 2, 1, 5], "q2": ["1", "1.0", "2", "N/A", " 5"],
        "q3": pd.Series([1.0, "１", Decimal("2"), np.int64(1), 5.0], dtype=object),
    })  # fmt: skip
    table, report = clean(frame, book)
    assert table["q1"].tolist() == [5, 5, 4, 5, 1]
    assert table["q3"].tolist() == [5, 5, 4, 5, 1]
    np.testing.assert_array_equal(table["q2"], [5, 5, 4, np.nan, 1])
    again, second = clean(table, book)
    pd.testing.assert_frame_equal(again, table)
    assert second.changes.empty
    assert report.changes["reason"].tolist().count("answer_label") == 15
    assert len(report.changes) == 16  # "N/A" stands for -9, which is no answer


@pytest.mark.parametrize("label", ["agree", "Agree ", "AGREE", "Ａｇｒｅｅ", "\u00a0Agree"])
def test_a_label_is_known_by_its_look(label):
    book = Codebook(scale=(1, 5), constructs={"S": ["q"]}, answers={"Agree": 4})
    table, _ = clean(pd.DataFrame({"q": [label, "５", 5]}), book)
    assert table["q"].tolist() == [4, 5, 5]


def test_labels_that_look_alike_and_differ_stand_for_what_is_written():
    book = Codebook(scale=(1, 5), constructs={"S": ["q"]}, answers={"ok": 3, "OK": 5})
    table, _ = clean(pd.DataFrame({"q": ["ok", "OK"]}), book)
    assert table["q"].tolist() == [3, 5]
    with pytest.raises(DataError, match="'Ok' is not a number"):
        clean(pd.DataFrame({"q": ["Ok"]}), book)


def test_a_construct_has_its_own_labels():
    book = Codebook(
        scale={"default": (1, 5), "F": (1, 4)}, constructs={"S": ["s"], "F": ["f"]},
        answers={"yes": 5, "F": {"yes": 1, "often": 4}},
    )  # fmt: skip
    table, _ = clean(pd.DataFrame({"s": ["yes"] * 2, "f": ["yes", "often"]}), book)
    assert table.values.tolist() == [[5, 1], [5, 4]]
    with pytest.raises(DataError, match="row 0, column 's': 'often' is not a number"):
        clean(pd.DataFrame({"s": ["often"], "f": [1]}), book)


def test_rated_questions_are_read_with_their_own_scale_and_direction():
    book = Codebook(questions={
        "nps": {"kind": "nps", "column": "recommend"},
        "overall": {"kind": "csat", "column": "s", "scale": [1, 5], "best": "low",
                    "answers": {"very good": 1}},
    })  # fmt: skip
    frame = pd.DataFrame({"recommend": ["10", 0, 11], "s": ["Very good", 5, 2]})
    report = check(frame, book)
    assert [p.message.en for p in report.errors] == [
        "row 2, column 'recommend': 11 is outside the scale; allowed: whole numbers from 0 to 10"
    ]
    table, changes = clean(frame, book, on_error="missing")
    assert table["s"].tolist() == [5, 1, 4]
    assert changes.reversed == ("overall",)
    again, _ = clean(table, book)
    assert again["s"].tolist() == [5, 1, 4]


def test_groups_get_the_name_that_the_codebook_declares():
    book = Codebook(scale=(1, 5), constructs={"S": ["q"]},
                    groups={"branch": {"same": {"north ": "North"}}})  # fmt: skip
    frame = pd.DataFrame({"q": [1, 2, 3], "branch": ["north ", "North", None]})
    table, report = clean(frame, book)
    assert table["branch"].tolist()[:2] == ["North", "North"]
    assert table["branch"].isna().tolist() == [False, False, True]
    assert report.changes.values.tolist() == [[0, "branch", "north ", "North", "group_name"]]
    assert frame["branch"][0] == "north "
