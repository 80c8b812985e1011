"""Checking: every problem named, with row, column, value and what is allowed."""

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError, DataError
from cxstats.core.language import set_language
from cxstats.survey.check import KINDS, check
from cxstats.survey.clean import clean
from cxstats.survey.codebook import Codebook
from tests.survey.questionnaires import (
    GAPS,
    SMALL,
    gaps,
    kinds,
    problems_of,
    small,
    tables,
    with_every_problem,
)

LINE = "straight_lining"


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
    assert "from 1 to 7" in problem.allowed.en
    with pytest.raises(DataError, match=message):
        raise DataError(problem.message.en)
    if severity == "error":
        with pytest.raises(DataError, match=message):
            clean(frame, SMALL)


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT, "", Decimal("NaN")])
def test_what_is_missing_is_missing(value):
    frame = small(a1=pd.Series([4, value], dtype=object))
    report = check(frame, SMALL)
    assert kinds(report) == {"missing_respondent": 1, "missing_item": 1}
    assert problems_of(report, "missing_respondent") == [(1, None, 1)]
    assert problems_of(report, "missing_item") == [(None, "a1", 1)]
    assert clean(frame, SMALL)[0]["a1"].isna().tolist() == [False, True]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "string", "category", "boolean"])
def test_types_of_columns_with_missing_values(dtype):
    values = [None, True] if dtype == "boolean" else [None, "2" if dtype == "string" else 2]
    frame = small(
        a1=pd.array(values, dtype=dtype) if dtype != "category" else pd.Categorical(values)
    )
    report = check(frame, SMALL)
    assert problems_of(report, "missing_item") == [(None, "a1", 1)]
    assert report.ok is (dtype != "boolean")


def test_one_and_true_are_told_apart():
    frame = small(a1=pd.Series([1, True], dtype=object))
    assert problems_of(check(frame, SMALL), "not_a_number") == [(1, "a1", True)]


def test_a_scale_of_floats_is_continuous():
    book = Codebook(scale=(0.0, 1.0), constructs={"A": ["x"]})
    assert check(pd.DataFrame({"x": [0.25, 1]}), book).ok
    with pytest.raises(DataError, match=r"1\.5 is outside the scale; allowed: numbers from 0 to 1"):
        clean(pd.DataFrame({"x": [0.25, 1.5]}), book)


def test_each_construct_has_its_scale():
    frame = gaps().assign(P_b1=10, E_b1=0, P_a1=[8, *[4] * 5])
    assert problems_of(check(frame, GAPS), "out_of_range") == [(0, "P_a1", 8)]


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
    assert problems_of(report, "duplicated_column") == [(None, "a1", None)]
    with pytest.raises(DataError, match="column 'a1' stands in the table 2 times"):
        clean(frame, SMALL, on_error="missing")


# ------------------------------------------------------------------ respondents and items


def test_points():
    frame = gaps().assign(W_A=[60, 60.01, 50, -20, np.nan, "x"], W_B=[40, 40, 40, 120, np.nan, 100])
    report = check(frame, GAPS)
    points = [p for p in report.problems if p.kind == "points_not_100"]
    assert [(p.severity, p.row, p.column, p.value) for p in points] == [
        ("error", 3, "W_A", -20),
        ("warning", 2, "W_A ... W_B", 90.0),
    ]
    assert points[1].message.en.startswith(
        "row 2, column 'W_A ... W_B': 90 is the sum of the points"
    )
    assert problems_of(report, "not_a_number") == [(5, "W_A", "x")]
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
    assert problems_of(report, "missing_respondent") == [(1, None, 2)]
    assert problems_of(report, "all_missing") == [(4, None, 10)]
    assert (None, "P_a1", 2) in problems_of(report, "missing_item")
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
    assert problems_of(check(frame, GAPS), "constant_item") == [(None, "P_a1", 4.0)]


def test_times():
    frame = gaps().assign(seconds=[100, 0, -5, 59.9, np.nan, "60"])
    assert problems_of(check(frame, GAPS), "too_fast") == [
        (1, "seconds", 0.0),
        (2, "seconds", -5.0),
    ]
    fast = [row for row, _, _ in problems_of(check(frame, GAPS, min_seconds=60), "too_fast")]
    assert fast == [1, 2, 3]
    cleaned, listed = clean(frame, GAPS, min_seconds=60)
    assert cleaned["id"].tolist() == ["r0", "r4", "r5"]
    assert cleaned["seconds"].tolist()[2] == "60"
    assert listed.dropped["reason"].tolist() == ["too_fast"] * 3
    assert clean(frame, GAPS)[1].n_after == 6


def test_a_time_that_is_no_number_is_a_warning():
    frame = gaps().assign(seconds=[100, "two minutes", 1, 1, 1, 1])
    report = check(frame, GAPS)
    assert problems_of(report, "not_a_number") == [(1, "seconds", "two minutes")]
    assert report.ok


