"""Boundaries of repeated tests, by recursive numerical integration.

At information t the score ``S = Z sqrt(t)`` is a Brownian motion, with drift under a difference.
Its density over the paths that have not crossed yet is carried from look to look:
``f_k(x) = integral of f_{k-1}(y) phi((x - y - drift d) / sqrt(d)) / sqrt(d) dy``, d the information
gained, over the interval between the boundaries (Armitage, McPherson & Rowe 1969).

References
----------
Armitage, McPherson & Rowe (1969). Repeated significance tests on accumulating data. JRSS A 132,
235-244.
Lan & DeMets (1983). Discrete sequential boundaries for clinical trials. Biometrika 70, 659-663.
Jennison & Turnbull (2000). Group sequential methods with applications to clinical trials, ch. 19.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.stats.quadrature import gauss_legendre

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

FAR = 9.0  # standard deviations beyond which there is no path
ORDER = 12  # Gauss-Legendre nodes in a panel as wide as one step's standard deviation
NOTHING = 1e-16  # alpha that is too little for a boundary
HIGHEST = 40.0


def obrien_fleming(t: ArrayLike, alpha: float) -> Array:
    """Return ``2 (2 - 2 Phi(z / sqrt(t)))``, z of ``alpha / 4``: alpha spent by information t.

    Lan and DeMets' function like O'Brien and Fleming's boundaries, of each side with ``alpha / 2``.
    Almost nothing is spent early.

    Examples
    --------
    >>> obrien_fleming([0.2, 0.5, 1.0], 0.05).round(6).tolist()
    [1e-06, 0.003051, 0.05]
    """
    from scipy.special import ndtr, ndtri

    t = np.asarray(t, float)
    return np.asarray(4 * ndtr(ndtri(alpha / 4) / np.sqrt(t)))


def pocock(t: ArrayLike, alpha: float) -> Array:
    """Return ``alpha ln(1 + (e - 1) t)``: alpha spent by information t.

    Lan and DeMets' function like Pocock's boundaries, nearly equal at every look.

    Examples
    --------
    >>> pocock([0.2, 0.5, 1.0], 0.05).round(6).tolist()
    [0.01477, 0.031006, 0.05]
    """
    return np.asarray(alpha * np.log1p((np.e - 1) * np.asarray(t, float)))


SPENDING: dict[str, Callable[[ArrayLike, float], Array]] = {
    "obrien_fleming": obrien_fleming,
    "pocock": pocock,
}


@cache
def _panel() -> tuple[Array, Array]:
    nodes, weights = gauss_legendre(ORDER)
    return (nodes + 1) / 2, weights / 2


def _grid(low: float, high: float, width: float) -> tuple[Array, Array]:
    """Return nodes and weights of panels no wider than `width` from low to high."""
    panels = max(4, int(np.ceil((high - low) / width)))
    edges = np.linspace(low, high, panels + 1)
    nodes, weights = _panel()
    step = (high - low) / panels
    return (edges[:-1, None] + step * nodes).ravel(), np.tile(step * weights, panels)


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The paths that have not crossed a boundary.

    Attributes
    ----------
    x : array (m,)
        Scores at the last look.
    mass : array (m,)
        Their probability.
    t : float
        Information of the last look.
    drift : float
        Expected score at information 1.
    """

    x: Array
    mass: Array
    t: float
    drift: float

    @classmethod
    def start(cls, drift: float) -> Paths:
        """Return the one path before the first look."""
        return cls(np.zeros(1), np.ones(1), 0.0, drift)

    def cross(self, bound: float, t: float) -> tuple[float, float]:
        """Return the probability of a score above and below the boundary at information t."""
        from scipy.special import ndtr

        step, edge = t - self.t, bound * np.sqrt(t)
        mean, sd = self.x + self.drift * step, np.sqrt(step)
        upper, lower = ndtr((mean - edge) / sd), ndtr((-edge - mean) / sd)
        return float(self.mass @ upper), float(self.mass @ lower)

    def stay(self, bound: float, t: float, next_step: float) -> Paths:
        """Return the paths that stay within the boundary at information t."""
        step, centre, reach = t - self.t, self.drift * t, FAR * np.sqrt(t)
        edge = bound * np.sqrt(t)
        low, high = max(-edge, centre - reach), min(edge, centre + reach)
        if low >= high:
            return Paths(np.zeros(1), np.zeros(1), t, self.drift)
        x, weights = _grid(low, high, float(np.sqrt(min(step, next_step))))
        z = (x[:, None] - self.x - self.drift * step) / np.sqrt(step)
        density = np.exp(-(z**2) / 2) @ self.mass / np.sqrt(2 * np.pi * step)
        return Paths(x, weights * density, t, self.drift)


