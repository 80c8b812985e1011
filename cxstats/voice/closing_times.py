"""Times until feedback is answered or closed, and promises kept, with open items in the count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing, meant
from cxstats.core.result import Chart, Result
from cxstats.operations.timestamps import check_unit, in_units
from cxstats.stats.hypothesis_tests import adjust
from cxstats.stats.intervals import check_level, normal_quantile, proportion_interval
from cxstats.stats.survival import (
    RestrictedMean,
    SurvivalCurve,
    logrank_test,
    restricted_mean,
    survival_curve,
)
from cxstats.voice.register import (
    EVENTS,
    GROUPS,
    FeedbackRegister,
    check_by,
    check_register,
    customer_codes,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Codes = NDArray[np.intp]

QUANTILES = {"median": 0.5, "p90": 0.9}
MOST = 12  # groups whose pairs are tested
FEW_EVENTS = 10
LARGE = 3_000  # items from which errors by customers are taken at some times only
STEPS = 300  # of them
FEW_CLUSTERS = 30


@dataclass(frozen=True, slots=True, eq=False)
class ItemTimes:
    """Times of items, in a unit.

    Attributes
    ----------
    time : array (n,)
        From coming in to the event; of an item without it, to the end of the register.
    event : boolean array (n,)
    clusters : integer array (n,) or None
        The customer of each item; None where nobody has two.
    """

    time: Array
    event: NDArray[np.bool_]
    clusters: Codes | None

    def take(self, rows: NDArray[np.bool_]) -> ItemTimes:
        """Return some of the items, their customers counted anew."""
        clusters = None
        if self.clusters is not None:
            clusters = np.unique(self.clusters[rows], return_inverse=True)[1]
        return ItemTimes(self.time[rows], self.event[rows], clusters)

    @property
    def n_clusters(self) -> int:
        """Customers, or items where nobody has two."""
        return len(self.time) if self.clusters is None else int(self.clusters.max()) + 1

    def curve(self, level: float) -> SurvivalCurve:
        """Return the share that is still without the event, by time.

        Errors by customers take a table of customers by times. With very many items they are the
        errors of independent items times the ratio of both at some times.
        """
        if self.clusters is None or len(self.time) <= LARGE:
            return survival_curve(self.time, self.event, level, clusters=self.clusters)
        curve = survival_curve(self.time, self.event, level)
        coarse = self._coarse()
        alone = survival_curve(coarse, self.event, level)
        ratio = survival_curve(coarse, self.event, level, clusters=self.clusters).se / alone.se
        defined = np.isfinite(ratio)
        se = curve.se * np.interp(curve.time, alone.time[defined], ratio[defined])
        reach = normal_quantile(level) * se / curve.estimate
        inside = np.isfinite(curve.ci_low)
        s = np.where(inside, curve.estimate, np.nan)
        low, high = (s ** np.exp(sign * reach / np.log(s)) for sign in (-1, 1))
        return replace(curve, se=se, ci_low=low, ci_high=high)

    def mean_until(self, horizon: float) -> RestrictedMean:
        """Return the mean time up to a horizon, its error by customers as in `curve`."""
        if self.clusters is None or len(self.time) <= LARGE:
            return restricted_mean(self.time, self.event, horizon, self.clusters)
        mean = restricted_mean(self.time, self.event, horizon)
        coarse = self._coarse()
        until = min(horizon, float(coarse.max()))
        both_errors = [
            restricted_mean(coarse, self.event, until, clusters).se
            for clusters in (self.clusters, None)
        ]
        return replace(mean, se=mean.se * both_errors[0] / both_errors[1])

    def _coarse(self) -> Array:
        """Return the times, each the last one of a class of about as many."""
        edges = np.unique(np.quantile(self.time, np.linspace(0, 1, STEPS + 1)[1:]))
        return np.asarray(edges[np.searchsorted(edges, self.time)])

    def share_by(self, time: float, level: float) -> tuple[float, float, float, float]:
        """Return the share with the event by a time: estimate, error and limits.

        ``1 - S(t)``, S by Kaplan and Meier, so that items too young to tell are neither kept nor
        broken. Where none or all have the event, the limits are Wilson's of the customers who can
        tell. NaN where no item is that old.
        """
        curve = self.curve(level)
        share = 1 - float(curve.at([time])[0])
        if np.isnan(share):
            return (np.nan,) * 4
        if 0 < share < 1:
            at = int(np.searchsorted(curve.time, time, side="right")) - 1
            low, high = 1 - curve.ci_high[at], 1 - curve.ci_low[at]
            return share, float(curve.se[at]), float(low), float(high)
        telling = (self.event & (self.time <= time)) | (self.time >= time)
        n = telling.sum() if self.clusters is None else len(np.unique(self.clusters[telling]))
        low, high = proportion_interval(round(share), n, level=level)
        return float(round(share)), 0.0, float(low), float(high)


@dataclass(frozen=True, eq=False, repr=False)
class FeedbackTimes(Result):
    """Times until feedback is answered or closed.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per group and statistic: the column of `by`, ``statistic`` ("median", "p90": the
        time by which 50 % and 90 % of the items have the event; "mean": within the horizon),
        ``estimate, se`` (of the mean), ``ci_low, ci_high, n, n_open`` (without the event),
        ``ended_only`` (the same statistic of the items that have the event, which is too short).
    tests : pandas.DataFrame
        Log-rank tests, all groups and each pair: ``contrast, statistic, df, p_value, p_adjusted``
        (Holm's, over the pairs).
    curves : mapping of str to SurvivalCurve
        The share still without the event, by group.
    event : {"answered", "closed"}
    by, adjust : str or None
        As in `feedback_times`.
    unit : str
    horizon : float
        Up to which the mean counts, in `unit`.
    n, level, synthetic
        Items, level of the intervals, whether they are simulated.
    notes : tuple of Text
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    curves: Mapping[str, SurvivalCurve]
    event: str
    by: str | None
    adjust: str | None
    unit: str
    horizon: float
    n: int
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("medians", "curves")
    codes: ClassVar = {"statistic": "register.statistic.{}"}
    reference: ClassVar = (
        "Kaplan & Meier (1958). Nonparametric estimation from incomplete observations. Journal of "
        "the American Statistical Association 53, 457-481."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the statistics of each group, and the test of all."""
        lines = [
            label(
                "register.times.head", lang, event=label(f"register.event.{self.event}", lang),
                n=format_number(self.n), level=format_percent(100 * self.level, None, lang),
                unit=label(f"register.unit.{self.unit}", lang),
            )
        ]  # fmt: skip
        for _, row in self.table.iterrows():
            lines.append(
                "  " + label(
                    "register.times.row", lang, group=self._group(row, lang),
                    statistic=self._statistic(row["statistic"], lang),
                    value=format_number(row["estimate"], 1),
                    interval=interval(row["ci_low"], row["ci_high"], 1),
                    ended=format_number(row["ended_only"], 1),
                )
            )  # fmt: skip
        for _, row in self.tests.head(1).iterrows():
            key = ".adjusted" if self.adjust else ""
            lines.append(
                "  "
                + label(
                    f"register.times.test{key}", lang, p=p_text(row["p_value"]), **self._names(lang)
                )
            )
        return lines

    def _statistic(self, statistic: str, lang: str) -> str:
        if statistic != "mean":
            return label(f"register.statistic.{statistic}", lang)
        unit = label(f"register.unit.{self.unit}", lang)
        horizon = format_number(self.horizon, 1)
        return label("register.times.mean", lang, horizon=horizon, unit=unit)

    def _names(self, lang: str) -> dict[str, str]:
        names = {"by": self.by, "adjust": self.adjust}
        return {k: label(f"column.{v}", lang) for k, v in names.items() if v is not None}

    def _group(self, row: Any, lang: str) -> str:
        return label("register.all", lang) if self.by is None else str(row[self.by])

    def _title_of_curves(self, event: str, unit: str, lang: str) -> str:
        """Return the medians from lowest to highest, or the shares where the shortest ends."""
        medians = {name: curve.quantile()[0] for name, curve in self.curves.items()}
        end = min(float(curve.time[-1]) for curve in self.curves.values())
        shares = {name: float(curve.at(end)) for name, curve in self.curves.items()}
        reached = not np.isnan(list(medians.values())).any()
        values = medians if reached else shares
        first, last = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
        low, high = (
            format_number(values[name], 1)
            if reached
            else format_percent(100 * values[name], 1, lang)
            for name in (first, last)
        )
        everyone = label("register.all", lang)
        if len(values) == 1:
            key, options = ".one" if reached else ".end", {"value": low, "group": everyone}
        else:
            key, options = ".curves" if reached else ".ends", {"high": high, "last": last}
        return label(
            f"register.times.title{key}", lang, event=event, unit=unit, low=low, first=first,
            time=format_number(end, 1), **options,
        )  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the medians of the groups with their intervals, or the curves."""
        event = label(f"register.event.{self.event}", lang)
        unit = label(f"register.unit.{self.unit}", lang)
        source = label("register.source", lang, n=format_number(self.n))
        if kind == "curves":
            keywords = {
                "axis": label("register.times.curve_axis", lang, unit=unit),
                "without": label("register.times.without", lang, event=event),
                "title": self._title_of_curves(event, unit, lang),
                "source": source,
                "level": self.level,
                "synthetic": self.synthetic,
            }
            return Chart("survival_curves", (self.curves,), keywords)
        rows = self.table[self.table["statistic"] == "median"]
        rows = rows[rows["estimate"].notna()]
        if not len(rows):
            raise CxError("no group has a median yet: too many items are open; see `.table`")
        slowest = rows.iloc[int(rows["estimate"].argmax())]
        p_value = float(self.tests["p_value"].iloc[0]) if len(self.tests) else np.nan
        differ = p_value < 1 - self.level
        key = "" if differ else ".one" if len(rows) == 1 else ".alike"
        return Chart(
            "intervals",
            (
                [self._group(row, lang) for _, row in rows.iterrows()],
                *(rows[name] for name in ("estimate", "ci_low", "ci_high")),
            ),
            {
                "title": label(
                    f"register.times.title{key}", lang, event=event, p=p_text(p_value), unit=unit,
                    group=self._group(slowest, lang), value=format_number(slowest["estimate"], 1),
                ),
                "axis": label("register.times.axis", lang, event=event, unit=unit),
                "source": source,
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )  # fmt: skip


def feedback_times(
    register: FeedbackRegister,
    event: str = "closed",
    by: str | None = None,
    *,
    adjust: str | None = None,
    unit: str = "hour",
    horizon: Any = None,
    level: float = 0.95,
) -> FeedbackTimes:
    """Estimate times until feedback is answered or closed, with open items in the count.

    An open item takes longer than it has been open so far.

    Kaplan and Meier's curve with log-log limits; medians by Brookmeyer and Crowley; the mean is the
    area below the curve up to a horizon. A mean over closed items alone is too short, since the
    slow ones are those still open. Where customers wrote more than once, errors and tests allow
    for items of one customer being alike.

    Parameters
    ----------
    register : FeedbackRegister
    event : {"answered", "closed"}
        For "closed" of an item that was opened again, the last closing counts.
    by : {"category", "channel", "owner"}, optional
    adjust : {"category", "channel", "owner"}, optional
        Groups are tested within its values only (a stratified log-rank test), so that owners with
        harder items are not taken for slower ones. Estimates are not adjusted.
    unit : {"second", "minute", "hour", "day"}
    horizon : number of units, or text such as "30 days", optional
        Up to which the mean counts; without it, the time up to which every group has been seen.
    level : float

    Returns
    -------
    FeedbackTimes

    Raises
    ------
    CxError
        If the register lacks the event, the groups or an item with them; or an option is wrong.

    Notes
    -----
    Open items must be open only because they came in late. Where the hard ones are left lying, that
    is what the curve shows; where items vanish from the register unclosed, it is too favourable.
    The test has most power where one group is slower all along.

    In 600 simulated registers a row (log-normal times, half of the variance the customer's; a fifth
    of the items open; 95 % intervals) these many covered the truth (%); the last column takes items
    as independent:

    =========  =====  ======  ===  ====  ==============  ===================
    customers  items  median  p90  mean  share in time   median, independent
    =========  =====  ======  ===  ====  ==============  ===================
    20         60     95      97   93    94              89
    50         150    96      95   95    97              90
    200        600    95      95   95    94              87
    50         50     95      98   93    95              95
    =========  =====  ======  ===  ====  ==============  ===================

    References
    ----------
    Kaplan & Meier (1958). JASA 53, 457-481. Brookmeyer & Crowley (1982). Biometrics 38, 29-41.
    Lin & Wei (1989). The robust inference for the Cox proportional hazards model. JASA 84.

    Examples
    --------
    >>> import cxstats as cx
    >>> register = cx.feedback_register(cx.simulate_feedback_register(20, seed=1))
    >>> times = register.times("closed", by="channel")
    >>> times.table["statistic"].tolist()[:3]
    ['median', 'p90', 'mean']
    """
    import pandas as pd

    check_level(level)
    register = check_register(register)
    check_by(register, by)
    check_by(register, adjust)
    if adjust is not None and (by is None or by == adjust):
        raise CxError(f"adjust={adjust!r} with by={by!r}; allowed: two different columns")
    rows, left_out = _rows_with(register, (by, adjust))
    items = item_times(register, event, unit).take(rows)
    data = register.data[rows]
    labels = pd.Series("", data.index) if by is None else data[by]
    names = sorted(labels.unique())
    groups = {name: items.take((labels == name).to_numpy()) for name in names}
    longest = min(float(group.time.max()) for group in groups.values())
    horizon = longest if horizon is None else duration("horizon", horizon, unit)
    table = pd.DataFrame(
        [
            {**({} if by is None else {by: name}), **row}
            for name, group in groups.items()
            for row in _statistics(group, horizon, level)
        ]
    )
    strata = None if adjust is None else pd.factorize(data[adjust])[0]
    few = [
        name or both("register.all")
        for name, group in groups.items()
        if group.event.sum() < FEW_EVENTS
    ]
    crowds = [group.n_clusters for group in groups.values() if group.clusters is not None]
    notes = [
        *note_if(left_out > 0, "register.note.left_out", n=format_number(left_out)),
        *note_if(bool(few), "register.note.few_events", least=FEW_EVENTS, groups=listed(few)),
        *note_if(
            bool(crowds) and min(crowds) < FEW_CLUSTERS, "register.note.few_customers",
            n=min(crowds, default=0),
        ),
        *note_if(len(names) > MOST, "register.note.no_pairs", most=MOST),
        *note_if(
            bool(table["estimate"].isna().any()), "register.note.not_reached",
        ),
        both("register.note.calendar"),
    ]  # fmt: skip
    return FeedbackTimes(
        table=table,
        tests=_tests(items, labels, names, strata),
        curves={name: group.curve(level) for name, group in groups.items()},
        event=event,
        by=by,
        adjust=adjust,
        unit=unit,
        horizon=horizon,
        n=len(data),
        level=level,
        synthetic=register.synthetic,
        notes=tuple(notes),
    )


def _rows_with(
    register: FeedbackRegister, columns: tuple[str | None, ...]
) -> tuple[NDArray[np.bool_], int]:
    """Return which items have a value in every column, and how many have not."""
    rows = np.ones(register.n, bool)
    for name in columns:
        if name is not None:
            rows &= register.data[name].notna().to_numpy()
    if not rows.any():
        raise CxError(f"no item has {listing(filter(None, columns))}")
    return rows, int((~rows).sum())


def item_times(register: FeedbackRegister, event: str, unit: str, since: str = "date") -> ItemTimes:
    """Return times from `since` to an event, of all items; those without `since` have NaN.

    Raises
    ------
    CxError
        If the event or the unit is none, or the register lacks its column.
    """
    if event not in EVENTS:
        raise CxError(f"event={event!r}; allowed: {', '.join(map(repr, EVENTS))}")
    if event not in register.data:
        raise CxError(
            f"the register has no column of when items were {event}; name it: {event}=... of "
            "cx.feedback_register"
        )
    seconds = check_unit(unit)
    data = register.data
    ended = data[event].notna().to_numpy()
    end = data[event].fillna(register.until)
    span = (end - data[since]).dt.total_seconds().to_numpy() / seconds
    return ItemTimes(np.maximum(span, 0), ended, customer_codes(data))


def duration(name: str, value: Any, unit: str) -> float:
    """Return a time of an argument in units.

    Examples
    --------
    >>> duration("within", "30 days", "day"), duration("within", "48h", "day")
    (30.0, 2.0)
    """
    number = in_units(value, check_unit(unit))
    if isinstance(number, bool) or not isinstance(number, Real) or not 0 < float(number) < np.inf:
        raise CxError(
            f"{name}={excerpt(value)}; allowed: a number of {unit}s above 0, or text such as "
            "'48h', '3 days' or '2天'"
        )
    return float(number)


def read_promise(promise: Any, unit: str) -> dict[str, float]:
    """Return promised times in units, by group.

    Examples
    --------
    >>> read_promise({"billing": "48h", "staff": 12}, "hour")
    {'billing': 48.0, 'staff': 12.0}
    """
    if not isinstance(promise, Mapping) or not promise:
        raise CxError(
            f"promise={excerpt(promise)}; allowed: a mapping such as {{'billing': '48h'}}"
        )
    return {
        str(group): duration(f"promise of {excerpt(group)}", time, unit)
        for group, time in promise.items()
    }


def _statistics(items: ItemTimes, horizon: float, level: float) -> Iterator[dict[str, Any]]:
    """Yield the rows of a group."""
    curve = items.curve(level)
    ended = items.time[items.event]
    counts = {"n": len(items.time), "n_open": int((~items.event).sum())}
    for name, share in QUANTILES.items():
        value, low, high = curve.quantile(share)
        naive = float(np.quantile(ended, share)) if len(ended) else np.nan
        yield {
            "statistic": name, "estimate": value, "se": np.nan, "ci_low": low, "ci_high": high,
            **counts, "ended_only": naive,
        }  # fmt: skip
    mean = items.mean_until(horizon)
    z = normal_quantile(level)
    yield {
        "statistic": "mean", "estimate": mean.estimate, "se": mean.se,
        "ci_low": max(mean.estimate - z * mean.se, 0), "ci_high": mean.estimate + z * mean.se,
        **counts,
        "ended_only": float(np.minimum(ended, horizon).mean()) if len(ended) else np.nan,
    }  # fmt: skip


def _tests(
    items: ItemTimes, labels: pd.Series, names: list[str], strata: Codes | None
) -> pd.DataFrame:
    """Return log-rank tests of all groups and of each pair."""
    import pandas as pd

    codes = np.searchsorted(np.array(names, object), labels.to_numpy(object))
    rows: list[tuple[Any, ...]] = []

    def test(contrast: str, which: NDArray[np.bool_]) -> None:
        some = items.take(which)
        groups = np.unique(codes[which], return_inverse=True)[1]
        within = None if strata is None else strata[which]
        result = logrank_test(some.time, some.event, groups, within, some.clusters)
        rows.append((contrast, result.statistic, result.df, result.p_value))

    if len(names) > 1:
        test(" = ".join(names) if len(names) <= MOST else "…", np.ones(len(codes), bool))
    if 2 < len(names) <= MOST:
        for i, j in combinations(range(len(names)), 2):
            test(f"{names[i]} = {names[j]}", np.isin(codes, (i, j)))
    table = pd.DataFrame(rows, columns=["contrast", "statistic", "df", "p_value"])
    adjusted = table["p_value"].to_numpy(float).copy()
    adjusted[1:] = adjust(adjusted[1:])
    return table.assign(p_adjusted=adjusted)


@dataclass(frozen=True, eq=False, repr=False)
class PromisesKept(Result):
    """How many items were answered or closed in the time promised.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per group: ``group, promise`` (in `unit`), ``estimate, se, ci_low, ci_high`` (share
        kept), ``n, n_kept, n_late`` (answered or closed too late), ``n_overdue`` (still open past
        the promise), ``n_young`` (open, and not yet due).
    event : {"answered", "closed"}
    unit, level, synthetic
        As passed.
    notes : tuple of Text
    """

    table: pd.DataFrame
    event: str
    unit: str
    level: float
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("shares",)
    reference: ClassVar = FeedbackTimes.reference

    def findings(self, lang: str) -> list[str]:
        """Return the share kept of each group."""
        lines = [
            label(
                "register.promise.head", lang, event=label(f"register.event.{self.event}", lang),
                n=format_number(int(self.table["n"].sum())),
                level=format_percent(100 * self.level, None, lang),
            )
        ]  # fmt: skip
        for _, row in self.table.iterrows():
            lines.append(
                "  " + label(
                    "register.promise.row", lang, group=row["group"],
                    promise=format_number(row["promise"]),
                    unit=label(f"register.unit.{self.unit}", lang),
                    share=self._share(row, lang),
                    overdue=format_number(row["n_overdue"]), young=format_number(row["n_young"]),
                )
            )  # fmt: skip
        return lines

    def _share(self, row: Any, lang: str) -> str:
        """Return the share with its interval; a dash where no item is old enough."""
        if np.isnan(row["estimate"]):
            return "–"
        limits = interval(100 * row["ci_low"], 100 * row["ci_high"], 1)
        return f"{format_percent(100 * row['estimate'], 1, lang)} {limits}"

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the shares kept with their intervals."""
        rows = self.table[self.table["estimate"].notna()]
        if not len(rows):
            raise CxError("no item is old enough to tell whether a promise was kept")
        unit = label(f"register.unit.{self.unit}", lang)
        worst = rows.iloc[int(rows["estimate"].argmin())]
        names = [
            label("register.promise.group", lang, group=row["group"], unit=unit,
                  promise=format_number(row["promise"]))
            for _, row in rows.iterrows()
        ]  # fmt: skip
        share = format_percent(100 * worst["estimate"], 0, lang)
        return Chart(
            "intervals",
            (names, *(100 * rows[name] for name in ("estimate", "ci_low", "ci_high"))),
            {
                "title": label("register.promise.title", lang, group=worst["group"], share=share),
                "axis": label("register.promise.axis", lang),
                "source": label("register.source", lang, n=format_number(int(rows["n"].sum()))),
                "level": self.level,
                "decimals": 1,
                "synthetic": self.synthetic,
            },
        )


def promises_kept(
    register: FeedbackRegister,
    promise: Mapping[str, Any],
    *,
    event: str = "closed",
    by: str = "category",
    unit: str = "hour",
    level: float = 0.95,
) -> PromisesKept:
    """Estimate which share of the items is answered or closed in the time promised.

    ``1 - S(promise)``, S by Kaplan and Meier: an item still open past its promise is a broken one,
    one that is open and not yet due is neither. Limits allow for customers with several items.

    Parameters
    ----------
    register : FeedbackRegister
    promise : mapping of str to number or text
        By value of `by`, in `unit` or as text: ``{"complaint": "48h", "question": "3 days"}``.
    event : {"answered", "closed"}
    by : {"category", "channel", "owner"}
    unit : {"second", "minute", "hour", "day"}
    level : float

    Returns
    -------
    PromisesKept

    Raises
    ------
    CxError
        If a promise is of a group that the register does not have, or no time above 0.

    Notes
    -----
    Time runs on the calendar: a promise in working hours has to be turned into hours first.

    Examples
    --------
    >>> import cxstats as cx
    >>> register = cx.feedback_register(cx.simulate_feedback_register(20, seed=1))
    >>> kept = register.promises({"billing": "3 days", "staff": 48})
    >>> kept.table[["group", "promise"]].values.tolist()
    [['billing', 72.0], ['staff', 48.0]]
    """
    import pandas as pd

    check_level(level)
    register = check_register(register)
    check_by(register, by)
    if by is None:
        raise CxError(f"by=None; allowed: {', '.join(map(repr, GROUPS))}")
    limits = read_promise(promise, unit)
    values = register.data[by]
    groups = sorted(values.dropna().unique())
    items = item_times(register, event, unit)
    rows = []
    for group, limit in limits.items():
        if group not in groups:
            hint = meant(group, groups)
            raise CxError(f"promise for {excerpt(group)}{hint}; {by} has {listing(groups)}")
        some = items.take((values == group).to_numpy())
        estimate, se, low, high = some.share_by(limit, level)
        in_time = some.time <= limit
        rows.append(
            {
                "group": group, "promise": limit, "estimate": estimate, "se": se,
                "ci_low": low, "ci_high": high, "n": len(some.time),
                "n_kept": int((some.event & in_time).sum()),
                "n_late": int((some.event & ~in_time).sum()),
                "n_overdue": int((~some.event & ~in_time).sum()),
                "n_young": int((~some.event & in_time).sum()),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    without = sorted(set(groups) - set(table["group"]))
    notes = [
        *note_if(bool(without), "register.note.no_promise", groups=listed(without)),
        *note_if(bool(table["estimate"].isna().any()), "register.note.too_young"),
        both("register.note.calendar"),
    ]
    return PromisesKept(table, event, unit, level, register.synthetic, tuple(notes))
