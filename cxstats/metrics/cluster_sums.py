"""What each cluster of a design adds to the sums of each group, and the covariance that follows.

The engine adds up by group, stratum and cluster; only these sums leave it. The covariance of the
means of all groups is that of Taylor linearisation with clusters drawn with replacement, which R's
survey package computes. A group is a domain: clusters without an answer of it still count.

References
----------
Binder (1983). On the variances of asymptotically normal estimators from complex surveys.
International Statistical Review 51(3), 279-292.
Korn & Graubard (1998). Confidence intervals for proportions with small expected number of positive
counts estimated from survey data. Survey Methodology 24(2), 193-201.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.intp]

AT_ONCE = 10_000  # pairs of groups in one sparse product
# Clusters below which even t intervals are known to cover too little (Cameron & Miller 2015).
TOO_FEW_CLUSTERS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Covariance of the estimates of g groups, in factors: ``V = A'A - B'B + diag(c)``.

    A dense matrix of a hundred thousand groups would not fit anywhere; pairs are all that
    comparisons ask for.

    Attributes
    ----------
    by_cluster : sparse (C, g)
        Influence of each cluster on each group, scaled by ``sqrt(n_h / (n_h - 1))``.
    by_stratum : sparse (H, g)
        Its sums over each stratum, scaled by ``sqrt(1 / (n_h - 1))``.
    by_row : array (g,)
        Sums of squares of rows that are their own clusters.
    members : sparse (C, g)
        1 where a cluster has an answer of the group.
    layers : sparse (H, g)
        The same of strata.
    rows : array (g,)
        Answers, where rows are their own clusters; else 0.
    """

    by_cluster: Any
    by_stratum: Any
    by_row: Array
    members: Any
    layers: Any
    rows: Array

    def variances(self) -> Array:
        """Return the variance of each estimate (g,)."""
        squares = [np.asarray(part.multiply(part).sum(axis=0)).ravel() for part in self._factors]
        return np.asarray(np.maximum(squares[0] - squares[1] + self.by_row, 0))

    def of_pairs(self, first: Any, second: Any) -> Array:
        """Return the covariance of each pair of groups (pairs,)."""
        first, second = np.asarray(first), np.asarray(second)
        added = [_products(part, first, second) for part in self._factors]
        return added[0] - added[1] + np.where(first == second, self.by_row[first], 0.0)

    def matrix(self, rows: Any) -> Array:
        """Return the covariances of some groups (k, k)."""
        a, b = (part[:, rows].toarray() for part in self._factors)
        return np.asarray(a.T @ a - b.T @ b + np.diag(self.by_row[rows]), float)

    def scaled(self, factor: float) -> Covariance:
        """Return the covariance of the estimates times a factor."""
        return replace(
            self,
            by_cluster=self.by_cluster * factor,
            by_stratum=self.by_stratum * factor,
            by_row=self.by_row * factor**2,
        )

    def clusters(self) -> Array:
        """Return in how many clusters each group has answers (g,)."""
        return np.asarray(np.asarray(self.members.sum(axis=0)).ravel() + self.rows, float)

    def df(self) -> Array:
        """Return the degrees of freedom of each group (g,): its clusters less its strata."""
        return np.asarray(self.clusters() - np.asarray(self.layers.sum(axis=0)).ravel(), float)

    def df_of_pairs(self, first: Any, second: Any) -> Array:
        """Return the degrees of freedom of each pair: clusters of either, less strata of either."""
        own = self.df()
        shared = _products(self.members, first, second) - _products(self.layers, first, second)
        return np.asarray(own[first] + own[second] - shared)

    def df_of_all(self, rows: Any) -> float:
        """Return the degrees of freedom of some groups together."""
        parts = (self.members, self.layers)
        together = [int((part[:, rows].sum(axis=1) > 0).sum()) for part in parts]
        return float(together[0] - together[1] + self.rows[rows].sum())

    @property
    def _factors(self) -> tuple[Any, Any]:
        return self.by_cluster, self.by_stratum


