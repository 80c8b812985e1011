"""Files that would stop the machine: refused in one line, at once, before they are read."""

import re
import time
import warnings
import zipfile

import openpyxl
import pytest

import cxstats as cx
from cxstats.core.errors import DataError
from cxstats.survey import read
from cxstats.survey import workbook as workbook_module
from cxstats.survey.read import read_survey

SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)
HEAD = '<row r="1"><c r="A1" t="str"><v>q1</v></c></row><row r="2"><c r="A2"><v>5</v></c></row>'


def refused(file, message, **options):
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        read_survey(file, **options)
    assert time.perf_counter() - start < 5
    assert message in str(caught.value)
    assert len(str(caught.value)) < 1_600
    assert str(caught.value).isprintable()


def workbook(file, sheet=None, **members):
    """Write a small workbook, another text in place of its sheet, and more members."""
    plain = file.with_name("plain.xlsx")
    book = openpyxl.Workbook()
    for row in (["q1", "q2"], [5, 4], [3, 2]):
        book.active.append(row)
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            replaced = sheet is not None and name.endswith("sheet1.xml")
            new.writestr(name, SHEET.format(sheet) if replaced else old.read(name))
        for name, content in members.items():
            new.writestr(f"xl/worksheets/{name}.xml", content)
    return file


def test_a_row_that_excel_has_not(tmp_path):
    for number in (1_048_577, 9_999_999_999, int("9" * 30)):
        row = f'<row r="{number}"><c r="A{number}"><v>1</v></c></row>'
        refused(workbook(tmp_path / "a.xlsx", HEAD + row), "the limits of Excel")
    row = f'<row r="{"9" * 5_000}"><c><v>1</v></c></row>'
    refused(workbook(tmp_path / "a.xlsx", HEAD + row), "a.xlsx")


def test_a_column_that_excel_has_not(tmp_path):
    row = '<row r="3"><c r="XFE3"><v>1</v></c></row>'
    refused(workbook(tmp_path / "a.xlsx", HEAD + row), "the limits of Excel")
    cells = "<c><v>1</v></c>" * 16_385
    refused(workbook(tmp_path / "a.xlsx", f"{HEAD}<row>{cells}</row>"), "the limits of Excel")


def test_a_member_that_no_sheet_names_is_not_read(tmp_path):
    file = workbook(tmp_path / "a.xlsx", unnamed=b"<f>" * 20_000_000)
    start = time.perf_counter()
    assert read_survey(file).to_dict("list") == {"q1": [5, 3], "q2": [4, 2]}
    assert time.perf_counter() - start < 5


def test_empty_rows_packed_small(tmp_path):
    refused(workbook(tmp_path / "a.xlsx", HEAD + "<row/>" * 5_000_000), "times its size")


def test_what_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_module, "LARGEST", 50_000)
    refused(workbook(tmp_path / "a.xlsx", HEAD + "<row/>" * 20_000), "unpacks to 0 MB; allowed")


def test_rows_as_wide_as_a_sheet(tmp_path, monkeypatch):
    """A cell in the last column of every row: little text, much memory."""
    monkeypatch.setattr(workbook_module, "MAX_CELLS", 1_000_000)
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(3, 200))
    refused(workbook(tmp_path / "a.xlsx", HEAD + rows), "more than 1,000,000 cells")


def test_one_wide_row_among_short_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_module, "MAX_CELLS", 1_000_000)
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(3, 200))
    wide = '<row r="200"><c r="XFD200"><v>1</v></c></row>'
    refused(workbook(tmp_path / "a.xlsx", HEAD + rows + wide), "more than 1,000,000 cells")


def test_entities_of_entities(tmp_path):
    entities = '<!ENTITY a0 "xxxxxxxxxx">' + "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10)
    )
    sheet = SHEET.format('<row r="1"><c r="A1" t="str"><v>&a9;</v></c></row>')
    file = workbook(tmp_path / "a.xlsx")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            bomb = f"<!DOCTYPE x [{entities}]>{sheet}"
            new.writestr(name, bomb if name.endswith("sheet1.xml") else old.read(name))
    refused(tmp_path / "b.xlsx", "b.xlsx")


def test_a_formula_is_seen_across_pieces(tmp_path):
    """The mark of a formula stands where one piece of a million bytes ends."""
    head = HEAD + '<row r="3"><c r="A3">'
    start = len(SHEET.format(head).split("</sheetData>")[0])
    for shift in range(3):
        blanks = " " * (1_000_000 - start - shift)
        sheet = head + blanks + "<f>1+1</f></c></row>"
        with pytest.warns(UserWarning, match=r"1 cells hold a formula .*\(A3\)"):
            assert read_survey(workbook(tmp_path / "a.xlsx", sheet))["q1"].tolist()[-1] == "=1+1"


