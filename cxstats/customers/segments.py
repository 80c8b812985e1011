"""Segments from data: k-means or Gaussian mixtures, with an answer to whether there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.cells import is_whole_number
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.moments import check_resamples
from cxstats.core.progress import single_thread
from cxstats.core.result import Chart, Result
from cxstats.customers.personas import Personas, personas_of
from cxstats.customers.segment_data import SegmentData, column_names, segment_data
from cxstats.customers.segment_profiles import labels_of, profiles, segment_names
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.clustering import (
    REFERENCES,
    Clusters,
    Fit,
    Gap,
    Mixture,
    Stability,
    best_mixture,
    gap_statistic,
    k_means,
    mixture,
    stability,
)
from cxstats.stats.intervals import check_level, proportion_interval
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.stats.clustering import Array, Labels

METHODS = ("kmeans", "mixture")
CRITERION = {"kmeans": "silhouette", "mixture": "bic"}  # that chooses the number of segments
MOST = 30  # segments
SAMPLE = 2_000  # rows of the criteria and of the stability; more would cost time and change little
RESAMPLE_STARTS = 5
FITTED = 50_000  # rows from which the start of k-means, or a mixture, is fitted
# p values of the gap test up to which there are clusters. With 99 data sets it is the least.
ALPHA = 0.01
FEWEST_REFERENCES = 99
ROUNDING = 1e-9
# Hennig (2007): clusters of .75 and more are stable, below .6 nothing is to be made of them.
STABLE = 0.75
SMALL = 30  # members below which little can be said of a segment
FEW = 100
VERDICTS = ("clusters", "skewed", "unstable", "continuum")


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation(Result):
    """Segments of customers, and whether the data fall into segments at all.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per segment, the largest first: ``segment`` (1 to k), ``name`` (from the columns
        that set it apart), ``n, estimate`` (share) with ``ci_low, ci_high`` (Wilson, the division
        taken as fixed), ``silhouette`` (mean width of its members), ``jaccard`` (mean over
        resamples) with ``jaccard_low, jaccard_high`` (the middle share `level` of resamples).
    verdict : {"clusters", "skewed", "unstable", "continuum"}
        What the segments are; see `segments`.
    criteria : pandas.DataFrame
        For 1 to k_max segments: ``k, gap_statistic, gap_se, silhouette, bic, covariance``.
    choices : pandas.DataFrame
        What each criterion would choose: ``criterion, k``.
    stability : pandas.DataFrame
        ``measure`` ("adjusted_rand"), ``estimate, ci_low, ci_high, n_resamples``.
    p_value : float
        Of the test that data without clusters divide as well.
    profiles : pandas.DataFrame
        Means of segments against all other rows; see
        `cxstats.customers.segment_profiles.profiles`.
    customers : pandas.DataFrame
        One row per row of the input: the column that names customers, ``segment`` (missing where a
        value was missing), of mixtures ``certainty``. `export` leaves it out;
        ``cx.write_table(result.customers, path)`` writes it.
    data : SegmentData
        What was divided.
    clusters : Clusters
        Its ``predict`` takes other points on the same scale.
    column_labels : mapping of str to Text
        What the columns are called.
    describe, logged : tuple of str
    customer : str or None
    method, reference_box : str
    level : float
    n_resamples, seed, n_sample : int
        ``n_sample``: rows that the criteria were computed from.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    verdict: str
    criteria: pd.DataFrame
    choices: pd.DataFrame
    stability: pd.DataFrame
    p_value: float
    profiles: pd.DataFrame
    customers: pd.DataFrame
    data: SegmentData
    clusters: Clusters
    column_labels: Mapping[str, Text]
    describe: tuple[str, ...]
    logged: tuple[str, ...]
    customer: str | None
    method: str
    reference_box: str
    level: float
    n_resamples: int
    seed: int
    n_sample: int
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {
        "criterion": "segments.criterion.{}",
        "measure": "segments.measure.{}",
        "covariance": "segments.covariance.{}",
    }
    kinds: ClassVar = ("profiles", "criteria")
    reference: ClassVar = (
        "Tibshirani, Walther & Hastie (2001). Estimating the number of clusters in a data set via "
        "the gap statistic. JRSS B 63(2), 411-423. Rousseeuw (1987). Silhouettes. Journal of "
        "Computational and Applied Mathematics 20, 53-65. Fraley & Raftery (2002). Model-based "
        "clustering, discriminant analysis, and density estimation. JASA 97, 611-631. Hennig "
        "(2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data "
        "Analysis 52(1), 258-271."
    )

    @property
    def k(self) -> int:
        """Number of segments."""
        return len(self.table)

    @property
    def divides_better(self) -> bool:
        """Whether the data divide better than data without groups (gap test, p up to .01)."""
        return self.p_value <= ALPHA + ROUNDING

    @property
    def names(self) -> dict[int, Text]:
        """The name of each segment, made from the columns that set it apart."""
        return segment_names(self.profiles, self.column_labels)

    def personas(self) -> Personas:
        """Return one page per segment: size, means against the rest, a typical member."""
        return personas_of(self)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that documents have room for: all but `customers`."""
        return {
            "table": self.table,
            "criteria": self.criteria,
            "choices": self.choices,
            "stability": self.stability,
            "profiles": self.profiles,
        }

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with the names of segments in `lang`."""
        names = self.names
        return self.table.assign(name=[names[s].get(lang) for s in self.table["segment"]])

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the heat map of profiles, or the criteria by number of segments."""
        return Chart("segment_profiles" if kind == "profiles" else "segment_criteria", (self,))

    def findings(self, lang: str) -> list[str]:
        """Return what the segments are, what each criterion says, and every segment."""
        return [
            label(
                "segments.head",
                lang,
                n=format_number(len(self.data.at)),
                k=self.k,
                method=label(f"segments.method.{self.method}", lang),
                columns=self._columns().get(lang),
            ),
            label(f"segments.verdict.{self.verdict}", lang, k=self.k),
            self._criteria_line(lang),
            *self._stability_line(lang),
            *(self._segment_line(row, lang) for _, row in self.table.iterrows()),
        ]

    def _columns(self) -> Text:
        return listed(
            both("segments.logged", column=self.column_labels[name])
            if name in self.logged
            else self.column_labels[name]
            for name in dict.fromkeys(self.profiles["column"])
        )

    def _criteria_line(self, lang: str) -> str:
        chosen = dict(zip(self.choices["criterion"], self.choices["k"], strict=True))
        return label(
            "segments.criteria",
            lang,
            p=p_text(self.p_value),
            **{name: format_number(float(k)) for name, k in chosen.items()},
        )

    def _stability_line(self, lang: str) -> list[str]:
        row = self.stability.iloc[0]
        if np.isnan(row["estimate"]):
            return []
        return [
            label(
                "segments.stability",
                lang,
                value=format_number(row["estimate"], 2),
                interval=interval(row["ci_low"], row["ci_high"]),
                b=format_number(self.n_resamples),
            )
        ]

    def _segment_line(self, row: pd.Series, lang: str) -> str:
        key = "segments.line" if np.isfinite(row["jaccard"]) else "segments.line.plain"
        return label(
            key,
            lang,
            segment=row["segment"],
            name=self.names[row["segment"]].get(lang),
            n=format_number(row["n"]),
            share=format_percent(100 * row["estimate"], 1, lang),
            interval=interval(100 * row["ci_low"], 100 * row["ci_high"], 1),
            jaccard=format_number(row["jaccard"], 2),
        )


@by_codebook()
def segments(  # noqa: PLR0913  (keywords)
    frame: Any,
    columns: Sequence[str] | None = None,
    k: int | None = None,
    *,
    method: str = "kmeans",
    log: Sequence[str] = (),
    describe: Sequence[str] = (),
    customer: str | None = None,
    standardise: bool = True,
    k_max: int = 8,
    reference: str = "pca",
    n_references: int = FEWEST_REFERENCES,
    n_resamples: int = 100,
    level: float = 0.95,
    seed: int = 1,
    codebook: Any = None,
) -> Segmentation:
    """Divide customers into segments, and say whether the data fall into segments.

    Rows with a missing value in `columns` are in no segment; a note counts them. Each column is
    standardised, ``z = (x - mean) / sd``, those in `log` after ``log(1 + x)``.

    The verdict, the first that holds:

    - ``"continuum"``: data spread evenly over a box divide as well (gap test, p > .01), or the
      mixture with the least BIC has one component. Segments then cut a continuum, at borders that
      say nothing about customers. With ``k=None`` there is one segment.
    - ``"unstable"``: the mean adjusted Rand index of bootstrap samples is below .75.
    - ``"skewed"``: a column has a skewness above 2, which its logarithm would halve: the segments
      may be the long tail of one cloud. Use ``log``.
    - ``"clusters"``: none of these.

    Stability alone shows nothing: k-means cuts a long cloud at the same place again and again.
    "clusters" speaks against an even spread and against one normal distribution, and for nothing
    else: a continuum of another shape, such as a bent one, may be called so. Groups that cross each
    other, with the same middle, are not seen by the gap test and are called a continuum. Data with
    a small group that is apart by one of several columns may be called one too, for the gap test
    looks at all columns together: 30 of 200 customers, 7 SD apart by one column of three, were
    missed in 13 of 30 samples. Where BIC sees such a group, a note says so; leave out columns that
    do not matter.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table, DuckDB relation, or what `cxstats.rfm` returned
        One row per customer.
    columns : list of str
        Columns of numbers; of what `cxstats.rfm` returned, recency, frequency and amount without
        it.
    k : int, optional
        Number of segments. Without it: 1 of a continuum, else the largest mean silhouette of
        k-means, or the least BIC of mixtures.
    method : {"kmeans", "mixture"}
        k-means (round clusters of like size), or a mixture of normal distributions whose shape of
        covariances has the least BIC.
    log : list of str
        Columns of which the logarithm of 1 + x is used; no value may be below 0.
    describe : list of str
        Columns that `Segmentation.personas` describes segments by; they do not make segments.
    customer : str, optional
        Column that names customers.
    standardise : bool
        Without it columns count by their own units.
    k_max : int
        The criteria are computed for 1 to k_max segments, fewer where there are fewer distinct
        rows.
    reference : {"pca", "range"}
        Box of the data without clusters: along principal components, or along columns.
    n_references : int
        Data sets without clusters, at least 99.
    n_resamples : int
        Bootstrap samples of the stability.
    level : float
        Of the intervals.
    seed : int
    codebook : Codebook, optional
        Reads answers, and gives columns their labels.

    Returns
    -------
    Segmentation
        Above 2,000 rows the criteria and the stability are those of a random sample of 2,000, and
        above 50,000 a mixture is fitted to a random sample of 50,000 and sorts the others; k-means
        goes on from the centres of such a sample with all rows. A note says so.

    Raises
    ------
    DataError
        Naming column, row, value and what is allowed: of a text, an infinite or, for `log`,
        negative number, a column without variation, fewer than 10 complete rows, or more segments
        than distinct rows.

    References
    ----------
    See `Segmentation.cite`.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> spent = np.concatenate([rng.normal(20, 2, 60), rng.normal(50, 2, 40)])
    >>> visits = np.concatenate([rng.normal(9, 1, 60), rng.normal(2, 0.5, 40)])
    >>> result = segments(pd.DataFrame({"spent": spent, "visits": visits}), ["spent", "visits"])
    >>> result.verdict, result.table["n"].tolist()
    ('clusters', [60, 40])
    >>> print(result.names[2])
    high spent, low visits
    """
    _check(k, method, k_max, reference, n_references)
    check_resamples(n_resamples, seed)
    check_level(level)
    described = column_names(describe, "describe") if len(describe) else []
    others = [*described, *([customer] if customer is not None else [])]
    if customer is None and hasattr(frame, "customers"):
        customer, others = "customer", [*others, "customer"]
    data = segment_data(
        frame, columns, log=log, standardise=standardise, others=others, seed=seed
    )  # fmt: skip
    names = [name for name in data.frame.columns if name not in others][: data.values.shape[1]]
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.permutation(len(data.points))[:SAMPLE])
    with single_thread():
        search = _search(data, sample, k_max, reference, n_references, seed)
    chosen = _chosen(k, method, search)
    if chosen > search.n_distinct:
        raise DataError(
            f"k={chosen}: the complete rows have {search.n_distinct} distinct combinations of "
            f"values; allowed: at most so many"
        )
    with single_thread() if len(data.points) <= FITTED else nullcontext():
        clusters, shape = _fit(data.points, chosen, method, search, seed, rng)
    clusters = _largest_first(clusters)
    with single_thread():
        compared = _compare(data.points[sample], clusters, method, shape, n_resamples, seed)
    profile = profiles(data.values, data.points, clusters.labels + 1, names, level)
    labels = labels_of([*names, *described], codebook)
    verdict = _verdict(search, compared, data)
    return Segmentation(
        table=_table(data, clusters, compared, profile, labels, sample, level),
        verdict=verdict,
        criteria=search.criteria,
        choices=search.choices,
        stability=_stability_table(compared, level, n_resamples),
        p_value=search.gap.p_value(),
        profiles=profile,
        customers=_customers(data, clusters, customer),
        data=data,
        clusters=clusters,
        column_labels=labels,
        describe=tuple(described),
        logged=tuple([log] if isinstance(log, str) else log),
        customer=customer,
        method=method,
        reference_box=reference,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        n_sample=len(sample),
        synthetic=bool(getattr(frame, "synthetic", False) or data.frame.attrs.get("synthetic")),
        notes=_notes(data, clusters, search, verdict, labels, method, k),
    )


def _check(k: Any, method: str, k_max: Any, reference: str, n_references: Any) -> None:
    if method not in METHODS:
        raise CxError(f"method={method!r}; allowed: 'kmeans', 'mixture'")
    if reference not in REFERENCES:
        raise CxError(f"reference={reference!r}; allowed: 'pca', 'range'")
    limits = {"k": (k, 1, MOST), "k_max": (k_max, 2, MOST),
              "n_references": (n_references, FEWEST_REFERENCES, 10_000)}  # fmt: skip
    for name, (value, low, high) in limits.items():
        if name == "k" and value is None:
            continue
        if not is_whole_number(value) or not low <= value <= high:
            raise CxError(f"{name}={value!r}; allowed: whole numbers from {low} to {high:,}")


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What the criteria say of 1 to k_max segments.

    criteria, choices : tables of `Segmentation`
    gap : Gap
    mixtures : tuple of Mixture
        Of each k, that with the least BIC.
    n_distinct : int
        Distinct rows of the sample; of all rows there may be more.
    """

    criteria: pd.DataFrame
    choices: pd.DataFrame
    gap: Gap
    mixtures: tuple[Mixture, ...]
    n_distinct: int

    @property
    def is_continuum(self) -> bool:
        """Whether the gap test, or BIC, says that there are no clusters."""
        return self.gap.p_value() > ALPHA + ROUNDING or self.choice("bic") == 1

    def choice(self, criterion: str) -> int:
        """Return the number of segments that a criterion would choose."""
        chosen = self.choices.loc[self.choices["criterion"] == criterion, "k"]
        return int(chosen.iloc[0])


