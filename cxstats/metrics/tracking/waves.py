"""A metric over waves: their order, control limits, changes of level and trend; `cxstats.track`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, interval, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.metrics.result import Metric, group_text
from cxstats.metrics.tracking.control_limits import control_limits, long_runs
from cxstats.metrics.tracking.timeline import Timeline, as_moments
from cxstats.metrics.tracking.trend import change_points, linear_trend

if TYPE_CHECKING:
    import pandas as pd

SIGMAS = 3.0
WIDE = 1.5  # waves that scatter so much more than sampling explains are remarked on
FEWEST = 3  # waves with an estimate
SPARSE = 10  # answers outside the largest band from which a wave is nearly normal
ROW = "(row of the metric)"
PLACE = "(place in time)"
POSSIBLE = {"share": (0.0, 1.0), "nps": (-100.0, 100.0)}  # values of a metric, by its unit


@dataclass(frozen=True, eq=False, repr=False)
class Track(Result):
    """A metric over waves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per wave (and segment): the segment's columns, the wave, ``estimate, se, ci_low,
        ci_high, n, centre, limit_low, limit_high, baseline, outside_limits, run, change,
        suppressed``. ``limit_low, limit_high``: the control limits; ``run``: the eighth or a later
        wave in a row on one side of the centre; ``change``: the first wave of a new level.
    changes : pandas.DataFrame
        One row per change of level: ``before, after, estimate, se, p_value``.
    trend : pandas.DataFrame
        One row per segment: ``estimate`` (change per wave, or per `unit` of time), ``se, ci_low,
        ci_high, p_value, scatter, tau, p_tau, n``.
    metric : Metric
        What was tracked.
    time : str
        Column of the waves.
    segments : tuple of str
        Other columns of groups; each combination is a series of its own.
    unit : str
        Of time: "30 days" where waves are dates, "month", "quarter", "half" (of a year) or "week"
        where they are such texts, else "wave".
    limits : {"sampling", "laney"}
    sigma, level, seed
        As in `track`.
    annotations : mapping
        What happened at a wave, in the caller's words.
    places : mapping
        Where each wave stands, in `unit`.
    notes : tuple of Text
        What was suppressed and what is not to be trusted.
    """

    table: pd.DataFrame
    changes: pd.DataFrame
    trend: pd.DataFrame
    metric: Metric
    time: str
    segments: tuple[str, ...]
    unit: str
    limits: str
    sigma: float
    level: float
    seed: int
    annotations: Mapping[Any, str]
    places: Mapping[Any, float]
    notes: tuple[Text, ...]

    kinds: ClassVar = ("control",)
    reference: ClassVar = (
        "Montgomery (2020). Introduction to statistical quality control, 8th ed. Wiley.\n"
        "Worsley (1979). On the likelihood ratio test for a shift in location of normal "
        "populations. Journal of the American Statistical Association 74, 365-367."
    )

    @property
    def synthetic(self) -> bool:
        """Whether the answers are simulated."""
        return self.metric.synthetic

    def title(self, lang: str | None = None) -> str:
        """Return what was tracked."""
        return label("title.Track", lang, name=self.metric.title(lang))

    def findings(self, lang: str) -> list[str]:
        """Return signals, changes of level and trend."""
        waves = int(self.table["estimate"].notna().sum())
        lines = [label("tracking.head", lang, metric=self.metric.title(lang), waves=waves)]
        lines += [f"  {line}" for line in (*self._signals(lang), *self._trends(lang))]
        return lines

    def _signals(self, lang: str) -> Iterator[str]:
        """Yield the waves outside the limits and the changes of level, or that there are none."""
        # As objects: a row of numbers alone would turn the waves into floats.
        outside = self.table[self.table["outside_limits"]].astype(object)
        for _, row in outside.iterrows():
            yield label(
                "tracking.outside", lang, wave=self._wave_text(row),
                value=self._value_text(row["estimate"]),
                limits=self._limits_text(row["limit_low"], row["limit_high"]),
            )  # fmt: skip
        for _, row in self.changes.astype(object).iterrows():
            yield label(
                "tracking.change", lang, wave=self._wave_text(row), p=p_text(row["p_value"]),
                before=self._value_text(row["before"]), after=self._value_text(row["after"]),
            )  # fmt: skip
        if outside.empty and self.changes.empty:
            yield label("tracking.quiet", lang)

    def _trends(self, lang: str) -> Iterator[str]:
        """Yield the trend of each series."""
        scale, digits = (100.0, 1) if self._is_share else (1.0, 2)
        key = self.unit.replace(" ", "_")
        unit = label(f"tracking.unit.{key}", lang)
        for _, row in self.trend.iterrows():
            yield label(
                "tracking.trend",
                lang,
                where=self._segment_text(row, lang),
                slope=format_number(scale * row["estimate"], digits, sign=True),
                interval=interval(scale * row["ci_low"], scale * row["ci_high"], digits),
                unit=unit,
                p=p_text(row["p_value"]),
                tau=p_text(row["p_tau"]),
            )

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return one series with its control limits, changes and annotations.

        Where there are several, the option ``segment`` says which: a value, or a tuple of them.
        """
        rows = self._series(options.get("segment"))
        keywords: dict[str, Any] = {
            "n": rows["n"],
            "signals": rows["outside_limits"] | rows["run"],
            "changes": [i for i, changed in enumerate(rows["change"]) if changed],
            "suppressed": rows["suppressed"],
            "annotations": {i: self.annotations[wave] for i, wave in enumerate(rows[self.time])
                            if wave in self.annotations},
            "places": [self.places[wave] for wave in rows[self.time]],
            "axis": self.metric.axis_title(lang),
            "time": self.time,
            "sigma": self.sigma,
            "level": self.level,
            "source": label("metric.source", lang, n=format_number(int(rows["n"].sum()))),
            "synthetic": self.synthetic,
        }  # fmt: skip
        waves = list(rows[self.time])
        if not _ascending(waves):  # in an order that was given, or over the end of a year
            waves = [group_text(wave) for wave in waves]
        scale = 100.0 if self._is_share else 1.0
        columns = ("estimate", "ci_low", "ci_high", "centre")
        # Of few answers the limits can lie where no share or NPS can be.
        least, most = POSSIBLE.get(self.metric.unit, (-np.inf, np.inf))
        limits = (rows[name].clip(least, most) for name in ("limit_low", "limit_high"))
        series = [*(rows[column] for column in columns), *limits]
        values = (waves, *(scale * values for values in series))
        return Chart("control_chart", values, keywords, taken=("segment",))

    def _series(self, segment: Any) -> pd.DataFrame:
        """Return the rows of a segment, which has to be named where there are several."""
        if not self.segments:
            if segment is not None:
                raise CxError(f"segment={segment!r}; there is one series only")
            return self.table
        keys = list(self.table[list(self.segments)].itertuples(index=False, name=None))
        segments = list(dict.fromkeys(keys))
        chosen = segment if isinstance(segment, tuple) else (segment,)
        if segment is None and len(segments) == 1:
            chosen = segments[0]
        if chosen not in segments:
            allowed = ", ".join(str(key[0] if len(key) == 1 else key) for key in segments[:20])
            raise CxError(f"segment={segment!r}; allowed: {allowed}")
        return self.table[[key == chosen for key in keys]]

    @property
    def _is_share(self) -> bool:
        return self.metric.unit in ("share", "ratio")

    def _value_text(self, value: float) -> str:
        scale, digits = self._display()
        return format_number(scale * value, digits)

    def _limits_text(self, low: float, high: float) -> str:
        scale, digits = self._display()
        return interval(scale * low, scale * high, digits)

    def _display(self) -> tuple[float, int]:
        """Return the factor from the table to what is shown, and its decimals."""
        return 100.0 if self._is_share else 1.0, 2 if self.metric.unit == "mean" else 1

    def _wave_text(self, row: pd.Series[Any]) -> str:
        return " / ".join(group_text(row[name]) for name in (*self.segments, self.time))

    def _segment_text(self, row: pd.Series[Any], lang: str) -> str:
        if not self.segments:
            return label("tracking.trend.all", lang)
        return " / ".join(group_text(row[name]) for name in self.segments)


