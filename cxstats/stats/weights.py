"""Weights of components, checked and scaled to sum to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from cxstats.core.errors import CxError

POINTS = 100.0  # what weights sum to when they are written as points
CLOSE = 1e-6  # relative error of a sum that counts as rounding


def check_weights(
    weights: Mapping[str, Any], names: Sequence[str], normalise: bool = False
) -> dict[str, float]:
    """Return weights scaled to sum to 1.

    Parameters
    ----------
    weights : mapping of name to number
        Weights from 0 upwards that sum to 1 or to 100.
    names : sequence of str
        The components; each must have a weight.
    normalise : bool
        Accept any sum above 0.

    Raises
    ------
    CxError
        If a weight is negative, no number, missing or of an unknown component, or if they sum to
        anything else.

    Examples
    --------
    >>> check_weights({"a": 30, "b": 70}, ["a", "b"])
    {'a': 0.3, 'b': 0.7}
    >>> check_weights({"a": 1, "b": 3}, ["a", "b"], normalise=True)
    {'a': 0.25, 'b': 0.75}
    """
    for name, weight in weights.items():
        if name not in names:
            raise CxError(f"weights: {name!r} is not known; allowed: {', '.join(names)}")
        number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not number or not 0 <= float(weight) < np.inf:
            raise CxError(f"weights: {name!r} has {weight!r}; allowed: numbers from 0 upwards")
    for name in names:
        if name not in weights:
            raise CxError(f"weights: {name!r} has none; give 0 if it shall not count")
    total = float(sum(weights.values()))
    if normalise and total == 0:
        raise CxError("weights: all are 0; at least one must be larger")
    if not (normalise or sums_to(total, 1) or sums_to(total, POINTS)):
        raise CxError(f"weights: they sum to {total:g}; allowed: 1 or 100")
    return {name: weights[name] / total for name in names}


def sums_to(total: float, expected: float) -> bool:
    """Return whether a sum of weights is what is expected, but for rounding.

    Examples
    --------
    >>> sums_to(0.1 + 0.2 + 0.7, 1), sums_to(99, 100)
    (True, False)
    """
    return abs(total - expected) < CLOSE * expected
