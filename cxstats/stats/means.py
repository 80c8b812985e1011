"""Means of scores with intervals, of a simple sample or under a sampling design.

References
----------
Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
Hall (1992). On the removal of skewness by transformation. JRSS B 54, 221-228.
Cochran (1977). Sampling techniques, 3rd ed., section 2.15: when a skewed mean is nearly normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cxstats.core.column_sums import ColumnSums
from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both
from cxstats.core.moments import LARGE, Seed, check_resamples
from cxstats.stats.bootstrap import accelerated_limits
from cxstats.stats.intervals import check_interval, check_level, hall_interval, t_interval
from cxstats.stats.large_samples import drawn_means, is_large, resampled_means
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

INTERVALS = ("t", "hall", "bca")
TINY = 1e-12  # relative to the mean: scores that differ by less are equal
# Answers below which an interval of 95 % was seen to hold the truth in less than 93.5 % of samples
# where answers pile up at an end of the scale, and in how many per cent of those that vary at the
# least: tests/stats/test_means.py, run by -m slow. Hall's covered 93.4 to 99.8 % from 3 answers on.
ENOUGH = {"t": 20, "bca": 50}
LEAST = {"t": 91, "bca": 75}
# Skewness of a mean above which its t interval covers less: Cochran's n > 25 skewness^2.
SKEWED = 0.2
LISTED = 6  # names in a note


@dataclass(frozen=True, slots=True, eq=False)
class MeanOptions:
    """How an interval of a mean is made.

    Attributes
    ----------
    level : float
        Confidence level.
    interval : {"t", "hall", "bca"}
        Student's t (of differences Welch's), that of the tests; t corrected for skewness;
        bias-corrected and accelerated bootstrap.
    n_resamples, seed
        Of the bootstrap.
    rows : SampledRows, optional
        The design of the rows; it goes with "t".
    bounds : (low, high), optional
        What no mean can leave.
    """

    level: float = 0.95
    interval: str = "t"
    n_resamples: int = 5_000
    seed: Seed = 1
    rows: SampledRows | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_level(self.level)
        check_interval(self.interval, INTERVALS)
        check_resamples(self.n_resamples, self.seed)
        if self.rows is not None and self.interval != "t":
            raise CxError(f"interval={self.interval!r} beside a sampling design; allowed: 't'")

    def mean(self, values: Array) -> Array:
        """Return means (k,) of columns with gaps; NaN where nothing is."""
        rows = self.rows if self.rows is not None else SampledRows.plain(len(values))
        return np.asarray(rows.mean(values))

    def clipped(self, limits: tuple[Array, Array], difference: bool = False) -> tuple[Array, Array]:
        """Return limits within the bounds; NaN stays NaN."""
        if self.bounds is None:
            return limits
        low, high = self.bounds
        if difference:
            low, high = low - high, high - low
        return np.clip(limits[0], low, high), np.clip(limits[1], low, high)


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Means of k columns over the cases that have them.

    Attributes (arrays (k,) but the last five)
    ------------------------------------------
    n, mean, sd, se, df : cases, mean, standard deviation, standard error, degrees of freedom
        `se` and `sd` are NaN where nothing varies, or fewer than two cases are there.
    influence : array (units, k)
        Of each unit drawn on its own, a respondent or a cluster, on the mean.
    counted : array (units, k)
        Which units have cases.
    replicates : array (B, k) or None
        Bootstrap replicates, for "bca".
    rows : SampledRows or None
        The design.
    powers : (array (k,), array (k,)) or None
        Sums of squares and of cubes of the influences, where there are only sums and the arrays of
        influences are empty.
    """

    n: Array
    mean: Array
    sd: Array
    se: Array
    df: Array
    influence: Array
    counted: NDArray[np.bool_]
    replicates: Array | None
    rows: SampledRows | None
    powers: tuple[Array, Array] | None = None

    @classmethod
    def of(cls, values: Array, options: MeanOptions) -> Means:
        """Compute the means of columns (n, k), NaN where a case has none."""
        rows = options.rows if options.rows is not None else SampledRows.plain(len(values))
        has = ~np.isnan(values)
        n, mean = has.sum(axis=0).astype(float), rows.mean(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            centred = np.where(has, values - mean, 0)
            varies = _varies(n, mean, np.abs(centred).max(axis=0, initial=0))
            squares = rows.weights @ centred**2 / (rows.weights @ has)
            sd = np.where(varies, np.sqrt(squares * n / (n - 1)), np.nan)
        influence = np.where(varies, rows.influence_of_mean(values), 0)
        if options.rows is None:
            se, df, counted = sd / np.sqrt(np.maximum(n, 1)), n - 1, has
        else:
            influence, counted = rows.cluster_sums(influence), rows.clusters_with(has)
            se = np.where(varies, np.sqrt(rows.variances(influence)), np.nan)
            df = rows.df_of(counted)
        drawn = None
        if options.interval == "bca":
            drawn = resampled_means(values, options.n_resamples, options.seed)
        return cls(n, mean, sd, se, df, influence, counted, drawn, options.rows)

    @classmethod
    def of_sums(cls, sums: ColumnSums, options: MeanOptions) -> Means:
        """Return the means of k columns of a simple sample from sums of powers, cubes among them.

        Replicates of "bca" are drawn from the normal limit of each mean.
        """
        n, mean = sums.n, sums.mean
        with np.errstate(invalid="ignore", divide="ignore"):
            varies = _varies(n, mean, np.fmax(sums.high - mean, mean - sums.low))
            sd = np.where(varies, np.sqrt(sums.squares / (n - 1)), np.nan)
            squares = np.where(varies, sums.squares / n**2, 0)
            cubes = np.where(varies, sums.cubes / n**3, 0)
        drawn = None
        if options.interval == "bca":
            drawn = drawn_means(mean, np.sqrt(squares), options.n_resamples, options.seed)
        none = np.zeros((0, len(n)))
        se = sd / np.sqrt(np.maximum(n, 1))
        return cls(n, mean, sd, se, n - 1, none, none > 0, drawn, None, (squares, cubes))

    @property
    def skewness(self) -> Array:
        """Skewness of the means (k,): that of the answers over root n; 0 where nothing varies."""
        squares, cubes = self._powers()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.nan_to_num(cubes / squares**1.5))

    def _powers(self) -> tuple[Array, Array]:
        """Return the sums of squares and of cubes of the influences (k,), (k,)."""
        if self.powers is not None:
            return self.powers
        squares = self.influence**2  # a third power takes ten times as long as a product
        return squares.sum(axis=0), (squares * self.influence).sum(axis=0)

    def __sub__(self, other: Means) -> Means:
        """Return the differences to the means of another group; under a design, of another domain.

        Without a design the groups are independent, and the degrees of freedom Welch's. Under one,
        groups may share clusters: the error is that of the difference of influences.
        """
        mean, n = self.mean - other.mean, self.n + other.n
        drawn = None
        if self.replicates is not None and other.replicates is not None:
            drawn = self.replicates - other.replicates
        if self.rows is not None:
            influence = self.influence - other.influence
            counted = self.counted | other.counted
            with np.errstate(invalid="ignore"):
                se = np.sqrt(self.rows.variances(influence))
            se, df = np.where(se > 0, se, np.nan), self.rows.df_of(counted)
        else:
            influence = np.concatenate([self.influence, -other.influence])
            counted = np.concatenate([self.counted, other.counted])
            a, b = (np.nan_to_num(x.se) ** 2 for x in (self, other))
            with np.errstate(invalid="ignore", divide="ignore"):
                df = (a + b) ** 2 / (a**2 / (self.n - 1) + b**2 / (other.n - 1))
            se = np.where(a + b > 0, np.sqrt(a + b), np.nan)
        powers = None
        if self.powers is not None and other.powers is not None:
            squares, cubes = zip(self.powers, other.powers, strict=True)
            powers = squares[0] + squares[1], cubes[0] - cubes[1]
        none = np.full(len(mean), np.nan)
        return Means(n, mean, none, se, df, influence, counted, drawn, self.rows, powers)

    def t_test(self) -> tuple[Array, Array]:
        """Return t and p (k,) of the means against 0."""
        from scipy import stats

        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.where(self.df >= 1, self.mean / self.se, np.nan)
            return t, 2 * stats.t.sf(np.abs(t), self.df)

    def limits(self, options: MeanOptions, difference: bool = False) -> tuple[Array, Array]:
        """Return the interval of each mean (k,), (k,); NaN where nothing varies."""
        if self.replicates is not None:
            limits = accelerated_limits(
                self.replicates, self.mean, self.skewness / 6, options.level
            )
        elif options.interval == "hall":
            limits = hall_interval(self.mean, self.se, self.df, self.skewness, options.level)
        else:
            limits = t_interval(self.mean, self.se, self.df, options.level)
        varies = np.isfinite(self.se)
        low, high = (np.where(varies, limit, np.nan) for limit in limits)
        return options.clipped((low, high), difference)


