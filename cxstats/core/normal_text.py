"""The normal form of a text of a customer: one form of characters, bounded, never run as code.

1. The first `LONGEST` characters are read, the rest is left out;
2. NFKC: full-width letters, digits and punctuation become plain ones;
3. control characters and halves of characters (lone surrogates) become spaces; characters without
   a form of their own (zero-width spaces, joiners, marks of direction, byte-order marks) go;
4. runs of white space become one space, and the ends are trimmed.

Emoji, formulas, code and markup stay as they are: they are data.

References
----------
The Unicode Consortium. Unicode Standard Annex 15: Unicode normalization forms.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 10_000  # characters of a text that are read
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]+"
)
_NO_WORD = re.compile(r"[\W_]+")


def normalise_text(text: str, longest: int = LONGEST) -> str:
    r"""Return a text in its normal form, at most `longest` characters of it.

    Examples
    --------
    >>> normalise_text("  服务很好！！\r\n\x1b[2J ＯＫ\u200b "), normalise_text("a\ud800b")
    ('服务很好!! [2J OK', 'a b')
    """
    text = text[:longest]
    if not text.isascii():
        # One character can become eighteen.
        text = unicodedata.normalize("NFKC", text)[:longest]
        text = _INVISIBLE.sub("", text)
    return " ".join(_CONTROL.sub(" ", text).split())


def copy_key(text: str) -> str:
    """Return what near copies of a text share: its letters and digits, whatever their case.

    A text without letters and digits is its own key.

    Examples
    --------
    >>> copy_key("服务 很好!!") == copy_key("服务很好。"), copy_key("!!")
    (True, '!!')
    """
    return _NO_WORD.sub("", text.casefold()) or text
