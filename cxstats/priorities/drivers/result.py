"""The result of a key-driver analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cxstats.core.formats import as_html, format_number, format_percent, interval, p_text
from cxstats.core.language import label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Drivers:
    """Importances of drivers for an outcome.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per driver: ``estimate`` (part of R2, or beta) with ``ci_low, ci_high, se``;
        ``p_value`` (against pure noise; of a beta, against 0, by the same ``se``); ``share`` of R2
        (of a beta, of the sum of absolute betas, which is no part of R2) with ``share_ci_low,
        share_ci_high``;
        ``rank`` with its percentile interval ``rank_ci_low, rank_ci_high`` and ``first``, the share
        of resamples in which the driver comes first; ``correlation, beta, beta_se, beta_t,
        beta_p_value, vif, tolerance`` of the standardised regression by ordinary least squares,
        errors of equal spread assumed; above 20 drivers ``sampling_se``; ``n``.
    method : {"shapley", "johnson", "regression"}
    outcome : str
    r_squared : float
        What all drivers explain together, in the sample.
    r_squared_ci : (float, float)
        Its interval.
    adjusted_r_squared : float
        With the degrees of freedom taken off.
    noise : float
        The importance above which a driver of pure noise comes in 1 - level of samples.
    condition : float
        Condition number of the drivers' correlations.
    groups, comparisons : pandas.DataFrame or None
        Importances by group, and differences of all pairs of groups with ``p_adjusted`` (Holm)
        and ``p_fdr``, with `by`.
    by, level, n_resamples, seed
        As given; no resamples of a published matrix.
    n, dropped : int
        Complete cases, and cases left out because an answer was missing.
    n_failed : int
        Resamples without a result.
    synthetic : bool
        Whether the respondents were simulated.
    notes : tuple of str
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
    groups: pd.DataFrame | None
    comparisons: pd.DataFrame | None
    by: str | None
    n: int
    dropped: int
    level: float
    n_resamples: int
    n_failed: int
    seed: int
    synthetic: bool
    notes: tuple[str, ...]

    def summary(self, lang: str = "en") -> str:
        """Return the findings in words, the most important driver first."""
        level = format_percent(100 * self.level, None, lang)
        lines = [
            label(
                "drivers.head", lang, outcome=self.outcome, method=self._method(lang),
                n=format_number(self.n), r2=format_number(self.r_squared, 3),
                limits=interval(*self.r_squared_ci, 3), level=level,
            )
        ]  # fmt: skip
        if self.synthetic:
            lines.append(label("servqual.synthetic", lang))
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
            lines.append(label("drivers.noise", lang, value=value, chance=chance))
        if self.comparisons is not None:
            lines.extend(self._differences(lang))
        return "\n".join([*lines, *(f"  * {note}" for note in self.notes)])

    def _method(self, lang: str) -> str:
        return label(f"drivers.method.{self.method}", lang)

    def _differences(self, lang: str) -> list[str]:
        assert self.comparisons is not None
        found = self.comparisons[self.comparisons["p_adjusted"] < 1 - self.level]
        head = label("drivers.groups", lang, k=len(found), n=len(self.comparisons), by=self.by)
        lines = [
            f"  {row['driver']}: {row['group']} − {row['other']} "
            f"{format_number(row['estimate'], 3, True)} "
            f"{interval(row['ci_low'], row['ci_high'], 3)}, {p_text(row['p_adjusted'])}"
            for _, row in found.iterrows()
        ]
        return [head, *lines]

    def plot(self, ax: Axes | None = None, lang: str = "en", **options: Any) -> Axes:
        """Draw the drivers' shares of R2, or the betas, with intervals, the largest first.

        Options are those of `cxstats.charts.driver_bars`, or of `cxstats.charts.intervals` with
        betas.
        """
        from cxstats.charts import intervals
        from cxstats.charts.driver_bars import driver_bars

        table = self.table.sort_values("rank", kind="stable")
        names = [str(name) for name in table.index]
        bootstrap = "bootstrap" if self.n_resamples else "normal"
        given: dict[str, Any] = {
            "source": label(
                f"drivers.source.{bootstrap}", lang, outcome=self.outcome,
                n=format_number(self.n), b=format_number(self.n_resamples), seed=self.seed,
            ),
            "level": self.level, "synthetic": self.synthetic, "lang": lang, "ax": ax,
        }  # fmt: skip
        if self.method == "regression":
            level = format_percent(100 * self.level, None, lang)
            given["axis"] = label("drivers.axis.beta", lang, outcome=self.outcome, level=level)
            columns = (table[column] for column in ("estimate", "ci_low", "ci_high"))
            return intervals(names, *columns, **given | options)
        given |= {"measure": self._method(lang), "r_squared": self.r_squared}
        columns = (table[column] for column in ("share", "share_ci_low", "share_ci_high"))
        return driver_bars(names, *columns, **given | options)

    def __str__(self) -> str:
        return self.summary()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return as_html(self.summary(), self.table)
