"""Weeks in which more feedback comes in than chance brings, at a stated rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number
from cxstats.core.language import Text, both, label, listed, note_if
from cxstats.core.messages import excerpt, listing
from cxstats.core.result import Chart, Result
from cxstats.voice.register import FeedbackRegister, check_by, check_register

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

WEEKS_A_YEAR = 365.25 / 7
FEWEST = 8  # weeks of a baseline
SHORT = 26  # weeks of a baseline below which a dispersion is too uncertain
WIDE = 1.5  # dispersion that is remarked on
PRIOR = 0.5  # of an item, in the mean of the baseline (Jeffreys' prior for a Poisson mean)


@dataclass(frozen=True, slots=True)
class CountLimit:
    """The largest count of a week that chance brings.

    Attributes
    ----------
    mean : float
        Of a week of the baseline, half an item added to their sum.
    dispersion : float
        Variance by mean of the weeks, at least 1.
    limit : int
        A larger count is an alert.
    delay : float
        Mean number of weeks until the first alert once the mean has doubled.
    """

    mean: float
    dispersion: float
    limit: int
    delay: float


def count_limit(counts: Array, probability: float) -> CountLimit:
    """Return the limit that a further week passes by chance with a probability at most.

    The next count is negative binomial with the mean m of the baseline and the variance
    ``phi m (1 + 1 / k)``, k weeks: the dispersion phi of the weeks (at least 1, that of Poisson)
    and the error of the mean itself. With phi = 1 that is the Bayesian prediction from Jeffreys'
    prior. Where phi is above 1 it is itself an estimate from k weeks, so the limit is that of the
    distribution of ``m + (Q - m) t / z``, Q its quantile, t and z those of Student's distribution
    with k - 1 degrees of freedom and of the normal one.

    Parameters
    ----------
    counts : array (k,)
        Of the weeks of the baseline.
    probability : float
        Of a false alarm in one week.

    References
    ----------
    Meeker, Hahn & Escobar (2017). Statistical intervals, 2nd ed. Wiley.

    Examples
    --------
    >>> count_limit(np.array([4.0, 6, 5, 5, 4, 6, 5, 5]), 0.005).limit
    12
    """
    from scipy.stats import nbinom, norm, t

    k = len(counts)
    mean = (float(counts.sum()) + PRIOR) / k
    spread = float(counts.var(ddof=1)) / mean
    dispersion = max(1.0, spread)
    variance = dispersion * mean * (1 + 1 / k)
    size, chance = _negative_binomial(mean, variance)
    limit = float(nbinom.isf(probability, size, chance))
    if dispersion > 1:
        limit = mean + (limit - mean) * float(t.isf(probability, k - 1) / norm.isf(probability))
    limit = int(np.ceil(limit - 1e-9))
    doubled = _negative_binomial(2 * mean, max(2 * mean * dispersion, 2 * mean * (1 + 1e-9)))
    detected = float(nbinom.sf(limit, *doubled))
    return CountLimit(mean, dispersion, limit, 1 / detected if detected > 0 else np.inf)


def _negative_binomial(mean: float, variance: float) -> tuple[float, float]:
    """Return size and chance of success of the distribution with this mean and variance."""
    return mean**2 / (variance - mean), mean / variance


@dataclass(frozen=True, eq=False, repr=False)
class ComplaintAlerts(Result):
    """Weekly counts with the limit of what chance brings.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per week (and group): the column of `by`, ``week`` (its Monday), ``n``, ``centre``
        (mean of the baseline), ``limit_high`` (the largest count that is no alert), ``baseline``,
        ``outside_limits`` (an alert; never in the baseline).
    series : pandas.DataFrame
        One row per group: ``mean, dispersion, limit_high, delay`` (weeks until an alert, on
        average, once the mean has doubled), ``n_alerts``.
    by : str or None
    false_alarms : float
        A year, over all groups.
    n_baseline : int
        Weeks of the baseline.
    synthetic : bool
    notes : tuple of Text
    """

    table: pd.DataFrame
    series: pd.DataFrame
    by: str | None
    false_alarms: float
    n_baseline: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("weeks",)
    reference: ClassVar = (
        "Montgomery (2020). Introduction to statistical quality control, 8th ed. Wiley."
    )

    def findings(self, lang: str) -> list[str]:
        """Return the alerts, and how soon a doubling is seen."""
        weeks = self.table["week"].nunique()
        lines = [
            label(
                "register.alerts.head", lang, weeks=weeks, baseline=self.n_baseline,
                rate=format_number(self.false_alarms), groups=len(self.series),
            )
        ]  # fmt: skip
        alerts = self.table[self.table["outside_limits"]]
        for _, row in alerts.iterrows():
            lines.append(
                "  " + label(
                    "register.alerts.row", lang, group=self._group(row, lang),
                    week=f"{row['week']:%Y-%m-%d}", n=format_number(row["n"]),
                    mean=format_number(row["centre"], 1), limit=format_number(row["limit_high"]),
                )
            )  # fmt: skip
        if alerts.empty:
            lines.append("  " + label("register.alerts.none", lang))
        for _, row in self.series.iterrows():
            lines.append(
                "  " + label(
                    "register.alerts.delay", lang, group=self._group(row, lang),
                    weeks=format_number(row["delay"], 1),
                )
            )  # fmt: skip
        return lines

    def _group(self, row: Any, lang: str) -> str:
        return label("register.all", lang) if self.by is None else str(row[self.by])

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return one series, that of most alerts unless the option ``group`` names another."""
        group = options.get("group")
        row = self.series.iloc[int(self.series["n_alerts"].argmax())]
        rows = self.table
        if self.by is not None:
            names = self.series[self.by].to_list()
            if group is not None and group not in names:
                raise CxError(f"group={excerpt(group)}; allowed: {listing(map(repr, names))}")
            group = row[self.by] if group is None else group
            row = self.series[self.series[self.by] == group].iloc[0]
            rows = rows[rows[self.by] == group]
        elif group is not None:
            raise CxError(f"group={excerpt(group)}; there is one series only")
        key = "" if row["n_alerts"] else ".none"
        return Chart(
            "weekly_counts",
            (rows["week"], rows["n"], rows["centre"], rows["limit_high"], rows["outside_limits"]),
            {
                "n_baseline": self.n_baseline,
                "title": label(
                    f"register.alerts.title{key}", lang, group=self._group(row, lang),
                    n=int(row["n_alerts"]),
                    weeks=len(rows) - self.n_baseline,
                ),
                "source": label("register.source", lang, n=format_number(int(rows["n"].sum()))),
                "synthetic": self.synthetic,
            },
            taken=("group",),
        )  # fmt: skip


