"""Questionnaires and tables that the tests of checking and of cleaning share."""

from decimal import Decimal

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from cxstats.survey.codebook import Codebook

SMALL = Codebook(
    scale=(1, 7),
    constructs={"A": ["a1", "a2", "a3"], "B": ["b1"]},
    reverse=["a3"],
    answers={"非常同意": 7, "5 - agree": 5, "don't know": -99},
    missing=[-99, 8],
)
GAPS = Codebook(
    scale={"default": (1, 7), "B": (0, 10)},
    constructs={"A": ["a1", "a2", "a3", "a4"], "B": ["b1"]},
    perception="P_{item}",
    expectation="E_{item}",
    importance="W_{construct}",
    reverse=["a2", "b1"],
    respondent="id",
    duration="seconds",
    other=["branch"],
)


def small(**columns):
    return pd.DataFrame({"a1": [1, 2], "a2": [3, 4], "a3": [5, 6], "b1": [2, 7]} | columns)


def gaps(n=6, seed=1):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"id": [f"r{i}" for i in range(n)], "seconds": [200 + i for i in range(n)]}
    )
    for column in GAPS.answer_columns:
        frame[column] = rng.integers(1, 8, n)
    return frame.assign(W_A=60, W_B=40, branch="north")


def problems_of(report, kind):
    return [(p.row, p.column, p.value) for p in report.problems if p.kind == kind]


def kinds(report):
    return {kind: n for kind, n in report.counts.items() if n}


def with_every_problem():
    """Return a table in which every kind of problem stands, and its codebook."""
    items = [f"q{i}" for i in range(1, 7)]
    book = Codebook(
        scale=(1, 5),
        constructs={"A": items[:5], "B": items[5:], "C": ["absent"]},
        importance={"A": "W_A", "B": "W_B", "C": "W_C"},
        answers={"good": 1, "often": 4, "poor": 5},
        missing=[-9],
        respondent="id",
        duration="seconds",
        groups=["branch"],
        questions={"used": {"kind": "choices", "columns": {"App": "used_App"}}},
    )
    frame = pd.DataFrame(np.resize([1, 2, 4, 3, 5, 3, 2], (12, 6)), columns=items).astype(object)
    frame["q6"] = 3
    frame.loc[0, ["q1", "q2", "q3", "q4", "q5"]] = ["often", -9, 9, 2.5, np.inf]
    frame.loc[1, "q1"] = "x"
    frame.loc[2, items] = None
    frame.loc[3, "q1"] = None
    frame.loc[4, items] = 3
    frame.loc[11] = frame.loc[10]
    frame = frame.assign(id=[*range(11), 9], seconds=[0, "x", *[99] * 10], extra=1, twice=1)
    frame = frame.assign(W_A=50, W_B=[-1, 20, *[30] * 10], W_C=20)
    frame["branch"] = ["north ", *["North"] * 6, *["South"] * 5]
    frame["used_App"] = ["perhaps", *[1] * 11]
    frame["day"] = ["2025/3/4", *["2025-03-04"] * 11]
    frame["comment"] = ["mail a@example.org", "=1+1", *["fine"] * 10]
    return pd.concat([frame, frame[["twice"]]], axis=1), book


cells = st.one_of(
    st.integers(-2, 10),
    st.floats(allow_nan=True),
    st.none(),
    st.booleans(),
    st.sampled_from(["非常同意", "don't know", "5", "NA", "", "3,5", Decimal("2.5"), pd.NA]),
)
tables = st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=8).map(
    lambda rows: pd.DataFrame(rows, columns=["a1", "a2", "a3", "b1"], dtype=object)
)
