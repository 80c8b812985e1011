"""The rows of a text file in plain form, column by column, by the parser of pandas.

Plain is what this parser and Python's strict one read alike: every row has the same number of
cells, and every quotation mark opens a cell, closes one, or is doubled within one. Nothing is
guessed: where a file is not plain, there is no answer, and it is read row by row instead.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 1 << 20  # bytes that are looked at together
CELLS_AT_ONCE = 4_000_000  # that are read together
QUOTE, NEW_LINE, RETURN = b'"\n\r'
BYTE_ORDER_MARK = "\ufeff".encode()


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

    @property
    def counts(self) -> list[int]:
        """How many rows have each text."""
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


def plain_columns(body: bytes, delimiter: str, width: int) -> list[Coded] | None:
    r"""Return the columns of rows in UTF-8; None where they are not plain.

    Parameters
    ----------
    body : bytes
        Rows that end in ``\n`` or ``\r\n``.
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
    body = body.rstrip(b"\r\n")
    if width < 2 or not body or body.startswith(BYTE_ORDER_MARK):
        return None
    n = _n_rows(body, ord(delimiter), width)
    if n is None:
        return None
    import pandas as pd

    texts: list[list[NDArray[Any]]] = [[] for _ in range(width)]
    codes: list[list[NDArray[Any]]] = [[] for _ in range(width)]
    with pd.read_csv(
        io.BytesIO(body), sep=delimiter, header=None, names=list(range(width)), index_col=False,
        dtype=object, na_filter=False, skip_blank_lines=False, encoding="utf-8", engine="c",
        chunksize=max(1, CELLS_AT_ONCE // width),
    ) as chunks:  # fmt: skip
        for chunk in chunks:
            for j in range(width):
                local, distinct = pd.factorize(chunk[j].to_numpy())
                codes[j].append(_small(local, len(distinct)))
                texts[j].append(distinct)
    columns = [_joined(*pieces) for pieces in zip(texts, codes, strict=True)]
    return columns if len(columns[0].codes) == n else None


def _small(codes: NDArray[Any], n: int) -> NDArray[Any]:
    return codes.astype(np.int8 if n <= 127 else np.int32)


def _joined(texts: list[NDArray[Any]], codes: list[NDArray[Any]]) -> Coded:
    """Return a column of pieces, each with its own different texts."""
    import pandas as pd

    number, distinct = pd.factorize(np.concatenate(texts))
    ends = np.cumsum([len(piece) for piece in texts])[:-1]
    numbers = np.split(_small(number, len(distinct)), ends)
    pieces = [piece[local] for piece, local in zip(numbers, codes, strict=True)]
    return Coded(distinct.tolist(), np.concatenate(pieces))


def _n_rows(body: bytes, delimiter: int, width: int) -> int | None:
    """Return how many rows there are if all are plain; else None."""
    if body.count(b"\r") != body.count(b"\r\n"):
        return None  # Python's parser ends a row at a lone one
    marks = np.frombuffer(body, np.uint8)
    quoted = QUOTE in body
    inside = False  # whether a cell in quotation marks goes on
    n, delimiters, last_end, last_total = 0, 0, -1, 0
    for start in range(0, len(marks), AT_ONCE):
        piece = marks[start : start + AT_ONCE]
        is_delimiter, is_end = piece == delimiter, piece == NEW_LINE
        if quoted:
            within = np.logical_xor.accumulate(piece == QUOTE) ^ inside
            if not _quotes_fit(marks, piece, within, start, delimiter):
                return None
            inside = bool(within[-1])
            is_delimiter &= ~within
            is_end &= ~within
        places = np.flatnonzero(is_delimiter)
        ends = np.flatnonzero(is_end)
        totals = delimiters + np.searchsorted(places, ends)
        if (np.diff(totals, prepend=last_total) != width - 1).any():
            return None
        # A cell that Python's parser calls too long.
        if len(ends) and np.diff(ends + start, prepend=last_end).max() > csv.field_size_limit():
            return None
        if len(ends):
            last_end, last_total = int(ends[-1]) + start, int(totals[-1])
        n, delimiters = n + len(ends), delimiters + len(places)
    too_long = len(marks) - last_end > csv.field_size_limit()
    if inside or too_long or delimiters - last_total != width - 1:
        return None
    return n + 1


def _quotes_fit(
    marks: NDArray[np.uint8],
    piece: NDArray[np.uint8],
    within: NDArray[np.bool_],
    start: int,
    delimiter: int,
) -> bool:
    """Return whether quotation marks of a piece open or close a cell, or are doubled within one."""
    places = np.flatnonzero(piece == QUOTE)
    opens = within[places]
    places += start
    before = marks[np.maximum(places - 1, 0)]
    after = marks[np.minimum(places + 1, len(marks) - 1)]
    edges = [delimiter, NEW_LINE, QUOTE]
    opening = np.isin(before, edges) | (places == 0)
    closing = np.isin(after, [*edges, RETURN]) | (places == len(marks) - 1)
    return bool(np.where(opens, opening, closing).all())
