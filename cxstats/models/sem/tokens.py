"""The marks a model is made of: its text cut into tokens, and tokens into statements.

Whoever reads tokens also finds here what they share: the value of a number, and words for what
is wrong with a token.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice
from math import isfinite

from cxstats.core.errors import ModelSyntaxError
from cxstats.core.messages import look

# kind ("name", "number", "string", "\n", or the mark itself), text, offset
Token = tuple[str, str, int]

NAME = r"(?:[^\W\d]|\.++[^\W\d])[\w.\u0300-\u036f]*+"
# Names joined by colons, and the words that begin a block where they stand first.
PRODUCT = rf"{NAME}(?:[^\S\r\n]*:[^\S\r\n]*{NAME})++"
_BLOCKS = ("group", "level", "block")
_BLANK = re.compile(r"\s+")
_STARTS = frozenset(("", ";", "\n", "\r", "\r\n"))  # what a statement begins after


def _pattern(name: str) -> re.Pattern[str]:
    """Return the pattern of one token; `name` is that of a variable."""
    return re.compile(
        rf"(?:[^\S\r\n]|\ufeff)*+(?:[\#!][^\r\n]*+)?+(?:({name})"
        r"|((?:[0-9]|\.[0-9])(?:[eE][+-](?=[0-9])|[\w.])*+)"
        r"|(\r\n?|\n)"
        r"""|("[^"\r\n]*+"|'[^'\r\n]*+')"""
        r"|(=-|->|~\*~|[=~<>:]++|\*\*|[-+*/^(),;])"
        r"|(.)|\Z)",
        re.DOTALL,
    )


_TOKEN, _TOKEN_OR_PRODUCT = _pattern(NAME), _pattern(rf"{PRODUCT}|{NAME}")
_KINDS = ("", "name", "number", "\n", "string")
_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+")

RELATIONS = ("=~", "<~", "~", "~~", ":=", "==", "<", ">")
_MARKS = frozenset((*RELATIONS, *"+-*/^(),;", "**"))
# A line that ends in one of the first, or a next line that begins with one of the second, goes on.
OPEN = frozenset((*RELATIONS, *"+-*/^,(", "**"))
_GOES_ON = frozenset((*RELATIONS, *"+-*/^,)", "**"))
RESERVED = frozenset(("NA", "NaN", "Inf"))  # values in R
# What was probably meant.
_MEANT = {
    "=": "did you mean '==' (a constraint) or '=~' (a latent variable)?",
    "=-": "did you mean '=~'?",
    "~=": "did you mean '=~'?",
    "=~~": "did you mean '=~'?",
    "~~~": "did you mean '~~'?",
    "===": "did you mean '=='?",
    ">=": "did you mean '>'?",
    "=>": "did you mean '>'?",
    "<=": "did you mean '<'?",
    "=<": "did you mean '<'?",
    "=:": "did you mean ':='?",
    "->": "a regression is written 'outcome ~ predictor'",
    "~*~": "scaling factors are not supported",
}
_STRANGE = {
    '"': "a quote that is not closed on its line",
    "'": "a quote that is not closed on its line",
    "|": "unknown character '|'; thresholds are not supported",
    "`": "unknown character '`'; a name is written without quotes",
    "?": "unknown character '?'; a starting value is written start(0.5)",
}


def tokens(text: str, *, interactions: bool = False) -> Iterator[Token]:
    """Cut a model into names, numbers, quoted texts, marks and line breaks.

    With `interactions`, names joined by colons (``X:Z``) are one name, without blanks.

    Raises
    ------
    ModelSyntaxError
        At a character or an operator that has no meaning.
    """
    before = ""
    for match in (_TOKEN_OR_PRODUCT if interactions else _TOKEN).finditer(text):
        group = match.lastindex
        if group is None:
            return
        lexeme, at = match[group], match.start(group)
        if group == 1 and ":" in lexeme and (first := _block(lexeme)) and before in _STARTS:
            raise ModelSyntaxError.at(text, at, _strange(text, first, ":", at))
        if group < 5:
            yield _KINDS[group], _BLANK.sub("", lexeme) if group == 1 else lexeme, at
        elif group == 5 and lexeme in _MARKS:
            yield lexeme, lexeme, at
        else:
            raise ModelSyntaxError.at(text, at, _strange(text, before, lexeme, at))
        before = lexeme