@pytest.mark.parametrize("mark", ["\n", "\r", "\r\n"])
def test_line_feeds_alone(tmp_path, mark):
    file = tmp_path / "a.csv"
    file.write_bytes(mark.encode() * (50_000_000 // len(mark)))
    refused(file, "a.csv: the file is empty")
    file.write_bytes(b"q1,q2\n1,2" + mark.encode() * 20_000_000 + b"3,4\n")
    refused(file, "empty lines together")


@pytest.mark.parametrize(("last", "limit"), [("1,2\n", 500), ("1\n", 2_000)])
def test_more_cells_than_fit(tmp_path, monkeypatch, last, limit):
    # A file in plain form takes less room, so it may have more cells than another.
    monkeypatch.setattr(read, "MAX_CELLS", limit)
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 1_000 + last)
    refused(tmp_path / "a.csv", f"cells; at most {limit:,} are read")


def test_a_file_in_plain_form_may_have_more_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "MAX_CELLS", 1_000)
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 1_000)
    assert len(read.read_survey(tmp_path / "a.csv")) == 1_000


def test_more_columns_than_excel_has(tmp_path):
    (tmp_path / "a.csv").write_text(",".join(f"q{i}" for i in range(16_385)) + "\n1\n")
    refused(tmp_path / "a.csv", "16,385 columns; allowed: at most 16,384")


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "LARGEST", 1_000)
    (tmp_path / "a.csv").write_text("a,b\n" + "1,2\n" * 1_000)
    refused(tmp_path / "a.csv", "larger than")


def test_five_thousand_equal_names(tmp_path):
    (tmp_path / "a.csv").write_text(",".join(["q"] * 5_000) + "\n" + ",".join(["1"] * 5_000))
    frame = read_survey(tmp_path / "a.csv")
    assert list(frame.columns[[0, 1, -1]]) == ["q", "q.1", "q.4999"]
    assert len(repr(frame.attrs["read_report"])) < 4_000
    (tmp_path / "b.csv").write_text(",".join(["q" * 100_000] * 2) + "\n1,2\n")
    assert len(repr(read_survey(tmp_path / "b.csv").attrs["read_report"])) < 4_000


@pytest.mark.parametrize("path", ["a\0b.csv", "x" * 5_000 + ".csv", "\x1b[2J\n.csv"])
def test_paths_that_cannot_be(path):
    refused(path, "cannot be read")
    with pytest.raises(DataError, match="cannot be read") as caught:
        cx.audit(path)
    assert len(str(caught.value)) < 1_600
    assert str(caught.value).isprintable()


# ------------------------------------------------------------------ encodings

TEXTS = {
    "cp1252": "Größe;Zufriedenheit für Öffnungszeiten;Straße\n1;süß;ß\n",
    "shift_jis": "満足度;コメント\n5;とても良いサービスでした\n",
    "big5": "滿意度;意見\n5;服務很好，等候時間太長，客戶經理態度親切\n",
    "cp1251": "Оценка;Отзыв\n5;Очень хорошо\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_guess_that_its_text_contradicts_is_said_aloud(tmp_path, encoding):
    """The guess is the right one, and not in silence; the encoding that is named is used."""
    text = TEXTS[encoding]
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode(encoding))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = read_survey(file)
    said = "".join(str(warning.message) for warning in caught)
    assert list(frame.columns) == text.split("\n")[0].split(";")
    assert re.search(r"a\.csv: byte \d+ is not UTF-8; read as \w+, .*give encoding=", said)
    frame = read_survey(file, encoding=encoding)
    assert list(frame.columns) == text.split("\n")[0].split(";")
    assert frame.attrs["read_report"].encoding == encoding


@pytest.mark.parametrize("text", ["编号;满意度;意见\n1;5;服务很好，满意\n", "姓名\n王鑫\n"])
def test_chinese_text_is_read_without_a_warning(tmp_path, text, recwarn):
    (tmp_path / "a.csv").write_bytes(text.encode("gb18030"))
    assert list(read_survey(tmp_path / "a.csv").columns) == text.split("\n")[0].split(";")
    assert not recwarn.list


def test_encodings_that_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes("ä;b\n1;2\n".encode("cp1252"))
    refused(tmp_path / "a.csv", "encoding='nonsense' is not known", encoding="nonsense")
    refused(tmp_path / "a.csv", "encoding='hex' is not known", encoding="hex")
    refused(tmp_path / "a.csv", "not ascii at byte 0 (line 1)", encoding="ascii")
    refused(workbook(tmp_path / "a.xlsx"), "only a text file has one", encoding="utf-8")
