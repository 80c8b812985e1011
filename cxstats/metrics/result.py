"""A metric by group: one table, with an interval and a sample size in every row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, catalogue, label
from cxstats.core.result import Chart, Result
from cxstats.metrics.cluster_sums import TOO_FEW_CLUSTERS, ClusterSums, Covariance
from cxstats.metrics.group_sums import Sums
from cxstats.stats.disclosure import (
    check_min_cell,
    suppressed_groups,
    suppression_notes,
    without_hidden,
)
from cxstats.stats.intervals import check_level

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.metrics.comparison import MetricComparison

SHOWN = 12  # groups in a summary; the table has them all
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Options:
    """What every metric can be asked for: interval, level, and the smallest cell shown."""

    interval: str
    level: float = LEVEL
    min_cell: int | None = None

    def __post_init__(self) -> None:
        check_level(self.level)
        check_min_cell(self.min_cell)


@dataclass(frozen=True, eq=False, repr=False)
class Metric(Result):
    """A metric with its uncertainty, one row per group.

    Attributes
    ----------
    table : pandas.DataFrame
        The columns of `by`, then ``estimate, se, ci_low, ci_high, n``. Of NPS also ``promoters,
        passives, detractors`` (counts of answers) and ``promoter_share, passive_share,
        detractor_share``; of a share ``events``; of a mean ``sd``; from answers ``n_missing``. With
        weights also ``n_effective, n_kish, deff``: shares, estimates and errors are weighted then,
        counts are not. With clusters or strata ``n_effective, deff, n_clusters`` (those with
        answers; the answers, without clusters) and ``df`` (less the strata). With `min_cell` also
        ``suppressed``: all other numbers of such a row are NaN, ``n`` as well.
    name : str
        "nps", "csat", "churn_rate", ...
    unit : {"nps", "share", "mean", "ratio"}
        NPS from -100 to 100; shares from 0 to 1; means in the unit of the answers; ratios such as
        the return on a cost, where 1 is the cost once more.
    kind : str
        Which of several: "top_box", "mean", the bands of an NPS; empty where there is one only.
    by : tuple of str
        Columns of groups.
    interval, level : str, float
        Method and level of the intervals.
    n, n_missing : int
        Answers, and rows without one.
    weighted : bool
        Whether the answers have weights.
    min_cell : int or None
        Groups of fewer answers have no estimate and no n; nor have those from which these could be
        computed (`cxstats.stats.disclosure`). `covariance` and `clusters` hold the sums of all
        groups: hand over tables, documents and charts, not the object.
    n_resamples, seed : int or None
        Of the bootstrap, where there is one.
    synthetic : bool
        Whether the answers are simulated.
    listed : bool
        Whether the groups are in the order in which their counts were given.
    covariance : Covariance or None
        Of the estimates, rows as in the table, where the design has clusters or strata: groups
        that share clusters depend on each other.
    clusters : ClusterSums or None
        The sums of the clusters behind it.
    notes : tuple of Text
        What was left out and what is rough.
    """

    table: pd.DataFrame
    name: str
    unit: str
    kind: str
    by: tuple[str, ...]
    interval: str
    level: float
    n: int
    n_missing: int
    weighted: bool
    min_cell: int | None
    n_resamples: int | None
    seed: int | None
    synthetic: bool
    listed: bool
    covariance: Covariance | None
    clusters: ClusterSums | None
    notes: tuple[Text, ...]

    kinds: ClassVar = ("groups",)

    def compare(
        self,
        reference: Any = None,
        *,
        within: str | Sequence[str] | None = None,
        adjust: str | None = "holm",
    ) -> MetricComparison:
        """Compare groups or waves: differences with interval, test and adjusted p value.

        Parameters
        ----------
        reference : group, optional
            The group that every other is compared with (a tuple, where `by` has several columns);
            without it, every pair, the later group of the table less the earlier.
        within : str or sequence of str, optional
            Compare only groups that agree in these columns of `by`, such as the waves of each
            segment; `reference` is then a group of the remaining columns.
        adjust : {"holm", "fdr_bh", None}
            How p values are adjusted for the number of comparisons.

        Raises
        ------
        CxError
            If there is one group only, or no such reference.
        """
        from cxstats.metrics.comparison import compare_metric

        return compare_metric(self, reference, within, adjust)

    def title(self, lang: str | None = None) -> str:
        """Return the name of the metric."""
        key = f"metric.name.{self.name}"
        name = label(key, lang) if key in catalogue() else self.name
        kind = f"metric.kind.{self.kind}"
        if kind not in catalogue():
            return name
        return label("metric.title", lang, name=name, kind=label(kind, lang))

    def group_names(self) -> list[str]:
        """Return one name per row of the table, for people to read."""
        if not self.by:
            return [self.title()] * len(self.table)
        return [" / ".join(map(group_text, row)) for row in zip(*(self.table[c] for c in self.by))]  # noqa: B905

    def findings(self, lang: str) -> list[str]:
        """Return the estimates with intervals."""
        level = format_percent(100 * self.level, None, lang)
        method = label(f"metric.interval.{self.interval}", lang)
        values = {"name": self.title(lang), "n": format_number(self.n), "level": level}
        values["method"] = method
        if self.by:
            values |= {"by": " / ".join(self.by), "groups": str(len(self.table))}
        lines = [label("metric.head.groups" if self.by else "metric.head", lang, **values)]
        names = self.group_names()
        for i in range(min(len(self.table), SHOWN)):
            row = self.table.iloc[i]
            name = names[i] if self.by else self.title(lang)
            lines.append("  " + self._row(name, row, lang))
        if len(self.table) > SHOWN:
            more = format_number(len(self.table) - SHOWN)
            lines.append("  " + label("metric.more", lang, count=more))
        return lines

    def _row(self, name: str, row: pd.Series[Any], lang: str) -> str:
        if self.min_cell is not None and row["suppressed"]:
            return label("disclosure.row", lang, name=name)
        n = format_number(int(row["n"]))
        if np.isnan(row["estimate"]):
            return label("metric.row.none", lang, name=name, n=n)
        value = self.estimate_text(row["estimate"], row["ci_low"], row["ci_high"], lang)
        if self.unit != "nps":
            return label("metric.row", lang, name=name, value=value, n=n)
        shares = {
            who: format_percent(100 * row[f"{who}_share"], 1, lang)
            for who in ("promoter", "passive", "detractor")
        }
        return label("metric.row.nps", lang, name=name, value=value, n=n, **shares)

    def estimate_text(
        self, estimate: float, low: float, high: float, lang: str | None = None
    ) -> str:
        """Return an estimate and its interval as text; shares in per cent."""
        if self.unit in ("share", "ratio"):
            text = interval_text(100 * low, 100 * high, 1)
            unit = "" if text == "–" else format_percent(0, 0, lang)[1:]
            return f"{format_percent(100 * estimate, 1, lang)} {text}{unit}"
        decimals = 1 if self.unit == "nps" else 2
        return f"{format_number(estimate, decimals)} {interval_text(low, high, decimals)}"

    def axis_title(self, lang: str) -> str:
        """Return the name of the metric with its unit, as an axis has it."""
        per_cent = self.unit in ("share", "ratio")
        return (
            label("metric.axis.per_cent", lang, name=self.title(lang))
            if per_cent
            else (self.title(lang))
        )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return stacked shares with the score for NPS, dots on intervals otherwise."""
        estimated = self.table["estimate"].notna()
        rows = self.table[estimated]
        if rows.empty:
            raise CxError("no group has an estimate to draw")
        groups = [name for name, drawn in zip(self.group_names(), estimated, strict=True) if drawn]
        names = groups if self.by else [self.title(lang)]
        if len(self.by) == 1 and all(re.fullmatch(r"[-−]?[\d.]+", name) for name in names):
            # A number alone does not say that it is a month.
            names = [label("chart.entry", lang, name=self.by[0], value=name) for name in names]
        common: dict[str, Any] = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "synthetic": self.synthetic,
            "level": self.level,
        }
        limits = [rows[name] for name in ("estimate", "ci_low", "ci_high")]
        if self.unit == "nps":
            shares = [rows[f"{who}_share"] for who in ("promoter", "passive", "detractor")]
            return Chart("nps_bars", (names, *shares, *limits), common | {"n": rows["n"]})
        per_cent = self.unit in ("share", "ratio")
        if per_cent:
            limits = [100 * values for values in limits]
        common["axis"] = self.axis_title(lang)
        common["decimals"] = 1 if per_cent else 2
        if "reference" not in options and self.unit != "ratio":
            common |= self._against_overall((*limits, rows["n"]), common["decimals"], lang)
        return Chart("intervals", (names, *limits), common)

    def _against_overall(self, columns: Any, decimals: int, lang: str) -> dict[str, Any]:
        """Return the overall value as a line, and how many groups are clear of it."""
        estimates, lows, highs, n = columns
        overall = round(float(np.average(estimates, weights=n)), decimals)
        if len(estimates) == 1:
            return {"reference": overall}
        hides = self.min_cell is not None and bool(self.table["suppressed"].any())
        key = "metric.title.groups.published" if hides else "metric.title.groups"
        title = label(
            key, lang, name=self.title(lang), n=len(estimates),
            k=int(((lows > overall) | (highs < overall)).sum()),
            value=format_number(overall, decimals),
        )  # fmt: skip
        return {"reference": overall, "title": title}


