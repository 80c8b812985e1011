"""Groups and waves of a metric compared: differences, tests, and one test of all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import (
    format_change,
    format_number,
    p_text,
    round_half_up,
)
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, both, label
from cxstats.core.messages import meant
from cxstats.core.result import Chart, Result
from cxstats.metrics.nps_intervals import ADDED, adjusted_shares, nps_variance
from cxstats.metrics.result import SHOWN, Metric, group_text
from cxstats.stats.hypothesis_tests import adjust as adjusted
from cxstats.stats.intervals import difference_interval, t_interval
from cxstats.stats.rules import RULES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST = 100_000  # pairs; more are no table that anyone reads
MOST_GROUPS = 2_000  # in one test of all, whose covariance is a matrix
ROUNDING = 1e-12  # eigenvalues below, relative to the largest, are rounding


@dataclass(frozen=True, eq=False, repr=False)
class MetricComparison(Result):
    """Differences between groups of a metric.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per pair: ``group, other, estimate`` (group less other, in points of NPS, in shares
        or in the unit of the mean), ``ci_low, ci_high, se, statistic, df, p_value, p_adjusted,
        relative`` (the change relative to the other; NaN where that is not above 0 or, other than
        a share, has 0 in its interval), ``n, n_other, test``. Intervals are not adjusted.
    omnibus : pandas.DataFrame
        One row: ``test, statistic, df_1, df_2, p_value`` of all groups being equal.
    metric : Metric
        What was compared.
    reference_group : object
        The group that others were compared with; None for all pairs.
    adjust : str or None
        How p values were adjusted.
    notes : tuple of Text
        What was left out and what is rough.
    """

    table: pd.DataFrame
    omnibus: pd.DataFrame
    metric: Metric
    reference_group: Any
    adjust: str | None
    notes: tuple[Text, ...]

    kinds: ClassVar = ("difference",)
    codes: ClassVar = {"test": "metric.test.{}"}
    reference: ClassVar = (
        "Newcombe (1998). Interval estimation for the difference between independent proportions. "
        "Statistics in Medicine 17, 873-890.\n"
        "Zou & Donner (2008). Construction of confidence limits about effect measures. Statistics "
        "in Medicine 27, 1693-1702.\n"
        "Welch (1951). On the comparison of several mean values. Biometrika 38, 330-336."
    )

    @property
    def level(self) -> float:
        """Level of the intervals."""
        return self.metric.level

    @property
    def synthetic(self) -> bool:
        """Whether the answers are simulated."""
        return self.metric.synthetic

    def title(self, lang: str | None = None) -> str:
        """Return what was compared."""
        return label("title.MetricComparison", lang, name=self.metric.title(lang))

    def findings(self, lang: str) -> list[str]:
        """Return the differences, points first, the clearest first."""
        metric, table, method = self.metric, self.table, self.adjust or "none"
        significant = int((table["p_adjusted"] < 1 - metric.level).sum())
        heading = label(
            "metric.compare.head", lang, name=metric.title(lang),
            pairs=format_number(len(table)), significant=format_number(significant),
            alpha=f"{1 - metric.level:.2g}",
            adjust=label(f"metric.adjust.{method}", lang),
        )  # fmt: skip
        rows: Any = table.sort_values("p_adjusted", kind="stable").head(SHOWN)
        lines = [heading, *(f"  {self._row(row, lang)}" for row in rows.itertuples())]
        if len(table) > SHOWN:
            more = format_number(len(table) - SHOWN)
            lines.append("  " + label("metric.more.pairs", lang, count=more))
        return lines

    def _row(self, row: Any, lang: str) -> str:
        scale, decimals = self._scale()
        return label(
            "metric.compare.row", lang,
            group=_pair_text(row.group), other=_pair_text(row.other),
            change=self._change(row, lang),
            interval=interval_text(scale * row.ci_low, scale * row.ci_high, decimals),
            p=p_text(row.p_adjusted),
        )  # fmt: skip

    def _change(self, row: Any, lang: str) -> str:
        """Return a difference in points, and relative to the other group where that exists."""
        scale, decimals = self._scale()
        points = round_half_up(Decimal(repr(float(scale * row.estimate))), decimals)
        relative = None if np.isnan(row.relative) else Decimal(repr(100 * float(row.relative)))
        if self.metric.unit == "mean" and not self.metric.kind:  # money and times have no points
            amount = format_number(points, decimals, sign=True)
            change = format_change(relative, lang=lang)
            values = {"amount": amount, "relative": change}
            return label("metric.compare.amount", lang, **values) if change else amount
        measure = "rate" if self.metric.unit in ("share", "ratio") else "index"
        return format_change(relative, points, measure, 1, lang)

    def _scale(self) -> tuple[int, int]:
        """Return the factor from the table to what is shown, and its decimals."""
        if self.metric.unit in ("share", "ratio"):
            return 100, 1
        return 1, 1 if self.metric.unit == "nps" else 2

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the differences on their intervals."""
        metric, rows = self.metric, self.table
        scale, decimals = self._scale()
        names = [
            f"{_pair_text(group)} − {_pair_text(other)}"
            for group, other in zip(rows["group"], rows["other"], strict=True)
        ]
        axis = "metric.compare.axis.points" if scale == 100 else "metric.compare.axis"
        differences = [scale * rows[name] for name in ("estimate", "ci_low", "ci_high")]
        keywords = {
            "source": label("metric.source", lang, n=format_number(metric.n)),
            "axis": label(axis, lang, name=metric.title(lang)),
            "level": metric.level,
            "decimals": decimals,
            "synthetic": metric.synthetic,
        }
        return Chart("intervals", (names, *differences), keywords)


