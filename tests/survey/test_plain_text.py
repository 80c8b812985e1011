"""A text in plain form is read by columns: the same table, to the last note."""

import csv
import warnings
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cxstats.core.errors import CxError
from cxstats.survey import encoding, layout, plain_text, read
from cxstats.survey.non_respondents import (
    LONGEST,
    QUALTRICS,
    STARTS,
    TESTS,
    TOTALS,
    UNFINISHED,
    _plain_each,
    _short_starts,
)
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


# Alike up to the end of a word of eight bytes, or behind it; as long as the longest, and longer.
ALIKE = st.one_of(
    st.builds(
        lambda letter, n, end: letter * n + end,
        st.sampled_from("aé好😀,"),
        st.integers(0, plain_text.LONGEST + 2),
        st.sampled_from(["", "b", "c", '"', "\n", " "]),
    ),
    st.integers(-100, 10**17).map(str),
    st.sampled_from(["", '"', "5", "Total", " test"]),
)


@st.composite
def tables(draw):
    """Return rows of few different cells a column, each in quotation marks or not."""
    pools = draw(st.lists(st.lists(ALIKE, min_size=1, max_size=4), min_size=2, max_size=4))
    picks = st.tuples(*(st.tuples(st.sampled_from(pool), st.booleans()) for pool in pools))
    return draw(st.lists(picks, min_size=1, max_size=12))


@settings(deadline=None, max_examples=300)
@given(
    tables(),
    st.sampled_from([1, 3, 40, 1 << 20]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([{}, {"missing": [5, "a", ""]}, {"dates": "ymd"}]),
)
def test_cells_are_told_apart_by_words(tmp_path_factory, rows, at_once, end, options):
    lines = [",".join(written(cell, quote) for cell, quote in row) for row in rows]
    body = end.join(lines).encode()
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(plain_text, "AT_ONCE", at_once)
        patch.setattr(read, "ROWS_AT_ONCE", 1 + at_once % 5)
        columns = plain_columns(body, ",", len(rows[0]))
        file = tmp_path_factory.mktemp("plain") / "a.csv"
        file.write_bytes(",".join(f"q{j}" for j in range(len(rows[0]))).encode() + b"\n" + body)
        assert_same(file, pytest.MonkeyPatch(), **options)
    assert columns is not None
    for j, column in enumerate(columns):
        assert [column.at(i) for i in range(len(rows))] == [row[j][0] for row in rows]
        assert len(set(column.texts)) == len(column.texts)
        assert sum(column.counts()) == len(rows)


@settings(deadline=None, max_examples=500)
@given(st.text(alphabet='a,"\n\r', max_size=24), st.integers(1, 9))
def test_what_is_plain_is_what_the_strict_parser_reads(text, at_once):
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(plain_text, "AT_ONCE", at_once)
        columns = plain_columns(text.encode(), ",", 2)
    if columns is not None:
        rows = csv.reader(encoding.lines_of(text.rstrip("\r\n").encode()), strict=True)
        n = len(columns[0].codes)
        assert [[column.at(i) for column in columns] for i in range(n)] == list(rows)


@pytest.mark.parametrize("said", ["wait", 'say ""hi"', "好" * 30, "x" * 400])
def test_plain_texts_are_read_by_columns(said):
    """Otherwise the tests above would compare the slow path with itself."""
    body = f'7,"{said.replace(chr(34), chr(34) * 2)}"\r\n' * 3
    columns = plain_columns(body.encode(), ",", 2)
    assert [column.texts for column in columns] == [["7"], [said]]


def test_a_cell_too_long_for_the_strict_parser_is_not_plain():
    longest = csv.field_size_limit()
    assert plain_columns(b"a," + b"b" * longest, ",", 2) is not None
    assert plain_columns(b"a," + b"b" * (longest + 1), ",", 2) is None


def test_columns_of_a_type_lie_together(tmp_path):
    """A table in a hundred pieces is slow, and pandas warns of it."""
    file = tmp_path / "a.csv"
    head = ",".join(f"q{j}" for j in range(150))
    row = ",".join(["1", "2.5", "a"] * 50)
    file.write_text(f"{head}\n{row}\n{row}\n{row}\n")
    frame = read.read_survey(file)
    frame["sum"] = frame["q0"] + frame["q1"]
    assert frame.dtypes.value_counts().tolist() == [51, 50, 50]
    frame.loc[2, "q0"] = 9
    assert frame["q0"].tolist() == [9, 1, 1]
    assert frame["q3"].tolist() == [1, 1, 1]


# Bytes that begin characters, go on with them, or stand alone, in the encodings that are tried.
BYTES = st.lists(
    st.one_of(st.sampled_from(b"\n09a~\x80\x81\xa1\xb0\xbf\xc2\xe4\xfe\xff"), st.integers(0, 255)),
    max_size=30,
).map(bytes)


@settings(max_examples=1_000)
@given(BYTES, st.integers(1, 9), st.sampled_from(["utf-8", *encoding.CANDIDATES]))
def test_bytes_beyond_ascii_tell_whether_an_encoding_fits(data, at_once, each):
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(encoding, "AT_ONCE", at_once)
        beyond = encoding._beyond_ascii(data)
    assert encoding._fits(beyond, each) == encoding._fits(data, each)


@settings(max_examples=500)
@given(BYTES)
def test_lines_that_cannot_be_utf8_are_counted(data):
    doubtful, n_others = encoding._lines_in_doubt(data)
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    assert len(doubtful) + n_others == len(lines)
    fits = [line for line in lines if encoding._fits(line, "utf-8")]
    assert [line for line in doubtful if encoding._fits(line, "utf-8")] == fits


@settings(max_examples=500)
@given(
    st.one_of(BYTES, st.text(max_size=9).map(str.encode), st.text(max_size=9)),
    st.integers(1, 5),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_decoding_in_pieces(data, at_once, each):
    data = data.encode(each) if isinstance(data, str) else data

    def outcome_of(call):
        try:
            return call()
        except UnicodeDecodeError as error:
            return error.start, error.reason

    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(encoding, "AT_ONCE", at_once)
        utf8 = outcome_of(lambda: encoding._utf8(data, each))
    assert utf8 == outcome_of(lambda: data.decode(each).encode("utf-8", "surrogatepass"))


def test_halves_of_pairs_are_read_alike(tmp_path, monkeypatch):
    """Some encodings have them; they are no characters, but no reason to fail either."""
    file = tmp_path / "a.csv"
    file.write_bytes(rb"id,said" + b"\n" + rb"1,\ud83d" + b"\n" + rb"2,\ud83d\ude00" + b"\n")
    assert_same(file, monkeypatch, encoding="unicode_escape")
    frame = read.read_survey(file, encoding="unicode_escape")
    assert frame["said"].tolist() == ["\ud83d", "\ud83d\ude00"]


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.just(float("nan")),
            st.text(max_size=3),
            st.sampled_from(["Total", "\u3000test", " \x1fſum", "t" * 40, "\x85n", ""]),
        )
    )
)
def test_short_texts_that_may_be_totals(cells):
    assert list(_short_starts(cells)) == [
        cell
        for cell in cells
        if isinstance(cell, str)
        and 0 < len(cell) <= LONGEST
        and cell.lstrip()[:1].casefold() in STARTS
    ]
