"""Opinion words: how many good and bad ones a text has, with words that turn them round.

The lexicon is our own list of general words in Chinese and English; no word was chosen by the
labels of a corpus. Of words that overlap, the one that begins first and is longest counts. A
negator right before an opinion word ("not good", "不好用") turns it, also with one filler between
("not very good", "不是很好"). Irony, comparisons and wishes are beyond it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.paths import data_folder
from cxstats.voice.ngrams import Tokens, ngrams, positions, tokenise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cxstats.voice.ngrams import Keys, Rows

    Array = NDArray[np.float64]

MOST_TOKENS = 4  # of an opinion word
KINDS = {"positive": 1, "negative": -1, "negator": 2, "filler": 3}
NEGATOR, FILLER = KINDS["negator"], KINDS["filler"]


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Opinion words by the number of their tokens.

    Attributes
    ----------
    keys : tuple of arrays, ascending
        Of the words of 1, 2, ... tokens.
    kinds : tuple of arrays
        A value of `KINDS` for each.
    """

    keys: tuple[Keys, ...]
    kinds: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True, eq=False)
class OpinionCounts:
    """How many opinion words each text has, those that are turned on the other side.

    Attributes
    ----------
    positive, negative : arrays (n,)
    """

    positive: Array
    negative: Array

    @property
    def balance(self) -> Array:
        """Return ``(positive - negative) / (positive + negative)``, and 0 without such words."""
        total = self.positive + self.negative
        return (self.positive - self.negative) / np.maximum(total, 1)

    @property
    def features(self) -> Array:
        """Return what a classifier is told of the counts, (n, 4)."""
        difference, total = self.positive - self.negative, self.positive + self.negative
        columns = (
            difference / (total + 1),
            np.tanh(difference / 2),
            np.log1p(self.positive),
            np.log1p(self.negative),
        )
        return np.stack(columns, axis=1)


@cache
def read_lexicon() -> Lexicon:
    """Return the lexicon that ships, of both languages."""
    path = data_folder() / "lexicons" / "opinion.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    tokens = tokenise([row["word"] for row in rows])
    kinds = np.array([KINDS[row["kind"]] for row in rows])
    sizes = np.bincount(tokens.rows, minlength=len(rows))
    by_size = []
    for n in range(1, MOST_TOKENS + 1):
        entries = ngrams(tokens, n)
        whole = sizes[entries.rows] == n
        keys, first = np.unique(entries.keys[whole], return_index=True)
        by_size.append((keys, kinds[entries.rows[whole][first]]))
    return Lexicon(tuple(keys for keys, _ in by_size), tuple(kind for _, kind in by_size))


def count_opinions(tokens: Tokens) -> OpinionCounts:
    """Return the numbers of good and bad words of each text.

    Examples
    --------
    >>> counts = count_opinions(tokenise(["服务很好", "不是很好", "Not bad, but slow", "房间"]))
    >>> counts.positive.tolist(), counts.negative.tolist()
    ([1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0])
    """
    lexicon = read_lexicon()
    length, kind = np.zeros((2, len(tokens.keys)), np.int64)
    for n, (keys, kinds) in enumerate(zip(lexicon.keys, lexicon.kinds, strict=True), start=1):
        entries = ngrams(tokens, n)
        place = positions(entries.keys, keys)
        at = entries.starts[place >= 0]
        length[at], kind[at] = n, kinds[place[place >= 0]]
    starts = _first_and_longest(np.flatnonzero(length), length)
    kinds, rows = kind[starts], tokens.rows[starts]
    value = _turned(kinds, rows, starts, starts + length[starts])
    return OpinionCounts(
        np.bincount(rows[value > 0], minlength=tokens.n_texts).astype(float),
        np.bincount(rows[value < 0], minlength=tokens.n_texts).astype(float),
    )


def _first_and_longest(starts: Rows, length: NDArray[np.int64]) -> Rows:
    """Return the words that do not begin within one before them."""
    reached = np.maximum.accumulate(starts + length[starts], dtype=np.int64)
    free = np.ones(len(starts), bool)
    free[1:] = starts[1:] >= reached[:-1]
    return starts[free]


def _turned(kinds: NDArray[np.int64], rows: Rows, starts: Rows, ends: Rows) -> NDArray[np.int64]:
    """Return 1 and -1 for good and bad words after negation, 0 for other words."""
    value = np.where(np.abs(kinds) == 1, kinds, 0)
    adjoins = np.zeros(len(kinds), bool)  # the word before ends where this begins
    adjoins[1:] = (ends[:-1] == starts[1:]) & (rows[:-1] == rows[1:])
    negated = np.zeros(len(kinds), bool)
    negated[1:] = adjoins[1:] & (kinds[:-1] == NEGATOR)
    over_filler = np.zeros(len(kinds), bool)
    over_filler[2:] = negated[1:-1] & adjoins[2:] & (kinds[1:-1] == FILLER)
    return np.where(negated | over_filler, -value, value)
