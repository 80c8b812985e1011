"""How respondents were sampled: weights, clusters and strata, and what they do to errors.

One object serves every method. A method gives the influence of each respondent on its estimates
(the linearised values) and gets their covariance; or it draws resamples that keep the design.

References
----------
Binder (1983). On the variances of asymptotically normal estimators from complex surveys.
International Statistical Review 51(3), 279-292.
Rao & Wu (1988). Resampling inference with complex survey data. JASA 83, 231-241.
Rao, Wu & Yue (1992). Some recent work on resampling methods for complex surveys. Survey
Methodology 18(2), 209-217.
Lumley (2010). Complex surveys: A guide to analysis using R. Wiley.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.cells import as_floats, check_group_values
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.language import Text, both
from cxstats.core.messages import excerpt, no_column, row_name
from cxstats.core.moments import DRAWN, Moments, Seed, check_resamples, resampling_counts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.intp]

# Clusters below which linearised errors are known to be too small (Cameron & Miller 2015).
FEW_CLUSTERS = 30


@dataclass(frozen=True)
class Design:
    """The columns that say how respondents were sampled.

    Attributes
    ----------
    weights : str, optional
        Sampling weights, from 0 upwards: how many people a respondent stands for. Only their
        ratios matter.
    cluster : str, optional
        What was sampled first, such as the customer of several visits or the branch of several
        customers; rows of one cluster may depend on each other in any way.
    strata : str, optional
        Within which the clusters (or respondents) were sampled. The same name of a cluster in two
        strata means two clusters.

    Examples
    --------
    >>> Design(weights="weight", cluster="branch").columns
    ('weight', 'branch')
    """

    weights: str | None = None
    cluster: str | None = None
    strata: str | None = None

    def __post_init__(self) -> None:
        for name in ("weights", "cluster", "strata"):
            column = getattr(self, name)
            if column is not None and not isinstance(column, str):
                raise CxError(f"{name}={column!r}; allowed: the name of a column")

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns named."""
        return tuple(name for name in (self.weights, self.cluster, self.strata) if name)

    def read(self, data: Any) -> SampledRows:
        """Return the design of every row of a table.

        Parameters
        ----------
        data : pandas, Polars, PyArrow table or DuckDB relation

        Raises
        ------
        CxError
            If the data are moments, which have no respondents.
        DataError
            Naming the column and the row of a weight that is negative, missing or no number, or of
            a respondent without cluster or stratum; or a stratum with a single cluster.
        """
        if not self.columns:
            raise CxError("the design names no column; allowed: weights=, cluster=, strata=")
        if isinstance(data, Moments | Mapping):
            raise CxError(
                "a sampling design needs the respondents; these are moments: pass a table"
            )
        frame = as_pandas(data)
        for name in self.columns:
            if name not in frame.columns:
                raise DataError(no_column(name, frame.columns, ", of the design,"))
            if list(frame.columns).count(name) > 1:
                raise DataError(f"column {name!r}, of the design, stands twice in the table")
        weights = None if self.weights is None else _weights(frame[self.weights])
        cluster = None if self.cluster is None else _codes(frame[self.cluster], "cluster")
        strata = None if self.strata is None else _codes(frame[self.strata], "stratum")
        return SampledRows.of(len(frame), weights, cluster, strata, self)


def design_of(
    design: Design | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    strata: str | None = None,
) -> Design | None:
    """Return the one design that a method's keywords amount to; None where there are none.

    Raises
    ------
    CxError
        If `design` is no Design, or is given beside a keyword that it holds itself.

    Examples
    --------
    >>> design_of(weights="w", cluster="branch")
    Design(weights='w', cluster='branch', strata=None)
    """
    keywords = {"weights": weights, "cluster": cluster, "strata": strata}
    named = {name: value for name, value in keywords.items() if value is not None}
    if design is None:
        return Design(**named) if named else None
    if not isinstance(design, Design):
        raise CxError(f"design={design!r}; allowed: cx.Design(weights=..., cluster=..., ...)")
    if named:
        raise CxError(
            f"{', '.join(f'{name}=' for name in named)} beside design=; say it in cx.Design alone"
        )
    return design if design.columns else None


