"""The bootstrap of a PLS path model: all replicates at once, from their correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number
from cxstats.core.language import label
from cxstats.core.moments import bootstrap_moments, check_resamples
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.models.fitted_model import bootstrap_chart
from cxstats.models.pls.algorithm import TOLERANCE_RESAMPLE
from cxstats.models.pls.estimates import estimate, flattened, quantities
from cxstats.stats.bootstrap import bca, percentile_limits
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

SIGNS = ("none", "construct")
# Replicates in a batch: few enough for their matrices to stay in the cache.
CHUNK = 250
# Step of the derivatives behind BCa, in correlations, and where those fits stop: the bend and the
# stop each cost about 1e-5 of a slope, and the acceleration needs two digits.
STEP, STOP = 1e-5, 1e-11
# Share of replicates without a solution above which their loss is said to matter.
LOST = 0.05


@dataclass(frozen=True, eq=False)
class PlsBootstrap:
    """Bootstrap of a PLS path model.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per quantity: ``kind`` (path, loading, weight, total, indirect, specific,
        r_squared, htmt, defined), ``lhs, op, rhs, label, estimate, se, z, p_value, ci_low,
        ci_high`` (percentile), ``bca_low, bca_high``. `z` is the estimate over its bootstrap
        standard error (papers on PLS call it t), with a normal p value; R², HTMT and their like
        are not tested against 0 (NaN).
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

    def plot(self, lang: str = "en", **options: Any) -> Axes:
        """Draw paths and defined parameters with percentile intervals."""
        rows = self.table[self.table["kind"].isin(["path", "defined"])]
        names = [
            lhs if op == ":=" else f"{rhs} → {lhs}"
            for lhs, op, rhs in zip(rows["lhs"], rows["op"], rows["rhs"], strict=True)
        ]
        limits = rows["estimate"], rows["ci_low"], rows["ci_high"]
        return bootstrap_chart(self, names, *limits, lang, options)

    def summary(self, lang: str = "en") -> str:
        """Return how many replicates there are, and what was done about signs."""
        lines = [
            label(
                "pls.bootstrap.head",
                lang,
                b=format_number(self.n_resamples),
                seed=self.seed,
                failed=format_number(self.n_failed),
                improper=format_number(self.n_improper),
            ),
            label(f"pls.bootstrap.signs.{self.signs}", lang),
        ]
        if self.n_failed > LOST * self.n_resamples:
            lines.append(label("sem.bootstrap.lost", lang))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def bootstrap(fit: PlsFit, n_resamples: int, seed: int, level: float, signs: str) -> PlsBootstrap:
    """Draw replicates of a fit's sample and fit the model to each; see `PlsFit.bootstrap`."""
    check_resamples(n_resamples, seed)
    check_level(level)
    if signs not in SIGNS:
        raise CxError(f"signs is {signs!r}; allowed: {', '.join(SIGNS)}")
    fit.require_sound("bootstrap")
    fit.sample.require_rows("a bootstrap")
    with quiet_linear_algebra():
        cov = bootstrap_moments(fit.sample.matrix, n_resamples, seed).cov
        values, improper = replicate(fit, cov, signs == "construct")
        table = _table(fit, values, level)
    failed = int(np.isnan(values).all(axis=1).sum())
    return PlsBootstrap(
        table, n_resamples, failed, int(improper.sum()), values, signs, level, seed, fit.n,
        fit.synthetic,
    )  # fmt: skip


def replicate(fit: PlsFit, cov: Array, align: bool) -> tuple[Array, NDArray[np.bool_]]:
    """Return all quantities of a batch of samples (B, k), and which are improper (B,).

    NaN where there is no solution; improper where corrected correlations are not positive
    definite.
    """
    reference = fit.estimates.found.weights[0]
    out = np.empty((len(cov), len(quantities(fit.design))))
    improper = np.zeros(len(cov), bool)
    for start, stop in tracked(len(cov), CHUNK):
        found = estimate(
            cov[start:stop],
            fit.design,
            fit.scheme,
            fit.consistent,
            reference=reference,
            align=align,
            tolerance=TOLERANCE_RESAMPLE,
        )
        values = flattened(found, fit.design)
        lost = ~found.found.converged | ~np.isfinite(found.paths).all(axis=(1, 2))
        values[lost] = np.nan
        out[start:stop] = values
        if fit.consistent and not lost.all():
            part = improper[start:stop]
            part[~lost] = np.linalg.eigvalsh(found.joint[~lost])[:, 0] <= 0
    return out, improper