def _search(
    data: SegmentData, sample: Labels, k_max: int, reference: str, n_references: int, seed: int
) -> _Search:
    """Compute every criterion from a sample of rows."""
    import pandas as pd
    from sklearn.metrics import silhouette_score

    points, blurred = data.points[sample], data.blurred[sample]
    n_distinct = len(np.unique(points, axis=0))
    k_max = max(2, min(k_max, n_distinct - 1))
    gap = gap_statistic(blurred, k_max, seed, reference, n_references)
    mixtures = tuple(best_mixture(blurred, k, seed) for k in range(1, k_max + 1))
    widths = [np.nan]
    for k in range(2, k_max + 1):
        labels = k_means(points, min(k, n_distinct), seed).labels
        mixed = 1 < len(np.unique(labels)) < len(points)
        widths.append(float(silhouette_score(points, labels)) if mixed else np.nan)
    criteria = pd.DataFrame(
        {
            "k": np.arange(1, k_max + 1),
            "gap_statistic": gap.gap,
            "gap_se": gap.se,
            "silhouette": widths,
            "bic": [m.bic for m in mixtures],
            "covariance": [m.covariance for m in mixtures],
        }
    )
    choices = {
        "gap_first": gap.first(),
        "gap_maximum": gap.near_maximum(),
        "silhouette": int(np.nanargmax(widths)) + 1 if np.isfinite(widths).any() else 1,
        "bic": int(criteria["bic"].argmin()) + 1,
    }
    table = pd.DataFrame({"criterion": list(choices), "k": list(choices.values())})
    return _Search(criteria, table, gap, mixtures, n_distinct)


