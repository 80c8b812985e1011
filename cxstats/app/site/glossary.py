"""The glossary: what every term means, in both languages, and the links that lead to it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from cxstats.core.language import Text, label
from cxstats.core.paths import collection_folder, data_folder

# SERVQUAL calls a dimension Reliability, which is no reliability of a score.
DIMENSIONS = "(?:[Tt]angibles|[Rr]eliability|[Rr]esponsiveness|[Aa]ssurance|[Ee]mpathy)"
# What prose never links in: code and bold words, also over the lines of a paragraph, answers of
# exercises (HTML), links, headings, tags, formulas, dimensions named one after the other.
UNTOUCHED = re.compile(
    r"```.*?```|<details>.*?</details>|`(?:[^`\n]|\n(?!\s*\n))*`|!?\[[^\]]*\]\([^)]*\)|"
    r"^#.*?$|<[^>]+>|"
    r"\$\$.*?\$\$|\$[^$\n]+\$|\*\*(?:[^*\n]|\n(?!\s*\n))+\*\*|"
    rf"\b{DIMENSIONS}(?:,?\s(?:and\s)?{DIMENSIONS})+\b",
    re.M | re.S,
)
# Before a word that begins a sentence.
BEGIN = r"(?:(?<=[.?!] )|(?<=[.?!]\*\* )|(?<=[-*>] )|(?<=[“\"(])|(?<=\n)|(?<![\s\S]))"


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


def _linked_plain(text: str, first: int, last: int, lang: str, page: str, seen: set[str]) -> str:
    """Return the part of a text from `first` to `last`, in which all is plain prose."""
    places = [
        (match.start(), -match.end(), order, key)
        for order, (key, pattern) in enumerate(_patterns(lang))
        for match in pattern.finditer(text, first, last)
    ]
    pieces = []
    for start, end, _, key in sorted(places):  # of terms that overlap, the one that begins first
        if start < first:
            continue
        term = text[start:-end]
        pieces += [text[first:start], term if key in seen else f"[{term}]({page}#{key})"]
        seen.add(key)
        first = -end
    return "".join([*pieces, text[first:last]])


@cache
def _patterns(lang: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    def pattern(spelling: str) -> str:
        edge = r"(?<![A-Za-z0-9_²])", r"(?![A-Za-z0-9_²])"
        is_latin = re.search("[A-Za-z]", spelling) is not None
        # A word of letters may begin a sentence; within one, a capital makes it a name, such as
        # that of a dimension. An abbreviation is written one way.
        expression = re.escape(spelling)
        if is_latin and not re.search("[A-Z]", spelling):
            first, others = spelling[0], re.escape(spelling[1:])
            expression = f"(?:{re.escape(first)}|{BEGIN}{re.escape(first.upper())}){others}"
        return f"{edge[0]}{expression}{edge[1]}" if is_latin else expression

    pairs = [(term.key, spelling) for term in terms() for spelling in term.spellings(lang)]
    return tuple((key, re.compile(pattern(spelling))) for key, spelling in pairs)
