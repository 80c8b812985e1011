"""The bootstrap of a PLS path model: all replicates at once, from their correlations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples, resampling_counts
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.core.result import Chart, Result
from cxstats.models.fitted_model import bootstrap_chart
from cxstats.models.pls.estimates import flattened, quantities
from cxstats.models.pls.intervals import intervals, small_sample_notes
from cxstats.stats.bootstrap import bca, normal_note, percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.stats.sampling_design import SampledRows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

# The usual one first: results must not depend on which way round an item is stored.
SIGNS = ("construct", "none")
# What `plot` draws.
DRAWN = ("path", "slope", "defined")
# Replicates in a batch: few enough for their matrices to stay near the processor; and where every
# respondent has a weight in each of them.
CHUNK, WEIGHTED = 1000, 250
# Step of the derivatives behind BCa, in standardised covariances, and where those fits stop: the
# bend and the stop each cost about 1e-5 of a slope, and the acceleration needs two digits.
STEP, STOP = 1e-5, 1e-11
# Share of replicates without a solution above which their loss is said to matter.
LOST = 0.05
# Range of replicates below which a quantity does not vary; it has no standard error then.
CONSTANT = 1e-9
# Respondents whose influence is computed at a time.
ROWS = 2_000
# Respondents, or clusters, whose influence is found by fitting the model again.
MOST_ROWS = 1_000


@dataclass(frozen=True, eq=False, repr=False)
class PlsBootstrap(Result):
    """Bootstrap of a PLS path model.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per quantity: ``kind`` (path, loading, weight, total, indirect, specific,
        slope, r_squared, htmt, defined), ``lhs, op, rhs, label, estimate, se, z, p_value, ci_low,
        ci_high`` (see `cxstats.models.pls.intervals.intervals`), ``percentile_low,
        percentile_high, bca_low, bca_high``. `z` is the estimate over its bootstrap standard
        error (papers on PLS call it t); the p value is that of the interval, and below .05 just
        where the 95 % interval of a path excludes 0. R² and HTMT are not tested (NaN).
    n_resamples, n_failed, n_improper : int
        Replicates drawn; those without a solution, which are in no interval; and those in which
        the corrected correlations are ones that no constructs have (only in consistent PLS),
        which are in the intervals and make them long.
    replicates : array (B, k)
        Of every row of `table`; NaN where a replicate failed.
    signs, level, seed
        What was asked for.
    n : int
        Respondents.
    synthetic : bool
        Whether they are simulated.
    limits : tuple of Text
        What a reader must know of the sampling design and of few or very many respondents.
    """

    table: pd.DataFrame
    n_resamples: int
    n_failed: int
    n_improper: int
    replicates: Array
    signs: str
    level: float
    seed: int
    n: int
    synthetic: bool
    limits: tuple[Text, ...] = ()

    kinds: ClassVar[tuple[str, ...]] = ("paths",)
    codes: ClassVar = {"kind": "pls.quantity.{}"}
    reference: ClassVar[str] = (
        "Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American "
        "Statistical Association, 82(397), 171-185."
    )

    @property
    def notes(self) -> tuple[Text, ...]:
        """What makes the intervals doubtful."""
        lost = self.n_failed > LOST * self.n_resamples
        return (both("sem.bootstrap.lost"), *self.limits) if lost else self.limits

    def of(self, kind: str) -> pd.DataFrame:
        """Return the rows of one kind.

        Raises
        ------
        CxError
            Naming the kinds there are.
        """
        kinds = list(dict.fromkeys(self.table["kind"]))
        if kind not in kinds:
            raise CxError(f"kind is {kind!r}; allowed: {', '.join(kinds)}")
        return self.table[self.table["kind"] == kind].reset_index(drop=True)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return paths, simple slopes and defined parameters with intervals.

        ``names`` calls constructs otherwise, as in the path diagram.
        """
        rows: Any = self.table[self.table["kind"].isin(DRAWN)]
        called = options.get("names") or {}
        rows = rows.assign(lhs=rows["lhs"].replace(called), rhs=rows["rhs"].replace(called))
        names = [
            row.lhs if row.op == ":=" else f"{row.rhs} → {row.lhs}"
            + f" ({row.label})" * (row.kind == "slope")
            for row in rows.itertuples()
        ]  # fmt: skip
        limits = rows["estimate"], rows["ci_low"], rows["ci_high"]
        return bootstrap_chart(self, names, *limits, lang)

    def findings(self, lang: str) -> list[str]:
        """Return how many replicates there are, and what was done about signs."""
        head = label(
            "pls.bootstrap.head", lang,
            b=format_number(self.n_resamples),
            seed=self.seed,
            failed=format_number(self.n_failed),
            improper=format_number(self.n_improper),
        )  # fmt: skip
        return [head, label(f"pls.bootstrap.signs.{self.signs}", lang)]


