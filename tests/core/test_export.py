"""Results as files: nothing a spreadsheet runs, numbers whole, clear refusals."""

import csv
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cxstats.core.display import display_table
from cxstats.core.errors import CxError
from cxstats.core.language import Text
from cxstats.core.result import Result

HOSTILE = ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\tx", "<b>&", "a_b%$#{}~^\\"]


@dataclass(frozen=True, eq=False, repr=False)
class Listing(Result):
    """A table of hostile texts, for these tests alone."""

    table: pd.DataFrame
    notes: tuple[Text, ...] = (Text("a note", "说明"),)
    level: float = 0.9

    reference: ClassVar[str] = "Author (2001). Title."

    def title(self, lang: str | None = None) -> str:
        """Return a heading."""
        return Text("A listing", "清单").get(lang)

    def findings(self, lang: str) -> list[str]:
        """Return the lines."""
        return [Text("found", "结果").get(lang)]


def listing(**columns: Any) -> Listing:
    return Listing(pd.DataFrame({"text": HOSTILE, "estimate": np.arange(7) / 3, **columns}))


def test_no_text_becomes_a_formula_in_a_spreadsheet(tmp_path):
    book = openpyxl.load_workbook(listing().export(tmp_path / "a.xlsx"))
    cells = [cell for row in book.worksheets[1].iter_rows(min_row=2, max_col=1) for cell in row]
    assert [cell.value for cell in cells] == HOSTILE
    assert {cell.data_type for cell in cells} == {"s"}


def test_no_text_becomes_a_formula_in_a_csv(tmp_path):
    path = listing().export(tmp_path / "a.csv")
    read = pd.read_csv(path, encoding="utf-8-sig")
    assert all(text[0] not in "=+-@\t\r" for text in read["text"])
    assert read["text"].str.lstrip("'").tolist() == HOSTILE


@pytest.mark.parametrize("text", ["\r=cmd()", "\n=cmd()", "a\r=cmd()", "a\r\n=cmd()"])
def test_no_line_break_ends_a_row_of_a_csv(tmp_path, text):
    path = Listing(pd.DataFrame({"text": [text]})).export(tmp_path / "a.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        (_, (cell,)) = csv.reader(file)
    assert cell.removeprefix("'") == text.replace("\r\n", "\n").replace("\r", "\n")
    assert cell[0] in "'a"


def test_names_of_columns_are_text_too(tmp_path):
    frame = pd.DataFrame([[1.5]], columns=["=cmd()"])
    book = openpyxl.load_workbook(Listing(frame).export(tmp_path / "a.xlsx"))
    assert book.worksheets[1]["A1"].data_type == "s"
    head = Listing(frame).export(tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert head.startswith("'=cmd()")


def test_html_and_tex_are_escaped(tmp_path):
    page = listing().export(tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    source = listing().export(tmp_path / "a.tex").read_text(encoding="utf-8")
    assert r"a\_b\%\$\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}" in source


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e-300, 1e300, 0.1 + 0.2])
def test_numbers_that_are_hard_to_write(tmp_path, value):
    result = listing(x=[value] + [1.0] * 6)
    for end in ("xlsx", "csv", "docx", "html", "tex"):
        result.export(tmp_path / f"a.{end}")
    read = pd.read_csv(tmp_path / "a.csv")
    assert read["x"][0] == value


def test_dates_with_a_zone_and_mixed_cells(tmp_path):
    times = pd.date_range("2024-03-01", periods=7, freq="MS", tz="Asia/Shanghai")
    result = listing(day=times, mixed=[1, "a", None, True, Text("x", "y"), ("b", "c"), 2.5])
    for end in ("xlsx", "csv", "docx", "html", "tex"):
        result.export(tmp_path / f"a.{end}", "zh")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[1]
    assert str(sheet["C2"].value) == "2024-03-01 00:00:00"
    assert [cell.value for cell in sheet["D"][1:]] == [1, "a", None, True, "y", "b, c", 2.5]


def test_an_ending_or_a_folder_that_cannot_be(tmp_path):
    with pytest.raises(CxError, match=r"'.*a.pdf'.*: allowed endings: .xlsx, .csv, .docx"):
        listing().export(tmp_path / "a.pdf")
    with pytest.raises(CxError, match="no folder"):
        listing().export(tmp_path / "none" / "a.csv")


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = listing().export(tmp_path / "a.csv")
    before = path.read_bytes()
    broken = listing(x=range(7))
    monkeypatch.setattr("cxstats.core.export.defused", lambda text: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.export(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_limits_stand_in_one_cell_under_their_level():
    frame = pd.DataFrame(
        {"estimate": [0.5, np.nan], "ci_low": [0.25, np.nan], "ci_high": [0.75, 1]}
    )
    shown = display_table(frame, "en", 0.9)
    assert shown.columns.tolist() == ["estimate", "CI (90 %)"]
    assert shown.iloc[:, 1].tolist() == ["[0.250, 0.750]", "[–, 1.000]"]


def test_p_values_and_degrees_of_freedom_as_people_write_them():
    frame = pd.DataFrame(
        {"p_value": [0.0, 0.0499, 1.0], "df": [199.0, 18.0, 3.0], "t": [1.2, 2, 3]}
    )
    shown = display_table(frame)
    assert shown["p"].tolist() == ["< .001", ".050", "> .999"]
    assert shown["df"].tolist() == ["199", "18", "3"]


def test_some_degrees_of_freedom_are_whole():
    frame = pd.DataFrame({"df": [49.0, 37.24, np.nan, np.inf]})
    assert display_table(frame).iloc[:, 0].tolist() == ["49", "37.2", "", "∞"]


def test_the_index_is_a_column_where_it_says_something():
    assert display_table(pd.DataFrame({"n": [1]}, index=["North"])).iloc[0].tolist() == [
        "North",
        "1",
    ]
    assert display_table(pd.DataFrame({"n": [1]})).shape == (1, 1)


def test_cite_names_method_and_package():
    assert listing().cite().startswith("Author (2001). Title.\n")
