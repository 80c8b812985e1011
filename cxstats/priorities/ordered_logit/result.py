"""What an ordered logit says: slopes, changes of shares, and whether one slope serves all cuts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cxstats.core.engines import as_pandas
from cxstats.core.formats import format_number, format_percent, interval, p_text
from cxstats.core.language import Text, label
from cxstats.core.result import Chart, Result
from cxstats.priorities.ordered_logit.columns import Column
from cxstats.priorities.ordered_logit.likelihood import category_shares
from cxstats.survey.coding import coded

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class OrderedLogit(Result):
    """How an ordered answer goes with circumstances.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a slope: ``term, column, estimate`` (log odds of a higher answer), ``se, ci_low,
        ci_high, p_value, odds_ratio`` with its interval, ``n``.
    effects : pandas.DataFrame
        By ``term, level, category``: the ``share`` of answers that the model predicts if everybody
        had that level, with interval, and its ``difference`` from the first level with interval.
        Of a number, the levels are its quartiles.
    cuts : pandas.DataFrame
        The cuts between categories.
    proportional_odds : pandas.DataFrame or None
        Brant's test by term and, last, of all: ``chi2, df, p_value, p_adjusted`` (Holm); None of
        two categories, under a sampling design, or where a cut has no finite slopes.
    outcome : str
    categories : tuple of str
        From the lowest to the highest.
    columns : tuple of Column
        How each column becomes numbers.
    slopes, thresholds : arrays
        As in `table` and `cuts`.
    log_likelihood, null_log_likelihood : float
        Of the model, and of the shares alone.
    skill : (float, float, float)
        By how much the ranked probability score out of sample (ten folds) is lower than that of
        the shares of all, with interval: 0 says nothing is predicted, 1 everything.
    n, n_left_out, level, seed, synthetic
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    effects: pd.DataFrame
    cuts: pd.DataFrame
    proportional_odds: pd.DataFrame | None
    outcome: str
    categories: tuple[str, ...]
    columns: tuple[Column, ...]
    slopes: Array
    thresholds: Array
    log_likelihood: float
    null_log_likelihood: float
    skill: tuple[float, float, float]
    n: int
    n_left_out: int
    level: float
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = ("intervals",)
    reference: ClassVar = (
        "McCullagh (1980). Regression models for ordinal data. JRSS B 42, 109-142. "
        "Brant (1990). Assessing proportionality in the proportional odds model for ordinal "
        "logistic regression. Biometrics 46, 1171-1178."
    )

    @property
    def deviance(self) -> float:
        """Minus twice the log-likelihood."""
        return -2 * self.log_likelihood

    @property
    def mcfadden(self) -> float:
        """McFadden's R2, ``1 - log L / log L0``."""
        return 1 - self.log_likelihood / self.null_log_likelihood

    def predict(self, data: Any, codebook: Any = None) -> pd.DataFrame:
        """Return the predicted share of each category for the rows of a table.

        NaN where a row has no answer in a column that explains.

        Raises
        ------
        DataError
            Naming row, column and value of a level that the model has not seen.
        """
        import pandas as pd

        names = [column.name for column in self.columns]
        frame = as_pandas(data if codebook is None else coded(data, codebook, names))
        x = np.column_stack([column.read(frame) for column in self.columns])
        shares = category_shares(np.nan_to_num(x), self.slopes, self.thresholds)
        shares[np.isnan(x).any(axis=1)] = np.nan
        return pd.DataFrame(shares, index=frame.index, columns=list(self.categories))

    def findings(self, lang: str) -> list[str]:
        """Return how well the model does, what each circumstance changes, and Brant's test."""
        level = format_percent(100 * self.level, None, lang)
        lines = [
            label(
                "ordered.head", lang, outcome=self.outcome, n=format_number(self.n),
                low=self.categories[0], high=self.categories[-1], k=len(self.categories),
                level=level, r2=format_number(self.mcfadden, 3),
            )
        ]  # fmt: skip
        if np.isfinite(self.skill[0]):
            lines.append(
                label("ordered.skill", lang, value=format_percent(100 * self.skill[0], 1, lang),
                      interval=interval(100 * self.skill[1], 100 * self.skill[2], 1))
            )  # fmt: skip
        for column in self.columns:
            rows = self.effects[self.effects["term"] == column.name]
            last = rows["category"].iloc[-1]
            top = rows[rows["category"] == last]
            first = top.iloc[0]
            for _, row in top.iloc[1:].iterrows():
                lines.append(
                    label(
                        "ordered.row", lang, term=column.name, level=row["level"],
                        base=first["level"], category=last,
                        share=format_percent(100 * row["share"], 1, lang),
                        other=format_percent(100 * first["share"], 1, lang),
                        change=format_number(100 * row["difference"], 1, sign=True),
                        interval=interval(100 * row["difference_ci_low"],
                                          100 * row["difference_ci_high"], 1),
                    )
                )  # fmt: skip
        if self.proportional_odds is not None:
            overall = self.proportional_odds.iloc[-1]
            lines.append(
                label("ordered.brant", lang, chi2=format_number(overall["chi2"], 2),
                      df=int(overall["df"]), p=p_text(float(overall["p_value"])))
            )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return changes of the share of the highest answers, level against reference."""
        source = label("ordered.source", lang, n=format_number(self.n))
        last = self.effects["category"].iloc[-1]
        top = self.effects[self.effects["category"] == last]
        rows = top[top.groupby("term", sort=False).cumcount() > 0]
        base = top.groupby("term", sort=False)["level"].first()
        names = [
            label("ordered.against", lang, term=row["term"], level=row["level"],
                  base=base[row["term"]])
            for _, row in rows.iterrows()
        ]  # fmt: skip
        largest = rows.iloc[int(rows["difference"].abs().to_numpy().argmax())]
        ends = ("difference", "difference_ci_low", "difference_ci_high")
        values = [100 * rows[name].to_numpy(float) for name in ends]
        return Chart(
            "intervals",
            (names, *values),
            {
                "source": source, "level": self.level, "decimals": 1,
                "axis": label("ordered.axis", lang, category=last, outcome=self.outcome),
                "title": label(
                    "ordered.title", lang, term=largest["term"], level=largest["level"],
                    base=base[largest["term"]], category=last, outcome=self.outcome,
                    change=format_number(100 * largest["difference"], 1, sign=True),
                ),
                "synthetic": self.synthetic,
            },
        )  # fmt: skip
