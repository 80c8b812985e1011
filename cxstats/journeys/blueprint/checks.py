"""What a blueprint lacks: layers without elements, actions without support, evidence nobody meets.

These are gaps of a blueprint that can be read; what cannot be read is an error of `read`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cxstats.journeys.blueprint.elements import LAYERS, Specification

FIRM = ("frontstage", "backstage", "support")


class Gap(NamedTuple):
    """One gap: which, in which layer, and the element; empty for a whole layer."""

    gap: str
    layer: str
    element: str


def gaps(blueprint: Specification) -> list[Gap]:
    """Return the gaps of a blueprint.

    - ``empty_layer``: a layer has no element.
    - ``isolated``: no flow of any kind touches the element.
    - ``evidence_without_contact``: no flow joins it with a customer action or the frontstage.
    - ``customer_without_contact``: no flow joins the customer action with another layer.
    - ``action_without_support``: no way along flows inside the firm, whatever their direction,
      leads from the frontstage action to the backstage or to support.
    - ``support_without_action``: no such way leads from a backstage or support element to the
      frontstage, and none to a customer action directly.

    All but the first need flows; without any they are left out.

    Examples
    --------
    >>> from cxstats.core.language import Text
    >>> from cxstats.journeys.blueprint.elements import Element, Flow
    >>> ask, greet, desk = (
    ...     Element(name, layer, Text(name, name))
    ...     for name, layer in (("ask", "customer"), ("greet", "frontstage"), ("desk", "evidence"))
    ... )
    >>> for gap in gaps(Specification((ask, greet, desk), (Flow("ask", "greet"),))):
    ...     print(*gap)
    empty_layer backstage
    empty_layer support
    action_without_support frontstage greet
    isolated evidence desk
    """
    present = {element.layer for element in blueprint.elements}
    missing = [Gap("empty_layer", layer, "") for layer in LAYERS if layer not in present]
    if not blueprint.flows:
        return missing
    layer = {element.id: element.layer for element in blueprint.elements}
    joined: dict[str, set[str]] = {name: set() for name in layer}
    for source, target in blueprint.pairs():
        joined[source].add(target)
        joined[target].add(source)
    reach = {name: _reach(name, joined, layer) for name in layer if layer[name] in FIRM}

    def lacks(name: str) -> str:
        beside = {layer[other] for other in joined[name]}
        if not joined[name]:
            return "isolated"
        if layer[name] == "evidence" and not beside & {"customer", "frontstage"}:
            return "evidence_without_contact"
        if layer[name] == "customer" and beside == {"customer"}:
            return "customer_without_contact"
        inside = {layer[other] for other in reach.get(name, ())}
        if layer[name] == "frontstage" and not inside & {"backstage", "support"}:
            return "action_without_support"
        if layer[name] in ("backstage", "support") and not (
            "frontstage" in inside
            or any(layer[near] == "customer" for other in reach[name] for near in joined[other])
        ):
            return "support_without_action"
        return ""

    checked = ((lacks(name), name) for name in layer)
    return [*missing, *(Gap(check, layer[name], name) for check, name in checked if check)]


def _reach(name: str, joined: dict[str, set[str]], layer: dict[str, str]) -> Iterable[str]:
    """Return the elements of the firm that flows inside it join with one, itself included."""
    reached, queue = {name}, [name]
    while queue:
        for other in sorted(joined[queue.pop()]):
            if other not in reached and layer[other] in FIRM:
                reached.add(other)
                queue.append(other)
    return reached
