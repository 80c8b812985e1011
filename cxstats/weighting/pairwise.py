"""Pairwise comparison matrices: how they are read, their eigenvector, their contradictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SCALE = 9.0  # Saaty's scale runs from 1/9 to 9
# How far a_ij a_ji may be from 1: 1/8 written .13 gives 1.04. The side above 1 is then taken.
ROUNDED = 0.05
# Mean consistency index of random reciprocal matrices of 1, 2, 3, ... components.
# Saaty (1980). The analytic hierarchy process, p. 21.
RANDOM_INDEX = (0, 0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """Judgements of one or several judges.

    Attributes
    ----------
    names : tuple of str
        The k components.
    judges : tuple of str
    matrices : array (judges, k, k)
        Positive and reciprocal, 1 on the diagonal.
    rounded : int
        Pairs whose two sides were reciprocal only up to rounding.
    """

    names: tuple[str, ...]
    judges: tuple[str, ...]
    matrices: Array
    rounded: int


@dataclass(frozen=True, slots=True, eq=False)
class Contradictions:
    """Every judgement beside what the others imply for its pair; arrays (pairs,).

    Attributes
    ----------
    first, second
        Places of the pair.
    ratio
        ``a_ij w_j / w_i``: 1 where the judgement is what the weights say.
    implied
        The judgement that agrees best with the others: ``w_i / w_j`` of the matrix without it
        (0 in its two places, 1 added to the two diagonal ones; Harker 1987).
    after
        lambda_max with the implied judgement in place of the given one.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    ratio: Array
    implied: Array
    after: Array


def principal(matrices: Array) -> tuple[Array, Array]:
    """Return the principal eigenvectors (..., k), summing to 1, and eigenvalues (...).

    Of positive (or primitive) matrices (..., k, k), whose largest eigenvalue is real and whose
    eigenvector has one sign (Perron).

    Examples
    --------
    >>> vector, value = principal(np.array([[1, 2, 4], [0.5, 1, 2], [0.25, 0.5, 1]]))
    >>> vector.round(4).tolist(), round(float(value), 10)
    ([0.5714, 0.2857, 0.1429], 3.0)
    """
    values, vectors = np.linalg.eig(matrices)
    top = values.real.argmax(axis=-1)
    vector = np.take_along_axis(vectors, top[..., None, None], axis=-1)[..., 0].real
    value = np.take_along_axis(values.real, top[..., None], axis=-1)[..., 0]
    return vector / vector.sum(axis=-1, keepdims=True), value


def row_means(matrices: Array) -> Array:
    """Return the geometric means of the rows, scaled to sum to 1: the log least-squares weights.

    References
    ----------
    Crawford & Williams (1985). A note on the analysis of subjective judgment matrices. Journal of
    Mathematical Psychology 29, 387-405.
    """
    means = np.exp(np.log(matrices).mean(axis=-1))
    return np.asarray(means / means.sum(axis=-1, keepdims=True))


def consistency_index(value: Array, k: int) -> Array:
    """Return ``CI = (lambda_max - k) / (k - 1)``; 0 for fewer than three components."""
    return np.maximum(value - k, 0) / (k - 1) if k > 2 else np.zeros_like(value)


def consistency_ratio(value: Array, k: int) -> Array:
    """Return ``CR = CI / RI``; 0 below three components, NaN above fifteen, which have no RI.

    Examples
    --------
    >>> round(float(consistency_ratio(np.array(9.669), 8)), 3)
    0.169
    """
    if k < 3:
        return np.zeros_like(value)
    if k > len(RANDOM_INDEX):
        return np.full_like(value, np.nan)
    return consistency_index(value, k) / RANDOM_INDEX[k - 1]


def contradictions(matrix: Array) -> Contradictions:
    """Compare every judgement of a matrix (k, k) with what the others imply for its pair.

    References
    ----------
    Saaty (2003). Decision-making with the AHP: why is the principal eigenvector necessary.
    European Journal of Operational Research 145, 85-91.
    Harker (1987). Incomplete pairwise comparisons in the AHP. Mathematical Modelling 9, 837-848.
    """
    first, second = np.triu_indices(len(matrix), 1)
    weight = principal(matrix)[0]
    ratio = matrix[first, second] * weight[second] / weight[first]
    pair = np.arange(len(first))
    without = np.repeat(matrix[None], len(first), axis=0)
    without[pair, first, second] = without[pair, second, first] = 0
    without[pair, first, first] = without[pair, second, second] = 2
    vector = principal(without)[0] if len(matrix) > 2 else np.repeat(weight[None], len(pair), 0)
    implied = vector[pair, first] / vector[pair, second]
    replaced = np.repeat(matrix[None], len(first), axis=0)
    replaced[pair, first, second], replaced[pair, second, first] = implied, 1 / implied
    after = principal(replaced)[1]
    return Contradictions(first.astype(np.intp), second.astype(np.intp), ratio, implied, after)


