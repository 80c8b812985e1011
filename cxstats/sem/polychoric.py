"""Polychoric correlations: those of normal variables of which only categories are seen.

An item is a normal variable cut at thresholds. The thresholds follow from the shares of the
categories; with them fixed, each correlation maximises the likelihood of the table of its two
items (two-step estimation, Olsson 1979). All pairs are worked on at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.formats import as_html, format_number
from cxstats.labels import label
from cxstats.sem.bivariate import normal_cdf2, normal_pdf2, normal_pdf2_slope
from cxstats.sem.categories import Categories, read_categories
from cxstats.sem.problems import Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# A threshold that no answer exceeds; the normal distribution function is 1 there.
BEYOND = 40.0
# Smallest probability of a cell, as in lavaan.
FLOOR = float(np.sqrt(np.finfo(float).eps))
# The search ends here; a correlation beyond PERFECT is taken as 1.
LIMIT, PERFECT = 1 - 1e-9, 1 - 1e-6
MOST_STEPS, STILL = 80, 1e-15
# Fewer answers in a category make its threshold and correlations unsteady.
FEW = 5


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
    """

    categories: Categories
    bounds: Array
    tables: Array
    rho: Array

    @property
    def n(self) -> int:
        """Cases."""
        return self.categories.n

    @property
    def inner(self) -> NDArray[np.bool_]:
        """Which of `bounds` (p, K) are thresholds."""
        found: NDArray[np.bool_] = (
            np.arange(self.bounds.shape[1]) < self.categories.sizes[:, None] - 1
        )
        return found

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
        """n times the asymptotic covariances of thresholds (m, m) and of correlations (P, P).

        ``n B^-1 (S'S) B^-T`` with S the cases' scores of thresholds and correlations and B the
        sums of products of the scores with those of the thresholds that they rest on (Muthen
        1984), without the parts that join thresholds to correlations.
        """
        return _gamma(self)

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
    shares = np.cumsum(counts, axis=1) / categories.n
    bounds = np.minimum(ndtri(np.minimum(shares, 1.0)), BEYOND)
    tables = categories.tables()
    first, second = categories.pairs
    both = (categories.sizes[first] == 2) & (categories.sizes[second] == 2)
    used = _moved(tables, both)
    return OrdinalMoments(
        categories, bounds, tables, _maximised(used, bounds[first], bounds[second])
    )


def _moved(tables: Array, both: NDArray[np.bool_]) -> Array:
    """Return the tables with half a case moved where one of four cells is empty."""
    out, corner = tables.copy(), tables[:, :2, :2]
    one = both & ((corner == 0).sum(axis=(1, 2)) == 1)
    diagonal = (corner[:, 0, 0] == 0) | (corner[:, 1, 1] == 0)
    sign = np.where(diagonal, 0.5, -0.5) * one
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
    found: Array = np.clip(cross / np.sqrt(spread), -0.9, 0.9)
    return found


def _cells(corners: Array) -> Array:
    """Return what lies between corners (P, K, K), nothing being below the first."""
    padded = np.pad(corners, ((0, 0), (1, 0), (1, 0)))
    found: Array = np.diff(np.diff(padded, axis=1), axis=2)
    return found


def _derivatives(tables: Array, left: Array, right: Array, rho: Array) -> tuple[Array, Array]:
    """Return first and second derivatives of the log-likelihoods of tables by rho."""
    share, rate = cell_probabilities(left, right, rho)
    h, k, r = left[:, :, None], right[:, None, :], rho[:, None, None]
    bend = _cells(normal_pdf2(h, k, r) * normal_pdf2_slope(h, k, r))
    weight = np.where(share > FLOOR, tables, 0) / np.maximum(share, FLOOR)
    slope = (weight * rate).sum(axis=(1, 2))
    return slope, (weight * (bend - rate**2 / np.maximum(share, FLOOR))).sum(axis=(1, 2))


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


def _gamma(moments: OrdinalMoments) -> tuple[Array, Array]:
    categories, inner = moments.categories, moments.inner
    first, second = categories.pairs
    with np.errstate(invalid="ignore", divide="ignore"):
        own, blocks_ = _threshold_scores(moments)
        share, rate = cell_probabilities(moments.bounds[first], moments.bounds[second], moments.rho)
        scores = np.where(share > FLOOR, rate / np.maximum(share, FLOOR), 0)
        joint = _joint(moments, share, scores)
        size = (moments.tables * scores**2).sum(axis=(1, 2))
    m, each, pair = int(inner.sum()), np.arange(len(inner)), np.arange(len(first))
    squares = np.zeros((m + len(pair), m + len(pair)))
    for codes in categories.parts(m + len(pair)):
        part = np.empty((len(codes), m + len(pair)))
        part[:, :m] = own[each, codes][:, inner]
        part[:, m:] = scores[pair, codes[:, first], codes[:, second]]
        squares += part.T @ part
    inverse = np.linalg.inv(blocks_)
    taken = joint @ inverse
    cross = taken @ squares[:m, m:]
    middle = squares[m:, m:] - cross - cross.T + taken @ squares[:m, :m] @ taken.T
    thresholds: Array = categories.n * inverse @ squares[:m, :m] @ inverse
    return thresholds, categories.n * middle / np.multiply.outer(size, size)


