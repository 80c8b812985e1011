"""Words and phrases of texts: jieba's words of Chinese, words of Latin letters, emoji.

Numbers, punctuation and personal data end a phrase and are no words themselves. Frequent words
without a meaning of their own (``data/lexicons/stop_words.csv``) are no terms; a word after a
negation is read with it (``not clean``, ``不干净``), so that it does not count as its opposite.
"""

from __future__ import annotations

import csv
import logging
import re
import warnings
from collections.abc import Sequence
from functools import cache, lru_cache
from tempfile import TemporaryDirectory
from typing import Any

from cxstats.core.errors import MissingToolError
from cxstats.core.language import CHINESE
from cxstats.core.paths import data_folder
from cxstats.survey.personal_forms import mask_text
from cxstats.voice.lexicon import comparable

NEGATIONS = frozenset(("not", "no", "never", "without", "不", "没", "没有", "不是", "无", "别"))
# Runs of Chinese characters, Latin words with an apostrophe or hyphen inside, single emoji.
_RUN = re.compile(
    "[\u4e00-\u9fff]+|[^\\W\\d_\u4e00-\u9fff]+(?:['’-][^\\W\\d_\u4e00-\u9fff]+)*"
    "|[\u2600-\u27bf\U0001f300-\U0001faff]"
)
LONGEST_WORD = 40


def terms_of(text: str, longest: int = 2) -> set[str]:
    """Return the words of a text and its phrases of up to `longest` words.

    Examples
    --------
    >>> sorted(terms_of("The room was not clean. Nice breakfast!"))
    ['breakfast', 'nice', 'nice breakfast', 'not clean', 'room']
    """
    terms = set()
    for words in word_runs(text):
        for size in range(1, longest + 1):
            for start in range(len(words) - size + 1):
                chosen = words[start : start + size]
                if not any(word in stop_words() or word in NEGATIONS for word in chosen):
                    terms.add(_joined(chosen))
    return terms


def word_runs(text: str) -> list[list[str]]:
    """Return the words of a text, apart where punctuation or personal data stand between.

    A negation and the word after it are one word.
    """
    masked = comparable(mask_text(text, " ; ")[0])
    runs: list[list[str]] = []
    end = None
    for match in _RUN.finditer(masked):
        run = match.group()
        words = _cut(run) if re.match(CHINESE, run) else [run[:LONGEST_WORD]]
        gap = masked[end : match.start()] if end is not None else ";"
        if gap.strip():
            runs.append([])
        runs[-1].extend(words)
        end = match.end()
    return [_with_negations(words) for words in runs]


def _with_negations(words: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        is_negated = bool(joined) and joined[-1] in NEGATIONS and word not in stop_words()
        if is_negated:
            joined[-1] = _joined([joined[-1], word])
        else:
            joined.append(word)
    return joined


def _joined(words: Sequence[str]) -> str:
    """Return words as one phrase: Chinese without spaces."""
    is_chinese = all(re.match(CHINESE, word) for word in words)
    return ("" if is_chinese else " ").join(words)


@lru_cache(maxsize=100_000)  # the same comments are asked for phrases and for topics
def _cut(run: str) -> tuple[str, ...]:
    return tuple(_tokenizer().lcut(run))


@cache
def stop_words() -> frozenset[str]:
    """Return the frequent words that are no terms."""
    path = data_folder() / "lexicons" / "stop_words.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset(word for row in csv.DictReader(file) for word in row["words"].split())


@cache
def _tokenizer() -> Any:
    """Return jieba with its own dictionary, read anew.

    jieba would take what lies under its file's name in the folder of temporary files, where others
    can write.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jieba
    except ImportError:
        raise MissingToolError(
            "words of Chinese texts need jieba, which is not installed: pip install cxstats[words]"
        ) from None
    jieba.setLogLevel(logging.ERROR)
    tokenizer = jieba.Tokenizer()
    with TemporaryDirectory() as folder:
        tokenizer.tmp_dir = folder
        tokenizer.initialize()
    return tokenizer
