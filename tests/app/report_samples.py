"""Reports to write: a bank's synthetic visits, and a client whose texts are hostile."""

import dataclasses
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from cxstats.app.report.content import Finding, ReportTable, Section, Sentence
from cxstats.app.report.document import write_document
from cxstats.app.report.html import write_html
from cxstats.app.report.reporting import Report, report
from cxstats.core.language import Text

CITIES = {"Beijing": 1.5, "Shanghai": 0.0, "Guangzhou": -1.5}
HOSTILE = (
    "<script>alert(1)</script>",
    "a & b </style><b>",
    "x" * 10_000,
    "bell \x07 and \x1b[2J",
    "=1+1",
    "\u202eturned\u200f",
    "שלום עולם",
    "]]> 😀",
)
LONG_NAME = "<img src=x onerror=alert(1)> " + "L" * 9_000


def analysed(frame, book, **options):
    """Return the report of a frame, by way of a file."""
    path = Path(tempfile.mkdtemp(), "visits.csv")
    frame.to_csv(path, index=False)
    return report(path, book, **options)


@cache
def bank():
    """Return a report with findings that ask for a decision, and some that do not."""
    rng, n = np.random.default_rng(3), 240
    city = rng.choice(list(CITIES), n)
    wave = rng.choice(["2026Q1", "2026Q2", "2026Q3"], n)
    fall = pd.Series(wave).map({"2026Q1": 1.0, "2026Q2": 0.0, "2026Q3": -1.0}).to_numpy()
    recommend = 8 + pd.Series(city).map(CITIES).to_numpy() + 2 * rng.normal(size=n)
    frame = pd.DataFrame({
        "city": city,
        "wave": wave,
        "recommend": np.clip(recommend.round(), 0, 10),
        "overall": np.clip((5 + fall + rng.normal(size=n)).round(), 1, 7),
    })  # fmt: skip
    book = {
        "title": {"en": "Bank visits (synthetic)", "zh": "银行网点调查（合成数据）"},
        "questions": {
            "nps": {"kind": "nps", "column": "recommend"},
            "overall": {
                "kind": "csat", "column": "overall", "scale": [1, 7],
                "label": {"en": "Overall satisfaction", "zh": "总体满意度"},
            },
        },
        "groups": ["city"],
        "wave": "wave",
    }  # fmt: skip
    made = analysed(frame, book, targets={"nps": 20, "overall": 0.5})
    reason = Text("The file has no comments.", "文件中没有文字评论。")
    chapters = [section for section in made.sections if section.key != "words"]
    return with_sections(made, (*chapters, Section("words", absent=(reason,))))


@cache
def hostile():
    """Return a report whose names do all that names can do."""
    rng, n = np.random.default_rng(4), 800
    frame = pd.DataFrame({
        "city <b>": rng.choice(HOSTILE, n),
        "wave": rng.choice(["2026Q1", "2026<Q2>"], n),
        "recommend": rng.integers(0, 11, n),
    })  # fmt: skip
    book = {
        "title": "<script>alert('t')</script> & \x07 synthetic",
        "questions": {"nps": {"kind": "nps", "column": "recommend", "label": LONG_NAME}},
        "groups": ["city <b>"],
        "wave": "wave",
    }
    return analysed(frame, book)


def charted(made):
    """Return the findings that show a chart; those to decide on show it in their chapters."""
    return [f for s in made.sections if s.key != "decide" for f in s.findings if f.chart]


def with_sections(made, sections):
    """Return a report with other chapters."""
    return Report(made.name, tuple(sections), made.client, (), ())


def of_table(frame, title="A made table"):
    """Return a report of one table."""
    table = ReportTable("made", Text(title, title), frame)
    return with_sections(bank(), (Section("metrics", tables=(table,)),))


def of_chart(chart):
    """Return a report of one finding with a chart."""
    finding = Finding(Sentence("report.absent.no_rated"), chart=chart)
    return with_sections(bank(), (Section("metrics", findings=(finding,)),))


def measured(made):
    """Return a report of the same content whose answers are no simulation."""
    book = dataclasses.replace(made.client.codebook, title="Bank visits")
    client = dataclasses.replace(made.client, codebook=book)
    return Report(made.name, made.sections, client, (), ())


@cache
def written(sample, form, lang):
    """Return the path of a report in one form."""
    path = Path(tempfile.mkdtemp(), f"report{form}")
    {".html": write_html, ".docx": write_document}[form](sample(), path, lang)
    return path
