"""Importance-performance map analysis: what matters for a target, and how well it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.core.result import Chart, Result
from cxstats.models.pls.bootstrap import CHUNK
from cxstats.models.pls.design import Design
from cxstats.models.pls.estimates import Estimates
from cxstats.models.pls.intervals import Stretch, shifted_interval
from cxstats.stats.bootstrap import expanded_percentile
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

Scale = tuple[float, float] | Mapping[str, tuple[float, float]] | str


@dataclass(frozen=True, eq=False, repr=False)
class Ipma(Result):
    """Importance and performance of constructs for one target.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per construct with an effect on the target: ``construct, importance,
        importance_ci_low, importance_ci_high, performance, performance_ci_low,
        performance_ci_high, std_total, n``. Importance: points of the target's performance per
        point of the construct's.
    target : str
    target_performance : float
        From 0 to 100.
    negative : tuple of str
        Items with a negative weight, which make a performance doubtful.
    replicates : array (B, k, 2)
        Performance and importance of each construct in every resample that converged.
    n_resamples, n_failed, seed, level
        The bootstrap behind the intervals.
    synthetic : bool
        Whether the respondents are simulated.
    sampling : tuple of Text
        What a reader must know of the sampling design.
    """

    table: pd.DataFrame
    target: str
    target_performance: float
    negative: tuple[str, ...]
    replicates: Array
    n_resamples: int
    n_failed: int
    seed: int
    level: float
    synthetic: bool
    sampling: tuple[Text, ...] = ()

    kinds: ClassVar[tuple[str, ...]] = ("map", "intervals")
    reference: ClassVar[str] = (
        "Ringle, C. M., & Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: The "
        "importance-performance map analysis. Industrial Management & Data Systems, 116(9), "
        "1865-1886."
    )

    @property
    def notes(self) -> tuple[Text, ...]:
        """The items whose negative weight makes a performance doubtful; the sampling design."""
        negative = (both("pls.ipma.negative", item=item) for item in self.negative)
        return (*negative, *self.sampling)

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the map, or importances with intervals and performance beside the name.

        Both take ``names``, a mapping of constructs to what they are called. The map takes
        ``crosshairs`` too; see `cxstats.priorities.importance.from_ipma`.
        """
        called = {str(name): str(text) for name, text in (options.get("names") or {}).items()}
        table = self.table.assign(construct=self.table["construct"].replace(called))
        target = called.get(self.target, self.target)
        if kind == "map":
            renamed = replace(self, table=table, target=target)
            return Chart("ipma_map", (renamed,), taken=("names",))
        rows: Any = table.sort_values("importance", ascending=False)
        names = [
            f"{row.construct} ({format_number(row.performance, 1)})" for row in rows.itertuples()
        ]
        limits = rows["importance"], rows["importance_ci_low"], rows["importance_ci_high"]
        level = format_percent(100 * self.level, None, lang)
        settings = {
            "source": label(
                "sem.bootstrap.source", lang, b=format_number(self.n_resamples),
                n=format_number(int(rows["n"].iloc[0])), seed=self.seed,
            ),
            "axis": label("pls.ipma.axis", lang, target=target, level=level),
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return Chart("intervals", (names, *limits), settings, taken=("names",))

    def findings(self, lang: str) -> list[str]:
        """Return the target and every construct in words, the most important first."""
        value = format_number(self.target_performance, 1)
        rows: Any = self.table.sort_values("importance", ascending=False)
        return [label("pls.ipma.head", lang, target=self.target, value=value)] + [
            label(
                "pls.ipma.row", lang,
                name=row.construct,
                importance=f"{format_number(row.importance, 3)} "
                + interval(row.importance_ci_low, row.importance_ci_high, 3),
                performance=format_number(row.performance, 1),
            )
            for row in rows.itertuples()
        ]  # fmt: skip


def ipma(fit: PlsFit, target: str, scale: Scale, n_resamples: int, seed: int, level: float) -> Ipma:
    """Compute the importance-performance map of a target.

    Items are rescaled to 0-100; a construct's score is their mean with the unstandardised weights
    ``(w_i / s_i) / sum(w / s)``, s the standard deviation of the rescaled item. Performance is
    the mean score; importance the total effect on the target in these units, the standardised one
    times ``sd(target) / sd(construct)``.

    Parameters
    ----------
    fit : PlsFit
    target : str
        An endogenous construct.
    scale : (low, high), mapping of item to (low, high), or "observed"
        The ends of the answer scale; "observed" takes smallest and largest answers, which makes
        performances depend on who happened to answer.
    n_resamples, seed, level
        Bootstrap of the intervals, which keeps the sampling design of the fit.

    Raises
    ------
    CxError
        If the target is no endogenous construct, an answer is outside of the scale, or the fit is
        a consistent one (performance is a composite's) or has an interaction or a higher-order
        construct.

    References
    ----------
    Ringle & Sarstedt (2016). Gain more insight from your PLS-SEM results: the
    importance-performance map analysis. Industrial Management & Data Systems 116(9), 1865-1886.
    """
    import pandas as pd

    check_resamples(n_resamples, seed)
    check_level(level)
    fit.require_sound("map")
    fit.require_one_stage("a map")
    fit.sample.require_rows("a map")
    j = _target(fit, target)
    ends = _scale_ends(fit, scale)
    design, moments = fit.design, fit.sample.moments
    sources = [i for i in range(len(design.constructs)) if _reaches(design, i, j)]
    with quiet_linear_algebra():
        estimates = _map(fit.estimates, moments.mean[None], moments.cov[None], ends, design)
        importance, performance = estimates[0][0, j], estimates[1][0]
        replicates = _replicates(fit, j, ends, n_resamples, seed)
    solved = replicates[~np.isnan(replicates).any(axis=(1, 2))]
    low, high = _limits(fit, np.stack([performance, importance], axis=-1), solved, level)
    table = pd.DataFrame(
        {
            "construct": [design.constructs[i] for i in sources],
            "importance": importance[sources],
            "importance_ci_low": low[sources, 1],
            "importance_ci_high": high[sources, 1],
            "performance": performance[sources],
            "performance_ci_low": low[sources, 0],
            "performance_ci_high": high[sources, 0],
            "std_total": fit.estimates.total[0, j, sources],
            "n": fit.n,
        }
    )
    weights = fit.estimates.outer.weights[0]
    return Ipma(
        table=table,
        target=target,
        target_performance=float(performance[j]),
        negative=tuple(item for item, w in zip(design.items, weights, strict=True) if w < 0),
        replicates=solved[:, sources],
        n_resamples=n_resamples,
        n_failed=len(replicates) - len(solved),
        seed=seed,
        level=level,
        synthetic=fit.synthetic,
        sampling=fit.sample.notes,
    )


def _limits(fit: PlsFit, estimates: Array, replicates: Array, level: float) -> Array:
    """Return limits (2, J, 2) of performance and importance.

    Performances are means: expanded percentiles. Importances are effects, see
    `cxstats.models.pls.intervals.shifted_interval`.
    """
    limits = np.full((2, *estimates.shape), np.nan)
    if len(replicates) < 2:
        return limits
    n, df = fit.sample.drawn, fit.sample.df
    limits[:, :, 0] = expanded_percentile(replicates[:, :, 0], level, n, df)
    stretch = Stretch(level, n, df)
    limits[:, :, 1] = shifted_interval(estimates[:, 1], replicates[:, :, 1], stretch)[:2]
    return limits


def _replicates(
    fit: PlsFit, j: int, ends: tuple[Array, Array], n_resamples: int, seed: int
) -> Array:
    """Return performance and importance for construct j in resamples (B, J, 2).

    NaN where a resample has no solution.
    """
    resamples = fit.sample.replicates(n_resamples, seed)
    replicates = np.empty((n_resamples, len(fit.design.constructs), 2))
    for start, stop in tracked(n_resamples, CHUNK):
        cov, mean = resamples.cov[start:stop], resamples.mean[start:stop]
        estimates = fit.reestimate(cov)
        importance, performance = _map(estimates, mean, cov, ends, fit.design)
        pairs = np.stack([performance, importance[:, j]], axis=-1)
        converged = estimates.outer.converged[:, None, None]
        replicates[start:stop] = np.where(converged, pairs, np.nan)
    return replicates


def _target(fit: PlsFit, target: str) -> int:
    """Return the place of the target, or raise if it has no performance."""
    design = fit.design
    endogenous = [design.constructs[j] for j in design.causes]
    if target not in endogenous:
        raise CxError(f"target is {target!r}; allowed: {', '.join(endogenous)}")
    if fit.consistent:
        raise CxError("performance is that of composites: fit without consistent=True")
    return design.constructs.index(target)


def _reaches(design: Design, start: int, end: int) -> bool:
    """Return whether paths lead from one construct to another."""
    reached = {start}
    for j in design.order:
        if j in design.causes and reached & set(design.causes[j]):
            reached.add(j)
    return start != end and end in reached


def _scale_ends(fit: PlsFit, scale: Scale) -> tuple[Array, Array]:
    """Return the ends of every item's scale, (p,), (p,)."""
    items, answers = fit.design.items, fit.sample.matrix
    if isinstance(scale, str):
        if scale != "observed":
            raise CxError(f"scale is {scale!r}; allowed: (low, high), a mapping, or 'observed'")
        return answers.min(axis=0), answers.max(axis=0)
    if isinstance(scale, Mapping):
        missing = [item for item in items if item not in scale]
        if missing:
            raise CxError(f"scale has no ends for item {missing[0]!r}")
    ends = [scale[item] if isinstance(scale, Mapping) else scale for item in items]
    low, high = _checked_ends(np.array(ends, float), scale)
    outside = (answers < low) | (answers > high)
    if outside.any():
        i = int(outside.any(axis=0).argmax())
        raise CxError(
            f"item {items[i]!r} has the answer {answers[outside[:, i], i][0]:g}, outside of its "
            f"scale {low[i]:g} to {high[i]:g}"
        )
    return low, high


def _checked_ends(ends: Array, scale: Scale) -> Array:
    """Return low and high ends (2, p), or raise if they are none."""
    if ends.ndim != 2 or ends.shape[1] != 2 or not (ends[:, 0] < ends[:, 1]).all():
        raise CxError(f"scale is {scale!r}; allowed: (low, high) with low below high")
    return ends.T


def _map(
    estimates: Estimates, mean: Array, cov: Array, ends: tuple[Array, Array], design: Design
) -> tuple[Array, Array]:
    """Return unstandardised total effects (B, J, J) and performances (B, J)."""
    low, high = ends
    scale = 100 / (high - low)
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2)) * scale
    raw = estimates.outer.weights / sd
    # A composite has variance 1 with weights w / s; divided by their sum it has sd 1 / sum.
    sums = raw @ design.member
    performance = (raw * (mean - low) * scale) @ design.member / sums
    effects = estimates.total * (sums[:, None, :] / sums[:, :, None])
    return effects, performance