def _threshold_scores(moments: OrdinalMoments) -> tuple[Array, Array]:
    """Return scores of thresholds by category (p, K, K), and the sums of their products (m, m)."""
    counts, bounds, inner = moments.categories.counts(), moments.bounds, moments.inner
    p, most = bounds.shape
    density = np.where(inner, np.exp(-(bounds**2) / 2) / np.sqrt(2 * np.pi), 0)
    share = np.where(counts > 0, counts / moments.n, 1.0)
    up = np.eye(most) - np.eye(most, k=-1)  # category a ends at threshold a, begins at a - 1
    scores = up * density[:, None, :] / share[:, :, None]
    products = np.einsum("pa,pak,pal->pkl", counts, scores, scores)
    whole = np.zeros((p, most, p, most))
    whole[np.arange(p), :, np.arange(p)] = products
    flat = inner.ravel()
    return scores, whole.reshape(p * most, p * most)[np.ix_(flat, flat)]


def _joint(moments: OrdinalMoments, share: Array, scores: Array) -> Array:
    """Return sums of products of the scores of correlations and thresholds of a table, (P, m)."""
    first, second = moments.categories.pairs
    weight = moments.tables * scores / np.maximum(share, FLOOR)
    p, most = moments.bounds.shape
    out = np.zeros((len(first), p, most))
    pair = np.arange(len(first))
    sides = ((first, second, weight), (second, first, weight.swapaxes(1, 2)))
    for one, other, table in sides:
        rates = _edge_rates(moments.bounds[one], moments.bounds[other], moments.rho)
        fall = table - np.pad(table[:, 1:], ((0, 0), (0, 1), (0, 0)))
        out[pair, one] = (fall * rates).sum(axis=2)
    found: Array = out[:, moments.inner]
    return found


def _edge_rates(edge: Array, across: Array, rho: Array) -> Array:
    """Return derivatives of a row's cells by the row's upper end, (P, K, K)."""
    from scipy.special import ndtr

    s = np.sqrt((1 - rho) * (1 + rho))[:, None, None]
    reach = ndtr((across[:, None, :] - rho[:, None, None] * edge[:, :, None]) / s)
    density = np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi)
    found: Array = density[:, :, None] * np.diff(reach, axis=2, prepend=0.0)
    return found


def _problems(moments: OrdinalMoments) -> list[Problem]:
    categories = moments.categories
    names, sizes = categories.names, categories.sizes
    first, second = categories.pairs
    found = []
    rare = [
        f"{name} = {value:g}"
        for name, values, row in zip(names, categories.values, categories.counts(), strict=True)
        for value, count in zip(values, row, strict=False)
        if count < FEW
    ]
    if rare:
        found.append(Problem("rare_category", _first(rare), float(FEW)))
    there = sizes[first] * sizes[second]
    empty = (moments.tables > 0).sum(axis=(1, 2)) < there
    if empty.any():
        concerned = [f"{names[first[i]]} × {names[second[i]]}" for i in np.flatnonzero(empty)]
        found.append(Problem("empty_cells", _first(concerned), float(empty.sum())))
    found += [
        Problem("perfect", (names[first[i]], names[second[i]]), float(moments.rho[i]))
        for i in np.flatnonzero(np.abs(moments.rho) > PERFECT)
    ]
    smallest = float(np.linalg.eigvalsh(moments.corr)[0])
    if smallest < -1e-9 and not np.any(np.abs(moments.rho) > PERFECT):
        found.append(Problem("indefinite", value=smallest))
    return found


def _first(names: list[str]) -> tuple[str, ...]:
    return (*names[:6], "…") if len(names) > 6 else tuple(names)


