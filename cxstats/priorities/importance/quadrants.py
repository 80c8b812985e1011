"""Four quadrants of a map: where its crosshairs stand, and what falls where.

The vertical coordinate is what counts (importance, impact), the horizontal one what it is held
against (performance, effort). Quadrants are numbered 0 top left, 1 top right, 2 bottom left, 3
bottom right.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CHOICES = ("means", "medians", "scale")
Crosshairs = str | tuple[float, float]
# Of rounding: a point at the mean of equal points lies on the line, not a hair below it.
TINY = 1e-12


def check_crosshairs(choice: Crosshairs) -> None:
    """Refuse what is neither the name of a choice nor a pair of numbers."""
    if isinstance(choice, str):
        if choice in CHOICES:
            return
    elif isinstance(choice, Sequence) and len(choice) == 2 and all(map(_finite, choice)):
        return
    raise CxError(f"crosshairs is {choice!r}; allowed: {', '.join(CHOICES)}, or (x, y)")


def _finite(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))


def cuts(
    choice: Crosshairs, x: Array, y: Array, centre: tuple[float | None, float | None]
) -> tuple[Array, Array]:
    """Return where the crosshairs stand (...,), (...,) among points (..., k).

    Parameters
    ----------
    choice : {"means", "medians", "scale"} or (x, y)
        Mean or median of the points; the centre of the scale; or two numbers.
    x, y : arrays (..., k)
        The points, of one sample or of a batch of replicates.
    centre : pair of float or None
        Centre of each scale; a coordinate without one (derived importance) takes the mean of the
        points instead.

    Raises
    ------
    CxError
        If the centre of the scale is asked for and the horizontal coordinate has none.

    Examples
    --------
    >>> a, b = cuts("means", np.array([1.0, 3.0]), np.array([0.2, 0.4]), (None, None))
    >>> a.item(), b.round(2).item()
    (2.0, 0.3)
    """
    check_crosshairs(choice)
    if choice == "means":
        return x.mean(axis=-1), y.mean(axis=-1)
    if choice == "medians":
        return np.median(x, axis=-1), np.median(y, axis=-1)
    if choice == "scale":
        if centre[0] is None:
            raise CxError('crosshairs="scale" needs scale=(low, high)')
        across = np.full(x.shape[:-1], centre[0])
        return across, y.mean(axis=-1) if centre[1] is None else np.full(y.shape[:-1], centre[1])
    return np.full(x.shape[:-1], float(choice[0])), np.full(y.shape[:-1], float(choice[1]))


def quadrant_codes(x: Array, y: Array, x_cut: Array, y_cut: Array) -> NDArray[np.int64]:
    """Return the quadrant, 0 to 3, of points (..., k); a point on a line lies right of or above it.

    Examples
    --------
    >>> x, y = np.array([1.0, 3, 1, 3]), np.array([0.9, 0.9, 0.1, 0.1])
    >>> quadrant_codes(x, y, np.array(2.0), np.array(0.5)).tolist()
    [0, 1, 2, 3]
    """
    return np.where(_reaches(y, y_cut), 0, 2) + _reaches(x, x_cut)


def _reaches(values: Array, cut: Any) -> NDArray[np.bool_]:
    line = np.asarray(cut)[..., None]
    return np.asarray(values >= line - TINY * np.maximum(1, np.abs(line)))


def on_the_line(values: Array, cut: float) -> Array:
    """Return points (k,), those a rounding below the cut moved onto it, for a chart.

    A chart compares without tolerance; so it draws each point in the quadrant of the table.

    Examples
    --------
    >>> on_the_line(np.array([0.1, 0.3 - 1e-16, 0.5]), 0.3).tolist()
    [0.1, 0.3, 0.5]
    """
    return np.where((values < cut) & _reaches(values, cut), cut, values)


def quadrant_shares(
    choice: Crosshairs, x: Array, y: Array, centre: tuple[float | None, float | None]
) -> Array:
    """Return in which share of replicates each of k points falls in each quadrant (k, 4).

    The crosshairs are computed anew in every replicate, so that a shift of all points together
    does not count as doubt.

    Parameters
    ----------
    choice, centre
        As in `cuts`.
    x, y : arrays (B, k)
        Replicates of the points.
    """
    codes = quadrant_codes(x, y, *cuts(choice, x, y, centre))
    return np.stack([(codes == code).mean(axis=0) for code in range(4)], axis=-1)
