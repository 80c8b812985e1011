"""Means and cross-products, block by block, without losing digits.

References
----------
Chan, Golub & LeVeque (1983). Algorithms for computing the sample variance. The American
Statistician 37(3), 242-247.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# Whole numbers below this are exact in single precision, where products are twice as fast.
EXACT = 2**24
# Cases whose differences are multiplied at once: they stay in the cache.
CASES = 2**14


def plain_group(group: Any) -> Any:
    """Return a group as Python has it; a moment in time stays one."""
    import pandas as pd

    if isinstance(group, np.datetime64):
        return pd.Timestamp(group)
    return group.item() if isinstance(group, np.generic) else group


@dataclass(eq=False)
class Sums:
    """Running sums: cases, weight, means from an origin and centred cross-products.

    The origin is near the first block's mean: small numbers are added, whatever the means are.
    """

    n: int
    weight: float
    origin: Array
    mean: Array
    cross: Array
    dropped: int = 0

    @classmethod
    def empty(cls, p: int) -> Sums:
        """Return the sums over no cases."""
        return cls(0, 0.0, np.zeros(p), np.zeros(p), np.zeros((p, p)))

    def add(self, values: NDArray[Any], weight: Array | None, names: Sequence[str]) -> None:
        """Add a block of cases, values (p, rows) and weights (rows,)."""
        values, weight, missing = _complete(values, weight, names)
        self.dropped += missing
        n = values.shape[1]
        if n == 0:
            return
        if self.n == 0:
            self.origin = np.round(values[:, :1000].mean(axis=1, dtype=np.float64))
        total = float(n) if weight is None else float(weight.sum())
        self._include(n, total, *centred(values, weight, total, self.origin))

    def merge(self, other: Sums) -> None:
        """Add what other sums amount to."""
        self.dropped += other.dropped
        if other.n == 0:
            return
        if self.n == 0:
            self.origin = other.origin.copy()
        mean = other.mean + (other.origin - self.origin)
        self._include(other.n, other.weight, mean, other.cross)

    def _include(self, n: int, total: float, mean: Array, cross: Array) -> None:
        """Add n cases of a total weight, mean from the origin and centred cross-products."""
        # Chan, Golub and LeVeque: two sets of cross-products, each around its own mean.
        both = self.weight + total
        step = mean - self.mean
        self.cross += cross
        if both > 0:
            self.cross += np.outer(step, step) * (self.weight * total / both)
            self.mean += step * (total / both)
        self.n, self.weight = self.n + n, both

    @property
    def is_enough(self) -> bool:
        """Whether there are covariances: of two cases or more, with a weight."""
        return self.n >= 2 and self.weight > 0

    def covariance(self) -> tuple[Array, Array]:
        """Return means (p,) and unbiased covariances (p, p) of everything added."""
        if not self.is_enough:
            raise DataError(
                f"{self.n} complete cases ({self.dropped} have a missing answer) of total "
                f"weight {self.weight:g}; at least 2 are needed, with a weight above 0"
            )
        return self.origin + self.mean, self.cross / self.weight * (self.n / (self.n - 1))


def _complete(
    values: NDArray[Any], weight: Array | None, names: Sequence[str]
) -> tuple[NDArray[Any], Array | None, int]:
    """Return the complete cases of a block, and how many are not."""
    complete = complete_cases(values, weight, names)
    if complete is None:
        return values, weight, 0
    missing = int((~complete).sum())
    return values[:, complete], None if weight is None else weight[complete], missing


def complete_cases(
    values: NDArray[Any], weight: Array | None, names: Sequence[str]
) -> NDArray[np.bool_] | None:
    """Return which cases of a block are complete; None where all are.

    Raises
    ------
    DataError
        If a value is infinite, or a weight is not a finite number from 0 upwards.
    """
    if weight is not None:
        bad = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
        if len(bad):
            raise DataError(
                f"a weight is {weight[bad[0]]:g}; allowed: finite numbers from 0 upwards"
            )
    # A sum is finite only if every term is: the usual block costs one pass.
    if values.dtype.kind in "iu" or np.isfinite(values.sum()):
        return None
    for name, column in zip(names, values, strict=True):
        if np.isinf(column).any():
            raise DataError(f"column {name!r} has an infinite value; allowed: numbers")
    return np.asarray(~np.isnan(values).any(axis=0))


def centred(
    values: NDArray[Any], weight: Array | None, total: float, origin: Array
) -> tuple[Array, Array]:
    """Return the mean from `origin` (p,) and the cross-products around it (p, p)."""
    if values.dtype.kind in "iu" and weight is None:
        exact_sums = _small_integers(values)
        if exact_sums is not None:
            middle, sums, products = exact_sums
            mean = sums / total
            return mean + (middle - origin), products - total * np.outer(mean, mean)
    exact = values - origin[:, None]
    if weight is None:
        mean = exact.mean(axis=1)
        off = exact - mean[:, None]
        return mean, off @ off.T
    mean = (exact @ weight) / total if total > 0 else exact.mean(axis=1)
    off = exact - mean[:, None]
    return mean, (off * weight) @ off.T


def _small_integers(values: NDArray[Any]) -> tuple[int, Array, Array] | None:
    """Return a middle, and sums and products of differences from it; None if not exact.

    In single precision, where products are twice as fast. Whole numbers whose squares sum to less
    than 2**24 are exact there: no partial sum of any product was rounded (Cauchy-Schwarz).
    """
    p, n = values.shape
    low, high = (int(values.min()), int(values.max())) if values.dtype.itemsize > 2 else (0, 0)
    if high - low >= EXACT or max(-low, high) >= 2**62:
        return None
    middle = round(float(values[:, :1000].mean()))
    # Eight rows at a time is what matrix products do fastest. The row of ones behind the
    # variables turns their sums into one more product.
    height = -(-(p + 1) // 8) * 8
    work = np.zeros((height, min(n, CASES)), np.float32)
    work[p] = 1
    total = np.zeros((height, height))
    for first in range(0, n, CASES):
        cases = values[:, first : first + CASES]
        part = work[:, : cases.shape[1]]
        if values.dtype.itemsize <= 2:
            np.subtract(cases, middle, out=part[:p], dtype=np.float32, casting="unsafe")
        else:  # single precision holds the differences, not the numbers
            part[:p] = cases.astype(np.int64) - middle
        products = part @ part.T
        if products.diagonal().max() >= EXACT:
            return None
        total += products
    return middle, total[p, :p], total[:p, :p]