@long_work("track")
def track(
    metric: Metric,
    time: str | None = None,
    *,
    order: Sequence[Any] | None = None,
    baseline: Sequence[Any] | None = None,
    limits: str = "sampling",
    sigma: float = SIGMAS,
    annotations: Mapping[Any, str] | None = None,
    seed: int = 1,
) -> Track:
    """Track a metric over waves or dates: control limits, changes of level, trend.

    Limits are ``centre -+ sigma s / sqrt(n)``, with the baseline's mean as centre and its pooled
    variance ``s^2`` of an answer, so small waves have wide limits. The level of tests is that of
    the metric. Tests weigh waves of shares and NPS by the pooled variance of an answer, since their
    own would favour extreme waves; waves of means by their own. Waves are taken as independent
    samples, unless the metric has `cluster=` (or `strata=`, `design=`): customers who answer in
    several waves make these depend on each other, which limits, changes and trend then allow for.
    A wave that is outside of the limits by chance alone is up to three times as frequent as the
    normal distribution says where fewer than some 10 answers of a wave lie outside the largest
    band (10 % and 14 % of series of 12 and 24 waves of an NPS of 2, 8 and 90 % with n = 20, against
    3 % and 6 %); a note says so.

    Parameters
    ----------
    metric : Metric
        A metric by wave, such as ``cx.nps(frame, column="nps", by="wave")``; further columns of
        `by` are segments, each a series of its own. Cells under its `min_cell` have no estimate,
        are left out, and are said.
    time : str, optional
        Which column of `by` is time; not needed where there is one only. Waves are in the order of
        time: dates and periods, and texts that say one in English or Chinese ("Oct 2024",
        "2024 Q3", "2024年9月", "W52 2024", "01/11/2024"), on the calendar; else by the numbers in
        their texts ("Wave 2", "第3波"), as before, pilot, after, or in the order of pandas'
        categories. An order that is not clear is refused, unless the metric is from counts: then
        waves are in the order of the counts, which a note says.
    order : sequence of waves, optional
        All waves, the first one first; then each is one step from the next.
    baseline : sequence of waves, optional
        The waves that set centre and limits; without it all, which a change among them widens or
        shifts. A wave may be written as any text, date or period that says the same time.
    limits : {"sampling", "laney"}
        Whether limits allow for sampling alone, or also for the scatter between waves that is
        usual in the baseline (Laney's p' chart, from moving ranges).
    sigma : float
        Width of the limits; with 3, one wave in 370 lies outside by chance.
    annotations : mapping of wave to str, optional
        What happened when, for the chart.
    seed : int
        Of the simulated series behind the test of a change.

    Returns
    -------
    Track

    Raises
    ------
    CxError
        If the metric has no waves or their order is not clear, a wave of the baseline or of an
        annotation is not there, or fewer than three have an estimate.

    Examples
    --------
    >>> import cxstats as cx
    >>> waves = cx.nps_from_counts(
    ...     promoters=[150, 152, 149, 210, 212], passives=[90, 94, 90, 75, 66],
    ...     detractors=[60, 54, 63, 15, 18], by={"wave": [1, 2, 3, 4, 5]},
    ... )
    >>> tracked = cx.track(waves, baseline=[1, 2, 3])
    >>> tracked.changes[["before", "after"]].round(1).values.tolist()
    [[30.4, 65.3]]
    """
    import pandas as pd

    time = _time_column(metric, time)
    if limits not in ("sampling", "laney"):
        raise CxError(f"limits={limits!r}; allowed: 'sampling', 'laney'")
    if isinstance(sigma, bool) or not isinstance(sigma, Real) or not 0 < sigma < 10:
        raise CxError(f"sigma={sigma!r}; allowed: above 0 to below 10, such as 3")
    check_resamples(1, seed)
    segments = tuple(name for name in metric.by if name != time)
    table, timeline = _in_order(metric, time, segments, order)
    notes = list(timeline.notes)
    baseline, annotations = _named_waves(timeline, baseline, annotations)
    options = _Options(
        segments, time, metric.level, baseline, limits == "laney", sigma, seed, metric
    )
    groups: list[Any] = [((), table)]
    if segments:
        groups = list(table.groupby(list(segments), sort=False, dropna=False))
    series = [_follow(rows, key, options) for key, rows in groups]
    suppressed = int(table["estimate"].isna().sum())
    if suppressed and metric.min_cell is None:  # else the metric has said so
        notes.append(both("tracking.note.suppressed", n=suppressed))
    dispersions = [each.dispersion for each in series]
    wide = [dispersion for dispersion in dispersions if dispersion > WIDE]
    sparse = sum(each.sparse for each in series)
    if sparse:
        notes.append(both("tracking.note.sparse", count=sparse, least=SPARSE))
    if wide and limits == "sampling":
        notes.append(both("tracking.note.scatter", times=format_number(max(wide), 1)))
    columns = [*segments, time, "before", "after", "estimate", "se", "p_value"]
    return Track(
        table=pd.concat([each.table for each in series], ignore_index=True),
        changes=pd.DataFrame([c for each in series for c in each.changes], columns=columns),
        trend=pd.DataFrame([each.trend for each in series]),
        metric=metric,
        time=time,
        segments=segments,
        unit=timeline.unit,
        limits=limits,
        sigma=float(sigma),
        level=metric.level,
        seed=seed,
        annotations=annotations,
        places=timeline.places,
        notes=(*metric.notes, *notes),
    )