def group_text(group: Any) -> str:
    """Return a group as text for people to read; a day without its midnight, in whatever zone.

    Examples
    --------
    >>> import pandas as pd
    >>> group_text(pd.Timestamp("2026-03-02")), group_text("North")
    ('2026-03-02', 'North')
    >>> group_text(pd.Timestamp("2026-03-02", tz="Asia/Shanghai"))
    '2026-03-02'

    Numbers of a column with gaps are read as decimals; a whole one is written without its ".0":

    >>> group_text(2.0), group_text(2.5)
    ('2', '2.5')
    """
    whole = isinstance(group, float) and group.is_integer()
    text = str(int(group) if whole else group)
    return re.sub(r" 00:00:00([+-][\d:]+)?$", "", text) if hasattr(group, "year") else text


def build(  # noqa: PLR0913  (every metric says all of this)
    sums: Sums,
    columns: dict[str, Any],
    options: Options,
    *,
    name: str,
    unit: str,
    kind: str = "",
    counted: bool = False,
    synthetic: bool = False,
    n_resamples: int | None = None,
    seed: int | None = None,
    notes: Sequence[Text] = (),
    scale: float = 1.0,
) -> Metric:
    """Return a metric from its columns, with the small groups hidden.

    Parameters
    ----------
    sums : Sums
    columns : dict
        ``estimate, se, ci_low, ci_high``, then what else the table has, arrays (g,).
    options : Options
    name, unit, kind, synthetic, n_resamples, seed
        As in `Metric`.
    counted : bool
        Whether counts were given, which know of no missing answers.
    notes : sequence of Text
        What there is to say beyond what was left out.
    scale : float
        What the estimates are as a multiple of the means of the sums: 100 for NPS.
    """
    import pandas as pd

    _check_group_columns(sums, columns, options, counted)
    estimates = {key: columns.pop(key) for key in ("estimate", "se", "ci_low", "ci_high")}
    table = pd.concat([sums.groups, pd.DataFrame({**estimates, "n": sums.n, **columns})], axis=1)
    if not counted:
        table["n_missing"] = sums.missing
    for key, values in _design_columns(sums).items():
        table[key] = values
    hidden = suppressed_groups(sums.n, options.min_cell, sums.groups)
    if options.min_cell is not None:
        table = without_hidden(table, hidden, list(sums.groups.columns))
    return Metric(
        table=table,
        name=name,
        unit=unit,
        kind=kind,
        by=tuple(map(str, sums.groups.columns)),
        interval=options.interval,
        level=options.level,
        n=int(sums.n.sum()) + sums.ungrouped,
        n_missing=int(sums.missing.sum()),
        weighted=sums.weighted,
        min_cell=options.min_cell,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=synthetic,
        listed=counted,
        covariance=None if sums.covariance is None else sums.covariance.scaled(scale),
        clusters=sums.clusters,
        notes=(*_omissions(sums, hidden, options), *_of_design(sums), *notes),
    )


