"""Shapley values of many drivers, from a sample of orders with a known error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.priorities.drivers.influence_functions import QuadraticForms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

PAIRS = 500  # orders drawn, each taken forwards and backwards
FEW = 50  # pairs of orders for bootstrap replicates, of which only the curvature is used
RIDGE = 1e-10  # added to variances of 1, so that exact combinations have a Cholesky factor
HELD = 4_000_000  # numbers held at once


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Orders in which drivers enter; each drawn one is followed by its reverse.

    ``phi_j`` is the mean, over all orders, of the rise of R2 when driver j enters. A driver that
    enters late in an order enters early in its reverse, so the two errors partly cancel.

    Attributes
    ----------
    orders : array (2 m, p) of int
    sizes : tuple of int or None
        Columns of each driver, where some have several.

    References
    ----------
    Castro, Gomez & Tejada (2009). Polynomial calculation of the Shapley value based on sampling.
    Computers & Operations Research 36(5), 1726-1730.
    Mitchell, Cooper, Frank & Holmes (2022). Sampling permutations for Shapley value estimation.
    Journal of Machine Learning Research 23(43).

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    >>> Orders.draw(2, 10, seed=1).shapley(corr).round(4).tolist()
    [0.2867, 0.0867]
    """

    orders: NDArray[np.intp]
    sizes: tuple[int, ...] | None = None

    @classmethod
    def draw(cls, p: int, pairs: int, seed: int, sizes: tuple[int, ...] | None = None) -> Orders:
        """Draw pairs of orders of p drivers."""
        generator = np.random.default_rng(seed)
        drawn = generator.permuted(np.tile(np.arange(p), (pairs, 1)), axis=1)
        return cls(np.stack([drawn, drawn[:, ::-1]], axis=1).reshape(-1, p), sizes)

    @property
    def columns(self) -> NDArray[np.intp]:
        """The columns in each order (2 m, q): those of a group stay together."""
        if self.sizes is None:
            return self.orders
        place = np.argsort(self.orders, axis=1)
        return np.argsort(np.repeat(place, self.sizes, axis=1), axis=1, kind="stable")

    def first(self, pairs: int) -> Orders:
        """Return the first pairs alone."""
        return Orders(self.orders[: 2 * pairs], self.sizes)

    def shapley(self, corr: Array) -> Array:
        """Estimate the Shapley values (..., p) of correlations (..., p + 1, p + 1), summing to R2.

        The squares of the last row of a Cholesky factor, the outcome last, are the rises of R2 as
        the drivers enter one by one.
        """
        flat = corr.reshape(-1, *corr.shape[-2:])
        step = max(1, HELD // (len(self.orders) * corr.shape[-1] ** 2))
        means = [self._rises(flat[i : i + step]).mean(axis=1) for i in range(0, len(flat), step)]
        return np.concatenate(means).reshape(*corr.shape[:-2], -1)

    def errors(self, corr: Array) -> Array:
        """Return the standard errors (p,) of `shapley` that come from drawing orders."""
        pairs = self._rises(corr[None]).reshape(-1, 2, self.orders.shape[1]).mean(axis=1)
        return np.asarray(pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)), float)

    def _rises(self, corr: Array) -> Array:
        """Return the rise of R2 by each driver in each order, (b, q, q) to (b, 2 m, p)."""
        in_order = self._factors(corr)[..., -1, :-1] ** 2
        rises = np.empty_like(in_order)
        np.put_along_axis(rises, np.broadcast_to(self.columns, rises.shape), in_order, axis=-1)
        if self.sizes is None:
            return rises
        starts = np.cumsum((0, *self.sizes[:-1]))
        return np.asarray(np.add.reduceat(rises, starts, axis=-1))

    def _factors(self, corr: Array) -> Array:
        """Return the Cholesky factors of each matrix in each order (b, 2 m, q, q)."""
        columns = self.columns
        q = columns.shape[1]
        full = np.pad(columns, ((0, 0), (0, 1)), constant_values=q)
        steady = corr + RIDGE * np.eye(q + 1)
        return np.asarray(np.linalg.cholesky(steady[:, full[:, :, None], full[:, None, :]]), float)

    def forms(self, corr: Array, n: float) -> QuadraticForms:
        """Return the forms of `shapley_forms`, as means over the orders.

        An order gives the weights of the outcome's residual after each of its columns, by the
        inverse of the Cholesky factor. A further driver is as likely at each of p + 1 places
        between the drivers.
        """
        m, p = self.orders.shape
        columns = self.columns
        q = columns.shape[1]
        sizes = np.array(self.sizes or (1,) * p)
        factor = self._factors(corr[None])[0]
        inverse = np.linalg.inv(factor[:, :-1, :-1])
        residual = np.zeros((m, q + 1, q + 1))  # order, columns entered, weights
        entered = np.repeat(columns[:, None], q, axis=1)
        explained = np.cumsum(factor[:, -1, :-1, None] * inverse, axis=1)
        np.put_along_axis(residual[:, 1:], entered, -explained, axis=2)
        residual[:, :, -1] = 1
        # Columns that have entered when a driver is complete, and where each driver begins.
        after = np.cumsum(sizes[self.orders], axis=1)
        complete = np.pad(after, ((0, 0), (1, 0)))
        further = np.zeros((m, q + 1))
        weight = (n - 1) / np.maximum(n - 1 - complete, 1) / (p + 1) / m
        np.put_along_axis(further, complete, weight, axis=1)
        noise = np.tensordot(residual * further[..., None], residual, axes=([0, 1], [0, 1]))
        gradient = np.empty((p, q + 1, q + 1))
        place = np.argsort(self.orders, axis=1)
        for j in range(p):
            ends = np.take_along_axis(after, place[:, j, None], axis=1)[:, 0]
            last, before = (residual[np.arange(m), ends - less] for less in (0, sizes[j]))
            gradient[j] = (last.T @ last - before.T @ before) / m
        gradient[:, -1, -1] -= np.einsum("juv,uv->j", gradient, corr)
        return QuadraticForms(-gradient, noise)
