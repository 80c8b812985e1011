"""Search of Chinese pages: pairs of neighbouring characters, in the index and in what is typed.

Chinese has no spaces, and a splitter by dictionary may cut a page and a query at different places.
Pairs of characters are cut alike everywhere, need no dictionary, and run in the browser as well.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx

RUN = re.compile(r"([\u3400-\u9fff]+)|[^\W\u3400-\u9fff]+")
# The same in the browser, except that single characters of longer runs are not asked for.
IN_THE_BROWSER = r"""
var splitQuery = (query) =>
  (query.match(/[\u3400-\u9fff]+|(?:(?![\u3400-\u9fff])[\p{L}\p{N}_])+/gu) || []).flatMap((run) =>
    /[\u3400-\u9fff]{2}/.test(run)
      ? Array.from({ length: run.length - 1 }, (_, i) => run.slice(i, i + 2))
      : [run]);
"""


def index_terms(text: str) -> list[str]:
    """Return what the index holds of a text: words of letters, characters and pairs of them.

    Examples
    --------
    >>> index_terms("NPS是推荐值")
    ['NPS', '是', '推', '荐', '值', '是推', '推荐', '荐值']
    """
    terms: list[str] = []
    for match in RUN.finditer(text):
        run = match[0]
        terms += [*run, *map("".join, pairwise(run))] if match[1] else [run]
    return terms


class SearchChinese(SearchEnglish):
    """Chinese beside English words, which are stemmed as on English pages."""

    lang = "zh"
    js_splitter_code = IN_THE_BROWSER

    def split(self, input: str) -> list[str]:
        """Return the terms of a text."""
        return index_terms(input)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the search with Sphinx."""
    app.add_search_language(SearchChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
