"""Models written in lavaan's syntax, read into terms, definitions and constraints.

What is read is data only: names and numbers. What they mean for a model (defaults, markers,
groups) is decided by whoever takes the `Syntax`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cxstats.core.errors import CxError, ModelSyntaxError
from cxstats.models.sem.expressions import Expression, compile_tokens
from cxstats.models.sem.tokens import (
    NAME,
    OPEN,
    RELATIONS,
    RESERVED,
    Token,
    near,
    number,
    quoted,
    statements,
)

# More parameters than any model has; ``a + b ~ x + y`` multiplies, so a short text could ask for
# more than memory holds.
MOST = 250_000

# What the modifiers of one variable say: kind ("fixed", "start", "labels", "equal") to the values
# and where they stand.
Modifiers = dict[str, tuple[tuple[Any, ...], int]]

# What a formula has to have on its right.
NEEDS = {
    "=~": "an indicator",
    "<~": "an indicator",
    "~": "a predictor or 1",
    "~~": "a variable",
}
_LABEL = re.compile(NAME)
_PARAMETER = re.compile(rf"\s*({NAME})\s*(=~|<~|~~|~)\s*({NAME}|1)\s*")


@dataclass(frozen=True, slots=True)
class Term:
    """One parameter of a model, as it was written.

    Attributes
    ----------
    lhs, op, rhs : str
        `op` is ``=~``, ``<~``, ``~``, ``~~`` or ``~1`` (an intercept, with an empty `rhs`).
    fixed : tuple of float or None
        One entry, or one per group; None is free (NA). Empty when nothing was fixed or freed.
    start : tuple of float
        Starting values; empty when none was given.
    labels : tuple of str
        Empty when none was given; an entry is "" for a group without a label.
    line, column : int
        Where the variable is named first, from 1.
    """

    lhs: str
    op: str
    rhs: str
    fixed: tuple[float | None, ...]
    start: tuple[float, ...]
    labels: tuple[str, ...]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Definition:
    """A parameter computed from others, ``name := expression``."""

    name: str
    expression: Expression
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition on the parameters; `op` is ``==``, ``<`` or ``>``."""

    left: Expression
    op: str
    right: Expression
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Syntax:
    """A model as it was written.

    Attributes
    ----------
    terms, definitions, constraints : tuple
        In the order written; a term that was named again stands at its first place.
    text : str
        The model's text, unchanged.
    """

    terms: tuple[Term, ...]
    definitions: tuple[Definition, ...]
    constraints: tuple[Constraint, ...]
    text: str

    @property
    def latents(self) -> tuple[str, ...]:
        """The latent variables, in order of their first indicator."""
        return tuple(dict.fromkeys(term.lhs for term in self.terms if term.op == "=~"))

    def error(self, term: Term, reason: str) -> ModelSyntaxError:
        """Return the error for a term that cannot be used, with its place in the text."""
        starts = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", self.text))]
        return ModelSyntaxError.at(self.text, starts[term.line - 1] + term.column - 1, reason)

    @property
    def labels(self) -> set[str]:
        """All labels of parameters, with those that ``equal()`` gave."""
        return {label for term in self.terms for label in term.labels if label}


def parse(text: str, *, interactions: bool = False) -> Syntax:
    """Read a model written in lavaan's syntax.

    ``f =~ x1 + x2`` (latent variable), ``f <~ x1 + x2`` (composite, for ``cx.pls``), ``y ~ x``
    (regression), ``x ~~ y`` (covariance), ``y ~ 1`` (intercept), ``ab := a*b`` (defined parameter),
    ``a == b``, ``a < b``, ``a > b`` (constraints). Modifiers stand before a variable: ``1*x``,
    ``NA*x``, ``label*x``, ``start(0.5)*x``, ``equal("f=~x1")*x``, ``label("a")*x``, and per group
    ``c(1, NA)*x``.

    Parameters
    ----------
    text : str
        The model. ``#`` and ``!`` begin a comment; ``;`` separates statements as a line does.
    interactions : bool
        Whether ``x:z`` is a name, that of an interaction; otherwise it is refused.

    Returns
    -------
    Syntax

    Raises
    ------
    ModelSyntaxError
        Naming line and column of what cannot be read, or contradicts what was read before.
    CxError
        If `text` is not a str.

    Examples
    --------
    >>> model = parse("Quality =~ q1 + a*q2 ; Loyalty ~ b*Quality ; ab := a*b")
    >>> [(term.lhs, term.op, term.rhs, term.labels) for term in model.terms]
    [('Quality', '=~', 'q1', ()), ('Quality', '=~', 'q2', ('a',)),
     ('Loyalty', '~', 'Quality', ('b',))]
    >>> model.definitions[0].expression({"a": 2.0, "b": 3.0}).item()
    6.0
    """
    if not isinstance(text, str):
        raise CxError(f"a model is of type {type(text).__name__}; allowed: str")
    return _parsed(text, interactions)


