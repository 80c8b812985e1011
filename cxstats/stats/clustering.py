"""Clusters: k-means, Gaussian mixtures, how many there are, and whether they are stable.

References
----------
Tibshirani, Walther & Hastie (2001). Estimating the number of clusters in a data set via the gap
statistic. JRSS B 63(2), 411-423.
Dudoit & Fridlyand (2002). A prediction-based resampling method for estimating the number of
clusters in a dataset. Genome Biology 3(7), research0036.
Fraley & Raftery (2002). Model-based clustering, discriminant analysis, and density estimation.
JASA 97, 611-631.
Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data
Analysis 52(1), 258-271.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.moments import SEEDS, resampling_counts
from cxstats.core.progress import tracked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Labels = NDArray[np.intp]

REFERENCES = ("pca", "range")
# scikit-learn's names of the shapes; in mclust they are VII, VVI, EEE and VVV.
COVARIANCES = ("spherical", "diag", "tied", "full")
STARTS = 25  # of k-means; the best of them counts
# Of the gap statistic: the data are divided with the same care as the sets they are held against.
GAP_STARTS = 3
MIXTURE_STARTS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """A division of points into k clusters.

    Attributes
    ----------
    labels : array (n,)
        The cluster of each point, from 0.
    centres : array (k, p)
    predict : callable (points (m, p)) -> labels (m,)
        The cluster of other points.
    certainty : callable (points (m, p)) -> (m,), or None
        Of mixtures: the probability of the cluster that a point is put in.
    converged : bool
    """

    labels: Labels
    centres: Array
    predict: Callable[[Array], Labels]
    certainty: Callable[[Array], Array] | None = None
    converged: bool = True

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centres)

    def of(self, points: Array) -> Clusters:
        """Return the clusters of other points (m, p); the centres stay."""
        return replace(self, labels=self.predict(points))

    def renumbered(self, order: Labels) -> Clusters:
        """Return some of the clusters in another order; no point may be in one that is left out.

        Examples
        --------
        >>> clusters = k_means(np.array([[0.0], [1.0], [10.0]]), 1, seed=1)
        >>> clusters.renumbered(np.array([0])).k
        1
        """
        place = np.zeros(self.k, np.intp)
        place[order] = np.arange(len(order))
        return replace(
            self,
            labels=place[self.labels],
            centres=self.centres[order],
            predict=lambda points: place[self.predict(points)],
        )


Fit = Callable[["Array", int], Clusters]  # points (n, p) and a seed


def k_means(
    points: Array, k: int, seed: int, start: Array | None = None, n_starts: int = STARTS
) -> Clusters:
    """Divide points by k-means: the least sum of squared distances to k means.

    Parameters
    ----------
    points : array (n, p)
    k : int
        At most the number of distinct points.
    seed : int
        Of the starts, by k-means++.
    start : array (k, p), optional
        One start instead.
    n_starts : int
        The best of so many counts.

    References
    ----------
    Lloyd (1982). Least squares quantization in PCM. IEEE Transactions on Information Theory 28,
    129-137. Arthur & Vassilvitskii (2007). k-means++: the advantages of careful seeding. SODA.

    Examples
    --------
    >>> clusters = k_means(np.array([[0.0], [1.0], [10.0], [11.0]]), 2, seed=1)
    >>> sorted(clusters.centres.ravel().tolist())
    [0.5, 10.5]
    """
    from sklearn.cluster import KMeans

    if k == 1:
        return _one_cluster(points)
    options: dict[str, Any] = {"init": "k-means++", "n_init": n_starts}
    if start is not None:
        options = {"init": start, "n_init": 1}
    with _only_convergence() as told:
        model = KMeans(k, random_state=seed % SEEDS, **options).fit(points)
    return Clusters(model.labels_, model.cluster_centers_, model.predict, None, not told)


def within_ss(points: Array, labels: Labels) -> float:
    """Return the sum of squared distances of points (n, p) to the mean of their cluster.

    Examples
    --------
    >>> within_ss(np.array([[0.0], [2.0], [10.0]]), np.array([0, 0, 1]))
    2.0
    """
    total = 0.0
    for cluster in np.unique(labels):
        members = points[labels == cluster]
        total += float(((members - members.mean(axis=0)) ** 2).sum())
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """The gap statistic of 1 to k_max clusters.

    Attributes
    ----------
    log_w : array (k_max,)
        Log of the sum of squares within clusters.
    simulated : array (B, k_max)
        The same of data sets without clusters.
    """

    log_w: Array
    simulated: Array

    @property
    def gap(self) -> Array:
        """By how much the data divide better than data without clusters, (k_max,)."""
        return np.asarray(self.simulated.mean(axis=0) - self.log_w)

    @property
    def se(self) -> Array:
        """Error of the gap from B data sets, ``sd sqrt(1 + 1/B)``, (k_max,)."""
        return np.asarray(self.simulated.std(axis=0) * np.sqrt(1 + 1 / len(self.simulated)))

    def first(self) -> int:
        """Return the smallest k with ``gap_k >= gap_k+1 - se_k+1`` (Tibshirani et al.)."""
        enough = self.gap[:-1] >= self.gap[1:] - self.se[1:]
        return int(np.argmax(enough)) + 1 if enough.any() else len(self.gap)

    def near_maximum(self) -> int:
        """Return the smallest k within one error of the largest gap (Dudoit and Fridlyand)."""
        best = int(np.argmax(self.gap))
        return int(np.argmax(self.gap >= self.gap[best] - self.se[best])) + 1

    def p_value(self) -> float:
        """Return how often data without clusters divide as well as these, by any k above 1.

        Of each data set, ``d_k = log W_k - log W_1`` is compared with the mean and standard
        deviation over all sets, the data among them, and the largest ``(mean_k - d_k) / sd_k``
        counts. The rank of the data among B + 1 such numbers is exact where data without clusters
        are spread evenly over the box, and cautious where they are denser in the middle.
        """
        every = np.vstack([self.log_w, self.simulated])
        gains = every[:, :1] - every[:, 1:]
        spread = np.maximum(gains.std(axis=0), np.finfo(float).tiny)
        largest = ((gains - gains.mean(axis=0)) / spread).max(axis=1)
        return float(np.mean(largest >= largest[0]))


def gap_statistic(
    points: Array, k_max: int, seed: int, reference: str = "pca", n_references: int = 99
) -> Gap:
    """Compare k-means with what it reaches on data without clusters.

    ``gap(k) = mean log W*(k) - log W(k)``, W the sum of squares within clusters, W* that of points
    spread evenly over a box.

    Parameters
    ----------
    points : array (n, p)
    k_max : int
        At most the number of distinct points less one.
    seed : int
    reference : {"pca", "range"}
        A box along the principal components, which allows for correlated columns, or along the
        columns.
    n_references : int
        Data sets drawn (B), at least 2.

    References
    ----------
    Tibshirani, Walther & Hastie (2001). JRSS B 63(2), 411-423.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> two = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(9, 1, (60, 2))])
    >>> gap_statistic(two, 4, seed=1).first()
    2
    """
    rng = np.random.default_rng(seed)
    centred = points - points.mean(axis=0)
    rotation = np.eye(points.shape[1])
    if reference == "pca":
        rotation = np.linalg.svd(centred, full_matrices=False)[2].T
    scores = centred @ rotation
    low, high = scores.min(axis=0), scores.max(axis=0)
    log_w = _log_within(centred, k_max, rng)
    simulated = np.empty((n_references, k_max))
    for b, _ in tracked(n_references, 1):
        box = rng.uniform(low, high, size=scores.shape)
        simulated[b] = _log_within(box, k_max, rng)
    return Gap(log_w, simulated)


def _log_within(points: Array, k_max: int, rng: np.random.Generator) -> Array:
    seeds = rng.integers(2**31 - 1, size=k_max)
    sums = [
        within_ss(points, k_means(points, k + 1, int(seed), n_starts=GAP_STARTS).labels)
        for k, seed in enumerate(seeds)
    ]
    return np.asarray(np.log(np.maximum(sums, np.finfo(float).tiny)))


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A Gaussian mixture.

    Attributes
    ----------
    clusters : Clusters
    log_likelihood, bic : float
        ``bic = m log n - 2 log_likelihood`` with m free parameters; less is better.
    covariance : str
        The shape of the covariances.
    """

    clusters: Clusters
    log_likelihood: float
    bic: float
    covariance: str


