"""What a model's text means for PLS: blocks of items, and arrows between constructs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cxstats.core.errors import CxError
from cxstats.models.sem.syntax import Definition, Syntax, Term, parse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# More chains of paths than any model has whose specific effects somebody reads; they multiply.
MOST_CHAINS = 10_000


class Path(NamedTuple):
    """An arrow of the inner model: places of its end and its start, and its label."""

    end: int
    start: int
    label: str


HIGHER_ORDER = (
    "a higher-order construct is not supported; in two stages: fit the model with its dimensions "
    "in its place, join their columns of fit.scores to the table, and name these as its items"
)


@dataclass(frozen=True, eq=False)
class Design:
    """A PLS path model.

    Attributes
    ----------
    constructs : tuple of str
        The J constructs, in the order of the text.
    modes : tuple of str
        "A" (reflective), "B" (formative) or "single" (one item), for each construct.
    items : tuple of str
        The p items, construct after construct.
    home : array (p,)
        The construct of each item.
    paths : tuple of Path
        The inner model, in the order written.
    item_labels : tuple of str
        The label of each item's loading (mode A) or weight (mode B); mostly "".
    definitions : tuple of Definition
        What ``:=`` said.
    text : str
        The model as written.
    """

    constructs: tuple[str, ...]
    modes: tuple[str, ...]
    items: tuple[str, ...]
    home: NDArray[np.intp]
    paths: tuple[Path, ...]
    item_labels: tuple[str, ...]
    definitions: tuple[Definition, ...]
    text: str

    @cached_property
    def member(self) -> Array:
        """Whether an item belongs to a construct, (p, J)."""
        return np.asarray(self.home[:, None] == np.arange(len(self.constructs)), float)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Places of the items of each construct."""
        ends = np.cumsum(np.bincount(self.home, minlength=len(self.constructs))).tolist()
        return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))

    @cached_property
    def causes(self) -> dict[int, list[int]]:
        """Predecessors of each endogenous construct, causes before effects."""
        into: dict[int, list[int]] = {}
        for path in self.paths:
            into.setdefault(path.end, []).append(path.start)
        return {j: into[j] for j in self.order if j in into}

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Constructs, causes before effects."""
        return _ordered(self.constructs, self.paths)

    @cached_property
    def adjacent(self) -> Array:
        """Whether two constructs are joined by a path in either direction, (J, J)."""
        adjacent = np.zeros((len(self.constructs),) * 2)
        for path in self.paths:
            adjacent[path.end, path.start] = adjacent[path.start, path.end] = 1
        return adjacent

    @cached_property
    def chains(self) -> tuple[tuple[int, ...], ...]:
        """Every way over two paths or more, as constructs from start to end."""
        after: dict[int, list[int]] = {}
        for path in self.paths:
            after.setdefault(path.start, []).append(path.end)
        chains: list[tuple[int, ...]] = []
        stack: list[tuple[int, ...]] = [(j,) for j in reversed(self.order)]
        while stack:
            chain = stack.pop()
            if len(chains) == MOST_CHAINS:
                raise CxError(f"more than {MOST_CHAINS} chains of paths; allowed: fewer paths")
            if len(chain) > 2:
                chains.append(chain)
            stack += [(*chain, j) for j in reversed(after.get(chain[-1], []))]
        return tuple(chains)

    def of_mode(self, mode: str) -> list[int]:
        """Return the constructs of a mode."""
        return [j for j, construct_mode in enumerate(self.modes) if construct_mode == mode]


def read_design(text: str) -> Design:
    """Read a PLS path model written in lavaan's syntax.

    ``Quality =~ q1 + q2`` is reflective (mode A), ``Price <~ p1 + p2`` formative (mode B),
    ``Loyalty ~ b*Quality`` a path, ``total := a*b`` a defined parameter. A name in a path that
    measures nothing is a construct of the one item of that name.

    Raises
    ------
    ModelSyntaxError
        With line and column, at what cannot be read or has no meaning in PLS: covariances,
        intercepts, fixed values, starts, shared labels, an item of two constructs, a construct
        as an item.
    CxError
        At constraints, a loop of paths, a construct without any, a model without paths, and one
        with too many chains of them.

    Examples
    --------
    >>> design = read_design("Quality =~ q1 + q2 ; Loyalty =~ l1 ; Loyalty ~ Quality")
    >>> design.constructs, design.modes, design.items
    (('Quality', 'Loyalty'), ('A', 'single'), ('q1', 'q2', 'l1'))
    """
    syntax = parse(text)
    _check_terms(syntax)
    blocks = _blocks(syntax)
    arrows = [term for term in syntax.terms if term.op == "~"]
    if not arrows:
        raise CxError("the model has no path between constructs; PLS needs one, such as 'y ~ x'")
    items_of = _items(syntax, blocks, arrows)
    names = tuple(items_of)
    place = {name: j for j, name in enumerate(names)}
    paths = tuple(Path(place[t.lhs], place[t.rhs], t.labels[0] if t.labels else "") for t in arrows)
    alone = [name for j, name in enumerate(names) if not any(j in path[:2] for path in paths)]
    if alone:
        raise CxError(f"construct {alone[0]!r} is in no path; PLS weighs items by what it is for")
    _ordered(names, paths)
    labels = {t.rhs: t.labels[0] for terms in blocks.values() for t in terms if t.labels}
    items = tuple(item for block in items_of.values() for item in block)
    design = Design(
        constructs=names,
        modes=tuple(_mode(items_of[name], blocks.get(name)) for name in names),
        items=items,
        home=np.repeat(np.arange(len(names)), [len(block) for block in items_of.values()]),
        paths=paths,
        item_labels=tuple(labels.get(item, "") for item in items),
        definitions=syntax.definitions,
        text=text,
    )
    _ = design.chains  # refuses too many
    return design


def _items(
    syntax: Syntax, blocks: dict[str, list[Term]], arrows: list[Term]
) -> dict[str, list[str]]:
    """Return the items of each construct; a name in a path that measures nothing is its item."""
    items = {name: [term.rhs for term in terms] for name, terms in blocks.items()}
    measured = {term.rhs for terms in blocks.values() for term in terms}
    for term in arrows:
        for name in (term.lhs, term.rhs):
            if name not in items and name in measured:
                raise syntax.error(term, f"{name!r} is an item, and stands in a path too")
            items.setdefault(name, [name])
    return items


def _mode(items: list[str], terms: list[Term] | None) -> str:
    if len(items) == 1 or terms is None:
        return "single"
    return "A" if terms[0].op == "=~" else "B"


def _check_terms(syntax: Syntax) -> None:
    """Raise at what PLS has no use for."""
    labelled: dict[str, Term] = {}
    for term in syntax.terms:
        if reason := _unusable(term):
            raise syntax.error(term, reason)
        for label in term.labels:
            other = labelled.setdefault(label, term)
            if other is not term:
                raise syntax.error(
                    term, f"{_quoted(term)} shares a label with {_quoted(other)}; PLS cannot hold "
                    "parameters equal"
                )  # fmt: skip
    for constraint in syntax.constraints:
        raise CxError(
            f"line {constraint.line}: a constraint ({constraint.op}); PLS has none, see "
            "defined parameters (:=)"
        )


def _unusable(term: Term) -> str:
    """Return why PLS has no use for a term; empty if it has."""
    if term.op == "~~":
        return f"{_quoted(term)}: PLS has no covariances as parameters"
    if term.op == "~1":
        return f"'{term.lhs} ~ 1': PLS has no intercepts"
    if term.fixed or term.start:
        value = "a fixed value" if term.fixed else "a starting value"
        return f"{_quoted(term)} has {value}; PLS takes labels only"
    if len(term.labels) > 1:
        return f"{_quoted(term)} has labels for groups; see compare_groups"
    return ""


def _quoted(term: Term) -> str:
    return f"'{term.lhs} {term.op} {term.rhs}'"


def _blocks(syntax: Syntax) -> dict[str, list[Term]]:
    """Return the measurement terms of each construct."""
    blocks: dict[str, list[Term]] = {}
    homes: dict[str, Term] = {}
    for term in syntax.terms:
        if term.op not in ("=~", "<~"):
            continue
        block = blocks.setdefault(term.lhs, [])
        if block and block[0].op != term.op:
            raise syntax.error(term, f"{term.lhs!r} is both reflective (=~) and formative (<~)")
        if term.rhs in homes:
            reason = f"item {term.rhs!r} belongs to {homes[term.rhs].lhs!r} and {term.lhs!r}"
            raise syntax.error(term, f"{reason}; allowed: one construct; {HIGHER_ORDER}")
        homes[term.rhs] = term
        block.append(term)
    for name, term in homes.items():
        if name in blocks:
            reason = f"{name!r} is a construct and an item of {term.lhs!r}"
            raise syntax.error(term, f"{reason}; {HIGHER_ORDER}")
    return blocks


def _ordered(names: tuple[str, ...], paths: tuple[Path, ...]) -> tuple[int, ...]:
    """Return constructs, causes before effects.

    Raises
    ------
    CxError
        Naming the constructs of a loop.
    """
    remaining, order = list(range(len(names))), []
    while remaining:
        effects = {path.end for path in paths if path.start in remaining}
        exogenous = [j for j in remaining if j not in effects]
        if not exogenous:
            loop = " → ".join(names[j] for j in _loop(remaining, paths))
            raise CxError(f"the paths run in a circle: {loop}; PLS needs a recursive model")
        order += exogenous
        remaining = [j for j in remaining if j in effects]
    return tuple(order)


def _loop(remaining: list[int], paths: tuple[Path, ...]) -> list[int]:
    """Walk against the arrows until a construct comes back."""
    walk = [remaining[0]]
    while walk.count(walk[-1]) == 1:
        walk.append(next(p.start for p in paths if p.end == walk[-1] and p.start in remaining))
    return walk[walk.index(walk[-1]) :][::-1]