@dataclass(frozen=True, eq=False)
class Polychoric:
    """Polychoric correlations of ordered answers.

    Attributes
    ----------
    corr : pandas.DataFrame
        The correlations.
    table : pandas.DataFrame
        One row per threshold (``item | t1``) and correlation (``item ~~ item``): ``lhs, op, rhs,
        estimate, se``; no standard error of a correlation of 1.
    n, dropped : int
        Complete cases, and cases left out because an answer was missing.
    problems : tuple of Problem
        Rare categories, empty cells, correlations of 1, a matrix that is not positive.
    moments : OrdinalMoments
        The same as arrays, with the tables of all pairs.
    """

    corr: pd.DataFrame
    table: pd.DataFrame
    n: int
    dropped: int
    problems: tuple[Problem, ...]
    moments: OrdinalMoments
    synthetic: bool = False

    @property
    def thresholds(self) -> pd.DataFrame:
        """One row per item, columns ``t1, t2, ...``; NaN where an item has fewer."""
        rows = self.table[self.table["op"] == "|"]
        wide = rows.pivot(index="lhs", columns="rhs", values="estimate")
        found: pd.DataFrame = wide.reindex(
            index=self.corr.index, columns=sorted(wide.columns, key=lambda name: int(name[1:]))
        ).rename_axis(index=None, columns=None)
        return found

    def summary(self, lang: str = "en") -> str:
        """Return the sample, the range of the correlations and what is doubtful."""
        lines = [
            label(
                "sem.polychoric.head",
                lang,
                p=len(self.corr),
                n=format_number(self.n),
                dropped=format_number(self.dropped),
                low=format_number(float(self.moments.rho.min()), 2),
                high=format_number(float(self.moments.rho.max()), 2),
            )
        ]
        if self.synthetic:
            lines.append(label("sem.synthetic", lang))
        lines += [label("sem.problem.head", lang, text=p.text(lang)) for p in self.problems]
        return "\n".join(lines)

    def plot(self, lang: str = "en", **options: Any) -> Axes:
        """Draw the correlations with 95 % intervals; options of `cxstats.charts.intervals`."""
        from cxstats.charts import intervals

        rows = self.table[self.table["op"] == "~~"].sort_values("estimate", ascending=False)
        given: dict[str, Any] = {
            "source": label("sem.polychoric.source", lang, n=self.n),
            "axis": label("sem.polychoric.axis", lang),
            "level": 0.95,
            "synthetic": self.synthetic,
            "title": self.summary(lang).split("\n", maxsplit=1)[0],
        }
        reach = 1.959963984540054 * rows["se"]
        return intervals(
            [f"{a} – {b}" for a, b in zip(rows["lhs"], rows["rhs"], strict=True)],
            rows["estimate"],
            rows["estimate"] - reach,
            rows["estimate"] + reach,
            lang=lang,
            **given | options,
        )

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.corr)


def polychoric(frame: Any, columns: Sequence[str] | None = None) -> Polychoric:
    """Return polychoric correlations of ordered answers (tetrachoric ones of two categories).

    Thresholds are ``Phi^-1`` of the cumulative shares; each correlation maximises
    ``sum n_ab log P_ab(rho)``, P the bivariate normal probabilities of the cells (Olsson 1979).

    Parameters
    ----------
    frame : table
        Respondents in rows; cases with a missing answer are left out and counted. Answers are
        whole numbers; the categories of an item are those that occur.
    columns : sequence of str, optional
        The items; without it, all columns.

    Raises
    ------
    DataError, CxError
        If answers are not whole numbers, all the same, or more than twenty different ones.

    References
    ----------
    Olsson (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika 44, 443-460. Muthen (1984). A general structural equation model with
    dichotomous, ordered categorical, and continuous latent variable indicators. Psychometrika 49,
    115-132.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = [[1, 1]] * 30 + [[1, 2]] * 10 + [[2, 1]] * 12 + [[2, 2]] * 48
    >>> polychoric(pd.DataFrame(answers, columns=["a", "b"])).corr.loc["a", "b"].round(6).item()
    0.759469
    """
    import pandas as pd

    moments = ordinal_moments(read_categories(frame, columns))
    names = list(moments.categories.names)
    return Polychoric(
        pd.DataFrame(moments.corr, names, names),
        pd.concat([threshold_rows(moments), _pair_rows(moments)], ignore_index=True),
        moments.n,
        moments.categories.dropped,
        moments.problems(),
        moments,
        bool(getattr(frame, "attrs", {}).get("synthetic", False)),
    )


def threshold_rows(moments: OrdinalMoments) -> pd.DataFrame:
    """Return thresholds as rows of a table: ``lhs, op, rhs, estimate, se``."""
    import pandas as pd

    item, place = np.nonzero(moments.inner)
    names = moments.categories.names
    return pd.DataFrame(
        {
            "lhs": [names[i] for i in item],
            "op": "|",
            "rhs": [f"t{k + 1}" for k in place],
            "estimate": moments.thresholds,
            "se": np.sqrt(np.diagonal(moments.gamma[0]) / (moments.n - 1)),
        }
    )


def _pair_rows(moments: OrdinalMoments) -> pd.DataFrame:
    import pandas as pd

    first, second = moments.categories.pairs
    names = moments.categories.names
    with np.errstate(invalid="ignore"):
        se = np.sqrt(np.diagonal(moments.gamma[1]) / (moments.n - 1))
    return pd.DataFrame(
        {
            "lhs": [names[i] for i in first],
            "op": "~~",
            "rhs": [names[j] for j in second],
            "estimate": moments.rho,
            "se": np.where(np.abs(moments.rho) > PERFECT, np.nan, se),
        }
    )
