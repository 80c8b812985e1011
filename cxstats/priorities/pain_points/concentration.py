"""How unequally a total is divided. Every function takes shares (..., k), one set or a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

INTERVALS = ("goodman", "sison-glaz")
TINY = 1e-9  # shares that are summed reach a rule up to this much of rounding


def herfindahl(shares: ArrayLike) -> Array:
    """Return the Herfindahl index ``sum s_i^2``: 1/k for equal shares, 1 for a single one.

    References
    ----------
    Hirschman (1964). The paternity of an index. American Economic Review 54, 761.

    Examples
    --------
    >>> herfindahl([0.5, 0.3, 0.2]).round(2).item()
    0.38
    """
    s = np.asarray(shares, float)
    return np.asarray((s**2).sum(axis=-1))


def effective_number(shares: ArrayLike) -> Array:
    """Return how many equal parts are as concentrated: ``1 / sum s_i^2``.

    References
    ----------
    Laakso & Taagepera (1979). Effective number of parties. Comparative Political Studies 12, 3-27.

    Examples
    --------
    >>> effective_number([0.25, 0.25, 0.25, 0.25]).item()
    4.0
    """
    return np.asarray(1 / herfindahl(shares))


def gini(shares: ArrayLike, sizes: ArrayLike | None = None) -> Array:
    """Return the Gini coefficient, twice the area between Lorenz curve and equality.

    ``1 - sum_i w_i (L_(i-1) + L_i)``, parts in rising order of share per size, ``L`` their
    cumulative share and ``w`` their sizes. Of parts of equal size it is at most ``(k - 1) / k``
    and depends on how many parts are listed, empty ones too.

    Parameters
    ----------
    shares : array (..., k)
        Shares, or amounts in any unit.
    sizes : array (k,), optional
        How much of the population each part is; without it, equally much.

    References
    ----------
    Gini (1912). Variabilita e mutabilita; Lorenz (1905). JASA 9, 209-219.

    Examples
    --------
    The head 30 % of customers bring 70 % of revenue:

    >>> gini([0.7, 0.3], sizes=[0.3, 0.7]).round(2).item()
    0.4
    """
    s = np.asarray(shares, float)
    s = s / s.sum(axis=-1, keepdims=True)
    w = np.full(s.shape[-1], 1.0) if sizes is None else np.asarray(sizes, float)
    w = np.broadcast_to(w / w.sum(), s.shape)
    order = np.argsort(s / w, axis=-1, kind="stable")
    s, w = np.take_along_axis(s, order, -1), np.take_along_axis(w, order, -1)
    twice = 2 * s.cumsum(axis=-1) - s
    return np.asarray(1 - (w * twice).sum(axis=-1))


def top_share(shares: ArrayLike, k: int) -> Array:
    """Return the sum of the k largest shares.

    Examples
    --------
    >>> top_share([0.2, 0.5, 0.3], 2).item()
    0.8
    """
    s = np.asarray(shares, float)
    if not 1 <= k <= s.shape[-1]:
        raise CxError(f"top is {k!r}; allowed: 1 to {s.shape[-1]}, the number of causes")
    return np.asarray(np.sort(s, axis=-1)[..., -k:].sum(axis=-1))


def vital_few(shares: ArrayLike, rule: float) -> NDArray[np.bool_]:
    """Return which parts (..., k) are the fewest, largest first, that reach the share `rule`.

    Equal parts enter in the order given.

    Examples
    --------
    >>> vital_few([0.1, 0.5, 0.3, 0.1], 0.8).tolist()
    [False, True, True, False]
    """
    s = np.asarray(shares, float)
    order = np.argsort(-s, axis=-1, kind="stable")
    ranked = np.take_along_axis(s, order, -1)
    before = ranked.cumsum(axis=-1) - ranked
    vital = np.zeros(s.shape, bool)
    np.put_along_axis(vital, order, before < rule - TINY, axis=-1)
    return vital


def ranks(values: Array) -> Array:
    """Return ranks (..., k), 1 for the largest; equal values share the better rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(-values, axis=-1, method="min"), float)


def simultaneous(counts: Array, level: float, method: str) -> tuple[Array, Array]:
    """Return simultaneous intervals of multinomial shares: with `level` all of them hold at once.

    Parameters
    ----------
    counts : array (k,)
        Counts; need not be whole.
    level : float
        Joint confidence level.
    method : {"goodman", "sison-glaz"}
        Goodman (1965), good where counts are 5 or more, on the safe side; Sison & Glaz (1995),
        shorter, of one width, for seven causes or more.

    References
    ----------
    Goodman (1965). On simultaneous confidence intervals for multinomial proportions.
    Technometrics 7, 247-254. Sison & Glaz (1995). Simultaneous confidence intervals and sample
    size determination for multinomial proportions. JASA 90, 366-369.

    Examples
    --------
    >>> low, high = simultaneous(np.array([56.0, 72, 73, 59, 62, 87, 58]), 0.95, "goodman")
    >>> low.round(3).tolist()[:2], high.round(3).tolist()[:2]
    ([0.085, 0.115], [0.166, 0.204])
    """
    from statsmodels.stats.proportion import multinomial_proportions_confint

    if method not in INTERVALS:
        raise CxError(f"interval is {method!r}; allowed: {', '.join(INTERVALS)}")
    if len(counts) == 1:
        raise CxError("one cause alone has a share of 1 and no interval")
    region: Any = multinomial_proportions_confint(counts, 1 - level, method)
    return region[:, 0], region[:, 1]
