"""The result of a Kano analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.errors import CxError
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.priorities.kano.evaluation import CATEGORIES, Evaluation

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Kano(Result):
    """Categories and coefficients of features, each with its uncertainty.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per feature: ``n``; the counts ``M, O, A, I, R, Q``; ``category`` by the chosen
        rule, ``by_hierarchy, by_count, by_sums`` by each; ``certainty``, the share of resamples
        with the same category (NaN of one respondent); ``better`` (CS+, 0 to 1), ``worse``
        (CS-, -1 to 0) and ``total_strength`` (share of M, O, A), each with ``_ci_low, _ci_high,
        _se``; ``category_strength`` (difference of the shares of the two leading categories,
        without Q) with the percentile interval of that pair; ``fong_difference, fong_critical,
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
    notes : tuple of Text
        What was left out, what is mixed or rough.
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
    notes: tuple[Text, ...]

    kinds: ClassVar = ("plane", "counts")
    codes: ClassVar = dict.fromkeys(
        ("category", "by_hierarchy", "by_count", "by_sums"), "kano.category.{}"
    )
    reference: ClassVar = (
        "Kano, Seraku, Takahashi & Tsuji (1984). Attractive quality and must-be quality. Journal "
        "of the Japanese Society for Quality Control 14(2), 39-48."
    )

    def findings(self, lang: str) -> list[str]:
        """Return every feature with its category, and the features on which segments differ."""
        lines = [
            label(
                "kano.head",
                lang,
                k=len(self.table),
                n=format_number(self.n_respondents),
                rule=label(f"kano.rule.{self.rule}", lang, close=_percent(self.close, lang)),
                level=_percent(self.level, lang),
                method=label(f"kano.method.{self.method}", lang),
                b=format_number(self.n_resamples),
                seed=self.seed,
            )
        ]
        for name, row in self.table.iterrows():
            lines.append(label("kano.row", lang, name=name, **_row_values(row, lang)))
        lines += self._other_by_count(lang)
        for name, row in () if self.comparisons is None else self.comparisons.iterrows():
            if row["p_adjusted"] < 1 - self.level:
                lines.append(
                    label(
                        "kano.differs", lang, name=name, by=self.by,
                        v=format_number(row["cramers_v"], 2), p=p_text(row["p_adjusted"]),
                        limits=interval(row["ci_low"], row["ci_high"]),
                    )
                )  # fmt: skip
        return lines

    def _other_by_count(self, lang: str) -> list[str]:
        """Return the features whose largest count says otherwise than the hierarchy."""
        other = self.table[self.table["by_count"] != self.table["by_hierarchy"]]
        if not len(other):
            return []
        names = [
            label(
                "kano.other", lang, name=name,
                hierarchy=label(f"kano.category.{row['by_hierarchy']}", lang),
                count=label(f"kano.category.{row['by_count']}", lang),
            )
            for name, row in other.iterrows()
        ]  # fmt: skip
        comma = label("chart.comma", lang)
        return [
            label("kano.others", lang, k=len(other), n=len(self.table), names=comma.join(names))
        ]

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return every feature by better and worse with intervals, or the shares of one feature.

        Option ``feature`` of "counts": which one; without it, the first.

        Raises
        ------
        CxError
            If the feature is unknown, or no feature has coefficients.
        """
        common: dict[str, Any] = {
            "source": label("kano.source", lang, n=format_number(self.n_respondents)),
            "synthetic": self.synthetic,
        }
        if kind == "plane":
            return self._plane(common)
        names = list(self.table.index)
        feature = options.get("feature", names[0])
        if feature not in names:
            raise CxError(f"feature is {feature!r}; allowed: {', '.join(map(repr, names))}")
        counts = {name: int(self.table.loc[feature, name]) for name in CATEGORIES}
        answered = {name: n for name, n in counts.items() if n > 0}
        categories = [label(f"kano.category.{name}", lang) for name in answered]
        common["whole"] = label("kano.whole", lang, name=feature)
        return Chart("shares", (categories, list(answered.values())), common, ("feature",))

    def _plane(self, common: dict[str, Any]) -> Chart:
        placed = self.table[self.table["better"].notna()]
        if not len(placed):
            raise CxError("no feature has an answer in M, O, A or I; there is nothing to place")
        worse = -placed[["worse", "worse_ci_high", "worse_ci_low"]].to_numpy(float)
        values = (list(placed.index), placed["better"].to_numpy(float), worse[:, 0],
                  list(placed["category"]))  # fmt: skip
        common |= {
            "better_ci": placed[["better_ci_low", "better_ci_high"]].to_numpy(float),
            "worse_ci": np.asarray(worse[:, 1:]),
            "level": self.level,
        }
        return Chart("kano_plane", values, common)


def _row_values(row: pd.Series, lang: str) -> dict[str, str]:
    """Return a feature's category, shares and coefficients, written out."""
    shares = [f"{letter} {_percent(row[letter] / row['n'], lang)}" for letter in CATEGORIES]
    return {
        "category": label(f"kano.category.{row['category']}", lang),
        "shares": label("chart.comma", lang).join(shares),
        "better": _number(row["better"]),
        "better_limits": interval(row["better_ci_low"], row["better_ci_high"]),
        "worse": _number(row["worse"]),
        "worse_limits": interval(row["worse_ci_low"], row["worse_ci_high"]),
        "certainty": _percent(row["certainty"], lang) if np.isfinite(row["certainty"]) else "–",
        "n": f"{row['n']:.0f}",
    }


def _number(value: float) -> str:
    return format_number(value, 2) if np.isfinite(value) else "–"


def _percent(share: float, lang: str) -> str:
    return format_percent(100 * share, 0, lang)
