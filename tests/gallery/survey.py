"""What reading, checking and cleaning a client's file found."""

import tempfile
from functools import cache
from pathlib import Path

import pandas as pd

import cxstats as cx
from tests.gallery import Case
from tests.survey.questionnaires import GAPS, gaps, with_every_problem

MESSY = (
    "调查,q1,q2;a,,满意度, spaced\n"
    "007,5,1e+05,, 很好,1\n008,6,7,,好, 2\n\n009,4,3,,=1+1,3\n"
)  # fmt: skip
TWO_ROWS = (
    "Respondent ID;Collector ID;How satisfied?;Which do you use?;\n"
    ";;Response;Branch;App\n114;9;5,5;Branch;\n115;9;6,5;;App\n"
)


@cache
def _read(text, encoding="utf-8"):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "answers.csv")
        file.write_bytes(text.encode(encoding))
        return cx.read_survey(file).attrs["read_report"]


@cache
def _read_spss():
    import pyreadstat

    frame = pd.DataFrame({"q1": [1.0, 5, 99, 98], "q2": [1.0, 2, -5, 4]})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "answers.sav")
        pyreadstat.write_sav(
            frame,
            str(file),
            column_labels={"q1": "How satisfied?"},
            variable_value_labels={"q1": {1: "not at all", 5: "very"}},
            missing_ranges={"q1": [{"lo": 98, "hi": 99}], "q2": [-5]},
        )
        return cx.read_survey(file).attrs["read_report"]


def _people():
    comments = ["mail fang@example.org", "call 13800138000", None]
    return pd.DataFrame({"姓名": ["王", "李", "赵"], "comment": comments, "q1": [4, 5, 3]})


def _many_problems():
    frame = gaps(300).astype(dict.fromkeys(GAPS.answer_columns, object))
    frame.loc[::2, "P_a1"] = "=1+1"
    frame.loc[::3, "E_a1"] = 99
    return cx.check(frame, GAPS)


def _cleaned(faulty):
    frame = gaps(60).astype({"P_a1": object, "E_a1": object})
    if not faulty:
        return cx.clean(frame, GAPS)[1]
    frame.loc[::7, "P_a1"] = "=1+1"
    frame.loc[3, "E_a1"] = "5"
    frame["seconds"] = [5, "two", *[200] * 58]
    frame.attrs["reversed"] = ("a2", "old")
    frame = pd.concat([frame, frame.iloc[[9, 10]]], ignore_index=True)
    frame.attrs["reversed"] = ("a2", "old")
    options = {"min_seconds": 60, "drop_duplicates": True, "on_error": "missing"}
    return cx.clean(frame, GAPS, **options)[1]


def _drafted():
    frame = gaps(60).assign(NPS=range(60), comment="call 13800138000")
    frame["NPS"] %= 11
    frame.loc[3, "P_a1"] = 55
    return cx.Codebook.draft(frame)


CASES = {
    "CodebookDraft/gaps": Case(_drafted, labels=("P_{item}", "E_{item}", *gaps(1).columns)),
    "CodebookDraft/many doubts": Case(
        lambda: cx.Codebook.draft(pd.DataFrame({f"q{i}": [1, 3, 4] for i in range(40)}))
    ),
    "ReadReport/clean": Case(lambda: _read("id,q1,q2\n1,5,4\n2,3,2\n")),
    "ReadReport/messy, GB18030": Case(lambda: _read(MESSY, "gb18030"), labels=("调查", "满意度")),
    "ReadReport/two header rows": Case(
        lambda: _read(TWO_ROWS), labels=("How satisfied?", "Which do you use?", "Respondent ID")
    ),
    "ReadReport/SPSS": Case(_read_spss),
    "CheckReport/clean": Case(lambda: cx.check(gaps(60), GAPS)),
    "CheckReport/every problem": Case(lambda: cx.check(*with_every_problem(), max_missing=0.5)),
    "CheckReport/many problems": Case(_many_problems),
    "PersonalData/found": Case(
        lambda: cx.find_personal_data(_people()), labels=("姓名", "comment")
    ),
    "PersonalData/masked, one kind": Case(
        lambda: cx.mask_personal_data(_people(), kinds=["email"])[1], labels=("comment",)
    ),
    "PersonalData/none": Case(lambda: cx.find_personal_data(gaps(10))),
    "CleanReport/clean": Case(lambda: _cleaned(faulty=False)),
    "CleanReport/faulty": Case(lambda: _cleaned(faulty=True)),
}
