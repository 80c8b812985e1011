"""Reading the client's file: what is detected is said, and what cannot be used is refused."""

import csv
import datetime
import io
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxstats as cx
from cxstats.core.errors import DataError
from cxstats.survey.read import read_survey

CHINESE = "编号{d}满意度{d}意见\nA1{d}5{d}服务很好，满意\nA2{d}{d}等候时间太长\n"


@pytest.fixture
def write(tmp_path):
    def _write(content, name="answers.csv", encoding="utf-8"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return file

    return _write


def report(frame):
    return frame.attrs["read_report"]


def notes(frame):
    return "\n".join(note.en for note in report(frame).notes)


def workbook(file, *sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    book.save(file)
    return file


# ------------------------------------------------------------------ encoding and delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8-sig"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("gb18030", b"", "gb18030"),
    ],
)
def test_encodings_and_delimiters(write, encoding, mark, found, delimiter):
    frame = read_survey(write(mark + CHINESE.format(d=delimiter).encode(encoding)))
    assert list(frame.columns) == ["编号", "满意度", "意见"]
    assert frame["意见"].tolist() == ["服务很好，满意", "等候时间太长"]
    assert frame["满意度"].tolist()[0] == 5
    assert frame["满意度"].isna().tolist() == [False, True]
    assert (report(frame).encoding, report(frame).delimiter) == (found, delimiter)
    assert (report(frame).rows, report(frame).columns, report(frame).header_rows) == (2, 3, 1)


def test_gb18030_is_said_to_be_assumed(write):
    frame = read_survey(write(CHINESE.format(d=",").encode("gb18030")))
    assert "assumed to be GB18030" in notes(frame)
    assert "'编号'" in notes(frame)


def test_latin_1_that_is_valid_gb18030_is_read_as_meant(write):
    with pytest.warns(UserWarning, match=r"answers\.csv: byte 13 .*read as cp1252.*'5,Straße'"):
        frame = read_survey(write("q1,ort\n5,Straße\n", encoding="latin-1"))
    assert frame["ort"].tolist() == ["Straße"]


