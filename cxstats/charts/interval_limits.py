"""The limits of intervals that charts are given: checked, and whether two intervals lie apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite, isnan
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Limits = tuple[float, float]
NO_INTERVAL: Limits = (float("nan"), float("nan"))


def check_limits(
    names: Sequence[str], low: Iterable[float], high: Iterable[float], what: str = "intervals"
) -> list[Limits]:
    """Return the intervals as pairs, or raise naming the one that is none.

    Both limits of an interval may be NaN: then there is none.
    """
    lower, upper = [float(end) for end in low], [float(end) for end in high]
    if not len(names) == len(lower) == len(upper):
        raise CxError(f"{len(names)} names, {len(lower)} lower and {len(upper)} upper limits")
    for name, a, b in zip(names, lower, upper, strict=True):
        if not (isnan(a) and isnan(b)) and not (isfinite(a) and isfinite(b) and a <= b):
            raise CxError(
                f"{what}: {name!r} has [{a:g}, {b:g}]; allowed: lower limit, then upper limit, "
                "or NaN for both"
            )
    return list(zip(lower, upper, strict=True))


def check_limit_pairs(names: Sequence[str], limits: ArrayLike | None, what: str) -> list[Limits]:
    """Return an array (n, 2) of limits as pairs, checked; without it there are no intervals."""
    if limits is None:
        return [NO_INTERVAL] * len(names)
    pairs = np.asarray(limits, float)
    if pairs.shape != (len(names), 2):
        raise CxError(f"{what} has shape {pairs.shape}; allowed: ({len(names)}, 2)")
    return check_limits(names, pairs[:, 0], pairs[:, 1], what)


def excludes(limits: Limits, value: float) -> bool:
    """Return whether an interval leaves `value` out; an unknown one does not.

    Examples
    --------
    >>> excludes((1, 2), 0), excludes((-1, 2), 0), excludes(NO_INTERVAL, 0)
    (True, False, False)
    """
    return not isnan(limits[0]) and not limits[0] <= value <= limits[1]


def lie_apart(first: Limits, second: Limits) -> bool:
    """Return whether two intervals have nothing in common; an unknown one has.

    Examples
    --------
    >>> lie_apart((1, 2), (3, 4)), lie_apart((1, 3), (3, 4)), lie_apart((1, 2), NO_INTERVAL)
    (True, False, False)
    """
    return first[1] < second[0] or second[1] < first[0]