def _chosen(k: int | None, method: str, search: _Search) -> int:
    if k is not None:
        return int(k)
    if search.is_continuum:
        return 1
    return search.choice(CRITERION[method])


def _fit(
    points: Array, k: int, method: str, search: _Search, seed: int, rng: np.random.Generator
) -> tuple[Clusters, str]:
    """Return the clusters of all rows, and the shape of covariances of a mixture."""
    part = points if len(points) <= FITTED else points[rng.permutation(len(points))[:FITTED]]
    if method == "kmeans":
        clusters = k_means(part, k, seed)
        if len(part) < len(points):
            clusters = k_means(points, k, seed, start=clusters.centres)
        return clusters, ""
    best = search.mixtures[k - 1] if k <= len(search.mixtures) else best_mixture(part, k, seed)
    clusters = mixture(part, k, best.covariance, seed).clusters
    if len(part) < len(points):
        clusters = clusters.of(points)
    return clusters, best.covariance


def _largest_first(clusters: Clusters) -> Clusters:
    """Return clusters numbered by their size, without those that have no member."""
    sizes = np.bincount(clusters.labels, minlength=clusters.k)
    order = np.argsort(-sizes, kind="stable")
    return clusters.renumbered(order[sizes[order] > 0])


def _compare(
    points: Array, clusters: Clusters, method: str, shape: str, n_resamples: int, seed: int
) -> Stability:
    """Divide bootstrap samples as the data were divided."""
    k = clusters.k
    if k == 1:
        missing = np.full((n_resamples, 1), np.nan)
        return Stability(missing[:, 0], missing)
    fit: Fit = partial(_divide, k=k, method=method, shape=shape)
    return stability(points, clusters.predict(points), k, fit, n_resamples, seed)


