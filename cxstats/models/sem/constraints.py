"""Equal labels and linear equations reduce the parameters; what is left binds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError
from cxstats.models.sem.bordered import Border
from cxstats.models.sem.expressions import Expression
from cxstats.models.sem.model import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Equations or bounds: left and right sides, or the larger and the smaller.
Pairs = tuple[tuple[Expression, Expression], ...]

STEP = 1e-20  # of complex-step derivatives: small enough to be exact, and nothing is subtracted


@dataclass(frozen=True, slots=True, eq=False)
class GroupReduction:
    """What is free of the parameters of one group.

    Attributes
    ----------
    rows : array (r,)
        Its parameters that are not fixed.
    columns : array (m,)
        The free parameters that they depend on.
    matrix : array (r, m)
        How.
    plain : bool
        Whether each of them is one of these: the matrix is that of identity.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    matrix: Array
    plain: bool


@dataclass(frozen=True, eq=False)
class Reduction:
    """All parameters x as a function of the q free ones, ``x = offset + matrix phi``.

    Attributes
    ----------
    model : Model
        Its definitions and constraints name parameters.
    offset : array (T,)
        T counts the parameters of all groups.
    matrix : array (T, q)
        Zero rows are fixed parameters.
    equations : tuple of (left, right)
        Equations that are not linear, to be met by the estimates.
    bounds : tuple of (larger, smaller)
        Inequalities.
    """

    model: Model
    offset: Array
    matrix: Array
    equations: Pairs
    bounds: Pairs

    @classmethod
    def of(cls, model: Model) -> Reduction:
        """Return the reduction of a model: equal labels joined, linear equations solved.

        Raises
        ------
        CxError
            If equations contradict each other.
        """
        offset, matrix = _by_label(model)
        plain = cls(model, offset, matrix, (), ())
        pairs = [(c.left, c.right) for c in model.constraints if c.op == "=="]
        bounds = tuple(
            (c.left, c.right) if c.op == ">" else (c.right, c.left)
            for c in model.constraints
            if c.op != "=="
        )
        bounds = tuple(pair for pair in bounds if not plain.settled(pair))
        linear, curved = [], []
        for pair in pairs:
            line = plain.line(pair)
            if line is None:
                curved.append(pair)
            else:
                linear.append((*line, pair))
        if linear:
            base, directions = _solve(linear, matrix.shape[1])
            offset, matrix = offset + matrix @ base, matrix @ directions
        return cls(model, offset, matrix, tuple(curved), bounds)

    @cached_property
    def groups(self) -> tuple[GroupReduction, ...]:
        """The reduction of each group: its part of the matrix without rows and columns of zeros."""
        by_group = []
        for matrix in np.split(self.matrix, self.model.n_groups):
            nonzero = matrix != 0
            rows, columns = np.flatnonzero(nonzero.any(axis=1)), np.flatnonzero(nonzero.any(axis=0))
            part = matrix[np.ix_(rows, columns)]
            plain = np.array_equal(part, np.eye(*part.shape))
            by_group.append(GroupReduction(rows, columns, part, plain))
        return tuple(by_group)

    @cached_property
    def active(self) -> NDArray[np.intp]:
        """Which parameters of a group are free in some group."""
        return np.unique(np.concatenate([group.rows for group in self.groups]))

    @cached_property
    def border(self) -> Border:
        """Which free parameters only one group has."""
        uses = np.zeros((self.model.n_groups, self.matrix.shape[1]), bool)
        for row, group in zip(uses, self.groups, strict=True):
            row[group.columns] = True
        return Border.of(uses)

    def nearest(self, x: Array) -> Array:
        """Return the free parameters (q,) whose parameters are nearest to x (T,)."""
        nonzero = self.matrix != 0
        gap = x - self.offset
        if (nonzero.sum(axis=1) > 1).any() or not nonzero.any(axis=0).all():
            return np.asarray(np.linalg.lstsq(self.matrix, gap, rcond=None)[0], float)
        # No parameter depends on two: the columns are orthogonal.
        out: Array = (gap @ self.matrix) / (self.matrix**2).sum(axis=0)
        return out

    def all(self, phi: Array) -> Array:
        """Return every parameter, (..., T)."""
        out: Array = self.offset + phi @ self.matrix.T
        return out

    def named(self, x: Array) -> dict[str, Array]:
        """Return what labels and definitions stand for, (...) each."""
        values: dict[str, Array] = {}
        for i, parameter in enumerate(self.model.parameters):
            if parameter.label:
                values.setdefault(parameter.label, x[..., i])
        for definition in self.model.definitions:
            values[definition.name] = definition.expression(values)
        return values

    def defined(self, x: Array) -> Array:
        """Return the defined parameters, (..., D)."""
        values = self.named(x)
        if not self.model.definitions:
            return np.zeros((*x.shape[:-1], 0), x.dtype)
        columns = [values[definition.name] for definition in self.model.definitions]
        return np.stack([np.broadcast_to(column, x.shape[:-1]) for column in columns], axis=-1)

    def gaps(self, pairs: Sequence[tuple[Expression, Expression]], phi: Array) -> Array:
        """Return left minus right of every pair, (..., k)."""
        x = self.all(phi)
        values = self.named(x)
        differences = [left(values) - right(values) for left, right in pairs]
        return np.stack(
            [np.broadcast_to(difference, phi.shape[:-1]) for difference in differences], axis=-1
        )

    def slopes(self, pairs: Sequence[tuple[Expression, Expression]], phi: Array) -> Array:
        """Return the derivatives of `gaps` at one point, (k, q)."""
        return complex_step(lambda point: self.gaps(pairs, point), phi)

    def settled(self, bound: tuple[Expression, Expression]) -> bool:
        """Return whether a bound names nothing that is free, and holds.

        Raises
        ------
        CxError
            If it names nothing free, and does not hold.
        """
        line = self.line(bound)
        if line is None or np.abs(line[0]).max(initial=0) > 0:
            return False
        if line[1] > 0:  # the gap is minus that
            larger, smaller = bound
            raise CxError(f"{larger.text} > {smaller.text} cannot hold: nothing in it is free")
        return True

    def line(self, pair: tuple[Expression, Expression]) -> tuple[Array, float] | None:
        """Return a and c of an equation ``a phi = c``; None if it is not linear."""
        q = self.matrix.shape[1]
        points = np.random.default_rng(0).uniform(-2, 2, (4, q))
        slopes = [self.slopes([pair], point)[0] for point in points]
        if not np.isfinite(slopes).all() or np.ptp(slopes, axis=0).max(initial=0) > 1e-9:
            return None
        return slopes[0], float(slopes[0] @ points[0] - self.gaps([pair], points[0])[0])


