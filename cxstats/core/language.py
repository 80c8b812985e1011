"""Languages: the catalogue of every text, in English and Simplified Chinese, and the default.

The texts are in ``texts/``, one file a room and one row a key, so that a translator needs no
Python. Texts of the case studies (quantities, notes) stay with their data.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable
from functools import cache
from string import Formatter
from typing import Any, NamedTuple

from cxstats.core.errors import CxError
from cxstats.core.paths import PACKAGE

LANGUAGES = ("en", "zh")
_DEFAULT = ["en"]  # one place that `set_language` writes to
EDGE = "\x00"  # where a value begins or ends in a sentence
CHINESE = "[\u4e00-\u9fff]"
LATIN = "A-Za-z0-9\u00b2\u00b3\u00c0-\u024f\u0370-\u03ff"  # with accents, Greek, and R²
# A per cent sign follows its number at once, so only what comes after it is kept off.
CROWDED = re.compile(
    f"(?<={CHINESE}){EDGE}+(?=[{LATIN}+\u2212(\\[])|(?<=[{LATIN}%)\\]]){EDGE}+(?={CHINESE})"
)


class Text(NamedTuple):
    """The same words in both languages."""

    en: str
    zh: str

    def get(self, lang: str | None = None) -> str:
        """Return the words in `lang`."""
        return self.zh if check_lang(lang) == "zh" else self.en

    def __str__(self) -> str:
        return self.get()


def check_lang(lang: str | None = None) -> str:
    """Return `lang` if the catalogue has it, and the default for None.

    Raises
    ------
    CxError
        For anything but None, ``"en"`` and ``"zh"``.

    Examples
    --------
    >>> check_lang("zh"), check_lang()
    ('zh', 'en')
    """
    if lang is None:
        return _DEFAULT[0]
    if lang not in LANGUAGES:
        raise CxError(f"lang={lang!r} is not a language of this project; allowed: 'en', 'zh'")
    return lang


@cache
def catalogue() -> dict[str, Text]:
    """Return every label of the catalogue by its key."""
    texts: dict[str, Text] = {}
    for path in sorted((PACKAGE / "core" / "texts").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            texts |= {row["key"]: Text(row["en"], row["zh"]) for row in csv.DictReader(file)}
    return texts


def label(key: str, lang: str | None = None, **values: object) -> str:
    """Return the label `key` in `lang`, with ``{name}`` replaced from `values`.

    Where a Chinese character and a Latin letter or a digit meet at the edge of a value, a space
    comes between; within the value, which may be the user's, nothing changes. A word that follows
    a count stands as ``{n:group|groups}``: the first where n is written 1.

    Examples
    --------
    >>> label("verdict.agrees")
    'agrees'
    >>> label("verdict.agrees", "zh")
    '相符'
    >>> [label("metric.compare.axis", "zh", name=name) for name in ("Effort 2", "费力度")]
    ['Effort 2 之差', '费力度之差']
    >>> [label("metric.note.missing", count=count) for count in (1, 2)]
    ['1 row has no answer and is left out', '2 rows have no answer and are left out']
    """
    text = catalogue()[key].get(lang)
    return CROWDED.sub(" ", _Edges().format(text, **values)).replace(EDGE, "")


class _Edges(Formatter):
    """Marks where values begin and end; chooses between one and many."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return one if str(value) == "1" else many
        return f"{EDGE}{super().format_field(value, format_spec)}{EDGE}"


def both(key: str, **values: object) -> Text:
    """Return the label `key` in both languages.

    A value that is itself a `Text` is put in in the language of the sentence.
    """

    def fill(lang: str) -> str:
        texts = {k: v.get(lang) if isinstance(v, Text) else v for k, v in values.items()}
        return label(key, lang, **texts)

    return Text(fill("en"), fill("zh"))


def note_if(holds: bool, key: str, **values: object) -> list[Text]:
    """Return the label `key` in both languages as a list of one, or nothing where `holds` is false.

    Examples
    --------
    >>> [*note_if(True, "verdict.agrees"), *note_if(False, "verdict.agrees")]
    [Text(en='agrees', zh='相符')]
    """
    return [both(key, **values)] if holds else []


def listed(names: Iterable[object]) -> Text:
    """Return names one after the other, with the comma of either language between them.

    Examples
    --------
    >>> listed(["a1", "a2"])
    Text(en='a1, a2', zh='a1、a2')
    """
    texts = [name if isinstance(name, Text) else Text(str(name), str(name)) for name in names]
    return Text(", ".join(text.en for text in texts), "、".join(text.zh for text in texts))


def set_language(lang: str) -> None:
    """Set the language of every summary, chart and export that is not asked for in another.

    Numbers and the columns of ``.table`` stay as they are. In a notebook, tables of pandas are
    shown with words over the names of their columns from then on.

    Raises
    ------
    CxError
        For anything but ``"en"`` and ``"zh"``.

    Examples
    --------
    >>> set_language("zh")
    >>> label("verdict.agrees")
    '相符'
    >>> set_language("en")
    """
    _DEFAULT[:] = [check_lang(lang)]
    if "IPython" in sys.modules:
        from cxstats.core.notebook_tables import show_heads_in_words

        show_heads_in_words()
