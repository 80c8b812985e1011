"""Checking and cleaning: every problem named, every change listed, nothing else touched."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError, DataError
from cxstats.survey.clean import check, clean
from cxstats.survey.codebook import Codebook
from cxstats.survey.report import KINDS

SMALL = Codebook(
    scale=(1, 7),
    constructs={"A": ["a1", "a2", "a3"], "B": ["b1"]},
    reverse=["a3"],
    answers={"非常同意": 7, "5 - agree": 5, "don't know": -99},
    missing=[-99, 8],
)
GAPS = Codebook(
    scale={"default": (1, 7), "B": (0, 10)},
    constructs={"A": ["a1", "a2", "a3", "a4"], "B": ["b1"]},
    perception="P_{item}",
    expectation="E_{item}",
    importance="W_{construct}",
    reverse=["a2", "b1"],
    respondent="id",
    duration="seconds",
    other=["branch"],
)


def small(**columns):
    return pd.DataFrame({"a1": [1, 2], "a2": [3, 4], "a3": [5, 6], "b1": [2, 7]} | columns)


def gaps(n=6, seed=1):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"id": [f"r{i}" for i in range(n)], "seconds": [200 + i for i in range(n)]}
    )
    for column in GAPS.answer_columns:
        frame[column] = rng.integers(1, 8, n)
    return frame.assign(W_A=60, W_B=40, branch="north")


def found(report, kind):
    return [(p.row, p.column, p.value) for p in report.problems if p.kind == kind]


def kinds(report):
    return {kind: n for kind, n in report.counts.items() if n}


# ------------------------------------------------------------------ single cells


@pytest.mark.parametrize(
    ("value", "kind", "severity", "message"),
    [
        (
            "often",
            "not_a_number",
            "error",
            "row 1, column 'a1': 'often' is not a number; allowed: ",
        ),
        ("NA", "not_a_number", "error", "'NA' is not a number; allowed: whole numbers from 1 to 7"),
        ("3,5", "not_a_number", "error", "'3,5' is not a number"),
        ("inf", "not_a_number", "error", "'inf' is not a number"),
        ("  ", "not_a_number", "error", "'  ' is not a number"),
        (True, "not_a_number", "error", "column 'a1': True is not a number"),
        ([3], "not_a_number", "error", r"column 'a1': \[3\] is not a number"),
        (3 + 0j, "not_a_number", "error", "is not a number"),
        (10**400, "not_a_number", "error", "is not a number"),
        (np.inf, "infinite", "error", "row 1, column 'a1': inf is infinite; allowed: whole"),
        (Decimal("-Infinity"), "infinite", "error", "is infinite"),
        (9, "out_of_range", "error", "column 'a1': 9 is outside the scale; .* from 1 to 7"),
        (0, "out_of_range", "error", "column 'a1': 0 is outside the scale"),
        (7.5, "out_of_range", "error", "column 'a1': 7.5 is outside the scale"),
        ("9", "out_of_range", "error", "column 'a1': '9' is outside the scale"),
        (3.5, "not_on_scale", "error", "column 'a1': 3.5 is not a point of the scale"),
        (Decimal("3.5"), "not_on_scale", "error", r"Decimal\('3.5'\) is not a point of the scale"),
        ("非常同意", "answer_label", "warning", "'非常同意' is an answer label for 7; allowed: "),
        ("5 - agree", "answer_label", "warning", "is an answer label for 5"),
        (8, "declared_missing", "note", "column 'a1': 8 means that there is no answer"),
        ("-99", "declared_missing", "note", "'-99' means that there is no answer; .*-99, 8"),
    ],
)
def test_a_cell_is_named_with_row_column_value_and_allowed(value, kind, severity, message):
    frame = small(a1=pd.Series([4, value], dtype=object))
    report = check(frame, SMALL)
    (problem,) = [p for p in report.problems if p.kind == kind]
    assert (problem.severity, problem.row, problem.column) == (severity, 1, "a1")
    assert problem.value is value or problem.value == value
    assert report.ok is (severity != "error")
    assert "from 1 to 7" in problem.allowed
    with pytest.raises(DataError, match=message):
        raise DataError(problem.message)
    if severity == "error":
        with pytest.raises(DataError, match=message):
            clean(frame, SMALL)


@pytest.mark.parametrize("value", [5, 5.0, "5", " 5", "5.0", Decimal(5), np.int8(5), np.float32(5)])
def test_what_reads_as_five_is_five(value):
    frame = small(a1=pd.Series([4, value], dtype=object))
    assert check(frame, SMALL).ok
    cleaned, report = clean(frame, SMALL)
    assert cleaned["a1"].tolist() == [4.0, 5.0]
    assert "a1" not in set(report.changes["column"])
    told = "numbers that were written as text: a1 (1)"
    assert (told in report.notes) is isinstance(value, str)


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT, "", Decimal("NaN")])
def test_what_is_missing_is_missing(value):
    frame = small(a1=pd.Series([4, value], dtype=object))
    report = check(frame, SMALL)
    assert kinds(report) == {"missing_respondent": 1, "missing_item": 1}
    assert found(report, "missing_respondent") == [(1, None, 1)]
    assert found(report, "missing_item") == [(None, "a1", 1)]
    assert clean(frame, SMALL)[0]["a1"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "dtype", ["Int64", "Float32", "string", "category", "object", "int8", "int64[pyarrow]", "str"]
)
def test_types_of_columns(dtype):
    frame = small().astype(dtype)
    assert check(frame, SMALL).ok
    cleaned, _ = clean(frame, SMALL)
    assert cleaned.dtypes.unique().tolist() == [np.dtype("float64")]
    assert cleaned.to_numpy().tolist() == [[1, 3, 3, 2], [2, 4, 2, 7]]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "string", "category", "boolean"])
def test_types_of_columns_with_missing_values(dtype):
    values = [None, True] if dtype == "boolean" else [None, "2" if dtype == "string" else 2]
    frame = small(
        a1=pd.array(values, dtype=dtype) if dtype != "category" else pd.Categorical(values)
    )
    report = check(frame, SMALL)
    assert found(report, "missing_item") == [(None, "a1", 1)]
    assert report.ok is (dtype != "boolean")


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


def test_one_and_true_are_told_apart():
    frame = small(a1=pd.Series([1, True], dtype=object))
    assert found(check(frame, SMALL), "not_a_number") == [(1, "a1", True)]


def test_a_scale_of_floats_is_continuous():
    book = Codebook(scale=(0.0, 1.0), constructs={"A": ["x"]})
    assert check(pd.DataFrame({"x": [0.25, 1]}), book).ok
    with pytest.raises(DataError, match=r"1\.5 is outside the scale; allowed: numbers from 0 to 1"):
        clean(pd.DataFrame({"x": [0.25, 1.5]}), book)


def test_each_construct_has_its_scale():
    frame = gaps().assign(P_b1=10, E_b1=0, P_a1=[8, *[4] * 5])
    assert found(check(frame, GAPS), "out_of_range") == [(0, "P_a1", 8)]


# ------------------------------------------------------------------ columns


def test_columns_that_are_missing_or_not_declared():
    frame = gaps().drop(columns=["P_a2", "branch", "W_B"]).assign(extra=1)
    problems = {(p.kind, p.severity, p.column) for p in check(frame, GAPS).problems}
    assert {
        ("missing_column", "error", "P_a2"),
        ("missing_column", "warning", "branch"),
        ("missing_column", "warning", "W_B"),
        ("undeclared_column", "note", "extra"),
    } <= problems
    for on_error in ("raise", "missing"):
        with pytest.raises(DataError, match="column 'P_a2' is missing from the table"):
            clean(frame, GAPS, on_error=on_error)


def test_no_column_at_all():
    report = check(pd.DataFrame({"x": [1, 2]}), GAPS)
    assert report.counts["missing_column"] == len(GAPS.all_columns)
    assert report.counts["undeclared_column"] == 1
    assert not report.ok


def test_duplicated_columns():
    frame = pd.concat([small(), small()[["a1"]], small()[["a1"]].set_axis(["z"], axis=1)], axis=1)
    report = check(frame, SMALL)
    assert found(report, "duplicated_column") == [(None, "a1", None)]
    with pytest.raises(DataError, match="column 'a1' stands in the table 2 times"):
        clean(frame, SMALL, on_error="missing")


def test_a_doubled_column_that_is_not_declared_does_not_matter():
    frame = pd.concat([small(), small()[["a1", "a1"]].set_axis(["z", "z"], axis=1)], axis=1)
    assert check(frame, SMALL).ok
    assert clean(frame, SMALL)[0].columns.tolist() == ["a1", "a2", "a3", "b1", "z", "z"]


# ------------------------------------------------------------------ respondents and items


def test_points():
    frame = gaps().assign(W_A=[60, 60.01, 50, -20, np.nan, "x"], W_B=[40, 40, 40, 120, np.nan, 100])
    report = check(frame, GAPS)
    points = [p for p in report.problems if p.kind == "points_not_100"]
    assert [(p.severity, p.row, p.column, p.value) for p in points] == [
        ("error", 3, "W_A", -20),
        ("warning", 2, "W_A ... W_B", 90.0),
    ]
    assert points[1].message.startswith("row 2, column 'W_A ... W_B': 90 is the sum of the points")
    assert found(report, "not_a_number") == [(5, "W_A", "x")]
    with pytest.raises(DataError, match=r"row 3, column 'W_A': -20 is negative; .*\(and 1 more\)"):
        clean(frame, GAPS)
    cleaned, listed = clean(frame, GAPS, on_error="missing")
    assert cleaned["W_A"].isna().tolist() == [False, False, False, True, True, True]
    reasons = listed.changes.loc[listed.changes["column"] == "W_A", "reason"].tolist()
    assert reasons == ["points_not_100", "not_a_number"]


def test_missing_answers_by_respondent_and_item():
    frame = gaps().astype(dict.fromkeys(GAPS.answer_columns, float))
    frame.loc[1, ["P_a1", "E_a1"]] = np.nan
    frame.loc[4, list(GAPS.answer_columns)] = np.nan
    report = check(frame, GAPS, max_missing=0.1)
    assert found(report, "missing_respondent") == [(1, None, 2)]
    assert found(report, "all_missing") == [(4, None, 10)]
    assert (None, "P_a1", 2) in found(report, "missing_item")
    assert [p.severity for p in report.problems if p.row == 1] == ["warning"]
    assert [p.severity for p in check(frame, GAPS).problems if p.row == 1] == ["note"]
    # The limit itself is allowed: 2 of 10 answers.
    assert [p.severity for p in check(frame, GAPS, max_missing=0.2).problems if p.row == 1] == [
        "note"
    ]
    cleaned, listed = clean(frame, GAPS, max_missing=0.2)
    assert listed.dropped.to_numpy().tolist() == [[4, "r4", "missing_respondent"]]
    assert cleaned.index.tolist() == [0, 1, 2, 3, 5]
    assert clean(frame, GAPS, max_missing=0.1)[1].n_after == 4


def test_constant_item():
    frame = gaps().assign(P_a1=4)
    assert found(check(frame, GAPS), "constant_item") == [(None, "P_a1", 4.0)]


def test_times():
    frame = gaps().assign(seconds=[100, 0, -5, 59.9, np.nan, "60"])
    assert found(check(frame, GAPS), "too_fast") == [(1, "seconds", 0.0), (2, "seconds", -5.0)]
    fast = [row for row, _, _ in found(check(frame, GAPS, min_seconds=60), "too_fast")]
    assert fast == [1, 2, 3]
    cleaned, listed = clean(frame, GAPS, min_seconds=60)
    assert cleaned["id"].tolist() == ["r0", "r4", "r5"]
    assert cleaned["seconds"].tolist()[2] == "60"
    assert listed.dropped["reason"].tolist() == ["too_fast"] * 3
    assert clean(frame, GAPS)[1].n_after == 6


def test_a_time_that_is_no_number_is_a_warning():
    frame = gaps().assign(seconds=[100, "two minutes", 1, 1, 1, 1])
    report = check(frame, GAPS)
    assert found(report, "not_a_number") == [(1, "seconds", "two minutes")]
    assert report.ok


def test_straight_lining_is_told_by_role():
    frame = gaps()
    frame.loc[2, list(GAPS.columns("perception"))] = 4
    report = check(frame, GAPS)
    assert found(report, "straight_lining") == [(2, "P_a1 ... P_b1", 5)]
    assert "(perception)" in next(p for p in report.problems if p.row == 2).message
    # The expectations vary: the respondent stays.
    assert clean(frame, GAPS, drop_straight_lining=True)[1].n_after == 6
    frame.loc[2, list(GAPS.columns("expectation"))] = 7
    assert len(found(check(frame, GAPS), "straight_lining")) == 2
    _, listed = clean(frame, GAPS, drop_straight_lining=True)
    assert listed.dropped.to_numpy().tolist() == [[2, "r2", "straight_lining"]]


def test_straight_lining_by_the_longest_run():
    book = Codebook(scale=(1, 5), constructs={"A": [f"q{i}" for i in range(8)]})
    rows = [
        [3, 3, 3, 3, 3, 1, 2, 1],  # a run of 5
        [3, 3, 3, 1, 3, 3, 3, 3],  # seven threes, a run of 4
        [1, 2, 4, 4, 4, 4, 4, 4],  # a run of 6
        [3, 3, 3, np.nan, 3, 3, 3, 3],  # a gap ends a run
        [2] * 8,
    ]
    frame = pd.DataFrame(rows, columns=book.items)

    def runs(k):
        return [(row, n) for row, _, n in found(check(frame, book, straight_line_items=k), LINE)]

    assert runs(None) == [(4, 8)]
    assert runs(5) == [(0, 5), (2, 6), (4, 8)]
    assert runs(6) == [(2, 6), (4, 8)]


LINE = "straight_lining"


def test_a_short_block_is_no_straight_line():
    assert kinds(check(small().assign(a1=4, a2=4, a3=4, b1=4), SMALL)) == {"constant_item": 4}


def test_straight_lining_is_seen_behind_turned_items():
    frame = gaps()
    frame.loc[2, list(GAPS.answer_columns)] = 3
    cleaned, _ = clean(frame, GAPS)
    assert cleaned.loc[2, "P_a2"] == 5  # 1 + 7 - 3
    assert len(found(check(cleaned, GAPS), LINE)) == 2


def test_duplicates():
    frame = pd.concat([gaps(), gaps().iloc[[1, 3]]], ignore_index=True)
    frame["id"] = ["a", "b", "c", "d", "e", "a", "x", "d"]
    report = check(frame, GAPS)
    assert found(report, "duplicate_respondent") == [(5, "id", "a"), (7, "id", "d")]
    assert found(report, "duplicate_row") == [(6, None, None), (7, None, None)]
    messages = [p.message for p in report.problems if p.kind.startswith("duplicate_")]
    assert "row 5, column 'id': 'a' stands in row 0 too; allowed: once" in messages
    assert clean(frame, GAPS)[1].n_after == 8
    cleaned, listed = clean(frame, GAPS, drop_duplicates=True)
    assert cleaned.index.tolist() == [0, 1, 2, 3, 4]
    assert listed.dropped["reason"].tolist() == [
        "duplicate_respondent",
        "duplicate_row",
        "duplicate_respondent; duplicate_row",
    ]


def test_a_duplicate_of_a_dropped_respondent_stays():
    frame = pd.concat([gaps(2), gaps(2)], ignore_index=True).assign(seconds=[5, 200, 200, 200])
    _, listed = clean(frame, GAPS, drop_duplicates=True, min_seconds=60)
    assert dict(zip(listed.dropped["row"], listed.dropped["reason"], strict=True)) == {
        0: "too_fast",
        3: "duplicate_respondent; duplicate_row",
    }


def test_missing_identifiers_are_no_duplicates():
    frame = gaps().assign(id=[None, np.nan, "", "1", 1, 2])
    assert found(check(frame, GAPS), "duplicate_respondent") == [(4, "id", 1)]


def test_equal_rows_of_few_or_constant_answers_are_no_duplicates():
    assert check(pd.concat([small(), small()]), SMALL).counts["duplicate_row"] == 0
    frame = gaps()
    frame[list(GAPS.answer_columns)] = 4
    report = check(frame, GAPS)
    assert report.counts["duplicate_row"] == 0
    assert report.counts[LINE] == 12


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
    assert second.notes == ("not turned again, the table says they are: a2, b1",)
    assert again.attrs["reversed"] == ("a2", "b1")


def test_items_that_are_not_turned_yet_are_turned():
    frame = gaps()
    frame.attrs["reversed"] = ("a2", "old")
    cleaned, report = clean(frame, GAPS)
    assert (cleaned["P_a2"] == frame["P_a2"]).all()
    assert (cleaned["P_b1"] == 10 - frame["P_b1"]).all()
    assert report.reversed == ("a2", "b1", "old")
    assert report.notes == (
        "not turned again, the table says they are: a2",
        "turned before, but no reverse items of the codebook: old",
    )


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
    assert found(check(table, SMALL), "out_of_range") == [(1, "a1", 9)]
    assert clean(table, SMALL, on_error="missing")[0]["a3"].tolist() == [3.0, 2.0]


@pytest.mark.parametrize("run", [check, clean])
@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (small().iloc[:0], {}, "the table has no rows"),
        (pd.DataFrame(), {}, "the table has no rows"),
        ([1, 2], {}, "type 'list' cannot be read"),
        (small(), {"min_seconds": 60}, "the codebook has no 'duration'"),
        (small(), {"min_seconds": -1}, "min_seconds=-1 is not allowed; allowed: seconds"),
        (small(), {"min_seconds": float("nan")}, "min_seconds=nan is not allowed"),
        (
            small(),
            {"max_missing": 20},
            "max_missing=20 is not allowed; allowed: a share from 0 to 1",
        ),
    ],
)
def test_what_cannot_be_asked(run, frame, options, message):
    with pytest.raises(CxError, match=message):
        run(frame, SMALL, **options)


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


def test_check_report_reads_in_both_languages():
    frame = small(a1=["<b>", "非常同意"])
    report = check(frame, SMALL)
    assert report.counts == dict.fromkeys(KINDS, 0) | {"not_a_number": 1, "answer_label": 1}
    table = report.table
    assert table.columns.tolist() == [
        *("kind", "severity", "row", "column", "value", "allowed", "message")
    ]
    assert table["value"].tolist() == ["<b>", "非常同意"]
    english, chinese = report.summary().splitlines(), report.summary("zh").splitlines()
    assert english[0] == "2 respondents, 4 answer columns; errors: 1, warnings: 1, notes: 0"
    assert english[1:3] == [
        "       1  error: not a number",
        "       1  warning: answer label in place of a number",
    ]
    assert chinese[1] == "       1  错误: 不是数字"
    assert "&lt;b&gt;" in report._repr_html_()
    assert "<b>" not in report._repr_html_()
    with pytest.raises(AttributeError):
        report.n_rows = 3


def test_a_long_summary_counts_what_it_leaves_out():
    frame = pd.DataFrame(9, index=range(25), columns=["a1", "a2", "a3", "b1"])
    report = check(frame, SMALL)
    assert len(report.problems) == 100
    assert "and 80 more: see .table" in report.summary()


def test_empty_report_has_its_columns():
    report = check(gaps(), GAPS)
    assert report.problems == ()
    assert report.ok
    assert report.table.columns.tolist()[:3] == ["kind", "severity", "row"]


def test_clean_report_reads_in_both_languages():
    frame = gaps().assign(seconds=[5, *[200] * 5])
    frame["P_a1"] = [1, 99, 3, 4, 5, 6]
    _, report = clean(frame, GAPS, min_seconds=60, on_error="missing")
    english = report.summary()
    assert english.startswith("6 respondents before, 5 after; ")
    assert "1  outside the scale: made missing" in english
    assert "reverse items that stand turned: a2, b1" in english
    assert "0: answered too fast" in english
    assert "0: 作答时间过短" in report.summary("zh")
    assert str(report) == english
    assert "<pre>" in report._repr_html_()


# ------------------------------------------------------------------ properties

cells = st.one_of(
    st.integers(-2, 10),
    st.floats(allow_nan=True),
    st.none(),
    st.booleans(),
    st.sampled_from(["非常同意", "don't know", "5", "NA", "", "3,5", Decimal("2.5"), pd.NA]),
)
tables = st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=8).map(
    lambda rows: pd.DataFrame(rows, columns=["a1", "a2", "a3", "b1"], dtype=object)
)
FIVE = Codebook(scale=(1, 5), constructs={"A": ["q1", "q2"], "B": ["q3"]}, reverse=["q2", "q3"])
valid = st.one_of(st.none(), st.integers(1, 5))
valid_tables = st.lists(st.tuples(valid, valid, valid), min_size=1, max_size=8).map(
    lambda rows: pd.DataFrame(rows, columns=["q1", "q2", "q3"], dtype=float)
)


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


@settings(deadline=None)  # timings never decide a test
@given(tables, st.randoms(use_true_random=False))
def test_permuting_the_rows_permutes_the_problems(frame, random):
    order = list(frame.index)
    random.shuffle(order)

    def problems(table):
        return Counter(
            (p.kind, p.severity, p.row, p.column, repr(p.value), p.message)
            for p in check(table, SMALL).problems
        )

    assert problems(frame.loc[order]) == problems(frame)


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