def _products(part: Any, first: Any, second: Any) -> Array:
    """Return the inner product of pairs of columns of a sparse matrix."""
    sums = [np.zeros(0)]
    for start in range(0, len(first), AT_ONCE):
        a, b = (part[:, rows[start : start + AT_ONCE]] for rows in (first, second))
        sums.append(np.asarray(a.multiply(b).sum(axis=0), float).ravel())
    return np.concatenate(sums)


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """Sums by group and cluster.

    Attributes
    ----------
    group : array (cells,)
        Number of the group of a cell; -1 where it has none.
    cluster : array (cells,)
        Number of its cluster; of its stratum, where rows are their own clusters.
    stratum : array (C,)
        Number of the stratum of each cluster.
    units : array (H,)
        Clusters of each stratum, with answers or without; rows, where these are the clusters.
    groups : int
        Number of groups.
    clustered : bool
        Whether there are clusters beyond the rows themselves.
    rows, n, w, wv, ww, wwv, wwvv : arrays (cells,)
        Rows, answers, and the sums of `cxstats.metrics.group_sums.Sums`.
    """

    group: Codes
    cluster: Codes
    stratum: Codes
    units: Array
    groups: int
    clustered: bool
    rows: Array
    n: Array
    w: Array
    wv: Array
    ww: Array
    wwv: Array
    wwvv: Array

    def total(self, values: Array) -> Array:
        """Return the sums of the cells of each group (g,)."""
        inside = self.group >= 0
        return np.bincount(self.group[inside], values[inside], self.groups).astype(np.float64)

    def covariance(self) -> Covariance:
        """Return the covariance of the means ``sum(w v) / sum(w)`` of the groups."""
        return self._covariance(self.wv, self.w, (self.ww, self.wwv, self.wwvv))

    def covariance_of_missing(self) -> Covariance:
        """Return the covariance of the shares of rows without an answer."""
        missing = self.rows - self.n
        return self._covariance(missing, self.rows, (self.rows, missing, missing))

    def kish(self) -> Array:
        """Return ``sum(w_c)^2 / sum(w_c^2)`` over the clusters of each group (g,).

        That many answers a group has if all of a cluster are alike.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = self.total(self.w**2) if self.clustered else self.total(self.ww)
            return self.total(self.w) ** 2 / squares

    def of_cluster(self) -> tuple[Array, Array, Codes]:
        """Return weighted sums and weights of the clusters with answers, and their groups."""
        inside = (self.group >= 0) & (self.w > 0)
        return self.wv[inside], self.w[inside], self.group[inside]

    def assigned(self) -> NDArray[np.int64]:
        """Return how many clusters have rows in each group (g,), with an answer or without."""
        inside = self.group >= 0
        return np.bincount(self.group[inside], minlength=self.groups)

    def in_several(self) -> int:
        """Return how many clusters have rows in more than one group."""
        inside = self.group >= 0
        return int((np.bincount(self.cluster[inside]) > 1).sum())

    def _covariance(self, v: Array, w: Array, squares: tuple[Array, Array, Array]) -> Covariance:
        from scipy.sparse import csc_matrix

        weight, inside = self.total(w), (self.group >= 0) & (w > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.total(v) / weight
        group, cluster = self.group[inside], self.cluster[inside]
        influence = (v[inside] - mean[group] * w[inside]) / weight[group]
        layer = self.stratum[cluster]
        units = self.units[layer]
        shape = (len(self.stratum), self.groups)
        strata = (len(self.units), self.groups)
        ones = np.ones(len(group))
        layers = (csc_matrix((ones, (layer, group)), strata) > 0).astype(float)
        common = csc_matrix((influence / np.sqrt(units - 1), (layer, group)), strata)
        if self.clustered:
            scaled = influence * np.sqrt(units / (units - 1))
            return Covariance(
                csc_matrix((scaled, (cluster, group)), shape), common, np.zeros(self.groups),
                csc_matrix((ones, (cluster, group)), shape), layers, np.zeros(self.groups),
            )  # fmt: skip
        w2, w2v, w2v2 = (part[inside] for part in squares)
        m = mean[group]
        own = units / (units - 1) * (w2v2 - 2 * m * w2v + m**2 * w2) / weight[group] ** 2
        nothing = csc_matrix(shape)
        return Covariance(
            nothing, common, np.bincount(group, own, self.groups).astype(np.float64),
            nothing, layers, self.total(self.n),
        )  # fmt: skip
