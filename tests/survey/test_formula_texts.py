"""Texts that a spreadsheet would run: named by check, marked by clean, live in no file."""

import csv
import io
import re

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlsxwriter
from openpyxl.worksheet.formula import ArrayFormula

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.core.export import defused, is_formula
from tests.survey.questionnaires import kinds, problems_of

# OWASP, "CSV Injection"; and what the writers of workbooks take for a formula.
HOSTILE = [
    '=HYPERLINK("http://x","see")', "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0",
    "a\r=1+1", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "\t=1+1", "\r=1+1", "\n=1+1",
    " =1+1", "\0=1",
    "\u3000=1", "\ufeff=1", "＝1+1", "＋SUM(1)", "－x", "＠x", "{=1+1}", "==", "- good", "-2+3",
]  # fmt: skip
HARMLESS = [
    "", "fine", "5", "-5", "+3", "-3.5", "-3,5", "+1,234.5", "-1e5", "+10 %", "-0", "-.5", "－5",
    "+86 138 0013 8000", "+8613800138000", "+49 (170) 123-4567", "-", "--", "- -", "+", "a=1",
    "'=1+1", "很好", "1+1", "{x}", " ",
]  # fmt: skip
BOOK = {"scale": (1, 7), "constructs": {"A": ["a1", "a2"]}}


def marked(text):
    """Return a text with the mark; a carriage return that would end a row is a line break."""
    return text.replace("\r", "\n") if text[0] == "a" else "'" + text.replace("\r", "\n")


def survey(texts=None):
    texts = [text for text in HOSTILE if "\0" not in text] if texts is None else texts
    n = len(texts)
    return pd.DataFrame({"a1": [1 + i % 7 for i in range(n)], "a2": [4] * n, "comment": texts})


def cells_of(path):
    book = openpyxl.load_workbook(path)
    return [cell for page in book for row in page.iter_rows() for cell in row]


def live(path):
    return [cell.coordinate for cell in cells_of(path) if cell.data_type == "f"]


