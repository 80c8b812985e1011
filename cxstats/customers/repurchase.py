"""Who buys again: predictions from before a date, judged on what came after it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.moments import check_resamples, resampling_counts
from cxstats.core.result import Chart, Result
from cxstats.customers import bg_nbd
from cxstats.customers.bg_nbd import Histories
from cxstats.customers.maximum_likelihood import Array
from cxstats.customers.purchase_histories import (
    Purchases,
    check_unit,
    purchase_table,
    read_purchases,
)
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level, wilson_interval

METHODS = ("logistic", "bg_nbd")
MEASURES = ("auc", "brier", "top_decile", "top_lift")
TENTH = 0.1
CERTAIN = 1e-3  # distance of every fitted probability to its outcome
FEWEST = 20  # customers who buy again, and who do not, in each half


@dataclass(frozen=True, eq=False, repr=False)
class Repurchase(Result):
    """How well two models foresee who buys again.

    Attributes
    ----------
    table : pandas.DataFrame
        ``method, measure, estimate, ci_low, ci_high``, on customers that the models have not seen:
        ``auc``; ``brier``, the mean squared error of the probability; ``top_decile``, the share
        of the most promising tenth who buy; ``top_lift``, that share by the share of all.
    calibration : pandas.DataFrame
        By method and tenth of the predictions: ``n, predicted``, the mean probability, and
        ``estimate``, the share who bought, with Wilson's interval.
    n, n_fitted : int
        Customers judged, and customers fitted.
    base_rate, base_brier : float
        Share of the judged who bought again; the Brier score of that share for all.
    level, n_resamples, seed
        As passed.
    synthetic : bool
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    calibration: pd.DataFrame
    n: int
    n_fitted: int
    base_rate: float
    base_brier: float
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = METHODS
    codes: ClassVar = {"method": "repurchase.method.{}", "measure": "repurchase.measure.{}"}
    reference: ClassVar = (
        "Steyerberg et al. (2010). Assessing the performance of prediction models. Epidemiology "
        "21(1), 128-138."
    )

    def _head(self, lang: str) -> str:
        return label(
            "repurchase.head", lang, n=format_number(self.n), fitted=format_number(self.n_fitted),
            base=format_percent(100 * self.base_rate, 1, lang),
            brier=format_number(self.base_brier, 3),
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return how well each model does."""
        lines = [self._head(lang)]
        for _, row in self.table.iterrows():
            method = label(f"repurchase.method.{row['method']}", lang)
            lines.append(
                label(
                    "repurchase.row", lang, method=method,
                    measure=label(f"repurchase.measure.{row['measure']}", lang),
                    value=format_number(row["estimate"], 3),
                    interval=interval(row["ci_low"], row["ci_high"], 3),
                )
            )  # fmt: skip
        return lines

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the share who bought less the predicted one, by tenths of the predictions."""
        rows = self.calibration[self.calibration["method"] == kind]
        predicted = rows["predicted"].to_numpy(float)
        columns = [
            100 * (rows[name].to_numpy(float) - predicted)
            for name in ("estimate", "ci_low", "ci_high")
        ]
        inside = int(((columns[1] <= 0) & (columns[2] >= 0)).sum())
        return Chart(
            "intervals",
            ([label("repurchase.predicted", lang, share=format_percent(100 * p, 0, lang))
              for p in predicted], *columns),
            {
                "source": self._head(lang),
                "axis": label("repurchase.axis", lang),
                "title": label("repurchase.title", lang, k=inside, n=len(rows),
                               method=label(f"repurchase.method.{kind}", lang)),
                "level": self.level, "decimals": 1, "synthetic": self.synthetic,
            },
        )  # fmt: skip


def repurchase(  # noqa: PLR0913  (columns)
    purchases: pd.DataFrame,
    at: Any,
    *,
    end: Any = None,
    customer: str = "customer",
    time: str = "time",
    amount: str = "amount",
    unit: str = "week",
    level: float = 0.95,
    n_resamples: int = 500,
    seed: int = 1,
) -> Repurchase:
    """Predict who buys after a date from what was before it, and judge the predictions.

    Half of the customers, drawn at random, fit a logistic regression (logarithms of purchases and
    of mean spend, time from the first purchase to the last, age) and BG/NBD; the other half judge
    both.

    Parameters
    ----------
    purchases : Transactions, or pandas, Polars, PyArrow table, DuckDB relation
        One row a purchase, as in `cxstats.lifetime_value`; no answers of a questionnaire, so there
        is no codebook.
    at : time
        Features come from before, the outcome (at least one purchase) from `at` to `end`.
    end : time, optional
        The last moment observed; without it, the last purchase.
    customer, time, amount, unit
        As in `cxstats.lifetime_value`.
    level, n_resamples, seed
        Of percentile intervals over the judged customers; the seed draws the halves too. The
        intervals take both models as fitted.

    Returns
    -------
    Repurchase

    Raises
    ------
    CxError, DataError
        Naming the option, or the column, the row, the value, and what is allowed.
    """
    check_level(level)
    check_unit(unit)
    check_resamples(n_resamples, seed)
    if at is None:
        raise CxError("at=None; allowed: a time within the purchases")
    if amount is None:
        raise CxError("amount=None; allowed: a column, since mean spend is a feature")
    table = purchase_table(purchases, customer, time, amount)
    data = read_purchases(table, unit, at, end, "at")
    assert data.later is not None
    assert data.mean_spend is not None
    bought = data.later > 0
    n = len(bought)
    fitted = np.zeros(n, bool)
    fitted[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    for half in (fitted, ~fitted):
        counts = [int((bought & half).sum()), int((~bought & half).sum())]
        if min(counts) < FEWEST:
            raise DataError(
                f"a half of the customers has {counts[0]} who bought again and {counts[1]} who did "
                f"not; allowed: at least {FEWEST} of each"
            )
    judged = bought[~fitted].astype(float)
    tables, groups, separated = [], [], False
    for method in METHODS:
        predict = _logistic if method == "logistic" else _bg_nbd
        scores = predict(data, bought, fitted)
        if method == "logistic":
            separated = bool(np.abs(scores - bought)[fitted].max() < CERTAIN)
        scores = scores[~fitted]
        tables.append(_measures(method, scores, judged, level, n_resamples, seed))
        groups.append(_calibration(method, scores, judged, level))
    base = float(judged.mean())
    return Repurchase(
        table=pd.concat(tables, ignore_index=True),
        calibration=pd.concat(groups, ignore_index=True),
        n=len(judged),
        n_fitted=int(fitted.sum()),
        base_rate=base,
        base_brier=base * (1 - base),
        level=level,
        n_resamples=n_resamples,
        seed=seed,
        synthetic=table.synthetic,
        notes=(
            *table.notes,
            *note_if(separated, "repurchase.note.separated"),
            both("repurchase.note.fitted"),
        ),
    )


def _logistic(data: Purchases, bought: NDArray[np.bool_], fitted: NDArray[np.bool_]) -> Array:
    """Return the probabilities (n,) of a logistic regression fitted to a part of the customers."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    histories, spend = data.histories, data.mean_spend
    assert spend is not None
    features = np.column_stack([
        np.log1p(histories.frequency), histories.recency, np.log1p(spend), histories.age
    ])  # fmt: skip
    spread = features[fitted].std(axis=0)
    features = (features - features[fitted].mean(axis=0))[:, spread > 0] / spread[spread > 0]
    design = np.column_stack([np.ones(len(features)), features])
    try:
        with warnings.catch_warnings():
            # Without a finite maximum the probabilities are still the best there are: 0 and 1.
            warnings.simplefilter("ignore")
            model = Logit(bought[fitted].astype(float), design[fitted]).fit(disp=False, maxiter=100)
    except (PerfectSeparationError, np.linalg.LinAlgError):
        raise DataError(
            "the features tell all who bought again from all who did not, or repeat each other: "
            "the logistic regression has no estimates"
        ) from None
    return np.asarray(model.predict(design))


def _bg_nbd(data: Purchases, bought: NDArray[np.bool_], fitted: NDArray[np.bool_]) -> Array:
    """Return the probabilities (n,) of BG/NBD, which does not look at the outcome."""
    h = data.histories
    fit = bg_nbd.fit(Histories(h.frequency[fitted], h.recency[fitted], h.age[fitted]))
    return bg_nbd.buys_again(fit.parameters, h, data.holdout_length)


def discrimination(scores: Array, outcome: Array, counts: Array) -> Array:
    """Return AUC, Brier score, share of the top tenth, its lift (B, 4), for weighted customers.

    AUC is the chance that a customer who bought has a higher score than one who did not, ties
    counting half. The customers at the border of the top tenth, who share a score, count in part.

    Parameters
    ----------
    scores, outcome : arrays (n,)
        Probabilities; 1 for who bought and 0 for who did not.
    counts : array (B, n)
        How often each customer counts.

    Examples
    --------
    >>> scores, outcome = np.array([0.9, 0.4, 0.4, 0.2]), np.array([1.0, 1, 0, 0])
    >>> discrimination(scores, outcome, np.ones((1, 4))).round(4).tolist()
    [[0.875, 0.1425, 1.0, 2.0]]
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf) != 0)
    total = np.add.reduceat(counts[:, order], starts, axis=1)
    wins = np.add.reduceat((counts * outcome)[:, order], starts, axis=1)
    losses = total - wins
    n, n_wins = total.sum(axis=1), wins.sum(axis=1)
    below = losses.sum(axis=1, keepdims=True) - np.cumsum(losses, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        auc = (wins * (below + losses / 2)).sum(axis=1) / (n_wins * (n - n_wins))
        size = TENTH * n[:, None]
        inside = np.clip(size - (np.cumsum(total, axis=1) - total), 0, total)
        rates = np.divide(wins, total, out=np.zeros_like(wins), where=total > 0)
        top = (inside * rates).sum(axis=1) / size[:, 0]
        brier = counts @ (scores - outcome) ** 2 / n
        return np.stack([auc, brier, top, top / (n_wins / n)], axis=1)


def _measures(
    method: str, scores: Array, outcome: Array, level: float, n_resamples: int, seed: int
) -> pd.DataFrame:
    estimates = discrimination(scores, outcome, np.ones((1, len(scores))))[0]
    replicates = [
        discrimination(scores, outcome, counts)
        for _, counts in resampling_counts(len(scores), n_resamples, seed)
    ]
    low, high = percentile_limits(np.concatenate(replicates), level)
    return pd.DataFrame(
        {"method": method, "measure": MEASURES, "estimate": estimates, "ci_low": low,
         "ci_high": high}
    )  # fmt: skip


def _calibration(method: str, scores: Array, outcome: Array, level: float) -> pd.DataFrame:
    tenth = np.minimum(pd.Series(scores).rank(pct=True, method="average").to_numpy() * 10, 9.999)
    groups = pd.DataFrame({"tenth": tenth.astype(int), "score": scores, "outcome": outcome})
    means = groups.groupby("tenth").agg(
        n=("score", "size"), predicted=("score", "mean"), estimate=("outcome", "mean")
    )
    low, high = wilson_interval(means["estimate"].to_numpy(), means["n"].to_numpy(float), level)
    return means.assign(ci_low=low, ci_high=high, method=method).reset_index(drop=True)[
        ["method", "n", "predicted", "estimate", "ci_low", "ci_high"]
    ]
