"""Products of constructs: what ``Y ~ X + Z + X:Z`` means.

References
----------
Chin, Marcolin & Newsted (2003). A partial least squares latent variable modeling approach for
measuring interaction effects. Information Systems Research 14(2), 189-217 (product indicators).
Henseler & Chin (2010). A comparison of approaches for the analysis of interaction effects between
latent variables using partial least squares path modeling. Structural Equation Modeling 17(1),
82-109 (two stages; orthogonal products).
"""

from __future__ import annotations

from typing import NamedTuple

from cxstats.models.pls.specification import Specification
from cxstats.models.sem.syntax import Syntax, Term

METHODS = ("two-stage", "product", "orthogonal")


class Interaction(NamedTuple):
    """The product of two constructs.

    Attributes
    ----------
    name : str
        As first written, ``X:Z``.
    first, second : str
        The predictor and the moderator; the same construct twice is its square.
    method : str
        One of `METHODS`.
    """

    name: str
    first: str
    second: str
    method: str


class ProductItem(NamedTuple):
    """An item of an interaction.

    Attributes
    ----------
    name : str
    first, second : str
        What is multiplied: constructs of the first stage, or items.
    cleared_of : tuple of str
        Items that the product is made orthogonal to; none, unless that was asked for.
    """

    name: str
    first: str
    second: str
    cleared_of: tuple[str, ...]


def interactions_of(syntax: Syntax, method: str) -> tuple[tuple[Interaction, ...], dict[str, str]]:
    """Return the interactions of a model, and the name of each by every way it is written.

    Raises
    ------
    ModelSyntaxError
        At a product of more than two, an interaction that is not a predictor, and one whose
        constructs do not stand beside it.
    """
    interactions: dict[tuple[str, ...], Interaction] = {}
    names: dict[str, str] = {}
    for term in syntax.terms:
        for text in (term.lhs, *term.labels):
            if ":" in text:
                raise syntax.error(
                    term, f"'{text}': an interaction stands on the right of '~' only"
                )
        if ":" not in term.rhs:
            continue
        factors = tuple(term.rhs.split(":"))
        _check_place(syntax, term, factors)
        key = tuple(sorted(factors))
        interactions.setdefault(key, Interaction(term.rhs, factors[0], factors[1], method))
        names[term.rhs] = interactions[key].name
    return tuple(interactions.values()), names


def _check_place(syntax: Syntax, term: Term, factors: tuple[str, ...]) -> None:
    """Raise at an interaction that is none of two predictors that stand beside it."""
    if term.op != "~":
        raise syntax.error(term, f"'{term.rhs}': an interaction stands on the right of '~' only")
    if len(factors) > 2:
        raise syntax.error(
            term, f"'{term.rhs}' is a product of {len(factors)}; allowed: two constructs, as in "
            f"{factors[0]}:{factors[1]}"
        )  # fmt: skip
    if term.lhs in factors:
        raise syntax.error(
            term, f"'{term.rhs}' has {term.lhs!r} in it, which it explains; allowed: predictors"
        )  # fmt: skip
    beside = {other.rhs for other in syntax.terms if other.op == "~" and other.lhs == term.lhs}
    if missing := [factor for factor in factors if factor not in beside]:
        raise syntax.error(
            term, f"'{term.rhs}' stands without {missing[0]!r}: without it the product takes its "
            f"effect over; write '{term.lhs} ~ {' + '.join(dict.fromkeys(factors))} + {term.rhs}'"
        )  # fmt: skip


def product_items(
    specification: Specification, interactions: tuple[Interaction, ...]
) -> dict[str, tuple[ProductItem, ...]]:
    """Return the items of each interaction.

    In two stages it is the product of two scores; otherwise every product of an item of the
    first construct and one of the second.
    """
    items: dict[str, tuple[ProductItem, ...]] = {}
    for name, first, second, method in interactions:
        if method == "two-stage":
            items[name] = (ProductItem(name, first, second, ()),)
            continue
        blocks = specification.items[first], specification.items[second]
        cleared = tuple(dict.fromkeys((*blocks[0], *blocks[1]))) if method == "orthogonal" else ()
        items[name] = tuple(
            ProductItem(f"{a}:{b}", a, b, cleared) for a in blocks[0] for b in blocks[1]
        )
    return items
