"""Weights from a table of units by criteria: what tells the units apart weighs more.

They say nothing of what matters to customers: a criterion on which all branches are equal weighs
nothing, however much it matters. Beside stated or derived weights they show which criteria can
move a ranking at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import both
from cxstats.core.messages import row_name
from cxstats.survey.answers import numbers
from cxstats.survey.coding import by_codebook
from cxstats.weighting.result import Weights, closed, weight_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DIRECTIONS = ("benefit", "cost")
ALIKE = 1e-12  # 1 - r below which two criteria are one
MOST_LEFT_OUT = 200  # units up to which each is left out in turn: n tables of n rows


def entropy(matrix: Array, cost: NDArray[np.bool_]) -> Array:
    """Return Shannon entropy weights of matrices (..., n, k), as (..., k).

    ``p_ij = x_ij / sum_i x_ij``, ``e_j = -sum_i p_ij ln p_ij / ln n``,
    ``w_j = (1 - e_j) / sum(1 - e)``; a cost enters as ``min_i x_ij / x_ij``.

    References
    ----------
    Shannon (1948); Hwang & Yoon (1981). Multiple attribute decision making, section 3.2.

    Examples
    --------
    >>> entropy(np.array([[1.0, 2], [1, 6]]), np.array([False, False])).tolist()
    [0.0, 1.0]
    """
    least = matrix.min(axis=-2, keepdims=True)
    value = np.where(cost, least / np.where(cost, matrix, 1), matrix)
    p = value / value.sum(axis=-2, keepdims=True)
    logs = np.log(np.where(p > 0, p, 1))
    spread = 1 + (p * logs).sum(axis=-2) / np.log(matrix.shape[-2])
    # A criterion without variation has a spread of some last bits.
    return closed(np.where(spread < 1e-14, 0, spread))


def critic(matrix: Array, cost: NDArray[np.bool_]) -> Array:
    """Return CRITIC weights of matrices (..., n, k), as (..., k).

    Criteria are scaled to 0-1, worst to best: ``C_j = s_j sum_l (1 - r_jl)``, ``w = C / sum C``,
    with the standard deviation s and the correlations r of the scaled criteria.

    References
    ----------
    Diakoulaki, Mavrotas & Papayannakis (1995). Determining objective weights in multiple criteria
    problems: the CRITIC method. Computers & Operations Research 22(7), 763-770.

    Examples
    --------
    >>> critic(np.array([[1.0, 9], [2, 1], [4, 2]]), np.array([False, False])).round(3).tolist()
    [0.483, 0.517]
    """
    low, high = matrix.min(axis=-2, keepdims=True), matrix.max(axis=-2, keepdims=True)
    scaled = (matrix - low) / (high - low)
    scaled = np.where(cost, 1 - scaled, scaled)
    centred = scaled - scaled.mean(axis=-2, keepdims=True)
    sd = np.sqrt((centred**2).mean(axis=-2))
    r = centred.swapaxes(-1, -2) @ centred / matrix.shape[-2] / (sd[..., None] * sd[..., None, :])
    # Criteria that rank and space the units alike differ by some last bits.
    conflict = np.where(1 - r < ALIKE, 0, 1 - r).sum(axis=-1)
    return closed(sd * conflict)


@by_codebook()
def entropy_weights(
    scores: Any,
    columns: Sequence[str] | None = None,
    *,
    directions: str | Mapping[str, str],
    codebook: Any = None,
) -> Weights:
    """Weigh criteria by the entropy of a table of units by criteria; see `entropy`.

    Parameters
    ----------
    scores : table
        One row per unit (branch, channel, competitor); values from 0 upwards, with a zero that
        means none: on a scale such as 1-7 the weights depend on where the scale begins.
    columns : sequence of str, optional
        The criteria; without them, every column.
    directions : "benefit", "cost", or mapping of criterion to one of them
        Whether much is good. It has to be said.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes and direction; that its sampling design is left out the notes
        say.

    Returns
    -------
    Weights
        Without intervals, since units are not sampled; ``leave_one_out_min`` and
        ``leave_one_out_max`` are the smallest and largest weight when any one unit is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"sales": [10, 20, 40], "waiting": [5.0, 5.5, 6.0]})
    >>> weights = entropy_weights(frame, directions={"sales": "benefit", "waiting": "cost"})
    >>> round(weights["sales"], 3)
    0.981
    """
    table = _read(scores, columns, directions)
    _check_positive(table)
    return _weigh(table, "entropy", entropy)


@by_codebook()
def critic_weights(
    scores: Any,
    columns: Sequence[str] | None = None,
    *,
    directions: str | Mapping[str, str],
    codebook: Any = None,
) -> Weights:
    """Weigh criteria by contrast and conflict (CRITIC); see `critic`.

    Parameters and result as `entropy_weights`; any scale will do, but no criterion may be
    constant.
    """
    table = _read(scores, columns, directions)
    if len(table.values) < 3:
        raise DataError(f"{len(table.values)} units; CRITIC needs correlations of 3 or more")
    flat = np.flatnonzero(np.ptp(table.values, axis=0) == 0)
    if len(flat):
        raise DataError(
            f"column {table.names[flat[0]]!r} is {table.values[0, flat[0]]:g} for every unit; "
            "CRITIC needs criteria that vary"
        )
    return _weigh(table, "critic", critic)


@dataclass(frozen=True, slots=True, eq=False)
class Criteria:
    """A table of units by criteria.

    Attributes
    ----------
    names : tuple of str
    values : array (n, k)
    cost : array (k,)
        Whether little is good.
    rows : pandas.Index
        The units.
    synthetic : bool
    """

    names: tuple[str, ...]
    values: Array
    cost: NDArray[np.bool_]
    rows: pd.Index
    synthetic: bool


def _read(
    scores: Any, columns: Sequence[str] | None, directions: str | Mapping[str, str]
) -> Criteria:
    """Return the units by criteria, checked."""
    frame = as_pandas(scores)
    if isinstance(columns, str) or not isinstance(columns, Iterable | None):
        raise CxError(f"columns is {columns!r}; allowed: a list of columns")
    names = tuple(frame.columns if columns is None else columns)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise CxError(f"columns: {twice[0]!r} is named twice")
    if len(names) < 2 or len(frame) < 2:
        raise DataError(
            f"{len(frame)} units and {len(names)} criteria; at least 2 of each are needed"
        )
    ways = _directions(directions, names)
    values = np.column_stack([numbers(frame, name) for name in names])
    missing = np.argwhere(np.isnan(values))
    if len(missing):
        i, j = missing[0]
        raise DataError(
            f"{row_name(frame.index, i)}, column {names[j]!r}: no value; every unit needs every "
            f"criterion ({len(missing)} missing)"
        )
    cost = np.array([ways[name] == "cost" for name in names])
    return Criteria(names, values, cost, frame.index, bool(frame.attrs.get("synthetic")))


def _directions(directions: str | Mapping[str, str], names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the direction of each criterion."""
    if not isinstance(directions, str) and not hasattr(directions, "items"):
        raise CxError(
            f"directions is {directions!r}; allowed: {', '.join(DIRECTIONS)}, or a mapping of "
            "criterion to one of them"
        )
    ways = dict.fromkeys(names, directions) if isinstance(directions, str) else dict(directions)
    for name in names:
        if ways.get(name) not in DIRECTIONS:
            raise CxError(
                f"directions: {name!r} has {ways.get(name)!r}; allowed: {', '.join(DIRECTIONS)}"
            )
    for name in ways:
        if name not in names:
            raise CxError(
                f"directions: {name!r} is no criterion; there are: {', '.join(map(str, names))}"
            )
    return ways


