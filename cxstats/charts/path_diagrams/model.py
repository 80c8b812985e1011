"""A table of parameters read as a path model: constructs, their items, arrows and covariances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    import pandas as pd

ARCS = 6  # more covariances of constructs than these stand in a table below the picture
COLUMNS = ("lhs", "op", "rhs", "estimate", "p_value", "std")


class Arrow(NamedTuple):
    """One parameter as an arrow; unknown numbers are NaN.

    ``kind`` is "path", "higher" (a construct measured by constructs), "item" (a loading beside
    its construct), "cross" (a second loading of an item), "arc" (a covariance of constructs) or
    "residual" (any other covariance).
    """

    kind: str
    start: str
    end: str
    value: float
    std: float
    p: float


@dataclass(frozen=True, slots=True)
class PathModel:
    """A model as it is drawn.

    Attributes
    ----------
    latents, nodes : tuple of str
        Latent variables; these and the observed variables that stand alone.
    homes : dict of str to tuple of str
        The items that stand beside each latent variable.
    arrows : tuple of Arrow
        All parameters that are drawn or listed.
    names : dict of str to str
        What variables are called; others have their own name.
    r_squared : dict of str to float
        Share of variance explained.
    alpha : float
        Below which p-value an arrow is significant.
    standardised : bool
        Whether values are standardised.
    group : str
        The group shown; empty if there is only one.
    n_groups : int
        How many groups the table has.
    """

    latents: tuple[str, ...]
    nodes: tuple[str, ...]
    homes: dict[str, tuple[str, ...]]
    arrows: tuple[Arrow, ...]
    names: dict[str, str]
    r_squared: dict[str, float]
    alpha: float
    standardised: bool
    group: str
    n_groups: int

    def of(self, *kinds: str) -> list[Arrow]:
        """Return the arrows of these kinds."""
        return [arrow for arrow in self.arrows if arrow.kind in kinds]

    def name(self, variable: str) -> str:
        """Return what a variable is called."""
        return self.names.get(variable, variable)

    def kind(self, arrow: Arrow) -> str:
        """Return what is known of an arrow: positive, negative, unclear, fixed or plain."""
        if isnan(arrow.std):
            return "plain"
        if isnan(arrow.p):
            return "fixed"
        if arrow.p >= self.alpha:
            return "unclear"
        return "positive" if arrow.std >= 0 else "negative"

    @property
    def tabulated(self) -> bool:
        """Whether the covariances of constructs are too many to be drawn as arcs."""
        return len(self.of("arc")) > ARCS

    @property
    def solved(self) -> bool:
        """Whether there is any standardised value."""
        return any(not isnan(arrow.std) for arrow in self.arrows)


def read_model(
    table: pd.DataFrame,
    r_squared: Mapping[str, float] | None,
    names: Mapping[str, str] | None,
    group: object,
    *,
    standardised: bool,
    alpha: float,
) -> PathModel:
    """Read a table of parameters.

    Raises
    ------
    CxError
        If columns are missing, the group is unknown, `alpha` is not between 0 and 1, or there is
        nothing to draw.
    """
    if not 0 < alpha < 1:
        raise CxError(f"alpha={alpha!r} is not allowed; allowed: between 0 and 1")
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise CxError(
            f"the table of parameters has no column {', '.join(missing)}; "
            f"needed: {', '.join(COLUMNS)}"
        )
    selected, groups = _group(table, group)
    rows = selected[selected["op"].isin(["=~", "~", "~~"])]
    if not len(rows[(rows["op"] != "~~") | (rows["lhs"] != rows["rhs"])]):
        raise CxError("the table of parameters has no loading, path or covariance to draw")
    latents, nodes, homes = _constructs(rows)
    arrows = _arrows(rows, nodes, homes, standardised)
    return PathModel(
        latents=latents,
        nodes=nodes,
        homes=homes,
        arrows=tuple(arrows),
        names={str(key): str(name) for key, name in (names or {}).items()},
        r_squared={str(key): float(r2) for key, r2 in (r_squared or {}).items() if not isnan(r2)},
        alpha=alpha,
        standardised=standardised,
        group=str(selected["group"].iloc[0]) if len(groups) > 1 else "",
        n_groups=len(groups),
    )


def _group(table: pd.DataFrame, group: object) -> tuple[pd.DataFrame, list[object]]:
    """Return the rows of one group, the first if none is asked for, and the names of all."""
    if not len(table):
        raise CxError("the table of parameters is empty, so there is no model to draw")
    if "group" not in table.columns:
        if group is not None:
            raise CxError(f"group={group!r}, but the table of parameters has no column group")
        return table, []
    # Parameters that belong to no group (":=") have none.
    rows = table[table["op"] != ":="]
    groups = list(dict.fromkeys(rows["group"].dropna()))
    if group is None:
        return (table[table["group"] == groups[0]], groups) if len(groups) > 1 else (table, groups)
    if group not in groups:
        allowed = ", ".join(repr(name) for name in groups)
        raise CxError(f"group={group!r} is not in the table of parameters; allowed: {allowed}")
    return table[table["group"] == group], groups


def _constructs(
    rows: pd.DataFrame,
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return latent variables, all constructs, and the items that stand beside them.

    An item of several latent variables stands beside the one with the fewest items, so that the
    special factors of a bifactor model keep theirs.
    """
    measured = rows[rows["op"] == "=~"]
    latents = tuple(dict.fromkeys(measured["lhs"].astype(str)))
    pairs = list(zip(measured["lhs"].astype(str), measured["rhs"].astype(str), strict=True))
    size = {name: sum(start == name for start, _ in pairs) for name in latents}
    home: dict[str, str] = {}
    for start, item in pairs:
        if item not in latents and (item not in home or size[start] < size[home[item]]):
            home[item] = start
    homes = {
        name: tuple(dict.fromkeys(i for s, i in pairs if s == name and home.get(i) == name))
        for name in latents
    }
    structural = rows[(rows["op"] != "=~") & (rows["lhs"] != rows["rhs"])]
    alone = (
        str(name)
        for pair in zip(structural["lhs"], structural["rhs"], strict=True)
        for name in pair
    )
    nodes = dict.fromkeys([*latents, *(name for name in alone if name not in home)])
    return latents, tuple(nodes), {name: items for name, items in homes.items() if items}


def _arrows(
    rows: pd.DataFrame,
    nodes: tuple[str, ...],
    homes: dict[str, tuple[str, ...]],
    standardised: bool,
) -> list[Arrow]:
    arrows = []
    columns = rows[["lhs", "op", "rhs", "estimate", "std", "p_value"]]
    for lhs, op, rhs, estimate, size, p in columns.itertuples(index=False):
        left, right = str(lhs), str(rhs)
        # A covariance fixed at 0 is no arrow.
        if op == "~~" and (left == right or (estimate == 0 and isnan(p))):
            continue
        both = left in nodes and right in nodes
        if op == "~~":
            kind, start, end = "arc" if both else "residual", left, right
        elif op == "~":
            kind, start, end = "path", right, left
        else:
            beside = right in homes.get(left, ())
            kind = "higher" if both else "item" if beside else "cross"
            start, end = left, right
        std = float(size)
        # Without a standardised value the fit has no solution, and its estimates mean nothing.
        value = std if standardised or isnan(std) else float(estimate)
        arrows.append(Arrow(kind, start, end, value, std, float(p)))
    return arrows
