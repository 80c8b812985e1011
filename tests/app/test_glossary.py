"""The glossary: whole in both languages, every term used, every technical term in it."""

import re

import pytest

from cxstats.app.reproduce import find_notebooks, read_notebook
from cxstats.app.site.glossary import _patterns, glossary_page, linked, terms
from cxstats.app.site.mathml import mathml
from cxstats.core.language import catalogue
from cxstats.core.paths import collection_folder

# Technical words that readers of notebooks meet; each has to be in the glossary.
TECHNICAL = (
    "BCa", "Holm", "omega", "alpha", "CR", "AVE", "CFI", "TLI", "SRMR", "RMSEA", "HTMT", "HTMT2",
    "Feldt", "d_z", "f²", "Wilson", "adjusted Wald", "Gini", "Herfindahl", "Kano", "Shapley",
    "alpha spending", "CSAT", "CES", "NPS", "FIML", "WLSMV", "PLS", "SERVPERF", "bootstrap",
    "AHP", "VIF", "CUPED", "RFM", "BG/NBD", "AUC", "Erlang", "kappa", "odds", "Lorenz",
)  # fmt: skip


def prose():
    texts = []
    for path in find_notebooks(collection_folder()):
        texts += [c.source for c in read_notebook(path).cells if c.cell_type == "markdown"]
    pages = sorted(collection_folder().glob("pages/*.md"))
    return "\n".join([*texts, *(page.read_text(encoding="utf-8") for page in pages)])


def test_entries_are_whole():
    assert len({term.key for term in terms()}) == len(terms()) > 90
    for term in terms():
        assert re.fullmatch(r"[a-z][a-z-]+", term.key)
        for text in (term.name, term.meaning):
            assert text.en
            assert text.zh
        for text in (term.unit, term.limits):
            assert bool(text.en) == bool(text.zh), term.key
        assert re.fullmatch(r"\d\d", term.notebook), term.key
        assert next(iter(collection_folder().glob(f"{term.notebook}_*.ipynb")), None), term.key
        assert term.doi == "" or re.fullmatch(r"10\.\d{4,}/\S+", term.doi)


@pytest.mark.parametrize("term", [t for t in terms() if t.formula], ids=lambda term: term.key)
def test_formula_is_mathml(term):
    markup = mathml(term.formula, "block")
    assert markup.startswith("<math")
    assert "\\" not in markup, "a command that the converter does not know"


def test_every_term_is_used():
    """In prose, or in what a result says."""
    text = "\n".join([prose(), *(text.en for text in catalogue().values())])
    unused = {term.key for term in terms()}
    for key, pattern in _patterns("en"):
        if pattern.search(text):
            unused.discard(key)
    assert not unused


def test_every_technical_term_is_in_it():
    spellings = {spelling for term in terms() for spelling in term.spellings("en")}
    text = " ".join(spellings)
    assert [word for word in TECHNICAL if word not in text] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_has_every_term(lang):
    page = glossary_page(lang)
    assert page.count("\n## ") == len(terms())
    assert all(f"({term.key})=" in page for term in terms())


def test_first_occurrence_is_linked_and_code_is_not():
    seen = set()
    text = "The NPS and `NPS` and the NPS.\n\n# NPS\n\n[NPS](a.md) **NPS**"
    assert linked(text, "en", "g.md", seen) == (
        "The [NPS](g.md#nps) and `NPS` and the NPS.\n\n# NPS\n\n[NPS](a.md) **NPS**"
    )
    assert linked("NPS again", "en", "g.md", seen) == "NPS again"
    assert linked("净推荐值（NPS）的置信区间", "zh", "g.md", set()) == (
        "[净推荐值（NPS）](g.md#nps)的[置信区间](g.md#interval)"
    )
