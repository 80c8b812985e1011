"""Who buys again: predictions from before a date, judged on what came after it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxstats.core.cells import is_number
from cxstats.core.errors import CxError, DataError
from cxstats.core.formats import format_number, format_percent, interval
from cxstats.core.language import Text, both, label, note_if
from cxstats.core.messages import excerpt
from cxstats.core.moments import SEEDS, check_resamples, resampling_counts
from cxstats.core.progress import long_work
from cxstats.core.result import Chart, Result
from cxstats.customers import bg_nbd
from cxstats.customers.bg_nbd import Histories
from cxstats.customers.maximum_likelihood import Array, Fit
from cxstats.customers.purchase_histories import (
    Purchases,
    check_unit,
    purchase_table,
    read_purchases,
)
from cxstats.stats.bootstrap import percentile_limits
from cxstats.stats.intervals import check_level, wilson_interval

METHODS = ("logistic", "boosting", "bg_nbd")
MEASURES = ("auc", "brier", "top_decile", "top_lift")
TENTH = 0.1
CERTAIN = 1e-3  # distance of every fitted probability to its outcome
ROUNDING = 1e-9  # relative, of times
FEWEST = 20  # customers who buy again, and who do not, in each half
MOST_HORIZONS = 6
# Small trees and slow learning, set before any result was seen and not tuned on the judged half.
BOOSTING = {
    "max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 20,
    "l2_regularization": 1.0, "early_stopping": False,
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Repurchase(Result):
    """How well three models foresee who buys again.

    Attributes
    ----------
    table : pandas.DataFrame
        ``horizon, method, measure, estimate, ci_low, ci_high``, on customers that the models have
        not seen: ``auc``; ``brier``, the mean squared error of the probability; ``top_decile``, the
        share of the most promising tenth who buy; ``top_lift``, that share by the share of all.
    comparisons : pandas.DataFrame
        ``horizon, method, other, n, estimate, ci_low, ci_high, finding``: AUC of a method less
        that of another, of the same resampled customers; the finding is ``better``, ``worse``, or
        ``alike`` where the interval holds 0 and the two cannot be told apart.
    calibration : pandas.DataFrame
        By horizon, method and tenth of the predictions: ``n, predicted``, the mean probability,
        and ``estimate``, the share who bought, with Wilson's interval.
    horizons : tuple of float
        Lengths of time after `at`, in `unit`.
    base_rates : tuple of float
        For each horizon, the share of the judged who bought again.
    unit : str
    n, n_fitted : int
        Customers judged, and customers fitted.
    level, n_resamples, seed
        As passed.
    synthetic : bool
    notes : tuple of Text
        What a reader must know.
    """

    table: pd.DataFrame
    comparisons: pd.DataFrame
    calibration: pd.DataFrame
    horizons: tuple[float, ...]
    base_rates: tuple[float, ...]
    unit: str
    n: int
    n_fitted: int
    level: float
    n_resamples: int
    seed: int
    synthetic: bool
    notes: tuple[Text, ...]

    kinds: ClassVar = (*METHODS, "differences")
    codes: ClassVar = {
        "method": "repurchase.method.{}",
        "other": "repurchase.method.{}",
        "measure": "repurchase.measure.{}",
        "finding": "repurchase.finding.{}",
    }
    reference: ClassVar = (
        "Steyerberg et al. (2010). Assessing the performance of prediction models. Epidemiology "
        "21(1), 128-138. Friedman (2001). Greedy function approximation: a gradient boosting "
        "machine. Annals of Statistics 29(5), 1189-1232."
    )

    @property
    def base_rate(self) -> float:
        """Share of the judged who bought again by the last horizon."""
        return self.base_rates[-1]

    @property
    def base_brier(self) -> float:
        """The Brier score of `base_rate` for all."""
        return self.base_rate * (1 - self.base_rate)

    def _horizon(self, horizon: float, lang: str) -> str:
        unit = label(f"lifetime.unit.{self.unit}", lang)
        return label("repurchase.horizon", lang, time=format_number(round(horizon, 1)), unit=unit)

    def _head(self, lang: str) -> str:
        return label(
            "repurchase.head", lang, n=format_number(self.n), fitted=format_number(self.n_fitted),
            base=format_percent(100 * self.base_rate, 1, lang),
            brier=format_number(self.base_brier, 3),
            horizon=self._horizon(self.horizons[-1], lang),
            level=format_percent(100 * self.level, None, lang),
        )  # fmt: skip

    def findings(self, lang: str) -> list[str]:
        """Return how well each model does, and which is better."""
        lines = [self._head(lang)]
        for (horizon, method), rows in self.table.groupby(["horizon", "method"], sort=False):
            values = rows.set_index("measure")[["estimate", "ci_low", "ci_high"]].T.to_dict()
            auc, brier, lift = (values[name] for name in ("auc", "brier", "top_lift"))
            lines.append(
                label(
                    "repurchase.row", lang, method=label(f"repurchase.method.{method}", lang),
                    horizon=self._horizon(float(horizon), lang),  # type: ignore[arg-type]
                    auc=format_number(auc["estimate"], 3),
                    limits=interval(auc["ci_low"], auc["ci_high"], 3),
                    brier=format_number(brier["estimate"], 3),
                    lift=format_number(lift["estimate"], 1),
                )
            )  # fmt: skip
        for _, row in self.comparisons.iterrows():
            lines.append(
                label(
                    f"repurchase.compared.{row['finding']}", lang,
                    horizon=self._horizon(row["horizon"], lang), **self._names(row, lang),
                    difference=format_number(row["estimate"], 3, sign=True),
                    limits=interval(row["ci_low"], row["ci_high"], 3),
                )
            )  # fmt: skip
        return lines

    def _names(self, row: pd.Series[Any], lang: str) -> dict[str, str]:
        return {name: label(f"repurchase.method.{row[name]}", lang) for name in ("method", "other")}

    def chart(self, kind: str, lang: str, options: Mapping[str, Any]) -> Chart:
        """Return the share who bought less the predicted one, by tenths; or differences of AUC.

        Of a method, ``horizon=`` says which; without it, the last.
        """
        shared = {"source": self._head(lang), "level": self.level, "synthetic": self.synthetic}
        if kind == "differences":
            rows = self.comparisons
            names = [
                label("repurchase.pair", lang, horizon=self._horizon(row["horizon"], lang),
                      **self._names(row, lang))
                for _, row in rows.iterrows()
            ]  # fmt: skip
            columns = [rows[name].to_numpy(float) for name in ("estimate", "ci_low", "ci_high")]
            clear = int((rows["finding"] != "alike").sum())
            title = label("repurchase.title.differences", lang, k=clear, n=len(rows))
            axis = label("repurchase.axis.differences", lang)
            return Chart("intervals", (names, *columns),
                         {**shared, "axis": axis, "decimals": 3, "title": title})  # fmt: skip
        horizon = options.get("horizon", self.horizons[-1])
        if horizon not in self.horizons:
            allowed = ", ".join(format_number(value) for value in self.horizons)
            raise CxError(f"horizon={excerpt(horizon)}; allowed: {allowed}")
        mine = (self.calibration["method"] == kind) & (self.calibration["horizon"] == horizon)
        rows = self.calibration[mine]
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
                **shared,
                "axis": label("repurchase.axis", lang),
                "title": label("repurchase.title", lang, k=inside, n=len(rows),
                               horizon=self._horizon(horizon, lang),
                               method=label(f"repurchase.method.{kind}", lang)),
                "decimals": 1,
            },
            taken=("horizon",),
        )  # fmt: skip


@long_work("repurchase")
def repurchase(  # noqa: PLR0913  (columns)
    purchases: Any,
    at: Any,
    *,
    end: Any = None,
    horizons: Sequence[float] | None = None,
    customer: str = "customer",
    time: str = "time",
    amount: str = "amount",
    unit: str = "week",
    level: float = 0.95,
    n_resamples: int = 500,
    seed: int = 1,
) -> Repurchase:
    """Predict who buys after a date from what was before it, and judge the predictions.

    Half of the customers, drawn at random, fit a logistic regression and gradient boosting
    (logarithms of purchases and of mean spend, time from the first purchase to the last, age), and
    BG/NBD; the other half judge all three.

    Parameters
    ----------
    purchases : Transactions, or pandas, Polars, PyArrow table, DuckDB relation
        One row a purchase, as in `cxstats.lifetime_value`; no answers of a questionnaire, so there
        is no codebook.
    at : time
        Features come from before, the outcome (at least one purchase) from `at` on.
    end : time, optional
        The last moment observed; without it, the last purchase.
    horizons : numbers, optional
        How long after `at` the outcome is looked for, in `unit`, such as ``[13, 26, 39]``; without
        them, until `end`. Models that look at the outcome are fitted for each.
    customer, time, amount, unit
        As in `cxstats.lifetime_value`. Checked transactions have their own columns.
    level, n_resamples, seed
        Of percentile intervals over the judged customers; the seed draws the halves too. The
        intervals take the models as fitted. Each holds alone: of many comparisons, some are
        clear by chance.

    Returns
    -------
    Repurchase

    Raises
    ------
    CxError, DataError
        Naming the option, or the column, the row, the value, and what is allowed.

    Notes
    -----
    Boosting has 100 trees of at most 8 leaves with a learning rate of .05, set beforehand. It can
    bend where the logistic regression is straight, which pays with many customers; with a few
    hundred it can do worse.
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
    assert data.until_later is not None
    times = _check_horizons(horizons, data.holdout_length)
    n = len(data.histories)
    fitted = np.zeros(n, bool)
    fitted[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    bought = {horizon: data.until_later <= horizon * (1 + ROUNDING) for horizon in times}
    for horizon, outcome in bought.items():
        _check_halves(outcome, fitted, horizon if horizons is not None else None)
    scores, separated = {}, False
    counts = _fit_bg_nbd(data, fitted)
    for horizon, outcome in bought.items():
        scores[horizon, "logistic"] = _logistic(data, outcome, fitted)
        distance = np.abs(scores[horizon, "logistic"] - outcome)[fitted]
        separated |= bool(distance.max() < CERTAIN)
        scores[horizon, "boosting"] = _boosting(data, outcome, fitted, seed)
        scores[horizon, "bg_nbd"] = bg_nbd.buys_again(counts.parameters, data.histories, horizon)
    judged = {horizon: outcome[~fitted].astype(float) for horizon, outcome in bought.items()}
    scores = {key: values[~fitted] for key, values in scores.items()}
    measures, comparisons = _judge(scores, judged, level, n_resamples, seed)
    calibration = [_calibration(*key, scores[key], judged[key[0]], level) for key in scores]
    return Repurchase(
        table=measures,
        comparisons=comparisons,
        calibration=pd.concat(calibration, ignore_index=True),
        horizons=times,
        base_rates=tuple(float(outcome.mean()) for outcome in judged.values()),
        unit=unit,
        n=n - int(fitted.sum()),
        n_fitted=int(fitted.sum()),
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


def _check_horizons(horizons: Sequence[float] | None, longest: float) -> tuple[float, ...]:
    """Return the horizons, rising; without any, the whole time observed."""
    if horizons is None:
        return (longest,)
    values = [horizons] if isinstance(horizons, (int, float, str)) else list(horizons)
    for value in values:
        if not is_number(value) or not 0 < value <= longest * (1 + ROUNDING):
            raise CxError(
                f"horizons: {excerpt(value)}; allowed: above 0, at most "
                f"{format_number(round(longest, 2))}, the time observed after at"
            )
    rising = tuple(sorted({float(value) for value in values}))
    if not 1 <= len(rising) <= MOST_HORIZONS:
        raise CxError(f"{len(rising)} horizons; allowed: 1 to {MOST_HORIZONS}")
    return rising


def _check_halves(
    bought: NDArray[np.bool_], fitted: NDArray[np.bool_], horizon: float | None
) -> None:
    when = "" if horizon is None else f" within {format_number(horizon)}"
    for half in (fitted, ~fitted):
        counts = [int((bought & half).sum()), int((~bought & half).sum())]
        if min(counts) < FEWEST:
            raise DataError(
                f"a half of the customers has {counts[0]} who bought again{when} and {counts[1]} "
                f"who did not; allowed: at least {FEWEST} of each"
            )


def _features(data: Purchases) -> Array:
    """Return the features (n, 4) of the models that look at the outcome."""
    histories, spend = data.histories, data.mean_spend
    assert spend is not None
    return np.column_stack([
        np.log1p(histories.frequency), histories.recency, np.log1p(spend), histories.age
    ])  # fmt: skip


def _logistic(data: Purchases, bought: NDArray[np.bool_], fitted: NDArray[np.bool_]) -> Array:
    """Return the probabilities (n,) of a logistic regression fitted to a part of the customers."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    features = _features(data)
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


def _boosting(
    data: Purchases, bought: NDArray[np.bool_], fitted: NDArray[np.bool_], seed: int
) -> Array:
    """Return the probabilities (n,) of boosted trees fitted to a part of the customers."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    features = _features(data)
    model = HistGradientBoostingClassifier(**BOOSTING, random_state=seed % SEEDS)
    model.fit(features[fitted], bought[fitted])
    return np.asarray(model.predict_proba(features)[:, 1])


def _fit_bg_nbd(data: Purchases, fitted: NDArray[np.bool_]) -> Fit:
    """Return BG/NBD, which does not look at the outcome, of a part of the customers."""
    h = data.histories
    return bg_nbd.fit(Histories(h.frequency[fitted], h.recency[fitted], h.age[fitted]))


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


def _judge(
    scores: Mapping[tuple[float, str], Array],
    judged: Mapping[float, Array],
    level: float,
    n_resamples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return measures and differences of AUC, from the same resamples of customers for all."""
    n = len(next(iter(judged.values())))
    draws: dict[tuple[float, str], list[Array]] = {key: [] for key in scores}
    for _, counts in resampling_counts(n, n_resamples, seed):
        for key, values in scores.items():
            draws[key].append(discrimination(values, judged[key[0]], counts))
    replicates = {key: np.concatenate(pieces) for key, pieces in draws.items()}
    once = np.ones((1, n))
    points = {key: discrimination(scores[key], judged[key[0]], once)[0] for key in scores}
    measures, rows = [], []
    for (horizon, method), point in points.items():
        low, high = percentile_limits(replicates[horizon, method], level)
        measures.append(
            pd.DataFrame(
                {"horizon": horizon, "method": method, "measure": MEASURES, "estimate": point,
                 "ci_low": low, "ci_high": high}
            )
        )  # fmt: skip
    for horizon in judged:
        for first, second in combinations(METHODS, 2):
            keys = (horizon, first), (horizon, second)
            difference = float(points[keys[0]][0] - points[keys[1]][0])
            low, high = percentile_limits(
                replicates[keys[0]][:, 0] - replicates[keys[1]][:, 0], level
            )
            finding = "better" if low > 0 else "worse" if high < 0 else "alike"
            rows.append((horizon, first, second, n, difference, low, high, finding))
    names = ["horizon", "method", "other", "n", "estimate", "ci_low", "ci_high", "finding"]
    return pd.concat(measures, ignore_index=True), pd.DataFrame(rows, columns=names)


def _calibration(
    horizon: float, method: str, scores: Array, outcome: Array, level: float
) -> pd.DataFrame:
    tenth = np.minimum(pd.Series(scores).rank(pct=True, method="average").to_numpy() * 10, 9.999)
    groups = pd.DataFrame({"tenth": tenth.astype(int), "score": scores, "outcome": outcome})
    means = groups.groupby("tenth").agg(
        n=("score", "size"), predicted=("score", "mean"), estimate=("outcome", "mean")
    )
    low, high = wilson_interval(means["estimate"].to_numpy(), means["n"].to_numpy(float), level)
    columns = ["horizon", "method", "n", "predicted", "estimate", "ci_low", "ci_high"]
    return means.assign(ci_low=low, ci_high=high, method=method, horizon=horizon).reset_index(
        drop=True
    )[columns]
