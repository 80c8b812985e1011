"""Constructs whose items are constructs: in two stages, or with items repeated.

Two stages (disjoint): a first model has the dimensions in the place of the higher-order construct,
each with all its paths; their scores are the items of the higher-order construct in the second.
Repeated indicators: the higher-order construct has all items of its dimensions again, and paths
join it to them.

References
----------
Wold (1982), on repeated indicators. Becker, Klein & Wetzels (2012). Hierarchical latent variable
models in PLS-SEM. Long Range Planning 45(5-6), 359-394. Becker, Cheah, Gholamzade, Ringle &
Sarstedt (2023). PLS-SEM's most wanted guidance. International Journal of Contemporary Hospitality
Management 35(1), 321-346.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from cxstats.core.errors import CxError
from cxstats.models.pls.specification import Arrow, Specification

METHODS = ("two-stage", "repeated")


class HigherOrder(NamedTuple):
    """A construct of constructs.

    Attributes
    ----------
    name : str
    dimensions : tuple of str
    formative : bool
        Whether the dimensions form it (``<~``).
    method : str
        One of `METHODS`.
    """

    name: str
    dimensions: tuple[str, ...]
    formative: bool
    method: str


def with_dimensions(specification: Specification, higher: tuple[HigherOrder, ...]) -> Specification:
    """Return the model of the first stage: dimensions with the paths of their construct.

    An item among dimensions is a construct of one item there.

    Examples
    --------
    >>> items = {"A": ("a1", "a2"), "H": ("A", "b"), "Y": ("y",)}
    >>> model = Specification(items, frozenset(), (Arrow("Y", "H"),), {})
    >>> first = with_dimensions(model, (HigherOrder("H", ("A", "b"), False, "two-stage"),))
    >>> first.items, [arrow[:2] for arrow in first.arrows]
    ({'A': ('a1', 'a2'), 'Y': ('y',), 'b': ('b',)}, [('Y', 'A'), ('Y', 'b')])
    """
    stand_in = {construct.name: construct.dimensions for construct in higher}
    items = {name: block for name, block in specification.items.items() if name not in stand_in}
    for construct in higher:
        for dimension in construct.dimensions:
            items.setdefault(dimension, (dimension,))
    arrows = [
        Arrow(effect, cause)
        for arrow in specification.arrows
        for effect, cause in product(
            stand_in.get(arrow.lhs, (arrow.lhs,)), stand_in.get(arrow.rhs, (arrow.rhs,))
        )
    ]
    return specification._replace(items=items, arrows=tuple(arrows))


def with_repeated_items(
    specification: Specification, higher: tuple[HigherOrder, ...]
) -> Specification:
    """Return the model in which higher-order constructs have the items of their dimensions.

    A reflective one points at its dimensions. Of a formative one the dimensions are the causes;
    they explain it nearly whole, so nothing is left for another predecessor, whose paths go to the
    dimensions instead; its effect is the total effect (Becker, Klein & Wetzels 2012).

    Raises
    ------
    CxError
        At the label of a path to a formative construct, which is no single path any more.
    """
    items, arrows, labels = dict(specification.items), list(specification.arrows), {}
    formed = {construct.name for construct in higher if construct.formative}
    for construct in higher:
        for dimension in construct.dimensions:
            items.setdefault(dimension, (dimension,))
    for name, dimensions, formative, _ in higher:
        if formative:
            arrows = [part for arrow in arrows for part in _to_dimensions(arrow, name, dimensions)]
        items[name] = tuple(item for dimension in dimensions for item in items[dimension])
        arrow_labels = [specification.labels.get((name, dimension), "") for dimension in dimensions]
        ends = zip(dimensions, arrow_labels, strict=True)
        arrows += [Arrow(name, d, text) if formative else Arrow(d, name, text) for d, text in ends]
    labels = {
        pair: text for pair, text in specification.labels.items()
        if pair[0] not in {construct.name for construct in higher}
    }  # fmt: skip
    formative_constructs = specification.formative | formed
    return Specification(items, formative_constructs, tuple(dict.fromkeys(arrows)), labels)


def _to_dimensions(arrow: Arrow, name: str, dimensions: tuple[str, ...]) -> list[Arrow]:
    """Return a path, or those that take its place because it leads to a formative construct."""
    if arrow.lhs != name:
        return [arrow]
    if arrow.label:
        raise CxError(
            f"'{arrow.lhs} ~ {arrow.label}*{arrow.rhs}': with higher_order='repeated' the effect "
            f"on {name!r}, which is formative, runs through its dimensions, so there is no such "
            "path to label; take the label away, or higher_order='two-stage'"
        )
    return [Arrow(dimension, arrow.rhs) for dimension in dimensions]