def _check_positive(table: Criteria) -> None:
    """Raise if a value has no share of the sum of its criterion."""
    bad = np.argwhere((table.values < 0) | ((table.values == 0) & table.cost))
    if len(bad):
        i, j = bad[0]
        allowed = "above 0 for a cost" if table.cost[j] else "0 upwards"
        raise DataError(
            f"row {table.rows[i]!r}, column {table.names[j]!r}: {table.values[i, j]:g}; entropy "
            f"weights are of shares, allowed: {allowed}"
        )
    empty = np.flatnonzero(table.values.sum(axis=0) == 0)
    if len(empty):
        raise DataError(f"column {table.names[empty[0]]!r} is 0 for every unit: it has no shares")
    if (np.ptp(table.values, axis=0) == 0).all():
        raise DataError("no criterion varies between the units, so none tells them apart")


def _weigh(
    table: Criteria, method: str, function: Callable[[Array, NDArray[np.bool_]], Array]
) -> Weights:
    n, k = table.values.shape
    with np.errstate(invalid="ignore"):
        weight = function(table.values, table.cost)
    if not np.isfinite(weight).all():
        raise DataError(
            f"{', '.join(map(repr, table.names))} correlate with 1: they do not conflict, so "
            f"{method.upper()} has no weights; leave out those that repeat another"
        )
    low, high = np.full((2, k), np.nan)
    notes = [both("weighting.note.units")]
    if 3 < n <= MOST_LEFT_OUT:
        others = np.nonzero(~np.eye(n, dtype=bool))[1].reshape(n, n - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            without = function(table.values[others], table.cost)
        defined = np.isfinite(without).all(axis=1)
        if defined.any():
            low, high = without[defined].min(axis=0), without[defined].max(axis=0)
        if not defined.all():
            unit = table.rows[np.flatnonzero(~defined)[0]]
            notes.append(both("weighting.note.without_unit", unit=unit))
    rows = weight_table(
        table.names, weight, method, n, leave_one_out_min=low, leave_one_out_max=high,
        direction=np.where(table.cost, "cost", "benefit"),
    )  # fmt: skip
    basis = both(f"weighting.basis.{method}", n=n)
    return Weights(rows, method, basis, n, 0.95, 0, 0, table.synthetic, tuple(notes))