def _pair_text(group: Any) -> str:
    return " / ".join(map(group_text, group)) if isinstance(group, tuple) else group_text(group)


def compare_metric(
    metric: Metric, reference: Any, within: str | Sequence[str] | None, adjust: str | None
) -> MetricComparison:
    """Compare the groups of a metric; see `Metric.compare`.

    Tests: NPS ``z = (e1 - e2) / sqrt(s1^2 / n1 + s2^2 / n2)``, unpooled, on counts with 3/8 of a
    promoter and of a detractor added to each group (half of what the interval of one adds; Agresti
    and Caffo 2000 do the same for proportions); shares: z with the pooled share, Fisher's exact
    test when an expected count is below 5 (weighted shares: z on effective sample sizes); means:
    Welch's t. Intervals: Welch's for means, else from the intervals of both groups (Newcombe 1998,
    Zou and Donner 2008). With clusters or strata: t with ``se^2 = V11 + V22 - 2 V12`` of the
    design (as R's ``svyttest``) and as degrees of freedom the smaller of its clusters less strata
    less 1 and Welch's of both groups; intervals of means t, else from the intervals of both groups
    and their correlation; all groups at once by Wald's F (``regTermTest``). Test and interval are
    not the same calculation, so at the margin one can
    leave out 0 where the other does not; a note counts these.
    """
    import pandas as pd

    if adjust not in ("holm", "fdr_bh", None):
        raise CxError(f"adjust={adjust!r}; allowed: 'holm', 'fdr_bh', None")
    table = metric.table[metric.table["estimate"].notna()].reset_index(drop=True)
    if len(table) < 2:
        raise CxError(
            f"there is {len(table)} group with an estimate; at least 2 are needed to compare"
            + ("" if metric.by else " (name groups with by=...)")
        )
    first, second = _pairs(table, metric.by, reference, within)
    groups = _tuples(table, metric.by)
    a, b = (table.iloc[at].reset_index(drop=True) for at in (first, second))
    if metric.covariance is None:
        columns = _TESTS[metric.unit](metric, a, b)
    else:
        rows = np.flatnonzero(metric.table["estimate"].notna())
        columns = _test_design(metric, a, b, (rows[first], rows[second]))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(b["estimate"] > 0, columns["estimate"] / b["estimate"], np.nan)
    if metric.unit != "share":  # a base that may be 0 has no change relative to it
        relative = np.where(b["ci_low"] <= 0, np.nan, relative)
    p = np.asarray(columns["p_value"], float)
    columns["p_adjusted"] = adjusted(p, adjust) if adjust else p
    names = {"group": [groups[i] for i in first], "other": [groups[i] for i in second]}
    test = columns.pop("test")
    pairs = pd.DataFrame(
        {**names, **columns, "relative": relative, "n": a["n"], "n_other": b["n"], "test": test}
    )
    notes = _comparison_notes(len(metric.table) - len(table), pairs, 1 - metric.level)
    return MetricComparison(pairs, _omnibus(metric, table), metric, reference, adjust, notes)