def complaint_alerts(
    register: FeedbackRegister,
    by: str | None = "category",
    *,
    baseline: int | None = None,
    false_alarms: float = 1.0,
) -> ComplaintAlerts:
    """Look for weeks with more items than chance brings, each class by itself.

    Weeks begin on Monday; the first and the last one count only if they are whole. The first weeks
    are the baseline: their mean and their scatter set the limit (see `voice.count_limit`) that a
    later week passes by chance so rarely that all groups together give the stated number of false
    alarms a year, at most, as long as nothing changes.

    Parameters
    ----------
    register : FeedbackRegister
    by : {"category", "channel", "owner"} or None
        What splits the items into series; None for one series of all.
    baseline : int, optional
        Number of first weeks, at least 8; half of the weeks without it. It must be a quiet time: an
        outbreak in it raises the limit, a trend or a season that comes after it gives alarms.
    false_alarms : float
        A year, over all groups.

    Returns
    -------
    ComplaintAlerts

    Raises
    ------
    CxError
        If there are fewer than 9 whole weeks, or an option is out of range.

    Notes
    -----
    False alarms a year over four series, 1 being stated, in simulations (400 baselines a cell), and
    the median of the mean weeks until a doubling is seen:

    ==============  ==========  =================  =================  ===================
    items a week    dispersion  8 baseline weeks   26 baseline weeks  weeks to a doubling
    ==============  ==========  =================  =================  ===================
    2               1           0.3                0.3                20
    10              1           0.4                0.5                2.3
    40              1           0.5                0.5                1.0
    2               2           2.1                1.0                57
    10              2           1.8                1.0                6.6
    40              2           1.4                1.0                1.3
    10              3           1.8                1.0                10
    ==============  ==========  =================  =================  ===================

    So a baseline of less than half a year gives up to twice as many false alarms as stated where
    weeks scatter, which a note says; and a class of two items a week is too rare to be watched by
    the week. For shares of all feedback, rather than numbers, track a rate:
    ``cx.track(cx.rate(...))``.

    Examples
    --------
    >>> import cxstats as cx
    >>> register = cx.feedback_register(cx.simulate_feedback_register(52, seed=1))
    >>> alerts = register.alerts(baseline=26)
    >>> alerts.table.loc[alerts.table["outside_limits"], "category"].unique().tolist()
    ['app fault']
    """
    import pandas as pd

    register = check_register(register)
    check_by(register, by)
    if (
        isinstance(false_alarms, bool) or not isinstance(false_alarms, Real)
        or not 0 < float(false_alarms) <= WEEKS_A_YEAR / 4
    ):  # fmt: skip
        raise CxError(f"false_alarms={excerpt(false_alarms)}; allowed: above 0 to 13 a year")
    counts, left_out = weekly_counts(register, by)
    n_weeks = len(counts)
    if n_weeks <= FEWEST:
        raise CxError(f"the register has {n_weeks} whole weeks; allowed: {FEWEST + 1} or more")
    n_baseline = max(FEWEST, n_weeks // 2) if baseline is None else baseline
    if (
        isinstance(n_baseline, bool) or not isinstance(n_baseline, Integral)
        or not FEWEST <= n_baseline < n_weeks
    ):  # fmt: skip
        raise CxError(
            f"baseline={excerpt(baseline)}; allowed: whole numbers of weeks, {FEWEST} to "
            f"{n_weeks - 1}"
        )
    probability = float(false_alarms) / (WEEKS_A_YEAR * counts.shape[1])
    tables, series = [], []
    for name, column in counts.items():
        n = column.to_numpy(float)
        limit = count_limit(n[:n_baseline], probability)
        is_baseline = np.arange(n_weeks) < n_baseline
        outside = (n > limit.limit) & ~is_baseline
        group = {} if by is None else {by: name}
        columns = {"n": column.to_numpy(), "centre": limit.mean, "limit_high": limit.limit}
        flags = {"baseline": is_baseline, "outside_limits": outside}
        tables.append(pd.DataFrame({**group, "week": counts.index, **columns, **flags}))
        series.append(
            {
                **group, "mean": limit.mean, "dispersion": limit.dispersion,
                "limit_high": limit.limit, "delay": limit.delay, "n_alerts": int(outside.sum()),
            }
        )  # fmt: skip
    overview = pd.DataFrame(series)
    wide = [str(name) for name, row in zip(counts, series, strict=True) if row["dispersion"] > WIDE]
    notes = [
        *note_if(left_out > 0, "register.note.left_out", n=format_number(left_out)),
        *note_if(
            bool(wide),
            "register.note.scatter",
            groups=listed(wide if by else [both("register.all")]),
        ),
        *note_if(bool(wide) and n_baseline < SHORT, "register.note.short_baseline", n=n_baseline),
        both("register.note.season"),
    ]
    return ComplaintAlerts(
        table=pd.concat(tables, ignore_index=True),
        series=overview,
        by=by,
        false_alarms=float(false_alarms),
        n_baseline=int(n_baseline),
        synthetic=register.synthetic,
        notes=tuple(notes),
    )


def weekly_counts(register: FeedbackRegister, by: str | None) -> tuple[pd.DataFrame, int]:
    """Return items by whole week (rows, their Mondays) and group, and items without a group."""
    import pandas as pd

    dates = register.data["date"]
    first = dates.min().normalize()
    monday = first - pd.Timedelta(days=first.weekday())
    if monday < first:
        monday += pd.Timedelta(days=7)
    week = np.floor((dates - monday) / pd.Timedelta(days=7)).to_numpy()
    n_weeks = max(int((register.until - monday) // pd.Timedelta(days=7)), 0)
    groups = register.data[by] if by is not None else pd.Series("", dates.index)
    inside = (week >= 0) & (week < n_weeks)
    has = groups.notna().to_numpy()
    names = sorted(groups[has].unique())
    counts = pd.crosstab(week[inside & has], groups[inside & has])
    counts = counts.reindex(index=range(n_weeks), columns=names, fill_value=0)
    counts.index = pd.DatetimeIndex(monday + pd.to_timedelta(7 * np.arange(n_weeks), unit="D"))
    return counts, int((inside & ~has).sum())
