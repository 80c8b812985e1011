"""What an A/B test says: differences, lifts, and whether they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent
from cxstats.core.formats import interval as interval_text
from cxstats.core.language import Text, label
from cxstats.experiments.bayes import BayesianAb, bayesian_ab
from cxstats.experiments.sample_ratio_mismatch import SampleRatio
from cxstats.metrics.comparison import MetricComparison
from cxstats.metrics.result import Metric

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def in_units(difference: float, kind: str, lang: str) -> str:
    """Write a difference with its unit, shares in percentage points.

    Examples
    --------
    >>> in_units(0.0343, "proportion", "en"), in_units(-4.5, "nps", "zh")
    ('+3.43 percentage points', '−4.50 点')
    """
    scale = 100 if kind == "proportion" else 1
    unit = label(f"planning.unit.{'share' if kind == 'proportion' else kind}", lang)
    return f"{format_number(scale * difference, 2, sign=True)} {unit}"


@dataclass(frozen=True, eq=False)
class AbTest:
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
    remarks : tuple of Text
        What was left out and what is rough; `notes` has them in English.
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
    remarks: tuple[Text, ...]

    @property
    def trusted(self) -> bool:
        """False if visitors or answers were lost unequally; the groups are not comparable then."""
        return not (self.uneven or (self.sample_ratio is not None and self.sample_ratio.mismatch))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and what is rough."""
        return tuple(text.en for text in self.remarks)

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
        chosen = self.one_variant() if variant is None else variant
        if chosen not in list(self.table["variant"]):
            raise CxError(f"variant={chosen!r}; allowed: {list(self.table['variant'])}")
        counts = self.metric.table[["events", "n"]].to_numpy(int).tolist()
        names = list(self.metric.table[self.metric.by[0]])
        pair = {
            name: tuple(counts[names.index(one)])
            for name, one in (("control", self.control), ("treatment", chosen))
        }
        return bayesian_ab(**pair, prior=prior, level=level or self.level)

    def one_variant(self) -> Any:
        """Return the variant, if there is one only.

        Raises
        ------
        CxError
            If there are several.
        """
        if len(self.table) > 1:
            shown = ", ".join(map(repr, self.table["variant"]))
            raise CxError(f"there are {len(self.table)} variants, {shown}; name one of them")
        return self.table["variant"].iloc[0]

    def summary(self, lang: str = "en") -> str:
        """Return the differences and lifts; first of all, whether they can be trusted."""
        head = [] if self.trusted else [label("experiment.distrust", lang)]
        lines = [*head, self.comparison.summary(lang)]
        rows: Any = self.table
        for row in rows.itertuples():
            if row.lift_low == row.lift_low:
                lines.append(
                    "  "
                    + label(
                        "experiment.lift",
                        lang,
                        variant=row.variant,
                        lift=format_percent(100 * row.lift, 1, lang, sign=True),
                        interval=interval_text(100 * row.lift_low, 100 * row.lift_high, 1),
                    )
                )
        if self.sample_ratio is not None:
            lines.append(self.sample_ratio.summary(lang))
        else:
            lines.append(label("experiment.srm.unchecked", lang))
        return "\n".join([*lines, *(f"  * {text.get(lang)}" for text in self.remarks)])

    def plot(
        self, ax: Axes | None = None, lang: str = "en", *, what: str = "difference", **options: Any
    ) -> Axes:
        """Draw the differences, or the lifts (``what="lift"``), on their intervals.

        Options are those of `cxstats.charts.intervals`.
        """
        if what not in ("difference", "lift"):
            raise CxError(f"what={what!r}; allowed: 'difference', 'lift'")
        note = {} if self.trusted else {"title": label("experiment.distrust", lang)}
        if what == "difference":
            return self.comparison.plot(ax, lang, **note | options)
        from cxstats.charts import intervals

        rows = self.table
        given: dict[str, Any] = {
            "source": label("metric.source", lang, n=format_number(self.n)),
            "axis": label("experiment.lift.axis", lang, name=self.metric.title(lang)),
            "level": self.level,
            "decimals": 1,
            "synthetic": self.synthetic,
        }
        columns = (100 * rows[one] for one in ("lift", "lift_low", "lift_high"))
        names = map(str, rows["variant"])
        return intervals(names, *columns, lang=lang, ax=ax, **given | note | options)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)
