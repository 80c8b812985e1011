"""Results of the room: weighted scores, bounds where components lack data, reconstructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import LANGUAGES, Text, label
from cxstats.core.result import Chart, Result
from cxstats.satisfaction.formula_registry import formula, origin
from cxstats.service.dimension_scores import OVERALL
from cxstats.stats.means import method_name
from cxstats.stats.sampling_design import Design

if TYPE_CHECKING:
    import pandas as pd

    from cxstats.survey.codebook import Codebook

TOTAL = "satisfaction.component.{}"  # where the word for the total stands, a row among components
COMPLETE = 1 - 1e-9  # of the weight: a sum of shares may miss 1 by rounding
ACSI = (
    "Fornell, Johnson, Anderson, Cha & Bryant (1996). The American Customer Satisfaction Index: "
    "nature, purpose, and findings. Journal of Marketing 60(4), 7-18."
)
METHODS = {"E01": ACSI}  # where the form of a formula comes from that names none


class FormulaResult(Result):
    """A result that computes a published formula; it has its identifier, ``formula``, or ""."""

    if TYPE_CHECKING:

        @property
        def formula(self) -> str:
            """Identifier of the published formula."""

    def formula_lines(self, lang: str | None) -> list[str]:
        """Return the formula with its source and how much of it was printed, if there is one."""
        if not self.formula:
            return []
        return [label("satisfaction.formula", lang, origin=origin(self.formula).get(lang))]

    def cite(self, lang: str | None = None) -> str:
        """Return which published formula it is, its method, and how to cite the package."""
        method = METHODS.get(self.formula)
        return "\n".join([*self.formula_lines(lang), *filter(None, [method]), super().cite(lang)])


@dataclass(frozen=True, eq=False, repr=False)
class WeightedScore(FormulaResult):
    """A weighted score or index, with what each component contributes.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per component, then "Overall": ``weight, mean, estimate, ci_low, ci_high, se, n``.
        The `estimate` of a component is its contribution, the mean over respondents of its
        weight times its score; contributions add up to the score. Intervals are Student's t
        unless `interval` says otherwise; with estimated weights bootstrap percentile, and there
        are ``weight_ci_low, weight_ci_high`` too.
    scores : pandas.Series
        The score of each respondent, NaN where left out.
    coverage, least_coverage : float
        Share of the weight that has data, from 0 to 1: mean and smallest over the respondents
        used.
    groups, comparisons, omnibus : pandas.DataFrame or None
        By group (with `min_cell` also ``suppressed``), all pairs of groups, one test of all; with
        `by`. Differences of contributions are adjusted together, those of the score by themselves.
    name : Text
        What the score is called.
    weights : str
        "fixed", "normalised", "equal", "pls" or "factor".
    n, n_left_out : int
        Respondents used and left out.
    formula : str
        Identifier of the published formula; "" if none.
    reading : Text or None
        How a formula that was lost in print is read here.
    on_missing, by, level, n_resamples, seed
        As passed.
    n_failed : int
        Resamples in which weights could not be estimated.
    synthetic : bool
        Whether the respondents are simulated.
    interval, design
        Kind of interval and design of the sample.
    notes : tuple of Text
        What a reader must know.
    labels : mapping of str to Text
        What components are called by the codebook, for charts and the summary.
    """

    table: pd.DataFrame
    scores: pd.Series[float]
    coverage: float
    least_coverage: float
    groups: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    omnibus: pd.DataFrame | None
    name: Text
    weights: str
    n: int
    n_left_out: int
    formula: str
    reading: Text | None
    on_missing: str
    by: str | None
    level: float
    n_resamples: int
    seed: int
    n_failed: int
    synthetic: bool
    interval: str
    design: Design | None
    notes: tuple[Text, ...]
    labels: Mapping[str, Text] = field(default_factory=dict)

    codes: ClassVar = {"component": TOTAL, "score": TOTAL}

    def labelled(self, codebook: Codebook) -> WeightedScore:
        """Return the score with its components called as in a codebook."""
        names = map(str, self.contributions.index)
        labels = {name: Text(*(codebook.label(name, lang) for lang in LANGUAGES)) for name in names}
        return replace(self, labels=labels)

    def names(self, lang: str) -> list[str]:
        """Return what the components are called."""
        names = map(str, self.contributions.index)
        return [self.labels[name].get(lang) if name in self.labels else name for name in names]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `plot` can draw: contributions, groups (with `by`), weights."""
        drawn = self.groups is not None and self.groups["estimate"].notna().any()
        groups = ("groups",) if drawn else ()
        return ("contributions", *groups, "weights")

    @property
    def value(self) -> float:
        """The score, the row "Overall" of the table."""
        return float(self.table["estimate"].iloc[-1])

    @property
    def contributions(self) -> pd.DataFrame:
        """The rows of the components."""
        return self.table.iloc[:-1]

    @property
    def weights_estimated(self) -> bool:
        """Whether the weights were estimated, so that they have intervals."""
        return "weight_ci_low" in self.table.columns

    def why_not(self, kind: str) -> str:
        """Return that there are no groups, where they are asked for."""
        return "no groups to draw; give by= the column of groups" if kind == "groups" else ""

    def title(self, lang: str | None = None) -> str:
        """Return what the score is called."""
        return self.name.get(lang)

    def findings(self, lang: str) -> list[str]:
        """Return the score, its contributions and its groups."""
        lines = [self._head(lang), *self.formula_lines(lang)]
        if self.reading is not None:
            lines.append(label("satisfaction.reading", lang, reading=self.reading.get(lang)))
        rows = self.contributions.iterrows()
        for name, (_, row) in zip(self.names(lang), rows, strict=True):
            lines.append(self._component(name, row, lang))
        if self.least_coverage < COMPLETE:
            shares = {"mean": self.coverage, "least": self.least_coverage}
            written = {name: percent(share, lang) for name, share in shares.items()}
            lines.append(label("satisfaction.coverage", lang, **written))
        return [*lines, *self._group_lines(lang)]

    def _head(self, lang: str) -> str:
        key = "satisfaction.head"
        if self.n < 2:
            key = "satisfaction.head.single"
        elif self.weights_estimated:
            key = "satisfaction.head.estimated"
        last = self.table.iloc[-1]
        return label(
            key,
            lang,
            name=self.name.get(lang),
            value=format_number(last["estimate"], 2),
            interval=interval(last["ci_low"], last["ci_high"]),
            n=format_number(self.n),
            weights=label(f"satisfaction.weights.{self.weights}", lang),
            level=format_percent(100 * self.level, None, lang),
            b=format_number(self.n_resamples),
            seed=self.seed,
            method=method_name(self.interval, self.n_resamples, self.seed).get(lang),
        )

    def _component(self, name: object, row: pd.Series[Any], lang: str) -> str:
        weight = format_number(row["weight"], 3)
        if self.weights_estimated:
            weight += f" {interval(row['weight_ci_low'], row['weight_ci_high'], 3)}"
        return label(
            "satisfaction.row",
            lang,
            name=name,
            weight=weight,
            mean=format_number(row["mean"], 2),
            estimate=format_number(row["estimate"], 2),
            interval=interval(row["ci_low"], row["ci_high"]),
            n=format_number(row["n"]),
        )

    def _group_lines(self, lang: str) -> list[str]:
        if self.groups is None:
            return []
        lines = []
        for _, row in overall_rows(self.groups).iterrows():
            if row.get("suppressed", False):
                name = label("chart.entry", lang, name=self.by, value=row["group"])
                lines.append(label("disclosure.row", lang, name=name))
                continue
            values = {"by": self.by, "group": row["group"], "n": format_number(row["n"])}
            values |= _estimate(row)
            lines.append(label("satisfaction.group", lang, **values))
        if self.comparisons is None:
            return lines
        n_pairs, clear = len(overall_rows(self.comparisons)), self._clear_pairs()
        lines.append(label("satisfaction.comparisons", lang, n=n_pairs, k=len(clear), by=self.by))
        for _, row in clear.iterrows():
            values = {"group": row["group"], "other": row["other"], **_estimate(row, sign=True)}
            lines.append(label("satisfaction.comparison", lang, **values))
        return lines

    def _clear_pairs(self) -> pd.DataFrame:
        """Return the comparisons of the score that differ after adjustment."""
        if self.comparisons is None:
            return self.table.iloc[:0]
        pairs = overall_rows(self.comparisons)
        return pairs[pairs["p_adjusted"] < 1 - self.level]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return what each component adds, the groups against the overall score, or the weights."""
        charts = {
            "contributions": self._contribution_chart,
            "groups": self._group_chart,
            "weights": self._weight_chart,
        }
        source = survey_source(self.n, self.synthetic, lang)
        common = {"source": source, "synthetic": self.synthetic}
        chart = charts[kind](lang)
        return Chart(chart.name, chart.values, {**common, **chart.options})

    def _contribution_chart(self, lang: str) -> Chart:
        rows = self.contributions
        largest = int(rows["estimate"].abs().to_numpy().argmax())
        title = label(
            "satisfaction.contributions.title",
            lang,
            name=self.names(lang)[largest],
            value=format_number(float(rows["estimate"].iloc[largest]), 1),
            total=format_number(self.value, 1),
        )
        axis = label("satisfaction.contributions.axis", lang)
        return intervals_chart(self.names(lang), rows, self.level, title=title, axis=axis)

    def _group_chart(self, lang: str) -> Chart:
        assert self.groups is not None
        rows = overall_rows(self.groups)
        rows = rows[rows["estimate"].notna()]
        rows = rows.sort_values("estimate", ascending=False, kind="stable")
        # Which group comes first is a finding only if some difference is one.
        clear = len(self._clear_pairs()) > 0
        title = label(
            "satisfaction.groups.title" if clear else "satisfaction.groups.title.none",
            lang,
            group=rows["group"].iloc[0],
            value=format_number(rows["estimate"].iloc[0], 1),
            lowest=format_number(rows["estimate"].iloc[-1], 1),
            total=format_number(self.value, 1),
        )
        names = [f"{row['group']} (n = {format_number(row['n'])})" for _, row in rows.iterrows()]
        axis = label("satisfaction.groups.axis", lang, name=self.name.get(lang))
        reference = round(self.value, 1)
        return intervals_chart(names, rows, self.level, title=title, axis=axis, reference=reference)

    def _weight_chart(self, lang: str) -> Chart:
        rows = self.contributions
        if self.weights_estimated:
            axis = label("satisfaction.weights.axis", lang)
            return intervals_chart(self.names(lang), rows, self.level, of="weight", axis=axis)
        has_data = [bool(n > 0) for n in rows["n"]]
        options: dict[str, Any] = {}
        if self.least_coverage < COMPLETE:
            options = {"has_data": has_data, "legend": data_legend(lang)}
        if not all(has_data):
            share = percent(rows["weight"][has_data].sum(), lang)
            options["title"] = label("satisfaction.weights.known", lang, share=share)
        return Chart("weights", (self.names(lang), rows["weight"].tolist()), options)


@dataclass(frozen=True, eq=False, repr=False)
class Bounds(FormulaResult):
    """Between which values a score lies when some components have no data.

    No confidence interval: every value between the bounds agrees with the data equally well.

    Attributes
    ----------
    table : pandas.DataFrame
        Rows "lowest" and "highest": ``estimate, ci_low, ci_high, se, n``; the confidence interval
        of each end is over respondents (NaN without them).
    components : pandas.DataFrame
        By component: ``weight, has_data`` (share of respondents who have it, from 0 to 1).
    coverage : float
        Share of the weight with data, from 0 to 1.
    limits : tuple of float
        Between what a score without data is assumed to lie.
    name, formula, n, level, n_resamples, seed, synthetic, notes
        As in `WeightedScore`.
    """

    table: pd.DataFrame
    components: pd.DataFrame
    coverage: float
    limits: tuple[float, float]
    name: Text
    formula: str
    n: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("weights",)
    codes: ClassVar = {"bound": "satisfaction.bound.{}"}

    def title(self, lang: str | None = None) -> str:
        """Return what the score is called."""
        return self.name.get(lang)

    def _ends(self, lang: str, decimals: int) -> dict[str, str]:
        low, high = (format_number(end, decimals) for end in self.table["estimate"])
        share = percent(self.coverage, lang)
        return {"name": self.name.get(lang), "low": low, "high": high, "share": share}

    def findings(self, lang: str) -> list[str]:
        """Return the bounds, and what has data and what has none."""
        lines = [label("satisfaction.bounds.head", lang, **self._ends(lang, 2))]
        lines += self.formula_lines(lang)
        if self.n > 1:
            limits = interval(self.table["ci_low"].iloc[0], self.table["ci_high"].iloc[1])
            level = format_percent(100 * self.level, None, lang)
            lines.append(
                label("satisfaction.bounds.outer", lang, n=self.n, level=level, interval=limits)
            )
        for name, row in self.components.iterrows():
            shares = {
                "weight": percent(row["weight"], lang),
                "data": percent(row["has_data"], lang),
            }
            lines.append(label("satisfaction.bounds.row", lang, name=name, **shares))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the weights, and which of them have data."""
        rows = self.components
        return Chart(
            "weights",
            (list(map(str, rows.index)), rows["weight"].tolist()),
            {
                "source": label("satisfaction.source.single", lang),
                "title": label("satisfaction.bounds.title", lang, **self._ends(lang, 1)),
                "has_data": [bool(share > 0) for share in rows["has_data"]],
                "legend": data_legend(lang),
                "synthetic": self.synthetic,
            },
        )