def _design_columns(sums: Sums) -> dict[str, Any]:
    """Return what weights, clusters and strata cost each group."""
    if not (sums.weighted or sums.sampled):
        return {}
    with np.errstate(invalid="ignore", divide="ignore"):
        columns: dict[str, Any] = {"n_effective": sums.effective()}
        if sums.weighted:
            columns["n_kish"] = sums.kish()
        columns["deff"] = sums.n / columns["n_effective"]
    if sums.covariance is not None:
        columns["n_clusters"] = sums.covariance.clusters().astype(int)
        columns["df"] = sums.df()
    return columns


def _check_group_columns(
    sums: Sums, columns: Mapping[str, Any], options: Options, counted: bool
) -> None:
    """Raise if a column of groups has the name of a column of the result."""
    reserved = {*columns, "n", *(() if counted else ("n_missing",))}
    reserved |= set(_design_columns(sums))
    reserved |= {"suppressed"} if options.min_cell is not None else set()
    for column in sums.groups.columns:
        if column in reserved:
            raise CxError(
                f"the column of groups {column!r} has the name of a column of the result "
                f"({', '.join(sorted(reserved))}); rename it"
            )


def _omissions(sums: Sums, hidden: Any, options: Options) -> list[Text]:
    """Return notes on what is in no estimate."""
    notes = []
    missing, empty = int(sums.missing.sum()), int((sums.n == 0).sum())
    if missing:
        notes.append(both("metric.note.missing", count=format_number(missing)))
    if sums.ungrouped:
        notes.append(both("metric.note.ungrouped", count=format_number(sums.ungrouped)))
    if empty:
        notes.append(both("metric.note.empty", count=format_number(empty)))
    notes += suppression_notes(hidden, options.min_cell)
    if sums.weighted:
        low, high = np.nanmin(sums.kish() / sums.n), np.nanmax(sums.kish() / sums.n)
        ends = dict.fromkeys((f"{low:.2f}", f"{high:.2f}"))
        span = both("chart.range", low=min(ends), high=max(ends))
        share = span if len(ends) > 1 else f"{low:.2f}"
        notes.append(both("metric.note.weights", share=share))
    return notes


def _of_design(sums: Sums) -> list[Text]:
    """Return notes on clusters and strata: how many there are, and where they are few."""
    if sums.covariance is None or sums.clusters is None:
        return []
    units = int(sums.clusters.units.sum())
    rows = format_number(int(sums.clusters.rows.sum()))
    df = units - len(sums.clusters.units)
    notes = [both("design.note.used", n=rows, clusters=format_number(units), df=format_number(df))]
    answered = sums.n > 0
    clusters, freedom = sums.covariance.clusters(), sums.df()
    few = int((answered & (freedom >= 1) & (clusters < TOO_FEW_CLUSTERS)).sum())
    if few and sums.clusters.clustered:
        notes.append(both("metric.note.few_clusters", count=few, least=TOO_FEW_CLUSTERS))
    none = int((answered & (freedom < 1)).sum())
    if none:
        notes.append(both("metric.note.one_cluster", count=none))
    return notes
