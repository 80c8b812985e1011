"""Importance-performance map analysis: what matters for a target, and how well it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import label
from cxstats.core.moments import bootstrap_moments, check_resamples
from cxstats.core.progress import quiet_linear_algebra, tracked
from cxstats.models.pls.algorithm import TOLERANCE_RESAMPLE
from cxstats.models.pls.bootstrap import CHUNK
from cxstats.models.pls.design import Design
from cxstats.models.pls.estimates import Estimates, estimate
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from cxstats.models.pls.result import PlsFit

    Array = NDArray[np.float64]

Scale = tuple[float, float] | Mapping[str, tuple[float, float]] | str


@dataclass(frozen=True, eq=False)
class Ipma:
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
        The bootstrap behind the percentile intervals.
    synthetic : bool
        Whether the respondents are simulated.
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

    def plot(self, lang: str = "en", kind: str = "map", **options: Any) -> Axes:
        """Draw the map, or importances with intervals and performance beside the name.

        Parameters
        ----------
        lang : {"en", "zh"}
        kind : {"map", "intervals"}
        **options
            As of `cxstats.charts.quadrant_map` or `cxstats.charts.intervals`; the map also takes
            ``crosshairs``, see `cxstats.priorities.importance.from_ipma`.
        """
        if kind not in ("map", "intervals"):
            raise CxError(f"kind is {kind!r}; allowed: 'map', 'intervals'")
        if kind == "map":
            from cxstats.priorities.importance import from_ipma

            return from_ipma(self, options.pop("crosshairs", "means")).plot(lang=lang, **options)
        from cxstats.charts import intervals

        rows: Any = self.table.sort_values("importance", ascending=False)
        names = [
            f"{row.construct} ({format_number(row.performance, 1)})" for row in rows.itertuples()
        ]
        level = format_percent(100 * self.level, None, lang)
        given: dict[str, Any] = {
            "source": label(
                "sem.bootstrap.source", lang, b=format_number(self.n_resamples),
                n=format_number(int(rows["n"].iloc[0])), seed=self.seed,
            ),
            "axis": label("pls.ipma.axis", lang, target=self.target, level=level),
            "level": self.level,
            "synthetic": self.synthetic,
        }  # fmt: skip
        return intervals(
            names, rows["importance"], rows["importance_ci_low"], rows["importance_ci_high"],
            lang=lang, **given | options,
        )  # fmt: skip

    def summary(self, lang: str = "en") -> str:
        """Return the target and every construct in words, the most important first."""
        lines = [
            label(
                "pls.ipma.head",
                lang,
                target=self.target,
                value=format_number(self.target_performance, 1),
            )
        ]
        rows: Any = self.table.sort_values("importance", ascending=False)
        for row in rows.itertuples():
            importance = format_number(row.importance, 3)
            limits = interval(row.importance_ci_low, row.importance_ci_high, 3)
            lines.append(
                label(
                    "pls.ipma.row",
                    lang,
                    name=row.construct,
                    importance=f"{importance} {limits}",
                    performance=format_number(row.performance, 1),
                )
            )
        for item in self.negative:
            text = label("pls.ipma.negative", lang, item=item)
            lines.append(label("sem.problem.head", lang, text=text))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


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
        Bootstrap of the percentile intervals.

    Raises
    ------
    CxError
        If the target is no endogenous construct, an answer is outside of the scale, or the fit is
        a consistent one (performance is a composite's).

    References
    ----------
    Ringle & Sarstedt (2016). Gain more insight from your PLS-SEM results: the
    importance-performance map analysis. Industrial Management & Data Systems 116(9), 1865-1886.
    """
    import pandas as pd

    check_resamples(n_resamples, seed)
    check_level(level)
    fit.require_sound("map")
    fit.sample.require_rows("a map")
    j = _place(fit, target)
    low, high = _limits(fit, scale)
    design = fit.design
    sources = [i for i in range(len(design.constructs)) if _reaches(design, i, j)]
    with quiet_linear_algebra():
        own = fit.sample.moments
        single = _measured(fit.estimates, own.mean[None], own.cov[None], low, high, design)
        drawn = bootstrap_moments(fit.sample.matrix, n_resamples, seed)
        parts = []
        for start, stop in tracked(n_resamples, CHUNK):
            cov, mean = drawn.cov[start:stop], drawn.mean[start:stop]
            found = estimate(
                cov, design, fit.scheme, False, reference=fit.estimates.found.weights[0],
                tolerance=TOLERANCE_RESAMPLE,
            )  # fmt: skip
            pair = _measured(found, mean, cov, low, high, design)
            both = np.concatenate([pair[0][:, j], pair[1]], axis=1)
            parts.append(np.where(found.found.converged[:, None], both, np.nan))
    replicates = np.concatenate(parts)
    kept = replicates[~np.isnan(replicates).any(axis=1)]
    tails = percentile_limits(kept, level)
    size = len(design.constructs)
    effects, performance = single[0][0, j], single[1][0]
    table = pd.DataFrame(
        {
            "construct": [design.constructs[i] for i in sources],
            "importance": effects[sources],
            "importance_ci_low": tails[0, sources],
            "importance_ci_high": tails[1, sources],
            "performance": performance[sources],
            "performance_ci_low": tails[0, size:][sources],
            "performance_ci_high": tails[1, size:][sources],
            "std_total": fit.estimates.total[0, j, sources],
            "n": fit.n,
        }
    )
    negative = tuple(
        item
        for item, weight in zip(design.items, fit.estimates.found.weights[0], strict=True)
        if weight < 0
    )
    pairs = np.stack([kept[:, size:][:, sources], kept[:, sources]], axis=-1)
    return Ipma(
        table, target, float(performance[j]), negative, pairs, n_resamples,
        len(replicates) - len(kept), seed, level, fit.synthetic,
    )  # fmt: skip


