"""Every file of the corpus is read as it was meant: names, rows, cells, the report."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import pandas as pd
import pytest

from cxstats.survey import read_survey

FOLDER = Path(__file__).with_name("corpus")
CASES = sorted(path.stem for path in FOLDER.glob("*.json"))


def file_of(case):
    (file,) = (p for p in FOLDER.glob(f"{case}.*") if p.stem == case and p.suffix != ".json")
    return file


def meant(case):
    return json.loads((FOLDER / f"{case}.json").read_text(encoding="utf-8"))


def read(case):
    """Return the table and whether there was a warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = read_survey(file_of(case), **meant(case)["options"])
    return frame, bool(caught)


def as_text(value):
    if pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        midnight = value.time().isoformat() == "00:00:00"
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@pytest.mark.parametrize("case", CASES)
def test_the_table_is_what_was_meant(case):
    expected = pd.read_csv(
        FOLDER / f"{case}.expected.csv", dtype=str, keep_default_na=False, encoding="utf-8"
    ).set_index("row")
    frame, _ = read(case)
    assert list(frame.columns) == list(expected.columns)
    assert [str(row) for row in frame.index] == list(expected.index)
    cells = [[as_text(value) for value in row] for row in frame.astype(object).to_numpy()]
    assert cells == expected.to_numpy().tolist()


@pytest.mark.parametrize("case", CASES)
def test_the_report_says_what_was_decided(case):
    facts = meant(case)
    frame, warned = read(case)
    report = frame.attrs["read_report"]
    assert report.platform == facts["platform"]
    assert list(report.header) == facts["header"]
    assert list(report.titles) == facts.get("title", [])
    assert report.layout == facts["layout"]
    assert list(report.numbered) == facts.get("numbered", [])
    rows = {kind: list(rows) for kind, rows in (report.pointed_out | report.left_out).items()}
    assert rows == facts.get("point_out", {})
    assert facts.get("questions", {}).items() <= report.questions.items()
    assert warned or not facts.get("doubt", False)


def test_the_corpus_is_large_enough():
    assert len(CASES) >= 40


# What is not quoted in a Chinese line and Latin all the same: names of encodings, formats, makers.
LATIN = re.compile(
    r"编码：[\w-]+$|utf|gb18030|latin|ascii|csv|tsv|txt|xlsx|sav|dta|qualtrics|surveymonkey|limesurvey|typeform|"
    r"microsoft forms|google|excel|cx\.\w+|read_survey.*|leave_out=|header=|wide = .*",
    re.IGNORECASE,
)


@pytest.mark.parametrize("case", CASES)
def test_every_line_of_the_chinese_summary_is_chinese(case):
    frame, _ = read(case)
    report = frame.attrs["read_report"]
    for line in report.summary("zh").replace(report.file, "").splitlines():
        sentence = LATIN.sub("", re.sub(r"'[^']*'|\"[^\"]*\"|“[^”]*”|\[.*?\]", "", line))
        assert not re.search("[A-Za-z]{3,}", sentence), line
        assert re.search("[\u4e00-\u9fff]", line), line
