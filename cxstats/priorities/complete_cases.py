"""Answers that a method of drivers starts from: complete cases, and low and high answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError, DataError
from cxstats.survey.answers import numbers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Scale = tuple[float, float]
Cut = float | str | Mapping[str, float | str]

QUANTILES = {"tercile": 1 / 3, "quartile": 1 / 4, "quintile": 1 / 5, "decile": 1 / 10}
ALLOWED = f"allowed: a number, 'end', {', '.join(map(repr, QUANTILES))}, or a mapping"
FEWEST = 2  # respondents in a cell: one alone is fitted exactly and has no standard error


def check_names(names: Sequence[str], what: str) -> list[str]:
    """Return column names as a list, or refuse none, one text, or a name given twice."""
    if isinstance(names, str) or not len(names):
        raise CxError(f"{what} is {names!r}; allowed: a list of at least one column")
    for name in names:
        if list(names).count(name) > 1:
            raise CxError(f"{what}: {name!r} is given twice")
    return list(names)


def scales_of(scale: Scale | Mapping[str, Scale] | None, names: Sequence[str]) -> dict[str, Scale]:
    """Return the ends of the scale of each name, or refuse what is no (low, high)."""
    if scale is None:
        return {}
    given = scale if isinstance(scale, Mapping) else dict.fromkeys(names, scale)
    missing = [name for name in names if name not in given]
    if missing:
        raise CxError(f"scale has no ends for {missing[0]!r}")
    for name in names:
        ends = given[name]
        good = isinstance(ends, Sequence) and len(ends) == 2 and all(map(_is_number, ends))
        if not good or not ends[0] < ends[1]:
            raise CxError(f"scale of {name!r} is {ends!r}; allowed: (low, high), low below high")
    return {name: given[name] for name in names}


def complete_cases(
    frame: pd.DataFrame, columns: Sequence[str], scales: Mapping[str, Scale]
) -> tuple[Array, int]:
    """Return the complete rows of some columns (n, p) and how many were left out.

    Raises
    ------
    DataError
        Naming row and column of an answer that is no number or off its scale, or if fewer than
        two rows are complete.
    """
    parts = []
    for name in columns:
        values = numbers(frame, name)
        if name in scales:
            low, high = scales[name]
            off = np.flatnonzero((values < low) | (values > high))
            if len(off):
                raise DataError(
                    f"row {frame.index[off[0]]!r}, column {name!r}: {values[off[0]]:g} is off the "
                    f"scale; allowed: {low:g} to {high:g}"
                )
        parts.append(values)
    matrix = np.column_stack(parts)
    complete = ~np.isnan(matrix).any(axis=1)
    if complete.sum() < FEWEST:
        raise DataError(
            f"{complete.sum()} of {len(matrix)} rows have an answer in all of: {', '.join(columns)}"
        )
    return matrix[complete], int((~complete).sum())


def _is_number(value: object) -> bool:
    return (
        isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(float(value)))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Who is low and who is high on one driver, (n,) each, and the cuts."""

    low: Array
    high: Array
    low_cut: float
    high_cut: float


def cells_of(x: Array, name: str, low: Cut | None, high: Cut | None, scale: Scale | None) -> Cells:
    """Return who is low and who is high on a driver, or refuse a cell that is (nearly) empty.

    Parameters
    ----------
    x : array (n,)
        Answers.
    name : str
        The driver, for messages.
    low, high : number, "end", quantile, or mapping
        See `cxstats.priorities.penalty_reward.penalty_reward`.
    scale : (low, high) or None
        Ends of the answer scale.

    Raises
    ------
    DataError
        If an answer is low and high, or a cell has fewer than two respondents.
    CxError
        If a cut is no number, end or quantile.

    Examples
    --------
    >>> x = np.array([1.0, 2, 2, 3, 3, 4, 4, 5])
    >>> found = cells_of(x, "speed", 2, "quartile", None)
    >>> found.high_cut, found.low.sum().item(), found.high.sum().item()
    (4.0, 3.0, 3.0)
    """
    low_cut = _cut(x, name, low, "low", scale)
    high_cut = -_cut(-x, name, high, "high", scale)
    if not low_cut < high_cut:
        raise DataError(
            f"column {name!r}: answers up to {low_cut:g} are low and from {high_cut:g} high, so "
            "that an answer is both; allowed: low below high, with answers between"
        )
    is_low, is_high = x <= low_cut, x >= high_cut
    sizes = {"low": is_low.sum(), "middle": (~is_low & ~is_high).sum(), "high": is_high.sum()}
    for cell, size in sizes.items():
        if size < FEWEST:
            raise DataError(
                f"column {name!r}: {size} respondents are {cell} (low: up to {low_cut:g}, high: "
                f"from {high_cut:g}); at least {FEWEST} are needed in each cell"
            )
    return Cells(is_low.astype(float), is_high.astype(float), low_cut, high_cut)


def _cut(x: Array, name: str, rule: Cut | None, side: str, scale: Scale | None) -> float:
    """Return the cut of one side; for the high side of -x, so that both are the same rule."""
    if isinstance(rule, Mapping):
        if name not in rule:
            raise CxError(f"{side} has no cut for driver {name!r}")
        rule = rule[name]
    sign = 1 if side == "low" else -1
    if rule == "end" and scale is not None:
        return sign * float(scale[0] if side == "low" else scale[1])
    if rule == "end":
        raise CxError(f'{side}="end" needs scale=(low, high): the answers do not tell their ends')
    if isinstance(rule, str) and rule in QUANTILES:
        return float(np.quantile(x, QUANTILES[rule], method="inverted_cdf"))
    if rule is None or not _is_number(rule):
        raise CxError(f"{side} is {rule!r}; {ALLOWED}")
    return sign * float(rule)