def _comparison_notes(not_compared: int, pairs: pd.DataFrame, alpha: float) -> tuple[Text, ...]:
    """Return notes on groups left out, and on tests and intervals that disagree about 0."""
    notes = []
    if not_compared:
        notes.append(both("metric.note.not_compared", count=format_number(not_compared)))
    tested = pairs["p_value"].notna() & pairs["ci_low"].notna()
    without_zero = (pairs["ci_low"] > 0) | (pairs["ci_high"] < 0)
    margin = int((tested & (without_zero != (pairs["p_value"] < alpha))).sum())
    if margin:
        notes.append(both("metric.note.margin", count=format_number(margin)))
    return tuple(notes)


def _tuples(table: pd.DataFrame, by: Sequence[str]) -> list[Any]:
    if len(by) == 1:
        return list(table[by[0]])
    return list(table[list(by)].itertuples(index=False, name=None))


def _pairs(
    table: pd.DataFrame, by: tuple[str, ...], reference: Any, within: str | Sequence[str] | None
) -> tuple[list[int], list[int]]:
    """Return the rows to compare, and the rows that they are compared with."""
    fixed = [within] if isinstance(within, str) else list(within or ())
    if any(name not in by for name in fixed) or len(fixed) == len(by):
        raise CxError(f"within={within!r}; allowed: some, not all, of {by}")
    free = [name for name in by if name not in fixed]
    names = _tuples(table, free)
    sets = table.groupby(fixed, sort=False, observed=True).indices if fixed else {}
    members = list(sets.values()) or [np.arange(len(table))]
    pairs: list[tuple[int, int]] = []
    if reference is None:
        if sum(len(rows) ** 2 / 2 for rows in members) > MOST:
            raise CxError(
                f"all pairs of {len(table):,} groups are too many to compare; name a reference, or "
                "compare within=... groups"
            )
        pairs = [(j, i) for rows in members for i, j in combinations(rows, 2)]
    else:
        if not any(_same(name, reference) for name in names):
            some = ", ".join(map(repr, dict.fromkeys(names[:10])))
            raise CxError(
                f"reference={reference!r} is not a group with an estimate"
                f"{meant(reference, names)}; groups: {some}"
            )
        for rows in members:
            base = [i for i in rows if _same(names[i], reference)]
            pairs += [(i, base[0]) for i in rows if base and i != base[0]]
    if not pairs:
        raise CxError("no two groups to compare")
    return [int(i) for i, _ in pairs], [int(j) for _, j in pairs]


def _same(name: Any, reference: Any) -> bool:
    if isinstance(name, tuple):
        return isinstance(reference, tuple) and name == reference
    return bool(name == reference)


def _sizes(table: pd.DataFrame) -> Array:
    """Return the (effective) numbers of answers."""
    name = "n_effective" if "n_effective" in table else "n"
    return table[name].to_numpy(float)


def _limits(table: pd.DataFrame) -> tuple[Any, Any, Any]:
    estimate, low, high = (table[x].to_numpy(float) for x in ("estimate", "ci_low", "ci_high"))
    return estimate, low, high


def _frame(
    difference: Array, limits: tuple[Array, Array], se: Array, **tested: Any
) -> dict[str, Any]:
    low, high = limits
    return {"estimate": difference, "ci_low": low, "ci_high": high, "se": se, **tested}


def _both_errors(a: pd.DataFrame, b: pd.DataFrame) -> Array:
    return np.asarray(np.hypot(a["se"].to_numpy(float), b["se"].to_numpy(float)))


def _nps_moved(table: pd.DataFrame) -> tuple[Array, Array]:
    """Return NPS (-1 to 1) and its error variance by group, on counts moved by 3/8."""
    p, d = (table[f"{who}_share"].to_numpy(float) for who in ("promoter", "detractor"))
    p, d, n = adjusted_shares(p, d, _sizes(table), ADDED / 2)
    return p - d, nps_variance(p, d) / n


