"""What an A/B test says: differences, lifts, and whether they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.experiments.bayes import BayesianAb, bayesian_ab
from cxstats.experiments.sample_ratio_mismatch import SampleRatio
from cxstats.metrics.comparison import MetricComparison
from cxstats.metrics.result import Metric

if TYPE_CHECKING:
    import pandas as pd


def in_units(difference: float, kind: str, lang: str) -> str:
    """Return a difference with its unit as text, shares in percentage points.

    Examples
    --------
    >>> in_units(0.0343, "proportion", "en"), in_units(-4.5, "nps", "zh")
    ('+3.43 percentage points', '−4.50 点')
    """
    unit_kind = "share" if kind == "proportion" else kind
    unit = label(f"planning.unit.{unit_kind}", lang)
    return f"{format_number(points_scale(kind) * difference, 2, sign=True)} {unit}"


def points_scale(kind: str) -> int:
    """Return what a difference is multiplied with for people to read: points of shares."""
    return 100 if kind == "proportion" else 1


@dataclass(frozen=True, eq=False, repr=False)
class AbTest(Result):
    """Variants compared with a control.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per variant: ``variant, control, estimate`` (variant less control: shares, the unit
        of the mean, points of NPS), ``ci_low, ci_high, se, statistic, df, p_value, p_adjusted``
        (Holm), ``lift, lift_low, lift_high`` (relative to the control), ``n, n_control, test``.
    kind : {"proportion", "mean", "nps"}
    control : object
    metric : Metric
        The groups by themselves.
    comparison : MetricComparison
        The differences as `Metric.compare` returns them.
    sample_ratio : SampleRatio or None
        The groups' sizes against the plan.
    uneven : bool
        Whether answers are missing in other shares by group (p below .001).
    level, n, synthetic
        As in `Metric`.
    notes : tuple of Text
        What was left out and what is rough.
    """

    table: pd.DataFrame
    kind: str
    control: Any
    metric: Metric
    comparison: MetricComparison
    sample_ratio: SampleRatio | None
    uneven: bool
    level: float
    n: int
    synthetic: bool
    notes: tuple[Text, ...]

    codes: ClassVar = MetricComparison.codes
    reference: ClassVar = (
        "Newcombe (1998). Interval estimation for the difference between independent proportions. "
        "Statistics in Medicine 17, 873-890.\n"
        "Kohavi, Tang & Xu (2020). Trustworthy online controlled experiments. Cambridge University "
        "Press."
    )

    def title(self, lang: str | None = None) -> str:
        """Return what was tested."""
        return label("title.AbTest", lang, name=self.metric.title(lang))

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `plot` can draw; lifts only where the control is above 0."""
        return ("difference", "lift") if self.table["lift"].notna().any() else ("difference",)

    def why_not(self, kind: str) -> str:
        """Return why there is no chart of lifts, where there is none."""
        reason = "there is no lift relative to a control that is not above 0"
        return reason if kind == "lift" else ""

    @property
    def trusted(self) -> bool:
        """False if visitors or answers were lost unequally; the groups are not comparable then."""
        return not (self.uneven or (self.sample_ratio is not None and self.sample_ratio.mismatch))

    def posterior(
        self,
        variant: Any = None,
        *,
        prior: tuple[float, float] = (1.0, 1.0),
        level: float | None = None,
    ) -> BayesianAb:
        """Return the Bayesian view of two proportions; see `cxstats.bayesian_ab`.

        Parameters
        ----------
        variant : object, optional
            Which variant; may be left out if there is one.
        prior : pair of numbers
            Beta(a, b) of both groups.
        level : float, optional
            Of the credible interval; that of the test without it.
        """
        if self.kind != "proportion":
            raise CxError(f"the posterior is of proportions; this test is of metric {self.kind!r}")
        if self.metric.weighted or self.metric.covariance is not None:
            raise CxError(
                "the posterior is of counts of independent units; this test has weights, clusters "
                "or strata: use its intervals, or give one row per unit"
            )
        chosen = self.one_variant() if variant is None else variant
        if chosen not in list(self.table["variant"]):
            raise CxError(f"variant={chosen!r}; allowed: {list(self.table['variant'])}")
        counts = self.metric.table[["events", "n"]].to_numpy(int).tolist()
        names = list(self.metric.table[self.metric.by[0]])
        events = {
            role: tuple(counts[names.index(group)])
            for role, group in (("control", self.control), ("treatment", chosen))
        }
        return bayesian_ab(**events, prior=prior, level=level or self.level)

    def one_variant(self) -> Any:
        """Return the variant, if there is one only.

        Raises
        ------
        CxError
            If there are several.
        """
        if len(self.table) > 1:
            listed = ", ".join(map(repr, self.table["variant"]))
            raise CxError(f"there are {len(self.table)} variants, {listed}; name one of them")
        return self.table["variant"].iloc[0]

    def findings(self, lang: str) -> list[str]:
        """Return the differences and lifts; first of all, whether they can be trusted."""
        rows: Any = self.table
        lifts = [
            "  "
            + label(
                "experiment.lift",
                lang,
                variant=row.variant,
                lift=format_percent(100 * row.lift, 1, lang, sign=True),
                interval=interval_text(100 * row.lift_low, 100 * row.lift_high, 1),
            )
            for row in rows.itertuples()
            if row.lift_low == row.lift_low
        ]
        lines = [*self.comparison.findings(lang), *lifts, *size_lines(self.sample_ratio, lang)]
        if self.sample_ratio is None:
            lines.append(label("experiment.srm.unchecked", lang))
        return [*distrust(self.trusted, lang), *lines]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the differences, or the lifts, on their intervals."""
        warning = distrust_title(self.trusted, lang)
        if kind == "difference":
            chart = self.comparison.chart(kind, lang, options)
            return Chart(chart.name, chart.values, {**chart.options, **warning})
        rows = self.table
        keywords = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "axis": label("experiment.lift.axis", lang, name=self.metric.title(lang)),
            "level": self.level,
            "decimals": 1,
            "synthetic": self.synthetic,
        }
        lifts = [100 * rows[name] for name in ("lift", "lift_low", "lift_high")]
        names = list(map(str, rows["variant"]))
        return Chart("intervals", (names, *lifts), keywords | warning)


def refuse_clusters(of: str, cluster: Any = None, tests: Any = ()) -> None:
    """Raise if looks have clusters: units that come back make one look depend on the next.

    Raises
    ------
    CxError
        Naming what does not go with clusters, and what does.
    """
    tests = [test for test in tests if isinstance(test, AbTest)]
    if cluster is not None or any(test.metric.covariance is not None for test in tests):
        raise CxError(
            f"{of} is of units that come once: rows of one unit in several looks make these depend "
            "on each other in a way that its boundaries do not know; allowed: one row per unit, at "
            "the look of its first, or cxstats.ab_test with cluster= once, at the end"
        )


def distrust(trusted: bool, lang: str) -> list[str]:
    """Return the line that stands above the results of groups that are not comparable."""
    return [] if trusted else [label("experiment.distrust", lang)]


def distrust_title(trusted: bool, lang: str) -> dict[str, str]:
    """Return the title of a chart of groups that are not comparable."""
    return {} if trusted else {"title": label("experiment.distrust", lang)}


def size_lines(ratio: SampleRatio | None, lang: str) -> list[str]:
    """Return what the check of the groups' sizes says, if there was one."""
    return [] if ratio is None else ratio.findings(lang)


def size_notes(ratio: SampleRatio | None) -> tuple[Text, ...]:
    """Return the notes of the check of the groups' sizes, if there was one."""
    return () if ratio is None else ratio.notes