def refuse_design(
    method: str, why: str, design: Design | None, weights: str | None, cluster: str | None
) -> None:
    """Raise if a sampling design is given to a method that has none, saying what to do.

    Examples
    --------
    >>> refuse_design("kano", "it counts answers", None, None, None)
    """
    if design_of(design, weights, cluster) is not None:
        raise CxError(
            f"{method} takes no weights, clusters or strata: {why}; those of a codebook are left "
            "out by weights=None"
        )


@dataclass(frozen=True, slots=True, eq=False)
class SampledRows:
    """The design of n rows.

    Attributes
    ----------
    weights : array (n,)
        Scaled to a mean of 1; ones without weights.
    cluster : array (n,)
        Number of the cluster of each row, from 0, strata told apart; the row itself without.
    stratum : array (C,)
        Number of the stratum of each cluster.
    design : Design
        The columns.
    """

    weights: Array
    cluster: Codes
    stratum: Codes
    design: Design

    @classmethod
    def of(
        cls,
        n: int,
        weights: ArrayLike | None = None,
        cluster: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        design: Design | None = None,
    ) -> SampledRows:
        """Return the design of n rows from codes of clusters and strata.

        Raises
        ------
        DataError
            If all weights are 0, or a stratum has one cluster, whose variance nobody can know.
        """
        w = np.ones(n) if weights is None else np.asarray(weights, float)
        if not w.sum() > 0:
            raise DataError("the weights add up to 0")
        units = np.arange(n) if cluster is None else np.asarray(cluster)
        layers = np.zeros(n, np.intp) if strata is None else np.asarray(strata)
        pairs, code = np.unique(np.column_stack([layers, units]), axis=0, return_inverse=True)
        stratum = np.unique(pairs[:, 0], return_inverse=True)[1]
        rows = cls(w / w.mean(), code.reshape(n), stratum, design or Design())
        alone = np.flatnonzero(rows.clusters_by_stratum == 1)
        if len(alone):
            raise DataError(_single(rows, alone, strata is not None))
        return rows

    @classmethod
    def plain(cls, n: int) -> SampledRows:
        """Return n rows of a simple sample; one row, or none, has a mean and no error."""
        return cls(np.ones(n), np.arange(n), np.zeros(n, np.intp), Design())

    def weighted(self, rows: NDArray[np.bool_]) -> SampledRows:
        """Return the same design where only the rows marked (n,) have a weight: a domain."""
        return SampledRows(self.weights * rows, self.cluster, self.stratum, self.design)

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.weights)

    @property
    def n_clusters(self) -> int:
        """Clusters in all strata; rows, where there are no clusters."""
        return len(self.stratum)

    @property
    def clusters_by_stratum(self) -> NDArray[np.int64]:
        """Clusters of each stratum (H,)."""
        return np.bincount(self.stratum)

    @property
    def df(self) -> int:
        """Degrees of freedom of an error: clusters less strata."""
        return self.n_clusters - len(self.clusters_by_stratum)

    @property
    def kish(self) -> float:
        """Kish's effective sample size, ``(sum w)^2 / sum w^2``: the loss by weights alone."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    def take(self, rows: NDArray[Any]) -> SampledRows:
        """Return the design of some of the rows, as if the others had not been asked."""
        units, strata = self.cluster[rows], self.stratum[self.cluster[rows]]
        return SampledRows.of(len(units), self.weights[rows], units, strata, self.design)

    def mean(self, values: Array) -> Array:
        """Return weighted column means (k,) of values (n, k) that may have gaps."""
        has = ~np.isnan(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.weights @ np.where(has, values, 0) / (self.weights @ has))

    def influence_of_mean(self, values: Array) -> Array:
        """Return the linearised values of weighted means, ``w (x - m) / sum(w)`` (n, k).

        0 where there is no answer: those who answered are a domain of the sample, so that how many
        answered in a cluster is uncertain, too.
        """
        has = ~np.isnan(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            centred = np.where(has, values - self.mean(values), 0)
            return np.asarray(centred * self.weights[:, None] / (self.weights @ has))

    def cluster_sums(self, influence: Array) -> Array:
        """Return the sums of influences (n, k) over each cluster (C, k)."""
        if self.design.cluster is None:  # every row is one
            return influence
        sums = np.zeros((self.n_clusters, influence.shape[1]))
        np.add.at(sums, self.cluster, influence)
        return sums

    def centred_cluster_sums(self, influence: Array) -> Array:
        """Return the sums over each cluster (C, k), less their mean in the stratum."""
        return self.centred_sums(self.cluster_sums(influence))

    def centred_sums(self, sums: Array) -> Array:
        """Return sums over clusters (C, k) less their mean in the stratum."""
        sizes = self.clusters_by_stratum
        if len(sizes) == 1:
            return np.asarray(sums - sums.sum(axis=0) / sizes[0])
        means = np.zeros((len(sizes), sums.shape[1]))
        np.add.at(means, self.stratum, sums)
        return np.asarray(sums - (means / sizes[:, None])[self.stratum])

    def covariance(self, influence: Array) -> Array:
        """Return the covariance of estimates (k, k) from the influence of each row on them.

        ``V = sum_h n_h / (n_h - 1) sum_c (u_hc - u_h)(u_hc - u_h)'`` over the clusters c of each
        stratum h, with ``u_hc`` the sum of influences over a cluster and ``u_h`` their mean in the
        stratum: the with-replacement estimator of Taylor linearisation, which is that of R's
        survey package without finite population correction.

        Parameters
        ----------
        influence : array (n, k)
            By how much a row moves each estimate; its weight is in it (`influence_of_mean`).
        """
        return self.covariance_of_sums(self.cluster_sums(influence))

    def covariance_of_sums(self, sums: Array) -> Array:
        """Return `covariance` from influences that were summed over each cluster (C, k)."""
        centred = self._within_strata(sums)
        return np.asarray(centred.T @ centred)

    def variances(self, sums: Array) -> Array:
        """Return the variances of estimates (k,), the diagonal of `covariance`.

        Parameters
        ----------
        sums : array (C, k)
            Influences, summed over each cluster (`cluster_sums`).
        """
        return np.asarray((self._within_strata(sums) ** 2).sum(axis=0))

    def _within_strata(self, sums: Array) -> Array:
        """Return sums (C, k) less the mean of their stratum, times root ``n_h / (n_h - 1)``."""
        sizes = self.clusters_by_stratum
        scale = np.sqrt(sizes / (sizes - 1))[self.stratum]
        return np.asarray(self.centred_sums(sums) * scale[:, None])

    def clusters_with(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which clusters (C, k) have a row among those marked (n, k), of weight above 0."""
        has = rows & (self.weights > 0)[:, None]
        return np.asarray(self.cluster_sums(has.astype(float)) > 0)

    def df_of(self, clusters: NDArray[np.bool_]) -> Array:
        """Return the degrees of freedom (k,) of domains that lie in the clusters marked (C, k).

        Clusters less strata of the domain, as R's ``degf`` of a subset: a group that lives in three
        of fifty clusters has two.
        """
        strata = np.zeros((len(self.clusters_by_stratum), clusters.shape[1]))
        np.add.at(strata, self.stratum, clusters.astype(float))
        return np.asarray(clusters.sum(axis=0) - (strata > 0).sum(axis=0), float)

    def resampling_weights(self, n_resamples: int, seed: Seed) -> Iterator[tuple[int, Array]]:
        """Yield resamples that keep the design, as weights of rows: (first, weights (b, n)).

        ``n_h - 1`` clusters of each stratum are drawn with replacement, and their weights
        multiplied by ``n_h / (n_h - 1)`` (Rao, Wu & Yue 1992): the replicates of a mean then vary
        by just `covariance`. Without clusters and strata the respondents themselves are drawn, n
        of n, as everywhere else in the package; with one stratum of many clusters, the same.

        Examples
        --------
        >>> rows = SampledRows.of(4, cluster=[1, 1, 2, 2], strata=[1, 1, 1, 1])
        >>> [first for first, weights in rows.resampling_weights(3, seed=1)]
        [0]
        """
        if self.design.cluster is None and self.design.strata is None:
            for first, counts in resampling_counts(self.n, n_resamples, seed):
                yield first, counts * self.weights
            return
        sizes = self.clusters_by_stratum
        check_resamples(n_resamples, seed)
        seeds = [seed] if isinstance(seed, int) else list(seed)
        members = [np.flatnonzero(self.stratum == h) for h in range(len(sizes))]
        draws = [_times_drawn(int(size), n_resamples, [*seeds, h]) for h, size in enumerate(sizes)]
        step = max(1, DRAWN // self.n)
        for first in range(0, n_resamples, step):
            last = min(first + step, n_resamples)
            times = np.zeros((last - first, self.n_clusters))
            for h, clusters in enumerate(members):
                times[:, clusters] = draws[h][first:last] * (sizes[h] / (sizes[h] - 1))
            yield first, times[:, self.cluster] * self.weights

    def notes(self) -> tuple[Text, ...]:
        """Return what a reader must know of errors under this design."""
        texts = [both("design.note.used", n=self.n, clusters=self.n_clusters, df=self.df)]
        if self.design.weights is not None:
            texts.append(
                both("design.note.weighted", column=self.design.weights, kish=round(self.kish))
            )
        if self.design.cluster is not None and self.n_clusters < FEW_CLUSTERS:
            texts.append(both("design.note.few", clusters=self.n_clusters, enough=FEW_CLUSTERS))
        return tuple(texts)


@dataclass(frozen=True, slots=True, eq=False)
class SampledPart:
    """Some rows of a sample, such as those with complete answers: a domain of it.

    Attributes
    ----------
    rows : SampledRows
        The design of all rows.
    at : array (n,)
        Which of them are in the domain.
    """

    rows: SampledRows
    at: Codes

    @classmethod
    def of(cls, rows: SampledRows, at: Codes) -> SampledPart:
        """Return the domain.

        Raises
        ------
        DataError
            If all weights in it are 0.
        """
        if len(at) and not rows.weights[at].sum() > 0:
            raise DataError("the weights of the respondents with complete answers add up to 0")
        return cls(rows, at)

    @property
    def weights(self) -> Array:
        """Weights of the domain (n,), with a mean of 1."""
        weights_of_domain = self.rows.weights[self.at]
        return np.asarray(weights_of_domain / weights_of_domain.mean(), float)

    @property
    def kish(self) -> float:
        """Kish's effective sample size."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())

    @property
    def df(self) -> int:
        """Degrees of freedom of an error: clusters less strata that have someone in the domain."""
        clusters = np.unique(self.rows.cluster[self.at])
        return len(clusters) - len(np.unique(self.rows.stratum[clusters]))

    def everyone(self, values: Array) -> Array:
        """Return values of the domain (n, k) for all rows, 0 outside of it."""
        full = np.zeros((self.rows.n, values.shape[1]))
        full[self.at] = values
        return full

    def cluster_sums(self, values: Array) -> Array:
        """Return the sums of values (n, k) over each cluster (C, k)."""
        return self.rows.cluster_sums(self.everyone(values))

    def covariance(self, influence: Array) -> Array:
        """Return the covariance of estimates from the influence of each row (n, k) on them."""
        return self.rows.covariance(self.everyone(influence))

    def draws(self, n_resamples: int, seed: Seed) -> Iterator[tuple[int, Array]]:
        """Yield resamples that keep the design: (first, weights (b, n))."""
        for first, weights in self.rows.resampling_weights(n_resamples, seed):
            yield first, weights[:, self.at]


def _times_drawn(size: int, n_resamples: int, seed: Seed) -> Array:
    """Return how often each of a stratum's clusters is drawn in ``size - 1`` draws (B, size)."""
    generator = np.random.default_rng(seed)
    shares = np.full(size, 1 / size)
    return generator.multinomial(size - 1, shares, n_resamples).astype(float)


def _single(rows: SampledRows, alone: Codes, stratified: bool) -> str:
    if not stratified:
        unit = "cluster" if rows.design.cluster else "respondent"
        return f"all rows are one {unit}; errors need at least 2"
    return (
        f"{len(alone)} strata of column {rows.design.strata!r} have one cluster each; a stratum "
        "needs at least 2: merge it with its neighbour"
    )


def _weights(column: pd.Series[Any]) -> Array:
    """Return weights, checked."""
    import pandas as pd

    numbers = as_floats(column)
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(wrong):
        value = column.iloc[wrong[0]]
        value = value.item() if isinstance(value, np.generic) else value
        text = "missing" if pd.isna(value) else excerpt(value)
        raise DataError(
            f"{row_name(column.index, wrong[0])}, column {str(column.name)!r}: the weight is "
            f"{text}; allowed: finite numbers from 0 upwards"
        )
    return numbers


def _codes(column: pd.Series[Any], kind: str) -> Codes:
    """Return a number for each cluster or stratum, from 0."""
    import pandas as pd

    check_group_values(column, str(column.name), kind)
    codes = pd.factorize(column)[0]
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise DataError(
            f"{row_name(column.index, missing[0])}, column {str(column.name)!r}: no {kind}; give "
            "every respondent one"
        )
    return np.asarray(codes, np.intp)
