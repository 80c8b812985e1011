"""The glossary: what every term means, in both languages, and the links that lead to it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from cxstats.core.language import Text, label
from cxstats.core.paths import collection_folder, data_folder

# What prose never links in: code and bold words, also over the lines of a paragraph, answers of
# exercises (HTML), links, headings, tags, formulas.
UNTOUCHED = re.compile(
    r"```.*?```|<details>.*?</details>|`(?:[^`\n]|\n(?!\s*\n))*`|!?\[[^\]]*\]\([^)]*\)|"
    r"^#.*?$|<[^>]+>|"
    r"\$\$.*?\$\$|\$[^$\n]+\$|\*\*(?:[^*\n]|\n(?!\s*\n))+\*\*",
    re.M | re.S,
)
# A line of a table in Markdown, and what stands before a word that begins a sentence.
TABLE_LINE = re.compile(r"^\s*\|")
BEGIN = re.compile(r"(?:\n\s*\n|\n\s*(?:[-*+]|\d+\.)\s|[.!?][”\"')*_]*\s|[。！？])\s*[“\"'(*_]*$")
SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？]|\n\s*\n")
# SERVQUAL calls a dimension Reliability, which is no reliability of a score: the others are near.
OTHER_DIMENSIONS = re.compile(r"\b(?:tangibles|responsiveness|assurance|empathy)\b", re.I)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the glossary.

    Attributes
    ----------
    key : str
        Its anchor on the page.
    name : Text
    aliases : tuple of str
        Other spellings in prose, of both languages.
    meaning, unit, limits : Text
        In a sentence or two; in what unit it is; when not to use it.
    formula : str
        In LaTeX; empty where there is none.
    source, doi : str
    notebook : str
        The number of the notebook that shows it.
    """

    key: str
    name: Text
    aliases: tuple[str, ...]
    meaning: Text
    unit: Text
    limits: Text
    formula: str
    source: str
    doi: str
    notebook: str

    def spellings(self, lang: str) -> list[str]:
        """Return what stands for the term in prose."""
        return list(dict.fromkeys(filter(None, [self.name.get(lang), *self.aliases])))


@cache
def terms() -> tuple[Term, ...]:
    """Return every term, from ``data/glossary.csv``."""
    path = data_folder() / "glossary.csv"
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(map(_term, csv.DictReader(file)))


def _term(row: dict[str, str]) -> Term:
    def both(name: str) -> Text:
        return Text(row[f"{name}_en"], row[f"{name}_zh"])

    aliases = tuple(filter(None, (alias.strip() for alias in row["aliases"].split(";"))))
    return Term(
        row["key"], both("name"), aliases, both("meaning"), both("unit"), both("limits"),
        row["formula"], row["source"], row["doi"], row["notebook"],
    )  # fmt: skip


def glossary_page(lang: str) -> str:
    """Return the page of all terms, in the order of their names."""
    entries = sorted(terms(), key=lambda term: term.name.get(lang).casefold())
    body = "\n".join(line for term in entries for line in _entry(term, lang))
    return f"# {label('site.glossary', lang)}\n\n{label('site.glossary.text', lang)}\n\n{body}\n"


def _entry(term: Term, lang: str) -> Iterator[str]:
    other = term.name.zh if lang == "en" else term.name.en
    head = term.name.get(lang)
    yield f"({term.key})=\n## {head}" + (f" · {other}" if other != head else "") + "\n"
    yield f"{term.meaning.get(lang)}\n"
    if term.formula:
        yield f"$$\n{term.formula}\n$$\n"
    if term.unit.get(lang):
        yield f"- **{label('site.glossary.unit', lang)}** {term.unit.get(lang)}"
    if term.limits.get(lang):
        yield f"- **{label('site.glossary.limits', lang)}** {term.limits.get(lang)}"
    if term.source:
        doi = f" [doi:{term.doi}](https://doi.org/{term.doi})" if term.doi else ""
        yield f"- **{label('site.glossary.source', lang)}** {term.source}{doi}"
    if term.notebook:
        yield f"- **{label('site.glossary.notebook', lang)}** {_notebook(term.notebook)}"
    yield ""


