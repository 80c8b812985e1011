"""Texts as numbers: tokens and n-grams of tokens, without a Python loop over characters.

A token is a run of letters and digits (a word of a language that writes spaces), or one Chinese
character, one kana, one mark, one emoji. An n-gram is n tokens in a row, spaces or not between
them. Each has a key of 64 bits: a mixed hash, in which two of some hundred thousand n-grams meet
with a probability below 1e-8.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.normal_text import copy_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]
    Rows = NDArray[np.int64]

BLOCK = 400_000  # characters at a time: some 60 MB
SPACED = 0x2E80  # scripts before the Chinese ones write words as runs of letters
BASE = 0x9E3779B97F4A7C15  # odd: the powers of a positional hash
LONGEST_RUN = 64  # letters of a run that its key depends on
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Tokens of texts, one after the other.

    Attributes
    ----------
    keys : array (t,)
    rows : array (t,)
        The text that each stands in, ascending.
    n_texts : int
    """

    keys: Keys
    rows: Rows
    n_texts: int


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """N-grams of tokens.

    Attributes
    ----------
    keys : array (m,)
    rows : array (m,)
        Text of each.
    starts : array (m,)
        Its first token.
    """

    keys: Keys
    rows: Rows
    starts: Rows


def tokenise(texts: Sequence[str]) -> Tokens:
    """Return the tokens of normalised texts, whatever their case.

    Examples
    --------
    >>> tokens = tokenise(["Not OK", "不 ok", "不!"])
    >>> tokens.rows.tolist(), bool(tokens.keys[1] == tokens.keys[3])
    ([0, 0, 1, 1, 2, 2], True)
    """
    joined = "\n".join(text.replace("\n", " ").lower() for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    breaks = codes == 10
    is_token = ~breaks & (codes != 32)
    in_run = _is_run()[np.minimum(codes, SPACED)]
    goes_on = np.zeros(len(codes), bool)
    goes_on[1:] = in_run[1:] & in_run[:-1]
    starts = np.flatnonzero(is_token & ~goes_on)
    if not len(starts):
        return Tokens(np.empty(0, np.uint64), np.empty(0, np.int64), len(texts))
    run = np.cumsum(is_token & ~goes_on) - 1
    place = np.arange(len(codes)) - starts[np.maximum(run, 0)]
    values = np.where(is_token, codes, 0) * _powers()[np.clip(place, 0, LONGEST_RUN - 1)]
    keys = np.add.reduceat(values[starts[0] :], starts - starts[0])
    return Tokens(_mixed(keys), np.cumsum(breaks)[starts], len(texts))


def ngrams(tokens: Tokens, n: int) -> NGrams:
    """Return the n-grams of n tokens that do not pass the end of a text."""
    last = len(tokens.keys) - n + 1
    if last <= 0:
        return NGrams(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
    keys = tokens.keys[:last]
    for i in range(1, n):
        keys = _mixed(keys * np.uint64(BASE) + tokens.keys[i : last + i])
    inside = tokens.rows[:last] == tokens.rows[n - 1 :]
    return NGrams(keys[inside], tokens.rows[:last][inside], np.flatnonzero(inside))


def text_keys(texts: Sequence[str]) -> Keys:
    """Return a number for each normalised text, which its copies share."""
    digests = [hashlib.blake2b(copy_key(text).encode(), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint64)


def blocks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield ranges of texts that hold about `BLOCK` characters each."""
    start, size = 0, 0
    for i, text in enumerate(texts):
        size += len(text) + 1
        if size >= BLOCK:
            yield start, i + 1
            start, size = i + 1, 0
    if start < len(texts):
        yield start, len(texts)


def positions(keys: Keys, vocabulary: Keys) -> Rows:
    """Return where keys stand in an ascending vocabulary, and -1 for those that do not."""
    if not len(vocabulary):
        return np.full(len(keys), -1)
    place = np.minimum(np.searchsorted(vocabulary, keys), len(vocabulary) - 1)
    return np.where(vocabulary[place] == keys, place, -1)


@cache
def _is_run() -> NDArray[np.bool_]:
    """Return which characters before `SPACED` are letters or digits."""
    flags = [chr(code).isalnum() for code in range(SPACED)]
    return np.array([*flags, False])


@cache
def _powers() -> Keys:
    powers = np.full(LONGEST_RUN, BASE, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _mixed(keys: Keys) -> Keys:
    """Return keys with their bits mixed (the last step of splitmix64)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(_MIX[0])
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(_MIX[1])
    return keys ^ (keys >> np.uint64(31))
