"""Sheets of plain cells, read by calamine as openpyxl reads them; others are left to openpyxl."""

import datetime as dt
import re
import zipfile
from contextlib import contextmanager

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from cxstats.survey import workbook
from cxstats.survey.read import read_survey

FORMATS = (
    "General", "0.00", "0%", "@", "yyyy-mm-dd", "h:mm", "[h]:mm", 'yyyy"年"m"月"d"日"', "mm:ss.0",
    "d/m/yy h:mm", "[Red]0.0", '0"d"', "mmm-yy", "[$-804]yyyy/m/d",
)  # fmt: skip
ESCAPED = (
    "_x000D_", "a_x000d_\nb", "_x0000_", "_x005F_x0041_", "x__x0009_y", "_x0041", "_x4E00_",
    "_xD800_",
)  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 60_000),
    st.integers(-(2**50), 2**50),
    st.integers(0, 86_400_000).map(lambda ms: 45_000 + ms / 86_400_000),
    st.floats(-1e6, 1e6).map(lambda x: round(x, 6)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=8),
    st.sampled_from(["  lead", "two\nlines", "5", "001", "#N/A", "=", "非常满意", "", *ESCAPED]),
    st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2050, 1, 1)).map(
        lambda x: x.replace(microsecond=0)
    ),
)


@contextmanager
def opened(path):
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        page = book.worksheets[0]
        page.reset_dimensions()
        yield page, workbook._marks(path, page)
    finally:
        book.close()


def both_ways(path):
    """Return the rows by calamine, or None, and by openpyxl."""
    with opened(path) as (page, marks):
        plain = workbook._plain_rows(path, page, marks)
        return plain, workbook._filled_rows(workbook._rows_of_page(page), path.name)


def without_tail(cells):
    """Return cells without the empty ones at the end; a text of nothing is empty."""
    cells = [None if cell == "" else cell for cell in cells]
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def seconds(cell):
    """Return a time in thousandths of a second; other cells as they are, with their types."""
    if isinstance(cell, dt.datetime):
        return "time", round((cell - dt.datetime(1900, 1, 1)).total_seconds() * 1000)
    if isinstance(cell, dt.timedelta):
        return "span", round(cell.total_seconds() * 1000)
    if isinstance(cell, dt.time):
        return "clock", cell.replace(microsecond=cell.microsecond // 1000 * 1000)
    return type(cell).__name__, cell


def save(path, rows, formats=("General",), epoch=None, place=(1, 1)):
    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            cell = book.active.cell(i + place[0], j + place[1], value)
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with = is no formula
            elif isinstance(value, int | float) and not isinstance(value, bool):
                cell.number_format = formats[(i + j) % len(formats)]
    book.save(path)


@pytest.mark.filterwarnings("ignore:Cell")  # of days that no calendar has
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(VALUES, min_size=1, max_size=6), min_size=1, max_size=8),
    formats=st.lists(st.sampled_from(FORMATS), min_size=1, max_size=3),
    epoch=st.sampled_from([None, CALENDAR_MAC_1904]),
    place=st.tuples(st.integers(1, 4), st.sampled_from([1, 2, 26, 27, 53, 60])),
)
def test_plain_cells_are_the_same(tmp_path_factory, rows, formats, epoch, place):
    path = tmp_path_factory.mktemp("plain") / "a.xlsx"
    save(path, rows, formats, epoch, place)
    plain, slow = both_ways(path)
    if plain is None:
        return
    assert [record.number for record in plain] == [record.number for record in slow]
    for fast, exact in zip(plain, slow, strict=True):
        pairs = zip(without_tail(fast.cells), without_tail(exact.cells), strict=True)
        for one, other in pairs:
            if other == "#VALUE!":  # a day that no calendar has: the number is kept
                assert isinstance(one, int | float)
                continue
            a, b = seconds(one), seconds(other)
            assert a[0] == b[0] or {a[0], b[0]} == {"int", "float"}
            assert a == b or one == other or (a[0] in ("time", "span") and abs(a[1] - b[1]) <= 1)


@pytest.mark.parametrize("formula", [None, "=1+1"])
@pytest.mark.filterwarnings("ignore:.*formula without a stored value")
def test_escapes_are_read_whichever_library_reads(tmp_path, formula):
    """XML cannot hold some characters; Excel writes their numbers, and programs copy them."""
    save(tmp_path / "a.xlsx", [["Q1", "why"], [1, "slow_x000D_\nstaff"], [2, "_x005F_x0041_"]])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    book.active["C2"] = formula
    book.save(tmp_path / "a.xlsx")
    with opened(tmp_path / "a.xlsx") as (page, marks):
        rows = workbook._plain_rows(tmp_path / "a.xlsx", page, marks)
        assert (rows is None) == (formula is not None)
    table = read_survey(tmp_path / "a.xlsx")
    assert list(table["why"]) == ["slow\r\nstaff", "_x0041_"]


def test_most_sheets_are_read_the_fast_way(tmp_path):
    save(tmp_path / "a.xlsx", [["id", "day", "Q1"], ["a", dt.datetime(2026, 1, 2), 5.0]] * 3)
    plain, _ = both_ways(tmp_path / "a.xlsx")
    assert [record.cells for record in plain][1] == ["a", dt.datetime(2026, 1, 2), 5]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("B2", "=1+1"),
        ("B2", "#DIV/0!"),
        ("XFD40000", 1),
        ("ZZ40000", 1),
    ],
)
def test_other_sheets_are_left_to_openpyxl(tmp_path, cell, value):
    """Formulas, errors, and cells so far apart that those between would fill the memory."""
    book = openpyxl.Workbook()
    book.active["A1"] = "Q1"
    book.active[cell] = value
    if value == "#DIV/0!":
        book.active[cell].data_type = "e"
    book.save(tmp_path / "a.xlsx")
    plain, slow = both_ways(tmp_path / "a.xlsx")
    assert plain is None
    assert slow[0].cells[0] == "Q1"


@pytest.mark.parametrize(
    ("cell", "columns"),
    [("A1", 26), ("Z1", 26), ("AA1", 52), ("AZ9", 52), ("BA1", 78), ("ZZ1", 702), ("AAA1", 16_384)],
)
def test_width_holds_all_cells(cell, columns):
    text = f'<row r="1"><c r="A1"><v>1</v></c><c r="{cell}"><v>1</v></c></row>'.encode()
    assert workbook._width(text, 26) == columns
    assert workbook._width(b"", columns) == columns


def test_cells_without_a_place_are_left_to_openpyxl(tmp_path):
    """XML may leave places out; then a sheet says nothing of its width."""
    save(tmp_path / "a.xlsx", [["Q1", "Q2"], [1, 2]])
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as source,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                content = re.sub(rb'<c r="[A-Z]+\d+"', b"<c", content)
            target.writestr(name, content)
    with opened(tmp_path / "b.xlsx") as (page, marks):
        assert marks.is_odd
        assert workbook._plain_rows(tmp_path / "b.xlsx", page, marks) is None
    assert read_survey(tmp_path / "b.xlsx").to_dict("list") == {"Q1": [1], "Q2": [2]}


def test_times_without_a_day_are_left_to_openpyxl(tmp_path):
    """calamine has a time of day for days before 1900."""
    save(tmp_path / "a.xlsx", [["when"], [-1], [-2.5]], ["yyyy-mm-dd"])
    plain, slow = both_ways(tmp_path / "a.xlsx")
    assert plain is None
    assert slow[1].cells == [dt.datetime(1899, 12, 29)]
