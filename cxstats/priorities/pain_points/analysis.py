"""Causes of trouble from records, counts or published shares: Pareto table and concentration.

References
----------
Juran (1954). Universals in management planning and controlling. Management Review 43, 748-761.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, listed
from cxstats.core.moments import check_resamples
from cxstats.core.result import Chart, Result
from cxstats.priorities.pain_points.causes import Causes, from_counts, from_records, from_shares
from cxstats.priorities.pain_points.concentration import (
    INTERVALS,
    effective_number,
    gini,
    herfindahl,
    ranks,
    simultaneous,
    top_share,
    vital_few,
)
from cxstats.priorities.pain_points.priority import Priority, prioritise
from cxstats.priorities.quadrants import Crosshairs
from cxstats.stats.bootstrap import bca, percentile_limits
from cxstats.stats.intervals import check_level
from cxstats.stats.sampling_design import Design, refuse_design
from cxstats.survey.coding import by_codebook

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NO_DESIGN = (
    "its intervals are those of a count of independent records; keep one record per cluster, or "
    "compute the share of each cause as a metric, which takes weights: "
    "cx.csat((table[cause] == name).astype(int), scale=(0, 1), kind='top_box', weights=...)"
)
ENOUGH = 400  # records from which intervals of concentration cover as they say
FEW = 5  # records of a cause below which Goodman's interval is rough
# Which options each kind of data leaves unused; None are records.
UNUSED = {
    None: ("records", ("n", "rounding")),
    "counts": ("counts", ("cause", "impact", "effort", "n", "rounding")),
    "shares": ("shares", ("cause", "impact", "effort")),
}
MATRIX_OPTIONS = ("impact", "effort", "crosshairs", "scale")  # of the priority matrix


@dataclass(frozen=True, eq=False, repr=False)
class PainPoints(Result):
    """Causes by size, and how concentrated they are.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per cause, the largest first and the bundle of others last: ``cause, count,
        estimate`` (share of the total), ``ci_low, ci_high`` (simultaneous), ``n, cumulative,
        vital`` (one of the fewest that reach the rule; see `few`), ``vital_certainty`` (share of
        resamples), ``rank, rank_ci_low, rank_ci_high``; from records also ``impact`` (total)
        with its interval and share, and ``effort`` (mean) with its interval. NaN where published
        shares have no n.
    concentration : pandas.DataFrame
        ``measure, estimate, ci_low, ci_high, n`` of herfindahl, effective_causes, gini, top_share
        and vital_few (how many causes reach the rule).
    rule, top : float, int
        The share that the vital few reach; how many causes `top_share` adds up.
    other : str or None
        The bundle of other causes.
    interval : str
        "goodman" or "sison-glaz"; "none" where n is not known.
    causes : Causes
        The causes as read, with their resamples.
    n, n_dropped : float, int
        Records (NaN where not known); left out because an entry was missing.
    level, n_resamples, seed, synthetic, notes
        As everywhere.
    """

    table: pd.DataFrame
    concentration: pd.DataFrame
    rule: float
    top: int
    other: str | None
    interval: str
    causes: Causes
    n: float
    n_dropped: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = {"measure": "pain.measure.{}"}
    reference: ClassVar = (
        "Juran (1954). Universals in management planning and controlling. Management Review 43, "
        "748-761."
    )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The Pareto chart and, where effort is known, the priority matrix."""
        return ("pareto",) if self.why_not("priority") else ("pareto", "priority")

    def why_not(self, kind: str) -> str:
        """Return why there is no priority matrix, where there is none."""
        if kind != "priority" or self.causes.effort is not None:
            return ""
        return "effort is not known, so take .priority(effort={cause: number}).plot()"

    @property
    def few(self) -> bool:
        """Whether there are vital few: at most half of the named causes reach the rule."""
        return 2 * int(self.table["vital"].sum()) <= self.causes.n_named

    def priority(
        self,
        impact: Mapping[str, float] | None = None,
        effort: Mapping[str, float] | None = None,
        *,
        crosshairs: Crosshairs = "means",
        scale: tuple[float, float] | None = None,
    ) -> Priority:
        """Return the priority matrix, impact against effort; see `Priority`.

        Parameters
        ----------
        impact : mapping of cause to number, optional
            Without it: the total of the records' column of impact, or else the share of the cause.
        effort : mapping of cause to number, optional
            Without it: the mean of the records' column of effort. Above 0.
        crosshairs : {"means", "medians", "scale"} or (effort, impact)
        scale : (low, high), optional
            Ends of the scale of the numbers in `impact` and `effort`, checked; for
            ``crosshairs="scale"``.

        Raises
        ------
        CxError
            If a cause has no number or one that is not allowed, or no effort is known.
        """
        return prioritise(self, impact, effort, crosshairs, scale)

    def findings(self, lang: str) -> list[str]:
        """Return the causes and their concentration.

        Where more than half of the causes are needed to reach the rule, no cause is marked as one
        of the vital few, and a line says that there are none.
        """
        counted = bool(np.isfinite(self.n))
        lines = [
            label(
                "pain.head.n" if counted else "pain.head.shares", lang,
                n=format_number(self.n) if counted else "",
                dropped=format_number(self.n_dropped), k=len(self.table),
            )
        ]  # fmt: skip
        rows: Any = self.table
        for row in rows.itertuples():
            limits = interval(100 * row.ci_low, 100 * row.ci_high, 1)
            share = format_percent(100 * row.estimate, 1, lang) + (f" {limits}" if counted else "")
            total = format_percent(100 * row.cumulative, 1, lang)
            key = "pain.row.vital" if row.vital and self.few else "pain.row"
            lines.append(label(key, lang, name=row.cause, share=share, total=total))
        rule = format_percent(100 * self.rule, None, lang)
        if not self.few:
            lines.append(label("pain.vital.none", lang, rule=rule))
        measures: Any = self.concentration
        for row in measures.itertuples():
            decimals = 0 if row.measure == "vital_few" else 3
            value = format_number(row.estimate, decimals)
            if counted:
                value += f" {interval(float(row.ci_low), float(row.ci_high), decimals)}"
            lines.append(label(f"pain.{row.measure}", lang, value=value, top=self.top, rule=rule))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return causes by size with their cumulative share, or the priority matrix.

        Options ``impact, effort, crosshairs, scale`` are those of `priority`.
        """
        if kind == "priority":
            chosen = {name: options[name] for name in MATRIX_OPTIONS if name in options}
            matrix = self.priority(**chosen)
            return replace(matrix.chart(matrix.kinds[0], lang, options), taken=tuple(chosen))
        common = {"source": self.source_text(lang), "synthetic": self.synthetic}
        return Chart("pareto", (self.causes.names, self.table["estimate"].tolist()), common)

    def source_text(self, lang: str) -> str:
        """Return where the numbers come from, for a chart."""
        if np.isfinite(self.n):
            return label("pain.source.n", lang, n=format_number(self.n))
        return label("pain.source.shares", lang)


@by_codebook()
def pain_points(  # noqa: PLR0913  (options of a method)
    data: Any,
    cause: str | None = None,
    *,
    kind: str | None = None,
    impact: str | None = None,
    effort: str | None = None,
    other: str | None = None,
    n: int | None = None,
    rounding: float = 0.0,
    rule: float = 0.8,
    top: int = 3,
    interval: str = "goodman",
    weights: str | None = None,
    cluster: str | None = None,
    design: Design | None = None,
    level: float = 0.95,
    n_resamples: int = 5_000,
    seed: int = 1,
    codebook: Any = None,
) -> PainPoints:
    """Rank the causes of trouble, with simultaneous intervals, and measure their concentration.

    Two doors: records (tickets, complaints, answers), one row each, with a column that names the
    cause; or a mapping or Series from cause to count or share.

    Parameters
    ----------
    data : pandas, Polars, PyArrow table or DuckDB relation; or mapping or Series
        The records; or the causes with their counts or shares.
    cause : str, optional
        Column of the cause, of records.
    kind : {"counts", "shares"}, optional
        What a mapping or Series holds; never guessed, since 28 may be either.
    impact, effort : str, optional
        Columns of records: what a record costs (totalled by cause), what it takes (averaged); from
        0 upwards.
    other : str, optional
        Name of the bundle of other causes. It comes last and is never one of the vital few. Of
        shares it takes what is left to 1 or 100, unless it is among them.
    n : int, optional
        Records behind shares, where it was published; without it there are no intervals.
    rounding : float
        By how much a published share may be off, in its own unit (0.5 for whole per cents). Shares
        then may miss 1 or 100 by that times their number, and are divided by their sum.
    rule : float
        The share that the vital few reach.
    top : int
        How many causes the share of the top adds up; all, where there are fewer.
    interval : {"goodman", "sison-glaz"}
        Simultaneous interval of the shares.
    weights, cluster, design
        Not taken: simultaneous intervals of shares are those of a multinomial count. The message
        says what to take instead.
    level, n_resamples, seed
        Confidence level, bootstrap resamples of records, their seed.
    codebook : Codebook, mapping, path or name, optional
        It lends labels, missing codes, direction, names and order of groups; its sampling design is
        refused like any other (``weights=None`` leaves it out).

    Returns
    -------
    PainPoints

    Raises
    ------
    DataError
        If an entry is not what it must be, counts or shares are negative, all zero, or shares do
        not sum to 1 or 100.
    CxError
        If an option is wrong or does not fit the data.

    Notes
    -----
    Counting the causes of n resampled records is a multinomial draw, so counts suffice for the
    bootstrap; only columns of impact and effort need the records. Concentration in a sample is on
    average higher than in all records (of Herfindahl by ``(1 - H) / n``), and intervals are
    bias-corrected percentile ones for it. In our simulation of 4 to 8 causes the 95 % intervals of
    concentration covered 88 to 93 % at n = 100, 90 to 94 % at 200, and 92 to 95 % at 400: the more
    equal the causes, the less. Where there is a bundle of others, it counts as one cause, so that
    Herfindahl and Gini are upper bounds, the effective number a lower one.

    Examples
    --------
    >>> pains = pain_points({"slow": 50, "silos": 30, "dear": 20}, kind="counts")
    >>> pains.table[["cause", "estimate", "ci_low", "ci_high"]].round(2).to_numpy().tolist()
    [['slow', 0.5, 0.38, 0.62], ['silos', 0.3, 0.2, 0.42], ['dear', 0.2, 0.12, 0.31]]
    >>> pain_points({"slow": 50, "silos": 30, "dear": 20}, kind="shares").n
    nan
    """
    refuse_design("pain_points", NO_DESIGN, design, weights, cluster)
    check_level(level)
    check_resamples(n_resamples, seed)
    if isinstance(rule, bool) or not isinstance(rule, Real) or not 0 < rule <= 1:
        raise CxError(f"rule is {rule!r}; allowed: a share above 0, up to 1, such as 0.8")
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise CxError(f"top is {top!r}; allowed: whole numbers from 1 upwards")
    if interval not in INTERVALS:
        raise CxError(f"interval is {interval!r}; allowed: {', '.join(INTERVALS)}")
    options = {"cause": cause, "impact": impact, "effort": effort, "n": n}
    _check_door(kind, options | {"rounding": rounding or None})
    if kind == "counts":
        causes = from_counts(data, other, n_resamples, seed)
    elif kind == "shares":
        causes = from_shares(data, other, n, rounding, n_resamples, seed)
    else:
        causes = from_records(data, cause, impact, effort, other, n_resamples, seed)
    top = min(top, len(causes.names))
    return PainPoints(
        table=_table(causes, rule, interval, level),
        concentration=_concentration(causes, rule, top, level),
        rule=rule,
        top=top,
        other=other,
        interval=interval if causes.counts is not None else "none",
        causes=causes,
        n=causes.n,
        n_dropped=causes.n_dropped,
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=causes.synthetic,
        notes=(*causes.notes, *_notes(causes, rule)),
    )


def _check_door(kind: str | None, options: Mapping[str, object]) -> None:
    """Raise if the kind of data is unknown, or an option is not used with it."""
    if kind not in UNUSED:
        raise CxError(f"kind is {kind!r}; allowed: counts, shares, or nothing with records")
    name, unused = UNUSED[kind]
    for option in unused:
        if options[option] is not None:
            raise CxError(f"{option}={options[option]!r} is not used with {name}; leave it out")


def _table(causes: Causes, rule: float, method: str, level: float) -> pd.DataFrame:
    """Return the causes in their order: largest first, the bundle last."""
    import pandas as pd

    k, named = len(causes.names), causes.n_named
    empty = np.full(k, np.nan)
    columns: dict[str, Any] = {
        "cause": list(causes.names),
        "count": empty if causes.counts is None else causes.counts,
        "estimate": causes.shares,
        "ci_low": empty,
        "ci_high": empty,
        "n": causes.n,
        "cumulative": causes.shares.cumsum(),
        "vital": [*vital_few(causes.shares[:named], rule), *[False] * (k - named)],
        "vital_certainty": empty,
        "rank": [*ranks(causes.shares[:named]), *[np.nan] * (k - named)],
        "rank_ci_low": empty,
        "rank_ci_high": empty,
    }
    if causes.counts is not None and k > 1:
        columns["ci_low"], columns["ci_high"] = simultaneous(causes.counts, level, method)
    if causes.replicates is not None:
        drawn, gap = causes.replicates[:, :named], [np.nan] * (k - named)
        columns["vital_certainty"] = [*vital_few(drawn, rule).mean(axis=0), *gap]
        low, high = percentile_limits(ranks(drawn), level)
        columns["rank_ci_low"], columns["rank_ci_high"] = [*low, *gap], [*high, *gap]
    return pd.DataFrame({**columns, **causes.amounts(level)})


def _concentration(causes: Causes, rule: float, top: int, level: float) -> pd.DataFrame:
    """Measure concentration, with bias-corrected percentile intervals where n is known."""
    import pandas as pd

    def measures(shares: Array) -> Array:
        named = shares[..., : causes.n_named]
        few = vital_few(named, rule).sum(axis=-1).astype(float)
        largest = top_share(named, min(top, causes.n_named))
        concentration = (herfindahl(shares), effective_number(shares), gini(shares))
        return np.stack([*concentration, largest, few], axis=-1)

    estimate = measures(causes.shares)
    low = high = np.full(len(estimate), np.nan)
    if causes.replicates is not None:
        drawn = measures(causes.replicates)
        # Two opposite influences: no acceleration, which counts of this kind hardly have.
        low, high = bca(drawn, estimate, np.outer([1.0, -1.0], np.ones(len(estimate))), level)
        constant = np.ptp(drawn, axis=0) == 0
        low, high = np.where(constant, estimate, low), np.where(constant, estimate, high)
    names = ["herfindahl", "effective_causes", "gini", "top_share", "vital_few"]
    columns = {"measure": names, "estimate": estimate, "ci_low": low, "ci_high": high}
    return pd.DataFrame({**columns, "n": causes.n})


def _notes(causes: Causes, rule: float) -> list[Text]:
    """Return what was left out, what is bundled and what is rough."""
    notes = []
    if causes.counts is None:
        notes.append(both("pain.note.no_n"))
    elif (causes.counts < FEW).any():
        small = [name for name, c in zip(causes.names, causes.counts, strict=True) if c < FEW]
        notes.append(both("pain.note.few", least=FEW, names=listed(small)))
    if causes.n < ENOUGH:
        notes.append(both("pain.note.concentration", least=ENOUGH))
    if causes.n_dropped:
        notes.append(both("pain.note.missing", n=format_number(causes.n_dropped)))
    if causes.n_named < len(causes.names):
        notes.append(both("pain.note.bundle", name=causes.names[-1]))
        if causes.shares[: causes.n_named].sum() < rule:
            percent = (format_percent(100 * rule, None, lang) for lang in ("en", "zh"))
            notes.append(both("pain.note.short", rule=Text(*percent)))
    return notes
