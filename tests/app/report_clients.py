"""Reports to write: of a simulated client, and of one whose texts and tables are hostile."""

from datetime import datetime
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

import cxstats as cx
from cxstats.app.report.client import open_client
from cxstats.app.report.content import (
    Finding,
    NativeChart,
    ReportChart,
    ReportTable,
    Section,
    Sentence,
)
from cxstats.app.report.reporting import Report, analyse
from cxstats.core.language import Text

BRANCHES = ("Central", "Harbour", "Station", "Old town", "Tiny")
FORMULAS = ("=1+1", '=HYPERLINK("http://x","y")', "@SUM(A1)", "+1+cmd|' /C calc'!A0", "{=1+1}")
HOSTILE = (
    *FORMULAS,
    "<script>alert(1)</script>",
    "&amp; <b> ]]> \" '",
    "x" * 10_000,
    "word " * 2_000,
    "字" * 10_000,
    "😀" * 400,
    "\x00\x01\x1b[2J\x0b\x7f",
    "\ufffe\uffff",
    "half \ud800 character",
    "\u202eturned",
    "two\nlines\r\nand\ttabs",
    "",
    "   ",
    "_x0041_",
    "Wow!A1",
    "='C:\\x\\[b.xlsx]S'!A1",
)


# A frame of pandas cannot hold a half of a character, so no table of a client has one.
IN_TABLES = tuple(text for text in HOSTILE if "\ud800" not in text)


def responses():
    """Answers of 300 customers: Central is best, the last quarter worst, one branch is tiny."""
    rng = np.random.default_rng(1)
    frame, codebook = cx.simulate_servqual(300, seed=7)
    frame["branch"] = rng.choice(BRANCHES, 300, p=[0.5, 0.27, 0.17, 0.05, 0.01])
    frame["wave"] = rng.choice(["2026Q1", "2026Q2", "2026Q3"], 300)
    lift = (frame["branch"] == "Central") * 1.6 - (frame["wave"] == "2026Q3") * 1.0
    frame["recommend"] = np.clip(np.round(7.6 + lift + rng.normal(size=300) * 2), 0, 10)
    mean = frame.filter(like="P_").mean(axis=1)
    frame["overall"] = np.clip(np.round(mean + lift / 2 + rng.normal(size=300)), 1, 7)
    keys = codebook.to_dict()
    keys["questions"] = {
        "nps": {"kind": "nps", "column": "recommend"},
        "sat": {
            "kind": "csat", "column": "overall", "scale": [1, 7],
            "label": {"en": "Overall satisfaction", "zh": "总体满意度"},
        },
    }  # fmt: skip
    keys["groups"], keys["wave"] = ["branch"], "wave"
    return frame, keys


@cache
def simulated(folder, synthetic=False):
    """Return the report of a simulated client whose file stands in `folder`."""
    frame, keys = responses()
    keys["title"] = (
        {"en": "Synthetic bank survey", "zh": "合成银行调查"}
        if synthetic
        else {"en": "Bank survey", "zh": "银行调查"}
    )
    path = folder / "client.xlsx"
    frame.to_excel(path, index=False)
    client = open_client(path, cx.Codebook(**keys), targets={"nps": 40, "sat": 0.1})
    return Report(client.codebook.name, analyse(client), client, (), client.doubts)


def text(words):
    return Text(words, words)


def table(key, columns, title=None, **options):
    return ReportTable(key, title or text(key), pd.DataFrame(columns), **options)


def said(name, numbers):
    """Return a sentence about a row of a table, with a client's name in it."""
    cells = {
        column: numbers.cell(0, source)
        for column, source in [("estimate", "value"), ("low", "low"), ("high", "high"), ("n", "n")]
    }
    return Sentence("report.metrics.mean", {"name": text(name), **cells})


def numbers_of(key, names, title=None):
    """Return a table with a row a name; the last has no interval, and one before no number."""
    n = len(names)
    value = np.linspace(-40, 60, n) if n > 1 else np.array([3.25])
    low, high = value - 5.5, value + 7.25
    if n > 3:
        value[-2], high[-1] = np.nan, np.inf
    columns = {"name": list(names), "value": value, "low": low, "high": high, "n": range(n)}
    return table(key, columns, title, bars=("value",), level=0.95)


def hostile(synthetic=True):
    """Return a report in which every name, title and cell tries to break its file."""
    findings = []
    for i, name in enumerate(HOSTILE):
        numbers = numbers_of(f"key {name}", IN_TABLES, text(name))
        kind = ("bar", "column", "line")[i % 3]
        rows = tuple(range(len(IN_TABLES)))[:: -1 if i % 2 else 1]
        native = NativeChart(kind, numbers, "name", ("value",), "low", "high", rows=rows)
        findings.append(
            Finding(
                said(name, numbers),
                (said(name, numbers), said(HOSTILE[i - 1], numbers)),
                said(name, numbers),
                n=numbers.cell(0, "n", "whole"),
                method=text(name),
                caveats=(text(name), text("fine")),
                table=numbers,
                chart=ReportChart(None, native=native),
            )
        )
    many = numbers_of("many", [f"group {i}" for i in range(300)])
    native = NativeChart("bar", many, "name", ("value",), "low", "high")
    findings.append(Finding(said("many", many), table=many, chart=ReportChart(None, native=native)))
    wide = table("wide", {f"column {i}": [i, i + 0.5] for i in range(1_000)})
    odd = table(
        "odd",
        {
            "whole": [10**20, 5], "infinite": [np.inf, -np.inf], "flag": [True, False],
            "none": [None, None], "date": [datetime(2026, 3, 1), None],
            "mixed": [Text("one", "一"), 2.5], "number": pd.array([1, None], dtype="Int64"),
        },
    )  # fmt: skip
    empty = table("empty", {"name": [], "value": []})
    duplicate = [table(f"same {i}", {"a": [i]}, text("The same title of more than 31 characters"))
                 for i in range(12)]  # fmt: skip
    form = table("actions", {"action": IN_TABLES, "owner": [""] * len(IN_TABLES)})
    long = table("long", {"name": [f"row {i}" for i in range(300)], "value": range(300)})
    sections = (
        Section("decide", findings=tuple(findings[:3])),
        Section("scorecard", tables=(odd, empty), absent=(text(HOSTILE[7]),)),
        Section("metrics", findings=tuple(findings), tables=(wide, long)),
        Section("actions", tables=(form,)),
        Section("quality", sentences=tuple(f.headline for f in findings)),
        Section("method", tables=tuple(duplicate)),
    )  # fmt: skip
    client = SimpleNamespace(
        file='=cmd|"x"!A0 <b>.xlsx', sha256="0" * 64, seed=1, answers=range(10), synthetic=synthetic
    )
    return Report(text(HOSTILE[5]), sections, client, (), tuple(map(text, HOSTILE)))
