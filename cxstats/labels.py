"""One catalogue for every label, in English and Simplified Chinese.

The texts are in ``labels.csv`` beside this file, one row per key, so that a translator needs
no Python. Texts of the case studies (quantities, notes) stay with their data.
"""

from __future__ import annotations

import csv
from functools import cache
from typing import NamedTuple

from cxstats.errors import CxError
from cxstats.paths import PACKAGE

LANGUAGES = ("en", "zh")


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    zh: str

    def get(self, lang: str) -> str:
        """Return the words in `lang`."""
        return self.zh if check_lang(lang) == "zh" else self.en


def check_lang(lang: str) -> str:
    """Return `lang` if the catalogue has it.

    Raises
    ------
    CxError
        For anything but ``"en"`` and ``"zh"``.

    Examples
    --------
    >>> check_lang("zh")
    'zh'
    """
    if lang not in LANGUAGES:
        raise CxError(f"lang={lang!r} is not a language of this project; allowed: 'en', 'zh'")
    return lang


@cache
def catalogue() -> dict[str, Text]:
    """Return every label of the catalogue by its key."""
    with (PACKAGE / "labels.csv").open(encoding="utf-8", newline="") as file:
        return {row["key"]: Text(row["en"], row["zh"]) for row in csv.DictReader(file)}


def label(key: str, lang: str = "en", **values: object) -> str:
    """Return the label `key` in `lang`, with ``{name}`` replaced from `values`.

    Examples
    --------
    >>> label("verdict.agrees")
    'agrees'
    >>> label("verdict.agrees", "zh")
    '相符'
    """
    return catalogue()[key].get(lang).format(**values)


def both(key: str, **values: object) -> Text:
    """Return the label `key` in both languages.

    A value that is itself a `Text` is put in in the language of the sentence.
    """

    def fill(lang: str) -> str:
        words = {k: v.get(lang) if isinstance(v, Text) else v for k, v in values.items()}
        return label(key, lang, **words)

    return Text(fill("en"), fill("zh"))