@pytest.mark.filterwarnings("ignore:answers.csv:UserWarning")
@pytest.mark.parametrize(
    ("encoding", "texts"),
    [
        ("gbk", ["服务很好，办理速度快", "等待时间太长了", "员工态度热情"]),
        ("gbk", ["满意"]),
        ("big5", ["服務很好，辦理速度快", "等待時間太長了", "員工態度熱情"]),
        ("shift_jis", ["サービスはとても良い", "待ち時間が長い", "スタッフが親切"]),
        ("euc_jp", ["サービスはとても良い", "待ち時間が長い", "スタッフが親切"]),
        ("euc_kr", ["서비스가 좋습니다", "대기 시간이 길어요", "직원이 친절합니다"]),
        ("cp1252", ["Köln ist schön", "Müller war höflich", "Düsseldorf, große Straße"]),
        ("cp1252", ["Très bien reçu", "L’accueil était chaleureux", "coût élevé"]),
        ("latin-1", ["Muy rápido, señor", "¿Por qué tarda?", "atención excelente"]),
        ("cp1250", ["Źle", "obsługa miła", "długo czekałem", "świetnie"]),
        ("cp1251", ["Очень хорошо", "долго ждали", "вежливый персонал"]),
        ("koi8_r", ["Очень хорошо", "долго ждали", "вежливый персонал"]),
        ("cp1254", ["Çok iyi", "bekleme süresi uzun", "güler yüzlü", "kötü bir ağ"]),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_an_encoding_is_told_by_its_letters(write, encoding, texts, delimiter):
    rows = [delimiter.join(["id", "text"]), *(f'{i}{delimiter}"{t}"' for i, t in enumerate(texts))]
    frame = read_survey(write("\n".join(rows), encoding=encoding))
    assert frame["text"].tolist() == texts


@pytest.mark.parametrize("lines", [(b"utf-8", b"gb18030"), (b"gb18030", b"utf-8")])
def test_mixed_encodings_name_the_first_bad_byte(write, lines):
    body = [f"{n},服务态度非常好\n".encode(code.decode()) for n, code in enumerate(lines)]
    data = b"id,text\n" + b"".join(body)
    bad = data.index("服务".encode("gb18030"))
    with pytest.raises(DataError, match=rf"mixed encodings.*byte {bad} \(line {2 + (bad > 20)}\)"):
        read_survey(write(data))


def test_utf16_with_a_broken_end(write):
    with pytest.raises(DataError, match="begins as UTF-16 but byte 8"):
        read_survey(write(b"\xff\xfe" + "a\nb".encode("utf-16-le") + b"x"))


def test_utf16_without_mark(write):
    with pytest.raises(DataError, match="UTF-16 without a byte-order mark"):
        read_survey(write("a,b\n1,2\n".encode("utf-16-le")))


def test_two_delimiters_that_fit_are_said(write):
    frame = read_survey(write("a;b,c\n1;2,3\n"))
    assert "delimiter: assumed to be the comma (2 columns); the semicolon fits" in notes(frame)


def test_a_delimiter_inside_quotes_does_not_count(write):
    frame = read_survey(write('"a, x";b\n"1, 2";3\n'))
    assert list(frame.columns) == ["a, x", "b"]
    assert report(frame).notes == ()


def test_one_column(write):
    frame = read_survey(write("score\n5\n6\n"))
    assert frame["score"].tolist() == [5, 6]
    assert "the file has one column" in notes(frame)


def test_the_line_that_excel_writes_for_the_delimiter(write):
    frame = read_survey(write("sep=;\na;b\n1;2\n"))
    assert list(frame.columns) == ["a", "b"]
    assert "row 1 names the delimiter" in notes(frame)
    with pytest.raises(DataError, match="row 4: 3 cells where the header, row 2, has 2"):
        read_survey(write("sep=;\na;b\n1;2\n1;2;3\n"))


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("cells", "values", "note"),
    [
        (["5", "6"], [5, 6], ""),
        (["5", "-6.5"], [5.0, -6.5], ""),
        (["5", "often"], ["5", "often"], ""),
        (["007", "8"], ["007", "8"], "leading zeros"),
        (["0.5", "0"], [0.5, 0.0], ""),
        (["NA", "5"], ["NA", "5"], ""),
        (["null", "N/A"], ["null", "N/A"], ""),
        (["inf", "1"], ["inf", "1"], ""),
        (["True", "False"], ["True", "False"], ""),
        ([" 5", "6"], [5, 6], "1 numbers had spaces around them"),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"], "more than 15 digits"),
        (["+4912345", "+4955"], ["+4912345", "+4955"], ""),
        (["1e+05", "7"], [100000.0, 7.0], "1 numbers had an exponent"),
        (["1e999", "7"], ["1e999", "7"], "too large"),
        (["５", "6"], ["５", "6"], ""),
        (["  ", "6"], ["  ", "6"], ""),
        (["1_000", "6"], ["1_000", "6"], ""),
    ],
)
def test_a_number_becomes_a_number_when_nothing_is_lost(write, cells, values, note):
    frame = read_survey(write("id;x\n" + "".join(f"p;{cell}\n" for cell in cells)))
    assert frame["x"].tolist() == values
    assert [type(v) for v in frame["x"].tolist()] == [type(v) for v in values]
    assert (note in notes(frame)) if note else report(frame).notes == ()


def test_one_stray_text_leaves_an_object_column(write):
    frame = read_survey(write("x,y\n5,1\nrefused,2\n,3\n"))
    assert frame["x"].dtype == object
    assert frame["x"].tolist()[:2] == ["5", "refused"]
    assert frame["x"].isna().tolist() == [False, False, True]
    assert frame["y"].dtype == "int64"


@pytest.mark.parametrize(
    ("text", "values", "note"),
    [
        ("x;y\n3,5;1\n-4,25;2\n", [3.5, -4.25], "decimal commas were read as decimal points"),
        ("x;y\n3,5;1\n;2\n", [3.5, None], "decimal commas were read"),
        ("x;y\n3,5;1\n4;2\n", ["3,5", "4"], "some numbers have a decimal comma and some have none"),
        ("x;y\n1,234;1\n5,678;2\n", ["1,234", "5,678"], "decimals or thousands"),
        ("x;y\n3,5;1\noften;2\n", ["3,5", "often"], ""),
        ('x,y\n"3,5",1\n"4,0",2\n', ["3,5", "4,0"], ""),
        ("x;y\n03,5;1\n4,5;2\n", ["03,5", "4,5"], "leading zeros"),
    ],
)
def test_decimal_commas(write, text, values, note):
    frame = read_survey(write(text))
    assert [None if pd.isna(v) else v for v in frame["x"]] == values
    assert (note in notes(frame)) if note else report(frame).notes == ()


def test_blank_lines_and_unnamed_columns_are_said(write):
    frame = read_survey(write(",a,\n0,5,\n\n1,6,\n\n"))
    assert frame.to_dict("list") == {"column_1": [0, 1], "a": [5, 6]}
    assert "1 blank rows were left out" in notes(frame)
    assert "it is called 'column_1'" in notes(frame)
    assert "column 3 has no name and no values; it was left out" in notes(frame)


def test_odd_names_are_said(write):
    assert "' a' begins or ends with a space" in notes(read_survey(write(" a,b\n1,2\n")))
    with pytest.warns(UserWarning, match="row 1 was taken for the header and holds numbers only"):
        read_survey(write("1,2\n3,4\n"))


@settings(deadline=None)  # timings never decide a test
@given(
    st.lists(
        st.tuples(*[st.text(st.characters(exclude_categories=["Cs", "Cc"])).map("x".__add__)] * 3),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_text_survives_unchanged(tmp_path_factory, rows, delimiter, encoding):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    file = tmp_path_factory.getbasetemp() / "round.csv"
    file.write_bytes(text.getvalue().encode(encoding))
    assert read_survey(file).to_numpy().tolist() == [list(row) for row in rows]


# ------------------------------------------------------------------ headers of survey tools

QUALTRICS = (
    'StartDate,Q1,Q2_1\nStart Date,"How satisfied,\nall in all?",How likely - A\n'
    '"{""ImportId"":""startDate"",""timeZone"":""Z""}","{""ImportId"":""QID1""}",'
    '"{ ""ImportId"": ""QID2_1""}"\n2024-01-01 10:00:00,5,7\n2024-01-02 10:00:00,6,\n'
)


@pytest.mark.parametrize("tool", ["csv", "tsv"])
def test_qualtrics(write, tool):
    text = QUALTRICS
    if tool == "tsv":
        rows = csv.reader(io.StringIO(text, newline=""))
        out = io.StringIO(newline="")
        csv.writer(out, delimiter="\t").writerows(rows)
        text = out.getvalue()
    file = write(text, f"q.{tool}", "utf-8" if tool == "csv" else "utf-16")
    frame = read_survey(file)
    assert list(frame.columns) == ["StartDate", "Q1", "Q2_1"]
    assert frame["Q1"].tolist() == [5, 6]
    assert report(frame).header_rows == 3
    assert report(frame).questions["Q1"] == "How satisfied,\nall in all?"
    assert "three rows of Qualtrics" in notes(frame)


def test_qualtrics_without_respondents(write):
    with pytest.raises(DataError, match="no rows below its header"):
        read_survey(write(QUALTRICS[: QUALTRICS.index("2024")]))


MONKEY = [
    ["Respondent ID", "Collector ID", "How satisfied?", "Which do you use?", "", "", "Comments?"],
    ["", "", "Response", "Branch", "App", "Other (please specify)", "Open-Ended Response"],
    ["114", "9", "5", "Branch", "", "", "fine"],
    ["115", "9", "6", "", "App", "fax", ""],
]
MONKEY_NAMES = [
    "Respondent ID",
    "Collector ID",
    "How satisfied?",
    "Which do you use? - Branch",
    "Which do you use? - App",
    "Which do you use? - Other (please specify)",
    "Comments?",
]


def test_surveymonkey_csv(write):
    frame = read_survey(write("\n".join(",".join(row) for row in MONKEY)))
    assert list(frame.columns) == MONKEY_NAMES
    assert frame["How satisfied?"].tolist() == [5, 6]
    assert report(frame).header_rows == 2
    assert report(frame).questions[MONKEY_NAMES[4]] == "Which do you use?"
    assert "two rows of SurveyMonkey" in notes(frame)
    assert "(3 columns)" in notes(frame)


def test_surveymonkey_excel(tmp_path):
    rows = [[cell or None for cell in row] for row in MONKEY]
    frame = read_survey(workbook(tmp_path / "m.xlsx", ("Sheet", rows)))
    assert list(frame.columns) == MONKEY_NAMES
    assert len(frame) == 2


@pytest.mark.parametrize(
    "text",
    [
        "name,,comment\nAnn,x,good\nBob,y,bad\n",  # an unnamed column is no second header
        "name,kind\nAnn,Response\nBob,Other\n",  # the word as an answer
        "Respondent ID,q1\n,5\n2,6\n",  # a missing identifier
        "q,Respondent ID,\n,ann,Response\nb,bob,x\n",  # an identifier that is there
        "name,,c\n,x,y\nBob,z,w\n",  # an unnamed column, and a name left out
    ],
)
def test_what_is_no_surveymonkey_header(write, text):
    frame = read_survey(write(text))
    assert report(frame).header_rows == 1
    assert len(frame) == 2


# ------------------------------------------------------------------ Excel


def test_excel_values(tmp_path):
    day = datetime.datetime(2024, 5, 1)
    rows = [
        ["id", "q1", "q2", "text", "yes", "day", "mixed", "only numbers as text"],
        ["007", 5, 1.5, "NA", True, day, 5, "4"],
        ["008", None, 2, None, False, day, "often", 5],
        [None] * 8,
        ["009", 6, 2.5, "#N/A", True, day, None, 6],
        [None] * 8,
    ]
    frame = read_survey(workbook(tmp_path / "e.xlsx", ("Data", rows)))
    assert frame["id"].tolist() == ["007", "008", "009"]
    assert frame["q1"].tolist()[::2] == [5.0, 6.0]
    assert frame["q2"].tolist() == [1.5, 2.0, 2.5]
    assert frame["text"].tolist()[::2] == ["NA", "#N/A"]
    assert frame["yes"].dtype == bool
    assert frame["day"].dtype.kind == "M"
    assert frame["mixed"].tolist()[:2] == [5, "often"]
    assert frame["only numbers as text"].tolist() == [4, 5, 6]
    assert "column 'only numbers as text': 1 numbers were stored as text" in notes(frame)
    assert "1 blank rows were left out" in notes(frame)
    assert report(frame).format == "xlsx"


def test_excel_sheets(tmp_path):
    file = workbook(tmp_path / "s.xlsx", ("Read me", [["a"], [1]]), ("数据", [["b"], [2]]))
    first, second = read_survey(file), read_survey(file, sheet="数据")
    assert (list(first.columns), list(second.columns)) == (["a"], ["b"])
    assert "sheet 'Read me' was read (the first); others: '数据'" in notes(first)
    assert "sheet '数据' was read (given); others: 'Read me'" in notes(second)
    with pytest.raises(DataError, match=r"s\.xlsx: no sheet 'Data'; sheets: 'Read me', '数据'"):
        read_survey(file, sheet="Data")


def test_excel_formula_without_value_is_no_empty_cell(tmp_path):
    file = workbook(tmp_path / "f.xlsx", ("S", [["a", "b"], [1, "=A2+1"], [2, 3]]))
    with pytest.warns(UserWarning, match=r"f\.xlsx: 1 cells hold a formula .*\(B2\)"):
        frame = read_survey(file)
    assert frame["b"].tolist() == ["=A2+1", 3]
    assert "B2" in frame.attrs["read_report"].doubts[0].zh


def test_excel_that_is_none(tmp_path, write):
    with pytest.raises(DataError, match=r"p\.xlsx: protected by a password"):
        read_survey(
            write(
                b"\xd0\xcf\x11\xe0" + b"\0" * 99 + "EncryptedPackage".encode("utf-16-le"), "p.xlsx"
            )
        )
    with pytest.raises(DataError, match=r"o\.xlsx: the old Excel format under a new name"):
        read_survey(write(b"\xd0\xcf\x11\xe0" + b"\0" * 99, "o.xlsx"))
    with pytest.raises(DataError, match=r"t\.xlsx: not an Excel workbook, or a damaged one"):
        read_survey(write("a,b\n1,2\n", "t.xlsx"))
    whole = workbook(tmp_path / "w.xlsx", ("S", [["a"], [1]])).read_bytes()
    with pytest.raises(DataError, match=r"half\.xlsx: not an Excel workbook, or a damaged one"):
        read_survey(write(whole[: len(whole) // 2], "half.xlsx"))
    with zipfile.ZipFile(tmp_path / "z.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(DataError, match=r"z\.xlsx: not an Excel workbook, or a damaged one"):
        read_survey(tmp_path / "z.xlsx")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "the file is empty"),
        ([["a", "b"]], "no rows below its header"),
    ],
)
def test_excel_without_a_table(tmp_path, rows, message):
    with pytest.raises(DataError, match=rf"x\.xlsx.*{message}"):
        read_survey(workbook(tmp_path / "x.xlsx", ("S", rows)))


# ------------------------------------------------------------------ SPSS


@pytest.mark.parametrize("name", ["s.sav", "s.zsav"])
def test_spss(tmp_path, name):
    table = pd.DataFrame(
        {
            "q1": [1.0, 5, 99, np.nan, 98],
            "q2": [1.0, 2, 3, 4, -5],
            "text": [*"ab", "", "z", "c"],
        }
    )
    pyreadstat.write_sav(
        table,
        str(tmp_path / name),
        compress=name.endswith(".zsav"),
        column_labels={"q1": "How satisfied?"},
        variable_value_labels={"q1": {1: "not at all", 5: "very", 99: "refused"}},
        missing_ranges={"q1": [{"lo": 98, "hi": 99}], "q2": [-5], "text": ["z"]},
    )
    frame = read_survey(tmp_path / name)
    assert frame["q1"].isna().tolist() == [False, False, True, True, True]
    assert frame["q1"].tolist()[:2] == [1, 5]
    assert frame["text"].isna().tolist() == [False, False, True, True, False]
    found = report(frame)
    assert found.missing == {"q1": 2, "q2": 1, "text": 1}
    assert found.value_labels == {"q1": {1: "not at all", 5: "very", 99: "refused"}}
    assert found.questions == {"q1": "How satisfied?"}
    assert found.table.to_numpy().tolist() == [
        ["q1", "How satisfied?", "1 = not at all; 5 = very; 99 = refused", 2],
        ["q2", "", "", 1],
        ["text", "", "", 1],
    ]
    assert (found.format, found.header_rows, found.delimiter) == (name.split(".")[1], 0, "")
    assert "column 'q1': 2 values that the file declares missing became missing" in notes(frame)


def test_spss_that_is_none(tmp_path, write):
    with pytest.raises(DataError, match=r"t\.sav: not an SPSS file"):
        read_survey(write("a,b\n1,2\n", "t.sav"))
    pyreadstat.write_sav(pd.DataFrame({"a": np.arange(500.0)}), str(tmp_path / "w.sav"))
    with pytest.raises(DataError, match=r"half\.sav: a damaged SPSS file"):
        read_survey(write((tmp_path / "w.sav").read_bytes()[:300], "half.sav"))
    with pytest.raises(DataError, match=r"e\.sav: protected by a password"):
        read_survey(write(b"\x1c\0\0\0\0\0\0\0ENCRYPTEDSAV" + b"\0" * 30, "e.sav"))


def test_spss_without_rows(tmp_path):
    pyreadstat.write_sav(pd.DataFrame({"a": np.array([], dtype=float)}), str(tmp_path / "n.sav"))
    with pytest.raises(DataError, match=r"n\.sav: the file has no rows"):
        read_survey(tmp_path / "n.sav")


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.csv", b"", r"e\.csv: the file is empty"),
        ("e.csv", b"\xef\xbb\xbf", r"e\.csv: the file is empty"),
        ("e.csv", b"\n\n", r"e\.csv: the file is empty"),
        ("h.csv", b"a,b\n", r"h\.csv: the file has no rows below its header"),
        ("r.csv", b"a,b\n1,2\n\n1,2,3\n", r"r\.csv, row 4: 3 cells where the header, row 1, has 2"),
        (
            "r.csv",
            b"a,b,c\n1,2\n1,2,3\n1\n",
            r"row 2: 2 cells where the header, row 1, has 3 \(and 1 more\)",
        ),
        ("q.csv", b'a,b\n1,2\n1,"x\n2,3\n', r"q\.csv, row 3: a quotation mark is opened and not"),
        ("q.csv", b'a,b\n"1\n1",2\n"x"y,3\n', r"row 3 \(line 4\): text follows a closing"),
        ("l.csv", b'a,b\n1,"' + b"x" * 200_000, r"l\.csv, row 2: a quotation mark is opened"),
        ("n.csv", b"a,b\n1,\0\n", r"n\.csv: not a text file: NUL at byte 6"),
        (
            "n.csv",
            b"a,b\n" + b"1,2\n" * 20_000 + b"1,\0\n",
            r"n\.csv: not a text file: NUL in line 20002",
        ),
        ("c.csv", bytes(range(1, 32)) * 9, r"c\.csv: not a text file: \d+ control characters"),
        ("x.csv", b"PK\x03\x04rest", r"x\.csv: not text but an Excel or zip file"),
        ("x.csv", b"$FL2@(#)", r"x\.csv: not text but an SPSS file"),
        ("x.xls", b"anything", r"x\.xls: the old Excel format; save the file as \.xlsx"),
        ("x.pdf", b"%PDF", r"x\.pdf: extension '\.pdf' is not known; allowed: \.csv"),
    ],
)
def test_refused(write, name, content, message):
    with pytest.raises(DataError, match=message):
        read_survey(write(content, name))


def test_what_is_no_file(tmp_path, write):
    with pytest.raises(DataError, match=r"none\.csv: cannot be read: No such file"):
        read_survey(tmp_path / "none.csv")
    with pytest.raises(DataError, match="a folder, not a file"):
        read_survey(tmp_path)
    with pytest.raises(DataError, match=r"answers\.csv: sheet='S', but only an \.xlsx file"):
        read_survey(write("a\n1\n"), sheet="S")


def test_binary_is_refused_from_its_first_bytes(write, monkeypatch):
    file = write(np.random.default_rng(1).bytes(1_000_000), "random.csv")
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("read as a whole"))
    with pytest.raises(DataError, match=r"random\.csv: not a text file: NUL at byte"):
        read_survey(file)


@pytest.mark.filterwarnings("ignore:.*is not UTF-8; read as|.*assumed to be GB18030")
@settings(deadline=None)  # timings never decide a test
@given(st.binary(min_size=1, max_size=300), st.sampled_from(["b.csv", "b.xlsx", "b.sav"]))
def test_any_bytes_give_a_table_or_one_line(tmp_path_factory, data, name):
    file = tmp_path_factory.getbasetemp() / name
    file.write_bytes(data)
    message = name
    try:
        assert len(read_survey(file))
    except DataError as error:
        message = str(error)
    assert message.startswith(name)
    assert "\n" not in message


# ------------------------------------------------------------------ the report


def test_report_survives_a_copy_and_reads_well(write):
    frame = read_survey(write(CHINESE.format(d=";").encode("gb18030")))
    copy = frame.copy()
    assert copy.attrs["read_report"] == report(frame)
    assert str(report(copy)) == report(frame).summary()
    assert "answers.csv: csv, 2 rows, 3 columns, header rows: 1" in report(frame).summary()
    assert "delimiter: semicolon" in report(frame).summary()
    assert "分隔符：分号" in report(frame).summary("zh")
    assert all(line in report(frame).summary() for line in notes(frame).splitlines())
    assert "假定为 GB18030" in report(frame).summary("zh")
    with pytest.raises(AttributeError):
        report(frame).rows = 3


def test_report_html_is_escaped(write):
    frame = read_survey(write(" <b>,x\n1,2\n"))
    assert "&lt;b&gt;" in report(frame)._repr_html_()
    assert "<b>" not in report(frame)._repr_html_()


# ------------------------------------------------------------------ what a person says instead


def test_a_title_row_is_no_header(tmp_path):
    rows = [["调查表"], ["编号", "有形性", "NPS"], [1, 4, 9], [2, 5, 10]]
    frame = read_survey(workbook(tmp_path / "h1.xlsx", ("S", rows)))
    assert list(frame.columns) == ["编号", "有形性", "NPS"]
    assert frame.index.tolist() == [3, 4]
    assert report(frame).titles == (1,)
    assert "调查表" in notes(frame)


def test_the_header_can_be_named(write):
    text = "a,b\nc,d\n1,2\n"
    assert list(read_survey(write(text), header=2).columns) == ["c", "d"]
    named = read_survey(write(text), header=[1, 2])
    assert list(named.columns) == ["a", "b"]
    assert report(named).questions == {"a": "c", "b": "d"}
    with pytest.raises(DataError, match=r"header=9: there is no such row"):
        read_survey(write(text), header=9)
    for wrong in (0, [], [1, 3], "first"):
        with pytest.raises(cx.CxError, match="header="):
            read_survey(write(text), header=wrong)


def test_dates_are_read_in_the_order_that_is_named(write):
    text = "day,n\n03/04/2024,1\n25/12/2024 08:30,2\n,3\n"
    assert read_survey(write(text))["day"].iloc[0] == "03/04/2024"
    days = read_survey(write(text), dates="dmy")["day"]
    assert days.iloc[0] == pd.Timestamp("2024-04-03")
    assert days.iloc[1] == pd.Timestamp("2024-12-25 08:30")
    assert days.isna().iloc[2]
    assert read_survey(write(text), dates="mdy")["day"].iloc[0] == "03/04/2024"  # 25 is no month
    chinese = read_survey(write("日期,n\n2024年3月1日,1\n2024/12/9,2\n"), dates="ymd")["日期"]
    assert chinese.tolist() == [pd.Timestamp("2024-03-01"), pd.Timestamp("2024-12-09")]
    with pytest.raises(cx.CxError, match="dates='day first'; allowed: 'ymd', 'dmy', 'mdy'"):
        read_survey(write(text), dates="day first")


def test_the_decimal_mark_can_be_named(write):
    assert read_survey(write('a,b\n"1,5",2\n"2,5",3\n'), decimal=",")["a"].tolist() == [1.5, 2.5]
    assert read_survey(write("a;b\n1,5;2\n2,5;3\n"), decimal=".")["a"].tolist() == ["1,5", "2,5"]
    with pytest.raises(cx.CxError, match=r"decimal=';'; allowed"):
        read_survey(write("a;b\n1;2\n"), decimal=";")


def test_rows_that_are_no_respondents_are_left_out_when_asked(write):
    text = "id,q1,q2\nA,4,5\nB,2,3\nC,5,4\nTotal,11,12\n"
    with pytest.warns(UserWarning, match=r"no respondents .*total \(1\).*leave_out=\['total'\]"):
        frame = read_survey(write(text))
    assert len(frame) == 4
    assert report(frame).pointed_out == {"total": (5,)}
    frame = read_survey(write(text), leave_out=["total"])
    assert frame["q1"].tolist() == [4, 2, 5]
    assert report(frame).left_out == {"total": (5,)}
    assert "已略去 1 行（合计或平均）：5" in report(frame).summary("zh")
    with pytest.raises(cx.CxError, match="leave_out='totals'; allowed: 'total'"):
        read_survey(write(text), leave_out="totals")


def test_long_tables_name_the_call_that_makes_them_wide(write):
    text = "id,item,role,answer\n" + "".join(
        f"{i},{item},{role},{i % 5 + 1}\n"
        for i in range(1, 5) for item in ("t1", "t2") for role in ("期望", "感受")
    )  # fmt: skip
    with pytest.warns(UserWarning, match=r"frame\.pivot\(index='id', columns=\['item', 'role'\]"):
        frame = read_survey(write(text))
    (doubt,) = report(frame).doubts
    call = doubt.en.split("respondent: ", 1)[1]
    space = {"frame": frame}
    exec(call, space)
    assert list(space["wide"].columns) == ["期望 - t1", "感受 - t1", "期望 - t2", "感受 - t2"]