def _test_nps(metric: Metric, a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    from scipy.special import ndtr

    (score_a, variance_a), (score_b, variance_b) = _nps_moved(a), _nps_moved(b)
    z = (score_a - score_b) / np.sqrt(variance_a + variance_b)
    low, high = difference_interval(_limits(a), _limits(b))
    limits = np.clip(low, -200, 200), np.clip(high, -200, 200)
    difference = a["estimate"].to_numpy(float) - b["estimate"].to_numpy(float)
    p_value = 2 * ndtr(-np.abs(z))
    se = _both_errors(a, b)
    return _frame(
        difference, limits, se, statistic=z, df=np.nan, p_value=p_value, test="z, unpooled"
    )


def _test_shares(metric: Metric, a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    from scipy.special import ndtr
    from scipy.stats import fisher_exact

    n, m = _sizes(a), _sizes(b)
    p, q = a["estimate"].to_numpy(float), b["estimate"].to_numpy(float)
    pooled = (p * n + q * m) / (n + m)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (p - q) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    p_value = 2 * ndtr(-np.abs(z))
    test = np.full(len(z), "z, pooled", dtype=object)
    # With fewer expected events Fisher's exact test takes the place of z.
    few = RULES["cochran1954"].band(np.minimum(pooled, 1 - pooled) * np.minimum(n, m)) == 0
    if metric.weighted:
        few = np.zeros_like(few)
        p_value = np.where(np.isnan(z), 1.0, p_value)
    for i in np.flatnonzero(few):
        x, y = round(p[i] * n[i]), round(q[i] * m[i])
        p_value[i] = fisher_exact([[x, n[i] - x], [y, m[i] - y]]).pvalue
        z[i], test[i] = np.nan, "Fisher"
    limits = difference_interval(_limits(a), _limits(b))
    return _frame(
        p - q, limits, _both_errors(a, b), statistic=z, df=np.nan, p_value=p_value, test=test
    )


def _test_means(metric: Metric, a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    from scipy.special import stdtr

    v, w = a["se"].to_numpy(float) ** 2, b["se"].to_numpy(float) ** 2
    n, m = a["n"].to_numpy(float), b["n"].to_numpy(float)
    difference = a["estimate"].to_numpy(float) - b["estimate"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = difference / np.sqrt(v + w)
        df = (v + w) ** 2 / (v**2 / (n - 1) + w**2 / (m - 1))
    se = np.sqrt(v + w)
    limits = t_interval(difference, se, df, metric.level)
    if metric.interval == "bca":
        limits = difference_interval(_limits(a), _limits(b))
    tested = np.isfinite(t)
    p_value = np.where(tested, 2 * stdtr(np.where(tested, df, 1.0), -np.abs(t)), np.nan)
    return _frame(difference, limits, se, statistic=t, df=df, p_value=p_value, test="Welch t")


def _test_design(
    metric: Metric, a: pd.DataFrame, b: pd.DataFrame, rows: tuple[Any, Any]
) -> dict[str, Any]:
    """Test differences by the covariance of the design, which groups with shared clusters have."""
    from scipy.special import stdtr

    assert metric.covariance is not None
    v, w = (frame["se"].to_numpy(float) ** 2 for frame in (a, b))
    together = metric.covariance.of_pairs(*rows)
    se = np.sqrt(np.maximum(v + w - 2 * together, 0))
    difference = a["estimate"].to_numpy(float) - b["estimate"].to_numpy(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = difference / se
        welch = satterthwaite(v, a["df"].to_numpy(float), w, b["df"].to_numpy(float))
        correlation = np.nan_to_num(together / np.sqrt(v * w))
        df = np.fmin(metric.covariance.df_of_pairs(*rows) - 1, welch)
    tested = np.isfinite(t) & (df >= 1)
    p_value = np.where(tested, 2 * stdtr(np.where(tested, df, 1.0), -np.abs(t)), np.nan)
    limits = t_interval(difference, se, df, metric.level)
    if metric.unit in ("nps", "share") or metric.interval == "bca":
        limits = difference_interval(_limits(a), _limits(b), correlation)
    most = {"nps": 200.0, "share": 1.0}.get(metric.unit, np.inf)
    limits = np.clip(limits[0], -most, most), np.clip(limits[1], -most, most)
    return _frame(difference, limits, se, statistic=t, df=df, p_value=p_value, test="t, design")


_TESTS = {
    "nps": _test_nps, "share": _test_shares, "mean": _test_means, "ratio": _test_means,
}  # fmt: skip


def _omnibus(metric: Metric, table: pd.DataFrame) -> pd.DataFrame:
    """Test that all groups are equal: chi-square, of shares Pearson's; of means Welch's F."""
    import pandas as pd
    from scipy.special import chdtrc, fdtrc

    k = len(table)
    estimate, n = table["estimate"].to_numpy(float), _sizes(table)
    f_df = np.nan
    if metric.covariance is not None:
        statistic, f_df = _wald_f(metric, estimate)
        test, p = "Wald F, design", np.nan
        if np.isfinite(statistic):
            p = fdtrc(k - 1, f_df, statistic)
    elif metric.unit == "share":
        pooled = np.average(estimate, weights=n)
        with np.errstate(invalid="ignore", divide="ignore"):
            statistic = (n * (estimate - pooled) ** 2).sum() / (pooled * (1 - pooled))
        test, p = "Pearson chi-square", chdtrc(k - 1, statistic)
    elif metric.unit == "nps":
        score, variance = _nps_moved(table)
        centre = np.average(score, weights=1 / variance)
        statistic = ((score - centre) ** 2 / variance).sum()
        test, p = "Wald chi-square, unpooled", chdtrc(k - 1, statistic)
    else:
        statistic, f_df = welch_f(estimate, table["se"].to_numpy(float), table["n"].to_numpy(float))
        test, p = "Welch F", fdtrc(k - 1, f_df, statistic) if np.isfinite(statistic) else np.nan
    row = {"test": test, "statistic": statistic, "df_1": k - 1, "df_2": f_df, "p_value": p}
    return pd.DataFrame([row])


def satterthwaite(v: Array, df_v: Array, w: Array, df_w: Array) -> Array:
    """Return the degrees of freedom of the sum of two variances (Welch 1947)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((v + w) ** 2 / (v**2 / df_v + w**2 / df_w))


def _wald_f(metric: Metric, estimate: Array) -> tuple[float, float]:
    """Return Wald's F that all groups are equal, and its second degrees of freedom.

    ``F = d' V(d)^-1 d / (k - 1)`` of the differences d from the first group, with clusters less
    strata less ``k - 1`` degrees of freedom. NaN where the clusters are too few for as many groups.
    """
    rows = np.flatnonzero(metric.table["estimate"].notna())
    k = len(rows)
    assert metric.covariance is not None
    df = metric.covariance.df_of_all(rows) - (k - 1)
    if df < 1 or k > MOST_GROUPS:
        return np.nan, np.nan
    return wald(metric.covariance.matrix(rows), estimate) / (k - 1), df


def wald(covariance: Array, estimate: Array) -> float:
    """Return Wald's chi-square that estimates are equal; NaN where their covariance is singular."""
    contrast = np.column_stack([-np.ones(len(estimate) - 1), np.eye(len(estimate) - 1)])
    variance, difference = contrast @ covariance @ contrast.T, contrast @ estimate
    values = np.linalg.eigvalsh(variance)
    if not values[0] > ROUNDING * max(values[-1], 0) or values[-1] <= 0:
        return float("nan")
    return float(difference @ np.linalg.solve(variance, difference))


def welch_f(mean: Array, se: Array, n: Array) -> tuple[float, float]:
    """Return Welch's F of k means and its second degrees of freedom; NaN where one has no error.

    Reference: Welch (1951). On the comparison of several mean values. Biometrika 38, 330-336.
    """
    k = len(mean)
    if not (se > 0).all():
        return np.nan, np.nan
    weight = 1 / se**2
    centre = np.average(mean, weights=weight)
    between = (weight * (mean - centre) ** 2).sum() / (k - 1)
    correction = ((1 - weight / weight.sum()) ** 2 / (n - 1)).sum()
    scale = 1 + 2 * (k - 2) / (k**2 - 1) * correction
    return float(between / scale), float((k**2 - 1) / (3 * correction))
