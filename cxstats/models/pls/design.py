"""What a model's text means for PLS: blocks of items, and arrows between constructs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cxstats.core.errors import CxError
from cxstats.models.pls import higher_order as higher_orders
from cxstats.models.pls import interactions as products
from cxstats.models.pls.higher_order import HigherOrder
from cxstats.models.pls.interactions import Interaction, ProductItem
from cxstats.models.pls.specification import Arrow, Specification
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


HIGHER_ORDER = "a construct of constructs is a higher-order construct, written 'H =~ A + B'"


class Stages(NamedTuple):
    """The models that are fitted one after the other.

    Attributes
    ----------
    dimensions : Design or None
        That of the dimensions of higher-order constructs, whose scores are items from then on.
    main_effects : Design or None
        That without interactions, whose scores are multiplied.
    last : Design
    """

    dimensions: Design | None
    main_effects: Design | None
    last: Design


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
    columns : tuple of str
        The items that are columns of the data, each once.
    interactions : tuple of Interaction
    products : tuple of ProductItem
        The items of the interactions.
    higher_order : tuple of HigherOrder
    stages : Stages or None
        None for a model that is fitted at once, to its columns.
    """

    constructs: tuple[str, ...]
    modes: tuple[str, ...]
    items: tuple[str, ...]
    home: NDArray[np.intp]
    paths: tuple[Path, ...]
    item_labels: tuple[str, ...]
    definitions: tuple[Definition, ...]
    text: str
    columns: tuple[str, ...]
    interactions: tuple[Interaction, ...] = ()
    products: tuple[ProductItem, ...] = ()
    higher_order: tuple[HigherOrder, ...] = ()
    stages: Stages | None = None

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """The constructs that are dimensions of another."""
        dimensions = (name for construct in self.higher_order for name in construct.dimensions)
        return tuple(dict.fromkeys(dimensions))

    @property
    def derived(self) -> tuple[str, ...]:
        """The interactions and higher-order constructs."""
        return (*(x.name for x in self.interactions), *(x.name for x in self.higher_order))

    def distinct(self, i: int, j: int) -> bool:
        """Return whether two constructs are meant to differ: no products, none part of the other.

        Only then discriminant validity is a question.
        """
        pair = {self.constructs[i], self.constructs[j]}
        nested = any(
            construct.name in pair and pair & set(construct.dimensions)
            for construct in self.higher_order
        )
        return not nested and not pair & {interaction.name for interaction in self.interactions}

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


def read_design(
    text: str, interaction: str = "two-stage", higher_order: str = "two-stage"
) -> Design:
    """Read a PLS path model written in lavaan's syntax.

    ``Quality =~ q1 + q2`` is reflective (mode A), ``Price <~ p1 + p2`` formative (mode B),
    ``Loyalty ~ b*Quality`` a path, ``total := a*b`` a defined parameter. A name in a path that
    measures nothing is a construct of the one item of that name. ``Loyalty ~ X + Z + X:Z`` has an
    interaction; ``H =~ A + B`` of constructs is a higher-order construct.

    Parameters
    ----------
    text : str
    interaction, higher_order : str
        The methods, see `cx.pls`.

    Raises
    ------
    ModelSyntaxError
        With line and column, at what cannot be read or has no meaning in PLS: covariances,
        intercepts, fixed values, starts, shared labels, an item of two constructs, constructs of
        the third order, a path of a dimension, a product of three.
    CxError
        At an unknown method, constraints, a loop of paths, a construct without any, a model
        without paths, and one with too many chains of them.

    Examples
    --------
    >>> design = read_design("Quality =~ q1 + q2 ; Loyalty =~ l1 ; Loyalty ~ Quality")
    >>> design.constructs, design.modes, design.items
    (('Quality', 'Loyalty'), ('A', 'single'), ('q1', 'q2', 'l1'))
    """
    for name, method, allowed in (
        ("interaction", interaction, products.METHODS),
        ("higher_order", higher_order, higher_orders.METHODS),
    ):
        if method not in allowed:
            raise CxError(f"{name} is {method!r}; allowed: {', '.join(allowed)}")
    syntax = parse(text, interactions=True)
    _check_terms(syntax)
    interactions, names = products.interactions_of(syntax, interaction)
    blocks = _blocks(syntax)
    arrows = [term for term in syntax.terms if term.op == "~"]
    if not arrows:
        raise CxError("the model has no path between constructs; PLS needs one, such as 'y ~ x'")
    specification = Specification(
        _items(syntax, blocks, arrows, names),
        frozenset(name for name, terms in blocks.items() if terms[0].op == "<~"),
        tuple(
            Arrow(t.lhs, names.get(t.rhs, t.rhs), t.labels[0] if t.labels else "") for t in arrows
        ),
        {(t.lhs, t.rhs): t.labels[0] for terms in blocks.values() for t in terms if t.labels},
    )
    constructs = tuple(
        HigherOrder(name, dimensions, terms[0].op == "<~", higher_order)
        for name, terms in blocks.items()
        if any(t.rhs in blocks for t in terms) and (dimensions := tuple(t.rhs for t in terms))
    )
    _check_alone(syntax, specification, constructs)
    design = _staged(specification, interactions, constructs, syntax)
    _ = design.chains  # refuses too many
    return design


