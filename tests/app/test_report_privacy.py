"""Personal data stay out of a report; nothing is sent, and no file is left behind."""

import importlib.util
import os
import socket
import tempfile
import zipfile

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.app.report.privacy import quotable, without_personal_columns

PERSONS = ("13800138000", "fang@example.org", "王小芳")


def answers(n=90, seed=1):
    """Return answers with a respondent, a telephone number, a name and comments that hold them."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"recommend": rng.integers(0, 11, n), "speed": rng.integers(1, 6, n)})
    frame["branch"] = np.repeat(["North", "South", "West"], [n // 2, n - n // 2 - 12, 12])
    frame["手机号"] = [f"138{i:08d}" for i in range(n)]
    frame["姓名"] = ["王小芳"] * n
    frame["comment"] = ["The app is slow, I had to wait for a long time."] * n
    frame.loc[3, "手机号"], frame.loc[3, "comment"] = PERSONS[0], f"Call {PERSONS[0]}: I waited."
    frame.loc[4, "comment"] = f"Mail me at {PERSONS[1]}, the staff was unfriendly."
    return frame


BOOK = {
    "questions": {
        "nps": {"kind": "nps", "column": "recommend"},
        "speed": {"kind": "csat", "column": "speed", "scale": [1, 5]},
        "why": {"kind": "text", "column": "comment"},
    },
    "groups": ["branch"],
    "respondent": "手机号",
    "personal": ["姓名"],
}


def test_what_becomes_of_each_column():
    frame = answers()
    before = frame.copy()
    private = without_personal_columns(frame, cx.Codebook(**BOOK))
    pd.testing.assert_frame_equal(frame, before)
    done = private.table.set_index("column")["done"].to_dict()
    assert done == {"手机号": "numbered", "姓名": "left_out", "comment": "masked"}
    assert "姓名" not in private.frame
    assert private.codebook.personal == ()
    assert private.frame["手机号"].tolist() == list(range(1, 91))
    text = private.frame.to_csv()
    assert not any(person in text for person in PERSONS)
    assert private.frame.loc[3, "comment"] == "Call ***: I waited."
    # The answers are those they were.
    for name in ("recommend", "speed", "branch"):
        pd.testing.assert_series_equal(private.frame[name], frame[name])
    assert all(note.en and note.zh for note in private.notes)
    assert "姓名" in private.notes[0].zh


def test_the_same_person_has_the_same_number():
    frame = answers(40)
    frame.loc[1, "手机号"] = frame.loc[0, "手机号"]
    frame.loc[2, "手机号"] = None
    numbers = without_personal_columns(frame, cx.Codebook(**BOOK)).frame["手机号"]
    assert numbers[0] == numbers[1]
    assert numbers[2] is pd.NA
    assert numbers.nunique() == 38


def test_columns_that_the_caller_names_stay():
    frame = answers()
    private = without_personal_columns(frame, cx.Codebook(**BOOK), keep=["姓名", "手机号"])
    assert private.frame["姓名"].eq("王小芳").all()
    assert private.frame.loc[3, "手机号"] == PERSONS[0]
    with pytest.raises(cx.DataError, match="keep: column 'name' is not in the table"):
        without_personal_columns(frame, cx.Codebook(**BOOK), keep=["name"])


def test_a_group_that_names_persons_is_no_group():
    book = {**BOOK, "personal": [], "groups": ["branch", "姓名"]}
    private = without_personal_columns(answers(), cx.Codebook(**book))
    assert private.codebook.group_columns == ("branch",)
    assert private.table.set_index("column").loc["姓名", "found_by"] == "heading"


def test_answers_on_a_scale_are_never_personal():
    """Numbers of eleven digits in a rated column are wrong answers, for `check` to find."""
    frame = answers(40).assign(recommend=13800138000)
    private = without_personal_columns(frame, cx.Codebook(**BOOK))
    assert "recommend" in private.frame


@pytest.mark.parametrize(
    ("cells", "done"),
    [
        (["13800138000", "139 0013 9000"], "left_out"),
        (["电话13800138000", "手机：13900139000"], "masked"),
        (["fang@example.org", "wei@example.org"], "left_out"),
        ([13800138000, 13900139000], "left_out"),
        (["call 13800138000 after five", "fine", "fine"], "masked"),
    ],
)
def test_a_column_of_personal_data_and_texts_that_hold_some(cells, done):
    frame = pd.DataFrame({"recommend": range(len(cells)), "q7": cells})
    book = cx.Codebook(questions={"nps": {"kind": "nps", "column": "recommend"}})
    private = without_personal_columns(frame, book)
    assert private.table["done"].tolist() == [done]


def test_quotes_say_what_was_masked():
    assert quotable([f"请打{PERSONS[0]}", None, "fine"]) == ["请打[电话]", None, "fine"]


# ---- the report as a whole -------------------------------------------------------------------

WRITERS = ("html", "workbook", "slides", "document")


def needs_writers():
    for name in WRITERS:
        if importlib.util.find_spec(f"cxstats.app.report.{name}") is None:
            pytest.skip(f"the report has no {name} yet")


@pytest.fixture
def closed(monkeypatch):
    """Every attempt to reach a network raises."""

    def refuse(*arguments, **options):
        raise AssertionError(f"the report wanted to connect: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def folder_of_temporary_files(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert tempfile.gettempdir() == str(folder)
    yield folder
    tempfile.tempdir = None


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "client.csv"
    answers().to_csv(path, index=False)
    return path


def contents(path):
    """Return the bytes of a file, of an archive those of its members."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return b"\n".join(archive.read(name) for name in archive.namelist())
    return path.read_bytes()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.usefixtures("closed")
def test_a_report_sends_nothing_leaves_nothing_and_names_nobody(
    file, tmp_path, folder_of_temporary_files, lang
):
    needs_writers()
    folder = tmp_path / "report"
    cx.report(file, BOOK, out=folder, lang=lang)
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) >= len(WRITERS)
    for path in written:
        for person in PERSONS:
            assert person.encode() not in contents(path), f"{path.name} names {person}"
    assert os.listdir(folder_of_temporary_files) == []


@pytest.mark.usefixtures("closed")
def test_an_error_leaves_nothing(file, tmp_path, folder_of_temporary_files, monkeypatch):
    for path, options in ((file, {"min_cell": 0}), (tmp_path / "none.xlsx", {})):
        with pytest.raises(cx.CxError):
            cx.report(path, BOOK, out=tmp_path / "report", **options)
    assert os.listdir(folder_of_temporary_files) == []
    needs_writers()

    def fail(*arguments):
        raise RuntimeError("half way")

    monkeypatch.setattr("cxstats.app.report.workbook.write_workbook", fail)
    with pytest.raises(RuntimeError, match="half way"):
        cx.report(file, BOOK, out=tmp_path / "report", forms=[".xlsx"])
    assert not any((tmp_path / "report").glob("*"))
    assert os.listdir(folder_of_temporary_files) == []


def test_the_network_test_can_fail(closed):
    with pytest.raises(AssertionError, match="wanted to connect"):
        socket.create_connection(("localhost", 9))
