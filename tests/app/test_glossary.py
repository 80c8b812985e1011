"""The glossary: whole in both languages, every term used, every technical word in it."""

import re
from functools import cache
from pathlib import Path

import pytest

from cxstats.app.reproduce import find_notebooks, read_notebook
from cxstats.app.site.glossary import _patterns, glossary_page, linked, terms
from cxstats.app.site.mathml import mathml
from cxstats.app.translations import page_twin, translated
from cxstats.core.language import catalogue
from cxstats.core.paths import collection_folder

FOLDER = Path(__file__).parent
WORDS = [
    word.strip()
    for line in (FOLDER / "technical_words.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split(",")
    if word.strip()
]
CAPITALS = re.compile(r"(?<![A-Za-z0-9_/-])[A-Z][A-Za-z]*[A-Z][A-Za-z0-9²/+−-]*(?![A-Za-z0-9_])")
# What is written in capitals and is no term.
NAMES = {
    "data sets": {"CDNOW", "ECSI-R", "InstEval"},
    "programs and platforms": {
        "DuckDB", "SQLFrame", "PowerPoint", "JupyterLab", "SurveyMonkey", "LimeSurvey",
    },
    "fonts, machines, encodings": {"CJK", "WenQuanYi", "AMD", "EPYC", "UTF-8", "HTML"},
    "units": {"GB", "MB"},
    "organisations": {"ETH"},
    "letters of formulas as printed": {
        "TE", "PE", "CE", "LE", "CL", "CV", "CF", "CS", "MPT", "XXX",
    },
}  # fmt: skip


@cache
def prose(lang):
    """Return the text of notebooks, solutions and pages, without code, links and formulas."""
    folder = collection_folder()
    texts = []
    for path in [*find_notebooks(folder), *sorted((folder / "solutions").glob("*.ipynb"))]:
        notebook = translated(read_notebook(path), path, lang)
        texts += [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for page in sorted(folder.glob("pages/*.md")):
        texts.append((page if lang == "en" else page_twin(page, lang)).read_text(encoding="utf-8"))
    code = r"```.*?```|`[^`]*`|\]\([^)]*\)|\$\$.*?\$\$|\$[^$\n]+\$|<[^>]+>|^ {4}.*?$"
    return re.sub(code, " ", "\n\n".join(texts), flags=re.M | re.S)


def is_in_glossary(word):
    return any(pattern.search(word) for _, pattern in _patterns("en"))


def occurs(word, text):
    first = re.escape(word[0])
    if not re.search("[A-Z]", word):  # it may begin a sentence
        first = f"[{word[0].upper()}{word[0]}]"
    return re.search(rf"(?<![A-Za-z]){first}{re.escape(word[1:])}s?(?![A-Za-z])", text)


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


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_term_is_used(lang):
    """In prose, or in what a result says."""
    text = "\n".join([prose(lang), *(text.get(lang) for text in catalogue().values())])
    unused = {term.key for term in terms()}
    for key, pattern in _patterns(lang):
        if pattern.search(text):
            unused.discard(key)
    assert not unused


def test_every_technical_word_of_the_prose_is_in_it():
    used = [word for word in WORDS if occurs(word, prose("en"))]
    assert len(used) > 120, "the list and the prose have little in common"
    assert [word for word in used if not is_in_glossary(word)] == []


def test_every_abbreviation_of_the_prose_is_in_it():
    """Numbers of facts and errors (F021, S18, K1a) and columns of data are no abbreviations."""
    names = set().union(*NAMES.values())
    capitals = {word.rstrip("-/") for word in CAPITALS.findall(prose("en"))}
    assert names <= capitals, "no longer in the prose"
    words = {word for word in capitals - names if not re.search(r"^[A-Z]+\d", word)}
    assert [word for word in sorted(words) if not is_in_glossary(word)] == []


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


def test_the_spelling_that_comes_first_leads_to_the_glossary():
    """Whichever of a term's spellings that is: two builds of the site are equal."""
    assert linked("BIC, then AIC.", "en", "g.md", set()).startswith("[BIC](g.md#")
    assert linked("AIC, then BIC.", "en", "g.md", set()).startswith("[AIC](g.md#")


def test_of_terms_that_overlap_the_longest_leads_to_the_glossary():
    seen = set()
    text = linked("A confidence interval is an interval.", "en", "g.md", seen)
    assert text.count("](g.md#") == len(seen) > 0
    assert "[confidence interval](" in text
    # One that has its link already is not searched for a shorter term inside.
    again = linked("A confidence interval.", "en", "g.md", {"interval"})
    assert again == "A confidence interval."


def test_code_over_two_lines_of_a_paragraph_is_code():
    text = "Call `cxstats report a.csv\n--codebook b.yml` for it.\n\nA `codebook`."
    assert linked(text, "en", "g.md", set()) == text
    assert "](g.md#codebook)" in linked("An odd ` mark.\n\nA codebook ` here.", "en", "g.md", set())


@pytest.mark.parametrize(
    "text",
    [
        "The lowest gap is that of Reliability.",
        "Reliability and Empathy have the widest gaps.",
        "There are five of them: tangibles, reliability,\nresponsiveness, assurance and empathy.",
        "| Reliability | −1.02 |\n| Reliability |",
        "Most points go to `E_r5` Reliability.",
        "最低的是 Reliability。",
    ],
)
def test_the_dimension_reliability_is_not_the_reliability_of_a_score(text):
    assert "#reliability)" not in linked(text, "en", "g.md", set())


@pytest.mark.parametrize(
    "text",
    [
        "Reliability of a gap is lower.",
        "Empathy is low. Reliability is a share of variance.",
        "The gap has a reliability of .8.",
        "- Reliability says how much is real.",
        "**What it means.** Reliability says how much is real.",
    ],
)
def test_the_reliability_of_a_score_leads_to_the_glossary(text):
    assert "eliability](g.md#reliability)" in linked(text, "en", "g.md", set())