def _divide(points: Array, seed: int, k: int, method: str, shape: str) -> Clusters:
    if method == "kmeans":
        return k_means(points, k, seed, n_starts=RESAMPLE_STARTS)
    return mixture(points, k, shape, seed).clusters


def _verdict(search: _Search, compared: Stability, data: SegmentData) -> str:
    if search.is_continuum:
        return "continuum"
    rand = compared.adjusted_rand
    if np.isfinite(rand).any() and np.nanmean(rand) < STABLE:
        return "unstable"
    return "skewed" if data.skewed else "clusters"


def _table(
    data: SegmentData,
    clusters: Clusters,
    compared: Stability,
    profile: pd.DataFrame,
    labels: Mapping[str, Text],
    sample: Labels,
    level: float,
) -> pd.DataFrame:
    import pandas as pd

    sizes = np.bincount(clusters.labels, minlength=clusters.k)
    n = len(clusters.labels)
    low, high = proportion_interval(sizes / n, np.full(clusters.k, n), level=level)
    has = np.isfinite(compared.jaccard).any(axis=0)
    means = np.full(clusters.k, np.nan)
    means[has] = np.nanmean(compared.jaccard[:, has], axis=0)
    limits = percentile_limits(compared.jaccard, level)
    names = segment_names(profile, labels)
    return pd.DataFrame(
        {
            "segment": np.arange(1, clusters.k + 1),
            "name": [names[i + 1].en for i in range(clusters.k)],
            "n": sizes,
            "estimate": sizes / n,
            "ci_low": low,
            "ci_high": high,
            "silhouette": _widths(data.points[sample], clusters.labels[sample], clusters.k),
            "jaccard": means,
            "jaccard_low": limits[0],
            "jaccard_high": limits[1],
        }
    )


