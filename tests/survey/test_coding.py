"""Tables read by their codebook: as `clean` reads them, whatever engine holds them."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxstats as cx
from cxstats.core.errors import CxError, DataError
from cxstats.survey.coding import coded

BOOK = cx.Codebook(
    scale={"default": (1, 5), "Price": (0.0, 10.0)},
    constructs={"Staff": ["s1", "s2"], "Price": ["p1"]},
    reverse=["s2"],
    best={"Price": "low"},
    answers={"Strongly agree": 5, "非常不同意": 1, "Staff": {"8": 3}},
    missing=[-99, "refused"],
    questions={
        "recommend": {"kind": "nps", "column": "q9"},
        "overall": {"kind": "csat", "column": "q10", "scale": [1, 5], "best": "low"},
        "effort": {"kind": "ces", "column": "q11", "scale": [1, 7], "best": "low"},
    },
    groups={"branch": {"same": {"beijing ": "Beijing"}, "order": ["Shanghai", "Beijing"]}},
    respondent="id",
    weights="w",
)


TEXTS = {5: "strongly  AGREE", 1: "非常不同意", 2: "2", 3: "8", 4: "4"}


def raw(n=40, seed=3):
    rng = np.random.default_rng(seed)
    staff = rng.integers(1, 6, (n, 2))
    return pd.DataFrame(
        {
            "id": [f"R{i}" for i in range(n)],
            "s1": pd.Series(staff[:, 0]).map(TEXTS),
            "s2": np.where(staff[:, 1] == 3, 8, staff[:, 1]),
            "p1": np.where(rng.random(n) < 0.2, -99, rng.uniform(0, 10, n).round(2)),
            "q9": np.where(rng.random(n) < 0.2, -99, rng.integers(0, 11, n)),
            "q10": rng.integers(1, 6, n),
            "q11": rng.integers(1, 8, n),
            "branch": rng.choice(["Beijing", "beijing ", "Shanghai"], n),
            "w": rng.uniform(0.5, 2, n).round(2),
        }
    )  # fmt: skip


def as_engine(frame, engine):
    if engine == "pandas":
        return frame
    if engine == "polars":
        return pl.from_pandas(frame)
    if engine == "lazy":
        return pl.from_pandas(frame).lazy()
    if engine == "pyarrow":
        return pa.Table.from_pandas(frame, preserve_index=False)
    return duckdb.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))


def collected(table):
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        table = table.collect()
    return table.df() if hasattr(table, "df") else table.to_pandas()


ENGINES = ("pandas", "polars", "lazy", "pyarrow", "duckdb")
ANSWERS = ["s1", "s2", "p1", "q9", "q10", "q11"]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_reads_what_clean_reads(engine):
    frame = raw()
    cleaned, _ = cx.clean(frame, BOOK)
    read = coded(as_engine(frame, engine), BOOK)
    if engine in ("lazy", "duckdb"):
        assert isinstance(read, pl.LazyFrame | duckdb.DuckDBPyRelation)  # rows stay in the engine
    read = collected(read).sort_values("id", key=lambda ids: ids.str[1:].astype(int))
    for column in ANSWERS:
        np.testing.assert_allclose(read[column].astype(float), cleaned[column], err_msg=column)
    assert read["branch"].astype(object).tolist() == cleaned["branch"].tolist()
    assert set(read["branch"]) == {"Beijing", "Shanghai"}


def test_what_was_read_is_not_read_again():
    frame = raw()
    cleaned, _ = cx.clean(frame, BOOK)
    once = coded(frame, BOOK)
    pd.testing.assert_frame_equal(coded(once, BOOK), once)
    pd.testing.assert_frame_equal(coded(cleaned, BOOK)[ANSWERS], cleaned[ANSWERS])
    pd.testing.assert_frame_equal(cx.clean(once, BOOK)[0][ANSWERS], cleaned[ANSWERS])


def test_some_columns_read_leave_the_others_as_they_are():
    frame = raw()
    part = coded(frame, BOOK, ["s2"])
    assert part["q10"].equals(frame["q10"])
    pd.testing.assert_frame_equal(coded(part, BOOK), coded(frame, BOOK))


def test_the_table_is_not_changed():
    frame, before = raw(), raw()
    coded(frame, BOOK)
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == {}


WRONG = {
    "off": ("q10", 9, r"9 is off the scale; allowed: 1 to 5; no answer: -99, refused"),
    "between": ("q10", 2.5, r"2\.5 is between two points; allowed: whole numbers from 1 to 5"),
    "stray": ("s1", "Strongly agre", r"'Strongly agre' is not a number, nor a declared answer "
              r"\(did you mean 'Strongly agree'\?\); allowed: 1 to 5"),
    "code of a program": ("s1", "#NULL!", r"'#NULL!' is not a number.*missing=\['#NULL!'\]"),
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", WRONG)
def test_an_answer_that_is_wrong_is_named(name, engine):
    column, value, message = WRONG[name]
    frame = raw()
    frame[column] = frame[column].astype(object if isinstance(value, str) else float)
    frame.loc[17, column] = value
    row = r"row 17 \(respondent 'R17'\), " if engine != "duckdb" else r"\(respondent 'R17'\), "
    with pytest.raises(DataError, match=f"^{row}column '{column}': {message}"):
        coded(as_engine(frame, engine), BOOK)


def test_a_column_of_dates_or_of_truths_is_no_answer():
    frame = raw()
    dates = frame.assign(q10=pd.Timestamp("2024-01-01"))
    with pytest.raises(DataError, match="column 'q10': '2024-01-01 00:00:00' is a date"):
        coded(dates, BOOK)
    with pytest.raises(DataError, match="column 'q10' holds true and false; allowed: numbers"):
        coded(frame.assign(q10=True), BOOK)
    with pytest.raises(DataError, match="column 'q10' holds Datetime"):
        coded(pl.from_pandas(dates), BOOK)


def test_row_labels_are_those_of_the_table():
    frame = raw().set_index(np.arange(40) + 2)
    frame.loc[19, "q10"] = 7
    with pytest.raises(DataError, match=r"row 19 \(respondent 'R17'\), column 'q10'"):
        cx.csat(frame, codebook=BOOK)


def test_one_column_has_no_name_to_look_up():
    with pytest.raises(CxError, match="a Series has none: give the table"):
        cx.nps(raw()["q9"], codebook=BOOK)
