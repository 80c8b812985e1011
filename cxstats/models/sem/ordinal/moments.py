"""Thresholds and polychoric correlations, with their asymptotic covariances, as arrays.

An item is a normal variable cut at thresholds. The thresholds follow from the shares of the
categories; with them fixed, each correlation maximises the likelihood of the table of its two
items (two-step estimation, Olsson 1979). All pairs are worked on at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cxstats.models.sem.ordinal.bivariate_normal import normal_cdf2, normal_pdf2, normal_pdf2_slope
from cxstats.models.sem.ordinal.categories import Categories
from cxstats.models.sem.problems import Problem
from cxstats.models.sem.sampled_cases import SampledCases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A threshold that no answer exceeds; the normal distribution function is 1 there.
BEYOND = 40.0
# Cells less probable than that have no score, as in lavaan. The search goes on to rounding, lest
# it lose sight of cases that speak against a correlation near 1.
FLOOR, TINY = float(np.sqrt(np.finfo(float).eps)), 1e-15
# The search ends here; a correlation beyond PERFECT is taken as 1.
LIMIT, PERFECT = 1 - 1e-9, 1 - 1e-6
MOST_STEPS, STILL = 80, 1e-14
# Fewer answers in a category make its threshold and correlations unsteady.
FEW = 5
# Share of empty cells above which a table is sparse; in tables of four one is too many.
SPARSE = 0.2


@dataclass(frozen=True, eq=False)
class OrdinalMoments:
    """Thresholds and polychoric correlations of p items.

    Attributes
    ----------
    categories : Categories
        The answers.
    bounds : array (p, K)
        Upper ends of the categories; `BEYOND` for the last one and those an item does not have.
    tables : array (P, K, K)
        Counts of the pairs.
    rho : array (P,)
        Polychoric correlations of the pairs.
    designed : array (m + P, m + P) or None
        `joint_gamma` under a sampling design.
    """

    categories: Categories
    bounds: Array
    tables: Array
    rho: Array
    designed: Array | None = None

    @property
    def n(self) -> int:
        """Cases."""
        return self.categories.n

    @property
    def inner(self) -> NDArray[np.bool_]:
        """Which of `bounds` (p, K) are thresholds."""
        inner: NDArray[np.bool_] = (
            np.arange(self.bounds.shape[1]) < self.categories.sizes[:, None] - 1
        )
        return inner

    @property
    def thresholds(self) -> Array:
        """All thresholds, item after item (m,)."""
        return self.bounds[self.inner]

    @property
    def corr(self) -> Array:
        """The correlations as a matrix (p, p)."""
        p = len(self.categories.names)
        out = np.eye(p)
        out[self.categories.pairs] = self.rho
        out.T[self.categories.pairs] = self.rho
        return out

    @cached_property
    def gamma(self) -> tuple[Array, Array]:
        """Asymptotic covariances, times n, of thresholds (m, m) and of correlations (P, P)."""
        m, joint = len(self.thresholds), self.joint_gamma
        return joint[:m, :m], joint[m:, m:]

    @cached_property
    def joint_gamma(self) -> Array:
        """Asymptotic covariances, times n, of thresholds and correlations, (m + P, m + P).

        ``n B^-1 (S'S) B^-T`` with S the cases' scores of thresholds and correlations and B the
        sums of products of the scores with those of the thresholds that they rest on (Muthen
        1984).
        """
        return _gamma(self) if self.designed is None else self.designed

    def problems(self) -> tuple[Problem, ...]:
        """Return what makes the correlations doubtful."""
        return tuple(_problems(self))


def ordinal_moments(categories: Categories) -> OrdinalMoments:
    """Return thresholds and polychoric correlations.

    A table of two by two with one empty cell has half a case moved into it with the margins
    kept, as in lavaan: without that its correlation would be 1.

    References
    ----------
    Olsson (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika 44, 443-460.
    """
    from scipy.special import ndtri

    counts = categories.counts()
    shares = np.cumsum(counts, axis=1) / categories.size
    bounds = np.minimum(ndtri(np.minimum(shares, 1.0)), BEYOND)
    tables = categories.tables()
    first, second = categories.pairs
    both = (categories.sizes[first] == 2) & (categories.sizes[second] == 2)
    adjusted = _moved(tables, both)
    return OrdinalMoments(
        categories, bounds, tables, _maximised(adjusted, bounds[first], bounds[second])
    )


def _moved(tables: Array, both: NDArray[np.bool_]) -> Array:
    """Return the tables with half a case moved where one of four cells is empty."""
    out, corner = tables.copy(), tables[:, :2, :2]
    single = both & ((corner == 0).sum(axis=(1, 2)) == 1)
    diagonal = (corner[:, 0, 0] == 0) | (corner[:, 1, 1] == 0)
    sign = np.where(diagonal, 0.5, -0.5) * single
    out[:, :2, :2] += sign[:, None, None] * np.array([[1, -1], [-1, 1]])
    return out


def _maximised(tables: Array, left: Array, right: Array) -> Array:
    """Return the correlations that make tables (P, K, K) likeliest: safeguarded Newton steps."""
    rho = _starts(tables)
    low, high = np.full(len(rho), -LIMIT), np.full(len(rho), LIMIT)
    going = np.arange(len(rho))
    for _ in range(MOST_STEPS):
        if not len(going):
            break
        now = rho[going]
        slope, bend = _derivatives(tables[going], left[going], right[going], now)
        low[going] = np.where(slope > 0, now, low[going])
        high[going] = np.where(slope < 0, now, high[going])
        with np.errstate(divide="ignore", invalid="ignore"):
            new = now - slope / bend
        inside = (bend < 0) & (new >= low[going]) & (new <= high[going])
        new = np.where(inside, new, (low[going] + high[going]) / 2)
        new = np.where(slope == 0, now, new)
        rho[going] = new
        going = going[np.abs(new - now) > STILL]
    return np.where(np.abs(rho) > PERFECT, np.sign(rho), rho)


def _starts(tables: Array) -> Array:
    """Return correlations of the categories' numbers."""
    place = np.arange(tables.shape[-1], dtype=float)
    n = tables.sum(axis=(1, 2))
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    x, y = rows @ place / n, columns @ place / n
    cross = np.einsum("pab,a,b->p", tables, place, place) / n - x * y
    spread = (rows @ place**2 / n - x**2) * (columns @ place**2 / n - y**2)
    start: Array = np.clip(cross / np.sqrt(spread), -0.9, 0.9)
    return start


def _cells(corners: Array) -> Array:
    """Return what lies between corners (P, K, K), nothing being below the first."""
    padded = np.pad(corners, ((0, 0), (1, 0), (1, 0)))
    cells: Array = np.diff(np.diff(padded, axis=1), axis=2)
    return cells


def _derivatives(tables: Array, left: Array, right: Array, rho: Array) -> tuple[Array, Array]:
    """Return first and second derivatives of the log-likelihoods of tables by rho."""
    share, rate = cell_probabilities(left, right, rho)
    h, k, r = left[:, :, None], right[:, None, :], rho[:, None, None]
    bend = _cells(normal_pdf2(h, k, r) * normal_pdf2_slope(h, k, r))
    share = np.maximum(share, TINY)
    weight = tables / share
    return (weight * rate).sum(axis=(1, 2)), (weight * (bend - rate**2 / share)).sum(axis=(1, 2))


def cell_probabilities(left: Array, right: Array, rho: Array) -> tuple[Array, Array]:
    """Return probabilities of the cells (P, K, K), and their derivatives by rho.

    Parameters
    ----------
    left, right : array (P, K)
        Upper ends of the categories of the rows and the columns.
    rho : array (P,)
    """
    h, k, r = left[:, :, None], right[:, None, :], rho[:, None, None]
    return _cells(normal_cdf2(h, k, r)), _cells(normal_pdf2(h, k, r))


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Scores by category, and what they are divided by.

    Attributes
    ----------
    thresholds, correlations : arrays (p, K, m_i), (P, K, K)
        Scores of a case in a category, or in a cell.
    inverse : array (m, m)
        Of the sums of products of the scores of thresholds.
    along : array (P, m)
        How scores of correlations follow those of the thresholds they rest on.
    size : array (P,)
        Sums of squares of the scores of correlations.
    """

    thresholds: Array
    correlations: Array
    inverse: Array
    along: Array
    size: Array


def _scores(moments: OrdinalMoments) -> _Scores:
    first, second = moments.categories.pairs
    with np.errstate(invalid="ignore", divide="ignore"):
        thresholds, blocks_ = _threshold_scores(moments)
        share, rate = cell_probabilities(moments.bounds[first], moments.bounds[second], moments.rho)
        correlations = np.where(share > FLOOR, rate / np.maximum(share, FLOOR), 0)
        joint = _joint(moments, share, correlations)
        size = (moments.tables * correlations**2).sum(axis=(1, 2))
    inverse = np.asarray(np.linalg.inv(blocks_), float)
    return _Scores(thresholds, correlations, inverse, joint @ inverse, size)


def _of_cases(moments: OrdinalMoments, scores: _Scores, codes: NDArray[np.intp]) -> Array:
    """Return the scores of cases, (n, m + P)."""
    first, second = moments.categories.pairs
    inner = moments.inner
    item, pair = np.arange(len(inner)), np.arange(len(first))
    of_thresholds = scores.thresholds[item, codes][:, inner]
    return np.hstack([of_thresholds, scores.correlations[pair, codes[:, first], codes[:, second]]])


def _gamma(moments: OrdinalMoments) -> Array:
    scores, categories = _scores(moments), moments.categories
    m, pairs = len(moments.thresholds), len(moments.rho)
    squares = np.zeros((m + pairs, m + pairs))
    for codes in categories.chunks(m + pairs):
        chunk = _of_cases(moments, scores, codes)
        squares += chunk.T @ chunk
    inverse, along, size = scores.inverse, scores.along, scores.size
    cross = along @ squares[:m, m:]
    middle = squares[m:, m:] - cross - cross.T + along @ squares[:m, :m] @ along.T
    aside = inverse @ (squares[:m, m:] - squares[:m, :m] @ along.T) / size
    gamma: Array = categories.n * np.block(
        [
            [inverse @ squares[:m, :m] @ inverse, aside],
            [aside.T, middle / np.multiply.outer(size, size)],
        ]
    )
    return gamma


def influences(moments: OrdinalMoments) -> Array:
    """Return the influence of each case on thresholds and correlations, (n, m + P); unweighted.

    `OrdinalMoments.joint_gamma` is n times the sum of their products.
    """
    scores, m = _scores(moments), len(moments.thresholds)
    out = _of_cases(moments, scores, moments.categories.codes)
    out[:, m:] = (out[:, m:] - out[:, :m] @ scores.along.T) / scores.size
    out[:, :m] = out[:, :m] @ scores.inverse
    return out


def designed_gamma(moments: Sequence[OrdinalMoments], cases: SampledCases) -> Array:
    """Return Gamma of the thresholds and correlations of all groups under a sampling design.

    ``(n - G)`` times their covariance under the design, so that errors, whose divisor that is
    elsewhere, are those of the design. Clusters in several groups join these.
    """
    influences_by_group = [influences(of_group) for of_group in moments]
    width = influences_by_group[0].shape[1]
    stacked = np.zeros((sum(map(len, influences_by_group)), width * len(influences_by_group)))
    first = 0
    for g, part in enumerate(influences_by_group):
        stacked[first : first + len(part), g * width : (g + 1) * width] = part
        first += len(part)
    gamma: Array = (cases.n - len(influences_by_group)) * cases.n * cases.mean_square(stacked)
    return gamma


def _threshold_scores(moments: OrdinalMoments) -> tuple[Array, Array]:
    """Return scores of thresholds by category (p, K, K), and the sums of their products (m, m)."""
    counts, bounds, inner = moments.categories.counts(), moments.bounds, moments.inner
    p, most = bounds.shape
    density = np.where(inner, np.exp(-(bounds**2) / 2) / np.sqrt(2 * np.pi), 0)
    share = np.where(counts > 0, counts / moments.categories.size, 1.0)
    up = np.eye(most) - np.eye(most, k=-1)  # category a ends at threshold a, begins at a - 1
    scores = up * density[:, None, :] / share[:, :, None]
    products = np.einsum("pa,pak,pal->pkl", counts, scores, scores)
    blocks = np.zeros((p, most, p, most))
    blocks[np.arange(p), :, np.arange(p)] = products
    flat = inner.ravel()
    return scores, blocks.reshape(p * most, p * most)[np.ix_(flat, flat)]


def _joint(moments: OrdinalMoments, share: Array, scores: Array) -> Array:
    """Return sums of products of the scores of correlations and thresholds of a table, (P, m)."""
    first, second = moments.categories.pairs
    weight = moments.tables * scores / np.maximum(share, FLOOR)
    p, most = moments.bounds.shape
    out = np.zeros((len(first), p, most))
    pair = np.arange(len(first))
    sides = ((first, second, weight), (second, first, weight.swapaxes(1, 2)))
    for edge, across, table in sides:
        rates = _edge_rates(moments.bounds[edge], moments.bounds[across], moments.rho)
        fall = table - np.pad(table[:, 1:], ((0, 0), (0, 1), (0, 0)))
        out[pair, edge] = (fall * rates).sum(axis=2)
    sums: Array = out[:, moments.inner]
    return sums


def _edge_rates(edge: Array, across: Array, rho: Array) -> Array:
    """Return derivatives of a row's cells by the row's upper end, (P, K, K)."""
    from scipy.special import ndtr

    s = np.sqrt((1 - rho) * (1 + rho))[:, None, None]
    reach = ndtr((across[:, None, :] - rho[:, None, None] * edge[:, :, None]) / s)
    density = np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi)
    rates: Array = density[:, :, None] * np.diff(reach, axis=2, prepend=0.0)
    return rates


def _problems(moments: OrdinalMoments) -> list[Problem]:
    categories = moments.categories
    names, sizes = categories.names, categories.sizes
    first, second = categories.pairs
    problems = []
    rare = [
        f"{name} = {value:g}"
        for name, values, row in zip(names, categories.values, categories.counts(), strict=True)
        for value, count in zip(values, row, strict=False)
        if count < FEW
    ]
    if rare:
        problems.append(Problem("rare_category", _first(rare), float(FEW)))
    n_cells = sizes[first] * sizes[second]
    empty = (1 - (moments.tables > 0).sum(axis=(1, 2)) / n_cells) > SPARSE
    if empty.any():
        concerned = [f"{names[first[i]]} × {names[second[i]]}" for i in np.flatnonzero(empty)]
        problems.append(Problem("empty_cells", _first(concerned), float(empty.sum())))
    problems += [
        Problem("perfect", (names[first[i]], names[second[i]]), float(moments.rho[i]))
        for i in np.flatnonzero(np.abs(moments.rho) > PERFECT)
    ]
    smallest = float(np.linalg.eigvalsh(moments.corr)[0])
    if smallest < -1e-9 and not np.any(np.abs(moments.rho) > PERFECT):
        problems.append(Problem("indefinite", value=smallest))
    return problems


def _first(names: list[str]) -> tuple[str, ...]:
    return (*names[:6], "…") if len(names) > 6 else tuple(names)