def crossing(bounds: ArrayLike, information: ArrayLike, drift: float = 0.0) -> tuple[Array, Array]:
    """Return the probabilities of crossing first at each look, above and below.

    Parameters
    ----------
    bounds : array (k,)
        Boundaries of ``|Z|``; infinite where there is no test.
    information : array (k,)
        Information at each look, rising, above 0.
    drift : float
        Expected Z at information 1.

    Returns
    -------
    upper, lower : arrays (k,)

    Examples
    --------
    Five looks at 1.96 find something by chance in 14 of 100 experiments:

    >>> upper, lower = crossing([1.96] * 5, [0.2, 0.4, 0.6, 0.8, 1.0])
    >>> round(float((upper + lower).sum()), 3)
    0.142
    """
    looks = list(_looks(np.asarray(bounds, float), np.asarray(information, float), drift))
    return np.array([upper for upper, _ in looks]), np.array([lower for _, lower in looks])


def _looks(bounds: Array, t: Array, drift: float) -> Iterator[tuple[float, float]]:
    paths = Paths.start(drift)
    following = np.append(np.diff(t), np.inf)
    for bound, at, ahead in zip(bounds, t, following, strict=True):
        yield paths.cross(float(bound), float(at))
        if np.isfinite(ahead):
            paths = paths.stay(float(bound), float(at), float(ahead))


def boundaries(spent: ArrayLike, information: ArrayLike) -> Array:
    """Return the boundaries of ``|Z|`` that spend the error of a two-sided test as asked.

    Parameters
    ----------
    spent : array (k,)
        Error spent up to each look, rising.
    information : array (k,)
        Information at each look, in any unit; only its ratios matter.

    Returns
    -------
    array (k,)
        Infinite where less than 1e-16 is to be spent; what is not spent is left for the next.

    Examples
    --------
    >>> t = [0.2, 0.4, 0.6, 0.8, 1.0]
    >>> boundaries(obrien_fleming(t, 0.05), t).round(3).tolist()
    [4.877, 3.357, 2.68, 2.29, 2.031]
    """
    from scipy.optimize import brentq

    t = np.asarray(information, float) / np.max(information)
    bounds: list[float] = []
    used, paths = 0.0, Paths.start(0.0)
    following = np.append(np.diff(t), t[-1])
    for total, at, ahead in zip(np.asarray(spent, float), t, following, strict=True):
        target = float(total) - used
        bound = np.inf

        def excess(b: float, paths: Paths = paths, at: Any = at, target: float = target) -> float:
            return sum(paths.cross(b, float(at))) - target

        if target > NOTHING:
            bound = 0.0 if excess(0.0) <= 0 else float(brentq(excess, 0, HIGHEST, xtol=1e-11))
            used += sum(paths.cross(bound, float(at)))
        bounds.append(bound)
        paths = paths.stay(bound, float(at), float(ahead))
    return np.array(bounds)


def drift_for(power: float, bounds: ArrayLike, information: ArrayLike) -> float:
    """Return the drift at which the upper boundary is crossed with probability `power`.

    Examples
    --------
    >>> round(drift_for(0.8, [1.959964], [1.0]), 4)
    2.8016
    """
    from scipy.optimize import brentq

    def short(drift: float) -> float:
        return float(crossing(bounds, information, drift)[0].sum()) - power

    return float(brentq(short, 0.0, 12.0, xtol=1e-9))


def stagewise_p(z: float, bounds: ArrayLike, information: ArrayLike) -> float:
    """Return the two-sided p value of a test that ended at its last look with z.

    Twice the probability, without a difference, of having crossed at an earlier look on the side
    of z, or of lying beyond z at the last (stage-wise ordering; Jennison & Turnbull 2000, 8.4).

    Parameters
    ----------
    z : float
        At the last look.
    bounds, information : arrays (k,)
        Of all looks; the boundary of the last is not used.

    Examples
    --------
    >>> round(stagewise_p(1.959964, [2.0], [1.0]), 4)
    0.05
    """
    limits = np.append(np.asarray(bounds, float)[:-1], abs(z))
    upper = crossing(limits, np.asarray(information, float) / np.max(information))[0]
    return min(1.0, 2 * float(upper.sum()))


def is_rising(values: ArrayLike) -> bool:
    """Return whether numbers rise strictly."""
    return all(a < b for a, b in pairwise(np.asarray(values, float).tolist()))