@dataclass(frozen=True, eq=False, repr=False)
class Reconstructed(FormulaResult):
    """Numbers from readings of a formula that is lost in print.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per reading or quantity: ``formula, estimate, ci_low, ci_high, n``.
    formula : str
        Identifier of the published formula.
    level : float
        Of the intervals.
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    formula: str
    level: float
    notes: tuple[Text, ...]

    kinds: ClassVar = ("intervals",)
    codes: ClassVar = {"quantity": "satisfaction.quantity.{}"}

    @property
    def reconstructed(self) -> bool:
        """Always True: this is a reading of ours."""
        return True

    def title(self, lang: str | None = None) -> str:
        """Return the name of the formula, marked as reconstructed."""
        name = formula(self.formula).name.get(lang)
        return label("satisfaction.reconstructed.head", lang, name=name)

    def quantity_names(self, lang: str) -> list[str]:
        """Return one name per row of the table."""
        return [label(f"satisfaction.quantity.{code}", lang) for code in self.table.index]

    def readings(self, lang: str | None = None) -> list[str]:
        """Return how each row of the table reads the formula."""
        key = f"satisfaction.quantity.{self.formula}"
        return [label(f"{key}.{code}", lang) for code in self.table.index]

    def as_table(self, lang: str | None = None) -> pd.DataFrame:
        """Return `table` with its readings in `lang`."""
        return self.table.assign(formula=self.readings(lang))

    def findings(self, lang: str) -> list[str]:
        """Return what was printed, how it is read, and the numbers."""
        lines = [self.title(lang), *self.formula_lines(lang)]
        level = format_percent(100 * self.level, None, lang)
        names, readings = self.quantity_names(lang), self.readings(lang)
        rows = self.table.to_dict("records")
        for name, reading, row in zip(names, readings, rows, strict=True):
            key = "satisfaction.reconstructed.row"
            values = {
                "name": name,
                "formula": reading,
                "value": format_number(row["estimate"], 3),
            }
            if np.isfinite(row["ci_low"]):
                key = "satisfaction.reconstructed.row.interval"
                values["interval"] = interval(row["ci_low"], row["ci_high"], 3)
            lines.append(label(key, lang, level=level, **values))
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the readings beside each other."""
        return intervals_chart(
            self.quantity_names(lang),
            self.table,
            self.level,
            source=label("satisfaction.source.reconstructed", lang, id=self.formula),
            title=self.title(lang),
            axis=formula(self.formula).name.get(lang),
        )


