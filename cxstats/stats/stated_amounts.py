"""Amounts that people state as a number or as (low, most likely, high), and draws from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import is_number
from cxstats.core.errors import CxError
from cxstats.core.messages import excerpt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DISTRIBUTIONS = ("pert", "triangular")


@dataclass(frozen=True, slots=True)
class StatedAmount:
    """An amount: low, most likely and high are equal where it is certain."""

    low: float
    mode: float
    high: float

    @property
    def uncertain(self) -> bool:
        """Whether low and high differ."""
        return self.high > self.low

    def mean(self, distribution: str) -> float:
        """Return the mean: ``(l + 4 m + h) / 6`` of PERT, ``(l + m + h) / 3`` of a triangle.

        Examples
        --------
        >>> StatedAmount(2, 3, 10).mean("pert"), StatedAmount(2, 3, 10).mean("triangular")
        (4.0, 5.0)
        """
        if distribution == "pert":
            return (self.low + 4 * self.mode + self.high) / 6
        return (self.low + self.mode + self.high) / 3

    def draw(self, rng: np.random.Generator, size: int, distribution: str) -> Array:
        """Return draws (size,) of the triangle, or of PERT's beta distribution.

        PERT: ``l + (h - l) Beta(1 + 4 (m - l) / (h - l), 1 + 4 (h - m) / (h - l))``.
        """
        if not self.uncertain:
            return np.full(size, self.mode)
        if distribution == "triangular":
            return rng.triangular(self.low, self.mode, self.high, size)
        width = self.high - self.low
        a = 1 + 4 * (self.mode - self.low) / width
        b = 1 + 4 * (self.high - self.mode) / width
        return self.low + width * rng.beta(a, b, size)


def stated_amount(name: str, value: Any, least: float = -np.inf) -> StatedAmount:
    """Return what was stated: a number, or three of them in order.

    Raises
    ------
    CxError
        Naming the amount, its value and what is allowed.

    Examples
    --------
    >>> stated_amount("cost", 3), stated_amount("cost", (1, 2, 4)).mode
    (StatedAmount(low=3.0, mode=3.0, high=3.0), 2.0)
    """
    parts: Sequence[Any] = (value,) * 3
    if isinstance(value, (tuple, list, np.ndarray)):
        parts = tuple(value)
    real = len(parts) == 3 and all(is_number(part) for part in parts)
    bounds = "" if least == -np.inf else f", {least:g} or more"
    if not real or not all(np.isfinite(float(part)) and part >= least for part in parts):
        raise CxError(
            f"{name}={excerpt(value)}; allowed: a number or (low, most likely, high){bounds}"
        )
    low, mode, high = map(float, parts)
    if not low <= mode <= high:
        raise CxError(f"{name}={excerpt(value)}; allowed: low <= most likely <= high")
    return StatedAmount(low, mode, high)


def check_distribution(distribution: str) -> None:
    """Raise if a distribution is unknown; the message lists the choices."""
    if distribution not in DISTRIBUTIONS:
        raise CxError(
            f"distribution={distribution!r}; allowed: {', '.join(map(repr, DISTRIBUTIONS))}"
        )
