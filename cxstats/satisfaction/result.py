"""Results of the room: a weighted score, and the bounds of one that lacks components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval
from cxstats.core.language import Text, label
from cxstats.satisfaction.formula_registry import origin
from cxstats.service.dimension_scores import OVERALL

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

KINDS = ("contributions", "groups", "weights")


@dataclass(frozen=True, eq=False)
class WeightedScore:
    """A weighted score or index, with what each component contributes.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per component, then "Overall": ``weight, mean, estimate, ci_low, ci_high, se, n``.
        The `estimate` of a component is its contribution, the mean over respondents of its
        weight times its score; contributions add up to the score. Intervals are BCa
        bootstrap over respondents; with estimated weights percentile, and there are
        ``weight_ci_low, weight_ci_high`` too.
    scores : pandas.Series
        The score of each respondent, NaN where left out.
    coverage, least_coverage : float
        Share of the weight that has data, from 0 to 1: mean and smallest over the respondents
        used.
    groups, comparisons, omnibus : pandas.DataFrame or None
        By group, all pairs of groups, one test of all; with `by`. Differences of contributions
        are adjusted together, those of the score on their own.
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
    remarks : tuple of Text
        What a reader must know, in both languages; `notes` are the English ones.
    on_missing, by, level, n_resamples, seed
        As given.
    n_failed : int
        Resamples in which weights could not be estimated.
    synthetic : bool
        Whether the respondents are simulated.
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
    remarks: tuple[Text, ...]
    on_missing: str
    by: str | None
    level: float
    n_resamples: int
    seed: int
    n_failed: int
    synthetic: bool

    @property
    def value(self) -> float:
        """The score, the row "Overall" of the table."""
        return float(self.table["estimate"].iloc[-1])

    @property
    def contributions(self) -> pd.DataFrame:
        """The rows of the components."""
        return self.table.iloc[:-1]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in English."""
        return tuple(remark.en for remark in self.remarks)

    def summary(self, lang: str = "en") -> str:
        """Return the score, its contributions and what is to be said of them."""
        last = self.table.iloc[-1]
        lines = [_head(self, last, lang)]
        lines += _described(self.formula, self.reading, self.synthetic, lang)
        lines += [_row(name, row, lang) for name, row in self.contributions.iterrows()]
        if self.least_coverage < 1 - 1e-9:
            lines.append(
                label(
                    "satisfaction.coverage",
                    lang,
                    mean=_share(self.coverage, lang),
                    least=_share(self.least_coverage, lang),
                )
            )
        if self.groups is not None:
            lines += _group_lines(self, lang)
        return "\n".join([*lines, *(f"  * {remark.get(lang)}" for remark in self.remarks)])

    def plot(
        self,
        kind: str = "contributions",
        ax: Axes | None = None,
        lang: str = "en",
        **options: Any,
    ) -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {"contributions", "groups", "weights"}
            What each component adds, with intervals; the score of each group against the
            overall one; the weights.
        ax, lang, **options
            Passed to `cxstats.charts.intervals` or `cxstats.charts.weights`.

        Raises
        ------
        CxError
            If the kind is not known, or there are no groups.
        """
        draw: dict[str, Callable[[WeightedScore, str, dict[str, Any]], Axes]] = {
            "contributions": _draw_contributions,
            "groups": _draw_groups,
            "weights": _draw_weights,
        }
        if kind not in draw:
            raise CxError(f"kind is {kind!r}; allowed: {', '.join(draw)}")
        source = options.pop("source", _source(self, lang))
        given = {"source": source, "synthetic": self.synthetic, "ax": ax, **options}
        return draw[kind](self, lang, given)

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


