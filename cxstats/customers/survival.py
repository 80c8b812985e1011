"""How long until an event: a second purchase, the end of a contract, a renewal."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from cxstats.core.cells import as_label, as_labels, check_group_values, is_number
from cxstats.core.engines import as_pandas
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers.numeric_columns import check_columns, numbers, refuse
from cxstats.customers.purchase_histories import DAYS, check_unit
from cxstats.operations.timestamps import read_times
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import check_level, normal_quantile
from cxstats.stats.survival import (
    TRANSFORMS,
    SurvivalCurve,
    logrank_test,
    restricted_mean,
    survival_curve,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_GROUPS = 14  # as many curves as a chart tells apart
LARGEST = 1e12  # time; sums of it are numbers that can be written
FEW_EVENTS = 10  # of a group, below which its interval is long and may miss its level
MOSTLY_CENSORED = 0.8
FEW_CLUSTERS = 30
CROSSING = 2.0  # standard errors by which either curve is above the other somewhere


@dataclass(frozen=True, eq=False, repr=False)
class Survival(Result):
    """How long customers stay without an event.

    Attributes
    ----------
    table : pandas.DataFrame
        Kaplan-Meier curves, one row a group and time: ``group, time, n_at_risk, n_events,
        n_censored``, then ``estimate`` (share without the event after that time), ``se, ci_low,
        ci_high`` (pointwise). The group is empty without `by`.
    averages : pandas.DataFrame
        ``group, quantity, n, n_events, estimate, ci_low, ci_high``: the "median" (NaN where the
        curve does not reach one half, an open limit likewise) and the "restricted_mean", the mean
        time without the event within `horizon`.
    pairs : pandas.DataFrame or None
        Log-rank tests of groups in pairs: ``group_1, group_2, statistic, df, p_value, p_adjusted``
        (Holm's); None for fewer than three groups.
    curves : dict of str to SurvivalCurve
        By group.
    statistic, df, p_value : float
        Log-rank test of all groups; NaN, 0, NaN for a single one.
    n, n_events : int
        Cases; those that had the event.
    horizon : float
        Of the restricted means.
    name : str
        What the event is.
    unit : str
        Of all times.
    level : float
    synthetic : bool
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    averages: pd.DataFrame
    pairs: pd.DataFrame | None
    curves: Mapping[str, SurvivalCurve]
    statistic: float
    df: int
    p_value: float
    n: int
    n_events: int
    horizon: float
    name: str
    unit: str
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("curves", "means")
    codes: ClassVar = {"quantity": "survival.quantity.{}"}
    reference: ClassVar = (
        "Kaplan & Meier (1958). Nonparametric estimation from incomplete observations. Journal of "
        "the American Statistical Association 53, 457-481. Brookmeyer & Crowley (1982). A "
        "confidence interval for the median survival time. Biometrics 38, 29-41. Mantel (1966). "
        "Evaluation of survival data. Cancer Chemotherapy Reports 50, 163-170."
    )

    def at(self, time: float) -> pd.DataFrame:
        """Return the share without the event after a time, by group, with its interval.

        Parameters
        ----------
        time : float
            In the unit of the result.

        Returns
        -------
        pandas.DataFrame
            ``group, estimate, ci_low, ci_high``; NaN after the last time of a group.
        """
        rows = []
        for name, curve in self.curves.items():
            place = np.searchsorted(curve.time, time, side="right") - 1
            known = place >= 0 and (time <= curve.time[-1] or curve.estimate[-1] == 0)
            limits = (curve.ci_low[place], curve.ci_high[place]) if known else (np.nan, np.nan)
            rows.append((name, float(curve.at(time)), *limits))
        return pd.DataFrame(rows, columns=["group", "estimate", "ci_low", "ci_high"])

    def _unit(self, lang: str) -> str:
        return label(f"lifetime.unit.{self.unit}", lang)

    def _event(self, lang: str) -> str:
        return self.name or label("survival.event", lang)

    def _head(self, lang: str) -> str:
        return label(
            "survival.head", lang, n=format_number(self.n), events=format_number(self.n_events),
            event=self._event(lang), unit=self._unit(lang),
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return medians, restricted means and the test."""
        lines = [self._head(lang)]
        for _, row in self.averages.iterrows():
            mean = row["quantity"] == "restricted_mean"
            lines.append(
                label(
                    "survival.row.group" if row["group"] else "survival.row", lang,
                    group=row["group"],
                    quantity=label(f"survival.quantity.{row['quantity']}", lang)
                    + (label("survival.within", lang, unit=self._unit(lang),
                             horizon=format_number(round(self.horizon, 1)))
                       if mean else ""),
                    value=format_number(row["estimate"], 1),
                    interval=_limits(row["ci_low"], row["ci_high"]), unit=self._unit(lang),
                )
            )  # fmt: skip
        if self.df:
            lines.append(
                label("survival.test", lang, k=len(self.curves), df=self.df,
                      statistic=format_number(self.statistic, 2), p=p_text(self.p_value))
            )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the curves, or the restricted means."""
        shared = {"source": self._head(lang), "level": self.level, "synthetic": self.synthetic}
        if kind == "means":
            means = self.averages[self.averages["quantity"] == "restricted_mean"]
            names = [name or label("survival.all", lang) for name in means["group"]]
            axis = label("survival.axis.mean", lang, unit=self._unit(lang),
                         horizon=format_number(round(self.horizon, 1)))  # fmt: skip
            columns = [means[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")]
            return Chart(
                "intervals", (names, *columns),
                {**shared, "axis": axis, "decimals": 1, "title": self._title_of_means(lang)},
            )  # fmt: skip
        return Chart(
            "survival_curves",
            (self.curves,),
            {
                **shared,
                "axis": label("survival.axis.time", lang, unit=self._unit(lang)),
                "without": label("survival.axis.without", lang, event=self._event(lang)),
                "title": self._title(lang),
            },
        )

    def _title(self, lang: str) -> str:
        """Return what the curves show: the test of several, the median or the end of one."""
        if len(self.curves) > 1:
            shares = self.at(self.horizon).set_index("group")["estimate"]
            clear = self.p_value < 1 - self.level
            key = "differ" if clear else "alike" if self.df else "untested"
            return label(
                f"survival.title.{key}", lang, k=len(self.curves), p=p_text(self.p_value),
                time=format_number(round(self.horizon, 1)), unit=self._unit(lang),
                event=self._event(lang), first=shares.idxmin(), last=shares.idxmax(),
                low=format_percent(100 * shares.min(), 1, lang),
                high=format_percent(100 * shares.max(), 1, lang),
            )  # fmt: skip
        row = self.averages.iloc[0]
        if not np.isnan(row["estimate"]):
            return label("survival.title.median", lang, unit=self._unit(lang),
                         event=self._event(lang), median=format_number(row["estimate"], 1),
                         interval=_limits(row["ci_low"], row["ci_high"]))  # fmt: skip
        last = self.table.iloc[-1]
        return label("survival.title.end", lang, time=format_number(last["time"], 1),
                     unit=self._unit(lang), event=self._event(lang),
                     share=format_percent(100 * last["estimate"], 1, lang))  # fmt: skip

    def _title_of_means(self, lang: str) -> str:
        means = self.averages[self.averages["quantity"] == "restricted_mean"]
        of_group = means.set_index("group")["estimate"]
        low, high = (format_number(float(value), 1) for value in (of_group.min(), of_group.max()))
        key = "survival.title.mean" if len(means) == 1 else "survival.title.means"
        first, last = of_group.idxmin(), of_group.idxmax()
        horizon = format_number(round(self.horizon, 1))
        return label(key, lang, low=low, high=high, first=first, last=last, horizon=horizon,
                     unit=self._unit(lang))  # fmt: skip


def _limits(low: float, high: float) -> str:
    """Write an interval of times; a limit that is not reached is open."""
    if np.isnan(high) and not np.isnan(low):
        return f"[{format_number(low, 1)}, ∞)"
    return interval(low, high, 1)


@long_work("survival")
def survival(  # noqa: PLR0913  (columns)
    frame: Any,
    duration: str | None = None,
    event: str | None = None,
    *,
    start: str | None = None,
    end: str | None = None,
    until: Any = None,
    by: str | None = None,
    strata: str | None = None,
    cluster: str | None = None,
    unit: str = "day",
    name: str = "",
    horizon: float | None = None,
    transform: str = "log-log",
    level: float = 0.95,
) -> Survival:
    """Estimate how long until an event, with cases that have not had it yet, and compare groups.

    ``S(t) = prod_{t_j <= t} (1 - d_j / n_j)``, with ``d_j`` events among ``n_j`` cases at risk.

    Parameters
    ----------
    frame : pandas, Polars, PyArrow table or DuckDB relation
        One row a case, such as a customer. Times hold no answers, so there is no codebook.
    duration, event : str
        Columns: time seen, 0 or more, and whether the event ended it (0 or 1, yes or no). Or:
    start, end : str
        Columns of dates: when the case began, and when the event was, missing where it has not
        happened. Times are differences, to the second.
    until : date
        With `start` and `end`: the last moment observed (a date alone: its end). Events after it
        are not counted yet.
    by : str, optional
        Column of groups, at most 14; rows without one are left out, and a note says so.
    strata : str, optional
        Column; the log-rank tests compare cases within a stratum only.
    cluster : str, optional
        Column, such as the customer where a row is a contract; standard errors and tests allow
        for cases of one cluster being alike.
    unit : {"day", "week", "month", "year"}
        Of the times: that in which `duration` is, or that into which dates are turned; a month is
        365.25 / 12 days.
    name : str
        What the event is, for texts and charts: a noun, such as "a second purchase".
    horizon : float, optional
        Of the restricted means, in `unit`; without it, the longest time that every group reaches.
    transform : {"log-log", "plain"}
        Scale of the intervals.
    level : float
        Confidence level of each interval, at its time.

    Returns
    -------
    Survival

    Raises
    ------
    CxError, DataError
        Naming the option, or the column, the row, the value, and what is allowed.

    Notes
    -----
    All of it holds if who is seen no longer would have had the event as soon as the others. That
    is so where observation ends at one date for all; it is not so where those about to leave drop
    out of the data first. The data cannot tell.

    Coverage of 95 % in 4,000 samples of exponential times, a third of them censored: the curve at
    the mean 95.8 % with n = 50 and 94.9 % with 200 (plain: 94.5, 94.5), the median 95.7 and
    95.3 %, the restricted mean 94.3 and 94.6 %. With 100 clusters of three and groups of clusters,
    the log-rank test at 5 % rejects 5.4 % of true hypotheses, and 14 % if it ignores clusters.

    References
    ----------
    Kaplan & Meier (1958). JASA 53, 457-481.
    Brookmeyer & Crowley (1982). Biometrics 38, 29-41.
    Royston & Parmar (2013). BMC Medical Research Methodology 13:152.

    Examples
    --------
    >>> frame = pd.DataFrame({"weeks": [3, 5, 5, 8, 12, 12], "left": [1, 1, 0, 1, 0, 0]})
    >>> result = survival(frame, "weeks", "left", unit="week")
    >>> result.table["estimate"].round(3).tolist()
    [0.833, 0.667, 0.444, 0.444]
    >>> result.averages["estimate"].round(2).tolist()
    [8.0, 8.44]
    """
    check_level(level)
    check_unit(unit)
    if transform not in TRANSFORMS:
        raise CxError(f"transform={transform!r}; allowed: {', '.join(map(repr, TRANSFORMS))}")
    if not isinstance(name, str):
        raise CxError(f"name={excerpt(name)}; allowed: a text that says what the event is")
    table = as_pandas(frame)
    dates = start is not None or end is not None or until is not None
    if dates == (duration is not None or event is not None):
        raise CxError("name the columns duration and event, or start, end and the moment until")
    check_columns(table, (duration, event, start, end, by, strata, cluster))
    if dates:
        time, has_event = _from_dates(table, start, end, until, unit)
    else:
        time, has_event = _from_durations(table, duration, event)
    groups, names = _codes(table, by)
    inside = groups >= 0
    if not inside.any():
        raise DataError(f"column {by!r} has no group in any row; allowed: at least one")
    codes = {
        column: _codes(table, column, complete=True)[0][inside] if column else None
        for column in (strata, cluster)
    }
    cases = _Cases(time[inside], has_event[inside], groups[inside], codes[strata], codes[cluster])
    return _result(
        cases, names, horizon, (level, transform, name, unit),
        synthetic=bool(table.attrs.get("synthetic")), n_left_out=int((~inside).sum()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cases:
    """Cases as arrays (n,): time, event, codes of group, and of stratum and cluster or None."""

    time: Array
    event: NDArray[np.bool_]
    groups: NDArray[np.intp]
    strata: NDArray[np.intp] | None
    clusters: NDArray[np.intp] | None

    def of(self, *groups: int) -> _Cases:
        """Return the cases of some groups, which are counted from 0."""
        rows = np.isin(self.groups, groups)
        codes = [None if c is None else np.unique(c[rows], return_inverse=True)[1]
                 for c in (self.strata, self.clusters)]  # fmt: skip
        place = np.searchsorted(groups, self.groups[rows])
        return _Cases(self.time[rows], self.event[rows], place, *codes)

    def test(self) -> Any:
        """Return the log-rank test of the groups."""
        return logrank_test(self.time, self.event, self.groups, self.strata, self.clusters)


def _from_durations(
    table: pd.DataFrame, duration: str | None, event: str | None
) -> tuple[Array, NDArray[np.bool_]]:
    if duration is None or event is None:
        raise CxError(f"duration={duration!r}, event={event!r}; allowed: two columns")
    time, happened = numbers(table, duration), numbers(table, event)
    refuse(table, duration, time < 0, "times of 0 or more")
    refuse(table, duration, time > LARGEST, f"times up to {LARGEST:g}")
    refuse(table, event, (happened != 0) & (happened != 1), "0 (not seen) or 1 (seen)")
    return time, happened == 1


def _from_dates(
    table: pd.DataFrame, start: str | None, end: str | None, until: Any, unit: str
) -> tuple[Array, NDArray[np.bool_]]:
    if start is None or end is None or until is None:
        raise CxError(
            f"start={start!r}, end={end!r}, until={excerpt(until)}; allowed: two columns and a date"
        )
    first, last = read_times(table, start), read_times(table, end, blank=True)
    if first.aware != last.aware and last.values.notna().any():
        raise DataError(f"of {start!r} and {end!r} only one states time zones; allowed: both, none")
    moment: Any = pd.NaT
    with suppress(TypeError, ValueError):
        moment = pd.Timestamp(until)
    if pd.isna(moment) or isinstance(until, (int, float)):
        raise CxError(f"until={excerpt(until)}; allowed: a date, such as '2024-03-31'")
    if first.aware:
        moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    else:
        moment = moment.tz_localize(None)
    whole_days = moment == moment.normalize()
    limit = moment + pd.Timedelta(days=1) if whole_days else moment  # a day ends with its end
    begun, ended = first.values, last.values
    refuse(table, start, (begun >= limit).to_numpy(), f"no later than until={excerpt(until)}")
    refuse(table, end, (ended < begun).to_numpy(), f"no earlier than {start!r}")
    happened = (ended < limit).to_numpy(bool)
    # Of days alone, who is seen until a day was seen for as many days as an event on it takes.
    timed = any((times.dropna() != times.dropna().dt.normalize()).any() for times in (begun, ended))
    stop = ended.where(happened, limit if timed else moment).clip(lower=begun)
    spans = (stop - begun).dt.total_seconds().to_numpy(float) / 86_400
    return spans / DAYS[unit], happened


def _codes(
    table: pd.DataFrame, column: str | None, complete: bool = False
) -> tuple[NDArray[np.intp], list[str]]:
    """Return the code of each row's group, -1 for none, and the groups' names in order.

    Ordered categories keep their order; numbers rise; the rest is in order of its text.
    """
    if column is None:
        return np.zeros(len(table), np.intp), [""]
    cells = table[column]
    check_group_values(cells, column)
    texts = as_labels(cells).to_numpy(object)
    missing = np.array([text is None for text in texts], bool)
    if complete:
        refuse(table, column, missing, "a value in every row")
    if isinstance(cells.dtype, pd.CategoricalDtype):
        order = [str(as_label(name)) for name in cells.cat.categories]
    elif pd.api.types.is_numeric_dtype(cells.infer_objects().dtype):
        order = [str(as_label(value)) for value in sorted(cells[~missing].unique())]
    else:
        order = sorted(set(texts[~missing]))
    present = set(texts[~missing])
    names = [name for name in dict.fromkeys(order) if name in present]
    place = {name: i for i, name in enumerate(names)}
    codes = [-1 if gap else place[text] for text, gap in zip(texts, missing, strict=True)]
    if not complete and len(names) > MOST_GROUPS:
        raise DataError(
            f"column {column!r} has {len(names)} groups; allowed: at most {MOST_GROUPS}, as many "
            "as can be told apart"
        )
    return np.array(codes, np.intp), names


def _result(
    cases: _Cases,
    names: list[str],
    horizon: float | None,
    options: tuple[float, str, str, str],
    *,
    synthetic: bool,
    n_left_out: int,
) -> Survival:
    level, transform, name, unit = options
    samples = {group: cases.of(code) for code, group in enumerate(names)}
    curves = {
        group: survival_curve(c.time, c.event, level, transform, c.clusters)
        for group, c in samples.items()
    }
    horizon = _horizon(horizon, curves)
    test, pairs = cases.test(), None
    if len(names) > 2:
        pairs = _pairs(cases, names)
    n_clusters = None if cases.clusters is None else int(cases.clusters.max()) + 1
    notes = [
        *note_if(n_left_out > 0, "survival.note.no_group", n=format_number(n_left_out)),
        *_notes(curves, n_clusters),
    ]
    return Survival(
        table=pd.concat([_curve_table(*item) for item in curves.items()], ignore_index=True),
        averages=_averages(samples, curves, horizon, level),
        pairs=pairs,
        curves=curves,
        statistic=test.statistic,
        df=test.df,
        p_value=test.p_value,
        n=len(cases.time),
        n_events=int(cases.event.sum()),
        horizon=horizon,
        name=name,
        unit=unit,
        level=level,
        synthetic=synthetic,
        notes=tuple(notes),
    )


def _horizon(horizon: float | None, curves: Mapping[str, SurvivalCurve]) -> float:
    """Return the horizon, checked; without one, the longest that every curve reaches."""
    reaches = [np.inf if c.estimate[-1] == 0 else float(c.time[-1]) for c in curves.values()]
    largest = max(float(curve.time[-1]) for curve in curves.values())
    longest = min(*reaches, largest)
    if horizon is None:
        return longest
    if not is_number(horizon) or not 0 < horizon <= min(reaches):
        allowed = format_number(longest)
        raise CxError(
            f"horizon={excerpt(horizon)}; allowed: above 0, at most {allowed}, where the first "
            "group is seen no longer"
        )
    return float(horizon)


def _curve_table(group: str, curve: SurvivalCurve) -> pd.DataFrame:
    return pd.DataFrame({
        "group": group, "time": curve.time, "n_at_risk": curve.n_at_risk.astype(int),
        "n_events": curve.n_events.astype(int), "n_censored": curve.n_censored.astype(int),
        "estimate": curve.estimate, "se": curve.se, "ci_low": curve.ci_low,
        "ci_high": curve.ci_high,
    })  # fmt: skip


def _averages(
    samples: Mapping[str, _Cases],
    curves: Mapping[str, SurvivalCurve],
    horizon: float,
    level: float,
) -> pd.DataFrame:
    rows, z = [], normal_quantile(level)
    for group, c in samples.items():
        size = {"n": len(c.time), "n_events": int(c.event.sum())}
        mean = restricted_mean(c.time, c.event, horizon, c.clusters)
        ends = np.clip(mean.estimate + np.array([-z, z]) * mean.se, 0, horizon)
        low, high = ends if mean.se > 0 else (np.nan, np.nan)
        estimates = {
            "median": curves[group].quantile(), "restricted_mean": (mean.estimate, low, high)
        }  # fmt: skip
        for quantity, (estimate, ci_low, ci_high) in estimates.items():
            rows.append({"group": group, "quantity": quantity, **size, "estimate": estimate,
                         "ci_low": ci_low, "ci_high": ci_high})  # fmt: skip
    return pd.DataFrame(rows)


def _pairs(cases: _Cases, names: list[str]) -> pd.DataFrame:
    rows = []
    for first, second in combinations(range(len(names)), 2):
        test = cases.of(first, second).test()
        rows.append((names[first], names[second], test.statistic, test.df, test.p_value))
    pairs = pd.DataFrame(rows, columns=["group_1", "group_2", "statistic", "df", "p_value"])
    return pairs.assign(p_adjusted=adjust(pairs["p_value"].to_numpy(float)))


def _notes(curves: Mapping[str, SurvivalCurve], n_clusters: int | None) -> list[Text]:
    """Return what a reader must know of the curves."""

    def those(condition: Any) -> Text | None:
        names = [name for name, curve in curves.items() if condition(curve)]
        return listed(names) if names and len(curves) > 1 else listed([""]) if names else None

    def share_censored(curve: SurvivalCurve) -> float:
        return float(curve.n_censored.sum() / curve.n_at_risk[0])

    conditions = {
        "median": lambda curve: np.isnan(curve.quantile()[0]),
        "few": lambda curve: curve.n_events.sum() < FEW_EVENTS,
        "censored": lambda curve: share_censored(curve) > MOSTLY_CENSORED,
    }
    notes = []
    for key, condition in conditions.items():
        names = those(condition)
        if names is not None:
            ending = ".groups" if len(curves) > 1 else ""
            notes.append(both(f"survival.note.{key}{ending}", groups=names, few=FEW_EVENTS,
                              share=format_number(100 * MOSTLY_CENSORED)))  # fmt: skip
    crossing = [f"{a} × {b}" for a, b in combinations(curves, 2) if _cross(curves[a], curves[b])]
    few_clusters = n_clusters is not None and n_clusters < FEW_CLUSTERS
    return [
        *notes,
        *note_if(bool(crossing), "survival.note.cross", pairs=listed(crossing[:3])),
        *note_if(few_clusters, "survival.note.clusters", n=n_clusters),
        *note_if(any(c.n_censored.any() for c in curves.values()), "survival.note.informative"),
    ]


def _cross(first: SurvivalCurve, second: SurvivalCurve) -> bool:
    """Return whether each of two curves lies clearly above the other at some time."""
    end = min(first.time[-1], second.time[-1])
    times = np.unique(np.concatenate([first.time, second.time]))
    times = times[times <= end]
    errors = []
    for curve in (first, second):
        place = np.searchsorted(curve.time, times, side="right")
        errors.append(np.append(0.0, curve.se)[place])
    difference, se = first.at(times) - second.at(times), np.hypot(*errors)
    z = np.divide(difference, se, out=np.zeros(len(times)), where=se > 0)
    return bool((z > CROSSING).any() and (z < -CROSSING).any())