def fields_of(path):
    """Return the cells of a CSV file as any spreadsheet splits them."""
    text = path.read_bytes().decode("utf-8-sig")
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spreadsheet_runs(text):
    assert is_formula(text)
    assert not is_formula(defused(text))
    assert defused(defused(text)) == defused(text) == marked(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_and_telephone_numbers_stay(text):
    assert not is_formula(text)
    assert defused(text) == text


@pytest.mark.parametrize("text", ["+1 A1", "-1:A1", "+86 138!A1", "-1|2", "+1(2)", "-5+A1", "-1/2"])
def test_no_operation_hides_in_a_number(text):
    assert is_formula(text)


# ------------------------------------------------------------------ check


@pytest.mark.parametrize("dtype", ["object", "str", "string", "category"])
def test_check_names_each_text(dtype):
    frame = survey(["=1+1", "fine", "-5", "- late", None]).astype({"comment": dtype})
    report = cx.check(frame, BOOK)
    assert problems_of(report, "formula_text") == [(0, "comment", "=1+1"), (3, "comment", "- late")]
    assert report.problems[-1].severity == "warning"
    assert "a spreadsheet would run '=1+1' as a formula" in str(report)
    assert "电子表格" in report.summary("zh")


def test_check_looks_at_answers_names_and_labels_of_rows():
    frame = survey(["fine", "fine"]).astype({"a1": object}).rename(columns={"comment": "=name"})
    frame.loc[0, "a1"] = "=1+1"
    frame.index = ["@row", "r2"]
    report = cx.check(frame, BOOK)
    assert problems_of(report, "formula_text") == [
        (None, "=name", None), ("@row", "a1", "=1+1"), ("@row", None, "@row"),
    ]  # fmt: skip
    assert kinds(report)["not_a_number"] == 1


def test_check_tells_no_personal_data():
    frame = survey(["=call 13800138000", "+mail a@example.org"]).assign(姓名=["=王芳", "李"])
    values = [value for _, _, value in problems_of(cx.check(frame, BOOK), "formula_text")]
    assert values == ["=call ***", "+mail ***", "***"]


def test_cells_that_are_no_texts():
    frame = survey([["=1"], {"=": 1}, 5, True])
    assert "formula_text" not in kinds(cx.check(frame, BOOK))
    assert cx.clean(frame, BOOK)[0]["comment"].tolist() == frame["comment"].tolist()


# ------------------------------------------------------------------ clean


@pytest.mark.parametrize("dtype", ["object", "str", "string", "category"])
@pytest.mark.parametrize("engine", ["openpyxl", "xlsxwriter"])
def test_a_cleaned_table_is_safe_however_it_is_written(tmp_path, dtype, engine):
    # Categories that become alike would make the column one of texts.
    texts = [text for text in HOSTILE if "\0" not in text and text != "\n=1+1"]
    frame = survey(texts).astype({"comment": dtype})
    frame.columns = ["a1", "a2", "=name"]
    frame.index = pd.Index([f"={i}" for i in range(len(frame))], name="@index")
    before = frame.copy()
    frame.to_excel(tmp_path / "raw.xlsx", engine=engine)
    assert live(tmp_path / "raw.xlsx")
    cleaned, report = cx.clean(frame, BOOK)
    pd.testing.assert_frame_equal(frame, before)
    assert cleaned.dtypes.astype(str).tolist() == ["float64", "float64", str(frame.dtypes.iloc[2])]
    cleaned.to_excel(tmp_path / "a.xlsx", engine=engine)
    assert live(tmp_path / "a.xlsx") == []
    cleaned.to_csv(tmp_path / "a.csv")
    assert not any(map(is_formula, fields_of(tmp_path / "a.csv")))
    changes = report.changes
    of_texts = changes[(changes["reason"] == "formula_text") & changes["column"].notna()]
    assert of_texts["before"].tolist() == texts
    assert of_texts["after"].tolist() == list(map(marked, texts))
    assert of_texts["row"].tolist() == frame.index.tolist()
    names = changes.loc[changes["reason"] == "formula_name", ["before", "after"]]
    assert names.to_numpy().tolist() == [["@index", "'@index"], ["=name", "'=name"]]
    assert report.counts["formula_text"] == 2 * len(texts)
    assert "text that a spreadsheet would run: marked as text" in str(report)


def test_clean_leaves_texts_alone_when_asked(tmp_path):
    cleaned, report = cx.clean(survey(), BOOK, mark_formulas=False)
    assert cleaned["comment"].tolist() == survey()["comment"].tolist()
    assert report.changes.empty
    assert live(cx.write_table(cleaned, tmp_path / "a.xlsx")) == []


def test_a_name_that_the_codebook_declares_stays():
    book = {"scale": (1, 7), "constructs": {"A": ["=a1", "a2"]}, "other": ["@other"]}
    frame = pd.DataFrame({"=a1": [1, 2], "a2": [3, 4], "@other": ["x", "y"], "@x": 1, "'@x": 2})
    cleaned, report = cx.clean(frame, book)
    assert cleaned.columns.tolist() == ["=a1", "a2", "@other", "''@x", "'@x"]
    assert "left because the codebook declares them: '=a1', '@other'" in str(report)
    assert cx.check(cleaned, book).ok


def test_rows_that_are_dropped_are_not_listed():
    frame = survey(["=1", "=2"])
    frame.loc[0, ["a1", "a2"]] = np.nan
    cleaned, report = cx.clean(frame, BOOK, max_missing=0.5)
    assert cleaned["comment"].tolist() == ["'=2"]
    assert report.changes["before"].tolist() == ["=2"]


def test_categories_that_no_row_has_are_marked_too():
    comment = pd.Categorical(["fine"], categories=["=1", "fine"], ordered=True)
    cleaned, _ = cx.clean(survey(["fine"]).assign(comment=comment), BOOK)
    assert cleaned["comment"].cat.categories.tolist() == ["'=1", "fine"]
    assert cleaned["comment"].cat.ordered
    both = pd.Categorical(["=1", "'=1"])
    cleaned, _ = cx.clean(survey(["", ""]).assign(comment=both), BOOK)
    assert cleaned["comment"].tolist() == ["'=1", "'=1"]


def test_labels_of_several_levels():
    frame = survey(["fine", "fine"])
    frame.index = pd.MultiIndex.from_tuples([("=1", 1), ("b", 2)], names=["x", "=y"])
    cleaned, report = cx.clean(frame, BOOK)
    assert cleaned.index.tolist() == [("'=1", 1), ("b", 2)]
    assert list(cleaned.index.names) == ["x", "'=y"]
    assert report.counts == {"formula_text": 1, "formula_name": 1}


# ------------------------------------------------------------------ files in and out


def formulas(path, array=False):
    """Write a workbook as openpyxl does: formulas of which nobody stored the value."""
    book = openpyxl.Workbook()
    page = book.active
    for row in [["a1", "a2", "comment"], [1, 2, "=1+1"], [3, 4, "fine"], [5, 6, "-2+3"]]:
        page.append(row)
    if array:
        page["C4"] = ArrayFormula("C4:C4", "=SUM(A2:A3)")
    book.save(path)
    return path


@pytest.mark.parametrize("array", [False, True])
def test_a_formula_without_a_value_becomes_its_text(tmp_path, array):
    path = formulas(tmp_path / "a.xlsx", array)
    with pytest.warns(UserWarning, match="without a stored value"):
        frame = cx.read_survey(path)
    last = "=SUM(A2:A3)" if array else "-2+3"
    assert frame["comment"].tolist() == ["=1+1", "fine", last]
    assert frame["a1"].tolist() == [1, 3, 5]
    report = cx.check(frame, BOOK)
    assert report.ok
    assert [value for _, _, value in problems_of(report, "formula_text")] == ["=1+1", last]
    cleaned, _ = cx.clean(frame, BOOK)
    cleaned.to_excel(tmp_path / "b.xlsx")
    assert live(tmp_path / "b.xlsx") == []
    assert cx.read_survey(tmp_path / "b.xlsx")["comment"].tolist() == ["'=1+1", "fine", f"'{last}"]


def test_a_formula_with_a_value_is_its_value(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        page = book.add_worksheet()
        for i, row in enumerate([["a1", "a2"], [1, 2], [3, 4], [5, 6]]):
            page.write_row(i, 0, row)
        page.write_formula(1, 1, "=A2+1", None, 7)
    frame = cx.read_survey(tmp_path / "a.xlsx")
    assert frame["a2"].tolist() == [7, 4, 6]


def test_every_export_of_check_and_clean_is_safe(tmp_path):
    frame = survey().rename(columns={"comment": "=name"})
    frame["a1"] = frame["a1"].astype(object)
    frame.loc[0, "a1"] = "=1+1"
    results = {
        "check": cx.check(frame, BOOK),
        "clean": cx.clean(frame, BOOK, on_error="missing")[1],
        "personal": cx.find_personal_data(frame.assign(**{"=p": "mail a@example.org"})),
    }
    for name, result in results.items():
        for lang in ("en", "zh"):
            assert live(result.export(tmp_path / f"{name}{lang}.xlsx", lang)) == []
            cells = fields_of(result.export(tmp_path / f"{name}{lang}.csv", lang))
            assert not any(map(is_formula, cells))
            for ending in ("docx", "html", "tex"):
                assert result.export(tmp_path / f"{name}{lang}.{ending}", lang).exists()


def test_masked_personal_data_come_out_nowhere(tmp_path):
    secret = ["13800138000", "fang@example.org", "王芳"]
    frame = survey(["=call 13800138000", "+fang@example.org", "fine"])
    frame["姓名"], frame["手机"] = "王芳", "13800138000"
    masked, _ = cx.mask_personal_data(frame)
    report = cx.check(masked, BOOK)
    cleaned, changes = cx.clean(masked, BOOK)
    files = [
        cx.write_table(cleaned, tmp_path / "t.csv"), report.export(tmp_path / "check.csv"),
        changes.export(tmp_path / "clean.csv"), report.export(tmp_path / "check.html"),
        changes.export(tmp_path / "clean.html"),
    ]  # fmt: skip
    texts = [file.read_text(encoding="utf-8") for file in files]
    texts += [
        str(cell.value)
        for path in (
            cx.write_table(cleaned, tmp_path / "t.xlsx"), report.export(tmp_path / "check.xlsx"),
            changes.export(tmp_path / "clean.xlsx"),
        )
        for cell in cells_of(path)
    ]  # fmt: skip
    assert not [text for text in texts if any(word in text for word in secret)]
    assert "=call ***" in "".join(texts)


# ------------------------------------------------------------------ write_table


def test_write_table_leaves_texts_in_a_workbook_as_they_are(tmp_path):
    texts = [text for text in HOSTILE if not re.search("[\0\r]", text)] + [
        "http://x",
        "mailto:a@b.c",
    ]
    frame = pd.DataFrame({"text": texts, "=n": range(len(texts))})
    path = cx.write_table(frame, tmp_path / "a.xlsx")
    assert live(path) == []
    page = openpyxl.load_workbook(path).active
    assert [row[0].value for row in page.iter_rows(min_row=2)] == texts
    assert [row[1].value for row in page.iter_rows(min_row=2)] == list(range(len(texts)))
    assert [cell.value for cell in page[1]] == ["text", "=n"]
    assert page._hyperlinks == []


def test_write_table_marks_texts_in_a_csv(tmp_path):
    frame = pd.DataFrame({"text": HOSTILE, "n": [-1.5] * len(HOSTILE)})
    cells = fields_of(cx.write_table(frame, tmp_path / "a.csv"))
    assert not any(map(is_formula, cells))
    assert cells.count("-1.5") == len(HOSTILE)


def test_write_table_takes_what_tables_hold(tmp_path):
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2024-03-01 10:30", None]),
            "big": [123456789012345678, 2],
            "x": [np.inf, np.nan],
            "flag": [True, False],
            "list": [["=1"], None],
        },
        index=pd.Index(["=r", "s"], name="who"),
    )
    page = openpyxl.load_workbook(cx.write_table(frame, tmp_path / "a.xlsx", index=True)).active
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert rows[0] == ["who", "day", "big", "x", "flag", "list"]
    assert rows[1][0] == "=r"
    assert str(rows[1][1]) == "2024-03-01 10:30:00"
    assert rows[1][2:] == ["123456789012345678", "inf", True, "=1"]
    assert rows[2] == ["s", None, 2, None, False, None]
    assert live(tmp_path / "a.xlsx") == []
    assert cx.write_table(frame, tmp_path / "a.csv", index=True).exists()
    assert cx.write_table(frame.iloc[:0], tmp_path / "b.csv").exists()


def test_write_table_says_what_does_not_fit(tmp_path):
    with pytest.raises(CxError, match=r"write_table\('.*a.pdf'\): allowed endings: .xlsx, .csv"):
        cx.write_table(survey(), tmp_path / "a.pdf")
    with pytest.raises(DataError, match="row 1, column 'comment': a text of 32,768 characters"):
        cx.write_table(survey(["x" * 32_768]), tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
    wide = pd.DataFrame(np.zeros((1, 16_385)))
    with pytest.raises(DataError, match=r"1 rows and 16,385 columns; allowed in \.xlsx"):
        cx.write_table(wide, tmp_path / "a.xlsx")
