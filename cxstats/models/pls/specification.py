"""A PLS path model before it is fitted: items of constructs, and arrows between them, by name."""

from __future__ import annotations

from typing import NamedTuple


class Arrow(NamedTuple):
    """A path as written: effect, cause, and its label ("" for none)."""

    lhs: str
    rhs: str
    label: str = ""


class Specification(NamedTuple):
    """What a model says.

    Attributes
    ----------
    items : dict of str to tuple of str
        The items of each construct, in the order of the text.
    formative : frozenset of str
        The constructs in mode B.
    arrows : tuple of Arrow
        The inner model.
    labels : dict of (str, str) to str
        Labels of items, by construct and item.
    """

    items: dict[str, tuple[str, ...]]
    formative: frozenset[str]
    arrows: tuple[Arrow, ...]
    labels: dict[tuple[str, str], str]

    def only(self, constructs: set[str]) -> Specification:
        """Return the model of some constructs, with the arrows between them."""
        return self._replace(
            items={name: items for name, items in self.items.items() if name in constructs},
            arrows=tuple(a for a in self.arrows if {a.lhs, a.rhs} <= constructs),
        )