def percent(share: float, lang: str) -> str:
    """Write a share in per cent; whole only where it is: 99.96 % of the weight is not all of it."""
    value = 100 * float(share)
    return format_percent(value, 0 if abs(value - round(value)) < 1e-9 else 1, lang)


def overall_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the score itself, without those of its contributions."""
    return table[table["score"] == OVERALL]


def _estimate(row: pd.Series[Any], sign: bool = False) -> dict[str, str]:
    value = format_number(row["estimate"], 2, sign)
    return {"value": value, "interval": interval(row["ci_low"], row["ci_high"])}


def survey_source(n: int, synthetic: bool, lang: str) -> str:
    """Return where the numbers come from: respondents, simulated ones, or scores of one unit."""
    if n < 2:
        return label("satisfaction.source.single", lang)
    key = "simulated" if synthetic else "own"
    return label(f"chart.survey.{key}", lang, n=format_number(n))


def data_legend(lang: str) -> tuple[str, str]:
    """Return the words for components with and without data."""
    return label("satisfaction.weights.has", lang), label("satisfaction.weights.lacks", lang)


def intervals_chart(
    names: Sequence[Any] | pd.Index,
    rows: pd.DataFrame,
    level: float,
    of: str = "",
    **options: Any,
) -> Chart:
    """Return rows of a table as dots on their intervals.

    Parameters
    ----------
    names : sequence
        One per row.
    rows : pandas.DataFrame
    level : float
    of : str
        The column with limits ``<of>_ci_low, <of>_ci_high``; without it the estimates.
    **options
        Of `cxstats.charts.intervals`.
    """
    columns = [of, f"{of}_ci_low", f"{of}_ci_high"] if of else ["estimate", "ci_low", "ci_high"]
    values = [rows[column] for column in columns]
    return Chart("intervals", (list(map(str, names)), *values), {"level": level, **options})