def influence(fit: PlsFit) -> Array:
    """Return the influence of each respondent on each quantity, (n, k).

    That on the correlation of a and b is ``z_a z_b - r (z_a^2 + z_b^2) / 2``; by the chain rule,
    with derivatives by differences (a batch of p(p - 1)/2 matrices), on everything else.
    """
    corr = fit.sample.moments.corr
    row, column = np.tril_indices(len(corr), -1)
    q = len(row)
    moved = np.repeat(corr[None], q, axis=0)
    moved[np.arange(q), row, column] += STEP
    moved[np.arange(q), column, row] += STEP
    reference = fit.estimates.found.weights[0]
    parts = []
    for first in range(0, q, CHUNK):
        found = estimate(
            moved[first : first + CHUNK], fit.design, fit.scheme, fit.consistent,
            reference=reference, align=True, tolerance=STOP,
        )  # fmt: skip
        parts.append(flattened(found, fit.design))
    values = np.concatenate(parts)
    slopes = (values - flattened(fit.estimates, fit.design)) / STEP
    shrink = np.sqrt((fit.n - 1) / fit.n)
    z = (fit.sample.matrix - fit.sample.moments.mean) / (fit.sample.moments.sd * shrink)
    out = np.empty((len(z), slopes.shape[1]))
    for first in range(0, len(z), 2_000):
        own = z[first : first + 2_000]
        square = own**2
        terms = own[:, row] * own[:, column]
        terms -= corr[row, column] * (square[:, row] + square[:, column]) / 2
        out[first : first + 2_000] = terms @ slopes
    return out


def numbers(fit: PlsFit, boot: PlsBootstrap | None) -> pd.DataFrame:
    """Return every quantity with its interval, or with none without a bootstrap."""
    import pandas as pd

    if boot is not None:
        return boot.table
    rows = pd.DataFrame([_named(one) for one in quantities(fit.design)])
    columns = ("se", "z", "p_value", "ci_low", "ci_high")
    return rows.assign(
        estimate=flattened(fit.estimates, fit.design)[0], **dict.fromkeys(columns, np.nan)
    )


def _named(one: object) -> dict[str, str]:
    return {name: getattr(one, name) for name in ("kind", "lhs", "op", "rhs", "label")}


def _table(fit: PlsFit, values: Array, level: float) -> pd.DataFrame:
    """Return estimates, standard errors, tests and intervals of every quantity."""
    import pandas as pd
    from scipy.special import ndtr

    estimates = flattened(fit.estimates, fit.design)[0]
    frame = pd.DataFrame([_named(one) for one in quantities(fit.design)])
    kept = values[~np.isnan(values).all(axis=1)]
    k = len(estimates)
    se, low, high = (np.full(k, np.nan) for _ in range(3))
    moving = np.zeros(k, bool)
    if len(kept) > 1:
        with np.errstate(invalid="ignore"):
            known = ~np.isnan(kept).any(axis=0)
            moving = known & (np.ptp(kept, axis=0) > 1e-9)
        se[moving] = kept[:, moving].std(axis=0, ddof=1)
        low[moving], high[moving] = percentile_limits(kept[:, moving], level)
    bca_low, bca_high = bca(kept, estimates, influence(fit), level)
    bca_low[~moving] = bca_high[~moving] = np.nan
    tested = ~frame["kind"].isin(["r_squared", "htmt"]).to_numpy()
    z = np.where(tested, estimates / se, np.nan)
    return frame.assign(
        estimate=estimates, se=se, z=z, p_value=2 * ndtr(-np.abs(z)), ci_low=low, ci_high=high,
        bca_low=bca_low, bca_high=bca_high,
    )  # fmt: skip
