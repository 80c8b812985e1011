"""Tables of pandas in a notebook have words over the names of their columns."""

import re
from html import unescape
from types import SimpleNamespace

import IPython
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from lxml import html

from cxstats.app.reproduce import find_notebooks, read_notebook
from cxstats.core.language import set_language
from cxstats.core.notebook_tables import html_with_heads


@pytest.fixture
def shell(monkeypatch):
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    yield shell
    set_language("en")


def test_a_notebook_shows_words_and_names(shell):
    table = pd.DataFrame({"estimate": [1.0], "claim_zh": ["a"], "<b>": [2]})
    assert "估计值" not in shell.display_formatter.format(table)[0]["text/html"]
    set_language("zh")
    data = shell.display_formatter.format(table)[0]
    assert "<th>估计值<br/><small>estimate</small></th>" in data["text/html"]
    assert "<small>claim_zh</small>" in data["text/html"]
    assert "<th>&lt;b&gt;</th>" in data["text/html"], "what has no words stays, escaped"
    assert "估计值" not in data["text/plain"]


def test_only_heads_change():
    table = pd.DataFrame({"mean": ["p_value"]}, index=pd.Index(["service"], name="n"))
    plain, ours = table._repr_html_(), html_with_heads(table, "zh")
    assert ours.partition("</thead>")[2] == plain.partition("</thead>")[2]
    assert "<small>mean</small>" in ours
    assert "样本量<br/><small>n</small>" in ours


def test_turned_tables_have_rows_in_words():
    html = html_with_heads(
        pd.DataFrame({"a": {"p_value": 0.5, "mean": 1, "no_such_name": 2}}), "zh"
    )
    assert "<th>p 值<br/><small>p_value</small></th>" in html
    assert "<th>mean</th>" in html, "a word may be one of the data"
    assert "<th>no_such_name</th>" in html


def test_levels_of_heads_and_long_tables():
    table = pd.DataFrame(
        [[1.0, 2.0]] * 100, columns=pd.MultiIndex.from_product([["gap"], ["n", "z"]])
    )
    assert html_with_heads(table, "zh").count("<small>") == 3
    with pd.option_context("display.notebook_repr_html", False):
        assert html_with_heads(table) is None


def test_committed_tables_have_heads_in_words():
    """A name with an underscore stands below words, never alone."""
    alone = set()
    for path in find_notebooks():
        for cell in read_notebook(path).cells:
            for output in cell.get("outputs", []):
                text = output.get("data", {}).get("text/html", "")
                if "<thead" not in text:
                    continue
                for head in html.fromstring(text).xpath("//th[not(small)]//text()"):
                    if re.fullmatch(r"[a-z]+(_[a-z]+)+", unescape(head.strip())):
                        alone.add((path.stem, head.strip()))
    assert not alone