@dataclass(frozen=True, slots=True)
class _Options:
    """What `track` was asked for, the same for every series."""

    segments: tuple[str, ...]
    time: str
    level: float
    baseline: list[Any] | None
    laney: bool
    sigma: float
    seed: int
    metric: Metric


@dataclass(frozen=True, slots=True)
class _Series:
    """One series with its limits, changes and trend."""

    table: pd.DataFrame
    changes: list[dict[str, Any]]
    trend: dict[str, Any]
    dispersion: float
    sparse: int


def _follow(rows: pd.DataFrame, key: Any, options: _Options) -> _Series:
    """Return one series with its control limits, changes and trend."""
    time = options.time
    names = key if isinstance(key, tuple) else (key,)
    segment = dict(zip(options.segments, names, strict=True))
    place = f" of {', '.join(map(str, segment.values()))}" if segment else ""
    estimated = rows["estimate"].notna() & rows["se"].notna()
    waves = rows[estimated]
    if len(waves) < FEWEST:
        raise CxError(
            f"{len(waves)} waves{place} have an estimate with an error; at least {FEWEST} are "
            "needed"
        )
    estimate, se, n = (waves[name].to_numpy(float) for name in ("estimate", "se", "n"))
    baseline = np.ones(len(waves), bool)
    if options.baseline is not None:
        baseline = waves[time].isin(options.baseline).to_numpy()
    if baseline.sum() < (FEWEST if options.laney else 1):
        raise CxError(f"baseline: {int(baseline.sum())} of its waves{place} have an estimate")
    correlation = _correlation(options.metric, waves)
    limits = control_limits(estimate, se, n, baseline, options.laney, correlation)
    errors = _errors(se, n, options.metric.unit)
    if not errors.any():
        raise CxError(f"the answers{place} never vary, so there is no chance to allow for")
    changes = change_points(
        estimate, errors, 1 - options.level, options.seed, correlation=correlation
    )
    half_width = options.sigma * limits.sigma
    signals = {
        "limit_low": limits.centre - half_width,
        "limit_high": limits.centre + half_width,
        "baseline": baseline,
        "outside_limits": ~(np.abs(estimate - limits.centre) <= half_width),
        "run": long_runs(estimate, limits.centre),
        "change": np.isin(np.arange(len(waves)), [change.at for change in changes]),
    }
    table = rows[[*options.segments, time, "estimate", "se", "ci_low", "ci_high", "n"]].copy()
    table["centre"] = limits.centre
    for name, values in signals.items():
        column = np.full(len(rows), np.nan if values.dtype.kind == "f" else False)
        column[estimated.to_numpy()] = values
        table[name] = column
    table["suppressed"] = rows["estimate"].isna().to_numpy()
    dates = list(waves[time])
    trend = asdict(
        linear_trend(waves[PLACE].to_numpy(float), estimate, errors, options.level, correlation)
    )
    return _Series(
        table,
        [{**segment, time: dates[change.at], **asdict(change)} for change in changes],
        {**segment, "estimate": trend.pop("slope"), **trend, "n": len(waves)},
        limits.dispersion,
        _sparse(options.metric.unit, waves, baseline),
    )


