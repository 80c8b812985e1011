"""Personal data are found by heading and by form, named without being shown, and masked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import cxstats as cx
from cxstats.survey.durations import seconds
from cxstats.survey.personal_data import kind_of_heading, kinds_of

FOUND = {
    "write to fang.wang@example.org please": {"email"},
    "13800138000": {"phone"},
    "电话 +86 138-0013-8000": {"phone"},
    "+49 30 1234567": {"phone"},
    "010-12345678": {"phone"},
    "11010519491231002X": {"identity"},  # the example of the standard GB 11643
    "GB82WEST12345698765432": {"account"},  # the example of the IBAN registry
    "4111 1111 1111 1111": {"account"},  # a test card
    "from 192.0.2.31": {"ip"},
    "浙江省杭州市西湖区文三路100号": {"address"},
}
NOT_FOUND = (
    "2024-03-01 09:11:05", "5 of 7", "version 1.2.3.4567", "110105194912310021",
    "GB82WEST12345698765433", "4111 1111 1111 1112", "999.1.1.1", "branch 12345678",
    "@home", "a@b", "服务很好，路上堵车", "R_1kQmZt7LxWv1YaB", "0.1234567890123",
)  # fmt: skip


@pytest.mark.parametrize(("text", "kinds"), FOUND.items())
def test_a_form_is_found(text, kinds):
    assert kinds_of(text) == kinds


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_has_no_form_is_not(text):
    assert kinds_of(text) == set()


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("E-mail Address", "email"), ("姓名", "name"), ("RecipientFirstName", "name"),
     ("来自IP", "ip"), ("Date of birth", "birth"), ("branch", None), ("nameplate", None)],
)  # fmt: skip
def test_headings(heading, kind):
    assert kind_of_heading(heading) == kind


def table():
    return pd.DataFrame(
        {
            "id": [1, 2, 3],
            "手机": [13800138000, np.nan, 13900139000],
            "comment": ["call 13800138000 or fang@example.org", "fine", None],
            "number": [13800138000.0, 5.0, np.nan],
            "q1": [4, 5, 3],
        },
        index=[2, 3, 4],
    )


def test_columns_are_named_and_nothing_is_shown():
    result = cx.find_personal_data(table())
    assert result.table.values.tolist() == [
        ["手机", "phone", "heading", 2, 2],
        ["comment", "email", "form", 1, 2],
        ["comment", "phone", "form", 1, 2],
        ["number", "phone", "form", 1, 2],
    ]
    for lang in ("en", "zh"):
        assert "13800138000" not in result.summary(lang)
        assert "example.org" not in result.summary(lang)


def test_masking_keeps_the_rest():
    frame = table()
    masked, report = cx.mask_personal_data(frame)
    assert masked["手机"].tolist()[::2] == ["***", "***"]
    assert pd.isna(masked["手机"].iloc[1])
    assert masked["comment"].iloc[0] == "call *** or ***"
    assert masked["number"].tolist()[:2] == ["***", 5.0]
    assert masked[["id", "q1"]].equals(frame[["id", "q1"]])
    assert report.masked
    assert frame.equals(table())
    assert cx.find_personal_data(masked[["comment", "number"]]).table.empty
    partly, _ = cx.mask_personal_data(frame, kinds=["email"], keep=["手机"])
    assert partly["comment"].iloc[0] == "call 13800138000 or ***"
    with pytest.raises(cx.CxError, match="kinds='mail'; allowed: 'email'"):
        cx.mask_personal_data(frame, kinds=["mail"])
    with pytest.raises(cx.DataError, match="keep: column 'phone' is not in the table"):
        cx.mask_personal_data(frame, keep=["phone"])


def test_check_points_personal_data_out():
    book = cx.Codebook(scale=(1, 7), constructs={"A": ["q1"]}, other=["id", "手机", "comment"])
    report = cx.check(table().drop(columns="number"), book)
    messages = [p.message for p in report.problems if p.kind == "personal_data"]
    assert len(messages) == 3
    assert "column '手机' holds personal data in 2 cells (telephone number)" in messages[0].en
    assert "cx.mask_personal_data" in messages[0].zh


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("153", 153), ("153秒", 153), ("98 s", 98), ("2分33秒", 153), ("1时2分3秒", 3723),
        ("1小时", 3600), ("00:02:33", 153), ("2:33", 153), ("2m33s", 153), ("2 min. 33 sec.", 153),
        ("1 hour, 5 minutes", 3900), ("1 day, 0:02:33", 86553), ("PT2M33S", 153), ("1,5 min", 90),
        (pd.Timedelta("2min33s"), 153), (pd.Timestamp("2024-01-01 00:02:33").time(), 153),
        (21, 21), (21.5, 21.5),
    ],
)  # fmt: skip
def test_durations(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["soon", "", "5 apples", "33s 2m", "2:3", None, True, "-5 s", "P"])
def test_no_durations(text):
    assert np.isnan(seconds(text))


def test_times_taken_of_wjx_drop_the_fast():
    book = cx.Codebook(scale=(1, 7), constructs={"A": ["q1"]}, duration="所用时间")
    frame = pd.DataFrame({"q1": [4, 5, 3], "所用时间": ["153秒", "21秒", "98秒"]})
    cleaned, report = cx.clean(frame, book, min_seconds=30)
    assert cleaned["q1"].tolist() == [4, 3]
    assert report.dropped["row"].tolist() == [1]
    assert not report.notes


def test_the_stray_is_named_not_the_first_number():
    frame = pd.DataFrame({"nps": ["9", "10", "(空)"]})
    for call in (cx.nps, cx.csat):
        with pytest.raises(cx.DataError, match=r"row 2, column 'nps': '\(空\)' is not a number"):
            call(frame, column="nps")