def complex_step(function, point: Array) -> Array:  # type: ignore[no-untyped-def]
    """Return the Jacobian (k, q) of a function of (..., q) at one point, to machine precision.

    ``df/dx = Im f(x + i h) / h``: nothing is subtracted, so h can be tiny (Squire & Trapp 1998).
    """
    batch = point + 1j * STEP * np.eye(len(point))
    out: Array = function(batch).imag.T / STEP
    return out


def _by_label(model: Model) -> tuple[Array, Array]:
    column: dict[object, int] = {}
    places, offset = [], np.zeros(len(model.parameters))
    fixed = {p.label: p.fixed for p in model.parameters if p.label and p.fixed is not None}
    for i, p in enumerate(model.parameters):
        value = p.fixed if p.fixed is not None else fixed.get(p.label)
        if value is None:
            places.append((i, column.setdefault(p.label or i, len(column))))
        else:
            offset[i] = value
    matrix = np.zeros((len(model.parameters), len(column)))
    if places:
        matrix[tuple(np.transpose(places))] = 1
    return offset, matrix


def _solve(
    linear: list[tuple[Array, float, tuple[Expression, Expression]]], q: int
) -> tuple[Array, Array]:
    """Return base (q,) and directions (q, r) of the solutions of linear equations."""
    rows = np.array([np.append(slope, value) for slope, value, _ in linear])
    pivots: list[int] = []
    done = 0
    for k in range(len(rows)):
        pivot = int(np.abs(rows[done, :q]).argmax()) if q else 0
        if q == 0 or abs(rows[done, pivot]) < 1e-10:
            if abs(rows[done, q]) > 1e-8:
                left, right = linear[k][2]
                raise CxError(f"{left.text} == {right.text} cannot hold beside the other equations")
            rows = np.delete(rows, done, axis=0)
            continue
        rows[done] /= rows[done, pivot]
        elsewhere = np.arange(len(rows)) != done
        rows[elsewhere] -= np.outer(rows[elsewhere, pivot], rows[done])
        pivots.append(pivot)
        done += 1
    free = [j for j in range(q) if j not in pivots]
    base, directions = np.zeros(q), np.zeros((q, len(free)))
    directions[free, np.arange(len(free))] = 1
    base[pivots] = rows[:, q]
    directions[pivots] = -rows[:, free]
    return base, directions


def broken(reduction: Reduction, phi: Array, tolerance: float) -> Iterator[str]:
    """Yield the equations and bounds that do not hold at a point."""
    for pairs, sign in ((reduction.equations, "=="), (reduction.bounds, ">")):
        if pairs:
            gap = reduction.gaps(pairs, phi)
            for (left, right), value in zip(pairs, gap, strict=True):
                if (abs(value) if sign == "==" else -value) > tolerance or np.isnan(value):
                    yield f"{left.text} {sign} {right.text}"