def bootstrap(fit: PlsFit, n_resamples: int, seed: int, level: float, signs: str) -> PlsBootstrap:
    """Draw replicates of a fit's sample and fit the model to each; see `PlsFit.bootstrap`."""
    check_resamples(n_resamples, seed)
    check_level(level)
    if signs not in SIGNS:
        raise CxError(f"signs is {signs!r}; allowed: {', '.join(SIGNS)}")
    fit.require_sound("bootstrap")
    fit.sample.require_rows("a bootstrap")
    with quiet_linear_algebra():
        whose = bool(fit.design.interactions)  # interactions need to know who was drawn
        moments = fit.sample.replicates(n_resamples, seed, normal=not whose)
        drawn = _drawn(fit, n_resamples, seed) if whose else None
        values, improper = replicate(fit, moments.cov, signs == "construct", drawn)
        table = _table(fit, values, level)
    failed = int(np.isnan(values).all(axis=1).sum())
    normal = (normal_note(fit.n),) if moments.normal else ()
    return PlsBootstrap(
        table, n_resamples, failed, int(improper.sum()), values, signs, level, seed, fit.n,
        fit.synthetic, (*normal, *fit.sample.notes, *small_sample_notes(fit)),
    )  # fmt: skip


def _drawn(fit: PlsFit, n_resamples: int, seed: int) -> NDArray[Any]:
    """Return how often each respondent is in each resample, (B, n), as in `Sample.replicates`.

    Under a sampling design, their weights in it.
    """
    sampled = fit.sample.rows
    resamples: Iterator[tuple[int, NDArray[Any]]]
    if sampled is None:
        resamples = resampling_counts(fit.n, n_resamples, seed)
    else:
        resamples = sampled.resampling_weights(n_resamples, seed)
    drawn = np.empty((n_resamples, fit.n), np.uint16 if sampled is None else float)
    for start, weights in resamples:
        drawn[start : start + len(weights)] = weights
    return drawn


