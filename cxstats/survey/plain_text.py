"""The rows of a text file in plain form, column by column, without a text for every cell.

Plain is what needs no guess: every row has the same number of cells, and every quotation mark
opens a cell, closes one, or is doubled within one. Where a file is not plain, there is no answer,
and it is read row by row instead, by Python's strict parser.

Cells are compared as bytes, eight at a time, as numbers; only different ones become texts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 1 << 20  # bytes that are looked at together
QUOTE, NEW_LINE, RETURN = b'"\n\r'
BYTE_ORDER_MARK = "\ufeff".encode()
WORD = 8  # bytes that are compared together
LONGEST = 6 * WORD  # bytes of a cell up to which this is faster than texts
# The first bytes of a word, by how many they are.
FIRST_BYTES = np.array([(1 << 8 * n) - 1 for n in range(WORD + 1)], np.uint64)


class _NotPlainError(Exception):
    """A text is not plain."""


class Coded(NamedTuple):
    """The cells of a column: each different text once.

    Attributes
    ----------
    texts : list
        Different texts; None for what was declared to be no answer.
    codes : array (n,)
        Which of them each row has.
    """

    texts: list[Any]
    codes: NDArray[Any]

    def counts(self) -> list[int]:
        """Return how many rows have each text."""
        counts: list[int] = np.bincount(self.codes, minlength=len(self.texts)).tolist()
        return counts

    def at(self, i: int) -> Any:
        """Return the cell of a row."""
        return self.texts[self.codes[i]]

    def are(self, text: str, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return those of some rows that have a text."""
        if text not in self.texts:
            return rows[:0]
        having: NDArray[np.intp] = rows[self.codes[rows] == self.texts.index(text)]
        return having

    def among(self, stays: NDArray[np.bool_]) -> Coded:
        """Return the column without some rows, and without texts that no row has then."""
        codes = self.codes[stays]
        present = np.bincount(codes, minlength=len(self.texts)) > 0
        number = np.cumsum(present) - 1
        texts = [text for text, is_there in zip(self.texts, present, strict=True) if is_there]
        return Coded(texts, number[codes])


class Rows(NamedTuple):
    """Rows of a piece of a text.

    Attributes
    ----------
    data : bytes
        The piece, and a word of zeros.
    starts, ends : array (width, n)
        Where each cell begins and ends, quotation marks included.
    length : int
        Bytes of the rows.
    """

    data: bytes
    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    length: int