def _block(product: str) -> str:
    """Return the word that begins a block, if names joined by colons begin with one."""
    first = product.split(":", maxsplit=1)[0].strip()
    return first if first in _BLOCKS else ""


def statements(text: str, *, interactions: bool = False) -> Iterator[list[Token]]:
    """Cut a model into statements: at line breaks, where nothing is left open, and at ``;``.

    With `interactions`, ``X:Z`` is a name.

    Raises
    ------
    ModelSyntaxError
        As `tokens`, and at a bracket without its other one.
    """
    statement: list[Token] = []
    opened: list[int] = []
    broken = False  # a line break that ends the statement, unless the next mark continues it
    for token in tokens(text, interactions=interactions):
        kind = token[0]
        if kind == "\n":
            broken = broken or not (opened or (statement and statement[-1][0] in OPEN))
            continue
        if kind == ";" or (broken and kind not in _GOES_ON):
            if opened:
                raise ModelSyntaxError.at(text, opened[-1], "'(' is not closed before ';'")
            if statement:
                yield statement
            statement = []
        broken = False
        _track_bracket(token, opened, text)
        if kind != ";":
            statement.append(token)
    if opened:
        raise ModelSyntaxError.at(text, opened[-1], "'(' is never closed")
    if statement:
        yield statement


def _track_bracket(token: Token, opened: list[int], text: str) -> None:
    """Note where a bracket opens or closes; inside of one there is no operator."""
    kind, _, at = token
    if kind == "(":
        opened.append(at)
    elif kind == ")":
        if not opened:
            raise ModelSyntaxError.at(text, at, "')' without '('")
        opened.pop()
    elif opened and kind in RELATIONS:
        raise ModelSyntaxError.at(text, opened[-1], f"'(' is not closed before '{kind}'")


def _strange(text: str, before: str, lexeme: str, at: int) -> str:
    """Return what is wrong with a mark that means nothing."""
    if lexeme == ":" and before in _BLOCKS:
        return f"blocks ('{before}:') are not supported; allowed: one model for all groups"
    if lexeme == ":":
        after = re.compile(rf"\s*({NAME})").match(text, at + 1)
        pair = f"{before}:{after[1] if after else ''}"
        return (
            f"an interaction, {quoted(pair)}, is not supported here; of two columns, compute the "
            "product as a variable; of two constructs, cx.pls takes it, in two stages: scores of "
            "the model without it, then the model with the product of two scores"
        )
    if len(lexeme) > 1 or lexeme == "=":
        meant = _MEANT.get(lexeme, f"allowed: {' '.join(RELATIONS)}")
        return f"unknown operator {quoted(lexeme)}; {meant}"
    if lexeme in _STRANGE:
        return _STRANGE[lexeme]
    from unicodedata import normalize

    plain = normalize("NFKC", lexeme)
    hint = f"; did you mean {plain!r}?" if plain != lexeme and plain.isprintable() else ""
    return f"unknown character {lexeme!r} (U+{ord(lexeme):04X}){hint}"


def quoted(text: str) -> str:
    """Quote a piece of a model, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def near(name: str, names: Collection[str]) -> str:
    """Return a hint at the known name nearest to `name`, or else at what is known."""
    from difflib import get_close_matches

    candidates = [candidate for candidate in islice(names, 5_000) if len(candidate) <= 60]
    close = [candidate for candidate in candidates if look(candidate) == look(name)]
    if not close and len(name) <= 60:
        close = get_close_matches(name, candidates, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    if not candidates:
        return "there are none"
    return "there are: " + ", ".join(candidates[:8]) + (", …" if len(candidates) > 8 else "")


def number(token: Token, text: str) -> float:
    """Return the value of a number; it has to be finite."""
    _, digits, at = token
    if not _NUMBER.fullmatch(digits):
        raise ModelSyntaxError.at(
            text, at, f"{quoted(digits)} is not a number, and a name cannot begin with a digit"
        )
    value = float(digits)
    if not isfinite(value):
        raise ModelSyntaxError.at(text, at, f"{quoted(digits)} is too large for a number")
    return value