@lru_cache(maxsize=32)  # the steps of a test of invariance, for one, fit the same text
def _parsed(text: str, interactions: bool) -> Syntax:
    reader = _Reader(text)
    for statement in statements(text, interactions=interactions):
        reader.read(statement)
    return reader.finish()


def elements(text: str, op: str, right: list[Token]) -> Iterator[tuple[Token, Modifiers]]:
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

    def take(self, expected: str = "", why: str = "") -> Token:
        """Return the next token; it has to be what is wanted."""
        token = self.tokens[self.i]
        if expected and token[0] != expected:
            what = quoted(token[1]) if token[1] else "the end of the statement"
            name = "quoted text" if expected == "string" else repr(expected)
            raise self.error(token[2], f"{name} is missing before {what}{why}")
        self.i += 1
        return token

    def read(self) -> Iterator[tuple[Token, Modifiers]]:
        seen = set()
        while True:
            target, modifiers = self.element()
            if target[1] in seen and not modifiers:
                reason = f"{quoted(target[1])} is named twice in one formula, without a modifier"
                raise self.error(target[2], reason)
            seen.add(target[1])
            yield target, modifiers
            if self.tokens[self.i][0] == "end":
                return
            self.take("+", "; variables are joined by '+'")

    def element(self) -> tuple[Token, Modifiers]:
        """Return a variable, or the 1 of an intercept, and all its modifiers."""
        modifiers: Modifiers = {}
        while True:
            token = kind, lexeme, at = self.take()
            if kind == "end":
                before = self.tokens[self.i - 2][1]
                needs = f"{NEEDS[self.op]} is missing"
                raise self.error(at - len(before), f"nothing stands after '{before}': {needs}")
            following = self.tokens[self.i][0]
            if kind == "name" and following not in ("*", "("):
                if lexeme in RESERVED:
                    raise self.error(at, f"{quoted(lexeme)} is not a variable; write {lexeme}*name")
                return token, modifiers
            if self.op == "~" and lexeme == "1" and following != "*":
                return token, modifiers
            merge(self.text, modifiers, self.modifier(token))
            why = "; a modifier stands before a variable, as in 2*x or start(0.5)*x"
            self.take("*", why)

    def modifier(self, token: Token) -> Modifiers:
        """Return what one modifier says; `token` is its first."""
        kind, lexeme, at = token
        if kind == "name" and self.tokens[self.i][0] == "(":
            self.i += 1
            return self.call(lexeme, at)
        if kind == "string":
            raise self.error(at, "quoted text; allowed inside of label(), equal() and c()")
        return _split([self.value(token)], at)

    def call(self, name: str, at: int) -> Modifiers:
        """Return what a modifier with brackets says."""
        if name == "c":
            return _split(self.values(), at)
        if name == "equal":
            _, literal, where = self.take("string", ' in equal(), as in equal("f=~x1")')
            self.take(")")
            return {"equal": ((literal[1:-1],), where)}
        if name not in ("start", "label"):
            reason = (
                f"unknown modifier {quoted(name + '()')}; allowed: c(), start(), equal(), label()"
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
        kind, lexeme, at = token
        if kind in ("+", "-"):
            digits = self.tokens[self.i]
            if digits[0] != "number":
                raise self.error(at, f"'{kind}' before {quoted(digits[1])}; a sign takes a number")
            self.i += 1
            return number(digits, self.text) * (-1 if kind == "-" else 1)
        if kind == "number":
            return number(token, self.text)
        if kind == "name" and (lexeme == "NA" or lexeme not in RESERVED):
            return None if lexeme == "NA" else lexeme
        label = lexeme[1:-1]
        if kind == "string" and (not label or _LABEL.fullmatch(label)) and label not in RESERVED:
            return label
        reason = f"{quoted(lexeme)} as a modifier; allowed: a number, NA or a label"
        raise self.error(at, reason)


def _split(values: list[float | str | None], at: int) -> Modifiers:
    """Split values into fixed ones and labels; a label by itself neither fixes nor frees."""
    modifiers: Modifiers = {}
    if not all(isinstance(value, str) for value in values):
        fixed = tuple(None if isinstance(value, str) else value for value in values)
        modifiers["fixed"] = fixed, at
    if any(isinstance(value, str) for value in values):
        modifiers["labels"] = tuple(value if isinstance(value, str) else "" for value in values), at
    return modifiers


def merge(text: str, modifiers: Modifiers, added: Modifiers) -> None:
    """Add what modifiers say to what is known; they must not contradict it."""
    for kind, (values, at) in added.items():
        before, first = modifiers.setdefault(kind, (values, at))
        if before != values:
            sides = [(first, before), (at, values)]
            reason = ", ".join(
                f"line {ModelSyntaxError.at(text, place, '').line} says {as_written(said)}"
                for place, said in sides
            )
            raise ModelSyntaxError.at(text, at, f"modifiers contradict each other: {reason}")


def as_written(values: Sequence[Any]) -> str:
    """Write the values of a modifier as in the syntax."""
    texts = ["NA" if v is None else quoted(v) if isinstance(v, str) else f"{v:g}" for v in values]
    return texts[0] if len(texts) == 1 else f"c({', '.join(texts[:8])}{', …' * (len(texts) > 8)})"


@dataclass(slots=True)
class _Draft:
    """A term while the model is being read."""

    lhs: str
    op: str
    rhs: str
    at: int
    statement: int
    modifiers: Modifiers = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        swap = self.op == "~~" and self.rhs < self.lhs
        return (self.rhs, self.op, self.lhs) if swap else (self.lhs, self.op, self.rhs)

    @property
    def name(self) -> str:
        return self.lhs + self.op + self.rhs


class _Reader:
    """Collects statements; `finish` checks what only the whole model can tell."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", text))]
        self.drafts: dict[tuple[str, str, str], _Draft] = {}
        self.definitions: list[tuple[Token, Expression, list[Token]]] = []
        self.constraints: list[tuple[Constraint, list[Token], list[Token]]] = []
        self.count = 0

    def error(self, at: int, reason: str) -> ModelSyntaxError:
        return ModelSyntaxError.at(self.text, at, reason)

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.starts, at)
        return line, at - self.starts[line - 1] + 1

    def read(self, statement: list[Token]) -> None:
        """Read one statement."""
        self.count += 1
        operators = [i for i, token in enumerate(statement) if token[0] in RELATIONS]
        if not operators:
            allowed = " ".join(RELATIONS)
            raise self.error(statement[0][2], f"a statement without operator; allowed: {allowed}")
        if len(operators) > 1:
            raise self.second_operator(statement, operators[0], operators[1])
        left, right = statement[: operators[0]], statement[operators[0] + 1 :]
        op, _, at = statement[operators[0]]
        if not left:
            raise self.error(at, f"nothing stands before '{op}'")
        if not right:
            needs = NEEDS.get(op, "an expression")
            raise self.error(at, f"nothing stands after '{op}': {needs} is missing")
        if op == ":=":
            self.define(left, right)
        elif op in ("==", "<", ">"):
            self.constrain(left, op, right)
        else:
            self.relate(left, op, right)

    def second_operator(self, statement: list[Token], first: int, second: int) -> ModelSyntaxError:
        """Return the error for a second operator: mostly the line before is not finished."""
        for i in range(second - 1, first - 1, -1):
            kind, _, at = statement[i]
            if kind in OPEN and self.place(at)[0] < self.place(statement[i + 1][2])[0]:
                return self.error(at, f"nothing stands after '{kind}' on this line")
        kind, _, at = statement[second]
        return self.error(
            at, f"a second operator, '{kind}', in one statement; allowed: one on a line, or ';'"
        )

    def define(self, left: list[Token], right: list[Token]) -> None:
        """Read a definition."""
        name = left[0]
        if len(left) > 1 or name[0] != "name" or name[1] in RESERVED:
            raise self.error(name[2], "one name has to stand before ':='")
        self.definitions.append((name, compile_tokens(right, self.text), right))

    def constrain(self, left: list[Token], op: str, right: list[Token]) -> None:
        """Read a constraint."""
        sides = compile_tokens(left, self.text), compile_tokens(right, self.text)
        if not (sides[0].names or sides[1].names):
            raise self.error(left[0][2], f"'{op}' between numbers binds no parameter")
        place = self.place(left[0][2])
        self.constraints.append((Constraint(sides[0], op, sides[1], *place), left, right))

    def relate(self, left: list[Token], op: str, right: list[Token]) -> None:
        """Read a formula: every name on the left with every element on the right."""
        lefts = self.names(left, op)
        rights = list(elements(self.text, op, right))
        if len(self.drafts) + len(lefts) * len(rights) > MOST:
            raise self.error(left[0][2], f"more than {MOST} parameters in one model")
        for lhs in lefts:
            for (kind, rhs, at), modifiers in rights:
                if kind == "number":
                    draft = _Draft(lhs, "~1", "", at, self.count)
                else:
                    draft = _Draft(lhs, op, rhs, at, self.count)
                    if lhs == rhs and op != "~~":
                        verb = {"=~": "measures", "<~": "forms"}.get(op, "predicts")
                        raise self.error(at, f"{quoted(rhs)} {verb} itself")
                self.add(draft, modifiers)

    def names(self, left: list[Token], op: str) -> list[str]:
        """Return the names on the left of a formula."""
        names: dict[str, None] = {}
        for i, (kind, lexeme, at) in enumerate(left):
            if i % 2 == 1 and kind != "+":
                raise self.error(at, f"'+' or '{op}' is missing before {quoted(lexeme)}")
            if i % 2 == 0 and (kind != "name" or lexeme in RESERVED):
                raise self.error(
                    at, f"{quoted(lexeme)} before '{op}'; allowed: names joined by '+'"
                )
            if i % 2 == 0 and lexeme in names:
                raise self.error(at, f"{quoted(lexeme)} is named twice before '{op}'")
            if i % 2 == 0:
                names[lexeme] = None
        if len(left) % 2 == 0:
            raise self.error(left[-1][2], f"a name is missing between '+' and '{op}'")
        return list(names)

    def add(self, draft: _Draft, modifiers: Modifiers) -> None:
        """Add a parameter, or more about one that the same formula has named before."""
        earlier = self.drafts.setdefault(draft.key, draft)
        if earlier.statement != draft.statement:
            lines = [self.place(named.at)[0] for named in (earlier, draft)]
            where = f"in line {lines[0]} and in line {lines[1]}"
            raise self.error(draft.at, f"{quoted(draft.name)} is declared twice, {where}")
        merge(self.text, earlier.modifiers, modifiers)

    def finish(self) -> Syntax:
        """Return the model, once everything fits together."""
        if not self.drafts:
            raise self.error(0, "an empty model: no latent variable, regression or covariance")
        drafts = list(self.drafts.values())
        self.equate([draft for draft in drafts if "equal" in draft.modifiers])
        terms = tuple(self.term(draft) for draft in drafts)
        definitions = tuple(
            Definition(name, expression, *self.place(at))
            for (_, name, at), expression, _ in self.definitions
        )
        constraints = tuple(constraint for constraint, _, _ in self.constraints)
        model = Syntax(terms, definitions, constraints, self.text)
        self.check_names(model.labels)
        return model

    def term(self, draft: _Draft) -> Term:
        fixed, start, labels = (
            draft.modifiers[kind][0] if kind in draft.modifiers else ()
            for kind in ("fixed", "start", "labels")
        )
        lengths = {len(values) for values in (fixed, start, labels) if len(values) > 1}
        if len(lengths) > 1:
            few, many = sorted(lengths)
            reason = f"{quoted(draft.name)} has modifiers for {few} and for {many} groups"
            raise self.error(draft.at, reason)
        place = self.place(draft.at)
        return Term(draft.lhs, draft.op, draft.rhs, fixed, start, labels, *place)

    def equate(self, drafts: Sequence[_Draft]) -> None:
        """Give one label to the parameters that ``equal()`` ties together."""
        roots: dict[tuple[str, str, str], tuple[str, str, str]] = {}

        def root(key: tuple[str, str, str]) -> tuple[str, str, str]:
            while (above := roots.setdefault(key, key)) != key:
                roots[key] = key = roots[above]  # halves the way for the next one
            return key

        targets = [self.target(draft) for draft in drafts]
        for draft, target in zip(drafts, targets, strict=True):
            roots[root(draft.key)] = root(target.key)
        labels: dict[tuple[str, str, str], tuple[str, ...]] = {}
        for key in roots:
            if "labels" in (modifiers := self.drafts[key].modifiers):
                names, at = modifiers["labels"]
                if (before := labels.setdefault(root(key), names)) != names:
                    reason = f"equal() ties labels {as_written(before)} and {as_written(names)}"
                    raise self.error(at, reason)
        for key in roots:
            draft = self.drafts[key]
            automatic = (self.drafts[root(key)].name,)
            draft.modifiers["labels"] = labels.get(root(key), automatic), draft.at

    def target(self, draft: _Draft) -> _Draft:
        """Return the parameter that ``equal()`` names."""
        (reference,), at = draft.modifiers["equal"]
        match = _PARAMETER.fullmatch(reference)
        if not match:
            raise self.error(
                at, f"equal({quoted(reference)}); allowed: a parameter such as 'f=~x1'"
            )
        lhs, op, rhs = match.groups()
        named = _Draft(lhs, "~1", "", at, 0) if rhs == "1" else _Draft(lhs, op, rhs, at, 0)
        target = self.drafts.get(named.key)
        if target is None or (rhs == "1" and op != "~"):
            hint = near(named.name, [candidate.name for candidate in self.drafts.values()])
            raise self.error(at, f"equal() names no parameter: {quoted(reference)}; {hint}")
        if target is draft:
            raise self.error(at, f"{quoted(reference)} is made equal to itself")
        return target

    def check_names(self, labels: set[str]) -> None:
        """Raise if definitions clash, or expressions use a name that is not defined."""
        defined = dict.fromkeys(sorted(labels))
        later = {name: at for (_, name, at), _, _ in reversed(self.definitions)}
        for (_, name, at), expression, program in self.definitions:
            if name in defined:
                what = "a label and a definition" if name in labels else "defined twice"
                raise self.error(at, f"{quoted(name)} is {what}; allowed: one meaning for a name")
            self.check_expression(expression.names, program, defined, later)
            defined[name] = None
        for constraint, left, right in self.constraints:
            self.check_expression(constraint.left.names, left, defined, {})
            self.check_expression(constraint.right.names, right, defined, {})

    def check_expression(
        self,
        names: Sequence[str],
        program: list[Token],
        defined: Mapping[str, None],
        later: Mapping[str, int],
    ) -> None:
        """Raise if a name is neither a label nor a definition made so far."""
        for name in names:
            if name in defined:
                continue
            ends = (*program[1:], ("", "", 0))
            places = zip(program, ends, strict=True)
            at = next(t[2] for t, after in places if t[1] == name and after[0] != "(")
            if name in later:
                line, _ = self.place(later[name])
                reason = f"{quoted(name)} is defined only in line {line}; allowed: earlier ones"
            else:
                reason = f"no label or definition {quoted(name)}; {near(name, defined)}"
            raise self.error(at, reason)