def _correlation(metric: Metric, waves: pd.DataFrame) -> Any:
    """Return the correlation of the waves by the design (t, t); None without one."""
    if metric.covariance is None:
        return None
    covariance = metric.covariance.matrix(waves[ROW].to_numpy())
    sd = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(covariance / np.outer(sd, sd))
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _sparse(unit: str, waves: pd.DataFrame, baseline: Any) -> int:
    """Return how many waves are too small for their share, or their NPS, to be nearly normal."""
    if unit not in ("nps", "share"):
        return 0
    names = [f"{who}_share" for who in ("promoter", "passive", "detractor")]
    n = waves["n"].to_numpy(float)
    if unit == "share":
        shares = waves["estimate"].to_numpy(float)[:, None]
        shares = np.hstack([shares, 1 - shares])
    else:
        shares = waves[names].to_numpy(float)
    centre = np.average(shares[baseline], axis=0, weights=n[baseline])
    return int((n * (1 - centre.max()) < SPARSE).sum())


def _errors(se: Any, n: Any, unit: str) -> Any:
    """Return the standard errors by which waves are weighed.

    The variance of a share or an NPS follows from its value, so a wave's own error would favour
    the extreme ones, and be 0 at the ends of the scale; there all waves have the pooled variance.
    """
    pooled = np.sqrt((n * (se**2 * n)).sum() / n.sum() / n)
    return pooled if unit in ("nps", "share") else np.where(se > 0, se, pooled)


