"""The result of a Kano analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import as_html, format_number, format_percent, interval, p_text
from cxstats.core.language import Text, label
from cxstats.priorities.kano.evaluation import CATEGORIES, Evaluation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Kano:
    """Categories and coefficients of features, each with its uncertainty.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per feature: ``n``; the counts ``M, O, A, I, R, Q``; ``category`` by the chosen
        rule, ``by_hierarchy, by_count, by_sums`` by each; ``certainty``, the share of resamples
        with the same category (NaN of one respondent); ``better`` (CS+, 0 to 1), ``worse``
        (CS-, -1 to 0) and ``total_strength`` (share of M, O, A), each with ``_ci_low, _ci_high,
        _se``;
        ``category_strength`` (difference of the shares of the two leading categories, without Q)
        with the percentile interval of that pair; ``fong_difference, fong_critical,
        fong_significant``; ``p_value`` of an exact test of the same pair and ``p_adjusted`` (Holm,
        over features); ``mixed`` (Lee & Newcomb 1997: category strength of at most 6 %, total
        strength of at least 60 %). With `importance`: ``importance`` and its BCa interval.
    shares : pandas.DataFrame
        One row per feature and category: ``count, estimate, ci_low, ci_high, se, n`` (Wilson).
    continuous : pandas.DataFrame or None
        Mean scores and quadrants (DuMouchel 1993); None from counts.
    groups, comparisons : pandas.DataFrame or None
        With `by`: the table by feature and group, and chi-square tests of the distributions.
    evaluation : Evaluation or None
        The table that turned answers into categories; None from counts.
    n_respondents : int
        Rows of the table, or the largest n of published counts.
    rule, close, method, by, level, n_resamples, seed
        As given; `method` is the kind of interval.
    synthetic : bool
        Whether the answers were simulated.
    remarks : tuple of Text
        The notes in both languages.
    """

    table: pd.DataFrame
    shares: pd.DataFrame
    continuous: pd.DataFrame | None
    groups: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    evaluation: Evaluation | None
    n_respondents: int
    rule: str
    close: float
    method: str
    by: str | None
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    remarks: tuple[Text, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, what is mixed or rough."""
        return tuple(remark.en for remark in self.remarks)

    def summary(self, lang: str = "en") -> str:
        """Return every feature in words, then the notes."""
        lines = [
            label(
                "kano.head",
                lang,
                k=len(self.table),
                n=format_number(self.n_respondents),
                rule=label(f"kano.rule.{self.rule}", lang, close=self._percent(self.close, lang)),
                level=self._percent(self.level, lang),
                method=label(f"kano.method.{self.method}", lang),
                b=format_number(self.n_resamples),
                seed=self.seed,
            )
        ]
        lines += [label("kano.synthetic", lang)] if self.synthetic else []
        for name, row in self.table.iterrows():
            lines.append(label("kano.row", lang, name=name, **self._words(row, lang)))
        for name, row in () if self.comparisons is None else self.comparisons.iterrows():
            if row["p_adjusted"] < 1 - self.level:
                values: dict[str, Any] = {"v": format_number(row["cramers_v"], 2)}
                values["limits"] = interval(row["ci_low"], row["ci_high"])
                values |= {"p": p_text(row["p_adjusted"]), "by": self.by, "name": name}
                lines.append(label("kano.differs", lang, **values))
        return "\n".join([*lines, *(f"  * {remark.get(lang)}" for remark in self.remarks)])

    def _words(self, row: pd.Series, lang: str) -> dict[str, str]:
        """Return a feature's category, shares and coefficients, written out."""
        shares = [f"{one} {self._percent(row[one] / row['n'], lang)}" for one in CATEGORIES]
        return {
            "category": label(f"kano.category.{row['category']}", lang),
            "shares": ", ".join(shares),
            "better": format_number(row["better"], 2) if row["better"] == row["better"] else "–",
            "better_limits": interval(row["better_ci_low"], row["better_ci_high"]),
            "worse": format_number(row["worse"], 2) if row["worse"] == row["worse"] else "–",
            "worse_limits": interval(row["worse_ci_low"], row["worse_ci_high"]),
            "certainty": (
                self._percent(row["certainty"], lang)
                if row["certainty"] == row["certainty"]
                else "–"
            ),
            "n": f"{row['n']:.0f}",
        }

    @staticmethod
    def _percent(share: float, lang: str) -> str:
        return format_percent(100 * share, 0, lang)

    def plot(
        self,
        kind: str = "plane",
        ax: Axes | None = None,
        lang: str = "en",
        *,
        feature: str | None = None,
        **options: Any,
    ) -> Axes:
        """Draw the result.

        Parameters
        ----------
        kind : {"plane", "counts"}
            Every feature by better and worse with intervals; or the shares of the categories of
            one feature.
        ax, lang, **options
            Passed to the chart.
        feature : str, optional
            The feature of "counts"; needed where there are several.

        Raises
        ------
        CxError
            If the kind or the feature is unknown, or no feature has coefficients.
        """
        given: dict[str, Any] = {
            "source": label("kano.source", lang, n=format_number(self.n_respondents)),
            "synthetic": self.synthetic,
            "lang": lang,
            "ax": ax,
        }
        if kind == "plane":
            return self._plane(given | options)
        if kind != "counts":
            raise CxError(f"kind is {kind!r}; allowed: 'plane', 'counts'")
        from cxstats.charts.shares import shares

        names = list(self.table.index)
        feature = names[0] if feature is None and len(names) == 1 else feature
        if feature not in names:
            raise CxError(f"feature is {feature!r}; allowed: {', '.join(map(repr, names))}")
        row = self.table.loc[feature]
        sizes = {one: int(n) for one, n in zip(CATEGORIES, row[list(CATEGORIES)], strict=True)}
        kept = [one for one in CATEGORIES if sizes[one] > 0]
        words = [label(f"kano.category.{one}", lang) for one in kept]
        whole = label("kano.whole", lang, name=feature)
        return shares(words, [sizes[one] for one in kept], **{"whole": whole} | given | options)

    def _plane(self, options: dict[str, Any]) -> Axes:
        from cxstats.charts.kano import kano_plane

        known = self.table[self.table["better"].notna()]
        if not len(known):
            raise CxError("no feature has an answer in M, O, A or I; there is nothing to place")
        worse = -known[["worse", "worse_ci_high", "worse_ci_low"]].to_numpy(float)
        return kano_plane(
            list(known.index),
            known["better"].to_numpy(float),
            worse[:, 0],
            list(known["category"]),
            better_ci=known[["better_ci_low", "better_ci_high"]].to_numpy(float),
            worse_ci=np.asarray(worse[:, 1:]),
            **{"level": self.level} | options,
        )

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)
