"""Pairwise comparison matrices: how they are read, their eigenvector, their contradictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError
from cxstats.survey.answers import as_pandas

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
    """Every judgement against what the others imply for its pair; arrays (pairs,).

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
    """Set every judgement of a matrix (k, k) against what the others imply for its pair.

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


def read(judgements: Any, names: Sequence[str] | None) -> Judgements:
    """Read one judge's comparisons, or several judges'; see `cxstats.ahp` for what is allowed."""
    several = _several(judgements)
    parts = several if several is not None else {"": judgements}
    if not parts:
        raise DataError("no judgements: at least one judge is needed")
    found: list[Array] = []
    if isinstance(names, str):
        raise DataError(f"names is {names!r}; allowed: a list of components")
    known, rounded = tuple(map(str, names)) if names is not None else None, 0
    _refuse_twice(known or (), "names: ")
    for judge, one in parts.items():
        where = f"judge {judge!r}: " if several is not None else ""
        own, raw = _square(one, known, where)
        _refuse_twice(own, where)
        if known is not None and sorted(own) != sorted(known):
            raise DataError(f"{where}compares {', '.join(own)}; allowed: {', '.join(known)}")
        known = known or own
        order = [own.index(name) for name in known]
        matrix, more = _reciprocal(raw[np.ix_(order, order)], known, where)
        found.append(matrix)
        rounded += more
    assert known is not None
    return Judgements(known, tuple(map(str, parts)), np.stack(found), rounded)


def _refuse_twice(names: tuple[str, ...], where: str) -> None:
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
            return {str(i + 1): one for i, one in enumerate(judgements)}
    return None


def _square(one: Any, names: tuple[str, ...] | None, where: str) -> tuple[tuple[str, ...], Array]:
    """Return the components and a matrix, NaN where nothing is said."""
    if isinstance(one, Mapping):
        return _from_pairs(one, names, where)
    if hasattr(one, "columns"):
        own, rows = _from_table(one, where)
    else:
        rows = _rows(one, where)
        k = _size(rows, names, where)
        own = names or tuple(f"x{i + 1}" for i in range(k))
        if len(own) != k:
            raise DataError(f"{where}{len(own)} names for {k} components")
        rows = [[None] * (k - len(row)) + row for row in rows] + [[None] * k] * (k - len(rows))
    matrix = np.array(
        [[_number(cell, own[i], own[j], where) for j, cell in enumerate(row)]
         for i, row in enumerate(rows)]
    )  # fmt: skip
    return own, matrix


def _from_table(one: Any, where: str) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return the components and the cells of a square table.

    Tables without row names, as those of Polars, have rows in the order of the columns.
    """
    frame = as_pandas(one)
    own = tuple(map(str, frame.columns))
    if frame is one and list(own) != [str(row) for row in frame.index]:
        raise DataError(f"{where}rows and columns differ; allowed: the same names, same order")
    if len(frame) != len(own):
        raise DataError(f"{where}{len(frame)} rows and {len(own)} columns; allowed: as many")
    return own, frame.to_numpy(object).tolist()


def _rows(one: Any, where: str) -> list[list[Any]]:
    if isinstance(one, list | tuple | np.ndarray):
        rows = list(one)
        if all(isinstance(row, list | tuple) or getattr(row, "ndim", 0) for row in rows):
            return [list(row) for row in rows]
    raise DataError(
        f"{where}judgements are {one!r}; allowed: a square table, rows of numbers, or a mapping of "
        "(component, component) to number"
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
    own = names or tuple(dict.fromkeys(str(name) for pair in pairs for name in pair))
    matrix = np.full((len(own), len(own)), np.nan)
    for (first, second), value in pairs.items():
        for name in (first, second):
            if str(name) not in own:
                raise DataError(f"{where}{name!r} is not known; allowed: {', '.join(own)}")
        i, j = own.index(str(first)), own.index(str(second))
        matrix[i, j] = _number(value, own[i], own[j], where)
    return own, matrix


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
    for i, j in zip(*np.triu_indices(k, 1), strict=True):
        one, other = raw[i, j], raw[j, i]
        for a, b, value in ((i, j, one), (j, i, other)):
            if not np.isnan(value) and not 0 < value <= SCALE + 1e-9:
                raise DataError(
                    f"{where}row {names[a]!r}, column {names[b]!r}: {value:g}; allowed: 1/9 to 9"
                )
        if np.isnan(one) and np.isnan(other):
            raise DataError(f"{where}{names[i]!r} and {names[j]!r} are not compared")
        if not (np.isnan(one) or np.isnan(other)):
            if abs(one * other - 1) > ROUNDED:
                raise DataError(
                    f"{where}row {names[i]!r}, column {names[j]!r} is {one:g}, row {names[j]!r}, "
                    f"column {names[i]!r} is {other:g}; allowed: one the reciprocal of the other"
                )
            rounded += abs(one * other - 1) > 1e-9
            one, other = (one, np.nan) if one >= other else (np.nan, other)
        value = 1 / other if np.isnan(one) else one
        least = 1 / SCALE * (1 - ROUNDED)  # 0.11 is 1/9, rounded
        if value < least:
            raise DataError(
                f"{where}row {names[i]!r}, column {names[j]!r}: {value:g}; allowed: 1/9 to 9"
            )
        matrix[i, j], matrix[j, i] = value, 1 / value
    return matrix, int(rounded)