@dataclass(frozen=True, eq=False)
class Bounds:
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
    name, formula, remarks, n, level, n_resamples, seed, synthetic
        As in `WeightedScore`.
    """

    table: pd.DataFrame
    components: pd.DataFrame
    coverage: float
    limits: tuple[float, float]
    name: Text
    formula: str
    remarks: tuple[Text, ...]
    n: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, in English."""
        return tuple(remark.en for remark in self.remarks)

    def summary(self, lang: str = "en") -> str:
        """Return the bounds, and what has data and what has none."""
        low, high = self.table["estimate"]
        lines = [
            label(
                "satisfaction.bounds.head",
                lang,
                name=self.name.get(lang),
                low=format_number(low, 2),
                high=format_number(high, 2),
                share=_share(self.coverage, lang),
            ),
            *_described(self.formula, None, self.synthetic, lang),
        ]
        if self.n > 1:
            outer = interval(self.table["ci_low"].iloc[0], self.table["ci_high"].iloc[1])
            level = format_percent(100 * self.level, None, lang)
            lines.append(
                label("satisfaction.bounds.outer", lang, n=self.n, level=level, interval=outer)
            )
        for name, row in self.components.iterrows():
            values = {"weight": _share(row["weight"], lang), "data": _share(row["has_data"], lang)}
            lines.append("  " + label("satisfaction.bounds.row", lang, name=name, **values))
        return "\n".join([*lines, *(f"  * {remark.get(lang)}" for remark in self.remarks)])

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the weights, and which of them have data; see `cxstats.charts.weights`."""
        from cxstats.charts import weights

        options.setdefault("source", label("satisfaction.source.single", lang))
        options.setdefault(
            "title",
            label(
                "satisfaction.bounds.title",
                lang,
                share=_share(self.coverage, lang),
                name=self.name.get(lang),
                low=format_number(self.table["estimate"].iloc[0], 1),
                high=format_number(self.table["estimate"].iloc[1], 1),
            ),
        )
        return weights(
            [str(name) for name in self.components.index],
            self.components["weight"].tolist(),
            known=[bool(share > 0) for share in self.components["has_data"]],
            legend=options.pop("legend", _legend(lang)),
            synthetic=self.synthetic,
            lang=lang,
            ax=ax,
            **options,
        )

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)


def _share(share: float, lang: str) -> str:
    # A whole per cent is only written where it is one: 99.96 % of the weight is not all of it.
    per_cent = 100 * float(share)
    return format_percent(per_cent, 0 if abs(per_cent - round(per_cent)) < 1e-9 else 1, lang)


def _head(result: WeightedScore, last: pd.Series[Any], lang: str) -> str:
    key = "satisfaction.head"
    if result.n < 2:
        key = "satisfaction.head.single"
    elif "weight_ci_low" in last:
        key = "satisfaction.head.estimated"
    return label(
        key,
        lang,
        name=result.name.get(lang),
        value=format_number(last["estimate"], 2),
        interval=interval(last["ci_low"], last["ci_high"]),
        n=format_number(result.n),
        weights=label(f"satisfaction.weights.{result.weights}", lang),
        level=format_percent(100 * result.level, None, lang),
        b=format_number(result.n_resamples),
        seed=result.seed,
    )


def _described(identifier: str, reading: Text | None, synthetic: bool, lang: str) -> list[str]:
    lines = [label("servqual.synthetic", lang)] if synthetic else []
    if identifier:
        lines.append(label("satisfaction.formula", lang, origin=origin(identifier).get(lang)))
    if reading is not None:
        lines.append(label("satisfaction.reading", lang, reading=reading.get(lang)))
    return lines


def _row(name: object, row: pd.Series[Any], lang: str) -> str:
    weight = format_number(row["weight"], 3)
    if "weight_ci_low" in row:
        weight += f" {interval(row['weight_ci_low'], row['weight_ci_high'], 3)}"
    return "  " + label(
        "satisfaction.row",
        lang,
        name=name,
        weight=weight,
        mean=format_number(row["mean"], 2),
        estimate=format_number(row["estimate"], 2),
        interval=interval(row["ci_low"], row["ci_high"]),
        n=format_number(row["n"]),
    )


def _group_lines(result: WeightedScore, lang: str) -> list[str]:
    assert result.groups is not None
    assert result.comparisons is not None
    own = result.groups[result.groups["score"] == OVERALL]
    lines = [
        f"  {result.by} = {row['group']}: {format_number(row['estimate'], 2)} "
        f"{interval(row['ci_low'], row['ci_high'])}, n = {format_number(row['n'])}"
        for _, row in own.iterrows()
    ]
    pairs, clear = (result.comparisons["score"] == OVERALL).sum(), _clear_pairs(result)
    head = label("servqual.groups", lang, n=pairs, k=len(clear), by=result.by)
    words = [
        f"  {row['group']} - {row['other']}: {format_number(row['estimate'], 2, True)} "
        f"{interval(row['ci_low'], row['ci_high'])}"
        for row in clear
    ]
    return [*lines, head, *words]


def _clear_pairs(result: WeightedScore) -> list[pd.Series[Any]]:
    """Return the comparisons of the score that differ after adjustment."""
    assert result.comparisons is not None
    pairs = result.comparisons[result.comparisons["score"] == OVERALL]
    return [row for _, row in pairs[pairs["p_adjusted"] < 1 - result.level].iterrows()]


def _source(result: WeightedScore, lang: str) -> str:
    if result.n < 2:
        return label("satisfaction.source.single", lang)
    key = "simulated" if result.synthetic else "own"
    return label(f"chart.survey.{key}", lang, n=format_number(result.n))


def _draw_contributions(result: WeightedScore, lang: str, options: dict[str, Any]) -> Axes:
    from cxstats.charts import intervals

    rows = result.contributions
    top = int(rows["estimate"].abs().to_numpy().argmax())
    title = label(
        "satisfaction.contributions.title",
        lang,
        name=rows.index[top],
        value=format_number(float(rows["estimate"].iloc[top]), 1),
        total=format_number(result.value, 1),
    )
    given = {"title": title, "axis": label("satisfaction.contributions.axis", lang), **options}
    limits = rows["ci_low"], rows["ci_high"]
    return intervals(
        [str(name) for name in rows.index], rows["estimate"], *limits, level=result.level,
        lang=lang, **given,
    )  # fmt: skip


def _draw_groups(result: WeightedScore, lang: str, options: dict[str, Any]) -> Axes:
    from cxstats.charts import intervals

    if result.groups is None:
        raise CxError("there are no groups to draw; give by= the column of groups")
    rows = result.groups[result.groups["score"] == OVERALL]
    rows = rows.sort_values("estimate", ascending=False, kind="stable")
    title = label(
        # Which group comes first is a finding only if some difference is one.
        "satisfaction.groups.title" if _clear_pairs(result) else "satisfaction.groups.title.none",
        lang,
        group=rows["group"].iloc[0],
        value=format_number(rows["estimate"].iloc[0], 1),
        lowest=format_number(rows["estimate"].iloc[-1], 1),
        total=format_number(result.value, 1),
    )
    given = {
        "title": title,
        "axis": label("satisfaction.groups.axis", lang, name=result.name.get(lang)),
        "reference": round(result.value, 1),
        **options,
    }
    names = [f"{row['group']} (n = {format_number(row['n'])})" for _, row in rows.iterrows()]
    return intervals(
        names, rows["estimate"], rows["ci_low"], rows["ci_high"], level=result.level, lang=lang,
        **given,
    )  # fmt: skip


def _draw_weights(result: WeightedScore, lang: str, options: dict[str, Any]) -> Axes:
    from cxstats.charts import intervals, weights

    rows = result.contributions
    if "weight_ci_low" in rows:
        given = {"axis": label("satisfaction.weights.axis", lang), **options}
        limits = rows["weight_ci_low"], rows["weight_ci_high"]
        return intervals(
            [str(name) for name in rows.index], rows["weight"], *limits, level=result.level,
            lang=lang, **given,
        )  # fmt: skip
    given = dict(options)
    if result.least_coverage < 1 - 1e-9:
        known = [bool(n > 0) for n in rows["n"]]
        given = {"known": known, "legend": _legend(lang)} | given
        if not all(known):
            share = _share(rows["weight"][known].sum(), lang)
            given = {"title": label("satisfaction.weights.known", lang, share=share)} | given
    return weights([str(name) for name in rows.index], rows["weight"].tolist(), lang=lang, **given)


def _legend(lang: str) -> tuple[str, str]:
    return label("satisfaction.weights.has", lang), label("satisfaction.weights.lacks", lang)