def mixture(points: Array, k: int, covariance: str, seed: int) -> Mixture:
    """Fit a mixture of k normal distributions by maximum likelihood (EM).

    Parameters
    ----------
    points : array (n, p)
    k : int
    covariance : {"spherical", "diag", "tied", "full"}
        A variance a cluster; variances a cluster; one matrix for all; a matrix a cluster.
    seed : int

    References
    ----------
    Fraley & Raftery (2002). JASA 97, 611-631.

    Examples
    --------
    >>> points = np.random.default_rng(1).normal(size=(200, 2))
    >>> fits = [mixture(points, k, "full", seed=1) for k in (1, 2)]
    >>> fits[0].bic < fits[1].bic
    True
    """
    from sklearn.mixture import GaussianMixture

    with _only_convergence() as told:
        model = GaussianMixture(
            k, covariance_type=covariance, n_init=MIXTURE_STARTS, max_iter=500, tol=1e-4,
            random_state=seed % SEEDS,
        ).fit(points)  # fmt: skip

    def certainty(others: Array) -> Array:
        return np.asarray(model.predict_proba(others).max(axis=1))

    clusters = Clusters(model.predict(points), model.means_, model.predict, certainty, not told)
    log_likelihood = float(model.score(points)) * len(points)
    return Mixture(clusters, log_likelihood, float(model.bic(points)), covariance)