def _notebook(number: str) -> str:
    path = next(iter(collection_folder().glob(f"{number}_*.ipynb")), None)
    return f"[{number}](notebooks/{path.name})" if path is not None else number


def linked(text: str, lang: str, page: str, seen: set[str]) -> str:
    """Return prose in which the first occurrence of each term leads to the glossary.

    Parameters
    ----------
    text : str
        Markdown. Code, links, headings, bold words and formulas stay as they are.
    lang : {"en", "zh"}
    page : str
        Where the glossary is, from the page of the text.
    seen : set of str
        Keys of terms that have a link already; those of this text are added.
    """
    pieces, last = [], 0
    for match in UNTOUCHED.finditer(text):
        pieces.append(_linked_plain(text, last, match.start(), lang, page, seen))
        pieces.append(match[0])
        last = match.end()
    pieces.append(_linked_plain(text, last, len(text), lang, page, seen))
    return "".join(pieces)


def _is_name(text: str, start: int, end: int) -> bool:
    """Return whether a word is the name of a dimension or construct, and no term.

    A name has one capital and stands within a sentence or a table. In a sentence that names other
    dimensions of SERVQUAL, reliability is a dimension, however it is written.
    """
    word = text[start:end]
    if word.casefold() == "reliability":
        ends = [match.end() for match in SENTENCE_END.finditer(text, 0, start)]
        after = SENTENCE_END.search(text, end)
        sentence = text[ends[-1] if ends else 0 : after.start() if after else len(text)]
        if OTHER_DIMENSIONS.search(sentence):
            return True
    if not re.fullmatch("[A-Z][a-z]+", word):
        return False
    line = text[text.rfind("\n", 0, start) + 1 : start]
    before = "\n\n" + text[max(start - 40, 0) : start]
    return TABLE_LINE.match(line) is not None or BEGIN.search(before) is None


def _linked_plain(whole: str, first: int, end: int, lang: str, page: str, seen: set[str]) -> str:
    text = whole[first:end]
    places = [
        (match.start(), -match.end(), order, key)
        for order, (key, pattern, is_word) in enumerate(_spelled(lang))
        for match in pattern.finditer(text)
        if not (is_word and _is_name(whole, first + match.start(), first + match.end()))
    ]
    pieces, last = [], 0
    for start, minus_end, _, key in sorted(
        places
    ):  # of terms that overlap, the one that begins first
        if start < last:
            continue
        term = text[start:-minus_end]
        pieces += [text[last:start], term if key in seen else f"[{term}]({page}#{key})"]
        seen.add(key)
        last = -minus_end
    return "".join([*pieces, text[last:]])


def _patterns(lang: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((key, pattern) for key, pattern, _ in _spelled(lang))


@cache
def _spelled(lang: str) -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    """Return each spelling: the term's key, its pattern, whether it is a word without capitals."""

    def pattern(spelling: str) -> str:
        edge = r"(?<![A-Za-z0-9_²])", r"(?![A-Za-z0-9_²])"
        is_latin = re.search("[A-Za-z]", spelling) is not None
        # A word of letters may begin a sentence; an abbreviation is written one way.
        expression = re.escape(spelling)
        if is_latin and not re.search("[A-Z]", spelling):
            expression = f"[{spelling[0].upper()}{spelling[0]}]{re.escape(spelling[1:])}"
        return f"{edge[0]}{expression}{edge[1]}" if is_latin else expression

    pairs = [(term.key, spelling) for term in terms() for spelling in term.spellings(lang)]
    return tuple(
        (key, re.compile(pattern(spelling)), re.fullmatch("[a-z]+", spelling) is not None)
        for key, spelling in pairs
    )