def _place(fit: PlsFit, target: str) -> int:
    design = fit.design
    endogenous = [design.constructs[j] for j in design.causes]
    if target not in endogenous:
        raise CxError(f"target is {target!r}; allowed: {', '.join(endogenous)}")
    if fit.consistent:
        raise CxError("performance is that of composites: fit without consistent=True")
    return design.constructs.index(target)


def _reaches(design: Design, start: int, end: int) -> bool:
    reached = {start}
    for j in design.order:
        if j in design.causes and reached & set(design.causes[j]):
            reached.add(j)
    return start != end and end in reached


def _limits(fit: PlsFit, scale: Scale) -> tuple[Array, Array]:
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
        ends = np.array([scale[item] for item in items], float)
    else:
        ends = np.array([scale] * len(items), float)
    if ends.shape != (len(items), 2) or not (ends[:, 0] < ends[:, 1]).all():
        raise CxError(f"scale is {scale!r}; allowed: (low, high) with low below high")
    low, high = ends.T
    for i, item in enumerate(items):
        worst = answers[:, i][(answers[:, i] < low[i]) | (answers[:, i] > high[i])]
        if len(worst):
            raise CxError(
                f"item {item!r} has the answer {worst[0]:g}, outside of its scale "
                f"{low[i]:g} to {high[i]:g}"
            )
    return low, high


def _measured(
    found: Estimates, mean: Array, cov: Array, low: Array, high: Array, design: Design
) -> tuple[Array, Array]:
    """Return unstandardised total effects (B, J, J) and performances (B, J)."""
    scale = 100 / (high - low)
    sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2)) * scale
    raw = found.found.weights / sd
    # A composite has variance 1 with weights w / s; divided by their sum it has sd 1 / sum.
    sums = raw @ design.member
    performance = (raw * (mean - low) * scale) @ design.member / sums
    effects = found.total * (sums[:, None, :] / sums[:, :, None])
    return effects, performance
