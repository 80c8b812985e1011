"""Four quadrants of a map: where its crosshairs stand, and what falls where.

The vertical coordinate is what counts (importance, impact), the horizontal one what it is held
against (performance, effort). Quadrants are numbered 0 top left, 1 top right, 2 bottom left, 3
bottom right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.language import label, listed
from cxstats.priorities.complete_cases import is_number

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CHOICES = ("means", "medians", "scale")
Crosshairs = str | tuple[float, float]
Centre = tuple[float | None, float | None]
# Of rounding: a point at the mean of equal points lies on the line, not a hair below it.
TINY = 1e-12


def check_crosshairs(choice: Crosshairs) -> None:
    """Raise if crosshairs are neither the name of a choice nor a pair of numbers."""
    if isinstance(choice, str):
        if choice in CHOICES:
            return
    elif isinstance(choice, Sequence) and len(choice) == 2 and all(map(is_number, choice)):
        return
    raise CxError(f"crosshairs is {choice!r}; allowed: {', '.join(CHOICES)}, or (x, y)")


def cuts(choice: Crosshairs, x: Array, y: Array, centre: Centre) -> tuple[Array, Array]:
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


def quadrant_shares(choice: Crosshairs, x: Array, y: Array, centre: Centre) -> Array:
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


def crosshairs_table(
    table: pd.DataFrame,
    axes: tuple[str, str],
    chosen: Crosshairs,
    centre: Centre,
    quadrants: Sequence[str],
) -> pd.DataFrame:
    """Return the quadrant of each point under each choice of crosshairs.

    Parameters
    ----------
    table : pandas.DataFrame
        The points, their names in the first column.
    axes : (str, str)
        Columns of the horizontal and of the vertical coordinate.
    chosen : {"means", "medians", "scale"} or (x, y)
        A pair of numbers has the column "given".
    centre : pair of float or None
        As in `cuts`; without a horizontal one there is no column "scale".
    quadrants : sequence of str
        Names of the quadrants.

    Returns
    -------
    pandas.DataFrame
        One column per choice, then ``same``: whether all agree.
    """
    import pandas as pd

    x, y = (table[name].to_numpy(float) for name in axes)
    choices: dict[str, Crosshairs] = {
        name: name for name in CHOICES if name != "scale" or centre[0] is not None
    }
    if not isinstance(chosen, str):
        choices["given"] = chosen
    columns = {
        name: [quadrants[code] for code in quadrant_codes(x, y, *cuts(choice, x, y, centre))]
        for name, choice in choices.items()
    }
    points = pd.Index(table.iloc[:, 0], name=table.columns[0])
    comparison = pd.DataFrame(columns, index=points)
    comparison["same"] = comparison.nunique(axis=1) == 1
    return comparison


def moved_points(comparison: pd.DataFrame, lang: str) -> list[str]:
    """Return the line on points that other crosshairs would move, where there are any."""
    moved = comparison.index[~comparison["same"]]
    return [label("ipa.moved", lang, names=listed(moved).get(lang))] if len(moved) else []


def lines_note(choice: Crosshairs, resampled: bool, lang: str) -> str:
    """Return where the lines of a map stand and, without resamples, that certainty is unknown."""
    name = choice if isinstance(choice, str) else "given"
    note = label(f"ipa.lines.{name}", lang)
    if resampled:
        return note
    return note + " " * (lang == "en") + label("ipa.lines.unknown", lang)


def covariances(replicates: Array) -> Array:
    """Return the covariances (k, 2, 2) of replicates (B, k, 2)."""
    centred = replicates - replicates.mean(axis=0)
    return np.asarray(np.einsum("bki,bkj->kij", centred, centred) / (len(replicates) - 1), float)