def best_mixture(points: Array, k: int, seed: int) -> Mixture:
    """Return the mixture of k clusters with the least BIC over the shapes of covariances."""
    shapes = COVARIANCES if points.shape[1] > 1 else ("tied", "full")
    return min((mixture(points, k, shape, seed) for shape in shapes), key=lambda m: m.bic)


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """How alike clusters of bootstrap samples are to those of the data.

    Attributes
    ----------
    adjusted_rand : array (B,)
        Between both divisions of the points drawn; 0 is chance, 1 the same.
    jaccard : array (B, k)
        Of each cluster with the one of the resample that is most like it.
    """

    adjusted_rand: Array
    jaccard: Array


def stability(
    points: Array, labels: Labels, k: int, fit: Fit, n_resamples: int, seed: int
) -> Stability:
    """Divide bootstrap samples in the same way and compare.

    Parameters
    ----------
    points : array (n, p)
    labels : array (n,)
        Clusters of the data, 0 to k - 1.
    k : int
    fit : callable (points, seed) -> Clusters
    n_resamples, seed : int

    Returns
    -------
    Stability
        Each point counts once, however often it was drawn.

    References
    ----------
    Hubert & Arabie (1985). Comparing partitions. Journal of Classification 2, 193-218. Hennig
    (2007). Computational Statistics & Data Analysis 52(1), 258-271.
    """
    from sklearn.metrics import adjusted_rand_score

    rand, jaccards = np.full(n_resamples, np.nan), np.full((n_resamples, k), np.nan)
    for start, counts in resampling_counts(len(points), n_resamples, seed):
        for b, times in enumerate(counts.astype(int), start):
            drawn = times > 0
            if len(np.unique(points[drawn], axis=0)) < k:
                continue
            clusters = fit(np.repeat(points, times, axis=0), seed + b)
            others = clusters.predict(points[drawn])
            rand[b] = adjusted_rand_score(labels[drawn], others)
            jaccards[b] = jaccard(labels[drawn], others, k)
    return Stability(rand, jaccards)


def jaccard(labels: Labels, others: Labels, k: int) -> Array:
    """Return for each of k clusters the largest ``|A and B| / |A or B|`` with another division's.

    Parameters
    ----------
    labels, others : arrays (n,)
        Two divisions of the same points, from 0.
    k : int
        Clusters of the first.

    Returns
    -------
    array (k,)
        NaN for a cluster without a point.

    Examples
    --------
    >>> jaccard(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]), 2).round(2).tolist()
    [0.67, 0.5]
    """
    counts = np.zeros((k, int(others.max()) + 1))
    np.add.at(counts, (labels, others), 1)
    union = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0) - counts
    with np.errstate(invalid="ignore", divide="ignore"):
        best = (counts / union).max(axis=1)
    return np.where(counts.sum(axis=1) > 0, best, np.nan)


def _one_cluster(points: Array) -> Clusters:
    def predict(others: Array) -> Labels:
        return np.zeros(len(others), np.intp)

    return Clusters(predict(points), points.mean(axis=0, keepdims=True), predict)


@contextmanager
def _only_convergence() -> Iterator[list[warnings.WarningMessage]]:
    """Collect scikit-learn's warnings that a fit did not converge; the result says so itself."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ConvergenceWarning)
        yield told