def _varies(n: Array, mean: Array, spread: Array) -> NDArray[np.bool_]:
    """Return which columns vary, from their largest distance to the mean."""
    # Equal scores differ in their last bits; that is no variation.
    return np.asarray((n > 1) & (spread > TINY * np.maximum(1, np.abs(mean))))


def method_name(interval: str, n_resamples: int, seed: int) -> Text:
    """Return how an interval of a mean was made, in words."""
    return both(f"interval.method.{interval}", b=f"{n_resamples:,}", seed=seed)


def interval_notes(
    names: Sequence[Text], n: Array, skewness: Array, interval: str
) -> tuple[Text, ...]:
    """Name the means whose interval is known to cover less than it says.

    Parameters
    ----------
    names : sequence of k Text
    n : array (k,)
        Answers behind each.
    skewness : array (k,)
        Of each mean.
    interval : {"t", "hall", "bca"}
    """
    few = (n > 1) & (n < ENOUGH.get(interval, 0))
    skewed = ~few & (np.abs(skewness) > SKEWED) & (interval == "t")
    notes = []
    if few.any():
        notes.append(
            both(
                "interval.note.few", names=_some(names, few), enough=ENOUGH[interval],
                least=LEAST[interval],
            )
        )  # fmt: skip
    if interval == "bca" and len(n) and is_large(n.min()):
        notes.append(both("interval.note.large", least=format_number(LARGE)))
    if skewed.any():
        notes.append(both("interval.note.skewed", names=_some(names, skewed)))
    return tuple(notes)


def _some(names: Sequence[Text], chosen: NDArray[np.bool_]) -> Text:
    """Return the names chosen, the first few of many."""
    some = list(dict.fromkeys(name for name, keep in zip(names, chosen, strict=True) if keep))
    more = len(some) > LISTED
    return Text(
        ", ".join(name.en for name in some[:LISTED]) + " ..." * more,
        "、".join(name.zh for name in some[:LISTED]) + "等" * more,
    )