def _staged(
    specification: Specification,
    interactions: tuple[Interaction, ...],
    constructs: tuple[HigherOrder, ...],
    syntax: Syntax,
) -> Design:
    """Return the design of a model, with its stages if it has interactions or higher orders."""
    text, definitions = syntax.text, syntax.definitions
    plain = _design(specification, text, definitions)
    if not interactions and not constructs:
        return plain
    dimensions = main_effects = None
    repeated = any(construct.method == "repeated" for construct in constructs)
    if repeated:
        specification = higher_orders.with_repeated_items(specification, constructs)
    without = specification.only(set(specification.items) - {name for name, *_ in interactions})
    if constructs and not repeated:
        dimensions = _design(higher_orders.with_dimensions(without, constructs), text)
    items = products.product_items(specification, interactions)
    inner = {name for construct in constructs for name in construct.dimensions}
    upper = set(specification.items) - (set() if repeated else inner)
    if any(interaction.method == "two-stage" for interaction in interactions):
        # Scores are called as their constructs are, products of scores as the interaction.
        main_effects = _design(without.only(upper), text)
    specification.items.update(
        {name: tuple(item.name for item in block) for name, block in items.items()}
    )
    design = _design(specification, text, definitions)
    derived = {item.name for block in items.values() for item in block}
    if not repeated:
        derived |= inner & set(specification.items)
    return replace(
        design,
        columns=tuple(dict.fromkeys(item for item in design.items if item not in derived)),
        interactions=interactions,
        products=tuple(item for block in items.values() for item in block),
        higher_order=constructs,
        stages=Stages(dimensions, main_effects, _design(specification.only(upper), text)),
    )


def _design(
    specification: Specification, text: str, definitions: tuple[Definition, ...] = ()
) -> Design:
    """Return a design of one stage."""
    items_of, formative, arrows, labels = specification
    names = tuple(items_of)
    place = {name: j for j, name in enumerate(names)}
    paths = tuple(Path(place[lhs], place[rhs], label) for lhs, rhs, label in arrows)
    _ordered(names, paths)
    pairs = [(name, item) for name, block in items_of.items() for item in block]
    items = tuple(item for _, item in pairs)
    return Design(
        constructs=names,
        modes=tuple(
            "single" if len(block) == 1 else "B" if name in formative else "A"
            for name, block in items_of.items()
        ),
        items=items,
        home=np.repeat(np.arange(len(names)), [len(block) for block in items_of.values()]),
        paths=paths,
        item_labels=tuple(labels.get(pair, "") for pair in pairs),
        definitions=definitions,
        text=text,
        columns=tuple(dict.fromkeys(items)),
    )


def _check_alone(
    syntax: Syntax, specification: Specification, constructs: tuple[HigherOrder, ...]
) -> None:
    """Raise at a construct that is in no path and no dimension of another."""
    used = {name for arrow in specification.arrows for name in arrow[:2]}
    used |= {name for construct in constructs for name in construct.dimensions}
    alone = [name for name in specification.items if name not in used]
    if not alone:
        return
    reason = f"construct {alone[0]!r} is in no path; PLS weighs items by what it is for"
    for term in syntax.terms:
        if alone[0] in term.labels:
            reason += (
                f". In '{term.lhs} {term.op} {alone[0]}*{term.rhs}' it is a label; an interaction "
                f"is written '{term.lhs} ~ {alone[0]} + {term.rhs} + {alone[0]}:{term.rhs}'"
            )
            break
    raise CxError(reason)


def _items(
    syntax: Syntax, blocks: dict[str, list[Term]], arrows: list[Term], names: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the items of each construct; a name in a path that measures nothing is its item."""
    items = {name: tuple(term.rhs for term in terms) for name, terms in blocks.items()}
    measured = {term.rhs: term.lhs for terms in blocks.values() for term in terms}
    for term in arrows:
        for name in (term.lhs, term.rhs):
            if name in blocks and name in measured:
                raise syntax.error(
                    term, f"{name!r} is a dimension of {measured[name]!r}, and stands in a path "
                    f"too; allowed: paths of {measured[name]!r}"
                )  # fmt: skip
            if name in measured:
                raise syntax.error(term, f"{name!r} is an item, and stands in a path too")
            if name not in names:
                items.setdefault(name, (name,))
    for term in arrows:  # after all others, as in the text of a result
        if term.rhs in names:
            items.setdefault(names[term.rhs], (names[term.rhs],))
    return items


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
        if name in blocks and term.lhs in homes:
            above = homes[term.lhs].lhs
            reason = f"{name!r} is in {term.lhs!r}, and that in {above!r}"
            raise syntax.error(term, f"{reason}; allowed: constructs of the second order")
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