def test_straight_lining_is_told_by_role():
    frame = gaps()
    frame.loc[2, list(GAPS.columns("perception"))] = 4
    report = check(frame, GAPS)
    assert problems_of(report, "straight_lining") == [(2, "P_a1 ... P_b1", 5)]
    assert "(perception)" in next(p for p in report.problems if p.row == 2).message.en
    # The expectations vary: the respondent stays.
    assert clean(frame, GAPS, drop_straight_lining=True)[1].n_after == 6
    frame.loc[2, list(GAPS.columns("expectation"))] = 7
    assert len(problems_of(check(frame, GAPS), "straight_lining")) == 2
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
        return [
            (row, n) for row, _, n in problems_of(check(frame, book, straight_line_items=k), LINE)
        ]

    assert runs(None) == [(4, 8)]
    assert runs(5) == [(0, 5), (2, 6), (4, 8)]
    assert runs(6) == [(2, 6), (4, 8)]


def test_a_short_block_is_no_straight_line():
    assert kinds(check(small().assign(a1=4, a2=4, a3=4, b1=4), SMALL)) == {"constant_item": 4}


def test_straight_lining_is_seen_behind_turned_items():
    frame = gaps()
    frame.loc[2, list(GAPS.answer_columns)] = 3
    cleaned, _ = clean(frame, GAPS)
    assert cleaned.loc[2, "P_a2"] == 5  # 1 + 7 - 3
    assert len(problems_of(check(cleaned, GAPS), LINE)) == 2


def test_duplicates():
    frame = pd.concat([gaps(), gaps().iloc[[1, 3]]], ignore_index=True)
    frame["id"] = ["a", "b", "c", "d", "e", "a", "x", "d"]
    report = check(frame, GAPS)
    assert problems_of(report, "duplicate_respondent") == [(5, "id", "a"), (7, "id", "d")]
    assert problems_of(report, "duplicate_row") == [(6, None, None), (7, None, None)]
    messages = [p.message.en for p in report.problems if p.kind.startswith("duplicate_")]
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
    assert problems_of(check(frame, GAPS), "duplicate_respondent") == [(4, "id", 1)]


def test_equal_rows_of_few_or_constant_answers_are_no_duplicates():
    assert check(pd.concat([small(), small()]), SMALL).counts["duplicate_row"] == 0
    frame = gaps()
    frame[list(GAPS.answer_columns)] = 4
    report = check(frame, GAPS)
    assert report.counts["duplicate_row"] == 0
    assert report.counts[LINE] == 12


# ------------------------------------------------------------------ cleaning


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


def test_labels_are_counted_by_column():
    frame = small(a1=["非常同意", "5 - agree"], a2=["5 - AGREE ", 4])
    problems = [p for p in check(frame, SMALL).problems if p.kind == "answer_label"]
    assert [(p.severity, p.row, p.column, p.value) for p in problems] == [
        ("note", None, "a1", 2),
        ("note", None, "a2", 1),
    ]


def test_a_respondent_is_named_beside_the_row():
    frame = gaps().assign(P_a1=[4, 9, 4, 4, 4, 4])
    (problem,) = [p for p in check(frame, GAPS).problems if p.kind == "out_of_range"]
    assert problem.message.en.endswith("whole numbers from 1 to 7 (respondent 'r1')")
    assert problem.message.zh.endswith("（受访者 'r1'）")
    doubled = gaps().assign(id=["r0"] * 2 + ["r2", "r3", "r4", "r5"])
    (problem,) = [p for p in check(doubled, GAPS).problems if p.kind == "duplicate_respondent"]
    assert "(respondent" not in problem.message.en  # its sentence names it


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["North", "north", "South"], [("north", "North")]),
        (["北京分行", "北京分行", "北京分行 ", "上海分行"], [("北京分行 ", "北京分行")]),
        (["Ｎｏｒｔｈ", "North", "North"], [("Ｎｏｒｔｈ", "North")]),
        (["Shanghai", "Shanghai", "Shangai"], [("Shangai", "Shanghai")]),
        (["Branch 1", "Branch 2", "branch  1"], [("branch  1", "Branch 1")]),
        (["2023", "2024", "A", "B", None, 3.0], []),
        (["Beijing", "Nanjing", "一月", "二月"], []),
        (["2025年第一季度", "2025年第二季度", "第十二营业部", "第十三营业部"], []),
        (["华东第一营业部", "华东第一 营业部"], [("华东第一 营业部", "华东第一营业部")]),
    ],
)
def test_groups_that_look_alike_are_offered(names, pairs):
    book = Codebook(scale=(1, 7), constructs={"A": ["a1"]}, groups=["branch"])
    frame = pd.DataFrame({"a1": 4, "branch": pd.Series(names, dtype=object)})
    problems = [p for p in check(frame, book).problems if p.kind == "alike_groups"]
    names_of_pairs = [(p.details["first"], p.details["second"]) for p in problems]
    assert names_of_pairs == [(repr(first), repr(second)) for first, second in pairs]
    if pairs:
        first, second = pairs[0]
        assert f"groups: {{branch: {{same: {{{first}: {second}}}}}}}" in problems[0].message.en
        merged = replace(book, groups={"branch": {"same": {first: second}}})
        assert not [p for p in check(frame, merged).problems if p.kind == "alike_groups"]


