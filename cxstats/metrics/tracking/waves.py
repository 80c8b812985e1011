"""`cx.track`: what happened to a metric over waves, and what is only sampling."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, interval, p_text
from cxstats.core.language import Text, both, label
from cxstats.core.moments import check_resamples
from cxstats.metrics.result import Metric, written
from cxstats.metrics.tracking.control_limits import control_limits, long_runs
from cxstats.metrics.tracking.trend import change_points, linear_trend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SIGMAS = 3.0
WIDE = 1.5  # waves that scatter so much more than sampling explains are remarked on
FEWEST = 3  # waves with an estimate


@dataclass(frozen=True, eq=False)
class Track:
    """A metric over waves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per wave (and segment): the segment's columns, the wave, ``estimate, se, ci_low,
        ci_high, n, centre, lower, upper, baseline, outside, run, change, suppressed``. ``outside``:
        beyond the control limits; ``run``: the eighth or a later wave in a row on one side of the
        centre; ``change``: the first wave of a new level.
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
        "wave", or "30 days" where waves are dates.
    limits : {"sampling", "laney"}
    sigma, level, seed
        As given.
    annotations : mapping
        What happened at a wave, in the caller's words.
    remarks : tuple of Text
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
    remarks: tuple[Text, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was suppressed and what is not to be trusted, in English."""
        return tuple(text.en for text in self.remarks)

    def summary(self, lang: str = "en") -> str:
        """Return signals, changes and trend in words."""
        estimated = int(self.table["estimate"].notna().sum())
        head = {"metric": self.metric.title(lang), "waves": estimated}
        lines = [label("tracking.head", lang, **head)]
        unit = self.unit.replace(" ", "_")
        # As objects: a row of numbers alone would turn the waves into floats.
        for _, row in self.table[self.table["outside"]].astype(object).iterrows():
            ends = self._written(row["lower"], row["upper"])
            words = {"wave": self._name(row), "value": self._written(row["estimate"])}
            lines.append("  " + label("tracking.outside", lang, limits=ends, **words))
        for _, row in self.changes.astype(object).iterrows():
            words = {name: self._written(row[name]) for name in ("before", "after")}
            p = p_text(row["p_value"])
            lines.append("  " + label("tracking.change", lang, wave=self._name(row), p=p, **words))
        if not self.table["outside"].any() and self.changes.empty:
            lines.append("  " + label("tracking.quiet", lang))
        for _, row in self.trend.iterrows():
            scale, digits = self._scale()
            lines.append(
                "  "
                + label(
                    "tracking.trend",
                    lang,
                    where=self._segment(row, lang),
                    slope=format_number(scale * row["estimate"], digits, sign=True),
                    interval=interval(scale * row["ci_low"], scale * row["ci_high"], digits),
                    unit=label(f"tracking.unit.{unit}", lang),
                    p=p_text(row["p_value"]),
                    tau=p_text(row["p_tau"]),
                )
            )
        return "\n".join([*lines, *(f"  * {text.get(lang)}" for text in self.remarks)])

    def plot(self, segment: Any = None, ax: Axes | None = None, lang: str = "en", **options: Any
             ) -> Axes:  # fmt: skip
        """Draw one series with its control limits, changes and notes.

        Parameters
        ----------
        segment : value or tuple, optional
            Which series, where there are several.
        ax, lang, **options
            As of `cxstats.charts.control_chart`.
        """
        from cxstats import charts as drawn

        charts: Any = drawn
        rows = self._series(segment)
        scale, _ = self._scale()
        given: dict[str, Any] = {
            "n": rows["n"],
            "signals": rows["outside"] | rows["run"],
            "changes": [i for i, at in enumerate(rows["change"]) if at],
            "suppressed": rows["suppressed"],
            "annotations": {i: self.annotations[wave] for i, wave in enumerate(rows[self.time])
                            if wave in self.annotations},
            "axis": self.metric.title(lang) + (" (%)" if scale > 1 else ""),
            "sigma": self.sigma,
            "level": self.level,
            "source": label("metric.source", lang, n=format_number(int(rows["n"].sum()))),
            "synthetic": self.metric.synthetic,
        }  # fmt: skip
        columns = ("estimate", "ci_low", "ci_high", "centre", "lower", "upper")
        waves = list(rows[self.time])
        values = (scale * rows[column] for column in columns)
        axes: Axes = charts.control_chart(waves, *values, lang=lang, ax=ax, **given | options)
        return axes

    def _series(self, segment: Any) -> pd.DataFrame:
        if not self.segments:
            return self.table
        keys = list(self.table[list(self.segments)].itertuples(index=False, name=None))
        there = list(dict.fromkeys(keys))
        wanted = there[0] if segment is None and len(there) == 1 else segment
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        if wanted not in there:
            shown = ", ".join(str(key[0] if len(key) == 1 else key) for key in there[:20])
            raise CxError(f"segment={segment!r}; allowed: {shown}")
        return self.table[[key == wanted for key in keys]]

    def _scale(self) -> tuple[float, int]:
        return (100.0, 1) if self.metric.unit in ("share", "ratio") else (1.0, 2)

    def _written(self, *values: float) -> str:
        scale, _ = self._scale()
        digits = 2 if self.metric.unit == "mean" else 1
        if len(values) == 2:
            return interval(scale * values[0], scale * values[1], digits)
        return format_number(scale * values[0], digits)

    def _name(self, row: pd.Series[Any]) -> str:
        return " / ".join(written(row[name]) for name in (*self.segments, self.time))

    def _segment(self, row: pd.Series[Any], lang: str) -> str:
        if not self.segments:
            return label("tracking.trend.all", lang)
        return " / ".join(written(row[name]) for name in self.segments)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def track(
    metric: Metric,
    time: str | None = None,
    *,
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
    own would favour extreme waves; waves of means by their own. Waves are taken as
    independent samples; a panel that answers every time is not.

    Parameters
    ----------
    metric : Metric
        A metric by wave, such as ``cx.nps(frame, column="nps", by="wave")``; further columns of
        `by` are segments, each a series of its own. Cells under its `min_cell` have no estimate,
        are left out, and are said.
    time : str, optional
        Which column of `by` is time; not needed where there is one only. Waves are in the order of
        their values; dates and periods are placed on the calendar. Text that sorts otherwise
        than its numbers ("w10" before "w9") is refused.
    baseline : sequence of waves, optional
        The waves that set centre and limits; without it all, which a change among them widens or
        shifts.
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
        If the metric has no waves, a wave of the baseline or of a note is not there, or fewer than
        three have an estimate.

    Examples
    --------
    >>> import cxstats as cx
    >>> waves = cx.nps_from_counts(
    ...     promoters=[150, 152, 149, 210, 212], passives=[90, 94, 90, 75, 66],
    ...     detractors=[60, 54, 63, 15, 18], by={"wave": [1, 2, 3, 4, 5]},
    ... )
    >>> found = cx.track(waves, baseline=[1, 2, 3])
    >>> found.changes[["before", "after"]].round(1).values.tolist()
    [[30.4, 65.3]]
    """
    import pandas as pd

    time = _time(metric, time)
    if limits not in ("sampling", "laney"):
        raise CxError(f"limits={limits!r}; allowed: 'sampling', 'laney'")
    if isinstance(sigma, bool) or not isinstance(sigma, Real) or not 0 < sigma < 10:
        raise CxError(f"sigma={sigma!r}; allowed: above 0 to below 10, such as 3")
    check_resamples(1, seed)
    segments = tuple(name for name in metric.by if name != time)
    table, remarks = ordered(metric.table, time, segments)
    dated = pd.api.types.is_datetime64_any_dtype(table[time])
    baseline, annotations = checked(table[time], dated, baseline, annotations)
    groups: list[Any] = [((), table)]
    if segments:
        groups = list(table.groupby(list(segments), sort=False, dropna=False))
    parts = [
        _follow(
            rows,
            key,
            segments,
            time,
            metric.level,
            baseline,
            limits == "laney",
            sigma,
            seed,
            metric.unit,
        )
        for key, rows in groups
    ]
    suppressed = int(table["estimate"].isna().sum())
    if suppressed and metric.min_cell is None:  # else the metric has said so
        remarks.append(both("tracking.note.suppressed", n=suppressed))
    wide = [part.dispersion for part in parts if part.dispersion > WIDE]
    if wide and limits == "sampling":
        remarks.append(both("tracking.note.scatter", times=format_number(max(wide), 1)))
    changes, trends = [c for part in parts for c in part.changes], [part.trend for part in parts]
    columns = [*segments, time, "before", "after", "estimate", "se", "p_value"]
    return Track(
        pd.concat([part.table for part in parts], ignore_index=True),
        pd.DataFrame(changes, columns=columns), pd.DataFrame(trends), metric, time, segments,
        "30 days" if dated else "wave", limits, float(sigma), metric.level, seed,
        annotations, (*metric.notes, *remarks),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Series:
    table: pd.DataFrame
    changes: list[dict[str, Any]]
    trend: dict[str, Any]
    dispersion: float


def _follow(  # noqa: PLR0913, PLR0917  (what `track` was asked for)
    rows: pd.DataFrame,
    key: Any,
    segments: tuple[str, ...],
    time: str,
    level: float,
    baseline: Sequence[Any] | None,
    laney: bool,
    sigma: float,
    seed: int,
    unit: str,
) -> _Series:
    """Follow one series."""
    where = dict(zip(segments, key if isinstance(key, tuple) else (key,), strict=True))
    place = f" of {', '.join(map(str, where.values()))}" if where else ""
    known = rows["estimate"].notna() & rows["se"].notna()
    seen = rows[known]
    if len(seen) < FEWEST:
        raise CxError(
            f"{len(seen)} waves{place} have an estimate with an error; at least {FEWEST} are needed"
        )
    estimate, se, n = (seen[name].to_numpy(float) for name in ("estimate", "se", "n"))
    base = np.ones(len(seen), bool) if baseline is None else seen[time].isin(baseline).to_numpy()
    if base.sum() < (FEWEST if laney else 1):
        raise CxError(f"baseline: {int(base.sum())} of its waves{place} have an estimate")
    found = control_limits(estimate, se, n, base, laney)
    reach = sigma * found.sigma
    inside = np.abs(estimate - found.centre) <= reach
    own = _errors(se, n, unit)
    if not own.any():
        raise CxError(f"the answers{place} never vary, so there is no chance to allow for")
    changes = change_points(estimate, own, 1 - level, seed)
    table = rows[[*segments, time, "estimate", "se", "ci_low", "ci_high", "n"]].copy()
    table["centre"] = found.centre
    columns = {
        "lower": found.centre - reach,
        "upper": found.centre + reach,
        "baseline": base,
        "outside": ~inside,
        "run": long_runs(estimate, found.centre),
        "change": np.isin(np.arange(len(seen)), [change.at for change in changes]),
    }
    for name, values in columns.items():
        column = np.full(len(rows), np.nan if values.dtype.kind == "f" else False)
        column[known.to_numpy()] = values
        table[name] = column
    table["suppressed"] = rows["estimate"].isna().to_numpy()
    waves = list(seen[time])
    listed = [{**where, time: waves[change.at], **asdict(change)} for change in changes]
    trend = linear_trend(_clock(seen[time]), estimate, own, level)
    fields = asdict(trend)
    line = {**where, "estimate": fields.pop("slope"), **fields, "n": len(seen)}
    return _Series(table, listed, line, found.dispersion)


def _errors(se: Any, n: Any, unit: str) -> Any:
    """Return the standard errors by which waves are weighed.

    The variance of a share or an NPS follows from its value, so a wave's own error would favour
    the extreme ones, and be 0 at the ends of the scale; there all waves have the pooled variance.
    """
    pooled = np.sqrt((n * (se**2 * n)).sum() / n.sum() / n)
    return pooled if unit in ("nps", "share") else np.where(se > 0, se, pooled)


def _clock(waves: pd.Series[Any]) -> Any:
    """Return time as numbers: months of 30 days for dates, the places of waves otherwise."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(waves):
        return ((waves - waves.iloc[0]) / pd.Timedelta(days=30)).to_numpy(float)
    if pd.api.types.is_numeric_dtype(waves):
        return waves.to_numpy(float)
    return np.arange(len(waves), dtype=float)


def _time(metric: Metric, time: str | None) -> str:
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


def ordered(
    table: pd.DataFrame, time: str, segments: Sequence[str]
) -> tuple[pd.DataFrame, list[Text]]:
    """Return the waves in order, dates as such, and what to remark on.

    Raises
    ------
    CxError
        If waves are of mixed kinds, or text that does not sort as its numbers do.
    """
    import pandas as pd

    table = table[table[time].notna()].copy()
    waves = table[time]
    if isinstance(waves.dtype, pd.PeriodDtype):
        table[time] = waves.dt.to_timestamp()
    elif waves.dtype == object or pd.api.types.is_string_dtype(waves):
        kinds = sorted({type(wave).__name__ for wave in waves})
        if waves.map(lambda wave: isinstance(wave, date)).all():
            table[time] = pd.to_datetime(waves)
        elif len(kinds) > 1:
            raise CxError(f"column {time!r} holds {' and '.join(kinds)}; allowed: one kind of wave")
        elif kinds == ["str"]:
            _check_text(sorted(set(waves)), time)
    remarks = []
    whole = pd.api.types.is_integer_dtype(table[time])
    if whole and table[time].between(190001, 210012).all() and (table[time] % 100 <= 12).all():
        remarks.append(both("tracking.note.months", column=time))
    return table.sort_values([*segments, time], kind="stable", ignore_index=True), remarks


def _check_text(waves: list[str], time: str) -> None:
    """Refuse text that sorts otherwise than the numbers in it."""

    def natural(wave: str) -> list[Any]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", wave)]

    try:
        right = sorted(waves, key=natural)
    except TypeError:
        return  # no common form, so the order of text is as good as any
    for found, meant in zip(waves, right, strict=True):
        if found != meant:
            raise CxError(
                f"column {time!r} is text and would sort {found!r} before {meant!r}; allowed: "
                "dates, numbers, or text of equal width such as '2024-09'"
            )


def checked(
    waves: pd.Series[Any],
    dated: bool,
    baseline: Sequence[Any] | None,
    annotations: Mapping[Any, str] | None,
) -> tuple[list[Any] | None, dict[Any, str]]:
    """Return the waves of the baseline and the notes, which have to be there."""
    import pandas as pd

    def one(wave: Any) -> Any:
        if not dated:
            return wave
        return wave.to_timestamp() if isinstance(wave, pd.Period) else pd.Timestamp(wave)

    if baseline is not None and (isinstance(baseline, str) or not hasattr(baseline, "__iter__")):
        raise CxError(f"baseline={baseline!r}; allowed: a list of waves")
    if annotations is not None and not isinstance(annotations, Mapping):
        raise CxError(f"annotations={annotations!r}; allowed: a mapping of wave to words")
    there = set(waves)
    chosen = None if baseline is None else [one(wave) for wave in baseline]
    words = {one(wave): text for wave, text in (annotations or {}).items()}
    for name, given in (("baseline", chosen or []), ("annotations", words)):
        for wave in given:
            if wave not in there:
                listed = [repr(known) for known in dict.fromkeys(waves)]
                shown = ", ".join(listed[:20]) + (", ..." if len(listed) > 20 else "")
                raise CxError(f"{name}: {wave!r} is not a wave; there are: {shown}")
    return chosen, words
