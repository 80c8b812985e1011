"""Control limits of a series of estimates, and runs on one side, as functions of arrays.

A series is estimates (t,), their standard errors (t,) and numbers of answers (t,): waves with
many answers count for more. Nothing else of the data is needed.

References
----------
Montgomery (2020). Introduction to statistical quality control, 8th ed., ch. 6-7.
Laney (2002). Improved control charts for attributes. Quality Engineering 14(4), 531-537.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RUN = 8  # waves in a row on one side of the centre (Western Electric's rule)
RANGE = 1.128  # expected absolute difference of two independent standard normals


@dataclass(frozen=True, slots=True)
class Limits:
    """Control limits.

    Attributes
    ----------
    centre : float
        Mean of the baseline, weighted by answers.
    sigma : array (t,)
        Standard error of each wave about the centre, ``s / sqrt(n)`` with the baseline's pooled
        variance of an answer, times `dispersion` where that is asked for.
    dispersion : float
        How much more the waves of the baseline scatter than sampling explains (Laney's sigma_z,
        from moving ranges); NaN with fewer than three.
    """

    centre: float
    sigma: Array
    dispersion: float


def control_limits(
    estimate: Array,
    se: Array,
    n: Array,
    baseline: NDArray[np.bool_],
    laney: bool = False,
    correlation: Array | None = None,
) -> Limits:
    """Return centre and standard errors for a control chart with waves of different size.

    With a `correlation` of the estimates (t, t), as of waves that ask the same clusters, the error
    of a wave is that of its distance from the centre: what all waves share is in no signal.

    Examples
    --------
    >>> limits = control_limits(
    ...     np.array([10.0, 12.0, 11.0]), np.full(3, 2.0), np.full(3, 100.0), np.ones(3, bool)
    ... )
    >>> limits.centre, limits.sigma.round(6).tolist()
    (11.0, [2.0, 2.0, 2.0])
    """
    share = n[baseline] / n[baseline].sum()
    centre = float(share @ estimate[baseline])
    variance = float(share @ (se[baseline] ** 2 * n[baseline]))
    sigma = np.sqrt(variance / n)
    if correlation is not None:
        sigma = np.sqrt(_about_centre(sigma, correlation, np.where(baseline, n, 0.0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (estimate[baseline] - centre) / sigma[baseline]
    dispersion = float(np.abs(np.diff(z)).mean() / RANGE) if len(z) > 2 else float("nan")
    return Limits(centre, sigma * dispersion if laney else sigma, dispersion)


def _about_centre(sigma: Array, correlation: Array, n: Array) -> Array:
    """Return the variance of each wave less the centre, by what it shares with the others.

    Its own part in the centre is left in, as it is without correlations.
    """
    shared = np.outer(sigma, sigma) * correlation
    np.fill_diagonal(shared, 0.0)
    share = n / n.sum()
    return np.asarray(np.maximum(sigma**2 - 2 * shared @ share + share @ shared @ share, 0.0))


def long_runs(estimate: Array, centre: float, length: int = RUN) -> NDArray[np.bool_]:
    """Return which waves end a run of `length` or more on one side of the centre.

    Examples
    --------
    >>> long_runs(np.array([1.0, 2, 2, 2, -1]), 0.0, length=3).tolist()
    [False, False, True, True, False]
    """
    side = np.sign(estimate - centre)
    run = np.ones(len(side), int)
    for i in range(1, len(side)):
        run[i] = run[i - 1] + 1 if side[i] == side[i - 1] else 1
    ends: NDArray[np.bool_] = (run >= length) & (side != 0)
    return ends
