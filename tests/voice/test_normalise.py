"""Any engine's texts come out the same; hostile ones are data; wrong ones are named by row."""

import unicodedata
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxstats.core.errors import DataError
from cxstats.voice.normalise import LONGEST, copy_key, normalise_text, read_column, read_texts

TEXTS = ["服务很好！", None, "Slow, rude.", "  a\tb "]
NORMAL = ["服务很好!", "", "Slow, rude.", "a b"]
FRAME = pd.DataFrame({"id": [7, 8, 9, 10], "comment": TEXTS}, index=[11, 12, 13, 14])


def forms():
    relation = duckdb.sql("select * from FRAME")
    return {
        "list": TEXTS,
        "tuple": tuple(TEXTS),
        "generator": (text for text in TEXTS),
        "array": np.array(TEXTS, object),
        "series": FRAME["comment"],
        "string": FRAME["comment"].astype("string"),
        "category": FRAME["comment"].astype("category"),
        "arrow-backed": FRAME["comment"].astype(pd.ArrowDtype(pa.string())),
        "index": pd.Index(TEXTS),
        "polars": pl.Series(TEXTS),
        "arrow": pa.array(TEXTS),
        "chunked": pa.chunked_array([TEXTS[:2], TEXTS[2:]]),
        "one column": FRAME[["comment"]],
        "polars frame": pl.DataFrame({"x": TEXTS}),
        "duckdb": relation.project("comment"),
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_texts_is_read_alike(form):
    texts = read_texts(forms()[form])
    assert texts.values == NORMAL
    assert texts.missing.tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    "table", [FRAME, pl.from_pandas(FRAME), pl.from_pandas(FRAME).lazy(), duckdb.sql("from FRAME")]
)
def test_a_column_of_a_table(table):
    assert read_texts(table, column="comment").values == NORMAL
    assert list(read_column("id", 4, "labels", table)) == [7, 8, 9, 10]


def test_rows_keep_their_labels():
    assert read_texts(FRAME, "comment").index.tolist() == [11, 12, 13, 14]
    doubled = FRAME.set_axis([1, 1, 1, 1])
    assert read_texts(doubled, "comment").index.tolist() == [1, 1, 1, 1]


def test_numbers_are_what_a_person_writes():
    cells = [
        5,
        5.0,
        2.5,
        np.int64(3),
        np.float32(1),
        Decimal("1.50"),
        float("inf"),
        np.nan,
        Decimal("sNaN"),
    ]
    texts = read_texts(cells)
    assert texts.values == ["5", "5", "2.5", "3", "1", "1.5", "inf", "", ""]
    assert texts.missing.tolist() == [False] * 7 + [True] * 2


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (b"abc", "bytes"),
        (True, "bool"),
        (["a"], "list"),
        ({}, "dict"),
        (pd.Timestamp(0), "Times"),
        (1j, "complex"),
    ],
)
def test_other_cells_are_named_by_their_row(cell, kind):
    frame = pd.DataFrame({"comment": ["fine", cell]}, index=["anna", "bo"])
    with pytest.raises(
        DataError, match=rf"row 'bo', column 'comment' has .* \({kind}.*allowed: te"
    ):
        read_texts(frame, "comment")


def test_a_number_without_end_is_refused():
    with pytest.raises(DataError, match="row 0 has a number of about"):
        read_texts([10**6000])


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([], {}, "there are no texts"),
        ("很好", {}, "texts is '很好'; allowed: a list"),
        (b"abc", {}, "allowed: a list"),
        (5, {}, "texts is 5; allowed: a list"),
        ({"a": "b"}, {}, "allowed: a list"),
        ({"a", "b"}, {}, "allowed: a list"),
        (None, {}, "texts is None"),
        (np.array([["a"]]), {}, r"shape \(1, 1\)"),
        (FRAME, {}, "the table has 2 columns; name that of the texts with column=, one of id, com"),
        (FRAME, {"column": "coment"}, "did you mean 'comment'"),
        (FRAME[["id", "id"]], {"column": "id"}, "'id' stands twice"),
        (["a"], {"column": "comment"}, "texts is no table"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(texts, options, message):
    with pytest.raises(DataError, match=message):
        read_texts(texts, **options)


def test_columns_beside_the_texts_have_their_length():
    with pytest.raises(DataError, match="labels has 2 values for 3 texts"):
        read_column([1, 0], 3, "labels")
    with pytest.raises(DataError, match="by='shop' names a column, but the texts are no table"):
        read_column("shop", 3, "by", ["a", "b", "c"])


def test_a_text_of_a_hundred_megabytes_is_cut():
    texts = read_texts(["好" * 35_000_000, "short", "a" * LONGEST])
    assert [len(text) for text in texts.values] == [LONGEST, 5, LONGEST]
    assert texts.shortened.tolist() == [True, False, False]


def test_a_character_that_becomes_eighteen_does_not_pass_the_limit():
    assert len(normalise_text("\ufdfa" * 1_000, 1_000)) <= 1_000


@pytest.mark.parametrize(
    "text", ["=1+1", "<script>alert(1)</script>", "{{7*7}}", "🙂👍🏽", "مرحبا"]
)
def test_hostile_texts_stay_as_they_are(text):
    assert read_texts([text]).values == [text]


@given(st.text(st.characters(), max_size=60))
def test_the_normal_form_is_stable_and_printable(text):
    normal = normalise_text(text)
    normal.encode("utf-8")  # no half characters
    assert not any(unicodedata.category(mark) in ("Cc", "Cs") for mark in normal)
    assert normalise_text(normal) == normal
    assert (
        copy_key(normal) == copy_key(normalise_text(text + " !")) or not copy_key(normal).isalnum()
    )
