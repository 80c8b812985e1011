"""A text in plain form is read by columns: the same table, to the last note."""

import warnings
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError
from cxstats.survey import encoding, layout, read
from cxstats.survey.non_respondents import QUALTRICS, TESTS, TOTALS, UNFINISHED, _plain_each
from cxstats.survey.plain_text import plain_columns
from cxstats.survey.platforms import plain

CORPUS = Path(__file__).parent / "corpus"
TEXTS = sorted(file.name for file in CORPUS.iterdir() if file.suffix in read.TEXT)


def outcome(file, **options):
    """Return the table and what is known of it, or the error."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            frame = read.read_survey(file, **options)
        except CxError as error:
            return str(error), None
    return frame, [str(warning.message) for warning in warned]


def assert_same(file, monkeypatch, **options):
    by_columns, warned = outcome(file, **options)
    with monkeypatch.context() as patch:
        patch.setattr(read, "_plain_table", lambda *_: None)
        by_rows, warned_by_rows = outcome(file, **options)
    if isinstance(by_rows, str):
        assert by_columns == by_rows
        return
    pd.testing.assert_frame_equal(by_columns, by_rows, check_exact=True)
    assert by_columns.index.dtype == by_rows.index.dtype
    for column in by_rows:
        assert list(map(type, by_columns[column])) == list(map(type, by_rows[column]))
    one, other = by_columns.attrs["read_report"], by_rows.attrs["read_report"]
    for each in fields(one):
        assert getattr(one, each.name) == getattr(other, each.name), each.name
    assert warned == warned_by_rows


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "options", [{}, {"dates": "ymd", "missing": [-99, 5, "NA"]}, {"leave_out": ["total", "test"]}]
)
def test_the_corpus_is_read_alike(monkeypatch, name, options):
    assert_same(CORPUS / name, monkeypatch, **options)


CELLS = st.one_of(
    st.sampled_from(
        ["5", "4.0", " 3", "007", "1e3", "3,5", "1,234", "NA", "", "", "合计", "test", "=1+1", "-2",
         "true", "2024-03-01", "3/4/2024", "1 234", "−3", "１２", "½", "Survey Preview", "Total",
         "0", 'say "hi"', "a\nb", "a\r\nb", "\ufeff1", "nan", "1_000", "\x1a"]
    ),
    st.text(alphabet="ab5,;\t\"\n\r '=é好", max_size=4),
)  # fmt: skip
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=9)
)


def written(cell, quote):
    needs = quote or any(mark in cell for mark in ',;\t"\n\r')
    return '"' + cell.replace('"', '""') + '"' if needs else cell


@settings(deadline=None, max_examples=300)  # timings never decide a test
@given(
    ROWS,
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.sampled_from(["", "\n", "\n\n", "x", '"', ",,\n", "a,b\n", "note\n"]),
    st.sampled_from(
        [
            ("utf-8", b""),
            ("utf-8-sig", b""),
            ("utf-16", b""),
            ("gb18030", b""),
            ("gb18030", "你好你好".encode()),
            ("utf-8", "你".encode("gb18030")),
        ]
    ),
    st.sampled_from(["q0", "Status", "Finished", "submitdate", "1", ""]),
)
@example([["1", "2"], ["1", "2"]], ",", "\n", False, "head,q\n", ("utf-8", b""), "q0")
def test_small_files_are_read_alike(
    tmp_path_factory, rows, delimiter, end, quote, after, encodings, first
):
    width = len(rows[0])
    encoding_of_most, in_another = encodings
    head = [first, *(f"q{j}" for j in range(1, width))]
    lines = [delimiter.join(written(cell, quote) for cell in row) for row in [head, *rows]]
    file = tmp_path_factory.mktemp("plain") / "a.csv"
    file.write_bytes((end.join(lines) + end + after).encode(encoding_of_most) + in_another)
    assert_same(file, pytest.MonkeyPatch())


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='a1,\n"\r ', max_size=40), st.integers(1, 3))
def test_any_text_is_read_alike(tmp_path_factory, text, width):
    file = tmp_path_factory.mktemp("plain") / "a.csv"
    head = ",".join(f"q{j}" for j in range(width))
    file.write_bytes(f"{head}\n{text}".encode())
    assert_same(file, pytest.MonkeyPatch())


@pytest.mark.parametrize(
    "body", ['a,1\nb\n', 'a,1\n\nb,2\n', 'a,"1" \n', 'a,1"2\n', 'a,"1\n', "a,1\rb,2\n", "",
             "\ufeffa,1\n", "a,1,\n"]
)  # fmt: skip
def test_what_is_not_plain(body):
    assert plain_columns(body.encode(), ",", 2) is None


def test_pieces_join(monkeypatch):
    body = ('a,"1, 2"\n"b ""x""",3\r\n' * 20).encode()
    whole = plain_columns(body, ",", 2)
    for size in range(1, 25):
        monkeypatch.setattr("cxstats.survey.plain_text.AT_ONCE", size)
        pieces = plain_columns(body, ",", 2)
        assert [[c.at(i) for i in range(40)] for c in pieces] == [
            [c.at(i) for i in range(40)] for c in whole
        ]


@given(
    st.sets(
        st.one_of(
            st.text(max_size=6),
            st.sampled_from(
                ["False ", " survey-preview", "Ｎｏ", "ｔest", "ﬁn", "1", "17", "否", "ſum"]
            ),
        ),
        max_size=20,
    )
)
def test_texts_that_cannot_be_a_word_are_not_looked_at(cells):
    words = set().union(TOTALS, TESTS, QUALTRICS, *UNFINISHED.values())
    plain_form = _plain_each(cells, words)
    assert {c for c in cells if plain(c) in words} == {
        c for c, p in plain_form.items() if p in words
    }


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 40))
def test_a_sample_of_lines_is_the_beginning_of_all(data, most):
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(encoding, "LOOKED_AT", most)
        patch.setattr(encoding, "AT_ONCE", 7)
        sample = encoding._lines_beyond_ascii(data)
        assert encoding._different_bytes(data) == bytes(sorted(set(data)))
    all_lines = b"\n".join(line for line in data.splitlines() if not line.isascii())
    assert sample == (
        all_lines if len(all_lines) <= most else all_lines[:most].rpartition(b"\n")[0]
    )


@pytest.mark.parametrize("encoding_of", encoding.SINGLE)
def test_one_byte_is_one_character(encoding_of):
    for byte in range(256):
        fits = encoding._fits(bytes([byte]), encoding_of)
        assert encoding._fits(b"ab" + bytes([byte, 65, byte]), encoding_of) == fits


def test_a_column_of_roles_may_have_few_at_its_beginning():
    roles = pd.Series(["P"] * 2_000 + ["E"])
    assert layout._is_role(roles)
    assert not layout._is_role(pd.Series(["P"] * 2_000 + ["E", "1", "2"]))