def _widths(points: Array, labels: Labels, k: int) -> Array:
    """Return the mean silhouette width of each cluster."""
    from sklearn.metrics import silhouette_samples

    widths = np.full(k, np.nan)
    present = np.unique(labels)
    if 1 < len(present) < len(points):
        each = silhouette_samples(points, labels)
        widths[present] = [each[labels == cluster].mean() for cluster in present]
    return widths


def _stability_table(compared: Stability, level: float, n_resamples: int) -> pd.DataFrame:
    import pandas as pd

    rand = compared.adjusted_rand
    low, high = percentile_limits(rand, level)
    mean = float(np.nanmean(rand)) if np.isfinite(rand).any() else np.nan
    rows = [("adjusted_rand", mean, float(low), float(high), n_resamples)]
    return pd.DataFrame(
        rows, columns=["measure", "estimate", "ci_low", "ci_high", "n_resamples"]
    )  # fmt: skip


def _customers(data: SegmentData, clusters: Clusters, customer: str | None) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame(index=data.frame.index)
    if customer is not None:
        table[customer] = data.frame[customer]
    numbers = np.full(len(data.frame), -1)
    numbers[data.at] = clusters.labels + 1
    table["segment"] = pd.array(numbers, dtype="Int64")
    table["segment"] = table["segment"].mask(numbers < 0)
    if clusters.certainty is not None:
        certainty = np.full(len(data.frame), np.nan)
        certainty[data.at] = clusters.certainty(data.points)
        table["certainty"] = certainty
    return table


