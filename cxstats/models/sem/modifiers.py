"""What stands on the right of a formula: variables, with the modifiers before each.

A modifier fixes, starts, labels or equates a parameter; here it is read, not acted upon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cxstats.core.errors import ModelSyntaxError
from cxstats.models.sem.tokens import NAME, RESERVED, Token, number, shown

# What the modifiers of one variable say: kind ("fixed", "start", "labels", "equal") to the values
# and where they stand.
Given = dict[str, tuple[tuple[Any, ...], int]]

# What a formula has to have on its right.
NEEDS = {
    "=~": "an indicator",
    "<~": "an indicator",
    "~": "a predictor or 1",
    "~~": "a variable",
}
_LABEL = re.compile(NAME)


def elements(text: str, op: str, right: list[Token]) -> Iterator[tuple[Token, Given]]:
    """Read the right side of a formula: each variable (or 1), and what its modifiers say.

    Raises
    ------
    ModelSyntaxError
        At what is neither a variable nor a modifier, or contradicts another modifier.
    """
    return _Elements(text, op, right).read()


class _Elements:
    """Reads what stands on the right of a formula: variables with their modifiers."""

    def __init__(self, text: str, op: str, right: list[Token]) -> None:
        _, last, at = right[-1]
        self.text, self.op, self.i = text, op, 0
        self.tokens = [*right, ("end", "", at + len(last))]

    def error(self, at: int, reason: str) -> ModelSyntaxError:
        return ModelSyntaxError.at(self.text, at, reason)

    def take(self, wanted: str = "", why: str = "") -> Token:
        """Return the next token; it has to be what is wanted."""
        token = self.tokens[self.i]
        if wanted and token[0] != wanted:
            what = shown(token[1]) if token[1] else "the end of the statement"
            name = "quoted text" if wanted == "string" else repr(wanted)
            raise self.error(token[2], f"{name} is missing before {what}{why}")
        self.i += 1
        return token

    def read(self) -> Iterator[tuple[Token, Given]]:
        seen = set()
        while True:
            target, given = self.element()
            if target[1] in seen and not given:
                reason = f"{shown(target[1])} is named twice in one formula, without a modifier"
                raise self.error(target[2], reason)
            seen.add(target[1])
            yield target, given
            if self.tokens[self.i][0] == "end":
                return
            self.take("+", "; variables are joined by '+'")

    def element(self) -> tuple[Token, Given]:
        """Return a variable, or the 1 of an intercept, and all its modifiers."""
        given: Given = {}
        while True:
            token = kind, found, at = self.take()
            if kind == "end":
                before = self.tokens[self.i - 2][1]
                needs = f"{NEEDS[self.op]} is missing"
                raise self.error(at - len(before), f"nothing stands after '{before}': {needs}")
            following = self.tokens[self.i][0]
            if kind == "name" and following not in ("*", "("):
                if found in RESERVED:
                    raise self.error(at, f"{shown(found)} is not a variable; write {found}*name")
                return token, given
            if self.op == "~" and found == "1" and following != "*":
                return token, given
            merge(self.text, given, self.modifier(token))
            why = "; a modifier stands before a variable, as in 2*x or start(0.5)*x"
            self.take("*", why)

    def modifier(self, token: Token) -> Given:
        """Return what one modifier says; `token` is its first."""
        kind, found, at = token
        if kind == "name" and self.tokens[self.i][0] == "(":
            self.i += 1
            return self.call(found, at)
        if kind == "string":
            raise self.error(at, "quoted text; allowed inside of label(), equal() and c()")
        return _said([self.value(token)], at)

    def call(self, name: str, at: int) -> Given:
        """Return what a modifier with brackets says."""
        if name == "c":
            return _said(self.values(), at)
        if name == "equal":
            _, quoted, where = self.take("string", ' in equal(), as in equal("f=~x1")')
            self.take(")")
            return {"equal": ((quoted[1:-1],), where)}
        if name not in ("start", "label"):
            reason = (
                f"unknown modifier {shown(name + '()')}; allowed: c(), start(), equal(), label()"
            )
            raise self.error(at, reason)
        nested = [token[1] for token in self.tokens[self.i : self.i + 2]] == ["c", "("]
        self.i += 2 * nested
        values = self.values()
        if nested:
            self.take(")")
        kind, what = (float, "numbers") if name == "start" else (str, "names in quotes")
        if not all(isinstance(value, kind) for value in values):
            raise self.error(at, f"{name}() takes {what}")
        if not nested and len(values) > 1:
            raise self.error(at, f"{name}() takes one value, or one per group as c(…)")
        return {"start" if name == "start" else "labels": (tuple(values), at)}

    def values(self) -> list[float | str | None]:
        """Return the values up to the bracket that closes."""
        values = [self.value(self.take())]
        while self.tokens[self.i][0] == ",":
            self.i += 1
            values.append(self.value(self.take()))
        self.take(")")
        return values

    def value(self, token: Token) -> float | str | None:
        """Return a number, a label, or None for NA."""
        kind, found, at = token
        if kind in ("+", "-"):
            digits = self.tokens[self.i]
            if digits[0] != "number":
                raise self.error(at, f"'{kind}' before {shown(digits[1])}; a sign takes a number")
            self.i += 1
            return number(digits, self.text) * (-1 if kind == "-" else 1)
        if kind == "number":
            return number(token, self.text)
        if kind == "name" and (found == "NA" or found not in RESERVED):
            return None if found == "NA" else found
        label = found[1:-1]
        if kind == "string" and (not label or _LABEL.fullmatch(label)) and label not in RESERVED:
            return label
        reason = f"{shown(found)} as a modifier; allowed: a number, NA or a label"
        raise self.error(at, reason)


def _said(values: list[float | str | None], at: int) -> Given:
    """Split values into fixed ones and labels; a label by itself neither fixes nor frees."""
    given: Given = {}
    if not all(isinstance(value, str) for value in values):
        fixed = tuple(None if isinstance(value, str) else value for value in values)
        given["fixed"] = fixed, at
    if any(isinstance(value, str) for value in values):
        given["labels"] = tuple(value if isinstance(value, str) else "" for value in values), at
    return given


def merge(text: str, known: Given, given: Given) -> None:
    """Add what modifiers say to what is known; they must not contradict it."""
    for kind, (values, at) in given.items():
        before, first = known.setdefault(kind, (values, at))
        if before != values:
            line = ModelSyntaxError.at(text, first, "").line
            error = ModelSyntaxError.at(text, at, "")
            said = f"line {line} says {written(before)}, line {error.line} says {written(values)}"
            raise ModelSyntaxError.at(text, at, f"modifiers contradict each other: {said}")


def written(values: Sequence[Any]) -> str:
    """Write the values of a modifier as in the syntax."""
    words = ["NA" if v is None else shown(v) if isinstance(v, str) else f"{v:g}" for v in values]
    return words[0] if len(words) == 1 else f"c({', '.join(words[:8])}{', …' * (len(words) > 8)})"
