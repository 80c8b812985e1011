"""Words for messages: values cut where they are long, and nothing that a terminal obeys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence, Sized
from difflib import get_close_matches
from itertools import islice
from reprlib import Repr
from typing import Any

LONGEST = 1_500  # characters of a message
LONGEST_VALUE = 120
# Control characters (C0, C1), marks that reverse the direction of text, halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _Excerpt(Repr):
    """The form of a value, built no further than it is shown."""

    def repr_int(self, value: int, level: int) -> str:
        # Python refuses to write a whole number of more than 4,300 digits.
        if value.bit_length() > 256:
            return f"a number of about {int(value.bit_length() * 0.30103) + 1:,} digits"
        return repr(value)


_FORM = _Excerpt()
_FORM.maxlevel, _FORM.maxstring, _FORM.maxother = 3, LONGEST_VALUE, LONGEST_VALUE
_FORM.maxdict = _FORM.maxlist = _FORM.maxtuple = 6


def excerpt(value: object) -> str:
    """Return the form of a value, cut where it is long or deep.

    Examples
    --------
    >>> excerpt([1, 7]), excerpt({"en": "x"})
    ('[1, 7]', "{'en': 'x'}")
    >>> excerpt(range(10**9)), len(excerpt("x" * 10**6)), excerpt([[[[[[1]]]]]])
    ('range(0, 1000000000)', 120, '[[[[...]]]]')
    """
    return cut(_FORM.repr(value), LONGEST_VALUE)


def row_name(index: Any, position: int) -> str:
    """Return how a message calls a row: by its label in the table, as a person writes it.

    Examples
    --------
    >>> import pandas as pd
    >>> row_name(pd.Index([3, 8]), 1), row_name(pd.Index(["anna", "bo"]), 0)
    ('row 8', "row 'anna'")
    """
    label = index[position]
    return f"row {excerpt(label.item() if hasattr(label, 'item') else label)}"


def no_column(name: object, columns: Iterable[object], more: str = "") -> str:
    """Return that a column is not in the table, which one may be meant, and which there are.

    Headings that look the same are offered first: they differ in kinds of spaces (a no-break
    space), in width, in case or in spaces at their ends.

    Examples
    --------
    >>> no_column("Staff", ["id", "STAFF "])
    "column 'Staff' is not in the table, which has 'STAFF '; columns: id, STAFF "
    >>> no_column("brnch", ["id", "branch"])
    "column 'brnch' is not in the table; did you mean 'branch'? Columns: id, branch"
    """
    names = [str(column) for column in columns]
    head = f"column {excerpt(name)}{more} is not in the table"
    near = _alike(str(name), names)
    if near is None:
        return f"{head}; columns: {listing(names, 30)}"
    if look(near) == look(str(name)):
        return f"{head}, which has {excerpt(near)}; columns: {listing(names, 30)}"
    return f"{head}; did you mean {excerpt(near)}? Columns: {listing(names, 30)}"


def meant(name: object, values: Iterable[object]) -> str:
    """Return which value may be meant by a name that is none of them; nothing where none is near.

    Examples
    --------
    >>> meant("beijing", ["Shanghai", "Beijing "]), meant("Lisbon", ["Shanghai"])
    ("; did you mean 'Beijing '?", '')
    """
    texts = [value for value in values if isinstance(value, str)]
    near = _alike(name, texts) if isinstance(name, str) else None
    return "" if near is None else f"; did you mean {excerpt(near)}?"


def _alike(name: str, names: Sequence[str]) -> str | None:
    """Return the name that looks the same, else the one that is most like it; None without."""
    looks = {look(text): text for text in reversed(names)}
    if look(name) in looks:
        return looks[look(name)]
    near = get_close_matches(name, names[:2_000], 1, 0.75)
    return near[0] if near else None


def look(text: str) -> str:
    """Return a text without what is not seen: spaces, width, case."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def listing(values: Iterable[object], most: int = 20) -> str:
    """Return values in a row, and how many more there are.

    Examples
    --------
    >>> listing("abc"), listing(range(5_000), 3)
    ('a, b, c', '0, 1, 2, … (5,000 in all)')
    """
    values = values if isinstance(values, Sized) else list(values)
    excerpts = ", ".join(cut(str(value), LONGEST_VALUE) for value in islice(values, most))
    return excerpts if len(values) <= most else f"{excerpts}, … ({len(values):,} in all)"


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text without its middle where it is longer than `longest`.

    Examples
    --------
    >>> cut("abcdefghij", 5), cut("abc", 5)
    ('abc…j', 'abc')
    """
    if len(text) <= longest:
        return text
    end = longest // 4
    return f"{text[: longest - end - 1]}…{text[-end:] if end else ''}"


def printable(text: str, keep: str = "") -> str:
    r"""Return a text with its control characters written out, so that no terminal obeys them.

    Parameters
    ----------
    text : str
        Anything, such as a cell of a client or the name of a file.
    keep : str
        Control characters that stay, such as line breaks.

    Examples
    --------
    >>> printable("a\x1b[2Jb\n"), printable("服务"), printable("a\n", keep="\n")
    ('a\\x1b[2Jb\\n', '服务', 'a\n')
    """
    return _UNPRINTABLE.sub(lambda mark: mark[0] if mark[0] in keep else _written(mark[0]), text)


def _written(mark: str) -> str:
    return mark.encode("unicode_escape", "surrogatepass").decode("ascii")