def _time_column(metric: Metric, time: str | None) -> str:
    """Return the column of waves, checked."""
    if not isinstance(metric, Metric):
        raise CxError(
            f"a {type(metric).__name__} cannot be tracked; allowed: a metric by wave, such as "
            "cx.nps(frame, column=..., by='wave')"
        )
    if not metric.by:
        raise CxError("the metric has no waves: give it by=, a column of waves or dates")
    if time is None and len(metric.by) == 1:
        return metric.by[0]
    if time not in metric.by:
        raise CxError(f"time={time!r}; allowed: {', '.join(map(repr, metric.by))}")
    return str(time)


def _ascending(waves: list[Any]) -> bool:
    """Return whether dates or numbers are in the order of their values."""
    return all(isinstance(wave, str) or not wave >= after for wave, after in pairwise(waves))


def _in_order(
    metric: Metric, time: str, segments: tuple[str, ...], order: Sequence[Any] | None
) -> tuple[pd.DataFrame, Timeline]:
    """Return the rows of a metric, each segment in the order of time, and the waves."""
    table = metric.table.assign(**{ROW: range(len(metric.table))})
    table = table[table[time].notna()].copy()
    table[time] = as_moments(table[time])
    timeline = Timeline.of(table[time], order, metric.listed)
    table[PLACE] = [timeline.places[wave] for wave in table[time]]
    places = [table.groupby(list(segments), sort=False, dropna=False, observed=True).ngroup()
              if segments else 0 * table[PLACE], table[PLACE]]  # fmt: skip
    rows = np.lexsort([np.asarray(place) for place in places[::-1]])
    return table.iloc[rows].reset_index(drop=True), timeline


def _named_waves(
    timeline: Timeline, baseline: Sequence[Any] | None, annotations: Mapping[Any, str] | None
) -> tuple[list[Any] | None, dict[Any, str]]:
    """Return the waves of the baseline and the annotations; raise if one is not there."""
    if baseline is not None and (isinstance(baseline, str) or not hasattr(baseline, "__iter__")):
        raise CxError(f"baseline={baseline!r}; allowed: a list of waves")
    if annotations is not None and not isinstance(annotations, Mapping):
        raise CxError(f"annotations={annotations!r}; allowed: a mapping of wave to words")
    notes = {timeline.find(w, "annotations"): text for w, text in (annotations or {}).items()}
    if baseline is None:
        return None, notes
    return [timeline.find(wave, "baseline") for wave in baseline], notes
