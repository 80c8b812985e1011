"""Tables of pandas in a notebook: over the name of each column stand its words.

A result has its own display (`cxstats.core.display`). A table that a cell makes of its numbers is
one of pandas, whose heads are names for code: a reader of another language cannot read them, and a
reader who writes the next cell needs them. So both are there.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING, Any

from cxstats.core.display import head_of
from cxstats.core.language import catalogue

if TYPE_CHECKING:
    import pandas as pd

_HEAD = re.compile(r"(?<=>)([^<>\n]+)(?=</th>)")
_ROW = re.compile(r"(?<=>)([a-z]+(?:_[a-z]+)+)(?=</th>)")  # a name for code, no word of the data
_LANGUAGE = re.compile(r"_(?:en|zh)$")  # of a column that is there in both languages


def show_heads_in_words() -> None:
    """Let a running notebook show tables of pandas with heads in words; elsewhere do nothing."""
    from IPython import get_ipython

    shell: Any = get_ipython()
    formatter = getattr(shell, "display_formatter", None)
    if formatter is not None:
        import pandas as pd

        formatter.formatters["text/html"].for_type(pd.DataFrame, html_with_heads)


def html_with_heads(table: pd.DataFrame, lang: str | None = None) -> str | None:
    """Return the HTML of a table as pandas writes it, with words over the names of columns.

    So have rows whose name has an underscore, as in a table that was turned. Names that have no
    words in the catalogue stay alone.

    Examples
    --------
    >>> import pandas as pd
    >>> html = html_with_heads(pd.DataFrame({"p_value": [0.5], "my_column": [1]}), "zh")
    >>> "<th>p 值<br/><small>p_value</small></th>" in html, "<th>my_column</th>" in html
    (True, True)
    """
    html: str | None = table._repr_html_()  # type: ignore[operator]
    if html is None:
        return None
    head, end, body = html.partition("</thead>")

    def in_words(match: re.Match[str]) -> str:
        return _in_words(match[0], lang)

    return _HEAD.sub(in_words, head) + end + _ROW.sub(in_words, body)


def _in_words(name: str, lang: str | None) -> str:
    plain = _LANGUAGE.sub("", unescape(name))
    if f"column.{plain}" not in catalogue():
        return name
    head = escape(head_of(plain, lang))
    return head if head == name else f"{head}<br/><small>{name}</small>"