def _notes(
    data: SegmentData,
    clusters: Clusters,
    search: _Search,
    verdict: str,
    labels: Mapping[str, Text],
    method: str,
    k: int | None,
) -> tuple[Text, ...]:
    n, smallest = len(data.at), int(np.bincount(clusters.labels).min())
    shown = format_number
    notes = note_if(
        data.n_left_out > 0, "segments.note.missing", n=shown(data.n_left_out),
        total=shown(len(data.frame)),
    )  # fmt: skip
    notes += note_if(
        bool(data.skewed), "segments.note.skewed", columns=listed(labels[c] for c in data.skewed),
        names=", ".join(map(repr, data.skewed)),
    )  # fmt: skip
    notes += note_if(verdict == "continuum" and clusters.k > 1, "segments.note.cut", k=clusters.k)
    gap_only = search.gap.p_value() > ALPHA + ROUNDING and search.choice("bic") > 1
    notes += note_if(gap_only, "segments.note.bic", k=search.choice("bic"))
    best = search.choice(CRITERION[method])
    other = k is not None and not search.is_continuum and best != clusters.k
    notes += note_if(other, "segments.note.other_k", k=clusters.k, best=best,
                     criterion=both(f"chart.segment_criteria.{CRITERION[method]}"))  # fmt: skip
    notes += note_if(not clusters.converged, "segments.note.not_converged")
    notes += note_if(n > SAMPLE, "segments.note.sample", n=shown(SAMPLE))
    notes += note_if(n > FITTED and method == "mixture", "segments.note.fitted", n=shown(FITTED))
    notes += note_if(n < FEW, "segments.note.few", n=n, least=FEW)
    notes += note_if(smallest < SMALL <= n, "segments.note.small", n=smallest, least=SMALL)
    notes += note_if(
        k is not None and clusters.k < k, "segments.note.empty", k=clusters.k, asked=k
    )  # fmt: skip
    return tuple(notes)