@pytest.mark.parametrize(
    ("cells", "forms"),
    [
        (["2025/3/4", "2025-03-04", "2025年3月4日", "2025-03-05 09:30"], {"-": 2, "/": 1, "年": 1}),
        ([datetime(2025, 3, 4), "2025/3/4", None], {"": 1, "/": 1}),
        (["2025/3/4", "2025/12/31", ""], {}),
        (["2025/3/4", "2025-03-04", "unknown"], {}),
        ([datetime(2025, 3, 4), datetime(2025, 3, 5)], {}),
    ],
)
def test_dates_in_several_forms_are_reported(cells, forms):
    book = Codebook(scale=(1, 7), constructs={"A": ["a1"]}, other=["day"])
    frame = pd.DataFrame({"a1": 4, "day": pd.Series(cells, dtype=object)})
    problems = [p for p in check(frame, book).problems if p.kind == "mixed_dates"]
    assert len(problems) == bool(forms)
    for mark, n in forms.items():
        written = f"with {mark!r} ({n})" if mark else f"dates of Excel ({n})"
        assert written in problems[0].message.en


# ------------------------------------------------------------------ reports


def test_check_report_reads_in_both_languages():
    frame = small(a1=["<b>", "非常同意"])
    report = check(frame, SMALL)
    assert report.counts == dict.fromkeys(KINDS, 0) | {"not_a_number": 1, "answer_label": 1}
    table = report.table
    assert table.columns.tolist() == [
        *("kind", "severity", "row", "column", "value", "allowed", "message")
    ]
    assert table["value"].tolist() == ["<b>", 1]
    english, chinese = report.summary().splitlines(), report.summary("zh").splitlines()
    assert english[0] == "2 respondents, 4 answer columns; errors: 1, warnings: 0, notes: 1"
    assert english[1:3] == [
        "       1  error: not a number",
        "       1  note: answer labels in place of numbers",
    ]
    assert chinese[1] == "       1  错误：不是数字"
    assert "&lt;b&gt;" in report._repr_html_()
    assert "<b>" not in report._repr_html_()
    with pytest.raises(AttributeError):
        report.n_rows = 3


def test_every_message_is_in_both_languages():
    frame, book = with_every_problem()
    report = check(frame, book, max_missing=0.5)
    assert min(report.counts.values()) > 0
    for problem in report.problems:
        for text in (problem.message, problem.allowed):
            assert not re.search(r"[\u3000-\uffff]", text.en)
            assert not re.search(r"[a-z]{2,} [a-z]{2,}", text.zh)
            assert bool(text.en) is bool(text.zh)
        assert re.search(r"[\u4e00-\u9fff]", problem.message.zh)


def test_every_line_of_the_chinese_summaries_is_chinese():
    """Of check and of clean; what the client wrote stands in quotation marks."""
    frame, book = with_every_problem()
    summaries = [check(frame, book, max_missing=0.5).summary("zh")]
    usable = frame.loc[:, ~frame.columns.duplicated()].copy()
    for name in book.answer_columns:
        usable[name] = usable.get(name, np.nan)
    summaries.append(clean(usable, book, on_error="missing")[1].summary("zh"))
    calls = r"cx\.read_survey\([^)]*\)|"
    calls += r"cx\.mask_personal_data|cx\.clean|best: \w+|groups: \{.*\}|选中：[^；]*|ticked、.*d"
    for line in "\n".join(summaries).splitlines():
        bare = re.sub(rf"'[^']*'|“[^”]*”|\"[^\"]*\"|{calls}", "", line)
        latin = set(re.findall(r"[A-Za-z_]{3,}\w*", bare))
        assert latin <= {"inf", *map(str, frame.columns), *book.items}, line


def test_the_table_keeps_english_and_codes_whatever_language_is_set():
    frame, book = with_every_problem()
    report = check(frame, book)
    before = report.table
    set_language("zh")
    try:
        pd.testing.assert_frame_equal(report.table, before)
        assert "错误" in report._repr_html_()
        assert str(report.problems[0].message) == report.problems[0].message.zh
    finally:
        set_language("en")
    chinese = report.as_table("zh")
    for column in ("kind", "severity", "row", "column", "value"):
        assert chinese[column].tolist() == before[column].tolist()
    assert chinese["message"].tolist() == [p.message.zh for p in report.problems]
    words = report.translated("zh")["table"]
    assert set(words["severity"]) == {"错误", "警告", "提示"}
    assert not words["kind"].str.contains("[a-z]").any()


def test_values_that_no_spreadsheet_holds_are_exported_as_text(tmp_path):
    frame = small(a1=pd.Series([10**400, np.inf], dtype=object))
    report = check(frame, SMALL)
    sheet = openpyxl.load_workbook(report.export(tmp_path / "r.xlsx")).worksheets[1]
    assert [row[4].value for row in sheet.iter_rows(min_row=2)][:2] == [str(10**400), "inf"]
    for ending in ("csv", "docx", "html", "tex"):
        assert report.export(tmp_path / f"r.{ending}").exists()


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


# ------------------------------------------------------------------ properties


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
