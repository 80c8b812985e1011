"""The result of a key-driver analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result

if TYPE_CHECKING:
    import pandas as pd

REFERENCES = {
    "shapley": (
        "Groemping (2007). Estimators of relative importance in linear regression based on "
        "variance decomposition. The American Statistician 61(2), 139-147."
    ),
    "johnson": (
        "Johnson (2000). A heuristic method for estimating the relative weight of predictor "
        "variables in multiple regression. Multivariate Behavioral Research 35(1), 1-19."
    ),
    "logistic": (
        "Azen & Traxel (2009). Using dominance analysis to determine predictor importance in "
        "logistic regression. Journal of Educational and Behavioral Statistics 34(3), 319-347."
    ),
}


@dataclass(frozen=True, eq=False, repr=False)
class Drivers(Result):
    """Importances of drivers for an outcome.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per driver: ``estimate`` (part of R2, or beta) with ``ci_low, ci_high, se``;
        ``p_value`` (against pure noise; of a beta, against 0, by the same ``se``); ``share`` of R2
        (of a beta, of the sum of absolute betas, which is no part of R2) with ``share_ci_low,
        share_ci_high``; ``rank`` with its percentile interval ``rank_ci_low, rank_ci_high`` and
        ``first_share``, the share of resamples in which it comes first; ``noise``, where it
        differs between drivers; ``correlation, beta, beta_se, beta_t, beta_p_value`` of the
        standardised regression by ordinary least squares, errors of equal spread assumed (of a
        design, its own); ``b, b_se, b_ci_low, b_ci_high``, the coefficient in the units of the
        answers; for a logistic outcome ``b_p_value, odds_ratio`` and its interval instead of betas;
        ``vif, tolerance``; where a driver is a group, ``columns``, and NaN for what single columns
        have; above 20 drivers ``sampling_se``; ``n``.
    method : {"shapley", "johnson", "regression", "logistic"}
    outcome : str
    r_squared : float
        What all drivers explain together, in the sample; McFadden's, of a logistic outcome.
    r_squared_ci : (float, float)
        Its interval.
    adjusted_r_squared : float
        With the degrees of freedom taken off.
    noise : float
        The importance above which a driver of pure noise comes in 1 - level of samples; the least,
        where that differs between drivers (column ``noise``).
    condition : float
        Condition number of the drivers' correlations.
    coefficients : pandas.DataFrame
        One row per column and the intercept: ``estimate`` in the units of the answers, ``se,
        ci_low, ci_high, p_value``, ``beta``; for a logistic outcome ``odds_ratio`` and the average
        ``marginal_effect``, each with its interval.
    groups, comparisons : pandas.DataFrame or None
        Importances by group, and differences of all pairs of groups with ``p_adjusted`` (Holm)
        and ``p_fdr``, with `by`.
    pairs : pandas.DataFrame or None
        Differences between the shares of all pairs of drivers, ``driver, other, estimate, ci_low,
        ci_high, se, p_value, p_adjusted`` (Holm); None of betas and of a published matrix.
    by, level, n_resamples, seed
        As given; no resamples of a published matrix.
    n, n_dropped : int
        Complete cases, and cases left out because an answer was missing.
    n_failed : int
        Resamples without a result.
    synthetic : bool
        Whether the respondents were simulated.
    notes : tuple of Text
        What was left out, what is rough, which drivers can hardly be told apart.
    """

    table: pd.DataFrame
    method: str
    outcome: str
    r_squared: float
    r_squared_ci: tuple[float, float]
    adjusted_r_squared: float
    noise: float
    condition: float
    coefficients: pd.DataFrame
    groups: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    pairs: pd.DataFrame | None
    by: str | None
    n: int
    n_dropped: int
    level: float
    n_resamples: int
    n_failed: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("importance",)

    def findings(self, lang: str) -> list[str]:
        """Return R2, the drivers, the most important first, and what differs between groups."""
        lines = [
            label(
                "drivers.head", lang, outcome=self.outcome, method=self._method(lang),
                n=format_number(self.n), r2=format_number(self.r_squared, 3),
                limits=interval(*self.r_squared_ci, 3), level=self._level(lang),
            )
        ]  # fmt: skip
        key = "beta" if self.method == "regression" else "part"
        for name, row in self.table.sort_values("rank", kind="stable").iterrows():
            lines.append(
                "  "
                + label(
                    f"drivers.row.{key}", lang, name=name, p=p_text(row["p_value"]),
                    estimate=format_number(row["estimate"], 3),
                    limits=interval(row["ci_low"], row["ci_high"], 3),
                    share=format_percent(100 * row["share"], 1, lang),
                )
            )  # fmt: skip
        if self.noise == self.noise:  # betas have none
            value = format_number(self.noise, 4)
            chance = format_percent(100 * (1 - self.level), None, lang)
            if "noise" in self.table:
                most = format_number(self.table["noise"].max(), 4)
                lines.append(
                    label("drivers.noise.range", lang, value=value, most=most, chance=chance)
                )
            else:
                lines.append(label("drivers.noise", lang, value=value, chance=chance))
        if self.method == "logistic":
            lines += self._odds(lang)
        return [*lines, *self._differences(lang)]

    def _odds(self, lang: str) -> list[str]:
        """Return the odds ratio and the average marginal effect of each column."""
        rows = self.coefficients.iloc[1:]
        if rows["odds_ratio"].isna().all():
            return []
        return [label("drivers.odds", lang)] + [
            label(
                "drivers.odds.row", lang, name=name, ratio=format_number(row["odds_ratio"], 2),
                limits=interval(row["odds_ratio_ci_low"], row["odds_ratio_ci_high"], 2),
                effect=format_number(100 * row["marginal_effect"], 1, sign=True),
                effect_limits=interval(
                    100 * row["marginal_effect_ci_low"], 100 * row["marginal_effect_ci_high"], 1
                ),
            )
            for name, row in rows.iterrows()
        ]  # fmt: skip

    def _method(self, lang: str) -> str:
        return label(f"drivers.method.{self.method}", lang)

    def _level(self, lang: str) -> str:
        return format_percent(100 * self.level, None, lang)

    def _differences(self, lang: str) -> list[str]:
        """Return the differences between groups that remain after adjustment."""
        if self.comparisons is None:
            return []
        pairs = self.comparisons
        distinct = pairs[pairs["p_adjusted"] < 1 - self.level]
        return [
            label("drivers.groups", lang, k=len(distinct), n=len(pairs), by=self.by),
            *(
                label(
                    "drivers.difference", lang, driver=row["driver"], first=row["group"],
                    second=row["other"], difference=format_number(row["estimate"], 3, sign=True),
                    limits=interval(row["ci_low"], row["ci_high"], 3), p=p_text(row["p_adjusted"]),
                )
                for _, row in distinct.iterrows()
            ),
        ]  # fmt: skip

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return shares of R2 as bars, or betas as dots, with intervals, the largest first."""
        table = self.table.sort_values("rank", kind="stable")
        names = [str(name) for name in table.index]
        origin = "bootstrap" if self.n_resamples else "normal"
        common: dict[str, Any] = {
            "source": label(
                f"drivers.source.{origin}", lang, outcome=self.outcome,
                n=format_number(self.n), b=format_number(self.n_resamples), seed=self.seed,
            ),
            "level": self.level, "synthetic": self.synthetic,
        }  # fmt: skip
        if self.method == "regression":
            axis = label("drivers.axis.beta", lang, outcome=self.outcome, level=self._level(lang))
            columns = (table[column] for column in ("estimate", "ci_low", "ci_high"))
            return Chart("intervals", (names, *columns), common | {"axis": axis})
        common |= {"measure": self._method(lang), "r_squared": self.r_squared}
        if self.method == "logistic":
            common["whole"] = label("drivers.whole.logistic", lang)
        columns = (table[column] for column in ("share", "share_ci_low", "share_ci_high"))
        return Chart("driver_bars", (names, *columns), common)

    def cite(self, lang: str | None = None) -> str:
        """Return where the method was published, and how to cite the package."""
        return "\n".join(filter(None, (REFERENCES.get(self.method), super().cite(lang))))