class Pieces(NamedTuple):
    """The cells of a column, piece by piece.

    Attributes
    ----------
    distinct : list of array
        Different cells of each piece: texts, or words where none is longer.
    codes : list of array
        Which of them each row has.
    """

    distinct: list[NDArray[Any]]
    codes: list[NDArray[Any]]

    def add(self, data: bytes, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> None:
        """Add the cells of a piece."""
        import pandas as pd

        lengths = ends - starts
        longest = int(lengths.max())
        if longest > LONGEST:
            local, distinct = pd.factorize(_array(_texts(data, starts, ends)))
        elif longest > WORD:
            local, first = _different(data, starts, lengths)
            distinct = _array(_texts(data, starts[first], ends[first]))
        else:
            local, distinct = pd.factorize(_words(data)[starts] & FIRST_BYTES[lengths])
        self.codes.append(_small(local, len(distinct)))
        self.distinct.append(distinct)

    def joined(self) -> Coded:
        """Return the column."""
        import pandas as pd

        are_words = all(distinct.dtype != object for distinct in self.distinct)
        distinct = self.distinct if are_words else [*map(_as_texts, self.distinct)]
        number, different = pd.factorize(np.concatenate(distinct))
        if are_words:  # with and without quotation marks, a text has two
            again, different = pd.factorize(_as_texts(different))
            number = again[number]
        ends = np.cumsum([len(piece) for piece in distinct])[:-1]
        numbers = np.split(_small(number, len(different)), ends)
        pieces = [piece[local] for piece, local in zip(numbers, self.codes, strict=True)]
        return Coded(different.tolist(), np.concatenate(pieces))


def plain_columns(body: bytes, delimiter: str, width: int) -> list[Coded] | None:
    r"""Return the columns of rows in UTF-8; None where they are not plain.

    Parameters
    ----------
    body : bytes
        Rows that end in ``\n`` or ``\r\n``, without NUL.
    delimiter : str
        One character of ASCII.
    width : int
        Cells of each row, two at least.

    Examples
    --------
    >>> columns = plain_columns(b'a,1\nb,2\n"a, b",1\n', ",", 2)
    >>> [[column.at(i) for i in range(3)] for column in columns]
    [['a', 'b', 'a, b'], ['1', '2', '1']]
    >>> plain_columns(b'a,1\nb\n', ",", 2) is None
    True
    """
    if width < 2 or body.startswith(BYTE_ORDER_MARK):
        return None
    columns = [Pieces([], []) for _ in range(width)]
    try:
        for rows in _rows(body, ord(delimiter), width):
            for column, starts, ends in zip(columns, rows.starts, rows.ends, strict=True):
                column.add(rows.data, starts, ends)
    except _NotPlainError:
        return None
    return [column.joined() for column in columns] if columns[0].codes else None


def _rows(body: bytes, delimiter: int, width: int) -> Iterator[Rows]:
    """Yield all rows, those together that end within some bytes."""
    start, stop, at_once = 0, len(body), AT_ONCE
    while stop and body[stop - 1] in (NEW_LINE, RETURN):
        stop -= 1
    while start < stop:
        end = min(start + at_once, stop)
        piece = body[start:end] + b"\n" if end == stop else body[start:end]
        rows = _rows_within(piece, delimiter, width)
        if rows is not None:
            yield rows
            start, at_once = start + rows.length, AT_ONCE
        elif end < stop:
            at_once *= 2
        else:
            raise _NotPlainError  # a quotation mark is not closed


def _rows_within(piece: bytes, delimiter: int, width: int) -> Rows | None:
    """Return the rows that end within a piece; None if none does."""
    marks = np.frombuffer(piece, np.uint8)
    places = np.flatnonzero((marks == delimiter) | (marks == NEW_LINE) | (marks == QUOTE))
    kinds = marks[places]
    is_quote = kinds == QUOTE
    quotes = places[is_quote]
    if len(quotes):
        inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(bool)
        opens = inside[is_quote]
        outside = ~(inside | is_quote)
        places, kinds = places[outside], kinds[outside]
    last = np.flatnonzero(kinds == NEW_LINE)
    if not len(last):
        return None
    places = places[: last[-1] + 1]
    if not np.array_equal(last, np.arange(width - 1, len(places), width)):
        raise _NotPlainError
    ends = places.reshape(-1, width).T.copy()
    starts = np.empty_like(ends)
    starts[1:] = ends[:-1] + 1
    starts[0] = [0, *(ends[-1, :-1] + 1)]
    length = int(ends[-1, -1]) + 1
    # Python's parser ends a row at a lone one, too.
    if RETURN in piece and piece.count(b"\r", 0, length) != piece.count(b"\r\n", 0, length):
        raise _NotPlainError
    if len(quotes) and not _quotes_fit(marks[:length], quotes, opens, delimiter):
        raise _NotPlainError
    ends[-1] -= marks[ends[-1] - 1] == RETURN
    if (ends - starts).max() > csv.field_size_limit():  # which that parser does not read
        raise _NotPlainError
    return Rows(piece + bytes(WORD), starts, ends, length)


def _quotes_fit(
    marks: NDArray[np.uint8], quotes: NDArray[np.intp], opens: NDArray[np.bool_], delimiter: int
) -> bool:
    """Return whether quotation marks of rows open or close a cell, or are doubled within one."""
    within = quotes < len(marks)
    quotes, opens = quotes[within], opens[within]
    is_edge = np.zeros(256, bool)
    is_edge[[delimiter, NEW_LINE, QUOTE]] = True
    opening = is_edge[marks[quotes - 1]] | (quotes == 0)
    is_edge[RETURN] = True
    closing = is_edge[marks[np.minimum(quotes + 1, len(marks) - 1)]]
    return bool(np.where(opens, opening, closing).all())


def _words(data: bytes) -> NDArray[np.uint64]:
    """Return the word that begins at each byte, as a number."""
    return np.ndarray((len(data) - WORD + 1,), "<u8", data, strides=(1,))


def _different(
    data: bytes, starts: NDArray[np.intp], lengths: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which different cell each is, and where each different one is first.

    Cells are told apart by their first word, then those that have the same and go on by the next.
    """
    import pandas as pd

    words = _words(data)
    codes: NDArray[Any]
    distinct: NDArray[Any]
    codes, distinct = pd.factorize(words[starts] & FIRST_BYTES[np.minimum(lengths, WORD)])
    n = len(distinct)
    for at in range(WORD, int(lengths.max()), WORD):
        longer = np.flatnonzero(lengths > at)
        lengths_left = np.minimum(lengths[longer] - at, WORD)
        number, distinct = pd.factorize(words[starts[longer] + at] & FIRST_BYTES[lengths_left])
        pairs, distinct = pd.factorize(codes[longer] * len(distinct) + number)
        codes[longer] = n + pairs
        n += len(distinct)
    codes, distinct = pd.factorize(codes)
    first = np.empty(len(distinct), np.intp)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return codes, first


def _texts(data: bytes, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> list[str]:
    return _decoded([data[i:j] for i, j in zip(starts.tolist(), ends.tolist(), strict=True)])


def _as_texts(distinct: NDArray[Any]) -> NDArray[np.object_]:
    """Return words as texts; texts as they are."""
    if distinct.dtype == object:
        return distinct
    return _array(_decoded(distinct.astype("<u8").view(f"S{WORD}").tolist()))


def _decoded(cells: list[bytes]) -> list[str]:
    """Return cells as texts, quotation marks taken away."""
    together = b"\0" + b"\0".join(cells)
    texts = together[1:].decode("utf-8", "surrogatepass").split("\0")
    if b'\0"' not in together:
        return texts
    return [text[1:-1].replace('""', '"') if text[:1] == '"' else text for text in texts]


def _array(texts: list[str]) -> NDArray[np.object_]:
    return np.array(texts, object)


def _small(codes: NDArray[Any], n: int) -> NDArray[Any]:
    return codes.astype(np.int8 if n <= 127 else np.int32)