def read_judgements(judgements: Any, names: Sequence[str] | None) -> Judgements:
    """Read one judge's comparisons, or several judges'; see `cxstats.ahp` for what is allowed."""
    several = _several(judgements)
    by_judge = several if several is not None else {"": judgements}
    if not by_judge:
        raise DataError("no judgements: at least one judge is needed")
    if isinstance(names, str):
        raise DataError(f"names is {names!r}; allowed: a list of components")
    components = tuple(map(str, names)) if names is not None else None
    _check_unique(components or (), "names: ")
    matrices: list[Array] = []
    rounded = 0
    for judge, comparisons in by_judge.items():
        where = f"judge {judge!r}: " if several is not None else ""
        compared, raw = _square(comparisons, components, where)
        _check_unique(compared, where)
        if components is not None and sorted(compared) != sorted(components):
            raise DataError(
                f"{where}compares {', '.join(compared)}; allowed: {', '.join(components)}"
            )
        components = components or compared
        order = [compared.index(name) for name in components]
        matrix, n_rounded = _reciprocal(raw[np.ix_(order, order)], components, where)
        matrices.append(matrix)
        rounded += n_rounded
    assert components is not None
    return Judgements(components, tuple(map(str, by_judge)), np.stack(matrices), rounded)


def _check_unique(names: tuple[str, ...], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{where}component {name!r} is named twice")


def _several(judgements: Any) -> Mapping[Any, Any] | None:
    """Return judge to judgements; None where there is one judge."""
    if isinstance(judgements, Mapping):
        if not judgements:
            raise DataError("no judgements: the mapping is empty")
        return None if all(isinstance(key, tuple) for key in judgements) else judgements
    if isinstance(judgements, np.ndarray) and judgements.ndim == 3:
        judgements = list(judgements)
    if isinstance(judgements, list | tuple) and judgements:
        first = judgements[0]
        table = getattr(first, "ndim", 0) == 2 or hasattr(first, "columns")
        inner = table or isinstance(first, Mapping)
        nested = isinstance(first, list | tuple) and bool(first)
        if inner or (nested and isinstance(first[0], list | tuple | np.ndarray)):
            return {str(i + 1): comparisons for i, comparisons in enumerate(judgements)}
    return None


def _square(
    comparisons: Any, names: tuple[str, ...] | None, where: str
) -> tuple[tuple[str, ...], Array]:
    """Return the components and a matrix, NaN where nothing is said."""
    if isinstance(comparisons, Mapping):
        return _from_pairs(comparisons, names, where)
    if hasattr(comparisons, "columns"):
        components, rows = _from_table(comparisons, where)
    else:
        rows = _rows(comparisons, where)
        k = _size(rows, names, where)
        components = names or tuple(f"x{i + 1}" for i in range(k))
        if len(components) != k:
            raise DataError(f"{where}{len(components)} names for {k} components")
        rows = [[None] * (k - len(row)) + row for row in rows] + [[None] * k] * (k - len(rows))
    matrix = np.array(
        [[_number(cell, components[i], components[j], where) for j, cell in enumerate(row)]
         for i, row in enumerate(rows)]
    )  # fmt: skip
    return components, matrix


def _from_table(comparisons: Any, where: str) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return the components and the cells of a square table.

    Tables without row names, as those of Polars, have rows in the order of the columns.
    """
    frame = as_pandas(comparisons)
    components = tuple(map(str, frame.columns))
    if frame is comparisons and list(components) != [str(row) for row in frame.index]:
        raise DataError(f"{where}rows and columns differ; allowed: the same names, same order")
    if len(frame) != len(components):
        raise DataError(f"{where}{len(frame)} rows and {len(components)} columns; allowed: as many")
    return components, frame.to_numpy(object).tolist()


def _rows(comparisons: Any, where: str) -> list[list[Any]]:
    if isinstance(comparisons, list | tuple | np.ndarray):
        rows = list(comparisons)
        if all(isinstance(row, list | tuple) or getattr(row, "ndim", 0) for row in rows):
            return [list(row) for row in rows]
    raise DataError(
        f"{where}judgements are {comparisons!r}; allowed: a square table, rows of numbers, or a "
        "mapping of (component, component) to number"
    )


def _size(rows: list[list[Any]], names: tuple[str, ...] | None, where: str) -> int:
    """Return how many components full rows, or those of an upper triangle, compare.

    Rows of 2 and 1 are a triangle of two components with the diagonal, or of three without it:
    only the names tell.
    """
    lengths = [len(row) for row in rows]
    m = len(rows)
    if m and lengths == list(range(m, 0, -1)):
        return m + 1 if names is not None and len(names) == m + 1 else m
    if m >= 2 and lengths == [m] * m:
        return m
    raise DataError(
        f"{where}rows of lengths {lengths}; allowed: a full square matrix, or its upper triangle "
        "with the diagonal (without it, give names)"
    )


def _from_pairs(
    pairs: Mapping[Any, Any], names: tuple[str, ...] | None, where: str
) -> tuple[tuple[str, ...], Array]:
    for key in pairs:
        if not isinstance(key, tuple) or len(key) != 2:
            raise DataError(f"{where}{key!r} is no pair; allowed: (component, component)")
    components = names or tuple(dict.fromkeys(str(name) for pair in pairs for name in pair))
    matrix = np.full((len(components), len(components)), np.nan)
    for (first, second), value in pairs.items():
        for name in (first, second):
            if str(name) not in components:
                raise DataError(f"{where}{name!r} is not known; allowed: {', '.join(components)}")
        i, j = components.index(str(first)), components.index(str(second))
        matrix[i, j] = _number(value, components[i], components[j], where)
    return components, matrix


def _number(cell: Any, row: str, column: str, where: str) -> float:
    """Return a judgement as a number; "1/3" is one, an empty cell is NaN."""
    if cell is None:
        return float("nan")
    try:
        value = float(Fraction(cell.replace(" ", ""))) if isinstance(cell, str) else float(cell)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise DataError(
            f"{where}row {row!r}, column {column!r}: {cell!r} is no judgement; allowed: 1/9 to 9"
        ) from error
    return value


def _reciprocal(raw: Array, names: tuple[str, ...], where: str) -> tuple[Array, int]:
    """Return the full reciprocal matrix, and how many pairs were so only up to rounding."""
    k = len(names)
    if k < 2:
        raise DataError(f"{where}{k} component; at least 2 are needed to compare")
    diagonal = np.diag(raw)
    for i in np.flatnonzero(~np.isnan(diagonal) & (np.abs(diagonal - 1) > 1e-9)):
        raise DataError(f"{where}row {names[i]!r}, column {names[i]!r}: {raw[i, i]:g}; allowed: 1")
    matrix, rounded = np.eye(k), 0
    for first, second in combinations(range(k), 2):
        value, is_rounded = _judgement(raw, first, second, names, where)
        rounded += is_rounded
        matrix[first, second], matrix[second, first] = value, 1 / value
    return matrix, rounded


def _judgement(
    raw: Array, i: int, j: int, names: tuple[str, ...], where: str
) -> tuple[float, bool]:
    """Return how much more important i is than j, and whether the two sides are so by rounding.

    Raises
    ------
    DataError
        If nothing is said, a side is off the scale, or the sides are not reciprocal.
    """
    upper, lower = float(raw[i, j]), float(raw[j, i])
    _check_scale(upper, names[i], names[j], where)
    _check_scale(lower, names[j], names[i], where)
    if np.isnan(upper) and np.isnan(lower):
        raise DataError(f"{where}{names[i]!r} and {names[j]!r} are not compared")
    miss = 0.0 if np.isnan(upper) or np.isnan(lower) else abs(upper * lower - 1)
    if miss > ROUNDED:
        raise DataError(
            f"{where}row {names[i]!r}, column {names[j]!r} is {upper:g}, row {names[j]!r}, "
            f"column {names[i]!r} is {lower:g}; allowed: one the reciprocal of the other"
        )
    # Of two sides the larger was rounded less.
    value = 1 / lower if np.isnan(upper) or lower > upper else upper
    least = 1 / SCALE * (1 - ROUNDED)  # 0.11 is 1/9, rounded
    if value < least:
        raise DataError(
            f"{where}row {names[i]!r}, column {names[j]!r}: {value:g}; allowed: 1/9 to 9"
        )
    return value, bool(miss > 1e-9)


def _check_scale(value: float, row: str, column: str, where: str) -> None:
    if not np.isnan(value) and not 0 < value <= SCALE + 1e-9:
        raise DataError(f"{where}row {row!r}, column {column!r}: {value:g}; allowed: 1/9 to 9")