def replicate(
    fit: PlsFit, cov: Array, align: bool, drawn: NDArray[Any] | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Return all quantities of a batch of samples (B, k), and which are improper (B,).

    `drawn` (B, n) is how often each respondent is in each of them, or with what weight, which
    interactions need.

    NaN where there is no solution; improper where corrected correlations are not positive
    definite.
    """
    quantity_replicates = np.empty((len(cov), len(quantities(fit.design))))
    improper = np.zeros(len(cov), bool)
    for start, stop in tracked(len(cov), CHUNK if drawn is None else WEIGHTED):
        weights = None if drawn is None else drawn[start:stop]
        estimates = fit.reestimate(cov[start:stop], weights=weights, align=align)
        values = flattened(estimates, fit.design)
        lost = ~estimates.outer.converged | ~np.isfinite(estimates.paths).all(axis=(1, 2))
        values[lost] = np.nan
        quantity_replicates[start:stop] = values
        if fit.consistent and not lost.all():
            smallest = np.linalg.eigvalsh(estimates.construct_corr[~lost])[:, 0]
            improper[start:stop][~lost] = smallest <= 0
    return quantity_replicates, improper


def influence(fit: PlsFit) -> Array:
    """Return the influence of each respondent on each quantity, (n, k), see `_influences`."""
    return np.concatenate(list(_influences(fit)))


def _influences(fit: PlsFit) -> Iterator[Array]:
    """Yield the influence of each respondent on each quantity, blocks of (n, k).

    That on the covariance of standardised a and b is ``z_a z_b - r_ab``; by the chain rule, with
    derivatives by differences (a batch of p(p + 1)/2 matrices), on everything else. Of
    interactions, which more than covariances decide, see `_influence_by_weights`. Under a sampling
    design the influences are those of whole clusters, (C, k), less the mean of their stratum.
    """
    if fit.design.interactions:
        yield _influence_by_weights(fit)
        return
    moments, sampled = fit.sample.moments, fit.sample.rows
    row, column = np.tril_indices(len(moments.names))
    slopes = _slopes(fit, row, column)
    shrink = np.sqrt((fit.n - 1) / fit.n)
    z = (fit.sample.matrix - moments.mean) / (moments.sd * shrink)
    terms = (
        block[:, row] * block[:, column] - moments.corr[row, column]
        for block in (z[first : first + ROWS] for first in range(0, len(z), ROWS))
    )
    blocks = (products @ slopes for products in terms)
    if sampled is None:
        yield from blocks
    else:
        influences = np.concatenate(list(blocks)) * sampled.weights[:, None]
        yield sampled.centred_cluster_sums(influences)


def _influence_by_weights(fit: PlsFit) -> Array:
    """Return influences as derivatives by the weight of each respondent, by differences.

    Of `MOST_ROWS` respondents at most, evenly spaced, each standing for its neighbours: BCa needs
    the skewness of the influences only. Under a sampling design a whole cluster gains weight, and
    its influence is that of its weighted mean times its weight: the sum of its respondents'.
    """
    sampled = fit.sample.rows or SampledRows.plain(fit.n)
    x = fit.sample.matrix - fit.sample.moments.mean
    p = x.shape[1]
    row, column = np.tril_indices(p)
    products = x[:, row] * x[:, column]
    base = sampled.weights / fit.n
    size = sampled.n_clusters
    units = np.unique(np.linspace(0, size - 1, min(size, MOST_ROWS)).astype(int))
    influences = []
    for first in range(0, len(units), WEIGHTED):
        part = units[first : first + WEIGHTED]
        of_cluster = (sampled.cluster == part[:, None]) * base
        total = of_cluster.sum(axis=1, keepdims=True)
        weights = (1 - STEP) * base + STEP * of_cluster / total
        mean = weights @ x
        cov = np.empty((len(part), p, p))
        flat = weights @ products - mean[:, row] * mean[:, column]
        cov[:, row, column] = cov[:, column, row] = flat
        estimates = fit.reestimate(cov, weights=weights, tolerance=STOP)
        shift = flattened(estimates, fit.design) - flattened(fit.estimates, fit.design)
        influences.append(shift / STEP * (total * fit.n))
    values = np.concatenate(influences)[np.arange(size) * len(units) // size]
    return values if fit.sample.rows is None else sampled.centred_sums(values)


def _slopes(fit: PlsFit, row: NDArray[np.intp], column: NDArray[np.intp]) -> Array:
    """Return the derivatives of each quantity by each covariance, by differences.

    The covariances move in units of the sample's standard deviations.
    """
    cov, sd, q = fit.sample.moments.cov, fit.sample.moments.sd, len(row)
    moved = np.repeat(cov[None], q, axis=0)
    moved[np.arange(q), row, column] = cov[row, column] + STEP * sd[row] * sd[column]
    moved[np.arange(q), column, row] = moved[np.arange(q), row, column]
    values = [
        flattened(fit.reestimate(moved[first : first + CHUNK], tolerance=STOP), fit.design)
        for first in range(0, q, CHUNK)
    ]
    return (np.concatenate(values) - flattened(fit.estimates, fit.design)) / STEP


def _table(fit: PlsFit, replicates: Array, level: float) -> pd.DataFrame:
    """Return estimates, standard errors, tests and intervals of every quantity."""
    import pandas as pd

    estimates = flattened(fit.estimates, fit.design)[0]
    frame = pd.DataFrame(list(quantities(fit.design)))
    solved = replicates[~np.isnan(replicates).all(axis=1)]
    limits = np.full((7, len(estimates)), np.nan)
    varies = np.zeros(len(estimates), bool)
    if len(solved) > 1:
        with np.errstate(invalid="ignore"):
            varies = ~np.isnan(solved).any(axis=0) & (np.ptp(solved, axis=0) > CONSTANT)
        chosen_limits = intervals(fit, estimates, solved, level)
        limits[:3] = chosen_limits.low, chosen_limits.high, chosen_limits.p_value
        limits[3:5] = percentile_limits(solved, level)
        limits[5:] = bca(solved, estimates, _influences(fit), level)
        limits[:, ~varies] = np.nan
    se = np.full(len(estimates), np.nan)
    se[varies] = solved[:, varies].std(axis=0, ddof=1)
    tested = ~frame["kind"].isin(["r_squared", "htmt"]).to_numpy()
    low, high, p_value, percentile_low, percentile_high, bca_low, bca_high = limits
    return frame.assign(
        estimate=estimates, se=se, z=np.where(tested, estimates / se, np.nan), p_value=p_value,
        ci_low=low, ci_high=high, percentile_low=percentile_low, percentile_high=percentile_high,
        bca_low=bca_low, bca_high=bca_high,
    )  # fmt: skip
